//! Paths to articles: finds the files, reads them, and keeps going past whatever cannot be read.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

/// The fields of a JSON record that hold an article.
#[derive(clap::Args)]
#[command(next_help_heading = "Input")]
pub struct Fields {
    /// The JSON field that holds the text
    #[arg(long = "text-field", value_name = "NAME", default_value = "text")]
    text: String,

    /// The JSON field that holds the id
    ///
    /// A string or a whole number.
    #[arg(long = "id-field", value_name = "NAME", default_value = "id")]
    id: String,
}

/// One article.
pub struct Document {
    pub id: String,
    pub text: String,
    pub place: Place,
}

impl retold::Article for Document {
    fn id(&self) -> &str {
        &self.id
    }

    fn text(&self) -> &str {
        &self.text
    }
}

/// Where an article came from: a file, and the line if the file holds many.
#[derive(Clone)]
pub struct Place {
    file: Arc<str>,
    line: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.file),
            None => f.write_str(&self.file),
        }
    }
}

/// Something that was left out.
pub struct Problem {
    /// The article's id, or what comes nearest to it: the name of the file, with the line.
    pub id: String,
    /// Where it stands.
    pub place: String,
    /// The cause, and what to do about it.
    pub reason: String,
}

/// All that was read.
#[derive(Default)]
pub struct Input {
    pub documents: Vec<Document>,
    pub problems: Vec<Problem>,
    /// Files of other kinds in the folders.
    pub others: u64,
}

/// Reads all paths; `each` is called after each article.
///
/// Files are read in the order of their full paths, standard input last, and each once, however the paths are given:
/// which of two articles with the same id comes first does not depend on the order of the arguments.
pub fn read(paths: &[PathBuf], fields: &Fields, each: impl FnMut()) -> Input {
    let mut input = Input::default();
    let mut files = Vec::new();
    for path in paths.iter().filter(|path| !is_stdin(path)) {
        input.find(path, &mut files);
    }
    files.sort();
    files.dedup_by(|a, b| a.path == b.path);

    let mut reader = Reader { input, fields, each };
    for file in &files {
        match file.kind {
            Kind::Text => reader.text(file),
            Kind::Lines => reader.line_file(file),
        }
    }
    if paths.iter().any(|path| is_stdin(path)) {
        reader.lines(io::stdin().lock(), "<stdin>", "<stdin>");
    }
    reader.input
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// One article a file.
    Text,
    /// One article a line.
    Lines,
}

impl Kind {
    fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?;
        if extension.eq_ignore_ascii_case("txt") {
            Some(Self::Text)
        } else if extension.eq_ignore_ascii_case("jsonl") {
            Some(Self::Lines)
        } else {
            None
        }
    }
}

/// A file to read. Ordered by the full path first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Source {
    /// The full path, by which a file that was given twice is known.
    path: PathBuf,
    /// Its path in the folder that was given; its file name if it was given itself.
    name: String,
    /// The path as given, for people.
    given: String,
    kind: Kind,
}

impl Input {
    fn problem(&mut self, id: impl Into<String>, place: impl ToString, reason: impl Into<String>) {
        self.problems.push(Problem { id: id.into(), place: place.to_string(), reason: reason.into() });
    }

    /// Collects the files that a path stands for.
    fn find(&mut self, given: &Path, files: &mut Vec<Source>) {
        let shown = given.to_string_lossy();
        let name = given.file_name().map_or(shown.clone(), |name| name.to_string_lossy());
        let (path, is_folder) = match fs::canonicalize(given).and_then(|path| Ok((fs::metadata(&path)?.is_dir(), path)))
        {
            Ok((is_folder, path)) => (path, is_folder),
            Err(error) => return self.problem(name, shown, unreadable(&error)),
        };
        if is_folder {
            self.walk(path, given, files);
        } else if let Some(kind) = Kind::of(given) {
            files.push(Source { path, name: name.into(), given: shown.into(), kind });
        } else {
            self.problem(
                name,
                shown,
                "not a folder and not named .txt or .jsonl: rename the file, or pipe JSON lines to `dedup -`",
            );
        }
    }

    /// Collects the files of a folder and of those in it. Links to folders are not followed: they may lead in circles.
    fn walk(&mut self, root: PathBuf, given: &Path, files: &mut Vec<Source>) {
        let mut folders = vec![(root, String::new())];
        while let Some((folder, inside)) = folders.pop() {
            let entries = match fs::read_dir(&folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
                Ok(entries) => entries,
                Err(error) => {
                    let place = given.join(&inside);
                    let id = if inside.is_empty() { place.to_string_lossy().into_owned() } else { inside };
                    self.problem(id, place.to_string_lossy(), unreadable(&error));
                    continue;
                }
            };
            for entry in entries {
                let path = entry.path();
                let name = format!("{inside}{}", entry.file_name().to_string_lossy());
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push((path, name + "/"));
                    continue;
                }
                // A pipe or device would wait for ever. A link to nothing is told when it is opened.
                let readable = fs::metadata(&path).map_or(true, |file| file.is_file());
                match Kind::of(&path).filter(|_| readable) {
                    Some(kind) => {
                        let given = given.join(&name).to_string_lossy().into_owned();
                        files.push(Source { path, name, given, kind });
                    }
                    None => self.others += 1,
                }
            }
        }
    }
}

