//! The whole pipeline: articles in, a report out.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::fmt;
use std::mem;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::alone::Alone;
use crate::articles::{Article, Articles, Ledger, Stored, Wants};
use crate::bands::Bands;
use crate::candidates::{Growth, Sketches};
use crate::census::{Census, Comparing, Counted};
use crate::cluster;
use crate::corpus::{Admission, Corpus};
use crate::date;
use crate::error::{self, Error, Result, SkipReason};
use crate::excerpts::{self, Retelling};
use crate::fingerprints::{Fingerprints, Sample, Shared};
use crate::furniture::{Furniture, Holders, Related};
use crate::grouping::Grouping;
use crate::judge::Judge;
use crate::minhash::MinHasher;
use crate::near::{self, Compared, Keep, Near, Wanted};
use crate::options::{DetectorBuilder, Excerpts, Level, Removals, Representative};
use crate::progress::Reporter;
use crate::removal::Removing;
use crate::report::{Comparison, Pair, Report, Stage, Summary};
use crate::rewordings::Rewordings;
use crate::scheme::{Scheme, Shingle};
use crate::sign::{self, Kept, Signatures, Single, Views};
use crate::store::Budget;
use crate::texts::{Sets, Texts};
use crate::verify::NearRule;

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
    pub(crate) level: Level,
    pub(crate) admission: Admission,
    pub(crate) near: Near,
    pub(crate) judge: Judge,
    pub(crate) prior: Option<f32>,
    pub(crate) removal: f32,
    pub(crate) near_misses: Option<f32>,
    pub(crate) excerpts: Excerpts,
    pub(crate) removals: Removals,
    memory: Option<u64>,
    spill_folder: Option<PathBuf>,
    bands: Bands,
    reporter: Reporter,
    /// What a larger corpus is like, if articles are to be judged as there.
    pub(crate) census: Option<Arc<Census>>,
}

impl Default for Detector {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detector")
            .field("level", &self.level)
            .field("shingle", &self.admission.shingle)
            .finish_non_exhaustive()
    }
}

impl Detector {
    /// A detector with the default options.
    pub fn new() -> Self {
        Self::builder().build().expect("the default options are in range")
    }

