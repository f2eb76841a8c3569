//! A file of records that never changes, with what finds them.
//!
//! | bytes | what |
//! | --- | --- |
//! | 32 | `rtldsegm`, the format version, the number of the file, checksum |
//! | records | each with its checksum, in the order of their numbers |
//! | texts | likewise; none for a record without text |
//! | dates | 512 at a time, checksum |
//! | postings | the buckets of each kind (see `postings`) |
//! | index | where all of these are, checksum |
//! | 32 | place and length of the index, its checksum, and one of these |
//!
//! All but the index is read at places when it is needed, and checked whenever it is read.

use std::fmt;
use std::ops::{ControlFlow, Range, RangeInclusive};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use super::bytes::{CHECK, Cursor, Of, checksum, put_number, seal, sealed};
use super::disk::{Disk, Input, Output};
use super::offsets::{Dead, Numbers, Offsets};
use super::postings::{Encoded, Extent, Failure, Filter, Index, Shape, encode};
use super::record::{Stored, UNDATED, checks_text, date};
use super::{VERSION, damaged, io, name};
use crate::error::{ArchiveFault, Error, Result};

const MAGIC: &[u8; 8] = b"rtldsegm";
const HEADER: usize = 32;
const TRAILER: usize = 32;
/// Dates that have a checksum together.
const DATES: usize = 512;
/// Bytes that are read or written at once where all are.
const RUN: usize = 1 << 20;
/// Bytes after which a file is synced while it is written: who syncs another one might have to wait for all of them.
const SYNC: u64 = 1 << 25;
/// Postings that are sorted together when a segment is written.
const CHUNK: u64 = 1 << 14;

/// Sorted postings of a chunk of the keys: of those that have the same first bits.
pub(super) type Postings<'c> = Box<dyn Fn(usize) -> Result<Vec<(u64, u32)>> + Sync + 'c>;

/// The chunk of a key.
pub(super) fn chunk_of(key: u64, width: u32, chunk_bits: u32) -> usize {
    key.checked_shr(width - chunk_bits).unwrap_or(0) as usize
}

/// What a segment is written from.
pub(super) trait Content: Sync {
    /// Gives all records, with their numbers in ascending order.
    fn records(&self, take: &mut dyn FnMut(u64, &[u8]) -> Result<()>) -> Result<()>;
    /// Gives their texts in the same order.
    fn texts(&self, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>;
    /// At most so many different keys, and postings.
    fn keys(&self, kind: usize) -> (u64, u64);
    /// Gives the postings of a kind, in so many chunks as these bits can tell.
    fn postings(&self, kind: usize, chunk_bits: u32) -> Postings<'_>;
}

/// A file that is written through a buffer.
pub(super) struct Sink {
    output: Box<dyn Output>,
    path: PathBuf,
    buffer: Vec<u8>,
    at: u64,
    /// Bytes that were made to last.
    synced: u64,
}

impl Sink {
    pub(super) fn create(disk: &dyn Disk, name: &str) -> Result<Self> {
        let path = disk.path(name);
        let output = disk.create(name).map_err(io(&path))?;
        Ok(Self { output, path, buffer: Vec::new(), at: 0, synced: 0 })
    }

    fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.buffer.extend_from_slice(bytes);
        self.at += bytes.len() as u64;
        if self.buffer.len() >= RUN { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<()> {
        self.output.write(&self.buffer).map_err(io(&self.path))?;
        self.buffer.clear();
        if self.at - self.synced >= SYNC {
            self.output.sync().map_err(io(&self.path))?;
            self.synced = self.at;
        }
        Ok(())
    }

    /// Makes all of it last; gives its length.
    fn finish(mut self) -> Result<u64> {
        self.write()?;
        self.output.sync().map_err(io(&self.path))?;
        Ok(self.at)
    }

    /// Writes a whole file so that it lasts.
    pub(super) fn whole(disk: &dyn Disk, name: &str, bytes: &[u8]) -> Result<()> {
        let mut sink = Self::create(disk, name)?;
        sink.push(bytes)?;
        sink.finish().map(|_| ())
    }
}

/// A segment's file: its number, its length, and the checksum at its end, which all of it hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) file: u64,
    pub(super) length: u64,
    pub(super) sum: u64,
}

/// Writes a segment. Filters save readings where a key is not there, and take eight bits a key of memory.
pub(super) fn write(
    disk: &dyn Disk,
    file: u64,
    content: &dyn Content,
    widths: &[u32],
    filtered: bool,
) -> Result<Written> {
    let mut sink = Sink::create(disk, &name("segment", file))?;
    let path = sink.path.clone();
    let too_large =
        || Error::Archive { path: path.clone(), fault: ArchiveFault::TooLarge { bytes: u64::MAX, most: 1 << 32 } };
    let mut header = MAGIC.to_vec();
    header.extend(u64::from(VERSION).to_le_bytes());
    header.extend(file.to_le_bytes());
    seal(Of::Header, 0, &mut header, 0);
    sink.push(&header)?;

    let (mut numbers, mut dates, mut records, mut texts) =
        (Numbers::default(), Vec::new(), Offsets::default(), Offsets::default());
    content.records(&mut |number, bytes| {
        numbers.push(number);
        dates.push(date(bytes));
        records.push(bytes.len() as u64).ok_or_else(too_large)?;
        sink.push(bytes)
    })?;
    content.texts(&mut |bytes| {
        texts.push(bytes.len() as u64).ok_or_else(too_large)?;
        sink.push(bytes)
    })?;
    for chunk in dates.chunks(DATES) {
        let mut bytes: Vec<u8> = chunk.iter().flat_map(|date| date.to_le_bytes()).collect();
        seal(Of::Dates, 0, &mut bytes, 0);
        sink.push(&bytes)?;
    }
    let mut index = Vec::new();
    numbers.put(&mut index);
    let dated = || dates.iter().copied().filter(|&date| date != UNDATED);
    put_number(&mut index, dated().count() as u64);
    index.extend(dated().min().unwrap_or(UNDATED).to_le_bytes());
    index.extend(dated().max().unwrap_or(UNDATED).to_le_bytes());
    records.put(&mut index);
    texts.put(&mut index);
    put_number(&mut index, widths.len() as u64);
    for (kind, &width) in widths.iter().enumerate() {
        let (keys, postings) = content.keys(kind);
        let shape = Shape::of(width, keys);
        let mut kinds = Index::new(shape, filtered.then(|| Filter::new(width, keys)));
        let chunk_bits = (postings / CHUNK).max(1).ilog2().min(shape.bucket_bits());
        let of_chunk = content.postings(kind, chunk_bits);
        let buckets = 1u64 << (shape.bucket_bits() - chunk_bits);
        let encoded = |chunk: usize| -> Result<Encoded> {
            let first = chunk as u64 * buckets;
            Ok(encode(shape, first..first + buckets, &of_chunk(chunk)?))
        };
        let chunks: Vec<usize> = (0..1 << chunk_bits).collect();
        for chunks in chunks.chunks(4 * rayon::current_num_threads()) {
            let all: Vec<Result<Encoded>> = chunks.par_iter().map(|&chunk| encoded(chunk)).collect();
            for encoded in all {
                let encoded = encoded?;
                sink.push(&encoded.bytes)?;
                kinds.push(&encoded).ok_or_else(too_large)?;
            }
        }
        kinds.put(&mut index);
    }
    let at = sink.at;
    seal(Of::Index, file, &mut index, 0);
    sink.push(&index)?;
    let mut trailer = Vec::with_capacity(TRAILER);
    [at, index.len() as u64].into_iter().for_each(|number| trailer.extend(number.to_le_bytes()));
    trailer.extend_from_slice(&index[index.len() - CHECK..]);
    seal(Of::Trailer, file, &mut trailer, 0);
    sink.push(&trailer)?;
    let sum = Cursor(&trailer[TRAILER - CHECK..]).fixed().expect("eight bytes");
    Ok(Written { file, length: sink.finish()?, sum })
}

/// A segment that is open.
pub(super) struct Segment {
    input: Box<dyn Input>,
    path: PathBuf,
    pub(super) written: Written,
    pub(super) numbers: Numbers,
    /// Records with a date, and the first and last of their dates.
    dated: u32,
    dates: (i64, i64),
    /// The dates of all records, once they were asked for.
    each_date: OnceLock<Vec<i64>>,
    records: Offsets,
    texts: Offsets,
    kinds: Vec<Index>,
    /// Where the index begins.
    end: u64,
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment").field("path", &self.path).field("records", &self.len()).finish_non_exhaustive()
    }
}

