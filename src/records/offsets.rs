//! Small tables that a segment keeps in memory: where things begin, which numbers records bear, which of them are dead.

use super::bytes::{Cursor, put_number};

/// Things that share a base.
const GROUP: usize = 14;

/// Where each of many things that follow each other begins and ends: some five bytes a thing.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    groups: Vec<Group>,
    count: usize,
    end: u64,
}

/// Some things that follow each other, in one line of the cache.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Group {
    /// Where the first of them begins.
    base: u64,
    /// Where each of them ends, after that.
    ends: [u32; GROUP],
}

impl Offsets {
    /// Adds a thing of so many bytes; nothing, if a group would have more than four gigabytes.
    pub(super) fn push(&mut self, length: u64) -> Option<()> {
        let at = self.count % GROUP;
        if at == 0 {
            self.groups.push(Group { base: self.end, ..Group::default() });
        }
        let group = self.groups.last_mut()?;
        self.end = self.end.checked_add(length)?;
        group.ends[at] = u32::try_from(self.end - group.base).ok()?;
        self.count += 1;
        Some(())
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Bytes of all things.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Where a thing begins, and the place after the last of them where all end.
    #[inline]
    pub(super) fn start(&self, at: usize) -> u64 {
        if at == self.count {
            return self.end;
        }
        let group = &self.groups[at / GROUP];
        group.base + (at % GROUP).checked_sub(1).map_or(0, |before| u64::from(group.ends[before]))
    }

    /// Bytes of a thing.
    #[inline]
    pub(super) fn length(&self, at: usize) -> usize {
        let Group { base, ends } = &self.groups[at / GROUP];
        (base + u64::from(ends[at % GROUP]) - self.start(at)) as usize
    }

    pub(super) fn memory(&self) -> usize {
        size_of::<Group>() * self.groups.capacity()
    }

    pub(super) fn put(&self, bytes: &mut Vec<u8>) {
        put_number(bytes, self.len() as u64);
        (0..self.len()).for_each(|at| put_number(bytes, self.length(at) as u64));
    }

    pub(super) fn read(cursor: &mut Cursor) -> Option<Self> {
        let count = usize::try_from(cursor.number()?).ok().filter(|&count| count <= cursor.0.len())?;
        let mut offsets = Self { groups: Vec::with_capacity(count.div_ceil(GROUP)), ..Self::default() };
        for _ in 0..count {
            offsets.push(cursor.number()?)?;
        }
        Some(offsets)
    }
}

/// The numbers of records that stand in their order, as runs: where nothing was removed, all are one.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// The place and the number of the first record of each run.
    runs: Vec<(u32, u64)>,
    count: u32,
}

impl Numbers {
    /// Adds a number above all others.
    pub(super) fn push(&mut self, number: u64) {
        if self.runs.last().is_none_or(|&(place, first)| first + u64::from(self.count - place) != number) {
            self.runs.push((self.count, number));
        }
        self.count += 1;
    }

    pub(super) fn len(&self) -> u32 {
        self.count
    }

    pub(super) fn first(&self) -> Option<u64> {
        self.runs.first().map(|&(_, number)| number)
    }

    pub(super) fn last(&self) -> Option<u64> {
        self.count.checked_sub(1).map(|last| self.number(last))
    }

    /// The number of the record at a place.
    #[inline]
    pub(super) fn number(&self, place: u32) -> u64 {
        let run = match &self.runs[..] {
            [run] => run,
            runs => &runs[runs.partition_point(|&(first, _)| first <= place) - 1],
        };
        run.1 + u64::from(place - run.0)
    }

    /// The place of the record that bears a number.
    pub(super) fn place(&self, number: u64) -> Option<u32> {
        let run = self.runs.partition_point(|&(_, first)| first <= number).checked_sub(1)?;
        let end = self.runs.get(run + 1).map_or(self.count, |&(place, _)| place);
        let (place, first) = self.runs[run];
        u32::try_from(number - first).ok()?.checked_add(place).filter(|&place| place < end)
    }

    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.runs[..])
    }

    pub(super) fn put(&self, bytes: &mut Vec<u8>) {
        put_number(bytes, u64::from(self.count));
        put_number(bytes, self.runs.len() as u64);
        let mut last = (0, 0);
        for &(place, number) in &self.runs {
            put_number(bytes, u64::from(place - last.0));
            put_number(bytes, number - last.1);
            last = (place, number);
        }
    }

    pub(super) fn read(cursor: &mut Cursor) -> Option<Self> {
        let count = u32::try_from(cursor.number()?).ok()?;
        let (mut runs, mut last) = (Vec::new(), (0u32, 0u64));
        for run in 0..cursor.number()? {
            let (place, number) = (u32::try_from(cursor.number()?).ok()?, cursor.number()?);
            last = (last.0.checked_add(place)?, last.1.checked_add(number)?);
            let fits = last.0 < count && if run == 0 { last.0 == 0 } else { place > 0 && number > u64::from(place) };
            fits.then(|| runs.push(last))?;
        }
        (count == 0 || !runs.is_empty() && last.1.checked_add(u64::from(count)).is_some())
            .then_some(Self { runs, count })
    }
}

