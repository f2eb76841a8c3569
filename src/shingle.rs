//! Shingles: windows of words or characters as frozen 64-bit hashes, and exact similarity of their sets.

use std::cell::Cell;
use std::str::FromStr;

use rayon::prelude::*;

use crate::arch::{Arch, Work};
use crate::error::{self, Error, Result};
use crate::hash::{Rolling, mix};
use crate::scheme::Shingle;
use crate::text::{self, Scratch};

impl Shingle {
    /// Refuses a shingle of no or too many words or characters.
    pub(crate) fn check(self) -> Result<()> {
        match self {
            Self::Words(n) => error::check("words in a shingle", n, 1, 32, "1 to 32"),
            Self::Chars(n) => error::check("characters in a shingle", n, 1, 64, "1 to 64"),
        }
    }
}

/// Reads what `Display` writes: `3-word shingles`, `5-character shingles`.
impl FromStr for Shingle {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let parse = || {
            let (n, kind) = name.strip_suffix(" shingles")?.split_once('-')?;
            let n = n.parse().ok()?;
            match kind {
                "word" => Some(Self::Words(n)),
                "character" => Some(Self::Chars(n)),
                _ => None,
            }
        };
        let known = &["3-word shingles", "5-character shingles", "the like with another number"];
        let shingle = parse().ok_or_else(|| Error::UnknownName { what: "shingle", given: name.into(), known })?;
        shingle.check()?;
        Ok(shingle)
    }
}

/// Rolls shingles over a stream of items: words or characters.
pub(crate) struct Window {
    rolling: Rolling,
    /// The last items, a ring of a power of two that holds the widest window.
    ring: [u64; 64],
    n: usize,
    seen: usize,
}

impl Window {
    pub(crate) fn new(n: u8) -> Self {
        let n = usize::from(n);
        Self { rolling: Rolling::new(n), ring: [0; 64], n, seen: 0 }
    }

    /// Takes one item in; the shingle that ends with it, once the window is full.
    #[inline(always)]
    pub(crate) fn push(&mut self, item: u64) -> Option<u64> {
        let left = self.ring[self.seen.wrapping_sub(self.n) & 63];
        self.ring[self.seen & 63] = item;
        self.rolling.roll(item, left);
        self.seen += 1;
        (self.seen >= self.n).then(|| self.rolling.value())
    }

    /// Takes items in and adds the shingles that end with them.
    pub(crate) fn extend(&mut self, arch: Arch, items: &[u64], shingles: &mut Vec<u64>) {
        let (first, rest) = items.split_at(items.len().min(self.n));
        for &item in first {
            shingles.extend(self.push(item));
        }
        // From here on what leaves the window is at hand.
        let mut rolling = self.rolling;
        let (twos, last) = rest.as_chunks::<2>();
        let (left, _) = items.as_chunks::<2>();
        let begin = shingles.len();
        shingles.resize(begin + 2 * twos.len(), 0);
        let (room, _) = shingles[begin..].as_chunks_mut::<2>();
        for ((room, &entering), &left) in room.iter_mut().zip(twos).zip(left) {
            *room = rolling.roll_two(entering, left);
        }
        arch.run(MixAll(&mut shingles[begin..]));
        if let [entering] = *last {
            rolling.roll(entering, items[rest.len() - 1]);
            shingles.push(rolling.value());
        }
        self.rolling = rolling;
        self.seen += rest.len();
        for (&item, back) in rest.iter().rev().zip(1..=self.n) {
            self.ring[self.seen.wrapping_sub(back) & 63] = item;
        }
    }
}

struct MixAll<'a>(&'a mut [u64]);

impl Work for MixAll<'_> {
    type Output = ();

    #[inline(always)]
    fn work(self) {
        self.0.iter_mut().for_each(|sum| *sum = mix(*sum));
    }
}

/// Adds every shingle of `text` to `shingles`, in order, repeated ones repeatedly; returns the number of words.
pub(crate) fn collect(text: &str, shingle: Shingle, scratch: &mut Scratch, shingles: &mut Vec<u64>) -> usize {
    let mut count = 0;
    let arch = scratch.arch();
    match shingle {
        Shingle::Words(n) => {
            let mut window = Window::new(n);
            text::walk(text, scratch, |words| {
                count += words.len();
                window.extend(arch, words.hashes(), shingles);
            });
        }
        Shingle::Chars(n) => {
            let mut window = Window::new(n);
            let mut push = |c: char| shingles.extend(window.push(mix(u64::from(u32::from(c)))));
            text::walk(text, scratch, |words| {
                for word in words.iter() {
                    if count > 0 {
                        push(' ');
                    }
                    count += 1;
                    let mut buffer = [0; 16];
                    // The normal form is UTF-8 unless it was cut, and it never is.
                    String::from_utf8_lossy(word.bytes(&mut buffer)).chars().for_each(&mut push);
                }
            });
        }
    }
    count
}

