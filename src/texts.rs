//! The texts of a corpus as they are asked for: read again wherever they are, as words or as sets of shingles.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::scheme::Shingle;
use crate::shingle;
use crate::store::{Budget, Share};
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
    sets: Sets,
}

/// The sets that were made so far.
#[derive(Default)]
pub(crate) struct Sets {
    of: Vec<OnceLock<Box<[u64]>>>,
    /// Bytes of memory for more of them.
    room: AtomicU64,
}

impl<'a> Shingles<'a> {
    pub(crate) fn new(texts: Texts<'a>) -> Self {
        let room = AtomicU64::new(texts.budget.share(Share::Shingles));
        Self::with(texts, Sets { of: (0..texts.len()).map(|_| OnceLock::new()).collect(), room })
    }

    /// With the sets that were made when the same texts were compared before.
    pub(crate) fn with(texts: Texts<'a>, sets: Sets) -> Self {
        Self { texts, sets }
    }

    pub(crate) fn into_sets(self) -> Sets {
        self.sets
    }

    pub(crate) fn texts(&self) -> Texts<'a> {
        self.texts
    }

    pub(crate) fn of(&self, text: u32) -> Cow<'_, [u64]> {
        let set = &self.sets.of[text as usize];
        if let Some(set) = set.get() {
            return set[..].into();
        }
        let of = (self.texts.read)(text);
        let hashes = in_order(&of, self.texts.shingle, shingle::distinct);
        let bytes = size_of_val(&hashes[..]) as u64;
        match self.sets.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| room.checked_sub(bytes)) {
            Ok(_) => set.get_or_init(|| hashes.into_boxed_slice())[..].into(),
            Err(_) => hashes.into(),
        }
    }
}

impl Shingles<'_> {
    /// The share of a text's words that lie in shingles of a set.
    pub(crate) fn covered(&self, text: u32, set: &[u64]) -> f32 {
        let shingle = self.texts.shingle;
        in_order(&(self.texts.read)(text), shingle, |hashes| shingle::covered(hashes, shingle.span(), set))
    }
}

/// What is made of the shingles of a text in their order, for which a thread uses the same memory each time.
fn in_order<R>(of: &str, shingle: Shingle, make: impl FnOnce(&[u64]) -> R) -> R {
    thread_local! {
        static HASHES: Cell<Vec<u64>> = const { Cell::new(Vec::new()) };
    }
    let mut hashes = HASHES.take();
    hashes.clear();
    text::with_scratch(|scratch| shingle::collect(of, shingle, scratch, &mut hashes));
    let made = make(&hashes);
    HASHES.set(hashes);
    made
}
