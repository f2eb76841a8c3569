//! Candidates by rare features: texts that share what few texts hold.
//!
//! A rewording shares names, numbers and turns of phrase with its source that hardly any other text has, while reports on
//! the same subject share what many have. So only features that 2 to [`MOST_DOCUMENTS`] documents hold count, each the
//! more the rarer it is, and two texts are candidates if they share a pair of words, and all that they share is a large
//! enough part of what the poorer of the two has at all. The cut-off makes the work for a text a constant, however large the
//! corpus and however many texts are made from one template; a phrase that a hundred documents share is never evidence of
//! copying.
//!
//! It is the adaptive depth of an LSH forest carried to its end: of all the buckets that a text could be in, each as deep
//! as it needs to be to hold few texts, the exact ones instead of a sample of them.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU32, AtomicUsize, Ordering::Relaxed};

use rayon::prelude::*;
use smallvec::SmallVec;

use crate::arch;
use crate::features::{Content, RARE_UNIT, RareFeatures, rare_weights};
use crate::frequencies::{Lists, MOST_DOCUMENTS};
use crate::store::{Block, Budget, CHUNK, Share, Store};
use crate::verify;

/// The share, in 1024ths, of the poorer text's rare weight from which on two texts are candidates.
const LEAST_SHARE: u64 = 9;

/// Added to the poorer text's weight, so that very short texts do not meet over one shared feature.
const SHORT_TEXT: u64 = 10 * RARE_UNIT;

/// One in so many of the poorer text's pairs of words must be shared, by weight, and one in any case.
const LEAST_PAIRS: u64 = 128;

/// A text that shares rare features with another one, and the weight of the pairs of words among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Neighbour {
    pub(crate) text: u32,
    pub(crate) pairs: u32,
}

/// For each text those after it that are its neighbours.
pub(crate) struct Neighbours {
    store: Store,
    /// The neighbours of runs of texts, one text after the other.
    chunks: Vec<Block>,
    /// Where those of each text end in its chunk.
    ends: Vec<u32>,
}

/// What a text shares with each other one. Reused from text to text; it is as large as a text has meetings, whatever the number of
/// texts is.
#[derive(Default)]
struct Shared {
    /// In the places that their hashes say, or the next free ones.
    sums: Vec<Sum>,
    /// One less than the places that are in use now, a power of two.
    mask: usize,
    /// Places that are taken, in the order in which the texts were met.
    touched: Vec<u32>,
}

/// The weight of the rare features, and of the pairs of words among them, that are shared with one text.
#[derive(Clone, Copy)]
struct Sum {
    text: u32,
    rare: u32,
    pairs: u32,
}

impl Sum {
    const FREE: Self = Self { text: u32::MAX, rare: 0, pairs: 0 };
}

/// How many times as many neighbours as are wanted of a text are kept before the best of them are chosen.
const ROOM: usize = 4;

impl Neighbours {
    /// The neighbours of each text that is wanted; `tick` is called after each text.
    pub(crate) fn new(
        content: &Content,
        lists: &Lists,
        wanted: impl Fn(u32) -> bool + Sync,
        tick: impl Fn() + Sync,
        budget: &Arc<Budget>,
    ) -> Self {
        let weights = rare_weights();
        Self::collect(content.len(), budget, Shared::default, |shared, text, found| {
            if wanted(text) {
                shared.find_later(content, lists, &weights, text, found);
            }
            tick();
        })
    }

    /// All texts after each.
    pub(crate) fn all(content: &Content, wanted: impl Fn(u32) -> bool + Sync, budget: &Arc<Budget>) -> Self {
        let all: Vec<u32> = (0..content.len() as u32).filter(|&text| wanted(text)).collect();
        Self::collect(
            content.len(),
            budget,
            || (),
            |(), text, found| {
                if wanted(text) {
                    let later = &all[all.partition_point(|&other| other <= text)..];
                    let rare = content.rare(text);
                    found.extend(later.iter().map(|&later| Neighbour::of(&rare, content, later)));
                }
            },
        )
    }

