//! Bands: which signatures meet in a bucket, and with what probability.
//!
//! The banding of MinHash signatures as in Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3: a
//! signature is cut into `b` bands of `r` rows, and two texts are candidates if all rows of one band are equal.

use std::ops::RangeInclusive;

use crate::error::{self, Result};
use crate::hash::mix2;

/// How a signature is cut: so many bands of so many rows.
///
/// ```
/// use retold::Bands;
///
/// let bands = Bands::for_threshold(0.7, 128)?;
/// assert_eq!((bands.bands(), bands.rows()), (25, 5));
/// assert!(bands.probability(0.7) > 0.98 && bands.probability(0.2) < 0.01);
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "Unchecked"))]
pub struct Bands {
    bands: u16,
    rows: u16,
}

/// Bands as they are read, which nobody has checked.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    bands: usize,
    rows: usize,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Bands {
    type Error = crate::Error;

    fn try_from(Unchecked { bands, rows }: Unchecked) -> Result<Self> {
        Self::new(bands, rows)
    }
}

const SLOTS: RangeInclusive<usize> = 1..=1024;

impl Bands {
    /// Cuts a signature into `bands` bands of `rows` rows each; it must have `bands · rows` slots at least.
    ///
    /// # Errors
    /// [`Error::OutOfRange`](crate::Error::OutOfRange) if either is 0 or the product is above 1024.
    pub fn new(bands: usize, rows: usize) -> Result<Self> {
        let check = |option, n: usize| error::check(option, n as f64, 1.0, 1024.0, "1 to 1024");
        check("bands", bands)?;
        check("rows", rows)?;
        check("bands · rows", bands * rows)?;
        Ok(Self { bands: bands as u16, rows: rows as u16 })
    }

    /// The deepest bands of a signature with `slots` slots that still find 95 % of the pairs whose similarity is
    /// `threshold`: as few candidates as that recall allows.
    ///
    /// # Errors
    /// As [`for_recall`](Self::for_recall).
    pub fn for_threshold(threshold: f64, slots: usize) -> Result<Self> {
        Self::for_recall(threshold, 0.95, slots)
    }

    /// The deepest bands that still find the share `recall` of the pairs whose similarity is `threshold`. Where even
    /// bands of one row find fewer, bands of one row.
    ///
    /// # Errors
    /// [`Error::OutOfRange`](crate::Error::OutOfRange) for a threshold or recall that is not above 0 and at most 1, or for
    /// 0 or more than 1024 slots.
    pub fn for_recall(threshold: f64, recall: f64, slots: usize) -> Result<Self> {
        error::check("threshold", threshold, f64::MIN_POSITIVE, 1.0, "more than 0, at most 1")?;
        error::check("recall", recall, f64::MIN_POSITIVE, 1.0, "more than 0, at most 1")?;
        error::check("slots", slots as f64, 1.0, *SLOTS.end() as f64, "1 to 1024")?;
        let deepest = (1..=slots)
            .map(|rows| Self { bands: (slots / rows) as u16, rows: rows as u16 })
            .rfind(|bands| bands.probability(threshold) >= recall);
        Ok(deepest.unwrap_or(Self { bands: slots as u16, rows: 1 }))
    }

    /// The number of bands, b.
    pub fn bands(&self) -> usize {
        usize::from(self.bands)
    }

    /// The number of rows in each band, r.
    pub fn rows(&self) -> usize {
        usize::from(self.rows)
    }

    /// The probability that two texts of this Jaccard similarity become candidates, 1 − (1 − jʳ)ᵇ: the S-curve.
    pub fn probability(&self, jaccard: f64) -> f64 {
        1.0 - power(1.0 - power(jaccard.clamp(0.0, 1.0), self.rows), self.bands)
    }

    /// One key a band; two signatures share a bucket where they share a key. `slots` has `bands · rows` slots at least.
    pub(crate) fn keys<'s>(&self, slots: &'s [u32]) -> impl Iterator<Item = u64> + use<'s> {
        slots.chunks_exact(self.rows()).take(self.bands()).zip(0..).map(|(rows, band)| key(band, rows))
    }
}

