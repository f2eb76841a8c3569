//! Laws of the public face that hold for every corpus, checked on real articles, edits of them, and nonsense.

#[path = "common/articles.rs"]
mod articles;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use articles::{articles, groups};
use proptest::prelude::*;
use proptest::sample::Index;
use rayon::{ThreadPool, ThreadPoolBuilder};
use retold::{
    Article, Cluster, Detector, Error, Evidence, Excerpts, FORMAT_VERSION, Level, Member, MinHash, MinHasher, Pair,
    Progress, Relation, Report, Representative, Scheme, Shingle, SimHash, SimHasher, SkipReason, Stage, Words,
};
use serde_json::{Value, json};

type Corpus = Vec<(String, String)>;

static POOLS: LazyLock<[ThreadPool; 3]> =
    LazyLock::new(|| [1, 2, 4].map(|threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap()));

/// The sample articles and the texts in seven languages.
static ARTICLES: LazyLock<Corpus> = LazyLock::new(|| [articles("seeds"), articles("tests/texts")].concat());

/// How an article is edited, word by word, so that scripts without spaces are edited too.
#[derive(Clone, Debug)]
enum Edit {
    /// The same words in capitals.
    Shout,
    Drop(Vec<Index>),
    Cut(Index, Index),
    /// One word of the text in the place of another one.
    Borrow(Vec<(Index, Index)>),
    /// A stretch of another article behind it.
    Append(Index),
}

impl Edit {
    fn apply(&self, text: &str) -> String {
        let words: Vec<_> = Words::new(text).collect();
        let whole = |drop: &HashSet<usize>, new: &HashMap<usize, usize>| {
            let mut edited = String::new();
            let mut end = 0;
            for (at, word) in words.iter().enumerate() {
                edited.push_str(&text[end..word.span().start]);
                end = word.span().end;
                if !drop.contains(&at) {
                    edited.push_str(words[*new.get(&at).unwrap_or(&at)].as_str());
                }
            }
            edited + &text[end..]
        };
        let place = |index: &Index| index.index(words.len());
        match self {
            Self::Shout => text.to_uppercase(),
            Self::Drop(places) => whole(&places.iter().map(place).collect(), &HashMap::new()),
            Self::Cut(a, b) => {
                let (a, b) = (place(a), place(b));
                text[words[a.min(b)].span().start..words[a.max(b)].span().end].to_string()
            }
            Self::Borrow(places) => {
                whole(&HashSet::new(), &places.iter().map(|(to, from)| (place(to), place(from))).collect())
            }
            Self::Append(other) => {
                let other = &ARTICLES[other.index(ARTICLES.len())].1;
                let half = Words::new(other).nth(80).map_or(other.len(), |word| word.span().start);
                format!("{text}\n{}", &other[..half])
            }
        }
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        Just(Edit::Shout),
        prop::collection::vec(any::<Index>(), 1..30).prop_map(Edit::Drop),
        any::<(Index, Index)>().prop_map(|(a, b)| Edit::Cut(a, b)),
        prop::collection::vec(any::<(Index, Index)>(), 1..30).prop_map(Edit::Borrow),
        any::<Index>().prop_map(Edit::Append),
    ]
}

/// Some of the articles, edited copies of some of those, and a few that cannot be compared; in any order.
fn corpus() -> impl Strategy<Value = Corpus> {
    let chosen = prop::sample::subsequence((0..ARTICLES.len()).collect::<Vec<_>>(), 4..=12);
    let copies = prop::collection::vec((any::<Index>(), edit()), 0..6);
    (chosen, copies, 0usize..3)
        .prop_map(|(chosen, copies, short)| {
            let originals: Corpus = chosen.into_iter().map(|at| ARTICLES[at].clone()).collect();
            let copies = copies.iter().enumerate().map(|(at, (of, edit))| {
                let (id, text) = &originals[of.index(originals.len())];
                (format!("{id} copy {at}"), edit.apply(text))
            });
            let short =
                ["", "— ! —", "two words"][..short].iter().map(|text| (format!("short {text}"), text.to_string()));
            copies.chain(short).chain(originals.iter().cloned()).collect::<Corpus>()
        })
        .prop_shuffle()
}

fn level() -> impl Strategy<Value = Level> {
    prop::sample::select(vec![Level::Near, Level::Reworded])
}

fn detector(level: Level) -> Detector {
    Detector::builder().level(level).build().unwrap()
}

type Found<'r> = (&'r str, Relation, f32, Option<Evidence>);

/// Each cluster as its representative and its members in order, without their positions in the input.
fn clusters(report: &Report) -> Vec<(&str, Vec<Found<'_>>)> {
    fn found(member: &Member) -> Found<'_> {
        (&member.id, member.relation, member.similarity, member.evidence)
    }
    fn told(cluster: &Cluster) -> (&str, Vec<Found<'_>>) {
        (&cluster.representative().id, cluster.members().iter().map(found).collect())
    }
    report.clusters().iter().map(told).collect()
}

