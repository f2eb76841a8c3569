//! Frequencies to weighed features: of each text what another one may share, and what all that it has weighs.

use rayon::prelude::*;

use crate::content::{Commonness, Prior, Token, TokenChunk, UNIT, ln, pair, span, units};
use crate::error::Result;
use crate::frequencies::{self, Answers, CHUNK, Held, Learn, ListId, Lists, MOST_DOCUMENTS};

/// Into how many parts a text is cut to see where shared words stand.
pub(crate) const PARTS: usize = 6;

/// The weight of all features of a text, those included that no other text has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) stems: u32,
    /// Stems that are neither names nor numbers.
    pub(crate) plain: u32,
    pub(crate) names: u32,
    pub(crate) numbers: u32,
    pub(crate) pairs: u32,
    pub(crate) parts: [u32; PARTS],
    /// Features that at most [`MOST_DOCUMENTS`] documents hold, weighed by [`rare_weights`].
    pub(crate) rare: u32,
}

impl Totals {
    fn add(&mut self, stem: Token, (idf, rarity): (u8, u8), part: usize) {
        let idf = u32::from(idf);
        self.stems += idf;
        self.parts[part] += idf;
        match (stem.is_number(), stem.is_name()) {
            (true, _) => self.numbers += 1,
            (false, true) => self.names += u32::from(rarity),
            (false, false) => self.plain += idf,
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

/// What features weigh in a corpus of so many documents.
pub(crate) struct Weigher {
    documents: f32,
    /// The number of documents by the code for it.
    held: Vec<f32>,
    /// By the code, the documents that the prior expects among those that it counts as.
    english: Vec<f32>,
    /// The logarithm of 1 to 2, to be looked up by the first eight bits behind the point.
    logarithms: Vec<f32>,
    rare: [u32; MOST_DOCUMENTS as usize + 1],
}

impl Weigher {
    /// The weights for a corpus of so many documents.
    pub(crate) fn new(documents: usize) -> Self {
        Self {
            documents: ln(documents as f32 + Commonness::PRIOR_WEIGHT),
            held: (0..256).map(Held::documents).collect(),
            english: (0..=255).map(|code| Commonness(code).documents()).collect(),
            logarithms: (0..256).map(|step| ln(1.0 + (step as f32 + 0.5) / 256.0)).collect(),
            rare: rare_weights(),
        }
    }

    /// The logarithm of a number from 0.5 on, to three digits: weights are not finer.
    #[inline(always)]
    fn ln(&self, x: f32) -> f32 {
        let bits = x.to_bits();
        let exponent = (bits >> 23) as i32 - 127;
        exponent as f32 * std::f32::consts::LN_2 + self.logarithms[(bits >> 15) as usize & 255]
    }

    /// The inverse document frequency ln(N / n) of a feature.
    #[inline(always)]
    fn idf(&self, held: Held, english: Commonness) -> u8 {
        units(self.documents - self.ln(self.held[held.code()] + self.english[usize::from(english.0)] + 0.5))
    }

    /// How rare a stem of this weight is among rare ones, ln(300 / n), which tells names apart: the weight less this.
    fn common(&self) -> u8 {
        const LN_300: f32 = 5.703_782_5;
        units(self.documents - LN_300)
    }

    #[inline(always)]
    fn rare(&self, held: Held) -> u32 {
        self.rare.get(held.code().max(1)).copied().unwrap_or(0)
    }
}

/// The least weight of a stem that is evidence: what more than one in seven documents hold says nothing about a story.
const LEAST_IDF: u8 = (2.0 * UNIT) as u8;

/// The features of one text that another text may share.
#[derive(Clone, Copy)]
pub(crate) struct Features<'a> {
    pub(crate) head: &'a Head,
    /// Distinct stems in the order in which they first stand in the text; a name if at least half of the times.
    pub(crate) stems: &'a [Token],
    /// The inverse document frequency of each, in [`UNIT`]s.
    pub(crate) weights: &'a [u8],
    chunk: &'a FeatureChunk,
    text: usize,
}

impl<'a> Features<'a> {
    /// What a stem of this weight weighs as a name: only how rare it is among rare ones.
    #[inline(always)]
    pub(crate) fn name_weight(self, idf: u8) -> u8 {
        idf.saturating_sub(self.chunk.common)
    }

    /// The lists of rare features, ascending, and what each of these weighs as a pair of words; 0 if it is a stem.
    pub(crate) fn lists(self) -> impl Iterator<Item = (ListId, u8)> + 'a {
        let Self { chunk, text, .. } = self;
        chunk.lists.iter().flat_map(move |part| {
            let lists = span(&part.ends, text);
            part.lists[lists.clone()].iter().copied().zip(part.pair_weights[lists].iter().copied())
        })
    }
}

/// What is asked of a text most often.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Head {
    /// Number of words, stop words included.
    pub(crate) words: u32,
    /// Number of distinct stems, those included that no other text has.
    pub(crate) distinct: u32,
    pub(crate) totals: Totals,
    /// How many of the stems stand before the end of each part but the last.
    parts: [u32; PARTS - 1],
    /// Where in its chunk the stems end.
    stems_end: u32,
}

