//! What two texts tell alike, place by place: the evidence that a reader can check.
//!
//! First come runs of *the same words*, found through shingles that both texts have and grown to both sides; a run may stand
//! anywhere in either text, so that moved paragraphs are found. Sentences that are made of such runs are done. The others are
//! held *sentence against sentence*: two tell the same if they share enough stems and pairs of neighbouring stems, each
//! weighing the more the fewer sentences have it. Last, what stands between two runs that follow each other in both texts
//! is compared word by word, as a difference tool does.

use std::ops::Range;

use crate::content::{self, Prior, Tokens, UNIT};
use crate::hash::mix2;
use crate::names::names;
use crate::text::{self, Class};

/// A stretch of one text and the stretch of another that tells the same.
///
/// Both are byte ranges of the texts as they were given and begin and end at the edges of words.
///
/// See [`shared_passages`] for an example.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Passage {
    /// Where it stands in the left text, in bytes.
    pub left: Range<usize>,
    /// Where it stands in the right text, in bytes.
    pub right: Range<usize>,
    /// Whether the words are the same.
    pub kind: PassageKind,
}

/// How a [`Passage`] of one text tells what that of the other tells.
///
/// See [`shared_passages`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum PassageKind {
    /// The same words in the same order; case, punctuation, spacing and Unicode form may differ.
    Same,
    /// Sentences that share what is rare in both texts: names, numbers, content words, turns of phrase.
    Reworded,
}

names!("kind of passage", PassageKind { Same => "same", Reworded => "reworded" });

/// What two texts tell alike, in the order of the left text; passages never overlap within a text.
///
/// Whether the texts are copies is not asked: two reports on one event have such passages as well. In an edited copy nearly
/// all words that were not edited are in passages of [`PassageKind::Same`], wherever they were moved to; in a rewording
/// most passages are sentences of [`PassageKind::Reworded`]. Time and memory grow about linearly with the texts, however
/// repetitive they are. Texts of 4 GiB and more have no passages.
///
/// ```
/// use retold::{PassageKind, shared_passages};
///
/// let left = "On Monday the board said it will stop the ferry to Orrin in March. Nobody was surprised.";
/// let right = "Nobody, however, protested: the board said it will stop the ferry to Orrin in April.";
/// let passages = shared_passages(left, right);
/// assert_eq!(passages[0].kind, PassageKind::Same);
/// assert_eq!(&left[passages[0].left.clone()], "the board said it will stop the ferry to Orrin in");
/// assert_eq!(left[passages[0].left.clone()], right[passages[0].right.clone()]);
/// ```
pub fn shared_passages(left: &str, right: &str) -> Vec<Passage> {
    if left.len().max(right.len()) > u32::MAX as usize {
        return Vec::new();
    }
    let mut sides = Sides { left: Side::new(left, Detail::Stems), right: Side::new(right, Detail::Stems) };
    let mut runs = same_words(&mut sides);
    let reworded = same_sentences(&sides, &runs);
    if !reworded.is_empty() {
        runs = outside(&runs, &reworded, &sides);
    }
    let mut pieces: Vec<Piece> = runs.into_iter().map(Piece::same).chain(reworded).collect();
    pieces.sort_unstable_by_key(|piece| piece.left.0);
    fill_gaps(&mut pieces, &sides);
    let passage = |piece: &Piece| Passage {
        left: sides.left.bytes(piece.left),
        right: sides.right.bytes(piece.right),
        kind: piece.kind,
    };
    pieces.iter().map(passage).collect()
}

/// Counts what the time is spent on, so that a test can see that it grows with the texts and no faster.
#[inline(always)]
pub(crate) fn step() {
    #[cfg(test)]
    tests::STEPS.set(tests::STEPS.get() + 1);
}

/// Words from the first up to, not including, the second.
pub(crate) type Stretch = (u32, u32);

/// What is known of the words of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// What they are, and not where they stand: any run of them counts.
    Hashes,
    /// Where they stand as well, and where sentences begin.
    Words,
    /// Their stems as well, by which sentences are compared, and runs that say next to nothing are known.
    Stems,
}

/// A text as words.
pub(crate) struct Side {
    spans: Vec<(u32, u32)>,
    pub(crate) hashes: Vec<u64>,
    /// The stem of each word; [`NO_STEM`] for words without content.
    stems: Vec<u32>,
    /// Whether a word is a character of a script without spaces.
    solo: Vec<bool>,
    pub(crate) sentences: Vec<Stretch>,
    /// The word of the other text that each word is the same as in a run; [`NONE`] outside of runs. [`CLAIMED`] if a passage has taken it.
    partner: Vec<u32>,
}

