//! RSS and Atom: read as JSON lines, an entry a line.

use std::io::{self, Read};
use std::str::Utf8Error;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use feed_rs::model::{Content, Entry, Text};
use feed_rs::parser::{ParseErrorKind, ParseFeedError};
use memchr::{memchr, memchr2, memmem};
use serde_json::json;

use super::bytes::told;
use super::fields::not_utf8;
use super::frame::LONGEST;

/// The entries of a feed, each with its link as `id`, its content without the markup as `text`, and its date. Where it is not in UTF-8
/// and declares nothing else, it is in the encoding that is given.
pub fn lines(from: impl Read, given: Option<&'static Encoding>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if from.take(LONGEST as u64 + 1).read_to_end(&mut bytes)? > LONGEST {
        return Err(told("a feed of more than 256 MiB: split it or leave it out".into()));
    }
    let bytes = with_its_encoding(bytes, given)?;
    if bytes.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    // Ids that are made up would be others each time: the place stands for one that is missing.
    let parser = || feed_rs::parser::Builder::new().id_generator(|_, _, _| String::new()).build();
    let again = |error| parser().parse(&with_references(&bytes)[..]).map_err(|_| error);
    let feed = parser().parse(&bytes[..]).or_else(again);
    let feed = feed.map_err(|error| told(unknown(&bytes).map_or_else(|| no_feed(&bytes, &error), not_utf8)))?;
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

/// Why there is no feed, and what to do about it.
fn no_feed(bytes: &[u8], error: &ParseFeedError) -> String {
    // Where the first element is that of a feed, it is not whole.
    let is_other = |name: &&str| !["rss", "feed", "RDF"].contains(&name.rsplit(':').next().unwrap_or(name));
    let has_no_root = matches!(error, ParseFeedError::ParseError(ParseErrorKind::NoFeedRoot));
    match first_element(bytes).filter(|name| has_no_root && is_other(name)) {
        Some(name) if name.eq_ignore_ascii_case("html") => {
            "not an RSS or Atom feed but a page: make text of it first, for example with trafilatura".into()
        }
        Some(name) => format!("not an RSS or Atom feed but <{name}>: write its articles as .jsonl first"),
        None => format!("not an RSS or Atom feed, {error}: check the file or leave it out"),
    }
}

/// The name of the first element, which is behind declarations and comments.
fn first_element(bytes: &[u8]) -> Option<&str> {
    const LONGEST: usize = 64;
    let mut rest = bytes;
    loop {
        rest = &rest[memchr(b'<', rest)? + 1..];
        if let Some(comment) = rest.strip_prefix(b"!--") {
            rest = &comment[memmem::find(comment, b"-->")?..];
        } else if rest.first()?.is_ascii_alphabetic() {
            let length =
                rest.iter().take(LONGEST).take_while(|byte| byte.is_ascii_alphanumeric() || b":_-.".contains(byte));
            return std::str::from_utf8(&rest[..length.count()]).ok();
        }
    }
}

/// The bytes as the parser takes them: what a mark tells, or in UTF-16 the first bracket, comes before what is declared, and the
/// parser knows no UTF-16.
fn with_its_encoding(bytes: Vec<u8>, given: Option<&'static Encoding>) -> io::Result<Vec<u8>> {
    let of_bracket = match bytes[..] {
        [b'<', 0, ..] => Some((UTF_16LE, 0)),
        [0, b'<', ..] => Some((UTF_16BE, 0)),
        _ => None,
    };
    let told_by_it = Encoding::for_bom(&bytes).or(of_bracket);
    let given = || given.filter(|_| unknown(&bytes).is_some()).map(|given| (given, 0));
    let Some((encoding, mark)) = told_by_it.or_else(given) else { return Ok(bytes) };
    let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes[mark..]);
    let text = text.ok_or_else(|| {
        let name = encoding.name();
        let by = if told_by_it.is_some() { "its first bytes say" } else { "--encoding says" };
        told(format!("is not valid {name}, in which {by} it is: get it again or leave it out"))
    })?;
    let declared = text.strip_prefix("<?xml").and_then(|rest| rest.find("?>"));
    Ok(text[declared.map_or(0, |end| "<?xml".len() + end + "?>".len())..].into())
}

