//! Finds the words of a text some thousand bytes at a time: every byte is told apart into bit masks, the word boundary
//! rules are bit operations on these, and then the edges of all words are listed.
//!
//! Characters beyond ASCII are looked up one by one and write their bits into the same masks, so that text of any script
//! and any mixture takes the same way. [`next_word`](super::next_word) says the same a character at a time.

use std::fmt;
use std::sync::OnceLock;

use super::{ASCII, Class, Entry, RawWord, next_word, normalize};
use crate::arch::{Arch, BLOCKS, Kinds, Masks, Page, Pages, Work};
use crate::hash;

/// How many bytes are looked at together. All that is known of them stays in the first-level cache.
const CHUNK: usize = 64 * (BLOCKS - 1);
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
    kinds: Kinds,
    /// What else there is to say of characters beyond ASCII; all zero unless `beyond` is set.
    odd: Masks,
    solo_starts: Masks,
    solo_ends: Masks,
    beyond: bool,
    words: Masks,
    start_masks: Masks,
    end_masks: Masks,
    starts: [u16; WORDS],
    ends: [u16; WORDS],
    len: usize,
    /// The first 16 bytes of the normal form of each word, zero-padded, as two little-endian halves.
    firsts: [[u64; 2]; WORDS],
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
            kinds: Kinds::default(),
            odd: [0; BLOCKS + 2],
            solo_starts: [0; BLOCKS + 2],
            solo_ends: [0; BLOCKS + 2],
            beyond: false,
            words: [0; BLOCKS + 2],
            start_masks: [0; BLOCKS + 2],
            end_masks: [0; BLOCKS + 2],
            starts: [0; WORDS],
            ends: [0; WORDS],
            len: 0,
            firsts: [[0; 2]; WORDS],
            hashes: [0; WORDS],
            slow: [0; WORDS],
            odd_forms: String::new(),
            odd_ends: Vec::new(),
        }
    }

    pub(super) fn arch(&self) -> Arch {
        self.arch
    }

    pub(super) fn set_arch(&mut self, arch: Arch) {
        self.arch = arch;
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
        edges.zip(&self.firsts).zip(self.hashes()).map(move |(((&start, &end), &[low, high]), &hash)| {
            let (start, mut end) = (usize::from(start), usize::from(end));
            let long = if end - start <= 16 {
                [].as_slice()
            } else if end & usize::from(ODD) == 0 {
                &self.normal[start..end]
            } else {
                let from = odd.checked_sub(1).map_or(0, |last| self.odd_ends[last].1 + 16);
                let to;
                (end, to) = self.odd_ends[odd];
                end -= self.at;
                odd += 1;
                if to - from > 16 { &self.odd_forms.as_bytes()[from..to] } else { &[] }
            };
            RawWord { start: self.at + start, end: self.at + end, hash, low, high, long }
        })
    }

    /// Finds and hashes the words of the chunk that begins at `at`, which must not lie inside a word or a character.
    /// Returns where the next chunk begins.
    pub(super) fn scan(&mut self, text: &str, at: usize) -> usize {
        let next = self.find(text, at);
        let slow = self.arch.run(LoadWords(self));
        self.arch.run(HashWords { firsts: &self.firsts[..self.len], hashes: &mut self.hashes[..self.len] });
        self.odd_forms.clear();
        self.odd_ends.clear();
        for &word in &self.slow[..slow] {
            let word = usize::from(word);
            let (start, end) = (usize::from(self.starts[word]), self.ends[word]);
            if end & ODD == 0 {
                self.hashes[word] = hash::hash_padded(&self.normal, start, end.into());
                continue;
            }
            // A word that fills more than the chunk ends where the next one begins.
            let end = if end == ODD { next } else { at + usize::from(end & !ODD) };
            let from = self.odd_forms.len();
            normalize(&text[at + start..end], &mut self.odd_forms);
            let to = self.odd_forms.len();
            self.odd_ends.push((end, to));
            self.odd_forms.push_str("                ");
            self.firsts[word] = hash::load_padded(self.odd_forms.as_bytes(), from, to - from);
            self.hashes[word] = hash::hash_padded(self.odd_forms.as_bytes(), from, to);
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
        let blocks = self.arch.classify(chunk, &mut self.normal, &mut self.kinds);
        self.arch.run(TakeInBeyondAscii { scan: self, chunk, blocks });
        self.drop_bare_joins(chunk, end < text.len());
        let Self { arch, kinds, words, start_masks, end_masks, .. } = self;
        arch.run(FindWords { kinds, blocks, words });
        arch.run(FindEdges { words, blocks, starts: start_masks, ends: end_masks });
        if self.beyond {
            let or =
                |masks: &mut Masks, more: &Masks| masks.iter_mut().zip(more).for_each(|(mask, more)| *mask |= more);
            or(&mut self.start_masks, &self.solo_starts);
            or(&mut self.end_masks, &self.solo_ends);
        }
        self.len = self.arch.list(&self.start_masks[1..=blocks], &mut self.starts);
        self.arch.list(&self.end_masks[1..=blocks], &mut self.ends);
        if self.beyond {
            let Self { arch, odd, start_masks, ends, len, .. } = self;
            let (odd, start_masks) = (&odd[1..=blocks], &start_masks[1..=blocks]);
            arch.run(MarkOddWords { odd, start_masks, ends: &mut ends[..*len] });
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
        match next_word(text, at) {
            Some(word) if word.start == at => {
                self.ends[0] = ODD;
                word.end
            }
            // Joining characters alone filled the chunk.
            other => {
                self.len = 0;
                other.map_or(text.len(), |word| word.start)
            }
        }
    }

    /// Takes in the character at `at`. All before it is known.
    #[inline(never)]
    fn take_in(&mut self, chunk: &[u8], at: usize) {
        let (c, len) = decode(chunk, at);
        let entry = Entry::of(c);
        let class = entry.class();
        if class == Class::Other {
            return;
        }
        let fits = entry.plain().is_some_and(|normal| encode(normal, len, &mut self.normal[at..at + len]));
        if !fits {
            set(&mut self.odd, at, 1);
        }
        match class {
            Class::Letter => set(&mut self.kinds.letters, at, len),
            Class::Numeric => set(&mut self.kinds.digits, at, len),
            Class::Join => set(&mut self.kinds.joins, at, len),
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
        let kinds = &mut self.kinds;
        if let Some(kind) =
            [&mut kinds.letters, &mut kinds.digits, &mut kinds.joins].into_iter().find(|kind| has(kind, last))
        {
            set(kind, at, end - at);
        } else if has(&self.solo_ends, at) {
            self.solo_ends[at / 64 + 1] ^= 1 << (at % 64);
            set(&mut self.solo_ends, end, 1);
        } else if chunk[last].is_ascii() {
            self.hold_together(chunk, ASCII[usize::from(chunk[last])], last, end);
        }
    }

    /// Makes a joining character, with the marks on it up to `end`, part of the word around it, if there is one.
    fn hold_together(&mut self, chunk: &[u8], class: Class, start: usize, end: usize) {
        let Some(last) = start.checked_sub(1) else { return };
        let (before, kind) = if has(&self.kinds.letters, last) {
            (Class::Letter, &mut self.kinds.letters)
        } else if has(&self.kinds.digits, last) {
            (Class::Numeric, &mut self.kinds.digits)
        } else {
            return;
        };
        let mut at = end;
        while at < chunk.len() {
            let (c, len) = decode(chunk, at);
            match Entry::of(c).class() {
                Class::Extend | Class::Ignorable => at += len,
                after => {
                    if class.joins(before, after) {
                        // Between two letters it may as well be one; marks that follow find it before them.
                        set(kind, start, end - start);
                    }
                    return;
                }
            }
        }
    }

    /// A run of joining characters alone is no word, unless it may go on in the next chunk.
    fn drop_bare_joins(&mut self, chunk: &[u8], goes_on: bool) {
        let Kinds { letters, digits, joins, .. } = &mut self.kinds;
        if joins[1..chunk.len() / 64 + 2].iter().fold(0, |any, mask| any | mask) == 0 {
            return;
        }
        for block in 1..=chunk.len() / 64 + 1 {
            let mut begins = joins[block] & !(joins[block] << 1 | joins[block - 1] >> 63);
            while begins != 0 {
                let start = 64 * (block - 1) + begins.trailing_zeros() as usize;
                let end = (start..chunk.len()).find(|&at| !has(joins, at)).unwrap_or(chunk.len());
                let touches = |at| has(letters, at) || has(digits, at);
                let counts = start > 0 && touches(start - 1) || touches(end) || goes_on && end == chunk.len();
                if !counts {
                    (start..end).for_each(|at| joins[at / 64 + 1] &= !(1 << (at % 64)));
                }
                begins &= begins - 1;
            }
        }
    }
}

/// Takes in all characters beyond ASCII.
struct TakeInBeyondAscii<'a> {
    scan: &'a mut Scan,
    chunk: &'a [u8],
    blocks: usize,
}

impl Work for TakeInBeyondAscii<'_> {
    type Output = ();

    #[inline(always)]
    fn work(self) {
        let Self { scan, chunk, blocks } = self;
        if std::mem::take(&mut scan.beyond) {
            scan.odd.fill(0);
            scan.solo_starts.fill(0);
            scan.solo_ends.fill(0);
        }
        let (arch, pages) = (scan.arch, pages());
        for block in 1..=blocks {
            let mut leads = scan.kinds.leads[block];
            if leads == 0 {
                continue;
            }
            scan.beyond = true;
            let (mut letters, mut solo_starts, mut solo_ends) = (0, 0, 0);
            // Few are quicker one by one.
            if leads.count_ones() >= 4 {
                let (normal, _) = scan.normal.as_chunks_mut::<64>();
                let taken = arch.take_in(&mut normal[block - 1], leads, pages);
                leads &= !taken.leads;
                (letters, solo_starts, solo_ends) = (taken.letters, taken.solos, taken.solos << 3);
            }
            while leads != 0 {
                let bit = leads.trailing_zeros() as usize;
                leads &= leads - 1;
                let at = 64 * (block - 1) + bit;
                // Characters that reach into the next block take the slow way.
                if bit < 61 {
                    let bytes = &chunk[at..];
                    if let [first @ 0xc0..0xe0, second, ..] = *bytes {
                        let page = &pages[usize::from(first & 0x1f)];
                        let second = usize::from(second & 0x3f);
                        let kind = page.kinds[second];
                        if kind & Page::EASY != 0 {
                            letters |= if kind & Page::LETTER != 0 { 3 << bit } else { 0 };
                            scan.normal[at..at + 2].copy_from_slice(&[page.firsts[second], page.seconds[second]]);
                            continue;
                        }
                    } else if let [0xe2, 0x80, third, ..] = *bytes
                        && NO_PART_OF_WORDS >> (third & 0x3f) & 1 == 1
                    {
                        continue;
                    } else if let [first @ 0xe0..0xf0, second, third, ..] = *bytes {
                        let tail = |byte: u8| u32::from(byte & 0x3f);
                        let entry = Entry::of(u32::from(first & 0xf) << 12 | tail(second) << 6 | tail(third));
                        if entry.is_easy() {
                            let class = entry.class();
                            letters |= if class == Class::Letter { 7 << bit } else { 0 };
                            solo_starts |= u64::from(class == Class::Solo) << bit;
                            solo_ends |= u64::from(class == Class::Solo) << (bit + 3);
                            encode(entry.normal(), 3, &mut scan.normal[at..at + 3]);
                            continue;
                        }
                    }
                }
                scan.kinds.letters[block] |= letters;
                scan.solo_starts[block] |= solo_starts;
                scan.solo_ends[block] |= std::mem::take(&mut solo_ends);
                scan.take_in(chunk, at);
            }
            scan.kinds.letters[block] |= letters;
            scan.solo_starts[block] |= solo_starts;
            scan.solo_ends[block] |= solo_ends;
        }
    }
}

