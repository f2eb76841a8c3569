#![warn(missing_docs)]
#![deny(unsafe_code)]
//! x
mod arch;
mod bands;
mod candidates;
mod cluster;
mod content;
mod detect;
mod error;
mod hash;
mod index;
mod minhash;
mod rare;
mod report;
mod shingle;
mod simhash;
mod text;
mod verify;

pub use bands::Bands;
pub use content::stem;
pub use detect::{Article, Detector, DetectorBuilder, Level};
pub use error::{Error, Result};
pub use hash::FORMAT_VERSION;
pub use index::Index;
pub use minhash::{MinHash, MinHasher, Scheme};
pub use report::{
    Cluster, ContentEvidence, Evidence, Member, Pair, Progress, Relation, Report, SkipReason, Skipped, Stage, Summary,
};
pub use shingle::{Shingle, ShingleSet};
pub use simhash::{SimHash, SimHashIndex, SimHasher};
pub use text::{Word, Words};
pub use verify::Rule;

/// For the benchmarks alone; no part of the public interface.
#[doc(hidden)]
pub mod measure {
    pub use crate::arch::Backend;
    pub use crate::text::WordCounter;
}
