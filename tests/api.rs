//! The public face: what users may rely on whatever the inside looks like.

#[allow(dead_code, reason = "other tests use more of it")]
#[path = "common/articles.rs"]
mod articles;

use std::borrow::Cow;
use std::fmt::{Debug, Display};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use articles::articles;
use retold::{
    Article, ArticleRef, Articles, Bands, Cluster, Collector, Comparison, ContentEvidence, Detector, DetectorBuilder,
    Error, Evidence, Excerpt, ExcerptKind, ExcerptPlace, Excerpts, Index, Level, Lookalike, Member, MinHash, MinHasher,
    NearMiss, Pair, Passage, PassageKind, Progress, Relation, Removal, Removals, Report, Representative, Rule, Scheme,
    Search, Shingle, ShingleSet, SimHash, SimHashIndex, SimHasher, SkipReason, Skipped, Stage, Summary, Weights, Word,
    Words,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

#[test]
fn every_public_type_can_go_to_and_be_shared_by_threads() {
    fn holds<T: Send + Sync>() {}
    macro_rules! hold {
        ($($type:ty),+ $(,)?) => {
            $(holds::<$type>();)+
        };
    }
    hold!(
        retold::Archive,
        retold::ArchiveFault,
        retold::ArchiveReader,
        retold::ArchiveStats,
        retold::Archived,
        retold::Match,
        ArticleRef,
        Articles<(String, String)>,
        Bands,
        Cluster,
        Collector<(String, String)>,
        Comparison,
        ContentEvidence,
        Detector,
        DetectorBuilder,
        Error,
        Evidence,
        Excerpt,
        ExcerptKind,
        ExcerptPlace,
        Excerpts,
        Index,
        Level,
        Lookalike,
        Member,
        MinHash,
        MinHasher,
        NearMiss,
        Pair,
        Passage,
        PassageKind,
        Progress,
        Relation,
        Removal,
        Report,
        Representative,
        Rule,
        Scheme,
        Search,
        Shingle,
        ShingleSet,
        SimHash,
        SimHashIndex,
        SimHasher,
        SkipReason,
        Skipped,
        Stage,
        Summary,
        Weights,
        Word<'static>,
        Words<'static>,
    );
}

/// An enum that is named alike in text and in its serialised form.
fn is_named<T>(variants: &[T])
where
    T: Display + FromStr<Err = Error> + Debug + PartialEq + Serialize + DeserializeOwned,
{
    for variant in variants {
        let name = variant.to_string();
        assert_eq!(&name.parse::<T>().unwrap(), variant);
        assert_eq!(serde_json::to_value(variant).unwrap(), name);
        assert_eq!(&serde_json::from_value::<T>(name.clone().into()).unwrap(), variant);
        assert_eq!(format!("{variant:>12}"), format!("{name:>12}"), "names can be aligned");
        assert!(name.to_uppercase().parse::<T>().is_err());
    }
}

#[test]
fn enums_have_one_name_each() {
    is_named(&[Level::Near, Level::Reworded]);
    is_named(&[Search::Candidates, Search::Exhaustive]);
    is_named(&[Excerpts::Ignore, Excerpts::Find, Excerpts::FindAll]);
    is_named(&[Representative::Central, Representative::Longest, Representative::First, Representative::Earliest]);
    is_named(&[Relation::Exact, Relation::Near, Relation::Reworded]);
    is_named(&[ExcerptKind::Verbatim]);
    is_named(&[PassageKind::Same, PassageKind::Reworded]);
    is_named(Stage::ALL);
    let refused = "loose".parse::<Level>().unwrap_err();
    assert_eq!(refused.to_string(), r#"unknown level "loose": use one of near, reworded"#);
}

#[test]
fn shingles_are_read_as_they_are_written() {
    for shingle in [Shingle::Words(1), Shingle::Words(32), Shingle::Chars(64)] {
        assert_eq!(shingle.to_string().parse::<Shingle>().unwrap(), shingle);
    }
    for refused in ["3-word", "0-word shingles", "65-character shingles", "word shingles", "3-line shingles", ""] {
        assert!(refused.parse::<Shingle>().is_err(), "{refused:?}");
    }
}

/// The same after it was written and read, as JSON and by name of all fields.
fn reads_back<T: Serialize + DeserializeOwned>(written: &T) -> T {
    let json = serde_json::to_string(written).unwrap();
    let read: T = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), json);
    read
}

#[test]
fn a_report_reads_back_as_it_was_written() {
    let mut articles = articles("seeds");
    articles.extend(articles.clone());
    articles.push(("short".into(), "Too short".into()));
    let detector = Detector::builder().near_misses(0.01).excerpts(Excerpts::FindAll).build().unwrap();
    let report = detector.find(&articles).unwrap();
    assert!(!report.clusters().is_empty() && !report.removals().is_empty() && !report.skipped().is_empty());
    assert_eq!(reads_back(&report), report);
    for pair in detector.pairs(&articles).unwrap() {
        assert_eq!(reads_back(&pair), pair);
    }
    let comparison = detector.compare_texts(&articles[0].1, &articles[1].1).unwrap();
    assert_eq!(reads_back(&comparison), comparison);
    for lookalike in [Lookalike::Block, Lookalike::Template, Lookalike::FollowUp, Lookalike::SameEvent] {
        assert_eq!(reads_back(&lookalike), lookalike);
    }

    let mut alone = serde_json::to_value(&report.clusters()[0]).unwrap();
    alone["members"] = serde_json::json!([]);
    let refused = serde_json::from_value::<Cluster>(alone).unwrap_err();
    assert!(refused.to_string().contains("at least one member"), "{refused}");
}

