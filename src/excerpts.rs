//! Excerpts: a passage of one text that stands in another one, which is otherwise different writing.
//!
//! Texts that share fingerprints are read side by side: runs of the same words are joined over short gaps as long as most words of what
//! comes of it are the same. Passages that stand in one place of a text are of one family, and who holds a family says what it is: a
//! block that was taken over, or furniture of the pages that it stands on.

mod reworded;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;

use crate::content::{Token, Tokens};
use crate::corpus::Corpus;
use crate::date;
use crate::fingerprints::Shared;
use crate::furniture::Furniture;
use crate::hash::mix2;
use crate::passages::{Detail, Run, Side, Sides, Stretch, same_words, step};
use crate::report::{Cluster, Excerpt, ExcerptKind, ExcerptPlace};
use crate::telling::{RELATED, Said};
use crate::text;

pub(crate) use reworded::Retelling;
use reworded::Retells;

/// The most words between two runs that are joined.
const GAP: u32 = 12;

/// The least share of the words of a passage that are the same in both texts, and what a passage may fall to on the way, since it
/// can begin where most was changed.
const SAME: f32 = 0.8;
const SAME_SO_FAR: f32 = 0.7;

/// Passages that a run may continue: between two runs of one passage others may stand that belong to none.
const OPEN: usize = 4;

/// One run of eleven words gives two texts one fingerprint, and what is told as an excerpt has more.
pub(crate) const NEEDED: u32 = 2;

/// Words that make a passage, in any case and if they hold two sentences.
const LONG: u32 = 40;
const SHORT: u32 = 25;

/// From which confidence on a passage is told in other words: of those of plain news that were read, half were right between 0.8 and this, and
/// five of six beyond.
pub(crate) const SURE: f32 = 0.85;

/// A passage of two texts: words of either, and how many are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Block {
    left: Stretch,
    right: Stretch,
    same: u32,
}

fn len((start, end): Stretch) -> u32 {
    end - start
}

/// The words that two stretches of one text have in common.
fn both(ours: Stretch, theirs: Stretch) -> u32 {
    ours.1.min(theirs.1).saturating_sub(ours.0.max(theirs.0))
}

/// Whether a passage is most of a text of so many words.
fn is_whole(words: Stretch, of: u32) -> bool {
    5 * len(words) >= 4 * of
}

impl Block {
    /// The share of the words of the longer side that are the same.
    fn share(&self) -> f32 {
        self.same as f32 / len(self.left).max(len(self.right)) as f32
    }

    /// Whether no word of either text stands in this passage and in another one as well.
    fn is_beside(&self, other: &Self) -> bool {
        step();
        both(self.left, other.left) + both(self.right, other.right) == 0
    }

    /// With what is the same beyond both ends, as far as that is free: runs of a few words are not looked for by themselves.
    fn whole(self, sides: &Sides) -> Self {
        let Sides { left, right } = sides;
        let is_free = |&(at, other): &(u32, u32)| left.is_free(at) && right.is_free(other);
        let is_same = |(at, other): (u32, u32)| left.hashes[at as usize] == right.hashes[other as usize];
        let after = (self.left.1..left.hashes.len() as u32).zip(self.right.1..right.hashes.len() as u32);
        let before = (0..self.left.0).rev().zip((0..self.right.0).rev());
        let (after, before) =
            (beyond(after.take_while(is_free).map(is_same)), beyond(before.take_while(is_free).map(is_same)));
        Self {
            left: (self.left.0 - before.0, self.left.1 + after.0),
            right: (self.right.0 - before.0, self.right.1 + after.0),
            same: self.same + before.1 + after.1,
        }
    }

    /// Whether none of its words is of a run or a passage.
    fn is_free(&self, sides: &Sides) -> bool {
        let are_free = |side: &Side, (start, end): Stretch| (start..end).all(|word| side.is_free(word));
        are_free(&sides.left, self.left) && are_free(&sides.right, self.right)
    }

    /// Takes its words, so that no other passage has them.
    fn claim(&self, sides: &mut Sides) {
        sides.left.claim(self.left);
        sides.right.claim(self.right);
    }

    /// With a run and what stands between as one passage, if this is short and most of it is the same, of the whole and of what is added.
    fn join(&self, sides: &Sides, run: &Run) -> Option<Self> {
        let between = |(_, end): Stretch, start: u32| start.checked_sub(end).filter(|&gap| gap <= GAP);
        let gaps = (between(self.left, run.left)?, between(self.right, run.right)?);
        let words = |side: &Side, end: u32, gap: u32| side.hashes[end as usize..(end + gap) as usize].to_vec();
        let gap = common(&words(&sides.left, self.left.1, gaps.0), &words(&sides.right, self.right.1, gaps.1));
        let joined = Self {
            left: (self.left.0, run.left + run.len),
            right: (self.right.0, run.right + run.len),
            same: self.same + gap + run.len,
        };
        let is_like = 2 * (gap + run.len) >= gaps.0.max(gaps.1) + run.len;
        (is_like && joined.share() >= SAME_SO_FAR).then_some(joined)
    }
}

