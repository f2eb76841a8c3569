//! Segments that are merged on a thread of their own while the writer goes on.
//!
//! A merge reads segments that never change, and writes a file that nobody names until the writer takes it over with its next commit. What
//! is removed from those segments in the meantime is removed from the new one then. A crash leaves a file that belongs to nothing.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};

use super::disk::Disk;
use super::offsets::Dead;
use super::segment::{Content, Merged, Part, Postings, Segment, write};
use super::{damaged, io, name};
use crate::error::Result;

/// A merge that is under way.
pub(super) struct Merging {
    disk: Arc<dyn Disk>,
    /// The file that is written.
    pub(super) file: u64,
    /// What is merged: neighbours, as they were when it began.
    parts: Vec<Part>,
    is_given_up: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<Segment>>>,
}

/// What is merged, until it is given up.
struct UntilGivenUp<'m> {
    merged: Merged<'m>,
    is_given_up: &'m AtomicBool,
    disk: &'m dyn Disk,
}

impl UntilGivenUp<'_> {
    fn go_on(&self) -> Result<()> {
        if self.is_given_up.load(Relaxed) {
            return Err(io(&self.disk.path(""))(ErrorKind::Interrupted.into()));
        }
        Ok(())
    }
}

impl Content for UntilGivenUp<'_> {
    fn records(&self, take: &mut dyn FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
        self.merged.records(&mut |number, bytes| self.go_on().and_then(|()| take(number, bytes)))
    }

    fn texts(&self, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.merged.texts(&mut |bytes| self.go_on().and_then(|()| take(bytes)))
    }

    fn keys(&self, kind: usize) -> (u64, u64) {
        self.merged.keys(kind)
    }

    fn postings(&self, kind: usize, chunk_bits: u32) -> Postings<'_> {
        let postings = self.merged.postings(kind, chunk_bits);
        Box::new(move |chunk| self.go_on().and_then(|()| postings(chunk)))
    }
}

impl Merging {
    /// Begins to merge neighbours, of which at least one record lives, into a file.
    pub(super) fn start(
        disk: Arc<dyn Disk>,
        (parts, file): (Vec<Part>, u64),
        widths: Arc<[u32]>,
        filtered: bool,
    ) -> Result<Self> {
        let is_given_up = Arc::new(AtomicBool::new(false));
        let path = disk.path("");
        let (own_disk, own_parts, given_up) = (disk.clone(), parts.clone(), is_given_up.clone());
        let merge = move || {
            let merged = Merged::new(&own_parts);
            let content = UntilGivenUp { merged, is_given_up: &given_up, disk: &*own_disk };
            let written = write(&*own_disk, file, &content, &widths, filtered)?;
            Segment::open(&*own_disk, written, &widths)
        };
        let thread = thread::Builder::new().name("retold-merge".into()).spawn(merge).map_err(io(&path))?;
        Ok(Self { disk, file, parts, is_given_up, thread: Some(thread) })
    }

    /// Whether it is of this segment.
    pub(super) fn takes(&self, part: &Part) -> bool {
        self.place_of(part).is_some()
    }

    fn place_of(&self, part: &Part) -> Option<usize> {
        self.parts.iter().position(|own| own.segment.written == part.segment.written)
    }

    pub(super) fn is_done(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits for its end; the new segment, without what was removed since it began: `now` are the segments as they are now.
    pub(super) fn finish(mut self, now: &[Part]) -> Result<Part> {
        let thread = self.thread.take().expect("a merge is waited for once");
        // A thread that panicked has written nothing that could be relied on.
        let segment = thread.join().unwrap_or_else(|_| Err(damaged("a merge".as_ref(), 0, "it ended by itself")))?;
        let mut dead = Dead::default();
        for then in &self.parts {
            // One that is gone was removed as a whole.
            let now = now.iter().find(|now| now.segment.written == then.segment.written);
            for place in 0..then.segment.len() {
                if !then.dead.contains(place) && now.is_none_or(|now| now.dead.contains(place)) {
                    let new = segment.numbers.place(then.segment.numbers.number(place));
                    dead.insert(new.expect("it lived when the merge began"));
                }
            }
        }
        Ok(Part { segment: Arc::new(segment), dead: Arc::new(dead) })
    }
}

impl Drop for Merging {
    /// What was not waited for is given up, and its file removed; if that fails, the next opening does it.
    fn drop(&mut self) {
        self.is_given_up.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
            let _ = self.disk.remove(&name("segment", self.file));
        }
    }
}
