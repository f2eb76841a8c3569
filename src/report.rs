//! What a detection found: clusters with the evidence for each member, what was skipped, and figures of the run.

use std::fmt;
use std::time::Duration;

use crate::excerpts::Excerpt;
use crate::names::names;
use crate::removal::Removal;
use crate::shingle::Shingle;

/// How two articles are alike, from the strictest to the loosest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Relation {
    /// The same words in the same order; case, punctuation, spacing and Unicode form may differ.
    Exact,
    /// An edited copy: most of the shingles of one are in the other.
    Near,
    /// The same text in other words.
    Reworded,
}

names!("relation", Relation { Exact => "exact", Near => "near", Reworded => "reworded" });

/// The numbers that decided about a pair.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Evidence {
    /// Jaccard similarity of the shingle sets, 0 to 1.
    pub jaccard: f32,
    /// Share of the shorter text's shingles that are in the longer one, 0 to 1.
    pub containment: f32,
    /// How the contents compare; absent where shingles alone decided.
    pub content: Option<ContentEvidence>,
}

impl Evidence {
    /// Share of the longer text's shingles that are in the shorter one, 0 to 1: the other direction of
    /// [`containment`](Self::containment). It follows from the two numbers that are there, up to their rounding.
    ///
    /// ```
    /// use retold::{Detector, Level};
    ///
    /// let (whole, part) = ("One two three four five six seven eight.", "Two three four five six.");
    /// let evidence = Detector::new().compare_texts(whole, part)?.evidence.unwrap();
    /// assert_eq!((evidence.containment, evidence.containment_of_longer()), (1.0, 0.5));
    /// # Ok::<(), retold::Error>(())
    /// ```
    pub fn containment_of_longer(&self) -> f32 {
        // With b shingles in both of s and l, J = b / (s + l − b) and C = b / s give b / l.
        let Self { jaccard, containment, .. } = *self;
        if jaccard > 0.0 {
            (containment * jaccard / (containment - jaccard + containment * jaccard)).min(1.0)
        } else {
            0.0
        }
    }
}

/// The numbers that decide whether a pair is a rewording. Words count the more the fewer documents hold them.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ContentEvidence {
    /// Share of the poorer text's content words, names and numbers aside, that are in the other; 0 to 1, and drawn to 0 in
    /// very short texts.
    pub words: f32,
    /// Share of the richer text's pairs of neighbouring content words that are in the other; 0 to 1.
    pub pairs: f32,
    /// Share of the poorer text's names that are in the other, 0 to 1, and drawn to 0.5 where there are few. None where there are
    /// no names to share.
    pub names: Option<f32>,
    /// Share of content words found again in the third-worst sixth of the shorter text, 0 to 1: high only if the texts are
    /// alike everywhere, not just in a quotation.
    pub coverage: f32,
    /// Whether the shared rare words come in the same order: 1 in the same, 0 in any, −1 in the opposite.
    pub order: f32,
    /// Numbers of the text with fewer numbers that the other one lacks.
    pub numbers_missing: u32,
    /// What such texts share with their twentieth-best neighbours: high for templates and for crowded subjects, where a
    /// pair must share more to convince; 0 to 1.
    pub usual: f32,
    /// Distinct content words of the shorter text over those of the longer, 0 to 1.
    pub length_ratio: f32,
    /// Words of the shorter text.
    pub shorter: u32,
    /// Share of numbers among the words of the text that has more of them, 0 to 1: tables and notices of figures look alike
    /// whatever they tell.
    pub figures: f32,
    /// How far the words of both texts are not those of general English, 0 to 1: where they are not, it is not known
    /// beforehand which of them are common, and the same evidence weighs less than it should.
    pub foreign: f32,
    /// Share of the shorter text's names that the longer one lacks, 0 to 1, and drawn to 0.25 where there are few: a follow-up
    /// has names of its own, a copy hardly any.
    pub new_names: f32,
    /// Share of the longer text's names that the shorter one lacks; as `new_names`.
    pub new_names_of_longer: f32,
    /// Share of the shorter text's numbers that the longer one lacks, 0 to 1, and drawn to 0.25 where there are few: who fills
    /// a template has numbers of its own.
    pub new_numbers: f32,
    /// Share of the longer text's numbers that the shorter one lacks; as `new_numbers`.
    pub new_numbers_of_longer: f32,
    /// Share of the shorter text's words that stand in the longer one in runs of at least five words, 0 to 1.
    pub verbatim: f32,
    /// Share of the shorter text's words that stand in the longest of these runs, 0 to 1: one block is one piece of
    /// evidence, be it a quotation, a footer or a press release that both print.
    pub block: f32,
    /// If the longest of these runs ends both texts, as a signature does: the share of the shorter text's content words outside
    /// of all runs that the longer one has outside of them as well, 0 to 1. Not looked for where less than a tenth stands in such
    /// runs, or all but a few words.
    pub before_the_end: Option<f32>,
}

