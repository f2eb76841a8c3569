//! Corpora of what a crawl can contain, made at random in every form at once, and the laws that hold for all of them.
//!
//! A few rounds always run. `RETOLD_SOAK=2000 cargo test --release --test soak` runs two thousand; when one fails,
//! `RETOLD_SOAK=137..138` runs that one again.

mod common;

#[expect(dead_code, reason = "what the command prints is compared")]
#[path = "common/articles.rs"]
mod articles;
#[path = "common/random.rs"]
mod random;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::ops::Range;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use articles::articles;
use common::*;
use random::mixed;
use serde_json::{Value, json};

/// Longer than any run takes: one that hangs fails instead of being waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// Random choices, the same whenever they begin with the same number.
struct Dice {
    seed: u64,
    thrown: u64,
}

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.thrown += 1;
        (mixed(self.seed << 32 | self.thrown) % end as u64) as usize
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    fn shuffle<T>(&mut self, all: &mut [T]) {
        (1..all.len()).rev().for_each(|at| all.swap(at, self.below(at + 1)));
    }
}

/// The texts that are told; those of one family are copies of each other.
static STORIES: LazyLock<Vec<(String, String)>> =
    LazyLock::new(|| [articles("seeds"), articles("tests/texts")].concat());

/// What may stand between two words and leaves them as they are.
const BETWEEN_WORDS: [&str; 12] = [
    "\0",
    "\u{1b}[",
    "\u{7f}\u{9b}",
    "\u{202e}",
    "\u{2066}\u{200f}",
    "\u{feff}",
    "\u{fffe}",
    "\r",
    "\r\n\r\n",
    "</script>",
    "\",\"",
    "\t,;\\",
];

/// Beginnings of ids.
const IDS: [&str; 14] = [
    "",
    "../../",
    "a/b\\",
    "C:\\",
    "\u{1b}[2J",
    "\u{202e}",
    "two\nlines\r",
    "\0",
    "é",
    "e\u{301}",
    "<script>alert(1)</script>",
    "\"'",
    ", ;\t",
    " \u{feff}",
];

/// Dates, such as they are.
const DATES: [&str; 8] = [
    "2024-05-17",
    "2024-05-17T09:30:15+02:00",
    "2024-02-30T24:61:61+99:99",
    "-99999-01-01",
    "0000-00-00",
    "2024-05-1\u{665}",
    "18446744073709551616-01-01T00:00:00Z",
    "\0",
];

/// Which of its members may represent a cluster.
const KEEP: [&str; 4] = ["central", "longest", "first", "earliest"];

#[derive(Clone)]
struct Article {
    id: String,
    text: String,
}

/// Articles, those that are text files apart.
#[derive(Default)]
struct Corpus {
    articles: Vec<Article>,
    texts: Vec<Article>,
    /// The ids of the edited copies of each story.
    copies: BTreeMap<String, Vec<String>>,
    /// For each id the stories of which its article may be a copy.
    kin: BTreeMap<String, String>,
}

impl Corpus {
    fn new(dice: &mut Dice, level: &str) -> Self {
        let mut corpus = Self::default();
        for _ in 0..3 + dice.below(5) {
            let Story { name, kin, text } = Story::new(dice, level);
            for _ in 0..1 + dice.below(4) {
                let number = corpus.kin.len().to_string();
                let text = retold(dice, &text);
                let id = if dice.one_in(5) {
                    let id =
                        format!("t{number}-{}.txt{}", dice.of(&["", "a b", "é", "[x]"]), dice.of(&["", ".gz", ".zst"]));
                    corpus.texts.push(Article { id: id.clone(), text });
                    id
                } else {
                    let id = dice.of(&IDS).repeat(if dice.one_in(40) { 3000 } else { 1 }) + &number;
                    corpus.articles.push(Article { id: id.clone(), text });
                    id
                };
                corpus.copies.entry(name.clone()).or_default().push(id.clone());
                corpus.kin.insert(id, kin.clone());
            }
        }
        corpus
    }
}

struct Story {
    name: String,
    /// The name of the story that it retells, where rewordings are looked for.
    kin: String,
    text: String,
}

