//! Edited copies: sketches and fingerprints to the pairs of texts whose shingles say that one was made from the other.
//!
//! Texts that share a bucket are compared, then each crowd with its centres, and at last who may stand in a longer text with that.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::candidates::{Growth, Meetings, Sketches};
use crate::cluster::{self, Link, Star};
use crate::crowds::{self, MOST_CENTRES, Rest};
use crate::fingerprints::{Fingerprints, Overlaps, Sample, Shared};
use crate::minhash;
use crate::options::Search;
use crate::report::{Evidence, Relation};
use crate::texts::{Sets, Shingles, Texts};
use crate::verify::{NEAR_SHINGLES, NearRule};

/// Trees whose buckets are in memory at the same time.
pub(crate) const TREES_AT_ONCE: usize = 8;

/// How edited copies are looked for.
#[derive(Clone, Copy)]
pub(crate) struct Near {
    pub(crate) rule: NearRule,
    pub(crate) growth: Growth,
    /// Slots of a sketch.
    pub(crate) slots: usize,
    pub(crate) search: Search,
}

/// What is wanted of a search for edited copies.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) keep: Keep,
    /// The texts that an exhaustive search is about, if not all.
    pub(crate) asked: Option<&'a [bool]>,
}

/// What the search found.
pub(crate) struct Found {
    pub(crate) pairs: Vec<Compared>,
    /// The shingles of the texts that were compared.
    pub(crate) sets: Sets,
    /// For each text the one that speaks for it and its edited copies, and for the many that it stands in.
    pub(crate) leaders: Vec<u32>,
    /// Those that speak for others that are like them as a whole, ascending, and the fingerprints that are common among them. Texts in
    /// which another one stands are not among them: what a text says is no furniture of the many that print it.
    pub(crate) whole: Vec<u32>,
    pub(crate) common: Vec<u32>,
    /// Pairs that were compared.
    pub(crate) candidates: u64,
    /// Buckets that were too crowded to compare all with all.
    pub(crate) crowded: usize,
    /// How often a cap may have left pairs out.
    pub(crate) capped: usize,
}

/// Who looks at texts for one who decides by links alone. On one machine all texts are at hand; an engine has them elsewhere.
pub(crate) trait Bench {
    /// For each crowd the texts that may be closest to all others in it; none of those where no text has copies enough.
    fn central(&self, crowds: &[Rest]) -> Vec<Vec<u32>>;

    /// Compares those of some pairs, each once and in order, that may be copies at a glance. Which these are, in order, and what is
    /// wanted of them.
    fn compare(&self, pairs: Vec<(u32, u32)>, glance: Glance) -> (Vec<(u32, u32)>, Vec<Compared>);

    /// Pairs of which the shorter text may stand in the longer one, by the fingerprints of those that speak for others, each for itself
    /// and for whom `speakers` says.
    fn overlaps(&self, whole: &[u32], speakers: &[u32]) -> Overlaps;
}

/// By what two texts are ruled out before they are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Glance {
    /// By their sketches, if neither is to stand in the other: of that they say little.
    AsWhole,
    /// By their sketches.
    Sketches,
    /// By their sketches, and then by some of their shingles: sketches say little where one of them is much longer.
    Sample,
    /// They are compared in any case.
    None,
}

impl Near {
    /// The rule by which sketches rule out pairs at a glance, if they are looked at.
    pub(crate) fn rule_of_sketches(&self, glance: Glance) -> Option<NearRule> {
        match glance {
            // What stands in a longer text is looked for by fingerprints.
            Glance::AsWhole => Some(NearRule { containment: 1.0, ..self.rule }),
            Glance::Sketches | Glance::Sample => Some(self.rule),
            Glance::None => None,
        }
    }

    /// Whether two texts of so many words may be copies at a glance; `equal` tells in how many slots their sketches agree.
    pub(crate) fn may_be_at_a_glance(
        &self,
        glance: Glance,
        shingles: &Shingles<'_>,
        (left, right): (u32, u32),
        equal: impl FnOnce() -> usize,
    ) -> bool {
        let words = |text: u32| shingles.texts().words[text as usize];
        let by_sketches = |rule| self.may_be(rule, equal(), (words(left), words(right)));
        self.rule_of_sketches(glance).is_none_or(by_sketches)
            && (glance != Glance::Sample || self.rule.may_be_by_sample(&shingles.of(left), &shingles.of(right)))
    }

    /// Whether two texts of so many words, whose sketches agree in so many slots, may be copies.
    pub(crate) fn may_be(&self, rule: NearRule, equal: usize, words: (u32, u32)) -> bool {
        let slots = self.slots as f32;
        rule.may_be(equal as f32 / slots, slots, words)
    }

