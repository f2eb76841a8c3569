//! MinHash signatures by Fast Similarity Sketching.
//!
//! Dahlgaard, Knudsen and Thorup, "Fast Similarity Sketching", FOCS 2017 (arXiv 1704.04370): each element falls into one
//! of `t` slots a round, and keeps it if nothing smaller (by round, then value) is there; rounds go on until every slot is
//! full, and the last `t` rounds visit the slots one by one. The share of equal slots estimates the Jaccard similarity
//! without bias and with at most the variance of classic MinHash (for short texts with half of it), at O(n + t log t)
//! instead of O(n·t). The signature of a union is the element-wise minimum.

use crate::arch::{Arch, Backend, Work};
use crate::error::{self, Error, Result};
use crate::hash::mix;
use crate::scheme::{Method, Scheme, Shingle, View};
use crate::shingle::{self, ShingleSet};
use crate::text::Scratch;
use crate::wire;

fn check_slots(slots: u16) -> Result<()> {
    if slots.is_power_of_two() && (16..=1024).contains(&slots) {
        return Ok(());
    }
    Err(Error::OutOfRange { option: "slots", value: slots.into(), range: "a power of two from 16 to 1024" })
}

impl Scheme {
    /// Whether such a signature can be.
    pub(crate) fn check(&self, method: Method) -> Result<()> {
        if self.method != method {
            let needed = match method {
                Method::MinHash => Self { method, slots: 128, ..*self },
                Method::SimHash => Self { method, slots: 64, ..*self },
            };
            return Err(Error::Scheme { left: needed, right: *self });
        }
        match method {
            Method::MinHash => check_slots(self.slots)?,
            // Schemes are read from files too.
            Method::SimHash => error::check("bits of a SimHash", self.slots, 64, 64, "64")?,
        }
        self.shingle().map_or(Ok(()), Shingle::check)
    }

    /// Refuses two schemes that are not the same.
    pub(crate) fn same_as(&self, other: &Self) -> Result<()> {
        if self == other { Ok(()) } else { Err(Error::Scheme { left: *self, right: *other }) }
    }
}

/// Makes MinHash signatures; holds the scratch space, so keep one a thread.
///
/// After the first text, [`sign_into`](Self::sign_into) allocates nothing unless a text is longer than all before.
///
/// ```
/// use retold::{MinHasher, Scheme, Shingle};
///
/// let mut hasher = MinHasher::new(Scheme::minhash(Shingle::Words(2)))?;
/// let left = hasher.sign("the old ferry across the bay leaves at nine").unwrap();
/// let right = hasher.sign("the old ferry across the bay leaves at ten").unwrap();
/// assert!((left.similarity(&right)? - 7.0 / 9.0).abs() < 0.15);
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MinHasher {
    scheme: Scheme,
    elements: Vec<u64>,
    words: Scratch,
}

impl MinHasher {
    /// Takes the scheme of the signatures to be made.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a number of slots that is not a power of two from 16 to 1024, or for an impossible
    /// shingle; [`Error::Scheme`] for a SimHash scheme.
    pub fn new(scheme: Scheme) -> Result<Self> {
        scheme.check(Method::MinHash)?;
        Ok(Self { scheme, elements: Vec::new(), words: Scratch::default() })
    }

    #[doc(hidden)]
    pub fn on(self, backend: Backend) -> Self {
        Self { words: Scratch::new(Arch::new(backend)), ..self }
    }

    /// The scheme of the signatures that this makes.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The signature of a text's shingles; none if the text is shorter than one shingle, or if the scheme is weighted.
    pub fn sign(&mut self, text: &str) -> Option<MinHash> {
        let mut signature = self.blank();
        self.sign_into(text, &mut signature).then_some(signature)
    }

    /// Overwrites a signature with that of a text's shingles, reusing its space. Returns false, and leaves the signature
    /// as it was, if the text is shorter than one shingle or the scheme is weighted.
    pub fn sign_into(&mut self, text: &str, signature: &mut MinHash) -> bool {
        let Some(shingle) = self.scheme.shingle() else { return false };
        self.elements.clear();
        shingle::collect(text, shingle, &mut self.words, &mut self.elements);
        self.sketch_into(&self.elements, signature)
    }

