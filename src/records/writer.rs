//! Writing an archive: one at a time, so that what was committed outlives any crash.
//!
//! A commit goes into the journal. When that has grown, its records become a segment. Segments are kept in the order of their
//! numbers, and neighbours are merged when the newer ones together have grown as large as an older one: each record is written
//! again a few times while the archive doubles and doubles, and few segments are to be asked.
//!
//! A merge goes on beside the writer (see `merging`), so that no commit waits for one.
//!
//! After a failure to write, nobody knows what stands in the files. So the writer ends, and what is opened next reads what does.

use std::any::Any;
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use super::bytes::{Cursor, Of, seal, sealed};
use super::disk::{Disk, Folder};
use super::journal::{self, Change, Cut, Journal};
use super::manifest::{Manifest, Profile, sync, whole};
use super::memory::Living;
use super::merging::Merging;
use super::offsets::Dead;
use super::record::{self, Record};
use super::segment::{ID_WIDTH, Merged, Part, Segment, Sink, Written, id_key, write};
use super::snapshot::{Newest, Snapshot, Stats};
use super::{Reader, damaged, file_number, io, name};
use crate::error::{ArchiveFault, Error, Result};

/// When a writer does what by itself.
#[derive(Clone, Debug)]
pub struct Options {
    /// Records in memory, and in the journal, from which on a commit makes a segment of them. An uncommitted change that makes
    /// them so many is a commit of all.
    pub flush_records: u32,
    /// The same in bytes of the journal.
    pub flush_bytes: u64,
    /// Segments that stand side by side before newer ones are merged with older ones.
    pub fan: usize,
    /// Whether commits merge by themselves.
    pub merge: Merge,
    /// Records of the largest segment that gets a filter, if it is the oldest; all newer ones get one in any case. A filter
    /// takes a byte a key, on disk and in memory, and saves a reading for nearly each key that is not there.
    pub filter_records: u64,
}

/// Whether commits merge segments by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// They do not.
    ByHand,
    /// They wait for it.
    AtOnce,
    /// It goes on beside them, on other threads; they take over what is done, and wait if too much is left to do.
    Aside,
}

/// Merges that are under way at the same time, at most: while a large one takes its time, newer segments are merged as well.
const MOST_MERGES: usize = 2;

/// Segments from which on a commit waits for a merge.
const MOST_SEGMENTS: usize = 24;

impl Default for Options {
    fn default() -> Self {
        Self { flush_records: 1 << 14, flush_bytes: 1 << 26, fan: 3, merge: Merge::Aside, filter_records: 1 << 20 }
    }
}

/// What was found when an archive was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// The end of the journal that did not check, if there was such: a commit that a crash cut short.
    pub cut: Option<Cut>,
    /// Files that belong to nothing, and were removed.
    pub removed: Vec<String>,
}

/// Writes an archive.
pub struct Writer {
    disk: Arc<dyn Disk>,
    _lock: Box<dyn Any + Send + Sync>,
    options: Options,
    /// With what was not committed.
    state: Snapshot,
    journal: Journal,
    /// Changes that were not committed.
    pending: Vec<u8>,
    /// The manifest that counts, and its file.
    manifest: (Manifest, u64),
    next_file: u64,
    /// For each part the file of its dead, or 0, and how many it tells.
    dead_files: Vec<(u64, u32)>,
    published: Arc<RwLock<Arc<Snapshot>>>,
    /// Of segments in their order, no two of the same.
    merges: Vec<Merging>,
    written: u64,
    has_failed: bool,
    /// The process that writes. What a fork of it has is no other archive.
    process: u32,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("folder", &self.disk.path(""))
            .field("records", &self.state.len())
            .finish_non_exhaustive()
    }
}

/// The widths of all kinds of keys; ids are the last.
pub(super) fn widths(profile: &Profile) -> Arc<[u32]> {
    profile.key_bits.iter().map(|&bits| bits.into()).chain([ID_WIDTH]).collect()
}

pub(super) fn fail<T>(disk: &dyn Disk, fault: ArchiveFault) -> Result<T> {
    Err(Error::Archive { path: disk.path(""), fault })
}

