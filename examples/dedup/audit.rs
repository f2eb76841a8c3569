//! `dedup audit PATH…`: estimates of recall and precision on the articles at hand.
//!
//! A random pair of articles is hardly ever a pair of copies, so that a sample in which all are compared with all holds next to
//! none. Articles are sampled instead, and each is compared with *all* others of the corpus. Each pair of copies comes into
//! such a sample with the same probability, whether or not the candidates know it: the share of these pairs that are
//! candidates is an unbiased estimate of the recall of the candidate stage.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use indicatif::HumanCount;
use retold::{Article, Pair, Relation, shared_passages};
use serde::Deserialize;
use serde_json::json;

use crate::columns::{Columns, Text};
use crate::compare::Layout;
use crate::input::{self, Document, Fields};
use crate::output::{self, shown};
use crate::progress;
use crate::search::{Search, Settings};
use crate::{Memory, Threads};

/// Estimates recall and precision on your own articles
///
/// Samples articles and compares each of them with all others. The share of the copies found this
/// way that are also candidates estimates the recall of the fast search. Lists the pairs closest to
/// the threshold. With --judge it shows such pairs one by one, asks whether they are copies, and
/// estimates the precision. Exact copies are always found, and excluded from all figures.
///
/// The same articles give the same sample in any order. Texts stay in memory, even with --memory.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Folders, files, or - for standard input, as without a command
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    threads: Threads,

    #[command(flatten)]
    memory: Memory,

    /// Number of articles to sample [default: 2000, fewer of more than 50,000 articles]
    ///
    /// Time grows with this number times the number of articles: 2,000 of 44,000 take 20 seconds on one thread.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    sample: Option<u64>,

    /// Number of pairs to list, the most doubtful first
    #[arg(long, value_name = "N", default_value_t = 10)]
    doubtful: usize,

    /// Ask about pairs, and store the answers in this file
    ///
    /// One JSON object per line: {"left": ID, "right": ID, "copy": true or false}. Pairs in the file are
    /// not asked about again.
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    judge: Option<PathBuf>,

    #[command(flatten)]
    fields: Fields,

    #[command(flatten)]
    search: Search,

    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Output")]
    format: Format,

    #[command(flatten)]
    layout: Layout,

    /// Hide progress; input errors are still reported
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs: one JSON object a line, the recall, the precision, then doubtful pairs
    Jsonl,
}

/// Pairs are near misses from this share of the confidence that makes a copy.
const NEARLY: f64 = 0.6;

pub fn run(args: &Args) -> Result<ExitCode, String> {
    if args.judge.is_some() && args.paths.iter().any(|path| path == Path::new("-")) {
        return Err("standard input cannot hold articles and answers: give --judge files to read".into());
    }
    let settings = args.search.settings(&args.search.build(args.search.detector())?);
    let bar = progress::bar(args.quiet);
    let detector = |search: retold::Search, held: u64| {
        let near_misses = settings.confidence.min(settings.threshold) * NEARLY;
        let builder = args.search.detector().search(search).near_misses(near_misses);
        let builder = args.memory.beside(held).limit(builder)?;
        args.search.build(builder.progress(progress::shown_on(&bar)))
    };
    // Before anything is read, so that an impossible option is told at once.
    detector(retold::Search::Candidates, 0)?;
    let mut answers = Answers::read(args.judge.as_deref())?;
    let pool = args.threads.pool()?;
    let found = input::find(&args.paths, args.fields.reading());
    let mut documents: Vec<Document> = Vec::new();
    let sink = |batch| {
        documents.extend(batch);
        Ok(())
    };
    let crate::Read { problems, .. } = pool.install(|| crate::read(found, &args.fields, &bar, args.quiet, sink))?;
    let bytes = |document: &Document| size_of::<Document>() + document.id().len() + document.text().len();
    let held = documents.iter().map(bytes).sum::<usize>() as u64;
    if !args.quiet {
        args.memory.tell_exceeded(documents.len() as u64, held, &bar);
    }
    let names = names(&documents);
    let sample = sample(&names, args.sample);
    progress::show_articles(&bar);
    let pairs_of = |detector: &retold::Detector| pool.install(|| detector.pairs_of(&documents, &sample));
    let taken = pairs_of(&detector(retold::Search::Candidates, held)?).map_err(|error| error.to_string())?;
    let all = pairs_of(&detector(retold::Search::Exhaustive, held)?).map_err(|error| error.to_string())?;
    bar.finish_and_clear();

    let audit = Audit::new((&documents, &names), &sample, taken, &all, settings);
    let mut out = BufWriter::new(io::stdout().lock());
    let columns = args.layout.columns();
    let judged = match args.format {
        Format::Text => audit.judge(&mut answers, columns, &mut out),
        // Programs read the results, and people answer.
        Format::Jsonl => audit.judge(&mut answers, columns, &mut io::stderr().lock()),
    };
    let written = judged.and_then(|()| {
        audit.write(args, &answers, &mut out)?;
        Ok(out.flush()?)
    });
    match written {
        Err(Failure::Output(error)) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write the results: {error}"))
        }
        Err(Failure::Answers(message)) => Err(message),
        _ => Ok(crate::exit_code(problems.iter(), false)),
    }
}