impl Head {
    /// The part of the text, below [`PARTS`], in which its so-manieth stem first stands.
    #[inline(always)]
    pub(crate) fn part(&self, stem: usize) -> usize {
        self.parts.iter().map(|&end| usize::from(stem >= end as usize)).sum()
    }
}

/// The features of a chunk of texts.
#[derive(Default)]
pub(crate) struct FeatureChunk {
    heads: Vec<Head>,
    stems: Vec<Token>,
    weights: Vec<u8>,
    /// What is left of a weight above this tells names apart.
    common: u8,
    /// The rare features, in as many parts as they were counted.
    lists: Vec<RareFeatures>,
}

/// Rare features of a chunk of texts.
#[derive(Clone, Default)]
struct RareFeatures {
    /// Where those of each text end.
    ends: Vec<u32>,
    lists: Vec<ListId>,
    pair_weights: Vec<u8>,
}

impl RareFeatures {
    fn clear(&mut self) {
        self.ends.clear();
        self.lists.clear();
        self.pair_weights.clear();
    }
}

impl FeatureChunk {
    #[inline(always)]
    pub(crate) fn get(&self, text: usize) -> Features<'_> {
        let head = &self.heads[text];
        let start = text.checked_sub(1).map_or(0, |before| self.heads[before].stems_end as usize);
        let stems = start..head.stems_end as usize;
        Features { head, stems: &self.stems[stems.clone()], weights: &self.weights[stems], chunk: self, text }
    }
}

/// A chunk of texts whose features are being counted.
struct Draft<'w> {
    chunk: TokenChunk,
    weigher: &'w Weigher,
    /// For each content word the code of how many documents hold its stem.
    held: Vec<u8>,
    heads: Vec<Head>,
    lists: Vec<RareFeatures>,
}

impl<'w> Draft<'w> {
    fn new(chunk: TokenChunk, weigher: &'w Weigher) -> Self {
        Self {
            held: vec![Held::ALONE.code() as u8; chunk.words()],
            heads: vec![Head::default(); chunk.len()],
            lists: Vec::new(),
            chunk,
            weigher,
        }
    }

    /// Weighs the stems. They take the memory of the content words, and their weights that of the frequencies.
    fn finish(self, words: impl Fn(usize) -> u32, scratch: &mut Scratch) -> FeatureChunk {
        let Scratch { known, stems, .. } = scratch;
        let Self { chunk, weigher, mut held, mut heads, lists } = self;
        let prior = Prior::get();
        let (mut tokens, ends) = chunk.into_parts();
        let common = weigher.common();
        let (mut begin, mut kept) = (0, 0);
        for ((text, head), &end) in heads.iter_mut().enumerate().zip(&ends) {
            let end = end as usize;
            known.reset(end - begin);
            stems.clear();
            for (at, (&token, &held)) in tokens[begin..end].iter().zip(&held[begin..end]).enumerate() {
                let stem = known.insert(token.stem(), stems.len() as u32).map_or(stems.len(), |stem| stem as usize);
                if stem == stems.len() {
                    stems.push(Found { token, first: at as u32, times: 0, names: 0, held: Held::of_code(held) });
                }
                stems[stem].times += 1;
                stems[stem].names += u32::from(token.is_name());
            }
            head.words = words(text);
            head.distinct = stems.len() as u32;
            for found in stems.iter() {
                let part = found.first as usize * PARTS / (end - begin);
                let is_name = 2 * found.names >= found.times;
                let idf = weigher.idf(found.held, prior.commonness(found.token.stem()));
                if idf < LEAST_IDF {
                    continue;
                }
                let stem = found.token.named(is_name);
                head.totals.add(stem, (idf, idf.saturating_sub(common)), part);
                if found.held != Held::ALONE {
                    tokens[kept] = stem;
                    held[kept] = idf;
                    kept += 1;
                    head.parts.iter_mut().skip(part).for_each(|end| *end += 1);
                }
            }
            head.stems_end = kept as u32;
            begin = end;
        }
        tokens.truncate(kept);
        tokens.shrink_to_fit();
        held.truncate(kept);
        held.shrink_to_fit();
        FeatureChunk { heads, stems: tokens, weights: held, common, lists }
    }
}

