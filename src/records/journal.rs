//! What was committed since the last segment was written.
//!
//! | bytes | what |
//! | --- | --- |
//! | 32 | `rtldjour`, the format version, the number of the file, checksum |
//! | frames | length of the commit, its number, checksum of these two and of the place; the commit, checksum |
//!
//! A frame is one commit. It is written after the one before has lasted. So a frame that does not check is what a crash left,
//! if no whole one follows: nobody was told that it was committed, and it is cut off. If a whole one follows, it was
//! committed, and is damage. A writer that ends in good order leaves an empty frame, so that this holds for the last commit as well, and
//! notes in the manifest where that ends.
//!
//! Checksums hang on the file and the place: what looks like a frame in somebody's text is none.

use super::bytes::{CHECK, Cursor, Of, put_bytes, put_number, seal, sealed};
use super::disk::{Disk, Output};
use super::{VERSION, damaged, io, name};
use crate::error::{ArchiveFault, Error, Result};
use crate::hash::mix2;
use std::path::PathBuf;

const MAGIC: &[u8; 8] = b"rtldjour";
const HEADER: usize = 32;
const FRAME: usize = 24;

/// Something that is done to records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change<'c> {
    /// Adds a record with the next number: its bytes, those of its text, and the keys of each kind.
    Add {
        record: &'c [u8],
        text: &'c [u8],
        keys: Vec<Vec<u64>>,
    },
    Remove(u64),
    /// Removes all that are older.
    Expire(i64),
}

const ADD: u8 = 1;
const REMOVE: u8 = 2;
const EXPIRE: u8 = 3;

/// Notes the addition of a record.
pub(super) fn put_add(bytes: &mut Vec<u8>, record: &[u8], text: &[u8], keys: &[&[u64]], widths: &[u32]) {
    bytes.push(ADD);
    put_bytes(bytes, record);
    put_bytes(bytes, text);
    for (keys, width) in keys.iter().zip(widths) {
        put_number(bytes, keys.len() as u64);
        let length = width.div_ceil(8) as usize;
        keys.iter().for_each(|key| bytes.extend_from_slice(&key.to_le_bytes()[..length]));
    }
}

pub(super) fn put_remove(bytes: &mut Vec<u8>, number: u64) {
    bytes.push(REMOVE);
    put_number(bytes, number);
}

pub(super) fn put_expire(bytes: &mut Vec<u8>, before: i64) {
    bytes.push(EXPIRE);
    bytes.extend(before.to_le_bytes());
}

/// Reads the next change.
fn change<'c>(cursor: &mut Cursor<'c>, widths: &[u32]) -> Option<Change<'c>> {
    match cursor.array::<1>()? {
        [ADD] => {
            let (record, text) = (cursor.bytes()?, cursor.bytes()?);
            let keys = widths.iter().map(|width| {
                let (count, length) = (usize::try_from(cursor.number()?).ok()?, width.div_ceil(8) as usize);
                let key = |bytes: &[u8]| bytes.iter().rev().fold(0, |key, &byte| key << 8 | u64::from(byte));
                Some(cursor.take(count.checked_mul(length)?)?.chunks(length).map(key).collect())
            });
            Some(Change::Add { record, text, keys: keys.collect::<Option<_>>()? })
        }
        [REMOVE] => Some(Change::Remove(cursor.number()?)),
        [EXPIRE] => Some(Change::Expire(cursor.fixed()? as i64)),
        _ => None,
    }
}

/// A journal that is written.
pub(super) struct Journal {
    output: Box<dyn Output>,
    path: PathBuf,
    pub(super) file: u64,
    at: u64,
    /// The number of the next commit.
    next: u64,
    /// Whether nothing was committed, and whether the end is marked as one.
    is_empty: bool,
    is_closed: bool,
}

/// What was cut off a journal: the beginning of a commit that a crash cut short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The journal.
    pub path: PathBuf,
    /// Where it ends now.
    pub place: u64,
    /// Bytes that stood there.
    pub bytes: u64,
}

/// Where a journal ends.
#[derive(Debug)]
pub(super) struct End {
    pub(super) at: u64,
    /// Where the last commit begins, the only one that may not have lasted.
    last: u64,
    next: u64,
    is_empty: bool,
    is_closed: bool,
    pub(super) cut: Option<Cut>,
}

fn belongs(file: u64, at: u64) -> u64 {
    mix2(file, at)
}

/// Whether a journal holds nothing, not even a commit of nothing.
pub(super) fn is_bare(disk: &dyn Disk, name: &str) -> Result<bool> {
    let length = || disk.open(name)?.length();
    Ok(length().map_err(io(&disk.path(name)))? <= HEADER as u64)
}

