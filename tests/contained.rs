//! Copies inside longer texts, what may be removed in whose favour, and excerpts.

#[path = "common/passage.rs"]
mod passage;
#[path = "common/random.rs"]
mod random;
#[path = "common/story.rs"]
mod story;

use std::collections::HashSet;

use proptest::prelude::*;
use random::mixed;
use retold::{Detector, ExcerptKind, ExcerptPlace, Excerpts, Level, Report, Search, Words};
use story::Story;

/// So many words that no other text has, some of a few in every one.
fn words(text: u64, count: usize) -> Vec<String> {
    let word = |at: u64| match mixed(text << 32 | at) % 4 {
        0 => format!("the{}", mixed(at) % 40),
        _ => format!("w{:x}", mixed(text << 32 | at | 1 << 63) % 300_000),
    };
    (0..count as u64).map(word).collect()
}

/// About one word in ten is another one, is gone, or has a new one beside it.
fn edited(words: &[String], seed: u64) -> Vec<String> {
    let edit = |(at, word): (u64, &String)| {
        let new = format!("new{:x}", mixed(seed << 40 | at << 8 | 1) % 300_000);
        match mixed(seed << 40 | at << 8) % 100 {
            0..6 => vec![new],
            6..8 => vec![],
            8..10 => vec![word.clone(), new],
            _ => vec![word.clone()],
        }
    };
    (0..).zip(words).flat_map(edit).collect()
}

/// A text with another one in it.
fn around(inner: &[String], text: u64, times: usize, of: usize) -> String {
    let mut words = words(text, (times - 1) * of);
    let at = mixed(text) as usize % (words.len() + 1);
    words.splice(at..at, inner.iter().cloned());
    words.join(" ")
}

fn find(level: Level, articles: &[(String, String)]) -> Report {
    Detector::builder().level(level).build().unwrap().find(articles).unwrap()
}

const LEVELS: [Level; 2] = [Level::Near, Level::Reworded];

#[test]
fn a_text_inside_another_one_is_found_however_much_longer_that_is() {
    let mut articles = Vec::new();
    for (case, (len, times)) in
        [100, 300].iter().flat_map(|len| [3, 5, 8, 12, 20].map(|times| (*len, times))).enumerate()
    {
        for pair in 0..20 {
            let number = (case * 20 + pair) as u64;
            let inner = words(2 * number, len);
            articles.push((format!("{number} inner"), inner.join(" ")));
            articles.push((format!("{number} outer"), around(&inner, 2 * number + 1, times, len)));
        }
    }
    for level in LEVELS {
        let report = find(level, &articles);
        assert_eq!(report.clusters().len(), articles.len() / 2);
        assert!(report.clusters().iter().all(|cluster| {
            let [member] = cluster.members() else { return false };
            member.position / 2 == cluster.representative().position / 2 && member.similarity == 1.0
        }));
    }
}

/// A release of 300 words, and stories five times as long that tell it, as it is or edited.
fn release_and_stories(stories: u64, is_edited: bool) -> Vec<(String, String)> {
    let release = words(0, 300);
    let story = |number: u64| {
        let inner = if is_edited { edited(&release, number) } else { release.clone() };
        (format!("{:x} {number}", mixed(number)), around(&inner, number, 5, 300))
    };
    (1..=stories).map(story).chain([("release".to_string(), release.join(" "))]).collect()
}

#[test]
fn a_release_in_any_number_of_stories_is_found_and_goes_alone() {
    for level in LEVELS {
        for stories in [5, 60] {
            for is_edited in [false, true] {
                let report = find(level, &release_and_stories(stories, is_edited));
                let [cluster] = report.clusters() else { panic!("{:?}", report.clusters().len()) };
                assert_eq!(cluster.representative().id, "release");
                assert_eq!(cluster.size() as u64, stories + 1, "{level:?} {stories} {is_edited}");
                let removed: Vec<&str> = report.removals().iter().map(|removal| removal.id.as_str()).collect();
                assert_eq!(removed, ["release"], "{level:?} {stories} {is_edited}");
            }
        }
    }
}

/// The share of the stories that stand in the cluster of the release, and which articles are removed.
fn with_the_release(report: &Report, stories: u64) -> (f64, Vec<&str>) {
    let of_release = report.clusters().iter().find(|cluster| cluster.representative().id == "release");
    let members = of_release.map_or(0, |cluster| cluster.members().len());
    (members as f64 / stories as f64, report.removals().iter().map(|removal| removal.id.as_str()).collect())
}

