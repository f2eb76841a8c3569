//! Text to words: where they are, and what they are once case, width and composition no longer matter.
//!
//! Words follow the word boundaries of [UAX #29](https://www.unicode.org/reports/tr29/) (Unicode 16), of which those
//! count that hold a letter or a digit. Two deviations: a character of a script that is written without spaces (Han, kana,
//! Thai, Lao, Khmer, Burmese) is a word of its own, together with the marks on it; and a straight double quote inside a
//! Hebrew word ends it.
//!
//! The normal form of a word is its NFKC case folding (NFKC, full case folding, default-ignorable characters such as soft
//! hyphens and joiners removed) with every apostrophe written `'`. Both are frozen: the boundary classes are a table
//! in this crate, and Unicode's stability policy holds normalisation and folding for every assigned character.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;
use std::sync::OnceLock;

use caseless::Caseless;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use crate::arch::{Arch, Backend};

mod scan;
mod tables;

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

    /// The normal form, by which words are equal; borrowed where the word is in normal form already.
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
    /// An [`Extend`](Self::Extend) that the normal form leaves out.
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
        let after = tables::STARTS.partition_point(|&(start, _)| start <= c as u32);
        after.checked_sub(1).map_or(Self::Other, |at| CLASSES[usize::from(tables::STARTS[at].1)])
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
        let mut normal = fold(c.encode_utf8(&mut [0; 4])).chars().collect::<Vec<_>>().into_iter();
        let (Some(one), None) = (normal.next(), normal.next()) else {
            return Self(packed | Self::COMPLEX);
        };
        if is_nfkc_quick(std::iter::once(one)) != IsNormalized::Yes
            || is_nfkc_quick(std::iter::once(c)) == IsNormalized::Maybe
        {
            return Self(packed | Self::COMPLEX);
        }
        let mark = unicode_normalization::char::canonical_combining_class(one) != 0;
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

/// The full normal form of a word: NFKC case folding with unified apostrophes, by the tables of the libraries.
fn fold(word: &str) -> String {
    folded(word).collect()
}

fn folded(word: &str) -> impl Iterator<Item = char> {
    word.chars()
        .filter(|&c| Class::of(c) != Class::Ignorable)
        .nfd()
        .default_case_fold()
        .nfkc()
        .default_case_fold()
        .nfkc()
        .map(|c| if is_apostrophe(c) { '\'' } else { c })
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2bc}' | '\u{ff07}')
}

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
                out.extend(folded(word));
                return;
            }
        }
        after_mark = mark;
    }
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
    use proptest::prelude::*;
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
    }

    #[test]
    fn composed_and_decomposed_are_the_same_word() {
        assert_eq!(words("Cafe\u{301} Việt"), words("café Vie\u{323}\u{302}t"));
        assert_eq!(words("Vie\u{302}\u{323}t"), words("việt"));
    }

    /// The boundary classes as the Unicode tables of another library have them.
    fn classes_from_regex_syntax() -> Vec<(u32, u8)> {
        use regex_syntax::hir::{Class as Set, HirKind};
        let solo =
            r"[\p{wb=Katakana}[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}&&[\p{L}\p{Nl}]]]";
        // Later lines win.
        let rules = [
            (r"[\p{wb=ALetter}\p{wb=Hebrew_Letter}]", Class::Letter),
            (r"\p{wb=Numeric}", Class::Numeric),
            (r"\p{wb=ExtendNumLet}", Class::Join),
            (r"\p{wb=MidLetter}", Class::MidLetter),
            (r"\p{wb=MidNum}", Class::MidNum),
            (r"[\p{wb=MidNumLet}']", Class::MidBoth),
            (r"[\p{wb=Extend}\p{wb=Format}\p{wb=ZWJ}]", Class::Extend),
            (r"[[\p{wb=Extend}\p{wb=Format}\p{wb=ZWJ}]&&\p{Default_Ignorable_Code_Point}]", Class::Ignorable),
            (solo, Class::Solo),
        ];
        let mut classes = vec![0u8; 0x11_0000];
        for (pattern, class) in rules {
            let HirKind::Class(Set::Unicode(set)) = regex_syntax::parse(pattern).unwrap().into_kind() else {
                panic!("{pattern} is not a class")
            };
            for range in set.ranges() {
                classes[range.start() as usize..=range.end() as usize].fill(class as u8);
            }
        }
        let mut starts = vec![(0, classes[0])];
        starts.extend((1..classes.len()).filter(|&c| classes[c] != classes[c - 1]).map(|c| (c as u32, classes[c])));
        starts
    }

    #[test]
    fn the_frozen_classes_are_those_of_unicode_16() {
        let expected = classes_from_regex_syntax();
        if std::env::var_os("RETOLD_WRITE_TABLES").is_some() {
            let mut file = String::from(
                "//! The frozen word-boundary classes (Unicode 16): each range begins where it says and ends before the next.\n\
                 //!\n\
                 //! Written by `RETOLD_WRITE_TABLES=1 cargo test the_frozen_classes`; a change is a new format version.\n\n\
                 #[rustfmt::skip]\npub(super) const STARTS: &[(u32, u8)] = &[\n",
            );
            for line in expected.chunks(8) {
                let cells: Vec<_> = line.iter().map(|(start, class)| format!("({start:#x}, {class})")).collect();
                file.push_str(&format!("    {},\n", cells.join(", ")));
            }
            file.push_str("];\n");
            std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/text/tables.rs"), file).unwrap();
        }
        assert_eq!(tables::STARTS, expected);
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
            1 => "[\u{300}-\u{330}\u{64b}-\u{652}\u{ad}\u{200b}-\u{200f}]{1,3}",
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
            // Where scripts without spaces and Hebrew quotes are left out, the two follow the same rules.
            let text: String = text.chars().filter(|&c| {
                Class::of(c) != Class::Solo && !('\u{590}'..='\u{5ff}').contains(&c) && !('\u{fb00}'..='\u{fb4f}').contains(&c)
                    && Class::of(c) != Class::Other || c.is_ascii() && c != '\n' && c != '\r'
            }).collect();
            let ours: Vec<_> = Words::new(&text).map(|word| word.as_str()).collect();
            let theirs: Vec<_> = text.split_word_bounds()
                .filter(|piece| piece.chars().any(|c| matches!(Class::of(c), Class::Letter | Class::Numeric))).collect();
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn the_quick_normal_form_is_the_full_one(text in mixed_text()) {
            for word in Words::new(&text) {
                prop_assert_eq!(word.normalized().into_owned(), fold(word.as_str()));
            }
        }

        #[test]
        fn normal_forms_are_their_own_normal_form(text in mixed_text()) {
            for word in Words::new(&text) {
                let once = fold(word.as_str());
                prop_assert_eq!(&fold(&once), &once);
            }
        }

        #[test]
        fn walking_hashes_the_normal_form(text in mixed_text(), limit in prop_oneof![8usize..200, Just(4096)]) {
            let expected: Vec<_> = Words::new(&text)
                .map(|word| (word.span(), hash::hash_bytes(fold(word.as_str()).as_bytes())))
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
