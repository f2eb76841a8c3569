//! The whole line put together: articles in, a report out. The only place that knows threads.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
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
use crate::rare::{Neighbour, RareIndex, Shared};
use crate::report::{Cluster, Evidence, Member, Pair, Progress, Relation, Report, SkipReason, Skipped, Stage, Summary};
use crate::shingle::{self, Shingle, Window};
use crate::text;
use crate::verify::{self, NearRule, Signals, Weighted};

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
        let mut corpus = self.prepare(articles);
        let start = Instant::now();
        let texts = corpus.distinct.len();
        let ticker = self.ticker(Stage::Verify, texts);
        let (judge, candidates) = (&corpus.judge, &corpus.candidates);
        let verified: Vec<Examined> = (0..texts as u32)
            .into_par_iter()
            .flat_map_iter(|left| {
                ticker.tick();
                candidates[left as usize].iter().filter_map(move |candidate| judge.verify(left, candidate))
            })
            .collect();
        corpus.summary.verified = verified.len() as u64;
        corpus.summary.times[Stage::Verify as usize] = start.elapsed();

        let start = Instant::now();
        self.report(Stage::Cluster, 0, texts);
        let clusters = corpus.clusters(&verified, articles);
        self.report(Stage::Cluster, texts, texts);
        corpus.summary.times[Stage::Cluster as usize] = start.elapsed();
        Ok(Report { clusters, skipped: corpus.skipped, summary: corpus.summary })
    }

    /// All pairs of articles that shared a bucket, verified or not, with the numbers that decide: what [`find`](Self::find)
    /// chooses from, ordered by the ids of the two. Of exact copies only the first, by id, takes part.
    ///
    /// For measuring what the candidate stage keeps, for reading what was nearly a copy, and for deciding by a rule of
    /// your own. Takes longer than `find`, which leaves hopeless pairs early.
    pub fn pairs<A: Article>(&self, articles: &[A]) -> Vec<Pair> {
        let corpus = self.prepare(articles);
        let Corpus { positions, distinct, candidates, judge, .. } = &corpus;
        let position = |text: u32| positions[distinct[text as usize] as usize];
        let examine = |left: u32| {
            candidates[left as usize].iter().map(move |candidate| {
                let Verdict { relation, similarity, evidence } = judge.examine(left, candidate);
                Pair { left: position(left), right: position(candidate.text), relation, similarity, evidence }
            })
        };
        (0..distinct.len() as u32).into_par_iter().flat_map_iter(examine).collect()
    }

    /// Everything up to the candidates.
    fn prepare<'a, A: Article>(&'a self, articles: &'a [A]) -> Corpus<'a> {
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
        let refusals: Vec<Option<SkipReason>> =
            positions.iter().zip(&signed).map(|(&at, text)| self.refuse(articles[at].text(), text.words)).collect();
        for (&position, &reason) in positions.iter().zip(&refusals) {
            skipped.extend(reason.map(|reason| Skipped { id: articles[position].id().into(), position, reason }));
        }
        skipped.sort_unstable_by_key(|skip| skip.position);
        let twins = fold_exact(&signed, &refusals);
        let distinct: Vec<u32> = (0..signed.len() as u32)
            .filter(|&at| refusals[at as usize].is_none() && twins[at as usize] == at)
            .collect();
        let sketches = sketches.select(&distinct);
        let features: Vec<Features> =
            distinct.iter().map(|&at| std::mem::take(&mut signed[at as usize].features)).collect();
        summary.times[Stage::Sign as usize] = start.elapsed();

        let start = Instant::now();
        let near = Forest::grow(&sketches, self.growth);
        let content = (self.level == Level::Reworded).then(|| Content::new(features));
        let ticker = self.ticker(Stage::Candidates, distinct.len());
        let candidates: Vec<Box<[Neighbour]>> = (0..distinct.len() as u32)
            .into_par_iter()
            .map_init(Default::default, |(near_found, shared, found): &mut (Vec<u32>, Shared, Vec<Neighbour>), left| {
                near_found.clear();
                found.clear();
                near.later_neighbours(left, near_found);
                found.extend(near_found.iter().map(|&text| Neighbour { text, share: 0.0 }));
                if let Some(content) = &content {
                    content.index.later_neighbours(left, &content.texts[left as usize].features, shared, found);
                }
                // Of the same neighbour by both views the one with the share stays.
                found.sort_unstable_by(|a, b| a.text.cmp(&b.text).then(b.share.total_cmp(&a.share)));
                found.dedup_by_key(|neighbour| neighbour.text);
                ticker.tick();
                found.as_slice().into()
            })
            .collect();
        summary.candidates = candidates.iter().map(|found| found.len() as u64).sum();
        summary.crowded = near.crowded();
        let judge = Judge {
            detector: self,
            shingles: distinct.iter().map(|_| OnceLock::new()).collect(),
            texts: distinct.iter().map(|&at| articles[positions[at as usize]].text()).collect(),
            usual: usual_shares(&candidates),
            sketches,
            content,
        };
        summary.times[Stage::Candidates as usize] = start.elapsed();
        Corpus { positions, skipped, twins, distinct, summary, candidates, judge }
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
        Signed { words: count, fingerprint, features: Features::new(count, tokens) }
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
    words: text::Scratch,
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
    index: RareIndex,
    texts: Vec<Weighted>,
}

