//! What is decided by links alone, in one place: who leads and who follows, where crowds have their centres, how common copies are, who
//! is in which cluster, and who goes. Whoever looks at texts for it is an [`Engine`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Mutex;

use super::content::evidence_of;
use super::{Bits, Broken, Direct, ExcerptRow, Kernels, Read};
use crate::articles::Stored;
use crate::corpus::Corpus;
use crate::crowds::{self, Rest};
use crate::date;
use crate::detect::told_once;
use crate::excerpts::{self, Spot};
use crate::features::Kin;
use crate::fingerprints::{Overlaps, Shared};
use crate::judge::Verdict;
use crate::near::{self, Compared, Glance};
use crate::options::{Excerpts, Level};
use crate::prior::Odds;
use crate::rare::of_steps;
use crate::removal::SideBySide;
use crate::report::{Cluster, Evidence, Relation, Removal};
use crate::rewordings::{self, reworded_pair, with_crowds};
use crate::usual::Usual;
use crate::verify::Rule;

/// Two texts that are edited copies, the first before the second: how similar, the Jaccard similarity and the containment.
#[derive(Clone, Copy, Debug)]
pub struct Met {
    pub left: u32,
    pub right: u32,
    pub near: [f32; 3],
}

impl Met {
    fn compared(self) -> Compared {
        let [similarity, jaccard, containment] = self.near;
        let evidence = Evidence { jaccard, containment, content: None };
        Compared { left: self.left, right: self.right, relation: Some(Relation::Near), similarity, evidence }
    }
}

/// A crowd: some of its texts that tell what most of them have in common, and all.
#[derive(Clone, Debug)]
pub struct Crowd {
    pub sample: Vec<u32>,
    pub texts: Vec<u32>,
}

/// Answers questions about texts. It goes on with nothing where it fails, and tells of that later.
pub trait Engine {
    /// For each crowd the distances of the texts that are closest to what it has in common, so many and more, of equals the first.
    fn closest(&self, crowds: &[Crowd], most: usize) -> Vec<Vec<(usize, u32)>>;

    /// The copies among some pairs; see [`Compare::new`](super::Compare::new).
    fn compare(&self, pairs: &[(u32, u32)], glance: i32) -> Vec<Met>;

    /// Of those texts, the shorter and the longer ones with how many fingerprints they share; those that are common; and how many were
    /// not paired with all.
    fn overlaps(&self, texts: &[u8]) -> (Vec<(u32, u32, u32)>, Vec<u32>, usize);

    /// The copies among some pairs, by their places.
    fn direct(&self, pairs: &[(u32, u32)]) -> Vec<(usize, Direct)>;

    /// What comes of [`Kernels::side_by_side`].
    fn side_by_side(&self, pairs: &[(u32, u32)]) -> Vec<(bool, [f32; 4])>;
}

/// What is known of the articles of a corpus, by their numbers.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    pub words: Vec<u32>,
    pub refused: Vec<bool>,
    /// Those that have exact copies, with what these have in common.
    pub copied: Vec<(u64, u32)>,
    /// In seconds; none, or for each article, the latest time that there is if nobody knows.
    pub seconds: Option<Vec<i64>>,
    /// The outlets, as numbers; none if excerpts are not looked for.
    pub outlets: Option<Vec<Option<u64>>>,
    pub known: Option<Vec<bool>>,
}

/// Decides.
pub struct Decider {
    kernels: Kernels,
    corpus: Corpus<'static>,
    pairs: Vec<Compared>,
    leaders: Vec<u32>,
    /// For each text the one that is like it as a whole and speaks for it, if excerpts are looked for.
    speakers: Vec<u32>,
    whole: Vec<u32>,
    common: Vec<u32>,
    /// Those that are copies, in order.
    copies: Vec<Compared>,
    clusters: Vec<Cluster>,
}

impl fmt::Debug for Decider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decider").field("texts", &self.corpus.distinct.len()).finish_non_exhaustive()
    }
}

/// A copy: the number of its cluster, the representative's number, its own, that of the member it was judged with if that is not the
/// representative, and how it is one.
#[derive(Clone, Copy, Debug)]
pub struct MemberRow {
    pub cluster: usize,
    pub representative: usize,
    pub article: usize,
    pub via: Option<usize>,
    pub relation: Relation,
    pub similarity: f32,
    pub evidence: Option<Evidence>,
}

