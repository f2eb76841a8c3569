//! The result of a detection: clusters with the evidence for each member, skipped articles, and statistics of the run.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use crate::error::SkipReason;
use crate::names::names;

/// How two articles are alike, from the strictest to the loosest. As text: `exact`, `near`, `reworded`.
///
/// ```
/// use retold::Relation;
///
/// assert_eq!("near".parse::<Relation>()?, Relation::Near);
/// assert!(Relation::Exact < Relation::Reworded);
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Relation {
    /// The same words in the same order; case, punctuation, spacing and Unicode form may differ.
    Exact,
    /// An edited copy: most shingles of one text occur in the other.
    Near,
    /// The same text in other words.
    Reworded,
}

names!("relation", Relation { Exact => "exact", Near => "near", Reworded => "reworded" });

/// The numbers by which a pair was judged.
///
/// ```
/// use retold::{Detector, Level};
///
/// let articles = [
///     ("a", "The ferry leaves the harbour at nine on every weekday morning and returns by noon."),
///     ("b", "The ferry leaves the harbour at nine on every weekday morning and returns by two."),
/// ];
/// let report = Detector::builder().level(Level::Near).build()?.find(&articles)?;
/// let evidence = report.clusters()[0].members()[0].evidence.expect("they are no exact copies");
/// // 12 of 14 three-word shingles occur in both texts.
/// assert_eq!((evidence.jaccard, evidence.containment), (12.0 / 14.0, 12.0 / 13.0));
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Evidence {
    /// Jaccard similarity of the shingle sets, 0 to 1.
    pub jaccard: f32,
    /// Share of the shorter text's shingles that occur in the longer one, 0 to 1.
    pub containment: f32,
    /// How the contents compare; `None` where shingles alone decided.
    pub content: Option<ContentEvidence>,
}