    /// How many different fingerprints another text must share for a text of so many of them, repeated ones repeatedly, to stand in it:
    /// half of them are left of an edited copy where one word in ten was changed. None if the text has too few words to be told so.
    pub(crate) fn needed(words: u32, fingerprints: u32) -> Option<u32> {
        (words as usize >= NEAR_SHINGLES).then(|| fingerprints.div_ceil(4).max(2.min(fingerprints)))
    }

    /// Sketches and fingerprints to edited copies, and to who speaks for those that are like each other as a whole. Otherwise
    /// what they share would pass for a phrase that everybody uses, and each would crowd the others' neighbourhood.
    pub(crate) fn pairs(
        &self,
        texts: Texts<'_>,
        sketches: &Sketches,
        fingerprints: &Fingerprints,
        Wanted { keep, asked }: Wanted<'_>,
    ) -> Found {
        let shingles = Shingles::new(texts);
        let by_candidates = self.search == Search::Candidates || asked.is_some();
        let bench = AtHand { near: self, texts, sketches, fingerprints, shingles: &shingles, keep };
        let mut finding = Finding::new(self, texts.words, &bench);
        let mut crowded = 0;
        if by_candidates {
            let firsts = (0..self.growth.trees).step_by(TREES_AT_ONCE);
            let mut groups = firsts.map(|first| first..(first + TREES_AT_ONCE).min(self.growth.trees));
            let mut meet_next = || Some(Meetings::in_trees(sketches, self.growth, groups.next()?));
            let mut next = meet_next();
            while let Some(meetings) = next {
                crowded += meetings.crowded;
                // The one fills the gaps of the other, when a thread has nothing to do any more.
                (next, ()) = rayon::join(&mut meet_next, || {
                    let mut pairs = finding.met.only_new(meetings.pairs);
                    pairs.retain(|&(left, right)| finding.met.may_compare(left, right));
                    finding.compare(pairs, Glance::AsWhole);
                });
            }
            finding.gather_crowds();
        }
        if self.search == Search::Exhaustive {
            let count = texts.len() as u32;
            let (all, shingles, bench) = (Exhaustive::new(0..count, asked), &shingles, &bench);
            let later = |left| {
                let later = all.after(left).iter();
                // Signatures rule out little where one text is much longer, and that is too much where most pairs are.
                let likely = move |right| {
                    let glance = if asked.is_none() { Glance::Sketches } else { Glance::Sample };
                    self.may_be_at_a_glance(glance, shingles, (left, right), || bench.equal_slots(left, right))
                };
                later.filter(move |&&right| likely(right)).map(move |&right| (left, right))
            };
            let pairs = finding.met.only_new((0..count).into_par_iter().flat_map_iter(later).collect());
            finding.compare(pairs, Glance::None);
        }
        let mut found = finding.finish(by_candidates);
        found.crowded = crowded;
        Found { sets: shingles.into_sets(), ..found }
    }

    /// The same for an engine, which has compared all that share a bucket: what it found of each group of trees. Of the texts, which have
    /// so many words each, `bench` has all that is asked for.
    pub(crate) fn among_met(&self, words: &[u32], met: Vec<Vec<Compared>>, bench: &impl Bench) -> Found {
        let mut finding = Finding::new(self, words, bench);
        for mut met in met {
            // What had copies enough before would not have been compared; what turned out to be none makes no difference.
            met.retain(|pair| finding.met.may_compare(pair.left, pair.right));
            met.sort_by_key(|pair| (pair.left, pair.right));
            let pairs = met.iter().map(|pair| (pair.left, pair.right)).collect();
            finding.note(pairs, met);
        }
        finding.gather_crowds();
        finding.finish(true)
    }

    /// Whether two edited copies are like each other as a whole, and not one of them a part of the other.
    fn is_like_as_a_whole(&self, pair: &Compared) -> bool {
        pair.evidence.jaccard >= self.rule.jaccard
    }

    /// For each text the one that is like it as a whole and speaks for it: who stands in a longer text may stand in many.
    pub(crate) fn whole(&self, words: &[u32], pairs: &[Compared]) -> Vec<u32> {
        leaders(words, pairs.iter().filter(|pair| pair.relation.is_some() && self.is_like_as_a_whole(pair)))
    }

