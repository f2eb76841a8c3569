//! Text to words: where they are, and what they are once case, width and composition no longer matter.
//!
//! Words follow the word boundaries of [UAX #29](https://www.unicode.org/reports/tr29/) (Unicode 16), of which those
//! count that hold a letter or a digit. Four deviations:
//!
//! - A character of a script that is written without spaces (Han and other ideographs, kana, Thai, Lao, Khmer, Burmese, the
//!   Tai scripts, Javanese, Balinese) is a word of its own, together with the marks on it.
//! - An invisible character never ends a word, so that it cannot make two copies look different. This includes the zero-width
//!   space (U+200B): it properly separates words only in scripts without spaces, and there each character is a word anyway.
//! - The narrow no-break space (U+202F) ends a word, as the wide one does.
//! - A straight double quote inside a Hebrew word ends it.
//!
//! The normal form of a word is its NFKC case folding (NFKC and full case folding) with every apostrophe written `'` and
//! without
//!
//! - invisible characters: all that are default-ignorable (zero-width spaces and joiners, soft hyphens, byte order marks,
//!   marks of direction, variation selectors, tags), interlinear annotation marks and the Syriac abbreviation mark;
//! - the optional marks of scripts that are as a rule written without them: vowel points, cantillation and annotation marks
//!   of Arabic, Hebrew, Syriac, Samaritan and Mandaic. Hamza and madda stay, for with them an Arabic letter is another one,
//!   and so do the marks of all other scripts;
//! - elongation: the Arabic tatweel (U+0640) and its counterparts in N'Ko and Mongolian.
//!
//! Both are frozen: boundary classes and normal forms come from tables in this crate, because the tables of the Unicode crates
//! change from one patch version to the next (see [`fold`](mod@fold)). A character that Unicode 16 does not assign is no part
//! of a word, unless it is reserved for invisible characters.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;
use std::sync::OnceLock;

use crate::arch::{Arch, Backend};
use crate::transcript;

mod fold;
mod scan;
mod tables;

use fold::fold;
pub(crate) use scan::Scan;

/// The words of a text, in order, with their places.
///
/// Borrows the text and allocates nothing. Time is linear in the text.
///
/// ```
/// use retold::Words;
///
/// let words: Vec<_> = Words::new("The Mayor’s 1,200 votes — 東京").map(|word| (word.span(), word.normalized())).collect();
/// assert_eq!(words[1], (4..13, "mayor's".into()));
/// assert_eq!(words[2].1, "1,200");
/// assert_eq!(words[5].1, "京");
/// ```
#[derive(Clone, Debug)]
pub struct Words<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Words<'t> {
    /// Starts at the beginning of `text`.
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }
}

impl<'t> Iterator for Words<'t> {
    type Item = Word<'t>;

    fn next(&mut self) -> Option<Word<'t>> {
        let span = next_word(self.text, self.at)?;
        self.at = span.end;
        Some(Word { text: &self.text[span.clone()], start: span.start })
    }
}

/// One word of a text: its characters as written, and its place.
///
/// ```
/// let word = retold::Words::new("  Straße ").next().unwrap();
/// assert_eq!((word.as_str(), word.span()), ("Straße", 2..9));
/// assert_eq!(word.normalized(), "strasse");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'t> {
    text: &'t str,
    start: usize,
}

impl<'t> Word<'t> {
    /// The word as it stands in the text.
    pub fn as_str(&self) -> &'t str {
        self.text
    }

    /// The byte range of the word in the text; both ends lie on character boundaries.
    pub fn span(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// The normal form, by which words are equal; borrowed if the word is plain ASCII in lower case.
    ///
    /// It is the NFKC case folding of the word by the tables of Unicode 16, without invisible characters (zero-width spaces,
    /// soft hyphens and the like), without the optional vowel and cantillation marks of Arabic, Hebrew, Syriac, Samaritan
    /// and Mandaic, and without tatweel. Every apostrophe is `'`. It depends on nothing but the
    /// [`FORMAT_VERSION`](crate::FORMAT_VERSION).
    ///
    /// ```
    /// let normal = |text| retold::Words::new(text).next().unwrap().normalized().into_owned();
    /// assert_eq!(normal("ＣＡＦE\u{301}"), "café");
    /// assert_eq!(normal("har\u{200b}bour"), "harbour");
    /// assert_eq!(normal("שָׁלוֹם"), "שלום");
    /// ```
    pub fn normalized(&self) -> Cow<'t, str> {
        if self.text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
            return Cow::Borrowed(self.text);
        }
        let mut normal = String::with_capacity(self.text.len());
        normalize(self.text, &mut normal);
        Cow::Owned(normal)
    }
}