/// How far a passage goes on beyond its end, in words, and how many of these are the same, if that is known of each word from the end
/// on: as far as more are the same than not, and not far beyond what is not.
fn beyond(are_same: impl Iterator<Item = bool>) -> (u32, u32) {
    const CHANGED: i32 = 3;
    let (mut score, mut best, mut same, mut end) = (0, 0, 0, (0, 0));
    for (is_same, len) in are_same.zip(1..) {
        if is_same {
            (score, same) = (score + 1, same + 1);
        } else {
            score -= 1;
        }
        if score > best {
            (best, end) = (score, (len, same));
        }
        if score < best - CHANGED {
            break;
        }
    }
    end
}

/// The length of the longest common subsequence of two short runs of words.
fn common(left: &[u64], right: &[u64]) -> u32 {
    let mut row = [0; GAP as usize + 1];
    for word in left {
        let mut diagonal = 0;
        for (at, other) in right.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = if word == other { diagonal + 1 } else { above.max(row[at]) };
            diagonal = above;
        }
    }
    row[right.len()]
}

/// Whether words of a text are so many that they are a passage, or two sentences.
fn is_passage(side: &Side, words: Stretch) -> bool {
    let sentences = || {
        let begin = side.sentences.partition_point(|sentence| sentence.0 < words.0);
        side.sentences.partition_point(|sentence| sentence.1 <= words.1).saturating_sub(begin)
    };
    len(words) >= LONG || len(words) >= SHORT && sentences() >= 2
}

/// What may be the passages that two texts share, in the order of the left one, by their runs of the same words in that order: as far as words
/// tell, and not sentences. Two long texts that share many runs have many, so that none is compared with all others.
fn blocks(sides: &mut Sides, runs: &[Run]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for run in runs {
        let open = blocks.len().saturating_sub(OPEN);
        let joined = (open..blocks.len()).rev().find_map(|at| Some((at, blocks[at].join(sides, run)?)));
        match joined {
            Some((at, joined)) => {
                blocks[at] = joined;
                // What stands between its runs goes on nowhere else: all that began after it.
                blocks.truncate(at + 1);
            }
            None => {
                let place = |start: u32| (start, start + run.len);
                blocks.push(Block { left: place(run.left), right: place(run.right), same: run.len });
            }
        }
    }
    blocks.iter().for_each(|block| block.claim(sides));
    for block in &mut blocks {
        *block = block.whole(sides);
        block.claim(sides);
    }
    blocks.retain(|block| block.share() >= SAME && len(block.left).min(len(block.right)) >= SHORT);
    // Two that cross may claim one place of the other text.
    sides.left.free_all();
    sides.right.free_all();
    blocks.sort_by_key(|block| (Reverse(block.same), block.left));
    blocks.retain(|block| {
        let is_free = block.is_free(sides);
        if is_free {
            block.claim(sides);
        }
        is_free
    });
    blocks.sort_unstable_by_key(|block| block.left);
    blocks
}

/// What is known of the texts that may share passages, whatever they say.
struct Asked<'a> {
    /// The length of each in words.
    words: &'a [u32],
    /// The first article of the cluster that a text is in, or its own: copies of one article hold a passage as one.
    story: &'a (dyn Fn(u32) -> usize + Sync),
    /// Whether a text is known already: what such share among themselves is not asked for.
    is_known: &'a (dyn Fn(u32) -> bool + Sync),
    /// The number of the outlet in which a text appeared, if that is known.
    source: &'a (dyn Fn(u32) -> Option<u32> + Sync),
    /// When a text appeared; the latest time that there is if that is not known.
    seconds: &'a (dyn Fn(u32) -> i64 + Sync),
    /// Whether furniture is wanted, and what texts of one source share.
    wants_all: bool,
}

/// The texts themselves.
struct Reading<'a> {
    read: &'a (dyn Fn(u32) -> Cow<'a, str> + Sync),
    /// What of them is known to be furniture.
    furniture: &'a Furniture,
    /// Tells passages in other words, if such are looked for.
    retells: Option<Retells<'a>>,
}

/// A passage in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) text: u32,
    pub(crate) words: Stretch,
    pub(crate) span: Range<usize>,
}

/// A passage that two texts share.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Match {
    pub(crate) spots: [Spot; 2],
    pub(crate) kind: ExcerptKind,
    pub(crate) same: f32,
    /// How much the texts have in common apart from what they share word for word, 0 to 1.
    pub(crate) related: f32,
    /// Whether the passage ends both texts, or begins both as a form does.
    pub(crate) is_edge: bool,
    /// Whether it ends both texts and is no longer than what stands below a text: a signature, or a note on the author or on methods.
    pub(crate) is_sign_off: bool,
    /// Whether it is of its text: long, and one of two texts that are apart says so much of it elsewhere.
    pub(crate) is_spoken_of: bool,
    /// Whether it is no prose, but names, headlines or captions.
    pub(crate) is_list: bool,
    /// Whether it stands on many pages.
    pub(crate) is_on_pages: bool,
    /// Whether so many texts hold it that not all of them were compared.
    pub(crate) is_crowded: bool,
}

