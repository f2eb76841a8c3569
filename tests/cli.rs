//! The `dedup` example from end to end, as a user runs it.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
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
fn a_copy_of_a_member_alone_names_it() {
    let folder = with_a_copy_of_a_copy("via");
    let text = stdout(&folder, &["--level", "near", "."]);
    assert!(text.starts_with("center.txt and 5 like it:\n"), "{text}");
    assert!(
        text.lines().last().unwrap().starts_with("  of-edited.txt  near      0.60  near 1.00 like edited.txt: "),
        "{text}"
    );
    let records = records(&folder, &["--level", "near", "."]);
    let members = records[0]["members"].as_array().unwrap();
    let via = |member: &Value| member.get("via").cloned();
    assert_eq!(
        via(&members[5]),
        Some(serde_json::json!({"id": "edited.txt", "at": "./edited.txt", "relation": "near", "similarity": 1.0}))
    );
    assert!(members[..5].iter().all(|member| via(member).is_none()), "{members:?}");
}

#[test]
fn text_says_that_nothing_was_found() {
    let folder = Temp::new("nothing").with("a.txt", FERRY).with("b.txt", STORM);
    assert_eq!(stdout(&folder, &["."]), "No copies found among 2 articles.\n");
}

#[test]
fn the_way_the_articles_come_changes_nothing() {
    let found = |folder: &Path, paths: &[&str]| without_places(&findings(folder, paths));
    let whole = found(&seeds(), &["."]);
    assert_eq!(whole.len(), 2);
    let mut names: Vec<String> =
        fs::read_dir(seeds()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    for turn in 0..names.len() {
        names.rotate_left(1);
        names.swap(0, turn);
        let files: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(found(&seeds(), &files), whole, "{files:?}");
    }
    let again = format!("./{}", names[0]);
    assert_eq!(found(&seeds(), &[&again, "."]), whole, "a file that is given twice is read once");

    let jsonl: String = names.iter().map(|name| line(name, &fs::read_to_string(seeds().join(name)).unwrap())).collect();
    let folder = Temp::new("order").with("all.jsonl", jsonl);
    assert_eq!(found(&folder, &["all.jsonl"]), whole);
}

#[test]
fn threads_change_nothing() {
    let one = findings(&seeds(), &["--threads", "1", "."]);
    for threads in ["0", "2", "7"] {
        assert_eq!(findings(&seeds(), &["--threads", threads, "."]), one);
    }
}

#[test]
fn repeated_ids_are_labels() {
    let longer = format!("{FERRY} It does not run on Sundays.");
    let folder = Temp::new("repeated")
        .with("a.jsonl", line("x", FERRY) + &line("x", FERRY) + &line("y", STORM))
        .with("b.jsonl", line("x", STORM) + &line("x", &longer));
    let forth = findings(&folder, &["a.jsonl", "b.jsonl"]);
    assert_eq!(findings(&folder, &["b.jsonl", "a.jsonl"]), forth);
    let found: Vec<Value> = forth.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let places = |cluster: &Value| -> Vec<String> {
        cluster["members"].as_array().unwrap().iter().map(|member| member["at"].as_str().unwrap().into()).collect()
    };
    let mut places: Vec<Vec<String>> = found.iter().map(places).collect();
    places.iter_mut().for_each(|places| places.sort());
    places.sort();
    assert_eq!(places, [vec!["a.jsonl:1", "a.jsonl:2", "b.jsonl:2"], vec!["a.jsonl:3", "b.jsonl:1"]]);
    // Where an id does not tell which article is meant, the text format says where it stands.
    let text = stdout(&folder, &["a.jsonl", "b.jsonl"]);
    assert!(text.contains("x (b.jsonl:1)") && text.contains("x (a.jsonl:2)") && !text.contains("y ("), "{text}");
}

#[test]
fn an_id_that_is_shown_once_may_be_that_of_another() {
    let folder = Temp::new("restart")
        .with("a.jsonl", line("0", FERRY) + &line("1", STORM))
        .with("b.jsonl", line("0", "Nobody at the school wanted a second hall.") + &line("1", FERRY));
    let text = stdout(&folder, &["."]);
    assert!(text.starts_with("0 (./a.jsonl:1) and 1 like it:\n  1 (./b.jsonl:2)  exact"), "{text}");
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
        "left 2 other files alone: only .txt, .jsonl, .ndjson, .json, .csv, .tsv, .rss, .atom or .wet, also as .gz or .zst, or \
         .parquet are read"
    );
    assert!(
        told[1].starts_with("3 documents, ") && told[1].contains(": 1 cluster, 0 skipped, prior 0.05, in "),
        "{told:?}"
    );
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
    assert_eq!(keys(&records[0]), ["type", "representative", "at", "members"]);
    let members = records[0]["members"].as_array().unwrap();
    assert_eq!(members[0], serde_json::json!({"id": "a.txt", "at": "./a.txt", "representative": true}));
    assert_eq!((&members[0]["id"], &members[0]["at"]), (&records[0]["representative"], &records[0]["at"]));
    assert_eq!(members.len(), 3);
    for member in &members[1..] {
        assert_eq!(member["at"], format!("./{}", member["id"].as_str().unwrap()));
        let similarity = member["similarity"].as_f64().unwrap();
        match member["relation"].as_str().unwrap() {
            "exact" => assert_eq!(
                (keys(member), similarity),
                (["id", "at", "relation", "similarity"].map(String::from).to_vec(), 1.0)
            ),
            "near" => {
                assert_eq!(keys(member)[..6], ["id", "at", "relation", "similarity", "jaccard", "containment"]);
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
            "prior",
            "capped",
            "excerpts",
            "furniture",
            "with_furniture",
            "left_out",
            "clusters",
            "copies",
            "skipped",
            "unread",
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
    assert!(
        output.stdout.starts_with(br#"{"type":"cluster","representative":"a","at":"<stdin>:1","members":[{"id":"a""#)
    );
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
    assert_unread(&missing, &[".", "gone.txt"], "gone.txt", &["cannot be read", "check the path"]);
    let odd = with_a_pair("odd").with("odd/article.pdf", FERRY);
    let parts = ["not named .txt, .jsonl, ", "make text of it first, for example with pdftotext"];
    assert_unread(&odd, &["pair1.txt", "pair2.txt", "odd/article.pdf"], "odd/article.pdf", &parts);
}

#[cfg(unix)]
#[test]
fn unreadable_text_files() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let dangling = with_a_pair("dangling");
    symlink("nowhere", dangling.join("bad.txt")).unwrap();
    assert_unread(&dangling, &["."], "./bad.txt", &["cannot be read", "check"]);

    let locked = with_a_pair("locked").with("bad.txt", FERRY);
    fs::set_permissions(locked.join("bad.txt"), fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser reads everything.
    if fs::read(locked.join("bad.txt")).is_err() {
        assert_unread(&locked, &["."], "./bad.txt", &["cannot be read", "allow reading it"]);
    }
}

#[test]
fn bad_json_lines() {
    let cases: [(&str, &[u8], &str, &[&str]); 11] = [
        ("latin", b"{\"id\": \"x\", \"text\": \"caf\xe9\"}", "bad.jsonl:2", &["byte 25 is not valid UTF-8", "convert"]),
        ("broken", br#"{"id": "x", "text": "no end"#, "bad.jsonl:2", &["not valid JSON at column 27", "fix the line"]),
        ("surrogate", br#"{"id": "x", "text": "\ud800 alone"}"#, "bad.jsonl:2", &["not valid JSON", "write \\ufffd"]),
        ("deep", &[b'['; 100_000], "bad.jsonl:2", &["not valid JSON", "recursion limit", "fix the line"]),
        ("list", br#"["x", "text"]"#, "bad.jsonl:2", &["a list, not an object", r#"write {"id": "#]),
        ("no text", br#"{"id": "x", "body": "words"}"#, "x", &[r#"no field "text""#, r#""body""#, "--text-field"]),
        ("nothing", b"{}", "bad.jsonl:2", &[r#"no field "text""#, "--text-field"]),
        ("number", br#"{"id": "x", "text": 12}"#, "x", &[r#"field "text" holds a number"#, "give a string"]),
        ("null", br#"{"id": "x", "text": null}"#, "x", &[r#"field "text" holds null"#, "give a string"]),
        ("empty", br#"{"id": "x", "text": ""}"#, "x", &["no words"]),
        ("short", br#"{"id": "x", "text": "Two words"}"#, "x", &["2 words", "needs 3", "leave it out"]),
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
    assert_eq!(told[100], "and 900 more; the results of `dedup --format jsonl` list all that is skipped");
    assert_eq!(String::from_utf8_lossy(&output.stdout).matches(r#""type":"skipped""#).count(), 1000);
}

#[test]
fn impossible_options_are_refused() {
    let cases: [(&[&str], &str); 9] = [
        (&["--memory", "much"], "give a number of bytes, or one with K, M, G or T, such as 500M"),
        (&["--memory", "1G", "--spill-folder", "no/folder"], "cannot spill to no/folder"),
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
fn the_exit_code_says_whether_all_was_read() {
    let folder = Temp::new("codes")
        .with("a.jsonl", line("a", FERRY) + &line("b", FERRY))
        .with("short.jsonl", line("a", FERRY) + &line("b", "too short"))
        .with("cut.jsonl.gz", &compressed(line("z", STORM).repeat(100))[..40])
        .with("in/deep/a.jsonl", line("a", STORM));
    let cases: [(&[&str], i32); 12] = [
        (&["a.jsonl"], 0),
        (&["--strict", "a.jsonl"], 0),
        (&["short.jsonl"], 0),
        (&["--strict", "short.jsonl"], 1),
        (&["a.jsonl", "missing.jsonl"], 1),
        (&["a.jsonl", "missing/"], 1),
        (&["a.jsonl", "z*.jsonl"], 1),
        (&["a.jsonl", "cut.jsonl.gz"], 1),
        (&["plan", "a.jsonl", "missing.jsonl"], 1),
        (&["plan", "a.jsonl"], 0),
        (&["missing.jsonl"], 2),
        (&["plan", "missing.jsonl"], 2),
    ];
    for (args, code) in cases {
        let output = run(&folder, args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn a_mistyped_command_is_an_error_that_names_the_near_one() {
    let folder = with_a_pair("mistyped");
    let cases: [(&[&str], &str); 8] = [
        (&["pln", "."], "no command pln and no such file: did you mean dedup plan?"),
        (&["compar", "pair1.txt", "pair2.txt"], "did you mean dedup compare?"),
        (&["adit", "--sample", "3", "."], "did you mean dedup audit?"),
        (&["-q", "--threads", "1", "compar", "pair1.txt", "pair2.txt"], "did you mean dedup compare?"),
        (&["-q", "compare", "pair1.txt", "pair2.txt"], "a command comes before all options: dedup compare \u{2026}"),
        (&["--threads", "1", "archive", "create", "new", "--without-texts"], "options: dedup archive \u{2026}"),
        (&["Plan", "."], "did you mean dedup plan?"),
        (&["help"], "see dedup --help"),
    ];
    for (args, message) in cases {
        let output = run(&folder, args);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{args:?}");
        assert!(stderr(&output).contains(message), "{args:?}: {}", stderr(&output));
    }
    // A file of such a name is one.
    let folder = with_a_pair("named so").with("pln/pair3.txt", FERRY);
    assert_eq!(run(&folder, &["pln", "."]).status.code(), Some(0));
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
            assert!(text.contains(r"  evil\u{1b}[31m\u{9b}2J\n\u{202e}\u{7f} (x.jsonl:2)  exact"), "{text}");
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
    let lines: String = (0..15_000).map(|at| line(&at.to_string(), &format!("{STORM} Word{at} {FERRY}"))).collect();
    let folder = Temp::new("plan").with("x.jsonl.gz", compressed(&lines)).with("x.jsonl", &lines);
    for path in ["x.jsonl", "x.jsonl.gz"] {
        let plan = stdout(&folder, &["plan", "--sample", "1", "--level", "near", "--threshold", "0.8", path]);
        let lines: Vec<&str> = plan.lines().collect();
        assert!(lines[0].starts_with("sample      ") && lines[0].ends_with(" of 1 file"), "{plan}");
        // Of a sample; the ends of what was read ahead are not exact.
        let all = lines[1].strip_prefix("all         about ").unwrap();
        let articles: f64 = all.split_once(' ').unwrap().0.replace(',', "").parse().unwrap();
        assert!((10_000.0..22_500.0).contains(&articles), "{path}: {plan}");
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
    assert!(stderr(&output).contains("cannot estimate from standard input"), "{}", stderr(&output));
}
