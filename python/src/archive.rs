//! Archives: articles on disk, each asked about as it comes.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use arrow_array::builder::{Int64Builder, LargeListBuilder};
use arrow_array::{ArrayRef, Int64Array};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyMapping, PyString};
use rayon::prelude::*;
use retold::{Answer, Archived, Article as _, ExcerptMatch, Match, SkipReason, Skipped};

use crate::Setup;
use crate::columns::{Batch, Feed, Names, Row, label, warn};
use crate::options::exception;
use crate::page::output::Texts;
use crate::report::{PyReport, characters, counted, evidence, flags, floats, ints, optional, strings, table, to_py};
use crate::run::{self, Listener, Signal, Threads};
use crate::table::{Array, Table};

/// Articles that are added, or asked about, before somebody looks whether the work is to stop.
const TOGETHER: usize = 1024;

/// How often Python looks whether it was interrupted while it waits for another thread.
const LOOK: Duration = Duration::from_millis(50);

/// What one thread works with at a time.
///
/// Who waits for it must not be a thread of the pool, which may be needed by the one who has it.
struct Slot<T> {
    value: Mutex<Option<T>>,
    is_free: Condvar,
}

impl<T: Send> Slot<T> {
    fn new(value: T) -> Arc<Self> {
        Arc::new(Self { value: Mutex::new(Some(value)), is_free: Condvar::new() })
    }

    /// Waits until nobody works with it.
    fn lend(self: &Arc<Self>, py: Python<'_>) -> PyResult<Lent<T>> {
        loop {
            let value = py.detach(|| {
                let value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
                let waited = self.is_free.wait_timeout_while(value, LOOK, |value| value.is_none());
                waited.unwrap_or_else(PoisonError::into_inner).0.take()
            });
            if value.is_some() {
                return Ok(Lent { slot: Arc::clone(self), value });
            }
            py.check_signals()?;
        }
    }
}

/// Is given back when it is dropped, by work that was interrupted as well.
struct Lent<T> {
    slot: Arc<Slot<T>>,
    value: Option<T>,
}

impl<T> Drop for Lent<T> {
    fn drop(&mut self) {
        *self.slot.value.lock().unwrap_or_else(PoisonError::into_inner) = self.value.take();
        self.slot.is_free.notify_one();
    }
}

/// What is needed of articles that are only asked about: the text, and the date if that decides.
fn asked(names: &Names, options: &Bound<'_, PyDict>) -> PyResult<Names> {
    let has_span = options.get_item("within")?.is_some_and(|span| !span.is_none());
    let date = names.date.clone().filter(|_| has_span);
    Ok(Names { text: names.text.clone(), id: None, date, source: None, known: None })
}

/// The names of articles that are asked about with their dates and sources.
fn unnamed(names: &Names) -> Names {
    Names { id: None, known: None, ..names.clone() }
}

/// What archives are opened with: names of what is asked for, and the rest.
fn opened_with(names: Names, options: &Bound<'_, PyDict>, threads: Option<Threads>) -> PyResult<(Names, Arc<Setup>)> {
    Ok((asked(&names, options)?, Arc::new(Setup::of(names, options, threads)?)))
}

/// Articles to be read without Python's lock; a string or a mapping is one article.
fn feed(articles: &Bound<'_, PyAny>, names: &Names) -> PyResult<Feed> {
    if articles.is_instance_of::<PyString>() || articles.cast::<PyMapping>().is_ok() {
        return Feed::of(PyList::new(articles.py(), [articles])?.as_any(), names, 0);
    }
    Feed::of(articles, names, 0)
}

/// What comes of all articles, in order; `take` takes some that go together.
fn in_turn<T>(feed: Feed, signal: &Signal, mut take: impl FnMut(&[Row]) -> retold::Result<Vec<T>>) -> PyResult<Vec<T>> {
    let mut all = Vec::new();
    for batch in feed.batches(0) {
        let rows: Vec<Row> = batch?.rows().collect();
        for rows in rows.chunks(TOGETHER) {
            signal.check();
            all.extend(take(rows).map_err(exception)?);
        }
    }
    Ok(all)
}

/// What is told of each article, in order; `tell` tells of one.
fn told<T: Send>(feed: Feed, signal: &Signal, tell: impl Fn(&Row) -> retold::Result<T> + Sync) -> PyResult<Vec<T>> {
    in_turn(feed, signal, |rows| {
        let tell = |row| {
            signal.check();
            tell(row)
        };
        rows.par_iter().map(tell).collect()
    })
}

