//! Frequencies to weighed features: of each text what another one may share, and what all that it has weighs.

mod beside;
mod kin;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use rayon::prelude::*;

pub(crate) use self::beside::{Beside, Both, Few, Marks};
pub(crate) use self::kin::Kin;
use crate::arch;
use crate::content::{
    Commonness, FEATURE_BITS, Prior, Token, TokenChunk, TokenChunks, UNIT, alone, ln, neighbours, pair, span, units,
};
use crate::error::Result;
use crate::frequencies::{
    self, Answer, Answers, Frequencies, Held, Learn, ListId, Lists, MOST_DOCUMENTS, Names, Parts,
};
use crate::store::{self, Block, Budget, CHUNK, Share, Store};

/// Into how many parts a text is cut to see where shared words stand.
pub(crate) const PARTS: usize = 6;

/// The weight of all features of a text, those included that no other text has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) stems: u32,
    /// Stems that are neither names nor numbers.
    pub(crate) plain: u32,
    pub(crate) names: u32,
    /// How many stems are names.
    pub(crate) named: u32,
    pub(crate) numbers: u32,
    pub(crate) pairs: u32,
    pub(crate) parts: [u32; PARTS],
    /// Features that at most [`MOST_DOCUMENTS`] documents hold, weighed by [`rare_weights`].
    pub(crate) rare: u32,
}

impl Totals {
    fn add(&mut self, stem: Token, weights: (u8, u8), part: usize) {
        self.change(stem, weights, part, |sum, by| sum + by);
    }

    /// Adds what a stem weighs, or takes it away.
    #[inline(always)]
    fn change(&mut self, stem: Token, (idf, rarity): (u8, u8), part: usize, of: impl Fn(u32, u32) -> u32) {
        let idf = u32::from(idf);
        self.stems = of(self.stems, idf);
        self.parts[part] = of(self.parts[part], idf);
        match (stem.is_number(), stem.is_name()) {
            (true, _) => self.numbers = of(self.numbers, 1),
            (false, true) => {
                self.names = of(self.names, u32::from(rarity));
                self.named = of(self.named, 1);
            }
            (false, false) => self.plain = of(self.plain, idf),
        }
    }
}

/// Rare weights are whole numbers of this part of the natural logarithm.
pub(crate) const RARE_UNIT: u64 = 64;

/// What a feature weighs by the number of documents that hold it, when texts are to be found that share rare features:
/// ln(41 / n).
pub(crate) fn rare_weights() -> [u32; MOST_DOCUMENTS as usize + 1] {
    std::array::from_fn(|n| (RARE_UNIT as f32 * ln((MOST_DOCUMENTS + 1) as f32 / n.max(1) as f32)) as u32)
}

/// The number of documents by the code for how many hold a feature, and by that for how common one is in English.
static HELD: LazyLock<[f32; 256]> = LazyLock::new(|| std::array::from_fn(Held::documents));
static COMMON: LazyLock<[f32; 256]> = LazyLock::new(|| std::array::from_fn(|code| Commonness(code as u8).documents()));

/// The logarithm of 1 to 2, to be looked up by the first eight bits behind the point.
static LOGARITHMS: LazyLock<[f32; 256]> =
    LazyLock::new(|| std::array::from_fn(|step| ln(1.0 + (step as f32 + 0.5) / 256.0)));

/// As many documents count as seen in any language: a handful of texts does not tell what is rare.
const LEAST_PRIOR: f32 = 1000.0;

/// What features weigh in a corpus of so many documents.
#[derive(Debug)]
pub(crate) struct Weigher {
    counted: usize,
    /// The logarithm of how many there are with those of the prior.
    documents: f32,
    /// By the code, the documents that the prior expects among those that it counts as.
    english: [f32; 256],
    rare: [u32; MOST_DOCUMENTS as usize + 1],
    /// For each code of at most [`MOST_DOCUMENTS`], which most features have, the weight by how common English has it.
    of_rare: Vec<[u8; 256]>,
}

impl Weigher {
    /// The weights for a corpus of so many documents, of whose words this share is of general English, 0 to 1. What English
    /// has says nothing of words of other languages: the less English, the fewer documents it counts as.
    pub(crate) fn new(documents: usize, english: f32) -> Self {
        let prior = LEAST_PRIOR + english * (Commonness::PRIOR_WEIGHT - LEAST_PRIOR);
        let mut weigher = Self {
            counted: documents,
            documents: ln(documents as f32 + prior),
            english: COMMON.map(|documents| english * documents),
            rare: rare_weights(),
            of_rare: Vec::new(),
        };
        let of_code =
            |held: u8| std::array::from_fn(|english| weigher.weigh(Held::of_code(held), Commonness(english as u8)));
        // No more documents than there are hold a feature.
        weigher.of_rare = (0..=documents.min(MOST_DOCUMENTS as usize) as u8).map(of_code).collect();
        weigher
    }

    /// The logarithm of a number from 0.5 on, to three digits: weights are not finer.
    #[inline(always)]
    fn ln(&self, x: f32) -> f32 {
        let bits = x.to_bits();
        let exponent = (bits >> 23) as i32 - 127;
        exponent as f32 * std::f32::consts::LN_2 + LOGARITHMS[(bits >> 15) as usize & 255]
    }

