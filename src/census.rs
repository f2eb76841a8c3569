//! What a corpus was found to be like, kept to judge single articles as it would: how many documents hold each feature, how common
//! copies are, and what is furniture.
//!
//! A verdict on two texts depends on these two, on what is usual for them, and on the census. What both have is held by two documents
//! at least, whether the census knows of it or not; for all else the census counts. As in a run, of edited copies only one counts as a
//! document. A text that the census has not counted is one more: what it shares with one document is held by two.

use std::borrow::Cow;

use rayon::prelude::*;

use crate::content::{Token, Tokens, features};
use crate::features::{Weighed, Weigher};
use crate::frequencies::{Frequencies, Held};
use crate::furniture::{Furniture, Mask};
use crate::hash::{FORMAT_VERSION, hash_bytes};
use crate::judge::{Common, Desk, Judge, Telling};
use crate::near::{Compared, Keep, Near};
use crate::report::{ContentEvidence, Relation};
use crate::rewordings::Notes;
use crate::scheme::Shingle;
use crate::sign::{Single, Views};
use crate::store::Budget;
use crate::text;
use crate::texts::{Shingles, Texts};
use crate::usual::{self, CROWD_LOOKED_AT, CROWDED, USUAL_NEIGHBOUR};
use crate::verify::{self, StemTable};

/// What a corpus was found to be like.
#[derive(Debug, Default)]
pub(crate) struct Census {
    pub(crate) notes: Notes,
    /// What is furniture.
    pub(crate) mask: Mask,
}

/// What the bytes of a census begin with, before the version of the format.
const MAGIC: [u8; 7] = *b"rtldcen";

impl Census {
    /// The census as bytes, little-endian: magic and version; texts, documents, the English share and the prior; features, and how many
    /// documents hold each; the fingerprints and the windows of the mask, each with their number before them; and a hash of all that.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let Notes { texts, documents, english, ref frequencies, prior, .. } = self.notes;
        let (features, held) = frequencies.parts();
        let mut bytes = MAGIC.to_vec();
        bytes.push(FORMAT_VERSION);
        bytes.extend((texts as u64).to_le_bytes());
        bytes.extend((documents as u64).to_le_bytes());
        bytes.extend(english.to_bits().to_le_bytes());
        bytes.extend(prior.to_bits().to_le_bytes());
        for numbers in [features].into_iter().chain(self.mask.parts()) {
            bytes.extend((numbers.len() as u64).to_le_bytes());
            numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        }
        bytes.extend_from_slice(held);
        bytes.extend(hash_bytes(&bytes).to_le_bytes());
        bytes
    }

    /// What was made of such bytes; what is wrong with them if they are no census.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, &'static str> {
        let (bytes, hash) = bytes.split_last_chunk().ok_or("it is too short")?;
        if hash_bytes(bytes).to_le_bytes() != *hash {
            return Err("its checksum is another one");
        }
        let mut rest = bytes.strip_prefix(&MAGIC).ok_or("it is no census")?;
        let rest = &mut rest;
        if take::<1>(rest)? != [FORMAT_VERSION] {
            return Err("it was made by another release");
        }
        let (texts, documents) = (number(rest)?, number(rest)?);
        let [english, prior] = [take(rest)?, take(rest)?].map(|bits| f32::from_bits(u32::from_le_bytes(bits)));
        let [features, common, windows] = [numbers(rest)?, numbers(rest)?, numbers(rest)?];
        let ascend = |numbers: &[u32]| numbers.windows(2).all(|two| two[0] < two[1]);
        if rest.len() != features.len() || ![&features, &common, &windows].into_iter().all(|numbers| ascend(numbers)) {
            return Err("its numbers do not ascend, or are not as many as they should be");
        }
        let frequencies = Frequencies::new(features, rest.to_vec());
        let notes = Notes { texts, documents, english, frequencies, prior, usual: Vec::new() };
        Ok(Self { notes, mask: Mask::new(common, windows) })
    }
}

fn take<const N: usize>(from: &mut &[u8]) -> Result<[u8; N], &'static str> {
    let (taken, rest) = from.split_first_chunk().ok_or("it is too short")?;
    *from = rest;
    Ok(*taken)
}

fn number(from: &mut &[u8]) -> Result<usize, &'static str> {
    usize::try_from(u64::from_le_bytes(take(from)?)).map_err(|_| "it is too large")
}

fn numbers(from: &mut &[u8]) -> Result<Vec<u32>, &'static str> {
    let count = number(from)?;
    let (taken, rest) = from.split_at_checked(count.saturating_mul(4)).ok_or("it is too short")?;
    *from = rest;
    let (numbers, _) = taken.as_chunks();
    Ok(numbers.iter().map(|&number| u32::from_le_bytes(number)).collect())
}

/// How texts are compared.
#[derive(Clone, Copy)]
pub(crate) struct Comparing<'a> {
    pub(crate) views: Views,
    pub(crate) near: &'a Near,
    pub(crate) judge: Judge,
}