/// Why an audit ended early.
enum Failure {
    Output(io::Error),
    Answers(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// What articles are called: by their ids, and where several have one, by their texts as well.
fn names(documents: &[Document]) -> Vec<Cow<'_, str>> {
    let mut times: HashMap<&str, usize> = HashMap::new();
    documents.iter().for_each(|document| *times.entry(document.id()).or_default() += 1);
    let named = documents.iter().map(|document| match times[document.id()] {
        1 => Cow::Borrowed(document.id()),
        _ => format!("{}#{:08x}", document.id(), hash(document.text()) as u32).into(),
    });
    named.collect()
}

/// The positions of a sample of articles: those whose names have the smallest hashes.
fn sample(names: &[Cow<'_, str>], wanted: Option<u64>) -> Vec<usize> {
    const USUAL: usize = 2000;
    const FEW: usize = 100;
    const MOST_PAIRS: usize = 100_000_000;
    let wanted = match wanted {
        Some(wanted) => usize::try_from(wanted).unwrap_or(usize::MAX),
        None => USUAL.min((MOST_PAIRS / names.len().max(1)).max(FEW)),
    };
    let mut order: Vec<(u64, usize)> = names.iter().map(|name| hash(name)).zip(0..).collect();
    order.sort_unstable();
    order.truncate(wanted);
    order.into_iter().map(|(_, position)| position).collect()
}

/// A hash that is the same everywhere: FNV-1a, mixed.
fn hash(text: &str) -> u64 {
    let hash =
        text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let hash = (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64);
    hash ^ hash >> 29
}

/// What was found of a sample of articles.
struct Audit<'a> {
    documents: &'a [Document],
    names: &'a [Cow<'a, str>],
    sampled: usize,
    /// The pairs that were candidates, copies and near misses, the most doubtful first.
    taken: Vec<Pair>,
    /// The copies that were no candidates, the surest first.
    missed: Vec<Pair>,
    recall: Share,
    settings: Settings,
}

