//! The archive holds what a run over the same articles finds, whatever its history is.

#[allow(dead_code, reason = "the benchmarks use more of it")]
#[path = "../benches/corpus/mod.rs"]
mod corpus;
#[path = "common/passage.rs"]
mod passage;
#[path = "common/random.rs"]
mod random;
#[path = "common/story.rs"]
mod story;

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use retold::{
    Archive, ArchiveFault, ArchiveReader, ArchiveStats, Detector, Error, Excerpt, ExcerptKind, ExcerptMatch,
    ExcerptPlace, Excerpts, Level, Match, Pair, Relation, Shingle, SkipReason, Skipped,
};
use story::Story;

/// A folder for one archive, which goes when it is dropped.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("the folder for temporary files can be written"))
    }

    fn archive(&self) -> PathBuf {
        self.0.path().join("archive")
    }
}

/// Articles, among them edited and reworded copies and exact ones.
fn articles() -> Vec<(String, String)> {
    let mut articles = corpus::Corpus::new(120, 0.4, 11).articles;
    let (text, reworded) = corpus::rewordings(3, 6, 5);
    articles
        .extend(reworded.into_iter().chain([text.clone(), text]).zip('a'..).map(|(text, id)| (format!("z{id}"), text)));
    articles
}

/// The place of a copy, how it is one, and how similar.
type Told = (usize, Relation, f32);

/// What was found, by the places of the articles.
fn found(matches: &[Match], at: usize) -> Vec<Told> {
    let other = |found: &Match| (found.number as usize, found.relation, found.similarity);
    let mut others: Vec<_> = matches.iter().map(other).filter(|&(other, ..)| other != at).collect();
    others.sort_by_key(|&(other, ..)| other);
    others
}

#[test]
fn what_a_run_finds_is_found_one_by_one_and_no_less_sure() {
    let (folder, articles, detector) = (Folder::new(), articles(), Detector::new());
    let mut archive = Archive::create(folder.archive(), &detector).unwrap();
    let numbers: Vec<u64> =
        archive.add_all(&articles).unwrap().into_iter().map(|added| added.unwrap().number).collect();
    assert_eq!(numbers, (0..articles.len() as u64).collect::<Vec<_>>());
    assert_eq!(archive.take_census().unwrap(), 1);
    drop(archive);
    let archive = ArchiveReader::open(folder.archive(), &detector).unwrap();
    let all: Vec<usize> = (0..articles.len()).collect();
    let pairs = detector.pairs_of(&articles, &all).unwrap();
    let relations: Vec<_> = pairs.iter().filter_map(|pair| pair.relation).collect();
    assert!(relations.contains(&Relation::Near) && relations.contains(&Relation::Reworded), "{relations:?}");
    for at in all {
        let of = found(&archive.matches(&articles[at]).unwrap(), at);
        for pair in pairs.iter().filter(|pair| [pair.left, pair.right].contains(&at)) {
            let other = if pair.left == at { pair.right } else { pair.left };
            if let Some(relation) = pair.relation {
                assert!(of.contains(&(other, relation, pair.similarity)), "{pair:?} is not among {of:?}");
            }
        }
    }
    let exact = archive.matches(&articles.last().unwrap()).unwrap();
    assert_eq!(exact.iter().filter(|found| found.relation == Relation::Exact).count(), 2);
}

#[test]
fn who_asks_for_many_and_adds_them_is_answered_as_for_one_after_the_other() {
    let articles: Vec<_> = with_passages().into_iter().chain(articles()).collect();
    let detector = Detector::builder().excerpts(Excerpts::Find).build().unwrap();
    let folders = [Folder::new(), Folder::new()];
    let [mut archive, mut other] = [0, 1].map(|at| Archive::create(folders[at].archive(), &detector).unwrap());
    let (counted, fresh) = articles.split_at(100);
    for archive in [&mut archive, &mut other] {
        archive.add_all(counted).unwrap();
        archive.take_census().unwrap();
    }
    let told: Vec<_> = archive.ask_and_add_all(fresh).unwrap().into_iter().collect::<Result<_, _>>().unwrap();
    let one_by_one: Vec<_> =
        fresh.iter().map(|article| (other.ask(article).unwrap(), other.add(article).unwrap())).collect();
    assert_eq!(told, one_by_one);
    assert!(told.iter().any(|(answer, _)| !answer.excerpts.is_empty()));
    let is_reworded = |found: &Match| found.relation == Relation::Reworded;
    let of_fresh = |found: &Match| is_reworded(found) && found.number >= counted.len() as u64;
    assert!(told.iter().any(|(answer, _)| answer.matches.iter().any(of_fresh)));
}

#[test]
fn passages_that_a_run_finds_are_found_one_by_one() {
    let articles = with_passages();
    let detector = Detector::builder().excerpts(Excerpts::Find).build().unwrap();
    let report = detector.find(&articles).unwrap();
    let folder = Folder::new();
    let mut archive = Archive::create(folder.archive(), &detector).unwrap();
    archive.add_all(&articles).unwrap();
    archive.take_census().unwrap();
    let places = |excerpt: &Excerpt| {
        let place = |place: &ExcerptPlace| (place.position, place.span.clone());
        (place(&excerpt.host), place(&excerpt.source))
    };
    let told: Vec<_> = report.excerpts().iter().map(places).collect();
    assert!(told.len() >= 20, "{told:?}");
    for (at, article) in articles.iter().enumerate() {
        let answer = archive.ask(article).unwrap();
        let of =
            |found: &ExcerptMatch| ((at, found.span.clone()), (found.number as usize, found.archived_span.clone()));
        let found: Vec<_> = answer.excerpts.iter().map(of).collect();
        let swapped = |(host, source): &(_, _)| (Clone::clone(source), Clone::clone(host));
        let (own, other) = (
            told.iter().filter(|told| told.0.0 == at).cloned(),
            told.iter().filter(|told| told.1.0 == at).map(swapped),
        );
        for of in own.chain(other) {
            assert!(found.contains(&of), "{of:?} is not among {found:?}");
        }
        let is_told = |found: &(_, _)| told.contains(found) || told.contains(&swapped(found));
        assert!(found.iter().all(is_told), "{found:?}");
        assert_eq!(archive.matches(article).unwrap(), answer.matches);
    }
}

