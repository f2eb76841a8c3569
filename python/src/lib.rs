//! The Python package `retold`: what the crate finds, for Python's tables and notebooks.
//!
//! Nothing is decided here. `columns` makes articles of what Python has, `options` and `run` call the crate, `report` and `table` give
//! back what it found. The functions that users call, with their documentation, are in `python/retold/__init__.py`.

mod archive;
mod capsule;
mod columns;
mod kernels;
mod options;
mod page;
mod report;
mod run;
mod sign;
mod table;

// As the page asks for them.
use page::{input, output, search};

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::builder::LargeStringBuilder;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySlice};
use retold::{Shingle, ShingleSet, shared_passages as passages};

use columns::{Feed, Names, Row};
use options::exception;
use output::Texts;
use report::PyReport;
use run::{Listener, Signal, Threads};
use search::Settings;
use table::{Array, Table};

#[pymodule(gil_used = false)]
mod _retold {
    #[pymodule_export]
    use super::archive::{Archive, ArchiveReader};
    #[pymodule_export]
    use super::kernels::{Decider, Kernel, kernels_version};
    #[pymodule_export]
    use super::sign::{sign, simhash};
    #[pymodule_export]
    use super::{Array, Collector, PyReport, Table, compare, defaults, find, jaccard, pairs, shared_passages};

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("FORMAT_VERSION", retold::FORMAT_VERSION)
    }
}

/// What `find`, `pairs`, `Collector` and the archives have in common.
struct Setup {
    names: Names,
    detector: retold::Detector,
    settings: Settings,
    signal: Arc<Signal>,
    threads: usize,
}

impl Setup {
    fn of(names: Names, options: &Bound<'_, PyDict>, threads: Option<Threads>) -> PyResult<Self> {
        let (builder, settings) = options::detector(options)?;
        let signal = Arc::new(Signal::default());
        let to = Arc::clone(&signal);
        let detector = builder.progress(move |progress| to.progress(progress)).build().map_err(exception)?;
        Ok(Self { names, detector, settings, signal, threads: run::threads(threads) })
    }

    /// All articles, in memory.
    fn read(feed: Feed, signal: &Signal) -> PyResult<Vec<Row>> {
        let mut rows = Vec::new();
        for batch in feed.batches(0) {
            signal.check();
            rows.extend(batch?.rows());
        }
        Ok(rows)
    }
}

/// Whether somebody holds the articles, so that they take no memory of ours: a table or a list does, a stream or a query does not.
fn is_held(articles: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(articles.hasattr("__len__")? && !articles.hasattr("fetchall")? && !articles.hasattr("with_format")?)
}

#[pyfunction]
fn find(
    articles: &Bound<'_, PyAny>,
    names: Names,
    options: &Bound<'_, PyDict>,
    threads: Option<Threads>,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<PyReport> {
    let py = articles.py();
    let Setup { names, detector, settings, signal, threads } = Setup::of(names, options, threads)?;
    let may_spill = options::limits_memory(options)? && !is_held(articles)?;
    let feed = Feed::of(articles, &names, 0)?;
    let listener = Listener::of(py, progress)?;
    let stop = Arc::clone(&signal);
    run::run(py, threads, &signal, &listener, move || {
        let (report, texts) = if may_spill {
            let mut collected = Collected::new(&detector);
            collected.extend(feed, &stop)?;
            collected.find()?
        } else {
            let rows = Setup::read(feed, &stop)?;
            (detector.find(&rows).map_err(exception)?, Texts::Held(rows))
        };
        PyReport::new(report, texts, settings)
    })
}

#[pyfunction]
fn pairs(
    articles: &Bound<'_, PyAny>,
    names: Names,
    options: &Bound<'_, PyDict>,
    threads: Option<Threads>,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<Table> {
    let py = articles.py();
    let Setup { names, detector, signal, threads, .. } = Setup::of(names, options, threads)?;
    let feed = Feed::of(articles, &names, 0)?;
    let listener = Listener::of(py, progress)?;
    let stop = Arc::clone(&signal);
    run::run(py, threads, &signal, &listener, move || {
        let rows = Setup::read(feed, &stop)?;
        let pairs = detector.pairs(&rows).map_err(exception)?;
        report::pairs(&pairs, &Texts::Held(rows))
    })
}

/// What a collector was given so far, and what of it the collector does not keep.
struct Collected {
    collector: retold::Collector<Row>,
    dates: LargeStringBuilder,
    len: usize,
}

impl Collected {
    fn new(detector: &retold::Detector) -> Self {
        Self { collector: detector.collector(), dates: LargeStringBuilder::new(), len: 0 }
    }

    fn extend(&mut self, feed: Feed, signal: &Signal) -> PyResult<()> {
        for batch in feed.batches(self.len) {
            signal.check();
            let batch = batch?;
            batch.dates().for_each(|date| self.dates.append_option(date));
            let rows = batch.rows();
            self.len += rows.len();
            self.collector.extend(rows).map_err(exception)?;
        }
        Ok(())
    }

    fn find(mut self) -> PyResult<(retold::Report, Texts)> {
        let (report, articles) = self.collector.find().map_err(exception)?;
        Ok((report, Texts::Spilled(Box::new(articles), self.dates.finish())))
    }
}

#[pyclass(frozen, module = "retold._retold")]
struct Collector {
    setup: Setup,
    /// What came so far; none once it was used up.
    state: Mutex<Option<Collected>>,
}

impl Collector {
    fn take(&self) -> PyResult<Collected> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(|| {
            PyValueError::new_err("the collector is used up, interrupted, or in use by another thread: make a new one")
        })
    }

    fn put(&self, state: Collected) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
    }
}