    /// Starts from the default options.
    pub fn builder() -> DetectorBuilder {
        DetectorBuilder::default()
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
    /// [`Error::TooLarge`] beyond some thousand million articles, and [`Error::Spill`] if memory was limited and a temporary file
    /// cannot be written. An option that cannot work is refused when the detector is built.
    pub fn find<A: Article>(&self, articles: &[A]) -> Result<Report> {
        Ok(self.report_on(self.prepare(self.stored(articles))?)?.0)
    }

    /// Takes articles as they are read, batch by batch, and then [finds](Self::find) all clusters among them.
    pub fn collector<A: Article>(&self) -> Collector<A> {
        self.collector_within(self.budget())
    }

    fn collector_within<A: Article>(&self, budget: Arc<Budget>) -> Collector<A> {
        Collector {
            articles: Articles::new(&budget, self.wants()),
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
        self.all_pairs(self.stored(articles))
    }

    fn all_pairs(&self, articles: Stored<'_>) -> Result<Vec<Pair>> {
        let Prepared { corpus, kept, mut summary } = self.prepare(articles)?;
        let found = self.compare(&corpus, kept, Keep::All, None, &mut summary, None)?;
        Ok(corpus.pairs(found.pairs))
    }

    /// The pairs that the articles at some positions of the input make with any others: the copies, and, if
    /// [`DetectorBuilder::near_misses`] was set, what is at least so similar. Ordered as [`pairs`](Self::pairs) does it, and
    /// an exact copy is spoken for by another article as it is there. Positions beyond the input are passed over.
    ///
    /// With [`Search::Exhaustive`](crate::Search::Exhaustive) these articles, and no others, are compared with all that there are:
    /// what candidates leave out is seen in a corpus that is far too large to compare all with all. Time grows with the articles
    /// that are asked for times all articles, some two hundred nanoseconds for each of these pairs.
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
        self.pairs_of_some(self.stored(articles), positions)
    }

    fn pairs_of_some(&self, articles: Stored<'_>, positions: &[usize]) -> Result<Vec<Pair>> {
        let mut wanted = vec![false; articles.len()];
        positions.iter().filter(|&&at| at < articles.len()).for_each(|&at| wanted[at] = true);
        let Prepared { corpus, kept, mut summary } = self.prepare(articles)?;
        let mut asked = vec![false; corpus.distinct.len()];
        for (twin, &position) in corpus.twins.iter().zip(&corpus.positions) {
            if let (true, Ok(text)) = (wanted[position as usize], corpus.distinct.binary_search(twin)) {
                asked[text] = true;
            }
        }
        let mut found = self.compare(&corpus, kept, self.keep(), Some(&asked), &mut summary, None)?;
        found.pairs.retain(|pair| asked[pair.left as usize] || asked[pair.right as usize]);
        Ok(corpus.pairs(found.pairs))
    }

    /// What these articles are like, by which others can be judged as if they were among them; and what was counted of each, by its
    /// position, if it can be compared.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub(crate) fn census<A: Article>(&self, articles: &[A]) -> Result<(Census, Vec<Option<Counted<'static>>>)> {
        let mut counted = vec![None; articles.len()];
        let Prepared { corpus, kept, mut summary } = self.prepare(self.stored(articles))?;
        let mut census = Census::default();
        self.compare(&corpus, kept, self.keep(), None, &mut summary, Some(&mut census))?;
        let (usual, heads) = (mem::take(&mut census.notes.usual), mem::take(&mut census.notes.heads));
        let cuts: BTreeMap<u32, Vec<u8>> = mem::take(&mut census.cuts).into_iter().collect();
        let of_text = |text: usize| {
            let cuts = cuts.get(&(text as u32)).cloned().unwrap_or_default();
            Some(Counted { usual: *usual.get(text)?, head: *heads.get(text)?, cuts: cuts.into() })
        };
        let of_article = |(&twin, &position): (&u32, &u32)| {
            let counted = of_text(corpus.distinct.binary_search(&twin).ok()?)?;
            let speaker = corpus.positions[twin as usize];
            let texts = || (articles[speaker as usize].text(), articles[position as usize].text());
            let is_twin = position != speaker;
            Some((position, if is_twin { census.of_twin(self.views(), texts(), counted) } else { counted }))
        };
        let all: Vec<_> = corpus.twins.par_iter().zip(&corpus.positions).filter_map(of_article).collect();
        for (position, of_article) in all {
            counted[position as usize] = Some(of_article);
        }
        Ok((census, counted))
    }

    /// Why a text cannot be compared, if it cannot.
    pub(crate) fn refuse(&self, text: &Single) -> Option<SkipReason> {
        self.admission.refuses(text.words, text.shape)
    }