/// A passage to be told.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) host: Spot,
    pub(crate) source: Spot,
    pub(crate) words: u32,
    pub(crate) kind: ExcerptKind,
    pub(crate) same: f32,
    pub(crate) holders: usize,
    /// The other holders, if all are told of together.
    pub(crate) others: Vec<u32>,
    /// When the first of the holders appeared, if any is dated.
    pub(crate) first: Option<i64>,
    pub(crate) is_furniture: bool,
}

impl Found {
    /// Where it stands in a text that was asked about, the first of all, and in the other one.
    pub(crate) fn of_first(self) -> [Spot; 2] {
        if self.host.text == 0 { [self.host, self.source] } else { [self.source, self.host] }
    }
}

/// So many holders are told of together.
const FAMILY: usize = 5;

/// Of the texts that share with one what a crowd shares, so many are read: a passage of many pages is known by then.
pub(crate) const OF_CROWD: usize = 8;

/// So many outlets that hold a passage do so because of their pages. Where fewer do, from [`SOME`] on, the texts must be related: who
/// quotes one speech writes of one event. If it is not known where they appeared, they are taken for one outlet: nearly all that so many
/// hold is repeated by one.
const MANY: usize = 10;
const SOME: usize = 3;

/// A passage is a list if the share of names among its words, and the share of words without content that it lacks beside the text
/// around it, come to so much together, it has so many times the names of that text, and hardly a sentence in so many words.
const LIST: f32 = 0.55;
const A_SENTENCE: u32 = 40;
const MORE_NAMES: f32 = 1.2;

/// Texts that have no more in common apart from a list are not of one site, or on other things.
const APART: f32 = 0.1;

/// A passage that says so much of itself again is a list as well: captions of pictures, each with the same title.
const REPETITIVE: f32 = 0.05;

/// A passage of which so much stands on pages that have nothing else in common is furniture as a whole.
const ON_PAGES: f32 = 0.3;

/// What an outlet prints in so many unrelated texts of its own is its furniture.
const REPEATED: usize = 3;

/// Words before the first and after the last one of a passage with which it still begins or ends its text.
const EDGE: u32 = 4;

/// What begins two texts and is as much the same was taken over; less of a form is, for it is filled in.
const TAKEN: f32 = 0.9;

/// So many words that end two texts are seldom more than a note below both, whether or not these tell of one event: threads of a forum,
/// reports on one poll.
const SIGN_OFF: u32 = 120;

/// So many words are seldom furniture where no more than [`SOME`] hold them.
const FOR_SOME: u32 = 45;

/// What pages have below a text says little of what the text says. A passage that ends two texts which are apart was taken over if one of
/// them says so much of it elsewhere.
const OF_ITS_TEXT: f32 = 0.3;

/// The passages that texts share which are apart, by pairs of texts that share fingerprints; and how many families of furniture there
/// are. They come in no order.
fn find(shared: &[Shared], asked: &Asked<'_>, reading: &Reading<'_>) -> (Vec<Found>, usize) {
    let of_shorter = |pairs: &[Shared]| reading.matches(pairs, asked);
    let shorter: Vec<&[Shared]> = shared.chunk_by(|a, b| a.shorter == b.shorter).collect();
    let matches: Vec<Vec<Match>> = shorter.into_par_iter().with_max_len(16).map(of_shorter).collect();
    asked.told(&matches.into_iter().flatten().collect::<Vec<_>>())
}

impl Reading<'_> {
    /// The passages of pairs with one shorter text.
    fn matches(&self, pairs: &[Shared], asked: &Asked<'_>) -> Vec<Match> {
        let source_text = (self.read)(pairs[0].shorter);
        let mut source = read(&source_text);
        let (mut matches, mut choice) = (Vec::new(), Choice::default());
        for pair in pairs.iter().filter(|pair| choice.takes(pair, asked.story, asked.is_known)) {
            let host_text = (self.read)(pair.longer);
            let (found, side) = passages(pair, (&host_text, &source_text), source, (self.furniture, self.retells));
            matches.extend(found);
            source = side;
        }
        matches
    }
}

/// Chooses among the pairs of texts that share fingerprints, which come in order, those that are read.
#[derive(Default)]
pub(crate) struct Choice {
    /// The shorter text at hand, and how many pairs with it were chosen that share what a crowd shares.
    of: Option<(u32, usize)>,
}

impl Choice {
    /// Whether a pair is to be read, by the story of each text and by who is known already.
    pub(crate) fn takes(
        &mut self,
        pair: &Shared,
        story: impl Fn(u32) -> usize,
        is_known: impl Fn(u32) -> bool,
    ) -> bool {
        let (shorter, of_crowd) = self.of.get_or_insert((pair.shorter, 0));
        if *shorter != pair.shorter {
            (*shorter, *of_crowd) = (pair.shorter, 0);
        }
        if story(pair.shorter) == story(pair.longer) || is_known(pair.shorter) && is_known(pair.longer) {
            return false;
        }
        *of_crowd += usize::from(pair.is_crowded);
        !pair.is_crowded || *of_crowd <= OF_CROWD
    }
}

