//! `dedup plan PATH`: estimates from a sample what a run takes and how its settings behave.

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::{DecimalBytes, HumanCount};
use retold::{Cluster, Relation, Report, Stage};

use crate::input::{self, Document, Fields, Portion, Source, Tally};
use crate::progress;
use crate::search::{Search, Settings};
use crate::{Memory, Threads};

/// Estimates time, memory and copies of a run from a sample
///
/// Reads the beginnings of the files, finds the copies among them, and extrapolates how many articles there are, how long a
/// run takes and how much memory it needs.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Folders, files or patterns of file names, as for a run
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    threads: Threads,

    #[command(flatten)]
    memory: Memory,

    /// Megabytes of input to read, before compression
    #[arg(long, value_name = "MB", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    sample: u32,

    #[command(flatten)]
    fields: Fields,

    #[command(flatten)]
    search: Search,
}

/// Files to read at most: opening ten thousand takes longer than reading them.
const MOST_FILES: usize = 1000;

/// Memory that an article takes beyond its text, and by how much an article takes longer with ten times as many: both as
/// measured by the example `growth` up to a million articles.
const BYTES_AN_ARTICLE: u64 = 2500;
const GROWTH: f64 = 1.25;

/// How much temporary files take of the disk for each byte that does not fit into the memory given: some of what is spilled is
/// written anew before the old is done with.
const SPILLED: f64 = 1.3;

pub fn run(args: &Args) -> Result<ExitCode, String> {
    let detector = args.search.build(args.search.detector())?;
    let pool = args.threads.pool()?;
    let found = input::find(&args.paths, args.fields.reading());
    let all = input::bytes(&found.sources)
        .ok_or("cannot estimate from standard input or a pipe, whose size is unknown: store it in a file")?;
    let files = found.sources.len();
    // Every so many-th file, so that all of a corpus is seen.
    let sources: Vec<Source> = found.sources.into_iter().step_by(files.div_ceil(MOST_FILES).max(1)).collect();

    let start = Instant::now();
    let bar = progress::bar(true);
    let mut documents: Vec<Document> = Vec::new();
    let portion = Portion::Beginning(u64::from(args.sample) << 20);
    let sink = |batch| {
        documents.extend(batch);
        Ok::<(), String>(())
    };
    let input = pool.install(|| input::read(&sources, &args.fields, portion, &bar, sink))?;
    let reading = start.elapsed();
    crate::tell_guesses(&input.guesses);
    crate::tell_problems(&found.problems);
    crate::tell_problems(&input.problems);
    if documents.is_empty() {
        return Err(format!("no article could be read: give folders or files of {}", input::READ));
    }

    let reports = pool.install(|| Ok((detector.find(&documents[..documents.len() / 2])?, detector.find(&documents)?)));
    let (half, full) = reports.map_err(|error: retold::Error| error.to_string())?;
    let (read, records, bytes) = reckon(&sources, &input.tallies, all);
    let settings = args.search.settings(&detector);
    let plan =
        Plan { args, settings, files: (sources.len(), files), on_disk: all, read, records, bytes, reading, half, full };
    match write!(io::stdout().lock(), "{plan}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("cannot write the plan: {error}")),
        _ => Ok(crate::exit_code(found.problems.iter().chain(&input.problems), false)),
    }
}

/// The bytes that were read, and the records and bytes that there are in all: of each file as much as was read stands for
/// all of it, and the files that were read for all.
fn reckon(sources: &[Source], tallies: &[Tally], on_disk: u64) -> (u64, f64, f64) {
    let (mut read, mut records, mut bytes, mut seen) = (0, 0.0, 0.0, 0);
    for (source, tally) in sources.iter().zip(tallies) {
        let size = source.size().unwrap_or(0);
        let times = if tally.is_cut { size as f64 / tally.on_disk.max(1) as f64 } else { 1.0 };
        read += tally.bytes;
        records += tally.records as f64 * times;
        bytes += tally.bytes as f64 * times;
        seen += size;
    }
    let times = on_disk as f64 / seen.max(1) as f64;
    (read, records * times, bytes * times)
}

