//! What a corpus was found to be like, kept to judge single articles as it would: how many documents hold each feature, how common
//! copies are, and what is furniture.
//!
//! A verdict on two texts depends on these two, on what is usual for them, and on the census. What both have is held by two documents
//! at least, whether the census knows of it or not; for all else the census counts. As in a run, of edited copies only one counts as a
//! document. A text that the census has not counted is one more: what it shares with one document is held by two.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{OnceLock, PoisonError, RwLock};

use rayon::prelude::*;

use crate::content::{FEATURE_BITS, Token};
use crate::error::{Error, Result};
use crate::features::{Beside, Both, Few, Head, Marks, Weigher};
use crate::frequencies::Frequencies;
use crate::furniture::Mask;
use crate::hash::hash_bytes;
use crate::judge::{Common, Desk, Judge, Telling};
use crate::near::{Compared, Keep, Near};
use crate::records::{Cursor, put_number};
use crate::report::{ContentEvidence, Evidence, Relation};
use crate::rewordings::Notes;
use crate::scheme::Shingle;
use crate::sign::{Scratch, Single, Views};
use crate::sketch::{self, LookedAt, Sketch, Spaced};
use crate::store::Budget;
use crate::telling::RUN_WORDS;
use crate::texts::{Shingles, Texts};
use crate::usual::{self, CROWD_LOOKED_AT, CROWDED, USUAL_NEIGHBOUR};
use crate::verify;

/// What a corpus was found to be like.
#[derive(Debug, Default)]
pub(crate) struct Census {
    pub(crate) notes: Notes,
    /// What is furniture.
    pub(crate) mask: Mask,
    /// Of texts that hold furniture, how their content words without it come from all of them.
    pub(crate) cuts: Vec<(u32, Vec<u8>)>,
    weigher: OnceLock<Weigher>,
    /// What texts weigh that it has not counted, by their numbers, as far as any was asked about beside them.
    heads: RwLock<HashMap<u64, Head>>,
}

/// So many of these are noted, some tens of megabytes.
const MOST_HEADS: usize = 1 << 18;

/// What the bytes of a census begin with, before their version.
const MAGIC: [u8; 7] = *b"rtldcen";

/// The version of these bytes, and of what was counted of articles. Up to 2 it was that of the format, and features had 32 bits; up to
/// 3 all texts were kin.
const VERSION: u8 = 4;

impl Census {
    /// The census as bytes, little-endian: magic and version; texts, documents, the English share and the prior; the fingerprints and the
    /// windows of the mask, each with their number before them; the number of features, how many documents hold each, and how many values
    /// lie between each feature and the one before, in LEB128; and a hash of all that.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let Notes { texts, documents, english, ref frequencies, prior, .. } = self.notes;
        let mut bytes = MAGIC.to_vec();
        bytes.push(VERSION);
        bytes.extend((texts as u64).to_le_bytes());
        bytes.extend((documents as u64).to_le_bytes());
        bytes.extend(english.to_bits().to_le_bytes());
        bytes.extend(prior.to_bits().to_le_bytes());
        for numbers in self.mask.parts() {
            bytes.extend((numbers.len() as u64).to_le_bytes());
            numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        }
        bytes.extend((frequencies.iter().len() as u64).to_le_bytes());
        bytes.extend(frequencies.iter().map(|(_, held)| held));
        let mut next = 0;
        for (feature, _) in frequencies.iter() {
            put_number(&mut bytes, feature - next);
            next = feature + 1;
        }
        bytes.extend(hash_bytes(&bytes).to_le_bytes());
        bytes
    }

    /// What was made of such bytes; what is wrong with them if they are no census.
    pub(crate) fn from_bytes(bytes: &[u8]) -> std::result::Result<Self, &'static str> {
        let (bytes, hash) = bytes.split_last_chunk().ok_or("it is too short")?;
        if hash_bytes(bytes).to_le_bytes() != *hash {
            return Err("its checksum is another one");
        }
        let mut rest = bytes.strip_prefix(&MAGIC).ok_or("it is no census")?;
        let rest = &mut rest;
        if take::<1>(rest)? != [VERSION] {
            return Err("it was made by another release");
        }
        let (texts, documents) = (number(rest)?, number(rest)?);
        let [english, prior] = [take(rest)?, take(rest)?].map(|bits| f32::from_bits(u32::from_le_bytes(bits)));
        let [common, windows] = [numbers(rest)?, numbers(rest)?];
        let features = number(rest)?;
        let (held, distances) = rest.split_at_checked(features).ok_or("it is too short")?;
        let (mut cursor, mut next, mut are_features) = (Cursor(distances), 0u64, true);
        let frequencies = Frequencies::new(held.iter().map(|&held| {
            let feature = cursor.number().and_then(|distance| next.checked_add(distance));
            let feature = feature.filter(|feature| feature >> FEATURE_BITS == 0);
            are_features &= feature.is_some();
            next = feature.map_or(0, |feature| feature + 1);
            (feature.unwrap_or_default(), held)
        }));
        let ascend = |numbers: &[u32]| numbers.windows(2).all(|two| two[0] < two[1]);
        if !are_features || !cursor.0.is_empty() || !ascend(&common) || !ascend(&windows) {
            return Err("its numbers do not ascend, or are not as many as they should be");
        }
        let notes = Notes { texts, documents, english, frequencies, prior, ..Notes::default() };
        Ok(Self { notes, mask: Mask::new(common, windows), ..Self::default() })
    }
}