/// Whether any record is older than a date, or all are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Older {
    None,
    Some,
    All,
}

impl Segment {
    /// Opens the segment that was written as such.
    pub(super) fn open(disk: &dyn Disk, written: Written, widths: &[u32]) -> Result<Self> {
        let Written { file, length, sum } = written;
        let path = disk.path(&name("segment", file));
        let input = disk.open(&name("segment", file)).map_err(io(&path))?;
        let found = input.length().map_err(io(&path))?;
        let bad = |place, what| damaged(&path, place, what);
        if found != length || length < (HEADER + TRAILER) as u64 {
            return Err(bad(found.min(length), "the file has not the length with which it was written"));
        }
        let read = |at: u64, length: u64| -> Result<Vec<u8>> {
            let mut bytes = vec![0; length as usize];
            input.read(&mut bytes, at).map_err(io(&path))?;
            Ok(bytes)
        };
        let header = read(0, HEADER as u64)?;
        let header = sealed(Of::Header, 0, &header).ok_or_else(|| bad(0, "the header does not check"))?;
        if !header.starts_with(MAGIC) || header[16..24] != file.to_le_bytes() {
            return Err(bad(0, "the file is another one"));
        }
        let version = u32::from_le_bytes(*header[8..].first_chunk().expect("a whole header"));
        if version != VERSION {
            return Err(Error::Archive { path, fault: ArchiveFault::Version(version) });
        }
        let place = length - TRAILER as u64;
        let trailer = read(place, TRAILER as u64)?;
        let of_trailer = || {
            let mut cursor = Cursor(sealed(Of::Trailer, file, &trailer)?);
            let (at, length) = (cursor.fixed()?, cursor.fixed()?);
            let fits =
                at >= HEADER as u64 && at.checked_add(length) == Some(place) && trailer.ends_with(&sum.to_le_bytes());
            fits.then_some((at, length))
        };
        let (end, index) = of_trailer().ok_or_else(|| bad(place, "the end does not check"))?;
        let index = read(end, index)?;
        let of_index = || {
            let mut cursor = Cursor(sealed(Of::Index, file, &index)?);
            let numbers = Numbers::read(&mut cursor)?;
            let dated = u32::try_from(cursor.number()?).ok()?;
            let dates = (cursor.fixed()? as i64, cursor.fixed()? as i64);
            let (records, texts) = (Offsets::read(&mut cursor)?, Offsets::read(&mut cursor)?);
            let kinds: Vec<Index> = (0..cursor.number()?).map(|_| Index::read(&mut cursor)).collect::<Option<_>>()?;
            let count = numbers.len() as usize;
            let fits = [records.len(), texts.len()] == [count; 2]
                && kinds.iter().map(|kind| kind.width).eq(widths.iter().copied());
            (fits && cursor.0.is_empty()).then_some((numbers, dated, dates, records, texts, kinds))
        };
        let (numbers, dated, dates, records, texts, kinds) =
            of_index().ok_or_else(|| bad(end, "the index does not check"))?;
        let (path, each_date) = (path.clone(), OnceLock::new());
        let segment = Self { written, numbers, dated, dates, each_date, records, texts, kinds, end, path, input };
        if segment.postings_at(segment.kinds.len()) != end {
            return Err(bad(end, "the index tells another length"));
        }
        Ok(segment)
    }

