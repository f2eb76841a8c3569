//! Signed articles to texts: what cannot be compared leaves the line, exact copies are folded into one, and the rest is numbered so
//! that nothing depends on the order in which it came.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use rayon::prelude::*;

use crate::articles::Stored;
use crate::candidates::Sieve;
use crate::error::{Result, SkipReason};
use crate::exact::Exact;
use crate::features::Content;
use crate::near::Compared;
use crate::options::Representative;
use crate::report::{Pair, Skipped};
use crate::scheme::Shingle;
use crate::sign::{Kept, Shape, Signatures, Signed};
use crate::store::Budget;

/// What an article takes of memory whatever is given, in bytes: its features' heads, and numbers of all kinds.
const BYTES_AN_ARTICLE: u64 = 160 + Content::BYTES_A_TEXT as u64;

/// Articles on their way to pairs. From `distinct` on, a text is an article that can be compared and is no exact copy.
pub(crate) struct Corpus<'a> {
    pub(crate) articles: Stored<'a>,
    /// The articles by id, and those of one id by their words: where each stands in the input.
    pub(crate) positions: Vec<u32>,
    pub(crate) skipped: Vec<Skipped>,
    /// For each article the one that speaks for all with the same words.
    pub(crate) twins: Vec<u32>,
    /// For each article how it ranks as a representative; see [`Admission::ranks`].
    ranks: Vec<u32>,
    /// The articles that are texts.
    pub(crate) distinct: Vec<u32>,
    /// Number of words of each text.
    pub(crate) words: Vec<u32>,
    admission: Admission,
    pub(crate) budget: Arc<Budget>,
}

/// Which articles are compared, and with whom.
#[derive(Clone, Copy)]
pub(crate) struct Admission {
    pub(crate) shingle: Shingle,
    pub(crate) min_words: usize,
    pub(crate) representative: Representative,
    pub(crate) within: Option<Duration>,
}

impl<'a> Corpus<'a> {
    /// Signed articles to texts: what cannot be compared leaves the line here, and exact copies are folded into one. The
    /// articles are numbered by id, and those of one id by their words, so that nothing depends on the order in which they came.
    ///
    /// # Errors
    /// [`Error::Spill`](crate::Error::Spill).
    pub(crate) fn new(
        articles: Stored<'a>,
        signatures: Signatures,
        admission: Admission,
        budget: Arc<Budget>,
    ) -> Result<(Self, Kept)> {
        budget.check()?;
        budget.reserve(BYTES_AN_ARTICLE * articles.len() as u64);
        let positions = articles.in_order(|position| {
            let signed = &signatures.signed()[position as usize];
            let date = articles.seconds().get(position as usize);
            (signed.exact, signed.words, !articles.is_known(position as usize), date)
        });
        // What is signed lies far apart: it is brought together once, on all threads.
        let of_article = |&at: &u32| {
            let signed = &signatures.signed()[at as usize];
            (signed.exact, signed.words, admission.refuse(signed))
        };
        let signed: Vec<(Exact, u32, Option<SkipReason>)> = positions.par_iter().map(of_article).collect();
        let mut skipped = Vec::new();
        for (&position, (.., refused)) in positions.iter().zip(&signed) {
            if let Some(reason) = refused {
                let position = position as usize;
                skipped.push(Skipped { id: articles.id(position).into(), position, reason: *reason });
            }
        }
        skipped.sort_unstable_by_key(|skip| skip.position);
        let ranks = admission.ranks(&articles, &positions, |at| signed[at].1);
        let time = |at: u32| admission.within.map_or(0, |_| articles.seconds()[positions[at as usize] as usize]);
        let are_near = |a: u32, b: u32| admission.are_near(&articles, positions[a as usize], positions[b as usize]);
        let is_compared = |at: u32| signed[at as usize].2.is_none();
        // Most texts have no copy, and sorting them would take most of the time.
        let mut sieve = Sieve::new(signed.len());
        let key = |exact: Exact| exact.key() as u32;
        signed.iter().for_each(|&(exact, ..)| sieve.add(key(exact)));
        let copied = (0..).zip(&signed).filter(|&(at, &(exact, ..))| is_compared(at) && sieve.is_shared(key(exact)));
        let copied = copied.map(|(at, &(exact, words, _))| (exact, words, at)).collect();
        let twins = fold_exact(signed.len(), copied, &ranks, time, are_near);
        let is_text = |&at: &u32| is_compared(at) && twins[at as usize] == at;
        let distinct: Vec<u32> = (0..signed.len() as u32).filter(is_text).collect();
        let words = distinct.iter().map(|&at| signed[at as usize].1).collect();
        drop(signed);
        let chosen: Vec<u32> = distinct.iter().map(|&at| positions[at as usize]).collect();
        let kept = signatures.select(&chosen, &budget);
        budget.check()?;
        Ok((Self { articles, positions, skipped, twins, ranks, distinct, words, admission, budget }, kept))
    }

