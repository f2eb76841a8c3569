//! Candidates by rare features: texts that share what few texts hold.
//!
//! A rewording shares names, numbers and turns of phrase with its source that hardly any other text has, while reports on
//! the same subject share what many have. So only features that 2 to [`MOST_DOCUMENTS`] documents hold count, each the
//! more the rarer it is, and two texts are candidates if what they share is a large enough part of what the poorer of the
//! two has at all. The cut-off makes the work for a text a constant, however large the corpus and however many texts are
//! made from one template; a phrase that a hundred documents share is never evidence of copying.
//!
//! It is the adaptive depth of an LSH forest carried to its end: of all the buckets that a text could be in, each as deep
//! as it needs to be to hold few texts, the exact ones instead of a sample of them.

use rayon::prelude::*;
use smallvec::SmallVec;

use crate::content::span;
use crate::features::{Content, Features, RARE_UNIT, rare_weights};
use crate::frequencies::{CHUNK, MOST_DOCUMENTS};
use crate::verify;

/// The share, in 1024ths, of the poorer text's rare weight from which on two texts are candidates.
const LEAST_SHARE: u64 = 9;

/// Added to the poorer text's weight, so that very short texts do not meet over one shared feature.
const SHORT_TEXT: u64 = 10 * RARE_UNIT;

/// One in so many of the poorer text's pairs of words must be shared, by weight.
const LEAST_PAIRS: u64 = 128;

/// A text that shares rare features with another one, and the weight of the pairs of words among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Neighbour {
    pub(crate) text: u32,
    pub(crate) pairs: u32,
}

/// For each text those after it that are its neighbours.
#[derive(Default)]
pub(crate) struct Neighbours {
    chunks: Vec<Chunk>,
}

/// The neighbours of a run of texts, one after the other, and where those of each text end.
#[derive(Clone, Default)]
struct Chunk {
    ends: Vec<u32>,
    neighbours: Vec<Neighbour>,
}

/// Space that one thread reuses from text to text.
#[derive(Default)]
struct Shared {
    /// With each other text, the weight of the rare features and of the pairs of words that are shared.
    with: Vec<(u32, u32)>,
    touched: Vec<u32>,
}

impl Neighbours {
    /// The neighbours of each text that is wanted; `tick` is called after each text.
    pub(crate) fn new(content: &Content, wanted: impl Fn(u32) -> bool + Sync, tick: impl Fn() + Sync) -> Self {
        let weights = rare_weights();
        Self::collect(content.len(), Shared::default, |shared, text, found| {
            if wanted(text) {
                shared.find_later(content, &weights, text, found);
            }
            tick();
        })
    }

    /// All texts after each.
    pub(crate) fn all(content: &Content, wanted: impl Fn(u32) -> bool + Sync) -> Self {
        let all: Vec<u32> = (0..content.len() as u32).filter(|&text| wanted(text)).collect();
        Self::collect(
            content.len(),
            || (),
            |(), text, found| {
                if wanted(text) {
                    let later = &all[all.partition_point(|&other| other <= text)..];
                    found.extend(later.iter().map(|&later| Neighbour::of(content.get(text), content, later)));
                }
            },
        )
    }

    /// All texts that share a pair of words with one that is asked for, however little else: no others can be rewordings of it.
    pub(crate) fn of_asked(content: &Content, asked: impl Fn(u32) -> bool + Sync) -> Self {
        let meetings = |shared: &mut Shared, text: u32| {
            let mut found = Vec::new();
            shared.find_any(content, text, &mut found);
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
            || (),
            |(), text, found| {
                let later = &meetings[meetings.partition_point(|&(left, _)| left < text)..];
                found.extend(later.iter().take_while(|&&(left, _)| left == text).map(|(_, other)| *other));
            },
        )
    }

    fn collect<S>(
        texts: usize,
        scratch: impl Fn() -> S + Sync + Send,
        each: impl Fn(&mut S, u32, &mut Vec<Neighbour>) + Sync,
    ) -> Self {
        let chunk = |(scratch, found): &mut (S, Chunk), chunk: usize| {
            found.ends.clear();
            found.neighbours.clear();
            for text in chunk * CHUNK..texts.min((chunk + 1) * CHUNK) {
                each(scratch, text as u32, &mut found.neighbours);
                found.ends.push(found.neighbours.len() as u32);
            }
            found.clone()
        };
        Self {
            chunks: (0..texts.div_ceil(CHUNK))
                .into_par_iter()
                .map_init(|| (scratch(), Chunk::default()), chunk)
                .collect(),
        }
    }

