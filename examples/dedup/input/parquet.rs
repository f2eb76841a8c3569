//! Parquet: read as JSON lines of its columns of text, numbers and dates, written from the whole rows.

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, UInt64Array};
use arrow_json::WriterBuilder;
use arrow_json::writer::LineDelimited;
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use arrow_select::filter::filter_record_batch;
use indicatif::ProgressBar;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions};
use parquet::arrow::{ARROW_SCHEMA_META_KEY, ArrowSchemaConverter, ProjectionMask};
use parquet::basic::{ConvertedType, Type as Physical};
use parquet::file::metadata::{KeyValue, ParquetMetaData};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::{SchemaDescriptor, Type, TypePtr};

use super::bytes::{guarded, told, too_large, unreadable};
use crate::annotate::{FIELDS, Note, clash};

/// Reads the columns that may hold a text, an id or a date, a JSON line a row; what is null is null there. Says no to more
/// than `allowed` bytes of lines: a dictionary may say one long value a million times.
pub fn open<'a>(path: &Path, allowed: u64, bar: &'a ProgressBar) -> io::Result<Box<dyn Read + Send + 'a>> {
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let metadata = with_leaves(&load(&file)?, |_, kind| as_read(kind))?;
    let rows = metadata.metadata().file_metadata().num_rows().max(1) as u64;
    let (mut leaves, mut columns) = (0, Vec::new());
    for field in metadata.schema().fields() {
        each_leaf(field, "", &mut leaves, &mut |places, _, is_read| {
            if is_read {
                columns.extend(places);
            }
        });
    }
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
    let mask = ProjectionMask::leaves(builder.parquet_schema(), columns);
    let batches = builder.with_projection(mask).build().map_err(io::Error::other)?;
    Ok(Box::new(Lines {
        batches,
        lines: Bounded { bytes: Vec::new(), left: allowed },
        allowed,
        at: 0,
        bar,
        bytes,
        rows,
    }))
}

/// The names and types of the columns that hold nothing that is read, and of fields within columns.
pub fn unread(path: &Path) -> io::Result<Vec<(String, String)>> {
    let mut unread = Vec::new();
    for field in schema(path)?.fields() {
        each_leaf(field, "", &mut 0, &mut |_, (name, kind), is_read| {
            if is_read {
                return;
            }
            let list = match kind {
                DataType::List(items) | DataType::LargeList(items) => Some(items.data_type()),
                _ => None,
            };
            if let Some(DataType::Struct(fields)) = list {
                let names = fields.iter().map(|field| format!("{name}.{}", field.name()));
                unread.extend([name.clone()].into_iter().chain(names).map(|name| (name, "list of structs".into())));
            } else {
                unread.push((name, kind.to_string()));
            }
        });
    }
    Ok(unread)
}

fn schema(path: &Path) -> io::Result<SchemaRef> {
    load(&File::open(path)?).map(|metadata| metadata.schema().clone())
}

/// Times of 96 bits are in microseconds where the file does not say in what: in nanoseconds, years after 2262 would be others.
fn load(file: &File) -> io::Result<ArrowReaderMetadata> {
    let metadata = ArrowReaderMetadata::load(file, ArrowReaderOptions::new()).map_err(io::Error::other)?;
    let pairs = metadata.metadata().file_metadata().key_value_metadata();
    let is_told = pairs.is_some_and(|pairs| pairs.iter().any(|pair| pair.key == ARROW_SCHEMA_META_KEY));
    let columns = metadata.parquet_schema().columns();
    if is_told || columns.iter().all(|column| column.physical_type() != Physical::INT96) {
        return Ok(metadata);
    }
    with_leaves(&metadata, |at, kind| match columns[at].physical_type() {
        Physical::INT96 => DataType::Timestamp(TimeUnit::Microsecond, None),
        _ => kind.clone(),
    })
}