/// Where bytes are not in UTF-8, if they declare no other encoding.
fn unknown(bytes: &[u8]) -> Option<Utf8Error> {
    const UTF_8: &[u8] = b"utf-8";
    let wrong = std::str::from_utf8(bytes).err()?;
    let head = bytes.strip_prefix(b"<?xml").and_then(|rest| Some(&rest[..memmem::find(rest, b"?>")?]));
    let declares = head.is_some_and(|head| memmem::find(head, b"encoding").is_some());
    let is_utf_8 = head.is_some_and(|head| memmem::find(&head.to_ascii_lowercase(), UTF_8).is_some());
    Some(wrong).filter(|_| !declares || is_utf_8)
}

/// The feed with each ampersand escaped that begins no reference. Many have them as they came, in names and in addresses.
fn with_references(feed: &[u8]) -> Vec<u8> {
    const VERBATIM: (&[u8], &[u8]) = (b"<![CDATA[", b"]]>");
    let (mut to, mut rest) = (Vec::with_capacity(feed.len() + feed.len() / 64), feed);
    while let Some(at) = memchr2(b'&', b'<', rest) {
        let end = match rest[at..].starts_with(VERBATIM.0) {
            true => memmem::find(&rest[at..], VERBATIM.1).map_or(rest.len(), |end| at + end + VERBATIM.1.len()),
            false => at + 1,
        };
        to.extend_from_slice(&rest[..end]);
        rest = &rest[end..];
        if to.last() == Some(&b'&') && !begins_with_a_reference(rest) {
            to.extend_from_slice(b"amp;");
        }
    }
    to.extend_from_slice(rest);
    to
}

/// Whether that goes on as a reference does after its ampersand.
fn begins_with_a_reference(text: &[u8]) -> bool {
    /// The longest name that HTML knows has so many letters.
    const LONGEST_NAME: usize = 31;
    let name = text.strip_prefix(b"#").unwrap_or(text);
    let length = name.iter().take(LONGEST_NAME + 1).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    length > 0 && name.get(length) == Some(&b';')
}

/// The fullest text that an entry has, or else its title.
fn text(entry: &Entry) -> String {
    let of_content = |content: &Content| Some(plain(content.body.as_deref()?, content.content_type.subty().as_str()));
    let of_text = |text: &Text| plain(&text.content, text.content_type.subty().as_str());
    let content = entry.content.as_ref().and_then(of_content);
    let summary = entry.summary.as_ref().map(of_text);
    let texts = content.into_iter().chain(summary).filter(|text| !text.trim().is_empty());
    // Of two alike the content.
    let fullest = texts.rev().max_by_key(String::len);
    fullest.or_else(|| entry.title.as_ref().map(of_text)).unwrap_or_default()
}

/// Text without markup. Many feeds do not say that they have any.
fn plain(text: &str, kind: &str) -> String {
    let is_marked_up = kind.contains("html") || ["</", "<br", "<p>"].iter().any(|tag| text.contains(tag));
    if is_marked_up { nanohtml2text::html2text(&bare(text)) } else { text.into() }
}

/// Markup of nothing but names of tags, in linear time: brackets that open no tag are escaped, and attributes, comments and what is
/// no text are left out. Of attributes and elements without an end, `html2text` looks for the end again and again.
fn bare(html: &str) -> String {
    const NO_TEXT: [&str; 5] = ["head", "script", "style", "template", "title"];
    const VERBATIM: [&str; 4] = ["plaintext", "pre", "textarea", "xmp"];
    let (mut to, mut rest) = (String::with_capacity(html.len()), html);
    let mut ends = Ends::default();
    while let Some(open) = rest.find('<') {
        to.push_str(&rest[..open]);
        rest = &rest[open + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let opens_tag = rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
        let Some(end) = ends.of_tag(rest.as_bytes()).filter(|_| opens_tag) else {
            to.push_str("&lt;");
            continue;
        };
        let tag = rest[..end].to_ascii_lowercase();
        rest = &rest[end + 1..];
        let name = tag.split(|c: char| c.is_whitespace()).next().unwrap_or_default().trim_end_matches('/');
        let (slash, name) = name.strip_prefix('/').map_or(("", name), |name| ("/", name));
        if NO_TEXT.contains(&name) {
            if slash.is_empty() && !tag.ends_with('/') {
                rest = after_closing(rest, name);
            }
        } else if VERBATIM.contains(&name) {
            to.push_str("<p>");
        } else if name != "a" && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            to.extend(["<", slash, name, ">"]);
        }
    }
    to + rest
}

