//! Finding edited copies beside reading and parsing alone: what level `near` adds to what nobody can save.
//!
//! `cargo bench --bench reading -- FILE…`; without files, articles are generated. The two take turns, each time in a process of
//! its own, as a run of the command is one, and medians count.

#[expect(dead_code, reason = "only the articles are of interest here")]
mod corpus;

#[path = "../examples/dedup"]
mod command {
    #[expect(dead_code, unused_imports, reason = "the command uses more of it")]
    pub mod input;
}

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use clap::Parser;
use indicatif::ProgressBar;
use retold::{Detector, Level};
use serde_json::json;

use command::input::{self, Document, Fields, Form, Portion};
use corpus::Corpus;

#[derive(Parser)]
struct Args {
    /// Files of articles, as the command reads them
    files: Vec<PathBuf>,

    /// How often the two take turns
    #[arg(long, default_value_t = 21)]
    rounds: usize,

    /// Threads; 0 for one a core
    #[arg(long, default_value_t = 0)]
    threads: usize,

    #[command(flatten)]
    fields: Fields,

    /// Do one of the two and print the seconds
    #[arg(long, hide = true)]
    only: Option<What>,

    /// What `cargo bench` gives
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    Read,
    Near,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = Args::parse();
    let mut generated = tempfile::Builder::new().suffix(".jsonl").tempfile()?;
    if args.files.is_empty() {
        for (id, text) in Corpus::new(50_000, 0.06, 1).articles {
            writeln!(generated, "{}", json!({"id": id, "text": text}))?;
        }
        args.files.push(generated.path().into());
    }
    if let Some(what) = args.only {
        println!("{}", run(what, &args)?);
        return Ok(());
    }
    let mut seconds = [Vec::new(), Vec::new()];
    for _ in 0..args.rounds {
        for (what, seconds) in ["read", "near"].iter().zip(&mut seconds) {
            let mut child = Command::new(std::env::current_exe()?);
            child.args(["--only", what, "--threads", &args.threads.to_string()]).args(&args.files);
            let output = child.output()?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).into());
            }
            seconds.push(String::from_utf8(output.stdout)?.trim().parse::<f64>()?);
        }
    }
    let bytes: u64 = args.files.iter().map(|file| Ok(file.metadata()?.len())).sum::<std::io::Result<u64>>()?;
    let [reading, finding] = seconds.map(median);
    let rate = |seconds: f64| format!("{seconds:.3} s, {:.0} MB/s", bytes as f64 / 1e6 / seconds);
    println!("reading and parsing  {}", rate(reading));
    println!("level near           {}", rate(finding));
    println!("ratio                {:.2}", finding / reading);
    Ok(())
}

/// Does one of the two; how many seconds that took.
fn run(what: What, args: &Args) -> Result<f64, Box<dyn std::error::Error>> {
    rayon::ThreadPoolBuilder::new().num_threads(args.threads).build_global()?;
    let start = Instant::now();
    let sources = input::find(&args.files, args.fields.reading()).sources;
    let read = |sink: &mut (dyn FnMut(Vec<Document>) -> retold::Result<()> + Send)| {
        rayon::scope(|_| input::read(&sources, &args.fields, Portion::All, &ProgressBar::hidden(), sink)).map(drop)
    };
    match what {
        What::Read => {
            // Held until all is read, as for a run.
            let mut articles = Vec::new();
            read(&mut |batch| {
                articles.extend(batch);
                Ok(())
            })?;
            let seconds = start.elapsed().as_secs_f64();
            assert!(!articles.is_empty(), "no article could be read");
            Ok(seconds)
        }
        What::Near => {
            let mut collector = Detector::builder().level(Level::Near).build()?.collector();
            read(&mut |batch| collector.extend(batch))?;
            let found = rayon::scope(|_| collector.find())?;
            let seconds = start.elapsed().as_secs_f64();
            drop(found);
            Ok(seconds)
        }
    }
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_unstable_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
