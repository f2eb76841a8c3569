//! A corpus without its copies, or with what was found beside each record: reads the input a second time, and leaves what stays
//! as it is, byte for byte.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use indicatif::{HumanCount, ProgressBar};
use retold::{Articles, Removals, Report};
use serde_json::json;

use crate::annotate::{Note, Notes, Table};
use crate::input::{
    Block, Blocks, Codec, Count, Document, Form, Place, Shape, Source, Tally, kind, told_by, without_mark,
};
use crate::output;
use crate::write::{Ready, Whole, WholeFolder, check_file, check_folder, full, name_all};

/// What becomes of a record in the corpus without copies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is no copy, or the one of its cluster that stays.
    Kept,
    /// It is a copy of one that stays.
    Removed,
    /// It could not be compared, and stays: nothing is known against it.
    Skipped,
}

/// Records and their bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    records: u64,
    bytes: u64,
}

/// What became of all records; `Display` tells it as a sum.
#[derive(Debug, Default)]
pub struct Account {
    kept: Sum,
    removed: Sum,
    skipped: Sum,
    /// Bytes that belong to no record: heads of tables, blank lines, brackets and commas of lists.
    between: u64,
    input: Sum,
    /// Files and folders that could not be read.
    pub unread: usize,
}

impl Account {
    fn add(&mut self, fate: Fate, bytes: u64) {
        let sum = match fate {
            Fate::Kept => &mut self.kept,
            Fate::Removed => &mut self.removed,
            Fate::Skipped => &mut self.skipped,
        };
        sum.records += 1;
        sum.bytes += bytes;
    }

    /// Holds the parts to the whole.
    fn check(&self) -> Result<(), String> {
        let records = self.kept.records + self.removed.records + self.skipped.records;
        let bytes = self.kept.bytes + self.removed.bytes + self.skipped.bytes + self.between;
        if (records, bytes) == (self.input.records, self.input.bytes) {
            Ok(())
        } else {
            Err(format!("internal error: kept + removed + skipped does not equal the input: {self:?}"))
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kept, removed, skipped, between, input, unread } = self;
        let count = |number: u64| HumanCount(number);
        write!(
            f,
            "{} kept + {} removed + {} skipped and left in = {} records; {} + {} + {} + {} between them = {} bytes",
            count(kept.records),
            count(removed.records),
            count(skipped.records),
            count(input.records),
            count(kept.bytes),
            count(removed.bytes),
            count(skipped.bytes),
            count(*between),
            count(input.bytes),
        )?;
        match unread {
            0 => f.write_str(": exactly the input"),
            1 => f.write_str(": exactly what could be read, all but 1 file"),
            more => write!(f, ": exactly what could be read, all but {} files", count(*more as u64)),
        }
    }
}

