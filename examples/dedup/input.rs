//! Paths to articles: finds the files, reads and parses them beside each other, hands the articles on in batches, and
//! keeps going past whatever cannot be read.

mod bytes;
mod feed;
mod fields;
mod frame;
#[cfg(feature = "parquet")]
mod parquet;
mod paths;

use std::fmt;
use std::sync::mpsc::{self, Receiver, SendError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{HumanCount, ProgressBar};
use rayon::prelude::*;
use twox_hash::XxHash3_64;

pub use bytes::{Codec, decode, told_by, unreadable};
pub use fields::{Fields, Parser, parse};
pub use frame::{Block, Blocks, Form, Shape, without_mark};
#[cfg(feature = "parquet")]
pub use parquet::{annotate_rows, check_columns, check_free, write_rows};
pub use paths::{Found, Order, READ, Source, bytes, find, kind, read_text};

use crate::annotate;
use fields::Layout;

/// One article.
pub struct Document {
    /// The ids and texts of all articles of a block: one piece of memory for hundreds of them, since taking memory text by
    /// text is what threads would wait for.
    block: Arc<String>,
    /// Where the id, the text, the date and the source begin, and where the source ends.
    id: usize,
    text: usize,
    date: usize,
    source: usize,
    end: usize,
    is_known: bool,
    pub place: Place,
}

impl retold::Article for Document {
    fn id(&self) -> &str {
        &self.block[self.id..self.text]
    }

    fn text(&self) -> &str {
        &self.block[self.text..self.date]
    }

    fn date(&self) -> Option<&str> {
        Some(&self.block[self.date..self.source]).filter(|date| !date.is_empty())
    }

    fn source(&self) -> Option<&str> {
        Some(&self.block[self.source..self.end]).filter(|source| !source.is_empty()).or_else(|| host(self.id()))
    }

    fn is_known(&self) -> bool {
        self.is_known
    }
}

/// The host of an address, without what most put before it.
fn host(id: &str) -> Option<&str> {
    let rest = id.strip_prefix("https://").or_else(|| id.strip_prefix("http://"))?;
    let host = rest.split(['/', '?', '#', ':']).next()?;
    Some(host.strip_prefix("www.").unwrap_or(host)).filter(|host| !host.is_empty())
}

/// Where an article came from: a file, and which record of it if it holds many.
#[derive(Clone)]
pub struct Place {
    file: Arc<str>,
    at: At,
}

/// What tells a record from the others of its file.
#[derive(Clone, Copy)]
pub enum At {
    /// The file is one article.
    Whole,
    /// The line on which the record begins, from 1.
    Line(u64),
    /// The number of the element, from 1: lists are often written on one line.
    Element(u64),
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Line(line) => write!(f, ":{line}"),
            Self::Element(element) => write!(f, "#{element}"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.file, self.at)
    }
}

/// Dates as they are read, for messages.
pub const DATED: &str = "2024-05-17 or 2024-05-17T09:30Z";

/// Articles whose dates tell nothing.
#[derive(Default)]
pub struct Undated {
    /// How many have none, or one that is none.
    pub all: u64,
    /// How many have one that is none, and the first of these with its place.
    pub wrong: u64,
    pub first: Option<String>,
}

impl Undated {
    pub fn look_at(&mut self, document: &Document) {
        let date = retold::Article::date(document);
        if date.is_some_and(retold::is_date) {
            return;
        }
        self.all += 1;
        if let Some(date) = date {
            self.wrong += 1;
            self.first.get_or_insert_with(|| format!("{}: {date:?}", document.place));
        }
    }
}

/// Articles whose texts hold markup of HTML, which is compared as if it were words.
#[derive(Default)]
pub struct MarkedUp {
    pub count: u64,
    /// Where the first of them stands.
    first: Option<Place>,
}

impl MarkedUp {
    pub fn look_at(&mut self, document: &Document) {
        if is_marked_up(retold::Article::text(document)) {
            self.count += 1;
            self.first.get_or_insert_with(|| document.place.clone());
        }
    }

    /// Adds those of what was read later.
    fn add(&mut self, later: Self) {
        self.count += later.count;
        self.first = self.first.take().or(later.first);
    }
}

