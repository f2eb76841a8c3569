//! Records to articles: which fields hold the text and the id, and what is in them.

use std::borrow::Cow;
use std::fmt;

use clap::ValueEnum;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::frame::{self, Block, Form, Shape, warc, without_mark};
use super::paths::{Order, Reading};

/// Where in a record the article is.
#[derive(clap::Args)]
#[command(next_help_heading = "Input")]
pub struct Fields {
    /// The JSON field or the column that holds the text [default: text, content, body, article or articleBody]
    ///
    /// A string, or a list of strings, which are joined by line breaks. A field within a field is named with a dot:
    /// article.body.
    #[arg(long = "text-field", value_name = "NAME")]
    text: Option<String>,

    /// The JSON field or the column that holds the id [default: id, url or _id]
    ///
    /// A string or a whole number. Ids are labels and need not be unique; a record without one is named by its file and
    /// line.
    #[arg(long = "id-field", value_name = "NAME")]
    id: Option<String>,

    /// The JSON field or the column that holds the date, for --keep earliest, --within, --excerpts and --format html [default: date, published and the like]
    ///
    /// As ISO 8601: 2024-05-17, or with a time 2024-05-17T09:30:15+02:00. Without a zone it is UTC. A number may be a year
    /// or a day: 2024, 20240517. Columns of dates and timestamps in Parquet are read as such.
    #[arg(long = "date-field", value_name = "NAME")]
    pub date: Option<String>,

    /// The JSON field or the column that holds the outlet, for --excerpts [default: source, or the host of a URL that is the id]
    ///
    /// What one outlet repeats in many articles belongs to its pages and is no excerpt.
    #[arg(long = "source-field", value_name = "NAME")]
    pub source: Option<String>,

    /// The cell separator of .csv and .tsv files: a character, or tab [default: guessed from the first row]
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    delimiter: Option<u8>,

    /// The encoding of files without a byte order mark: windows-1252, utf-16le and the like [default: utf-8]
    ///
    /// --unique and --annotate write such files as UTF-8, except .txt files, which stay as they are.
    #[arg(long, value_name = "NAME", value_parser = super::bytes::encoding)]
    encoding: Option<&'static encoding_rs::Encoding>,

    /// The most that a compressed file, or one of Parquet, may unpack to: 20G [default: 100 times its size, and at least 1 GiB]
    #[arg(long, value_name = "SIZE", value_parser = crate::size)]
    unpack_limit: Option<bytesize::ByteSize>,

    /// Whether dates are needed.
    #[arg(skip)]
    pub needs_date: bool,

    /// Whether sources are needed.
    #[arg(skip)]
    pub needs_source: bool,

    /// Whether fields are added to what is read, and must not be there.
    #[arg(skip)]
    pub are_added: bool,

    /// Whether what is read will be read a second time, and must be the same then.
    #[arg(skip)]
    pub are_read_again: bool,

    /// In which order files are read.
    #[arg(skip)]
    pub order: Order,

    /// How standard input is written [default: jsonl or json, guessed from its first bytes]
    ///
    /// txt, jsonl, json, csv, tsv, rss, atom or wet. Whether it is compressed is seen by its first bytes.
    #[arg(long, value_enum, value_name = "FORMAT", hide_possible_values = true)]
    stdin_format: Option<StdinFormat>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StdinFormat {
    Txt,
    Jsonl,
    Json,
    Csv,
    Tsv,
    Rss,
    Atom,
    Wet,
}

/// One byte that can separate cells.
fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        &[byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | b'\0') => Ok(byte),
        _ => Err("give one ASCII character other than a quote, or tab".into()),
    }
}

/// Names that are tried where none is given, the likeliest first.
pub const TEXTS: [&str; 5] = ["text", "content", "body", "article", "articleBody"];
pub const IDS: [&str; 3] = ["id", "url", "_id"];
const DATES: [&str; 10] = [
    "date",
    "published",
    "published_at",
    "publish_date",
    "published_date",
    "pub_date",
    "pubDate",
    "datePublished",
    "created_at",
    "publishedAt",
];

const SOURCES: [&str; 1] = ["source"];

/// Records that are looked at for a guess.
const LOOKED_AT: usize = 100;

/// What is known of the records of a source.
pub enum Layout {
    /// The record is the text.
    Text,
    /// The record says what it is.
    Warc,
    Objects(Names),
    Table(Table),
    /// The columns are not there, which is said once for all rows; with how many records come before the first row.
    Unusable(String, u64),
}

/// The names of the fields.
pub struct Names {
    text: String,
    /// None where the place stands for the id.
    id: Option<String>,
    /// None where it is not needed or not there.
    date: Option<String>,
    /// The same.
    source: Option<String>,
    /// What was guessed, for people.
    guesses: Vec<String>,
    /// What to say if no record has a date, as the first have none in the field that was named.
    without_date: Option<String>,
    /// The same of sources.
    without_source: Option<String>,
}

/// The columns of a table.
pub struct Table {
    delimiter: u8,
    names: Names,
    /// How many columns there are.
    columns: usize,
    /// Whether the first row has quotes, as programs write it that quote cells.
    is_quoted: bool,
    text: usize,
    id: Option<usize>,
    date: Option<usize>,
    source: Option<usize>,
}

/// What a record holds.
pub struct Article<'a> {
    /// None where the place is the id.
    pub id: Option<Cow<'a, str>>,
    pub text: Cow<'a, str>,
    pub date: Option<Cow<'a, str>>,
    pub source: Option<Cow<'a, str>>,
}

/// What is wrong with a record, and its id if at least that could be read.
type Refusal = (Option<String>, String);

impl Layout {
    /// Records before the first that may be an article.
    pub fn headers(&self) -> u64 {
        match self {
            Self::Text | Self::Warc | Self::Objects(_) => 0,
            Self::Table(_) => 1,
            Self::Unusable(_, headers) => *headers,
        }
    }

