//! Candidates to verified pairs: the exact similarity of two texts, and what relation it makes.
//!
//! An edited copy is told by its shingles. A rewording shares few, and no single number tells it from a report on the same
//! subject; those of [`ContentEvidence`] do so together, and the weights of a [`Rule`] were fitted on labelled rewritings so
//! that the result is a probability.

use crate::content::{Features, Kind, PARTS, Place, UNIT, exp, ln};
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

/// The weight of the pairs of words that two texts share.
#[inline]
pub(crate) fn shared_pairs(left: &Features, right: &Features) -> u32 {
    let mut shared = 0;
    common(&left.pairs, &right.pairs, |i, _| shared += u32::from(left.pair_weights[i]));
    shared
}

/// The share of the poorer text's pairs of words that are in the other.
pub(crate) fn pair_containment(left: &Features, right: &Features, shared_pairs: u32) -> f32 {
    share(shared_pairs, left.totals.pairs.min(right.totals.pairs))
}

/// The least weight of a stem whose place in the order of a text is looked at.
const ORDERED_WEIGHT: u8 = (3.0 * UNIT) as u8;

/// Shared stems whose order is compared, at most.
const ORDERED: usize = 64;

/// Compares the content of two texts that share pairs of words of weight `shared_pairs`; `usual` is what such texts share
/// with others.
pub(crate) fn compare(left: &Features, right: &Features, shared_pairs: u32, usual: f32) -> ContentEvidence {
    let (short, long) = if left.totals.stems <= right.totals.stems { (left, right) } else { (right, left) };
    let (mut plain, mut names, mut numbers) = (0, 0, 0);
    let mut parts = [0; PARTS];
    let mut ordered: Vec<(u16, u16)> = Vec::with_capacity(128);
    common(&short.stems, &long.stems, |i, j| {
        let (a, b): (Place, Place) = (short.places[i], long.places[j]);
        parts[usize::from(a.part)] += u32::from(a.weight);
        match (a.kind, b.kind) {
            (Kind::Name, _) | (_, Kind::Name) => names += u32::from(a.rarity),
            (Kind::Number, Kind::Number) => numbers += 1,
            (Kind::Plain, Kind::Plain) => plain += u32::from(a.weight),
            _ => {}
        }
        if a.weight >= ORDERED_WEIGHT {
            ordered.push((a.at, b.at));
        }
    });
    let mut covered: [f32; PARTS] = std::array::from_fn(|part| share(parts[part], short.totals.parts[part]));
    covered.sort_unstable_by(f32::total_cmp);
    let (short, long) = (&short.totals, &long.totals);
    ContentEvidence {
        words: share(plain, short.plain.min(long.plain)),
        pairs: share(shared_pairs, short.pairs.max(long.pairs)),
        names: ((names as f32 + 3.0 * UNIT) / (short.names.min(long.names) as f32 + 6.0 * UNIT)).min(1.0),
        coverage: covered[2],
        order: order(&mut ordered),
        numbers_missing: short.numbers.min(long.numbers).saturating_sub(numbers),
        usual,
        length_ratio: share(left.distinct.min(right.distinct), left.distinct.max(right.distinct)),
        shorter: left.words.min(right.words),
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
    share * all / (all + 12.0)
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
        Self { weights: [8.52, 12.17, 6.49, 3.63, 11.0, -2.853, -58.05, 1.866, -1.024], constant: -5.766 }
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

fn share(part: u32, whole: u32) -> f32 {
    if whole > 0 { part as f32 / whole as f32 } else { 0.0 }
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
        assert_eq!(order(&mut forward.clone()), 40.0 / 52.0);
        let mut backward: Vec<_> = forward.iter().map(|&(a, b)| (a, 100 - b)).collect();
        assert_eq!(order(&mut backward), -40.0 / 52.0);
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
