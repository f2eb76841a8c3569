//! Excerpts: a passage of one text that stands in another one, which is otherwise different writing.
//!
//! Texts that share fingerprints are aligned: runs of the same words, found by their shingles, are joined over short gaps as long
//! as most words of what comes of it are the same.

use std::ops::Range;

use crate::hash::mix2;
use crate::passages::ends_sentence;
use crate::text;

/// Where a passage stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ExcerptPlace {
    /// The id of the article.
    pub id: String,
    /// Where the article stands in the input, from 0.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub position: usize,
    /// Where the passage begins and ends in its text, in bytes; at the edges of words.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub span: Range<usize>,
}

/// A passage that two articles share which are no copies of each other.
///
/// ```
/// use retold::{Detector, Excerpts, Level};
///
/// let quoted = "On Monday the harbour board announced that the ferry to Orrin will stop in March. It said that fewer than \
///     nine people a day had crossed the bay in winter, and that the old ship would not pass its next inspection.";
/// let host = format!("Nobody in Orrin was surprised last night. {quoted} The mayor had more to say about \
///     the road, which is to be widened between the church and the mill before the summer. Work will begin after Easter and go on at \
///     night, so that buses can pass by day; the baker, whose shop stands in the narrowest bend, will get a new door on the side \
///     of the square. What it costs nobody would tell us. The council is to vote on it next week.");
/// let source = format!("{quoted} Three readers wrote to us. The first asks who will pay for a bus, and the others why nobody \
///     asked them before the board met; the second of them owns the hotel at the pier, which has stood empty since May.");
/// let detector = Detector::builder().level(Level::Near).excerpts(Excerpts::Find).build()?;
/// let report = detector.find(&[("host", &host), ("source", &source)])?;
/// let excerpt = &report.excerpts()[0];
/// assert_eq!(&host[excerpt.host.span.clone()], &source[excerpt.source.span.clone()]);
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Excerpt {
    /// The article that took the passage over, if it is the longer one that did.
    pub host: ExcerptPlace,
    /// The one that it may be taken from.
    pub source: ExcerptPlace,
    /// Words of the passage, in the host.
    pub words: usize,
    /// The share of these words that are the same in the source, 0.8 to 1.
    pub same: f32,
    /// How many articles hold the passage, these two included and copies of one article counted once.
    pub holders: usize,
}

/// The words of a text, to be aligned with others.
pub(crate) struct Aligned {
    words: Vec<u64>,
    spans: Vec<(u32, u32)>,
    /// The shingles, ascending, and where each stands.
    shingles: Vec<(u64, u32)>,
}

/// Words in a shingle.
const SHINGLE: usize = 5;

/// Of the places where the other text has a shingle, how many are tried.
const TRIED: usize = 8;

/// The most words between two runs that are joined.
const GAP: usize = 12;

/// The least share of the words of a passage that are the same in both texts.
const SAME: f32 = 0.8;

/// A passage that so many texts hold is furniture of the page, unless it is the whole of one of them: where sources are not known,
/// few of such passages were taken over from one of the others.
pub(crate) const FURNITURE: u32 = 3;

/// Words that make a passage, in any case and if they hold two sentences.
const LONG: usize = 40;
const SHORT: usize = 25;

/// A passage of two texts: words of either, and how many are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Passage {
    pub(crate) left: Range<usize>,
    pub(crate) right: Range<usize>,
    pub(crate) same: usize,
}

impl Passage {
    /// The share of the words of the longer side that are the same.
    pub(crate) fn share(&self) -> f32 {
        self.same as f32 / self.left.len().max(self.right.len()) as f32
    }
}

impl Aligned {
    pub(crate) fn new(of: &str) -> Self {
        let (mut words, mut spans) = (Vec::with_capacity(of.len() / 5), Vec::with_capacity(of.len() / 5));
        text::with_scratch(|scratch| {
            text::walk(of, scratch, |scan| {
                words.extend_from_slice(scan.hashes());
                spans.extend(scan.iter().map(|word| (word.start as u32, word.end as u32)));
            });
        });
        let hash = |shingle: &[u64]| shingle.iter().fold(0, |sum, &word| mix2(word, sum));
        let mut shingles: Vec<(u64, u32)> = words.windows(SHINGLE).map(hash).zip(0..).collect();
        shingles.sort_unstable();
        Self { words, spans, shingles }
    }

