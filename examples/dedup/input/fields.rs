//! Records to articles: which fields hold the text and the id, and what is in them.

use std::borrow::Cow;
use std::fmt;

use clap::ValueEnum;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::frame::{Block, Form, Shape};

/// Where in a record the article is.
#[derive(clap::Args)]
#[command(next_help_heading = "Input")]
pub struct Fields {
    /// The JSON field or the column that holds the text [default: text, content, body or article]
    #[arg(long = "text-field", value_name = "NAME")]
    text: Option<String>,

    /// The JSON field or the column that holds the id [default: id or url]
    ///
    /// A string or a whole number. Where records have neither id nor url, the name of the file with the line is the id.
    #[arg(long = "id-field", value_name = "NAME")]
    id: Option<String>,

    /// The JSON field or the column that holds the date, for --keep earliest [default: date, published and the like]
    ///
    /// As ISO 8601: 2024-05-17, or with a time 2024-05-17T09:30:15+02:00. Without a zone it is UTC.
    #[arg(long = "date-field", value_name = "NAME")]
    pub date: Option<String>,

    /// Whether dates are needed.
    #[arg(skip)]
    pub needs_date: bool,

    /// How standard input is written [default: jsonl or json, as its first byte shows]
    ///
    /// Whether it is compressed is seen by its first bytes.
    #[arg(long, value_enum, value_name = "FORMAT", hide_possible_values = true)]
    stdin_format: Option<StdinFormat>,
}

#[derive(Clone, Copy, ValueEnum)]
enum StdinFormat {
    Txt,
    Jsonl,
    Json,
    Csv,
    Tsv,
}

/// Names that are tried where none is given, the likeliest first.
const TEXTS: [&str; 4] = ["text", "content", "body", "article"];
const IDS: [&str; 2] = ["id", "url"];
const DATES: [&str; 9] = [
    "date",
    "published",
    "published_at",
    "publish_date",
    "published_date",
    "pub_date",
    "pubDate",
    "datePublished",
    "created_at",
];

/// Records that are looked at for a guess.
const LOOKED_AT: usize = 100;

/// What is known of the records of a source.
pub enum Layout {
    /// The record is the text.
    Text,
    Objects(Names),
    Table(Table),
    /// The columns are not there; said once for all rows.
    Unusable(String),
}

/// The names of the fields.
pub struct Names {
    text: String,
    /// None where the place stands for the id.
    id: Option<String>,
    /// None where it is not needed or not there.
    date: Option<String>,
    guess: Option<String>,
}

/// The columns of a table.
pub struct Table {
    delimiter: u8,
    names: Names,
    text: usize,
    id: Option<usize>,
    date: Option<usize>,
}

/// What a record holds.
pub struct Article<'a> {
    /// None where the place is the id.
    pub id: Option<Cow<'a, str>>,
    pub text: Cow<'a, str>,
    pub date: Option<Cow<'a, str>>,
}

/// What is wrong with a record, and its id if at least that could be read.
type Refusal = (Option<String>, String);

impl Layout {
    /// Records before the first that may be an article.
    pub fn headers(&self) -> u64 {
        match self {
            Self::Text | Self::Objects(_) => 0,
            Self::Table(_) | Self::Unusable(_) => 1,
        }
    }

    /// Why no record can be read.
    pub fn refusal(&self) -> Option<&str> {
        match self {
            Self::Unusable(reason) => Some(reason),
            _ => None,
        }
    }

    /// What was guessed, for people; nothing where the names are the usual or the given ones.
    pub fn guess(&self) -> Option<String> {
        match self {
            Self::Objects(names) | Self::Table(Table { names, .. }) => names.guess.clone(),
            Self::Text | Self::Unusable(_) => None,
        }
    }
}

impl Fields {
    pub fn stdin_form(&self) -> Form {
        match self.stdin_format {
            None => Form::Any,
            Some(StdinFormat::Txt) => Form::Text,
            Some(StdinFormat::Jsonl) => Form::Lines,
            Some(StdinFormat::Json) => Form::Json,
            Some(StdinFormat::Csv) => Form::Table(b','),
            Some(StdinFormat::Tsv) => Form::Table(b'\t'),
        }
    }