    pub(super) fn len(&self) -> u32 {
        self.numbers.len()
    }

    fn texts_at(&self) -> u64 {
        HEADER as u64 + self.records.end()
    }

    fn dates_at(&self) -> u64 {
        self.texts_at() + self.texts.end()
    }

    fn postings_at(&self, kind: usize) -> u64 {
        let count = self.len() as u64;
        let dates = 8 * count + CHECK as u64 * count.div_ceil(DATES as u64);
        self.dates_at() + dates + self.kinds[..kind].iter().map(|kind| kind.buckets.end()).sum::<u64>()
    }

    /// Adds bytes of the file to others.
    fn read(&self, to: &mut Vec<u8>, at: u64, length: usize) -> Result<()> {
        let from = to.len();
        to.resize(from + length, 0);
        self.input.read(&mut to[from..], at).map_err(io(&self.path))
    }

    fn damaged(&self, place: u64, what: &'static str) -> Error {
        damaged(&self.path, place, what)
    }

    /// The record at a place.
    pub(super) fn record(&self, place: u32) -> Result<Stored> {
        let at = HEADER as u64 + self.records.start(place as usize);
        let mut bytes = Vec::new();
        self.read(&mut bytes, at, self.records.length(place as usize))?;
        Stored::new(self.numbers.number(place), bytes).ok_or_else(|| self.damaged(at, "a record does not check"))
    }