    /// The inverse document frequency ln(N / n) of a stem for a text of such kin. Numbers are of no language.
    #[inline(always)]
    fn idf_among(&self, kin: Kin, stem: Token, held: Held, english: Commonness) -> u8 {
        match kin.documents().filter(|_| !stem.is_number()) {
            None => self.idf(held, english),
            Some(documents) => units(documents - self.ln(HELD[held.code()] + 0.5)),
        }
    }

    /// The same of any feature among all documents.
    #[inline(always)]
    fn idf(&self, held: Held, english: Commonness) -> u8 {
        match self.of_rare.get(held.code()) {
            Some(weights) => weights[usize::from(english.0)],
            None => self.weigh(held, english),
        }
    }

    fn weigh(&self, held: Held, english: Commonness) -> u8 {
        units(self.documents - self.ln(HELD[held.code()] + self.english[usize::from(english.0)] + 0.5))
    }

    /// How rare a stem of this weight is among rare ones, ln(300 / n), which tells names apart: the weight less this.
    fn common(&self, kin: Kin) -> u8 {
        kin.common().unwrap_or_else(|| common(self.documents))
    }

    #[inline(always)]
    fn rare(&self, held: Held) -> u32 {
        self.rare.get(held.code().max(1)).copied().unwrap_or(0)
    }
}

/// What is left of a weight above this tells names apart, by the logarithm of how many documents there are.
fn common(documents: f32) -> u8 {
    const LN_300: f32 = 5.703_782_5;
    units(documents - LN_300)
}

/// How much of the content words is of general English, 0 to 1: 1 if more than half of them are, as in any English text.
pub(crate) fn english_share(tokens: &TokenChunks) -> f32 {
    let counts = |chunk: usize| {
        tokens.with(chunk, |chunk| English::count(chunk.texts().flatten(), English::are_many(tokens.words())))
    };
    (0..tokens.len()).into_par_iter().map(counts).reduce(English::default, English::add).share()
}

/// How many of some content words are of general English.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct English {
    pub(crate) known: u64,
    pub(crate) all: u64,
}

impl English {
    /// Whether a corpus of so many content words has so many that some are enough.
    pub(crate) fn are_many(words: usize) -> bool {
        words >= 1 << 17
    }

    /// Counts words. Of many one stem in 32 is looked at, by its hash, so that the order of the texts does not matter.
    pub(crate) fn count(words: impl Iterator<Item = Token>, are_many: bool) -> Self {
        let prior = Prior::get();
        let looked_at = if are_many { u32::MAX >> 5 } else { u32::MAX };
        words.filter(|token| token.stem() <= looked_at).fold(Self::default(), |Self { known, all }, token| {
            let is_known = prior.commonness(token.stem()) != Commonness::default();
            Self { known: known + u64::from(is_known), all: all + 1 }
        })
    }

    pub(crate) fn add(self, other: Self) -> Self {
        Self { known: self.known + other.known, all: self.all + other.all }
    }

    /// 1 if more than half of them are, as in any English text.
    pub(crate) fn share(self) -> f32 {
        match self.all {
            0 => 1.0,
            all => ((self.known as f32 / all as f32 - 0.2) / 0.3).clamp(0.0, 1.0),
        }
    }
}

/// The least weight of a stem that is evidence: what more than one in seven documents hold says nothing about a story.
const LEAST_IDF: u8 = (2.0 * UNIT) as u8;

/// The stems of one text that another text may share.
pub(crate) struct Features<'a> {
    pub(crate) head: &'a Head,
    /// What is left of a weight above this tells names apart.
    common: u8,
    /// The stems, and then their weights, four in a word.
    words: Cow<'a, [u32]>,
}

impl Features<'_> {
    /// The codes of distinct stems in the order in which they first stand in the text; a name if at least half of the times.
    #[inline(always)]
    pub(crate) fn stems(&self) -> &[u32] {
        &self.words[..self.head.stems as usize]
    }

    /// The inverse document frequency of each, in [`UNIT`]s.
    #[inline(always)]
    pub(crate) fn weights(&self) -> &[u8] {
        let stems = self.head.stems as usize;
        &store::bytes(&self.words[stems..])[..stems]
    }

    /// What a stem of this weight weighs as a name: only how rare it is among rare ones.
    #[inline(always)]
    pub(crate) fn name_weight(&self, idf: u8) -> u8 {
        idf.saturating_sub(self.common)
    }
}

/// The rare features of one text.
pub(crate) struct RareFeatures<'a> {
    /// The lower bits of the names of the lists, then the weights, and then the upper bits of long names, four in a word.
    words: Cow<'a, [u32]>,
    count: usize,
}

impl RareFeatures<'_> {
    /// The lists of rare features, ascending, and what each of these weighs as a pair of words; 0 if it is a stem.
    #[inline(always)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ListId, u8)> {
        let (lists, bytes) = self.words.split_at(self.count);
        let (weights, upper) = bytes.split_at(self.count.div_ceil(size_of::<u32>()));
        let upper = store::bytes(upper);
        let name = move |(at, &lower): (usize, &u32)| {
            let upper = upper.get(at).copied().unwrap_or_default();
            ListId::of_code(u64::from(upper) << u32::BITS | u64::from(lower))
        };
        lists.iter().enumerate().map(name).zip(store::bytes(weights).iter().copied())
    }
}