    /// Articles that an engine has elsewhere, in the order of their numbers: so many words each, whether each can be compared, and of those
    /// that have exact copies what these have in common.
    pub(crate) fn elsewhere(
        articles: Stored<'a>,
        all_words: &[u32],
        is_refused: &[bool],
        copied: Vec<(u64, u32)>,
        admission: Admission,
    ) -> Self {
        let positions: Vec<u32> = (0..articles.len() as u32).collect();
        let ranks = admission.ranks(&articles, &positions, |at| all_words[at]);
        let time = |at: u32| admission.within.map_or(0, |_| articles.seconds()[at as usize]);
        let are_near = |a: u32, b: u32| admission.are_near(&articles, a, b);
        let copied = copied.into_iter().map(|(same, at)| (same, all_words[at as usize], at)).collect();
        let twins = fold_exact(articles.len(), copied, &ranks, time, are_near);
        let is_text = |&at: &u32| !is_refused[at as usize] && twins[at as usize] == at;
        let distinct: Vec<u32> = positions.iter().copied().filter(is_text).collect();
        let words = distinct.iter().map(|&at| all_words[at as usize]).collect();
        let budget = Budget::unlimited();
        Self { articles, positions, skipped: Vec::new(), twins, ranks, distinct, words, admission, budget }
    }

    /// Where a text stands in the input.
    pub(crate) fn position(&self, text: u32) -> usize {
        self.positions[self.distinct[text as usize] as usize] as usize
    }

    /// How a text ranks as a representative, the lowest first; all alike if there is nothing to choose by.
    pub(crate) fn rank(&self, text: u32) -> u32 {
        self.ranks.get(self.distinct[text as usize] as usize).copied().unwrap_or(0)
    }

    /// Whether a text is known already, and not to be judged.
    pub(crate) fn is_known(&self, text: u32) -> bool {
        self.articles.is_known(self.position(text))
    }

    pub(crate) fn read(&self, text: u32) -> Cow<'_, str> {
        self.articles.read(self.position(text))
    }

    /// Whether two articles, by their numbers, may be copies of each other: not if both are known already.
    pub(crate) fn may_meet(&self, a: u32, b: u32) -> bool {
        let Self { articles, positions, admission, .. } = self;
        let (a, b) = (positions[a as usize], positions[b as usize]);
        !(articles.is_known(a as usize) && articles.is_known(b as usize)) && admission.are_near(articles, a, b)
    }

    /// Pairs of texts as pairs of articles.
    pub(crate) fn pairs(&self, compared: Vec<Compared>) -> Vec<Pair> {
        let pair = |pair: Compared| {
            let Compared { left, right, relation, similarity, evidence } = pair;
            Pair { left: self.position(left), right: self.position(right), relation, similarity, evidence }
        };
        compared.into_iter().map(pair).collect()
    }
}

impl Admission {
    /// Whether two articles, by their positions, lie near enough in time.
    fn are_near(&self, articles: &Stored<'_>, a: u32, b: u32) -> bool {
        self.within.is_none_or(|span| articles.are_within(span.as_secs(), a as usize, b as usize))
    }