/// A text beside which another one is judged.
#[derive(Clone, Copy)]
pub(crate) struct Other<'t> {
    pub(crate) text: &'t str,
    /// What is usual for it, if the census has counted it.
    pub(crate) usual: Option<f32>,
    pub(crate) may_be: MayBe,
}

/// What brought a text to be judged beside another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MayBe {
    /// Its shingles.
    Edited,
    /// Its content.
    Reworded,
    Either,
}

/// A text that is judged beside others.
pub(crate) struct Asked<'a> {
    census: &'a Census,
    how: Comparing<'a>,
    text: &'a str,
    pub(crate) signed: Single,
    /// Without furniture: the text, how many words it has, and its features, ascending, each with how many documents hold it.
    told: Told<'a>,
    /// The weight of all its pairs of words, and the rare ones, ascending, with their weights: those included that no other text has, for
    /// another one may come to have them.
    pub(crate) pair_total: u32,
    pub(crate) pairs: Vec<(u32, u8)>,
}

/// A text without its furniture.
struct Told<'a> {
    text: Cow<'a, str>,
    words: u32,
    tokens: Vec<Token>,
    features: Vec<(u32, Held)>,
}

impl<'a> Told<'a> {
    fn new(census: &Census, text: &'a str, signed: &Single, shingle: Shingle) -> Self {
        let budget = Budget::unlimited();
        let (words, read) = ([signed.words], |_| text.into());
        let texts = Texts { words: &words, read: &read, shingle, budget: &budget };
        let furniture = Furniture::told_by(&census.mask, texts, |_| &signed.fingerprints);
        let told = furniture.cut_from(0, text.into());
        let mut tokens = signed.tokens.clone();
        if let Cow::Owned(told) = &told {
            tokens.clear();
            let mut finder = Tokens::new(told);
            text::with_scratch(|scratch| text::walk(told, scratch, |words| finder.collect(words, &mut tokens)));
        }
        let frequencies = &census.notes.frequencies;
        let features = distinct(&tokens).into_iter().map(|feature| (feature, frequencies.held(feature))).collect();
        Self { text: told, words: signed.words - furniture.words(0), tokens, features }
    }

    /// Weighs it, where `both` are features that another text has as well: of these two documents are known at least, whether the
    /// census found so few of them as these or not.
    fn weigh(&self, weigher: &Weigher, both: &[u32], few: &[Held]) -> Weighed {
        let held = |feature: u32| {
            let at = self.features.binary_search_by_key(&feature, |&(feature, _)| feature);
            let held = at.map_or(Held::ALONE, |at| self.features[at].1);
            if few.contains(&held) && both.binary_search(&feature).is_ok() { Held::new(2) } else { held }
        };
        Weighed::new(&self.tokens, self.words, weigher, held)
    }
}

impl Census {
    /// A text to be judged beside others.
    pub(crate) fn ask<'a>(&'a self, how: Comparing<'a>, text: &'a str) -> Asked<'a> {
        let signed = how.views.single(text, &mut Default::default());
        let told = Told::new(self, text, &signed, how.views.shingle);
        let all: Vec<u32> = told.features.iter().map(|&(feature, _)| feature).collect();
        let weighed = told.weigh(&self.weigher(), &all, &[Held::ALONE, Held::ONCE]);
        let (pair_total, mut pairs) = (weighed.pair_total(), weighed.rare);
        pairs.retain(|&(_, weight)| weight > 0);
        Asked { census: self, how, text, signed, told, pair_total, pairs }
    }

    fn weigher(&self) -> Weigher {
        Weigher::new(self.notes.documents, self.notes.english)
    }
}

