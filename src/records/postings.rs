//! Which records hold a key: buckets of keys in a segment, found by the first bits of a key and read one at a time.
//!
//! Keys are spread by a permutation first, so that all buckets are about as full whatever the keys are. A bucket holds what is
//! left of its keys in the way of Elias and Fano, some 23 bits for a key of 48 among 10⁸; for each a bit that says whether
//! one record holds it, and a slot with that record's place, or with the place of a list in the bucket. Lists of
//! more than [`LONG`] stand behind their bucket in blocks, so that a key which all articles hold costs its neighbours nothing.
//!
//! | a bucket | |
//! | --- | --- |
//! | number | keys |
//! | byte | bits of a slot |
//! | number | bytes of lists |
//! | bits | for each value of the next [`HIGH`] bits of a key a 1 for each key that has it, then a 0 |
//! | bits | the lower bits of each key |
//! | bits | whether one record holds the key |
//! | bits | slots |
//! | lists | number of records; their places, each as its distance from the one before; or bytes to the blocks and of all blocks |
//! | 8 bytes | checksum |
//! | blocks | bytes of distances, the distances, checksum |
//!
//! An empty bucket has no bytes.

use std::hint::black_box;
use std::ops::ControlFlow::{self, Break, Continue};

use super::bytes::{Bits, CHECK, Cursor, Of, bits, put_number, seal, sealed};
use super::offsets::Offsets;
use crate::hash::mix;

/// Keys that a bucket has, at least on average. From so many to twice as many.
const KEYS: u64 = 48;
/// Bits of a key by which it is found in its bucket.
const HIGH: u32 = 6;
/// Records of a list that stands in its bucket.
const LONG: usize = 64;
/// Records of a block of a longer one.
const BLOCK: usize = 256;
/// Bytes that are read of a bucket at once; few have more before their blocks.
const FIRST: usize = 1024;

/// A permutation of the numbers of so many bits.
pub(super) fn spread(key: u64, width: u32) -> u64 {
    let mask = u64::MAX >> (64 - width);
    let half = width / 2;
    let mut key = key & mask;
    for factor in [0x3c79_ac49_2ba7_b653, 0x1c69_b3f7_4ac4_ae35] {
        key = (key ^ key >> half).wrapping_mul(factor) & mask;
    }
    key ^ key >> half
}

/// A filter of the keys of one kind: eight bits a key, of which five are read, all in one line of the cache. It takes one
/// in some forty keys that are not there for one that is.
///
/// Lines are in the order of the keys, so that who puts them in in their order has what he needs in the cache.
#[derive(Debug)]
pub(super) struct Filter {
    /// Bits of a key.
    width: u32,
    lines: Vec<[u64; 8]>,
}

impl Filter {
    pub(super) fn new(width: u32, keys: u64) -> Self {
        Self { width, lines: vec![[0; 8]; keys.div_ceil(64).max(1) as usize] }
    }

    #[inline]
    fn line(&self, key: u64) -> usize {
        ((u128::from(key << (64 - self.width)) * self.lines.len() as u128) >> 64) as usize
    }

    /// The bits of a line that are set for a key, each as its word and its bit in there.
    #[inline]
    fn bits(key: u64) -> impl Iterator<Item = (usize, u32)> {
        let hash = mix(key);
        (0..5).map(move |at| (hash >> (9 * at) & 0x1ff) as u32).map(|bit| (bit as usize / 64, bit % 64))
    }

    fn insert(&mut self, key: u64) {
        let line = self.line(key);
        Self::bits(key).for_each(|(word, bit)| self.lines[line][word] |= 1 << bit);
    }

    #[inline]
    fn may_hold(&self, key: u64) -> bool {
        let line = &self.lines[self.line(key)];
        Self::bits(key).fold(1, |all, (word, bit)| all & line[word] >> bit) & 1 == 1
    }
}

/// What is known of all postings of one kind in a segment.
#[derive(Debug)]
pub(super) struct Index {
    /// Bits of a key.
    pub(super) width: u32,
    /// Bits of a key that tell its bucket.
    bucket_bits: u32,
    /// Different keys, and postings of all.
    pub(super) keys: u64,
    pub(super) postings: u64,
    pub(super) buckets: Offsets,
    filter: Option<Filter>,
}

