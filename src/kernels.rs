//! The steps of a detection for dataflow engines: what looks at texts is a pure function of some rows, to be run wherever they are, and
//! what decides by links alone is run in one place. Together they find what [`Detector::find`] finds, by the same rules.
//!
//! Not part of the public interface: the Python package is made of this, and documents it.

mod content;
mod decide;
mod excerpts;
mod near;
mod packed;

use std::borrow::Cow;

pub use content::{
    Beside, Counted, Counting, Direct, Full, Looked, Packages, Pair, Read, Reading, Side, Told, Usual, Visit, Visits,
    Weighing, Weights, english_share, frequent, guest, is_compared, is_crowded, neighbours, share, usual_share,
    worth_reading,
};
pub use decide::{Crowd, Decider, Engine, MemberRow, Met, Numbers};
pub use excerpts::{Choosing, ExcerptRow, NEEDED};
pub use near::{
    Bucket, Buckets, Compare, Holder, LARGEST, Masked, Overlap, Overlapping, Passage, Two, Unrelated, Windows,
};
pub use packed::Broken;

use crate::articles::told_beside;
use crate::detect::Detector;
use crate::error::SkipReason;
use crate::hash::hash_bytes;
use crate::options::{Representative, Search};
use crate::sign::{Scratch, Single};

/// Changes whenever what kernels exchange does.
pub const VERSION: u32 = 9;

/// What is judged by, as a number: changes whenever a weight, a threshold or what is found does. `tests/reports.rs` tells it.
pub const RULE: u32 = 0x6577_f9e9;

/// Texts are numbered on, and what is asked about so many of them goes together.
pub const BLOCK: u32 = 512;

/// The kernels of a detection with certain options.
#[derive(Debug)]
pub struct Kernels {
    pub(crate) detector: Detector,
}

/// What the order of articles and the folding of exact copies need of a text.
#[derive(Clone, Copy, Debug)]
pub struct Numbered {
    pub words: u32,
    /// Whether it cannot be compared.
    pub is_refused: bool,
    /// Equal for exact copies alone.
    pub exact: [u64; 2],
    /// A hash of its bytes.
    pub hash: u64,
}

impl Kernels {
    /// The kernels for some options; what is wrong with these if an engine cannot have them.
    pub fn new(detector: Detector) -> Result<Self, &'static str> {
        if detector.near.search == Search::Exhaustive {
            return Err("search=\"exhaustive\" compares all with all, which is for one machine: leave it out");
        }
        if detector.near_misses.is_some() {
            return Err("near misses are not found by engines: leave near_misses out, or use retold.find");
        }
        if detector.admission.representative == Representative::First {
            return Err("the rows of an engine have no order, so that none comes first: use another keep");
        }
        Ok(Self { detector })
    }

    pub fn numbered(&self, text: &str) -> Numbered {
        let single = self.single(text);
        Numbered {
            words: single.words,
            is_refused: self.detector.refuse(&single).is_some(),
            exact: single.exact.parts(),
            hash: hash_bytes(text.as_bytes()),
        }
    }

    /// Why a text cannot be compared, if it cannot.
    pub fn refused(&self, text: &str) -> Option<SkipReason> {
        self.detector.refuse(&self.single(text))
    }

    pub(crate) fn single(&self, text: &str) -> Single {
        thread_local! {
            static SCRATCH: std::cell::RefCell<Scratch> = std::cell::RefCell::default();
        }
        SCRATCH.with_borrow_mut(|scratch| self.detector.views().single(text, scratch))
    }
}

/// The outlet in which something appeared, as a number that is equal for equal names.
pub fn outlet(name: &str) -> u64 {
    hash_bytes(name.as_bytes())
}

/// What an article says of itself beside its id and its text, as a number that orders those that are equal in these.
pub fn beside(date: Option<&str>, source: Option<&str>) -> u64 {
    told_beside(date, source)
}

/// When something appeared, in seconds, by its date; the latest time that there is if that does not tell.
pub fn seconds(date: Option<&str>) -> i64 {
    date.and_then(crate::date::seconds).unwrap_or(i64::MAX)
}

/// Some numbers of a corpus, a bit each.
#[derive(Clone, Debug, Default)]
pub struct Bits {
    bytes: Vec<u8>,
    /// How many are among those before each eight bytes.
    before: Vec<u32>,
}

impl Bits {
    pub fn new(bytes: Vec<u8>) -> Self {
        let mut count = 0;
        let eight = |eight: &[u8]| {
            let before = count;
            count += eight.iter().map(|byte| byte.count_ones()).sum::<u32>();
            before
        };
        let before = bytes.chunks(8).map(eight).collect();
        Self { bytes, before }
    }

    /// Those of so many numbers that are `in` it, as bytes.
    pub fn of(numbers: usize, is_in: impl Fn(usize) -> bool) -> Vec<u8> {
        let mut bytes = vec![0; numbers.div_ceil(8)];
        (0..numbers).filter(|&number| is_in(number)).for_each(|number| bytes[number / 8] |= 1 << (number % 8));
        bytes
    }

    pub fn contains(&self, number: u32) -> bool {
        let at = number as usize;
        self.bytes.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1)
    }

    /// How many lower numbers are in it.
    pub fn rank(&self, number: u32) -> u32 {
        let byte = number as usize / 8;
        let whole: u32 = self.bytes[byte / 8 * 8..byte].iter().map(|byte| byte.count_ones()).sum();
        let below = (1u8 << (number % 8)) - 1;
        self.before[byte / 8] + whole + (self.bytes[byte] & below).count_ones()
    }
}

/// Texts of some rows, each once, with numbers of their own.
struct Local<'t> {
    numbers: std::collections::HashMap<u32, u32>,
    texts: Vec<Cow<'t, str>>,
}

impl<'t> Local<'t> {
    fn new() -> Self {
        Self { numbers: std::collections::HashMap::new(), texts: Vec::new() }
    }

    fn add(&mut self, text: u32, of: &'t str) -> u32 {
        let next = self.texts.len() as u32;
        let number = *self.numbers.entry(text).or_insert(next);
        if number == next {
            self.texts.push(Cow::Borrowed(of));
        }
        number
    }
}

#[cfg(test)]
mod tests;
