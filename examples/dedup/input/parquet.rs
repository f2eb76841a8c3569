//! Parquet: read as JSON lines of its columns of text and whole numbers, written from the whole rows.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::DataType;
use arrow::json::WriterBuilder;
use arrow::json::writer::LineDelimited;
use indicatif::ProgressBar;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ARROW_SCHEMA_META_KEY, ArrowWriter, ProjectionMask};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

/// Reads the columns that may hold a text, an id or a date, a JSON line a row; what is null is null there.
pub fn open<'a>(path: &Path, bar: &'a ProgressBar) -> io::Result<Box<dyn Read + Send + 'a>> {
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(io::Error::other)?;
    let rows = builder.metadata().file_metadata().num_rows().max(1) as u64;
    let is_read = |kind: &DataType| kind.is_integer() || kind.is_string() || is_dictionary_of_text(kind);
    let columns = builder.schema().fields().iter().enumerate();
    let columns: Vec<usize> = columns.filter(|(_, field)| is_read(field.data_type())).map(|(at, _)| at).collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), columns);
    let batches = builder.with_projection(mask).build().map_err(io::Error::other)?;
    Ok(Box::new(Lines { batches, lines: Vec::new(), at: 0, bar, bytes, rows }))
}

fn is_dictionary_of_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Dictionary(_, values) if values.is_string())
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
    let mut to = Some(to);
    let mut writer: Option<ArrowWriter<W>> = None;
    for (path, stays) in files {
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?).map_err(io::Error::other)?;
        let (schema, metadata) = (builder.schema().clone(), builder.metadata().clone());
        if let Some(to) = to.take() {
            let is_ours = |pair: &&KeyValue| pair.key != ARROW_SCHEMA_META_KEY;
            let pairs = metadata.file_metadata().key_value_metadata();
            let pairs = pairs.map(|pairs| pairs.iter().filter(is_ours).cloned().collect());
            let mut properties = WriterProperties::builder().set_key_value_metadata(pairs);
            if let Some(column) = metadata.row_groups().first().and_then(|group| group.columns().first()) {
                properties = properties.set_compression(column.compression());
            }
            let properties = properties.build();
            writer = Some(ArrowWriter::try_new(to, schema.clone(), Some(properties)).map_err(io::Error::other)?);
        }
        let Some(writer) = &mut writer else { break };
        let mut at = 0;
        for batch in builder.build().map_err(io::Error::other)? {
            let batch: RecordBatch = batch.map_err(io::Error::other)?;
            let end = at + batch.num_rows();
            let stays = stays.get(at..end).ok_or_else(|| io::Error::other("a file has more rows than before"))?;
            at = end;
            let rows = filter_record_batch(&batch, &BooleanArray::from(stays.to_vec())).map_err(io::Error::other)?;
            // Refuses rows of other columns.
            writer.write(&rows).map_err(io::Error::other)?;
        }
    }
    match writer {
        Some(writer) => writer.into_inner().map_err(io::Error::other),
        None => to.ok_or_else(|| io::Error::other("no file to write")),
    }
}
