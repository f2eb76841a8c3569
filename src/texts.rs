//! The texts of a corpus as they are asked for: read again wherever they are, as words or as sets of shingles.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::shingle::{self, Shingle};
use crate::store::Budget;
use crate::text;

/// What is asked of texts while they are compared.
#[derive(Clone, Copy)]
pub(crate) struct Texts<'a> {
    /// The number of words of each.
    pub(crate) words: &'a [u32],
    pub(crate) read: &'a (dyn Fn(u32) -> Cow<'a, str> + Sync),
    pub(crate) shingle: Shingle,
    pub(crate) budget: &'a Arc<Budget>,
}

impl Texts<'_> {
    pub(crate) fn len(self) -> usize {
        self.words.len()
    }
}

/// The shingle sets of texts, each made when it is first asked for, and kept while there is memory.
pub(crate) struct Shingles<'a> {
    texts: Texts<'a>,
    sets: Vec<OnceLock<Box<[u64]>>>,
    /// Bytes of memory for more sets.
    room: AtomicU64,
}

/// What shingle sets may take of the memory given.
const SHINGLES_SHARE: u64 = 4;

impl<'a> Shingles<'a> {
    pub(crate) fn new(texts: Texts<'a>) -> Self {
        let room = AtomicU64::new(texts.budget.share(SHINGLES_SHARE));
        Self { texts, sets: (0..texts.len()).map(|_| OnceLock::new()).collect(), room }
    }

    pub(crate) fn of(&self, text: u32) -> Cow<'_, [u64]> {
        let set = &self.sets[text as usize];
        if let Some(set) = set.get() {
            return set[..].into();
        }
        let of = (self.texts.read)(text);
        // A shingle begins every six bytes or so, and in scripts without spaces every three.
        let mut hashes = Vec::with_capacity(of.len() / 4);
        text::with_scratch(|scratch| shingle::collect(&of, self.texts.shingle, scratch, &mut hashes));
        let hashes = shingle::distinct(&hashes);
        let bytes = size_of_val(&hashes[..]) as u64;
        match self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| room.checked_sub(bytes)) {
            Ok(_) => set.get_or_init(|| hashes.into_boxed_slice())[..].into(),
            Err(_) => hashes.into(),
        }
    }
}

impl Shingles<'_> {
    /// The share of a text's words that lie in shingles of a set.
    pub(crate) fn covered(&self, text: u32, set: &[u64]) -> f32 {
        let mut hashes = Vec::new();
        let of = (self.texts.read)(text);
        text::with_scratch(|scratch| shingle::collect(&of, self.texts.shingle, scratch, &mut hashes));
        shingle::covered(&hashes, self.texts.shingle.span(), set)
    }
}
