//! Paths to files: folders walked, patterns matched, each file once.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs::Encoding;
use indicatif::ProgressBar;

use super::bytes::{self, Codec, Counted, Limited, guarded, unreadable};
use super::feed;
use super::frame::{Blocks, Form};
use super::{Left, Problem};

/// The kinds of files that are read, for messages.
pub const READ: &str =
    ".txt, .jsonl, .ndjson, .json, .csv, .tsv, .rss, .atom or .wet, also as .gz or .zst, or .parquet";

/// How sources are read, as far as the options say.
#[derive(Clone, Copy)]
pub struct Reading {
    /// The form of standard input.
    pub stdin: Form,
    /// What separates the cells of tables.
    pub delimiter: Option<u8>,
    pub encoding: Option<&'static Encoding>,
    /// Bytes that an archive may unpack to.
    pub unpack_limit: Option<u64>,
    pub order: Order,
}

/// In which order sources are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// In that of their full paths, standard input last: it does not depend on the order of the arguments.
    #[default]
    Paths,
    /// In that of the arguments; the files of a folder or pattern in that of their paths.
    Given,
}

impl Reading {
    /// Bytes that so many packed ones may unpack to.
    fn allowed(&self, packed: u64) -> u64 {
        const LEAST: u64 = 1 << 30;
        const TIMES: u64 = 100;
        self.unpack_limit.unwrap_or_else(|| packed.saturating_mul(TIMES).max(LEAST))
    }
}

/// A file to read, or standard input.
pub struct Source {
    /// The full path, by which a file that was given twice is known; none for standard input.
    pub path: Option<PathBuf>,
    /// What came on standard input or through a pipe, if that was stored to be read more than once.
    stored: Option<File>,
    /// Its path in the folder that was given; its file name if it was given itself.
    pub name: String,
    /// The same as the system has it, which need not be UTF-8.
    pub inside: PathBuf,
    /// The path as given, for people.
    pub given: String,
    pub form: Form,
    /// How it is compressed by its name.
    codec: Codec,
    /// Whether its articles are known already.
    pub is_known: bool,
    reading: Reading,
}

impl Source {
    /// By the full paths, and those of one by how they are given; standard input last.
    fn by_path(a: &Self, b: &Self) -> std::cmp::Ordering {
        let is_stdin = |source: &Self| source.path.is_none();
        is_stdin(a).cmp(&is_stdin(b)).then_with(|| (&a.path, &a.name, &a.given).cmp(&(&b.path, &b.name, &b.given)))
    }

    /// Its records, block by block.
    pub fn open<'a>(&self, bar: &'a ProgressBar) -> io::Result<Blocks<Box<dyn Read + Send + 'a>>> {
        if let (Some(path), Form::Parquet) = (&self.path, self.form) {
            let allowed = self.reading.allowed(self.size().unwrap_or(0));
            let from = guarded(|| open_parquet(path, allowed, bar))?;
            return Ok(Blocks::new(from, self.form, None));
        }
        self.blocks(bar.wrap_read(self.bytes()?))
    }

    /// The records in the bytes of the source.
    pub fn blocks<'a>(&self, from: impl Read + Send + 'a) -> io::Result<Blocks<Box<dyn Read + Send + 'a>>> {
        let Reading { delimiter, encoding, .. } = self.reading;
        let packed = Arc::new(AtomicU64::new(0));
        let (codec, from) = bytes::look_into(self.codec, from)?;
        let mut bytes = bytes::decode(codec, Counted { from, count: packed.clone() });
        if codec != Codec::Plain {
            let (reading, size) = (self.reading, self.size());
            // What comes through a pipe may unpack to as much as a file of what has come.
            let allowed = move || reading.allowed(size.unwrap_or_else(|| packed.load(Ordering::Relaxed)));
            bytes = bytes::unpacked(Limited::new(bytes, allowed))?;
        }
        let bytes = match self.form {
            Form::Feed => Box::new(Cursor::new(guarded(|| feed::lines(bytes, encoding))?)),
            // Its records say how many bytes they have.
            Form::Warc => bytes,
            _ => guarded(|| bytes::recode(bytes, encoding))?,
        };
        Ok(Blocks::new(bytes, self.form, delimiter))
    }

    /// The bytes as they come, from the beginning.
    fn bytes(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match (&self.stored, &self.path) {
            (Some(stored), _) => {
                let mut stored = stored.try_clone()?;
                stored.rewind()?;
                Box::new(stored)
            }
            (None, Some(path)) => Box::new(File::open(path)?),
            (None, None) => Box::new(io::stdin()),
        })
    }

    /// Whether its bytes come once: standard input, or a pipe that has a name.
    fn comes_once(&self) -> bool {
        // A file that cannot be read is told when it is opened.
        self.path.as_ref().is_none_or(|path| fs::metadata(path).is_ok_and(|file| !file.is_file()))
    }

    /// How many bytes lie on the disk; none if that of standard input or a pipe is not known.
    pub fn size(&self) -> Option<u64> {
        let path = self.path.as_ref().filter(|_| !self.comes_once())?;
        Some(fs::metadata(path).map_or(0, |file| file.len()))
    }

    /// The bytes of a file as they lie on the disk.
    pub fn raw(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.bytes()?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Stores what comes once in a temporary file that has no name, so that nothing is left of it however the run ends.
    pub fn store(&mut self) -> io::Result<()> {
        if self.comes_once() {
            let mut stored = tempfile::tempfile()?;
            io::copy(&mut self.bytes()?, &mut stored)?;
            self.stored = Some(stored);
        }
        Ok(())
    }
}

