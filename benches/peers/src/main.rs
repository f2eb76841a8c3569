//! retold beside other crates, on the same articles in the same run.
//!
//! In `benches/peers`:
//! `cargo run --release -- sign [FILE.jsonl]` - text to signature, one thread
//! `cargo run --release -- backends [FILE.jsonl]` - the same with each set of instructions, beside finding word edges alone
//! `cargo run --release -- languages` - the same for texts beyond ASCII
//! `cargo run --release -- instructions [FILE.jsonl]` - instructions a word, which no other program's load changes (Linux)
//! `cargo run --release -- sign-vs-detect [FILE.jsonl]` - gaoya only signing against the whole detection of retold
//! `cargo run --release -- threads [FILE.jsonl]` - all threads against one, beside work that nothing but the cores can slow
//! `cargo run --release -- write FILE.jsonl` - the generated corpus to a file, for `python_peers.py`
//!
//! Without a file the articles are generated. Each contender takes its turn in each round; medians of all rounds count.

#[path = "../../corpus/mod.rs"]
#[expect(dead_code, reason = "which copies were planted does not matter here")]
mod corpus;
#[cfg(target_os = "linux")]
mod instructions;
mod languages;

use std::error::Error;
use std::fs::File;
use std::hash::BuildHasherDefault;
use std::hint::black_box;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Parser, Subcommand};
use fxhash::FxHasher;
use gaoya::minhash::{MinHasher as _, MinHasher32};
use gaoya::simhash::{SimHash, SimSipHasher64};
use gaoya::text::{shingle_tokens, whitespace_split};
use probminhash::superminhasher::SuperMinHash;
use rayon::prelude::*;
use retold::measure::{Backend, Signer, WordCounter};
use retold::{Detector, Level, MinHasher, Scheme, Shingle, SimHasher};

#[derive(Parser)]
struct Options {
    #[command(subcommand)]
    mode: Mode,
    /// Rounds, of which the median counts.
    #[arg(long, default_value_t = 5, global = true)]
    rounds: usize,
    /// Articles to generate if no file is given.
    #[arg(long, default_value_t = 8_000, global = true)]
    articles: usize,
}

#[derive(Subcommand)]
enum Mode {
    /// Text to signature of 5-word shingles, one thread.
    Sign { file: Option<PathBuf> },
    /// The same with each set of instructions, beside finding word edges alone.
    Backends { file: Option<PathBuf> },
    /// gaoya only signing, retold doing all of its work, on as many threads as there are cores.
    SignVsDetect { file: Option<PathBuf> },
    /// Text to signature for texts beyond ASCII, with each set of instructions, one thread.
    Languages,
    /// Instructions and cycles a word of each step, with each set of instructions, one thread.
    #[cfg(target_os = "linux")]
    Instructions { file: Option<PathBuf> },
    /// Signing on one thread and on as many as there are cores.
    Threads { file: Option<PathBuf> },
    /// Writes the generated articles.
    Write { file: PathBuf },
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    match &options.mode {
        Mode::Sign { file } => sign(&articles(file.as_deref(), &options)?, options.rounds),
        Mode::Backends { file } => backends(&articles(file.as_deref(), &options)?, options.rounds),
        Mode::SignVsDetect { file } => sign_vs_detect(&articles(file.as_deref(), &options)?, options.rounds),
        Mode::Languages => languages::race(options.rounds),
        #[cfg(target_os = "linux")]
        Mode::Instructions { file } => instructions::print(&articles(file.as_deref(), &options)?)?,
        Mode::Threads { file } => threads(&articles(file.as_deref(), &options)?, options.rounds)?,
        Mode::Write { file } => {
            let mut out = BufWriter::new(File::create(file)?);
            for (id, text) in articles(None, &options)? {
                writeln!(out, "{}", serde_json::json!({"id": id, "text": text}))?;
            }
            out.flush()?;
        }
    }
    Ok(())
}

type Article = (String, String);

fn articles(file: Option<&Path>, options: &Options) -> Result<Vec<Article>, Box<dyn Error>> {
    let Some(file) = file else { return Ok(corpus::Corpus::new(options.articles, 0.06, 1).articles) };
    let record = |line: std::io::Result<String>| -> Result<Article, Box<dyn Error>> {
        let record: serde_json::Value = serde_json::from_str(&line?)?;
        let field = |name: &str| record[name].as_str().map(String::from).ok_or(format!("a line has no {name}"));
        Ok((field("id")?, field("text")?))
    };
    BufReader::with_capacity(1 << 20, File::open(file)?).lines().map(record).collect()
}

/// What is timed, with its name.
type Contender<'a> = (&'static str, Box<dyn FnMut(&[Article]) + 'a>);