impl Story {
    fn new(dice: &mut Dice, level: &str) -> Self {
        if dice.one_in(2) {
            let (name, text) = &STORIES[dice.below(STORIES.len())];
            // One is an edited copy of another.
            let name = if name == "006_school-hall-near-copy" { "004_school-hall-meeting" } else { name };
            let kin = match name {
                _ if level == "near" => name,
                "000_ferry-contract-reworded" | "001_ferry-contract-original" => "ferry-contract",
                _ => name.strip_suffix("reworded").or(name.strip_suffix("original")).unwrap_or(name),
            };
            return Self { name: name.into(), kin: kin.into(), text: text.clone() };
        }
        let words = if dice.one_in(16) { 20_000 } else { 90 + dice.below(200) };
        let mut text = String::new();
        for at in 0..words {
            let letters = ["b", "k", "l", "m", "n", "r", "s", "t", "v"];
            let word: String = (0..2 + dice.below(3))
                .map(|_| dice.of(&letters).to_string() + dice.of(&["a", "e", "i", "ö", "u"]))
                .collect();
            text += &if at % 9 == 0 { format!(". {}{word}", dice.of(&["A", "Ж", "É"])) } else { format!(" {word}") };
        }
        let name = dice.thrown.to_string();
        Self { kin: name.clone(), name, text }
    }
}

/// The story as it is, or with some edits that leave most phrases.
fn retold(dice: &mut Dice, story: &str) -> String {
    let mut text = match dice.below(4) {
        0 => story.to_uppercase(),
        1 => format!("\u{feff}{story}"),
        _ => story.to_string(),
    };
    let spaces: Vec<usize> = text.match_indices(' ').map(|(at, _)| at).collect();
    let mut places: Vec<usize> = (0..spaces.len() / 45).map(|_| spaces[dice.below(spaces.len())]).collect();
    places.sort_unstable();
    places.dedup();
    for &at in places.iter().rev() {
        match dice.below(4) {
            0 => {
                text.insert_str(
                    at,
                    &format!(" {}{}", dice.of(&["Ха", "n\u{303}\u{323}", "𝔘", "字"]), dice.below(1000)),
                );
            }
            1 => text.insert_str(at, &format!(" {}", dice.of(&["\u{301}\u{302}", "\u{200d}", "🙂", "\u{10fffd}"]))),
            _ => text.insert_str(at, &format!(" {}", dice.of(&BETWEEN_WORDS))),
        }
    }
    text
}

/// How records are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Text,
    Lines,
    Array,
    Values,
    Table(char),
}

impl Form {
    fn extension(self) -> &'static str {
        match self {
            Self::Text => "txt",
            Self::Lines => "jsonl",
            Self::Array | Self::Values => "json",
            Self::Table(',') => "csv",
            Self::Table(_) => "tsv",
        }
    }

    /// What may stand between two records.
    fn between(self) -> &'static [u8] {
        match self {
            Self::Text => b"",
            Self::Lines | Self::Values => b" \t\r\n\xef\xbb\xbf",
            Self::Array => b" \t\r\n\xef\xbb\xbf,[]",
            Self::Table(_) => b"\r\n",
        }
    }
}

/// What must become of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// It is an article.
    Told,
    /// It is none, or one that cannot be compared.
    Skipped,
}

struct Record {
    bytes: Vec<u8>,
    /// None where its place in a file stands for it.
    id: Option<String>,
    fate: Fate,
}

impl Record {
    fn told(bytes: Vec<u8>, article: &Article) -> Self {
        Self { bytes, id: Some(article.id.clone()), fate: Fate::Told }
    }

    fn skipped(bytes: impl Into<Vec<u8>>, id: &str) -> Self {
        Self { bytes: bytes.into(), id: Some(id.into()), fate: Fate::Skipped }
    }

    fn nameless(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), id: None, fate: Fate::Skipped }
    }

    /// The id, once it stands in a file.
    fn id(&self) -> &String {
        self.id.as_ref().unwrap()
    }
}

struct Source {
    name: String,
    form: Form,
    /// The head of a table.
    head: Vec<u8>,
    records: Vec<Record>,
    bytes: Vec<u8>,
}

/// The columns of the tables of a round.
struct Columns {
    names: Vec<&'static str>,
    /// Whether a carriage return ends rows, and not a line feed: the first row says so for a whole table.
    end_in_returns: bool,
}

impl Columns {
    fn new(dice: &mut Dice) -> Self {
        let mut columns = vec!["id", "text"];
        columns.extend_from_slice(&["more, or less", "date"][..dice.below(3)]);
        dice.shuffle(&mut columns);
        Self { names: columns, end_in_returns: dice.one_in(4) }
    }

