//! The steps of a detection as kernels: a record batch in, a record batch out. What each takes and gives is documented in
//! `python/retold/kernels.py`; here columns are taken apart and put together.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow_array::builder::{Int64Builder, ListBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int32Type, Int64Type};
use arrow_array::{
    Array as _, ArrayRef, BinaryArray, BooleanArray, Float32Array, Int32Array, Int64Array, RecordBatch, StringArray,
    StructArray,
};
use arrow_schema::DataType;
use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use retold::kernels::{self as k, Bits, Bucket, Compare, Masked, Met, Weights};

use crate::capsule::record_batch;
use crate::columns::Strings;
use crate::options;
use crate::table::Table;

fn broken(error: k::Broken) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// The columns of a record batch.
struct Rows(StructArray);

impl Rows {
    fn of(batch: &Bound<'_, PyAny>) -> PyResult<Self> {
        let rows = record_batch(batch)?.and_then(|rows| rows.as_struct_opt().cloned());
        rows.map(Self).ok_or_else(|| PyTypeError::new_err("a kernel takes an Arrow record batch"))
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn column(&self, name: &str) -> PyResult<&ArrayRef> {
        self.0.column_by_name(name).ok_or_else(|| PyKeyError::new_err(format!("the kernel needs a column {name:?}")))
    }

    fn wrong(name: &str, array: &ArrayRef, needed: &str) -> PyErr {
        PyTypeError::new_err(format!("column {name:?} is {}: the kernel needs {needed}", array.data_type()))
    }

    fn longs(&self, name: &str) -> PyResult<Vec<i64>> {
        let array = self.column(name)?;
        match array.data_type() {
            DataType::Int64 => Ok(array.as_primitive::<Int64Type>().values().to_vec()),
            DataType::Int32 => Ok(array.as_primitive::<Int32Type>().values().iter().map(|&n| n.into()).collect()),
            _ => Err(Self::wrong(name, array, "int64 or int32")),
        }
    }

    /// Numbers of texts, features and the like.
    fn ints(&self, name: &str) -> PyResult<Vec<u32>> {
        let int = |number: i64| {
            u32::try_from(number)
                .map_err(|_| PyValueError::new_err(format!("column {name:?} has {number}, which is out of range")))
        };
        self.longs(name)?.into_iter().map(int).collect()
    }

    fn small(&self, name: &str) -> PyResult<Vec<i32>> {
        Ok(self.longs(name)?.into_iter().map(|number| number as i32).collect())
    }

    /// Numbers of 64 bits of which some may be missing.
    fn optional_longs(&self, name: &str) -> PyResult<Vec<Option<i64>>> {
        let array = self.column(name)?;
        match array.data_type() {
            DataType::Int64 => Ok(array.as_primitive::<Int64Type>().iter().collect()),
            _ => Err(Self::wrong(name, array, "int64")),
        }
    }

    fn flags(&self, name: &str) -> PyResult<BooleanArray> {
        let array = self.column(name)?;
        array.as_boolean_opt().cloned().ok_or_else(|| Self::wrong(name, array, "Booleans"))
    }

    fn floats(&self, name: &str) -> PyResult<Float32Array> {
        let array = self.column(name)?;
        array.as_primitive_opt::<Float32Type>().cloned().ok_or_else(|| Self::wrong(name, array, "float32"))
    }

    /// Null is an empty text.
    fn texts(&self, name: &str) -> PyResult<Vec<&str>> {
        Ok(self.optional_texts(name)?.into_iter().map(Option::unwrap_or_default).collect())
    }

    fn optional_texts(&self, name: &str) -> PyResult<Vec<Option<&str>>> {
        let array = self.column(name)?;
        Ok(match array.data_type() {
            DataType::Utf8 => array.as_string::<i32>().iter().collect(),
            DataType::LargeUtf8 => array.as_string::<i64>().iter().collect(),
            DataType::Utf8View => array.as_string_view().iter().collect(),
            DataType::Null => vec![None; array.len()],
            _ => return Err(Self::wrong(name, array, "strings")),
        })
    }

    fn optional_bytes(&self, name: &str) -> PyResult<Vec<Option<&[u8]>>> {
        let array = self.column(name)?;
        Ok(match array.data_type() {
            DataType::Binary => array.as_binary::<i32>().iter().collect(),
            DataType::LargeBinary => array.as_binary::<i64>().iter().collect(),
            DataType::Null => vec![None; array.len()],
            _ => return Err(Self::wrong(name, array, "binary")),
        })
    }

    fn bytes(&self, name: &str) -> PyResult<Vec<&[u8]>> {
        Ok(self.optional_bytes(name)?.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// Texts with their numbers.
    fn numbered(&self) -> PyResult<Vec<(u32, &str)>> {
        Ok(self.ints("t")?.into_iter().zip(self.texts("text")?).collect())
    }

    /// Pairs of texts with their numbers.
    fn sides(&self) -> PyResult<Vec<k::Two<'_>>> {
        let left = self.ints("l")?.into_iter().zip(self.texts("l_text")?);
        let right = self.ints("r")?.into_iter().zip(self.texts("r_text")?);
        Ok(left.zip(right).collect())
    }
}

fn longs<N: Into<i64>>(numbers: impl IntoIterator<Item = N>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(numbers.into_iter().map(Into::into)))
}

fn ints(numbers: impl IntoIterator<Item = i32>) -> ArrayRef {
    Arc::new(Int32Array::from_iter_values(numbers))
}

fn floats(numbers: impl IntoIterator<Item = f32>) -> ArrayRef {
    Arc::new(Float32Array::from_iter_values(numbers))
}

fn flags(flags: impl IntoIterator<Item = bool>) -> ArrayRef {
    Arc::new(flags.into_iter().map(Some).collect::<BooleanArray>())
}

fn bytes<B: AsRef<[u8]>>(bytes: impl IntoIterator<Item = B>) -> ArrayRef {
    Arc::new(BinaryArray::from_iter_values(bytes))
}

fn optional_bytes<B: AsRef<[u8]>>(bytes: impl IntoIterator<Item = Option<B>>) -> ArrayRef {
    Arc::new(bytes.into_iter().collect::<BinaryArray>())
}

fn table(columns: Vec<(&str, ArrayRef)>) -> PyResult<Table> {
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(columns).map(Table).map_err(crate::capsule::arrow_error)
}

/// In the order of unsigned numbers.
fn ordered(number: u64) -> i64 {
    (number ^ 1 << 63) as i64
}

/// What all kernels may look at, beside their rows: what was found so far about the whole corpus.
#[derive(Default)]
struct State {
    distinct: Bits,
    whole: Bits,
    leads: Bits,
    crowded: Bits,
    mask: Masked,
    frequent: HashSet<u64>,
    weights: Option<Weights>,
    totals: Vec<u8>,
    usual: Vec<u8>,
    least: Vec<u8>,
    stories: Vec<u8>,
    known: Bits,
    commons: BTreeMap<i64, Vec<u8>>,
    prior: f32,
    buckets: u32,
    blocks: u32,
    most: usize,
}

fn four(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks().0.iter().map(|&four| u32::from_le_bytes(four)).collect()
}

impl State {
    fn of(state: &Bound<'_, PyDict>) -> PyResult<Self> {
        let bytes = |name: &str| -> PyResult<Vec<u8>> {
            Ok(state.get_item(name)?.map(|value| value.extract()).transpose()?.unwrap_or_default())
        };
        let bits = |name: &str| PyResult::Ok(Bits::new(bytes(name)?));
        let frequent = k::frequent(&bytes("frequent")?).map_err(broken)?;
        let weights = match state.get_item("documents")? {
            None => None,
            Some(documents) => {
                let english = state.get_item("english")?.map(|value| value.extract()).transpose()?.unwrap_or(1.0);
                let features = frequent.iter().copied().zip(bytes("frequent_codes")?).collect();
                Some(Weights::new(documents.extract()?, english, features))
            }
        };
        Ok(Self {
            distinct: bits("distinct")?,
            whole: bits("whole")?,
            leads: bits("leads")?,
            crowded: bits("crowded")?,
            mask: Masked::new(four(&bytes("common")?), four(&bytes("windows")?)),
            frequent: frequent.into_iter().collect(),
            weights,
            totals: bytes("totals")?,
            usual: bytes("usual")?,
            least: bytes("least")?,
            stories: bytes("stories")?,
            known: bits("known")?,
            commons: state.get_item("commons")?.map(|value| value.extract()).transpose()?.unwrap_or_default(),
            prior: state.get_item("prior")?.map(|value| value.extract()).transpose()?.unwrap_or_default(),
            buckets: state.get_item("buckets")?.map(|value| value.extract()).transpose()?.unwrap_or(1),
            blocks: state.get_item("blocks")?.map(|value| value.extract()).transpose()?.unwrap_or(1),
            most: state.get_item("most")?.map(|value| value.extract()).transpose()?.unwrap_or(1),
        })
    }

