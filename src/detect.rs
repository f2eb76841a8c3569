//! The whole line put together: articles in, a report out. The only place that knows threads.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use smallvec::SmallVec;

use crate::arch::{Arch, Backend};
use crate::bands::Bands;
use crate::candidates::{Growth, Meetings, Sketches};
use crate::cluster::{self, Link};
use crate::content::{self, Token, TokenChunk, Tokens};
use crate::date;
use crate::error::{self, Error, Result};
use crate::features::Content;
use crate::frequencies::CHUNK;
use crate::minhash::{self, MinHasher, Scheme};
use crate::rare::{Neighbour, Neighbours};
use crate::report::{
    Cluster, Comparison, ContentEvidence, Evidence, Member, NearMiss, Pair, Progress, Relation, Report, SkipReason,
    Skipped, Stage, Summary,
};
use crate::shingle::{self, Shingle, ShingleSet, Window};
use crate::text::{self, Words};
use crate::verify::{self, NearRule, Rule, StemTable};

/// Anything that has an id and a text.
///
/// Pairs of strings are articles; implement it for a type of your own to use that.
///
/// ```
/// struct Story { slug: String, body: String }
///
/// impl retold::Article for Story {
///     fn id(&self) -> &str { &self.slug }
///     fn text(&self) -> &str { &self.body }
/// }
/// ```
pub trait Article: Sync {
    /// A name for the article that no other one has.
    fn id(&self) -> &str;
    /// The text to compare.
    fn text(&self) -> &str;
    /// When the article appeared, as an ISO 8601 date (`2024`, `2024-05-17`, `2024-05-17T09:30:15+02:00`); asked for only by
    /// [`Representative::Earliest`]. None by default.
    fn date(&self) -> Option<&str> {
        None
    }
}

impl<I: AsRef<str> + Sync, T: AsRef<str> + Sync> Article for (I, T) {
    fn id(&self) -> &str {
        self.0.as_ref()
    }

    fn text(&self) -> &str {
        self.1.as_ref()
    }
}

/// Which copies to look for. Each level includes those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Exact and edited copies, by shingles.
    Near,
    /// Reworded copies as well, by content words.
    #[default]
    Reworded,
}

/// Which pairs of articles are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Search {
    /// Those that share a bucket or rare features: time grows linearly with the articles.
    #[default]
    Candidates,
    /// All of them: time grows with the square of their number. For small corpora, and for measuring on a sample what the
    /// candidates leave out.
    Exhaustive,
}

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
    search: Search,
    near: NearRule,
    shingle: Shingle,
    growth: Growth,
    near_slots: usize,
    confidence: f32,
    rule: Rule,
    min_words: usize,
    representative: Representative,
    near_misses: Option<f32>,
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
#[derive(Clone)]
pub struct DetectorBuilder {
    level: Level,
    search: Search,
    threshold: f64,
    shingle: Shingle,
    slots: u16,
    confidence: f64,
    rule: Rule,
    min_words: usize,
    representative: Representative,
    near_misses: Option<f64>,
    progress: Option<Callback>,
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
    pub fn threshold(mut self, jaccard: f64) -> Self {
        self.threshold = jaccard;
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
    pub fn confidence(mut self, confidence: f64) -> Self {
        self.confidence = confidence;
        self
    }

    /// How the evidence for a rewording is weighed; the default suits most corpora.
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rule = rule;
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

    /// Also tells for each cluster which article came nearest to being a member, see [`Cluster::near_miss`], if its
    /// similarity is at least this: more than 0, at most 1. Not looked for by default.
    ///
    /// 0.3 is a good choice: in the pool of the README about half of the pairs from there to the default confidence are copies
    /// all the same, from 0.1 to 0.3 one in four, and below that one in five hundred.
    pub fn near_misses(mut self, least: f64) -> Self {
        self.near_misses = Some(least);
        self
    }

    /// A function to be told how far the detection is; it may be called from several threads at once.
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
        error::check("confidence", self.confidence, f64::MIN_POSITIVE, 1.0, "more than 0, at most 1")?;
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
            search: self.search,
            near: NearRule { jaccard: self.threshold as f32 },
            shingle: self.shingle,
            growth: Growth { trees: bands.bands(), rows: bands.rows(), bucket: 16, deepest: bands.rows() + 16 },
            near_slots: usize::from(self.slots),
            confidence: self.confidence as f32,
            rule: self.rule,
            min_words: self.min_words.max(shingle_words).max(1),
            representative: self.representative,
            near_misses: self.near_misses.map(|least| least as f32),
            bands,
            progress: self.progress,
        })
    }
}

