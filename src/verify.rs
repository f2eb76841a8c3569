//! Candidates to verified pairs: the exact similarity of two texts, and what relation it makes.
//!
//! An edited copy is told by its shingles. A rewording shares few, and no single number tells it from a report on the same
//! subject; those of [`ContentEvidence`] do so together, and the weights of a [`Rule`] were fitted on labelled rewritings so
//! that the result is a probability.

use crate::content::{Features, Frequencies, PARTS, Place, exp, ln};
use crate::report::{ContentEvidence, Evidence};
use crate::shingle::{count_common, ratio};

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
        let evidence = Evidence { jaccard, containment, content: None };
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
    pub(crate) features: Features,
    /// The inverse document frequency of each stem, and how rare it is among rare ones.
    weights: Box<[(f32, f32)]>,
    pair_weights: Box<[f32]>,
    stem_total: f32,
    /// The weight of stems that are neither names nor numbers.
    plain_total: f32,
    name_total: f32,
    numbers: u32,
    pair_total: f32,
    part_totals: [f32; PARTS],
}

impl Weighted {
    pub(crate) fn new(features: Features, frequencies: &Frequencies) -> Self {
        let weights: Box<[(f32, f32)]> = features.stems.iter().map(|&stem| frequencies.stem_weights(stem)).collect();
        let shares = features.pairs.iter().zip(&features.pair_shares);
        let pair_weights: Box<[f32]> = shares.map(|(&pair, &english)| frequencies.pair_weight(pair, english)).collect();
        let mut text = Self { pair_total: pair_weights.iter().sum(), pair_weights, ..Self::default() };
        for (place, &(weight, rare)) in features.places.iter().zip(&weights) {
            text.stem_total += weight;
            text.part_totals[usize::from(place.part)] += weight;
            if place.is_name {
                text.name_total += rare;
            }
            if place.is_number {
                text.numbers += 1;
            }
            if !place.is_name && !place.is_number {
                text.plain_total += weight;
            }
        }
        Self { features, weights, ..text }
    }
}

/// Shared rare words whose order is compared, at most.
const ORDERED: usize = 64;

/// Compares the content of two texts; `usual` is what texts share with their twentieth-best neighbours.
pub(crate) fn compare(left: &Weighted, right: &Weighted, usual: f32) -> ContentEvidence {
    let (short, long) = if left.stem_total <= right.stem_total { (left, right) } else { (right, left) };
    let (mut plain, mut names, mut numbers) = (0.0, 0.0, 0);
    let mut parts = [0.0f32; PARTS];
    let mut rare: Vec<(u16, u16)> = Vec::with_capacity(128);
    common(&short.features.stems, &long.features.stems, |i, j| {
        let (weight, rarity) = short.weights[i];
        let (a, b): (Place, Place) = (short.features.places[i], long.features.places[j]);
        parts[usize::from(a.part)] += weight;
        if a.is_name || b.is_name {
            names += rarity;
        }
        numbers += u32::from(a.is_number && b.is_number);
        if !(a.is_name || b.is_name || a.is_number || b.is_number) {
            plain += weight;
        }
        if rarity > 0.0 {
            rare.push((a.at, b.at));
        }
    });
    let mut pairs = 0.0;
    common(&short.features.pairs, &long.features.pairs, |i, _| pairs += short.pair_weights[i]);
    for (shared, whole) in parts.iter_mut().zip(short.part_totals) {
        *shared = share(*shared, whole);
    }
    parts.sort_unstable_by(f32::total_cmp);
    let stems = |text: &Weighted| text.features.stems.len() as f32;
    ContentEvidence {
        words: share(plain, short.plain_total.min(long.plain_total)),
        pairs: share(pairs, short.pair_total.max(long.pair_total)),
        names: ((names + 3.0) / (short.name_total.min(long.name_total) + 6.0)).min(1.0),
        coverage: parts[2],
        order: order(&mut rare),
        numbers_missing: short.numbers.min(long.numbers).saturating_sub(numbers),
        usual,
        length_ratio: share(stems(left).min(stems(right)), stems(left).max(stems(right))),
        shorter: short.features.words.min(long.features.words),
    }
}

/// How far positions in two texts go together: the share of pairs in the same order less that in the other order, drawn
/// to 0 where there are few.
fn order(shared: &mut Vec<(u16, u16)>) -> f32 {
    let all = shared.len() as f32;
    if shared.len() < 2 {
        return 0.0;
    }
    shared.sort_unstable();
    shared.truncate(ORDERED);
    let n = shared.len();
    let same: usize = (0..n).map(|i| shared[i + 1..].iter().filter(|later| later.1 > shared[i].1).count()).sum();
    let share = 2.0 * same as f32 / (n * (n - 1) / 2) as f32 - 1.0;
    share * all / (all + 8.0)
}

/// How the numbers of [`ContentEvidence`] are weighed into the probability that a pair is a rewording: a logistic
/// regression over nine of them.
///
/// The default was fitted on labelled rewritings of many kinds and holds for corpora of five articles as for a million;
/// fit one of your own (`examples/evaluate` does) only if you have labels of your own.
///
/// ```
/// use retold::{Detector, Rule};
///
/// let rule = Rule { constant: Rule::default().constant - 1.0, ..Rule::default() };
/// let stricter = Detector::builder().rule(rule).build()?;
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rule {
    /// The weight of each value that [`ContentEvidence::values`] gives.
    pub weights: [f32; ContentEvidence::VALUES],
    /// Added to the weighed sum.
    pub constant: f32,
}

impl Default for Rule {
    fn default() -> Self {
        Self { weights: [9.05, 16.19, 6.01, 4.30, 5.37, -2.79, -60.55, 1.88, -0.82], constant: -6.22 }
    }
}

impl Rule {
    /// The probability that a pair with this evidence is a rewording, 0 to 1.
    pub fn confidence(&self, evidence: &ContentEvidence) -> f32 {
        let weighed: f32 = evidence.values().iter().zip(self.weights).map(|(value, weight)| value * weight).sum();
        1.0 / (1.0 + exp(-(weighed + self.constant)))
    }
}

impl ContentEvidence {
    /// How many values a [`Rule`] weighs.
    pub const VALUES: usize = 9;

    /// The evidence on the scales on which a [`Rule`] weighs it.
    pub fn values(&self) -> [f32; Self::VALUES] {
        [
            self.words,
            self.pairs.sqrt(),
            self.names,
            self.coverage,
            self.order,
            ln(1.0 + self.numbers_missing as f32),
            self.usual,
            ln(self.length_ratio + 0.001),
            ln(1.0 + self.shorter as f32),
        ]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_that_of_the_shared_words() {
        let forward: Vec<(u16, u16)> = (0..40).map(|at| (at, at + 3)).collect();
        assert_eq!(order(&mut forward.clone()), 40.0 / 48.0);
        let mut backward: Vec<_> = forward.iter().map(|&(a, b)| (a, 100 - b)).collect();
        assert_eq!(order(&mut backward), -40.0 / 48.0);
        assert_eq!(order(&mut vec![(1, 1)]), 0.0);
    }

    #[test]
    fn containment_needs_more_than_a_quotation() {
        let rule = NearRule { jaccard: 0.5 };
        let long: Vec<u64> = (0..1000).collect();
        assert_eq!(rule.judge(&long[..30], &long).1, None);
        assert_eq!(rule.judge(&long[..300], &long).1, Some(1.0));
        assert_eq!(rule.judge(&long[..600], &long).1, Some(0.6));
    }
}