    fn weights(&self) -> PyResult<&Weights> {
        self.weights.as_ref().ok_or_else(|| PyValueError::new_err("the kernel needs `documents` in its state"))
    }

    /// What is known of a text in two bytes.
    fn least(&self, text: u32) -> u16 {
        self.least.as_chunks().0.get(text as usize).map_or(0, |&two| u16::from_le_bytes(two))
    }
}

/// The crate's kernels for these options.
fn kernels_of(options: &Bound<'_, PyDict>) -> PyResult<k::Kernels> {
    let detector = options::detector(options)?.0.build().map_err(options::exception)?;
    k::Kernels::new(detector).map_err(PyValueError::new_err)
}

/// The versions of what the signatures are, of what kernels exchange, and of what they judge by.
#[pyfunction]
pub fn kernels_version() -> (u8, u32, u32) {
    (retold::FORMAT_VERSION, k::VERSION, k::RULE)
}

/// One kernel with what it knows.
#[pyclass(module = "retold._retold")]
pub struct Kernel {
    name: String,
    kernels: k::Kernels,
    state: State,
    streams: Streams,
}

/// What kernels that take rows in order remember from batch to batch.
#[derive(Default)]
struct Streams {
    buckets: k::Buckets,
    overlapping: k::Overlapping,
    windows: k::Windows,
    unrelated: k::Unrelated,
    counted: Option<(i64, k::Counted)>,
    weighing: Option<(i64, k::Weighing)>,
    usual: k::Usual,
    shares: (Option<u32>, Vec<u16>),
    visits: k::Visits,
    beside: Option<(i64, k::Beside)>,
    reading: k::Reading,
    choosing: k::Choosing,
    sample: Option<(i64, Vec<String>)>,
}

#[pymethods]
impl Kernel {
    #[new]
    fn new(name: String, options: &Bound<'_, PyDict>, state: &Bound<'_, PyDict>) -> PyResult<Self> {
        let (kernels, state) = (kernels_of(options)?, State::of(state)?);
        Ok(Self { name, kernels, state, streams: Streams::default() })
    }

    /// Takes a record batch.
    fn push(&mut self, batch: &Bound<'_, PyAny>) -> PyResult<Table> {
        let rows = Rows::of(batch)?;
        match &*self.name {
            "number" => self.number(&rows),
            "texts" => self.texts(&rows),
            "keys" => self.keys(&rows),
            "roots" => self.roots(&rows),
            "deeper" => self.deeper(&rows),
            "buckets" => self.buckets(&rows),
            "may_be" => self.may_be(&rows),
            "compare" => self.compare(&rows),
            "common_slots" => self.common_slots(&rows),
            "closest" => self.closest(&rows),
            "fingerprints" => self.fingerprints(&rows),
            "overlaps" => self.overlaps(&rows),
            "windows" => self.windows(&rows),
            "holders" => self.holders(&rows),
            "explode" => Self::explode(&rows),
            "stems" => self.stems(&rows),
            "unrelated" => self.unrelated(&rows),
            "frequent" => self.frequent(&rows),
            "features" => self.features(&rows),
            "count" => self.count(&rows),
            "weigh" => self.weigh(&rows),
            "neighbours" => self.neighbours(&rows),
            "shares" => self.shares(&rows),
            "compared" => self.compared(&rows),
            "visits" => self.visits(&rows),
            "look" => self.look(&rows),
            "mates" => self.mates(&rows),
            "usual" => self.usual(&rows),
            "worth" => self.worth(&rows),
            "read" => self.read(&rows),
            "direct" => self.direct(&rows),
            "side_by_side" => self.side_by_side(&rows),
            "all_fingerprints" => self.all_fingerprints(&rows),
            "choose" => self.choose(&rows),
            "passages" => self.passages(&rows),
            other => Err(PyValueError::new_err(format!("no kernel {other:?}"))),
        }
    }

    /// What is left when there are no more batches.
    fn finish(&mut self) -> PyResult<Option<Table>> {
        let Self { kernels, streams, .. } = self;
        Ok(Some(match &*self.name {
            "roots" | "buckets" => {
                streams.buckets.finish(kernels);
                self.met()?
            }
            "common_slots" => {
                let done = self.streams.sample.take();
                self.commons(done.into_iter().collect())?
            }
            "overlaps" => {
                streams.overlapping.finish();
                self.overlapped()?
            }
            "holders" => {
                streams.windows.finish();
                self.held()?
            }
            "count" => {
                let done = streams.counted.take();
                counted(done.into_iter().collect())?
            }
            "visits" => {
                streams.visits.finish();
                self.visited()?
            }
            "choose" => {
                streams.choosing.finish(&self.state.stories, &self.state.known);
                self.chosen()?
            }
            "usual" => {
                streams.usual.finish();
                self.told()?
            }
            "shares" => {
                let (text, shares) = std::mem::take(&mut streams.shares);
                usual_shares(text.map(|text| (text, shares)).into_iter().collect())?
            }
            "read" => {
                let counts = self.streams.reading.counts();
                read_table(vec![k::Read {
                    left: 0,
                    right: 0,
                    odds: 0.0,
                    evidence: counts,
                    is_near: false,
                    near: [0.0; 3],
                }])?
            }
            _ => return Ok(None),
        }))
    }
}

impl Kernel {
    fn number(&self, rows: &Rows) -> PyResult<Table> {
        let found: Vec<k::Numbered> = rows.texts("text")?.into_iter().map(|text| self.kernels.numbered(text)).collect();
        // As an article of `retold.find` has them.
        let labels = |name: &str| rows.0.column_by_name(name).map(|of| Strings::of(of, name, false, 0)).transpose();
        let (ids, dates, sources) = (labels("label")?, labels("date")?, labels("source")?);
        let date = |row| dates.as_ref()?.get(row);
        let source = |row| sources.as_ref()?.get(row).filter(|source| !source.is_empty());
        let all = || 0..rows.len();
        let id = |ids: &Strings| -> ArrayRef { Arc::new(all().map(|row| ids.get(row)).collect::<StringArray>()) };
        let mut columns: Vec<(&str, ArrayRef)> = ids.iter().map(|ids| ("id", id(ids))).collect();
        columns.extend([
            ("words", longs(found.iter().map(|of| of.words))),
            ("refused", flags(found.iter().map(|of| of.is_refused))),
            ("exact_a", longs(found.iter().map(|of| ordered(of.exact[0])))),
            ("exact_b", longs(found.iter().map(|of| ordered(of.exact[1])))),
            ("hash", longs(found.iter().map(|of| ordered(of.hash)))),
            ("seconds", longs(all().map(|row| k::seconds(date(row))))),
            ("beside", longs(all().map(|row| ordered(k::beside(date(row), source(row)))))),
            ("outlet", Arc::new(all().map(|row| source(row).map(k::outlet).map(ordered)).collect::<Int64Array>())),
        ]);
        table(columns)
    }

