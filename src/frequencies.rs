//! Features to document frequencies: how many texts hold each feature of a corpus, and of rare ones, which.
//!
//! A table of all features of a large corpus is far larger than any cache, and to look up each feature of each text in it
//! is to wait for memory hundreds of times a text. So features are counted as databases join: those of a run of texts are
//! first put into buckets by the upper bits of their hash, then each bucket, which the cache can hold, is counted by
//! itself, and what was found goes back the way the features came, in their order (radix-partitioned hash join: Boncz,
//! Manegold and Kersten, VLDB 1999). The counts are exact, and the buckets of a large corpus are taken a part at a time, so
//! that memory stays bounded.
//!
//! [`Frequencies`] of two corpora do not add up to those of both. Which texts are edited copies, of which one counts as a
//! document, is known of the whole alone. And what one text of each has is held by two of the whole, but is in neither
//! table: with it a table would be some three times as large (of 44,511 articles 3.1 million features instead of
//! 1.1 million). Who counts a corpus in parts, as engines do (`kernels`), finds the leaders first, and then adds up holders: what comes of
//! any parts are the frequencies of the whole, to the bit.

use std::borrow::Cow;
use std::hint::black_box;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use rayon::prelude::*;

use crate::arch;
use crate::content::{CHUNKS_A_TASK, FEATURE_BITS, TokenChunk, TokenChunks, exp, features, ln};
use crate::error::{Error, Result};
use crate::store::{self, Block, Budget, CHUNK, CHUNK_BITS, Share, Store};

/// A feature that more documents hold is no evidence of copying, however large the corpus.
pub(crate) const MOST_DOCUMENTS: u32 = 40;

/// Bytes that a feature of a text takes while it is counted: what is left of it, and the text.
const BYTES: usize = size_of::<u32>() + size_of::<u16>();

/// Features of so many bytes are counted at once in any case, and so many more for each text.
const BYTES_AT_ONCE: usize = 1 << 20;
const BYTES_A_TEXT: usize = 520;

/// Texts whose features are put into buckets together, as a number of bits. What a bucket has of a run lies in a page of the memory of its
/// own, and the processor knows some thousand pages by heart: so in a large corpus a run is several chunks.
#[derive(Clone, Copy, Debug)]
struct Run {
    bits: u32,
}

impl Run {
    /// A run is one chunk up to so many of them; beyond, there are as many runs at least, so that all threads have enough to do.
    const FEW: usize = if cfg!(test) { 1 } else { 128 };
    /// A feature, less the bits of its bucket, and a text of the run make no more than 48 bits.
    const MOST_BITS: u32 = CHUNK_BITS + 2;

    /// For a corpus of so many chunks.
    fn of(chunks: usize) -> Self {
        let chunks = (chunks / Self::FEW).max(1);
        Self { bits: (CHUNK_BITS + chunks.ilog2()).min(Self::MOST_BITS) }
    }

    fn texts(self) -> usize {
        1 << self.bits
    }

    fn chunks(self) -> usize {
        self.texts() / CHUNK
    }

    /// Bits of an entry that have room for the number of a feature of its bucket.
    fn number_bits(self) -> u32 {
        if cfg!(test) { 5 } else { u32::BITS - 1 - self.bits }
    }
}

/// Into how many tasks the work of a thread is cut at least, where there is much of it: none is waited for long.
const TASKS_A_THREAD: usize = 32;

/// All texts are walked once for each part. Were long texts cut into ever more of them, time would grow with the square of
/// their length.
const MOST_PARTS: usize = 16;

/// The same where memory is given: who has little of it has more time.
const MOST_PARTS_IN_LITTLE: usize = 64;

/// How many documents hold a feature, in a byte: exact up to 127, from there on in steps of a tenth of the natural logarithm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held(u8);

impl Held {
    /// No other text has the feature.
    pub(crate) const ALONE: Self = Self(0);
    /// One of the texts that are counted has it, and others that are not.
    pub(crate) const ONCE: Self = Self(1);
    const EXACT: u32 = 127;

    pub(crate) fn new(documents: u32) -> Self {
        if documents <= Self::EXACT {
            return Self(documents as u8);
        }
        let steps = 10.0 * ln(documents as f32 / Self::EXACT as f32) + 0.5;
        Self((Self::EXACT as f32 + steps).min(255.0) as u8)
    }

    pub(crate) fn of_code(code: u8) -> Self {
        Self(code)
    }

    /// Of a feature that so many documents hold, and so many texts, whether they count as documents or not.
    #[inline(always)]
    pub(crate) fn by(documents: u32, texts: u32) -> Self {
        match documents {
            0 | 1 if texts < 2 => Self::ALONE,
            0 | 1 => Self::ONCE,
            documents => Self::new(documents),
        }
    }

    /// As many documents as the one or the other says, those that are more.
    #[inline(always)]
    pub(crate) fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    pub(crate) fn code(self) -> usize {
        self.0.into()
    }

