//! The `dedup` example from end to end, as a user runs it.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use common::*;
use serde_json::Value;

#[test]
fn finds_the_copies_among_the_seeds() {
    let records = records(&seeds(), &["."]);
    let clusters: Vec<Vec<&str>> = of_type(&records, "cluster")
        .iter()
        .map(|cluster| {
            let mut ids: Vec<_> =
                cluster["members"].as_array().unwrap().iter().map(|member| member["id"].as_str().unwrap()).collect();
            ids.sort_unstable();
            ids
        })
        .collect();
    assert_eq!(
        clusters,
        [
            ["000_ferry-contract-reworded.txt", "001_ferry-contract-original.txt"],
            ["004_school-hall-meeting.txt", "006_school-hall-near-copy.txt"],
        ]
    );
    let relations: Vec<_> =
        of_type(&records, "cluster").iter().map(|cluster| &cluster["members"][1]["relation"]).collect();
    assert_eq!(relations, ["reworded", "near"]);
}

#[test]
fn text_gives_each_member_with_its_reason() {
    let text = stdout(&seeds(), &["--level", "near", "."]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!(lines[0], "004_school-hall-meeting.txt and 1 like it:");
    assert!(lines[1].starts_with("  006_school-hall-near-copy.txt  near      0."), "{text}");
    assert!(lines[1].contains("% of all phrases, ") && lines[1].ends_with("% of the shorter text's"), "{text}");
}

#[test]
fn text_says_that_nothing_was_found() {
    let folder = Temp::new("nothing").with("a.txt", FERRY).with("b.txt", STORM);
    assert_eq!(stdout(&folder, &["."]), "No copies found among 2 articles.\n");
}

#[test]
fn the_way_the_articles_come_changes_nothing() {
    let whole = findings(&seeds(), &["."]);
    assert!(whole.contains("004_"));
    let mut names: Vec<String> =
        fs::read_dir(seeds()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    for turn in 0..names.len() {
        names.rotate_left(1);
        names.swap(0, turn);
        let files: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(findings(&seeds(), &files), whole, "{files:?}");
    }
    let again = format!("./{}", names[0]);
    assert_eq!(findings(&seeds(), &[&again, "."]), whole, "a file that is given twice is read once");

    let jsonl: String = names.iter().map(|name| line(name, &fs::read_to_string(seeds().join(name)).unwrap())).collect();
    let folder = Temp::new("order").with("all.jsonl", jsonl);
    assert_eq!(findings(&folder, &["all.jsonl"]), whole);
}

#[test]
fn threads_change_nothing() {
    let one = findings(&seeds(), &["--threads", "1", "."]);
    for threads in ["0", "2", "7"] {
        assert_eq!(findings(&seeds(), &["--threads", threads, "."]), one);
    }
}

#[test]
fn the_order_of_files_does_not_choose_between_repeated_ids() {
    let folder =
        Temp::new("repeated").with("a.jsonl", line("x", FERRY) + &line("y", FERRY)).with("b.jsonl", line("x", STORM));
    let forth = findings(&folder, &["a.jsonl", "b.jsonl"]);
    assert_eq!(findings(&folder, &["b.jsonl", "a.jsonl"]), forth);
    assert!(forth.contains(r#""reason":"the id is that of a.jsonl:1 already: "#), "{forth}");
}

#[test]
fn reads_folders_in_folders_and_json_lines() {
    let folder = Temp::new("folders")
        .with("b.TXT", FERRY)
        .with("deep/er/a.txt", FERRY)
        .with("deep/lines.jsonl", line("c", FERRY))
        .with("picture.png", "no")
        .with("table.xls", "no");
    let output = run(&folder, &["."]);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "b.TXT and 2 like it:\n  c              exact     1.00  the same words\n  deep/er/a.txt  exact     1.00  the \
         same words\n"
    );
    let told: Vec<&str> = stderr(&output).lines().collect();
    assert_eq!(
        told[0],
        "left 2 other files alone: only .txt, .jsonl, .ndjson, .json, .csv or .tsv, also as .gz or .zst, or .parquet are read"
    );
    assert!(told[1].starts_with("3 documents, ") && told[1].contains(": 1 cluster, 0 skipped, in "), "{told:?}");
    assert_eq!(told.len(), 2);
    assert_eq!(stderr(&run(&folder, &["--quiet", "."])), "");
}

#[test]
fn jsonl_has_the_documented_fields() {
    let folder = Temp::new("fields")
        .with("a.txt", FERRY)
        .with("b.txt", FERRY)
        .with("c.txt", "Two words")
        .with("near.txt", FERRY.replace("noon", "boat"));
    let records = records(&folder, &["."]);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        records.iter().map(|record| record["type"].as_str().unwrap()).collect::<Vec<_>>(),
        ["cluster", "skipped", "summary"]
    );
    assert_eq!(keys(&records[0]), ["type", "representative", "members"]);
    let members = records[0]["members"].as_array().unwrap();
    assert_eq!(members[0]["id"], records[0]["representative"]);
    assert_eq!(members.len(), 3);
    for member in members {
        let similarity = member["similarity"].as_f64().unwrap();
        match member["relation"].as_str().unwrap() {
            "exact" => assert_eq!(
                (keys(member), similarity),
                (["id", "relation", "similarity"].map(String::from).to_vec(), 1.0)
            ),
            "near" => {
                assert_eq!(keys(member)[..5], ["id", "relation", "similarity", "jaccard", "containment"]);
                assert!((0.5..1.0).contains(&similarity));
                assert!(member["similarity"].to_string().len() <= "0.1234".len(), "{member}");
            }
            other => panic!("{other}"),
        }
    }
    let summary = &records[2];
    assert_eq!(
        keys(summary),
        [
            "type",
            "documents",
            "bytes",
            "candidates",
            "verified",
            "capped",
            "excerpts",
            "furniture",
            "clusters",
            "skipped",
            "seconds"
        ]
    );
    assert_eq!(keys(&summary["seconds"]), ["read", "sign", "near", "candidates", "verify", "cluster"]);
    assert!(summary["seconds"].as_object().unwrap().values().all(|seconds| seconds.as_f64().unwrap() >= 0.0));
    assert_eq!(summary["documents"], 4);
    assert_eq!(summary["bytes"], 3 * FERRY.len() + "Two words".len());
    assert_eq!((&summary["clusters"], &summary["skipped"]), (&1.into(), &1.into()));
}

#[test]
fn reads_standard_input_with_marks_and_line_ends_of_all_kinds() {
    let input = format!("\u{feff}{}\r\n\n  \n{}", line("a", FERRY).trim(), line("b", FERRY).trim());
    let mut child = dedup()
        .args(["--format", "jsonl", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(!stderr(&output).contains("<stdin>"), "{}", stderr(&output));
    assert!(output.stdout.starts_with(br#"{"type":"cluster","representative":"a","members":[{"id":"a""#));
}

#[test]
fn fields_have_names_and_ids_may_be_numbers() {
    let record = |id: u64| serde_json::json!({"nr": id, "more": [1], "body": FERRY}).to_string() + "\n";
    let folder = Temp::new("names").with("x.jsonl", record(7) + &record(u64::MAX));
    let records = records(&folder, &["--text-field", "body", "--id-field", "nr", "x.jsonl"]);
    assert_eq!(records[0]["members"][0]["id"], "18446744073709551615");
    assert_eq!(records[0]["members"][1]["id"], "7");
}

#[test]
fn a_huge_line_is_an_article() {
    let text = FERRY.repeat(20_000);
    let folder = Temp::new("huge").with("x.jsonl", line("a", &text) + &line("b", &text.to_lowercase()));
    assert_eq!(stdout(&folder, &["--level", "near", "x.jsonl"]).lines().count(), 2);
}

#[test]
fn bad_text_files() {
    let latin = with_a_pair("latin").with("bad.txt", b"Une caf\xe9 au lait et deux croissants");
    assert_skipped(&latin, &["."], "bad.txt", "./bad.txt", &["byte 8 is not valid UTF-8", "convert"]);
    let empty = with_a_pair("empty").with("bad.txt", "");
    assert_skipped(&empty, &["."], "bad.txt", "./bad.txt", &["holds nothing", "leave it out"]);
    let blank = with_a_pair("blank").with("bad.txt", " \n… \n");
    assert_skipped(&blank, &["."], "bad.txt", "./bad.txt", &["no words"]);
    let short = with_a_pair("short").with("bad.txt", "Two words\n");
    assert_skipped(&short, &["."], "bad.txt", "./bad.txt", &["2 words", "needs 3", "leave it out"]);
    let missing = with_a_pair("missing");
    assert_skipped(&missing, &[".", "gone.txt"], "gone.txt", "gone.txt", &["cannot be read", "check the path"]);
    let odd = with_a_pair("odd").with("odd/article.pdf", FERRY);
    let parts = ["not named .txt, .jsonl, ", "rename"];
    assert_skipped(&odd, &["pair1.txt", "pair2.txt", "odd/article.pdf"], "article.pdf", "odd/article.pdf", &parts);
    let twice = with_a_pair("twice").with("twin/pair2.txt", STORM);
    let parts = ["the id is that of pair2.txt already", "give each article its own"];
    assert_skipped(&twice, &["pair1.txt", "twin", "pair2.txt"], "pair2.txt", "twin/pair2.txt", &parts);
}

#[cfg(unix)]
#[test]
fn unreadable_text_files() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let dangling = with_a_pair("dangling");
    symlink("nowhere", dangling.join("bad.txt")).unwrap();
    assert_skipped(&dangling, &["."], "bad.txt", "./bad.txt", &["cannot be read", "check"]);

    let locked = with_a_pair("locked").with("bad.txt", FERRY);
    fs::set_permissions(locked.join("bad.txt"), fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser reads everything.
    if fs::read(locked.join("bad.txt")).is_err() {
        assert_skipped(&locked, &["."], "bad.txt", "./bad.txt", &["cannot be read", "allow reading it"]);
    }
}

#[test]
fn bad_json_lines() {
    let cases: [(&str, &[u8], &str, &[&str]); 14] = [
        ("latin", b"{\"id\": \"x\", \"text\": \"caf\xe9\"}", "bad.jsonl:2", &["byte 25 is not valid UTF-8", "convert"]),
        ("broken", br#"{"id": "x", "text": "no end"#, "bad.jsonl:2", &["not valid JSON at column 27", "mend the line"]),
        ("surrogate", br#"{"id": "x", "text": "\ud800 alone"}"#, "bad.jsonl:2", &["not valid JSON", "mend the line"]),
        ("deep", &[b'['; 100_000], "bad.jsonl:2", &["not valid JSON", "recursion limit", "mend the line"]),
        ("list", br#"["x", "text"]"#, "bad.jsonl:2", &["a list, not an object", r#"write {"id": "#]),
        ("no text", br#"{"id": "x", "body": "words"}"#, "x", &[r#"no field "text""#, r#""body""#, "--text-field"]),
        ("no id", br#"{"url": "x", "text": "words"}"#, "bad.jsonl:2", &[r#"no field "id""#, r#""url""#, "--id-field"]),
        ("nothing", b"{}", "bad.jsonl:2", &[r#"no field "id""#, "--id-field"]),
        ("number", br#"{"id": "x", "text": 12}"#, "x", &[r#"field "text" holds a number"#, "give a string"]),
        ("null", br#"{"id": "x", "text": null}"#, "x", &[r#"field "text" holds null"#, "give a string"]),
        (
            "fraction",
            br#"{"id": 1.5, "text": "words"}"#,
            "bad.jsonl:2",
            &[r#"field "id" holds a number"#, "whole number"],
        ),
        ("empty", br#"{"id": "x", "text": ""}"#, "x", &["no words"]),
        ("short", br#"{"id": "x", "text": "Two words"}"#, "x", &["2 words", "needs 3", "leave it out"]),
        ("again", br#"{"id": "ok", "text": "A text of some words."}"#, "ok", &["bad.jsonl:1 already", "give each"]),
    ];
    for (name, bad, id, parts) in cases {
        let (before, after) = (line("ok", STORM), line("after", "Nobody at the school wanted a second hall."));
        let folder = with_a_pair(name).with("bad.jsonl", [before.as_bytes(), bad, b"\n", after.as_bytes()].concat());
        assert_skipped(&folder, &["."], id, "./bad.jsonl:2", parts);
    }
    let folder = with_a_pair("no lines").with("bad.jsonl", "\n\n");
    assert_skipped(&folder, &["."], "bad.jsonl", "./bad.jsonl", &["holds nothing", "leave it out"]);
}

#[test]
fn one_mistake_in_every_line_does_not_flood_the_terminal() {
    let folder = with_a_pair("flood").with("x.jsonl", "{}\n".repeat(1000));
    let output = run(&folder, &["--format", "jsonl", "."]);
    let told: Vec<&str> = stderr(&output).lines().collect();
    assert_eq!(told.len(), 102);
    assert_eq!(told[100], "and 900 more; the results list all that was skipped");
    assert_eq!(String::from_utf8_lossy(&output.stdout).matches(r#""type":"skipped""#).count(), 1000);
}

#[test]
fn impossible_options_are_refused() {
    let cases: [(&[&str], &str); 7] = [
        (&["--threshold", "1.5"], "error: threshold = 1.5 is out of range: give more than 0, at most 1\n"),
        (&["--threshold", "-1"], "error: threshold = -1 is out of range: give more than 0, at most 1\n"),
        (&["--threshold", "nan"], "error: threshold = NaN is out of range: give more than 0, at most 1\n"),
        (&["--confidence", "0"], "error: confidence = 0 is out of range: give more than 0, at most 1\n"),
        (&["--threads", "5000"], "5000 is not in 0..=1024"),
        (&["--level", "loose"], "possible values: near, reworded"),
        (&["--format", "xml"], "possible values: text, jsonl"),
    ];
    for (options, message) in cases {
        let output = run(&seeds(), &[options, &["."]].concat());
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{options:?}");
        assert!(stderr(&output).contains(message), "{options:?}: {}", stderr(&output));
    }
}

#[test]
fn nothing_to_read_is_an_error() {
    let folder = Temp::new("bare").with("article.pdf", "").with("empty.jsonl", "").with("bare/x.png", "");
    for args in [&[][..], &["gone"], &["article.pdf"], &["empty.jsonl"], &["bare"]] {
        let output = run(&folder, args);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{args:?}");
        assert!(stderr(&output).contains("error: "), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn control_characters_stay_out_of_the_terminal() {
    let evil = "evil\u{1b}[31m\u{9b}2J\n\u{202e}\u{7f}";
    let folder = Temp::new("evil").with(
        "x.jsonl",
        line("a", FERRY) + &line(evil, FERRY) + &line(evil, STORM) + "{\"id\":\"b\",\"\\u001b[2J\":1}\n",
    );
    let harmless = |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes).unwrap();
        let harmful = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!text.contains(harmful), "{text:?}");
        text.to_string()
    };
    for format in ["text", "jsonl"] {
        let output = run(&folder, &["--format", format, "x.jsonl"]);
        let text = harmless(&output.stdout);
        harmless(&output.stderr);
        if format == "text" {
            assert!(text.contains(r"  evil\u{1b}[31m\u{9b}2J\n\u{202e}\u{7f}  exact"), "{text}");
        } else {
            let cluster: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
            assert_eq!(cluster["members"][1]["id"], evil);
        }
    }
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let copies = |word: usize| {
        let text = format!("{FERRY} w{word}a w{word}b w{word}c w{word}d w{word}e w{word}f w{word}g w{word}h");
        line(&format!("{word}/{}", "first".repeat(20)), &text)
            + &line(&format!("{word}/{}", "second".repeat(20)), &text)
    };
    let folder = Temp::new("pipe").with("x.jsonl", (0..1000).map(copies).collect::<String>());
    let mut child = dedup()
        .current_dir(&*folder)
        .args(["--level", "near", "--threshold", "1", "x.jsonl"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::with_capacity(64, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains(" and 1 like it"), "{first}");
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
}

#[test]
fn help_shows_how_to_use_it() {
    for option in ["-h", "--help"] {
        let help = stdout(&seeds(), &[option]);
        assert!(help.contains("dedup articles/") && help.contains("--text-field"), "{help}");
    }
}

#[test]
fn a_plan_tells_what_a_run_would_take() {
    let lines: String = (0..30_000).map(|at| line(&at.to_string(), &format!("{STORM} Word{at} {FERRY}"))).collect();
    let folder = Temp::new("plan").with("x.jsonl.gz", compressed(&lines)).with("x.jsonl", &lines);
    for path in ["x.jsonl", "x.jsonl.gz"] {
        let plan = stdout(&folder, &["plan", "--sample", "1", "--level", "near", "--threshold", "0.8", path]);
        let lines: Vec<&str> = plan.lines().collect();
        assert!(lines[0].starts_with("sample      ") && lines[0].ends_with(" of 1 file"), "{plan}");
        // Of a sample; the ends of what was read ahead are not exact.
        let all = lines[1].strip_prefix("all         about ").unwrap();
        let articles: f64 = all.split_once(' ').unwrap().0.replace(',', "").parse().unwrap();
        assert!((20_000.0..45_000.0).contains(&articles), "{path}: {plan}");
        for (line, start) in
            lines[2..6].iter().zip(["time        about ", "memory      about ", "candidates  ", "copies      "])
        {
            assert!(line.starts_with(start), "{plan}");
        }
        assert!(
            plan.contains(" bands of ") && plan.contains("\n  0.800   9") && plan.contains("threshold\n"),
            "{plan}"
        );
    }
    let whole = stdout(&seeds(), &["plan", "."]);
    assert!(whole.contains("all         about 7 articles, 28.35 kB in 7 files, 28.35 kB on disk\n"), "{whole}");
    let output = run(&folder, &["plan", "-"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("nobody knows how much comes on standard input"), "{}", stderr(&output));
}