/// What a text is left out for, by the words that it has.
fn refusal(text: &str, needed: usize) -> Option<SkipReason> {
    match Words::new(text).count() {
        0 => Some(SkipReason::Empty),
        words if words < needed => Some(SkipReason::TooShort { words, needed }),
        _ => None,
    }
}

/// Pieces of text that are easy to trip over.
fn nonsense() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "B",
        "7",
        "word ",
        "two words ",
        "’",
        "'",
        ".",
        ",",
        "_",
        ":",
        "\0",
        "\n",
        "\u{300}",
        "\u{323}",
        "\u{ad}",
        "\u{200d}",
        "\u{3164}",
        "\u{115f}",
        "\u{fe0f}",
        "ß",
        "İ",
        "ΟΔΟΣ ",
        "東",
        "เ",
        "ร",
        "ﾞ",
        "ｶ",
        "각",
        "\u{1100}",
        "ﷺ",
        "𝔸",
        "👩‍✈️",
        "\u{10ffff}",
        "\u{e000}",
        "٣",
        "½",
        "“",
        "1,2",
    ]);
    prop_oneof![
        2 => prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat()),
        1 => prop::collection::vec(any::<char>(), 0..60).prop_map(|chars| chars.into_iter().collect()),
    ]
}

/// Options of all sizes that are in range.
fn any_detector() -> impl Strategy<Value = Detector> {
    let shingle = prop_oneof![(1u8..=32).prop_map(Shingle::Words), (1u8..=64).prop_map(Shingle::Chars)];
    let policy = prop::sample::select(vec![
        Representative::Central,
        Representative::Longest,
        Representative::First,
        Representative::Earliest,
    ]);
    (level(), 0.001f64..=1.0, shingle, 4u32..=10, 0.001f64..=1.0, 0usize..6, policy, 0.001f64..=1.0).prop_map(
        |(level, threshold, shingle, power, confidence, min_words, policy, least)| {
            let builder = Detector::builder().level(level).threshold(threshold).shingle(shingle);
            let builder = builder.slots(1 << power).confidence(confidence).min_words(min_words);
            builder.representative(policy).near_misses(least).build().unwrap()
        },
    )
}

/// What every report must be, whatever it is about.
fn assert_sound(report: &Report, articles: usize) -> Result<(), TestCaseError> {
    prop_assert_eq!(report.summary().documents, articles);
    prop_assert!(report.skipped().windows(2).all(|two| two[0].position < two[1].position));
    let mut seen: HashSet<usize> = report.skipped().iter().map(|skip| skip.position).collect();
    for cluster in report.clusters() {
        let members = cluster.members();
        prop_assert!(!members.is_empty(), "a cluster of one");
        prop_assert_eq!((cluster.ids().len(), cluster.positions().len()), (cluster.size(), members.len() + 1));
        let representative = cluster.representative();
        prop_assert!(seen.insert(representative.position), "{} is in two places", representative.id);
        for two in members.windows(2) {
            prop_assert!(
                two[0].similarity > two[1].similarity
                    || two[0].similarity == two[1].similarity && two[0].id <= two[1].id
            );
        }
        for member in members {
            prop_assert!(seen.insert(member.position), "{} is in two places", member.id);
            prop_assert!((0.0..=1.0).contains(&member.similarity));
            prop_assert_eq!(member.evidence.is_none(), member.relation == Relation::Exact);
            member.evidence.map_or(Ok(()), |evidence| assert_in_range(&evidence))?;
        }
        prop_assert!(members.contains(cluster.weakest()));
        if let Some(miss) = cluster.near_miss() {
            prop_assert!(members.iter().all(|member| member.position != miss.position));
            prop_assert!(miss.missing >= 0.0 && miss.similarity > 0.0 && miss.missing + miss.similarity <= 1.0 + 1e-6);
            assert_in_range(&miss.evidence)?;
        }
    }
    let first = |cluster: &Cluster| cluster.representative().id.clone();
    prop_assert!(report.clusters().windows(2).all(|two| first(&two[0]) <= first(&two[1])));
    Ok(())
}