    /// Whether at least two texts hold the feature, and so few that it tells of copying.
    #[inline(always)]
    pub(crate) fn is_rare(self) -> bool {
        (2..=MOST_DOCUMENTS).contains(&self.0.into())
    }

    /// The number of documents that a code stands for, at least 1.
    pub(crate) fn documents(code: usize) -> f32 {
        match code.saturating_sub(Self::EXACT as usize) {
            0 => code.max(1) as f32,
            steps => Self::EXACT as f32 * exp(steps as f32 / 10.0),
        }
    }
}

/// Names the list of the texts that hold a rare feature: two features are the same if their lists are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ListId(u64);

impl ListId {
    /// The name as a number, and back: of 32 bits, or of 40 where [names are long](Names::are_long).
    pub(crate) fn code(self) -> u64 {
        self.0
    }

    #[inline(always)]
    pub(crate) fn of_code(code: u64) -> Self {
        Self(code)
    }
}

/// How lists are named: by their bucket, which is so many upper bits of a feature, and by where they begin in there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    bucket_bits: u32,
    start_bits: u32,
}

impl Names {
    /// They take four bytes. Each content word of a corpus begins two features at most, of which each takes one word of a list, and half a
    /// word of its length: lists of so many content words have room for sure.
    const SHORT: Self = Self { bucket_bits: 12, start_bits: 20 };
    const SHORT_WORDS: usize = if cfg!(test) { 100 } else { 1 << 30 };

    /// They take five bytes, and have room for 128 times as many.
    const LONG: Self = Self { bucket_bits: 16, start_bits: Found::START_BITS };

    /// For the lists of a corpus with so many content words.
    pub(crate) fn of(words: usize) -> Self {
        if words <= Self::SHORT_WORDS { Self::SHORT } else { Self::LONG }
    }

    /// Whether they take more than 32 bits.
    #[inline(always)]
    pub(crate) fn are_long(self) -> bool {
        self.bucket_bits + self.start_bits > u32::BITS
    }

    fn buckets(self) -> usize {
        1 << self.bucket_bits
    }

    /// Bits that are left of a feature in its bucket.
    fn low_bits(self) -> u32 {
        FEATURE_BITS - self.bucket_bits
    }

    #[inline(always)]
    fn bucket(self, feature: u64) -> usize {
        (feature >> self.low_bits()) as usize
    }

    #[inline(always)]
    fn name(self, bucket: usize, start: u32) -> ListId {
        ListId((bucket as u64) << self.start_bits | u64::from(start))
    }
}

/// Which texts hold each rare feature.
pub(crate) struct Lists {
    store: Store,
    names: Names,
    /// For each bucket its lists, each one its length and then the texts, ascending.
    buckets: Vec<Block>,
}

impl Lists {
    /// Asks for a list.
    #[inline(always)]
    pub(crate) fn fetch(&self, list: ListId) {
        let (bucket, start) = self.place(list);
        bucket.fetch(start..start + 1);
    }

    /// The bucket of a list, and where it begins in there.
    #[inline(always)]
    fn place(&self, list: ListId) -> (&Block, usize) {
        let (bucket, start) = (list.0 >> self.names.start_bits, list.0 % (1 << self.names.start_bits));
        (&self.buckets[bucket as usize], start as usize)
    }

    #[inline(always)]
    pub(crate) fn get(&self, list: ListId) -> Cow<'_, [u32]> {
        let (bucket, start) = self.place(list);
        // One reading brings the longest list.
        let longest = start..start + 1 + MOST_DOCUMENTS as usize;
        // A name that could not be read back may be none.
        match self.store.part(bucket, longest) {
            Cow::Borrowed([]) => Cow::Borrowed(&[]),
            Cow::Borrowed([len, texts @ ..]) => Cow::Borrowed(&texts[..texts.len().min(*len as usize)]),
            Cow::Owned(mut words) => {
                let len = words.first().map_or(0, |&len| len as usize);
                words.truncate(1 + len);
                words.drain(..1.min(words.len()));
                Cow::Owned(words)
            }
        }
    }
}

/// A chunk of texts that is told about its features, some at a time.
pub(crate) trait Learn: Send + Sync {
    /// What is at hand while it learns.
    type Scratch: Default;

