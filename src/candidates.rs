//! Candidates of a whole corpus at once: buckets by sorting, deeper where they are crowded.
//!
//! A band of fixed depth puts all texts on one theme, or all fillings of one template, into one bucket, and the pairs in
//! it grow with its square. Here each band is the root of a tree: a bucket that is crowded is split by the next row of the
//! signature, one that is not is compared all against all. The work for each text stays bounded while the corpus grows.
//! This is the idea of LSH Forest (Bawa, Condie and Ganesan, WWW 2005) and of Chosen Path (Christiani and Pagh, STOC 2017).

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;

use crate::store::{Block, Store};

/// The sketches of a corpus, where they were written when the texts were signed.
pub(crate) struct Sketches {
    slots: usize,
    store: Store,
    /// Sketches of up to [`RUN`] texts each.
    blocks: Vec<Block>,
    /// For each text where its sketch is, counted as if all blocks were full.
    rows: Vec<u32>,
}

/// Texts whose sketches, or content words, are written together.
pub(crate) const RUN: usize = 128;

impl Sketches {
    /// Sketches of so many slots that are in blocks of a store, and where that of each text is.
    pub(crate) fn new(slots: usize, (store, blocks): (Store, Vec<Block>), rows: Vec<u32>) -> Self {
        Self { slots, store, blocks, rows }
    }

    #[inline(always)]
    pub(crate) fn get(&self, text: u32) -> Cow<'_, [u32]> {
        let row = self.rows[text as usize] as usize;
        let start = row % RUN * self.slots;
        self.store.part(&self.blocks[row / RUN], start..start + self.slots)
    }

    fn len(&self) -> u32 {
        self.rows.len() as u32
    }
}

/// How trees grow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Growth {
    /// Number of trees.
    pub(crate) trees: usize,
    /// Rows that texts in one bucket share at least.
    pub(crate) rows: usize,
    /// The most texts in a bucket that is not split further.
    pub(crate) bucket: usize,
    /// Rows after which a crowded bucket is not split further.
    pub(crate) deepest: usize,
}

/// Of a bucket that cannot be split, how many of the texts after it a text meets.
const NEXT_FEW: usize = 4;

/// The pairs of texts that share a bucket.
#[derive(Debug, Default)]
pub(crate) struct Meetings {
    /// Each pair once for every tree that it meets in; the first text before the second.
    pub(crate) pairs: Vec<(u32, u32)>,
    /// The number of buckets that were too crowded to compare all with all.
    pub(crate) crowded: usize,
}

impl Meetings {
    /// Sorts all texts into the buckets of some of the trees. O(n log n) time and 8 bytes a text for each thread.
    ///
    /// Of a crowded bucket every text meets the first, so that a star of many copies stays one; and if the bucket is
    /// crowded even at the deepest row, its next few. That is no square.
    pub(crate) fn in_trees(sketches: &Sketches, growth: Growth, trees: Range<usize>) -> Self {
        let grow = |tree| {
            let row =
                |text: u32, depth: usize| -> u32 { sketches.get(text)[(tree * growth.rows + depth) % sketches.slots] };
            let first: Vec<usize> = (0..growth.rows).map(|row| (tree * growth.rows + row) % sketches.slots).collect();
            let key = |text: u32| {
                let sketch = sketches.get(text);
                let key = first.iter().fold(0, |key, &row| crate::hash::mix2(key, sketch[row].into()));
                in_order((key >> 32) as u32, text)
            };
            let mut keyed: Vec<u64> = (0..sketches.len()).map(key).collect();
            keyed.sort_unstable();
            let mut met = Self::default();
            met.split(&mut keyed, growth.rows, &growth, &row);
            met
        };
        trees.into_par_iter().map(grow).reduce(Self::default, |mut left, mut right| {
            left.pairs.append(&mut right.pairs);
            left.crowded += right.crowded;
            left
        })
    }

    /// Adds the pairs in texts that are sorted by key, splitting crowded buckets by the rows from `depth` on.
    fn split(&mut self, keyed: &mut [u64], depth: usize, growth: &Growth, row: &impl Fn(u32, usize) -> u32) {
        let whole = keyed.len();
        // Texts in a bucket are in ascending order.
        for run in keyed.chunk_by_mut(|a, b| a >> 32 == b >> 32) {
            if run.len() <= growth.bucket {
                for (at, &left) in run.iter().enumerate() {
                    self.pairs.extend(run[at + 1..].iter().map(|&right| (left as u32, right as u32)));
                }
                continue;
            }
            // A row that all agree in does not make another crowd of the same texts.
            if depth == growth.rows || run.len() < whole {
                self.crowded += 1;
                self.pairs.extend(run[1..].iter().map(|&other| (run[0] as u32, other as u32)));
            }
            if depth >= growth.deepest {
                for (at, &left) in run.iter().enumerate() {
                    let next = run[at + 1..].iter().take(NEXT_FEW);
                    self.pairs.extend(next.map(|&right| (left as u32, right as u32)));
                }
            } else {
                run.iter_mut().for_each(|text| *text = in_order(row(*text as u32, depth), *text as u32));
                run.sort_unstable();
                self.split(run, depth + 1, growth, row);
            }
        }
    }
}

/// A text under a key, to be sorted.
fn in_order(key: u32, text: u32) -> u64 {
    u64::from(key) << 32 | u64::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Budget;
    use proptest::prelude::*;

    fn sketches(rows: &[Vec<u32>]) -> Sketches {
        let store = Budget::unlimited().store(1);
        let blocks = rows.chunks(RUN).map(|rows| store.keep(&rows.concat())).collect();
        Sketches::new(8, (store, blocks), (0..rows.len() as u32).collect())
    }

    proptest! {
        #[test]
        fn uncrowded_buckets_hold_exactly_the_pairs_with_an_equal_band(
            rows in prop::collection::vec(prop::collection::vec(0u32..3, 8), 1..40),
        ) {
            let all = sketches(&rows);
            let mut found = Meetings::in_trees(&all, Growth { trees: 4, rows: 2, bucket: 40, deepest: 8 }, 0..4).pairs;
            found.sort_unstable();
            let mut expected = Vec::new();
            for left in 0..rows.len() {
                for right in left + 1..rows.len() {
                    let bands = rows[left].chunks(2).zip(rows[right].chunks(2)).filter(|(a, b)| a == b).count();
                    expected.extend(std::iter::repeat_n((left as u32, right as u32), bands));
                }
            }
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn crowded_buckets_never_cost_their_square(rows in prop::collection::vec(prop::collection::vec(0u32..2, 8), 1..120)) {
            let growth = Growth { trees: 4, rows: 2, bucket: 6, deepest: 4 };
            let found = Meetings::in_trees(&sketches(&rows), growth, 0..4).pairs;
            let levels = growth.deepest - growth.rows + 1;
            prop_assert!(found.len() <= rows.len() * growth.trees * (growth.bucket + levels));
        }
    }

    #[test]
    fn equal_sketches_all_meet_the_first_of_them() {
        let growth = Growth { trees: 1, rows: 2, bucket: 10, deepest: 6 };
        let met = Meetings::in_trees(&sketches(&vec![vec![7; 8]; 1000]), growth, 0..1);
        let after = |text: u32| {
            let mut after: Vec<u32> = met.pairs.iter().filter(|pair| pair.0 == text).map(|pair| pair.1).collect();
            after.sort_unstable();
            after.dedup();
            after
        };
        assert_eq!(after(0), (1..1000).collect::<Vec<_>>());
        assert_eq!(after(500), [501, 502, 503, 504]);
        assert_eq!(met.crowded, 1);
    }
}