/// Whether ascending hashes hold one. Their upper bits are as good as random and say where it would be, give or take a few; where they do
/// not, by somebody's design, it is looked up by halves.
fn holds(hashes: &[u64], hash: u64) -> bool {
    const STEPS: usize = 32;
    let at = ((u128::from(hash) * hashes.len() as u128) >> u64::BITS) as usize;
    let (before, after) = hashes.split_at(at);
    let stop = match before.last() {
        Some(&last) if last >= hash => before.iter().rev().take(STEPS).find(|&&other| other <= hash),
        _ => after.iter().take(STEPS).find(|&&other| other >= hash),
    };
    match stop {
        Some(&other) => other == hash,
        None => hashes.binary_search(&hash).is_ok(),
    }
}

/// The share of a text's words (or characters) that lie in shingles of a set, if its own shingles in order are these, each
/// spanning so many.
pub(crate) fn covered(shingles: &[u64], span: u8, set: &[u64]) -> f32 {
    let span = usize::from(span);
    let (mut covered, mut end) = (0, 0);
    for (at, shingle) in shingles.iter().enumerate() {
        if holds(set, *shingle) {
            covered += at + span - end.max(at);
            end = at + span;
        }
    }
    ratio(covered, if shingles.is_empty() { 0 } else { shingles.len() + span - 1 }) as f32
}

/// Hands the shingles of each text to `make`, on all threads, and collects what it makes, in the order of the texts.
pub(crate) fn map_all<T: AsRef<str> + Sync, R: Send>(
    texts: &[T],
    shingle: Shingle,
    arch: Arch,
    make: impl Fn(&[u64]) -> R + Sync,
) -> Vec<R> {
    // The most texts that a thread takes at once: none may be left with many while the others are done.
    const TEXTS: usize = 64;
    let of_text = |shingles: &mut Vec<u64>, text: &T| {
        shingles.clear();
        text::with_scratch_on(arch, |scratch| collect(text.as_ref(), shingle, scratch, shingles));
        make(shingles)
    };
    texts.par_iter().with_max_len(TEXTS).map_init(Vec::new, of_text).collect()
}

/// The set of a text's shingles, for exact similarity.
///
/// Holds one `u64` a distinct shingle, sorted. Building takes O(n log n), comparing O(n).
///
/// ```
/// use retold::{Shingle, ShingleSet};
///
/// let whole = ShingleSet::new("the council voted to close the old harbour ferry", Shingle::Words(3))?;
/// let part = ShingleSet::new("to close the old harbour", Shingle::Words(3))?;
/// assert_eq!(part.containment_in(&whole)?, 1.0);
/// assert_eq!(part.jaccard(&whole)?, 3.0 / 7.0);
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShingleSet {
    shingle: Shingle,
    hashes: Vec<u64>,
}

/// Hashes in ascending order, each once. Their upper bits, which are as good as random, say of most where they belong; what
/// is left to sort are a few in one place.
pub(crate) fn distinct(hashes: &[u64]) -> Vec<u64> {
    thread_local! {
        static ROOM: Cell<(Vec<u32>, Vec<u64>)> = const { Cell::new((Vec::new(), Vec::new())) };
    }
    let (mut next, mut sorted) = ROOM.take();
    let bits = hashes.len().next_power_of_two().trailing_zeros().clamp(1, 16);
    let bucket = |hash: u64| (hash >> (u64::BITS - bits)) as usize;
    next.clear();
    next.resize((1 << bits) + 1, 0);
    hashes.iter().for_each(|&hash| next[bucket(hash) + 1] += 1);
    (1..next.len()).for_each(|at| next[at] += next[at - 1]);
    sorted.clear();
    sorted.resize(hashes.len(), 0);
    for &hash in hashes {
        let next = &mut next[bucket(hash)];
        sorted[*next as usize] = hash;
        *next += 1;
    }
    // Where a place is crowded, by repeats or by somebody's design, it is sorted by itself.
    const CROWD: u32 = 12;
    let mut start = 0;
    for &end in &next[..1 << bits] {
        if end - start > CROWD {
            sorted[start as usize..end as usize].sort_unstable();
        }
        start = end;
    }
    // By insertion: hardly any is more than two steps from where it belongs.
    for at in 1..sorted.len() {
        let (hash, mut to) = (sorted[at], at);
        while to > 0 && sorted[to - 1] > hash {
            sorted[to] = sorted[to - 1];
            to -= 1;
        }
        sorted[to] = hash;
    }
    sorted.dedup();
    let distinct = sorted.clone();
    ROOM.set((next, sorted));
    distinct
}

impl ShingleSet {
    /// Collects the shingles of `text`. A text shorter than one shingle gives an empty set.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a shingle of no or too many words or characters.
    pub fn new(text: &str, shingle: Shingle) -> Result<Self> {
        shingle.check()?;
        let mut hashes = Vec::new();
        text::with_scratch(|scratch| collect(text, shingle, scratch, &mut hashes));
        Ok(Self { shingle, hashes: distinct(&hashes) })
    }

