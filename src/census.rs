//! What a corpus was found to be like, kept to judge single articles as it would: how many documents hold each feature, how common
//! copies are, and what is furniture.
//!
//! A verdict on two texts depends on these two, on what is usual for them, and on the census. What both have is held by two documents
//! at least, whether the census knows of it or not; for all else the census counts.

use std::borrow::Cow;
use std::cmp::Reverse;

use crate::content::{Token, Tokens, features};
use crate::features::{Weighed, Weigher};
use crate::frequencies::{Frequencies, Held};
use crate::furniture::{Furniture, Mask};
use crate::hash::{FORMAT_VERSION, hash_bytes};
use crate::judge::{Common, Desk, Judge, Side};
use crate::near::{Compared, Keep, Near};
use crate::report::{Evidence, Relation};
use crate::rewordings::Notes;
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

/// A text, and what is usual for it, if the census knows it.
#[derive(Clone, Copy)]
pub(crate) struct Known<'t> {
    pub(crate) text: &'t str,
    pub(crate) usual: Option<f32>,
}

/// How texts are compared.
#[derive(Clone, Copy)]
pub(crate) struct Comparing<'a> {
    pub(crate) views: Views,
    pub(crate) near: &'a Near,
    pub(crate) judge: Judge,
}

/// One text beside others, as a census has them.
struct Beside<'a> {
    census: &'a Census,
    how: Comparing<'a>,
    /// The text first, and then the others.
    known: &'a [Known<'a>],
    signed: Vec<Single>,
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

impl Census {
    /// Compares the first of some texts with each of the others, as they would be in a corpus that is like this. For each other
    /// one that is a copy, in their order.
    pub(crate) fn compare(&self, how: Comparing<'_>, known: &[Known<'_>]) -> Vec<Compared> {
        let mut scratch = Default::default();
        let signed = known.iter().map(|known| how.views.single(known.text, &mut scratch)).collect();
        Beside { census: self, how, known, signed }.copies()
    }
}

impl Census {
    /// The same where nothing is known of a corpus: exact and edited copies alone.
    pub(crate) fn edited_alone(how: Comparing<'_>, known: &[Known<'_>]) -> Vec<Compared> {
        let mut scratch = Default::default();
        let signed = known.iter().map(|known| how.views.single(known.text, &mut scratch)).collect();
        Beside { census: &Self::default(), how, known, signed }.edited_copies()
    }
}

