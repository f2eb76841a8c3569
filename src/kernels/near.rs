//! Edited copies: keys, buckets, glances, comparisons, overlaps and furniture.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use super::{Broken, Kernels, Local};
use crate::candidates::{Meetings, NEXT_FEW, key_of};
use crate::crowds;
use crate::fingerprints::{COMMON, MOST_HOLDERS, SHORTEST, Sample};
use crate::furniture::{self, LEAST_HOLDERS, Mask, Related};
use crate::hash::mix2;
use crate::minhash::equal_slots;
use crate::near::{Compared, Glance, Near, TREES_AT_ONCE};
use crate::options::Level;
use crate::store::Budget;
use crate::texts::{Shingles, Texts};

/// A bucket of more texts is not split at once, but row by row.
pub const LARGEST: usize = 4096;

/// Two texts with their numbers.
pub type Two<'t> = ((u32, &'t str), (u32, &'t str));

/// The rows of a sketch by which a crowded bucket is split, four bytes each.
type Rows = Box<[u8]>;

impl Kernels {
    /// The sketch of a text, by the lowest byte of each slot.
    pub fn mini(&self, text: &str) -> Vec<u8> {
        self.single(text).sketch.iter().map(|&slot| slot as u8).collect()
    }

    /// The key of a text in each tree, with the tree above it.
    pub fn keys(&self, text: &str, mut each: impl FnMut(i64)) {
        let growth = self.detector.near.growth;
        let sketch = self.single(text).sketch;
        for (tree, rows) in (0..).zip(sketch.chunks_exact(growth.rows)).take(growth.trees) {
            each(tree << 32 | i64::from(key_of(rows)));
        }
    }

    /// For a text in a crowded bucket of this key: the one that it is in by the next row, and the rows by which this is split.
    pub fn deeper(&self, key: i64, text: &str) -> Bucket {
        let Near { growth, slots, .. } = self.detector.near;
        let (tree, sketch) = ((key >> 32) as usize, self.single(text).sketch);
        let depths = growth.rows..growth.deepest;
        let rows = depths.flat_map(|depth| sketch[growth.slot(tree, depth, slots)].to_le_bytes()).collect();
        let bucket = Bucket { path: key, round: (tree / TREES_AT_ONCE) as i32, depth: growth.rows as i32, rows };
        bucket.next(growth.rows)
    }

    /// In which group of trees those of a key are compared.
    pub fn round(&self, key: i64) -> i32 {
        ((key >> 32) as usize / TREES_AT_ONCE) as i32
    }

    /// Whether two texts of such sketches and so many words may be copies as a whole, for all that the lowest bytes of the sketches tell.
    pub fn may_be(&self, left: (&[u8], u32), right: (&[u8], u32)) -> bool {
        let near = &self.detector.near;
        let equal = left.0.iter().zip(right.0).filter(|(a, b)| a == b).count();
        near.rule_of_sketches(Glance::AsWhole).is_none_or(|rule| near.may_be(rule, equal, (left.1, right.1)))
    }

    /// Compares pairs of texts.
    pub fn compare(&self, rows: &[Compare<'_>]) -> Vec<Option<[f32; 3]>> {
        let near = &self.detector.near;
        let (local, pairs) = Self::local(rows.iter().map(|row| (row.left, row.right)));
        self.with_shingles(&local, |shingles| {
            let mut sketches: HashMap<u32, Vec<u32>> = HashMap::new();
            let mut sketch_of = |text: u32| {
                sketches.entry(text).or_insert_with(|| self.single(&local.texts[text as usize]).sketch).clone()
            };
            let compare = |(row, &(left, right)): (&Compare<'_>, &(u32, u32))| {
                let equal = || equal_slots(&sketch_of(left), &sketch_of(right));
                let may_be = near.may_be_at_a_glance(row.glance, shingles, (left, right), equal);
                let pair = may_be.then(|| near.pair(shingles, left, right))?;
                pair.relation.map(|_| [pair.similarity, pair.evidence.jaccard, pair.evidence.containment])
            };
            rows.iter().zip(&pairs).map(compare).collect()
        })
    }

    /// For pairs of texts, of which the first may be removed in favour of the second: whether they are edited copies and how similar, the
    /// Jaccard similarity, the containment, and the share of the first one's words that lie in shingles of the second.
    pub fn side_by_side(&self, rows: &[Two<'_>]) -> Vec<(bool, [f32; 4])> {
        let near = &self.detector.near;
        let (local, pairs) = Self::local(rows.iter().copied());
        self.with_shingles(&local, |shingles| {
            let look = |(&((removed, _), (kept, _)), &(a, b)): (&Two<'_>, &(u32, u32))| {
                let (left, right) = if removed < kept { (a, b) } else { (b, a) };
                let Compared { relation, similarity, evidence, .. } = near.pair(shingles, left, right);
                let covered = shingles.covered(a, &shingles.of(b));
                (relation.is_some(), [similarity, evidence.jaccard, evidence.containment, covered])
            };
            rows.iter().zip(&pairs).map(look).collect()
        })
    }

    pub(super) fn local<'t>(rows: impl Iterator<Item = Two<'t>>) -> (Local<'t>, Vec<(u32, u32)>) {
        let mut local = Local::new();
        let pairs = rows.map(|(left, right)| (local.add(left.0, left.1), local.add(right.0, right.1))).collect();
        (local, pairs)
    }

    pub(super) fn with_shingles<T>(&self, local: &Local<'_>, work: impl FnOnce(&Shingles<'_>) -> T) -> T {
        let words: Vec<u32> = local.texts.iter().map(|text| self.single(text).words).collect();
        let budget = Budget::unlimited();
        let read = |text: u32| Cow::Borrowed(&*local.texts[text as usize]);
        let texts = Texts { words: &words, read: &read, shingle: self.detector.admission.shingle, budget: &budget };
        work(&Shingles::new(texts))
    }

    /// The slots that most of some texts have, four bytes each.
    pub fn common_slots<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Vec<u8> {
        let sketches = texts.map(|text| self.single(text).sketch).collect();
        crowds::common_slots(sketches).into_iter().flat_map(u32::to_le_bytes).collect()
    }

    /// How far a text is from these.
    pub fn distance(&self, text: &str, common: &[u8]) -> usize {
        let common: Vec<u32> = common.as_chunks().0.iter().map(|&slot| u32::from_le_bytes(slot)).collect();
        crowds::distance(&self.single(text).sketch[..common.len().min(self.detector.near.slots)], &common)
    }

    /// Every other fingerprint of a text; so many words; and how many of them another one must have for this to stand in it, if that can be
    /// told.
    pub fn fingerprints(&self, text: &str) -> (Vec<u32>, u32, Option<u32>) {
        let mut single = self.single(text);
        single.fingerprints.retain(|&fingerprint| Sample::Half.keeps(fingerprint));
        let needed = Near::needed(single.words, single.fingerprints.len() as u32);
        (single.fingerprints, single.words, needed)
    }

    /// The hash and the windows of a text that may hold furniture, where these fingerprints are common.
    pub fn windows(&self, text: &str, mask: &Masked) -> Option<(u64, Vec<u32>)> {
        self.holding(text, mask).map(|holding| (holding.hash, holding.windows))
    }

    /// What it is told apart by: its distinct stems, four bytes each.
    pub fn stems(&self, text: &str, mask: &Masked) -> Vec<u8> {
        let told = self.holding(text, mask).map(|holding| holding.told).unwrap_or_default();
        told.into_iter().flat_map(u32::to_le_bytes).collect()
    }

    fn holding(&self, text: &str, mask: &Masked) -> Option<furniture::Holding> {
        mask.0.holding(text, &self.single(text).fingerprints, self.detector.admission.shingle)
    }
}

/// Two texts to be compared.
#[derive(Clone, Copy, Debug)]
pub struct Compare<'t> {
    pub left: (u32, &'t str),
    pub right: (u32, &'t str),
    pub(crate) glance: Glance,
}

impl<'t> Compare<'t> {
    /// By its number, what they are looked at by first: 0 for sketches of whole texts, 1 for sketches, 2 for a sample of shingles, 3 for
    /// nothing.
    pub fn new(left: (u32, &'t str), right: (u32, &'t str), glance: i32) -> Self {
        let glance = match glance {
            0 => Glance::AsWhole,
            1 => Glance::Sketches,
            2 => Glance::Sample,
            _ => Glance::None,
        };
        Self { left, right, glance }
    }
}

/// A bucket that is deeper than the root of its tree, as one of its texts has it.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Equal for the texts in it.
    pub path: i64,
    pub round: i32,
    /// So many rows are equal.
    pub depth: i32,
    pub rows: Rows,
}

impl Bucket {
    fn row(rows: &[u8], at: usize) -> u32 {
        rows.as_chunks().0.get(at).map_or(0, |&row| u32::from_le_bytes(row))
    }

    /// The bucket in this one by the next row.
    fn next(self, first: usize) -> Self {
        let row = Self::row(&self.rows, self.depth as usize - first);
        Self { path: mix2(self.path as u64, row.into()) as i64, depth: self.depth + 1, ..self }
    }
}

/// Takes the texts of one bucket after the other, those of each in ascending order, and gives the pairs that meet in it. What it holds at
/// a time is a bucket up to [`LARGEST`]; of larger ones it lets the texts go as they come, to be split by the next row.
#[derive(Debug, Default)]
pub struct Buckets {
    bucket: Option<(i64, i32, i32)>,
    texts: Vec<u32>,
    rows: Vec<Rows>,
    /// The first of a bucket that is too large, and the last few.
    first: Option<u32>,
    last: VecDeque<u32>,
    /// Pairs with the group of trees.
    pub pairs: Vec<(u32, u32, i32)>,
    /// Texts of roots that are crowded, under their keys, or of too large buckets, in the next ones.
    pub crowded: Vec<(i64, u32)>,
    pub deeper: Vec<(Bucket, u32)>,
}

impl Buckets {
    /// Takes a text that has a key in a tree.
    pub fn push_root(&mut self, kernels: &Kernels, key: i64, text: u32) {
        let bucket = (key, kernels.round(key), kernels.detector.near.growth.rows as i32);
        if self.bucket != Some(bucket) {
            self.finish(kernels);
            self.bucket = Some(bucket);
        }
        if let Some(first) = self.first {
            self.pairs.push((first, text, bucket.1));
            self.crowded.push((key, text));
            return;
        }
        self.texts.push(text);
        // What is crowded needs rows, which nobody has brought.
        if self.texts.len() > kernels.detector.near.growth.bucket {
            let first = self.texts[0];
            self.pairs.extend(self.texts[1..].iter().map(|&text| (first, text, bucket.1)));
            self.crowded.extend(self.texts.drain(..).map(|text| (key, text)));
            self.first = Some(first);
        }
    }

    /// Takes a text that is in a deeper bucket.
    pub fn push(&mut self, kernels: &Kernels, text: u32, of: Bucket) {
        let bucket = (of.path, of.round, of.depth);
        if self.bucket != Some(bucket) {
            self.finish(kernels);
            self.bucket = Some(bucket);
        }
        self.texts.push(text);
        self.rows.push(of.rows);
        if self.first.is_some() || self.texts.len() > LARGEST {
            self.let_go(kernels);
        }
    }

    /// Of a bucket that is too large, the texts at hand.
    fn let_go(&mut self, kernels: &Kernels) {
        let Some((path, round, depth)) = self.bucket else { return };
        let growth = kernels.detector.near.growth;
        let first = *self.first.get_or_insert(self.texts[0]);
        for (text, rows) in self.texts.drain(..).zip(self.rows.drain(..)) {
            if text != first {
                self.pairs.push((first, text, round));
            }
            if depth as usize >= growth.deepest {
                self.pairs.extend(self.last.iter().map(|&before| (before, text, round)));
                self.last.push_back(text);
                if self.last.len() > NEXT_FEW {
                    self.last.pop_front();
                }
            } else {
                self.deeper.push((Bucket { path, round, depth, rows }.next(growth.rows), text));
            }
        }
    }

    /// The bucket at hand is complete.
    pub fn finish(&mut self, kernels: &Kernels) {
        if let (Some((_, round, depth)), None) = (self.bucket, self.first) {
            let growth = kernels.detector.near.growth;
            let mut met = Meetings::default();
            let row = |at: u32, depth: usize| {
                self.rows.get(at as usize).map_or(0, |rows| Bucket::row(rows, depth - growth.rows))
            };
            let places: Vec<u32> = (0..self.texts.len() as u32).collect();
            met.in_bucket(&places, depth as usize, &growth, row);
            let text = |at: u32| self.texts[at as usize];
            self.pairs.extend(met.pairs.into_iter().map(|(left, right)| (text(left), text(right), round)));
        }
        self.bucket = None;
        self.first = None;
        self.last.clear();
        self.texts.clear();
        self.rows.clear();
    }
}

/// A text that holds a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    pub text: u32,
    /// How many fingerprints of it another text must have, if that can tell anything.
    pub needed: Option<u32>,
}

