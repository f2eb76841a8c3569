//! What was found as one page: a browser opens it from disk and needs nothing else.
//!
//! The page is plain HTML, to be read as it is: a list of clusters, and for each its articles with the numbers that decided.
//! A script in it turns the same lines into a place to compare, text beside text; it finds the numbers and the places of the
//! shared passages in `data-` attributes of the articles. Each text stands in the page once.

mod charts;
mod content;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::{self, Display, Formatter, Write as _};
use std::io::{self, Write};

use indicatif::{DecimalBytes, HumanCount};
use rayon::prelude::*;
use retold::{
    Cluster, Comparison, Evidence, Level, Member, PassageKind, Relation, Shingle, ShingleSet, shared_passages,
};
use serde_json::json;

use charts::{write_histogram, write_s_curve};
use content::{Escaped, utf16_places};

use crate::output::{self, Findings, shown};
use crate::search::Settings;

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// Writes the page of all that was found.
pub fn write(findings: &Findings, settings: &Settings, out: &mut impl Write) -> io::Result<()> {
    let texts = texts(findings)?;
    let groups = groups(findings, |position| &texts[&position]);
    let title = format!(
        "{} of copies among {}",
        counted(groups.len(), "cluster"),
        counted(findings.documents - findings.skipped.len(), "article")
    );
    Page { title, overview: overview(findings, &groups, settings), groups }.write(out)
}

/// Writes the page of two texts, by name, that were compared.
pub fn write_pair(
    (left_name, left): (&str, &str),
    (right_name, right): (&str, &str),
    comparison: &Comparison,
    settings: &Settings,
    out: &mut impl Write,
) -> io::Result<()> {
    let &Comparison { relation, similarity, evidence, .. } = comparison;
    let representative = Text { id: left_name, text: left, place: (1, 0) };
    let text = Text { id: right_name, text: right, place: (1, usize::from(left != right)) };
    let other = Other { text, relation, similarity, evidence, missing: None };
    let group = Group { representative, others: vec![other], weakest: similarity, near_miss: None };
    let mut overview = String::from("<section id=\"overview\" aria-label=\"Overview\">\n");
    write_settings(settings, None, &mut overview).expect("a string takes everything");
    overview.push_str("</section>");
    let title = format!("{} beside {}", shown(left_name), shown(right_name));
    Page { title, overview, groups: vec![group] }.write(out)
}

struct Page<'a> {
    title: String,
    overview: String,
    groups: Vec<Group<'a>>,
}

/// Clusters that are made into text before it is written: enough for all threads, little enough for memory.
const BATCH: usize = 512;

impl Page<'_> {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for piece in PAGE.split("{{") {
            let (name, rest) = piece.split_once("}}").unwrap_or(("", piece));
            match name {
                "" => {}
                "version" => out.write_all(env!("CARGO_PKG_VERSION").as_bytes())?,
                "title" => write!(out, "{}", Escaped(&self.title))?,
                "style" => out.write_all(STYLE.as_bytes())?,
                "script" => out.write_all(SCRIPT.as_bytes())?,
                "overview" => out.write_all(self.overview.as_bytes())?,
                "list" => self.groups.iter().zip(1..).try_for_each(|(group, n)| group.write_entry(n, out))?,
                "clusters" => {
                    for (batch, first) in self.groups.chunks(BATCH).zip((1..).step_by(BATCH)) {
                        let sections: Vec<String> =
                            batch.par_iter().zip(first..first + BATCH).map(|(group, n)| group.section(n)).collect();
                        sections.iter().try_for_each(|section| out.write_all(section.as_bytes()))?;
                    }
                }
                other => unreachable!("page.html asks for {other}"),
            }
            out.write_all(rest.as_bytes())?;
        }
        Ok(())
    }
}

/// A text and those that were compared with it.
struct Group<'a> {
    representative: Text<'a>,
    others: Vec<Other<'a>>,
    /// The similarity of its weakest link.
    weakest: f32,
    near_miss: Option<Other<'a>>,
}

/// Where a text stands in the page: the number of the cluster, and its place there.
type Place = (usize, usize);

#[derive(Clone, Copy)]
struct Text<'a> {
    id: &'a str,
    text: &'a str,
    place: Place,
}

struct Other<'a> {
    text: Text<'a>,
    relation: Option<Relation>,
    similarity: f32,
    evidence: Option<Evidence>,
    /// What a near miss falls short of a copy.
    missing: Option<f32>,
}

