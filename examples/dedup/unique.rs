//! A corpus without its copies: reads the input a second time and leaves out what was found, byte for byte.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read, Write};
use std::path::Path;

use indicatif::{HumanCount, ProgressBar};
use retold::Report;
use serde_json::{Value, json};

use crate::input::{Block, Blocks, Codec, Count, Form, Place, Shape, Source, Tally, decode, kind, without_mark};
use crate::output;
use crate::write::{Whole, WholeFolder};

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
#[derive(Clone, Copy, Default)]
struct Sum {
    records: u64,
    bytes: u64,
}

/// What became of all records; `Display` tells it as a sum.
#[derive(Default)]
pub struct Account {
    kept: Sum,
    removed: Sum,
    skipped: Sum,
    /// Bytes that belong to no record: heads of tables, blank lines, brackets and commas of lists.
    between: u64,
    input: Sum,
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
            Err(format!("kept, removed and skipped do not make the input, which is a mistake in dedup: {self}"))
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kept, removed, skipped, between, input } = self;
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
        )
    }
}

/// The files to write beside the results.
pub struct Outputs<'a> {
    unique: Option<Target<'a>>,
    removed: Option<(&'a Path, Codec)>,
}

impl<'a> Outputs<'a> {
    /// Refuses what cannot be written before anything is read.
    pub fn new(unique: Option<&'a Path>, removed: Option<&'a Path>, sources: &[Source]) -> Result<Self, String> {
        if let Some(path) = removed {
            refuse_input(path, sources)?;
            if unique == removed {
                return Err(format!("--unique and --removed are both {}: give them two names", path.display()));
            }
        }
        let unique = unique.map(|path| Target::new(path, sources)).transpose()?;
        Ok(Self { unique, removed: removed.map(|path| (path, Codec::of_name(path))) })
    }

    /// Whether the input is read a second time.
    pub fn need_input_again(&self) -> bool {
        self.unique.is_some()
    }

    /// Writes them, and tells what became of all records if they were written.
    pub fn write(
        &self,
        sources: &[Source],
        tallies: &[Tally],
        report: &Report,
        places: &[Place],
        bar: &ProgressBar,
    ) -> Result<Option<Account>, String> {
        let unique = self.unique.as_ref();
        let write = |target| write(target, sources, tallies, report, places.len(), bar);
        let account = unique.map(write).transpose()?;
        if let Some((path, codec)) = self.removed {
            write_removed(path, codec, report, places)?;
        }
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
    fn new(path: &'a Path, sources: &[Source]) -> Result<Self, String> {
        refuse_input(path, sources)?;
        let shown = path.display();
        let Some((form, codec)) = kind(path) else {
            if let Some(source) = sources.iter().find(|source| source.form != Form::Text) {
                let wanted = form_name(source.form);
                return Err(format!("{shown} has no name for what {} is: name it {wanted}", source.given));
            }
            return Self::folder(path, sources);
        };
        if form == Form::Text {
            return Err(format!("{shown} would be one text of many: name a folder, without .txt"));
        }
        // What standard input is shows only when it is read.
        if let Some(source) = sources.iter().find(|source| source.form != form && source.form != Form::Any) {
            return Err(misfit(&source.given, path, source.form));
        }
        Ok(if form == Form::Parquet { Self::Parquet(path) } else { Self::File(path, form, codec) })
    }

    fn folder(path: &'a Path, sources: &[Source]) -> Result<Self, String> {
        let mut names = HashMap::new();
        for source in sources {
            let Some(path) = &source.path else {
                return Err("a text on standard input has no name to be kept under: give files".into());
            };
            if path.to_str().is_none() {
                return Err(format!("the name of {} is not valid UTF-8: rename it", source.given));
            }
            if let Some(first) = names.insert(&source.name, &source.given) {
                return Err(format!("{} and {first} would both be {}: run them apart", source.given, source.name));
            }
        }
        Ok(Self::Folder(path))
    }
}

/// Refuses to write over what is read.
fn refuse_input(path: &Path, sources: &[Source]) -> Result<(), String> {
    let full = path.canonicalize().ok();
    if full.is_some() && sources.iter().any(|source| source.path == full) {
        return Err(format!("{} is read itself: write to another file, or leave it out of the input", path.display()));
    }
    Ok(())
}

fn misfit(given: &str, path: &Path, form: Form) -> String {
    let (path, wanted) = (path.display(), form_name(form));
    format!("{given} does not fit into {path} byte for byte: name it {wanted}, or run it alone")
}

fn form_name(form: Form) -> &'static str {
    match form {
        Form::Text => "as a folder, without an extension",
        Form::Lines => ".jsonl",
        Form::Json => ".json",
        Form::Table(b'\t') => ".tsv",
        Form::Table(_) => ".csv",
        Form::Parquet => ".parquet",
        Form::Any => ".jsonl or .json",
    }
}

