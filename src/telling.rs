//! Two texts read side by side: how much of the shorter one stands in the other word for word, and how much of that in one
//! block.
//!
//! What both texts say in the same words is one piece of evidence if it stands in one block: a quotation, a footer, a press
//! release that both print. Spread over the text in many runs, it shows that one was made from the other.

use std::ops::Range;

use crate::content::{Prior, Tokens};
use crate::hash::mix2;
use crate::scheme::Shingle;
use crate::shingle;
use crate::text;

/// Runs of so many words count as the same words; shorter ones are turns of phrase.
pub(crate) const RUN_WORDS: u8 = 5;

/// Which words of a text stand in runs that another one has too.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Verbatim {
    /// Share of the words that stand in such runs, 0 to 1.
    pub(crate) all: f32,
    /// Share of the words that stand in the longest of them.
    pub(crate) block: f32,
}

/// The runs of [`RUN_WORDS`] words of a text, in order, overlapping.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    runs: Vec<u64>,
    /// Whether each character is a word, so that words are of few kinds and all of them are known.
    pub(crate) is_without_spaces: bool,
}

impl Runs {
    /// Reads a text; the memory is used again.
    pub(crate) fn read(&mut self, of: &str) {
        self.runs.clear();
        text::with_scratch(|scratch| shingle::collect(of, Shingle::Words(RUN_WORDS), scratch, &mut self.runs));
        self.is_without_spaces = text::is_without_spaces(of);
    }
}

/// The runs of one text, to look up those of many others in. Reused from text to text.
#[derive(Debug, Default)]
pub(crate) struct RunTable {
    /// Runs, open addressing by their upper bits; 0 for a free slot.
    slots: Vec<u64>,
    shift: u32,
    /// For each run of the text where it is.
    places: Vec<u32>,
    /// For each slot whether the other text has it.
    shared: Vec<bool>,
}

impl RunTable {
    /// Takes the runs of a text.
    pub(crate) fn fill(&mut self, runs: &Runs) {
        let bits = (2 * runs.runs.len()).next_power_of_two().trailing_zeros().max(1);
        self.shift = 64 - bits;
        self.slots.clear();
        self.slots.resize(1 << bits, 0);
        self.places.clear();
        for &run in &runs.runs {
            let at = self.find(run);
            self.slots[at] = run | 1;
            self.places.push(at as u32);
        }
    }

    /// Where a run is, or where it would be.
    #[inline(always)]
    fn find(&self, run: u64) -> usize {
        let mut at = (run >> self.shift) as usize;
        while self.slots[at] != 0 && self.slots[at] != run | 1 {
            at = (at + 1) & (self.slots.len() - 1);
        }
        at
    }

    /// How much of the other text stands in this one.
    pub(crate) fn of_other(&self, other: &Runs) -> Verbatim {
        verbatim(self.shared_of_other(other))
    }

    /// How much of this text stands in the other one.
    pub(crate) fn in_other(&mut self, other: &Runs) -> Verbatim {
        verbatim(self.shared_in_other(other))
    }

    /// For each run of the other text whether this one has it.
    pub(crate) fn shared_of_other(&self, other: &Runs) -> impl ExactSizeIterator<Item = bool> {
        other.runs.iter().map(|&run| self.slots[self.find(run)] != 0)
    }

    /// For each run of this text whether the other one has it.
    pub(crate) fn shared_in_other(&mut self, other: &Runs) -> impl ExactSizeIterator<Item = bool> {
        self.shared.clear();
        self.shared.resize(self.slots.len(), false);
        for &run in &other.runs {
            let at = self.find(run);
            // A free slot is never asked for.
            self.shared[at] = true;
        }
        self.places.iter().map(|&at| self.shared[at as usize])
    }
}

/// Runs are of one passage if no more words stand between them: one who copies it may change some.
const GAP: usize = 16;

/// Texts that have so much in common apart from a passage, which both have word for word, are related: who tells a story again tells
/// the rest of it alike as well.
pub(crate) const RELATED: f32 = 0.16;

/// By what it is told what two texts have in common apart from a passage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Apart {
    /// By words that surely are none of the passage, if there are a few.
    Words,
    /// Where these are hardly any, by all words apart from the runs, if they are a fifth of the text.
    AllWords,
    /// By pairs of neighbouring words, where each character is a word: any two texts have most of these in common.
    Pairs,
}

/// Of two texts, each with whether the other one has its runs, what they have in common apart from the longest passage that both
/// have, as [`Said::share`] has it. None if so few words stand apart from it in one of them that nothing is to be learnt.
pub(crate) fn outside(left: (&str, &[bool]), right: (&str, &[bool]), apart: Apart) -> Option<f32> {
    let ((ours, least), (theirs, other_least)) = (said_outside(left, apart)?, said_outside(right, apart)?);
    Some(ours.share_of(&theirs, least.max(other_least)))
}

