//! Articles as Python hands them over: Arrow data of any library, or lists of strings, tuples and dicts. Texts stay where they are.

use std::ffi::CString;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, ArrowPrimitiveType, ArrowTemporalType, Date32Type, Date64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, GenericStringArray, LargeStringArray, OffsetSizeTrait, PrimitiveArray, StringArray,
    StringViewArray,
};
use arrow_schema::{DataType, TimeUnit};
use pyo3::exceptions::{PyKeyError, PyTypeError, PyUserWarning, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyBytes, PyDict, PyIterator, PyList, PyMapping, PyString, PyTuple};
use retold::Article;

use crate::capsule::{Incoming, arrow_error, incoming, record_batch};
use crate::options;

/// Which columns, or keys of dicts, hold what.
#[derive(Clone)]
pub struct Names {
    pub text: String,
    pub id: Option<String>,
    pub date: Option<String>,
    pub source: Option<String>,
    pub known: Option<String>,
}

impl<'py> FromPyObject<'_, 'py> for Names {
    type Error = PyErr;

    fn extract(names: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        const NEEDED: &str = "the name of a column or key";
        let optional = |what: &str| -> PyResult<Option<String>> {
            let name = names.get_item(what)?;
            (!name.is_none()).then(|| options::extract(name.as_borrowed(), what, NEEDED)).transpose()
        };
        Ok(Self {
            text: options::extract(names.get_item("text")?.as_borrowed(), "text", NEEDED)?,
            id: optional("id")?,
            date: optional("date")?,
            source: optional("source")?,
            known: optional("known")?,
        })
    }
}

impl Names {
    /// The id's column need not be there if nobody named it.
    const DEFAULT_ID: &str = "id";

    /// The columns that are read if they are there.
    fn wanted(&self) -> Vec<&str> {
        let others = [&self.id, &self.date, &self.source, &self.known].into_iter().filter_map(Option::as_deref);
        std::iter::once(&*self.text).chain(others).collect()
    }

    /// Refuses data without what is named.
    fn check(&self, data_type: &DataType) -> PyResult<()> {
        if let DataType::Struct(fields) = data_type {
            return self.check_columns(fields.iter().map(|field| field.name().as_str()));
        }
        match self.needed().nth(1) {
            Some((name, what)) => Err(PyTypeError::new_err(format!(
                "{what}={name:?} names a column, but the articles are one column of {data_type}: give a table"
            ))),
            None => Ok(()),
        }
    }

    fn check_columns<'a>(&self, columns: impl Iterator<Item = &'a str>) -> PyResult<()> {
        let columns: Vec<&str> = columns.collect();
        match self.needed().find(|(name, _)| !columns.contains(name)) {
            Some((name, what)) => {
                let columns = columns.join(", ");
                Err(PyKeyError::new_err(format!("no column {name:?} for the {what}: give {what}= one of {columns}")))
            }
            None => Ok(()),
        }
    }

    /// What is needed, and what it is for.
    fn needed(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let others = [(&self.id, "id"), (&self.date, "date"), (&self.source, "source"), (&self.known, "known")];
        let others = others.into_iter().filter_map(|(name, what)| Some((name.as_deref()?, what)));
        std::iter::once((&*self.text, "text")).chain(others.filter(|&other| other != (Self::DEFAULT_ID, "id")))
    }
}

/// Strings of a column, where they are.
pub enum Strings {
    Small(StringArray),
    Large(LargeStringArray),
    Views(StringViewArray),
    /// Of a dictionary: for each row which of the values it has.
    Coded(Vec<Option<u32>>, Box<Strings>),
    /// Of Python objects, which keep them in UTF-8.
    Objects(Vec<Option<PyBackedStr>>),
}

