//! What a run keeps for later: in memory while there is room, in temporary files after that.
//!
//! Everything that grows with the articles is written once, in blocks of words, and read in order or at random later. So it
//! makes no difference but in time where a block is, and a run that was given little memory finds what any other finds.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use crate::arch;
use crate::error::{Error, Result};

/// Texts are numbered on, and what is kept of so many of them is kept together.
pub(crate) const CHUNK: usize = 1 << CHUNK_BITS;
pub(crate) const CHUNK_BITS: u32 = 9;

/// How much memory a run may take for what it keeps, and where the rest goes.
#[derive(Debug)]
pub(crate) struct Budget {
    /// In bytes; all that there is if none are given.
    memory: Option<u64>,
    /// Bytes that are spoken for by what is always in memory.
    reserved: AtomicU64,
    folder: PathBuf,
    /// The first failure. Who meets one goes on with zeros, and what comes of those is thrown away at the end of the step:
    /// reading a few words a million times needs no result to be looked at each time.
    failure: OnceLock<Arc<io::Error>>,
    /// Readings after which all fail.
    #[cfg(test)]
    readings: std::sync::atomic::AtomicI64,
}

/// What data is, of all that grows with the articles: each kind may take a part of the memory given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    /// Articles that the caller does not hold.
    Articles,
    /// Shingle signatures, which are read at random.
    Sketches,
    /// Content words as they were signed, and as they are counted.
    SignedWords,
    Words,
    Fingerprints,
    /// Fingerprints and who holds them.
    Postings,
    /// Sets of shingles that were made so far.
    Shingles,
    /// Windows that may be furniture, who holds them, and the stems of what stands around.
    Windows,
    WindowPostings,
    StemsApart,
    /// Features of a part of the corpus that are counted together, and what is learned of them.
    Counting,
    Learned,
    /// Who holds rare features: lists that are read at random, again and again.
    Lists,
    /// Stems, which are read at random, and rare features.
    Stems,
    Rare,
    /// Who is compared with whom, and how much they share.
    Neighbours,
    Shares,
    /// Pairs that were judged and may be copies.
    Judged,
}

impl Share {
    /// The whole of a budget in the parts that are given of it. Never are all of them given at a time: what is done with leaves holes.
    const ALL: u64 = 40;

    fn parts(self) -> u64 {
        match self {
            Self::Sketches | Self::Lists => 14,
            Self::Stems => 6,
            Self::Postings | Self::Shingles | Self::Counting => 4,
            Self::Windows | Self::WindowPostings => 1,
            Self::Articles
            | Self::SignedWords
            | Self::Words
            | Self::Fingerprints
            | Self::StemsApart
            | Self::Learned
            | Self::Rare
            | Self::Neighbours
            | Self::Shares
            | Self::Judged => 2,
        }
    }
}

impl Budget {
    pub(crate) fn new(memory: Option<u64>, folder: Option<&Path>) -> Arc<Self> {
        let folder = folder.map_or_else(std::env::temp_dir, Path::to_path_buf);
        Arc::new(Self {
            memory,
            reserved: AtomicU64::new(0),
            folder,
            failure: OnceLock::new(),
            #[cfg(test)]
            readings: i64::MAX.into(),
        })
    }

    /// No memory, and a disk that fails after so many readings.
    #[cfg(test)]
    pub(crate) fn failing_after(readings: i64) -> Arc<Self> {
        let budget = Self::new(Some(0), None);
        budget.readings.store(readings, Relaxed);
        budget
    }

    /// All the memory that there is.
    pub(crate) fn unlimited() -> Arc<Self> {
        Self::new(None, None)
    }

    /// Takes bytes that are always in memory off what the stores may take; these keep a fourth in any case.
    pub(crate) fn reserve(&self, bytes: u64) {
        self.reserved.fetch_add(bytes, Relaxed);
    }

