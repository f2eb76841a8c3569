//! The form of a transcript, which stands for a text where texts are not kept: its content words, as codes, and as many other words between
//! them as there are.
//!
//! A transcript is a text in a language of its own, so that whatever reads texts reads it as well, and judges two of them by the same
//! rules. What it hides are endings, for words of one stem are one there, and which the words are that carry no content: what is the same
//! in two texts is the same in their transcripts, and now and then a little more.
//!
//! It begins with noncharacters, which Unicode keeps for use inside of programs: one that says whether words have spaces between them,
//! and 32 for what tells exact copies of the text. Then a content word has seven letters, which are its code, and any other word has one.

/// Begins the transcript of a text with spaces between its words.
const WITH_SPACES: char = '\u{fdd0}';

/// The same where each character is a word.
const WITHOUT_SPACES: char = '\u{fdd1}';

/// Of sixteen characters, each of which is four bits, the first one.
const BITS: u32 = 0xfde0;

/// Letters of a content word.
const LETTERS: usize = 7;

/// A transcript on the way.
pub(crate) struct Writer(String);

impl Writer {
    /// Begins the transcript of a text: whether it is written without spaces, and what tells its exact copies.
    pub(crate) fn new(is_without_spaces: bool, exact: [u8; 16]) -> Self {
        let mut transcript = String::from(if is_without_spaces { WITHOUT_SPACES } else { WITH_SPACES });
        let bits = exact.into_iter().flat_map(|byte| [byte & 15, byte >> 4]);
        transcript.extend(bits.filter_map(|bits| char::from_u32(BITS + u32::from(bits))));
        Self(transcript)
    }

    /// Adds a content word.
    pub(crate) fn content(&mut self, mut code: u32) {
        for _ in 0..LETTERS {
            self.0.push((b'a' + (code % 26) as u8).into());
            code /= 26;
        }
        self.0.push(' ');
    }

    /// Adds a word without content.
    pub(crate) fn other(&mut self) {
        self.0.push_str("a ");
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }
}

/// Whether a text is a transcript.
#[inline]
pub(crate) fn is_transcript(text: &str) -> bool {
    text.starts_with([WITH_SPACES, WITHOUT_SPACES])
}

/// Whether the text of a transcript is written without spaces; none if it is no transcript.
#[inline]
pub(crate) fn is_without_spaces(text: &str) -> Option<bool> {
    is_transcript(text).then(|| text.starts_with(WITHOUT_SPACES))
}

/// What tells exact copies of the text of a transcript; none if it is no transcript.
pub(crate) fn exact(text: &str) -> Option<[u8; 16]> {
    let mut bits = text.chars().skip(1);
    let mut half = || u8::try_from(u32::from(bits.next()?).checked_sub(BITS)?).ok().filter(|&half| half < 16);
    let mut bytes = [0; 16];
    for byte in &mut bytes {
        *byte = half()? | half()? << 4;
    }
    is_transcript(text).then_some(bytes)
}

/// The code of a word of a transcript, by its first eight bytes and its length; none if it is no content word.
#[inline]
pub(crate) fn code(first_8: u64, length: usize) -> Option<u32> {
    let letters = &first_8.to_le_bytes()[..LETTERS];
    let is_code = length == LETTERS && letters.iter().all(u8::is_ascii_lowercase);
    let code = letters.iter().rev().fold(0, |code, letter| 26 * code + u64::from(letter.wrapping_sub(b'a')));
    u32::try_from(code).ok().filter(|_| is_code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn first_8(word: &str) -> u64 {
        let mut bytes = [0; 8];
        let length = word.len().min(8);
        bytes[..length].copy_from_slice(&word.as_bytes()[..length]);
        u64::from_le_bytes(bytes)
    }

    proptest! {
        #[test]
        fn what_was_written_comes_back(spaceless in any::<bool>(), bytes in any::<[u8; 16]>(), codes in prop::collection::vec(prop::option::of(any::<u32>()), 0..20)) {
            let mut writer = Writer::new(spaceless, bytes);
            for code in &codes {
                match code {
                    Some(code) => writer.content(*code),
                    None => writer.other(),
                }
            }
            let transcript = writer.finish();
            prop_assert_eq!((is_without_spaces(&transcript), exact(&transcript)), (Some(spaceless), Some(bytes)));
            let words = transcript.trim_start_matches(|c: char| !c.is_ascii()).split_ascii_whitespace();
            prop_assert_eq!(words.map(|word| code(first_8(word), word.len())).collect::<Vec<_>>(), codes);
        }

        #[test]
        fn any_other_text_is_no_transcript(text in "[\u{fdd2}-\u{fdef}a-z \\PC]{0,40}", word in "[a-zA-Z0-9]{0,9}") {
            prop_assert_eq!((is_transcript(&text), is_without_spaces(&text), exact(&text)), (false, None, None));
            let is_short_or_long = word.len() != LETTERS || word.bytes().any(|byte| !byte.is_ascii_lowercase());
            prop_assert!(!is_short_or_long || code(first_8(&word), word.len()).is_none());
        }
    }
}
