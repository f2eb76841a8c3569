//! Synthetic articles for benchmarks: any number of them, the same for a seed, with planted copies that are known.
//!
//! What decides about speed and about finding copies is as in English news: lengths of words, sentences and articles, the
//! share of function words, names and numbers, word frequencies by Zipf's law with a steeper tail (so that the vocabulary
//! grows about as the square root of the text, as Heaps' law has it), words that like to stand together, words that come
//! again within an article, and topics whose articles share names and vocabulary; all the more the reports on one event,
//! which are no copies of each other. The words themselves mean nothing.
//!
//! Article `n` depends on the seed and on `n` alone: corpora of different sizes begin alike, and threads share nothing.

use rayon::prelude::*;

/// A small generator of random numbers, SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): fixed for all time, which those of
/// the `rand` crate are not.
#[derive(Clone)]
pub struct Rng(u64);

impl Rng {
    /// The stream that these numbers name together.
    pub fn of(names: &[u64]) -> Self {
        Self(names.iter().fold(0, |state, &name| Self(state ^ name).next()))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number from 0 to under `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A number from 0 to under 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// A rank under `n` by Zipf's law, flattened for the first `flat` ranks.
    fn zipf(&mut self, n: u64, flat: f64) -> u64 {
        ((flat * ((n as f64 + flat) / flat).powf(self.unit()) - flat) as u64).min(n - 1)
    }

    /// A rank without end: Zipf's law up to rank `knee`, from there on a steeper one.
    fn rank(&mut self, knee: u64, flat: f64) -> u64 {
        const SLOPE: f64 = 0.87;
        // The two meet without a step.
        let tail = 1.0 / (1.0 + SLOPE * ((knee as f64 + flat) / flat).ln());
        if self.chance(tail) {
            (knee as f64 * (1.0 - self.unit()).powf(-1.0 / SLOPE)) as u64
        } else {
            self.zipf(knee, flat)
        }
    }
}

// What a stream of random numbers is for, as part of its name.
const PLAN: u64 = 1;
const DRAFT: u64 = 2;
const CHANGE: u64 = 3;
const TOPIC: u64 = 4;
const FOLLOWER: u64 = 5;
const SYNONYM: u64 = 6;
const WORD: u64 = 7;
const NAME: u64 = 8;
const EVENT: u64 = 9;
const QUOTE: u64 = 10;

/// How a planted copy was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Letter for letter.
    Exact,
    /// A few words changed, or cut short, or wrapped in other text.
    Edited,
    /// Half of the content words replaced, function words changed, sentences moved: hardly a run of five words stays.
    Reworded,
}

impl Kind {
    /// All of them, in equal parts of what is planted.
    pub const ALL: [Self; 3] = [Self::Exact, Self::Edited, Self::Reworded];
}

/// A copy and the article that it is of, by their places in the corpus. No source is a copy itself.
#[derive(Clone, Copy, Debug)]
pub struct Planted {
    pub kind: Kind,
    pub source: usize,
    pub copy: usize,
}

/// Articles as (id, text), ids ascending, and the truth about them.
pub struct Corpus {
    pub articles: Vec<(String, String)>,
    pub planted: Vec<Planted>,
}

impl Corpus {
    /// `size` articles of about 1,500 to 2,500 bytes, of which the share `copies` is planted.
    pub fn new(size: usize, copies: f64, seed: u64) -> Self {
        let writer = Writer { seed, copies };
        let articles = (0..size).into_par_iter().map(|at| (format!("{at:07}"), writer.text(at))).collect();
        let planted = |copy| writer.plan(copy).map(|(kind, source)| Planted { kind, source, copy });
        Self { articles, planted: (0..size).filter_map(planted).collect() }
    }
}

/// An article as a corpus of this seed has it, and so many rewordings of it, each of the article itself.
#[allow(dead_code, reason = "not all that use this module have crowds")]
pub fn rewordings(at: usize, count: usize, seed: u64) -> (String, Vec<String>) {
    let writer = Writer { seed, copies: 0.0 };
    let draft = writer.draft(at);
    let reworded = |which| render(&reword(&draft, &mut Rng::of(&[seed, CHANGE, at as u64, which])));
    (render(&draft), (0..count as u64).map(reworded).collect())
}

/// One word of a draft, or a comma.
#[derive(Clone, Copy, PartialEq)]
enum Token {
    Function(u8),
    Content { lemma: u64, ending: u8 },
    Name { first: Option<u64>, last: u64 },
    Number { value: u32, style: u8 },
    Comma,
}

#[derive(Clone, Default)]
struct Sentence {
    tokens: Vec<Token>,
    quoted: bool,
    dashed: bool,
    ends_paragraph: bool,
}

/// Function words from the most frequent down.
const FUNCTION_WORDS: [&str; 60] = [
    "the", "of", "to", "and", "a", "in", "that", "for", "is", "on", "with", "as", "it", "was", "by", "at", "he",
    "from", "his", "has", "be", "an", "have", "but", "are", "not", "this", "they", "their", "will", "who", "were",
    "she", "which", "been", "had", "its", "or", "her", "more", "when", "one", "about", "said", "after", "would",
    "there", "than", "also", "into", "we", "other", "over", "out", "up", "no", "could", "before", "through", "while",
];

/// Endings from the most frequent down.
const ENDINGS: [&str; 6] = ["", "s", "ed", "ing", "er", "ation"];
const ONSETS: [&str; 32] = [
    "b", "c", "d", "f", "g", "h", "j", "l", "m", "n", "p", "r", "s", "t", "v", "w", "k", "b", "c", "d", "l", "m", "r",
    "s", "t", "br", "ch", "pr", "sh", "st", "th", "",
];
const VOWELS: [&str; 12] = ["a", "e", "i", "o", "u", "a", "e", "i", "o", "u", "ea", "ou"];
const CODAS: [&str; 16] = ["", "", "", "", "", "", "", "n", "r", "l", "s", "t", "m", "nd", "ck", "st"];

/// Appends the word of a rank, pronounceable, always the same.
fn spell(out: &mut String, rank: u64, language: u64) {
    let mut rng = Rng::of(&[language, rank]);
    let syllables = if rank < 400 { 1 + rng.below(2) } else { 2 + rng.below(5) / 4 };
    for _ in 0..syllables {
        out.push_str(rng.pick(&ONSETS));
        // An accent now and then, in names.
        out.push_str(if language == NAME && rng.chance(0.01) { "é" } else { rng.pick(&VOWELS) });
        out.push_str(rng.pick(&CODAS));
    }
}

/// Appends the name of a rank.
pub fn spell_name(out: &mut String, rank: u64) {
    let start = out.len();
    spell(out, rank, NAME);
    capitalize(out, start);
}

/// Makes the letter at `start` a capital, if it is an ASCII one.
fn capitalize(out: &mut String, start: usize) {
    if let Some(first) = out[start..].chars().next() {
        out.replace_range(start..start + first.len_utf8(), first.to_ascii_uppercase().encode_utf8(&mut [0; 4]));
    }
}

fn common_word(rng: &mut Rng) -> u64 {
    rng.rank(6_000, 15.0)
}

fn function_word(rng: &mut Rng) -> Token {
    Token::Function(rng.zipf(FUNCTION_WORDS.len() as u64, 1.5) as u8)
}

fn content_word(lemma: u64, rng: &mut Rng) -> Token {
    Token::Content { lemma, ending: ending(rng) }
}

fn ending(rng: &mut Rng) -> u8 {
    rng.zipf(ENDINGS.len() as u64, 0.6) as u8
}

fn name(rng: &mut Rng) -> Token {
    let first = rng.chance(0.5).then(|| rng.zipf(800, 10.0));
    // First names and the others do not mix.
    Token::Name { first, last: 1_000 + rng.rank(2_500, 25.0) }
}

/// What someone said at an event: the same words in all reports.
fn quotation(event: u64, which: u64) -> Vec<Token> {
    let mut rng = Rng::of(&[QUOTE, event, which]);
    let length = 8 + rng.below(16);
    let word =
        |_| if rng.chance(0.45) { function_word(&mut rng) } else { content_word(common_word(&mut rng), &mut rng) };
    (0..length).map(word).collect()
}

/// A word of like frequency, one of three for each word.
fn synonym(lemma: u64, which: u64) -> u64 {
    let mut rng = Rng::of(&[SYNONYM, lemma, which]);
    (lemma as f64 * (0.6 + rng.unit())) as u64 + rng.below(60)
}

/// Writes articles and copies of them.
struct Writer {
    seed: u64,
    copies: f64,
}

impl Writer {
    fn is_copy(&self, at: usize) -> bool {
        at > 0 && Rng::of(&[self.seed, PLAN, at as u64]).chance(self.copies)
    }

    /// Whether article `at` is a copy, of what kind, and of which.
    fn plan(&self, at: usize) -> Option<(Kind, usize)> {
        if !self.is_copy(at) {
            return None;
        }
        let mut rng = Rng::of(&[self.seed, PLAN, at as u64, 1]);
        let kind = rng.pick(&Kind::ALL);
        loop {
            let source = rng.below(at as u64) as usize;
            if !self.is_copy(source) {
                return Some((kind, source));
            }
        }
    }

    fn text(&self, at: usize) -> String {
        let mut rng = Rng::of(&[self.seed, CHANGE, at as u64]);
        let mut text = match self.plan(at) {
            None => render(&self.draft(at)),
            Some((Kind::Exact, source)) => render(&self.draft(source)),
            Some((Kind::Edited, source)) => self.edit(source, &mut rng),
            Some((Kind::Reworded, source)) => render(&reword(&self.draft(source), &mut rng)),
        };
        text.shrink_to_fit();
        text
    }

    /// What article `at` says, headline first.
    fn draft(&self, at: usize) -> Vec<Sentence> {
        let mut rng = Rng::of(&[self.seed, DRAFT, at as u64]);
        // New events and topics come up all the time; the old ones stay the larger ones.
        let event = rng.zipf(40 + at as u64 / 6, 40.0);
        let topic = Rng::of(&[self.seed, TOPIC, event]).zipf(10 + event / 4, 6.0);
        let shared_word = |of: u64, which: u64| common_word(&mut Rng::of(&[self.seed, of, which])) + 60;
        let shared_name = |of: u64, which: u64| name(&mut Rng::of(&[self.seed, of, which, NAME]));
        let (event, topic) = (Rng::of(&[EVENT, event]).next(), Rng::of(&[TOPIC, topic]).next());
        // Of some events all reports say much the same and quote the same people.
        let alike = Rng::of(&[self.seed, event]).unit();
        let own_names: [Token; 4] = std::array::from_fn(|_| name(&mut rng));
        let words = 240 + rng.below(170) as usize;
        let mut used: Vec<u64> = Vec::new();
        let mut sentences = Vec::new();
        let mut count = 0;
        while count < words {
            let headline = sentences.is_empty();
            let length = if headline { 7 + rng.below(5) } else { 8 + rng.below(13) + rng.below(13) };
            let mut sentence = Sentence {
                quoted: !headline && rng.chance(0.15),
                dashed: !headline && rng.chance(0.12),
                ends_paragraph: headline || rng.chance(0.4),
                ..Sentence::default()
            };
            if sentence.quoted && rng.chance(alike) {
                sentence.tokens = quotation(event, rng.zipf(16, 4.0));
                count += sentence.tokens.len();
                sentences.push(sentence);
                continue;
            }
            let mut last: Option<u64> = None;
            let mut after_function = false;
            for place in 0..length {
                let token = if rng.chance(if after_function { 0.27 } else { 0.62 }) {
                    function_word(&mut rng)
                } else if rng.chance(0.12) {
                    match rng.unit() {
                        share if share < 0.3 + 0.4 * alike => shared_name(event, rng.zipf(12, 2.0)),
                        ..0.8 => shared_name(topic, rng.zipf(40, 4.0)),
                        _ => rng.pick(&own_names),
                    }
                } else if rng.chance(0.04) {
                    Token::Number { value: rng.below(u64::from(u32::MAX)) as u32, style: rng.below(4) as u8 }
                } else {
                    let lemma = match (last, rng.unit()) {
                        // In every subject some words have company of their own.
                        (Some(word), share @ ..0.4) => {
                            let (subject, company) = match share {
                                _ if share < 0.3 * alike => (event, 2),
                                ..0.3 => (topic, 4),
                                _ => (0, 12),
                            };
                            common_word(&mut Rng::of(&[FOLLOWER, subject, word, rng.zipf(company, 0.5)]))
                        }
                        (_, share) if share < 0.4 + 0.3 * alike => shared_word(event, rng.zipf(50, 4.0)),
                        (_, ..0.8) => shared_word(topic, rng.zipf(200, 8.0)),
                        (_, 0.9..) if !used.is_empty() => rng.pick(&used),
                        _ => common_word(&mut rng),
                    };
                    last = Some(lemma);
                    used.push(lemma);
                    content_word(lemma, &mut rng)
                };
                after_function = matches!(token, Token::Function(_));
                sentence.tokens.push(token);
                if place > 3 && place + 4 < length && !after_function && rng.chance(0.07) {
                    sentence.tokens.push(Token::Comma);
                }
            }
            count += sentence.tokens.len();
            sentences.push(sentence);
        }
        sentences
    }

    /// An edited copy: one of three ways.
    fn edit(&self, source: usize, rng: &mut Rng) -> String {
        let mut draft = self.draft(source);
        match rng.below(3) {
            0 => {
                let share = 0.01 + 0.04 * rng.unit();
                for token in draft.iter_mut().flat_map(|sentence| &mut sentence.tokens) {
                    if *token != Token::Comma && rng.chance(share) {
                        *token = content_word(common_word(rng), rng);
                    }
                }
                render(&draft)
            }
            1 => {
                let kept = draft.len() as f64 * (0.5 + 0.4 * rng.unit());
                draft.truncate(kept.ceil() as usize);
                render(&draft)
            }
            _ => {
                // One of twenty sites, each with its own lines before and after an article.
                let site = rng.below(20);
                let line = |which: u64| -> Sentence {
                    let mut rng = Rng::of(&[self.seed, CHANGE, site, which]);
                    let pairs = 2 + rng.below(5);
                    let word = |_| [function_word(&mut rng), content_word(rng.zipf(3_000, 25.0), &mut rng)];
                    let tokens = (0..pairs).flat_map(word).collect();
                    Sentence { tokens, ends_paragraph: true, ..Sentence::default() }
                };
                let whole: Vec<Sentence> = (0..2).map(line).chain(draft).chain((2..4).map(line)).collect();
                render(&whole)
            }
        }
    }
}

/// The same story in other words. The shares are such that the signals are those of the rewritings on which the detector
/// was fitted.
fn reword(draft: &[Sentence], rng: &mut Rng) -> Vec<Sentence> {
    // A word that is replaced is replaced everywhere, or nearly.
    let taste = rng.next();
    let keeps = 0.3 + 0.45 * rng.unit();
    let leaves_out = 0.45 * rng.unit();
    let mut order: Vec<(f64, &Sentence)> = Vec::new();
    for (at, sentence) in draft.iter().enumerate() {
        if at == 0 {
            order.push((0.0, sentence));
        } else if !rng.chance(leaves_out) {
            order.push((at as f64 + 10.0 * rng.unit(), sentence));
        }
    }
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut story = Vec::new();
    for (_, sentence) in order {
        let mut tokens = Vec::new();
        for &token in &sentence.tokens {
            match token {
                Token::Content { lemma, ending } => {
                    let mut habit = Rng::of(&[taste, lemma]);
                    if habit.chance(keeps) != rng.chance(0.05) {
                        let ending = if rng.chance(0.3) { self::ending(rng) } else { ending };
                        tokens.push(Token::Content { lemma, ending });
                    } else if rng.chance(0.9) {
                        tokens.push(content_word(synonym(lemma, habit.below(3)), rng));
                    }
                }
                Token::Function(_) if rng.chance(0.4) => tokens.push(token),
                Token::Function(_) if rng.chance(0.75) => tokens.push(function_word(rng)),
                Token::Name { last, .. } => match rng.unit() {
                    ..0.55 => tokens.push(token),
                    ..0.7 => tokens.push(Token::Name { first: None, last }),
                    ..0.85 => tokens.extend([Token::Function(0), content_word(common_word(rng), rng)]),
                    _ => {}
                },
                Token::Number { .. } if rng.chance(0.85) => tokens.push(token),
                _ => {}
            }
            if rng.chance(0.04) {
                tokens.extend([function_word(rng), content_word(common_word(rng), rng)]);
            }
        }
        if tokens.len() > 6 && rng.chance(0.4) {
            // Begins with what was the end.
            let middle = tokens.len() / 3 + rng.below(tokens.len() as u64 / 3) as usize;
            tokens.rotate_left(middle);
        }
        story.push(Sentence { tokens, dashed: rng.chance(0.1), ..*sentence });
    }
    story
}

/// Sentences to text.
fn render(sentences: &[Sentence]) -> String {
    let mut out = String::with_capacity(2_800);
    for (at, sentence) in sentences.iter().enumerate() {
        if sentence.quoted {
            out.push('“');
        }
        let start = out.len();
        let middle = sentence.tokens.len() / 2;
        for (place, &token) in sentence.tokens.iter().enumerate() {
            if token == Token::Comma {
                out.push(',');
                continue;
            }
            if place > 0 {
                out.push_str(if sentence.dashed && place == middle { " – " } else { " " });
            }
            match token {
                Token::Function(word) => out.push_str(FUNCTION_WORDS[usize::from(word)]),
                Token::Content { lemma, ending } => {
                    spell(&mut out, lemma, WORD);
                    out.push_str(ENDINGS[usize::from(ending)]);
                }
                Token::Name { first, last } => {
                    if let Some(first) = first {
                        spell_name(&mut out, first);
                        out.push(' ');
                    }
                    spell_name(&mut out, last);
                    if place % 8 == 5 {
                        out.push_str("’s");
                    }
                }
                Token::Number { value, style } => out.push_str(&match style {
                    0 => (2 + value % 98).to_string(),
                    1 => (1990 + value % 36).to_string(),
                    2 => format!("{},{:03}", 1 + value % 40, value / 64 % 1000),
                    _ => format!("{}.{}", value % 60, value / 64 % 10),
                }),
                Token::Comma => {}
            }
        }
        capitalize(&mut out, start);
        if at > 0 {
            out.push('.');
        }
        if sentence.quoted {
            out.push('”');
        }
        out.push(if sentence.ends_paragraph { '\n' } else { ' ' });
    }
    out
}
