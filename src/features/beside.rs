//! One text that is weighed once and held beside many others.
//!
//! What a text weighs hangs on the other one only by what both have and hardly anybody else: of these features two documents are known
//! at least, whether the census counted so few or not. So all is weighed twice, as counted and as if the other text had it too, and beside
//! another text only what both have is changed from the one to the other.

use super::{
    Answer, Asked, Features, Found, Head, Held, Known, LEAST_IDF, PARTS, Seen, Weigher, find_rare, find_stems, store,
};
use crate::content::{FEATURE_BITS, Prior, Token, alone, features, pair};
use crate::sketch::{MOST_WORDS, Spaced};

/// What so few documents hold that a text which has it as well makes a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Few {
    /// What no two texts have, where both of them were counted.
    Alone,
    /// That, and what one document and its edited copies have: a text that was not counted is one document more.
    OrOnce,
}

impl Few {
    fn contains(self, held: Held) -> bool {
        held == Held::ALONE || self == Self::OrOnce && held == Held::ONCE
    }

    /// How many documents hold what both of two texts have.
    fn of_both(self, held: Held) -> Held {
        if self.contains(held) { Held::new(2) } else { held }
    }
}

/// Bits of a feature by which most of those are told that a text does not have.
const FIRST_BITS: u32 = 16;

/// Where the first bits of a feature are noted: the word, and the bit in it.
#[inline(always)]
fn first(feature: u64) -> (usize, u64) {
    let first = feature >> (FEATURE_BITS - FIRST_BITS);
    ((first / u64::from(u64::BITS)) as usize, 1 << (first % u64::from(u64::BITS)))
}

/// A text that is held beside others.
pub(crate) struct Beside<'w> {
    weigher: &'w Weigher,
    few: Few,
    known: Known,
    /// A bit for the first bits of each feature: most of what another text has is not here, and this little table tells.
    firsts: Vec<u64>,
    features: Vec<Feature>,
    /// As it was counted.
    pub(crate) head: Head,
    /// As if any other text had all that it has.
    of_both: Head,
    words: Vec<u32>,
}

/// A feature of the text.
#[derive(Clone, Copy)]
struct Feature {
    feature: u64,
    held: Held,
    /// What it weighs as a rare pair of words, as it was counted and if both texts have it; 0 if it is none.
    pair: [u8; 2],
    /// As a stem, and the part of the text in which it first stands.
    stem: Option<(Token, u8)>,
}

/// What was met of the features of one text in another. Reused from text to text.
#[derive(Default)]
pub(crate) struct Marks {
    of: Vec<Mark>,
    /// The features that were met, and those that were met as stems, in the order in which they first were.
    met: Vec<u32>,
    stems: Vec<u32>,
}

/// What was met of one feature.
#[derive(Clone, Copy, Default)]
struct Mark {
    is_met: bool,
    /// The first token that has it as its stem, where that stands among them, how many there are, and how many of them are names.
    token: Option<Token>,
    first: u32,
    times: u32,
    names: u32,
}

/// Two texts side by side.
pub(crate) struct Both {
    ours: Head,
    theirs: Head,
    /// Of their stems those that we have too, and their weights, four in a word.
    words: Vec<u32>,
    /// The weight of the rare pairs of words that both have.
    pub(crate) pairs: u32,
}