    /// The text of the record at a place.
    pub(super) fn text(&self, place: u32) -> Result<Option<Vec<u8>>> {
        let (at, length) = (self.texts_at() + self.texts.start(place as usize), self.texts.length(place as usize));
        if length == 0 {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        self.read(&mut bytes, at, length)?;
        match super::record::read_text(&bytes) {
            Ok(text) => Ok(Some(text)),
            Err(ArchiveFault::Damaged { what, .. }) => Err(self.damaged(at, what)),
            Err(fault) => Err(Error::Archive { path: self.path.clone(), fault }),
        }
    }

    /// Tells which of some keys may be here, and the buckets of these; asks memory only.
    pub(super) fn extents(&self, kind: usize, keys: &[u64], take: impl FnMut(usize, Extent)) {
        self.kinds[kind].extents(keys, take);
    }

    /// Gives the places of the records that hold a key of a bucket, in ascending order, until no more are wanted.
    pub(super) fn find(
        &self,
        kind: usize,
        key: u64,
        extent: Extent,
        buffer: &mut Vec<u8>,
        take: &mut dyn FnMut(u32) -> ControlFlow<()>,
    ) -> Result<()> {
        let start = self.postings_at(kind);
        let read = |to: &mut Vec<u8>, at: u64, length: usize| self.read(to, start + at, length);
        let mut bad = false;
        let count = self.len();
        let mut checked = |place| {
            if place < count {
                return take(place);
            }
            bad = true;
            ControlFlow::Break(())
        };
        match self.kinds[kind].find(key, extent, &read, buffer, &mut checked) {
            Err(Failure::Reading(error)) => Err(error),
            Err(Failure::Damaged(at)) => Err(self.damaged(start + at, "a list of articles does not check")),
            Ok(()) if bad => Err(self.damaged(start, "a list tells of articles that are not there")),
            Ok(()) => Ok(()),
        }
    }

    /// Whether records are older than a date; those without one never are.
    pub(super) fn older(&self, before: i64) -> Older {
        match self.dates {
            _ if self.dated == 0 => Older::None,
            (first, _) if first >= before => Older::None,
            (_, last) if last < before && self.dated == self.len() => Older::All,
            _ => Older::Some,
        }
    }

    /// Gives the places of the records that are older than a date.
    pub(super) fn find_older(&self, before: i64, take: &mut dyn FnMut(u32)) -> Result<()> {
        self.each_dates(&mut |first, dates| {
            let places = (first..).zip(dates);
            places.filter(|&(_, &date)| date < before && date != UNDATED).for_each(|(place, _)| take(place));
        })
    }

    /// Whether a record may be of some dates.
    pub(super) fn may_be_of(&self, dates: &RangeInclusive<i64>) -> bool {
        self.dated > 0 && self.dates.0 <= *dates.end() && self.dates.1 >= *dates.start()
    }

    /// The dates of the records, by their places. They stay in memory: whoever asks for them asks again.
    pub(super) fn dates(&self) -> Result<&[i64]> {
        if let Some(dates) = self.each_date.get() {
            return Ok(dates);
        }
        let mut dates = Vec::with_capacity(self.len() as usize);
        self.each_dates(&mut |_, some| dates.extend_from_slice(some))?;
        Ok(self.each_date.get_or_init(|| dates))
    }

    fn each_dates(&self, take: &mut dyn FnMut(u32, &[i64])) -> Result<()> {
        let (mut bytes, mut at) = (Vec::new(), self.dates_at());
        for first in (0..self.len()).step_by(64 * DATES) {
            let count = (self.len() - first).min(64 * DATES as u32) as usize;
            bytes.clear();
            self.read(&mut bytes, at, 8 * count + CHECK * count.div_ceil(DATES))?;
            for (chunk, bytes) in bytes.chunks(8 * DATES + CHECK).enumerate() {
                let place = at + (chunk * (8 * DATES + CHECK)) as u64;
                let dates = sealed(Of::Dates, 0, bytes).ok_or_else(|| self.damaged(place, "dates do not check"))?;
                let dates: Vec<i64> = dates.as_chunks::<8>().0.iter().map(|&date| i64::from_le_bytes(date)).collect();
                take(first + (chunk * DATES) as u32, &dates);
            }
            at += bytes.len() as u64;
        }
        Ok(())
    }

    /// Gives the bytes of all records, or all texts, with their places, after they were checked.
    fn each(
        &self,
        offsets: &Offsets,
        start: u64,
        of: Of,
        take: &mut dyn FnMut(u32, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let (mut first, mut bytes) = (0, Vec::new());
        while first < offsets.len() {
            let at = offsets.start(first);
            let mut end = first + 1;
            while end < offsets.len() && offsets.start(end + 1) - at <= RUN as u64 {
                end += 1;
            }
            bytes.clear();
            self.read(&mut bytes, start + at, (offsets.start(end) - at) as usize)?;
            for place in first..end {
                let from = (offsets.start(place) - at) as usize;
                let own = &bytes[from..from + offsets.length(place)];
                let checks = match of {
                    Of::Text => own.is_empty() || checks_text(own),
                    of => sealed(of, 0, own).is_some(),
                };
                if !checks {
                    return Err(self.damaged(start + at + from as u64, "a record or text does not check"));
                }
                take(place as u32, own)?;
            }
            first = end;
        }
        Ok(())
    }

    fn each_record(&self, take: &mut dyn FnMut(u32, &[u8]) -> Result<()>) -> Result<()> {
        self.each(&self.records, HEADER as u64, Of::Record, take)
    }

    fn each_text(&self, take: &mut dyn FnMut(u32, &[u8]) -> Result<()>) -> Result<()> {
        self.each(&self.texts, self.texts_at(), Of::Text, take)
    }

    /// Gives the postings of some buckets.
    fn each_posting(&self, kind: usize, buckets: Range<usize>, take: impl FnMut(u64, u32)) -> Result<()> {
        let (start, index) = (self.postings_at(kind), &self.kinds[kind]);
        let (at, end) = (index.buckets.start(buckets.start), index.buckets.start(buckets.end));
        let mut bytes = Vec::new();
        self.read(&mut bytes, start + at, (end - at) as usize)?;
        let decoded = index.decode(buckets, &bytes, take);
        decoded.map_err(|place| self.damaged(start + at + place, "a list of articles does not check"))
    }

    /// Checks every byte.
    pub(super) fn verify(&self) -> Result<()> {
        let (mut dated, mut first, mut last) = (0, i64::MAX, i64::MIN);
        let mut dates = Vec::new();
        self.each_dates(&mut |_, some| dates.extend_from_slice(some))?;
        self.each_record(&mut |place, bytes| {
            let at = HEADER as u64 + self.records.start(place as usize);
            let stored = Stored::new(self.numbers.number(place), bytes.to_vec());
            if stored.is_none() || dates.get(place as usize) != Some(&date(bytes)) {
                return Err(self.damaged(at, "a record is not what was written"));
            }
            Ok(())
        })?;
        dates.iter().filter(|&&date| date != UNDATED).for_each(|&date| {
            (dated, first, last) = (dated + 1, date.min(first), date.max(last));
        });
        if dated != self.dated || dated > 0 && self.dates != (first, last) {
            return Err(self.damaged(self.end, "the index tells other dates"));
        }
        self.each_text(&mut |_, _| Ok(()))?;
        for (kind, index) in self.kinds.iter().enumerate() {
            let (mut postings, mut keys, mut before, mut fits) = (0, 0, None, true);
            for first in (0..index.buckets.len()).step_by(1 << 12) {
                let buckets = first..(first + (1 << 12)).min(index.buckets.len());
                self.each_posting(kind, buckets, |key, place| {
                    postings += 1;
                    keys += u64::from(before.is_none_or(|(before, _)| before != key));
                    fits &= place < self.len() && before < Some((key, place)) && index.may_hold(key);
                    before = Some((key, place));
                })?;
            }
            if !fits || (postings, keys) != (index.postings, index.keys) {
                return Err(self.damaged(self.postings_at(kind), "lists of articles are not what was written"));
            }
        }
        Ok(())
    }

    pub(super) fn memory(&self) -> usize {
        let offsets = self.records.memory() + self.texts.memory() + self.numbers.memory();
        let dates = self.each_date.get().map_or(0, |dates| size_of_val(&dates[..]));
        offsets + dates + self.kinds.iter().map(Index::memory).sum::<usize>()
    }
}

/// A segment, and which of its records were removed.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) segment: Arc<Segment>,
    pub(super) dead: Arc<Dead>,
}

impl Part {
    pub(super) fn living(&self) -> u32 {
        self.segment.len() - self.dead.count()
    }
}

/// A place of no record.
const GONE: u32 = u32::MAX;

/// What lives of some segments, whose numbers follow each other, as one has it.
pub(super) struct Merged<'p> {
    parts: &'p [Part],
    /// For each part the places that its records will have.
    places: Vec<Vec<u32>>,
}

