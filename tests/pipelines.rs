//! What `dedup` writes for programs: annotated input, lines of JSON and their schema.

mod common;

use std::fs;
use std::path::Path;

use common::*;
use serde_json::{Value, json};

/// A pair, a text that stands alone, one that is too short, and a line that is no JSON.
fn lines() -> String {
    let odd = format!(r#"{{"z": [1, 2.50], "text": {}, "id": "b" }}"#, json!(FERRY.to_uppercase()));
    [&line("a", FERRY), &odd, "\n\n", &line("c", STORM), &line("d", "too short"), "{\"id\": broken\n"].concat()
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn records_are_annotated_and_stay_as_they_are() {
    let folder = Temp::new("lines").with("x.jsonl", lines());
    let args = ["--level", "near", "--annotate", "notes.jsonl.gz", "--unique", "u.jsonl", "x.jsonl"];
    stdout(&folder, &args);
    let nothing = r#""cluster":null,"duplicate_of":null,"relation":null,"similarity":null}"#;
    let first = r#","cluster":1,"duplicate_of":null,"relation":null,"similarity":null}"#;
    let copy = r#","cluster":1,"duplicate_of":"x.jsonl:1","relation":"exact","similarity":1.0}"#;
    let wanted = lines()
        .replacen("noon.\"}", &format!("noon.\"{first}"), 1)
        .replacen("\"b\" }", &format!("\"b\" {copy}"), 1)
        .replace("week.\"}", &format!("week.\",{nothing}"))
        .replace("short\"}", &format!("short\",{nothing}"));
    assert_eq!(String::from_utf8(unpacked(&folder.join("notes.jsonl.gz"))).unwrap(), wanted);
    assert_eq!(read(folder.join("u.jsonl")).lines().count(), lines().lines().count() - 1);

    let list = format!("[{},\n {}, {{ }}]", line("a", FERRY).trim(), line("b", FERRY).trim());
    let folder = Temp::new("list").with("x.json", list);
    stdout(&folder, &["--annotate", "notes.json", "x.json"]);
    let notes: Vec<Value> = serde_json::from_str(&read(folder.join("notes.json"))).unwrap();
    let places: Vec<&Value> = notes.iter().map(|note| &note["duplicate_of"]).collect();
    assert_eq!(places, [&Value::Null, &"x.json#1".into(), &Value::Null]);

    for (name, delimiter) in [("x,y.csv", ","), ("x.csv", ";"), ("x.tsv", "\t")] {
        let rows = [
            "id,text,more\r\n".to_string(),
            format!("a,\"{FERRY}\",\"\"\r\n"),
            format!("b,{FERRY}\r\n"),
            format!("c,{STORM},x,y\n"),
        ];
        let folder = Temp::new("rows").with(name, rows.concat().replace(',', delimiter));
        let notes = name.replace('x', "notes");
        stdout(&folder, &["--level", "near", "--annotate", &notes, name]);
        let place = if name == "x,y.csv" { "\"x,y.csv:2\"".to_string() } else { format!("{name}:2") };
        let wanted = rows[0].replace("more\r", "more,cluster,duplicate_of,relation,similarity\r")
            + &rows[1].replace('\r', ",1,,,\r")
            + &rows[2].replace('\r', ",,1,@,exact,1.0\r")
            + &rows[3];
        assert_eq!(read(folder.join(notes)), wanted.replace(',', delimiter).replace('@', &place), "{name}");
    }
}

#[test]
fn annotations_that_cannot_be_are_refused() {
    let taken = format!("{}\n", json!({"id": "a", "text": FERRY, "relation": "aunt"}));
    let folder = Temp::new("refused")
        .with("x.jsonl", taken)
        .with("x.csv", format!("id,text,cluster\na,{FERRY},1\n"))
        .with("a.txt", FERRY);
    for (args, message) in [
        (["--annotate", "notes.jsonl", "x.jsonl"], "x.jsonl has a field \"relation\" already"),
        (["--annotate", "notes.csv", "x.csv"], "x.csv has a field \"cluster\" already"),
        (["--annotate", "notes", "a.txt"], "texts, and they have no fields"),
        (["--annotate", "gone/notes.jsonl", "x.jsonl"], "make the folder first"),
        (["--annotate", "x.jsonl", "x.jsonl"], "is read itself"),
    ] {
        let output = run(&folder, &args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(message), "{args:?}: {}", stderr(&output));
    }
    assert_eq!(fs::read_dir(&*folder).unwrap().count(), 3);
}

#[test]
fn every_line_is_as_the_schema_says() {
    let schema: Value = serde_json::from_str(include_str!("../examples/dedup/lines.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut types: Vec<String> = Vec::new();
    let mut check = |lines: &str| {
        for line in lines.lines().filter(|line| line.starts_with('{')) {
            let line: Value = serde_json::from_str(line).unwrap();
            let errors: Vec<String> = validator.iter_errors(&line).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{line}: {errors:?}");
            types.push(line["type"].as_str().unwrap().into());
        }
    };
    let near = FERRY.replace("noon", "boat");
    let folder =
        Temp::new("schema").with("x.jsonl", lines() + &line("e", &near)).with("a.txt", FERRY).with("b.txt", near);
    let args = ["--format", "jsonl", "--removed", "removed.jsonl", "--progress", "jsonl", "."];
    let output = run(&folder, &args);
    check(std::str::from_utf8(&output.stdout).unwrap());
    check(stderr(&output));
    check(&read(folder.join("removed.jsonl")));
    check(&stdout(&seeds(), &["--format", "jsonl", "."]));
    check(&stdout(&seeds(), &["--format", "summary", "."]));
    let pair = |other: &str| run(&seeds(), &["compare", "--format", "jsonl", "004_school-hall-meeting.txt", other]);
    for other in ["004_school-hall-meeting.txt", "006_school-hall-near-copy.txt", "005_ferry-theme-russian.txt"] {
        check(std::str::from_utf8(&pair(other).stdout).unwrap());
    }
    types.sort();
    types.dedup();
    assert_eq!(types, ["cluster", "comparison", "progress", "removed", "skipped", "summary"], "each was seen");
    // And it says something.
    for wrong in [
        json!({"type": "skipped", "id": "x", "reason": "no place"}),
        json!({"type": "removed", "id": "x", "at": "x", "kept": "y", "kept_at": "y", "relation": "like", "similarity": 1.0}),
        json!({"type": "other"}),
    ] {
        assert!(!validator.is_valid(&wrong), "{wrong}");
    }
}

#[test]
fn the_summary_alone_is_the_last_line_of_all() {
    let all = records(&seeds(), &["."]);
    let alone: Value = serde_json::from_str(&stdout(&seeds(), &["--format", "summary", "."])).unwrap();
    let without_times = |mut summary: Value| {
        summary.as_object_mut().unwrap().remove("seconds");
        summary
    };
    assert_eq!(without_times(alone.clone()), without_times(all.last().unwrap().clone()));
    assert_eq!(alone["copies"], json!({"exact": 0, "near": 1, "reworded": 1}));
}