/// The texts of all articles that a page shows, by position.
fn texts(findings: &Findings) -> io::Result<HashMap<usize, Cow<'_, str>>> {
    let shown = |cluster: &Cluster| {
        let members = cluster.members().iter().map(|member| member.position);
        members.chain(cluster.near_miss().map(|miss| miss.position)).collect::<Vec<_>>()
    };
    let positions = findings.report.clusters().iter().flat_map(shown);
    let text = |position| findings.articles.text(position).map(|text| (position, text));
    positions.map(text).collect::<retold::Result<_>>().map_err(io::Error::other)
}

/// All clusters. Of texts that are the same to the letter, and of near misses that are members elsewhere, one has a place.
fn groups<'a>(findings: &'a Findings, text: impl Fn(usize) -> &'a str + Sync) -> Vec<Group<'a>> {
    let clusters = findings.report.clusters();
    let mut groups: Vec<Group> =
        clusters.par_iter().zip(1..clusters.len() + 1).map(|(of, n)| Group::of(of, n, &text)).collect();
    let places = |(group, cluster): (&Group<'_>, &Cluster)| {
        let members = std::iter::once(group.representative).chain(group.others.iter().map(|other| other.text));
        let positions = cluster.members().iter().map(|member| member.position);
        positions.zip(members.map(|member| member.place)).collect::<Vec<_>>()
    };
    let mut places: HashMap<usize, Place> = groups.iter().zip(clusters).flat_map(places).collect();
    for ((group, cluster), n) in groups.iter_mut().zip(clusters).zip(1..) {
        group.near_miss = cluster.near_miss().map(|miss| Other {
            text: Text {
                id: &miss.id,
                text: text(miss.position),
                place: *places.entry(miss.position).or_insert((n, group.others.len() + 1)),
            },
            relation: None,
            similarity: miss.similarity,
            evidence: Some(miss.evidence),
            missing: Some(miss.missing),
        });
    }
    groups
}

impl<'a> Group<'a> {
    /// The members of the `n`th cluster, each distinct text in the place where it comes first.
    fn of(cluster: &'a Cluster, n: usize, text: impl Fn(usize) -> &'a str) -> Self {
        let mut first: HashMap<&str, usize> = HashMap::new();
        let mut texts = cluster.members().iter().zip(0..).map(|(member, k)| {
            let text = text(member.position);
            Text { id: &member.id, text, place: (n, *first.entry(text).or_insert(k)) }
        });
        let representative = texts.next().expect("a cluster has a representative");
        let other = |(text, member): (Text<'a>, &'a Member)| Other {
            text,
            relation: Some(member.relation),
            similarity: member.similarity,
            evidence: member.evidence,
            missing: None,
        };
        let others = texts.zip(&cluster.members()[1..]).map(other).collect();
        Self { representative, others, weakest: cluster.weakest().similarity, near_miss: None }
    }