    fn texts(&self, rows: &Rows) -> PyResult<Table> {
        let distinct = &self.state.distinct;
        let number = |article: &u32| if distinct.contains(*article) { distinct.rank(*article).into() } else { -1i64 };
        let numbers: Vec<i64> = rows.ints("n")?.iter().map(number).collect();
        let mini = |(text, &number): (&str, &i64)| if number < 0 { Vec::new() } else { self.kernels.mini(text) };
        let minis = bytes(rows.texts("text")?.into_iter().zip(&numbers).map(mini));
        table(vec![("t", longs(numbers)), ("mini", minis)])
    }

    fn keys(&self, rows: &Rows) -> PyResult<Table> {
        let (mut keys, mut texts) = (Vec::new(), Vec::new());
        for (text, of) in rows.numbered()? {
            self.kernels.keys(of, |key| {
                keys.push(key);
                texts.push(text);
            });
        }
        table(vec![("key", longs(keys)), ("t", longs(texts))])
    }

    fn roots(&mut self, rows: &Rows) -> PyResult<Table> {
        for (key, text) in rows.longs("key")?.into_iter().zip(rows.ints("t")?) {
            self.streams.buckets.push_root(&self.kernels, key, text);
        }
        self.met()
    }

    fn buckets(&mut self, rows: &Rows) -> PyResult<Table> {
        let (paths, texts) = (rows.longs("a")?, rows.ints("b")?);
        let (rounds, depths, all) = (rows.small("round")?, rows.small("depth")?, rows.bytes("rows")?);
        for ((((path, text), round), depth), rows) in paths.into_iter().zip(texts).zip(rounds).zip(depths).zip(all) {
            self.streams.buckets.push(&self.kernels, text, Bucket { path, round, depth, rows: rows.into() });
        }
        self.met()
    }

    /// Pairs, and texts of crowded roots, and of buckets deeper down.
    fn met(&mut self) -> PyResult<Table> {
        let buckets = &mut self.streams.buckets;
        let pairs = std::mem::take(&mut buckets.pairs);
        let crowded = std::mem::take(&mut buckets.crowded);
        let deeper = std::mem::take(&mut buckets.deeper);
        const PAIR: i32 = 0;
        const CROWDED: i32 = 1;
        const DEEPER: i32 = 2;
        let kinds =
            pairs.iter().map(|_| PAIR).chain(crowded.iter().map(|_| CROWDED)).chain(deeper.iter().map(|_| DEEPER));
        let nothing = |_: &_| 0;
        let of_deeper = |number: fn(&Bucket) -> i32| {
            let crowded: Vec<i32> = crowded.iter().map(nothing).collect();
            let deeper: Vec<i32> = deeper.iter().map(|(bucket, _)| number(bucket)).collect();
            crowded.into_iter().chain(deeper)
        };
        let a = pairs.iter().map(|pair| i64::from(pair.0)).chain(crowded.iter().map(|&(key, _)| key));
        let a = a.chain(deeper.iter().map(|(bucket, _)| bucket.path));
        let b = pairs.iter().map(|pair| pair.1).chain(crowded.iter().map(|&(_, text)| text));
        let b = b.chain(deeper.iter().map(|&(_, text)| text));
        let no_rows = pairs.iter().map(|_| None).chain(crowded.iter().map(|_| None));
        table(vec![
            ("kind", ints(kinds)),
            ("a", longs(a)),
            ("b", longs(b)),
            ("round", ints(pairs.iter().map(|pair| pair.2).chain(of_deeper(|bucket| bucket.round)))),
            ("depth", ints(pairs.iter().map(|_| 0).chain(of_deeper(|bucket| bucket.depth)))),
            ("rows", optional_bytes(no_rows.chain(deeper.iter().map(|(bucket, _)| Some(&bucket.rows))))),
        ])
    }

    fn deeper(&self, rows: &Rows) -> PyResult<Table> {
        let (keys, texts) = (rows.longs("key")?, rows.numbered()?);
        let deeper: Vec<Bucket> =
            keys.into_iter().zip(&texts).map(|(key, (_, text))| self.kernels.deeper(key, text)).collect();
        table(vec![
            ("kind", ints(deeper.iter().map(|_| 2))),
            ("a", longs(deeper.iter().map(|bucket| bucket.path))),
            ("b", longs(texts.iter().map(|&(text, _)| text))),
            ("round", ints(deeper.iter().map(|bucket| bucket.round))),
            ("depth", ints(deeper.iter().map(|bucket| bucket.depth))),
            ("rows", bytes(deeper.iter().map(|bucket| &bucket.rows))),
        ])
    }

    fn may_be(&self, rows: &Rows) -> PyResult<Table> {
        let (left, right, rounds) = (rows.longs("l")?, rows.longs("r")?, rows.small("round")?);
        let (ours, theirs) = (rows.bytes("l_mini")?, rows.bytes("r_mini")?);
        let (our_words, their_words) = (rows.ints("l_words")?, rows.ints("r_words")?);
        let may_be = |&row: &usize| self.kernels.may_be((ours[row], our_words[row]), (theirs[row], their_words[row]));
        let likely: Vec<usize> = (0..rows.len()).filter(may_be).collect();
        table(vec![
            ("l", longs(likely.iter().map(|&row| left[row]))),
            ("r", longs(likely.iter().map(|&row| right[row]))),
            ("round", ints(likely.iter().map(|&row| rounds[row]))),
        ])
    }

    fn compare(&self, rows: &Rows) -> PyResult<Table> {
        let (sides, rounds, glances) = (rows.sides()?, rows.small("round")?, rows.small("glance")?);
        let compare = |(&(left, right), &glance): (&(_, _), &i32)| Compare::new(left, right, glance);
        let compared = self.kernels.compare(&sides.iter().zip(&glances).map(compare).collect::<Vec<_>>());
        let copies = || compared.iter().enumerate().filter_map(|(row, near)| near.map(|near| (row, near)));
        let number = |at: usize| floats(copies().map(move |(_, near)| near[at]));
        table(vec![
            ("l", longs(copies().map(|(row, _)| sides[row].0.0))),
            ("r", longs(copies().map(|(row, _)| sides[row].1.0))),
            ("round", ints(copies().map(|(row, _)| rounds[row]))),
            ("similarity", number(0)),
            ("jaccard", number(1)),
            ("containment", number(2)),
        ])
    }

    fn common_slots(&mut self, rows: &Rows) -> PyResult<Table> {
        let mut done = Vec::new();
        for (crowd, text) in rows.longs("crowd")?.into_iter().zip(rows.texts("text")?) {
            if let Some(other) = self.streams.sample.take_if(|(at_hand, _)| *at_hand != crowd) {
                done.push(other);
            }
            self.streams.sample.get_or_insert_with(|| (crowd, Vec::new())).1.push(text.into());
        }
        self.commons(done)
    }

    fn commons(&self, done: Vec<(i64, Vec<String>)>) -> PyResult<Table> {
        let common = |(_, texts): &(_, Vec<String>)| self.kernels.common_slots(texts.iter().map(|text| &**text));
        table(vec![("crowd", longs(done.iter().map(|(crowd, _)| *crowd))), ("common", bytes(done.iter().map(common)))])
    }

    fn closest(&self, rows: &Rows) -> PyResult<Table> {
        let mut closest: BTreeMap<i64, Vec<(usize, u32)>> = BTreeMap::new();
        for (crowd, (text, of)) in rows.longs("crowd")?.into_iter().zip(rows.numbered()?) {
            let Some(common) = self.state.commons.get(&crowd) else { continue };
            closest.entry(crowd).or_default().push((self.kernels.distance(of, common), text));
        }
        for of_crowd in closest.values_mut() {
            of_crowd.sort_unstable();
            of_crowd.truncate(self.state.most);
        }
        let all =
            || closest.iter().flat_map(|(&crowd, of)| of.iter().map(move |&(distance, text)| (crowd, distance, text)));
        table(vec![
            ("crowd", longs(all().map(|of| of.0))),
            ("distance", longs(all().map(|of| of.1 as i64))),
            ("t", longs(all().map(|of| of.2))),
        ])
    }

