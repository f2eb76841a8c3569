use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::scheme::{Scheme, Shingle};

/// The result type of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that can fail. Messages name the option or value and suggest a fix.
///
/// ```
/// let error = retold::Bands::new(0, 4).unwrap_err();
/// assert_eq!(error.to_string(), "bands = 0 is out of range: give 1 to 1024");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The value of an option is out of range.
    OutOfRange {
        /// The option's name.
        option: &'static str,
        /// The value that was given.
        value: f64,
        /// The valid range, in words.
        range: &'static str,
    },
    /// Two signatures of different schemes cannot be compared or merged.
    Scheme {
        /// The scheme of the left one.
        left: Scheme,
        /// The scheme of the right one.
        right: Scheme,
    },
    /// Two sets of different shingles cannot be compared.
    Shingle {
        /// The shingle of the left set.
        left: Shingle,
        /// The shingle of the right set.
        right: Shingle,
    },
    /// A signature has another format version.
    Version {
        /// The version of the signature.
        found: u8,
    },
    /// A serialised signature is damaged, or is not a signature.
    Corrupt {
        /// What is wrong with it.
        what: &'static str,
    },
    /// An id is already in the index.
    DuplicateId {
        /// The id.
        id: u32,
    },
    /// An enum has no variant of this name.
    UnknownName {
        /// What the name is for.
        what: &'static str,
        /// The name.
        given: String,
        /// The valid names.
        known: &'static [&'static str],
    },
    /// A text cannot be compared.
    NotComparable {
        /// Which text.
        text: &'static str,
        /// Why not.
        reason: SkipReason,
    },
    /// A signature has too few slots for the bands of the index.
    TooFewSlots {
        /// The slots that the bands need.
        needed: usize,
        /// The slots of the signature.
        found: usize,
    },
    /// There are too many articles for one search.
    TooLarge {
        /// The number of articles.
        articles: usize,
    },
    /// A temporary file, for data beyond the memory limit, could not be written or read back.
    Spill {
        /// The folder of the file.
        folder: PathBuf,
        /// The I/O error.
        source: Arc<io::Error>,
    },
    /// An archive could not be read or written.
    Archive {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        fault: ArchiveFault,
    },
}

/// What is wrong with a file of an archive.
///
/// ```
/// use retold::{Archive, ArchiveFault, Detector, Error};
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().join("news");
/// // Whoever may be the first to come.
/// let archive = match Archive::open(&folder, &Detector::new()) {
///     Err(Error::Archive { fault: ArchiveFault::Missing, .. }) => Archive::create(&folder, &Detector::new())?,
///     opened => opened?,
/// };
/// assert_eq!(archive.stats().articles, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ArchiveFault {
    /// It could not be read or written.
    Io(Arc<io::Error>),
    /// What it holds is not what was written.
    Damaged {
        /// The place in the file, in bytes.
        place: u64,
        /// What does not check.
        what: &'static str,
    },
    /// The last census is not what was written, or is missing. Nothing of the articles is lost, and
    /// [`Archive::recount`](crate::Archive::recount) counts them anew.
    Census {
        /// The place in the file, in bytes.
        place: u64,
        /// What does not check.
        what: &'static str,
    },
    /// The last commit does not check: a crash cut it short before anybody was told that it is committed, if nobody writes. It goes when
    /// the archive is opened to be written, and all that was committed before is kept.
    CutShort {
        /// Where it begins in the file, in bytes.
        place: u64,
    },
    /// It was written by another release, in another format.
    Version(u32),
    /// The articles of the archive were signed in another way.
    Profile {
        /// How those of the archive were.
        archive: String,
        /// How it was asked for.
        expected: String,
    },
    /// Another process, or another part of this one, writes to it.
    Locked,
    /// There is no archive.
    Missing,
    /// There is one already.
    Exists,
    /// What was to be added has too many bytes.
    TooLarge {
        /// How many it has.
        bytes: u64,
        /// How many are taken.
        most: u64,
    },
    /// It could not be written before, and nobody knows what stands in it now.
    Ended,
    /// It was opened to be written by another process, of which this one is a fork: two would write into one file.
    Forked,
    /// A text is compressed, and the crate was built without the feature `compress`.
    Compressed,
    /// The archive keeps no texts, and was asked for excerpts.
    NoTexts,
}

