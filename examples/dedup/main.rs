// Finds copies among the articles in folders and files.
//
// `cargo run --release --example dedup -- seeds`
//
// Results go to standard output; the progress bar, the summary and what is wrong with the input to standard error.

mod annotate;
mod archive;
mod audit;
mod columns;
mod compare;
mod html;
mod input;
mod output;
mod plan;
mod progress;
mod search;
mod unique;
mod write;

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bytesize::ByteSize;
use clap::{Parser, Subcommand, ValueEnum};
use indicatif::{DecimalBytes, HumanCount, ProgressBar};
use retold::{Article, Collector, DetectorBuilder, Report, Representative};

use input::{Document, Fields, Found, Left, Order, Place, Portion, Problem, Source, Tally, Undated};
use output::{Findings, Format};
use progress::Reporting;
use search::Search;
use unique::Outputs;

/// Finds exact, edited and reworded copies of articles
///
/// Prints clusters. The first article of a cluster is its representative, the one most similar to all others. Each
/// other article was compared with it and is listed with its relation:
///
///   exact     the same words in the same order
///   near      an edited copy: most phrases are the same
///   reworded  the same text in other words
///
/// and a similarity or confidence from 0 to 1. The same articles give the same clusters in any order, except with
/// --keep first.
#[derive(Parser)]
#[command(name = "dedup", version, after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT}"), verbatim_doc_comment)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, disable_help_subcommand = true)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    /// Folders, files, patterns of file names, or - for standard input
    ///
    /// A folder is read with all folders in it. Files are known by their names, each also
    /// with .gz or .zst after it:
    ///
    ///   .txt             one article; its id is its path in the folder, so in a flat
    ///                    folder its name
    ///   .jsonl, .ndjson  a JSON object a line
    ///   .json            an array of objects, or objects one after the other
    ///   .csv, .tsv       a row an article, after a row with the names of the columns
    ///   .rss, .atom      an entry an article; a file that is named may be called .xml
    ///   .wet             texts of a web archive, such as .warc.wet.gz
    ///
    /// Write ./ before a path that has the name of a command.
    #[arg(value_name = "PATH", required = true, verbatim_doc_comment)]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    threads: Threads,

    #[command(flatten)]
    memory: Memory,

    /// Known articles: a folder, file or pattern; may be repeated
    ///
    /// Only new articles are removed, in favour of known ones or of each other. Known articles are not compared with each
    /// other.
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    against: Vec<PathBuf>,

    #[command(flatten)]
    fields: Fields,

    #[command(flatten)]
    search: Search,

    /// Only match articles whose dates are this close: 36h, 7d, 2w
    ///
    /// Articles without a date match nothing.
    #[arg(long, value_name = "SPAN", help_heading = "Search", value_parser = span)]
    within: Option<Duration>,

    /// Which article of a cluster represents it, and stays with --unique
    #[arg(long, value_enum, default_value_t = Keep::Central, help_heading = "Output")]
    keep: Keep,

    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Output")]
    format: Format,

    #[command(flatten)]
    files: unique::Names,

    /// Exit with 1 if any record was skipped
    #[arg(long, help_heading = "Output")]
    strict: bool,

    /// How to report progress
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Reporting::Auto, help_heading = "Output")]
    progress: Reporting,

    /// Hide progress and summary; input errors are still reported
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
}

impl Args {
    /// Whether dates decide what is found, or what stays.
    fn dates_decide(&self) -> bool {
        self.keep == Keep::Earliest || self.within.is_some()
    }
}

/// A span of time.
fn span(text: &str) -> Result<Duration, String> {
    const UNITS: [(char, u64); 4] = [('m', 60), ('h', 3600), ('d', 86_400), ('w', 604_800)];
    let known = |unit| UNITS.into_iter().find(|&(name, _)| name == unit);
    let parsed = text.char_indices().next_back().and_then(|(at, unit)| {
        let (_, seconds) = known(unit)?;
        text[..at].parse::<u64>().ok()?.checked_mul(seconds)
    });
    parsed.map(Duration::from_secs).ok_or_else(|| "give a whole number with m, h, d or w, such as 7d".into())
}

/// A number of bytes.
fn size(text: &str) -> Result<ByteSize, String> {
    text.parse().map_err(|_| "give a number of bytes, or one with K, M, G or T, such as 500M".into())
}