/// What is asked of a text most often.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Head {
    /// Number of words, stop words included.
    pub(crate) words: u32,
    /// Number of distinct stems, those included that no other text has.
    pub(crate) distinct: u32,
    /// How many of them general English has.
    english: u32,
    /// How many of the words are numbers, repeated ones repeatedly.
    figures: u32,
    pub(crate) kin: Kin,
    pub(crate) totals: Totals,
    /// How many of the stems stand before the end of each part but the last.
    parts: [u32; PARTS - 1],
    /// How many stems another text may share, and where they and their weights end in their block.
    stems: u32,
    stems_end: u32,
    /// The same of rare features.
    rare: u32,
    rare_end: u32,
}

impl Head {
    /// Whether it passes for the shorter one of two texts: that with less content. Of two with as much, what else was counted of them
    /// decides: only where all of that is equal does it matter which of them asks.
    #[inline]
    pub(crate) fn is_shorter(&self, other: &Self) -> bool {
        let counted = |of: &Self| {
            let Totals { stems, plain, names, named, numbers, pairs, parts, rare: _ } = of.totals;
            (stems, pairs, plain, names, named, numbers, parts, of.distinct, of.words, of.english, of.figures)
        };
        counted(self) <= counted(other)
    }

    /// The share of numbers among the words, 0 to 1.
    pub(crate) fn figures(&self) -> f32 {
        self.figures as f32 / self.words.max(1) as f32
    }

    /// How far the words are not those of general English: 0 if half of them are, 1 if hardly any is. Numbers are of no language.
    pub(crate) fn foreign(&self) -> f32 {
        let words = self.distinct.saturating_sub(self.totals.numbers);
        let english = self.english as f32 / words.max(1) as f32;
        ((0.35 - english) / 0.15).clamp(0.0, 1.0)
    }

    /// What is known of a text whatever it is compared with, as numbers.
    pub(crate) fn numbers(&self) -> [u32; Self::NUMBERS] {
        let &Self { words, distinct, english, figures, kin, ref totals, .. } = self;
        let Totals { stems, plain, names, named, numbers, pairs, parts: [a, b, c, d, e, f], .. } = *totals;
        let kin = kin.code().into();
        [words, distinct, english, figures, kin, stems, plain, names, named, numbers, pairs, a, b, c, d, e, f]
    }

    /// How many [`numbers`](Self::numbers) there are.
    pub(crate) const NUMBERS: usize = 17;

    /// A head of such numbers, which knows of no stems.
    pub(crate) fn of_numbers(of: [u32; Self::NUMBERS]) -> Self {
        let [words, distinct, english, figures, kin, stems, plain, names, named, numbers, pairs, parts @ ..] = of;
        let totals = Totals { stems, plain, names, named, numbers, pairs, parts, rare: 0 };
        Self { words, distinct, english, figures, kin: Kin::of_code(kin as u8), totals, ..Self::default() }
    }

    /// The part of the text, below [`PARTS`], in which its so-manieth stem first stands.
    #[inline(always)]
    pub(crate) fn part(&self, stem: usize) -> usize {
        self.parts.iter().map(|&end| usize::from(stem >= end as usize)).sum()
    }
}

/// What a larger corpus says of features, so that texts weigh what they would weigh in there.
#[derive(Clone, Copy)]
pub(crate) struct Larger<'c> {
    pub(crate) documents: usize,
    pub(crate) english: f32,
    pub(crate) frequencies: &'c Frequencies,
}

/// What was found out about some of the features of a chunk, as it is written into words.
struct Learned<'a> {
    /// Where the rare features of each text end.
    ends: &'a [u32],
    /// The names of their lists, the upper bits of long ones by themselves, and what they weigh as pairs of words.
    lists: &'a [u32],
    upper: &'a [u8],
    weights: &'a [u8],
    /// For each content word whose stem was among the features the code of how many documents hold it.
    held: &'a [u8],
}

impl<'a> Learned<'a> {
    fn write(&self, words: &mut Vec<u32>) {
        words.clear();
        words.extend_from_slice(self.ends);
        words.extend_from_slice(self.lists);
        store::add_bytes(words, self.upper);
        store::add_bytes(words, self.weights);
        store::add_bytes(words, self.held);
    }

    /// What was written of so many texts.
    fn of(words: &'a [u32], texts: usize, names: Names) -> Self {
        let (ends, words) = words.split_at(texts);
        let rare = ends.last().map_or(0, |&end| end as usize);
        let upper = if names.are_long() { rare } else { 0 };
        let (lists, words) = words.split_at(rare);
        let (upper_words, words) = words.split_at(upper.div_ceil(size_of::<u32>()));
        let (weights, held) = words.split_at(rare.div_ceil(size_of::<u32>()));
        let (upper, weights) = (&store::bytes(upper_words)[..upper], &store::bytes(weights)[..rare]);
        Self { ends, lists, upper, weights, held: store::bytes(held) }
    }
}

/// A chunk of texts whose features are being counted.
struct Draft<'d> {
    weigher: &'d Weigher,
    larger: Option<Larger<'d>>,
    names: Names,
    heads: &'d mut [Head],
    store: &'d Store,
    /// What was learned in each part, as [`Learned`] writes it.
    learned: Vec<Block>,
}

