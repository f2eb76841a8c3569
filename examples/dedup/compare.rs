//! `dedup compare A B`: two articles side by side, with all that speaks for and against their being copies.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use retold::{
    Comparison, ContentEvidence, Excerpt, ExcerptKind, Excerpts, Passage, PassageKind, Words, shared_passages,
};
use serde_json::json;

use crate::columns::{Columns, Text};
use crate::html;
use crate::input;
use crate::output::{self, shown};
use crate::search::{Search, Settings};

/// Compares two texts side by side, with shared passages marked
///
/// Passages are numbered in the order of the first text, and aligned where both texts have them in the
/// same order.
///
/// Exit code: 0 if the two are copies, 1 if they are not, 2 if an option is invalid or a text cannot be
/// compared.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// A text file
    #[arg(value_name = "A")]
    left: PathBuf,

    /// The text file to compare it with
    #[arg(value_name = "B")]
    right: PathBuf,

    #[command(flatten)]
    search: Search,

    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Output")]
    format: Format,

    #[command(flatten)]
    layout: Layout,
}

/// How texts are shown.
#[derive(clap::Args)]
#[command(next_help_heading = "Output")]
pub struct Layout {
    /// How wide to print, in columns, at most 10000 [default: as the terminal]
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(..=10_000))]
    width: Option<u16>,

    /// Whether to tell passages by colours; otherwise by brackets
    #[arg(long, value_enum, default_value_t = Colors::Auto)]
    color: Colors,
}

impl Layout {
    pub fn columns(&self) -> Columns {
        let colors = match self.color {
            Colors::Auto => io::stdout().is_terminal() && console::colors_enabled(),
            Colors::Always => true,
            Colors::Never => false,
        };
        Columns::new(self.width.map(usize::from), colors)
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Colors {
    /// On a terminal
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs: one JSON object, with the passages as byte ranges of both texts
    Jsonl,
    /// For a browser: one page with everything in it, to open from disk
    Html,
}

/// A file and what it holds.
struct Article {
    name: String,
    text: String,
}

impl Article {
    fn named(&self) -> (&str, &str) {
        (&self.name, &self.text)
    }

    fn column(&self) -> Text<'_> {
        Text { name: &self.name, text: &self.text }
    }
}

pub fn run(args: &Args) -> Result<ExitCode, String> {
    let detector = args.search.build(args.search.detector())?;
    let (left, right) = (read(&args.left)?, read(&args.right)?);
    let comparison = detector.compare_texts(&left.text, &right.text).map_err(|error| match error {
        retold::Error::NotComparable { text, reason } => {
            format!("{}: {reason}", if text == "left" { &left.name } else { &right.name })
        }
        error => error.to_string(),
    })?;
    let excerpts = match comparison.relation {
        // What copies share is all that they are.
        Some(_) => Vec::new(),
        None => excerpts(args, &left, &right)?,
    };
    let settings = args.search.settings(&detector);
    let passages = || shared_passages(&left.text, &right.text);
    let mut out = BufWriter::new(io::stdout().lock());
    let written = match args.format {
        Format::Text => writeln!(out, "{}", verdict(&comparison, &settings))
            .and_then(|()| excerpts.iter().try_for_each(|excerpt| writeln!(out, "{}", shared(excerpt))))
            .and_then(|()| write_text(&left, &right, &comparison, &passages(), &args.layout, &mut out)),
        Format::Jsonl => write_jsonl(&left, &right, &comparison, (&passages(), &excerpts), &mut out),
        Format::Html => html::write_pair(left.named(), right.named(), &comparison, &settings, &mut out),
    };
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("cannot write the results: {error}")),
        _ => Ok(ExitCode::from(if comparison.relation.is_some() { 0 } else { 1 })),
    }
}

/// A passage that one of the texts took over from the other, whichever that was.
struct Shared {
    left: Range<usize>,
    right: Range<usize>,
    words: usize,
    kind: ExcerptKind,
    same: f32,
}

/// What two texts that are no copies have in common, in the order of the first.
fn excerpts(args: &Args, left: &Article, right: &Article) -> Result<Vec<Shared>, String> {
    let told = |error: retold::Error| error.to_string();
    let detector = args.search.detector().excerpts(Excerpts::FindAll).build().map_err(told)?;
    let report = detector.find(&[("left", &*left.text), ("right", &*right.text)]).map_err(told)?;
    let place = |excerpt: &Excerpt| {
        let Excerpt { host, source, words, kind, same, .. } = excerpt;
        let (left, right) = if host.position == 0 { (host, source) } else { (source, host) };
        Shared { left: left.span.clone(), right: right.span.clone(), words: *words, kind: *kind, same: *same }
    };
    let mut excerpts: Vec<Shared> = report.excerpts().iter().map(place).collect();
    excerpts.sort_by_key(|excerpt| excerpt.left.start);
    Ok(excerpts)
}

