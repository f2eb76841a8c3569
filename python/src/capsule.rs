//! Arrow data to and from Python by the [PyCapsule interface](https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html).
//! Buffers are shared, never copied. The only unsafe code of this package is here.

use std::ffi::CStr;
use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::ffi_stream::{ArrayStreamReader, FFI_ArrowArrayStream};
use arrow_array::{Array, ArrayReader, ArrayRef, RecordBatch, RecordBatchIterator, make_array, new_empty_array};
use arrow_schema::{ArrowError, DataType, Field};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

/// Arrays of one type that another library hands over, one after the other.
pub struct Incoming {
    pub data_type: DataType,
    pub arrays: Box<dyn Iterator<Item = Result<ArrayRef, ArrowError>> + Send>,
}

pub fn arrow_error(error: ArrowError) -> PyErr {
    PyValueError::new_err(format!("the Arrow data cannot be read: {error}"))
}

/// The Arrow data of an object; `None` if it does not speak the interface.
pub fn incoming(object: &Bound<'_, PyAny>) -> PyResult<Option<Incoming>> {
    if object.hasattr("__arrow_c_stream__")? {
        let capsule = object.call_method0("__arrow_c_stream__")?.cast_into::<PyCapsule>()?;
        let stream = capsule.pointer_checked(Some(c"arrow_array_stream"))?.cast::<FFI_ArrowArrayStream>();
        // SAFETY: a capsule of this name holds such a stream, by the interface; it is moved out, and the capsule left empty.
        let reader = unsafe { ArrayStreamReader::from_raw(stream.as_ptr()) }.map_err(arrow_error)?;
        return Ok(Some(Incoming { data_type: reader.field().data_type().clone(), arrays: Box::new(reader) }));
    }
    if object.hasattr("__arrow_c_array__")? {
        let both = object.call_method0("__arrow_c_array__")?.cast_into::<PyTuple>()?;
        let schema = both.get_item(0)?.cast_into::<PyCapsule>()?;
        let array = both.get_item(1)?.cast_into::<PyCapsule>()?;
        let schema = schema.pointer_checked(Some(c"arrow_schema"))?.cast::<FFI_ArrowSchema>();
        let array = array.pointer_checked(Some(c"arrow_array"))?.cast::<FFI_ArrowArray>();
        // SAFETY: capsules of these names hold these structures, by the interface; the array is moved out, and the schema, which
        // is only read, lives as long as `both`.
        let data = unsafe { from_ffi(FFI_ArrowArray::from_raw(array.as_ptr()), schema.as_ref()) };
        let array = make_array(data.map_err(arrow_error)?);
        return Ok(Some(Incoming {
            data_type: array.data_type().clone(),
            arrays: Box::new(std::iter::once(Ok(array))),
        }));
    }
    Ok(None)
}

/// A record batch as one array; `None` if the object does not speak the interface.
pub fn record_batch(object: &Bound<'_, PyAny>) -> PyResult<Option<ArrayRef>> {
    let Some(incoming) = incoming(object)? else { return Ok(None) };
    let nothing = new_empty_array(&incoming.data_type);
    let mut arrays = incoming.arrays.collect::<Result<Vec<_>, _>>().map_err(arrow_error)?;
    let one = arrays.pop().unwrap_or(nothing);
    if !arrays.is_empty() {
        return Err(PyTypeError::new_err("a table of several chunks was given: give one Arrow record batch at a time"));
    }
    Ok(Some(one))
}

fn capsule<'py, T: Send + 'static>(py: Python<'py>, value: T, name: &'static CStr) -> PyResult<Bound<'py, PyCapsule>> {
    PyCapsule::new_with_value(py, value, name)
}

/// A type as `__arrow_c_schema__` gives it.
pub fn schema_out<'py>(py: Python<'py>, field: &Field) -> PyResult<Bound<'py, PyCapsule>> {
    capsule(py, FFI_ArrowSchema::try_from(field).map_err(arrow_error)?, c"arrow_schema")
}

/// An array as `__arrow_c_array__` gives it.
pub fn array_out<'py>(py: Python<'py>, array: &ArrayRef) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
    let (array, schema) = to_ffi(&array.to_data()).map_err(arrow_error)?;
    Ok((capsule(py, schema, c"arrow_schema")?, capsule(py, array, c"arrow_array")?))
}

/// A table as `__arrow_c_stream__` gives it.
pub fn stream_out<'py>(py: Python<'py>, batch: &RecordBatch) -> PyResult<Bound<'py, PyCapsule>> {
    let batches = RecordBatchIterator::new(std::iter::once(Ok(batch.clone())), Arc::clone(batch.schema_ref()));
    capsule(py, FFI_ArrowArrayStream::new(Box::new(batches)), c"arrow_array_stream")
}