/// What two texts that look alike and are no copies most likely are; [the crate's documentation](crate#what-a-copy-is) has an
/// example of each.
///
/// ```
/// use retold::{Detector, Lookalike};
///
/// let footer = "Sign up for our weekly letter on the harbour towns, follow us wherever you read the news, and write to the \
///     editors at the old customs house if you know of a story that we should tell next.";
/// let ferry = format!(
///     "The ferry to Orrin will stop in March, the board said, since nobody mends its engines. Farmers on the island fear for \
///     their milk, and the doctor asked who will bring patients over at night once the winter gales set in. {footer}"
/// );
/// let snow = format!(
///     "Snow closed the mountain road to Hallin again, and the school there stayed shut for days. Ploughs from two valleys \
///     worked until dawn, while guests of the hotel played cards by candlelight and waited for a warm wind. {footer}"
/// );
/// let content = Detector::new().compare_texts(&ferry, &snow)?.evidence.and_then(|evidence| evidence.content);
/// assert_eq!(content.and_then(|content| content.lookalike()), Some(Lookalike::Block));
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Lookalike {
    /// One block of the same words in otherwise different writing: an excerpt, a quotation, or page furniture.
    Block,
    /// One form filled with other facts.
    Template,
    /// The same names, but news of its own in each: the same running story, another day or angle.
    FollowUp,
    /// The same names and numbers in other sentences: independent reports of one event.
    SameEvent,
}

impl fmt::Display for Lookalike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Block => "excerpt or page furniture: one block of the same words",
            Self::Template => "template: the same form, other facts",
            Self::FollowUp => "follow-up: the same names, news of its own",
            Self::SameEvent => "same event: the same names, other sentences",
        })
    }
}

impl ContentEvidence {
    /// What the two most likely are if they are no copies; none if the evidence does not show it. Simple limits on the numbers,
    /// for people who read why a pair was not let in; nothing hangs on them.
    pub fn lookalike(&self) -> Option<Lookalike> {
        let new_facts = self.new_numbers.min(self.new_numbers_of_longer);
        let new_names = self.new_names.min(self.new_names_of_longer);
        if self.block >= 0.12 && self.block >= 0.6 * self.verbatim {
            Some(Lookalike::Block)
        } else if (self.usual >= 0.06 || self.verbatim - self.block >= 0.1) && new_facts >= 0.35 {
            Some(Lookalike::Template)
        } else if self.names >= Some(0.5) && new_names.max(new_facts) >= 0.3 {
            Some(Lookalike::FollowUp)
        } else if self.names >= Some(0.6) {
            Some(Lookalike::SameEvent)
        } else {
            None
        }
    }
}

/// An article of the input, by its label and its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ArticleRef {
    /// The article's id.
    pub id: String,
    /// Where the article stands in the input, from 0.
    pub position: usize,
}

/// An article that is a copy of the representative of its cluster.
///
/// ```
/// use retold::{Detector, Relation};
///
/// let articles = [("a", "The ferry leaves the harbour at nine."), ("b", "The ferry leaves the harbour at nine!")];
/// let report = Detector::new().find(&articles)?;
/// let member = &report.clusters()[0].members()[0];
/// assert_eq!((member.id.as_str(), member.position), ("b", 1));
/// assert_eq!((member.relation, member.similarity), (Relation::Exact, 1.0));
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Member {
    /// The article's id.
    pub id: String,
    /// Where the article stands in the input, from 0.
    pub position: usize,
    /// How the article is like the representative.
    pub relation: Relation,
    /// How much the article is like the representative: 1 for `Exact`, the Jaccard similarity or containment that decided
    /// for `Near`, the confidence for `Reworded`. 0 to 1.
    pub similarity: f32,
    /// The numbers that decided; none for an exact copy.
    pub evidence: Option<Evidence>,
}

