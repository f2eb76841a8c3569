//! `dedup archive` and `dedup watch` from end to end, as a user runs them.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Output, Stdio};

use common::*;
use serde_json::{Value, json};

/// The lines of a run, each of which is as the schema says.
fn lines(output: &Output) -> Vec<Value> {
    let schema: Value = serde_json::from_str(include_str!("../examples/dedup/lines.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let lines: Vec<Value> =
        std::str::from_utf8(&output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        let errors: Vec<String> = validator.iter_errors(line).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
    }
    lines
}

fn archive(folder: &Path, args: &[&str]) -> Output {
    run(folder, &[&["archive"], args].concat())
}

#[test]
fn an_archive_tells_what_each_article_repeats() {
    let dated = |id: &str, date: &str| {
        json!({ "id": id, "text": STORM, "date": date, "source": "example.org" }).to_string() + "\n"
    };
    let folder = Temp::new("archive").with("a.txt", FERRY).with("b.txt", FERRY.replace("noon", "boat"));
    let folder = folder.with("c.txt", STORM).with("d.jsonl", dated("d", "2024-05-17"));
    let folder = folder.with("e.jsonl", dated("e", "2024-05-20"));
    let missing = archive(&folder, &["add", "news", "a.txt"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(stderr(&missing).contains("there is no archive; create one"), "{}", stderr(&missing));
    assert_eq!(archive(&folder, &["create", "news"]).status.code(), Some(0));
    assert_eq!(archive(&folder, &["create", "news"]).status.code(), Some(2), "there is one already");
    let added = archive(&folder, &["add", "--matches", "news", "a.txt", "b.txt", "gone.txt"]);
    assert_eq!(added.status.code(), Some(1), "{}", stderr(&added));
    let [first, second] = &lines(&added)[..] else { panic!("{added:?}") };
    assert_eq!((&first["matches"], &first["story"]), (&json!([]), &json!(0)));
    assert_eq!((&second["matches"][0]["id"], &second["matches"][0]["relation"]), (&json!("a.txt"), &json!("near")));
    assert_eq!((&second["number"], &second["story"]), (&json!(1), &json!(0)));

    let asked = lines(&archive(&folder, &["query", "news", "c.txt", "a.txt"]));
    let of = |id: &str| asked.iter().find(|line| line["id"] == id).unwrap();
    assert_eq!((&of("c.txt")["matches"], &of("c.txt")["story"]), (&json!([]), &Value::Null));
    assert_eq!(of("a.txt")["matches"].as_array().unwrap().len(), 2);
    let dated = lines(&archive(&folder, &["query", "news", "d.jsonl"]));
    assert_eq!((&dated[0]["id"], &dated[0]["at"]), (&json!("d"), &json!("d.jsonl:1")));
    let [story] = &lines(&archive(&folder, &["report", "news"]))[..] else { panic!("one story") };
    assert_eq!(story["members"].as_array().unwrap().len(), 2);
    let stats = |folder: &Path| lines(&archive(folder, &["stats", "news"])).remove(0);
    assert_eq!((&stats(&folder)["articles"], &stats(&folder)["census"]), (&json!(2), &json!(1)));

    archive(&folder, &["add", "news", "d.jsonl"]);
    let within = |span: &str| lines(&archive(&folder, &["query", "news", "e.jsonl", "--within", span])).remove(0);
    let near = within("3d");
    let [found] = &near["matches"].as_array().unwrap()[..] else { panic!("{near}") };
    assert_eq!((&found["date"], &found["source"]), (&json!("2024-05-17"), &json!("example.org")));
    assert_eq!(within("2d")["matches"], json!([]));

    assert!(stderr(&archive(&folder, &["remove", "news", "a.txt", "z"])).contains("removed 1 "));
    assert!(stderr(&archive(&folder, &["expire", "news", "2024-05-17"])).contains("removed 0 "));
    assert!(stderr(&archive(&folder, &["expire", "news", "2024-05-18"])).contains("removed 1 "));
    assert_eq!(archive(&folder, &["expire", "news", "soon"]).status.code(), Some(2));
    for command in ["merge", "compact", "census", "verify"] {
        let output = archive(&folder, &[command, "news"]);
        assert_eq!(output.status.code(), Some(0), "{command}: {}", stderr(&output));
    }
    assert_eq!((&stats(&folder)["articles"], &stats(&folder)["removed"]), (&json!(1), &json!(0)));
    let other = archive(&folder, &["stats", "--threshold", "0.9", "news"]);
    assert!(stderr(&other).contains("use the same options, or a new archive"), "{}", stderr(&other));
    let near = archive(&folder, &["stats", "--level", "near", "news"]);
    assert!(stderr(&near).contains("use level reworded, or a new archive"), "{}", stderr(&near));
    archive(&folder, &["create", "--level", "near", "short"]);
    let reworded = archive(&folder, &["stats", "short"]);
    assert!(stderr(&reworded).contains("use level near, or a new archive"), "{}", stderr(&reworded));
}

#[test]
fn what_cannot_be_compared_is_told_and_seems_to_repeat_nothing() {
    let input = line("a", FERRY) + &line("b", "…") + &line("c", "Too short");
    let folder = Temp::new("short").with("x.jsonl", &input);
    archive(&folder, &["create", "news"]);
    let told = |output: &Output| {
        let lines = lines(output);
        let [a, b, c] = [0, 1, 2].map(|at| lines[at]["skipped"].as_str().unwrap_or_default());
        assert!(
            a.is_empty() && b.starts_with("the text has no words") && c.starts_with("the text has 2 words"),
            "{lines:?}"
        );
    };
    for args in
        [&["add", "--matches", "news", "x.jsonl"][..], &["query", "news", "x.jsonl"], &["add", "news", "x.jsonl"]]
    {
        let output = archive(&folder, args);
        if args != ["add", "news", "x.jsonl"] {
            told(&output);
        }
        assert!(stderr(&output).contains("x.jsonl:2: the text has no words"), "{}", stderr(&output));
    }
    told(&run_with(&folder, &["watch", "news"], input.as_bytes()));
    let report = archive(&folder, &["report", "news"]);
    assert!(stderr(&report).starts_with("left 6 articles out, such as \"b\": the text has no words"), "{report:?}");
}

#[test]
fn an_archive_that_is_given_as_a_folder_of_files_is_told() {
    let folder = Temp::new("as a folder").with("a.txt", FERRY).with("b.txt", STORM);
    archive(&folder, &["create", "news"]);
    for args in [&["a.txt", "news"][..], &["a.txt", "--against", "news"]] {
        let output = run(&folder, args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(
            stderr(&output).contains("news: is an archive, not a folder of files: dedup archive query"),
            "{args:?}"
        );
    }
}

#[test]
fn a_story_names_the_member_that_a_copy_was_judged_with() {
    let folder = with_a_copy_of_a_copy("story-via");
    let near = |command: &[&str]| archive(&folder, &[command, &["--level", "near"]].concat());
    assert!(near(&["create", "news"]).status.success());
    let texts = ["around.txt", "begins.txt", "center.txt", "edited.txt", "ends.txt", "of-edited.txt"];
    assert!(near(&[&["add", "news"][..], &texts].concat()).status.success());
    let [story, ..] = &lines(&near(&["report", "news"]))[..] else { panic!("no story") };
    let of = |id: &str| story["members"].as_array().unwrap().iter().find(|member| member["id"] == id).unwrap();
    assert_eq!(of("center.txt")["representative"], true, "{story}");
    assert_eq!((&of("of-edited.txt")["via"]["id"], &of("edited.txt")["via"]), (&json!("edited.txt"), &Value::Null));
}

#[test]
fn an_archive_without_texts_says_that_it_estimates() {
    let folder = Temp::new("without").with("a.txt", FERRY).with("b.txt", FERRY.replace("noon", "boat"));
    assert_eq!(archive(&folder, &["create", "news", "--without-texts"]).status.code(), Some(0));
    assert_eq!(archive(&folder, &["add", "news", "a.txt"]).status.code(), Some(0));
    let asked = lines(&archive(&folder, &["query", "news", "a.txt", "b.txt"]));
    let told = |line: &Value| (line["matches"][0]["relation"].clone(), line["matches"][0]["is_estimated"].clone());
    assert_eq!(told(&asked[0]), (json!("exact"), json!(false)));
    assert_eq!(told(&asked[1]), (json!("near"), json!(true)));
    assert_eq!(lines(&archive(&folder, &["stats", "news"]))[0]["keeps_texts"], json!(false));
    let refused = archive(&folder, &["query", "news", "a.txt", "--excerpts"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("without texts finds no excerpts"), "{}", stderr(&refused));
}

#[test]
fn excerpts_are_told_where_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let said = "On Monday the harbour board announced that the ferry to Orrin will stop in March. It said that fewer than nine people a \
        day had crossed the bay in winter, and that the old ship would not pass its next inspection.";
    let first = format!(
        "{said} Three readers wrote to us. The first asks who will pay for a bus, and the others why nobody asked them \
        before the board met; the second of them owns the hotel at the pier, which has stood empty since May."
    );
    let fresh = format!(
        "Nobody in Orrin was surprised last night, and at the pier they had known it since Easter. {said} The mayor had \
        more to say about the road, which is to be widened between the church and the mill before the summer."
    );
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), json!({"id": name, "text": text}).to_string()).unwrap();
    };
    write("first.jsonl", &first);
    write("fresh.jsonl", &fresh);
    archive(folder.path(), &["create", "news"]);
    archive(folder.path(), &["add", "news", "first.jsonl"]);
    let told = lines(&archive(folder.path(), &["query", "news", "fresh.jsonl", "--excerpts"]));
    let (span, other) = (&told[0]["excerpts"][0]["span"], &told[0]["excerpts"][0]["archived_span"]);
    let part = |text: &str, span: &Value| {
        let [start, end] = ["start", "end"].map(|edge| span[edge].as_u64().unwrap() as usize);
        text[start..end].to_owned()
    };
    assert_eq!(part(&fresh, span), part(&first, other));
    assert!(part(&fresh, span).len() + 3 > said.len(), "{told:?}");
    assert_eq!(told[0]["matches"], json!([]));
    let untold = lines(&archive(folder.path(), &["query", "news", "fresh.jsonl"]));
    assert_eq!(untold[0].get("excerpts"), None);
}

#[test]
fn a_run_follows_the_census_of_an_archive() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let stories = |from: usize| -> String {
        let story = |at: usize| json!({"id": at, "text": format!("Story {at} tells of harbour {} and of road {}.", at * 7, at * 3)});
        (from..from + 6).map(|at| format!("{}\n", story(at))).collect()
    };
    write("old.jsonl", &stories(0));
    write("new.jsonl", &stories(100));
    archive(folder.path(), &["create", "news"]);
    let run = |args: &[&str]| dedup().current_dir(folder.path()).args(args).output().unwrap();
    let before = "new.jsonl --census news";
    for args in
        [before, &format!("plan {before}"), &format!("audit {before}"), "compare old.jsonl new.jsonl --census news"]
    {
        let refused = run(&args.split(' ').collect::<Vec<_>>());
        assert_eq!(refused.status.code(), Some(2), "{args}: {refused:?}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("dedup archive census news"), "{args}: {refused:?}");
    }
    archive(folder.path(), &["add", "news", "old.jsonl"]);
    let followed = run(&["new.jsonl", "--census", "news", "--format", "jsonl"]);
    assert_eq!(followed.status.code(), Some(0), "{followed:?}");
    let refused = run(&["archive", "query", "news", "new.jsonl", "--census", "news"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
}

#[test]
fn a_watch_answers_each_line_and_keeps_what_it_was_told() {
    let folder = Temp::new("watch");
    let watch = |lines: &str| run_with(&folder, &["watch", "news"], lines.as_bytes());
    let line = |id: &str, text: &str| json!({ "id": id, "text": text, "date": "2024-05-17" }).to_string() + "\n";
    let output =
        watch(&(line("a", FERRY) + "\n" + &line("b", &FERRY.to_uppercase()) + "no JSON\n" + &line("c", STORM)));
    assert_eq!(output.status.code(), Some(1), "a line was skipped");
    let answers = lines(&output);
    let types: Vec<&Value> = answers.iter().map(|line| &line["type"]).collect();
    assert_eq!(types, ["match", "match", "skipped", "match"]);
    assert_eq!(answers[1]["matches"][0]["relation"], "exact", "it is found before it is committed");
    assert_eq!((&answers[2]["at"], &answers[3]["matches"]), (&json!("-:4"), &json!([])));
    let again = lines(&watch(&line("d", STORM)));
    assert_eq!((&again[0]["matches"][0]["id"], &again[0]["matches"][0]["date"]), (&json!("c"), &json!("2024-05-17")));
    assert_eq!(again[0]["story"], 2);
}

#[test]
fn a_watch_tells_of_markup_once() {
    let folder = Temp::new("markup");
    let marked = format!("<p>{FERRY}</p>");
    let input = line("a", STORM) + &line("b", &marked) + &line("c", &marked);
    let output = run_with(&folder, &["watch", "news", "--commit-every", "1"], input.as_bytes());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        stderr(&output).matches("1 text holds markup of HTML, such as that in -:2; ").count(),
        1,
        "{}",
        stderr(&output)
    );
    assert_eq!(stderr(&output).matches("markup of HTML").count(), 1, "{}", stderr(&output));
}

#[test]
fn what_is_no_archive_is_told_with_a_remedy() {
    let folder = Temp::new("no archive").with("x.jsonl", line("a", FERRY));
    for args in [&["archive", "create", "x.jsonl"][..], &["watch", "x.jsonl"]] {
        let output = run(&folder, args);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("an archive is a folder: give another name"), "{}", stderr(&output));
    }
    // A watch takes no other encoding, so that it is not told to name one.
    let output = run_with(&folder, &["watch", "news"], b"\xff\xfe\n");
    assert_eq!(lines(&output)[0]["reason"], "byte 1 is not valid UTF-8: convert the line to UTF-8");
}

#[test]
fn a_damaged_census_is_taken_anew() {
    let folder = Temp::new("damaged census").with("a.txt", FERRY).with("b.txt", STORM);
    archive(&folder, &["create", "news"]);
    archive(&folder, &["add", "news", "a.txt", "b.txt"]);
    std::fs::write(folder.join("news/census-00000001"), "from a bad disk").unwrap();
    for args in [&["query", "news", "a.txt"][..], &["add", "news", "a.txt"], &["verify", "news"]] {
        let refused = archive(&folder, args);
        assert_eq!(refused.status.code(), Some(2));
        assert!(stderr(&refused).contains("census-00000001: damaged at byte 0"), "{}", stderr(&refused));
        assert!(stderr(&refused).contains("take a census anew"), "{}", stderr(&refused));
    }
    let counted = archive(&folder, &["census", "news"]);
    assert_eq!((counted.status.code(), stderr(&counted).trim()), (Some(0), "took census 2"));
    assert_eq!(lines(&archive(&folder, &["query", "news", "a.txt"]))[0]["matches"][0]["relation"], "exact");
}

#[test]
fn articles_are_numbered_as_they_are_given() {
    let folder = Temp::new("given").with("day2.jsonl", line("second", FERRY)).with("day10.jsonl", line("tenth", FERRY));
    archive(&folder, &["create", "news"]);
    let added = lines(&archive(&folder, &["add", "--matches", "news", "day2.jsonl", "day10.jsonl"]));
    let numbers: Vec<[&Value; 3]> = added.iter().map(|line| ["id", "number", "story"].map(|of| &line[of])).collect();
    assert_eq!(numbers, [[&json!("second"), &json!(0), &json!(0)], [&json!("tenth"), &json!(1), &json!(0)]]);
}

#[test]
fn dates_that_are_none_are_told_where_articles_are_asked_about() {
    let dated = |date: &str| json!({ "id": date, "text": FERRY, "date": date }).to_string() + "\n";
    let folder = Temp::new("undated").with("a.jsonl", dated("2024-05-17")).with("b.jsonl", dated("17.05.2024"));
    archive(&folder, &["create", "news"]);
    archive(&folder, &["add", "news", "a.jsonl"]);
    let asked = archive(&folder, &["query", "news", "b.jsonl", "--within", "7d"]);
    assert_eq!(lines(&asked)[0]["matches"], json!([]));
    let told = stderr(&asked);
    assert!(told.contains("1 date is none, such as b.jsonl:1: \"17.05.2024\""), "{told}");
    assert!(told.contains("1 article without a date, which within a time repeat nothing"), "{told}");
    assert!(!stderr(&archive(&folder, &["query", "news", "a.jsonl", "--within", "7d"])).contains("without a date"));
}

#[test]
fn who_stops_reading_is_told_what_is_archived() {
    let folder = Temp::new("stops reading");
    let articles: String = (0..3000).map(|at| line(&at.to_string(), &FERRY.replace("noon", &at.to_string()))).collect();
    let folder = folder.with("many.jsonl", &articles);
    archive(&folder, &["create", "news"]);
    // Its output is closed before anything is read.
    let closed = |args: &[&str], input: Stdio| {
        let mut child = dedup();
        child.current_dir(&*folder).args(args).stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = child.spawn().unwrap();
        drop(child.stdout.take());
        child.wait_with_output().unwrap()
    };
    let added = closed(&["archive", "add", "--matches", "news", "many.jsonl"], Stdio::null());
    assert!(stderr(&added).contains("added 3,000 articles; there are 3,000 now"), "{}", stderr(&added));
    let many = std::fs::File::open(folder.join("many.jsonl")).unwrap();
    let watched = closed(&["watch", "watched"], many.into());
    assert_eq!(watched.status.code(), Some(2));
    assert!(
        stderr(&watched).contains("nobody reads the answers any more: what was read up to line"),
        "{}",
        stderr(&watched)
    );
}

#[test]
fn what_only_reads_works_beside_a_watch() {
    let folder = Temp::new("beside");
    let mut watch = dedup()
        .current_dir(&*folder)
        .args(["watch", "news", "--commit-every", "1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut lines_in, mut answers) = (watch.stdin.take().unwrap(), BufReader::new(watch.stdout.take().unwrap()));
    let mut tell = |id: &str| {
        writeln!(lines_in, "{}", json!({ "id": id, "text": FERRY })).unwrap();
        answers.read_line(&mut String::new()).unwrap();
    };
    tell("a");
    // It is committed before the next one is read.
    tell("b");
    assert!(stderr(&archive(&folder, &["merge", "news"])).contains("the archive is being written"));
    let stats = archive(&folder, &["stats", "news"]);
    assert!(stats.status.success(), "{}", stderr(&stats));
    assert!(lines(&stats)[0]["articles"].as_u64() >= Some(1), "{stats:?}");
    for command in ["verify", "report"] {
        let output = archive(&folder, &[command, "news"]);
        assert!(output.status.success(), "{command}: {}", stderr(&output));
    }
    drop(lines_in);
    assert!(watch.wait().unwrap().success());
    assert_eq!(lines(&archive(&folder, &["stats", "news"]))[0]["articles"], 2);
}

#[test]
fn one_article_that_is_too_long_ends_nothing() {
    let folder = Temp::new("long");
    let line = |id: &str, text: &str, date: &str| json!({ "id": id, "text": text, "date": date }).to_string() + "\n";
    let input = line("a", FERRY, "2024-05-17")
        + &line("b", &"word ".repeat(8 << 20), "17.05.2024")
        + &line("c", STORM, "2024-02-30");
    let folder = folder.with("x.jsonl", &input);
    assert!(archive(&folder, &["create", "news"]).status.success());
    let output = archive(&folder, &["add", "news", "x.jsonl"]);
    assert!(output.status.success(), "{}", stderr(&output));
    for told in [
        "x.jsonl:2: the article has 41943040 bytes, and an archive keeps 33554432 of one at most: split it",
        "2 dates are none, such as x.jsonl:2: \"17.05.2024\"",
        "added 2 articles",
    ] {
        assert!(stderr(&output).contains(told), "{told}: {}", stderr(&output));
    }
    let watched = run_with(&folder, &["watch", "news", "--commit-within", "60"], input.as_bytes());
    let told = stderr(&watched);
    assert!(told.starts_with("-:2: \"17.05.2024\" is no date; write 2024-05-17"), "{told}");
    assert_eq!(told.matches("2 dates are none").count(), 1, "{told}");
    let answers = lines(&watched);
    let types: Vec<&Value> = answers.iter().map(|line| &line["type"]).collect();
    assert_eq!(types, ["match", "skipped", "match"]);
    assert_eq!(answers[1]["id"], "b");
    assert_eq!(lines(&archive(&folder, &["stats", "news"]))[0]["articles"], 4);
}

#[test]
fn a_watch_takes_a_mark_and_no_option_that_means_nothing() {
    let folder = Temp::new("watch-mark");
    let answers =
        lines(&run_with(&folder, &["watch", "news"], ("\u{feff}".to_string() + &line("a", FERRY)).as_bytes()));
    assert_eq!((&answers[0]["type"], &answers[0]["id"]), (&json!("match"), &json!("a")));
    for (option, value) in
        [("--encoding", "windows-1252"), ("--delimiter", ";"), ("--unpack-limit", "1G"), ("--stdin-format", "csv")]
    {
        let output = run_with(&folder, &["watch", "news", option, value], b"");
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(option), "{}", stderr(&output));
    }
}

#[test]
fn a_watch_reads_fields_as_files_are_read() {
    let folder = Temp::new("watch-fields");
    let line = |id: &str, text: &str| {
        let article = json!({ "meta": { "nr": id }, "article": { "body": text }, "datePublished": "2024-05-17", "source": "example.org" });
        article.to_string() + "\n"
    };
    let input = line("a", FERRY)
        + &line("b", &FERRY.replace("noon", "boat"))
        + &json!({ "body": STORM, "url": "https://www.example.com/1" }).to_string();
    let args = ["watch", "news", "--text-field", "article.body", "--id-field", "meta.nr"];
    let answers = lines(&run_with(&folder, &args, input.as_bytes()));
    let found = &answers[1]["matches"][0];
    assert_eq!((&answers[1]["id"], &found["id"], &found["relation"]), (&json!("b"), &json!("a"), &json!("near")));
    assert_eq!((&found["date"], &found["source"]), (&json!("2024-05-17"), &json!("example.org")));
    assert_eq!((&answers[2]["type"], &answers[2]["id"]), (&json!("skipped"), &json!("-:3")));
    let answers = lines(&run_with(&folder, &["watch", "news"], input.lines().last().unwrap().as_bytes()));
    assert_eq!((&answers[0]["id"], &answers[0]["number"]), (&json!("https://www.example.com/1"), &json!(2)));
    let again = lines(&run_with(&folder, &["watch", "news"], json!({ "content": STORM }).to_string().as_bytes()));
    assert_eq!((&again[0]["id"], &again[0]["matches"][0]["source"]), (&json!("-:1"), &json!("example.com")));
}
