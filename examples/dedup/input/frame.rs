//! Bytes to records: where each begins and ends, without a look at what is in it.
//!
//! Records and what lies between them (blank lines, brackets, commas, a mark of UTF-8) together are the bytes of the
//! source, so that what is left out can be left out byte for byte.

use std::io::{self, Read};
use std::ops::Range;

use memchr::{memchr, memchr_iter, memchr2, memchr3};

use super::At;
use super::bytes::{guarded, unreadable};

/// How the records of a source are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// One article a file.
    Text,
    /// One JSON object a line.
    Lines,
    /// A JSON array of objects, or objects one after the other.
    Json,
    /// Rows of cells after a row with their names, with this byte between cells unless the first row shows another.
    Table(u8),
    /// Rows that are read as JSON lines.
    Parquet,
    /// Entries of RSS or Atom that are read as JSON lines.
    Feed,
    /// WARC records with texts: WET.
    Warc,
    /// JSON lines or an array, as the first byte shows.
    Any,
}

impl Form {
    /// The form of files whose name ends so, in lower case.
    pub fn of_extension(extension: &str) -> Option<Self> {
        Some(match extension {
            "txt" => Self::Text,
            "jsonl" | "ndjson" => Self::Lines,
            "json" => Self::Json,
            "csv" => Self::Table(b','),
            "tsv" => Self::Table(b'\t'),
            "parquet" => Self::Parquet,
            "rss" | "atom" => Self::Feed,
            "wet" => Self::Warc,
            _ => return None,
        })
    }
}

/// How the records of a source turned out to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The whole source is one record.
    Whole,
    Lines,
    /// Elements of an array, with commas between them.
    Array,
    /// JSON values one after the other.
    Values,
    Table(u8),
    /// Lines that stand for rows.
    Rows,
    /// Lines that stand for entries.
    Entries,
    Warc,
}

impl Shape {
    /// Whether sources that turn out to be so fit into a file of a form byte for byte.
    pub fn fits(self, form: Form) -> bool {
        match (self, form) {
            (Self::Table(_), Form::Table(_)) | (Self::Entries, Form::Lines) => true,
            _ => self.form() == form,
        }
    }

    /// The form of sources that turn out to be so.
    pub fn form(self) -> Form {
        match self {
            Self::Whole => Form::Text,
            Self::Lines => Form::Lines,
            Self::Array | Self::Values => Form::Json,
            Self::Table(delimiter) => Form::Table(delimiter),
            Self::Rows => Form::Parquet,
            Self::Entries => Form::Feed,
            Self::Warc => Form::Warc,
        }
    }
}

/// Some whole records of a source with what lies before and between them.
pub struct Block {
    pub shape: Shape,
    pub bytes: Vec<u8>,
    /// Where the records are in `bytes`, in order. A line or a row includes its end of line.
    pub records: Vec<Range<usize>>,
    /// The number of the first record in the source, from 0.
    pub first: u64,
    /// The line in which the block begins, from 1.
    line: u64,
    /// The byte that ends each line.
    pub line_end: u8,
}

impl Block {
    /// One line by itself, the so-manieth from 1.
    pub fn line(bytes: Vec<u8>, number: u64) -> Self {
        let records = std::iter::once(0..bytes.len()).collect();
        Self { shape: Shape::Lines, bytes, records, first: number - 1, line: number, line_end: b'\n' }
    }

    /// The number, place and bytes of each record.
    pub fn records(&self) -> impl Iterator<Item = (u64, At, &[u8])> {
        let (mut line, mut end, mut of_record) = (self.line, 0, 0);
        (self.first..).zip(&self.records).map(move |(number, record)| {
            let at = match self.shape {
                Shape::Whole => At::Whole,
                Shape::Array | Shape::Values | Shape::Rows | Shape::Entries | Shape::Warc => At::Element(number + 1),
                Shape::Lines | Shape::Table(_) => {
                    line += of_record + lines(&self.bytes[end..record.start], self.line_end);
                    (end, of_record) = (record.end, self.lines_of(record));
                    At::Line(line)
                }
            };
            (number, at, &self.bytes[record.clone()])
        })
    }

    /// How many lines end in a record: one that is a line has no more than its own end.
    fn lines_of(&self, record: &Range<usize>) -> u64 {
        let record = &self.bytes[record.clone()];
        match self.shape {
            Shape::Lines => record.ends_with(&[self.line_end]).into(),
            _ => lines(record, self.line_end),
        }
    }

    /// How many lines end in it.
    fn lines(&self) -> u64 {
        let (mut end, mut all) = (0, 0);
        for record in &self.records {
            all += lines(&self.bytes[end..record.start], self.line_end) + self.lines_of(record);
            end = record.end;
        }
        all + lines(&self.bytes[end..], self.line_end)
    }
}

/// How many lines end there.
fn lines(bytes: &[u8], end: u8) -> u64 {
    memchr_iter(end, bytes).count() as u64
}

/// How many bytes are read at a time, and about what a block holds.
pub const BLOCK: usize = 1 << 18;

/// How many bytes are read of a source at first.
const LEAST: usize = 1 << 13;

/// The longest record: far more than an article has, and little enough for any memory. A small compressed file may hold one
/// line of more than that.
pub const LONGEST: usize = 256 << 20;

/// How far the head of a source is looked at to tell its shape.
const HEAD: usize = 1 << 16;