/// What is archived of each article that it repeats, as a table.
fn matches(told: Vec<Vec<Match>>) -> PyResult<Table> {
    let found: Vec<(usize, Match)> = numbered(told);
    let all = || found.iter().map(|(_, found)| found);
    table(vec![
        ("asked", ints(found.iter().map(|(asked, _)| *asked))),
        ("number", numbers(all().map(|found| found.number))),
        ("id", strings(all().map(|found| &found.id))),
        ("source", optional(all().map(|found| found.source.as_ref()))),
        ("date", optional(all().map(|found| found.date.as_ref()))),
        ("relation", strings(all().map(|found| found.relation.to_string()))),
        ("similarity", floats(all().map(|found| found.similarity))),
        ("evidence", evidence(all().map(|found| found.evidence).collect())),
        ("is_estimated", flags(all().map(|found| found.is_estimated))),
    ])
}

/// What is archived of each article, as a table. It warns of those that could not be compared.
fn copies(told: Vec<Answer>) -> PyResult<Table> {
    warn_of_incomparable(told.iter().map(|answer| answer.skipped))?;
    matches(told.into_iter().map(|answer| answer.matches).collect())
}

/// What is told of each article, with the number of this.
fn numbered<T>(told: Vec<Vec<T>>) -> Vec<(usize, T)> {
    let of_one = |(asked, told): (usize, Vec<T>)| told.into_iter().map(move |one| (asked, one));
    told.into_iter().enumerate().flat_map(of_one).collect()
}

/// A passage that an archived article has as well, with its places in characters: in the text that was asked about, and in the archived
/// one.
struct Passage {
    of: ExcerptMatch,
    places: [Range<usize>; 2],
}

/// What was told of one article: what it repeats, the passages, and why it could not be compared if it could not.
type Told = (Vec<Match>, Vec<Passage>, Option<SkipReason>);

/// What is archived of one article; `archived` is the article of a number.
fn answer(
    row: &Row,
    answer: Answer,
    archived: impl Fn(u64) -> retold::Result<Option<Archived>>,
) -> retold::Result<Told> {
    let excerpts = answer.excerpts;
    let asked = characters(row.text(), excerpts.iter().map(|of| &of.span));
    let mut places: Vec<[Range<usize>; 2]> = asked.into_iter().map(|place| [place, 0..0]).collect();
    let mut of_articles: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    excerpts.iter().enumerate().for_each(|(at, of)| of_articles.entry(of.number).or_default().push(at));
    for (number, of_article) in of_articles {
        let text = archived(number)?.and_then(|archived| archived.text).unwrap_or_default();
        let spans = of_article.iter().map(|&at| &excerpts[at].archived_span);
        let counted = characters(&text, spans);
        of_article.into_iter().zip(counted).for_each(|(at, place)| places[at][1] = place);
    }
    let passages = excerpts.into_iter().zip(places).map(|(of, places)| Passage { of, places });
    Ok((answer.matches, passages.collect(), answer.skipped))
}

/// What was told of each article, as a table of what it repeats and one of the passages. It warns of those that could not be compared.
fn answers(told: Vec<Told>) -> PyResult<(Table, Table)> {
    warn_of_incomparable(told.iter().map(|(.., reason)| *reason))?;
    let (found, passages): (Vec<_>, Vec<_>) = told.into_iter().map(|(found, passages, _)| (found, passages)).unzip();
    let passages: Vec<(usize, Passage)> = numbered(passages);
    let all = || passages.iter().map(|(_, passage)| &passage.of);
    let places = |place: fn(&[Range<usize>; 2]) -> usize| ints(passages.iter().map(move |(_, of)| place(&of.places)));
    let mut others = LargeListBuilder::new(Int64Builder::new());
    for passage in all() {
        passage.others.iter().for_each(|&number| others.values().append_value(number as i64));
        others.append(true);
    }
    let passages = table(vec![
        ("asked", ints(passages.iter().map(|(asked, _)| *asked))),
        ("start", places(|places| places[0].start)),
        ("end", places(|places| places[0].end)),
        ("number", numbers(all().map(|of| of.number))),
        ("id", strings(all().map(|of| &of.id))),
        ("source", optional(all().map(|of| of.source.as_ref()))),
        ("date", optional(all().map(|of| of.date.as_ref()))),
        ("archived_start", places(|places| places[1].start)),
        ("archived_end", places(|places| places[1].end)),
        ("words", ints(all().map(|of| of.words))),
        ("kind", strings(all().map(|of| of.kind.to_string()))),
        ("same", floats(all().map(|of| of.same))),
        ("holders", ints(all().map(|of| of.holders))),
        ("others", Arc::new(others.finish())),
        ("is_furniture", flags(all().map(|of| of.is_furniture))),
    ])?;
    Ok((matches(found)?, passages))
}

