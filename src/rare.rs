//! Candidates by rare features: texts that share what few texts hold.
//!
//! A rewording shares names, numbers and turns of phrase with its source that hardly any other text has, while reports on
//! the same subject share what many have. So only features that 2 to [`MOST_DOCUMENTS`] documents hold count, each the
//! more the rarer it is, and two texts are candidates if what they share is a large enough part of what the poorer of the
//! two has at all. The cut-off makes the work for a text a constant, however large the corpus and however many texts are
//! made from one template; a phrase that a hundred documents share is never evidence of copying.
//!
//! It is the adaptive depth of an LSH forest carried to its end: of all the buckets that a text could be in, each as deep
//! as it needs to be to hold few texts, the exact ones instead of a sample of them.

use rayon::prelude::*;

use crate::content::{Features, Frequencies, MOST_DOCUMENTS, RARE_UNIT, rare_weights, slot};

/// The share, in 1024ths, of the poorer text's rare weight from which on two texts are candidates.
const LEAST_SHARE: u64 = 11;

/// Added to the poorer text's weight, so that very short texts do not meet over one shared feature.
const SHORT_TEXT: u64 = 10 * RARE_UNIT;

/// Which texts hold each rare feature.
pub(crate) struct RareIndex {
    /// Where in `texts` those of each feature end, by the feature's [`slot`]; they begin where those of the feature before
    /// end.
    ends: Vec<u32>,
    texts: Vec<u32>,
    /// The weight of all rare features of each text.
    totals: Vec<u32>,
    weights: [u32; MOST_DOCUMENTS as usize + 1],
}

/// Space that one thread reuses from text to text.
#[derive(Default)]
pub(crate) struct Shared {
    /// With each other text, the weight of the rare features and of the pairs of words that are shared.
    with: Vec<(u32, u32)>,
    touched: Vec<u32>,
    /// Where the texts of each feature begin and end, and what the feature weighs as a pair of words.
    lists: Vec<(u32, u32, u32)>,
}

/// A text that shares rare features with another one, and the weight of the pairs of words among them: as good as exact,
/// but for features that share a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Neighbour {
    pub(crate) text: u32,
    pub(crate) pairs: u32,
}

impl RareIndex {
    /// Takes in those texts of a corpus that were counted. Memory is 4 bytes for each rare feature of each text, and that
    /// of the frequencies, which are taken over.
    pub(crate) fn new(corpus: &[Features], frequencies: Frequencies, counted: impl Fn(usize) -> bool + Sync) -> Self {
        let totals = corpus.par_iter().map(|text| text.totals.rare).collect();
        let mut counters = frequencies.into_counters();
        let entries = counters.len();
        // Each thread fills the texts of its own stretch of features, so that they stand in ascending order.
        let stretch = counters.len().div_ceil(rayon::current_num_threads().max(1));
        let held = |documents: u32| if (2..=MOST_DOCUMENTS).contains(&documents) { documents as usize } else { 0 };
        let sizes: Vec<usize> =
            counters.par_chunks(stretch).map(|counters| counters.iter().map(|&n| held(n)).sum()).collect();
        let mut texts = vec![0; sizes.iter().sum()];
        let mut rest = texts.as_mut_slice();
        let mut jobs = Vec::new();
        let mut from = 0;
        for (counters, size) in counters.chunks_mut(stretch).zip(sizes) {
            let (mine, others) = rest.split_at_mut(size);
            rest = others;
            jobs.push((jobs.len() * stretch, from, counters, mine));
            from += size as u32;
        }
        jobs.into_par_iter().for_each(|(first, from, counters, mine)| {
            // A counter becomes the place where the next text of its feature goes, and the end once all have gone.
            const NOWHERE: u32 = u32::MAX;
            let mut mine_of_text = Vec::new();
            let mut next = 0;
            for counter in counters.iter_mut() {
                let documents = held(*counter) as u32;
                *counter = if documents > 0 { next } else { NOWHERE };
                next += documents;
            }
            for (text, features) in (0..).zip(corpus).filter(|&(text, _)| counted(text as usize)) {
                // The counters of a text are all asked for before the first is waited for.
                mine_of_text.clear();
                mine_of_text.extend(features.ids().map(|feature| slot(feature, entries).wrapping_sub(first)));
                mine_of_text.retain(|&at| counters.get(at).is_some_and(|&counter| counter != NOWHERE));
                for &at in &mine_of_text {
                    mine[counters[at] as usize] = text as u32;
                    counters[at] += 1;
                }
            }
            let mut end = from;
            for counter in counters {
                if *counter != NOWHERE {
                    end = from + *counter;
                }
                *counter = end;
            }
        });
        Self { ends: counters, texts, totals, weights: rare_weights() }
    }