const NONE: u32 = u32::MAX;
const CLAIMED: u32 = u32::MAX - 1;
const NO_STEM: u32 = u32::MAX;

/// A sentence is cut after so many words, for lists and texts without punctuation.
const LONGEST_SENTENCE: u32 = 60;

impl Side {
    pub(crate) fn new(of: &str, detail: Detail) -> Self {
        let room = of.len() / 5;
        let with_stems = detail == Detail::Stems;
        let mut side = Self {
            spans: Vec::with_capacity(if detail == Detail::Hashes { 0 } else { room }),
            hashes: Vec::with_capacity(room),
            stems: Vec::with_capacity(if with_stems { room } else { 0 }),
            solo: Vec::with_capacity(if with_stems { room } else { 0 }),
            sentences: Vec::new(),
            partner: Vec::new(),
        };
        let tokens = Tokens::new(of);
        let mut first = 0;
        let mut last = 0..0;
        text::with_scratch(|scratch| {
            text::walk(of, scratch, |words| {
                side.hashes.extend_from_slice(words.hashes());
                if detail == Detail::Hashes {
                    return;
                }
                for word in words.iter() {
                    let at = side.spans.len() as u32;
                    if at > first && (at - first == LONGEST_SENTENCE || ends_sentence(of, &last, word.start)) {
                        side.sentences.push((first, at));
                        first = at;
                    }
                    last = word.start..word.end;
                    side.spans.push((word.start as u32, word.end as u32));
                    if with_stems {
                        side.stems.push(tokens.stem(&word).unwrap_or(NO_STEM));
                        side.solo.push(!of.as_bytes()[word.start].is_ascii() && is_solo(&of[word.start..]));
                    }
                }
            });
        });
        if side.spans.len() as u32 > first {
            side.sentences.push((first, side.spans.len() as u32));
        }
        side.partner = vec![NONE; side.hashes.len()];
        side
    }

    /// Finds out where the words of the text stand, if that is not known.
    pub(crate) fn place(&mut self, of: &str) {
        if self.spans.is_empty() {
            let Self { spans, sentences, .. } = Self::new(of, Detail::Words);
            (self.spans, self.sentences) = (spans, sentences);
        }
    }

    /// Words as bytes of the text.
    pub(crate) fn bytes(&self, (start, end): Stretch) -> Range<usize> {
        self.spans[start as usize].0 as usize..self.spans[end as usize - 1].1 as usize
    }

    /// The words that bytes of the text are, from the first of a word to the end of one.
    pub(crate) fn stretch(&self, bytes: Range<usize>) -> Stretch {
        let start = self.spans.partition_point(|&(start, _)| (start as usize) < bytes.start);
        let end = self.spans.partition_point(|&(_, end)| end as usize <= bytes.end);
        (start as u32, end.max(start) as u32)
    }

    fn hash(&self, word: u32) -> u64 {
        self.hashes[word as usize]
    }

    /// Whether a word is in no run and not taken.
    pub(crate) fn is_free(&self, word: u32) -> bool {
        step();
        self.partner[word as usize] == NONE
    }

    /// Takes words, whether or not they are in runs.
    pub(crate) fn claim(&mut self, (start, end): Stretch) {
        self.partner[start as usize..end as usize].fill(CLAIMED);
    }

    /// Before it is held against another text.
    pub(crate) fn free_all(&mut self) {
        self.partner.fill(NONE);
    }
}

fn is_solo(text: &str) -> bool {
    text.chars().next().is_some_and(|c| Class::of(c) == Class::Solo)
}

/// Whether a sentence ends between the word `last` and that at `next`.
fn ends_sentence(text: &str, last: &Range<usize>, next: usize) -> bool {
    let gap = &text[last.end..next];
    if gap == " " {
        return false;
    }
    let goes_on = || text[next..].starts_with(char::is_lowercase);
    // *Mr*, *Jan*, *U.S*, *J*
    let is_abbreviation = || {
        let word = &text[last.clone()];
        word.contains('.') || word.chars().count() <= 3 && word.starts_with(char::is_uppercase)
    };
    let mut lines = 0;
    for c in gap.chars() {
        match c {
            '。' | '！' | '？' | '؟' | '۔' | '।' => return true,
            '.' if !is_abbreviation() && !goes_on() => return true,
            '!' | '?' | '…' if !goes_on() => return true,
            '\n' => lines += 1,
            _ => {}
        }
    }
    lines > 1 || lines == 1 && !goes_on()
}

