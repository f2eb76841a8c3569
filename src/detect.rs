//! The whole pipeline: articles in, a report out. The only place that knows threads.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::articles::{Article, Articles, Wants};
use crate::bands::Bands;
use crate::candidates::Growth;
use crate::cluster::{self, Link, Star};
use crate::content::TokenChunks;
use crate::crowds;
use crate::date;
use crate::error::{self, Error, Result};
use crate::excerpts::{self, Asked, Excerpt, ExcerptKind, ExcerptPlace, Spot};
use crate::features::{Content, Features, RareFeatures};
use crate::fingerprints::{Sample, Shared};
use crate::frequencies::CHUNK;
use crate::furniture::{Furniture, Related};
use crate::minhash::{MinHasher, Scheme};
use crate::names::names;
use crate::near::{self, Compared, Keep, Near, Wanted, links};
use crate::prior::Odds;
use crate::rare::{Neighbour, Neighbours};
use crate::removal::{self, Plan, Removal};
use crate::report::{
    ArticleRef, Cluster, Comparison, ContentEvidence, Evidence, Member, NearMiss, Pair, Progress, Relation, Report,
    SkipReason, Skipped, Stage, Summary,
};
use crate::shingle::{Shingle, ShingleSet};
use crate::sign::{self, Kept, Shape, Signatures, Signed, Views};
use crate::store::Budget;
use crate::telling::{self, RunTable, Runs};
use crate::text::Words;
use crate::texts::{Sets, Shingles, Texts};
use crate::verify::{self, NearRule, Rule, StemTable};

/// Which copies to look for. Each level includes those before it.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Excerpts {
    /// They are not.
    #[default]
    Ignore,
    /// Those of forty words and more, or of 25 words and two sentences, of which 0.8 are the same in both articles. Left out is
    /// what articles of one [source](Article::source) share, and furniture of the pages: what ten sources and more hold, or one again
    /// and again, or some whose articles have nothing else in common, unless it is the whole of one of these articles. An article without a
    /// source counts as one by itself.
    Find,
    /// All of them, with furniture marked as such.
    FindAll,
}

names!("choice of excerpts", Excerpts { Ignore => "ignore", Find => "find", FindAll => "find_all" });

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
    /// The article with the earliest [date](Article::date), compared to the second and across time zones; a date without a
    /// zone is UTC. Articles without a date, or with one that is not ISO 8601, come last.
    Earliest,
}

names!("representative", Representative {
    Central => "central",
    Longest => "longest",
    First => "first",
    Earliest => "earliest",
});

/// Finds copies among articles.
///
/// The result depends on the articles alone: their order (but for [`Representative::First`]) and the number of threads change
/// nothing. Runs on the rayon pool that it is called in, or the global one; prints nothing.
///
/// ```
/// let articles = [
///     ("first", "The council voted on Tuesday to stop the ferry contract with Northline after months of delays."),
///     ("second", "A storm closed the mountain road to the village of Hallin for the third time in a week."),
/// ];
/// let report = retold::Detector::new().find(&articles)?;
/// assert!(report.clusters().is_empty());
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone)]
pub struct Detector {
    level: Level,
    near: Near,
    shingle: Shingle,
    confidence: f32,
    rule: Rule,
    prior: Option<f32>,
    removal: f32,
    min_words: usize,
    representative: Representative,
    within: Option<Duration>,
    near_misses: Option<f32>,
    excerpts: Excerpts,
    memory: Option<u64>,
    spill_folder: Option<PathBuf>,
    bands: Bands,
    progress: Option<Callback>,
}

type Callback = Arc<dyn Fn(Progress) + Send + Sync>;

impl Default for Detector {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detector").field("level", &self.level).field("shingle", &self.shingle).finish_non_exhaustive()
    }
}

/// Sets the options of a [`Detector`]; each has a default that suits news articles.
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
    level: Level,
    search: Search,
    threshold: f64,
    containment: f64,
    shingle: Shingle,
    slots: u16,
    confidence: f64,
    rule: Rule,
    prior: Option<f64>,
    #[cfg_attr(feature = "serde", serde(rename = "removal_confidence"))]
    removal: f64,
    min_words: usize,
    representative: Representative,
    within: Option<Duration>,
    near_misses: Option<f64>,
    excerpts: Excerpts,
    memory: Option<u64>,
    spill_folder: Option<PathBuf>,
    #[cfg_attr(feature = "serde", serde(skip))]
    progress: Option<Callback>,
}

impl Default for DetectorBuilder {
    fn default() -> Self {
        Detector::builder()
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
    /// to be one. It is found from the corpus by default, and [`Summary::prior`] tells it.
    ///
    /// Give that of the whole where a part of a corpus is to be judged as the whole is: one shard of many, or the articles
    /// of a day among those of a year. It is about 0.05 on plain news, and 0.5 and more where rewritings were collected.
    pub fn prior(mut self, share: f64) -> Self {
        self.prior = Some(share);
        self
    }

    /// The confidence from which on a rewording may be removed, see [`Report::removals`]: more than 0, at most 1; 0.9 by
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

    /// Only articles whose [dates](Article::date) lie so near, to the second, are copies of each other; those without a date are
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

    /// Also reports for each cluster the closest article that was rejected, see [`Cluster::near_miss`], if its similarity is at
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

    /// A memory limit, in bytes, for everything that grows with the articles; data beyond it is spilled to temporary files, which is
    /// slower and gives the same result. Unlimited by default.
    ///
    /// About 400 bytes per article, and the report, always stay in memory. Articles that the caller holds, as with
    /// [`Detector::find`], do not count; use a [`collector`](Detector::collector) to hand them over as they are read.
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
        self.progress = Some(Arc::new(callback));
        self
    }

    /// Checks the options.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] names the option, its value and its range.
    pub fn build(self) -> Result<Detector> {
        error::check("threshold", self.threshold, f64::MIN_POSITIVE, 1.0, "more than 0, at most 1")?;
        error::check("containment", self.containment, f64::MIN_POSITIVE, 1.0, "more than 0, at most 1")?;
        error::check("confidence", self.confidence, f64::MIN_POSITIVE, 1.0, "more than 0, at most 1")?;
        error::check("removal confidence", self.removal, f64::MIN_POSITIVE, 1.0, "more than 0, at most 1")?;
        if let Some(share) = self.prior {
            error::check("prior", share, 0.0, 1.0, "at least 0, at most 1")?;
        }
        if let Some(least) = self.near_misses {
            error::check("near misses", least, f64::MIN_POSITIVE, 1.0, "more than 0, at most 1")?;
        }
        MinHasher::new(Scheme::minhash(self.shingle).slots(self.slots))?;
        let bands = Bands::for_threshold(self.threshold, usize::from(self.slots))?;
        let shingle_words = match self.shingle {
            Shingle::Words(n) => usize::from(n),
            Shingle::Chars(_) => 1,
        };
        Ok(Detector {
            level: self.level,
            near: Near {
                rule: NearRule {
                    jaccard: self.threshold as f32,
                    containment: self.containment as f32,
                    span: self.shingle.span(),
                },
                growth: Growth { trees: bands.bands(), rows: bands.rows(), bucket: 16, deepest: bands.rows() + 16 },
                slots: usize::from(self.slots),
                search: self.search,
            },
            shingle: self.shingle,
            confidence: self.confidence as f32,
            rule: self.rule,
            prior: self.prior.map(|share| share as f32),
            removal: self.removal as f32,
            min_words: self.min_words.max(shingle_words).max(1),
            representative: self.representative,
            within: self.within,
            near_misses: self.near_misses.map(|least| least as f32),
            excerpts: self.excerpts,
            memory: self.memory,
            spill_folder: self.spill_folder,
            bands,
            progress: self.progress,
        })
    }
}

/// What an article takes of memory whatever is given, in bytes: its features' heads, and numbers of all kinds.
const BYTES_AN_ARTICLE: u64 = 160 + Content::BYTES_A_TEXT as u64;

impl Detector {
    /// A detector with the default options.
    pub fn new() -> Self {
        Self::builder().build().expect("the default options are in range")
    }

    /// Starts from the default options.
    pub fn builder() -> DetectorBuilder {
        DetectorBuilder {
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
            memory: None,
            spill_folder: None,
            progress: None,
        }
    }