    /// How texts are compared one by one.
    pub(crate) fn comparing(&self) -> Comparing<'_> {
        // What is found by it must not hang on whether excerpts were asked for.
        let views = Views { fingerprints: Sample::Half, ..self.views() };
        Comparing { views, near: &self.near, judge: self.judge }
    }

    /// Whether two articles of these dates, in seconds, lie near enough in time to be copies of each other.
    pub(crate) fn are_within(&self, a: Option<i64>, b: Option<i64>) -> bool {
        self.admission.within.is_none_or(|span| date::are_within(span.as_secs(), a, b))
    }

    /// The dates, in seconds, of the articles that lie near enough to one of this date, if there are any that do not.
    pub(crate) fn dates_within(&self, date: Option<i64>) -> Option<RangeInclusive<i64>> {
        self.admission.within.map(|span| date::within(span.as_secs(), date))
    }

    /// What is wanted beside the copies.
    fn keep(&self) -> Keep {
        self.near_misses.map_or(Keep::Copies, Keep::Like)
    }

    /// What is wanted beside the copies where clusters are made: rewordings that fall short alone, but not with a second one.
    pub(crate) fn keep_for_clusters(&self) -> Keep {
        let least = self.judge.least_supported;
        Keep::Like(self.near_misses.map_or(least, |asked| asked.min(least)))
    }

    /// Compares two texts, copies or not, with all evidence, as if they were the whole corpus. More documents would show better which
    /// words are rare, so that [`find`](Self::find) may be a little more or less confident about the same two in a corpus. For
    /// the passages that they share, see [`shared_passages`](crate::shared_passages). Takes some 20 µs for texts of fifty words, on one
    /// thread.
    ///
    /// # Errors
    /// [`Error::NotComparable`] for a text without words or with too few, with the reason.
    pub fn compare_texts(&self, left: &str, right: &str) -> Result<Comparison> {
        let (texts, how) = ([left, right], self.comparing());
        let signed = how.sign(texts);
        for (text, signed) in ["left", "right"].into_iter().zip(&signed) {
            if let Some(reason) = self.refuse(signed) {
                return Err(Error::NotComparable { text, reason });
            }
        }
        let Self { level, prior, .. } = *self;
        Ok(Alone { how, level, prior, census: self.census.as_deref() }.compare(texts, &signed))
    }

    /// Tells whether the one of two passages tells the other, if rewordings are looked for: as two texts by themselves, whatever else there is.
    pub(crate) fn retelling(&self) -> Option<Retelling<'_>> {
        let Self { level, prior, .. } = *self;
        let (how, census) = (self.comparing(), None);
        let retells = Box::new(move |left: &str, right: &str| {
            let texts = [left, right];
            let signed = how.sign(texts);
            let is_refused = signed.iter().any(|signed| self.refuse(signed).is_some());
            let retold = || Alone { how, level, prior, census }.retold(texts, &signed);
            !is_refused && retold().is_some_and(|confidence| confidence >= excerpts::SURE)
        });
        if level == Level::Reworded { Some(retells) } else { None }
    }

    pub(crate) fn views(&self) -> Views {
        let content = match self.level {
            Level::Near => sign::Content::Nothing,
            Level::Reworded => sign::Content::Words,
        };
        Views { shingle: self.admission.shingle, slots: self.near.slots, content, fingerprints: self.sample() }
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

    /// What is of interest of an article beside its id and its text.
    fn wants(&self) -> Wants {
        let wants_excerpts = self.excerpts != Excerpts::Ignore;
        let dates = wants_excerpts
            || self.admission.representative == Representative::Earliest
            || self.admission.within.is_some();
        Wants { dates, sources: wants_excerpts }
    }

    /// Articles that are all at hand. They are the caller's, so that no memory is taken for them.
    fn stored<'a, A: Article>(&self, articles: &'a [A]) -> Stored<'a> {
        Stored::new(articles, Ledger::new(&Budget::unlimited(), self.wants()))
    }

    /// Signs articles that are all at hand.
    fn prepare<'a>(&self, articles: Stored<'a>) -> Result<Prepared<'a>> {
        let budget = self.budget();
        let mut times = Default::default();
        let mut signatures = Signatures::new(self.views(), &budget);
        self.reporter.timed(&mut times, Stage::Sign, articles.len(), |ticker| {
            signatures.extend(&articles.texts(), || ticker.tick());
        });
        self.signed(articles, signatures, times, budget)
    }

    /// Signed articles as a corpus.
    fn signed<'a>(
        &self,
        articles: Stored<'a>,
        signatures: Signatures,
        mut times: [Duration; Stage::ALL.len()],
        budget: Arc<Budget>,
    ) -> Result<Prepared<'a>> {
        let start = Instant::now();
        let (corpus, kept) = Corpus::new(articles, signatures, self.admission, budget)?;
        times[Stage::Sign as usize] += start.elapsed();
        let (documents, bytes) = (corpus.articles.len(), corpus.articles.bytes());
        Ok(Prepared { corpus, kept, summary: Summary { documents, bytes, times, ..Summary::default() } })
    }

    /// A corpus to clusters, which come with what is known of the articles.
    fn report_on(&self, signed: Prepared<'_>) -> Result<(Report, Ledger)> {
        let Prepared { corpus, kept, mut summary } = signed;
        let Outcome { mut pairs, sets, shared, furniture, judged_without, spent } =
            self.compare(&corpus, kept, self.keep_for_clusters(), None, &mut summary, None)?;
        let (sets, unasked) = match self.removals {
            Removals::Find => (sets, Sets::default()),
            Removals::Ignore => (Sets::default(), sets),
        };
        let misses = near::take_misses(&mut pairs);
        let copies = pairs;
        summary.verified = copies.len() as u64;
        let (grouping, removing) = (self.grouping(), self.removing());
        let wants_all = self.excerpts == Excerpts::FindAll;
        let texts = corpus.distinct.len();
        let (clusters, removals, (excerpts, families), page_furniture) =
            self.reporter.timed(&mut summary.times, Stage::Cluster, texts, |_| {
                let cluster = || {
                    let clusters = grouping.clusters(&corpus, &copies, &misses);
                    drop(misses);
                    let removals = match self.removals {
                        Removals::Find => removing.removals(&corpus, sets, &copies, &clusters),
                        Removals::Ignore => Vec::new(),
                    };
                    let retells = self.retelling();
                    let how = (&shared[..], &furniture, retells.as_deref());
                    let excerpts = excerpts::between(&corpus, how, &clusters, wants_all);
                    let of_pages = if self.level == Level::Near { &furniture } else { &judged_without };
                    let page_furniture = of_pages.of_articles(&corpus, self.comparing().views);
                    (clusters, removals, excerpts, page_furniture)
                };
                // To give memory back takes a thread about as long as to make clusters.
                rayon::join(cluster, || drop((spent, unasked))).0
            });
        summary.furniture = families;
        corpus.budget.check()?;
        let Corpus { skipped, articles, .. } = corpus;
        Ok((Report { clusters, removals, excerpts, page_furniture, skipped, summary }, articles.into_ledger()))
    }

    pub(crate) fn grouping(&self) -> Grouping {
        Grouping { confidence: self.judge.confidence, jaccard: self.near.rule.jaccard, near_misses: self.near_misses }
    }

    pub(crate) fn removing(&self) -> Removing<'_> {
        let Admission { shingle, representative, .. } = self.admission;
        Removing { near: &self.near, shingle, confidence: self.removal, representative }
    }

    /// Signed texts to verified pairs: edited copies first, then rewordings among what is left. If texts are asked for, an
    /// exhaustive search compares these with all others, and of the rest only candidates.
    fn compare(
        &self,
        corpus: &Corpus<'_>,
        kept: Kept,
        keep: Keep,
        asked: Option<&[bool]>,
        summary: &mut Summary,
        census: Option<&mut Census>,
    ) -> Result<Outcome> {
        let mut found = self.compare_all(corpus, kept, keep, asked, summary, census)?;
        let number = |text: u32| corpus.distinct[text as usize];
        found.pairs.retain(|pair| corpus.may_meet(number(pair.left), number(pair.right)));
        Ok(found)
    }

    /// The same, whenever the articles appeared and whichever are known.
    fn compare_all(
        &self,
        corpus: &Corpus<'_>,
        Kept { sketches, fingerprints, tokens }: Kept,
        keep: Keep,
        asked: Option<&[bool]>,
        summary: &mut Summary,
        mut census: Option<&mut Census>,
    ) -> Result<Outcome> {
        let budget = &corpus.budget;
        let read = |text: u32| corpus.read(text);
        let texts = Texts { words: &corpus.words, read: &read, shingle: self.admission.shingle, budget };
        let wanted = Wanted { keep: if keep == Keep::All { keep } else { self.keep() }, asked };
        let found = self.reporter.timed(&mut summary.times, Stage::Near, texts.len(), |_| {
            self.near.pairs(texts, &sketches, &fingerprints, wanted)
        });
        let near::Found { mut pairs, sets, leaders, whole, common, candidates, crowded, capped } = found;
        let sketches = (self.level == Level::Near).then_some(sketches);
        (summary.candidates, summary.crowded, summary.capped) = (candidates, crowded, capped);
        let mut shared = Vec::new();
        if self.excerpts != Excerpts::Ignore {
            let words = |text: u32| texts.words[text as usize];
            let needed = |_| Some(excerpts::NEEDED);
            let (all, leaders): (Vec<u32>, _) =
                ((0..texts.len() as u32).collect(), self.near.whole(texts.words, &pairs));
            shared = fingerprints.overlaps(&all, &leaders, Sample::All, words, needed, budget).pairs;
        }
        budget.check()?;
        // A part of the next stage, which is reported as a whole.
        let start = Instant::now();
        let holders = LazyCell::new(|| Holders::read(&fingerprints, texts, &whole, common));
        let find_if = |is_needed, related| {
            if is_needed { holders.furniture(related, budget) } else { Furniture::default() }
        };
        let mut judged_without = find_if(self.level == Level::Reworded, Related::Story).for_rewordings();
        let furniture = find_if(self.excerpts != Excerpts::Ignore, Related::Event);
        drop(holders);
        if let (Some(census), Level::Reworded) = (&self.census, self.level) {
            let mask = judged_without.into_mask().and(&census.mask);
            judged_without = Furniture::by_mask(mask, texts.len(), read, texts.shingle).for_rewordings();
        }
        summary.with_furniture = judged_without.texts().max(furniture.texts());
        summary.times[Stage::Candidates as usize] += start.elapsed();
        budget.check()?;
        drop(whole);
        if let Some(sketches) = sketches {
            pairs.par_sort_by_key(|pair| (pair.left, pair.right));
            let spent = Some((sketches, fingerprints));
            return Ok(Outcome { pairs, sets, shared, furniture, judged_without, spent });
        }
        drop((fingerprints, sets));
        let notes = census.as_deref_mut().map(|census| &mut census.notes);
        let larger = self.census.as_deref().map(|census| &census.notes);
        let prior = self.prior.or(larger.map(|larger| larger.prior));
        let rewordings = Rewordings { judge: self.judge, near: &self.near, prior, larger, reporter: &self.reporter };
        let (reworded, sets) =
            rewordings.find(texts, tokens, &judged_without, &leaders, (keep, asked), (summary, notes))?;
        near::append(&mut pairs, reworded);
        if let Some(census) = census {
            census.cuts = judged_without.cuts(read);
            census.mask = mem::take(&mut judged_without).into_mask();
        }
        budget.check()?;
        told_once(&mut pairs);
        Ok(Outcome { pairs, sets, shared, furniture, judged_without, spent: None })
    }
}