const EXAMPLES: &str = "\
Examples:
  dedup articles/                                  a folder of text files
  dedup compare a.txt b.txt                        two texts side by side, copies or not
  dedup plan articles/                             estimate time and memory
  dedup archive add news.archive today.jsonl       keep articles, and ask later what repeats them
  dedup --unique clean.jsonl.gz crawl.jsonl.gz     write the corpus without its copies
  dedup --text-field body --id-field url x.jsonl   name the fields
  zcat x.jsonl.gz | dedup --format jsonl - > copies.jsonl";

const EXIT: &str = "\
A JSON Schema of all JSON lines: examples/dedup/lines.schema.json in the source.

Output files: an existing file is replaced when everything is written, never before; anything else
in its place (a device, a folder that is not empty) is refused before the search. --unique, --removed,
--annotate and --strip-furniture are all written, or none of them. What a run that was killed had begun
is called .dedup-….unfinished and can be deleted.

Exit code:
  0  success; records that could not be used are listed as skipped
  1  finished, but a file or folder could not be read to its end; with --strict also if any record
     was skipped
  2  failed: an invalid option, an output that cannot be written, or no readable article";

/// A page shows the closest rejected article of each cluster if it is at least this similar.
const NEAR_MISS: f64 = 0.3;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Keep {
    /// The one most similar to all others
    Central,
    /// The one with the most words
    Longest,
    /// The one that comes first in the input, in the order of the arguments
    First,
    /// The one with the earliest date; articles without a date come last
    Earliest,
}

impl Keep {
    fn representative(self) -> Representative {
        match self {
            Self::Central => Representative::Central,
            Self::Longest => Representative::Longest,
            Self::First => Representative::First,
            Self::Earliest => Representative::Earliest,
        }
    }
}

#[derive(Subcommand)]
enum Command {
    Compare(compare::Args),
    Plan(plan::Args),
    Audit(audit::Args),
    Archive(archive::Args),
    Watch(archive::Watch),
}

fn main() -> ExitCode {
    let mut args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            if let Some(message) = mistyped_command() {
                tell(format_args!("error: {message}"));
                return ExitCode::from(2);
            }
            error.exit()
        }
    };
    let wants_excerpts = args.search.wants_excerpts();
    args.fields.needs_date = args.dates_decide() || wants_excerpts || args.format == Format::Html;
    args.fields.needs_source = wants_excerpts;
    args.fields.are_added = args.files.adds_fields();
    args.fields.are_read_again = args.files.need_input_again();
    if args.keep == Keep::First {
        args.fields.order = Order::Given;
    }
    if let Some(Command::Archive(args)) = &mut args.command {
        args.wants_all_fields();
    }
    if let Some(Command::Watch(args)) = &mut args.command {
        args.wants_all_fields();
    }
    let code = match &args.command {
        Some(Command::Compare(args)) => compare::run(args),
        Some(Command::Plan(args)) => plan::run(args),
        Some(Command::Audit(args)) => audit::run(args),
        Some(Command::Archive(args)) => archive::run(args),
        Some(Command::Watch(args)) => archive::watch(args),
        None => mistyped_command().map_or_else(|| run(&args), Err),
    };
    match code {
        Ok(code) => code,
        Err(error) => {
            tell(format_args!("error: {error}"));
            ExitCode::from(2)
        }
    }
}

/// What to say if the first argument that is no option is not there as a path and is a command, or looks like one.
fn mistyped_command() -> Option<String> {
    let commands = <Args as clap::CommandFactory>::command();
    let (first, is_after_options) = first_of(std::env::args_os().skip(1), &commands)?;
    let (path, word) = (std::path::Path::new(&first), first.to_str()?.to_lowercase());
    if path.symlink_metadata().is_ok() {
        return None;
    }
    if word == "help" {
        return Some("there is no command help and no such file: see dedup --help".into());
    }
    let near = commands
        .get_subcommands()
        .map(|command| (strsim::damerau_levenshtein(&word, command.get_name()), command.get_name()));
    match near.min()? {
        (0, command) if is_after_options => {
            Some(format!("there is no file {word}, and a command comes before all options: dedup {command} …"))
        }
        (distance, command) => (distance <= 2 && first != *command)
            .then(|| format!("there is no command {word} and no such file: did you mean dedup {command}?")),
    }
}