pub(crate) struct Sides {
    pub(crate) left: Side,
    pub(crate) right: Side,
}

/// So many words from `left` and `right` on are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) left: u32,
    pub(crate) right: u32,
    pub(crate) len: u32,
}

/// Words in a shingle that begins a run.
const SEED: usize = 3;

/// Of the places where the other text has a shingle, how many are tried.
const TRIED: usize = 8;

/// Words that a run needs if they hold next to no content.
const PLAIN_RUN: u32 = 6;

impl Sides {
    fn free(&self, left: u32, right: u32) -> bool {
        step();
        self.left.partner[left as usize] == NONE
            && self.right.partner[right as usize] == NONE
            && self.left.hash(left) == self.right.hash(right)
    }

    /// The longest run of free words through a place.
    fn grow(&self, left: u32, right: u32) -> Run {
        let back = (1..=left.min(right)).take_while(|&back| self.free(left - back, right - back)).count() as u32;
        let room = (self.left.hashes.len() as u32 - left).min(self.right.hashes.len() as u32 - right);
        let on = (0..room).take_while(|&on| self.free(left + on, right + on)).count() as u32;
        Run { left: left - back, right: right - back, len: back + on }
    }

    /// Whether a run says more than that both texts are in one language.
    fn is_telling(&self, run: Run) -> bool {
        if self.left.stems.is_empty() {
            return run.len as usize >= SEED;
        }
        let stems = &self.left.stems[run.left as usize..][..run.len as usize];
        let all = self.left.spans.len().min(self.right.spans.len());
        let content = stems.iter().filter(|&&stem| stem != NO_STEM).count();
        run.len >= PLAIN_RUN || content >= 2 || run.len as usize >= all.min(SEED) && all < 2 * SEED
    }

    fn take(&mut self, run: Run) {
        for on in 0..run.len {
            self.left.partner[(run.left + on) as usize] = run.right + on;
            self.right.partner[(run.right + on) as usize] = run.left + on;
        }
    }
}

/// The shingles of both texts as numbers.
struct Seeds {
    /// The number of each shingle of the left text, if the right one has it.
    left: Vec<u32>,
    /// By number: how often the left text has it, how often the right one.
    counts: Vec<(u32, u32)>,
    /// By number: where the right text has it first, of the places that may still be free.
    first: Vec<u32>,
    /// By place in the right text: where it has the same shingle again.
    next: Vec<u32>,
}

impl Seeds {
    fn new(sides: &Sides) -> Self {
        let words = SEED.min(sides.left.hashes.len()).min(sides.right.hashes.len()).max(1);
        let hash = |shingle: &[u64]| shingle.iter().fold(0, |sum, &word| mix2(word, sum));
        let shingles = |side: &Side| side.hashes.len().saturating_sub(words - 1);
        let size = (2 * shingles(&sides.right)).max(2).next_power_of_two();
        let mut table: Vec<(u64, u32)> = vec![(0, NONE); size];
        let place = |table: &[(u64, u32)], hash: u64| {
            let mut at = hash as usize % size;
            while table[at].1 != NONE && table[at].0 != hash {
                step();
                at = (at + 1) % size;
            }
            at
        };
        let (mut counts, mut first) = (Vec::new(), Vec::new());
        let mut next = vec![NONE; shingles(&sides.right)];
        // From the end, so that places are chained in ascending order.
        for (right, shingle) in sides.right.hashes.windows(words).enumerate().rev() {
            let hash = hash(shingle);
            let at = place(&table, hash);
            if table[at].1 == NONE {
                table[at] = (hash, counts.len() as u32);
                counts.push((0, 0));
                first.push(NONE);
            }
            let seed = table[at].1 as usize;
            counts[seed].1 += 1;
            next[right] = std::mem::replace(&mut first[seed], right as u32);
        }
        let number = |shingle: &[u64]| {
            let (_, seed) = table[place(&table, hash(shingle))];
            if seed != NONE {
                counts[seed as usize].0 += 1;
            }
            seed
        };
        let left = sides.left.hashes.windows(words).map(number).collect();
        Self { left, counts, first, next }
    }
}

