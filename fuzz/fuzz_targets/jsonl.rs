//! Any bytes as files of all forms, compressed or not: blocks put together are the bytes, every record is an article or
//! listed, and reading again sees the same.
#![no_main]

#[path = "../../examples/dedup"]
mod command {
    #[expect(dead_code, unused_imports, reason = "the command uses more of it")]
    pub mod input;
}

use std::convert::Infallible;
use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::LazyLock;

use clap::Parser;
use indicatif::ProgressBar;
use libfuzzer_sys::fuzz_target;
use retold::Article;
use retold_fuzz::grown;
use tempfile::TempDir;

use command::input::{self, Blocks, Codec, Document, Fields, Form, Portion, Tally};

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    fields: Fields,
}

/// The default options, without dates and with them.
static FIELDS: LazyLock<[Fields; 2]> = LazyLock::new(|| {
    [false, true].map(|needs_date| {
        let mut fields = Args::parse_from(["fuzz"]).fields;
        fields.needs_date = needs_date;
        fields
    })
});

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

const EXTENSIONS: [&str; 6] = ["txt", "jsonl", "json", "csv", "tsv", "any"];

/// How large an input grows that repeats something.
const LARGE: usize = 1 << 20;

fuzz_target!(|input: &[u8]| {
    let [kind, wish, content @ ..] = input else { return };
    let extension = EXTENSIONS[usize::from(kind % 6)];
    let form = Form::of_extension(extension).unwrap_or(Form::Any);
    let codec = [Codec::Plain, Codec::Gzip, Codec::Zstd][usize::from(kind / 6 % 3)];
    let content = grown(content, LARGE);
    // A file that was compressed well, one cut off, or whatever the fuzzer takes for one.
    let mut bytes = if wish & 1 == 1 { compressed(codec, &content) } else { content.into_owned() };
    if wish & 2 == 2 {
        bytes.truncate(bytes.len() * 3 / 4);
    }
    blocks(form, codec, &bytes);
    if form != Form::Any {
        let end =
            [".gz", ".zst", ""][[Codec::Gzip, Codec::Zstd, Codec::Plain].iter().position(|&c| c == codec).unwrap()];
        let path = FOLDER.path().join(format!("input.{extension}{end}"));
        fs::write(&path, &bytes).unwrap();
        articles(&path, &FIELDS[usize::from(wish >> 2 & 1)], wish & 8 == 8);
    }
});

fn compressed(codec: Codec, bytes: &[u8]) -> Vec<u8> {
    match codec {
        Codec::Plain => bytes.to_vec(),
        Codec::Gzip => {
            let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            to.write_all(bytes).unwrap();
            to.finish().unwrap()
        }
        Codec::Zstd => ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest),
    }
}

/// Cuts bytes into records, in memory.
fn blocks(form: Form, codec: Codec, bytes: &[u8]) {
    let mut whole = Vec::new();
    let is_sound = input::decode(codec, bytes).read_to_end(&mut whole).is_ok();
    let mut blocks = Blocks::new(input::decode(codec, bytes), form, None);
    let (mut at, mut records) = (0, 0);
    let is_read = loop {
        match blocks.next() {
            Ok(Some(block)) => {
                assert_eq!(block.bytes, whole[at..at + block.bytes.len()]);
                assert_eq!(block.first, records);
                assert!(
                    block.records.iter().all(|record| record.start < record.end && record.end <= block.bytes.len())
                );
                assert!(block.records.windows(2).all(|two| two[0].end <= two[1].start));
                at += block.bytes.len();
                records += block.records.len() as u64;
            }
            Ok(None) => break true,
            Err((_, reason)) => {
                assert!(!reason.is_empty());
                break false;
            }
        }
    };
    assert!(!is_read || is_sound && at == whole.len(), "{at} of {} bytes are in blocks", whole.len());
    assert!(is_sound || !is_read, "a damaged file was read to its end");
}

/// Reads a file as the command does, once or twice.
fn articles(path: &PathBuf, fields: &Fields, twice: bool) {
    let found = input::find(std::slice::from_ref(path), fields.reading());
    assert_eq!((found.sources.len(), found.problems.len()), (1, 0));
    let read = || {
        let mut documents: Vec<Document> = Vec::new();
        let read = input::read(&found.sources, fields, Portion::All, &ProgressBar::hidden(), |batch| {
            documents.extend(batch);
            Ok::<(), Infallible>(())
        });
        let Ok(read) = read;
        (documents, read)
    };
    let (documents, first) = read();
    let tally = &first.tallies[0];
    let header = matches!(found.sources[0].form, Form::Table(_)) && tally.records > 0;
    assert_eq!(documents.len() + tally.skipped.len() + usize::from(header), tally.records as usize);
    assert!(tally.skipped.is_empty() && tally.broken.is_none() && !documents.is_empty() || !first.problems.is_empty());
    for document in &documents {
        let _ = (document.id(), document.place.to_string());
        let _ = (document.text(), document.date());
    }
    if !twice {
        return;
    }
    let (again, second) = read();
    let account =
        |tally: &Tally| (tally.records, tally.skipped.clone(), tally.bytes, tally.checksum, tally.broken.clone());
    assert_eq!(account(&second.tallies[0]), account(tally));
    assert!(documents.iter().zip(&again).all(|(a, b)| (a.id(), a.text(), a.date()) == (b.id(), b.text(), b.date())));
}
