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

use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;

use crate::content::{Features, ln};
use crate::hash::mix;

/// A feature that more documents hold is no evidence.
const MOST_DOCUMENTS: u32 = 40;

/// The share, in 1024ths, of the poorer text's rare weight from which on two texts are candidates.
const LEAST_SHARE: u64 = 18;

/// Added to the poorer text's weight, so that very short texts do not meet over one shared feature.
const SHORT_TEXT: u64 = 10 * ONE;

/// Weights are fixed-point numbers of this unit, so that sums do not depend on the order of the summands.
const ONE: u64 = 64;

/// A text that shares rare features with another one, and how much: the shared weight over that of the poorer of the two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Neighbour {
    pub(crate) text: u32,
    pub(crate) share: f32,
}

/// Which texts hold each rare feature.
pub(crate) struct RareIndex {
    /// Where the texts of each feature begin, by the low bits of the feature's hash, and the end.
    starts: Vec<u32>,
    texts: Vec<u32>,
    /// The weight of all features of each text.
    totals: Vec<u64>,
    weights: [u64; MOST_DOCUMENTS as usize + 1],
}

/// Space that one thread reuses from text to text.
#[derive(Default)]
pub(crate) struct Shared {
    weight_with: Vec<u32>,
    touched: Vec<u32>,
}

fn hashes(features: &Features) -> impl Iterator<Item = usize> {
    let stems = features.stems.iter().map(|&stem| mix(1 << 32 | u64::from(stem)));
    stems.chain(features.pairs.iter().map(|&pair| mix(2 << 32 | u64::from(pair)))).map(|hash| hash as usize)
}

impl RareIndex {
    /// Takes about 50 ns a feature and memory of 4 bytes for each rare feature of each text, and 4 to 8 for each feature.
    pub(crate) fn new(corpus: &[Features]) -> Self {
        let features: usize = corpus.iter().map(|text| text.stems.len() + text.pairs.len()).sum();
        let counters = features.next_power_of_two().clamp(1 << 10, 1 << 28);
        let mask = counters - 1;
        let counts: Vec<AtomicU32> = (0..counters).map(|_| AtomicU32::new(0)).collect();
        corpus.par_iter().for_each(|text| {
            hashes(text).for_each(|hash| {
                counts[hash & mask].fetch_add(1, Ordering::Relaxed);
            });
        });
        let weights = std::array::from_fn(|n| (ONE as f32 * ln((MOST_DOCUMENTS + 1) as f32 / n.max(1) as f32)) as u64);
        let totals = corpus
            .par_iter()
            .map(|text| {
                let counts = hashes(text).map(|hash| counts[hash & mask].load(Ordering::Relaxed));
                counts.filter(|&n| n <= MOST_DOCUMENTS).map(|n| weights[n as usize]).sum()
            })
            .collect();
        // From here on a counter says where the next text of its feature goes.
        let mut end = 0;
        let mut starts: Vec<u32> = Vec::with_capacity(counters + 1);
        for count in &counts {
            starts.push(end);
            let documents = count.swap(end, Ordering::Relaxed);
            end += if (2..=MOST_DOCUMENTS).contains(&documents) { documents } else { 0 };
        }
        starts.push(end);
        let mut texts = vec![0; end as usize];
        for (text, features) in (0..).zip(corpus) {
            for hash in hashes(features) {
                let at = hash & mask;
                if starts[at] != starts[at + 1] {
                    texts[counts[at].fetch_add(1, Ordering::Relaxed) as usize] = text;
                }
            }
        }
        Self { starts, texts, totals, weights }
    }

    /// The texts after `text` that share enough with it, in no order.
    pub(crate) fn later_neighbours(
        &self,
        text: u32,
        features: &Features,
        shared: &mut Shared,
        found: &mut Vec<Neighbour>,
    ) {
        let Shared { weight_with, touched } = shared;
        weight_with.resize(self.totals.len(), 0);
        touched.clear();
        let mask = self.starts.len() - 2;
        for hash in hashes(features) {
            let at = hash & mask;
            let holders = &self.texts[self.starts[at] as usize..self.starts[at + 1] as usize];
            let weight = self.weights[holders.len()] as u32;
            // Texts stand in ascending order.
            for &other in holders.iter().rev().take_while(|&&other| other > text) {
                let sum = &mut weight_with[other as usize];
                if *sum == 0 {
                    touched.push(other);
                }
                *sum += weight;
            }
        }
        let total = self.totals[text as usize];
        for &other in touched.iter() {
            let weight = u64::from(std::mem::take(&mut weight_with[other as usize]));
            let poorer = total.min(self.totals[other as usize]) + SHORT_TEXT;
            if weight * 1024 >= LEAST_SHARE * poorer {
                found.push(Neighbour { text: other, share: weight as f32 / poorer as f32 });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn corpus(texts: &[Vec<u32>]) -> Vec<Features> {
        let features = |stems: &Vec<u32>| {
            let mut stems = stems.clone();
            stems.sort_unstable();
            stems.dedup();
            Features { stems: stems.into(), ..Features::default() }
        };
        texts.iter().map(features).collect()
    }

    fn neighbours(corpus: &[Features], text: u32) -> Vec<Neighbour> {
        let index = RareIndex::new(corpus);
        let mut found = Vec::new();
        index.later_neighbours(text, &corpus[text as usize], &mut Shared::default(), &mut found);
        found.sort_unstable_by_key(|neighbour| neighbour.text);
        found
    }

    proptest! {
        #[test]
        fn what_is_shared_is_counted_exactly(texts in prop::collection::vec(prop::collection::vec(0u32..60, 1..12), 2..60)) {
            let corpus = corpus(&texts);
            // Stems that fall to the same of the 1,024 counters count as one feature.
            let counter = |stem: u32| mix(1 << 32 | u64::from(stem)) & 1023;
            let held = |text: &Features, at: u64| text.stems.iter().filter(|&&stem| counter(stem) == at).count();
            let weight = |at: u64| {
                let n: usize = corpus.iter().map(|text| held(text, at)).sum();
                if n > MOST_DOCUMENTS as usize { 0 } else { (ONE as f32 * ln(41.0 / n as f32)) as u64 }
            };
            let total = |text: &Features| text.stems.iter().map(|&stem| weight(counter(stem))).sum::<u64>();
            for left in 0..corpus.len() {
                for neighbour in neighbours(&corpus, left as u32) {
                    let (a, b) = (&corpus[left], &corpus[neighbour.text as usize]);
                    let common: u64 =
                        a.stems.iter().map(|&stem| weight(counter(stem)) * held(b, counter(stem)) as u64).sum();
                    prop_assert_eq!(neighbour.share, common as f32 / (total(a).min(total(b)) + SHORT_TEXT) as f32);
                    prop_assert!(neighbour.text > left as u32);
                }
            }
        }
    }

    #[test]
    fn what_many_share_makes_no_candidates() {
        let common: Vec<u32> = (0..30).collect();
        let template: Vec<Vec<u32>> = (0..100).map(|i| common.iter().copied().chain([1000 + i]).collect()).collect();
        assert_eq!(neighbours(&corpus(&template), 0), []);
        let mut pair = template.clone();
        pair[7].extend([5000, 5001, 5002]);
        pair[9].extend([5000, 5001, 5002]);
        let found = neighbours(&corpus(&pair), 7);
        assert_eq!(found.iter().map(|neighbour| neighbour.text).collect::<Vec<_>>(), [9]);
    }
}
