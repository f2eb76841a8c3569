//! Rewordings: content words to features, features to who holds them, and these to what texts share; and what comes of reading two of
//! them side by side.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use super::packed::{Broken, Packed, put};
use super::{BLOCK, Kernels, Masked};
use crate::content::{FEATURE_BITS, Token, distinct_features};
use crate::features::{English, HEAD_NUMBERS, Weighed, Weigher, rare_weights};
use crate::frequencies::{Frequencies, Held, MOST_DOCUMENTS};
use crate::judge::{Common, Desk, Judge, Telling};
use crate::near::Keep;
use crate::prior::Odds;
use crate::rare::{are_neighbours, is_kept, nth_best, of_steps, pair_share};
use crate::report::ContentEvidence;
use crate::rewordings::{IN_ANY_CASE, reworded_pair};
use crate::usual::{self, CROWD_LOOKED_AT, CROWDED, USUAL_NEIGHBOUR};
use crate::verify::{self, StemTable};

/// A text without its furniture.
pub struct Told<'t> {
    text: Cow<'t, str>,
    words: u32,
    tokens: Vec<Token>,
}

impl fmt::Debug for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Told").field("words", &self.words).finish_non_exhaustive()
    }
}

impl Told<'_> {
    /// The distinct features, ascending.
    fn features(&self) -> Vec<u64> {
        distinct_features(&self.tokens)
    }

    /// How many content words there are; of these how many general English has, and how many were looked at for it; and the same of
    /// those that are looked at in a large corpus.
    pub fn english(&self) -> [u64; 5] {
        let [all, some] = [false, true].map(|are_many| English::count(self.tokens.iter().copied(), are_many));
        [self.tokens.len() as u64, all.known, all.all, some.known, some.all]
    }
}

/// The share of general English by the sums of [`Told::english`].
pub fn english_share([words, known, all, some_known, some]: [u64; 5]) -> f32 {
    let english = match English::are_many(words as usize) {
        true => English { known: some_known, all: some },
        false => English { known, all },
    };
    english.share()
}

impl Kernels {
    pub fn told<'t>(&self, text: &'t str, mask: &Masked) -> Told<'t> {
        let single = self.single(text);
        let may_hold = mask.0.may_be_in(&single.fingerprints);
        match may_hold.then(|| mask.0.left_of(text, self.detector.admission.shingle)).flatten() {
            Some(left) => Told { text: left.text.into(), words: single.words - left.cut, tokens: left.tokens },
            None => Told { text: text.into(), words: single.words, tokens: single.tokens },
        }
    }
}

/// Features of some texts on their way to be counted.
#[derive(Debug, Default)]
pub struct Counting {
    /// Features with the texts that hold them, and whether these count as documents.
    holders: Vec<(u64, u32, bool)>,
}

impl Counting {
    pub fn add(&mut self, text: u32, counts: bool, told: &Told<'_>) {
        self.holders.extend(told.features().into_iter().map(|feature| (feature, text, counts)));
    }

    /// Those that so many of these texts hold that they are frequent, whoever else holds them.
    pub fn frequent(&mut self) -> Vec<u64> {
        self.holders.sort_unstable();
        let runs = self.holders.chunk_by(|a, b| a.0 == b.0);
        let frequent = runs.filter(|run| run.iter().filter(|holder| holder.2).count() > MOST_DOCUMENTS as usize);
        frequent.map(|run| run[0].0).collect()
    }

    /// The features for each of so many buckets that has some, with their holders; of those that are known to be frequent only how
    /// many documents hold them.
    pub fn buckets(mut self, frequent: &HashSet<u64>, buckets: u32) -> Packages {
        self.holders.sort_unstable();
        let mut packed: Vec<(u64, Vec<u8>)> = vec![(0, Vec::new()); buckets as usize];
        for run in self.holders.chunk_by(|a, b| a.0 == b.0) {
            let feature = run[0].0;
            // Features that follow each other go together: the distances from one to the next are short.
            let bucket = ((feature >> (FEATURE_BITS - u32::BITS)) * u64::from(buckets)) >> u32::BITS;
            let (last, bytes) = &mut packed[bucket as usize];
            put(bytes, feature - *last);
            *last = feature;
            if frequent.contains(&feature) {
                put(bytes, 0u32);
                put(bytes, run.iter().filter(|holder| holder.2).count() as u64);
                continue;
            }
            put(bytes, run.len() as u64);
            let mut before = 0;
            for &(_, text, counts) in run {
                put(bytes, u64::from(text - before) << 1 | u64::from(counts));
                before = text;
            }
        }
        let buckets = (0..).zip(packed).map(|(bucket, (_, bytes))| (bucket, bytes));
        buckets.filter(|(_, bytes)| !bytes.is_empty()).collect()
    }
}