    /// How signatures are cut to find edited copies; [`Bands::probability`] is the S-curve of it. Where a bucket gets
    /// crowded, more rows are looked at.
    pub fn bands(&self) -> Bands {
        self.bands
    }

    /// Finds all clusters of copies among `articles`.
    ///
    /// Articles that cannot be compared (no words or too few) are listed in the report, the rest is processed. Articles are
    /// identified by their positions; equal ids are compared like all others. Time grows about linearly with the bytes of text.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond some forty million articles, and [`Error::Spill`] if memory was limited and a temporary file
    /// cannot be written. An option that cannot work is refused when the detector is built.
    pub fn find<A: Article>(&self, articles: &[A]) -> Result<Report> {
        Ok(self.report_on(self.prepare(articles)?)?.0)
    }

    /// Takes articles as they are read, batch by batch, and then [finds](Self::find) all clusters among them.
    pub fn collector<A: Article>(&self) -> Collector<A> {
        self.collector_within(self.budget())
    }

    fn collector_within<A: Article>(&self, budget: Arc<Budget>) -> Collector<A> {
        Collector {
            articles: self.articles(&budget),
            signatures: Signatures::new(self.views(), &budget),
            budget,
            detector: self.clone(),
        }
    }

    /// All pairs of articles that shared a bucket and were compared, copies or not, with the numbers that decide: what
    /// [`find`](Self::find) chooses from, ordered by the ids of the two. Of exact copies only one takes part, the first by id
    /// unless [`DetectorBuilder::representative`] says otherwise; pairs that their signatures rule out are left out.
    ///
    /// For measuring what the candidate stage keeps, for reading what was nearly a copy, and for deciding by a rule of
    /// your own. Takes longer than `find`, which leaves hopeless pairs early.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub fn pairs<A: Article>(&self, articles: &[A]) -> Result<Vec<Pair>> {
        let mut corpus = self.prepare(articles)?;
        let compared = self.compare(&mut corpus, Keep::All, None)?;
        Ok(corpus.pairs(compared))
    }

    /// The pairs that the articles at some positions of the input make with any others: the copies, and, if
    /// [`DetectorBuilder::near_misses`] was set, what is at least so similar. Ordered as [`pairs`](Self::pairs) does it, and
    /// an exact copy is spoken for by another article as it is there. Positions beyond the input are passed over.
    ///
    /// With [`Search::Exhaustive`] these articles, and no others, are compared with all that there are: what candidates leave
    /// out is seen in a corpus that is far too large to compare all with all. Time grows with the articles that are asked for
    /// times all articles, some two hundred nanoseconds for each of these pairs.
    ///
    /// ```
    /// use retold::{Detector, Search};
    ///
    /// let articles = [
    ///     ("a", "The ferry leaves the harbour at nine."),
    ///     ("b", "The ferry leaves the harbour at nine, they say."),
    ///     ("c", "Snow closed the mountain road to Hallin."),
    /// ];
    /// let detector = Detector::builder().search(Search::Exhaustive).build()?;
    /// assert_eq!(detector.pairs_of(&articles, &[1])?.len(), 1);
    /// assert_eq!(detector.pairs_of(&articles, &[2])?.len(), 0);
    /// # Ok::<(), retold::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub fn pairs_of<A: Article>(&self, articles: &[A], positions: &[usize]) -> Result<Vec<Pair>> {
        let mut corpus = self.prepare(articles)?;
        let mut wanted = vec![false; articles.len()];
        positions.iter().filter(|&&at| at < articles.len()).for_each(|&at| wanted[at] = true);
        let mut asked = vec![false; corpus.distinct.len()];
        for (twin, &position) in corpus.twins.iter().zip(&corpus.positions) {
            if let (true, Ok(text)) = (wanted[position as usize], corpus.distinct.binary_search(twin)) {
                asked[text] = true;
            }
        }
        let mut compared = self.compare(&mut corpus, self.keep(), Some(&asked))?;
        compared.retain(|pair| asked[pair.left as usize] || asked[pair.right as usize]);
        Ok(corpus.pairs(compared))
    }

    /// What is wanted beside the copies.
    fn keep(&self) -> Keep {
        self.near_misses.map_or(Keep::Copies, Keep::Like)
    }

    /// What is wanted beside the copies where clusters are made: rewordings that fall short alone, but not with a second one.
    fn keep_for_clusters(&self) -> Keep {
        let least = self.least_supported();
        Keep::Like(self.near_misses.map_or(least, |asked| asked.min(least)))
    }

    /// The confidence from which on a pair is sure enough if a second one as good supports it, see [`cluster::supported`].
    fn least_supported(&self) -> f32 {
        1.0 - (1.0 - self.confidence).sqrt()
    }

    /// Compares two texts, copies or not, with all evidence, as if they were the whole corpus. More documents would show better which
    /// words are rare, so that [`find`](Self::find) may be a little more or less confident about the same two in a corpus. For
    /// the passages that they share, see [`shared_passages`](crate::shared_passages).
    ///
    /// # Errors
    /// [`Error::NotComparable`] for a text without words or with too few, with the reason.
    pub fn compare_texts(&self, left: &str, right: &str) -> Result<Comparison> {
        let articles = [("left", left), ("right", right)];
        let near = Near { search: Search::Exhaustive, ..self.near };
        let detector = Self { near, progress: None, ..self.clone() };
        let mut corpus = detector.prepare(&articles)?;
        if let Some(Skipped { position, reason, .. }) = corpus.skipped.first() {
            return Err(Error::NotComparable { text: articles[*position].0, reason: *reason });
        }
        let sets = (ShingleSet::new(left, self.shingle)?, ShingleSet::new(right, self.shingle)?);
        let words = [left, right].map(|text| Words::new(text).count() as f32);
        let is_exact = corpus.distinct.len() == 1;
        let (relation, similarity, evidence) = match detector.compare(&mut corpus, Keep::All, None)?.pop() {
            _ if is_exact => (Some(Relation::Exact), 1.0, None),
            Some(pair) => (pair.relation, pair.similarity, Some(pair.evidence)),
            // Their signatures ruled it out that they are edited copies.
            None => {
                let (evidence, _) = self.near.rule.judge(sets.0.hashes(), sets.1.hashes(), || 0.0);
                (None, evidence.jaccard, Some(evidence))
            }
        };
        Ok(Comparison {
            relation,
            similarity,
            left_in_right: sets.0.containment_in(&sets.1)? as f32,
            right_in_left: sets.1.containment_in(&sets.0)? as f32,
            words_ratio: words[0].min(words[1]) / words[0].max(words[1]),
            evidence,
        })
    }

    pub(crate) fn views(&self) -> Views {
        let content = match self.level {
            Level::Near => sign::Content::Nothing,
            Level::Reworded => sign::Content::Words,
        };
        Views { shingle: self.shingle, slots: self.near.slots, content, fingerprints: self.sample() }
    }

    fn sample(&self) -> Sample {
        match self.excerpts {
            Excerpts::Ignore => Sample::Half,
            Excerpts::Find | Excerpts::FindAll => Sample::All,
        }
    }

    fn budget(&self) -> Arc<Budget> {
        Budget::new(self.memory, self.spill_folder.as_deref())
    }

    /// No articles so far.
    fn articles<A: Article>(&self, budget: &Arc<Budget>) -> Articles<A> {
        let wants_excerpts = self.excerpts != Excerpts::Ignore;
        let dates = wants_excerpts || self.representative == Representative::Earliest || self.within.is_some();
        Articles::new(budget, Wants { dates, sources: wants_excerpts })
    }

    /// Signs articles that are all at hand.
    fn prepare<'a, A: Article>(&self, all: &'a [A]) -> Result<Corpus<&'a A>> {
        let budget = self.budget();
        // They are the caller's, so that no memory is taken for them.
        let mut articles = self.articles(&Budget::unlimited());
        articles.extend(all.iter().collect());
        let mut times = Default::default();
        let mut signatures = Signatures::new(self.views(), &budget);
        self.timed(&mut times, Stage::Sign, all.len(), |ticker| {
            let texts: Vec<&str> = all.iter().map(Article::text).collect();
            signatures.extend(&texts, || ticker.tick());
        });
        self.corpus(articles, signatures, times, budget)
    }

    /// Signed articles to texts: what cannot be compared leaves the line here, and exact copies are folded into one. The
    /// articles are numbered by id, and those of one id by their words, so that nothing depends on the order in which they came.
    fn corpus<A: Article>(
        &self,
        articles: Articles<A>,
        signatures: Signatures,
        mut times: [Duration; Stage::ALL.len()],
        budget: Arc<Budget>,
    ) -> Result<Corpus<A>> {
        let start = Instant::now();
        budget.check()?;
        budget.reserve(BYTES_AN_ARTICLE * articles.len() as u64);
        let positions = articles.in_order(|position| {
            let signed = &signatures.signed()[position as usize];
            let date = articles.seconds().get(position as usize);
            (signed.exact, signed.words, !articles.is_known(position as usize), date)
        });
        let mut skipped = Vec::new();
        let signed: Vec<&Signed> = positions.iter().map(|&at| &signatures.signed()[at as usize]).collect();
        let mut is_refused = vec![false; signed.len()];
        for ((&position, text), is_refused) in positions.iter().zip(&signed).zip(&mut is_refused) {
            if let Some(reason) = self.refuse(text) {
                let position = position as usize;
                skipped.push(Skipped { id: articles.id(position).into(), position, reason });
                *is_refused = true;
            }
        }
        skipped.sort_unstable_by_key(|skip| skip.position);
        let ranks = self.ranks(&articles, &positions, &signed);
        let time = |at: u32| self.within.map_or(0, |_| articles.seconds()[positions[at as usize] as usize]);
        let are_near = |a: u32, b: u32| self.are_near(&articles, positions[a as usize], positions[b as usize]);
        let twins = fold_exact(&signed, &is_refused, &ranks, time, are_near);
        let distinct: Vec<u32> =
            (0..signed.len() as u32).filter(|&at| !is_refused[at as usize] && twins[at as usize] == at).collect();
        let words = distinct.iter().map(|&at| signed[at as usize].words).collect();
        drop(signed);
        let chosen: Vec<u32> = distinct.iter().map(|&at| positions[at as usize]).collect();
        let kept = signatures.select(&chosen, &budget);
        budget.check()?;
        times[Stage::Sign as usize] += start.elapsed();
        let summary = Summary { documents: articles.len(), bytes: articles.bytes(), times, ..Summary::default() };
        Ok(Corpus {
            articles,
            positions,
            skipped,
            twins,
            ranks,
            distinct,
            kept: Some(kept),
            shared: Vec::new(),
            furniture: Furniture::default(),
            sets: None,
            words,
            summary,
            budget,
        })
    }

    /// Whether two articles, by their positions, lie near enough in time.
    fn are_near<A: Article>(&self, articles: &Articles<A>, a: u32, b: u32) -> bool {
        self.within.is_none_or(|span| articles.are_within(span.as_secs(), a as usize, b as usize))
    }

    /// Whether two articles, by their positions, may be copies of each other: not if both are known already.
    fn may_meet<A: Article>(&self, articles: &Articles<A>, a: u32, b: u32) -> bool {
        !(articles.is_known(a as usize) && articles.is_known(b as usize)) && self.are_near(articles, a, b)
    }

    /// For each article how it ranks among those that could represent a cluster, the lowest first; nothing if all rank
    /// alike. Those that are known already come before all others.
    fn ranks<A: Article>(&self, articles: &Articles<A>, positions: &[u32], signed: &[&Signed]) -> Vec<u32> {
        let is_new = |at: usize| !articles.is_known(positions[at] as usize);
        let mut order: Vec<(i64, usize)> = match self.representative {
            Representative::Central if articles.has_known() => {
                return (0..positions.len()).map(|at| is_new(at).into()).collect();
            }
            Representative::Central => return Vec::new(),
            Representative::Longest => signed.iter().map(|text| -i64::from(text.words)).zip(0..).collect(),
            Representative::First => positions.iter().map(|&position| position.into()).zip(0..).collect(),
            Representative::Earliest => positions.iter().map(|&at| articles.seconds()[at as usize]).zip(0..).collect(),
        };
        order.par_sort_unstable_by_key(|&(key, at)| (is_new(at), key, at));
        let mut ranks = vec![0; order.len()];
        for (rank, (_, article)) in (0..).zip(order) {
            ranks[article] = rank;
        }
        ranks
    }

    /// A corpus to clusters, which come with the articles.
    fn report_on<A: Article>(&self, mut corpus: Corpus<A>) -> Result<(Report, Articles<A>)> {
        let (copies, misses): (Vec<_>, Vec<_>) = self
            .compare(&mut corpus, self.keep_for_clusters(), None)?
            .into_iter()
            .partition(|pair| pair.relation.is_some());
        corpus.summary.verified = copies.len() as u64;
        let mut times = corpus.summary.times;
        let texts = corpus.distinct.len();
        let sets = corpus.sets.take();
        let (clusters, removals, (excerpts, furniture)) = self.timed(&mut times, Stage::Cluster, texts, |_| {
            let clusters = self.clusters(&corpus, &copies, &misses);
            let removals = self.removals(&corpus, sets, &copies, &clusters);
            let excerpts = self.excerpts(&corpus, &clusters);
            (clusters, removals, excerpts)
        });
        corpus.summary.furniture = furniture;
        corpus.summary.times = times;
        corpus.budget.check()?;
        let Corpus { skipped, summary, articles, .. } = corpus;
        Ok((Report { clusters, removals, excerpts, skipped, summary }, articles))
    }

    /// Signed texts to verified pairs: edited copies first, then rewordings among what is left. If texts are asked for, an
    /// exhaustive search compares these with all others, and of the rest only candidates.
    fn compare<A: Article>(&self, corpus: &mut Corpus<A>, keep: Keep, asked: Option<&[bool]>) -> Result<Vec<Compared>> {
        let mut pairs = self.compare_all(corpus, keep, asked)?;
        let Corpus { articles, positions, distinct, .. } = corpus;
        let position = |text: u32| positions[distinct[text as usize] as usize];
        pairs.retain(|pair| self.may_meet(articles, position(pair.left), position(pair.right)));
        Ok(pairs)
    }

    /// The same, whenever the articles appeared and whichever are known.
    fn compare_all<A: Article>(
        &self,
        corpus: &mut Corpus<A>,
        keep: Keep,
        asked: Option<&[bool]>,
    ) -> Result<Vec<Compared>> {
        let Corpus { articles, positions, distinct, kept, shared, furniture, sets, words, summary, budget, .. } =
            corpus;
        let Some(Kept { sketches, fingerprints, tokens }) = kept.take() else { return Ok(Vec::new()) };
        let read = |text: u32| articles.read(positions[distinct[text as usize] as usize] as usize);
        let texts = Texts { words, read: &read, shingle: self.shingle, budget };
        let wanted = Wanted { keep: if keep == Keep::All { keep } else { self.keep() }, asked };
        let found = self.timed(&mut summary.times, Stage::Near, texts.len(), |_| {
            self.near.pairs(texts, &sketches, &fingerprints, wanted)
        });
        let near::Found { mut pairs, sets: compared, leaders, whole, common, candidates, crowded, capped } = found;
        drop(sketches);
        (summary.candidates, summary.crowded, summary.capped) = (candidates, crowded, capped);
        if self.excerpts != Excerpts::Ignore {
            let words = |text: u32| texts.words[text as usize];
            // One run of eleven words gives two texts one fingerprint, and what is told as an excerpt has more.
            let needed = |_| Some(2);
            let (all, leaders): (Vec<u32>, _) = ((0..texts.len() as u32).collect(), self.near.whole(texts, &pairs));
            *shared = fingerprints.overlaps(&all, &leaders, Sample::All, words, needed, budget).pairs;
        }
        budget.check()?;
        // A part of the next stage, which is reported as a whole.
        let start = Instant::now();
        let find = |related| Furniture::find(&fingerprints, texts, &whole, common.clone(), related);
        let find_if = |is_needed, related| if is_needed { find(related) } else { Furniture::default() };
        let judged_without = find_if(self.level == Level::Reworded, Related::Story);
        *furniture = find_if(self.excerpts != Excerpts::Ignore, Related::Event);
        summary.with_furniture = judged_without.texts().max(furniture.texts());
        summary.times[Stage::Candidates as usize] += start.elapsed();
        budget.check()?;
        drop((fingerprints, whole));
        if self.level == Level::Near {
            *sets = Some(compared);
            pairs.par_sort_by_key(|pair| (pair.left, pair.right));
            return Ok(pairs);
        }
        drop(compared);
        let furniture = &judged_without;
        let surroundings = self.surroundings(texts, tokens, furniture, &leaders, asked, summary)?;
        budget.check()?;
        pairs.extend(self.reworded_pairs(texts, &surroundings, furniture, &leaders, keep, summary));
        budget.check()?;
        // What shingles and content both speak of is told by its content.
        pairs.par_sort_by_key(|pair| (pair.left, pair.right, pair.evidence.content.is_none()));
        pairs.dedup_by_key(|pair| (pair.left, pair.right));
        Ok(pairs)
    }

    /// Content words to features, and to what each text shares with which others.
    fn surroundings(
        &self,
        texts: Texts<'_>,
        tokens: TokenChunks,
        furniture: &Furniture,
        leaders: &[u32],
        asked: Option<&[bool]>,
        summary: &mut Summary,
    ) -> Result<Surroundings> {
        let budget = texts.budget;
        let leads = |text: u32| leaders[text as usize] == text;
        self.timed(&mut summary.times, Stage::Candidates, texts.len(), |ticker| {
            let tokens = furniture.take_out_of(tokens, texts.read);
            let words = |text: usize| texts.words[text] - furniture.words(text as u32);
            let (content, lists) = Content::new(tokens, words, |text| leads(text as u32), budget)?;
            let mut candidates = Neighbours::new(&content, &lists, leads, || ticker.tick(), budget);
            budget.check()?;
            let is_asked =
                asked.filter(|_| self.near.search == Search::Exhaustive).map(|asked| of_leaders(asked, leaders));
            // The lists are given back as soon as nobody is to be found by them.
            let lists = is_asked.is_some().then_some(lists);
            let shares = candidates.nth_best_shares(&content, [USUAL_NEIGHBOUR, MOST_NEIGHBOURS], budget);
            let (shares, least): (Vec<f32>, Vec<f32>) = shares.into_iter().map(|[usual, least]| (usual, least)).unzip();
            summary.left_out = candidates.keep_best(&content, &least, IN_ANY_CASE);
            drop(least);
            let usual = Usual::new(&content, leaders, &candidates, shares);
            let others = match (&lists, is_asked) {
                (Some(lists), Some(asked)) => {
                    Some(Neighbours::of_asked(&content, lists, |text| asked[text as usize], budget))
                }
                _ if self.near.search == Search::Exhaustive => Some(Neighbours::all(&content, leads, budget)),
                _ => None,
            };
            let (neighbours, candidates) = match others {
                Some(others) => (others, Some(candidates)),
                None => (candidates, None),
            };
            Ok(Surroundings { content, neighbours, candidates, usual })
        })
    }

    /// Neighbours to rewordings, and those of their edited copies.
    fn reworded_pairs(
        &self,
        texts: Texts<'_>,
        Surroundings { content, neighbours, candidates, usual }: &Surroundings,
        furniture: &Furniture,
        leaders: &[u32],
        keep: Keep,
        summary: &mut Summary,
    ) -> Vec<Compared> {
        let Summary { times, candidates: compared, prior: found_prior, .. } = summary;
        let stories = Stories { content, usual, furniture, texts };
        self.timed(times, Stage::Verify, texts.len(), |ticker| {
            let (judged, mut odds, count) = self.judge_all(stories, neighbours, keep, ticker);
            *compared += count;
            if let (Some(candidates), None) = (candidates, self.prior) {
                odds = self.judge_all(stories, candidates, Keep::Copies, ticker).1;
            }
            let prior = self.prior.unwrap_or_else(|| odds.share(Rule::FITTED_PRIOR));
            *found_prior = Some(prior);
            // The sets of the edited copies were given back; few of them are asked for again.
            let shingles = Shingles::new(texts);
            let decided = judged.par_iter().filter_map(|pair| self.reworded_pair(&shingles, pair, prior, keep));
            let mut reworded: Vec<Compared> = decided.collect();
            let (around, count) = self.around_hubs(stories, &shingles, &reworded, prior);
            reworded.extend(around);
            *compared += count;
            reworded.extend(self.behind_leaders(stories, &shingles, leaders, &reworded, prior));
            reworded
        })
    }

    /// Judges each text with all of its neighbours. The pairs that may be wanted, the odds of all that were read, and how
    /// many were compared.
    fn judge_all(
        &self,
        stories: Stories<'_, '_>,
        neighbours: &Neighbours,
        keep: Keep,
        ticker: &Ticker<'_>,
    ) -> (Vec<Judged>, Odds, u64) {
        let Stories { content, usual, texts, .. } = stories;
        let may_be_wanted =
            |pair: &Judged| keep == Keep::All || pair.odds.is_some() && self.may_be_wanted(&pair.evidence, keep);
        let examine = |mut found: Examined, left: u32| {
            ticker.tick();
            let worth = |neighbour: &Neighbour| {
                let totals = (content.pair_totals[left as usize], content.pair_totals[neighbour.text as usize]);
                let usual = usual.of(left, neighbour.text);
                self.near.search == Search::Exhaustive || verify::share_enough_pairs(neighbour.pairs, totals, usual)
            };
            let mut neighbours = neighbours.of(left);
            neighbours.retain(|neighbour| worth(neighbour));
            found.compared += neighbours.len() as u64;
            if neighbours.is_empty() {
                return found;
            }
            let ours = content.get(left);
            found.desk.take(&ours);
            // The texts lie far apart in memory: all are asked for before any is waited for.
            std::hint::black_box(neighbours.iter().fold(0, |all, neighbour| all ^ content.peek(neighbour.text)));
            for neighbour in &neighbours {
                let judged = self.judge(stories, (left, &ours, &mut found.desk), neighbour, keep);
                let Some(pair) = judged else { continue };
                pair.odds.into_iter().for_each(|pair| found.odds.add(pair));
                found.judged.extend(Some(pair).filter(may_be_wanted));
            }
            found
        };
        let all = (0..texts.len() as u32).into_par_iter().with_max_len(CHUNK);
        let parts = all.fold(Examined::default, examine);
        let Examined { judged, odds, compared, .. } = parts.reduce(Examined::default, Examined::merge);
        (judged, odds, compared)
    }

    /// Looks at what is known of two texts, and if that is worth it, reads them side by side.
    fn judge(
        &self,
        Stories { content, usual, furniture, texts }: Stories<'_, '_>,
        (left, ours, desk): (u32, &Features<'_>, &mut Desk),
        neighbour: &Neighbour,
        keep: Keep,
    ) -> Option<Judged> {
        let &Neighbour { text: right, pairs } = neighbour;
        let theirs = content.get(right);
        let worth = |evidence: &ContentEvidence| keep == Keep::All || evidence.is_worth_reading();
        let evidence = verify::compare(ours, &desk.stems, &theirs, pairs, usual.of(left, right), worth)?;
        if !worth(&evidence) {
            return None;
        }
        let read = |text: u32| furniture.cut_from(text, (texts.read)(text));
        if !desk.is_read {
            desk.ours.read(&read(left));
            desk.runs.fill(&desk.ours);
            desk.is_read = true;
        }
        let their_text = read(right);
        desk.theirs.read(&their_text);
        let ours_is_shorter = verify::is_shorter(ours, &theirs);
        let verbatim = match ours_is_shorter {
            true => desk.runs.in_other(&desk.theirs),
            false => desk.runs.of_other(&desk.theirs),
        };
        let mut evidence = evidence.with(verbatim);
        if verbatim.ends && evidence.quotes() && (keep == Keep::All || self.may_be_wanted(&evidence, keep)) {
            let our_text = read(left);
            let theirs = (&their_text[..], desk.runs.shared_of_other(&desk.theirs).collect());
            let ours = (&our_text[..], desk.runs.shared_in_other(&desk.theirs).collect());
            let (shorter, longer) = if ours_is_shorter { (ours, theirs) } else { (theirs, ours) };
            evidence.before_the_end = telling::before_the_end(shorter, longer);
        }
        if desk.ours.is_without_spaces && desk.theirs.is_without_spaces {
            // Where each character is a word, all words are as well known as those of English.
            evidence.foreign = 0.0;
        }
        let odds = evidence.is_worth_reading().then(|| self.rule.odds(&evidence));
        Some(Judged { left, right, evidence, odds })
    }

    /// Whether a pair of this evidence is wanted if the prior is as high as can be.
    fn may_be_wanted(&self, evidence: &ContentEvidence, keep: Keep) -> bool {
        self.rule.confidence(self.rule.odds(evidence), 1.0) >= self.least(keep)
    }

    /// The least confidence that is wanted.
    fn least(&self, keep: Keep) -> f32 {
        keep.least().map_or(self.confidence, |least| least.min(self.confidence))
    }

    /// Decides about two texts that were judged, and compares their shingles if the pair is wanted.
    fn reworded_pair(&self, shingles: &Shingles<'_>, judged: &Judged, prior: f32, keep: Keep) -> Option<Compared> {
        let &Judged { left, right, evidence, odds } = judged;
        let confidence = match odds {
            Some(odds) => self.rule.confidence(odds, prior),
            None => verify::first_look(&evidence).min(self.rule.confidence(self.rule.odds(&evidence), prior)),
        };
        let is_copy = odds.is_some() && confidence >= self.confidence;
        if keep != Keep::All && (odds.is_none() || confidence < self.least(keep)) {
            return None;
        }
        let mut pair = self.near.pair(shingles, left, right);
        pair.evidence.content = Some(evidence);
        if pair.relation.is_none() {
            pair.relation = is_copy.then_some(Relation::Reworded);
            pair.similarity = confidence;
        }
        Some(pair)
    }

    /// Whether a text and another one, that no candidates brought together, are copies.
    fn direct(
        &self,
        stories: Stories<'_, '_>,
        shingles: &Shingles<'_>,
        (text, ours, rare, desk): (u32, &Features<'_>, &RareFeatures<'_>, &mut Desk),
        other: u32,
        prior: f32,
    ) -> Option<Compared> {
        let other = Neighbour::of(rare, stories.content, other);
        let judged = self.judge(stories, (text, ours, desk), &other, Keep::Copies)?;
        self.reworded_pair(shingles, &judged, prior, Keep::Copies).map(Compared::in_order)
    }

    /// The copies in crowds of rewordings that candidates left out, and how many pairs were compared for it: of what hundreds
    /// tell hardly a feature is rare, so that each of them met some of the others only. Who has most copies is compared with all of
    /// its crowd, and so on among those that are left.
    fn around_hubs(
        &self,
        stories: Stories<'_, '_>,
        shingles: &Shingles<'_>,
        reworded: &[Compared],
        prior: f32,
    ) -> (Vec<Compared>, u64) {
        let Stories { content, texts, .. } = stories;
        let copies = reworded.iter().filter(|pair| pair.relation.is_some());
        let links: Vec<(u32, u32)> = copies.map(|pair| (pair.left, pair.right)).collect();
        let around = |mut crowd: crowds::Rest| {
            let (mut found, mut count) = (Vec::new(), 0);
            for _ in 0..crowds::MOST_CENTRES {
                let Some((hub, copies)) = crowd.hub() else { break };
                let (ours, rare) = (content.get(hub), content.rare(hub));
                let copy = |desk: &mut Desk, &other: &u32| {
                    self.direct(stories, shingles, (hub, &ours, &rare, desk), other, prior)
                };
                let is_new = |other: &&u32| **other != hub && copies.binary_search(other).is_err();
                let others: Vec<u32> = crowd.texts().iter().filter(is_new).copied().collect();
                let more: Vec<Compared> =
                    others.par_iter().map_init(|| Desk::with(&ours), copy).flatten_iter().collect();
                count += others.len() as u64;
                crowd.add(more.iter().map(|pair| (pair.left, pair.right)));
                crowd.take(&[hub]);
                found.extend(more);
            }
            (found, count)
        };
        let of_crowds: Vec<_> = crowds::crowds(texts.len(), &links).into_iter().map(around).collect();
        let count = of_crowds.iter().map(|(_, count)| count).sum();
        (of_crowds.into_iter().flat_map(|(found, _)| found).collect(), count)
    }

    /// For each reworded pair the edited copies of one held against the other: these stood behind their leader so far, but
    /// a cluster must verify each against its representative.
    fn behind_leaders(
        &self,
        stories: Stories<'_, '_>,
        shingles: &Shingles<'_>,
        leaders: &[u32],
        reworded: &[Compared],
        prior: f32,
    ) -> Vec<Compared> {
        let content = stories.content;
        let mut followers: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (text, &leader) in (0..).zip(leaders) {
            if text != leader {
                followers.entry(leader).or_default().push(text);
            }
        }
        let against = |desk: &mut Desk, text: u32, others: u32| {
            let Some(others) = followers.get(&others) else { return Vec::new() };
            let (ours, rare) = (content.get(text), content.rare(text));
            desk.take(&ours);
            let pair = |&other: &u32| self.direct(stories, shingles, (text, &ours, &rare, &mut *desk), other, prior);
            others.iter().filter_map(pair).collect()
        };
        let copies = reworded.par_iter().filter(|pair| pair.relation.is_some());
        let both = |desk: &mut Desk, pair: &Compared| {
            let mut found = against(desk, pair.left, pair.right);
            found.extend(against(desk, pair.right, pair.left));
            found
        };
        copies.map_init(Desk::default, both).flatten_iter().collect()
    }

    /// Verified pairs and exact copies to clusters with names.
    fn clusters<A: Article>(&self, corpus: &Corpus<A>, verified: &[Compared], misses: &[Compared]) -> Vec<Cluster> {
        let Corpus { articles, positions, twins, ranks, distinct, .. } = corpus;
        let mut copies: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (at, &twin) in (0..).zip(twins) {
            if at != twin {
                copies.entry(twin).or_default().push(at);
            }
        }
        let article = |at: u32| {
            let position = positions[at as usize] as usize;
            ArticleRef { id: articles.id(position).into(), position }
        };
        let member = |at: u32, pair: Option<&Compared>| {
            let ArticleRef { id, position } = article(at);
            let member = Member {
                id,
                position,
                relation: pair.and_then(|pair| pair.relation).unwrap_or(Relation::Exact),
                similarity: pair.map_or(1.0, |pair| pair.similarity),
                evidence: pair.map(|pair| pair.evidence),
            };
            (at, member)
        };
        let may_meet = |a: u32, b: u32| self.may_meet(articles, positions[a as usize], positions[b as usize]);
        let mut copied = vec![false; distinct.len()];
        copies.keys().filter_map(|at| distinct.binary_search(at).ok()).for_each(|text| copied[text] = true);
        let has_copies = |text: u32| copied[text as usize];
        let rank = |text: u32| ranks.get(distinct[text as usize] as usize).copied().unwrap_or(0);
        let links = links(verified.iter());
        let mut stars = cluster::stars(distinct.len(), &links, (rank, |_| 0), has_copies);
        cluster::reunite(&mut stars, &links, rank);
        let is_doubtful = |link: &Link| link.strength < DOUBTFUL;
        let unsupported = cluster::take_out_unsupported(&mut stars, &links, is_doubtful);
        let (verified, misses) = self.take_in_supported(&mut stars, (links, verified), misses);
        let nearest = nearest(misses.into_iter().chain(unsupported.iter().map(|&at| verified[at].as_ref())));
        let near_miss = |text: u32| {
            let &(other, pair) = nearest.get(&text)?;
            let position = positions[distinct[other as usize] as usize] as usize;
            let enough = if pair.evidence.content.is_some() { self.confidence } else { self.near.rule.jaccard };
            Some(NearMiss {
                id: articles.id(position).into(),
                position,
                similarity: pair.similarity,
                // A pair that is sure enough by itself lacked the support of a second member.
                missing: (enough - pair.similarity).max(0.0),
                evidence: pair.evidence,
            })
        };
        let mut clusters = Vec::new();
        for star in stars {
            let mut members = Vec::new();
            let center = distinct[star.center as usize];
            let mut add = |text: u32, pair: Option<&Compared>| {
                let at = distinct[text as usize];
                if at != center {
                    members.push(member(at, pair));
                }
                let copies = copies.remove(&at).into_iter().flatten().filter(|&copy| may_meet(center, copy));
                members.extend(copies.map(|copy| member(copy, pair)));
            };
            add(star.center, None);
            for link in star.links {
                let pair = verified[link].as_ref();
                add(pair.left + pair.right - star.center, Some(pair));
            }
            clusters.push((center, members, near_miss(star.center)));
        }
        // Exact copies of texts that have no other copies.
        for (first, same) in copies {
            let same = same.into_iter().filter(|&copy| may_meet(first, copy));
            let members: Vec<_> = same.map(|at| member(at, None)).collect();
            if members.is_empty() {
                continue;
            }
            let text = distinct.partition_point(|&at| at < first) as u32;
            clusters.push((first, members, near_miss(text)));
        }
        // The numbers of articles are in the order of their ids.
        for (_, members, _) in &mut clusters {
            members.sort_by(|(a, left), (b, right)| right.similarity.total_cmp(&left.similarity).then(a.cmp(b)));
        }
        clusters.sort_by_key(|&(center, ..)| center);
        let cluster = |(center, members, near_miss): (u32, Vec<(u32, Member)>, _)| {
            let members = members.into_iter().map(|(_, member)| member).collect();
            Cluster { representative: article(center), members, near_miss }
        };
        clusters.into_iter().map(cluster).collect()
    }

    /// Rewordings that fall short alone, but not with another member, join their stars. All that are in stars now, the copies
    /// first, and the rest of what was asked for.
    fn take_in_supported<'p>(
        &self,
        stars: &mut [Star],
        (links, verified): (Vec<Link>, &'p [Compared]),
        misses: &'p [Compared],
    ) -> (Vec<Cow<'p, Compared>>, Vec<&'p Compared>) {
        let falls_short =
            |pair: &&Compared| pair.evidence.content.is_some() && pair.similarity >= self.least_supported();
        let (loose, mut others): (Vec<&Compared>, Vec<&Compared>) = misses.iter().partition(falls_short);
        let mut verified: Vec<Cow<'_, Compared>> = verified.iter().map(Cow::Borrowed).collect();
        let mut joined = vec![false; loose.len()];
        let loose_links = near::links(loose.iter().copied());
        for cluster::Supported { star, loose: at } in cluster::with_support(stars, &links, &loose_links) {
            let similarity = cluster::supported(loose[at].similarity.into()) as f32;
            joined[at] = true;
            stars[star].links.push(verified.len());
            verified.push(Cow::Owned(Compared { relation: Some(Relation::Reworded), similarity, ..loose[at].clone() }));
        }
        others.extend(loose.into_iter().zip(joined).filter(|(_, joined)| !joined).map(|(pair, _)| pair));
        others.retain(|pair| self.near_misses.is_some_and(|least| pair.similarity >= least));
        (verified, others)
    }

    /// The members of clusters that can go because one that stays tells what they tell, in the order of the input.
    fn removals<A: Article>(
        &self,
        corpus: &Corpus<A>,
        sets: Option<Sets>,
        verified: &[Compared],
        clusters: &[Cluster],
    ) -> Vec<Removal> {
        let Corpus { articles, positions, twins, ranks, distinct, words, budget, .. } = corpus;
        let rank = |text: u32| ranks.get(distinct[text as usize] as usize).copied().unwrap_or(0);
        let position = |text: u32| positions[distinct[text as usize] as usize] as usize;
        let is_known = |text: u32| articles.is_known(position(text));
        let mut twin_at = vec![0; articles.len()];
        for (&twin, &position) in twins.iter().zip(positions) {
            twin_at[position as usize] = twin;
        }
        let text_of = |position: usize| distinct.partition_point(|&at| at < twin_at[position]) as u32;
        let read = |text: u32| articles.read(position(text));
        let texts = Texts { words, read: &read, shingle: self.shingle, budget };
        let shingles = match sets {
            Some(sets) => Shingles::with(texts, sets),
            None => Shingles::new(texts),
        };
        let of_cluster = |cluster: &Cluster| {
            let mut texts: Vec<u32> = cluster.positions().map(text_of).collect();
            let center = texts[0];
            texts.sort_unstable();
            texts.dedup();
            let removed = self.plan(texts, center, (&rank, &is_known), words, &shingles, verified);
            let removal = |(id, at): (&str, usize)| {
                let text = text_of(at);
                let removal = Removal {
                    id: id.into(),
                    position: at,
                    kept_id: String::new(),
                    kept: 0,
                    relation: Relation::Exact,
                    similarity: 1.0,
                    covered: Some(1.0),
                    evidence: None,
                };
                match removed.get(&text) {
                    Some((kept, tie)) => Some(Removal {
                        kept_id: articles.id(position(*kept)).into(),
                        kept: position(*kept),
                        relation: tie.relation,
                        similarity: tie.similarity,
                        covered: tie.covered,
                        evidence: Some(tie.evidence),
                        ..removal
                    }),
                    None => {
                        let kept = position(text);
                        let removal = Removal { kept_id: articles.id(kept).into(), kept, ..removal };
                        (at != kept && !articles.is_known(at)).then_some(removal)
                    }
                }
            };
            cluster.ids().zip(cluster.positions()).filter_map(removal).collect::<Vec<_>>()
        };
        let mut removals: Vec<Removal> = clusters.par_iter().with_max_len(16).flat_map_iter(of_cluster).collect();
        removals.sort_unstable_by_key(|removal| removal.position);
        removals
    }

    /// Which texts of a cluster go, and in favour of which: of the plan that keeps the fullest texts and the one that keeps the
    /// representative the one by which fewer stay. If a certain representative was asked for, texts stay in this order.
    fn plan(
        &self,
        mut texts: Vec<u32>,
        center: u32,
        (rank, is_known): (impl Fn(u32) -> u32, impl Fn(u32) -> bool),
        words: &[u32],
        shingles: &Shingles<'_>,
        verified: &[Compared],
    ) -> BTreeMap<u32, (u32, Tie)> {
        let words = |text: u32| words[text as usize];
        let replaces = |removed: u32, kept: u32| {
            // What is known stays in any case.
            if is_known(removed) {
                return None;
            }
            let pair = (removed.min(kept), removed.max(kept));
            let known = verified.binary_search_by_key(&pair, |pair| (pair.left, pair.right)).map(|at| &verified[at]);
            let fresh;
            let pair = match known {
                Ok(pair) => pair,
                Err(_) => {
                    fresh = self.near.pair(shingles, pair.0, pair.1);
                    &fresh
                }
            };
            let relation = pair.relation?;
            // Who deletes must be right nine times in ten, or the words must be there.
            let is_sure = relation == Relation::Reworded && pair.similarity >= self.removal;
            // Each shared shingle tells no more words than it spans.
            let most_covered = pair.evidence.containment * f32::from(self.shingle.span());
            let may_be_enough = removal::may_replace(Relation::Near, most_covered, words(removed), words(kept));
            if !is_sure && matches!(self.shingle, Shingle::Words(_)) && !may_be_enough {
                return None;
            }
            let covered = (!is_sure).then(|| shingles.covered(removed, &shingles.of(kept)));
            let tie = Tie { relation, similarity: pair.similarity, covered, evidence: pair.evidence };
            let is_kept = |covered: f32| removal::may_replace(Relation::Near, covered, words(removed), words(kept));
            let may = covered.is_none_or(is_kept)
                && removal::may_replace(relation, covered.unwrap_or_default(), words(removed), words(kept));
            may.then_some(tie)
        };
        let plan = |texts: &[u32]| {
            let replaces = |removed: usize, kept: usize| replaces(texts[removed], texts[kept]);
            let plan = removal::in_order(texts.len(), replaces);
            if self.representative == Representative::Central { removal::without_first(plan, replaces) } else { plan }
        };
        texts.sort_by_key(|&text| (rank(text), std::cmp::Reverse(words(text)), text != center, text));
        let stay = |plan: &Plan<Tie>| plan.iter().filter(|removed| removed.is_none()).count();
        let mut best = plan(&texts);
        if self.representative == Representative::Central && stay(&best) > 1 {
            let mut from_center = texts.clone();
            from_center.sort_by_key(|&text| text != center);
            let other = plan(&from_center);
            if stay(&other) < stay(&best) {
                (texts, best) = (from_center, other);
            }
        }
        let removed = best.into_iter().zip(&texts);
        removed.filter_map(|(tie, &text)| tie.map(|(kept, tie)| (text, (texts[kept], tie)))).collect()
    }

    /// The passages that texts share which are in no cluster together, and how many families of furniture there are.
    fn excerpts<A: Article>(&self, corpus: &Corpus<A>, clusters: &[Cluster]) -> (Vec<Excerpt>, usize) {
        let Corpus { articles, positions, distinct, shared, furniture, words, budget, .. } = corpus;
        let position = |text: u32| positions[distinct[text as usize] as usize] as usize;
        let mut stories: Vec<usize> = (0..articles.len()).collect();
        for cluster in clusters {
            cluster.positions().for_each(|position| stories[position] = cluster.representative.position);
        }
        let read = |text: u32| articles.read(position(text));
        let asked = Asked {
            texts: Texts { words, read: &read, shingle: self.shingle, budget },
            story: &|text| stories[position(text)],
            is_known: &|text| articles.is_known(position(text)),
            source: &|text| articles.source(position(text)),
            seconds: &|text| articles.seconds().get(position(text)).copied().unwrap_or(i64::MAX),
            furniture,
            wants_all: self.excerpts == Excerpts::FindAll,
        };
        let (found, furniture) = excerpts::find(shared, &asked);
        let id = |text: u32| articles.id(position(text)).to_owned();
        let place = |Spot { text, span, .. }: Spot| ExcerptPlace { id: id(text), position: position(text), span };
        let excerpt = |found: excerpts::Found| Excerpt {
            host: place(found.host),
            source: place(found.source),
            words: found.words as usize,
            kind: ExcerptKind::Verbatim,
            same: found.same,
            holders: found.holders,
            others: found.others.into_iter().map(id).collect(),
            date: found.first.map(date::shown),
            is_furniture: found.is_furniture,
        };
        let mut excerpts: Vec<Excerpt> = found.into_iter().map(excerpt).collect();
        excerpts.par_sort_by(|a, b| {
            let key = |excerpt: &Excerpt| (excerpt.host.span.start, excerpt.source.span.start);
            (&a.host.id, &a.source.id, key(a)).cmp(&(&b.host.id, &b.source.id, key(b)))
        });
        (excerpts, furniture)
    }

    fn refuse(&self, signed: &Signed) -> Option<SkipReason> {
        let words = signed.words as usize;
        match signed.shape {
            Shape::TooLong => Some(SkipReason::TooLong),
            _ if words == 0 => Some(SkipReason::Empty),
            _ if words < self.min_words => Some(SkipReason::TooShort { words, needed: self.min_words }),
            Shape::NoShingle => Some(SkipReason::NoShingle { shingle: self.shingle }),
            Shape::Whole => None,
        }
    }

    fn report(&self, stage: Stage, done: usize, total: usize) {
        if let Some(callback) = &self.progress {
            callback(Progress { stage, done, total });
        }
    }

    /// Runs one stage, telling the callback when it begins and ends, and notes how long it took.
    fn timed<T>(
        &self,
        times: &mut [Duration; Stage::ALL.len()],
        stage: Stage,
        total: usize,
        run: impl FnOnce(&Ticker<'_>) -> T,
    ) -> T {
        let start = Instant::now();
        self.report(stage, 0, total);
        let result = run(&Ticker { detector: self, stage, total, done: AtomicUsize::new(0) });
        self.report(stage, total, total);
        times[stage as usize] += start.elapsed();
        result
    }
}

/// Takes articles as they are read and signs them at once, so that with [memory limited](DetectorBuilder::memory) their texts
/// need not stay.
///
/// It finds what [`Detector::find`] finds among the same articles. [`Stage::Sign`] is not told to the progress callback, since
/// nobody knows how many articles will come, and the time that the report has for it is without what
/// [`extend`](Self::extend) takes: that is the caller's, who reads meanwhile.
///
/// ```
/// use retold::Detector;
///
/// let mut collector = Detector::builder().memory(1 << 30).build()?.collector();
/// for batch in [[("a", "The ferry leaves at nine.")], [("b", "The ferry leaves at nine!")]] {
///     collector.extend(batch)?;
/// }
/// let (report, articles) = collector.find()?;
/// assert_eq!((report.clusters().len(), articles.len()), (1, 2));
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Debug)]
pub struct Collector<A> {
    detector: Detector,
    articles: Articles<A>,
    signatures: Signatures,
    budget: Arc<Budget>,
}