/// Reads a source block by block.
pub struct Blocks<R> {
    from: R,
    form: Form,
    /// What separates the cells of a table, if that is given.
    delimiter: Option<u8>,
    /// How many bytes are read at a time.
    size: usize,
    scanner: Option<Scanner>,
    /// What was read and is in no block yet.
    buffer: Vec<u8>,
    /// Bytes that nobody needs any more, to be read over.
    room: Vec<u8>,
    is_end: bool,
    failure: Option<io::Error>,
    first: u64,
    line: u64,
}

impl<R: Read> Blocks<R> {
    pub fn new(from: R, form: Form, delimiter: Option<u8>) -> Self {
        Self::sized(from, form, delimiter, BLOCK)
    }

    fn sized(from: R, form: Form, delimiter: Option<u8>, size: usize) -> Self {
        let (buffer, room, scanner, failure) = (Vec::new(), Vec::new(), None, None);
        Self { from, form, delimiter, size, scanner, buffer, room, is_end: false, failure, first: 0, line: 1 }
    }

    /// Takes the bytes of a block that nobody needs any more, to read the next into the same memory: new memory is cleared first, and the
    /// system hands it out page by page.
    pub fn reuse(&mut self, bytes: Vec<u8>) {
        self.room = bytes;
    }

    /// The next block; none at the end. An error names the record that could not be read and comes after all that are
    /// whole; nothing comes after it.
    pub fn next(&mut self) -> Result<Option<Block>, (At, String)> {
        loop {
            self.fill();
            let can_continue = !self.is_end && self.failure.is_none();
            let Some(shape) = self.shape()? else {
                if self.buffer.len() > LONGEST {
                    return Err((At::Whole, "begins with more than 256 MiB of white space: leave it out".into()));
                }
                if can_continue {
                    continue;
                }
                // Nothing but white space.
                return match self.failure.take() {
                    Some(error) => Err((At::Whole, unreadable(&error))),
                    None => Ok(self.cut(Shape::Whole, Vec::new(), self.buffer.len(), b'\n')),
                };
            };
            let scanner = self.scanner.get_or_insert_with(|| Scanner::new(shape, &self.buffer));
            let mut records = Vec::new();
            scanner.scan(&self.buffer, self.is_end, &mut records);
            let is_whole = self.is_end && scanner.broken.is_none();
            let end = if is_whole { self.buffer.len() } else { scanner.settled };
            if end > 0 {
                scanner.shift(end);
                let line_end = scanner.line_end();
                return Ok(self.cut(shape, records, end, line_end));
            }
            if scanner.broken.is_none() && self.buffer.len() > LONGEST {
                return Err((
                    self.place(shape),
                    "a record of more than 256 MiB: split it or leave the file out".into(),
                ));
            }
            if let Some(reason) = scanner.broken.take() {
                return Err((self.place(shape), reason));
            }
            if let Some(error) = self.failure.take() {
                return Err((self.place(shape), unreadable(&error)));
            }
            if is_whole {
                return Ok(None);
            }
        }
    }

    /// Whether nothing more can come.
    pub fn is_done(&self) -> bool {
        self.is_end && self.buffer.is_empty()
    }

    /// Reads a block more; as much as there is already where that was not enough for a record, so that a huge one takes
    /// linear time.
    fn fill(&mut self) {
        if self.is_end || self.failure.is_some() {
            return;
        }
        let held = self.buffer.len();
        let wanted = held + held.max(self.size).min((LONGEST + 1).saturating_sub(held).max(self.size));
        let mut room = std::mem::take(&mut self.room);
        match room.get_mut(..held) {
            Some(start) => start.copy_from_slice(&self.buffer),
            None => room = std::mem::take(&mut self.buffer),
        }
        let mut filled = held;
        while filled < wanted && !self.is_end && self.failure.is_none() {
            if filled == room.len() {
                // Thousands of small sources are under way at once.
                let size = (2 * filled).clamp(LEAST, wanted.max(LEAST));
                room.reserve_exact(size - filled);
                room.resize(size, 0);
            }
            let end = room.len().min(wanted);
            match guarded(|| self.from.read(&mut room[filled..end])) {
                Ok(read) => (filled, self.is_end) = (filled + read, read == 0),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.failure = Some(error),
            }
        }
        room.truncate(filled);
        self.buffer = room;
    }

    /// The shape that the form stands for, once it can be told.
    fn shape(&self) -> Result<Option<Shape>, (At, String)> {
        if let Some(scanner) = &self.scanner {
            return Ok(Some(scanner.shape));
        }
        let head = without_mark(&self.buffer).trim_ascii_start();
        let is_whole = self.is_end || self.failure.is_some() || self.buffer.len() >= HEAD;
        let head = &head[..head.len().min(HEAD)];
        let shape = match (self.form, head.first()) {
            (Form::Text, _) => Shape::Whole,
            (Form::Lines, _) => match spans_lines(head, is_whole) {
                Some(true) if head.starts_with(b"[") => Shape::Array,
                Some(true) => Shape::Values,
                Some(false) => Shape::Lines,
                None => return Ok(None),
            },
            (Form::Parquet, _) => Shape::Rows,
            (Form::Feed, _) => Shape::Entries,
            (Form::Warc, _) => Shape::Warc,
            (Form::Table(usual), _) => {
                match self.delimiter.or_else(|| guess_delimiter(&self.buffer, usual, is_whole)) {
                    Some(delimiter) => Shape::Table(delimiter),
                    None => return Ok(None),
                }
            }
            (_, None) => return Ok(None),
            (_, Some(b'[')) => Shape::Array,
            (Form::Json, Some(b'{')) => Shape::Values,
            (Form::Any, Some(b'{')) => match is_an_object_a_line(head, is_whole) {
                Some(true) => Shape::Lines,
                Some(false) => Shape::Values,
                None => return Ok(None),
            },
            (Form::Json, _) => {
                return Err((At::Whole, "not JSON, begins with neither [ nor {: fix or rename it".into()));
            }
            (Form::Any, _) => {
                return Err((
                    At::Whole,
                    "not JSON, begins with neither [ nor {: name its form with --stdin-format".into(),
                ));
            }
        };
        Ok(Some(shape))
    }