    /// The share of what is left that data of a kind may take, in bytes.
    pub(crate) fn share(&self, of: Share) -> u64 {
        self.memory.map_or(u64::MAX, |memory| {
            memory.saturating_sub(self.reserved.load(Relaxed)).max(memory / 4) / Share::ALL * of.parts()
        })
    }

    /// A store that may hold the share of such data in memory.
    pub(crate) fn store(self: &Arc<Self>, of: Share) -> Store {
        Store { room: AtomicU64::new(self.share(of)), spill: Spill::new(self) }
    }

    /// Whether all that was written and read so far was.
    pub(crate) fn check(&self) -> Result<()> {
        match self.failure.get() {
            None => Ok(()),
            Some(source) => Err(Error::Spill { folder: self.folder.clone(), source: source.clone() }),
        }
    }

    fn fail(&self, error: io::Error) {
        // Only the first is reported.
        let _ = self.failure.set(Arc::new(error));
    }
}

/// Bytes in a temporary file, which is made when the first are written and has no name, so that nothing is left of it
/// however the run ends.
#[derive(Debug)]
pub(crate) struct Spill {
    budget: Arc<Budget>,
    file: OnceLock<Option<File>>,
    end: AtomicU64,
}

impl Spill {
    pub(crate) fn new(budget: &Arc<Budget>) -> Self {
        Self { budget: budget.clone(), file: OnceLock::new(), end: AtomicU64::new(0) }
    }

    /// Adds bytes; where they are.
    pub(crate) fn write(&self, bytes: &[u8]) -> u64 {
        let at = self.end.fetch_add(bytes.len() as u64, Relaxed);
        let create = || tempfile::tempfile_in(&self.budget.folder).map_err(|error| self.budget.fail(error)).ok();
        if let Some(file) = self.file.get_or_init(create)
            && let Err(error) = place::write(file, bytes, at)
        {
            self.budget.fail(error);
        }
        at
    }

    /// The bytes at a place, or zeros if they cannot be read.
    pub(crate) fn read(&self, at: u64, bytes: &mut [u8]) {
        #[cfg(test)]
        if self.budget.readings.fetch_sub(1, Relaxed) <= 0 {
            bytes.fill(0);
            return self.budget.fail(io::ErrorKind::Other.into());
        }
        if let Some(Some(file)) = self.file.get()
            && let Err(error) = place::read(file, bytes, at)
        {
            bytes.fill(0);
            self.budget.fail(error);
        }
    }
}

/// Reading and writing at a place of a file, from several threads at once.
pub(crate) mod place {
    use std::fs::File;
    use std::io;

    #[cfg(unix)]
    pub(crate) fn write(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
    }

    #[cfg(unix)]
    pub(crate) fn read(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
    }