impl<A: Article> Collector<A> {
    /// Takes more articles, in batches of some megabytes at best: the articles of a batch are signed in parallel.
    ///
    /// # Errors
    /// [`Error::Spill`] if memory was limited and a temporary file cannot be written.
    pub fn extend(&mut self, batch: impl IntoIterator<Item = A>) -> Result<()> {
        let batch: Vec<A> = batch.into_iter().collect();
        let texts: Vec<&str> = batch.iter().map(Article::text).collect();
        self.signatures.extend(&texts, || {});
        self.articles.extend(batch);
        self.budget.check()
    }

    /// Finds all clusters among the articles, and gives these back. Positions are counted in the order in which the articles
    /// came.
    ///
    /// # Errors
    /// As [`Detector::find`].
    pub fn find(self) -> Result<(Report, Articles<A>)> {
        let Self { detector, articles, signatures, budget } = self;
        detector.report_on(detector.corpus(articles, signatures, Default::default(), budget)?)
    }
}

/// Counts texts and tells the callback now and then.
struct Ticker<'d> {
    detector: &'d Detector,
    stage: Stage,
    total: usize,
    done: AtomicUsize,
}

impl Ticker<'_> {
    fn tick(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of(256) && done < self.total {
            self.detector.report(self.stage, done, self.total);
        }
    }
}