/// All numbers lie where their documentation says.
fn assert_in_range(evidence: &Evidence) -> Result<(), TestCaseError> {
    let mut shares = vec![evidence.jaccard, evidence.containment];
    if let Some(content) = evidence.content {
        shares.extend([content.words, content.pairs, content.coverage, content.usual]);
        shares.extend(content.names);
        shares.push(content.length_ratio);
        prop_assert!((-1.0..=1.0).contains(&content.order), "{:?}", content);
    }
    prop_assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "{:?}", evidence);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(10), max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_is_removed_is_told_by_what_stays(corpus in corpus(), level in level()) {
        let report = detector(level).find(&corpus)?;
        let words = |at: usize| -> Vec<String> {
            Words::new(&corpus[at].1).map(|word| word.normalized().into_owned()).collect()
        };
        let told = |of: usize, by: usize| {
            let (of, by) = (words(of), words(by));
            let phrases: HashSet<&[String]> = by.windows(3).collect();
            let mut is_told = vec![false; of.len()];
            for (at, phrase) in of.windows(3).enumerate() {
                if phrases.contains(phrase) {
                    is_told[at..at + 3].fill(true);
                }
            }
            is_told.iter().filter(|is_told| **is_told).count() as f32 / of.len() as f32
        };
        let removals = report.removals();
        prop_assert!(removals.windows(2).all(|two| two[0].position < two[1].position));
        let removed: HashSet<usize> = removals.iter().map(|removal| removal.position).collect();
        for removal in removals {
            let (gone, kept) = (removal.position, removal.kept);
            prop_assert_eq!((&removal.id, &removal.kept_id), (&corpus[gone].0, &corpus[kept].0));
            prop_assert!(!removed.contains(&kept), "{} is removed itself", removal.kept_id);
            let holds = |cluster: &Cluster, at: usize| cluster.positions().any(|position| position == at);
            let is_one_cluster = report.clusters().iter().any(|cluster| holds(cluster, gone) && holds(cluster, kept));
            prop_assert!(is_one_cluster, "{} and {}", removal.id, removal.kept_id);
            match removal.relation {
                Relation::Exact => prop_assert_eq!(words(gone), words(kept)),
                Relation::Near => {
                    prop_assert!((removal.covered.unwrap() - told(gone, kept)).abs() < 1e-6);
                    prop_assert!(told(gone, kept) >= 0.8);
                }
                _ => prop_assert!(words(kept).len() as f32 >= 0.8 * words(gone).len() as f32),
            }
        }
        for cluster in report.clusters() {
            let stay: Vec<usize> = cluster.positions().filter(|at| !removed.contains(at)).collect();
            prop_assert!(!stay.is_empty());
            if let [member] = cluster.members() {
                // Of two that tell each other the fuller one stays, and one that tells no more than the other goes.
                let (one, other) = (cluster.representative().position, member.position);
                let (fuller, shorter) = if words(one).len() < words(other).len() { (other, one) } else { (one, other) };
                if told(shorter, fuller) >= 0.8 {
                    prop_assert!(stay.len() == 1 && words(stay[0]).len() == words(fuller).len());
                }
            }
        }
    }

    #[test]
    fn order_and_threads_change_nothing((given, shuffled) in (corpus(), prop::option::of(0usize..3)).prop_flat_map(|(mut corpus, label)| {
        // Ids need not be unique: some corpora have few of them, or one.
        if let Some(length) = label {
            corpus.iter_mut().for_each(|(id, _)| *id = id.chars().take(length).collect());
        }
        (Just(corpus.clone()), Just(corpus).prop_shuffle())
    }), level in level()) {
        let detector = detector(level);
        let report = POOLS[0].install(|| detector.find(&given))?;
        assert_sound(&report, given.len())?;
        let skipped = |report: &Report| -> BTreeSet<(String, String)> {
            report.skipped().iter().map(|skip| (skip.id.clone(), skip.reason.to_string())).collect()
        };
        let figures = |report: &Report| {
            let summary = report.summary();
            (summary.documents, summary.bytes, summary.candidates, summary.verified, summary.crowded)
        };
        // Ids may repeat, and positions are not those of the other order.
        let removals = |report: &Report| -> Vec<(String, String, Option<u32>)> {
            let covered = |removal: &retold::Removal| removal.covered.map(f32::to_bits);
            let removals = report.removals().iter();
            let mut all: Vec<_> =
                removals.map(|removal| (removal.id.clone(), removal.kept_id.clone(), covered(removal))).collect();
            all.sort();
            all
        };
        for pool in &*POOLS {
            let other = pool.install(|| detector.find(&shuffled))?;
            prop_assert_eq!(clusters(&other), clusters(&report));
            prop_assert_eq!(skipped(&other), skipped(&report));
            prop_assert_eq!(figures(&other), figures(&report));
            prop_assert_eq!(removals(&other), removals(&report));
        }
    }

    #[test]
    fn neither_memory_nor_batches_change_anything(
        corpus in corpus(), level in level(), memory in prop::option::of(0u64..60_000), batch in 1usize..20,
    ) {
        let builder = Detector::builder().level(level).near_misses(0.05);
        let report = builder.clone().build()?.find(&corpus)?;
        let limited = memory.map_or(builder.clone(), |bytes| builder.memory(bytes)).build()?;
        let mut collector = limited.collector();
        for batch in corpus.chunks(batch) {
            collector.extend(batch.iter().cloned())?;
        }
        let (collected, articles) = collector.find()?;
        for other in [&limited.find(&corpus)?, &collected] {
            prop_assert_eq!(other.clusters(), report.clusters());
            prop_assert_eq!(other.skipped(), report.skipped());
            prop_assert_eq!(other.summary().bytes, report.summary().bytes);
            prop_assert_eq!(other.summary().candidates, report.summary().candidates);
        }
        prop_assert_eq!(articles.len(), corpus.len());
        for (position, (id, text)) in corpus.iter().enumerate() {
            prop_assert_eq!((articles.id(position), &*articles.text(position)?), (&**id, &**text));
        }
    }

    #[test]
    fn positions_say_where_an_article_stands(corpus in corpus(), level in level()) {
        let report = detector(level).find(&corpus)?;
        for cluster in report.clusters() {
            for (id, position) in cluster.ids().zip(cluster.positions()) {
                prop_assert_eq!(&corpus[position].0, id);
            }
        }
        for skip in report.skipped() {
            prop_assert_eq!(&corpus[skip.position].0, &skip.id);
        }
    }

    #[test]
    fn an_unrelated_article_does_not_change_edited_copies(
        corpus in corpus(), unrelated in prop::collection::vec("[qxzj]{6,12}", 3..200), id in "[a-z]{1,8}",
    ) {
        // Edited copies are told by the two texts alone. A rewording is told by what is rare in the corpus as well.
        let detector = detector(Level::Near);
        let before = detector.find(&corpus)?;
        let mut more = corpus.clone();
        more.insert(id.len() % corpus.len(), (id, unrelated.join(" ")));
        let after = detector.find(&more)?;
        prop_assert_eq!(clusters(&after), clusters(&before));
    }

    #[test]
    fn the_looser_level_sees_the_same_edited_copies(corpus in corpus()) {
        let edited = detector(Level::Near).pairs(&corpus)?;
        let all = detector(Level::Reworded).pairs(&corpus)?;
        let by_place: HashMap<(usize, usize), &Pair> = all.iter().map(|pair| ((pair.left, pair.right), pair)).collect();
        for pair in &edited {
            let Some(looser) = by_place.get(&(pair.left, pair.right)) else {
                return Err(TestCaseError::fail(format!("{} and {} are no longer compared", pair.left, pair.right)));
            };
            prop_assert_eq!(looser.evidence.jaccard, pair.evidence.jaccard);
            prop_assert_eq!(looser.evidence.containment, pair.evidence.containment);
            prop_assert!(pair.evidence.content.is_none());
            if pair.relation == Some(Relation::Near) {
                prop_assert_eq!((looser.relation, looser.similarity), (pair.relation, pair.similarity));
            } else {
                prop_assert_ne!(looser.relation, Some(Relation::Near), "the rule for edited copies is the same");
            }
            assert_in_range(&looser.evidence)?;
        }
    }

    #[test]
    fn the_looser_level_keeps_the_stricter_relation(corpus in corpus()) {
        // Stars around other representatives may take a member away, and one end of a pair may be left alone. What stays
        // is this: of two edited copies at least one is in a cluster, and as a member of the other one's it is `Near`.
        let strict = detector(Level::Near).find(&corpus)?;
        let loose = detector(Level::Reworded).find(&corpus)?;
        let mut star_of: HashMap<&str, (&str, Relation)> = HashMap::new();
        for cluster in loose.clusters() {
            let center = cluster.representative().id.as_str();
            star_of.insert(center, (center, Relation::Exact));
            star_of.extend(cluster.members().iter().map(|member| {
                let of = member.via.as_ref().map_or(center, |via| via.id.as_str());
                (member.id.as_str(), (of, member.relation))
            }));
        }
        for cluster in strict.clusters() {
            let center = cluster.representative().id.as_str();
            for member in cluster.members() {
                let ends = [star_of.get(center), star_of.get(member.id.as_str())];
                prop_assert!(ends.iter().any(Option::is_some), "{center} and {} are both alone", member.id);
                match ends {
                    [_, Some(&(of, relation))] if of == center => prop_assert_eq!(relation, member.relation),
                    [Some(&(of, relation)), _] if of == member.id => prop_assert_eq!(relation, member.relation),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn all_threads_together_sign_as_one_signs_text_by_text(texts in prop::collection::vec(nonsense(), 0..150), n in 1u8..=3) {
        for shingle in [Shingle::Words(n), Shingle::Chars(n)] {
            let mut minhasher = MinHasher::new(Scheme::minhash(shingle))?;
            let mut simhasher = SimHasher::new(Scheme::simhash(shingle))?;
            let minhashes: Vec<_> = texts.iter().map(|text| minhasher.sign(text)).collect();
            let simhashes: Vec<_> = texts.iter().map(|text| simhasher.sign(text)).collect();
            for pool in &*POOLS {
                let (minhash, simhash) = pool.install(|| (minhasher.sign_all(&texts), simhasher.sign_all(&texts)));
                prop_assert!(minhash == minhashes);
                prop_assert!(simhash == simhashes);
            }
        }
    }

    #[test]
    fn exact_copies_share_a_cluster_at_both_levels(corpus in corpus(), level in level(), of in any::<Index>()) {
        let (id, text) = &corpus[of.index(corpus.len())];
        let twin = (format!("{id}, again"), format!("\u{feff}  {} …", text.to_lowercase()));
        let same_words = |text: &str| Words::new(text).map(|word| word.normalized().into_owned()).collect::<Vec<_>>();
        prop_assume!(refusal(text, 3).is_none() && same_words(text) == same_words(&twin.1));
        let mut more = corpus.clone();
        more.push(twin.clone());
        let report = detector(level).find(&more)?;
        let together = groups(&report).iter().any(|ids| ids.contains(&id.as_str()) && ids.contains(&twin.0.as_str()));
        prop_assert!(together, "{:?}", groups(&report));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(2), max_shrink_iters: 4000, ..ProptestConfig::default() })]

    #[test]
    fn no_text_id_or_option_makes_a_detector_panic(
        corpus in prop::collection::vec((prop_oneof!["[ab]{0,2}", nonsense()], nonsense()), 0..12),
        detector in any_detector(),
    ) {
        assert_sound(&detector.find(&corpus)?, corpus.len())?;
        for pair in detector.pairs(&corpus)? {
            prop_assert!(corpus[pair.left].0 <= corpus[pair.right].0);
            prop_assert!((0.0..=1.0).contains(&pair.similarity));
            assert_in_range(&pair.evidence)?;
        }
    }

    #[test]
    fn what_is_not_skipped_is_compared(
        corpus in prop::collection::vec(("[a-f]", "([a-c]{1,2}[ ,]{1,2}){0,6}"), 0..12), needed in 3usize..6,
    ) {
        let mut expected = Vec::new();
        for (position, (id, text)) in corpus.iter().enumerate() {
            expected.extend(refusal(text, needed).map(|reason| (id.as_str(), position, reason)));
        }
        let compared = corpus.len() - expected.len();
        let detector = Detector::builder().min_words(needed).build()?;
        let report = detector.find(&corpus)?;
        let skipped: Vec<_> =
            report.skipped().iter().map(|skip| (skip.id.as_str(), skip.position, skip.reason)).collect();
        prop_assert_eq!(skipped, expected);

        // That the others are compared shows when each is given twice, under the id that it has: all of them are found, and
        // nothing else.
        let twice: Corpus = corpus.iter().flat_map(|article| [article.clone(), article.clone()]).collect();
        let report = detector.find(&twice)?;
        let found: usize = report.clusters().iter().map(Cluster::size).sum();
        prop_assert_eq!(found, 2 * compared);
    }

    #[test]
    fn signatures_survive_being_written_and_read(text in nonsense(), power in 4u32..=10, n in 1u8..=6) {
        for shingle in [Shingle::Words(n), Shingle::Chars(n)] {
            if let Some(signature) = MinHasher::new(Scheme::minhash(shingle).slots(1 << power))?.sign(&text) {
                let read: MinHash = serde_json::from_str(&serde_json::to_string(&signature)?)?;
                prop_assert_eq!(read.similarity(&signature)?, 1.0);
                prop_assert_eq!(read, signature);
            }
            if let Some(signature) = SimHasher::new(Scheme::simhash(shingle))?.sign(&text) {
                let read: SimHash = serde_json::from_str(&serde_json::to_string(&signature)?)?;
                prop_assert_eq!(read.distance(&signature)?, 0);
                prop_assert_eq!(read, signature);
            }
        }
    }
}

fn written_minhash() -> Value {
    let signature =
        MinHasher::new(Scheme::minhash(Shingle::Words(2)).slots(16)).unwrap().sign("one two three").unwrap();
    serde_json::to_value(signature).unwrap()
}

fn written_simhash() -> Value {
    let signature = SimHasher::new(Scheme::simhash(Shingle::Words(2))).unwrap().sign("one two three").unwrap();
    serde_json::to_value(signature).unwrap()
}

#[test]
fn a_minhash_that_was_tampered_with_is_not_read() {
    let change = |path: &str, value: Value| {
        let mut written = written_minhash();
        *written.pointer_mut(path).unwrap() = value;
        serde_json::from_value::<MinHash>(written)
    };
    assert!(change("/version", json!(FORMAT_VERSION)).is_ok());
    for (path, value, says) in [
        ("/version", json!(FORMAT_VERSION + 1), "this release reads version"),
        ("/version", json!(0), "format version 0"),
        ("/scheme/method", json!("sim_hash"), "different schemes"),
        ("/scheme/method", json!("other"), "other"),
        ("/scheme/slots", json!(32), "number of slots is not that of its scheme"),
        ("/scheme/slots", json!(17), "slots = 17 is out of range"),
        ("/scheme/view/shingles/words", json!(0), "words in a shingle = 0 is out of range"),
        ("/slots", json!([1, 2, 3]), "number of slots is not that of its scheme"),
        ("/slots", json!([]), "number of slots is not that of its scheme"),
        ("/slots/7", json!(u32::MAX), "empty slot"),
        ("/slots/7", json!(-1), "-1"),
    ] {
        let refused = change(path, value).unwrap_err().to_string();
        assert!(refused.contains(says), "{path}: {refused}");
    }
}

#[test]
fn a_simhash_that_was_tampered_with_is_not_read() {
    let change = |path: &str, value: Value| {
        let mut written = written_simhash();
        *written.pointer_mut(path).unwrap() = value;
        serde_json::from_value::<SimHash>(written)
    };
    assert!(change("/bits", json!(u64::MAX)).is_ok());
    for (path, value, says) in [
        ("/version", json!(FORMAT_VERSION + 1), "format version"),
        ("/scheme/method", json!("min_hash"), "different schemes"),
        ("/scheme/slots", json!(128), "bits of a SimHash = 128 is out of range: give 64"),
        ("/scheme/view/shingles/words", json!(33), "words in a shingle = 33 is out of range"),
    ] {
        let refused = change(path, value).unwrap_err().to_string();
        assert!(refused.contains(says), "{path}: {refused}");
    }
}

#[test]
fn one_kind_of_signature_is_not_read_as_the_other() {
    assert!(serde_json::from_value::<MinHash>(written_simhash()).is_err());
    assert!(serde_json::from_value::<SimHash>(written_minhash()).is_err());
}

/// Every call of the progress function while a corpus is examined.
fn progress_of(articles: &[(String, String)], pool: &ThreadPool) -> Vec<Progress> {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&calls);
    let detector = Detector::builder().progress(move |progress| noted.lock().unwrap().push(progress)).build().unwrap();
    pool.install(|| detector.find(articles)).unwrap();
    calls.lock().unwrap().clone()
}