impl Evidence {
    /// Share of the longer text's shingles that occur in the shorter one, 0 to 1: [`containment`](Self::containment) in the
    /// other direction. Computed from the two other numbers, up to rounding.
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

/// The numbers by which rewordings are judged. Words weigh more the fewer documents contain them.
///
/// "The poorer text" is the one with less weight of the kind in question. Where a share rests on little, it is shrunk towards a
/// neutral value.
///
/// ```
/// use retold::Detector;
///
/// let left = "The council of Orrin voted on Tuesday to close the old ferry, because Northline wants too much for repairs.";
/// let right = "On Tuesday the Orrin council decided by vote that the old ferry will be closed; repairs by Northline cost too much.";
/// let content = Detector::new().compare_texts(left, right)?.evidence.and_then(|evidence| evidence.content).unwrap();
/// assert!(content.words > 0.0 && content.names > Some(0.5));
/// assert_eq!(content.numbers_missing, 0);
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ContentEvidence {
    /// Share of the poorer text's content words, except names and numbers, that occur in the other, 0 to 1; shrunk towards 0 in
    /// very short texts.
    pub words: f32,
    /// Share of the richer text's pairs of neighbouring content words that occur in the other, 0 to 1. Of a text that is far richer no more
    /// count than about six times those of the other. 0 where each character is a word, and the share is less than usual.
    pub pairs: f32,
    /// Share of the poorer text's names that occur in the other, 0 to 1; shrunk towards 0.5. `None` if no name is rare enough to weigh
    /// anything, or if capitals tell no names: in other languages than English where fewer than one word in twenty is [known as a
    /// name](Self::named).
    pub names: Option<f32>,
    /// Share of names among the distinct content words of the text that has more of them, 0 to 1: capitals inside sentences tell them.
    pub named: f32,
    /// The shorter text is cut into six parts: the share of content words found again in the third worst of them, 0 to 1. High only
    /// if the texts are alike throughout, not just in a quotation.
    pub coverage: f32,
    /// Whether the shared rare words come in the same order: 1 if they do, 0 in random order, −1 in reverse.
    pub order: f32,
    /// How many numbers of the text with fewer numbers the other one lacks.
    pub numbers_missing: u32,
    /// What these texts share with their twentieth-best neighbours, 0 to 1: high for templates and crowded subjects, where a pair
    /// must share more than its neighbours usually do.
    pub usual: f32,
    /// Distinct content words of the shorter text divided by those of the longer, 0 to 1.
    pub length_ratio: f32,
    /// Words of the shorter text.
    pub shorter: u32,
    /// Share of numbers among the words of the text that has more of them, 0 to 1: tables and price lists look alike whatever
    /// they say.
    pub figures: f32,
    /// Share of the words of both texts that are not common English, 0 to 1: which words of other languages are common is only
    /// known from the corpus, and the rule makes up for it.
    pub foreign: f32,
    /// Share of the shorter text's names that the longer one lacks, 0 to 1; shrunk towards 0.25. A follow-up has names of its
    /// own, a copy has few.
    pub new_names: f32,
    /// The same for the longer text's names that the shorter one lacks.
    pub new_names_of_longer: f32,
    /// Share of the shorter text's numbers that the longer one lacks, 0 to 1; shrunk towards 0.25. A filled-in template has numbers
    /// of its own.
    pub new_numbers: f32,
    /// The same for the longer text's numbers that the shorter one lacks.
    pub new_numbers_of_longer: f32,
    /// Share of the shorter text's words that occur in the longer one in runs of at least five words, 0 to 1.
    pub verbatim: f32,
    /// Share of the shorter text's words in the longest of these runs, 0 to 1. One block counts as one piece of evidence: it may
    /// be a quotation, a footer or a press release that both print.
    pub block: f32,
    /// If both texts have a passage of some dozens of words, or more: how much of what the poorer one says apart from it the other one says
    /// apart from it as well, 0 to 1, common words counting less. Low for an excerpt in other writing. `None` if no passage is so long, or
    /// hardly anything stands beside it.
    pub outside: Option<f32>,
}

/// The most likely reason why two texts look alike though they are not copies. [The crate's
/// documentation](crate#what-a-copy-is) has an example of each.
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
    /// The same names, but each has news of its own: the same running story on another day or from another angle.
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

/// An article of the input, by id and position.
///
/// ```
/// use retold::Detector;
///
/// let articles = [("a", "The ferry leaves at nine."), ("b", "The ferry leaves at nine!")];
/// let report = Detector::new().find(&articles)?;
/// let kept = report.clusters()[0].representative();
/// assert_eq!((kept.id.as_str(), articles[kept.position].1), ("a", "The ferry leaves at nine."));
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ArticleRef {
    /// The article's id.
    pub id: String,
    /// Where the article stands in the input, from 0.
    pub position: usize,
}

/// An article that is a copy of its cluster's representative.
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
    /// The numbers by which it was judged; `None` for an exact copy.
    pub evidence: Option<Evidence>,
    /// The member that it was judged with, if it is a sure copy of that one and not of the representative itself.
    #[cfg_attr(feature = "serde", serde(default))]
    pub via: Option<Via>,
}

/// The member of a cluster that another one is a sure copy of, which is none of the representative: an edited copy with a similarity of
/// 0.8 or a rewording with a confidence of 0.9. The [`Evidence`] of the other one is of these two; its own relation is the looser one of
/// the whole way to the representative, and its similarity the product, in which an edited copy makes no rewording less sure.
///
/// ```
/// use retold::{Detector, Level};
///
/// let words = |name: &str| (0..60).map(|n| format!("{name}{n}")).collect::<Vec<_>>().join(" ");
/// let [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(words);
/// let articles = [
///     ("story", [&*a, &b, &c, &d].join(" ")),
///     ("beginning", [&*a, &b, &c].join(" ")),
///     ("end", [&*b, &c, &d].join(" ")),
///     ("without its middle", [&*a, &c, &d].join(" ")),
///     ("with another end", [&*a, &b, &c, &e].join(" ")),
///     ("that end", [&c[100..], &e].join(" ")),
/// ];
/// let report = Detector::builder().level(Level::Near).build()?.find(&articles)?;
/// let cluster = &report.clusters()[0];
/// assert_eq!((&*cluster.representative().id, cluster.size()), ("story", 6));
/// let member = cluster.members().iter().find(|member| member.id == "that end").unwrap();
/// let via = member.via.as_ref().unwrap();
/// assert_eq!(via.id, "with another end");
/// assert!(member.similarity < via.similarity);
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Via {
    /// That member's id.
    pub id: String,
    /// Where that member stands in the input, from 0.
    pub position: usize,
    /// How the two are alike.
    pub relation: Relation,
    /// How much, as for a [`Member`] of the representative, 0 to 1.
    pub similarity: f32,
}

