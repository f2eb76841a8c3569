//! Crowds: any number of rewordings of one text stand in one cluster.

#[allow(dead_code, reason = "the benchmarks use more of it")]
#[path = "../benches/corpus/mod.rs"]
mod corpus;
#[path = "common/random.rs"]
mod random;

use random::mixed;
use retold::{Cluster, Detector};

/// Whether the text that was reworded is there as well.
#[derive(Clone, Copy, Debug)]
enum Source {
    There,
    Lost,
}

/// The largest share of so many rewordings of one text that stand in one cluster, among other articles.
fn together(source: Source, count: usize, others: usize) -> f64 {
    let seed = 1;
    let (text, reworded) = corpus::rewordings(7, count, seed);
    let source = matches!(source, Source::There).then_some(text);
    let mut articles = corpus::Corpus::new(others, 0.0, seed + 1).articles;
    // Ids in no order.
    let id = |at: u64| format!("crowd {:016x}", (at ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    articles.extend(reworded.into_iter().chain(source).zip(0..).map(|(text, at)| (id(at), text)));
    let report = Detector::new().find(&articles).unwrap();
    let of_crowd = |cluster: &Cluster| cluster.ids().filter(|id| id.starts_with("crowd")).count();
    report.clusters().iter().map(of_crowd).max().unwrap_or(0) as f64 / (articles.len() - others) as f64
}

#[test]
fn any_number_of_rewordings_of_one_text_stand_together() {
    let of_source = [(2, 0.95), (5, 0.95), (22, 0.95), (40, 0.95), (60, 0.95), (100, 0.9), (200, 0.85)];
    for (count, least) in of_source {
        for others in [0, 300] {
            let share = together(Source::There, count, others);
            assert!(share >= least, "{share:.2} of {count} among {others} others");
        }
    }
}

#[test]
fn they_stand_together_without_that_text_as_well() {
    // Two of them have half of the content words each that the text had: of a few, not all are told to be copies.
    for (count, least) in [(40, 0.95), (60, 0.95), (100, 0.9)] {
        for others in [0, 300] {
            let share = together(Source::Lost, count, others);
            assert!(share >= least, "{share:.2} of {count} among {others} others");
        }
    }
}

/// A word of its own for each number.
fn word(number: u64) -> String {
    const SYLLABLES: [&str; 16] =
        ["ba", "do", "fe", "gu", "hi", "ka", "lo", "me", "nu", "pi", "ra", "so", "te", "vu", "wi", "za"];
    let hash = mixed(number);
    (0..4).map(|at| SYLLABLES[(hash >> (8 * at) & 15) as usize]).collect()
}

/// The same, as a name.
fn name(number: u64) -> String {
    let word = word(number);
    format!("{}{}", word[..1].to_uppercase(), &word[1..])
}

/// A story as one outlet tells it, that has each of its sentences in one of five wordings: a name and most of the words, in another order.
fn told_by(outlet: u64) -> String {
    let wording = |sentence: u64, wording: u64| {
        let own = |at: u64| if at % 3 == wording % 3 { 7_000 + wording * 100 + at } else { at };
        let mut words: Vec<u64> = (0..12).map(|at| sentence * 1_000 + own(at)).collect();
        words.sort_by_key(|&word| mixed(word ^ wording << 40));
        let mut words: Vec<String> = words.into_iter().map(word).collect();
        words.insert(3 + wording as usize, name(90_000 + sentence));
        words.join(" ") + "."
    };
    let chosen = |sentence: u64| mixed(outlet << 8 | sentence) % 5;
    (0..10).map(|sentence| wording(sentence, chosen(sentence))).collect::<Vec<_>>().join(" ")
}

#[test]
fn outlets_that_share_sentences_with_ever_others_stand_together() {
    // Each sentence stands in a fifth of all texts, of which no two need have any in common: as footers do.
    // Of middling crowds parts of some texts pass for furniture.
    for (count, least) in [(12, 0.95), (20, 0.9), (60, 0.95)] {
        let largest = largest_of((0..count).map(told_by));
        assert!(largest as f64 >= least * count as f64, "{largest} of {count}");
    }
}

/// How many of these texts stand in the largest cluster.
fn largest_of(texts: impl Iterator<Item = String>) -> usize {
    let articles: Vec<_> = texts.enumerate().map(|(at, text)| (at.to_string(), text)).collect();
    let report = Detector::new().find(&articles).unwrap();
    report.clusters().iter().map(|cluster| cluster.ids().count()).max().unwrap_or(0)
}

/// A story as one outlet tells it without one or two of its sentences, the others in one of four wordings: half of the words and all of the
/// names and numbers, in another order.
fn shortened_by(outlet: u64) -> String {
    let wording = |sentence: u64, wording: u64| {
        let own = |at: u64| if at % 2 == wording % 2 { 7_000 + wording * 100 + at } else { at };
        let mut words: Vec<u64> = (0..12).map(|at| sentence * 1_000 + own(at)).collect();
        words.sort_by_key(|&word| mixed(word ^ wording << 40));
        let mut words: Vec<String> = words.into_iter().map(word).collect();
        words[3 + wording as usize] += &format!(" {}", name(90_000 + sentence));
        words[9] += &format!(" {}", 140 + 17 * sentence);
        words.join(" ") + "."
    };
    let left_out = [200, 201].map(|choice| mixed(outlet << 8 | choice) % 10);
    let told = (0..10).filter(|sentence| !left_out.contains(sentence));
    told.map(|sentence| wording(sentence, mixed(outlet << 8 | sentence) % 4)).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_middling_crowd_with_the_same_names_and_numbers_stands_together() {
    for count in [5, 8, 10, 12, 15, 18, 20, 25] {
        let largest = largest_of((0..count).map(shortened_by));
        assert!(largest as f64 >= 0.95 * count as f64, "{largest} of {count}");
    }
}