/// Articles, of which every fifth has a passage of the one before in its midst.
fn with_passages() -> Vec<(String, String)> {
    let mut articles = corpus::Corpus::new(150, 0.0, 12).articles;
    for at in (1..articles.len()).step_by(5) {
        let source: Vec<&str> = articles[at - 1].1.split(' ').collect();
        let start = source.len() / 5;
        let passage = source[start..(start + 70).min(source.len())].join(" ");
        let host = &articles[at].1;
        let middle = host[host.len() / 2..].find(' ').map_or(0, |space| host.len() / 2 + space);
        articles[at].1 = format!("{} {passage}{}", &host[..middle], &host[middle..]);
    }
    articles
}

#[test]
fn a_passage_told_in_other_words_is_found_as_by_a_run() {
    let articles = passage::articles();
    let detector = Detector::builder().excerpts(Excerpts::Find).build().unwrap();
    let report = detector.find(&articles).unwrap();
    let [told] = report.excerpts() else { panic!("{:?}", report.excerpts()) };
    let folder = Folder::new();
    let mut archive = Archive::create(folder.archive(), &detector).unwrap();
    archive.add(&articles[1]).unwrap();
    archive.take_census().unwrap();
    let answer = archive.ask(&articles[0]).unwrap();
    let [found] = &answer.excerpts[..] else { panic!("{answer:?}") };
    assert_eq!(
        (found.kind, &found.span, &found.archived_span),
        (ExcerptKind::Reworded, &told.host.span, &told.source.span)
    );
    assert_eq!((found.words, found.same), (told.words, told.same));
}

#[test]
fn archives_of_each_kind_find_edited_copies() {
    let articles = corpus::Corpus::new(40, 0.0, 3).articles;
    let builders = [
        Detector::builder().level(Level::Near),
        Detector::builder().level(Level::Near).excerpts(Excerpts::FindAll),
        Detector::builder().shingle(Shingle::Chars(5)),
        Detector::builder().level(Level::Near).shingle(Shingle::Chars(9)),
        Detector::builder().shingle(Shingle::Words(1)),
        Detector::builder().shingle(Shingle::Words(7)).threshold(0.8),
    ];
    type Create = fn(PathBuf, &Detector) -> retold::Result<Archive>;
    let without =
        builders.clone().map(|builder| (builder.excerpts(Excerpts::Ignore), Archive::create_without_texts as Create));
    for (builder, create) in builders.map(|builder| (builder, Archive::create as Create)).into_iter().chain(without) {
        let (folder, detector) = (Folder::new(), builder.build().unwrap());
        let mut archive = create(folder.archive(), &detector).unwrap();
        archive.add_all(&articles).unwrap();
        archive.take_census().unwrap();
        for (at, (_, text)) in articles.iter().enumerate() {
            let edited = format!("{text} They say so.");
            let answer = archive.ask(&("edited", edited.as_str())).unwrap();
            let is_near = |found: &Match| found.number == at as u64 && found.relation == Relation::Near;
            assert!(answer.matches.iter().any(is_near), "{detector:?} {at}: {answer:?}");
        }
        drop(archive);
        assert_eq!(ArchiveReader::open(folder.archive(), &detector).unwrap().report().unwrap().1.len(), articles.len());
    }
}

#[test]
fn a_run_that_follows_a_census_judges_as_the_whole() {
    let (folder, articles, detector) = (Folder::new(), articles(), Detector::new());
    let mut archive = Archive::create(folder.archive(), &detector).unwrap();
    archive.add_all(&articles).unwrap();
    assert_eq!(found_pairs(&archive.reader().detector(), &articles), found_pairs(&detector, &articles));
    archive.take_census().unwrap();
    let following = archive.reader().detector();
    let whole = found_pairs(&detector, &articles);
    assert_eq!(found_pairs(&following, &articles), whole);
    let mut were_judged_otherwise = false;
    for shard in articles.chunks(articles.len() / 4) {
        let whole: Vec<_> = whole.iter().filter(|pair| shard.iter().any(|(id, _)| *id == pair.0)).collect();
        let (by_census, alone) = (found_pairs(&following, shard), found_pairs(&detector, shard));
        // The same weights: of what is usual alone a shard knows less.
        for (left, right, words, pairs) in &by_census {
            let same = whole.iter().find(|whole| (&whole.0, &whole.1) == (left, right));
            assert!(same.is_none_or(|whole| (whole.2, whole.3) == (*words, *pairs)), "{left} {right}: {same:?}");
        }
        were_judged_otherwise |= alone != by_census;
    }
    assert!(were_judged_otherwise, "a census changed nothing");
}

/// The reworded pairs of a run: both ids, and the shares of words and of pairs of words that they have in common.
fn found_pairs(detector: &Detector, articles: &[(String, String)]) -> Vec<(String, String, f32, f32)> {
    let all: Vec<usize> = (0..articles.len()).collect();
    let told = |pair: Pair| {
        let content = pair.evidence.content?;
        (pair.relation == Some(Relation::Reworded)).then_some(())?;
        Some((articles[pair.left].0.clone(), articles[pair.right].0.clone(), content.words, content.pairs))
    };
    detector.pairs_of(articles, &all).unwrap().into_iter().filter_map(told).collect()
}

