//! What an archive asks of a disk: files that are written from beginning to end and read at places, in one folder.
//!
//! Tests put another disk in its place, which loses what was not synced.

use std::any::Any;
use std::fmt::Debug;
use std::fs::{self, File, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::store::place;

/// A folder. Names are those of files directly in it.
pub(super) trait Disk: Debug + Send + Sync {
    /// Where a file is, for messages; the folder itself for the empty name.
    fn path(&self, name: &str) -> PathBuf;
    /// The names of all files.
    fn names(&self) -> io::Result<Vec<String>>;
    /// A new file, in place of any of this name.
    fn create(&self, name: &str) -> io::Result<Box<dyn Output>>;
    /// A file that goes on after so many bytes; what it held after them is cut off. Those from a place on are written once
    /// more: after a sync has failed, a disk may show them, say that the next sync went well, and lose them.
    fn resume(&self, name: &str, again: u64, length: u64) -> io::Result<Box<dyn Output>>;
    fn open(&self, name: &str) -> io::Result<Box<dyn Input>>;
    /// Gives a file another name, at once.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file. Who has it open may go on reading.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes names last.
    fn sync(&self) -> io::Result<()>;
    /// Locks the folder until what is given is dropped; nothing, if somebody else did.
    fn lock(&self) -> io::Result<Option<Box<dyn Any + Send + Sync>>>;
}

/// A file that is written.
pub(super) trait Output: Send + Sync {
    /// Adds bytes at the end.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes all that was written last.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file that is read.
pub(super) trait Input: Send + Sync {
    fn length(&self) -> io::Result<u64>;
    /// Fills `bytes` from a place on.
    fn read(&self, bytes: &mut [u8], at: u64) -> io::Result<()>;
}

/// The file that is locked. It is empty, and stays: if it were removed, two writers could hold locks on two files of one name.
pub(super) const LOCK: &str = "lock";

/// A folder of the real disk.
///
/// On Unix, a file that was removed can be read as long as it is open. On Windows, the standard library opens files so that this
/// holds as well; before Windows 10 the name may stay until the file is closed, and a later opening removes it. There, a folder
/// cannot be synced, and NTFS keeps names in a journal of its own.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_path_buf())
    }

    /// Creates the folder if there is none, so that it lasts.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        if !path.is_dir() {
            fs::create_dir_all(path)?;
            if let Some(parent) = path.parent() {
                let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
                Self::new(parent).sync()?;
            }
        }
        Ok(Self::new(path))
    }
}

impl Disk for Folder {
    fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.0.clone() } else { self.0.join(name) }
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            // Names of other characters are of none of our files.
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Output>> {
        Ok(Box::new(File::create(self.path(name))?))
    }

    fn resume(&self, name: &str, again: u64, length: u64) -> io::Result<Box<dyn Output>> {
        let mut file = File::options().read(true).write(true).open(self.path(name))?;
        file.set_len(length)?;
        let mut bytes = vec![0; length.saturating_sub(again) as usize];
        place::read(&file, &mut bytes, again)?;
        place::write(&file, &bytes, again)?;
        file.seek(SeekFrom::Start(length))?;
        Ok(Box::new(file))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Input>> {
        Ok(Box::new(File::open(self.path(name))?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name))
    }

    fn sync(&self) -> io::Result<()> {
        if cfg!(unix) { File::open(&self.0)?.sync_all() } else { Ok(()) }
    }

    fn lock(&self) -> io::Result<Option<Box<dyn Any + Send + Sync>>> {
        let file = File::options().create(true).append(true).open(self.path(LOCK))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Output for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

impl Input for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        place::read(self, bytes, at)
    }
}