    fn fingerprints(&self, rows: &Rows) -> PyResult<Table> {
        let mut found = Vec::new();
        for (text, of) in rows.numbered()?.into_iter().filter(|&(text, _)| self.state.whole.contains(text)) {
            let (fingerprints, words, needed) = self.kernels.fingerprints(of);
            let needed = needed.map_or(-1, i64::from);
            found.extend(fingerprints.into_iter().map(|fingerprint| (fingerprint, words, text, needed)));
        }
        held_table(&found)
    }

    fn all_fingerprints(&self, rows: &Rows) -> PyResult<Table> {
        let mut found = Vec::new();
        for ((text, of), speaker) in rows.numbered()?.into_iter().zip(rows.optional_texts("speaker")?) {
            let (fingerprints, words) = self.kernels.all_fingerprints(of, speaker);
            found.extend(fingerprints.into_iter().map(|fingerprint| (fingerprint, words, text, k::NEEDED.into())));
        }
        held_table(&found)
    }

    fn overlaps(&mut self, rows: &Rows) -> PyResult<Table> {
        /// Pairs that are kept to be counted.
        const MOST_PAIRS: usize = 1 << 18;
        let (fingerprints, texts, needed) = (rows.ints("fingerprint")?, rows.ints("t")?, rows.longs("needed")?);
        let overlapping = &mut self.streams.overlapping;
        for ((fingerprint, text), needed) in fingerprints.into_iter().zip(texts).zip(needed) {
            overlapping.push(fingerprint, k::Holder { text, needed: u32::try_from(needed).ok() });
        }
        if overlapping.pairs.len() < MOST_PAIRS && overlapping.common.len() < MOST_PAIRS {
            return overlaps_table(&[], &[], 0);
        }
        self.overlapped()
    }

    fn overlapped(&mut self) -> PyResult<Table> {
        let overlapping = &mut self.streams.overlapping;
        let mut pairs: Vec<_> = overlapping.pairs.drain().collect();
        pairs.sort_unstable_by_key(|of| of.0);
        let crowded = std::mem::take(&mut overlapping.crowded);
        overlaps_table(&pairs, &std::mem::take(&mut overlapping.common), crowded)
    }

    fn windows(&self, rows: &Rows) -> PyResult<Table> {
        let mut found = Vec::new();
        for (text, of) in rows.numbered()?.into_iter().filter(|&(text, _)| self.state.whole.contains(text)) {
            let Some((hash, windows)) = self.kernels.windows(of, &self.state.mask) else { continue };
            found.extend(windows.into_iter().map(|window| (window, ordered(hash), text)));
        }
        table(vec![
            ("window", longs(found.iter().map(|of| of.0))),
            ("hash", longs(found.iter().map(|of| of.1))),
            ("t", longs(found.iter().map(|of| of.2))),
        ])
    }

    fn holders(&mut self, rows: &Rows) -> PyResult<Table> {
        for (window, text) in rows.ints("window")?.into_iter().zip(rows.ints("t")?) {
            self.streams.windows.push(window, text);
        }
        self.held()
    }

    fn held(&mut self) -> PyResult<Table> {
        let found = std::mem::take(&mut self.streams.windows.found);
        table(vec![
            ("window", longs(found.iter().map(|of| of.window))),
            ("holders", bytes(found.iter().map(|of| &of.holders))),
        ])
    }

    fn explode(rows: &Rows) -> PyResult<Table> {
        let holders = rows.bytes("holders")?;
        let all = || holders.iter().flat_map(|of| (0i64..).zip(four(of)).map(move |(place, text)| (of, place, text)));
        table(vec![
            ("holders", bytes(all().map(|of| of.0))),
            ("place", longs(all().map(|of| of.1))),
            ("t", longs(all().map(|of| of.2))),
        ])
    }

    fn stems(&self, rows: &Rows) -> PyResult<Table> {
        let stems = rows.texts("text")?.into_iter().map(|text| self.kernels.stems(text, &self.state.mask));
        table(vec![
            ("holders", bytes(rows.bytes("holders")?)),
            ("place", longs(rows.longs("place")?)),
            ("stems", bytes(stems)),
            ("window", longs(vec![0i64; rows.len()])),
        ])
    }

    fn unrelated(&mut self, rows: &Rows) -> PyResult<Table> {
        let (holders, stems, windows) = (rows.bytes("holders")?, rows.optional_bytes("stems")?, rows.ints("window")?);
        let unrelated = &mut self.streams.unrelated;
        for ((holders, stems), window) in holders.into_iter().zip(stems).zip(windows) {
            unrelated.push(&self.kernels, holders, stems, window).map_err(broken)?;
        }
        let [stories, events] = std::mem::take(&mut unrelated.found);
        let of_event = stories.iter().map(|_| false).chain(events.iter().map(|_| true));
        table(vec![("event", flags(of_event)), ("window", longs(stories.iter().chain(&events).copied()))])
    }

    fn frequent(&self, rows: &Rows) -> PyResult<Table> {
        let (mut counting, mut sums) = (k::Counting::default(), [0; 5]);
        for (text, of) in rows.numbered()? {
            let told = self.kernels.told(of, &self.state.mask);
            sums.iter_mut().zip(told.english()).for_each(|(sum, count)| *sum += count);
            counting.add(text, self.state.leads.contains(text), &told);
        }
        let frequent = counting.frequent();
        table(vec![
            ("kind", ints(frequent.iter().map(|_| 0).chain(1..6))),
            ("number", longs(frequent.iter().map(|&feature| feature as i64).chain(sums.map(|sum| sum as i64)))),
        ])
    }

    fn features(&self, rows: &Rows) -> PyResult<Table> {
        let mut counting = k::Counting::default();
        for (text, of) in rows.numbered()? {
            counting.add(text, self.state.leads.contains(text), &self.kernels.told(of, &self.state.mask));
        }
        let buckets = counting.buckets(&self.state.frequent, self.state.buckets);
        table(vec![("bucket", longs(buckets.iter().map(|of| of.0))), ("data", bytes(buckets.iter().map(|of| &of.1)))])
    }

    fn count(&mut self, rows: &Rows) -> PyResult<Table> {
        let mut done = Vec::new();
        for (bucket, data) in rows.longs("bucket")?.into_iter().zip(rows.bytes("data")?) {
            let counted = &mut self.streams.counted;
            done.extend(counted.take_if(|(at_hand, _)| *at_hand != bucket));
            counted.get_or_insert_with(|| (bucket, k::Counted::default())).1.add(data).map_err(broken)?;
        }
        counted(done)
    }

    fn weigh(&mut self, rows: &Rows) -> PyResult<Table> {
        let (blocks, texts) = (rows.longs("block")?, rows.longs("t")?);
        let (data, of) = (rows.optional_bytes("data")?, rows.texts("text")?);
        let (mut numbers, mut sides) = (Vec::new(), Vec::new());
        for row in 0..rows.len() {
            let weighing = &mut self.streams.weighing;
            if weighing.as_ref().is_none_or(|(block, _)| *block != blocks[row]) {
                *weighing = Some((blocks[row], k::Weighing::new(blocks[row] as u32)));
            }
            let Some((_, weighing)) = weighing else { continue };
            if let Some(data) = data[row] {
                weighing.add(data).map_err(broken)?;
                continue;
            }
            let text = texts[row] as u32;
            let told = self.kernels.told(of[row], &self.state.mask);
            let leads = self.state.leads.contains(text);
            sides.push(weighing.weigh(self.state.weights()?, text, leads, &told).map_err(broken)?);
            numbers.push(text);
        }
        table(vec![
            ("t", longs(numbers)),
            ("stems", bytes(sides.iter().map(|side| &side.stems))),
            ("rare", bytes(sides.iter().map(|side| &side.rare))),
            ("pair_total", longs(sides.iter().map(|side| side.pair_total))),
            ("rare_total", longs(sides.iter().map(|side| side.rare_total))),
            ("kin", ints(sides.iter().map(|side| side.kin.into()))),
            ("met", bytes(sides.iter().map(|side| &side.met))),
        ])
    }