/// Writes the input without the copies, and tells what became of all of it.
fn write(
    target: &Target,
    sources: &[Source],
    tallies: &[Tally],
    report: &Report,
    articles: usize,
    bar: &ProgressBar,
) -> Result<Account, String> {
    for (source, tally) in sources.iter().zip(tallies) {
        if let Some(reason) = &tally.broken {
            return Err(format!("{} cannot be written without losing a part of it: {reason}", source.given));
        }
    }
    let mut fates = fates(report, articles).into_iter();
    let mut account = Account::default();
    for tally in tallies {
        account.input.records += tally.records;
        account.input.bytes += tally.bytes;
    }
    match target {
        Target::File(path, form, codec) => {
            let failed = |error| unwritable(path, &error);
            let mut joiner = Joiner::new(Whole::new(path, *codec).map_err(failed)?);
            for (source, tally) in sources.iter().zip(tallies) {
                let mut records = Fates { articles: &mut fates, skipped: &tally.skipped };
                let from = source.open(bar).map_err(|_| changed(source))?;
                read_again(from, source, tally, |block| {
                    // What standard input is showed only now.
                    if !block.records.is_empty() && block.shape.form() != *form {
                        return Err(misfit(&source.given, path, block.shape.form()));
                    }
                    joiner.block(block, &mut records, &mut account).map_err(|failure| match failure {
                        Failure::Write(error) => failed(error),
                        Failure::Changed => changed(source),
                        Failure::Unlike(what) => {
                            let (given, path) = (&source.given, path.display());
                            format!("{given} does not fit into {path}, {what} differ from those before: run it alone")
                        }
                    })
                })?;
                joiner.end_source(&mut account).map_err(failed)?;
            }
            account.check()?;
            joiner.finish().map_err(failed)?;
        }
        Target::Parquet(path) => {
            let mut rows = Vec::new();
            for (source, tally) in sources.iter().zip(tallies) {
                let mut records = Fates { articles: &mut fates, skipped: &tally.skipped };
                let from = source.open(bar).map_err(|_| changed(source))?;
                let mut stays = Vec::new();
                read_again(from, source, tally, |block| {
                    for (number, record) in (block.first..).zip(&block.records) {
                        let fate = records.next(number).ok_or_else(|| changed(source))?;
                        account.add(fate, record.len() as u64);
                        stays.push(fate != Fate::Removed);
                    }
                    Ok(())
                })?;
                rows.extend(source.path.as_deref().map(|path| (path, stays)));
            }
            account.check()?;
            write_parquet(path, &rows).map_err(|error| unwritable(path, &error))?;
        }
        Target::Folder(path) => {
            let failed = |error| unwritable(path, &error);
            let folder = WholeFolder::new(path).map_err(failed)?;
            for (source, tally) in sources.iter().zip(tallies) {
                let mut records = Fates { articles: &mut fates, skipped: &tally.skipped };
                let bytes = source.raw().map_err(|_| changed(source))?;
                // An empty file is no record and stays.
                let mut fate = Fate::Skipped;
                read_again(decode(source.codec, &bytes[..]), source, tally, |block| {
                    let in_records: usize = block.records.iter().map(|record| record.len()).sum();
                    account.between += (block.bytes.len() - in_records) as u64;
                    if in_records > 0 {
                        fate = records.next(block.first).ok_or_else(|| changed(source))?;
                        account.add(fate, in_records as u64);
                    }
                    Ok(())
                })?;
                if fate != Fate::Removed {
                    folder.write(&source.name, &bytes).map_err(failed)?;
                }
            }
            account.check()?;
            folder.finish().map_err(failed)?;
        }
    }
    Ok(account)
}

#[cfg(feature = "parquet")]
fn write_parquet(path: &Path, rows: &[(&Path, Vec<bool>)]) -> io::Result<()> {
    crate::input::write_rows(Whole::new(path, Codec::Plain)?, rows)?.finish()
}