/// For each text the one that speaks for all with the same words in the same order: that of the lowest rank, or the first
/// if all rank alike. It speaks for those that are near in time, from the earliest on.
fn fold_exact(
    signed: &[&Signed],
    is_refused: &[bool],
    ranks: &[u32],
    time: impl Fn(u32) -> i64,
    are_near: impl Fn(u32, u32) -> bool,
) -> Vec<u32> {
    let mut twins: Vec<u32> = (0..signed.len() as u32).collect();
    let compared = (0..).zip(signed).zip(is_refused).filter(|(_, is_refused)| !**is_refused);
    let mut order: Vec<_> = compared.map(|((at, text), _)| (text.exact, text.words, at)).collect();
    order.par_sort_unstable();
    for same in order.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let mut same: Vec<u32> = same.iter().map(|&(.., at)| at).collect();
        same.sort_by_key(|&at| time(at));
        let mut rest = &same[..];
        while let Some((&first, later)) = rest.split_first() {
            let near = 1 + later.iter().take_while(|&&at| are_near(first, at)).count();
            let (together, later) = rest.split_at(near);
            let speaker = together.iter().copied().min_by_key(|&at| (ranks.get(at as usize), at)).unwrap_or(first);
            together.iter().for_each(|&at| twins[at as usize] = speaker);
            rest = later;
        }
    }
    twins
}

