//! Runs the detector on labelled articles and says how right it is.
//!
//! `cargo run --release --example evaluate -- POOL [--judged TABLE] [--threads N] [--wrong N] [--plant WORDS] [--calibrate]`
//!
//! POOL holds `docs.jsonl` (`{"id", "text"}` a line), `labels.tsv` (id, cluster, set, family, relation; relation `none` for
//! distractors) and, if there are pairs that count neither way, `ignore.tsv` (two ids a line); each may be gzipped.

mod calibrate;
mod natural;
mod plant;
mod score;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use retold::{Detector, Search, Stage};

use natural::Judged;
use score::{Labels, Reliability, Scores};

#[derive(Parser)]
struct Options {
    /// Folder with docs.jsonl, labels.tsv and ignore.tsv.
    pool: PathBuf,
    /// Threads; 0 for as many as there are cores.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Print this many wrong pairs of each set, with their evidence.
    #[arg(long, default_value_t = 0)]
    wrong: usize,
    /// Compare all with all in a sample of about this many documents, and tell what the candidate stage keeps of what passes.
    #[arg(long)]
    exhaustive: Option<usize>,
    /// Pairs of the plain documents that readers judged: a table with tabs and the columns left, right, verdict, weight, source.
    #[arg(long)]
    judged: Option<PathBuf>,
    /// Put this many rewritings for each hundred documents into the plain ones, and show how many of their pairs are found.
    #[arg(long, value_name = "PERCENT")]
    dilute: Option<usize>,
    /// Plant passages of this many words, and whole rewritings, into the plain documents, and show how many are told as excerpts.
    #[arg(long, value_name = "WORDS")]
    plant: Option<usize>,
    /// Fit the rule for rewordings on this pool, and show how it does on families that it has not seen.
    #[arg(long)]
    calibrate: bool,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    rayon::ThreadPoolBuilder::new().num_threads(options.threads).build_global()?;
    let labels =
        Labels::read(&rows(&options.pool, "labels.tsv")?, &rows(&options.pool, "ignore.tsv").unwrap_or_default())?;
    let mut articles: Vec<(String, String)> = Vec::new();
    for line in open(&options.pool, "docs.jsonl")?.lines() {
        let record: HashMap<String, serde_json::Value> = serde_json::from_str(&line?)?;
        let field = |name: &str| record.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_string();
        articles.push((field("id"), field("text")));
    }
    let judged = match &options.judged {
        Some(path) => Judged::read(&rows(Path::new(""), path)?)?,
        None => Judged::default(),
    };
    if let Some(percent) = options.dilute {
        return diluted(&labels, &judged, &articles, percent);
    }
    if let Some(words) = options.plant {
        return plant::recall(&labels, &articles, words);
    }
    if options.calibrate {
        return calibrate::leave_one_out(&labels, &judged, &articles);
    }
    if let Some(sample) = options.exhaustive {
        return candidate_recall(&labels, &articles, sample);
    }
    let start = Instant::now();
    let report = Detector::new().find(&articles)?;
    let seconds = start.elapsed().as_secs_f64();

    let ids: Vec<&str> = articles.iter().map(|(id, _)| id.as_str()).collect();
    let scores = Scores::of(&labels, &ids, &report)?;
    print!("{scores}");
    if options.judged.is_some() {
        let plain: Vec<_> = articles.iter().filter(|(id, _)| labels.is_plain(id)).collect();
        let report = Detector::new().find(&plain)?;
        print!("{}", judged.count(&report));
    }
    let summary = report.summary();
    let per_text = |n: u64| 2.0 * n as f64 / articles.len() as f64;
    println!("candidates a document      {:.1}", per_text(summary.candidates));
    println!("verified a document        {:.2}", per_text(summary.verified));
    println!("crowded buckets            {}", summary.crowded);
    println!("seconds                    {seconds:.2}  {:.1} MB/s", summary.bytes as f64 / 1e6 / seconds);
    for stage in Stage::ALL {
        println!("  {:24} {:.2}", stage.to_string(), summary.time(*stage).as_secs_f64());
    }
    let pairs = Detector::new().pairs(&articles)?;
    for (set, (found, truth)) in &labels.recall(&ids, &report, &pairs) {
        println!("candidates of {set:26} {:.4} of {truth}", *found as f64 / *truth as f64);
    }
    print!("{}", Reliability::of(&labels, &ids, &pairs));
    for (name, (right, truth)) in &labels.recall_by_length(&articles, &report) {
        println!("recall, length ratio {name:22} {:.4} of {truth}", *right as f64 / *truth as f64);
    }
    if options.wrong > 0 {
        scores.print_wrong(&labels, &report, options.wrong);
    }
    Ok(())
}