/// Tiny articles, one in ten an exact copy; enough for several calls a stage.
fn many() -> Corpus {
    (0..1000).map(|n| (format!("{n}"), format!("article{0} about subject{0}", n % 900))).collect()
}

#[test]
fn progress_goes_through_the_stages_from_nothing_to_all() {
    for articles in [Vec::new(), many()[..1].to_vec(), many()[..256].to_vec(), many()] {
        let calls = progress_of(&articles, &POOLS[0]);
        let stages: Vec<Stage> = calls.chunk_by(|a, b| a.stage == b.stage).map(|calls| calls[0].stage).collect();
        assert_eq!(stages, Stage::ALL);
        for calls in calls.chunk_by(|a, b| a.stage == b.stage) {
            let total = calls[0].total;
            assert!(calls.iter().all(|call| call.total == total), "{calls:?}");
            assert!(calls.windows(2).all(|two| two[0].done <= two[1].done), "{calls:?}");
            assert_eq!((calls[0].done, calls[calls.len() - 1].done), (0, total));
        }
        assert_eq!(calls[0].total, articles.len());
    }
}

#[test]
fn progress_reaches_the_end_of_each_stage_once_with_any_threads() {
    // Calls of several threads may overtake each other, but none is made twice and the last number is among them.
    let articles = many();
    for pool in &*POOLS {
        let calls = progress_of(&articles, pool);
        for calls in calls.chunk_by(|a, b| a.stage == b.stage) {
            assert_eq!(calls.iter().filter(|call| call.done == call.total).count(), 1, "{calls:?}");
            let distinct: HashSet<usize> = calls.iter().map(|call| call.done).collect();
            assert_eq!(distinct.len(), calls.len(), "{calls:?}");
        }
    }
}