/// Trees whose buckets are in memory at the same time.
const TREES_AT_ONCE: usize = 8;

/// What the first pass over a text leaves.
#[derive(Default)]
struct Signed {
    words: u32,
    has_shingles: bool,
    /// Hash of all words in order, by which exact copies are equal.
    fingerprint: (u64, u64),
}

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
            shingle: Shingle::Words(3),
            slots: 128,
            confidence: 0.5,
            rule: Rule::default(),
            min_words: 3,
            representative: Representative::default(),
            near_misses: None,
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
    /// Articles that cannot be compared (no words, too few, a repeated id) are listed in the report, the rest is
    /// processed. Time grows about linearly with the bytes of text.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond some forty million articles. An option that cannot work is refused
    /// when the detector is built.
    pub fn find<A: Article>(&self, articles: &[A]) -> Result<Report> {
        let mut corpus = self.prepare(articles);
        let (copies, misses): (Vec<_>, Vec<_>) =
            self.compare(&mut corpus, self.keep(), None)?.into_iter().partition(|pair| pair.relation.is_some());
        corpus.summary.verified = copies.len() as u64;
        let texts = corpus.texts.len();
        let mut times = corpus.summary.times;
        let clusters =
            self.timed(&mut times, Stage::Cluster, texts, |_| self.clusters(&corpus, &copies, &misses, articles));
        corpus.summary.times = times;
        Ok(Report { clusters, skipped: corpus.skipped, summary: corpus.summary })
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
        let mut corpus = self.prepare(articles);
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
        let mut corpus = self.prepare(articles);
        let mut wanted = vec![false; articles.len()];
        positions.iter().filter(|&&at| at < articles.len()).for_each(|&at| wanted[at] = true);
        let mut asked = vec![false; corpus.distinct.len()];
        for (twin, &position) in corpus.twins.iter().zip(&corpus.positions) {
            if let (true, Ok(text)) = (wanted[position], corpus.distinct.binary_search(twin)) {
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

    /// Two texts held against each other with all the evidence, whether or not they are copies: as if they were all articles
    /// that there are. Documents around them would say better which words are rare, so that [`find`](Self::find) may be a
    /// little surer or less sure of the same two in a corpus. What they tell alike is [`shared_passages`](crate::shared_passages).
    ///
    /// # Errors
    /// [`Error::NotComparable`] for a text without words or with too few, with the reason.
    pub fn compare_texts(&self, left: &str, right: &str) -> Result<Comparison> {
        let articles = [("left", left), ("right", right)];
        let detector = Self { search: Search::Exhaustive, progress: None, ..self.clone() };
        let mut corpus = detector.prepare(&articles);
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
                let (evidence, _) = self.near.judge(sets.0.hashes(), sets.1.hashes());
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

    /// Articles to signed texts: what cannot be compared leaves the line here, and exact copies are folded into one.
    fn prepare<'a, A: Article>(&self, articles: &'a [A]) -> Corpus<'a> {
        let mut summary = Summary {
            documents: articles.len(),
            bytes: articles.iter().map(|article| article.text().len() as u64).sum(),
            ..Summary::default()
        };
        let (positions, mut skipped) = unique_ids(articles);
        let mut sketches = Sketches::new(self.near_slots, positions.len());
        let (signed, tokens) = self.timed(&mut summary.times, Stage::Sign, positions.len(), |ticker| {
            let sign = |scratch: &mut Scratch, (positions, sketches): (&[usize], &mut [u32])| {
                scratch.chunk.clear();
                let sketches = sketches.chunks_exact_mut(self.near_slots);
                let texts = positions.iter().map(|&position| articles[position].text()).zip(sketches);
                let signed = texts.map(|(text, sketch)| {
                    let signed = self.sign(text, scratch, sketch);
                    scratch.chunk.push(&scratch.tokens);
                    ticker.tick();
                    signed
                });
                let signed: Vec<Signed> = signed.collect();
                // Memory that stays is asked for when it is known how much.
                (signed, scratch.chunk.clone())
            };
            let chunks = positions.par_chunks(CHUNK).zip(sketches.par_chunks_mut(CHUNK));
            chunks.map_init(Scratch::default, sign).unzip::<_, _, Vec<_>, Vec<_>>()
        });
        let signed: Vec<Signed> = signed.into_iter().flatten().collect();
        let refusals: Vec<Option<SkipReason>> =
            positions.iter().zip(&signed).map(|(&at, text)| self.refuse(articles[at].text(), text)).collect();
        for (&position, &reason) in positions.iter().zip(&refusals) {
            skipped.extend(reason.map(|reason| Skipped { id: articles[position].id().into(), position, reason }));
        }
        skipped.sort_unstable_by_key(|skip| skip.position);
        let ranks = self.ranks(articles, &positions, &signed);
        let twins = fold_exact(&signed, &refusals, &ranks);
        let distinct: Vec<u32> = (0..signed.len() as u32)
            .filter(|&at| refusals[at as usize].is_none() && twins[at as usize] == at)
            .collect();
        Corpus {
            texts: distinct.iter().map(|&at| articles[positions[at as usize]].text()).collect(),
            sketches: sketches.select(&distinct),
            words: distinct.iter().map(|&at| signed[at as usize].words).collect(),
            tokens: content::select(tokens, &distinct),
            positions,
            skipped,
            twins,
            ranks,
            distinct,
            summary,
        }
    }

    /// For each article how it ranks among those that could represent a cluster, the lowest first; nothing if all rank
    /// alike.
    fn ranks<A: Article>(&self, articles: &[A], positions: &[usize], signed: &[Signed]) -> Vec<u32> {
        let mut order: Vec<(i64, usize)> = match self.representative {
            Representative::Central => return Vec::new(),
            Representative::Longest => signed.iter().map(|text| -i64::from(text.words)).zip(0..).collect(),
            Representative::First => positions.iter().map(|&position| position as i64).zip(0..).collect(),
            Representative::Earliest => {
                let second = |&position: &usize| articles[position].date().and_then(date::seconds).unwrap_or(i64::MAX);
                positions.par_iter().map(second).collect::<Vec<_>>().into_iter().zip(0..).collect()
            }
        };
        order.par_sort_unstable();
        let mut ranks = vec![0; order.len()];
        for (rank, (_, article)) in (0..).zip(order) {
            ranks[article] = rank;
        }
        ranks
    }

    /// Signed texts to verified pairs: edited copies first, then rewordings among what is left. If texts are asked for, an
    /// exhaustive search compares these with all others, and of the rest only candidates.
    fn compare(&self, corpus: &mut Corpus<'_>, keep: Keep, asked: Option<&[bool]>) -> Result<Vec<Compared>> {
        let shingles = Shingles::new(&corpus.texts, self.shingle);
        let sketches = std::mem::take(&mut corpus.sketches);
        let Summary { times, candidates, crowded, .. } = &mut corpus.summary;
        let mut pairs: Vec<Compared> = Vec::new();
        self.timed(times, Stage::Near, shingles.len(), |_| {
            let words = |text: u32| corpus.words[text as usize];
            let slots = self.near_slots as f32;
            let likely = |left: u32, right: u32| {
                let equal = minhash::equal_slots(sketches.get(left), sketches.get(right)) as f32;
                self.near.may_be(equal / slots, slots, (words(left), words(right)))
            };
            let texts = shingles.len() as u32;
            let mut met = Met::new(shingles.len());
            let mut compare = |met: &mut Met, likely_pairs: Vec<(u32, u32)>| {
                let near = likely_pairs.par_iter().map(|&(left, right)| self.near_pair(&shingles, left, right));
                let near: Vec<Compared> = near.filter(|pair| keep.keeps(pair)).collect();
                met.note(likely_pairs, &near);
                pairs.extend(near);
            };
            if self.search == Search::Candidates || asked.is_some() {
                for first in (0..self.growth.trees).step_by(TREES_AT_ONCE) {
                    let trees = first..(first + TREES_AT_ONCE).min(self.growth.trees);
                    let meetings = Meetings::in_trees(&sketches, self.growth, trees);
                    *crowded += meetings.crowded;
                    let mut likely_pairs = met.only_new(meetings.pairs);
                    likely_pairs = likely_pairs
                        .into_par_iter()
                        .filter(|&(left, right)| met.may_compare(left, right) && likely(left, right))
                        .collect();
                    compare(&mut met, likely_pairs);
                }
            }
            if self.search == Search::Exhaustive {
                let (all, shingles) = (Exhaustive::new(0..texts, asked), &shingles);
                let later = |left| {
                    let later = all.after(left).iter();
                    // Signatures rule out little where one text is much longer, and that is too much where most pairs are.
                    let likely = move |right| {
                        let sets = || (shingles.of(left), shingles.of(right));
                        likely(left, right) && (asked.is_none() || self.near.may_be_by_sample(sets().0, sets().1))
                    };
                    later.filter(move |&&right| likely(right)).map(move |&right| (left, right))
                };
                let likely_pairs = met.only_new((0..texts).into_par_iter().flat_map_iter(later).collect());
                compare(&mut met, likely_pairs);
            }
            *candidates = met.pairs.iter().map(|pairs| pairs.len() as u64).sum();
        });
        // The shingle sets are given back too; few of them are asked for again.
        drop((sketches, shingles));
        if self.level == Level::Near {
            pairs.par_sort_by_key(|pair| (pair.left, pair.right));
            return Ok(pairs);
        }

        // Of edited copies one speaks for all. Otherwise what they share would pass for a phrase that everybody uses, and
        // each would crowd the others' neighbourhood.
        let texts = corpus.texts.len();
        let leaders = leaders(texts, &pairs);
        let leads = |text: u32| leaders[text as usize] == text;
        let (tokens, words) = (std::mem::take(&mut corpus.tokens), &corpus.words);
        let Summary { times, candidates, .. } = &mut corpus.summary;
        let found = self.timed(times, Stage::Candidates, texts, |ticker| {
            let content = Content::new(tokens, |text| words[text], |text| leads(text as u32))?;
            let neighbours = Neighbours::new(&content, leads, || ticker.tick());
            let usual = Usual::new(&content, &leaders, &neighbours);
            let neighbours = match (self.search, asked) {
                (Search::Candidates, _) => neighbours,
                (Search::Exhaustive, None) => Neighbours::all(&content, leads),
                (Search::Exhaustive, Some(asked)) => {
                    let asked = of_leaders(asked, &leaders);
                    Neighbours::of_asked(&content, |text| asked[text as usize])
                }
            };
            Ok((content, neighbours, usual))
        });
        let (content, neighbours, usual) = found?;
        let shingles = Shingles::new(&corpus.texts, self.shingle);
        let stories = Stories { content: &content, usual: &usual, shingles: &shingles };
        let compared = AtomicU64::new(0);
        pairs.extend(self.timed(times, Stage::Verify, shingles.len(), |ticker| {
            let examine = |table: &mut StemTable, left: u32| {
                ticker.tick();
                let worth = |neighbour: &&Neighbour| {
                    let totals = (content.pair_totals[left as usize], content.pair_totals[neighbour.text as usize]);
                    let usual = usual.of(left, neighbour.text);
                    self.search == Search::Exhaustive || verify::share_enough_pairs(neighbour.pairs, totals, usual)
                };
                let neighbours: SmallVec<[&Neighbour; 64]> = neighbours.of(left).iter().filter(worth).collect();
                compared.fetch_add(neighbours.len() as u64, Ordering::Relaxed);
                if !neighbours.is_empty() {
                    table.fill(content.get(left));
                }
                // The texts lie far apart in memory: all are asked for before any is waited for.
                std::hint::black_box(neighbours.iter().fold(0, |all, neighbour| all ^ content.peek(neighbour.text)));
                let pair = |neighbour| self.reworded_pair(stories, (left, table), neighbour, keep);
                neighbours.into_iter().filter_map(pair).collect::<Vec<_>>()
            };
            let examined = (0..shingles.len() as u32).into_par_iter().map_init(StemTable::default, examine);
            let mut reworded: Vec<Compared> = examined.flatten_iter().collect();
            reworded.extend(self.behind_leaders(stories, &leaders, &reworded));
            reworded
        }));
        *candidates += compared.into_inner();
        // What shingles and content both speak of is told by its content.
        pairs.par_sort_by_key(|pair| (pair.left, pair.right, pair.evidence.content.is_none()));
        pairs.dedup_by_key(|pair| (pair.left, pair.right));
        Ok(pairs)
    }

    /// Compares the shingles of two texts.
    fn near_pair(&self, shingles: &Shingles<'_>, left: u32, right: u32) -> Compared {
        let (evidence, similarity) = self.near.judge(shingles.of(left), shingles.of(right));
        let relation = similarity.map(|_| Relation::Near);
        Compared { left, right, relation, similarity: similarity.unwrap_or(evidence.jaccard), evidence }
    }

    /// Compares the content of two texts, and their shingles as well if that is worth it.
    fn reworded_pair(
        &self,
        Stories { content, usual, shingles }: Stories<'_>,
        (left, table): (u32, &StemTable),
        neighbour: &Neighbour,
        keep: Keep,
    ) -> Option<Compared> {
        let &Neighbour { text: right, pairs } = neighbour;
        let (texts, usual) = ((content.get(left), content.get(right)), usual.of(left, right));
        let least = keep.least().map_or(self.confidence, |least| least.min(self.confidence));
        let worth = |best: &ContentEvidence| self.rule.confidence(best) >= least;
        let evidence = verify::compare(texts.0, table, texts.1, pairs, usual, worth)?;
        let confidence = self.rule.confidence(&evidence);
        let is_telling = verify::is_telling(&evidence);
        let is_copy = confidence >= self.confidence && is_telling;
        if keep != Keep::All && (confidence < least || !is_telling) {
            return None;
        }
        let mut pair = self.near_pair(shingles, left, right);
        pair.evidence.content = Some(evidence);
        if pair.relation.is_none() {
            pair.relation = is_copy.then_some(Relation::Reworded);
            pair.similarity = confidence;
        }
        Some(pair)
    }

    /// For each reworded pair the edited copies of one held against the other: these stood behind their leader so far, but
    /// a cluster must verify each against its representative.
    fn behind_leaders(&self, stories: Stories<'_>, leaders: &[u32], reworded: &[Compared]) -> Vec<Compared> {
        let content = stories.content;
        let mut followers: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (text, &leader) in (0..).zip(leaders) {
            if text != leader {
                followers.entry(leader).or_default().push(text);
            }
        }
        let against = |table: &mut StemTable, text: u32, others: u32| {
            let Some(others) = followers.get(&others) else { return Vec::new() };
            table.fill(content.get(text));
            let others = others.iter().map(|&other| Neighbour::of(content.get(text), content, other));
            let pairs = others.filter_map(|other| self.reworded_pair(stories, (text, table), &other, Keep::Copies));
            pairs.map(Compared::in_order).collect()
        };
        let copies = reworded.par_iter().filter(|pair| pair.relation.is_some());
        let both = |table: &mut StemTable, pair: &Compared| {
            let mut found = against(table, pair.left, pair.right);
            found.extend(against(table, pair.right, pair.left));
            found
        };
        copies.map_init(StemTable::default, both).flatten_iter().collect()
    }

    /// Verified pairs and exact copies to clusters with names.
    fn clusters<A: Article>(
        &self,
        corpus: &Corpus<'_>,
        verified: &[Compared],
        misses: &[Compared],
        articles: &[A],
    ) -> Vec<Cluster> {
        let Corpus { positions, twins, ranks, distinct, .. } = corpus;
        let mut copies: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (at, &twin) in (0..).zip(twins) {
            if at != twin {
                copies.entry(twin).or_default().push(at);
            }
        }
        let member = |at: u32, pair: Option<&Compared>| {
            let position = positions[at as usize];
            Member {
                id: articles[position].id().into(),
                position,
                relation: pair.and_then(|pair| pair.relation).unwrap_or(Relation::Exact),
                similarity: pair.map_or(1.0, |pair| pair.similarity),
                evidence: pair.map(|pair| pair.evidence),
            }
        };
        let nearest = nearest(misses);
        let near_miss = |text: u32| {
            let &(other, pair) = nearest.get(&text)?;
            let position = positions[distinct[other as usize] as usize];
            let enough = if pair.evidence.content.is_some() { self.confidence } else { self.near.jaccard };
            Some(NearMiss {
                id: articles[position].id().into(),
                position,
                similarity: pair.similarity,
                missing: enough - pair.similarity,
                evidence: pair.evidence,
            })
        };
        let copied: Vec<bool> = distinct.iter().map(|at| copies.contains_key(at)).collect();
        let has_copies = |text: u32| copied[text as usize];
        let rank = |text: u32| ranks.get(distinct[text as usize] as usize).copied().unwrap_or(0);
        let mut clusters: Vec<Cluster> = Vec::new();
        for star in cluster::stars(distinct.len(), &links(verified.iter()), rank, has_copies) {
            let mut members = Vec::new();
            let mut add = |text: u32, pair: Option<&Compared>| {
                let at = distinct[text as usize];
                members.push(member(at, pair));
                members.extend(copies.remove(&at).into_iter().flatten().map(|copy| member(copy, pair)));
            };
            add(star.center, None);
            for link in star.links {
                let pair = &verified[link];
                add(pair.left + pair.right - star.center, Some(pair));
            }
            clusters.push(Cluster { members, near_miss: near_miss(star.center) });
        }
        // Exact copies of texts that have no other copies.
        for (first, same) in copies {
            let members = std::iter::once(first).chain(same).map(|at| member(at, None)).collect();
            let text = distinct.partition_point(|&at| at < first) as u32;
            clusters.push(Cluster { members, near_miss: near_miss(text) });
        }
        for Cluster { members, .. } in &mut clusters {
            members[1..].sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then_with(|| a.id.cmp(&b.id)));
        }
        clusters.sort_by(|a, b| a.representative().id.cmp(&b.representative().id));
        clusters
    }

    /// One walk over a text: its sketch, its fingerprint, and in the scratch its content words.
    fn sign(&self, text: &str, scratch: &mut Scratch, sketch: &mut [u32]) -> Signed {
        let Scratch { words, shingles, tokens, .. } = scratch;
        shingles.clear();
        tokens.clear();
        let mut finder = Tokens::new(text);
        let mut fingerprint = (0, 0);
        let mut count = 0;
        let wants_content = self.level == Level::Reworded;
        if text.len() <= u32::MAX as usize {
            let mut window = match self.shingle {
                Shingle::Words(n) => Some(Window::new(n)),
                Shingle::Chars(_) => None,
            };
            let arch = words.arch();
            text::walk(text, words, |words| {
                count += words.len() as u32;
                for &hash in words.hashes() {
                    fingerprint = add_to_fingerprint(fingerprint, hash);
                }
                if let Some(window) = &mut window {
                    window.extend(arch, words.hashes(), shingles);
                }
                if wants_content {
                    finder.collect(words, tokens);
                }
            });
            if let Shingle::Chars(_) = self.shingle {
                shingle::collect(text, self.shingle, words, shingles);
            }
        }
        if !shingles.is_empty() {
            minhash::sketch(words.arch(), shingles, sketch);
        }
        Signed { words: count, has_shingles: !shingles.is_empty(), fingerprint }
    }

    fn refuse(&self, text: &str, signed: &Signed) -> Option<SkipReason> {
        let words = signed.words as usize;
        if text.len() > u32::MAX as usize {
            Some(SkipReason::TooLong)
        } else if words == 0 {
            Some(SkipReason::Empty)
        } else if words < self.min_words {
            Some(SkipReason::TooShort { words, needed: self.min_words })
        } else if !signed.has_shingles {
            Some(SkipReason::NoShingle { shingle: self.shingle })
        } else {
            None
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
        times[stage as usize] = start.elapsed();
        result
    }
}

/// Signs texts for both views and keeps only what a text needs by itself.
#[doc(hidden)]
pub struct Signer {
    detector: Detector,
    scratch: Scratch,
    sketch: Vec<u32>,
}

impl Signer {
    pub fn new(detector: Detector, backend: Backend) -> Self {
        let scratch = Scratch { words: text::Scratch::new(Arch::new(backend)), ..Scratch::default() };
        let sketch = vec![0; detector.near_slots];
        Self { detector, scratch, sketch }
    }

    /// The number of content words, and the first slot of the sketch.
    pub fn sign(&mut self, text: &str) -> (usize, u32) {
        self.detector.sign(text, &mut self.scratch, &mut self.sketch);
        (self.scratch.tokens.len(), self.sketch[0])
    }
}

/// Two hashes of a run of words by steps that wait little for the one before.
#[inline(always)]
fn add_to_fingerprint((first, second): (u64, u64), word: u64) -> (u64, u64) {
    const FIRST: u64 = 0x9e37_79b9_7f4a_7c15;
    const SECOND: u64 = 0xd1b5_4a32_d192_ed03;
    ((first ^ word).wrapping_mul(FIRST).rotate_left(32), (second.rotate_left(23) ^ word).wrapping_mul(SECOND))
}

/// Space that one thread reuses from text to text.
#[derive(Default)]
struct Scratch {
    words: text::Scratch,
    shingles: Vec<u64>,
    tokens: Vec<Token>,
    chunk: TokenChunk,
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

/// The articles by id, ascending, so that their order in the input does not matter; and those whose id was there before.
fn unique_ids<A: Article>(articles: &[A]) -> (Vec<usize>, Vec<Skipped>) {
    let mut positions: Vec<usize> = (0..articles.len()).collect();
    positions.par_sort_by(|&a, &b| articles[a].id().cmp(articles[b].id()).then(a.cmp(&b)));
    let mut skipped = Vec::new();
    let mut first: Option<usize> = None;
    positions.retain(|&position| {
        let id = articles[position].id();
        match first {
            Some(at) if articles[at].id() == id => {
                skipped.push(Skipped { id: id.into(), position, reason: SkipReason::DuplicateId { first: at } });
                false
            }
            _ => {
                first = Some(position);
                true
            }
        }
    });
    (positions, skipped)
}

/// For each text the one that speaks for all with the same words in the same order: that of the lowest rank, or the first
/// if all rank alike.
fn fold_exact(signed: &[Signed], reasons: &[Option<SkipReason>], ranks: &[u32]) -> Vec<u32> {
    let mut twins: Vec<u32> = (0..signed.len() as u32).collect();
    let mut order: Vec<u32> = twins.iter().copied().filter(|&at| reasons[at as usize].is_none()).collect();
    let key = |at: u32| (signed[at as usize].fingerprint, signed[at as usize].words, at);
    order.par_sort_unstable_by_key(|&at| key(at));
    for same in order.chunk_by(|&a, &b| (key(a).0, key(a).1) == (key(b).0, key(b).1)) {
        let speaker = same.iter().copied().min_by_key(|&at| ranks.get(at as usize)).unwrap_or(same[0]);
        same.iter().for_each(|&at| twins[at as usize] = speaker);
    }
    twins
}

/// Articles on their way to pairs. From `texts` on, a text is an article that can be compared and is no exact copy.
struct Corpus<'a> {
    /// The articles by id: where each stands in the input.
    positions: Vec<usize>,
    skipped: Vec<Skipped>,
    /// For each article the one that speaks for all with the same words.
    twins: Vec<u32>,
    /// For each article how it ranks as a representative; see [`Detector::ranks`].
    ranks: Vec<u32>,
    /// The articles that are texts.
    distinct: Vec<u32>,
    texts: Vec<&'a str>,
    sketches: Sketches,
    /// Number of words of each text.
    words: Vec<u32>,
    /// Content words of the texts.
    tokens: Vec<TokenChunk>,
    summary: Summary,
}

impl Corpus<'_> {
    /// Pairs of texts as pairs of articles.
    fn pairs(&self, compared: Vec<Compared>) -> Vec<Pair> {
        let position = |text: u32| self.positions[self.distinct[text as usize] as usize];
        let pair = |pair: Compared| {
            let Compared { left, right, relation, similarity, evidence } = pair;
            Pair { left: position(left), right: position(right), relation, similarity, evidence }
        };
        compared.into_iter().map(pair).collect()
    }
}