    fn neighbours(&self, rows: &Rows) -> PyResult<Table> {
        let mut found = Vec::new();
        for (text, met) in rows.ints("t")?.into_iter().zip(rows.bytes("met")?) {
            let neighbours = k::neighbours(text, met, &self.state.totals).map_err(broken)?;
            found.extend(neighbours.into_iter().map(|(other, pairs, share)| (text, other, pairs, share)));
        }
        table(vec![
            ("l", longs(found.iter().map(|of| of.0))),
            ("r", longs(found.iter().map(|of| of.1))),
            ("pairs", ints(found.iter().map(|of| of.2 as i32))),
            ("share", ints(found.iter().map(|of| of.3.into()))),
        ])
    }

    fn shares(&mut self, rows: &Rows) -> PyResult<Table> {
        let mut done = Vec::new();
        for (text, share) in rows.ints("t")?.into_iter().zip(rows.small("share")?) {
            let (at_hand, shares) = &mut self.streams.shares;
            if let Some(other) = at_hand.replace(text).filter(|&other| other != text) {
                done.push((other, std::mem::take(shares)));
            }
            shares.push(share as u16);
        }
        usual_shares(done)
    }

    fn compared(&self, rows: &Rows) -> PyResult<Table> {
        let (left, right) = (rows.ints("l")?, rows.ints("r")?);
        let (pairs, shares) = (rows.small("pairs")?, rows.small("share")?);
        let least = |text: u32| self.state.least(text);
        let is_compared = |&row: &usize| k::is_compared(shares[row] as u16, least(left[row]), least(right[row]));
        let kept: Vec<usize> = (0..rows.len()).filter(is_compared).collect();
        let is_left = |row: usize| k::guest(left[row], right[row], &self.state.totals);
        let sides = |row: usize| if is_left(row) { (left[row], right[row]) } else { (right[row], left[row]) };
        table(vec![
            ("t", longs(kept.iter().map(|&row| sides(row).0))),
            ("block", longs(kept.iter().map(|&row| sides(row).1 % self.state.blocks))),
            ("home", longs(kept.iter().map(|&row| sides(row).1))),
            ("pairs", ints(kept.iter().map(|&row| pairs[row]))),
            ("share", ints(kept.iter().map(|&row| shares[row]))),
            ("is_left", flags(kept.iter().map(|&row| is_left(row)))),
        ])
    }

    fn visits(&mut self, rows: &Rows) -> PyResult<Table> {
        let (texts, blocks, homes) = (rows.ints("t")?, rows.ints("block")?, rows.ints("home")?);
        let (pairs, shares, is_left) = (rows.small("pairs")?, rows.small("share")?, rows.flags("is_left")?);
        for row in 0..rows.len() {
            let (pairs, share) = (pairs[row] as u32, shares[row] as u16);
            let visit = k::Visit { home: homes[row], pairs, share, is_left: is_left.value(row) };
            self.streams.visits.push(texts[row], blocks[row], visit);
        }
        self.visited()
    }

    fn visited(&mut self) -> PyResult<Table> {
        let done = std::mem::take(&mut self.streams.visits.done);
        table(vec![
            ("t", longs(done.iter().map(|of| of.0))),
            ("block", longs(done.iter().map(|of| of.1))),
            ("data", bytes(done.iter().map(|of| &of.2))),
        ])
    }

    fn look(&mut self, rows: &Rows) -> PyResult<Table> {
        let (blocks, texts) = (rows.longs("block")?, rows.ints("t")?);
        let (stems, data) = (rows.bytes("stems")?, rows.optional_bytes("data")?);
        let mut looked: Vec<k::Looked> = Vec::new();
        for row in 0..rows.len() {
            let beside = &mut self.streams.beside;
            if beside.as_ref().is_none_or(|(block, _)| *block != blocks[row]) {
                *beside = Some((blocks[row], k::Beside::default()));
            }
            let Some((_, beside)) = beside else { continue };
            match data[row] {
                Some(data) => looked.extend(beside.look(texts[row], stems[row], data).map_err(broken)?),
                None => beside.add(texts[row], stems[row]).map_err(broken)?,
            }
        }
        table(vec![
            ("l", longs(looked.iter().map(|of| of.left))),
            ("r", longs(looked.iter().map(|of| of.right))),
            ("pairs", ints(looked.iter().map(|of| of.pairs as i32))),
            ("share", ints(looked.iter().map(|of| of.share.into()))),
            ("evidence", bytes(looked.iter().map(|of| &of.evidence))),
            ("l_is_shorter", flags(looked.iter().map(|of| of.left_is_shorter))),
            ("l_mate", flags(looked.iter().map(|of| of.mates[0]))),
            ("r_mate", flags(looked.iter().map(|of| of.mates[1]))),
        ])
    }

    fn mates(&self, rows: &Rows) -> PyResult<Table> {
        let (left, right, shares) = (rows.ints("l")?, rows.ints("r")?, rows.small("share")?);
        let (ours, theirs) = (rows.flags("l_mate")?, rows.flags("r_mate")?);
        let mut found = Vec::new();
        for row in 0..rows.len() {
            let both = [(left[row], right[row], ours.value(row)), (right[row], left[row], theirs.value(row))];
            let crowded = both.into_iter().filter(|&(text, ..)| self.state.crowded.contains(text));
            found.extend(crowded.map(|(text, other, is_mate)| (text, shares[row], other, is_mate)));
        }
        table(vec![
            ("t", longs(found.iter().map(|of| of.0))),
            ("share", ints(found.iter().map(|of| of.1))),
            ("other", longs(found.iter().map(|of| of.2))),
            ("mate", flags(found.iter().map(|of| of.3))),
        ])
    }

    fn usual(&mut self, rows: &Rows) -> PyResult<Table> {
        let (texts, shares, mates) = (rows.ints("t")?, rows.small("share")?, rows.flags("mate")?);
        for (row, (text, share)) in texts.into_iter().zip(shares).enumerate() {
            self.streams.usual.push(text, share as u16, mates.value(row));
        }
        self.told()
    }

    fn told(&mut self) -> PyResult<Table> {
        let found = std::mem::take(&mut self.streams.usual.found);
        table(vec![("t", longs(found.iter().map(|of| of.0))), ("share", floats(found.iter().map(|of| of.1)))])
    }

    fn worth(&self, rows: &Rows) -> PyResult<Table> {
        let (left, right, pairs) = (rows.ints("l")?, rows.ints("r")?, rows.small("pairs")?);
        let (evidence, shorter) = (rows.bytes("evidence")?, rows.flags("l_is_shorter")?);
        let mut found = Vec::new();
        for row in 0..rows.len() {
            let pair = (left[row], right[row], pairs[row] as u32);
            let known = (&self.state.totals[..], &self.state.usual[..]);
            found.extend(k::worth_reading(pair, evidence[row], known).map_err(broken)?.map(|evidence| (row, evidence)));
        }
        table(vec![
            ("l", longs(found.iter().map(|&(row, _)| left[row]))),
            ("r", longs(found.iter().map(|&(row, _)| right[row]))),
            ("evidence", bytes(found.iter().map(|(_, evidence)| evidence))),
            ("l_is_shorter", flags(found.iter().map(|&(row, _)| shorter.value(row)))),
        ])
    }

    fn read(&mut self, rows: &Rows) -> PyResult<Table> {
        let (sides, evidence, shorter) = (rows.sides()?, rows.bytes("evidence")?, rows.flags("l_is_shorter")?);
        let pair = |(row, &(left, right)): (usize, &(_, _))| k::Pair {
            left,
            right,
            evidence: evidence[row],
            left_is_shorter: shorter.value(row),
        };
        let pairs: Vec<k::Pair<'_>> = sides.iter().enumerate().map(pair).collect();
        read_table(self.streams.reading.read(&self.kernels, &self.state.mask, &pairs).map_err(broken)?)
    }

