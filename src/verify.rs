//! Candidates to verified pairs: the exact similarity of two texts, and what relation it makes.
//!
//! An edited copy is told by its shingles. A rewording shares few, and no single number tells it from a report on the same
//! subject; those of [`ContentEvidence`] do so together, and the weights of a [`Rule`] were fitted on labelled rewritings so
//! that the result is a probability.

use std::ops::Range;

use smallvec::SmallVec;

use crate::content::{Token, UNIT, exp, ln};
use crate::error::{self, Result};
use crate::features::{Features, Head, PARTS};
use crate::prior::ASSUMED_SHARE;
use crate::report::{ContentEvidence, Evidence, Lookalike};
use crate::shingle::{count_common, ratio};
use crate::telling::{RELATED, Verbatim};

/// The rule for edited copies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct NearRule {
    /// The least Jaccard similarity of the shingle sets.
    pub(crate) jaccard: f32,
    /// The least share of the shorter text's words in shared shingles that makes an edited copy of a shortened or wrapped one.
    pub(crate) containment: f32,
    /// The words or characters that a shingle spans.
    pub(crate) span: u8,
}

/// A containment is trusted only if the shorter text has that many shingles at least, and words: a quoted sentence has fewer.
pub(crate) const NEAR_SHINGLES: usize = 40;

/// What chance leaves of the least share of shingles: one text in forty has two standard errors fewer.
const BY_CHANCE: f32 = 0.9;

impl NearRule {
    /// Compares two shingle sets, ascending and without repeats, of texts of which the shorter one has so many words. The evidence, and the
    /// similarity if it is an edited copy.
    /// `covered` is asked for the share of the shorter text's words in shared shingles, the larger one if the sets are equally
    /// large.
    pub(crate) fn judge(
        self,
        (left, right): (&[u64], &[u64]),
        words: u32,
        covered: impl FnOnce() -> f32,
    ) -> (Evidence, Option<f32>) {
        let both = count_common(left, right);
        let shorter = left.len().min(right.len());
        let jaccard = ratio(both, left.len() + right.len() - both) as f32;
        let containment = ratio(both, shorter) as f32;
        let evidence = Evidence { jaccard, containment, content: None };
        if jaccard >= self.jaccard && both > 0 {
            return (evidence, Some(jaccard));
        }
        // Of short texts, and of such as are about equally long, as much must be left as would be if one were cut out of the
        // other: a few changed figures leave most words of a notice in shared shingles.
        let longer = left.len().max(right.len());
        let is_longer = shorter >= 2 * NEAR_SHINGLES && longer * 4 >= shorter * 5;
        let least = match is_longer {
            // Two texts of one form are about equally long, so that here chance may leave somewhat less.
            true if longer >= 2 * shorter => BY_CHANCE * self.least_shingles(),
            true => self.least_shingles(),
            false => self.containment,
        };
        let may_be_contained = shorter.min(words as usize) >= NEAR_SHINGLES && containment >= least;
        (evidence, may_be_contained.then(covered).filter(|&covered| covered >= self.containment))
    }

    /// The least share of the shorter text's shingles in the longer one where its words are to count: about what is left of
    /// them if as many words as may be are changed one by one, here and there. Less is what texts of one form share, or
    /// where shingles are long, a few that cover many words.
    fn least_shingles(self) -> f32 {
        (1..self.span.max(2)).fold(1.0, |share, _| share * self.containment)
    }

    /// Whether two texts of so many words that agree in the share `estimate` of so many slots may be an edited copy. Four
    /// standard errors of the estimate leave none out.
    pub(crate) fn may_be(self, estimate: f32, slots: f32, words: (u32, u32)) -> bool {
        let (shorter, longer) = (words.0.min(words.1) as f32, words.0.max(words.1) as f32);
        // The Jaccard similarity of a text of which just so much as is needed is in the longer one.
        let least = self.least_shingles();
        let contained = least * shorter / (longer + (1.0 - least) * shorter);
        let needed = if shorter >= NEAR_SHINGLES as f32 { contained.min(self.jaccard) } else { self.jaccard };
        estimate + 4.0 * (needed * (1.0 - needed) / slots).sqrt() >= needed
    }

    /// Whether two shingle sets of which some dozen shingles were looked at may be an edited copy: those with the smallest
    /// hashes, which are as good as drawn by lot. Again four standard errors leave none out.
    pub(crate) fn may_be_by_sample(self, left: &[u64], right: &[u64]) -> bool {
        const SAMPLE: usize = 24;
        let (short, long) = if left.len() <= right.len() { (left, right) } else { (right, left) };
        let sample = &short[..short.len().min(SAMPLE)];
        let Some(last) = sample.last() else { return true };
        let found = count_common(sample, &long[..long.partition_point(|shingle| shingle <= last)]) as f32;
        let (all, needed) = (sample.len() as f32, self.least_shingles().min(self.jaccard));
        found + 4.0 * (all * needed * (1.0 - needed)).sqrt() >= all * needed
    }
}