/// How many fingerprints two texts share, how many of these very many hold, and how many are needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overlap {
    pub count: u32,
    pub crowded: u32,
    pub needed: u32,
}

/// Takes the holders of one fingerprint after the other, those of each in the order of their words and then of their numbers, and gives
/// the pairs that share some. It holds some forty holders at a time, and the pairs.
#[derive(Debug, Default)]
pub struct Overlapping {
    fingerprint: Option<u32>,
    holders: Vec<Holder>,
    count: usize,
    last: Option<u32>,
    /// By the shorter and the longer text.
    pub pairs: HashMap<(u32, u32), Overlap>,
    pub common: Vec<u32>,
    /// Fingerprints that so many texts hold that not all of these were paired.
    pub crowded: usize,
}

impl Overlapping {
    pub fn push(&mut self, fingerprint: u32, holder: Holder) {
        if self.fingerprint != Some(fingerprint) {
            self.finish();
            self.fingerprint = Some(fingerprint);
        }
        if self.last.replace(holder.text) == Some(holder.text) {
            return;
        }
        self.count += 1;
        if self.count == COMMON {
            self.common.push(fingerprint);
        }
        if self.count == MOST_HOLDERS + 1 {
            // Only the shortest are paired with all from here on.
            self.crowded += 1;
            for holder in std::mem::take(&mut self.holders) {
                self.pair_with_shortest(holder);
            }
        }
        match self.count > MOST_HOLDERS {
            true => self.pair_with_shortest(holder),
            false => self.holders.push(holder),
        }
    }