fn lock(disk: &dyn Disk) -> Result<Box<dyn Any + Send + Sync>> {
    match disk.lock().map_err(io(&disk.path("")))? {
        Some(lock) => Ok(lock),
        None => fail(disk, ArchiveFault::Locked),
    }
}

/// A manifest, what it names, and what the journal adds.
pub(super) struct Loaded {
    pub(super) file: u64,
    pub(super) manifest: Manifest,
    pub(super) state: Snapshot,
    /// How many of each segment its file tells to be dead; the journal may tell of more.
    pub(super) dead_counts: Vec<u32>,
    pub(super) end: journal::End,
}

/// Refuses a folder that holds articles though nothing says of which archive. A journal without any is left of one that was never finished.
fn refuse_without_manifest(disk: &dyn Disk) -> Result<()> {
    for name in disk.names().map_err(io(&disk.path("")))? {
        let holds_articles = match file_number(&name, "journal") {
            Some(_) => !journal::is_bare(disk, &name)?,
            None => file_number(&name, "segment").is_some(),
        };
        if holds_articles {
            return Err(damaged(&disk.path(&name), 0, "the manifest that names this file is missing"));
        }
    }
    Ok(())
}

/// Reads an archive as it was last committed. What is open already need not be opened again.
pub(super) fn load(disk: &dyn Disk, expected: &[Profile], open: &[Part]) -> Result<Loaded> {
    let Some((file, manifest)) = Manifest::newest(disk)? else {
        refuse_without_manifest(disk)?;
        return fail(disk, ArchiveFault::Missing);
    };
    if let Some(first) = expected.first().filter(|_| !expected.contains(&manifest.profile)) {
        let (archive, expected) = (manifest.profile.name, first.name.clone());
        return fail(disk, ArchiveFault::Profile { archive, expected });
    }
    let widths = widths(&manifest.profile);
    let mut parts = Vec::with_capacity(manifest.segments.len());
    for &(written, dead) in &manifest.segments {
        let known = open.iter().find(|part| part.segment.written == written);
        let segment = match known {
            Some(part) => part.segment.clone(),
            None => Arc::new(Segment::open(disk, written, &widths)?),
        };
        let dead = Arc::new(read_dead(disk, dead, written, segment.len())?);
        parts.push(Part { segment, dead });
    }
    let dead_counts = parts.iter().map(|part: &Part| part.dead.count()).collect();
    let (newest, journal) = (Newest::new(manifest.next, &widths), (manifest.journal, manifest.committed));
    let mut state = Snapshot { parts, newest, widths: widths.clone(), note: manifest.note, journal: 0 };
    let end = journal::read(disk, journal, &widths[..widths.len() - 1], &mut |change| match change {
        Change::Add { record, text, keys } => {
            let id = record::Stored::new(0, record.to_vec()).map(|stored| [id_key(stored.id())]);
            let path = || disk.path(&name("journal", manifest.journal));
            let id = id.ok_or_else(|| damaged(&path(), 0, "a record is not what was written"))?;
            let mut memory = state.newest.memory.write().unwrap_or_else(PoisonError::into_inner);
            memory.push(record, text, keys.iter().map(Vec::as_slice).chain([&id[..]]));
            state.newest.count = memory.len();
            Ok(())
        }
        Change::Remove(number) => {
            state.remove(number);
            Ok(())
        }
        Change::Expire(before) => state.expire(before).map(|_| ()),
    })?;
    state.journal = end.at;
    Ok(Loaded { file, manifest, state, dead_counts, end })
}

/// The dead that a file tells of a segment.
fn read_dead(disk: &dyn Disk, file: u64, of: Written, records: u32) -> Result<Dead> {
    if file == 0 {
        return Ok(Dead::default());
    }
    let bytes = whole(disk, &name("dead", file))?;
    let read = || {
        let mut cursor = Cursor(sealed(Of::Dead, of.file, &bytes)?);
        Dead::read(&mut cursor, records).filter(|_| cursor.0.is_empty())
    };
    read().ok_or_else(|| damaged(&disk.path(&name("dead", file)), 0, "the list of what was removed does not check"))
}