    /// The same where these columns, by name and type, are there and not read.
    #[cfg(feature = "parquet")]
    pub fn without(self, unread: &[(String, String)]) -> Self {
        let Self::Objects(mut names) = self else { return self };
        let kind = |name: &str| unread.iter().find(|(unread, _)| unread == name).map(|(_, kind)| kind);
        if let Some(kind) = kind(&names.text) {
            let text = &names.text;
            let reason = format!(
                "column {text:?} is of type {kind}, which is not read as text: make it one of strings, or name another with \
                 --text-field"
            );
            return Self::Unusable(reason, 0);
        }
        let others = [(&names.id, "an id"), (&names.date, "a date"), (&names.source, "a source")];
        let told = others.into_iter().filter_map(|(name, what)| {
            let name = name.as_ref()?;
            Some(format!("column {name:?} is of type {}, which is not read as {what}", kind(name)?))
        });
        let told: Vec<String> = told.collect();
        names.guesses.extend(told);
        Self::Objects(names)
    }

    /// Why no record can be read.
    pub fn refusal(&self) -> Option<&str> {
        match self {
            Self::Unusable(reason, _) => Some(reason),
            _ => None,
        }
    }

    /// What was guessed, for people; nothing where the names are the usual or the given ones.
    pub fn guess(&self) -> Option<String> {
        match self {
            Self::Objects(names) | Self::Table(Table { names, .. }) => {
                (!names.guesses.is_empty()).then(|| names.guesses.join(", "))
            }
            Self::Text | Self::Warc | Self::Unusable(..) => None,
        }
    }

    /// What to say of the fields that were named if no article has a date, or none a source.
    pub fn missed(&self, [has_dates, has_sources]: [bool; 2]) -> impl Iterator<Item = String> {
        let names = match self {
            Self::Objects(names) => Some(names),
            Self::Text | Self::Warc | Self::Table(_) | Self::Unusable(..) => None,
        };
        let [date, source] = [
            names.and_then(|names| names.without_date.clone().filter(|_| !has_dates)),
            names.and_then(|names| names.without_source.clone().filter(|_| !has_sources)),
        ];
        date.into_iter().chain(source)
    }
}

impl Fields {
    /// How sources are read.
    pub fn reading(&self) -> Reading {
        let stdin = match self.stdin_format {
            None => Form::Any,
            Some(StdinFormat::Txt) => Form::Text,
            Some(StdinFormat::Jsonl) => Form::Lines,
            Some(StdinFormat::Json) => Form::Json,
            Some(StdinFormat::Csv) => Form::Table(b','),
            Some(StdinFormat::Tsv) => Form::Table(b'\t'),
            Some(StdinFormat::Rss | StdinFormat::Atom) => Form::Feed,
            Some(StdinFormat::Wet) => Form::Warc,
        };
        let &Self { delimiter, encoding, order, .. } = self;
        Reading { stdin, delimiter, encoding, order, unpack_limit: self.unpack_limit.map(|size| size.as_u64()) }
    }

