//! What is kept of one article to judge it later without its text, as bytes that are borrowed where they stand.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | [`SKETCH_VERSION`] |
//! | number | words of the text |
//! | number | the census by which it was looked at when it was added, times two; and 1 if it may hold furniture by that |
//! | 16 | what tells exact copies |
//! | number | slots of its signature |
//! | slots | of each slot the lowest byte |
//! | 4 each | its content words in order, little-endian |
//!
//! Numbers are in LEB128. How the text was signed is told by the profile of the archive, which refuses another one.

use crate::content::Token;
use crate::exact::Exact;
use crate::records::{Cursor, put_number};
use crate::sign::Single;

/// The version of these bytes.
pub(crate) const SKETCH_VERSION: u8 = 1;

/// What is kept of one article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sketch<'b> {
    pub(crate) words: u32,
    pub(crate) exact: Exact,
    pub(crate) looked_at: LookedAt,
    slots: &'b [u8],
    tokens: &'b [[u8; 4]],
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
    /// The sketch of a text that was signed.
    pub(crate) fn to_bytes(of: &Single, LookedAt { census, may_hold_furniture }: LookedAt) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(40 + of.sketch.len() + 4 * of.tokens.len());
        bytes.push(SKETCH_VERSION);
        put_number(&mut bytes, of.words.into());
        put_number(&mut bytes, census << 1 | u64::from(may_hold_furniture));
        bytes.extend(of.exact.to_bytes());
        put_number(&mut bytes, of.sketch.len() as u64);
        bytes.extend(of.sketch.iter().map(|&slot| slot as u8));
        of.tokens.iter().for_each(|token| bytes.extend(token.code().to_le_bytes()));
        bytes
    }

    /// Reads a sketch; none if these bytes are no sketch.
    pub(crate) fn read(bytes: &'b [u8]) -> Option<Self> {
        let (&SKETCH_VERSION, rest) = bytes.split_first()? else { return None };
        let mut cursor = Cursor(rest);
        let words = u32::try_from(cursor.number()?).ok()?;
        let looked_at = cursor.number()?;
        let looked_at = LookedAt { census: looked_at >> 1, may_hold_furniture: looked_at & 1 == 1 };
        let exact = Exact::of_bytes(cursor.array()?);
        let slots = usize::try_from(cursor.number()?).ok()?;
        let slots = cursor.take(slots)?;
        let (tokens, rest) = cursor.0.as_chunks();
        rest.is_empty().then_some(Self { words, exact, looked_at, slots, tokens })
    }

    /// The content words in order.
    pub(crate) fn tokens(&self) -> impl ExactSizeIterator<Item = Token> + Clone + use<'b> {
        self.tokens.iter().map(|&code| Token::of_code(u32::from_le_bytes(code)))
    }

    /// The content words that are left where something was cut out of the text; none if these cuts are of another text.
    pub(crate) fn without(&self, cuts: &[u8]) -> Option<Vec<Token>> {
        let (mut cuts, mut left) = (Cursor(cuts), Vec::with_capacity(self.tokens.len()));
        let (mut rest, mut opens) = (self.tokens, false);
        while !cuts.0.is_empty() {
            let (kept, skipped) = (usize::try_from(cuts.number()?).ok()?, cuts.number()?);
            let (run, after) = rest.split_at_checked(kept)?;
            let token = |&code: &[u8; 4]| Token::of_code(u32::from_le_bytes(code));
            left.extend(run.iter().enumerate().map(|(at, code)| {
                // Behind a cut a sentence begins, where capitals do not tell names.
                if opens && at == 0 { token(code).named(false) } else { token(code) }
            }));
            rest = after.get(usize::try_from(skipped >> 1).ok()?..)?;
            opens = skipped & 1 == 1;
        }
        rest.is_empty().then_some(left)
    }

    /// How many slots of a signature are the same; by chance one more in 256 than there really are.
    pub(crate) fn equal_slots(&self, signature: &[u32]) -> usize {
        self.slots.iter().zip(signature).filter(|&(&ours, &theirs)| ours == theirs as u8).count()
    }
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
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sketches_come_back(text in "([A-Z]?[a-z]{1,7}[ .]){0,60}", census in 0u64..300, may_hold_furniture in any::<bool>()) {
            let single = Detector::new().comparing().views.single(&text, &mut Default::default());
            let looked_at = LookedAt { census, may_hold_furniture };
            let bytes = Sketch::to_bytes(&single, looked_at);
            let sketch = Sketch::read(&bytes).unwrap();
            prop_assert_eq!((sketch.words, sketch.exact, sketch.looked_at), (single.words, single.exact, looked_at));
            prop_assert_eq!(sketch.tokens().collect::<Vec<_>>(), single.tokens.clone());
            prop_assert_eq!(sketch.equal_slots(&single.sketch), single.sketch.len());
            for length in (0..bytes.len()).filter(|length| (bytes.len() - length) % 4 > 0) {
                prop_assert_eq!(Sketch::read(&bytes[..length]), None, "cut at {}", length);
            }
        }

        #[test]
        fn what_is_left_after_cuts_comes_back(all in prop::collection::vec((0u64..6, any::<bool>()), 0..40), keeps in prop::collection::vec((any::<bool>(), any::<bool>()), 40)) {
            let token = |(stem, name)| Token::new(crate::hash::mix(stem), name, false);
            let all: Vec<Token> = all.into_iter().map(token).collect();
            let kept = all.iter().zip(&keeps).filter(|(_, (keep, _))| *keep);
            let left: Vec<Token> = kept.map(|(token, (_, opens))| if *opens { token.named(false) } else { *token }).collect();
            let mut single = Detector::new().comparing().views.single("", &mut Default::default());
            single.tokens = all.clone();
            let bytes = Sketch::to_bytes(&single, LookedAt { census: 0, may_hold_furniture: true });
            let sketch = Sketch::read(&bytes).unwrap();
            let cuts = cuts(&all, &left).unwrap();
            prop_assert_eq!(sketch.without(&cuts), Some(left));
            single.tokens.push(token((9, true)));
            let bytes = Sketch::to_bytes(&single, LookedAt { census: 0, may_hold_furniture: true });
            prop_assert_eq!(Sketch::read(&bytes).unwrap().without(&cuts), None);
        }

        #[test]
        fn any_bytes_are_a_sketch_or_none(mut bytes in prop::collection::vec(any::<u8>(), 0..60), version in 0u8..3) {
            bytes.insert(0, version);
            if let Some(sketch) = Sketch::read(&bytes) {
                prop_assert_eq!(version, SKETCH_VERSION);
                let _ = (sketch.tokens().count(), sketch.equal_slots(&[7; 200]));
            }
        }
    }
}