/// What goes to which bucket or block.
pub type Packages = Vec<(u32, Vec<u8>)>;

/// The features of one bucket, with all that hold them.
#[derive(Debug, Default)]
pub struct Counted {
    /// Features, each with whether the text does not count as a document above the text.
    holders: Vec<(u64, u32)>,
    documents: BTreeMap<u64, u64>,
}

const NO_DOCUMENT: u32 = 1 << 31;

impl Counted {
    /// Adds what [`Counting::buckets`] made of some texts.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let (mut packed, mut feature) = (Packed(bytes), 0);
        while !packed.is_empty() {
            feature = packed.feature_after(feature)?;
            let count = packed.int()?;
            if count == 0 {
                *self.documents.entry(feature).or_default() += packed.long()?;
            }
            let mut text = 0;
            for _ in 0..count {
                let holder = packed.long()?;
                text += holder >> 1;
                if text >= NO_DOCUMENT.into() {
                    return Err(Broken);
                }
                let no_document = if holder & 1 == 1 { 0 } else { NO_DOCUMENT };
                self.holders.push((feature, no_document | text as u32));
            }
        }
        Ok(())
    }

    /// The features that more documents hold than tell of copying, with the codes of how many; and for each block of texts what these
    /// need to know of all others that somebody else has.
    pub fn finish(mut self) -> (Vec<(u64, u8)>, Packages) {
        self.holders.sort_unstable();
        let code = |documents: u64| Held::new(u32::try_from(documents).unwrap_or(u32::MAX)).code() as u8;
        let mut frequent: Vec<(u64, u8)> =
            self.documents.iter().map(|(&feature, &documents)| (feature, code(documents))).collect();
        let mut answers: BTreeMap<u32, (u64, Vec<u8>)> = BTreeMap::new();
        let text = |holder: (u64, u32)| holder.1 % NO_DOCUMENT;
        for run in self.holders.chunk_by(|a, b| a.0 == b.0) {
            let feature = run[0].0;
            let documents = run.partition_point(|holder| holder.1 & NO_DOCUMENT == 0);
            let held = Held::by(documents as u32, run.len() as u32);
            if held == Held::ALONE {
                continue;
            }
            if documents > MOST_DOCUMENTS as usize {
                frequent.push((feature, held.code() as u8));
                continue;
            }
            let leaders = if held.is_rare() { &run[..documents] } else { &[] };
            let mut of_blocks: Vec<(u32, u32)> =
                run.iter().map(|&holder| (text(holder) / BLOCK, text(holder) % BLOCK)).collect();
            of_blocks.sort_unstable();
            for of_block in of_blocks.chunk_by(|a, b| a.0 == b.0) {
                let (last, bytes) = answers.entry(of_block[0].0).or_default();
                put(bytes, feature - *last);
                *last = feature;
                bytes.push(held.code() as u8);
                put(bytes, of_block.len() as u64);
                let mut before = 0;
                for &(_, at) in of_block {
                    put(bytes, at - before);
                    before = at;
                }
                // Each pair is found by the first of the two.
                let first = leaders.partition_point(|&leader| text(leader) / BLOCK < of_block[0].0);
                let is_of_leader = leaders.get(first).is_some_and(|&leader| text(leader) / BLOCK == of_block[0].0);
                let later = if is_of_leader { &leaders[first..] } else { &[] };
                put(bytes, later.len() as u64);
                let mut before = of_block[0].0 * BLOCK;
                for &leader in later {
                    put(bytes, text(leader) - before);
                    before = text(leader);
                }
            }
        }
        (frequent, answers.into_iter().map(|(block, (_, bytes))| (block, bytes)).collect())
    }
}