    /// The neighbours of one text, ascending.
    pub(crate) fn of(&self, text: u32) -> &[Neighbour] {
        let chunk = &self.chunks[text as usize / CHUNK];
        &chunk.neighbours[span(&chunk.ends, text as usize % CHUNK)]
    }

    /// What share of its pairs of words each text shares with the so-manieth of its neighbours, from the best down; 0 if it
    /// has fewer.
    pub(crate) fn nth_best_share(&self, content: &Content, nth: usize) -> Vec<f32> {
        let texts = content.len() as u32;
        let pairs = || (0..texts).flat_map(|text| self.of(text).iter().map(move |neighbour| (text, neighbour)));
        let mut places: Vec<u64> = vec![0; texts as usize];
        for (left, &Neighbour { text: right, .. }) in pairs() {
            places[left as usize] += 1;
            places[right as usize] += 1;
        }
        // Those that have too few need no room.
        let enough: Vec<bool> = places.iter().map(|&count| count >= nth as u64).collect();
        let mut sum = 0;
        for (place, &enough) in places.iter_mut().zip(&enough) {
            let count = if enough { *place } else { 0 };
            *place = sum;
            sum += count;
        }
        // In 65,535ths: there are many of them.
        let mut shares = vec![0u16; sum as usize];
        let totals = &content.pair_totals;
        for (left, &Neighbour { text: right, pairs }) in pairs() {
            let share = verify::pair_containment(pairs, totals[left as usize], totals[right as usize]);
            for text in [left as usize, right as usize] {
                if enough[text] {
                    shares[places[text] as usize] = (share * f32::from(u16::MAX)) as u16;
                    places[text] += 1;
                }
            }
        }
        // Where the next one would go is where those of a text end.
        let nth_best = |mine: &mut Vec<u16>, text: usize| {
            if !enough[text] {
                return 0.0;
            }
            let start = text.checked_sub(1).map_or(0, |before| places[before]);
            mine.clear();
            mine.extend_from_slice(&shares[start as usize..places[text] as usize]);
            f32::from(*mine.select_nth_unstable_by(nth - 1, |a, b| b.cmp(a)).1) / f32::from(u16::MAX)
        };
        (0..texts as usize).into_par_iter().map_init(Vec::new, nth_best).collect()
    }
}

