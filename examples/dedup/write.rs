//! Files that are there whole or not at all: written under another name in the same folder, synced, then renamed.

use std::fs::{self, File};
use std::hash::Hasher;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use flate2::Compression;
use flate2::write::GzEncoder;
use rayon::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tempfile::{NamedTempFile, TempDir};
use twox_hash::XxHash3_64;

use crate::input::{Codec, decode};

/// What is under way, to be removed when the user stops the run.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes unfinished files and ends the run when the user presses Ctrl-C.
pub fn stop_cleanly() -> Result<(), String> {
    ctrlc::set_handler(|| {
        // The lock is held until the end, so that nothing more is begun.
        let unfinished = UNFINISHED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for path in unfinished.iter() {
            // What is gone already needs no removing; of anything else nobody could be told more than its name.
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
        // As the shell does for a program that Ctrl-C has ended.
        std::process::exit(130);
    })
    .map_err(|error| format!("cannot watch for Ctrl-C: {error}"))
}

fn begin<T>(make: impl FnOnce() -> io::Result<T>, path: impl FnOnce(&T) -> &Path) -> io::Result<T> {
    let mut unfinished = UNFINISHED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let made = make()?;
    unfinished.push(path(&made).into());
    Ok(made)
}

fn end(path: &Path) {
    UNFINISHED.lock().unwrap_or_else(std::sync::PoisonError::into_inner).retain(|unfinished| unfinished != path);
}

/// The full path of what is or will be there, however it is spelt; a link is what it leads to.
pub fn full(path: &Path) -> PathBuf {
    /// As many as Linux follows.
    const LINKS: usize = 40;
    let mut path = path.to_path_buf();
    for _ in 0..LINKS {
        if let Ok(full) = fs::canonicalize(&path) {
            return full;
        }
        // What a link leads to is not there yet.
        let Ok(to) = fs::read_link(&path) else { break };
        path = folder(&path).join(to);
    }
    let in_folder = || Some(fs::canonicalize(folder(&path)).ok()?.join(path.file_name()?));
    in_folder().unwrap_or(path)
}

/// The folder in which a file is or will be.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the names in a folder last.
fn sync_folder(path: &Path) -> io::Result<()> {
    // Only Unix opens folders.
    if cfg!(unix) { File::open(folder(path))?.sync_all() } else { Ok(()) }
}

/// Makes names for what is under way; `mode` is what anything new may allow on Unix, before the user's mask.
fn builder(mode: u32) -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".dedup-").suffix(".unfinished");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    builder
}

/// A file under way. Dropped unfinished, it is removed.
pub struct Whole {
    file: NamedTempFile,
    target: PathBuf,
    codec: Codec,
    /// What is not written yet.
    pending: Vec<u8>,
    threads: usize,
    bytes: u64,
    checksum: XxHash3_64,
}

/// What is compressed as one; small enough to share among threads, large enough to compress well.
const PIECE: usize = 1 << 20;

fn begin_file(target: &Path) -> io::Result<(NamedTempFile, PathBuf)> {
    if fs::metadata(target).is_ok_and(|there| !there.is_file()) {
        return Err(io::Error::other("it is there and is no file"));
    }
    // A link stays, and what it leads to is replaced.
    let target = full(target);
    // Says what is missing, where the next line would speak of a name that is of no interest.
    fs::metadata(folder(&target))?;
    let file = begin(|| builder(0o666).tempfile_in(folder(&target)), NamedTempFile::path)?;
    Ok((file, target))
}

/// Whether a file can be written; tries it, so that nobody waits for a search whose result has no place.
pub fn check_file(target: &Path) -> io::Result<()> {
    let (file, _) = begin_file(target)?;
    let path = file.path().to_owned();
    file.close()?;
    end(&path);
    Ok(())
}

/// Whether a folder can be made and filled.
pub fn check_folder(target: &Path) -> io::Result<()> {
    let WholeFolder { folder, .. } = WholeFolder::new(target)?;
    let path = folder.path().to_owned();
    folder.close()?;
    end(&path);
    Ok(())
}

