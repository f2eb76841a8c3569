//! Seven languages in four scripts. For each, `tests/texts` has an original, a rewording of it, a report on a related
//! event, and a text on something else; only the first two are copies.

#[path = "common/articles.rs"]
mod articles;

use std::collections::BTreeMap;

use articles::{articles, groups};
use retold::{Detector, Relation, shared_passages};

fn by_language() -> BTreeMap<String, Vec<(String, String)>> {
    let mut languages: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for article in articles("tests/texts") {
        languages.entry(article.0[..2].to_string()).or_default().push(article);
    }
    languages
}

fn copies(language: &str) -> [String; 2] {
    ["original", "reworded"].map(|role| format!("{language}-{role}"))
}

#[test]
fn there_are_four_texts_in_each_of_seven_languages() {
    let languages = by_language();
    assert_eq!(languages.keys().collect::<Vec<_>>(), ["ar", "de", "en", "es", "ru", "vi", "zh"]);
    assert!(languages.values().all(|texts| texts.len() == 4));
}

#[test]
fn rewordings_are_found_in_a_corpus_of_all_languages() {
    let report = Detector::new().find(&articles("tests/texts")).unwrap();
    let right: Vec<_> = by_language().into_keys().map(|language| copies(&language)).collect();
    assert_eq!(groups(&report), right);
    let members = report.clusters().iter().flat_map(|cluster| &cluster.members()[1..]);
    assert!(members.into_iter().all(|member| member.relation == Relation::Reworded), "a rewording is no edited copy");
}

#[test]
fn rewordings_are_found_in_each_language_alone() {
    // Four texts have no document frequencies to speak of, and the prior that comes with the crate is of English.
    let mut wrong = Vec::new();
    for (language, texts) in by_language() {
        let report = Detector::new().find(&texts).unwrap();
        if groups(&report) != [copies(&language)] {
            wrong.push(format!("{language}: {:?}", groups(&report)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_rewording_tells_more_alike_than_anything_else() {
    for (language, texts) in by_language() {
        let text = |role: &str| &texts.iter().find(|text| text.0 == format!("{language}-{role}")).unwrap().1;
        let told = |role: &str| -> usize {
            shared_passages(text("original"), text(role)).iter().map(|passage| passage.left.len()).sum()
        };
        assert!(told("reworded") * 4 > text("original").len(), "{language}: {}", told("reworded"));
        assert!(told("reworded") > 2 * told("related").max(told("other")), "{language}: {}", told("related"));
    }
}