    /// Compares the shingles of two texts.
    pub(crate) fn pair(&self, shingles: &Shingles<'_>, left: u32, right: u32) -> Compared {
        let (ours, theirs) = (shingles.of(left), shingles.of(right));
        let of_ours = || shingles.covered(left, &theirs);
        let of_theirs = || shingles.covered(right, &ours);
        let covered = || match ours.len().cmp(&theirs.len()) {
            Ordering::Less => of_ours(),
            Ordering::Equal => of_ours().max(of_theirs()),
            Ordering::Greater => of_theirs(),
        };
        let words = |text: u32| shingles.texts().words[text as usize];
        let (evidence, similarity) = self.rule.judge((&ours, &theirs), words(left).min(words(right)), covered);
        let relation = similarity.map(|_| Relation::Near);
        Compared { left, right, relation, similarity: similarity.unwrap_or(evidence.jaccard), evidence }
    }
}

/// All texts at hand.
struct AtHand<'a, 't> {
    near: &'a Near,
    texts: Texts<'t>,
    sketches: &'a Sketches,
    fingerprints: &'a Fingerprints,
    shingles: &'a Shingles<'t>,
    keep: Keep,
}

impl AtHand<'_, '_> {
    fn equal_slots(&self, left: u32, right: u32) -> usize {
        minhash::equal_slots(&self.sketches.get(left), &self.sketches.get(right))
    }
}

impl Bench for AtHand<'_, '_> {
    fn central(&self, crowds: &[Rest]) -> Vec<Vec<u32>> {
        crowds.iter().map(|crowd| crowd.central(self.sketches)).collect()
    }

    fn compare(&self, pairs: Vec<(u32, u32)>, glance: Glance) -> (Vec<(u32, u32)>, Vec<Compared>) {
        let Self { near, shingles, .. } = self;
        let may_be = |&(left, right): &(u32, u32)| {
            near.may_be_at_a_glance(glance, shingles, (left, right), || self.equal_slots(left, right))
        };
        // Left alone, rayon would cut them into few tasks, of which the last is waited for.
        let likely = match glance {
            Glance::None => pairs,
            _ => pairs.into_par_iter().with_max_len(64).filter(may_be).collect(),
        };
        let compared = likely.par_iter().with_max_len(16).map(|&(left, right)| near.pair(shingles, left, right));
        let found = compared.filter(|pair| self.keep.keeps(pair)).collect();
        (likely, found)
    }

    fn overlaps(&self, whole: &[u32], speakers: &[u32]) -> Overlaps {
        let Self { texts, fingerprints, .. } = self;
        let words = |text: u32| texts.words[text as usize];
        let needed = |text: u32| Near::needed(words(text), fingerprints.count(text, Sample::Half) as u32);
        fingerprints.overlaps(whole, speakers, Sample::Half, words, needed, texts.budget)
    }
}

/// Edited copies on the way to being found.
struct Finding<'a, B> {
    near: &'a Near,
    words: &'a [u32],
    bench: &'a B,
    met: Met,
    pairs: Vec<Compared>,
    /// How often a cap may have left pairs out.
    capped: usize,
}

fn copies(pairs: &[Compared]) -> Vec<(u32, u32)> {
    pairs.iter().filter(|pair| pair.relation.is_some()).map(|pair| (pair.left, pair.right)).collect()
}

impl<'a, B: Bench> Finding<'a, B> {
    fn new(near: &'a Near, words: &'a [u32], bench: &'a B) -> Self {
        Self { near, words, bench, met: Met::new(words.len()), pairs: Vec::new(), capped: 0 }
    }

    fn compare(&mut self, pairs: Vec<(u32, u32)>, glance: Glance) {
        let (compared, found) = self.bench.compare(pairs, glance);
        self.note(compared, found);
    }

    fn note(&mut self, compared: Vec<(u32, u32)>, found: Vec<Compared>) {
        self.met.note(compared, &found);
        self.pairs.extend(found);
    }

    /// Compares those of each crowd with the texts that are most like all of them, and then whoever is left with the centres
    /// around.
    fn gather_crowds(&mut self) {
        let mut crowds = crowds::crowds(self.words.len(), &copies(&self.pairs));
        for centre in 0.. {
            let central = if crowds.is_empty() { Vec::new() } else { self.bench.central(&crowds) };
            let (rests, central): (Vec<Rest>, Vec<Vec<u32>>) =
                crowds.into_iter().zip(central).filter(|(_, central)| !central.is_empty()).unzip();
            crowds = rests;
            if crowds.is_empty() || centre == MOST_CENTRES {
                self.capped += crowds.len();
                break;
            }
            let with_all = |(rest, central): (&Rest, &Vec<u32>)| -> Vec<(u32, u32)> {
                let others = |&center: &u32| rest.texts().iter().map(move |&text| (center, text));
                let pairs = central.iter().flat_map(others).filter(|(center, text)| center != text);
                pairs.map(|(center, text)| (center.min(text), center.max(text))).collect()
            };
            let pairs = self.met.only_new(crowds.iter().zip(&central).flat_map(with_all).collect());
            let before = self.pairs.len();
            self.compare(pairs, Glance::Sketches);
            let found = copies(&self.pairs[before..]);
            crowds::share_out(&mut crowds, found.into_iter());
            crowds.iter_mut().zip(&central).for_each(|(rest, central)| rest.take(central));
        }
        self.offer_to_centres();
    }