    /// The signatures of many texts, in their order, made by all threads of the current rayon pool: of each text what
    /// [`sign`](Self::sign) gives, however many threads there are.
    ///
    /// Each thread has its own scratch space; nothing is shared and nothing locked.
    ///
    /// ```
    /// use retold::{MinHasher, Scheme, Shingle};
    ///
    /// let hasher = MinHasher::new(Scheme::minhash(Shingle::Words(2)))?;
    /// let signatures = hasher.sign_all(&["the old ferry leaves at nine", "ferry", "the old ferry leaves at ten"]);
    /// assert_eq!(signatures.len(), 3);
    /// assert_eq!(signatures[1], None);
    /// # Ok::<(), retold::Error>(())
    /// ```
    pub fn sign_all<T: AsRef<str> + Sync>(&self, texts: &[T]) -> Vec<Option<MinHash>> {
        let Some(shingle) = self.scheme.shingle() else { return vec![None; texts.len()] };
        let arch = self.words.arch();
        shingle::map_all(texts, shingle, arch, |shingles| self.of(shingles))
    }

    /// The signature of a shingle set; none for an empty set. The same as that of the text the set is of.
    ///
    /// # Errors
    /// [`Error::Scheme`] if the set is of other shingles than the scheme.
    pub fn signature(&mut self, set: &ShingleSet) -> Result<Option<MinHash>> {
        self.scheme.same_as(&Scheme { view: View::Shingles(set.shingle()), ..self.scheme })?;
        self.elements.clear();
        self.elements.extend_from_slice(set.hashes());
        Ok(self.of(&self.elements))
    }

    /// The signature of weighted elements, which estimates the weighted Jaccard similarity Σ min(v, w) / Σ max(v, w).
    /// Elements must be well-mixed hashes; an element of weight w counts as w elements, so weights are best small (1 to
    /// 16). None if all weights are 0.
    ///
    /// # Errors
    /// [`Error::Scheme`] if the scheme is one of shingles, [`Error::OutOfRange`] for a weight above 255.
    pub fn weighted(&mut self, elements: impl IntoIterator<Item = (u64, u32)>) -> Result<Option<MinHash>> {
        let mut signature = self.blank();
        Ok(self.weighted_into(elements, &mut signature)?.then_some(signature))
    }

    /// Overwrites a signature with that of [weighted](Self::weighted) elements, reusing its space. False, with the
    /// signature as it was, if all weights are 0.
    ///
    /// # Errors
    /// As [`weighted`](Self::weighted).
    pub fn weighted_into(
        &mut self,
        elements: impl IntoIterator<Item = (u64, u32)>,
        signature: &mut MinHash,
    ) -> Result<bool> {
        self.scheme.same_as(&Scheme { view: View::Weighted, ..self.scheme })?;
        self.elements.clear();
        for (element, weight) in elements {
            error::check("weight of a MinHash element", weight, 0, 255, "0 to 255")?;
            self.elements.extend((0..weight).map(|copy| weighted_element(element, copy)));
        }
        Ok(self.sketch_into(&self.elements, signature))
    }

    fn of(&self, elements: &[u64]) -> Option<MinHash> {
        let mut signature = self.blank();
        self.sketch_into(elements, &mut signature).then_some(signature)
    }

    fn sketch_into(&self, elements: &[u64], signature: &mut MinHash) -> bool {
        if elements.is_empty() {
            return false;
        }
        if signature.scheme != self.scheme {
            *signature = self.blank();
        }
        sketch(self.words.arch(), elements, &mut signature.slots);
        true
    }

    fn blank(&self) -> MinHash {
        MinHash { scheme: self.scheme, slots: vec![0; self.scheme.slot_count()].into() }
    }
}

/// The `copy`-th stand-in of a weighted element; the first is the element itself.
#[inline(always)]
pub(crate) fn weighted_element(element: u64, copy: u32) -> u64 {
    if copy == 0 { element } else { mix(element ^ u64::from(copy) << 48) }
}

/// Fills `slots` (a power of two of them) from well-mixed elements, repeats allowed; at least one element.
pub(crate) fn sketch(arch: Arch, elements: &[u64], slots: &mut [u32]) {
    debug_assert!(!elements.is_empty() && slots.len().is_power_of_two());
    let t = slots.len();
    slots.fill(EMPTY);
    for round in 0..t {
        arch.run(PlayRound { round, elements, slots: &mut *slots });
        if !slots.contains(&EMPTY) {
            return;
        }
    }
    // Rounds t to 2t visit one slot each, with every element; a slot filled in an earlier round holds less already.
    for (at, slot) in slots.iter_mut().enumerate().filter(|(_, slot)| **slot == EMPTY) {
        let round = t + at;
        *slot = elements.iter().map(|&element| code(round, rehash(element, round))).min().unwrap_or(EMPTY);
    }
}