impl Learn for Draft<'_> {
    type Scratch = Scratch;

    fn tokens(&self) -> &TokenChunk {
        &self.chunk
    }

    fn learn(&mut self, mut answers: Answers, Scratch { known, lists, found, .. }: &mut Scratch) {
        let prior = Prior::get();
        found.clear();
        let mut helds = self.held.iter_mut();
        for (head, tokens) in self.heads.iter_mut().zip(self.chunk.texts()) {
            known.reset(2 * tokens.len());
            lists.clear();
            let mut before = None;
            for token in tokens {
                let id = token.stem();
                if let Some(neighbour) = before.replace(id).filter(|&before| before != id) {
                    let pair = pair(neighbour, id);
                    if let Some((held, list)) = answers.take(pair)
                        && held.code() <= MOST_DOCUMENTS as usize
                        && known.insert(pair, 0).is_none()
                    {
                        let english = prior.commonness(neighbour).of_pair(prior.commonness(id));
                        let weight = self.weigher.idf(held, english);
                        head.totals.pairs += u32::from(weight);
                        head.totals.rare += self.weigher.rare(held);
                        lists.extend(list.map(|list| (list, weight)));
                    }
                }
                let of_token = helds.next();
                if let (Some((held, list)), Some(of_token)) = (answers.take(id), of_token) {
                    *of_token = held.code() as u8;
                    if held.code() <= MOST_DOCUMENTS as usize && known.insert(id, 0).is_none() {
                        head.totals.rare += self.weigher.rare(held);
                        lists.extend(list.map(|list| (list, 0)));
                    }
                }
            }
            lists.sort_unstable();
            found.lists.extend(lists.iter().map(|&(list, _)| list));
            found.pair_weights.extend(lists.iter().map(|&(_, weight)| weight));
            found.ends.push(found.lists.len() as u32);
        }
        // Memory that stays is asked for when it is known how much.
        drop(answers);
        self.lists.push(found.clone());
    }
}

/// Space that one thread reuses from text to text.
#[derive(Default)]
struct Scratch {
    known: Known,
    stems: Vec<Found>,
    lists: Vec<(ListId, u8)>,
    found: RareFeatures,
}

/// A distinct stem of a text.
struct Found {
    token: Token,
    /// The place of the first among the content words.
    first: u32,
    times: u32,
    names: u32,
    held: Held,
}

/// The features of a text that were seen before, each with a number: open addressing by upper bits.
#[derive(Default)]
struct Known {
    /// Features and their numbers and 1; 0 for a free slot.
    slots: Vec<(u32, u32)>,
    shift: u32,
}

impl Known {
    fn reset(&mut self, features: usize) {
        let bits = (features * 2).next_power_of_two().trailing_zeros().max(1);
        self.slots.clear();
        self.slots.resize(1 << bits, (0, 0));
        self.shift = 32 - bits;
    }

