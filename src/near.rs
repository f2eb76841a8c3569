//! Edited copies: sketches and fingerprints to the pairs of texts whose shingles say that one was made from the other.
//!
//! Texts that share a bucket are compared, then each crowd with its centres, and at last who may stand in a longer text with that.

use rayon::prelude::*;

use crate::candidates::{Growth, Meetings, Sketches};
use crate::cluster::{self, Link, Star};
use crate::crowds::{self, MOST_CENTRES};
use crate::fingerprints::{Fingerprints, Overlaps, Sample, Shared};
use crate::minhash;
use crate::options::Search;
use crate::report::{Evidence, Relation};
use crate::texts::{Sets, Shingles, Texts};
use crate::verify::{NEAR_SHINGLES, NearRule};

/// Trees whose buckets are in memory at the same time.
const TREES_AT_ONCE: usize = 8;

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
    /// For each text the one that speaks for it and its edited copies.
    pub(crate) leaders: Vec<u32>,
    /// Those that speak for others that are like them as a whole, ascending, and the fingerprints that are common among them.
    pub(crate) whole: Vec<u32>,
    pub(crate) common: Vec<u32>,
    /// Pairs that were compared.
    pub(crate) candidates: u64,
    /// Buckets that were too crowded to compare all with all.
    pub(crate) crowded: usize,
    /// How often a cap may have left pairs out.
    pub(crate) capped: usize,
}

