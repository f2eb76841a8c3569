//! Results as Arrow arrays and tables. Any Arrow library takes them by their capsules; without one they are sequences.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float32Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{Array as _, ArrayRef, RecordBatch, StructArray};
use arrow_schema::{DataType, Field};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyIndexError, PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict, PyList, PySlice};

use crate::capsule::{array_out, schema_out, stream_out};

/// A column of values.
///
/// A sequence, and an Arrow array for pyarrow, polars and others that know the PyCapsule interface, without a copy.
/// `numpy.asarray` takes it unless it has nulls.
///
/// >>> import retold
/// >>> mask = retold.find(["The ferry leaves at nine.", "The ferry leaves at nine!"]).keep_mask()
/// >>> list(mask)
/// [True, False]
/// >>> len(mask), mask[-1]
/// (2, False)
#[pyclass(frozen, module = "retold", sequence)]
pub struct Array(pub ArrayRef);

#[pymethods]
impl Array {
    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if let Ok(slice) = index.cast::<PySlice>() {
            return self.to_pylist(py)?.as_any().get_item(slice);
        }
        let len = self.0.len() as isize;
        let index: isize = index.extract()?;
        let at = if index < 0 { index + len } else { index };
        if !(0..len).contains(&at) {
            return Err(PyIndexError::new_err(format!("index {index} is out of range: there are {len} rows")));
        }
        value(py, &self.0, at as usize)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.to_pylist(py)?.try_iter()?.into_any())
    }

    /// The values as a list; `None` for null.
    fn to_pylist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        values(py, &self.0)
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        // A wish, by the interface; there is one type.
        let _ = requested_schema;
        array_out(py, &self.0)
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_out(py, &Field::new("", self.0.data_type().clone(), true))
    }

    /// For `numpy.asarray`.
    #[pyo3(signature = (dtype = None, copy = None))]
    fn __array__<'py>(
        &self,
        py: Python<'py>,
        dtype: Option<Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if copy == Some(false) {
            return Err(PyValueError::new_err("numpy needs a copy: leave copy=False out"));
        }
        if self.0.null_count() > 0 {
            return Err(PyValueError::new_err("numpy knows no null: use to_pylist(), pyarrow or polars"));
        }
        let numpy = py.import("numpy")?;
        let bytes = |bytes: &[u8], of: &str| numpy.call_method1("frombuffer", (PyBytes::new(py, bytes), of));
        // By the type of the column: of no rows numpy would make floats.
        fn raw<T: ArrowPrimitiveType>(array: &ArrayRef) -> &[u8] {
            array.as_primitive::<T>().values().inner().as_slice()
        }
        let listed = |function: &str, of: &str| numpy.call_method1(function, (self.to_pylist(py)?, of));
        let array = match self.0.data_type() {
            DataType::Boolean => bytes(&self.0.as_boolean().values().iter().map(u8::from).collect::<Vec<_>>(), "bool")?,
            DataType::Int64 => bytes(raw::<Int64Type>(&self.0), "int64")?,
            DataType::UInt32 => bytes(raw::<UInt32Type>(&self.0), "uint32")?,
            DataType::UInt64 => bytes(raw::<UInt64Type>(&self.0), "uint64")?,
            DataType::Float32 => bytes(raw::<Float32Type>(&self.0), "float32")?,
            DataType::FixedSizeList(_, slots) => {
                let values = bytes(raw::<UInt32Type>(self.0.as_fixed_size_list().values()), "uint32")?;
                values.call_method1("reshape", (self.0.len(), *slots))?
            }
            DataType::LargeUtf8 => listed("array", "str")?,
            // Lists of one length would become rows of an array.
            _ => listed("fromiter", "object")?,
        };
        match dtype {
            Some(dtype) => array.call_method1("astype", (dtype,)),
            None => array.call_method0("copy"),
        }
    }

    fn __repr__(&self) -> String {
        format!("<retold.Array of {} {}>", self.0.len(), self.0.data_type())
    }
}

/// A table of results.
///
/// `pyarrow.table(...)`, `polars.DataFrame(...)` and others that know Arrow's PyCapsule interface take it without a copy.
///
/// >>> import retold
/// >>> members = retold.find([("a", "The ferry leaves at nine."), ("b", "The ferry leaves at nine!")]).members
/// >>> len(members)
/// 1
/// >>> members.column_names
/// ['cluster', 'id', 'position', 'relation', 'similarity', 'evidence', 'via', 'via_position']
/// >>> members["id"][0], members["relation"][0]
/// ('b', 'exact')
#[pyclass(frozen, module = "retold")]
pub struct Table(pub RecordBatch);

#[pymethods]
impl Table {
    fn __len__(&self) -> usize {
        self.0.num_rows()
    }

    /// The names of the columns, in order.
    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.0.schema_ref().fields().iter().map(|field| field.name().clone()).collect()
    }

    fn __getitem__(&self, column: &str) -> PyResult<Array> {
        self.0.column_by_name(column).cloned().map(Array).ok_or_else(|| {
            PyKeyError::new_err(format!("no column {column:?}: use one of {}", self.column_names().join(", ")))
        })
    }

    /// The rows as dicts.
    fn to_pylist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        values(py, &self.whole())
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        stream_out(py, &self.0)
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_out(py, &Field::new("", self.whole().data_type().clone(), false))
    }

    fn __repr__(&self) -> String {
        format!("<retold.Table of {} rows: {}>", self.0.num_rows(), self.column_names().join(", "))
    }
}

impl Table {
    /// As one array of structs.
    pub fn whole(&self) -> ArrayRef {
        Arc::new(StructArray::from(self.0.clone()))
    }
}

fn values<'py>(py: Python<'py>, array: &ArrayRef) -> PyResult<Bound<'py, PyList>> {
    let values: Vec<_> = (0..array.len()).map(|row| value(py, array, row)).collect::<PyResult<_>>()?;
    PyList::new(py, values)
}

/// A value of one of the types that results have.
pub fn value<'py>(py: Python<'py>, array: &ArrayRef, row: usize) -> PyResult<Bound<'py, PyAny>> {
    if array.is_null(row) {
        return Ok(py.None().into_bound(py));
    }
    match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).into_bound_py_any(py),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into_bound_py_any(py),
        DataType::UInt32 => array.as_primitive::<UInt32Type>().value(row).into_bound_py_any(py),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().value(row).into_bound_py_any(py),
        DataType::Float32 => array.as_primitive::<Float32Type>().value(row).into_bound_py_any(py),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).into_bound_py_any(py),
        DataType::LargeList(_) => Ok(values(py, &array.as_list::<i64>().value(row))?.into_any()),
        DataType::FixedSizeList(..) => Ok(values(py, &array.as_fixed_size_list().value(row))?.into_any()),
        DataType::Struct(fields) => {
            let dict = PyDict::new(py);
            for (field, column) in fields.iter().zip(array.as_struct().columns()) {
                dict.set_item(field.name(), value(py, column, row)?)?;
            }
            Ok(dict.into_any())
        }
        other => Err(PyTypeError::new_err(format!("no Python value for {other}"))),
    }
}