fn take<const N: usize>(from: &mut &[u8]) -> std::result::Result<[u8; N], &'static str> {
    let (taken, rest) = from.split_first_chunk().ok_or("it is too short")?;
    *from = rest;
    Ok(*taken)
}

fn number(from: &mut &[u8]) -> std::result::Result<usize, &'static str> {
    usize::try_from(u64::from_le_bytes(take(from)?)).map_err(|_| "it is too large")
}

fn numbers(from: &mut &[u8]) -> std::result::Result<Vec<u32>, &'static str> {
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

impl Comparing<'_> {
    /// Signs two texts that are compared with each other alone.
    pub(crate) fn sign(&self, texts: [&str; 2]) -> [Single; 2] {
        let mut scratch = Scratch::default();
        texts.map(|text| self.views.single(text, &mut scratch))
    }
}

/// What a census counted of one article.
#[derive(Clone, Debug)]
pub(crate) struct Counted<'c> {
    /// What is usual for it.
    pub(crate) usual: f32,
    /// Its words without its furniture, and what they weigh.
    pub(crate) head: Head,
    /// How its content words without its furniture come from all of them, if it holds any; if it does and nothing stands here, the
    /// text tells.
    pub(crate) cuts: Cow<'c, [u8]>,
}

/// A text beside which another one is judged.
pub(crate) struct Other<'o> {
    /// No other text that is judged by this census has it.
    pub(crate) number: u64,
    pub(crate) sketch: Sketch<'o>,
    /// What the census counted of it, if it did.
    pub(crate) counted: Option<Counted<'o>>,
    /// Whether it may hold furniture, if the census did not count it.
    pub(crate) may_hold_furniture: bool,
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
    /// Without its furniture.
    told: Told<'a>,
    weighed: Beside<'a>,
    /// What is usual for it, if the census has counted it.
    usual: Option<f32>,
}

/// A text without its furniture.
struct Told<'t> {
    text: Cow<'t, str>,
    words: u32,
    tokens: Vec<Token>,
}

impl<'t> Told<'t> {
    /// Of a text of so many words, that may hold furniture; nothing if it holds none.
    fn without_furniture(census: &Census, text: &'t str, words: u32, shingle: Shingle) -> Option<Self> {
        let left = census.mask.left_of(text, shingle)?;
        Some(Self { text: left.text.into(), words: words - left.cut, tokens: left.tokens })
    }
}

/// The texts of others, each read when it is first asked for.
struct Reading<'r> {
    read: &'r (dyn Fn(usize) -> Result<String> + Sync),
    texts: Vec<OnceLock<String>>,
    /// The first failure; what could not be read is empty.
    failure: OnceLock<Error>,
}

impl<'r> Reading<'r> {
    fn new(others: usize, read: &'r (dyn Fn(usize) -> Result<String> + Sync)) -> Self {
        Self { read, texts: (0..others).map(|_| OnceLock::new()).collect(), failure: OnceLock::new() }
    }

    fn text(&self, at: usize) -> &str {
        self.texts[at].get_or_init(|| {
            (self.read)(at).unwrap_or_else(|error| {
                let _ = self.failure.set(error);
                String::new()
            })
        })
    }
}

