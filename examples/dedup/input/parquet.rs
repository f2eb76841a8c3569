//! Parquet: read as JSON lines of its columns of text and whole numbers, written from the whole rows.

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, UInt64Array};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::json::WriterBuilder;
use arrow::json::writer::LineDelimited;
use indicatif::ProgressBar;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ARROW_SCHEMA_META_KEY, ArrowWriter, ProjectionMask};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::annotate::{FIELDS, Note};

/// Reads the columns that may hold a text, an id or a date, a JSON line a row; what is null is null there.
pub fn open<'a>(path: &Path, bar: &'a ProgressBar) -> io::Result<Box<dyn Read + Send + 'a>> {
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(io::Error::other)?;
    let rows = builder.metadata().file_metadata().num_rows().max(1) as u64;
    let columns = builder.schema().fields().iter().enumerate();
    let columns: Vec<usize> = columns.filter(|(_, field)| is_read(field.data_type())).map(|(at, _)| at).collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), columns);
    let batches = builder.with_projection(mask).build().map_err(io::Error::other)?;
    Ok(Box::new(Lines { batches, lines: Vec::new(), at: 0, bar, bytes, rows }))
}

/// Whether a column may hold a text, an id or a date, or fields that do.
fn is_read(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, values) => values.is_string(),
        DataType::List(lines) | DataType::LargeList(lines) => lines.data_type().is_string(),
        DataType::Struct(fields) => fields.iter().all(|field| is_read(field.data_type())),
        kind => kind.is_integer() || kind.is_string(),
    }
}

/// Rows as JSON lines, a batch at a time.
struct Lines<'a> {
    batches: ParquetRecordBatchReader,
    lines: Vec<u8>,
    at: usize,
    bar: &'a ProgressBar,
    /// Of the whole file, to tell how far the reading is.
    bytes: u64,
    rows: u64,
}

impl Read for Lines<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.at == self.lines.len() {
            let Some(batch) = self.batches.next().transpose().map_err(io::Error::other)? else { return Ok(0) };
            self.bar.inc(self.bytes * batch.num_rows() as u64 / self.rows);
            self.lines.clear();
            self.at = 0;
            let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(&mut self.lines);
            writer.write(&batch).and_then(|()| writer.finish()).map_err(io::Error::other)?;
        }
        let read = (&self.lines[self.at..]).read(to)?;
        self.at += read;
        Ok(read)
    }
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
    if let Some(field) = added.iter().find(|field| schema.field_with_name(field.name()).is_ok()) {
        return Err(io::Error::other(format!("the input has a column {:?} already", field.name())));
    }
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
    let mut to = Some(to);
    let mut writer: Option<ArrowWriter<W>> = None;
    for (number, path) in files.iter().enumerate() {
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?).map_err(io::Error::other)?;
        let (schema, metadata) = (with(builder.schema(), added)?, builder.metadata().clone());
        if let Some(to) = to.take() {
            let is_ours = |pair: &&KeyValue| pair.key != ARROW_SCHEMA_META_KEY;
            let pairs = metadata.file_metadata().key_value_metadata();
            let pairs = pairs.map(|pairs| pairs.iter().filter(is_ours).cloned().collect());
            let mut properties = WriterProperties::builder().set_key_value_metadata(pairs);
            if let Some(column) = metadata.row_groups().first().and_then(|group| group.columns().first()) {
                properties = properties.set_compression(column.compression());
            }
            let properties = properties.build();
            writer = Some(ArrowWriter::try_new(to, schema, Some(properties)).map_err(io::Error::other)?);
        }
        let Some(writer) = &mut writer else { break };
        let mut at = 0;
        for batch in builder.build().map_err(io::Error::other)? {
            let batch: RecordBatch = batch.map_err(io::Error::other)?;
            let rows = at..at + batch.num_rows();
            at = rows.end;
            // Refuses rows of other columns.
            writer.write(&change(number, rows, batch)?).map_err(io::Error::other)?;
        }
    }
    match writer {
        Some(writer) => writer.into_inner().map_err(io::Error::other),
        None => to.ok_or_else(|| io::Error::other("no file to write")),
    }
}
