//! Passages that one article took over from another one, side by side with some of what stands around them.

use std::fmt::{self, Write as _};
use std::ops::Range;

use indicatif::HumanCount;
use retold::{Excerpt, ExcerptKind, ExcerptPlace};

use super::content::Escaped;
use super::{counted, percent};
use crate::output::{Findings, shown};

/// The most that a page shows: who wants more of them wants a program to read them.
const MOST: usize = 500;

/// Characters that are shown before a passage and after it.
const AROUND: usize = 160;

/// Writes all of them, if there are any.
pub fn write_excerpts(findings: &Findings, to: &mut String) -> fmt::Result {
    let excerpts = findings.report.excerpts();
    if excerpts.is_empty() {
        return Ok(());
    }
    write!(
        to,
        "<section class=\"excerpts\" id=\"excerpts\"><h2>{} in articles that are no copies</h2>\n<ol>",
        counted(excerpts.len(), "passage")
    )?;
    for excerpt in excerpts.iter().take(MOST) {
        write_excerpt(findings, excerpt, to)?;
    }
    if let Some(more @ 1..) = excerpts.len().checked_sub(MOST) {
        writeln!(to, "<li>and {} more; --format jsonl lists them all</li>", HumanCount(more as u64))?;
    }
    to.push_str("</ol></section>\n");
    Ok(())
}

fn write_excerpt(findings: &Findings, excerpt: &Excerpt, to: &mut String) -> fmt::Result {
    let Excerpt { host, source, words, kind, same, holders, others, date, is_furniture, .. } = excerpt;
    let how = in_other_words(*kind);
    write!(to, "<li><p class=\"facts\">{}, {how}{} the same", counted(*words, "word"), percent(*same))?;
    if *holders > 2 {
        write!(to, ", in {}", counted(*holders, "article"))?;
    }
    if let Some(date) = date {
        write!(to, ", first on {}", Escaped(&shown(date)))?;
    }
    to.push_str(if *is_furniture { ", page furniture</p>" } else { "</p>" });
    to.push_str("<div class=\"sides\">");
    for (role, place) in [("Taken over in", host), ("as it stands in", source)] {
        let ExcerptPlace { id, position, span, .. } = place;
        write!(to, "<figure><figcaption>{role} <bdi>{}</bdi></figcaption>", Escaped(&shown(id)))?;
        if let Ok(text) = findings.articles.text(*position) {
            write_passage(&text, span, to)?;
        }
        to.push_str("</figure>");
    }
    to.push_str("</div>");
    if !others.is_empty() {
        to.push_str("<p class=\"facts\">It stands as well in");
        for (id, at) in others.iter().zip(0..) {
            write!(to, "{} <bdi>{}</bdi>", if at > 0 { "," } else { "" }, Escaped(&shown(id)))?;
        }
        to.push_str("</p>");
    }
    to.push_str("</li>\n");
    Ok(())
}

/// A passage, marked, with what stands next to it.
fn write_passage(text: &str, span: &Range<usize>, to: &mut String) -> fmt::Result {
    let (Some(before), Some(passage), Some(after)) =
        (text.get(..span.start), text.get(span.clone()), text.get(span.end..))
    else {
        return Ok(());
    };
    let begin = before.char_indices().rev().nth(AROUND).map(|(at, _)| at);
    let end = after.char_indices().nth(AROUND).map(|(at, _)| at);
    write!(
        to,
        "<blockquote dir=\"auto\">{}{}<mark>{}</mark>{}{}</blockquote>",
        if begin.is_some() { "… " } else { "" },
        Escaped(before[begin.unwrap_or(0)..].trim_start()),
        Escaped(passage),
        Escaped(after[..end.unwrap_or(after.len())].trim_end()),
        if end.is_some() { " …" } else { "" },
    )
}

/// What is said of a passage before how much of it is the same.
pub fn in_other_words(kind: ExcerptKind) -> &'static str {
    match kind {
        ExcerptKind::Reworded => "in other words, ",
        _ => "",
    }
}