impl Strings {
    /// `None` for null.
    pub fn get(&self, row: usize) -> Option<&str> {
        match self {
            Self::Small(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Large(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Views(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Coded(codes, values) => codes[row].and_then(|code| values.get(code as usize)),
            Self::Objects(objects) => objects[row].as_deref(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Small(array) => array.len(),
            Self::Large(array) => array.len(),
            Self::Views(array) => array.len(),
            Self::Coded(codes, _) => codes.len(),
            Self::Objects(objects) => objects.len(),
        }
    }

    /// The strings of an array whose first row is the `first` of its column. Unless `is_text`, numbers and dates are written out.
    pub fn of(array: &ArrayRef, name: &str, is_text: bool, first: usize) -> PyResult<Self> {
        let broken = |row: usize| {
            PyValueError::new_err(format!(
                "column {name:?}, row {}: the string is not valid UTF-8, which Arrow requires: decode it again, for example \
                 with bytes.decode(\"utf-8\", \"replace\")",
                first + row
            ))
        };
        match array.data_type() {
            DataType::Utf8 => check_strings(array.as_string::<i32>()).map_err(broken)?,
            DataType::LargeUtf8 => check_strings(array.as_string::<i64>()).map_err(broken)?,
            DataType::Utf8View | DataType::Dictionary(..) => {
                array.to_data().validate_full().map_err(arrow_error)?;
            }
            _ => {}
        }
        Ok(match array.data_type() {
            DataType::Utf8 => Self::Small(array.as_string().clone()),
            DataType::LargeUtf8 => Self::Large(array.as_string().clone()),
            DataType::Utf8View => Self::Views(array.as_string_view().clone()),
            DataType::Dictionary(keys, _) => {
                let dictionary = array.as_any_dictionary();
                let codes = match **keys {
                    DataType::Int8 => codes::<Int8Type>(array),
                    DataType::Int16 => codes::<Int16Type>(array),
                    DataType::Int32 => codes::<Int32Type>(array),
                    DataType::Int64 => codes::<Int64Type>(array),
                    DataType::UInt8 => codes::<UInt8Type>(array),
                    DataType::UInt16 => codes::<UInt16Type>(array),
                    DataType::UInt32 => codes::<UInt32Type>(array),
                    _ => codes::<UInt64Type>(array),
                };
                Self::Coded(codes, Box::new(Self::of(dictionary.values(), name, is_text, 0)?))
            }
            DataType::Null => Self::Coded(vec![None; array.len()], Box::new(Self::Objects(Vec::new()))),
            _ if !is_text && let Some(written) = written(array) => Self::Large(written),
            other => {
                let remedy = if is_text {
                    "give strings (string, large_string, string_view, or a dictionary of them)"
                } else {
                    "give strings, integers, dates or timestamps"
                };
                return Err(PyTypeError::new_err(format!("column {name:?} is {other}{}: {remedy}", from_row(first))));
            }
        })
    }
}

/// Where a column has a type, if it may have had another one before: the tables of a stream need not have the same.
fn from_row(first: usize) -> String {
    if first == 0 { String::new() } else { format!(" from row {first} on") }
}

/// Refuses strings that are not UTF-8, by row: Arrow requires it, but files and libraries break it.
fn check_strings<O: OffsetSizeTrait>(array: &GenericStringArray<O>) -> Result<(), usize> {
    let (offsets, values) = (array.value_offsets(), array.value_data());
    if let Some(row) = offsets.windows(2).position(|two| two[0] > two[1] || two[1].as_usize() > values.len()) {
        return Err(row);
    }
    // Only what these rows span: many arrays may be slices of one buffer.
    let (start, end) = (offsets[0].as_usize(), offsets[array.len()].as_usize());
    if let Ok(all) = str::from_utf8(&values[start..end])
        && offsets.iter().all(|offset| all.is_char_boundary(offset.as_usize() - start))
    {
        return Ok(());
    }
    let is_broken = |row: &usize| {
        array.is_valid(*row) && str::from_utf8(&values[offsets[*row].as_usize()..offsets[row + 1].as_usize()]).is_err()
    };
    (0..array.len()).find(is_broken).map_or(Ok(()), Err)
}

fn codes<K: ArrowDictionaryKeyType>(array: &ArrayRef) -> Vec<Option<u32>> {
    array
        .as_dictionary::<K>()
        .keys()
        .iter()
        .map(|key| key.map(|key| arrow_buffer::ArrowNativeType::as_usize(key) as u32))
        .collect()
}

/// Integers in decimal, dates and timestamps as ISO 8601; those with a time zone in UTC.
fn written(array: &ArrayRef) -> Option<LargeStringArray> {
    fn numbers<T: ArrowPrimitiveType<Native: ToString>>(array: &ArrayRef) -> LargeStringArray {
        array.as_primitive::<T>().iter().map(|number| number.map(|number| number.to_string())).collect()
    }
    fn days<T: ArrowTemporalType>(array: &ArrayRef) -> LargeStringArray
    where
        i64: From<T::Native>,
    {
        let array: &PrimitiveArray<T> = array.as_primitive();
        (0..array.len()).map(|row| Some(array.is_valid(row).then(|| array.value_as_date(row))??.to_string())).collect()
    }
    fn times<T: ArrowTemporalType>(array: &ArrayRef, is_utc: bool) -> LargeStringArray
    where
        i64: From<T::Native>,
    {
        let array: &PrimitiveArray<T> = array.as_primitive();
        let zone = if is_utc { "Z" } else { "" };
        let time = |row| Some(format!("{:?}{zone}", array.is_valid(row).then(|| array.value_as_datetime(row))??));
        (0..array.len()).map(time).collect()
    }
    Some(match array.data_type() {
        DataType::Int8 => numbers::<Int8Type>(array),
        DataType::Int16 => numbers::<Int16Type>(array),
        DataType::Int32 => numbers::<Int32Type>(array),
        DataType::Int64 => numbers::<Int64Type>(array),
        DataType::UInt8 => numbers::<UInt8Type>(array),
        DataType::UInt16 => numbers::<UInt16Type>(array),
        DataType::UInt32 => numbers::<UInt32Type>(array),
        DataType::UInt64 => numbers::<UInt64Type>(array),
        DataType::Date32 => days::<Date32Type>(array),
        DataType::Date64 => days::<Date64Type>(array),
        DataType::Timestamp(TimeUnit::Second, zone) => times::<TimestampSecondType>(array, zone.is_some()),
        DataType::Timestamp(TimeUnit::Millisecond, zone) => times::<TimestampMillisecondType>(array, zone.is_some()),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => times::<TimestampMicrosecondType>(array, zone.is_some()),
        DataType::Timestamp(TimeUnit::Nanosecond, zone) => times::<TimestampNanosecondType>(array, zone.is_some()),
        _ => return None,
    })
}

/// Articles that came together.
pub struct Batch {
    text: Strings,
    /// Never null.
    id: Strings,
    date: Option<Strings>,
    source: Option<Strings>,
    known: Option<BooleanArray>,
}

impl Batch {
    fn len(&self) -> usize {
        self.text.len()
    }

    /// The date of each row; none at all where nobody named any.
    pub fn dates(&self) -> impl Iterator<Item = Option<&str>> {
        self.date.iter().flat_map(|dates| (0..dates.len()).map(|row| dates.get(row)))
    }

    /// The rows, each of which keeps the batch.
    pub fn rows(self) -> impl ExactSizeIterator<Item = Row> {
        let batch = Arc::new(self);
        (0..batch.len()).map(move |row| Row { batch: Arc::clone(&batch), row })
    }

    /// Of a table as an array of structs, or of texts alone; `first` articles came before.
    pub fn of(array: &ArrayRef, names: &Names, first: usize) -> PyResult<Self> {
        names.check(array.data_type())?;
        let Some(table) = array.as_struct_opt() else {
            let text = Strings::of(array, &names.text, true, first)?;
            return Ok(Self { id: numbered(None, text.len(), first), text, date: None, source: None, known: None });
        };
        let column = |name: &str| table.column_by_name(name).map(|array| (array, name.to_string()));
        let label = |name: &Option<String>| {
            let found = name.as_deref().and_then(column);
            found.map(|(array, name)| Strings::of(array, &name, false, first)).transpose()
        };
        let known = names.known.as_deref().and_then(column).map(|(array, name)| {
            // Nulls alone may have any type, or none.
            if array.logical_null_count() == array.len() {
                return Ok(BooleanArray::new_null(array.len()));
            }
            array.as_boolean_opt().cloned().ok_or_else(|| {
                let (kind, from) = (array.data_type(), from_row(first));
                PyTypeError::new_err(format!("column {name:?} is {kind}{from}: give Booleans"))
            })
        });
        Ok(Self {
            text: Strings::of(&table[&*names.text], &names.text, true, first)?,
            id: numbered(label(&names.id)?, table.len(), first),
            date: label(&names.date)?,
            source: label(&names.source)?,
            known: known.transpose()?,
        })
    }
}

/// Ids, where an article without one has the number of its row.
fn numbered(ids: Option<Strings>, rows: usize, first: usize) -> Strings {
    match ids {
        Some(ids) if (0..rows).all(|row| ids.get(row).is_some()) => ids,
        ids => {
            let id = |row| {
                ids.as_ref().and_then(|ids| ids.get(row)).map_or_else(|| (first + row).to_string(), str::to_string)
            };
            Strings::Large(LargeStringArray::from_iter_values((0..rows).map(id)))
        }
    }
}

/// One article.
#[derive(Clone)]
pub struct Row {
    batch: Arc<Batch>,
    row: usize,
}

impl Article for Row {
    fn id(&self) -> &str {
        self.batch.id.get(self.row).unwrap_or_default()
    }

    fn text(&self) -> &str {
        self.batch.text.get(self.row).unwrap_or_default()
    }

    fn date(&self) -> Option<&str> {
        self.batch.date.as_ref()?.get(self.row)
    }

    fn source(&self) -> Option<&str> {
        self.batch.source.as_ref()?.get(self.row).filter(|source| !source.is_empty())
    }

    fn is_known(&self) -> bool {
        self.batch.known.as_ref().is_some_and(|known| known.is_valid(self.row) && known.value(self.row))
    }
}

/// Articles of one call, to be read without Python's lock.
pub enum Feed {
    Arrow(Incoming, Names),
    Objects(Option<Box<Batch>>),
    /// Record batches, each of which may have types of its own, or lists of dicts, one after the other.
    Parts(Py<PyIterator>, Names),
}

impl Feed {
    /// `first` articles came before.
    pub fn of(articles: &Bound<'_, PyAny>, names: &Names, first: usize) -> PyResult<Self> {
        type Adapted<'py> = (Bound<'py, PyAny>, Option<Vec<String>>);
        let adapted = |adapter| -> PyResult<Bound<'_, PyAny>> {
            let adapters = articles.py().import("retold._adapters")?;
            let (adapted, columns): Adapted<'_> =
                adapters.call_method1(adapter, (articles, names.wanted()))?.extract()?;
            if let Some(columns) = columns {
                names.check_columns(columns.iter().map(String::as_str))?;
            }
            Ok(adapted)
        };
        let module = articles.get_type().module()?.to_string();
        let frame = matches!(module.split('.').next(), Some("polars" | "pandas")).then(|| adapted("from_frame"));
        let frame = frame.transpose()?;
        if let Some(incoming) = incoming(frame.as_ref().unwrap_or(articles))? {
            names.check(&incoming.data_type)?;
            return Ok(Self::Arrow(incoming, names.clone()));
        }
        if articles.hasattr("with_format")? {
            let parts = adapted("from_datasets")?.try_iter()?.unbind();
            return Ok(Self::Parts(parts, names.clone()));
        }
        if articles.is_instance_of::<PyString>() || articles.is_instance_of::<PyBytes>() {
            return Err(PyTypeError::new_err("articles is one string: give a list of strings, or a table"));
        }
        if articles.cast::<PyMapping>().is_ok() {
            return Err(PyTypeError::new_err("articles is a dict: give list(articles.items()) for {id: text}"));
        }
        let items = articles.try_iter().map_err(|_| {
            PyTypeError::new_err(format!(
                "articles is {}: give a table (pyarrow, polars, pandas, DuckDB, datasets), or a list of strings, (id, text) \
                 tuples or dicts",
                kind(articles)
            ))
        })?;
        Ok(Self::Objects(Some(Box::new(Objects::batch(items, names, first)?))))
    }

    fn next(&mut self, first: usize) -> Option<PyResult<Batch>> {
        match self {
            Self::Arrow(incoming, names) => {
                let array = incoming.arrays.next()?.map_err(arrow_error);
                Some(array.and_then(|array| Batch::of(&array, names, first)))
            }
            Self::Objects(batch) => batch.take().map(|batch| Ok(*batch)),
            Self::Parts(parts, names) => Python::attach(|py| {
                let part = parts.bind(py).clone().next()?;
                Some(part.and_then(|part| match record_batch(&part)? {
                    Some(array) => Batch::of(&array, names, first),
                    None => Objects::batch(part.try_iter()?, names, first),
                }))
            }),
        }
    }

    /// The batches, one after the other; `first` articles came before. Warns in the end of dates that are none.
    pub fn batches(mut self, mut first: usize) -> impl Iterator<Item = PyResult<Batch>> {
        let mut undated = Undated::default();
        std::iter::from_fn(move || match self.next(first) {
            Some(batch) => {
                if let Ok(batch) = &batch {
                    first += batch.len();
                    undated.look_at(batch);
                }
                Some(batch)
            }
            None => undated.warn().err().map(Err),
        })
    }
}

/// Dates that are none: how many, and the first of them.
#[derive(Default)]
struct Undated {
    count: u64,
    first: Option<String>,
}

impl Undated {
    fn look_at(&mut self, batch: &Batch) {
        for date in batch.dates().flatten().filter(|date| !date.trim().is_empty() && !retold::is_date(date)) {
            self.count += 1;
            self.first.get_or_insert_with(|| date.into());
        }
    }

    /// Once.
    fn warn(&mut self) -> PyResult<()> {
        let Some(first) = self.first.take() else { return Ok(()) };
        let (count, s) = (self.count, if self.count == 1 { "" } else { "s" });
        let message =
            format!("{count} date{s} cannot be read and count as none, such as {first:?}: give 2024-05-17 or a date");
        warn(&message)
    }
}

/// Tells of what was passed over.
pub fn warn(message: &str) -> PyResult<()> {
    let message = CString::new(message.replace('\0', "\u{2400}")).map_err(PyValueError::new_err)?;
    Python::attach(|py| PyErr::warn(py, &py.get_type::<PyUserWarning>(), &message, 1))
}

/// An article as a dict, or as another mapping.
enum Fields<'a, 'py> {
    Dict(&'a Bound<'py, PyDict>),
    Mapping(&'a Bound<'py, PyMapping>),
}

impl<'a, 'py> Fields<'a, 'py> {
    fn of(item: &'a Bound<'py, PyAny>) -> Option<Self> {
        // Any other class is asked of last, which takes longer.
        if let Ok(dict) = item.cast() {
            return Some(Self::Dict(dict));
        }
        if item.is_instance_of::<PyString>() || item.is_instance_of::<PyTuple>() || item.is_instance_of::<PyList>() {
            return None;
        }
        item.cast().ok().map(Self::Mapping)
    }

    fn get(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self {
            Self::Dict(dict) => dict.get_item(name),
            Self::Mapping(mapping) if mapping.contains(name)? => mapping.get_item(name).map(Some),
            Self::Mapping(_) => Ok(None),
        }
    }
}

fn kind(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "an object".into(), |name| name.to_string())
}

/// Articles as Python objects, column by column.
#[derive(Default)]
struct Objects {
    text: Vec<Option<PyBackedStr>>,
    id: Vec<Option<PyBackedStr>>,
    date: Vec<Option<PyBackedStr>>,
    source: Vec<Option<PyBackedStr>>,
    known: Vec<bool>,
}

impl Objects {
    fn push(&mut self, item: &Bound<'_, PyAny>, names: &Names, first: usize) -> PyResult<()> {
        let at = first + self.text.len();
        let text;
        let (mut id, mut date, mut source, mut known) = (None, None, None, false);
        if let Some(fields) = Fields::of(item) {
            for (name, what) in names.needed() {
                if fields.get(name)?.is_none() {
                    return Err(PyKeyError::new_err(format!(
                        "articles[{at}] has no {name:?} for the {what}: add it, or give {what}= another key"
                    )));
                }
            }
            let field = |name: &Option<String>| match name {
                Some(name) => fields.get(name),
                None => Ok(None),
            };
            text = fields.get(&names.text)?;
            id = field(&names.id)?;
            date = field(&names.date)?;
            source = field(&names.source)?;
            if let Some(flag) = field(&names.known)?.filter(|flag| !flag.is_none()) {
                known = flag.extract().map_err(|_| wrong(at, "known", &flag, "a bool"))?;
            }
        } else if let Some((name, what)) = names.needed().nth(1) {
            return Err(PyTypeError::new_err(format!(
                "{what}={name:?} names a key, but articles[{at}] is {}: give dicts or a table",
                kind(item)
            )));
        } else if item.is_instance_of::<PyString>() || item.is_none() {
            text = Some(item.clone());
        } else if (item.is_instance_of::<PyTuple>() || item.is_instance_of::<PyList>()) && item.len()? == 2 {
            (id, text) = (Some(item.get_item(0)?), Some(item.get_item(1)?));
        } else {
            return Err(PyTypeError::new_err(format!(
                "articles[{at}] is {}: give a string, an (id, text) tuple or a dict",
                kind(item)
            )));
        }
        self.text.push(string(at, "text", text, false)?);
        self.id.push(string(at, "id", id, true)?);
        self.date.push(string(at, "date", date, true)?);
        self.source.push(string(at, "source", source, true)?);
        self.known.push(known);
        Ok(())
    }