    /// How its articles are like the representative, from the strictest.
    fn relations(&self) -> Vec<&'static str> {
        let mut relations: Vec<_> = self.others.iter().map(|other| other.relation).collect();
        relations.sort_unstable_by_key(|relation| (relation.is_none(), *relation));
        relations.dedup();
        relations.into_iter().map(class).collect()
    }

    /// Its line in the list.
    fn write_entry(&self, n: usize, out: &mut impl Write) -> io::Result<()> {
        let (size, weakest, relations) = (self.others.len() + 1, self.weakest, self.relations());
        write!(
            out,
            r##"<li data-size="{size}" data-weakest="{weakest:.4}" data-relations="{}"><a href="#c{n}"><bdi class="beginning">{}</bdi><span class="facts"><bdi>{}</bdi><span>{}</span>"##,
            relations.join(" "),
            Escaped(&beginning(self.representative.text)),
            Escaped(&shown(self.representative.id)),
            counted(size, "article"),
        )?;
        for relation in &relations {
            write!(out, r#"<span class="{relation}">{}</span>"#, relation.replace("none", "no copy"))?;
        }
        writeln!(out, "<span>{weakest:.2}</span></span></a></li>")
    }

    /// Its articles with the evidence for each.
    fn section(&self, n: usize) -> String {
        let mut to = String::new();
        self.write_section(n, &mut to).expect("a string takes everything");
        to
    }

    fn write_section(&self, n: usize, to: &mut String) -> fmt::Result {
        let Self { representative, others, near_miss, .. } = self;
        let like = if others.iter().all(|other| other.relation.is_some()) { "like" } else { "held against" };
        let id = shown(representative.id);
        writeln!(
            to,
            r#"<section class="cluster" id="c{n}" aria-labelledby="h{n}"><h2 id="h{n}">{} {like} <bdi>{}</bdi></h2><ol>"#,
            counted(others.len(), "article"),
            Escaped(&id)
        )?;
        write!(to, "<li><details><summary><bdi>{}</bdi> the representative</summary>", Escaped(&id))?;
        representative.write((n, 0), to)?;
        to.push_str("</details></li>\n");
        let phrases = Phrases::of(representative.text);
        for (other, k) in others.iter().chain(near_miss).zip(1..) {
            let Other { text, relation, similarity, evidence, missing } = other;
            let class = class(*relation);
            write!(to, r#"<li data-relation="{class}" data-similarity="{similarity:.4}""#)?;
            if let Some(missing) = missing {
                write!(to, r#" data-missing="{missing:.4}""#)?;
            }
            if let Some(evidence) = evidence {
                write!(to, " data-evidence='{}'", phrases.numbers(text.text, evidence))?;
            }
            if text.place != (n, k) {
                write!(to, r#" data-text="t{}-{}""#, text.place.0, text.place.1)?;
            }
            // The passages of a text that stands in this cluster already are there.
            if text.place.0 != n || text.place.1 == k {
                write!(to, r#" data-passages="{}""#, Passages::between(representative.text, text.text))?;
            }
            write!(
                to,
                r#"><details><summary><bdi>{}</bdi> <b class="{class}">{} {similarity:.2}</b> <span class="why">{}{}</span></summary>"#,
                Escaped(&shown(text.id)),
                relation.map_or("no copy", |_| class),
                missing
                    .map(|missing| format!("the nearest that was not let in, {missing:.2} short: "))
                    .unwrap_or_default(),
                output::reason(*relation, evidence.as_ref())
            )?;
            text.write((n, k), to)?;
            to.push_str("</details></li>\n");
        }
        to.push_str("</ol></section>\n");
        Ok(())
    }
}

impl Text<'_> {
    /// The text, if `at` is its place; otherwise where it is.
    fn write(&self, at: Place, to: &mut String) -> fmt::Result {
        let (n, k) = self.place;
        if self.place == at {
            write!(to, r#"<div class="text" id="t{n}-{k}" dir="auto">{}</div>"#, Escaped(self.text))
        } else {
            write!(to, r##"<p><a href="#t{n}-{k}">The same text, to the letter, where it stands in this page</a></p>"##)
        }
    }
}

fn class(relation: Option<Relation>) -> &'static str {
    match relation {
        Some(Relation::Exact) => "exact",
        Some(Relation::Near) => "near",
        Some(Relation::Reworded) => "reworded",
        None => "none",
    }
}

/// The phrases of a representative, to see what share of them another text has.
struct Phrases(ShingleSet);

impl Phrases {
    fn of(text: &str) -> Self {
        Self(ShingleSet::new(text, Shingle::Words(3)).expect("three words make a shingle"))
    }

    /// The numbers that decided about a pair, for the script.
    fn numbers(&self, right: &str, evidence: &Evidence) -> serde_json::Value {
        let right = Self::of(right);
        let share = |of: &Self, within: &Self| of.0.containment_in(&within.0).expect("both are of three words");
        let mut numbers = json!({
            "jaccard": evidence.jaccard,
            "left_in_right": share(self, &right),
            "right_in_left": share(&right, self),
        });
        if let (Some(numbers), Some(content)) = (numbers.as_object_mut(), evidence.content) {
            numbers.extend(json!(content).as_object_mut().map(std::mem::take).unwrap_or_default());
        }
        output::round_fields(&mut numbers);
        numbers
    }
}

/// The shared passages of two texts, as the script reads them: a list of `[from, to, from, to, reworded]`, in UTF-16 units
/// of the texts as they stand in the page.
struct Passages(Vec<[usize; 5]>);

impl Passages {
    fn between(left: &str, right: &str) -> Self {
        let passages = shared_passages(left, right);
        let left = utf16_places(left, passages.iter().flat_map(|passage| [passage.left.start, passage.left.end]));
        let mut order: Vec<usize> = (0..passages.len()).collect();
        order.sort_unstable_by_key(|&at| passages[at].right.start);
        let ends = order.iter().flat_map(|&at| [passages[at].right.start, passages[at].right.end]);
        let right = utf16_places(right, ends);
        let mut all: Vec<[usize; 5]> = left
            .chunks_exact(2)
            .zip(&passages)
            .map(|(left, passage)| [left[0], left[1], 0, 0, usize::from(passage.kind == PassageKind::Reworded)])
            .collect();
        for (right, &at) in right.chunks_exact(2).zip(&order) {
            all[at][2..4].copy_from_slice(right);
        }
        Self(all)
    }
}

impl Display for Passages {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&json!(self.0).to_string())
    }
}

/// How a text begins, on one line.
fn beginning(text: &str) -> Cow<'_, str> {
    const CHARACTERS: usize = 110;
    let text = text.trim_start();
    let end = text.char_indices().nth(CHARACTERS).map_or(text.len(), |(at, _)| at);
    let mut line = text[..end].split_whitespace().collect::<Vec<_>>().join(" ");
    if end < text.len() {
        line.push('…');
    }
    line.into()
}

fn counted(n: usize, what: &str) -> String {
    format!("{} {what}{}", HumanCount(n as u64), if n == 1 { "" } else { "s" })
}

/// What the page begins with: counts, charts, settings, and what was left out.
fn overview(findings: &Findings, groups: &[Group], settings: &Settings) -> String {
    let mut to = String::new();
    write_overview(findings, groups, settings, &mut to).expect("a string takes everything");
    to
}

fn write_overview(findings: &Findings, groups: &[Group], settings: &Settings, to: &mut String) -> fmt::Result {
    let summary = findings.report.summary();
    let skipped = &findings.skipped;
    let copies: usize = groups.iter().map(|group| group.others.len()).sum();
    to.push_str("<section id=\"overview\" aria-label=\"Overview\">\n<dl class=\"counts\">");
    let counts = [
        ("articles met", findings.documents),
        ("clusters of copies", groups.len()),
        ("copies beside a representative", copies),
        ("skipped", skipped.len()),
    ];
    for (name, count) in counts {
        write!(to, "<div><dt>{name}</dt><dd>{}</dd></div>", HumanCount(count as u64))?;
    }
    write!(to, "<div><dt>of text</dt><dd>{}</dd></div></dl>\n<div class=\"charts\">\n", DecimalBytes(summary.bytes))?;
    write_histogram(groups, to)?;
    write_s_curve(settings, to)?;
    to.push_str("</div>\n");
    write_settings(settings, summary.prior, to)?;
    if !skipped.is_empty() {
        let articles = counted(skipped.len(), "article");
        write!(to, "<h2>Skipped</h2>\n<details class=\"skipped\"><summary>{articles} left out</summary><ol>\n")?;
        for skip in skipped {
            let (id, reason) = (shown(&skip.id), shown(&skip.reason));
            writeln!(to, "<li><bdi>{}</bdi> <bdi>{}</bdi></li>", Escaped(&id), Escaped(&reason))?;
        }
        to.push_str("</ol></details>\n");
    }
    to.push_str("</section>");
    Ok(())
}

fn write_settings(settings: &Settings, prior: Option<f32>, to: &mut String) -> fmt::Result {
    to.push_str("<h2>Settings</h2>\n<dl class=\"settings\">");
    let level = match settings.level {
        Level::Near => "exact and edited copies",
        Level::Reworded => "exact, edited and reworded copies",
    };
    let settings = [
        ("Looked for", level.to_string()),
        (
            "Edited copies",
            format!("share {} of their three-word phrases, or one holds 0.8 of the other", settings.threshold),
        ),
        (
            "Reworded copies",
            match prior {
                Some(prior) => format!(
                    "from a confidence of {}; of the pairs that look alike, about {:.0}% are copies",
                    settings.confidence,
                    prior * 100.0
                ),
                None => format!("from a confidence of {}", settings.confidence),
            },
        ),
        ("Shortest text", counted(settings.min_words, "word")),
        ("Made with", format!("retold {}", env!("CARGO_PKG_VERSION"))),
    ];
    for (name, value) in settings {
        write!(to, "<dt>{name}</dt><dd>{value}</dd>")?;
    }
    to.push_str("</dl>\n");
    Ok(())
}