/// The files to write beside the results.
pub struct Outputs<'a> {
    unique: Option<Target<'a>>,
    annotated: Option<Target<'a>>,
    removed: Option<(&'a Path, Codec)>,
    stripped: Option<(&'a Path, Codec)>,
}

/// What they are to be called.
#[derive(clap::Args)]
#[command(next_help_heading = "Output")]
pub struct Names {
    /// Write the input without the copies to this file, or for .txt files to this folder
    ///
    /// Records that are kept, or that could not be compared, are written byte for byte, in the order of
    /// the files' full paths, or with --keep first in the order of the arguments. The name says the
    /// format, which must be that of the input; .gz or .zst after it compresses. An article is removed
    /// only in favour of a kept one that has its content, and a rewording only from a certain
    /// confidence, see --remove-from. Kept, removed and skipped records are counted and checked
    /// against the input. Entries of feeds are written as JSON lines.
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    unique: Option<PathBuf>,

    /// List the removed articles as JSON lines: which, in favour of which, and why
    #[arg(long, value_name = "FILE")]
    removed: Option<PathBuf>,

    /// The minimum confidence for --unique to remove a rewording, above 0 and up to 1
    ///
    /// Reports show rewordings from --confidence on, for people to check; what is deleted should be
    /// right nine times in ten.
    #[arg(long, value_name = "SHARE", default_value_t = 0.9, value_parser = share, verbatim_doc_comment)]
    pub remove_from: f64,

    /// Write the input to this file with the findings added to each record
    ///
    /// JSON, CSV, TSV or Parquet, like the input. Adds the fields or columns `cluster` (a number),
    /// `duplicate_of` (the location of the representative), `relation` and `similarity`. A
    /// representative has only a cluster; articles in no cluster have none of them. Cells of a row for
    /// which the first row has no name stay behind the added ones.
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    annotate: Option<PathBuf>,

    /// Write the articles without the furniture of their pages to this file, as JSON lines
    ///
    /// Footers, signatures and notes to the reader that four articles have which tell different stories.
    /// A line has the id, the location, the text that is left, and as `cut` the byte ranges of the text
    /// that are left out; a line break stands where something was. All articles are written, with and
    /// without furniture.
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    strip_furniture: Option<PathBuf>,
}

impl Names {
    /// Whether fields are added to the records.
    pub fn adds_fields(&self) -> bool {
        self.annotate.is_some()
    }

    /// Whether it matters what can be removed.
    pub fn removals(&self) -> Removals {
        if self.unique.is_some() || self.removed.is_some() { Removals::Find } else { Removals::Ignore }
    }

    /// Whether the input is read a second time.
    pub fn need_input_again(&self) -> bool {
        self.unique.is_some() || self.annotate.is_some()
    }
}

impl<'a> Outputs<'a> {
    /// Refuses what cannot be written before anything is read.
    pub fn new(names: &'a Names, sources: &[Source]) -> Result<Self, String> {
        let Names { unique, removed, annotate, strip_furniture, .. } = names;
        let all = [
            ("--unique", unique),
            ("--removed", removed),
            ("--annotate", annotate),
            ("--strip-furniture", strip_furniture),
        ];
        for (at, (option, path)) in all.iter().enumerate() {
            let Some(path) = path else { continue };
            if path == Path::new("-") {
                return Err(format!(
                    "{option} writes a file, since standard output has the results: name it, or ./- if it is called -"
                ));
            }
            refuse_input(path, sources)?;
            let is_same = |other: &Option<PathBuf>| other.as_ref().is_some_and(|other| full(other) == full(path));
            if let Some((other, _)) = all[..at].iter().find(|(_, other)| is_same(other)) {
                return Err(format!("{other} and {option} are both {}: give them two names", path.display()));
            }
        }
        let new: Vec<&Source> = sources.iter().filter(|source| !source.is_known).collect();
        let unique = unique.as_deref().map(|path| Target::new(path, &new)).transpose()?;
        let annotated = annotate.as_deref().map(|path| Target::new(path, &new)).transpose()?;
        #[cfg(feature = "parquet")]
        if let Some(Target::Parquet(_)) = annotated {
            crate::input::check_free(new.iter().filter_map(|source| Some((&*source.given, source.path.as_deref()?))))?;
        }
        if let Some(Target::Folder(path)) = annotated {
            return Err(format!("{} would be texts, and they have no fields: use --format jsonl", path.display()));
        }
        if let Some(Target::File(path, Form::Warc, _)) = annotated {
            return Err(format!("{} would be WARC, which has no fields: use --format jsonl", path.display()));
        }
        for target in unique.iter().chain(&annotated) {
            target.check()?;
        }
        for path in removed.iter().chain(strip_furniture) {
            check_file(path).map_err(|error| unwritable(path, &error))?;
        }
        let of_name = |path: &'a Option<PathBuf>| path.as_deref().map(|path| (path, Codec::of_name(path)));
        Ok(Self { unique, annotated, removed: of_name(removed), stripped: of_name(strip_furniture) })
    }

    /// Of input that is written again, refuses what would lose a part of it, and files that cannot be written as one.
    pub fn check(&self, sources: &[Source], tallies: &[Tally]) -> Result<(), String> {
        let broken = |(source, tally): (&Source, &Tally)| {
            let is_written = !source.is_known && !tally.is_unread();
            let reason = tally.broken.as_ref().filter(|_| is_written)?;
            Some(format!("{} cannot be written without losing a part of it: {reason}", source.given))
        };
        if let Some(refusal) = sources.iter().zip(tallies).find_map(broken) {
            return Err(refusal);
        }
        let files = self.unique.iter().chain(&self.annotated).filter_map(|target| match target {
            Target::File(path, form, _) => Some((path, *form)),
            Target::Parquet(_) | Target::Folder(_) => None,
        });
        for (path, form) in files {
            let mut first: Option<(&Source, Shape, &[u8])> = None;
            let new = || sources.iter().zip(tallies).filter(|(source, _)| !source.is_known);
            let is_mixed = |shape| new().filter_map(|(_, tally)| tally.shape).any(|other| other != shape);
            for (source, tally) in new() {
                let Some(shape) = tally.shape else { continue };
                let given = &source.given;
                // What standard input is shows only when it is read.
                if !shape.fits(form) {
                    if (source.form, form) == (Form::Lines, Form::Lines) {
                        let path = path.display();
                        return Err(format!(
                            "{given} has no object a line, as {path} would: name that .json, and run files with an object a \
                             line alone"
                        ));
                    }
                    return Err(misfit(given, path, shape.form(), is_mixed(shape)));
                }
                // Entries are lines as soon as they are written.
                let shape = if shape == Shape::Entries { Shape::Lines } else { shape };
                let &mut (before, of_before, head) = first.get_or_insert((source, shape, &tally.head));
                let what = match (of_before, shape) {
                    (before, now) if before == now && head == tally.head => continue,
                    (before, now) if before == now && head.trim_ascii_end() == tally.head.trim_ascii_end() => {
                        "the ends of its rows"
                    }
                    (before, now) if before == now => "the columns",
                    (Shape::Table(_), Shape::Table(_)) => "its cell separators",
                    _ => "its brackets",
                };
                let (path, before) = (path.display(), &before.given);
                return Err(format!(
                    "{given} does not fit into {path}, {what} differ from those of {before}: run it alone"
                ));
            }
        }
        Ok(())
    }

    /// Writes them all or none, and tells what became of all records.
    pub fn write(
        &self,
        sources: &[Source],
        tallies: &[Tally],
        report: &Report,
        (articles, places): (&Articles<Document>, &[Place]),
        bar: &ProgressBar,
    ) -> Result<Option<Account>, String> {
        let (unique, annotated) = (self.unique.as_ref(), self.annotated.as_ref());
        let fates = fates(report, places.len());
        let write = |target, notes| write(target, notes, sources, tallies, fates.clone(), bar);
        let (unique, account) = unique.map(|target| write(target, None)).transpose()?.unzip();
        let notes = annotated.map(|_| Notes::new(report, places));
        let annotated = annotated.map(|target| write(target, notes.as_ref())).transpose()?;
        let removed = self.removed.map(|(path, codec)| write_removed(path, codec, report, places)).transpose()?;
        let stripped = self.stripped.map(|file| write_stripped(file, report, articles, places)).transpose()?;
        let listed = removed.into_iter().chain(stripped);
        let ready = unique.into_iter().chain(annotated.map(|(ready, _)| ready)).chain(listed).collect();
        name_all(ready).map_err(|(path, error)| unwritable(&path, &error))?;
        Ok(account)
    }
}

/// Where the corpus goes.
enum Target<'a> {
    /// A file of the same kind as the input.
    File(&'a Path, Form, Codec),
    /// A Parquet file.
    Parquet(&'a Path),
    /// A folder of text files.
    Folder(&'a Path),
}

impl<'a> Target<'a> {
    /// Chooses by the name, before anything is read; refuses what could not hold the records byte for byte.
    fn new(path: &'a Path, sources: &[&Source]) -> Result<Self, String> {
        let shown = path.display();
        let is_mixed = sources.iter().any(|source| source.form != sources[0].form);
        let Some((form, codec)) = kind(path) else {
            if let Some(source) = sources.iter().find(|source| source.form != Form::Text) {
                if is_mixed {
                    return Err(misfit(&source.given, path, source.form, is_mixed));
                }
                let wanted = form_name(source.form);
                return Err(format!("{shown} has no name for what {} is: name it {wanted}", source.given));
            }
            return Self::folder(path, sources);
        };
        if form == Form::Text {
            return Err(format!("{shown} would be one text of many: name a folder, without .txt"));
        }
        // What standard input is shows only when it is read, and so it does whether what is called lines is a list.
        let may_be = [(Form::Feed, Form::Lines), (Form::Lines, Form::Json)];
        let fits = |of: Form| of == form || of == Form::Any || may_be.contains(&(of, form));
        if form == Form::Feed {
            return Err(format!("{shown} would be a feed, which is read but not written: name it .jsonl"));
        }
        if let Some(source) = sources.iter().find(|source| !fits(source.form)) {
            return Err(misfit(&source.given, path, source.form, is_mixed));
        }
        #[cfg(feature = "parquet")]
        if form == Form::Parquet {
            let files = sources.iter().filter_map(|source| Some((&*source.given, source.path.as_deref()?)));
            crate::input::check_columns(files)?;
        }
        Ok(if form == Form::Parquet { Self::Parquet(path) } else { Self::File(path, form, codec) })
    }

    /// Tries whether it can be written.
    fn check(&self) -> Result<(), String> {
        let (path, tried) = match self {
            Self::File(path, ..) | Self::Parquet(path) => (path, check_file(path)),
            Self::Folder(path) => (path, check_folder(path)),
        };
        tried.map_err(|error| unwritable(path, &error))
    }

    fn folder(path: &'a Path, sources: &[&Source]) -> Result<Self, String> {
        let mut names = HashMap::new();
        for source in sources {
            if source.path.is_none() {
                return Err("a text on standard input has no name to be kept under: give files".into());
            }
            if let Some(first) = names.insert(source.inside.as_path(), &source.given) {
                return Err(format!("{} and {first} would both be {}: run them apart", source.given, source.name));
            }
        }
        for source in sources {
            if let Some(file) = source.inside.ancestors().skip(1).find_map(|folder| names.get(folder)) {
                return Err(format!(
                    "{} would be in a folder where {file} would be a file: run them apart",
                    source.given
                ));
            }
        }
        Ok(Self::Folder(path))
    }
}

/// Refuses to write over what is read.
fn refuse_input(path: &Path, sources: &[Source]) -> Result<(), String> {
    let full = full(path);
    if sources.iter().any(|source| source.path.as_ref() == Some(&full)) {
        return Err(format!("{} is read itself: write to another file, or leave it out of the input", path.display()));
    }
    Ok(())
}

/// Of files of several kinds there is no name that all of them would fit.
fn misfit(given: &str, path: &Path, form: Form, is_mixed: bool) -> String {
    let path = path.display();
    let remedy = match is_mixed {
        true => "run files of each kind by themselves".into(),
        false => format!("name it {}", form_name(form)),
    };
    format!("{given} does not fit into {path} byte for byte: {remedy}")
}

fn form_name(form: Form) -> &'static str {
    match form {
        Form::Text => "as a folder, without an extension",
        Form::Lines => ".jsonl",
        Form::Json => ".json",
        Form::Table(b'\t') => ".tsv",
        Form::Table(_) => ".csv",
        Form::Parquet => ".parquet",
        Form::Feed => ".jsonl",
        Form::Warc => ".wet",
        Form::Any => ".jsonl or .json",
    }
}

/// Writes the input, without the copies or with all that there is to note, and tells what became of all of it.
fn write(
    target: &Target,
    notes: Option<&Notes>,
    sources: &[Source],
    tallies: &[Tally],
    fates: Vec<Fate>,
    bar: &ProgressBar,
) -> Result<(Ready, Account), String> {
    // What is known already comes after all others.
    let new = || sources.iter().zip(tallies).filter(|(source, _)| !source.is_known);
    let sources = || new().filter(|(_, tally)| !tally.is_unread());
    let mut fates = fates.into_iter().enumerate();
    let mut account = Account::default();
    for (_, tally) in new() {
        account.input.records += tally.records;
        account.input.bytes += tally.bytes;
    }
    let ready = match target {
        Target::File(path, _, codec) => {
            let failed = |error| unwritable(path, &error);
            let mut joiner = Joiner::new(Whole::new(path, *codec).map_err(failed)?, notes);
            for (source, tally) in sources() {
                let mut records = Fates { articles: &mut fates, skipped: &tally.skipped };
                let blocks = source.open(bar).map_err(|_| changed(source))?;
                read_again(blocks, source, tally, |block| {
                    joiner.block(block, &mut records, &mut account).map_err(|failure| match failure {
                        Failure::Write(error) => failed(error),
                        Failure::Changed => changed(source),
                    })
                })?;
                joiner.end_source(&mut account).map_err(failed)?;
            }
            account.check()?;
            joiner.finish().map_err(failed)?
        }
        Target::Parquet(path) => {
            let (mut rows, mut noted) = (Vec::new(), Vec::new());
            for (source, tally) in sources() {
                let mut records = Fates { articles: &mut fates, skipped: &tally.skipped };
                let blocks = source.open(bar).map_err(|_| changed(source))?;
                let (mut stays, mut found) = (Vec::new(), Vec::new());
                read_again(blocks, source, tally, |block| {
                    for (number, record) in (block.first..).zip(&block.records) {
                        let (fate, position) = records.next(number).ok_or_else(|| changed(source))?;
                        account.add(fate, record.len() as u64);
                        stays.push(fate != Fate::Removed);
                        found.extend(notes.map(|notes| notes.of(position)));
                    }
                    Ok(())
                })?;
                rows.extend(source.path.as_deref().map(|path| (path, stays)));
                noted.push(found);
            }
            account.check()?;
            write_parquet(path, &rows, notes.map(|_| noted)).map_err(|error| unwritable(path, &error))?
        }
        Target::Folder(path) => {
            let failed = |error| unwritable(path, &error);
            let folder = WholeFolder::new(path).map_err(failed)?;
            for (source, tally) in sources() {
                let mut records = Fates { articles: &mut fates, skipped: &tally.skipped };
                let bytes = source.raw().map_err(|_| changed(source))?;
                // An empty file is no record and stays.
                let mut fate = Fate::Skipped;
                let blocks = source.blocks(&bytes[..]).map_err(|_| changed(source))?;
                read_again(blocks, source, tally, |block| {
                    let in_records: usize = block.records.iter().map(ExactSizeIterator::len).sum();
                    account.between += (block.bytes.len() - in_records) as u64;
                    if in_records > 0 {
                        (fate, _) = records.next(block.first).ok_or_else(|| changed(source))?;
                        account.add(fate, in_records as u64);
                    }
                    Ok(())
                })?;
                if fate != Fate::Removed {
                    folder.write(&source.inside, &bytes).map_err(failed)?;
                }
            }
            account.check()?;
            folder.finish()
        }
    };
    Ok((ready, account))
}

#[cfg(feature = "parquet")]
fn write_parquet(path: &Path, rows: &[(&Path, Vec<bool>)], notes: Option<Vec<Vec<Note>>>) -> io::Result<Ready> {
    let to = Whole::new(path, Codec::Plain)?;
    match notes {
        Some(notes) => {
            let paths: Vec<&Path> = rows.iter().map(|(path, _)| *path).collect();
            crate::input::annotate_rows(to, &paths, &notes)?.finish()
        }
        None => crate::input::write_rows(to, rows)?.finish(),
    }
}

/// Never reached, since such files cannot be read.
#[cfg(not(feature = "parquet"))]
fn write_parquet(_: &Path, _: &[(&Path, Vec<bool>)], _: Option<Vec<Vec<Note>>>) -> io::Result<Ready> {
    Err(io::ErrorKind::Unsupported.into())
}

fn unwritable(path: &Path, error: &io::Error) -> String {
    if let Some(message) = told_by(error) {
        return format!("cannot write {}, {message}; nothing was written", path.display());
    }
    let remedy = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room or write to another disk",
        io::ErrorKind::NotFound => "make the folder first",
        _ => "check the folder or write to another one",
    };
    format!("cannot write {}, {error}: {remedy}; nothing was written", path.display())
}

fn changed(source: &Source) -> String {
    format!("{} changed while it was read, nothing was written: run again when nobody writes to it", source.given)
}

/// A share, more than 0 to 1.
fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|&share| share > 0.0 && share <= 1.0);
    share.ok_or_else(|| "give a number more than 0, at most 1".into())
}