/// Takes articles in, one file after the other.
struct Reader<'a, F> {
    input: Input,
    fields: &'a Fields,
    each: F,
}

impl<F: FnMut()> Reader<'_, F> {
    fn document(&mut self, id: String, text: String, place: Place) {
        self.input.documents.push(Document { id, text, place });
        (self.each)();
    }

    fn text(&mut self, file: &Source) {
        let text = match fs::read(&file.path) {
            Err(error) => Err(unreadable(&error)),
            Ok(bytes) if without_mark(&bytes).is_empty() => Err(EMPTY.into()),
            Ok(bytes) => String::from_utf8(bytes).map_err(|error| not_utf8(error.utf8_error())),
        };
        let place = Place { file: file.given.as_str().into(), line: None };
        match text {
            Ok(mut text) => {
                if text.starts_with('\u{feff}') {
                    text.remove(0);
                }
                self.document(file.name.clone(), text, place);
            }
            Err(reason) => self.input.problem(&file.name, place, reason),
        }
    }

    fn line_file(&mut self, file: &Source) {
        match File::open(&file.path) {
            Ok(open) => self.lines(BufReader::with_capacity(1 << 20, open), &file.name, &file.given),
            Err(error) => self.input.problem(&file.name, &file.given, unreadable(&error)),
        }
    }

    /// Reads JSON lines, each on its own, so that a bad one costs only itself.
    fn lines(&mut self, mut from: impl BufRead, name: &str, given: &str) {
        let file: Arc<str> = given.into();
        let mut line = Vec::new();
        let mut is_empty = true;
        for number in 1.. {
            line.clear();
            let place = Place { file: file.clone(), line: Some(number) };
            match from.read_until(b'\n', &mut line) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => return self.input.problem(format!("{name}:{number}"), place, unreadable(&error)),
            }
            let record = if number == 1 { without_mark(&line) } else { &line };
            let record = record.trim_ascii_end();
            if record.is_empty() {
                continue;
            }
            is_empty = false;
            match self.fields.parse(record) {
                Ok((id, text)) => self.document(id, text, place),
                Err((id, reason)) => {
                    self.input.problem(id.unwrap_or_else(|| format!("{name}:{number}")), place, reason);
                }
            }
        }
        if is_empty {
            self.input.problem(name, given, EMPTY);
        }
    }
}

impl Fields {
    /// Id and text of a record; or what is wrong with it, with the id if at least that could be read.
    fn parse(&self, line: &[u8]) -> Result<(String, String), (Option<String>, String)> {
        let line = std::str::from_utf8(line).map_err(|error| (None, not_utf8(error)))?;
        let mut record = match serde_json::from_str(line) {
            Ok(Value::Object(record)) => record,
            Ok(other) => {
                let reason =
                    format!(r#"holds {}, not an object: write {{"{}": …, "{}": …}}"#, kind(&other), self.id, self.text);
                return Err((None, reason));
            }
            Err(error) => return Err((None, not_json(&error))),
        };
        let missing = |record: &serde_json::Map<_, _>, field, option| {
            format!("no field {field:?}, {}: name the right one with {option}", names(record))
        };
        let id = match record.get(&self.id) {
            Some(Value::String(id)) => id.clone(),
            Some(Value::Number(id)) if id.is_u64() || id.is_i64() => id.to_string(),
            Some(other) => {
                return Err((
                    None,
                    format!(
                        "field {:?} holds {}: give a string or a whole number below 2^64, or name another field with \
                         --id-field",
                        self.id,
                        kind(other)
                    ),
                ));
            }
            None => return Err((None, missing(&record, &self.id, "--id-field"))),
        };
        // Taken, not copied: texts are large.
        match record.get_mut(&self.text).map(Value::take) {
            Some(Value::String(text)) => Ok((id, text)),
            Some(other) => Err((
                Some(id),
                format!(
                    "field {:?} holds {}: give a string, or name another field with --text-field",
                    self.text,
                    kind(&other)
                ),
            )),
            None => Err((Some(id), missing(&record, &self.text, "--text-field"))),
        }
    }
}

const EMPTY: &str = "holds nothing: fill it or leave it out";

/// The bytes without a mark of UTF-8 before them.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}

fn unreadable(error: &io::Error) -> String {
    let remedy = match error.kind() {
        io::ErrorKind::NotFound => "check the path",
        io::ErrorKind::PermissionDenied => "allow reading it or leave it out",
        _ => "check the file or leave it out",
    };
    format!("cannot be read, {error}: {remedy}")
}

fn not_utf8(error: std::str::Utf8Error) -> String {
    format!("byte {} is not valid UTF-8: convert the text to UTF-8", error.valid_up_to() + 1)
}

fn not_json(error: &serde_json::Error) -> String {
    let whole = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let cause = whole.strip_suffix(&place).unwrap_or(&whole);
    format!("not valid JSON at column {}, {cause}: mend the line or remove it", error.column())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a number with a fraction or too many digits",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The names of the first few fields, to choose from.
fn names(record: &serde_json::Map<String, Value>) -> String {
    const MOST: usize = 5;
    let names: Vec<String> =
        record.keys().take(MOST).map(|name| format!("{:?}", name.chars().take(40).collect::<String>())).collect();
    match record.len() {
        0 => "nor any other".into(),
        1..=MOST => format!("only {}", names.join(", ")),
        more => format!("only {} and {} more", names.join(", "), more - MOST),
    }
}