/// Features of eight bytes each, as [`Weights`] and [`Counting::buckets`] take those that are frequent.
pub fn frequent(bytes: &[u8]) -> Result<Vec<u64>, Broken> {
    let (eights, rest) = bytes.as_chunks();
    let features: Vec<u64> = eights.iter().map(|&eight| u64::from_le_bytes(eight)).collect();
    let are_features = rest.is_empty() && features.iter().all(|feature| feature >> FEATURE_BITS == 0);
    if are_features { Ok(features) } else { Err(Broken) }
}

/// What features weigh in a corpus: so many documents, so much general English, and the features that many documents hold, ascending, with
/// the codes of how many.
pub struct Weights {
    weigher: Weigher,
    frequent: Frequencies,
    rare: [u32; MOST_DOCUMENTS as usize + 1],
}

impl fmt::Debug for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Weights").finish_non_exhaustive()
    }
}

impl Weights {
    pub fn new(documents: usize, english: f32, mut frequent: Vec<(u64, u8)>) -> Self {
        frequent.sort_unstable();
        let frequent = Frequencies::new(frequent.into_iter());
        Self { weigher: Weigher::new(documents, english), frequent, rare: rare_weights() }
    }
}

/// What a text weighs, and what it shares with leaders after it.
#[derive(Debug)]
pub struct Side {
    pub stems: Vec<u8>,
    pub rare: Vec<u8>,
    pub pair_total: u32,
    pub rare_total: u32,
    /// How many texts are of its kind, in a byte.
    pub kin: u8,
    pub met: Vec<u8>,
}

/// A feature of a text, how many documents hold it, and where the leaders stand among all.
type Answer = (u64, u8, u32, u32);

/// The texts of one block, which are weighed one after the other once all answers are there.
#[derive(Debug, Default)]
pub struct Weighing {
    block: u32,
    /// For each text of the block.
    answers: Vec<Vec<Answer>>,
    leaders: Vec<u32>,
}

impl Weighing {
    pub fn new(block: u32) -> Self {
        Self { block, answers: vec![Vec::new(); BLOCK as usize], leaders: Vec::new() }
    }

    /// Adds what [`Counted::finish`] says to the block.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let (mut packed, mut feature) = (Packed(bytes), 0);
        let mut of_block = Vec::new();
        while !packed.is_empty() {
            feature = packed.feature_after(feature)?;
            let code = packed.byte()?;
            of_block.clear();
            let mut text = 0usize;
            for _ in 0..packed.int()? {
                text += packed.int()? as usize;
                of_block.push(text);
            }
            let first = self.leaders.len() as u32;
            let mut leader = self.block * BLOCK;
            for _ in 0..packed.int()? {
                leader = leader.checked_add(packed.int()?).ok_or(Broken)?;
                self.leaders.push(leader);
            }
            for &text in &of_block {
                let answers = self.answers.get_mut(text).ok_or(Broken)?;
                answers.push((feature, code, first, self.leaders.len() as u32));
            }
        }
        Ok(())
    }

    /// Weighs a text of the block. `leads` is whether it counts as a document.
    pub fn weigh(&mut self, weights: &Weights, text: u32, leads: bool, told: &Told<'_>) -> Result<Side, Broken> {
        let at = text.checked_sub(self.block * BLOCK).ok_or(Broken)? as usize;
        let mut answers = std::mem::take(self.answers.get_mut(at).ok_or(Broken)?);
        answers.sort_unstable();
        let find = |feature: u64| {
            answers.binary_search_by_key(&feature, |&(feature, ..)| feature).ok().map(|place| &answers[place])
        };
        let held = |feature: u64| {
            find(feature).map_or_else(|| weights.frequent.held(feature), |&(_, code, ..)| Held::of_code(code))
        };
        let weighed = Weighed::new(&told.tokens, told.words, &weights.weigher, held);
        let mut met: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
        for &(feature, pair_weight) in weighed.rare.iter().filter(|_| leads) {
            let Some(&(_, code, first, end)) = find(feature) else { continue };
            let rare = weights.rare.get(usize::from(code)).copied().unwrap_or_default();
            for &other in self.leaders[first as usize..end as usize].iter().filter(|&&other| other > text) {
                let (rare_sum, pair_sum) = met.entry(other).or_default();
                *rare_sum += rare;
                *pair_sum += u32::from(pair_weight);
            }
        }
        let mut packed = Vec::new();
        let mut before = text;
        for (other, (rare, pairs)) in met {
            put(&mut packed, other - before);
            put(&mut packed, rare);
            put(&mut packed, pairs);
            before = other;
        }
        Ok(Side {
            stems: stems(&weighed),
            rare: rare(&weighed),
            pair_total: weighed.pair_total(),
            rare_total: weighed.rare_total(),
            kin: weighed.features().head.kin.code(),
            met: packed,
        })
    }
}

