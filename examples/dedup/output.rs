//! What was found, written for people or for programs.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use indicatif::HumanCount;
use rayon::prelude::*;
use retold::{ArticleRef, Articles, Cluster, Evidence, Excerpt, ExcerptPlace, Member, Relation, Report, Stage, Via};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::html;
use crate::input::{Document, Left, Place, Problem};
use crate::search::Settings;

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs: one JSON object a line, clusters first, then what was skipped, then a summary
    Jsonl,
    /// For programs: the summary alone, one JSON object
    Summary,
    /// For a browser: one page with everything in it, to open from disk and compare text beside text
    Html,
}

/// All that there is to write.
pub struct Findings {
    pub report: Report,
    /// The records that were left out, by id and place.
    pub skipped: Vec<Problem>,
    /// The files and folders that could not be read, or not to their end, by place.
    pub unread: Vec<Problem>,
    /// All records that were met, those that were left out included.
    pub documents: usize,
    /// The articles that were compared, in the order of the input.
    pub articles: Articles<Document>,
    /// Where each of these stands.
    pub places: Vec<Place>,
    /// When each of these appeared, empty where nothing says so; none at all if nobody asked.
    dates: Vec<Box<str>>,
    /// What it took to read the articles, and to sign them meanwhile.
    read: Duration,
}

impl Findings {
    /// Puts together what the library found among the articles with what the input and, `later`, the library left out.
    pub fn new(
        report: Report,
        (articles, places, dates): (Articles<Document>, Vec<Place>, Vec<Box<str>>),
        problems: Vec<Problem>,
        later: Vec<Problem>,
        read: Duration,
    ) -> Self {
        let (mut unread, mut skipped): (Vec<_>, Vec<_>) =
            problems.into_iter().partition(|problem| problem.what == Left::Input);
        let documents = articles.len() + skipped.len();
        skipped.extend(later);
        skipped.sort_by(|a, b| (&a.id, &a.place, &a.reason).cmp(&(&b.id, &b.place, &b.reason)));
        unread.sort_by(|a, b| (&a.place, &a.reason).cmp(&(&b.place, &b.reason)));
        Self { report, skipped, unread, documents, articles, places, dates, read }
    }

    /// When an article appeared, as it says; empty if that is not known.
    pub fn date(&self, position: usize) -> &str {
        self.dates.get(position).map_or("", |date| date)
    }

    pub fn write(&self, format: Format, settings: &Settings, out: &mut impl Write) -> io::Result<()> {
        match format {
            Format::Text => self.write_text(out),
            Format::Jsonl => self.write_jsonl(out),
            Format::Summary => self.write_summary(out),
            Format::Html => html::write(self, settings, out),
        }
    }

    fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        let labels = self.labels();
        for (at, cluster) in self.report.clusters().iter().enumerate() {
            if at > 0 {
                writeln!(out)?;
            }
            write_cluster(cluster, &labels, out)?;
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
            self.write_excerpt(excerpt, out)?;
        }
        if !self.skipped.is_empty() {
            writeln!(out, "\nSkipped {}:", HumanCount(self.skipped.len() as u64))?;
        }
        let (ids, width) = column(self.skipped.iter().map(|skip| labels.of(&skip.id, &skip.place)));
        for (id, skip) in ids.iter().zip(&self.skipped) {
            writeln!(out, "  {id:<width$}  {}", shown(&skip.reason))?;
        }
        if !self.unread.is_empty() {
            writeln!(out, "\nCould not read {}:", HumanCount(self.unread.len() as u64))?;
        }
        let (places, width) = column(self.unread.iter().map(|problem| shown(&problem.place)));
        for (place, problem) in places.iter().zip(&self.unread) {
            writeln!(out, "  {place:<width$}  {}", shown(&problem.reason))?;
        }
        Ok(())
    }

    /// The passage as it stands in both articles, one above the other.
    fn write_excerpt(&self, excerpt: &Excerpt, out: &mut impl Write) -> io::Result<()> {
        /// The most characters of a passage that are shown.
        const SHOWN: usize = 240;
        let Excerpt { host, source, words, kind, same, holders, others, date, is_furniture, .. } = excerpt;
        let words = HumanCount(*words as u64);
        write!(out, "  {words} words, {}{:.0}% the same", html::excerpts::in_other_words(*kind), same * 100.0)?;
        if *holders > 2 {
            write!(out, ", in {holders} articles")?;
        }
        if let Some(date) = date {
            write!(out, ", first on {date}")?;
        }
        writeln!(out, "{}", if *is_furniture { ", page furniture" } else { "" })?;
        for (name, place) in [("in", host), ("from", source)] {
            let ExcerptPlace { id, position, span, .. } = place;
            writeln!(out, "    {name:<4}  {} {}..{}", shown(id), span.start, span.end)?;
            if let Ok(text) = self.articles.text(*position) {
                let passage = text.get(span.clone()).unwrap_or_default();
                let line: String = passage.split_whitespace().collect::<Vec<_>>().join(" ");
                let end = line.char_indices().nth(SHOWN).map_or(line.len(), |(end, _)| end);
                let rest = if end < line.len() { " …" } else { "" };
                writeln!(out, "          {}{rest}", shown(line[..end].trim_end()))?;
            }
        }
        if !others.is_empty() {
            let others: Vec<_> = others.iter().map(|id| shown(id).to_string()).collect();
            writeln!(out, "    also  {}", others.join(", "))?;
        }
        Ok(())
    }

    /// What the text format calls articles.
    fn labels(&self) -> Labels<'_> {
        let mut times: HashMap<&str, usize> = HashMap::new();
        let shown =
            self.report.clusters().iter().flat_map(Cluster::ids).chain(self.skipped.iter().map(|skip| &*skip.id));
        shown.for_each(|id| *times.entry(id).or_default() += 1);
        // One that is shown once may be that of others that are not shown.
        let mut of_all: HashMap<&str, usize> = HashMap::new();
        let ids = (0..self.articles.len()).map(|position| self.articles.id(position));
        ids.filter(|id| times.contains_key(id)).for_each(|id| *of_all.entry(id).or_default() += 1);
        for (id, count) in of_all {
            times.entry(id).and_modify(|times| *times = count.max(*times));
        }
        Labels { times, places: &self.places }
    }

    fn write_jsonl(&self, out: &mut impl Write) -> io::Result<()> {
        /// Clusters whose lines are in memory at a time.
        const CLUSTERS: usize = 4096;
        let of_cluster = |cluster: &Cluster| {
            let ArticleRef { id, position, .. } = cluster.representative();
            let at = |position: usize| self.places[position].to_string();
            let first = json!({"id": id, "at": at(*position), "representative": true});
            let others = cluster.members().iter().map(|member| {
                let mut line = json!({"id": member.id, "at": at(member.position)});
                add_fields(&mut line, member);
                if let Some(via) = &member.via {
                    line["via"] = json!({"id": via.id, "at": at(via.position)});
                    add_fields(&mut line["via"], via);
                }
                line
            });
            let members: Vec<Value> = std::iter::once(first).chain(others).collect();
            line_of(&json!({"type": "cluster", "representative": id, "at": at(*position), "members": members}))
        };
        for clusters in self.report.clusters().chunks(CLUSTERS) {
            let lines: Vec<String> = clusters.par_iter().map(of_cluster).collect();
            lines.iter().try_for_each(|line| out.write_all(line.as_bytes()))?;
        }
        let at = |position: usize| self.places[position].to_string();
        for excerpt in self.report.excerpts() {
            let Excerpt { host, source, words, kind, same, holders, others, date, is_furniture, .. } = excerpt;
            let place = |place: &ExcerptPlace| json!({"id": place.id, "at": at(place.position), "start": place.span.start, "end": place.span.end});
            let mut line = json!({
                "type": "excerpt",
                "host": place(host),
                "source": place(source),
                "words": words,
                "kind": kind,
                "same": rounded((*same).into(), 1e4),
                "holders": holders,
            });
            if !others.is_empty() {
                line["others"] = json!(others);
            }
            if let Some(date) = date {
                line["date"] = json!(date);
            }
            if *is_furniture {
                line["furniture"] = json!(true);
            }
            write_line(out, &line)?;
        }
        for skip in &self.skipped {
            write_line(out, &json!({"type": "skipped", "id": skip.id, "at": skip.place, "reason": skip.reason}))?;
        }
        for problem in &self.unread {
            write_line(out, &json!({"type": "unread", "at": problem.place, "reason": problem.reason}))?;
        }
        self.write_summary(out)
    }

    fn write_summary(&self, out: &mut impl Write) -> io::Result<()> {
        let summary = self.report.summary();
        let copies = |relation| {
            let others = self.report.clusters().iter().flat_map(Cluster::members);
            others.filter(|member| member.relation == relation).count()
        };
        let relations = [Relation::Exact, Relation::Near, Relation::Reworded];
        let copies: Map<_, _> =
            relations.into_iter().map(|relation| (relation.to_string(), copies(relation).into())).collect();
        let stages = Stage::ALL.iter().map(|&stage| (stage.to_string(), summary.time(stage)));
        let seconds: Map<_, _> = std::iter::once(("read".into(), self.read))
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
                "prior": summary.prior.map(|prior| rounded(prior.into(), 1e4)),
                "capped": summary.capped,
                "excerpts": self.report.excerpts().len(),
                "furniture": summary.furniture,
                "with_furniture": summary.with_furniture,
                "left_out": summary.left_out,
                "clusters": self.report.clusters().len(),
                "copies": copies,
                "skipped": self.skipped.len(),
                "unread": self.unread.len(),
                "seconds": seconds,
            }),
        )
    }
}