/// The fate of each article, in the order of the input.
fn fates(report: &Report, articles: usize) -> Vec<Fate> {
    let mut fates = vec![Fate::Kept; articles];
    for skip in report.skipped() {
        fates[skip.position] = Fate::Skipped;
    }
    for removal in report.removals() {
        fates[removal.position] = Fate::Removed;
    }
    fates
}

/// The fates of a source's records.
struct Fates<'a> {
    /// Of all articles that were not met yet, with their positions.
    articles: &'a mut std::iter::Enumerate<std::vec::IntoIter<Fate>>,
    /// The records that are no articles.
    skipped: &'a [u64],
}

impl Fates<'_> {
    /// The fate of the next record, whose number this is, and its position if it is an article; none if there was no such
    /// record before.
    fn next(&mut self, number: u64) -> Option<(Fate, Option<usize>)> {
        match self.skipped {
            [first, rest @ ..] if *first == number => {
                self.skipped = rest;
                Some((Fate::Skipped, None))
            }
            _ => self.articles.next().map(|(position, fate)| (fate, Some(position))),
        }
    }
}

/// Reads a source again, and holds it to what was read before.
fn read_again(
    mut blocks: Blocks<impl Read>,
    source: &Source,
    tally: &Tally,
    mut each: impl FnMut(&Block) -> Result<(), String>,
) -> Result<(), String> {
    let mut again = Tally::default();
    while let Some(block) = blocks.next().map_err(|_| changed(source))? {
        again.add(&Count::of(&block));
        each(&block)?;
    }
    let sums = |tally: &Tally| (tally.records, tally.bytes, tally.checksum);
    if sums(&again) == sums(tally) { Ok(()) } else { Err(changed(source)) }
}