#[cfg(feature = "parquet")]
use super::parquet::open as open_parquet;

#[cfg(not(feature = "parquet"))]
fn open_parquet<'a>(_: &Path, _: u64, _: &'a ProgressBar) -> io::Result<Box<dyn Read + Send + 'a>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// What the paths stand for.
pub struct Found {
    /// The files and standard input, each once, however often it is given.
    pub sources: Vec<Source>,
    pub problems: Vec<Problem>,
    /// Files of other kinds in the folders.
    pub others: u64,
    reading: Reading,
}

/// Finds the files of all paths.
pub fn find(paths: &[PathBuf], reading: Reading) -> Found {
    let mut found = Found { sources: Vec::new(), problems: Vec::new(), others: 0, reading };
    for path in paths {
        let first = found.sources.len();
        match matches(path) {
            _ if path == Path::new("-") => found.stdin(),
            Some(Ok(matches)) if matches.is_empty() => {
                found.problem(&path.to_string_lossy(), "no file has such a name: check the pattern");
            }
            Some(Ok(matches)) => matches.iter().for_each(|path| match is_endless(path) {
                true => found.others += 1,
                false => found.add(path),
            }),
            Some(Err(error)) => found.problem(&path.to_string_lossy(), format!("not a pattern, {error}: fix it")),
            None => found.add_by_name(path),
        }
        found.sources[first..].sort_by(Source::by_path);
    }
    if reading.order == Order::Paths {
        found.sources.sort_by(Source::by_path);
    }
    let mut seen = HashSet::new();
    found.sources.retain(|source| seen.insert(source.path.clone()));
    found
}

/// The bytes of a text file in UTF-8, if a mark tells that they are in another encoding; unpacked.
pub fn read_text(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let (codec, file) = bytes::look_into(Codec::of_name(path), File::open(path)?)?;
    let mut file = bytes::decode(codec, file);
    if codec != Codec::Plain {
        file = bytes::unpacked(file)?;
    }
    guarded(|| bytes::recode(file, None)?.read_to_end(&mut bytes))?;
    Ok(bytes)
}

/// The bytes of all sources as they lie on the disk; none if that of standard input is not known.
pub fn bytes(sources: &[Source]) -> Option<u64> {
    sources.iter().map(Source::size).sum()
}

/// The files that a pattern matches, if the path is one. A file that has the name itself comes first.
fn matches(path: &Path) -> Option<Result<Vec<PathBuf>, glob::PatternError>> {
    let pattern = path.to_str().filter(|path| path.contains(['*', '?', '[']))?;
    if fs::symlink_metadata(path).is_ok() {
        return None;
    }
    let parts: Vec<_> = path.components().collect();
    let Some(deep) = parts.iter().position(|part| part.as_os_str() == "**") else { return Some(matches_flat(pattern)) };
    let (above, below): (PathBuf, PathBuf) = (parts[..deep].iter().collect(), parts[deep..].iter().collect());
    let above = match above.to_str()? {
        above if above.contains(['*', '?', '[']) => matches_flat(above),
        _ => Ok(vec![above]),
    };
    let below = glob::Pattern::new(below.to_str()?);
    Some(above.and_then(|above| {
        let below = below?;
        Ok(above.iter().flat_map(|root| matches_below(root, &below)).collect())
    }))
}