    #[cfg(windows)]
    pub(crate) fn write(file: &File, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match std::os::windows::fs::FileExt::seek_write(file, bytes, at)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => (bytes, at) = (&bytes[written..], at + written as u64),
            }
        }
        Ok(())
    }

    #[cfg(windows)]
    pub(crate) fn read(file: &File, mut bytes: &mut [u8], mut at: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match std::os::windows::fs::FileExt::seek_read(file, bytes, at)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => (bytes, at) = (&mut bytes[read..], at + read as u64),
            }
        }
        Ok(())
    }

    #[cfg(not(any(unix, windows)))]
    pub(crate) fn write(_: &File, _: &[u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    #[cfg(not(any(unix, windows)))]
    pub(crate) fn read(_: &File, _: &mut [u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Keeps blocks of words.
#[derive(Debug)]
pub(crate) struct Store {
    /// Bytes that may still be taken of memory.
    room: AtomicU64,
    spill: Spill,
}

/// Words that a [`Store`] keeps.
#[derive(Debug)]
pub(crate) enum Block {
    Memory(Vec<u32>),
    File { at: u64, words: usize },
}

impl Block {
    /// Number of words.
    fn len(&self) -> usize {
        match self {
            Self::Memory(words) => words.len(),
            Self::File { words, .. } => *words,
        }
    }

    /// Asks for some words, if they are in memory.
    #[inline(always)]
    pub(crate) fn fetch(&self, range: Range<usize>) {
        if let Self::Memory(words) = self {
            range.step_by(arch::LINE).filter_map(|at| words.get(at)).for_each(arch::fetch);
        }
    }
}

impl Store {
    /// Keeps words; of those that are lent, a copy that takes no more memory than it needs.
    pub(crate) fn keep<'a>(&self, words: impl Into<Cow<'a, [u32]>>) -> Block {
        let words = words.into();
        if self.takes(&words) {
            Block::Memory(match words {
                Cow::Owned(mut words) => {
                    words.shrink_to(room::<u32>(words.len()));
                    words
                }
                Cow::Borrowed(lent) => {
                    let mut words = Vec::with_capacity(room::<u32>(lent.len()));
                    words.extend_from_slice(lent);
                    words
                }
            })
        } else {
            Block::File { at: self.spill.write(bytemuck::cast_slice(&words)), words: words.len() }
        }
    }

    /// Keeps a copy of words in the memory of a block that is done with, if they fit: memory that is given back in pieces of
    /// all sizes is of little use to what comes later.
    pub(crate) fn keep_in_place_of(&self, block: Block, words: &[u32]) -> Block {
        match block {
            Block::Memory(mut place) if place.capacity() >= words.len() && self.takes(words) => {
                place.clear();
                place.extend_from_slice(words);
                place.shrink_to(room::<u32>(words.len()));
                Block::Memory(place)
            }
            block => {
                drop(block);
                self.keep(words)
            }
        }
    }

    /// Whether there is memory for words, which is theirs then.
    fn takes(&self, words: &[u32]) -> bool {
        let bytes = size_of_val(words) as u64;
        self.room.fetch_update(Relaxed, Relaxed, |room| room.checked_sub(bytes)).is_ok()
    }

    /// All words of a block.
    pub(crate) fn get<'a>(&self, block: &'a Block) -> Cow<'a, [u32]> {
        self.part(block, 0..block.len())
    }

    /// Some words of a block; where it ends before them, fewer.
    #[inline(always)]
    pub(crate) fn part<'a>(&self, block: &'a Block, range: Range<usize>) -> Cow<'a, [u32]> {
        match block {
            Block::Memory(words) => Cow::Borrowed(&words[range.start..range.end.min(words.len())]),
            Block::File { at, words } => Cow::Owned(self.read(*at, range.start..range.end.min(*words))),
        }
    }

    #[cold]
    fn read(&self, at: u64, range: Range<usize>) -> Vec<u32> {
        let mut words = vec![0; range.len()];
        self.spill.read(at + size_of::<u32>() as u64 * range.start as u64, bytemuck::cast_slice_mut(&mut words));
        words
    }
}

/// For how many numbers memory is taken where there are so many: what is large takes whole pages. Blocks come and go by the ten thousand, and
/// the usual allocator of Linux goes through all sizes that it has free, one by one, when it takes or gives back one of them: so there
/// must be few sizes.
pub(crate) fn room<T>(numbers: usize) -> usize {
    const PAGE: usize = 4096;
    /// What the allocator takes of the pages itself.
    const HEADER: usize = 16;
    /// Of less, whole pages would be too much.
    const LARGE: usize = 16 * PAGE;
    let bytes = numbers * size_of::<T>();
    if bytes < LARGE { numbers } else { ((bytes + HEADER).next_multiple_of(PAGE) - HEADER) / size_of::<T>() }
}

/// Adds bytes to words, four in each, the last filled up with zeros.
pub(crate) fn add_bytes(words: &mut Vec<u32>, bytes: &[u8]) {
    let start = words.len();
    words.resize(start + bytes.len().div_ceil(size_of::<u32>()), 0);
    bytemuck::cast_slice_mut(&mut words[start..])[..bytes.len()].copy_from_slice(bytes);
}

