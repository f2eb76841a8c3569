//! What a person needs to trust a cluster: who represents it, the weakest link, and what was nearly let in.

#[path = "common/articles.rs"]
mod articles;

use articles::{articles, groups};
use proptest::prelude::*;
use retold::{Article, Detector, DetectorBuilder, Level, NearMiss, Pair, Relation, Representative, Search};

const FERRY: &str = "The ferry leaves the harbour at nine on every weekday morning and returns by noon";

#[derive(Clone)]
struct Dated {
    id: &'static str,
    text: String,
    date: Option<&'static str>,
}

impl Article for Dated {
    fn id(&self) -> &str {
        self.id
    }

    fn text(&self) -> &str {
        &self.text
    }

    fn date(&self) -> Option<&str> {
        self.date
    }
}

/// Five copies of one article: two exact ones, and three that are edited.
fn copies() -> Vec<Dated> {
    let article = |id, text: String, date| Dated { id, text, date };
    vec![
        article("d", format!("{FERRY}."), Some("2024-05-17T09:00+02:00")),
        article("b", format!("{FERRY} unless it storms."), Some("2024-05-17")),
        article("a", format!("{FERRY}!"), Some("2024-05-17T06:59:59Z")),
        article("e", format!("{FERRY}, they say."), Some("yesterday")),
        article("c", format!("Perhaps {FERRY}."), None),
    ]
}

fn represent(policy: Representative, articles: &[Dated]) -> Vec<String> {
    let detector = Detector::builder().representative(policy).build().unwrap();
    let report = detector.find(articles).unwrap();
    report.clusters().iter().map(|cluster| cluster.representative().id.clone()).collect()
}

#[test]
fn the_policy_says_who_represents() {
    let articles = copies();
    assert_eq!(
        represent(Representative::Central, &articles),
        ["a"],
        "the two with the same words are most like the rest"
    );
    assert_eq!(represent(Representative::Longest, &articles), ["b"]);
    assert_eq!(represent(Representative::First, &articles), ["d"]);
    assert_eq!(represent(Representative::Earliest, &articles), ["b"], "midnight in UTC");
    assert_eq!(represent(Representative::Earliest, &articles[3..]), ["c"], "no date is as good as one that is none");
}

#[test]
fn the_policy_says_who_speaks_for_exact_copies() {
    let (d, a) = (copies()[0].clone(), copies()[2].clone());
    let z = Dated { id: "z", date: Some("1999"), ..a.clone() };
    let same = [d, a, z];
    assert_eq!(represent(Representative::Central, &same), ["a"]);
    assert_eq!(represent(Representative::Longest, &same), ["a"]);
    assert_eq!(represent(Representative::First, &same), ["d"]);
    assert_eq!(represent(Representative::Earliest, &same), ["z"]);
    assert_eq!(represent(Representative::Earliest, &same[..2]), ["a"], "one second before");
}

#[test]
fn the_weakest_link_is_the_loosest() {
    let report = Detector::new().find(&articles("seeds")).unwrap();
    let weakest: Vec<_> = report.clusters().iter().map(|cluster| cluster.weakest().relation).collect();
    assert_eq!(weakest, [Relation::Reworded, Relation::Near]);
    let cluster = &Detector::new().find(&copies()).unwrap().clusters()[0].clone();
    let least = cluster.members().iter().map(|member| member.similarity).fold(1.0, f32::min);
    assert_eq!((cluster.weakest().relation, cluster.weakest().similarity), (Relation::Near, least));
}

#[test]
fn the_other_reference_articles_are_near_misses_of_nothing() {
    let detector = Detector::builder().near_misses(0.3).build().unwrap();
    let report = detector.find(&articles("seeds")).unwrap();
    assert_eq!(groups(&report).len(), 2);
    assert!(report.clusters().iter().all(|cluster| cluster.near_miss().is_none()));
    let refused = Detector::builder().near_misses(0.0).build().unwrap_err();
    assert_eq!(refused.to_string(), "near misses = 0 is out of range: give more than 0, at most 1");
}

fn with(level: Level, search: Search) -> DetectorBuilder {
    Detector::builder().level(level).search(search)
}

#[test]
fn two_texts_compare_as_two_articles_do() {
    let texts = [articles("seeds"), articles("tests/texts")].concat();
    let detector = Detector::builder().search(Search::Exhaustive).build().unwrap();
    for two in texts.windows(2) {
        let (left, right) = (&two[0].1, &two[1].1);
        let pairs = detector.pairs(&[("0", left), ("1", right)]).unwrap();
        let comparison = Detector::new().compare_texts(left, right).unwrap();
        assert_eq!((comparison.relation, comparison.similarity), (pairs[0].relation, pairs[0].similarity));
        assert_eq!(comparison.evidence, Some(pairs[0].evidence));
        let back = Detector::new().compare_texts(right, left).unwrap();
        assert_eq!((back.left_in_right, back.right_in_left), (comparison.right_in_left, comparison.left_in_right));
        let near = Detector::builder().level(Level::Near).build().unwrap().compare_texts(left, right).unwrap();
        assert_eq!(near.evidence.unwrap().jaccard, pairs[0].evidence.jaccard);
        let (a, b) = (comparison.left_in_right, comparison.right_in_left);
        let evidence = near.evidence.unwrap();
        assert_eq!(evidence.containment, a.max(b));
        assert!((evidence.containment_of_longer() - a.min(b)).abs() < 1e-5);
    }
}

