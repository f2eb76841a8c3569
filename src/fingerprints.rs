//! Winnowed fingerprints: which texts hold a passage of one another, wherever it stands and however long they are.
//!
//! Signatures compare whole texts and say little of one that stands in another five times as long. So the shingles of five
//! words are winnowed (Schleimer, Wilkerson and Aiken, SIGMOD 2003): of each seven in a row the smallest is kept. Any run of
//! eleven words that two texts share gives both the same fingerprint, and a text keeps about one for every four words.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;

use crate::arch::{self, Arch, Work};
use crate::candidates::{AHEAD, Sieve};
use crate::scheme::Shingle;
use crate::shingle::Window;
use crate::store::{Block, Budget, Share, Store};

/// Words in a shingle.
const SHINGLE: u8 = 5;

/// Shingles of which the smallest is kept.
const WINDOW: usize = 7;

/// Which fingerprints of a text are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sample {
    /// All: a shared run of eleven words is seen.
    All,
    /// Every other one: whole texts that stand in others have enough of them.
    Half,
}

impl Sample {
    /// Minima are small, so their lower bits have to say which are kept.
    #[inline(always)]
    pub(crate) fn keeps(self, fingerprint: u32) -> bool {
        self == Self::All || fingerprint & 1 == 0
    }
}

/// How the shingles of five words are made of shingles that are at hand: of which words, and how many words lie between the two
/// that make one.
fn made_of(shingle: Shingle) -> (u8, usize) {
    match shingle {
        Shingle::Words(words @ 3..=SHINGLE) => (words, usize::from(SHINGLE - words)),
        _ => (SHINGLE, 0),
    }
}

fn is_at_hand(shingle: Shingle) -> bool {
    matches!(shingle, Shingle::Words(3..=SHINGLE))
}

/// One shingle of five words, made of two that overlap.
#[inline(always)]
fn five(first: u64, second: u64) -> u32 {
    (first >> 32) as u32 ^ second as u32
}

/// For each of a text's words, but the last few, the fingerprint of the five that begin with it, should it be kept.
pub(crate) fn of_words(arch: Arch, words: &[u64], shingle: Shingle, shingles: &mut Vec<u64>, fives: &mut Vec<u32>) {
    let (span, gap) = made_of(shingle);
    shingles.clear();
    Window::new(span).extend(arch, words, shingles);
    fives.clear();
    fives.extend(
        shingles.iter().zip(shingles.get(gap..).unwrap_or_default()).map(|(&first, &second)| five(first, second)),
    );
}

/// Makes the fingerprints of one text after the other.
#[derive(Default)]
pub(crate) struct Winnower {
    shingles: Vec<u64>,
    minima: Vec<u32>,
}

impl Winnower {
    /// Begins a new text. Where there are shingles of three to five words already, those of five are made from them, and there is
    /// no window; otherwise its words go into it.
    pub(crate) fn begin(&mut self, shingle: Shingle) -> Option<Window> {
        self.shingles.clear();
        (!is_at_hand(shingle)).then(|| Window::new(SHINGLE))
    }

    /// Takes the next words of the text.
    #[inline(always)]
    pub(crate) fn extend(&mut self, arch: Arch, window: &mut Window, words: &[u64]) {
        window.extend(arch, words, &mut self.shingles);
    }

    /// Adds the fingerprints of the text, in the order in which they stand in it; `shingles` are its own, each spanning so many words.
    pub(crate) fn finish(
        &mut self,
        arch: Arch,
        (shingles, shingle): (&[u64], Shingle),
        sample: Sample,
        fingerprints: &mut Vec<u32>,
    ) {
        let gap = made_of(shingle).1;
        let shingles = if is_at_hand(shingle) { shingles } else { &self.shingles };
        let fives = shingles.len().saturating_sub(gap);
        let Some(windows) = (fives + 1).checked_sub(WINDOW).filter(|&windows| windows > 0) else { return };
        // One before the first, and whole blocks.
        let end = 1 + windows.next_multiple_of(BLOCK);
        self.minima.clear();
        self.minima.resize(end.max(1 + fives), 0);
        arch.run(Minima { shingles, gap, minima: &mut self.minima[1..=fives] });
        let (first, last) = (self.minima[1], self.minima[windows]);
        self.minima[0] = !first;
        self.minima[windows + 1..].fill(last);
        let start = fingerprints.len();
        fingerprints.resize(start + windows, 0);
        let room = &mut fingerprints[start..];
        let end = arch.run(Distinct { minima: &self.minima[..end], sample, room });
        fingerprints.truncate(start + end);
    }
}