/// The same file with other types for what has a column of its own in it, by its place there.
fn with_leaves(
    metadata: &ArrowReaderMetadata,
    mut change: impl FnMut(usize, &DataType) -> DataType,
) -> io::Result<ArrowReaderMetadata> {
    fn changed(field: &FieldRef, at: &mut usize, change: &mut impl FnMut(usize, &DataType) -> DataType) -> FieldRef {
        let mut within = |field: &FieldRef| changed(field, at, change);
        let kind = match field.data_type() {
            DataType::Struct(fields) => DataType::Struct(fields.iter().map(within).collect()),
            DataType::List(inner) => DataType::List(within(inner)),
            DataType::LargeList(inner) => DataType::LargeList(within(inner)),
            DataType::ListView(inner) => DataType::ListView(within(inner)),
            DataType::LargeListView(inner) => DataType::LargeListView(within(inner)),
            DataType::FixedSizeList(inner, length) => DataType::FixedSizeList(within(inner), *length),
            DataType::Map(inner, is_sorted) => DataType::Map(within(inner), *is_sorted),
            kind => {
                *at += 1;
                change(*at - 1, kind)
            }
        };
        Arc::new(field.as_ref().clone().with_data_type(kind))
    }
    let (schema, mut at) = (metadata.schema(), 0);
    let fields: Fields = schema.fields().iter().map(|field| changed(field, &mut at, &mut change)).collect();
    let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
    let options = ArrowReaderOptions::new().with_schema(schema);
    ArrowReaderMetadata::try_new(metadata.metadata().clone(), options).map_err(io::Error::other)
}

/// A type as it is read: texts are views, so that a value of a dictionary is in memory once, and times have a zone that is a
/// number.
fn as_read(kind: &DataType) -> DataType {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some("+00:00".into())),
        kind => kind.clone(),
    }
}

/// Visits what has a column of its own in the file, with its places there, its name and type, and whether it may hold a
/// text, an id or a date.
fn each_leaf(
    field: &Field,
    within: &str,
    leaves: &mut usize,
    visit: &mut impl FnMut(Range<usize>, (String, &DataType), bool),
) {
    let name = format!("{within}{}", field.name());
    match field.data_type() {
        DataType::Struct(fields) => {
            fields.iter().for_each(|field| each_leaf(field, &format!("{name}."), leaves, visit));
        }
        kind => {
            let first = *leaves;
            *leaves += count_leaves(kind);
            visit(first..*leaves, (name, kind), is_read(kind));
        }
    }
}

fn count_leaves(kind: &DataType) -> usize {
    match kind {
        DataType::Struct(fields) => fields.iter().map(|field| count_leaves(field.data_type())).sum(),
        DataType::List(inner)
        | DataType::LargeList(inner)
        | DataType::ListView(inner)
        | DataType::LargeListView(inner)
        | DataType::FixedSizeList(inner, _)
        | DataType::Map(inner, _) => count_leaves(inner.data_type()),
        _ => 1,
    }
}

/// Whether a column may hold a text, an id or a date.
fn is_read(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, values) => values.is_string(),
        DataType::List(lines) | DataType::LargeList(lines) => lines.data_type().is_string(),
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => true,
        // Whole numbers of which one is missing, as pandas keeps them.
        DataType::Float64 => true,
        kind => kind.is_integer() || kind.is_string(),
    }
}

/// Rows as JSON lines, a batch at a time.
struct Lines<'a> {
    batches: ParquetRecordBatchReader,
    lines: Bounded,
    allowed: u64,
    at: usize,
    bar: &'a ProgressBar,
    /// Of the whole file, to tell how far the reading is.
    bytes: u64,
    rows: u64,
}

