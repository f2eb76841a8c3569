//! The whole line put together: articles in, a report out. The only place that knows threads.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use rayon::prelude::*;

use crate::bands::Bands;
use crate::candidates::{Forest, Growth, Sketches};
use crate::cluster::{self, Link};
use crate::content::{Features, Frequencies, Tokens};
use crate::error::{self, Result};
use crate::hash::mix2;
use crate::minhash::{self, MinHasher, Scheme};
use crate::report::{Cluster, Member, Progress, Relation, Report, SkipReason, Skipped, Stage, Summary};
use crate::shingle::{self, Shingle, Window};
use crate::text;
use crate::verify::{self, NearRule, Verdict, Weighted};

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

/// Finds copies among articles.
///
/// The result depends on the articles alone: their order and the number of threads change nothing. Runs on the rayon
/// pool that it is called in, or the global one; prints nothing.
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
    near: NearRule,
    shingle: Shingle,
    growth: Growth,
    near_slots: usize,
    confidence: f32,
    min_words: usize,
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
    threshold: f64,
    shingle: Shingle,
    slots: u16,
    confidence: f64,
    min_words: usize,
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

    /// The words that a text needs to be compared at all; 3 by default, and never fewer than a word shingle spans.
    pub fn min_words(mut self, words: usize) -> Self {
        self.min_words = words;
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
    /// [`Error::OutOfRange`](crate::Error::OutOfRange) names the option, its value and its range.
    pub fn build(self) -> Result<Detector> {
        error::check("threshold", self.threshold, f64::MIN_POSITIVE, 1.0, "more than 0, at most 1")?;
        error::check("confidence", self.confidence, f64::MIN_POSITIVE, 1.0, "more than 0, at most 1")?;
        MinHasher::new(Scheme::minhash(self.shingle).slots(self.slots))?;
        let bands = Bands::for_threshold(self.threshold, usize::from(self.slots))?;
        let shingle_words = match self.shingle {
            Shingle::Words(n) => usize::from(n),
            Shingle::Chars(_) => 1,
        };
        Ok(Detector {
            level: self.level,
            near: NearRule { jaccard: self.threshold as f32 },
            shingle: self.shingle,
            growth: Growth { trees: bands.bands(), rows: bands.rows(), bucket: 64, deepest: bands.rows() + 16 },
            near_slots: usize::from(self.slots),
            confidence: self.confidence as f32,
            min_words: self.min_words.max(shingle_words).max(1),
            progress: self.progress,
        })
    }
}

/// Slots of the content sketches, and how their buckets grow.
const CONTENT_SLOTS: usize = 256;
const CONTENT_GROWTH: Growth = Growth { trees: 64, rows: 2, bucket: 20, deepest: 24 };

