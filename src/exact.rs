//! Exact copies: 128 bits of a text's words in their order, equal only for the same words.
//!
//! The words are those of [`Words`](crate::Words) in their normal form, so that case, punctuation, spacing and the Unicode form make
//! no difference, and each counts by its frozen 64-bit hash. The bits belong to
//! [`FORMAT_VERSION`](crate::FORMAT_VERSION): what stores them can compare them later.
//!
//! For given words around it, each word changes either half one to one. So no text that differs in one word whose hash differs is taken for
//! the same, and two unrelated texts are with a chance of 2⁻¹²⁸: among 10⁹ texts about 10⁻²¹. What is left is the
//! hash of a word: words of up to eight bytes never meet, and two longer ones do with a chance of 2⁻⁶⁴.

/// The words of a text in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Exact(u64, u64);

impl Exact {
    /// Both halves of it.
    pub(crate) fn parts(self) -> [u64; 2] {
        [self.0, self.1]
    }

    /// Half of it, to look it up by.
    pub(crate) fn key(self) -> u64 {
        self.0
    }

    /// All of it as bytes, and back.
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.0) << 64 | u128::from(self.1)).to_le_bytes()
    }

    pub(crate) fn of_bytes(bytes: [u8; 16]) -> Self {
        let both = u128::from_le_bytes(bytes);
        Self((both >> 64) as u64, both as u64)
    }
}

/// Takes the words of a text in runs of any length. They go round four lanes: in one, each would wait for the one before.
#[derive(Default)]
pub(crate) struct ExactHasher {
    lanes: [(u64, u64); 4],
    words: u64,
}

impl ExactHasher {
    /// Takes the hashes of the next words.
    #[inline(always)]
    pub(crate) fn extend(&mut self, words: &[u64]) {
        let (head, words) = words.split_at(words.len().min((4 - self.lane()) % 4));
        head.iter().for_each(|&word| self.push(word));
        let (fours, tail) = words.as_chunks::<4>();
        for four in fours {
            for (lane, &word) in self.lanes.iter_mut().zip(four) {
                *lane = step(*lane, word);
            }
        }
        self.words += 4 * fours.len() as u64;
        tail.iter().for_each(|&word| self.push(word));
    }

    /// The lane of the next word.
    #[inline(always)]
    fn lane(&self) -> usize {
        self.words as usize % 4
    }

    #[inline(always)]
    fn push(&mut self, word: u64) {
        let lane = &mut self.lanes[self.words as usize % 4];
        *lane = step(*lane, word);
        self.words += 1;
    }

    pub(crate) fn finish(self) -> Exact {
        let join = |joined: (u64, u64), lane: (u64, u64)| (step(joined, lane.0).0, step(joined, lane.1).1);
        let (first, second) = self.lanes.into_iter().fold((self.words, self.words), join);
        Exact(first, second)
    }
}

