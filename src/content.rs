//! Content features: what a text is about, whatever the words around it.
//!
//! Words that carry no content (stop words) are dropped, the others cut to a stem of five characters, so that *announce*,
//! *announced* and *announcement* are one. Features are the stems and the pairs of stems that stand next to each other.
//! What weight a feature has depends on how few documents hold it: in the corpus at hand, and in general English, of
//! which a small frozen table of document frequencies is part of the crate.
//!
//! Features are hashes, and one that shares its value with another passes for more common than it is. How many distinct
//! ones there are in news, by Heaps' law from corpora of up to 44,511 articles:
//!
//! | articles | stems | pairs |
//! | --- | --- | --- |
//! | 32,000 | 100,000 | 2.5 million |
//! | 10⁹ | 2 · 10⁷ | 1 to 4 · 10⁹ |
//!
//! So pairs have 48 bits: at 10⁹ articles one in 70,000 shares its value. With 32 bits it would be three in five. A stem
//! has 30, of which two more make the token of a word: one in fifty shares its value with another one at 10⁹ articles. That
//! costs little: both are rare as a rule, and are still rare together; rewordings are told by pairs first of all, and the
//! pairs of two such stems differ unless their neighbours are the same. Of 27,303 copies among 44,511 articles, with stems
//! and pairs at least as full, ten are lost, with confidences just above .5 where it was looked at, and fifteen others found; with pairs alone as full,
//! none is lost, and with pairs of 32 bits 308. Tokens, on the other hand, are kept of every word of every article.

use std::ops::Range;
use std::sync::OnceLock;

use rayon::prelude::*;

use crate::hash::{self, hash_bytes, mix2};
use crate::store::{Block, CHUNK, Store};
use crate::text::{self, Class, RawWord, Scan};
use crate::transcript;

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
/// 16 bytes). Stop words and single letters carry no content. Where words have no spaces each character is a word: of these,
/// ideographs (Han) carry content, while those of phonetic scripts (kana, Thai, Lao, Khmer, Burmese, …) are sounds that
/// stand in every text, and carry none. So rewordings are not found in such scripts; exact and edited copies are.
///
/// ```
/// use retold::stem;
///
/// assert_eq!(stem("announcement"), Some("annou"));
/// assert_eq!(stem("mayor's"), Some("mayor"));
/// assert_eq!(stem("2,500"), Some("2,500"));
/// assert_eq!(stem("the"), None);
/// assert_eq!((stem("桥"), stem("の"), stem("ที่")), (Some("桥"), None, None));
/// ```
pub fn stem(word: &str) -> Option<&str> {
    let first = word.chars().next()?;
    if Class::of(first) == Class::Numeric {
        return Some(word);
    }
    if !first.is_ascii() && text::is_sound(word) {
        return None;
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
    pub(crate) fn new(stem: u64, name: bool, number: bool) -> Self {
        Self((stem >> 32) as u32 & !3 | (u32::from(name) * Self::NAME) | (u32::from(number) * Self::NUMBER))
    }

    /// The token of a code.
    #[inline(always)]
    pub(crate) fn of_code(code: u32) -> Self {
        Self(code)
    }

    /// The token as a number.
    #[inline(always)]
    pub(crate) fn code(self) -> u32 {
        self.0
    }

    /// The same stem as a name or not.
    pub(crate) fn named(self, is_name: bool) -> Self {
        Self((self.0 & !Self::NAME) | (u32::from(is_name) * Self::NAME))
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
    is_transcript: bool,
    stop_words: &'static StopWords,
    last_end: usize,
}

impl<'t> Tokens<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, is_transcript: transcript::is_transcript(text), stop_words: StopWords::get(), last_end: 0 }
    }

    /// Adds those of `words` that are content words.
    pub(crate) fn collect(&mut self, words: &Scan, tokens: &mut Vec<Token>) {
        if self.is_transcript {
            return tokens.extend(words.iter().filter_map(|word| transcribed(&word)));
        }
        let mut count = tokens.len();
        tokens.resize(count + words.len(), Token(0));
        for word in words.iter() {
            let name = self.is_name(&word);
            let (stem, has_stem) = if word.low & 0x80_8080_8080 == 0 {
                plain_stem_hash(&word, self.stop_words)
            } else {
                slow_stem_hash(&word).map_or((0, false), |stem| (stem, true))
            };
            // Written in any case, and overwritten if it does not count.
            tokens[count] = Token::new(stem, name, (word.low as u8).is_ascii_digit());
            count += usize::from(has_stem);
        }
        tokens.truncate(count);
    }

    /// Whether a word is capitalised inside a sentence.
    #[inline(always)]
    fn is_name(&mut self, word: &RawWord<'_>) -> bool {
        let opens = self.last_end == 0 || opens_sentence(&self.text.as_bytes()[self.last_end..word.start]);
        self.last_end = word.end;
        !opens & text::is_capital(self.text, word.start)
    }

    /// The content word that a word is, if it is one.
    pub(crate) fn token(&mut self, word: &RawWord<'_>) -> Option<Token> {
        if self.is_transcript {
            return transcribed(word);
        }
        let (name, number) = (self.is_name(word), (word.low as u8).is_ascii_digit());
        let marks = (u32::from(name) * Token::NAME) | (u32::from(number) * Token::NUMBER);
        Some(Token(self.stem(word)? | marks))
    }

    /// The stem of a word, if it is a content word. No other word needs to be shown for it.
    #[inline(always)]
    pub(crate) fn stem(&self, word: &RawWord<'_>) -> Option<u32> {
        if self.is_transcript {
            return transcribed(word).map(Token::stem);
        }
        let (stem, has_stem) = if word.low & 0x80_8080_8080 == 0 {
            plain_stem_hash(word, self.stop_words)
        } else {
            slow_stem_hash(word).map_or((0, false), |stem| (stem, true))
        };
        has_stem.then(|| Token::new(stem, false, false).stem())
    }
}