    /// Takes what was found out about some of the features: it must ask for all, in the order of [`features`].
    fn learn(&mut self, tokens: TokenChunk<'_>, answers: &mut Answers, scratch: &mut Self::Scratch);
}

/// Counts the features of all texts and tells each chunk about its own, part by part; `counts` says whether a text counts
/// as a document and is put on lists.
///
/// # Errors
/// [`Error::TooLarge`] if there are more rare features than names for their lists, beyond some thousand million articles;
/// [`Error::Spill`].
pub(crate) fn count<L: Learn>(
    tokens: &TokenChunks,
    learners: &mut [L],
    parts: Parts,
    counts: impl Fn(usize) -> bool + Sync,
    budget: &Arc<Budget>,
) -> Result<Lists> {
    let names = parts.names;
    let mut lists = Lists { store: budget.store(Share::Lists), names, buckets: Vec::with_capacity(names.buckets()) };
    let run = Run::of(tokens.len());
    // What a thread has at hand is made anew for each task, which of many runs takes several.
    let runs_a_task = tokens.len() / run.chunks() / (TASKS_A_THREAD * rayon::current_num_threads());
    let runs_a_task = runs_a_task.max(CHUNKS_A_TASK / run.chunks()).max(1);
    for buckets in parts.buckets() {
        let partition = |keys: &mut Vec<u64>, first: usize| {
            keys.clear();
            for (at, chunk) in (first..tokens.len().min(first + run.chunks())).enumerate() {
                tokens.with(chunk, |chunk| add_keys(chunk, (run, at), (names, &buckets), keys));
            }
            Partition::new(keys, run, (names, &buckets))
        };
        let firsts = (0..tokens.len()).into_par_iter().step_by(run.chunks()).with_max_len(runs_a_task);
        let mut partitions: Vec<Partition> = firsts.map_init(Vec::new, partition).collect();
        // What could not be read is missed later.
        budget.check()?;
        let bucket = |table: &mut Table, bucket: usize| {
            count_bucket((&partitions, run), bucket - buckets.start, names, &counts, table)
                .map(|found| lists.store.keep(found))
        };
        let counted: Option<Vec<Block>> =
            buckets.clone().into_par_iter().with_max_len(64).map_init(Table::default, bucket).collect();
        lists.buckets.extend(counted.ok_or(Error::TooLarge { articles: tokens.texts() })?);
        // Answers need no more than the places.
        partitions.iter_mut().for_each(|partition| partition.upper = Vec::new());
        let learners = learners.par_chunks_mut(run.chunks()).enumerate().zip(partitions).with_max_len(runs_a_task);
        learners.for_each_init(L::Scratch::default, |scratch, ((at, learners), partition)| {
            let mut answers =
                Answers { next: partition.starts, entries: partition.entries, names, buckets: buckets.clone() };
            for (chunk, learner) in (at * run.chunks()..).zip(learners) {
                tokens.with(chunk, |chunk| learner.learn(chunk, &mut answers, scratch));
            }
        });
        budget.check()?;
    }
    Ok(lists)
}

/// How many documents hold each feature of a corpus that two texts have at least, to weigh other texts by.
#[derive(Debug)]
pub(crate) struct Frequencies {
    /// What is left of features without their upper bits, in their order, four bytes each: of all that have the same upper bits, and behind
    /// them for each in a byte how many documents hold it, so that both come from one place of the memory.
    entries: Vec<u8>,
    /// How many features have lower upper bits, and by how much a feature is shifted for them: about eight have the same.
    starts: Vec<u32>,
    shift: u32,
}

impl Default for Frequencies {
    fn default() -> Self {
        Self::new(std::iter::empty())
    }
}

/// Features are looked up by so many of their upper bits first: at least by those that leave 32.
const START_BITS: [u32; 2] = [FEATURE_BITS - u32::BITS, 24];

/// Bytes that a feature takes, with how many documents hold it.
const ENTRY: usize = size_of::<u32>() + size_of::<u8>();

impl Frequencies {
    /// Those of all texts; `counts` says whether one counts as a document.
    ///
    /// # Errors
    /// As [`count`].
    pub(crate) fn of(
        tokens: &TokenChunks,
        counts: impl Fn(usize) -> bool + Sync,
        budget: &Arc<Budget>,
    ) -> Result<Self> {
        let mut learners: Vec<Noted> = (0..tokens.len()).map(|_| Noted::default()).collect();
        count(tokens, &mut learners, Parts::new(tokens.texts(), tokens.words(), budget), counts, budget)?;
        let mut all: Vec<u64> = learners.into_iter().flat_map(|Noted(seen)| seen).collect();
        all.par_sort_unstable();
        all.dedup();
        Ok(Self::new(all.into_iter().map(|seen| (seen >> 8, seen as u8))))
    }

    /// From features, ascending, and the codes of how many documents hold each.
    pub(crate) fn new(all: impl ExactSizeIterator<Item = (u64, u8)>) -> Self {
        let bits = (all.len() / 8).next_power_of_two().trailing_zeros();
        let bits = bits.clamp(START_BITS[0], START_BITS[1]);
        let (shift, mut starts) = (FEATURE_BITS - bits, vec![0; (1 << bits) + 1]);
        let (mut entries, mut held, mut last) = (Vec::with_capacity(ENTRY * all.len()), Vec::new(), 0);
        for (feature, code) in all {
            let upper = (feature >> shift) as usize;
            if std::mem::replace(&mut last, upper) != upper {
                entries.append(&mut held);
            }
            starts[upper + 1] += 1;
            entries.extend(((feature & ((1 << shift) - 1)) as u32).to_le_bytes());
            held.push(code);
        }
        entries.append(&mut held);
        (1..starts.len()).for_each(|at| starts[at] += starts[at - 1]);
        Self { entries, starts, shift }
    }

