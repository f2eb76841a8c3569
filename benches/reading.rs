//! A run of the command at level `near` beside reading and parsing alone: what finding edited copies adds to what nobody can
//! save.
//!
//! `cargo bench --bench reading -- FILE…`; without files, articles are generated. The two take turns, and medians count.

#[expect(dead_code, reason = "only the articles are of interest here")]
mod corpus;

#[path = "../examples/dedup"]
mod command {
    #[expect(dead_code, unused_imports, reason = "the command uses more of it")]
    pub mod input;
}

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;
use indicatif::ProgressBar;
use retold::{Detector, Level};
use serde_json::json;

use command::input::{self, Document, Fields, Form, Portion, Source};
use corpus::Corpus;

#[derive(Parser)]
struct Args {
    /// Files of articles, as the command reads them
    files: Vec<PathBuf>,

    /// How often the two take turns
    #[arg(long, default_value_t = 21)]
    rounds: usize,

    #[command(flatten)]
    fields: Fields,

    /// What `cargo bench` gives
    #[arg(long, hide = true)]
    bench: bool,
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
    let sources = input::find(&args.files, Form::Any).sources;
    let detector = Detector::builder().level(Level::Near).build()?;
    let read = |sink: &mut dyn FnMut(Vec<Document>) -> retold::Result<()>| {
        input::read(&sources, &args.fields, Portion::All, &ProgressBar::hidden(), sink).map(drop)
    };
    let (mut reading, mut finding) = (Vec::new(), Vec::new());
    for _ in 0..args.rounds {
        let start = Instant::now();
        // Held until all is read, as for a run.
        let mut articles = Vec::new();
        read(&mut |batch| {
            articles.extend(batch);
            Ok(())
        })?;
        reading.push(start.elapsed());
        drop(articles);

        let start = Instant::now();
        let mut collector = detector.collector();
        read(&mut |batch| collector.extend(batch))?;
        let found = collector.find()?;
        finding.push(start.elapsed());
        drop(found);
    }
    let bytes: u64 = sources.iter().filter_map(Source::size).sum();
    let [reading, finding] = [reading, finding].map(median);
    let rate =
        |time: Duration| format!("{:.3} s, {:.0} MB/s", time.as_secs_f64(), bytes as f64 / 1e6 / time.as_secs_f64());
    println!("reading and parsing  {}", rate(reading));
    println!("level near           {}", rate(finding));
    println!("ratio                {:.2}", finding.as_secs_f64() / reading.as_secs_f64());
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