    /// Where the next record stands.
    fn place(&self, shape: Shape) -> At {
        match shape {
            Shape::Whole => At::Whole,
            Shape::Array | Shape::Values | Shape::Rows | Shape::Entries | Shape::Warc => At::Element(self.first + 1),
            Shape::Lines | Shape::Table(_) => {
                let before = |scanner: &Scanner| lines(&self.buffer[..scanner.start], scanner.line_end());
                At::Line(self.line + self.scanner.as_ref().map_or(0, before))
            }
        }
    }

    /// Takes a block off the buffer; none if nothing is left.
    fn cut(&mut self, shape: Shape, records: Vec<Range<usize>>, end: usize, line_end: u8) -> Option<Block> {
        if end == 0 {
            return None;
        }
        let rest = self.buffer[end..].to_vec();
        let mut bytes = std::mem::replace(&mut self.buffer, rest);
        bytes.truncate(end);
        let block = Block { shape, records, first: self.first, line: self.line, line_end, bytes };
        self.first += block.records.len() as u64;
        if !matches!(shape, Shape::Whole) {
            self.line += block.lines();
        }
        Some(block)
    }
}

/// The bytes without a mark of UTF-8 before them.
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    &bytes[mark(bytes)..]
}

/// The length of a mark of UTF-8 before the text.
fn mark(bytes: &[u8]) -> usize {
    if bytes.starts_with("\u{feff}".as_bytes()) { "\u{feff}".len() } else { 0 }
}

/// What the head of a WARC record says.
pub struct Warc<'a> {
    /// Name and value of each field.
    pub fields: Vec<(&'a str, &'a str)>,
    /// Where what it holds begins, and how many bytes that are.
    pub text: usize,
    pub length: u64,
}

impl Warc<'_> {
    pub fn field(&self, wanted: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|&(_, value)| value)
    }
}

/// Reads the head of a record; none if it is none, or not whole.
pub fn warc(record: &[u8]) -> Option<Warc<'_>> {
    // An empty line ends it; some programs write line feeds alone.
    let empty = |end: usize| match record[end + 1..] {
        [b'\r', b'\n', ..] => Some((end, end + 3)),
        [b'\n', ..] => Some((end, end + 2)),
        _ => None,
    };
    let (end, text) = memchr_iter(b'\n', record).find_map(empty)?;
    let head = Some(&record[..end]).filter(|head| head.starts_with(b"WARC/"))?;
    // A field that is not UTF-8, as an address may be, is left out, and the record has its other name.
    let lines = head.split(|&byte| byte == b'\n').skip(1).filter_map(|line| std::str::from_utf8(line).ok());
    let fields = lines.filter_map(|line| line.split_once(':'));
    let fields: Vec<_> = fields.map(|(name, value)| (name.trim(), value.trim())).collect();
    let mut warc = Warc { fields, text, length: 0 };
    warc.length = warc.field("Content-Length")?.parse().ok()?;
    Some(warc)
}

/// What separates the cells of a table: of the bytes that are usual for that the one that the first row has most often, so
/// that a file from a program with other customs is read as well. None if more of the row must be seen.
fn guess_delimiter(bytes: &[u8], usual: u8, is_whole: bool) -> Option<u8> {
    if let Some(delimiter) = named_delimiter(bytes) {
        return Some(delimiter);
    }
    let mut counts = [(usual, 0), (b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    let (mut is_quoted, mut is_seen) = (false, is_whole);
    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
    for &byte in &bytes[blank..bytes.len().min(HEAD).max(blank)] {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' | b'\r' if !is_quoted => {
                is_seen = true;
                break;
            }
            _ if is_quoted => {}
            _ => counts
                .iter_mut()
                .find(|(delimiter, _)| *delimiter == byte)
                .into_iter()
                .for_each(|(_, count)| *count += 1),
        }
    }
    let most = counts.iter().map(|&(_, count)| count).max();
    let found = counts.iter().find(|&&(_, count)| Some(count) == most);
    found.map(|&(delimiter, _)| delimiter).filter(|_| is_seen)
}

/// What separates the cells by the line that Excel reads and some programs write before the first row: `sep=;`.
fn named_delimiter(bytes: &[u8]) -> Option<u8> {
    match without_mark(bytes).trim_ascii_start() {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter, b'\n' | b'\r', ..] => {
            Some(*delimiter).filter(|&byte| byte == b'\t' || byte.is_ascii_punctuation() && byte != b'"')
        }
        _ => None,
    }
}

