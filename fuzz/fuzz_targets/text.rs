//! A handful of articles: the same clusters in any order and on any threads, and passages that hold for their pairs.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rayon::{ThreadPool, ThreadPoolBuilder};
use retold::{
    Detector, DetectorBuilder, Evidence, Level, Member, Relation, Report, Representative, Search, Shingle, SkipReason,
};
use retold_fuzz::{checked_passages, texts};

static POOLS: LazyLock<[ThreadPool; 2]> =
    LazyLock::new(|| [1, 2].map(|threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap()));

fn detector(options: u8) -> DetectorBuilder {
    let bit = |at: u8| options >> at & 1 == 1;
    let builder = Detector::builder()
        .level(if bit(0) { Level::Near } else { Level::Reworded })
        .search(if bit(1) { Search::Exhaustive } else { Search::Candidates })
        .shingle(
            [Shingle::Words(3), Shingle::Words(1), Shingle::Words(32), Shingle::Chars(4)]
                [usize::from(options >> 2 & 3)],
        )
        .threshold(if bit(4) { 0.01 } else { 0.5 })
        .confidence(if bit(5) { 0.01 } else { 0.5 })
        .representative(if bit(6) { Representative::Longest } else { Representative::Central });
    let builder = if bit(7) { builder.near_misses(0.01).min_words(1).slots(16) } else { builder };
    builder
}

type Found = (String, Relation, f32, Option<Evidence>);

/// What does not depend on the order of the articles.
fn told(report: &Report) -> (Vec<(String, Vec<Found>, Option<String>)>, BTreeMap<String, SkipReason>) {
    let found = |member: &Member| (member.id.clone(), member.relation, member.similarity, member.evidence);
    let cluster = |cluster: &retold::Cluster| {
        let members = cluster.members().iter().map(found).collect();
        (cluster.representative().id.clone(), members, cluster.near_miss().map(|miss| miss.id.clone()))
    };
    let skipped = report.skipped().iter().map(|skip| (skip.id.clone(), skip.reason));
    (report.clusters().iter().map(cluster).collect(), skipped.collect())
}

fuzz_target!(|input: &[u8]| {
    let Some((&options, input)) = input.split_first() else { return };
    let builder = detector(options);
    let detector = builder.clone().build().unwrap();
    let mut articles: Vec<(String, String)> =
        texts(input, 1 << 16).into_iter().take(40).enumerate().map(|(at, text)| (format!("{at:02}"), text)).collect();
    let report = POOLS[0].install(|| detector.find(&articles)).unwrap();
    // Hardly any memory, and in batches.
    let mut collector = builder.memory(u64::from(options) * 100).build().unwrap().collector();
    articles.chunks(7).for_each(|batch| collector.extend(batch.to_vec()).unwrap());
    let (collected, kept) = POOLS[0].install(|| collector.find()).unwrap();
    assert_eq!((collected.clusters(), collected.skipped()), (report.clusters(), report.skipped()));
    assert!(articles.iter().enumerate().all(|(at, (id, text))| kept.id(at) == id && *kept.text(at).unwrap() == **text));
    let mut places: Vec<usize> = report.skipped().iter().map(|skip| skip.position).collect();
    for cluster in report.clusters() {
        let representative = cluster.representative();
        places.push(representative.position);
        for member in cluster.members() {
            assert!((0.0..=1.0).contains(&member.similarity), "{member:?}");
            assert_eq!(articles[member.position].0, member.id);
            places.push(member.position);
        }
        let member = &cluster.members()[0];
        checked_passages(&articles[representative.position].1, &articles[member.position].1);
    }
    places.sort_unstable();
    assert!(places.windows(2).all(|two| two[0] < two[1]), "an article is in two places: {places:?}");
    articles.reverse();
    let reversed = POOLS[1].install(|| detector.find(&articles)).unwrap();
    assert_eq!(told(&reversed), told(&report));
});