/// Runs of the same words, none overlapping another.
pub(crate) fn same_words(sides: &mut Sides) -> Vec<Run> {
    let mut seeds = Seeds::new(sides);
    let mut runs = Vec::new();
    let mut keep = |sides: &mut Sides, run: Run| {
        let telling = run.len > 0 && sides.is_telling(run);
        if telling {
            sides.take(run);
            runs.push(run);
        }
        telling
    };
    // What each text has once stands where it belongs.
    for (&seed, left) in seeds.left.iter().zip(0..) {
        if seed != NONE && seeds.counts[seed as usize] == (1, 1) {
            let run = sides.grow(left, seeds.first[seed as usize]);
            keep(sides, run);
        }
    }
    // Of what stands in several places the longest run is taken, and if there is a choice, that on the line of the run before.
    // A try looks at no more words than the run that is taken has, so that all of it is linear.
    let mut line: Option<(u32, u32)> = None;
    let mut left = 0;
    while let Some(&seed) = seeds.left.get(left as usize) {
        let partner = sides.left.partner[left as usize];
        if partner != NONE {
            line = Some((left, partner));
        }
        if partner != NONE || seed == NONE || seeds.counts[seed as usize] == (1, 1) {
            left += 1;
            continue;
        }
        let first = &mut seeds.first[seed as usize];
        while *first != NONE && sides.right.partner[*first as usize] != NONE {
            step();
            *first = seeds.next[*first as usize];
        }
        let in_line = line.map(|(l, r)| left - l + r).filter(|&at| (at as usize) < sides.right.hashes.len());
        let places = std::iter::successors(Some(*first), |&at| seeds.next.get(at as usize).copied());
        let tries = in_line.into_iter().chain(places.take_while(|&at| at != NONE).take(TRIED));
        let run = tries.map(|right| sides.grow(left, right)).reduce(|a, b| if b.len > a.len { b } else { a });
        match run {
            Some(run) if keep(sides, run) => left = run.left + run.len - 1,
            _ => left += 1,
        }
    }
    runs
}

/// A stretch of each text that tell the same.
#[derive(Clone, Copy, Debug)]
struct Piece {
    left: Stretch,
    right: Stretch,
    kind: PassageKind,
}

impl Piece {
    fn same(run: Run) -> Self {
        Self { left: (run.left, run.left + run.len), right: (run.right, run.right + run.len), kind: PassageKind::Same }
    }
}

/// A run of so many words stands by itself; a sentence that is told anew around a shorter one is told anew as a whole.
const LONG_RUN: u32 = 8;

/// Content words that a sentence needs to be held against others.
const SENTENCE: usize = 3;

/// What a feature may cost: the sentences of one text that have it times those of the other. A feature of more sentences says
/// little.
const MOST_MEETINGS: usize = 256;

/// The least score of two sentences that tell the same.
const LEAST_SCORE: f32 = 0.3;

/// The least shared weight.
const LEAST_SHARED: u32 = 8 * UNIT as u32;

/// The parts of a text that are not told in the same words: sentences without the long runs in them, unless most of the
/// sentence is the same.
fn units(side: &Side, is_long: impl Fn(u32) -> bool) -> Vec<Stretch> {
    let mut units = Vec::new();
    for &(start, end) in &side.sentences {
        let same = side.partner[start as usize..end as usize].iter().filter(|&&partner| partner != NONE).count() as u32;
        if 3 * same >= 2 * (end - start) {
            continue;
        }
        let mut first = start;
        for at in start..=end {
            if at == end || is_long(at) {
                let content = side.stems[first as usize..at as usize].iter().filter(|&&stem| stem != NO_STEM).count();
                if content >= SENTENCE {
                    units.push((first, at));
                }
                first = at + 1;
            }
        }
    }
    units
}

/// Which words of a text lie in long runs.
fn in_long_runs(words: usize, runs: &[Run], first: impl Fn(&Run) -> u32) -> Vec<bool> {
    let mut long = vec![false; words];
    for run in runs.iter().filter(|run| run.len >= LONG_RUN) {
        long[first(run) as usize..][..run.len as usize].fill(true);
    }
    long
}