/// How keys are found in a bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    width: u32,
    bucket_bits: u32,
}

impl Shape {
    /// For about so many keys.
    pub(super) fn of(width: u32, keys: u64) -> Self {
        Self { width, bucket_bits: (keys / KEYS).max(1).ilog2().min(width).min(31) }
    }

    pub(super) fn bucket_bits(self) -> u32 {
        self.bucket_bits
    }

    /// The bits of a key that its bucket does not tell.
    fn rest(self) -> u32 {
        self.width - self.bucket_bits
    }

    fn high(self) -> u32 {
        self.rest().min(HIGH)
    }

    fn low(self) -> u32 {
        self.rest() - self.high()
    }

    /// The first bits of a key, of which some tell its bucket.
    fn bucket(self, key: u64) -> u64 {
        key.checked_shr(self.rest()).unwrap_or(0)
    }
}

/// Buckets that follow each other, as bytes.
#[derive(Debug, Default)]
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    pub(super) lengths: Vec<usize>,
    /// Each of the keys.
    pub(super) keys: Vec<u64>,
    pub(super) postings: u64,
}

/// Writes some buckets: those from one up to another, of keys above the places of their records, sorted.
pub(super) fn encode(shape: Shape, buckets: std::ops::Range<u64>, sorted: &[(u64, u32)]) -> Encoded {
    let mut encoded = Encoded { postings: sorted.len() as u64, ..Encoded::default() };
    encoded.bytes.reserve(6 * sorted.len());
    encoded.keys.reserve(sorted.len());
    let (mut rest, mut scratch) = (sorted, Scratch::default());
    for bucket in buckets {
        let end = rest.iter().position(|&(key, _)| shape.bucket(key) > bucket).unwrap_or(rest.len());
        let (own, later) = rest.split_at(end);
        rest = later;
        let start = encoded.bytes.len();
        if !own.is_empty() {
            encode_bucket(shape, own, &mut scratch, &mut encoded);
        }
        encoded.lengths.push(encoded.bytes.len() - start);
    }
    encoded
}

/// What the parts of a bucket are gathered in, one bucket after the other.
#[derive(Debug, Default)]
struct Scratch {
    highs: Bits,
    lows: Bits,
    singles: Bits,
    packed: Bits,
    slots: Vec<u64>,
    lists: Vec<u8>,
    blocks: Vec<u8>,
    block: Vec<u8>,
}

fn encode_bucket(shape: Shape, sorted: &[(u64, u32)], scratch: &mut Scratch, encoded: &mut Encoded) {
    let (high, low) = (shape.high(), shape.low());
    let mask = |bits: u32| (1u64 << bits) - 1;
    let Scratch { highs, lows, singles, packed, slots, lists, blocks, block } = scratch;
    slots.clear();
    let (mut keys, mut value) = (0, 0);
    for list in sorted.chunk_by(|a, b| a.0 == b.0) {
        let key = list[0].0;
        encoded.keys.push(key);
        keys += 1;
        let zeros = ((key >> low) & mask(high)) as u32 - value;
        value += zeros;
        highs.put(1 << zeros, zeros + 1);
        lows.put(key & mask(low), low);
        singles.put(u64::from(list.len() == 1), 1);
        if let [(_, place)] = list {
            slots.push(u64::from(*place));
            continue;
        }
        slots.push(lists.len() as u64);
        put_number(lists, list.len() as u64);
        let mut last = 0;
        let mut distances = list.iter().map(|&(_, place)| {
            let distance = place - last;
            last = place;
            u64::from(distance)
        });
        if list.len() <= LONG {
            distances.for_each(|distance| put_number(lists, distance));
            continue;
        }
        let at = blocks.len();
        for length in std::iter::repeat_n(BLOCK, list.len() / BLOCK).chain([list.len() % BLOCK]) {
            distances.by_ref().take(length).for_each(|distance| put_number(block, distance));
            if length > 0 {
                let from = blocks.len();
                blocks.extend((block.len() as u16).to_le_bytes());
                blocks.append(block);
                seal(Of::List, key, blocks, from);
            }
        }
        put_number(lists, at as u64);
        put_number(lists, (blocks.len() - at) as u64);
    }
    highs.put(0, (1 << high) - value);
    let slot_bits = slots.iter().fold(0, |all, slot| all | slot).checked_ilog2().map_or(0, |bits| bits + 1);
    let from = encoded.bytes.len();
    put_number(&mut encoded.bytes, keys);
    encoded.bytes.push(slot_bits as u8);
    put_number(&mut encoded.bytes, lists.len() as u64);
    // Each begins with a byte of its own: three bytes at most for a simple place of each.
    highs.finish(&mut encoded.bytes);
    lows.finish(&mut encoded.bytes);
    singles.finish(&mut encoded.bytes);
    slots.drain(..).for_each(|slot| packed.put(slot, slot_bits));
    packed.finish(&mut encoded.bytes);
    encoded.bytes.append(lists);
    seal(Of::Bucket, 0, &mut encoded.bytes, from);
    encoded.bytes.append(blocks);
}

