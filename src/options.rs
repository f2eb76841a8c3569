//! What can be asked of a detection: how far it looks, for which copies, and what becomes of them.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::names::names;
use crate::progress::Reporter;
use crate::report::Progress;
use crate::scheme::Shingle;
use crate::verify::Rule;

/// Which copies to look for. Each level includes those before it.
///
/// ```
/// use retold::{Detector, Level};
///
/// // From the word that a command line or a file of settings gives.
/// let level: Level = "near".parse()?;
/// let detector = Detector::builder().level(level).build()?;
/// assert_eq!((level.to_string(), Level::default()), ("near".into(), Level::Reworded));
/// # drop(detector);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Level {
    /// Exact and edited copies, by shingles.
    Near,
    /// Reworded copies as well, by content words.
    #[default]
    Reworded,
}

names!("level", Level { Near => "near", Reworded => "reworded" });

/// Which pairs of articles are compared.
///
/// ```
/// use retold::{Detector, Search};
///
/// let articles = [("a", "The ferry leaves at nine."), ("b", "Snow closed the road."), ("c", "Bread costs more.")];
/// let detector = Detector::builder().search(Search::Exhaustive).build()?;
/// assert_eq!(detector.pairs(&articles)?.len(), 3);
/// assert_eq!(Detector::new().pairs(&articles)?.len(), 0);
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Search {
    /// Those that share a bucket or rare features: time grows linearly with the articles.
    #[default]
    Candidates,
    /// All of them: time grows with the square of their number. For small corpora, and for measuring on a sample what the
    /// candidates leave out.
    Exhaustive,
}

names!("search", Search { Candidates => "candidates", Exhaustive => "exhaustive" });

/// Whether passages are looked for that one article took over from another.
///
/// See [`Excerpt`](crate::Excerpt) for an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Excerpts {
    /// They are not.
    #[default]
    Ignore,
    /// Those of forty words and more, or of 25 words and two sentences, of which 0.8 are the same in both articles; and where
    /// [rewordings](Level::Reworded) are looked for, those of forty words and more that are told in other words, between articles that have some
    /// phrases in common. Left out is
    /// what articles of one [source](crate::Article::source) share, and furniture of the pages: what ten sources and more hold, or one again
    /// and again, or some whose articles have nothing else in common (four, of 45 words and more), or what begins or ends two such articles,
    /// unless it is the whole of one of these, a beginning that was taken over word for word, or an end of 45 words and more of which one
    /// article speaks before, where the two have nothing else in common; and where it is not known where they appeared, an end of two articles
    /// of up to 120 words: signatures, and notes on authors and methods. An article without a source counts as one by itself.
    Find,
    /// All of them, with furniture marked as such.
    FindAll,
}

names!("choice of excerpts", Excerpts { Ignore => "ignore", Find => "find", FindAll => "find_all" });

/// Whether it is found out which articles can be removed.
///
/// ```
/// use retold::{Detector, Removals};
///
/// let articles = [("a", "The ferry leaves at nine."), ("b", "The ferry leaves at nine!")];
/// let report = Detector::builder().removals(Removals::Ignore).build()?.find(&articles)?;
/// assert_eq!((report.clusters().len(), report.removals().len()), (1, 0));
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Removals {
    /// It is, which takes some hundredths of a run.
    #[default]
    Find,
    /// It is not, and [`Report::removals`](crate::Report::removals) is empty: for who reads the clusters alone.
    Ignore,
}

names!("choice of removals", Removals { Find => "find", Ignore => "ignore" });

/// Which article of a cluster represents it: the one that the others are verified against, and that is kept where copies are
/// thrown away. Ties go to the smaller id.
///
/// Every member is a verified copy of the representative, whichever it is. Where a chain of copies has no member that is
/// like all others, the most central article gathers the most of them; the other choices may leave more of them out.
///
/// ```
/// use retold::{Detector, Representative};
///
/// let articles = [("b", "The ferry leaves at nine."), ("a", "The ferry leaves at nine!")];
/// let report = Detector::builder().representative(Representative::First).build()?.find(&articles)?;
/// assert_eq!(report.clusters()[0].representative().id, "b");
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Representative {
    /// The article that is most like all others.
    #[default]
    Central,
    /// The article with the most words.
    Longest,
    /// The article that comes first in the input: the one choice for which the order of the articles matters.
    First,
    /// The article with the earliest [date](crate::Article::date), compared to the second and across time zones; a date without a
    /// zone is UTC. Articles without a date, or with one that is not ISO 8601, come last.
    Earliest,
}

