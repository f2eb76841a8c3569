//! What the targets share: how a fuzzer's bytes become texts, and the laws of passages.

use std::borrow::Cow;
use std::ops::Range;

use retold::{Passage, PassageKind, Words, shared_passages};

/// Stands between the parts of an input. No UTF-8 text holds it, so that a seed can be written by hand.
pub const BETWEEN_PARTS: u8 = 0xff;

/// Stands on both sides of what is repeated in a part; in no UTF-8 text either.
const AROUND_REPEATED: u8 = 0xfe;

/// The part with what stands between its first two marks repeated until there are about `size` bytes.
///
/// A fuzzer's inputs are too short for quadratic time to show; such a one is as long as it takes for it to time out. Only one
/// part in some hundred grows, by its bytes, since a fuzzer that is rewarded for long inputs would try nothing else.
pub fn grown(part: &[u8], size: usize) -> Cow<'_, [u8]> {
    const ONE_IN: u32 = 256;
    let sum = part.iter().fold(0u32, |sum, &byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let pieces: Vec<&[u8]> = part.splitn(3, |&byte| byte == AROUND_REPEATED).collect();
    match pieces[..] {
        [before, repeated, behind] if !repeated.is_empty() && (sum >> 8).is_multiple_of(ONE_IN) => {
            let times = size / repeated.len();
            [before, &repeated.repeat(times), behind].concat().into()
        }
        _ => part.into(),
    }
}

/// The parts of an input as texts; those that repeat something grow to about `size` bytes together.
pub fn texts(input: &[u8], size: usize) -> Vec<String> {
    let parts: Vec<&[u8]> = input.split(|&byte| byte == BETWEEN_PARTS).collect();
    let size = size / parts.len();
    parts.iter().map(|part| String::from_utf8_lossy(&grown(part, size)).into_owned()).collect()
}

/// Words with their normal forms.
struct Side<'t> {
    text: &'t str,
    words: Vec<(Range<usize>, Cow<'t, str>)>,
}

impl<'t> Side<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, words: Words::new(text).map(|word| (word.span(), word.normalized())).collect() }
    }

    /// The words of a passage, which begins and ends with whole ones and changes none.
    fn words(&self, place: &Range<usize>) -> Vec<&str> {
        let first = self.words.partition_point(|(span, _)| span.start < place.start);
        let behind = self.words.partition_point(|(span, _)| span.end <= place.end);
        assert!(first < behind, "a passage without words: {place:?}");
        assert_eq!((self.words[first].0.start, self.words[behind - 1].0.end), (place.start, place.end));
        let words: Vec<&str> = self.words[first..behind].iter().map(|(_, word)| word.as_ref()).collect();
        let alone: Vec<_> = Words::new(&self.text[place.clone()]).map(|word| word.normalized()).collect();
        assert_eq!(words, alone, "cutting at edges of words changes no word");
        words
    }
}

/// The passages of two texts, held to what their documentation says.
pub fn checked_passages(left: &str, right: &str) -> Vec<Passage> {
    let passages = shared_passages(left, right);
    let (of_left, of_right) = (Side::new(left), Side::new(right));
    let mut right_places: Vec<&Range<usize>> = passages.iter().map(|passage| &passage.right).collect();
    right_places.sort_by_key(|place| place.start);
    assert!(passages.windows(2).all(|two| two[0].left.end <= two[1].left.start), "out of order or overlapping");
    assert!(right_places.windows(2).all(|two| two[0].end <= two[1].start), "overlapping");
    for passage in &passages {
        let (ours, theirs) = (of_left.words(&passage.left), of_right.words(&passage.right));
        assert!(passage.kind != PassageKind::Same || ours == theirs, "{ours:?} are not the words {theirs:?}");
    }
    passages
}