/// A representative and its members, each of which was verified to be a copy of it, or a sure copy of another member.
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
    /// The article that all members were compared with: the most central one, unless
    /// [`DetectorBuilder::representative`](crate::DetectorBuilder::representative) says otherwise.
    pub fn representative(&self) -> &ArticleRef {
        &self.representative
    }

    /// The copies of the representative, which is not among them; at least one. Sorted by similarity, the highest first, then by
    /// id, then by their words.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The number of articles: all members and the representative.
    pub fn size(&self) -> usize {
        self.members.len() + 1
    }

    /// The ids of all articles: the representative's, then the members'.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.size()).map(|at| at.checked_sub(1).map_or(&*self.representative.id, |at| &self.members[at].id))
    }

    /// The positions of all articles in the input: the representative's, then the members'.
    pub fn positions(&self) -> impl ExactSizeIterator<Item = usize> {
        (0..self.size())
            .map(|at| at.checked_sub(1).map_or(self.representative.position, |at| self.members[at].position))
    }

    /// The member that is the least certain to be a copy: the one with the loosest relation, and among those the lowest
    /// similarity.
    pub fn weakest(&self) -> &Member {
        let surer = |a: &&Member, b: &&Member| b.relation.cmp(&a.relation).then(a.similarity.total_cmp(&b.similarity));
        self.members.iter().rev().min_by(surer).expect("a cluster has a member")
    }

    /// The closest article that was rejected after it was compared with the representative. `None` unless
    /// [`DetectorBuilder::near_misses`](crate::DetectorBuilder::near_misses) is set, or if no rejected article is that similar.
    pub fn near_miss(&self) -> Option<&NearMiss> {
        self.near_miss.as_ref()
    }
}

/// An article that was compared with the representative of a cluster and rejected.
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
    /// The confidence that it is a copy, or the Jaccard similarity where only shingles were compared; 0 to 1.
    pub similarity: f32,
    /// By how much the similarity is below the confidence or threshold for a copy, 0 to 1. It is 0 if the similarity suffices for a
    /// pair, but the article is not a copy of any other member, which doubtful members must be.
    pub missing: f32,
    /// The numbers by which it was judged.
    pub evidence: Evidence,
}

/// An article that was not compared, and why.
///
/// ```
/// use retold::{Detector, SkipReason};
///
/// let report = Detector::new().find(&[("a", "The ferry leaves at nine."), ("b", "…")])?;
/// let skipped = &report.skipped()[0];
/// assert_eq!((skipped.id.as_str(), skipped.position, skipped.reason), ("b", 1, SkipReason::Empty));
/// println!("{}: {}", skipped.id, skipped.reason);
/// # Ok::<(), retold::Error>(())
/// ```
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