impl fmt::Display for MarkedUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = if self.count == 1 { "text holds" } else { "texts hold" };
        write!(f, "{} {texts} markup of HTML", HumanCount(self.count))?;
        if let Some(first) = &self.first {
            write!(f, ", such as that in {first}")?;
        }
        write!(f, "; tags count as words: make plain text of it first, as with html2text")
    }
}

/// Whether a text holds two pieces and more of the markup that articles have in HTML: one may be what it is about.
fn is_marked_up(text: &str) -> bool {
    const TAGS: &str =
        "p br /p /a /b /blockquote /div /em /figure /h1 /h2 /h3 /h4 /i /li /ol /script /span /strong /table /td /ul";
    const REFERENCES: &str = "amp apos gt hellip ldquo lsquo lt mdash nbsp ndash quot rdquo rsquo shy";
    const LONGEST: usize = 12;
    let is_one = |&at: &usize| {
        let (opening, rest) = text[at..].split_at(1);
        let (known, end) = if opening == "<" { (TAGS, b'>') } else { (REFERENCES, b';') };
        let Some(length) = rest.bytes().take(LONGEST).position(|byte| byte == end) else { return false };
        // `<br />` as well.
        let name = rest[..length].trim_end_matches(['/', ' ']);
        let is_known = known.split(' ').any(|known| name.eq_ignore_ascii_case(known));
        let number = name.strip_prefix('#').filter(|_| opening == "&");
        is_known || number.is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit() || c == 'x'))
    };
    memchr::memchr2_iter(b'<', b'&', text.as_bytes()).filter(is_one).take(2).count() == 2
}

/// Something that was left out.
pub struct Problem {
    /// The article's id, or what comes nearest to it: the name of the file, with the place in it.
    pub id: String,
    /// Where it stands.
    pub place: String,
    /// The cause, and what to do about it.
    pub reason: String,
    pub what: Left,
}

/// What was left out.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Left {
    /// A file or folder, or the rest of a file, that could not be read.
    Input,
    /// A record that is no article or cannot be compared, or a file without any.
    Record,
    /// A record in another encoding, as most likely all of its file are.
    Encoding,
    /// A record that says what to do with the next, as most likely every other of its file does.
    Action,
}

/// What was read besides the articles.
#[derive(Default)]
pub struct Input {
    pub problems: Vec<Problem>,
    pub guesses: Vec<Guess>,
    pub marked_up: MarkedUp,
    /// What became of each source, in the order of the sources.
    pub tallies: Vec<Tally>,
    /// Why nothing can come of it: a record has a field that is to be added, or belongs to the one after it.
    pub taken: Option<String>,
}

/// Fields that were guessed.
pub struct Guess {
    pub guess: String,
    /// The first file it was made for.
    pub file: Arc<str>,
    /// All files it was made for.
    pub files: usize,
}

/// What a reading of a source saw, to which the next one can be held.
#[derive(Default)]
pub struct Tally {
    /// Records, those that are no articles included.
    pub records: u64,
    /// The records that are no articles, in order.
    pub skipped: Vec<u64>,
    /// Bytes, after decompression.
    pub bytes: u64,
    /// A checksum of all blocks, if they will be [read again](Fields::are_read_again).
    pub checksum: u64,
    /// Why the source could not be read to its end.
    pub broken: Option<String>,
    /// Whether reading ended before the source did, since no more was wanted.
    pub is_cut: bool,
    /// Bytes read from the disk.
    pub on_disk: u64,
    /// How its records turned out to be written; none if it has none.
    pub shape: Option<Shape>,
    /// The names of a table's columns, and what ends its rows.
    pub head: Vec<u8>,
}

/// What a tally takes in of a block.
#[derive(Default)]
pub struct Count {
    records: u64,
    bytes: u64,
    checksum: u64,
}

impl Count {
    /// Without a checksum.
    fn without_sum(block: &Block) -> Self {
        Self { records: block.records.len() as u64, bytes: block.bytes.len() as u64, checksum: 0 }
    }

    pub fn of(block: &Block) -> Self {
        // Records follow from the bytes, so that their edges need no checksum of their own.
        Self { checksum: XxHash3_64::oneshot(&block.bytes), ..Self::without_sum(block) }
    }
}

impl Tally {
    /// Whether nothing at all could be read.
    pub fn is_unread(&self) -> bool {
        self.broken.is_some() && self.bytes == 0
    }