/// Never reached, since such files cannot be read.
#[cfg(not(feature = "parquet"))]
fn write_parquet(_: &Path, _: &[(&Path, Vec<bool>)]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

fn unwritable(path: &Path, error: &io::Error) -> String {
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
    /// Of all articles that were not met yet.
    articles: &'a mut std::vec::IntoIter<Fate>,
    /// The records that are no articles.
    skipped: &'a [u64],
}

impl Fates<'_> {
    /// The fate of the next record, whose number this is; none if there was no such record before.
    fn next(&mut self, number: u64) -> Option<Fate> {
        match self.skipped {
            [first, rest @ ..] if *first == number => {
                self.skipped = rest;
                Some(Fate::Skipped)
            }
            _ => self.articles.next(),
        }
    }
}

/// Reads a source again, and holds it to what was read before.
fn read_again(
    from: impl Read,
    source: &Source,
    tally: &Tally,
    mut each: impl FnMut(&Block) -> Result<(), String>,
) -> Result<(), String> {
    let mut again = Tally::default();
    let mut blocks = Blocks::new(from, source.form);
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
    /// The source cannot follow what is written already.
    Unlike(&'static str),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// Writes the records that stay, source after source, as one file of their kind. Where nothing is removed from a single
/// source, it comes out as it was.
struct Joiner {
    file: Whole,
    shape: Option<Shape>,
    /// Whether a source was written before this one.
    is_later: bool,
    /// What came after the last record, to be written before the next.
    gap: Vec<u8>,
    last: u8,
    /// What comes before the first record: the head of a table, the opening bracket of a list.
    head: Vec<u8>,
    /// What closes a list.
    tail: Vec<u8>,
    has_record: bool,
    source_has_records: bool,
}

impl Joiner {
    fn new(file: Whole) -> Self {
        let (gap, head, tail) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            file,
            shape: None,
            is_later: false,
            gap,
            last: b'\n',
            head,
            tail,
            has_record: false,
            source_has_records: false,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.last = bytes.last().copied().unwrap_or(self.last);
        self.file.write_all(bytes)
    }

    fn block(&mut self, block: &Block, fates: &mut Fates, account: &mut Account) -> Result<(), Failure> {
        if !block.records.is_empty() && *self.shape.get_or_insert(block.shape) != block.shape {
            return Err(Failure::Unlike("its brackets"));
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
                self.table_head(bytes)?;
            } else {
                let fate = fates.next(number).ok_or(Failure::Changed)?;
                account.add(fate, bytes.len() as u64);
                self.record(block.shape, number, bytes, fate != Fate::Removed)?;
            }
            self.gap.clear();
        }
        self.gap.extend_from_slice(&block.bytes[end..]);
        Ok(())
    }

    /// Writes the head of the first table, and holds those after it to it.
    fn table_head(&mut self, head: &[u8]) -> Result<(), Failure> {
        if !self.is_later {
            self.head = head.trim_ascii_end().into();
            let gap = std::mem::take(&mut self.gap);
            self.write(&gap)?;
            self.write(head)?;
        } else if self.head != head.trim_ascii_end() {
            return Err(Failure::Unlike("the columns"));
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
        } else if self.is_later && self.last != b'\n' {
            self.write(b"\n")?;
        }
        self.write(&gap)?;
        if stays { self.write(bytes) } else { Ok(()) }
    }

    fn end_source(&mut self, account: &mut Account) -> io::Result<()> {
        let gap = std::mem::take(&mut self.gap);
        account.between += gap.len() as u64;
        match self.shape {
            Some(Shape::Array | Shape::Values) if self.source_has_records => self.tail = gap,
            Some(Shape::Lines | Shape::Table(_)) => self.write(&gap)?,
            _ => {}
        }
        self.is_later |= self.source_has_records;
        self.source_has_records = false;
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        let tail = std::mem::take(&mut self.tail);
        self.write(&tail)?;
        self.file.finish()
    }
}

/// Lists as JSON lines what was removed, in the order of the input: what, in favour of what, and why.
fn write_removed(path: &Path, codec: Codec, report: &Report, places: &[Place]) -> Result<(), String> {
    let failed = |error| unwritable(path, &error);
    let mut file = Whole::new(path, codec).map_err(failed)?;
    for removal in report.removals() {
        let place = |position: usize| places[position].to_string();
        let (from, kept) = (place(removal.position), place(removal.kept));
        let mut line = json!({"id": removal.id, "place": from, "kept": removal.kept_id, "kept_place": kept});
        let mut reasons = json!(removal);
        output::round_fields(&mut reasons);
        if let (Value::Object(line), Value::Object(mut reasons)) = (&mut line, reasons) {
            reasons.shift_remove("id");
            reasons.shift_remove("kept_id");
            line.extend(reasons);
        }
        output::write_line(&mut file, &line).map_err(failed)?;
    }
    file.finish().map_err(failed)
}