/// A representative, and the articles that were each verified to be a copy of it.
///
/// ```
/// use retold::{Detector, Relation};
///
/// let articles = [("a", "The ferry leaves the harbour at nine."), ("b", "The ferry leaves the harbour at nine!")];
/// let report = Detector::new().find(&articles)?;
/// let cluster = &report.clusters()[0];
/// assert_eq!(cluster.representative().id, "a");
/// assert_eq!(cluster.members()[0].relation, Relation::Exact);
/// assert!(cluster.ids().eq(["a", "b"]));
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Cluster {
    pub(crate) representative: ArticleRef,
    #[cfg_attr(feature = "serde", serde(deserialize_with = "at_least_one"))]
    pub(crate) members: Vec<Member>,
    pub(crate) near_miss: Option<NearMiss>,
}

#[cfg(feature = "serde")]
fn at_least_one<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Member>, D::Error> {
    let members = <Vec<Member> as serde::Deserialize>::deserialize(deserializer)?;
    if members.is_empty() { Err(serde::de::Error::invalid_length(0, &"at least one member")) } else { Ok(members) }
}

impl Cluster {
    /// The article that all members were verified against: the most central one, unless
    /// [`DetectorBuilder::representative`](crate::DetectorBuilder::representative) says otherwise.
    pub fn representative(&self) -> &ArticleRef {
        &self.representative
    }

    /// The copies of the representative, which is not among them: from the most to the least similar, equals by id, and those of
    /// one id by their words. There is at least one.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// How many articles the cluster has: the members and the representative.
    pub fn size(&self) -> usize {
        self.members.len() + 1
    }

    /// The ids of all articles: that of the representative, then those of the members.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.size()).map(|at| at.checked_sub(1).map_or(&*self.representative.id, |at| &self.members[at].id))
    }

    /// Where all articles stand in the input: the representative, then the members.
    pub fn positions(&self) -> impl ExactSizeIterator<Item = usize> {
        (0..self.size())
            .map(|at| at.checked_sub(1).map_or(self.representative.position, |at| self.members[at].position))
    }

    /// The member whose link to the representative is the least sure: the one of the loosest relation, and among those
    /// of the lowest similarity.
    pub fn weakest(&self) -> &Member {
        let surer = |a: &&Member, b: &&Member| b.relation.cmp(&a.relation).then(a.similarity.total_cmp(&b.similarity));
        self.members.iter().rev().min_by(surer).expect("a cluster has a member")
    }

    /// The article that came nearest to being a member and is none: compared with the representative, and short of what makes
    /// a copy. Only if [`DetectorBuilder::near_misses`](crate::DetectorBuilder::near_misses) asked for it, and none if
    /// nothing came as near as it says.
    pub fn near_miss(&self) -> Option<&NearMiss> {
        self.near_miss.as_ref()
    }
}

/// An article that was held against the representative of a cluster and was not let in.
///
/// ```
/// use retold::{Detector, Level};
///
/// let articles = [
///     ("a", "The ferry leaves the harbour at nine on every weekday morning and returns by noon."),
///     ("b", "The ferry leaves the harbour at nine on every weekday morning and returns by two."),
///     ("c", "The ferry leaves the harbour at nine on every weekday evening and stays there."),
/// ];
/// let report = Detector::builder().level(Level::Near).near_misses(0.3).build()?.find(&articles)?;
/// let near_miss = report.clusters()[0].near_miss().unwrap();
/// assert_eq!(near_miss.id, "c");
/// assert_eq!(near_miss.similarity + near_miss.missing, 0.5);
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct NearMiss {
    /// The article's id.
    pub id: String,
    /// Where the article stands in the input, from 0.
    pub position: usize,
    /// The confidence that it is a copy, or the Jaccard similarity where shingles alone were compared; 0 to 1.
    pub similarity: f32,
    /// What the similarity falls short of the confidence or the threshold that makes a copy, 0 to 1; 0 if it is enough for a pair,
    /// but no second member of the cluster is a copy of it as well.
    pub missing: f32,
    /// The numbers that decided.
    pub evidence: Evidence,
}

