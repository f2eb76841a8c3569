//! The full normal form of a word, by frozen tables: decompose and fold each character, put the marks in canonical order,
//! compose.
//!
//! The tables are part of this crate because every signature depends on them. Those of the Unicode crates change with their
//! patch versions, and pinning an exact version would keep the crate from being built beside one that needs a newer patch.
//! A test compares the tables with two of those crates, character by character.

use smallvec::SmallVec;

use super::{Class, tables};

/// Greek iota subscript: sorted as a mark, then replaced by a letter.
pub(super) const IOTA_SUBSCRIPT: char = '\u{345}';

/// Hangul syllables are composed of letters by arithmetic: first and number of leading, vowel and trailing letters.
const SYLLABLES: u32 = 0xac00;
const LEADING: (u32, u32) = (0x1100, 19);
const VOWELS: (u32, u32) = (0x1161, 21);
/// The first one stands for none.
const TRAILING: (u32, u32) = (0x11a7, 28);

/// The normal form of a word.
pub(super) fn fold(word: &str) -> impl Iterator<Item = char> + use<> {
    let mut chars: SmallVec<[(u8, char); 32]> = SmallVec::new();
    for c in word.chars().filter(|&c| Class::of(c) != Class::Ignorable) {
        decompose(c, |c| chars.push((combining_class(c), c)));
    }
    for marks in chars.chunk_by_mut(|before, after| before.0 != 0 && after.0 != 0) {
        marks.sort_by_key(|&(class, _)| class);
    }
    for (class, c) in &mut chars {
        if *c == IOTA_SUBSCRIPT {
            (*class, *c) = (0, 'ι');
        }
    }
    let len = compose(&mut chars);
    chars.into_iter().take(len).map(|(_, c)| c)
}

/// Composes characters in place, and returns how many are left.
fn compose(chars: &mut [(u8, char)]) -> usize {
    let mut len = 0;
    // The character that marks combine with, and the class of the last mark that did not.
    let mut starter: Option<usize> = None;
    let mut last_class = 0;
    for at in 0..chars.len() {
        let (class, c) = chars[at];
        if let Some(starter) = starter
            && (len == starter + 1 || last_class < class)
            && let Some(composed) = composition(chars[starter].1, c)
        {
            chars[starter].1 = composed;
            continue;
        }
        if class == 0 {
            starter = Some(len);
        }
        last_class = class;
        chars[len] = (class, c);
        len += 1;
    }
    len
}

/// Calls `each` with the characters that a character consists of once it is decomposed and folded.
fn decompose(c: char, mut each: impl FnMut(char)) {
    let syllable = (c as u32).wrapping_sub(SYLLABLES);
    if c.is_ascii() {
        each(c.to_ascii_lowercase());
    } else if syllable < LEADING.1 * VOWELS.1 * TRAILING.1 {
        let letters = [
            LEADING.0 + syllable / (VOWELS.1 * TRAILING.1),
            VOWELS.0 + syllable / TRAILING.1 % VOWELS.1,
            TRAILING.0 + syllable % TRAILING.1,
        ];
        let count = if syllable.is_multiple_of(TRAILING.1) { 2 } else { 3 };
        letters[..count].iter().copied().filter_map(char::from_u32).for_each(each);
    } else if let Ok(at) = tables::FOLDS.binary_search_by_key(&(c as u32), |&(c, _)| c) {
        tables::FOLDS[at].1.chars().for_each(each);
    } else {
        each(c);
    }
}

/// The canonical combining class: 0 for all but marks. The order of marks of different classes does not matter.
pub(super) fn combining_class(c: char) -> u8 {
    let after = tables::COMBINING.partition_point(|&(start, _)| start <= c as u32);
    after.checked_sub(1).map_or(0, |at| tables::COMBINING[at].1)
}

/// What two characters compose to, if they do.
fn composition(first: char, second: char) -> Option<char> {
    let (a, b) = (first as u32, second as u32);
    let (vowel, trailing) = (b.wrapping_sub(VOWELS.0), b.wrapping_sub(TRAILING.0));
    if vowel < VOWELS.1 && a.wrapping_sub(LEADING.0) < LEADING.1 {
        return char::from_u32(SYLLABLES + ((a - LEADING.0) * VOWELS.1 + vowel) * TRAILING.1);
    }
    let syllable = a.wrapping_sub(SYLLABLES);
    if (1..TRAILING.1).contains(&trailing)
        && syllable < LEADING.1 * VOWELS.1 * TRAILING.1
        && syllable.is_multiple_of(TRAILING.1)
    {
        return char::from_u32(a + trailing);
    }
    let at = tables::COMPOSITIONS.binary_search_by_key(&(b, a), |&(second, first, _)| (second, first)).ok()?;
    char::from_u32(tables::COMPOSITIONS[at].2)
}

/// Whether a character may become one with what stands before it.
pub(super) fn composes(c: char) -> bool {
    let c = c as u32;
    let is_letter_of = |(first, count): (u32, u32)| (first..first + count).contains(&c);
    let at = tables::COMPOSITIONS.partition_point(|&(second, ..)| second < c);
    is_letter_of(VOWELS) || is_letter_of(TRAILING) || tables::COMPOSITIONS.get(at).is_some_and(|found| found.0 == c)
}