/// The rules: WB5, WB8 to WB10 and WB13 make runs of letters, digits and joins words, WB6, WB7, WB11 and WB12 let one
/// other character between two letters or two digits pass.
///
/// Written so that several blocks fit one vector: each looks at its neighbours, nothing is carried along.
struct FindWords<'a> {
    kinds: &'a Kinds,
    blocks: usize,
    words: &'a mut Masks,
}

impl Work for FindWords<'_> {
    type Output = ();

    #[inline(always)]
    fn work(self) {
        let Self { kinds, blocks, words } = self;
        let [last_letters, letters, next_letters] = around(&kinds.letters, blocks);
        let [last_digits, digits, next_digits] = around(&kinds.digits, blocks);
        let [_, joins, _] = around(&kinds.joins, blocks);
        let [_, mid_letters, _] = around(&kinds.mid_letters, blocks);
        let [_, mid_digits, _] = around(&kinds.mid_digits, blocks);
        let words = &mut words[1..][..blocks];
        for at in 0..blocks {
            let between = |last: u64, this: u64, next: u64| (this << 1 | last >> 63) & (this >> 1 | next << 63);
            let in_letters = mid_letters[at] & between(last_letters[at], letters[at], next_letters[at]);
            let in_digits = mid_digits[at] & between(last_digits[at], digits[at], next_digits[at]);
            words[at] = letters[at] | digits[at] | joins[at] | in_letters | in_digits;
        }
    }
}