#[test]
fn a_census_that_was_begun_counts_what_was_committed_then() {
    let (articles, detector) = (articles(), Detector::new());
    let (folder, other) = (Folder::new(), Folder::new());
    let (first, later) = articles.split_at(100);
    let mut archive = Archive::create(folder.archive(), &detector).unwrap();
    archive.add_all(first).unwrap();
    archive.begin_census().unwrap();
    let mut slow = Archive::create(other.archive(), &detector).unwrap();
    slow.add_all(first).unwrap();
    slow.take_census().unwrap();
    // The archive goes on meanwhile.
    archive.add_all(later).unwrap();
    slow.add_all(later).unwrap();
    while archive.census() == 0 {
        std::thread::sleep(std::time::Duration::from_millis(5));
        archive.commit().unwrap();
    }
    slow.commit().unwrap();
    let answers =
        |archive: &Archive| articles.iter().map(|article| archive.matches(article).unwrap()).collect::<Vec<_>>();
    assert_eq!(answers(&archive), answers(&slow));
    // One that was begun is enough if nothing has changed since.
    archive.begin_census().unwrap();
    assert_eq!(archive.take_census().unwrap(), 2);
    archive.begin_census().unwrap();
    archive.remove(&articles[0].0).unwrap();
    assert_eq!((archive.take_census().unwrap(), archive.needs_census()), (4, false));
    drop(archive);
    let archive = ArchiveReader::open(folder.archive(), &detector).unwrap();
    assert_eq!(archive.census(), 4);
    let matches = archive.matches(&articles[1]).unwrap();
    slow.remove(&articles[0].0).unwrap();
    slow.take_census().unwrap();
    assert_eq!(matches, slow.matches(&articles[1]).unwrap());
}

/// So many words, drawn by a seed.
fn words(seed: u64, count: usize) -> Vec<String> {
    (0..count as u64).map(|at| format!("w{}o", random::mixed(seed << 32 | at) % 4000)).collect()
}

/// A text with one word in twenty changed.
fn edited(text: &[String], seed: u64) -> String {
    let mut text = text.to_vec();
    for (new, at) in words(seed, text.len() / 20).into_iter().zip(1 << 20..) {
        let at = random::mixed(seed << 32 | at) as usize % text.len();
        text[at] = new;
    }
    text.join(" ")
}

#[test]
fn what_is_told_again_and_again_is_never_new() {
    for (level, count, copies, with_census) in [
        (Level::Near, 200, 250, false),
        (Level::Near, 30, 120, false),
        (Level::Near, 120, 120, false),
        (Level::Reworded, 200, 160, true),
    ] {
        let (folder, detector) = (Folder::new(), Detector::builder().level(level).build().unwrap());
        let mut archive = Archive::create(folder.archive(), &detector).unwrap();
        let text = words(count as u64, count);
        let mut new = Vec::new();
        for copy in 0..copies {
            let copied = ("copy", edited(&text, copy));
            if archive.matches(&copied).unwrap().is_empty() {
                new.push(copy);
            }
            archive.add(&copied).unwrap();
            if with_census && copy == 100 {
                archive.take_census().unwrap();
            }
        }
        assert!(new.len() <= 2, "{level} {count} {with_census}: {new:?}");
    }
}

#[test]
fn a_story_that_prints_what_everybody_printed_is_not_new() {
    for (copies, with_page) in [(45, false), (300, false), (300, true)] {
        let (folder, detector) = (Folder::new(), Detector::builder().level(Level::Near).build().unwrap());
        let mut archive = Archive::create(folder.archive(), &detector).unwrap();
        // Longer than what is printed.
        let page = if with_page { words(1, 150).join(" ") } else { String::new() };
        for at in 0..if with_page { 300 } else { 0 } {
            archive.add(&("other", words(1000 + at, 200).join(" ") + " " + &page)).unwrap();
        }
        let release = words(2, 100).join(" ");
        let first = archive.stats().articles;
        for at in 0..copies {
            archive.add(&("release", format!("{} {release}", words(2000 + at, 8).join(" ")))).unwrap();
        }
        let story = format!("{} {release} {} {page}", words(3, 150).join(" "), words(4, 150).join(" "));
        let found = archive.matches(&("story", story)).unwrap();
        let is_release = |found: &&Match| found.number >= first;
        assert!(found.iter().filter(is_release).count() >= 10, "{copies} {with_page}: {found:?}");
    }
}

#[test]
fn what_is_of_another_time_does_not_hide_what_is_of_this_one() {
    let hours = std::time::Duration::from_secs(7 * 3600);
    let builder = Detector::builder().level(Level::Near).within(hours);
    let (folder, detector) = (Folder::new(), builder.build().unwrap());
    let mut archive = Archive::create(folder.archive(), &detector).unwrap();
    let text = words(5, 100);
    let mut all = Vec::new();
    for hour in 0..200 {
        let date = Some(format!("2024-05-{:02}T{:02}:00Z", hour / 24 + 1, hour % 24));
        let text = if hour % 2 == 0 { text.join(" ") } else { edited(&text, hour) };
        let notice = Story { id: format!("{hour}"), text, date, ..Story::default() };
        let found = archive.matches(&notice).unwrap();
        assert_eq!(found.len(), hour.min(7) as usize, "{hour}: {found:?}");
        archive.add(&notice).unwrap();
        all.push(notice);
        match hour {
            50 | 120 => archive.commit().unwrap(),
            100 => archive.merge().unwrap(),
            _ => {}
        }
    }
    for at in [0, 60, 130, 199] {
        let found = archive.matches(&all[at]).unwrap();
        assert!(found.iter().any(|found| found.number == at as u64), "{at}: {found:?}");
    }
    let undated = Story { date: None, ..all[199].clone() };
    assert!(archive.matches(&undated).unwrap().is_empty());
}

