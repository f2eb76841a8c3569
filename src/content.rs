//! Content features: what a text is about, whatever the words around it.
//!
//! Words that carry no content (stop words) are dropped, the others cut to a stem of five characters, so that *announce*,
//! *announced* and *announcement* are one. Features are the stems and the pairs of stems that stand next to each other.
//! What weight a feature has depends on how few documents hold it: in the corpus at hand, and in general English, of
//! which a small frozen table of document frequencies is part of the crate.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rayon::prelude::*;
use smallvec::SmallVec;

use crate::hash::{self, hash_bytes, mix2};
use crate::text::{self, Class, RawWord, Scan};

/// English words that say nothing of what a text is about.
const STOP_WORDS: &str = "a about above after again against all also am an and any are aren't as at be because been before \
    being below between both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during \
    each even every few for from further get got had hadn't has hasn't have haven't having he he'd he'll he's her here \
    here's hers herself him himself his how how's however i i'd i'll i'm i've if in into is isn't it it'd it'll it's its \
    itself just let's like may me might more most much must mustn't my myself no nor not now of off on once one only or \
    other others ought our ours ourselves out over own per said same say says shall she she'd she'll she's should \
    shouldn't since so some still such than that that's the their theirs them themselves then there there's these they \
    they'd they'll they're they've this those though through to too under until up upon us very via was wasn't we we'd \
    we'll we're we've were weren't what what's when when's where where's whether which while who who's whom whose why \
    will with within without won't would wouldn't yet you you'd you'll you're you've your yours yourself yourselves";

/// The longest stop word, in bytes.
const LONGEST_STOP_WORD: usize = 10;

/// A set of word hashes, for the question asked of every word: pairs of places, of which both are always looked at, for a
/// branch would go the wrong way every other time.
struct StopWords {
    places: Box<[[u64; 2]; 1024]>,
    /// Which bits of a hash say where it is: some that put no more than two words together.
    shift: u32,
}

impl StopWords {
    fn get() -> &'static Self {
        static SET: OnceLock<StopWords> = OnceLock::new();
        SET.get_or_init(|| (0..56).find_map(Self::with_shift).expect("the stop words fit the places"))
    }

    fn with_shift(shift: u32) -> Option<Self> {
        let mut set = Self { places: Box::new([[0; 2]; 1024]), shift };
        for word in STOP_WORDS.split_ascii_whitespace() {
            let hash = hash_bytes(word.as_bytes());
            let at = set.at(hash);
            *set.places[at].iter_mut().find(|place| **place == 0)? = hash;
        }
        Some(set)
    }

    #[inline(always)]
    fn at(&self, hash: u64) -> usize {
        (hash >> self.shift) as usize % 1024
    }

    #[inline(always)]
    fn contains(&self, hash: u64) -> bool {
        let [first, second] = self.places[self.at(hash)];
        (first == hash) | (second == hash)
    }
}

/// The stem of a word in [normal form](crate::Word::normalized), or none if the word carries no content.
///
/// A number is its own stem. Of other words a final *'s* is dropped and the first five characters are kept (as many as fit
/// 16 bytes); stop words and single letters carry no content, single characters of scripts without spaces do.
///
/// ```
/// use retold::stem;
///
/// assert_eq!(stem("announcement"), Some("annou"));
/// assert_eq!(stem("mayor's"), Some("mayor"));
/// assert_eq!(stem("2,500"), Some("2,500"));
/// assert_eq!(stem("the"), None);
/// ```
pub fn stem(word: &str) -> Option<&str> {
    let first = word.chars().next()?;
    if Class::of(first) == Class::Numeric {
        return Some(word);
    }
    if word.len() <= LONGEST_STOP_WORD && StopWords::get().contains(hash_bytes(word.as_bytes())) {
        return None;
    }
    let word = word.strip_suffix("'s").unwrap_or(word);
    let end = word.char_indices().map(|(at, c)| at + c.len_utf8()).take(5).take_while(|&end| end <= 16).last()?;
    let single = end == first.len_utf8() && Class::of(first) != Class::Solo;
    (!single).then(|| &word[..end])
}