/// What comes after the tag that closes an element.
fn after_closing<'t>(text: &'t str, name: &str) -> &'t str {
    let closes = |&(at, _): &(usize, &str)| {
        let closing = text.as_bytes().get(at + 2..at + 2 + name.len());
        closing.is_some_and(|closing| closing.eq_ignore_ascii_case(name.as_bytes()))
    };
    let closing = text.match_indices("</").find(closes).map_or("", |(at, _)| &text[at..]);
    closing.find('>').map_or("", |end| &closing[end + 1..])
}

/// Looks for the ends of tags, and for none again of which there is none left.
#[derive(Default)]
struct Ends {
    is_gone: [bool; 3],
}

impl Ends {
    fn next(&mut self, end: u8, bytes: &[u8], from: usize) -> Option<usize> {
        let is_gone = &mut self.is_gone[usize::from(end == b'"') + 2 * usize::from(end == b'\'')];
        let found = if *is_gone { None } else { memchr(end, &bytes[from..]) };
        *is_gone = found.is_none();
        found.map(|found| from + found)
    }

    /// Where the bracket is that closes the tag in which the bytes begin, one in the quotes of an attribute aside.
    fn of_tag(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut end = self.next(b'>', bytes, 0)?;
        let mut at = 0;
        while let Some(equals) = memchr(b'=', &bytes[at..end]) {
            at += equals + 1;
            at += bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            if let Some(&quote @ (b'"' | b'\'')) = bytes.get(at)
                && let Some(close) = self.next(quote, bytes, at + 1)
            {
                at = close + 1;
                if at > end {
                    end = self.next(b'>', bytes, at)?;
                }
            }
        }
        Some(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_taken_off() {
        for (html, text) in [
            ("<p class='x > y'>One</p><P>two &amp; three", "One\r\n\r\ntwo & three"),
            ("5 < 6 and <a href=\"http://x/?a=1&b=2\">more</a> of it", "5 < 6 and more of it"),
            ("a<script>if (a < b) { '</p>' }</SCRIPT >b<!-- <p> -->c", "abc"),
            ("a<br/>b <b title=\"no end>c</b> d", "a\r\nb c d"),
            ("<pre>one\n two</pre>", "one two"),
        ] {
            assert_eq!(plain(html, "html").trim(), text, "{html}");
        }
    }

    #[test]
    fn ampersands_as_they_came_are_escaped() {
        for (feed, whole) in [
            ("Fish & chips, R&D, AT&T;", "Fish &amp; chips, R&amp;D, AT&T;"),
            (
                "x?a=1&b=2 &lt; &#8217; &#x2019; &eacute; &#; &;",
                "x?a=1&amp;b=2 &lt; &#8217; &#x2019; &eacute; &amp;#; &amp;;",
            ),
            ("<b>&<![CDATA[a & b]]>&</b>", "<b>&amp;<![CDATA[a & b]]>&amp;</b>"),
            ("<![CDATA[a & b", "<![CDATA[a & b"),
        ] {
            assert_eq!(String::from_utf8(with_references(feed.as_bytes())).unwrap(), whole);
        }
    }

    /// What a hostile feed can hold takes seconds at most, where a quadratic way takes hours.
    #[test]
    fn markup_without_an_end_takes_linear_time() {
        for piece in [
            "<a ",
            "<x y=\"",
            "<x y='<",
            "<a href=x>",
            "<pre>",
            "<script",
            "<script>",
            "<!--",
            "</",
            "<",
            "&",
            "<x y=\">",
        ] {
            plain(&piece.repeat(200_000), "html");
        }
    }
}