/// Where words begin, and where other bytes follow them.
struct FindEdges<'a> {
    words: &'a Masks,
    blocks: usize,
    starts: &'a mut Masks,
    ends: &'a mut Masks,
}

impl Work for FindEdges<'_> {
    type Output = ();

    #[inline(always)]
    fn work(self) {
        let Self { words, blocks, starts, ends } = self;
        let [last, this, _] = around(words, blocks);
        let (starts, ends) = (&mut starts[1..][..blocks], &mut ends[1..][..blocks]);
        for at in 0..blocks {
            let before = this[at] << 1 | last[at] >> 63;
            starts[at] = this[at] & !before;
            ends[at] = !this[at] & before;
        }
    }
}

/// Marks the ends of words that hold an odd character.
struct MarkOddWords<'a> {
    odd: &'a [u64],
    start_masks: &'a [u64],
    ends: &'a mut [u16],
}

impl Work for MarkOddWords<'_> {
    type Output = ();

    #[inline(always)]
    fn work(self) {
        let Self { odd, start_masks, ends } = self;
        let mut before = 0;
        for ((&odd, &start_mask), first) in odd.iter().zip(start_masks).zip((0..).step_by(64)) {
            let mut left = odd;
            while left != 0 {
                let bit = left.trailing_zeros();
                // Words are in order, so their number is that of the starts so far.
                let begun = before + (start_mask << (63 - bit)).count_ones() as usize;
                if let Some(word) = begun.checked_sub(1)
                    && first + (bit as u16) < ends[word]
                {
                    ends[word] |= ODD;
                }
                left &= left - 1;
            }
            before += start_mask.count_ones() as usize;
        }
    }
}

