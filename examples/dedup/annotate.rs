//! What was found, record by record: fields to be added to those that a record has.

use std::collections::HashMap;

use retold::{Member, Report};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::input::{Parser, Place, Shape, parse};
use crate::output;

/// The fields, in their order.
pub const FIELDS: [&str; 4] = ["cluster", "duplicate_of", "relation", "similarity"];

/// What was found of all articles.
pub struct Notes<'a> {
    report: &'a Report,
    places: &'a [Place],
    /// For each article of a cluster which one, and its place there, by position: 0 for the representative.
    members: HashMap<usize, (usize, usize)>,
}

/// What was found of an article. Nothing of one that is in no cluster, and only the cluster of one that represents it.
#[derive(Clone, Default)]
pub struct Note {
    /// The number of the cluster, from 1, in the order of the results.
    pub cluster: Option<u64>,
    /// Where its representative stands.
    pub duplicate_of: Option<String>,
    pub relation: Option<String>,
    pub similarity: Option<f64>,
}

impl Note {
    fn values(self) -> [Value; 4] {
        [self.cluster.into(), self.duplicate_of.into(), self.relation.into(), self.similarity.into()]
    }
}

impl<'a> Notes<'a> {
    pub fn new(report: &'a Report, places: &'a [Place]) -> Self {
        let clusters = report.clusters().iter().enumerate();
        let members = clusters.flat_map(|(number, cluster)| {
            cluster.positions().enumerate().map(move |(at, position)| (position, (number, at)))
        });
        Self { report, places, members: members.collect() }
    }

    /// What there is to say of a record; of one that is no article nothing.
    pub fn of(&self, position: Option<usize>) -> Note {
        let Some(&(number, at)) = position.and_then(|position| self.members.get(&position)) else {
            return Note::default();
        };
        let cluster = &self.report.clusters()[number];
        let number = Some(number as u64 + 1);
        let Some(member) = at.checked_sub(1) else { return Note { cluster: number, ..Note::default() } };
        let Member { relation, similarity, .. } = &cluster.members()[member];
        Note {
            cluster: number,
            duplicate_of: Some(self.places[cluster.representative().position].to_string()),
            relation: Some(relation.to_string()),
            similarity: output::rounded((*similarity).into(), 1e4).as_f64(),
        }
    }

    /// A record with the fields after its own, which stay as they are; the record itself if it is none that has fields.
    pub fn record(&self, shape: Shape, record: &[u8], position: Option<usize>, table: &mut Table) -> Vec<u8> {
        let values = self.of(position).values();
        let added = match shape {
            Shape::Table(delimiter) => Some(table.row(record, delimiter, values)),
            Shape::Lines | Shape::Entries | Shape::Array | Shape::Values => object(record, values, position.is_some()),
            Shape::Whole | Shape::Rows | Shape::Warc => None,
        };
        added.unwrap_or_else(|| record.into())
    }
}

/// The fields within an object, before the bracket that closes it.
fn object(record: &[u8], values: [Value; 4], is_sound: bool) -> Option<Vec<u8>> {
    let end = record.trim_ascii_end().strip_suffix(b"}")?;
    if !is_sound && (record.first() != Some(&b'{') || serde_json::from_slice::<IgnoredAny>(record).is_err()) {
        return None;
    }
    let mut to = end.to_vec();
    let mut comma = if end.trim_ascii_end().ends_with(b"{") { "" } else { "," };
    for (name, value) in FIELDS.iter().zip(values) {
        to.extend_from_slice(format!("{comma}\"{name}\":{value}").as_bytes());
        comma = ",";
    }
    to.extend_from_slice(&record[end.len()..]);
    Some(to)
}

/// Adds cells to rows.
#[derive(Default)]
pub struct Table {
    parser: Parser,
    columns: usize,
    is_quoted: bool,
}

impl Table {
    /// The row of names with those of the fields.
    pub fn head(&mut self, head: &[u8], delimiter: u8) -> Vec<u8> {
        self.columns = self.parser.cells(head, delimiter, None).len();
        self.is_quoted = head.contains(&b'"');
        let end = self.parser.edges(head, delimiter, None)[self.columns - 1];
        with_cells(head, end, delimiter, FIELDS.map(String::from))
    }

    /// Cells without a name stay behind those that are added, each of which stands under its own.
    fn row(&mut self, row: &[u8], delimiter: u8, values: [Value; 4]) -> Vec<u8> {
        let columns = Some(self.columns).filter(|_| !self.is_quoted);
        let edges = self.parser.edges(row, delimiter, columns);
        let (missing, end) = match edges.get(self.columns - 1) {
            Some(&edge) => (0, edge),
            None => (self.columns - edges.len(), edges[edges.len() - 1]),
        };
        let cell = |value: Value| match value {
            Value::Null => String::new(),
            Value::String(text) => text,
            other => other.to_string(),
        };
        let mut cells = vec![String::new(); missing];
        cells.extend(values.map(cell));
        with_cells(row, end, delimiter, cells)
    }
}

/// A row with cells behind the one that ends there.
fn with_cells(row: &[u8], end: usize, delimiter: u8, cells: impl IntoIterator<Item = String>) -> Vec<u8> {
    let mut to = row[..end].to_vec();
    for cell in cells {
        to.push(delimiter);
        if cell.bytes().any(|byte| byte == delimiter || matches!(byte, b'"' | b'\n' | b'\r')) {
            to.extend_from_slice(format!("\"{}\"", cell.replace('"', "\"\"")).as_bytes());
        } else {
            to.extend_from_slice(cell.as_bytes());
        }
    }
    to.extend_from_slice(&row[end..]);
    to
}

/// What is said of input that has a field which is to be added.
pub fn clash(place: &str, field: &str) -> String {
    let fields = FIELDS.join(", ");
    format!("{place} has a field {field:?} already, and --annotate adds {fields}: rename it or leave it out")
}

/// Which of the fields that are to be added a record has, or the first row of a table, which says what the fields are.
pub fn taken(shape: Shape, number: u64, record: &[u8], parser: &mut Parser) -> Option<&'static str> {
    match shape {
        Shape::Table(delimiter) if number == 0 => {
            let columns = parser.cells(record, delimiter, None);
            FIELDS.into_iter().find(|field| columns.iter().any(|column| column == field))
        }
        Shape::Lines | Shape::Entries | Shape::Array | Shape::Values => taken_field(record),
        Shape::Table(_) | Shape::Whole | Shape::Rows | Shape::Warc => None,
    }
}

/// The field of an object that is one of those to be added.
fn taken_field(record: &[u8]) -> Option<&'static str> {
    // Most records have not even the word in quotes in them.
    let has_word = |field: &&str| {
        let is_quoted = |at: usize| record[..at].ends_with(b"\"") && record[at + field.len()..].starts_with(b"\"");
        memchr::memmem::find_iter(record, *field).any(is_quoted)
    };
    let words: Vec<&str> = FIELDS.into_iter().filter(has_word).collect();
    if words.is_empty() {
        return None;
    }
    let record = parse(std::str::from_utf8(record).ok()?).ok()?;
    words.into_iter().find(|field| record.get(field).is_some())
}