/// `cargo test --release --test contained -- --ignored --nocapture`: half a minute, both.
#[test]
#[ignore = "large"]
fn a_release_in_a_thousand_stories_among_others_is_found_and_goes_alone() {
    for level in LEVELS {
        for (stories, is_edited) in
            [30, 100, 300, 1000].into_iter().flat_map(|stories| [(stories, false), (stories, true)])
        {
            let others = (0..2000).map(|other| (format!("other {other}"), words(1 << 20 | other, 400).join(" ")));
            let articles: Vec<_> = release_and_stories(stories, is_edited).into_iter().chain(others).collect();
            let report = find(level, &articles);
            let (share, removed) = with_the_release(&report, stories);
            println!("{stories} stories, edited {is_edited}, level {level}: {share:.3} with the release");
            assert!(share >= if is_edited { 0.95 } else { 0.98 });
            assert_eq!(removed, ["release"]);
        }
    }
}

/// Copies of one text of 300 words, each with 6 % of its words changed, under ids drawn anew, and the text itself if that is wanted.
fn crowd(copies: u64, seed: u64, has_original: bool) -> Vec<(String, String)> {
    let original = words(seed, 300);
    let copy = |number: u64| {
        let draw = |at: u64| mixed(seed << 48 | number << 16 | at);
        let changed = |(at, word): (u64, &String)| match draw(at) % 100 {
            0..6 => format!("new{:x}", draw(at) >> 8),
            _ => word.clone(),
        };
        let text: Vec<String> = (0..).zip(&original).map(changed).collect();
        (format!("{:x}", draw(0xffff)), text.join(" "))
    };
    let original = has_original.then(|| (format!("{:x}", mixed(seed)), original.join(" ")));
    (0..copies).map(copy).chain(original).collect()
}

/// As above.
#[test]
#[ignore = "large"]
fn of_a_crowd_of_edited_copies_hardly_any_stays() {
    for (copies, level, seed) in [1000, 10_000]
        .into_iter()
        .flat_map(|copies| LEVELS.into_iter().flat_map(move |level| (1..=5).map(move |seed| (copies, level, seed))))
    {
        let articles = crowd(copies, seed, true);
        let stay = articles.len() - find(level, &articles).removals().len();
        println!("{copies} copies and their source, level {level}, seed {seed}: {stay} stay");
        assert!(stay as u64 <= copies / 100);
    }
    for (level, seed) in LEVELS.into_iter().flat_map(|level| (1..=5).map(move |seed| (level, seed))) {
        let articles = crowd(1000, seed, false);
        let clusters = |search: Search| {
            let report = Detector::builder().level(level).search(search).build().unwrap().find(&articles).unwrap();
            (report.clusters().len(), articles.len() - report.removals().len())
        };
        let (found, all) = (clusters(Search::Candidates), clusters(Search::Exhaustive));
        println!(
            "1000 copies without their source, level {level}, seed {seed}: clusters and who stays {found:?}, exhaustive {all:?}"
        );
        assert!(5 * found.0.abs_diff(all.0) <= all.0);
    }
}

#[test]
fn of_a_growing_story_the_fullest_stays() {
    let story = words(1, 400);
    let articles: Vec<(String, String)> =
        [(120, "b"), (400, "c"), (200, "a"), (300, "d")].map(|(len, id)| (id.into(), story[..len].join(" "))).into();
    for level in LEVELS {
        let report = find(level, &articles);
        let removed: Vec<(&str, &str)> =
            report.removals().iter().map(|removal| (removal.id.as_str(), removal.kept_id.as_str())).collect();
        assert_eq!(removed, [("b", "c"), ("a", "c"), ("d", "c")]);
    }
}

#[test]
fn of_two_equals_the_fuller_stays_whatever_the_ids() {
    let fuller = words(1, 130);
    for [first, second] in [["a", "b"], ["b", "a"]] {
        let articles = [(first.to_string(), fuller[..120].join(" ")), (second.to_string(), fuller.join(" "))];
        for level in LEVELS {
            let report = find(level, &articles);
            assert_eq!(report.removals().iter().map(|removal| removal.position).collect::<Vec<_>>(), [0]);
        }
    }
}

