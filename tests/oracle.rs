//! The slow exact way beside the fast one: every pair of a small corpus compared by its shingle sets, and what the
//! detector made of the same corpus.

#[path = "common/random.rs"]
mod random;

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::sample::Index;
use random::mixed;
use retold::{Bands, Cluster, Detector, Level, Pair, Relation, Shingle, ShingleSet, Words};

/// The rule for shortened and wrapped copies: so many of the shorter text's words lie in shingles of the longer one, it has so
/// many shingles and words, and of the shingles the longer one has about what is left where one word in five was changed.
const CONTAINMENT: f32 = 0.8;
const CONTAINED: usize = 40;

/// All that is known of a corpus by comparing everything with everything.
struct Oracle {
    words: Vec<Vec<String>>,
    sets: Vec<ShingleSet>,
    shingle: Shingle,
    threshold: f32,
}

impl Oracle {
    fn new(articles: &[(String, String)], shingle: Shingle, threshold: f64) -> Self {
        let words = |text: &str| Words::new(text).map(|word| word.normalized().into_owned()).collect();
        Self {
            words: articles.iter().map(|(_, text)| words(text)).collect(),
            sets: articles.iter().map(|(_, text)| ShingleSet::new(text, shingle).unwrap()).collect(),
            shingle,
            threshold: threshold as f32,
        }
    }

    /// The share of the words, or characters, of one text that lie in a shingle of the other.
    fn told(&self, of: usize, by: usize) -> f32 {
        let span = match self.shingle {
            Shingle::Words(n) | Shingle::Chars(n) => usize::from(n),
        };
        let items = |at: usize| match self.shingle {
            Shingle::Words(_) => self.words[at].clone(),
            Shingle::Chars(_) => self.words[at].join(" ").chars().map(String::from).collect(),
        };
        let (of, by) = (items(of), items(by));
        let shingles: HashSet<&[String]> = by.windows(span).collect();
        let is_told = |at: usize| {
            let first = (at + 1).saturating_sub(span);
            (first..=at).any(|first| of.get(first..first + span).is_some_and(|window| shingles.contains(window)))
        };
        let told = (0..of.len()).filter(|&at| is_told(at)).count();
        (told as f64 / of.len() as f64) as f32
    }

    fn are_exact(&self, a: usize, b: usize) -> bool {
        self.words[a] == self.words[b]
    }

    fn jaccard(&self, a: usize, b: usize) -> f32 {
        self.sets[a].jaccard(&self.sets[b]).unwrap() as f32
    }

    /// The share of the shorter one in the longer one: the larger of the two shares.
    fn containment(&self, a: usize, b: usize) -> f32 {
        let (one, other) = (&self.sets[a], &self.sets[b]);
        one.containment_in(other).unwrap().max(other.containment_in(one).unwrap()) as f32
    }

    /// The similarity by which two texts are edited copies, if they are.
    fn near(&self, a: usize, b: usize) -> Option<f32> {
        let (jaccard, containment) = (self.jaccard(a, b), self.containment(a, b));
        if jaccard >= self.threshold {
            return Some(jaccard);
        }
        let (shorter, longer) = if self.sets[a].len() <= self.sets[b].len() { (a, b) } else { (b, a) };
        let shingles = self.sets[shorter].len();
        let span = match self.shingle {
            Shingle::Words(n) | Shingle::Chars(n) => n.max(2),
        };
        let times = self.sets[longer].len() as f32 / shingles as f32;
        let left = (1..span).fold(1.0, |share, _| share * CONTAINMENT);
        let least = match shingles >= 2 * CONTAINED {
            true if times >= 2.0 => 0.9 * left,
            true if times >= 1.25 => left,
            _ => CONTAINMENT,
        };
        let told = match shingles == self.sets[longer].len() {
            true => self.told(a, b).max(self.told(b, a)),
            false => self.told(shorter, longer),
        };
        let words = self.words[a].len().min(self.words[b].len());
        let are_enough = shingles.min(words) >= CONTAINED;
        (are_enough && containment >= least && told >= CONTAINMENT).then_some(told)
    }
}