    /// Takes the next block in.
    pub fn add(&mut self, count: &Count) {
        self.records += count.records;
        self.bytes += count.bytes;
        self.checksum = XxHash3_64::oneshot_with_seed(self.checksum, &count.checksum.to_le_bytes());
    }
}

/// What the reading thread hands on, source by source, in their order.
enum Item {
    Block(usize, Block),
    /// A source could not be opened, or not be read to its end.
    Trouble(usize, At, String),
    /// Nothing more comes of a source, and how many bytes were read from the disk; whether there is more.
    End {
        source: usize,
        on_disk: u64,
        is_cut: bool,
    },
}

/// How much is read.
#[derive(Clone, Copy)]
pub enum Portion {
    All,
    /// About so many bytes in all, after decompression: of each source the beginning, by its share of the bytes on disk.
    Beginning(u64),
}

impl Portion {
    /// How many bytes are read of each source.
    fn limits(self, sources: &[Source]) -> Vec<u64> {
        let size = |source: &Source| source.size().unwrap_or(0);
        match self {
            Self::All => vec![u64::MAX; sources.len()],
            Self::Beginning(bytes) => {
                let all = sources.iter().map(size).sum::<u64>().max(1);
                let share = |source| (u128::from(bytes) * u128::from(size(source)) / u128::from(all)) as u64;
                sources.iter().map(share).collect()
            }
        }
    }
}

/// Reads sources; `bar` counts bytes as they lie on the disk.
///
/// One thread reads, decompresses and cuts the bytes into records; the threads of the rayon pool parse them. `sink` gets the
/// articles in the order of the input, in batches of some megabytes, while the next are read; if it fails, no more is read.
pub fn read<E: Send>(
    sources: &[Source],
    fields: &Fields,
    portion: Portion,
    bar: &ProgressBar,
    mut sink: impl FnMut(Vec<Document>) -> Result<(), E> + Send,
) -> Result<Input, E> {
    let spare = &Spare::default();
    let mut reader = Reader::new(sources, fields, spare);
    let limits = portion.limits(sources);
    std::thread::scope(|scope| {
        let (send, receive) = mpsc::sync_channel(AHEAD);
        let produce = move |at: usize| produce(at, &sources[at], limits[at], bar, spare, &send);
        // An error says that nobody listens any more.
        scope.spawn(move || (0..sources.len()).try_for_each(produce));
        let mut parsed = Vec::new();
        let mut hand_on = |batch: Vec<Document>| if batch.is_empty() { Ok(()) } else { sink(batch) };
        while let Some(items) = gather(&receive) {
            // The one fills the gaps of the other, when a thread has nothing to do any more.
            let (handed_on, next) = rayon::join(|| hand_on(std::mem::take(&mut parsed)), || reader.take(items));
            handed_on?;
            parsed = next;
            if reader.is_refused() {
                break;
            }
        }
        hand_on(parsed)?;
        Ok(reader.input)
    })
}

/// Blocks that are read before they are asked for.
const AHEAD: usize = 16;

/// The memory of blocks that are parsed, to read the next into.
#[derive(Default)]
struct Spare(Mutex<Vec<Vec<u8>>>);

impl Spare {
    fn give(&self, bytes: Vec<u8>) {
        // That of a few huge records would be too much to keep.
        if bytes.capacity() <= 2 * frame::BLOCK {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
        }
    }

