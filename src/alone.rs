//! Two texts by themselves to all evidence about them: what a run over the two would find, at once.
//!
//! A run makes room for any number of texts, and hands them out to threads. For two texts that is nearly all of its time, so here each
//! step is taken for two; the rules are those of a run.

use std::borrow::Cow;

use crate::census::{Census, Comparing};
use crate::content::{Token, distinct_features};
use crate::features::{English, Kin, Weighed, Weigher, rare_weights};
use crate::frequencies::Held;
use crate::judge::{Common, Desk, Telling};
use crate::minhash;
use crate::near::{Compared, Keep};
use crate::options::Level;
use crate::prior::Odds;
use crate::rare;
use crate::report::{Comparison, Evidence, Relation};
use crate::rewordings;
use crate::shingle;
use crate::sign::Single;
use crate::store::Budget;
use crate::texts::{Shingles, Texts};
use crate::usual;
use crate::verify::Rule;

/// How two texts are compared.
pub(crate) struct Alone<'a> {
    pub(crate) how: Comparing<'a>,
    pub(crate) level: Level,
    /// How common copies are, if that is given.
    pub(crate) prior: Option<f32>,
    /// What a larger corpus is like, if the two are to be judged as there.
    pub(crate) census: Option<&'a Census>,
}

/// A text without its furniture.
struct Told<'t> {
    text: Cow<'t, str>,
    words: u32,
    tokens: Cow<'t, [Token]>,
}

impl Alone<'_> {
    /// Compares two texts, which were signed and can be compared.
    pub(crate) fn compare(&self, texts: [&str; 2], signed: &[Single; 2]) -> Comparison {
        let [ours, theirs] = signed;
        let words = [ours.words, theirs.words];
        let read = |text: u32| texts[text as usize].into();
        let (shingle, budget) = (self.how.views.shingle, Budget::unlimited());
        let shingles = Shingles::new(Texts { words: &words, read: &read, shingle, budget: &budget });
        let sets = [shingles.of(0), shingles.of(1)];
        let both = shingle::count_common(&sets[0], &sets[1]);
        let [left_in_right, right_in_left] = [0, 1].map(|text| shingle::ratio(both, sets[text].len()) as f32);
        let (relation, similarity, evidence) = if (ours.exact, ours.words) == (theirs.exact, theirs.words) {
            (Some(Relation::Exact), 1.0, None)
        } else {
            let pair = self.pair(texts, signed, &shingles);
            (pair.relation, pair.similarity, Some(pair.evidence))
        };
        let [least, most] = [words[0].min(words[1]), words[0].max(words[1])].map(|words| words as f32);
        Comparison { relation, similarity, left_in_right, right_in_left, words_ratio: least / most, evidence }
    }

    /// How sure it is that one of two texts, which were signed and can be compared, tells in its words what the other tells, however many of
    /// their phrases are the same; none if it is not.
    pub(crate) fn retold(&self, texts: [&str; 2], signed: &[Single; 2]) -> Option<f32> {
        let evidence = Evidence { jaccard: 0.0, containment: 0.0, content: None };
        let pair = Compared { left: 0, right: 1, relation: None, similarity: 0.0, evidence };
        let pair = self.by_content(texts, signed, pair);
        (pair.relation == Some(Relation::Reworded)).then_some(pair.similarity)
    }

    fn pair(&self, texts: [&str; 2], signed: &[Single; 2], shingles: &Shingles<'_>) -> Compared {
        let Comparing { near, .. } = self.how;
        let [ours, theirs] = signed;
        let equal = minhash::equal_slots(&ours.sketch, &theirs.sketch);
        let may_be_near = near.may_be(near.rule, equal, (ours.words, theirs.words));
        let pair = near.pair(shingles, 0, 1);
        if may_be_near && pair.relation.is_some() {
            return pair;
        }
        let pair = Compared { relation: None, similarity: pair.evidence.jaccard, ..pair };
        match self.level {
            Level::Reworded => self.by_content(texts, signed, pair),
            Level::Near => pair,
        }
    }

    /// Judges the content of two texts whose shingles were compared.
    fn by_content(&self, texts: [&str; 2], signed: &[Single; 2], near: Compared) -> Compared {
        let told = &[0, 1].map(|at| self.without_furniture(texts[at], &signed[at]));
        let of_both = features_of_both(told);
        let notes = self.census.map(|census| &census.notes);
        let weigher = match notes {
            None => Weigher::new(2, english_share(told)),
            Some(notes) => Weigher::new(notes.documents.max(2), notes.english),
        };
        let held = |feature: u64| {
            let held = if of_both.binary_search(&feature).is_ok() { Held::new(2) } else { Held::ALONE };
            notes.map_or(held, |notes| held.max(notes.frequencies.held(feature)))
        };
        let weighed = [0, 1].map(|at: usize| Weighed::new(&told[at].tokens, told[at].words, &weigher, held));
        let [ours, theirs] = &weighed;
        let features = &[ours.features(), theirs.features()];
        let (rare, pairs) = ours.shared(theirs);
        let common = Common { pairs, usual: usual::drawn(0.0, Kin::ALL, texts.len()) };
        let judge = self.how.judge;
        let verdict = |keep: Keep| {
            let telling = |at: usize| Telling {
                features: &features[at],
                read: move || -> Cow<'_, str> { (*told[at].text).into() },
            };
            judge.judge(&mut Desk::with(&features[0]), telling(0), telling(1), common, keep)
        };
        let prior = self.prior.or(notes.map(|notes| notes.prior)).unwrap_or_else(|| {
            // How common copies are is told by what a search would find.
            let totals = |text: &Weighed| (text.rare_total(), text.pair_total());
            let mut odds = Odds::default();
            if rare::are_neighbours((rare * rare_weights()[2], pairs), totals(ours), totals(theirs)) {
                verdict(Keep::Copies).iter().for_each(|verdict| verdict.count_in(&mut odds));
            }
            odds.share(Rule::FITTED_PRIOR)
        });
        let pair = verdict(Keep::All)
            .and_then(|verdict| rewordings::reworded_pair(&judge, &verdict, prior, Keep::All, || near.clone()));
        pair.unwrap_or(near)
    }

    fn without_furniture<'t>(&self, text: &'t str, signed: &'t Single) -> Told<'t> {
        let left = self.census.and_then(|census| census.mask.left_of(text, self.how.views.shingle));
        match left {
            Some(left) => Told { text: left.text.into(), words: signed.words - left.cut, tokens: left.tokens.into() },
            None => Told { text: text.into(), words: signed.words, tokens: (&signed.tokens[..]).into() },
        }
    }
}

/// The features that both texts have, ascending.
fn features_of_both(told: &[Told<'_>; 2]) -> Vec<u64> {
    let [mut ours, theirs] = told.each_ref().map(|told| distinct_features(&told.tokens));
    ours.retain(|feature| theirs.binary_search(feature).is_ok());
    ours
}

/// How much of the content words of both is of general English.
fn english_share(told: &[Told<'_>; 2]) -> f32 {
    let words = || told.iter().flat_map(|told| told.tokens.iter().copied());
    English::count(words(), English::are_many(words().count())).share()
}