impl Whole {
    /// Begins a file that will be `target`, compressed by `codec`.
    pub fn new(target: &Path, codec: Codec) -> io::Result<Self> {
        let (file, target) = begin_file(target)?;
        let (pending, checksum) = (Vec::new(), XxHash3_64::with_seed(0));
        let threads = rayon::current_num_threads();
        Ok(Self { file, target, codec, pending, threads, bytes: 0, checksum })
    }

    /// Compresses what is pending, piece by piece, so that all threads have something to do. Both formats read on after
    /// the end of a piece.
    fn write_pending(&mut self) -> io::Result<()> {
        if self.codec == Codec::Plain {
            self.file.write_all(&self.pending)?;
        } else {
            let pieces = self.pending.par_chunks(PIECE).map(|piece| compress(self.codec, piece));
            let pieces: Vec<Vec<u8>> = pieces.collect::<io::Result<_>>()?;
            pieces.iter().try_for_each(|piece| self.file.write_all(piece))?;
        }
        self.pending.clear();
        Ok(())
    }

    /// Reads the file again and checks it against what was written; all that it lacks then is its name.
    pub fn finish(mut self) -> io::Result<Ready> {
        if self.bytes == 0 && self.codec != Codec::Plain {
            // Nothing at all is no compressed file.
            self.file.write_all(&compress(self.codec, &[])?)?;
        }
        self.write_pending()?;
        self.file.as_file().sync_all()?;
        let mut written = decode(self.codec, self.file.reopen()?);
        let (mut bytes, mut checksum, mut buffer) = (0, XxHash3_64::with_seed(0), vec![0; PIECE]);
        loop {
            match written.read(&mut buffer)? {
                0 => break,
                read => {
                    bytes += read as u64;
                    checksum.write(&buffer[..read]);
                }
            }
        }
        drop(written);
        if (bytes, checksum.finish()) != (self.bytes, self.checksum.finish()) {
            return Err(io::Error::other("it does not read back as it was written"));
        }
        Ok(Ready { made: Made::File(self.file), target: self.target })
    }
}

fn compress(codec: Codec, piece: &[u8]) -> io::Result<Vec<u8>> {
    match codec {
        Codec::Plain => Ok(piece.into()),
        Codec::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(piece)?;
            encoder.finish()
        }
        Codec::Zstd => Ok(compress_to_vec(piece, CompressionLevel::Fastest)),
    }
}

impl Write for Whole {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        self.bytes += bytes.len() as u64;
        Hasher::write(&mut self.checksum, bytes);
        if self.pending.len() >= PIECE * self.threads {
            self.write_pending()?;
        }
        Ok(bytes.len())
    }

    /// Nothing is of use before all is written.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A folder under way. Dropped unfinished, it is removed with all that is in it.
pub struct WholeFolder {
    folder: TempDir,
    target: PathBuf,
}

impl WholeFolder {
    /// Begins a folder that will be `target`, which is not there yet or empty.
    pub fn new(target: &Path) -> io::Result<Self> {
        let target = full(target);
        let is_free = match fs::read_dir(&target) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(error) => return Err(error),
        };
        if !is_free {
            return Err(io::Error::other("the folder is there and not empty"));
        }
        let folder = begin(|| builder(0o777).tempdir_in(folder(&target)), TempDir::path)?;
        Ok(Self { folder, target })
    }

    /// Writes a file, with the folders that its name names.
    pub fn write(&self, name: &Path, bytes: &[u8]) -> io::Result<()> {
        let path = self.folder.path().join(name);
        fs::create_dir_all(folder(&path))?;
        let mut file = File::create_new(path)?;
        file.write_all(bytes)?;
        // On Unix all are synced at the end: one by one takes milliseconds each.
        if cfg!(unix) { Ok(()) } else { file.sync_all() }
    }

    pub fn finish(self) -> Ready {
        #[cfg(unix)]
        rustix::fs::sync();
        Ready { made: Made::Folder(self.folder), target: self.target }
    }
}

/// A file or a folder that is written and has no name yet. Dropped, it is removed.
pub struct Ready {
    made: Made,
    target: PathBuf,
}

