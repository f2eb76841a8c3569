//! Passages of articles planted into others, to see how many are told.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::ops::Range;

use retold::{Detector, Excerpt, Excerpts, Level, Report};
use twox_hash::XxHash3_64;

use crate::score::{Labels, Verdict};

/// So many passages are planted.
const PLANTED: usize = 400;

/// A host has so many words at least.
const HOST_WORDS: usize = 80;

/// The places of a host and of the article that its passage is from.
type Planted = (usize, usize);

/// Where a passage is edited one word in each run of so many is changed.
const EDITED: usize = 10;

/// Plants passages of so many words of plain documents into others, as they are and edited, and prints how many are told as excerpts,
/// and how many pairs stand in one cluster instead.
pub fn recall(labels: &Labels, articles: &[(String, String)], words: usize) -> Result<(), Box<dyn Error>> {
    let mut plain: Vec<usize> = (0..articles.len()).filter(|&at| labels.is_plain(&articles[at].0)).collect();
    plain.sort_by_key(|&at| drawn(&articles[at].0, 0));
    let passages = passages(articles, &plain, words);
    for (is_edited, how) in [(false, "as they are"), (true, "one word in ten changed")] {
        let (corpus, planted) = plant(articles, &plain, &passages, is_edited);
        for level in [Level::Reworded, Level::Near] {
            let report = Detector::builder().level(level).excerpts(Excerpts::Find).build()?.find(&corpus)?;
            let (told, together) = count(&corpus, &report, &planted);
            let share = |part: usize| part as f64 / planted.len().max(1) as f64;
            println!(
                "{} passages of {words} words, {how}, level {level}: {:.3} told, {:.3} of the pairs in one cluster",
                planted.len(),
                share(told),
                share(together)
            );
        }
    }
    let (corpus, planted) = plant_rewritings(labels, articles);
    let report = Detector::builder().excerpts(Excerpts::Find).build()?.find(&corpus)?;
    let (told, together) = count(&corpus, &report, &planted);
    println!(
        "{} rewritings of whole articles: {:.3} told, {:.3} of the pairs in one cluster",
        planted.len(),
        told as f64 / planted.len().max(1) as f64,
        together as f64 / planted.len().max(1) as f64
    );
    Ok(())
}

/// The articles, of each cluster of rewritings one; another one of it stands in a plain document, if it has some hundred words.
fn plant_rewritings(labels: &Labels, articles: &[(String, String)]) -> (Vec<(String, String)>, Vec<Planted>) {
    let length = |at: usize| articles[at].1.split_whitespace().count();
    let (mut hosts, mut rewritings): (Vec<usize>, Vec<usize>) =
        (0..articles.len()).partition(|&at| labels.is_plain(&articles[at].0));
    hosts.retain(|&at| length(at) >= 2 * HOST_WORDS);
    hosts.sort_by_key(|&at| XxHash3_64::oneshot_with_seed(0, articles[at].0.as_bytes()));
    let cluster = |at: &usize| labels.shard(&articles[*at].0, 1 << 40);
    rewritings.sort_by_key(|at| (cluster(at), *at));
    let mut corpus: Vec<(String, String)> = hosts.iter().map(|&at| articles[at].clone()).collect();
    let mut planted = Vec::new();
    for of_one in rewritings.chunk_by(|a, b| cluster(a) == cluster(b)) {
        let source = of_one[0];
        corpus.push(articles[source].clone());
        let is_wanted = |at: &&usize| {
            (60..=250).contains(&length(**at))
                && labels.verdict(&articles[source].0, &articles[**at].0) == Verdict::Right
        };
        if let Some(&rewriting) = of_one[1..].iter().find(is_wanted).filter(|_| planted.len() < PLANTED) {
            let host = planted.len();
            insert(&mut corpus[host].1, &articles[rewriting].1, host as u64);
            planted.push((host, corpus.len() - 1));
        }
    }
    (corpus, planted)
}

/// Puts a passage between two sentences of a text.
fn insert(text: &mut String, passage: &str, draw: u64) {
    let sentences: Vec<usize> = text.match_indices(['.', '!', '?']).map(|(at, mark)| at + mark.len()).collect();
    let at = sentences.get(draw as usize % sentences.len().max(1)).copied().unwrap_or(text.len());
    text.insert_str(at, &format!(" {passage}"));
}

/// A passage of an article: its words from one on.
struct Passage<'a> {
    source: usize,
    start: usize,
    words: Vec<&'a str>,
}

/// Words in a row that tell whether a passage stands elsewhere too.
const RUN: usize = 5;

/// A passage is planted if no more than one in so many of its runs of words stands elsewhere: one that does is part of a page or a form, or
/// was taken over before, and nobody can say from where the planted one is.
const ELSEWHERE: usize = 5;