/// An article of an older or a newer corpus, and the day on which it appeared.
#[derive(Clone, Debug)]
struct Dated {
    article: (String, String),
    is_known: bool,
    date: Option<String>,
    source: Option<String>,
}

impl Article for Dated {
    fn id(&self) -> &str {
        &self.article.0
    }

    fn text(&self) -> &str {
        &self.article.1
    }

    fn date(&self) -> Option<&str> {
        self.date.as_deref()
    }

    fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    fn is_known(&self) -> bool {
        self.is_known
    }
}

fn dated_corpus() -> impl Strategy<Value = Vec<Dated>> {
    (corpus(), prop::collection::vec((any::<bool>(), prop::option::weighted(0.9, 1u32..20), any::<Index>()), 24))
        .prop_map(|(corpus, more)| {
            // Each article, and one again on another day.
            let again = more.iter().take(6).map(|(.., at)| corpus[at.index(corpus.len())].clone()).collect::<Vec<_>>();
            let all = corpus.into_iter().chain(again);
            all.zip(more)
                .map(|(article, (is_known, day, _))| Dated {
                    article,
                    is_known,
                    date: day.map(|day| format!("2024-05-{day:02}")),
                    source: None,
                })
                .collect()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(10), max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_is_known_represents_and_dates_are_near(
        (given, shuffled) in dated_corpus().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        level in level(), days in prop::option::of(0u64..10),
        policy in prop::sample::select(vec![Representative::Central, Representative::Longest, Representative::Earliest]),
    ) {
        let mut builder = Detector::builder().level(level).representative(policy);
        if let Some(days) = days {
            builder = builder.within(Duration::from_secs(days * 86_400));
        }
        let detector = builder.build()?;
        let report = detector.find(&given)?;
        assert_sound(&report, given.len())?;
        let day = |at: usize| given[at].date.as_ref().map(|date| date[8..].parse::<u64>().unwrap());
        let may_meet = |a: usize, b: usize| {
            let are_near = days.is_none_or(|days| day(a).zip(day(b)).is_some_and(|(a, b)| a.abs_diff(b) <= days));
            are_near && !(given[a].is_known && given[b].is_known)
        };
        let mut removed = HashSet::new();
        for cluster in report.clusters() {
            let center = cluster.representative().position;
            for member in cluster.members() {
                prop_assert!(!given[member.position].is_known, "{} is known and was removed", member.id);
                prop_assert!(may_meet(center, member.position));
                removed.insert(member.position);
            }
        }
        for removal in report.removals() {
            prop_assert!(may_meet(removal.position, removal.kept), "{} went for {}", removal.id, removal.kept_id);
        }
        // What is known and near speaks for what is the same.
        let compared = |at: usize| report.skipped().iter().all(|skip| skip.position != at);
        for new in (0..given.len()).filter(|&at| !given[at].is_known && compared(at)) {
            let same = |known: usize| given[known].article.1 == given[new].article.1;
            if days.is_none() && (0..given.len()).any(|known| given[known].is_known && same(known)) {
                prop_assert!(removed.contains(&new), "{} is known", given[new].article.0);
            }
        }
        let other = detector.find(&shuffled)?;
        prop_assert_eq!(clusters(&other), clusters(&report));
    }
}

#[test]
fn what_only_date_or_source_tell_apart_stands_in_one_order() {
    let (ferry, snow) = (&ARTICLES[0].1, &ARTICLES[1].1);
    let texts = [ferry.clone(), format!("{ferry} They said so."), snow.clone(), snow.to_uppercase()];
    let mut articles = Vec::new();
    for text in &texts {
        for date in [None, Some("2024-05-17"), Some("2024-05-17T00:00:00Z"), Some("2024-06-01")] {
            for source in [None, Some("the Herald"), Some("the Post")] {
                let [date, source] = [date, source].map(|of| of.map(str::to_owned));
                articles.push(Dated { article: ("x".into(), text.clone()), is_known: false, date, source });
            }
        }
    }
    for policy in [Representative::Central, Representative::Longest, Representative::Earliest] {
        for (excerpts, memory) in [(Excerpts::Ignore, None), (Excerpts::Find, None), (Excerpts::Ignore, Some(2000))] {
            let builder = Detector::builder().level(Level::Near).representative(policy).excerpts(excerpts);
            let detector = memory.map_or(builder.clone(), |bytes| builder.memory(bytes)).build().unwrap();
            let mut told = Vec::new();
            for _ in 0..3 {
                articles.reverse();
                articles.rotate_left(7);
                let mut collector = detector.collector();
                collector.extend(articles.iter()).unwrap();
                let (report, _) = collector.find().unwrap();
                let of = |at: usize| {
                    let Dated { article, date, source, .. } = &articles[at];
                    (article.1.len(), date.clone(), source.clone())
                };
                let clusters: Vec<Vec<_>> =
                    report.clusters().iter().map(|cluster| cluster.positions().map(of).collect()).collect();
                let removals = report.removals().iter().map(|removal| (of(removal.position), of(removal.kept)));
                told.push((clusters, removals.collect::<BTreeSet<_>>()));
            }
            assert!(told[0].0.len() == 2 && told[0].1.len() > 20, "{told:?}");
            assert!(told.windows(2).all(|two| two[0] == two[1]), "{policy:?} {excerpts:?}: {told:#?}");
        }
    }
}

#[test]
fn articles_of_one_id_are_compared_like_all_others() {
    let (ferry, snow) = ("The ferry leaves the harbour at nine.", "Snow closed the mountain road to Hallin.");
    let report = Detector::new().find(&[("x", ferry), ("x", snow), ("x", ferry), ("y", ferry)]).unwrap();
    let places: Vec<_> = report.clusters()[0].positions().collect();
    assert_eq!((report.clusters().len(), report.skipped().len(), &places[..]), (1, 0, &[0, 2, 3][..]));
}

#[test]
fn a_crowd_of_near_copies_is_found_in_any_order() {
    // More texts than a bucket holds, each the same but for one word: not every pair is compared, so that a few may end up
    // alone. Which ones must not depend on the order.
    let common: Vec<String> = (0..60).map(|n| format!("boilerplate{n}")).collect();
    let filled = |n: usize| {
        let mut words = common.clone();
        words[n % 60] = format!("filling{n}");
        (format!("{n:03}"), words.join(" "))
    };
    let mut articles: Corpus = (0..300).map(filled).collect();
    let detector = detector(Level::Near);
    let report = POOLS[0].install(|| detector.find(&articles)).unwrap();
    assert!(report.summary().crowded > 0, "the corpus is not crowded");
    let found: usize = groups(&report).iter().map(Vec::len).sum();
    assert!(found * 100 >= articles.len() * 98, "{} of {} are alone", articles.len() - found, articles.len());
    for pool in &*POOLS {
        articles.reverse();
        articles.rotate_left(77);
        let other = pool.install(|| detector.find(&articles)).unwrap();
        assert_eq!(clusters(&other), clusters(&report));
    }
}

#[test]
fn huge_words_and_long_texts_are_articles_too() {
    let articles: Corpus = [
        "x".repeat(1 << 20),
        format!("a{}", "\u{323}\u{302}".repeat(50_000)),
        "a'".repeat(100_000),
        "_'\u{300}".repeat(50_000),
        "\0".repeat(1 << 20),
        "東".repeat(70_000),
        (0..70_000).map(|n| format!("w{n} ")).collect(),
    ]
    .into_iter()
    .enumerate()
    .flat_map(|(at, text)| {
        [(format!("{at} first"), format!("a b {text}")), (format!("{at} second"), format!("a b {text}"))]
    })
    .collect();
    let report = Detector::new().find(&articles).unwrap();
    // The mark without a letter and the NULs are no words.
    let reasons: Vec<_> = report.skipped().iter().map(|skip| skip.position).collect();
    assert_eq!(reasons, [6, 7, 8, 9]);
    assert_eq!(report.clusters().len(), 5);
}

#[test]
fn texts_shorter_than_a_shingle_are_not_compared() {
    // They have no shingles, so nothing is known of how alike they are; yet their signatures must not be equal.
    let articles: Corpus = (0..40).map(|n| (format!("{n:02}"), format!("a b {n}"))).collect();
    let detector = Detector::builder().level(Level::Near).shingle(Shingle::Chars(20)).build().unwrap();
    assert_eq!(detector.pairs(&articles).unwrap(), []);
    assert_eq!(detector.find(&articles).unwrap().summary().candidates, 0);
}

#[test]
fn texts_that_share_nothing_are_no_copies_however_low_the_threshold() {
    let articles = [("left", "the ferry leaves at nine"), ("right", "snow closed a mountain road")];
    // Bands of one row find nothing here, so the texts meet by having no shingles at all.
    for threshold in [f64::MIN_POSITIVE, 1e-50, 1e-3] {
        let detector = Detector::builder().level(Level::Near).threshold(threshold).shingle(Shingle::Words(1));
        assert_eq!(detector.build().unwrap().find(&articles).unwrap().clusters(), []);
        let detector = Detector::builder().level(Level::Near).threshold(threshold).shingle(Shingle::Chars(60));
        assert_eq!(detector.build().unwrap().find(&articles).unwrap().clusters(), []);
    }
}

#[test]
fn no_signature_is_made_by_a_scheme_that_could_not_be_read_again() {
    let scheme = |written: Value| serde_json::from_value::<Scheme>(written).unwrap();
    let bits = scheme(json!({ "method": "sim_hash", "view": { "shingles": { "words": 3 } }, "slots": 63 }));
    assert!(matches!(SimHasher::new(bits), Err(Error::OutOfRange { value: 63.0, .. })));
    let slots = scheme(json!({ "method": "min_hash", "view": "weighted", "slots": 63 }));
    assert!(matches!(MinHasher::new(slots), Err(Error::OutOfRange { value: 63.0, .. })));
    let words = scheme(json!({ "method": "sim_hash", "view": { "shingles": { "words": 0 } }, "slots": 64 }));
    assert!(matches!(SimHasher::new(words), Err(Error::OutOfRange { value: 0.0, .. })));
}

#[test]
fn schemes_that_differ_are_refused_after_reading_too() {
    let mut written = written_minhash();
    written["scheme"]["view"] = json!({ "shingles": { "words": 3 } });
    let other: MinHash = serde_json::from_value(written).unwrap();
    let one: MinHash = serde_json::from_value(written_minhash()).unwrap();
    assert!(matches!(one.similarity(&other), Err(Error::Scheme { .. })));
}