impl Packed<'_> {
    /// A feature that was packed as its distance from the one before.
    pub(super) fn feature_after(&mut self, before: u64) -> Result<u64, Broken> {
        let feature = before.checked_add(self.long()?).ok_or(Broken)?;
        if feature >> FEATURE_BITS == 0 { Ok(feature) } else { Err(Broken) }
    }
}

fn stems(weighed: &Weighed) -> Vec<u8> {
    let features = weighed.features();
    let mut bytes = Vec::with_capacity(64 + 5 * features.stems().len());
    weighed.numbers().into_iter().for_each(|number| put(&mut bytes, number));
    features.stems().iter().for_each(|code| bytes.extend(code.to_le_bytes()));
    bytes.extend_from_slice(features.weights());
    bytes
}

fn rare(weighed: &Weighed) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(5 * weighed.rare.len());
    let mut before = 0;
    for &(feature, weight) in &weighed.rare {
        put(&mut bytes, feature - before);
        bytes.push(weight);
        before = feature;
    }
    bytes
}

fn weighed(stems: &[u8], rare: &[u8]) -> Result<Weighed, Broken> {
    let mut packed = Packed(stems);
    let mut numbers = [0; HEAD_NUMBERS];
    for number in &mut numbers {
        *number = packed.int()?;
    }
    let count = packed.0.len() / 5;
    let codes = (0..count).map(|_| packed.four()).collect::<Result<Vec<u32>, Broken>>()?;
    let mut weighed = Weighed::from_numbers(numbers, codes, packed.0);
    let (mut packed, mut feature) = (Packed(rare), 0);
    while !packed.is_empty() {
        feature = packed.feature_after(feature)?;
        weighed.rare.push((feature, packed.byte()?));
    }
    Ok(weighed)
}

/// The neighbours among those that a text has met: each with the weight of the pairs that both have, and the share that this is. `totals`
/// are the weights of the rare features of each text and of its pairs, four bytes each.
pub fn neighbours(text: u32, met: &[u8], totals: &[u8]) -> Result<Vec<(u32, u32, u16)>, Broken> {
    let ours = totals_of(totals, text);
    let (mut packed, mut other) = (Packed(met), text);
    let mut found = Vec::new();
    while !packed.is_empty() {
        other = other.checked_add(packed.int()?).ok_or(Broken)?;
        let shared = (packed.int()?, packed.int()?);
        let theirs = totals_of(totals, other);
        if are_neighbours(shared, ours, theirs) {
            found.push((other, shared.1, pair_share(shared.1, ours.1, theirs.1)));
        }
    }
    Ok(found)
}

fn totals_of(totals: &[u8], text: u32) -> (u32, u32) {
    totals.as_chunks::<8>().0.get(text as usize).map_or((0, 0), |two| {
        let [rare, pairs] = [0, 4].map(|at| u32::from_le_bytes([two[at], two[at + 1], two[at + 2], two[at + 3]]));
        (rare, pairs)
    })
}

/// Of what a text shares with its neighbours, in any order, what is usual, in 65,535ths: the least that is among its best.
pub fn usual_share(shares: &mut [u16]) -> u16 {
    nth_best(shares, USUAL_NEIGHBOUR)
}

/// Whether a pair that shares so much is compared, of texts for which it is usual to share so much.
pub fn is_compared(share: u16, left: u16, right: u16) -> bool {
    is_kept(share, (of_steps(left), of_steps(right)), IN_ANY_CASE)
}

