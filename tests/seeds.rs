//! The sample articles in `seeds/`: a reworded pair, a pair about a school hall, and others on the same themes.

#[path = "common/articles.rs"]
mod articles;

use articles::{articles, groups};
use retold::Detector;

/// The pairs that are copies, by the number in front of the file name.
const COPIES: [[&str; 2]; 2] = [["000", "001"], ["004", "006"]];

fn numbered() -> Vec<(String, String)> {
    articles("seeds").into_iter().map(|(name, text)| (name[..3].to_string(), text)).collect()
}

#[test]
fn the_two_pairs_of_copies_are_found_and_nothing_else() {
    let report = Detector::new().find(&numbered()).unwrap();
    assert_eq!(groups(&report), COPIES);
    assert_eq!(report.skipped(), []);
}

#[test]
fn the_company_of_other_articles_changes_nothing() {
    // A small corpus has hardly any document frequencies of its own, so every article that comes or goes moves the
    // weights of all words. Whatever else stands beside 001, the answer is the same.
    let (original, others): (Vec<_>, Vec<_>) = numbered().into_iter().partition(|(id, _)| id == "001");
    let mut wrong = Vec::new();
    for choice in 1u32..1 << others.len() {
        let chosen = others.iter().enumerate().filter(|(at, _)| choice >> at & 1 == 1).map(|(_, article)| article);
        let corpus: Vec<_> = original.iter().chain(chosen).cloned().collect();
        let given = |id: &str| corpus.iter().any(|(other, _)| other == id);
        let right: Vec<_> = COPIES.into_iter().filter(|pair| pair.iter().all(|id| given(id))).collect();
        let report = Detector::new().find(&corpus).unwrap();
        if groups(&report) != right {
            let ids: Vec<_> = corpus.iter().map(|(id, _)| id.as_str()).collect();
            wrong.push(format!("{ids:?} gave {:?}", groups(&report)));
        }
    }
    assert!(wrong.is_empty(), "{} of 63 subsets:\n{}", wrong.len(), wrong.join("\n"));
}
