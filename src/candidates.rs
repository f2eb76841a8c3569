//! Candidates of a whole corpus at once: buckets by sorting, deeper where they are crowded.
//!
//! A band of fixed depth puts all texts on one theme, or all fillings of one template, into one bucket, and the pairs in
//! it grow with its square. Here each band is the root of a tree: a bucket that is crowded is split by the next row of the
//! signature, one that is not is compared all against all. The work for each text stays bounded while the corpus grows.
//! This is the idea of LSH Forest (Bawa, Condie and Ganesan, WWW 2005) and of Chosen Path (Christiani and Pagh, STOC 2017).

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;

use crate::hash::mix2;
use crate::store::{Block, CHUNK, Store};

/// The sketches of a corpus, where they were written when the texts were signed.
pub(crate) struct Sketches {
    slots: usize,
    store: Store,
    blocks: Vec<Block>,
    /// For each text where its sketch is.
    places: Vec<SketchPlace>,
}

/// Where the sketch of a text is: in which block, and how many are before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SketchPlace {
    pub(crate) block: u32,
    pub(crate) row: u32,
}

impl Sketches {
    /// Sketches of so many slots that are in blocks of a store, and where that of each text is.
    pub(crate) fn new(slots: usize, (store, blocks): (Store, Vec<Block>), places: Vec<SketchPlace>) -> Self {
        Self { slots, store, blocks, places }
    }