/// A bucket, up to its blocks.
struct Bucket<'b> {
    keys: usize,
    highs: &'b [u8],
    lows: &'b [u8],
    singles: &'b [u8],
    slots: &'b [u8],
    slot_bits: u32,
    lists: &'b [u8],
    /// Bytes up to the blocks.
    length: usize,
}

/// The records that hold a key of a bucket.
enum Holders<'b> {
    One(u32),
    /// So many, and their distances.
    Few(u64, Cursor<'b>),
    /// So many, and the bytes of their blocks after the bucket.
    Many(u64, std::ops::Range<usize>),
}

impl<'b> Bucket<'b> {
    /// The bytes that a bucket has before its blocks, if its beginning tells.
    fn length(shape: Shape, bytes: &[u8]) -> Option<usize> {
        let mut cursor = Cursor(bytes);
        let (keys, slot_bits) = (usize::try_from(cursor.number()?).ok()?, cursor.array::<1>()?[0]);
        let lists = usize::try_from(cursor.number()?).ok()?;
        let packed = Self::parts(shape, keys, slot_bits.into())?.iter().sum::<usize>();
        (bytes.len() - cursor.0.len()).checked_add(packed)?.checked_add(lists)?.checked_add(CHECK)
    }

    /// Bytes of highs, lows, singles and slots.
    fn parts(shape: Shape, keys: usize, slot_bits: u32) -> Option<[usize; 4]> {
        let bytes = |width: u32| Some(keys.checked_mul(width as usize)?.div_ceil(8));
        Some([keys.checked_add(1 << shape.high())?.div_ceil(8), bytes(shape.low())?, bytes(1)?, bytes(slot_bits)?])
    }

    fn read(shape: Shape, bytes: &'b [u8]) -> Option<Self> {
        let length = Self::length(shape, bytes)?;
        let mut cursor = Cursor(sealed(Of::Bucket, 0, bytes.get(..length)?)?);
        let (keys, slot_bits) = (usize::try_from(cursor.number()?).ok()?, u32::from(cursor.array::<1>()?[0]));
        let lists = usize::try_from(cursor.number()?).ok()?;
        let [highs, lows, singles, slots] = Self::parts(shape, keys, slot_bits)?;
        let mut take = |length| cursor.take(length);
        let (highs, lows, singles) = (take(highs)?, take(lows)?, take(singles)?);
        let (slots, lists) = (take(slots)?, take(lists)?);
        (slot_bits <= 64).then_some(Self { keys, highs, lows, singles, slots, slot_bits, lists, length })
    }