/// The numbers of articles by themselves, null for those that were passed over, of which it warns.
fn added(of: Vec<Result<u64, Skipped>>) -> PyResult<Array> {
    let mut skipped = of.iter().filter_map(|number| number.as_ref().err());
    if let Some(first) = skipped.next() {
        let (id, reason) = (&first.id, first.reason);
        let articles_were = counted(1 + skipped.count(), "article was", "articles were");
        warn(&format!("{articles_were} not added, such as {id:?}: {reason}"))?;
    }
    Ok(Array(Arc::new(of.into_iter().map(|number| number.ok().map(|number| number as i64)).collect::<Int64Array>())))
}

/// Warns of articles that could not be compared, if there are any: for each in order why not.
fn warn_of_incomparable(reasons: impl Iterator<Item = Option<SkipReason>>) -> PyResult<()> {
    let mut reasons = reasons.enumerate().filter_map(|(at, reason)| Some((at, reason?)));
    let Some((at, reason)) = reasons.next() else { return Ok(()) };
    let articles = counted(1 + reasons.count(), "article", "articles");
    warn(&format!("{articles} could not be compared, such as the one at {at}: {reason}"))
}

fn numbers(numbers: impl Iterator<Item = u64>) -> ArrayRef {
    ints(numbers.map(|number| number as usize))
}

/// Archived articles as a table.
fn articles(articles: &[Archived]) -> PyResult<Table> {
    with_texts(articles, optional(articles.iter().map(|article| article.text.as_ref())))
}

fn with_texts(articles: &[Archived], texts: ArrayRef) -> PyResult<Table> {
    table(vec![
        ("number", numbers(articles.iter().map(|article| article.number))),
        ("id", strings(articles.iter().map(|article| &article.id))),
        ("text", texts),
        ("date", optional(articles.iter().map(|article| article.date.as_ref()))),
        ("source", optional(articles.iter().map(|article| article.source.as_ref()))),
    ])
}

/// A report on archived articles, and a table of these.
fn report((report, archived): (retold::Report, Vec<Archived>), setup: &Setup) -> PyResult<(PyReport, Table)> {
    let table = articles(&archived)?;
    // Who has no text has none to show, and is in the report all the same.
    let without_text = archived.iter().any(|article| article.text.is_none());
    let empty = || with_texts(&archived, strings(archived.iter().map(retold::Article::text)));
    let shown = without_text.then(empty).transpose()?;
    drop(archived);
    let name = |name: &str| Some(name.to_string());
    let names = Names { text: "text".into(), id: name("id"), date: name("date"), source: name("source"), known: None };
    let rows = Batch::of(&shown.as_ref().unwrap_or(&table).whole(), &names, 0)?.rows().collect();
    Ok((PyReport::new(report, Texts::Held(rows), setup.settings.clone())?, table))
}

#[pyclass(frozen, module = "retold._retold")]
pub struct Archive {
    setup: Arc<Setup>,
    asked: Names,
    /// None once it was closed.
    archive: Arc<Slot<Option<retold::Archive>>>,
}

impl Archive {
    /// Runs a job on the pool; other threads that work with the archive wait.
    fn with<T: Send + 'static>(
        &self,
        py: Python<'_>,
        listener: &Listener,
        job: impl FnOnce(&mut retold::Archive, &Setup) -> PyResult<T> + Send + 'static,
    ) -> PyResult<T> {
        let mut lent = self.archive.lend(py)?;
        let setup = Arc::clone(&self.setup);
        run::run(py, self.setup.threads, &self.setup.signal, listener, move || {
            let archive = lent.value.as_mut().and_then(Option::as_mut);
            job(archive.ok_or_else(|| PyValueError::new_err("the archive is closed: open it again"))?, &setup)
        })
    }

    fn quietly<T: Send + 'static>(
        &self,
        py: Python<'_>,
        job: impl FnOnce(&mut retold::Archive) -> retold::Result<T> + Send + 'static,
    ) -> PyResult<T> {
        self.with(py, &Listener::of(py, None)?, |archive, _| job(archive).map_err(exception))
    }
}