/// For each block the mask before it, its own and the next one.
#[inline(always)]
fn around(masks: &Masks, blocks: usize) -> [&[u64]; 3] {
    [&masks[..blocks], &masks[1..][..blocks], &masks[2..][..blocks]]
}

/// Loads the first 16 bytes of each word, and lists the words that are longer or odd; returns how many these are.
///
/// Eight words at a time, for of eight words hardly ever one is slow. The last eight may be made up with words of an
/// earlier chunk.
struct LoadWords<'a>(&'a mut Scan);

impl Work for LoadWords<'_> {
    type Output = usize;

    #[inline(always)]
    fn work(self) -> usize {
        let Self(scan) = self;
        let mut count = 0;
        let (starts, ends) = (scan.starts.as_chunks::<8>().0, scan.ends.as_chunks::<8>().0);
        let firsts = scan.firsts.as_chunks_mut::<8>().0;
        let eights = starts.iter().zip(ends).zip(firsts).zip((0..scan.len).step_by(8));
        for (((starts, ends), firsts), word) in eights {
            let mut lens = [0; 8];
            for i in 0..8 {
                lens[i] = ends[i].wrapping_sub(starts[i]);
            }
            for i in 0..8 {
                firsts[i] = hash::load_padded(&scan.normal, usize::from(starts[i]) % CHUNK, lens[i].into());
            }
            if lens.iter().any(|&len| len > 16) {
                for (word, len) in (word..scan.len).zip(lens) {
                    scan.slow[count] = word as u16;
                    count += usize::from(len > 16);
                }
            }
        }
        count
    }
}