impl Content {
    fn new(features: Vec<Features>) -> Self {
        let frequencies = Frequencies::count(&features);
        let index = RareIndex::new(&features);
        let texts = features.into_par_iter().map(|features| Weighted::new(features, &frequencies)).collect();
        Self { index, texts }
    }
}

/// Which neighbour, from the best down, tells what is usual for a text: one beyond the size of most clusters of copies.
const USUAL_NEIGHBOUR: usize = 20;

/// What each text shares with its twentieth-best neighbour; in small corpora, which have few neighbours, drawn to what is
/// common in large ones.
fn usual_shares(candidates: &[Box<[Neighbour]>]) -> Vec<f32> {
    let mut shares: Vec<Vec<f32>> = vec![Vec::new(); candidates.len()];
    for (left, found) in candidates.iter().enumerate() {
        for neighbour in found.iter().filter(|neighbour| neighbour.share > 0.0) {
            shares[left].push(neighbour.share);
            shares[neighbour.text as usize].push(neighbour.share);
        }
    }
    let n = candidates.len() as f32;
    let usual = |mut shares: Vec<f32>| {
        let found = shares.len() >= USUAL_NEIGHBOUR;
        let share =
            if found { *shares.select_nth_unstable_by(USUAL_NEIGHBOUR - 1, |a, b| b.total_cmp(a)).1 } else { 0.0 };
        (n * share + 100.0 * 0.04) / (n + 100.0)
    };
    shares.into_par_iter().map(usual).collect()
}

/// What came of examining a pair: how alike the two are and why, and the relation if that is enough for one.
struct Verdict {
    relation: Option<Relation>,
    similarity: f32,
    evidence: Evidence,
}

/// A verified pair of texts.
struct Examined {
    left: u32,
    right: u32,
    relation: Relation,
    similarity: f32,
    evidence: Evidence,
}

/// All that verification looks at.
struct Judge<'a> {
    detector: &'a Detector,
    texts: Vec<&'a str>,
    shingles: Vec<OnceLock<Box<[u64]>>>,
    sketches: Sketches,
    content: Option<Content>,
    usual: Vec<f32>,
}