    /// Words as bytes of the text.
    pub(crate) fn bytes(&self, words: &Range<usize>) -> Range<usize> {
        self.spans[words.start].0 as usize..self.spans[words.end - 1].1 as usize
    }

    /// Whether words of the text, of which these are the words, hold so many that they are a passage, or two sentences.
    fn is_passage(&self, of: &str, words: &Range<usize>) -> bool {
        let edge = |at: usize| {
            let word = |at: usize| self.spans[at].0 as usize..self.spans[at].1 as usize;
            at == 0 || at == self.spans.len() || ends_sentence(of, &word(at - 1), word(at).start)
        };
        let sentences = || (words.start..=words.end).filter(|&at| edge(at)).count().saturating_sub(1);
        words.len() >= LONG || words.len() >= SHORT && sentences() >= 2
    }

    /// The shingles that two texts share: where they stand in either, by the place in the first, and no more than some
    /// places in the second for each.
    fn shared(&self, other: &Self) -> Vec<(u32, u32)> {
        let mut shared = Vec::new();
        let (mut ours, mut theirs) = (&self.shingles[..], &other.shingles[..]);
        while let (Some(first), Some(second)) = (ours.first(), theirs.first()) {
            if first.0 < second.0 {
                ours = &ours[1..];
            } else if first.0 > second.0 {
                theirs = &theirs[1..];
            } else {
                let same = theirs.iter().take(TRIED).take_while(|shingle| shingle.0 == first.0);
                shared.extend(same.map(|&(_, at)| (first.1, at)));
                ours = &ours[1..];
            }
        }
        shared.sort_unstable();
        shared
    }

    /// The passages that two texts share, in the order of the first.
    pub(crate) fn passages(&self, of: &str, other: &Self) -> Vec<Passage> {
        let shared = self.shared(other);
        let mut runs: Vec<Passage> = Vec::new();
        let mut at = 0;
        while at < shared.len() {
            let left = shared[at].0;
            let places = shared[at..].iter().take_while(|place| place.0 == left).map(|place| place.1 as usize);
            let ours = &self.words[left as usize..];
            let run = |right: usize| ours.iter().zip(&other.words[right..]).take_while(|(a, b)| a == b).count();
            // Of runs of one length the one that goes on where the last run ended.
            let end = runs.last().map_or(0, |run| run.right.end);
            let longest = places
                .map(|right| (run(right), right))
                .max_by_key(|&(len, right)| (len, right >= end, std::cmp::Reverse(right)));
            let Some((len, right)) = longest else { break };
            let left = left as usize;
            // The hash of a shingle may be that of another one.
            if len > 0 {
                runs.push(Passage { left: left..left + len, right: right..right + len, same: len });
            }
            let next = (left + len.max(1)) as u32;
            at += shared[at..].partition_point(|place| place.0 < next);
        }
        let mut passages: Vec<Passage> = Vec::new();
        for run in runs {
            if let Some(last) = passages.last_mut()
                && let Some(joined) = self.join(other, last, &run)
            {
                *last = joined;
                continue;
            }
            passages.push(run);
        }
        passages.retain(|passage| self.is_passage(of, &passage.left) && passage.right.len() >= SHORT);
        passages
    }

    /// Two runs and what stands between them as one passage, if this is short and most of it all is the same.
    fn join(&self, other: &Self, first: &Passage, second: &Passage) -> Option<Passage> {
        let between = |first: &Range<usize>, second: &Range<usize>| {
            (first.end..second.start).len() <= GAP && first.end <= second.start
        };
        if !between(&first.left, &second.left) || !between(&first.right, &second.right) {
            return None;
        }
        let gap =
            common(&self.words[first.left.end..second.left.start], &other.words[first.right.end..second.right.start]);
        let joined = Passage {
            left: first.left.start..second.left.end,
            right: first.right.start..second.right.end,
            same: first.same + gap + second.same,
        };
        (joined.share() >= SAME).then_some(joined)
    }
}

/// The length of the longest common subsequence of two short runs of words.
fn common(left: &[u64], right: &[u64]) -> usize {
    let mut row = [0; GAP + 1];
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
