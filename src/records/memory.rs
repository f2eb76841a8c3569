//! The newest records, which stand in the journal and in no segment yet.
//!
//! Only added to, in the order of their numbers, so that whoever knows how many there were at some time sees what was there then.

use std::hint::black_box;
use std::sync::Mutex;

use super::offsets::Dead;
use super::postings::spread;
use super::segment::{Content, Postings, chunk_of};
use crate::error::Result;

/// Nothing follows.
const END: u32 = u32::MAX;

/// The postings of one kind, and chains through all that have the first bits of a key in common, the latest first.
///
/// Chains are made when a key is looked up: who only adds does without them.
#[derive(Debug)]
struct Chains {
    width: u32,
    postings: Vec<Posting>,
    /// How many of the postings are in chains.
    linked: usize,
    heads: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Posting {
    key: u64,
    place: u32,
    /// The one before in its chain.
    next: u32,
}

/// Bits of a key that tell its chain, at first.
const FIRST_BITS: u32 = 12;

impl Chains {
    fn new(width: u32) -> Self {
        Self { width, postings: Vec::new(), linked: 0, heads: vec![END; 1 << FIRST_BITS] }
    }

    fn extend(&mut self, keys: &[u64], place: u32) {
        let width = self.width;
        self.postings.extend(keys.iter().map(|&key| Posting { key: spread(key, width), place, next: END }));
    }

    /// Puts all postings into chains. There are twice as many chains as postings, or more, so that most keys that are not
    /// there have none.
    fn link(&mut self) {
        let most = self.width.min(30);
        if 2 * self.postings.len() > self.heads.len() && self.heads.len() < 1 << most {
            let bits = self.postings.len().ilog2() + 2;
            self.heads = vec![END; 1 << bits.min(most)];
            self.linked = 0;
        }
        let shift = self.shift();
        for at in self.linked..self.postings.len() {
            let posting = &mut self.postings[at];
            posting.next = std::mem::replace(&mut self.heads[(posting.key >> shift) as usize], at as u32);
        }
        self.linked = self.postings.len();
    }

    fn is_linked(&self) -> bool {
        self.linked == self.postings.len()
    }

    fn shift(&self) -> u32 {
        self.width - self.heads.len().ilog2()
    }

    /// Adds the places below an end of the records that hold a key, in ascending order, for each of some keys, and where those of each end.
    fn find(&self, keys: &[u64], end: u32, places: &mut Vec<u32>, ends: &mut Vec<usize>) {
        // Each comes from far away. Loops that do nothing else fetch many at a time.
        let head = |&key: &u64| self.heads[(key >> self.shift()) as usize];
        let heads: Vec<u32> = keys.iter().map(head).collect();
        let key = |&head: &u32| self.postings.get(head as usize).map_or(0, |posting| posting.key);
        black_box(heads.iter().map(key).fold(0, |all, one| all ^ one));
        for (&key, mut at) in keys.iter().zip(heads) {
            let from = places.len();
            while at != END {
                let Posting { key: own, place, next } = self.postings[at as usize];
                // Records have some keys twice.
                if own == key && place < end && places[from..].last() != Some(&place) {
                    places.push(place);
                }
                at = next;
            }
            places[from..].reverse();
            ends.push(places.len());
        }
    }

    fn memory(&self) -> usize {
        size_of::<u32>() * self.heads.capacity() + size_of::<Posting>() * self.postings.capacity()
    }
}

/// Byte strings that follow each other.
#[derive(Debug, Default)]
struct Strings {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Strings {
    fn push(&mut self, string: &[u8]) {
        self.bytes.extend_from_slice(string);
        self.ends.push(self.bytes.len());
    }

    fn get(&self, at: u32) -> &[u8] {
        let at = at as usize;
        &self.bytes[at.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[at]]
    }
}

/// The newest records.
#[derive(Debug)]
pub(super) struct Memory {
    /// The number of the first.
    first: u64,
    records: Strings,
    texts: Strings,
    kinds: Vec<Chains>,
}

impl Memory {
    /// For records from a number on, with keys of such widths.
    pub(super) fn new(first: u64, widths: &[u32]) -> Self {
        let kinds = widths.iter().map(|&width| Chains::new(width)).collect();
        Self { first, records: Strings::default(), texts: Strings::default(), kinds }
    }

    pub(super) fn len(&self) -> u32 {
        self.records.ends.len() as u32
    }

    /// Adds a record: its bytes, those of its text, and for each kind its keys.
    pub(super) fn push<'k>(&mut self, record: &[u8], text: &[u8], keys: impl IntoIterator<Item = &'k [u64]>) {
        let place = self.len();
        for (chains, keys) in self.kinds.iter_mut().zip(keys) {
            chains.extend(keys, place);
        }
        self.records.push(record);
        self.texts.push(text);
    }