names!("representative", Representative {
    Central => "central",
    Longest => "longest",
    First => "first",
    Earliest => "earliest",
});

/// Sets the options of a [`Detector`](crate::Detector); each has a default that suits news articles.
///
/// ```
/// use retold::{Detector, Level, Shingle};
///
/// let detector = Detector::builder().level(Level::Near).threshold(0.8).shingle(Shingle::Words(5)).build()?;
/// let refused = Detector::builder().threshold(1.5).build().unwrap_err();
/// assert_eq!(refused.to_string(), "threshold = 1.5 is out of range: give more than 0, at most 1");
/// # Ok::<(), retold::Error>(())
/// ```
///
/// With the feature `serde` options read and write as fields of these names, but for the callback for progress. An option
/// that is left out has its default, and one that is not known is an error:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// use retold::DetectorBuilder;
///
/// let builder: DetectorBuilder = serde_json::from_str(r#"{"level": "near", "threshold": 0.8}"#)?;
/// let detector = builder.build().expect("both are in range");
/// assert!(serde_json::from_str::<DetectorBuilder>(r#"{"treshold": 0.8}"#).is_err());
/// # }
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct DetectorBuilder {
    pub(crate) level: Level,
    pub(crate) search: Search,
    pub(crate) threshold: f64,
    pub(crate) containment: f64,
    pub(crate) shingle: Shingle,
    pub(crate) slots: u16,
    pub(crate) confidence: f64,
    pub(crate) rule: Rule,
    pub(crate) prior: Option<f64>,
    #[cfg_attr(feature = "serde", serde(rename = "removal_confidence"))]
    pub(crate) removal: f64,
    pub(crate) min_words: usize,
    pub(crate) representative: Representative,
    pub(crate) within: Option<Duration>,
    pub(crate) near_misses: Option<f64>,
    pub(crate) excerpts: Excerpts,
    pub(crate) removals: Removals,
    pub(crate) memory: Option<u64>,
    pub(crate) spill_folder: Option<PathBuf>,
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) progress: Reporter,
}

impl Default for DetectorBuilder {
    fn default() -> Self {
        Self {
            level: Level::default(),
            search: Search::default(),
            threshold: 0.5,
            containment: 0.8,
            shingle: Shingle::Words(3),
            slots: 128,
            confidence: 0.5,
            rule: Rule::default(),
            prior: None,
            removal: 0.9,
            min_words: 3,
            representative: Representative::default(),
            within: None,
            near_misses: None,
            excerpts: Excerpts::default(),
            removals: Removals::default(),
            memory: None,
            spill_folder: None,
            progress: Reporter::default(),
        }
    }
}

impl fmt::Debug for DetectorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetectorBuilder").field("level", &self.level).finish_non_exhaustive()
    }
}

impl DetectorBuilder {
    /// Which copies to look for; [`Level::Reworded`] by default.
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Which pairs are compared; [`Search::Candidates`] by default.
    pub fn search(mut self, search: Search) -> Self {
        self.search = search;
        self
    }

    /// The Jaccard similarity of shingles from which on two articles are edited copies: more than 0, at most 1; 0.5 by
    /// default.
    ///
    /// An article that stands in a much longer one has a low Jaccard similarity and is a copy all the same: that is what
    /// [`containment`](Self::containment) is for, whatever the threshold.
    pub fn threshold(mut self, jaccard: f64) -> Self {
        self.threshold = jaccard;
        self
    }

    /// The share of the shorter article's words that must lie in shingles of the longer one for the two to be edited copies
    /// even where they fall short of the [`threshold`](Self::threshold): more than 0, at most 1; 0.8 by default.
    ///
    /// It finds what was shortened, or printed with more around it, however much longer the other one is. The shorter one
    /// must have 40 shingles at least, and 0.64 of them in common: what is left of shingles of three words where one word in
    /// five is changed in stretches; in general, this share to the power of the words of a shingle less one, and nine tenths of
    /// that in an article at least twice as long. 1 leaves only what stands in another article word for word.
    pub fn containment(mut self, share: f64) -> Self {
        self.containment = share;
        self
    }

    /// What a shingle spans; 3 words by default.
    pub fn shingle(mut self, shingle: Shingle) -> Self {
        self.shingle = shingle;
        self
    }

    /// The slots of the shingle signatures: a power of two from 16 to 1024; 128 by default.
    pub fn slots(mut self, slots: u16) -> Self {
        self.slots = slots;
        self
    }