/// Sentences of the two texts that tell the same in other words, none overlapping another or a long run.
fn same_sentences(sides: &Sides, runs: &[Run]) -> Vec<Piece> {
    let long = in_long_runs(sides.left.spans.len(), runs, |run| run.left);
    let left = units(&sides.left, |at| long[at as usize]);
    let long = in_long_runs(sides.right.spans.len(), runs, |run| run.right);
    let right = units(&sides.right, |at| long[at as usize]);
    if left.is_empty() || right.is_empty() {
        return Vec::new();
    }
    let mut features = Vec::new();
    add_features(&sides.left, &left, 0, &mut features);
    add_features(&sides.right, &right, left.len() as u32, &mut features);
    features.sort_unstable();
    features.dedup();

    let mut totals = vec![0; left.len() + right.len()];
    let mut meetings: Vec<(u32, u32, u32)> = Vec::new();
    for same in features.chunk_by(|a, b| a >> 32 == b >> 32) {
        let feature = (same[0] >> 32) as u32;
        let weight = weight(feature, same.len(), totals.len());
        let (ours, theirs) = same.split_at(same.partition_point(|&entry| (entry as u32 as usize) < left.len()));
        if !is_pair(feature) {
            same.iter().for_each(|&entry| totals[entry as u32 as usize] += weight);
        }
        if ours.len() * theirs.len() <= MOST_MEETINGS {
            for &ours in ours {
                theirs.iter().for_each(|_| step());
                meetings.extend(theirs.iter().map(|&theirs| (ours as u32, theirs as u32, weight)));
            }
        }
    }
    meetings.sort_unstable();
    let mut scores: Vec<(f32, u32, u32)> = meetings
        .chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
        .filter_map(|shared| {
            let (ours, theirs, _) = shared[0];
            let sum: u32 = shared.iter().map(|meeting| meeting.2).sum();
            let score = sum as f32 / (totals[ours as usize] as f32 * totals[theirs as usize] as f32).sqrt();
            (score >= LEAST_SCORE && sum >= LEAST_SHARED).then_some((score, ours, theirs - left.len() as u32))
        })
        .collect();
    scores.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let (mut ours, mut theirs) = (vec![false; left.len()], vec![false; right.len()]);
    let mut pieces = Vec::new();
    for (_, l, r) in scores {
        if !ours[l as usize] && !theirs[r as usize] {
            ours[l as usize] = true;
            theirs[r as usize] = true;
            pieces.push(Piece { left: left[l as usize], right: right[r as usize], kind: PassageKind::Reworded });
        }
    }
    pieces
}

/// What sentences can have in common: a stem, or a pair of neighbouring stems, with an odd number; single characters of scripts
/// without spaces say nothing, so that there two of them make what a stem is elsewhere. Above the sentence, so that
/// sorting brings together those that share it.
fn add_features(side: &Side, units: &[Stretch], first: u32, features: &mut Vec<u64>) {
    for (&(start, end), unit) in units.iter().zip(first..) {
        let mut last: Option<(u32, bool)> = None;
        for at in start as usize..end as usize {
            let (stem, solo) = (side.stems[at], side.solo[at]);
            if stem == NO_STEM {
                continue;
            }
            // Of two texts there are so few that fewer bits tell them apart.
            let pair = |a, b| (content::pair(a, b) >> (content::FEATURE_BITS - u32::BITS)) as u32;
            let mut add = |feature: u32| features.push(u64::from(feature) << 32 | u64::from(unit));
            if !solo {
                add(stem);
            }
            match last {
                Some((before, true)) if solo => add(pair(before, stem) & !1),
                Some((before, _)) if before != stem => add(pair(before, stem) | 1),
                _ => {}
            }
            last = Some((stem, solo));
        }
    }
}

fn is_pair(feature: u32) -> bool {
    feature & 1 != 0
}

/// What it says that two sentences share a feature that so many of all sentences have, in whole [`UNIT`]s.
fn weight(feature: u32, held: usize, sentences: usize) -> u32 {
    let rarity = (content::ln((sentences as f32 + 20.0) / held as f32) * UNIT) as u32;
    // A word that few English texts have says more, up to one in a thousand: what is not known is not English, or rare.
    const EVERYWHERE: u8 = 165;
    const ONE_IN_A_THOUSAND: u8 = 55;
    let strange = if is_pair(feature) {
        0
    } else {
        EVERYWHERE.saturating_sub(Prior::get().commonness(feature).0.max(ONE_IN_A_THOUSAND)) / 2
    };
    rarity + u32::from(strange)
}

/// The parts of runs that lie outside of sentences that are told anew.
fn outside(runs: &[Run], sentences: &[Piece], sides: &Sides) -> Vec<Run> {
    let mark = |words: usize, stretch: fn(&Piece) -> Stretch| {
        let mut marks = vec![false; words];
        sentences.iter().map(stretch).for_each(|(start, end)| marks[start as usize..end as usize].fill(true));
        marks
    };
    let left = mark(sides.left.spans.len(), |piece| piece.left);
    let right = mark(sides.right.spans.len(), |piece| piece.right);
    let mut rest = Vec::with_capacity(runs.len());
    for run in runs {
        let mut part = Run { len: 0, ..*run };
        for on in 0..run.len {
            if !left[(run.left + on) as usize] && !right[(run.right + on) as usize] {
                part.len += 1;
                continue;
            }
            rest.push(part);
            part = Run { left: run.left + on + 1, right: run.right + on + 1, len: 0 };
        }
        rest.push(part);
    }
    rest.retain(|&run| run.len > 0 && sides.is_telling(run));
    rest
}

