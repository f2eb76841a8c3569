//! Finds the words of a text some thousand bytes at a time: every byte is told apart into bit masks, the word boundary
//! rules are bit operations on these, and then the edges of all words are listed.
//!
//! Characters beyond ASCII are looked up one by one and write their bits into the same masks, so that text of any script
//! and any mixture takes the same way. [`next_word`](super::next_word) says the same a character at a time.

use std::fmt;
use std::sync::OnceLock;

use super::{ASCII, Class, Entry, RawWord, next_word, normalize};
use crate::arch::{Arch, Block};
use crate::hash;

/// How many bytes are looked at together. All that is known of them stays in the first-level cache.
const CHUNK: usize = 4096;
const BLOCKS: usize = CHUNK / 64 + 1;
/// Of two bytes, one word can begin.
const WORDS: usize = CHUNK / 2 + 64;

/// Marks the end of a word whose normal form is not what stands in [`Scan::normal`].
const ODD: u16 = 1 << 15;

/// Some words of a text, and the space it takes to find them.
#[derive(Clone)]
pub(crate) struct Scan {
    arch: Arch,
    /// How many bytes to look at together: [`CHUNK`], but for tests.
    limit: usize,
    /// Where the chunk begins in the text.
    at: usize,
    /// The bytes of the chunk with characters in normal form, where that has the same length.
    normal: [u8; CHUNK + 64],
    blocks: [Block; BLOCKS],
    /// What characters beyond ASCII add to the blocks; all zero unless `beyond` is set.
    odd: [u64; BLOCKS],
    solo_starts: [u64; BLOCKS],
    solo_ends: [u64; BLOCKS],
    beyond: bool,
    start_masks: [u64; BLOCKS],
    end_masks: [u64; BLOCKS],
    starts: [u16; WORDS],
    ends: [u16; WORDS],
    len: usize,
    hashes: [u64; WORDS],
    /// The words that are odd or longer than 16 bytes.
    slow: [u16; WORDS],
    /// The normal forms of odd words, each with 16 bytes behind it, and where in the text and here they end.
    odd_forms: String,
    odd_ends: Vec<(usize, usize)>,
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan").field("arch", &self.arch).finish_non_exhaustive()
    }
}

impl Default for Scan {
    fn default() -> Self {
        Self::new(Arch::default())
    }
}

impl Scan {
    pub(super) fn new(arch: Arch) -> Self {
        Self {
            arch,
            limit: CHUNK,
            at: 0,
            normal: [0; CHUNK + 64],
            blocks: [Block::default(); BLOCKS],
            odd: [0; BLOCKS],
            solo_starts: [0; BLOCKS],
            solo_ends: [0; BLOCKS],
            beyond: false,
            start_masks: [0; BLOCKS],
            end_masks: [0; BLOCKS],
            starts: [0; WORDS],
            ends: [0; WORDS],
            len: 0,
            hashes: [0; WORDS],
            slow: [0; WORDS],
            odd_forms: String::new(),
            odd_ends: Vec::new(),
        }
    }

    pub(super) fn arch(&self) -> Arch {
        self.arch
    }

    #[cfg(test)]
    pub(super) fn limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// The number of words.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The hashes of the words, in order.
    #[inline(always)]
    pub(crate) fn hashes(&self) -> &[u64] {
        &self.hashes[..self.len]
    }

