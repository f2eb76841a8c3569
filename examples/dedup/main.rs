//! Finds copies among the articles in folders and files.
//!
//! `cargo run --release --example dedup -- seeds`
//!
//! Results go to standard output; the progress bar, the summary and what is wrong with the input to standard error.

mod audit;
mod columns;
mod compare;
mod html;
mod input;
mod output;
mod search;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use indicatif::{DecimalBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use retold::{Progress, Report, SkipReason};

use input::{Fields, Input, Problem};
use output::{Findings, Format};
use search::Search;

/// Finds articles that were told before: exact, edited and reworded copies.
///
/// Prints clusters. The first article of a cluster is its representative, the one most like all others; each other one
/// was compared with it and is listed with
///
///   exact     the same words in the same order
///   near      an edited copy: most phrases are the same
///   reworded  the same text in other words
///
/// and how surely, from 0 to 1. The same articles give the same clusters, in whatever order they come.
#[derive(Parser)]
#[command(name = "dedup", version, after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT}"), verbatim_doc_comment)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, disable_help_subcommand = true)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    /// Folders, .txt files, .jsonl files, or - for JSON lines on standard input
    ///
    /// A folder is read with all folders in it. Each .txt file is one article; its id is its
    /// path in the folder, so in a flat folder its name. Each line of a .jsonl file is one article.
    /// A path that is named like a command is reached with ./ before it.
    #[arg(value_name = "PATH", required = true, verbatim_doc_comment)]
    paths: Vec<PathBuf>,

    /// Threads to use, at most 1024; 0 for one a core
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(..=1024))]
    threads: u16,

    #[command(flatten)]
    fields: Fields,

    #[command(flatten)]
    search: Search,

    /// How to print what was found
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Output")]
    format: Format,

    /// No progress bar and no summary; what is wrong with the input is still told
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  dedup articles/                                  a folder of text files
  dedup compare a.txt b.txt                        these two side by side, copies or not
  dedup --text-field body --id-field url x.jsonl   other names for the fields
  zcat x.jsonl.gz | dedup --format jsonl - > copies.jsonl";

const EXIT: &str = "\
Exit code: 0 when it ran, even if articles were skipped; 2 when an option cannot work or no article could be read.";

#[derive(Subcommand)]
enum Command {
    Compare(compare::Args),
    Audit(audit::Args),
}

fn main() -> ExitCode {
    let args = Args::parse();
    let code = match &args.command {
        Some(Command::Compare(args)) => compare::run(args),
        Some(Command::Audit(args)) => audit::run(args),
        None => run(&args).map(|()| ExitCode::SUCCESS),
    };
    match code {
        Ok(code) => code,
        Err(error) => {
            tell(format_args!("error: {error}"));
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> Result<(), String> {
    let bar = progress_bar(args.quiet);
    // Before anything is read, so that an impossible option is told at once.
    let detector = args.search.detector().progress(shown_on(&bar)).build().map_err(|error| error.to_string())?;
    let pool = threads(args.threads)?;

    let start = Instant::now();
    let input = read(&args.paths, &args.fields, &bar, args.quiet)?;
    let read = start.elapsed();

    bar.set_style(stage_style());
    let report = pool.install(|| detector.find(&input.documents));
    bar.finish_and_clear();
    let report = report.map_err(|error| error.to_string())?;
    let took = start.elapsed();

    let skipped = skipped_later(&report, &input);
    tell_problems(&skipped);
    let findings = Findings::new(report, input, skipped, read);
    let mut out = BufWriter::new(io::stdout());
    let written = pool.install(|| findings.write(args.format, &args.search.settings(), &mut out));
    match written.and_then(|()| out.flush()) {
        Ok(()) => {}
        // Whoever reads has seen enough: `dedup … | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
        Err(error) => return Err(format!("cannot write the results: {error}")),
    }
    if !args.quiet {
        tell_summary(&findings, took);
    }
    Ok(())
}

fn threads(count: u16) -> Result<rayon::ThreadPool, String> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(count.into()).build();
    pool.map_err(|error| format!("cannot start {count} threads: {error}; give fewer"))
}

/// Reads all articles and tells what is wrong with the rest.
fn read(paths: &[PathBuf], fields: &Fields, bar: &ProgressBar, quiet: bool) -> Result<Input, String> {
    let input = input::read(paths, fields, || bar.inc(1));
    bar.suspend(|| {
        tell_problems(&input.problems);
        if !quiet && input.others > 0 {
            let s = if input.others == 1 { "" } else { "s" };
            tell(format_args!("left {} other file{s} alone: only .txt and .jsonl are read", HumanCount(input.others)));
        }
    });
    if input.documents.is_empty() {
        bar.finish_and_clear();
        return Err("no article could be read: give folders or files of .txt or .jsonl".into());
    }
    Ok(input)
}

/// Shows on a bar how far a detection is.
fn shown_on(bar: &ProgressBar) -> impl Fn(Progress) + Send + Sync + 'static {
    let bar = bar.clone();
    move |progress| {
        if progress.done == 0 {
            bar.reset();
            bar.set_message(progress.stage.to_string());
        }
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
    }
}

/// What the library left out, with the places that only the input knows.
fn skipped_later(report: &Report, input: &Input) -> Vec<Problem> {
    let place = |position: usize| input.documents[position].place.to_string();
    let problem = |skip: &retold::Skipped| Problem {
        id: skip.id.clone(),
        place: place(skip.position),
        reason: match skip.reason {
            SkipReason::DuplicateId { first } => {
                format!("the id is that of {} already: give each article its own", place(first))
            }
            reason => reason.to_string(),
        },
    };
    report.skipped().iter().map(problem).collect()
}

/// A line on standard error. It is no reason to stop if nobody can read it.
fn tell(line: std::fmt::Arguments) {
    let _ = writeln!(io::stderr(), "{}", output::shown(&line.to_string()));
}

/// Beyond this many it is one cause, such as a wrong field name, and a million lines tell no more.
const MOST_LINES: usize = 100;

fn tell_problems(problems: &[Problem]) {
    for problem in problems.iter().take(MOST_LINES) {
        tell(format_args!("{}: {}", problem.place, problem.reason));
    }
    if problems.len() > MOST_LINES {
        let more = HumanCount((problems.len() - MOST_LINES) as u64);
        tell(format_args!("and {more} more; the results list all that was skipped"));
    }
}

fn tell_summary(findings: &Findings, took: Duration) {
    let bytes = findings.report.summary().bytes;
    let clusters = findings.report.clusters().len();
    tell(format_args!(
        "{} documents, {}: {} cluster{}, {} skipped, in {:.2} s ({}/s)",
        HumanCount(findings.documents as u64),
        DecimalBytes(bytes),
        HumanCount(clusters as u64),
        if clusters == 1 { "" } else { "s" },
        HumanCount(findings.skipped.len() as u64),
        took.as_secs_f64(),
        DecimalBytes((bytes as f64 / took.as_secs_f64()) as u64),
    ));
}

fn progress_bar(quiet: bool) -> ProgressBar {
    if quiet || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(ProgressStyle::with_template("{spinner} read {human_pos} documents").expect("a fixed template"));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn stage_style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {msg:<10} {bar:40} {human_pos} of {human_len}, {eta} left")
        .expect("a fixed template")
}