/// What a pattern that begins with `**` matches in a folder and those in it. Links to folders are followed, unless they lead
/// back to one by which they were reached.
fn matches_below(root: &Path, pattern: &glob::Pattern) -> Vec<PathBuf> {
    let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
    let wants_folders = pattern.as_str().ends_with("**");
    let (mut found, mut folders) = (Vec::new(), vec![(PathBuf::new(), Vec::new())]);
    while let Some((inside, mut above)) = folders.pop() {
        let folder = if root.as_os_str().is_empty() { Path::new(".").join(&inside) } else { root.join(&inside) };
        let entries = fs::canonicalize(&folder).and_then(|full| Ok((fs::read_dir(&folder)?, full)));
        let (entries, full) = match entries {
            Ok((_, full)) if above.contains(&full) => continue,
            Ok(both) => both,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                // Told when it is read.
                found.push(folder);
                continue;
            }
            Err(_) => continue,
        };
        if wants_folders {
            found.push(folder);
        }
        above.push(full);
        for entry in entries.flatten() {
            let inside = inside.join(entry.file_name());
            if !wants_folders && pattern.matches_path_with(&inside, options) {
                found.push(root.join(&inside));
            }
            if fs::metadata(entry.path()).is_ok_and(|file| file.is_dir()) {
                folders.push((inside, above.clone()));
            }
        }
    }
    found
}

/// Whether a path leads to a pipe or device, which nobody meant who did not name it, and which would be waited for for ever.
fn is_endless(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| !file.is_file() && !file.is_dir())
}

/// The files that a pattern without `**` matches.
fn matches_flat(pattern: &str) -> Result<Vec<PathBuf>, glob::PatternError> {
    let path = |found: glob::GlobResult| found.unwrap_or_else(|error| error.path().into());
    glob::glob(pattern).map(|found| found.map(path).collect())
}

/// Form and compression of a file with such a name, if it is one to read.
pub fn kind(path: &Path) -> Option<(Form, Codec)> {
    let codec = Codec::of_name(path);
    let name = Path::new(path.file_name()?);
    let name = if codec == Codec::Plain { name } else { Path::new(name.file_stem()?) };
    let form = Form::of_extension(&name.extension()?.to_str()?.to_ascii_lowercase())?;
    // Parquet is compressed within.
    (form != Form::Parquet || codec == Codec::Plain).then_some((form, codec))
}

/// In folders .xml is anything, but a file that is named is a feed.
fn feed_by_name(path: &Path) -> Option<(Form, Codec)> {
    let codec = Codec::of_name(path);
    let name = if codec == Codec::Plain { path } else { Path::new(path.file_stem()?) };
    name.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xml")).then_some((Form::Feed, codec))
}

/// What makes a file of another kind readable.
fn remedy(path: &Path) -> &'static str {
    let name = match Codec::of_name(path) {
        Codec::Plain => path,
        _ => Path::new(path.file_stem().unwrap_or_default()),
    };
    let extension = name.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    match &*extension {
        "html" | "htm" | "xhtml" | "warc" => "make text of it first, for example with trafilatura",
        "pdf" => "make text of it first, for example with pdftotext",
        "doc" | "docx" | "odt" | "rtf" | "epub" | "md" => "make text of it first, for example with pandoc -t plain",
        "xls" | "xlsx" | "ods" => "save it as .csv",
        "zip" | "tar" | "tgz" | "7z" | "rar" | "bz2" | "xz" | "lz4" | "br" => bytes::UNPACK,
        "sqlite" | "sqlite3" | "db" => bytes::FROM_SQLITE,
        "arrow" | "avro" | "eml" | "feather" | "mbox" | "msg" | "orc" | "pickle" | "pkl" => bytes::AS_LINES,
        "yaml" | "yml" => "write it as .json first, for example with yq -o json",
        _ => "rename the file, or pipe it to `dedup -`",
    }
}

/// Whether a folder is an archive of `dedup archive`.
fn is_archive(folder: &Path) -> bool {
    let is_manifest = |entry: fs::DirEntry| entry.file_name().as_encoded_bytes().starts_with(b"manifest-");
    folder.join("lock").is_file() && fs::read_dir(folder).is_ok_and(|entries| entries.flatten().any(is_manifest))
}

impl Found {
    /// Adds, after all others, the sources of what is known already.
    pub fn add_known(&mut self, known: Self) -> Result<(), String> {
        if let Some(both) = known.sources.iter().find(|known| self.sources.iter().any(|new| new.path == known.path)) {
            return Err(format!("{} is given as new and with --against: leave one of the two out", both.given));
        }
        self.sources.extend(known.sources.into_iter().map(|source| Source { is_known: true, ..source }));
        self.problems.extend(known.problems);
        self.others += known.others;
        Ok(())
    }

    fn problem(&mut self, place: &str, reason: impl Into<String>) {
        let name = Path::new(place).file_name().map_or(place.into(), |name| name.to_string_lossy());
        self.left_out(Left::Input, &name, place, reason);
    }