impl Census {
    /// A text, which is signed already, to be judged beside others. `usual` is what is usual for it, if the census has counted it.
    pub(crate) fn ask<'a>(
        &'a self,
        how: Comparing<'a>,
        (text, signed): (&'a str, Single),
        usual: Option<f32>,
    ) -> Asked<'a> {
        let told = if self.mask.may_be_in(&signed.fingerprints) {
            Told::without_furniture(self, text, signed.words, how.views.shingle)
        } else {
            None
        };
        let told =
            told.unwrap_or_else(|| Told { text: text.into(), words: signed.words, tokens: signed.tokens.clone() });
        // What one document holds, and its edited copies, is held by two if a text has it that was not counted.
        let few = if usual.is_some() { Few::Alone } else { Few::OrOnce };
        let held = |features: &[u64]| self.notes.frequencies.all_held(features);
        let weighed = Beside::new(&told.tokens, told.words, self.weigher(), few, held);
        Asked { census: self, how, text, signed, told, weighed, usual }
    }

    /// What was counted of a text, for one of the same words: where it has other capitals it has other names, and these weigh otherwise.
    pub(crate) fn of_twin<'c>(&self, views: Views, (text, twin): (&str, &str), counted: Counted<'c>) -> Counted<'c> {
        if text == twin {
            return counted;
        }
        let mut scratch = Scratch::default();
        let [text, signed] = [text, twin].map(|text| views.single(text, &mut scratch));
        if text.tokens == signed.tokens {
            return counted;
        }
        let words = counted.head.words;
        let without_furniture = || {
            let gaps = sketch::gaps(twin);
            let bytes = Sketch::to_bytes(twin, &signed, &gaps, LookedAt { census: 0, may_hold_furniture: true });
            let of_cuts = Sketch::read(&bytes).filter(|_| !counted.cuts.is_empty());
            let of_cuts = of_cuts.and_then(|sketch| Some(sketch.without(&counted.cuts)?.0));
            of_cuts.or_else(|| Some(Told::without_furniture(self, twin, signed.words, views.shingle)?.tokens))
        };
        let cut = if words == signed.words { None } else { without_furniture() };
        let tokens = cut.as_ref().unwrap_or(&signed.tokens).iter().copied();
        let head = Head::counted(tokens, words, self.weigher(), |of| self.notes.frequencies.held(of));
        Counted { head, ..counted }
    }

    fn weigher(&self) -> &Weigher {
        self.weigher.get_or_init(|| Weigher::new(self.notes.documents, self.notes.english))
    }

    /// What a text of a number weighs that was not counted.
    fn head(&self, number: u64, count: impl FnOnce() -> Head) -> Head {
        let noted = self.heads.read().unwrap_or_else(PoisonError::into_inner).get(&number).copied();
        noted.unwrap_or_else(|| {
            let head = count();
            let mut heads = self.heads.write().unwrap_or_else(PoisonError::into_inner);
            if heads.len() < MOST_HEADS {
                heads.insert(number, head);
            }
            head
        })
    }
}

/// Another text beside the one that is asked about.
struct Neighbour {
    at: usize,
    both: Both,
}

impl Other<'_> {
    fn holds_furniture(&self) -> bool {
        let words = |counted: &Counted<'_>| counted.head.words != self.sketch.words;
        self.counted.as_ref().map_or(self.may_hold_furniture, words)
    }

    /// Its content words without its furniture, if the census tells them.
    fn without_cuts(&self) -> Option<Spaced> {
        let cuts = self.counted.as_ref().map(|counted| &counted.cuts).filter(|cuts| !cuts.is_empty())?;
        self.sketch.without(cuts)
    }
}