/// The pairs of an exhaustive search.
struct Exhaustive<'a> {
    /// All texts that take part, ascending.
    texts: Vec<u32>,
    /// Which texts are asked for, and a list of those that take part; all of them if none are named.
    asked: Option<(&'a [bool], Vec<u32>)>,
}

impl<'a> Exhaustive<'a> {
    fn new(texts: impl Iterator<Item = u32>, asked: Option<&'a [bool]>) -> Self {
        let texts: Vec<u32> = texts.collect();
        let list = |asked: &'a [bool]| texts.iter().copied().filter(|&text| asked[text as usize]).collect();
        Self { asked: asked.map(|asked| (asked, list(asked))), texts }
    }

    /// Those that a text is compared with, of the ones after it: any, or those that are asked for if it is not itself.
    fn after(&self, text: u32) -> &[u32] {
        let others = match &self.asked {
            Some((asked, list)) if !asked[text as usize] => list,
            _ => &self.texts,
        };
        &others[others.partition_point(|&other| other <= text)..]
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

/// Which compared pairs are wanted.
#[derive(Clone, Copy, PartialEq)]
enum Keep {
    Copies,
    /// Copies, and what is at least so similar.
    Like(f32),
    All,
}

impl Keep {
    /// The least similarity of pairs that are no copies; none if these are not wanted.
    fn least(self) -> Option<f32> {
        match self {
            Self::Copies => None,
            Self::Like(least) => Some(least),
            Self::All => Some(0.0),
        }
    }

    fn keeps(self, pair: &Compared) -> bool {
        pair.relation.is_some() || self.least().is_some_and(|least| pair.similarity >= least)
    }
}

/// Two texts that were compared, the first before the second: how alike they are and why, and the relation if that is
/// enough for one.
struct Compared {
    left: u32,
    right: u32,
    relation: Option<Relation>,
    similarity: f32,
    evidence: Evidence,
}

impl Compared {
    fn in_order(self) -> Self {
        Self { left: self.left.min(self.right), right: self.left.max(self.right), ..self }
    }

    /// How strongly the pair ties a cluster together: edited copies more than any rewording.
    fn strength(&self) -> f64 {
        match self.relation {
            Some(Relation::Reworded) => self.similarity.into(),
            _ => 1.0 + f64::from(self.similarity) / 16.0,
        }
    }
}

/// Of two texts with so many edited copies each, found so far, nothing new is to be learnt: what fills one template or was
/// copied by everybody would be compared with hundreds.
const ENOUGH_COPIES: u32 = 32;

/// The pairs that were compared so far.
struct Met {
    /// For each time that some were, these in order.
    pairs: Vec<Vec<(u32, u32)>>,
    /// How many edited copies of each text were found.
    copies: Vec<u32>,
}

impl Met {
    fn new(texts: usize) -> Self {
        Self { pairs: Vec::new(), copies: vec![0; texts] }
    }

    fn may_compare(&self, left: u32, right: u32) -> bool {
        self.copies[left as usize] < ENOUGH_COPIES || self.copies[right as usize] < ENOUGH_COPIES
    }

    /// Each pair once, without those that were compared, in order.
    fn only_new(&self, mut pairs: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
        pairs.par_sort_unstable();
        pairs.dedup();
        pairs.retain(|pair| self.pairs.iter().all(|met| met.binary_search(pair).is_err()));
        pairs
    }

    fn note(&mut self, pairs: Vec<(u32, u32)>, compared: &[Compared]) {
        for pair in compared.iter().filter(|pair| pair.relation.is_some()) {
            self.copies[pair.left as usize] += 1;
            self.copies[pair.right as usize] += 1;
        }
        self.pairs.push(pairs);
    }
}

/// The shingle sets of texts, each made when it is first asked for.
struct Shingles<'a> {
    texts: &'a [&'a str],
    shingle: Shingle,
    sets: Vec<OnceLock<Box<[u64]>>>,
}