    fn left_out(&mut self, what: Left, id: &str, place: &str, reason: impl Into<String>) {
        self.problems.push(Problem { id: id.into(), place: place.into(), reason: reason.into(), what });
    }

    fn stdin(&mut self) {
        let (name, given) = ("<stdin>".into(), "<stdin>".into());
        let (form, codec, reading) = (self.reading.stdin, Codec::Plain, self.reading);
        let (path, stored, inside) = (None, None, PathBuf::new());
        self.sources.push(Source { path, stored, name, inside, given, form, codec, is_known: false, reading });
    }

    fn file(&mut self, path: PathBuf, inside: PathBuf, given: &Path, (form, codec): (Form, Codec)) {
        // Ids are the same on every system.
        let names: Vec<_> = inside.iter().map(|name| name.to_string_lossy()).collect();
        let (name, given) = (names.join("/"), given.to_string_lossy().into_owned());
        let (path, stored, reading) = (Some(path), None, self.reading);
        self.sources.push(Source { path, stored, name, inside, given, form, codec, is_known: false, reading });
    }

    /// The same of a path that was named: that nothing is in a folder is told, for it may be another one, or a disk that is not there.
    fn add_by_name(&mut self, given: &Path) {
        let before = (self.sources.len(), self.problems.len());
        self.add(given);
        if before == (self.sources.len(), self.problems.len()) {
            let shown = given.to_string_lossy();
            if is_archive(given) {
                let reason =
                    "is an archive, not a folder of files: dedup archive query asks it, and --census judges by it";
                return self.problem(&shown, reason);
            }
            self.left_out(Left::Record, &shown, &shown, format!("holds no file named {READ}: fill it or leave it out"));
        }
    }

    /// Collects the files that a path stands for.
    fn add(&mut self, given: &Path) {
        let shown = given.to_string_lossy();
        let full = fs::canonicalize(given).and_then(|path| Ok((fs::metadata(&path)?.is_dir(), path)));
        // The full name of a pipe leads nowhere.
        let is_pipe = || fs::metadata(given).is_ok_and(|file| !file.is_file() && !file.is_dir());
        let (is_folder, path) = match full {
            Ok(found) => found,
            Err(_) if is_pipe() => (false, given.into()),
            Err(error) => return self.problem(&shown, unreadable(&error)),
        };
        if is_folder {
            self.walk(path, given);
        } else if let Some((form, codec)) = kind(given).or_else(|| feed_by_name(given)) {
            let inside = given.file_name().map_or_else(|| given.into(), PathBuf::from);
            self.file(path, inside, given, (form, codec));
        } else {
            let remedy = remedy(given);
            self.problem(&shown, format!("not a folder and not named {READ}: {remedy}"));
        }
    }

    /// Collects the files of a folder and of those in it. Links to folders are not followed: they may lead in circles.
    fn walk(&mut self, root: PathBuf, given: &Path) {
        let mut folders = vec![(root, PathBuf::new())];
        while let Some((folder, inside)) = folders.pop() {
            let entries = match fs::read_dir(&folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
                Ok(entries) => entries,
                Err(error) => {
                    let place = given.join(&inside);
                    let (place, inside) = (place.to_string_lossy(), inside.to_string_lossy());
                    let id = if inside.is_empty() { &place } else { &inside };
                    self.left_out(Left::Input, id, &place, unreadable(&error));
                    continue;
                }
            };
            for entry in entries {
                let path = entry.path();
                let inside = inside.join(entry.file_name());
                let file_type = entry.file_type();
                if file_type.as_ref().is_ok_and(fs::FileType::is_dir) {
                    folders.push((path, inside));
                    continue;
                }
                let file = fs::metadata(&path);
                if file.as_ref().is_ok_and(fs::Metadata::is_dir) {
                    let (place, inside) = (given.join(&inside), inside.to_string_lossy());
                    let reason = "a link to a folder, which is not followed: give it by its name as well";
                    self.left_out(Left::Record, &inside, &place.to_string_lossy(), reason);
                    continue;
                }
                // A pipe or device would wait for ever. A link to nothing is told when it is opened.
                let readable = file.map_or(true, |file| file.is_file());
                match kind(&path).filter(|_| readable) {
                    Some(kind) => {
                        let given = given.join(&inside);
                        // By what a link leads to, each file is read once.
                        let is_link = file_type.is_ok_and(|kind| kind.is_symlink());
                        let path = if is_link { fs::canonicalize(&path).unwrap_or(path) } else { path };
                        self.file(path, inside, &given, kind);
                    }
                    None => self.others += 1,
                }
            }
        }
    }
}