/// The share of the poorer text's pairs of words that are in the other.
pub(crate) fn pair_containment(shared: u32, left_total: u32, right_total: u32) -> f32 {
    share(shared, left_total.min(right_total))
}

/// Texts of fewer words that are not figures are told to be edited copies, but not rewordings: a notice of a dozen words has
/// too little to go by, and a table of prices is not told in words.
const REWORDED_WORDS: f32 = 16.0;

/// Who retells a story names those that it is about. Texts with as little of each other's names in common are fillings of one
/// form: where there are hardly any names at all, as much is taken for granted.
const LEAST_NAMES: f32 = 0.2;

/// The share of names that speaks neither for nor against a copy: that of texts without names.
const NEUTRAL_NAMES: f32 = 0.5;

/// A passage that both texts have is looked at if so many of its words stand in one run in both, and in runs as much of the shorter
/// text.
const PASSAGE: f32 = 10.0;
const QUOTED: f32 = 0.1;

/// Whether evidence can show a rewording at all, whatever a rule makes of it: there are words enough, names are shared, who
/// retells a story comes to put two of its words together as it was told, does not only quote, and does not change its figures.
pub(crate) fn is_telling(evidence: &ContentEvidence) -> bool {
    evidence.shorter as f32 * (1.0 - evidence.figures) >= REWORDED_WORDS
        && evidence.names_or_neutral() >= LEAST_NAMES
        && evidence.pairs > 0.0
        && !is_of_one_passage(evidence)
        && !is_filled_form(evidence)
}

/// Whether two texts have too little in common apart from a passage that both have.
fn is_of_one_passage(evidence: &ContentEvidence) -> bool {
    evidence.outside.is_some_and(|told| told < least_outside(evidence))
}

/// Foreign words come in many forms, so that what is told again need not look alike. It must all the same where so much of what stands word for
/// word in both is one block, unless that is so much of the shorter text, and this has so many words.
const ONE_BLOCK: f32 = 0.7;
const MOSTLY_VERBATIM: f32 = 0.55;
const NOT_SHORT: u32 = 40;

/// What two texts must have in common apart from a passage that both have.
fn least_outside(evidence: &ContentEvidence) -> f32 {
    let is_one_block = evidence.block >= ONE_BLOCK * evidence.verbatim;
    let is_mostly_verbatim = evidence.verbatim >= MOSTLY_VERBATIM && evidence.shorter >= NOT_SHORT;
    RELATED * if is_one_block && !is_mostly_verbatim { 1.0 } else { 1.0 - evidence.foreign }
}

/// Texts are fillings of one form if they have so many figures, either lacks so many of the other's, and so much of the shorter one stands word
/// for word in the other all the same: who copies a text leaves the figures as they are before all else.
const FORM_FIGURES: f32 = 10.0;
const OTHER_FIGURES: f32 = 0.5;
const FORM_VERBATIM: f32 = 0.2;

/// Fewer figures tell a form where all around them is the same: so many of the plain words, and so much word for word, though in no long run.
/// Where names are not known as such, as in most languages but English, figures are nearly all that can be other: less of them is enough.
const FEW_FIGURES: f32 = 3.0;
const FORM_WORDS: f32 = 0.55;
const FORM_RUNS: f32 = 0.15;
const LONGEST_RUN: f32 = 0.3;
const WITHOUT_NAMES: f32 = 0.1;

/// And so do other names, where so many plain words are the same and not half as many names.
const WORDS_AROUND_NAMES: f32 = 0.45;
const OTHER_NAMES: f32 = 0.6;

fn is_filled_form(evidence: &ContentEvidence) -> bool {
    let &ContentEvidence { words, names, verbatim, block, foreign, .. } = evidence;
    let figures = evidence.figures * evidence.shorter as f32;
    let other_figures = evidence.other_figures();
    let enough = OTHER_FIGURES - WITHOUT_NAMES * if names.is_none() { 1.0 } else { foreign };
    let is_of_figures = verbatim >= FORM_VERBATIM && figures >= FORM_FIGURES && other_figures >= OTHER_FIGURES;
    let is_of_words = words >= FORM_WORDS && verbatim >= FORM_RUNS && block <= LONGEST_RUN;
    let is_of_names = words >= WORDS_AROUND_NAMES && names.is_some_and(|names| names < OTHER_NAMES * words);
    is_of_figures
        || is_of_words && figures >= FEW_FIGURES && other_figures >= enough
        || is_of_names && verbatim >= FORM_VERBATIM
}

/// The richer of two texts counts at most so many times as much as the poorer one: a speech of ten thousand words told in three hundred
/// leaves most out, and that says nothing.
const MOST_TIMES: u32 = 6;

/// Added to the poorer one's pairs for this, about thirty rare ones: of a long text any notice has a few by accident.
const FEW_PAIRS: u32 = (300.0 * UNIT) as u32;