    fn take(&self) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

/// Reads one source, and no more of it than a block beyond the limit.
fn produce(
    at: usize,
    source: &Source,
    limit: u64,
    bar: &ProgressBar,
    spare: &Spare,
    send: &SyncSender<Item>,
) -> Result<(), SendError<Item>> {
    let (begin, mut is_cut) = (bar.position(), false);
    match source.open(bar) {
        Err(error) => send.send(Item::Trouble(at, At::Whole, unreadable(&error)))?,
        Ok(mut blocks) => {
            let mut bytes = 0;
            loop {
                if let Some(room) = spare.take() {
                    blocks.reuse(room);
                }
                let Some(block) = blocks.next().transpose() else { break };
                match block {
                    Ok(block) => {
                        bytes += block.bytes.len() as u64;
                        send.send(Item::Block(at, block))?;
                    }
                    Err((place, reason)) => {
                        send.send(Item::Trouble(at, place, reason))?;
                        break;
                    }
                }
                is_cut = bytes >= limit && !blocks.is_done();
                if is_cut {
                    break;
                }
            }
        }
    }
    send.send(Item::End { source: at, on_disk: bar.position() - begin, is_cut })
}

/// Waits for a batch that is worth sharing among the threads, and takes what more is there: who waits for much leaves the threads idle while
/// it is read.
fn gather(from: &Receiver<Item>) -> Option<Vec<Item>> {
    const ITEMS: usize = 4096;
    let enough = frame::BLOCK * (4 * rayon::current_num_threads()).max(16);
    let mut items = Vec::new();
    let mut bytes = 0;
    while bytes < enough && items.len() < ITEMS {
        let item = if bytes < enough / 4 { from.recv().ok() } else { from.try_recv().ok() };
        let Some(item) = item else { break };
        if let Item::Block(_, block) = &item {
            bytes += block.bytes.len();
        }
        items.push(item);
    }
    (!items.is_empty()).then_some(items)
}

/// Makes articles of blocks.
struct Reader<'a> {
    sources: &'a [Source],
    fields: &'a Fields,
    files: Vec<Arc<str>>,
    /// Known for each source from its first records on.
    layouts: Vec<Option<Layout>>,
    seen: Vec<Seen>,
    spare: &'a Spare,
    input: Input,
}

/// What came of a source so far.
#[derive(Clone, Copy, Default)]
struct Seen {
    articles: bool,
    problems: bool,
    /// Articles with dates, and with sources of their own.
    dates: bool,
    sources: bool,
}

/// What became of an item.
enum Parsed {
    Block {
        source: usize,
        count: Count,
        documents: Vec<Document>,
        marked_up: MarkedUp,
        problems: Vec<Problem>,
        skipped: Vec<u64>,
        taken: Option<String>,
    },
    Trouble(usize, At, String),
    End {
        source: usize,
        on_disk: u64,
        is_cut: bool,
    },
}

impl<'a> Reader<'a> {
    fn new(sources: &'a [Source], fields: &'a Fields, spare: &'a Spare) -> Self {
        Self {
            sources,
            fields,
            files: sources.iter().map(|source| source.given.as_str().into()).collect(),
            layouts: sources.iter().map(|_| None).collect(),
            seen: vec![Seen::default(); sources.len()],
            spare,
            input: Input { tallies: sources.iter().map(|_| Tally::default()).collect(), ..Input::default() },
        }
    }

    /// The articles of some items, in their order.
    fn take(&mut self, items: Vec<Item>) -> Vec<Document> {
        for item in &items {
            if let Item::Block(source, block) = item
                && self.layouts[*source].is_none()
                && !block.records.is_empty()
            {
                self.learn_layout(*source, block);
            }
        }
        let parsed: Vec<Parsed> = items
            .into_par_iter()
            // Left alone, rayon cuts them into a few tasks, and the longest is waited for.
            .with_max_len(1)
            .map_init(Parser::default, |parser, item| match item {
                Item::Block(source, block) => {
                    let parsed = self.parse(source, &block, parser);
                    self.spare.give(block.bytes);
                    // Where all processors are busy, the thread that reads would only be let in when there is nothing left to parse.
                    std::thread::yield_now();
                    parsed
                }
                Item::Trouble(source, at, reason) => Parsed::Trouble(source, at, reason),
                Item::End { source, on_disk, is_cut } => Parsed::End { source, on_disk, is_cut },
            })
            .collect();
        let mut batch = Vec::new();
        for parsed in parsed {
            match parsed {
                Parsed::Block { source, count, documents, marked_up, problems, skipped, taken } => {
                    let seen = &mut self.seen[source];
                    seen.articles |= !documents.is_empty();
                    seen.problems |= !problems.is_empty();
                    seen.dates = seen.dates || documents.iter().any(|document| document.date < document.source);
                    seen.sources = seen.sources || documents.iter().any(|document| document.source < document.end);
                    let tally = &mut self.input.tallies[source];
                    tally.add(&count);
                    tally.skipped.extend(skipped);
                    self.input.marked_up.add(marked_up);
                    self.input.problems.extend(problems);
                    self.input.taken = self.input.taken.take().or(taken);
                    batch.extend(documents);
                }
                Parsed::Trouble(source, at, reason) => {
                    self.problem(source, at, reason.clone(), Left::Input);
                    self.input.tallies[source].broken = Some(reason);
                }
                Parsed::End { source, on_disk, is_cut } => {
                    let tally = &mut self.input.tallies[source];
                    (tally.on_disk, tally.is_cut) = (on_disk, is_cut);
                    let has_articles = match &self.layouts[source] {
                        Some(layout) => tally.records > layout.headers(),
                        None => false,
                    };
                    let (is_whole, seen) = (tally.broken.is_none() && !is_cut, self.seen[source]);
                    if !has_articles && tally.broken.is_none() && !seen.problems {
                        self.problem(source, At::Whole, EMPTY.into(), Left::Record);
                    } else if is_whole && !seen.articles && !seen.problems {
                        self.problem(source, At::Whole, NO_TEXT.into(), Left::Record);
                    }
                    let layout = self.layouts[source].as_ref().filter(|_| seen.articles);
                    let missed = layout.map(|layout| layout.missed([seen.dates, seen.sources]).collect());
                    let missed: Vec<String> = missed.unwrap_or_default();
                    missed.into_iter().for_each(|missed| self.guess(source, missed));
                }
            }
        }
        batch
    }