#[test]
fn texts_that_say_the_same_again_and_again_are_found() {
    let line = |count: usize| (words(6, 10).join(" ") + " ").repeat(count);
    let the = |count: usize| "the ".repeat(count);
    let table =
        |count: usize| words(7, 60).chunks(4).cycle().take(count).flatten().cloned().collect::<Vec<_>>().join(" ");
    let texts: Vec<[String; 2]> = vec![
        [the(98), the(160)],
        [the(160), the(500)],
        [the(500), the(4000)],
        [line(20), line(60) + " and so on"],
        [line(5), line(21)],
        [table(80), table(200)],
        [table(20), table(300)],
    ];
    let (folder, detector) = (Folder::new(), Detector::builder().level(Level::Near).build().unwrap());
    for [shorter, longer] in &texts {
        assert!(detector.compare_texts(shorter, longer).unwrap().relation.is_some(), "{shorter}");
        for (at, (archived, asked)) in [(shorter, longer), (longer, shorter)].into_iter().enumerate() {
            let folder = folder.0.path().join(format!("{} {at}", shorter.len()));
            let mut archive = Archive::create(folder, &detector).unwrap();
            archive.add(&("archived", archived)).unwrap();
            assert_eq!(archive.matches(&("asked", asked)).unwrap().len(), 1, "{archived} for {asked}");
        }
    }
}

#[test]
fn before_the_first_census_only_edited_copies_are_found() {
    let (folder, detector) = (Folder::new(), Detector::new());
    let mut archive = Archive::create(folder.archive(), &detector).unwrap();
    archive.add_all(&articles()).unwrap();
    archive.commit().unwrap();
    assert!(archive.needs_census());
    let (text, reworded) = corpus::rewordings(3, 6, 5);
    let found = archive.matches(&("new", format!("{text} they say"))).unwrap();
    assert!(found.iter().any(|found| found.relation == Relation::Near), "{found:?}");
    let of_reworded = |archive: &Archive| archive.matches(&("new", &reworded[0])).unwrap();
    assert!(of_reworded(&archive).iter().all(|found| found.relation != Relation::Reworded));
    archive.take_census().unwrap();
    assert!(of_reworded(&archive).iter().any(|found| found.relation == Relation::Reworded));
    assert!(!archive.needs_census());
}

#[test]
fn a_census_is_needed_where_something_is_judged_by_it() {
    let articles = articles();
    for (builder, is_judged_by) in [
        (Detector::builder(), true),
        (Detector::builder().level(Level::Near), false),
        (Detector::builder().level(Level::Near).excerpts(Excerpts::Find), true),
    ] {
        let folder = Folder::new();
        let mut archive = Archive::create(folder.archive(), &builder.build().unwrap()).unwrap();
        archive.add_all(&articles).unwrap();
        archive.commit().unwrap();
        assert_eq!(archive.needs_census(), is_judged_by);
        archive.take_census().unwrap();
        let tenth = articles.len() / 10;
        archive.add_all(&articles[..tenth]).unwrap();
        archive.commit().unwrap();
        let needs = [archive.needs_census(), archive.needs_census_after(0.2)];
        assert_eq!(needs, [is_judged_by, false]);
    }
}

#[test]
fn a_census_is_needed_where_as_many_came_as_went() {
    let (folder, articles) = (Folder::new(), articles());
    let mut archive = Archive::create(folder.archive(), &Detector::new()).unwrap();
    archive.add_all(&articles).unwrap();
    archive.take_census().unwrap();
    // A window that rolls on: the first go, and as many others come.
    let tenth = articles.len() / 10;
    for (id, text) in &articles[..tenth] {
        archive.remove(id).unwrap();
        archive.add(&(format!("new {id}"), text)).unwrap();
    }
    archive.commit().unwrap();
    assert_eq!(archive.stats().articles, articles.len() as u64);
    assert_eq!([archive.needs_census(), archive.needs_census_after(0.2)], [true, false]);
    archive.take_census().unwrap();
    assert!(!archive.needs_census());
    for (id, _) in &articles[tenth..2 * tenth] {
        archive.remove(id).unwrap();
    }
    archive.commit().unwrap();
    assert_eq!([archive.needs_census(), archive.needs_census_after(0.2)], [true, false]);
}

#[test]
fn what_is_too_large_is_told_and_the_rest_of_a_batch_is_taken() {
    let detector = Detector::builder().level(Level::Near).build().unwrap();
    let text = |at: usize| format!("The ferry number {at} leaves the harbour at nine and comes back at noon.");
    let most = 1 << 25;
    let articles = [
        ("a".to_string(), text(0)),
        ("long".into(), " ".repeat(most + 1)),
        ("i".repeat(most + 1), text(1)),
        ("b".into(), text(2)),
    ];
    for create in [Archive::create, Archive::create_without_texts] {
        let folder = Folder::new();
        let mut archive = create(folder.archive(), &detector).unwrap();
        let numbers = |told: Vec<Result<u64, Skipped>>| -> Vec<Result<u64, (usize, u64)>> {
            let reason = |skipped: Skipped| match skipped.reason {
                SkipReason::TooLarge { bytes, most: of } if of == most as u64 => (skipped.position, bytes),
                other => panic!("{other}"),
            };
            told.into_iter().map(|told| told.map_err(reason)).collect()
        };
        let added = archive.add_all(&articles).unwrap();
        let added = numbers(added.into_iter().map(|added| added.map(|added| added.number)).collect());
        assert_eq!((added[0], added[1], added[3]), (Ok(0), Err((1, most as u64 + 1)), Ok(1)));
        assert!(matches!(added[2], Err((2, bytes)) if bytes > most as u64));
        let told = archive.ask_and_add_all(&articles).unwrap();
        assert!(told[3].as_ref().is_ok_and(|(answer, _)| answer.matches.iter().any(|found| found.id == "b")));
        let again = numbers(told.into_iter().map(|told| told.map(|(_, number)| number)).collect());
        assert_eq!(again, [Ok(2), added[1], added[2], Ok(3)]);
        let too_large = |error: &Error| matches!(error, Error::Archive { fault: ArchiveFault::TooLarge { .. }, .. });
        let refused = |article| archive.add(article).is_err_and(|error| too_large(&error));
        assert_eq!(articles.iter().map(refused).collect::<Vec<_>>(), [false, true, true, false]);
        archive.commit().unwrap();
        assert_eq!(archive.stats().articles, 6);
    }
}