/// The content word that a word of a transcript stands for, if it is one.
fn transcribed(word: &RawWord<'_>) -> Option<Token> {
    transcript::code(word.low, word.len()).map(Token::of_code)
}

/// Adds the content words of a whole text.
pub(crate) fn collect(of: &str, tokens: &mut Vec<Token>) {
    let mut finder = Tokens::new(of);
    text::with_scratch(|scratch| text::walk(of, scratch, |words| finder.collect(words, tokens)));
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

/// How common a feature is in general English, in a byte: 0 for never seen, else the logarithm of the number of documents to
/// be expected among [`PRIOR_WEIGHT`](Self::PRIOR_WEIGHT), and 2, in whole [`UNIT`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Commonness(pub(crate) u8);

impl Commonness {
    /// How many documents the prior for general English counts as.
    pub(crate) const PRIOR_WEIGHT: f32 = 4000.0;

    fn of_share(share: f32) -> Self {
        Self(units(ln(Self::PRIOR_WEIGHT * share) + 2.0).max(1))
    }

    /// Of a pair: two words meet twenty times as often as chance has it, but no more often than the rarer of them occurs.
    #[inline(always)]
    pub(crate) fn of_pair(self, other: Self) -> Self {
        // The product of two shares is a sum of logarithms, less 16 (ln 4000 − ln 20 + 2).
        let together = (u16::from(self.0) + u16::from(other.0)).saturating_sub(117);
        Self(together.min(self.min(other).0.into()) as u8)
    }

    /// The expected number of documents among [`PRIOR_WEIGHT`](Self::PRIOR_WEIGHT).
    pub(crate) fn documents(self) -> f32 {
        if self.0 == 0 { 0.0 } else { exp(f32::from(self.0) / UNIT - 2.0) }
    }
}

/// Weights are whole numbers of this part of the natural logarithm, so that sums do not depend on the order of the summands.
pub(crate) const UNIT: f32 = 16.0;

/// A logarithm in whole [`UNIT`]s, 0 to 255.
#[inline(always)]
pub(crate) fn units(logarithm: f32) -> u8 {
    // The cast cuts off at both ends, and halves are added because rounding is a call where there is no SSE 4.1.
    (UNIT * logarithm + 0.5) as u8
}

/// How often stems occur in general English: in what share of the documents.
///
/// Counted by `examples/prior.rs` over 7,809 documents of 200 to 400 words: the Brown corpus, the written part of MASC,
/// ABC news, Wall Street Journal and newswire samples and presidential speeches, all as the NLTK project distributes them.
pub(crate) struct Prior {
    /// Stems by the lower bits of their ids, some together, as `rest of the id << 8 | commonness`; 0 where there is none. All of a bucket
    /// are looked at, for a search that ends when it has found something ends where nothing foretells it.
    stems: Vec<[u32; 8]>,
}

impl Prior {
    const BUCKET_BITS: u32 = 12;

    pub(crate) fn get() -> &'static Self {
        static PRIOR: OnceLock<Prior> = OnceLock::new();
        PRIOR.get_or_init(|| {
            let mut prior = Self { stems: vec![[0; 8]; 1 << Self::BUCKET_BITS] };
            let mut lines = include_str!("content/prior.txt").lines();
            let documents: f32 = lines.next().and_then(|line| line.parse().ok()).unwrap_or(1.0);
            for line in lines {
                let mut words = line.split(' ');
                let count: f32 = words.next().and_then(|count| count.parse().ok()).unwrap_or(0.0);
                let Commonness(commonness) = Commonness::of_share(count / documents);
                for stem in words {
                    let stem = Token::new(hash_bytes(stem.as_bytes()), false, false).stem();
                    let (bucket, rest) = Self::place(stem);
                    let free = prior.stems[bucket].iter_mut().find(|stem| **stem == 0);
                    // That there is room for all of them is tested.
                    *free.expect("a bucket has room") = rest << 8 | u32::from(commonness);
                }
            }
            prior
        })
    }

    /// The bucket of a stem, and what is left of its id.
    #[inline(always)]
    fn place(stem: u32) -> (usize, u32) {
        let id = stem >> 2;
        (id as usize % (1 << Self::BUCKET_BITS), id >> Self::BUCKET_BITS)
    }

    #[inline(always)]
    pub(crate) fn commonness(&self, stem: u32) -> Commonness {
        let (bucket, rest) = Self::place(stem);
        let of = |&stem: &u32| if stem >> 8 == rest { stem as u8 } else { 0 };
        Commonness(self.stems[bucket].iter().map(of).fold(0, |one, other| one | other))
    }
}