/// Minima that are looked at together, to find which differ from the one before.
const BLOCK: usize = 64;

/// Lists those of some minima that a sample keeps and that differ from the one before; the first is there to differ from. How many
/// these are.
struct Distinct<'a> {
    minima: &'a [u32],
    sample: Sample,
    room: &'a mut [u32],
}

impl Work for Distinct<'_> {
    type Output = usize;

    #[inline(always)]
    fn work(self) -> usize {
        let Self { minima, sample, room } = self;
        let (blocks, _) = minima[1..].as_chunks::<BLOCK>();
        let (before, _) = minima.as_chunks::<BLOCK>();
        let mut end = 0;
        for (minima, before) in blocks.iter().zip(before) {
            // Most are no new ones, so that a branch for each would go the wrong way every fourth time.
            let mut is_new = [0u8; BLOCK];
            for ((is_new, &least), &last) in is_new.iter_mut().zip(minima).zip(before) {
                *is_new = u8::from((least != last) & sample.keeps(least));
            }
            let mut which = 0;
            for (eight, at) in is_new.as_chunks::<8>().0.iter().zip((0..).step_by(8)) {
                // Brings the eight bits together in the upper byte.
                which |= (u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56) << at;
            }
            while which != 0 {
                room[end] = minima[which.trailing_zeros() as usize];
                end += 1;
                which &= which - 1;
            }
        }
        end
    }
}

/// Finds the smallest of the [`WINDOW`] shingles of five words that begin with each; the last few stay as they come. A shingle of five
/// words is made of two that overlap, of which the second begins so many words after the first: all of its words are in one of
/// them.
struct Minima<'a> {
    shingles: &'a [u64],
    gap: usize,
    minima: &'a mut [u32],
}

impl Work for Minima<'_> {
    type Output = ();

    #[inline(always)]
    fn work(self) {
        let Self { shingles, gap, minima } = self;
        for ((least, &first), &second) in minima.iter_mut().zip(shingles).zip(&shingles[gap..]) {
            *least = five(first, second);
        }
        // Those of two, of four, and of four and four that overlap in one.
        for step in [1, 2, 3] {
            for at in 0..minima.len().saturating_sub(step) {
                minima[at] = minima[at].min(minima[at + step]);
            }
        }
    }
}

/// The fingerprints of texts, where they were written when the texts were signed.
pub(crate) struct Fingerprints {
    store: Store,
    blocks: Vec<Block>,
    /// For each text where its fingerprints are.
    places: Vec<FingerprintPlace>,
    /// Which were kept.
    sample: Sample,
}

/// Where the fingerprints of a text are: in which block, and from where to where.
#[derive(Clone, Debug)]
pub(crate) struct FingerprintPlace {
    pub(crate) block: u32,
    pub(crate) range: Range<u32>,
}

/// The most times that all fingerprints are read to take a part of them each time.
const MOST_PARTS: u64 = 64;

/// Postings are sorted in so many buckets.
const BUCKETS: usize = 64;

/// Texts whose fingerprints one task puts into buckets.
const TEXTS_A_TASK: usize = 512;

/// A fingerprint that so many texts hold is common.
pub(crate) const COMMON: usize = 4;

/// Of a fingerprint that more texts hold, only the shortest holders are paired with all.
pub(crate) const MOST_HOLDERS: usize = 40;

/// How many of these.
pub(crate) const SHORTEST: usize = 2;

/// Two texts that share fingerprints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shared {
    pub(crate) shorter: u32,
    pub(crate) longer: u32,
    /// How many they share; of those that many texts hold, only some count.
    pub(crate) count: u32,
    /// Whether most of these are held by so many texts that not all of them were paired.
    pub(crate) is_crowded: bool,
}