    /// All texts that share a pair of words with one that is asked for, however little else: no others can be rewordings of it.
    pub(crate) fn of_asked(
        content: &Content,
        lists: &Lists,
        asked: impl Fn(u32) -> bool + Sync,
        budget: &Arc<Budget>,
    ) -> Self {
        let meetings = |shared: &mut Shared, text: u32| {
            let mut found = Vec::new();
            shared.find_any(content, lists, text, &mut found);
            let in_order = |other: Neighbour| match other.text > text {
                true => (text, other),
                false => (other.text, Neighbour { text, ..other }),
            };
            found.into_iter().map(in_order).collect::<Vec<_>>()
        };
        let texts = (0..content.len() as u32).into_par_iter().filter(|&text| asked(text));
        let mut meetings: Vec<_> = texts.map_init(Shared::default, meetings).flatten_iter().collect();
        meetings.par_sort_unstable_by_key(|(text, other)| (*text, other.text));
        meetings.dedup();
        Self::collect(
            content.len(),
            budget,
            || (),
            |(), text, found| {
                let later = &meetings[meetings.partition_point(|&(left, _)| left < text)..];
                found.extend(later.iter().take_while(|&&(left, _)| left == text).map(|(_, other)| *other));
            },
        )
    }

    fn collect<S>(
        texts: usize,
        budget: &Arc<Budget>,
        scratch: impl Fn() -> S + Sync + Send,
        each: impl Fn(&mut S, u32, &mut Vec<Neighbour>) + Sync,
    ) -> Self {
        let store = budget.store(Share::Neighbours);
        let mut ends = vec![0; texts];
        let chunk = |(scratch, found, words): &mut (S, Vec<Neighbour>, Vec<u32>),
                     (chunk, ends): (usize, &mut [u32])| {
            found.clear();
            for (text, end) in (chunk * CHUNK..).zip(ends) {
                each(scratch, text as u32, found);
                *end = found.len() as u32;
            }
            words.clear();
            words.extend(found.iter().flat_map(|neighbour| [neighbour.text, neighbour.pairs]));
            store.keep(&*words)
        };
        let chunks = ends.par_chunks_mut(CHUNK).enumerate();
        let chunks = chunks.map_init(|| (scratch(), Vec::new(), Vec::new()), chunk).collect();
        Self { store, chunks, ends }
    }

    /// The neighbours of one text, ascending.
    pub(crate) fn of(&self, text: u32) -> SmallVec<[Neighbour; 64]> {
        let Range { start, end } = self.span(text as usize);
        neighbours(&self.store.part(&self.chunks[text as usize / CHUNK], 2 * start..2 * end)).collect()
    }

    /// Where the neighbours of a text stand in its chunk.
    fn span(&self, text: usize) -> Range<usize> {
        let start = if text.is_multiple_of(CHUNK) { 0 } else { self.ends[text - 1] };
        start as usize..self.ends[text] as usize
    }

    /// Calls `each` with every text of a chunk, where its neighbours stand in there, and all that do.
    fn in_chunk(&self, chunk: usize, mut each: impl FnMut(u32, Range<usize>, &[u32])) {
        let words: Cow<'_, [u32]> = self.store.get(&self.chunks[chunk]);
        let first = chunk * CHUNK;
        (first..self.ends.len().min(first + CHUNK)).for_each(|text| each(text as u32, self.span(text), &words));
    }

    /// Calls `each` with every text, from several threads, as [`in_chunk`](Self::in_chunk) does.
    fn for_each(&self, each: impl Fn(u32, Range<usize>, &[u32]) + Sync) {
        (0..self.chunks.len()).into_par_iter().for_each(|chunk| self.in_chunk(chunk, &each));
    }

