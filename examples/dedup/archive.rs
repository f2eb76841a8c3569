//! `dedup archive` and `dedup watch`: articles are kept on disk, and each is held against all that came before.

use std::io::{self, BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use clap::Subcommand;
use indicatif::{DecimalBytes, HumanCount};
use rayon::prelude::*;
use retold::{
    Answer, Archive, ArchiveReader, Archived, Article, Cluster, Detector, DetectorBuilder, SkipReason, Skipped,
};
use serde_json::{Value, json};

use crate::input::{self, Fields, MarkedUp, Order, Undated};
use crate::output::{shown, write_line};
use crate::search::Search;
use crate::{Threads, progress, tell, write};

/// Keep articles on disk and ask what was told before
///
/// An archive is a folder. Articles are numbered as they are added; exact, edited and reworded copies are found one by one, without a
/// run over everything. All commands take the --level and --threshold with which it was created; other options hold for the
/// command that they are given to. Articles with too few words to be compared are kept, and repeat nothing.
///
/// Exit code: as without a command, 1 if a file or folder could not be read to its end.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Create an archive
    Create {
        #[command(flatten)]
        folder: Folder,
        #[command(flatten)]
        keeping: Keeping,
    },
    /// Add articles; a census is taken if the archive has grown by a twentieth
    Add {
        #[command(flatten)]
        articles: Articles,
        /// Also print what each article repeats, before it is added
        #[arg(long)]
        matches: bool,
    },
    /// Print what each article repeats, without adding it
    Query {
        #[command(flatten)]
        articles: Articles,
        /// Only match articles whose dates are this close: 36h, 7d, 2w
        ///
        /// Articles without a date match nothing.
        #[arg(long, value_name = "SPAN", value_parser = crate::span)]
        within: Option<Duration>,
    },
    /// Remove all articles of these ids
    Remove {
        #[command(flatten)]
        folder: Folder,
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
    },
    /// Remove all articles that are older than a date
    Expire {
        #[command(flatten)]
        folder: Folder,
        /// ISO 8601: 2024-05-17, or with a time
        before: String,
    },
    /// Print all clusters, as a run over the articles finds them
    Report(Folder),
    /// Count anew how rare words are, how common copies, and what is page furniture, also after the census was damaged
    Census(Folder),
    /// Print figures about the archive
    Stats(Folder),
    /// Check every byte of every file
    Verify(Folder),
    /// Put small files together
    Merge(Folder),
    /// Erase what was removed, and give its room back
    Compact(Folder),
}

impl Watch {
    /// Dates and sources are kept with articles.
    pub fn wants_all_fields(&mut self) {
        (self.fields.needs_date, self.fields.needs_source) = (true, true);
    }
}

impl Args {
    /// Dates and sources are kept with articles, which are numbered as they are given.
    pub fn wants_all_fields(&mut self) {
        if let Command::Add { articles, .. } | Command::Query { articles, .. } = &mut self.command {
            (articles.fields.needs_date, articles.fields.needs_source) = (true, true);
            articles.fields.order = Order::Given;
        }
    }
}

/// An archive, and how its articles are compared.
#[derive(clap::Args)]
struct Folder {
    /// Folder of the archive
    archive: PathBuf,

    #[command(flatten)]
    search: Search,
}

impl Folder {
    fn open(&self) -> Result<Archive, String> {
        Archive::open(&self.archive, &detector(&self.search)?).map_err(failed)
    }

    /// Beside whoever writes to it.
    fn reader(&self) -> Result<ArchiveReader, String> {
        ArchiveReader::open(&self.archive, &detector(&self.search)?).map_err(failed)
    }
}

/// What a new archive keeps of articles.
#[derive(clap::Args)]
struct Keeping {
    /// Keep no texts in a new archive, but content words as hashes
    ///
    /// It takes a third less room. Edited copies seem a little more alike, in other capitals less, which is told as `is_estimated`, and no
    /// excerpts are found.
    #[arg(long)]
    without_texts: bool,
}

impl Keeping {
    fn create(&self, archive: &Path, detector: &Detector) -> Result<Archive, retold::Error> {
        match self.without_texts {
            true => Archive::create_without_texts(archive, detector),
            false => Archive::create(archive, detector),
        }
    }
}

