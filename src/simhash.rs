//! SimHash signatures, and an index that finds all of them within a Hamming distance.
//!
//! Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002; the index is that of Manku, Jain and
//! Das Sarma, "Detecting near-duplicates for web crawling", WWW 2007: cut the 64 bits into more blocks than bits may
//! differ, then some blocks are equal.

use ahash::{HashMap, HashMapExt};
use smallvec::SmallVec;

use crate::arch::{Arch, Backend};
use crate::error::{self, Error, Result};
use crate::scheme::{Method, Scheme};
use crate::shingle::{self, ShingleSet};
use crate::text::Scratch;
use crate::wire;

/// Counts, for each of 64 bit positions, the weight of the elements that have it: adders side by side, one plane of 64
/// bits for each binary digit of the counts, instead of 64 counters.
#[derive(Clone, Debug)]
struct Counters {
    planes: [u64; 40],
    total: u64,
}

impl Counters {
    fn new() -> Self {
        Self { planes: [0; 40], total: 0 }
    }

    #[inline(always)]
    fn add(&mut self, bits: u64, weight: u32) {
        self.total += u64::from(weight);
        let mut left = weight;
        while left != 0 {
            self.carry(bits, left.trailing_zeros() as usize);
            left &= left - 1;
        }
    }

    /// Adds elements of weight 1, eight at a time: full adders make the carries of eight elements into one.
    fn add_all(&mut self, elements: &[u64]) {
        self.total += elements.len() as u64;
        let (eights, rest) = elements.as_chunks::<8>();
        let [mut ones, mut twos, mut fours] = [self.planes[0], self.planes[1], self.planes[2]];
        for &[a, b, c, d, e, f, g, h] in eights {
            let (first, second) = (full_add(&mut ones, a, b), full_add(&mut ones, c, d));
            let (third, fourth) = (full_add(&mut ones, e, f), full_add(&mut ones, g, h));
            let low = full_add(&mut twos, first, second);
            let high = full_add(&mut twos, third, fourth);
            let eight = full_add(&mut fours, low, high);
            self.carry(eight, 3);
        }
        self.planes[..3].copy_from_slice(&[ones, twos, fours]);
        rest.iter().for_each(|&bits| self.carry(bits, 0));
    }

    /// Adds `bits` at one binary digit. A count stays under 2^40: more elements than a text of 4 GiB has, each of the
    /// largest weight that [`SimHasher::weighted`] takes, do not reach it.
    #[inline(always)]
    fn carry(&mut self, mut bits: u64, digit: usize) {
        for plane in &mut self.planes[digit..] {
            let both = *plane & bits;
            *plane ^= bits;
            bits = both;
            if bits == 0 {
                break;
            }
        }
    }

    /// The positions whose count is more than half of the total; decided digit by digit from the highest.
    fn majority(&self) -> u64 {
        let half = self.total / 2;
        let (mut more, mut equal) = (0u64, u64::MAX);
        for (digit, &plane) in self.planes.iter().enumerate().rev() {
            let half_has = if half >> digit & 1 == 1 { u64::MAX } else { 0 };
            more |= equal & plane & !half_has;
            equal &= !(plane ^ half_has);
        }
        more
    }
}

/// Adds three numbers of one binary digit, at 64 positions at once: the digit goes into `sum`, the carry is returned.
#[inline(always)]
fn full_add(sum: &mut u64, a: u64, b: u64) -> u64 {
    let either = *sum ^ a;
    let carry = *sum & a | either & b;
    *sum = either ^ b;
    carry
}

/// Makes SimHash signatures; holds the scratch space, so keep one a thread.
///
/// ```
/// use retold::{Scheme, Shingle, SimHasher};
///
/// let mut hasher = SimHasher::new(Scheme::simhash(Shingle::Words(1)))?;
/// let left = hasher.sign("the old ferry across the bay leaves at nine every day").unwrap();
/// let right = hasher.sign("the old ferry across the bay leaves at ten every day").unwrap();
/// assert!(left.distance(&right)? < 24);
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SimHasher {
    scheme: Scheme,
    elements: Vec<u64>,
    words: Scratch,
}