impl<'w> Beside<'w> {
    /// Weighs a text of these content words, and so many words in all, where so many documents hold each feature.
    pub(crate) fn new(
        tokens: &[Token],
        words: u32,
        weigher: &'w Weigher,
        few: Few,
        held: impl FnOnce(&[u64]) -> Vec<Held>,
    ) -> Self {
        let mut known = Known::default();
        // All features, and those of the text in order, by their places among them.
        let mut all: Vec<u64> = Vec::with_capacity(2 * tokens.len());
        let mut in_order: Vec<u32> = Vec::with_capacity(2 * tokens.len());
        known.reset(2 * tokens.len());
        features(tokens.iter().copied(), |feature| {
            let at = known.insert(feature, all.len() as u32).unwrap_or(all.len() as u32);
            if at as usize == all.len() {
                all.push(feature);
            }
            in_order.push(at);
        });
        let feature = |(&feature, held)| Feature { feature, held, pair: [0; 2], stem: None };
        let mut all: Vec<Feature> = all.iter().zip(held(&all)).map(feature).collect();
        // Stems stand behind all pairs.
        let stems = &in_order[in_order.len() - tokens.len()..];
        let (mut heads, mut words_of_both) = ([Head { words, ..Head::default() }; 2], Vec::new());
        let (mut known_stems, mut found) = (Known::default(), Vec::new());
        let mut asked = Asked::default();
        let asked = asked.choose(tokens.iter().copied(), |_| true);
        let mut weights = Vec::new();
        for (which, head) in heads.iter_mut().enumerate() {
            let held: Vec<Held> =
                all.iter().map(|it| if which == 1 { few.of_both(it.held) } else { it.held }).collect();
            let (prior, tokens) = (Prior::get(), || tokens.iter().copied());
            // Places are numbered as features are first met.
            let (mut next, mut met) = (in_order.iter(), 0);
            let answer = |_| {
                let at = next.next().copied().unwrap_or_default();
                let is_first = at == met;
                met += u32::from(is_first);
                Answer { held: held[at as usize], list: Some(at), is_first }
            };
            let weighed = |at: u32, weight| all[at as usize].pair[which] = weight;
            find_rare(asked, weigher, &mut head.totals, answer, weighed, |_| {});
            words_of_both.clear();
            weights.clear();
            let (scratch, packed) = ((&mut known_stems, &mut found), (&mut words_of_both, &mut weights));
            let mut next = stems.iter().map(|&at| held[at as usize]);
            find_stems(tokens(), weigher, prior, scratch, head, packed, |_| next.next().unwrap_or_default());
            store::add_bytes(&mut words_of_both, &weights);
            head.stems = weights.len() as u32;
        }
        for Found { token, first, times, names, .. } in found {
            let part = first as usize * PARTS / tokens.len();
            if let Some(at) = known.get(alone(token.stem())) {
                all[at as usize].stem = Some((token.named(2 * names >= times), part as u8));
            }
        }
        let [head, of_both] = heads;
        let mut firsts = vec![0; 1 << (FIRST_BITS - u64::BITS.ilog2())];
        for Feature { feature, .. } in &all {
            let (word, bit) = first(*feature);
            firsts[word] |= bit;
        }
        Self { weigher, few, known, firsts, features: all, head, of_both, words: words_of_both }
    }

    /// The number of a feature that the text has.
    #[inline(always)]
    fn find(&self, feature: u64) -> Option<u32> {
        let (word, bit) = first(feature);
        if self.firsts[word] & bit == 0 { None } else { self.known.get(feature) }
    }

    /// The weight of all its pairs of words if any other text had them too; never less than beside a text that has few of them.
    pub(crate) fn pair_total(&self) -> u32 {
        self.of_both.totals.pairs
    }

    /// Its rare pairs of words, and what each weighs if another text has it, whether any has it so far or not; with each whether no
    /// two counted texts have it.
    pub(crate) fn rare_pairs(&self) -> impl Iterator<Item = (u64, u8, bool)> {
        let rare = |feature: &&Feature| feature.pair[1] > 0 && self.few.of_both(feature.held).is_rare();
        self.features.iter().filter(rare).map(|it| (it.feature, it.pair[1], it.held == Held::ALONE))
    }

