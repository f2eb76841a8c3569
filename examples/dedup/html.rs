//! What was found as one page: a browser opens it from disk and needs nothing else.
//!
//! The page is plain HTML, to be read as it is: a list of clusters, and for each its articles with the numbers that decided.
//! A script in it turns the same lines into a place to compare, text beside text; it finds the numbers, the places of the
//! shared passages and of the changes in `data-` attributes of the articles. Each text stands in the page once.
//!
//! The clusters of a large page are packed ([`pack`]): the same HTML, block by block, which the script opens when it is asked
//! for. Such a page is a third of the size.

mod changes;
mod charts;
mod content;
pub mod excerpts;
mod pack;
mod signals;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::{self, Display, Formatter, Write as _};
use std::hash::Hasher;
use std::io::{self, Write};
use std::ops::Range;

use indicatif::{DecimalBytes, HumanCount};
use rayon::prelude::*;
use retold::{
    Cluster, Comparison, ContentEvidence, Evidence, Level, Lookalike, Member, Passage, PassageKind, Relation, Via,
    Words, shared_passages,
};
use twox_hash::XxHash3_64;

use changes::{Change, changes};
use charts::write_histogram;
use content::{Attribute, Escaped, utf16_places};
use excerpts::write_excerpts;
use pack::packed;
use signals::{Figures, Shingles, legend, write_numbers};

use crate::input::{self, Problem};
use crate::output::{Findings, shown};
use crate::search::Settings;

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// Writes the page of all that was found.
pub fn write(findings: &Findings, settings: &Settings, out: &mut impl Write) -> io::Result<()> {
    let texts = texts(findings)?;
    let article = |position: usize| Text {
        id: findings.articles.id(position),
        text: &texts[&position],
        date: findings.date(position),
        at: Some(&findings.places[position]),
        slot: (0, 0),
    };
    let groups = groups(findings, article);
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
    let representative = Text { id: left_name, text: left, date: "", at: None, slot: (1, 0) };
    let text = Text { id: right_name, text: right, slot: (1, usize::from(left != right)), ..representative };
    let other = Other { text, relation, similarity, evidence, missing: None, beside: None };
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

/// Texts of more bytes than this are packed. Up to it a page can be read without script.
const PLAIN: usize = 4 << 20;

/// The least bytes that are packed as one: enough to compress well, little enough to be opened while a reader blinks.
const BLOCK: usize = 1 << 20;

impl<'a> Page<'a> {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let is_packed = self.texts().iter().map(|text| text.text.len()).sum::<usize>() > PLAIN;
        let nonce = format!("{:016x}", self.checksum());
        for piece in PAGE.split("{{") {
            let (name, rest) = piece.split_once("}}").unwrap_or(("", piece));
            match name {
                "" => {}
                "version" => out.write_all(env!("CARGO_PKG_VERSION").as_bytes())?,
                "title" => write!(out, "{}", Escaped(&self.title))?,
                "nonce" => out.write_all(nonce.as_bytes())?,
                "style" => out.write_all(STYLE.as_bytes())?,
                "script" => out.write_all(SCRIPT.as_bytes())?,
                "overview" => out.write_all(self.overview.as_bytes())?,
                "signals" => out.write_all(legend().as_bytes())?,
                "list" if is_packed => {}
                "list" => out.write_all(self.list().as_bytes())?,
                "clusters" => {
                    if is_packed {
                        writeln!(out, "{NEEDS_SCRIPT}")?;
                        write_block("rows", &packed(&self.list()), out)?;
                    }
                    for (batch, first) in self.groups.chunks(BATCH).zip((1..).step_by(BATCH)) {
                        let sections: Vec<String> =
                            batch.par_iter().zip(first..first + BATCH).map(|(group, n)| group.section(n)).collect();
                        if is_packed {
                            write_packed(&sections, first, out)?;
                        } else {
                            sections.iter().try_for_each(|section| out.write_all(section.as_bytes()))?;
                        }
                    }
                }
                other => unreachable!("page.html asks for {other}"),
            }
            out.write_all(rest.as_bytes())?;
        }
        Ok(())
    }

    /// The lines of the list.
    fn list(&self) -> String {
        let mut to = String::new();
        let entry = |(group, n): (&Group, usize)| group.write_entry(n, &mut to);
        self.groups.iter().zip(1..).try_for_each(entry).expect("a string takes everything");
        to
    }

    /// All texts, each where it stands.
    fn texts(&self) -> Vec<Text<'a>> {
        let mut all = Vec::new();
        for (group, n) in self.groups.iter().zip(1..) {
            let others = group.others.iter().chain(&group.near_miss).map(|other| other.text);
            let texts = std::iter::once(group.representative).chain(others).zip(0..);
            all.extend(texts.filter(|(text, k)| text.slot == (n, *k)).map(|(text, _)| text));
        }
        all
    }

    /// What marks the page's own script and style. It depends on all texts, so that the writer of one cannot know it.
    fn checksum(&self) -> u64 {
        let mut checksum = XxHash3_64::with_seed(0);
        for text in self.texts() {
            [text.id, text.text].into_iter().for_each(|part| checksum.write(part.as_bytes()));
        }
        checksum.finish()
    }
}