/// A text as it is read for its passages.
pub(crate) fn read(text: &str) -> Side {
    Side::new(text, Detail::Hashes)
}

/// The passages that two texts share, in the order of the longer one, which may be a host. The other one may have been read for others
/// before, and is given back.
pub(crate) fn passages(
    pair: &Shared,
    (host_text, source_text): (&str, &str),
    mut source: Side,
    (furniture, retells): (&Furniture, Option<Retells<'_>>),
) -> (Vec<Match>, Side) {
    source.free_all();
    let mut sides = Sides { left: read(host_text), right: source };
    let mut matches = Vec::new();
    let mut runs = same_words(&mut sides);
    runs.sort_unstable_by_key(|run| run.left);
    let mut blocks = blocks(&mut sides, &runs);
    let retells = retells.filter(|_| reworded::may_be_told(&runs, &blocks));
    if !blocks.is_empty() || retells.is_some() {
        sides.left.place(host_text);
        sides.right.place(source_text);
        blocks.retain(|block| is_passage(&sides.left, block.left) && is_passage(&sides.right, block.right));
    }
    let verbatim = blocks.len();
    if let Some(retells) = retells {
        blocks.extend(reworded::blocks(&sides, (host_text, source_text), &runs, &blocks, retells));
    }
    if !blocks.is_empty() {
        let left: Vec<Range<usize>> = blocks.iter().map(|block| sides.left.bytes(block.left)).collect();
        let right: Vec<Range<usize>> = blocks.iter().map(|block| sides.right.bytes(block.right)).collect();
        let around = (Outside::of(host_text, &left), Outside::of(source_text, &right));
        let related = around.0.said.share(&around.1.said);
        let (plain, names) = (around.0.plain.min(around.1.plain), around.0.names.max(around.1.names));
        let edge = |side: &Side, words: Stretch| (words.0 <= EDGE, words.1 + EDGE >= side.hashes.len() as u32);
        for ((at, block), spans) in blocks.into_iter().enumerate().zip(left.into_iter().zip(right)) {
            let edges = (edge(&sides.left, block.left), edge(&sides.right, block.right));
            let (begins_both, ends_both) = (edges.0.0 && edges.1.0, edges.0.1 && edges.1.1);
            let inside = Outside::of(&host_text[spans.0.clone()], &[]);
            let listed = inside.names + 1.0 - inside.plain / plain.max(f32::MIN_POSITIVE);
            let before = |word: u32| sides.left.sentences.partition_point(|sentence| sentence.0 < word);
            let sentences = (before(block.left.1) - before(block.left.0 + 1)) as u32;
            let is_list =
                listed >= LIST && inside.names > MORE_NAMES * names && sentences <= len(block.left) / A_SENTENCE
                    || repeated(&sides.left.hashes[block.left.0 as usize..block.left.1 as usize]) >= REPETITIVE;
            let on_pages = |text: u32, span: &Range<usize>| furniture.share_of(text, span);
            let is_on_pages = on_pages(pair.longer, &spans.0).max(on_pages(pair.shorter, &spans.1)) >= ON_PAGES;
            let is_long = len(block.left).min(len(block.right)) >= FOR_SOME;
            let of_its_text = || inside.said.share(&around.0.said).max(inside.said.share(&around.1.said));
            let is_taken = block.share() >= TAKEN;
            let spot = |text: u32, words: Stretch, span: Range<usize>| Spot { text, words, span };
            matches.push(Match {
                kind: if at < verbatim { ExcerptKind::Verbatim } else { ExcerptKind::Reworded },
                same: block.share(),
                spots: [spot(pair.longer, block.left, spans.0), spot(pair.shorter, block.right, spans.1)],
                related,
                is_edge: ends_both || begins_both && !is_taken,
                is_sign_off: ends_both && len(block.left).max(len(block.right)) <= SIGN_OFF,
                is_spoken_of: is_taken && is_long && related < APART && of_its_text() >= OF_ITS_TEXT,
                is_list,
                is_on_pages,
                is_crowded: pair.is_crowded,
            });
        }
    }
    (matches, sides.right)
}

impl Asked<'_> {
    /// What is told of all matches, in no order; and how many families of furniture there are.
    fn told(&self, matches: &[Match]) -> (Vec<Found>, usize) {
        let told: Vec<(Vec<Found>, usize)> =
            families(matches).par_iter().map(|family| self.tell(matches, family)).collect();
        let furniture = told.iter().map(|told| told.1).sum();
        (told.into_iter().flat_map(|told| told.0).collect(), furniture)
    }

    /// The length of a text in words.
    fn words(&self, text: u32) -> u32 {
        self.words[text as usize]
    }

    /// Whether a passage is most of the text that it stands in.
    fn is_whole(&self, spot: &Spot) -> bool {
        is_whole(spot.words, self.words(spot.text))
    }

    /// Who of the holders of a passage it is taken from, the first by this order: the earliest, then the one of which it is most, that is the
    /// shortest.
    fn order(&self, text: u32) -> (i64, u32, u32) {
        ((self.seconds)(text), self.words(text), text)
    }

    /// Whether what these matches share belongs to the pages. `texts` are those that hold it, one for each story.
    fn is_furniture(&self, matches: &[&Match], texts: &[u32]) -> bool {
        if matches.iter().flat_map(|found| &found.spots).any(|spot| self.is_whole(spot)) {
            return false;
        }
        let mut outlets: BTreeMap<u32, usize> = BTreeMap::new();
        let known = texts.iter().filter_map(|&text| (self.source)(text));
        known.for_each(|outlet| *outlets.entry(outlet).or_default() += 1);
        let unknown = texts.iter().filter(|&&text| (self.source)(text).is_none()).count();
        let holders = outlets.len() + unknown;
        let groups = self.groups(matches, texts);
        let is_repeated = outlets.values().any(|&texts| texts >= REPEATED);
        let is_spoken_of = holders == 2 && matches.iter().all(|found| found.is_spoken_of);
        let is_edge = matches.iter().all(|found| found.is_edge) && !is_spoken_of;
        // What one outlet has below two of its texts, a third may have as well before its own note. Of two outlets that are known one took it.
        let is_sign_off = matches.iter().any(|found| found.is_sign_off) && !is_spoken_of && unknown > 0;
        let is_crowded = matches.iter().any(|found| found.is_crowded);
        let is_long = matches.iter().flat_map(|found| &found.spots).all(|spot| len(spot.words) >= FOR_SOME);
        // A list that two pages of one site show is made by the site; who has it in writing on another thing has taken it.
        let is_taken =
            holders == 2 && !is_edge && matches.iter().all(|found| found.related < APART && !found.is_on_pages);
        match holders {
            _ if matches.iter().any(|found| (found.is_list || found.is_on_pages) && !is_taken) => true,
            ..2 => true,
            ..MANY if is_sign_off => true,
            2 => groups > 1 && (is_repeated || is_edge),
            SOME if is_long && unknown <= SOME => is_edge || is_crowded,
            SOME..MANY => groups >= SOME || is_edge || is_crowded || unknown > SOME,
            _ => true,
        }
    }

    /// Into how many groups the texts that hold a passage fall if those that are related are put together.
    fn groups(&self, matches: &[&Match], texts: &[u32]) -> usize {
        let stories: Vec<usize> = texts.iter().map(|&text| (self.story)(text)).collect();
        let place = |text: u32| stories.binary_search(&(self.story)(text)).ok().map(|at| at as u32);
        let mut parents: Vec<u32> = (0..stories.len() as u32).collect();
        for found in matches.iter().filter(|found| found.related >= RELATED) {
            if let [Some(left), Some(right)] = [place(found.spots[0].text), place(found.spots[1].text)] {
                crate::crowds::tie(&mut parents, left, right);
            }
        }
        (0..).zip(&parents).filter(|&(at, &parent)| at == parent).count()
    }

    /// What is told of a family of passages, and whether it is furniture, as a number.
    fn tell(&self, all: &[Match], family: &[u32]) -> (Vec<Found>, usize) {
        let matches: Vec<&Match> = family.iter().map(|&at| &all[at as usize]).collect();
        let mut texts: Vec<u32> = matches.iter().flat_map(|found| &found.spots).map(|spot| spot.text).collect();
        texts.sort_unstable();
        texts.dedup();
        // Of copies of one article the first one speaks for all.
        texts.sort_by_key(|&text| ((self.story)(text), self.order(text)));
        texts.dedup_by_key(|text| (self.story)(*text));
        let is_furniture = self.is_furniture(&matches, &texts);
        if is_furniture && !self.wants_all {
            return (Vec::new(), 1);
        }
        let mut found: Vec<Found> =
            matches.iter().filter_map(|found| self.found(found, &texts, is_furniture)).collect();
        // Where copies of one article hold it, the one that holds most of it.
        let stories = |found: &Found| ((self.story)(found.host.text), (self.story)(found.source.text));
        found.sort_by_key(|found| {
            let same = (found.same * found.words as f32) as u32;
            (
                stories(found),
                Reverse(same),
                self.order(found.source.text),
                self.order(found.host.text),
                found.host.words,
            )
        });
        found.dedup_by_key(|found| stories(found));
        // From the first holder to each other one, or for many to the second alone; and from who else stands alone with one.
        found.sort_by_key(|found| {
            (self.order(found.source.text), self.order(found.host.text), found.source.words, found.host.words)
        });
        if texts.len() >= FAMILY {
            found.truncate(1);
            if let Some(first) = found.first_mut() {
                let told = [(self.story)(first.host.text), (self.story)(first.source.text)];
                first.others = texts.into_iter().filter(|&text| !told.contains(&(self.story)(text))).collect();
                first.others.sort_unstable();
            }
        } else if let Some(source) = found.first().map(|first| first.source.text) {
            let source = (self.story)(source);
            let mut told: Vec<usize> = vec![source];
            found.retain(|found| {
                let (host, from) = stories(found);
                let is_new = from == source || !told.contains(&host);
                told.push(host);
                is_new
            });
        }
        (found, usize::from(is_furniture))
    }

    /// A match as it is told, if it is.
    fn found(&self, found: &Match, texts: &[u32], is_furniture: bool) -> Option<Found> {
        let [mut host, mut source] = found.spots.clone();
        let outlets = ((self.source)(host.text), (self.source)(source.text));
        if outlets.0.is_some() && outlets.0 == outlets.1 && !self.wants_all {
            return None;
        }
        if self.order(host.text) < self.order(source.text) {
            (host, source) = (source, host);
        }
        let first = texts.iter().map(|&text| (self.seconds)(text)).min().filter(|&first| first != i64::MAX);
        let words = len(host.words);
        Some(Found {
            host,
            source,
            words,
            kind: found.kind,
            same: found.same,
            holders: texts.len(),
            others: Vec::new(),
            first,
            is_furniture,
        })
    }
}

