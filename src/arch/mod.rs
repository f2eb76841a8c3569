//! What each instruction set does in its own way: telling 64 bytes apart at once, and listing the places of set bits.
//!
//! The only place with `unsafe` code. Each backend gives exactly what [`portable`] gives; the tests below hold them to it.
#![allow(unsafe_code)]

#[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
mod aarch64;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod halves;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86_64;

/// What each of 64 bytes is at a word boundary, one bit a byte, the first byte lowest. A byte beyond ASCII has no bit but
/// that of a lead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Block {
    letters: u64,
    digits: u64,
    joins: u64,
    mid_letters: u64,
    mid_digits: u64,
    leads: u64,
}

/// The most blocks of 64 bytes that are told apart together.
pub(crate) const BLOCKS: usize = 65;

/// One mask for each block, and an empty one before and behind, so that each block has neighbours.
pub(crate) type Masks = [u64; BLOCKS + 2];

/// What each of some thousand bytes is at a word boundary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kinds {
    pub(crate) letters: Masks,
    pub(crate) digits: Masks,
    /// Counts as part of a word, but is neither letter nor digit.
    pub(crate) joins: Masks,
    /// Holds two letters together.
    pub(crate) mid_letters: Masks,
    /// Holds two digits together.
    pub(crate) mid_digits: Masks,
    /// Begins a character beyond ASCII.
    pub(crate) leads: Masks,
}

impl Default for Kinds {
    fn default() -> Self {
        let none = [0; BLOCKS + 2];
        Self { letters: none, digits: none, joins: none, mid_letters: none, mid_digits: none, leads: none }
    }
}

impl Kinds {
    #[inline(always)]
    fn set(&mut self, at: usize, block: Block) {
        self.letters[at] = block.letters;
        self.digits[at] = block.digits;
        self.joins[at] = block.joins;
        self.mid_letters[at] = block.mid_letters;
        self.mid_digits[at] = block.mid_digits;
        self.leads[at] = block.leads;
    }
}

/// The characters of two bytes that have the same lead, by the low six bits of the second byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// [`Page::EASY`] and [`Page::LETTER`], or none.
    pub(crate) kinds: [u8; 64],
    /// The two bytes of the normal form of an easy character.
    pub(crate) firsts: [u8; 64],
    pub(crate) seconds: [u8; 64],
}

impl Page {
    /// A letter or no part of words, whatever stands around it, with a normal form of two bytes.
    pub(crate) const EASY: u8 = 1;
    pub(crate) const LETTER: u8 = 2;
    pub(crate) const NONE: Self = Self { kinds: [0; 64], firsts: [0; 64], seconds: [0; 64] };
}

/// The pages of all leads of two bytes, by their low five bits.
pub(crate) type Pages = [Page; 32];

/// What was taken in of the characters beyond ASCII in a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The leads of those that were.
    pub(crate) leads: u64,
    /// All bytes of letters.
    pub(crate) letters: u64,
    /// The leads of words of their own, all of three bytes.
    pub(crate) solos: u64,
}

/// A set of instructions to work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Plain integers of 64 bits.
    Portable,
    /// NEON.
    #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
    Neon,
    /// AVX2 and the bit instructions that came with it.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 with byte instructions, VBMI and VBMI2.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Backend {
    /// Those that the processor has, the best first.
    pub fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let all = [Self::Avx512, Self::Avx2, Self::Portable];
        #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
        let all = [Self::Neon, Self::Portable];
        #[cfg(not(any(
            target_arch = "x86_64",
            all(target_arch = "aarch64", target_feature = "neon", target_endian = "little")
        )))]
        let all = [Self::Portable];
        all.into_iter().filter(|backend| backend.is_available())
    }

    fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
            Self::Neon => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => x86_64::has_avx2(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => x86_64::has_avx512(),
        }
    }
}

/// The work of one backend; can only be had for a backend that the processor has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arch(Backend);

impl Default for Arch {
    fn default() -> Self {
        Self(Backend::available().next().unwrap_or(Backend::Portable))
    }
}

impl Arch {
    /// The backend, or the portable one where the processor does not have it.
    pub(crate) fn new(backend: Backend) -> Self {
        Self(if backend.is_available() { backend } else { Backend::Portable })
    }