/// Whether JSON objects come one a line, or spread over lines or side by side on one. None if more must be seen.
fn is_an_object_a_line(head: &[u8], is_whole: bool) -> Option<bool> {
    let end = memchr(b'\n', head);
    let line = &head[..end.unwrap_or(head.len())];
    let (mut scanner, mut objects) = (Scanner::new(Shape::Values, line), Vec::new());
    scanner.scan(line, false, &mut objects);
    if objects.len() > 1 {
        return Some(false);
    }
    let Some(end) = end else {
        // Of a line that long nothing more is looked at: it is one object.
        return is_whole.then_some(true);
    };
    if objects.len() == 1 {
        return Some(true);
    }
    // A first line that is no object: either all are spread over lines, or this one is damaged and the next is an object.
    match head[end..].trim_ascii_start().first() {
        Some(&next) => Some(next == b'{' || scanner.broken.is_some()),
        None => is_whole.then_some(true),
    }
}

/// Whether what is called lines of JSON is a list of objects, objects over several lines, or several on what is the only line: as lines
/// none of these has an article. None if more must be seen.
fn spans_lines(head: &[u8], is_whole: bool) -> Option<bool> {
    let begins = |rest: &[u8], wanted: &[u8]| match rest.trim_ascii_start().first() {
        Some(next) => Some(wanted.contains(next)),
        None => is_whole.then_some(false),
    };
    match (head.first(), memchr(b'\n', head)) {
        (Some(b'['), _) => match begins(&head[1..], b"{") {
            Some(true) => {
                let inside = head[1..].trim_ascii_start();
                let (mut scanner, mut objects) = (Scanner::new(Shape::Values, inside), Vec::new());
                scanner.scan(inside, false, &mut objects);
                // One that is not whole in what is looked at is taken for an element.
                objects.first().map_or(is_whole.then_some(true), |first| begins(&inside[first.end..], b",]"))
            }
            other => other,
        },
        (Some(b'{'), Some(end)) if head[1..end].trim_ascii().is_empty() => begins(&head[end..], b"\""),
        (Some(b'{'), None) if is_whole => is_an_object_a_line(head, true).map(|is_one| !is_one),
        (Some(b'{'), None) => None,
        _ => Some(false),
    }
}

/// Finds the edges of records in a buffer that grows; each byte is looked at once.
struct Scanner {
    shape: Shape,
    state: State,
    /// Where the record under way begins.
    start: usize,
    /// What is scanned so far.
    at: usize,
    /// All before is whole records and what lies between.
    settled: usize,
    /// Why no record can be found any more.
    broken: Option<String>,
    /// The cells of a table's first row, less 1, and whether any of them is in quotes; none before that is seen.
    head: Option<(usize, bool)>,
    /// The byte that ends no row by itself, by how the first one of a table ends.
    no_end: Option<u8>,
}

/// What stands at the place that is scanned.
#[derive(Clone, Copy)]
enum State {
    /// Nothing of a record yet.
    Before,
    /// A record at this depth of brackets, outside of strings.
    Inside { depth: u64 },
    /// A string in it.
    String { depth: u64 },
    /// The bytes after the array's end.
    After,
    /// The first byte of a cell.
    Cell,
    /// A cell without quotes, or what follows the quotes.
    Plain,
    /// A cell in quotes.
    Quoted,
    /// The byte after a quote in a cell in quotes, which may be a second one.
    Quote,
}

impl Scanner {
    fn new(shape: Shape, bytes: &[u8]) -> Self {
        let state = if matches!(shape, Shape::Table(_)) { State::Cell } else { State::Before };
        let start = mark(bytes);
        let mut scanner = Self { shape, state, start, at: start, settled: 0, broken: None, head: None, no_end: None };
        if shape == Shape::Array {
            // The shape says that this is the opening bracket.
            scanner.at += bytes[start..].len() - bytes[start..].trim_ascii_start().len() + 1;
        }
        scanner
    }

    /// The byte that ends each line: in tables the one that ends rows, so that no two of these stand on one line and the other one, which
    /// may stand in cells, ends none.
    fn line_end(&self) -> u8 {
        if self.no_end == Some(b'\n') { b'\r' } else { b'\n' }
    }

    /// Forgets the first bytes, which are settled.
    fn shift(&mut self, bytes: usize) {
        self.start = self.start.saturating_sub(bytes);
        self.at = self.at.saturating_sub(bytes);
        self.settled = 0;
    }

    fn scan(&mut self, bytes: &[u8], is_end: bool, records: &mut Vec<Range<usize>>) {
        match self.shape {
            Shape::Whole => {
                if is_end && self.start < bytes.len() {
                    records.push(self.start..bytes.len());
                }
            }
            Shape::Lines | Shape::Rows | Shape::Entries => self.scan_lines(bytes, is_end, records),
            Shape::Table(delimiter) => self.scan_rows(bytes, is_end, delimiter, records),
            Shape::Array | Shape::Values => self.scan_values(bytes, is_end, records),
            Shape::Warc => self.scan_warc(bytes, is_end, records),
        }
    }

    fn record(&mut self, end: usize, records: &mut Vec<Range<usize>>) {
        records.push(self.start..end);
        (self.start, self.settled) = (end, end);
    }