    fn direct(&self, rows: &Rows) -> PyResult<Table> {
        let (places, sides) = (rows.longs("at")?, rows.sides()?);
        let stems = (rows.bytes("l_stems")?, rows.bytes("r_stems")?);
        let rare = (rows.bytes("l_rare")?, rows.bytes("r_rare")?);
        let full = |(row, &((left, ours), (right, theirs))): (usize, &((u32, _), (u32, _)))| {
            let left = k::Full { text: left, of: ours, stems: stems.0[row], rare: rare.0[row] };
            (left, k::Full { text: right, of: theirs, stems: stems.1[row], rare: rare.1[row] })
        };
        let full: Vec<_> = sides.iter().enumerate().map(full).collect();
        let State { mask, usual, prior, .. } = &self.state;
        let found = self.kernels.direct(&full, (mask, usual, *prior)).map_err(broken)?;
        let copies = || found.iter().zip(&places).filter_map(|(found, &at)| Some((at, found.as_ref()?)));
        let number = |at: usize| floats(copies().map(move |(_, found)| found.near[at]));
        table(vec![
            ("at", longs(copies().map(|(at, _)| at))),
            ("near", flags(copies().map(|(_, found)| found.is_near))),
            ("similarity", number(0)),
            ("jaccard", number(1)),
            ("containment", number(2)),
            ("evidence", bytes(copies().map(|(_, found)| &found.evidence))),
        ])
    }

    fn side_by_side(&self, rows: &Rows) -> PyResult<Table> {
        let found = self.kernels.side_by_side(&rows.sides()?);
        let number = |at: usize| floats(found.iter().map(move |(_, near)| near[at]));
        table(vec![
            ("at", longs(rows.longs("at")?)),
            ("near", flags(found.iter().map(|found| found.0))),
            ("similarity", number(0)),
            ("jaccard", number(1)),
            ("containment", number(2)),
            ("covered", number(3)),
        ])
    }

    fn choose(&mut self, rows: &Rows) -> PyResult<Table> {
        let (shorter, longer) = (rows.ints("l")?, rows.ints("r")?);
        let (counts, crowded, needed) = (rows.ints("count")?, rows.ints("crowded")?, rows.ints("needed")?);
        let State { stories, known, .. } = &self.state;
        for row in 0..rows.len() {
            let overlap = k::Overlap { count: counts[row], crowded: crowded[row], needed: needed[row] };
            self.streams.choosing.push((shorter[row], longer[row]), overlap, stories, known);
        }
        self.chosen()
    }

    fn chosen(&mut self) -> PyResult<Table> {
        let chosen = std::mem::take(&mut self.streams.choosing.chosen);
        table(vec![
            ("l", longs(chosen.iter().map(|of| of.0))),
            ("r", longs(chosen.iter().map(|of| of.1))),
            ("crowd", flags(chosen.iter().map(|of| of.2))),
        ])
    }

    fn passages(&self, rows: &Rows) -> PyResult<Table> {
        let (sides, crowds) = (rows.sides()?, rows.flags("crowd")?);
        let pairs: Vec<_> = sides.iter().zip(&crowds).map(|(&pair, crowd)| (pair, crowd == Some(true))).collect();
        let found = self.kernels.passages(&pairs, &self.state.mask);
        let found = || sides.iter().zip(&found).filter(|(_, data)| !data.is_empty());
        table(vec![
            ("l", longs(found().map(|((left, _), _)| left.0))),
            ("r", longs(found().map(|((_, right), _)| right.0))),
            ("data", bytes(found().map(|(_, data)| data))),
        ])
    }
}

/// Fingerprints, each with the words of a text that holds it, the number of this, and how many are needed.
fn held_table(held: &[(u32, u32, u32, i64)]) -> PyResult<Table> {
    table(vec![
        ("fingerprint", longs(held.iter().map(|of| of.0))),
        ("words", longs(held.iter().map(|of| of.1))),
        ("t", longs(held.iter().map(|of| of.2))),
        ("needed", longs(held.iter().map(|of| of.3))),
    ])
}

fn overlaps_table(pairs: &[((u32, u32), k::Overlap)], common: &[u32], crowded: usize) -> PyResult<Table> {
    const PAIR: i32 = 0;
    const COMMON: i32 = 1;
    const CROWDED: i32 = 2;
    let kinds = pairs.iter().map(|_| PAIR).chain(common.iter().map(|_| COMMON)).chain([CROWDED]);
    let a = pairs.iter().map(|of| i64::from(of.0.0)).chain(common.iter().map(|&of| of.into())).chain([crowded as i64]);
    let none = || common.iter().map(|_| 0i64).chain([0]);
    table(vec![
        ("kind", ints(kinds)),
        ("a", longs(a)),
        ("b", longs(pairs.iter().map(|of| i64::from(of.0.1)).chain(none()))),
        ("count", longs(pairs.iter().map(|of| i64::from(of.1.count)).chain(none()))),
        ("crowded", longs(pairs.iter().map(|of| i64::from(of.1.crowded)).chain(none()))),
        ("needed", longs(pairs.iter().map(|of| i64::from(of.1.needed)).chain(none()))),
    ])
}

fn counted(done: Vec<(i64, k::Counted)>) -> PyResult<Table> {
    const ANSWERS: i32 = 0;
    const FREQUENT: i32 = 1;
    let (mut frequent, mut answers) = (Vec::new(), Vec::new());
    for (_, counted) in done {
        let (some, others) = counted.finish();
        frequent.extend(some);
        answers.extend(others);
    }
    let kinds = answers.iter().map(|_| ANSWERS).chain(frequent.iter().map(|_| FREQUENT));
    let numbers = answers.iter().map(|of| of.0.into()).chain(frequent.iter().map(|of| of.0 as i64));
    let codes = answers.iter().map(|_| 0).chain(frequent.iter().map(|of| of.1.into()));
    let data = answers.iter().map(|of| Some(&of.1)).chain(frequent.iter().map(|_| None));
    table(vec![
        ("kind", ints(kinds)),
        ("number", longs::<i64>(numbers)),
        ("code", ints(codes)),
        ("data", optional_bytes(data)),
    ])
}

fn usual_shares(done: Vec<(u32, Vec<u16>)>) -> PyResult<Table> {
    let usual = |(text, mut shares): (u32, Vec<u16>)| (text, k::usual_share(&mut shares));
    let found: Vec<(u32, u16)> = done.into_iter().map(usual).filter(|&(_, usual)| usual > 0).collect();
    table(vec![("t", longs(found.iter().map(|of| of.0))), ("usual", ints(found.iter().map(|of| of.1.into())))])
}

fn read_table(found: Vec<k::Read>) -> PyResult<Table> {
    let number = |at: usize| floats(found.iter().map(move |of| of.near[at]));
    table(vec![
        ("l", longs(found.iter().map(|of| of.left))),
        ("r", longs(found.iter().map(|of| of.right))),
        ("odds", floats(found.iter().map(|of| of.odds))),
        ("evidence", bytes(found.iter().map(|of| &of.evidence))),
        ("near", flags(found.iter().map(|of| of.is_near))),
        ("similarity", number(0)),
        ("jaccard", number(1)),
        ("containment", number(2)),
    ])
}

/// Decides by links; who looks at texts is a Python object with a method for each question.
#[pyclass(module = "retold._retold")]
pub struct Decider(k::Decider);

/// The Python object, and what it raised.
struct Asking<'py> {
    engine: Bound<'py, PyAny>,
    raised: std::cell::RefCell<Option<PyErr>>,
}

impl<'py> Asking<'py> {
    fn new(engine: &Bound<'py, PyAny>) -> Self {
        Self { engine: engine.clone(), raised: std::cell::RefCell::default() }
    }