/// The hash of a word's stem, by the bytes at hand and without branches, and whether the word has one; the same as hashing
/// what [`stem`] gives. Of the word the first five bytes must be ASCII.
#[inline(always)]
fn plain_stem_hash(word: &RawWord<'_>, stop_words: &StopWords) -> (u64, bool) {
    const HEAD: u64 = 0xff_ffff_ffff;
    let len = if word.long.is_empty() { word.len() } else { 16 };
    let is_stop_word = (len <= LONGEST_STOP_WORD) & stop_words.contains(word.hash);
    let last_two = (word.low >> (8 * (len.wrapping_sub(2) & 7))) as u16;
    let ends_in_s = (len <= 6) & (len > 2) & (last_two == u16::from_le_bytes(*b"'s"));
    let len = len - 2 * usize::from(ends_in_s);
    let kept = HEAD >> (8 * (5 - len.min(5)));
    let is_number = (word.low as u8).is_ascii_digit();
    let stem = hash::hash_short(word.low & kept, 0);
    (if is_number { word.hash } else { stem }, is_number | ((len > 1) & !is_stop_word))
}

#[cold]
fn slow_stem_hash(word: &RawWord<'_>) -> Option<u64> {
    let mut buffer = [0; 16];
    let bytes = word.bytes(&mut buffer);
    stem(&String::from_utf8_lossy(bytes)).map(|stem| hash_bytes(stem.as_bytes()))
}

/// A content word of a text: the upper 30 bits of the stem's hash, and two flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token(u32);

impl Token {
    const NAME: u32 = 1;
    const NUMBER: u32 = 2;

    #[inline(always)]
    fn new(stem: u64, name: bool, number: bool) -> Self {
        Self((stem >> 32) as u32 & !3 | (u32::from(name) * Self::NAME) | (u32::from(number) * Self::NUMBER))
    }

    /// The stem's id.
    #[inline(always)]
    pub(crate) fn stem(self) -> u32 {
        self.0 & !3
    }

    /// Whether the word is capitalised inside a sentence.
    pub(crate) fn is_name(self) -> bool {
        self.0 & Self::NAME != 0
    }

    /// Whether the word is a number.
    pub(crate) fn is_number(self) -> bool {
        self.0 & Self::NUMBER != 0
    }
}

/// Finds the content words among the words of a text, which it must be shown in order.
pub(crate) struct Tokens<'t> {
    text: &'t str,
    stop_words: &'static StopWords,
    last_end: usize,
}

impl<'t> Tokens<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, stop_words: StopWords::get(), last_end: 0 }
    }

    /// Adds those of `words` that are content words.
    pub(crate) fn collect(&mut self, words: &Scan, tokens: &mut Vec<Token>) {
        let mut count = tokens.len();
        tokens.resize(count + words.len(), Token(0));
        for word in words.iter() {
            let opens = self.last_end == 0 || opens_sentence(&self.text.as_bytes()[self.last_end..word.start]);
            self.last_end = word.end;
            let (stem, has_stem) = if word.low & 0x80_8080_8080 == 0 {
                plain_stem_hash(&word, self.stop_words)
            } else {
                slow_stem_hash(&word).map_or((0, false), |stem| (stem, true))
            };
            let name = !opens & text::is_capital(self.text, word.start);
            // Written in any case, and overwritten if it does not count.
            tokens[count] = Token::new(stem, name, (word.low as u8).is_ascii_digit());
            count += usize::from(has_stem);
        }
        tokens.truncate(count);
    }

    /// The stem of a word, if it is a content word.
    #[inline(always)]
    pub(crate) fn stem(&self, word: &RawWord<'_>) -> Option<u32> {
        let (stem, has_stem) = if word.low & 0x80_8080_8080 == 0 {
            plain_stem_hash(word, self.stop_words)
        } else {
            slow_stem_hash(word).map_or((0, false), |stem| (stem, true))
        };
        has_stem.then(|| Token::new(stem, false, false).stem())
    }
}

