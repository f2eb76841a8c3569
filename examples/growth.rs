//! How time, memory and accuracy grow with the number of articles.
//!
//! `cargo run --release --example growth -- 10000 100000 1000000`
//! `cargo run --release --example growth -- --copies 10000,100000 --template 10000,100000`
//! `cargo run --release --example growth -- --archive 10000 100000`
//!
//! The articles are synthetic, with planted copies, as `benches/corpus` makes them; a million take 2 GB. Each size runs in a
//! process of its own, so that the peaks of memory do not mix.

#[path = "../benches/corpus/mod.rs"]
mod corpus;

use std::process::Command;
use std::time::Instant;

use clap::Parser;
use rayon::prelude::*;
use retold::{Archive, ArchiveReader, Article, Detector, Excerpts, Level, Report, Stage};

use corpus::{Corpus, Kind, Planted, Rng, spell_name};

#[derive(Parser)]
struct Options {
    /// Numbers of articles of the generated corpora.
    sizes: Vec<usize>,
    /// Numbers of copies of one article.
    #[arg(long, value_delimiter = ',')]
    copies: Vec<usize>,
    /// Numbers of fillings of one template.
    #[arg(long, value_delimiter = ',')]
    template: Vec<usize>,
    /// Share of the articles of a generated corpus that are planted copies.
    #[arg(long, default_value_t = 0.06)]
    planted: f64,
    /// Names the corpus: another seed, other articles.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Look for exact and edited copies only.
    #[arg(long)]
    near: bool,
    /// Add the articles to an archive, and ask it about five thousand of them.
    #[arg(long)]
    archive: bool,
    /// Keep no texts in it.
    #[arg(long, requires = "archive")]
    without_texts: bool,
    /// Ask it for passages as well.
    #[arg(long, requires = "archive")]
    excerpts: bool,
    /// Threads; 0 for as many as there are cores.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Print one row for what is asked, without a process of its own.
    #[arg(long, hide = true)]
    row: bool,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    if options.row {
        return row(&options);
    }
    let numbers = |numbers: &[usize]| numbers.iter().map(ToString::to_string).collect::<Vec<_>>();
    let sizes = numbers(&options.sizes).into_iter().map(|size| vec![size]);
    let copies = numbers(&options.copies).into_iter().map(|copies| vec!["--copies".to_string(), copies]);
    let fillings = numbers(&options.template).into_iter().map(|fillings| vec!["--template".to_string(), fillings]);
    let (planted, seed, threads) = (options.planted.to_string(), options.seed.to_string(), options.threads.to_string());
    let stages = Stage::ALL.iter().map(Stage::to_string).collect::<Vec<_>>().join(" | ");
    if options.archive {
        println!(
            "| articles | added a second | census, seconds | bytes on disk an article | open, ms | asked, ms: median | 99 % | \
             recall exact | edited | reworded | a day of thirty expired, ms |"
        );
        println!("|{}", " ---: |".repeat(11));
    } else {
        println!(
            "| articles | MB | seconds | {stages} | µs an article | candidates an article | recall exact | edited | reworded | \
         precision | bytes beyond the text an article |"
        );
        println!("|{}", " ---: |".repeat(10 + Stage::ALL.len()));
    }
    for what in sizes.chain(copies).chain(fillings) {
        let mut child = Command::new(std::env::current_exe()?);
        child.arg("--row").args(what).args(["--planted", &planted, "--seed", &seed, "--threads", &threads]);
        child.args(options.near.then_some("--near")).args(options.archive.then_some("--archive"));
        child.args(options.without_texts.then_some("--without-texts")).args(options.excerpts.then_some("--excerpts"));
        let status = child.status()?;
        if !status.success() {
            return Err(format!("the process for one size ended with {status}").into());
        }
    }
    Ok(())
}

