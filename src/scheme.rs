//! How signatures are made: what must be the same for two of them to be compared.

use std::fmt;

/// What one shingle spans.
///
/// Word shingles see the words in order; 3 to 5 words are usual for articles. Character shingles also see typos and suit
/// short texts, and scripts without spaces; they run over the normalised words with one space between.
///
/// ```
/// use retold::{Shingle, ShingleSet};
///
/// let set = ShingleSet::new("one two three four", Shingle::Words(3))?;
/// assert_eq!(set.len(), 2);
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Shingle {
    /// This many words in a row, 1 to 32.
    Words(u8),
    /// This many characters in a row, 1 to 64.
    Chars(u8),
}

impl Shingle {
    /// The words or characters that it spans.
    pub(crate) fn span(self) -> u8 {
        match self {
            Self::Words(n) | Self::Chars(n) => n,
        }
    }
}

impl fmt::Display for Shingle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(n) => write!(f, "{n}-word shingles"),
            Self::Chars(n) => write!(f, "{n}-character shingles"),
        }
    }
}

/// How a signature was made. Two signatures compare only if their schemes are equal.
///
/// ```
/// use retold::{Scheme, Shingle};
///
/// let scheme = Scheme::minhash(Shingle::Words(5)).slots(256);
/// assert_eq!(scheme.to_string(), "MinHash of 5-word shingles, 256 slots");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Scheme {
    pub(crate) method: Method,
    pub(crate) view: View,
    pub(crate) slots: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub(crate) enum Method {
    MinHash,
    SimHash,
}

/// What the elements of a signature's set are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub(crate) enum View {
    Shingles(Shingle),
    /// Elements of the caller's own, with integer weights.
    Weighted,
}

impl Scheme {
    /// MinHash of a text's shingles, with 128 slots.
    pub fn minhash(shingle: Shingle) -> Self {
        Self { method: Method::MinHash, view: View::Shingles(shingle), slots: 128 }
    }

    /// MinHash of elements with integer weights (content features, say), with 128 slots.
    pub fn weighted_minhash() -> Self {
        Self { method: Method::MinHash, view: View::Weighted, slots: 128 }
    }

    /// SimHash, 64 bits, of a text's shingles.
    pub fn simhash(shingle: Shingle) -> Self {
        Self { method: Method::SimHash, view: View::Shingles(shingle), slots: 64 }
    }

    /// SimHash, 64 bits, of elements with integer weights.
    pub fn weighted_simhash() -> Self {
        Self { method: Method::SimHash, view: View::Weighted, slots: 64 }
    }

    /// Sets the number of slots of a MinHash: a power of two from 16 to 1024. The estimate's standard error is at most
    /// √(J(1−J)/slots): 0.044 at 128. A SimHash always has 64 bits.
    pub fn slots(mut self, slots: u16) -> Self {
        if self.method == Method::MinHash {
            self.slots = slots;
        }
        self
    }

    pub(crate) fn slot_count(&self) -> usize {
        usize::from(self.slots)
    }

    pub(crate) fn shingle(&self) -> Option<Shingle> {
        match self.view {
            View::Shingles(shingle) => Some(shingle),
            View::Weighted => None,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.method {
            Method::MinHash => "MinHash of ",
            Method::SimHash => "SimHash of ",
        })?;
        match self.view {
            View::Shingles(shingle) => write!(f, "{shingle}")?,
            View::Weighted => f.write_str("weighted elements")?,
        }
        match self.method {
            Method::MinHash => write!(f, ", {} slots", self.slots),
            Method::SimHash => write!(f, ", {} bits", self.slots),
        }
    }
}