    /// An option that was given and says nothing of articles that come as lines of JSON.
    pub fn not_for_lines(&self) -> Option<&'static str> {
        let given = [
            (self.delimiter.is_some(), "--delimiter"),
            (self.encoding.is_some_and(|encoding| encoding != encoding_rs::UTF_8), "--encoding"),
            (self.unpack_limit.is_some(), "--unpack-limit"),
            (self.stdin_format.is_some_and(|format| format != StdinFormat::Jsonl), "--stdin-format"),
        ];
        given.into_iter().find(|(is_given, _)| *is_given).map(|(_, option)| option)
    }

    /// Chooses the fields by the first records of a source.
    pub fn layout(&self, first: &Block, form: Form) -> Layout {
        let mut records = first.records().map(|(.., record)| record);
        match first.shape {
            Shape::Whole => Layout::Text,
            Shape::Warc => Layout::Warc,
            Shape::Entries => {
                let [text, id, date] = ["text", "id", "date"].map(String::from);
                Layout::Objects(Names { id: Some(id), date: Some(date), ..Names::of_text(&text) })
            }
            Shape::Lines | Shape::Rows | Shape::Array | Shape::Values => {
                let text = |record| std::str::from_utf8(without_mark(record)).ok().map(str::trim_ascii);
                let objects = records.filter_map(text).filter(|record| record.starts_with('{'));
                let objects: Vec<&str> = objects.take(LOOKED_AT).collect();
                // As they will be read, so that what is wrong in other fields makes no difference.
                let has = |name: &str, suits: fn(&Scalar) -> bool| {
                    let names = Names::of_text(name);
                    objects.iter().any(|object| names.has_text(object, suits))
                };
                let is_id = |value: &Scalar| value.label().is_some();
                let is_text: fn(&Scalar) -> bool = |value| matches!(value, Scalar::Text(_) | Scalar::Lines(_));
                let is_filled: fn(&Scalar) -> bool =
                    |value| value.clone().text().is_some_and(|text| !text.trim().is_empty());
                // Where none is named, one that is empty in all records is not meant if another one is not.
                let are_filled = self.text.is_none() && TEXTS.iter().any(|name| has(name, is_filled));
                let is_text = if are_filled { is_filled } else { is_text };
                let is_date = |value: &Scalar| value.clone().date().is_some_and(|date| retold::is_date(&date));
                let has_date = |name: &str| has(name, is_date);
                let fields = || {
                    let parsed = objects.iter().filter_map(|object| parse(object).ok());
                    let names =
                        parsed.flat_map(|object| object.as_object().map(|fields| fields.keys().cloned().collect()));
                    names.flat_map(|names: Vec<String>| names).collect()
                };
                let mut names = self.names(|name| has(name, is_text), |name| has(name, is_id), has_date, fields);
                if form == Form::Lines && first.shape != Shape::Lines {
                    names.guesses.insert(0, "it is read as .json, since no line is an object by itself".into());
                }
                Layout::Objects(names)
            }
            Shape::Table(delimiter) => {
                let header = records.next().expect("a layout is asked for when there is a record");
                let columns = match std::str::from_utf8(header) {
                    Ok(header) if without_mark(header.as_bytes()).starts_with(b"{\"") => {
                        return Layout::Unusable("looks like lines of JSON: rename it to .jsonl".into(), 1);
                    }
                    Ok(_) => Parser::default().cells(header, delimiter, None),
                    Err(error) => return Layout::Unusable(not_utf8(error), 1),
                };
                let has = |name: &str| columns.iter().any(|column| column == name);
                let mut names = self.names(has, has, has, || columns.clone());
                if self.delimiter.is_none() && form != Form::Table(delimiter) {
                    let shown = if delimiter == b'\t' { "tab".into() } else { format!("{:?}", char::from(delimiter)) };
                    names.guesses.insert(0, format!("cells are separated by {shown} (--delimiter)"));
                }
                let repeated = |name: &str| columns.iter().filter(|column| *column == name).count() > 1;
                let wanted = [Some(&names.text), names.id.as_ref(), names.date.as_ref(), names.source.as_ref()];
                let told = wanted.into_iter().flatten().filter(|name| repeated(name));
                let told: Vec<String> = told.map(|name| format!("of the columns {name:?} the first is read")).collect();
                names.guesses.extend(told);
                let column = |name: &str, option: &str| {
                    let missing = || {
                        let likely = columns.iter().find(|column| option == TEXT_FIELD && is_called_text(column));
                        let remedy = match likely {
                            Some(likely) => with_text_option(Some(quoted(likely))),
                            None => format!(" with {option}"),
                        };
                        format!("no column {name:?}, {}: name the right one{remedy}", list(&columns))
                    };
                    columns.iter().position(|column| column == name).ok_or_else(missing)
                };
                let text = column(&names.text, TEXT_FIELD);
                let id = names.id.as_deref().map(|name| column(name, "--id-field")).transpose();
                let date = names.date.as_deref().map(|name| column(name, "--date-field")).transpose();
                let source = names.source.as_deref().map(|name| column(name, "--source-field")).transpose();
                match (text, id, date, source) {
                    (Ok(text), Ok(id), Ok(date), Ok(source)) => {
                        let columns = columns.len();
                        Layout::Table(Table {
                            delimiter,
                            names,
                            columns,
                            is_quoted: header.contains(&b'"'),
                            text,
                            id,
                            date,
                            source,
                        })
                    }
                    (Err(reason), ..) | (_, Err(reason), ..) | (_, _, Err(reason), _) | (.., Err(reason)) => {
                        Layout::Unusable(reason, 1)
                    }
                }
            }
        }
    }

    /// Chooses by what is in fields of a name: a text, an id or a label, a date; and by the names of all fields.
    fn names(
        &self,
        has_text: impl Fn(&str) -> bool,
        has_id: impl Fn(&str) -> bool,
        has_date: impl Fn(&str) -> bool,
        fields: impl Fn() -> Vec<String>,
    ) -> Names {
        let guessed_text = TEXTS.into_iter().find(|name| has_text(name));
        let guessed_id = IDS.into_iter().find(|name| has_id(name));
        let text = self.text.clone().unwrap_or_else(|| guessed_text.unwrap_or(TEXTS[0]).into());
        // A field that was named may come in later records.
        let id = self.id.clone().or_else(|| guessed_id.map(String::from));
        // What is there and no date is told as such, if there is nothing better.
        let any_date = || DATES.into_iter().find(|name| has_id(name));
        let guessed_date = || DATES.into_iter().find(|name| has_date(name)).or_else(any_date).map(String::from);
        let date = if self.needs_date { self.date.clone().or_else(guessed_date) } else { None };
        let guessed_source = || SOURCES.into_iter().find(|name| has_text(name)).map(String::from);
        let source = if self.needs_source { self.source.clone().or_else(guessed_source) } else { None };
        let mut guesses = Vec::new();
        if self.text.is_none() && text != TEXTS[0] {
            guesses.push(format!("the text is taken from {text:?} (--text-field)"));
        }
        match &id {
            Some(id) if self.id.is_some() && !has_id(id) => {
                let near = near(id, &fields());
                guesses.push(format!("no record has an id in {id:?}, so its place stands for it (--id-field){near}"));
            }
            _ if self.id.is_some() => {}
            // Where not even a text is found, more is wrong than that.
            None if self.text.is_none() && guessed_text.is_none() => {}
            None => guesses.push("there is no id, so the place of a record stands for it (--id-field)".into()),
            Some(id) if id != IDS[0] => guesses.push(format!("the id is taken from {id:?} (--id-field)")),
            Some(_) => {}
        }
        if let Some(date) = date.as_ref().filter(|date| self.date.is_none() && *date != DATES[0]) {
            guesses.push(format!("the date is taken from {date:?} (--date-field)"));
        }
        // Later records may have them, so that this is told at the end.
        let missed = |given: &Option<String>, name: &Option<String>, what: &str, option: &str| {
            let name = name.as_ref().filter(|name| given.is_some() && !has_id(name))?;
            Some(format!("no record has {what} in {name:?} ({option}){}", near(name, &fields())))
        };
        let without_date = missed(&self.date, &date, "a date", "--date-field");
        let without_source = missed(&self.source, &source, "an outlet", "--source-field");
        Names { text, id, date, source, guesses, without_date, without_source }
    }
}