/// Whether what stands between two words lets a sentence begin. It is hardly ever longer than two bytes.
#[inline(always)]
fn opens_sentence(gap: &[u8]) -> bool {
    const OPENS: [bool; 256] = {
        let mut table = [false; 256];
        let mut openers: &[u8] = b".!?\n:\"\x9c";
        while let [opener, rest @ ..] = openers {
            table[*opener as usize] = true;
            openers = rest;
        }
        table
    };
    let opens = |byte: &u8| OPENS[usize::from(*byte)];
    match gap {
        [] => false,
        [first, rest @ ..] if rest.len() < 2 => opens(first) | opens(rest.first().unwrap_or(first)),
        _ => gap.iter().any(opens),
    }
}

/// How often stems occur in general English: in what share of the documents.
///
/// Counted by `examples/prior.rs` over 7,809 documents of 200 to 400 words: the Brown corpus, the written part of MASC,
/// ABC news, Wall Street Journal and newswire samples and presidential speeches, all as the NLTK project distributes them.
struct Prior {
    /// Stems and their shares, open addressing by the low bits of the stem's id.
    shares: Vec<(u32, f32)>,
}

impl Prior {
    const SIZE: usize = 1 << 14;

    fn get() -> &'static Self {
        static PRIOR: OnceLock<Prior> = OnceLock::new();
        PRIOR.get_or_init(|| {
            let mut prior = Self { shares: vec![(0, 0.0); Self::SIZE] };
            let mut lines = include_str!("content/prior.txt").lines();
            let documents: f32 = lines.next().and_then(|line| line.parse().ok()).unwrap_or(1.0);
            for line in lines {
                let mut words = line.split(' ');
                let count: f32 = words.next().and_then(|count| count.parse().ok()).unwrap_or(0.0);
                for stem in words {
                    let stem = Token::new(hash_bytes(stem.as_bytes()), false, false).stem();
                    let at = prior.find(stem);
                    prior.shares[at] = (stem, count / documents);
                }
            }
            prior
        })
    }

    /// Where a stem is, or where it would be.
    #[inline(always)]
    fn find(&self, stem: u32) -> usize {
        let mut at = (stem >> 2) as usize % Self::SIZE;
        while self.shares[at].1 > 0.0 && self.shares[at].0 != stem {
            at = (at + 1) % Self::SIZE;
        }
        at
    }

    #[inline(always)]
    fn share(&self, stem: u32) -> f32 {
        self.shares[self.find(stem)].1
    }
}

/// In what share of general English documents a stem occurs.
pub(crate) fn english_share(stem: u32) -> f32 {
    Prior::get().share(stem)
}

/// The id of an unordered pair of stems.
#[inline(always)]
pub(crate) fn pair(a: u32, b: u32) -> u32 {
    (mix2(a.min(b).into(), a.max(b).into()) >> 32) as u32
}

/// The pairs of different stems that are neighbours: the place of the first in `tokens`, and the pair.
#[inline(always)]
fn pairs(tokens: &[Token]) -> impl Iterator<Item = (usize, u32)> {
    let stems = tokens.windows(2).map(|two| (two[0].stem(), two[1].stem())).enumerate();
    stems.filter(|(_, (a, b))| a != b).map(|(at, (a, b))| (at, pair(a, b)))
}

/// Where a feature falls in a table of so many entries: its share of all ids, of the table.
#[inline(always)]
pub(crate) fn slot(feature: u32, entries: usize) -> usize {
    ((u64::from(feature) * entries as u64) >> 32) as usize
}

/// Which features stand in more than one place of a corpus.
///
/// Most pairs of words stand in one place only, and what one text has alone no comparison can find: leaving those out
/// early makes everything after it several times smaller. Two bits a feature; one that shares them with another is kept for
/// nothing, never lost.
#[derive(Default)]
pub(crate) struct Seen {
    cells: Vec<AtomicU64>,
}