/// What the first pass over a text leaves.
struct Signed {
    words: usize,
    /// Hash of all words in order, by which exact copies are equal.
    fingerprint: (u64, u64),
    features: Features,
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
            threshold: 0.5,
            shingle: Shingle::Words(3),
            slots: 128,
            confidence: 0.5,
            min_words: 3,
            progress: None,
        }
    }

    /// Finds all clusters of copies among `articles`.
    ///
    /// Articles that cannot be compared (no words, too few, a repeated id) are listed in the report, the rest is
    /// processed. Time grows about linearly with the bytes of text.
    ///
    /// # Errors
    /// None so far; an option that cannot work is refused when the detector is built.
    pub fn find<A: Article>(&self, articles: &[A]) -> Result<Report> {
        let mut summary = Summary {
            documents: articles.len(),
            bytes: articles.iter().map(|article| article.text().len() as u64).sum(),
            ..Summary::default()
        };
        let start = Instant::now();
        let (positions, mut skipped) = unique_ids(articles);
        let mut sketches = Sketches::new(self.near_slots, positions.len());
        let ticker = self.ticker(Stage::Sign, positions.len());
        let mut signed: Vec<Signed> = positions
            .par_iter()
            .zip(sketches.par_iter_mut())
            .map_init(Scratch::default, |scratch, (&position, sketch)| {
                let signed = self.sign(articles[position].text(), scratch, sketch);
                ticker.tick();
                signed
            })
            .collect();

        // What cannot be compared leaves the line here.
        let reasons: Vec<_> =
            positions.iter().zip(&signed).map(|(&at, text)| self.refuse(articles[at].text(), text.words)).collect();
        for (&position, reason) in positions.iter().zip(&reasons) {
            if let &Some(reason) = reason {
                skipped.push(Skipped { id: articles[position].id().into(), position, reason });
            }
        }
        skipped.sort_unstable_by_key(|skip| skip.position);
        let twins = fold_exact(&signed, &reasons);
        let distinct: Vec<u32> =
            (0..signed.len() as u32).filter(|&at| reasons[at as usize].is_none() && twins[at as usize] == at).collect();
        let sketches = sketches.select(&distinct);
        let features: Vec<Features> =
            distinct.iter().map(|&at| std::mem::take(&mut signed[at as usize].features)).collect();
        summary.times[Stage::Sign as usize] = start.elapsed();

        let start = Instant::now();
        self.report(Stage::Candidates, 0, distinct.len());
        let near = Forest::grow(&sketches, self.growth);
        let content = (self.level == Level::Reworded).then(|| self.content(features));
        summary.crowded = near.crowded() + content.as_ref().map_or(0, |content| content.forest.crowded());
        self.report(Stage::Candidates, distinct.len(), distinct.len());
        summary.times[Stage::Candidates as usize] = start.elapsed();

        let start = Instant::now();
        let judge = Judge {
            detector: self,
            texts: distinct.iter().map(|&at| articles[positions[at as usize]].text()).collect(),
            shingles: distinct.iter().map(|_| OnceLock::new()).collect(),
            sketches,
            near,
            content,
        };
        let candidates = AtomicU64::new(0);
        let ticker = self.ticker(Stage::Verify, distinct.len());
        let verified: Vec<(u32, u32, Verdict)> = (0..distinct.len() as u32)
            .into_par_iter()
            .map_init(Vec::new, |found, left| {
                judge.candidates(left, found);
                candidates.fetch_add(found.len() as u64, Ordering::Relaxed);
                ticker.tick();
                found
                    .iter()
                    .filter_map(|&right| judge.verdict(left, right).map(|verdict| (left, right, verdict)))
                    .collect::<Vec<_>>()
            })
            .flatten_iter()
            .collect();
        summary.candidates = candidates.into_inner();
        summary.verified = verified.len() as u64;
        summary.times[Stage::Verify as usize] = start.elapsed();

        let start = Instant::now();
        self.report(Stage::Cluster, 0, distinct.len());
        let clusters = {
            let mut copies: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for (at, &twin) in (0..).zip(&twins) {
                if at != twin {
                    copies.entry(twin).or_default().push(at);
                }
            }
            let name = |at: u32| (articles[positions[at as usize]].id().to_string(), positions[at as usize]);
            build_clusters(&distinct, &verified, &mut copies, &name)
        };
        self.report(Stage::Cluster, distinct.len(), distinct.len());
        summary.times[Stage::Cluster as usize] = start.elapsed();
        Ok(Report { clusters, skipped, summary })
    }

    /// One walk over a text: its sketch, its fingerprint and its content.
    fn sign(&self, text: &str, scratch: &mut Scratch, sketch: &mut [u32]) -> Signed {
        let Scratch { words, shingles, tokens } = scratch;
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
            text::walk(text, words, |word| {
                let hash = word.hash();
                count += 1;
                fingerprint = (mix2(fingerprint.0, hash), mix2(hash, fingerprint.1));
                if let Some(window) = &mut window {
                    shingles.extend(window.push(hash));
                }
                if wants_content {
                    tokens.extend(finder.token(word));
                }
            });
            if let Shingle::Chars(_) = self.shingle {
                shingle::for_each(text, self.shingle, words, |hash| shingles.push(hash));
            }
        }
        if !shingles.is_empty() {
            minhash::sketch(shingles, sketch);
        }
        Signed { words: count, fingerprint, features: Features::new(tokens) }
    }

    fn refuse(&self, text: &str, words: usize) -> Option<SkipReason> {
        if text.len() > u32::MAX as usize {
            Some(SkipReason::TooLong)
        } else if words == 0 {
            Some(SkipReason::Empty)
        } else if words < self.min_words {
            Some(SkipReason::TooShort { words, needed: self.min_words })
        } else {
            None
        }
    }

    fn content(&self, features: Vec<Features>) -> Content {
        let frequencies = Frequencies::count(&features);
        let mut sketches = Sketches::new(CONTENT_SLOTS, features.len());
        let texts: Vec<Weighted> = features
            .into_par_iter()
            .zip(sketches.par_iter_mut())
            .map_init(Vec::new, |elements, (features, sketch)| {
                frequencies.elements(&features, elements);
                if !elements.is_empty() {
                    minhash::sketch(elements, sketch);
                }
                Weighted::new(features, &frequencies)
            })
            .collect();
        Content { forest: Forest::grow(&sketches, CONTENT_GROWTH), sketches, texts }
    }

    fn report(&self, stage: Stage, done: usize, total: usize) {
        if let Some(callback) = &self.progress {
            callback(Progress { stage, done, total });
        }
    }

    fn ticker(&self, stage: Stage, total: usize) -> Ticker<'_> {
        self.report(stage, 0, total);
        Ticker { detector: self, stage, total, done: AtomicUsize::new(0) }
    }
}