    /// What share of its pairs of words each text shares with one of its neighbours, the so-manieth from the best down; 0 if it has
    /// fewer.
    pub(crate) fn nth_best_shares(&self, content: &Content, nth: usize, budget: &Budget) -> Vec<f32> {
        let texts = content.len();
        // Sums of what is met in any order are the same.
        let count: Vec<AtomicU32> = std::iter::repeat_with(AtomicU32::default).take(texts).collect();
        self.for_each(|text, span, words| {
            count[text as usize].fetch_add(span.len() as u32, Relaxed);
            for at in span {
                if let Some(soon) = text_at(words, at + SOON) {
                    arch::fetch(&count[soon as usize]);
                }
                count[words[2 * at] as usize].fetch_add(1, Relaxed);
            }
        });
        let count: Vec<u32> = count.into_iter().map(AtomicU32::into_inner).collect();
        // In 65,535ths, for there are many of them; those that have too few need no room.
        let mut nth_best: Vec<u16> = vec![0; texts];
        let room = (budget.share(Share::Shares) / size_of::<u16>() as u64).max(1 << 16);
        let needed = |text: usize| if (count[text] as usize) < nth { 0 } else { count[text] as usize };
        let mut first = 0;
        while first < texts {
            // As many texts as there is room for, and one in any case.
            let (mut end, mut places) = (first, vec![0]);
            while end < texts && (end == first || (places[end - first] + needed(end)) as u64 <= room) {
                places.push(places[end - first] + needed(end));
                end += 1;
            }
            self.nth_best_of(content, nth, &places, (first, &mut nth_best[first..end]));
            first = end;
        }
        nth_best.into_iter().map(of_steps).collect()
    }

    /// Leaves out the pairs in which neither text shares as much with the other one as with the so-manieth best of its own
    /// neighbours, which `nth_best` tells, and less than a share that counts in any case. How many these are.
    pub(crate) fn keep_best(&mut self, content: &Content, nth_best: &[f32], any: f32) -> u64 {
        let Self { store, chunks, ends } = self;
        let in_chunk = |((chunk, ends), first): ((&mut Block, &mut [u32]), usize)| {
            let words = store.get(chunk);
            let mut kept = Vec::with_capacity(words.len());
            let mut start = 0;
            for (left, end) in (first..).zip(ends) {
                let mine = &words[2 * start..2 * *end as usize];
                for Neighbour { text: right, .. } in neighbours(mine) {
                    content.fetch_pair_total(right);
                    arch::fetch(&nth_best[right as usize]);
                }
                for Neighbour { text: right, pairs } in neighbours(mine) {
                    let share = pair_share(pairs, content.pair_total(left as u32), content.pair_total(right));
                    if is_kept(share, (nth_best[left], nth_best[right as usize]), any) {
                        kept.extend([right, pairs]);
                    }
                }
                start = *end as usize;
                *end = kept.len() as u32 / 2;
            }
            let left_out = (words.len() - kept.len()) as u64 / 2;
            drop(words);
            if left_out > 0 {
                *chunk = store.keep(kept);
            }
            left_out
        };
        let chunks = chunks.par_iter_mut().zip(ends.par_chunks_mut(CHUNK)).zip((0..usize::MAX).into_par_iter());
        chunks.map(|(chunk, at)| in_chunk((chunk, at * CHUNK))).sum()
    }

    /// For how many texts there is memory to look for so many of their [nearest](Self::nearest) neighbours at once.
    pub(crate) fn texts_at_once(most: usize, budget: &Budget) -> usize {
        const AT_LEAST: usize = 1024;
        let bytes = ROOM * most * size_of::<(u16, Neighbour)>();
        usize::try_from(budget.share(Share::Shares) / bytes as u64).unwrap_or(usize::MAX).max(AT_LEAST)
    }

    /// The neighbours of some texts, before and after each, that share the most with it, so many at most: from the best down,
    /// and of equals the first. `texts` ascend. Goes through the neighbours of all texts.
    pub(crate) fn nearest(&self, content: &Content, texts: &[u32], most: usize) -> Vec<Vec<(u16, Neighbour)>> {
        let mut nearest: Vec<Vec<(u16, Neighbour)>> = vec![Vec::new(); texts.len()];
        // Asked for both ends of every pair, of which hardly any is wanted.
        let mut is_wanted = vec![false; content.len()];
        texts.iter().for_each(|&text| is_wanted[text as usize] = true);
        let order = |(share, other): &(u16, Neighbour)| (std::cmp::Reverse(*share), other.text);
        let mut meet = |left: u32, Neighbour { text: right, pairs }: Neighbour| {
            for (text, other) in [(left, right), (right, left)] {
                if !is_wanted[text as usize] {
                    continue;
                }
                let Ok(at) = texts.binary_search(&text) else { continue };
                let share = pair_share(pairs, content.pair_total(left), content.pair_total(right));
                let mine = &mut nearest[at];
                mine.push((share, Neighbour { text: other, pairs }));
                // Cut now and then, so that a text in a large crowd takes no more room than others.
                if mine.len() >= ROOM * most {
                    mine.sort_unstable_by_key(order);
                    mine.truncate(most);
                }
            }
        };
        for chunk in 0..self.chunks.len() {
            self.in_chunk(chunk, |left, span, words| {
                neighbours(&words[2 * span.start..2 * span.end]).for_each(|right| meet(left, right));
            });
        }
        for mine in &mut nearest {
            mine.sort_unstable_by_key(order);
            mine.truncate(most);
        }
        nearest
    }