    /// What is left of the features of some upper bits, and how many documents hold each.
    fn of_upper(&self, upper: usize) -> (&[[u8; size_of::<u32>()]], &[u8]) {
        let (start, end) = (self.starts[upper] as usize, self.starts[upper + 1] as usize);
        let (features, held) = self.entries[ENTRY * start..ENTRY * end].split_at(size_of::<u32>() * (end - start));
        (features.as_chunks().0, held)
    }

    /// The features, ascending, and the codes of how many documents hold each.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (u64, u8)> {
        let mut upper = 0;
        (0..self.entries.len() / ENTRY).map(move |at| {
            while self.starts[upper + 1] as usize <= at {
                upper += 1;
            }
            let ((features, held), at) = (self.of_upper(upper), at - self.starts[upper] as usize);
            ((upper as u64) << self.shift | u64::from(u32::from_le_bytes(features[at])), held[at])
        })
    }

    /// How many documents hold each of some features.
    pub(crate) fn all_held(&self, features: &[u64]) -> Vec<Held> {
        // Each comes from far away. Loops that do nothing else fetch many at a time.
        let start = |&feature: &u64| ENTRY * self.starts[(feature >> self.shift) as usize] as usize;
        let starts: Vec<usize> = features.iter().map(start).collect();
        let first = |&at: &usize| self.entries.get(at).copied().unwrap_or_default();
        black_box(starts.iter().map(first).fold(0, |all, one| all ^ one));
        features.iter().map(|&feature| self.held(feature)).collect()
    }

    /// How many documents hold a feature.
    pub(crate) fn held(&self, feature: u64) -> Held {
        let (features, held) = self.of_upper((feature >> self.shift) as usize);
        let rest = ((feature & ((1 << self.shift) - 1)) as u32).to_le_bytes();
        features.iter().position(|&known| known == rest).map_or(Held::ALONE, |at| Held(held[at]))
    }
}

/// The features of a chunk that two texts have at least, each with how many documents hold it.
#[derive(Default)]
struct Noted(Vec<u64>);

impl Learn for Noted {
    type Scratch = ();

    fn learn(&mut self, tokens: TokenChunk<'_>, answers: &mut Answers, (): &mut ()) {
        let (start, are_about) = (self.0.len(), answers.are_about());
        for tokens in tokens.texts() {
            features(tokens, |feature| {
                if !are_about(feature) {
                    return;
                }
                let held = answers.take(feature).held;
                if held != Held::ALONE {
                    self.0.push(feature << 8 | u64::from(held.0));
                }
            });
        }
        // Each part has features of its own.
        self.0[start..].sort_unstable();
        self.0.dedup();
    }
}

/// The parts in which the buckets are counted: each feature is of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    count: usize,
    names: Names,
}

impl Parts {
    /// So many that the features of a part take no more memory than is good for so many texts with so many content words.
    pub(crate) fn new(texts: usize, words: usize, budget: &Budget) -> Self {
        // Nearly each word is a stem and begins a pair.
        let bytes = BYTES * 2 * words;
        let at_once = BYTES_AT_ONCE + BYTES_A_TEXT * texts;
        let given = usize::try_from(budget.share(Share::Counting)).unwrap_or(usize::MAX);
        let count = match given < at_once {
            true => bytes.div_ceil(given.max(1)).clamp(1, MOST_PARTS_IN_LITTLE),
            false => bytes.div_ceil(at_once).clamp(1, MOST_PARTS),
        };
        Self { count, names: Names::of(words) }
    }

    /// How many there are.
    pub(crate) fn len(self) -> usize {
        self.count
    }

    /// How the lists are named.
    pub(crate) fn names(self) -> Names {
        self.names
    }

    /// The part that a feature is of.
    #[inline(always)]
    pub(crate) fn of(self, feature: u64) -> usize {
        (self.names.bucket(feature) * self.count) >> self.names.bucket_bits
    }

    /// The buckets of each part.
    fn buckets(self) -> impl Iterator<Item = Range<usize>> {
        let start = move |part: usize| (part * self.names.buckets()).div_ceil(self.count);
        (0..self.count).map(move |part| start(part)..start(part + 1))
    }
}

/// What was found out about the features of a run of texts that are in some of the buckets.
pub(crate) struct Answers {
    /// For each bucket where the next answer is.
    next: Vec<u32>,
    entries: Vec<AtomicU32>,
    names: Names,
    buckets: Range<usize>,
}