/// The first argument that is neither an option nor the value of one, and whether options stand before it.
fn first_of(args: impl Iterator<Item = OsString>, command: &clap::Command) -> Option<(OsString, bool)> {
    let takes_value = |option: &str| {
        let is_meant = |arg: &clap::Arg| match option.strip_prefix("--") {
            Some(long) => arg.get_long() == Some(long),
            None => {
                arg.get_short().is_some_and(|short| option.strip_prefix('-') == Some(short.encode_utf8(&mut [0; 4])))
            }
        };
        command.get_arguments().any(|arg| is_meant(arg) && arg.get_action().takes_values())
    };
    let (mut args, mut is_after_options) = (args, false);
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some(option) if option.len() > 1 && option.starts_with('-') => {
                is_after_options = true;
                if takes_value(option) {
                    args.next();
                }
            }
            _ => return Some((arg, is_after_options)),
        }
    }
    None
}

/// How a run ends that told what it left out.
fn exit_code<'a>(mut left_out: impl Iterator<Item = &'a Problem>, strict: bool) -> ExitCode {
    ExitCode::from(u8::from(left_out.any(|problem| strict || problem.what == Left::Input)))
}

fn run(args: &Args) -> Result<ExitCode, String> {
    if args.fields.date.is_some() && !args.fields.needs_date {
        return Err(
            "--date-field is for --keep earliest, --within, --excerpts and --format html: add one, or leave it out"
                .into(),
        );
    }
    if args.fields.source.is_some() && !args.fields.needs_source {
        return Err("--source-field is for --excerpts alone: add it, or leave the field out".into());
    }
    write::stop_cleanly()?;
    let bar = progress::bar(args.quiet || args.progress != Reporting::Auto);
    let lines = (args.progress == Reporting::Jsonl).then(|| progress::Lines::of(&bar));
    // Before anything is read, so that an impossible option is told at once.
    let builder = args.search.detector().representative(args.keep.representative());
    let mut builder = builder.removal_confidence(args.files.remove_from).removals(args.files.removals());
    if args.format == Format::Html {
        builder = builder.near_misses(NEAR_MISS);
    }
    if let Some(span) = args.within {
        builder = builder.within(span);
    }
    let detector = args.search.build(args.memory.limit(builder)?.progress(progress::shown_on(&bar)))?;
    let pool = args.threads.pool()?;

    let start = Instant::now();
    let mut found = input::find(&args.paths, args.fields.reading());
    found.add_known(input::find(&args.against, args.fields.reading()))?;
    let outputs = Outputs::new(&args.files, &found.sources)?;
    if args.fields.are_read_again {
        let stored = found.sources.iter_mut().try_for_each(Source::store);
        stored.map_err(|error| format!("cannot store what comes through a pipe: {error}; give files"))?;
    }
    let mut collector: Collector<Document> = detector.collector();
    let (mut places, mut dates, mut undated) = (Vec::new(), Vec::new(), Undated::default());
    let sink = |batch: Vec<Document>| {
        places.extend(batch.iter().map(|document| document.place.clone()));
        if args.format == Format::Html {
            dates.extend(batch.iter().map(|document| Box::from(document.date().unwrap_or_default())));
        }
        if args.dates_decide() {
            batch.iter().for_each(|document| undated.look_at(document));
        }
        collector.extend(batch).map_err(|error| error.to_string())
    };
    let Read { problems, tallies, sources } = pool.install(|| read(found, &args.fields, &bar, args.quiet, sink))?;
    if args.fields.are_read_again {
        outputs.check(&sources, &tallies)?;
    }
    let read = start.elapsed();
    // Excerpts and the page are made without dates as well.
    if undated.all > 0 && !args.quiet {
        let first = undated.first.map_or(String::new(), |first| format!("; {first} is none: write {}", input::DATED));
        let (undated, all) = (HumanCount(undated.all), HumanCount(places.len() as u64));
        let count = if args.within.is_some() { "match nothing" } else { "count as the last" };
        bar.suspend(|| tell(format_args!("{undated} of {all} articles have no date, and {count}{first}")));
    }

    if !args.quiet {
        args.memory.tell_exceeded(places.len() as u64, 0, &bar);
    }
    progress::show_articles(&bar);
    let (report, articles) = pool.install(|| collector.find()).map_err(|error| error.to_string())?;
    let took = start.elapsed();
    let skipped = skipped_later(&report, &places);
    bar.suspend(|| tell_problems(&skipped));
    // Before the results, after which nobody may listen any more.
    if args.fields.are_read_again {
        progress::show_bytes(&bar, "write", input::bytes(&sources));
    }
    let outputs = pool.install(|| outputs.write(&sources, &tallies, &report, (&articles, &places), &bar));
    drop(lines);
    bar.finish_and_clear();
    // When the process ends, the system takes all of it back at once; text by text it takes longer.
    let findings = ManuallyDrop::new(Findings::new(report, (articles, places, dates), problems, skipped, read));
    let mut out = BufWriter::new(io::stdout());
    let settings = args.search.settings(&detector);
    let written = pool.install(|| findings.write(args.format, &settings, &mut out));
    let code = exit_code(findings.skipped.iter().chain(&findings.unread), args.strict);
    match written.and_then(|()| out.flush()) {
        Ok(()) => {}
        // Whoever reads has seen enough: `dedup … | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return outputs.map(|_| code),
        Err(error) => return Err(format!("cannot write the results: {error}")),
    }
    if !args.quiet {
        tell_summary(&findings, took);
    }
    if let (Some(mut account), false) = (outputs?, args.quiet) {
        account.unread = findings.unread.len();
        tell(format_args!("{account}"));
    }
    Ok(code)
}