/// Whether a text that usually shares so much is in a crowd.
pub fn is_crowded(share: u16) -> bool {
    of_steps(share) >= CROWDED
}

/// What a share is.
pub fn share(steps: u16) -> f32 {
    of_steps(steps)
}

/// Takes the neighbours of one crowded text after the other, those of each from the best down and of equals the first first.
#[derive(Debug, Default)]
pub struct Usual {
    text: Option<u32>,
    nearest: Vec<(u16, bool)>,
    /// Texts with what is usual for them aside from those who tell the same story, if they are in a crowd of such.
    pub found: Vec<(u32, f32)>,
}

impl Usual {
    pub fn push(&mut self, text: u32, share: u16, is_mate: bool) {
        if self.text != Some(text) {
            self.finish();
            self.text = Some(text);
        }
        if self.nearest.len() < CROWD_LOOKED_AT {
            self.nearest.push((share, is_mate));
        }
    }

    /// The text at hand is complete.
    pub fn finish(&mut self) {
        let nearest = self.nearest.drain(..).map(|(share, is_mate)| (of_steps(share), is_mate));
        let share = usual::without_mates(nearest);
        self.found.extend(self.text.take().zip(share));
    }
}

/// A neighbour of a text that is looked at where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    pub home: u32,
    pub pairs: u32,
    pub share: u16,
    /// Whether the one who visits comes first.
    pub is_left: bool,
}

/// Which of two texts is sent to where the other one is: the one that has less to carry, and whether it is the first.
pub fn guest(left: u32, right: u32, totals: &[u8]) -> bool {
    totals_of(totals, left).1 <= totals_of(totals, right).1
}

/// Takes the visits of one text to one block after the other.
#[derive(Debug, Default)]
pub struct Visits {
    at_hand: Option<(u32, u32)>,
    last: u32,
    data: Vec<u8>,
    /// The text, the block, and packed whom it visits there.
    pub done: Vec<(u32, u32, Vec<u8>)>,
}

impl Visits {
    pub fn push(&mut self, text: u32, block: u32, Visit { home, pairs, share, is_left }: Visit) {
        if self.at_hand != Some((text, block)) {
            self.finish();
            self.at_hand = Some((text, block));
        }
        // In ascending order they take least room, but any will do.
        put(&mut self.data, home.wrapping_sub(self.last));
        self.last = home;
        put(&mut self.data, u64::from(pairs) << 1 | u64::from(is_left));
        put(&mut self.data, share);
    }

    /// What is at hand is complete.
    pub fn finish(&mut self) {
        if let Some((text, block)) = self.at_hand.take() {
            self.done.push((text, block, std::mem::take(&mut self.data)));
        }
        self.last = 0;
    }
}

fn visits(data: &[u8]) -> Result<Vec<Visit>, Broken> {
    let (mut packed, mut home, mut visits) = (Packed(data), 0u32, Vec::new());
    while !packed.is_empty() {
        home = home.wrapping_add(packed.int()?);
        let pairs = packed.long()?;
        let share = packed.int()? as u16;
        visits.push(Visit { home, pairs: (pairs >> 1) as u32, share, is_left: pairs & 1 == 1 });
    }
    Ok(visits)
}

/// How two texts look beside each other before they are read.
#[derive(Debug)]
pub struct Looked {
    pub left: u32,
    pub right: u32,
    pub pairs: u32,
    pub share: u16,
    pub evidence: Vec<u8>,
    pub left_is_shorter: bool,
    /// Whether the right one tells the story of the left one, and the other way round.
    pub mates: [bool; 2],
}

/// The stems of the texts of one block, to look at those who visit them.
#[derive(Default)]
pub struct Beside {
    homes: HashMap<u32, Weighed>,
}

impl fmt::Debug for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Beside").field("homes", &self.homes.len()).finish_non_exhaustive()
    }
}

impl Beside {
    pub fn add(&mut self, text: u32, stems: &[u8]) -> Result<(), Broken> {
        self.homes.insert(text, weighed(stems, &[])?);
        Ok(())
    }

