//! What was found, written for people or for programs.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use indicatif::HumanCount;
use retold::{Articles, Cluster, Evidence, Excerpt, Member, Place, Relation, Report, Stage};
use serde_json::{Value, json};

use crate::html;
use crate::input::{Document, Problem};
use crate::search::Settings;

#[derive(Clone, Copy, clap::ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs: one JSON object a line, clusters first, then what was skipped, then a summary
    Jsonl,
    /// For a browser: one page with everything in it, to open from disk and compare text beside text
    Html,
}

/// All that there is to write.
pub struct Findings {
    pub report: Report,
    /// Everything that was left out, by id.
    pub skipped: Vec<Problem>,
    /// All articles that were met, those that were left out included.
    pub documents: usize,
    /// The articles that were compared, in the order of the input.
    pub articles: Articles<Document>,
    /// What it took to read the articles, and to sign them meanwhile.
    read: Duration,
}

impl Findings {
    /// Puts together what the library found among the articles with what the input and, `later`, the library left out.
    pub fn new(
        report: Report,
        articles: Articles<Document>,
        problems: Vec<Problem>,
        later: Vec<Problem>,
        read: Duration,
    ) -> Self {
        let documents = articles.len() + problems.len();
        let mut skipped = problems;
        skipped.extend(later);
        skipped.sort_by(|a, b| (&a.id, &a.reason).cmp(&(&b.id, &b.reason)));
        Self { report, skipped, documents, articles, read }
    }

    pub fn write(&self, format: Format, settings: &Settings, out: &mut impl Write) -> io::Result<()> {
        match format {
            Format::Text => self.write_text(out),
            Format::Jsonl => self.write_jsonl(out),
            Format::Html => html::write(self, settings, out),
        }
    }

    fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        for (at, cluster) in self.report.clusters().iter().enumerate() {
            if at > 0 {
                writeln!(out)?;
            }
            write_cluster(cluster, out)?;
        }
        if self.report.clusters().is_empty() {
            let compared = self.documents - self.skipped.len();
            let s = if compared == 1 { "" } else { "s" };
            writeln!(out, "No copies found among {} article{s}.", HumanCount(compared as u64))?;
        }
        if !self.report.excerpts().is_empty() {
            writeln!(out, "\nExcerpts:")?;
        }
        for excerpt in self.report.excerpts() {
            let Excerpt { host, source, words, same, .. } = excerpt;
            let place = |place: &Place| format!("{} {}..{}", shown(&place.id), place.span.start, place.span.end);
            let (host, source, words) = (place(host), place(source), HumanCount(*words as u64));
            writeln!(out, "  {host}  {words} words, {:.0}% the same in  {source}", same * 100.0)?;
        }
        if !self.skipped.is_empty() {
            writeln!(out, "\nSkipped {}:", HumanCount(self.skipped.len() as u64))?;
        }
        let (ids, width) = column(self.skipped.iter().map(|skip| &skip.id));
        for (id, skip) in ids.iter().zip(&self.skipped) {
            writeln!(out, "  {id:<width$}  {}", shown(&skip.reason))?;
        }
        Ok(())
    }

    fn write_jsonl(&self, out: &mut impl Write) -> io::Result<()> {
        for cluster in self.report.clusters() {
            let members: Vec<Value> = cluster.members().iter().map(record).collect();
            let representative = &cluster.representative().id;
            write_line(out, &json!({"type": "cluster", "representative": representative, "members": members}))?;
        }
        for excerpt in self.report.excerpts() {
            let Excerpt { host, source, words, same, holders, .. } = excerpt;
            let place = |place: &Place| json!({"id": place.id, "start": place.span.start, "end": place.span.end});
            let mut line = json!({"type": "excerpt", "host": place(host), "source": place(source)});
            let figures =
                json!({"words": words, "kind": "verbatim", "same": rounded((*same).into(), 1e4), "holders": holders});
            if let (Value::Object(line), Value::Object(figures)) = (&mut line, figures) {
                line.extend(figures);
            }
            write_line(out, &line)?;
        }
        for skip in &self.skipped {
            write_line(out, &json!({"type": "skipped", "id": skip.id, "reason": skip.reason}))?;
        }
        let summary = self.report.summary();
        let stages = Stage::ALL.map(|stage| (stage.to_string(), summary.time(stage)));
        let seconds: serde_json::Map<_, _> = std::iter::once(("read".into(), self.read))
            .chain(stages)
            .map(|(stage, time)| (stage, rounded(time.as_secs_f64(), 1e6)))
            .collect();
        write_line(
            out,
            &json!({
                "type": "summary",
                "documents": self.documents,
                "bytes": summary.bytes,
                "candidates": summary.candidates,
                "verified": summary.verified,
                "capped": summary.capped,
                "excerpts": self.report.excerpts().len(),
                "furniture": summary.furniture,
                "clusters": self.report.clusters().len(),
                "skipped": self.skipped.len(),
                "seconds": seconds,
            }),
        )
    }
}