/// Runs the detector on one set of articles and prints its row of the table.
fn row(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    rayon::ThreadPoolBuilder::new().num_threads(options.threads).build_global()?;
    // The program itself, a few megabytes, would weigh on the small corpora.
    let program = memory("VmRSS:").unwrap_or(0);
    let (what, corpus) = match (&options.copies[..], &options.template[..], &options.sizes[..]) {
        ([copies], ..) => ("copies", one_article(*copies, options.seed)),
        (_, [fillings], _) => ("fillings", one_template(*fillings, options.seed)),
        (.., [size]) => ("", Corpus::new(*size, options.planted, options.seed)),
        _ => return Err("a row is of one size".into()),
    };
    let articles = &corpus.articles;
    // Text and ids with the space that holds them, exactly as long as they are.
    let given: usize =
        articles.iter().map(|(id, text)| id.capacity() + text.capacity()).sum::<usize>() + size_of_val(&articles[..]);
    let level = if options.near { Level::Near } else { Level::Reworded };
    let excerpts = if options.excerpts { Excerpts::Find } else { Excerpts::Ignore };
    let detector = Detector::builder().level(level).excerpts(excerpts).build()?;
    if options.archive {
        return archive(&detector, &corpus, options.without_texts);
    }
    let start = Instant::now();
    let report = detector.find(articles)?;
    let seconds = start.elapsed().as_secs_f64();

    let n = articles.len() as f64;
    let of_stage = |&stage: &Stage| format!("{:.2}", report.summary().time(stage).as_secs_f64());
    let stages = Stage::ALL.iter().map(of_stage).collect::<Vec<_>>().join(" | ");
    let scores = Scores::of(&report, &corpus.planted, articles.len());
    let memory = memory("VmHWM:");
    let memory = memory.map_or("?".into(), |peak| format!("{:.0}", peak.saturating_sub(given + program) as f64 / n));
    println!(
        "| {} | {:.1} | {seconds:.2} | {stages} | {:.1} | {:.1} | {} | {} | {memory} |",
        format!("{} {what}", articles.len()).trim_end(),
        report.summary().bytes as f64 / 1e6,
        1e6 * seconds / n,
        2.0 * report.summary().candidates as f64 / n,
        Kind::ALL.map(|kind| scores.recall(kind)).join(" | "),
        scores.precision(),
    );
    Ok(())
}

/// An article of a day.
struct Dated<'a> {
    article: &'a (String, String),
    date: String,
}

impl<'a> Dated<'a> {
    /// The articles of thirty days, those of each day in a row.
    fn all(articles: &'a [(String, String)]) -> Vec<Self> {
        let day = |at: usize| format!("2024-06-{:02}", 1 + at * 30 / articles.len());
        articles.iter().enumerate().map(|(at, article)| Self { article, date: day(at) }).collect()
    }
}

impl Article for Dated<'_> {
    fn id(&self) -> &str {
        &self.article.0
    }

    fn text(&self) -> &str {
        &self.article.1
    }

    fn date(&self) -> Option<&str> {
        Some(&self.date)
    }
}

/// Adds the articles to an archive, asks it about planted copies and others, and prints the row.
fn archive(
    detector: &Detector,
    Corpus { articles, planted }: &Corpus,
    without_texts: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    /// Articles that are committed together, and that are asked about.
    const TOGETHER: usize = 10_000;
    const ASKED: usize = 5000;
    let folder = tempfile::tempdir()?;
    let folder = folder.path().join("archive");
    let articles = Dated::all(articles);
    let start = Instant::now();
    let create = if without_texts { Archive::create_without_texts } else { Archive::create };
    let mut archive = create(&folder, detector)?;
    for articles in articles.chunks(TOGETHER) {
        archive.add_all(articles)?;
        archive.commit()?;
    }
    let added = articles.len() as f64 / start.elapsed().as_secs_f64();
    let start = Instant::now();
    archive.take_census()?;
    let census = start.elapsed().as_secs_f64();
    drop(archive);
    let mut on_disk = 0;
    for file in std::fs::read_dir(&folder)? {
        // What memory is left by a census may hold little of the files, and it is not the disk that is asked about.
        on_disk += std::io::copy(&mut std::fs::File::open(file?.path())?, &mut std::io::sink())?;
    }
    let start = Instant::now();
    let archive = ArchiveReader::open(&folder, detector)?;
    let open = start.elapsed().as_secs_f64();
    let mut found = [(0, 0); 3];
    let mut took = Vec::with_capacity(ASKED);
    let step = (planted.len() / (ASKED / 2)).max(1);
    let of_planted = planted.iter().step_by(step).map(|pair| (pair.copy, Some(pair)));
    let of_all = (0..articles.len()).step_by((articles.len() / (ASKED / 2)).max(1)).map(|at| (at, None));
    for (at, pair) in of_planted.chain(of_all) {
        let start = Instant::now();
        let matches = archive.ask(&articles[at])?.matches;
        took.push(start.elapsed().as_secs_f64());
        if let Some(&Planted { kind, source, .. }) = pair {
            let (right, all) = &mut found[kind as usize];
            *right += usize::from(matches.iter().any(|found| found.number == source as u64));
            *all += 1;
        }
    }
    took.sort_by(f64::total_cmp);
    drop(archive);
    let mut archive = Archive::open(&folder, detector)?;
    let start = Instant::now();
    archive.expire("2024-06-02")?;
    archive.commit()?;
    let expired = start.elapsed().as_secs_f64();
    let n = articles.len() as f64;
    println!(
        "| {} | {added:.0} | {census:.1} | {:.0} | {:.0} | {:.2} | {:.2} | {} | {:.1} |",
        articles.len(),
        on_disk as f64 / n,
        1e3 * open,
        1e3 * took[took.len() / 2],
        1e3 * took[took.len() * 99 / 100],
        found.map(|(right, all)| share(right, all)).join(" | "),
        1e3 * expired,
    );
    Ok(())
}

