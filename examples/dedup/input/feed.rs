//! RSS and Atom: read as JSON lines, an entry a line.

use std::io::{self, Read};

use feed_rs::model::{Content, Entry, Text};
use serde_json::json;

use super::bytes::told;
use super::frame::LONGEST;

/// The entries of a feed, each with its link as `id`, its content without the markup as `text`, and its date.
pub fn lines(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if from.take(LONGEST as u64 + 1).read_to_end(&mut bytes)? > LONGEST {
        return Err(told("a feed of more than 256 MiB: split it or leave it out".into()));
    }
    // It knows its encoding itself.
    let feed = feed_rs::parser::parse(&bytes[..])
        .map_err(|error| told(format!("not an RSS or Atom feed, {error}: check the file or leave it out")))?;
    let mut lines = Vec::new();
    for entry in feed.entries {
        let link = entry.links.iter().find(|link| link.rel.as_deref().is_none_or(|rel| rel == "alternate"));
        let id = link.map_or(&entry.id, |link| &link.href);
        let date = entry.published.or(entry.updated).map(|date| date.to_rfc3339());
        lines.extend(json!({"id": id, "text": text(&entry), "date": date}).to_string().into_bytes());
        lines.push(b'\n');
    }
    Ok(lines)
}

/// The fullest text that an entry has.
fn text(entry: &Entry) -> String {
    let of_content = |content: &Content| plain(content.body.as_deref()?, content.content_type.subty().as_str()).into();
    let of_text = |text: &Text| plain(&text.content, text.content_type.subty().as_str());
    let content: Option<String> = entry.content.as_ref().and_then(of_content);
    content.or_else(|| entry.summary.as_ref().or(entry.title.as_ref()).map(of_text)).unwrap_or_default()
}

/// Text without markup. Many feeds do not say that they have any.
fn plain(text: &str, kind: &str) -> String {
    let is_marked_up = kind.contains("html") || ["</", "<br", "<p>"].iter().any(|tag| text.contains(tag));
    if is_marked_up { nanohtml2text::html2text(text) } else { text.into() }
}