/// The share of the richer text's pairs of words, of so many as may count, that are in the other.
fn share_of_pairs(shared: u32, left_total: u32, right_total: u32) -> f32 {
    let (poorer, richer) = (left_total.min(right_total), left_total.max(right_total));
    share(shared, richer.min(poorer.saturating_add(FEW_PAIRS).saturating_mul(MOST_TIMES)))
}

/// Whether two texts that share so much of their pairs of words can be a rewording at all, if it is usual for them to share so much
/// with others: with less than a 128th, or two fifths of what is usual, one in three hundred of the rewordings that the rule
/// accepts is lost, and three comparisons in four are saved.
pub(crate) fn share_enough_pairs(shared: u32, (left_total, right_total): (u32, u32), usual: f32) -> bool {
    is_enough_of_pairs(share_of_pairs(shared, left_total, right_total), usual)
}

fn is_enough_of_pairs(share: f32, usual: f32) -> bool {
    share >= 1.0 / 128.0 && share >= 0.4 * usual
}

/// The least weight of a stem whose place in the order of a text is looked at.
const ORDERED_WEIGHT: u8 = (3.0 * UNIT) as u8;

/// Shared stems whose order is compared, at most.
const ORDERED: usize = 64;

/// Added to the weight of the words that could be shared, about three rare ones: a notice of a dozen words that are all in
/// another one is not much of a proof.
const FEW_WORDS: u32 = (24.0 * UNIT) as u32;

/// The stems of one text, to look up those of many others in. Reused from text to text.
#[derive(Default)]
pub(crate) struct StemTable {
    /// Stems and their places in the text, open addressing by the low bits of the stem.
    slots: Vec<(u32, u32)>,
}

impl StemTable {
    const FREE: u32 = u32::MAX;

    pub(crate) fn fill(&mut self, text: &Features<'_>) {
        self.slots.clear();
        self.slots.resize((text.stems().len() * 4).max(4).next_power_of_two(), (0, Self::FREE));
        let mask = self.slots.len() - 1;
        for (stem, place) in text.stems().iter().map(|&code| Token::of_code(code).stem()).zip(0..) {
            let mut at = (stem >> 2) as usize & mask;
            while self.slots[at].1 != Self::FREE {
                at = (at + 1) & mask;
            }
            self.slots[at] = (stem, place);
        }
    }

    #[inline(always)]
    fn find(&self, stem: u32) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let mut at = (stem >> 2) as usize & mask;
        loop {
            let (found, place) = self.slots[at];
            if place == Self::FREE {
                return None;
            }
            if found == stem {
                return Some(place as usize);
            }
            at = (at + 1) & mask;
        }
    }
}

/// Compares the content of two texts that share pairs of words of this weight; the stems of `left` are in `table`. `usual`
/// is what such texts share with others.
///
/// What costs most comes last: `worth` is asked with the best of orders, and if it is not worth it even so, there is no
/// result.
pub(crate) fn compare(
    left: &Features<'_>,
    table: &StemTable,
    right: &Features<'_>,
    pairs: u32,
    usual: f32,
    worth: impl FnOnce(&ContentEvidence) -> bool,
) -> Option<ContentEvidence> {
    let left_is_short = left.head.is_shorter(right.head);
    let (shorter, longer) = if left_is_short { (left.head, right.head) } else { (right.head, left.head) };
    let (short, long) = (&shorter.totals, &longer.totals);
    let (mut plain, mut names, mut numbers) = (0, 0, 0);
    // Of the names that are shared, those that are names here, and those that are names there.
    let mut named = [0, 0];
    let mut parts = [0; PARTS];
    let mut ordered: SmallVec<[(u32, u32); 256]> = SmallVec::new();
    let (left_stems, left_weights, right_weights) = (left.stems(), left.weights(), right.weights());
    for (theirs, &code) in right.stems().iter().enumerate() {
        let stem = Token::of_code(code);
        let Some(ours) = table.find(stem.stem()) else { continue };
        // A stem weighs the same in all texts of one kind.
        let both_weights = [left_weights[ours], right_weights[theirs]];
        let weight = both_weights[0].min(both_weights[1]);
        let (in_short, in_long) = if left_is_short { (ours, theirs) } else { (theirs, ours) };
        parts[shorter.part(in_short)] += u32::from(weight);
        let both = [Token::of_code(left_stems[ours]), stem];
        // What is a number here is one there.
        if stem.is_number() {
            numbers += 1;
        } else if both.iter().any(|stem| stem.is_name()) {
            let weight = u32::from(left.name_weight(both_weights[0]).min(right.name_weight(both_weights[1])));
            names += weight;
            named.iter_mut().zip(both).for_each(|(sum, stem)| *sum += weight * u32::from(stem.is_name()));
        } else {
            plain += u32::from(weight);
        }
        if weight >= ORDERED_WEIGHT {
            ordered.push((in_short as u32, in_long as u32));
        }
    }
    let mut covered: [f32; PARTS] = std::array::from_fn(|part| share(parts[part], short.parts[part]));
    covered.sort_unstable_by(f32::total_cmp);
    let foreign = shorter.foreign().min(longer.foreign());
    let named_of_either = named_share(shorter).max(named_share(longer));
    let mut evidence = ContentEvidence {
        words: share(plain, short.plain.min(long.plain) + FEW_WORDS),
        pairs: share_of_pairs(pairs, short.pairs, long.pairs),
        names: share_of_names(names, short.names.min(long.names))
            .filter(|_| !is_foreign(foreign) || named_of_either >= CAPITALS_TELL),
        named: named_of_either,
        coverage: covered[2],
        order: 1.0,
        numbers_missing: short.numbers.min(long.numbers).saturating_sub(numbers),
        usual,
        length_ratio: share(shorter.distinct.min(longer.distinct), shorter.distinct.max(longer.distinct)),
        shorter: shorter.words.min(longer.words),
        figures: shorter.figures().max(longer.figures()),
        foreign,
        new_names: new_names(named[usize::from(!left_is_short)], shorter),
        new_names_of_longer: new_names(named[usize::from(left_is_short)], longer),
        new_numbers: new_numbers(numbers, short.numbers),
        new_numbers_of_longer: new_numbers(numbers, long.numbers),
        verbatim: 0.0,
        block: 0.0,
        outside: None,
    };
    worth(&evidence).then(|| {
        evidence.order = order(&mut ordered);
        evidence
    })
}