struct HashWords<'a> {
    firsts: &'a [[u64; 2]],
    hashes: &'a mut [u64],
}

impl Work for HashWords<'_> {
    type Output = ();

    #[inline(always)]
    fn work(self) {
        let Self { firsts, hashes } = self;
        for (hash, &[low, high]) in hashes.iter_mut().zip(firsts) {
            *hash = hash::hash_short(low, high);
        }
    }
}

/// Of U+2000 to U+203F, the spaces, dashes, quotes and dots that are never part of a word: what news is full of.
const NO_PART_OF_WORDS: u64 = {
    let mut mask = 0;
    let mut c = 0;
    while c < 64 {
        mask |= (matches!(c, 0x00..=0x0a | 0x10..=0x17 | 0x1a..=0x23 | 0x25..=0x26 | 0x2f..=0x3e) as u64) << c;
        c += 1;
    }
    mask
};

/// What is known of the characters of two bytes.
fn pages() -> &'static Pages {
    static PAGES: OnceLock<Pages> = OnceLock::new();
    PAGES.get_or_init(|| {
        let mut pages = [Page::NONE; 32];
        for c in 0x80..0x800u32 {
            let entry = Entry::of(c);
            let mut normal = [0; 2];
            if entry.is_easy() && encode(entry.normal(), 2, &mut normal) {
                let (page, at) = (&mut pages[c as usize >> 6], c as usize & 0x3f);
                page.kinds[at] = Page::EASY | if entry.class() == Class::Letter { Page::LETTER } else { 0 };
                [page.firsts[at], page.seconds[at]] = normal;
            }
        }
        pages
    })
}

/// Whether the byte at `at` is of a kind.
#[inline(always)]
fn has(masks: &Masks, at: usize) -> bool {
    masks[at / 64 + 1] >> (at % 64) & 1 == 1
}

/// Makes the `len` bytes from `at`, at most 64, of a kind.
#[inline(always)]
fn set(masks: &mut Masks, at: usize, len: usize) {
    let bits = u64::MAX >> (64 - len);
    masks[at / 64 + 1] |= bits << (at % 64);
    if at % 64 + len > 64 {
        masks[at / 64 + 2] |= bits >> (64 - at % 64);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_punctuation_is_no_part_of_words() {
        for c in (0..64).filter(|c| NO_PART_OF_WORDS >> c & 1 == 1) {
            let c = char::from_u32(0x2000 + c).unwrap();
            assert_eq!(Class::of(c), Class::Other, "{c:?}");
        }
    }

    #[test]
    fn common_han_characters_are_words_as_they_stand() {
        for c in 0x4e00..=0x9fffu32 {
            let entry = Entry::of(c);
            assert!(entry.is_easy() && entry.class() == Class::Solo && entry.normal() == c, "{c:#x}");
        }
    }
}
