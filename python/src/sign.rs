//! Signatures of whole columns.

use std::sync::Arc;

use arrow_array::{FixedSizeListArray, UInt32Array, UInt64Array};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::{DataType, Field};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rayon::prelude::*;
use retold::{Article, MinHash, MinHasher, Scheme, Shingle, SimHash, SimHasher};

use crate::columns::{Feed, Names, Row};
use crate::options::{self, exception, shingle};
use crate::run::{self, Listener, Signal, Threads};
use crate::table::Array;

/// Texts that one thread signs before it looks for more.
const CHUNK: usize = 256;

/// Runs something on all texts of a table or list.
fn with_texts<T: Send + 'static>(
    articles: &Bound<'_, PyAny>,
    names: &Names,
    threads: Option<Threads>,
    job: impl FnOnce(Vec<Row>, &Signal) -> PyResult<T> + Send + 'static,
) -> PyResult<T> {
    let py = articles.py();
    let feed = Feed::of(articles, names, 0)?;
    let signal = Arc::new(Signal::default());
    let stop = Arc::clone(&signal);
    run::run(py, run::threads(threads), &signal, &Listener::of(py, None)?, move || {
        let rows = crate::Setup::read(feed, &stop)?;
        job(rows, &stop)
    })
}

/// The number of slots as users give it; the crate says which of them can be.
pub struct Slots(u16);

impl<'py> FromPyObject<'_, 'py> for Slots {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        options::extract(value, "slots", "a power of two from 16 to 1024").map(Self)
    }
}

#[pyfunction]
pub fn sign(
    texts: &Bound<'_, PyAny>,
    names: Names,
    options: &Bound<'_, PyDict>,
    slots: Slots,
    threads: Option<Threads>,
) -> PyResult<Array> {
    let scheme = Scheme::minhash(shingle(options)?.unwrap_or(Shingle::Words(5))).slots(slots.0);
    MinHasher::new(scheme).map_err(exception)?;
    let slots = usize::from(slots.0);
    with_texts(texts, &names, threads, move |rows, signal| {
        let mut values = vec![0; rows.len() * slots];
        let mut signed = vec![false; rows.len()];
        let start = || MinHasher::new(scheme).map(|hasher| (hasher, None::<MinHash>)).map_err(exception);
        let chunks = rows.par_chunks(CHUNK).zip(values.par_chunks_mut(CHUNK * slots)).zip(signed.par_chunks_mut(CHUNK));
        // Straight into the array, by way of one signature a thread.
        chunks.try_for_each_init(start, |hasher, ((rows, values), signed)| {
            signal.check();
            let (hasher, kept) = hasher.as_mut().map_err(|error| Python::attach(|py| error.clone_ref(py)))?;
            for ((row, values), signed) in rows.iter().zip(values.chunks_exact_mut(slots)).zip(signed) {
                *signed = match kept {
                    Some(kept) => hasher.sign_into(row.text(), kept),
                    None => {
                        *kept = hasher.sign(row.text());
                        kept.is_some()
                    }
                };
                if let (true, Some(kept)) = (*signed, &*kept) {
                    values.copy_from_slice(kept.slots());
                }
            }
            PyResult::Ok(())
        })?;
        let item = Arc::new(Field::new("item", DataType::UInt32, false));
        let nulls = NullBuffer::new(BooleanBuffer::from(signed));
        let values = Arc::new(UInt32Array::from(values));
        let array =
            FixedSizeListArray::try_new(item, slots as i32, values, Some(nulls).filter(|nulls| nulls.null_count() > 0));
        Ok(Array(Arc::new(array.map_err(crate::capsule::arrow_error)?)))
    })
}

#[pyfunction]
pub fn simhash(
    texts: &Bound<'_, PyAny>,
    names: Names,
    options: &Bound<'_, PyDict>,
    threads: Option<Threads>,
) -> PyResult<Array> {
    let hasher = SimHasher::new(Scheme::simhash(shingle(options)?.unwrap_or(Shingle::Words(5)))).map_err(exception)?;
    with_texts(texts, &names, threads, move |rows, _| {
        let texts: Vec<&str> = rows.iter().map(Article::text).collect();
        let bits = hasher.sign_all(&texts).into_iter().map(|signature| signature.as_ref().map(SimHash::bits));
        Ok(Array(Arc::new(bits.collect::<UInt64Array>())))
    })
}