    /// Does `work` with the backend's instructions at hand, of which the compiler makes vectors where it can.
    #[inline(always)]
    pub(crate) fn run<W: Work>(self, work: W) -> W::Output {
        match self.0 {
            Backend::Portable => work.work(),
            #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
            Backend::Neon => work.work(),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: there is no `Arch` of a backend that the processor does not have.
            Backend::Avx2 => unsafe { x86_64::avx2::run(work) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Backend::Avx512 => unsafe { x86_64::avx512::run(work) },
        }
    }

    /// Tells the bytes of `text` apart and copies them to `lowered` with ASCII capitals made small. Fills one block for
    /// each 64 bytes begun and, if none is left open, an empty one behind; `lowered` must hold them all. Returns their
    /// number.
    #[inline]
    pub(crate) fn classify(self, text: &[u8], lowered: &mut [u8], kinds: &mut Kinds) -> usize {
        match self.0 {
            Backend::Portable => portable::classify(text, lowered, kinds),
            #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
            Backend::Neon => aarch64::classify(text, lowered, kinds),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: there is no `Arch` of a backend that the processor does not have.
            Backend::Avx2 => unsafe { x86_64::avx2::classify(text, lowered, kinds) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Backend::Avx512 => unsafe { x86_64::avx512::classify(text, lowered, kinds) },
        }
    }

    /// Takes in those characters beyond ASCII in a block that can be taken in together: easy ones of two bytes, whose normal
    /// forms are written over them, and Han ones from U+4E00 to U+9FFF, each of them a word of its own as it stands. Not
    /// every backend takes in any, and none those that end in the last byte or behind the block.
    #[inline(always)]
    #[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables, reason = "no other backend takes in any"))]
    pub(crate) fn take_in(self, bytes: &mut [u8; 64], leads: u64, pages: &Pages) -> Taken {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: there is no `Arch` of a backend that the processor does not have.
            Backend::Avx512 => unsafe { x86_64::avx512::take_in(bytes, leads, pages) },
            _ => Taken::default(),
        }
    }

    /// Writes the places of all set bits, ascending, and returns their number. Of each mask at most 32 bits may be set;
    /// `places` needs room for 32 more than there are.
    #[inline]
    pub(crate) fn list(self, masks: &[u64], places: &mut [u16]) -> usize {
        match self.0 {
            Backend::Portable => list(masks, places),
            #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
            Backend::Neon => list(masks, places),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: there is no `Arch` of a backend that the processor does not have.
            Backend::Avx2 => unsafe { x86_64::avx2::list(masks, places) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Backend::Avx512 => unsafe { x86_64::avx512::list(masks, places) },
        }
    }
}

/// Numbers of 32 bits that come together from memory on most processors.
pub(crate) const LINE: usize = 16;

/// Asks for the memory in which a value begins, without waiting for it: who reads what lies anywhere asks for the next places while it is
/// at the first ones. Nothing but time depends on it, and where it cannot be asked nothing is done.
#[inline(always)]
pub(crate) fn fetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: SSE is part of the architecture, and the address is that of a reference.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

/// Plain code to be compiled once for each backend.
///
/// A trait and not a closure: only what is inlined is compiled for a backend, and of closures the compiler decides by itself
/// whether they are.
pub(crate) trait Work {
    type Output;

    /// Must be `#[inline(always)]`, and so must all be that counts in it.
    fn work(self) -> Self::Output;
}

/// Cuts `text` into blocks, the last one filled up with zeros.
#[inline(always)]
fn by_blocks(
    text: &[u8],
    lowered: &mut [u8],
    kinds: &mut Kinds,
    mut classify: impl FnMut(&[u8; 64], &mut [u8; 64]) -> Block,
) -> usize {
    let (whole, rest) = text.as_chunks::<64>();
    let (lowered, _) = lowered.as_chunks_mut::<64>();
    assert!(whole.len() < BLOCKS && whole.len() < lowered.len(), "the text has too many blocks");
    for (at, bytes) in whole.iter().enumerate() {
        kinds.set(at + 1, classify(bytes, &mut lowered[at]));
    }
    let mut last = [0; 64];
    last[..rest.len()].copy_from_slice(rest);
    kinds.set(whole.len() + 1, classify(&last, &mut lowered[whole.len()]));
    kinds.set(whole.len() + 2, Block::default());
    whole.len() + 1
}

/// Lists bits one by one; the first twelve of a mask without a branch, for there are rarely more words in 64 bytes.
#[inline(always)]
fn list(masks: &[u64], places: &mut [u16]) -> usize {
    let mut count = 0;
    for (&mask, first) in masks.iter().zip((0u16..).step_by(64)) {
        let mut left = mask;
        let mut next = |place: &mut u16| {
            *place = first + left.trailing_zeros() as u16;
            left &= left.wrapping_sub(1);
        };
        let number = mask.count_ones() as usize;
        let room = &mut places[count..count + 32];
        room[..12].iter_mut().for_each(&mut next);
        if number > 12 {
            room[12..].iter_mut().for_each(next);
        }
        count += number;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_backend_tells_bytes_apart_as_the_portable_one(text in prop::collection::vec(any::<u8>(), 0..300)) {
            let run = |arch: Arch| {
                let (mut lowered, mut kinds) = (vec![1; 320], Kinds::default());
                let blocks = arch.classify(&text, &mut lowered, &mut kinds);
                lowered.truncate(text.len());
                (blocks, lowered, kinds)
            };
            let expected = run(Arch(Backend::Portable));
            for backend in Backend::available() {
                prop_assert_eq!(&run(Arch(backend)), &expected, "{:?}", backend);
            }
        }

        #[test]
        fn every_backend_takes_in_what_the_pages_say(
            text in "[a ]{0,9}([à-ÿА-яء-ي一-鿿]{1,9}[ä“a㐀ꀀ가]{0,3}){4,40}",
            tables in prop::collection::vec(any::<([u8; 32], [u8; 32])>(), 32),
        ) {
            let double = |half: [u8; 32]| std::array::from_fn(|at| half[at / 2].rotate_left(at as u32));
            let page = |(kinds, normal)| Page {
                kinds: double(kinds).map(|kind| kind & 3),
                firsts: double(normal),
                seconds: double(normal).map(|byte| !byte),
            };
            let pages: Pages = std::array::from_fn(|at| page(tables[at]));
            let mut bytes = text.into_bytes();
            bytes.resize(64, 0);
            let bytes: [u8; 64] = bytes.try_into().unwrap();
            let leads = (0..64).filter(|&at| bytes[at] >= 0xc0).fold(0, |leads, at| leads | 1 << at);
            let (mut expected, mut normal) = (Taken::default(), bytes);
            for at in (0..63).filter(|at| leads >> at & 1 == 1) {
                match bytes[at..] {
                    [first @ 0xc0..0xe0, second, ..] => {
                        let (page, second) = (&pages[usize::from(first & 0x1f)], usize::from(second & 0x3f));
                        if page.kinds[second] & Page::EASY != 0 {
                            expected.leads |= 1 << at;
                            expected.letters |= if page.kinds[second] & Page::LETTER != 0 { 3 << at } else { 0 };
                            normal[at..at + 2].copy_from_slice(&[page.firsts[second], page.seconds[second]]);
                        }
                    }
                    [first, second, third, _, ..] if first < 0xf0 => {
                        let han = std::str::from_utf8(&[first, second, third]).unwrap() >= "\u{4e00}" && first < 0xea;
                        expected.leads |= u64::from(han) << at;
                        expected.solos |= u64::from(han) << at;
                    }
                    _ => {}
                }
            }
            for backend in Backend::available() {
                let mut written = bytes;
                let taken = Arch(backend).take_in(&mut written, leads, &pages);
                prop_assert!((taken, written) == (expected, normal) || (taken, written) == (Taken::default(), bytes));
            }
        }

        #[test]
        fn every_backend_lists_every_bit(masks in prop::collection::vec(any::<u64>(), 0..9)) {
            let masks: Vec<u64> = masks.into_iter().map(|mask| mask & !(mask << 1)).collect();
            let set = |place: &u16| masks[usize::from(place / 64)] >> (place % 64) & 1 == 1;
            let expected: Vec<u16> = (0..64 * masks.len() as u16).filter(set).collect();
            for backend in Backend::available() {
                let mut places = vec![0; expected.len() + 32];
                let count = Arch(backend).list(&masks, &mut places);
                prop_assert_eq!(&places[..count], &expected, "{:?}", backend);
            }
        }
    }
}