    /// Chooses the fields by the first records of a source.
    pub fn layout(&self, first: &Block) -> Layout {
        let mut records = first.records().map(|(.., record)| record);
        match first.shape {
            Shape::Whole => Layout::Text,
            Shape::Lines | Shape::Rows | Shape::Array | Shape::Values => {
                let objects: Vec<serde_json::Map<_, _>> =
                    records.filter_map(|record| serde_json::from_slice(record).ok()).take(LOOKED_AT).collect();
                let has = |name: &str, suits: fn(&Value) -> bool| {
                    objects.iter().any(|object| object.get(name).is_some_and(suits))
                };
                let is_id = |value: &Value| value.is_string() || value.is_u64() || value.is_i64();
                let is_text = Value::is_string;
                Layout::Objects(self.names(|name| has(name, is_text), |name| has(name, is_id)))
            }
            Shape::Table(delimiter) => {
                let header = records.next().expect("a layout is asked for when there is a record");
                let columns = match std::str::from_utf8(header) {
                    Ok(_) => Parser::default().cells(header, delimiter),
                    Err(error) => return Layout::Unusable(not_utf8(error)),
                };
                let has = |name: &str| columns.iter().any(|column| column == name);
                let names = self.names(has, has);
                let column = |name: &str, option: &str| {
                    let missing =
                        || format!("no column {name:?}, {}: name the right one with {option}", list(&columns));
                    columns.iter().position(|column| column == name).ok_or_else(missing)
                };
                let text = column(&names.text, "--text-field");
                let id = names.id.as_deref().map(|name| column(name, "--id-field")).transpose();
                let date = names.date.as_deref().map(|name| column(name, "--date-field")).transpose();
                match (text, id, date) {
                    (Ok(text), Ok(id), Ok(date)) => Layout::Table(Table { delimiter, names, text, id, date }),
                    (Err(reason), ..) | (_, Err(reason), _) | (.., Err(reason)) => Layout::Unusable(reason),
                }
            }
        }
    }

    fn names(&self, has_text: impl Fn(&str) -> bool, has_id: impl Fn(&str) -> bool) -> Names {
        let guessed_text = TEXTS.into_iter().find(|name| has_text(name));
        let guessed_id = IDS.into_iter().find(|name| has_id(name));
        let text = self.text.clone().unwrap_or_else(|| guessed_text.unwrap_or(TEXTS[0]).into());
        // Where not even a text is found, nothing can be told of the ids either.
        let is_known = self.text.is_some() || guessed_text.is_some();
        let id = match &self.id {
            Some(id) => Some(id.clone()),
            None if is_known => guessed_id.map(String::from),
            None => Some(IDS[0].into()),
        };
        let guessed_date = || DATES.into_iter().find(|name| has_text(name)).map(String::from);
        let date = if self.needs_date { self.date.clone().or_else(guessed_date) } else { None };
        let mut guesses = Vec::new();
        if self.text.is_none() && text != TEXTS[0] {
            guesses.push(format!("the text is taken from {text:?} (--text-field)"));
        }
        match &id {
            _ if self.id.is_some() => {}
            None => guesses.push("there is no id, so the place of a record stands for it (--id-field)".into()),
            Some(id) if id != IDS[0] => guesses.push(format!("the id is taken from {id:?} (--id-field)")),
            Some(_) => {}
        }
        if let Some(date) = date.as_ref().filter(|date| self.date.is_none() && *date != DATES[0]) {
            guesses.push(format!("the date is taken from {date:?} (--date-field)"));
        }
        Names { text, id, date, guess: (!guesses.is_empty()).then(|| guesses.join(", ")) }
    }
}

/// Reads records; holds what it needs again for the next.
pub struct Parser {
    /// The delimiter and the reader for it, made for the first row: its tables take longer to make than a small file of
    /// JSON takes to be read.
    csv: Option<(u8, csv_core::Reader)>,
    /// Whether the reader has seen the end of a row, or only that of the input.
    is_at_row: bool,
    cells: Vec<u8>,
    ends: Vec<usize>,
}

impl Default for Parser {
    fn default() -> Self {
        Self { csv: None, is_at_row: false, cells: vec![0; 1 << 12], ends: vec![0; 16] }
    }
}

