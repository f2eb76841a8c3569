//! Which copies can be removed because their content is kept.
//!
//! A cluster says which articles are copies of its representative, not which of them are redundant: a press release within a longer
//! story is a copy of it, but the story has more content than the release. So an article is removed only in favour of a kept one that
//! contains most of *it*.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::corpus::Corpus;
use crate::near::{Compared, Near};
use crate::options::Representative;
use crate::report::{Cluster, Evidence, Relation, Removal};
use crate::scheme::Shingle;
use crate::texts::{Sets, Shingles, Texts};

/// The least share of an article's words that a kept one must have for the article to be removed in its favour.
const COVERED: f32 = 0.8;

/// Whether an article may be removed in favour of a copy that is kept. `covered` is the share of the removed article's words that lie
/// in shingles of the kept one, 0 to 1.
///
/// An exact copy may be removed; an edited copy if at least 0.8 of its words are covered; a rewording, which need not share any
/// words, if the kept article has at least 0.8 as many words. So a press release is removed in favour of a longer story that
/// contains it, but never the other way round.
///
/// ```
/// use retold::{Relation, may_replace};
///
/// let (release, story) = (300, 1500);
/// assert!(may_replace(Relation::Near, 1.0, release, story));
/// assert!(!may_replace(Relation::Near, 0.2, story, release));
/// ```
pub fn may_replace(relation: Relation, covered: f32, removed_words: u32, kept_words: u32) -> bool {
    match relation {
        Relation::Exact => true,
        Relation::Near => covered >= COVERED,
        Relation::Reworded => kept_words as f32 >= COVERED * removed_words as f32,
    }
}

/// The most kept texts that each other one is compared with, beside those that are known to be edited copies of it.
const TRIED: usize = 8;

/// For each text of a cluster that goes, by its place in `order`, the one in whose favour.
type Plan<T> = Vec<Option<(usize, T)>>;

/// Those of kept texts, ascending, that another one is compared with: the first, and its edited copies.
fn tried<'p>(kept: &'p [usize], copies: &'p [usize]) -> impl Iterator<Item = usize> + use<'p> {
    let first = &kept[..kept.len().min(TRIED)];
    let others = copies.iter().filter(move |copy| !first.contains(copy) && kept.binary_search(copy).is_ok());
    first.iter().chain(others).copied()
}

/// Who goes if the texts of a cluster are looked at in their order, those to be kept rather first. `copies` are the edited ones of each text, and
/// `replaces` says, for one that would go and one that is kept, what it needs to know later if it may.
fn in_order<T>(copies: &[Vec<usize>], replaces: impl Fn(usize, usize) -> Option<T>) -> Plan<T> {
    let mut kept: Vec<usize> = Vec::new();
    let mut plan = Vec::with_capacity(copies.len());
    for (text, copies) in copies.iter().enumerate() {
        let favoured = tried(&kept, copies).find_map(|kept| replaces(text, kept).map(|tie| (kept, tie)));
        if favoured.is_none() {
            kept.push(text);
        }
        plan.push(favoured);
    }
    plan
}

/// The same, but the first one, which was kept unasked, goes as well if others tell it and all that goes in its favour.
fn without_first<T>(mut plan: Plan<T>, copies: &[Vec<usize>], replaces: impl Fn(usize, usize) -> Option<T>) -> Plan<T> {
    let others = (1..plan.len()).filter(|&text| plan[text].is_none()).collect::<Vec<_>>();
    let mut instead = Vec::new();
    for text in 0..plan.len() {
        if text == 0 || plan[text].as_ref().is_some_and(|&(kept, _)| kept == 0) {
            let other = tried(&others, &copies[text]).find_map(|kept| replaces(text, kept).map(|tie| (kept, tie)));
            let Some(other) = other else { return plan };
            instead.push((text, other));
        }
    }
    for (text, other) in instead {
        plan[text] = Some(other);
    }
    plan
}