impl Decider {
    pub fn new(kernels: Kernels, numbers: Numbers) -> Self {
        let Numbers { words, refused, copied, seconds, outlets, known } = numbers;
        let known = known.unwrap_or_else(|| vec![false; words.len()]);
        let articles = Stored::elsewhere(known, seconds, outlets.map(numbered));
        let corpus = Corpus::elsewhere(articles, &words, &refused, copied, kernels.detector.admission);
        Self {
            kernels,
            corpus,
            pairs: Vec::new(),
            leaders: Vec::new(),
            speakers: Vec::new(),
            whole: Vec::new(),
            common: Vec::new(),
            copies: Vec::new(),
            clusters: Vec::new(),
        }
    }

    /// How many articles are texts: such as can be compared and are no exact copies of others. These are numbered on.
    pub fn texts(&self) -> usize {
        self.corpus.distinct.len()
    }

    /// Which articles these are, a bit each.
    pub fn distinct(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.corpus.articles.len().div_ceil(8)];
        self.corpus.distinct.iter().for_each(|&article| bytes[article as usize / 8] |= 1 << (article % 8));
        bytes
    }

    /// Finds edited copies, if those among texts that share a bucket are known, by the groups of trees in which they first did.
    pub fn near(&mut self, met: Vec<(i32, Met)>, engine: &impl Engine) {
        let mut rounds: BTreeMap<i32, Vec<Compared>> = BTreeMap::new();
        met.into_iter().for_each(|(round, met)| rounds.entry(round).or_default().push(met.compared()));
        let near = &self.kernels.detector.near;
        let found = near.among_met(&self.corpus.words, rounds.into_values().collect(), &Elsewhere(engine));
        let near::Found { pairs, leaders, whole, common, .. } = found;
        if self.kernels.wants_excerpts() {
            self.speakers = near.whole(&self.corpus.words, &pairs);
        }
        (self.pairs, self.leaders, self.whole, self.common) = (pairs, leaders, whole, common);
    }

    /// Which texts count as documents, a bit each, and how many there are.
    pub fn leads(&self) -> (Vec<u8>, usize) {
        let leads = |text: usize| self.leaders[text] as usize == text;
        (Bits::of(self.leaders.len(), leads), (0..self.leaders.len()).filter(|&text| leads(text)).count())
    }

    /// Which texts speak for others that are like them as a whole, and what fingerprints are common among these.
    pub fn whole(&self) -> (Vec<u8>, &[u32]) {
        (Bits::of(self.leaders.len(), |text| self.whole.binary_search(&(text as u32)).is_ok()), &self.common)
    }

    /// What is usual for each text, four bytes each, by the shares of those that have neighbours enough, by what was found about
    /// those in crowds, and by how many are of the kind of each text, a byte each.
    pub fn usual(&self, shares: &[(u32, u16)], found: &[(u32, f32)], kin: &[u8]) -> Vec<u8> {
        let mut all = vec![0.0; self.leaders.len()];
        shares.iter().for_each(|&(text, share)| all[text as usize] = of_steps(share));
        found.iter().for_each(|&(text, share)| all[text as usize] = share);
        let kin = |text: u32| kin.get(text as usize).map_or(Kin::ALL, |&code| Kin::of_code(code));
        Usual::of_leaders(&self.leaders, &all, kin).into_iter().flat_map(f32::to_le_bytes).collect()
    }

    /// How common copies are, by the counts of odds.
    pub fn prior<'c>(&self, counts: impl Iterator<Item = &'c [u8]>) -> f32 {
        let mut odds = Odds::default();
        counts.for_each(|counts| odds.add_counts(counts.as_chunks().0.iter().map(|&count| u64::from_le_bytes(count))));
        self.kernels.detector.prior.unwrap_or_else(|| odds.share(Rule::FITTED_PRIOR))
    }

    /// Adds rewordings to the copies, by those that were read.
    pub fn reworded(&mut self, mut read: Vec<Read>, prior: f32, engine: &impl Engine) -> Result<(), Broken> {
        let detector = &self.kernels.detector;
        let keep = detector.keep_for_clusters();
        read.sort_by_key(|pair| (pair.left, pair.right));
        let mut reworded = Vec::new();
        for Read { left, right, odds, evidence, is_near, near: [similarity, jaccard, containment] } in read {
            let verdict = Verdict { evidence: evidence_of(&evidence)?, odds: Some(odds) };
            let relation = is_near.then_some(Relation::Near);
            let evidence = Evidence { jaccard, containment, content: None };
            let near = || Compared { left, right, relation, similarity, evidence };
            reworded.extend(reworded_pair(&detector.judge, &verdict, prior, keep, near));
        }
        let bench = Elsewhere(engine);
        let (reworded, _) = with_crowds(reworded, &self.leaders, &bench);
        self.pairs.extend(reworded);
        Ok(())
    }

    /// Groups all copies. Each member of each cluster, in order.
    pub fn members(&mut self) -> Vec<MemberRow> {
        let Self { kernels, corpus, .. } = self;
        let mut pairs = std::mem::take(&mut self.pairs);
        match kernels.detector.level {
            Level::Near => pairs.sort_by_key(|pair| (pair.left, pair.right)),
            Level::Reworded => told_once(&mut pairs),
        }
        let number = |text: u32| corpus.distinct[text as usize];
        pairs.retain(|pair| corpus.may_meet(number(pair.left), number(pair.right)));
        let misses = near::take_misses(&mut pairs);
        self.clusters = kernels.detector.grouping().clusters(corpus, &pairs, &misses);
        self.copies = pairs;
        let of_cluster = |(number, cluster): (usize, &Cluster)| {
            let representative = cluster.representative().position;
            let row = |member: &crate::Member| MemberRow {
                cluster: number,
                representative,
                article: member.position,
                via: member.via.as_ref().map(|via| via.position),
                relation: member.relation,
                similarity: member.similarity,
                evidence: member.evidence,
            };
            cluster.members().iter().map(row).collect::<Vec<_>>()
        };
        self.clusters.iter().enumerate().flat_map(of_cluster).collect()
    }

    /// The texts that others speak for, each with the one that does, after [`near`](Self::near).
    pub fn followers(&self) -> impl Iterator<Item = (u32, u32)> {
        (0..).zip(self.speakers.iter().copied()).filter(|(text, speaker)| text != speaker)
    }

    /// The story of each text, four bytes each, after [`members`](Self::members); and which texts are known, a bit each.
    pub fn stories(&self) -> (Vec<u8>, Vec<u8>) {
        let corpus = &self.corpus;
        let stories = excerpts::stories(corpus.articles.len(), &self.clusters);
        let story = |text: u32| (stories[corpus.position(text)] as u32).to_le_bytes();
        let known = Bits::of(self.texts(), |text| corpus.is_known(text as u32));
        ((0..self.texts() as u32).flat_map(story).collect(), known)
    }

    /// What is told of the passages that pairs of texts share, by the shorter and the longer one, after [`members`](Self::members).
    pub fn excerpts(&self, mut found: Vec<(u32, u32, Vec<u8>)>) -> Result<Vec<ExcerptRow>, Broken> {
        let Self { kernels, corpus, .. } = self;
        found.sort_by_key(|&(shorter, longer, _)| (shorter, longer));
        let mut matches = Vec::new();
        for (shorter, longer, bytes) in found {
            if shorter.max(longer) as usize >= self.texts() {
                return Err(Broken);
            }
            matches.extend(super::excerpts::matches(shorter, longer, &bytes)?);
        }
        let stories = excerpts::stories(corpus.articles.len(), &self.clusters);
        let wants_all = kernels.detector.excerpts == Excerpts::FindAll;
        let article = |spot: &Spot| corpus.position(spot.text);
        let row = |found: excerpts::Found| ExcerptRow {
            host: article(&found.host),
            host_span: found.host.span,
            source: article(&found.source),
            source_span: found.source.span,
            words: found.words as usize,
            kind: found.kind,
            same: found.same,
            holders: found.holders,
            others: found.others.into_iter().map(|text| corpus.position(text)).collect(),
            date: found.first.map(date::shown),
            is_furniture: found.is_furniture,
        };
        let told = excerpts::told(corpus, &stories, &matches, wants_all);
        let mut rows: Vec<ExcerptRow> = told.into_iter().map(row).collect();
        rows.sort_by_key(|row| (row.host, row.source, row.host_span.start, row.source_span.start));
        Ok(rows)
    }

    /// The articles that can go, by their numbers, after [`members`](Self::members).
    pub fn removals(&self, engine: &impl Engine) -> Vec<usize> {
        let mut memo = Memo::default();
        loop {
            let removals =
                self.kernels.detector.removing().by_looking(&self.corpus, &memo, &self.copies, &self.clusters);
            let asked = std::mem::take(&mut *memo.asked.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner));
            if asked.is_empty() {
                return removals.iter().map(|removal: &Removal| removal.position).collect();
            }
            let asked: Vec<(u32, u32)> = asked.into_iter().collect();
            let answers = engine.side_by_side(&asked);
            if answers.len() != asked.len() {
                return Vec::new();
            }
            memo.known.extend(asked.into_iter().zip(answers));
        }
    }
}