/// So many articles, in words.
fn counted(articles: u64) -> String {
    format!("{} article{}", HumanCount(articles), if articles == 1 { "" } else { "s" })
}

fn failed(error: retold::Error) -> String {
    error.to_string()
}

/// An archive, and articles to add to it or to ask about.
#[derive(clap::Args)]
struct Articles {
    #[command(flatten)]
    folder: Folder,

    /// Folders, files or patterns of file names, or - for standard input, as for a run
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    threads: Threads,

    #[command(flatten)]
    fields: Fields,
}

/// Answer and archive articles as they arrive
///
/// Reads articles from standard input, a JSON object a line; text, id, date and source stand in the same fields as in files.
/// Each is answered at once with one line of JSON that names what it repeats, and added. What was added lasts from the
/// next commit on. SIGTERM and Ctrl-C commit and end.
///
/// Exit code: 0, 1 if a line was no article or too large, 2 if it failed.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Watch {
    /// Folder of the archive, which is created if there is none
    archive: PathBuf,

    /// Commit after so many articles
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    commit_every: u32,

    /// Commit at the latest so many seconds after an article was added
    #[arg(long, value_name = "SECONDS", default_value_t = 1)]
    commit_within: u64,

    #[command(flatten)]
    keeping: Keeping,

    #[command(flatten)]
    search: Search,

    #[command(flatten)]
    fields: Fields,
}

/// Articles that are committed together when many are added.
const TOGETHER: usize = 10_000;

fn detector(search: &Search) -> Result<Detector, String> {
    build(search, search.detector())
}

fn build(search: &Search, builder: DetectorBuilder) -> Result<Detector, String> {
    search.refuse_census("an archive judges by its own census")?;
    builder.build().map_err(failed)
}

