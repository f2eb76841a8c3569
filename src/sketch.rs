//! What is kept of one article to judge it later without its text, as bytes that are borrowed where they stand.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | [`SKETCH_VERSION`], and [`WITHOUT_SPACES`] if it is of a transcript of such a text |
//! | number | words of the text |
//! | number | the census by which it was looked at when it was added, times two; and 1 if it may hold furniture by that |
//! | 16 | what tells exact copies |
//! | number | slots of its signature |
//! | slots | of each slot the lowest byte |
//! | number | content words |
//! | 4 each | these in order, little-endian |
//! | 4 bits each | how many other words stand before each of them, and how many after the last: 15 is 15 and more |
//!
//! Numbers are in LEB128. How the text was signed is told by the profile of the archive, which refuses another one.

use crate::content::{Token, Tokens};
use crate::exact::{Exact, ExactHasher};
use crate::records::{Cursor, put_number};
use crate::sign::Single;
use crate::text;
use crate::transcript;

/// The version of these bytes.
pub(crate) const SKETCH_VERSION: u8 = 1;

/// Added to the version in the sketch of a transcript whose text is written without spaces.
const WITHOUT_SPACES: u8 = 128;

/// What is kept of one article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sketch<'b> {
    pub(crate) words: u32,
    pub(crate) exact: Exact,
    pub(crate) looked_at: LookedAt,
    is_without_spaces: bool,
    slots: &'b [u8],
    tokens: &'b [[u8; 4]],
    gaps: &'b [u8],
}

/// The content words of a text, and how many other words stand before each of them and after the last, at most [`MOST_WORDS`].
pub(crate) type Spaced = (Vec<Token>, Vec<u8>);

/// So many words are not told from more.
pub(crate) const MOST_WORDS: u8 = 15;

/// How many other words stand before each content word of a text, and after the last.
pub(crate) fn gaps(text: &str) -> Vec<u8> {
    let (finder, mut gaps, mut gap) = (Tokens::new(text), Vec::new(), 0u8);
    text::with_scratch(|scratch| {
        text::walk(text, scratch, |words| {
            for word in words.iter() {
                match finder.stem(&word) {
                    Some(_) => gaps.push(std::mem::take(&mut gap)),
                    None => gap = (gap + 1).min(MOST_WORDS),
                }
            }
        });
    });
    gaps.push(gap);
    gaps
}

/// What is known of the furniture of a text that no census has counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LookedAt {
    /// The census that tells it.
    pub(crate) census: u64,
    /// Whether it may hold some.
    pub(crate) may_hold_furniture: bool,
}