    /// Its features beside any text, but for the weight of all of them.
    pub(crate) fn features(&self) -> Features<'_> {
        self.with(&self.of_both)
    }

    fn with<'f>(&'f self, head: &'f Head) -> Features<'f> {
        Features { head, common: self.weigher.common(head.kin), words: (&self.words[..]).into() }
    }

    /// Both texts as they are side by side, of which the other one has this head as it was counted.
    pub(crate) fn both<'f>(&'f self, both: &'f Both) -> (Features<'f>, Features<'f>) {
        let common = self.weigher.common(both.theirs.kin);
        let theirs = Features { head: &both.theirs, common, words: (&both.words[..]).into() };
        (self.with(&both.ours), theirs)
    }

    /// Holds another text of these content words beside it, of which this is what was counted.
    pub(crate) fn hold(&self, tokens: impl ExactSizeIterator<Item = Token>, theirs: Head, marks: &mut Marks) -> Both {
        let Self { weigher, few, features, .. } = self;
        let (prior, content_words) = (Prior::get(), tokens.len());
        let mut both = Both {
            ours: Head { totals: self.head.totals, ..self.of_both },
            theirs: Head { stems: 0, parts: Default::default(), ..theirs },
            words: Vec::new(),
            pairs: 0,
        };
        let Marks { of: marks, met, stems } = marks;
        marks.clear();
        marks.resize(features.len(), Mark::default());
        met.clear();
        stems.clear();
        let mut before = None;
        for (place, token) in (0..).zip(tokens) {
            let id = token.stem();
            if let Some(neighbour) = before.replace(id).filter(|&before| before != id)
                && let Some(at) = self.find(pair(neighbour, id))
            {
                let feature = &features[at as usize];
                if !std::mem::replace(&mut marks[at as usize].is_met, true) {
                    met.push(at);
                    if few.contains(feature.held) {
                        let english = prior.commonness(neighbour).of_pair(prior.commonness(id));
                        let weight = |held| u32::from(weigher.idf(held, english));
                        let pairs = &mut both.theirs.totals.pairs;
                        *pairs = (*pairs + weight(few.of_both(feature.held))).saturating_sub(weight(feature.held));
                    }
                }
            }
            let Some(at) = self.find(alone(id)) else { continue };
            let mark = &mut marks[at as usize];
            if !std::mem::replace(&mut mark.is_met, true) {
                met.push(at);
            }
            if mark.times == 0 {
                stems.push(at);
                (mark.token, mark.first) = (Some(token), place);
            }
            mark.times += 1;
            mark.names += u32::from(token.is_name());
        }
        for &at in &*met {
            let Feature { held, pair: [counted, of_both], stem, .. } = features[at as usize];
            if few.of_both(held).is_rare() {
                both.pairs += u32::from(of_both);
            }
            if few.contains(held) {
                let pairs = &mut both.ours.totals.pairs;
                *pairs = (*pairs + u32::from(of_both)).saturating_sub(counted.into());
                if let Some((token, part)) = stem {
                    self.move_stem(&mut both.ours, (token, held), part.into());
                }
            }
        }
        let mut weights = Vec::with_capacity(stems.len());
        for &at in &*stems {
            let (mark, feature) = (&marks[at as usize], &features[at as usize]);
            let Some(token) = mark.token else { continue };
            let token = token.named(2 * mark.names >= mark.times);
            let part = mark.first as usize * PARTS / content_words;
            if few.contains(feature.held) {
                self.move_stem(&mut both.theirs, (token, feature.held), part);
            }
            let english = prior.commonness(token.stem());
            let idf = weigher.idf_among(theirs.kin, token, few.of_both(feature.held), english);
            if idf >= LEAST_IDF {
                both.words.push(token.code());
                weights.push(idf);
                both.theirs.parts.iter_mut().skip(part).for_each(|end| *end += 1);
            }
        }
        store::add_bytes(&mut both.words, &weights);
        both.theirs.stems = weights.len() as u32;
        both
    }

    /// The most words of the text, whose content words are these with so many others between them, that may stand in runs of so many
    /// words that another text has too; `has` says whether that has a feature.
    fn most_in_runs((tokens, gaps): (&[Token], &[u8]), run: usize, has: impl Fn(u64) -> bool) -> usize {
        let gap = |at: usize| match gaps[at] {
            // Nobody knows how many there are.
            MOST_WORDS => usize::MAX,
            gap => usize::from(gap),
        };
        let stays = |at: usize| has(alone(tokens[at].stem()));
        let goes_on = |at: usize| {
            let (this, next) = (tokens[at].stem(), tokens[at + 1].stem());
            stays(at + 1) && (this == next || has(pair(this, next)))
        };
        let (mut most, mut at) = (0usize, 0);
        let mut add = |words: usize| most = if words >= run { words.saturating_add(most) } else { most };
        while at < tokens.len() {
            if !stays(at) {
                add(gap(at));
                at += 1;
                continue;
            }
            let mut words = gap(at).saturating_add(1);
            while at + 1 < tokens.len() && goes_on(at) {
                at += 1;
                words = words.saturating_add(gap(at)).saturating_add(1);
            }
            at += 1;
            add(words.saturating_add(gap(at)));
        }
        if tokens.last().is_none_or(|last| !has(alone(last.stem()))) {
            add(gap(tokens.len()));
        }
        most
    }

    /// The most words of the shorter of two texts that may stand in runs of so many words that the other one has too: of ours, which are
    /// these, or of theirs.
    pub(crate) fn most_words_in_runs(
        &self,
        both: &Both,
        run: usize,
        ours: impl FnOnce() -> Spaced,
        theirs: &Spaced,
    ) -> usize {
        if !both.ours.is_shorter(&both.theirs) {
            return Self::most_in_runs((&theirs.0, &theirs.1), run, |feature| self.find(feature).is_some());
        }
        let mut known = Known::default();
        known.reset(2 * theirs.0.len());
        features(theirs.0.iter().copied(), |feature| _ = known.insert(feature, 0));
        let ours = ours();
        Self::most_in_runs((&ours.0, &ours.1), run, |feature| known.get(feature).is_some())
    }

    /// Counts a stem of one of the texts as both have it.
    fn move_stem(&self, Head { kin, totals, .. }: &mut Head, (token, held): (Token, Held), part: usize) {
        let english = Prior::get().commonness(token.stem());
        let common = self.weigher.common(*kin);
        let weight = |held| self.weigher.idf_among(*kin, token, held, english);
        let (counted, of_both) = (weight(held), weight(self.few.of_both(held)));
        if counted >= LEAST_IDF {
            totals.change(token, (counted, counted.saturating_sub(common)), part, u32::saturating_sub);
        }
        if of_both >= LEAST_IDF {
            totals.change(token, (of_both, of_both.saturating_sub(common)), part, |sum, by| sum + by);
        }
    }
}