/// The matches of each family, by their places: two are of one family if they hold one place of a text, most of it.
fn families(matches: &[Match]) -> Vec<Vec<u32>> {
    // The passages of a text by where they begin, so that those of one place come together.
    let mut spots: Vec<(u32, Stretch, u32)> = Vec::with_capacity(2 * matches.len());
    for (found, at) in matches.iter().zip(0..) {
        spots.extend(found.spots.iter().map(|spot| (spot.text, spot.words, at)));
    }
    spots.sort_unstable();
    let mut parents: Vec<u32> = (0..matches.len() as u32).collect();
    for of_text in spots.chunk_by(|a, b| a.0 == b.0) {
        for (at, &(_, words, found)) in of_text.iter().enumerate() {
            /// Of the passages that begin before, so many are looked at.
            const BEFORE: usize = 8;
            for &(_, before, other) in &of_text[at.saturating_sub(BEFORE)..at] {
                if 2 * both(words, before) >= len(words).max(len(before)) {
                    crate::crowds::tie(&mut parents, found, other);
                }
            }
        }
    }
    let mut families: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for at in 0..matches.len() as u32 {
        families.entry(crate::crowds::root(&mut parents, at)).or_default().push(at);
    }
    families.into_values().collect()
}

/// What a text says outside of some passages.
struct Outside {
    said: Said,
    /// The share of the words that carry no content, 0 to 1.
    plain: f32,
    /// The share of the names.
    names: f32,
}