/// The weight of shared names as a share of all that could be shared, drawn to [`NEUTRAL_NAMES`] where there are few.
fn share_of_names(shared: u32, all: u32) -> Option<f32> {
    let (shared, all) = (shared as f32, all as f32);
    (shared + all > 0.0).then(|| ((shared + 6.0 * UNIT * NEUTRAL_NAMES) / (all + 6.0 * UNIT)).min(1.0))
}

/// Whether texts are in another language than English, by how far their words are not those of general English.
pub(crate) fn is_foreign(foreign: f32) -> bool {
    foreign >= 0.5
}

/// From this share of names on capitals tell the names of a foreign text: in scripts without them, all that is known as a name is a foreign
/// word or two.
const CAPITALS_TELL: f32 = 0.05;

/// The share of names among the distinct content words of a text.
fn named_share(text: &Head) -> f32 {
    text.totals.named as f32 / text.distinct.max(1) as f32
}

/// How far positions in two texts go together: the share of pairs in the same order less that in the other order, drawn
/// to 0 where there are few.
fn order(shared: &mut SmallVec<[(u32, u32); 256]>) -> f32 {
    let all = shared.len() as f32;
    if shared.len() < 2 {
        return 0.0;
    }
    shared.sort_unstable();
    shared.truncate(ORDERED);
    let n = shared.len();
    let same: usize = (0..n).map(|i| shared[i + 1..].iter().filter(|later| later.1 > shared[i].1).count()).sum();
    let share = 2.0 * same as f32 / (n * (n - 1) / 2) as f32 - 1.0;
    share * all / (all + 12.0)
}

/// The weight of names that one text has and the other lacks, as a share that is drawn to a fourth where there are few, or where
/// capitals do not tell names from other words: German writes all nouns so.
fn new_names(shared: u32, text: &Head) -> f32 {
    const NEUTRAL: f32 = 0.25;
    let all = text.totals.names;
    let share = (all.saturating_sub(shared) as f32 + 3.0 * UNIT) / (all as f32 + 12.0 * UNIT);
    let trust = ((0.36 - named_share(text)) / 0.12).clamp(0.0, 1.0);
    NEUTRAL + trust * (share - NEUTRAL)
}

/// The same of numbers, each of which counts alike.
fn new_numbers(shared: u32, all: u32) -> f32 {
    (all.saturating_sub(shared) as f32 + 0.5) / (all as f32 + 2.0)
}

/// The probability from which on a first look, at what is known of texts without reading them, finds two of them worth
/// reading. Of the pairs that the rule accepts it loses one in three hundred, and of all that are compared it leaves one in
/// ten.
const WORTH_READING: f32 = 0.03;

/// Added to the logarithm of the odds where no word is of general English: so much less than in English the same copies showed
/// in German, Portuguese and Russian, weighed among their own kind.
const FOREIGN: f32 = 4.4;

/// From how many times what is usual on pairs of words begin to show a foreign copy wherever it is found, and from how many on they do.
const MANY_TIMES_USUAL: Range<f32> = 3.0..5.0;

/// The least of it by which odds are raised where names are told and none of them weighs anything.
const WITHOUT_WEIGHTY_NAMES: f32 = 0.8;