/// A file that is named and not there is damage.
pub(super) fn without_file(error: Error) -> Error {
    match error {
        Error::Archive { fault: ArchiveFault::Io(error), path } if error.kind() == ErrorKind::NotFound => {
            damaged(&path, 0, "it is missing")
        }
        other => other,
    }
}

impl Writer {
    /// A new archive in a folder, which is created if need be.
    pub fn create(folder: &Path, profile: &Profile, options: Options) -> Result<Self> {
        let disk = Folder::create(folder).map_err(io(folder))?;
        Self::create_on(Arc::new(disk), profile, options)
    }

    /// Opens an archive, which must have been made with one of some profiles, if any are given.
    pub fn open(folder: &Path, expected: &[Profile], options: Options) -> Result<(Self, Opened)> {
        if !folder.is_dir() {
            return fail(&Folder::new(folder), ArchiveFault::Missing);
        }
        Self::open_on(Arc::new(Folder::new(folder)), expected, options)
    }

    pub(super) fn create_on(disk: Arc<dyn Disk>, profile: &Profile, options: Options) -> Result<Self> {
        let lock = lock(&*disk)?;
        if !profile.is_valid() {
            let value = profile.key_bits.len() as f64;
            return Err(Error::OutOfRange {
                option: "key_bits",
                value,
                range: "at most 8 kinds, of 16 to 64 bits each",
            });
        }
        let names = disk.names().map_err(io(&disk.path("")))?;
        if names.iter().any(|name| file_number(name, "manifest").is_some()) {
            return fail(&*disk, ArchiveFault::Exists);
        }
        refuse_without_manifest(&*disk)?;
        let committed = Journal::create(&*disk, 1)?.length();
        sync(&*disk)?;
        let (profile, segments) = (profile.clone(), Vec::new());
        let manifest = Manifest { profile, next: 0, next_file: 3, journal: 1, segments, committed, note: 0 };
        manifest.write(&*disk, 2)?;
        Self::start(disk, lock, &[], options).map(|(writer, _)| writer)
    }

    pub(super) fn open_on(disk: Arc<dyn Disk>, expected: &[Profile], options: Options) -> Result<(Self, Opened)> {
        let lock = lock(&*disk)?;
        Self::start(disk, lock, expected, options)
    }

    fn start(
        disk: Arc<dyn Disk>,
        lock: Box<dyn Any + Send + Sync>,
        expected: &[Profile],
        options: Options,
    ) -> Result<(Self, Opened)> {
        let Loaded { file, manifest, state, dead_counts, end } = load(&*disk, expected, &[]).map_err(without_file)?;
        // What is seen now may be what a process wrote that was killed before it had lasted.
        sync(&*disk)?;
        let journal = Journal::resume(&*disk, manifest.journal, &end)?;
        let dead_files = manifest.segments.iter().zip(dead_counts).map(|(&(_, file), count)| (file, count)).collect();
        let published = Arc::new(RwLock::new(Arc::new(state.clone())));
        let mut writer = Self {
            disk,
            _lock: lock,
            options,
            state,
            journal,
            pending: Vec::new(),
            next_file: manifest.next_file,
            manifest: (manifest, file),
            dead_files,
            published,
            merges: Vec::new(),
            written: 0,
            has_failed: false,
            process: std::process::id(),
        };
        let removed = writer.remove_strangers()?;
        Ok((writer, Opened { cut: end.cut, removed }))
    }

    /// What must be the same for records to be comparable.
    pub fn profile(&self) -> &Profile {
        &self.manifest.0.profile
    }

    /// All that lives, with what was not committed.
    pub fn view(&self) -> Snapshot {
        self.state.clone()
    }

    /// Sees what is committed, now and later.
    pub fn reader(&self) -> Reader {
        Reader::of(self.published.clone(), self.profile().clone())
    }

    fn is_forked(&self) -> bool {
        self.process != std::process::id()
    }

    /// Does what may fail; after a failure, nothing is done any more.
    fn guarded<T>(&mut self, what: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.is_forked() {
            return fail(&*self.disk, ArchiveFault::Forked);
        }
        if self.has_failed {
            return fail(&*self.disk, ArchiveFault::Ended);
        }
        let done = what(self);
        self.has_failed = done.is_err();
        done
    }