impl Journal {
    /// A new one, whose name does not last yet.
    pub(super) fn create(disk: &dyn Disk, file: u64) -> Result<Self> {
        let name = name("journal", file);
        let path = disk.path(&name);
        let mut header = MAGIC.to_vec();
        header.extend(u64::from(VERSION).to_le_bytes());
        header.extend(file.to_le_bytes());
        seal(Of::Header, 1, &mut header, 0);
        let mut output = disk.create(&name).map_err(io(&path))?;
        output.write(&header).and_then(|()| output.sync()).map_err(io(&path))?;
        Ok(Self { output, path, file, at: HEADER as u64, next: 1, is_empty: true, is_closed: true })
    }

    /// Goes on where one ends; what stands after that is cut off for good.
    pub(super) fn resume(disk: &dyn Disk, file: u64, end: &End) -> Result<Self> {
        let name = name("journal", file);
        let path = disk.path(&name);
        let mut output = disk.resume(&name, end.last, end.at).map_err(io(&path))?;
        // What a process wrote that was killed, or met a failure, may not have lasted; from now on it is to be relied on.
        output.sync().map_err(io(&path))?;
        Ok(Self { output, path, file, at: end.at, next: end.next, is_empty: end.is_empty, is_closed: end.is_closed })
    }

    /// Writes changes so that they last.
    pub(super) fn commit(&mut self, changes: &[u8]) -> Result<()> {
        let mut frame = Vec::with_capacity(FRAME + changes.len() + CHECK);
        frame.extend((changes.len() as u64).to_le_bytes());
        frame.extend(self.next.to_le_bytes());
        seal(Of::Frame, belongs(self.file, self.at), &mut frame, 0);
        frame.extend_from_slice(changes);
        seal(Of::Payload, belongs(self.file, self.at), &mut frame, FRAME);
        self.output.write(&frame).and_then(|()| self.output.sync()).map_err(io(&self.path))?;
        self.at += frame.len() as u64;
        self.next += 1;
        self.is_closed = changes.is_empty();
        self.is_empty &= self.is_closed;
        Ok(())
    }

    /// Says that the last commit was all; not again, if nothing came since.
    pub(super) fn close(&mut self) -> Result<()> {
        if self.is_closed { Ok(()) } else { self.commit(&[]) }
    }

    pub(super) fn length(&self) -> u64 {
        self.at
    }

    /// Whether nothing was ever committed to it.
    pub(super) fn is_new(&self) -> bool {
        self.is_empty
    }
}

/// A frame: the number of its commit and what was committed.
fn frame(file: u64, at: u64, bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut head = Cursor(sealed(Of::Frame, belongs(file, at), bytes.get(..FRAME)?)?);
    let (length, number) = (usize::try_from(head.fixed()?).ok()?, head.fixed()?);
    let payload = bytes.get(FRAME..FRAME.checked_add(length)?.checked_add(CHECK)?)?;
    Some((number, sealed(Of::Payload, belongs(file, at), payload)?))
}

/// Gives all changes that were committed, of a journal of which so many bytes are known to have lasted.
pub(super) fn read(
    disk: &dyn Disk,
    (file, committed): (u64, u64),
    widths: &[u32],
    take: &mut dyn FnMut(Change) -> Result<()>,
) -> Result<End> {
    let name = name("journal", file);
    let path = disk.path(&name);
    let bytes = super::manifest::whole(disk, &name)?;
    let header = bytes.get(..HEADER).and_then(|header| sealed(Of::Header, 1, header));
    let header = header.ok_or_else(|| damaged(&path, 0, "the header does not check"))?;
    if !header.starts_with(MAGIC) || header[16..] != file.to_le_bytes() {
        return Err(damaged(&path, 0, "the file is another one"));
    }
    let version = u32::from_le_bytes(*header[8..].first_chunk().expect("a whole header"));
    if version != VERSION {
        return Err(Error::Archive { path, fault: ArchiveFault::Version(version) });
    }
    let mut end = End { at: HEADER as u64, last: 0, next: 1, is_empty: true, is_closed: true, cut: None };
    while let Some(rest) = bytes.get(end.at as usize..).filter(|rest| !rest.is_empty()) {
        match frame(file, end.at, rest) {
            Some((number, changes)) if number == end.next => {
                let mut cursor = Cursor(changes);
                while !cursor.0.is_empty() {
                    let place = end.at + (FRAME + changes.len() - cursor.0.len()) as u64;
                    let next = change(&mut cursor, widths);
                    take(next.ok_or_else(|| damaged(&path, place, "a change is not what was written"))?)?;
                }
                end.last = end.at;
                end.at += (FRAME + changes.len() + CHECK) as u64;
                end.next += 1;
                end.is_closed = changes.is_empty();
                end.is_empty &= end.is_closed;
            }
            _ => {
                let is_whole = |at: usize| frame(file, at as u64, &bytes[at..]).is_some();
                if (end.at as usize + 1..bytes.len()).any(is_whole) {
                    return Err(damaged(&path, end.at, "a commit does not check, and another one follows"));
                }
                end.cut = Some(Cut { path: path.clone(), place: end.at, bytes: rest.len() as u64 });
                break;
            }
        }
    }
    if end.at < committed {
        return Err(damaged(&path, end.at, "commits that stood from here on are missing"));
    }
    Ok(end)
}