/// How many threads work.
#[derive(clap::Args)]
pub struct Threads {
    /// Number of threads, at most 1024; 0 for one per core
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(..=1024))]
    threads: u16,
}

impl Threads {
    /// How many there will be.
    fn count(&self) -> usize {
        match usize::from(self.threads) {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        }
    }

    fn pool(&self) -> Result<rayon::ThreadPool, String> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads.into()).build();
        pool.map_err(|error| format!("cannot start {} threads: {error}; give fewer", self.threads))
    }
}

/// How much memory is taken.
#[derive(clap::Args)]
struct Memory {
    /// Memory limit, such as 2G or 500M [default: unlimited]
    ///
    /// Data beyond it is spilled to temporary files: slower, with the same result. About 450 bytes per article and the
    /// results always stay in memory.
    #[arg(long, value_name = "SIZE", value_parser = size, verbatim_doc_comment)]
    memory: Option<ByteSize>,

    /// Folder for temporary files [default: the system's, which may itself be in memory]
    #[arg(long, value_name = "FOLDER", requires = "memory")]
    spill_folder: Option<PathBuf>,
}

impl Memory {
    /// What an article takes in any case, in bytes; as measured on a million.
    const LEAST: u64 = 450;

    /// Tells if what was given is less than so many articles take in any case, beside what is held already.
    fn tell_exceeded(&self, articles: u64, held: u64, bar: &ProgressBar) {
        let needed = Self::LEAST * articles + held;
        let Some(given) = self.bytes().filter(|&given| given < needed) else { return };
        let (given, needed, all) = (DecimalBytes(given), DecimalBytes(needed), HumanCount(articles));
        bar.suspend(|| {
            tell(format_args!(
                "{given} of memory is less than {all} articles take in any case, about {needed}: give more"
            ));
        });
    }

    /// What is left of it beside what is held already.
    fn beside(&self, held: u64) -> Self {
        let left = self.bytes().map(|given| ByteSize(given.saturating_sub(held)));
        Self { memory: left, spill_folder: self.spill_folder.clone() }
    }

    /// What was given.
    fn bytes(&self) -> Option<u64> {
        self.memory.map(|memory| memory.as_u64())
    }

    /// Refuses a folder in which nothing can be stored before anything is read.
    fn limit(&self, mut builder: DetectorBuilder) -> Result<DetectorBuilder, String> {
        if let Some(bytes) = self.bytes() {
            builder = builder.memory(bytes);
        }
        let Some(folder) = &self.spill_folder else { return Ok(builder) };
        match tempfile::tempfile_in(folder) {
            Ok(_) => Ok(builder.spill_folder(folder)),
            Err(error) => Err(format!("cannot spill to {}: {error}; use another folder", folder.display())),
        }
    }
}

/// What was read besides the articles.
struct Read {
    problems: Vec<Problem>,
    tallies: Vec<Tally>,
    sources: Vec<Source>,
}