/// The passages of an article that are furniture of its page: footers, signatures, notes to the reader. Four articles at least have
/// them that tell different stories.
///
/// ```
/// use retold::Detector;
///
/// let note = "Write to the desk of the paper at the old mill in Orrin, or call before noon on working days, and please say which \
///     edition you have read, since the late one differs. All that is printed here belongs to the paper.";
/// let stories = [
///     "The ferry to Orrin stops in March, since nobody mends its engines and the farmers send their milk by road. \
///         Who lives there rows across or waits for the post boat, which takes eleven people and no cattle at all.",
///     "Snow closed the mountain road to Hallin, where guests of the hotel played cards by candlelight all night. \
///         Ploughs from two valleys worked until dawn, and the baker walked nine miles with rolls in a rucksack.",
///     "A tern that was ringed in Sallow forty years ago was found alive last Sunday on a beach near the lighthouse. \
///         Nobody knows where it spent the years between, says the warden, who read its number through a telescope.",
///     "The council chose oak for the new bridge: steel would have cost less, but rusts where the tide comes in. \
///         Carpenters from the yard will shape it over three summers, and schools may carve their names below the rail.",
///     "Nine children learned to weave nets this winter from the last fisherman who still mends his own. \
///         The first net caught a boot and two crabs; the second, knotted by a girl of seven, came up full of herring.",
/// ];
/// let articles: Vec<(String, String)> =
///     stories.iter().zip(1..).map(|(story, id): (_, u32)| (id.to_string(), format!("{story} {note}"))).collect();
/// let report = Detector::new().find(&articles)?;
/// let span = report.page_furniture()[0].spans[0].clone();
/// assert!(articles[0].1[span].starts_with("Write to the desk"));
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PageFurniture {
    /// The article's id.
    pub id: String,
    /// Where the article stands in the input, from 0.
    pub position: usize,
    /// Where the passages begin and end in its text, in bytes, ascending; at the edges of words.
    pub spans: Vec<Range<usize>>,
}

impl PageFurniture {
    /// The text of the article without them; where one was, a new paragraph begins.
    pub fn cut_from(&self, text: &str) -> String {
        cut(text, self.spans.iter().cloned())
    }
}

/// A text without some spans, ascending; where one was, a new paragraph begins. Spans that are none of the text are passed over.
pub(crate) fn cut(text: &str, spans: impl Iterator<Item = Range<usize>>) -> String {
    let mut left = String::with_capacity(text.len());
    let mut end = 0;
    for span in spans {
        let Some(before) = text.get(end..span.start).filter(|_| text.is_char_boundary(span.end)) else { continue };
        left.push_str(before);
        left.push('\n');
        end = span.end;
    }
    left.push_str(&text[end..]);
    left
}

/// Two articles that were compared, as returned by [`Detector::pairs`](crate::Detector::pairs).
///
/// ```
/// use retold::{Detector, Relation};
///
/// let articles = [("b", "The ferry leaves at nine."), ("c", "Snow fell."), ("a", "The ferry leaves at nine, they say.")];
/// let pairs = Detector::new().pairs(&articles)?;
/// assert_eq!((pairs[0].left, pairs[0].right, pairs[0].relation), (2, 0, Some(Relation::Near)));
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Pair {
    /// Position in the input of the article with the smaller id, from 0.
    pub left: usize,
    /// Position of the other one.
    pub right: usize,
    /// How the two are alike; `None` if they are not copies.
    pub relation: Option<Relation>,
    /// As in [`Member`]. If the two are not copies: the confidence that they are, or the Jaccard similarity where only shingles
    /// were compared.
    pub similarity: f32,
    /// The numbers by which the pair was judged.
    pub evidence: Evidence,
}

/// The comparison of two texts by [`Detector::compare_texts`](crate::Detector::compare_texts).
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
    /// How the two are alike; `None` if they are not copies.
    pub relation: Option<Relation>,
    /// As in [`Pair`]; 1 for an exact copy.
    pub similarity: f32,
    /// Share of the left text's shingles that occur in the right one, 0 to 1.
    pub left_in_right: f32,
    /// Share of the right text's shingles that occur in the left one, 0 to 1.
    pub right_in_left: f32,
    /// Words of the shorter text divided by those of the longer, 0 to 1.
    pub words_ratio: f32,
    /// The numbers by which the pair was judged; `None` for an exact copy.
    pub evidence: Option<Evidence>,
}

/// The stages of a detection, in order.
///
/// See [`Progress`] for an example.
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