/// The question whether another field was meant; nothing if none is called almost so.
fn near(name: &str, fields: &[String]) -> String {
    let lower = name.to_lowercase();
    let distance = |field: &String| strsim::damerau_levenshtein(&lower, &field.to_lowercase());
    let others = fields.iter().filter(|field| *field != name);
    let near = others.map(|field| (distance(field), field)).min();
    match near.filter(|(distance, _)| *distance <= 2 && 2 * distance < name.chars().count()) {
        Some((_, field)) => format!(": did you mean {field:?}?"),
        None => String::new(),
    }
}

/// Reads records; holds what it needs again for the next.
#[derive(Default)]
pub struct Parser {
    /// What the cells of a row hold, one after the other, and where each ends.
    cells: Vec<u8>,
    ends: Vec<usize>,
    /// Where each ends in the row.
    edges: Vec<usize>,
    /// Whether a cell that begins with a quote ends without one, and has quotes behind backslashes: it goes on in what was taken for the next
    /// row.
    breaks_off: bool,
}

impl Parser {
    /// The article in a record; none where the layout has told already why there is none.
    pub fn parse<'a>(&'a mut self, layout: &Layout, record: &'a [u8]) -> Result<Option<Article<'a>>, Refusal> {
        let text = || valid(record).map_err(|error| (None, not_utf8(error)));
        // Files that begin with one are put together to lines of which some do.
        let object = || text().map(|text| unmarked(text).trim_ascii_end());
        match layout {
            Layout::Unusable(..) => Ok(None),
            Layout::Text => Ok(Some(Article { id: None, text: text()?.into(), date: None, source: None })),
            Layout::Warc => text_of_warc(record),
            Layout::Objects(names) => names.parse(object()?).map(Some),
            Layout::Table(table) => self.row(table, text()?).map(Some),
        }
    }

    fn row(&mut self, table: &Table, row: &str) -> Result<Article<'_>, Refusal> {
        let &Table { delimiter, columns, is_quoted, .. } = table;
        let row = row.as_bytes();
        let count = self.split(row, delimiter, Some(columns).filter(|_| !is_quoted));
        let s = if count == 1 { "" } else { "s" };
        let cell = |column: usize| {
            let start = column.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
            let bytes = &self.cells[start..*self.ends.get(column)?];
            Some(std::str::from_utf8(bytes).map_err(not_utf8))
        };
        let id = table.id.and_then(cell).and_then(Result::ok).filter(|id| !id.is_empty());
        let refuse = |reason| Err((id.map(String::from), reason));
        // Cells without anything in them are what some programs fill up rows with.
        if (columns..count).any(|extra| cell(extra) != Some(Ok(""))) {
            return refuse(format!(
                "the row has {count} cell{s} and the first row {columns}: put cells that hold the delimiter in quotes, or \
                 remove the row"
            ));
        }
        if self.breaks_off {
            return refuse(
                "a cell has quotes behind backslashes and breaks off at the end of the line: write quotes within a cell twice (Spark: \
                 option(\"escape\", \"\\\"\"))"
                    .into(),
            );
        }
        if delimiter != b'\t' && runs_on(row, delimiter) {
            return refuse(
                "text follows the closing quote of a cell that spans lines, so that rows may run into each other: write \
                 quotes within a cell twice"
                    .into(),
            );
        }
        match cell(table.text) {
            Some(Ok(text)) => {
                let label = |column: Option<usize>| {
                    let label = column.and_then(cell).and_then(Result::ok).filter(|label| !label.is_empty());
                    label.map(Cow::Borrowed)
                };
                Ok(Article {
                    id: id.map(Cow::Borrowed),
                    text: text.into(),
                    date: label(table.date),
                    source: label(table.source),
                })
            }
            Some(Err(reason)) => refuse(reason),
            None => {
                refuse(format!("the row has {count} cell{s} and none for {:?}: fix it or remove it", table.names.text))
            }
        }
    }

    /// All cells of a row. If a number of columns is given, every tab may separate cells, and quotes need not mean anything.
    pub fn cells(&mut self, row: &[u8], delimiter: u8, columns: Option<usize>) -> Vec<String> {
        let count = self.split(row, delimiter, columns);
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let cells = starts.zip(&self.ends).take(count).map(|(start, &end)| &self.cells[start..end]);
        cells.map(|cell| String::from_utf8_lossy(cell).into()).collect()
    }

    /// Where each cell of a row ends; that of the last before the end of line.
    pub fn edges(&mut self, row: &[u8], delimiter: u8, columns: Option<usize>) -> &[usize] {
        self.split(row, delimiter, columns);
        &self.edges
    }

    /// Takes a row between tabs apart in which every tab separates cells; false if that makes another number of cells.
    fn split_at_tabs(&mut self, row: &[u8], columns: usize) -> bool {
        if memchr::memchr_iter(b'\t', row).count() + 1 != columns {
            return false;
        }
        for cell in row.split(|&byte| byte == b'\t') {
            match unquoted(cell) {
                Some(inside) => self.cells.extend(inside),
                None => self.cells.extend_from_slice(cell),
            }
            self.ends.push(self.cells.len());
        }
        self.edges.extend(memchr::memchr_iter(b'\t', row).chain([row.len()]));
        true
    }

    /// Takes the quotes off the cells of a row, and tells how many there are.
    fn split(&mut self, row: &[u8], delimiter: u8, columns: Option<usize>) -> usize {
        let row = row.strip_suffix(b"\n").unwrap_or(row);
        let row = row.strip_suffix(b"\r").unwrap_or(row);
        self.cells.clear();
        self.ends.clear();
        self.edges.clear();
        self.breaks_off = false;
        if columns.is_some_and(|columns| delimiter == b'\t' && self.split_at_tabs(row, columns)) {
            return self.ends.len();
        }
        let mut at = 0;
        loop {
            let mut is_escaped = false;
            let quote = at + frame::spaces(&row[at..]);
            let follows_spaces = quote > at && row.get(quote) == Some(&b'"') && frame::may_follow_spaces(delimiter);
            if follows_spaces && frame::close_of(row, quote + 1, delimiter, true).flatten().is_some() {
                at = quote;
            }
            if row.get(at) == Some(&b'"') {
                at += 1;
                loop {
                    let quote = memchr::memchr(b'"', &row[at..]).map_or(row.len(), |found| at + found);
                    // Of two quotes one is text.
                    let double = usize::from(row.get(quote + 1) == Some(&b'"'));
                    self.cells.extend_from_slice(&row[at..quote + double]);
                    at = row.len().min(quote + 1 + double);
                    if double == 0 {
                        is_escaped = row[..quote].ends_with(b"\\");
                        break;
                    }
                }
            }
            let end = memchr::memchr(delimiter, &row[at..]).map_or(row.len(), |found| at + found);
            self.breaks_off |= is_escaped && at < end && row[end - 1] != b'"';
            self.cells.extend_from_slice(&row[at..end]);
            self.ends.push(self.cells.len());
            self.edges.push(end);
            if end == row.len() {
                return self.ends.len();
            }
            at = end + 1;
        }
    }
}