/// Whether two texts share what a crowd shares: so many fingerprints, of which so many are held by more texts than are paired with all.
pub(crate) fn is_crowded(count: usize, crowded: usize) -> bool {
    count - crowded <= count / 2
}

/// Those fingerprints of a text that the one lacks that speaks for it, if another one does: what copies of one text share is known.
pub(crate) fn lacking<'f>(of: &'f [u32], speaker: Option<&[u32]>) -> impl Iterator<Item = u32> + use<'f> {
    let spoken_for: BTreeSet<u32> = speaker.unwrap_or_default().iter().copied().collect();
    of.iter().copied().filter(move |fingerprint| !spoken_for.contains(fingerprint))
}

/// The pairs of texts that share fingerprints.
#[derive(Debug, Default)]
pub(crate) struct Overlaps {
    /// By the shorter text, then by the longer one.
    pub(crate) pairs: Vec<Shared>,
    /// Fingerprints that so many texts hold that not all of these were paired.
    pub(crate) crowded: usize,
    /// Fingerprints that [`COMMON`] texts hold and more, ascending.
    pub(crate) common: Vec<u32>,
}

impl Fingerprints {
    pub(crate) fn new((store, blocks): (Store, Vec<Block>), places: Vec<FingerprintPlace>, sample: Sample) -> Self {
        Self { store, blocks, places, sample }
    }