#[test]
fn a_reader_tells_figures_and_verifies_beside_a_writer() {
    let (folder, detector) = (Folder::new(), Detector::new());
    let mut archive = Archive::create(folder.archive(), &detector).unwrap();
    archive.add_all(&articles()).unwrap();
    archive.take_census().unwrap();
    archive.remove(&articles()[0].0).unwrap();
    archive.commit().unwrap();
    let figures = |stats: ArchiveStats| {
        (stats.articles, stats.removed, stats.segments, stats.bytes, stats.census, stats.counted, stats.keeps_texts)
    };
    let reader = ArchiveReader::open(folder.archive(), &detector).unwrap();
    for reader in [&reader, &archive.reader()] {
        assert_eq!(figures(reader.stats()), figures(archive.stats()));
        reader.verify().unwrap();
    }
    archive.add(&("late", "Snow closed the mountain road to Hallin for the third time in a week.")).unwrap();
    assert_eq!([archive.stats().articles, reader.stats().articles + 1], [articles().len() as u64; 2]);
    archive.commit().unwrap();
    reader.refresh().unwrap();
    assert_eq!(figures(reader.stats()), figures(archive.stats()));
    let census = fs::read_dir(folder.archive()).unwrap().map(|file| file.unwrap().path());
    let census = census.into_iter().find(|path| path.to_string_lossy().contains("census-")).unwrap();
    let mut bytes = fs::read(&census).unwrap();
    bytes[20] ^= 1;
    fs::write(&census, bytes).unwrap();
    let told = reader.verify().unwrap_err().to_string();
    assert!(told.contains("census-") && told.contains("damaged"), "{told}");
}

#[test]
fn readers_find_a_census_while_others_are_taken() {
    let (folder, detector) = (Folder::new(), Detector::new());
    let mut archive = Archive::create(folder.archive(), &detector).unwrap();
    archive.add(&("a", "The ferry leaves the harbour at nine and comes back at noon.")).unwrap();
    archive.take_census().unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let reader = ArchiveReader::open(folder.archive(), &detector).unwrap();
                reader.refresh().unwrap();
                reader.verify().unwrap();
            }
        });
        for day in 0..60 {
            archive.add(&("more", format!("On day {day} the ferry stayed in the harbour."))).unwrap();
            archive.take_census().unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        reading.join().unwrap();
    });
}

#[test]
fn without_its_manifest_an_archive_is_damaged_and_not_gone() {
    let (folder, detector) = (Folder::new(), Detector::new());
    let mut archive = Archive::create(folder.archive(), &detector).unwrap();
    archive.add(&("a", "The ferry leaves the harbour at nine.")).unwrap();
    archive.commit().unwrap();
    drop(archive);
    for entry in fs::read_dir(folder.archive()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("manifest") {
            fs::remove_file(path).unwrap();
        }
    }
    let tried = [Archive::create(folder.archive(), &detector), Archive::open(folder.archive(), &detector)];
    for refused in tried.map(|tried| tried.map(drop)) {
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("the manifest that names this file is missing"), "{error}");
    }
}

#[test]
fn a_new_rewording_of_what_stands_in_edited_copies_is_found() {
    for more in [0, 400] {
        let (folder, detector) = (Folder::new(), Detector::new());
        let mut archive = Archive::create(folder.archive(), &detector).unwrap();
        archive.add_all(&corpus::Corpus::new(100, 0.0, 11).articles).unwrap();
        let (text, reworded) = corpus::rewordings(3, 1, 5);
        let words: Vec<String> = text.split(' ').map(Into::into).collect();
        let copies = [("a", text.clone()), ("b", text.clone() + " they say"), ("c", text + " so it was said")];
        archive.add_all(&copies).unwrap();
        archive.add_all(&(0..more).map(|at| ("more", edited(&words, at))).collect::<Vec<_>>()).unwrap();
        archive.take_census().unwrap();
        let found = archive.matches(&("new", &reworded[0])).unwrap();
        let reworded = |id: &str| found.iter().any(|found| found.id == id && found.relation == Relation::Reworded);
        assert!(["a", "b", "c"].into_iter().all(reworded), "{more}: {found:?}");
    }
}

#[test]
fn matches_say_who_told_it_when_and_where() {
    let (folder, detector) = (Folder::new(), Detector::new());
    let mut archive = Archive::create(folder.archive(), &detector).unwrap();
    let text = "The ferry leaves the harbour at nine and comes back at noon, weather permitting, the owner said.";
    let date = Some("2024-05-17T09:30:00+02:00".to_owned());
    let story =
        Story { id: "a".into(), text: text.into(), date, source: Some("example.org".into()), ..Story::default() };
    archive.add(&story).unwrap();
    let reader = archive.reader();
    assert!(reader.matches(&story).unwrap().is_empty(), "it is not committed");
    archive.commit().unwrap();
    let found = reader.matches(&("b", text.to_uppercase())).unwrap();
    let [Match { number: 0, id, source, date, relation: Relation::Exact, .. }] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!((&**id, source.as_deref(), date.as_deref()), ("a", Some("example.org"), Some("2024-05-17T07:30:00Z")));
    assert!(reader.matches(&("c", "Snow")).unwrap().is_empty(), "it is too short to be compared");
    let day = Detector::builder().within(std::time::Duration::from_secs(86_400)).build().unwrap();
    let of_day = |date: &str| {
        let reader = ArchiveReader::open(folder.archive(), &day).unwrap();
        reader.matches(&Story { date: Some(date.into()), ..story.clone() }).unwrap().len()
    };
    assert_eq!((of_day("2024-05-18T07:30:00Z"), of_day("2024-05-18T07:30:01Z")), (1, 0));
    assert_eq!(archive.expire("2024-05-18").unwrap(), 1);
    archive.commit().unwrap();
    assert!(reader.matches(&story).unwrap().is_empty());
    assert!(archive.expire("yesterday").unwrap_err().to_string().contains("2024-05-17"));
}

