//! What an archive held at some time, whatever is done to it afterwards.

use std::ops::ControlFlow::{self, Break, Continue};
use std::ops::RangeInclusive;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use super::memory::Memory;
use super::offsets::Dead;
use super::postings::{Extent, spread};
use super::record::{self, Stored, UNDATED, read_text};
use super::segment::{ID_WIDTH, Older, Part, id_key};
use crate::error::{Error, Result};

/// All records that lived at some time: those of segments, and the newest ones in memory.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(super) parts: Vec<Part>,
    pub(super) newest: Newest,
    pub(super) widths: Arc<[u32]>,
    pub(super) note: u64,
    /// Bytes of the journal.
    pub(super) journal: u64,
}

/// Figures about what an archive holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Records that live.
    pub live: u64,
    /// Records that were removed, and still take room.
    pub dead: u64,
    /// Segments.
    pub segments: usize,
    /// Bytes of all segments.
    pub segment_bytes: u64,
    /// Bytes of the journal.
    pub journal_bytes: u64,
    /// Bytes of memory.
    pub memory: u64,
}

/// The newest records up to some time.
#[derive(Clone, Debug)]
pub(super) struct Newest {
    pub(super) memory: Arc<RwLock<Memory>>,
    pub(super) dead: Arc<Dead>,
    pub(super) first: u64,
    pub(super) count: u32,
}

impl Newest {
    pub(super) fn new(first: u64, widths: &[u32]) -> Self {
        let memory = Arc::new(RwLock::new(Memory::new(first, widths)));
        Self { memory, dead: Arc::default(), first, count: 0 }
    }

    pub(super) fn lock(&self) -> RwLockReadGuard<'_, Memory> {
        // Nothing is done with a lock in hand that could panic and leave half of a record.
        self.memory.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ready for looking up keys.
    fn linked(&self) -> RwLockReadGuard<'_, Memory> {
        loop {
            let memory = self.lock();
            if memory.is_linked() {
                return memory;
            }
            drop(memory);
            self.memory.write().unwrap_or_else(PoisonError::into_inner).link();
        }
    }

    fn place(&self, number: u64) -> Option<u32> {
        u32::try_from(number.checked_sub(self.first)?).ok().filter(|&place| place < self.count)
    }
}

/// Which records are looked up: all by default.
#[derive(Clone, Debug, Default)]
pub struct Among {
    /// Older segments, which hold lower numbers alone, are not asked.
    pub since: u64,
    /// In seconds; records of other dates, or of none, are passed over.
    pub dates: Option<RangeInclusive<i64>>,
}

/// Whether a date, which may be that of a record without one, is one of these.
fn is_of(date: i64, dates: &RangeInclusive<i64>) -> bool {
    date != UNDATED && dates.contains(&date)
}

/// Where a record is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Where {
    /// In a segment, and where in it.
    Part(usize, u32),
    Newest(u32),
}

impl Snapshot {
    /// Records that live.
    pub fn len(&self) -> u64 {
        let segments: u64 = self.parts.iter().map(|part| u64::from(part.living())).sum();
        segments + u64::from(self.newest.count - self.newest.dead.count())
    }

    /// Whether none lives.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What was [noted](super::Writer::note) last; 0 if nothing was.
    pub fn note(&self) -> u64 {
        self.note
    }

    /// The number that the next record gets.
    pub fn end(&self) -> u64 {
        self.newest.first + u64::from(self.newest.count)
    }

    /// Where the record of a number is, if it lives.
    pub(super) fn find(&self, number: u64) -> Option<Where> {
        if let Some(place) = self.newest.place(number) {
            return (!self.newest.dead.contains(place)).then_some(Where::Newest(place));
        }
        let after = |part: &Part| part.segment.numbers.first().is_none_or(|first| first <= number);
        let at = self.parts.partition_point(after).checked_sub(1)?;
        let part = &self.parts[at];
        part.segment
            .numbers
            .place(number)
            .filter(|&place| !part.dead.contains(place))
            .map(|place| Where::Part(at, place))
    }

    /// Whether the record of a number lives.
    pub fn contains(&self, number: u64) -> bool {
        self.find(number).is_some()
    }

    /// The record of a number, if it lives.
    pub fn record(&self, number: u64) -> Result<Option<Stored>> {
        match self.find(number) {
            None => Ok(None),
            Some(Where::Part(at, place)) => self.parts[at].segment.record(place).map(Some),
            Some(Where::Newest(place)) => Ok(Stored::new(number, self.newest.lock().record(place).to_vec())),
        }
    }

