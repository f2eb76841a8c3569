//! Among how many documents a text stands: those of its language, if few others of the corpus have it.
//!
//! What is rare is told by all documents, and what texts share as a rule by the best of their neighbours. Were three hundred German
//! stories weighed among thirty thousand English ones, *der* and *und* would pass for rare words, and next to nothing would be usual
//! for the three hundred. Nobody tells languages here: a text that is not English is one of those that have its commonest words.

use std::sync::LazyLock;

use super::{Found, HELD, LEAST_PRIOR, common};
use crate::content::ln;
use crate::frequencies::Held;

/// How many documents are of the kind of a text: the code of how many hold its commonest words, or none if all are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kin(u8);

/// A text is English if so many of its words are of general English. Of Spanish ones one in three looks like one of these.
const ENGLISH: f32 = 0.4;

/// One in so many words of a text is one of its commonest: names and foreign words that a larger language has as well are fewer.
const COMMONEST: u32 = 6;

/// For each document that holds a text's commonest words another one is of its kind, for not all of them have just these. Where that makes all
/// documents of a corpus, it is of one language.
const OTHERS: f32 = 2.0;

/// For each code the logarithm of how many documents there are with those of the prior.
static DOCUMENTS: LazyLock<[f32; 256]> = LazyLock::new(|| HELD.map(|held| ln(OTHERS * held + LEAST_PRIOR)));

impl Kin {
    /// All documents.
    pub(crate) const ALL: Self = Self(0);

    /// At least two hold a word that two texts share.
    const LEAST: usize = 2;

    /// Of a text of these stems, so many of them English ones, among so many documents.
    pub(super) fn of(stems: &[Found], english: u32, documents: usize) -> Self {
        let words = stems.iter().filter(|found| !found.token.is_number()).count() as u32;
        if english as f32 >= ENGLISH * words as f32 {
            return Self::ALL;
        }
        // How many words are held by how many documents.
        let (mut times, mut all) = ([0; 256], 0);
        for found in stems.iter().filter(|found| !found.is_english() && !found.token.is_number()) {
            times[found.held.code()] += found.times;
            all += found.times;
        }
        let mut commonest = 0;
        let code = (Self::LEAST..times.len()).rev().find(|&code| {
            commonest += times[code];
            commonest * COMMONEST >= all
        });
        let code = code.unwrap_or(Self::LEAST);
        if OTHERS * Held::documents(code) >= documents as f32 { Self::ALL } else { Self(code as u8) }
    }

    pub(crate) fn code(self) -> u8 {
        self.0
    }

    pub(crate) fn of_code(code: u8) -> Self {
        Self(code)
    }

    /// How many there are, among so many texts.
    pub(crate) fn among(self, texts: usize) -> usize {
        if self == Self::ALL { texts } else { (OTHERS * HELD[usize::from(self.0)]) as usize }
    }

    /// The logarithm of how many there are with those of the prior, which is not of English; none if they are all.
    #[inline(always)]
    pub(super) fn documents(self) -> Option<f32> {
        (self != Self::ALL).then(|| DOCUMENTS[usize::from(self.0)])
    }

    /// What is left of a weight above this tells names apart; none if they are all.
    #[inline(always)]
    pub(super) fn common(self) -> Option<u8> {
        self.documents().map(common)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{Commonness, Token};
    use crate::hash::mix;

    /// The kin of a text with these words, each so many times and held by so many documents.
    fn kin(words: &[(u32, u32)], english: usize, documents: usize) -> Kin {
        let stem = |(at, &(times, held)): (usize, &(u32, u32))| Found {
            token: Token::new(mix(at as u64), false, false),
            first: 0,
            times,
            names: 0,
            held: Held::new(held),
            english: Commonness(u8::from(at < english)),
        };
        let stems: Vec<Found> = words.iter().enumerate().map(stem).collect();
        Kin::of(&stems, english as u32, documents)
    }

    #[test]
    fn a_foreign_text_is_one_of_those_that_have_its_commonest_words() {
        // A name that the larger language has as well, and ten words that the smaller one has.
        let mut words = vec![(1, 20_000), (9, 100), (1, 40)];
        words.extend([(1, 2); 30]);
        assert_eq!(kin(&words, 0, 30_000).among(30_000), 200);
        assert_eq!(kin(&words, 0, 199), Kin::ALL, "all of a small corpus are of its kind");
        assert_eq!(kin(&words, 14, 30_000), Kin::ALL, "it is English");
        assert_eq!(kin(&[(1, 0); 9], 0, 30_000), kin(&[(1, 2); 9], 0, 30_000), "whoever has its words would be two");
        assert_eq!(kin(&[], 0, 0), Kin::ALL);
    }
}