/// Outlets by numbers from 0 on.
fn numbered(outlets: Vec<Option<u64>>) -> Vec<Option<u32>> {
    let distinct: BTreeSet<u64> = outlets.iter().copied().flatten().collect();
    let numbers: BTreeMap<u64, u32> = distinct.into_iter().zip(0..).collect();
    outlets.into_iter().map(|outlet| numbers.get(&outlet?).copied()).collect()
}

/// Texts that an engine has.
struct Elsewhere<'e, E>(&'e E);

impl<E: Engine> near::Bench for Elsewhere<'_, E> {
    fn central(&self, crowds: &[Rest]) -> Vec<Vec<u32>> {
        let mut hubs = vec![None; crowds.len()];
        let mut asked = Vec::new();
        for (hub, crowd) in hubs.iter_mut().zip(crowds) {
            if let Some((text, sample)) = crowd.sample() {
                *hub = Some((text, asked.len()));
                asked.push(Crowd { sample, texts: crowd.texts().to_vec() });
            }
        }
        let mut closest = if asked.is_empty() { Vec::new() } else { self.0.closest(&asked, crowds::TRIED) };
        closest.resize(asked.len(), Vec::new());
        let central = |hub: Option<(u32, usize)>| {
            hub.map_or_else(Vec::new, |(hub, at)| crowds::central(hub, std::mem::take(&mut closest[at])))
        };
        hubs.into_iter().map(central).collect()
    }

    fn compare(&self, pairs: Vec<(u32, u32)>, glance: Glance) -> (Vec<(u32, u32)>, Vec<Compared>) {
        if pairs.is_empty() {
            return Default::default();
        }
        let mut found: Vec<Compared> = self.0.compare(&pairs, glance as i32).into_iter().map(Met::compared).collect();
        found.sort_by_key(|pair| (pair.left, pair.right));
        // What turned out to be no copies would turn out so again.
        (found.iter().map(|pair| (pair.left, pair.right)).collect(), found)
    }

    fn overlaps(&self, whole: &[u32], speakers: &[u32]) -> Overlaps {
        let whole = Bits::of(speakers.len(), |text| whole.binary_search(&(text as u32)).is_ok());
        let (pairs, mut common, crowded) = self.0.overlaps(&whole);
        common.sort_unstable();
        let pair = |(shorter, longer, count)| Shared { shorter, longer, count, is_crowded: false };
        Overlaps { pairs: pairs.into_iter().map(pair).collect(), crowded, common }
    }
}

