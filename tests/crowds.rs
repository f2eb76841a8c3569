//! Crowds: any number of rewordings of one text stand in one cluster.

#[allow(dead_code, reason = "the benchmarks use more of it")]
#[path = "../benches/corpus/mod.rs"]
mod corpus;

use retold::{Cluster, Detector};

/// The largest share of so many rewordings of one text, and the text itself, that stand in one cluster, among other articles.
fn together(count: usize, others: usize, seed: u64) -> f64 {
    let (source, reworded) = corpus::rewordings(7, count, seed);
    let mut articles = corpus::Corpus::new(others, 0.0, seed + 1).articles;
    // Ids in no order.
    let id = |at: u64| format!("crowd {:016x}", (at ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    articles.extend(reworded.into_iter().chain([source]).zip(0..).map(|(text, at)| (id(at), text)));
    let report = Detector::new().find(&articles).unwrap();
    let of_crowd = |cluster: &Cluster| cluster.ids().filter(|id| id.starts_with("crowd")).count();
    report.clusters().iter().map(of_crowd).max().unwrap_or(0) as f64 / (articles.len() - others) as f64
}

#[test]
fn any_number_of_rewordings_of_one_text_stand_together() {
    for (count, least) in [(2, 0.95), (5, 0.95), (22, 0.95), (40, 0.95), (60, 0.95), (100, 0.9)] {
        for others in [0, 300] {
            let share = together(count, others, 1);
            assert!(share >= least, "{share:.2} of {count} among {others} others");
        }
    }
}