impl Head {
    /// What is counted of a text of these content words, and so many words in all, where so many documents hold each feature.
    pub(crate) fn counted(
        tokens: impl ExactSizeIterator<Item = Token> + Clone,
        words: u32,
        weigher: &Weigher,
        held: impl Fn(u64) -> Held,
    ) -> Self {
        let (prior, mut head) = (Prior::get(), Self { words, ..Self::default() });
        let mut seen = Seen::of(2 * tokens.len());
        let answer = |feature: u64| Answer::<()> { held: held(feature), list: None, is_first: seen.is_new(feature) };
        let mut asked = Asked::default();
        let asked = asked.choose(tokens.clone(), |_| true);
        find_rare(asked, weigher, &mut head.totals, answer, |(), _| {}, |_| {});
        let (scratch, packed) = ((&mut Known::default(), &mut Vec::new()), (&mut Vec::new(), &mut Vec::new()));
        find_stems(tokens, weigher, prior, scratch, &mut head, packed, |token| held(alone(token.stem())));
        head
    }
}

impl Both {
    /// Words of the text with less content.
    pub(crate) fn words_of_shorter(&self) -> u32 {
        if self.ours.is_shorter(&self.theirs) { self.ours.words } else { self.theirs.words }
    }

    /// The weight of all pairs of words of either.
    pub(crate) fn pair_totals(&self) -> (u32, u32) {
        (self.ours.totals.pairs, self.theirs.totals.pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Detector;
    use crate::features::Weighed;
    use crate::hash::mix;
    use crate::sketch;
    use crate::telling::{RUN_WORDS, RunTable, Runs};
    use crate::verify::{self, StemTable};
    use proptest::prelude::*;

    /// How many documents hold a feature, somehow.
    fn held(feature: u64) -> Held {
        Held::new([0, 1, 1, 2, 3, 30, 50, 900][(mix(feature) % 8) as usize])
    }

    fn text() -> impl Strategy<Value = String> {
        const WORDS: [&str; 14] = [
            "the", "of", "to", "harbour", "Harbour", "board", "ferry", "Orrin", "March", "2024", "nine", "snow",
            "road", "closed",
        ];
        let text = |english: u32, foreign: u32| {
            let english_word = prop::sample::select(&WORDS[..]).prop_map(String::from);
            let word = prop_oneof![english => english_word, foreign => "[A-Z]?[a-c]{4,5}"];
            prop::collection::vec((word, prop::sample::select(&[" ", " ", " ", ". "][..])), 0..60)
                .prop_map(|words| words.into_iter().map(|(word, gap)| word + gap).collect())
        };
        prop_oneof![3 => text(4, 1), 1 => text(1, 9)]
    }

    proptest! {
        #[test]
        fn beside_each_other_texts_weigh_what_they_do_if_both_are_weighed(ours in text(), theirs in text(), tail in text(), is_counted in any::<bool>()) {
            let sign = |text: &str| Detector::new().comparing().views.single(text, &mut Default::default());
            let (ours, theirs) = (ours + &tail, theirs + &tail);
            let (ours_signed, theirs_signed) = (sign(&ours), sign(&theirs));
            let (weigher, few) = (Weigher::new(5000, 1.0), if is_counted { Few::Alone } else { Few::OrOnce });
            let all_held = |features: &[u64]| features.iter().map(|&feature| held(feature)).collect();
            let beside = Beside::new(&ours_signed.tokens, ours_signed.words, &weigher, few, all_held);
            let head = Head::counted(theirs_signed.tokens.iter().copied(), theirs_signed.words, &weigher, held);
            let head = Head::of_numbers(head.numbers());
            let both = beside.hold(theirs_signed.tokens.iter().copied(), head, &mut Marks::default());

            let features = |tokens: &[Token]| {
                let mut all = std::collections::BTreeSet::new();
                features(tokens.iter().copied(), |feature| _ = all.insert(feature));
                all
            };
            let (one, other) = (features(&ours_signed.tokens), features(&theirs_signed.tokens));
            let held_by_both = |feature: u64| {
                let is_in_both = one.contains(&feature) && other.contains(&feature);
                if is_in_both && few.contains(held(feature)) { Held::new(2) } else { held(feature) }
            };
            let weigh = |of: &crate::sign::Single| Weighed::new(&of.tokens, of.words, &weigher, held_by_both);
            let (slow_ours, slow_theirs) = (weigh(&ours_signed), weigh(&theirs_signed));
            let shared = slow_ours.rare.iter().filter(|(feature, _)| slow_theirs.rare.iter().any(|other| other.0 == *feature));
            let pairs: u32 = shared.map(|&(_, weight)| u32::from(weight)).sum();
            prop_assert_eq!(both.pairs, pairs);
            prop_assert_eq!(both.pair_totals(), (slow_ours.head.totals.pairs, slow_theirs.head.totals.pairs));
            prop_assert!(beside.pair_total() <= slow_ours.head.totals.pairs);
            let compare = |ours: &Features<'_>, theirs: &Features<'_>, stems: &Features<'_>| {
                let mut table = StemTable::default();
                table.fill(stems);
                verify::compare(ours, &table, theirs, pairs, 0.01, |_| true)
            };
            let (fast_ours, fast_theirs) = beside.both(&both);
            let slow = compare(&slow_ours.features(), &slow_theirs.features(), &slow_ours.features());
            prop_assert_eq!(compare(&fast_ours, &fast_theirs, &beside.features()), slow);

            // What stands word for word in both is never more than the content words tell.
            let read = |text: &str| {
                let mut runs = Runs::default();
                runs.read(text);
                runs
            };
            let (our_runs, their_runs, mut table) = (read(&ours), read(&theirs), RunTable::default());
            table.fill(&our_runs);
            let ours_is_shorter = fast_ours.head.is_shorter(fast_theirs.head);
            let verbatim = if ours_is_shorter { table.in_other(&their_runs) } else { table.of_other(&their_runs) };
            let spaced = |text: &str, of: &crate::sign::Single| (of.tokens.clone(), sketch::gaps(text));
            let theirs = spaced(&theirs, &theirs_signed);
            let most = beside.most_words_in_runs(&both, RUN_WORDS.into(), || spaced(&ours, &ours_signed), &theirs);
            let words = both.words_of_shorter();
            prop_assert!(verbatim.all <= most as f32 / words.max(1) as f32, "{} of {words}: {verbatim:?}", most);
        }
    }
}