#[test]
fn nothing_of_what_was_removed_is_left_after_compacting() {
    let (folder, detector) = (Folder::new(), Detector::new());
    let mut archive = Archive::create(folder.archive(), &detector).unwrap();
    archive.add_all(&articles()).unwrap();
    archive
        .add(&("secret-id", "Nobody may ever read of the xylophone in the attic of Mr Quibblesworth again."))
        .unwrap();
    archive.take_census().unwrap();
    assert_eq!(archive.remove("secret-id").unwrap(), 1);
    archive.commit().unwrap();
    archive.compact().unwrap();
    for file in fs::read_dir(folder.archive()).unwrap() {
        let (path, bytes) = (file.as_ref().unwrap().path(), fs::read(file.unwrap().path()).unwrap());
        let holds = |what: &str| bytes.windows(what.len()).any(|window| window == what.as_bytes());
        assert!(!holds("secret-id") && !holds("xylophone"), "{}", path.display());
    }
}

#[test]
fn without_texts_hardly_less_is_found_and_no_word_is_kept() {
    let (articles, detector) = (articles(), Detector::new());
    let folders = [Folder::new(), Folder::new()];
    let mut with_texts = Archive::create(folders[0].archive(), &detector).unwrap();
    let mut without = Archive::create_without_texts(folders[1].archive(), &detector).unwrap();
    for archive in [&mut with_texts, &mut without] {
        archive.add_all(&articles).unwrap();
        archive.take_census().unwrap();
    }
    let (mut both, mut missed, mut new) = ([0; 3], 0, 0);
    for (at, article) in articles.iter().enumerate() {
        let [expected, matches] = [&with_texts, &without].map(|archive| archive.matches(article).unwrap());
        for found in &matches {
            assert_eq!(found.is_estimated, found.relation != Relation::Exact, "{found:?}");
        }
        let [expected, matches] = [expected, matches].map(|matches| found(&matches, at));
        let has = |all: &[Told], of: &Told| all.iter().any(|told| told.0 == of.0 && told.1 == of.1);
        expected.iter().filter(|told| has(&matches, told)).for_each(|told| both[told.1 as usize] += 1);
        missed += expected.iter().filter(|told| !has(&matches, told)).count();
        new += matches.iter().filter(|told| !has(&expected, told)).count();
    }
    let all: usize = both.iter().sum();
    assert!(
        both.iter().all(|&both| both > 0) && 20 * missed < all && 20 * new < all,
        "{both:?}, not {missed}, but {new}"
    );

    let stats = without.stats();
    assert!(!stats.keeps_texts && with_texts.stats().keeps_texts && stats.bytes < with_texts.stats().bytes);
    assert!(without.report().unwrap().1.iter().all(|article| article.text.is_none()));
    let text = &articles[0].1;
    let words: Vec<&str> = text.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 5).collect();
    assert!(words.len() > 20);
    for file in fs::read_dir(folders[1].archive()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        let holds = |word: &&&str| bytes.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()));
        assert_eq!(words.iter().find(holds), None);
    }

    drop(without);
    let again = ArchiveReader::open(folders[1].archive(), &detector).unwrap();
    let exact = again.matches(&articles[0]).unwrap();
    assert_eq!((exact[0].number, exact[0].relation), (0, Relation::Exact));
    // Another ending is another text, of which the transcript is the same.
    let other = format!("{} say", text.trim_end());
    let near = again.matches(&("other", other)).unwrap();
    assert_eq!((near[0].number, near[0].relation), (0, Relation::Near));
}

#[test]
fn an_archive_without_texts_is_not_asked_for_passages() {
    let (folder, finding) = (Folder::new(), Detector::builder().excerpts(Excerpts::Find).build().unwrap());
    let is_refused = |error: &Error| matches!(error, Error::Archive { fault: ArchiveFault::NoTexts, .. });
    let created = Archive::create_without_texts(folder.archive(), &finding).unwrap_err();
    assert!(is_refused(&created) && !folder.archive().exists(), "{created}");
    drop(Archive::create_without_texts(folder.archive(), &Detector::new()).unwrap());
    let opened = [
        Archive::open(folder.archive(), &finding).unwrap_err(),
        ArchiveReader::open(folder.archive(), &finding).unwrap_err(),
    ];
    assert!(opened.iter().all(is_refused), "{opened:?}");
}

#[test]
fn an_archive_of_another_kind_or_a_damaged_one_is_refused() {
    let (folder, detector) = (Folder::new(), Detector::new());
    let mut archive = Archive::create(folder.archive(), &detector).unwrap();
    archive.add_all(&articles()).unwrap();
    archive.take_census().unwrap();
    let locked = Archive::open(folder.archive(), &detector).unwrap_err();
    assert!(matches!(locked, Error::Archive { fault: ArchiveFault::Locked, .. }), "{locked}");
    drop(archive);
    let other = Detector::builder().shingle(Shingle::Words(5)).build().unwrap();
    let refused = Archive::open(folder.archive(), &other).unwrap_err().to_string();
    assert!(refused.contains("3-word") && refused.contains("5-word"), "{refused}");
    let census = folder.archive().join("census-00000001");
    let mut bytes = fs::read(&census).unwrap();
    for at in [0, 9, bytes.len() / 2, bytes.len() - 1] {
        bytes[at] ^= 4;
        fs::write(&census, &bytes).unwrap();
        let error = Archive::open(folder.archive(), &detector).unwrap_err().to_string();
        assert!(error.contains("census-00000001: damaged at byte 0: the census does not check"), "{error}");
        bytes[at] ^= 4;
    }
    fs::write(&census, &bytes[..bytes.len() - 12]).unwrap();
    assert!(Archive::open(folder.archive(), &detector).is_err());
    fs::write(&census, &bytes).unwrap();
    let mut archive = Archive::open(folder.archive(), &detector).unwrap();
    archive.verify().unwrap();
    let reader = ArchiveReader::open(folder.archive(), &detector).unwrap();
    archive.take_census().unwrap();
    fs::remove_file(folder.archive().join("census-00000002")).unwrap();
    let gone = [archive.verify(), reader.refresh(), Archive::open(folder.archive(), &detector).map(drop)];
    assert!(matches!(gone[2], Err(Error::Archive { fault: ArchiveFault::Locked, .. })), "{gone:?}");
    drop(archive);
    let opened = [
        Archive::open(folder.archive(), &detector).map(drop),
        ArchiveReader::open(folder.archive(), &detector).map(drop),
    ];
    for gone in gone.into_iter().take(2).chain(opened) {
        let error = gone.unwrap_err().to_string();
        assert!(error.contains("census-00000002: damaged at byte 0: the census is missing"), "{error}");
    }
    let missing = Path::new("no/such/folder");
    let missing =
        [Archive::open(missing, &detector).unwrap_err(), ArchiveReader::open(missing, &detector).unwrap_err()];
    for missing in missing {
        assert!(matches!(missing, Error::Archive { fault: ArchiveFault::Missing, .. }), "{missing}");
    }
}