impl Outside {
    fn of(text: &str, passages: &[Range<usize>]) -> Self {
        let (mut tokens, mut words): (Vec<Token>, usize) = Default::default();
        let mut add = |part: &str| {
            let mut finder = Tokens::new(part);
            text::with_scratch(|scratch| {
                text::walk(part, scratch, |scan| {
                    words += scan.len();
                    finder.collect(scan, &mut tokens);
                });
            });
        };
        let mut end = 0;
        // The passages of a host are in order, those of a source need not be.
        let mut passages = passages.to_vec();
        passages.sort_unstable_by_key(|passage| passage.start);
        for passage in passages {
            add(&text[end..passage.start.max(end)]);
            end = passage.end.max(end);
        }
        add(&text[end..]);
        let share = |part: usize| part as f32 / words.max(1) as f32;
        let (plain, names) = (1.0 - share(tokens.len()), share(tokens.iter().filter(|token| token.is_name()).count()));
        Self { said: Said::new(tokens.iter().map(|token| token.stem()).collect()), plain, names }
    }
}

/// The share of the runs of five words that stood before.
fn repeated(words: &[u64]) -> f32 {
    let mut runs: Vec<u64> = words.windows(5).map(|run| run.iter().fold(0, |sum, &word| mix2(word, sum))).collect();
    let Some(all) = Some(runs.len()).filter(|&all| all > 0) else { return 0.0 };
    runs.sort_unstable();
    runs.dedup();
    1.0 - runs.len() as f32 / all as f32
}

/// The words of a text by some bits of their hashes: what tells of most others that they have no passage of it word for word.
pub(crate) struct Hints {
    bits: Vec<u64>,
    /// By how much a hash is shifted for its bit.
    shift: u32,
}

impl Hints {
    /// By all words of a text.
    pub(crate) fn of_words(text: &str) -> Self {
        let words = words(text);
        // One other word in a hundred is taken for one of these.
        let bits = (64 * words.len().max(8)).next_power_of_two();
        let mut hints = Self { bits: vec![0; bits / 64], shift: 64 - bits.ilog2() };
        words
            .iter()
            .for_each(|word| hints.bits[(word >> hints.shift) as usize / 64] |= 1 << (word >> hints.shift & 63));
        hints
    }

    fn has(&self, word: u64) -> bool {
        self.bits[(word >> self.shift) as usize / 64] >> (word >> self.shift & 63) & 1 == 1
    }

    /// Whether a text may have a passage of this one, of which all words are known.
    pub(crate) fn may_have_passage_in(&self, other: &str) -> bool {
        may_hold_passage(words(other).into_iter().map(|word| self.has(word)))
    }
}