    /// The same of some texts, which have so many neighbours that the shares with those of each begin at its place.
    fn nth_best_of(&self, content: &Content, nth: usize, places: &[usize], (first, of): (usize, &mut [u16])) {
        /// Of texts that have too few neighbours.
        const NO_ROOM: usize = usize::MAX;
        // Several threads touch new memory sooner than one.
        let shares: Vec<AtomicU16> = (0..places[of.len()]).into_par_iter().map(|_| AtomicU16::default()).collect();
        // Where the next share of each goes, in the order in which they are met, which does not matter.
        let next = places.windows(2).map(|two| if two[0] < two[1] { two[0] } else { NO_ROOM });
        let next: Vec<AtomicUsize> = next.map(AtomicUsize::new).collect();
        let next_of = |text: u32| next.get((text as usize).wrapping_sub(first));
        let take = |text: u32, count: usize| {
            next_of(text).filter(|next| next.load(Relaxed) != NO_ROOM).map(|next| next.fetch_add(count, Relaxed))
        };
        self.for_each(|left, span, words| {
            let our_total = content.pair_total(left);
            let mut ours = take(left, span.len());
            for at in span {
                // Where a share goes is known when it is known how many went before it.
                if let Some(later) = text_at(words, at + 2 * SOON) {
                    content.fetch_pair_total(later);
                    next_of(later).into_iter().for_each(arch::fetch);
                }
                let soon = text_at(words, at + SOON).and_then(next_of);
                soon.and_then(|soon| shares.get(soon.load(Relaxed))).into_iter().for_each(arch::fetch);
                let (right, pairs) = (words[2 * at], words[2 * at + 1]);
                let theirs = take(right, 1);
                if ours.is_none() && theirs.is_none() {
                    continue;
                }
                let share = pair_share(pairs, our_total, content.pair_total(right));
                for place in [ours, theirs].into_iter().flatten() {
                    shares[place].store(share, Relaxed);
                }
                ours = ours.map(|place| place + 1);
            }
        });
        let best = |mine: &mut Vec<u16>, (at, best): (usize, &mut u16)| {
            mine.clear();
            mine.extend(shares[places[at]..places[at + 1]].iter().map(|share| share.load(Relaxed)));
            *best = nth_best(mine, nth);
        };
        of.par_iter_mut().enumerate().for_each_init(Vec::new, best);
    }
}

/// Whether two texts share enough to be neighbours: the weight of the rare features that they share, and of the pairs of words among
/// them, and the same of all that each of them has.
#[inline(always)]
pub(crate) fn are_neighbours(shared: (u32, u32), ours: (u32, u32), theirs: (u32, u32)) -> bool {
    let poorer = u64::from(ours.0.min(theirs.0)) + SHORT_TEXT;
    shared.1 > 0
        && u64::from(shared.0) * 1024 >= LEAST_SHARE * poorer
        && u64::from(shared.1) * LEAST_PAIRS >= u64::from(ours.1.min(theirs.1))
}

/// What share of the pairs of words two texts share, of these weights, in 65,535ths.
#[inline(always)]
pub(crate) fn pair_share(shared: u32, our_total: u32, their_total: u32) -> u16 {
    in_steps(verify::pair_containment(shared, our_total, their_total))
}