/// The bucket key of some rows of a band.
pub(crate) fn key(band: u64, rows: &[u32]) -> u64 {
    rows.iter().fold(band, |key, &row| mix2(key, u64::from(row)))
}

/// x to the n by repeated multiplication: the same on every platform, unlike `powi`.
fn power(x: f64, n: u16) -> f64 {
    (0..n).fold(1.0, |product, _| product * x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix;
    use crate::{MinHasher, Scheme};
    use proptest::prelude::*;

    #[test]
    fn impossible_bands_are_refused() {
        for threshold in [0.0, -1.0, 1.5, f64::NAN] {
            let refused = Bands::for_threshold(threshold, 128).unwrap_err().to_string();
            assert_eq!(refused, format!("threshold = {threshold} is out of range: give more than 0, at most 1"));
        }
        assert!(Bands::for_recall(0.5, 1.1, 128).is_err());
        assert!(Bands::for_threshold(0.5, 0).is_err());
        assert!(Bands::for_threshold(0.5, 2000).is_err());
        assert!(Bands::new(64, 32).is_err());
        let many = [Bands::new(1 << 40, 1), Bands::new(1, 1 << 40), Bands::for_threshold(0.5, 1 << 40)];
        assert!(many.into_iter().all(|refused| refused.unwrap_err().to_string().contains(" = 1099511627776 is")));
    }

    #[test]
    fn buckets_are_shared_as_often_as_the_s_curve_says() {
        // Seeded: pairs of sets of known similarity, signed; the share of pairs with an equal band lies within five
        // standard deviations of the binomial distribution around 1 − (1 − jʳ)ᵇ, plus a hundredth because the slots of a
        // Fast Similarity Sketch are not quite independent.
        const TRIALS: u64 = 1000;
        let mut hasher = MinHasher::new(Scheme::weighted_minhash()).unwrap();
        for (bands, rows) in [(64, 2), (32, 4), (16, 8)] {
            let bands = Bands::new(bands, rows).unwrap();
            for common in [20u64, 60, 100, 140, 180] {
                let each = (200 - common) / 2;
                let mut met = 0;
                for trial in 0..TRIALS {
                    let element = |x: u64| (mix(trial << 32 | common << 16 | x), 1);
                    let left = hasher.weighted((0..common + each).map(element)).unwrap().unwrap();
                    let right = (0..common).chain(common + each..200).map(element);
                    let right = hasher.weighted(right).unwrap().unwrap();
                    met += u64::from(bands.keys(left.slots()).zip(bands.keys(right.slots())).any(|(a, b)| a == b));
                }
                let expected = bands.probability(common as f64 / 200.0);
                let found = met as f64 / TRIALS as f64;
                let bound = 5.0 * (expected * (1.0 - expected) / TRIALS as f64).sqrt() + 0.01;
                assert!(
                    (found - expected).abs() < bound,
                    "{bands:?} at J = {}: {found}, not {expected}",
                    common as f64 / 200.0
                );
            }
        }
    }

    proptest! {
        #[test]
        fn the_s_curve_rises_from_0_to_1(bands in 1usize..33, rows in 1usize..32, x in 0.0f64..1.0, y in 0.0f64..1.0) {
            let bands = Bands::new(bands, rows)?;
            prop_assert_eq!((bands.probability(0.0), bands.probability(1.0)), (0.0, 1.0));
            prop_assert!(bands.probability(x.min(y)) <= bands.probability(x.max(y)));
        }

        #[test]
        fn the_chosen_bands_are_the_deepest_that_keep_the_recall(threshold in 0.05f64..1.0, recall in 0.5f64..0.999, slots in 16usize..1024) {
            let bands = Bands::for_recall(threshold, recall, slots)?;
            prop_assert!(bands.bands() * bands.rows() <= slots);
            prop_assert!(bands.probability(threshold) >= recall || bands.rows() == 1);
            for rows in bands.rows() + 1..=slots {
                prop_assert!(Bands::new(slots / rows, rows)?.probability(threshold) < recall);
            }
        }
    }
}