impl Asked<'_> {
    /// The weight of all its pairs of words; never more than what the judge takes for it.
    pub(crate) fn pair_total(&self) -> u32 {
        self.weighed.pair_total()
    }

    /// The rare pairs of words by which rewordings of it are found, with their weights: those included that no other text has, for another
    /// one may come to have them; with each whether it can be met in texts alone that were not counted.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (u64, u8, bool)> {
        let is_counted = self.usual.is_some();
        self.weighed.rare_pairs().map(move |(pair, weight, is_alone)| (pair, weight, is_alone && is_counted))
    }

    /// What is usual for it, if the census has counted it.
    pub(crate) fn usual(&self) -> Option<f32> {
        self.usual
    }

    /// Compares it with other texts, as they would be in a corpus that is like the census. For each that is a copy, in their order; the
    /// other one is to the right, by its place. Few of the texts are read.
    ///
    /// # Errors
    /// What `read` meets with a text.
    pub(crate) fn copies(
        &self,
        others: &[Other<'_>],
        read: &(dyn Fn(usize) -> Result<String> + Sync),
    ) -> Result<Vec<Compared>> {
        let reading = Reading::new(others.len(), read);
        let budget = Budget::unlimited();
        let words: Vec<u32> =
            std::iter::once(self.signed.words).chain(others.iter().map(|other| other.sketch.words)).collect();
        let read = |text: u32| match text.checked_sub(1) {
            None => self.text.into(),
            Some(other) => reading.text(other as usize).into(),
        };
        let texts = Texts { words: &words, read: &read, shingle: self.how.views.shingle, budget: &budget };
        let shingles = Shingles::new(texts);
        // Who is an exact or an edited copy is nothing else.
        let edited = |(at, other): (u32, &Other<'_>)| {
            if (self.signed.exact, self.signed.words) == (other.sketch.exact, other.sketch.words) {
                let evidence = Evidence { jaccard: 1.0, containment: 1.0, content: None };
                let relation = Some(Relation::Exact);
                return Some(Compared { left: 0, right: at + 1, relation, similarity: 1.0, evidence });
            }
            let may_be = other.may_be != MayBe::Reworded && self.may_be_edited(other);
            may_be.then(|| self.how.near.pair(&shingles, 0, at + 1)).filter(|pair| pair.relation.is_some())
        };
        let mut copies: Vec<Option<Compared>> = (0..).zip(others).map(edited).collect();
        for (at, content, similarity) in self.reworded(others, &reading, |at| copies[at].is_none()) {
            let mut pair = self.how.near.pair(&shingles, 0, at as u32 + 1);
            if pair.relation.is_none() {
                pair.evidence.content = Some(content);
                (pair.relation, pair.similarity) = (Some(Relation::Reworded), similarity);
            }
            copies[at] = Some(pair);
        }
        let copies = copies.into_iter().flatten().map(|pair| Compared { right: pair.right - 1, ..pair }).collect();
        match reading.failure.into_inner() {
            Some(error) => Err(error),
            None => Ok(copies),
        }
    }

    /// Whether signatures leave it open that another text is an edited copy.
    fn may_be_edited(&self, other: &Other<'_>) -> bool {
        let slots = self.signed.sketch.len() as f32;
        let estimate = other.sketch.equal_slots(&self.signed.sketch) as f32 / slots;
        self.how.near.rule.may_be(estimate, slots, (self.signed.words, other.sketch.words))
    }

    /// Another text beside it.
    fn beside(&self, at: usize, other: &Other<'_>, reading: &Reading<'_>, marks: &mut Marks) -> Neighbour {
        let words = other.sketch.words;
        let both = if !other.holds_furniture() {
            self.hold(other.sketch.tokens(), words, (other, reading), marks)
        } else if let Some((tokens, _)) = other.without_cuts() {
            self.hold(tokens.into_iter(), words, (other, reading), marks)
        } else {
            match self.without_furniture(reading.text(at), words) {
                Some(Told { tokens, words, .. }) => self.hold(tokens.into_iter(), words, (other, reading), marks),
                None => self.hold(other.sketch.tokens(), words, (other, reading), marks),
            }
        };
        Neighbour { at, both }
    }

    /// The most of the words of the shorter one of two texts that may stand word for word in the other, as a share; all, if only the
    /// texts tell.
    fn most_verbatim(&self, other: &Other<'_>, both: &Both) -> f32 {
        let spaced = if other.holds_furniture() { other.without_cuts() } else { Some(other.sketch.spaced()) };
        let Some(spaced) = spaced else { return 1.0 };
        let ours = || (self.told.tokens.clone(), sketch::gaps(&self.told.text));
        let words = self.weighed.most_words_in_runs(both, RUN_WORDS.into(), ours, &spaced);
        words as f32 / both.words_of_shorter().max(1) as f32
    }

    /// Another text of so many words, if it holds furniture.
    fn without_furniture<'t>(&self, text: &'t str, words: u32) -> Option<Told<'t>> {
        Told::without_furniture(self.census, text, words, self.how.views.shingle)
    }

    fn hold(
        &self,
        tokens: impl ExactSizeIterator<Item = Token> + Clone,
        words: u32,
        (other, reading): (&Other<'_>, &Reading<'_>),
        marks: &mut Marks,
    ) -> Both {
        let Census { notes, .. } = self.census;
        let count = || Head::counted(tokens.clone(), words, self.census.weigher(), |of| notes.frequencies.held(of));
        let head = match &other.counted {
            Some(counted) => counted.head,
            None if reading.failure.get().is_none() => self.census.head(other.number, count),
            // Nobody knows what it is without its furniture.
            None => count(),
        };
        self.weighed.hold(tokens.clone(), head, marks)
    }

    /// Those that tell in other words what it tells, by their places, with the evidence and the confidence; of those alone of which nothing
    /// else is known.
    fn reworded(
        &self,
        others: &[Other<'_>],
        reading: &Reading<'_>,
        is_open: impl Fn(usize) -> bool,
    ) -> Vec<(usize, ContentEvidence, f32)> {
        /// Texts that are not worth another thread.
        const TEXTS_A_TASK: usize = 8;
        let by_content: Vec<(usize, &Other<'_>)> =
            others.iter().enumerate().filter(|(_, other)| other.may_be != MayBe::Edited).collect();
        let by_content = by_content.into_par_iter().with_min_len(TEXTS_A_TASK);
        let beside: Vec<Neighbour> =
            by_content.map_init(Marks::default, |marks, (at, other)| self.beside(at, other, reading, marks)).collect();
        let mut desk = Desk::with(&self.weighed.features());
        let usual = self.usual.unwrap_or_else(|| self.usual_among(&beside, &desk));
        let judge = self.how.judge;
        let copy = |it: &Neighbour| {
            let usual = others[it.at].counted.as_ref().map_or(usual, |theirs| theirs.usual.min(usual));
            let common = Common { pairs: it.both.pairs, usual };
            if !verify::share_enough_pairs(it.both.pairs, it.both.pair_totals(), usual) {
                return None;
            }
            let (ours, theirs) = self.weighed.both(&it.both);
            let prior = self.census.notes.prior;
            let look = ContentEvidence::is_worth_reading;
            let looked_at = verify::compare(&ours, desk.stems(), &theirs, it.both.pairs, usual, look)?;
            if !look(&looked_at) || !judge.may_be_copy(&looked_at, self.most_verbatim(&others[it.at], &it.both), prior)
            {
                return None;
            }
            let ours = Telling { features: &ours, read: || Cow::Borrowed(&self.told.text[..]) };
            let read = || {
                let (text, words) = (reading.text(it.at), others[it.at].sketch.words);
                let told = others[it.at].holds_furniture().then(|| self.without_furniture(text, words)).flatten();
                told.map_or(Cow::Borrowed(text), |told| told.text)
            };
            let theirs = Telling { features: &theirs, read };
            let verdict = judge.judge(&mut desk, ours, theirs, common, Keep::Copies)?;
            let (similarity, is_copy) = judge.confidence(&verdict, prior);
            is_copy.then_some((it.at, verdict.evidence, similarity))
        };
        beside.iter().filter(|it| is_open(it.at)).filter_map(copy).collect()
    }

    /// What is usual for it, as far as those tell that share most with it.
    fn usual_among(&self, beside: &[Neighbour], desk: &Desk) -> f32 {
        let share = |it: &Neighbour| {
            let (ours, theirs) = it.both.pair_totals();
            verify::pair_containment(it.both.pairs, ours, theirs)
        };
        let mut nearest: Vec<(f32, &Neighbour)> = beside.iter().map(|it| (share(it), it)).collect();
        nearest.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.at.cmp(&b.1.at)));
        let nth = nearest.get(USUAL_NEIGHBOUR - 1).map_or(0.0, |&(share, _)| share);
        let crowd = nearest.iter().take(CROWD_LOOKED_AT).map(|&(share, it)| {
            let (ours, theirs) = self.weighed.both(&it.both);
            (share, usual::is_mate(&ours, desk.stems(), &theirs, it.both.pairs))
        });
        let without_mates = if nth >= CROWDED { usual::without_mates(crowd) } else { None };
        usual::drawn(without_mates.unwrap_or(nth), self.weighed.head.kin, self.census.notes.texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_census_comes_back_and_what_is_no_feature_is_refused() {
        const LAST: u64 = (1 << FEATURE_BITS) - 1;
        let features = [(0, 7), (1, 2), (300, 40), (LAST - 200, 255), (LAST, 3)];
        let notes = Notes { texts: 9, frequencies: Frequencies::new(features.into_iter()), ..Notes::default() };
        let census = Census { notes, mask: Mask::new(vec![3, 9], vec![4]), ..Census::default() };
        let mut bytes = census.to_bytes();
        let read = Census::from_bytes(&bytes).unwrap();
        assert_eq!(read.notes.frequencies.iter().collect::<Vec<_>>(), features);
        assert_eq!((read.notes.texts, read.mask.parts()), (9, census.mask.parts()));
        // The last feature one further.
        let end = bytes.len() - size_of::<u64>();
        bytes[end - 2] += 1;
        assert!(Census::from_bytes(&bytes).is_err());
        let hash = hash_bytes(&bytes[..end]);
        bytes[end..].copy_from_slice(&hash.to_le_bytes());
        assert!(Census::from_bytes(&bytes).unwrap_err().contains("ascend"));
    }
}
