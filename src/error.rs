use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::minhash::Scheme;
use crate::report::SkipReason;
use crate::shingle::Shingle;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What was refused, with the value, the place and what to do instead.
///
/// ```
/// let error = retold::Bands::new(0, 4).unwrap_err();
/// assert_eq!(error.to_string(), "bands = 0 is out of range: give 1 to 1024");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// An option was given a value that it cannot have.
    OutOfRange {
        /// The option's name.
        option: &'static str,
        /// The value that was given.
        value: f64,
        /// The values that it can have, in words.
        range: &'static str,
    },
    /// Two signatures made in different ways were to be compared or merged.
    Scheme {
        /// How the left one was made.
        left: Scheme,
        /// How the right one was made.
        right: Scheme,
    },
    /// Two shingle sets of different shingles were to be compared.
    Shingle {
        /// The shingle of the left set.
        left: Shingle,
        /// The shingle of the right set.
        right: Shingle,
    },
    /// A signature of another format version was read.
    Version {
        /// The version that the signature carries.
        found: u8,
    },
    /// A serialised signature does not hold what its scheme says.
    Corrupt {
        /// What is wrong with it.
        what: &'static str,
    },
    /// An id was inserted into an index that holds it already.
    DuplicateId {
        /// The id.
        id: u32,
    },
    /// An option, or something else that is chosen from a list, was given a name that is not on it.
    UnknownName {
        /// What it would be the name of.
        what: &'static str,
        /// The name that was given.
        given: String,
        /// The names that there are.
        known: &'static [&'static str],
    },
    /// A text cannot be compared.
    NotComparable {
        /// Which of the texts.
        text: &'static str,
        /// Why not.
        reason: SkipReason,
    },
    /// A signature has fewer slots than the bands of the index read.
    TooFewSlots {
        /// The slots that the bands read.
        needed: usize,
        /// The slots that the signature has.
        found: usize,
    },
    /// The articles have more rare features than can be told apart.
    TooLarge {
        /// How many articles there are.
        articles: usize,
    },
    /// A temporary file for what does not fit into the memory limit could not be written or read back.
    Spill {
        /// Where the file is, or was to be.
        folder: PathBuf,
        /// What the system says.
        source: Arc<io::Error>,
    },
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
                write!(f, "id {id} is in the index already: remove it first or give another id")
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
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Spill { source, .. } => Some(&**source),
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
