//! Options as Python gives them, and the crate's errors as Python's exceptions.

use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use pyo3::conversion::FromPyObjectOwned;
use pyo3::exceptions::{
    PyBlockingIOError, PyFileExistsError, PyFileNotFoundError, PyOSError, PyOverflowError, PyTypeError, PyValueError,
};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use retold::{ArchiveFault, Detector, DetectorBuilder, Error, Excerpts, Level, Shingle};

use crate::page::search::Settings;

/// The exception for an error of the crate.
pub fn exception(error: Error) -> PyErr {
    match &error {
        Error::Spill { source, .. } => io_exception(source, error.to_string()),
        Error::Archive { fault, .. } => archive_exception(fault, error.to_string()),
        _ => PyValueError::new_err(error.to_string()),
    }
}

fn archive_exception(fault: &ArchiveFault, message: String) -> PyErr {
    match fault {
        ArchiveFault::Io(source) => io_exception(source, message),
        ArchiveFault::Missing => PyFileNotFoundError::new_err(message),
        ArchiveFault::Exists => PyFileExistsError::new_err(message),
        ArchiveFault::Locked => PyBlockingIOError::new_err(message),
        // What was given does not fit, and the archive is as it should be.
        ArchiveFault::Profile { .. } | ArchiveFault::TooLarge { .. } | ArchiveFault::NoTexts => {
            PyValueError::new_err(message)
        }
        _ => PyOSError::new_err(message),
    }
}

/// With the number of the error, so that Python chooses the class: `PermissionError`, `FileNotFoundError`.
fn io_exception(source: &io::Error, message: String) -> PyErr {
    match source.raw_os_error() {
        Some(code) => PyOSError::new_err((code, message)),
        None => PyOSError::new_err(message),
    }
}

/// Reads an option of a name from keyword arguments; `None` if it is not there or is `None`.
fn get<'py, T: FromPyObjectOwned<'py>>(options: &Bound<'py, PyDict>, name: &str, needed: &str) -> PyResult<Option<T>> {
    let Some(value) = options.get_item(name)?.filter(|value| !value.is_none()) else { return Ok(None) };
    extract(value.as_borrowed(), name, needed).map(Some)
}

/// The value of an option of a name, of which `needed` says what it can be.
pub fn extract<'a, 'py, T: FromPyObject<'a, 'py>>(
    value: Borrowed<'a, 'py, PyAny>,
    name: &str,
    needed: &str,
) -> PyResult<T> {
    value.extract().map_err(|error: T::Error| {
        let (error, py): (PyErr, _) = (error.into(), value.py());
        if error.is_instance_of::<PyOverflowError>(py) || error.is_instance_of::<PyValueError>(py) {
            return PyValueError::new_err(format!("{name} = {} is out of range: give {needed}", &*value));
        }
        match value.get_type().name() {
            Ok(kind) => PyTypeError::new_err(format!("{name} is {kind}: give {needed}")),
            Err(error) => error,
        }
    })
}

fn named<T: FromStr<Err = Error>>(options: &Bound<'_, PyDict>, name: &str) -> PyResult<Option<T>> {
    let value: Option<String> = get(options, name, "a string")?;
    value.map(|value| value.parse().map_err(exception)).transpose()
}

/// The names of `Options` in `__init__.py`.
const KNOWN: [&str; 14] = [
    "level",
    "threshold",
    "containment",
    "confidence",
    "removal_confidence",
    "keep",
    "within",
    "prior",
    "min_words",
    "search",
    "near_misses",
    "memory",
    "spill_folder",
    "excerpts",
];