enum Failure {
    Write(io::Error),
    /// There are records that were not there before.
    Changed,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// Writes the records that stay, source after source, as one file of their kind. Where nothing is removed from a single
/// source, it comes out as it was.
struct Joiner<'a> {
    file: Whole,
    /// What to add to records, all of which stay then.
    notes: Option<&'a Notes<'a>>,
    table: Table,
    shape: Option<Shape>,
    /// Whether a source was written before this one.
    is_later: bool,
    /// What came after the last record, to be written before the next.
    gap: Vec<u8>,
    last: u8,
    /// The byte that ends each line of the source.
    line_end: u8,
    /// What comes before the first element of a list.
    head: Vec<u8>,
    /// What closes a list.
    tail: Vec<u8>,
    has_record: bool,
    source_has_records: bool,
    /// What there is in sources without a record as long as none has any: blank lines, or the brackets of the first list.
    empty: Vec<u8>,
}

impl<'a> Joiner<'a> {
    fn new(file: Whole, notes: Option<&'a Notes<'a>>) -> Self {
        let (gap, head, tail) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            file,
            notes,
            table: Table::default(),
            shape: None,
            is_later: false,
            gap,
            last: b'\n',
            line_end: b'\n',
            head,
            tail,
            has_record: false,
            source_has_records: false,
            empty: Vec::new(),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.last = bytes.last().copied().unwrap_or(self.last);
        self.file.write_all(bytes)
    }