#[test]
fn containment_is_an_option_of_its_own() {
    let inner = words(1, 200);
    let texts = [inner.join(" "), around(&inner, 2, 4, 200), around(&edited(&inner, 3), 3, 4, 200)];
    let articles: Vec<(String, String)> = (0..).zip(texts).map(|(at, text): (u32, _)| (at.to_string(), text)).collect();
    let members = |containment: f64| {
        let builder = Detector::builder().level(Level::Near).threshold(1.0).containment(containment);
        let report = builder.build().unwrap().find(&articles).unwrap();
        report.clusters().iter().map(retold::Cluster::size).sum::<usize>()
    };
    assert_eq!((members(0.8), members(1.0)), (3, 2));
    let refused = Detector::builder().containment(0.0).build().unwrap_err();
    assert_eq!(refused.to_string(), "containment = 0 is out of range: give more than 0, at most 1");
}

fn excerpts() -> Detector {
    Detector::builder().level(Level::Near).excerpts(Excerpts::Find).build().unwrap()
}

fn normalized(text: &str) -> Vec<String> {
    Words::new(text).map(|word| word.normalized().into_owned()).collect()
}

/// The length of the longest common subsequence, the slow way.
fn common(left: &[String], right: &[String]) -> usize {
    let mut table = vec![vec![0; right.len() + 1]; left.len() + 1];
    for (i, ours) in left.iter().enumerate() {
        for (j, theirs) in right.iter().enumerate() {
            table[i + 1][j + 1] = if ours == theirs { table[i][j] + 1 } else { table[i][j + 1].max(table[i + 1][j]) };
        }
    }
    table[left.len()][right.len()]
}

#[test]
fn a_passage_told_in_other_words_is_an_excerpt_where_rewordings_are_looked_for() {
    let articles = passage::articles();
    let find = |level: Level, articles: &[(String, String)]| {
        let report = Detector::builder().level(level).excerpts(Excerpts::Find).build().unwrap().find(articles).unwrap();
        assert!(report.clusters().is_empty());
        report.excerpts().to_vec()
    };
    let excerpts = find(Level::Reworded, &articles);
    let [excerpt] = &excerpts[..] else { panic!("{excerpts:?}") };
    let told = |place: &ExcerptPlace| &articles[place.position].1[place.span.clone()];
    assert_eq!((excerpt.kind, excerpt.host.position, excerpt.source.position), (ExcerptKind::Reworded, 0, 1));
    assert!(
        passage::PASSAGE.contains(told(&excerpt.host)) && passage::ANEW.contains(told(&excerpt.source)),
        "{excerpt:?}"
    );
    assert!(excerpt.words >= 60 && excerpt.same < 1.0, "{excerpt:?}");
    assert_eq!(find(Level::Near, &articles), []);
    // The same quotation around other news is no such passage.
    let [letters, road] = articles.clone();
    let other = "In June the market will move, the traders of Hallin said on Friday: last summer more than two hundred stalls stood in the rain. ";
    let begin = road.1.find("In March").unwrap();
    let quotation = road.1.find('\u{201c}').unwrap();
    let others = [
        letters,
        (
            "road".into(),
            format!(
                "{}{other}{}",
                &road.1[..begin],
                &road.1[quotation..].replace(
                    "To pass its next inspection in April the old ship, \
        which was built in Hallin in 1961, would have needed repairs of 2.4 million crowns.",
                    "A roof would cost less than the hall."
                )
            ),
        ),
    ];
    assert_eq!(find(Level::Reworded, &others), []);
}

#[test]
fn a_passage_taken_over_is_an_excerpt() {
    for (len, is_edited) in [(60, false), (60, true), (150, false), (150, true)] {
        let source = words(1, 400);
        let passage = &source[100..100 + len];
        let passage = if is_edited { edited(passage, 7) } else { passage.to_vec() };
        let articles = [("source".to_string(), source.join(" ")), ("host".to_string(), around(&passage, 2, 8, 100))];
        let report = excerpts().find(&articles).unwrap();
        let [excerpt] = report.excerpts() else { panic!("{len} {is_edited}: {:?}", report.excerpts()) };
        assert_eq!((&*excerpt.host.id, &*excerpt.source.id, excerpt.holders), ("host", "source", 2));
        assert!(excerpt.words * 10 >= len * 7, "{} of {len}", excerpt.words);
        assert!(report.clusters().is_empty());
    }
}