/// What the odds of a foreign pair are raised by, where its figures do not tell a form: what foreign copies lack is names that are known as
/// such. Figures they have like all others, and what is raised falls with the share of those that only one of the texts has.
///
/// They are raised in full only where copies are as common as is assumed of any corpus: where next to nothing is a copy, follow-ups, which
/// share names with their titles and a line of background, would pass for copies, for easy German has no more of its source. Where all names
/// are too common to weigh anything, it is not by these that two texts are alike, and most of it stays. Where capitals tell no names at all,
/// these count as half the same already, as in reports on one event, and odds are not raised. But who shares so many times the pairs of words
/// that are usual, and where capitals tell no names twice as many, has them from somewhere.
fn lacking_in_foreign(evidence: &ContentEvidence, prior: f32) -> f32 {
    let count = evidence.figures * evidence.shorter as f32;
    let same = 1.0 - evidence.other_figures();
    let agreement = if count < FEW_FIGURES { 1.0 } else { (same / (1.0 - new_numbers(0, 0))).min(1.0) };
    let common = prior / ASSUMED_SHARE as f32;
    let (common, needed) = match evidence.names {
        Some(_) => (common, 1.0),
        None if evidence.named >= CAPITALS_TELL => (common.max(WITHOUT_WEIGHTY_NAMES), 1.0),
        None => (0.0, 2.0),
    };
    let times_usual = evidence.pairs / (needed * evidence.usual).max(f32::MIN_POSITIVE);
    let beyond_usual = (times_usual - MANY_TIMES_USUAL.start) / (MANY_TIMES_USUAL.end - MANY_TIMES_USUAL.start);
    FOREIGN * evidence.foreign * agreement * common.max(beyond_usual).clamp(0.0, 1.0)
}

/// A first look at evidence without [`verbatim`](ContentEvidence::verbatim): a logistic regression that was fitted where half
/// of all look-alikes are rewritings. The rule is asked only about pairs that pass it.
pub(crate) fn first_look(evidence: &ContentEvidence) -> f32 {
    let e = evidence;
    let odds =
        8.08 * e.words + 13.78 * e.pairs.sqrt() + 4.95 * e.names_or_neutral() + 6.41 * e.coverage + 8.18 * e.order
            - 2.72 * ln(1.0 + e.numbers_missing as f32)
            - 96.49 * e.usual
            + 0.59 * ln(e.length_ratio + 0.001)
            - 0.98 * ln(1.0 + e.shorter as f32)
            + FOREIGN * e.foreign
            - 4.52;
    logistic(odds)
}

fn logistic(odds: f32) -> f32 {
    1.0 / (1.0 + exp(-odds))
}

/// What each value of the evidence weighs, and what is added to the weighed sum.
///
/// ```
/// use retold::{Rule, Weights};
///
/// let Weights { values, constant } = Rule::default().retelling;
/// assert!(values[0] > 0.0 && constant < 10.0, "sharing words speaks for a copy");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Weights {
    /// For each value that [`ContentEvidence::values`] gives.
    pub values: [f32; ContentEvidence::VALUES],
    /// Added to the weighed sum.
    pub constant: f32,
}

impl Weights {
    fn weigh(&self, values: &[f32; ContentEvidence::VALUES]) -> f32 {
        let weighed: f32 = values.iter().zip(self.values).map(|(value, weight)| value * weight).sum();
        weighed + self.constant
    }
}

/// How the numbers of [`ContentEvidence`] are weighed into the confidence that a pair is a copy.
///
/// There are three ways to make one article from another, and a pair is a copy if it is any of them: a *retelling* shares words in
/// the same order all over the text and brings no names and numbers of its own, whatever its phrases are; a *revision* shares
/// many runs of the same words, not one block, and no new facts stand between them; a *shortening* has no more than half of the
/// content, tells nothing that the longer text does not, and may leave out any of its names and numbers. The odds of the first two
/// add up, and fall with each word that a very long text has beyond four times the other's; those of a shortening count where they are
/// higher.
///
/// How high the odds must be depends on how common copies are in the corpus, the *prior*: see
/// [`DetectorBuilder::prior`](crate::DetectorBuilder::prior). So does by how much those of texts that are not English are raised, of which
/// less is known: where copies are rare only if they share many times the pairs of words that are usual.
///
/// The default was fitted on labelled rewritings of six kinds and on pairs of plain news that readers judged, with the
/// sign of each weight given beforehand: sharing may only speak for a copy, news of one's own only against it.
/// `examples/evaluate` fits a rule to labels of your own.
///
/// ```
/// use retold::{Detector, Rule};
///
/// let rule = Rule { line: Rule::default().line + 1.0, ..Rule::default() };
/// let stricter = Detector::builder().rule(rule).build()?;
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rule {
    /// The logarithm of the odds that one text retells the other.
    pub retelling: Weights,
    /// The logarithm of the odds that one text is a revision of the other.
    pub revision: Weights,
    /// The logarithm of the odds that the shorter text is a shortening of the other, where it has at most half of the content; it falls
    /// steeply the nearer both are to being alike in length.
    pub shortening: Weights,
    /// The logarithm of the odds that makes a confidence of one half where no pair is a copy.
    pub line: f32,
    /// How much lower that line is where all pairs are copies, but never by more than 4; in between, in proportion to the square
    /// of the prior: where a few of a hundred look-alikes are copies it stays where it is.
    pub leniency: f32,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            retelling: Weights {
                values: [9.42, 4.17, 10.07, -1.36, -65.96, -3.87, -7.33, -1.79, -4.25, -11.08, 0.0, -10.85],
                constant: -0.68,
            },
            revision: Weights {
                values: [0.0, 7.4, 0.0, 0.0, -15.92, -12.62, 0.0, -5.13, 0.0, 0.0, 6.94, -0.37],
                constant: -1.82,
            },
            shortening: Weights {
                values: [6.02, 9.88, 9.27, -3.57, -65.96, -21.69, 0.0, 0.0, 0.0, -11.08, 0.0, -4.44],
                constant: -4.86,
            },
            line: 0.9,
            leniency: 7.6,
        }
    }
}