    /// Which of its keys this is.
    fn find(&self, shape: Shape, key: u64) -> Option<usize> {
        let mask = |bits: u32| (1u64 << bits) - 1;
        let (high, low) = ((key >> shape.low()) & mask(shape.high()), key & mask(shape.low()));
        // After the 0 of the value before.
        let (mut at, mut zeros) = (0, high);
        while zeros > 0 {
            let mut word = !bits(self.highs, at, 64);
            let count = u64::from(word.count_ones());
            if count < zeros {
                zeros -= count;
                at += 64;
                continue;
            }
            (1..zeros).for_each(|_| word &= word - 1);
            at += word.trailing_zeros() as usize + 1;
            zeros = 0;
        }
        let first = at - high as usize;
        let width = shape.low() as usize;
        (first..self.keys)
            .take_while(|own| bits(self.highs, own + high as usize, 1) == 1)
            .map(|own| (own, bits(self.lows, own * width, shape.low())))
            .find(|&(_, own)| own >= low)
            .filter(|&(_, own)| own == low)
            .map(|(own, _)| own)
    }

    fn holders(&self, own: usize) -> Option<Holders<'b>> {
        let slot = bits(self.slots, own * self.slot_bits as usize, self.slot_bits);
        if bits(self.singles, own, 1) == 1 {
            return Some(Holders::One(u32::try_from(slot).ok()?));
        }
        let mut list = Cursor(self.lists.get(usize::try_from(slot).ok()?..)?);
        let count = list.number()?;
        if count <= LONG as u64 {
            return Some(Holders::Few(count, list));
        }
        let (start, length) = (usize::try_from(list.number()?).ok()?, usize::try_from(list.number()?).ok()?);
        Some(Holders::Many(count, start..start.checked_add(length)?))
    }

    /// Gives all keys, in their order, with which of them each is.
    fn each_key(&self, shape: Shape, bucket: u64, mut take: impl FnMut(usize, u64) -> Option<()>) -> Option<()> {
        let first = bucket.checked_shl(shape.rest()).unwrap_or(0);
        let (mut at, mut word, mut before) = (0, bits(self.highs, 0, 64), None);
        for own in 0..self.keys {
            while word == 0 {
                at += 64;
                (at < 8 * self.highs.len()).then_some(())?;
                word = bits(self.highs, at, 64);
            }
            let high = (at + word.trailing_zeros() as usize).checked_sub(own)? as u64;
            word &= word - 1;
            (high < 1 << shape.high()).then_some(())?;
            let key = first | high << shape.low() | bits(self.lows, own * shape.low() as usize, shape.low());
            before.is_none_or(|before| before < key).then_some(())?;
            before = Some(key);
            take(own, key)?;
        }
        Some(())
    }
}

/// Reads so many bytes from a place, in the postings of a kind, into others.
pub(super) type Read<'r, E> = &'r dyn Fn(&mut Vec<u8>, u64, usize) -> Result<(), E>;

/// Where a bucket with its blocks is in the postings of its kind.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extent {
    at: u64,
    length: u32,
}

impl Extent {
    pub(super) fn is_empty(self) -> bool {
        self.length == 0
    }
}

/// Why a key could not be looked up.
pub(super) enum Failure<E> {
    Reading(E),
    /// What stands at a place of the postings is not what was written.
    Damaged(u64),
}

impl<E> From<E> for Failure<E> {
    fn from(error: E) -> Self {
        Self::Reading(error)
    }
}

/// The places that distances lead to, in ascending order; nothing after an end that comes too early.
fn places(
    count: u64,
    cursor: &mut Cursor,
    last: &mut u64,
    mut take: impl FnMut(u32) -> ControlFlow<()>,
) -> Option<ControlFlow<()>> {
    for _ in 0..count {
        *last = last.checked_add(cursor.number()?)?;
        if take(u32::try_from(*last).ok()?).is_break() {
            return Some(Break(()));
        }
    }
    Some(Continue(()))
}