/// What a character does at a word boundary: the `Word_Break` classes of UAX #29, merged where they act alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Class {
    /// Never part of a word.
    Other,
    /// A letter of a script with spaces.
    Letter,
    /// A digit.
    Numeric,
    /// Joins letters and digits (`_`).
    Join,
    /// Joins letters (`:`, `·`).
    MidLetter,
    /// Joins digits (`,`, `;`).
    MidNum,
    /// Joins letters or digits (`.`, apostrophes).
    MidBoth,
    /// A mark that belongs to the character before it.
    Extend,
    /// Belongs to the character before it, as [`Extend`](Self::Extend) does, and is left out of the normal form.
    Ignorable,
    /// A word of its own: a character of a script without spaces.
    Solo,
}

const CLASSES: [Class; 10] = [
    Class::Other,
    Class::Letter,
    Class::Numeric,
    Class::Join,
    Class::MidLetter,
    Class::MidNum,
    Class::MidBoth,
    Class::Extend,
    Class::Ignorable,
    Class::Solo,
];

impl Class {
    pub(crate) fn of(c: char) -> Self {
        let after = tables::CLASSES.partition_point(|&(start, _)| start <= c as u32);
        after.checked_sub(1).map_or(Self::Other, |at| CLASSES[usize::from(tables::CLASSES[at].1)])
    }

    /// Whether this class, between `before` and `after`, holds them together (rules WB6, WB7, WB11 and WB12).
    #[inline(always)]
    fn joins(self, before: Self, after: Self) -> bool {
        match self {
            Self::MidLetter => before == Self::Letter && after == Self::Letter,
            Self::MidNum => before == Self::Numeric && after == Self::Numeric,
            Self::MidBoth => before == after && matches!(before, Self::Letter | Self::Numeric),
            _ => false,
        }
    }
}

/// What is known of one character: its class, and its normal form where that is one character.
#[derive(Clone, Copy, Debug)]
struct Entry(u32);

impl Entry {
    const MARK: u32 = 1 << 25;
    const COMPLEX: u32 = 1 << 26;
    /// A letter, a word of its own or no part of words; and whatever stands around it, its normal form is one character
    /// that takes as many bytes.
    const EASY: u32 = 1 << 27;

    fn new(c: char) -> Self {
        let class = Class::of(c);
        let packed = (class as u32) << 21;
        match class {
            Class::Other => return Self(packed | Self::EASY | c as u32),
            Class::Ignorable => return Self(packed | c as u32),
            _ => {}
        }
        let mut normal = fold(c.encode_utf8(&mut [0; 4]));
        let (Some(one), None) = (normal.next(), normal.next()) else {
            return Self(packed | Self::COMPLEX);
        };
        if fold::composes(one) || c == fold::IOTA_SUBSCRIPT {
            return Self(packed | Self::COMPLEX);
        }
        let mark = fold::combining_class(one) != 0;
        let easy = !mark && matches!(class, Class::Letter | Class::Solo) && one.len_utf8() == c.len_utf8();
        Self(packed | one as u32 | if mark { Self::MARK } else { 0 } | if easy { Self::EASY } else { 0 })
    }

    /// Looks a character up in tables that are made page by page when a page is first needed.
    #[inline]
    fn of(c: impl Into<u32>) -> Self {
        let c: u32 = c.into();
        static PAGES: [OnceLock<Box<[Entry; 256]>>; 0x1100] = [const { OnceLock::new() }; 0x1100];
        let page = PAGES[c as usize >> 8].get_or_init(|| {
            let first = c & !0xff;
            Box::new(std::array::from_fn(|i| char::from_u32(first + i as u32).map_or(Self(0), Self::new)))
        });
        page[c as usize & 0xff]
    }

    #[inline(always)]
    fn class(self) -> Class {
        CLASSES[(self.0 >> 21 & 15) as usize]
    }

    #[inline(always)]
    fn is_easy(self) -> bool {
        self.0 & Self::EASY != 0
    }

    /// The normal form of a character that is neither a mark nor left out, if it is one character.
    #[inline(always)]
    fn plain(self) -> Option<u32> {
        let plain = self.0 & (Self::COMPLEX | Self::MARK) == 0 && self.class() != Class::Ignorable;
        plain.then_some(self.normal())
    }

    #[inline(always)]
    fn normal(self) -> u32 {
        self.0 & 0x1f_ffff
    }

    /// The normal form, unless it is not one character or depends on its neighbours.
    #[inline(always)]
    fn simple(self) -> Option<char> {
        if self.0 & Self::COMPLEX != 0 { None } else { char::from_u32(self.0 & 0x1f_ffff) }
    }
}