    /// The confidence from which on two articles are reworded copies: more than 0, at most 1; 0.5 by default.
    ///
    /// In a cluster of three and more an article may fall short of it with the representative, down to 1 − √(1 − this), if it is as
    /// near to half of the members. What a cluster says of its similarity counts both.
    pub fn confidence(mut self, confidence: f64) -> Self {
        self.confidence = confidence;
        self
    }

    /// How the evidence for a rewording is weighed; the default suits most corpora.
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rule = rule;
        self
    }

    /// The share of copies among the pairs of texts that look alike, 0 to 1: the rarer copies are, the more a pair must show
    /// to be one. It is found from the corpus by default, and [`Summary::prior`](crate::Summary::prior) tells it.
    ///
    /// Give that of the whole where a part of a corpus is to be judged as the whole is: one shard of many, or the articles
    /// of a day among those of a year. It is about 0.05 on plain news, and 0.5 and more where rewritings were collected.
    pub fn prior(mut self, share: f64) -> Self {
        self.prior = Some(share);
        self
    }

    /// The confidence from which on a rewording may be removed, see [`Report::removals`](crate::Report::removals): more than 0, at most 1; 0.9 by
    /// default. Clusters show rewordings from [`confidence`](Self::confidence) on, to be read; what is thrown away should be
    /// right nine times in ten.
    pub fn removal_confidence(mut self, confidence: f64) -> Self {
        self.removal = confidence;
        self
    }

    /// The words that a text needs to be compared at all; 3 by default, and never fewer than a word shingle spans.
    pub fn min_words(mut self, words: usize) -> Self {
        self.min_words = words;
        self
    }

    /// Which article of a cluster represents it; [`Representative::Central`] by default.
    pub fn representative(mut self, policy: Representative) -> Self {
        self.representative = policy;
        self
    }

    /// Only articles whose [dates](crate::Article::date) lie so near, to the second, are copies of each other; those without a date are
    /// copies of none. However far apart they lie by default.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// struct Story(&'static str);
    ///
    /// impl retold::Article for Story {
    ///     fn id(&self) -> &str { self.0 }
    ///     fn text(&self) -> &str { "The ferry leaves the harbour at nine." }
    ///     fn date(&self) -> Option<&str> { Some(self.0) }
    /// }
    ///
    /// let week = Duration::from_secs(7 * 24 * 60 * 60);
    /// let detector = retold::Detector::builder().within(week).build()?;
    /// let report = detector.find(&[Story("2024-05-17"), Story("2024-05-24"), Story("2024-05-25")])?;
    /// assert_eq!(report.clusters()[0].size(), 2);
    /// # Ok::<(), retold::Error>(())
    /// ```
    pub fn within(mut self, span: Duration) -> Self {
        self.within = Some(span);
        self
    }

    /// Also reports for each cluster the closest article that was rejected, see [`Cluster::near_miss`](crate::Cluster::near_miss), if its similarity is at
    /// least this: more than 0, at most 1. Off by default.
    ///
    /// 0.3 is a good choice: in the pool of the README about half of the pairs from there to the default confidence are copies
    /// all the same, from 0.1 to 0.3 one in four, and below that one in five hundred.
    pub fn near_misses(mut self, least: f64) -> Self {
        self.near_misses = Some(least);
        self
    }

    /// Whether passages that one article took over from another are found as well, see
    /// [`Report::excerpts`](crate::Report::excerpts); they are not by default. Clusters are the same either way.
    pub fn excerpts(mut self, excerpts: Excerpts) -> Self {
        self.excerpts = excerpts;
        self
    }

    /// Whether it is found out which articles can be removed, see [`Report::removals`](crate::Report::removals); it is by default. Clusters are
    /// the same either way.
    pub fn removals(mut self, removals: Removals) -> Self {
        self.removals = removals;
        self
    }

    /// A memory limit, in bytes, for everything that grows with the articles; data beyond it is spilled to temporary files, which is
    /// slower and gives the same result. Unlimited by default.
    ///
    /// About 450 bytes per article, and the report, always stay in memory. Articles that the caller holds, as with
    /// [`Detector::find`](crate::Detector::find), do not count; use a [`collector`](crate::Detector::collector) to hand them over as they are read.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// The folder for temporary files beyond the [`memory`](Self::memory) limit; the system's by default, which on many systems is
    /// itself in memory. The files have no names and vanish when the run ends, however it ends.
    pub fn spill_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.spill_folder = Some(folder.into());
        self
    }

    /// A progress callback; it may be called from several threads at once.
    pub fn progress(mut self, callback: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.progress = Reporter::telling(callback);
        self
    }
}