/// One in a line.
fn shared(excerpt: &Shared) -> String {
    let Shared { left, right, words, kind, same } = excerpt;
    format!(
        "excerpt: {words} words, {}{} the same, bytes {}..{} and {}..{}",
        html::excerpts::in_other_words(*kind),
        percent(*same),
        left.start,
        left.end,
        right.start,
        right.end
    )
}

fn read(path: &Path) -> Result<Article, String> {
    let name = path.to_string_lossy().into_owned();
    let bytes = input::read_text(path).map_err(|error| format!("{name}: {}", input::unreadable(&error)))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let byte = error.utf8_error().valid_up_to() + 1;
        format!("{name}: byte {byte} is not valid UTF-8: convert the text to UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').map(String::from).unwrap_or(text);
    Ok(Article { name, text })
}

fn write_text(
    left: &Article,
    right: &Article,
    comparison: &Comparison,
    passages: &[Passage],
    layout: &Layout,
    out: &mut impl Write,
) -> io::Result<()> {
    if let Some(content) = comparison.evidence.and_then(|evidence| evidence.content) {
        writeln!(out, "{}", signals(&content))?;
    }
    let same = passages.iter().filter(|passage| passage.kind == PassageKind::Same).count();
    writeln!(
        out,
        "{} of all phrases in common, length ratio {:.2}, passages: {same} in the same words, {} in others",
        percent(comparison.evidence.map_or(1.0, |evidence| evidence.jaccard)),
        comparison.words_ratio,
        passages.len() - same,
    )?;
    let places = |place: fn(&Passage) -> &Range<usize>| passages.iter().map(place).map(Range::len).sum::<usize>();
    for (article, contained, told) in [
        (left, comparison.left_in_right, places(|passage| &passage.left)),
        (right, comparison.right_in_left, places(|passage| &passage.right)),
    ] {
        writeln!(
            out,
            "{}: {} words, {} of its phrases are in the other, {} of the text in passages",
            shown(&article.name),
            Words::new(&article.text).count(),
            percent(contained),
            percent(told as f32 / article.text.len() as f32),
        )?;
    }
    writeln!(out)?;
    layout.columns().write(left.column(), right.column(), passages, out)
}

fn percent(share: f32) -> String {
    format!("{:.0}%", share * 100.0)
}

/// Whether the two are copies, and what decided.
fn verdict(comparison: &Comparison, settings: &Settings) -> String {
    let Comparison { relation, similarity, evidence, .. } = comparison;
    let content = evidence.and_then(|evidence| evidence.content);
    match (relation, content) {
        (Some(relation), _) => {
            format!("{relation} {similarity:.2}: {}", output::reason(Some(*relation), evidence.as_ref()))
        }
        (None, Some(content)) if f64::from(*similarity) >= settings.confidence => {
            let kind = content.lookalike();
            let kind = kind.map_or("they share too few phrases, or are too short".into(), |kind| kind.to_string());
            format!("no copies, whatever their confidence ({similarity:.2}): {kind}")
        }
        (None, Some(content)) => {
            let kind = content.lookalike().map_or(String::new(), |lookalike| format!("; most likely {lookalike}"));
            format!(
                "no copies: a confidence of {similarity:.2}, and {:.2} makes a rewording{kind}",
                settings.confidence
            )
        }
        (None, None) => {
            format!("no copies: a similarity of {similarity:.2}, and {:.2} makes an edited copy", settings.threshold)
        }
    }
}

/// The numbers that decide about a rewording.
fn signals(content: &ContentEvidence) -> String {
    format!(
        "shared words {}, names {}, word pairs {} (usual for such texts: {}), coverage {}, order {:+.2}, numbers missing {}\nword for word {}, in one block {}; new names {} and {}, new numbers {} and {}",
        percent(content.words),
        content.names.map_or("none".into(), percent),
        percent(content.pairs),
        percent(content.usual),
        percent(content.coverage),
        content.order,
        content.numbers_missing,
        percent(content.verbatim),
        percent(content.block),
        percent(content.new_names),
        percent(content.new_names_of_longer),
        percent(content.new_numbers),
        percent(content.new_numbers_of_longer),
    )
}

fn write_jsonl(
    left: &Article,
    right: &Article,
    comparison: &Comparison,
    (passages, excerpts): (&[Passage], &[Shared]),
    out: &mut impl Write,
) -> io::Result<()> {
    let mut record = json!({"type": "comparison", "left": left.name, "right": right.name});
    // Null if the two are no copies.
    record["relation"] = json!(comparison.relation);
    output::add_fields(&mut record, comparison);
    let place = |place: &Range<usize>| json!([place.start, place.end]);
    let passages = passages
        .iter()
        .map(|passage| json!({"left": place(&passage.left), "right": place(&passage.right), "kind": passage.kind}));
    record["passages"] = passages.collect();
    let excerpts = excerpts.iter().map(|Shared { left, right, words, kind, same }| {
        let same = output::rounded((*same).into(), 1e4);
        json!({"left": place(left), "right": place(right), "words": words, "kind": kind, "same": same})
    });
    record["excerpts"] = excerpts.collect();
    output::write_line(out, &record)
}