/// The text of a WARC record; none in a record about the archive.
fn text_of_warc(record: &[u8]) -> Result<Option<Article<'_>>, Refusal> {
    let Some(head) = warc(record) else { return Err((None, "not a WARC record: get the file again".into())) };
    let id = || head.field("WARC-Target-URI").or(head.field("WARC-Record-ID")).map(String::from);
    match head.field("WARC-Type") {
        Some("conversion") => {}
        Some("response" | "resource") => {
            let reason =
                "holds a page as it was sent, not its text: read the WET file, or make text of it with trafilatura";
            return Err((id(), reason.into()));
        }
        _ => return Ok(None),
    }
    let end = (head.text as u64 + head.length).min(record.len() as u64) as usize;
    match std::str::from_utf8(&record[head.text..end]) {
        Ok(text) => {
            let date = head.field("WARC-Date").map(|date| Cow::Owned(date.into()));
            Ok(Some(Article { id: id().map(Cow::Owned), text: text.into(), date, source: None }))
        }
        Err(error) => {
            let byte = error.valid_up_to() + 1;
            Err((id(), format!("byte {byte} is not valid UTF-8, in which such texts are: leave the record out")))
        }
    }
}

/// What a cell in quotes holds; none if it is not well quoted as a whole.
fn unquoted(cell: &[u8]) -> Option<Vec<u8>> {
    let inside = cell.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut text = Vec::with_capacity(inside.len());
    let mut bytes = inside.iter();
    while let Some(&byte) = bytes.next() {
        if byte == b'"' && bytes.next() != Some(&b'"') {
            return None;
        }
        text.push(byte);
    }
    Some(text)
}

/// Whether a row spans lines though a quote in it is followed by text, as if it closed no cell: then a quote too many may
/// have joined it to the next row.
fn runs_on(row: &[u8], delimiter: u8) -> bool {
    // What ends no row joins none.
    let ends: &[u8] = match row.last() {
        Some(b'\n') => b"\n",
        Some(b'\r') => b"\r",
        _ => b"\r\n",
    };
    let row = row.trim_ascii_end();
    if !row.iter().any(|byte| ends.contains(byte)) {
        return false;
    }
    // As the scanner of rows sees it: before a cell, in quotes, after a quote in these, or in plain text.
    let (mut state, mut at) = (b'c', 0);
    while at < row.len() {
        let byte = row[at];
        state = match (state, byte) {
            (b'c' | b'e', b'"') => b'q',
            (b'q', b'"') => b'e',
            (b'q', _) => b'q',
            (_, byte) if byte == delimiter => b'c',
            (b'e', _) => return true,
            _ => b'p',
        };
        at += 1;
    }
    false
}

/// The record without a mark of UTF-8 before it.
fn unmarked(record: &str) -> &str {
    record.strip_prefix('\u{feff}').unwrap_or(record)
}

/// The value of a record. What no number is in JSON, as some programs write it, counts as null.
pub fn parse(record: &str) -> serde_json::Result<Value> {
    let record = unmarked(record);
    serde_json::from_str(record).or_else(|error| match without_nan(record) {
        Some(record) => serde_json::from_str(&record),
        None => Err(error),
    })
}