/// Articles on their way to pairs. From `distinct` on, a text is an article that can be compared and is no exact copy.
struct Corpus<A> {
    articles: Articles<A>,
    /// The articles by id, and those of one id by their words: where each stands in the input.
    positions: Vec<u32>,
    skipped: Vec<Skipped>,
    /// For each article the one that speaks for all with the same words.
    twins: Vec<u32>,
    /// For each article how it ranks as a representative; see [`Detector::ranks`].
    ranks: Vec<u32>,
    /// The articles that are texts.
    distinct: Vec<u32>,
    /// The views of the texts, until they are compared.
    kept: Option<Kept>,
    /// Pairs of texts that share fingerprints, if excerpts are looked for.
    shared: Vec<Shared>,
    /// What is no excerpt since it is furniture, if excerpts are looked for.
    furniture: Furniture,
    /// The shingles of texts that were compared, if there is memory for them until the end: rewordings need it for more.
    sets: Option<Sets>,
    /// Number of words of each text.
    words: Vec<u32>,
    summary: Summary,
    budget: Arc<Budget>,
}

impl<A> Corpus<A> {
    /// Pairs of texts as pairs of articles.
    fn pairs(&self, compared: Vec<Compared>) -> Vec<Pair> {
        let position = |text: u32| self.positions[self.distinct[text as usize] as usize] as usize;
        let pair = |pair: Compared| {
            let Compared { left, right, relation, similarity, evidence } = pair;
            Pair { left: position(left), right: position(right), relation, similarity, evidence }
        };
        compared.into_iter().map(pair).collect()
    }
}

