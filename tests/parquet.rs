//! Parquet from end to end: `cargo test --features parquet --test parquet`.

#![cfg(feature = "parquet")]

mod common;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder, StringDictionaryBuilder, StructBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Date64Array, FixedSizeBinaryArray, Float32Array,
    Float64Array, Int64Array, LargeStringArray, ListArray, RecordBatch, StringArray, StructArray,
    TimestampMicrosecondArray, TimestampNanosecondArray, TimestampSecondArray,
};
use arrow_schema::{DataType, Field};
use arrow_select::concat::concat_batches;
use arrow_select::filter::filter_record_batch;
use common::*;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::Compression;
use parquet::data_type::{ByteArrayType, Int96, Int96Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{SchemaDescriptor, TypePtr};
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

fn properties() -> WriterProperties {
    let pairs = Some(vec![KeyValue::new("made by".to_string(), "us".to_string())]);
    WriterProperties::builder().set_compression(Compression::SNAPPY).set_key_value_metadata(pairs).build()
}

fn write(path: &Path, rows: &RecordBatch) {
    write_with(path, rows, ArrowWriterOptions::new());
}

fn write_with(path: &Path, rows: &RecordBatch, options: ArrowWriterOptions) {
    let (file, options) = (File::create(path).unwrap(), options.with_properties(properties()));
    let mut writer = ArrowWriter::try_new_with_options(file, rows.schema(), options).unwrap();
    writer.write(rows).unwrap();
    writer.close().unwrap();
}

/// What the file says of its columns.
fn columns(path: &Path) -> Vec<TypePtr> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    builder.parquet_schema().columns().iter().map(|column| column.self_type_ptr()).collect()
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

/// Whatever a byte is that is not as it was written, the run goes on with the other files.
#[test]
fn damaged_files_end_no_run() {
    let folder = with_a_pair("damaged");
    let batch =
        RecordBatch::try_from_iter([("text", Arc::new(StringArray::from(vec![FERRY; 20])) as ArrayRef)]).unwrap();
    write(&folder.join("whole.parquet"), &batch);
    let whole = std::fs::read(folder.join("whole.parquet")).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        std::fs::write(folder.join(format!("{at}.parquet")), bytes).unwrap();
    }
    let output = run(&folder, &["--level", "near", "."]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
    assert!(stderr(&output).contains("is damaged: get it again or leave it out"), "{}", stderr(&output));
}

/// What the search does not read is found damaged only when all is written.
#[test]
fn damage_in_other_columns_is_told_and_nothing_is_written() {
    let folder = Temp::new("damaged column");
    let numbers: Vec<f32> = (0..2000).map(|number: i16| f32::from(number).sqrt()).collect();
    let texts: Vec<String> = (0..2000).map(|number| format!("{FERRY} {number}")).collect();
    let columns: [(&str, ArrayRef); 2] =
        [("text", Arc::new(StringArray::from(texts))), ("share", Arc::new(Float32Array::from(numbers)))];
    write(&folder.join("x.parquet"), &RecordBatch::try_from_iter(columns).unwrap());
    let mut bytes = std::fs::read(folder.join("x.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(folder.join("x.parquet")).unwrap()).unwrap();
    let (start, length) = reader.metadata().row_group(0).column(1).byte_range();
    bytes[start as usize..(start + length) as usize].fill(0xff);
    std::fs::write(folder.join("x.parquet"), bytes).unwrap();
    for option in ["--unique", "--annotate"] {
        let output = run(&folder, &["--level", "near", option, "u.parquet", "x.parquet"]);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        let said = stderr(&output);
        assert!(said.contains("cannot write u.parquet, ") && said.contains("x.parquet: cannot be read"), "{said}");
        assert_eq!(std::fs::read_dir(&*folder).unwrap().count(), 1, "nothing is left behind");
    }
}

#[test]
fn files_with_other_columns_are_told_before_the_search() {
    let text = || Arc::new(StringArray::from(vec![FERRY, STORM])) as ArrayRef;
    let number = || Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef;
    let within = |names: [&str; 2]| {
        let fields = names.map(|name| (Arc::new(Field::new(name, DataType::Utf8, false)), text()));
        Arc::new(StructArray::from(fields.to_vec())) as ArrayRef
    };
    let folder = Temp::new("other columns");
    let file = |name: &str, columns: Vec<(&str, ArrayRef)>| {
        write(&folder.join(name), &RecordBatch::try_from_iter(columns).unwrap());
    };
    file("a.parquet", vec![("title", text()), ("text", text())]);
    file("b.parquet", vec![("text", text()), ("title", text())]);
    file("c.parquet", vec![("title", text()), ("text", text()), ("more", text())]);
    file("d.parquet", vec![("title", number()), ("text", text())]);
    file("e.parquet", vec![("text", text()), ("of", within(["x", "y"]))]);
    file("f.parquet", vec![("text", text()), ("of", within(["y", "x"]))]);
    for (first, second, unlike) in [
        ("a", "b", "column 1 is \"text\" in the one and \"title\" in the other"),
        ("a", "c", "the other has no column \"more\""),
        ("c", "a", "the other has no column \"more\""),
        ("a", "d", "column \"title\" is of type Int64 in the one and Utf8 in the other"),
        ("e", "f", "column 1 is \"of.y\" in the one and \"of.x\" in the other"),
    ] {
        for option in ["--unique", "--annotate"] {
            let (first, second) = (format!("{first}.parquet"), format!("{second}.parquet"));
            let output = run(&folder, &[option, "u.parquet", &first, &second]);
            assert_eq!((output.status.code(), &*output.stdout), (Some(2), &b""[..]), "{}", stderr(&output));
            assert!(stderr(&output).contains("cannot be written as one file"), "{}", stderr(&output));
            assert!(stderr(&output).contains(unlike), "{}", stderr(&output));
            assert!(stderr(&output).contains(&first) && stderr(&output).contains(&second));
        }
    }
    // A column without nulls fits one that has some.
    file("g.parquet", vec![("text", text()), ("id", text())]);
    let rows: [(&str, ArrayRef, bool); 2] = [
        ("text", Arc::new(StringArray::from(vec![Some(FERRY), None])), true),
        ("id", Arc::new(LargeStringArray::from(vec![None, Some("h")])), true),
    ];
    write(&folder.join("h.parquet"), &RecordBatch::try_from_iter_with_nullable(rows).unwrap());
    stdout(&folder, &["--level", "near", "--unique", "u.parquet", "g.parquet", "h.parquet"]);
    let rows = read(&folder.join("u.parquet"));
    let (texts, ids): (StringArray, StringArray) = (
        [Some(FERRY), Some(STORM), None].into_iter().collect(),
        [Some(FERRY), Some(STORM), Some("h")].into_iter().collect(),
    );
    assert_eq!((&**rows.column(0), &**rows.column(1)), (&texts as &dyn Array, &ids as &dyn Array));
}

#[test]
fn dates_are_read_whatever_their_type() {
    let texts = || Arc::new(StringArray::from(vec![FERRY, FERRY])) as ArrayRef;
    let ids = || Arc::new(StringArray::from(vec!["late", "early"])) as ArrayRef;
    let second = 1_715_938_200;
    let dates: [(&str, ArrayRef); 5] = [
        ("days", Arc::new(Date32Array::from(vec![19_860, 19_859]))),
        ("seconds", Arc::new(TimestampSecondArray::from(vec![second, second - 1]))),
        (
            "micros",
            Arc::new(TimestampMicrosecondArray::from(vec![second * 1_000_000, 0]).with_timezone("Europe/Berlin")),
        ),
        ("nanos", Arc::new(TimestampNanosecondArray::from(vec![second * 1_000_000_000, 0]).with_timezone("+02:00"))),
        ("millis", Arc::new(Date64Array::from(vec![second * 1000, 0]))),
    ];
    let folder = Temp::new("dates");
    for (name, column) in dates {
        let columns = [("id", ids()), ("text", texts()), ("when", column)];
        write(&folder.join("x.parquet"), &RecordBatch::try_from_iter(columns).unwrap());
        let args =
            ["--level", "near", "--keep", "earliest", "--date-field", "when", "--unique", "u.parquet", "x.parquet"];
        let output = run(&folder, &args);
        assert!(output.stdout.starts_with(b"early and 1 like it:\n"), "{name}: {}", stderr(&output));
        assert!(!stderr(&output).contains("have no date"), "{name}: {}", stderr(&output));
        assert_eq!(read(&folder.join("u.parquet")).num_rows(), 1);
    }
    // What is not read is told.
    let columns: [(&str, ArrayRef); 3] = [
        ("text", texts()),
        ("when", Arc::new(BooleanArray::from(vec![true, false]))),
        ("body", Arc::new(BinaryArray::from_vec(vec![b"x", b"y"]))),
    ];
    write(&folder.join("x.parquet"), &RecordBatch::try_from_iter(columns).unwrap());
    let output = run(&folder, &["--keep", "earliest", "--date-field", "when", "x.parquet"]);
    let told = "column \"when\" is of type Boolean, which is not read as a date";
    assert!(stderr(&output).contains(told), "{}", stderr(&output));
    let pair = with_a_pair("binary");
    std::fs::copy(folder.join("x.parquet"), pair.join("x.parquet")).unwrap();
    assert_unread(&pair, &["--text-field", "body", "."], "./x.parquet", &["of type Binary, which is not read as text"]);
}

/// A dictionary says one long value as often as there are rows.
#[test]
fn no_more_is_unpacked_than_is_allowed() {
    let pair = with_a_pair("bomb");
    let long = FERRY.repeat(100);
    let mut texts = StringDictionaryBuilder::<Int32Type>::new();
    (0..3000).for_each(|_| texts.append_value(&long));
    let plain = StringArray::from(vec![&*long; 3000]);
    for column in [Arc::new(texts.finish()) as ArrayRef, Arc::new(plain)] {
        write(&pair.join("x.parquet"), &RecordBatch::try_from_iter([("text", column)]).unwrap());
        assert!(run(&pair, &["--unpack-limit", "30M", "."]).status.success());
        let told = ["unpacks to more than the 1.00 MB", "--unpack-limit"];
        assert_unread(&pair, &["--unpack-limit", "1M", "."], "./x.parquet#1", &told);
    }
    write(&pair.join("x.parquet"), &rows());
    assert_unread(&pair, &["--unpack-limit", "100", "."], "./x.parquet#1", &["unpacks to more than the 100 B"]);
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
    assert!(stderr(&output).contains("notes.parquet has a field \"cluster\" already"), "{}", stderr(&output));
}

#[test]
fn columns_may_hold_fields_and_lists() {
    let texts = StringArray::from(vec![FERRY, STORM, FERRY]);
    let article = StructArray::from(vec![
        (
            Arc::new(Field::new("share", DataType::Float64, false)),
            Arc::new(Float64Array::from(vec![0.5; 3])) as ArrayRef,
        ),
        (Arc::new(Field::new("body", DataType::Utf8, false)), Arc::new(texts.clone()) as ArrayRef),
    ]);
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

/// Spark and Hive keep times in 96 bits, and a date that is never reached says "for ever".
#[test]
fn times_of_96_bits_hold_any_year() {
    let folder = Temp::new("int96");
    let message = "message rows { required binary id (STRING); required binary text (STRING); required int96 date;
        required group of { required int96 when; } }";
    let (file, message) = (File::create(folder.join("x.parquet")).unwrap(), parse_message_type(message).unwrap());
    let mut writer = SerializedFileWriter::new(file, Arc::new(message), Arc::new(properties())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for strings in [["late", "early"], [FERRY; 2]] {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&strings.map(Into::into), None, None).unwrap();
        column.close().unwrap();
    }
    let (late, early) = (2_932_896, 18_262);
    for _ in 0..2 {
        let times = [late, early].map(|day| {
            let mut time = Int96::new();
            time.set_data(5000, 0, 2_440_588 + day);
            time
        });
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int96Type>().write_batch(&times, None, None).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();

    let times = |days: &[u32]| {
        let micros = days.iter().map(|day| i64::from(*day) * 86_400_000_000 + 5);
        TimestampMicrosecondArray::from_iter_values(micros)
    };
    for (option, days) in [("--unique", &[early][..]), ("--annotate", &[late, early])] {
        let found = stdout(&folder, &["--level", "near", "--keep", "earliest", option, "out.parquet", "x.parquet"]);
        assert!(found.starts_with("early and 1 like it:\n"), "{found}");
        let rows = read(&folder.join("out.parquet"));
        assert_eq!(&**rows.column(2), &times(days) as &dyn Array);
        let of = rows.column(3).as_any().downcast_ref::<StructArray>().unwrap();
        assert_eq!(&**of.column(0), &times(days) as &dyn Array);
    }
}

/// Of what a file says of its columns, rows in memory hold only a part.
#[test]
fn columns_are_written_as_what_they_were() {
    let day = 86_400_000;
    let rows = |days: Vec<Option<i64>>| {
        let key = FixedSizeBinaryArray::try_from_iter([[7; 16], [8; 16]].into_iter()).unwrap();
        let columns: [(&str, ArrayRef, bool); 5] = [
            ("text", Arc::new(StringArray::from(vec![FERRY, STORM])), false),
            ("day", Arc::new(Date64Array::from(days)), true),
            ("key", Arc::new(key), false),
            ("more", Arc::new(StringArray::from(vec!["{}", "[1]"])), false),
            ("kind", Arc::new(BinaryArray::from_vec(vec![b"news", b"view"])), false),
        ];
        RecordBatch::try_from_iter_with_nullable(columns).unwrap()
    };
    let message = "message rows { required binary text (STRING); optional int32 day (DATE);
        required fixed_len_byte_array(16) key (UUID); required binary more (JSON); required binary kind (ENUM); }";
    let columns_of = SchemaDescriptor::new(Arc::new(parse_message_type(message).unwrap()));
    let (folder, days) = (Temp::new("annotations"), rows(vec![Some(-2 * day), None]));
    let [x, y, out] = ["x.parquet", "y.parquet", "out.parquet"].map(|name| folder.join(name));
    for path in [&x, &y] {
        write_with(path, &days, ArrowWriterOptions::new().with_parquet_schema(columns_of.clone()));
    }
    for args in
        [&["--unique", "out.parquet", "x.parquet", "y.parquet"][..], &["--annotate", "out.parquet", "x.parquet"]]
    {
        stdout(&folder, &[&["--level", "near"], args].concat());
        assert_eq!(columns(&out)[..5], columns(&x)[..], "{args:?}");
        assert_eq!(read(&out).columns()[..5], *days.columns(), "{args:?}");
    }

    // Where files differ, nothing of a value may be lost.
    let instants = rows(vec![Some(day + 5), None]);
    for (name, parts) in [("a.parquet", [&instants, &days]), ("z.parquet", [&days, &instants])] {
        write(&folder.join(name), &instants);
        stdout(&folder, &["--level", "near", "--annotate", "out.parquet", "x.parquet", name]);
        assert_eq!(columns(&out)[..5], columns(&folder.join(name))[..]);
        assert_eq!(read(&out).columns()[..5], *concat_batches(&days.schema(), parts).unwrap().columns());
    }
}

/// As pandas keeps whole numbers of which one is missing.
#[test]
fn whole_floats_are_ids() {
    let folder = Temp::new("floats");
    let columns: [(&str, ArrayRef, bool); 2] = [
        ("id", Arc::new(Float64Array::from(vec![Some(1.0), None, Some(3.0)])), true),
        ("text", Arc::new(StringArray::from(vec![FERRY, STORM, FERRY])), false),
    ];
    write(&folder.join("x.parquet"), &RecordBatch::try_from_iter_with_nullable(columns).unwrap());
    let found = stdout(&folder, &["--level", "near", "x.parquet"]);
    assert!(found.starts_with("1 and 1 like it:\n  3  exact"), "{found}");
}

#[test]
fn lists_of_structs_are_told() {
    let pair = with_a_pair("messages");
    let mut fields = StructBuilder::from_fields(vec![Field::new("content", DataType::Utf8, true)], 1);
    fields.field_builder::<StringBuilder>(0).unwrap().append_value(FERRY);
    fields.append(true);
    let mut messages = ListBuilder::new(fields);
    messages.append(true);
    let columns: [(&str, ArrayRef); 2] =
        [("messages", Arc::new(messages.finish())), ("text", Arc::new(StringArray::from(vec![STORM])))];
    write(&pair.join("x.parquet"), &RecordBatch::try_from_iter(columns).unwrap());
    for field in ["messages", "messages.content"] {
        let told = format!("column {field:?} is of type list of structs, which is not read as text");
        assert_unread(&pair, &["--text-field", field, "."], "./x.parquet", &[&told]);
    }
}