/// How a text that goes is like the one that is kept instead.
struct Tie {
    relation: Relation,
    similarity: f32,
    covered: Option<f32>,
    evidence: Evidence,
}

/// What decides who goes.
pub(crate) struct Removing<'a> {
    /// By what shingles are compared.
    pub(crate) near: &'a Near,
    pub(crate) shingle: Shingle,
    /// From which confidence on a rewording may go.
    pub(crate) confidence: f32,
    pub(crate) representative: Representative,
}

/// Who looks at two texts for one who decides. On one machine all texts are at hand; an engine has them elsewhere.
pub(crate) trait SideBySide: Sync {
    /// Compares the shingles of a text that may go and one that would be kept, the one of the lower number first.
    fn pair(&self, removed: u32, kept: u32) -> Compared;

    /// The share of a text's words that lie in shingles of another one.
    fn covered(&self, text: u32, by: u32) -> f32;
}

/// All texts at hand.
pub(crate) struct AtHand<'a, 't> {
    pub(crate) near: &'a Near,
    pub(crate) shingles: &'a Shingles<'t>,
}

impl SideBySide for AtHand<'_, '_> {
    fn pair(&self, removed: u32, kept: u32) -> Compared {
        self.near.pair(self.shingles, removed.min(kept), removed.max(kept))
    }

    fn covered(&self, text: u32, by: u32) -> f32 {
        self.shingles.covered(text, &self.shingles.of(by))
    }
}

/// Whether a rewording tells what the other tells from beginning to end: two stories around one release share that, and little else.
fn tells_throughout(pair: &Compared) -> bool {
    const LEAST: f32 = 0.1;
    pair.evidence.content.is_some_and(|content| content.coverage >= LEAST)
}

/// The pairs of edited copies, in order, of which both are among some texts, which ascend.
fn pairs_among(texts: &[u32], verified: &[Compared]) -> Vec<(u32, u32)> {
    let of_text = |&left: &u32| {
        let first = verified.partition_point(|pair| pair.left < left);
        let of_text = verified[first..].iter().take_while(move |pair| pair.left == left);
        let edited = of_text.filter(|pair| pair.relation == Some(Relation::Near));
        edited.map(|pair| (pair.left, pair.right)).filter(|(_, right)| texts.binary_search(right).is_ok())
    };
    texts.iter().flat_map(of_text).collect()
}