/// Which of so many records were removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Dead {
    words: Vec<u64>,
    count: u32,
}

impl Dead {
    #[inline]
    pub(super) fn contains(&self, place: u32) -> bool {
        self.count > 0 && self.words.get(place as usize / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    /// Whether it was alive until now.
    pub(super) fn insert(&mut self, place: u32) -> bool {
        let word = place as usize / 64;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        let new = self.words[word] >> (place % 64) & 1 == 0;
        self.words[word] |= 1 << (place % 64);
        self.count += u32::from(new);
        new
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.words[..])
    }

    pub(super) fn put(&self, bytes: &mut Vec<u8>) {
        put_number(bytes, self.words.len() as u64);
        self.words.iter().for_each(|word| bytes.extend(word.to_le_bytes()));
    }

    /// Reads those of so many records.
    pub(super) fn read(cursor: &mut Cursor, records: u32) -> Option<Self> {
        let words = usize::try_from(cursor.number()?).ok()?;
        let words = cursor.take(words.checked_mul(8)?)?.as_chunks::<8>().0;
        let words: Vec<u64> = words.iter().map(|&word| u64::from_le_bytes(word)).collect();
        let last =
            words.iter().rposition(|&word| word != 0).map_or(0, |at| at * 64 + 64 - words[at].leading_zeros() as usize);
        let count = words.iter().map(|word| word.count_ones()).sum();
        (last <= records as usize).then_some(Self { words, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn things_are_where_they_were_put(lengths in prop::collection::vec(0u64..3_000_000, 0..300)) {
            let mut offsets = Offsets::default();
            lengths.iter().for_each(|&length| offsets.push(length).unwrap());
            let mut bytes = Vec::new();
            offsets.put(&mut bytes);
            let offsets = Offsets::read(&mut Cursor(&bytes)).unwrap();
            let mut at = 0;
            for (thing, &length) in lengths.iter().enumerate() {
                prop_assert_eq!((offsets.start(thing), offsets.length(thing) as u64), (at, length));
                at += length;
            }
            prop_assert_eq!((offsets.len(), offsets.start(lengths.len()), offsets.end()), (lengths.len(), at, at));
        }

        #[test]
        fn numbers_are_found_and_no_others(numbers in prop::collection::btree_set(0u64..300, 0..200)) {
            let mut kept = Numbers::default();
            numbers.iter().for_each(|&number| kept.push(number));
            let mut bytes = Vec::new();
            kept.put(&mut bytes);
            let kept = Numbers::read(&mut Cursor(&bytes)).unwrap();
            prop_assert_eq!((kept.len() as usize, kept.first()), (numbers.len(), numbers.first().copied()));
            for number in 0..310 {
                let place = numbers.iter().position(|&other| other == number).map(|place| place as u32);
                prop_assert_eq!(kept.place(number), place);
                prop_assert!(place.is_none_or(|place| kept.number(place) == number));
            }
        }

        #[test]
        fn the_dead_are_those_that_were_put_in(places in prop::collection::vec(0u32..500, 0..100)) {
            let (mut dead, mut expected) = (Dead::default(), BTreeSet::new());
            for &place in &places {
                prop_assert_eq!(dead.insert(place), expected.insert(place));
            }
            let mut bytes = Vec::new();
            dead.put(&mut bytes);
            let read = Dead::read(&mut Cursor(&bytes), 500).unwrap();
            prop_assert_eq!(&read, &dead);
            prop_assert_eq!(read.count() as usize, expected.len());
            prop_assert!((0..600).all(|place| read.contains(place) == expected.contains(&place)));
            let last = expected.last().map_or(0, |&last| last);
            prop_assert!(expected.is_empty() || Dead::read(&mut Cursor(&bytes), last).is_none());
        }
    }
}