impl<'a> Audit<'a> {
    fn new(
        (documents, names): (&'a [Document], &'a [Cow<'a, str>]),
        sample: &[usize],
        mut taken: Vec<Pair>,
        all: &[Pair],
        settings: Settings,
    ) -> Self {
        let key = |pair: &Pair| (pair.left, pair.right);
        let candidates: HashSet<_> = taken.iter().filter(|pair| pair.relation.is_some()).map(key).collect();
        let copies: Vec<&Pair> = all.iter().filter(|pair| pair.relation.is_some()).collect();
        let mut missed: Vec<Pair> =
            copies.iter().filter(|pair| !candidates.contains(&key(pair))).map(|pair| **pair).collect();
        missed.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
        // Copies of one article are found or missed together, so that they tell less than as many pairs apart.
        let sampled: HashSet<usize> = sample.iter().copied().collect();
        let mut of_article: BTreeMap<usize, u64> = BTreeMap::new();
        for pair in &copies {
            let ends = [pair.left, pair.right].into_iter().filter(|end| sampled.contains(end));
            ends.for_each(|end| *of_article.entry(end).or_default() += 1);
        }
        let (sum, squares) = of_article.values().fold((0, 0), |(sum, squares), &n| (sum + n, squares + n * n));
        let apart = if squares > 0 { (sum * sum) as f64 / squares as f64 } else { 0.0 };
        let recall =
            Share { part: copies.len() - missed.len(), whole: copies.len(), apart: apart.min(copies.len() as f64) };
        let doubt = |pair: &Pair| doubt(pair, &settings);
        // Equals stay in the order of their ids, in which all pairs come.
        taken.sort_by(|a, b| doubt(a).total_cmp(&doubt(b)));
        Self { documents, names, sampled: sample.len(), taken, missed, recall, settings }
    }

    fn ids(&self, pair: &Pair) -> (&str, &str) {
        (&self.names[pair.left], &self.names[pair.right])
    }

    /// Which band of confidence a pair is in; see [`Band`].
    fn band(&self, pair: &Pair) -> Band {
        const BANDS: f64 = 5.0;
        let similarity = f64::from(pair.similarity);
        match pair.relation {
            Some(Relation::Reworded) => {
                let over = (similarity - self.settings.confidence) / (1.0 - self.settings.confidence).max(1e-6);
                Band::Reworded((over * BANDS).clamp(0.0, BANDS - 1.0) as usize)
            }
            Some(_) => Band::Near,
            None => Band::Missed,
        }
    }

    /// The pairs of each band, in an order that is as good as drawn by lot.
    fn bands(&self) -> BTreeMap<Band, Vec<&Pair>> {
        let mut bands: BTreeMap<Band, Vec<&Pair>> = BTreeMap::new();
        for pair in &self.taken {
            bands.entry(self.band(pair)).or_default().push(pair);
        }
        let lot = |pair: &&Pair| {
            let (left, right) = self.ids(pair);
            hash(&format!("{left}\0{right}"))
        };
        bands.values_mut().for_each(|pairs| pairs.sort_by_key(lot));
        bands
    }

    /// Asks about pairs until all are answered or somebody has enough.
    fn judge(&self, answers: &mut Answers, columns: Columns, out: &mut impl Write) -> Result<(), Failure> {
        if answers.file.is_none() {
            return Ok(());
        }
        let bands = self.bands();
        let longest = bands.values().map(Vec::len).max().unwrap_or(0);
        // One of each band in turn, the most doubtful band first, so that any number of answers tells of all bands.
        let queue = (0..longest).flat_map(|nth| bands.values().filter_map(move |pairs| pairs.get(nth)));
        let mut lines = io::stdin().lock().split(b'\n');
        for pair in queue {
            let (left, right) = self.ids(pair);
            if answers.of(left, right).is_some() {
                continue;
            }
            let texts =
                [pair.left, pair.right].map(|at| Text { name: &self.names[at], text: self.documents[at].text() });
            let passages = shared_passages(texts[0].text, texts[1].text);
            columns.write(texts[0], texts[1], &passages, out)?;
            writeln!(out, "\n{}", self.line(pair))?;
            loop {
                write!(out, "Is one a copy of the other, edited or reworded? [y]es, [n]o, [s]kip, [q]uit: ")?;
                out.flush()?;
                let Some(answer) = lines.next() else {
                    writeln!(out)?;
                    return Ok(());
                };
                let answer =
                    answer.map_err(|error| Failure::Answers(format!("cannot read standard input: {error}")))?;
                match String::from_utf8_lossy(&answer).trim().to_ascii_lowercase().as_str() {
                    "y" | "yes" => answers.keep(left, right, true)?,
                    "n" | "no" => answers.keep(left, right, false)?,
                    "s" | "skip" => {}
                    "q" | "quit" => return Ok(()),
                    _ => continue,
                }
                break;
            }
            writeln!(out)?;
        }
        Ok(())
    }

    /// A pair in one line.
    fn line(&self, pair: &Pair) -> String {
        let relation = pair.relation.map_or("none".to_string(), |relation| relation.to_string());
        let (left, right) = self.ids(pair);
        let reason =
            output::reason(pair.relation.or(pair.evidence.content.map(|_| Relation::Reworded)), Some(&pair.evidence));
        format!("{relation:<8}  {:.2}  {}  {}  {reason}", pair.similarity, shown(left), shown(right))
    }

    /// What the answers tell of the bands that make copies, and of near misses.
    fn judged(&self, answers: &Answers) -> (Judged, Judged) {
        let (mut copies, mut near_misses) = (Judged::default(), Judged::default());
        for (band, pairs) in self.bands() {
            let answered: Vec<bool> = pairs
                .iter()
                .filter_map(|pair| {
                    let (left, right) = self.ids(pair);
                    answers.of(left, right)
                })
                .collect();
            let right = answered.iter().filter(|&&copy| copy).count();
            let share = Share { part: right, whole: answered.len(), apart: answered.len() as f64 };
            if band == Band::Missed { &mut near_misses } else { &mut copies }.bands.push((pairs.len(), share));
        }
        (copies, near_misses)
    }

    /// How many rewordings are wrong if their confidences are right.
    fn expected_wrong(&self) -> f64 {
        let reworded = self.taken.iter().filter(|pair| pair.relation == Some(Relation::Reworded));
        reworded.map(|pair| 1.0 - f64::from(pair.similarity)).fold(0.0, |sum, wrong| sum + wrong)
    }

    fn write(&self, args: &Args, answers: &Answers, out: &mut impl Write) -> io::Result<()> {
        match args.format {
            Format::Text => self.write_text(args.doubtful, answers, out),
            Format::Jsonl => self.write_jsonl(args.doubtful, answers, out),
        }
    }

    fn write_text(&self, doubtful: usize, answers: &Answers, out: &mut impl Write) -> io::Result<()> {
        let count = |n: usize| HumanCount(n as u64).to_string();
        let pairs = |n: usize, one: &str, many: &str| match n {
            1 => format!("1 pair is {one}"),
            _ => format!("{} pairs are {many}", count(n)),
        };
        let Share { part, whole, .. } = self.recall;
        writeln!(
            out,
            "Sampled {} of {} articles and compared each with all others. Exact copies aside,",
            count(self.sampled),
            count(self.documents.len()),
        )?;
        match self.recall.interval() {
            Some((low, high)) => writeln!(
                out,
                "{} by the settings, of which the candidates hold {}:\n  recall of the candidates {:.3}, {low:.3} to {high:.3} with 95% confidence",
                pairs(whole, "a copy", "copies"),
                count(part),
                self.recall.estimate(),
            )?,
            None => writeln!(
                out,
                "no pair is a copy: the recall of the candidates cannot be told; a larger --sample may find some"
            )?,
        }
        let copies = self.taken.iter().filter(|pair| pair.relation.is_some()).count();
        writeln!(
            out,
            "{}; if the confidences hold here, {:.0} of them wrongly",
            pairs(copies, "taken for a copy", "taken for copies"),
            self.expected_wrong()
        )?;
        let (taken, near_misses) = self.judged(answers);
        if copies > 0 {
            writeln!(out, "  precision as judged: {}", taken.told())?;
        }
        if self.taken.len() > copies {
            let missed = pairs(self.taken.len() - copies, "a near miss", "near misses");
            writeln!(out, "{missed}\n  copies among them as judged: {}", near_misses.told())?;
        }
        for (head, pairs) in [("Copies that are no candidates", &self.missed), ("The most doubtful pairs", &self.taken)]
        {
            if !pairs.is_empty() && doubtful > 0 {
                writeln!(out, "\n{head}:")?;
            }
            for pair in pairs.iter().take(doubtful) {
                writeln!(out, "  {}", self.line(pair))?;
            }
        }
        Ok(())
    }

    fn write_jsonl(&self, doubtful: usize, answers: &Answers, out: &mut impl Write) -> io::Result<()> {
        let interval = |of: Option<(f64, f64)>| of.map_or(json!(null), |(low, high)| json!([low, high]));
        let estimate = |share: Share| (share.whole > 0).then(|| share.estimate());
        let recall = json!({
            "type": "recall",
            "articles": self.documents.len(),
            "sampled": self.sampled,
            "copies": self.recall.whole,
            "candidates": self.recall.part,
            "recall": estimate(self.recall),
            "interval": interval(self.recall.interval()),
        });
        output::write_line(out, &recall)?;
        let (taken, near_misses) = self.judged(answers);
        for (kind, judged) in [("precision", taken), ("near_misses", near_misses)] {
            let record = json!({
                "type": kind,
                "pairs": judged.pairs(),
                "judged": judged.answers(),
                "copies": judged.estimate(),
                "interval": interval(judged.interval()),
            });
            output::write_line(out, &record)?;
        }
        let missed = self.missed.iter().map(|pair| (pair, false));
        for (pair, candidate) in missed.take(doubtful).chain(self.taken.iter().map(|pair| (pair, true)).take(doubtful))
        {
            let (left, right) = self.ids(pair);
            let mut record = json!({"type": "pair", "left": left, "right": right, "candidate": candidate});
            record["relation"] = json!(pair.relation);
            record["similarity"] = output::rounded(pair.similarity.into(), 1e4);
            output::add_fields(&mut record, pair.evidence);
            output::write_line(out, &record)?;
        }
        Ok(())
    }
}

/// How far a pair is from the line between copies and others.
fn doubt(pair: &Pair, settings: &Settings) -> f64 {
    let by_content = pair.evidence.content.is_some() && pair.relation != Some(Relation::Near);
    let line = if by_content { settings.confidence } else { settings.threshold };
    (f64::from(pair.similarity) - line).abs()
}

/// Pairs that are about as doubtful. The most doubtful come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Band {
    /// A fifth of the way from the confidence that makes a copy to 1, the lowest first.
    Reworded(usize),
    Missed,
    Near,
}

/// A share that a sample shows.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    part: usize,
    whole: usize,
    /// How many independent draws the whole is worth.
    apart: f64,
}