impl Answers {
    /// Whether a feature is in one of the buckets.
    #[inline(always)]
    pub(crate) fn are_about(&self) -> impl Fn(u64) -> bool + use<> {
        let (names, start, len) = (self.names, self.buckets.start, self.buckets.len());
        move |feature| names.bucket(feature).wrapping_sub(start) < len
    }

    /// What was found out about the next feature, of those that are in one of the buckets.
    #[inline(always)]
    pub(crate) fn take(&mut self, feature: u64) -> Answer<ListId> {
        let bucket = self.names.bucket(feature);
        let next = &mut self.next[bucket - self.buckets.start];
        let found = Found(self.entries[*next as usize].load(Relaxed));
        *next += 1;
        let list = found.held().is_rare().then(|| self.names.name(bucket, found.start()));
        Answer { held: found.held(), list, is_first: found.is_first() }
    }
}

/// What was found out about a feature of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer<L> {
    /// How many documents hold it.
    pub(crate) held: Held,
    /// Its list if it is rare.
    pub(crate) list: Option<L>,
    /// Whether it is the first time that the text has it.
    pub(crate) is_first: bool,
}

impl<L> Answer<L> {
    /// The same of a feature that at least so many hold.
    #[inline(always)]
    pub(crate) fn at_least(self, held: Held) -> Self {
        Self { held: self.held.max(held), ..self }
    }
}

/// The features of a run of texts by bucket.
struct Partition {
    /// Where each bucket begins, and the end of the last.
    starts: Vec<u32>,
    /// Of each feature what its bucket leaves open, and the text in the run: the lower bits; then whether its text
    /// had it before, its number among the features of the bucket, and the text; at last what was found out about it.
    entries: Vec<AtomicU32>,
    /// The upper bits, as long as features are counted.
    upper: Vec<u16>,
}

/// Adds the features of a chunk that are in some of the buckets, each with its text in the run, whose so-manieth chunk it is.
fn add_keys(
    chunk: TokenChunk<'_>,
    (run, at): (Run, usize),
    (names, buckets): (Names, &Range<usize>),
    keys: &mut Vec<u64>,
) {
    // Of each word a stem and a pair, of which a part is of these buckets, and room for one text more.
    keys.reserve(2 * chunk.words() * buckets.len() / names.buckets() * 9 / 8);
    for (text, tokens) in ((at * CHUNK) as u64..).zip(chunk.texts()) {
        let begin = keys.len();
        keys.resize(begin + 2 * tokens.len(), 0);
        let room = &mut keys[begin..];
        let mut taken = 0;
        // Written in any case and overwritten if it is of another part: a branch would go the wrong way too often.
        features(tokens, |feature| {
            room[taken] = feature << run.bits | text;
            taken += usize::from(names.bucket(feature).wrapping_sub(buckets.start) < buckets.len());
        });
        keys.truncate(begin + taken);
    }
}

impl Partition {
    fn new(keys: &[u64], run: Run, (names, buckets): (Names, &Range<usize>)) -> Self {
        let mut starts = vec![0; buckets.len() + 1];
        let low_bits = names.low_bits() + run.bits;
        let bucket = |key: u64| (key >> low_bits) as usize - buckets.start;
        keys.iter().for_each(|&key| starts[bucket(key) + 1] += 1);
        (1..starts.len()).for_each(|at| starts[at] += starts[at - 1]);
        let mut next = starts.clone();
        let mut entries: Vec<AtomicU32> = Vec::with_capacity(store::room::<u32>(keys.len()));
        entries.resize_with(keys.len(), AtomicU32::default);
        let mut upper: Vec<u16> = Vec::with_capacity(store::room::<u16>(keys.len()));
        upper.resize(keys.len(), 0);
        for &key in keys {
            let next = &mut next[bucket(key)];
            *entries[*next as usize].get_mut() = key as u32;
            upper[*next as usize] = (key >> u32::BITS) as u16 & ((1 << (low_bits - u32::BITS)) - 1);
            *next += 1;
        }
        Self { starts, entries, upper }
    }

    fn len_of(&self, bucket: usize) -> usize {
        (self.starts[bucket + 1] - self.starts[bucket]) as usize
    }

    /// Asks for the features of a bucket, if somebody asked for where they begin before.
    #[inline(always)]
    fn fetch(&self, at: usize) {
        let entries = self.starts[at] as usize..self.starts[at + 1] as usize;
        self.entries[entries.clone()].iter().step_by(arch::LINE).for_each(arch::fetch);
        self.upper[entries].iter().step_by(2 * arch::LINE).for_each(arch::fetch);
    }

    /// For each feature of a bucket what is left of it, its text in the run, and the place for what is found out about it.
    #[inline(always)]
    fn bucket(&self, at: usize, run: Run) -> impl Iterator<Item = (u64, usize, &AtomicU32)> {
        let entries = self.starts[at] as usize..self.starts[at + 1] as usize;
        self.entries[entries.clone()].iter().zip(&self.upper[entries]).map(move |(entry, &upper)| {
            let key = u64::from(upper) << u32::BITS | u64::from(entry.load(Relaxed));
            (key >> run.bits, key as usize & (run.texts() - 1), entry)
        })
    }
}