    /// The texts after `text` that share enough with it, ascending.
    pub(crate) fn later_neighbours(&self, text: u32, features: &Features, shared: &mut Shared) -> Box<[Neighbour]> {
        let Shared { with, touched, lists } = shared;
        with.resize(self.totals.len(), (0, 0));
        touched.clear();
        // Where the texts of a feature are is in memory far apart, so all places are asked for before any is waited for.
        let weights = std::iter::repeat_n(0, features.stems.len()).chain(features.pair_weights.iter().copied());
        lists.clear();
        lists.extend(features.ids().zip(weights).map(|(feature, pair_weight)| {
            let at = slot(feature, self.ends.len());
            let start = if at == 0 { 0 } else { self.ends[at - 1] };
            (start, self.ends[at], u32::from(pair_weight))
        }));
        lists.retain(|&(start, end, _)| start < end && self.texts[end as usize - 1] > text);
        for &(start, end, pair_weight) in lists.iter() {
            let holders = &self.texts[start as usize..end as usize];
            let weight = self.weights[holders.len()];
            for &other in holders.iter().rev().take_while(|&&other| other > text) {
                let sums = &mut with[other as usize];
                if sums.0 == 0 {
                    touched.push(other);
                }
                sums.0 += weight;
                sums.1 += pair_weight;
            }
        }
        let total = self.totals[text as usize];
        touched.retain(|&other| {
            let poorer = u64::from(total.min(self.totals[other as usize])) + SHORT_TEXT;
            let enough = u64::from(with[other as usize].0) * 1024 >= LEAST_SHARE * poorer;
            if !enough {
                with[other as usize] = (0, 0);
            }
            enough
        });
        touched.sort_unstable();
        let neighbour = |&text: &u32| Neighbour { text, pairs: std::mem::take(&mut with[text as usize]).1 };
        touched.iter().map(neighbour).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Weigher;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn index(texts: &[Vec<u32>]) -> (Vec<Features>, RareIndex) {
        let features = |stems: &Vec<u32>| {
            let mut stems = stems.clone();
            stems.sort_unstable();
            stems.dedup();
            Features::of_pairs(stems)
        };
        let mut corpus: Vec<_> = texts.iter().map(features).collect();
        let frequencies = Frequencies::weigh(&mut corpus, &Weigher::new(texts.len()), |_| true);
        let index = RareIndex::new(&corpus, frequencies, |_| true);
        (corpus, index)
    }

    fn neighbours(texts: &[Vec<u32>], text: u32) -> Vec<u32> {
        let (corpus, index) = index(texts);
        let found = index.later_neighbours(text, &corpus[text as usize], &mut Shared::default());
        found.iter().map(|neighbour| neighbour.text).collect()
    }

    proptest! {
        #[test]
        fn neighbours_are_those_that_share_enough(texts in prop::collection::vec(prop::collection::vec((0u32..60).prop_map(|feature| feature << 22), 0..12), 2..60)) {
            let holders = |feature: &u32| texts.iter().filter(|text| text.contains(feature)).count();
            let weight = |feature: &u32| match holders(feature) {
                n if n > MOST_DOCUMENTS as usize => 0,
                n => rare_weights()[n].into(),
            };
            let distinct: Vec<BTreeSet<u32>> = texts.iter().map(|text| text.iter().copied().collect()).collect();
            let total = |text: &BTreeSet<u32>| text.iter().map(weight).sum::<u64>();
            for (left, a) in distinct.iter().enumerate() {
                let enough = |&right: &u32| {
                    let b = &distinct[right as usize];
                    let common: u64 = a.intersection(b).map(weight).sum();
                    common > 0 && common * 1024 >= LEAST_SHARE * (total(a).min(total(b)) + SHORT_TEXT)
                };
                let expected: Vec<u32> = (left as u32 + 1..texts.len() as u32).filter(enough).collect();
                prop_assert_eq!(neighbours(&texts, left as u32), expected);
            }
        }
    }

    #[test]
    fn what_many_share_makes_no_candidates() {
        let common: Vec<u32> = (0..30).map(|feature| feature << 22).collect();
        let template: Vec<Vec<u32>> =
            (0..100).map(|i| common.iter().copied().chain([(100 + i) << 22]).collect()).collect();
        assert_eq!(neighbours(&template, 0), []);
        let mut pair = template.clone();
        pair[7].extend([500 << 22, 501 << 22, 502 << 22]);
        pair[9].extend([500 << 22, 501 << 22, 502 << 22]);
        assert_eq!(neighbours(&pair, 7), [9]);
    }
}