impl Parser {
    /// The article in a record; none where the layout has told already why there is none.
    pub fn parse<'a>(&'a mut self, layout: &Layout, record: &'a [u8]) -> Result<Option<Article<'a>>, Refusal> {
        let text = std::str::from_utf8(record).map_err(|error| (None, not_utf8(error)));
        match layout {
            Layout::Unusable(_) => Ok(None),
            Layout::Text => Ok(Some(Article { id: None, text: text?.into(), date: None })),
            Layout::Objects(names) => names.parse(text?.trim_ascii_end()).map(Some),
            Layout::Table(table) => self.row(table, text?).map(Some),
        }
    }

    fn row(&mut self, table: &Table, row: &str) -> Result<Article<'_>, Refusal> {
        let count = self.split(row.as_bytes(), table.delimiter);
        let cell = |column: usize, name: &str| {
            if column >= count {
                let s = if count == 1 { "" } else { "s" };
                return Err(format!("the row has {count} cell{s} and none for {name:?}: mend it or remove it"));
            }
            let start = if column == 0 { 0 } else { self.ends[column - 1] };
            std::str::from_utf8(&self.cells[start..self.ends[column]]).map_err(not_utf8)
        };
        let Table { names, .. } = table;
        let id = match (table.id, &names.id) {
            (Some(column), Some(name)) => match cell(column, name) {
                Ok("") => Err((None, format!("column {name:?} is empty: fill it, or name another with --id-field"))),
                Ok(id) => Ok(Some(id)),
                Err(reason) => Err((None, reason)),
            },
            _ => Ok(None),
        }?;
        match cell(table.text, &names.text) {
            Ok(text) => {
                // A row without one has no date, which is no reason to leave it out.
                let date = table.date.and_then(|column| cell(column, "date").ok()).filter(|date| !date.is_empty());
                Ok(Article { id: id.map(Cow::Borrowed), text: text.into(), date: date.map(Cow::Borrowed) })
            }
            Err(reason) => Err((id.map(String::from), reason)),
        }
    }

    /// All cells of a row.
    pub fn cells(&mut self, row: &[u8], delimiter: u8) -> Vec<String> {
        let count = self.split(row, delimiter);
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let cells = starts.zip(&self.ends).take(count).map(|(start, &end)| &self.cells[start..end]);
        cells.map(|cell| String::from_utf8_lossy(cell).into()).collect()
    }

    /// Takes the quotes off the cells of a row, and tells how many there are.
    fn split(&mut self, row: &[u8], delimiter: u8) -> usize {
        let (_, csv) = match &mut self.csv {
            Some(csv) if csv.0 == delimiter => csv,
            csv => {
                self.is_at_row = false;
                csv.insert((delimiter, csv_core::ReaderBuilder::new().delimiter(delimiter).build()))
            }
        };
        if !self.is_at_row {
            csv.reset();
            // A mark of UTF-8 is taken off the first row that a reader sees: of this one, so that the others stay as they are.
            csv.read_record(b"row\n", &mut self.cells, &mut self.ends);
        }
        self.is_at_row = true;
        let (mut rest, mut length, mut count) = (row, 0, 0);
        loop {
            let (result, read, written, ended) =
                csv.read_record(rest, &mut self.cells[length..], &mut self.ends[count..]);
            rest = &rest[read..];
            length += written;
            count += ended;
            match result {
                // Told once more that nothing is left, the reader closes the row.
                csv_core::ReadRecordResult::InputEmpty => self.is_at_row = false,
                csv_core::ReadRecordResult::OutputFull => self.cells.resize(self.cells.len() * 2, 0),
                csv_core::ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                csv_core::ReadRecordResult::Record | csv_core::ReadRecordResult::End => return count,
            }
        }
    }
}