    /// The words, in order.
    #[inline(always)]
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = RawWord<'_>> {
        let mut odd = 0usize;
        let edges = self.starts[..self.len].iter().zip(&self.ends[..self.len]);
        edges.zip(self.hashes()).map(move |((&start, &end), &hash)| {
            let start = usize::from(start);
            if end & ODD == 0 {
                let end = usize::from(end);
                let (low, high) = hash::load_padded(&self.normal, start, end - start);
                let long = if end - start > 16 { &self.normal[start..end] } else { &[] };
                return RawWord { start: self.at + start, end: self.at + end, hash, low, high, long };
            }
            let from = odd.checked_sub(1).map_or(0, |last| self.odd_ends[last].1 + 16);
            let (end, to) = self.odd_ends[odd];
            odd += 1;
            let form = self.odd_forms.as_bytes();
            let (low, high) = hash::load_padded(form, from, to - from);
            let long = if to - from > 16 { &form[from..to] } else { &[] };
            RawWord { start: self.at + start, end, hash, low, high, long }
        })
    }

    /// Finds and hashes the words of the chunk that begins at `at`, which must not lie inside a word or a character.
    /// Returns where the next chunk begins.
    pub(super) fn scan(&mut self, text: &str, at: usize) -> usize {
        let next = self.find(text, at);
        let (starts, ends) = (&self.starts[..self.len], &self.ends[..self.len]);
        let slow = self.arch.run(|| hash_short_words(starts, ends, &self.normal, &mut self.hashes, &mut self.slow));
        self.odd_forms.clear();
        self.odd_ends.clear();
        for &word in &self.slow[..slow] {
            let word = usize::from(word);
            let (start, end) = (usize::from(self.starts[word]), self.ends[word]);
            self.hashes[word] = if end & ODD == 0 {
                hash::hash_padded(&self.normal, start, end.into())
            } else {
                // A word that fills more than the chunk ends where the next one begins.
                let end = if end == ODD { next } else { at + usize::from(end & !ODD) };
                let from = self.odd_forms.len();
                normalize(&text[at + start..end], &mut self.odd_forms);
                let to = self.odd_forms.len();
                self.odd_ends.push((end, to));
                self.odd_forms.push_str("                ");
                hash::hash_padded(self.odd_forms.as_bytes(), from, to)
            };
        }
        next
    }

    /// Finds the words without hashing them.
    pub(super) fn find(&mut self, text: &str, at: usize) -> usize {
        let mut end = text.len();
        if end - at > self.limit {
            end = at + self.limit;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
        }
        self.at = at;
        let chunk = &text.as_bytes()[at..end];
        let blocks = chunk.len() / 64 + 1;
        self.arch.classify(chunk, &mut self.normal, &mut self.blocks[..blocks]);
        self.take_in_beyond_ascii(chunk, blocks);
        self.drop_bare_joins(chunk, end < text.len());
        self.find_edges(blocks);
        self.len = self.arch.list(&self.start_masks[..blocks], &mut self.starts);
        self.arch.list(&self.end_masks[..blocks], &mut self.ends);
        if self.beyond {
            self.mark_odd_words(blocks);
        }
        if end == text.len() {
            return end;
        }
        // The last word may go on behind the chunk, so the next chunk begins with it.
        let Some(last) = self.len.checked_sub(1) else { return end };
        let next = usize::from(self.starts[last]);
        if next > 0 {
            self.len = last;
            return at + next;
        }
        self.ends[0] = ODD;
        next_word(text, at).map_or(end, |word| word.end)
    }

    fn take_in_beyond_ascii(&mut self, chunk: &[u8], blocks: usize) {
        if std::mem::take(&mut self.beyond) {
            self.odd.fill(0);
            self.solo_starts.fill(0);
            self.solo_ends.fill(0);
        }
        for block in 0..blocks {
            let mut leads = self.blocks[block].leads;
            if leads == 0 {
                continue;
            }
            self.beyond = true;
            let pairs = Pair::table();
            let (mut letters, mut solo_starts, mut solo_ends) = (0, 0, 0);
            while leads != 0 {
                let bit = leads.trailing_zeros() as usize;
                leads &= leads - 1;
                let at = 64 * block + bit;
                // Characters that reach into the next block take the slow way.
                if bit < 61 {
                    let bytes = &chunk[at..];
                    if let [first @ 0xc0..0xe0, second, ..] = *bytes {
                        let pair = pairs[usize::from(first & 0x1f) << 6 | usize::from(second & 0x3f)];
                        if pair.is_easy() {
                            letters |= pair.if_letter(3) << bit;
                            self.normal[at..at + 2].copy_from_slice(&pair.normal());
                            continue;
                        }
                    } else if let [first @ 0xe0..0xf0, second, third, ..] = *bytes {
                        let tail = |byte: u8| u32::from(byte & 0x3f);
                        let entry = Entry::of(u32::from(first & 0xf) << 12 | tail(second) << 6 | tail(third));
                        if entry.is_easy() {
                            let class = entry.class();
                            letters |= if class == Class::Letter { 7 << bit } else { 0 };
                            solo_starts |= u64::from(class == Class::Solo) << bit;
                            solo_ends |= u64::from(class == Class::Solo) << (bit + 3);
                            encode(entry.normal(), 3, &mut self.normal[at..at + 3]);
                            continue;
                        }
                    }
                }
                self.blocks[block].letters |= letters;
                self.solo_starts[block] |= solo_starts;
                self.solo_ends[block] |= solo_ends;
                solo_ends = 0;
                self.take_in(chunk, at);
            }
            self.blocks[block].letters |= letters;
            self.solo_starts[block] |= solo_starts;
            self.solo_ends[block] |= solo_ends;
        }
    }

    /// Takes in the character at `at`. All before it is known.
    #[inline(always)]
    fn take_in(&mut self, chunk: &[u8], at: usize) {
        let (c, len) = decode(chunk, at);
        let entry = Entry::of(c);
        let class = entry.class();
        if class == Class::Other {
            return;
        }
        let mut mark_odd = true;
        if let Some(normal) = entry.plain() {
            mark_odd = !encode(normal, len, &mut self.normal[at..at + len]);
        }
        set(&mut self.odd, at, mark_odd.into());
        let bytes = (1 << len) - 1;
        match class {
            Class::Letter => self.set(|block| &mut block.letters, at, bytes),
            Class::Numeric => self.set(|block| &mut block.digits, at, bytes),
            Class::Join => self.set(|block| &mut block.joins, at, bytes),
            Class::Solo => {
                set(&mut self.solo_starts, at, 1);
                set(&mut self.solo_ends, at + len, 1);
            }
            Class::MidLetter | Class::MidNum | Class::MidBoth => self.hold_together(chunk, class, at, at + len),
            Class::Extend | Class::Ignorable => self.extend(chunk, at, at + len),
            Class::Other => {}
        }
    }

    /// A mark is what the byte before it is.
    fn extend(&mut self, chunk: &[u8], at: usize, end: usize) {
        let Some(last) = at.checked_sub(1) else { return };
        let bytes = (1 << (end - at)) - 1;
        let before = &self.blocks[last / 64];
        let has = |mask: u64| mask >> (last % 64) & 1 == 1;
        if has(before.letters) {
            self.set(|block| &mut block.letters, at, bytes);
        } else if has(before.digits) {
            self.set(|block| &mut block.digits, at, bytes);
        } else if has(before.joins) {
            self.set(|block| &mut block.joins, at, bytes);
        } else if self.solo_ends[at / 64] >> (at % 64) & 1 == 1 {
            self.solo_ends[at / 64] ^= 1 << (at % 64);
            set(&mut self.solo_ends, end, 1);
        } else if has(before.mid_letters | before.mid_digits) {
            self.hold_together(chunk, ASCII[usize::from(chunk[last])], last, end);
        }
    }

    /// Makes the joining character from `start` to `end`, with the marks on it that are there already, part of the word
    /// around it, if there is one.
    fn hold_together(&mut self, chunk: &[u8], class: Class, start: usize, end: usize) {
        let Some(last) = start.checked_sub(1) else { return };
        let block = &self.blocks[last / 64];
        let before = match (block.letters >> (last % 64) & 1, block.digits >> (last % 64) & 1) {
            (1, _) => Class::Letter,
            (_, 1) => Class::Numeric,
            _ => return,
        };
        let mut at = end;
        while at < chunk.len() {
            let (c, len) = decode(chunk, at);
            match Entry::of(c).class() {
                Class::Extend | Class::Ignorable => at += len,
                after => {
                    if class.joins(before, after) {
                        // Marks that follow find this before them.
                        self.set(|block| &mut block.joins, start, (1 << (end - start)) - 1);
                    }
                    return;
                }
            }
        }
    }

    fn set(&mut self, field: impl Fn(&mut Block) -> &mut u64, at: usize, bytes: u64) {
        let wide = u128::from(bytes) << (at % 64);
        *field(&mut self.blocks[at / 64]) |= wide as u64;
        if wide >> 64 != 0 {
            *field(&mut self.blocks[at / 64 + 1]) |= (wide >> 64) as u64;
        }
    }

    /// A run of joining characters alone is no word, unless it may go on in the next chunk.
    fn drop_bare_joins(&mut self, chunk: &[u8], goes_on: bool) {
        let mut last = 0;
        for block in 0..=chunk.len() / 64 {
            let joins = self.blocks[block].joins;
            let mut begins = joins & !(joins << 1 | last);
            while begins != 0 {
                let start = 64 * block + begins.trailing_zeros() as usize;
                let is = |at: usize, of: fn(&Block) -> u64| of(&self.blocks[at / 64]) >> (at % 64) & 1 == 1;
                let end = (start..chunk.len()).find(|&at| !is(at, |block| block.joins)).unwrap_or(chunk.len());
                let touches = |at| is(at, |block| block.letters | block.digits);
                let counts = start > 0 && touches(start - 1) || touches(end) || goes_on && end == chunk.len();
                if !counts {
                    (start..end).for_each(|at| self.blocks[at / 64].joins &= !(1 << (at % 64)));
                }
                begins &= begins - 1;
            }
            last = self.blocks[block].joins >> 63;
        }
    }

    /// The rules: WB5 and WB8 to WB10 and WB13 make runs of letters, digits and joins words, WB6, WB7, WB11 and WB12 let
    /// one other character between two letters or two digits pass.
    fn find_edges(&mut self, blocks: usize) {
        let (mut letter, mut digit, mut in_word) = (0, 0, 0);
        for at in 0..blocks {
            let Block { letters, digits, joins, mid_letters, mid_digits, .. } = self.blocks[at];
            let (next_letters, next_digits) = match self.blocks[..blocks].get(at + 1) {
                Some(next) => (next.letters << 63, next.digits << 63),
                None => (0, 0),
            };
            let between_letters = (letters << 1 | letter) & (letters >> 1 | next_letters);
            let between_digits = (digits << 1 | digit) & (digits >> 1 | next_digits);
            let word = letters | digits | joins | mid_letters & between_letters | mid_digits & between_digits;
            let before = word << 1 | in_word;
            self.start_masks[at] = word & !before | self.solo_starts[at];
            self.end_masks[at] = !word & before | self.solo_ends[at];
            (letter, digit, in_word) = (letters >> 63, digits >> 63, word >> 63);
        }
    }

    fn mark_odd_words(&mut self, blocks: usize) {
        for block in 0..blocks {
            let mut left = self.odd[block];
            while left != 0 {
                let at = 64 * block as u16 + left.trailing_zeros() as u16;
                let after = self.starts[..self.len].partition_point(|&start| start <= at);
                if let Some(end) = after.checked_sub(1).map(|word| &mut self.ends[word])
                    && at < *end
                {
                    *end |= ODD;
                }
                left &= left - 1;
            }
        }
    }
}

