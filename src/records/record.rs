//! A record and its bytes, which are the same in memory, in the journal and in every segment.

use std::ops::Range;

use super::bytes::{CHECK, Cursor, Of, put_bytes, put_number, seal, sealed};
use crate::error::ArchiveFault;

/// Bytes that a record, or a text, may have.
const MOST_BYTES: u64 = 1 << 25;

/// So many bytes are too many to be kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TooLarge {
    pub bytes: u64,
    pub most: u64,
}

impl From<TooLarge> for ArchiveFault {
    fn from(TooLarge { bytes, most }: TooLarge) -> Self {
        Self::TooLarge { bytes, most }
    }
}

/// Refuses so many bytes of a record, or of a text as it was given, if they are too many.
pub(crate) fn check_bytes(bytes: usize) -> Result<(), TooLarge> {
    let (bytes, most) = (bytes as u64, MOST_BYTES);
    if bytes > most { Err(TooLarge { bytes, most }) } else { Ok(()) }
}

/// The date of a record that has none.
pub(super) const UNDATED: i64 = i64::MIN;

/// What is kept of an article, and by which keys it is found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Record<'r> {
    /// A label, which others may bear too.
    pub id: &'r [u8],
    /// In seconds; the lowest of all numbers means none.
    pub date: Option<i64>,
    /// Where it was published.
    pub source: Option<&'r [u8]>,
    /// Whatever is needed to compare it.
    pub sketch: &'r [u8],
    /// Its text, if that is kept.
    pub text: Option<&'r Text>,
    /// For each kind the keys by which it is found, in any order.
    pub keys: &'r [&'r [u64]],
}

impl Record<'_> {
    /// Refuses one that is too large to be kept.
    pub(crate) fn check(&self) -> Result<(), TooLarge> {
        check_bytes(self.id.len() + self.source.map_or(0, <[u8]>::len) + self.sketch.len())?;
        check_bytes(self.text.map_or(0, |text| text.bytes().len()))
    }
}

/// A text as it is kept. To make one takes time and needs no archive, so that many threads can do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(Vec<u8>);

const PLAIN: u8 = 0;
const DEFLATED: u8 = 1;

impl Text {
    /// A text as it is.
    pub fn plain(text: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(1 + text.len() + CHECK);
        bytes.push(PLAIN);
        bytes.extend_from_slice(text);
        seal(Of::Text, 0, &mut bytes, 0);
        Self(bytes)
    }

