//! Texts to what is kept of them: a sketch of their shingles, their content words, and how exact copies are told.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use crate::arch::{Arch, Backend};
use crate::candidates::{SketchPlace, Sketches};
use crate::content::{Token, TokenChunks, TokenPlace, Tokens};
use crate::exact::{Exact, ExactHasher};
use crate::fingerprints::{FingerprintPlace, Fingerprints, Sample, Winnower};
use crate::minhash;
use crate::scheme::Shingle;
use crate::shingle::{self, Window};
use crate::store::{Block, Budget, CHUNK, Share, Store};
use crate::text;
use crate::transcript;

/// Which views of a text are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Views {
    pub(crate) shingle: Shingle,
    /// Slots of a sketch.
    pub(crate) slots: usize,
    pub(crate) content: Content,
    pub(crate) fingerprints: Sample,
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
    /// Equal for exact copies alone.
    pub(crate) exact: Exact,
    /// Where its content words are.
    tokens: TokenPlace,
    /// Where its winnowed fingerprints are, in the block of the same number.
    fingerprints: Range<u32>,
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
    winnower: Winnower,
    /// Content words of a run of texts.
    codes: Vec<u32>,
    /// Winnowed fingerprints of a run of texts.
    fingerprints: Vec<u32>,
}

impl Views {
    /// One walk over a text: its sketch, its words as an exact copy has them, and in the scratch its content words; its winnowed fingerprints are
    /// added to those there.
    fn sign(&self, text: &str, scratch: &mut Scratch, sketch: &mut [u32]) -> Signed {
        let Scratch { words, shingles, tokens, winnower, fingerprints, .. } = scratch;
        shingles.clear();
        tokens.clear();
        let mut finder = Tokens::new(text);
        let mut exact = ExactHasher::default();
        let mut passages = winnower.begin(self.shingle);
        let first_fingerprint = fingerprints.len() as u32;
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
                exact.extend(words.hashes());
                if let Some(window) = &mut window {
                    window.extend(arch, words.hashes(), shingles);
                }
                if let Some(window) = &mut passages {
                    winnower.extend(arch, window, words.hashes());
                }
                if self.content == Content::Words {
                    finder.collect(words, tokens);
                }
            });
            winnower.finish(arch, (shingles, self.shingle), self.fingerprints, fingerprints);
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
        Signed {
            words: count,
            shape,
            exact: transcript::exact(text).map_or_else(|| exact.finish(), Exact::of_bytes),
            tokens: TokenPlace::default(),
            fingerprints: first_fingerprint..fingerprints.len() as u32,
        }
    }
}

/// All that is made of one text by itself.
#[derive(Debug)]
pub(crate) struct Single {
    pub(crate) words: u32,
    pub(crate) shape: Shape,
    pub(crate) exact: Exact,
    pub(crate) sketch: Vec<u32>,
    pub(crate) tokens: Vec<Token>,
    pub(crate) fingerprints: Vec<u32>,
}

impl Views {
    /// Signs one text.
    pub(crate) fn single(&self, text: &str, scratch: &mut Scratch) -> Single {
        let mut sketch = vec![0; self.slots];
        scratch.fingerprints.clear();
        let Signed { words, shape, exact, .. } = self.sign(text, scratch, &mut sketch);
        let Scratch { tokens, fingerprints, .. } = scratch;
        Single { words, shape, exact, sketch, tokens: tokens.clone(), fingerprints: fingerprints.clone() }
    }
}

/// What is kept of all texts that were signed so far, in their order.
#[derive(Debug)]
pub(crate) struct Signatures {
    views: Views,
    signed: Vec<Signed>,
    places: Vec<SketchPlace>,
    sketches: (Store, Vec<Block>),
    tokens: (Store, Vec<Block>),
    fingerprints: (Store, Vec<Block>),
    /// How many slots of sketches are in memory wherever they go.
    slots_at_once: usize,
}

/// What is kept of texts to find copies by.
pub(crate) struct Kept {
    pub(crate) sketches: Sketches,
    pub(crate) fingerprints: Fingerprints,
    pub(crate) tokens: TokenChunks,
}