/// Ids to be shown one below the other, and a width that suits them. One that is far longer than usual pushes the rest of
/// its line to the right instead of all others.
fn column<'a>(ids: impl Iterator<Item = &'a String>) -> (Vec<Cow<'a, str>>, usize) {
    const WIDEST: usize = 60;
    let ids: Vec<_> = ids.map(|id| shown(id)).collect();
    let width = ids.iter().map(|id| id.chars().count()).filter(|&width| width <= WIDEST).max().unwrap_or(0);
    (ids, width)
}

fn write_cluster(cluster: &Cluster, out: &mut impl Write) -> io::Result<()> {
    let others = &cluster.members()[1..];
    writeln!(out, "{} and {} like it:", shown(&cluster.representative().id), HumanCount(others.len() as u64))?;
    let (ids, width) = column(others.iter().map(|member| &member.id));
    for (id, member) in ids.iter().zip(others) {
        let Member { relation, similarity, evidence, .. } = member;
        let reason = reason(Some(*relation), evidence.as_ref());
        writeln!(out, "  {id:<width$}  {:<8}  {similarity:.2}  {reason}", relation.to_string())?;
    }
    Ok(())
}

/// The numbers that decided about a pair, in words.
pub fn reason(relation: Option<Relation>, evidence: Option<&Evidence>) -> String {
    let percent = |share: f32| format!("{:.0}%", share * 100.0);
    let Some(by) = evidence else { return "the same words".into() };
    match by.content.filter(|_| relation.is_none_or(|relation| relation == Relation::Reworded)) {
        Some(content) => {
            let (words, names, pairs) = (percent(content.words), percent(content.names), percent(content.pairs));
            format!(
                "{words} of the words, {names} of the names, {pairs} of the word pairs, order {:+.2}",
                content.order
            )
        }
        None => {
            format!("{} of all phrases, {} of the shorter text's", percent(by.jaccard), percent(by.containment))
        }
    }
}

/// A member with its fields as they are named in the library, and without digits that a 32-bit number does not have.
pub fn record(member: &Member) -> Value {
    let mut record = json!(member);
    round_fields(&mut record);
    record
}

/// Rounds the fractions among the fields of a record to four digits.
pub fn round_fields(record: &mut Value) {
    for value in record.as_object_mut().into_iter().flat_map(|fields| fields.values_mut()) {
        if let Some(number) = value.as_f64().filter(|_| value.is_f64()) {
            *value = rounded(number, 1e4);
        }
    }
}

fn rounded(number: f64, steps: f64) -> Value {
    // Adding 0 makes −0 a plain one.
    json!((number * steps).round() / steps + 0.0)
}

pub fn write_line(out: &mut impl Write, value: &Value) -> io::Result<()> {
    let mut line = value.to_string();
    // All that is left of these stands inside of strings, and none needs more than four digits.
    if line.contains(is_harmful) {
        line = replace(&line, |c, to| write!(to, "\\u{:04x}", c as u32));
    }
    writeln!(out, "{line}")
}

/// A text that can be shown in a terminal: on one line, with nothing that moves the cursor or reorders letters.
pub fn shown(text: &str) -> Cow<'_, str> {
    if text.contains(is_harmful) {
        Cow::Owned(replace(text, |c, to| write!(to, "{}", c.escape_default())))
    } else {
        Cow::Borrowed(text)
    }
}

/// Control characters, line and paragraph separators, and marks that change the direction of writing.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn replace(text: &str, escape: impl Fn(char, &mut String) -> std::fmt::Result) -> String {
    let mut to = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_harmful(c) {
            escape(c, &mut to).expect("a string takes everything");
        } else {
            to.push(c);
        }
    }
    to
}