const NEEDS_SCRIPT: &str = "<noscript><p>The texts of so many clusters are packed in this page, and JavaScript opens them. \
    Without it, the command lists all clusters with --format text.</p></noscript>";

/// Writes sections, the first of them that of the `first`th cluster, in blocks.
fn write_packed(sections: &[String], first: usize, out: &mut impl Write) -> io::Result<()> {
    let (mut blocks, mut from, mut bytes) = (Vec::new(), 0, 0);
    for (at, section) in sections.iter().enumerate() {
        bytes += section.len();
        if bytes >= BLOCK || at + 1 == sections.len() {
            blocks.push((first + from, &sections[from..=at]));
            (from, bytes) = (at + 1, 0);
        }
    }
    let blocks: Vec<(usize, String)> =
        blocks.into_par_iter().map(|(first, sections)| (first, packed(&sections.concat()))).collect();
    blocks.iter().try_for_each(|(first, block)| write_block(&first.to_string(), block, out))
}

/// A packed piece of the page, and what it holds: the list, or clusters from a number on.
fn write_block(what: &str, block: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, r#"<script type="text/plain" class="pack" data-holds="{what}">{block}</script>"#)
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
type Slot = (usize, usize);

#[derive(Clone, Copy)]
struct Text<'a> {
    id: &'a str,
    text: &'a str,
    /// As the article gives it; empty if it gives none.
    date: &'a str,
    /// Where it stands in the input.
    at: Option<&'a input::Place>,
    slot: Slot,
}

struct Other<'a> {
    text: Text<'a>,
    relation: Option<Relation>,
    similarity: f32,
    evidence: Option<Evidence>,
    /// What a near miss falls short of a copy.
    missing: Option<f32>,
    /// The place in the cluster of the member that it was judged with, if that is not the representative, and how like that one it is.
    beside: Option<(usize, f32)>,
}

/// The texts of all articles that a page shows, by position.
fn texts(findings: &Findings) -> io::Result<HashMap<usize, Cow<'_, str>>> {
    let shown = |cluster: &Cluster| {
        cluster.positions().chain(cluster.near_miss().map(|miss| miss.position)).collect::<Vec<_>>()
    };
    let positions = findings.report.clusters().iter().flat_map(shown);
    let text = |position| findings.articles.text(position).map(|text| (position, text));
    positions.map(text).collect::<retold::Result<_>>().map_err(io::Error::other)
}

