//! Content features: what a text is about, whatever the words around it.
//!
//! Words that carry no content (stop words) are dropped, the others cut to a stem of five characters, so that *announce*,
//! *announced* and *announcement* are one. Features are the stems and the pairs of stems that stand next to each other.
//! What weight a feature has depends on how few documents hold it: in the corpus at hand, and in general English, of
//! which a small frozen table of document frequencies is part of the crate.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

use ahash::{HashMap, HashMapExt};
use rayon::prelude::*;

use crate::hash::{self, hash_bytes, mix2};
use crate::text::{self, Class, RawWord};

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

/// A set of word hashes, for the question asked of every word.
struct StopWords([u64; 1024]);

impl StopWords {
    fn get() -> &'static Self {
        static SET: OnceLock<StopWords> = OnceLock::new();
        SET.get_or_init(|| {
            let mut set = Self([0; 1024]);
            for word in STOP_WORDS.split_ascii_whitespace() {
                let hash = hash_bytes(word.as_bytes());
                let mut at = hash as usize % 1024;
                while set.0[at] != 0 {
                    at = (at + 1) % 1024;
                }
                set.0[at] = hash;
            }
            set
        })
    }

    #[inline(always)]
    fn contains(&self, hash: u64) -> bool {
        let mut at = hash as usize % 1024;
        while self.0[at] != 0 {
            if self.0[at] == hash {
                return true;
            }
            at = (at + 1) % 1024;
        }
        false
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

/// The hash of a word's stem, by the bytes at hand; the same as hashing what [`stem`] gives.
#[inline(always)]
fn stem_hash(word: &RawWord<'_>, stop_words: &StopWords) -> Option<u64> {
    const HEAD: u64 = 0xff_ffff_ffff;
    let plain = word.low & 0x80_8080_8080 == 0 && !(word.low as u8).is_ascii_digit();
    if !plain {
        return slow_stem_hash(word);
    }
    let mut len = if word.long.is_empty() { word.len() } else { 16 };
    if len <= LONGEST_STOP_WORD && stop_words.contains(word.hash()) {
        return None;
    }
    if len <= 6 && len > 2 && (word.low >> (8 * (len - 2))) as u16 == u16::from_le_bytes(*b"'s") {
        len -= 2;
    }
    if len < 2 {
        return None;
    }
    let kept = HEAD >> (8 * (5 - len.min(5)));
    Some(hash::hash_short(word.low & kept, 0))
}

#[cold]
fn slow_stem_hash(word: &RawWord<'_>) -> Option<u64> {
    let mut buffer = [0; 16];
    let bytes = word.bytes(&mut buffer);
    stem(&String::from_utf8_lossy(bytes)).map(|stem| hash_bytes(stem.as_bytes()))
}

/// A content word of a text: the stem's hash cut to 30 bits, and two flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token(u32);

impl Token {
    const NAME: u32 = 1;
    const NUMBER: u32 = 2;

    #[inline(always)]
    fn new(stem: u64, name: bool, number: bool) -> Self {
        Self((stem >> 34 << 2) as u32 | u32::from(name) * Self::NAME | u32::from(number) * Self::NUMBER)
    }

    /// The stem.
    #[inline(always)]
    pub(crate) fn stem(self) -> u32 {
        self.0 >> 2
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

    /// The content word that `word` is, if it is one.
    #[inline(always)]
    pub(crate) fn token(&mut self, word: &RawWord<'_>) -> Option<Token> {
        let gap = &self.text.as_bytes()[self.last_end..word.start];
        let opens =
            self.last_end == 0 || gap.iter().any(|b| matches!(b, b'.' | b'!' | b'?' | b'\n' | b':' | b'"' | 0x9c));
        self.last_end = word.end;
        let stem = stem_hash(word, self.stop_words)?;
        let name = !opens && text::is_capital(self.text, word.start);
        Some(Token::new(stem, name, (word.low as u8).is_ascii_digit()))
    }
}

/// How often stems occur in general English: in what share of the documents.
///
/// Counted by `examples/prior.rs` over 7,809 documents of 200 to 400 words: the Brown corpus, the written part of MASC,
/// ABC news, Wall Street Journal and newswire samples and presidential speeches, all as the NLTK project distributes them.
struct Prior {
    shares: HashMap<u32, f32>,
}

impl Prior {
    fn get() -> &'static Self {
        static PRIOR: OnceLock<Prior> = OnceLock::new();
        PRIOR.get_or_init(|| {
            let mut lines = include_str!("content/prior.txt").lines();
            let documents: f32 = lines.next().and_then(|line| line.parse().ok()).unwrap_or(1.0);
            let mut shares = HashMap::new();
            for line in lines {
                let mut words = line.split(' ');
                let count: f32 = words.next().and_then(|count| count.parse().ok()).unwrap_or(0.0);
                for stem in words {
                    shares.insert(Token::new(hash_bytes(stem.as_bytes()), false, false).stem(), count / documents);
                }
            }
            Self { shares }
        })
    }

    fn share(&self, stem: u32) -> f32 {
        self.shares.get(&stem).copied().unwrap_or(0.0)
    }
}

/// The features of one text: what verification compares.
#[derive(Clone, Debug, Default)]
pub(crate) struct Features {
    /// Number of words, stop words included.
    pub(crate) words: u32,
    /// Distinct stems, ascending.
    pub(crate) stems: Box<[u32]>,
    /// What else is known of each stem.
    pub(crate) places: Box<[Place]>,
    /// Distinct pairs of stems that are neighbours or next neighbours, ascending; the order within a pair does not matter.
    pub(crate) pairs: Box<[u32]>,
    /// In what share of general English documents each pair is to be expected.
    pub(crate) pair_shares: Box<[f32]>,
}

/// Into how many parts a text is cut to see where shared words stand.
pub(crate) const PARTS: usize = 6;

/// Where a stem first stands in a text, and how it is written there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The number of the content word, halved as often as it must be for the last one to fit.
    pub(crate) at: u16,
    /// The part of the text, below [`PARTS`].
    pub(crate) part: u8,
    /// Capitalised inside a sentence, more often than not.
    pub(crate) is_name: bool,
    pub(crate) is_number: bool,
}