/// An article that no comparison was made with, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Skipped {
    /// The article's id.
    pub id: String,
    /// Where the article stands in the input, from 0.
    pub position: usize,
    /// Why it was skipped.
    pub reason: SkipReason,
}

/// Why an article was skipped. Displays as cause and remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum SkipReason {
    /// The text holds no words.
    Empty,
    /// The text is too short to compare.
    TooShort {
        /// The words that it has.
        words: usize,
        /// The words that it needs.
        needed: usize,
    },
    /// The text has fewer characters than a shingle of characters spans.
    NoShingle {
        /// What the shingle spans.
        shingle: Shingle,
    },
    /// The text is longer than 4 GiB.
    TooLong,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the text has no words, so there is nothing to compare: leave it out"),
            Self::TooShort { words, needed } => {
                let s = if *words == 1 { "" } else { "s" };
                write!(f, "the text has {words} word{s}, needs {needed} to be compared: leave it out")
            }
            Self::NoShingle { shingle } => {
                write!(f, "the text is shorter than {shingle}: leave it out or shorten these")
            }
            Self::TooLong => f.write_str("the text is longer than 4 GiB: split it"),
        }
    }
}

/// Two articles that were compared, as [`Detector::pairs`](crate::Detector::pairs) gives them.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Pair {
    /// Where the article with the smaller id stands in the input, from 0.
    pub left: usize,
    /// Where the other one stands.
    pub right: usize,
    /// How the two are alike; none if they are no copies.
    pub relation: Option<Relation>,
    /// As in [`Member`]; for articles that are no copies the confidence that they are, or the Jaccard similarity where
    /// shingles alone were compared.
    pub similarity: f32,
    /// The numbers that decided.
    pub evidence: Evidence,
}

/// Two texts held against each other, as [`Detector::compare_texts`](crate::Detector::compare_texts) does.
///
/// ```
/// use retold::{Detector, Relation};
///
/// let left = "The ferry leaves the harbour at nine on every weekday morning.";
/// let right = "The ferry leaves the harbour at nine on every weekday morning and returns by noon.";
/// let comparison = Detector::new().compare_texts(left, right)?;
/// assert_eq!(comparison.relation, Some(Relation::Near));
/// assert_eq!(comparison.left_in_right, 1.0);
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Comparison {
    /// How the two are alike; none if they are no copies.
    pub relation: Option<Relation>,
    /// As in [`Pair`]; 1 for an exact copy.
    pub similarity: f32,
    /// Share of the left text's shingles that are in the right one, 0 to 1.
    pub left_in_right: f32,
    /// Share of the right text's shingles that are in the left one, 0 to 1.
    pub right_in_left: f32,
    /// Words of the shorter text over those of the longer, 0 to 1.
    pub words_ratio: f32,
    /// The numbers that decided; none for an exact copy.
    pub evidence: Option<Evidence>,
}

/// The steps of a detection, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Stage {
    /// Text to words to signatures.
    Sign,
    /// Signatures to buckets to edited copies.
    Near,
    /// Content features to candidates for rewordings.
    Candidates,
    /// Candidates to rewordings.
    Verify,
    /// Verified pairs to clusters.
    Cluster,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: &'static [Self] = &[Self::Sign, Self::Near, Self::Candidates, Self::Verify, Self::Cluster];
}

names!("stage", Stage {
    Sign => "sign",
    Near => "near",
    Candidates => "candidates",
    Verify => "verify",
    Cluster => "cluster",
});

/// How far a detection is, as given to the callback of
/// [`DetectorBuilder::progress`](crate::DetectorBuilder::progress).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Progress {
    /// The step that is under way.
    pub stage: Stage,
    /// Articles that are done with this step.
    pub done: usize,
    /// Articles that take part in it.
    pub total: usize,
}