/// Articles with one passage of 60 words in them, each with `common` words in common with all others apart from it. `outlet` says
/// where each appeared.
fn stories(number: u64, common: usize, outlet: impl Fn(u64) -> Option<u64>) -> Vec<Story> {
    let story = |at: u64| {
        // Words that all have, but in another order each.
        let mut event: Vec<String> = words(2, common);
        event.sort_by_key(|word| word.bytes().fold(at + 7, |sum, byte| sum.wrapping_mul(31 + at) ^ u64::from(byte)));
        let parts = [words(10 + at, 100), words(1, 60), event, words(50 + at, 100)];
        Story {
            id: format!("{at:02}"),
            text: parts.concat().join(" "),
            source: outlet(at).map(|outlet| format!("outlet {outlet}")),
            date: Some(format!("2024-05-{:02}", 20 - at)),
            ..Story::default()
        }
    };
    (0..number).map(story).collect()
}

fn told(articles: &[Story], excerpts: Excerpts) -> (usize, usize) {
    let detector = Detector::builder().level(Level::Near).excerpts(excerpts).build().unwrap();
    let report = detector.find(articles).unwrap();
    assert!(report.clusters().is_empty());
    (report.excerpts().len(), report.summary().furniture)
}

#[test]
fn what_many_hold_is_furniture_unless_outlets_tell_of_one_event() {
    // Whose outlets are not known.
    assert_eq!(told(&stories(6, 0, |_| None), Excerpts::Find), (0, 1));
    assert_eq!(told(&stories(6, 100, |_| None), Excerpts::Find), (0, 1));
    // Of six outlets.
    assert_eq!(told(&stories(6, 0, Some), Excerpts::Find), (0, 1));
    assert_eq!(told(&stories(6, 100, Some), Excerpts::Find), (1, 0));
    assert_eq!(told(&stories(12, 100, Some), Excerpts::Find), (0, 1));
    // Of one, and asked for.
    assert_eq!(told(&stories(2, 100, |_| Some(1)), Excerpts::Find), (0, 1));
    assert_eq!(told(&stories(2, 100, |_| Some(1)), Excerpts::FindAll), (1, 1));
    assert_eq!(told(&stories(6, 0, |_| None), Excerpts::FindAll), (1, 1));
}

#[test]
fn a_long_passage_that_three_hold_is_no_furniture_for_that() {
    assert_eq!(told(&stories(3, 0, |_| None), Excerpts::Find), (2, 0));
    assert_eq!(told(&stories(4, 0, |_| None), Excerpts::Find), (0, 1));
}

#[test]
fn what_begins_two_texts_was_taken_over_and_what_ends_them_is_furniture() {
    let passage = words(1, 60);
    let changed = |by: usize| {
        let mut passage = passage.clone();
        passage.iter_mut().skip(5).step_by(by).for_each(|word| word.push('x'));
        passage
    };
    let told = |[one, other]: [Vec<&[String]>; 2]| told_of(&[("a", one.concat()), ("b", other.concat())]);
    let (one, other) = (words(2, 100), words(3, 150));
    assert_eq!(told([vec![&passage, &one], vec![&passage, &other]]), (1, 0));
    assert_eq!(told([vec![&passage, &one], vec![&changed(25), &other]]), (1, 0));
    // As forms are filled in.
    assert_eq!(told([vec![&passage, &one], vec![&changed(7), &other]]), (0, 1));
    assert_eq!(told([vec![&one, &passage], vec![&other, &passage]]), (0, 1));
    // Unless what ends them was spoken of before in one of them, and they have nothing else in common.
    let spoken_of: Vec<String> = passage[20..50].iter().rev().cloned().collect();
    let before = [&one[..50], &spoken_of, &one[50..]].concat();
    let apart: Vec<String> = other.iter().map(|word| format!("q{word}")).collect();
    let related: Vec<String> = apart.iter().chain(one[..13].iter().rev()).cloned().collect();
    assert_eq!(told([vec![&one, &passage], vec![&apart, &passage]]), (0, 1));
    assert_eq!(told([vec![&before, &passage], vec![&apart, &passage]]), (1, 0));
    assert_eq!(told([vec![&before, &passage[..40]], vec![&apart, &passage[..40]]]), (0, 1));
    assert_eq!(told([vec![&before, &passage], vec![&related, &passage]]), (0, 1));
    assert_eq!(told([vec![&passage, &one], vec![&other, &changed(7)]]), (1, 0));
}