    /// Looks at a text of these stems, beside those whom it visits.
    pub fn look(&self, text: u32, stems: &[u8], data: &[u8]) -> Result<Vec<Looked>, Broken> {
        let guest = weighed(stems, &[])?;
        let guest = guest.features();
        let (mut of_guest, mut of_home) = (StemTable::default(), StemTable::default());
        of_guest.fill(&guest);
        let look = |visit: Visit| {
            let home = self.homes.get(&visit.home).ok_or(Broken)?.features();
            of_home.fill(&home);
            let ours = (text, &guest, &of_guest);
            let theirs = (visit.home, &home, &of_home);
            let (left, right) = if visit.is_left { (ours, theirs) } else { (theirs, ours) };
            let pairs = visit.pairs;
            let evidence = verify::compare(left.1, left.2, right.1, pairs, 0.0, |_| true).ok_or(Broken)?;
            let is_mate = evidence.tells_the_same_story();
            let left_is_shorter = left.1.head.is_shorter(right.1.head);
            // Of two that nothing tells apart the one that asks passes for the shorter one.
            let is_mate_of_right = match left_is_shorter && right.1.head.is_shorter(left.1.head) {
                true => usual::is_mate(right.1, right.2, left.1, pairs),
                false => is_mate,
            };
            Ok(Looked {
                left: left.0,
                right: right.0,
                pairs,
                share: visit.share,
                evidence: evidence_bytes(&evidence),
                left_is_shorter,
                mates: [is_mate, is_mate_of_right],
            })
        };
        visits(data)?.into_iter().map(look).collect()
    }
}

pub(super) fn evidence_bytes(evidence: &ContentEvidence) -> Vec<u8> {
    evidence.to_words().into_iter().flat_map(u32::to_le_bytes).collect()
}

pub(super) fn evidence_of(bytes: &[u8]) -> Result<ContentEvidence, Broken> {
    let (words, rest) = bytes.as_chunks();
    let words: [[u8; 4]; ContentEvidence::WORDS] = words.try_into().map_err(|_| Broken)?;
    if rest.is_empty() { Ok(ContentEvidence::of_words(&words.map(u32::from_le_bytes))) } else { Err(Broken) }
}

fn float_at(floats: &[u8], at: u32) -> f32 {
    floats.as_chunks().0.get(at as usize).map_or(0.0, |&bytes| f32::from_le_bytes(bytes))
}

/// The evidence of two texts that were looked at, if it makes them worth reading. `usual` is what is usual for each text, four bytes each.
pub fn worth_reading(
    (left, right, pairs): (u32, u32, u32),
    evidence: &[u8],
    (totals, usual): (&[u8], &[u8]),
) -> Result<Option<Vec<u8>>, Broken> {
    let usual = float_at(usual, left).min(float_at(usual, right));
    if !verify::share_enough_pairs(pairs, (totals_of(totals, left).1, totals_of(totals, right).1), usual) {
        return Ok(None);
    }
    Ok(Judge::first_look(evidence_of(evidence)?, usual).as_ref().map(evidence_bytes))
}

/// Two texts that were read and may be copies: the logarithm of the odds, the evidence, and whether they are edited copies and how similar,
/// the Jaccard similarity and the containment.
#[derive(Debug)]
pub struct Read {
    pub left: u32,
    pub right: u32,
    pub odds: f32,
    pub evidence: Vec<u8>,
    pub is_near: bool,
    pub near: [f32; 3],
}

/// Two texts to be read, the first before the second, with what is known of them.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'t> {
    pub left: (u32, &'t str),
    pub right: (u32, &'t str),
    pub evidence: &'t [u8],
    pub left_is_shorter: bool,
}

/// Reads pairs, and counts how many have which odds.
#[derive(Default)]
pub struct Reading {
    odds: Odds,
    desk: Desk,
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").field("odds", &self.odds).finish_non_exhaustive()
    }
}