impl SimHasher {
    /// Takes the scheme of the signatures to be made.
    ///
    /// # Errors
    /// [`Error::Scheme`] for a MinHash scheme, [`Error::OutOfRange`] for an impossible shingle.
    pub fn new(scheme: Scheme) -> Result<Self> {
        scheme.check(Method::SimHash)?;
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

    /// The signature of a text's shingles, each weighted by how often it occurs; none if the text is shorter than one
    /// shingle, or if the scheme is weighted.
    pub fn sign(&mut self, text: &str) -> Option<SimHash> {
        self.elements.clear();
        shingle::collect(text, self.scheme.shingle()?, &mut self.words, &mut self.elements);
        self.of(&self.elements)
    }

    /// The signatures of many texts, in their order, made by all threads of the current rayon pool: of each text what
    /// [`sign`](Self::sign) gives, however many threads there are.
    pub fn sign_all<T: AsRef<str> + Sync>(&self, texts: &[T]) -> Vec<Option<SimHash>> {
        let Some(shingle) = self.scheme.shingle() else { return vec![None; texts.len()] };
        shingle::map_all(texts, shingle, self.words.arch(), |shingles| self.of(shingles))
    }

    /// The signature of a set of shingles, each of weight 1; none for an empty set.
    ///
    /// # Errors
    /// [`Error::Scheme`] if the set is of other shingles than the scheme.
    pub fn signature(&mut self, set: &ShingleSet) -> Result<Option<SimHash>> {
        self.scheme.same_as(&Scheme::simhash(set.shingle()))?;
        Ok(self.of(set.hashes()))
    }

    /// The signature of weighted elements, which must be well-mixed hashes; none if all weights are 0.
    ///
    /// # Errors
    /// [`Error::Scheme`] if the scheme is one of shingles; [`Error::OutOfRange`] for a weight above 255.
    pub fn weighted(&mut self, elements: impl IntoIterator<Item = (u64, u32)>) -> Result<Option<SimHash>> {
        self.scheme.same_as(&Scheme::weighted_simhash())?;
        let mut counters = Counters::new();
        for (element, weight) in elements {
            error::check("weight of a SimHash element", weight, 0, 255, "0 to 255")?;
            counters.add(element, weight);
        }
        Ok(self.finish(&counters))
    }

    fn of(&self, elements: &[u64]) -> Option<SimHash> {
        let mut counters = Counters::new();
        counters.add_all(elements);
        self.finish(&counters)
    }

    fn finish(&self, counters: &Counters) -> Option<SimHash> {
        (counters.total > 0).then(|| SimHash { scheme: self.scheme, bits: counters.majority() })
    }
}

/// A SimHash signature of 64 bits: a bit is set where more than half of the weight has it set.
///
/// ```
/// let mut hasher = retold::SimHasher::new(retold::Scheme::weighted_simhash())?;
/// let signature = hasher.weighted([(0b0111, 2), (0b1101, 1), (0b1000, 1)])?.unwrap();
/// assert_eq!(signature.bits(), 0b0101);
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "Serialized", into = "Serialized")
)]
pub struct SimHash {
    scheme: Scheme,
    bits: u64,
}

impl SimHash {
    /// How this signature was made.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The 64 bits.
    pub fn bits(&self) -> u64 {
        self.bits
    }

    /// The signature as 20 bytes that every platform and every release of one [`FORMAT_VERSION`](crate::FORMAT_VERSION) reads: 12
    /// that say how it was made, and 8 with its bits.
    ///
    /// ```
    /// use retold::{Scheme, Shingle, SimHash, SimHasher};
    ///
    /// let mut hasher = SimHasher::new(Scheme::simhash(Shingle::Words(2)))?;
    /// let signature = hasher.sign("the old ferry across the bay leaves at nine").unwrap();
    /// assert_eq!(SimHash::from_bytes(&signature.to_bytes())?, signature);
    /// # Ok::<(), retold::Error>(())
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        [&wire::header(&self.scheme)[..], &self.bits.to_le_bytes()].concat()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`Error::Version`] if another format version wrote it, [`Error::Scheme`] if it is a MinHash, and [`Error::Corrupt`] or
    /// [`Error::OutOfRange`] if nothing of this crate wrote it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (scheme, bits) = wire::read(bytes)?;
        scheme.check(Method::SimHash)?;
        let bits = bits.try_into().map_err(|_| Error::Corrupt { what: "it does not have 64 bits" })?;
        Ok(Self { scheme, bits: u64::from_le_bytes(bits) })
    }

    /// The Hamming distance, 0 to 64. The angle between the two weight vectors is about π·distance/64.
    ///
    /// # Errors
    /// [`Error::Scheme`] if the two were made in different ways.
    pub fn distance(&self, other: &Self) -> Result<u32> {
        self.scheme.same_as(&other.scheme)?;
        Ok((self.bits ^ other.bits).count_ones())
    }
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Serialized {
    version: u8,
    scheme: Scheme,
    bits: u64,
}