/// Whether a pair that shares so much is one of the best of either text, of which the so-manieth shares such, or shares enough in any case.
#[inline(always)]
pub(crate) fn is_kept(share: u16, nth_best: (f32, f32), any: f32) -> bool {
    of_steps(share) >= any.min(nth_best.0).min(nth_best.1)
}

/// Of the shares of one text, which are put into another order, the so-manieth from the best down; 0 if there are fewer.
pub(crate) fn nth_best(shares: &mut [u16], nth: usize) -> u16 {
    match nth <= shares.len() {
        true => *shares.select_nth_unstable_by(nth - 1, |a, b| b.cmp(a)).1,
        false => 0,
    }
}

/// A share in 65,535ths.
fn in_steps(share: f32) -> u16 {
    (share * f32::from(u16::MAX)) as u16
}

pub(crate) fn of_steps(steps: u16) -> f32 {
    f32::from(steps) / f32::from(u16::MAX)
}

/// So many neighbours ahead what they need is asked for.
const SOON: usize = 16;

/// The text of the so-manieth neighbour in a chunk.
#[inline(always)]
fn text_at(words: &[u32], at: usize) -> Option<u32> {
    words.get(2 * at).copied()
}

/// Neighbours as they are kept, each in two words.
fn neighbours(words: &[u32]) -> impl Iterator<Item = Neighbour> {
    words.chunks_exact(2).map(|two| Neighbour { text: two[0], pairs: two[1] })
}

impl Neighbour {
    /// Another text as the neighbour of one, whatever they share.
    pub(crate) fn of(rare: &RareFeatures<'_>, content: &Content, text: u32) -> Self {
        let other = content.rare(text);
        let (mut ours, mut theirs) = (rare.iter(), other.iter());
        let (mut a, mut b) = (ours.next(), theirs.next());
        let mut pairs = 0;
        while let (Some((our, weight)), Some((their, _))) = (a, b) {
            if our == their {
                pairs += u32::from(weight);
            }
            if our <= their {
                a = ours.next();
            }
            if their <= our {
                b = theirs.next();
            }
        }
        Self { text, pairs }
    }
}

impl Shared {
    /// Makes room for so many meetings.
    fn begin(&mut self, meetings: usize) {
        let room = (2 * meetings).next_power_of_two();
        if self.sums.len() < room {
            self.sums.resize(room, Sum::FREE);
        }
        self.mask = room - 1;
        self.touched.clear();
    }

    /// Where a text is, if it is not further on.
    #[inline(always)]
    fn place(&self, text: u32) -> usize {
        (text.wrapping_mul(0x9e37_79b1) >> 7) as usize & self.mask
    }

    /// Adds what is shared with a text; `first` is called if it was not met before.
    #[inline(always)]
    fn meet(&mut self, text: u32, rare: u32, pairs: u32, first: impl FnOnce()) {
        let mut at = self.place(text);
        while self.sums[at].text != text {
            if self.sums[at].text == Sum::FREE.text {
                self.sums[at].text = text;
                self.touched.push(at as u32);
                first();
                break;
            }
            at = (at + 1) & self.mask;
        }
        let sum = &mut self.sums[at];
        sum.rare += rare;
        sum.pairs += pairs;
    }

    /// The same of a text that is of no interest unless it was met before.
    #[inline(always)]
    fn meet_again(&mut self, text: u32, rare: u32) {
        let mut at = self.place(text);
        while self.sums[at].text != text {
            if self.sums[at].text == Sum::FREE.text {
                return;
            }
            at = (at + 1) & self.mask;
        }
        self.sums[at].rare += rare;
    }

    /// All that was met, in no order.
    fn take(&mut self) -> impl Iterator<Item = Sum> {
        let Self { sums, touched, .. } = self;
        touched.drain(..).map(|at| std::mem::replace(&mut sums[at as usize], Sum::FREE))
    }