    fn block(&mut self, block: &Block, fates: &mut Fates, account: &mut Account) -> Result<(), Failure> {
        // Entries are lines as soon as they are written.
        let shape = if block.shape == Shape::Entries { Shape::Lines } else { block.shape };
        if !block.records.is_empty() {
            self.shape = Some(shape);
            self.line_end = block.line_end;
        }
        self.source_has_records |= !block.records.is_empty();
        let mut end = 0;
        for (number, record) in (block.first..).zip(&block.records) {
            self.gap.extend_from_slice(&block.bytes[end..record.start]);
            account.between += self.gap.len() as u64;
            let bytes = &block.bytes[record.clone()];
            end = record.end;
            if matches!(block.shape, Shape::Table(_)) && number == 0 {
                account.between += bytes.len() as u64;
                account.input.records -= 1;
                self.table_head(bytes, block.shape)?;
            } else {
                let (fate, position) = fates.next(number).ok_or(Failure::Changed)?;
                account.add(fate, bytes.len() as u64);
                match self.notes {
                    Some(notes) => {
                        let noted = notes.record(block.shape, bytes, position, &mut self.table);
                        self.record(block.shape, number, &noted, true)?;
                    }
                    None => self.record(block.shape, number, bytes, fate != Fate::Removed)?,
                }
            }
            self.gap.clear();
        }
        self.gap.extend_from_slice(&block.bytes[end..]);
        Ok(())
    }