impl fmt::Display for ArchiveFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use io::ErrorKind::{
            AlreadyExists, NotADirectory, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull,
        };
        match self {
            Self::Io(source) if matches!(source.kind(), AlreadyExists | NotADirectory) => {
                write!(f, "{source}; an archive is a folder: give another name")
            }
            Self::Io(source) if matches!(source.kind(), PermissionDenied | ReadOnlyFilesystem) => {
                write!(f, "{source}; allow reading and writing there, or give another folder")
            }
            Self::Io(source) if matches!(source.kind(), StorageFull | QuotaExceeded) => {
                write!(f, "{source}; make room, and open the archive again: all that was committed is kept")
            }
            Self::Io(source) => {
                write!(f, "{source}; check the disk, and open the archive again: all that was committed is kept")
            }
            Self::Damaged { place, what } => {
                write!(f, "damaged at byte {place}: {what}; restore the archive from a copy, or add its articles anew")
            }
            Self::Census { place, what } => {
                write!(f, "damaged at byte {place}: {what}; take a census anew: of the articles nothing is lost")
            }
            Self::CutShort { place } => write!(
                f,
                "the commit at byte {place} was cut short, as by a crash; it goes when the archive is written to next, and what was \
                committed before is kept"
            ),
            Self::Version(found) => write!(f, "the archive has format {found}; use the release that wrote it"),
            Self::Profile { archive, expected } => {
                // By these words an archive says that it was made for edited copies alone.
                let is_near = |profile: &str| profile.contains("no content words");
                let options = match (is_near(archive), is_near(expected)) {
                    (true, false) => "level near",
                    (false, true) => "level reworded",
                    _ => "the same options",
                };
                write!(
                    f,
                    "the archive was made with {archive}, and is asked for with {expected}; use {options}, or a new archive"
                )
            }
            Self::Locked => {
                f.write_str("the archive is being written; wait for the other writer to end, or open a reader")
            }
            Self::Missing => f.write_str("there is no archive; create one, or give another folder"),
            Self::Exists => f.write_str("there is an archive already; open it, or give another folder"),
            Self::TooLarge { bytes, most } => {
                write!(f, "an article of {bytes} bytes is too large: give at most {most}")
            }
            Self::Ended => f.write_str("writing failed before; open the archive again: all that was committed is kept"),
            Self::Forked => {
                f.write_str("another process opened it, of which this one is a fork; open it after forking")
            }
            Self::Compressed => f.write_str("a text is compressed; build retold with the feature `compress`"),
            Self::NoTexts => f.write_str(
                "an archive without texts finds no excerpts; leave excerpts out, or create one that keeps texts",
            ),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange { option, value, range } => write!(f, "{option} = {value} is out of range: give {range}"),
            Self::Scheme { left, right } => write!(
                f,
                "signatures of different schemes do not compare: {left} and {right}; sign both texts in the same way"
            ),
            Self::Shingle { left, right } => write!(
                f,
                "shingle sets of different shingles do not compare: {left} and {right}; build both with the same one"
            ),
            Self::Version { found } => write!(
                f,
                "the signature has format version {found}, this release reads version {}; sign the text again",
                crate::FORMAT_VERSION
            ),
            Self::Corrupt { what } => write!(f, "not a valid signature: {what}; sign the text again"),
            Self::DuplicateId { id } => {
                write!(f, "id {id} is already in the index: remove it first or use another id")
            }
            Self::UnknownName { what, given, known } => {
                write!(f, "unknown {what} {given:?}: use one of {}", known.join(", "))
            }
            Self::NotComparable { text, reason } => write!(f, "the {text} text cannot be compared: {reason}"),
            Self::TooFewSlots { needed, found } => {
                write!(f, "the bands read {needed} slots but the signature has {found}: use fewer bands or more slots")
            }
            Self::TooLarge { articles } => {
                write!(f, "{articles} articles have too many rare features to be searched at once: split the corpus")
            }
            Self::Spill { folder, source } => write!(
                f,
                "cannot spill to {}: {source}; use another folder or raise the memory limit",
                folder.display()
            ),
            Self::Archive { path, fault } => write!(f, "{}: {fault}", path.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Spill { source, .. } | Self::Archive { fault: ArchiveFault::Io(source), .. } => Some(&**source),
            _ => None,
        }
    }
}

/// Refuses a value outside of `low..=high`, naming the option and the range.
pub(crate) fn check<T: PartialOrd + Copy + Into<f64>>(
    option: &'static str,
    value: T,
    low: T,
    high: T,
    range: &'static str,
) -> Result<()> {
    // Written so that NaN is refused as well.
    if value >= low && value <= high { Ok(()) } else { Err(Error::OutOfRange { option, value: value.into(), range }) }
}

/// Why an article was skipped. `Display` gives the cause and a suggested fix.
///
/// See [`Skipped`](crate::Skipped) for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum SkipReason {
    /// The text has no words.
    Empty,
    /// The text is too short to compare.
    TooShort {
        /// The words that it has.
        words: usize,
        /// The words that it needs.
        needed: usize,
    },
    /// The text has fewer characters than a shingle of characters spans.
    NoShingle {
        /// The shingle.
        shingle: Shingle,
    },
    /// The text is longer than 4 GiB.
    TooLong,
    /// The article has more bytes than an [`Archive`](crate::Archive) keeps of one: its text, or all else that is kept of it.
    TooLarge {
        /// The bytes that it has.
        bytes: u64,
        /// The most that are kept.
        most: u64,
    },
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the text has no words, so there is nothing to compare: leave it out"),
            Self::TooShort { words, needed } => {
                let s = if *words == 1 { "" } else { "s" };
                write!(f, "the text has {words} word{s}, needs {needed} to be compared: leave it out")
            }
            Self::NoShingle { shingle } => {
                write!(f, "the text is shorter than {shingle}: leave it out or use a shorter shingle")
            }
            Self::TooLong => f.write_str("the text is longer than 4 GiB: split it"),
            Self::TooLarge { bytes, most } => {
                write!(
                    f,
                    "the article has {bytes} bytes, and an archive keeps {most} of one at most: split it or leave it out"
                )
            }
        }
    }
}