impl Share {
    fn estimate(self) -> f64 {
        self.part as f64 / self.whole as f64
    }

    /// The interval of Wilson (1927) for 95 % confidence: it is right for few draws, and for none or all of them. None without
    /// any draw.
    fn interval(self) -> Option<(f64, f64)> {
        const Z2: f64 = 1.959_964 * 1.959_964;
        if self.whole == 0 {
            return None;
        }
        let (p, n) = (self.estimate(), self.apart);
        let middle = (p + Z2 / (2.0 * n)) / (1.0 + Z2 / n);
        let half = (Z2 * (p * (1.0 - p) / n + Z2 / (4.0 * n * n))).sqrt() / (1.0 + Z2 / n);
        Some(((middle - half).max(0.0), (middle + half).min(1.0)))
    }
}

/// Answers about pairs of several bands: how many pairs each has, and how many of the answers are yes.
#[derive(Default)]
struct Judged {
    bands: Vec<(usize, Share)>,
}

impl Judged {
    fn pairs(&self) -> usize {
        self.bands.iter().map(|(pairs, _)| pairs).sum()
    }

    fn answers(&self) -> usize {
        self.bands.iter().map(|(_, share)| share.whole).sum()
    }

    /// Each band and its share of all pairs.
    fn weighed(&self) -> impl Iterator<Item = (f64, Share)> {
        let all = self.pairs() as f64;
        self.bands.iter().map(move |&(pairs, share)| (pairs as f64 / all, share))
    }