/// Gives all postings of a bucket.
fn decode_bucket(shape: Shape, number: u64, extent: &[u8], take: &mut impl FnMut(u64, u32)) -> Option<()> {
    let bucket = Bucket::read(shape, extent)?;
    let mut blocks = Cursor(&extent[bucket.length..]);
    bucket.each_key(shape, number, |own, key| {
        let mut take = |place| {
            take(key, place);
            Continue(())
        };
        match bucket.holders(own)? {
            Holders::One(place) => _ = take(place),
            Holders::Few(count, mut cursor) => _ = places(count, &mut cursor, &mut 0, take)?,
            Holders::Many(count, _) => {
                let (mut left, mut last) = (count, 0);
                while left > 0 {
                    let length = usize::from(u16::from_le_bytes(*blocks.0.first_chunk()?));
                    let block = sealed(Of::List, key, blocks.take(length + 2 + CHECK)?)?;
                    let count = left.min(BLOCK as u64);
                    let _ = places(count, &mut Cursor(&block[2..]), &mut last, &mut take)?;
                    left -= count;
                }
            }
        }
        Some(())
    })?;
    blocks.0.is_empty().then_some(())
}

impl Index {
    pub(super) fn new(shape: Shape, filter: Option<Filter>) -> Self {
        let Shape { width, bucket_bits } = shape;
        Self { width, bucket_bits, keys: 0, postings: 0, buckets: Offsets::default(), filter }
    }

    pub(super) fn shape(&self) -> Shape {
        Shape { width: self.width, bucket_bits: self.bucket_bits }
    }

    /// Takes note of buckets that were written behind all others.
    pub(super) fn push(&mut self, encoded: &Encoded) -> Option<()> {
        for &length in &encoded.lengths {
            self.buckets.push(length as u64)?;
        }
        self.keys += encoded.keys.len() as u64;
        self.postings += encoded.postings;
        if let Some(filter) = &mut self.filter {
            encoded.keys.iter().for_each(|&key| filter.insert(key));
        }
        Some(())
    }

    /// Whether a key may be here; asks memory only.
    #[inline]
    pub(super) fn may_hold(&self, key: u64) -> bool {
        match &self.filter {
            Some(filter) => filter.may_hold(key),
            None => true,
        }
    }