impl Rule {
    /// The share of copies among the pairs with whom odds are even: where the weights were fitted, rewritings were a fifth.
    pub(crate) const FITTED_PRIOR: f32 = 0.2;

    /// How much the logarithm of the odds counts beyond the line: on plain news look-alikes reach high odds more often than
    /// where the weights were fitted.
    const STEEPNESS: f32 = 0.6;

    /// The most of the longer text's content that a shortening has: up to here it was fitted.
    pub const SHORTENED: f32 = 0.5;

    /// Taken off the odds of a shortening for each whole by which the lengths are more alike. An article of equal length has as much room for
    /// what the other tells, and so it counts again what it leaves out.
    const ALIKE_IN_LENGTH: f32 = 40.0;

    /// A text is retold or revised in a quarter of its words at least.
    const RETOLD: f32 = 4.0;

    /// Taken off the odds of either for each word that the longer text has beyond this: one of thousands of words has most words of any
    /// shorter one somewhere, and only that the shorter one tells nothing else shows a copy there.
    const BEYOND: f32 = 0.004;

    /// Taken off them for each word by which a shortening has fewer than these, numbers aside: a sixth of it, by which it is seen whether all
    /// of it is in the other text, has eight words at least.
    const TOO_FEW_WORDS: f32 = 0.1;

    /// So many words a shortening has: from here on it was fitted.
    pub const SHORTENING_WORDS: f32 = 48.0;

    /// The line is never lowered by more.
    const MOST_LENIENT: f32 = 4.0;

    /// Refuses numbers of which no confidence can be computed.
    pub(crate) fn check(&self) -> Result<()> {
        /// More than any sum of weights needs, and too little for infinite ones.
        const MOST: f32 = 1e30;
        let Self { retelling, revision, shortening, line, leniency } = self;
        let fields = [
            ("rule.retelling.values", &retelling.values[..]),
            ("rule.retelling.constant", &[retelling.constant]),
            ("rule.revision.values", &revision.values),
            ("rule.revision.constant", &[revision.constant]),
            ("rule.shortening.values", &shortening.values),
            ("rule.shortening.constant", &[shortening.constant]),
            ("rule.line", &[*line]),
            ("rule.leniency", &[*leniency]),
        ];
        fields.into_iter().try_for_each(|(field, numbers)| {
            numbers.iter().try_for_each(|&number| error::check(field, number, -MOST, MOST, "-1e30 to 1e30"))
        })
    }

    /// The logarithm of the odds that a pair with this evidence is a copy, where even odds are a fifth of all pairs.
    pub fn odds(&self, evidence: &ContentEvidence) -> f32 {
        self.odds_where(evidence, Self::FITTED_PRIOR)
    }

    /// The same, where foreign pairs are raised by as much as this prior has it.
    fn odds_where(&self, evidence: &ContentEvidence, prior: f32) -> f32 {
        let values = evidence.values();
        let alike = (evidence.length_ratio - Self::SHORTENED).max(0.0);
        let few = (Self::SHORTENING_WORDS - evidence.shorter as f32 * (1.0 - evidence.figures)).max(0.0);
        let shortening = self.shortening.weigh(&values) - Self::ALIKE_IN_LENGTH * alike - Self::TOO_FEW_WORDS * few;
        let (one, other) = (self.retelling.weigh(&values), self.revision.weigh(&values));
        let shorter = evidence.shorter as f32;
        let beyond = (shorter / evidence.length_ratio.max(0.001) - Self::RETOLD * shorter).max(0.0);
        // The logarithm of the sum of both odds.
        let retold = one.max(other) + ln(1.0 + exp(-(one - other).abs())) - Self::BEYOND * beyond;
        // Shortenings were fitted on English alone.
        (retold + lacking_in_foreign(evidence, prior)).max(shortening)
    }

    /// The confidence that a pair with this evidence is a copy, where the prior is this share of copies; 0 to 1.
    pub fn confidence(&self, evidence: &ContentEvidence, prior: f32) -> f32 {
        self.confidence_with(evidence, prior, 0.0)
    }