    /// The share of copies, if there is an answer for each band.
    fn estimate(&self) -> Option<f64> {
        let known = self.answers() > 0 && self.bands.iter().all(|(_, share)| share.whole > 0);
        known.then(|| self.weighed().map(|(weight, share)| weight * share.estimate()).sum())
    }

    /// The interval for the sum of all bands, from those of each (Zou and Donner 2008). Of a band without answers anything may
    /// be true.
    fn interval(&self) -> Option<(f64, f64)> {
        let (mut sum, mut below, mut above) = (0.0, 0.0, 0.0);
        for (weight, share) in self.weighed() {
            let (low, high) = share.interval().unwrap_or((0.0, 1.0));
            let estimate = if share.whole > 0 { share.estimate() } else { 0.5 };
            sum += weight * estimate;
            below += (weight * (estimate - low)).powi(2);
            above += (weight * (high - estimate)).powi(2);
        }
        (self.answers() > 0).then(|| ((sum - below.sqrt()).max(0.0), (sum + above.sqrt()).min(1.0)))
    }

    fn told(&self) -> String {
        let s = if self.answers() == 1 { "" } else { "s" };
        let answers = format!("{} answer{s}", HumanCount(self.answers() as u64));
        match (self.estimate(), self.interval()) {
            (Some(share), Some((low, high))) => {
                format!("{share:.3}, {low:.3} to {high:.3} with 95% confidence, from {answers}")
            }
            (None, Some((low, high))) => {
                format!("{low:.3} to {high:.3} from {answers}; more of them tell more")
            }
            _ => "no answers yet, see --judge".into(),
        }
    }
}

