//! The sample articles in `seeds/`: a reworded pair, a pair about a school hall, and others on the same themes.

#[path = "common/articles.rs"]
mod articles;
#[allow(dead_code, reason = "the benchmarks use more of it")]
#[path = "../benches/corpus/mod.rs"]
mod corpus;

use articles::{articles, groups};
use retold::{Detector, shared_passages};

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

#[test]
fn news_around_them_changes_nothing() {
    // The more news there is, the rarer seem the names that the three articles on the ferry share.
    for others in [30, 300, 3000] {
        let mut articles = corpus::Corpus::new(others, 0.0, 1).articles;
        articles.extend(numbered().into_iter().map(|(id, text)| (format!("seed {id}"), text)));
        let report = Detector::new().find(&articles).unwrap();
        let found: Vec<Vec<&str>> =
            groups(&report).into_iter().filter(|group| group.iter().any(|id| id.starts_with("seed"))).collect();
        assert_eq!(found, COPIES.map(|pair| pair.map(|id| format!("seed {id}"))), "among {others}");
    }
}

#[test]
fn whoever_prints_the_original_in_a_longer_text_does_not_hide_a_rewording() {
    let news: Vec<(String, String)> = corpus::Corpus::new(1000, 0.0, 1).articles;
    let words: Vec<&str> = news[200..].iter().flat_map(|(_, text)| text.split_whitespace()).collect();
    let seeds = numbered();
    for (original, rewording) in [(&seeds[0], &seeds[1]), (&seeds[1], &seeds[0])] {
        let len = original.1.split_whitespace().count();
        // A text that is printed once by one two to three times as long is led by that, as its fuller copy.
        for (times, hosts) in [(2, 3), (3, 12), (5, 1), (5, 3), (5, 12), (5, 60), (20, 1), (20, 12)] {
            let host = |number: usize| {
                let around = words.iter().skip(number * (times - 1) * len).take((times - 1) * len);
                let around: Vec<&str> = around.copied().collect();
                let (before, after) = around.split_at(around.len() / 2);
                (format!("host {number}"), [before, &[&original.1], after].concat().join(" "))
            };
            let others = news[..200].iter().cloned().chain((0..hosts).map(host));
            let articles: Vec<(String, String)> =
                [original.clone(), rewording.clone()].into_iter().chain(others).collect();
            let report = Detector::new().find(&articles).unwrap();
            let groups = groups(&report);
            let of = |id: &String| groups.iter().position(|group| group.contains(&id.as_str()));
            assert!(
                of(&original.0).is_some() && of(&original.0) == of(&rewording.0),
                "{} in {hosts} texts {times} times as long: {groups:?}",
                original.0
            );
        }
    }
}

#[test]
fn reprints_make_no_rewording_likelier() {
    let news: Vec<(String, String)> = corpus::Corpus::new(1600, 0.0, 2).articles;
    let (plain, around) = news.split_at(800);
    let host = |(at, (id, text)): (usize, &(String, String))| {
        let around = around[4 * at..][..4].iter().map(|(_, text)| text.as_str());
        (format!("host of {id}"), around.chain([text.as_str()]).collect::<Vec<_>>().join(" "))
    };
    let prior = |articles: &[(String, String)]| Detector::new().find(articles).unwrap().summary().prior.unwrap();
    let reprinted: Vec<_> = plain.iter().cloned().chain(plain[..200].iter().enumerate().map(host)).collect();
    let (without, with) = (prior(plain), prior(&reprinted));
    assert!((with - without).abs() < 0.02, "{without} without reprints, {with} with 200 of them");
}

#[test]
fn the_passages_of_the_reworded_pair_tell_the_same() {
    let articles = numbered();
    let (left, right) = (&articles[0].1, &articles[1].1);
    let passages = shared_passages(left, right);
    // What stands in both sentences of a passage, chosen by reading the two articles.
    let told = [
        ("approved by 31 to 24", "taken shortly before midnight"),
        ("mayor Isolde Farrant", "the mayor, Isolde Farrant"),
        ("£6.1 million discrepancy", "a gap of £6.1 million"),
        ("a £15 million guarantee", "a £15 million guarantee"),
        ("chairman of Norvane", "Norvane’s chairman"),
        ("narrowly beaten in May", "lost the contest in May"),
        ("disposed of the Lady Maren", "sold the smallest of them, the Lady Maren"),
        ("approximately 4,800 residents", "where 4,800 people"),
        ("Agnes Dunmore", "Agnes Dunmore"),
        ("Hotel proprietor Petra Sorley", "Petra Sorley, who keeps a hotel"),
        ("secretary of the Seafarers’ Guild", "Its secretary, Maeve Tolland"),
        ("deputy mayor Tobias Wrenfield", "Deputy mayor Tobias Wrenfield"),
        ("Commissioner Dorian Wexley", "Harbour commissioner Dorian Wexley"),
        ("Retired judge Honor Pelham", "the retired judge Honor Pelham"),
    ];
    for (ours, theirs) in told {
        let tells = |passage: &&retold::Passage| {
            left[passage.left.clone()].contains(ours) && right[passage.right.clone()].contains(theirs)
        };
        assert!(passages.iter().any(|passage| tells(&passage)), "{ours} / {theirs}");
    }
}