    /// The fingerprints of a text that were kept, in the order in which they stand in it.
    pub(crate) fn of(&self, text: u32) -> Cow<'_, [u32]> {
        let FingerprintPlace { block, range } = &self.places[text as usize];
        self.store.part(&self.blocks[*block as usize], range.start as usize..range.end as usize)
    }

    /// Asks for those that a text begins with.
    #[inline(always)]
    fn fetch(&self, text: u32) {
        let FingerprintPlace { block, range } = &self.places[text as usize];
        let begin = range.start as usize;
        self.blocks[*block as usize].fetch(begin..(range.end as usize).min(begin + 8 * arch::LINE));
    }

    /// How many of a sample a text has, repeated ones repeatedly.
    pub(crate) fn count(&self, text: u32, sample: Sample) -> usize {
        if sample == self.sample {
            return self.places[text as usize].range.len();
        }
        self.of(text).iter().filter(|&&fingerprint| sample.keeps(fingerprint)).count()
    }

    /// The pairs among those `texts`, ascending, that share at least so many different fingerprints of a sample as `needed` says of the
    /// shorter one; none with a shorter one that is no source, of which `needed` says nothing. `words` is the length of each text;
    /// of two that are equally long the one that comes first passes for the shorter one. Of a text that another one speaks for count only the
    /// fingerprints that this one lacks: what copies of one text share is known.
    ///
    /// Time and memory grow linearly with the texts: a fingerprint that many hold is paired with the shortest of them alone,
    /// for if it is part of a text that stands in all of them, that is the one.
    pub(crate) fn overlaps(
        &self,
        texts: &[u32],
        leaders: &[u32],
        sample: Sample,
        words: impl Fn(u32) -> u32 + Sync,
        needed: impl Fn(u32) -> Option<u32>,
        budget: &Arc<Budget>,
    ) -> Overlaps {
        let all: u64 = texts.iter().map(|&text| self.count(text, sample) as u64).sum();
        let parts = (size_of::<u64>() as u64 * all).div_ceil(budget.share(Share::Postings).max(1)).clamp(1, MOST_PARTS);
        let mut found = Overlaps::default();
        const NO_SOURCE: u32 = u32::MAX;
        let mut needs = vec![NO_SOURCE; texts.last().map_or(0, |&last| last as usize + 1)];
        texts.iter().for_each(|&text| needs[text as usize] = needed(text).unwrap_or(NO_SOURCE));
        let mut keyed: Vec<(u64, bool)> = Vec::new();
        for part in 0..parts {
            let buckets = self.buckets(texts, leaders, sample, (part, parts));
            // How many of its fingerprints a text shares with anybody.
            let counts: Vec<AtomicU32> = needs.iter().map(|_| AtomicU32::new(0)).collect();
            let count = |list: &[u64]| {
                list.iter().for_each(|&posting| {
                    counts[posting as u32 as usize].fetch_add(1, Ordering::Relaxed);
                });
            };
            let in_bucket = |bucket: usize| {
                let mut postings = shared(buckets.iter().map(|buckets| buckets.get(bucket)));
                postings.sort_unstable();
                postings.dedup();
                lists(&postings).for_each(count);
                postings
            };
            let postings: Vec<Vec<u64>> = (0..BUCKETS).into_par_iter().with_max_len(1).map(in_bucket).collect();
            // Most texts share a phrase here and there, and no more with all others together than is needed with one.
            let may_be_shorter = |text: u32| {
                let needed = needs[text as usize];
                needed != NO_SOURCE && (parts > 1 || counts[text as usize].load(Ordering::Relaxed) >= needed)
            };
            let pairs = |postings: Vec<u64>| {
                let (mut pairs, mut crowded, mut common, mut holders) = (Vec::new(), 0, Vec::new(), Vec::new());
                for list in lists(&postings) {
                    if list.len() >= COMMON {
                        common.push((list[0] >> 32) as u32);
                    }
                    let is_crowded = list.len() > MOST_HOLDERS;
                    crowded += usize::from(is_crowded);
                    if !list.iter().any(|&posting| may_be_shorter(posting as u32)) {
                        continue;
                    }
                    holders.clear();
                    holders.extend(list.iter().map(|&posting| (words(posting as u32), posting as u32)));
                    let sources = if is_crowded {
                        holders.retain(|&(_, text)| needs[text as usize] != NO_SOURCE);
                        let shortest = SHORTEST.min(holders.len());
                        if shortest > 0 {
                            holders.select_nth_unstable(shortest - 1);
                        }
                        holders[..shortest].sort_unstable();
                        shortest
                    } else {
                        holders.sort_unstable();
                        holders.len()
                    };
                    for (at, &(_, shorter)) in holders[..sources].iter().enumerate() {
                        if may_be_shorter(shorter) {
                            let longer = holders[at + 1..].iter();
                            let key = |longer: u32| (u64::from(shorter) << 32 | u64::from(longer), is_crowded);
                            pairs.extend(longer.map(|&(_, longer)| key(longer)));
                        }
                    }
                }
                (pairs, crowded, common)
            };
            let of_buckets = || postings.into_par_iter().with_max_len(1).map(pairs).collect::<Vec<_>>();
            let (of_buckets, ()) = rayon::join(of_buckets, || drop(buckets));
            keyed.reserve_exact(of_buckets.iter().map(|(pairs, ..)| pairs.len()).sum());
            for (pairs, crowded, common) in of_buckets {
                keyed.extend(pairs);
                found.crowded += crowded;
                found.common.extend(common);
            }
        }
        found.common.par_sort_unstable();
        keyed.par_sort_unstable();
        let pair = |same: &[(u64, bool)]| {
            let shorter = (same[0].0 >> 32) as u32;
            (same.len() >= needs[shorter as usize] as usize).then(|| Shared {
                shorter,
                longer: same[0].0 as u32,
                count: same.len() as u32,
                is_crowded: is_crowded(same.len(), same.iter().filter(|of| of.1).count()),
            })
        };
        found.pairs = keyed.chunk_by(|a, b| a.0 == b.0).filter_map(pair).collect();
        found
    }

    /// The fingerprints of one of some parts, each above the text that holds it, in buckets.
    fn buckets(&self, texts: &[u32], leaders: &[u32], sample: Sample, (part, parts): (u64, u64)) -> Vec<Buckets> {
        let of_task = |texts: &[u32]| {
            let mut postings = ROOM.take();
            postings.clear();
            for (at, &text) in texts.iter().enumerate() {
                if let Some(&later) = texts.get(at + AHEAD) {
                    self.fetch(later);
                }
                let of_leader =
                    Some(leaders[text as usize]).filter(|&leader| leader != text).map(|leader| self.of(leader));
                let own = self.of(text);
                let is_in_part = |&of: &u32| parts == 1 || u64::from(of >> 8) % parts == part;
                let own = lacking(&own, of_leader.as_deref()).filter(|&own| sample.keeps(own)).filter(is_in_part);
                postings.extend(own.map(|fingerprint| u64::from(fingerprint) << 32 | u64::from(text)));
            }
            let buckets = Buckets::of(&postings);
            ROOM.set(postings);
            buckets
        };
        texts.par_chunks(TEXTS_A_TASK).with_max_len(1).map(of_task).collect()
    }
}