impl Neighbour {
    /// Another text as the neighbour of one, whatever they share.
    pub(crate) fn of(features: Features<'_>, content: &Content, text: u32) -> Self {
        let (mut ours, mut theirs) = (features.lists(), content.get(text).lists());
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
    /// Adds the texts after `text` that share enough with it, ascending.
    fn find_later(
        &mut self,
        content: &Content,
        weights: &[u32; MOST_DOCUMENTS as usize + 1],
        text: u32,
        found: &mut Vec<Neighbour>,
    ) {
        let Self { with, touched } = self;
        with.resize(content.len(), (0, 0));
        touched.clear();
        // The lists lie far apart in memory, so all are asked for before any is waited for.
        let lists = content.get(text).lists().map(|(list, pair_weight)| (content.lists.get(list), pair_weight));
        let lists: SmallVec<[(&[u32], u8); 256]> = lists.collect();
        for &(list, pair_weight) in &lists {
            let weight = weights[list.len()];
            for &other in list.iter().rev().take_while(|&&other| other > text) {
                let sums = &mut with[other as usize];
                if sums.0 == 0 {
                    touched.push(other);
                }
                sums.0 += weight;
                sums.1 += u32::from(pair_weight);
            }
        }
        let (total, pair_total) = (content.rare_totals[text as usize], content.pair_totals[text as usize]);
        touched.retain(|&other| {
            let poorer = u64::from(total.min(content.rare_totals[other as usize])) + SHORT_TEXT;
            let (rare, pairs) = with[other as usize];
            let enough = u64::from(rare) * 1024 >= LEAST_SHARE * poorer
                && u64::from(pairs) * LEAST_PAIRS >= u64::from(pair_total.min(content.pair_totals[other as usize]));
            if !enough {
                with[other as usize] = (0, 0);
            }
            enough
        });
        touched.sort_unstable();
        let neighbour = |&text: &u32| Neighbour { text, pairs: std::mem::take(&mut with[text as usize]).1 };
        found.extend(touched.iter().map(neighbour));
    }

    /// Adds all texts, before and after `text`, that share a pair of words with it, in no order.
    fn find_any(&mut self, content: &Content, text: u32, found: &mut Vec<Neighbour>) {
        let Self { with, touched } = self;
        with.resize(content.len(), (0, 0));
        touched.clear();
        for (list, pair_weight) in content.get(text).lists().filter(|&(_, weight)| weight > 0) {
            for &other in content.lists.get(list).iter().filter(|&&other| other != text) {
                let sums = &mut with[other as usize];
                if sums.1 == 0 {
                    touched.push(other);
                }
                sums.1 += u32::from(pair_weight);
            }
        }
        found.extend(touched.iter().map(|&text| Neighbour { text, pairs: std::mem::take(&mut with[text as usize]).1 }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{Token, TokenChunk};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// Texts of stems that stand alone: a stem met twice in a row makes no pair, and every pair here is of one text only.
    fn content(texts: &[Vec<u32>]) -> Content {
        let mut chunk = TokenChunk::default();
        for stems in texts {
            let tokens: Vec<Token> =
                stems.iter().map(|&stem| Token::new(crate::hash::mix(stem.into()), false, false)).collect();
            chunk.push(&tokens);
        }
        Content::new(vec![chunk], |_| 10, |_| true).expect("few")
    }

    fn neighbours(texts: &[Vec<u32>]) -> (Content, Neighbours) {
        let content = content(texts);
        let found = Neighbours::new(&content, |_| true, || {});
        (content, found)
    }

    fn of(found: &Neighbours, text: u32) -> Vec<u32> {
        found.of(text).iter().map(|neighbour| neighbour.text).collect()
    }

    proptest! {
        #[test]
        fn neighbours_are_those_that_share_enough(texts in prop::collection::vec(prop::collection::vec(0u32..60, 0..12), 2..60)) {
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
            let (content, found) = neighbours(&texts);
            for (left, a) in distinct.iter().enumerate() {
                let enough = |&right: &u32| {
                    let b = &distinct[right as usize];
                    let common: u64 = a.intersection(b).map(weight).sum();
                    let pair_totals = [left, right as usize].map(|text| content.pair_totals[text]);
                    let pairs = Neighbour::of(content.get(left as u32), &content, right).pairs;
                    common > 0
                        && common * 1024 >= LEAST_SHARE * (total(a).min(total(b)) + SHORT_TEXT)
                        && u64::from(pairs) * LEAST_PAIRS >= pair_totals[0].min(pair_totals[1]).into()
                };
                prop_assert_eq!(u64::from(content.rare_totals[left]), total(a));
                let expected: Vec<u32> = (left as u32 + 1..texts.len() as u32).filter(enough).collect();
                prop_assert_eq!(of(&found, left as u32), expected);
            }
        }

        #[test]
        fn the_nth_best_share_is_that_of_all_sorted(texts in prop::collection::vec(prop::collection::vec(0u32..30, 0..12), 2..40), nth in 1usize..6) {
            let (content, found) = neighbours(&texts);
            let mut shares = vec![Vec::new(); texts.len()];
            for left in 0..texts.len() {
                for &Neighbour { text, pairs } in found.of(left as u32) {
                    let right = text as usize;
                    let share = verify::pair_containment(pairs, content.pair_totals[left], content.pair_totals[right]);
                    shares[left].push(share);
                    shares[right].push(share);
                }
            }
            let nth_best = |mut shares: Vec<f32>| {
                shares.sort_by(|a, b| b.total_cmp(a));
                shares.get(nth - 1).copied().unwrap_or(0.0)
            };
            for (found, shares) in found.nth_best_share(&content, nth).into_iter().zip(shares) {
                prop_assert!((found - nth_best(shares)).abs() < 2e-5);
            }
        }
    }

    #[test]
    fn what_many_share_makes_no_candidates() {
        let common: Vec<u32> = (0..30).collect();
        let mut template: Vec<Vec<u32>> = (0..100).map(|i| common.iter().copied().chain([100 + i]).collect()).collect();
        assert_eq!(of(&neighbours(&template).1, 0), []);
        template[7].extend([500, 501, 502]);
        template[9].extend([500, 501, 502]);
        assert_eq!(of(&neighbours(&template).1, 7), [9]);
    }
}
