//! Reading an archive, beside a writer of this process or of another.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::sleep;
use std::time::Duration;

use super::Snapshot;
use super::disk::{Disk, Folder};
use super::manifest::Profile;
use super::writer::{Loaded, fail, load, verify, without_file};
use crate::error::{ArchiveFault, Error, Result};

/// Gives what is committed, as often as it is asked.
#[derive(Clone, Debug)]
pub struct Reader {
    current: Arc<RwLock<Arc<Snapshot>>>,
    profile: Arc<Profile>,
    /// What it was opened from, if there is no writer that keeps it up to date.
    disk: Option<Arc<dyn Disk>>,
}

/// How often an archive is read anew because a writer has removed a file of it in the meantime.
const TRIES: usize = 100;

/// How often, and after what time, somebody looks again whether a commit that does not check is still the same: to write one takes less.
const LOOKS: usize = 20;
const LOOK: Duration = Duration::from_millis(50);

impl Reader {
    pub(super) fn of(current: Arc<RwLock<Arc<Snapshot>>>, profile: Profile) -> Self {
        Self { current, profile: profile.into(), disk: None }
    }

    /// Opens an archive, which must have been made with one of some profiles, if any are given. Others may write it.
    pub fn open(folder: &Path, expected: &[Profile]) -> Result<Self> {
        let disk = Folder::new(folder);
        if !folder.is_dir() {
            return fail(&disk, ArchiveFault::Missing);
        }
        Self::open_on(Arc::new(disk), expected)
    }

    pub(super) fn open_on(disk: Arc<dyn Disk>, expected: &[Profile]) -> Result<Self> {
        let Loaded { state, manifest, .. } = patiently(|| load(&*disk, expected, &[]))?;
        let current = Arc::new(RwLock::new(Arc::new(state)));
        Ok(Self { current, profile: manifest.profile.into(), disk: Some(disk) })
    }

    /// What must be the same for records to be comparable.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// What was committed last; of an archive that another process writes, what was when it was opened or refreshed.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at what another process has committed in the meantime.
    pub fn refresh(&self) -> Result<()> {
        if let Some(disk) = &self.disk {
            let parts = self.snapshot().parts.clone();
            let Loaded { state, .. } = patiently(|| load(&**disk, &[], &parts))?;
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
        }
        Ok(())
    }

    /// Checks every byte of every file, as they were last committed; what was [noted](super::Writer::note) by then. Others may write.
    pub fn verify(folder: &Path) -> Result<u64> {
        Self::verify_on(&Folder::new(folder))
    }

    pub(super) fn verify_on(disk: &dyn Disk) -> Result<u64> {
        let (note, cut) = patiently(|| verify(disk))?;
        let Some(cut) = cut else { return Ok(note) };
        for _ in 0..LOOKS {
            sleep(LOOK);
            let now = patiently(|| load(disk, &[], &[]))?.end.cut;
            // It was under way, and another one may be now.
            if now.as_ref() != Some(&cut) {
                return Ok(note);
            }
        }
        Err(Error::Archive { path: cut.path, fault: ArchiveFault::CutShort { place: cut.place } })
    }
}

/// Does it again if a file was not there: a writer has removed it, and there is a newer one. One that stays away is missing.
pub(crate) fn patiently<T>(what: impl Fn() -> Result<T>) -> Result<T> {
    for _ in 1..TRIES {
        match what() {
            Err(Error::Archive { fault: ArchiveFault::Io(error), .. })
                if error.kind() == std::io::ErrorKind::NotFound => {}
            done => return done,
        }
    }
    what().map_err(without_file)
}