/// Words between two runs, at most, that are compared one by one.
const GAP: usize = 32;

/// Adds the words that two texts share in the same order between runs that follow each other in both texts.
fn fill_gaps(pieces: &mut Vec<Piece>, sides: &Sides) {
    let begin = Piece::same(Run { left: 0, right: 0, len: 0 });
    let end = Piece::same(Run { left: sides.left.spans.len() as u32, right: sides.right.spans.len() as u32, len: 0 });
    if pieces.iter().all(|piece| piece.kind != PassageKind::Same) {
        return;
    }
    // The piece that follows each one in the right text.
    let mut by_right: Vec<u32> = (0..pieces.len() as u32).collect();
    by_right.sort_unstable_by_key(|&piece| pieces[piece as usize].right.0);
    let mut follower: Vec<Option<u32>> = vec![None; pieces.len()];
    for two in by_right.windows(2) {
        follower[two[0] as usize] = Some(two[1]);
    }
    let mut filled = Vec::with_capacity(pieces.len());
    let mut fill = |before: &Piece, after: &Piece| {
        if before.kind == PassageKind::Same && after.kind == PassageKind::Same {
            same_in_gap(sides, (before.left.1, after.left.0), (before.right.1, after.right.0), &mut filled);
        }
    };
    if by_right[0] == 0 {
        fill(&begin, &pieces[0]);
    }
    for (at, two) in pieces.windows(2).enumerate() {
        if follower[at] == Some(at as u32 + 1) {
            fill(&two[0], &two[1]);
        }
    }
    if by_right.last() == Some(&(pieces.len() as u32 - 1)) {
        fill(&pieces[pieces.len() - 1], &end);
    }
    pieces.extend(filled);
    pieces.sort_unstable_by_key(|piece| piece.left.0);
    pieces.dedup_by(|next, piece| {
        let joins = next.kind == PassageKind::Same
            && piece.kind == PassageKind::Same
            && (next.left.0, next.right.0) == (piece.left.1, piece.right.1);
        if joins {
            (piece.left.1, piece.right.1) = (next.left.1, next.right.1);
        }
        joins
    });
}