impl Beside<'_> {
    fn copies(&self) -> Vec<Compared> {
        let budget = Budget::unlimited();
        let words: Vec<u32> = self.signed.iter().map(|signed| signed.words).collect();
        let read = |text: u32| Cow::Borrowed(self.known[text as usize].text);
        let texts = Texts { words: &words, read: &read, shingle: self.how.views.shingle, budget: &budget };
        let mut copies = self.edited_copies();
        let furniture = Furniture::told_by(&self.census.mask, texts, |text| &self.signed[text as usize].fingerprints);
        for reworded in self.reworded(texts, &furniture) {
            match copies.binary_search_by_key(&reworded.right, |copy| copy.right) {
                Ok(at) => copies[at].evidence.content = reworded.evidence.content,
                Err(at) => copies.insert(at, reworded),
            }
        }
        copies
    }

    /// The exact and edited copies.
    fn edited_copies(&self) -> Vec<Compared> {
        let budget = Budget::unlimited();
        let words: Vec<u32> = self.signed.iter().map(|signed| signed.words).collect();
        let read = |text: u32| Cow::Borrowed(self.known[text as usize].text);
        let texts = Texts { words: &words, read: &read, shingle: self.how.views.shingle, budget: &budget };
        let shingles = Shingles::new(texts);
        (1..self.known.len() as u32).filter_map(|other| self.edited(&shingles, other)).collect()
    }

    /// Whether another text is an exact or edited copy.
    fn edited(&self, shingles: &Shingles<'_>, other: u32) -> Option<Compared> {
        let (ours, theirs) = (&self.signed[0], &self.signed[other as usize]);
        let mut pair = self.how.near.pair(shingles, 0, other);
        if (ours.exact, ours.words) == (theirs.exact, theirs.words) {
            (pair.relation, pair.similarity) = (Some(Relation::Exact), 1.0);
        }
        pair.relation.is_some().then_some(pair)
    }

    /// Those of the others that tell in other words what the first one tells.
    fn reworded(&self, texts: Texts<'_>, furniture: &Furniture) -> Vec<Compared> {
        let Notes { texts: known, documents, english, ref frequencies, prior, .. } = self.census.notes;
        let weigher = Weigher::new(documents, english);
        let tokens: Vec<Cow<'_, [Token]>> = (0..texts.len() as u32).map(|text| self.tokens(text, furniture)).collect();
        let features: Vec<Vec<u32>> = tokens.iter().map(|tokens| distinct(tokens)).collect();
        let words = |text: usize| texts.words[text] - furniture.words(text as u32);
        let weighed: Vec<(u32, [Weighed; 2])> = (1..texts.len())
            .filter_map(|other| {
                let both = common(&features[0], &features[other]);
                let held = |feature: u32| {
                    let held = frequencies.held(feature);
                    if held.code() < 2 && both.binary_search(&feature).is_ok() { Held::new(2) } else { held }
                };
                let weigh = |text: usize| Weighed::new(&tokens[text], words(text), &weigher, held);
                (!both.is_empty()).then(|| (other as u32, [weigh(0), weigh(other)]))
            })
            .collect();
        let mut nearest: Vec<(f32, usize)> = Vec::with_capacity(weighed.len());
        for (at, (_, [ours, theirs])) in weighed.iter().enumerate() {
            let pairs = ours.shared_pairs(theirs);
            nearest.push((verify::pair_containment(pairs, ours.pair_total(), theirs.pair_total()), at));
        }
        nearest.sort_by_key(|&(share, at)| (Reverse((share * 65_535.0) as u32), at));
        let usual = self.known[0].usual.unwrap_or_else(|| usual::drawn(self.share(&nearest, &weighed), known));
        let judge = self.how.judge;
        let mut desk = Desk::default();
        let copy = |(other, [ours, theirs]): &(u32, [Weighed; 2])| {
            let (ours, theirs, pairs) = (ours.features(), theirs.features(), ours.shared_pairs(theirs));
            let usual = self.known[*other as usize].usual.map_or(usual, |theirs| theirs.min(usual));
            let totals = (ours.head.totals.pairs, theirs.head.totals.pairs);
            if !verify::share_enough_pairs(pairs, totals, usual) {
                return None;
            }
            desk.take(&ours);
            let read = |text: u32| furniture.cut_from(text, (texts.read)(text));
            let ours = Side { features: &ours, read: || read(0) };
            let theirs = Side { features: &theirs, read: || read(*other) };
            let verdict = judge.judge(&mut desk, ours, theirs, Common { pairs, usual }, Keep::Copies)?;
            let (similarity, is_copy) = judge.confidence(&verdict, prior);
            let evidence = Evidence { jaccard: 0.0, containment: 0.0, content: Some(verdict.evidence) };
            let relation = Some(Relation::Reworded);
            is_copy.then_some(Compared { left: 0, right: *other, relation, similarity, evidence })
        };
        weighed.iter().filter_map(copy).collect()
    }

    /// The share of its pairs of words that the first text shares with its so-manieth neighbour.
    fn share(&self, nearest: &[(f32, usize)], weighed: &[(u32, [Weighed; 2])]) -> f32 {
        let share = USUAL_NEIGHBOUR.checked_sub(1).and_then(|at| nearest.get(at)).map_or(0.0, |&(share, _)| share);
        if share < CROWDED {
            return share;
        }
        let mut stems = StemTable::default();
        let crowd = nearest.iter().take(CROWD_LOOKED_AT).map(|&(share, at)| {
            let (_, [ours, theirs]) = &weighed[at];
            let (left, right) = (ours.features(), theirs.features());
            stems.fill(&left);
            (share, verify::compare(&left, &stems, &right, ours.shared_pairs(theirs), 0.0, |_| true))
        });
        usual::without_mates(crowd).unwrap_or(share)
    }

    /// The content words of a text without its furniture.
    fn tokens(&self, text: u32, furniture: &Furniture) -> Cow<'_, [Token]> {
        if furniture.words(text) == 0 {
            return (&self.signed[text as usize].tokens[..]).into();
        }
        let left = furniture.cut_from(text, self.known[text as usize].text.into());
        let (mut finder, mut tokens) = (Tokens::new(&left), Vec::new());
        text::with_scratch(|scratch| text::walk(&left, scratch, |words| finder.collect(words, &mut tokens)));
        tokens.into()
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

/// What two ascending lists have in common.
fn common(left: &[u32], right: &[u32]) -> Vec<u32> {
    let mut right = right.iter().peekable();
    let mut both = Vec::new();
    for &feature in left {
        while right.next_if(|&&other| other < feature).is_some() {}
        both.extend(right.next_if(|&&other| other == feature));
    }
    both
}