    fn scan_lines(&mut self, bytes: &[u8], is_end: bool, records: &mut Vec<Range<usize>>) {
        let mut line = |scanner: &mut Self, end: usize| {
            if bytes[scanner.start..end].trim_ascii_start().is_empty() {
                (scanner.start, scanner.settled) = (end, end);
            } else {
                scanner.record(end, records);
            }
        };
        for found in memchr_iter(b'\n', &bytes[self.at..]) {
            line(self, self.at + found + 1);
        }
        self.at = bytes.len();
        if is_end {
            line(self, bytes.len());
        }
    }

    /// Records of a head, an empty line, as many bytes as the head says, and two ends of lines.
    fn scan_warc(&mut self, bytes: &[u8], is_end: bool, records: &mut Vec<Range<usize>>) {
        while self.broken.is_none() {
            self.start += bytes[self.start..].len() - bytes[self.start..].trim_ascii_start().len();
            self.at = self.start;
            let rest = &bytes[self.start..];
            if rest.is_empty() {
                self.settled = self.start;
                return;
            }
            let record = match warc(&rest[..rest.len().min(HEAD)]) {
                Some(head) => head,
                None if rest.len() >= HEAD || is_end || !b"WARC/".starts_with(&rest[..rest.len().min(5)]) => {
                    self.broken = Some("not a WARC record, so that the rest cannot be read: get the file again".into());
                    return;
                }
                None => return,
            };
            let end = usize::try_from(record.length).ok().and_then(|length| length.checked_add(record.text));
            match end {
                // The ends of lines behind it go with it.
                Some(end) if rest.len() >= end.saturating_add(4) || is_end && rest.len() >= end => {
                    let behind = [&b"\r\n\r\n"[..], b"\n\n"].into_iter().find(|ends| rest[end..].starts_with(ends));
                    self.record(self.start + end + behind.map_or(0, <[u8]>::len), records);
                }
                _ if is_end => {
                    self.broken = Some("ends within a record: get the file again or leave it out".into());
                }
                _ => return,
            }
        }
    }

    /// Rows as the `csv` crate reads them: they end with a line feed, a carriage return or both; empty ones do not count;
    /// a quote counts only as the first byte of a cell. Unlike there, it must be closed before the end, and of line feed and
    /// carriage return only what ends the first row ends any: the other one is text that its program did not quote.
    fn scan_rows(&mut self, bytes: &[u8], is_end: bool, delimiter: u8, records: &mut Vec<Range<usize>>) {
        while self.at < bytes.len() {
            let byte = bytes[self.at];
            match self.state {
                State::Quoted => match memchr(b'"', &bytes[self.at..]) {
                    Some(found) => (self.at, self.state) = (self.at + found + 1, State::Quote),
                    None => self.at = bytes.len(),
                },
                State::Cell if byte == b'"' && delimiter == b'\t' => match self.opens_a_quote(bytes, is_end) {
                    Some(true) => (self.at, self.state) = (self.at + 1, State::Quoted),
                    Some(false) => (self.at, self.state) = (self.at + 1, State::Plain),
                    None => return,
                },
                State::Cell if byte == b' ' && may_follow_spaces(delimiter) => {
                    let spaces = spaces(&bytes[self.at..]);
                    let cell = self.at + spaces + 1;
                    let seen = bytes.len().min(cell + LONGEST_CELL);
                    let is_quoted = match bytes.get(cell - 1) {
                        Some(b'"') => close_of(&bytes[..seen], cell, delimiter, is_end || seen < bytes.len()),
                        Some(_) => Some(None),
                        None => is_end.then_some(None),
                    };
                    match is_quoted {
                        Some(Some(_)) => (self.at, self.state) = (cell, State::Quoted),
                        Some(None) => self.state = State::Plain,
                        None => return,
                    }
                }
                State::Cell | State::Quote if byte == b'"' => (self.at, self.state) = (self.at + 1, State::Quoted),
                _ if byte == delimiter => (self.at, self.state) = (self.at + 1, State::Cell),
                _ if byte == b'\n' || byte == b'\r' => {
                    let next = bytes.get(self.at + 1);
                    if next.is_none() && !is_end && (byte == b'\r' || self.no_end == Some(byte)) {
                        return;
                    }
                    let is_pair = byte == b'\r' && next == Some(&b'\n');
                    // The last byte of all is an end of line in any case.
                    if self.no_end == Some(byte) && !is_pair && next.is_some() {
                        (self.at, self.state) = (self.at + 1, State::Plain);
                        continue;
                    }
                    let is_empty = self.at == self.start;
                    self.at += if is_pair { 2 } else { 1 };
                    self.state = State::Cell;
                    if !is_empty {
                        self.no_end.get_or_insert(if byte == b'\n' || is_pair { b'\r' } else { b'\n' });
                    }
                    let is_first = self.head.is_none();
                    if is_empty && self.no_end.is_none() {
                        // What ends a line is told by the first one that is not empty.
                        self.start = self.at;
                    } else if is_empty || is_first && named_delimiter(&bytes[self.start..self.at]) == Some(delimiter) {
                        (self.start, self.settled) = (self.at, self.at);
                    } else {
                        let row = &bytes[self.start..self.at];
                        let head = || (memchr_iter(delimiter, row).count(), memchr(b'"', row).is_some());
                        self.head.get_or_insert_with(head);
                        self.record(self.at, records);
                    }
                }
                _ => {
                    self.state = State::Plain;
                    self.at = memchr3(delimiter, b'\n', b'\r', &bytes[self.at..])
                        .map_or(bytes.len(), |found| self.at + found);
                }
            }
        }
        if is_end && self.start < bytes.len() {
            match self.state {
                // Whatever comes after a quote too many would be one cell, and nobody would be told.
                State::Quoted => self.broken = Some(UNCLOSED.into()),
                _ => self.record(bytes.len(), records),
            }
        }
    }