/// All clusters. Of texts that are the same to the letter, and of near misses that are members elsewhere, one has a slot.
fn groups<'a>(findings: &'a Findings, article: impl Fn(usize) -> Text<'a> + Sync) -> Vec<Group<'a>> {
    let clusters = findings.report.clusters();
    let mut groups: Vec<Group> =
        clusters.par_iter().zip(1..clusters.len() + 1).map(|(of, n)| Group::of(of, n, &article)).collect();
    let slots = |(group, cluster): (&Group<'_>, &Cluster)| {
        let members = std::iter::once(group.representative).chain(group.others.iter().map(|other| other.text));
        cluster.positions().zip(members.map(|member| member.slot)).collect::<Vec<_>>()
    };
    let mut slots: HashMap<usize, Slot> = groups.iter().zip(clusters).flat_map(slots).collect();
    for ((group, cluster), n) in groups.iter_mut().zip(clusters).zip(1..) {
        group.near_miss = cluster.near_miss().map(|miss| Other {
            text: Text {
                slot: *slots.entry(miss.position).or_insert((n, group.others.len() + 1)),
                ..article(miss.position)
            },
            relation: None,
            similarity: miss.similarity,
            evidence: Some(miss.evidence),
            missing: Some(miss.missing),
            beside: None,
        });
    }
    groups
}

impl<'a> Group<'a> {
    /// The members of the `n`th cluster, each distinct text in the slot where it comes first.
    fn of(cluster: &'a Cluster, n: usize, article: impl Fn(usize) -> Text<'a>) -> Self {
        let mut first: HashMap<&str, usize> = HashMap::new();
        let mut texts = cluster.positions().zip(0..).map(|(position, k)| {
            let text = article(position);
            Text { slot: (n, *first.entry(text.text).or_insert(k)), ..text }
        });
        let representative = texts.next().expect("a cluster has a representative");
        let beside = |via: &Via| {
            let place = cluster.positions().position(|position| position == via.position)?;
            Some((place, via.similarity))
        };
        let other = |(text, member): (Text<'a>, &'a Member)| Other {
            text,
            relation: Some(member.relation),
            similarity: member.similarity,
            evidence: member.evidence,
            missing: None,
            beside: member.via.as_ref().and_then(beside),
        };
        let others = texts.zip(cluster.members()).map(other).collect();
        Self { representative, others, weakest: cluster.weakest().similarity, near_miss: None }
    }

    /// How its articles are like the representative, from the strictest.
    fn relations(&self) -> Vec<Option<Relation>> {
        let mut relations: Vec<_> = self.others.iter().map(|other| other.relation).collect();
        relations.sort_unstable_by_key(|relation| (relation.is_none(), *relation));
        relations.dedup();
        relations
    }