impl Features {
    pub(crate) fn new(words: usize, tokens: &[Token]) -> Self {
        let mut order: Vec<u64> =
            tokens.iter().zip(0..).map(|(token, at)| u64::from(token.stem()) << 32 | at).collect();
        order.sort_unstable();
        let halvings = (tokens.len() >> 16).checked_ilog2().map_or(0, |bits| bits + 1);
        let (mut stems, mut places) = (Vec::with_capacity(order.len()), Vec::with_capacity(order.len()));
        for same in order.chunk_by(|a, b| a >> 32 == b >> 32) {
            let at = |entry: u64| entry as u32 as usize;
            let first = at(same[0]);
            let names = same.iter().filter(|&&entry| tokens[at(entry)].is_name()).count();
            stems.push(tokens[first].stem());
            places.push(Place {
                at: (first >> halvings) as u16,
                part: (first * PARTS / tokens.len()) as u8,
                is_name: names * 2 >= same.len(),
                is_number: tokens[first].is_number(),
            });
        }
        let mut pairs: Vec<u64> = Vec::with_capacity(2 * tokens.len());
        let shares: Vec<f32> = tokens.iter().map(|token| Prior::get().share(token.stem())).collect();
        for apart in 1..=2 {
            for (left, right) in (apart..tokens.len()).map(|right| (right - apart, right)) {
                let (a, b) = (tokens[left].stem(), tokens[right].stem());
                if a != b {
                    // Two words meet more often than chance has it, but no more often than the rarer of them occurs.
                    let (x, y) = (shares[left], shares[right]);
                    let expected = (20.0 * x * y).min(x.min(y));
                    pairs.push(u64::from(pair(a, b)) << 32 | u64::from(expected.to_bits()));
                }
            }
        }
        pairs.sort_unstable();
        pairs.dedup_by_key(|entry| *entry >> 32);
        Self {
            words: words as u32,
            stems: stems.into(),
            places: places.into(),
            pairs: pairs.iter().map(|entry| (entry >> 32) as u32).collect(),
            pair_shares: pairs.iter().map(|&entry| f32::from_bits(entry as u32)).collect(),
        }
    }
}