impl<'b> Sketch<'b> {
    /// The sketch of a text, or of a transcript, that was signed, with its [`gaps`], one more than content words.
    pub(crate) fn to_bytes(
        text: &str,
        of: &Single,
        gaps: &[u8],
        LookedAt { census, may_hold_furniture }: LookedAt,
    ) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(40 + of.sketch.len() + 4 * of.tokens.len());
        let is_without_spaces = transcript::is_without_spaces(text) == Some(true);
        bytes.push(SKETCH_VERSION | if is_without_spaces { WITHOUT_SPACES } else { 0 });
        put_number(&mut bytes, of.words.into());
        put_number(&mut bytes, census << 1 | u64::from(may_hold_furniture));
        bytes.extend(of.exact.to_bytes());
        put_number(&mut bytes, of.sketch.len() as u64);
        bytes.extend(of.sketch.iter().map(|&slot| slot as u8));
        put_number(&mut bytes, of.tokens.len() as u64);
        of.tokens.iter().for_each(|token| bytes.extend(token.code().to_le_bytes()));
        bytes.extend(gaps.chunks(2).map(|two| two[0] | two.get(1).unwrap_or(&0) << 4));
        bytes
    }

    /// Reads a sketch; none if these bytes are no sketch.
    pub(crate) fn read(bytes: &'b [u8]) -> Option<Self> {
        let (&first, rest) = bytes.split_first()?;
        let is_without_spaces = first & WITHOUT_SPACES != 0;
        if first & !WITHOUT_SPACES != SKETCH_VERSION {
            return None;
        }
        let mut cursor = Cursor(rest);
        let words = u32::try_from(cursor.number()?).ok()?;
        let looked_at = cursor.number()?;
        let looked_at = LookedAt { census: looked_at >> 1, may_hold_furniture: looked_at & 1 == 1 };
        let exact = Exact::of_bytes(cursor.array()?);
        let slots = usize::try_from(cursor.number()?).ok()?;
        let slots = cursor.take(slots)?;
        let count = usize::try_from(cursor.number()?).ok()?;
        let (tokens, _) = cursor.take(count.checked_mul(4)?)?.as_chunks();
        let gaps = cursor.take((count + 1).div_ceil(2))?;
        cursor.0.is_empty().then_some(Self { words, exact, looked_at, is_without_spaces, slots, tokens, gaps })
    }

    /// The content words in order.
    pub(crate) fn tokens(&self) -> impl ExactSizeIterator<Item = Token> + Clone + use<'b> {
        self.tokens.iter().map(|&code| Token::of_code(u32::from_le_bytes(code)))
    }

    /// How many other words stand before a content word, or after the last.
    fn gap(&self, at: usize) -> u8 {
        self.gaps[at / 2] >> (4 * (at % 2)) & MOST_WORDS
    }

    /// What is left of the content words where something was cut out of the text, with as many words between them as there may be; none
    /// if these cuts are of another text.
    pub(crate) fn without(&self, cuts: &[u8]) -> Option<Spaced> {
        let mut cuts = Cursor(cuts);
        let (mut tokens, mut gaps) = (Vec::with_capacity(self.tokens.len()), Vec::with_capacity(self.tokens.len() + 1));
        // Words before what was cut out last.
        let (mut at, mut opens, mut before) = (0usize, false, 0);
        loop {
            let (kept, skipped) = match cuts.0.is_empty() {
                true => (0, 0),
                false => (usize::try_from(cuts.number()?).ok()?, cuts.number()?),
            };
            let run = self.tokens.get(at..at.checked_add(kept)?)?;
            for (place, &code) in (at..).zip(run) {
                let token = Token::of_code(u32::from_le_bytes(code));
                // Behind a cut a sentence begins, where capitals do not tell names.
                tokens.push(if std::mem::take(&mut opens) { token.named(false) } else { token });
                gaps.push((std::mem::take(&mut before) + self.gap(place)).min(MOST_WORDS));
            }
            at += kept;
            if cuts.0.is_empty() && skipped == 0 {
                gaps.push((before + self.gap(at)).min(MOST_WORDS));
                return (at == self.tokens.len()).then_some((tokens, gaps));
            }
            if skipped > 1 {
                before = (before + self.gap(at)).min(MOST_WORDS);
            }
            opens = skipped & 1 == 1;
            at = at.checked_add(usize::try_from(skipped >> 1).ok()?).filter(|&at| at <= self.tokens.len())?;
        }
    }

    /// All content words with what stands between them.
    pub(crate) fn spaced(&self) -> Spaced {
        (self.tokens().collect(), (0..=self.tokens.len()).map(|at| self.gap(at)).collect())
    }

    /// The same one after the other: how many other words stand before each content word, and at last after all of them.
    pub(crate) fn spread_out(&self) -> impl Iterator<Item = (u8, Option<Token>)> {
        let tokens = self.tokens().map(Some).chain([None]);
        tokens.enumerate().map(|(at, token)| (self.gap(at), token))
    }

    /// The transcript of the text, if this is the sketch of its transcript.
    pub(crate) fn transcript(&self) -> String {
        transcribe(self.is_without_spaces, self.exact, self.spread_out())
    }

    /// How many slots of a signature are the same; by chance one more in 256 than there really are.
    pub(crate) fn equal_slots(&self, signature: &[u32]) -> usize {
        self.slots.iter().zip(signature).filter(|&(&ours, &theirs)| ours == theirs as u8).count()
    }

    /// The same with the signature of another sketch, as a share of all slots.
    pub(crate) fn equal_share(&self, other: &Self) -> f32 {
        let equal = self.slots.iter().zip(other.slots).filter(|(ours, theirs)| ours == theirs).count();
        equal as f32 / self.slots.len().max(1) as f32
    }
}

