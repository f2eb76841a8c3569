//! Candidates of a whole corpus at once: buckets by sorting, deeper where they are crowded.
//!
//! A band of fixed depth puts all texts on one theme, or all fillings of one template, into one bucket, and the pairs in
//! it grow with its square. Here each band is the root of a tree: a bucket that is crowded is split by the next row of the
//! signature, one that is not is compared all against all. The work for each text stays bounded while the corpus grows.
//! This is the idea of LSH Forest (Bawa, Condie and Ganesan, WWW 2005) and of Chosen Path (Christiani and Pagh, STOC 2017).

use std::ops::Range;

use rayon::prelude::*;

/// The sketches of a corpus, one after the other.
#[derive(Default)]
pub(crate) struct Sketches {
    slots: usize,
    values: Vec<u32>,
}

impl Sketches {
    pub(crate) fn new(slots: usize, texts: usize) -> Self {
        Self { slots, values: vec![0; slots * texts] }
    }

    pub(crate) fn get(&self, text: u32) -> &[u32] {
        &self.values[text as usize * self.slots..][..self.slots]
    }

    /// The sketches to be filled, in runs of so many texts.
    pub(crate) fn par_chunks_mut(&mut self, texts: usize) -> impl IndexedParallelIterator<Item = &mut [u32]> {
        self.values.par_chunks_mut(texts * self.slots)
    }

    /// Keeps the sketches of some texts, given in ascending order.
    pub(crate) fn select(mut self, texts: &[u32]) -> Self {
        for (to, &from) in texts.iter().enumerate() {
            let from = from as usize * self.slots;
            self.values.copy_within(from..from + self.slots, to * self.slots);
        }
        self.values.truncate(texts.len() * self.slots);
        self
    }