/// The record with null for NaN and infinities; none if there are none.
fn without_nan(record: &str) -> Option<String> {
    const WORDS: [&str; 3] = ["NaN", "-Infinity", "Infinity"];
    let (mut clean, mut copied, mut at, mut is_string) = (String::new(), 0, 0, false);
    let bytes = record.as_bytes();
    while at < bytes.len() {
        match bytes[at] {
            b'"' => is_string = !is_string,
            b'\\' if is_string => at += 1,
            b'N' | b'-' | b'I' if !is_string => {
                let rest = &bytes[at..];
                if let Some(word) = WORDS.iter().find(|word| rest.starts_with(word.as_bytes())) {
                    clean.push_str(&record[copied..at]);
                    clean.push_str("null");
                    at += word.len();
                    copied = at;
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    (copied > 0).then(|| clean + &record[copied..])
}

/// The field of that name, or, with dots in the name, the field within fields.
fn find<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let fields = value.as_object()?;
    fields
        .get(name)
        .or_else(|| name.match_indices('.').find_map(|(dot, _)| find(fields.get(&name[..dot])?, &name[dot + 1..])))
}

impl Names {
    /// Those of records of which nothing but a field with a text is of interest.
    fn of_text(name: &str) -> Self {
        Self {
            text: name.into(),
            id: None,
            date: None,
            source: None,
            guesses: Vec::new(),
            without_date: None,
            without_source: None,
        }
    }

    /// Whether what stands in the field of the text is suitable.
    fn has_text(&self, record: &str, suits: impl Fn(&Scalar) -> bool) -> bool {
        let has = |picked: Picked<'_>| picked.text.as_ref().is_some_and(&suits);
        match self.pick(record) {
            Ok(picked) => has(picked),
            Err(_) => without_nan(record).is_some_and(|record| self.pick(&record).is_ok_and(has)),
        }
    }

    fn parse<'a>(&self, record: &'a str) -> Result<Article<'a>, Refusal> {
        let article = |picked: Picked<'a>| {
            let text = picked.text.and_then(Scalar::text)?;
            let (id, date) = (picked.id.as_ref().and_then(Scalar::label), picked.date.and_then(Scalar::date));
            let source = picked.source.as_ref().and_then(Scalar::label);
            Some(Article { id, text, date, source })
        };
        let picked = match self.pick(record) {
            Err(_) => without_nan(record).and_then(|record| self.pick(&record).ok().map(Picked::into_owned)),
            picked => picked.ok(),
        };
        picked.and_then(article).ok_or_else(|| self.refusal(record))
    }

    fn pick<'a>(&self, record: &'a str) -> serde_json::Result<Picked<'a>> {
        let mut from = serde_json::Deserializer::from_str(record);
        let picked = Pick(self).deserialize(&mut from)?;
        from.end().map(|()| picked)
    }

    /// Reads a record again, as a whole, to tell what is wrong with it.
    fn refusal(&self, record: &str) -> Refusal {
        let record = match parse(record) {
            Ok(record) if record.is_object() => record,
            Ok(other) => {
                let id = self.id.as_ref().map_or(String::new(), |id| format!("{id:?}: …, "));
                let reason = format!("holds {}, not an object: write {{{id}{:?}: …}}", kind(&other), self.text);
                return (None, reason);
            }
            Err(error) => return (None, not_json(&error)),
        };
        let label = |name: &String| Scalar::of(find(&record, name)?).label().map(Cow::into_owned);
        let id = self.id.as_ref().and_then(label);
        let reason = match (find(&record, &self.text), &record) {
            (None, Value::Object(fields)) if has_action(fields) => ACTION.into(),
            (None, Value::Object(fields)) => {
                let missing = format!("no field {:?}, {}", self.text, list(fields.keys()));
                format!("{missing}: {}", self.remedy(&record))
            }
            (Some(Value::Array(_)), _) => format!(
                "field {:?} holds a list with other things than strings: name another field with --text-field",
                self.text
            ),
            (other, _) => {
                let other = other.unwrap_or(&Value::Null);
                let inner = longest_string(other, true).map(|inner| format!("{}.{inner}", self.text));
                format!(
                    "field {:?} holds {}: give a string, or name another field{}",
                    self.text,
                    kind(other),
                    with_text_option(inner)
                )
            }
        };
        (id, reason)
    }

    /// What to do about a record that has no field of the text's name.
    fn remedy(&self, record: &Value) -> String {
        if let Some((path, field)) = inner_records(record, &self.text) {
            let is_found = field == self.text || TEXTS.contains(&&*field);
            let field = if is_found { String::new() } else { format!(", and give --text-field {field}") };
            let dot = if path.starts_with('.') { "" } else { "." };
            return format!(
                "name the right one with --text-field, or if it holds the articles, write them one a line: \
                 jq -c '{dot}{path}'{field}"
            );
        }
        format!("name the right one{}", with_text_option(inner_text(record, &self.text)))
    }
}

const TEXT_FIELD: &str = "--text-field";

/// How a text is named, with the field that seems to hold it.
fn with_text_option(field: Option<String>) -> String {
    match field {
        Some(field) => format!(", as it seems with {TEXT_FIELD} {field}"),
        None => format!(" with {TEXT_FIELD}"),
    }
}

/// A name as a shell takes it.
fn quoted(name: &str) -> String {
    if is_plain(name) { name.into() } else { format!("'{}'", name.replace('\'', "'\\''")) }
}

/// Whether a shell takes a name as it is.
fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// What Elasticsearch puts before each document of a file that it loads in bulk.
const ACTIONS: [&str; 4] = ["index", "create", "update", "delete"];

/// What is said of such a line; the documents beside it are read.
pub const ACTION: &str = "an action of Elasticsearch's bulk format, not an article: leave these out with \
                      jq -c 'select(keys - [\"index\", \"create\", \"update\", \"delete\"] != [])'";

fn has_action(fields: &serde_json::Map<String, Value>) -> bool {
    let mut fields = fields.iter();
    let is_action = |(name, value): (&String, &Value)| ACTIONS.contains(&&**name) && value.is_object();
    fields.next().is_some_and(is_action) && fields.next().is_none()
}

/// Where a record holds a list of records that have a text, or nothing but such records by their names, as jq writes it, and in which
/// field of these it is: many services wrap their articles so.
fn inner_records(record: &Value, field: &str) -> Option<(String, String)> {
    let fields = record.as_object()?;
    let mut texts = fields.values().map(|value| value.as_object().and_then(|_| inner_text(value, field)));
    if let (true, Some(Some(text))) = (fields.len() > 1, texts.next())
        && texts.all(|other| other.as_ref() == Some(&text))
    {
        return Some(("[]".into(), text));
    }
    fields.iter().find_map(|(name, value)| {
        let name = Value::from(name.as_str());
        match value {
            Value::Array(items) => {
                let text = items.iter().find_map(|item| inner_text(item, field))?;
                Some((format!(".{name}[]"), text))
            }
            other => inner_records(other, field).map(|(path, text)| (format!(".{name}{path}"), text)),
        }
    })
}

/// Which field of a record seems to hold its text, with dots if it is within others: the one of that name, one that is tried
/// where none is named, or else the longest string that is called after one of these.
fn inner_text(record: &Value, field: &str) -> Option<String> {
    let has_text = |name: &&str| find(record, name).is_some_and(|value| Scalar::of(value).text().is_some());
    if let Some(name) = std::iter::once(field).chain(TEXTS).find(has_text) {
        return Some(name.into());
    }
    longest_string(record, false)
}

