//! Crowds: many rewordings of one text.

#[path = "../benches/corpus/mod.rs"]
mod corpus;

use retold::Detector;

/// The largest share of so many rewordings of one text that stand in one cluster, among other articles.
fn together(count: usize, with_source: bool, others: usize, seed: u64) -> f64 {
    let (source, reworded) = corpus::rewordings(7, count, seed);
    let mut articles = corpus::Corpus::new(others, 0.0, seed + 1).articles;
    let own = reworded.into_iter().chain(with_source.then_some(source));
    articles.extend(own.enumerate().map(|(at, text)| (format!("crowd {:x}", (at as u64 ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15)), text)));
    let report = Detector::new().find(&articles).unwrap();
    let of = |cluster: &retold::Cluster| cluster.members().iter().filter(|member| member.id.starts_with("crowd")).count();
    report.clusters().iter().map(of).max().unwrap_or(0) as f64 / (articles.len() - others) as f64
}

#[test]
fn any_number_of_rewordings_of_one_text_stand_together() {
    for others in [0, 2000] {
        for with_source in [true, false] {
            for (count, least) in [(2, 0.95), (5, 0.95), (20, 0.95), (22, 0.95), (40, 0.95), (60, 0.95), (100, 0.9), (200, 0.85)] {
                let shares: Vec<f64> = (1..4).map(|seed| together(count, with_source, others, seed)).collect();
                println!("{others} {with_source} {count} {least} {shares:.2?}");
            }
        }
    }
}