    fn pair_with_shortest(&mut self, holder: Holder) {
        if holder.needed.is_none() {
            return;
        }
        for shorter in &self.holders {
            share(&mut self.pairs, shorter, holder, true);
        }
        if self.holders.len() < SHORTEST {
            self.holders.push(holder);
        }
    }

    /// The fingerprint at hand is complete.
    pub fn finish(&mut self) {
        if self.count <= MOST_HOLDERS {
            for (at, shorter) in self.holders.iter().enumerate() {
                self.holders[at + 1..].iter().for_each(|&longer| share(&mut self.pairs, shorter, longer, false));
            }
        }
        self.holders.clear();
        (self.fingerprint, self.count, self.last) = (None, 0, None);
    }
}

/// Notes that two texts share one more fingerprint, if the shorter one can be told to stand in others.
fn share(pairs: &mut HashMap<(u32, u32), Overlap>, shorter: &Holder, longer: Holder, is_crowded: bool) {
    if let Some(needed) = shorter.needed {
        let overlap = pairs.entry((shorter.text, longer.text)).or_default();
        overlap.count += 1;
        overlap.crowded += u32::from(is_crowded);
        overlap.needed = needed;
    }
}

/// A window of words that may be furniture, with those that hold it, four bytes each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    pub window: u32,
    pub holders: Vec<u8>,
}