    /// Adds a record; its number. It lasts from the next commit on.
    pub fn add(&mut self, record: &Record) -> Result<u64> {
        record.check().or_else(|fault| fail(&*self.disk, fault.into()))?;
        let text = record.text.map_or(&[][..], |text| text.bytes());
        self.guarded(|writer| {
            let mut bytes = Vec::with_capacity(record.id.len() + record.sketch.len() + 64);
            record::put(record, &mut bytes);
            // Kinds for which nothing was given have no keys.
            let widths = writer.state.widths.clone();
            let kinds = widths.len() - 1;
            let mut keys = [&[][..]; super::MOST_KINDS];
            keys.iter_mut().zip(record.keys).for_each(|(keys, given)| *keys = given);
            let (keys, id) = (&keys[..kinds], [id_key(record.id)]);
            journal::put_add(&mut writer.pending, &bytes, text, keys, &widths);
            let newest = &mut writer.state.newest;
            let mut memory = newest.memory.write().unwrap_or_else(PoisonError::into_inner);
            memory.push(&bytes, text, keys.iter().copied().chain([&id[..]]));
            newest.count = memory.len();
            let number = newest.first + u64::from(newest.count - 1);
            drop(memory);
            writer.commit_if_large()?;
            Ok(number)
        })
    }

    /// Removes the record of a number; whether it lived.
    pub fn remove_number(&mut self, number: u64) -> Result<bool> {
        self.guarded(|writer| {
            let lived = writer.state.remove(number);
            if lived {
                journal::put_remove(&mut writer.pending, number);
                writer.commit_if_large()?;
            }
            Ok(lived)
        })
    }

    /// Removes all records that bear an id; how many.
    pub fn remove(&mut self, id: &[u8]) -> Result<u64> {
        self.guarded(|writer| {
            let numbers = writer.state.by_id(id)?;
            for &number in &numbers {
                writer.state.remove(number);
                journal::put_remove(&mut writer.pending, number);
            }
            writer.commit_if_large()?;
            Ok(numbers.len() as u64)
        })
    }

    /// Removes all records that are older than a date, in seconds; how many. Those without a date stay.
    pub fn expire(&mut self, before: i64) -> Result<u64> {
        self.guarded(|writer| {
            let count = writer.state.expire(before)?;
            if count > 0 {
                journal::put_expire(&mut writer.pending, before);
                writer.commit_if_large()?;
            }
            Ok(count)
        })
    }

    fn is_large(&self) -> bool {
        let bytes = self.journal.length() + self.pending.len() as u64;
        self.state.newest.count >= self.options.flush_records || bytes >= self.options.flush_bytes
    }

    fn commit_if_large(&mut self) -> Result<()> {
        if self.is_large() { self.commit_now() } else { Ok(()) }
    }

    /// Makes all changes last, and shows them to readers.
    pub fn commit(&mut self) -> Result<()> {
        self.guarded(Self::commit_now)
    }

    fn commit_now(&mut self) -> Result<()> {
        self.journal_now()?;
        let is_large = self.is_large();
        if is_large {
            self.flush_now()?;
        }
        match self.options.merge {
            Merge::AtOnce if is_large => self.merge_now(),
            Merge::Aside => self.merge_aside(is_large),
            _ => Ok(()),
        }
    }

    /// Takes over what was merged beside, and goes on with it if there is a new segment.
    fn merge_aside(&mut self, is_new: bool) -> Result<()> {
        let mut is_changed = self.take_over_done()?;
        if is_new || is_changed {
            self.start_merges()?;
        }
        while self.state.parts.len() > MOST_SEGMENTS && !self.merges.is_empty() {
            let merge = self.merges.remove(0);
            self.take_over(merge)?;
            is_changed = true;
            self.start_merges()?;
        }
        if is_changed { self.save(None) } else { Ok(()) }
    }

    /// Takes over all merges that have ended; whether there were any.
    fn take_over_done(&mut self) -> Result<bool> {
        let (done, under_way) = self.merges.drain(..).partition::<Vec<_>, _>(Merging::is_done);
        self.merges = under_way;
        let is_changed = !done.is_empty();
        done.into_iter().try_for_each(|merge| self.take_over(merge))?;
        Ok(is_changed)
    }