/// Finds copies among the plain documents and whole clusters of rewritings, so many of a hundred as the former are.
fn diluted(
    labels: &Labels,
    judged: &Judged,
    articles: &[(String, String)],
    percent: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    let (mut corpus, mut planted): (Vec<_>, Vec<_>) = articles.iter().cloned().partition(|(id, _)| labels.is_plain(id));
    // Clusters in an order that is as good as drawn by lot.
    let cluster = |article: &(String, String)| labels.shard(&article.0, 1 << 40);
    planted.sort_by_key(cluster);
    let (wanted, mut taken) = (corpus.len() * percent / 100, 0);
    for cluster in planted.chunk_by(|a, b| cluster(a) == cluster(b)).filter(|cluster| cluster.len() > 1) {
        if taken >= wanted {
            break;
        }
        taken += cluster.len();
        corpus.extend_from_slice(cluster);
    }
    let report = Detector::new().find(&corpus)?;
    let pairs = labels.recall_by_length(&corpus, &report).into_values();
    let (found, all) = pairs.fold((0, 0), |sum, (found, all)| (sum.0 + found, sum.1 + all));
    println!("{taken} rewritings: recall of their pairs {:.4} of {all}", found as f64 / all.max(1) as f64);
    print!("{}", judged.count(&report));
    Ok(())
}

/// Holds the candidates in a sample of whole clusters against comparing all with all.
fn candidate_recall(
    labels: &Labels,
    articles: &[(String, String)],
    sample: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    let shards = (articles.len() / sample.max(1)).max(1) as u64;
    let sample: Vec<_> = articles.iter().filter(|(id, _)| labels.shard(id, shards) == 0).cloned().collect();
    let copies = |search| -> Result<HashSet<(usize, usize)>, retold::Error> {
        let pairs = Detector::builder().search(search).build()?.pairs(&sample)?;
        Ok(pairs.iter().filter(|pair| pair.relation.is_some()).map(|pair| (pair.left, pair.right)).collect())
    };
    let (all, kept) = (copies(Search::Exhaustive)?, copies(Search::Candidates)?);
    let both = all.intersection(&kept).count();
    println!(
        "{} documents: of {} pairs that exhaustive verification accepts, the candidates keep {both}: {:.4}",
        sample.len(),
        all.len(),
        both as f64 / all.len().max(1) as f64
    );
    Ok(())
}

/// Opens a file of the pool, gzipped or not.
fn open(pool: &Path, name: impl AsRef<Path>) -> std::io::Result<BufReader<Box<dyn Read>>> {
    let plain = pool.join(name);
    let reader: Box<dyn Read> = match File::open(&plain) {
        Ok(file) => Box::new(file),
        Err(_) => {
            let mut packed = plain.into_os_string();
            packed.push(".gz");
            Box::new(flate2::read::MultiGzDecoder::new(File::open(packed)?))
        }
    };
    Ok(BufReader::with_capacity(1 << 20, reader))
}

/// The rows of a table with tabs, in the pool or at a path of its own.
fn rows(pool: &Path, name: impl AsRef<Path>) -> std::io::Result<Vec<Vec<String>>> {
    open(pool, name.as_ref())?.lines().map(|line| Ok(line?.split('\t').map(String::from).collect())).collect()
}