/// Bits of a feature.
pub(crate) const FEATURE_BITS: u32 = 48;

/// The feature that a stem is: its id in the upper bits.
#[inline(always)]
pub(crate) fn alone(stem: u32) -> u64 {
    u64::from(stem) << (FEATURE_BITS - u32::BITS)
}

/// The feature that an unordered pair of stems is.
#[inline(always)]
pub(crate) fn pair(a: u32, b: u32) -> u64 {
    let pair = mix2(a.min(b).into(), a.max(b).into()) >> (u64::BITS - FEATURE_BITS);
    #[cfg(test)]
    let pair = load::narrowed(pair);
    pair
}

/// Calls `each` with the stems of every two neighbours among content words, if they differ.
#[inline(always)]
pub(crate) fn neighbours(tokens: impl Iterator<Item = Token> + Clone, mut each: impl FnMut(u32, u32)) {
    let mut later = tokens.clone();
    later.next();
    for (one, other) in tokens.zip(later) {
        if one.stem() != other.stem() {
            each(one.stem(), other.stem());
        }
    }
}

/// Calls `each` with every feature of a text in order: the pairs of neighbours, and then the stems.
#[inline(always)]
pub(crate) fn features(tokens: impl Iterator<Item = Token> + Clone, mut each: impl FnMut(u64)) {
    neighbours(tokens.clone(), |one, other| each(pair(one, other)));
    tokens.for_each(|token| each(alone(token.stem())));
}

