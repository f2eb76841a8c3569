//! What a census counted of an archive, in a file of its own.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::census::{self, Census, MayBe, Other};
use crate::error::{ArchiveFault, Error, Result};
use crate::features::Head;
use crate::hash::hash_bytes;
use crate::records::{self, Cursor, Snapshot, put_number};
use crate::sketch::{LookedAt, Sketch};

/// What an archive was like at some time, and what was counted of each article then.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// Which census it is: 1 for the first; none was taken if it is 0.
    pub(super) number: u64,
    pub(super) census: Arc<Census>,
    /// The articles that were in it, ascending.
    pub(super) articles: Vec<u64>,
    /// What was counted of them, each as [`put_counted`] writes it, and where each ends.
    notes: Vec<u8>,
    ends: Vec<u64>,
}

/// Adds what was counted of an article.
fn put_counted(bytes: &mut Vec<u8>, counted: Option<census::Counted<'_>>) {
    let Some(census::Counted { usual, head, cuts }) = counted else { return };
    bytes.extend(usual.to_bits().to_le_bytes());
    head.numbers().into_iter().for_each(|number| put_number(bytes, number.into()));
    bytes.extend_from_slice(&cuts);
}

/// Reads what was counted of an article.
fn read_counted(bytes: &[u8]) -> Option<census::Counted<'_>> {
    let mut cursor = Cursor(bytes);
    let usual = f32::from_bits(u32::from_le_bytes(cursor.array()?));
    let mut numbers = [0; Head::NUMBERS];
    for number in &mut numbers {
        *number = u32::try_from(cursor.number()?).ok()?;
    }
    Some(census::Counted { usual, head: Head::of_numbers(numbers), cuts: cursor.0.into() })
}