impl<E: Engine> rewordings::Bench for Elsewhere<'_, E> {
    fn direct(&self, texts: &[(u32, Vec<u32>)]) -> Vec<Compared> {
        let pairs: Vec<(u32, u32)> =
            texts.iter().flat_map(|(text, others)| others.iter().map(move |&other| (*text, other))).collect();
        if pairs.is_empty() {
            return Vec::new();
        }
        let mut found = self.0.direct(&pairs);
        found.sort_by_key(|(at, _)| *at);
        let copy = |(at, direct): (usize, Direct)| {
            let &(left, right) = pairs.get(at)?;
            let [similarity, jaccard, containment] = direct.near;
            let evidence = Evidence { jaccard, containment, content: Some(evidence_of(&direct.evidence).ok()?) };
            let relation = Some(if direct.is_near { Relation::Near } else { Relation::Reworded });
            Some(Compared { left, right, relation, similarity, evidence }.in_order())
        };
        found.into_iter().filter_map(copy).collect()
    }
}

/// What is known so far of texts that may go, each with one that would be kept; and what was asked and is not known. As long as it is not,
/// it is taken for granted that the one may go, so that as much as can be is asked at once.
#[derive(Default)]
struct Memo {
    known: BTreeMap<(u32, u32), (bool, [f32; 4])>,
    asked: Mutex<BTreeSet<(u32, u32)>>,
}

impl Memo {
    fn of(&self, removed: u32, kept: u32) -> Option<&(bool, [f32; 4])> {
        let known = self.known.get(&(removed, kept));
        if known.is_none() {
            self.asked.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert((removed, kept));
        }
        known
    }
}

impl SideBySide for Memo {
    fn pair(&self, removed: u32, kept: u32) -> Compared {
        let (left, right) = (removed.min(kept), removed.max(kept));
        let (is_near, near) = match self.of(removed, kept) {
            Some(&(is_near, [similarity, jaccard, containment, _])) => (is_near, [similarity, jaccard, containment]),
            None => (true, [1.0; 3]),
        };
        Compared { relation: is_near.then_some(Relation::Near), ..Met { left, right, near }.compared() }
    }

    fn covered(&self, text: u32, by: u32) -> f32 {
        self.of(text, by).map_or(1.0, |&(_, [.., covered])| covered)
    }
}