    fn len(&self) -> u32 {
        (self.values.len() / self.slots) as u32
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
const NEXT_FEW: u32 = 4;

/// The buckets of a corpus.
pub(crate) struct Forest {
    trees: Vec<Tree>,
    bucket: usize,
}

struct Tree {
    /// All texts, those of one bucket side by side.
    order: Vec<u32>,
    /// Where in `order` each text stands.
    place: Vec<u32>,
    /// Where in `order` each bucket begins, and the end.
    starts: Vec<u32>,
    /// Crowded buckets: the first text of each, and where in `order` its texts stand; ascending.
    crowds: Vec<(u32, u32, u32)>,
}

impl Forest {
    /// Sorts all texts into the buckets of some of the trees. O(n log n) time and 12 bytes a text for each tree.
    pub(crate) fn grow(sketches: &Sketches, growth: Growth, trees: Range<usize>) -> Self {
        let trees = trees.into_par_iter().map(|tree| Tree::grow(sketches, growth, tree)).collect();
        Self { trees, bucket: growth.bucket }
    }

    /// Adds to `found` every text that shares a bucket with `text` and comes after it, once for each shared bucket.
    ///
    /// Of a crowded bucket every text meets the first, so that a star of many copies stays one; and if the bucket is
    /// crowded even at the deepest row, its next few. That is no square.
    pub(crate) fn later_neighbours(&self, text: u32, found: &mut Vec<u32>) {
        for tree in &self.trees {
            let place = tree.place[text as usize];
            let bucket = tree.starts.partition_point(|&start| start <= place);
            let (from, to) = (tree.starts[bucket - 1], tree.starts[bucket]);
            // Texts in a bucket are in ascending order.
            let reach = if (to - from) as usize <= self.bucket { to } else { (place + 1 + NEXT_FEW).min(to) };
            found.extend_from_slice(&tree.order[place as usize + 1..reach as usize]);
            let crowds = &tree.crowds[tree.crowds.partition_point(|crowd| crowd.0 < text)..];
            for &(_, from, to) in crowds.iter().take_while(|crowd| crowd.0 == text) {
                found.extend(tree.order[from as usize..to as usize].iter().filter(|&&other| other != text));
            }
        }
    }

    /// The number of buckets that were too crowded to compare all with all.
    pub(crate) fn crowded(&self) -> usize {
        self.trees.iter().map(|tree| tree.crowds.len()).sum()
    }
}

impl Tree {
    fn grow(sketches: &Sketches, growth: Growth, tree: usize) -> Self {
        let n = sketches.len();
        let row = |text: u32, depth: usize| sketches.get(text)[(tree * growth.rows + depth) % sketches.slots];
        let mut keyed: Vec<(u64, u32)> = (0..n)
            .map(|text| ((0..growth.rows).fold(0, |key, depth| crate::hash::mix2(key, row(text, depth).into())), text))
            .collect();
        keyed.sort_unstable();
        let mut grown = Self { order: Vec::new(), place: vec![0; n as usize], starts: Vec::new(), crowds: Vec::new() };
        grown.split(&mut keyed, 0, growth.rows, &growth, &row);
        grown.starts.push(n);
        grown.crowds.sort_unstable();
        grown.order = keyed.into_iter().map(|(_, text)| text).collect();
        for (at, &text) in (0..).zip(&grown.order) {
            grown.place[text as usize] = at;
        }
        grown
    }

    /// Notes where buckets begin in texts that are sorted by key, splitting crowded ones by the rows from `depth` on.
    fn split(
        &mut self,
        keyed: &mut [(u64, u32)],
        from: u32,
        depth: usize,
        growth: &Growth,
        row: &impl Fn(u32, usize) -> u32,
    ) {
        let (mut begin, whole) = (from, keyed.len());
        for run in keyed.chunk_by_mut(|a, b| a.0 == b.0) {
            let (start, end) = (begin, begin + run.len() as u32);
            begin = end;
            if run.len() <= growth.bucket {
                self.starts.push(start);
                continue;
            }
            // A row that all agree in does not make another crowd of the same texts.
            if depth == growth.rows || run.len() < whole {
                self.crowds.push((run[0].1, start, end));
            }
            if depth >= growth.deepest {
                self.starts.push(start);
            } else {
                run.iter_mut().for_each(|(key, text)| *key = row(*text, depth).into());
                run.sort_unstable();
                self.split(run, start, depth + 1, growth, row);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sketches(rows: &[Vec<u32>]) -> Sketches {
        let mut sketches = Sketches::new(8, rows.len());
        sketches.par_chunks_mut(1).zip(rows).for_each(|(sketch, row)| sketch.copy_from_slice(row));
        sketches
    }

    proptest! {
        #[test]
        fn uncrowded_buckets_hold_exactly_the_pairs_with_an_equal_band(
            rows in prop::collection::vec(prop::collection::vec(0u32..3, 8), 1..40),
        ) {
            let all = sketches(&rows);
            let forest = Forest::grow(&all, Growth { trees: 4, rows: 2, bucket: 40, deepest: 8 }, 0..4);
            for left in 0..rows.len() {
                let mut found = Vec::new();
                forest.later_neighbours(left as u32, &mut found);
                found.sort_unstable();
                let mut expected = Vec::new();
                for right in left + 1..rows.len() {
                    let bands = rows[left].chunks(2).zip(rows[right].chunks(2)).filter(|(a, b)| a == b).count();
                    expected.extend(std::iter::repeat_n(right as u32, bands));
                }
                prop_assert_eq!(found, expected);
            }
        }

        #[test]
        fn crowded_buckets_never_cost_their_square(rows in prop::collection::vec(prop::collection::vec(0u32..2, 8), 1..120)) {
            let growth = Growth { trees: 4, rows: 2, bucket: 6, deepest: 4 };
            let forest = Forest::grow(&sketches(&rows), growth, 0..4);
            let mut found = Vec::new();
            (0..rows.len() as u32).for_each(|text| forest.later_neighbours(text, &mut found));
            let levels = growth.deepest - growth.rows + 1;
            prop_assert!(found.len() <= rows.len() * growth.trees * (growth.bucket + levels));
        }
    }

    #[test]
    fn equal_sketches_all_meet_the_first_of_them() {
        let forest = Forest::grow(
            &sketches(&vec![vec![7; 8]; 1000]),
            Growth { trees: 1, rows: 2, bucket: 10, deepest: 6 },
            0..1,
        );
        let mut found = Vec::new();
        forest.later_neighbours(0, &mut found);
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len(), 999);
        assert_eq!(forest.crowded(), 1);
        found.clear();
        forest.later_neighbours(500, &mut found);
        assert_eq!(found, [501, 502, 503, 504]);
    }
}
