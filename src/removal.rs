//! Which copies can go because what they tell stays.
//!
//! A cluster says which articles are copies of its representative, not which of them to do without: a press release that stands in
//! a longer story is a copy of it, but the story is more than the release. So an article goes only in favour of one that stays and
//! tells most of *it*.

use crate::report::{Evidence, Relation};

/// The least share of an article's words that another one must have for the article to go in its favour.
const TOLD: f32 = 0.8;

/// Whether an article may be removed in favour of a copy that is kept. `told` is the share of the removed one's words that lie in
/// shingles of the kept one, 0 to 1.
///
/// An exact copy may go; an edited one if 0.8 of its words are in the kept one; and a rewording, of which no word need be in the
/// kept one, if this one has at least 0.8 as many words. So a release goes in favour of the longer story that it stands in,
/// and the story never in favour of the release.
///
/// ```
/// use retold::{Relation, may_replace};
///
/// let (release, story) = (300, 1500);
/// assert!(may_replace(Relation::Near, 1.0, release, story));
/// assert!(!may_replace(Relation::Near, 0.2, story, release));
/// ```
pub fn may_replace(relation: Relation, told: f32, removed_words: u32, kept_words: u32) -> bool {
    match relation {
        Relation::Exact => true,
        Relation::Near => told >= TOLD,
        Relation::Reworded => kept_words as f32 >= TOLD * removed_words as f32,
    }
}

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
    /// The id of the article that can go.
    pub id: String,
    /// Where it stands in the input, from 0.
    pub position: usize,
    /// The id of the one that is kept, of the same cluster.
    pub kept_id: String,
    /// Where that one stands in the input.
    pub kept: usize,
    /// How the two are alike.
    pub relation: Relation,
    /// How much, as in [`Member`](crate::Member).
    pub similarity: f32,
    /// The share of its words that lie in shingles of the one that is kept, 0 to 1; absent for a rewording that is sure by itself, see
    /// [`DetectorBuilder::removal_confidence`](crate::DetectorBuilder::removal_confidence).
    pub told: Option<f32>,
    /// The numbers that decided; none for an exact copy.
    pub evidence: Option<Evidence>,
}

/// The most kept texts that each other one is held against.
const TRIED: usize = 8;

/// For each text of a cluster that goes, by its place in `order`, the one in whose favour.
pub(crate) type Plan<T> = Vec<Option<(usize, T)>>;

/// Who goes if the texts of a cluster are looked at in their order, those to be kept rather first. `replaces` says, for one that
/// would go and one that is kept, what it needs to know later if it may.
pub(crate) fn in_order<T>(texts: usize, replaces: impl Fn(usize, usize) -> Option<T>) -> Plan<T> {
    let mut kept: Vec<usize> = Vec::new();
    let mut plan = Vec::with_capacity(texts);
    for text in 0..texts {
        let favoured = kept.iter().take(TRIED).find_map(|&kept| replaces(text, kept).map(|tie| (kept, tie)));
        if favoured.is_none() {
            kept.push(text);
        }
        plan.push(favoured);
    }
    plan
}

/// The same, but the first one, which was kept unasked, goes as well if others tell it and all that goes in its favour.
pub(crate) fn without_first<T>(mut plan: Plan<T>, replaces: impl Fn(usize, usize) -> Option<T>) -> Plan<T> {
    let others = (1..plan.len()).filter(|&text| plan[text].is_none()).take(TRIED).collect::<Vec<_>>();
    let mut instead = Vec::new();
    for text in 0..plan.len() {
        if text == 0 || plan[text].as_ref().is_some_and(|&(kept, _)| kept == 0) {
            let other = others.iter().find_map(|&kept| replaces(text, kept).map(|tie| (kept, tie)));
            let Some(other) = other else { return plan };
            instead.push((text, other));
        }
    }
    for (text, other) in instead {
        plan[text] = Some(other);
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nobody_goes_in_favour_of_one_that_goes(texts in 1usize..20, ties in prop::collection::vec(any::<bool>(), 400)) {
            let may = |text: usize, kept: usize| ties[text * 20 + kept];
            let replaces = |text, kept| may(text, kept).then_some(());
            let plan = without_first(in_order(texts, replaces), replaces);
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
        assert_eq!(without_first(in_order(4, replaces), replaces), [Some((1, ())), None, None, None]);
    }

    #[test]
    fn who_is_needed_stays() {
        // The second tells the first, but not the third, which the first tells.
        let replaces = |text, kept| [(0, 1), (2, 0)].contains(&(text, kept)).then_some(());
        assert_eq!(without_first(in_order(3, replaces), replaces), [None, None, Some((0, ()))]);
    }

    #[test]
    fn rewordings_go_in_favour_of_what_is_about_as_full() {
        assert!(may_replace(Relation::Reworded, 0.0, 100, 80));
        assert!(!may_replace(Relation::Reworded, 0.0, 101, 80));
        assert!(may_replace(Relation::Near, 0.8, 100, 20) && !may_replace(Relation::Near, 0.79, 20, 100));
    }
}