/// The bytes that were added to words.
pub(crate) fn bytes(words: &[u32]) -> &[u8] {
    bytemuck::cast_slice(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn large_blocks_have_few_sizes_and_little_room_to_spare() {
        let sizes: std::collections::BTreeSet<usize> = (16_384..40_000).map(room::<u32>).collect();
        assert!(sizes.len() <= 24, "{} sizes", sizes.len());
        for numbers in (0..40_000).step_by(7) {
            assert!((numbers..=numbers * 16 / 15).contains(&room::<u32>(numbers)), "{numbers}");
        }
        assert_eq!(room::<u16>(1000), 1000);
    }

    proptest! {
        #[test]
        fn blocks_come_back_as_they_were_from_wherever_they_are(
            blocks in prop::collection::vec(prop::collection::vec(any::<u32>(), 0..50), 1..40), memory in 0u64..4000,
        ) {
            let budget = Budget::new(Some(memory), None);
            let store = budget.store(Share::Lists);
            let kept: Vec<Block> = blocks.iter().map(|words| store.keep(words)).collect();
            let in_memory: usize = kept.iter().filter(|block| matches!(block, Block::Memory(_))).map(Block::len).sum();
            prop_assert!(4 * in_memory as u64 <= memory);
            for (words, block) in blocks.iter().zip(&kept) {
                prop_assert_eq!(&*store.get(block), &words[..]);
                let (start, end) = (words.len() / 3, words.len() / 2);
                prop_assert_eq!(&*store.part(block, start..end), &words[start..end]);
                prop_assert_eq!(&*store.part(block, start..words.len() + 7), &words[start..]);
            }
            let other = Budget::new(Some(memory), None).store(Share::Lists);
            for (words, block) in blocks.iter().skip(1).zip(kept) {
                let kept = other.keep_in_place_of(block, words);
                prop_assert_eq!(&*other.get(&kept), &words[..]);
            }
            prop_assert!(budget.check().is_ok());
        }

        #[test]
        fn bytes_come_back_from_words(before in prop::collection::vec(any::<u32>(), 0..3), all in prop::collection::vec(any::<u8>(), 0..20)) {
            let mut words = before.clone();
            add_bytes(&mut words, &all);
            prop_assert_eq!(&words[..before.len()], &before[..]);
            prop_assert_eq!(&bytes(&words[before.len()..])[..all.len()], &all[..]);
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_told_once_and_gives_zeros() {
        let budget = Budget::new(Some(0), Some(Path::new("no/such/folder")));
        let store = budget.store(Share::Words);
        let block = store.keep(&[1, 2, 3][..]);
        assert_eq!(*store.get(&block), [0, 0, 0]);
        let error = budget.check().unwrap_err().to_string();
        assert!(error.contains("no/such/folder"), "{error}");
    }

    #[test]
    fn what_is_reserved_is_taken_off_but_not_all() {
        let budget = Budget::new(Some(32_000), None);
        budget.reserve(16_000);
        assert_eq!(budget.share(Share::Words), 800);
        budget.reserve(16_000);
        assert_eq!(budget.share(Share::Counting), 800);
        assert_eq!(Budget::unlimited().share(Share::Words), u64::MAX);
    }

    #[test]
    fn what_is_there_together_is_less_than_the_whole() {
        use Share::*;
        let stages: [&[Share]; 6] = [
            &[Articles, Sketches, SignedWords, Fingerprints],
            &[Articles, Sketches, SignedWords, Words, Fingerprints, Postings, Shingles],
            &[Articles, Words, Fingerprints, Shingles, Windows, WindowPostings, StemsApart],
            &[Articles, Words, Counting, Learned, Lists, Stems, Rare],
            &[Articles, Lists, Stems, Rare, Neighbours, Shares],
            &[Articles, Stems, Rare, Neighbours, Judged, Shingles],
        ];
        for stage in stages {
            let together: u64 = stage.iter().map(|share| share.parts()).sum();
            assert!(together <= Share::ALL, "{stage:?} take {together} of {}", Share::ALL);
        }
    }
}