/// The transcript of a text; of a transcript, that itself.
pub(crate) fn transcript_of(text: &str) -> String {
    if transcript::is_transcript(text) {
        return text.into();
    }
    let (mut finder, mut exact, mut tokens) = (Tokens::new(text), ExactHasher::default(), Vec::new());
    text::with_scratch(|scratch| {
        text::walk(text, scratch, |words| {
            exact.extend(words.hashes());
            finder.collect(words, &mut tokens);
        });
    });
    let spread_out = gaps(text).into_iter().zip(tokens.into_iter().map(Some).chain([None]));
    transcribe(text::is_without_spaces(text), exact.finish(), spread_out)
}

/// Writes a transcript: how many other words stand before each content word, and at last after all of them.
fn transcribe(is_without_spaces: bool, exact: Exact, spread_out: impl Iterator<Item = (u8, Option<Token>)>) -> String {
    let mut writer = transcript::Writer::new(is_without_spaces, exact.to_bytes());
    for (others, token) in spread_out {
        (0..others).for_each(|_| writer.other());
        token.into_iter().for_each(|token| writer.content(token.code()));
    }
    writer.finish()
}

/// Tells how the content words that are left of a text come from all that it has: again and again how many stay, how many of the
/// next were cut out, times two, and 1 if what comes then is no name any more. None if they do not.
pub(crate) fn cuts(all: &[Token], left: &[Token]) -> Option<Vec<u8>> {
    let (mut cuts, mut at, mut kept) = (Vec::new(), 0, 0);
    for &token in left {
        let stays = |of: Token| of == token || of.named(false) == token;
        let skipped = all[at..].iter().position(|&of| stays(of))?;
        at += skipped;
        let opens = all[at] != token;
        if skipped > 0 || opens {
            put_number(&mut cuts, kept);
            put_number(&mut cuts, (skipped as u64) << 1 | u64::from(opens));
            kept = 0;
        }
        kept += 1;
        at += 1;
    }
    put_number(&mut cuts, kept);
    put_number(&mut cuts, ((all.len() - at) as u64) << 1);
    Some(cuts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Detector;
    use crate::content;
    use proptest::prelude::*;

    fn tokens(text: &str) -> Vec<Token> {
        let mut tokens = Vec::new();
        content::collect(text, &mut tokens);
        tokens
    }

    /// Texts of words with and without content, capitals, figures and characters of any kind, with and without spaces.
    fn texts() -> impl Strategy<Value = String> {
        let word = prop_oneof!["[A-Z]?[a-z]{1,9}", "the|of", "[0-9]{1,9}", "\\PC{1,3}", "[桥のทé]{1,5}"];
        let between = prop_oneof![Just(" "), Just(". "), Just(""), Just("\n")];
        let pairs = prop::collection::vec((word, between), 0..60);
        pairs.prop_map(|pairs| pairs.into_iter().map(|(word, between)| word + between).collect())
    }

    #[test]
    fn a_transcript_hides_endings_and_words_without_content() {
        const HEAD: usize = 33 * 3;
        let [first, again, other] =
            ["The ferry leaves for Orrin.", "A ferry leaved, of Orrin?", "The ferry leaves for Hallin."]
                .map(transcript_of);
        assert_eq!(first[HEAD..], again[HEAD..]);
        assert_ne!(first[..HEAD], again[..HEAD], "they are no exact copies");
        assert_ne!(first[HEAD..], other[HEAD..]);
    }

    proptest! {
        #[test]
        fn sketches_come_back(text in "([A-Z]?[a-z]{1,7}[ .]){0,60}", census in 0u64..300, may_hold_furniture in any::<bool>()) {
            let single = Detector::new().comparing().views.single(&text, &mut Default::default());
            let looked_at = LookedAt { census, may_hold_furniture };
            let gaps = gaps(&text);
            let bytes = Sketch::to_bytes(&text, &single, &gaps, looked_at);
            let sketch = Sketch::read(&bytes).unwrap();
            prop_assert_eq!(sketch.spaced(), (single.tokens.clone(), gaps.clone()));
            prop_assert_eq!(gaps.iter().map(|&gap| u32::from(gap)).sum::<u32>() + single.tokens.len() as u32, single.words);
            prop_assert_eq!((sketch.words, sketch.exact, sketch.looked_at), (single.words, single.exact, looked_at));
            prop_assert_eq!(sketch.tokens().collect::<Vec<_>>(), single.tokens.clone());
            prop_assert_eq!(sketch.equal_slots(&single.sketch), single.sketch.len());
            for length in 0..bytes.len() {
                prop_assert_eq!(Sketch::read(&bytes[..length]), None, "cut at {}", length);
            }
        }

        #[test]
        fn a_transcript_says_what_the_text_says(text in texts()) {
            let transcript = transcript_of(&text);
            prop_assert_eq!(tokens(&transcript), tokens(&text));
            prop_assert_eq!(gaps(&transcript), gaps(&text));
            prop_assert_eq!(text::is_without_spaces(&transcript), text::is_without_spaces(&text));
            prop_assert_eq!(&transcript_of(&transcript), &transcript);
            let detector = Detector::new();
            let single = |text| detector.comparing().views.single(text, &mut Default::default());
            let (of_text, of_transcript) = (single(&text), single(&transcript));
            prop_assert_eq!(of_text.exact, of_transcript.exact);
            let looked_at = LookedAt { census: 7, may_hold_furniture: false };
            let bytes = Sketch::to_bytes(&transcript, &of_transcript, &gaps(&transcript), looked_at);
            prop_assert_eq!(Sketch::read(&bytes).unwrap().transcript(), transcript);
        }

        #[test]
        fn what_begins_like_a_transcript_does_no_harm(rest in "[\u{fdd0}-\u{fdef}a-z \\PC]{0,60}") {
            let text = format!("\u{fdd0}{rest}");
            prop_assert!(tokens(&text).len() <= text::Words::new(&text).count());
            prop_assert_eq!(transcript_of(&text), text);
        }

        #[test]
        fn what_is_left_after_cuts_comes_back(all in prop::collection::vec((0u64..6, any::<bool>()), 0..40), keeps in prop::collection::vec((any::<bool>(), any::<bool>()), 40)) {
            let token = |(stem, name)| Token::new(crate::hash::mix(stem), name, false);
            let all: Vec<Token> = all.into_iter().map(token).collect();
            let kept = all.iter().zip(&keeps).filter(|(_, (keep, _))| *keep);
            let left: Vec<Token> = kept.map(|(token, (_, opens))| if *opens { token.named(false) } else { *token }).collect();
            let mut single = Detector::new().comparing().views.single("", &mut Default::default());
            single.tokens = all.clone();
            let looked_at = LookedAt { census: 0, may_hold_furniture: true };
            let bytes = Sketch::to_bytes("", &single, &vec![2; all.len() + 1], looked_at);
            let sketch = Sketch::read(&bytes).unwrap();
            let cuts = cuts(&all, &left).unwrap();
            let (found, gaps) = sketch.without(&cuts).unwrap();
            prop_assert!(gaps.len() == left.len() + 1 && gaps.iter().all(|gap| [2, 4].contains(gap) || *gap > 4), "{:?}", gaps);
            prop_assert_eq!(found, left);
            single.tokens.push(token((9, true)));
            let bytes = Sketch::to_bytes("", &single, &vec![2; all.len() + 2], looked_at);
            prop_assert_eq!(Sketch::read(&bytes).unwrap().without(&cuts), None);
        }

        #[test]
        fn any_bytes_are_a_sketch_or_none(mut bytes in prop::collection::vec(any::<u8>(), 0..60), cuts in prop::collection::vec(0u8..6, 0..9), version in prop::sample::select(vec![0, 1, 2, 129])) {
            bytes.insert(0, version);
            if let Some(sketch) = Sketch::read(&bytes) {
                prop_assert_eq!(version & !WITHOUT_SPACES, SKETCH_VERSION);
                let _ = (sketch.transcript(), sketch.spaced(), sketch.without(&cuts), sketch.equal_slots(&[7; 200]));
            }
        }
    }
}
