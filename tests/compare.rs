//! `dedup compare` from end to end.

mod common;

use std::fs;
use std::path::Path;

use common::*;
use retold::{Words, shared_passages};
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

const REWORDED: [&str; 2] = ["000_ferry-contract-reworded.txt", "001_ferry-contract-original.txt"];

/// Standard output and exit code.
fn compare(folder: &Path, args: &[&str]) -> (String, Option<i32>) {
    let output = run(folder, &[&["compare"], args].concat());
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

/// What stands in one of the columns, without the brackets around passages.
fn column(text: &str, right: bool) -> String {
    let rows = text.lines().skip_while(|line| !line.contains('┼')).skip(1).take_while(|line| line.contains('│'));
    let halves = rows.map(|row| row.split_once('│').unwrap());
    let column: Vec<&str> = halves.map(|(left, after)| if right { after.trim() } else { left.trim() }).collect();
    let mut plain = String::new();
    let mut rest = column.join(" ");
    while let Some(at) = rest.find(['[', '{']) {
        plain.push_str(&rest[..at]);
        let number = rest[at + 1..].find(": ").unwrap();
        assert!(rest[at + 1..][..number].parse::<usize>().is_ok(), "{rest}");
        rest = rest[at + number + 3..].to_string();
    }
    plain + &rest
}

fn words(text: &str) -> Vec<String> {
    Words::new(text).map(|word| word.normalized().into_owned()).collect()
}

#[test]
fn shows_a_reworded_pair_side_by_side() {
    let (text, code) = compare(&seeds(), &[&REWORDED[..], &["--width", "130"]].concat());
    assert_eq!(code, Some(0));
    assert!(text.starts_with("reworded 0.9"), "{text}");
    let row = "{2: The decision, approved by 31 to 24,    │ {2: The vote, taken shortly before midnight in a packed";
    assert!(text.contains(row), "{text}");
    assert!(text.contains("[1: the £214 million] ferry"), "{text}");
    assert!(text.ends_with("\n[1: the same words]   {1: the same in other words}\n"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours in a pipe");
}

#[test]
fn a_width_beyond_all_screens_is_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/texts");
    let files = ["en-original.txt", "en-reworded.txt"];
    let widest = run(&folder, &["compare", files[0], files[1], "--width", "10000"]);
    assert_eq!(widest.status.code(), Some(0), "{}", stderr(&widest));
    for width in ["10001", "200000", "18446744073709551615"] {
        let output = run(&folder, &["compare", files[0], files[1], "--width", width]);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains("--width"), "{}", stderr(&output));
    }
}

#[test]
fn every_word_is_shown_within_the_width() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/texts");
    for language in ["ar", "de", "en", "es", "ru", "vi", "zh"] {
        let files = ["original", "reworded"].map(|role| format!("{language}-{role}.txt"));
        let texts = files.each_ref().map(|file| fs::read_to_string(folder.join(file)).unwrap());
        for width in [90, 133] {
            let (shown, _) = compare(&folder, &[&files[0], &files[1], "--width", &width.to_string()]);
            let columns = shown.split_once("\n\n").unwrap().1;
            for line in columns.lines() {
                assert!(line.width() <= width, "{line}");
            }
            assert_eq!(words(&column(&shown, false)), words(&texts[0]), "{language}");
            assert_eq!(words(&column(&shown, true)), words(&texts[1]), "{language}");
        }
    }
}

#[test]
fn an_excerpt_of_two_texts_that_are_no_copies_is_told() {
    let read = |name: &str| fs::read_to_string(seeds().join(name)).unwrap();
    let taken: Vec<String> = read(REWORDED[1]).lines().skip(4).take(2).map(String::from).collect();
    let other = read("004_school-hall-meeting.txt");
    let (before, after) = other.split_at(other.len() / 2 - other[..other.len() / 2].chars().last().unwrap().len_utf8());
    let host = format!("{before}\n{}\n{after}", taken.join("\n"));
    let folder = Temp::new("taken").with("source.txt", read(REWORDED[1])).with("host.txt", &host);
    let (text, code) = compare(&folder, &["source.txt", "host.txt", "--level", "near"]);
    assert_eq!(code, Some(1));
    let line = text.lines().nth(1).unwrap();
    assert!(line.starts_with("excerpt: ") && line.contains(" words, 100% the same, bytes "), "{text}");
    let (json, _) = compare(&folder, &["source.txt", "host.txt", "--level", "near", "--format", "jsonl"]);
    let record: Value = serde_json::from_str(&json).unwrap();
    let [excerpt] = &record["excerpts"].as_array().unwrap()[..] else { panic!("{json}") };
    let place = |side: &str, at: usize| excerpt[side][at].as_u64().unwrap() as usize;
    let (left, right) = (read(REWORDED[1]), host);
    assert_eq!(left[place("left", 0)..place("left", 1)], right[place("right", 0)..place("right", 1)]);
}

