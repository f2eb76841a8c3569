//! `dedup audit` from end to end.

mod common;

use std::fs;
use std::path::Path;

use common::*;
use serde_json::{Value, json};

fn audit(folder: &Path, args: &[&str]) -> Vec<Value> {
    let all = stdout(folder, &[&["audit", "--format", "jsonl"], args].concat());
    all.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Standard output of an audit that is given answers.
fn judged(folder: &Path, answers: &str, args: &[&str]) -> String {
    let args = [&["audit", "--judge", "answers.jsonl"], args].concat();
    let output = run_with(folder, &args, answers.as_bytes());
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

const QUESTION: &str = "Is one a copy of the other";

/// Articles of `words` words, of which each shares the first `shared` with the next one.
fn pairs(count: usize, words: usize, shared: usize) -> String {
    let text = |pair: usize, of: usize| -> String {
        let word = |at: usize| format!("w{pair}x{}x{at} ", if at < shared { 0 } else { of });
        (0..words).map(word).collect()
    };
    (0..count).flat_map(|pair| [1, 2].map(|of| line(&format!("{pair}/{of}"), &text(pair, of)))).collect()
}

#[test]
fn tells_the_recall_with_an_interval_that_is_wide_for_few() {
    let records = audit(&seeds(), &["."]);
    assert_eq!(
        (&records[0]["sampled"], &records[0]["copies"], &records[0]["recall"]),
        (&json!(7), &json!(2), &json!(1.0))
    );
    // Wilson: 2 / (2 + z²).
    let low = records[0]["interval"][0].as_f64().unwrap();
    assert!((low - 0.3424).abs() < 1e-3, "{low}");
    let text = stdout(&seeds(), &["audit", "."]);
    assert!(text.starts_with("Sampled 7 of 7 articles and compared each with all others."), "{text}");
    assert!(text.contains("recall of the candidates 1.000, 0.342 to 1.000 with 95% confidence"), "{text}");
    assert!(text.contains("  precision as judged: no answers yet, see --judge\n"), "{text}");
}

#[test]
fn what_cannot_be_told_is_not_told() {
    let folder = Temp::new("none").with("a.txt", FERRY).with("b.txt", STORM);
    let records = audit(&folder, &["."]);
    assert_eq!((&records[0]["recall"], &records[0]["interval"]), (&Value::Null, &Value::Null));
    assert_eq!((&records[1]["copies"], &records[1]["interval"]), (&Value::Null, &Value::Null));
    assert_eq!(records.len(), 3);
    assert!(stdout(&folder, &["audit", "."]).contains("the recall of the candidates cannot be told"));
}

#[test]
fn copies_that_the_candidates_miss_are_seen() {
    // 25 of 43 shingles, just above the threshold: 32 bands of 4 rows find 98 % of such pairs. The texts are too short to be
    // looked for in longer ones.
    let folder = Temp::new("missed").with("x.jsonl", pairs(400, 36, 27));
    let options = ["--level", "near", "--threshold", "0.55", "--doubtful", "400"];
    let records = audit(&folder, &[&options[..], &["x.jsonl"]].concat());
    let (copies, candidates) = (records[0]["copies"].as_u64().unwrap(), records[0]["candidates"].as_u64().unwrap());
    assert!(copies >= 399, "all but those that their signatures rule out: {copies}");
    assert!(candidates < copies && candidates > copies * 9 / 10, "{candidates}");
    let missed = records.iter().filter(|record| record["candidate"] == false).count() as u64;
    assert_eq!(missed, copies - candidates);
    let interval = records[0]["interval"].as_array().unwrap();
    let recall = records[0]["recall"].as_f64().unwrap();
    assert_eq!(recall, candidates as f64 / copies as f64);
    assert!(interval[0].as_f64().unwrap() < recall && recall < interval[1].as_f64().unwrap());
}

#[test]
fn a_sample_holds_all_copies_of_its_articles() {
    let folder = Temp::new("sample").with("x.jsonl", pairs(100, 40, 36));
    let records = audit(&folder, &["--level", "near", "--sample", "30", "x.jsonl", "--doubtful", "1000"]);
    assert_eq!((&records[0]["articles"], &records[0]["sampled"]), (&json!(200), &json!(30)));
    // Each sampled article brings its pair; two articles can bring the same.
    assert!((15..=30).contains(&records[0]["copies"].as_u64().unwrap()), "{}", records[0]);
}

#[test]
fn the_order_of_the_input_and_threads_change_nothing() {
    let lines: Vec<String> = pairs(60, 40, 36).lines().map(|line| format!("{line}\n")).collect();
    let folder = Temp::new("order")
        .with("x.jsonl", lines.concat())
        .with("y.jsonl", lines.iter().rev().cloned().collect::<String>());
    let options = ["audit", "--level", "near", "--sample", "40", "--threads"];
    let told = |threads, file| stdout(&folder, &[&options[..], &[threads, file]].concat());
    let one = told("1", "x.jsonl");
    assert_eq!(told("2", "x.jsonl"), one);
    assert_eq!(told("1", "y.jsonl"), one);
}

#[test]
fn answers_are_kept_and_never_asked_for_again() {
    let folder = Temp::new("answers").with("x.jsonl", pairs(6, 40, 36));
    let args = ["--level", "near", "x.jsonl"];
    let first = judged(&folder, "y\nwhat\nn\ns\nq\n", &args);
    assert_eq!(first.matches(QUESTION).count(), 5, "{first}");
    assert!(first.contains("[1: w"), "the texts stand side by side: {first}");
    let kept = fs::read_to_string(folder.join("answers.jsonl")).unwrap();
    let kept: Vec<Value> = kept.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(kept.len(), 2);
    assert_eq!((&kept[0]["copy"], &kept[1]["copy"]), (&json!(true), &json!(false)));
    assert!(kept.iter().all(|answer| answer["left"].as_str() < answer["right"].as_str()));

    let second = judged(&folder, &"y\n".repeat(10), &args);
    assert_eq!(second.matches(QUESTION).count(), 4, "the one that was skipped is asked again: {second}");
    let third = judged(&folder, "", &args);
    assert_eq!(third.matches(QUESTION).count(), 0);
    // Wilson for 5 of 6.
    assert!(
        third.contains("precision as judged: 0.833, 0.436 to 0.970 with 95% confidence, from 6 answers"),
        "{third}"
    );
    assert_eq!(fs::read_to_string(folder.join("answers.jsonl")).unwrap().lines().count(), 6);
    let plain = stdout(&folder, &["audit", "--level", "near", "x.jsonl"]);
    assert!(plain.contains("no answers yet"), "the file counts only if it is named");
}

#[test]
fn articles_of_one_id_are_told_apart() {
    let pairs = pairs(6, 40, 36);
    let texts =
        pairs.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().to_owned());
    let rows: Vec<String> = texts.map(|text| line("same", &text)).collect();
    let mut back = rows.clone();
    back.reverse();
    let folder = Temp::new("same").with("x.jsonl", rows.concat()).with("y.jsonl", back.concat());
    let first = judged(&folder, "y\nq\n", &["--level", "near", "x.jsonl"]);
    assert_eq!(first.matches(QUESTION).count(), 2);
    let second = judged(&folder, &"n\n".repeat(10), &["--level", "near", "y.jsonl"]);
    assert_eq!(second.matches(QUESTION).count(), 5, "one pair was answered, in whatever order they come: {second}");
    let sampled = |file: &str| {
        let mut lines = audit(&folder, &["--level", "near", "--sample", "5", file]);
        lines.iter_mut().for_each(|line| _ = line.as_object_mut().unwrap().remove("seconds"));
        lines
    };
    assert_eq!(sampled("x.jsonl"), sampled("y.jsonl"));
}

#[test]
fn questions_stay_out_of_what_programs_read() {
    let folder = Temp::new("questions").with("x.jsonl", pairs(6, 40, 36));
    let args = ["audit", "--judge", "answers.jsonl", "--format", "jsonl", "--level", "near", "x.jsonl"];
    // An answer that is no text is asked for again.
    let output = run_with(&folder, &args, b"y\n\xe9\nn\nq\n");
    assert!(output.status.success(), "{}", stderr(&output));
    let lines = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{lines}");
    assert_eq!(stderr(&output).matches(QUESTION).count(), 4);
    assert_eq!(fs::read_to_string(folder.join("answers.jsonl")).unwrap().lines().count(), 2);
}

#[test]
fn answers_of_other_pairs_stay_in_the_file_and_out_of_the_figures() {
    let other = json!({"left": "a", "right": "b", "copy": false}).to_string();
    let folder = Temp::new("others").with("x.jsonl", pairs(1, 40, 36)).with("answers.jsonl", &other);
    let text = judged(&folder, "y\n", &["--level", "near", "x.jsonl"]);
    assert!(text.contains("precision as judged: 1.000, 0.207 to 1.000 with 95% confidence, from 1 answer\n"), "{text}");
    let kept = fs::read_to_string(folder.join("answers.jsonl")).unwrap();
    assert!(kept.starts_with(&(other + "\n")) && kept.lines().count() == 2, "{kept}");
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_read() {
    let folder = Temp::new("refused").with("x.jsonl", pairs(1, 40, 36)).with("answers.jsonl", "{}\nno\n");
    let message = |args: &[&str]| {
        let output = run_with(&folder, args, b"");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{args:?}");
        stderr(&output).to_string()
    };
    let bad = message(&["audit", "--judge", "answers.jsonl", "x.jsonl"]);
    assert!(bad.starts_with("error: answers.jsonl:1: not an answer, ") && bad.contains("fix the line"), "{bad}");
    let twice = message(&["audit", "--judge", "new.jsonl", "-"]);
    assert!(twice.starts_with("error: standard input cannot hold articles and answers"), "{twice}");
    assert!(message(&["audit", "--sample", "0", "x.jsonl"]).contains("0 is not in 1.."));
    assert!(message(&["audit", "--confidence", "2", "x.jsonl"]).contains("confidence = 2 is out of range"));
    let nowhere = message(&["audit", "--judge", "no/answers.jsonl", "x.jsonl"]);
    assert!(nowhere.contains("no/answers.jsonl: the answers cannot be written"), "{nowhere}");
    assert!(message(&["audit", "gone"]).contains("no article could be read"));
}

#[test]
fn a_named_input_that_cannot_be_read_is_told_by_the_exit_code() {
    let folder = with_a_pair("unread");
    let all = run(&folder, &["audit", "."]);
    assert_eq!(all.status.code(), Some(0));
    for format in ["text", "jsonl"] {
        let output = run(&folder, &["audit", "--format", format, ".", "gone.jsonl"]);
        assert_eq!(output.status.code(), Some(1), "{format}");
        assert!(stderr(&output).contains("gone.jsonl: cannot be read"), "{}", stderr(&output));
        assert!(!output.stdout.is_empty(), "the rest is audited");
    }
    let output = run(&folder, &["audit", "gone.jsonl"]);
    assert_eq!(output.status.code(), Some(2), "nothing is left to audit");
    // A record that was skipped is no input that could not be read.
    let skipped = with_a_pair("skipped").with("x.jsonl", line("x", "") + "{\n");
    assert_eq!(run(&skipped, &["audit", "."]).status.code(), Some(0));
}

#[test]
fn any_memory_gives_the_same_audit() {
    let folder = Temp::new("audit-memory").with("x.jsonl", pairs(150, 60, 45));
    let all = stdout(&folder, &["audit", "--quiet", "x.jsonl"]);
    for memory in ["1k", "300k", "1G"] {
        let little = ["audit", "--quiet", "--memory", memory, "--spill-folder", ".", "x.jsonl"];
        assert_eq!(stdout(&folder, &little), all, "{memory}");
    }
    assert_eq!(fs::read_dir(&*folder).unwrap().count(), 1, "temporary files have no names");
    let told = |memory: &str| {
        let output = run(&folder, &["audit", "--memory", memory, "x.jsonl"]);
        stderr(&output).contains("of memory is less than 300 articles take in any case")
    };
    assert!(told("50k") && !told("10M"), "the texts count");
    let nowhere = run(&folder, &["audit", "--memory", "1k", "--spill-folder", "gone", "x.jsonl"]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(stderr(&nowhere).contains("cannot spill to gone"), "{}", stderr(&nowhere));
}