/// Bytes, of which no more may come than so many in all.
struct Bounded {
    bytes: Vec<u8>,
    left: u64,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.left.checked_sub(bytes.len() as u64);
        self.left = left.unwrap_or(0);
        left.ok_or(io::ErrorKind::FileTooLarge)?;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Lines<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.at == self.lines.bytes.len() {
            let Some(batch) = self.batches.next().transpose().map_err(io::Error::other)? else { return Ok(0) };
            self.bar.inc(self.bytes * batch.num_rows() as u64 / self.rows);
            self.lines.bytes.clear();
            self.at = 0;
            let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(&mut self.lines);
            let written = writer.write(&batch).and_then(|()| writer.finish());
            written.map_err(|error| match self.lines.left {
                0 => too_large(self.allowed),
                _ => io::Error::other(error),
            })?;
        }
        let read = (&self.lines.bytes[self.at..]).read(to)?;
        self.at += read;
        Ok(read)
    }
}

/// Refuses files that cannot be written as one; those that cannot be read are told when they are.
pub fn check_columns<'a>(files: impl IntoIterator<Item = (&'a str, &'a Path)>) -> Result<(), String> {
    let mut all: Option<(&str, Fields)> = None;
    for (given, path) in files {
        let Ok(schema) = guarded(|| schema(path)) else { continue };
        all = Some(match all {
            None => (given, schema.fields().clone()),
            Some((first, fields)) => {
                let fields = joined(&fields, schema.fields(), "");
                let fields = fields.map_err(|unlike| {
                    format!(
                        "{given} and {first} cannot be written as one file, {unlike}: make them alike or run them apart"
                    )
                })?;
                (first, fields)
            }
        });
    }
    Ok(())
}

/// Refuses files that have a column which `--annotate` adds.
pub fn check_free<'a>(files: impl IntoIterator<Item = (&'a str, &'a Path)>) -> Result<(), String> {
    let clash_in = |(given, path)| {
        let schema = guarded(|| schema(path)).ok()?;
        let field = FIELDS.into_iter().find(|field| schema.field_with_name(field).is_ok())?;
        Some(clash(given, field))
    };
    files.into_iter().find_map(clash_in).map_or(Ok(()), Err)
}

/// The columns of two files that are written one after the other, or how those of the second differ.
fn joined(first: &Fields, second: &Fields, within: &str) -> Result<Fields, String> {
    for at in 0..first.len().max(second.len()) {
        let name = |fields: &Fields| fields.get(at).map(|field| format!("{within}{}", field.name()));
        match (name(first), name(second)) {
            (Some(a), Some(b)) if a != b => {
                return Err(format!("column {} is {b:?} in the one and {a:?} in the other", at + 1));
            }
            (Some(a), None) => return Err(format!("the one has no column {a:?}")),
            (None, Some(b)) => return Err(format!("the other has no column {b:?}")),
            _ => {}
        }
    }
    first.iter().zip(second).map(|(a, b)| joined_field(a, b, &format!("{within}{}", a.name()))).collect()
}

fn joined_field(a: &Field, b: &Field, name: &str) -> Result<FieldRef, String> {
    /// What the values are, however they are kept.
    fn values(kind: &DataType) -> &DataType {
        match kind {
            DataType::Dictionary(_, kind) => values(kind),
            DataType::LargeUtf8 | DataType::Utf8View => &DataType::Utf8,
            DataType::LargeBinary | DataType::BinaryView => &DataType::Binary,
            kind => kind,
        }
    }
    let kind = match (a.data_type(), b.data_type()) {
        (DataType::Struct(a), DataType::Struct(b)) => DataType::Struct(joined(a, b, &format!("{name}."))?),
        (DataType::List(a), DataType::List(b)) => DataType::List(joined_field(a, b, name)?),
        (DataType::LargeList(a), DataType::LargeList(b)) => DataType::LargeList(joined_field(a, b, name)?),
        (a, b) if values(a) == values(b) => a.clone(),
        (a, b) => return Err(format!("column {name:?} is of type {b} in the one and {a} in the other")),
    };
    Ok(Arc::new(a.clone().with_data_type(kind).with_nullable(a.is_nullable() || b.is_nullable())))
}