/// Hashes the words that are not odd as far as their first 16 bytes go, and lists those for which that is not all.
#[inline(always)]
fn hash_short_words(
    starts: &[u16],
    ends: &[u16],
    normal: &[u8; CHUNK + 64],
    hashes: &mut [u64; WORDS],
    slow: &mut [u16; WORDS],
) -> usize {
    let mut count = 0;
    for (((&start, &end), hash), word) in starts.iter().zip(ends).zip(hashes).zip(0..) {
        let len = usize::from(end - start);
        let (low, high) = hash::load_padded(normal, usize::from(start) % CHUNK, len);
        *hash = hash::hash_short(low, high);
        slow[count] = word;
        count += usize::from(len > 16);
    }
    count
}

/// A character of two bytes: its normal form if that has two bytes as well, and what it is.
#[derive(Clone, Copy, Debug)]
struct Pair(u32);

impl Pair {
    const LETTER: u32 = 1 << 16;
    const EASY: u32 = 1 << 17;

    fn table() -> &'static [Self; 0x800] {
        static TABLE: OnceLock<[Pair; 0x800]> = OnceLock::new();
        TABLE.get_or_init(|| {
            std::array::from_fn(|c| {
                let entry = Entry::of(c as u32);
                let mut normal = [0; 2];
                if c < 0x80 || !entry.is_easy() || !encode(entry.normal(), 2, &mut normal) {
                    return Self(0);
                }
                let letter = if entry.class() == Class::Letter { Self::LETTER } else { 0 };
                Self(u32::from(u16::from_le_bytes(normal)) | letter | Self::EASY)
            })
        })
    }

    #[inline(always)]
    fn is_easy(self) -> bool {
        self.0 & Self::EASY != 0
    }

    #[inline(always)]
    fn if_letter(self, bits: u64) -> u64 {
        if self.0 & Self::LETTER != 0 { bits } else { 0 }
    }

    #[inline(always)]
    fn normal(self) -> [u8; 2] {
        (self.0 as u16).to_le_bytes()
    }
}