/// The progress of a detection, as passed to the callback of
/// [`DetectorBuilder::progress`](crate::DetectorBuilder::progress).
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// let calls = Arc::new(AtomicUsize::new(0));
/// let counter = calls.clone();
/// let detector = retold::Detector::builder().progress(move |progress| {
///     assert!(progress.done <= progress.total);
///     counter.fetch_add(1, Ordering::Relaxed);
/// });
/// detector.build()?.find(&[("a", "The ferry leaves at nine.")])?;
/// assert!(calls.load(Ordering::Relaxed) >= retold::Stage::ALL.len());
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Progress {
    /// The current stage.
    pub stage: Stage,
    /// Articles that have passed it.
    pub done: usize,
    /// Articles that will pass it.
    pub total: usize,
}

/// Statistics of a detection.
///
/// ```
/// use retold::Detector;
///
/// let report = Detector::new().find(&[("a", "The ferry leaves at nine."), ("b", "The ferry leaves at nine!"), ("c", "")])?;
/// let summary = report.summary();
/// assert_eq!((summary.documents, report.skipped().len(), report.clusters().len()), (3, 1, 1));
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Summary {
    /// Articles given, skipped ones included.
    pub documents: usize,
    /// Bytes of text given.
    pub bytes: u64,
    /// Pairs that were compared: they share a bucket, fingerprints or rare features, and their signatures did not rule them out.
    /// Exact copies are merged beforehand and do not count.
    pub candidates: u64,
    /// Pairs that were verified to be copies.
    pub verified: u64,
    /// Buckets of shingle signatures that were too large to compare all with all: they were split by more slots of the
    /// signature, and each text in them was compared with the first.
    pub crowded: usize,
    /// The share of copies among the pairs that look similar enough to be read side by side, 0 to 1. The rarer rewordings are in
    /// this corpus, the more evidence a pair needs; see [`DetectorBuilder::prior`](crate::DetectorBuilder::prior). `None` at
    /// [`Level::Near`](crate::Level::Near).
    pub prior: Option<f32>,
    /// How often a cap that keeps the work linear may have left out pairs where many texts are alike: fingerprints in more than
    /// 40 texts, of which only the shortest were compared with all others; crowds of copies with more than 32 centres; and texts
    /// between more than four clusters.
    pub capped: usize,
    /// Pairs of articles that share rare words and were not compared for rewordings, because each of the two has 32 others with which it
    /// shares more. It grows with the corpus; in a small one there are none.
    pub left_out: u64,
    /// Passages that are not among the excerpts because so many articles share them that they count as page furniture, such as an
    /// author's note or a list of links; counted for each pair of articles.
    pub furniture: usize,
    /// Articles that hold furniture of their pages, copies counted once: windows of eight words that four articles hold which have
    /// little else in common. Rewordings are judged without it.
    pub with_furniture: usize,
    #[cfg_attr(feature = "serde", serde(with = "times"))]
    pub(crate) times: [Duration; Stage::ALL.len()],
}

impl Summary {
    /// How long a stage took.
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

/// The result of a detection.
///
/// With the feature `serde` a report reads back exactly as it was written:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// let report = retold::Detector::new().find(&[("a", "The ferry leaves at nine."), ("b", "The ferry leaves at nine!")])?;
/// let json = serde_json::to_string(&report).unwrap();
/// assert_eq!(serde_json::from_str::<retold::Report>(&json).unwrap(), report);
/// # }
/// # Ok::<(), retold::Error>(())
/// ```
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
    pub(crate) page_furniture: Vec<PageFurniture>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) summary: Summary,
}

impl Report {
    /// All clusters, ordered by their representative's id. Articles without a copy are in none.
    pub fn clusters(&self) -> &[Cluster] {
        &self.clusters
    }

    /// The articles that can be removed without losing their content, each with the article that is kept instead, in the order
    /// of the input. Not every member of a cluster can be removed: what has content of its own stays, see
    /// [`may_replace`](crate::may_replace). Empty where they were [not asked for](crate::DetectorBuilder::removals).
    pub fn removals(&self) -> &[Removal] {
        &self.removals
    }

    /// Passages shared by articles that are not in one cluster, ordered by the ids of host and source and the place in the host.
    /// Empty unless [`DetectorBuilder::excerpts`](crate::DetectorBuilder::excerpts) is set.
    pub fn excerpts(&self) -> &[Excerpt] {
        &self.excerpts
    }

