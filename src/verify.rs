//! Candidates to verified pairs: the exact similarity of two texts, and what relation it makes.

use crate::content::{Features, Frequencies, PARTS, exp};
use crate::report::{Evidence, Relation};
use crate::shingle::{count_common, ratio};

/// A pair that passed: how, how surely, and by what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) relation: Relation,
    pub(crate) similarity: f32,
    pub(crate) evidence: Evidence,
}

/// The rule for edited copies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct NearRule {
    /// The least Jaccard similarity of the shingle sets.
    pub(crate) jaccard: f32,
}

/// The least share of the shorter text's shingles in the longer that makes an edited copy of a shortened or wrapped one.
const NEAR_CONTAINMENT: f32 = 0.8;

/// A containment is trusted only if the shorter text has that many shingles at least: a quoted sentence has fewer.
const NEAR_SHINGLES: usize = 40;

impl NearRule {
    /// Compares two shingle sets, ascending and without repeats. The evidence, and the similarity if it is an edited copy.
    pub(crate) fn judge(self, left: &[u64], right: &[u64]) -> (Evidence, Option<f32>) {
        let both = count_common(left, right);
        let shorter = left.len().min(right.len());
        let jaccard = ratio(both, left.len() + right.len() - both) as f32;
        let containment = ratio(both, shorter) as f32;
        let evidence = Evidence { jaccard, containment, shared_words: None, shared_pairs: None };
        let contained = containment >= NEAR_CONTAINMENT && shorter >= NEAR_SHINGLES;
        let similarity = match (jaccard >= self.jaccard, contained) {
            (true, _) => Some(jaccard),
            (false, true) => Some(containment),
            (false, false) => None,
        };
        (evidence, similarity)
    }
}

/// A text's features with their weights in a corpus, ready for comparison.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weighted {
    features: Features,
    weights: Box<[f32]>,
    pair_weights: Box<[f32]>,
    wide_weights: Box<[f32]>,
    stem_total: f32,
    pair_total: f32,
    wide_total: f32,
    part_totals: [f32; PARTS],
}

impl Weighted {
    pub(crate) fn new(features: Features, frequencies: &Frequencies) -> Self {
        let weights: Box<[f32]> = features.stems.iter().map(|&stem| frequencies.stem_weight(stem)).collect();
        let pair_weights: Box<[f32]> = features.pairs.iter().map(|&pair| frequencies.pair_weight(pair)).collect();
        let wide_weights: Box<[f32]> =
            features.wide_pairs.iter().map(|&pair| frequencies.rare_pair_weight(pair)).collect();
        let mut part_totals = [0.0; PARTS];
        for (&place, weight) in features.places.iter().zip(&weights) {
            part_totals[usize::from(place & 7)] += weight;
        }
        Self {
            stem_total: weights.iter().sum(),
            pair_total: pair_weights.iter().sum(),
            wide_total: wide_weights.iter().sum(),
            features,
            weights,
            pair_weights,
            wide_weights,
            part_totals,
        }
    }
}

/// The signals of a pair that decide whether it is a rewording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Signals {
    pub(crate) shared_words: f32,
    pub(crate) shared_pairs: f32,
}

/// Compares the content of two texts.
pub(crate) fn signals(left: &Weighted, right: &Weighted) -> Signals {
    let (short, long) = if left.stem_total <= right.stem_total { (left, right) } else { (right, left) };
    let mut words = 0.0;
    common(&short.features.stems, &long.features.stems, |at, _| words += short.weights[at]);
    let mut pairs = 0.0;
    common(&short.features.pairs, &long.features.pairs, |at, _| pairs += short.pair_weights[at]);
    Signals { shared_words: share(words, short.stem_total), shared_pairs: share(pairs, short.pair_total) }
}

impl Signals {
    /// The probability that the pair is a rewording, as calibrated on labelled rewritings.
    pub(crate) fn confidence(self) -> f32 {
        let x = 10.0 * (self.shared_words - 0.45) + 8.0 * (self.shared_pairs - 0.05);
        1.0 / (1.0 + exp(-x))
    }
}

fn share(part: f32, whole: f32) -> f32 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// Calls `each` with the places of every element that two ascending slices share.
#[inline(always)]
fn common(left: &[u32], right: &[u32], mut each: impl FnMut(usize, usize)) {
    let (mut i, mut j) = (0, 0);
    while i < left.len() && j < right.len() {
        let (a, b) = (left[i], right[j]);
        if a == b {
            each(i, j);
        }
        i += usize::from(a <= b);
        j += usize::from(b <= a);
    }
}