/// What a text says apart from the longest passage that it shares, and the least weight that a share of it is taken of.
fn said_outside((text, shared): (&str, &[bool]), apart: Apart) -> Option<(Said, u32)> {
    const LEAST_WORDS: usize = 6;
    // What stands next to it may be of it: behind a word that was changed less than a run is left.
    const MARGIN: usize = RUN_WORDS as usize;
    // One word of a handful says little.
    const HANDFUL: u32 = 8 * COMMON as u32;
    let words = shared.len() + usize::from(RUN_WORDS) - 1;
    let runs = passage(shared);
    let passage = runs.start.saturating_sub(MARGIN)..words.min(runs.end + MARGIN);
    let (passage, least) = if words >= passage.len() + LEAST_WORDS {
        (passage, 1)
    } else if apart == Apart::AllWords && 5 * runs.len() < 4 * words {
        (runs, HANDFUL)
    } else {
        return None;
    };
    let finder = Tokens::new(text);
    let (mut stems, mut at, mut before) = (Vec::new(), 0, None);
    text::with_scratch(|scratch| {
        text::walk(text, scratch, |scan| {
            for word in scan.iter() {
                let stem = finder.stem(&word).filter(|_| !passage.contains(&at));
                stems.extend(match apart {
                    Apart::Pairs => before.zip(stem).map(|(before, stem)| mix2(before, stem.into()) as u32),
                    Apart::Words | Apart::AllWords => stem,
                });
                before = stem.map(u64::from);
                at += 1;
            }
        });
    });
    Some((Said::new(stems), least))
}

/// The words of the longest passage of a text, by whether the run that begins at each is shared.
fn passage(shared: &[bool]) -> Range<usize> {
    let (mut longest, mut passage) = (0..0, 0..0);
    for (at, _) in shared.iter().enumerate().filter(|(_, shared)| **shared) {
        if at > passage.end + GAP || passage.is_empty() {
            passage = at..at;
        }
        passage.end = at + usize::from(RUN_WORDS);
        if passage.len() > longest.len() {
            longest = passage.clone();
        }
    }
    longest
}

/// The commonness from which on a stem says nothing: that of what one text in ten holds.
const COMMON: u8 = 128;

/// What a text, or a part of it, says: its stems, each once, ascending, with what it shows that two texts have it.
pub(crate) struct Said(Vec<(u32, u32)>);

impl Said {
    pub(crate) fn new(mut stems: Vec<u32>) -> Self {
        stems.sort_unstable();
        stems.dedup();
        let weight = |stem: u32| u32::from(COMMON.saturating_sub(Prior::get().commonness(stem).0));
        Self(stems.into_iter().map(|stem| (stem, weight(stem))).collect())
    }

    /// How much of what the one says that says less the other one says as well, 0 to 1.
    pub(crate) fn share(&self, other: &Self) -> f32 {
        self.share_of(other, 1)
    }

    /// The same, where what says less is taken to say so much at least.
    fn share_of(&self, other: &Self, least: u32) -> f32 {
        let mut theirs = other.0.iter().peekable();
        let mut both = 0;
        for &(stem, weight) in &self.0 {
            while theirs.next_if(|their| their.0 < stem).is_some() {}
            both += if theirs.peek().is_some_and(|their| their.0 == stem) { weight } else { 0 };
        }
        both as f32 / self.total().min(other.total()).max(least) as f32
    }

    fn total(&self) -> u32 {
        self.0.iter().map(|&(_, weight)| weight).sum()
    }
}