    /// Writes the head of the first table.
    fn table_head(&mut self, head: &[u8], shape: Shape) -> Result<(), Failure> {
        if !self.is_later {
            let gap = std::mem::take(&mut self.gap);
            self.write(&gap)?;
            match (self.notes, shape) {
                (Some(_), Shape::Table(delimiter)) => {
                    let head = self.table.head(head, delimiter);
                    self.write(&head)?;
                }
                _ => self.write(head)?,
            }
        }
        Ok(())
    }

    /// Takes the next record in, with the gap before it.
    fn record(&mut self, shape: Shape, number: u64, bytes: &[u8], stays: bool) -> io::Result<()> {
        let mut gap = std::mem::take(&mut self.gap);
        let is_list = matches!(shape, Shape::Array | Shape::Values);
        if number == 0 && is_list {
            if self.head.is_empty() {
                self.head = gap.clone();
            }
            // After another source: what opens this one becomes what stands between.
            if self.is_later {
                let opening = gap.iter().position(|&byte| byte == b'[').map_or(0, |bracket| bracket + 1);
                let white = without_mark(&gap[opening..]).to_vec();
                gap = if shape == Shape::Array { b",".to_vec() } else { b"\n".to_vec() };
                gap.extend(white);
            }
        } else if number == 0 && self.is_later {
            gap = without_mark(&gap).into();
        }
        if is_list {
            // What separates records goes with the one that it precedes; but what opens the list stays.
            if !stays {
                return Ok(());
            }
            if !self.has_record {
                gap = self.head.clone();
            }
            self.has_record = true;
        } else if self.is_later && self.last != self.line_end {
            self.write(&[self.line_end])?;
        }
        self.write(&gap)?;
        if stays { self.write(bytes) } else { Ok(()) }
    }