/// Space that one thread reuses from text to text.
#[derive(Default)]
struct Scratch {
    words: String,
    shingles: Vec<u64>,
    tokens: Vec<crate::content::Token>,
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
        if done % 256 == 0 || done == self.total {
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

/// For each text the first one that has the same words in the same order: itself, if there is none before it.
fn fold_exact(signed: &[Signed], reasons: &[Option<SkipReason>]) -> Vec<u32> {
    let mut twins: Vec<u32> = (0..signed.len() as u32).collect();
    let mut order: Vec<u32> = twins.iter().copied().filter(|&at| reasons[at as usize].is_none()).collect();
    let key = |at: u32| (signed[at as usize].fingerprint, signed[at as usize].words, at);
    order.par_sort_unstable_by_key(|&at| key(at));
    for same in order.chunk_by(|&a, &b| (key(a).0, key(a).1) == (key(b).0, key(b).1)) {
        same.iter().for_each(|&at| twins[at as usize] = same[0]);
    }
    twins
}

/// The content view of a corpus.
struct Content {
    sketches: Sketches,
    forest: Forest,
    texts: Vec<Weighted>,
}

/// All that verification looks at.
struct Judge<'a> {
    detector: &'a Detector,
    texts: Vec<&'a str>,
    shingles: Vec<OnceLock<Box<[u64]>>>,
    sketches: Sketches,
    near: Forest,
    content: Option<Content>,
}

impl Judge<'_> {
    /// The texts after `left` that share a bucket with it, ascending.
    fn candidates(&self, left: u32, found: &mut Vec<u32>) {
        found.clear();
        self.near.later_neighbours(left, found);
        if let Some(content) = &self.content {
            content.forest.later_neighbours(left, found);
        }
        found.sort_unstable();
        found.dedup();
    }

    fn verdict(&self, left: u32, right: u32) -> Option<Verdict> {
        let estimate = minhash::equal_slots(self.sketches.get(left), self.sketches.get(right)) as f32
            / self.detector.near_slots as f32;
        let near = || self.detector.near.judge(self.shingles(left), self.shingles(right));
        // Four standard errors below the threshold no copy is missed.
        let mut verdict = None;
        if estimate + 0.18 >= self.detector.near.jaccard {
            let (evidence, similarity) = near();
            verdict = similarity.map(|similarity| Verdict { relation: Relation::Near, similarity, evidence });
        }
        let Some(content) = &self.content else { return verdict };
        let signals = verify::signals(&content.texts[left as usize], &content.texts[right as usize]);
        let confidence = signals.confidence();
        if verdict.is_none() {
            if confidence < self.detector.confidence {
                return None;
            }
            let (evidence, similarity) = near();
            let relation = if similarity.is_some() { Relation::Near } else { Relation::Reworded };
            verdict = Some(Verdict { relation, similarity: similarity.unwrap_or(confidence), evidence });
        }
        verdict.map(|mut verdict| {
            verdict.evidence.shared_words = Some(signals.shared_words);
            verdict.evidence.shared_pairs = Some(signals.shared_pairs);
            verdict
        })
    }

    /// The shingle set of a text, made when it is first asked for.
    fn shingles(&self, text: u32) -> &[u64] {
        self.shingles[text as usize].get_or_init(|| {
            let mut hashes = Vec::new();
            shingle::for_each(self.texts[text as usize], self.detector.shingle, &mut String::new(), |hash| {
                hashes.push(hash)
            });
            hashes.sort_unstable();
            hashes.dedup();
            hashes.into_boxed_slice()
        })
    }
}

/// Verified pairs and exact copies to clusters with names.
fn build_clusters(
    distinct: &[u32],
    verified: &[(u32, u32, Verdict)],
    copies: &mut BTreeMap<u32, Vec<u32>>,
    name: &dyn Fn(u32) -> (String, usize),
) -> Vec<Cluster> {
    let links: Vec<Link> =
        verified.iter().map(|&(left, right, verdict)| Link { left, right, strength: verdict.similarity }).collect();
    let member = |at: u32, relation, similarity, evidence| {
        let (id, position) = name(at);
        Member { id, position, relation, similarity, evidence }
    };
    let mut clusters = Vec::new();
    for star in cluster::stars(distinct.len(), &links) {
        let center = distinct[star.center as usize];
        let mut members = vec![member(center, Relation::Exact, 1.0, None)];
        members.extend(copies.remove(&center).into_iter().flatten().map(|at| member(at, Relation::Exact, 1.0, None)));
        for link in star.links {
            let (left, right, verdict) = &verified[link];
            let at = distinct[(left + right - star.center) as usize];
            let like = |at| member(at, verdict.relation, verdict.similarity, Some(verdict.evidence));
            members.push(like(at));
            members.extend(copies.remove(&at).into_iter().flatten().map(like));
        }
        clusters.push(members);
    }
    for (&first, same) in copies.iter() {
        clusters.push(std::iter::once(&first).chain(same).map(|&at| member(at, Relation::Exact, 1.0, None)).collect());
    }
    for members in &mut clusters {
        members[1..].sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then_with(|| a.id.cmp(&b.id)));
    }
    clusters.sort_by(|a, b| a[0].id.cmp(&b[0].id));
    clusters.into_iter().map(|members| Cluster { members }).collect()
}
