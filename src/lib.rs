//! Finds articles that were told before: exact copies, edited copies, and above all **reworded copies**, the same story in
//! other words.
//!
//! # Overview
//!
//! Most need three types:
//!
//! - [`Detector`] takes articles (anything with an id and a text, see [`Article`]) and finds all copies among them;
//! - [`Report`] holds the [`Cluster`]s, each with a representative and its members, and what was skipped;
//! - [`Member`] says how an article is like its representative: the [`Relation`], a similarity, and the [`Evidence`].
//!
//! ```
//! use retold::Detector;
//!
//! let articles = [
//!     ("monday.txt", "The ferry to Orrin will stop in March, the harbour board announced on Monday."),
//!     ("copy.txt", "The ferry to Orrin will stop in March, the harbour board announced on Monday!"),
//!     ("other.txt", "Snow closed the mountain road to Hallin for the third time in a week."),
//! ];
//! let report = Detector::new().find(&articles)?;
//! for cluster in report.clusters() {
//!     println!("{}", cluster.representative().id);
//!     for member in cluster.members() {
//!         println!("  {} {} {:.2}", member.id, member.relation, member.similarity);
//!     }
//! }
//! assert_eq!(report.clusters().len(), 1);
//! # Ok::<(), retold::Error>(())
//! ```
//!
//! Each step of the line can be used alone:
//!
//! - [`Words`]: text to words, with their places;
//! - [`ShingleSet`]: windows of words or characters, exact Jaccard similarity and containment;
//! - [`MinHasher`] and [`MinHash`], [`SimHasher`] and [`SimHash`]: signatures whose bits never change;
//! - [`Bands`] and [`Index`], [`SimHashIndex`]: which signatures to compare;
//! - [`shared_passages`]: what two texts tell alike, place by place, to show to a reader;
//! - [`Detector::compare_texts`]: two texts with all the evidence, copies or not;
//! - [`Detector::collector`]: articles as they are read, with as little [memory](DetectorBuilder::memory) as there is;
//! - [`stem`]: content words; [`Detector::pairs`]: every compared pair with its evidence; [`Rule`]: how it is weighed.
//!
//! # What a copy is
//!
//! Two articles are *copies* if one was made from the other, or both from one: the same article, reworked. Most articles that
//! look alike are none, and [`Lookalike`] names what they are instead:
//!
//! | | what it is | an example |
//! | --- | --- | --- |
//! | copy | one article made from the other: copied, edited, shortened, restyled, retold sentence by sentence | a wire story that a paper rewrote for its readers |
//! | excerpt | a block of one text stands in another one that is otherwise different writing | a commentary that quotes two paragraphs of a report |
//! | furniture | what they share belongs to the page, not to the story | an author's note, a list of links, a signature |
//! | same event | independent reports of one event: the same names and numbers, other sentences | two papers' own reports of a council vote |
//! | follow-up | the same running story on another day or from another angle | Tuesday's report of the trial, and Wednesday's |
//! | template | one form filled with other facts | two companies' quarterly figures, two weather bulletins |
//!
//! What decides is whether the *telling* is shared, not the facts: the same words all over the text, in the same order, and
//! no news that the other one lacks.
//!
//! # How it works
//!//!
//! An edited copy is found by its *shingles*: signatures are cut into bands, texts that share one are compared exactly.
//! A reworded copy shares hardly any shingle with its source, but names, turns of phrase and the order in which the story
//! goes, that no other text has. So its *content features* count: stems and pairs of neighbouring stems that few documents
//! hold. Texts that share enough of them are read side by side and compared by a few numbers ([`ContentEvidence`]): what they
//! share, whether everywhere and in the same order, in how large a block, what names and numbers each has for itself, and what
//! such texts usually share with their neighbours. A [`Rule`] weighs them into odds. How high these must be depends on how
//! common copies are in the corpus, which is found from the odds of all pairs ([`Summary::prior`]). Clusters are stars: each
//! member was verified against the representative, and a doubtful one needs a second member that it is a copy of.
//!
//! # Guarantees
//!
//! - The same articles give the same report, in any order and on any number of threads.
//! - Signatures are the same bits on every platform and in every release of one [`FORMAT_VERSION`]; signatures made in
//!   different ways refuse to be compared.
//! - No text makes the library panic, and none is dropped silently: see [`Report::skipped`].
//!
//! # Features
//!
//! - `serde`: signatures serialise, and are validated when read; parts of a report serialise.
//! - `command`: builds the command `dedup`, with all that it depends on; `parquet`: reads and writes Parquet with it.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(missing_debug_implementations, missing_docs, unreachable_pub)]
#![deny(unsafe_code)]

mod arch;
mod articles;
mod bands;
mod candidates;
mod cluster;
mod content;
mod crowds;
mod date;
mod detect;
mod error;
mod exact;
mod excerpts;
mod features;
mod fingerprints;
mod frequencies;
mod furniture;
mod hash;
mod index;
mod minhash;
mod names;
mod near;
mod passages;
mod prior;
mod rare;
mod removal;
mod report;
mod shingle;
mod sign;
mod simhash;
mod store;
mod telling;
mod text;
mod texts;
mod verify;
mod wire;

pub use articles::{Article, Articles};
pub use bands::Bands;
pub use content::stem;
pub use detect::{Collector, Detector, DetectorBuilder, Excerpts, Level, Representative, Search};
pub use error::{Error, Result};
pub use excerpts::{Excerpt, ExcerptKind, ExcerptPlace};
pub use hash::FORMAT_VERSION;
pub use index::Index;
pub use minhash::{MinHash, MinHasher, Scheme};
pub use passages::{Passage, PassageKind, shared_passages};
pub use removal::{Removal, may_replace};
pub use report::{
    ArticleRef, Cluster, Comparison, ContentEvidence, Evidence, Lookalike, Member, NearMiss, Pair, Progress, Relation,
    Report, SkipReason, Skipped, Stage, Summary,
};
pub use shingle::{Shingle, ShingleSet};
pub use simhash::{SimHash, SimHashIndex, SimHasher};
pub use text::{Word, Words};
pub use verify::{Rule, Weights};

/// For the benchmarks alone; no part of the public interface.
#[doc(hidden)]
pub mod measure {
    pub use crate::arch::Backend;
    pub use crate::sign::Signer;
    pub use crate::text::WordCounter;
}

/// The README's example is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