/// Lets each element fall into a slot: the low bits of its hash choose the slot, the high ones are the value.
struct PlayRound<'a> {
    round: usize,
    elements: &'a [u64],
    slots: &'a mut [u32],
}

impl Work for PlayRound<'_> {
    type Output = ();

    #[inline(always)]
    fn work(self) {
        let Self { round, elements, slots } = self;
        let mask = slots.len() - 1;
        let fall = |slots: &mut [u32], hash: u64| {
            let slot = &mut slots[hash as usize & mask];
            *slot = (*slot).min(code(round, hash));
        };
        if round == 0 {
            elements.iter().for_each(|&element| fall(slots, element));
            return;
        }
        // Hashes by the vector; then only those go on that meet a slot which the rounds before left empty, for what these
        // put down is less than anything of this round. Most slots are full by now.
        let least = code(round, 0);
        let mut hashes = [0; 64];
        for elements in elements.chunks(64) {
            for (hash, &element) in hashes.iter_mut().zip(elements) {
                *hash = rehash(element, round);
            }
            let mut open = 0;
            for at in 0..elements.len() {
                let hash = hashes[at];
                hashes[open % 64] = hash;
                open += usize::from(slots[hash as usize & mask] >= least);
            }
            hashes[..open].iter().for_each(|&hash| fall(slots, hash));
        }
    }
}

const EMPTY: u32 = u32::MAX;

/// The hash of an element for a round; round 0 takes the element itself.
#[inline(always)]
fn rehash(element: u64, round: usize) -> u64 {
    mix(element.wrapping_add((round as u64).wrapping_mul(0xd1b5_4a32_d192_ed03)))
}

/// Packs (round, value) into 32 bits so that the order of the codes is the order of the pairs.
///
/// A prefix code: round 0 has the lower half of all numbers and 31 bits of value; rounds 1 and 2 share the next quarter,
/// rounds 3 to 6 the next eighth, and so on (Elias gamma). Late rounds, which only very short texts reach, have fewer bits
/// of value, but there the round itself tells elements apart.
#[inline(always)]
fn code(round: usize, hash: u64) -> u32 {
    let value = (hash >> 32) as u32;
    if round == 0 {
        return value >> 1;
    }
    let round = round as u32 + 1;
    let level = round.ilog2();
    // `level` ones and a zero, then the round's lower `level` bits, then the value's high bits.
    let ones = !(u32::MAX >> level);
    let within = (round & !(1 << level)) << (31 - 2 * level);
    let code = ones | within | value >> (2 * level + 1);
    code.min(EMPTY - 1)
}

/// A MinHash signature: 16 to 1024 slots of 4 bytes.
///
/// ```
/// use retold::{MinHasher, Scheme, Shingle};
///
/// let mut hasher = MinHasher::new(Scheme::minhash(Shingle::Words(1)))?;
/// let mut left = hasher.sign("alpha beta gamma").unwrap();
/// let right = hasher.sign("gamma delta").unwrap();
/// let union = hasher.sign("alpha beta gamma delta").unwrap();
/// left.merge(&right)?;
/// assert_eq!(left, union);
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "Serialized", into = "Serialized")
)]
pub struct MinHash {
    scheme: Scheme,
    slots: Box<[u32]>,
}

impl MinHash {
    /// How this signature was made.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The slots. Equal sets have equal slots, of which bands are made.
    pub fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// The share of equal slots, 0 to 1: an unbiased estimate of the Jaccard similarity of the two sets.
    ///
    /// # Errors
    /// [`Error::Scheme`] if the two were made in different ways.
    pub fn similarity(&self, other: &Self) -> Result<f64> {
        self.scheme.same_as(&other.scheme)?;
        Ok(shingle::ratio(equal_slots(&self.slots, &other.slots), self.slots.len()))
    }

    /// Makes this the signature of the union of the two sets.
    ///
    /// # Errors
    /// [`Error::Scheme`] if the two were made in different ways.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        self.scheme.same_as(&other.scheme)?;
        for (slot, &theirs) in self.slots.iter_mut().zip(&other.slots) {
            *slot = (*slot).min(theirs);
        }
        Ok(())
    }
}