/// Where the longest string is that is called after a text, if the value itself is not.
fn longest_string(value: &Value, is_named: bool) -> Option<String> {
    let mut strings = Vec::new();
    named_strings(value, "", is_named, &mut strings);
    // Of two as long the first.
    strings.into_iter().rev().max_by_key(|&(_, length)| length).map(|(path, _)| path)
}

/// Strings of several words in fields, or within fields, that are called after a text: `content.rendered`, `bodyText`.
fn named_strings(value: &Value, within: &str, is_named: bool, strings: &mut Vec<(String, usize)>) {
    match value {
        Value::String(text) if is_named && (text.contains(char::is_whitespace) || !text.is_ascii()) => {
            strings.push((within.into(), text.len()));
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                // Others would have to be quoted for the shell.
                if is_plain(name) {
                    let path = if within.is_empty() { name.clone() } else { format!("{within}.{name}") };
                    named_strings(value, &path, is_named || is_called_text(name), strings);
                }
            }
        }
        _ => {}
    }
}

/// Whether one of the words of a name, which may begin with a capital instead of standing apart, is that of a text.
fn is_called_text(name: &str) -> bool {
    let mut words = vec![String::new()];
    for letter in name.chars() {
        if !letter.is_alphanumeric() || letter.is_uppercase() {
            words.push(String::new());
        }
        words.last_mut().expect("there is one from the start").extend(letter.to_lowercase());
    }
    words.iter().any(|word| TEXTS.contains(&word.trim_matches(['_', '-'])))
}

/// The value of a field.
#[derive(Clone)]
enum Scalar<'a> {
    Text(Cow<'a, str>),
    /// The strings of a list, each a line: a text, and nothing else.
    Lines(String),
    /// What can stand as an id or a date and is no text: a whole number in its digits, or a string as MongoDB writes ids and
    /// dates, `{"$date": "2024-05-17"}`.
    Label(String),
    /// A number that is not whole, and at most a date by mistake.
    Fraction(f64),
    Other,
}

/// The fields in which MongoDB writes what is no string in its own right.
const WRAPPERS: [&str; 4] = ["$oid", "$date", "$numberLong", "$numberInt"];

impl<'a> Scalar<'a> {
    fn of(value: &Value) -> Scalar<'static> {
        match value {
            Value::String(text) => Scalar::Text(text.clone().into()),
            Value::Number(number) if number.is_u64() || number.is_i64() => Scalar::Label(number.to_string()),
            Value::Number(number) => number.as_f64().map_or(Scalar::Other, Scalar::of_float),
            Value::Array(values) => {
                let lines: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
                lines.map_or(Scalar::Other, |lines| Scalar::Lines(lines.join("\n")))
            }
            Value::Object(fields) => match fields.iter().next() {
                Some((name, value)) if fields.len() == 1 && WRAPPERS.contains(&&**name) => Scalar::of(value).wrapped(),
                _ => Scalar::Other,
            },
            _ => Scalar::Other,
        }
    }

    /// A whole number with a point: so programs write columns of whole numbers in which one is missing.
    fn of_float(number: f64) -> Self {
        /// Beyond that two whole numbers are one float.
        const MOST: f64 = (1_u64 << f64::MANTISSA_DIGITS) as f64;
        match number.fract() == 0.0 && number.abs() < MOST {
            true => Self::Label((number as i64).to_string()),
            false => Self::Fraction(number),
        }
    }

    fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Lines(text) => Some(text.into()),
            Self::Label(_) | Self::Fraction(_) | Self::Other => None,
        }
    }

    /// What may be meant as a date; whether it is one is told with its place.
    fn date(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Label(label) => Some(label.into()),
            Self::Fraction(number) => Some(number.to_string().into()),
            Self::Lines(_) | Self::Other => None,
        }
    }

    /// The same as the value of a [wrapper](WRAPPERS).
    fn wrapped(self) -> Self {
        match self {
            Self::Text(text) => Self::Label(text.into_owned()),
            other => other,
        }
    }

    /// What can stand as an id.
    fn label(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Self::Label(label) => Some(label.clone().into()).filter(|label: &Cow<str>| !label.is_empty()),
            Self::Lines(_) | Self::Fraction(_) | Self::Other => None,
        }
    }

    fn into_owned(self) -> Scalar<'static> {
        match self {
            Self::Text(text) => Scalar::Text(text.into_owned().into()),
            Self::Lines(text) => Scalar::Lines(text),
            Self::Label(label) => Scalar::Label(label),
            Self::Fraction(number) => Scalar::Fraction(number),
            Self::Other => Scalar::Other,
        }
    }
}

/// The fields of a record that are wanted; of two with one name the last, as everywhere in JSON.
#[derive(Default)]
struct Picked<'a> {
    text: Option<Scalar<'a>>,
    id: Option<Scalar<'a>>,
    date: Option<Scalar<'a>>,
    source: Option<Scalar<'a>>,
}

impl Picked<'_> {
    fn into_owned(self) -> Picked<'static> {
        let [text, id, date, source] =
            [self.text, self.id, self.date, self.source].map(|value| value.map(Scalar::into_owned));
        Picked { text, id, date, source }
    }
}

/// Takes the wanted fields from a record, and passes over all others without keeping them.
struct Pick<'n>(&'n Names);