/// Ids, and places where ids do not tell articles apart.
struct Labels<'a> {
    /// How often each id is shown.
    times: HashMap<&'a str, usize>,
    places: &'a [Place],
}

impl Labels<'_> {
    fn of<'a>(&self, id: &'a str, place: impl ToString) -> Cow<'a, str> {
        match self.times.get(id) {
            Some(2..) => shown(&format!("{id} ({})", place.to_string())).into_owned().into(),
            _ => shown(id),
        }
    }

    fn of_article<'a>(&self, id: &'a str, position: usize) -> Cow<'a, str> {
        self.of(id, &self.places[position])
    }
}

/// Labels to be shown one below the other, and a width that suits them. One that is far longer than usual pushes the rest of
/// its line to the right instead of all others.
fn column<'a>(labels: impl Iterator<Item = Cow<'a, str>>) -> (Vec<Cow<'a, str>>, usize) {
    const WIDEST: usize = 60;
    let labels: Vec<_> = labels.collect();
    let widths = labels.iter().map(|label| label.chars().count());
    let width = widths.filter(|&width| width <= WIDEST).max().unwrap_or(0);
    (labels, width)
}

fn write_cluster(cluster: &Cluster, labels: &Labels<'_>, out: &mut impl Write) -> io::Result<()> {
    let others = cluster.members();
    let ArticleRef { id, position, .. } = cluster.representative();
    let first = labels.of_article(id, *position);
    writeln!(out, "{first} and {} like it:", HumanCount(others.len() as u64))?;
    let (names, width) = column(others.iter().map(|member| labels.of_article(&member.id, member.position)));
    for (name, member) in names.iter().zip(others) {
        let Member { relation, similarity, evidence, via, .. } = member;
        let mut reason = reason(Some(*relation), evidence.as_ref());
        if let Some(Via { id, position, relation, similarity, .. }) = via {
            reason = format!("{relation} {similarity:.2} like {}: {reason}", labels.of_article(id, *position));
        }
        writeln!(out, "  {name:<width$}  {:<8}  {similarity:.2}  {reason}", relation.to_string())?;
    }
    Ok(())
}

/// The numbers that decided about a pair, in words.
pub fn reason(relation: Option<Relation>, evidence: Option<&Evidence>) -> String {
    let percent = |share: f32| format!("{:.0}%", share * 100.0);
    let Some(by) = evidence else { return "the same words".into() };
    match by.content.filter(|_| relation.is_none_or(|relation| relation == Relation::Reworded)) {
        Some(content) => {
            let (words, pairs) = (percent(content.words), percent(content.pairs));
            let names = content.names.map_or("no names".into(), |names| format!("{} of the names", percent(names)));
            format!("{words} of the words, {names}, {pairs} of the word pairs, order {:+.2}", content.order)
        }
        None => {
            format!("{} of all phrases, {} of the shorter text's", percent(by.jaccard), percent(by.containment))
        }
    }
}

/// Adds fields of the library to a record, as they are named there: ids and positions, for which the record has fields of its
/// own, and absent fields are left out, those of the evidence stand beside the others, and fractions have four digits.
pub fn add_fields(record: &mut Value, of: impl Serialize) {
    const NAMED_OTHERWISE: [&str; 5] = ["id", "position", "kept_id", "kept", "via"];
    if let (Value::Object(record), Value::Object(fields)) = (record, json!(of)) {
        add_flat(record, fields.into_iter().filter(|(name, _)| !NAMED_OTHERWISE.contains(&&**name)));
    }
}

fn add_flat(record: &mut Map<String, Value>, fields: impl IntoIterator<Item = (String, Value)>) {
    for (name, value) in fields {
        match value {
            Value::Null => {}
            Value::Object(fields) => add_flat(record, fields),
            value => {
                let number = value.as_f64().filter(|_| value.is_f64());
                record.insert(name, number.map_or(value, |number| rounded(number, 1e4)));
            }
        }
    }
}

/// The fraction nearest to a number, in steps of which so many make 1.
pub fn rounded(number: f64, steps: f64) -> Value {
    // Adding 0 makes −0 a plain one.
    json!((number * steps).round() / steps + 0.0)
}

pub fn write_line(out: &mut impl Write, value: &Value) -> io::Result<()> {
    out.write_all(line_of(value).as_bytes())
}

/// A line of JSON, with its end.
fn line_of(value: &Value) -> String {
    let mut line = serde_json::to_string(value).expect("a value can be written");
    // All that is left of these stands inside of strings, and none needs more than four digits.
    if line.contains(is_harmful) {
        line = replace(&line, |c, to| write!(to, "\\u{:04x}", c as u32));
    }
    line.push('\n');
    line
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