thread_local! {
    /// Room for postings that are worked on, which a thread uses again: new memory comes page by page.
    static ROOM: Cell<Vec<u64>> = const { Cell::new(Vec::new()) };
}

/// Postings of some texts, one bucket after the other.
struct Buckets {
    postings: Vec<u64>,
    /// Where each begins, and the last one ends.
    edges: [usize; BUCKETS + 1],
}

impl Buckets {
    fn of(all: &[u64]) -> Self {
        // The lowest bit may be the same in all.
        let bucket = |posting: u64| (posting >> 33) as usize % BUCKETS;
        let mut edges = [0; BUCKETS + 1];
        all.iter().for_each(|&posting| edges[bucket(posting) + 1] += 1);
        (1..=BUCKETS).for_each(|at| edges[at] += edges[at - 1]);
        let (mut next, mut postings) = (edges, vec![0; all.len()]);
        for &posting in all {
            let next = &mut next[bucket(posting)];
            postings[*next] = posting;
            *next += 1;
        }
        Self { postings, edges }
    }

    fn get(&self, bucket: usize) -> &[u64] {
        &self.postings[self.edges[bucket]..self.edges[bucket + 1]]
    }
}

/// The postings of each fingerprint that more than one text holds.
fn lists(postings: &[u64]) -> impl Iterator<Item = &[u64]> {
    postings.chunk_by(|a, b| a >> 32 == b >> 32).filter(|list| list.len() > 1)
}