    fn ask<T: Default>(
        &self,
        method: &str,
        arguments: impl pyo3::call::PyCallArgs<'py>,
        answer: impl FnOnce(Bound<'py, PyAny>) -> PyResult<T>,
    ) -> T {
        if self.raised.borrow().is_some() {
            return T::default();
        }
        self.engine.call_method1(method, arguments).and_then(answer).unwrap_or_else(|error| {
            *self.raised.borrow_mut() = Some(error);
            T::default()
        })
    }

    fn done(self) -> PyResult<()> {
        self.raised.into_inner().map_or(Ok(()), Err)
    }
}

fn pairs_table(pairs: &[(u32, u32)]) -> PyResult<Table> {
    table(vec![
        ("at", longs(0..pairs.len() as i64)),
        ("l", longs(pairs.iter().map(|of| of.0))),
        ("r", longs(pairs.iter().map(|of| of.1))),
    ])
}

fn met_of(rows: &Rows) -> PyResult<Vec<(i32, Met)>> {
    let (left, right, rounds) = (rows.ints("l")?, rows.ints("r")?, rows.small("round")?);
    let near = near_of(rows)?;
    Ok((0..rows.len()).map(|row| (rounds[row], Met { left: left[row], right: right[row], near: near[row] })).collect())
}

fn near_of(rows: &Rows) -> PyResult<Vec<[f32; 3]>> {
    let [similarity, jaccard, containment] =
        [rows.floats("similarity")?, rows.floats("jaccard")?, rows.floats("containment")?];
    Ok((0..rows.len()).map(|row| [similarity.value(row), jaccard.value(row), containment.value(row)]).collect())
}

impl k::Engine for Asking<'_> {
    fn closest(&self, crowds: &[k::Crowd], most: usize) -> Vec<Vec<(usize, u32)>> {
        let list = |of: fn(&k::Crowd) -> &Vec<u32>| {
            let numbers = (0i64..).zip(crowds).flat_map(move |(crowd, all)| of(all).iter().map(move |_| crowd));
            let texts = crowds.iter().flat_map(move |crowd| of(crowd).iter().copied());
            table(vec![("crowd", longs(numbers)), ("t", longs(texts))])
        };
        let tables = list(|crowd| &crowd.sample).and_then(|sample| Ok((sample, list(|crowd| &crowd.texts)?, most)));
        let Ok(tables) = tables else { return Vec::new() };
        self.ask("closest", tables, |answer| {
            let rows = Rows::of(&answer)?;
            let mut closest = vec![Vec::new(); crowds.len()];
            let distances = rows.longs("distance")?.into_iter().zip(rows.ints("t")?);
            for (crowd, (distance, text)) in rows.longs("crowd")?.into_iter().zip(distances) {
                if let Some(closest) = closest.get_mut(crowd as usize) {
                    closest.push((distance as usize, text));
                }
            }
            Ok(closest)
        })
    }

    fn compare(&self, pairs: &[(u32, u32)], glance: i32) -> Vec<Met> {
        let Ok(pairs) = pairs_table(pairs) else { return Vec::new() };
        self.ask("compare", (pairs, glance), |answer| {
            Ok(met_of(&Rows::of(&answer)?)?.into_iter().map(|(_, met)| met).collect())
        })
    }

    fn overlaps(&self, texts: &[u8]) -> (Vec<(u32, u32, u32)>, Vec<u32>, usize) {
        self.ask("overlaps", (PyBytes::new(self.engine.py(), texts),), |answer| {
            let (pairs, common, crowded): (Bound<'_, PyAny>, Vec<u8>, usize) = answer.extract()?;
            let rows = Rows::of(&pairs)?;
            let counts = rows.ints("r")?.into_iter().zip(rows.ints("count")?);
            let pairs = rows.ints("l")?.into_iter().zip(counts).map(|(l, (r, count))| (l, r, count)).collect();
            Ok((pairs, four(&common), crowded))
        })
    }

    fn direct(&self, pairs: &[(u32, u32)]) -> Vec<(usize, k::Direct)> {
        let Ok(pairs) = pairs_table(pairs) else { return Vec::new() };
        self.ask("direct", (pairs,), |answer| {
            let rows = Rows::of(&answer)?;
            let (places, is_near, near) = (rows.longs("at")?, rows.flags("near")?, near_of(&rows)?);
            let evidence = rows.bytes("evidence")?;
            let direct = |row: usize| k::Direct {
                is_near: is_near.value(row),
                near: near[row],
                evidence: evidence[row].to_vec(),
            };
            Ok((0..rows.len()).map(|row| (places[row] as usize, direct(row))).collect())
        })
    }

    fn side_by_side(&self, pairs: &[(u32, u32)]) -> Vec<(bool, [f32; 4])> {
        let count = pairs.len();
        let Ok(pairs) = pairs_table(pairs) else { return Vec::new() };
        self.ask("side_by_side", (pairs,), |answer| {
            let rows = Rows::of(&answer)?;
            let (places, is_near, near) = (rows.longs("at")?, rows.flags("near")?, near_of(&rows)?);
            let covered = rows.floats("covered")?;
            let mut found = vec![(false, [0.0; 4]); count];
            for (row, &at) in places.iter().enumerate() {
                if let Some(found) = found.get_mut(at as usize) {
                    let [similarity, jaccard, containment] = near[row];
                    *found = (is_near.value(row), [similarity, jaccard, containment, covered.value(row)]);
                }
            }
            Ok(found)
        })
    }
}

#[pymethods]
impl Decider {
    /// `articles` has the columns n, words, refused, and seconds, outlet and known where they matter; `copied` has same and n.
    #[new]
    fn new(options: &Bound<'_, PyDict>, articles: &Bound<'_, PyAny>, copied: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (articles, copied) = (Rows::of(articles)?, Rows::of(copied)?);
        let places = articles.ints("n")?;
        let mut numbered = vec![false; places.len()];
        let mut is_new = |&at: &u32| {
            let place = numbered.get_mut(at as usize);
            place.is_some_and(|place| !std::mem::replace(place, true))
        };
        if let Some(row) = places.iter().position(|at| !is_new(at)) {
            return Err(PyValueError::new_err(format!(
                "the number {} of row {row} is beyond those of {} articles, or another row has it: number all rows from 0 on, \
                 each once, and lose none",
                places[row],
                places.len()
            )));
        }
        fn in_place<T: Clone + Default>(places: &[u32], values: impl Iterator<Item = T>) -> Vec<T> {
            let mut all = vec![T::default(); places.len()];
            places.iter().zip(values).for_each(|(&at, value)| all[at as usize] = value);
            all
        }
        let is_there = |name: &str| articles.column(name).is_ok();
        let truth =
            |name: &str| PyResult::Ok(articles.flags(name)?.iter().map(|is| is == Some(true)).collect::<Vec<_>>());
        let numbers = k::Numbers {
            words: in_place(&places, articles.ints("words")?.into_iter()),
            refused: in_place(&places, truth("refused")?.into_iter()),
            copied: copied.longs("same")?.into_iter().map(|same| same as u64).zip(copied.ints("n")?).collect(),
            seconds: match is_there("seconds") {
                true => Some(in_place(&places, articles.longs("seconds")?.into_iter())),
                false => None,
            },
            outlets: match is_there("outlet") {
                true => {
                    let outlets = articles.optional_longs("outlet")?.into_iter();
                    Some(in_place(&places, outlets.map(|outlet| outlet.map(|outlet| outlet as u64))))
                }
                false => None,
            },
            known: match is_there("known") {
                true => Some(in_place(&places, truth("known")?.into_iter())),
                false => None,
            },
        };
        Ok(Self(k::Decider::new(kernels_of(options)?, numbers)))
    }

    /// How many texts there are.
    fn texts(&self) -> usize {
        self.0.texts()
    }