impl Seen {
    /// Room for the features of so many bytes of text, of which there is about one in six bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        let words = (bytes / 2 / 32).clamp(128, 1 << 27);
        Self { cells: (0..words).map(|_| AtomicU64::new(0)).collect() }
    }

    /// Notes the features of a text. The result does not depend on the order of the texts.
    pub(crate) fn note(&self, tokens: &[Token]) {
        tokens.iter().for_each(|token| self.note_one(token.stem()));
        pairs(tokens).for_each(|(_, pair)| self.note_one(pair));
    }

    #[inline(always)]
    fn cell(&self, feature: u32) -> (&AtomicU64, u64) {
        let cell = slot(feature, self.cells.len() * 32);
        (&self.cells[cell / 32], 1 << (2 * (cell % 32)))
    }

    #[inline(always)]
    fn note_one(&self, feature: u32) {
        let (cell, once) = self.cell(feature);
        let before = cell.load(Ordering::Relaxed);
        if before & once == 0 {
            // Of two threads that come here at once, the later one finds the bit set.
            if cell.fetch_or(once, Ordering::Relaxed) & once == 0 {
                return;
            }
        }
        if before & once << 1 == 0 {
            cell.fetch_or(once << 1, Ordering::Relaxed);
        }
    }

    #[inline(always)]
    fn repeated(&self, feature: u32) -> bool {
        let (cell, once) = self.cell(feature);
        cell.load(Ordering::Relaxed) & once << 1 != 0
    }
}

/// Into how many parts a text is cut to see where shared words stand.
pub(crate) const PARTS: usize = 6;

/// Weights are whole numbers of this part of the natural logarithm, so that sums do not depend on the order of the summands.
pub(crate) const UNIT: f32 = 16.0;

/// Where a stem first stands in a text, how it is written there, and what it weighs. Five bytes, for there are as many
/// of these as words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    at: [u8; 2],
    /// The part of the text, and above three bits the kind.
    part_and_kind: u8,
    /// The inverse document frequency.
    pub(crate) weight: u8,
    /// How rare the stem is among rare ones; tells names apart.
    pub(crate) rarity: u8,
}

impl Place {
    fn new(at: u16, part: u8, kind: Kind) -> Self {
        Self { at: at.to_le_bytes(), part_and_kind: part | (kind as u8) << 3, weight: 0, rarity: 0 }
    }

    /// The number of the content word, halved as often as it must be for the last one of the text to fit.
    pub(crate) fn at(self) -> u16 {
        u16::from_le_bytes(self.at)
    }

    /// The part of the text, below [`PARTS`].
    pub(crate) fn part(self) -> usize {
        usize::from(self.part_and_kind & 7)
    }

    pub(crate) fn kind(self) -> Kind {
        match self.part_and_kind >> 3 {
            0 => Kind::Plain,
            1 => Kind::Name,
            _ => Kind::Number,
        }
    }
}

/// What kind of word a stem is in one text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Plain,
    /// Capitalised inside a sentence, at least half of the times.
    Name,
    Number,
}