/// The distinct features of a text, ascending.
pub(crate) fn distinct_features(tokens: &[Token]) -> Vec<u64> {
    let mut all = Vec::with_capacity(2 * tokens.len());
    features(tokens.iter().copied(), |feature| all.push(feature));
    all.sort_unstable();
    all.dedup();
    all
}

/// Where what belongs to one text stands, of what stands one text after the other and ends at these places.
#[inline(always)]
pub(crate) fn span(ends: &[u32], text: usize) -> Range<usize> {
    let start = if text == 0 { 0 } else { ends[text - 1] };
    start as usize..ends[text] as usize
}

/// The content words of a run of texts, one text after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenChunk<'a> {
    /// Where each text ends.
    ends: &'a [u32],
    codes: &'a [u32],
}

impl<'a> TokenChunk<'a> {
    /// The chunk of so many texts that was written into words.
    fn of(words: &'a [u32], texts: usize) -> Self {
        let (ends, codes) = words.split_at(texts);
        Self { ends, codes }
    }

    /// Number of content words.
    pub(crate) fn words(self) -> usize {
        self.codes.len()
    }

    /// The texts, in order.
    pub(crate) fn texts(self) -> impl Iterator<Item = impl ExactSizeIterator<Item = Token> + Clone> {
        (0..self.ends.len()).map(move |text| self.codes[span(self.ends, text)].iter().map(|&code| Token(code)))
    }
}

/// Chunks that one thread takes together at most. Left alone, rayon cuts what a thread of its pool asks for into few tasks, and
/// the longest of them is waited for.
pub(crate) const CHUNKS_A_TASK: usize = 4;

/// The content words of a corpus, in chunks of [`CHUNK`] texts.
#[derive(Debug)]
pub(crate) struct TokenChunks {
    store: Store,
    chunks: Vec<Block>,
    texts: usize,
    words: usize,
}

/// Where the content words of a text stand: which block, and which words of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenPlace {
    pub(crate) block: u32,
    pub(crate) words: Range<u32>,
}

impl TokenChunks {
    /// Chunks that are gathered together: enough for many threads, and few beside what is kept.
    const GATHERED_AT_ONCE: usize = 64;

    /// Gathers the content words of texts from where they stand in blocks of another store. Blocks are given back as soon
    /// as nothing of them is needed any more.
    pub(crate) fn gather(
        from: (Store, Vec<Block>),
        texts: impl Fn(usize) -> TokenPlace + Sync,
        count: usize,
        to: Store,
    ) -> Self {
        let (from, blocks) = from;
        let mut needed = vec![0u32; blocks.len()];
        (0..count).for_each(|text| needed[texts(text).block as usize] += 1);
        let mut blocks: Vec<Option<Block>> =
            blocks.into_iter().zip(&needed).map(|(block, &needed)| (needed > 0).then_some(block)).collect();
        let mut chunks = Vec::with_capacity(count.div_ceil(CHUNK));
        let mut all_words = 0;
        for first in (0..count).step_by(CHUNK * Self::GATHERED_AT_ONCE) {
            let now = first..count.min(first + CHUNK * Self::GATHERED_AT_ONCE);
            let gather = |packed: &mut Vec<u32>, chunk: usize| {
                let of_chunk = || (chunk * CHUNK..now.end.min((chunk + 1) * CHUNK)).map(&texts);
                packed.clear();
                let mut end = 0;
                packed.extend(of_chunk().map(|TokenPlace { words, .. }| {
                    end += words.len();
                    end as u32
                }));
                for TokenPlace { block, words } in of_chunk() {
                    if let Some(block) = &blocks[block as usize] {
                        packed.extend_from_slice(&from.part(block, words.start as usize..words.end as usize));
                    }
                }
                (to.keep(&*packed), end)
            };
            let numbers = now.start / CHUNK..now.end.div_ceil(CHUNK);
            let gathered: Vec<(Block, usize)> = numbers.into_par_iter().map_init(Vec::new, gather).collect();
            for (chunk, words) in gathered {
                chunks.push(chunk);
                all_words += words;
            }
            for block in now.map(|text| texts(text).block as usize) {
                needed[block] -= 1;
                if needed[block] == 0 {
                    blocks[block] = None;
                }
            }
        }
        Self { store: to, chunks, texts: count, words: all_words }
    }