#[test]
fn a_note_below_two_texts_is_furniture_even_where_these_tell_of_one_event() {
    let (note, report) = (words(1, 110), words(1, 140));
    // Words that both have, but in another order each.
    let event = |salt: u64| {
        let mut event = words(4, 100);
        event.sort_by_key(|word| word.bytes().fold(salt, |sum, byte| sum.wrapping_mul(31 + salt) ^ u64::from(byte)));
        event
    };
    let (one, other) = ([words(2, 60), event(7)].concat(), [words(3, 90), event(9)].concat());
    let told = |one: &[&[String]], other: &[&[String]]| told_of(&[("a", one.concat()), ("b", other.concat())]);
    assert_eq!(told(&[&one, &note], &[&other, &note]), (0, 1));
    assert_eq!(told(&[&one, &report], &[&other, &report]), (1, 0), "too long for a note");
    assert_eq!(told(&[&one, &note], &[&other, &note, &words(5, 30)]), (1, 0), "it ends one of them alone");
    // A third text has another note below it.
    let third = |after: &[String]| ("c", [event(11), words(6, 70), note.clone(), after.to_vec()].concat());
    let two = [("a", [&one[..], &note].concat()), ("b", [&other[..], &note].concat())];
    assert_eq!(told_of(&[two[0].clone(), two[1].clone(), third(&words(5, 9))]), (0, 1));
    // Two outlets that are known, of which one took it.
    let story = |(id, words): &(&str, Vec<String>)| Story {
        id: id.to_string(),
        text: words.join(" "),
        source: Some(id.to_string()),
        ..Story::default()
    };
    let report = excerpts().find(&two.iter().map(story).collect::<Vec<_>>()).unwrap();
    assert_eq!(report.excerpts().len(), 1);
}

fn told_of(articles: &[(&str, Vec<String>)]) -> (usize, usize) {
    let articles: Vec<(&str, String)> = articles.iter().map(|(id, words)| (*id, words.join(" "))).collect();
    let report = excerpts().find(&articles).unwrap();
    (report.excerpts().len(), report.summary().furniture)
}

#[test]
fn what_five_hold_is_told_once_with_all_of_them() {
    let detector = Detector::builder().level(Level::Near).excerpts(Excerpts::Find).build().unwrap();
    let report = detector.find(&stories(6, 100, Some)).unwrap();
    let [excerpt] = report.excerpts() else { panic!("{:?}", report.excerpts()) };
    // The last one appeared first.
    assert_eq!((&*excerpt.source.id, &*excerpt.host.id, excerpt.holders), ("05", "04", 6));
    assert_eq!((excerpt.others.join(" "), excerpt.date.as_deref()), ("00 01 02 03".into(), Some("2024-05-15")));
    assert_eq!((excerpt.kind, excerpt.is_furniture), (ExcerptKind::Verbatim, false));
    // Of four each host is told.
    let report = detector.find(&stories(4, 100, Some)).unwrap();
    let pairs: Vec<_> = report.excerpts().iter().map(|excerpt| (&*excerpt.host.id, &*excerpt.source.id)).collect();
    assert_eq!(pairs, [("00", "03"), ("01", "03"), ("02", "03")]);
}

#[test]
fn lists_of_names_and_captions_are_furniture() {
    let plain = |seed: u64| {
        let words = words(seed, 200);
        words.chunks(3).map(|three| three.join(" of the ")).collect::<Vec<_>>().join(" and ")
    };
    let names: Vec<String> = words(1, 60).iter().map(|word| word.to_uppercase()).collect();
    let captions = words(3, 12)
        .chunks(2)
        .map(|two| format!("{} to the of Photos of our day in the harbour", two.join(" ")))
        .collect::<Vec<_>>();
    for passage in [names.join(" "), captions.join(". ")] {
        let article = |seed: u64| format!("{} {passage} {}", plain(seed), plain(seed + 1));
        let articles = [("a", article(10)), ("b", article(20))];
        let report = excerpts().find(&articles).unwrap();
        assert_eq!((report.excerpts().len(), report.summary().furniture), (0, 1), "{passage}");
    }
}