/// The longest common subsequence of two short stretches, as runs.
fn same_in_gap(sides: &Sides, left: Stretch, right: Stretch, found: &mut Vec<Piece>) {
    let ours = &sides.left.hashes[left.0 as usize..left.1 as usize];
    let theirs = &sides.right.hashes[right.0 as usize..right.1 as usize];
    if ours.is_empty() || theirs.is_empty() || ours.len().max(theirs.len()) > GAP {
        return;
    }
    let is_narrow = ours.len().max(theirs.len()) <= 2 * SEED;
    // By the words left of either, how many they share.
    let mut shared = [[0u8; GAP + 1]; GAP + 1];
    for i in (0..ours.len()).rev() {
        for j in (0..theirs.len()).rev() {
            step();
            shared[i][j] =
                if ours[i] == theirs[j] { shared[i + 1][j + 1] + 1 } else { shared[i + 1][j].max(shared[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < ours.len() && j < theirs.len() {
        if ours[i] == theirs[j] {
            let len = ours[i..].iter().zip(&theirs[j..]).take_while(|(a, b)| a == b).count();
            let run = Run { left: left.0 + i as u32, right: right.0 + j as u32, len: len as u32 };
            // In a wide gap a word without content is there by chance.
            if is_narrow || sides.left.stems[run.left as usize..][..len].iter().any(|&stem| stem != NO_STEM) {
                found.push(Piece::same(run));
            }
            (i, j) = (i + len, j + len);
        } else if shared[i + 1][j] >= shared[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Words;
    use crate::text::tests::mixed_text;
    use proptest::prelude::*;
    use std::cell::Cell;

    thread_local! {
        pub(super) static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    fn normalized(text: &str) -> Vec<String> {
        Words::new(text).map(|word| word.normalized().into_owned()).collect()
    }

    /// The words of both texts, as written, of each passage.
    fn told<'t>(left: &'t str, right: &'t str) -> Vec<(&'t str, &'t str, PassageKind)> {
        let passages = shared_passages(left, right);
        passages.into_iter().map(|Passage { left: l, right: r, kind }| (&left[l], &right[r], kind)).collect()
    }

    /// How many of a text's words lie in passages.
    fn covered(text: &str, passages: &[Range<usize>]) -> usize {
        let inside = |word: Range<usize>| passages.iter().any(|at| at.start <= word.start && word.end <= at.end);
        Words::new(text).filter(|word| inside(word.span())).count()
    }

    fn check(left: &str, right: &str) -> Result<Vec<Passage>, TestCaseError> {
        let passages = shared_passages(left, right);
        let of_left: Vec<_> = passages.iter().map(|passage| passage.left.clone()).collect();
        let mut of_right: Vec<_> = passages.iter().map(|passage| passage.right.clone()).collect();
        prop_assert!(of_left.is_sorted_by_key(|at| at.start));
        of_right.sort_by_key(|at| at.start);
        for (text, places) in [(left, &of_left), (right, &of_right)] {
            prop_assert!(places.windows(2).all(|two| two[0].end <= two[1].start), "{places:?} overlap");
            for place in places {
                // Cutting at edges of words changes no word.
                prop_assert!(
                    place.start < place.end && text.is_char_boundary(place.start) && text.is_char_boundary(place.end)
                );
                let whole =
                    Words::new(text).filter(|word| place.start <= word.span().start && word.span().end <= place.end);
                prop_assert_eq!(
                    whole.map(|word| word.normalized().into_owned()).collect::<Vec<_>>(),
                    normalized(&text[place.clone()])
                );
                prop_assert!(Words::new(text).any(|word| word.span().start == place.start));
                prop_assert!(Words::new(text).any(|word| word.span().end == place.end));
            }
        }
        for Passage { left: l, right: r, kind } in &passages {
            if *kind == PassageKind::Same {
                prop_assert_eq!(normalized(&left[l.clone()]), normalized(&right[r.clone()]));
            }
        }
        Ok(passages)
    }

    /// Sentences of words of which few are frequent and many rare.
    fn article() -> impl Strategy<Value = Vec<Vec<String>>> {
        let word = (0.0f64..1.0).prop_map(|x| {
            let rank = (2000f64.powf(x) - 1.0) as usize;
            let syllable = |n: usize| ["ba", "de", "ki", "lo", "mu", "ra", "se", "ti", "vo", "zu"][n % 10];
            format!("{}{}{}{}", syllable(rank), syllable(rank / 10), syllable(rank / 100), syllable(rank / 1000))
        });
        prop::collection::vec(prop::collection::vec(word, 5..30), 12..40)
    }

    #[derive(Clone, Debug)]
    enum Edit {
        Keep,
        Drop,
        Replace(u16),
        Insert(u16),
    }

    fn edit() -> impl Strategy<Value = Edit> {
        prop_oneof![
            60 => Just(Edit::Keep),
            1 => Just(Edit::Drop),
            1 => any::<u16>().prop_map(Edit::Replace),
            1 => any::<u16>().prop_map(Edit::Insert),
        ]
    }

    proptest! {
        #[test]
        fn passages_are_ordered_apart_and_on_words(pieces in prop::collection::vec(mixed_text(), 1..6), left in prop::collection::vec(0usize..6, 0..8), right in prop::collection::vec(0usize..6, 0..8)) {
            let text = |order: Vec<usize>| order.iter().map(|&at| pieces[at % pieces.len()].as_str()).collect::<Vec<_>>().join(". ");
            check(&text(left), &text(right))?;
        }

        #[test]
        fn few_words_in_any_order(left in "([abc]{1,2} |the |harbour |[.!] ){0,80}", right in "([abc]{1,2} |the |harbour |[.!] ){0,80}") {
            check(&left, &right)?;
        }

        #[test]
        fn a_text_is_one_passage_of_itself(text in mixed_text()) {
            let passages = check(&text, &text)?;
            prop_assert_eq!(passages.len(), usize::from(Words::new(&text).next().is_some()));
            prop_assert!(passages.iter().all(|passage| passage.left == passage.right && passage.kind == PassageKind::Same));
            prop_assert_eq!(covered(&text, &passages.iter().map(|passage| passage.left.clone()).collect::<Vec<_>>()), Words::new(&text).count());
        }

        #[test]
        fn unedited_words_of_an_edited_copy_are_covered(
            (article, edits) in article().prop_flat_map(|article| {
                let words = article.iter().map(Vec::len).sum::<usize>();
                (Just(article), prop::collection::vec(edit(), words))
            }),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut edits = edits.into_iter();
            let mut kept = 0;
            let mut edited: Vec<Vec<String>> = article.iter().map(|sentence| sentence.iter().zip(edits.by_ref()).flat_map(|(word, edit)| {
                kept += usize::from(matches!(edit, Edit::Keep | Edit::Insert(_)));
                match edit {
                    Edit::Keep => vec![word.clone()],
                    Edit::Drop => vec![],
                    Edit::Replace(new) => vec![format!("new{new}")],
                    Edit::Insert(new) => vec![format!("new{new}"), word.clone()],
                }
            }).collect()).collect();
            // The second part goes before the first.
            let at = cut.index(edited.len());
            edited.rotate_left(at);
            let text = |sentences: &[Vec<String>]| sentences.iter().map(|words| words.join(" ")).collect::<Vec<_>>().join(". ");
            let (left, right) = (text(&article), text(&edited));
            for (left, right) in [(&left, &right), (&right, &left)] {
                let passages = check(left, right)?;
                for (text, places) in [
                    (left, passages.iter().map(|passage| passage.left.clone()).collect::<Vec<_>>()),
                    (right, passages.iter().map(|passage| passage.right.clone()).collect()),
                ] {
                    let covered = covered(text, &places);
                    prop_assert!(covered * 100 >= kept * 95, "{covered} of {kept}");
                }
            }
        }
    }

    /// How many steps something takes.
    pub(crate) fn steps<T>(of: impl FnOnce() -> T) -> usize {
        STEPS.set(0);
        of();
        STEPS.get()
    }

    #[test]
    fn repetition_does_not_cost_more_than_words() {
        let sentence = "The ferry to Orrin will stop in March, the harbour board announced on Monday. ";
        let other = "On Monday the board of the harbour announced that in March the ferry will stop. ";
        let shifted = "stop in March, the harbour board announced on Monday. Nobody knows. ";
        let long = |text: &str| text.repeat((1 << 18) / text.len());
        let random: String = (0..100_000u64).map(|at| ["a ", "b "][(crate::hash::mix(at) & 1) as usize]).collect();
        let texts = [long(sentence), long(other), shifted.to_string() + &long(sentence), long("no "), random];
        for left in &texts {
            for right in &texts {
                let words = Words::new(left).count() + Words::new(right).count();
                let steps = steps(|| shared_passages(left, right));
                assert!(steps <= 20 * words, "{steps} steps for {words} words");
            }
        }
    }

    #[test]
    fn words_that_both_texts_have_by_chance_are_no_passage() {
        let (left, right) = ("It was one of the first in the city.", "This is one of the few that in the end stayed.");
        assert_eq!(told(left, right), []);
    }

    #[test]
    fn a_changed_word_is_left_out() {
        let left = "The ferry to Orrin will stop in March, the harbour board announced on Monday.";
        let right = "The ferry to Orrin will end in April, the harbour board announced on Monday.";
        let same = ["The ferry to Orrin will", "in", "the harbour board announced on Monday"];
        assert_eq!(told(left, right), same.map(|text| (text, text, PassageKind::Same)));
    }

    #[test]
    fn a_moved_paragraph_is_found() {
        let first = "Snow closed the mountain road to Hallin for the third time in a week.";
        let second = "The baker in the valley sold bread from a sledge, and nobody went hungry.";
        let (left, right) = (format!("{first}\n\n{second}"), format!("{second}\n\n{first}"));
        let passages = shared_passages(&left, &right);
        assert_eq!(passages.len(), 2);
        assert!(passages[0].left.start < passages[1].left.start && passages[0].right.start > passages[1].right.start);
    }

    #[test]
    fn sentences_end_where_readers_end_them() {
        let sentences = |text: &str| {
            let side = Side::new(text, Detail::Stems);
            side.sentences.iter().map(|&at| text[side.bytes(at)].to_string()).collect::<Vec<_>>()
        };
        assert_eq!(
            sentences("Mr. Aldous went to the U.S. Senate at 3.15 p.m. on Monday. “Why?” she asked. 85 left!"),
            ["Mr. Aldous went to the U.S. Senate at 3.15 p.m. on Monday", "Why?” she asked", "85 left"]
        );
        assert_eq!(sentences("A title\nIt goes\non here\n\nand ends"), ["A title", "It goes\non here", "and ends"]);
        assert_eq!(sentences("他来了。她走了？是的"), ["他来了", "她走了", "是的"]);
        assert_eq!(sentences("وصل القطار متأخرا. غادر الركاب بعد ذلك").len(), 2);
        assert_eq!(sentences(&"word ".repeat(130)).len(), 3);
    }
}