/// Texts whose rare features are kept together: so many that these have about the size of what was learned in one part, whose
/// place in memory they take.
const RARE_RUN: usize = CHUNK / 4;

/// Where finished features are kept.
struct Finished {
    stems: Store,
    rare: Store,
}

impl Draft<'_> {
    /// Weighs the stems of the chunk, and puts together what was learned of each text; both are in the scratch then.
    fn finish(self, chunk: TokenChunk<'_>, words: impl Fn(usize) -> u32, parts: Parts, scratch: &mut Scratch) {
        let Scratch { known, stems, packed, rare_packed, rare_ends, .. } = scratch;
        let Self { weigher, heads, store, learned, .. } = self;
        let prior = Prior::get();
        let learned: Vec<Cow<'_, [u32]>> = learned.iter().map(|part| store.get(part)).collect();
        let learned: Vec<Learned<'_>> =
            learned.iter().map(|part| Learned::of(part, heads.len(), parts.names())).collect();

        let mut next = vec![0; parts.len()];
        let mut weights = Vec::new();
        packed.clear();
        packed.reserve(chunk.words() * 5 / 4 + heads.len());
        for ((text, head), tokens) in heads.iter_mut().enumerate().zip(chunk.texts()) {
            weights.clear();
            let held = |token: Token| {
                let part = parts.of(alone(token.stem()));
                let held = Held::of_code(learned[part].held.get(next[part]).copied().unwrap_or_default());
                next[part] += 1;
                held
            };
            head.words = words(text);
            find_stems(tokens, weigher, prior, (known, stems), head, (packed, &mut weights), held);
            store::add_bytes(packed, &weights);
            head.stems = weights.len() as u32;
            head.stems_end = packed.len() as u32;
        }
        let mut upper = Vec::new();
        rare_packed.clear();
        rare_ends.clear();
        for (text, head) in heads.iter_mut().enumerate() {
            if text > 0 && text.is_multiple_of(RARE_RUN) {
                rare_ends.push(rare_packed.len());
            }
            weights.clear();
            upper.clear();
            // Parts are in the order of the buckets, so that lists ascend from one to the next as well.
            for part in &learned {
                let rare = span(part.ends, text);
                rare_packed.extend_from_slice(&part.lists[rare.clone()]);
                upper.extend_from_slice(part.upper.get(rare.clone()).unwrap_or_default());
                weights.extend_from_slice(&part.weights[rare]);
            }
            store::add_bytes(rare_packed, &weights);
            store::add_bytes(rare_packed, &upper);
            head.rare = weights.len() as u32;
            head.rare_end = (rare_packed.len() - rare_ends.last().unwrap_or(&0)) as u32;
        }
        rare_ends.push(rare_packed.len());
    }
}

impl Learn for Draft<'_> {
    type Scratch = Scratch;

    fn learn(&mut self, tokens: TokenChunk<'_>, answers: &mut Answers, scratch: &mut Scratch) {
        let Scratch { asked, lists, rare, packed, .. } = scratch;
        let are_about = answers.are_about();
        rare.clear();
        for (head, tokens) in self.heads.iter_mut().zip(tokens.texts()) {
            lists.clear();
            let note = |held: Held| rare.held.push(held.code() as u8);
            let (asked, totals) = (asked.choose(tokens, &are_about), &mut head.totals);
            // As one number, which sorts faster than two.
            let is_rare = |list: ListId, weight: u8| lists.push(list.code() << 8 | u64::from(weight));
            match self.larger {
                None => find_rare(asked, self.weigher, totals, |feature| answers.take(feature), is_rare, note),
                Some(Larger { frequencies, .. }) => {
                    let answer = |feature| answers.take(feature).at_least(frequencies.held(feature));
                    find_rare(asked, self.weigher, totals, answer, is_rare, note);
                }
            }
            lists.sort_unstable();
            rare.lists.extend(lists.iter().map(|&list| (list >> 8) as u32));
            if self.names.are_long() {
                rare.upper.extend(lists.iter().map(|&list| (list >> (8 + u32::BITS)) as u8));
            }
            rare.weights.extend(lists.iter().map(|&list| list as u8));
            rare.ends.push(rare.lists.len() as u32);
        }
        let Rare { ends, lists, upper, weights, held } = &*rare;
        Learned { ends, lists, upper, weights, held }.write(packed);
        self.learned.push(self.store.keep(&*packed));
    }
}

/// Features of one text that something is to be found out about.
#[derive(Default)]
struct Asked {
    /// Pairs, and the stems that they are of.
    pairs: Vec<(u64, [u32; 2])>,
    stems: Vec<u32>,
}