/// Figures of a detection.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Summary {
    /// Articles given, skipped ones included.
    pub documents: usize,
    /// Bytes of text given.
    pub bytes: u64,
    /// Pairs that shared a bucket and that their signatures did not rule out, so that they were compared. Exact copies are
    /// folded before and do not count.
    pub candidates: u64,
    /// Pairs whose exact similarity was computed and passed.
    pub verified: u64,
    /// Buckets of shingle signatures that were too crowded to compare all with all; they were split by more of the
    /// signature, and each text in them was compared with the first.
    pub crowded: usize,
    /// The share of copies among the pairs of texts that look alike enough to be read side by side, 0 to 1: how common
    /// rewordings are in this corpus, and so how much a pair must show; see
    /// [`DetectorBuilder::prior`](crate::DetectorBuilder::prior). None if no rewordings were looked for.
    pub prior: Option<f32>,
    /// How often a cap that keeps the work linear may have left pairs out where many texts are alike: fingerprints that more than
    /// 40 texts hold, of which only the shortest holders were compared with all; crowds of copies with more than 32 centres;
    /// and texts between more than four clusters.
    pub capped: usize,
    /// Pairs of articles that share rare words and were not compared for rewordings, because each of the two has 32 others with which it
    /// shares more. It grows with the corpus; in a small one there are none.
    pub left_out: u64,
    /// Passages that so many articles share that they are taken for furniture of the page, an author's note or a list of
    /// links, and are not among the excerpts: counted for each pair of articles.
    pub furniture: usize,
    /// Articles that hold furniture of their pages, copies counted once: windows of eight words that four articles hold which have
    /// little else in common. Rewordings are judged without it.
    pub with_furniture: usize,
    #[cfg_attr(feature = "serde", serde(with = "times"))]
    pub(crate) times: [Duration; Stage::ALL.len()],
}

impl Summary {
    /// How long one step took.
    pub fn time(&self, stage: Stage) -> Duration {
        self.times[stage as usize]
    }
}

/// The time of each stage as seconds under its name: stages may come, and a report from before them must still be read.
#[cfg(feature = "serde")]
mod times {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Stage;

    type Times = [Duration; Stage::ALL.len()];

    pub(super) fn serialize<S: Serializer>(times: &Times, serializer: S) -> Result<S::Ok, S::Error> {
        let seconds: BTreeMap<Stage, f64> =
            Stage::ALL.iter().copied().zip(times.iter().map(Duration::as_secs_f64)).collect();
        seconds.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Times, D::Error> {
        let mut times = Times::default();
        for (stage, seconds) in BTreeMap::<Stage, f64>::deserialize(deserializer)? {
            times[stage as usize] = Duration::try_from_secs_f64(seconds).map_err(D::Error::custom)?;
        }
        Ok(times)
    }
}

/// All that a detection found.
///
/// ```
/// use retold::{Detector, SkipReason};
///
/// let report = Detector::new().find(&[("a", "")])?;
/// assert!(report.clusters().is_empty());
/// assert_eq!(report.skipped()[0].reason, SkipReason::Empty);
/// assert_eq!(report.summary().documents, 1);
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Report {
    pub(crate) clusters: Vec<Cluster>,
    pub(crate) removals: Vec<Removal>,
    pub(crate) excerpts: Vec<Excerpt>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) summary: Summary,
}

impl Report {
    /// The clusters of two articles and more, ordered by their representative's id.
    pub fn clusters(&self) -> &[Cluster] {
        &self.clusters
    }

    /// The articles that can be removed without losing what they tell, and what is kept instead of each, in the order of the
    /// input. By [`may_replace`](crate::may_replace) not every member of a cluster can go: what tells more than any other
    /// member stays.
    pub fn removals(&self) -> &[Removal] {
        &self.removals
    }

    /// The passages that articles of different clusters, or of none, share, by the ids of the host and the source and the place
    /// in the host; none unless [`DetectorBuilder::excerpts`](crate::DetectorBuilder::excerpts) asked for them.
    pub fn excerpts(&self) -> &[Excerpt] {
        &self.excerpts
    }

    /// The articles that were left out, in the order of the input.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Figures of the run.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }
}