pub fn run(args: &Args) -> Result<ExitCode, String> {
    match &args.command {
        Command::Create { folder, keeping } => {
            keeping.create(&folder.archive, &detector(&folder.search)?).map_err(failed)?;
        }
        Command::Add { articles, matches } => return add(articles, *matches),
        Command::Query { articles, within } => return query(articles, *within),
        Command::Remove { folder, ids } => {
            let mut archive = folder.open()?;
            let removed: Result<u64, _> = ids.iter().map(|id| archive.remove(id)).sum();
            let removed = removed.map_err(failed)?;
            archive.commit().map_err(failed)?;
            tell(format_args!("removed {}", counted(removed)));
        }
        Command::Expire { folder, before } => {
            let mut archive = folder.open()?;
            let expired = archive.expire(before).map_err(failed)?;
            archive.commit().map_err(failed)?;
            tell(format_args!("removed {}", counted(expired)));
        }
        Command::Report(folder) => {
            let archive = folder.reader()?;
            let (report, articles) = archive.report().map_err(failed)?;
            let line = |cluster: &Cluster| cluster_line(cluster, &articles);
            print(report.clusters().iter().map(line))?;
            if let Some(first) = report.skipped().first() {
                let (count, id, reason) = (counted(report.skipped().len() as u64), &first.id, first.reason);
                tell(format_args!("left {count} out, such as {id:?}: {reason}"));
            }
        }
        Command::Census(folder) => {
            let archive = Archive::recount(&folder.archive, &detector(&folder.search)?).map_err(failed)?;
            tell(format_args!("took census {}", archive.census()));
        }
        Command::Stats(folder) => {
            let stats = folder.reader()?.stats();
            let mut line = json!(stats);
            line["type"] = "archive".into();
            print([line])?;
        }
        Command::Verify(folder) => {
            folder.reader()?.verify().map_err(failed)?;
            tell(format_args!("all files are as they were written"));
        }
        Command::Merge(folder) => folder.open()?.merge().map_err(failed)?,
        Command::Compact(folder) => {
            let mut archive = folder.open()?;
            let before = archive.stats().bytes;
            archive.compact().map_err(failed)?;
            let freed = DecimalBytes(before.saturating_sub(archive.stats().bytes));
            tell(format_args!("gave {freed} back"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes lines to standard output. Whoever reads may have seen enough.
fn print(lines: impl IntoIterator<Item = Value>) -> Result<(), String> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = lines.into_iter().try_for_each(|line| write_line(&mut out, &line));
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("cannot write the results: {error}")),
        _ => Ok(()),
    }
}

/// Reads articles batch by batch.
fn read(
    Articles { paths, threads, fields, .. }: &Articles,
    sink: impl FnMut(Vec<input::Document>) -> Result<(), String> + Send,
) -> Result<ExitCode, String> {
    write::stop_cleanly()?;
    let bar = progress::bar(false);
    let found = input::find(paths, fields.reading());
    let read = threads.pool()?.install(|| crate::read(found, fields, &bar, false, sink));
    bar.finish_and_clear();
    Ok(crate::exit_code(read?.problems.iter(), false))
}

fn add(articles: &Articles, matches: bool) -> Result<ExitCode, String> {
    let mut archive = articles.folder.open()?;
    let (mut added, mut pending, wants_excerpts) = (0, 0, articles.folder.search.wants_excerpts());
    let mut undated = Undated::default();
    let code = read(articles, |batch| {
        batch.iter().for_each(|article| undated.look_at(article));
        let mut count = 0;
        if matches {
            let told = archive.ask_and_add_all(&batch).map_err(failed)?;
            for (article, told) in batch.iter().zip(&told) {
                let reason = told.as_ref().map_or_else(|skipped| Some(skipped.reason), |(answer, _)| answer.skipped);
                tell_skipped(article, reason);
            }
            count = told.iter().filter(|told| told.is_ok()).count();
            let told = batch.iter().zip(&told).filter_map(|(article, told)| Some((article, told.as_ref().ok()?)));
            print(told.map(|(article, (answer, number))| answer_line(article, Some(*number), answer, wants_excerpts)))?;
        } else {
            for (article, added) in batch.iter().zip(archive.add_all(&batch).map_err(failed)?) {
                count += usize::from(added.is_ok());
                tell_skipped(article, added.map_or_else(|skipped| Some(skipped.reason), |added| added.skipped));
            }
        }
        added += count as u64;
        pending += count;
        if pending >= TOGETHER {
            pending = 0;
            archive.commit().map_err(failed)?;
        }
        Ok(())
    })?;
    tell_undated(&undated);
    archive.commit().map_err(failed)?;
    if archive.needs_census() {
        archive.take_census().map_err(failed)?;
    }
    tell(format_args!("added {}; there are {} now", counted(added), HumanCount(archive.stats().articles)));
    Ok(code)
}

/// Tells of an article that could not be compared, or not be added.
fn tell_skipped(article: &input::Document, reason: Option<SkipReason>) {
    if let Some(reason) = reason {
        tell(format_args!("{}: {reason}", article.place));
    }
}

/// Tells of dates that are none, if there are any.
fn tell_undated(undated: &Undated) {
    if let Some(first) = &undated.first {
        let (wrong, are) = (HumanCount(undated.wrong), if undated.wrong == 1 { " is" } else { "s are" });
        tell(format_args!("{wrong} date{are} none, such as {first}; write {}", input::DATED));
    }
}

fn query(articles: &Articles, within: Option<Duration>) -> Result<ExitCode, String> {
    let search = &articles.folder.search;
    let builder = search.detector();
    let detector = build(search, if let Some(span) = within { builder.within(span) } else { builder })?;
    let archive = ArchiveReader::open(&articles.folder.archive, &detector).map_err(failed)?;
    let (wants_excerpts, mut undated) = (search.wants_excerpts(), Undated::default());
    let code = read(articles, |batch| {
        batch.iter().for_each(|article| undated.look_at(article));
        let ask = |article| archive.ask(article).map(|answer| (article, answer)).map_err(failed);
        let told: Vec<(&input::Document, Answer)> = batch.par_iter().map(ask).collect::<Result<_, _>>()?;
        told.iter().for_each(|(article, answer)| tell_skipped(article, answer.skipped));
        print(told.iter().map(|(article, answer)| answer_line(article, None, answer, wants_excerpts)))
    })?;
    tell_undated(&undated);
    if within.is_some() && undated.all > 0 {
        tell(format_args!("{} without a date, which within a time repeat nothing", counted(undated.all)));
    }
    Ok(code)
}

/// What an article repeats, as a line. Its story has the name of the first article that told it, itself if none did.
fn answer_line(article: &input::Document, number: Option<u64>, answer: &Answer, wants_excerpts: bool) -> Value {
    let Answer { matches, excerpts, census, skipped, .. } = answer;
    let story = matches.iter().map(|found| found.number).chain(number).min();
    let mut line = json!({
        "type": "match", "id": article.id(), "at": article.place.to_string(), "number": number, "matches": matches, "story": story, "census": census,
    });
    if wants_excerpts {
        line["excerpts"] = json!(excerpts);
    }
    if let Some(reason) = skipped {
        line["skipped"] = reason.to_string().into();
    }
    line
}

/// A cluster of archived articles.
fn cluster_line(cluster: &Cluster, articles: &[Archived]) -> Value {
    let article = |position: usize| {
        let Archived { number, id, date, source, .. } = &articles[position];
        json!({ "number": number, "id": id, "date": date, "source": source })
    };
    let mut representative = article(cluster.representative().position);
    representative["representative"] = true.into();
    let members = cluster.members().iter().map(|member| {
        let mut line = article(member.position);
        line["relation"] = json!(member.relation);
        line["similarity"] = json!(member.similarity);
        if let Some(via) = &member.via {
            let Archived { number, id, .. } = &articles[via.position];
            line["via"] = json!({ "number": number, "id": id, "relation": via.relation, "similarity": via.similarity });
        }
        line
    });
    json!({ "type": "story", "members": std::iter::once(representative).chain(members).collect::<Vec<_>>() })
}

/// What the watch waits for.
enum Event {
    Line(Vec<u8>),
    /// Standard input ended, or could not be read any further.
    End(Option<io::Error>),
    /// A signal asks for the end.
    Stop,
}

/// With so many articles and more a census is taken beside the answers.
const FEW: u64 = 10_000;

/// Lines that wait, at most; whoever writes more waits for answers.
const WAITING: usize = 64;

/// A watch counts anew when the archive has grown or shrunk by such a share. Of 20,000 articles from nothing, twice as often takes a
/// fourth more of the time and finds eight more of 5,004 matches; half as often saves a twentieth and loses 31.
const GROWTH: f64 = 0.1;

/// The article of a line, or what is answered if there is none.
fn read_line(args: &Watch, line: &[u8], number: u64) -> Result<input::Document, Value> {
    let line = if number == 1 { input::without_mark(line) } else { line };
    input::line(&args.fields, line, number).map_err(|(id, reason)| {
        let at = format!("-:{number}");
        skipped_line(id.as_ref().unwrap_or(&at), &at, &reason)
    })
}

/// What is answered where nothing was added.
fn skipped_line(id: &str, at: &str, reason: &str) -> Value {
    json!({ "type": "skipped", "id": id, "at": at, "reason": shown(reason) })
}

pub fn watch(args: &Watch) -> Result<ExitCode, String> {
    if let Some(option) = args.fields.not_for_lines() {
        return Err(format!("watch reads lines of JSON in UTF-8, for which {option} says nothing: leave it out"));
    }
    let detector = detector(&args.search)?;
    let mut archive = match Archive::open(&args.archive, &detector) {
        Err(retold::Error::Archive { fault: retold::ArchiveFault::Missing, .. }) => {
            args.keeping.create(&args.archive, &detector)
        }
        opened => opened,
    }
    .map_err(failed)?;
    let (send, events) = mpsc::sync_channel(WAITING);
    let stop = send.clone();
    ctrlc::set_handler(move || drop(stop.send(Event::Stop)))
        .map_err(|error| format!("cannot watch for signals: {error}"))?;
    std::thread::spawn(move || {
        for line in io::stdin().lock().split(b'\n') {
            let (event, is_last) = match line {
                Ok(line) => (Event::Line(line), false),
                Err(error) => (Event::End(Some(error)), true),
            };
            if send.send(event).is_err() || is_last {
                return;
            }
        }
        let _ = send.send(Event::End(None));
    });
    let mut out = io::stdout().lock();
    let (mut number, mut skipped, mut pending, mut since) = (0, false, 0, Instant::now());
    let (mut undated, mut marked_up) = (Undated::default(), MarkedUp::default());
    let within = Duration::from_secs(args.commit_within);
    let ended = loop {
        let wait = if pending > 0 { within.saturating_sub(since.elapsed()) } else { Duration::from_secs(3600) };
        let mut next = match events.recv_timeout(wait) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => break Ok(()),
        };
        // All that wait are answered together, each as if it had come alone.
        let mut waiting = Vec::new();
        while let Some(Event::Line(line)) = next {
            number += 1;
            if !line.trim_ascii().is_empty() {
                waiting.push((number, line));
            }
            let is_full = pending as usize + waiting.len() >= args.commit_every as usize || waiting.len() >= WAITING;
            next = if is_full { None } else { events.try_recv().ok() };
        }
        if !waiting.is_empty() {
            if pending == 0 {
                since = Instant::now();
            }
            let articles: Vec<Result<input::Document, Value>> =
                waiting.par_iter().map(|(number, line)| read_line(args, line, *number)).collect();
            skipped |= articles.iter().any(Result::is_err);
            let (mut documents, mut lines) = (Vec::new(), Vec::new());
            for article in articles {
                lines.push(article.map(|document| documents.push(document)));
            }
            pending += documents.len() as u32;
            // The first at once, since the end may be far; the others are counted.
            let before = undated.wrong;
            documents.iter().for_each(|document| undated.look_at(document));
            if let (0, Some(first)) = (before, &undated.first) {
                tell(format_args!("{first} is no date; write {}", input::DATED));
            }
            let before = marked_up.count;
            documents.iter().for_each(|document| marked_up.look_at(document));
            if before == 0 && marked_up.count > 0 {
                tell(format_args!("{marked_up}"));
            }
            let told = match archive.ask_and_add_all(&documents) {
                Ok(told) => told,
                // What was answered before lasts all the same, if it can.
                Err(error) => break Err(failed(error)),
            };
            skipped |= told.iter().any(Result::is_err);
            let wants_excerpts = args.search.wants_excerpts();
            let line = |(article, told): (&input::Document, Result<(Answer, u64), Skipped>)| match told {
                Ok((answer, number)) => answer_line(article, Some(number), &answer, wants_excerpts),
                Err(skipped) => skipped_line(&skipped.id, &article.place.to_string(), &skipped.reason.to_string()),
            };
            let mut told = documents.iter().zip(told).map(line);
            let mut lines = lines.into_iter().filter_map(|line| line.map_or_else(Some, |()| told.next()));
            let written = lines.try_for_each(|line| write_line(&mut out, &line)).and_then(|()| out.flush());
            match written {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    let of = "nobody reads the answers any more: what was read up to line";
                    break Err(format!("{of} {number} is archived, and what follows it is not"));
                }
                Err(error) => break Err(format!("cannot write the answers: {error}")),
            }
        }
        match next {
            Some(Event::End(None)) => {
                archive.commit().map_err(failed)?;
                if archive.needs_census_after(GROWTH) {
                    archive.take_census().map_err(failed)?;
                }
                break Ok(());
            }
            // Who asks for the end does not wait for a census.
            Some(Event::Stop) => break Ok(()),
            Some(Event::End(Some(error))) => break Err(format!("cannot read standard input: {error}")),
            Some(Event::Line(_)) | None => {}
        }
        if pending >= args.commit_every || pending > 0 && since.elapsed() >= within {
            pending = 0;
            archive.commit().map_err(failed)?;
            if archive.needs_census_after(GROWTH) {
                // Of few it is a matter of a second, and those that come next are judged by it.
                match archive.stats().articles < FEW {
                    true => archive.take_census().map(|_| ()),
                    false => archive.begin_census(),
                }
                .map_err(failed)?;
            }
        }
    };
    archive.commit().map_err(failed)?;
    if undated.wrong > 1 {
        tell_undated(&undated);
    }
    ended.map(|()| ExitCode::from(u8::from(skipped)))
}