    /// The text of the record of a number, if that lives and its text is kept.
    pub fn text(&self, number: u64) -> Result<Option<Vec<u8>>> {
        match self.find(number) {
            None => Ok(None),
            Some(Where::Part(at, place)) => self.parts[at].segment.text(place),
            Some(Where::Newest(place)) => {
                let memory = self.newest.lock();
                let bytes = memory.text(place);
                let text = (!bytes.is_empty()).then(|| read_text(bytes)).transpose();
                text.map_err(|fault| Error::Archive { path: "a text in memory".into(), fault })
            }
        }
    }

    /// The numbers of all records that live, in ascending order.
    pub fn numbers(&self) -> impl Iterator<Item = u64> {
        let of_part = |part: &Part| {
            let part = part.clone();
            let living = (0..part.segment.len()).filter({
                let dead = part.dead.clone();
                move |&place| !dead.contains(place)
            });
            living.map(move |place| part.segment.numbers.number(place))
        };
        let newest = &self.newest;
        let living = (0..newest.count).filter(|&place| !newest.dead.contains(place));
        self.parts.iter().flat_map(of_part).chain(living.map(|place| newest.first + u64::from(place)))
    }

    /// Looks up many keys of one kind, and gives for each, in their order, which of the records that hold it live: the lowest
    /// numbers, at most `cap`, ascending, and whether these are all.
    pub fn look_up(
        &self,
        kind: usize,
        keys: &[u64],
        cap: usize,
        found: impl FnMut(usize, &[u64], bool) -> Result<()>,
    ) -> Result<()> {
        self.look_up_among(kind, keys, &Among::default(), cap, found)
    }

    /// The same among some records; others do not count towards `cap`.
    pub fn look_up_among(
        &self,
        kind: usize,
        keys: &[u64],
        Among { since, dates }: &Among,
        cap: usize,
        mut found: impl FnMut(usize, &[u64], bool) -> Result<()>,
    ) -> Result<()> {
        let width = self.widths[kind];
        let spread: Vec<u64> = keys.iter().map(|&key| spread(key, width)).collect();
        // Memory is asked for all keys at once, so that one look-up need not wait for the other.
        let parts = self.parts.len();
        let mut extents = vec![Extent::default(); keys.len() * parts];
        let is_asked = |part: &Part| {
            let may_be_of = |dates| part.segment.may_be_of(dates);
            part.living() > 0 && part.segment.numbers.last() >= Some(*since) && dates.as_ref().is_none_or(may_be_of)
        };
        for (part, own) in self.parts.iter().enumerate().filter(|(_, part)| is_asked(part)) {
            own.segment.extents(kind, &spread, |at, extent| extents[at * parts + part] = extent);
        }
        // One lock for all, and none while a disk is read.
        let (mut newest, mut ends) = (Vec::new(), Vec::new());
        if self.newest.count > self.newest.dead.count() {
            let memory = self.newest.linked();
            memory.find(kind, &spread, self.newest.count, &mut newest, &mut ends);
            if let Some(dates) = dates {
                let (mut kept, mut start) = (Vec::new(), 0);
                for end in &mut ends {
                    let own = newest[start..*end].iter().copied();
                    kept.extend(own.filter(|&place| is_of(record::date(memory.record(place)), dates)));
                    (start, *end) = (*end, kept.len());
                }
                newest = kept;
            }
        }
        ends.resize(keys.len(), newest.len());
        let (mut numbers, mut buffer, mut first) = (Vec::new(), Vec::new(), 0);
        for at in 0..keys.len() {
            numbers.clear();
            let more = cap.saturating_add(1);
            let mut take = |number| {
                numbers.push(number);
                if numbers.len() < more { Continue(()) } else { Break(()) }
            };
            let own = &newest[first..ends[at]];
            first = ends[at];
            let extents = &extents[at * parts..][..parts];
            self.look_up_one((kind, spread[at], dates.as_ref()), extents, own, &mut buffer, &mut take)?;
            let is_all = numbers.len() <= cap;
            numbers.truncate(cap);
            found(at, &numbers, is_all)?;
        }
        Ok(())
    }

    /// Looks up a key that is spread already, in the buckets of the segments that may hold it, for records of some dates if any are
    /// given, and behind them those of the newest that do.
    fn look_up_one(
        &self,
        (kind, key, dates): (usize, u64, Option<&RangeInclusive<i64>>),
        extents: &[Extent],
        newest: &[u32],
        buffer: &mut Vec<u8>,
        take: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut flow = Continue(());
        for (part, &extent) in self.parts.iter().zip(extents).filter(|(_, extent)| !extent.is_empty()) {
            let of = dates.map(|dates| part.segment.dates().map(|of| (of, dates))).transpose()?;
            part.segment.find(kind, key, extent, buffer, &mut |place| {
                let is_of = of.is_none_or(|(of, dates)| is_of(of[place as usize], dates));
                if is_of && !part.dead.contains(place) {
                    flow = take(part.segment.numbers.number(place));
                }
                flow
            })?;
            if flow.is_break() {
                return Ok(());
            }
        }
        let living = newest.iter().filter(|&&place| !self.newest.dead.contains(place));
        let _ = living.map(|&place| self.newest.first + u64::from(place)).try_for_each(take);
        Ok(())
    }