/// The features of one text that another text may share, and the weight of all that it has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Features {
    /// Number of words, stop words included.
    pub(crate) words: u32,
    /// Number of distinct stems, those included that no other text has.
    pub(crate) distinct: u32,
    /// Distinct stems, ascending.
    pub(crate) stems: Box<[u32]>,
    /// What else is known of each stem.
    pub(crate) places: Box<[Place]>,
    /// Distinct pairs of neighbouring stems, ascending; the order within a pair does not matter. Once weighed, those that
    /// are evidence.
    pub(crate) pairs: Box<[u32]>,
    /// What each pair weighs; before that, how common it is in general English, see [`Commonness`].
    pub(crate) pair_weights: Box<[u8]>,
    pub(crate) totals: Totals,
}

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
    fn add(&mut self, place: Place) {
        self.stems += u32::from(place.weight);
        self.parts[place.part()] += u32::from(place.weight);
        match place.kind() {
            Kind::Plain => self.plain += u32::from(place.weight),
            Kind::Name => self.names += u32::from(place.rarity),
            Kind::Number => self.numbers += 1,
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

/// How many documents the prior for general English counts as.
const PRIOR_WEIGHT: f32 = 4000.0;

/// A pair of words that more documents hold is a common phrase, and no evidence, however large the corpus.
pub(crate) const MOST_DOCUMENTS: u32 = 40;

/// What a feature weighs in a corpus of so many documents.
pub(crate) struct Weigher {
    documents: f32,
    /// The weights of pairs by the documents that hold them and how common they are in general English.
    pairs: Vec<[u8; 256]>,
    rare: [u32; MOST_DOCUMENTS as usize + 1],
}

/// In how many of the documents that the prior counts as a pair is to be expected, in a byte: 0 for next to none, else the
/// logarithm and 2, in whole [`UNIT`]s.
struct Commonness(u8);

impl Commonness {
    /// Two words meet more often than chance has it, but no more often than the rarer of them occurs.
    fn of_pair(x: f32, y: f32) -> Self {
        let share = (20.0 * x * y).min(x.min(y));
        Self(if share > 0.0 { units(ln(PRIOR_WEIGHT * share) + 2.0) } else { 0 })
    }

    fn share(&self) -> f32 {
        if self.0 == 0 { 0.0 } else { exp(f32::from(self.0) / UNIT - 2.0) / PRIOR_WEIGHT }
    }
}

/// A logarithm in whole [`UNIT`]s, 0 to 255.
fn units(logarithm: f32) -> u8 {
    // The cast cuts off at both ends, and halves are added because rounding is a call where there is no SSE 4.1.
    (UNIT * logarithm + 0.5) as u8
}

impl Weigher {
    /// The weights for a corpus of so many documents.
    pub(crate) fn new(documents: usize) -> Self {
        let mut weigher = Self { documents: documents as f32, pairs: Vec::new(), rare: rare_weights() };
        weigher.pairs = (0..=MOST_DOCUMENTS)
            .map(|held| std::array::from_fn(|code| weigher.weight(held, Commonness(code as u8).share())))
            .collect();
        weigher
    }

    /// The inverse document frequency ln(N / n) of a feature that `held` documents of the corpus and the share `english` of
    /// general English hold.
    fn weight(&self, held: u32, english: f32) -> u8 {
        let share = (self.documents + PRIOR_WEIGHT) / (held as f32 + PRIOR_WEIGHT * english + 0.5);
        units(ln(share))
    }

    /// The weight of a pair that `held` documents hold, at most [`MOST_DOCUMENTS`].
    #[inline(always)]
    fn pair_weight(&self, held: u32, english: Commonness) -> u8 {
        self.pairs[held as usize][usize::from(english.0)]
    }

    /// ln(300 / n), which tells only rare features apart.
    fn rarity(held: u32, english: f32) -> u8 {
        units(ln(300.0 / (held as f32 + 10_000.0 * english).max(1.0)))
    }

    fn weigh(&self, place: &mut Place, stem: u32, held: u32) {
        let english = Prior::get().share(stem);
        place.weight = self.weight(held, english);
        place.rarity = Self::rarity(held, english);
    }
}

/// Space that one thread reuses from text to text.
#[derive(Default)]
pub(crate) struct FeatureScratch {
    stems: Vec<u64>,
    pairs: Vec<u64>,
    shares: Vec<f32>,
    repeated: Vec<bool>,
}

impl Features {
    /// Finds the features of a text; what no other text has goes into the totals only.
    pub(crate) fn new(
        words: u32,
        tokens: &[Token],
        seen: &Seen,
        weigher: &Weigher,
        scratch: &mut FeatureScratch,
    ) -> Self {
        let prior = Prior::get();
        let mut text = Self { words, ..Self::default() };
        let halvings = (tokens.len() >> 16).checked_ilog2().map_or(0, |bits| bits + 1);
        let place = |first: usize, names: usize, of: usize| {
            let kind = match (tokens[first].is_number(), names * 2 >= of) {
                (true, _) => Kind::Number,
                (false, true) => Kind::Name,
                (false, false) => Kind::Plain,
            };
            Place::new((first >> halvings) as u16, (first * PARTS / tokens.len()) as u8, kind)
        };
        let FeatureScratch { stems: order, pairs: found, shares, repeated } = scratch;
        let stems = tokens.iter().map(|token| token.stem());
        repeated.clear();
        repeated.extend(stems.chain(pairs(tokens).map(|(_, pair)| pair)).map(|id| seen.repeated(id)));
        let (stem_repeated, pair_repeated) = repeated.split_at(tokens.len());
        order.clear();
        for ((token, at), &repeated) in tokens.iter().zip(0..).zip(stem_repeated) {
            if repeated {
                order.push(u64::from(token.stem()) << 32 | at as u64);
            } else {
                let mut place = place(at, usize::from(token.is_name()), 1);
                weigher.weigh(&mut place, token.stem(), 1);
                text.totals.add(place);
                text.totals.rare += weigher.rare[1];
                text.distinct += 1;
            }
        }
        order.sort_unstable();
        let (mut stems, mut places) = (Vec::with_capacity(order.len()), Vec::with_capacity(order.len()));
        for same in order.chunk_by(|a, b| a >> 32 == b >> 32) {
            let token = |entry: u64| tokens[entry as u32 as usize];
            let names = same.iter().filter(|&&entry| token(entry).is_name()).count();
            stems.push((same[0] >> 32) as u32);
            places.push(place(same[0] as u32 as usize, names, same.len()));
        }
        shares.clear();
        shares.extend(tokens.iter().map(|token| prior.share(token.stem())));
        found.clear();
        for ((at, pair), &repeated) in pairs(tokens).zip(pair_repeated) {
            let english = Commonness::of_pair(shares[at], shares[at + 1]);
            if repeated {
                found.push(u64::from(pair) << 8 | u64::from(english.0));
            } else {
                text.totals.pairs += u32::from(weigher.pair_weight(1, english));
                text.totals.rare += weigher.rare[1];
            }
        }
        found.sort_unstable();
        found.dedup_by_key(|entry| *entry >> 8);
        text.distinct += stems.len() as u32;
        text.stems = stems.into();
        text.places = places.into();
        text.pairs = found.iter().map(|entry| (entry >> 8) as u32).collect();
        text.pair_weights = found.iter().map(|&entry| entry as u8).collect();
        text
    }

    /// Weighs the features by their frequencies; pairs that are no evidence are dropped.
    fn weigh(&mut self, weigher: &Weigher, frequencies: &Frequencies) {
        let rare = |held: u32| weigher.rare.get(held as usize).copied().unwrap_or(0);
        // All frequencies are asked for before the first is waited for.
        let held: SmallVec<[u32; 512]> = self.ids().map(|feature| frequencies.of(feature)).collect();
        let (of_stems, of_pairs) = held.split_at(self.stems.len());
        for ((&stem, place), &held) in self.stems.iter().zip(&mut self.places).zip(of_stems) {
            weigher.weigh(place, stem, held);
            self.totals.add(*place);
            self.totals.rare += rare(held);
        }
        let english = std::mem::take(&mut self.pair_weights);
        let (mut pairs, mut weights) = (Vec::with_capacity(english.len()), Vec::with_capacity(english.len()));
        for ((&pair, &english), &held) in self.pairs.iter().zip(&english).zip(of_pairs) {
            if held > MOST_DOCUMENTS {
                continue;
            }
            let weight = weigher.pair_weight(held, Commonness(english));
            self.totals.pairs += u32::from(weight);
            self.totals.rare += rare(held);
            if held > 1 {
                pairs.push(pair);
                weights.push(weight);
            }
        }
        self.pairs = pairs.into();
        self.pair_weights = weights.into();
    }

    /// Features of nothing but pairs, for tests.
    #[cfg(test)]
    pub(crate) fn of_pairs(pairs: Vec<u32>) -> Self {
        Self { pair_weights: pairs.iter().map(|_| 0).collect(), pairs: pairs.into(), ..Self::default() }
    }

    /// The ids of all features that another text may share.
    pub(crate) fn ids(&self) -> impl Iterator<Item = u32> {
        self.stems.iter().chain(&self.pairs).copied()
    }
}

/// In how many documents of a corpus each feature occurs. Features that share a counter look a little more frequent than
/// they are.
pub(crate) struct Frequencies {
    counters: Vec<u32>,
}

impl Frequencies {
    /// Counts the features of those texts of a corpus that count, and weighs those of all.
    pub(crate) fn weigh(corpus: &mut [Features], weigher: &Weigher, counts: impl Fn(usize) -> bool + Sync) -> Self {
        let features: usize = corpus.iter().map(|text| text.stems.len() + text.pairs.len()).sum();
        // Of the features that stay in several texts each one stands in about seven.
        let counters: Vec<AtomicU32> =
            (0..(features / 3).clamp(1 << 12, u32::MAX as usize)).map(|_| AtomicU32::new(0)).collect();
        let counted = corpus.par_iter().enumerate().filter(|&(text, _)| counts(text));
        counted.flat_map_iter(|(_, text)| text.ids()).for_each(|feature| {
            counters[slot(feature, counters.len())].fetch_add(1, Ordering::Relaxed);
        });
        let frequencies = Self { counters: counters.into_iter().map(AtomicU32::into_inner).collect() };
        corpus.par_iter_mut().for_each(|text| text.weigh(weigher, &frequencies));
        frequencies
    }

    /// The number of documents that hold a feature.
    #[inline(always)]
    pub(crate) fn of(&self, feature: u32) -> u32 {
        self.counters[slot(feature, self.counters.len())]
    }

    /// The counters, one for each [`slot`].
    pub(crate) fn into_counters(self) -> Vec<u32> {
        self.counters
    }
}

/// The natural logarithm of a positive number by basic arithmetic, so that it is the same on every platform.
pub(crate) fn ln(x: f32) -> f32 {
    let bits = f64::from(x).to_bits();
    let exponent = (bits >> 52) as i64 - 1023;
    let mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    // ln m = 2 artanh((m − 1) / (m + 1)), and the argument is below 1/3: eight terms give single precision.
    const TERMS: [f64; 8] = [1.0, 1.0 / 3.0, 1.0 / 5.0, 1.0 / 7.0, 1.0 / 9.0, 1.0 / 11.0, 1.0 / 13.0, 1.0 / 15.0];
    let t = (mantissa - 1.0) / (mantissa + 1.0);
    let square = t * t;
    let series = TERMS.iter().rev().fold(0.0, |sum, term| sum * square + term);
    (2.0 * t * series + exponent as f64 * std::f64::consts::LN_2) as f32
}

/// e to the x by basic arithmetic, so that it is the same on every platform.
pub(crate) fn exp(x: f32) -> f32 {
    let x = f64::from(x).clamp(-80.0, 80.0);
    let whole = (x * std::f64::consts::LOG2_E).round();
    let rest = x - whole * std::f64::consts::LN_2;
    let series = (1..14).rev().fold(1.0, |sum, k| 1.0 + sum * rest / f64::from(k));
    (series * f64::from_bits(((whole as i64 + 1023) as u64) << 52)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Words;
    use proptest::prelude::*;

    fn tokens(text: &str) -> Vec<Token> {
        let (mut finder, mut found) = (Tokens::new(text), Vec::new());
        text::walk(text, &mut text::Scratch::default(), |words| {
            finder.collect(words, &mut found);
        });
        found
    }

    #[test]
    fn stems_are_what_is_left_of_content_words() {
        let stems = |text: &str| -> Vec<String> {
            Words::new(text).filter_map(|word| stem(&word.normalized()).map(String::from)).collect()
        };
        assert_eq!(
            stems("The mayor’s announcements weren’t about 1,200 ferries"),
            ["mayor", "annou", "1,200", "ferri"]
        );
        assert_eq!(stems("A B-52 x ’s Iran's"), ["52", "iran"]);
        assert_eq!(stems("東京 Правительство"), ["東", "京", "прави"]);
    }

    #[test]
    fn names_are_capitals_inside_a_sentence() {
        let names = |text: &str| tokens(text).iter().filter(|token| token.is_name()).count();
        assert_eq!(names("Ferries left Port Orrin. Nobody saw Élodie"), 3);
        assert_eq!(names("they said: “Ferries left” Port"), 1, "a quote may open a sentence");
    }

    #[test]
    fn the_prior_knows_common_words() {
        let share = |word: &str| Prior::get().share(Token::new(hash_bytes(word.as_bytes()), false, false).stem());
        assert!(share("time") > 0.3 && share("ferri") < 0.01);
    }

    fn corpus(texts: &[&str]) -> Vec<Features> {
        let tokens: Vec<_> = texts.iter().map(|text| tokens(text)).collect();
        let seen = Seen::new(1000);
        tokens.iter().for_each(|tokens| seen.note(tokens));
        let weigher = Weigher::new(texts.len());
        let mut scratch = FeatureScratch::default();
        let mut corpus: Vec<_> = tokens
            .iter()
            .map(|tokens| Features::new(tokens.len() as u32, tokens, &seen, &weigher, &mut scratch))
            .collect();
        Frequencies::weigh(&mut corpus, &weigher, |_| true);
        corpus
    }

    #[test]
    fn weights_fall_with_document_frequency() {
        let weigher = Weigher::new(100);
        assert!(weigher.weight(2, 0.0) > weigher.weight(3, 0.0));
        assert!(weigher.weight(2, 0.0) > weigher.weight(2, 0.01));
        assert_eq!(weigher.weight(100, 1.0), 0);
    }

    #[test]
    fn only_what_others_share_is_kept_but_all_is_weighed() {
        let texts = ["orrin sallow gannet", "orrin sallow marrow", "tern"];
        let found = corpus(&texts);
        assert_eq!(found[0].stems.len(), 2);
        assert_eq!(found[0].pairs.len(), 1);
        assert_eq!(found[0].distinct, 3);
        assert_eq!(found[0].totals.rare, 3 * rare_weights()[2] + 2 * rare_weights()[1]);
        let invented = corpus(&["blorin fendal gnarto", "blorin fendal murrok"]);
        assert_eq!(invented[0].totals.stems, invented[1].totals.stems);
        assert_eq!((found[2].stems.len(), found[2].distinct), (0, 1));
    }

    proptest! {
        #[test]
        fn hashed_stems_are_those_of_the_plain_way(text in text::tests::mixed_text()) {
            let plain: Vec<_> = Words::new(&text)
                .filter_map(|word| stem(&word.normalized()).map(|stem| Token::new(hash_bytes(stem.as_bytes()), false, false).stem()))
                .collect();
            let hashed: Vec<_> = tokens(&text).into_iter().map(Token::stem).collect();
            prop_assert_eq!(hashed, plain);
        }

        #[test]
        fn logarithm_and_exponential_are_those_of_the_library(x in 1e-6f32..1e9, y in -60.0f32..60.0) {
            prop_assert!((ln(x) - x.ln()).abs() <= 1e-6 * x.ln().abs().max(1.0));
            prop_assert!((exp(y) / y.exp() - 1.0).abs() < 1e-5);
        }
    }
}