    /// Tells which of some keys may be here, and the buckets of these; asks memory only.
    pub(super) fn extents(&self, keys: &[u64], mut take: impl FnMut(usize, Extent)) {
        if let Some(filter) = &self.filter {
            // Each line comes from far away. A loop that does nothing else fetches many at a time; one that tests them as well
            // waits for each.
            black_box(keys.iter().fold(0, |all, &key| all ^ filter.lines[filter.line(key)][0]));
        }
        for (at, &key) in keys.iter().enumerate().filter(|&(_, &key)| self.may_hold(key)) {
            take(at, self.extent(key));
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.buckets.memory() + self.filter.as_ref().map_or(0, |filter| size_of_val(&filter.lines[..]))
    }

    /// Where the bucket of a key is.
    fn extent(&self, key: u64) -> Extent {
        let bucket = self.shape().bucket(key) as usize;
        Extent { at: self.buckets.start(bucket), length: self.buckets.length(bucket) as u32 }
    }

    /// Gives the places of the records that hold a key, in ascending order, until no more are wanted. `buffer` is scratch.
    pub(super) fn find<E>(
        &self,
        key: u64,
        extent: Extent,
        read: Read<E>,
        buffer: &mut Vec<u8>,
        take: &mut dyn FnMut(u32) -> ControlFlow<()>,
    ) -> Result<(), Failure<E>> {
        let shape = self.shape();
        if extent.is_empty() {
            return Ok(());
        }
        let (at, extent) = (extent.at, extent.length as usize);
        let damaged = Failure::Damaged(at);
        buffer.clear();
        read(buffer, at, extent.min(FIRST))?;
        match Bucket::length(shape, buffer) {
            Some(length) if length > extent => return Err(damaged),
            Some(length) if length > buffer.len() => {
                buffer.clear();
                read(buffer, at, length)?;
            }
            _ => {}
        }
        let Some(bucket) = Bucket::read(shape, buffer) else { return Err(damaged) };
        let Some(own) = bucket.find(shape, key) else { return Ok(()) };
        match bucket.holders(own) {
            None => Err(damaged),
            Some(Holders::One(place)) => {
                let _ = take(place);
                Ok(())
            }
            Some(Holders::Few(count, mut cursor)) => {
                places(count, &mut cursor, &mut 0, take).map(|_| ()).ok_or(damaged)
            }
            Some(Holders::Many(count, range)) => {
                let start = at + bucket.length as u64;
                if bucket.length.checked_add(range.end).is_none_or(|end| end > extent) {
                    return Err(damaged);
                }
                let (start, all) = (start + range.start as u64, range.len());
                let (mut left, mut last, mut done) = (count, 0, 0);
                // Who wants a few has the first block with the first reading; who wants all, with few readings.
                let mut piece = FIRST;
                let mut unread = Vec::new();
                while left > 0 {
                    let Some(length) = unread
                        .first_chunk()
                        .map(|&length| usize::from(u16::from_le_bytes(length)) + 2 + CHECK)
                        .filter(|&length| length <= unread.len())
                    else {
                        let more = piece.min(all - done);
                        if more == 0 {
                            return Err(Failure::Damaged(start + done as u64));
                        }
                        read(&mut unread, start + done as u64, more)?;
                        done += more;
                        piece = (2 * piece).min(1 << 20);
                        continue;
                    };
                    let place = start + (done - unread.len()) as u64;
                    let block = sealed(Of::List, key, &unread[..length]).ok_or(Failure::Damaged(place))?;
                    let count = left.min(BLOCK as u64);
                    match places(count, &mut Cursor(&block[2..]), &mut last, &mut *take) {
                        None => return Err(Failure::Damaged(place)),
                        Some(Break(())) => return Ok(()),
                        Some(Continue(())) => left -= count,
                    }
                    unread.drain(..length);
                }
                Ok(())
            }
        }
    }

    /// All postings of some buckets, from their bytes: keys above places, in ascending order. Every byte is checked. What is
    /// given of damage is the place in `bytes`.
    pub(super) fn decode(
        &self,
        buckets: std::ops::Range<usize>,
        bytes: &[u8],
        mut take: impl FnMut(u64, u32),
    ) -> Result<(), u64> {
        let shape = self.shape();
        let start = self.buckets.start(buckets.start);
        for bucket in buckets {
            let at = self.buckets.start(bucket) - start;
            let extent =
                bytes.get(at as usize..).and_then(|bytes| bytes.get(..self.buckets.length(bucket))).ok_or(at)?;
            if !extent.is_empty() {
                decode_bucket(shape, bucket as u64, extent, &mut take).ok_or(at)?;
            }
        }
        Ok(())
    }

    pub(super) fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend([self.width as u8, self.bucket_bits as u8]);
        [self.keys, self.postings].into_iter().for_each(|number| put_number(bytes, number));
        self.buckets.put(bytes);
        let lines = self.filter.as_ref().map_or(&[][..], |filter| &filter.lines);
        put_number(bytes, lines.len() as u64);
        lines.iter().flatten().for_each(|word| bytes.extend(word.to_le_bytes()));
    }

    pub(super) fn read(cursor: &mut Cursor) -> Option<Self> {
        let [width, bucket_bits] = cursor.array()?.map(u32::from);
        let (keys, postings) = (cursor.number()?, cursor.number()?);
        let buckets = Offsets::read(cursor)?;
        let lines = usize::try_from(cursor.number()?).ok()?;
        let lines = cursor.take(lines.checked_mul(64)?)?.as_chunks::<64>().0;
        let line = |line: &[u8; 64]| {
            let mut words = [0; 8];
            words.iter_mut().zip(line.as_chunks::<8>().0).for_each(|(word, &bytes)| *word = u64::from_le_bytes(bytes));
            words
        };
        let fits = (16..=64).contains(&width) && bucket_bits <= width.min(31) && buckets.len() == 1 << bucket_bits;
        let filter = (!lines.is_empty()).then(|| Filter { width, lines: lines.iter().map(line).collect() });
        fits.then_some(Self { width, bucket_bits, keys, postings, buckets, filter })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};
    use std::convert::Infallible;