    /// Waits for all merges, which count when the manifest is saved; whether there were any.
    fn take_over_all(&mut self) -> Result<bool> {
        let merges = std::mem::take(&mut self.merges);
        let is_changed = !merges.is_empty();
        merges.into_iter().try_for_each(|merge| self.take_over(merge))?;
        Ok(is_changed)
    }

    /// Puts what a merge made in place of what it was made of; it counts when the manifest is saved.
    fn take_over(&mut self, merge: Merging) -> Result<()> {
        let parts = &self.state.parts;
        let Some(first) = parts.iter().position(|part| merge.takes(part)) else { return Ok(()) };
        let count = parts[first..].iter().take_while(|part| merge.takes(part)).count();
        let new = merge.finish(parts)?;
        self.written += u64::from(new.segment.len());
        self.dead_files.splice(first..first + count, [(0, 0)]);
        self.state.parts.splice(first..first + count, [new]);
        Ok(())
    }

    /// Begins all merges that are due, of segments that are in no merge yet.
    fn start_merges(&mut self) -> Result<()> {
        while self.merges.len() < MOST_MERGES {
            let in_merge = |part: &Part| self.merges.iter().any(|merge| merge.takes(part));
            let free = self.state.parts.iter().rposition(in_merge).map_or(0, |last| last + 1);
            let Some(range) = self.due(free) else { break };
            let parts = self.state.parts[range.clone()].to_vec();
            let count: u64 = parts.iter().map(|part| u64::from(part.living())).sum();
            if count == 0 {
                // It is dropped with the next manifest.
                break;
            }
            let file = self.new_file();
            let filtered = range.start > 0 || count <= self.options.filter_records;
            let widths = self.state.widths.clone();
            self.merges.push(Merging::start(self.disk.clone(), (parts, file), widths, filtered)?);
        }
        Ok(())
    }

    fn journal_now(&mut self) -> Result<()> {
        if !self.pending.is_empty() {
            self.journal.commit(&self.pending)?;
            self.pending.clear();
            self.publish();
        }
        Ok(())
    }