impl Asked<'_> {
    /// Compares it with other texts, as they would be in a corpus that is like the census. For each that is a copy, in their order; the
    /// other one is to the right, by its place. `usual` is what is usual for the text itself, if the census has counted it.
    pub(crate) fn copies(&self, usual: Option<f32>, others: &[Other<'_>]) -> Vec<Compared> {
        let sign = |scratch: &mut _, other: &Other<'_>| self.how.views.single(other.text, scratch);
        let signed: Vec<Single> = others.par_iter().map_init(Default::default, sign).collect();
        let budget = Budget::unlimited();
        let words: Vec<u32> = std::iter::once(&self.signed).chain(&signed).map(|signed| signed.words).collect();
        let read = |text: u32| match text.checked_sub(1) {
            None => self.text.into(),
            Some(other) => others[other as usize].text.into(),
        };
        let texts = Texts { words: &words, read: &read, shingle: self.how.views.shingle, budget: &budget };
        let shingles = Shingles::new(texts);
        let mut verdicts = self.reworded(usual, others, &signed).into_iter().peekable();
        let copy = |(at, (other, signed)): (u32, (&Other<'_>, &Single))| {
            let reworded = verdicts.next_if(|&(place, ..)| place == at as usize);
            if other.may_be == MayBe::Reworded && reworded.is_none() {
                return None;
            }
            let mut pair = self.how.near.pair(&shingles, 0, at + 1);
            if (self.signed.exact, self.signed.words) == (signed.exact, signed.words) {
                (pair.relation, pair.similarity) = (Some(Relation::Exact), 1.0);
            }
            if let (Some((_, content, similarity)), None) = (reworded, pair.relation) {
                pair.evidence.content = Some(content);
                (pair.relation, pair.similarity) = (Some(Relation::Reworded), similarity);
            }
            pair.relation.is_some().then_some(Compared { right: at, ..pair })
        };
        (0..).zip(others.iter().zip(&signed)).filter_map(copy).collect()
    }

    /// Those that tell in other words what it tells, by their places, with the evidence and the confidence.
    fn reworded<'o>(
        &self,
        usual: Option<f32>,
        others: &'o [Other<'o>],
        signed: &[Single],
    ) -> Vec<(usize, ContentEvidence, f32)> {
        struct Beside<'a> {
            at: usize,
            told: Told<'a>,
            ours: Weighed,
            theirs: Weighed,
            pairs: u32,
        }
        let weigher = self.census.weigher();
        // What one document holds, and its edited copies, is held by two if a text has it that was not counted.
        let few: &[Held] = if usual.is_some() { &[Held::ALONE] } else { &[Held::ALONE, Held::ONCE] };
        let beside = |(at, (other, signed)): (usize, (&'o Other<'o>, &Single))| {
            let told = Told::new(self.census, other.text, signed, self.how.views.shingle);
            let both = common(&self.told.features, &told.features);
            let (ours, theirs) = (self.told.weigh(&weigher, &both, few), told.weigh(&weigher, &both, few));
            let pairs = ours.shared_pairs(&theirs);
            Beside { at, told, ours, theirs, pairs }
        };
        let by_content =
            others.par_iter().zip(signed).enumerate().filter(|(_, (other, _))| other.may_be != MayBe::Edited);
        let beside: Vec<Beside<'_>> = by_content.map(beside).collect();
        let usual = usual.unwrap_or_else(|| {
            let share =
                |it: &Beside<'_>| verify::pair_containment(it.pairs, it.ours.pair_total(), it.theirs.pair_total());
            let mut nearest: Vec<(f32, &Beside<'_>)> = beside.iter().map(|it| (share(it), it)).collect();
            nearest.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.at.cmp(&b.1.at)));
            let nth = nearest.get(USUAL_NEIGHBOUR - 1).map_or(0.0, |&(share, _)| share);
            let mut stems = StemTable::default();
            let crowd = nearest.iter().take(CROWD_LOOKED_AT).map(|&(share, it)| {
                let (ours, theirs) = (it.ours.features(), it.theirs.features());
                stems.fill(&ours);
                (share, usual::is_mate(&ours, &stems, &theirs, it.pairs))
            });
            let without_mates = if nth >= CROWDED { usual::without_mates(crowd) } else { None };
            usual::drawn(without_mates.unwrap_or(nth), self.census.notes.texts)
        });
        let (judge, mut desk) = (self.how.judge, Desk::default());
        let copy = |it: &Beside<'_>| {
            let (ours, theirs) = (it.ours.features(), it.theirs.features());
            let usual = others[it.at].usual.map_or(usual, |theirs| theirs.min(usual));
            let common = Common { pairs: it.pairs, usual };
            if !verify::share_enough_pairs(it.pairs, (it.ours.pair_total(), it.theirs.pair_total()), usual) {
                return None;
            }
            desk.take(&ours);
            let ours = Telling { features: &ours, read: || Cow::Borrowed(&self.told.text[..]) };
            let theirs = Telling { features: &theirs, read: || Cow::Borrowed(&it.told.text[..]) };
            let verdict = judge.judge(&mut desk, ours, theirs, common, Keep::Copies)?;
            let (similarity, is_copy) = judge.confidence(&verdict, self.census.notes.prior);
            is_copy.then_some((it.at, verdict.evidence, similarity))
        };
        beside.iter().filter_map(copy).collect()
    }
}

/// The features of a text, ascending, each once.
fn distinct(tokens: &[Token]) -> Vec<u32> {
    let mut all = Vec::with_capacity(2 * tokens.len());
    features(tokens.iter().copied(), |feature| all.push(feature));
    all.sort_unstable();
    all.dedup();
    all
}

/// The features that two texts have in common, ascending.
fn common(left: &[(u32, Held)], right: &[(u32, Held)]) -> Vec<u32> {
    let mut right = right.iter().map(|&(feature, _)| feature).peekable();
    let mut both = Vec::new();
    for &(feature, _) in left {
        while right.next_if(|&other| other < feature).is_some() {}
        both.extend(right.next_if_eq(&feature));
    }
    both
}