/// Counts the words of a text by whether the run that begins at each is shared.
fn verbatim(runs: impl ExactSizeIterator<Item = bool>) -> Verbatim {
    let run_words = usize::from(RUN_WORDS);
    let words = match runs.len() {
        0 => return Verbatim::default(),
        runs => runs + run_words - 1,
    };
    let (mut all, mut longest, mut begin, mut end) = (0, 0..0, 0, 0);
    for at in runs.enumerate().filter(|(_, shared)| *shared).map(|(at, _)| at) {
        if at > end || end == 0 {
            begin = at;
        }
        all += at + run_words - end.max(at);
        end = at + run_words;
        if end - begin > longest.len() {
            longest = begin..end;
        }
    }
    let share = |part: usize| part as f32 / words as f32;
    Verbatim { all: share(all), block: share(longest.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Runs {
        let mut runs = Runs::default();
        runs.read(text);
        runs
    }

    /// Both ways of asking, which must agree.
    fn share(of: &str, in_text: &str) -> Verbatim {
        let (of, in_text) = (read(of), read(in_text));
        let mut table = RunTable::default();
        table.fill(&in_text);
        let share = table.of_other(&of);
        table.fill(&of);
        assert_eq!(table.in_other(&in_text), share);
        share
    }

    #[test]
    fn one_block_is_told_from_several() {
        let host =
            "one two three four five six seven eight nine ten and eleven twelve thirteen fourteen fifteen sixteen";
        let whole = Verbatim { all: 1.0, block: 1.0 };
        assert_eq!(share("two three four five six seven", host), whole);
        let two = share("two three four five six here eleven twelve thirteen fourteen fifteen", host);
        assert_eq!(two, Verbatim { all: 10.0 / 11.0, block: 5.0 / 11.0 });
        assert_eq!(share("two three four five", host), Verbatim::default());
        assert_eq!(share("", host), Verbatim::default());
    }

    #[test]
    fn what_stands_beside_a_passage_is_told_by_itself() {
        let passage = "The harbour desk of the old customs house writes to the editors that its crane, which fell in the gales of \
            last winter, was lifted on Sunday by two tugs from the mainland";
        let edited = passage.replace("gales of last", "storms of that");
        let ferry = "The ferry to Orrin stops in March since nobody mends its engines, and farmers fear for their milk";
        let again =
            "Since nobody mends the engines, farmers on Orrin fear for their milk: in March its ferry stops for good";
        let snow =
            "Snow closed the mountain road to Hallin while guests of the hotel played cards by candlelight all night";
        let told_apart = |left: &str, right: &str, apart: Apart| {
            let (ours, theirs) = (read(left), read(right));
            let mut table = RunTable::default();
            table.fill(&ours);
            let of_right: Vec<bool> = table.shared_of_other(&theirs).collect();
            let of_left: Vec<bool> = table.shared_in_other(&theirs).collect();
            outside((left, &of_left), (right, &of_right), apart)
        };
        let told = |left: &str, right: &str| {
            let told = told_apart(left, right, Apart::Words);
            assert!(told.is_none() || told == told_apart(left, right, Apart::AllWords));
            told
        };
        for passage in [passage, &edited] {
            let around = |story: &str, passage: &str| [format!("{story}. {passage}"), format!("{passage}. {story}")];
            for (ferry, snow) in around(ferry, passage).iter().zip(&around(snow, passage)) {
                assert!(told(ferry, snow).unwrap() < 0.05);
            }
        }
        let ferry = format!("{ferry}. {passage}");
        assert!(told(&ferry, &format!("{again}. {edited}")).unwrap() > 0.6);
        assert!(told(&ferry, &format!("{edited}. {snow}")).unwrap() < 0.05);
        assert_eq!(told(&ferry, &format!("Quite so. {passage}")), None, "hardly a word is left");
        // A dozen words are enough, and what is left of a passage behind a word that was changed is none of them.
        let bells = "Bells rang all over town when bakers opened their new mill";
        assert_eq!(told(&ferry, &format!("{bells}. {passage}")), Some(0.0));
        assert_eq!(told(&ferry, &format!("{bells}. {}", passage.replace("two tugs", "three boats"))), Some(0.0));
        // Of a few words beside a note all are looked at, if that is asked for.
        let stub = |teaser: &str| format!("{teaser}. Der Kran wurde am Sonntag von zwei Schleppern geborgen");
        let [rescue, again, strike] = [
            "Kletterer vom Gletscher lebend geborgen",
            "Vom Gletscher kamen Kletterer lebend zurück",
            "Bäcker streiken",
        ]
        .map(stub);
        assert_eq!(told(&rescue, &again), None);
        assert!(told_apart(&rescue, &again, Apart::AllWords).unwrap() > 0.3);
        assert_eq!(told_apart(&rescue, &strike, Apart::AllWords), None, "hardly a word stands there but the note");
        assert_eq!(told_apart(&rescue, &stub("Bäcker streiken heute schon wieder"), Apart::AllWords), Some(0.0));
        // Of characters that any two texts have, pairs tell.
        let [ferry, snow] = ["渡轮三月停运岛上居民担心牛奶", "大雪封路岛上旅客在酒店打牌过夜"]
            .map(|story| format!("本文首次刊登于周末版并为网站作了删节。{story}"));
        assert!(told_apart(&ferry, &snow, Apart::Words) > told_apart(&ferry, &snow, Apart::Pairs));
    }

    proptest! {
        #[test]
        fn shares_are_those_of_marking_each_word(short in prop::collection::vec(0u8..3, 0..40), long in prop::collection::vec(0u8..3, 0..40)) {
            let text = |words: &[u8]| words.iter().map(|word| format!("w{word}")).collect::<Vec<_>>().join(" ");
            let mut marked = vec![false; short.len()];
            for at in 0..short.len().saturating_sub(4) {
                if long.windows(5).any(|run| run == &short[at..at + 5]) {
                    marked[at..at + 5].fill(true);
                }
            }
            let all = marked.iter().filter(|&&is| is).count();
            let longest = marked.chunk_by(|a, b| a == b).filter(|run| run[0]).map(<[bool]>::len).max().unwrap_or(0);
            let of = |part: usize| if short.len() < 5 { 0.0 } else { part as f32 / short.len() as f32 };
            let found = share(&text(&short), &text(&long));
            prop_assert_eq!((found.all, found.block), (of(all), of(longest)));
        }
    }
}