#[test]
fn exact_copies_in_other_capitals_change_no_verdict_on_others() {
    let (articles, detector) = (articles(), Detector::new());
    let titled = |text: &str| -> String {
        let mut opens = true;
        let capital = |letter: char| {
            let shown = if std::mem::replace(&mut opens, !letter.is_alphanumeric()) {
                letter.to_ascii_uppercase()
            } else {
                letter
            };
            opens = !letter.is_alphanumeric();
            shown
        };
        text.chars().map(capital).collect()
    };
    let copied = |change: &dyn Fn(&str) -> String| {
        let copies = articles.iter().map(|(id, text)| (format!("a copy of {id}"), change(text)));
        let (folder, all) = (Folder::new(), articles.iter().cloned().chain(copies).collect::<Vec<_>>());
        let mut archive = Archive::create(folder.archive(), &detector).unwrap();
        archive.add_all(&all).unwrap();
        archive.take_census().unwrap();
        let of_one = |at: usize| -> Vec<(usize, Relation)> {
            let matches = archive.matches(&articles[at]).unwrap();
            for evidence in matches.iter().filter_map(|found| found.evidence.as_ref()?.content.as_ref()) {
                assert!(evidence.words <= 1.0 && evidence.pairs <= 1.0, "{evidence:?}");
            }
            let originals = found(&matches, at).into_iter().filter(|&(other, ..)| other < articles.len());
            originals.map(|(other, relation, _)| (other, relation)).collect()
        };
        (0..articles.len()).map(of_one).collect::<Vec<_>>()
    };
    let same = copied(&|text| text.to_string());
    assert!(same.iter().flatten().any(|&(_, relation)| relation == Relation::Reworded));
    for change in [&|text: &str| text.to_uppercase() as String, &titled as &dyn Fn(&str) -> String] {
        assert_eq!(copied(change), same);
    }
}

#[test]
fn a_census_that_is_damaged_or_gone_is_taken_anew() {
    let (folder, articles, detector) = (Folder::new(), articles(), Detector::new());
    let mut archive = Archive::create(folder.archive(), &detector).unwrap();
    archive.add_all(&articles).unwrap();
    archive.take_census().unwrap();
    let answers = |archive: &Archive| -> Vec<Vec<Match>> {
        articles.iter().map(|article| archive.matches(article).unwrap()).collect()
    };
    let before = answers(&archive);
    assert!(before.iter().flatten().any(|found| found.relation == Relation::Reworded));
    drop(archive);
    let damages: [fn(&Path); 4] = [
        |census| fs::write(census, "").unwrap(),
        |census| {
            let mut bytes = fs::read(census).unwrap();
            bytes[9] ^= 4;
            fs::write(census, bytes).unwrap();
        },
        |census| fs::remove_file(census).unwrap(),
        // Nothing is wrong with it.
        |_| {},
    ];
    for (damage, number) in damages.into_iter().zip(1..) {
        damage(&folder.archive().join(format!("census-{number:08}")));
        let archive = Archive::recount(folder.archive(), &detector).unwrap();
        assert_eq!((archive.census(), answers(&archive)), (number + 1, before.clone()));
        archive.verify().unwrap();
        drop(archive);
        let files = fs::read_dir(folder.archive()).unwrap().map(|file| file.unwrap().file_name());
        assert_eq!(files.filter(|name| name.to_string_lossy().starts_with("census-")).count(), 1);
        let reader = ArchiveReader::open(folder.archive(), &detector).unwrap();
        assert_eq!(reader.matches(&articles[0]).unwrap(), before[0]);
    }
}

/// Articles from a file of JSON Lines that the environment names, in the order in which they stand there.
fn pool() -> Vec<(String, String)> {
    let path = std::env::var("RETOLD_POOL").expect("RETOLD_POOL names JSON Lines with id and text");
    let lines = fs::read_to_string(path).unwrap();
    let field = |line: &serde_json::Value, name: &str| line[name].as_str().unwrap_or_default().to_string();
    let article = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        (field(&line, "id"), field(&line, "text"))
    };
    lines.lines().map(article).collect()
}

