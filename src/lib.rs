//! Finds exact, edited and above all **reworded copies** of articles: the same article in other words.
//!
//! # Overview
//!
//! Three types are enough for most uses:
//!
//! - [`Detector`] takes articles (anything with an id and a text, see [`Article`]) and finds all copies among them;
//! - [`Report`] lists the [`Cluster`]s, each with a representative and its members, and the articles that were skipped;
//! - [`Member`] says how an article resembles its representative: the [`Relation`], a similarity, and the [`Evidence`].
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
//! Every stage of the pipeline can be used on its own:
//!
//! - [`Words`]: splits text into words, with their positions;
//! - [`ShingleSet`]: windows of words or characters, exact Jaccard similarity and containment;
//! - [`MinHasher`] and [`MinHash`], [`SimHasher`] and [`SimHash`]: signatures whose bits never change;
//! - [`Bands`] and [`Index`], [`SimHashIndex`]: locality-sensitive hashing, to decide which signatures to compare;
//! - [`shared_passages`]: the passages that two texts share, verbatim or reworded, with their positions;
//! - [`Detector::compare_texts`]: all evidence about two texts, copies or not;
//! - [`Detector::collector`]: takes articles while they are read, within a [memory limit](DetectorBuilder::memory);
//! - [`Archive`]: articles on disk, each held against all that came before it;
//! - [`stem`]: content words; [`Detector::pairs`]: every compared pair with its evidence; [`Rule`]: how evidence is weighed.
//!
//! # What a copy is
//!
//! Two articles are *copies* if one was made from the other, or both from a third: the same article, reworked. Most articles
//! that look alike are not copies, and [`Lookalike`] says what they are instead:
//!
//! | | what it is | an example |
//! | --- | --- | --- |
//! | copy | one article made from the other: copied, edited, shortened, restyled, retold sentence by sentence | a wire story that a paper rewrote for its readers |
//! | excerpt | a block of one text, word for word or retold, within another text that is otherwise different writing | a commentary that quotes two paragraphs of a report |
//! | furniture | the shared text belongs to the page, not to the story | an author's note, a list of links, a signature |
//! | same event | independent reports of one event: the same names and numbers, other sentences | two papers' own reports of a council vote |
//! | follow-up | the same running story on another day or from another angle | Tuesday's report of the trial, and Wednesday's |
//! | template | one form filled with other facts | two companies' quarterly figures, two weather bulletins |
//!
//! The *wording* decides, not the facts: copies share words throughout the text and in the same order, and neither has news
//! that the other lacks.
//!
//! # How it works
//!
//! *Edited copies* are found by their shingles: MinHash signatures are cut into bands, and texts that share a band, or winnowed
//! fingerprints, are compared exactly.
//!
//! *Reworded copies* share hardly any shingle with their source, but names, turns of phrase and the order of the story, in a combination
//! that no other text has. Their *content features* are stems and pairs of neighbouring stems. Texts that share enough rare
//! features are read side by side and compared by a few numbers ([`ContentEvidence`]): the words they share, whether throughout the
//! text and in the same order, the longest verbatim block, the names and numbers that only one of them has, and what such texts
//! usually share with their neighbours. A [`Rule`] turns these numbers into odds. How high the odds must be depends on
//! how common copies are in the corpus, which is estimated from the odds of all pairs ([`Summary::prior`]).
//!
//! *Excerpts in other words* are looked for in texts that share some phrases and are no copies: what stands around these is compared
//! sentence by sentence ([`shared_passages`]), and what comes of it is judged as two texts by themselves.
//!
//! Passages that four articles have which tell different stories, such as footers and signatures, are left out before rewordings
//! are judged ([`Report::page_furniture`]).
//!
//! *Clusters* are stars: every member was verified against the representative, and a doubtful member must be a copy of a second
//! member as well. In turn, an article that falls somewhat short with the representative joins all the same if it does no worse
//! with half of the members: its similarity is then 1 − (1 − *c*)² for a confidence *c*. And of two sure copies none is left
//! behind: an article that is one of a member alone, a rewording of a confidence of 0.9 or an edited copy of 0.8, joins by that
//! member ([`Via`]), and two of a cluster of their own by one of them, if all links on the way together still make a copy.
//!
//! # Guarantees
//!
//! - The same articles give the same report, in any order and on any number of threads.
//! - Signatures are the same bits on every platform and in every release of one [`FORMAT_VERSION`]; signatures made in
//!   different ways refuse to be compared.
//! - No text makes the library panic, and none is dropped silently: see [`Report::skipped`].
//! - Public types are `Send` and `Sync`.
//!
//! # Features
//!
//! - `serde`: signatures, options and reports can be serialised and deserialised; signatures are validated when read.
//! - `compress`: texts in an [`Archive`] take fewer bytes;
//! - `command`: builds the command `dedup` with its dependencies; `parquet`: adds Parquet to it.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(missing_debug_implementations, missing_docs, unreachable_pub)]
#![deny(unsafe_code)]

// What tests share names the crate as those outside it do.
#[cfg(test)]
extern crate self as retold;

mod alone;
mod arch;
mod archive;
mod articles;
mod bands;
mod candidates;
mod census;
mod cluster;
mod content;
mod corpus;
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
mod grouping;
mod hash;
mod index;
mod judge;
#[doc(hidden)]
#[allow(missing_docs, reason = "for the Python package, which documents them")]
pub mod kernels;
mod minhash;
mod names;
mod near;
mod options;
mod passages;
mod prior;
mod progress;
mod rare;
mod records;
mod removal;
mod report;
mod rewordings;
mod scheme;
mod shingle;
mod sign;
mod simhash;
mod sketch;
mod store;
mod telling;
mod text;
mod texts;
mod transcript;
mod usual;
mod verify;
mod wire;

pub use archive::{Added, Answer, Archive, ArchiveReader, ArchiveStats, Archived, ExcerptMatch, Match};
pub use articles::{Article, Articles};
pub use bands::Bands;
pub use content::stem;
pub use date::is_date;
pub use detect::{Collector, Detector};
pub use error::{ArchiveFault, Error, Result, SkipReason};
pub use hash::FORMAT_VERSION;
pub use index::Index;
pub use minhash::{MinHash, MinHasher};
pub use options::{DetectorBuilder, Excerpts, Level, Removals, Representative, Search};
pub use passages::{Passage, PassageKind, shared_passages};
pub use removal::may_replace;
pub use report::{
    ArticleRef, Cluster, Comparison, ContentEvidence, Evidence, Excerpt, ExcerptKind, ExcerptPlace, Lookalike, Member,
    NearMiss, PageFurniture, Pair, Progress, Relation, Removal, Report, Skipped, Stage, Summary, Via,
};
pub use scheme::{Scheme, Shingle};
pub use shingle::ShingleSet;
pub use simhash::{SimHash, SimHashIndex, SimHasher};
pub use text::{Word, Words};
pub use verify::{Rule, Weights};

/// For the benchmarks only; not part of the public interface.
#[doc(hidden)]
pub mod measure {
    pub use crate::arch::Backend;
    pub use crate::records::{
        Cut, MOST_KINDS, Merge, Opened, Options, Profile, Reader, Record, Snapshot, Stats, Stored, Text, Writer,
    };
    pub use crate::sign::Signer;
    pub use crate::text::WordCounter;
}

/// The README's example is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