    fn row(&self, delimiter: char, mut cell: impl FnMut(&str) -> String) -> Vec<u8> {
        let cells: Vec<String> = self.names.iter().map(|column| cell(column)).collect();
        cells.join(&delimiter.to_string()).into_bytes()
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A cell in quotes, or without where they are not needed.
fn cell(dice: &mut Dice, delimiter: char, text: &str) -> String {
    let needs_quotes = text.is_empty() || text.starts_with('"') || text.contains([delimiter, '\r', '\n']);
    if needs_quotes || dice.one_in(2) { quoted(text) } else { text.into() }
}

/// A JSON string, plain or with all of it escaped.
fn string(dice: &mut Dice, text: &str) -> String {
    if dice.one_in(8) {
        let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
        format!("\"{units}\"")
    } else {
        json!(text).to_string()
    }
}

/// A JSON object of these fields among others that nobody has asked for.
fn object(dice: &mut Dice, mut fields: Vec<(&str, String)>) -> Vec<u8> {
    let deep = dice.below(3000);
    let others = [
        ("text ", json!(FERRY).to_string()),
        ("more", r#"{"id": "no", "text": "no", "\"": [1e999, -0]}"#.into()),
        ("more", r#""\udc00\ud800""#.into()),
        ("more", format!("{}{}", "[".repeat(deep), "]".repeat(deep + 1)).replacen(']', "null", 1)),
        ("", "null".into()),
        ("date", json!(dice.of(&DATES)).to_string()),
    ];
    for (name, value) in others {
        if dice.one_in(6) {
            fields.push((name, value));
        }
    }
    dice.shuffle(&mut fields);
    let white = *dice.of(&[&"", &" ", &"\t"]);
    let fields: Vec<String> =
        fields.into_iter().map(|(name, value)| format!("{}:{white}{value}", string(dice, name))).collect();
    format!("{{{white}{}{white}}}", fields.join(&format!("{white},"))).into_bytes()
}

fn written(dice: &mut Dice, form: Form, columns: &Columns, article: &Article) -> Record {
    let Article { id, text } = article;
    let bytes = match form {
        Form::Text => text.clone().into_bytes(),
        Form::Lines | Form::Array | Form::Values => {
            let is_number = id.parse::<u64>().is_ok_and(|number| number.to_string() == *id);
            let written_id = if is_number && dice.one_in(2) { id.clone() } else { string(dice, id) };
            let text = string(dice, text);
            object(dice, vec![("id", written_id), ("text", text)])
        }
        Form::Table(delimiter) => {
            let mut row = columns.row(delimiter, |column| match column {
                "id" => cell(dice, delimiter, id),
                "text" => cell(dice, delimiter, text),
                "date" => {
                    let date = dice.of(&DATES);
                    cell(dice, delimiter, date)
                }
                _ => cell(dice, delimiter, "a \"cell\"\r\nof\0 its own"),
            });
            // As some programs fill up rows.
            if dice.one_in(6) {
                row.extend(format!("{delimiter}{delimiter}").bytes());
            }
            row
        }
    };
    Record::told(bytes, article)
}

/// A record that is no article, or one that cannot be compared.
fn noise(dice: &mut Dice, form: Form, columns: &Columns, id: &str) -> Record {
    let text = dice.of(&["", "Two words", " \0…\u{202e} ", "\r\n"]);
    let empty = Article { id: id.into(), text: text.into() };
    let empty = Record { fate: Fate::Skipped, ..written(dice, form, columns, &empty) };
    if let Form::Table(delimiter) = form {
        return match dice.below(5) {
            0 => empty,
            // A record without an id is named by its place.
            1 => {
                let no_id = |column: &str| if column == "id" { String::new() } else { quoted("Two words") };
                Record::nameless(columns.row(delimiter, no_id))
            }
            2 if columns.names[0] == "id" => Record::skipped(quoted(id), id),
            2 => Record::nameless("one cell"),
            3 => {
                let row = columns.row(delimiter, |column| quoted(if column == "id" { id } else { STORM }));
                Record::skipped([&row[..], format!("{delimiter}too{delimiter}many").as_bytes()].concat(), id)
            }
            _ => Record::nameless([&columns.row(delimiter, |_| "caf".into())[..], b"\xe9"].concat()),
        };
    }
    let (shown, text, short) = (json!(id), json!(STORM), json!("Two words"));
    let deep = "[".repeat(130 + dice.below(30_000));
    // Not each form goes on after what is no value.
    let kinds = match form {
        Form::Values => 12,
        Form::Array => 14,
        _ => 17,
    };
    match dice.below(kinds) {
        0..3 => empty,
        3 => Record::skipped(format!(r#"{{"id": {shown}}}"#), id),
        4 => Record::skipped(format!(r#"{{"text":[null],"id":{shown}}}"#), id),
        5 => Record::nameless(object(dice, vec![("text", short.to_string())])),
        6 => Record::nameless(format!(r#"{{"id": 1.5, "text": {short}, "more": {text}}}"#)),
        7 => Record::nameless(format!(r#"{{"id": {shown}, "text": "\ud800 is alone"}}"#)),
        8 => Record::nameless(format!("{{\"id\": {shown}, \"text\": \"a\0b\"}}")),
        9 => Record::nameless(format!(r#"{{"text": {deep}{}, "id": {shown}}}"#, deep.replace('[', "]"))),
        10 => Record::nameless(b"{\"id\": \"x\", \"text\": \"caf\xe9 \xff\"}"),
        11 => Record::nameless(r#"{"id" "text", [1, {}]}"#),
        12 => Record::nameless("null"),
        13 => Record::nameless(b"\"text\" nonsense \xf0"),
        14 => Record::nameless(format!(r#"{{"id": {shown}, "text": "no end"#)),
        15 => Record::nameless(deep),
        _ => Record::nameless("]}"),
    }
}

/// The last row of a table, of which nobody knows where it ends.
const OPEN: &[u8] = b"\"An open quote takes all that comes after it.";

impl Source {
    /// Puts records together; what stands between them is as mixed as in files that several programs wrote.
    fn new(dice: &mut Dice, stem: &str, form: Form, columns: &Columns, mut records: Vec<Record>) -> Self {
        let name = if form == Form::Text {
            stem.into()
        } else {
            let name = format!("{stem}.{}{}", form.extension(), dice.of(&["", ".gz", ".zst"]));
            if dice.one_in(6) { name.to_uppercase() } else { name }
        };
        let (mut head, mut bytes) = (Vec::new(), Vec::new());
        if form != Form::Text && dice.one_in(4) {
            bytes.extend("\u{feff}".bytes());
        }
        let line_end = |dice: &mut Dice| *dice.of(&[&"\n", &"\n", &"\r\n", &"\n \t\n", &" \r\n"]);
        let row_end = |dice: &mut Dice| match columns.end_in_returns {
            true => *dice.of(&[&"\r", &"\r\r"]),
            false => *dice.of(&[&"\n", &"\r\n", &"\n\n\r\n"]),
        };
        if let Form::Table(delimiter) = form {
            head = columns.row(delimiter, quoted);
            bytes.extend_from_slice(&head);
            bytes.extend(row_end(dice).bytes());
        }
        if form == Form::Array {
            bytes.extend(b" [\n");
        }
        let count = records.len();
        for (at, record) in records.iter_mut().enumerate() {
            // A line of a table ends where its rows do.
            let end_of_line = if matches!(form, Form::Table(_)) && columns.end_in_returns { b'\r' } else { b'\n' };
            let lines = bytes.iter().filter(|&&byte| byte == end_of_line).count();
            let place = match form {
                Form::Text => String::new(),
                Form::Array | Form::Values => format!("#{}", at + 1),
                Form::Lines | Form::Table(_) => format!(":{}", lines + 1),
            };
            record.id.get_or_insert_with(|| format!("{name}{place}"));
            bytes.extend_from_slice(&record.bytes);
            let is_last = at + 1 == count;
            let end = match form {
                Form::Text => "",
                Form::Lines | Form::Table(_) if is_last && dice.one_in(3) => "",
                Form::Lines => line_end(dice),
                Form::Table(_) => row_end(dice),
                Form::Values => dice.of(&["", " ", "\n", "\r\n\r\n"]),
                Form::Array if is_last => dice.of(&["]", "\n] \n"]),
                Form::Array => dice.of(&[",", "\t, \r\n"]),
            };
            bytes.extend(end.bytes());
        }
        Self { name, form, head, records, bytes }
    }

    /// The bytes as they lie on the disk.
    fn packed(&self, dice: &mut Dice) -> Vec<u8> {
        // Compressed by several threads, or put together from several files.
        let parts = self.bytes.chunks(if dice.one_in(3) { 1 + self.bytes.len() / 3 } else { self.bytes.len().max(1) });
        match self.name.to_lowercase().rsplit_once('.').unwrap().1 {
            "gz" => parts.flat_map(compressed).collect(),
            "zst" => parts.flat_map(zstd).collect(),
            _ => self.bytes.clone(),
        }
    }
}

/// Deals the articles of a corpus out to files, with noise among them.
fn laid_out(dice: &mut Dice, corpus: &Corpus) -> Vec<Source> {
    let columns = Columns::new(dice);
    let json = *dice.of(&[&Form::Array, &Form::Values]);
    let forms = [Form::Lines, json, Form::Table(','), Form::Table('\t')];
    let mut sources = Vec::new();
    let mut files: Vec<Vec<Article>> = vec![Vec::new(); 1 + dice.below(5)];
    for article in &corpus.articles {
        let file = dice.below(files.len());
        files[file].push(article.clone());
    }
    for (number, articles) in files.iter().enumerate() {
        let form = forms[dice.below(forms.len())];
        let mut records: Vec<Record> = articles.iter().map(|article| written(dice, form, &columns, article)).collect();
        for at in 0..1 + dice.below(4) {
            let id = format!("{}noise {number} {at}", dice.of(&IDS));
            records.push(noise(dice, form, &columns, &id));
        }
        dice.shuffle(&mut records);
        if matches!(form, Form::Table(_)) && dice.one_in(8) {
            records.push(Record::nameless(OPEN));
        }
        let stem = format!("{number:02}-{}", dice.of(&["", "a b", "é", "{1}", "#%"]));
        sources.push(Source::new(dice, &stem, form, &columns, records));
    }
    // Ids that were there before, in a file that comes after all of those. That they are compared is said elsewhere; here the
    // id is what records are known by.
    let form = forms[dice.below(forms.len())];
    let mut again = Vec::new();
    for Article { id, .. } in &corpus.articles {
        if dice.one_in(4) {
            let article = Article { id: id.clone(), text: "Two words".into() };
            again.push(Record { fate: Fate::Skipped, ..written(dice, form, &columns, &article) });
        }
    }
    if !again.is_empty() {
        sources.push(Source::new(dice, "99-again", form, &columns, again));
    }
    for (number, bytes) in [&b"caf\xe9 au lait"[..], b" \0 ", b"Two words"].into_iter().enumerate() {
        if dice.one_in(3) {
            let name = format!("noise{number}.txt");
            sources.push(Source::new(dice, &name, Form::Text, &columns, vec![Record::skipped(bytes, &name)]));
        }
    }
    for text in &corpus.texts {
        let told = written(dice, Form::Text, &columns, text);
        sources.push(Source::new(dice, &text.id, Form::Text, &columns, vec![told]));
    }
    sources
}

/// Runs and waits; whatever the input, the program ends by itself, with one of its codes, and without a panic.
fn run_in_time(folder: &Path, args: &[&str], input: Stdio) -> Output {
    let [out, err] = ["stdout", "stderr"].map(|name| folder.join(format!(".{name}")));
    let mut child = dedup()
        .current_dir(folder)
        .args(args)
        .stdin(input)
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&err).unwrap())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if begun.elapsed() > PATIENCE => {
                child.kill().unwrap();
                panic!("{args:?} does not end");
            }
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    let output = Output { status, stdout: fs::read(out).unwrap(), stderr: fs::read(err).unwrap() };
    let said = stderr(&output);
    assert!(matches!(status.code(), Some(0..=2)), "{args:?}: {status}\n{said}");
    assert!(!said.contains("panicked"), "{args:?}: {said}");
    assert_eq!(status.code() == Some(2), said.lines().any(|line| line.starts_with("error: ")), "{args:?}: {said}");
    output
}

/// What was found: the clusters without their places, and the ids of what was skipped, or the places of what could not be read,
/// sorted.
#[derive(Default, PartialEq, Debug)]
struct Found {
    clusters: Vec<Value>,
    skipped: Vec<String>,
    documents: u64,
}

impl Found {
    fn new(output: &Output) -> Self {
        let mut found = Self::default();
        for line in std::str::from_utf8(&output.stdout).unwrap().lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            match record["type"].as_str().unwrap() {
                "cluster" => found.clusters.extend(without_places(line)),
                "skipped" => found.skipped.push(record["id"].as_str().unwrap().into()),
                "unread" => found.skipped.push(record["at"].as_str().unwrap().trim_start_matches("./").into()),
                _ => found.documents = record["documents"].as_u64().unwrap() + record["unread"].as_u64().unwrap(),
            }
        }
        found.skipped.sort();
        found
    }

    /// The ids of each cluster, the representative first.
    fn members(&self) -> Vec<Vec<String>> {
        let ids = |cluster: &Value| {
            let members = cluster["members"].as_array().unwrap().iter();
            members.map(|member| member["id"].as_str().unwrap().to_string()).collect()
        };
        self.clusters.iter().map(ids).collect()
    }
}

/// The files of one corpus in a folder of their own.
struct Laid<'a> {
    folder: Temp,
    sources: &'a [Source],
    options: Vec<&'a str>,
}

impl<'a> Laid<'a> {
    fn new(dice: &mut Dice, sources: &'a [Source], options: &[&'a str]) -> Self {
        let mut folder = Temp::new("soak");
        for source in sources {
            folder = folder.with(&source.name, source.packed(dice));
        }
        Self { folder, sources, options: options.into() }
    }

    fn run(&self, options: &[&str], names: &[String]) -> Output {
        let paths: Vec<String> = names.iter().map(|name| format!("./{name}")).collect();
        let paths = paths.iter().map(String::as_str);
        let args: Vec<&str> = self.options.iter().chain(options).copied().chain(paths).collect();
        run_in_time(&self.folder, &args, Stdio::null())
    }

    fn names(&self) -> Vec<String> {
        self.sources.iter().map(|source| source.name.clone()).collect()
    }

    fn records(&self) -> impl Iterator<Item = &Record> {
        self.sources.iter().flat_map(|source| &source.records)
    }
}

fn round(seed: u64) {
    let dice = &mut Dice { seed, thrown: 0 };
    let level = dice.of(&["near", "reworded"]);
    let options = ["--level", level, "--text-field", "text", "--id-field", "id"];
    let corpus = Corpus::new(dice, level);
    let (first, second) = (laid_out(dice, &corpus), laid_out(dice, &corpus));
    let (first, second) = (Laid::new(dice, &first, &options), Laid::new(dice, &second, &options));

    let found = every_record_is_told_or_skipped(&first, &corpus, "1");
    let again = every_record_is_told_or_skipped(&second, &corpus, "2");
    assert_eq!(found.clusters, again.clusters, "the same articles in other files");
    neither_files_nor_memory_nor_threads_change_anything(dice, &first);
    standard_input_is_a_file_as_well(dice, &first);
    what_stays_is_what_came(dice, &first);
    nothing_leaves_its_place(&second);
    damage_harms_nothing_else(dice, &second);
}

fn every_record_is_told_or_skipped(laid: &Laid, corpus: &Corpus, threads: &str) -> Found {
    let found = Found::new(&laid.run(&["--format", "jsonl", "--threads", threads], &laid.names()));
    let mut skipped: Vec<&String> = laid.records().filter(|record| record.fate != Fate::Told).map(Record::id).collect();
    skipped.sort();
    assert_eq!(found.skipped.iter().collect::<Vec<_>>(), skipped);
    assert_eq!(found.documents, laid.records().count() as u64);
    let clusters = found.members();
    for ids in &clusters {
        assert!(ids.iter().all(|id| corpus.kin[id] == corpus.kin[&ids[0]]), "no copies: {ids:?}");
    }
    for ids in corpus.copies.values().filter(|ids| ids.len() > 1) {
        let cluster = clusters.iter().find(|cluster| cluster.contains(&ids[0]));
        let cluster = cluster.unwrap_or_else(|| panic!("not found: {ids:?}"));
        assert!(ids.iter().all(|id| cluster.contains(id)), "{ids:?} are not together in {cluster:?}");
    }
    let ids: Vec<&String> = clusters.iter().flatten().collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an article is in two clusters");
    found
}

fn neither_files_nor_memory_nor_threads_change_anything(dice: &mut Dice, laid: &Laid) {
    let (mut names, keep) = (laid.names(), dice.of(&KEEP));
    let findings = |names: &[String], memory: &str, threads: &str| {
        let options = ["--format", "jsonl", "--memory", memory, "--threads", threads, "--quiet", "--keep", keep];
        let output = laid.run(&options, names);
        let text = String::from_utf8(output.stdout).unwrap();
        text[..text.rfind(r#"{"type":"summary""#).unwrap()].to_string() + std::str::from_utf8(&output.stderr).unwrap()
    };
    let whole = findings(&names, "1TB", "1");
    // The first is that of the file that is given first.
    if *keep != *"first" {
        dice.shuffle(&mut names);
    }
    assert_eq!(findings(&names, dice.of(&["1", "20k", "1TB"]), "2"), whole);
}

fn standard_input_is_a_file_as_well(dice: &mut Dice, laid: &Laid) {
    let Source { name, form, .. } = &laid.sources[dice.below(laid.sources.len())];
    // A text has the name of its file.
    if *form == Form::Text {
        return;
    }
    let file = laid.run(&["--format", "jsonl"], std::slice::from_ref(name));
    let args = [&laid.options[..], &["--format", "jsonl", "--stdin-format", form.extension(), "-"]].concat();
    let input = run_in_time(&laid.folder, &args, File::open(laid.folder.join(name)).unwrap().into());
    assert_eq!(input.status, file.status);
    let mut file = Found::new(&file);
    for id in file.skipped.iter_mut().filter(|id| id.starts_with(name)) {
        id.replace_range(..name.len(), "<stdin>");
    }
    file.skipped.sort();
    assert_eq!(Found::new(&input), file);
}

/// `--unique` of the files of one form: what is not listed as removed stays as it came and can be read again; and of each
/// cluster something stays.
fn what_stays_is_what_came(dice: &mut Dice, laid: &Laid) {
    let form = laid.sources[dice.below(laid.sources.len())].form;
    let mut sources: Vec<&Source> = laid.sources.iter().filter(|source| source.form == form).collect();
    sources.sort_by_key(|source| &source.name);
    let names: Vec<String> = sources.iter().map(|source| source.name.clone()).collect();
    let unique = match form {
        Form::Text => "unique".into(),
        _ => format!("unique.{}{}", form.extension(), dice.of(&["", ".gz", ".zst"])),
    };
    let files = ["--unique", &unique, "--removed", "removed.jsonl", "--keep", dice.of(&KEEP)];
    let output = laid.run(&[&files[..], &["--format", "jsonl"]].concat(), &names);
    let is_open = sources.iter().flat_map(|source| &source.records).any(|record| record.bytes == OPEN);
    if !output.status.success() {
        let said = stderr(&output);
        let loses = is_open && said.contains("cannot be written without losing a part");
        assert!(loses || said.contains("no article could be read"), "{said}");
        return;
    }
    assert!(!is_open, "what cannot be read was written");
    let found = Found::new(&output);
    let listed: Vec<Value> = unpacked(&laid.folder.join("removed.jsonl"))
        .split(|&byte| byte == b'\n')
        .flat_map(serde_json::from_slice)
        .collect();
    let mut copies: BTreeSet<String> = listed.iter().filter_map(|line| line["id"].as_str().map(String::from)).collect();
    for ids in found.members() {
        assert!(ids.iter().any(|id| !copies.contains(id)), "nothing stays of {ids:?}");
    }
    // Of records with one id the first is the article.
    let records = sources.iter().flat_map(|source| source.records.iter().map(move |record| (source, record)));
    let (removed, kept): (Vec<_>, Vec<_>) = records.partition(|(_, record)| copies.remove(record.id()));
    assert!(copies.is_empty(), "{copies:?} are no records");
    assert!(listed.iter().map(|line| &line["id"]).eq(removed.iter().map(|(_, record)| record.id())), "{listed:?}");

    if form == Form::Text {
        let there = fs::read_dir(laid.folder.join(&unique)).unwrap().map(|entry| entry.unwrap().path());
        let there: BTreeMap<_, _> =
            there.map(|path| (path.file_name().unwrap().to_owned(), fs::read(&path).unwrap())).collect();
        let stays = kept.iter().map(|(source, _)| (OsString::from(&source.name), laid.folder.join(&source.name)));
        assert!(stays.map(|(name, path)| (name, fs::read(path).unwrap())).collect::<BTreeMap<_, _>>() == there);
        return;
    }
    let bytes = unpacked(&laid.folder.join(&unique));
    let mut rest = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    rest = rest.strip_prefix(&sources[0].head[..]).expect("the head of the first table");
    for (source, record) in &kept {
        let (bytes, id) = (&record.bytes, record.id());
        while !rest.starts_with(bytes) {
            let first = rest.split_off_first().unwrap_or_else(|| panic!("{id:?} of {} is not there", source.name));
            assert!(form.between().contains(first), "{first} before {id:?} of {}", source.name);
        }
        rest = &rest[bytes.len()..];
    }
    assert!(rest.iter().all(|byte| form.between().contains(byte)), "more than what stays");
    let again = Found::new(&laid.run(&["--format", "jsonl"], &[unique]));
    let skipped = |(_, record): &&(_, &Record)| record.fate == Fate::Skipped;
    assert_eq!(again.skipped.len(), kept.iter().filter(skipped).count());
    assert_eq!(again.documents as usize, kept.len());
}

/// Whatever ids and texts hold, a terminal shows it as text and a browser as well.
fn nothing_leaves_its_place(laid: &Laid) {
    let output = laid.run(&[], &laid.names());
    for shown in [&output.stdout, &output.stderr] {
        let shown = std::str::from_utf8(shown).unwrap();
        let is_harmful = |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!shown.contains(is_harmful), "{shown:?}");
    }
    let page = laid.run(&["--format", "html"], &laid.names());
    let page = String::from_utf8(page.stdout).unwrap();
    assert_eq!(page.matches("</script>").count(), page.matches("<script").count());
    assert!(!page.contains("alert(1)</"));
    for command in ["plan", "audit"] {
        run_in_time(&laid.folder, &[command, "."], Stdio::null());
    }
}

/// Files that are cut, changed, empty or of another form than their name says, beside sound ones.
fn damage_harms_nothing_else(dice: &mut Dice, laid: &Laid) {
    let (mut names, mut named) = (laid.names(), Vec::new());
    for (number, source) in laid.sources.iter().enumerate() {
        let mut bytes = fs::read(laid.folder.join(&source.name)).unwrap();
        let mut name = format!("zz{number}-{}", source.name);
        let is_compressed = name.to_lowercase().ends_with("gz") || name.to_lowercase().ends_with("zst");
        match dice.below(5) {
            0 => bytes.truncate(dice.below(bytes.len())),
            1 if is_compressed => {
                // Less than a member of its own.
                bytes.truncate(bytes.len() - 1 - dice.below(12));
                named.push(name.clone());
            }
            1 => {
                for _ in 0..1 + dice.below(8) {
                    let at = dice.below(bytes.len());
                    bytes[at] = dice.below(256) as u8;
                }
            }
            2 => name += dice.of(&[".txt", ".jsonl", ".json", ".csv", ".tsv", ".txt.gz", ".jsonl.zst"]),
            3 => {
                bytes.clear();
                named.push(name.clone());
            }
            _ => bytes = (0..dice.below(3000)).map(|_| dice.below(256) as u8).collect(),
        }
        fs::write(laid.folder.join(&name), bytes).unwrap();
        names.push(name);
    }
    let output = laid.run(&["--format", "jsonl"], &names);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", stderr(&output));
    let found = Found::new(&output);
    let lines = std::str::from_utf8(&output.stdout).unwrap().lines();
    let clusters = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let members = clusters.filter_map(|cluster| cluster["members"].as_array().cloned()).flatten();
    let mut places: Vec<String> = members.map(|member| member["at"].to_string()).collect();
    let count = places.len();
    places.sort();
    places.dedup();
    assert_eq!(places.len(), count, "an article is in two clusters");
    for id in laid.records().filter(|record| record.fate != Fate::Told).map(Record::id) {
        assert!(found.skipped.binary_search(id).is_ok(), "{id:?} is lost");
    }
    for name in named {
        assert!(found.skipped.iter().any(|id| id.starts_with(&name)), "{name} is damaged, and nobody is told");
    }
}

#[test]
fn hostile_corpora() {
    let rounds: Range<u64> = match std::env::var("RETOLD_SOAK") {
        Err(_) => 0..5,
        Ok(rounds) => {
            let (first, end) = rounds.split_once("..").unwrap_or(("0", &rounds));
            first.parse().unwrap()..end.parse().unwrap()
        }
    };
    for seed in rounds {
        println!("round {seed}");
        round(seed);
    }
}