/// What was answered about pairs of articles, by their ids, the smaller first.
struct Answers {
    file: Option<(PathBuf, File)>,
    of: BTreeMap<(String, String), bool>,
}

/// A line of the file of answers.
#[derive(Deserialize)]
struct Answer {
    left: String,
    right: String,
    copy: bool,
}

fn ordered(left: &str, right: &str) -> (String, String) {
    (left.min(right).into(), left.max(right).into())
}

impl Answers {
    /// Reads the answers that there are, and holds the file open for more.
    fn read(file: Option<&Path>) -> Result<Self, String> {
        let mut of = BTreeMap::new();
        let Some(path) = file else { return Ok(Self { file: None, of }) };
        let name = path.to_string_lossy();
        let written = match fs::read_to_string(path) {
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(format!("{name}: the answers cannot be read, {error}: give another file to --judge"));
            }
        };
        for (line, number) in written.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()) {
            let answer: Answer = serde_json::from_str(line)
                .map_err(|error| format!("{name}:{number}: not an answer, {error}: fix the line or remove it"))?;
            of.insert(ordered(&answer.left, &answer.right), answer.copy);
        }
        let open = OpenOptions::new().create(true).append(true).open(path);
        let mut open = open
            .map_err(|error| format!("{name}: the answers cannot be written, {error}: give another file to --judge"))?;
        if !written.is_empty() && !written.ends_with('\n') {
            writeln!(open).map_err(|error| format!("{name}: the answers cannot be written, {error}"))?;
        }
        Ok(Self { file: Some((path.into(), open)), of })
    }

    fn of(&self, left: &str, right: &str) -> Option<bool> {
        self.of.get(&ordered(left, right)).copied()
    }

    /// Writes an answer at once, so that none is lost.
    fn keep(&mut self, left: &str, right: &str, copy: bool) -> Result<(), Failure> {
        let (left, right) = ordered(left, right);
        if let Some((path, file)) = &mut self.file {
            let line = json!({"left": left, "right": right, "copy": copy}).to_string() + "\n";
            file.write_all(line.as_bytes()).map_err(|error| {
                Failure::Answers(format!("{}: an answer cannot be written, {error}: make room", path.display()))
            })?;
        }
        self.of.insert((left, right), copy);
        Ok(())
    }
}