impl MinHash {
    /// The signature as bytes that every platform and every release of one [`FORMAT_VERSION`](crate::FORMAT_VERSION) reads: 12 bytes
    /// that say how it was made, and 4 for each slot.
    ///
    /// ```
    /// use retold::{MinHash, MinHasher, Scheme, Shingle};
    ///
    /// let mut hasher = MinHasher::new(Scheme::minhash(Shingle::Words(2)).slots(64))?;
    /// let signature = hasher.sign("the old ferry across the bay leaves at nine").unwrap();
    /// let bytes = signature.to_bytes();
    /// assert_eq!((bytes.len(), MinHash::from_bytes(&bytes)?), (12 + 4 * 64, signature));
    /// let refused = MinHash::from_bytes(&bytes[1..]).unwrap_err();
    /// assert_eq!(refused.to_string(), "not a valid signature: it does not begin with `rtld`; sign the text again");
    /// # Ok::<(), retold::Error>(())
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let slots = self.slots.iter().flat_map(|slot| slot.to_le_bytes());
        wire::header(&self.scheme).into_iter().chain(slots).collect()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`Error::Version`] if another format version wrote it, [`Error::Scheme`] if it is a SimHash, and [`Error::Corrupt`] or
    /// [`Error::OutOfRange`] if nothing of this crate wrote it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (scheme, rest) = wire::read(bytes)?;
        let (slots, odd) = rest.as_chunks::<4>();
        if !odd.is_empty() {
            return Err(Error::Corrupt { what: "it does not end with a whole slot" });
        }
        Self::checked(scheme, slots.iter().map(|&slot| u32::from_le_bytes(slot)).collect())
    }

    /// A signature that was read: nobody has looked at it yet.
    fn checked(scheme: Scheme, slots: Box<[u32]>) -> Result<Self> {
        scheme.check(Method::MinHash)?;
        if slots.len() != scheme.slot_count() {
            return Err(Error::Corrupt { what: "its number of slots is not that of its scheme" });
        }
        if slots.contains(&EMPTY) {
            return Err(Error::Corrupt { what: "it has an empty slot" });
        }
        Ok(Self { scheme, slots })
    }
}