impl Removing<'_> {
    /// The members of clusters that can go because one that stays tells what they tell, in the order of the input.
    pub(crate) fn removals(
        &self,
        corpus: &Corpus<'_>,
        sets: Sets,
        verified: &[Compared],
        clusters: &[Cluster],
    ) -> Vec<Removal> {
        let read = |text: u32| corpus.read(text);
        let texts = Texts { words: &corpus.words, read: &read, shingle: self.shingle, budget: &corpus.budget };
        let shingles = Shingles::with(texts, sets);
        self.by_looking(corpus, &AtHand { near: self.near, shingles: &shingles }, verified, clusters)
    }

    /// The same by one who looks at texts wherever they are.
    pub(crate) fn by_looking(
        &self,
        corpus: &Corpus<'_>,
        looking: &impl SideBySide,
        verified: &[Compared],
        clusters: &[Cluster],
    ) -> Vec<Removal> {
        let Corpus { articles, positions, twins, distinct, words, .. } = corpus;
        let rank = |text: u32| corpus.rank(text);
        // What is known stays in any case.
        let is_known = |text: u32| corpus.is_known(text);
        let mut numbers = vec![0; articles.len()];
        for (number, &position) in (0..).zip(positions) {
            numbers[position as usize] = number;
        }
        let text_of = |position: usize| {
            let twin = twins[numbers[position] as usize];
            distinct.partition_point(|&at| at < twin) as u32
        };
        // Copies of one text may lie too far apart in time to be copies of each other.
        let may_meet = |number: u32, kept: u32| corpus.may_meet(number, distinct[kept as usize]);
        let of_cluster = |cluster: &Cluster| {
            let mut texts: Vec<u32> = cluster.positions().map(text_of).collect();
            let center = texts[0];
            texts.sort_unstable();
            texts.dedup();
            let may_go = |removed: u32, kept: u32| !is_known(removed) && may_meet(distinct[removed as usize], kept);
            let removed = self.plan(texts, center, (&rank, may_go), words, looking, verified);
            let removal = |(id, at): (&str, usize)| {
                let text = text_of(at);
                let removal = Removal {
                    id: id.into(),
                    position: at,
                    kept_id: String::new(),
                    kept: 0,
                    relation: Relation::Exact,
                    similarity: 1.0,
                    covered: Some(1.0),
                    evidence: None,
                };
                match removed.get(&text) {
                    Some((kept, tie)) => may_meet(numbers[at], *kept).then(|| Removal {
                        kept_id: articles.id(corpus.position(*kept)).into(),
                        kept: corpus.position(*kept),
                        relation: tie.relation,
                        similarity: tie.similarity,
                        covered: tie.covered,
                        evidence: Some(tie.evidence),
                        ..removal
                    }),
                    None => {
                        let kept = corpus.position(text);
                        let removal = Removal { kept_id: articles.id(kept).into(), kept, ..removal };
                        (at != kept && !articles.is_known(at)).then_some(removal)
                    }
                }
            };
            cluster.ids().zip(cluster.positions()).filter_map(removal).collect::<Vec<_>>()
        };
        let mut removals: Vec<Removal> = clusters.par_iter().with_max_len(16).flat_map_iter(of_cluster).collect();
        removals.sort_unstable_by_key(|removal| removal.position);
        removals
    }

    /// Which texts of a cluster go, and in favour of which: of the plan that keeps the fullest texts and the one that keeps the
    /// representative the one by which fewer stay. If a certain representative was asked for, texts stay in this order.
    fn plan(
        &self,
        mut texts: Vec<u32>,
        center: u32,
        (rank, may_go): (impl Fn(u32) -> u32, impl Fn(u32, u32) -> bool),
        words: &[u32],
        looking: &impl SideBySide,
        verified: &[Compared],
    ) -> BTreeMap<u32, (u32, Tie)> {
        let words = |text: u32| words[text as usize];
        let replaces = |removed: u32, kept: u32| {
            if !may_go(removed, kept) {
                return None;
            }
            let pair = (removed.min(kept), removed.max(kept));
            let known = verified.binary_search_by_key(&pair, |pair| (pair.left, pair.right)).map(|at| &verified[at]);
            let fresh;
            let pair = match known {
                Ok(pair) => pair,
                Err(_) => {
                    fresh = looking.pair(removed, kept);
                    &fresh
                }
            };
            let relation = pair.relation?;
            // Who deletes must be right nine times in ten, or the words must be there.
            let is_sure =
                relation == Relation::Reworded && pair.similarity >= self.confidence && tells_throughout(pair);
            // Each shared shingle tells no more words than it spans.
            let most_covered = pair.evidence.containment * f32::from(self.shingle.span());
            let may_be_enough = may_replace(Relation::Near, most_covered, words(removed), words(kept));
            if !is_sure && matches!(self.shingle, Shingle::Words(_)) && !may_be_enough {
                return None;
            }
            let covered = (!is_sure).then(|| looking.covered(removed, kept));
            let tie = Tie { relation, similarity: pair.similarity, covered, evidence: pair.evidence };
            let is_kept = |covered: f32| may_replace(Relation::Near, covered, words(removed), words(kept));
            let may = covered.is_none_or(is_kept)
                && may_replace(relation, covered.unwrap_or_default(), words(removed), words(kept));
            may.then_some(tie)
        };
        let pairs = pairs_among(&texts, verified);
        let plan = |texts: &[u32]| {
            let replaces = |removed: usize, kept: usize| replaces(texts[removed], texts[kept]);
            let places: BTreeMap<u32, usize> = texts.iter().copied().zip(0..).collect();
            let mut copies = vec![Vec::new(); texts.len()];
            for (left, right) in pairs.iter().map(|(left, right)| (places[left], places[right])) {
                copies[left].push(right);
                copies[right].push(left);
            }
            copies.iter_mut().for_each(|copies| copies.sort_unstable());
            let plan = in_order(&copies, replaces);
            if self.representative == Representative::Central { without_first(plan, &copies, replaces) } else { plan }
        };
        texts.sort_by_key(|&text| (rank(text), std::cmp::Reverse(words(text)), text != center, text));
        let stay = |plan: &Plan<Tie>| plan.iter().filter(|removed| removed.is_none()).count();
        let mut best = plan(&texts);
        if self.representative == Representative::Central && stay(&best) > 1 {
            let mut from_center = texts.clone();
            from_center.sort_by_key(|&text| text != center);
            let other = plan(&from_center);
            if stay(&other) < stay(&best) {
                (texts, best) = (from_center, other);
            }
        }
        let removed = best.into_iter().zip(&texts);
        removed.filter_map(|(tie, &text)| tie.map(|(kept, tie)| (text, (texts[kept], tie)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nobody_goes_in_favour_of_one_that_goes(
            texts in 1usize..20, ties in prop::collection::vec(any::<bool>(), 400), known in prop::collection::vec(any::<bool>(), 400),
        ) {
            let may = |text: usize, kept: usize| ties[text * 20 + kept];
            let replaces = |text, kept| may(text, kept).then_some(());
            let of_text = |text: usize| (0..texts).filter(|other| known[text * 20 + other]).collect();
            let copies: Vec<Vec<usize>> = (0..texts).map(of_text).collect();
            let plan = without_first(in_order(&copies, replaces), &copies, replaces);
            for (text, favoured) in plan.iter().enumerate() {
                if let Some((kept, ())) = favoured {
                    prop_assert!(may(text, *kept) && plan[*kept].is_none(), "{:?}", plan);
                }
            }
            prop_assert!(plan.iter().any(Option::is_none));
        }
    }

    #[test]
    fn a_release_goes_and_the_stories_around_it_stay() {
        // The release comes first, and nobody tells the stories.
        let replaces = |text, _| (text == 0).then_some(());
        let no_copies = vec![Vec::new(); 4];
        assert_eq!(
            without_first(in_order(&no_copies, replaces), &no_copies, replaces),
            [Some((1, ())), None, None, None]
        );
    }

    #[test]
    fn who_is_needed_stays() {
        // The second tells the first, but not the third, which the first tells.
        let replaces = |text, kept| [(0, 1), (2, 0)].contains(&(text, kept)).then_some(());
        let no_copies = vec![Vec::new(); 4];
        assert_eq!(
            without_first(in_order(&no_copies[..3], replaces), &no_copies[..3], replaces),
            [None, None, Some((0, ()))]
        );
    }

    #[test]
    fn who_has_a_copy_among_many_goes_in_its_favour() {
        // Of thirty that nobody else tells each has a copy further on.
        let copies: Vec<Vec<usize>> = (0..60).map(|text| vec![(text + 30) % 60]).collect();
        let replaces = |text: usize, kept: usize| (text == kept + 30).then_some(());
        let plan = in_order(&copies, replaces);
        assert!((0..60).all(|text| plan[text] == text.checked_sub(30).map(|kept| (kept, ()))), "{plan:?}");
    }

    #[test]
    fn rewordings_go_in_favour_of_what_is_about_as_full() {
        assert!(may_replace(Relation::Reworded, 0.0, 100, 80));
        assert!(!may_replace(Relation::Reworded, 0.0, 101, 80));
        assert!(may_replace(Relation::Near, 0.8, 100, 20) && !may_replace(Relation::Near, 0.79, 20, 100));
    }
}