    fn batch(items: Bound<'_, PyIterator>, names: &Names, first: usize) -> PyResult<Batch> {
        let mut all = Self::default();
        for item in items {
            all.push(&item?, names, first)?;
        }
        let rows = all.text.len();
        Ok(Batch {
            text: Strings::Objects(all.text),
            id: numbered(Some(Strings::Objects(all.id)), rows, first),
            date: names.date.as_ref().map(|_| Strings::Objects(all.date)),
            source: names.source.as_ref().map(|_| Strings::Objects(all.source)),
            known: names.known.as_ref().map(|_| all.known.into()),
        })
    }
}

fn wrong(at: usize, what: &str, found: &Bound<'_, PyAny>, needed: &str) -> PyErr {
    PyTypeError::new_err(format!("articles[{at}]: its {what} is {}: give {needed}", kind(found)))
}

const LABEL: &str = "a string, an integer or a date";

/// A string as it is; if it `is_label`, an integer of any library or a date written out. `None` for anything else.
fn written_out<'py>(value: &Bound<'py, PyAny>, is_label: bool) -> PyResult<Option<Bound<'py, PyString>>> {
    if let Ok(string) = value.cast::<PyString>() {
        return Ok(Some(string.clone()));
    }
    if !is_label || value.extract::<bool>().is_ok() {
        return Ok(None);
    }
    // Of an array there is such a method, which fails.
    if let Ok(integer) = value.call_method0("__index__") {
        return integer.str().map(Some);
    }
    if value.hasattr("isoformat")? {
        return iso(value).map(Some);
    }
    Ok(None)
}