/// The options that a corpus is examined with.
#[derive(Clone, Copy, Debug)]
struct Options {
    threshold: f64,
    shingle: Shingle,
    slots: u16,
}

impl Options {
    fn detector(self) -> Detector {
        let Self { threshold, shingle, slots } = self;
        Detector::builder().level(Level::Near).threshold(threshold).shingle(shingle).slots(slots).build().unwrap()
    }
}

fn options() -> impl Strategy<Value = Options> {
    let shingle = prop_oneof![(1u8..6).prop_map(Shingle::Words), (3u8..10).prop_map(Shingle::Chars)];
    (0.05f64..=1.0, shingle, prop::sample::select(vec![16, 64, 128, 256]))
        .prop_map(|(threshold, shingle, slots)| Options { threshold, shingle, slots })
}

/// A pronounceable word for each number.
fn word(n: u64) -> String {
    const SYLLABLES: [&str; 16] =
        ["ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "ve"];
    let mut left = n;
    let mut word = String::new();
    loop {
        word.push_str(SYLLABLES[(left % 16) as usize]);
        left /= 16;
        if left == 0 {
            return word;
        }
    }
}

fn text(words: &[u64]) -> String {
    words.iter().map(|&n| word(n)).collect::<Vec<_>>().join(" ")
}

/// How a copy differs from what it is a copy of.
#[derive(Clone, Debug)]
enum Edit {
    /// Other case and punctuation, the same words.
    Respell,
    Replace(Vec<(Index, u64)>),
    KeepOnly(Index, Index),
    Wrap(Vec<u64>, Vec<u64>),
    SwapHalves,
}

impl Edit {
    fn apply(&self, words: &[u64]) -> String {
        let mut edited = words.to_vec();
        match self {
            Self::Respell => return text(words).to_uppercase().replace(' ', ", ") + "!",
            Self::Replace(changes) => changes.iter().for_each(|(at, new)| edited[at.index(words.len())] = *new),
            Self::KeepOnly(a, b) => {
                let (a, b) = (a.index(words.len()), b.index(words.len()));
                edited = words[a.min(b)..=a.max(b)].to_vec();
            }
            Self::Wrap(before, after) => edited = [before, words, after].concat(),
            Self::SwapHalves => edited.rotate_left(words.len() / 2),
        }
        text(&edited)
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    let words = || prop::collection::vec(0u64..4000, 0..40);
    prop_oneof![
        Just(Edit::Respell),
        prop::collection::vec((any::<Index>(), 0u64..4000), 1..8).prop_map(Edit::Replace),
        any::<(Index, Index)>().prop_map(|(from, to)| Edit::KeepOnly(from, to)),
        (words(), words()).prop_map(|(before, after)| Edit::Wrap(before, after)),
        Just(Edit::SwapHalves),
    ]
}

/// Originals that share words by chance, copies of them, and copies of copies; shuffled, so that the ids say nothing.
fn corpus() -> impl Strategy<Value = Vec<(String, String)>> {
    let originals = prop::collection::vec(prop::collection::vec(0u64..300, 3..120), 1..8);
    let copies = prop::collection::vec((any::<Index>(), edit()), 0..12);
    (originals, copies)
        .prop_map(|(originals, copies)| {
            let mut texts: Vec<String> = originals.iter().map(|words| text(words)).collect();
            texts.extend(copies.iter().map(|(of, edit)| edit.apply(&originals[of.index(originals.len())])));
            texts
        })
        .prop_shuffle()
        .prop_map(|texts| texts.into_iter().enumerate().map(|(at, text)| (format!("{at:02}"), text)).collect())
}

/// The texts that are long enough to be compared.
fn compared(corpus: &[(String, String)], detector: &Detector) -> Vec<usize> {
    let report = detector.find(corpus).unwrap();
    let skipped: HashSet<usize> = report.skipped().iter().map(|skip| skip.position).collect();
    (0..corpus.len()).filter(|at| !skipped.contains(at)).collect()
}

/// The pair of two texts, whichever comes first.
fn pair_of(pairs: &[Pair], a: usize, b: usize) -> Option<&Pair> {
    pairs.iter().find(|pair| (pair.left, pair.right) == (a.min(b), a.max(b)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(2), max_shrink_iters: 4000, ..ProptestConfig::default() })]

    #[test]
    fn every_member_is_what_the_report_says_it_is(corpus in corpus(), options in options()) {
        let oracle = Oracle::new(&corpus, options.shingle, options.threshold);
        for cluster in options.detector().find(&corpus)?.clusters() {
            let center = cluster.representative().position;
            for member in cluster.members() {
                let (at, of) = (member.position, member.via.as_ref().map_or(center, |via| via.position));
                if oracle.are_exact(of, at) {
                    prop_assert_eq!((member.relation, member.similarity), (Relation::Exact, 1.0));
                    prop_assert_eq!(member.evidence, None);
                } else {
                    prop_assert_eq!(member.relation, Relation::Near);
                    let before = cluster.members().iter().find(|other| other.position == of);
                    let similarity = oracle.near(of, at).map(|near| near * before.map_or(1.0, |of| of.similarity));
                    prop_assert_eq!(Some(member.similarity), similarity);
                    let evidence = member.evidence.unwrap();
                    prop_assert_eq!(evidence.jaccard, oracle.jaccard(of, at));
                    prop_assert_eq!(evidence.containment, oracle.containment(of, at));
                }
            }
        }
    }

    #[test]
    fn exact_copies_are_always_together(corpus in corpus(), options in options()) {
        let detector = options.detector();
        let oracle = Oracle::new(&corpus, options.shingle, options.threshold);
        let report = detector.find(&corpus)?;
        let cluster_of = |at: usize| {
            report.clusters().iter().position(|cluster| cluster.positions().any(|position| position == at))
        };
        let compared = compared(&corpus, &detector);
        for &a in &compared {
            for &b in compared.iter().filter(|&&b| b > a && oracle.are_exact(a, b)) {
                prop_assert!(cluster_of(a).is_some(), "{} and {} are exact copies, in no cluster", a, b);
                prop_assert_eq!(cluster_of(a), cluster_of(b));
            }
        }
    }

    #[test]
    fn the_evidence_of_pairs_is_exact(corpus in corpus(), options in options()) {
        let oracle = Oracle::new(&corpus, options.shingle, options.threshold);
        for pair in options.detector().pairs(&corpus)? {
            let Pair { left, right, .. } = pair;
            prop_assert_eq!(pair.evidence.jaccard, oracle.jaccard(left, right));
            prop_assert_eq!(pair.evidence.containment, oracle.containment(left, right));
            let near = oracle.near(left, right);
            prop_assert_eq!(pair.relation, near.map(|_| Relation::Near));
            prop_assert_eq!(pair.similarity, near.unwrap_or(pair.evidence.jaccard));
        }
    }

    #[test]
    fn pairs_come_once_by_id_and_without_exact_copies(corpus in corpus(), options in options()) {
        let oracle = Oracle::new(&corpus, options.shingle, options.threshold);
        let pairs = options.detector().pairs(&corpus)?;
        let places: Vec<_> = pairs.iter().map(|pair| (pair.left, pair.right)).collect();
        // The ids of these corpora ascend with the position.
        prop_assert!(places.windows(2).all(|two| two[0] < two[1]));
        for (left, right) in places {
            prop_assert!(left < right);
            let earlier_twin = |at: usize| (0..at).any(|other| oracle.are_exact(other, at));
            prop_assert!(!earlier_twin(left) && !earlier_twin(right));
        }
    }

    #[test]
    fn texts_of_the_same_shingles_always_meet(corpus in corpus(), options in options()) {
        // Their signatures are equal, so that no chance is involved.
        let detector = options.detector();
        let oracle = Oracle::new(&corpus, options.shingle, options.threshold);
        let pairs = detector.pairs(&corpus)?;
        let first_of_its_words = |at: &usize| !(0..*at).any(|other| oracle.are_exact(other, *at));
        let distinct: Vec<usize> = compared(&corpus, &detector).into_iter().filter(first_of_its_words).collect();
        for &a in &distinct {
            for &b in distinct.iter().filter(|&&b| b > a && oracle.jaccard(a, b) == 1.0) {
                prop_assert_eq!(pair_of(&pairs, a, b).map(|pair| pair.relation), Some(Some(Relation::Near)));
            }
        }
    }

    #[test]
    fn find_verifies_all_pairs_that_are_copies(corpus in corpus(), options in options()) {
        // It may leave hopeless pairs early, but a pair that passes is not hopeless.
        let detector = options.detector();
        let pairs = detector.pairs(&corpus)?;
        let copies = pairs.iter().filter(|pair| pair.relation.is_some()).count();
        let report = detector.find(&corpus)?;
        prop_assert!(report.summary().candidates >= pairs.len() as u64);
        prop_assert_eq!(report.summary().verified, copies as u64);
    }

    #[test]
    fn clusters_are_stars_around_the_most_similar_representatives(corpus in corpus(), options in options()) {
        let detector = options.detector();
        let oracle = Oracle::new(&corpus, options.shingle, options.threshold);
        let pairs = detector.pairs(&corpus)?;
        let report = detector.find(&corpus)?;
        // Only the first of exact copies is in pairs, and it speaks for all.
        let first = |at: usize| (0..=at).find(|&other| oracle.are_exact(other, at)).unwrap();
        let similarity = |a: usize, b: usize| {
            pair_of(&pairs, first(a), first(b)).filter(|pair| pair.relation.is_some()).map(|pair| pair.similarity)
        };
        let clustered: HashSet<usize> = report.clusters().iter().flat_map(Cluster::positions).collect();
        // A text that was left and a member of another star, which is a copy of that one's centre, may make one of two after all others
        // have chosen.
        let may_be_reunited = |cluster: &Cluster, chosen: usize| {
            let texts: HashSet<usize> = cluster.positions().map(first).collect();
            let mut others = clustered.iter().filter(|&&at| first(at) != first(chosen) && !texts.contains(&first(at)));
            texts.len() == 2 && others.any(|&at| texts.iter().any(|&text| similarity(text, at).is_some()))
        };
        for cluster in report.clusters() {
            for member in cluster.members().iter().filter(|member| member.via.is_none()) {
                for other in report.clusters().iter().filter(|&other| other != cluster) {
                    let elsewhere = similarity(member.position, other.representative().position);
                    let is_closest = elsewhere <= Some(member.similarity) || may_be_reunited(other, member.position);
                    prop_assert!(is_closest, "{} belongs to another star", member.id);
                }
            }
        }
        for pair in pairs.iter().filter(|pair| pair.relation.is_some()) {
            prop_assert!(
                clustered.contains(&pair.left) || clustered.contains(&pair.right),
                "{} and {} are copies, and both alone", pair.left, pair.right
            );
        }
    }
}

/// A corpus of pairs: an original of 80 to 200 words, and a copy in which up to `most` of a hundred words are others. The
/// words are long and random, so that nothing but the pairs is alike.
fn planted(seed: u64, pairs: u64, most: u64) -> Vec<(String, String)> {
    let pair = |number: u64| {
        let random = |n: u64| mixed(seed << 40 | number << 20 | n);
        let random_word = |n: u64| random(1000 + n) % (1 << 24);
        let len = 80 + random(0) % 121;
        let mut words: Vec<u64> = (0..len).map(random_word).collect();
        let original = text(&words);
        let changes = len * most / 100;
        for change in 1..=changes / 2 + random(1) % (changes / 2 + 1) {
            words[(random(1 + change) % len) as usize] = random_word(len + change);
        }
        [(format!("{number:04} original"), original), (format!("{number:04} copy"), text(&words))]
    };
    (0..pairs).flat_map(pair).collect()
}

/// Detects planted pairs, and compares how many of those that reach the threshold were missed with how many the S-curve
/// lets one expect to be. Most pairs lie a little above the threshold, where copies are easiest to miss.
#[track_caller]
fn assert_no_more_is_missed_than_the_s_curve_says(options: Options, most: u64) {
    let Options { threshold, shingle, slots } = options;
    let bands = Bands::for_threshold(threshold, slots.into()).unwrap();
    let (mut copies, mut missed, mut expected, mut variance) = (0, 0, 0.0, 0.0);
    for seed in 0..5 {
        let corpus = planted(seed, 120, most);
        let oracle = Oracle::new(&corpus, shingle, threshold);
        let report = options.detector().find(&corpus).unwrap();
        let found: HashSet<usize> = report
            .clusters()
            .iter()
            .map(|cluster| {
                let places: Vec<usize> = cluster.positions().map(|position| position / 2).collect();
                assert_eq!(places, [places[0]; 2], "only the planted pairs are alike");
                places[0]
            })
            .collect();
        for pair in 0..corpus.len() / 2 {
            let jaccard = oracle.jaccard(2 * pair, 2 * pair + 1);
            if jaccard >= oracle.threshold {
                let probability = bands.probability(jaccard.into());
                copies += 1;
                missed += i32::from(!found.contains(&pair));
                expected += 1.0 - probability;
                variance += probability * (1.0 - probability);
            }
        }
    }
    // Five standard deviations, and a hundredth of the pairs because the slots of a signature are not quite independent.
    let bound = expected + 5.0 * f64::sqrt(variance) + 0.01 * f64::from(copies);
    assert!(copies > 200, "only {copies} copies to find");
    assert!(
        f64::from(missed) <= bound,
        "{missed} of {copies} copies missed, {expected:.1} expected, at most {bound:.1}"
    );
}

#[test]
fn copies_are_missed_as_rarely_as_the_s_curve_says() {
    assert_no_more_is_missed_than_the_s_curve_says(
        Options { threshold: 0.5, shingle: Shingle::Words(3), slots: 128 },
        14,
    );
}

#[test]
fn copies_are_missed_as_rarely_as_the_s_curve_says_at_a_high_threshold() {
    assert_no_more_is_missed_than_the_s_curve_says(
        Options { threshold: 0.8, shingle: Shingle::Words(3), slots: 128 },
        5,
    );
}

#[test]
fn copies_are_missed_as_rarely_as_the_s_curve_says_by_characters() {
    assert_no_more_is_missed_than_the_s_curve_says(
        Options { threshold: 0.6, shingle: Shingle::Chars(6), slots: 256 },
        22,
    );
}

#[test]
fn copies_are_missed_as_rarely_as_the_s_curve_says_with_short_signatures() {
    assert_no_more_is_missed_than_the_s_curve_says(
        Options { threshold: 0.5, shingle: Shingle::Words(3), slots: 16 },
        14,
    );
}

#[test]
fn shortened_copies_are_found_though_their_jaccard_is_low() {
    // The first third of a text: everything it says is in the other, and two thirds of the other are not in it.
    let words: Vec<u64> = (1000..1300).collect();
    let corpus = [("whole", text(&words)), ("third", text(&words[..100]))];
    let detector = Detector::builder().level(Level::Near).threshold(0.5).build().unwrap();
    let pairs = detector.pairs(&corpus).unwrap();
    let is_copy = pairs.iter().any(|pair| pair.relation == Some(Relation::Near) && pair.evidence.containment == 1.0);
    assert!(is_copy, "{pairs:?}");
    assert_eq!(detector.find(&corpus).unwrap().clusters().len(), 1, "find leaves out what pairs calls a copy");
}