    /// The same, where the logarithm of the odds may be off by so much.
    pub(crate) fn confidence_with(&self, evidence: &ContentEvidence, prior: f32, slack: f32) -> f32 {
        let lower = (self.leniency * prior * prior).min(Self::MOST_LENIENT);
        logistic(Self::STEEPNESS * (self.odds_where(evidence, prior) + slack - self.line + lower))
    }
}

impl ContentEvidence {
    /// How many values a [`Rule`] weighs.
    pub const VALUES: usize = 12;

    /// The evidence on the scales on which a [`Rule`] weighs it: words, coverage, order, the logarithm of one and the numbers
    /// missing, what is usual, new names and new numbers of the shorter and of the longer text, the block, what is
    /// verbatim outside of the block, and the share of figures.
    pub fn values(&self) -> [f32; Self::VALUES] {
        [
            self.words,
            self.coverage,
            self.order,
            ln(1.0 + self.numbers_missing as f32),
            self.usual,
            self.new_names,
            self.new_names_of_longer,
            self.new_numbers,
            self.new_numbers_of_longer,
            self.block,
            self.verbatim - self.block,
            self.figures,
        ]
    }

    /// The share of numbers that only one text has, of the text that has the smaller share of such.
    fn other_figures(&self) -> f32 {
        self.new_numbers.min(self.new_numbers_of_longer)
    }

    /// The share of names as rules weigh it, also where there are none.
    fn names_or_neutral(&self) -> f32 {
        self.names.unwrap_or(NEUTRAL_NAMES)
    }

    /// The most likely reason why the two look alike, if they are not copies; `None` if the evidence does not show one. What keeps
    /// them from being copies whatever their confidence is comes first; then simple thresholds, to explain to readers why a pair was
    /// rejected, and no decision depends on these.
    pub fn lookalike(&self) -> Option<Lookalike> {
        if is_filled_form(self) || self.names_or_neutral() < LEAST_NAMES {
            return Some(Lookalike::Template);
        }
        if is_of_one_passage(self) {
            return Some(Lookalike::Block);
        }
        let new_facts = self.new_numbers.min(self.new_numbers_of_longer);
        let new_names = self.new_names.min(self.new_names_of_longer);
        if self.block >= 0.12 && self.block >= 0.6 * self.verbatim {
            Some(Lookalike::Block)
        } else if (self.usual >= 0.06 || self.verbatim - self.block >= 0.1) && new_facts >= 0.35 {
            Some(Lookalike::Template)
        } else if self.names >= Some(0.5) && new_names.max(new_facts) >= 0.3 {
            Some(Lookalike::FollowUp)
        } else if self.names >= Some(0.6) {
            Some(Lookalike::SameEvent)
        } else {
            None
        }
    }

    /// Whether two texts tell one story, be it in the same words or not: the same names and numbers, all over the shorter one.
    /// Fillings of a template differ in these.
    pub(crate) fn tells_the_same_story(&self) -> bool {
        self.names_or_neutral() >= 0.6
            && self.numbers_missing <= 2
            && self.coverage >= 0.2
            && self.words >= 0.1
            && self.new_numbers.max(self.new_numbers_of_longer) <= 0.5
    }

    /// Whether what is known of two texts without reading them makes them worth reading side by side. Pairs that are not are
    /// never copies, and do not count for the [prior](crate::DetectorBuilder::prior).
    pub fn is_worth_reading(&self) -> bool {
        is_enough_of_pairs(self.pairs, self.usual) && is_telling(self) && first_look(self) >= WORTH_READING
    }

    /// The same after the texts were read.
    pub(crate) fn with(self, Verbatim { all, block, .. }: Verbatim) -> Self {
        Self { verbatim: all, block, ..self }
    }

    /// Whether so long a passage stands word for word in both texts that the rest is to be looked at by itself.
    pub(crate) fn shares_a_passage(&self) -> bool {
        self.verbatim >= QUOTED && self.block * self.shorter as f32 >= PASSAGE
    }
}