    /// Its line in the list.
    fn write_entry(&self, n: usize, out: &mut String) -> fmt::Result {
        let (size, weakest, relations) = (self.others.len() + 1, self.weakest, self.relations());
        let Text { id, text, date, .. } = self.representative;
        let classes: Vec<_> = relations.iter().map(|&relation| class(relation)).collect();
        write!(out, r#"<li data-size="{size}" data-weakest="{weakest:.4}" data-relations="{}""#, classes.join(" "))?;
        if let Some(date) = Date::of(date) {
            write!(out, r#" data-date="{}""#, date.iso)?;
        }
        let source = Link::of(id).map_or(shown(id), |link| link.host.into());
        write!(
            out,
            r##"><a href="#c{n}"><bdi class="beginning">{}</bdi><span class="facts"><bdi>{}</bdi>"##,
            Escaped(&beginning(text)),
            Escaped(&source),
        )?;
        if let Some(date) = Date::of(date) {
            write!(out, "<span>{}</span>", date.day())?;
        }
        write!(out, "</span><span class=\"facts\"><span>{}</span>", counted(size, "article"))?;
        for (relation, class) in relations.iter().zip(classes) {
            write!(out, r#"<span class="{class}">{}</span>"#, label(*relation))?;
        }
        if relations.iter().any(|relation| *relation != Some(Relation::Exact)) {
            let weakest = percent(weakest);
            let least = if size > 2 { "at least " } else { "" };
            write!(out, "<span>{least}{weakest} match</span>")?;
        }
        writeln!(out, "</span></a></li>")
    }

    /// Its articles with the evidence for each.
    fn section(&self, n: usize) -> String {
        let mut to = String::new();
        self.write_section(n, &mut to).expect("a string takes everything");
        to
    }

    fn write_section(&self, n: usize, to: &mut String) -> fmt::Result {
        let Self { representative, others, near_miss, .. } = self;
        // Two texts that were compared come from no input.
        let (pair, role) = match representative.at {
            Some(_) => ("", "the representative"),
            None => (" data-pair", "the first text"),
        };
        let like = if others.iter().all(|other| other.relation.is_some()) { "like" } else { "compared with" };
        let id = shown(representative.id);
        writeln!(
            to,
            r#"<section class="cluster" id="c{n}" aria-labelledby="h{n}"{pair}><h2 id="h{n}">{} {like} <bdi>{}</bdi></h2><ol>"#,
            counted(others.len(), "article"),
            Escaped(&id)
        )?;
        write!(to, "<li><details><summary><bdi>{}</bdi> {role}</summary>", Escaped(&id))?;
        representative.write((n, 0), to)?;
        to.push_str("</details></li>\n");
        let phrases = Shingles::of(representative.text);
        for (other, k) in others.iter().chain(near_miss).zip(1..) {
            match other.beside.and_then(|(at, _)| others.get(at.checked_sub(1)?)) {
                Some(Other { text, .. }) => other.write(text, &Shingles::of(text.text), (n, k), to)?,
                None => other.write(representative, &phrases, (n, k), to)?,
            }
        }
        to.push_str("</ol></section>\n");
        Ok(())
    }
}

impl Other<'_> {
    /// Its line in a cluster, beside the text that it was judged with.
    fn write(&self, of: &Text, phrases: &Shingles, at: Slot, to: &mut String) -> fmt::Result {
        let Self { text, relation, similarity, evidence, missing, beside } = self;
        let (class, (n, k)) = (class(*relation), at);
        write!(to, r#"<li data-relation="{class}" data-similarity="{similarity:.4}""#)?;
        if let Some(missing) = missing {
            write!(to, r#" data-missing="{missing:.4}""#)?;
        }
        if let Some(evidence) = evidence {
            write!(to, r#" data-figures="{}""#, Figures::of(phrases, text.text, evidence))?;
        }
        if let Some((beside, _)) = beside {
            write!(to, r#" data-beside="{beside}""#)?;
        }
        if text.slot != at {
            write!(to, r#" data-text="t{}-{}""#, text.slot.0, text.slot.1)?;
        }
        // What is marked in a text that stands in this cluster already is there.
        if text.slot.0 != n || text.slot.1 == k {
            let passages = shared_passages(of.text, text.text);
            write!(to, r#" data-passages="{}""#, Marks::of_passages(of.text, text.text, &passages))?;
            if matches!(relation, Some(Relation::Exact | Relation::Near)) {
                write!(to, r#" data-changes="{}""#, Marks::of_changes(of.text, text.text, &passages))?;
            }
        }
        write!(
            to,
            r#"><details><summary><bdi>{}</bdi> <b class="{class}">{}{}</b> <span class="why">{}</span></summary>"#,
            Escaped(&shown(text.id)),
            label(*relation),
            if *relation == Some(Relation::Exact) { String::new() } else { format!(" {}", percent(*similarity)) },
            Escaped(&self.verdict(of)),
        )?;
        text.write(at, to)?;
        to.push_str("</details></li>\n");
        Ok(())
    }

    /// What was decided about it beside a text, and by what, in words.
    fn verdict(&self, of: &Text) -> String {
        let &Self { text, relation, similarity, evidence, missing, beside } = self;
        let matched = percent(similarity);
        let content = evidence.and_then(|evidence| evidence.content);
        if let Some((_, similarity)) = beside {
            return format!(
                "A match of {} with {}, which belongs to the cluster; {matched} with the representative by way of it.{}",
                percent(similarity),
                shown(of.id),
                content.map_or(String::new(), |content| format!(" {}", told(&content)))
            );
        }
        match (relation, evidence) {
            (Some(Relation::Exact), _) if text.text == of.text => "The same text, to the letter.".into(),
            (Some(Relation::Exact), _) => {
                "The same words in the same order; only punctuation, capitals or spacing differ.".into()
            }
            (Some(Relation::Near), Some(evidence)) if similarity > evidence.jaccard => {
                format!("Of the shorter text, {matched} is found in the longer one.")
            }
            (Some(Relation::Near), _) => {
                format!("Of all three-word phrases in the two texts, {matched} are in both.")
            }
            (Some(_), _) => format!(
                "Of pairs that look like this one, about {} in 100 are copies.{}",
                matched.trim_end_matches('%'),
                content.map_or(String::new(), |content| format!(" {}", told(&content)))
            ),
            (None, _) => {
                let begin = match missing {
                    Some(0.0) => format!(
                        "Closest article that is not in the cluster: a match of {matched}, but no second article of the \
                         cluster is a copy of it as well."
                    ),
                    Some(missing) => format!(
                        "Closest article that is not in the cluster: a match of {matched}, where a copy needs {}.",
                        percent(similarity + missing)
                    ),
                    None => format!("No copies, at a match of {matched}."),
                };
                let lookalike = content.and_then(|content| content.lookalike());
                begin
                    + &lookalike
                        .map_or(String::new(), |lookalike| format!(" Most likely {}.", lookalike_told(lookalike)))
            }
        }
    }
}

/// What a rewording shares with its source.
fn told(content: &ContentEvidence) -> String {
    let (words, pairs) = (percent(content.words), percent(content.pairs));
    let names = content.names.map_or(String::new(), |names| format!(", {} of the names", percent(names)));
    let order = match content.order {
        0.6.. => "in the same order",
        0.2.. => "mostly in the same order",
        -0.2.. => "in another order",
        _ => "in the opposite order",
    };
    format!("They share {words} of their less common words{names} and {pairs} of the word pairs, {order}.")
}

fn lookalike_told(lookalike: Lookalike) -> String {
    match lookalike {
        Lookalike::Block => "one block of text that both carry: a quotation, a note on the author, a footer".into(),
        Lookalike::Template => "the same form, filled in with other facts".into(),
        Lookalike::FollowUp => "a follow-up: the same names, with news of its own".into(),
        Lookalike::SameEvent => "an independent report of the same event".into(),
        other => other.to_string(),
    }
}

impl Text<'_> {
    /// What is known of the article, and the text, if `at` is its slot; otherwise where that is.
    fn write(&self, at: Slot, to: &mut String) -> fmt::Result {
        to.push_str("<p class=\"about\">");
        match Date::of(self.date) {
            Some(date) => write!(to, r#"<time datetime="{}">{}</time> "#, date.iso, date.told())?,
            None if self.date.is_empty() => {}
            None => write!(to, "<bdi>{}</bdi> ", Escaped(&shown(self.date)))?,
        }
        if let Some(Link { url, host }) = Link::of(self.id) {
            let (url, host) = (Attribute(url), Escaped(host));
            write!(to, r#"<a href="{url}" target="_blank" rel="noopener noreferrer">{host}</a> "#)?;
        }
        if let Some(at) = self.at.map(ToString::to_string).filter(|at| at != self.id) {
            write!(to, r#"<span class="place">{}</span>"#, Escaped(&shown(&at)))?;
        }
        to.push_str("</p>");
        let (n, k) = self.slot;
        if self.slot == at {
            write!(to, r#"<div class="text" id="t{n}-{k}" dir="auto">{}</div>"#, Escaped(self.text))
        } else {
            write!(to, r##"<p><a href="#t{n}-{k}">The same text, to the letter, where it stands in this page</a></p>"##)
        }
    }
}

/// An id that is an address on the web.
struct Link<'a> {
    url: &'a str,
    host: &'a str,
}

impl<'a> Link<'a> {
    fn of(id: &'a str) -> Option<Self> {
        let (scheme, rest) = id.split_once("://")?;
        let is_web = ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
        if !is_web || id.contains(|c: char| c.is_whitespace() || "<>\"\\".contains(c)) || shown(id) != id {
            return None;
        }
        let authority = rest.split(['/', '?', '#']).next()?;
        let host = authority.rsplit('@').next()?;
        let host = match host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => host,
        };
        let host = host.strip_prefix("www.").unwrap_or(host);
        (!host.is_empty()).then_some(Self { url: id, host })
    }
}

/// A date as articles give it, by its parts.
struct Date<'a> {
    /// As it was given, which a browser understands.
    iso: &'a str,
    year: &'a str,
    month: Option<&'static str>,
    day: Option<u8>,
    /// Hours and minutes.
    time: Option<&'a str>,
}

impl<'a> Date<'a> {
    /// The parts of an ISO 8601 date; none if it is none.
    fn of(iso: &'a str) -> Option<Self> {
        const MONTHS: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        let is_number = |text: &str, digits| text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
        let known = |c: char| c.is_ascii_digit() || "-:.+TZtz ".contains(c);
        if !iso.chars().all(known) {
            return None;
        }
        let (date, time) = iso.split_once(['T', 't', ' ']).unwrap_or((iso, ""));
        let mut parts = date.split('-');
        let year = parts.next().filter(|year| is_number(year, 4))?;
        let month = match parts.next() {
            None => None,
            Some(month) => {
                let month = Some(month).filter(|month| is_number(month, 2))?.parse::<usize>().ok()?;
                Some(*MONTHS.get(month.checked_sub(1)?)?)
            }
        };
        let day = match parts.next() {
            None => None,
            Some(day) => Some(day).filter(|day| is_number(day, 2))?.parse().ok().filter(|day| (1..=31).contains(day)),
        };
        let time = time.get(..5).filter(|time| {
            let (hours, minutes) = time.split_once(':').unwrap_or_default();
            is_number(hours, 2) && is_number(minutes, 2)
        });
        parts.next().is_none().then_some(Self { iso, year, month, day, time })
    }

    fn day(&self) -> String {
        let Self { year, month, day, .. } = self;
        let day = day.map_or(String::new(), |day| format!("{day} "));
        month.map_or(year.to_string(), |month| format!("{day}{month} {year}"))
    }

    fn told(&self) -> String {
        let midnight = self.time.filter(|time| *time != "00:00");
        self.day() + &midnight.map_or(String::new(), |time| format!(", {time}"))
    }
}

/// A share in hundredths. What is not whole is not told as a hundred of them, and what is there not as none.
fn hundredths(share: f32) -> i64 {
    match share {
        ..=0.0 => 0,
        1.0.. => 100,
        _ => ((share * 100.0).round() as i64).clamp(1, 99),
    }
}

fn percent(share: f32) -> String {
    format!("{}%", hundredths(share))
}

fn class(relation: Option<Relation>) -> &'static str {
    match relation {
        Some(Relation::Exact) => "exact",
        Some(Relation::Near) => "near",
        Some(_) => "reworded",
        None => "none",
    }
}

/// What a reader calls it.
fn label(relation: Option<Relation>) -> &'static str {
    match relation {
        Some(Relation::Exact) => "same words",
        Some(Relation::Near) => "edited",
        Some(_) => "reworded",
        None => "not a copy",
    }
}

/// Places in two texts that belong together, for the script: for each how far it begins after the end of the last one, and how
/// long it is, in either text and in UTF-16 units of the texts as they stand in the page, and its kind unless that is 0.
struct Marks(Vec<[i64; 5]>);

/// Passages of fewer words are no evidence of anything.
const LEAST_WORDS: usize = 3;

impl Marks {
    /// Kind 0 for the same words, 1 for sentences in other words.
    fn of_passages(left: &str, right: &str, passages: &[Passage]) -> Self {
        let is_evidence = |passage: &&Passage| Words::new(&left[passage.left.clone()]).nth(LEAST_WORDS - 1).is_some();
        let mark = |passage: &Passage| {
            (passage.left.clone(), passage.right.clone(), i64::from(passage.kind == PassageKind::Reworded))
        };
        Self::of(left, right, passages.iter().filter(is_evidence).map(mark).collect())
    }

    /// Kind 2 for what differs, of which one side may be empty, 3 for the same words at another place.
    fn of_changes(left: &str, right: &str, passages: &[Passage]) -> Self {
        let mark = |change: Change| (change.left, change.right, 2 + i64::from(change.is_moved));
        Self::of(left, right, changes(left, right, passages).into_iter().map(mark).collect())
    }

    /// Byte ranges, in the order of the left text, overlapping in neither.
    fn of(left: &str, right: &str, marks: Vec<(Range<usize>, Range<usize>, i64)>) -> Self {
        let left = utf16_places(left, marks.iter().flat_map(|(left, ..)| [left.start, left.end]));
        let mut order: Vec<usize> = (0..marks.len()).collect();
        order.sort_by_key(|&at| (marks[at].1.start, marks[at].1.end));
        let ends = utf16_places(right, order.iter().flat_map(|&at| [marks[at].1.start, marks[at].1.end]));
        let mut right = vec![(0, 0); marks.len()];
        order.iter().zip(ends.chunks_exact(2)).for_each(|(&at, ends)| right[at] = (ends[0], ends[1]));
        let (mut last, mut all) = ([0, 0], Vec::with_capacity(marks.len()));
        for ((left, right), (.., kind)) in left.chunks_exact(2).zip(right).zip(marks) {
            let [from, to, begin, end] = [left[0], left[1], right.0, right.1].map(|place| place as i64);
            all.push([from - last[0], to - from, begin - last[1], end - begin, kind]);
            last = [to, end];
        }
        Self(all)
    }
}

impl Display for Marks {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(at, mark)| {
            f.write_str(if at > 0 { "," } else { "" })?;
            write_numbers(mark[..if mark[4] == 0 { 4 } else { 5 }].iter(), f)
        })
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

/// What the page begins with: counts, a chart, settings, and what was left out.
fn overview(findings: &Findings, groups: &[Group], settings: &Settings) -> String {
    let mut to = String::new();
    write_overview(findings, groups, settings, &mut to).expect("a string takes everything");
    to
}

fn write_overview(findings: &Findings, groups: &[Group], settings: &Settings, to: &mut String) -> fmt::Result {
    let summary = findings.report.summary();
    let (skipped, unread) = (&findings.skipped, &findings.unread);
    let copies: usize = groups.iter().map(|group| group.others.len()).sum();
    to.push_str("<section id=\"overview\" aria-label=\"Overview\">\n");
    write_problems(
        "Could not be read",
        &format!(
            "{} could not be read, or not to the end: what is missing was not searched for copies.",
            counted(unread.len(), "input")
        ),
        unread,
        to,
    )?;
    to.push_str("<dl class=\"counts\">");
    let counts = [
        ("articles found", findings.documents),
        ("clusters of copies", groups.len()),
        ("copies of a representative", copies),
        ("skipped", skipped.len()),
    ];
    for (name, count) in counts {
        write!(to, "<div><dt>{name}</dt><dd>{}</dd></div>", HumanCount(count as u64))?;
    }
    writeln!(to, "<div><dt>of text</dt><dd>{}</dd></div></dl>", DecimalBytes(summary.bytes))?;
    if !groups.is_empty() {
        write_histogram(groups, to)?;
    }
    write_settings(settings, summary.prior, to)?;
    write_excerpts(findings, to)?;
    write_problems(
        "Skipped",
        &format!(
            "{} {} not compared with the others.",
            counted(skipped.len(), "article"),
            if skipped.len() == 1 { "was" } else { "were" }
        ),
        skipped,
        to,
    )?;
    to.push_str("</section>");
    Ok(())
}

/// Beyond this many it is one cause, such as a wrong field name, and the page would be a list of it.
const MOST_PROBLEMS: usize = 1000;

/// What was left out, if there is any: where it stands, why, and what to do.
fn write_problems(heading: &str, what: &str, problems: &[Problem], to: &mut String) -> fmt::Result {
    if problems.is_empty() {
        return Ok(());
    }
    let class = heading.split(' ').next().unwrap_or_default().to_lowercase();
    let open = if problems.len() <= 5 { " open" } else { "" };
    write!(
        to,
        "<section class=\"problems {class}\"><h2>{heading}</h2>\n<p>{what}</p><details{open}><summary>Which, and why</summary><ol>\n"
    )?;
    for Problem { id, place, reason, .. } in problems.iter().take(MOST_PROBLEMS) {
        to.push_str("<li>");
        if !place.contains(id.as_str()) {
            write!(to, "<bdi>{}</bdi> ", Escaped(&shown(id)))?;
        }
        writeln!(to, "<bdi class=\"place\">{}</bdi> {}</li>", Escaped(&shown(place)), Escaped(&shown(reason)))?;
    }
    if let Some(more @ 1..) = problems.len().checked_sub(MOST_PROBLEMS) {
        writeln!(to, "<li>and {} more; --format jsonl lists them all</li>", HumanCount(more as u64))?;
    }
    to.push_str("</ol></details></section>\n");
    Ok(())
}

fn write_settings(settings: &Settings, prior: Option<f32>, to: &mut String) -> fmt::Result {
    to.push_str("<h2>What counted as a copy</h2>\n<dl class=\"settings\">");
    let share = |share: f64| percent(share as f32);
    let mut rows = vec![(
        "Edited",
        format!(
            "{} of all three-word phrases are in both texts, or {} of the shorter text is in the longer one",
            share(settings.threshold),
            share(settings.containment)
        ),
    )];
    rows.push((
        "Reworded",
        match settings.level {
            Level::Near => "not looked for".into(),
            _ => {
                format!("of pairs that look as much alike, at least {} are copies", share(settings.confidence))
            }
        },
    ));
    if let Some(prior) = prior {
        rows.push((
            "How common",
            format!("of all pairs that look somewhat alike here, about {} are copies", percent(prior)),
        ));
    }
    rows.push(("Too short", format!("texts of fewer than {} were skipped", counted(settings.min_words, "word"))));
    rows.push((
        "How sure",
        format!(
            "an edited copy that is just similar enough is found with a chance of {:.1}%, a closer one with more",
            100.0 * settings.bands.probability(settings.threshold)
        ),
    ));
    rows.push(("Made with", format!("retold {}", env!("CARGO_PKG_VERSION"))));
    for (name, value) in rows {
        write!(to, "<dt>{name}</dt><dd>{value}</dd>")?;
    }
    to.push_str("</dl>\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_told_as_people_write_them() {
        let told = |iso| Date::of(iso).map(|date| date.told());
        for (iso, date) in [
            ("2024", "2024"),
            ("2024-05", "May 2024"),
            ("2024-05-07", "7 May 2024"),
            ("2024-05-17T09:30:15+02:00", "17 May 2024, 09:30"),
            ("2024-05-17 00:00", "17 May 2024"),
        ] {
            assert_eq!(told(iso).as_deref(), Some(date));
        }
        for none in ["", "soon", "17 May 2024", "2024-13-01", "2024-05-17T<b>", "2024-5-7", "24-05-07", "2024-05-17-1"]
        {
            assert_eq!(told(none), None, "{none:?}");
        }
    }

    #[test]
    fn an_id_is_a_link_if_it_is_an_address_on_the_web() {
        let host = |id| Link::of(id).map(|link| link.host);
        for (id, source) in [
            ("https://www.example.org/a/b?c#d", "example.org"),
            ("HTTP://user:pass@news.example.org:8080", "news.example.org"),
            ("https://[2001:db8::1]/x", "[2001:db8::1]"),
        ] {
            assert_eq!(host(id), Some(source));
        }
        for none in [
            "a.txt",
            "javascript://x/%0aalert(1)",
            "https://",
            "https:///x",
            "https://a b",
            "https://a/\"><b",
            "https://a/\u{202e}",
        ] {
            assert_eq!(host(none), None, "{none:?}");
        }
    }

    #[test]
    fn shares_are_told_as_whole_only_if_they_are() {
        assert_eq!([0.0, 0.001, 0.005, 0.5, 0.999, 1.0].map(percent), ["0%", "1%", "1%", "50%", "99%", "100%"]);
    }
}