impl Asked {
    /// Those pairs of a text, and those stems, that are of interest, in order.
    #[inline(always)]
    fn choose(
        &mut self,
        tokens: impl ExactSizeIterator<Item = Token> + Clone,
        is_of_interest: impl Fn(u64) -> bool,
    ) -> (&[(u64, [u32; 2])], &[u32]) {
        let words = tokens.len();
        if self.stems.len() < words {
            self.pairs.resize(words, (0, [0; 2]));
            self.stems.resize(words, 0);
        }
        // Written in any case and overwritten if it is not: a branch would go the wrong way too often.
        let (mut pairs, mut stems) = (0, 0);
        neighbours(tokens.clone(), |one, other| {
            let feature = pair(one, other);
            self.pairs[pairs] = (feature, [one, other]);
            pairs += usize::from(is_of_interest(feature));
        });
        for token in tokens {
            self.stems[stems] = token.stem();
            stems += usize::from(is_of_interest(alone(token.stem())));
        }
        (&self.pairs[..pairs], &self.stems[..stems])
    }
}

/// Finds the rare features of a text among those that are of interest: `answer` says how many documents hold each and what it is called,
/// `is_rare` is told what it is called and what it weighs as a pair of words, and `note` how many hold each stem.
#[inline(always)]
fn find_rare<L>(
    (pairs, stems): (&[(u64, [u32; 2])], &[u32]),
    weigher: &Weigher,
    totals: &mut Totals,
    mut answer: impl FnMut(u64) -> Answer<L>,
    mut is_rare: impl FnMut(L, u8),
    mut note: impl FnMut(Held),
) {
    let prior = Prior::get();
    let counts = |answer: &Answer<L>| answer.held.code() <= MOST_DOCUMENTS as usize && answer.is_first;
    for &(pair, stems) in pairs {
        let answer = answer(pair);
        if counts(&answer) {
            let [one, other] = stems.map(|stem| prior.commonness(stem));
            let weight = weigher.idf(answer.held, one.of_pair(other));
            totals.pairs += u32::from(weight);
            totals.rare += weigher.rare(answer.held);
            if let Some(list) = answer.list {
                is_rare(list, weight);
            }
        }
    }
    for &stem in stems {
        let answer = answer(alone(stem));
        note(answer.held);
        if counts(&answer) {
            totals.rare += weigher.rare(answer.held);
            if let Some(list) = answer.list {
                is_rare(list, 0);
            }
        }
    }
}

/// Weighs the stems of a text for its head, and adds those that another text may share to `packed`, and their weights.
#[inline(always)]
fn find_stems(
    tokens: impl ExactSizeIterator<Item = Token>,
    weigher: &Weigher,
    prior: &Prior,
    (known, stems): (&mut Known, &mut Vec<Found>),
    head: &mut Head,
    (packed, weights): (&mut Vec<u32>, &mut Vec<u8>),
    mut held: impl FnMut(Token) -> Held,
) {
    let content_words = tokens.len();
    known.reset(content_words);
    stems.clear();
    head.figures = 0;
    for (at, token) in tokens.enumerate() {
        head.figures += u32::from(token.is_number());
        let held = held(token);
        let stem = known.insert(alone(token.stem()), stems.len() as u32).map_or(stems.len(), |stem| stem as usize);
        if stem == stems.len() {
            let english = prior.commonness(token.stem());
            stems.push(Found { token, first: at as u32, times: 0, names: 0, held, english });
        }
        stems[stem].times += 1;
        stems[stem].names += u32::from(token.is_name());
    }
    head.distinct = stems.len() as u32;
    head.english = stems.iter().map(|found| u32::from(found.is_english())).sum();
    head.kin = Kin::of(stems, head.english, weigher.counted);
    let common = weigher.common(head.kin);
    for found in stems.iter() {
        let part = found.first as usize * PARTS / content_words;
        let is_name = 2 * found.names >= found.times;
        let idf = weigher.idf_among(head.kin, found.token, found.held, found.english);
        if idf < LEAST_IDF {
            continue;
        }
        let stem = found.token.named(is_name);
        head.totals.add(stem, (idf, idf.saturating_sub(common)), part);
        if found.held != Held::ALONE {
            packed.push(stem.code());
            weights.push(idf);
            head.parts.iter_mut().skip(part).for_each(|end| *end += 1);
        }
    }
}

/// How many numbers are known of a text beside its stems: see [`Weighed::numbers`].
pub(crate) const HEAD_NUMBERS: usize = Head::NUMBERS + 3 + (PARTS - 1);

/// The weighed features of one text by itself.
#[derive(Debug)]
pub(crate) struct Weighed {
    head: Head,
    common: u8,
    words: Vec<u32>,
    /// Its rare features, ascending, and what each weighs as a pair of words; 0 if it is a stem.
    pub(crate) rare: Vec<(u64, u8)>,
}

impl Weighed {
    /// Weighs one text of these content words, and so many words in all, where so many documents hold each feature.
    pub(crate) fn new(tokens: &[Token], words: u32, weigher: &Weigher, held: impl Fn(u64) -> Held) -> Self {
        let prior = Prior::get();
        let (mut head, mut rare) = (Head { words, ..Head::default() }, Vec::new());
        let all = || tokens.iter().copied();
        let mut seen = Seen::of(2 * tokens.len());
        let answer = |feature: u64| {
            let held = held(feature);
            Answer { held, list: held.is_rare().then_some(feature), is_first: seen.is_new(feature) }
        };
        let mut asked = Asked::default();
        let is_rare = |feature, weight| rare.push((feature, weight));
        find_rare(asked.choose(all(), |_| true), weigher, &mut head.totals, answer, is_rare, |_| {});
        rare.sort_unstable();
        let (mut packed, mut weights) = (Vec::new(), Vec::new());
        let scratch = (&mut Known::default(), &mut Vec::new());
        find_stems(all(), weigher, prior, scratch, &mut head, (&mut packed, &mut weights), |token| {
            held(alone(token.stem()))
        });
        store::add_bytes(&mut packed, &weights);
        head.stems = weights.len() as u32;
        Self { head, common: weigher.common(head.kin), words: packed, rare }
    }