/// Takes the holders of one window after the other, those of each in the order of their hashes and then of their numbers.
#[derive(Debug, Default)]
pub struct Windows {
    window: Option<u32>,
    holders: Vec<u32>,
    count: usize,
    last: Option<u32>,
    pub found: Vec<Passage>,
}

impl Windows {
    pub fn push(&mut self, window: u32, text: u32) {
        if self.window != Some(window) {
            self.finish();
            self.window = Some(window);
        }
        if self.last.replace(text) == Some(text) {
            return;
        }
        self.count += 1;
        if self.holders.len() < furniture::MOST_HOLDERS {
            self.holders.push(text);
        }
    }

    /// The window at hand is complete.
    pub fn finish(&mut self) {
        if let Some(window) = self.window.take().filter(|_| self.count >= LEAST_HOLDERS) {
            let holders = self.holders.iter().flat_map(|text| text.to_le_bytes()).collect();
            self.found.push(Passage { window, holders });
        }
        self.holders.clear();
        (self.count, self.last) = (0, None);
    }
}

/// Takes for one list of holders after the other the stems of each, in their order, and then the windows that they hold.
#[derive(Debug, Default)]
pub struct Unrelated {
    holders: Option<Vec<u8>>,
    stems: Vec<Vec<u32>>,
    /// Whether they tell of different stories, and of different events, once that was asked.
    are_unrelated: [Option<bool>; 2],
    /// The windows that rewordings are judged without, and those that are no excerpts, as far as these are looked for.
    pub found: [Vec<u32>; 2],
}