/// Reads all articles, batch by batch into `sink`, and tells what is wrong with the rest.
fn read(
    found: Found,
    fields: &Fields,
    bar: &ProgressBar,
    quiet: bool,
    mut sink: impl FnMut(Vec<Document>) -> Result<(), String> + Send,
) -> Result<Read, String> {
    let Found { sources, mut problems, others, .. } = found;
    progress::show_bytes(bar, "read", input::bytes(&sources));
    let mut is_empty = true;
    let input = input::read(&sources, fields, Portion::All, bar, |batch| {
        is_empty = false;
        sink(batch)
    })?;
    if let Some(reason) = input.taken {
        bar.finish_and_clear();
        return Err(reason);
    }
    problems.extend(input.problems);
    bar.suspend(|| {
        if !quiet {
            tell_guesses(&input.guesses);
            if input.marked_up.count > 0 {
                tell(format_args!("{}", input.marked_up));
            }
        }
        tell_problems(&problems);
        if !quiet && others > 0 {
            let s = if others == 1 { "" } else { "s" };
            tell(format_args!("left {} other file{s} alone: only {} are read", HumanCount(others), input::READ));
        }
    });
    if is_empty {
        bar.finish_and_clear();
        return Err(format!("no article could be read: give folders or files of {}", input::READ));
    }
    Ok(Read { problems, tallies: input.tallies, sources })
}

/// What the library left out, with the places that only the input knows.
fn skipped_later(report: &Report, places: &[Place]) -> Vec<Problem> {
    let problem = |skip: &retold::Skipped| Problem {
        id: skip.id.clone(),
        place: places[skip.position].to_string(),
        reason: skip.reason.to_string(),
        what: Left::Record,
    };
    report.skipped().iter().map(problem).collect()
}

/// A line on standard error. It is no reason to stop if nobody can read it.
fn tell(line: std::fmt::Arguments) {
    let _ = writeln!(io::stderr(), "{}", output::shown(&line.to_string()));
}

fn tell_guesses(guesses: &[input::Guess]) {
    for input::Guess { guess, file, files } in guesses {
        let more = if *files > 1 { format!(" and {} more", HumanCount(*files as u64 - 1)) } else { String::new() };
        tell(format_args!("{file}{more}: {guess}"));
    }
}

/// Beyond this many it is one cause, such as a wrong field name, and a million lines tell no more.
const MOST_LINES: usize = 100;

fn tell_problems(problems: &[Problem]) {
    let file = |problem: &'_ Problem| {
        let end = problem.place.rfind([':', '#']).unwrap_or(problem.place.len());
        problem.place[..end].to_owned()
    };
    // An encoding is that of a whole file, and so are actions: one line tells enough.
    let is_alike = |problem: &&Problem| matches!(problem.what, Left::Encoding | Left::Action);
    let mut alike: HashMap<(Left, String), usize> = HashMap::new();
    let of_alike = || problems.iter().filter(is_alike);
    of_alike().for_each(|problem| *alike.entry((problem.what, file(problem))).or_default() += 1);
    let lines = problems.len() - of_alike().count() + alike.len();
    let told = problems.iter().filter_map(|problem| {
        if !is_alike(&problem) {
            return Some((problem, String::new()));
        }
        match alike.remove(&(problem.what, file(problem)))? {
            1 => Some((problem, String::new())),
            more => Some((problem, format!(" (and {} more of this file)", HumanCount(more as u64 - 1)))),
        }
    });
    for (problem, more) in told.take(MOST_LINES) {
        tell(format_args!("{}: {}{more}", problem.place, problem.reason));
    }
    if lines > MOST_LINES {
        let more = HumanCount((lines - MOST_LINES) as u64);
        tell(format_args!("and {more} more; the results of `dedup --format jsonl` list all that is skipped"));
    }
}

fn tell_summary(findings: &Findings, took: Duration) {
    let bytes = findings.report.summary().bytes;
    let clusters = findings.report.clusters().len();
    let unread = match findings.unread.len() {
        0 => String::new(),
        more => format!(", {} not read", HumanCount(more as u64)),
    };
    let prior = findings.report.summary().prior.map_or(String::new(), |prior| format!(", prior {prior:.2}"));
    let excerpts = match findings.report.excerpts().len() {
        0 => String::new(),
        1 => ", 1 excerpt".to_string(),
        more => format!(", {} excerpts", HumanCount(more as u64)),
    };
    let furniture = match findings.report.summary().with_furniture {
        0 => String::new(),
        more => format!(", {} with page furniture", HumanCount(more as u64)),
    };
    tell(format_args!(
        "{} document{}, {}: {} cluster{}{excerpts}, {} skipped{unread}{furniture}{prior}, in {:.2} s ({}/s)",
        HumanCount(findings.documents as u64),
        if findings.documents == 1 { "" } else { "s" },
        DecimalBytes(bytes),
        HumanCount(clusters as u64),
        if clusters == 1 { "" } else { "s" },
        HumanCount(findings.skipped.len() as u64),
        took.as_secs_f64(),
        DecimalBytes((bytes as f64 / took.as_secs_f64()) as u64),
    ));
}