    /// The records that hold a key and live: the lowest numbers, at most `cap`, ascending; and whether these are all.
    pub fn postings(&self, kind: usize, key: u64, cap: usize) -> Result<(Vec<u64>, bool)> {
        self.postings_among(kind, key, &Among::default(), cap)
    }

    /// The same among some records.
    pub fn postings_among(&self, kind: usize, key: u64, among: &Among, cap: usize) -> Result<(Vec<u64>, bool)> {
        let mut all = (Vec::new(), true);
        self.look_up_among(kind, &[key], among, cap, |_, numbers, is_all| {
            all = (numbers.to_vec(), is_all);
            Ok(())
        })?;
        Ok(all)
    }

    /// How many of the records that hold a key live; a count above `cap` may be told as the next number above it.
    pub fn count(&self, kind: usize, key: u64, cap: usize) -> Result<usize> {
        let (numbers, is_all) = self.postings(kind, key, cap)?;
        Ok(if is_all { numbers.len() } else { cap + 1 })
    }

    /// The numbers of all that bear an id and live.
    pub fn by_id(&self, id: &[u8]) -> Result<Vec<u64>> {
        let ids = self.widths.len() - 1;
        debug_assert_eq!(self.widths[ids], ID_WIDTH);
        let (mut numbers, _) = self.postings(ids, id_key(id), usize::MAX)?;
        let mut failure = Ok(());
        numbers.retain(|&number| match self.record(number) {
            Ok(stored) => stored.is_some_and(|stored| stored.id() == id),
            Err(error) => {
                failure = Err(error);
                false
            }
        });
        failure.map(|()| numbers)
    }

    /// Removes a record; whether it lived.
    pub(super) fn remove(&mut self, number: u64) -> bool {
        match self.find(number) {
            None => false,
            Some(Where::Part(at, place)) => Arc::make_mut(&mut self.parts[at].dead).insert(place),
            Some(Where::Newest(place)) => Arc::make_mut(&mut self.newest.dead).insert(place),
        }
    }

    /// Removes all records that are older than a date; how many.
    pub(super) fn expire(&mut self, before: i64) -> Result<u64> {
        let mut count = 0;
        for part in &mut self.parts {
            let (segment, dead) = (&part.segment, &mut part.dead);
            match segment.older(before) {
                Older::None => {}
                Older::All if dead.count() == segment.len() => {}
                Older::All => {
                    let dead = Arc::make_mut(dead);
                    count += (0..segment.len()).filter(|&place| dead.insert(place)).count() as u64;
                }
                Older::Some => {
                    // Who has looked at the old ones keeps them; nothing is copied if none has expired.
                    let mut expired = Vec::new();
                    segment.find_older(before, &mut |place| {
                        if !dead.contains(place) {
                            expired.push(place);
                        }
                    })?;
                    if !expired.is_empty() {
                        let dead = Arc::make_mut(dead);
                        count += expired.into_iter().filter(|&place| dead.insert(place)).count() as u64;
                    }
                }
            }
        }
        let memory = self.newest.memory.read().unwrap_or_else(PoisonError::into_inner);
        let is_older = |&place: &u32| {
            let date = record::date(memory.record(place));
            date != UNDATED && date < before && !self.newest.dead.contains(place)
        };
        let expired: Vec<u32> = (0..self.newest.count).filter(is_older).collect();
        drop(memory);
        count += expired.len() as u64;
        if !expired.is_empty() {
            let dead = Arc::make_mut(&mut self.newest.dead);
            expired.into_iter().for_each(|place| _ = dead.insert(place));
        }
        Ok(count)
    }

    /// Figures about it.
    pub fn stats(&self) -> Stats {
        let dead = |dead: &Dead| u64::from(dead.count());
        Stats {
            live: self.len(),
            dead: self.parts.iter().map(|part| dead(&part.dead)).sum::<u64>() + dead(&self.newest.dead),
            segments: self.parts.len(),
            segment_bytes: self.parts.iter().map(|part| part.segment.written.length).sum(),
            journal_bytes: self.journal,
            memory: self.memory(),
        }
    }

    /// Bytes of memory that it takes, shared with others of its time.
    fn memory(&self) -> u64 {
        let parts: usize = self.parts.iter().map(|part| part.segment.memory() + part.dead.memory()).sum();
        (parts + self.newest.lock().memory() + self.newest.dead.memory()) as u64
    }
}