#[cfg(feature = "serde")]
impl From<SimHash> for Serialized {
    fn from(signature: SimHash) -> Self {
        Self { version: crate::FORMAT_VERSION, scheme: signature.scheme, bits: signature.bits }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Serialized> for SimHash {
    type Error = Error;

    fn try_from(read: Serialized) -> Result<Self> {
        if read.version != crate::FORMAT_VERSION {
            return Err(Error::Version { found: read.version });
        }
        read.scheme.check(Method::SimHash)?;
        Ok(Self { scheme: read.scheme, bits: read.bits })
    }
}

/// Finds every SimHash within a Hamming distance, without comparing with all.
///
/// Up to distance 6 the bits are cut into two blocks more than may differ, so that two blocks at least are equal and each
/// pair of blocks is a table; above that into one block more. A look-up costs one probe a table and a comparison for each
/// signature found there: 10 tables of 25 or 26 bits at distance 3. Results are exact.
///
/// ```
/// use retold::{Scheme, Shingle, SimHasher, SimHashIndex};
///
/// let mut hasher = SimHasher::new(Scheme::simhash(Shingle::Words(2)))?;
/// let signature = hasher.sign("the old ferry across the bay").unwrap();
/// let mut index = SimHashIndex::new(3)?;
/// index.insert(7, &signature)?;
/// assert_eq!(index.within(&signature)?, [(7, 0)]);
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SimHashIndex {
    distance: u32,
    masks: Vec<u64>,
    tables: HashMap<(u16, u64), SmallVec<[u32; 4]>>,
    signatures: HashMap<u32, SimHash>,
    scheme: Option<Scheme>,
}

impl SimHashIndex {
    /// An empty index for look-ups within `distance` bits.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a distance above 16.
    pub fn new(distance: u32) -> Result<Self> {
        error::check("Hamming distance", distance, 0, 16, "0 to 16")?;
        let pairs = distance <= 6;
        let blocks = distance + if pairs { 2 } else { 1 };
        let block = |i: u32| {
            let (from, to) = (64 * i / blocks, 64 * (i + 1) / blocks);
            (u64::MAX >> (64 - (to - from))) << from
        };
        let masks = if pairs {
            (0..blocks).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| block(i) | block(j)).collect()
        } else {
            (0..blocks).map(block).collect()
        };
        Ok(Self { distance, masks, tables: HashMap::new(), signatures: HashMap::new(), scheme: None })
    }

    /// Adds a signature under an id.
    ///
    /// # Errors
    /// [`Error::DuplicateId`] if the id is there already, [`Error::Scheme`] if the signature was made in another way than
    /// those before.
    pub fn insert(&mut self, id: u32, signature: &SimHash) -> Result<()> {
        self.scheme.get_or_insert(signature.scheme).same_as(&signature.scheme)?;
        if self.signatures.contains_key(&id) {
            return Err(Error::DuplicateId { id });
        }
        self.signatures.insert(id, *signature);
        for (table, mask) in (0..).zip(&self.masks) {
            self.tables.entry((table, signature.bits & mask)).or_default().push(id);
        }
        Ok(())
    }

    /// Takes a signature out; false if the id is not there.
    pub fn remove(&mut self, id: u32) -> bool {
        let Some(signature) = self.signatures.remove(&id) else { return false };
        for (table, mask) in (0..).zip(&self.masks) {
            let key = (table, signature.bits & mask);
            if let Some(bucket) = self.tables.get_mut(&key) {
                bucket.retain(|&mut other| other != id);
                if bucket.is_empty() {
                    self.tables.remove(&key);
                }
            }
        }
        true
    }

    /// All ids within the distance, each with its distance, ascending by id.
    ///
    /// # Errors
    /// [`Error::Scheme`] if the signature was made in another way than those in the index.
    pub fn within(&self, signature: &SimHash) -> Result<Vec<(u32, u32)>> {
        if let Some(scheme) = &self.scheme {
            scheme.same_as(&signature.scheme)?;
        }
        let mut found = Vec::new();
        for (table, mask) in (0..).zip(&self.masks) {
            for id in self.tables.get(&(table, signature.bits & mask)).into_iter().flatten() {
                let distance = (self.signatures[id].bits ^ signature.bits).count_ones();
                if distance <= self.distance {
                    found.push((*id, distance));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// The number of signatures.
    pub fn len(&self) -> usize {
        self.signatures.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.signatures.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shingle;
    use crate::hash::mix;
    use proptest::prelude::*;

    fn of(elements: impl IntoIterator<Item = (u64, u32)>) -> Option<SimHash> {
        SimHasher::new(Scheme::weighted_simhash()).unwrap().weighted(elements).unwrap()
    }

    fn raw(bits: u64) -> SimHash {
        SimHash { scheme: Scheme::weighted_simhash(), bits }
    }

    proptest! {
        #[test]
        fn the_bits_are_those_of_64_plain_counters(elements in prop::collection::vec((any::<u64>(), 0u32..256), 0..120)) {
            let total: u32 = elements.iter().map(|&(_, weight)| weight).sum();
            let bits = (0..64).fold(0u64, |bits, bit| {
                let count: u32 = elements.iter().map(|&(element, weight)| (element >> bit & 1) as u32 * weight).sum();
                bits | u64::from(2 * count > total) << bit
            });
            prop_assert_eq!(of(elements).map(|signature| signature.bits()), (total > 0).then_some(bits));
        }

        #[test]
        fn eight_at_a_time_is_one_at_a_time(elements in prop::collection::vec(any::<u64>(), 0..300)) {
            let (mut one, mut all) = (Counters::new(), Counters::new());
            elements.iter().for_each(|&element| one.add(element, 1));
            all.add_all(&elements);
            prop_assert_eq!((one.planes, one.total), (all.planes, all.total));
        }

        #[test]
        fn the_index_finds_exactly_what_a_scan_finds(
            base in any::<u64>(), flips in prop::collection::vec(prop::collection::vec(0u32..64, 0..20), 1..40),
            distance in 0u32..=16, removed in 0u32..40,
        ) {
            let mut index = SimHashIndex::new(distance)?;
            let all: Vec<_> = flips.iter().map(|flips| raw(flips.iter().fold(base, |bits, flip| bits ^ 1 << flip))).collect();
            for (id, signature) in (0..).zip(&all) {
                index.insert(id, signature)?;
            }
            prop_assert_eq!(index.remove(removed), (removed as usize) < all.len());
            let scan: Vec<_> = (0..).zip(&all)
                .map(|(id, signature)| (id, (signature.bits ^ base).count_ones()))
                .filter(|&(id, d)| d <= distance && id != removed)
                .collect();
            prop_assert_eq!(index.within(&raw(base))?, scan);
        }
    }

    #[test]
    fn the_distance_estimates_the_angle() {
        // Seeded. Two sets of 300 elements of which 200 are common: cosine 2/3, so 64 · acos(2/3) / π = 17.1 bits
        // differ on average; over 200 pairs the mean lies within five standard errors.
        let trials = 200;
        let mut sum = 0;
        for trial in 0..trials {
            let set = |from: u64| (from..from + 300).map(move |x| (mix(trial << 32 | x), 1));
            sum += of(set(0)).unwrap().distance(&of(set(100)).unwrap()).unwrap();
        }
        let share = (2.0f64 / 3.0).acos() / std::f64::consts::PI;
        let error = 5.0 * (64.0 * share * (1.0 - share) / trials as f64).sqrt();
        assert!((f64::from(sum) / trials as f64 - 64.0 * share).abs() < error, "{sum}");
    }

    #[test]
    fn impossible_options_and_mixed_schemes_are_refused() {
        assert!(matches!(SimHashIndex::new(17), Err(Error::OutOfRange { .. })));
        assert!(matches!(SimHasher::new(Scheme::minhash(Shingle::Words(2))), Err(Error::Scheme { .. })));
        let words = SimHasher::new(Scheme::simhash(Shingle::Words(1))).unwrap().sign("one two").unwrap();
        assert!(matches!(words.distance(&raw(0)), Err(Error::Scheme { .. })));
        let mut index = SimHashIndex::new(3).unwrap();
        index.insert(1, &raw(5)).unwrap();
        assert!(matches!(index.insert(1, &raw(6)), Err(Error::DuplicateId { id: 1 })));
        assert!(matches!(index.insert(2, &words), Err(Error::Scheme { .. })));
        assert_eq!(SimHasher::new(Scheme::simhash(Shingle::Words(3))).unwrap().sign("two words"), None);
    }
}