/// The detector that keyword arguments describe, and what its page says about them.
pub fn detector(options: &Bound<'_, PyDict>) -> PyResult<(DetectorBuilder, Settings)> {
    const NUMBER: &str = "a number";
    for name in options.keys() {
        let name: String = name.extract()?;
        if !KNOWN.contains(&&*name) {
            return Err(PyTypeError::new_err(format!("unknown option {name:?}: use one of {}", KNOWN.join(", "))));
        }
    }
    let mut builder = Detector::builder();
    let level: Level = named(options, "level")?.unwrap_or_default();
    builder = builder.level(level);
    let mut number = |name, default, set: fn(DetectorBuilder, f64) -> DetectorBuilder| -> PyResult<f64> {
        let value = get(options, name, NUMBER)?;
        if let Some(value) = value {
            builder = set(std::mem::take(&mut builder), value);
        }
        Ok(value.unwrap_or(default))
    };
    let threshold = number("threshold", 0.5, DetectorBuilder::threshold)?;
    let containment = number("containment", 0.8, DetectorBuilder::containment)?;
    let confidence = number("confidence", 0.5, DetectorBuilder::confidence)?;
    number("removal_confidence", 0.9, DetectorBuilder::removal_confidence)?;
    number("prior", 0.0, DetectorBuilder::prior)?;
    number("near_misses", 0.0, DetectorBuilder::near_misses)?;
    let min_words = get::<usize>(options, "min_words", "a whole number, not negative")?;
    if let Some(words) = min_words {
        builder = builder.min_words(words);
    }
    if let Some(keep) = named(options, "keep")? {
        builder = builder.representative(keep);
    }
    if let Some(search) = named(options, "search")? {
        builder = builder.search(search);
    }
    if let Some(span) = get::<Span>(options, "within", "a timedelta or seconds, not negative")? {
        builder = builder.within(span.0);
    }
    if let Some(which) = options.get_item("excerpts")?.filter(|which| !which.is_none()) {
        builder = builder.excerpts(match which.extract::<bool>() {
            Ok(false) => Excerpts::Ignore,
            Ok(true) => Excerpts::Find,
            Err(_) => named(options, "excerpts")?.unwrap_or_default(),
        });
    }
    if let Some(limit) = get::<Bytes>(options, "memory", "bytes, or a string such as \"2 GB\"")? {
        builder = builder.memory(limit.0);
    }
    if let Some(folder) = get::<PathBuf>(options, "spill_folder", "a path")? {
        builder = builder.spill_folder(folder);
    }
    let bands = builder.clone().build().map_err(exception)?.bands();
    let settings = Settings { level, threshold, containment, confidence, min_words: min_words.unwrap_or(3), bands };
    Ok((builder, settings))
}

/// Whether memory is limited.
pub fn limits_memory(options: &Bound<'_, PyDict>) -> PyResult<bool> {
    Ok(options.get_item("memory")?.is_some_and(|limit| !limit.is_none()))
}

/// `shingle=3` or `shingle="5-character shingles"`.
pub fn shingle(options: &Bound<'_, PyDict>) -> PyResult<Option<Shingle>> {
    match options.get_item("shingle")?.map(|given| given.extract::<u8>()) {
        Some(Ok(words)) => Ok(Some(Shingle::Words(words))),
        _ => named(options, "shingle"),
    }
}

/// A span of time: a `timedelta`, or seconds.
struct Span(Duration);

impl<'py> FromPyObject<'_, 'py> for Span {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let seconds: f64 =
            if value.hasattr("total_seconds")? { value.call_method0("total_seconds")? } else { value.to_owned() }
                .extract()?;
        Duration::try_from_secs_f64(seconds).map(Self).map_err(|error| PyValueError::new_err(error.to_string()))
    }
}

/// A size: bytes, or a string such as `500M`, `2 GB` or `1GiB`.
struct Bytes(u64);

impl<'py> FromPyObject<'_, 'py> for Bytes {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if !value.is_instance_of::<PyString>() {
            return value.extract().map(Self);
        }
        let text: String = value.extract::<String>()?.trim().to_lowercase();
        let parse = || {
            let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
            let (number, unit) = text.split_at(digits);
            let unit = unit.trim();
            let exponent = "kmgt".find(unit.chars().next().unwrap_or('b')).map_or(0, |at| at as u32 + 1);
            let base: u64 = match unit.get(usize::from(exponent > 0)..)? {
                "ib" => 1024,
                "" | "b" => 1000,
                _ => return None,
            };
            let number: f64 = number.parse().ok()?;
            Some((number * base.pow(exponent) as f64) as u64)
        };
        parse().map(Self).ok_or_else(|| PyValueError::new_err("no size"))
    }
}