/// What shingles and content both speak of is told by its content. The pairs are in order then.
pub(crate) fn told_once(pairs: &mut Vec<Compared>) {
    // Who was told twice by its content was told the same.
    pairs.par_sort_unstable_by_key(|pair| (pair.left, pair.right, pair.evidence.content.is_none()));
    pairs.dedup_by_key(|pair| (pair.left, pair.right));
}

/// Articles that were signed, and what is known of the run so far.
struct Prepared<'a> {
    corpus: Corpus<'a>,
    /// The views of the texts, until they are compared.
    kept: Kept,
    summary: Summary,
}

/// What came of comparing texts.
struct Outcome {
    pairs: Vec<Compared>,
    /// The shingles of texts that were compared last.
    sets: Sets,
    /// Pairs of texts that share fingerprints, if excerpts are looked for.
    shared: Vec<Shared>,
    /// What is no excerpt since it is furniture, if excerpts are looked for.
    furniture: Furniture,
    /// What rewordings were judged without, if they were looked for.
    judged_without: Furniture,
    /// What nobody asks for any more, if it is there still.
    spent: Option<(Sketches, Fingerprints)>,
}

impl DetectorBuilder {
    /// Checks the options.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] names the option, its value and its range.
    pub fn build(self) -> Result<Detector> {
        error::check("threshold", self.threshold, f64::MIN_POSITIVE, 1.0, "more than 0, at most 1")?;
        let shares = [
            ("containment", Some(self.containment)),
            ("confidence", Some(self.confidence)),
            ("removal confidence", Some(self.removal)),
            ("near misses", self.near_misses),
        ];
        for (option, share) in shares {
            // What is less would be 0 as it is kept.
            let least = f64::from(f32::MIN_POSITIVE);
            share.map_or(Ok(()), |share| error::check(option, share, least, 1.0, "more than 0, at most 1"))?;
        }
        if let Some(share) = self.prior {
            error::check("prior", share, 0.0, 1.0, "at least 0, at most 1")?;
        }
        self.rule.check()?;
        MinHasher::new(Scheme::minhash(self.shingle).slots(self.slots))?;
        let bands = Bands::for_threshold(self.threshold, usize::from(self.slots))?;
        let shingle_words = match self.shingle {
            Shingle::Words(n) => usize::from(n),
            Shingle::Chars(_) => 1,
        };
        Ok(Detector {
            level: self.level,
            admission: Admission {
                shingle: self.shingle,
                min_words: self.min_words.max(shingle_words).max(1),
                representative: self.representative,
                within: self.within,
            },
            judge: Judge {
                rule: self.rule,
                confidence: self.confidence as f32,
                least_supported: cluster::least_supported(self.confidence as f32),
            },
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
            prior: self.prior.map(|share| share as f32),
            removal: self.removal as f32,
            near_misses: self.near_misses.map(|least| least as f32),
            excerpts: self.excerpts,
            removals: self.removals,
            memory: self.memory,
            spill_folder: self.spill_folder,
            bands,
            reporter: self.progress,
            census: None,
        })
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
        let (kept, ledger) = articles.into_parts();
        let articles = Stored::of_parts(&kept, ledger);
        let (report, ledger) =
            detector.report_on(detector.signed(articles, signatures, Default::default(), budget)?)?;
        Ok((report, Articles::from_parts(kept, ledger)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::census::{MayBe, Other};
    use crate::options::Search;
    use crate::report::{Cluster, Evidence, Relation};
    use crate::sketch::{self, LookedAt, Sketch};

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

    #[test]
    fn two_texts_compare_by_a_census_as_in_a_run() {
        let footer = " Write to the desk at the old mill in Orrin or call before noon on working days and please say which edition \
            you have read and on what page it stood since the late one differs";
        let mut articles = stories();
        for (at, (_, text)) in articles.iter_mut().enumerate().filter(|(at, _)| at % 3 < 2) {
            *text += &format!("{footer} {at}");
        }
        let detector = Detector::new();
        let (census, _) = detector.census(&articles).unwrap();
        assert!(!census.mask.parts()[1].is_empty());
        let near = Near { search: Search::Exhaustive, ..detector.near };
        let detector = Detector { census: Some(census.into()), near, ..detector };
        let mut reworded = 0;
        for two in articles.windows(2) {
            let pairs = detector.pairs(&[("0", &two[0].1), ("1", &two[1].1)]).unwrap();
            let found = detector.compare_texts(&two[0].1, &two[1].1).unwrap();
            assert_eq!((found.relation, found.similarity), (pairs[0].relation, pairs[0].similarity));
            assert_eq!(found.evidence, Some(pairs[0].evidence));
            reworded += usize::from(found.relation == Some(Relation::Reworded));
        }
        assert!(reworded > 3);
    }

    #[test]
    fn who_asks_by_a_census_finds_what_a_run_finds() {
        let articles = stories();
        let detector = Detector::new();
        let (census, counted) = detector.census(&articles).unwrap();
        let census = Census::from_bytes(&census.to_bytes()).unwrap();
        let sign = |(_, text): &(String, String)| detector.comparing().views.single(text, &mut Default::default());
        let looked_at = LookedAt { census: 1, may_hold_furniture: true };
        let sketches: Vec<Vec<u8>> =
            articles.iter().map(|it| Sketch::to_bytes(&it.1, &sign(it), &sketch::gaps(&it.1), looked_at)).collect();
        let mut found: Vec<(usize, usize, Relation, f32, Evidence)> = Vec::new();
        for at in 0..articles.len() {
            let others: Vec<usize> = (0..articles.len()).filter(|&other| other != at).collect();
            let other = |at: &usize| Other {
                number: *at as u64,
                sketch: Sketch::read(&sketches[*at]).unwrap(),
                counted: counted[*at].clone(),
                may_hold_furniture: true,
                may_be: MayBe::Either,
            };
            let usual = counted[at].as_ref().map(|counted| counted.usual);
            let asked = census.ask(detector.comparing(), (&articles[at].1, sign(&articles[at])), usual);
            let read = |at: usize| Ok(articles[others[at]].1.clone());
            let copies = asked.copies(&others.iter().map(other).collect::<Vec<_>>(), &read).unwrap();
            let pair = |copy: &Compared| {
                (at, others[copy.right as usize], copy.relation.unwrap(), copy.similarity, copy.evidence)
            };
            found.extend(copies.iter().map(pair).filter(|&(at, other, ..)| at < other));
        }
        let pairs = detector.pairs(&articles).unwrap();
        let expected: Vec<_> = pairs
            .iter()
            .filter_map(|pair| Some((pair.left, pair.right, pair.relation?, pair.similarity, pair.evidence)))
            .collect();
        found.sort_by_key(|&(left, right, ..)| (left, right));
        assert!(expected.len() > 12);
        assert_eq!(found.len(), expected.len());
        found.iter().zip(&expected).for_each(|(found, expected)| assert_eq!(found, expected));
    }
}