/// A date or time in the form in which [`written`] has it, so that it is one label wherever it comes from: in UTC if it has a time zone, and
/// with a fraction of so many thousands as it needs.
fn iso<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    let py = value.py();
    let has_zone = value.hasattr("astimezone")? && !value.call_method0("utcoffset")?.is_none();
    let utc = || py.import("datetime")?.getattr("timezone")?.getattr("utc");
    let value = if has_zone { value.call_method1("astimezone", (utc()?,))? } else { value.clone() };
    let iso: String = value.call_method0("isoformat")?.extract()?;
    let (mut time, zone) = match iso.strip_suffix("+00:00").filter(|_| has_zone) {
        Some(time) => (time, "Z"),
        None => (&*iso, ""),
    };
    if let Some((_, fraction)) = time.rsplit_once('.') {
        let zeros = fraction.len() - fraction.trim_end_matches('0').len();
        time = &time[..time.len() - zeros / 3 * 3];
    }
    Ok(PyString::new(py, &format!("{}{zone}", time.strip_suffix('.').unwrap_or(time))))
}

/// An id or a date that is an argument of its own.
pub fn label(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    match written_out(value, true)? {
        Some(written) => written.extract(),
        None => Err(PyTypeError::new_err(format!("{name} is {}: give {LABEL}", kind(value)))),
    }
}

/// The same of a field of an article. `None` for none.
fn string(at: usize, what: &str, value: Option<Bound<'_, PyAny>>, is_label: bool) -> PyResult<Option<PyBackedStr>> {
    // The missing date of pandas is the only one that is not itself.
    let is_missing = |value: &Bound<'_, PyAny>| -> PyResult<bool> {
        Ok(is_label && !value.is_instance_of::<PyString>() && value.hasattr("isoformat")? && value.ne(value)?)
    };
    let Some(value) = value.filter(|value| !value.is_none()) else { return Ok(None) };
    if is_missing(&value)? {
        return Ok(None);
    }
    let py = value.py();
    let Some(value) = written_out(&value, is_label)? else {
        return Err(wrong(at, what, &value, if is_label { LABEL } else { "a string" }));
    };
    let string = PyBackedStr::try_from(value).map_err(|error| {
        PyValueError::new_err(format!(
            "articles[{at}]: its {what} is no valid Unicode ({}): repair it with .encode(\"utf-8\", \"replace\").decode()",
            error.value(py)
        ))
    });
    string.map(Some)
}