/// The classes of ASCII, for the common case.
const ASCII: [Class; 128] = {
    let mut classes = [Class::Other; 128];
    let mut b = 0;
    while b < 128 {
        classes[b] = match b as u8 {
            b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
            b'0'..=b'9' => Class::Numeric,
            b'_' => Class::Join,
            b':' => Class::MidLetter,
            b',' | b';' => Class::MidNum,
            b'.' | b'\'' => Class::MidBoth,
            _ => Class::Other,
        };
        b += 1;
    }
    classes
};

/// Writes the normal form of a word to the end of `out`.
fn normalize(word: &str, out: &mut String) {
    let begin = out.len();
    let mut after_mark = false;
    for c in word.chars() {
        let entry = if c.is_ascii() {
            out.push(c.to_ascii_lowercase());
            after_mark = false;
            continue;
        } else {
            Entry::of(c)
        };
        if entry.class() == Class::Ignorable {
            continue;
        }
        // Two marks in a row may need to change places.
        let mark = entry.0 & Entry::MARK != 0;
        match entry.simple() {
            Some(normal) if !(mark && after_mark) => out.push(normal),
            _ => {
                out.truncate(begin);
                out.extend(fold(word));
                return;
            }
        }
        after_mark = mark;
    }
}

/// Whether a text begins in a script without spaces, in which each character is a word.
pub(crate) fn is_without_spaces(text: &str) -> bool {
    const LOOKED_AT: usize = 64;
    if let Some(is_without_spaces) = transcript::is_without_spaces(text) {
        return is_without_spaces;
    }
    let head = || text.chars().take(LOOKED_AT);
    // Most texts have no such character, which is seen without a look into the tables.
    let solo = head().filter(|&c| !c.is_ascii() && Class::of(c) == Class::Solo).count();
    solo > 0 && solo > head().filter(|&c| Class::of(c) == Class::Letter).count()
}

/// Whether the character at the byte `at` is a capital: a letter that is another one in normal form.
pub(crate) fn is_capital(text: &str, at: usize) -> bool {
    match text.as_bytes()[at] {
        byte if byte < 0x80 => byte.is_ascii_uppercase(),
        _ => text[at..].chars().next().is_some_and(|c| {
            let entry = Entry::of(c);
            entry.class() == Class::Letter && entry.simple().is_some_and(|normal| normal != c)
        }),
    }
}

/// Whether a word in normal form is one character of a phonetic script without spaces (kana, Thai, Lao, …), with the marks on
/// it: a sound, which says as little of what a text is about as a letter does.
pub(crate) fn is_sound(word: &str) -> bool {
    // Decomposed, a vowel may begin with a mark.
    let first = word.chars().find(|&c| Entry::of(c).class() != Class::Extend);
    first.is_some_and(|c| Entry::of(c).class() == Class::Solo && !is_ideograph(c))
}

/// Whether a character stands for a meaning: Han and other ideographs.
fn is_ideograph(c: char) -> bool {
    let after = tables::IDEOGRAPHS.partition_point(|range| *range.start() <= c as u32);
    after.checked_sub(1).is_some_and(|at| tables::IDEOGRAPHS[at].contains(&(c as u32)))
}

/// Finds the first word at or after the byte `at`, which must not lie inside a word or a character.
fn next_word(text: &str, mut at: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    loop {
        let byte = *bytes.get(at)?;
        let (class, len) = if byte < 0x80 {
            (ASCII[usize::from(byte)], 1)
        } else {
            let c = text[at..].chars().next()?;
            (Entry::of(c).class(), c.len_utf8())
        };
        match class {
            Class::Letter | Class::Numeric | Class::Join => {
                let (end, counts) = word_end(text, at);
                if counts {
                    return Some(at..end);
                }
                at = end;
            }
            Class::Solo => {
                let marks = text[at + len..]
                    .chars()
                    .take_while(|&c| !c.is_ascii() && matches!(Entry::of(c).class(), Class::Extend | Class::Ignorable));
                return Some(at..at + len + marks.map(char::len_utf8).sum::<usize>());
            }
            _ => at += len,
        }
    }
}