    /// For each article how it ranks among those that could represent a cluster, the lowest first; nothing if all rank
    /// alike. Those that are known already come before all others.
    fn ranks(&self, articles: &Stored<'_>, positions: &[u32], words: impl Fn(usize) -> u32) -> Vec<u32> {
        let is_new = |at: usize| !articles.is_known(positions[at] as usize);
        let mut order: Vec<(i64, usize)> = match self.representative {
            Representative::Central if articles.has_known() => {
                return (0..positions.len()).map(|at| is_new(at).into()).collect();
            }
            Representative::Central => return Vec::new(),
            Representative::Longest => (0..positions.len()).map(|at| (-i64::from(words(at)), at)).collect(),
            Representative::First => positions.iter().map(|&position| position.into()).zip(0..).collect(),
            Representative::Earliest => positions.iter().map(|&at| articles.seconds()[at as usize]).zip(0..).collect(),
        };
        order.par_sort_unstable_by_key(|&(key, at)| (is_new(at), key, at));
        let mut ranks = vec![0; order.len()];
        for (rank, (_, article)) in (0..).zip(order) {
            ranks[article] = rank;
        }
        ranks
    }

    fn refuse(&self, signed: &Signed) -> Option<SkipReason> {
        self.refuses(signed.words, signed.shape)
    }

    /// Why a text of so many words, and of this shape, cannot be compared, if it cannot.
    pub(crate) fn refuses(&self, words: u32, shape: Shape) -> Option<SkipReason> {
        let words = words as usize;
        match shape {
            Shape::TooLong => Some(SkipReason::TooLong),
            _ if words == 0 => Some(SkipReason::Empty),
            _ if words < self.min_words => Some(SkipReason::TooShort { words, needed: self.min_words }),
            Shape::NoShingle => Some(SkipReason::NoShingle { shingle: self.shingle }),
            Shape::Whole => None,
        }
    }
}

/// For each text the one that speaks for all with the same words in the same order: that of the lowest rank, or the earliest
/// if all rank alike, and of one time the first. It speaks for those that are near in time, from the earliest on.
///
/// Those that can be compared, and may have copies, come as their words, the number of these, and their own number.
fn fold_exact<E: Ord + Copy + Send>(
    articles: usize,
    mut order: Vec<(E, u32, u32)>,
    ranks: &[u32],
    time: impl Fn(u32) -> i64,
    are_near: impl Fn(u32, u32) -> bool,
) -> Vec<u32> {
    let mut twins: Vec<u32> = (0..articles as u32).collect();
    order.par_sort_unstable();
    for same in order.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).filter(|same| same.len() > 1) {
        let mut same: Vec<u32> = same.iter().map(|&(.., at)| at).collect();
        same.sort_by_key(|&at| time(at));
        let mut rest = &same[..];
        while let Some((&first, later)) = rest.split_first() {
            let near = 1 + later.iter().take_while(|&&at| are_near(first, at)).count();
            let (together, later) = rest.split_at(near);
            let order = |&at: &u32| (ranks.get(at as usize), time(at), at);
            let speaker = together.iter().copied().min_by_key(order).unwrap_or(first);
            together.iter().for_each(|&at| twins[at as usize] = speaker);
            rest = later;
        }
    }
    twins
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn who_speaks_for_exact_copies_does_not_hang_on_their_numbers(
            days in prop::collection::hash_set(0i64..30, 1..12),
            at in any::<prop::sample::Index>(),
            span in 1i64..9,
        ) {
            // The days on which those that speak appeared, in order, where the copies have these numbers.
            let speakers = |days: &[i64]| {
                let order = (0..days.len() as u32).map(|at| (7, 40, at)).collect();
                let time = |at: u32| days[at as usize];
                let twins = fold_exact(days.len(), order, &[], time, |a, b| (time(a) - time(b)).abs() <= span);
                let mut speakers: Vec<i64> = twins.iter().map(|&at| time(at)).collect();
                for (&speaker, &day) in speakers.iter().zip(days) {
                    assert!(speaker <= day && day - speaker <= span, "{day} {speaker}");
                }
                speakers.sort_unstable();
                speakers
            };
            let mut days: Vec<i64> = days.into_iter().collect();
            let told = speakers(&days);
            let places = days.len();
            days.rotate_left(at.index(places));
            prop_assert_eq!(speakers(&days), told.clone());
            days.sort_unstable();
            prop_assert_eq!(speakers(&days), told);
        }
    }
}
