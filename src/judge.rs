//! Two texts, and what their words weigh, to a verdict: whether one tells what the other tells. It depends on these two, on what is
//! usual for them, and on the rule, and on nothing else.

use std::borrow::Cow;

use crate::features::Features;
use crate::near::Keep;
use crate::prior::Odds;
use crate::report::ContentEvidence;
use crate::telling::{self, Apart, RunTable, Runs, Verbatim};
use crate::verify::{self, Rule, StemTable};

/// Judges by a rule.
#[derive(Clone, Copy)]
pub(crate) struct Judge {
    pub(crate) rule: Rule,
    /// From which confidence on two texts are copies.
    pub(crate) confidence: f32,
    /// From which one on they are, if a second pair as good supports it.
    pub(crate) least_supported: f32,
}

/// One of two texts: its features, and how it is read, without its furniture.
pub(crate) struct Telling<'a, R> {
    pub(crate) features: &'a Features<'a>,
    pub(crate) read: R,
}

/// What two texts share, as is known before they are looked at.
#[derive(Clone, Copy)]
pub(crate) struct Common {
    /// The weight of the rare pairs of words that both have.
    pub(crate) pairs: u32,
    /// What is usual for the less crowded one of them.
    pub(crate) usual: f32,
}

/// What came of two texts.
#[derive(Clone, Copy)]
pub(crate) struct Verdict {
    pub(crate) evidence: ContentEvidence,
    /// The logarithm of the odds that they are copies; none if they were not worth reading.
    pub(crate) odds: Option<f32>,
}

impl Verdict {
    /// Counts for how common rewordings are, if the texts were read. Who takes a text over word for word rewords nothing: reprints in longer
    /// texts, however many there are, do not make a rewording more likely.
    pub(crate) fn count_in(&self, odds: &mut Odds) {
        const REPRINTED: f32 = 0.8;
        if let Some(of_pair) = self.odds.filter(|_| self.evidence.verbatim < REPRINTED) {
            odds.add(of_pair);
        }
    }

    /// How many words a verdict is, where it is kept.
    pub(crate) const WORDS: usize = ContentEvidence::WORDS + 1;

    pub(crate) fn to_words(self) -> [u32; Self::WORDS] {
        let mut words = [to_word(self.odds); Self::WORDS];
        words[..ContentEvidence::WORDS].copy_from_slice(&self.evidence.to_words());
        words
    }

    pub(crate) fn of_words(&[ref evidence @ .., odds]: &[u32; Self::WORDS]) -> Self {
        Self { evidence: ContentEvidence::of_words(evidence), odds: of_word(odds) }
    }
}

/// A number that may be missing as a word, of which none is like it: no evidence is that kind of not a number.
fn to_word(number: Option<f32>) -> u32 {
    number.map_or(u32::MAX, f32::to_bits)
}

fn of_word(word: u32) -> Option<f32> {
    (word != u32::MAX).then(|| f32::from_bits(word))
}

impl ContentEvidence {
    /// How many words evidence is, where it is kept or sent.
    pub(crate) const WORDS: usize = 19;

    pub(crate) fn to_words(self) -> [u32; Self::WORDS] {
        [
            self.words.to_bits(),
            self.pairs.to_bits(),
            to_word(self.names),
            self.coverage.to_bits(),
            self.order.to_bits(),
            self.numbers_missing,
            self.usual.to_bits(),
            self.length_ratio.to_bits(),
            self.shorter,
            self.figures.to_bits(),
            self.foreign.to_bits(),
            self.new_names.to_bits(),
            self.new_names_of_longer.to_bits(),
            self.new_numbers.to_bits(),
            self.new_numbers_of_longer.to_bits(),
            self.verbatim.to_bits(),
            self.block.to_bits(),
            to_word(self.outside),
            self.named.to_bits(),
        ]
    }

    pub(crate) fn of_words(words: &[u32; Self::WORDS]) -> Self {
        let float = |at: usize| f32::from_bits(words[at]);
        Self {
            words: float(0),
            pairs: float(1),
            names: of_word(words[2]),
            coverage: float(3),
            order: float(4),
            numbers_missing: words[5],
            usual: float(6),
            length_ratio: float(7),
            shorter: words[8],
            figures: float(9),
            foreign: float(10),
            new_names: float(11),
            new_names_of_longer: float(12),
            new_numbers: float(13),
            new_numbers_of_longer: float(14),
            verbatim: float(15),
            block: float(16),
            outside: of_word(words[17]),
            named: float(18),
        }
    }
}