#[pymethods]
impl Collector {
    #[new]
    fn new(names: Names, options: &Bound<'_, PyDict>, threads: Option<Threads>) -> PyResult<Self> {
        let setup = Setup::of(names, options, threads)?;
        let state = Mutex::new(Some(Collected::new(&setup.detector)));
        Ok(Self { setup, state })
    }

    fn __len__(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map_or(0, |state| state.len)
    }

    fn extend(&self, articles: &Bound<'_, PyAny>) -> PyResult<()> {
        let first = self.__len__();
        let feed = Feed::of(articles, &self.setup.names, first)?;
        let mut state = self.take()?;
        let stop = Arc::clone(&self.setup.signal);
        let nobody = Listener::of(articles.py(), None)?;
        // Whatever fails, what came before stays.
        let (state, result) = run::run(articles.py(), self.setup.threads, &self.setup.signal, &nobody, move || {
            let result = state.extend(feed, &stop);
            Ok((state, result))
        })?;
        self.put(state);
        result
    }

    fn find(&self, py: Python<'_>, progress: Option<Bound<'_, PyAny>>) -> PyResult<PyReport> {
        let listener = Listener::of(py, progress)?;
        let state = self.take()?;
        let settings = self.setup.settings.clone();
        run::run(py, self.setup.threads, &self.setup.signal, &listener, move || {
            let (report, texts) = state.find()?;
            PyReport::new(report, texts, settings)
        })
    }
}

#[pyfunction]
fn compare<'py>(py: Python<'py>, left: &str, right: &str, options: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    let detector = options::detector(options)?.0.build().map_err(exception)?;
    let comparison = run::within(py, 0, || detector.compare_texts(left, right))?.map_err(exception)?;
    let found = report::to_py(py, &comparison)?;
    let lookalike = || comparison.evidence?.content?.lookalike();
    let lookalike = match comparison.relation {
        None => lookalike(),
        Some(_) => None,
    };
    found.set_item("lookalike", report::to_py(py, &lookalike)?)?;
    // Flat, as tables have it.
    found.set_item("evidence", table::value(py, &report::evidence(vec![comparison.evidence]), 0)?)?;
    Ok(found)
}

#[pyfunction]
fn shared_passages<'py>(py: Python<'py>, left: &str, right: &str) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let found = run::within(py, 0, || {
        let found = passages(left, right);
        let places = |text, of: fn(&retold::Passage) -> &Range<usize>| report::characters(text, found.iter().map(of));
        let (left, right) = (places(left, |of| &of.left), places(right, |of| &of.right));
        found.iter().map(|of| of.kind).zip(left.into_iter().zip(right)).collect::<Vec<_>>()
    })?;
    let slice = |place: Range<usize>| PySlice::new(py, place.start as isize, place.end as isize, 1);
    let passage = |(kind, (left, right)): (retold::PassageKind, (Range<usize>, Range<usize>))| {
        let dict = PyDict::new(py);
        dict.set_item("kind", kind.to_string())?;
        dict.set_item("left", slice(left))?;
        dict.set_item("right", slice(right))?;
        Ok(dict)
    };
    found.into_iter().map(passage).collect()
}

#[pyfunction]
fn jaccard(py: Python<'_>, left: &str, right: &str, options: &Bound<'_, PyDict>) -> PyResult<f64> {
    let shingle = options::shingle(options)?.unwrap_or(Shingle::Words(3));
    let both = || ShingleSet::new(left, shingle)?.jaccard(&ShingleSet::new(right, shingle)?);
    run::within(py, 0, both)?.map_err(exception)
}

/// The crate's defaults, to hold those of the Python functions against.
#[pyfunction]
fn defaults(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    report::to_py(py, &retold::Detector::builder())
}