/// The id of an unordered pair of stems.
#[inline(always)]
fn pair(a: u32, b: u32) -> u32 {
    (mix2(a.min(b).into(), a.max(b).into()) >> 32) as u32
}

/// In how many documents of a corpus each feature occurs, blended with general English.
pub(crate) struct Frequencies {
    documents: f32,
    stems: HashMap<u32, u32>,
    /// Counts of pairs by the low bits of their ids. Pairs that share a counter look a little more frequent than they are.
    pairs: Vec<u16>,
}

/// How many documents the prior for general English counts as.
const PRIOR_WEIGHT: f32 = 4000.0;

impl Frequencies {
    /// Counts the features of a corpus.
    pub(crate) fn count(corpus: &[Features]) -> Self {
        let parts = rayon::current_num_threads().max(1) as u32;
        let stems = (0..parts)
            .into_par_iter()
            .map(|part| {
                let mut counts: HashMap<u32, u32> = HashMap::new();
                for stem in corpus.iter().flat_map(|features| &features.stems).filter(|&stem| stem % parts == part) {
                    *counts.entry(*stem).or_default() += 1;
                }
                counts
            })
            .reduce(HashMap::new, |mut all, part| {
                all.extend(part);
                all
            });
        let pairs: usize = corpus.iter().map(|features| features.pairs.len()).sum();
        let counters: Vec<AtomicU16> =
            (0..pairs.next_power_of_two().clamp(1 << 10, 1 << 28)).map(|_| AtomicU16::new(0)).collect();
        corpus.par_iter().flat_map_iter(|features| features.pairs.iter()).for_each(|&pair| {
            // Saturating, so that the count does not depend on the order of the texts.
            let counter = &counters[pair as usize & (counters.len() - 1)];
            let _ = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_add(1));
        });
        Self { documents: corpus.len() as f32, stems, pairs: counters.into_iter().map(AtomicU16::into_inner).collect() }
    }

    /// The weights of a stem: its inverse document frequency ln(N / n), and ln(300 / n), which tells only rare ones apart;
    /// 0 at least.
    pub(crate) fn stem_weights(&self, stem: u32) -> (f32, f32) {
        let corpus = self.stems.get(&stem).map_or(0.0, |&n| n as f32);
        let english = Prior::get().share(stem);
        let plain = ln((self.documents + PRIOR_WEIGHT) / (corpus + PRIOR_WEIGHT * english + 0.5));
        let rare = ln(300.0 / (corpus + 10_000.0 * english).max(1.0));
        (plain.max(0.0), rare.max(0.0))
    }

    /// The inverse document frequency of a pair, ln(N / n), 0 at least; `english` is its share of general English.
    pub(crate) fn pair_weight(&self, pair: u32, english: f32) -> f32 {
        let corpus: f32 = self.pairs[pair as usize & (self.pairs.len() - 1)].into();
        ln((self.documents + PRIOR_WEIGHT) / (corpus + PRIOR_WEIGHT * english + 0.5)).max(0.0)
    }
}

/// The natural logarithm of a positive number by basic arithmetic, so that it is the same on every platform.
pub(crate) fn ln(x: f32) -> f32 {
    let bits = f64::from(x).to_bits();
    let exponent = (bits >> 52) as i64 - 1023;
    let mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    // ln m = 2 artanh((m − 1) / (m + 1)), and the argument is below 1/3.
    let t = (mantissa - 1.0) / (mantissa + 1.0);
    let square = t * t;
    let series = (0..12).rev().fold(0.0, |sum, k| sum * square + 1.0 / f64::from(2 * k + 1));
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
        text::walk(text, &mut text::Scratch::default(), |word| found.extend(finder.token(word)));
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

    #[test]
    fn weights_fall_with_document_frequency() {
        let corpus: Vec<_> = ["orrin orrin sallo", "orrin council", "orrin mayor sallo"]
            .map(|text| Features::new(3, &tokens(text)))
            .into();
        let frequencies = Frequencies::count(&corpus);
        let weight =
            |word: &str| frequencies.stem_weights(Token::new(hash_bytes(word.as_bytes()), false, false).stem()).0.0;
        assert!(weight("orrin") < weight("sallo") && weight("time") < weight("orrin"));
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
