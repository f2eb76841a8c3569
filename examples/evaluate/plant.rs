//! Passages of articles planted into others, to see how many are told.

use std::collections::{HashMap, HashSet};
use std::error::Error;

use retold::{Detector, Excerpts, Level, Report};
use twox_hash::XxHash3_64;

use crate::score::{Labels, ordered};

/// So many passages are planted.
const PLANTED: usize = 400;

/// A host has so many words at least.
const HOST_WORDS: usize = 80;

/// The places of a host and of the article that its passage is from.
type Planted = (usize, usize);

/// Of a passage this share of the words is changed where it is edited, one in so many.
const EDITED: u64 = 10;

/// Plants passages of so many words of plain documents into others, as they are and edited, and prints how many are told as excerpts,
/// and how many pairs stand in one cluster instead.
pub fn recall(labels: &Labels, articles: &[(String, String)], words: usize) -> Result<(), Box<dyn Error>> {
    for (is_edited, how) in [(false, "as they are"), (true, "one word in ten changed")] {
        let (corpus, planted) = plant(labels, articles, words, is_edited);
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
    Ok(())
}

/// The articles with passages planted. Drawn by hashes of the ids.
fn plant(
    labels: &Labels,
    articles: &[(String, String)],
    words: usize,
    is_edited: bool,
) -> (Vec<(String, String)>, Vec<Planted>) {
    let mut corpus = articles.to_vec();
    let draw = |id: &str, what: u64| XxHash3_64::oneshot_with_seed(what, id.as_bytes());
    let length = |at: &usize| articles[*at].1.split_whitespace().count();
    let mut plain: Vec<usize> = (0..articles.len()).filter(|&at| labels.is_plain(&articles[at].0)).collect();
    plain.sort_by_key(|&at| draw(&articles[at].0, 0));
    let sources: Vec<usize> = plain.iter().copied().filter(|at| 10 * length(at) >= 13 * words).take(PLANTED).collect();
    let is_source: HashSet<usize> = sources.iter().copied().collect();
    let hosts = plain.into_iter().filter(|at| !is_source.contains(at) && length(at) >= HOST_WORDS);
    let planted: Vec<Planted> = hosts.zip(sources).collect();
    for (number, &(host, source)) in (1..).zip(&planted) {
        let (id, text) = &articles[source];
        let all: Vec<&str> = text.split_whitespace().collect();
        let ends = |at: usize| at == 0 || all[at - 1].ends_with(['.', '!', '?', '"']);
        let starts: Vec<usize> = (0..=all.len() - words).filter(|&at| ends(at)).collect();
        let start = starts[(draw(id, 1) % starts.len() as u64) as usize];
        let other = |place: u64| -> Option<&str> {
            let (_, text) = &articles[(draw(id, place) % articles.len() as u64) as usize];
            let words: Vec<&str> = text.split_whitespace().collect();
            words.get(draw(id, place + 1) as usize % words.len().max(1)).copied()
        };
        let passage: Vec<&str> = (2..)
            .zip(&all[start..start + words])
            .map(|(at, &word)| match is_edited && draw(id, at << 20) % EDITED == 0 {
                true => other(at << 32).unwrap_or(word),
                false => word,
            })
            .collect();
        let text = &mut corpus[host].1;
        let sentences: Vec<usize> = text.match_indices(['.', '!', '?']).map(|(at, mark)| at + mark.len()).collect();
        let at = sentences.get(draw(id, number) as usize % sentences.len().max(1)).copied().unwrap_or(text.len());
        text.insert_str(at, &format!(" {}", passage.join(" ")));
    }
    (corpus, planted)
}

/// How many of the pairs are told as excerpts, by themselves or by a copy of one of them, and how many stand in one cluster.
fn count(corpus: &[(String, String)], report: &Report, planted: &[Planted]) -> (usize, usize) {
    let mut stories: HashMap<usize, usize> = HashMap::new();
    for (number, cluster) in report.clusters().iter().enumerate() {
        stories.extend(cluster.positions().map(|position| (position, corpus.len() + number)));
    }
    let story = |position: usize| stories.get(&position).copied().unwrap_or(position);
    let pair = |a: usize, b: usize| ordered(&story(a).to_string(), &story(b).to_string());
    let told: HashSet<_> =
        report.excerpts().iter().map(|excerpt| pair(excerpt.host.position, excerpt.source.position)).collect();
    let together = planted.iter().filter(|&&(host, source)| story(host) == story(source)).count();
    (planted.iter().filter(|&&(host, source)| told.contains(&pair(host, source))).count(), together)
}