    fn end_source(&mut self, account: &mut Account) -> io::Result<()> {
        let gap = std::mem::take(&mut self.gap);
        account.between += gap.len() as u64;
        match self.shape {
            Some(Shape::Array | Shape::Values) if self.source_has_records => self.tail = gap,
            // Of a later file without a record nothing but blank lines.
            Some(Shape::Lines | Shape::Table(_) | Shape::Warc) if self.is_later => self.write(without_mark(&gap))?,
            Some(Shape::Lines | Shape::Table(_) | Shape::Warc) => self.write(&gap)?,
            None if self.empty.is_empty() => self.empty = gap,
            None if without_mark(&self.empty).trim_ascii().is_empty() => self.empty.extend(without_mark(&gap)),
            _ => {}
        }
        self.is_later |= self.source_has_records;
        self.source_has_records = false;
        Ok(())
    }

    fn finish(mut self) -> io::Result<Ready> {
        let is_list = matches!(self.shape, Some(Shape::Array | Shape::Values));
        if is_list && !self.has_record {
            // An empty list is opened as well.
            let head = std::mem::take(&mut self.head);
            self.write(&head)?;
        }
        let tail = if self.shape.is_none() { &mut self.empty } else { &mut self.tail };
        let tail = std::mem::take(tail);
        self.write(&tail)?;
        self.file.finish()
    }
}

/// Lists as JSON lines what was removed, in the order of the input: what, in favour of what, and why.
fn write_removed(path: &Path, codec: Codec, report: &Report, places: &[Place]) -> Result<Ready, String> {
    let failed = |error| unwritable(path, &error);
    let mut file = Whole::new(path, codec).map_err(failed)?;
    for removal in report.removals() {
        let place = |position: usize| places[position].to_string();
        let (from, kept) = (place(removal.position), place(removal.kept));
        let mut line =
            json!({"type": "removed", "id": removal.id, "at": from, "kept": removal.kept_id, "kept_at": kept});
        output::add_fields(&mut line, removal);
        output::write_line(&mut file, &line).map_err(failed)?;
    }
    file.finish().map_err(failed)
}

/// Writes all articles that are not known already without the furniture of their pages, in the order of the input.
fn write_stripped(
    (path, codec): (&Path, Codec),
    report: &Report,
    articles: &Articles<Document>,
    places: &[Place],
) -> Result<Ready, String> {
    let failed = |error| unwritable(path, &error);
    let mut file = Whole::new(path, codec).map_err(failed)?;
    let mut furniture = report.page_furniture().iter().peekable();
    for (position, place) in places.iter().enumerate() {
        let found = furniture.next_if(|furniture| furniture.position == position);
        if articles.is_known(position) {
            continue;
        }
        let text = articles.text(position).map_err(|error| error.to_string())?;
        let left = found.map(|furniture| furniture.cut_from(&text));
        let spans = found.map(|furniture| &furniture.spans[..]).unwrap_or_default();
        let cut: Vec<_> = spans.iter().map(|span| json!({"start": span.start, "end": span.end})).collect();
        let (id, at) = (articles.id(position), place.to_string());
        let line = json!({"type": "article", "id": id, "at": at, "text": left.as_deref().unwrap_or(&text), "cut": cut});
        output::write_line(&mut file, &line).map_err(failed)?;
    }
    file.finish().map_err(failed)
}