impl<'p> Merged<'p> {
    pub(super) fn new(parts: &'p [Part]) -> Self {
        let mut count = 0;
        let mut place = |part: &Part, old| {
            if part.dead.contains(old) {
                return GONE;
            }
            count += 1;
            count - 1
        };
        let places = parts.iter().map(|part| (0..part.segment.len()).map(|old| place(part, old)).collect()).collect();
        Self { parts, places }
    }
}

/// Merges sorted runs that end at such places into one. Of equal keys, those of earlier runs come first.
fn merge_runs(mut all: Vec<(u64, u32)>, mut ends: Vec<usize>) -> Vec<(u64, u32)> {
    let mut other = Vec::new();
    while ends.len() > 1 {
        // The two neighbours that are shortest together.
        let start = |run: usize| run.checked_sub(1).map_or(0, |before| ends[before]);
        let run = (0..ends.len() - 1).min_by_key(|&run| ends[run + 1] - start(run)).expect("two runs");
        let (start, middle, end) = (start(run), ends[run], ends[run + 1]);
        other.clear();
        other.extend_from_slice(&all[start..middle]);
        merge_run(&other, &mut all[start..end]);
        ends.remove(run);
    }
    all
}

/// Merges a run into another one, which stands at the end of where both will be.
fn merge_run(left: &[(u64, u32)], all: &mut [(u64, u32)]) {
    let (mut from_left, mut from_right) = (0, left.len());
    while from_left < left.len() && from_right < all.len() {
        let (one, other) = (left[from_left], all[from_right]);
        // Which of the two is anybody's guess: without a branch.
        let is_left = one.0 <= other.0;
        all[from_left + from_right - left.len()] = std::hint::select_unpredictable(is_left, one, other);
        from_left += usize::from(is_left);
        from_right += usize::from(!is_left);
    }
    let at = from_left + from_right - left.len();
    let rest = &left[from_left..];
    all[at..at + rest.len()].copy_from_slice(rest);
}

