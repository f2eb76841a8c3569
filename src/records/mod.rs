//! Keeps records in files: numbered, found by keys, durable. Knows nothing of articles, and judges none.
//!
//! ```text
//! add, remove, expire ─ journal ─ flush ─ segment ┐
//!                          │      merge ─ segment ┼─ manifest ─ snapshot ─ look up
//!                          └─ memory ─────────────┘
//! ```
//!
//! A [`Record`] has a number for life, given in ascending order and never given again; an id, which is a label that others may bear
//! too; a date, a source, a sketch and a text, which mean nothing here; and keys of several kinds, by which it is found.
//!
//! - `journal`: what was committed since the last segment; `memory`: the same, to be looked up.
//! - `segment`: records that never change, with `postings`, the lists of those that hold a key.
//! - `merging`: segments that are merged beside the writer.
//! - `manifest`: which files count. `writer` and `reader` put all together, `snapshot` looks up.
//! - `bytes`, `offsets`, `record`: what these are made of; `disk`: what they ask of a disk.
//!
//! # What lasts
//!
//! When [`Writer::commit`] returns, its changes outlive any crash; after a crash, an archive holds what was committed up to some
//! commit, that one or the one that was under way. Segments, and the lists of what was removed from them, are complete and synced before a manifest
//! names them, and a manifest is renamed into place. What nobody names is removed when a writer opens the archive.
//!
//! Every byte of every file belongs to a checksum, which is looked at whenever it is read.

mod bytes;
mod disk;
mod journal;
mod manifest;
mod memory;
mod merging;
mod offsets;
mod postings;
mod reader;
mod record;
mod segment;
mod snapshot;
mod writer;

#[cfg(test)]
mod simulated;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::sync::Arc;

pub(crate) use bytes::{Cursor, put_number};
pub use journal::Cut;
pub use manifest::{MOST_KINDS, Profile};
pub use reader::Reader;
pub(crate) use reader::patiently;
pub use record::{Record, Stored, Text};
pub(crate) use record::{TooLarge, check_bytes};
pub(crate) use snapshot::Among;
pub use snapshot::{Snapshot, Stats};
pub use writer::{Merge, Opened, Options, Writer};

use crate::error::{ArchiveFault, Error};

/// The format of all files.
const VERSION: u32 = 1;

/// The name of a file.
fn name(kind: &str, file: u64) -> String {
    format!("{kind}-{file:08}")
}

/// The number of a file of some kind, from its name.
fn file_number(given: &str, kind: &str) -> Option<u64> {
    let number = given.strip_prefix(kind)?.strip_prefix('-')?.parse().ok()?;
    (name(kind, number) == given).then_some(number)
}

pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::Archive { path: path.to_path_buf(), fault: ArchiveFault::Io(Arc::new(source)) }
}

pub(crate) fn damaged(path: &Path, place: u64, what: &'static str) -> Error {
    Error::Archive { path: path.to_path_buf(), fault: ArchiveFault::Damaged { place, what } }
}