    fn problem(&mut self, source: usize, at: At, reason: String, what: Left) {
        self.seen[source].problems = true;
        let Source { name, given, .. } = &self.sources[source];
        self.input.problems.push(Problem { id: format!("{name}{at}"), place: format!("{given}{at}"), reason, what });
    }

    /// Whether the input turned out to be such that nothing can come of it.
    fn is_refused(&self) -> bool {
        self.input.taken.is_some()
    }

    fn learn_layout(&mut self, source: usize, block: &Block) {
        let layout = self.fields.layout(block, self.sources[source].form);
        #[cfg(feature = "parquet")]
        let layout = match (&self.sources[source].path, self.sources[source].form) {
            // The rows were read just now.
            (Some(path), Form::Parquet) => layout.without(&parquet::unread(path).unwrap_or_default()),
            _ => layout,
        };
        let tally = &mut self.input.tallies[source];
        tally.shape = Some(block.shape);
        if let (Shape::Table(delimiter), Some((.., head))) = (block.shape, block.records().next()) {
            // Of the ends of rows only a carriage return by itself makes another table.
            let end = if head.ends_with(b"\r") { "\r" } else { "" };
            let names = match delimiter {
                // There the quotes of the first row say what those of others mean.
                b'\t' => head.trim_ascii_end().into(),
                _ => Parser::default().cells(head, delimiter, None).join("\0").into_bytes(),
            };
            tally.head = [&names, end.as_bytes()].concat();
        }
        if let Some(reason) = layout.refusal() {
            self.problem(source, At::Whole, reason.into(), Left::Input);
        }
        if let Some(guess) = layout.guess() {
            self.guess(source, guess);
        }
        self.layouts[source] = Some(layout);
    }

    fn guess(&mut self, source: usize, guess: String) {
        match self.input.guesses.iter_mut().find(|same| same.guess == guess) {
            Some(same) => same.files += 1,
            None => self.input.guesses.push(Guess { guess, file: self.files[source].clone(), files: 1 }),
        }
    }