#[pymethods]
impl Archive {
    #[new]
    fn new(
        py: Python<'_>,
        folder: PathBuf,
        how: &str,
        names: Names,
        options: &Bound<'_, PyDict>,
        threads: Option<Threads>,
    ) -> PyResult<Self> {
        let (asked, setup) = opened_with(names, options, threads)?;
        let make = || match how {
            "create" => retold::Archive::create(&folder, &setup.detector),
            "create_without_texts" => retold::Archive::create_without_texts(&folder, &setup.detector),
            "recount" => retold::Archive::recount(&folder, &setup.detector),
            _ => retold::Archive::open(&folder, &setup.detector),
        };
        let archive = run::within(py, setup.threads, make)?.map_err(exception)?;
        Ok(Self { setup, asked, archive: Slot::new(Some(archive)) })
    }

    fn add(&self, articles: &Bound<'_, PyAny>) -> PyResult<Array> {
        let feed = feed(articles, &self.setup.names)?;
        let nobody = Listener::of(articles.py(), None)?;
        self.with(articles.py(), &nobody, move |archive, setup| {
            let of = in_turn(feed, &setup.signal, |rows| archive.add_all(rows))?;
            warn_of_incomparable(of.iter().map(|added| added.as_ref().ok()?.skipped))?;
            added(of.into_iter().map(|added| added.map(|added| added.number)).collect())
        })
    }

    fn matches(&self, articles: &Bound<'_, PyAny>) -> PyResult<Table> {
        let feed = feed(articles, &self.asked)?;
        let nobody = Listener::of(articles.py(), None)?;
        self.with(articles.py(), &nobody, move |archive, setup| {
            copies(told(feed, &setup.signal, |article| archive.ask(article))?)
        })
    }

    fn ask(&self, articles: &Bound<'_, PyAny>) -> PyResult<(Table, Table)> {
        let feed = feed(articles, &unnamed(&self.setup.names))?;
        let nobody = Listener::of(articles.py(), None)?;
        self.with(articles.py(), &nobody, move |archive, setup| {
            let tell = |article: &Row| answer(article, archive.ask(article)?, |number| archive.article(number));
            answers(told(feed, &setup.signal, tell)?)
        })
    }

    fn ask_and_add(&self, articles: &Bound<'_, PyAny>) -> PyResult<((Table, Table), Array)> {
        let feed = feed(articles, &self.setup.names)?;
        let nobody = Listener::of(articles.py(), None)?;
        self.with(articles.py(), &nobody, move |archive, setup| {
            let told = in_turn(feed, &setup.signal, |rows| {
                let told = archive.ask_and_add_all(rows)?;
                let archived = |number| archive.article(number);
                let of_one = |(told, row)| match told {
                    Ok((told, number)) => Ok((answer(row, told, archived)?, Ok(number))),
                    Err(skipped) => Ok((Default::default(), Err(skipped))),
                };
                told.into_iter().zip(rows).map(of_one).collect()
            })?;
            let (answered, numbers): (Vec<_>, Vec<_>) = told.into_iter().unzip();
            Ok((answers(answered)?, added(numbers)?))
        })
    }

    fn remove(&self, id: &Bound<'_, PyAny>) -> PyResult<u64> {
        let given = label("id", id)?;
        self.quietly(id.py(), move |archive| archive.remove(&given))
    }

    fn remove_number(&self, py: Python<'_>, number: u64) -> PyResult<bool> {
        self.quietly(py, move |archive| archive.remove_number(number))
    }

    fn expire(&self, before: &Bound<'_, PyAny>) -> PyResult<u64> {
        let given = label("before", before)?;
        self.quietly(before.py(), move |archive| archive.expire(&given))
    }

    fn commit(&self, py: Python<'_>) -> PyResult<()> {
        self.quietly(py, retold::Archive::commit)
    }

    fn merge(&self, py: Python<'_>) -> PyResult<()> {
        self.quietly(py, retold::Archive::merge)
    }

    fn compact(&self, py: Python<'_>) -> PyResult<()> {
        self.quietly(py, retold::Archive::compact)
    }

    fn needs_census(&self, py: Python<'_>, growth: Option<f64>) -> PyResult<bool> {
        if let Some(growth) = growth.filter(|growth| growth.is_nan() || *growth < 0.0) {
            return Err(PyValueError::new_err(format!(
                "growth = {growth} is out of range: give a share, such as 0.05, not negative"
            )));
        }
        let needs = move |archive: &retold::Archive| match growth {
            Some(growth) => archive.needs_census_after(growth),
            None => archive.needs_census(),
        };
        self.quietly(py, move |archive| Ok(needs(archive)))
    }