#[test]
fn exact_copies_and_texts_that_do_not_compare() {
    let detector = Detector::new();
    let exact = detector.compare_texts(FERRY, &FERRY.to_uppercase()).unwrap();
    assert_eq!((exact.relation, exact.similarity, exact.evidence), (Some(Relation::Exact), 1.0, None));
    assert_eq!((exact.left_in_right, exact.right_in_left, exact.words_ratio), (1.0, 1.0, 1.0));
    let error = detector.compare_texts(FERRY, "…").unwrap_err().to_string();
    assert_eq!(
        error,
        "the right text cannot be compared: the text has no words, so there is nothing to compare: leave it out"
    );
}

proptest! {
    #[test]
    fn any_two_texts_compare_as_two_articles_do(
        words in prop::collection::vec("[A-Z]?[b-d][aeiou][b-z][aeiou]|the|of|[0-9]{2}", 1..120),
        more in prop::collection::vec("[A-Z]?[b-d][aeiou][b-z][aeiou]", 0..60),
        others in prop::collection::vec((any::<prop::sample::Index>(), "[b-d][aeiou][b-z][aeiou]"), 0..60),
        is_near in any::<bool>(),
        prior in prop::option::of(0.01f32..0.9),
    ) {
        let mut changed = words.clone();
        for (at, other) in others {
            *at.get_mut(&mut changed) = other;
        }
        changed.extend(more);
        let (left, right) = (words.join(" "), changed.join(" "));
        let with = |search: Search| {
            let builder = with(if is_near { Level::Near } else { Level::Reworded }, search);
            match prior { Some(prior) => builder.prior(prior.into()), None => builder }.build().unwrap()
        };
        let pairs = with(Search::Exhaustive).pairs(&[("0", &left), ("1", &right)]).unwrap();
        match (with(Search::default()).compare_texts(&left, &right), pairs.first()) {
            (Ok(comparison), Some(pair)) => {
                prop_assert_eq!(comparison.relation, pair.relation);
                prop_assert_eq!(comparison.similarity.to_bits(), pair.similarity.to_bits());
                prop_assert_eq!(comparison.evidence, Some(pair.evidence));
            }
            // Signatures ruled it out that they are edited copies.
            (Ok(comparison), None) if is_near && comparison.relation.is_none() => {}
            // Of exact copies only one takes part in a run.
            (Ok(comparison), None) => prop_assert_eq!(comparison.relation, Some(Relation::Exact)),
            // One is too short.
            (Err(_), None) => {}
            (Err(error), Some(_)) => prop_assert!(false, "{}", error),
        }
    }

    #[test]
    fn which_of_two_texts_comes_first_does_not_matter(
        words in prop::collection::vec("[A-Z]?[b-d][aeiou][b-z][aeiou]|the|of|[0-9]{2}", 20..120),
        others in prop::collection::vec((any::<prop::sample::Index>(), "[b-d][aeiou][b-z][aeiou]"), 0..30),
        swapped in prop::collection::vec(any::<[prop::sample::Index; 2]>(), 0..10),
    ) {
        // As much content, most of it as rare: nothing but a stop word tells for sure which is the fuller one.
        let mut changed = words.clone();
        for (at, other) in others {
            *at.get_mut(&mut changed) = other;
        }
        for [a, b] in swapped {
            let (a, b) = (a.index(words.len()), b.index(words.len()));
            changed.swap(a, b);
        }
        let (left, right) = (words.join(" "), changed.join(" ") + " the");
        let there = Detector::new().compare_texts(&left, &right).unwrap();
        let back = Detector::new().compare_texts(&right, &left).unwrap();
        prop_assert_eq!(there.relation, back.relation);
        prop_assert_eq!(there.similarity.to_bits(), back.similarity.to_bits());
        prop_assert_eq!(there.evidence, back.evidence);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(10), ..ProptestConfig::default() })]

    #[test]
    fn near_misses_are_the_best_of_the_pairs_that_fell_short(
        corpus in prop::sample::subsequence([articles("seeds"), articles("tests/texts")].concat(), 4..20).prop_shuffle(),
        level in prop::sample::select(vec![Level::Near, Level::Reworded]),
        search in prop::sample::select(vec![Search::Candidates, Search::Exhaustive]),
        confidence in 0.3f64..1.0,
        least in 0.001f64..0.3,
    ) {
        let builder = with(level, search).confidence(confidence).threshold(confidence);
        let plain = builder.clone().build().unwrap().find(&corpus).unwrap();
        let report = builder.clone().near_misses(least).build().unwrap().find(&corpus).unwrap();
        let pairs = builder.build().unwrap().pairs(&corpus).unwrap();
        prop_assert_eq!(plain.clusters().len(), report.clusters().len());
        for (cluster, plain) in report.clusters().iter().zip(plain.clusters()) {
            prop_assert_eq!(cluster.representative(), plain.representative());
            prop_assert_eq!(cluster.members(), plain.members());
            prop_assert_eq!(plain.near_miss(), None);
            let center = cluster.representative().position;
            let fell_short = |pair: &&Pair| {
                let telling = pair.evidence.content.is_none_or(|content| content.is_worth_reading());
                // A doubtful copy that no second member supports was taken out of the cluster, and is in no other one.
                let is_taken_out = pair.relation == Some(Relation::Reworded) && pair.similarity < 0.6 && {
                    let other = pair.left + pair.right - center;
                    !report.clusters().iter().any(|cluster| cluster.positions().any(|position| position == other))
                };
                (pair.left == center || pair.right == center)
                    && (pair.relation.is_none() || is_taken_out)
                    && f64::from(pair.similarity) >= least
                    && telling
            };
            let other = |pair: &Pair| &corpus[pair.left + pair.right - center].0;
            let best = pairs.iter().filter(fell_short).max_by(|a, b| {
                a.similarity.total_cmp(&b.similarity).then_with(|| other(b).cmp(other(a)))
            });
            prop_assert_eq!(cluster.near_miss().map(|miss| &miss.id), best.map(other));
            if let (Some(NearMiss { position, similarity, missing, evidence, .. }), Some(best)) = (cluster.near_miss(), best) {
                prop_assert_eq!((position + center, similarity, evidence), (best.left + best.right, &best.similarity, &best.evidence));
                prop_assert!(*missing > 0.0 && (f64::from(missing + similarity) - confidence).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn pairs_of_some_are_those_of_all_that_they_are_in(
        corpus in Just([articles("seeds"), articles("tests/texts")].concat()).prop_shuffle(),
        level in prop::sample::select(vec![Level::Near, Level::Reworded]),
        search in prop::sample::select(vec![Search::Candidates, Search::Exhaustive]),
        asked in prop::collection::vec(0usize..40, 0..8),
        least in 0.01f64..0.5,
    ) {
        // Some exact copies as well: the one with the smaller id speaks for both.
        let copies = corpus[..5].iter().map(|(id, text)| (format!("{id} again"), text.clone())).collect::<Vec<_>>();
        let corpus = [corpus, copies].concat();
        let speaker = |at: usize| if at < corpus.len() - 5 { at } else { at - (corpus.len() - 5) };
        let asked_for: Vec<usize> = asked.iter().filter(|&&at| at < corpus.len()).map(|&at| speaker(at)).collect();
        let in_question = |pair: &Pair| asked_for.contains(&pair.left) || asked_for.contains(&pair.right);
        let all = with(level, search).build().unwrap().pairs(&corpus).unwrap();
        let copies: Vec<Pair> = all.into_iter().filter(|pair| pair.relation.is_some() && in_question(pair)).collect();
        prop_assert_eq!(with(level, search).build().unwrap().pairs_of(&corpus, &asked).unwrap(), copies.clone());
        let like = with(level, search).near_misses(least).build().unwrap().pairs_of(&corpus, &asked).unwrap();
        prop_assert!(like.iter().all(|pair| pair.relation.is_some() || f64::from(pair.similarity) >= least));
        prop_assert_eq!(like.into_iter().filter(|pair| pair.relation.is_some()).collect::<Vec<_>>(), copies);
    }

    #[test]
    fn the_order_of_articles_changes_no_near_miss_and_no_representative(
        (given, shuffled) in Just([articles("seeds"), articles("tests/texts")].concat()).prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        policy in prop::sample::select(vec![Representative::Central, Representative::Longest, Representative::Earliest]),
    ) {
        let detector = Detector::builder().near_misses(0.01).representative(policy).build().unwrap();
        let told = |articles: &[(String, String)]| -> Vec<_> {
            let report = detector.find(articles).unwrap();
            report.clusters().iter().map(|cluster| {
                let ids: Vec<String> = cluster.ids().map(str::to_owned).collect();
                (ids, cluster.near_miss().map(|miss| (miss.id.clone(), miss.similarity)))
            }).collect()
        };
        prop_assert_eq!(told(&given), told(&shuffled));
    }
}
