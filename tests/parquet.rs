//! Parquet from end to end: `cargo test --features parquet --test parquet`.

#![cfg(feature = "parquet")]

mod common;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Int64Array, ListArray, RecordBatch, StringArray};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::Int32Type;
use common::*;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use serde_json::Value;

/// Rows with nulls in every column, and columns that dedup does not read.
fn rows() -> RecordBatch {
    let texts = [Some(FERRY), None, Some(STORM), Some(FERRY), Some("too short"), Some(STORM)];
    let column = |array: ArrayRef| array;
    RecordBatch::try_from_iter_with_nullable([
        (
            "picture",
            column(Arc::new(BinaryArray::from_opt_vec(vec![None, Some(b"\xff\0"), None, None, None, None]))),
            true,
        ),
        (
            "url",
            column(Arc::new(StringArray::from(vec![Some("a"), Some("b"), Some("c"), Some("d"), Some("e"), None]))),
            true,
        ),
        ("body", column(Arc::new(StringArray::from(texts.to_vec()))), true),
        ("views", column(Arc::new(Int64Array::from(vec![Some(1), None, Some(i64::MIN), None, None, None]))), true),
        (
            "tags",
            column(Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(
                (0..6).map(|at| Some(vec![Some(at), None])),
            ))),
            true,
        ),
    ])
    .unwrap()
}

fn write(path: &Path, rows: &RecordBatch) {
    let pairs = Some(vec![KeyValue::new("made by".to_string(), "us".to_string())]);
    let properties =
        WriterProperties::builder().set_compression(Compression::SNAPPY).set_key_value_metadata(pairs).build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), rows.schema(), Some(properties)).unwrap();
    writer.write(rows).unwrap();
    writer.close().unwrap();
}

fn read(path: &Path) -> RecordBatch {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let metadata = builder.metadata().clone();
    assert_eq!(metadata.row_group(0).column(0).compression(), Compression::SNAPPY);
    let pairs = metadata.file_metadata().key_value_metadata().unwrap();
    assert!(pairs.iter().any(|pair| pair.key == "made by"), "{pairs:?}");
    let schema = builder.schema().clone();
    let batches: Vec<RecordBatch> = builder.build().unwrap().map(Result::unwrap).collect();
    concat_batches(&schema, &batches).unwrap()
}

#[test]
fn rows_are_read_and_written_with_all_their_columns() {
    let folder = Temp::new("parquet");
    write(&folder.join("x.parquet"), &rows());
    let output = run(&folder, &["--format", "jsonl", "--level", "near", "--unique", "unique.parquet", "x.parquet"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(
        said.contains("x.parquet: the text is taken from \"body\" (--text-field), the id is taken from \"url\""),
        "{said}"
    );
    assert!(said.contains("x.parquet#2: field \"body\" holds null: give a string"), "{said}");
    assert!(said.contains("x.parquet#6: field \"url\" holds null: give a string or a whole number"), "{said}");
    assert!(said.contains("2 kept + 1 removed + 3 skipped and left in = 6 records"), "{said}");
    let found: Value = serde_json::from_slice(output.stdout.split(|&byte| byte == b'\n').next().unwrap()).unwrap();
    assert_eq!((&found["representative"], &found["members"][1]["id"]), (&"a".into(), &"d".into()));
    let stays = vec![true, true, true, false, true, true].into();
    let (found, wanted) = (read(&folder.join("unique.parquet")), filter_record_batch(&rows(), &stays).unwrap());
    assert_eq!(found.schema().fields(), wanted.schema().fields());
    assert_eq!(found.columns(), wanted.columns());
}

#[test]
fn several_files_and_broken_ones() {
    let folder = Temp::new("parquets");
    write(&folder.join("x.parquet"), &rows());
    write(&folder.join("y.parquet"), &rows());
    let args = ["--id-field", "views", "--level", "near", "--unique", "unique.parquet", "x.parquet", "y.parquet"];
    assert!(run(&folder, &args).status.success());
    assert_eq!(read(&folder.join("unique.parquet")).num_rows(), 12, "an id that is twice there is no copy");

    let whole = std::fs::read(folder.join("x.parquet")).unwrap();
    let pair = with_a_pair("cut").with("bad.parquet", &whole[..whole.len() - 9]);
    assert_skipped(
        &pair,
        &["."],
        "bad.parquet",
        "./bad.parquet",
        &["cannot be read", "check the file or leave it out"],
    );
    let pair = with_a_pair("none").with("bad.parquet", "");
    assert_skipped(&pair, &["."], "bad.parquet", "./bad.parquet", &["cannot be read", "leave it out"]);
    let output = run(&pair, &["--unique", "unique.parquet", "bad.parquet"]);
    assert_eq!(output.status.code(), Some(2));
}