/// Writes those rows of the files that stay, with all their columns; all files must have the same ones. The compression
/// and the metadata are those of the first.
pub fn write_rows<W: Write + Send>(to: W, files: &[(&Path, Vec<bool>)]) -> io::Result<W> {
    let paths: Vec<&Path> = files.iter().map(|(path, _)| *path).collect();
    rewrite(to, &paths, &[], |file, rows, batch| {
        let stays = files[file].1.get(rows).ok_or_else(more_rows)?;
        filter_record_batch(&batch, &BooleanArray::from(stays.to_vec())).map_err(io::Error::other)
    })
}

/// Writes all rows of the files with the columns of their notes after their own.
pub fn annotate_rows<W: Write + Send>(to: W, files: &[&Path], notes: &[Vec<Note>]) -> io::Result<W> {
    let kinds = [DataType::UInt64, DataType::Utf8, DataType::Utf8, DataType::Float64];
    let added: Vec<Field> = FIELDS.into_iter().zip(kinds).map(|(name, kind)| Field::new(name, kind, true)).collect();
    rewrite(to, files, &added, |file, rows, batch| {
        let notes = notes[file].get(rows).ok_or_else(more_rows)?;
        let clusters: UInt64Array = notes.iter().map(|note| note.cluster).collect();
        let originals: StringArray = notes.iter().map(|note| note.duplicate_of.as_deref()).collect();
        let relations: StringArray = notes.iter().map(|note| note.relation.as_deref()).collect();
        let similarities: Float64Array = notes.iter().map(|note| note.similarity).collect();
        let mut columns = batch.columns().to_vec();
        columns.extend([
            Arc::new(clusters) as ArrayRef,
            Arc::new(originals),
            Arc::new(relations),
            Arc::new(similarities),
        ]);
        RecordBatch::try_new(with(&batch.schema(), &added)?, columns).map_err(io::Error::other)
    })
}

fn more_rows() -> io::Error {
    io::Error::other("a file has more rows than before")
}

fn with(schema: &Schema, added: &[Field]) -> io::Result<SchemaRef> {
    let fields: Vec<_> = schema.fields().iter().cloned().chain(added.iter().cloned().map(Arc::new)).collect();
    Ok(Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())))
}

/// Writes the rows of files as `change` makes them, given the number of the file and which rows of it these are.
fn rewrite<W: Write + Send>(
    to: W,
    files: &[&Path],
    added: &[Field],
    change: impl Fn(usize, Range<usize>, RecordBatch) -> io::Result<RecordBatch>,
) -> io::Result<W> {
    // What the search did not read may be damaged.
    fn of<T>(path: &Path, read: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        guarded(read).map_err(|error| told(format!("{}: {}", path.display(), unreadable(&error))))
    }
    let open = |path: &Path| {
        of(path, || {
            let file = File::open(path)?;
            let metadata = load(&file)?;
            Ok(ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata))
        })
    };
    let head = |path: &&Path| open(path).map(|builder| (builder.schema().clone(), builder.metadata().clone()));
    let (schemas, all): (Vec<SchemaRef>, Vec<Arc<ParquetMetaData>>) =
        files.iter().map(head).collect::<io::Result<Vec<_>>>()?.into_iter().unzip();
    let ([schema, others @ ..], [metadata, ..]) = (&schemas[..], &all[..]) else {
        return Err(io::Error::other("no file to write"));
    };
    let fields = others.iter().try_fold(schema.fields().clone(), |fields, other| {
        joined(&fields, other.fields(), "").map_err(io::Error::other)
    })?;
    let schema = with(&Schema::new_with_metadata(fields, schema.metadata().clone()), added)?;
    let columns = with_annotations(&schema, &all).map_err(io::Error::other)?;
    let is_ours = |pair: &&KeyValue| pair.key != ARROW_SCHEMA_META_KEY;
    let pairs = metadata.file_metadata().key_value_metadata();
    let pairs = pairs.map(|pairs| pairs.iter().filter(is_ours).cloned().collect());
    let mut properties = WriterProperties::builder().set_key_value_metadata(pairs);
    if let Some(column) = metadata.row_groups().first().and_then(|group| group.columns().first()) {
        properties = properties.set_compression(column.compression());
    }
    let options = ArrowWriterOptions::new().with_properties(properties.build()).with_parquet_schema(columns);
    let mut writer = ArrowWriter::try_new_with_options(to, schema, options).map_err(io::Error::other)?;
    for (number, path) in files.iter().enumerate() {
        let builder = open(path)?;
        let mut batches = of(path, || builder.build().map_err(io::Error::other))?;
        let mut at = 0;
        while let Some(batch) = of(path, || batches.next().transpose().map_err(io::Error::other))? {
            let rows = at..at + batch.num_rows();
            at = rows.end;
            writer.write(&change(number, rows, batch)?).map_err(io::Error::other)?;
        }
    }
    writer.into_inner().map_err(io::Error::other)
}