impl Signatures {
    pub(crate) fn new(views: Views, budget: &Arc<Budget>) -> Self {
        /// Sketches of so many slots are one block: of few, not all threads have enough to do, and large blocks go back to the system when
        /// they are done with.
        const LEAST: u64 = 1 << 20;
        const MOST: u64 = 1 << 23;
        let store = |share| (budget.store(share), Vec::new());
        let slots = (budget.share(Share::Sketches) / size_of::<u32>() as u64).clamp(LEAST, MOST);
        Self {
            views,
            slots_at_once: slots as usize,
            signed: Vec::new(),
            places: Vec::new(),
            sketches: store(Share::Sketches),
            tokens: store(Share::SignedWords),
            fingerprints: store(Share::Fingerprints),
        }
    }

    /// Signs more texts; `tick` is called after each.
    pub(crate) fn extend(&mut self, texts: &[&str], tick: impl Fn() + Sync) {
        thread_local! {
            static SCRATCH: Cell<Scratch> = Cell::default();
        }
        let Self { views, signed, places, sketches, tokens, fingerprints, slots_at_once } = self;
        for texts in texts.chunks(*slots_at_once / views.slots) {
            let sign = |(texts, rows): (&[&str], &mut [u32])| {
                let mut scratch = SCRATCH.take();
                scratch.codes.clear();
                scratch.fingerprints.clear();
                let sign = |(text, row): (&&str, &mut [u32])| {
                    let mut signed = views.sign(text, &mut scratch, row);
                    let start = scratch.codes.len() as u32;
                    scratch.codes.extend(scratch.tokens.iter().map(|token| token.code()));
                    signed.tokens.words = start..scratch.codes.len() as u32;
                    tick();
                    signed
                };
                let signed: Vec<Signed> = texts.iter().zip(rows.chunks_exact_mut(views.slots)).map(sign).collect();
                let kept = (signed, tokens.0.keep(&scratch.codes), fingerprints.0.keep(&scratch.fingerprints));
                SCRATCH.set(scratch);
                kept
            };
            let mut rows = vec![0; texts.len() * views.slots];
            // Long runs keep what is gathered later from being scattered over the memory; short ones all threads at work.
            let run = (texts.len() / (8 * rayon::current_num_threads())).clamp(CHUNK / 8, CHUNK / 4);
            let runs = texts.par_chunks(run).zip(rows.par_chunks_mut(run * views.slots)).with_max_len(1);
            let runs: Vec<(Vec<Signed>, Block, Block)> = runs.map(sign).collect();
            let block = sketches.1.len() as u32;
            sketches.1.push(sketches.0.keep(rows));
            places.extend((0..texts.len() as u32).map(|row| SketchPlace { block, row }));
            for (mut run, words, passages) in runs {
                run.iter_mut().for_each(|text| text.tokens.block = tokens.1.len() as u32);
                signed.append(&mut run);
                tokens.1.push(words);
                fingerprints.1.push(passages);
            }
        }
    }

    /// The texts, in the order in which they were signed.
    pub(crate) fn signed(&self) -> &[Signed] {
        &self.signed
    }

    /// What is kept of some of the texts, in this order.
    pub(crate) fn select(self, texts: &[u32], budget: &Arc<Budget>) -> Kept {
        let Self { views, signed, places, sketches, tokens, fingerprints, .. } = self;
        let of = |text: usize| &signed[texts[text] as usize];
        let with_words = if views.content == Content::Words { texts.len() } else { 0 };
        let tokens =
            TokenChunks::gather(tokens, |text| of(text).tokens.clone(), with_words, budget.store(Share::Words));
        let passages = (0..texts.len()).into_par_iter().map(of);
        let passages =
            passages.map(|text| FingerprintPlace { block: text.tokens.block, range: text.fingerprints.clone() });
        let fingerprints = Fingerprints::new(fingerprints, passages.collect(), views.fingerprints);
        let places = texts.par_iter().map(|&text| places[text as usize]).collect();
        Kept { sketches: Sketches::new(views.slots, sketches, places), fingerprints, tokens }
    }
}

/// Signs texts for both views and keeps only what a text needs by itself.
#[doc(hidden)]
#[allow(missing_debug_implementations, reason = "for the benchmarks alone")]
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
        self.scratch.fingerprints.clear();
        self.views.sign(text, &mut self.scratch, &mut self.sketch);
        (self.scratch.tokens.len(), self.sketch[0])
    }
}