    pub(crate) fn features(&self) -> Features<'_> {
        Features { head: &self.head, common: self.common, words: (&self.words[..]).into() }
    }

    /// What is known of the text but its rare features, as numbers of which [`from_numbers`](Self::from_numbers) makes it again.
    pub(crate) fn numbers(&self) -> [u32; HEAD_NUMBERS] {
        let Head { totals, parts, stems, .. } = self.head;
        let more = [stems, self.common.into(), totals.rare].into_iter().chain(parts);
        let mut numbers = [0; HEAD_NUMBERS];
        numbers.iter_mut().zip(self.head.numbers().into_iter().chain(more)).for_each(|(to, number)| *to = number);
        numbers
    }

    /// A text of these numbers, the codes of the stems that others may share, and the weights of these; without rare features.
    pub(crate) fn from_numbers(numbers: [u32; HEAD_NUMBERS], mut codes: Vec<u32>, weights: &[u8]) -> Self {
        let more = |at: usize| numbers[Head::NUMBERS + at];
        let mut head = Head::of_numbers(std::array::from_fn(|at| numbers[at]));
        head.totals.rare = more(2);
        head.parts = std::array::from_fn(|part| more(3 + part));
        let stems = codes.len().min(weights.len());
        codes.truncate(stems);
        store::add_bytes(&mut codes, &weights[..stems]);
        head.stems = stems as u32;
        Self { head, common: more(1) as u8, words: codes, rare: Vec::new() }
    }

    /// The weight of all its rare features.
    pub(crate) fn rare_total(&self) -> u32 {
        self.head.totals.rare
    }

    /// The weight of all its pairs of words.
    pub(crate) fn pair_total(&self) -> u32 {
        self.head.totals.pairs
    }

    /// How many of its rare features another text has as well, and what these weigh as pairs of words.
    pub(crate) fn shared(&self, other: &Self) -> (u32, u32) {
        let mut theirs = other.rare.iter().peekable();
        let (mut both, mut pairs) = (0, 0);
        for &(feature, weight) in &self.rare {
            while theirs.next_if(|their| their.0 < feature).is_some() {}
            if theirs.peek().is_some_and(|their| their.0 == feature) {
                both += 1;
                pairs += u32::from(weight);
            }
        }
        (both, pairs)
    }
}

/// Space that one thread reuses from text to text.
#[derive(Default)]
struct Scratch {
    asked: Asked,
    known: Known,
    stems: Vec<Found>,
    lists: Vec<u64>,
    rare: Rare,
    packed: Vec<u32>,
    rare_packed: Vec<u32>,
    /// Where each run of texts ends in what was packed of rare features.
    rare_ends: Vec<usize>,
}

/// What [`Learned`] looks at, while it grows.
#[derive(Default)]
struct Rare {
    ends: Vec<u32>,
    lists: Vec<u32>,
    upper: Vec<u8>,
    weights: Vec<u8>,
    held: Vec<u8>,
}

impl Rare {
    fn clear(&mut self) {
        self.ends.clear();
        self.lists.clear();
        self.upper.clear();
        self.weights.clear();
        self.held.clear();
    }
}

/// A distinct stem of a text.
struct Found {
    token: Token,
    /// The place of the first among the content words.
    first: u32,
    times: u32,
    names: u32,
    held: Held,
    english: Commonness,
}

impl Found {
    /// Whether general English has it.
    fn is_english(&self) -> bool {
        self.english != Commonness::default()
    }
}

/// The features of a text that were seen before, each with a number: open addressing by upper bits.
#[derive(Default)]
struct Known {
    /// Features and their numbers and 1; 0 for a free slot.
    slots: Vec<(u64, u32)>,
    shift: u32,
}

impl Known {
    fn reset(&mut self, features: usize) {
        let bits = (features * 2).next_power_of_two().trailing_zeros().max(1);
        self.slots.clear();
        self.slots.resize(1 << bits, (0, 0));
        self.shift = FEATURE_BITS - bits;
    }

    /// The number of a feature that is known.
    #[inline(always)]
    fn get(&self, feature: u64) -> Option<u32> {
        let mut at = (feature >> self.shift) as usize;
        loop {
            match self.slots[at] {
                (_, 0) => return None,
                (known, number) if known == feature => return Some(number - 1),
                _ => at = (at + 1) & (self.slots.len() - 1),
            }
        }
    }