#[test]
fn a_passage_of_a_member_of_a_cluster_is_found() {
    // The longest of three versions has a passage that no other has.
    let story = words(1, 300);
    let passage = words(2, 60);
    let version = |end: &[String]| [&story, end].concat().join(" ");
    let articles = [
        ("version 1".to_string(), version(&words(3, 4))),
        ("version 2".to_string(), version(&words(4, 4))),
        ("version 3".to_string(), version(&[&passage[..], &words(5, 8)].concat())),
        ("other".to_string(), around(&passage, 6, 5, 100)),
    ];
    let report = excerpts().find(&articles).unwrap();
    assert_eq!(report.clusters().len(), 1);
    let [excerpt] = report.excerpts() else { panic!("{:?}", report.excerpts()) };
    let mut ids = [&*excerpt.host.id, &*excerpt.source.id];
    ids.sort_unstable();
    assert_eq!(ids, ["other", "version 3"]);
}

/// Texts made of a few stretches, some with letters of several bytes, so that they share passages of all lengths.
fn mosaic() -> impl Strategy<Value = Vec<(String, String)>> {
    let stretch = (0u64..12, 10usize..90, any::<bool>(), any::<bool>());
    prop::collection::vec(prop::collection::vec(stretch, 1..6), 2..12).prop_map(|texts| {
        let stretch = |(of, len, is_edited, is_shouted): (u64, usize, bool, bool)| {
            let words = words(of, len);
            let words = if is_edited { edited(&words, len as u64) } else { words };
            let text = words.join(" ").replace('w', "é");
            if is_shouted { text.to_uppercase() + "。 " } else { text + "!? " }
        };
        let text = |stretches: Vec<_>| stretches.into_iter().map(stretch).collect::<String>();
        texts.into_iter().enumerate().map(|(at, stretches)| (format!("{at:02}"), text(stretches))).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(4), max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn an_excerpt_is_two_places_that_match((articles, shuffled) in mosaic().prop_flat_map(|articles| {
        (Just(articles.clone()), Just(articles).prop_shuffle())
    }), level in prop::sample::select(vec![Level::Near, Level::Reworded])) {
        let builder = Detector::builder().level(level).excerpts(Excerpts::Find);
        let report = builder.clone().build()?.find(&articles)?;
        for excerpt in report.excerpts() {
            let of = |place: &ExcerptPlace| normalized(&articles[place.position].1[place.span.clone()]);
            let (host, source) = (of(&excerpt.host), of(&excerpt.source));
            prop_assert_eq!((host.len(), &excerpt.host.id), (excerpt.words, &articles[excerpt.host.position].0));
            let share = common(&host, &source) as f32 / host.len().max(source.len()) as f32;
            match excerpt.kind {
                ExcerptKind::Verbatim => {
                    prop_assert!(host.len() >= 25 && excerpt.same >= 0.8 && share >= excerpt.same - 1e-6, "{:?}", excerpt);
                }
                _ => prop_assert!(level == Level::Reworded && host.len() >= 40 && (0.0..=1.0).contains(&excerpt.same), "{:?}", excerpt),
            }
            let together = |at: usize| report.clusters().iter().position(|cluster| cluster.positions().any(|position| position == at));
            let clusters = (together(excerpt.host.position), together(excerpt.source.position));
            prop_assert!(clusters.0.is_none() || clusters.0 != clusters.1);
        }
        let of = |report: &Report| -> Vec<_> {
            let place = |place: &ExcerptPlace| (place.id.clone(), place.span.clone());
            report.excerpts().iter().map(|excerpt| (place(&excerpt.host), place(&excerpt.source), excerpt.same)).collect()
        };
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            prop_assert_eq!(of(&pool.install(|| builder.clone().build()?.find(&shuffled))?), of(&report));
        }
        let mut collector = builder.memory(0).build()?.collector();
        collector.extend(articles.iter().cloned())?;
        prop_assert_eq!(of(&collector.find()?.0), of(&report));
        // Clusters are the same whether or not excerpts are looked for.
        let plain = find(level, &articles);
        prop_assert_eq!(plain.clusters(), report.clusters());
        prop_assert!(plain.excerpts().is_empty());
        let removed: HashSet<usize> = plain.removals().iter().map(|removal| removal.position).collect();
        prop_assert!(plain.removals().iter().all(|removal| !removed.contains(&removal.kept)));
    }
}