/// The columns of a file to be written. What all files say alike of a column is said of it again (that its text is JSON, its
/// bytes a UUID), since the types of the rows do not tell; where they differ, the type of the rows is what counts.
fn with_annotations(schema: &Schema, files: &[Arc<ParquetMetaData>]) -> parquet::errors::Result<SchemaDescriptor> {
    fn annotated(written: &TypePtr, given: &mut impl Iterator<Item = Option<TypePtr>>) -> TypePtr {
        match written.as_ref() {
            Type::GroupType { basic_info, fields } => Arc::new(Type::GroupType {
                basic_info: basic_info.clone(),
                fields: fields.iter().map(|field| annotated(field, given)).collect(),
            }),
            Type::PrimitiveType { .. } => {
                let given = given.next().flatten();
                given.and_then(|given| with_annotation(written, &given)).unwrap_or_else(|| written.clone())
            }
        }
    }
    let converted = ArrowSchemaConverter::new().convert(schema)?;
    let columns = |file: &ParquetMetaData| file.file_metadata().schema_descr().columns().to_vec();
    let [first, others @ ..] = files else { return Ok(converted) };
    let others: Vec<_> = others.iter().map(|file| columns(file)).collect();
    let mut given = columns(first).into_iter().enumerate().map(|(at, column)| {
        let column = column.self_type_ptr();
        others.iter().all(|columns| is_annotated_alike(&columns[at].self_type_ptr(), &column)).then_some(column)
    });
    Ok(SchemaDescriptor::new(annotated(&converted.root_schema_ptr(), &mut given)))
}

fn is_annotated_alike(a: &Type, b: &Type) -> bool {
    let (of_a, of_b) = (a.get_basic_info(), b.get_basic_info());
    (a.get_physical_type(), of_a.converted_type(), of_a.logical_type_ref())
        == (b.get_physical_type(), of_b.converted_type(), of_b.logical_type_ref())
}

/// A column with what is said of a given one, if that is kept in the same way or has days for the milliseconds of whole days.
fn with_annotation(written: &Type, given: &Type) -> Option<TypePtr> {
    let Type::PrimitiveType { basic_info: said, physical_type, type_length, scale, precision } = given else {
        return None;
    };
    let Type::PrimitiveType { basic_info, physical_type: kept, type_length: length, .. } = written else { return None };
    let is_day = said.converted_type() == ConvertedType::DATE;
    if !is_day && (physical_type, type_length) != (kept, length) {
        return None;
    }
    let column = Type::primitive_type_builder(basic_info.name(), *physical_type)
        .with_repetition(basic_info.repetition())
        .with_id(basic_info.has_id().then(|| basic_info.id()))
        .with_length(*type_length)
        .with_scale(*scale)
        .with_precision(*precision)
        .with_converted_type(said.converted_type())
        .with_logical_type(said.logical_type_ref().cloned());
    column.build().ok().map(Arc::new)
}