/// What was found out about a feature: the documents that hold it, where its list begins in the bucket, and in the uppermost bit
/// whether its text had it before.
#[derive(Clone, Copy)]
struct Found(u32);

impl Found {
    const AGAIN: u32 = 1 << 31;
    /// Bits that are left for where a list begins.
    const START_BITS: u32 = u32::BITS - 1 - u8::BITS;

    fn new(held: Held, start: u32) -> Self {
        Self(start << 8 | u32::from(held.0))
    }

    fn held(self) -> Held {
        Held(self.0 as u8)
    }

    /// Where its list begins.
    fn start(self) -> u32 {
        self.0 >> 8 & ((1 << Self::START_BITS) - 1)
    }

    fn is_first(self) -> bool {
        self.0 & Self::AGAIN == 0
    }
}

/// One feature of a bucket.
#[derive(Clone, Copy)]
struct Counted {
    /// What its bucket leaves open of the feature.
    name: u64,
    /// The documents that hold it, and whether several texts do that may count or not; later what was found out about it.
    held: u32,
    /// The last text that was seen to hold it; later where the next one goes.
    last: u32,
}

/// The features of one bucket: open addressing, of numbers of features, which are small and lie side by side.
#[derive(Default)]
struct Table {
    /// Numbers of features and 1; 0 for a free slot.
    slots: Vec<u32>,
    features: Vec<Counted>,
}

impl Table {
    /// Slots at first.
    const LEAST: usize = 16;

    /// None so far. There is room for as many as there were before: buckets of one corpus are much alike.
    fn reset(&mut self) {
        self.features.clear();
        self.slots.fill(0);
    }

    /// Where a feature is, if it is not further on.
    #[inline(always)]
    fn place(&self, name: u64) -> usize {
        // Multiplied by the golden ratio: stems have all of their lowest bits 0.
        let bits = self.slots.len().trailing_zeros();
        (name.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - bits)) as usize
    }

    /// Makes room for twice as many, if half of it is taken: most features come again and again, and a table of all that come would be far
    /// larger than the cache.
    #[cold]
    fn grow(&mut self) {
        let room = (2 * self.slots.len()).max(Self::LEAST);
        self.slots.clear();
        self.slots.resize(room, 0);
        for (at, feature) in self.features.iter().enumerate() {
            let mut place = self.place(feature.name);
            while self.slots[place] != 0 {
                place = (place + 1) & (room - 1);
            }
            self.slots[place] = at as u32 + 1;
        }
    }

    /// The number of a feature, and whether it was there.
    #[inline(always)]
    fn find(&mut self, name: u64, new: Counted) -> (usize, bool) {
        if 2 * self.features.len() >= self.slots.len() {
            self.grow();
        }
        let mut at = self.place(name);
        loop {
            match self.slots[at] {
                0 => {
                    self.features.push(new);
                    self.slots[at] = self.features.len() as u32;
                    return (self.features.len() - 1, false);
                }
                number if self.features[number as usize - 1].name == name => return (number as usize - 1, true),
                _ => at = (at + 1) & (self.slots.len() - 1),
            }
        }
    }
}

/// Asks for what runs that come soon have of a bucket: each has little of it, and that lies anywhere.
#[inline(always)]
fn fetch_soon(partitions: &[Partition], run: usize, at: usize) {
    const SOON: usize = 4;
    if let Some(later) = partitions.get(run + 2 * SOON) {
        arch::fetch(&later.starts[at]);
    }
    if let Some(soon) = partitions.get(run + SOON) {
        soon.fetch(at);
    }
}