    /// The number of a feature that is known; else it is noted with this one.
    #[inline(always)]
    fn insert(&mut self, feature: u64, number: u32) -> Option<u32> {
        let mut at = (feature >> self.shift) as usize;
        loop {
            let slot = &mut self.slots[at];
            if slot.1 == 0 {
                *slot = (feature, number + 1);
                return None;
            }
            if slot.0 == feature {
                return Some(slot.1 - 1);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }
}

/// The features of a text that were seen before: open addressing by upper bits.
struct Seen {
    /// Features; 0 for a free slot.
    slots: Vec<u64>,
    shift: u32,
    /// Whether the feature 0 was seen.
    zero: bool,
}

impl Seen {
    /// None so far of at most so many.
    fn of(features: usize) -> Self {
        let bits = (features * 2).next_power_of_two().trailing_zeros().max(1);
        Self { slots: vec![0; 1 << bits], shift: FEATURE_BITS - bits, zero: false }
    }

    /// Whether a feature was not seen before; it is from now on.
    #[inline(always)]
    fn is_new(&mut self, feature: u64) -> bool {
        if feature == 0 {
            return !std::mem::replace(&mut self.zero, true);
        }
        let mut at = (feature >> self.shift) as usize;
        while self.slots[at] != 0 {
            if self.slots[at] == feature {
                return false;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
        self.slots[at] = feature;
        true
    }
}

/// The content view of a corpus: the features of all texts.
pub(crate) struct Content {
    heads: Vec<Head>,
    finished: Finished,
    /// For each chunk its stems.
    stems: Vec<Block>,
    /// For each run of [`RARE_RUN`] texts their rare features.
    rare: Vec<Block>,
    /// What is left of a weight above this tells names apart where all texts are kin.
    common: u8,
    /// For each text the weight of all rare features, and of all pairs of words: apart from the rest, since they are asked for of each
    /// text that is met.
    rare_totals: Vec<(u32, u32)>,
    /// The weight of all pairs of words by itself, since that alone is asked for of each neighbour again and again.
    pair_totals: Vec<u32>,
}

impl Content {
    /// What a text takes of memory whatever is given, in bytes.
    pub(crate) const BYTES_A_TEXT: usize = size_of::<Head>() + 3 * size_of::<u32>();

    /// Counts and weighs the features of all texts, which have so many words each; those of leaders alone count as
    /// documents and can be found: on the lists that come with it. A feature that a larger corpus has more often is as common as there.
    /// Takes the content words chunk by chunk and gives their memory back.
    ///
    /// # Errors
    /// As the frequencies have it.
    pub(crate) fn new(
        tokens: TokenChunks,
        words: impl Fn(usize) -> u32 + Sync,
        leads: impl Fn(usize) -> bool + Sync,
        larger: Option<Larger<'_>>,
        budget: &Arc<Budget>,
    ) -> Result<(Self, Lists)> {
        let texts = tokens.texts();
        let documents = (0..texts).filter(|&text| leads(text)).count();
        let weigher = match larger {
            None => Weigher::new(documents, english_share(&tokens)),
            Some(larger) => Weigher::new(documents.max(larger.documents), larger.english),
        };
        let parts = Parts::new(texts, tokens.words(), budget);
        let mut heads = vec![Head::default(); texts];
        let store = budget.store(Share::Learned);
        let draft = |heads| {
            let learned = Vec::with_capacity(parts.len());
            Draft { weigher: &weigher, larger, names: parts.names(), heads, store: &store, learned }
        };
        let mut drafts: Vec<Draft<'_>> = heads.chunks_mut(CHUNK).map(draft).collect();
        let lists = frequencies::count(&tokens, &mut drafts, parts, &leads, budget)?;
        let finished = Finished { stems: budget.store(Share::Stems), rare: budget.store(Share::Rare) };
        let finish = |scratch: &mut Scratch, at: usize, draft: Draft<'_>, chunk: TokenChunk<'_>| {
            draft.finish(chunk, |text| words(at * CHUNK + text), parts, scratch);
        };
        let keep = |scratch: &mut Scratch, (), chunk: Block| {
            let Scratch { packed, rare_packed, rare_ends, .. } = scratch;
            let stems = finished.stems.keep_in_place_of(chunk, packed);
            let starts = std::iter::once(0).chain(rare_ends.iter().copied());
            let rare = starts.zip(&*rare_ends).map(|(start, &end)| finished.rare.keep(&rare_packed[start..end]));
            (stems, rare.collect::<Vec<Block>>())
        };
        let (stems, rare): (Vec<Block>, Vec<Vec<Block>>) =
            tokens.consume(drafts, Scratch::default, finish, keep).into_iter().unzip();
        budget.check()?;
        let rare_totals = heads.iter().map(|head| (head.totals.rare, head.totals.pairs)).collect();
        let pair_totals = heads.iter().map(|head| head.totals.pairs).collect();
        let rare = rare.into_iter().flatten().collect();
        let common = weigher.common(Kin::ALL);
        Ok((Self { heads, finished, stems, rare, common, rare_totals, pair_totals }, lists))
    }

    /// The weight of all rare features of a text, and of all its pairs of words.
    #[inline(always)]
    pub(crate) fn rare_totals(&self, text: u32) -> (u32, u32) {
        self.rare_totals[text as usize]
    }

    /// The weight of all pairs of words of a text.
    #[inline(always)]
    pub(crate) fn pair_total(&self, text: u32) -> u32 {
        self.pair_totals[text as usize]
    }

    /// Asks for the weight of all pairs of words of a text.
    #[inline(always)]
    pub(crate) fn fetch_pair_total(&self, text: u32) {
        arch::fetch(&self.pair_totals[text as usize]);
    }

    /// Asks for both weights of a text.
    #[inline(always)]
    pub(crate) fn fetch_totals(&self, text: u32) {
        arch::fetch(&self.rare_totals[text as usize]);
    }

    /// A text's head, and where what ends at a place of each head begins in the block of a run of so many texts.
    #[inline(always)]
    fn head(&self, text: u32, run: usize, end: impl Fn(&Head) -> u32) -> (&Head, Range<usize>) {
        let (text, head) = (text as usize, &self.heads[text as usize]);
        let start = if text % run == 0 { 0 } else { end(&self.heads[text - 1]) };
        (head, start as usize..end(head) as usize)
    }

    #[inline(always)]
    pub(crate) fn get(&self, text: u32) -> Features<'_> {
        let (head, words) = self.head(text, CHUNK, |head| head.stems_end);
        let words = self.finished.stems.part(&self.stems[text as usize / CHUNK], words);
        Features { head, common: head.kin.common().unwrap_or(self.common), words }
    }

    /// The rare features of a text.
    #[inline(always)]
    pub(crate) fn rare(&self, text: u32) -> RareFeatures<'_> {
        let (head, words) = self.head(text, RARE_RUN, |head| head.rare_end);
        let words = self.finished.rare.part(&self.rare[text as usize / RARE_RUN], words);
        RareFeatures { words, count: head.rare as usize }
    }

    /// Asks for what tells where that is which is compared of some texts, and then for that.
    pub(crate) fn fetch(&self, texts: impl Iterator<Item = u32> + Clone) {
        for text in texts.clone() {
            // A head is longer than what comes together, and where stems begin stands in the one before.
            let head = &self.heads[text as usize];
            arch::fetch(head);
            arch::fetch(&head.stems_end);
            arch::fetch(&self.heads[(text as usize).saturating_sub(1)].stems_end);
        }
        for text in texts {
            let (_, words) = self.head(text, CHUNK, |head| head.stems_end);
            let stems = &self.stems[text as usize / CHUNK];
            stems.fetch(words);
        }
    }

    /// Number of texts.
    pub(crate) fn len(&self) -> usize {
        self.heads.len()
    }

    /// What is asked of each text most often.
    pub(crate) fn heads(&self) -> &[Head] {
        &self.heads
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::content::tests::token_chunks;

    /// Texts whose content words are these.
    pub(crate) fn content(texts: &[&str]) -> (Content, Lists) {
        let tokens = |text: &&str| {
            let stem = |word: &str| Token::new(crate::hash::hash_bytes(word.as_bytes()), false, false);
            text.split(' ').map(stem).collect::<Vec<_>>()
        };
        let budget = Budget::unlimited();
        let tokens = token_chunks(&texts.iter().map(tokens).collect::<Vec<_>>(), &budget);
        Content::new(tokens, |text| texts[text].split(' ').count() as u32, |_| true, None, &budget).expect("few")
    }

    #[test]
    fn weights_fall_with_document_frequency() {
        let weigher = Weigher::new(100, 1.0);
        let idf = |held, english| weigher.idf(Held::new(held), Commonness(english));
        assert!(idf(2, 0) > idf(3, 0));
        assert!(idf(2, 0) > idf(2, 60));
        assert_eq!(idf(100, 165), 0);
    }

    #[test]
    fn weights_are_those_of_the_logarithm() {
        let weigher = Weigher::new(50_000, 1.0);
        for held in [1, 2, 7, 40, 127, 1000, 40_000] {
            let exact = UNIT * ln(54_000.0 / (held as f32 + 0.5));
            let found = f32::from(weigher.idf(Held::new(held), Commonness(0)));
            assert!((found - exact).abs() <= 1.4, "{found} for {exact}");
        }
    }

    #[test]
    fn only_what_others_share_is_kept_but_all_is_weighed() {
        let (found, lists) = content(&["orrin sallow gannet", "orrin sallow marrow", "tern"]);
        let first = found.get(0);
        assert_eq!((first.stems().len(), first.head.distinct), (2, 3));
        assert_eq!(found.rare(0).iter().count(), 3, "two stems and their pair");
        assert_eq!(found.rare_totals(0).0, 3 * rare_weights()[2] + 2 * rare_weights()[1]);
        assert_eq!(*lists.get(found.rare(0).iter().next().unwrap().0), [0, 1]);
        assert_eq!((found.get(2).stems().len(), found.get(2).head.distinct), (0, 1));
        let (known, _) = content(&["orrin sallow gannet", "orrin sallow gannet"]);
        assert_eq!(known.get(0).head.totals.stems, 3 * u32::from(known.get(0).weights()[0]));
    }

    #[test]
    fn stems_stand_in_the_order_and_part_of_their_first_place() {
        let text = "a1 b1 a1 c1 d1 e1 f1 a1 g1 h1 i1 j1";
        let (found, _) = content(&[text, text]);
        let features = found.get(0);
        assert_eq!(features.stems().len(), 10);
        let parts: Vec<usize> = (0..10).map(|stem| features.head.part(stem)).collect();
        assert_eq!(parts, [0, 0, 1, 2, 2, 3, 4, 4, 5, 5]);
    }
}