/// For each leader whether it or one that stands behind it is asked for.
fn of_leaders(asked: &[bool], leaders: &[u32]) -> Vec<bool> {
    let mut of_leaders = vec![false; asked.len()];
    for (&asked, &leader) in asked.iter().zip(leaders) {
        of_leaders[leader as usize] |= asked;
    }
    of_leaders
}

/// A rewording of less confidence is in a cluster of three and more only if a second member is a copy of it as well.
const DOUBTFUL: f64 = 0.6;

/// How a text that goes is like the one that is kept instead.
struct Tie {
    relation: Relation,
    similarity: f32,
    covered: Option<f32>,
    evidence: Evidence,
}

/// What stands around each text.
struct Surroundings {
    content: Content,
    /// The texts that each is compared with.
    neighbours: Neighbours,
    /// The candidates that all texts have, if others are compared: the prior is theirs whatever the search is.
    candidates: Option<Neighbours>,
    usual: Usual,
}

/// What rewordings are told by.
#[derive(Clone, Copy)]
struct Stories<'a, 't> {
    content: &'a Content,
    usual: &'a Usual,
    /// What they are told without.
    furniture: &'a Furniture,
    texts: Texts<'t>,
}

/// Two texts that were judged by their content, the first before the second.
struct Judged {
    left: u32,
    right: u32,
    evidence: ContentEvidence,
    /// The logarithm of the odds that they are copies; none if they were not worth reading.
    odds: Option<f32>,
}