    /// Compares texts without a star, or with a small one, with the centres of the stars around, until nothing new is found.
    fn offer_to_centres(&mut self) {
        const ROUNDS: usize = 4;
        for _ in 0..ROUNDS {
            let near: Vec<&Compared> = self.pairs.iter().filter(|pair| pair.relation.is_some()).collect();
            let stars = cluster::stars(self.words.len(), &links(near.iter().copied()), (|_| 0, |_| 0), |_| false);
            let members =
                |star: &Star| star.links.iter().map(|&link| near[link].left + near[link].right - star.center).collect();
            let members: Vec<Vec<u32>> = stars.iter().map(members).collect();
            let near: Vec<(u32, u32)> = near.iter().map(|pair| (pair.left, pair.right)).collect();
            let (offers, more) = crowds::offers(self.words.len(), &near, &stars, &members);
            let offers = self.met.only_new(offers);
            self.capped += more;
            if offers.is_empty() {
                break;
            }
            self.compare(offers, Glance::None);
        }
    }

    /// Who leads whom; and, unless all were compared with all, who stands in a longer text.
    fn finish(mut self, by_candidates: bool) -> Found {
        let is_host = |pair: &&Compared| is_much_longer(self.words, pair);
        let is_near = |pair: &&Compared| pair.relation == Some(Relation::Near);
        let Self { near, words, pairs, .. } = &self;
        let (leaders, speakers) = rayon::join(
            || leaders(words, pairs.iter().filter(is_near).filter(|pair| !is_host(pair))),
            || near.whole(words, pairs),
        );
        let mut whole: Vec<u32> =
            (0..).zip(&speakers).filter(|&(text, &speaker)| text == speaker).map(|(text, _)| text).collect();
        let overlaps = self.bench.overlaps(&whole, &speakers);
        if by_candidates {
            self.capped += overlaps.crowded;
            let in_order = |pair: &Shared| (pair.shorter.min(pair.longer), pair.shorter.max(pair.longer));
            let contained = self.met.only_new(overlaps.pairs.iter().map(in_order).collect());
            self.compare(contained, Glance::Sample);
            self.offer_to_centres();
        }
        let contained = self.pairs.iter().filter(|pair| is_near(pair) && !self.near.is_like_as_a_whole(pair));
        let hosts: BTreeSet<u32> = contained.map(|pair| longer(self.words, pair)).collect();
        whole.retain(|text| !hosts.contains(text));
        let leaders = with_crowds_of_hosts(self.words, &leaders, self.pairs.iter().filter(is_near).filter(is_host));
        Found {
            candidates: self.met.pairs.iter().map(|pairs| pairs.len() as u64).sum(),
            pairs: self.pairs,
            sets: Sets::default(),
            leaders,
            whole,
            common: overlaps.common,
            crowded: 0,
            capped: self.capped,
        }
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

/// Which compared pairs are wanted.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Keep {
    Copies,
    /// Copies, and what is at least so similar.
    Like(f32),
    All,
}

impl Keep {
    /// The least similarity of pairs that are no copies; none if these are not wanted.
    pub(crate) fn least(self) -> Option<f32> {
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
#[derive(Clone)]
pub(crate) struct Compared {
    pub(crate) left: u32,
    pub(crate) right: u32,
    pub(crate) relation: Option<Relation>,
    pub(crate) similarity: f32,
    pub(crate) evidence: Evidence,
}

impl Compared {
    pub(crate) fn in_order(self) -> Self {
        Self { left: self.left.min(self.right), right: self.left.max(self.right), ..self }
    }

    /// How strongly the pair ties a cluster together: edited copies more than any rewording.
    fn strength(&self) -> f64 {
        match self.relation {
            Some(Relation::Reworded) | None => self.similarity.into(),
            _ => 1.0 + f64::from(self.similarity) / 16.0,
        }
    }
}

/// Adds compared pairs to others. There are many, so that no more room is taken than for all of them.
pub(crate) fn append(pairs: &mut Vec<Compared>, mut more: Vec<Compared>) {
    if pairs.len() < more.len() {
        std::mem::swap(pairs, &mut more);
    }
    pairs.reserve_exact(more.len());
    pairs.append(&mut more);
}

/// Takes out of compared pairs those that are no copies. Both stay in order, and take no more room than they need.
pub(crate) fn take_misses(pairs: &mut Vec<Compared>) -> Vec<Compared> {
    let is_miss = |pair: &Compared| pair.relation.is_none();
    let mut misses = Vec::with_capacity(pairs.iter().filter(|pair| is_miss(pair)).count());
    misses.extend(pairs.extract_if(.., |pair| is_miss(pair)));
    pairs.shrink_to_fit();
    misses
}

/// Of two texts with so many edited copies each, found so far, nothing new is to be learnt: what fills one template or was
/// copied by everybody would be compared with hundreds.
const ENOUGH_COPIES: u32 = 32;

/// The pairs that were compared so far.
struct Met {
    /// In order, in lists each longer than the next, so that there are few to look into.
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
        let is_new = |pair: &(u32, u32)| self.pairs.iter().all(|met| met.binary_search(pair).is_err());
        pairs.into_par_iter().filter(is_new).collect()
    }

    fn note(&mut self, mut pairs: Vec<(u32, u32)>, compared: &[Compared]) {
        for pair in compared.iter().filter(|pair| pair.relation.is_some()) {
            self.copies[pair.left as usize] += 1;
            self.copies[pair.right as usize] += 1;
        }
        while let Some(shorter) = self.pairs.pop_if(|last| last.len() <= pairs.len()) {
            pairs.extend(shorter);
            // Two runs in order, which are merged.
            pairs.sort();
        }
        self.pairs.push(pairs);
    }
}

/// Copies around who has most of them, and of two that are as good, around the fuller one: that one, and the others.
fn around_centres<'p>(words: &[u32], near: impl Iterator<Item = &'p Compared>) -> Vec<(u32, Vec<u32>)> {
    let near: Vec<&Compared> = near.collect();
    let tie = |text: u32| u32::MAX - words[text as usize];
    let stars = cluster::stars(words.len(), &links(near.iter().copied()), (|_| 0, tie), |_| false);
    let others = |Star { center, links }: Star| {
        (center, links.into_iter().map(|link| near[link].left + near[link].right - center).collect())
    };
    stars.into_iter().map(others).collect()
}

/// For each text the one that speaks for it and its edited copies.
fn leaders<'p>(words: &[u32], near: impl Iterator<Item = &'p Compared>) -> Vec<u32> {
    let mut leaders: Vec<u32> = (0..words.len() as u32).collect();
    for (center, others) in around_centres(words, near) {
        others.into_iter().for_each(|text| leaders[text as usize] = center);
    }
    leaders
}