/// Those postings whose fingerprint others have too, and some more: most stand alone, and sorting them would take most of the
/// time.
fn shared<'p>(postings: impl Iterator<Item = &'p [u64]> + Clone) -> Vec<u64> {
    // Minima are small, and the upper bits of a key have to differ.
    let key = |posting: u64| ((posting >> 32) as u32).wrapping_mul(0x9e37_79b1);
    let all: usize = postings.clone().map(<[u64]>::len).sum();
    let mut sieve = Sieve::new(all);
    for postings in postings.clone() {
        postings.iter().for_each(|&posting| sieve.add(key(posting)));
    }
    let (mut room, mut end) = (ROOM.take(), 0);
    room.resize(room.len().max(all + 1), 0);
    for postings in postings {
        for &posting in postings {
            room[end] = posting;
            end += usize::from(sieve.is_shared(key(posting)));
        }
    }
    let shared = room[..end].to_vec();
    ROOM.set(room);
    shared
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn winnow(words: &[u64], sample: Sample) -> Vec<u32> {
        of_shingles(words, Shingle::Words(3), sample)
    }

    /// The fingerprints of a text whose shingles are such.
    fn of_shingles(words: &[u64], shingle: Shingle, sample: Sample) -> Vec<u32> {
        let (mut winnower, mut fingerprints, mut shingles) = (Winnower::default(), Vec::new(), Vec::new());
        let (mut window, mut own) = (Window::new(shingle.span()), winnower.begin(shingle));
        for words in words.chunks(13) {
            window.extend(Arch::default(), words, &mut shingles);
            if let Some(own) = &mut own {
                winnower.extend(Arch::default(), own, words);
            }
        }
        winnower.finish(Arch::default(), (&shingles, shingle), sample, &mut fingerprints);
        fingerprints
    }

    fn words() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec((0u64..300).prop_map(mix), 0..120)
    }

    fn fingerprints(texts: &[Vec<u32>], budget: &Arc<Budget>) -> Fingerprints {
        let store = budget.store(Share::Words);
        let blocks = texts.chunks(3).map(|texts| store.keep(texts.concat())).collect();
        let mut places = Vec::new();
        for (block, texts) in (0..).zip(texts.chunks(3)) {
            let mut start = 0;
            for text in texts {
                places.push(FingerprintPlace { block, range: start..start + text.len() as u32 });
                start += text.len() as u32;
            }
        }
        Fingerprints::new((store, blocks), places, Sample::All)
    }

    proptest! {
        #[test]
        fn every_run_of_eleven_words_in_two_texts_gives_both_a_fingerprint(
            run in prop::collection::vec(any::<u64>(), 11..=11), around in prop::collection::vec(words(), 4..=4), span in 1u8..9,
        ) {
            let winnow = |words: &[u64]| of_shingles(words, Shingle::Words(span), Sample::All);
            let all = |before: &[u64], after: &[u64]| winnow(&[before, &run, after].concat());
            let (left, right) = (all(&around[0], &around[1]), all(&around[2], &around[3]));
            let of_run = winnow(&run);
            prop_assert_eq!(of_run.len(), 1);
            prop_assert!(left.contains(&of_run[0]) && right.contains(&of_run[0]));
        }

        #[test]
        fn half_of_the_fingerprints_are_some_of_all(words in words()) {
            let all = winnow(&words, Sample::All);
            let half = winnow(&words, Sample::Half);
            prop_assert_eq!(half, all.into_iter().filter(|fingerprint| fingerprint % 2 == 0).collect::<Vec<_>>());
        }

        #[test]
        fn minima_are_those_of_each_window(numbers in prop::collection::vec(0u32..50, 0..40)) {
            let (shingles, mut minima): (Vec<u64>, _) = (numbers.iter().map(|&number| number.into()).collect(), vec![0; numbers.len()]);
            Arch::default().run(Minima { shingles: &shingles, gap: 0, minima: &mut minima });
            let expected: Vec<u32> = numbers.windows(WINDOW).filter_map(|window| window.iter().min().copied()).collect();
            prop_assert_eq!(&minima[..expected.len()], &expected[..]);
        }

        #[test]
        fn overlaps_are_those_of_all_pairs_or_of_the_shortest(
            texts in prop::collection::vec((prop::collection::vec(0u32..60, 0..9), 1u32..30, any::<bool>()), 0..90), memory in 0u64..2000,
        ) {
            let all: Vec<Vec<u32>> = texts.iter().map(|text| text.0.clone()).collect();
            let words = |text: u32| texts[text as usize].1;
            let is_source = |text: u32| words(text) > 5;
            let needed = |text: u32| is_source(text).then_some(text % 3);
            let leaders: Vec<u32> = (0..texts.len() as u32).map(|text| text - u32::from(text % 5 == 1)).collect();
            let taking: Vec<u32> = (0..texts.len() as u32).filter(|&text| texts[text as usize].2).collect();
            let mut holders: BTreeMap<u32, BTreeSet<(u32, u32)>> = BTreeMap::new();
            for &text in &taking {
                let leader = leaders[text as usize];
                let new = all[text as usize].iter().filter(|of| leader == text || !all[leader as usize].contains(of));
                new.for_each(|&of| { holders.entry(of).or_default().insert((words(text), text)); });
            }
            let mut expected: BTreeMap<(u32, u32), u32> = BTreeMap::new();
            let mut crowded = 0;
            for holders in holders.values() {
                let mut holders: Vec<u32> = holders.iter().map(|&(_, text)| text).collect();
                let mut sources = holders.len();
                if holders.len() > MOST_HOLDERS {
                    crowded += 1;
                    holders.retain(|&text| is_source(text));
                    sources = SHORTEST.min(holders.len());
                }
                for at in (0..sources).filter(|&at| is_source(holders[at])) {
                    holders[at + 1..].iter().for_each(|&other| *expected.entry((holders[at], other)).or_default() += 1);
                }
            }
            expected.retain(|&(shorter, _), &mut count| count >= shorter % 3);
            for budget in [Budget::unlimited(), Budget::new(Some(memory), None)] {
                let found = fingerprints(&all, &budget).overlaps(&taking, &leaders, Sample::All, words, needed, &budget);
                prop_assert_eq!(found.crowded, crowded);
                let pairs: BTreeMap<(u32, u32), u32> =
                    found.pairs.iter().map(|pair| ((pair.shorter, pair.longer), pair.count)).collect();
                prop_assert_eq!(pairs.len(), found.pairs.len());
                prop_assert_eq!(&pairs, &expected);
            }
        }
    }
}
