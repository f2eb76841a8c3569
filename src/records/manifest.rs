//! Which files make up an archive. The one with the highest number counts; it comes to be by a renaming, when all that it names
//! has lasted.
//!
//! One that does not check is damage and never passed over for an older one: what was committed since would be lost silently. For the same
//! reason it says how far the journal had come: what is missing before that place was not cut short by a crash.

use super::bytes::{Cursor, Of, put_bytes, put_number, seal, sealed};
use super::disk::Disk;
use super::segment::{Sink, Written};
use super::{VERSION, damaged, file_number, io, name};
use crate::error::{ArchiveFault, Error, Result};

const MAGIC: &[u8; 8] = b"rtldmani";
/// Of the manifest alone. The first said nothing of the journal's length, and had no note.
const MANIFEST_VERSION: u32 = VERSION + 1;

/// What must be the same for records to be comparable, and how they are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// All of it; of no meaning here.
    pub bytes: Vec<u8>,
    /// The same for people.
    pub name: String,
    /// For each kind of key how many of its lower bits count, from 16 to 64. The fewer, the smaller: two keys that
    /// differ in others only are the same key.
    pub key_bits: Vec<u8>,
}

/// Kinds of keys that a profile may have.
pub const MOST_KINDS: usize = 8;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) profile: Profile,
    /// The number of the first record of the journal.
    pub(super) next: u64,
    /// Of no file yet.
    pub(super) next_file: u64,
    pub(super) journal: u64,
    /// Segments in the order of their numbers, each with the file that tells which of it are dead, or 0.
    pub(super) segments: Vec<(Written, u64)>,
    /// Bytes of the journal that had lasted.
    pub(super) committed: u64,
    /// See [`Writer::note`](super::Writer::note).
    pub(super) note: u64,
}

impl Manifest {
    /// Makes this one the one that counts. All that it names must last already.
    pub(super) fn write(&self, disk: &dyn Disk, file: u64) -> Result<()> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(MANIFEST_VERSION.to_le_bytes());
        bytes.extend(file.to_le_bytes());
        put_bytes(&mut bytes, &self.profile.bytes);
        put_bytes(&mut bytes, self.profile.name.as_bytes());
        put_bytes(&mut bytes, &self.profile.key_bits);
        let mut numbers = vec![self.next, self.next_file, self.journal, self.segments.len() as u64];
        for &(Written { file, length, sum }, dead) in &self.segments {
            numbers.extend([file, length, sum, dead]);
        }
        numbers.extend([self.committed, self.note]);
        numbers.into_iter().for_each(|number| put_number(&mut bytes, number));
        seal(Of::Manifest, 0, &mut bytes, 0);
        let name = name("manifest", file);
        let new = format!("{name}.new");
        Sink::whole(disk, &new, &bytes)?;
        sync(disk)?;
        disk.rename(&new, &name).map_err(io(&disk.path(&name)))?;
        sync(disk)
    }

    /// The one that counts, and its number; nothing if there is none.
    pub(super) fn newest(disk: &dyn Disk) -> Result<Option<(u64, Self)>> {
        let names = disk.names().map_err(io(&disk.path("")))?;
        let Some(file) = names.iter().filter_map(|name| file_number(name, "manifest")).max() else { return Ok(None) };
        let name = name("manifest", file);
        let path = disk.path(&name);
        let bytes = whole(disk, &name)?;
        let bad = |what| damaged(&path, 0, what);
        let mut cursor = Cursor(sealed(Of::Manifest, 0, &bytes).ok_or_else(|| bad("the manifest does not check"))?);
        let mut head =
            || Some((&cursor.array::<8>()? == MAGIC, u32::from_le_bytes(cursor.array()?), cursor.fixed()? == file));
        let version = match head() {
            Some((true, version, _)) if !(VERSION..=MANIFEST_VERSION).contains(&version) => {
                return Err(Error::Archive { path, fault: ArchiveFault::Version(version) });
            }
            Some((true, version, true)) => version,
            _ => return Err(bad("the file is another one")),
        };
        Self::read(&mut cursor, version)
            .map(|manifest| Some((file, manifest)))
            .ok_or_else(|| bad("the manifest does not check"))
    }

    fn read(cursor: &mut Cursor, version: u32) -> Option<Self> {
        let bytes = cursor.bytes()?.to_vec();
        let name = String::from_utf8(cursor.bytes()?.to_vec()).ok()?;
        let profile = Profile { bytes, name, key_bits: cursor.bytes()?.to_vec() };
        let [next, next_file, journal, count] =
            [cursor.number()?, cursor.number()?, cursor.number()?, cursor.number()?];
        let segment = |_| {
            let [file, length, sum, dead] = [cursor.number()?, cursor.number()?, cursor.number()?, cursor.number()?];
            Some((Written { file, length, sum }, dead))
        };
        let segments = (0..count).map(segment).collect::<Option<_>>()?;
        let [committed, note] = if version == VERSION { [0; 2] } else { [cursor.number()?, cursor.number()?] };
        let valid = profile.is_valid() && cursor.0.is_empty();
        valid.then_some(Self { profile, next, next_file, journal, segments, committed, note })
    }
}

impl Profile {
    pub(super) fn is_valid(&self) -> bool {
        self.key_bits.len() <= MOST_KINDS && self.key_bits.iter().all(|bits| (16..=64).contains(bits))
    }
}

/// Makes names last.
pub(super) fn sync(disk: &dyn Disk) -> Result<()> {
    disk.sync().map_err(io(&disk.path("")))
}

/// All bytes of a file.
pub(super) fn whole(disk: &dyn Disk, name: &str) -> Result<Vec<u8>> {
    let read = || {
        let input = disk.open(name)?;
        let mut bytes = vec![0; input.length()? as usize];
        input.read(&mut bytes, 0)?;
        Ok(bytes)
    };
    read().map_err(io(&disk.path(name)))
}
