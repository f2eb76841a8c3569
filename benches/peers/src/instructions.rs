//! Instructions a word of each step on the way from text to signature. Unlike times they hardly change from run to run.

use std::hint::black_box;

use perf_event::Builder;
use perf_event::events::Hardware;
use retold::measure::{Backend, Signer, WordCounter};
use retold::{Detector, Level, MinHasher, Scheme, Shingle, SimHasher};

use crate::{Article, languages};

/// What is counted, a text at a time.
type Step = Box<dyn FnMut(&str)>;

/// Prints a table of all steps for the articles, and one of MinHash alone for each language of the samples.
pub fn print(articles: &[Article]) -> std::io::Result<()> {
    let backends: Vec<Backend> = Backend::available().collect();
    let shingles = Shingle::Words(5);
    print!("| instructions (cycles) a word |");
    backends.iter().for_each(|backend| print!(" {backend:?} |"));
    println!("\n|{}", " --- |".repeat(backends.len() + 1));
    let row = |name: &str, articles: &[Article], step: &dyn Fn(Backend) -> Step| {
        print!("| {name} |");
        for &backend in &backends {
            let (instructions, cycles) = a_word(articles, step(backend))?;
            print!(" {instructions:.1} ({cycles:.1}) |");
        }
        println!();
        Ok::<(), std::io::Error>(())
    };
    let minhash = |backend| -> Step {
        let mut minhasher = MinHasher::new(Scheme::minhash(shingles)).expect("a possible scheme").on(backend);
        let mut signature = minhasher.sign("one two three four five").expect("five words");
        Box::new(move |text| {
            black_box(minhasher.sign_into(text, &mut signature));
        })
    };
    let detection = |level, backend| -> Step {
        let detector = Detector::builder().level(level).shingle(shingles).build().expect("possible options");
        let mut signer = Signer::new(&detector, backend);
        Box::new(move |text| {
            black_box(signer.sign(text));
        })
    };
    row("word edges", articles, &|backend| {
        let mut counter = WordCounter::new(backend);
        Box::new(move |text| {
            black_box(counter.count(text));
        })
    })?;
    row("MinHash", articles, &minhash)?;
    row("SimHash", articles, &|backend| {
        let mut simhasher = SimHasher::new(Scheme::simhash(shingles)).expect("a possible scheme").on(backend);
        Box::new(move |text| {
            black_box(simhasher.sign(text));
        })
    })?;
    row("shingle view of a detection", articles, &|backend| detection(Level::Near, backend))?;
    row("both views of a detection", articles, &|backend| detection(Level::Reworded, backend))?;
    for (language, articles) in languages::all() {
        row(&format!("MinHash, {language}"), &articles, &minhash)?;
    }
    Ok(())
}

/// Instructions and cycles a word in user mode, once all tables are made and all memory is at hand.
fn a_word(articles: &[Article], mut step: impl FnMut(&str)) -> std::io::Result<(f64, f64)> {
    let mut counter = WordCounter::new(Backend::Portable);
    let words: usize = articles.iter().map(|(_, text)| counter.count(text)).sum();
    let mut group = perf_event::Group::new()?;
    let instructions = group.add(&Builder::new(Hardware::INSTRUCTIONS))?;
    let cycles = group.add(&Builder::new(Hardware::CPU_CYCLES))?;
    articles.iter().for_each(|(_, text)| step(text));
    group.enable()?;
    articles.iter().for_each(|(_, text)| step(black_box(text)));
    group.disable()?;
    let counts = group.read()?;
    Ok((counts[&instructions] as f64 / words as f64, counts[&cycles] as f64 / words as f64))
}