    /// Whether a quote that begins a cell between tabs encloses it. Many programs write such tables without quoting anything,
    /// so that a quotation begins with a quote and the next row's may be taken for its end. It encloses the cell if the first
    /// row has quotes; or if the quote that closes it is followed by the end of a cell, and not every line in between is as long
    /// as the first row. None if more must be seen.
    fn opens_a_quote(&self, bytes: &[u8], is_end: bool) -> Option<bool> {
        let Some((head, false)) = self.head else { return Some(true) };
        let cell = self.at + 1;
        let seen = bytes.len().min(cell + LONGEST_CELL);
        let (bytes, is_end) = (&bytes[..seen], is_end || seen < bytes.len());
        let Some(close) = close_of(bytes, cell, b'\t', is_end)? else { return Some(false) };
        let is_end_of_line = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let Some(line) = bytes[cell..close].iter().position(is_end_of_line).filter(|_| head > 0) else {
            return Some(true);
        };
        let last = bytes[close..].iter().position(is_end_of_line).map(|end| close + end);
        let last = last.or(is_end.then_some(bytes.len()))?;
        let gaps = |line: &[u8]| memchr_iter(b'\t', line).count();
        // Some programs fill up rows with empty cells, which are none of the last line.
        let (inside, behind) = (&bytes[cell + line + 1..close], &bytes[close + 1..last]);
        let is_filled_up = !behind.is_empty() && behind.iter().all(|&byte| byte == b'\t');
        let ends_within = inside.rsplit(is_end_of_line).next().is_none_or(|line| gaps(line) == 0);
        let first = &bytes[self.start..cell + line];
        let mut lines = bytes[cell + line + 1..last].split(is_end_of_line).filter(|line| !line.is_empty());
        let are_rows = gaps(first) == head && lines.all(|line| gaps(line) == head) && !(is_filled_up && ends_within);
        Some(!are_rows)
    }

    fn scan_values(&mut self, bytes: &[u8], is_end: bool, records: &mut Vec<Range<usize>>) {
        let is_array = self.shape == Shape::Array;
        while self.at < bytes.len() && self.broken.is_none() {
            let byte = bytes[self.at];
            match self.state {
                State::String { depth } => match memchr2(b'"', b'\\', &bytes[self.at..]) {
                    Some(found) if bytes[self.at + found] == b'"' => {
                        (self.at, self.state) = (self.at + found + 1, State::Inside { depth });
                    }
                    // Whatever is escaped, its first byte is no end.
                    Some(found) if self.at + found + 1 < bytes.len() => self.at += found + 2,
                    Some(found) => {
                        self.at += found;
                        break;
                    }
                    None => self.at = bytes.len(),
                },
                State::Inside { depth } => {
                    self.at += 1;
                    match byte {
                        b'"' => self.state = State::String { depth },
                        b'{' | b'[' => self.state = State::Inside { depth: depth + 1 },
                        b',' | b']' if depth == 0 => {
                            let end = self.start + bytes[self.start..self.at - 1].trim_ascii_end().len();
                            self.record(end, records);
                            self.state = if byte == b',' { State::Before } else { State::After };
                        }
                        b'}' if depth == 0 => self.broken = Some(unexpected(byte)),
                        b'}' | b']' => {
                            self.state = State::Inside { depth: depth - 1 };
                            if depth == 1 && !is_array {
                                self.record(self.at, records);
                                self.state = State::Before;
                            }
                        }
                        _ => {}
                    }
                }
                _ if byte.is_ascii_whitespace() => self.at += 1,
                State::Before => match byte {
                    b']' if is_array => (self.at, self.state) = (self.at + 1, State::After),
                    b'{' | b'[' => (self.start, self.state) = (self.at, State::Inside { depth: 0 }),
                    b',' | b'}' | b']' => self.broken = Some(unexpected(byte)),
                    _ if is_array => (self.start, self.state) = (self.at, State::Inside { depth: 0 }),
                    _ => self.broken = Some(unexpected(byte)),
                },
                _ => self.broken = Some(unexpected(byte)),
            }
        }
        let is_whole = match self.state {
            State::Before => !is_array,
            State::After => true,
            _ => false,
        };
        if is_end && !is_whole && self.broken.is_none() {
            self.broken = Some("not valid JSON, ends within a value or a list: fix the end of the file".into());
        }
    }
}

/// Whether quotes that follow spaces at the beginning of a cell may enclose what stands in it, as where `, ` separates cells.
pub fn may_follow_spaces(delimiter: u8) -> bool {
    !matches!(delimiter, b'\t' | b' ')
}

/// How many spaces there are at the beginning.
pub fn spaces(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|&&byte| byte == b' ').count()
}

/// Where the quote stands that closes a cell, of which the first byte behind the opening one is given; none if what looks like it is not
/// followed by the end of the cell. Nothing if more must be seen.
pub fn close_of(bytes: &[u8], cell: usize, delimiter: u8, is_end: bool) -> Option<Option<usize>> {
    let mut quotes = memchr_iter(b'"', &bytes[cell..]).map(|found| cell + found);
    loop {
        let Some(quote) = quotes.next() else { return is_end.then_some(None) };
        match bytes.get(quote + 1) {
            Some(b'"') => _ = quotes.next(),
            Some(&next) => return Some(Some(quote).filter(|_| next == delimiter || matches!(next, b'\n' | b'\r'))),
            None => return is_end.then_some(Some(quote)),
        }
    }
}