impl Near {
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
        let slots = self.slots as f32;
        let may_be = |rule: NearRule, left: u32, right: u32| {
            let equal = minhash::equal_slots(&sketches.get(left), &sketches.get(right)) as f32;
            let words = |text: u32| texts.words[text as usize];
            rule.may_be(equal / slots, slots, (words(left), words(right)))
        };
        let likely = |left: u32, right: u32| may_be(self.rule, left, right);
        // What stands in a longer text is looked for by fingerprints, and sketches say little of it.
        let as_whole = NearRule { containment: 1.0, ..self.rule };
        let by_candidates = self.search == Search::Candidates || asked.is_some();
        let (mut pairs, mut crowded, mut capped): (Vec<Compared>, usize, usize) = Default::default();
        let mut met = Met::new(texts.len());
        let compare = |met: &mut Met, pairs: &mut Vec<Compared>, likely_pairs: Vec<(u32, u32)>| {
            // Left alone, rayon would cut them into few tasks, of which the last is waited for.
            let near = likely_pairs.par_iter().with_max_len(16);
            let near = near.map(|&(left, right)| self.pair(&shingles, left, right));
            let near: Vec<Compared> = near.filter(|pair| keep.keeps(pair)).collect();
            met.note(likely_pairs, &near);
            pairs.extend(near);
        };
        if by_candidates {
            for first in (0..self.growth.trees).step_by(TREES_AT_ONCE) {
                let trees = first..(first + TREES_AT_ONCE).min(self.growth.trees);
                let meetings = Meetings::in_trees(sketches, self.growth, trees);
                crowded += meetings.crowded;
                let mut likely_pairs = met.only_new(meetings.pairs);
                likely_pairs = likely_pairs
                    .into_par_iter()
                    .filter(|&(left, right)| met.may_compare(left, right) && may_be(as_whole, left, right))
                    .collect();
                compare(&mut met, &mut pairs, likely_pairs);
            }
        }
        if by_candidates {
            capped += self.gather_crowds(sketches, &mut met, &mut pairs, &likely, &compare);
        }
        if self.search == Search::Exhaustive {
            let count = texts.len() as u32;
            let (all, shingles, likely) = (Exhaustive::new(0..count, asked), &shingles, &likely);
            let later = |left| {
                let later = all.after(left).iter();
                // Signatures rule out little where one text is much longer, and that is too much where most pairs are.
                let likely = move |right| {
                    let sets = || (shingles.of(left), shingles.of(right));
                    likely(left, right) && (asked.is_none() || self.rule.may_be_by_sample(&sets().0, &sets().1))
                };
                later.filter(move |&&right| likely(right)).map(move |&right| (left, right))
            };
            let likely_pairs = met.only_new((0..count).into_par_iter().flat_map_iter(later).collect());
            compare(&mut met, &mut pairs, likely_pairs);
        }
        let near = pairs.iter().filter(|pair| pair.relation == Some(Relation::Near));
        let leaders = leaders(texts, near);
        let speakers = self.whole(texts, &pairs);
        let whole: Vec<u32> =
            (0..).zip(&speakers).filter(|&(text, &speaker)| text == speaker).map(|(text, _)| text).collect();
        let overlaps = self.overlaps(texts, fingerprints, &whole, &speakers);
        if by_candidates {
            capped += overlaps.crowded;
            let in_order = |pair: &Shared| (pair.shorter.min(pair.longer), pair.shorter.max(pair.longer));
            let contained = overlaps.pairs.iter().map(in_order).collect();
            let may_be =
                |&(left, right): &(u32, u32)| self.rule.may_be_by_sample(&shingles.of(left), &shingles.of(right));
            let contained = met.only_new(contained).into_par_iter().filter(may_be).collect();
            compare(&mut met, &mut pairs, contained);
            capped += self.offer_to_centres(&mut met, &mut pairs, &compare);
        }
        let candidates = met.pairs.iter().map(|pairs| pairs.len() as u64).sum();
        Found {
            pairs,
            sets: shingles.into_sets(),
            leaders,
            whole,
            common: overlaps.common,
            candidates,
            crowded,
            capped,
        }
    }

    /// Compares those of each crowd with the texts that are most like all of them, and then whoever is left with the centres
    /// around.
    fn gather_crowds(
        &self,
        sketches: &Sketches,
        met: &mut Met,
        pairs: &mut Vec<Compared>,
        likely: &(impl Fn(u32, u32) -> bool + Sync),
        compare: &impl Fn(&mut Met, &mut Vec<Compared>, Vec<(u32, u32)>),
    ) -> usize {
        let copies = |pairs: &[Compared]| -> Vec<(u32, u32)> {
            pairs.iter().filter(|pair| pair.relation.is_some()).map(|pair| (pair.left, pair.right)).collect()
        };
        let mut capped = 0;
        for mut rest in crowds::crowds(met.copies.len(), &copies(pairs)) {
            for centre in 0.. {
                let central = rest.central(sketches);
                if central.is_empty() || centre == MOST_CENTRES {
                    capped += usize::from(!central.is_empty());
                    break;
                }
                let with_all = |&center: &u32| {
                    rest.texts()
                        .par_iter()
                        .filter(move |&&text| text != center && likely(center, text))
                        .map(move |&text| (center.min(text), center.max(text)))
                };
                let likely_pairs = met.only_new(central.par_iter().flat_map(with_all).collect());
                let before = pairs.len();
                compare(met, pairs, likely_pairs);
                rest.add(copies(&pairs[before..]).into_iter());
                rest.take(&central);
            }
        }
        capped + self.offer_to_centres(met, pairs, compare)
    }

    /// Compares texts without a star, or with a small one, with the centres of the stars around, until nothing new is found. How often
    /// that was capped.
    fn offer_to_centres(
        &self,
        met: &mut Met,
        pairs: &mut Vec<Compared>,
        compare: &impl Fn(&mut Met, &mut Vec<Compared>, Vec<(u32, u32)>),
    ) -> usize {
        const ROUNDS: usize = 4;
        let mut capped = 0;
        for _ in 0..ROUNDS {
            let near: Vec<&Compared> = pairs.iter().filter(|pair| pair.relation.is_some()).collect();
            let stars = cluster::stars(met.copies.len(), &links(near.iter().copied()), (|_| 0, |_| 0), |_| false);
            let members =
                |star: &Star| star.links.iter().map(|&link| near[link].left + near[link].right - star.center).collect();
            let members: Vec<Vec<u32>> = stars.iter().map(members).collect();
            let near: Vec<(u32, u32)> = near.iter().map(|pair| (pair.left, pair.right)).collect();
            let (offers, more) = crowds::offers(met.copies.len(), &near, &stars, &members);
            let offers = met.only_new(offers);
            capped += more;
            if offers.is_empty() {
                break;
            }
            compare(met, pairs, offers);
        }
        capped
    }

    /// For each text the one that is like it as a whole and speaks for it: who stands in a longer text may stand in many.
    pub(crate) fn whole(&self, texts: Texts<'_>, pairs: &[Compared]) -> Vec<u32> {
        leaders(
            texts,
            pairs.iter().filter(|pair| pair.relation.is_some() && pair.evidence.jaccard >= self.rule.jaccard),
        )
    }

    /// Pairs of which the shorter text may stand in the longer one, by the fingerprints of those that speak for others, each for itself
    /// and for whom `speakers` says.
    fn overlaps(&self, texts: Texts<'_>, fingerprints: &Fingerprints, whole: &[u32], speakers: &[u32]) -> Overlaps {
        let words = |text: u32| texts.words[text as usize];
        // How many fingerprints are left of an edited copy at least: half of them where one word in ten was changed.
        let needed = |text: u32| {
            let all = fingerprints.count(text, Sample::Half) as u32;
            (words(text) as usize >= NEAR_SHINGLES).then(|| all.div_ceil(4).max(2.min(all)))
        };
        fingerprints.overlaps(whole, speakers, Sample::Half, words, needed, texts.budget)
    }

    /// Compares the shingles of two texts.
    pub(crate) fn pair(&self, shingles: &Shingles<'_>, left: u32, right: u32) -> Compared {
        let (ours, theirs) = (shingles.of(left), shingles.of(right));
        let covered = || {
            if ours.len() <= theirs.len() { shingles.covered(left, &theirs) } else { shingles.covered(right, &ours) }
        };
        let (evidence, similarity) = self.rule.judge(&ours, &theirs, covered);
        let relation = similarity.map(|_| Relation::Near);
        Compared { left, right, relation, similarity: similarity.unwrap_or(evidence.jaccard), evidence }
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
        pairs.retain(|pair| self.pairs.iter().all(|met| met.binary_search(pair).is_err()));
        pairs
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

/// For each text the one that speaks for it and its edited copies: of two that are as good, the fuller one.
fn leaders<'p>(texts: Texts<'_>, near: impl Iterator<Item = &'p Compared>) -> Vec<u32> {
    let near: Vec<&Compared> = near.collect();
    let mut leaders: Vec<u32> = (0..texts.len() as u32).collect();
    let tie = |text: u32| u32::MAX - texts.words[text as usize];
    for star in cluster::stars(texts.len(), &links(near.iter().copied()), (|_| 0, tie), |_| false) {
        for link in star.links {
            leaders[(near[link].left + near[link].right - star.center) as usize] = star.center;
        }
    }
    leaders
}

pub(crate) fn links<'p>(pairs: impl Iterator<Item = &'p Compared>) -> Vec<Link> {
    pairs.map(|pair| Link { left: pair.left, right: pair.right, strength: pair.strength() }).collect()
}