impl Content for Merged<'_> {
    fn records(&self, take: &mut dyn FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
        self.parts.iter().zip(&self.places).try_for_each(|(part, places)| {
            part.segment.each_record(&mut |old, bytes| match places[old as usize] {
                GONE => Ok(()),
                _ => take(part.segment.numbers.number(old), bytes),
            })
        })
    }

    fn texts(&self, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.parts.iter().zip(&self.places).try_for_each(|(part, places)| {
            part.segment.each_text(&mut |old, bytes| match places[old as usize] {
                GONE => Ok(()),
                _ => take(bytes),
            })
        })
    }

    fn keys(&self, kind: usize) -> (u64, u64) {
        self.parts.iter().fold((0, 0), |(keys, postings), part| {
            let index = &part.segment.kinds[kind];
            (keys + index.keys, postings + index.postings)
        })
    }

    fn postings(&self, kind: usize, chunk_bits: u32) -> Postings<'_> {
        Box::new(move |chunk| {
            let expected = self.keys(kind).1 >> chunk_bits;
            let mut all = Vec::with_capacity((expected + expected / 8) as usize);
            let mut ends = Vec::with_capacity(self.parts.len());
            for (part, places) in self.parts.iter().zip(&self.places) {
                let index = &part.segment.kinds[kind];
                let own_bits = index.buckets.len().ilog2();
                // A bucket of a small segment is more than a chunk of a large one.
                let buckets = match own_bits.checked_sub(chunk_bits) {
                    Some(more) => chunk << more..(chunk + 1) << more,
                    None => {
                        let bucket = chunk >> (chunk_bits - own_bits);
                        bucket..bucket + 1
                    }
                };
                let mut fits = true;
                part.segment.each_posting(kind, buckets, |key, old| match places.get(old as usize) {
                    None => fits = false,
                    Some(&GONE) => {}
                    Some(&place) => {
                        if own_bits >= chunk_bits || chunk_of(key, index.width, chunk_bits) == chunk {
                            all.push((key, place));
                        }
                    }
                })?;
                if !fits {
                    let at = part.segment.postings_at(kind);
                    return Err(part.segment.damaged(at, "a list tells of articles that are not there"));
                }
                ends.push(all.len());
            }
            Ok(merge_runs(all, ends))
        })
    }
}

/// The bits by which an id is looked up.
pub(super) const ID_WIDTH: u32 = 48;

/// The key by which an id is looked up.
pub(super) fn id_key(id: &[u8]) -> u64 {
    checksum(Of::Id, 0, id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_become_one_and_equal_keys_stay_in_their_order(runs in prop::collection::vec(prop::collection::vec(0u64..50, 0..80), 0..6)) {
            let (mut all, mut ends) = (Vec::new(), Vec::new());
            for mut run in runs {
                run.sort_unstable();
                all.extend(run.into_iter().zip(all.len() as u32..));
                ends.push(all.len());
            }
            let mut expected = all.clone();
            expected.sort();
            prop_assert_eq!(merge_runs(all, ends), expected);
        }
    }
}