    /// The bytes of a record.
    pub(super) fn record(&self, place: u32) -> &[u8] {
        self.records.get(place)
    }

    /// The bytes of a text; none if there is no text.
    pub(super) fn text(&self, place: u32) -> &[u8] {
        self.texts.get(place)
    }

    /// Makes it ready for looking up keys.
    pub(super) fn link(&mut self) {
        self.kinds.iter_mut().for_each(Chains::link);
    }

    /// Whether all keys can be looked up.
    pub(super) fn is_linked(&self) -> bool {
        self.kinds.iter().all(Chains::is_linked)
    }

    /// Adds the places below an end of the records that hold a key, in ascending order, for each of some keys, which are spread already, and
    /// where those of each end. It must be linked.
    pub(super) fn find(&self, kind: usize, keys: &[u64], end: u32, places: &mut Vec<u32>, ends: &mut Vec<usize>) {
        self.kinds[kind].find(keys, end, places, ends);
    }

    pub(super) fn memory(&self) -> usize {
        let strings = |strings: &Strings| strings.bytes.capacity() + 8 * strings.ends.capacity();
        strings(&self.records) + strings(&self.texts) + self.kinds.iter().map(Chains::memory).sum::<usize>()
    }
}

/// Those of the newest records that live, as a segment has them.
pub(super) struct Living<'m> {
    memory: &'m Memory,
    /// The place that each will have, or [`END`].
    places: Vec<u32>,
}

impl<'m> Living<'m> {
    pub(super) fn new(memory: &'m Memory, dead: &Dead) -> Self {
        let mut count = 0;
        let mut place = |old| {
            if dead.contains(old) {
                return END;
            }
            count += 1;
            count - 1
        };
        Self { memory, places: (0..memory.len()).map(&mut place).collect() }
    }

    fn old(&self) -> impl Iterator<Item = u32> {
        (0..self.memory.len()).filter(|&old| self.places[old as usize] != END)
    }
}

impl Content for Living<'_> {
    fn records(&self, take: &mut dyn FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
        self.old().try_for_each(|old| take(self.memory.first + u64::from(old), self.memory.record(old)))
    }

    fn texts(&self, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.old().try_for_each(|old| take(self.memory.text(old)))
    }

    fn keys(&self, kind: usize) -> (u64, u64) {
        let count = self.memory.kinds[kind].postings.len() as u64;
        (count, count)
    }

    fn postings(&self, kind: usize, chunk_bits: u32) -> Postings<'_> {
        let chains = &self.memory.kinds[kind];
        let expected = chains.postings.len() >> chunk_bits;
        let chunk = || Vec::with_capacity(expected + expected / 8);
        let mut chunks: Vec<Vec<(u64, u32)>> = (0..1 << chunk_bits).map(|_| chunk()).collect();
        for &Posting { key, place: old, .. } in &chains.postings {
            let place = self.places[old as usize];
            if place != END {
                chunks[chunk_of(key, chains.width, chunk_bits)].push((key, place));
            }
        }
        let chunks: Vec<Mutex<Vec<(u64, u32)>>> = chunks.into_iter().map(Mutex::new).collect();
        Box::new(move |chunk| {
            let mut chunk = std::mem::take(&mut *chunks[chunk].lock().expect("nobody panics here"));
            chunk.sort_unstable();
            chunk.dedup();
            Ok(chunk)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whoever_knows_an_end_sees_what_was_there(records in prop::collection::vec(prop::collection::vec(0u64..40, 0..200), 0..60), end in 0u32..60) {
            let mut memory = Memory::new(7, &[32]);
            for (at, keys) in records.iter().enumerate() {
                memory.push(b"record", b"", [&keys[..]]);
                if at % 7 == 3 {
                    memory.link();
                }
            }
            memory.link();
            let end = end.min(records.len() as u32);
            let (mut found, mut ends) = (Vec::new(), Vec::new());
            let keys: Vec<u64> = (0..40).map(|key| spread(key, 32)).collect();
            memory.find(0, &keys, end, &mut found, &mut ends);
            let starts = std::iter::once(0).chain(ends.iter().copied());
            for (key, (start, &end_of_key)) in (0..40).zip(starts.zip(&ends)) {
                let expected: Vec<u32> = (0..end).filter(|&place| records[place as usize].contains(&key)).collect();
                prop_assert_eq!(&found[start..end_of_key], expected);
            }
        }
    }
}