#[test]
#[ignore = "takes minutes and a corpus; part of .ci/full"]
fn young_archives_answer_as_a_run_does_and_again_when_they_have_grown() {
    let (pool, detector) = (pool(), Detector::new());
    let (folder, mut early): (_, Vec<(usize, Vec<Told>)>) = (Folder::new(), Vec::new());
    let mut archive = Archive::create(folder.archive(), &detector).unwrap();
    let mut count = 0;
    for size in [4451, 22_255, 44_511].map(|size: usize| size.min(pool.len())) {
        archive.add_all(&pool[count..size]).unwrap();
        archive.commit().unwrap();
        count = size;
        // By the census of its time, an early answer is the same among many more.
        let (mut same, mut all) = (0, 0);
        for (at, before) in early.drain(..) {
            let again = found(&archive.matches(&pool[at]).unwrap(), at);
            all += before.len();
            same += before.iter().filter(|&copy| again.contains(copy)).count();
        }
        eprintln!("{size} articles: {same} of {all} early copies are told again");
        assert!(same * 1000 >= all * 995);
        archive.take_census().unwrap();
        let articles = &pool[..size];
        let all: Vec<usize> = (0..size).collect();
        let pairs = detector.pairs_of(articles, &all).unwrap();
        let copies: Vec<_> = pairs.iter().filter(|pair| pair.relation.is_some()).collect();
        let step = copies.len().div_ceil(2000);
        let (mut counts, mut missing) = ([(0, 0); 3], Vec::new());
        for pair in copies.iter().step_by(step) {
            let of = found(&archive.matches(&articles[pair.left]).unwrap(), pair.left);
            let told = of.iter().find(|&&(other, ..)| other == pair.right);
            let (right, all) = &mut counts[pair.relation.unwrap() as usize];
            *all += 1;
            match told {
                Some(&(_, relation, similarity)) => {
                    *right += 1;
                    assert_eq!((Some(relation), similarity), (pair.relation, pair.similarity), "{pair:?}");
                    early.push((pair.left, of));
                }
                None => missing.push((pair.left, pair.right, pair.relation.unwrap(), pair.similarity)),
            }
        }
        eprintln!("{size} articles: of exact, edited and reworded copies {counts:?} are found; not {missing:?}");
        let [_, (edited, all_edited), (reworded, all_reworded)] = counts;
        assert!(edited * 1000 >= all_edited * 998 && reworded * 1000 >= all_reworded * 985);
    }
}

#[derive(Clone, Debug)]
enum Change {
    Add(usize),
    AddMany(usize, usize),
    Remove(usize),
    RemoveNumber(usize),
    Expire(u32),
    Commit,
    Merge,
    Compact,
    Census,
    Reopen,
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        4 => (0usize..60).prop_map(Change::Add),
        4 => (0usize..60, 1usize..30).prop_map(|(from, many)| Change::AddMany(from, many)),
        2 => (0usize..60).prop_map(Change::Remove),
        1 => (0usize..60).prop_map(Change::RemoveNumber),
        1 => (1u32..28).prop_map(Change::Expire),
        3 => Just(Change::Commit),
        1 => Just(Change::Merge),
        1 => Just(Change::Compact),
        1 => Just(Change::Census),
        1 => Just(Change::Reopen),
    ];
    prop::collection::vec(change, 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.div_ceil(10)))]

    #[test]
    fn a_report_is_that_of_a_run_over_what_lives(changes in changes(), keeps_texts in any::<bool>()) {
        let stories: Vec<Story> = articles().into_iter().rev().take(60).zip(0..).map(|((id, text), at)| {
            let source = (at % 3 > 0).then(|| format!("outlet {}", at % 5));
            Story { id: if at % 7 == 0 { "same".into() } else { id }, text, date: Some(format!("2024-05-{:02}", at % 28 + 1)), source, ..Story::default()
 }
        }).collect();
        let (folder, excerpts) = (Folder::new(), if keeps_texts { Excerpts::Find } else { Excerpts::Ignore });
        let detector = Detector::builder().excerpts(excerpts).build().unwrap();
        let create = if keeps_texts { Archive::create } else { Archive::create_without_texts };
        let mut archive = create(folder.archive(), &detector).unwrap();
        let mut living: Vec<(u64, &Story)> = Vec::new();
        for change in changes {
            match change {
                Change::Add(at) => living.push((archive.add(&stories[at]).unwrap(), &stories[at])),
                Change::AddMany(from, many) => {
                    let many = &stories[from..(from + many).min(stories.len())];
                    let added = archive.add_all(many).unwrap();
                    living.extend(added.into_iter().map(|added| added.unwrap().number).zip(many));
                }
                Change::Remove(at) => {
                    let before = living.len();
                    living.retain(|(_, story)| story.id != stories[at].id);
                    prop_assert_eq!(archive.remove(&stories[at].id).unwrap() as usize, before - living.len());
                }
                Change::RemoveNumber(at) => {
                    let number = living.get(at).map_or(1 << 40, |&(number, _)| number);
                    prop_assert_eq!(archive.remove_number(number).unwrap(), at < living.len());
                    living.retain(|&(other, _)| other != number);
                }
                Change::Expire(day) => {
                    let before = format!("2024-05-{day:02}");
                    archive.expire(&before).unwrap();
                    living.retain(|(_, story)| story.date.as_ref() >= Some(&before));
                }
                Change::Commit => archive.commit().unwrap(),
                Change::Merge => archive.merge().unwrap(),
                Change::Compact => archive.compact().unwrap(),
                Change::Census => drop(archive.take_census().unwrap()),
                Change::Reopen => {
                    archive.commit().unwrap();
                    drop(archive);
                    archive = Archive::open(folder.archive(), &detector).unwrap();
                }
            }
        }
        archive.commit().unwrap();
        let (report, archived) = archive.report().unwrap();
        prop_assert_eq!(archived.iter().map(|article| article.number).collect::<Vec<_>>(), living.iter().map(|&(number, _)| number).collect::<Vec<_>>());
        let stories: Vec<&Story> = living.iter().map(|&(_, story)| story).collect();
        let expected = if keeps_texts {
            detector.find(&stories).unwrap()
        } else {
            let other = Folder::new();
            let mut other = Archive::create_without_texts(other.archive(), &detector).unwrap();
            other.add_all(&stories).unwrap();
            other.commit().unwrap();
            other.report().unwrap().0
        };
        prop_assert_eq!(report.clusters(), expected.clusters());
        prop_assert_eq!(report.removals(), expected.removals());
        prop_assert_eq!(report.excerpts(), expected.excerpts());
        prop_assert_eq!(report.skipped(), expected.skipped());
        archive.verify().unwrap();
    }
}
