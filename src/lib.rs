#![warn(missing_docs)]
#![deny(unsafe_code)]
mod bands;
mod error;
mod hash;
mod index;
mod minhash;
mod shingle;
mod simhash;
mod text;
pub use bands::Bands;
pub use error::{Error, Result};
pub use hash::FORMAT_VERSION;
pub use index::Index;
pub use minhash::{MinHash, MinHasher, Scheme};
pub use shingle::{Shingle, ShingleSet};
pub use simhash::{SimHash, SimHashIndex, SimHasher};
pub use text::{Word, Words};
/// x
pub struct Detector;