fn words(text: &str) -> Vec<u64> {
    let mut hashes = Vec::with_capacity(text.len() / 5);
    text::with_scratch(|scratch| text::walk(text, scratch, |words| hashes.extend_from_slice(words.hashes())));
    hashes
}

/// Whether a text has a stretch that is long enough for a passage, and of which as much may be the same in another text, if that is known
/// of each word.
fn may_hold_passage(may_be_same: impl Iterator<Item = bool>) -> bool {
    /// A word that is not the same is made up for by so many that are.
    const OTHER: i64 = (SAME / (1.0 - SAME)) as i64;
    const LEAST: usize = SHORT as usize;
    // What the words up to some place come to, for the last places; and the least of all before.
    let (mut sum, mut last, mut least) = (0, [0; LEAST], i64::MAX);
    for (at, may_be_same) in may_be_same.enumerate() {
        last[at % LEAST] = sum;
        sum += if may_be_same { 1 } else { -OTHER };
        if at + 1 >= LEAST {
            least = least.min(last[(at + 1) % LEAST]);
            if sum >= least {
                return true;
            }
        }
    }
    false
}

/// A text and what is known of it, outside of a corpus.
pub(crate) struct Known<'t> {
    /// Of one that is in none of the pairs it is not looked at.
    pub(crate) text: Cow<'t, str>,
    pub(crate) words: u32,
    /// The first of those that it is a copy of, or its own place.
    pub(crate) story: usize,
    /// The number of the outlet in which it appeared, if that is known.
    pub(crate) source: Option<u32>,
    pub(crate) seconds: Option<i64>,
}

