//! The odds of all pairs to the share of copies among them.
//!
//! A corpus full of rewritings and a day of news need different lines: the same evidence that nearly always means a copy
//! where half of all look-alikes are copies means another report of the same event where one in a hundred is. How common
//! copies are is found from the odds of all pairs that were read, by expectation maximisation for a mixture of two kinds
//! with one unknown weight (Saerens, Latinne and Decaestecker, Neural Computation 2002).
//!
//! The odds are counted in an integer histogram, so that the counts of parts of a corpus can be added in any order.

use crate::content::exp;

/// Bins a unit of the logarithm of the odds.
const BINS_A_UNIT: f32 = 16.0;

/// Logarithms of odds beyond this are counted with it.
const MOST: f32 = 8.0;

const BINS: usize = (2.0 * MOST * BINS_A_UNIT) as usize + 1;

/// How many pairs are assumed beside those that are counted, and what share of them is copies: the evidence of a handful of
/// pairs must not make a corpus of copies.
const ASSUMED_PAIRS: f64 = 300.0;
pub(crate) const ASSUMED_SHARE: f64 = 0.05;

/// How many pairs have which odds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Odds([u64; BINS]);

impl Default for Odds {
    fn default() -> Self {
        Self([0; BINS])
    }
}

impl Odds {
    /// Counts a pair by the logarithm of its odds.
    pub(crate) fn add(&mut self, logarithm: f32) {
        // The cast cuts off at both ends.
        let bin = ((logarithm + MOST) * BINS_A_UNIT + 0.5) as usize;
        self.0[bin.min(BINS - 1)] += 1;
    }

    /// How many pairs are in each bin.
    pub(crate) fn counts(&self) -> &[u64] {
        &self.0
    }

    /// Adds so many pairs in each bin.
    pub(crate) fn add_counts(&mut self, counts: impl Iterator<Item = u64>) {
        self.0.iter_mut().zip(counts).for_each(|(mine, count)| *mine += count);
    }

    /// Adds the pairs of another part of the corpus.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// The share of copies among the pairs, 0 to 1, if odds are as they were fitted where it was `fitted`.
    pub(crate) fn share(&self, fitted: f32) -> f32 {
        let pairs = self.0.iter().sum::<u64>() as f64 + ASSUMED_PAIRS;
        let fitted = f64::from((1.0 - fitted) / fitted);
        let counted: Vec<(f64, f64)> = self
            .0
            .iter()
            .zip(0..)
            .filter(|(count, _)| **count > 0)
            .map(|(&count, bin)| (count as f64, fitted * f64::from(exp(bin as f32 / BINS_A_UNIT - MOST))))
            .collect();
        let mut share = ASSUMED_SHARE;
        // Each round at least halves the distance in practice; a hundred are far more than it takes.
        for _ in 0..100 {
            let odds = share / (1.0 - share);
            let copies: f64 = counted.iter().map(|&(count, ratio)| count * (ratio * odds / (1.0 + ratio * odds))).sum();
            let next = (copies + ASSUMED_PAIRS * ASSUMED_SHARE) / pairs;
            let moved = (next - share).abs();
            share = next;
            if moved < 1e-7 {
                break;
            }
        }
        share as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn without_pairs_it_is_what_is_assumed() {
        assert!((Odds::default().share(0.2) - 0.05).abs() < 1e-6);
    }

    #[test]
    fn many_sure_pairs_outweigh_what_is_assumed() {
        let of = |copies: u64, others: u64| {
            let mut odds = Odds::default();
            (0..copies).for_each(|_| odds.add(6.0));
            (0..others).for_each(|_| odds.add(-6.0));
            odds.share(0.2)
        };
        assert!(of(9_000, 1_000) > 0.85);
        assert!(of(100, 20_000) < 0.01);
        assert!(of(5, 0) < 0.08);
    }

    proptest! {
        #[test]
        fn parts_add_up_in_any_order(odds in prop::collection::vec(-12.0f32..12.0, 0..300), cut in any::<prop::sample::Index>()) {
            let count = |odds: &[f32]| {
                let mut counted = Odds::default();
                odds.iter().for_each(|&odds| counted.add(odds));
                counted
            };
            let (left, right) = odds.split_at(cut.index(odds.len() + 1));
            let merged = |first: &[f32], second: &[f32]| {
                let mut both = count(first);
                both.merge(&count(second));
                both
            };
            let both = merged(left, right);
            prop_assert_eq!(&both, &count(&odds));
            prop_assert_eq!(merged(right, left), both.clone());
            prop_assert!((0.0..=1.0).contains(&both.share(0.2)));
        }
    }
}