impl<'de> DeserializeSeed<'de> for Pick<'_> {
    type Value = Picked<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Picked<'de>, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Pick<'_> {
    type Value = Picked<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Picked<'de>, M::Error> {
        let Names { text, id, date, source, .. } = self.0;
        let names = [Some(text), id.as_ref(), date.as_ref(), source.as_ref()];
        let is_nested = names.into_iter().flatten().any(|name| name.contains('.'));
        let mut picked: [Option<Scalar<'de>>; 4] = Default::default();
        // Fields within fields; one whose own name has the dot comes before.
        let mut within: [Option<Scalar<'de>>; 4] = Default::default();
        while let Some(Key(key)) = map.next_key()? {
            let wanted = names.map(|name| name.is_some_and(|name| key == **name));
            if wanted.contains(&true) {
                // One field may be several.
                let value: Scalar = map.next_value()?;
                let mut places = picked.iter_mut().zip(wanted).filter_map(|(place, wanted)| wanted.then_some(place));
                let first = places.next();
                places.for_each(|place| *place = Some(value.clone()));
                if let Some(place) = first {
                    *place = Some(value);
                }
                continue;
            }
            let inner = names.map(|name| name.filter(|_| is_nested)?.strip_prefix(&*key)?.strip_prefix('.'));
            if inner == [None; 4] {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value: Value = map.next_value()?;
            for (name, place) in inner.into_iter().zip(&mut within) {
                let found = name.and_then(|name| find(&value, name));
                *place = found.map(Scalar::of).or(place.take());
            }
        }
        let [text, id, date, source] = std::array::from_fn(|at| picked[at].take().or(within[at].take()));
        Ok(Picked { text, id, date, source })
    }
}

/// The name of a field, not copied unless something in it is escaped.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Scalar::deserialize(from)? {
            Scalar::Text(text) => Ok(Self(text)),
            Scalar::Lines(_) | Scalar::Label(_) | Scalar::Fraction(_) | Scalar::Other => {
                Err(serde::de::Error::custom("key must be a string"))
            }
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(text.to_owned().into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Label(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Label(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::of_float(number))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    fn visit_unit<E>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Scalar<'de>, S::Error> {
        let mut lines: Option<Vec<Cow<'de, str>>> = Some(Vec::new());
        while let Some(value) = seq.next_element()? {
            match (value, &mut lines) {
                (Scalar::Text(line), Some(lines)) => lines.push(line),
                _ => lines = None,
            }
        }
        Ok(lines.map_or(Scalar::Other, |lines| Scalar::Lines(lines.join("\n"))))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Scalar<'de>, M::Error> {
        let (mut fields, mut wrapped) = (0, Scalar::Other);
        while let Some(Key(key)) = map.next_key()? {
            fields += 1;
            if WRAPPERS.contains(&&*key) {
                wrapped = map.next_value::<Scalar>()?.wrapped();
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(if fields == 1 { wrapped } else { Scalar::Other })
    }
}

/// Bytes as text: whether they are any is told many at a time, and then one by one where they are not.
fn valid(bytes: &[u8]) -> Result<&str, std::str::Utf8Error> {
    simdutf8::basic::from_utf8(bytes).or_else(|_| std::str::from_utf8(bytes))
}

pub fn not_utf8(error: std::str::Utf8Error) -> String {
    format!(
        "byte {} is not valid UTF-8: name its encoding with --encoding, or convert the text to UTF-8",
        error.valid_up_to() + 1
    )
}

fn not_json(error: &serde_json::Error) -> String {
    let whole = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let cause = whole.strip_suffix(&place).unwrap_or(&whole);
    let line = if error.line() > 1 { format!("line {} ", error.line()) } else { String::new() };
    let remedy = if cause.ends_with("hex escape") {
        "half of a character, as of an emoji that was cut in two: write \\ufffd in its place, or cut the text before it"
    } else {
        "fix the line or remove it"
    };
    format!("not valid JSON at {line}column {}, {cause}: {remedy}", error.column())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a number with a fraction or too many digits",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The first few names, to choose from.
fn list<'a>(names: impl IntoIterator<Item = &'a String, IntoIter: ExactSizeIterator>) -> String {
    const MOST: usize = 5;
    let names = names.into_iter();
    let count = names.len();
    let first: Vec<String> =
        names.take(MOST).map(|name| format!("{:?}", name.chars().take(40).collect::<String>())).collect();
    match count {
        0 => "nor any other".into(),
        1..=MOST => format!("only {}", first.join(", ")),
        more => format!("only {} and {} more", first.join(", "), more - MOST),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names() -> Names {
        Names { id: Some("id".into()), date: Some("date".into()), ..Names::of_text("text") }
    }

    proptest! {
        /// The fields that are picked are those that a parser of whole records finds.
        #[test]
        fn picked_fields_are_those_of_the_record(
            id in "\\PC{1,8}", text in any::<String>(), date in "\\PC{0,8}", more in prop::collection::vec(("[a-z]{1,3}", any::<f32>()), 0..4),
        ) {
            let mut record: serde_json::Map<String, Value> =
                more.into_iter().map(|(name, value)| (name, value.into())).collect();
            record.insert("date".into(), date.clone().into());
            record.insert("text".into(), text.clone().into());
            record.insert("id".into(), id.clone().into());
            let record = Value::Object(record).to_string();
            let article = names().parse(&record).map_err(|(_, reason)| TestCaseError::fail(reason))?;
            prop_assert_eq!(article.id.as_deref(), Some(&*id));
            prop_assert_eq!(&*article.text, &*text);
            prop_assert_eq!(article.date.as_deref(), Some(&*date));
        }

        /// Whatever a line holds, it is an article or there is a reason why not.
        #[test]
        fn any_line_is_an_article_or_refused(line in "[\\[\\]{}\":,a-e0-9 \\\\u]{0,30}") {
            if let Err((_, reason)) = names().parse(&line) {
                prop_assert!(reason.contains(": "), "no remedy in {reason:?}");
            }
        }
    }

    #[test]
    fn one_field_may_be_both_and_the_last_of_its_name_counts() {
        let names = Names { id: Some("text".into()), date: None, ..names() };
        let article = names.parse(r#"{"text": 1, "text": "told"}"#).map_err(|(_, reason)| reason).unwrap();
        assert_eq!((article.id.as_deref(), &*article.text), (Some("told"), "told"));
    }
}