    fn take_census(&self, py: Python<'_>, progress: Option<Bound<'_, PyAny>>) -> PyResult<u64> {
        self.with(py, &Listener::of(py, progress)?, |archive, _| archive.take_census().map_err(exception))
    }

    fn census(&self, py: Python<'_>) -> PyResult<u64> {
        self.quietly(py, |archive| Ok(archive.census()))
    }

    fn report(&self, py: Python<'_>, progress: Option<Bound<'_, PyAny>>) -> PyResult<(PyReport, Table)> {
        self.with(py, &Listener::of(py, progress)?, |archive, setup| {
            report(archive.report().map_err(exception)?, setup)
        })
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_py(py, &self.quietly(py, |archive| Ok(archive.stats()))?)
    }

    fn verify(&self, py: Python<'_>) -> PyResult<()> {
        self.quietly(py, |archive| archive.verify())
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let mut lent = self.archive.lend(py)?;
        let archive = lent.value.replace(None);
        // Files may be merged on a thread of its own, which is waited for.
        py.detach(|| drop(archive));
        Ok(())
    }
}

#[pyclass(frozen, module = "retold._retold")]
pub struct ArchiveReader {
    setup: Arc<Setup>,
    asked: Names,
    reader: retold::ArchiveReader,
    /// Reports are told of by one signal, and so made one after the other.
    turn: Arc<Slot<()>>,
}

#[pymethods]
impl ArchiveReader {
    #[new]
    fn new(
        py: Python<'_>,
        folder: PathBuf,
        names: Names,
        options: &Bound<'_, PyDict>,
        threads: Option<Threads>,
    ) -> PyResult<Self> {
        let (asked, setup) = opened_with(names, options, threads)?;
        let open = || retold::ArchiveReader::open(&folder, &setup.detector);
        let reader = run::within(py, setup.threads, open)?.map_err(exception)?;
        Ok(Self { setup, asked, reader, turn: Slot::new(()) })
    }

    fn refresh(&self, py: Python<'_>) -> PyResult<()> {
        run::within(py, self.setup.threads, || self.reader.refresh())?.map_err(exception)
    }

    fn census(&self) -> u64 {
        self.reader.census()
    }

    fn matches(&self, articles: &Bound<'_, PyAny>) -> PyResult<Table> {
        let feed = feed(articles, &self.asked)?;
        let nobody = Listener::of(articles.py(), None)?;
        // Others may ask at the same time, and be interrupted alone.
        let signal = Arc::new(Signal::default());
        let (reader, stop) = (self.reader.clone(), Arc::clone(&signal));
        run::run(articles.py(), self.setup.threads, &signal, &nobody, move || {
            copies(told(feed, &stop, |article| reader.ask(article))?)
        })
    }

    fn ask(&self, articles: &Bound<'_, PyAny>) -> PyResult<(Table, Table)> {
        let feed = feed(articles, &unnamed(&self.setup.names))?;
        let nobody = Listener::of(articles.py(), None)?;
        let signal = Arc::new(Signal::default());
        let (reader, stop) = (self.reader.clone(), Arc::clone(&signal));
        run::run(articles.py(), self.setup.threads, &signal, &nobody, move || {
            let tell = |article: &Row| answer(article, reader.ask(article)?, |number| reader.article(number));
            answers(told(feed, &stop, tell)?)
        })
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_py(py, &run::within(py, self.setup.threads, || self.reader.stats())?)
    }

    fn verify(&self, py: Python<'_>) -> PyResult<()> {
        run::within(py, self.setup.threads, || self.reader.verify())?.map_err(exception)
    }

    fn articles(&self, py: Python<'_>) -> PyResult<Table> {
        run::within(py, self.setup.threads, || articles(&self.reader.articles().map_err(exception)?))?
    }

    fn report(&self, py: Python<'_>, progress: Option<Bound<'_, PyAny>>) -> PyResult<(PyReport, Table)> {
        let turn = self.turn.lend(py)?;
        let (reader, setup) = (self.reader.clone(), Arc::clone(&self.setup));
        run::run(py, self.setup.threads, &self.setup.signal, &Listener::of(py, progress)?, move || {
            let made = report(reader.report().map_err(exception)?, &setup);
            drop(turn);
            made
        })
    }
}