/// One text that is held beside others, one by one. Reused from text to text.
#[derive(Default)]
struct Desk {
    stems: StemTable,
    runs: RunTable,
    /// The runs of the text, of which the table is full if it was read, and those of the other one.
    ours: Runs,
    theirs: Runs,
    is_read: bool,
}

/// What came of judging some texts with their neighbours.
#[derive(Default)]
struct Examined {
    desk: Desk,
    judged: Vec<Judged>,
    odds: Odds,
    /// Pairs that were compared.
    compared: u64,
}

impl Examined {
    /// Both together, the first before the second.
    fn merge(mut self, mut later: Self) -> Self {
        self.judged.append(&mut later.judged);
        self.odds.merge(&later.odds);
        self.compared += later.compared;
        self
    }
}

impl Desk {
    fn with(text: &Features<'_>) -> Self {
        let mut desk = Self::default();
        desk.take(text);
        desk
    }

    fn take(&mut self, text: &Features<'_>) {
        self.stems.fill(text);
        self.is_read = false;
    }
}

/// For each text in pairs the other one of the most similar pair, the first of equals.
fn nearest<'p>(pairs: impl Iterator<Item = &'p Compared>) -> BTreeMap<u32, (u32, &'p Compared)> {
    let mut nearest: BTreeMap<u32, (u32, &'p Compared)> = BTreeMap::new();
    for pair in pairs {
        for (text, other) in [(pair.left, pair.right), (pair.right, pair.left)] {
            let best = nearest.entry(text).or_insert((other, pair));
            if (pair.similarity, best.0) > (best.1.similarity, other) {
                *best = (other, pair);
            }
        }
    }
    nearest
}

/// Which neighbour, from the best down, tells what is usual for a text: one beyond the size of most clusters of copies.
const USUAL_NEIGHBOUR: usize = 20;

/// A text is compared with so many of its neighbours, the best ones, with those that have it among theirs, and with who shares so much
/// of its pairs of words in any case. In a large corpus there are ever more that share next to nothing.
const MOST_NEIGHBOURS: usize = 32;
const IN_ANY_CASE: f32 = 0.02;

/// What is usual from this on makes a crowd: a template, a subject that many write about, or one story told many times.
const CROWDED: f32 = 0.05;

/// So many neighbours that tell the same story make a crowd of rewordings. Fewer do not move what is usual by much.
const CROWD: usize = 16;

/// How many neighbours of a text in a crowd are looked at.
const CROWD_LOOKED_AT: usize = 64;

/// What is usual for each text to share with its neighbours; edited copies take that of their leader. In small corpora,
/// which have few neighbours, it is drawn to what is common in a large corpus on one subject.
struct Usual(Vec<f32>);

impl Usual {
    /// From the share of its pairs of words that each text shares with its so-manieth neighbour.
    fn new(content: &Content, leaders: &[u32], neighbours: &Neighbours, mut shares: Vec<f32>) -> Self {
        let n = leaders.len() as f32;
        let crowded: Vec<u32> =
            (0..).zip(&shares).filter(|(_, share)| **share >= CROWDED).map(|(text, _)| text).collect();
        let nearest = neighbours.nearest(content, &crowded, CROWD_LOOKED_AT);
        let without_mates = |stems: &mut StemTable, (&text, nearest): (&u32, &Vec<(u16, Neighbour)>)| {
            Self::without_mates(content, stems, text, nearest)
        };
        let found: Vec<Option<f32>> =
            crowded.par_iter().zip(&nearest).map_init(StemTable::default, without_mates).collect();
        for (text, share) in crowded.into_iter().zip(found) {
            shares[text as usize] = share.unwrap_or(shares[text as usize]);
        }
        let usual = |share: f32| (n * share + 1000.0 * 0.04) / (n + 1000.0);
        Self(leaders.iter().map(|&leader| usual(shares[leader as usize])).collect())
    }

    /// What is usual for a text in a crowd, if that is one of rewordings of one story: the share of its best neighbours that do
    /// not tell its story.
    fn without_mates(content: &Content, stems: &mut StemTable, text: u32, nearest: &[(u16, Neighbour)]) -> Option<f32> {
        let ours = content.get(text);
        stems.fill(&ours);
        let (mut mates, mut others) = (0, 0);
        for (looked_at, (share, other)) in nearest.iter().enumerate() {
            // What fills a template has hardly any mates, and most crowds are such: half a crowd among the first is out of reach.
            if looked_at <= USUAL_NEIGHBOUR && mates + USUAL_NEIGHBOUR - looked_at < CROWD / 2 {
                return None;
            }
            let evidence = verify::compare(&ours, stems, &content.get(other.text), other.pairs, 0.0, |_| true);
            if evidence.is_some_and(|evidence| evidence.tells_the_same_story()) {
                mates += 1;
            } else {
                others += 1;
            }
            if others == USUAL_NEIGHBOUR {
                return (mates >= CROWD).then(|| f32::from(*share) / f32::from(u16::MAX));
            }
        }
        (mates >= CROWD).then_some(0.0)
    }

    /// For the less crowded one of two texts.
    fn of(&self, left: u32, right: u32) -> f32 {
        self.0[left as usize].min(self.0[right as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A few stories, each with a copy that has some words more, and one that puts it otherwise.
    fn stories() -> Vec<(String, String)> {
        let story = |story: u64| {
            let words: Vec<String> =
                (0..80).map(|at| format!("w{:x}", crate::hash::mix(story << 8 | at) % 500)).collect();
            let plain = words.join(" ");
            let longer = format!("{plain} they say");
            let otherwise = words.chunks(2).map(|two| two.join(" ") + " of the ").collect();
            [plain, longer, otherwise].into_iter().zip('a'..).map(move |(text, id)| (format!("{story}{id}"), text))
        };
        (0..6).flat_map(story).collect()
    }

    #[test]
    fn wherever_the_disk_fails_it_is_an_error() {
        let find = |readings: i64| {
            let mut collector = Detector::new().collector_within(Budget::failing_after(readings));
            collector.extend(stories())?;
            collector.find()
        };
        let (report, _) = find(i64::MAX).unwrap();
        let relations = |wanted| {
            report.clusters().iter().flat_map(Cluster::members).filter(|member| member.relation == wanted).count()
        };
        assert!(relations(Relation::Near) > 0 && relations(Relation::Reworded) > 0, "{report:?}");
        let enough = (6..).map(|power| 1 << power).find(|&readings| find(readings).is_ok()).unwrap();
        for readings in (0..enough).step_by(enough as usize / 64) {
            // About half of what is enough is needed.
            match find(readings) {
                Ok((found, _)) => assert_eq!(found.clusters().len(), report.clusters().len()),
                Err(error) => assert!(matches!(error, Error::Spill { .. }), "{error}"),
            }
        }
    }
}