    fn distinct<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.distinct())
    }

    fn near(&mut self, met: &Bound<'_, PyAny>, engine: &Bound<'_, PyAny>) -> PyResult<()> {
        let asking = Asking::new(engine);
        self.0.near(met_of(&Rows::of(met)?)?, &asking);
        asking.done()
    }

    fn leads<'py>(&self, py: Python<'py>) -> (Bound<'py, PyBytes>, usize) {
        let (leads, documents) = self.0.leads();
        (PyBytes::new(py, &leads), documents)
    }

    fn whole<'py>(&self, py: Python<'py>) -> (Bound<'py, PyBytes>, Bound<'py, PyBytes>) {
        let (whole, common) = self.0.whole();
        let common: Vec<u8> = common.iter().flat_map(|of| of.to_le_bytes()).collect();
        (PyBytes::new(py, &whole), PyBytes::new(py, &common))
    }

    fn english(&self, sums: [u64; 5]) -> f32 {
        k::english_share(sums)
    }

    /// The weights of the rare features and of the pairs of words of each text, four bytes each, and how many texts are of its kind, a byte
    /// each, by a table of t, rare_total, pair_total and kin.
    fn totals<'py>(
        &self,
        py: Python<'py>,
        totals: &Bound<'py, PyAny>,
    ) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let rows = Rows::of(totals)?;
        let (mut bytes, mut kin) = (vec![0; 8 * self.0.texts()], vec![0; self.0.texts()]);
        let of_texts = rows.ints("rare_total")?.into_iter().zip(rows.ints("pair_total")?).zip(rows.small("kin")?);
        for (text, ((rare, pairs), of_text)) in rows.ints("t")?.into_iter().zip(of_texts) {
            let both = (u64::from(pairs) << 32 | u64::from(rare)).to_le_bytes();
            bytes[8 * text as usize..][..8].copy_from_slice(&both);
            kin[text as usize] = of_text as u8;
        }
        Ok((PyBytes::new(py, &bytes), PyBytes::new(py, &kin)))
    }

    /// For each text the least share of a pair that is among its best, two bytes each, and which texts are in crowds, by a table of t
    /// and usual.
    fn crowds<'py>(
        &self,
        py: Python<'py>,
        shares: &Bound<'py, PyAny>,
    ) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let rows = Rows::of(shares)?;
        let (mut least, mut is_crowded) = (vec![0; 2 * self.0.texts()], vec![false; self.0.texts()]);
        for (text, usual) in rows.ints("t")?.into_iter().zip(rows.small("usual")?) {
            let at = text as usize;
            least[2 * at..2 * at + 2].copy_from_slice(&(usual as u16).to_le_bytes());
            is_crowded[at] = k::is_crowded(usual as u16);
        }
        Ok((PyBytes::new(py, &least), PyBytes::new(py, &Bits::of(is_crowded.len(), |at| is_crowded[at]))))
    }

    /// What is usual for each text, by the same table, what was found of those in crowds, and how many are of the kind of each.
    fn usual<'py>(
        &self,
        py: Python<'py>,
        shares: &Bound<'py, PyAny>,
        found: &Bound<'py, PyAny>,
        kin: &[u8],
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (shares, found) = (Rows::of(shares)?, Rows::of(found)?);
        let usual = shares.small("usual")?.into_iter().map(|share| share as u16);
        let shares: Vec<(u32, u16)> = shares.ints("t")?.into_iter().zip(usual).collect();
        let values = found.floats("share")?;
        let found: Vec<(u32, f32)> = found.ints("t")?.into_iter().zip(values.values().iter().copied()).collect();
        Ok(PyBytes::new(py, &self.0.usual(&shares, &found, kin)))
    }

    fn prior(&self, counts: Vec<Vec<u8>>) -> f32 {
        self.0.prior(counts.iter().map(|counts| &**counts))
    }

    fn reworded(&mut self, read: &Bound<'_, PyAny>, prior: f32, engine: &Bound<'_, PyAny>) -> PyResult<()> {
        let rows = Rows::of(read)?;
        let (left, right) = (rows.ints("l")?, rows.ints("r")?);
        let (odds, evidence) = (rows.floats("odds")?, rows.bytes("evidence")?);
        let (is_near, near) = (rows.flags("near")?, near_of(&rows)?);
        let read = |row: usize| k::Read {
            left: left[row],
            right: right[row],
            odds: odds.value(row),
            evidence: evidence[row].to_vec(),
            is_near: is_near.value(row),
            near: near[row],
        };
        let asking = Asking::new(engine);
        self.0.reworded((0..rows.len()).map(read).collect(), prior, &asking).map_err(broken)?;
        asking.done()
    }

    /// A row for each copy, with the number of its article, n, that of its representative, and that of the member it was judged with, if
    /// that is another one.
    fn members(&mut self) -> PyResult<Table> {
        let found = self.0.members();
        let relations = found.iter().map(|of| of.relation.to_string());
        table(vec![
            ("cluster", longs(found.iter().map(|of| of.cluster as i64))),
            ("representative_n", longs(found.iter().map(|of| of.representative as i64))),
            ("n", longs(found.iter().map(|of| of.article as i64))),
            ("via_n", Arc::new(found.iter().map(|of| of.via.map(|via| via as i64)).collect::<Int64Array>())),
            ("relation", Arc::new(StringArray::from_iter_values(relations))),
            ("similarity", floats(found.iter().map(|of| of.similarity))),
            ("evidence", crate::report::evidence(found.iter().map(|of| of.evidence).collect())),
        ])
    }

    /// The texts that others speak for, with those that do.
    fn followers(&self) -> PyResult<Table> {
        let found: Vec<(u32, u32)> = self.0.followers().collect();
        table(vec![("t", longs(found.iter().map(|of| of.0))), ("speaker", longs(found.iter().map(|of| of.1)))])
    }

    /// The story of each text, four bytes each, and which texts are known, a bit each.
    fn stories<'py>(&self, py: Python<'py>) -> (Bound<'py, PyBytes>, Bound<'py, PyBytes>) {
        let (stories, known) = self.0.stories();
        (PyBytes::new(py, &stories), PyBytes::new(py, &known))
    }

    /// A row for each passage, with the numbers of the articles, by a table of l, r and data.
    fn excerpts(&self, found: &Bound<'_, PyAny>) -> PyResult<Table> {
        let rows = Rows::of(found)?;
        let pairs = rows.ints("l")?.into_iter().zip(rows.ints("r")?);
        let found = pairs.zip(rows.bytes("data")?).map(|((l, r), data)| (l, r, data.to_vec())).collect();
        let told = self.0.excerpts(found).map_err(broken)?;
        let mut others = ListBuilder::new(Int64Builder::new());
        for of in &told {
            of.others.iter().for_each(|&at| others.values().append_value(at as i64));
            others.append(true);
        }
        let places = |place: fn(&k::ExcerptRow) -> usize| longs(told.iter().map(move |of| place(of) as i64));
        table(vec![
            ("at", longs(0..told.len() as i64)),
            ("host_n", places(|of| of.host)),
            ("host_start", places(|of| of.host_span.start)),
            ("host_end", places(|of| of.host_span.end)),
            ("source_n", places(|of| of.source)),
            ("source_start", places(|of| of.source_span.start)),
            ("source_end", places(|of| of.source_span.end)),
            ("words", places(|of| of.words)),
            ("kind", Arc::new(StringArray::from_iter_values(told.iter().map(|of| of.kind.to_string())))),
            ("same", floats(told.iter().map(|of| of.same))),
            ("holders", places(|of| of.holders)),
            ("others_n", Arc::new(others.finish())),
            ("date", Arc::new(told.iter().map(|of| of.date.as_ref()).collect::<StringArray>())),
            ("is_furniture", flags(told.iter().map(|of| of.is_furniture))),
        ])
    }

    /// The numbers of the articles that can go.
    fn removals(&self, engine: &Bound<'_, PyAny>) -> PyResult<Table> {
        let asking = Asking::new(engine);
        let removed = self.0.removals(&asking);
        asking.done()?;
        table(vec![("n", longs(removed.into_iter().map(|at| at as i64)))])
    }
}