impl Reading {
    /// Those of some pairs that may be copies, whatever the prior is.
    pub fn read(&mut self, kernels: &Kernels, mask: &Masked, rows: &[Pair<'_>]) -> Result<Vec<Read>, Broken> {
        let Kernels { detector } = kernels;
        let keep = detector.keep_for_clusters();
        let (local, pairs) = Kernels::local(rows.iter().map(|row| (row.left, row.right)));
        let told: Vec<Told<'_>> = local.texts.iter().map(|text| kernels.told(text, mask)).collect();
        let of = |text: u32| Cow::Borrowed(&*told[text as usize].text);
        kernels.with_shingles(&local, |shingles| {
            let mut found = Vec::new();
            let mut on_desk = None;
            for (row, &(left, right)) in rows.iter().zip(&pairs) {
                if on_desk.replace(left) != Some(left) {
                    self.desk.clear();
                }
                let evidence = evidence_of(row.evidence)?;
                let both = (|| of(left), || of(right));
                let verdict = detector.judge.read(&mut self.desk, both, row.left_is_shorter, evidence, keep);
                verdict.count_in(&mut self.odds);
                let Some(odds) = verdict.odds.filter(|_| detector.judge.wants(&verdict, keep)) else { continue };
                let near = detector.near.pair(shingles, left, right);
                found.push(Read {
                    left: row.left.0,
                    right: row.right.0,
                    odds,
                    evidence: evidence_bytes(&verdict.evidence),
                    is_near: near.relation.is_some(),
                    near: [near.similarity, near.evidence.jaccard, near.evidence.containment],
                });
            }
            Ok(found)
        })
    }

    /// How many pairs had which odds.
    pub fn counts(&self) -> Vec<u8> {
        self.odds.counts().iter().flat_map(|count| count.to_le_bytes()).collect()
    }
}

/// A text that is judged with another one that no candidates brought to it.
#[derive(Clone, Copy, Debug)]
pub struct Full<'t> {
    pub text: u32,
    pub of: &'t str,
    pub stems: &'t [u8],
    pub rare: &'t [u8],
}

/// What came of two texts that are copies: whether they are edited ones, the similarity, the Jaccard similarity and the containment, and the
/// evidence of their contents.
#[derive(Debug)]
pub struct Direct {
    pub is_near: bool,
    pub near: [f32; 3],
    pub evidence: Vec<u8>,
}

impl Kernels {
    /// Judges texts, each with another one.
    pub fn direct(
        &self,
        rows: &[(Full<'_>, Full<'_>)],
        (mask, usual, prior): (&Masked, &[u8], f32),
    ) -> Result<Vec<Option<Direct>>, Broken> {
        let Self { detector } = self;
        let texts = rows.iter().map(|(ours, theirs)| ((ours.text, ours.of), (theirs.text, theirs.of)));
        let (local, pairs) = Self::local(texts);
        let told: Vec<Told<'_>> = local.texts.iter().map(|text| self.told(text, mask)).collect();
        let read = |text: u32| Cow::Borrowed(&*told[text as usize].text);
        let mut of: HashMap<u32, Weighed> = HashMap::new();
        for (full, number) in rows.iter().zip(&pairs).flat_map(|((a, b), &(x, y))| [(a, x), (b, y)]) {
            if let std::collections::hash_map::Entry::Vacant(place) = of.entry(number) {
                place.insert(weighed(full.stems, full.rare)?);
            }
        }
        let mut desk = Desk::default();
        let mut on_desk = None;
        self.with_shingles(&local, |shingles| {
            let mut judge = |((ours, theirs), &(a, b)): (&(Full<'_>, Full<'_>), &(u32, u32))| {
                let (our, their) = (of[&a].features(), of[&b].features());
                if on_desk.replace(a) != Some(a) {
                    desk.take(&our);
                }
                let usual = float_at(usual, ours.text).min(float_at(usual, theirs.text));
                let common = Common { pairs: of[&a].shared(&of[&b]).1, usual };
                let left = Telling { features: &our, read: || read(a) };
                let right = Telling { features: &their, read: || read(b) };
                let verdict = detector.judge.judge(&mut desk, left, right, common, Keep::Copies)?;
                let near = || detector.near.pair(shingles, a, b);
                let pair = reworded_pair(&detector.judge, &verdict, prior, Keep::Copies, near)?;
                Some(Direct {
                    is_near: pair.relation == Some(crate::Relation::Near),
                    near: [pair.similarity, pair.evidence.jaccard, pair.evidence.containment],
                    evidence: evidence_bytes(&pair.evidence.content?),
                })
            };
            Ok(rows.iter().zip(&pairs).map(&mut judge).collect())
        })
    }
}