/// How many planted copies were found, and how much of what was found was planted.
struct Scores {
    /// For each kind: how many stand in one cluster with their source, of how many.
    found: [(usize, usize); 3],
    right: usize,
    reported: usize,
}

impl Scores {
    fn of(report: &Report, planted: &[Planted], articles: usize) -> Self {
        let mut cluster_of = vec![usize::MAX; articles];
        let mut source_of: Vec<usize> = (0..articles).collect();
        planted.iter().for_each(|pair| source_of[pair.copy] = pair.source);
        let mut scores = Self { found: [(0, 0); 3], right: 0, reported: 0 };
        for (number, cluster) in report.clusters().iter().enumerate() {
            let source = source_of[cluster.representative().position];
            cluster.positions().for_each(|position| cluster_of[position] = number);
            scores.right += cluster.members().iter().filter(|member| source_of[member.position] == source).count();
            scores.reported += cluster.members().len();
        }
        for pair in planted {
            let (found, all) = &mut scores.found[pair.kind as usize];
            *all += 1;
            let cluster = cluster_of[pair.copy];
            *found += usize::from(cluster != usize::MAX && cluster == cluster_of[pair.source]);
        }
        scores
    }

    fn recall(&self, kind: Kind) -> String {
        let (found, all) = self.found[kind as usize];
        share(found, all)
    }

    /// The share of members that have the same source as their representative.
    fn precision(&self) -> String {
        share(self.right, self.reported)
    }
}

fn share(part: usize, whole: usize) -> String {
    if whole == 0 { "-".into() } else { format!("{:.4}", part as f64 / whole as f64) }
}

/// The memory that this process holds, or the most that it ever held, in bytes; only Linux tells.
fn memory(field: &str) -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    Some(line.split_ascii_whitespace().nth(1)?.parse::<usize>().ok()? * 1024)
}

fn one_article(copies: usize, seed: u64) -> Corpus {
    let Corpus { articles: one, .. } = Corpus::new(1, 0.0, seed);
    let articles = (0..copies).map(|at| (format!("{at:07}"), one[0].1.clone())).collect();
    let planted = (1..copies).map(|copy| Planted { kind: Kind::Exact, source: 0, copy }).collect();
    Corpus { articles, planted }
}

/// Reports of earnings that share all words but names and numbers. Each tells of another company: none is a copy.
fn one_template(fillings: usize, seed: u64) -> Corpus {
    let article = |at: usize| {
        let mut rng = Rng::of(&[seed, at as u64]);
        let [company, first, last, town] = std::array::from_fn(|_| {
            let mut name = String::new();
            spell_name(&mut name, rng.below(1 << 40));
            name
        });
        let mut text = String::new();
        for piece in TEMPLATE.split('{') {
            let (slot, rest) = piece.split_once('}').unwrap_or(("", piece));
            match slot {
                "company" => text.push_str(&company),
                "chief" => text.extend([&first, " ", &last]),
                "town" => text.push_str(&town),
                "million" => text.push_str(&format!("{}.{}", rng.below(900), rng.below(10))),
                "cents" => text.push_str(&rng.below(300).to_string()),
                _ => {}
            }
            text.push_str(rest);
        }
        text.shrink_to_fit();
        (format!("{at:07}"), text)
    };
    Corpus { articles: (0..fillings).into_par_iter().map(article).collect(), planted: Vec::new() }
}

const TEMPLATE: &str = "\
{company} reports results for the third quarter
{town} – {company} said on Thursday that net income in the third quarter was {million} million dollars, or {cents} cents a \
share, compared with {million} million dollars, or {cents} cents a share, in the same quarter of last year. Revenue came to \
{million} million dollars, against {million} million dollars a year earlier. Analysts had on average expected earnings of \
{cents} cents a share.
“We are pleased with the progress that our teams made this quarter,” said {chief}, chief executive of {company}. “Demand \
stayed firm in all of our markets, and we kept a close eye on costs.”
For the first nine months of the year the company earned {million} million dollars on sales of {million} million dollars. \
Operating costs were {million} million dollars, and research spending {million} million dollars. Cash and short-term \
investments at the end of the quarter amounted to {million} million dollars; long-term debt was {million} million dollars.
The board declared a dividend of {cents} cents a share, to be paid to shareholders of record. For the full year {company} \
expects revenue between {million} and {million} million dollars and earnings of at least {cents} cents a share. The \
statements in this release that are not historical facts are forward-looking and subject to risks and uncertainties that \
could cause actual results to differ materially from those expected.
Shares of {company}, which has its head office in {town}, closed at {cents} dollars on Wednesday.
";