/// Follows a word from its first character: where it ends, and whether it holds more than joining characters.
fn word_end(text: &str, start: usize) -> (usize, bool) {
    let bytes = text.as_bytes();
    let mut end = start;
    let mut last = Class::Other;
    let mut counts = false;
    // A character that joins if a word character follows.
    let mut pending: Option<Class> = None;
    let mut at = start;
    while at < bytes.len() {
        let byte = bytes[at];
        let (class, len) = if byte < 0x80 {
            (ASCII[usize::from(byte)], 1)
        } else {
            let Some(c) = text[at..].chars().next() else { break };
            (Entry::of(c).class(), c.len_utf8())
        };
        at += len;
        match class {
            Class::Letter | Class::Numeric | Class::Join => {
                if pending.take().is_some_and(|middle| !middle.joins(last, class)) {
                    break;
                }
                counts |= class != Class::Join;
                last = class;
                end = at;
            }
            Class::Extend | Class::Ignorable => {
                if pending.is_none() {
                    end = at;
                }
            }
            Class::MidLetter | Class::MidNum | Class::MidBoth if pending.is_none() => pending = Some(class),
            _ => break,
        }
    }
    (end, counts)
}

/// A word with its hash, and its normal form at hand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawWord<'a> {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The frozen hash of the normal form.
    pub(crate) hash: u64,
    /// The first 16 bytes of the normal form, zero-padded, as two little-endian halves.
    pub(crate) low: u64,
    pub(crate) high: u64,
    /// The whole normal form where it is longer than 16 bytes, else empty.
    pub(crate) long: &'a [u8],
}

impl RawWord<'_> {
    fn first_16(&self) -> u128 {
        u128::from(self.low) | u128::from(self.high) << 64
    }

    /// The length of a normal form of up to 16 bytes.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        (128 - self.first_16().leading_zeros()).div_ceil(8) as usize
    }

    /// The normal form as bytes, through a buffer for the short ones.
    pub(crate) fn bytes<'b>(&'b self, buffer: &'b mut [u8; 16]) -> &'b [u8] {
        if !self.long.is_empty() {
            return self.long;
        }
        *buffer = self.first_16().to_le_bytes();
        &buffer[..self.len()]
    }
}

/// Space that one thread reuses from text to text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch(Box<Scan>);

impl Scratch {
    pub(crate) fn new(arch: Arch) -> Self {
        Self(Box::new(Scan::new(arch)))
    }

    /// The instructions that the words are found with.
    pub(crate) fn arch(&self) -> Arch {
        self.0.arch()
    }
}

/// Lends the scratch space of this thread, which is too large to be made for every text.
pub(crate) fn with_scratch<R>(work: impl FnOnce(&mut Scratch) -> R) -> R {
    with_scratch_on(Arch::default(), work)
}

/// The same, to find the words with these instructions.
pub(crate) fn with_scratch_on<R>(arch: Arch, work: impl FnOnce(&mut Scratch) -> R) -> R {
    thread_local! {
        static SCRATCH: RefCell<Scratch> = RefCell::default();
    }
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.0.set_arch(arch);
        work(scratch)
    })
}

/// Calls `each` with all words of `text`, some hundred at a time, in order.
#[inline(always)]
pub(crate) fn walk(text: &str, scratch: &mut Scratch, mut each: impl FnMut(&Scan)) {
    let mut at = 0;
    while at < text.len() {
        at = scratch.0.scan(text, at);
        each(&scratch.0);
    }
}

/// Finds the edges of words and does nothing with them.
#[doc(hidden)]
#[derive(Debug)]
pub struct WordCounter(Scratch);

impl WordCounter {
    pub fn new(backend: Backend) -> Self {
        Self(Scratch::new(Arch::new(backend)))
    }