#[test]
fn the_verdict_is_told_by_the_exit_code_as_well() {
    let folder = Temp::new("verdict")
        .with("a.txt", FERRY)
        .with("loud.txt", FERRY.to_uppercase())
        .with("near.txt", FERRY.replace("noon", "boat"))
        .with("storm.txt", STORM);
    let verdict = |other, level| {
        let (text, code) = compare(&folder, &["a.txt", other, "--level", level]);
        (text.lines().next().unwrap().to_string(), code)
    };
    assert_eq!(verdict("loud.txt", "reworded"), ("exact 1.00: the same words".into(), Some(0)));
    let near = "near 0.86: 86% of all phrases, 92% of the shorter text's".to_string();
    assert_eq!(verdict("near.txt", "reworded"), (near, Some(0)));
    let (reworded, code) = verdict("storm.txt", "reworded");
    assert!(reworded.starts_with("no copies: a confidence of 0.0") && code == Some(1), "{reworded}");
    let none = "no copies: a similarity of 0.00, and 0.50 makes an edited copy".to_string();
    assert_eq!(verdict("storm.txt", "near"), (none, Some(1)));
}

#[test]
fn jsonl_has_the_passages_as_bytes_of_the_files() {
    let (text, _) = compare(&seeds(), &[&REWORDED[..], &["--format", "jsonl"]].concat());
    let record: Value = serde_json::from_str(&text).unwrap();
    let texts = REWORDED.map(|file| fs::read_to_string(seeds().join(file)).unwrap());
    let passages = shared_passages(&texts[0], &texts[1]);
    assert_eq!(record["passages"].as_array().unwrap().len(), passages.len());
    for (told, passage) in record["passages"].as_array().unwrap().iter().zip(&passages) {
        assert_eq!(told["left"], serde_json::json!([passage.left.start, passage.left.end]));
        assert_eq!(told["kind"], serde_json::json!(passage.kind));
    }
    assert_eq!((&record["type"], &record["left"]), (&"comparison".into(), &REWORDED[0].into()));
    for field in
        ["relation", "similarity", "left_in_right", "right_in_left", "words_ratio", "length_ratio", "jaccard", "words"]
    {
        assert!(!record[field].is_null(), "{field}");
    }
}

#[test]
fn colours_only_when_asked_for() {
    let args = [&REWORDED[..], &["--width", "130", "--color", "always"]].concat();
    let (text, _) = compare(&seeds(), &args);
    assert!(text.contains("\u{1b}[36m\u{1b}[1m1 the £214 million\u{1b}[0m ferry"), "{text:?}");
    assert_eq!(console::strip_ansi_codes(&text).lines().filter(|line| line.width() > 130).count(), 0);
}

#[test]
fn hostile_texts_stay_harmless() {
    let evil = "<script>\u{1b}[31m red \u{9b}2J \u{202e}txet\u{2066} \0 \u{7f}\r\n\u{85}tab\tend ";
    let folder = Temp::new("hostile")
        .with("a.txt", format!("{evil}{FERRY}"))
        .with("b.txt", format!("{FERRY} {evil}"))
        .with("line.txt", "x".repeat(1 << 18))
        .with("words.txt", FERRY.repeat((1 << 18) / FERRY.len()))
        .with("wide.txt", "東京".repeat(1 << 15));
    for (left, right) in
        [("a.txt", "b.txt"), ("line.txt", "words.txt"), ("words.txt", "words.txt"), ("wide.txt", "a.txt")]
    {
        let output = run(&folder, &["compare", left, right, "--min-words", "1"]);
        let text = std::str::from_utf8(&output.stdout).unwrap();
        let harmful =
            |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert!(!text.contains(harmful), "{left} {right}");
        assert!(text.lines().filter(|line| line.contains('│')).all(|line| line.width() <= 120), "{left} {right}");
    }
    let (text, _) = compare(&folder, &["a.txt", "b.txt"]);
    assert!(text.contains(r"<[1: script>\u{1b}[31m red \u{9b}2J \u{202e}txet\u{2066}"), "{text}");
}

#[test]
fn what_cannot_be_compared_is_told_with_the_file() {
    let folder = Temp::new("refused")
        .with("a.txt", FERRY)
        .with("empty.txt", "—")
        .with("latin.txt", b"Une caf\xe9 au lait")
        .with("marked.txt", format!("\u{feff}{FERRY}"));
    for (other, message) in [
        ("gone.txt", "error: gone.txt: cannot be read, "),
        ("empty.txt", "error: empty.txt: the text has no words"),
        ("latin.txt", "error: latin.txt: byte 8 is not valid UTF-8: convert"),
    ] {
        let output = run(&folder, &["compare", "a.txt", other]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{other}");
        assert!(stderr(&output).starts_with(message), "{}", stderr(&output));
    }
    let refused = run(&folder, &["compare", "a.txt", "a.txt", "--threshold", "2"]);
    assert_eq!(stderr(&refused), "error: threshold = 2 is out of range: give more than 0, at most 1\n");
    assert!(compare(&folder, &["marked.txt", "a.txt"]).0.starts_with("exact"));
}

#[test]
fn a_folder_named_like_a_command_is_a_path() {
    let folder = Temp::new("named").with("compare/a.txt", FERRY).with("compare/b.txt", FERRY);
    for args in [&["./compare"][..], &["--", "compare"], &["--quiet", "./compare"]] {
        assert!(stdout(&folder, args).starts_with("a.txt and 1 like it:"), "{args:?}");
    }
}

#[test]
fn texts_in_utf16_and_compressed_ones_compare() {
    let utf16: Vec<u8> = format!("\u{feff}{FERRY}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let folder = Temp::new("encodings").with("a.txt", utf16).with("b.txt.gz", compressed(FERRY));
    let output = run(&folder, &["compare", "a.txt", "b.txt.gz"]);
    assert!(output.stdout.starts_with(b"exact 1.00"), "{}", stderr(&output));
}