/// How far the end of a quoted cell is looked for where it may be none.
const LONGEST_CELL: usize = 16 << 20;

const UNCLOSED: &str = "a quote in this row is not closed, so that the rest cannot be read: fix the row";

fn unexpected(byte: u8) -> String {
    let shown = byte.escape_ascii();
    format!("not valid JSON, unexpected {shown} between values, so that the rest cannot be read: fix the file")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::super::fields::Parser;
    use super::*;

    /// All records, and whether the input was read to its end, in blocks of a size that holds a mark of UTF-8; checks that blocks make up the input.
    fn records(input: &[u8], form: Form, size: usize) -> (Vec<Vec<u8>>, bool) {
        records_with(input, form, None, size)
    }

    fn records_with(input: &[u8], form: Form, delimiter: Option<u8>, size: usize) -> (Vec<Vec<u8>>, bool) {
        let mut blocks = Blocks::sized(input, form, delimiter, size);
        let (mut records, mut bytes, mut lines, mut line_end) = (Vec::new(), Vec::new(), 1, None);
        loop {
            let block = match blocks.next() {
                Ok(Some(block)) => block,
                Ok(None) => break assert_eq!(bytes, input),
                Err(_) => {
                    assert!(input.starts_with(&bytes));
                    return (records, false);
                }
            };
            assert_eq!((block.first, block.line), (records.len() as u64, lines));
            let mut end = 0;
            for record in &block.records {
                assert!(end <= record.start && record.start < record.end && record.end <= block.bytes.len());
                end = record.end;
            }
            records.extend(block.records().map(|(.., record)| record.to_vec()));
            if form != Form::Text {
                // However much was read at once.
                assert_eq!(*line_end.get_or_insert(block.line_end), block.line_end);
                lines += block.bytes.iter().filter(|&&byte| byte == block.line_end).count() as u64;
            }
            bytes.extend(block.bytes);
        }
        (records, true)
    }

    fn forms() -> impl Strategy<Value = Form> {
        use Form::{Any, Feed, Json, Lines, Parquet, Table, Text, Warc};
        prop::sample::select(vec![Any, Feed, Json, Lines, Parquet, Table(b','), Table(b'\t'), Text, Warc])
    }

    fn csv_reader(text: &str) -> csv::Reader<&[u8]> {
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes())
    }

    /// The text with `R` and `N` for the carriage returns and line feeds that end no row by how the first row ends.
    fn with_marked_ends(text: &str) -> String {
        let mut reader = csv_reader(text);
        let has_row = reader.read_byte_record(&mut csv::ByteRecord::new()).unwrap();
        let end = reader.position().byte() as usize;
        if !has_row || end == 0 {
            return text.into();
        }
        let is_feed = text[..end].ends_with('\n') || text[end..].starts_with('\n');
        let bytes = text.as_bytes();
        let marked = text.char_indices().map(|(at, c)| {
            let next = bytes.get(at + 1);
            match c {
                '\r' if at >= end && is_feed && next.is_some_and(|&next| next != b'\n') => 'R',
                '\n' if at >= end && !is_feed && next.is_some() && bytes[at - 1] != b'\r' => 'N',
                _ => c,
            }
        });
        marked.collect()
    }

    /// Strings of what means something to one of the forms.
    fn text() -> impl Strategy<Value = String> {
        let parts = ["\"", ",", "\n", "\r", "\r\n", "[", "]", "{", "}", "\\", " ", "a", "é", "\t", "\u{feff}", "1"];
        prop::collection::vec(prop::sample::select(parts.to_vec()), 0..40).prop_map(|parts| parts.concat())
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i32>().prop_map(Value::from),
            "[\"\\\\\\[\\]{},a \n]{0,9}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[\"\\]{a]{1,3}", inner), 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect()))
            ]
        })
    }

    proptest! {
        #[test]
        fn where_blocks_end_changes_nothing(text in text(), form in forms(), size in 3..20_usize) {
            prop_assert_eq!(records(text.as_bytes(), form, size), records(text.as_bytes(), form, 1 << 20));
        }

        #[test]
        fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..60), form in forms(), size in 3..20_usize) {
            records(&bytes, form, size);
        }

        #[test]
        fn rows_are_those_of_the_csv_crate(text in text(), size in 3..20_usize) {
            let read = |text: &str| -> Vec<Vec<String>> {
                let cells = |row: csv::ByteRecord| {
                    let cell = |cell| String::from_utf8_lossy(cell).replace('R', "\r").replace('N', "\n");
                    row.iter().map(cell).collect()
                };
                csv_reader(text).into_byte_records().map(|row| cells(row.unwrap())).collect()
            };
            let plain = with_marked_ends(&text);
            let mut wanted = read(&plain);
            // In open quotes there is no place for a row more.
            let is_open = read(&format!("{plain}\r\n1")).len() == wanted.len();
            if is_open {
                wanted.pop();
            }
            let (rows, is_whole) = records_with(text.as_bytes(), Form::Table(b','), Some(b','), size);
            prop_assert_eq!(is_whole, !is_open);
            let mut parser = Parser::default();
            let rows: Vec<Vec<String>> = rows.iter().map(|row| parser.cells(row, b',', None)).collect();
            prop_assert_eq!(rows, wanted);
        }

        /// Tables between tabs without any quoting: whatever quotes are in them, a line is a row.
        #[test]
        fn no_quote_swallows_a_row_between_tabs(
            rows in prop::collection::vec(prop::collection::vec("[a\", ]{0,5}", 3), 0..8), size in 3..20_usize,
        ) {
            let lines: Vec<String> = rows.iter().map(|cells| format!("x{}z\n", cells.join("\t"))).collect();
            let text = format!("id\tb\tc\n{}", lines.concat());
            let (found, is_whole) = records(text.as_bytes(), Form::Table(b'\t'), size);
            prop_assert!(is_whole);
            prop_assert_eq!(found.len(), lines.len() + 1);
            let mut parser = Parser::default();
            for (row, cells) in found[1..].iter().zip(&rows) {
                let read = parser.cells(row, b'\t', Some(3));
                let is_quoted = |cell: &str| cell.len() > 1 && cell.starts_with('"') && cell.ends_with('"');
                for (read, cell) in read.iter().zip(cells).skip(1).take(1) {
                    prop_assert!(read == cell || is_quoted(cell), "{read:?} of {cell:?}");
                }
            }
        }

        #[test]
        fn lines_are_those_that_hold_something(text in text(), size in 3..20_usize) {
            let without_mark = text.strip_prefix('\u{feff}').unwrap_or(&text);
            prop_assume!(spans_lines(without_mark.as_bytes().trim_ascii_start(), true) == Some(false));
            let wanted: Vec<&str> = without_mark
                .split_inclusive('\n')
                .filter(|line| !line.trim_matches(|c: char| c.is_ascii_whitespace()).is_empty())
                .collect();
            let (lines, _) = records(text.as_bytes(), Form::Lines, size);
            prop_assert_eq!(lines, wanted.iter().map(|line| line.as_bytes().to_vec()).collect::<Vec<_>>());
        }

        #[test]
        fn warc_records_are_as_long_as_they_say(texts in prop::collection::vec("[a\r\n]{0,20}", 0..6), size in 3..20_usize) {
            let record = |text: &String| {
                format!("WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: {}\r\n\r\n{text}\r\n\r\n", text.len())
            };
            let wanted: Vec<Vec<u8>> = texts.iter().map(|text| record(text).into_bytes()).collect();
            prop_assert_eq!(records(&wanted.concat(), Form::Warc, size), (wanted.clone(), true));
            let cut = wanted.concat().len().saturating_sub(5);
            let (found, is_whole) = records(&wanted.concat()[..cut], Form::Warc, size);
            prop_assert!(texts.is_empty() || !is_whole && found == wanted[..texts.len() - 1]);
        }

        #[test]
        fn elements_are_those_of_the_list(list in prop::collection::vec(json(), 0..6), pretty in any::<bool>(), size in 3..20_usize) {
            let text = if pretty { serde_json::to_string_pretty(&list) } else { serde_json::to_string(&list) }.unwrap();
            let (elements, is_whole) = records(text.as_bytes(), Form::Json, size);
            prop_assert!(is_whole);
            let elements: Vec<Value> = elements.iter().map(|element| serde_json::from_slice(element).unwrap()).collect();
            prop_assert_eq!(&elements, &list);

            let objects: Vec<&Value> = list.iter().filter(|value| value.is_object()).collect();
            let text: String = objects.iter().map(|object| format!("{object}\n")).collect();
            let (values, is_whole) = records(text.as_bytes(), Form::Json, size);
            prop_assert!(is_whole);
            let values: Vec<Value> = values.iter().map(|value| serde_json::from_slice(value).unwrap()).collect();
            prop_assert_eq!(values.iter().collect::<Vec<_>>(), objects);
        }
    }

    /// A small compressed file may hold one line of more than any memory.
    #[test]
    fn a_line_without_an_end_is_refused() {
        let mut blocks = Blocks::new(io::repeat(b'x'), Form::Lines, None);
        let Err((place, reason)) = blocks.next() else { panic!("a line without an end is a record") };
        assert_eq!((place.to_string(), reason.contains("more than 256 MiB")), (":1".into(), true));
        assert!(blocks.buffer.capacity() <= LONGEST + BLOCK);
    }

    #[test]
    fn white_space_without_an_end_is_refused() {
        let mut blocks = Blocks::new(io::repeat(b' '), Form::Any, None);
        let Err((_, reason)) = blocks.next() else { panic!("white space without an end is a record") };
        assert!(reason.contains("more than 256 MiB of white space"), "{reason}");
    }

    /// The time for a record of any size is linear: each byte is looked at once.
    #[test]
    fn a_huge_record_is_scanned_once() {
        let huge = format!("[\"{}\\\"\"]", "word \\n ".repeat(200_000));
        let mut scanner = Scanner::new(Shape::Array, huge.as_bytes());
        let mut found = Vec::new();
        for end in (1..huge.len()).step_by(1000) {
            let before = scanner.at;
            scanner.scan(&huge.as_bytes()[..end], false, &mut found);
            assert!(scanner.at >= before && scanner.at + 1 >= end, "all that is there is scanned");
        }
        scanner.scan(huge.as_bytes(), true, &mut found);
        assert_eq!((found.len(), &found[0]), (1, &(1..huge.len() - 1)));
    }
}