    pub fn count(&mut self, text: &str) -> usize {
        let (mut at, mut count) = (0, 0);
        while at < text.len() {
            at = self.0.0.find(text, at);
            count += self.0.0.len();
        }
        count
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::hash;
    use caseless::Caseless;
    use proptest::prelude::*;
    use std::ops::RangeInclusive;
    use unicode_normalization::UnicodeNormalization;
    use unicode_normalization::char::{canonical_combining_class, compose};
    use unicode_segmentation::UnicodeSegmentation;

    fn words(text: &str) -> Vec<String> {
        Words::new(text).map(|word| word.normalized().into_owned()).collect()
    }

    #[test]
    fn words_are_what_a_reader_calls_words() {
        assert_eq!(
            words("It’s a “draw” — 3.5 to 1,000; U.S. can't"),
            ["it's", "a", "draw", "3.5", "to", "1,000", "u.s", "can't"]
        );
        assert_eq!(
            words("Straße STRASSE ＦＵＬＬ ﬁne Ελλάς"),
            ["strasse", "strasse", "full", "fine", "ελλασ".replace('α', "ά").as_str()]
        );
        assert_eq!(words("snake_case __ _x co\u{ad}operate"), ["snake_case", "_x", "cooperate"]);
        assert_eq!(words(""), Vec::<String>::new());
        assert_eq!(words(" \u{301}\u{200d}…!?\n"), Vec::<String>::new());
    }

    #[test]
    fn scripts_without_spaces_yield_characters() {
        assert_eq!(words("東京タワー"), ["東", "京", "タ", "ワ", "ー"]);
        assert_eq!(words("ที่นี่"), ["ที่", "นี่"]);
        assert_eq!(words("Tokyo東京2020"), ["tokyo", "東", "京", "2020"]);
        let of_each = "ไทย ລາວ ខ្មែរ မြန်မာ ᥖᥭᥰ ᦑᦺ ᨴᩱ ꪼꪕ 𑜄𑜩 ꦗꦮ ᬩᬮᬶ 𗼇 𛅰";
        assert_eq!(
            words(of_each),
            words(&of_each.replace(' ', "\u{200b}")),
            "there a zero-width space divides nothing"
        );
        assert!(words(of_each).len() > 25);
    }

    #[test]
    fn what_cannot_be_seen_is_no_part_of_words() {
        let invisible = "\u{ad}\u{34f}\u{61c}\u{115f}\u{17b4}\u{180e}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{202a}\u{202e}\u{2060}\
                         \u{2063}\u{2065}\u{2066}\u{2069}\u{206f}\u{3164}\u{fe0f}\u{feff}\u{fff0}\u{fff9}\u{1d173}\u{e0041}\u{e01ef}";
        for c in invisible.chars() {
            // In a word of each kind, before one, behind one, between words, in a number and beside a mark.
            let text = "har?bour ?old city? ? 1?200 U?.?S па?ром ca?fe?\u{301} 東?京 ก?\u{e48}ข";
            let [with, without] = [String::from(c), String::new()].map(|by| words(&text.replace('?', &by)));
            assert_eq!(with, without, "{c:?}");
        }
        assert_eq!(words("dit-il\u{202f}! 1\u{202f}200"), ["dit", "il", "1", "200"], "a space ends a word");
    }

    #[test]
    fn optional_marks_are_left_out_of_words() {
        let plain_and_marked = [
            ("السفينة", "السَّفِينَةُ"),
            ("الكتاب", "الكـــتـاب"),
            ("هذا", "هَٰذَا"),
            ("له", "لَهُۥ"),
            ("سلام", "\u{feb3}\u{fe77}\u{fefc}\u{fee1}"),
            ("שלום", "שָׁלוֹם"),
            ("שלום", "\u{fb2a}\u{5b8}ל\u{fb4b}ם"),
            ("בראשית", "בְּרֵאשִׁ֖ית"),
            ("ܫܠܡܐ", "ܫܠܳܡܳܐ"),
            ("ࠔࠋࠌ", "ࠔ\u{816}ࠋ\u{82b}ࠌ"),
            ("ߒߞߏ", "ߒ\u{7fa}ߞߏ"),
        ];
        for (plain, marked) in plain_and_marked {
            assert_eq!(words(marked), [plain]);
        }
        assert_eq!(words("ـــ \u{64e} \u{5b8}"), Vec::<String>::new(), "and are no words");
    }

    #[test]
    fn marks_that_tell_letters_apart_stay() {
        let different = [
            ("résumé", "resume"),
            ("ñ", "n"),
            ("й", "и"),
            ("ё", "е"),
            ("أ", "ا"),
            ("آ", "ا"),
            ("ؤ", "و"),
            ("कि", "की"),
            ("क्", "क"),
            ("குடி", "குடீ"),
            ("ދިވެހި", "ދވހ"),
            ("ถ้า", "ถา"),
            ("が", "か"),
            ("각", "가"),
            ("བོད", "བད"),
        ];
        for (a, b) in different {
            assert_ne!(words(a), words(b));
        }
        assert_eq!(words("ا\u{654}"), words("أ"), "decomposed or not");
    }

    #[test]
    fn composed_and_decomposed_are_the_same_word() {
        assert_eq!(words("Cafe\u{301} Việt"), words("café Vie\u{323}\u{302}t"));
        assert_eq!(words("Vie\u{302}\u{323}t"), words("việt"));
    }

    /// The characters that a pattern of another library's Unicode tables matches.
    fn matching(pattern: &str) -> impl Iterator<Item = u32> + use<> {
        use regex_syntax::hir::{Class as Set, HirKind};
        let HirKind::Class(Set::Unicode(set)) = regex_syntax::parse(pattern).unwrap().into_kind() else {
            panic!("{pattern} is not a class")
        };
        let ranges: Vec<_> = set.ranges().iter().map(|range| range.start() as u32..=range.end() as u32).collect();
        ranges.into_iter().flatten()
    }

    /// Where runs of equal values begin.
    fn starts<T: Copy + PartialEq>(values: &[T]) -> Vec<(u32, T)> {
        let begins = |&at: &usize| at == 0 || values[at] != values[at - 1];
        (0..values.len()).filter(begins).map(|at| (at as u32, values[at])).collect()
    }

    /// The boundary classes as the Unicode tables of another library have them.
    fn expected_classes() -> Vec<u8> {
        // Later lines win.
        let rules = [
            (r"[\p{wb=ALetter}\p{wb=Hebrew_Letter}]", Class::Letter),
            (r"\p{wb=Numeric}", Class::Numeric),
            (r"[\p{wb=ExtendNumLet}--\x{202f}]", Class::Join),
            (r"\p{wb=MidLetter}", Class::MidLetter),
            (r"\p{wb=MidNum}", Class::MidNum),
            (r"[\p{wb=MidNumLet}']", Class::MidBoth),
            (r"[\p{wb=Extend}\p{wb=Format}\p{wb=ZWJ}]", Class::Extend),
            (
                r"[\p{wb=Katakana}[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Javanese}\p{Balinese}&&[\p{L}\p{Nl}]]]",
                Class::Solo,
            ),
            // What is invisible.
            (r"[\p{Default_Ignorable_Code_Point}\x{70f}\x{fff9}-\x{fffb}]", Class::Ignorable),
            // Marks that may be left out, the Arabic ones with small letters that are written as marks are, and tatweel.
            (r"[\p{scx=Arabic}&&[\p{Mn}\p{Lm}]--[\x{653}-\x{655}\x{65f}\x{102e0}]]", Class::Ignorable),
            (r"[[\p{Hebrew}\p{Syriac}\p{Samaritan}\p{Mandaic}]&&\p{Mn}]", Class::Ignorable),
            // The same marks as characters that stand alone or on a tatweel.
            (r"[\x{fc5e}-\x{fc63}\x{fcf2}-\x{fcf4}\x{fe70}-\x{fe72}\x{fe74}\x{fe76}-\x{fe7f}]", Class::Ignorable),
            // What stretches a word: N'Ko lajanyalan, Mongolian nirugu.
            (r"[\x{7fa}\x{180a}]", Class::Ignorable),
        ];
        let mut classes = vec![Class::Other as u8; 0x11_0000];
        for (pattern, class) in rules {
            matching(pattern).for_each(|c| classes[c as usize] = class as u8);
        }
        // The library may know a later version of Unicode.
        for c in matching(r"\P{age=16.0}") {
            if classes[c as usize] != Class::Ignorable as u8 {
                classes[c as usize] = Class::Other as u8;
            }
        }
        // UAX #29 leaves letters aside where words have no spaces.
        for c in matching(r"[\p{L}\p{Nl}&&\p{age=16.0}]") {
            if classes[c as usize] == Class::Other as u8 {
                classes[c as usize] = Class::Solo as u8;
            }
        }
        classes
    }

    /// The normal form by the tables and the algorithms of other libraries.
    fn fold_by_libraries(word: &str) -> String {
        fold_without(word, |c| Class::of(c) == Class::Ignorable)
    }

    fn fold_without(word: &str, ignorable: impl Fn(char) -> bool + Copy) -> String {
        let keeps = move |&c: &char| !ignorable(c);
        word.chars()
            .filter(keeps)
            .nfd()
            .filter(keeps)
            .default_case_fold()
            .nfkc()
            .filter(keeps)
            .default_case_fold()
            .nfkc()
            .map(|c| if matches!(c, '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2bc}') { '\'' } else { c })
            .collect()
    }

    /// A table as source text, some cells to a line.
    fn table(name: &str, of: &str, cells: impl Iterator<Item = String>) -> String {
        let mut table = format!("\n#[rustfmt::skip]\npub(super) const {name}: &[{of}] = &[\n");
        let mut line = String::from("   ");
        for cell in cells {
            if line.len() + cell.len() > 118 {
                table += &format!("{line}\n");
                line.truncate(3);
            }
            line += &format!(" {cell},");
        }
        table + &format!("{line}\n];\n")
    }

    #[test]
    fn the_frozen_tables_are_those_of_unicode_16() {
        let classes = expected_classes();
        let written = |c: char| !matches!(CLASSES[usize::from(classes[c as usize])], Class::Other | Class::Ignorable);
        let all = || ('\u{80}'..=char::MAX).filter(|&c| written(c) && !('가'..='힣').contains(&c));
        let of_class = |class: Class| {
            let classes = &classes;
            move |&c: &u32| classes[c as usize] == class as u8
        };

        let ideographs: Vec<u32> =
            matching(r"[\p{Ideographic}--[\p{Nushu}\p{Khitan_Small_Script}]]").filter(of_class(Class::Solo)).collect();
        let ideographs: Vec<RangeInclusive<u32>> =
            ideographs.chunk_by(|a, b| a + 1 == *b).map(|run| run[0]..=run[run.len() - 1]).collect();
        let ignorable = |c: char| classes[c as usize] == Class::Ignorable as u8;
        let folded = |c: char| fold_without(&String::from(c), ignorable);
        let folds: Vec<(u32, String)> = all()
            .map(|c| {
                let decomposed = c.nfd().map(|c| match c {
                    fold::IOTA_SUBSCRIPT => String::from(c),
                    _ => folded(c).nfkd().collect(),
                });
                (c, decomposed.collect::<String>())
            })
            .filter(|(c, folded)| *folded != String::from(*c))
            .map(|(c, folded)| (c as u32, folded))
            .collect();
        let mut combining = vec![0; 0x11_0000];
        all().for_each(|c| combining[c as usize] = canonical_combining_class(c));
        let combining = starts(&combining);
        let mut compositions: Vec<(u32, u32, u32)> = all()
            .filter(|&c| folded(c).chars().eq([c]))
            .filter_map(|c| {
                let mut rest: Vec<char> = c.nfd().collect();
                let second = rest.pop()?;
                let mut first = rest.into_iter().nfc();
                let (Some(first), None) = (first.next(), first.next()) else { return None };
                (compose(first, second) == Some(c)).then_some((second as u32, first as u32, c as u32))
            })
            .collect();
        compositions.sort_unstable();
        let classes = starts(&classes);

        if std::env::var_os("RETOLD_WRITE_TABLES").is_some() {
            let runs = |runs: &[(u32, u8)]| {
                let cells: Vec<_> = runs.iter().map(|(start, value)| format!("({start:#x}, {value})")).collect();
                cells.into_iter()
            };
            let file = [
                "//! The frozen tables of words and their normal forms (Unicode 16).\n\
                 //!\n\
                 //! Written by `RETOLD_WRITE_TABLES=1 cargo test the_frozen_tables`; a change is a new format version.\n\n\
                 use std::ops::RangeInclusive;\n\n\
                 /// Word-boundary classes: each range begins where it says and ends before the next."
                    .to_string(),
                table("CLASSES", "(u32, u8)", runs(&classes)),
                "\n/// Words of their own that stand for a meaning, not for a sound.".to_string(),
                table("IDEOGRAPHS", "RangeInclusive<u32>", ideographs.iter().map(|range| format!("{range:#x?}"))),
                "\n/// What a character becomes once it is decomposed and folded, if that is another one. Hangul is computed.".to_string(),
                table("FOLDS", "(u32, &str)", folds.iter().map(|(c, folded)| {
                    let folded: String = folded.chars().map(|c| if c.is_ascii() { String::from(c) } else { c.escape_unicode().to_string() }).collect();
                    format!("({c:#x}, \"{folded}\")")
                })),
                "\n/// Canonical combining classes, in ranges as above.".to_string(),
                table("COMBINING", "(u32, u8)", runs(&combining)),
                "\n/// The second character of two, the first, and what they compose to.".to_string(),
                table("COMPOSITIONS", "(u32, u32, u32)", compositions.iter().map(|(second, first, c)| format!("({second:#x}, {first:#x}, {c:#x})"))),
            ];
            std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/text/tables.rs"), file.concat()).unwrap();
            return;
        }
        assert_eq!(tables::CLASSES, classes);
        assert_eq!(tables::IDEOGRAPHS, ideographs);
        assert!(tables::FOLDS.iter().copied().eq(folds.iter().map(|(c, folded)| (*c, folded.as_str()))));
        assert_eq!(tables::COMBINING, combining);
        assert_eq!(tables::COMPOSITIONS, compositions);
    }

    #[test]
    fn each_character_has_the_normal_form_of_the_libraries() {
        for c in '\0'..=char::MAX {
            let class = Class::of(c);
            if class == Class::Other {
                continue;
            }
            let word = String::from(c);
            let normal: String = fold(&word).collect();
            assert_eq!(normal, fold_by_libraries(&word), "{c:?}");
            let is_bare = normal.chars().all(|c| c == ' ');
            assert_eq!(is_bare, class == Class::Ignorable, "{c:?}");
        }
    }

    #[test]
    fn the_ascii_classes_are_the_same_as_the_tables() {
        for b in 0..128u8 {
            assert_eq!(ASCII[usize::from(b)], Class::of(char::from(b)), "{:?}", char::from(b));
            let lowered = char::from(b).to_ascii_lowercase();
            assert_eq!(Entry::of(char::from(b)).simple(), Some(lowered));
        }
    }

    /// Text in which words, marks and joining characters meet often, across scripts.
    pub(crate) fn mixed_text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            4 => "[a-zA-Z]{1,20}",
            2 => "[0-9]{1,4}",
            1 => "[a-z]{1,2}[.'’:]|[0-9][.,;'’]",
            1 => "[ _]{1,80}",
            4 => "[ '’.,:;_\"—”“…-]{1,2}",
            2 => "[à-ÿĀ-ſА-яΑ-ωא-תء-يऀ-ॿ]{1,8}",
            1 => "[\u{300}-\u{344}\u{591}-\u{5c7}\u{640}\u{64b}-\u{655}\u{ad}\u{200b}-\u{200f}\u{2060}\u{feff}]{1,3}",
            1 => "[\u{1e00}-\u{1fff}\u{fb1d}-\u{fdff}\u{fe70}-\u{feff}\u{ff66}-\u{ff9d}\u{ffa0}-\u{ffdc}\u{1100}-\u{11ff}]{1,4}",
            1 => "[α-ω\u{1f80}-\u{1fff}][\u{301}\u{313}\u{323}\u{345}]{1,3}[a-z ]",
            1 => "[à-ÿА-яء-ي一-龠 ]{30,90}",
            1 => "[ก-ฺ一-龠ぁ-んァ-ヶក-៓က-႐가-힣]{1,4}",
            1 => any::<char>().prop_map(String::from),
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn words_lie_in_order_on_character_boundaries(text in mixed_text()) {
            let mut last = 0;
            for word in Words::new(&text) {
                let span = word.span();
                prop_assert!(span.start >= last && span.end > span.start);
                prop_assert_eq!(&text[span.clone()], word.as_str());
                prop_assert!(word.as_str().chars().any(|c| matches!(Class::of(c), Class::Letter | Class::Numeric | Class::Solo)));
                last = span.end;
            }
        }

        #[test]
        fn words_agree_with_unicode_segmentation(text in mixed_text()) {
            // The two follow the same rules where scripts without spaces, Hebrew quotes, and what is invisible or optional
            // without being a mark in UAX #29 are left out.
            let is_mark = |c: char| ["a", "-"].iter().all(|base| format!("{base}{c}").split_word_bounds().count() == 1);
            let text: String = text.chars().filter(|&c| match Class::of(c) {
                Class::Solo => false,
                Class::Other => c.is_ascii() && c != '\n' && c != '\r',
                Class::Ignorable => is_mark(c),
                _ => !('\u{590}'..='\u{5ff}').contains(&c) && !('\u{fb00}'..='\u{fb4f}').contains(&c),
            }).collect();
            let ours: Vec<_> = Words::new(&text).map(|word| word.as_str()).collect();
            let theirs: Vec<_> = text.split_word_bounds()
                .filter(|piece| piece.chars().any(|c| matches!(Class::of(c), Class::Letter | Class::Numeric))).collect();
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn the_quick_normal_form_is_the_full_one(text in mixed_text()) {
            for word in Words::new(&text) {
                prop_assert_eq!(word.normalized().into_owned(), fold_by_libraries(word.as_str()));
            }
        }

        #[test]
        fn normal_forms_are_their_own_normal_form(text in mixed_text()) {
            for word in Words::new(&text) {
                let once: String = fold(word.as_str()).collect();
                prop_assert_eq!(fold(&once).collect::<String>(), once);
            }
        }

        #[test]
        fn walking_hashes_the_normal_form(text in mixed_text(), limit in prop_oneof![8usize..200, Just(4096)]) {
            let expected: Vec<_> = Words::new(&text)
                .map(|word| (word.span(), hash::hash_bytes(fold_by_libraries(word.as_str()).as_bytes())))
                .collect();
            for backend in Backend::available() {
                let mut walked = Vec::new();
                let mut scratch = Scratch::new(Arch::new(backend));
                scratch.0.limit(limit);
                walk(&text, &mut scratch, |words| {
                    assert_eq!(words.hashes().len(), words.iter().len());
                    for (word, &hash) in words.iter().zip(words.hashes()) {
                        let mut buffer = [0; 16];
                        assert_eq!((word.hash, hash::hash_bytes(word.bytes(&mut buffer))), (hash, hash));
                        walked.push((word.start..word.end, hash));
                    }
                });
                prop_assert_eq!(&walked, &expected, "{:?}", backend);
            }
        }
    }
}