enum Made {
    File(NamedTempFile),
    Folder(TempDir),
}

/// What there was before a name was given.
enum Before {
    Nothing,
    /// An empty folder.
    Folder,
    /// A file, by another name.
    File(NamedTempFile<()>),
}

impl Ready {
    fn before(&self) -> io::Result<Before> {
        match fs::metadata(&self.target) {
            Ok(there) if there.is_dir() => Ok(Before::Folder),
            Ok(_) => {
                let keep = |path: &Path| {
                    // Not every file system has links.
                    fs::hard_link(&self.target, path).or_else(|_| fs::copy(&self.target, path).map(drop))
                };
                let kept = begin(|| builder(0o666).make_in(folder(&self.target), keep), NamedTempFile::path)?;
                Ok(Before::File(kept))
            }
            Err(_) => Ok(Before::Nothing),
        }
    }

    fn name(self) -> io::Result<PathBuf> {
        let Self { made, target } = self;
        match made {
            Made::File(file) => {
                let path = file.path().to_owned();
                if let Ok(there) = fs::metadata(&target) {
                    // Who may read what is replaced may read what replaces it, and nobody else.
                    fs::set_permissions(&path, there.permissions())?;
                }
                file.persist(&target).map_err(|failure| failure.error)?;
                end(&path);
            }
            Made::Folder(folder) => {
                if !cfg!(unix) && fs::read_dir(&target).is_ok() {
                    // Only Unix renames onto an empty folder.
                    fs::remove_dir(&target)?;
                }
                fs::rename(folder.path(), &target)?;
                end(&folder.keep());
            }
        }
        sync_folder(&target).map(|()| target)
    }
}

impl Before {
    /// Takes a name away again. Nothing more can be done where that fails.
    fn restore(self, target: &Path) {
        let _ = match self {
            Self::Nothing if target.is_dir() => fs::remove_dir_all(target),
            Self::Nothing => fs::remove_file(target),
            Self::Folder => fs::remove_dir_all(target).and_then(|()| fs::create_dir(target)),
            Self::File(kept) => kept.persist(target).map(drop).map_err(|failure| failure.error),
        };
    }

    fn forget(self) {
        if let Self::File(kept) = self {
            let path = kept.path().to_owned();
            drop(kept);
            end(&path);
        }
    }
}

/// Gives all their names, or none; an error comes with the name that could not be given.
pub fn name_all(ready: Vec<Ready>) -> Result<(), (PathBuf, io::Error)> {
    let mut named: Vec<(PathBuf, Before)> = Vec::new();
    for ready in ready {
        let target = ready.target.clone();
        match ready.before().and_then(|before| Ok((ready.name()?, before))) {
            Ok(done) => named.push(done),
            Err(error) => {
                named.into_iter().rev().for_each(|(target, before)| before.restore(&target));
                return Err((target, error));
            }
        }
    }
    named.into_iter().for_each(|(_, before)| before.forget());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(target: &Path, text: &str) -> Ready {
        let mut whole = Whole::new(target, Codec::Plain).unwrap();
        whole.write_all(text.as_bytes()).unwrap();
        whole.finish().unwrap()
    }

    #[test]
    fn all_get_their_names_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let [old, new, blocked] = ["old", "new", "blocked"].map(|name| folder.path().join(name));
        fs::write(&old, "before").unwrap();
        let both = vec![written(&old, "after"), written(&new, "after"), written(&blocked, "after")];
        // Somebody takes the last name meanwhile.
        fs::create_dir_all(blocked.join("in the way")).unwrap();
        assert_eq!(name_all(both).unwrap_err().0, blocked);
        assert_eq!((fs::read_to_string(&old).unwrap().as_str(), new.exists()), ("before", false));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing unfinished is left");

        name_all(vec![written(&old, "after"), written(&new, "after")]).unwrap();
        assert_eq!([old, new].map(|path| fs::read_to_string(path).unwrap()), ["after", "after"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_replaced_keeps_its_mode() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "before").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        name_all(vec![written(&path, "after")]).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