impl Judge<'_> {
    /// Verifies a candidate; hopeless ones are left as soon as that is known.
    fn verify(&self, left: u32, candidate: &Neighbour) -> Option<Examined> {
        let right = candidate.text;
        // Four standard errors below the threshold no copy is missed.
        let equal = minhash::equal_slots(self.sketches.get(left), self.sketches.get(right));
        let may_be_near = equal as f32 / self.detector.near_slots as f32 + 0.18 >= self.detector.near.jaccard;
        if !may_be_near
            && self.confidence(left, candidate).is_none_or(|(confidence, _)| confidence < self.detector.confidence)
        {
            return None;
        }
        let Verdict { relation, similarity, evidence } = self.examine(left, candidate);
        relation.map(|relation| Examined { left, right, relation, similarity, evidence })
    }

    /// The probability that a candidate is a rewording, and the signals that say so; none at level `Near`.
    fn confidence(&self, left: u32, candidate: &Neighbour) -> Option<(f32, Signals)> {
        let texts = &self.content.as_ref()?.texts;
        let (left, right) = (left as usize, candidate.text as usize);
        let signals = verify::signals(&texts[left], &texts[right], self.usual[left].min(self.usual[right]));
        Some((signals.confidence(), signals))
    }

    fn examine(&self, left: u32, candidate: &Neighbour) -> Verdict {
        let (mut evidence, near) = self.detector.near.judge(self.shingles(left), self.shingles(candidate.text));
        let content = self.confidence(left, candidate);
        evidence.content = content.map(|(_, signals)| signals.evidence());
        let confidence = content.map_or(0.0, |(confidence, _)| confidence);
        let relation = match near {
            Some(_) => Some(Relation::Near),
            None => (content.is_some() && confidence >= self.detector.confidence).then_some(Relation::Reworded),
        };
        Verdict { relation, similarity: near.unwrap_or(confidence), evidence }
    }

    /// The shingle set of a text, made when it is first asked for.
    fn shingles(&self, text: u32) -> &[u64] {
        self.shingles[text as usize].get_or_init(|| {
            let mut hashes = Vec::new();
            shingle::for_each(self.texts[text as usize], self.detector.shingle, &mut text::Scratch::default(), |hash| {
                hashes.push(hash)
            });
            hashes.sort_unstable();
            hashes.dedup();
            hashes.into_boxed_slice()
        })
    }
}

/// A corpus ready for verification.
struct Corpus<'a> {
    /// The articles by id: where each stands in the input.
    positions: Vec<usize>,
    skipped: Vec<Skipped>,
    /// For each article the first one with the same words.
    twins: Vec<u32>,
    /// The articles that are their own twin and can be compared: the texts that all later steps speak of.
    distinct: Vec<u32>,
    summary: Summary,
    /// For each text the later ones that it may be a copy of.
    candidates: Vec<Box<[Neighbour]>>,
    judge: Judge<'a>,
}

impl Corpus<'_> {
    /// Verified pairs and exact copies to clusters with names.
    fn clusters<A: Article>(&self, verified: &[Examined], articles: &[A]) -> Vec<Cluster> {
        let mut copies: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (at, &twin) in (0..).zip(&self.twins) {
            if at != twin {
                copies.entry(twin).or_default().push(at);
            }
        }
        let links: Vec<Link> = verified
            .iter()
            .map(|pair| Link { left: pair.left, right: pair.right, strength: pair.similarity })
            .collect();
        let member = |at: u32, pair: Option<&Examined>| {
            let position = self.positions[at as usize];
            Member {
                id: articles[position].id().into(),
                position,
                relation: pair.map_or(Relation::Exact, |pair| pair.relation),
                similarity: pair.map_or(1.0, |pair| pair.similarity),
                evidence: pair.map(|pair| pair.evidence),
            }
        };
        let mut clusters: Vec<Vec<Member>> = Vec::new();
        for star in cluster::stars(self.distinct.len(), &links) {
            let mut members = Vec::new();
            let mut add = |text: u32, pair: Option<&Examined>| {
                let at = self.distinct[text as usize];
                members.push(member(at, pair));
                members.extend(copies.remove(&at).into_iter().flatten().map(|copy| member(copy, pair)));
            };
            add(star.center, None);
            for link in star.links {
                let pair = &verified[link];
                add(pair.left + pair.right - star.center, Some(pair));
            }
            clusters.push(members);
        }
        // Exact copies of texts that have no other copies.
        for (first, same) in copies {
            clusters.push(std::iter::once(first).chain(same).map(|at| member(at, None)).collect());
        }
        for members in &mut clusters {
            members[1..].sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then_with(|| a.id.cmp(&b.id)));
        }
        clusters.sort_by(|a, b| a[0].id.cmp(&b[0].id));
        clusters.into_iter().map(|members| Cluster { members }).collect()
    }
}