    /// Adds the texts after `text` that share enough with it, ascending.
    fn find_later(
        &mut self,
        content: &Content,
        lists: &Lists,
        weights: &[u32; MOST_DOCUMENTS as usize + 1],
        text: u32,
        found: &mut Vec<Neighbour>,
    ) {
        // The lists lie far apart in memory, so all are asked for before any is waited for.
        let rare = content.rare(text);
        rare.iter().for_each(|(list, _)| lists.fetch(list));
        let get = |(list, pair_weight)| {
            let list = lists.get(list);
            // Long lists are read from their end.
            list.last().into_iter().for_each(arch::fetch);
            (list, pair_weight)
        };
        let lists: SmallVec<[(Cow<'_, [u32]>, u8); 256]> = rare.iter().map(get).collect();
        // Most texts are met by words alone, and come to nothing: so pairs of words come first, and words are added to what these met.
        let of_pairs = || lists.iter().filter(|(_, pair_weight)| *pair_weight > 0);
        let of_words = lists.iter().filter(|(_, pair_weight)| *pair_weight == 0);
        self.begin(of_pairs().map(|(list, _)| list.len()).sum());
        for (list, pair_weight) in of_pairs() {
            let weight = weights[list.len()];
            for &other in list.iter().rev().take_while(|&&other| other > text) {
                self.meet(other, weight, u32::from(*pair_weight), || content.fetch_totals(other));
            }
        }
        for (list, _) in of_words {
            let weight = weights[list.len()];
            list.iter().rev().take_while(|&&other| other > text).for_each(|&other| self.meet_again(other, weight));
        }
        let ours = content.rare_totals(text);
        let is_enough = |sum: &Sum| are_neighbours((sum.rare, sum.pairs), ours, content.rare_totals(sum.text));
        let first = found.len();
        found.extend(self.take().filter(is_enough).map(|sum| Neighbour { text: sum.text, pairs: sum.pairs }));
        found[first..].sort_unstable_by_key(|neighbour| neighbour.text);
    }

    /// Adds all texts, before and after `text`, that share a pair of words with it, in no order.
    fn find_any(&mut self, content: &Content, lists: &Lists, text: u32, found: &mut Vec<Neighbour>) {
        let rare = content.rare(text);
        let lists: SmallVec<[(Cow<'_, [u32]>, u8); 256]> =
            rare.iter().filter(|&(_, weight)| weight > 0).map(|(list, weight)| (lists.get(list), weight)).collect();
        self.begin(lists.iter().map(|(list, _)| list.len()).sum());
        for (list, pair_weight) in &lists {
            list.iter()
                .filter(|&&other| other != text)
                .for_each(|&other| self.meet(other, 0, u32::from(*pair_weight), || ()));
        }
        found.extend(self.take().map(|sum| Neighbour { text: sum.text, pairs: sum.pairs }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Token;
    use crate::content::tests::token_chunks;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// Texts of these stems.
    fn content(texts: &[Vec<u32>], budget: &Arc<Budget>) -> (Content, Lists) {
        let token = |&stem: &u32| Token::new(crate::hash::mix(stem.into()), false, false);
        let tokens: Vec<Vec<Token>> = texts.iter().map(|stems| stems.iter().map(token).collect()).collect();
        Content::new(token_chunks(&tokens, budget), |_| 10, |_| true, None, budget).expect("few")
    }

    fn neighbours(texts: &[Vec<u32>], memory: Option<u64>) -> (Content, Neighbours) {
        let budget = Budget::new(memory, None);
        let (content, lists) = content(texts, &budget);
        let found = Neighbours::new(&content, &lists, |_| true, || {}, &budget);
        assert!(budget.check().is_ok());
        (content, found)
    }

    fn of(found: &Neighbours, text: u32) -> Vec<u32> {
        found.of(text).iter().map(|neighbour| neighbour.text).collect()
    }

    proptest! {
        #[test]
        fn neighbours_are_those_that_share_enough(texts in prop::collection::vec(prop::collection::vec(0u32..60, 0..12), 2..60), memory in prop::option::of(0u64..100_000)) {
            // Features as they are found alone: stems, and pairs of different neighbours.
            let of_text = |stems: &Vec<u32>| -> BTreeSet<(u32, u32)> {
                let pairs = stems.windows(2).filter(|two| two[0] != two[1]).map(|two| (1 + two[0].min(two[1]), 1 + two[0].max(two[1])));
                stems.iter().map(|&stem| (0, stem)).chain(pairs).collect()
            };
            let distinct: Vec<BTreeSet<(u32, u32)>> = texts.iter().map(of_text).collect();
            let holders = |feature: &(u32, u32)| distinct.iter().filter(|text| text.contains(feature)).count();
            let weight = |feature: &(u32, u32)| match holders(feature) {
                n if n > MOST_DOCUMENTS as usize => 0,
                n => rare_weights()[n].into(),
            };
            let total = |text: &BTreeSet<(u32, u32)>| text.iter().map(weight).sum::<u64>();
            let (content, found) = neighbours(&texts, memory);
            for (left, a) in distinct.iter().enumerate() {
                let enough = |&right: &u32| {
                    let b = &distinct[right as usize];
                    let common: u64 = a.intersection(b).map(weight).sum();
                    let pair_totals = [left as u32, right].map(|text| content.pair_total(text));
                    let pairs = Neighbour::of(&content.rare(left as u32), &content, right).pairs;
                    pairs > 0
                        && common * 1024 >= LEAST_SHARE * (total(a).min(total(b)) + SHORT_TEXT)
                        && u64::from(pairs) * LEAST_PAIRS >= pair_totals[0].min(pair_totals[1]).into()
                };
                prop_assert_eq!(u64::from(content.rare_totals(left as u32).0), total(a));
                let expected: Vec<u32> = (left as u32 + 1..texts.len() as u32).filter(enough).collect();
                prop_assert_eq!(of(&found, left as u32), expected);
            }
        }

        #[test]
        fn the_nth_best_share_is_that_of_all_sorted(texts in prop::collection::vec(prop::collection::vec(0u32..30, 0..12), 2..40), nth in 1usize..6) {
            let (content, found) = neighbours(&texts, None);
            let mut shares = vec![Vec::new(); texts.len()];
            for left in 0..texts.len() {
                for Neighbour { text, pairs } in found.of(left as u32) {
                    let right = text as usize;
                    let share = verify::pair_containment(pairs, content.pair_total(left as u32), content.pair_total(right as u32));
                    shares[left].push(share);
                    shares[right].push(share);
                }
            }
            let found = found.nth_best_shares(&content, nth, &Budget::unlimited());
            for (found, mut shares) in found.into_iter().zip(shares) {
                shares.sort_by(|a, b| b.total_cmp(a));
                prop_assert!((found - shares.get(nth - 1).copied().unwrap_or(0.0)).abs() < 2e-5);
            }
        }

        #[test]
        fn the_best_neighbours_of_either_text_are_kept(texts in prop::collection::vec(prop::collection::vec(0u32..30, 0..12), 2..40), nth in 1usize..6, memory in prop::option::of(0u64..100_000)) {
            let (content, all) = neighbours(&texts, None);
            let (_, mut best) = neighbours(&texts, memory);
            let shares = all.nth_best_shares(&content, nth, &Budget::unlimited());
            let left_out = best.keep_best(&content, &shares, 0.3);
            let mut lost = 0;
            for left in 0..texts.len() as u32 {
                let is_best = |&Neighbour { text: right, pairs }: &Neighbour| {
                    let [left, right] = [left, right].map(|text| text as usize);
                    let share = verify::pair_containment(pairs, content.pair_total(left as u32), content.pair_total(right as u32));
                    of_steps(in_steps(share)) >= shares[left].min(shares[right]).min(0.3)
                };
                let expected: Vec<Neighbour> = all.of(left).into_iter().filter(is_best).collect();
                lost += all.of(left).len() - expected.len();
                prop_assert_eq!(best.of(left).to_vec(), expected);
            }
            prop_assert_eq!(left_out, lost as u64);
        }
    }

    #[test]
    fn what_many_share_makes_no_candidates() {
        let common: Vec<u32> = (0..30).collect();
        let mut template: Vec<Vec<u32>> = (0..100).map(|i| common.iter().copied().chain([100 + i]).collect()).collect();
        assert_eq!(of(&neighbours(&template, None).1, 0), [0; 0]);
        template[7].extend([500, 501, 502]);
        template[9].extend([500, 501, 502]);
        assert_eq!(of(&neighbours(&template, None).1, 7), [9]);
    }
}