    /// All postings of an index over bytes, by looking up.
    fn found(index: &Index, bytes: &[u8], key: u64) -> Vec<u32> {
        let (mut found, mut buffer) = (Vec::new(), Vec::new());
        let read = |to: &mut Vec<u8>, at: u64, length: usize| {
            to.extend(&bytes[at as usize..at as usize + length]);
            Ok::<(), Infallible>(())
        };
        let mut take = |place| {
            found.push(place);
            Continue(())
        };
        assert!(index.find(key, index.extent(key), &read, &mut buffer, &mut take).is_ok());
        found
    }

    fn check(width: u32, postings: &BTreeSet<(u64, u32)>, guess: u64, others: &[u64]) -> Result<(), TestCaseError> {
        let sorted: Vec<(u64, u32)> = postings.iter().copied().collect();
        let shape = Shape::of(width, guess);
        let encoded = encode(shape, 0..1 << shape.bucket_bits(), &sorted);
        let mut index = Index::new(shape, guess.is_multiple_of(2).then(|| Filter::new(width, guess)));
        index.push(&encoded).unwrap();
        let mut head = Vec::new();
        index.put(&mut head);
        let index = Index::read(&mut Cursor(&head)).unwrap();
        let mut holders: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        postings.iter().for_each(|&(key, place)| holders.entry(key).or_default().push(place));
        prop_assert_eq!((index.keys, index.postings), (holders.len() as u64, postings.len() as u64));
        for (&key, places) in &holders {
            prop_assert!(index.may_hold(key));
            prop_assert_eq!(&found(&index, &encoded.bytes, key), places);
        }
        for &key in others {
            prop_assert_eq!(found(&index, &encoded.bytes, key), holders.get(&key).cloned().unwrap_or_default());
        }
        let mut all = Vec::new();
        prop_assert_eq!(
            index.decode(0..1 << shape.bucket_bits(), &encoded.bytes, |key, place| all.push((key, place))),
            Ok(())
        );
        prop_assert_eq!(all, sorted);
        Ok(())
    }

    proptest! {
        #[test]
        fn keys_are_spread_one_to_one(keys in prop::collection::btree_set(any::<u64>(), 2), width in 16u32..=64) {
            let mask = u64::MAX >> (64 - width);
            let [left, right] = [0, 1].map(|at| keys.iter().nth(at).unwrap() & mask);
            prop_assert!(spread(left, width) <= mask);
            prop_assert_eq!(left == right, spread(left, width) == spread(right, width));
        }

        #[test]
        fn all_that_was_put_in_is_found_and_nothing_else(
            width in 16u32..=64, keys in prop::collection::vec((any::<u64>(), prop::collection::btree_set(any::<u32>(), 1..5)), 0..300),
            guess in 0u64..2000, others in prop::collection::vec(any::<u64>(), 20), near in any::<bool>(),
        ) {
            // Keys beside each other are all in one bucket.
            let of = |key: u64| if near { key % 500 } else { spread(key, width) };
            let postings = keys.iter().flat_map(|(key, places)| places.iter().map(move |&place| (of(*key), place))).collect();
            let others: Vec<u64> = others.into_iter().map(of).collect();
            check(width, &postings, guess, &others)?;
        }

        #[test]
        fn long_lists_are_found(lengths in prop::collection::vec(1u32..1500, 1..6), step in 1u32..9000) {
            let lists = lengths.iter().enumerate();
            let postings = lists.flat_map(|(key, &length)| (0..length).map(move |at| (key as u64 * 3, at * step))).collect();
            check(32, &postings, 100, &[1, 4, 900])?;
        }
    }

    #[test]
    fn the_permutation_of_sixteen_bits_is_one() {
        let spread: BTreeSet<u64> = (0..1 << 16).map(|key| spread(key, 16)).collect();
        assert_eq!(spread.len(), 1 << 16);
    }

    #[test]
    fn filters_let_few_pass() {
        let mut filter = Filter::new(48, 100_000);
        (0..100_000).for_each(|key| filter.insert(spread(key, 48)));
        assert!((0..100_000).all(|key| filter.may_hold(spread(key, 48))));
        let passed = (100_000..300_000).filter(|&key| filter.may_hold(spread(key, 48))).count();
        assert!(passed < 200_000 / 28, "{passed}");
    }
}
