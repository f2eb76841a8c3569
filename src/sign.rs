//! Texts to what is kept of them: a sketch of their shingles, their content words, and how exact copies are told.

use std::sync::Arc;

use rayon::prelude::*;

use crate::arch::{Arch, Backend};
use crate::candidates::{RUN, Sketches};
use crate::content::{Token, TokenChunks, TokenPlace, Tokens};
use crate::minhash;
use crate::shingle::{self, Shingle, Window};
use crate::store::{Block, Budget, Store};
use crate::text;

/// Which views of a text are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Views {
    pub(crate) shingle: Shingle,
    /// Slots of a sketch.
    pub(crate) slots: usize,
    pub(crate) content: Content,
}

/// Whether content words are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Words,
    Nothing,
}

/// What a text needs by itself.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    /// Number of words; 0 for a text of 4 GB and more.
    pub(crate) words: u32,
    pub(crate) shape: Shape,
    /// Hash of all words in order, by which exact copies are equal.
    pub(crate) fingerprint: (u64, u64),
    /// Where among the content words of its run those of the text end.
    tokens_end: u32,
}

/// Whether a text can be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Whole,
    /// It has no shingle.
    NoShingle,
    /// It has 4 GB or more.
    TooLong,
}

/// Space that one thread reuses from text to text.
#[derive(Default)]
pub(crate) struct Scratch {
    words: text::Scratch,
    shingles: Vec<u64>,
    tokens: Vec<Token>,
    /// Content words of a run of texts.
    codes: Vec<u32>,
}

impl Views {
    /// One walk over a text: its sketch, its fingerprint, and in the scratch its content words.
    fn sign(&self, text: &str, scratch: &mut Scratch, sketch: &mut [u32]) -> Signed {
        let Scratch { words, shingles, tokens, .. } = scratch;
        shingles.clear();
        tokens.clear();
        let mut finder = Tokens::new(text);
        let mut fingerprint = Fingerprint::default();
        let mut count = 0;
        let is_too_long = text.len() > u32::MAX as usize;
        if !is_too_long {
            let mut window = match self.shingle {
                Shingle::Words(n) => Some(Window::new(n)),
                Shingle::Chars(_) => None,
            };
            let arch = words.arch();
            text::walk(text, words, |words| {
                count += words.len() as u32;
                fingerprint.extend(words.hashes());
                if let Some(window) = &mut window {
                    window.extend(arch, words.hashes(), shingles);
                }
                if self.content == Content::Words {
                    finder.collect(words, tokens);
                }
            });
            if let Shingle::Chars(_) = self.shingle {
                shingle::collect(text, self.shingle, words, shingles);
            }
        }
        let shape = match shingles.is_empty() {
            _ if is_too_long => Shape::TooLong,
            true => Shape::NoShingle,
            false => Shape::Whole,
        };
        if shape == Shape::Whole {
            minhash::sketch(words.arch(), shingles, sketch);
        }
        Signed { words: count, shape, fingerprint: fingerprint.finish(), tokens_end: 0 }
    }
}

/// Two hashes of a run of words, by which runs of the same words in the same order are known. The words go round four lanes:
/// in one, each would wait for the one before.
#[derive(Default)]
struct Fingerprint {
    lanes: [(u64, u64); 4],
    /// The lane of the next word.
    next: usize,
}

impl Fingerprint {
    #[inline(always)]
    fn extend(&mut self, words: &[u64]) {
        let (head, words) = words.split_at(words.len().min((4 - self.next) % 4));
        head.iter().for_each(|&word| self.push(word));
        let fours = words.chunks_exact(4);
        let tail = fours.remainder();
        for four in fours {
            for (lane, &word) in self.lanes.iter_mut().zip(four) {
                *lane = Self::step(*lane, word);
            }
        }
        tail.iter().for_each(|&word| self.push(word));
    }

    #[inline(always)]
    fn push(&mut self, word: u64) {
        self.lanes[self.next] = Self::step(self.lanes[self.next], word);
        self.next = (self.next + 1) % 4;
    }

    #[inline(always)]
    fn step((first, second): (u64, u64), word: u64) -> (u64, u64) {
        const FIRST: u64 = 0x9e37_79b9_7f4a_7c15;
        const SECOND: u64 = 0xd1b5_4a32_d192_ed03;
        ((first ^ word).wrapping_mul(FIRST).rotate_left(32), (second.rotate_left(23) ^ word).wrapping_mul(SECOND))
    }

    fn finish(self) -> (u64, u64) {
        let join = |(first, second): (u64, u64), (a, b): (u64, u64)| {
            (Self::step((first, 0), a).0, Self::step((0, second), b).1)
        };
        self.lanes.into_iter().fold((0, 0), join)
    }
}

/// What is kept of all texts that were signed so far, in their order.
#[derive(Debug)]
pub(crate) struct Signatures {
    views: Views,
    signed: Vec<Signed>,
    /// For each text the row of its sketch: blocks hold up to [`RUN`] texts each, and are counted as if all were full.
    rows: Vec<u32>,
    sketches: (Store, Vec<Block>),
    tokens: (Store, Vec<Block>),
}