impl Names {
    fn parse<'a>(&self, record: &'a str) -> Result<Article<'a>, Refusal> {
        let mut from = serde_json::Deserializer::from_str(record);
        let picked = Pick(self).deserialize(&mut from).and_then(|picked| from.end().map(|()| picked));
        match picked {
            Ok(Picked { text: Some(Scalar::Text(text)), id, date }) => {
                let date = match date {
                    Some(Scalar::Text(date)) => Some(date),
                    _ => None,
                };
                match (id, &self.id) {
                    (_, None) => Ok(Article { id: None, text, date }),
                    (Some(Scalar::Text(id)), Some(_)) => Ok(Article { id: Some(id), text, date }),
                    (Some(Scalar::Whole(id)), Some(_)) => Ok(Article { id: Some(id.into()), text, date }),
                    _ => Err(self.refusal(record)),
                }
            }
            _ => Err(self.refusal(record)),
        }
    }

    /// Reads a record again, as a whole, to tell what is wrong with it.
    fn refusal(&self, record: &str) -> Refusal {
        let record = match serde_json::from_str(record) {
            Ok(Value::Object(record)) => record,
            Ok(other) => {
                let id = self.id.as_ref().map_or(String::new(), |id| format!("{id:?}: …, "));
                let reason = format!("holds {}, not an object: write {{{id}{:?}: …}}", kind(&other), self.text);
                return (None, reason);
            }
            Err(error) => return (None, not_json(&error)),
        };
        let missing =
            |field, option| format!("no field {field:?}, {}: name the right one with {option}", list(record.keys()));
        let id = match &self.id {
            None => None,
            Some(name) => match record.get(name) {
                Some(Value::String(id)) => Some(id.clone()),
                Some(Value::Number(id)) if id.is_u64() || id.is_i64() => Some(id.to_string()),
                Some(other) => {
                    let reason = format!(
                        "field {name:?} holds {}: give a string or a whole number below 2^64, or name another field with \
                         --id-field",
                        kind(other)
                    );
                    return (None, reason);
                }
                None => return (None, missing(name, "--id-field")),
            },
        };
        let reason = match record.get(&self.text) {
            None => missing(&self.text, "--text-field"),
            Some(other) => format!(
                "field {:?} holds {}: give a string, or name another field with --text-field",
                self.text,
                kind(other)
            ),
        };
        (id, reason)
    }
}

/// The value of a field.
#[derive(Clone)]
enum Scalar<'a> {
    Text(Cow<'a, str>),
    /// A whole number in its digits.
    Whole(String),
    Other,
}

/// The fields of a record that are wanted; of two with one name the last, as everywhere in JSON.
#[derive(Default)]
struct Picked<'a> {
    text: Option<Scalar<'a>>,
    id: Option<Scalar<'a>>,
    date: Option<Scalar<'a>>,
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
        let mut picked = Picked::default();
        while let Some(Key(key)) = map.next_key()? {
            let is = |name: &Option<String>| name.as_deref() == Some(&*key);
            let wanted = [
                (key == self.0.text).then_some(&mut picked.text),
                is(&self.0.id).then_some(&mut picked.id),
                is(&self.0.date).then_some(&mut picked.date),
            ];
            let mut wanted = wanted.into_iter().flatten().peekable();
            if wanted.peek().is_none() {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            // One field may be several.
            let value: Scalar = map.next_value()?;
            for place in wanted {
                *place = Some(value.clone());
            }
        }
        Ok(picked)
    }
}

/// The name of a field, not copied unless something in it is escaped.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Scalar::deserialize(from)? {
            Scalar::Text(text) => Ok(Self(text)),
            Scalar::Whole(_) | Scalar::Other => Err(serde::de::Error::custom("key must be a string")),
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
        Ok(Scalar::Whole(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Whole(number.to_string()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    fn visit_unit<E>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, seq: S) -> Result<Scalar<'de>, S::Error> {
        IgnoredAny.visit_seq(seq).map(|_| Scalar::Other)
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Scalar<'de>, M::Error> {
        IgnoredAny.visit_map(map).map(|_| Scalar::Other)
    }
}

fn not_utf8(error: std::str::Utf8Error) -> String {
    format!("byte {} is not valid UTF-8: convert the text to UTF-8", error.valid_up_to() + 1)
}

fn not_json(error: &serde_json::Error) -> String {
    let whole = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let cause = whole.strip_suffix(&place).unwrap_or(&whole);
    let line = if error.line() > 1 { format!("line {} ", error.line()) } else { String::new() };
    format!("not valid JSON at {line}column {}, {cause}: mend the line or remove it", error.column())
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
        Names { text: "text".into(), id: Some("id".into()), date: Some("date".into()), guess: None }
    }

    proptest! {
        /// The fields that are picked are those that a parser of whole records finds.
        #[test]
        fn picked_fields_are_those_of_the_record(
            id in "\\PC{0,8}", text in any::<String>(), date in "\\PC{0,8}", more in prop::collection::vec(("[a-z]{1,3}", any::<f32>()), 0..4),
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