/// Counts one bucket, and leaves what was found out in its entries. The lists; none if they are too many.
fn count_bucket(
    (partitions, run): (&[Partition], Run),
    at: usize,
    names: Names,
    counts: &impl Fn(usize) -> bool,
    table: &mut Table,
) -> Option<Vec<u32>> {
    /// Several texts hold a feature.
    const SEVERAL: u32 = 1 << 31;
    table.reset();
    // Of most buckets the number that was found is left in the entry, so that it need not be looked for again. Who has more features than
    // that has room for looks again, and notes which text was seen last.
    let entries: usize = partitions.iter().map(|partition| partition.len_of(at)).sum();
    let remembers = entries <= 1 << run.number_bits();
    for (number, partition) in partitions.iter().enumerate() {
        fetch_soon(partitions, number, at);
        let first = number * run.texts();
        for (name, text, entry) in partition.bucket(at, run) {
            let in_corpus = (first + text) as u32;
            let new = Counted { name, held: 0, last: u32::MAX };
            let (number, was_there) = table.find(name, new);
            let feature = &mut table.features[number];
            let again = if feature.last == in_corpus { Found::AGAIN } else { 0 };
            if again == 0 {
                feature.held |= if was_there { SEVERAL } else { 0 };
                feature.held += u32::from(counts(in_corpus as usize));
                feature.last = in_corpus;
            }
            if remembers {
                entry.store(again | (number << run.bits | text) as u32, Relaxed);
            }
        }
    }
    let mut room = 0;
    for feature in &mut table.features {
        let held = feature.held % SEVERAL;
        if (2..=MOST_DOCUMENTS).contains(&held) {
            feature.held = Found::new(Held::new(held), room).0;
            feature.last = room + 1;
            room += 1 + held;
        } else {
            feature.held = Found::new(Held::by(held, 1 + feature.held / SEVERAL), 0).0;
        }
        if room > 1 << names.start_bits {
            return None;
        }
    }
    let mut lists = vec![0; room as usize];
    let mut seen = vec![u32::MAX; if remembers { 0 } else { table.features.len() }];
    for (number, partition) in partitions.iter().enumerate() {
        fetch_soon(partitions, number, at);
        let first = number * run.texts();
        for (name, text, entry) in partition.bucket(at, run) {
            let in_corpus = (first + text) as u32;
            let (number, again) = if remembers {
                let left = entry.load(Relaxed);
                ((left & !Found::AGAIN) as usize >> run.bits, left & Found::AGAIN)
            } else {
                let (number, _) = table.find(name, Counted { name, held: 0, last: 0 });
                let before = std::mem::replace(&mut seen[number], in_corpus);
                (number, if before == in_corpus { Found::AGAIN } else { 0 })
            };
            let feature = &mut table.features[number];
            let found = Found(feature.held);
            if again == 0 && found.held().is_rare() && counts(in_corpus as usize) {
                lists[found.start() as usize] += 1;
                lists[feature.last as usize] = in_corpus;
                feature.last += 1;
            }
            entry.store(found.0 | again, Relaxed);
        }
    }
    Some(lists)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Token;
    use crate::content::tests::token_chunks;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn some_texts() -> impl Strategy<Value = Vec<Vec<Token>>> {
        let word = (0u64..40).prop_map(|word| Token::new(crate::hash::mix(word * word), false, false));
        prop::collection::vec(prop::collection::vec(word, 0..12), 1..90)
    }

    /// Notes all that it is told.
    #[derive(Default)]
    struct Notes {
        /// By place in the order of features.
        notes: BTreeMap<usize, Answer<ListId>>,
    }

    impl Learn for Notes {
        type Scratch = ();

        fn learn(&mut self, tokens: TokenChunk<'_>, answers: &mut Answers, (): &mut ()) {
            let (mut at, are_about) = (0, answers.are_about());
            for tokens in tokens.texts() {
                features(tokens, |feature| {
                    if are_about(feature) {
                        assert!(self.notes.insert(at, answers.take(feature)).is_none(), "told twice");
                    }
                    at += 1;
                });
            }
        }
    }

    proptest! {
        #[test]
        fn counts_and_lists_are_those_of_sets(texts in some_texts(), repeat in 1usize..20, parts in 1usize..9, names in prop::sample::select(&[Names::SHORT, Names::LONG]), memory in 0u64..200_000) {
            // Enough texts for more than one chunk.
            let texts: Vec<_> = std::iter::repeat_n(texts, repeat).flatten().collect();
            let counts = |text: usize| text % 7 != 3;
            let mut holders: BTreeMap<u64, BTreeSet<usize>> = BTreeMap::new();
            for (text, tokens) in texts.iter().enumerate() {
                features(tokens.iter().copied(), |feature| { holders.entry(feature).or_default().insert(text); });
            }
            let budget = Budget::new(Some(memory), None);
            let tokens = token_chunks(&texts, &budget);
            let mut learners: Vec<Notes> = (0..tokens.len()).map(|_| Notes::default()).collect();
            let parts = Parts { count: parts, names };
            let lists = count(&tokens, &mut learners, parts, counts, &budget).expect("few");
            for (Notes { notes }, texts) in learners.iter().zip(texts.chunks(CHUNK)) {
                let mut at = 0;
                for tokens in texts {
                    let mut seen = BTreeSet::new();
                    features(tokens.iter().copied(), |feature| {
                        let all = &holders[&feature];
                        let counted: Vec<u32> = all.iter().filter(|&&text| counts(text)).map(|&text| text as u32).collect();
                        let Answer { held, list, is_first } = notes[&at];
                        at += 1;
                        assert_eq!(is_first, seen.insert(feature));
                        let expected = match counted.len() {
                            0 | 1 if all.len() < 2 => Held::ALONE,
                            0 | 1 => Held::ONCE,
                            n => Held::new(n as u32),
                        };
                        assert_eq!(held, expected);
                        assert_eq!(list.is_some(), (2..=MOST_DOCUMENTS as usize).contains(&counted.len()));
                        if let Some(list) = list {
                            assert_eq!(*lists.get(list), counted);
                        }
                    });
                }
            }
        }
    }

    /// Features, some of which differ in their lowest bits alone.
    fn some_features() -> impl Strategy<Value = BTreeMap<u64, u8>> {
        const ALL: u64 = 1 << FEATURE_BITS;
        let feature = prop_oneof![0..ALL, 0..ALL / 300, 0u64..300, ALL - 300..ALL];
        prop::collection::btree_map(feature, 1u8.., 0..900)
    }

    proptest! {
        #[test]
        fn frequencies_are_those_that_they_were_made_of(all in some_features(), others in some_features()) {
            let frequencies = Frequencies::new(all.iter().map(|(&feature, &held)| (feature, held)));
            prop_assert_eq!(frequencies.iter().collect::<BTreeMap<u64, u8>>(), all.clone());
            let asked: Vec<u64> = all.keys().chain(others.keys()).copied().collect();
            let held = |feature| Held(all.get(feature).copied().unwrap_or_default());
            prop_assert_eq!(frequencies.all_held(&asked), asked.iter().map(held).collect::<Vec<_>>());
        }
    }

    #[test]
    fn parts_bound_the_memory_a_text_and_the_time_a_word() {
        let parts = |texts, words| Parts::new(texts, words, &Budget::unlimited());
        for (texts, words) in
            [(1, 10), (1, 100_000), (1000, 350_000), (1_000_000, 350_000_000), (40_000_000, 12_000_000_000)]
        {
            let at_once = 2 * BYTES * words / parts(texts, words).len();
            assert!(at_once <= BYTES_AT_ONCE + BYTES_A_TEXT * texts, "{at_once} bytes for {texts} texts");
        }
        for (texts, words) in [(1, 700_000_000), (2, 20_000_000), (1000, 300_000_000)] {
            assert_eq!(parts(texts, words).len(), MOST_PARTS, "{texts} texts");
        }
        let little = Parts::new(1_000_000, 350_000_000, &Budget::new(Some(1 << 30), None));
        let given = Budget::new(Some(1 << 30), None).share(Share::Counting);
        assert!((2 * BYTES * 350_000_000 / little.len()) as u64 <= given);
    }

    #[test]
    fn runs_grow_with_the_corpus_and_leave_enough_for_all_threads() {
        for chunks in [0, 1, 2, 3, 4, 5, 9, 1000, 100_000] {
            let run = Run::of(chunks);
            assert!((1..=4).contains(&run.chunks()));
            assert!(run.chunks() == 1 || chunks / run.chunks() >= Run::FEW);
            // What is left of a feature and its text has room in an entry and in what is kept beside it.
            for names in [Names::SHORT, Names::LONG] {
                assert!((33..48).contains(&(names.low_bits() + run.bits)));
            }
        }
        assert!(Run::of(4 * Run::FEW).chunks() > Run::of(Run::FEW).chunks());
    }

    #[test]
    fn each_feature_is_of_the_part_that_has_its_bucket() {
        for names in [Names::SHORT, Names::LONG] {
            for parts in (1..=MOST_PARTS_IN_LITTLE).map(|count| Parts { count, names }) {
                let buckets: Vec<Range<usize>> = parts.buckets().collect();
                assert_eq!(buckets.len(), parts.len());
                assert!(buckets.iter().map(Range::len).sum::<usize>() == names.buckets() && buckets[0].start == 0);
                for feature in (0..names.buckets() as u64).map(|bucket| bucket << names.low_bits()) {
                    assert!(buckets[parts.of(feature)].contains(&names.bucket(feature)));
                }
            }
        }
    }

    #[test]
    fn lists_have_names_however_many_articles_there_are() {
        // By the lists of a pool of news, short names would be enough for forty million articles.
        let room = |names: Names| (names.buckets() as u64) << names.start_bits;
        assert!(room(Names::SHORT) >= 3 << 30, "three words for each content word");
        assert!(room(Names::LONG) == 128 * room(Names::SHORT), "beyond a thousand million");
        assert_eq!([0, 100, 101, 1 << 40].map(|words| Names::of(words).are_long()), [false, false, true, true]);
        assert!(room(Names::SHORT) <= 1 << 32 && room(Names::LONG) <= 1 << 40);
        let last = Names::LONG.name(Names::LONG.buckets() - 1, (1 << Names::LONG.start_bits) - 1);
        assert_eq!(ListId::of_code(last.code()), last);
    }

    #[test]
    fn the_code_of_a_count_is_exact_or_near() {
        for documents in [1, 2, 40, 127, 128, 1000, 123_456, 30_000_000] {
            let code = Held::new(documents).code();
            let back = Held::documents(code);
            assert!((back / documents as f32 - 1.0).abs() < 0.052, "{documents} as {back}");
        }
    }
}