/// What sketches and content words may take of the memory given. Sketches are read at random.
const SKETCHES_SHARE: u64 = 16;
const SIGNED_TOKENS_SHARE: u64 = 2;
const TOKENS_SHARE: u64 = 2;

impl Signatures {
    pub(crate) fn new(views: Views, budget: &Arc<Budget>) -> Self {
        let store = |share| (budget.store(share), Vec::new());
        Self {
            views,
            signed: Vec::new(),
            rows: Vec::new(),
            sketches: store(SKETCHES_SHARE),
            tokens: store(SIGNED_TOKENS_SHARE),
        }
    }

    /// Signs more texts; `tick` is called after each.
    pub(crate) fn extend(&mut self, texts: &[&str], tick: impl Fn() + Sync) {
        let Self { views, sketches, tokens, .. } = self;
        let sign = |scratch: &mut Scratch, texts: &[&str]| {
            let mut rows = vec![0; texts.len() * views.slots];
            scratch.codes.clear();
            let sign = |(text, row): (&&str, &mut [u32])| {
                let mut signed = views.sign(text, scratch, row);
                scratch.codes.extend(scratch.tokens.iter().map(|token| token.code()));
                signed.tokens_end = scratch.codes.len() as u32;
                tick();
                signed
            };
            let signed: Vec<Signed> = texts.iter().zip(rows.chunks_exact_mut(views.slots)).map(sign).collect();
            (signed, (sketches.0.keep(rows), tokens.0.keep(&scratch.codes)))
        };
        let runs: Vec<(Vec<Signed>, (Block, Block))> =
            texts.par_chunks(RUN).with_max_len(1).map_init(Scratch::default, sign).collect();
        for (signed, (sketch, token)) in runs {
            let first = (self.sketches.1.len() * RUN) as u32;
            self.rows.extend(first..first + signed.len() as u32);
            self.signed.extend(signed);
            self.sketches.1.push(sketch);
            self.tokens.1.push(token);
        }
    }

    /// The texts, in the order in which they were signed.
    pub(crate) fn signed(&self) -> &[Signed] {
        &self.signed
    }

    /// The sketches and content words of some of the texts, in this order.
    pub(crate) fn select(self, texts: &[u32], budget: &Arc<Budget>) -> (Sketches, TokenChunks) {
        let Self { views, signed, rows, sketches, tokens } = self;
        let place = |at: usize| {
            let text = texts[at] as usize;
            let row = rows[text] as usize;
            let start = if row.is_multiple_of(RUN) { 0 } else { signed[text - 1].tokens_end };
            TokenPlace { block: row / RUN, words: start..signed[text].tokens_end }
        };
        let tokens = TokenChunks::gather(tokens, place, texts.len(), budget.store(TOKENS_SHARE));
        let rows = texts.iter().map(|&text| rows[text as usize]).collect();
        (Sketches::new(views.slots, sketches, rows), tokens)
    }
}

/// Signs texts for both views and keeps only what a text needs by itself.
#[doc(hidden)]
pub struct Signer {
    views: Views,
    scratch: Scratch,
    sketch: Vec<u32>,
}

impl Signer {
    pub fn new(detector: &crate::Detector, backend: Backend) -> Self {
        let views = detector.views();
        let scratch = Scratch { words: text::Scratch::new(Arch::new(backend)), ..Scratch::default() };
        Self { views, scratch, sketch: vec![0; views.slots] }
    }

    /// The number of content words, and the first slot of the sketch.
    pub fn sign(&mut self, text: &str) -> (usize, u32) {
        self.views.sign(text, &mut self.scratch, &mut self.sketch);
        (self.scratch.tokens.len(), self.sketch[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fingerprint(words: &[u64], runs: &[usize]) -> (u64, u64) {
        let (mut of, mut rest) = (Fingerprint::default(), words);
        for &run in runs {
            let (now, later) = rest.split_at(run.min(rest.len()));
            of.extend(now);
            rest = later;
        }
        of.extend(rest);
        of.finish()
    }

    proptest! {
        #[test]
        fn a_fingerprint_knows_words_and_order_but_not_runs(
            words in prop::collection::vec(any::<u64>(), 2..60), runs in prop::collection::vec(0usize..9, 0..9), at in any::<prop::sample::Index>(),
        ) {
            let whole = fingerprint(&words, &[]);
            prop_assert_eq!(fingerprint(&words, &runs), whole);
            let at = at.index(words.len() - 1);
            for (a, b) in [(at, at + 1), (at, (at + 4) % words.len())] {
                let mut other = words.clone();
                other.swap(a, b);
                prop_assert!(words == other || fingerprint(&other, &[]) != whole);
            }
            prop_assert!(fingerprint(&words[..at], &[]) != whole);
        }
    }
}