    /// The same with other content words for some of the texts, ascending: `make` adds them.
    pub(crate) fn replaced(self, texts: &[u32], make: impl Fn(u32, &mut Vec<Token>) + Sync) -> Self {
        let Self { store, chunks, texts: count, .. } = self;
        let first = |chunk: usize| texts.partition_point(|&text| (text as usize) < chunk * CHUNK);
        let replace = |(at, chunk): (usize, Block)| {
            let of_chunk = &texts[first(at)..first(at + 1)];
            let before = store.get(&chunk);
            let old = TokenChunk::of(&before, CHUNK.min(count - at * CHUNK));
            if of_chunk.is_empty() {
                let words = old.words();
                drop(before);
                return (chunk, words);
            }
            let mut packed = vec![0; old.ends.len()];
            let mut tokens = Vec::new();
            let mut next = of_chunk.iter().peekable();
            for (text, before) in old.texts().enumerate() {
                match next.next_if(|&&next| next as usize == at * CHUNK + text) {
                    Some(&text) => {
                        tokens.clear();
                        make(text, &mut tokens);
                        packed.extend(tokens.iter().map(|token| token.code()));
                    }
                    None => packed.extend(before.map(Token::code)),
                }
                packed[text] = (packed.len() - old.ends.len()) as u32;
            }
            let words = packed.len() - old.ends.len();
            drop(before);
            (store.keep_in_place_of(chunk, &packed), words)
        };
        let replaced: Vec<(Block, usize)> =
            chunks.into_par_iter().enumerate().with_max_len(CHUNKS_A_TASK).map(replace).collect();
        let words = replaced.iter().map(|(_, words)| words).sum();
        Self { store, chunks: replaced.into_iter().map(|(chunk, _)| chunk).collect(), texts: count, words }
    }

    /// Number of texts.
    pub(crate) fn texts(&self) -> usize {
        self.texts
    }

    /// Number of content words.
    pub(crate) fn words(&self) -> usize {
        self.words
    }

