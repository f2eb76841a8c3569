//! The figures of a pair, each with the words that explain it.

use std::fmt::{self, Display, Formatter, Write as _};

use retold::{ContentEvidence, Evidence, Shingle, ShingleSet};

use super::hundredths;

/// How a figure is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A share, 0 to 1.
    Share,
    /// From −1 to 1.
    Signed,
    Count,
}

struct Signal {
    name: &'static str,
    meaning: &'static str,
    shape: Shape,
    of: Of,
}

/// Where a figure comes from.
#[derive(Clone, Copy)]
enum Of {
    /// The shingles of both texts.
    Phrases(fn(&Phrases) -> f32),
    /// How the contents compare, where they were compared.
    Content(fn(&ContentEvidence) -> Option<f32>),
}

/// What the shingles of two texts share.
struct Phrases {
    both: f32,
    left_in_right: f32,
    right_in_left: f32,
}

const fn phrases(name: &'static str, meaning: &'static str, of: fn(&Phrases) -> f32) -> Signal {
    Signal { name, meaning, shape: Shape::Share, of: Of::Phrases(of) }
}

const fn content(
    shape: Shape,
    name: &'static str,
    meaning: &'static str,
    of: fn(&ContentEvidence) -> Option<f32>,
) -> Signal {
    Signal { name, meaning, shape, of: Of::Content(of) }
}

const fn share(name: &'static str, meaning: &'static str, of: fn(&ContentEvidence) -> Option<f32>) -> Signal {
    content(Shape::Share, name, meaning, of)
}

const SIGNALS: [Signal; 19] = [
    phrases(
        "Phrases in both texts",
        "Of all three-word phrases in the two texts. Decides about edited copies.",
        |phrases| phrases.both,
    ),
    phrases("Representative found in the other text", "Of its three-word phrases.", |phrases| phrases.left_in_right),
    phrases("Other text found in the representative", "Of its three-word phrases.", |phrases| phrases.right_in_left),
    share(
        "Less common words in both",
        "Of the text with fewer of them; the rarer a word, the more it counts.",
        |content| Some(content.words),
    ),
    share(
        "Word pairs in both",
        "Of the neighbouring words with a meaning of their own, in the text with more of them.",
        |content| Some(content.pairs),
    ),
    content(Shape::Share, "Names in both", "Of the text with fewer names; about 50% where there are few.", |content| {
        content.names
    }),
    share(
        "Shared in every part",
        "How much is shared in the parts of the shorter text that share little: low where only a quotation is shared.",
        |content| Some(content.coverage),
    ),
    content(
        Shape::Signed,
        "Same order",
        "+1 if what is shared comes in the same order, 0 in any order, −1 in the opposite order.",
        |content| Some(content.order),
    ),
    share("Length of the shorter text", "Its vocabulary, as a share of that of the longer text.", |content| {
        Some(content.length_ratio)
    }),
    share(
        "Shared by articles that are no copies",
        "What articles on such subjects have in common in this collection anyway. A copy must share clearly more.",
        |content| Some(content.usual),
    ),
    content(
        Shape::Count,
        "Numbers that are missing",
        "Of the text with fewer numbers, those that the other text lacks.",
        |content| Some(content.numbers_missing as f32),
    ),
    share("Word for word", "Of the shorter text, in runs of five words and more.", |content| Some(content.verbatim)),
    share(
        "In one block",
        "Of the shorter text, the longest such run: a quotation, a footer, a paragraph that was taken over.",
        |content| Some(content.block),
    ),
    share("Names in the shorter text only", "Of its names; about 25% where there are few.", |content| {
        Some(content.new_names)
    }),
    share("Names in the longer text only", "Of its names; about 25% where there are few.", |content| {
        Some(content.new_names_of_longer)
    }),
    share("Numbers in the shorter text only", "Of its numbers; about 25% where there are few.", |content| {
        Some(content.new_numbers)
    }),
    share("Numbers in the longer text only", "Of its numbers; about 25% where there are few.", |content| {
        Some(content.new_numbers_of_longer)
    }),
    share(
        "Numbers among the words",
        "Of the text with more of them: tables and price lists look alike whatever they say.",
        |content| Some(content.figures),
    ),
    content(Shape::Count, "Words of the shorter text", "Short texts show less.", |content| {
        Some(content.shorter as f32)
    }),
];

/// The names of all figures and what they mean, as entries of a list.
pub fn legend() -> String {
    let mut to = String::new();
    for Signal { name, meaning, shape, .. } in &SIGNALS {
        let shape = match shape {
            Shape::Share => "share",
            Shape::Signed => "signed",
            Shape::Count => "count",
        };
        writeln!(to, r#"<div data-shape="{shape}"><dt>{name}</dt><dd>{meaning}</dd></div>"#)
            .expect("a string takes everything");
    }
    to
}

/// The phrases of a text, to see what share of them another text has.
pub struct Shingles(ShingleSet);

impl Shingles {
    pub fn of(text: &str) -> Self {
        Self(ShingleSet::new(text, Shingle::Words(3)).expect("three words make a shingle"))
    }

    fn share_in(&self, other: &Self) -> f32 {
        self.0.containment_in(&other.0).expect("both are of three words") as f32
    }
}

/// The figures of a pair, for the script: in the order of [`legend`], in hundredths, counts as they are. Those of the contents
/// come last, and not at all where only shingles were compared.
pub struct Figures(Vec<Option<i64>>);

impl Figures {
    pub fn of(left: &Shingles, right: &str, evidence: &Evidence) -> Self {
        let right = Shingles::of(right);
        let shared = Phrases {
            both: evidence.jaccard,
            left_in_right: left.share_in(&right),
            right_in_left: right.share_in(left),
        };
        let figure = |signal: &Signal| {
            let value = match signal.of {
                Of::Phrases(of) => Some(of(&shared)),
                Of::Content(of) => of(evidence.content.as_ref()?),
            };
            Some(value.map(|value| match signal.shape {
                Shape::Share => hundredths(value),
                Shape::Signed => (value * 100.0).round() as i64,
                Shape::Count => value as i64,
            }))
        };
        Self(SIGNALS.iter().map_while(figure).collect())
    }
}

impl Display for Figures {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(at, figure)| {
            f.write_str(if at > 0 { " " } else { "" })?;
            match figure {
                Some(figure) => write!(f, "{figure}"),
                None => f.write_str("-"),
            }
        })
    }
}

/// Numbers with spaces between them.
pub fn write_numbers<'a>(numbers: impl Iterator<Item = &'a i64>, f: &mut Formatter<'_>) -> fmt::Result {
    numbers.enumerate().try_for_each(|(at, number)| write!(f, "{}{number}", if at > 0 { " " } else { "" }))
}