/// One to one in the word for given halves, and in either half for a given word.
#[inline(always)]
fn step((first, second): (u64, u64), word: u64) -> (u64, u64) {
    const FIRST: u64 = 0x9e37_79b9_7f4a_7c15;
    const SECOND: u64 = 0xd1b5_4a32_d192_ed03;
    ((first ^ word).wrapping_mul(FIRST).rotate_left(32), (second.rotate_left(23) ^ word).wrapping_mul(SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix;
    use crate::text::{self, with_scratch};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn of(words: &[u64]) -> Exact {
        let mut hasher = ExactHasher::default();
        hasher.extend(words);
        hasher.finish()
    }

    fn of_text(text: &str) -> Exact {
        let mut hasher = ExactHasher::default();
        with_scratch(|scratch| text::walk(text, scratch, |words| hasher.extend(words.hashes())));
        hasher.finish()
    }

    #[test]
    fn the_bits_are_frozen() {
        let numbered: Vec<u64> = (0..1000).map(mix).collect();
        let found =
            [of(&[]), of(&[0]), of(&numbered[..7]), of(&numbered), of_text("The ferry leaves at nine, DÉJÀ vu.")];
        let found = found.map(|Exact(first, second)| format!("{first:016x} {second:016x}"));
        let golden = [
            "0000000000000000 0000000000000000",
            "713ef52f3ee7e1d0 3fe03bd988caa997",
            "a98506700e554934 ba16a9d43a9f10ea",
            "41fb6e9ef1050eb7 c643bd109a9ca318",
            "5aee747400f37d93 e7ec05672f9021bd",
        ];
        assert_eq!(found, golden, "these bits belong to the format version");
    }

    #[test]
    fn no_two_short_texts_of_few_words_meet() {
        // As far from mixed as hashes of words can be.
        let words = [0, 1, 1 << 32, 1 << 63, u64::MAX];
        let mut seen = BTreeMap::new();
        for length in 0..8 {
            for number in 0..words.len().pow(length) {
                let text: Vec<u64> = (0..length).map(|at| words[number / words.len().pow(at) % words.len()]).collect();
                let met = seen.insert(of(&text), text.clone());
                assert_eq!(met, None, "meets {text:?}");
            }
        }
    }

    #[test]
    fn no_simple_edit_of_an_article_is_an_exact_copy_of_it_or_of_another_edit() {
        let article = include_str!("../seeds/001_ferry-contract-original.txt");
        let words: Vec<&str> = article.split_whitespace().take(120).collect();
        let mut edits = vec![words.clone()];
        let mut edit = |change: &dyn Fn(&mut Vec<&str>)| {
            let mut edited = words.clone();
            change(&mut edited);
            edits.push(edited);
        };
        for at in 0..words.len() {
            edit(&|words| _ = words.remove(at));
            edit(&|words| words.insert(at, words[at]));
            for new in ["not", "7", "8", "70", "x"] {
                edit(&|words| words[at] = new);
                edit(&|words| words.insert(at, new));
            }
            for other in at + 1..words.len() {
                edit(&|words| words.swap(at, other));
                edit(&|words| words[at..=other].reverse());
                edit(&|words| words[at..=other].rotate_left(1));
            }
            edit(&|words| words.truncate(at));
            edit(&|words| drop(words.drain(..at)));
        }
        let mut seen: BTreeMap<Exact, String> = BTreeMap::new();
        for edit in edits {
            let text = edit.join(" ");
            let plain: Vec<_> = crate::Words::new(&text).map(|word| word.normalized().to_string()).collect();
            let plain = plain.join(" ");
            if let Some(other) = seen.insert(of_text(&text), plain.clone()) {
                assert_eq!(other, plain);
            }
        }
        assert!(seen.len() > 20_000, "{}", seen.len());
    }

    #[test]
    fn what_is_no_difference_of_words_makes_none() {
        let text = of_text("The mayor’s ferry, DÉJÀ vu – efficient!");
        assert_eq!(of_text("the mayor's FERRY: de\u{301}ja\u{300}\nvu (e\u{fb03}cient)"), text);
        assert_ne!(of_text("The mayors ferry, déjà vu – efficient!"), text);
    }

    proptest! {
        #[test]
        fn words_and_their_order_count_and_runs_do_not(
            words in prop::collection::vec(any::<u64>(), 2..60), runs in prop::collection::vec(0usize..9, 0..9),
            at in any::<prop::sample::Index>(), bit in 0u32..64,
        ) {
            let whole = of(&words);
            let (mut hasher, mut rest) = (ExactHasher::default(), &words[..]);
            for run in runs {
                let (now, later) = rest.split_at(run.min(rest.len()));
                hasher.extend(now);
                rest = later;
            }
            hasher.extend(rest);
            prop_assert_eq!(hasher.finish(), whole);
            let place = at.index(words.len());
            for other in 0..words.len() {
                let mut swapped = words.clone();
                swapped.swap(place, other);
                prop_assert!(words == swapped || of(&swapped) != whole);
            }
            let mut changed = words.clone();
            changed[place] ^= 1 << bit;
            let Exact(first, second) = of(&changed);
            prop_assert!(first != whole.0 && second != whole.1, "a change of one word shows in both halves");
            prop_assert!(of(&words[..place]) != whole);
        }
    }
}