fn share(part: u32, whole: u32) -> f32 {
    if whole > 0 { part as f32 / whole as f32 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn order_is_that_of_the_shared_words() {
        let forward: SmallVec<[(u32, u32); 256]> = (0..40).map(|at| (at, at + 3)).collect();
        assert_eq!(order(&mut forward.clone()), 40.0 / 52.0);
        let mut backward: SmallVec<_> = forward.iter().map(|&(a, b)| (a, 100 - b)).collect();
        assert_eq!(order(&mut backward), -40.0 / 52.0);
        assert_eq!(order(&mut SmallVec::from_elem((1, 1), 1)), 0.0);
    }

    #[test]
    fn a_sample_rules_out_what_shares_next_to_nothing() {
        let rule = NearRule { jaccard: 0.5, containment: 0.8, span: 3 };
        let set = |seed: u64, len: u64| {
            let mut set: Vec<u64> = (0..len).map(|at| crate::hash::mix(seed + at)).collect();
            set.sort_unstable();
            set
        };
        let (whole, other) = (set(0, 3000), set(1 << 32, 100));
        assert!(!rule.may_be_by_sample(&whole, &other));
        assert!((0..2900).step_by(100).all(|at| rule.may_be_by_sample(&set(at, 100), &whole)));
        assert!(rule.may_be_by_sample(&[], &whole));
    }

    #[test]
    fn what_a_long_text_leaves_out_of_a_short_one_does_not_hide_that_it_tells_it() {
        // Pairs of words of ten units of weight each.
        let pairs = |count: u32| count * (10.0 * UNIT) as u32;
        let speech = pairs(8000);
        assert!(share_enough_pairs(pairs(30), (pairs(250), speech), 0.02), "a summary of it has one in eight");
        assert!(!share_enough_pairs(pairs(8), (pairs(250), speech), 0.02), "so many any text may have");
        assert!(!share_enough_pairs(pairs(2), (pairs(20), speech), 0.02), "nor do two of a notice say anything");
        assert!(!share_enough_pairs(pairs(6), (pairs(250), pairs(1000)), 0.02), "a text as long is no summary");
    }

    proptest! {
        #[test]
        fn the_commoner_copies_are_the_likelier_is_each(
            shares in prop::array::uniform19(0.0f32..1.0),
            has_names: bool,
            shorter in 0u32..2000,
            mut priors in [0.0f32..1.0, 0.0f32..0.1, 0.0f32..1.0],
        ) {
            let mut words = [0; ContentEvidence::WORDS];
            words.iter_mut().zip(shares).for_each(|(word, share)| *word = share.to_bits());
            (words[5], words[8], words[17]) = (shorter % 5, shorter, u32::MAX);
            if !has_names {
                words[2] = u32::MAX;
            }
            words[18] = (shares[18] / 10.0).to_bits();
            let evidence = ContentEvidence::of_words(&words);
            priors.sort_unstable_by(f32::total_cmp);
            let found = priors.map(|prior| Rule::default().confidence(&evidence, prior));
            prop_assert!(found.is_sorted(), "{found:?}");
        }
    }

    #[test]
    fn foreign_copies_are_told_where_capitals_tell_names_but_none_that_weighs_anything() {
        // A rewording of a made-up article among hundreds of thousands.
        let evidence = ContentEvidence {
            words: 0.25,
            pairs: 0.065,
            names: None,
            named: 0.08,
            coverage: 0.4,
            order: 0.1,
            numbers_missing: 0,
            usual: 0.02,
            length_ratio: 0.545,
            shorter: 117,
            figures: 0.012,
            foreign: 1.0,
            new_names: 0.25,
            new_names_of_longer: 0.25,
            new_numbers: 0.25,
            new_numbers_of_longer: 0.25,
            verbatim: 0.043,
            block: 0.043,
            outside: None,
        };
        let confidence = |evidence| Rule::default().confidence(&evidence, 0.01);
        assert!(confidence(evidence) > 0.5);
        // Where capitals tell none, reports on one event are as much alike; and where names weigh something, follow-ups.
        assert!(confidence(ContentEvidence { named: 0.01, ..evidence }) < 0.5);
        assert!(confidence(ContentEvidence { names: Some(0.8), ..evidence }) < 0.5);
    }

    #[test]
    fn a_small_part_of_a_very_long_text_is_a_shortening_or_nothing() {
        // Words all over it that are in no order, names of its own, and a language that is not English.
        let evidence = ContentEvidence {
            words: 0.62,
            pairs: 0.021,
            names: None,
            named: 0.0,
            coverage: 0.66,
            order: 0.1,
            numbers_missing: 0,
            usual: 0.04,
            length_ratio: 0.08,
            shorter: 380,
            figures: 0.0,
            foreign: 1.0,
            new_names: 0.38,
            new_names_of_longer: 0.25,
            new_numbers: 0.25,
            new_numbers_of_longer: 0.95,
            verbatim: 0.0,
            block: 0.0,
            outside: None,
        };
        let confidence = |evidence: &ContentEvidence| {
            let rule = Rule::default();
            rule.confidence(evidence, Rule::FITTED_PRIOR)
        };
        assert!(confidence(&evidence) < 0.2);
        let summary = ContentEvidence { order: 0.5, foreign: 0.0, new_names: 0.17, new_numbers: 0.17, ..evidence };
        assert!(confidence(&summary) > 0.5);
    }

    #[test]
    fn containment_needs_more_than_a_quotation() {
        let rule = NearRule { jaccard: 0.5, containment: 0.8, span: 3 };
        let long: Vec<u64> = (0..1000).collect();
        assert_eq!(rule.judge((&long[..30], &long), 32, || 1.0).1, None);
        // Shingles of characters are many in a few words.
        assert_eq!(rule.judge((&long[..300], &long), 39, || 0.9).1, None);
        assert_eq!(rule.judge((&long[..300], &long), 302, || 0.9).1, Some(0.9));
        assert_eq!(rule.judge((&long[..300], &long), 302, || 0.7).1, None);
        assert_eq!(rule.judge((&long[..600], &long), 602, || 1.0).1, Some(0.6));
    }
}