    fn parse(&self, source: usize, block: &Block, parser: &mut Parser) -> Parsed {
        let (mut articles, mut problems, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        let (mut texts, mut taken) = (String::new(), None);
        // Threads that count the owners of one name would wait for each other.
        let file: Arc<str> = Arc::from(&*self.files[source]);
        let Source { name, given, is_known, .. } = &self.sources[source];
        let are_added = self.fields.are_added && !is_known;
        if let Some(layout) = &self.layouts[source] {
            texts = room(block.bytes.len());
            for (number, at, record) in block.records() {
                if are_added && taken.is_none() {
                    let field = annotate::taken(block.shape, number, record, parser);
                    taken = field.map(|field| annotate::clash(&format!("{given}{at}"), field));
                }
                if number < layout.headers() {
                    continue;
                }
                match parser.parse(layout, record) {
                    Ok(Some(article)) => {
                        let place = || format!("{name}{at}");
                        articles.push((push(&mut texts, &article, place), at));
                    }
                    Ok(None) => skipped.push(number),
                    Err((id, reason)) => {
                        let id = id.unwrap_or_else(|| format!("{name}{at}"));
                        let place = format!("{given}{at}");
                        let what = match std::str::from_utf8(record) {
                            Ok(_) if reason == fields::ACTION => Left::Action,
                            Ok(_) => Left::Record,
                            Err(_) => Left::Encoding,
                        };
                        // It says what to do with the next record, and must neither stay without it nor get fields.
                        if what == Left::Action && self.fields.are_read_again && !is_known && taken.is_none() {
                            taken = Some(format!("{place} cannot be written beside articles, since it is {reason}"));
                        }
                        problems.push(Problem { id, place, reason, what });
                        skipped.push(number);
                    }
                }
            }
        }
        // To give back a few pages takes longer than they are worth.
        if texts.len() < texts.capacity() / 8 * 7 {
            texts.shrink_to_fit();
        }
        let texts = Arc::new(texts);
        let document = |([id, text, date, outlet, end], at): ([usize; 5], At)| {
            let place = Place { file: file.clone(), at };
            Document { block: texts.clone(), id, text, date, source: outlet, end, is_known: *is_known, place }
        };
        let documents: Vec<Document> = articles.into_iter().map(document).collect();
        let mut marked_up = MarkedUp::default();
        documents.iter().for_each(|document| marked_up.look_at(document));
        let count = if self.fields.are_read_again { Count::of(block) } else { Count::without_sum(block) };
        Parsed::Block { source, count, documents, marked_up, problems, skipped, taken }
    }
}

/// The article in a line of JSON that came as the so-manieth on standard input. Its fields are chosen as those of a file are; where it has no
/// id, its place stands for it.
///
/// # Errors
/// The id, if there is one, and why it is no article.
pub fn line(fields: &Fields, line: &[u8], number: u64) -> Result<Document, (Option<String>, String)> {
    if let Err(error) = std::str::from_utf8(line) {
        return Err((None, format!("byte {} is not valid UTF-8: convert the line to UTF-8", error.valid_up_to() + 1)));
    }
    let block = Block::line(line.to_vec(), number);
    let layout = fields.layout(&block, Form::Lines);
    let mut parser = Parser::default();
    let article = parser.parse(&layout, line)?.ok_or_else(|| (None, EMPTY.to_string()))?;
    let place = Place { file: "-".into(), at: At::Line(number) };
    let mut texts = String::new();
    let [id, text, date, source, end] = push(&mut texts, &article, || place.to_string());
    Ok(Document { block: Arc::new(texts), id, text, date, source, end, is_known: false, place })
}

/// Room for texts of so many bytes. New memory comes from the system page by page, when it is first written to; a copy that has to wait for
/// that after every few lines takes a third longer than one into pages that are there.
fn room(bytes: usize) -> String {
    const PAGE: usize = 4096;
    let mut room = Vec::with_capacity(bytes);
    room.spare_capacity_mut().chunks_mut(PAGE).for_each(|page| _ = page[0].write(0));
    String::from_utf8(room).unwrap_or_default()
}

/// Adds what an article holds to texts, with its place for an id if it has none: where its id, its text, its date and its source begin, and
/// where that ends.
fn push(texts: &mut String, article: &fields::Article<'_>, place: impl FnOnce() -> String) -> [usize; 5] {
    let start = texts.len();
    match &article.id {
        Some(id) => texts.push_str(id),
        None => texts.push_str(&place()),
    }
    let text = texts.len();
    texts.push_str(&article.text);
    let date = texts.len();
    texts.push_str(article.date.as_deref().unwrap_or_default());
    let source = texts.len();
    texts.push_str(article.source.as_deref().unwrap_or_default());
    [start, text, date, source, texts.len()]
}

const EMPTY: &str = "holds nothing: fill it or leave it out";

const NO_TEXT: &str = "holds records about the archive and none with a text: get the file again or leave it out";

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_worth_sharing_waits_for_no_more() {
        let (send, receive) = mpsc::sync_channel(1024);
        let (tell, told) = mpsc::channel();
        let block = || Item::Block(0, Block::line(vec![b' '; frame::BLOCK], 1));
        let enough = rayon::current_num_threads().max(4);
        (0..enough).for_each(|_| send.send(block()).unwrap());
        std::thread::scope(|scope| {
            scope.spawn(move || {
                // Only who waits for more gets it.
                let _ = told.recv_timeout(Duration::from_secs(5));
                let _ = send.send(block());
            });
            let taken = gather(&receive).map_or(0, |items| items.len());
            let _ = tell.send(());
            assert_eq!(taken, enough);
        });
    }
}