    /// What one shingle of the set spans.
    pub fn shingle(&self) -> Shingle {
        self.shingle
    }

    /// The number of distinct shingles.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether the text was shorter than one shingle.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// The distinct shingles as frozen hashes, ascending.
    pub fn hashes(&self) -> &[u64] {
        &self.hashes
    }

    /// |A ∩ B| / |A ∪ B|, 0 to 1. Empty sets are like nothing: the result is 0.
    ///
    /// # Errors
    /// [`Error::Shingle`] if the two were built with different shingles.
    pub fn jaccard(&self, other: &Self) -> Result<f64> {
        let both = self.common(other)?;
        Ok(ratio(both, self.len() + other.len() - both))
    }

    /// |A ∩ B| / |A|: the share of this set that is in `other`, 0 to 1; 0 if this set is empty.
    ///
    /// # Errors
    /// [`Error::Shingle`] if the two were built with different shingles.
    pub fn containment_in(&self, other: &Self) -> Result<f64> {
        Ok(ratio(self.common(other)?, self.len()))
    }

    fn common(&self, other: &Self) -> Result<usize> {
        if self.shingle != other.shingle {
            return Err(Error::Shingle { left: self.shingle, right: other.shingle });
        }
        Ok(count_common(&self.hashes, &other.hashes))
    }
}

/// The number of elements that two ascending slices without repeats share.
pub(crate) fn count_common<T: Ord + Copy>(left: &[T], right: &[T]) -> usize {
    let (mut i, mut j, mut both) = (0, 0, 0);
    while i < left.len() && j < right.len() {
        let (a, b) = (left[i], right[j]);
        both += usize::from(a == b);
        i += usize::from(a <= b);
        j += usize::from(b <= a);
    }
    both
}

pub(crate) fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Words;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// The slow exact way: windows as strings.
    fn windows(text: &str, shingle: Shingle) -> BTreeSet<String> {
        let words: Vec<_> = Words::new(text).map(|word| word.normalized().into_owned()).collect();
        match shingle {
            Shingle::Words(n) => words.windows(usize::from(n)).map(|window| window.join(" ")).collect(),
            Shingle::Chars(n) => {
                let chars: Vec<char> = words.join(" ").chars().collect();
                chars.windows(usize::from(n)).map(|window| window.iter().collect()).collect()
            }
        }
    }

    proptest! {
        #[test]
        fn distinct_hashes_are_sorted_once(hashes in prop::collection::vec(prop_oneof![any::<u64>(), 0u64..4, Just(u64::MAX)], 0..300)) {
            let expected: BTreeSet<u64> = hashes.iter().copied().collect();
            prop_assert_eq!(distinct(&hashes), expected.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn a_set_holds_what_is_in_it(
            hashes in prop::collection::vec(prop_oneof![any::<u64>(), 0u64..99, u64::MAX - 99..=u64::MAX], 0..300),
            others in prop::collection::vec(prop_oneof![any::<u64>(), 0u64..99, Just(u64::MAX)], 9),
        ) {
            let set = distinct(&hashes);
            for hash in hashes.into_iter().chain(others) {
                prop_assert_eq!(holds(&set, hash), set.contains(&hash));
            }
        }

        #[test]
        fn sets_agree_with_windows_of_strings(
            left in "([a-c] |é|東){0,30}", right in "([a-c] |é|東){0,30}",
            shingle in prop_oneof![(1u8..8).prop_map(Shingle::Words), (1u8..12).prop_map(Shingle::Chars)],
        ) {
            let (a, b) = (ShingleSet::new(&left, shingle)?, ShingleSet::new(&right, shingle)?);
            let (x, y) = (windows(&left, shingle), windows(&right, shingle));
            let both = x.intersection(&y).count();
            prop_assert_eq!(a.len(), x.len());
            prop_assert_eq!(a.jaccard(&b)?, ratio(both, x.union(&y).count()));
            prop_assert_eq!(a.containment_in(&b)?, ratio(both, x.len()));
        }
    }

    #[test]
    fn impossible_shingles_are_refused() {
        for shingle in [Shingle::Words(0), Shingle::Words(33), Shingle::Chars(0), Shingle::Chars(65)] {
            assert!(matches!(ShingleSet::new("a b c", shingle), Err(Error::OutOfRange { .. })), "{shingle}");
        }
    }

    #[test]
    fn different_shingles_do_not_compare() {
        let two = ShingleSet::new("a b c", Shingle::Words(2)).unwrap();
        let three = ShingleSet::new("a b c", Shingle::Words(3)).unwrap();
        assert!(matches!(two.jaccard(&three), Err(Error::Shingle { .. })));
    }
}