impl<'a> Shingles<'a> {
    fn new(texts: &'a [&'a str], shingle: Shingle) -> Self {
        Self { texts, shingle, sets: texts.iter().map(|_| OnceLock::new()).collect() }
    }

    fn len(&self) -> usize {
        self.texts.len()
    }

    fn of(&self, text: u32) -> &[u64] {
        self.sets[text as usize].get_or_init(|| {
            let mut hashes = Vec::new();
            let of = self.texts[text as usize];
            text::with_scratch(|scratch| shingle::collect(of, self.shingle, scratch, &mut hashes));
            hashes.sort_unstable();
            hashes.dedup();
            hashes.into_boxed_slice()
        })
    }
}

/// What rewordings are told by.
#[derive(Clone, Copy)]
struct Stories<'a> {
    content: &'a Content,
    usual: &'a Usual,
    shingles: &'a Shingles<'a>,
}

/// For each text the one that speaks for it and its edited copies.
fn leaders(texts: usize, pairs: &[Compared]) -> Vec<u32> {
    let near: Vec<&Compared> = pairs.iter().filter(|pair| pair.relation == Some(Relation::Near)).collect();
    let mut leaders: Vec<u32> = (0..texts as u32).collect();
    for star in cluster::stars(texts, &links(near.iter().copied()), |_| 0, |_| false) {
        for link in star.links {
            leaders[(near[link].left + near[link].right - star.center) as usize] = star.center;
        }
    }
    leaders
}