fn set(masks: &mut [u64; BLOCKS], at: usize, bit: u64) {
    masks[at / 64] |= bit << (at % 64);
}

/// Decodes the character at `at`, where one must begin: its code point and its length in bytes.
#[inline(always)]
fn decode(chunk: &[u8], at: usize) -> (u32, usize) {
    let byte = |i: usize| u32::from(chunk[at + i]);
    let tail = |i: usize| byte(i) & 0x3f;
    match byte(0) {
        lead @ 0..0x80 => (lead, 1),
        lead @ 0x80..0xe0 => ((lead & 0x1f) << 6 | tail(1), 2),
        lead @ 0xe0..0xf0 => ((lead & 0xf) << 12 | tail(1) << 6 | tail(2), 3),
        lead => ((lead & 7) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4),
    }
}

/// Writes a character over one that has `len` bytes, more than one; false if it has another length.
#[inline(always)]
fn encode(c: u32, len: usize, out: &mut [u8]) -> bool {
    let tail = |shift: u32| (c >> shift & 0x3f | 0x80) as u8;
    match (c, len) {
        (0x80..0x800, 2) => out.copy_from_slice(&[(c >> 6 | 0xc0) as u8, tail(0)]),
        (0x800..0x1_0000, 3) => out.copy_from_slice(&[(c >> 12 | 0xe0) as u8, tail(6), tail(0)]),
        (0x1_0000.., 4) => out.copy_from_slice(&[(c >> 18 | 0xf0) as u8, tail(12), tail(6), tail(0)]),
        _ => return false,
    }
    true
}