/// The number of slots in which two sketches agree.
#[inline]
pub(crate) fn equal_slots(left: &[u32], right: &[u32]) -> usize {
    left.iter().zip(right).map(|(a, b)| u32::from(a == b)).sum::<u32>() as usize
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Serialized {
    version: u8,
    scheme: Scheme,
    slots: Vec<u32>,
}

#[cfg(feature = "serde")]
impl From<MinHash> for Serialized {
    fn from(signature: MinHash) -> Self {
        Self { version: crate::FORMAT_VERSION, scheme: signature.scheme, slots: signature.slots.into_vec() }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Serialized> for MinHash {
    type Error = Error;

    fn try_from(read: Serialized) -> Result<Self> {
        if read.version != crate::FORMAT_VERSION {
            return Err(Error::Version { found: read.version });
        }
        Self::checked(read.scheme, read.slots.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn hasher(slots: u16) -> MinHasher {
        MinHasher::new(Scheme::weighted_minhash().slots(slots)).unwrap()
    }

    fn of(elements: impl IntoIterator<Item = u64>, slots: u16) -> MinHash {
        hasher(slots).weighted(elements.into_iter().map(|x| (mix(x), 1))).unwrap().unwrap()
    }

    #[test]
    fn codes_keep_the_order_of_rounds_and_values() {
        let hashes = [0, 1 << 40, 1 << 62, u64::MAX];
        let pairs: Vec<_> = (0..2048).flat_map(|round| hashes.map(|hash| code(round, hash))).collect();
        assert!(pairs.windows(2).all(|pair| pair[0] <= pair[1] && pair[1] < EMPTY));
        let rounds: Vec<_> = (0..2048).map(|round| (code(round, 0), code(round, u64::MAX))).collect();
        assert!(rounds.windows(2).all(|pair| pair[0].1 < pair[1].0), "rounds overlap");
    }

    #[test]
    fn impossible_numbers_of_slots_are_refused() {
        for slots in [0, 8, 100, 2048] {
            let refused = MinHasher::new(Scheme::weighted_minhash().slots(slots)).unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!("slots = {slots} is out of range: give a power of two from 16 to 1024")
            );
        }
    }

    #[test]
    fn different_schemes_do_not_compare() {
        assert!(matches!(of(0..9, 64).similarity(&of(0..9, 128)), Err(Error::Scheme { .. })));
        let mut words = MinHasher::new(Scheme::minhash(Shingle::Words(2))).unwrap();
        let mut chars = MinHasher::new(Scheme::minhash(Shingle::Chars(2))).unwrap();
        let refused = words.sign("a b c").unwrap().similarity(&chars.sign("a b c").unwrap());
        assert!(matches!(refused, Err(Error::Scheme { .. })));
        assert!(matches!(MinHasher::new(Scheme::simhash(Shingle::Words(2))), Err(Error::Scheme { .. })));
    }

    #[test]
    fn too_short_texts_have_no_signature() {
        let mut hasher = MinHasher::new(Scheme::minhash(Shingle::Words(3))).unwrap();
        assert_eq!(hasher.sign(""), None);
        assert_eq!(hasher.sign("two words"), None);
        assert!(hasher.sign("now three words").is_some());
    }

    #[test]
    fn the_estimate_is_unbiased_and_no_worse_than_classic_minhash() {
        // Seeded: fixed element numbers. Over many pairs of sets the mean of the estimates stays within five standard
        // errors of the truth, and the mean squared error within that of classic MinHash, plus its own uncertainty.
        const TRIALS: u64 = 400;
        const SLOTS: u16 = 128;
        for (common, each) in [(4u64, 4u64), (30, 15), (200, 50), (900, 50), (50, 450)] {
            let truth = common as f64 / (common + 2 * each) as f64;
            let (mut sum, mut squared) = (0.0, 0.0);
            for trial in 0..TRIALS {
                let base = trial << 32 | each << 20;
                let both = base..base + common;
                let left = of(both.clone().chain(base + common..base + common + each), SLOTS);
                let right = of(both.chain(base + common + each..base + common + 2 * each), SLOTS);
                let error = left.similarity(&right).unwrap() - truth;
                sum += error;
                squared += error * error;
            }
            let n = TRIALS as f64;
            let classic = truth * (1.0 - truth) / f64::from(SLOTS);
            assert!((sum / n).abs() < 5.0 * (classic / n).sqrt(), "bias {} at J = {truth}", sum / n);
            let bound = classic * (1.0 + 5.0 * (2.0 / n).sqrt());
            assert!(squared / n < bound, "squared error {} above {bound} at J = {truth}", squared / n);
        }
    }

    /// The slow exact way: of all that every round puts into a slot the least.
    fn least_codes(elements: &[u64], slots: usize) -> Vec<u32> {
        let mut least = vec![EMPTY; slots];
        for (round, &element) in (0..2 * slots).flat_map(|round| elements.iter().map(move |element| (round, element))) {
            let hash = if round == 0 { element } else { rehash(element, round) };
            let slot = if round < slots { hash as usize % slots } else { round - slots };
            least[slot] = least[slot].min(code(round, hash));
        }
        least
    }

    proptest! {
        #[test]
        fn every_backend_keeps_the_least_of_all_rounds(
            elements in prop::collection::vec(any::<u64>(), 1..300), exponent in 4u32..11,
        ) {
            let expected = least_codes(&elements, 1 << exponent);
            for backend in Backend::available() {
                let mut slots = vec![7; 1 << exponent];
                sketch(Arch::new(backend), &elements, &mut slots);
                prop_assert_eq!(&slots, &expected, "{:?}", backend);
            }
        }

        #[test]
        fn order_and_repeats_do_not_matter(mut elements in prop::collection::vec(0u64..500, 1..300)) {
            let once = of(elements.iter().copied(), 64);
            elements.reverse();
            let again = elements.clone();
            elements.extend(again);
            prop_assert_eq!(of(elements, 64), once);
        }

        #[test]
        fn merging_is_the_union(left in prop::collection::hash_set(0u64..400, 1..200), right in prop::collection::hash_set(0u64..400, 1..200)) {
            let mut merged = of(left.iter().copied(), 128);
            merged.merge(&of(right.iter().copied(), 128))?;
            let union: HashSet<_> = left.union(&right).copied().collect();
            prop_assert_eq!(merged, of(union, 128));
        }

        #[test]
        fn a_weight_is_that_many_elements(weights in prop::collection::vec((any::<u64>(), 0u32..9), 1..40)) {
            let total: u32 = weights.iter().map(|&(_, weight)| weight).sum();
            let signature = hasher(32).weighted(weights.iter().copied())?;
            prop_assert_eq!(signature.is_some(), total > 0);
            let more = hasher(32).weighted(weights.iter().map(|&(element, weight)| (element, weight + 1)))?;
            if let (Some(mut less), Some(more)) = (signature, more) {
                less.merge(&more)?;
                prop_assert_eq!(less, more, "a larger weight holds the smaller one");
            }
        }

        #[test]
        fn a_text_signs_as_its_shingle_set(text in "([a-e]{1,3} ){3,50}", n in 1u8..4) {
            let mut hasher = MinHasher::new(Scheme::minhash(Shingle::Words(n)))?;
            let set = ShingleSet::new(&text, Shingle::Words(n))?;
            prop_assert_eq!(hasher.sign(&text), hasher.signature(&set)?);
        }
    }
}