    /// Number of chunks.
    pub(crate) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Calls `work` with one of the chunks.
    pub(crate) fn with<R>(&self, chunk: usize, work: impl FnOnce(TokenChunk<'_>) -> R) -> R {
        let texts = CHUNK.min(self.texts - chunk * CHUNK);
        work(TokenChunk::of(&self.store.get(&self.chunks[chunk]), texts))
    }

    /// Calls `work` with each chunk and what goes with it, from several threads, and then `keep` with what became of it and
    /// the block that the chunk was in, which is done with.
    pub(crate) fn consume<S, W: Send, T, R: Send>(
        self,
        with: Vec<W>,
        scratch: impl Fn() -> S + Sync + Send,
        work: impl Fn(&mut S, usize, W, TokenChunk<'_>) -> T + Sync + Send,
        keep: impl Fn(&mut S, T, Block) -> R + Sync + Send,
    ) -> Vec<R> {
        let Self { store, chunks, texts, .. } = self;
        let each = |scratch: &mut S, (at, (block, with)): (usize, (Block, W))| {
            let made = work(scratch, at, with, TokenChunk::of(&store.get(&block), CHUNK.min(texts - at * CHUNK)));
            keep(scratch, made, block)
        };
        chunks.into_par_iter().zip(with).enumerate().with_max_len(CHUNKS_A_TASK).map_init(scratch, each).collect()
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
mod load;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Words;
    use crate::store::{Budget, Share};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn tokens(text: &str) -> Vec<Token> {
        let (mut finder, mut found) = (Tokens::new(text), Vec::new());
        text::walk(text, &mut text::Scratch::default(), |words| {
            finder.collect(words, &mut found);
        });
        found
    }

    /// Texts of these content words, as they come from being signed: a few in each block, here in reverse order.
    pub(crate) fn token_chunks(texts: &[Vec<Token>], budget: &Arc<Budget>) -> TokenChunks {
        let store = budget.store(Share::Words);
        let (mut blocks, mut places) = (Vec::new(), Vec::new());
        for (block, texts) in texts.rchunks(7).enumerate() {
            let mut words = Vec::new();
            for text in texts.iter().rev() {
                let start = words.len() as u32;
                words.extend(text.iter().map(|token| token.code()));
                places.push(TokenPlace { block: block as u32, words: start..words.len() as u32 });
            }
            blocks.push(store.keep(&words));
        }
        TokenChunks::gather(
            (store, blocks),
            |text| places[texts.len() - 1 - text].clone(),
            texts.len(),
            budget.store(Share::Words),
        )
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
    fn of_scripts_without_spaces_only_ideographs_carry_content() {
        for sounds in [
            "とうきょうタワーﾀﾜｰ㌖ゞ",
            "เรือข้ามฟากน้ำ",
            "ເຮືອຂ້າມຟາກນ້ຳ",
            "សាឡាងចេញដំណើរ",
            "ကူးတို့သင်္ဘော",
            "ᥖᥭᥰ ᦑᦺ ᨴᩱ ꪼꪕ 𑜄𑜩 ꦗꦮ ᬩᬮᬶ 𛅰 𘬀",
        ] {
            assert!(Words::new(sounds).count() >= 5);
            for word in Words::new(sounds) {
                assert_eq!(stem(&word.normalized()), None, "{}", word.as_str());
            }
            assert_eq!(tokens(sounds), []);
        }
        for ideographs in ["旧渡轮九点离港", "\u{f900}\u{2f800}\u{20000}\u{30000}〇〆", "𗼇𗟲"] {
            let count = ideographs.chars().count();
            assert_eq!((Words::new(ideographs).count(), tokens(ideographs).len()), (count, count));
        }
    }

    #[test]
    fn names_are_capitals_inside_a_sentence() {
        let names = |text: &str| tokens(text).iter().filter(|token| token.is_name()).count();
        assert_eq!(names("Ferries left Port Orrin. Nobody saw Élodie"), 3);
        assert_eq!(names("they said: “Ferries left” Port"), 1, "a quote may open a sentence");
    }

    #[test]
    fn the_prior_knows_common_words() {
        let documents = |word: &str| {
            let stem = Token::new(hash_bytes(word.as_bytes()), false, false).stem();
            Prior::get().commonness(stem).documents()
        };
        assert!(documents("time") > 1200.0 && documents("ferri") < 40.0 && documents("orrin") == 0.0);
    }

    #[test]
    fn two_words_meet_no_more_often_than_the_rarer_occurs() {
        let common = |share| Commonness::of_share(share);
        let met = common(0.02).of_pair(common(0.01)).documents();
        assert!((14.0..18.0).contains(&met), "20 × 0.02 × 0.01 of 4000 documents, not {met}");
        assert_eq!(common(0.3).of_pair(common(0.1)), common(0.1));
        assert_eq!(common(0.3).of_pair(Commonness(0)), Commonness(0));
    }

    #[test]
    fn features_are_stems_and_pairs_of_different_neighbours() {
        let tokens = tokens("ferry Orrin Orrin ferry");
        let (ferry, orrin) = (tokens[0].stem(), tokens[1].stem());
        let mut found = Vec::new();
        features(tokens.iter().copied(), |feature| found.push(feature));
        let (both, ferry, orrin) = (pair(ferry, orrin), alone(ferry), alone(orrin));
        assert_eq!(found, [both, both, ferry, orrin, orrin, ferry]);
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