#[test]
fn options_read_back_as_they_were_written() {
    let builder = Detector::builder()
        .level(Level::Near)
        .search(Search::Exhaustive)
        .threshold(0.7)
        .containment(0.9)
        .shingle(Shingle::Chars(9))
        .slots(64)
        .confidence(0.6)
        .prior(0.1)
        .removal_confidence(0.95)
        .min_words(7)
        .representative(Representative::Earliest)
        .within(Duration::from_secs(60))
        .near_misses(0.3)
        .excerpts(Excerpts::Find)
        .removals(Removals::Ignore)
        .memory(1 << 30)
        .spill_folder("somewhere");
    let json = serde_json::to_value(&builder).unwrap();
    let default = serde_json::to_value(DetectorBuilder::default()).unwrap();
    for (option, value) in json.as_object().unwrap() {
        assert!(option == "rule" || value != &default[option], "{option} is tried with its default alone");
    }
    assert_eq!(serde_json::to_value(reads_back(&builder)).unwrap(), json);
    assert!(serde_json::from_value::<DetectorBuilder>(serde_json::json!({})).is_ok());
    let bands = Bands::new(25, 5).unwrap();
    assert_eq!(reads_back(&bands), bands);
    assert!(serde_json::from_str::<Bands>(r#"{"bands": 0, "rows": 4}"#).is_err());
}

#[test]
fn pointers_to_articles_and_pairs_of_any_strings_are_articles() {
    fn text(article: impl Article) -> (String, String) {
        (article.id().into(), article.text().into())
    }
    let pair = || ("id".to_string(), "text".to_string());
    let shared: Arc<dyn Article + Send> = Arc::new(pair());
    let given = pair();
    let boxed: Box<dyn Article> = Box::new(pair());
    let (name, body): (Arc<str>, Box<str>) = ("id".into(), "text".into());
    for found in [
        text(pair()),
        text(&given),
        text(boxed),
        text(Arc::new(pair())),
        text(shared),
        text((name, body)),
        text((Cow::Borrowed("id"), "text")),
    ] {
        assert_eq!(found, pair());
    }
}

#[test]
fn rules_of_which_no_confidence_comes_are_refused() {
    let refused = |change: fn(&mut Rule)| {
        let mut rule = Rule::default();
        change(&mut rule);
        Detector::builder().rule(rule).build().unwrap_err().to_string()
    };
    assert_eq!(refused(|rule| rule.line = f32::NAN), "rule.line = NaN is out of range: give -1e30 to 1e30");
    assert!(refused(|rule| rule.leniency = f32::INFINITY).starts_with("rule.leniency = inf "));
    assert!(refused(|rule| rule.retelling.values[11] = f32::NAN).starts_with("rule.retelling.values = NaN "));
    assert!(refused(|rule| rule.retelling.constant = f32::NAN).starts_with("rule.retelling.constant = NaN "));
    assert!(refused(|rule| rule.revision.values[0] = f32::NEG_INFINITY).starts_with("rule.revision.values = -inf "));
    assert!(refused(|rule| rule.revision.constant = f32::MAX).starts_with("rule.revision.constant = 34028"));
    assert!(refused(|rule| rule.shortening.values[1] = f32::NAN).starts_with("rule.shortening.values = NaN "));
    assert!(refused(|rule| rule.shortening.constant = f32::MIN).starts_with("rule.shortening.constant = -34028"));
}

#[test]
fn shares_that_are_kept_as_nothing_are_refused() {
    let tiny = [
        Detector::builder().containment(1e-300),
        Detector::builder().confidence(1e-300),
        Detector::builder().removal_confidence(1e-300),
        Detector::builder().near_misses(1e-300),
    ];
    assert!(tiny.into_iter().all(|builder| builder.build().is_err()));
}

#[test]
fn bytes_that_are_no_signature_are_refused_and_say_why() {
    let scheme = Scheme::minhash(Shingle::Words(1)).slots(16);
    let bytes = MinHasher::new(scheme).unwrap().sign("one two three").unwrap().to_bytes();
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        MinHash::from_bytes(&bytes).unwrap_err().to_string()
    };
    assert_eq!(with(0, b'x'), "not a valid signature: it does not begin with `rtld`; sign the text again");
    assert!(with(4, 1).starts_with("the signature has format version 1, this release reads version "));
    assert!(with(5, 2).starts_with("signatures of different schemes do not compare"));
    assert!(with(5, 9).contains("its method is unknown"));
    assert!(with(6, 0).contains("its elements are unknown"));
    assert!(with(7, 77).starts_with("words in a shingle = 77 is out of range"));
    assert!(with(8, 32).contains("its number of slots is not that of its scheme"));
    assert!(with(9, 255).starts_with("slots = "));
    assert!(with(11, 1).contains("its header does not end with two zeros"));
    for end in 0..bytes.len() {
        let refused = MinHash::from_bytes(&bytes[..end]).unwrap_err();
        assert!(matches!(refused, Error::Corrupt { .. }), "{end}: {refused}");
    }
    assert!(MinHash::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    assert!(matches!(SimHash::from_bytes(&bytes), Err(Error::Scheme { .. })));
}
