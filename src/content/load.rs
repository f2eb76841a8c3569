//! The law: features as full as they are among 10⁹ articles lose no copy.

use std::cell::Cell;
use std::collections::BTreeSet;

use super::{FEATURE_BITS, collect, pair};
use crate::Detector;

#[allow(dead_code, unreachable_pub, reason = "it is made for the benchmarks")]
#[path = "../../benches/corpus/mod.rs"]
mod corpus;

thread_local! {
    /// How many bits of a pair count on this thread.
    static PAIR_BITS: Cell<u32> = const { Cell::new(FEATURE_BITS) };
}

/// A pair of stems without the bits that do not count.
pub(super) fn narrowed(pair: u64) -> u64 {
    let lost = FEATURE_BITS - PAIR_BITS.get();
    pair >> lost << lost
}

/// The pairs of articles that are copies, if so many bits of a pair of stems count.
fn copies(articles: &[(String, String)], bits: u32) -> BTreeSet<(usize, usize)> {
    let threads = rayon::ThreadPoolBuilder::new().start_handler(move |_| PAIR_BITS.set(bits)).build().unwrap();
    let pairs = threads.install(|| Detector::new().pairs(articles)).unwrap();
    pairs.iter().filter(|pair| pair.relation.is_some()).map(|pair| (pair.left, pair.right)).collect()
}

/// Finds copies with features as full as they are among 10⁹ articles: with all their bits, and if they had 32.
fn hold_at_the_load_of_a_billion_articles(articles: &[(String, String)]) {
    /// Distinct pairs of stems in so many articles.
    const PAIRS: f64 = 4e9;
    let (mut pairs, mut tokens) = (BTreeSet::new(), Vec::new());
    for (_, text) in articles {
        tokens.clear();
        collect(text, &mut tokens);
        pairs.extend(tokens.windows(2).map(|two| pair(two[0].stem(), two[1].stem())));
    }
    // The fewer there are the fewer bits they have.
    let bits_for = |bits: u32| bits - (PAIRS / pairs.len() as f64).log2().ceil() as u32;
    let all = copies(articles, FEATURE_BITS);
    let lost = |bits: u32| {
        let found = copies(articles, bits_for(bits));
        let lost = all.difference(&found).count();
        eprintln!("{bits} bits, here {}: {lost} of {} pairs are lost", bits_for(bits), all.len());
        lost
    };
    assert_eq!(lost(FEATURE_BITS), 0);
    assert!(lost(u32::BITS) > 0, "nothing would be lost in any case");
}

#[test]
#[ignore = "long; part of .ci/full"]
fn no_copy_is_lost_at_the_load_of_a_billion_articles() {
    hold_at_the_load_of_a_billion_articles(&corpus::Corpus::new(3000, 0.5, 11).articles);
}

#[test]
#[ignore = "takes a corpus; part of .ci/full"]
fn no_copy_of_a_corpus_is_lost_at_that_load() {
    let path = std::env::var("RETOLD_POOL").expect("RETOLD_POOL names JSON Lines with id and text");
    let article = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let field = |name: &str| line[name].as_str().unwrap_or_default().to_string();
        (field("id"), field("text"))
    };
    let articles: Vec<_> = std::fs::read_to_string(path).unwrap().lines().map(article).collect();
    hold_at_the_load_of_a_billion_articles(&articles);
}
