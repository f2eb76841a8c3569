//! Crowds: any number of rewordings of one text stand in one cluster.

#[allow(dead_code, reason = "the benchmarks use more of it")]
#[path = "../benches/corpus/mod.rs"]
mod corpus;

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
