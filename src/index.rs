//! An index of signatures that grows and shrinks: insert, look up candidates, remove.

use ahash::{HashMap, HashMapExt};
use smallvec::SmallVec;

use crate::bands::Bands;
use crate::error::{Error, Result};
use crate::minhash::MinHash;
use crate::scheme::Scheme;

/// Keeps signatures in buckets, one a band, and names those that share a bucket with a given one.
///
/// For articles that arrive one by one. A whole corpus at once is faster with a [`Detector`](crate::Detector), which
/// sorts instead. An insertion, a removal and a look-up each cost one probe a band; memory is about 24 bytes a band and
/// signature. A bucket holds all that share its key, so look-ups among many copies of one boilerplate text grow with
/// their number: fold exact copies first.
///
/// ```
/// use retold::{Bands, Index, MinHasher, Scheme, Shingle};
///
/// let mut hasher = MinHasher::new(Scheme::minhash(Shingle::Words(2)))?;
/// let mut index = Index::new(Bands::for_threshold(0.5, 128)?);
/// index.insert(1, &hasher.sign("the old ferry leaves the harbour at nine").unwrap())?;
/// index.insert(2, &hasher.sign("a new bridge was opened in the north").unwrap())?;
///
/// let query = hasher.sign("the old ferry leaves the harbour at ten").unwrap();
/// assert_eq!(index.candidates(&query)?, [1]);
/// assert!(index.remove(1));
/// assert!(index.candidates(&query)?.is_empty());
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Index {
    bands: Bands,
    scheme: Option<Scheme>,
    buckets: HashMap<u64, SmallVec<[u32; 2]>>,
    keys: HashMap<u32, Box<[u64]>>,
}

impl Index {
    /// An empty index whose buckets are made by these bands. The first signature inserted decides the scheme.
    pub fn new(bands: Bands) -> Self {
        Self { bands, scheme: None, buckets: HashMap::new(), keys: HashMap::new() }
    }

    /// Adds a signature under an id.
    ///
    /// # Errors
    /// [`Error::DuplicateId`] if the id is there already, [`Error::Scheme`] if the signature was made in another way than
    /// those before, [`Error::TooFewSlots`] if it has fewer slots than the bands read.
    pub fn insert(&mut self, id: u32, signature: &MinHash) -> Result<()> {
        self.check(signature)?;
        if self.keys.contains_key(&id) {
            return Err(Error::DuplicateId { id });
        }
        self.scheme = Some(signature.scheme());
        let keys: Box<[u64]> = self.bands.keys(signature.slots()).collect();
        for &key in &keys {
            self.buckets.entry(key).or_default().push(id);
        }
        self.keys.insert(id, keys);
        Ok(())
    }

    /// Takes a signature out; false if the id is not there.
    pub fn remove(&mut self, id: u32) -> bool {
        let Some(keys) = self.keys.remove(&id) else { return false };
        for key in keys {
            if let Some(bucket) = self.buckets.get_mut(&key) {
                bucket.retain(|&mut other| other != id);
                if bucket.is_empty() {
                    self.buckets.remove(&key);
                }
            }
        }
        true
    }

    /// The ids that share a bucket with the signature, ascending, each once; not verified.
    ///
    /// # Errors
    /// [`Error::Scheme`] and [`Error::TooFewSlots`] as [`insert`](Self::insert).
    pub fn candidates(&self, signature: &MinHash) -> Result<Vec<u32>> {
        self.check(signature)?;
        let keys = self.bands.keys(signature.slots());
        let mut found: Vec<u32> = keys.filter_map(|key| self.buckets.get(&key)).flatten().copied().collect();
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    fn check(&self, signature: &MinHash) -> Result<()> {
        if let Some(scheme) = &self.scheme {
            scheme.same_as(&signature.scheme())?;
        }
        let (needed, found) = (self.bands.bands() * self.bands.rows(), signature.slots().len());
        if found < needed { Err(Error::TooFewSlots { needed, found }) } else { Ok(()) }
    }

    /// The number of signatures.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix;
    use crate::{MinHasher, Shingle};
    use proptest::prelude::*;

    fn of(elements: &[u64]) -> MinHash {
        let mut hasher = MinHasher::new(Scheme::weighted_minhash().slots(64)).unwrap();
        hasher.weighted(elements.iter().map(|&x| (mix(x), 1))).unwrap().unwrap()
    }

    proptest! {
        #[test]
        fn candidates_are_those_with_an_equal_band(
            sets in prop::collection::vec(prop::collection::vec(0u64..12, 1..8), 1..20), gone in 0u32..20,
        ) {
            let bands = Bands::new(16, 4)?;
            let mut index = Index::new(bands);
            let all: Vec<_> = sets.iter().map(|set| of(set)).collect();
            for (id, signature) in (0..).zip(&all) {
                index.insert(id, signature)?;
            }
            prop_assert_eq!(index.remove(gone), (gone as usize) < all.len());
            for query in &all {
                let equal: Vec<u32> = (0..).zip(&all)
                    .filter(|&(id, other)| id != gone
                        && query.slots().chunks(4).zip(other.slots().chunks(4)).any(|(a, b)| a == b))
                    .map(|(id, _)| id).collect();
                prop_assert_eq!(index.candidates(query)?, equal);
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut index = Index::new(Bands::new(16, 4).unwrap());
        index.insert(3, &of(&[1, 2])).unwrap();
        assert!(matches!(index.insert(3, &of(&[1])), Err(Error::DuplicateId { id: 3 })));
        let mut other = MinHasher::new(Scheme::minhash(Shingle::Words(1)).slots(64)).unwrap();
        assert!(matches!(index.insert(4, &other.sign("a").unwrap()), Err(Error::Scheme { .. })));
        let mut wide = Index::new(Bands::new(32, 4).unwrap());
        assert!(matches!(wide.insert(1, &of(&[1])), Err(Error::TooFewSlots { needed: 128, found: 64 })));
        assert_eq!(index.len(), 1);
    }
}