/// The passages of so many articles that stand nowhere else. Drawn by hashes of the ids.
fn passages<'a>(articles: &'a [(String, String)], plain: &[usize], words: usize) -> Vec<Passage<'a>> {
    let draw = |at: usize| {
        let (id, text) = &articles[at];
        let all: Vec<&str> = text.split_whitespace().collect();
        let ends = |at: usize| at == 0 || all[at - 1].ends_with(['.', '!', '?', '"']);
        let starts: Vec<usize> = (0..=all.len() - words).filter(|&at| ends(at)).collect();
        let start = starts[(drawn(id, 1) % starts.len() as u64) as usize];
        Passage { source: at, start, words: all[start..start + words].to_vec() }
    };
    let length = |at: &usize| articles[*at].1.split_whitespace().count();
    let long = plain.iter().copied().filter(|at| 10 * length(at) >= 13 * words);
    let tried: Vec<Passage> = long.take(2 * PLANTED).map(draw).collect();
    let mut runs: HashMap<&[&str], Vec<usize>> = HashMap::new();
    for (number, passage) in tried.iter().enumerate() {
        passage.words.windows(RUN).for_each(|run| runs.entry(run).or_default().push(number));
    }
    let mut elsewhere: Vec<HashSet<&[&str]>> = vec![HashSet::new(); tried.len()];
    for (at, (_, text)) in articles.iter().enumerate() {
        let all: Vec<&str> = text.split_whitespace().collect();
        for (start, run) in all.windows(RUN).enumerate() {
            let Some((&run, passages)) = runs.get_key_value(run) else { continue };
            for &number in passages {
                let passage = &tried[number];
                if passage.source != at || !(passage.start..passage.start + words).contains(&start) {
                    elsewhere[number].insert(run);
                }
            }
        }
    }
    let stands_alone = |number: usize| ELSEWHERE * elsewhere[number].len() <= words - RUN + 1;
    let alone: Vec<bool> = (0..tried.len()).map(stands_alone).collect();
    tried.into_iter().zip(alone).filter(|(_, alone)| *alone).map(|(passage, _)| passage).take(PLANTED).collect()
}

fn drawn(id: &str, what: u64) -> u64 {
    XxHash3_64::oneshot_with_seed(what, id.as_bytes())
}

/// The articles with passages planted into plain ones. Drawn by hashes of the ids.
fn plant(
    articles: &[(String, String)],
    plain: &[usize],
    passages: &[Passage<'_>],
    is_edited: bool,
) -> (Vec<(String, String)>, Vec<Planted>) {
    let mut corpus = articles.to_vec();
    let is_source: HashSet<usize> = passages.iter().map(|passage| passage.source).collect();
    let is_host = |at: &usize| !is_source.contains(at) && articles[*at].1.split_whitespace().count() >= HOST_WORDS;
    let mut planted = Vec::new();
    for (host, passage) in plain.iter().copied().filter(is_host).zip(passages) {
        let id = &articles[passage.source].0;
        let mut words = passage.words.clone();
        let other = |place: u64| -> Option<&str> {
            let (_, text) = &articles[(drawn(id, place) % articles.len() as u64) as usize];
            let words: Vec<&str> = text.split_whitespace().collect();
            words.get(drawn(id, place + 1) as usize % words.len().max(1)).copied()
        };
        if is_edited {
            for (run, of_passage) in (2..).zip(words.chunks_exact_mut(EDITED)) {
                let at = drawn(id, run << 20) as usize % EDITED;
                of_passage[at] = other(run << 32).unwrap_or(of_passage[at]);
            }
        }
        planted.push((host, passage.source));
        insert(&mut corpus[host].1, &words.join(" "), drawn(id, planted.len() as u64));
    }
    (corpus, planted)
}

/// How many of the pairs are told as excerpts, by themselves or by a copy of one of them, and how many stand in one cluster. Where three or
/// four hold a passage each is told with the first of them, and where five and more do it is told once, with all of them.
fn count(corpus: &[(String, String)], report: &Report, planted: &[Planted]) -> (usize, usize) {
    let mut stories: HashMap<usize, usize> = HashMap::new();
    for (number, cluster) in report.clusters().iter().enumerate() {
        stories.extend(cluster.positions().map(|position| (position, corpus.len() + number)));
    }
    let story = |position: usize| stories.get(&position).copied().unwrap_or(position);
    let places: HashMap<&str, usize> = corpus.iter().zip(0..).map(|((id, _), at)| (id.as_str(), at)).collect();
    // What is told of one passage of a source.
    let mut of_source: HashMap<usize, Vec<&Excerpt>> = HashMap::new();
    report.excerpts().iter().for_each(|excerpt| of_source.entry(excerpt.source.position).or_default().push(excerpt));
    let is_same = |a: &Range<usize>, b: &Range<usize>| {
        2 * a.end.min(b.end).saturating_sub(a.start.max(b.start)) >= a.len().max(b.len())
    };
    let holders = |excerpt: &Excerpt| -> HashSet<usize> {
        let others = excerpt.others.iter().filter_map(|id| places.get(id.as_str()).copied());
        let beside = of_source[&excerpt.source.position].iter();
        let beside = beside.filter(|other| is_same(&other.source.span, &excerpt.source.span));
        others.chain(beside.map(|other| other.host.position)).chain([excerpt.source.position]).map(story).collect()
    };
    let mut told: HashMap<usize, Vec<HashSet<usize>>> = HashMap::new();
    for holders in report.excerpts().iter().map(holders) {
        holders.iter().for_each(|&holder| told.entry(holder).or_default().push(holders.clone()));
    }
    let is_told = |&&(host, source): &&Planted| {
        told.get(&story(host)).is_some_and(|told| told.iter().any(|holders| holders.contains(&story(source))))
    };
    let together = planted.iter().filter(|&&(host, source)| story(host) == story(source)).count();
    (planted.iter().filter(is_told).count(), together)
}
