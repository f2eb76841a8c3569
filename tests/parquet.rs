//! Parquet from end to end: `cargo test --features parquet --test parquet`.

#![cfg(feature = "parquet")]

mod common;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, Int64Array, ListArray, ListBuilder, RecordBatch, StringArray, StringBuilder,
    StructArray,
};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::{DataType, Field, Int32Type};
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
    assert!(said.contains("2 kept + 2 removed + 2 skipped and left in = 6 records"), "{said}");
    let found: Vec<Value> =
        output.stdout.split(|&byte| byte == b'\n').take(2).flat_map(serde_json::from_slice).collect();
    let pair = |at: usize| (&found[at]["representative"], &found[at]["members"][1]["id"]);
    assert_eq!(pair(0), (&"a".into(), &"d".into()));
    assert_eq!(pair(1), (&"c".into(), &"x.parquet#6".into()), "a row without an id is named by its place");
    let stays = vec![true, true, true, false, true, false].into();
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
    assert_eq!(read(&folder.join("unique.parquet")).num_rows(), 6, "two stories, and what cannot be compared");

    let whole = std::fs::read(folder.join("x.parquet")).unwrap();
    let pair = with_a_pair("cut").with("bad.parquet", &whole[..whole.len() - 9]);
    assert_unread(&pair, &["."], "./bad.parquet", &["cannot be read", "check the file or leave it out"]);
    let pair = with_a_pair("none").with("bad.parquet", "");
    assert_unread(&pair, &["."], "./bad.parquet", &["cannot be read", "leave it out"]);
    let output = run(&pair, &["--unique", "unique.parquet", "bad.parquet"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn rows_are_annotated() {
    let folder = Temp::new("annotated");
    write(&folder.join("x.parquet"), &rows());
    stdout(&folder, &["--level", "near", "--annotate", "notes.parquet", "x.parquet"]);
    let (noted, given) = (read(&folder.join("notes.parquet")), rows());
    assert_eq!(noted.num_rows(), given.num_rows());
    assert_eq!(noted.columns()[..given.num_columns()], *given.columns());
    let names: Vec<String> = noted.schema().fields().iter().skip(5).map(|field| field.name().clone()).collect();
    assert_eq!(names, ["cluster", "duplicate_of", "relation", "similarity"]);
    let places: StringArray = [None, None, None, Some("x.parquet#1"), None, Some("x.parquet#3")].into_iter().collect();
    assert_eq!(&**noted.column_by_name("duplicate_of").unwrap(), &places as &dyn Array);

    let output = run(&folder, &["--level", "near", "--annotate", "again.parquet", "notes.parquet"]);
    assert!(stderr(&output).contains("the input has a column \"cluster\" already"), "{}", stderr(&output));
}

#[test]
fn columns_may_hold_fields_and_lists() {
    let texts = StringArray::from(vec![FERRY, STORM, FERRY]);
    let article = StructArray::from(vec![(
        Arc::new(Field::new("body", DataType::Utf8, false)),
        Arc::new(texts.clone()) as ArrayRef,
    )]);
    let mut lists = ListBuilder::new(StringBuilder::new());
    texts.iter().for_each(|text| lists.append_value(text.unwrap().split(' ').map(Some)));
    let columns: [(&str, ArrayRef); 2] = [("article", Arc::new(article)), ("lines", Arc::new(lists.finish()))];
    let folder = Temp::new("nested");
    write(&folder.join("x.parquet"), &RecordBatch::try_from_iter(columns).unwrap());
    for field in ["article.body", "lines"] {
        let found = stdout(&folder, &["--level", "near", "--text-field", field, "x.parquet"]);
        assert!(found.starts_with("x.parquet#1 and 1 like it:\n  x.parquet#3  exact"), "{field}: {found}");
    }
}