/// A text so many times as long as another one that stands in it is a host, and speaks for itself: it has more to say than what it holds, and
/// what it holds is told anew by others who leave out the rest.
const MUCH_LONGER: u32 = 4;

/// So many hosts of one text speak for themselves: they are some more documents that hold its features. Were there more, what it says would
/// seem to be what everybody says.
const MOST_HOSTS: usize = 8;

fn is_much_longer(words: &[u32], pair: &Compared) -> bool {
    let (left, right) = (words[pair.left as usize], words[pair.right as usize]);
    left.max(right) / MUCH_LONGER >= left.min(right)
}

/// The longer text of a pair; of two that are equally long the later one.
fn longer(words: &[u32], pair: &Compared) -> u32 {
    if words[pair.left as usize] > words[pair.right as usize] { pair.left } else { pair.right }
}

/// Who leads whom if also each text that stands in many much longer ones leads these.
fn with_crowds_of_hosts<'p>(words: &[u32], leaders: &[u32], hosted: impl Iterator<Item = &'p Compared>) -> Vec<u32> {
    let leads = |text: u32| leaders[text as usize] == text;
    let mut all: Vec<u32> = (0..words.len() as u32).collect();
    for (center, mut hosts) in around_centres(words, hosted.filter(|pair| leads(pair.left) && leads(pair.right))) {
        hosts.retain(|&text| words[text as usize] > words[center as usize]);
        if hosts.len() > MOST_HOSTS {
            hosts.into_iter().for_each(|host| all[host as usize] = center);
        }
    }
    leaders.iter().map(|&leader| all[leader as usize]).collect()
}

pub(crate) fn links<'p>(pairs: impl Iterator<Item = &'p Compared>) -> Vec<Link> {
    pairs.map(|pair| Link { left: pair.left, right: pair.right, strength: pair.strength() }).collect()
}