impl Unrelated {
    pub fn push(&mut self, kernels: &Kernels, holders: &[u8], stems: Option<&[u8]>, window: u32) -> Result<(), Broken> {
        if self.holders.as_deref() != Some(holders) {
            self.holders = Some(holders.to_vec());
            self.stems.clear();
            self.are_unrelated = [None; 2];
        }
        match stems {
            Some(stems) => {
                let (stems, rest) = stems.as_chunks();
                if !rest.is_empty() {
                    return Err(Broken);
                }
                self.stems.push(stems.iter().map(|&stem| u32::from_le_bytes(stem)).collect());
            }
            None => {
                let wanted = [kernels.detector.level == Level::Reworded, kernels.wants_excerpts()];
                for (at, related) in [Related::Story, Related::Event].into_iter().enumerate().filter(|of| wanted[of.0])
                {
                    let stems = self.stems.iter().map(|stems| Cow::Borrowed(&stems[..]));
                    let are_unrelated = &mut self.are_unrelated[at];
                    if *are_unrelated.get_or_insert_with(|| furniture::are_unrelated(stems, related)) {
                        self.found[at].push(window);
                    }
                }
            }
        }
        Ok(())
    }
}

/// What furniture is told by: fingerprints that are common, and windows that are furniture.
#[derive(Debug, Default)]
pub struct Masked(pub(crate) Mask);

impl Masked {
    pub fn new(common: Vec<u32>, windows: Vec<u32>) -> Self {
        let in_order = |mut numbers: Vec<u32>| {
            numbers.sort_unstable();
            numbers.dedup();
            numbers
        };
        Self(Mask::new(in_order(common), in_order(windows)))
    }
}