impl Counted {
    /// What a census, which has no number so far, counted of the articles of some numbers, ascending.
    pub(super) fn new<'c>(census: Census, articles: impl Iterator<Item = (u64, Option<census::Counted<'c>>)>) -> Self {
        let mut counted = Self { census: census.into(), ..Self::default() };
        for (article, notes) in articles {
            put_counted(&mut counted.notes, notes);
            counted.ends.push(counted.notes.len() as u64);
            counted.articles.push(article);
        }
        counted
    }

    /// Whether it counted just what is in a snapshot.
    pub(super) fn is_of(&self, snapshot: &Snapshot) -> bool {
        // No article ever gets the number of another one.
        self.articles.len() as u64 == snapshot.len() && self.articles.iter().all(|&number| snapshot.contains(number))
    }

    /// The number from which on no article was counted.
    pub(super) fn end(&self) -> u64 {
        self.articles.last().map_or(0, |last| last + 1)
    }

    /// What was counted of an article, if it was counted and can be compared.
    pub(super) fn of(&self, number: u64) -> Option<census::Counted<'_>> {
        let at = match self.articles.last() {
            Some(&last) if last + 1 == self.articles.len() as u64 => usize::try_from(number).ok()?,
            _ => self.articles.binary_search(&number).ok()?,
        };
        let end = *self.ends.get(at)? as usize;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        read_counted(self.notes.get(start..end)?)
    }

    /// An article, which may be a copy, as it was archived; none if its sketch is none.
    pub(super) fn other<'r>(
        &'r self,
        (number, may_be): (u64, MayBe),
        record: &'r records::Stored,
    ) -> Option<Other<'r>> {
        let sketch = Sketch::read(record.sketch())?;
        let LookedAt { census, may_hold_furniture } = sketch.looked_at;
        let may_hold_furniture = may_hold_furniture || census != self.number;
        Some(Other { number, sketch, counted: self.of(number), may_hold_furniture, may_be })
    }

    /// Writes it to a file of its own, which is there as a whole or not at all.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let census = self.census.to_bytes();
        let mut bytes = (census.len() as u64).to_le_bytes().to_vec();
        bytes.extend(census);
        let (mut next, mut start) = (0, 0);
        for (&number, &end) in self.articles.iter().zip(&self.ends) {
            put_number(&mut bytes, number - next);
            put_number(&mut bytes, end - start);
            (next, start) = (number + 1, end);
        }
        // Before the notes, which need no end of their own.
        bytes.extend(&self.notes);
        bytes.extend((self.articles.len() as u64).to_le_bytes());
        bytes.extend(hash_bytes(&bytes).to_le_bytes());
        let path = path(folder, self.number);
        let new = path.with_extension("new");
        let write = || {
            let mut file = fs::File::create(&new)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            // Elsewhere folders cannot be opened, and need not be.
            #[cfg(unix)]
            fs::File::open(folder)?.sync_all()?;
            Ok(())
        };
        write().map_err(records::io(&path))
    }

    /// The last census of an archive; none if there is none. Another process may take one at the same time.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        records::patiently(|| Self::read_last(folder))
    }

    fn read_last(folder: &Path) -> Result<Self> {
        let last = Self::last(folder)?;
        if last == 0 {
            return Ok(Self::default());
        }
        let path = path(folder, last);
        let bytes = fs::read(&path).map_err(records::io(&path))?;
        let broken = |place: usize, what| Err(damaged(&path, place as u64, what));
        let Some((body, hash)) = bytes.split_last_chunk() else { return broken(0, "it is too short") };
        if hash_bytes(body).to_le_bytes() != *hash {
            return broken(0, "the census does not check");
        }
        let Some((length, rest)) = body.split_first_chunk() else { return broken(0, "it is too short") };
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let Some((census, notes)) = rest.split_at_checked(length) else { return broken(0, "it is too short") };
        match rayon::join(|| Census::from_bytes(census), || Self::read_notes(notes)) {
            (Err(what), _) => broken(8, what),
            (_, None) => broken(8 + length, "what it tells of articles is not what was written"),
            (Ok(census), Some(notes)) => Ok(Self { number: last, census: census.into(), ..notes }),
        }
    }

    /// The same, if it is not an older one than an archive has noted.
    pub(super) fn or_newer(self, folder: &Path, noted: u64) -> Result<Self> {
        // Another process may have taken one since.
        let last = if self.number < noted { Self::read(folder)? } else { self };
        if last.number < noted {
            return Err(damaged(&path(folder, noted), 0, "the census is missing"));
        }
        Ok(last)
    }

    /// The number of the last census of an archive, whatever is in its file; 0 if there is none.
    fn last(folder: &Path) -> Result<u64> {
        let names = fs::read_dir(folder).map_err(records::io(folder))?;
        let mut last = 0;
        for name in names {
            let name = name.map_err(records::io(folder))?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix("census-")?.parse().ok());
            // One more must be a number as well.
            last = last.max(number.filter(|&number| number < u64::MAX).unwrap_or(0));
        }
        Ok(last)
    }

    /// Nothing counted, under the number of the last census of an archive that has noted one, so that the next one follows it.
    pub(super) fn nothing(folder: &Path, noted: u64) -> Result<Self> {
        Ok(Self { number: Self::last(folder)?.max(noted), ..Self::default() })
    }

    /// What was counted of each article.
    fn read_notes(bytes: &[u8]) -> Option<Self> {
        let (bytes, count) = bytes.split_last_chunk()?;
        let (mut cursor, mut read) = (Cursor(bytes), Self::default());
        let (mut next, mut end) = (0u64, 0u64);
        for _ in 0..u64::from_le_bytes(*count) {
            let number = next.checked_add(cursor.number()?)?;
            end = end.checked_add(cursor.number()?)?;
            next = number.checked_add(1)?;
            read.articles.push(number);
            read.ends.push(end);
        }
        read.notes = cursor.0.to_vec();
        (read.notes.len() as u64 == end).then_some(read)
    }
}

fn damaged(path: &Path, place: u64, what: &'static str) -> Error {
    Error::Archive { path: path.to_path_buf(), fault: ArchiveFault::Census { place, what } }
}

/// The file of a census.
pub(super) fn path(folder: &Path, census: u64) -> PathBuf {
    folder.join(format!("census-{census:08}"))
}