/// What is told.
struct Plan<'a> {
    args: &'a Args,
    settings: Settings,
    /// Files that were read, and all.
    files: (usize, usize),
    /// Bytes of all files.
    on_disk: u64,
    /// Bytes that were read, after decompression.
    read: u64,
    /// Records and bytes in all.
    records: f64,
    bytes: f64,
    reading: Duration,
    /// What was found in the first half of the sample, and in all of it.
    half: Report,
    full: Report,
}

impl fmt::Display for Plan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let summary = self.full.summary();
        let articles = summary.documents as f64;
        // By how much there is more than in the sample.
        let times = (self.bytes / self.read.max(1) as f64).max(1.0);
        let count = |number: f64| HumanCount(number.round() as u64).to_string();
        let size = |bytes: f64| DecimalBytes(bytes.round() as u64).to_string();
        let (read, files) = self.files;
        let files_of = |number: usize| format!("{} file{}", count(number as f64), if number == 1 { "" } else { "s" });
        writeln!(f, "sample      {} articles, {}, of {}", count(articles), size(self.read as f64), files_of(read))?;
        writeln!(
            f,
            "all         about {} articles, {} in {}, {} on disk",
            count(self.records.max(articles)),
            size(self.bytes),
            files_of(files),
            size(self.on_disk as f64)
        )?;
        let sample: f64 = Stage::ALL.iter().map(|&stage| summary.time(stage).as_secs_f64()).sum();
        let reading = self.reading.as_secs_f64() * times;
        let least = reading + sample * times;
        let most = reading + sample * times * GROWTH.powf(times.log10());
        writeln!(f, "time        about {least:.1} to {most:.1} s on {} threads", self.args.threads.count())?;
        let memory = summary.bytes as f64 * times + articles * times * BYTES_AN_ARTICLE as f64;
        match self.args.memory.bytes().map(|bytes| bytes as f64).filter(|&bytes| bytes < memory) {
            Some(given) => {
                let given = given.max(Memory::LEAST as f64 * articles * times);
                let (given, spilled) = (size(given), size((memory - given).max(0.0) * SPILLED));
                writeln!(f, "memory      about {given}, and about {spilled} of temporary files")?;
            }
            None => writeln!(f, "memory      about {}", size(memory))?,
        }

        let candidates = |report: &Report| {
            let summary = report.summary();
            let each = summary.candidates as f64 / summary.documents.max(1) as f64;
            format!("{each:.1} an article among {}", HumanCount(summary.documents as u64))
        };
        writeln!(f, "candidates  {}, {}", candidates(&self.half), candidates(&self.full))?;
        let copies = |wanted: Relation| {
            let members = self.full.clusters().iter().flat_map(Cluster::members);
            let found = members.filter(|member| member.relation == wanted).count() as f64;
            format!("{:.1}% {wanted}", 100.0 * found / articles)
        };
        let [exact, near, reworded] = [Relation::Exact, Relation::Near, Relation::Reworded].map(copies);
        writeln!(f, "copies      {exact}, {near}, {reworded} in the sample, where many miss their like; more in all")?;
        self.write_curve(f)
    }
}

impl Plan<'_> {
    /// How likely the bands are to make an edited copy a candidate.
    fn write_curve(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let &Settings { threshold, bands, .. } = &self.settings;
        let (count, rows) = (bands.bands(), bands.rows());
        writeln!(
            f,
            "\nEdited copies meet in {count} bands of {rows} rows; of pairs that are so similar, so many meet:"
        )?;
        let steps = (1..=10).map(|tenth| f64::from(tenth) / 10.0);
        let mut similarities: Vec<f64> = steps.chain([threshold]).collect();
        similarities.sort_by(f64::total_cmp);
        similarities.dedup();
        for similarity in similarities {
            let met = bands.probability(similarity);
            let bar = "#".repeat((met * 40.0).round() as usize);
            let line = format!("  {similarity:<5.3}  {:>6.2}%  {bar:<40}", 100.0 * met);
            let mark = if similarity == threshold { "  threshold" } else { "" };
            writeln!(f, "{}", (line + mark).trim_end())?;
        }
        Ok(())
    }
}