    /// A text in fewer bytes.
    #[cfg(feature = "compress")]
    pub fn compressed(text: &[u8]) -> Self {
        match deflated(text) {
            Some(mut bytes) => {
                seal(Of::Text, 0, &mut bytes, 0);
                Self(bytes)
            }
            None => Self::plain(text),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Of zlib. The next one saves a fiftieth and takes a seventh longer, the one before takes half as long and saves two thirds as much.
#[cfg(feature = "compress")]
const LEVEL: u32 = 2;

/// Whether the bytes of a text check.
pub(super) fn checks_text(bytes: &[u8]) -> bool {
    sealed(Of::Text, 0, bytes).is_some_and(|text| text.first().is_some_and(|&codec| codec <= DEFLATED))
}

/// The text that is kept as such bytes.
pub(super) fn read_text(bytes: &[u8]) -> Result<Vec<u8>, ArchiveFault> {
    let damaged = ArchiveFault::Damaged { place: 0, what: "a text does not check" };
    match sealed(Of::Text, 0, bytes).and_then(<[u8]>::split_first) {
        Some((&PLAIN, text)) => Ok(text.to_vec()),
        #[cfg(feature = "compress")]
        Some((&DEFLATED, deflated)) => inflated(deflated).ok_or(damaged),
        #[cfg(not(feature = "compress"))]
        Some((&DEFLATED, _)) => Err(ArchiveFault::Compressed),
        _ => Err(damaged),
    }
}

/// A text in fewer bytes, behind the byte that says so; none if it takes more.
#[cfg(feature = "compress")]
fn deflated(text: &[u8]) -> Option<Vec<u8>> {
    use flate2::{Compress, Compression, FlushCompress, Status};
    use std::cell::RefCell;
    thread_local! {
        /// To make its tables anew takes as long as to deflate a short text.
        static DEFLATE: RefCell<Compress> = RefCell::new(Compress::new(Compression::new(LEVEL), false));
    }
    let mut bytes = Vec::with_capacity(1 + text.len());
    bytes.push(DEFLATED);
    let ended = DEFLATE.with_borrow_mut(|deflate| {
        deflate.reset();
        deflate.compress_vec(text, &mut bytes, FlushCompress::Finish)
    });
    bytes.shrink_to_fit();
    matches!(ended, Ok(Status::StreamEnd)).then_some(bytes)
}

/// What was deflated; none if nothing was.
#[cfg(feature = "compress")]
fn inflated(deflated: &[u8]) -> Option<Vec<u8>> {
    use flate2::{Decompress, FlushDecompress, Status};
    use std::cell::RefCell;
    thread_local! {
        /// It has a window of its own: to make a new one takes as long as a short text.
        static INFLATE: RefCell<Decompress> = RefCell::new(Decompress::new(false));
    }
    INFLATE.with_borrow_mut(|inflate| {
        inflate.reset(false);
        let mut text = Vec::with_capacity(3 * deflated.len());
        loop {
            let rest = deflated.get(inflate.total_in() as usize..)?;
            match inflate.decompress_vec(rest, &mut text, FlushDecompress::Finish).ok()? {
                Status::StreamEnd => return Some(text),
                // There is no more to read, and no want of room.
                _ if text.len() < text.capacity() => return None,
                _ => text.reserve(text.len().max(64)),
            }
        }
    })
}

/// Adds all of a record but its text and its keys.
pub(super) fn put(record: &Record, bytes: &mut Vec<u8>) {
    let from = bytes.len();
    bytes.extend(record.date.unwrap_or(UNDATED).to_le_bytes());
    put_bytes(bytes, record.id);
    put_number(bytes, record.source.map_or(0, |source| source.len() as u64 + 1));
    bytes.extend_from_slice(record.source.unwrap_or_default());
    bytes.extend_from_slice(record.sketch);
    seal(Of::Record, 0, bytes, from);
}

/// The date of a record, from its bytes.
pub(super) fn date(bytes: &[u8]) -> i64 {
    bytes.first_chunk().map_or(UNDATED, |&date| i64::from_le_bytes(date))
}

/// A record that was read back.
#[derive(Clone, Debug)]
pub struct Stored {
    number: u64,
    bytes: Vec<u8>,
    id: Range<usize>,
    source: Option<Range<usize>>,
    sketch: Range<usize>,
}

impl Stored {
    /// From bytes that check.
    pub(super) fn new(number: u64, bytes: Vec<u8>) -> Option<Self> {
        let end = sealed(Of::Record, 0, &bytes)?.len();
        let mut cursor = Cursor(&bytes[..end]);
        cursor.fixed()?;
        let place = |cursor: &Cursor| end - cursor.0.len();
        let length = cursor.bytes()?.len();
        let id = place(&cursor) - length..place(&cursor);
        let source = match usize::try_from(cursor.number()?).ok()?.checked_sub(1) {
            None => None,
            Some(length) => {
                cursor.take(length)?;
                Some(place(&cursor) - length..place(&cursor))
            }
        };
        let sketch = place(&cursor)..end;
        Some(Self { number, bytes, id, source, sketch })
    }

    /// Its number for life.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Its label.
    pub fn id(&self) -> &[u8] {
        &self.bytes[self.id.clone()]
    }

    /// Its date in seconds.
    pub fn date(&self) -> Option<i64> {
        Some(date(&self.bytes)).filter(|&date| date != UNDATED)
    }

    /// Where it was published.
    pub fn source(&self) -> Option<&[u8]> {
        self.source.clone().map(|source| &self.bytes[source])
    }

    /// What is needed to compare it.
    pub fn sketch(&self) -> &[u8] {
        &self.bytes[self.sketch.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn records_and_texts_come_back(
            id in prop::collection::vec(any::<u8>(), 0..200), date in prop::option::of(-5i64..5), source in prop::option::of(prop::collection::vec(any::<u8>(), 0..5)),
            sketch in prop::collection::vec(any::<u8>(), 0..50), text in ".{0,200}",
        ) {
            let record = Record { id: &id, date, source: source.as_deref(), sketch: &sketch, ..Record::default() };
            let mut bytes = Vec::new();
            put(&record, &mut bytes);
            let stored = Stored::new(5, bytes.clone()).unwrap();
            prop_assert_eq!((stored.number(), stored.id(), stored.date()), (5, &id[..], date));
            prop_assert_eq!((stored.source(), stored.sketch()), (source.as_deref(), &sketch[..]));
            bytes[7] ^= 1;
            prop_assert!(Stored::new(5, bytes).is_none());
            let plain = Text::plain(text.as_bytes());
            prop_assert_eq!(read_text(plain.bytes()).unwrap(), text.as_bytes());
            #[cfg(feature = "compress")]
            prop_assert_eq!(read_text(Text::compressed(text.as_bytes()).bytes()).unwrap(), text.as_bytes());
        }
    }
}