    #[inline(always)]
    pub(crate) fn get(&self, text: u32) -> Cow<'_, [u32]> {
        self.part(text as usize, 0..self.slots)
    }

    /// Some slots of a sketch.
    #[inline(always)]
    fn part(&self, text: usize, slots: Range<usize>) -> Cow<'_, [u32]> {
        let SketchPlace { block, row } = self.places[text];
        let start = row as usize * self.slots;
        self.store.part(&self.blocks[block as usize], start + slots.start..start + slots.end)
    }

    /// Asks for some slots of a sketch.
    #[inline(always)]
    fn fetch(&self, text: usize, slots: Range<usize>) {
        let SketchPlace { block, row } = self.places[text];
        let start = row as usize * self.slots;
        self.blocks[block as usize].fetch(start + slots.start..start + slots.end);
    }

    fn len(&self) -> u32 {
        self.places.len() as u32
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
pub(crate) const NEXT_FEW: usize = 4;

/// The pairs of texts that share a bucket.
#[derive(Debug, Default)]
pub(crate) struct Meetings {
    /// Each pair once for every tree that it meets in; the first text before the second.
    pub(crate) pairs: Vec<(u32, u32)>,
    /// The number of buckets that were too crowded to compare all with all.
    pub(crate) crowded: usize,
}

impl Meetings {
    /// Sorts all texts into the buckets of some of the trees: no more of these together than the sketches have slots for.
    /// Time grows linearly with the texts where few share a bucket. Memory is 4 bytes a text for each tree, and for each thread
    /// up to 5 more, or 17 where all texts share buckets.
    ///
    /// Of a crowded bucket every text meets the first, so that a star of many copies stays one; and if the bucket is
    /// crowded even at the deepest row, its next few. That is no square.
    pub(crate) fn in_trees(sketches: &Sketches, growth: Growth, trees: Range<usize>) -> Self {
        let keys = Keys::new(sketches, growth.rows, trees.clone());
        let grow = |tree| {
            let row = |text: u32, depth: usize| -> u32 { sketches.get(text)[growth.slot(tree, depth, sketches.slots)] };
            let mut keyed = keys.shared(tree - trees.start);
            keyed.sort_unstable();
            let mut met = Self::default();
            met.split(&mut keyed, growth.rows, &growth, &row);
            met
        };
        let grown: Vec<Self> = trees.clone().into_par_iter().with_max_len(1).map(grow).collect();
        let mut pairs = Vec::with_capacity(grown.iter().map(|tree| tree.pairs.len()).sum());
        grown.iter().for_each(|tree| pairs.extend_from_slice(&tree.pairs));
        Self { pairs, crowded: grown.iter().map(|tree| tree.crowded).sum() }
    }

    /// Adds the pairs in texts that are sorted by key, splitting crowded buckets by the rows from `depth` on.
    fn split(&mut self, keyed: &mut [u64], depth: usize, growth: &Growth, row: &impl Fn(u32, usize) -> u32) {
        let whole = keyed.len();
        // Texts in a bucket are in ascending order.
        for run in keyed.chunk_by_mut(|a, b| a >> 32 == b >> 32) {
            if run.len() <= growth.bucket {
                self.meet_next(run, run.len());
                continue;
            }
            // A row that all agree in does not make another crowd of the same texts.
            if depth == growth.rows || run.len() < whole {
                self.crowded += 1;
                self.meet_first(run[0], &run[1..]);
            }
            self.grow(run, depth, growth, row);
        }
    }

    /// Adds the pairs in a crowded bucket, of which all have met the first.
    fn grow(&mut self, run: &mut [u64], depth: usize, growth: &Growth, row: &impl Fn(u32, usize) -> u32) {
        if depth >= growth.deepest {
            self.meet_next(run, NEXT_FEW);
        } else {
            run.iter_mut().for_each(|text| *text = in_order(row(*text as u32, depth), *text as u32));
            run.sort_unstable();
            self.split(run, depth + 1, growth, row);
        }
    }

    /// Adds the pairs in one bucket, in whose texts so many rows are equal.
    pub(crate) fn in_bucket(&mut self, texts: &[u32], depth: usize, growth: &Growth, row: impl Fn(u32, usize) -> u32) {
        let mut run: Vec<u64> = texts.iter().map(|&text| text.into()).collect();
        if run.len() <= growth.bucket {
            return self.meet_next(&run, run.len());
        }
        self.crowded += 1;
        self.meet_first(run[0], &run[1..]);
        self.grow(&mut run, depth, growth, &row);
    }
}

impl Growth {
    /// Which slots of a sketch of so many a tree looks at, by depth.
    pub(crate) fn slot(&self, tree: usize, depth: usize, slots: usize) -> usize {
        (tree * self.rows + depth) % slots
    }
}

impl Meetings {
    /// Each of some texts, in order and under their keys, meets so many after it.
    fn meet_next(&mut self, texts: &[u64], most: usize) {
        for (at, &left) in texts.iter().enumerate() {
            let next = texts[at + 1..].iter().take(most);
            self.pairs.extend(next.map(|&right| (left as u32, right as u32)));
        }
    }

    /// All of some texts meet the first of their crowd.
    fn meet_first(&mut self, first: u64, texts: &[u64]) {
        self.pairs.extend(texts.iter().map(|&other| (first as u32, other as u32)));
    }
}

/// A text under a key, to be sorted.
fn in_order(key: u32, text: u32) -> u64 {
    u64::from(key) << 32 | u64::from(text)
}

/// The key of a text in a tree by its first rows.
#[inline(always)]
pub(crate) fn key_of(rows: &[u32]) -> u32 {
    (rows.iter().fold(0, |key, &row| mix2(key, row.into())) >> 32) as u32
}

/// Texts that are asked for before their turn: what is kept of them lies far apart in memory.
pub(crate) const AHEAD: usize = 16;

/// Texts whose keys stand together.
const BLOCK: usize = CHUNK;

/// The key of each text in each of some trees, which is equal where the first rows of the tree are.
struct Keys {
    trees: usize,
    /// A block of texts after the other; in each the keys of the first tree, then those of the second, and so on.
    blocks: Vec<u32>,
}

impl Keys {
    /// Reads a part of each sketch, in the order of the texts.
    fn new(sketches: &Sketches, rows: usize, trees: Range<usize>) -> Self {
        let rows_of_trees = trees.start * rows..trees.end * rows;
        let mut blocks = vec![0; sketches.len() as usize * trees.len()];
        let blocks_of_keys = blocks.par_chunks_mut(BLOCK * trees.len()).enumerate();
        blocks_of_keys.for_each(|(block, keys)| {
            let texts = keys.len() / trees.len();
            let first = block * BLOCK;
            for text in 0..texts {
                if text + AHEAD < texts {
                    sketches.fetch(first + text + AHEAD, rows_of_trees.clone());
                }
                let sketch = sketches.part(first + text, rows_of_trees.clone());
                for (tree, rows) in sketch.chunks_exact(rows).enumerate() {
                    keys[tree * texts + text] = key_of(rows);
                }
            }
        });
        Self { trees: trees.len(), blocks }
    }

    /// The keys of all texts in one tree.
    fn of(&self, tree: usize) -> impl Iterator<Item = &[u32]> {
        self.blocks.chunks(BLOCK * self.trees).map(move |block| {
            let texts = block.len() / self.trees;
            &block[tree * texts..][..texts]
        })
    }

    /// All texts that share their key in one tree with others, and some more, under their keys in the order of the texts.
    ///
    /// Most texts are alone with their keys, and sorting them would take most of the time.
    fn shared(&self, tree: usize) -> Vec<u64> {
        let mut sieve = Sieve::new(self.blocks.len() / self.trees);
        self.of(tree).flatten().for_each(|&key| sieve.add(key));
        let mut shared = Vec::new();
        let mut caught = [0; BLOCK];
        for (keys, first) in self.of(tree).zip((0..).step_by(BLOCK)) {
            let mut count = 0;
            for (&key, text) in keys.iter().zip(first..) {
                caught[count % BLOCK] = in_order(key, text);
                count += usize::from(sieve.is_shared(key));
            }
            shared.extend_from_slice(&caught[..count]);
        }
        // Most of what is left shares no key, but the upper bits of one: the lower bits come first now.
        let turned = |keyed: u64| ((keyed >> 32) as u32).rotate_left(16);
        sieve.clear();
        shared.iter().for_each(|&keyed| sieve.add(turned(keyed)));
        shared.retain(|&keyed| sieve.is_shared(turned(keyed)));
        shared
    }
}

/// Tells for most keys that nobody else has them: a Bloom filter with one hash that counts to two.
pub(crate) struct Sieve {
    /// In the lower half of each word what was added, in the upper half what was added again.
    words: Vec<u64>,
}

impl Sieve {
    /// For so many keys; 1 byte each. One in five that nobody else has is taken for shared.
    pub(crate) fn new(keys: usize) -> Self {
        Self { words: vec![0; keys.div_ceil(8)] }
    }

    fn clear(&mut self) {
        self.words.fill(0);
    }

    /// The word of a key, by its upper bits, and its bit in the lower half.
    #[inline(always)]
    fn place(&self, key: u32) -> (usize, u64) {
        let at = (u64::from(key) * 32 * self.words.len() as u64) >> 32;
        ((at / 32) as usize, 1 << (at % 32))
    }

    #[inline(always)]
    pub(crate) fn add(&mut self, key: u32) {
        let (word, bit) = self.place(key);
        let word = &mut self.words[word];
        *word |= bit | (*word & bit) << 32;
    }

    #[inline(always)]
    pub(crate) fn is_shared(&self, key: u32) -> bool {
        let (word, bit) = self.place(key);
        self.words[word] >> 32 & bit != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Budget, Share};
    use proptest::prelude::*;

    fn sketches(rows: &[Vec<u32>]) -> Sketches {
        let store = Budget::unlimited().store(Share::Words);
        let blocks = rows.chunks(7).map(|rows| store.keep(rows.concat())).collect();
        let places = (0..rows.len() as u32).map(|text| SketchPlace { block: text / 7, row: text % 7 }).collect();
        Sketches::new(8, (store, blocks), places)
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

    /// Sketches of texts that share no row, but for every hundredth, which is like the one ten before it.
    fn mostly_alone(texts: usize) -> Vec<Vec<u32>> {
        let row = |text: usize, row: usize| mix2(text as u64, row as u64) as u32;
        let like = |text: usize| if text % 100 == 99 { text - 10 } else { text };
        (0..texts).map(|text| (0..8).map(|at| row(like(text), at)).collect()).collect()
    }

    #[test]
    fn pairs_are_found_within_and_across_blocks() {
        let texts = 4 * BLOCK + 7;
        let growth = Growth { trees: 4, rows: 2, bucket: 6, deepest: 8 };
        for trees in [0..1, 1..4] {
            let mut found = Meetings::in_trees(&sketches(&mostly_alone(texts)), growth, trees.clone()).pairs;
            found.sort_unstable();
            let pairs = (99..texts as u32).step_by(100).map(|text| (text - 10, text));
            assert_eq!(found, pairs.flat_map(|pair| trees.clone().map(move |_| pair)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn few_of_the_texts_that_share_nothing_are_sorted() {
        let texts = 10_000;
        let keys = Keys::new(&sketches(&mostly_alone(texts)), 2, 0..4);
        for tree in 0..4 {
            let shared = keys.shared(tree).len();
            assert!((texts / 50..texts / 20).contains(&shared), "{shared} of {texts}");
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
