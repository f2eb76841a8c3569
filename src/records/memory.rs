//! The newest records, which stand in the journal and in no segment yet.
//!
//! Only added to, in the order of their numbers, so that whoever knows how many there were at some time sees what was there then.

use std::ops::ControlFlow;
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
    keys: Vec<u64>,
    places: Vec<u32>,
    heads: Vec<u32>,
    /// Of the postings that are in chains, the one before each.
    next: Vec<u32>,
}

/// Bits of a key that tell its chain, at first.
const FIRST_BITS: u32 = 12;

impl Chains {
    fn new(width: u32) -> Self {
        Self { width, keys: Vec::new(), places: Vec::new(), heads: vec![END; 1 << FIRST_BITS], next: Vec::new() }
    }

    fn head(&self, key: u64) -> usize {
        (key >> (self.width - self.heads.len().ilog2())) as usize
    }

    fn extend(&mut self, keys: &[u64], place: u32) {
        let width = self.width;
        self.keys.extend(keys.iter().map(|&key| spread(key, width)));
        self.places.resize(self.keys.len(), place);
    }

    /// Puts all postings into chains.
    fn link(&mut self) {
        if self.keys.len() > 2 * self.heads.len() && self.heads.len() < 1 << self.width.min(30) {
            let bits = self.keys.len().ilog2() + 1;
            self.heads = vec![END; 1 << bits.min(self.width)];
            self.next.clear();
        }
        let shift = self.width - self.heads.len().ilog2();
        let first = self.next.len();
        self.next.reserve(self.keys.len() - first);
        for (at, &key) in (first as u32..).zip(&self.keys[first..]) {
            self.next.push(std::mem::replace(&mut self.heads[(key >> shift) as usize], at));
        }
    }

    fn is_linked(&self) -> bool {
        self.next.len() == self.keys.len()
    }

    /// The places below an end of the records that hold a key, in descending order.
    fn of(&self, key: u64, end: u32) -> impl Iterator<Item = u32> {
        let step = |&at: &u32| Some(self.next[at as usize]).filter(|&next| next != END);
        let first = Some(self.heads[self.head(key)]).filter(|&first| first != END);
        let mut last = END;
        std::iter::successors(first, step)
            .filter(move |&at| self.keys[at as usize] == key)
            .map(|at| self.places[at as usize])
            .filter(move |&place| place < end && std::mem::replace(&mut last, place) != place)
    }

    fn memory(&self) -> usize {
        4 * (self.heads.capacity() + self.places.capacity() + self.next.capacity()) + 8 * self.keys.capacity()
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

    /// Gives the places below an end of the records that hold a key, in ascending order, until no more are wanted. It must
    /// be linked.
    pub(super) fn find(&self, kind: usize, key: u64, end: u32, take: &mut dyn FnMut(u32) -> ControlFlow<()>) {
        let chains = &self.kinds[kind];
        let mut places: smallvec::SmallVec<[u32; 16]> = chains.of(spread(key, chains.width), end).collect();
        places.reverse();
        let _ = places.into_iter().try_for_each(take);
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
        let count = self.memory.kinds[kind].keys.len() as u64;
        (count, count)
    }

    fn postings(&self, kind: usize, chunk_bits: u32) -> Postings<'_> {
        let chains = &self.memory.kinds[kind];
        let mut chunks: Vec<Vec<(u64, u32)>> = vec![Vec::new(); 1 << chunk_bits];
        for (&key, &old) in chains.keys.iter().zip(&chains.places) {
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
    use std::ops::ControlFlow::Continue;

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
            for key in 0..40 {
                let mut found = Vec::new();
                memory.find(0, key, end, &mut |place| { found.push(place); Continue(()) });
                let expected: Vec<u32> = (0..end).filter(|&place| records[place as usize].contains(&key)).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