/// The passages that the first of some texts shares with those that share fingerprints with it.
pub(crate) fn of_first(
    known: &[Known<'_>],
    shared: &[Shared],
    (furniture, retells): (&Furniture, Option<Retells<'_>>),
    wants_all: bool,
) -> Vec<Found> {
    let words: Vec<u32> = known.iter().map(|of| of.words).collect();
    let of = |text: u32| &known[text as usize];
    let read = |text: u32| Cow::Borrowed(&*of(text).text);
    let asked = Asked {
        words: &words,
        story: &|text| of(text).story,
        is_known: &|_| false,
        source: &|text| of(text).source,
        seconds: &|text| of(text).seconds.unwrap_or(i64::MAX),
        wants_all,
    };
    find(shared, &asked, &Reading { read: &read, furniture, retells }).0
}

/// For each article of some clusters, by its position, the one that stands for its story: its own position if it is in none.
pub(crate) fn stories(articles: usize, clusters: &[Cluster]) -> Vec<usize> {
    let mut stories: Vec<usize> = (0..articles).collect();
    for cluster in clusters {
        cluster.positions().for_each(|position| stories[position] = cluster.representative.position);
    }
    stories
}

/// Asks about the texts of a corpus, whose articles tell such stories.
fn about<T>(corpus: &Corpus<'_>, stories: &[usize], wants_all: bool, ask: impl FnOnce(&Asked<'_>) -> T) -> T {
    let Corpus { articles, words, .. } = corpus;
    let position = |text: u32| corpus.position(text);
    ask(&Asked {
        words,
        story: &|text| stories[position(text)],
        is_known: &|text| articles.is_known(position(text)),
        source: &|text| articles.source(position(text)),
        seconds: &|text| articles.seconds().get(position(text)).copied().unwrap_or(i64::MAX),
        wants_all,
    })
}

/// What is told of the passages of a corpus that were found, by those who read its texts, in the order of these.
pub(crate) fn told(corpus: &Corpus<'_>, stories: &[usize], matches: &[Match], wants_all: bool) -> Vec<Found> {
    about(corpus, stories, wants_all, |asked| asked.told(matches)).0
}

/// The passages that texts share which are in no cluster together, and how many families of furniture there are.
pub(crate) fn between(
    corpus: &Corpus<'_>,
    (shared, furniture, retells): (&[Shared], &Furniture, Option<Retells<'_>>),
    clusters: &[Cluster],
    wants_all: bool,
) -> (Vec<Excerpt>, usize) {
    let stories = stories(corpus.articles.len(), clusters);
    let reading = Reading { read: &|text| corpus.read(text), furniture, retells };
    let (found, furniture) = about(corpus, &stories, wants_all, |asked| find(shared, asked, &reading));
    let position = |text: u32| corpus.position(text);
    let id = |text: u32| corpus.articles.id(position(text)).to_owned();
    let place = |Spot { text, span, .. }: Spot| ExcerptPlace { id: id(text), position: position(text), span };
    let excerpt = |found: Found| Excerpt {
        host: place(found.host),
        source: place(found.source),
        words: found.words as usize,
        kind: found.kind,
        same: found.same,
        holders: found.holders,
        others: found.others.into_iter().map(id).collect(),
        date: found.first.map(date::shown),
        is_furniture: found.is_furniture,
    };
    let mut excerpts: Vec<Excerpt> = found.into_iter().map(excerpt).collect();
    excerpts.par_sort_by(|a, b| {
        let key = |excerpt: &Excerpt| (excerpt.host.span.start, excerpt.source.span.start);
        (&a.host.id, &a.source.id, key(a)).cmp(&(&b.host.id, &b.source.id, key(b)))
    });
    (excerpts, furniture)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passages::tests::steps;
    use proptest::prelude::*;

    const SENTENCES: [&str; 24] = [
        "The harbour board announced on Monday that the old ferry to Orrin will stop running in the middle of March. ",
        "Fewer than nine people a day had crossed the bay in winter, and most of them were pupils from the islands. ",
        "The ship would not have passed its next inspection without a new engine, which nobody wanted to pay for. ",
        "A bus will take its place and cross the long bridge at Hallin eleven times a day, said the mayor. ",
        "Three captains lose their posts, and the youngest of them has found another one at the northern yard. ",
        "In the council nobody spoke against the plan, although the shopkeepers of the lower town had written letters. ",
        "Tickets that were bought for the summer can be given back at the old office until the end of April. ",
        "The pier itself remains open to anglers and will be mended with money that the county promised last year. ",
        "Snow closed the mountain road for the third time in one week, and drivers waited at the upper inn. ",
        "A choir from the valley sang in the square on Sunday, and the fire brigade sold soup until dusk. ",
        "The museum shows maps from four centuries, among them one on which the whole island is missing. ",
        "Apples were dear this autumn because of the frost in May, said the growers at their yearly meeting. ",
        "The school at the mill gets a new roof, for which the parents had collected twelve thousand crowns. ",
        "Wolves were seen twice near the quarry, but the hunters believe that they were somebody's large dogs. ",
        "On Thursday the library opens its new reading room, which was a stable and later a store for salt. ",
        "Whoever found the mayor's chain after the parade is asked to leave it with the sexton of Saint Anne. ",
        "The brewery has bought the well above the chapel and wants to sell its water in green bottles. ",
        "Two brothers from the lower town won the regatta in a boat which their grandfather had built. ",
        "The last cinema of the district shows silent films with an organ every second Friday of the month. ",
        "A comet could be seen above the lighthouse, faint at first, and brighter than the moon by Tuesday. ",
        "The railway will paint its bridges in the old red again, after many people had complained about grey. ",
        "For the first time in ten years the river froze from one bank to the other, and children skated. ",
        "The pharmacist retires in June, and no one has offered to take over the shop beside the post office. ",
        "At the market a stall with cheese from the hills drew a longer queue than the one with the oysters. ",
    ];

    /// A sentence as it is, with some other words, or with its halves changed about.
    fn told(&(sentence, how): &(usize, u8)) -> String {
        let words: Vec<&str> = SENTENCES[sentence].split_whitespace().collect();
        let half = words.len() / 2;
        match how {
            0..=3 => SENTENCES[sentence].into(),
            4 => format!("{} as everybody knew {} ", words[..half].join(" "), words[half..].join(" ")),
            5 => format!("{}, and {} so they say. ", words[half..].join(" "), words[..half].join(" ")),
            6 => words
                .iter()
                .enumerate()
                .map(|(at, word)| if at % 4 == 3 { "thing ".into() } else { format!("{word} ") })
                .collect(),
            _ => words[..half].join(" ") + ". ",
        }
    }

    #[test]
    fn many_runs_do_not_cost_more_than_words() {
        // Made of so few words that the texts share thousands of runs by chance, and with sentences of one another in another order.
        let words = |seed: u64, count: u64| -> String {
            let word = |at| format!("w{} ", crate::hash::mix(seed << 32 | at) % 32);
            (0..count).map(word).collect()
        };
        let part = |at: u64| words(1000 + at, 40);
        let parts = |step: u64| (0..500).map(|at| part(at * step % 500)).collect::<String>();
        for (host, source) in [(words(1, 40_000), words(2, 40_000)), (parts(1), parts(7))] {
            let pair = Shared { shorter: 0, longer: 1, count: 9, is_crowded: false };
            let count = crate::Words::new(&host).count() + crate::Words::new(&source).count();
            let steps = steps(|| passages(&pair, (&host, &source), read(&source), (&Furniture::default(), None)));
            assert!(steps <= 20 * count, "{steps} steps for {count} words");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.div_ceil(2)))]
        #[test]
        fn no_word_of_either_text_stands_in_two_passages_of_a_pair(
            host in prop::collection::vec((0usize..24, 0u8..8), 1..24), source in prop::collection::vec((0usize..24, 0u8..8), 1..24),
        ) {
            let text = |of: &[(usize, u8)]| of.iter().map(told).collect::<String>();
            let (host, source) = (text(&host), text(&source));
            let pair = Shared { shorter: 0, longer: 1, count: 9, is_crowded: false };
            let retells = |_: &str, _: &str| true;
            let side = read(&source);
            let (found, _) = passages(&pair, (&host, &source), side, (&Furniture::default(), Some(&retells)));
            for (at, passage) in found.iter().enumerate() {
                for other in &found[..at] {
                    for (ours, theirs) in passage.spots.iter().zip(&other.spots) {
                        prop_assert_eq!(both(ours.words, theirs.words), 0, "{:?} {:?}", passage, other);
                    }
                }
            }
        }
    }
}