fn links<'p>(pairs: impl Iterator<Item = &'p Compared>) -> Vec<Link> {
    pairs.map(|pair| Link { left: pair.left, right: pair.right, strength: pair.strength() }).collect()
}

/// For each text in pairs the other one of the most similar pair, the first of equals.
fn nearest(pairs: &[Compared]) -> BTreeMap<u32, (u32, &Compared)> {
    let mut nearest: BTreeMap<u32, (u32, &Compared)> = BTreeMap::new();
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

/// What is usual for each text to share with its neighbours; edited copies take that of their leader. In small corpora,
/// which have few neighbours, it is drawn to what is common in a large corpus on one subject.
struct Usual(Vec<f32>);

impl Usual {
    fn new(content: &Content, leaders: &[u32], neighbours: &Neighbours) -> Self {
        let n = leaders.len() as f32;
        let shares = neighbours.nth_best_share(content, USUAL_NEIGHBOUR);
        let usual = |share: f32| (n * share + 1000.0 * 0.04) / (n + 1000.0);
        Self(leaders.iter().map(|&leader| usual(shares[leader as usize])).collect())
    }

    /// For the less crowded one of two texts.
    fn of(&self, left: u32, right: u32) -> f32 {
        self.0[left as usize].min(self.0[right as usize])
    }
}