fn each_text<'a>(name: &'static str, mut sign: impl FnMut(&str) + 'a) -> Contender<'a> {
    (name, Box::new(move |articles| articles.iter().for_each(|(_, text)| sign(black_box(text)))))
}

fn sign(articles: &[Article], rounds: usize) {
    let shingles = Shingle::Words(5);
    let mut minhasher = MinHasher::new(Scheme::minhash(shingles)).expect("a possible scheme");
    let mut signature = articles.iter().find_map(|(_, text)| minhasher.sign(text)).expect("a text of five words");
    let mut simhasher = SimHasher::new(Scheme::simhash(shingles)).expect("a possible scheme");
    let gaoya_minhash = MinHasher32::new(128);
    let gaoya_simhash = SimHash::<SimSipHasher64, u64, 64>::new(SimSipHasher64::new(1, 2));
    let mut super_minhash = SuperMinHash::<f32, String, FxHasher>::new(128, BuildHasherDefault::default());
    let mut contenders = [
        each_text("retold MinHash, 128 slots", |text| {
            black_box(minhasher.sign_into(text, &mut signature));
        }),
        each_text("gaoya MinHasher32, 128 hashes", |text| {
            let text = text.to_lowercase();
            let words: Vec<&str> = whitespace_split(&text).collect();
            black_box(gaoya_minhash.create_signature(shingle_tokens(&words, 5)));
        }),
        each_text("probminhash SuperMinHash, 128", |text| {
            let text = text.to_lowercase();
            let words: Vec<&str> = whitespace_split(&text).collect();
            super_minhash.reinit();
            for shingle in shingle_tokens(&words, 5) {
                super_minhash.sketch(&shingle).expect("SuperMinHash takes any shingle");
            }
            black_box(super_minhash.get_hsketch());
        }),
        each_text("retold SimHash", |text| {
            black_box(simhasher.sign(text));
        }),
        each_text("gaoya SimHash", |text| {
            let text = text.to_lowercase();
            let words: Vec<&str> = whitespace_split(&text).collect();
            black_box(gaoya_simhash.create_signature(shingle_tokens(&words, 5)));
        }),
        each_text("simhash", |text| {
            let text = text.to_lowercase();
            let words: Vec<&str> = whitespace_split(&text).collect();
            let shingles: Vec<String> = shingle_tokens(&words, 5).collect();
            black_box(simhash::simhash_stream(shingles.iter().map(String::as_str)));
        }),
    ];
    println!(
        "One thread. Shingles of gaoya, probminhash and simhash: lower-cased, split and joined by gaoya's functions."
    );
    let times = race(articles, rounds, &mut contenders);
    let [ours, gaoya, probminhash, our_simhash, gaoya_simhash, simhash] = times;
    println!("MinHash: {:.1} x gaoya, {:.1} x probminhash", gaoya / ours, probminhash / ours);
    println!("SimHash: {:.1} x gaoya, {:.1} x simhash", gaoya_simhash / our_simhash, simhash / our_simhash);
}

/// What each backend makes of the same articles: word edges alone, MinHash, and both views as a detection signs them.
fn backends(articles: &[Article], rounds: usize) {
    let shingles = Shingle::Words(5);
    let gaoya_minhash = MinHasher32::new(128);
    for backend in Backend::available() {
        let mut counter = WordCounter::new(backend);
        let mut minhasher = MinHasher::new(Scheme::minhash(shingles)).expect("a possible scheme").on(backend);
        let mut signature = articles.iter().find_map(|(_, text)| minhasher.sign(text)).expect("a text of five words");
        let near = Detector::builder().level(Level::Near).shingle(shingles).build().expect("possible options");
        let both = Detector::builder().shingle(shingles).build().expect("possible options");
        let (mut near, mut both) = (Signer::new(&near, backend), Signer::new(&both, backend));
        println!("{backend:?}");
        let mut contenders = [
            each_text("word edges alone", |text| {
                black_box(counter.count(text));
            }),
            each_text("MinHash, 128 slots", |text| {
                black_box(minhasher.sign_into(text, &mut signature));
            }),
            each_text("shingle view of a detection", |text| {
                black_box(near.sign(text));
            }),
            each_text("both views of a detection", |text| {
                black_box(both.sign(text));
            }),
            each_text("gaoya MinHasher32, 128 hashes", |text| {
                let text = text.to_lowercase();
                let words: Vec<&str> = whitespace_split(&text).collect();
                black_box(gaoya_minhash.create_signature(shingle_tokens(&words, 5)));
            }),
        ];
        let [edges, minhash, near, both, gaoya] = race(articles, rounds, &mut contenders);
        println!(
            "MinHash: {:.1} x gaoya, {:.2} of the word edges; both views: {:.2} x the time of the shingle view\n",
            gaoya / minhash,
            edges / minhash,
            both / near
        );
    }
}