/// One text that is held beside others, one by one. Reused from text to text.
#[derive(Default)]
pub(crate) struct Desk {
    stems: StemTable,
    runs: RunTable,
    /// The runs of the text, of which the table is full if it was read, and those of the other one.
    ours: Runs,
    theirs: Runs,
    is_read: bool,
}

impl Desk {
    pub(crate) fn with(text: &Features<'_>) -> Self {
        let mut desk = Self::default();
        desk.take(text);
        desk
    }

    /// The stems of the text.
    pub(crate) fn stems(&self) -> &StemTable {
        &self.stems
    }

    pub(crate) fn take(&mut self, text: &Features<'_>) {
        self.stems.fill(text);
        self.is_read = false;
    }

    /// Makes room for another text, of which nothing but its words will be looked at.
    pub(crate) fn clear(&mut self) {
        self.is_read = false;
    }
}

impl Judge {
    /// Looks at what is known of two texts, and if that is worth it, reads them side by side. Ours is on the desk.
    pub(crate) fn judge<'t>(
        &self,
        desk: &mut Desk,
        ours: Telling<'_, impl Fn() -> Cow<'t, str>>,
        theirs: Telling<'_, impl Fn() -> Cow<'t, str>>,
        Common { pairs, usual }: Common,
        keep: Keep,
    ) -> Option<Verdict> {
        let worth = |evidence: &ContentEvidence| keep == Keep::All || evidence.is_worth_reading();
        let evidence = verify::compare(ours.features, &desk.stems, theirs.features, pairs, usual, worth)?;
        if !worth(&evidence) {
            return None;
        }
        let ours_is_shorter = ours.features.head.is_shorter(theirs.features.head);
        Some(self.read(desk, (ours.read, theirs.read), ours_is_shorter, evidence, keep))
    }

    /// Whether two texts are worth reading, of which this evidence is known without `usual`, as [`judge`](Self::judge) finds: the best of
    /// orders must not leave it out, nor the one that they have.
    pub(crate) fn first_look(evidence: ContentEvidence, usual: f32) -> Option<ContentEvidence> {
        let evidence = ContentEvidence { usual, ..evidence };
        let at_best = ContentEvidence { order: 1.0, ..evidence };
        (at_best.is_worth_reading() && evidence.is_worth_reading()).then_some(evidence)
    }

    /// Reads two texts side by side that are worth it. Ours is on the desk, to be read once.
    pub(crate) fn read<'t>(
        &self,
        desk: &mut Desk,
        (ours, theirs): (impl Fn() -> Cow<'t, str>, impl Fn() -> Cow<'t, str>),
        ours_is_shorter: bool,
        evidence: ContentEvidence,
        keep: Keep,
    ) -> Verdict {
        if !desk.is_read {
            desk.ours.read(&ours());
            desk.runs.fill(&desk.ours);
            desk.is_read = true;
        }
        let their_text = theirs();
        desk.theirs.read(&their_text);
        let verbatim = match ours_is_shorter {
            true => desk.runs.in_other(&desk.theirs),
            false => desk.runs.of_other(&desk.theirs),
        };
        let mut evidence = evidence.with(verbatim);
        let shares_a_passage = evidence.shares_a_passage();
        let is_without_spaces = desk.ours.is_without_spaces && desk.theirs.is_without_spaces;
        let apart = if is_without_spaces {
            Apart::Pairs
        } else if verify::is_foreign(evidence.foreign) {
            Apart::AllWords
        } else {
            // Of a handful of English words names and figures tell enough.
            Apart::Words
        };
        let mut outside = || {
            let our_text = ours();
            let theirs: Vec<bool> = desk.runs.shared_of_other(&desk.theirs).collect();
            let ours: Vec<bool> = desk.runs.shared_in_other(&desk.theirs).collect();
            telling::outside((&our_text, &ours), (&their_text, &theirs), apart)
        };
        // Whatever is asked for beside the copies, the same pairs must count for how common these are.
        let may_be_in_a_cluster = shares_a_passage && self.may_be_wanted(&evidence, Keep::Like(self.least_supported));
        if may_be_in_a_cluster {
            evidence.outside = outside();
        }
        if is_without_spaces {
            // Where each character is a word, all words are as well known as those of English.
            evidence.foreign = 0.0;
            // A long text has those of any short one somewhere, and some pairs of them.
            const PAIRS_OF_CHARACTERS: f32 = 1.0;
            if evidence.pairs < PAIRS_OF_CHARACTERS * evidence.usual {
                evidence.pairs = 0.0;
            }
        }
        let odds = evidence.is_worth_reading().then(|| self.rule.odds(&evidence));
        if shares_a_passage && !may_be_in_a_cluster && (keep == Keep::All || self.may_be_wanted(&evidence, keep)) {
            evidence.outside = outside();
        }
        Verdict { evidence, odds }
    }

    /// Whether a pair of this evidence is wanted if the prior is as high as can be.
    pub(crate) fn may_be_wanted(&self, evidence: &ContentEvidence, keep: Keep) -> bool {
        self.rule.confidence(evidence, 1.0) >= self.least(keep)
    }

    /// Whether two texts of this verdict may be wanted, whatever the prior is.
    pub(crate) fn wants(&self, Verdict { evidence, odds }: &Verdict, keep: Keep) -> bool {
        keep == Keep::All || odds.is_some() && self.may_be_wanted(evidence, keep)
    }

    /// Whether two texts of this evidence, which were not read yet, may be copies where the prior is this, if at most such a share of
    /// the shorter one's words stands word for word in the other.
    pub(crate) fn may_be_copy(&self, evidence: &ContentEvidence, most_verbatim: f32, prior: f32) -> bool {
        /// More than what rounding can make of it.
        const SLACK: f32 = 1e-3;
        // The odds are convex in what is verbatim: highest where all is, or nothing.
        let most = most_verbatim.min(1.0);
        let corners = [(0.0, 0.0), (most, 0.0), (most, most)];
        corners.into_iter().any(|(all, block)| {
            let evidence = evidence.with(Verbatim { all, block });
            self.rule.confidence_with(&evidence, prior, SLACK) >= self.confidence
        })
    }

    /// The least confidence that is wanted.
    pub(crate) fn least(&self, keep: Keep) -> f32 {
        keep.least().map_or(self.confidence, |least| least.min(self.confidence))
    }

    /// The confidence that two texts are copies where the prior is this, and whether that makes them copies.
    pub(crate) fn confidence(&self, Verdict { evidence, odds }: &Verdict, prior: f32) -> (f32, bool) {
        let confidence = self.rule.confidence(evidence, prior);
        match odds {
            Some(_) => (confidence, confidence >= self.confidence),
            // Whatever they share, they were not worth reading.
            None => (verify::first_look(evidence).min(confidence), false),
        }
    }

    /// The same, if that is wanted.
    pub(crate) fn wanted(&self, verdict: &Verdict, prior: f32, keep: Keep) -> Option<(f32, bool)> {
        let found = self.confidence(verdict, prior);
        (keep == Keep::All || verdict.odds.is_some() && found.0 >= self.least(keep)).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn verdicts_come_back_from_words(numbers in prop::array::uniform19(any::<u32>()), odds in prop::option::of(any::<f32>())) {
            // Any numbers but the one that stands for none.
            let evidence = ContentEvidence::of_words(&numbers);
            let missing = [numbers[2], numbers[17]].map(|number| number == u32::MAX);
            prop_assert_eq!([evidence.names, evidence.outside].map(|number| number.is_none()), missing);
            let words = Verdict { evidence, odds }.to_words();
            prop_assert_eq!(&words[..ContentEvidence::WORDS], &numbers[..]);
            prop_assert_eq!(Verdict::of_words(&words).to_words(), words);
            prop_assert_eq!(Verdict::of_words(&words).odds.map(f32::to_bits), odds.map(f32::to_bits));
        }
    }

    #[test]
    fn what_is_missing_is_told_apart_from_every_number() {
        let evidence = ContentEvidence::of_words(&[u32::MAX; ContentEvidence::WORDS]);
        assert_eq!((evidence.names, evidence.outside, evidence.numbers_missing), (None, None, u32::MAX));
        assert_eq!(Verdict { evidence, odds: Some(0.0) }.to_words()[ContentEvidence::WORDS], 0);
    }
}