    fn publish(&mut self) {
        self.state.journal = self.journal.length();
        let state = Arc::new(self.state.clone());
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Commits, and makes a segment of what is in the journal.
    pub fn flush(&mut self) -> Result<()> {
        self.guarded(|writer| {
            writer.journal_now()?;
            writer.flush_now()?;
            if writer.options.merge == Merge::Aside { writer.merge_aside(true) } else { Ok(()) }
        })
    }

    /// Commits, and merges segments until few are left that are not much smaller than the ones before them.
    pub fn merge(&mut self) -> Result<()> {
        self.guarded(|writer| {
            writer.journal_now()?;
            if writer.take_over_all()? {
                writer.save(None)?;
            }
            writer.merge_now()
        })
    }

    /// Commits, and makes one segment of all that lives, which is the smallest and quickest that there is.
    ///
    /// To erase is something else: only what holds anything that was removed is written anew, and when this
    /// returns, no file of the archive holds a byte of it. What the disk keeps of removed files, and copies of the archive, are beyond
    /// its reach.
    pub fn compact(&mut self, erase: bool) -> Result<()> {
        self.guarded(|writer| {
            writer.journal_now()?;
            let is_changed = writer.take_over_all()?;
            if !writer.flush_is_idle() {
                writer.flush_now()?;
            }
            if erase {
                for at in (0..writer.state.parts.len()).rev() {
                    if writer.state.parts[at].dead.count() > 0 {
                        writer.rewrite(at..at + 1)?;
                    }
                }
                return writer.save(None);
            }
            let parts = &writer.state.parts;
            if parts.len() > 1 || parts.iter().any(|part| part.dead.count() > 0) {
                writer.rewrite(0..parts.len())?;
                return writer.save(None);
            }
            if is_changed { writer.save(None) } else { Ok(()) }
        })
    }

    fn new_file(&mut self) -> u64 {
        self.next_file += 1;
        self.next_file - 1
    }

    /// Whether there is nothing that a segment could be made of, and nothing in the journal.
    fn flush_is_idle(&self) -> bool {
        self.state.newest.count == 0 && self.journal.is_new()
    }

    fn flush_now(&mut self) -> Result<()> {
        if self.flush_is_idle() {
            return Ok(());
        }
        let newest = self.state.newest.clone();
        let next = newest.first + u64::from(newest.count);
        if newest.count > newest.dead.count() {
            let memory = newest.lock();
            let content = Living::new(&memory, &newest.dead);
            let file = self.new_file();
            let written = write(&*self.disk, file, &content, &self.state.widths, true)?;
            let segment = Segment::open(&*self.disk, written, &self.state.widths)?;
            self.written += u64::from(segment.len());
            self.state.parts.push(Part { segment: Arc::new(segment), dead: Arc::default() });
            self.dead_files.push((0, 0));
        }
        let file = self.new_file();
        let journal = Journal::create(&*self.disk, file)?;
        self.state.newest = Newest::new(next, &self.state.widths);
        self.save(Some(journal))
    }

    /// Makes one segment of what lives of some neighbours; it counts when the manifest is saved.
    fn rewrite(&mut self, range: std::ops::Range<usize>) -> Result<()> {
        let parts = &self.state.parts[range.clone()];
        let count: u64 = parts.iter().map(|part| u64::from(part.living())).sum();
        let mut new = None;
        if count > 0 {
            let file = self.next_file;
            self.next_file += 1;
            let content = Merged::new(parts);
            let written = write(
                &*self.disk,
                file,
                &content,
                &self.state.widths,
                range.start > 0 || count <= self.options.filter_records,
            )?;
            let segment = Arc::new(Segment::open(&*self.disk, written, &self.state.widths)?);
            new = Some(Part { segment, dead: Arc::default() });
            self.written += count;
        }
        self.dead_files.splice(range.clone(), new.iter().map(|_| (0, 0)));
        self.state.parts.splice(range, new);
        Ok(())
    }

    fn merge_now(&mut self) -> Result<()> {
        let mut is_changed = false;
        while let Some(range) = self.due(0) {
            self.rewrite(range)?;
            is_changed = true;
        }
        if is_changed { self.save(None) } else { Ok(()) }
    }

    /// Segments from a place on that are to be merged next.
    fn due(&self, from: usize) -> Option<std::ops::Range<usize>> {
        let parts = &self.state.parts;
        let living = |part: &Part| u64::from(part.living());
        let is_due = |&at: &usize| {
            let newer: u64 = parts[at + 1..].iter().map(living).sum();
            parts.len() - at >= self.options.fan.max(2) && living(&parts[at]) <= newer
        };
        if let Some(at) = (from..parts.len()).find(is_due) {
            return Some(at..parts.len());
        }
        // What was removed from them takes room and time.
        let is_hollow = |&at: &usize| parts[at].dead.count() > parts[at].segment.len() / 3;
        (from..parts.len()).find(is_hollow).map(|at| at..at + 1)
    }

    /// Makes the state last, as it was committed, and removes what no longer counts.
    fn save(&mut self, journal: Option<Journal>) -> Result<()> {
        // What holds nothing that lives is dropped whole.
        for at in (0..self.state.parts.len()).rev() {
            if self.state.parts[at].living() == 0 {
                self.state.parts.remove(at);
                self.dead_files.remove(at);
            }
        }
        for at in 0..self.state.parts.len() {
            let Part { segment, dead } = &self.state.parts[at];
            if dead.count() != self.dead_files[at].1 {
                let mut bytes = Vec::new();
                dead.put(&mut bytes);
                seal(Of::Dead, segment.written.file, &mut bytes, 0);
                let file = self.next_file;
                self.next_file += 1;
                Sink::whole(&*self.disk, &name("dead", file), &bytes)?;
                self.dead_files[at] = (file, dead.count());
            }
        }
        let segments = self.state.parts.iter().zip(&self.dead_files);
        let segments = segments.map(|(part, dead)| (part.segment.written, dead.0)).collect();
        let of = journal.as_ref().unwrap_or(&self.journal);
        let (next, profile) = (self.state.newest.first, self.profile().clone());
        let (journal_file, committed) = (of.file, of.length());
        self.write_manifest(Manifest { profile, next, journal: journal_file, segments, committed, ..self.manifest.0 })?;
        if let Some(journal) = journal {
            self.journal = journal;
        }
        self.publish();
        self.remove_strangers().map(|_| ())
    }

    fn write_manifest(&mut self, manifest: Manifest) -> Result<()> {
        let file = self.new_file();
        self.manifest = (Manifest { next_file: self.next_file, ..manifest }, file);
        self.manifest.0.write(&*self.disk, file)
    }

    /// Notes a number, which lasts and stands for whatever must be beside the records.
    pub fn note(&mut self, note: u64) -> Result<()> {
        self.guarded(|writer| {
            writer.state.note = note;
            writer.write_notes()
        })
    }

    /// Makes the note last, and how far the journal has come; nothing of what was not committed.
    fn write_notes(&mut self) -> Result<()> {
        let (committed, note) = (self.journal.length(), self.state.note);
        let (last, file) = self.manifest.clone();
        if (last.committed, last.note) == (committed, note) {
            return Ok(());
        }
        self.write_manifest(Manifest { committed, note, ..last })?;
        let old = name("manifest", file);
        self.disk.remove(&old).map_err(io(&self.disk.path(&old)))
    }

    /// Marks the end of what was committed.
    fn mark_end(&mut self) -> Result<()> {
        self.journal.close()?;
        self.write_notes()
    }

    /// Removes all files of ours that the manifest does not name.
    fn remove_strangers(&mut self) -> Result<Vec<String>> {
        let mut removed = Vec::new();
        for stranger in self.disk.names().map_err(io(&self.disk.path("")))? {
            let is_ours = |kind: &str| file_number(stranger.strip_suffix(".new").unwrap_or(&stranger), kind);
            let counts = if let Some(file) = is_ours("manifest") {
                file == self.manifest.1 && !stranger.ends_with(".new")
            } else if let Some(file) = is_ours("journal") {
                file == self.journal.file
            } else if let Some(file) = is_ours("segment") {
                self.merges.iter().any(|merge| merge.file == file)
                    || self.state.parts.iter().any(|part| part.segment.written.file == file)
            } else if let Some(file) = is_ours("dead") {
                self.dead_files.iter().any(|&(dead, _)| dead == file)
            } else {
                true
            };
            if !counts {
                self.disk.remove(&stranger).map_err(io(&self.disk.path(&stranger)))?;
                removed.push(stranger);
            }
        }
        if !removed.is_empty() {
            sync(&*self.disk)?;
        }
        removed.sort_unstable();
        Ok(removed)
    }

    /// Checks every byte of every file, as they were last committed.
    pub fn verify(&self) -> Result<()> {
        Reader::verify_on(&*self.disk).map(|_| ())
    }

    /// Figures about the archive.
    pub fn stats(&self) -> Stats {
        let stats = self.state.stats();
        Stats { memory: stats.memory + self.pending.capacity() as u64, ..stats }
    }

    /// Records that were written to segments since it was opened, merges included.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Whether nothing waits for a commit.
    #[cfg(test)]
    pub(super) fn is_committed(&self) -> bool {
        self.pending.is_empty()
    }

    /// Commits and ends in good order, so that damage to the last commit will be told from a crash.
    pub fn close(mut self) -> Result<()> {
        self.guarded(|writer| {
            writer.journal_now()?;
            writer.mark_end()
        })
    }
}

impl Drop for Writer {
    /// Ends in good order if it can. What was not committed is gone.
    fn drop(&mut self) {
        if self.is_forked() {
            // Files and threads are those of the other process.
            self.merges.drain(..).for_each(std::mem::forget);
        } else if !self.has_failed {
            let _ = self.mark_end();
        }
    }
}

/// Checks every byte of every file that the newest manifest names; what is noted there, and a commit at the end that does not check, if
/// there is one, which may be under way.
pub(super) fn verify(disk: &dyn Disk) -> Result<(u64, Option<Cut>)> {
    let Loaded { state, end, .. } = load(disk, &[], &[])?;
    state.parts.iter().try_for_each(|part| part.segment.verify())?;
    Ok((state.note, end.cut))
}