    /// The number of a feature that is known; else it is noted with this one.
    #[inline(always)]
    fn insert(&mut self, feature: u32, number: u32) -> Option<u32> {
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

/// The content view of a corpus: the features of all texts, and which texts hold the rare ones.
#[derive(Default)]
pub(crate) struct Content {
    chunks: Vec<FeatureChunk>,
    pub(crate) lists: Lists,
    /// The weight of all pairs of words of each text, and of all rare features, side by side: they are asked for far more
    /// often than the rest.
    pub(crate) pair_totals: Vec<u32>,
    pub(crate) rare_totals: Vec<u32>,
}

impl Content {
    /// Counts and weighs the features of all texts, which have so many words each; those of leaders alone count as
    /// documents and can be found. Takes the content words chunk by chunk and gives their memory back.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) as the frequencies have it.
    pub(crate) fn new(
        chunks: Vec<TokenChunk>,
        words: impl Fn(usize) -> u32 + Sync,
        leads: impl Fn(usize) -> bool + Sync,
    ) -> Result<Self> {
        let texts = chunks.iter().map(TokenChunk::len).sum();
        let weigher = Weigher::new((0..texts).filter(|&text| leads(text)).count());
        let mut chunks: Vec<Draft> = chunks.into_iter().map(|chunk| Draft::new(chunk, &weigher)).collect();
        let lists = frequencies::count(&mut chunks, &leads)?;
        let finish =
            |scratch: &mut Scratch, (at, chunk): (usize, Draft)| chunk.finish(|text| words(at * CHUNK + text), scratch);
        let chunks: Vec<FeatureChunk> = chunks.into_par_iter().enumerate().map_init(Scratch::default, finish).collect();
        let totals =
            |of: fn(&Totals) -> u32| chunks.iter().flat_map(|chunk| &chunk.heads).map(move |head| of(&head.totals));
        Ok(Self {
            pair_totals: totals(|totals| totals.pairs).collect(),
            rare_totals: totals(|totals| totals.rare).collect(),
            lists,
            chunks,
        })
    }

    #[inline(always)]
    pub(crate) fn get(&self, text: u32) -> Features<'_> {
        self.chunks[text as usize / CHUNK].get(text as usize % CHUNK)
    }

    /// Something of the beginning of what is compared of a text, of no meaning: reading it brings the rest near.
    pub(crate) fn peek(&self, text: u32) -> u32 {
        let text = self.get(text);
        text.stems.first().map_or(0, |stem| stem.stem()) ^ text.weights.first().map_or(0, |&weight| weight.into())
    }

    /// Number of texts.
    pub(crate) fn len(&self) -> usize {
        self.rare_totals.len()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Texts whose content words are these.
    pub(crate) fn content(texts: &[&str]) -> Content {
        let tokens = |text: &&str| {
            let stem = |word: &str| Token::new(crate::hash::hash_bytes(word.as_bytes()), false, false);
            text.split(' ').map(stem).collect::<Vec<_>>()
        };
        let mut chunks = Vec::new();
        for texts in texts.chunks(CHUNK) {
            let mut chunk = TokenChunk::default();
            texts.iter().for_each(|text| chunk.push(&tokens(text)));
            chunks.push(chunk);
        }
        Content::new(chunks, |text| texts[text].split(' ').count() as u32, |_| true).expect("few")
    }

    #[test]
    fn weights_fall_with_document_frequency() {
        let weigher = Weigher::new(100);
        let idf = |held, english| weigher.idf(Held::new(held), Commonness(english));
        assert!(idf(2, 0) > idf(3, 0));
        assert!(idf(2, 0) > idf(2, 60));
        assert_eq!(idf(100, 165), 0);
    }

    #[test]
    fn weights_are_those_of_the_logarithm() {
        let weigher = Weigher::new(50_000);
        for held in [1, 2, 7, 40, 127, 1000, 40_000] {
            let exact = UNIT * ln(54_000.0 / (held as f32 + 0.5));
            let found = f32::from(weigher.idf(Held::new(held), Commonness(0)));
            assert!((found - exact).abs() <= 1.4, "{found} for {exact}");
        }
    }

    #[test]
    fn only_what_others_share_is_kept_but_all_is_weighed() {
        let found = content(&["orrin sallow gannet", "orrin sallow marrow", "tern"]);
        let first = found.get(0);
        assert_eq!((first.stems.len(), first.head.distinct), (2, 3));
        assert_eq!(first.lists().count(), 3, "two stems and their pair");
        assert_eq!(found.rare_totals[0], 3 * rare_weights()[2] + 2 * rare_weights()[1]);
        assert_eq!(found.lists.get(first.lists().next().unwrap().0), [0, 1]);
        assert_eq!((found.get(2).stems.len(), found.get(2).head.distinct), (0, 1));
        let known = content(&["orrin sallow gannet", "orrin sallow gannet"]);
        assert_eq!(known.get(0).head.totals.stems, 3 * u32::from(known.get(0).weights[0]));
    }

    #[test]
    fn stems_stand_in_the_order_and_part_of_their_first_place() {
        let text = "a1 b1 a1 c1 d1 e1 f1 a1 g1 h1 i1 j1";
        let found = content(&[text, text]);
        let features = found.get(0);
        assert_eq!(features.stems.len(), 10);
        let parts: Vec<usize> = (0..10).map(|stem| features.head.part(stem)).collect();
        assert_eq!(parts, [0, 0, 1, 2, 2, 3, 4, 4, 5, 5]);
    }
}
