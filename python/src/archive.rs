//! Archives: articles on disk, each asked about as it comes.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use arrow_array::{ArrayRef, Int64Array};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use rayon::prelude::*;
use retold::{Archived, Match};

use crate::Setup;
use crate::columns::{Batch, Feed, Names, Row, label};
use crate::options::exception;
use crate::page::output::Texts;
use crate::report::{PyReport, evidence, floats, ints, optional, strings, table, to_py};
use crate::run::{self, Listener, Signal};
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

/// What archives are opened with: names of what is asked for, and the rest.
fn opened_with(names: Names, options: &Bound<'_, PyDict>, threads: Option<usize>) -> PyResult<(Names, Arc<Setup>)> {
    Ok((asked(&names, options)?, Arc::new(Setup::of(names, options, threads)?)))
}

/// Articles to be read without Python's lock; a string or a dict is one article.
fn feed(articles: &Bound<'_, PyAny>, names: &Names) -> PyResult<Feed> {
    if articles.is_instance_of::<PyString>() || articles.is_instance_of::<PyDict>() {
        return Feed::of(PyList::new(articles.py(), [articles])?.as_any(), names, 0);
    }
    Feed::of(articles, names, 0)
}

/// What is archived of each article that it repeats, as a table; `matches` answers for one article.
fn matches(
    feed: Feed,
    signal: &Signal,
    matches: impl Fn(&Row) -> retold::Result<Vec<Match>> + Sync,
) -> PyResult<Table> {
    let mut found: Vec<(usize, Match)> = Vec::new();
    let mut asked = 0;
    for batch in feed.batches(0) {
        let rows: Vec<Row> = batch?.rows().collect();
        for rows in rows.chunks(TOGETHER) {
            let answer = |row| {
                signal.check();
                matches(row)
            };
            let answers: Vec<Vec<Match>> = rows.par_iter().map(answer).collect::<Result<_, _>>().map_err(exception)?;
            found.extend((asked..).zip(answers).flat_map(|(at, all)| all.into_iter().map(move |one| (at, one))));
            asked += rows.len();
        }
    }
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
    ])
}

fn numbers(numbers: impl Iterator<Item = u64>) -> ArrayRef {
    ints(numbers.map(|number| number as usize))
}

/// Archived articles as a table.
fn articles(articles: &[Archived]) -> PyResult<Table> {
    table(vec![
        ("number", numbers(articles.iter().map(|article| article.number))),
        ("id", strings(articles.iter().map(|article| &article.id))),
        ("text", strings(articles.iter().map(|article| &article.text))),
        ("date", optional(articles.iter().map(|article| article.date.as_ref()))),
        ("source", optional(articles.iter().map(|article| article.source.as_ref()))),
    ])
}

/// A report on archived articles, and a table of these.
fn report((report, archived): (retold::Report, Vec<Archived>), setup: &Setup) -> PyResult<(PyReport, Table)> {
    let table = articles(&archived)?;
    drop(archived);
    let name = |name: &str| Some(name.to_string());
    let names = Names { text: "text".into(), id: name("id"), date: name("date"), source: name("source"), known: None };
    let rows = Batch::of(&table.whole(), &names, 0)?.rows().collect();
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
        create: bool,
        names: Names,
        options: &Bound<'_, PyDict>,
        threads: Option<usize>,
    ) -> PyResult<Self> {
        let (asked, setup) = opened_with(names, options, threads)?;
        let make = || match create {
            true => retold::Archive::create(&folder, &setup.detector),
            false => retold::Archive::open(&folder, &setup.detector),
        };
        let archive = run::within(py, setup.threads, make)?.map_err(exception)?;
        Ok(Self { setup, asked, archive: Slot::new(Some(archive)) })
    }

    fn add(&self, articles: &Bound<'_, PyAny>) -> PyResult<Array> {
        let feed = feed(articles, &self.setup.names)?;
        let nobody = Listener::of(articles.py(), None)?;
        self.with(articles.py(), &nobody, move |archive, setup| {
            let mut numbers = Vec::new();
            for batch in feed.batches(0) {
                let rows: Vec<Row> = batch?.rows().collect();
                for rows in rows.chunks(TOGETHER) {
                    setup.signal.check();
                    numbers.extend(archive.add_all(rows).map_err(exception)?);
                }
            }
            Ok(Array(Arc::new(Int64Array::from_iter_values(numbers.into_iter().map(|number| number as i64)))))
        })
    }

    fn matches(&self, articles: &Bound<'_, PyAny>) -> PyResult<Table> {
        let feed = feed(articles, &self.asked)?;
        let nobody = Listener::of(articles.py(), None)?;
        self.with(articles.py(), &nobody, move |archive, setup| {
            matches(feed, &setup.signal, |article| archive.matches(article))
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

    fn needs_census(&self, py: Python<'_>) -> PyResult<bool> {
        self.quietly(py, |archive| Ok(archive.needs_census()))
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
        threads: Option<usize>,
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
            matches(feed, &stop, |article| reader.matches(article))
        })
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