    /// What of each article belongs to its page rather than to its story, as [`Summary::with_furniture`] counts it, in the order of the
    /// input. At [`Level::Near`](crate::Level::Near) only looked for together with [excerpts](crate::DetectorBuilder::excerpts).
    pub fn page_furniture(&self) -> &[PageFurniture] {
        &self.page_furniture
    }

    /// The articles that could not be compared, in the order of the input.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Statistics of the run.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }
}

/// Where a passage stands.
///
/// See [`Excerpt`] for an example.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ExcerptPlace {
    /// The id of the article.
    pub id: String,
    /// Where the article stands in the input, from 0.
    pub position: usize,
    /// Where the passage begins and ends in its text, in bytes; at the edges of words.
    pub span: Range<usize>,
}

/// A passage that two articles share which are no copies of each other.
///
/// ```
/// use retold::{Detector, Excerpts, Level};
///
/// let quoted = "On Monday the harbour board announced that the ferry to Orrin will stop in March. It said that fewer than \
///     nine people a day had crossed the bay in winter, and that the old ship would not pass its next inspection.";
/// let host = format!("Nobody in Orrin was surprised last night, and at the hotel at the pier they had known it since Easter. {quoted} The mayor had more to say about \
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Excerpt {
    /// The article that took the passage over: the later one by [date](crate::Article::date), or where that is not known the longer
    /// one, of which the passage is the smaller share.
    pub host: ExcerptPlace,
    /// The one that it may be taken from.
    pub source: ExcerptPlace,
    /// Words of the passage, in the host.
    pub words: usize,
    /// How the host tells what the source tells.
    pub kind: ExcerptKind,
    /// The share of the words that are the same in the source, of the words of the longer of the two places, 0 to 1; 0.8 at least of a
    /// verbatim one, and in any order of a reworded one.
    pub same: f32,
    /// How many articles hold the passage, these two included and copies of one article counted once.
    pub holders: usize,
    /// The ids of the other holders, ascending. Of a passage that five and more hold this is told, and the passage once; of one that fewer
    /// hold each host is told.
    pub others: Vec<String>,
    /// When the first of the holders appeared, to the second, in UTC as ISO 8601, if one of them has a date.
    pub date: Option<String>,
    /// Whether the passage belongs to the pages and not to the stories on them; such are told only if
    /// [asked for](crate::Excerpts::FindAll).
    pub is_furniture: bool,
}

/// How an excerpt tells what its source tells.
///
/// See [`Excerpt`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum ExcerptKind {
    /// In the same words, with a few changed.
    Verbatim,
    /// In other words: names and turns of phrase are the same. Told where [rewordings](crate::Level::Reworded) are looked for.
    Reworded,
}

names!("kind of excerpt", ExcerptKind { Verbatim => "verbatim", Reworded => "reworded" });

/// An article that can be removed, and the one that is kept instead.
///
/// ```
/// use retold::Detector;
///
/// let articles = [("a", "The ferry leaves at nine."), ("b", "The ferry leaves at nine!")];
/// let report = Detector::new().find(&articles)?;
/// let removal = &report.removals()[0];
/// assert_eq!((&*removal.id, &*removal.kept_id), ("b", "a"));
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Removal {
    /// The id of the article that can be removed.
    pub id: String,
    /// Its position in the input, from 0.
    pub position: usize,
    /// The id of the article of the same cluster that is kept instead.
    pub kept_id: String,
    /// The position of the kept one.
    pub kept: usize,
    /// How the two are alike.
    pub relation: Relation,
    /// How similar they are, as in [`Member`](crate::Member).
    pub similarity: f32,
    /// The share of the removed article's words that lie in shingles of the kept one, 0 to 1. `None` for a rewording of at least
    /// [`DetectorBuilder::removal_confidence`](crate::DetectorBuilder::removal_confidence), which needs no shared words.
    pub covered: Option<f32>,
    /// The numbers by which the pair was judged; `None` for an exact copy.
    pub evidence: Option<Evidence>,
}