fn sign_vs_detect(articles: &[Article], rounds: usize) {
    let gaoya_minhash = MinHasher32::new(128);
    let mut contenders: [Contender; 2] = [
        (
            "retold detection, default level",
            Box::new(|articles| {
                black_box(Detector::new().find(articles)).expect("the default options are possible");
            }),
        ),
        (
            "gaoya MinHasher32, only signing",
            Box::new(|articles| {
                let sign = |(_, text): &Article| {
                    let text = text.to_lowercase();
                    let words: Vec<&str> = whitespace_split(&text).collect();
                    gaoya_minhash.create_signature(shingle_tokens(&words, 5))
                };
                let signatures: Vec<Vec<u32>> = articles.par_iter().map(sign).collect();
                black_box(signatures);
            }),
        ),
    ];
    println!("{} threads.", rayon::current_num_threads());
    let [ours, gaoya] = race(articles, rounds, &mut contenders);
    println!("detection takes {:.2} of the time that gaoya takes to sign", ours / gaoya);
}

/// How much faster all threads are than one: retold's batches, gaoya's signing, and two limits of the machine.
fn threads(articles: &[Article], rounds: usize) -> Result<(), Box<dyn Error>> {
    let texts: Vec<&str> = articles.iter().map(|(_, text)| text.as_str()).collect();
    let minhasher = MinHasher::new(Scheme::minhash(Shingle::Words(5)))?;
    let simhasher = SimHasher::new(Scheme::simhash(Shingle::Words(5)))?;
    let gaoya_minhash = MinHasher32::new(128);
    type Work<'a> = (&'static str, &'a (dyn Fn() + Sync));
    let works: [Work; 5] = [
        ("multiplications in registers", &|| {
            (0..1024u32).into_par_iter().with_max_len(1).for_each(|seed| {
                black_box((0..50_000u64).fold(u64::from(seed), |x, i| (x ^ i).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            });
        }),
        ("reading the texts", &|| {
            let sum =
                |text: &&str| text.as_bytes().chunks(8).fold(0u64, |sum, bytes| sum.wrapping_add(bytes[0].into()));
            black_box(texts.par_iter().with_max_len(64).map(sum).sum::<u64>());
        }),
        ("retold MinHash, 128 slots", &|| {
            black_box(minhasher.sign_all(&texts));
        }),
        ("retold SimHash", &|| {
            black_box(simhasher.sign_all(&texts));
        }),
        ("gaoya MinHasher32, 128 hashes", &|| {
            let sign = |text: &&str| {
                let text = text.to_lowercase();
                let words: Vec<&str> = whitespace_split(&text).collect();
                gaoya_minhash.create_signature(shingle_tokens(&words, 5))
            };
            black_box(texts.par_iter().with_max_len(64).map(sign).collect::<Vec<Vec<u32>>>());
        }),
    ];
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let all = rayon::ThreadPoolBuilder::new().build()?;
    let mut contenders: [Contender; 10] = std::array::from_fn(|i| -> Contender {
        let (name, work) = works[i / 2];
        let pool = if i % 2 == 0 { &one } else { &all };
        (name, Box::new(move |_| pool.install(work)))
    });
    println!("Each first on one thread, then on {}.", all.current_num_threads());
    let times = race(articles, rounds, &mut contenders);
    for ((name, _), pair) in works.iter().zip(times.as_chunks::<2>().0) {
        println!("{name:34} {:.2} x", pair[0] / pair[1]);
    }
    Ok(())
}

/// Lets each contender have its turn in each round; prints and returns the median seconds.
fn race<const N: usize>(articles: &[Article], rounds: usize, contenders: &mut [Contender; N]) -> [f64; N] {
    let bytes: usize = articles.iter().map(|(_, text)| text.len()).sum();
    println!("{} articles, {:.1} MB, medians of {rounds} rounds", articles.len(), bytes as f64 / 1e6);
    let mut times = [const { Vec::new() }; N];
    for _ in 0..rounds.max(1) {
        for ((_, run), times) in contenders.iter_mut().zip(&mut times) {
            let start = Instant::now();
            run(articles);
            times.push(start.elapsed().as_secs_f64());
        }
    }
    let medians = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    for ((name, _), seconds) in contenders.iter().zip(medians) {
        println!("{name:34} {:8.3} s {:8.1} MB/s", seconds, bytes as f64 / 1e6 / seconds);
    }
    medians
}
