//! `dedup --unique` and `--removed` from end to end: what stays is byte for byte what came, and nothing is lost.

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use common::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Runs with `--unique` and `--removed` and gives what was said.
fn clean(folder: &Path, unique: &str, paths: &[&str]) -> String {
    let output = run(folder, &[&["--level", "near", "--unique", unique, "--removed", "removed.jsonl"], paths].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stderr(&output).into()
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

fn removed(folder: &Path) -> Vec<Value> {
    read(folder.join("removed.jsonl")).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A record with fields that dedup knows nothing of, and in an order of its own.
fn odd(id: &str, text: &str) -> String {
    format!(r#"{{"z":[1, 2.50,{{"k":null}}],  "text":{} ,"id":"{id}", "a":"\u00e9"}}"#, json!(text))
}

#[test]
fn lines_stay_byte_for_byte() {
    let (a, b, c) = (odd("a", FERRY), odd("b", &FERRY.to_uppercase()), odd("c", STORM));
    let input = format!("\u{feff}{a}\r\n\n{b}\n{{\"id\": broken\n{c}");
    let folder = Temp::new("lines").with("x.jsonl", &input);
    let said = clean(&folder, "unique.jsonl", &["x.jsonl"]);
    assert_eq!(read(folder.join("unique.jsonl")), input.replace(&format!("{b}\n"), ""));
    let sum = format!(
        "2 kept + 1 removed + 1 skipped and left in = 4 records; {} + {} + 14 + 4 between them = {} bytes: exactly the input",
        a.len() + 2 + c.len(),
        b.len() + 1,
        input.len()
    );
    assert!(said.contains(&sum), "{said}\n{sum}");
    let removed = removed(&folder);
    assert_eq!(removed.len(), 1);
    let keys: Vec<&String> = removed[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["type", "id", "at", "kept", "kept_at", "relation", "similarity", "covered"]);
    assert_eq!(
        removed[0],
        json!({
            "type": "removed", "id": "b", "at": "x.jsonl:3", "kept": "a", "kept_at": "x.jsonl:1", "relation": "exact", "similarity": 1.0,
            "covered": 1.0
        })
    );
}

#[test]
fn tables_whose_rows_end_otherwise_do_not_become_one() {
    let table = |id: &str, end: &str| format!("id,text{end}{id},{FERRY}{end}");
    let folder = Temp::new("ends").with("a.csv", table("a", "\n")).with("b.csv", table("b", "\r"));
    let output = run(&folder, &["--unique", "u.csv", "a.csv", "b.csv"]);
    assert_eq!(output.status.code(), Some(2));
    let told = "b.csv does not fit into u.csv, the ends of its rows differ from those of a.csv: run it alone";
    assert!(stderr(&output).contains(told), "{}", stderr(&output));
    let folder = folder.with("c.csv", table("c", "\r\n"));
    stdout(&folder, &["--unique", "u.csv", "a.csv", "c.csv"]);
    assert_eq!(fs::read_to_string(folder.join("u.csv")).unwrap(), table("a", "\n"));
    // Quotes make no other columns, except between tabs, where those of the first row say what those of others mean.
    let quoted = |delimiter: &str| format!("\"id\"{delimiter}\"text\"\nq{delimiter}\"{STORM}\"\n");
    let folder = folder.with("q.csv", quoted(",")).with("a.tsv", format!("id\ttext\na\t{FERRY}\n"));
    let folder = folder.with("q.tsv", quoted("\t"));
    stdout(&folder, &["--unique", "u.csv", "a.csv", "q.csv"]);
    assert_eq!(fs::read_to_string(folder.join("u.csv")).unwrap(), table("a", "\n") + &format!("q,\"{STORM}\"\n"));
    let output = run(&folder, &["--unique", "u.tsv", "a.tsv", "q.tsv"]);
    assert!(stderr(&output).contains("q.tsv does not fit into u.tsv"), "{}", stderr(&output));
}

#[test]
fn rows_stay_byte_for_byte() {
    let head = "url;not,body,\"what, else\"\r\n";
    let a = format!("a,\"{FERRY}\nand \"\"more\"\" of it\",\"\"\r\n");
    let b = format!("b,\"{FERRY} AND more of it\",x\n");
    let c = format!("c,{STORM},\"a\r\nb\"");
    let folder = Temp::new("rows").with("x.csv", [head, &a, "\r\n", &b, &c].concat());
    let said = clean(&folder, "unique.csv", &["--id-field", "url;not", "x.csv"]);
    assert!(said.contains("x.csv: the text is taken from \"body\" (--text-field)\n"), "{said}");
    assert_eq!(read(folder.join("unique.csv")), [head, &a, "\r\n", &c].concat());
    assert_eq!(removed(&folder)[0]["at"], "x.csv:5", "the line on which the row begins");
}

#[test]
fn elements_stay_byte_for_byte() {
    let (a, b, c) = (odd("a", FERRY), odd("b", &FERRY.to_uppercase()), odd("c", STORM));
    let folder = Temp::new("elements").with("x.json", format!("[ {a},\n\t{b}\n,{c} ]\n"));
    clean(&folder, "unique.json", &["x.json"]);
    assert_eq!(read(folder.join("unique.json")), format!("[ {a}\n,{c} ]\n"));
    assert_eq!(removed(&folder)[0]["at"], "x.json#2");

    // The first is the one that goes: what opens the list stays.
    let folder = Temp::new("first").with("x.json", format!("[ {b},\n\t{a}\n,{c} ]\n"));
    clean(&folder, "unique.json", &["x.json"]);
    assert_eq!(read(folder.join("unique.json")), format!("[ {a}\n,{c} ]\n"));

    // Values without a list around them.
    let folder = Temp::new("values").with("x.json", format!("{b}\n{a}\n\n{c}\n"));
    clean(&folder, "unique.json", &["x.json"]);
    assert_eq!(read(folder.join("unique.json")), format!("{a}\n\n{c}\n"));
}

#[test]
fn several_files_become_one() {
    let folder = Temp::new("several")
        .with("a.jsonl", line("a", FERRY).trim_end())
        .with("b.ndjson", format!("\u{feff}{}{}", line("b", FERRY), line("c", STORM)));
    clean(&folder, "unique.jsonl", &["."]);
    assert_eq!(read(folder.join("unique.jsonl")), line("a", FERRY) + &line("c", STORM));

    let folder = Temp::new("tables")
        .with("a.csv", format!("id,text\na,\"{FERRY}\""))
        .with("b.csv", format!("id,text\r\nb,\"{FERRY}\"\r\nc,\"{STORM}\"\r\n"));
    clean(&folder, "unique.csv", &["."]);
    assert_eq!(read(folder.join("unique.csv")), format!("id,text\na,\"{FERRY}\"\nc,\"{STORM}\"\r\n"));

    let folder = Temp::new("lists")
        .with("a.json", format!(" [{}]\n", odd("a", FERRY)))
        .with("b.json", "[ ]")
        .with("c.json", format!("[\n{},\n{}]", odd("b", FERRY), odd("c", STORM)))
        .with("d.json", format!("[{}\n]\n", odd("d", "Nobody at the school wanted a second hall.")));
    clean(&folder, "unique.json", &["."]);
    let unique = read(folder.join("unique.json"));
    let ids: Vec<Value> = serde_json::from_str::<Vec<Value>>(&unique).unwrap();
    assert_eq!(ids.iter().map(|element| &element["id"]).collect::<Vec<_>>(), ["a", "c", "d"]);

    let folder = Temp::new("columns")
        .with("a.csv", format!("id,text\na,\"{FERRY}\"\n"))
        .with("b.csv", format!("text,id\n\"{FERRY}\",b\n"));
    let output = run(&folder, &["--unique", "unique.csv", "."]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("b.csv does not fit into unique.csv, the columns differ"), "{}", stderr(&output));
    assert!(!folder.join("unique.csv").exists());
}

#[test]
fn texts_go_to_a_folder() {
    let folder = Temp::new("texts")
        .with("in/a.txt", format!("\u{feff}{FERRY}\r\n"))
        .with("in/deep/b.txt", FERRY.to_uppercase())
        .with("in/empty.txt", "")
        .with("in/latin.txt", b"caf\xe9");
    let said = clean(&folder, "out", &["in"]);
    assert!(said.contains("1 kept + 1 removed + 1 skipped and left in = 3 records"), "{said}");
    for name in ["a.txt", "empty.txt", "latin.txt"] {
        assert_eq!(fs::read(folder.join("in").join(name)).unwrap(), fs::read(folder.join("out").join(name)).unwrap());
    }
    assert!(!folder.join("out/deep").exists());

    let output = run(&folder, &["--unique", "out", "in"]);
    assert!(stderr(&output).contains("the folder is there and not empty"), "{}", stderr(&output));
}

#[test]
fn compressed_files_hold_the_same() {
    // More than is compressed at once, and every fourth text told again.
    let article = |number: usize, text: usize| {
        let words: String = (0..12).map(|word| format!(" w{}x{word}", text)).collect();
        line(&format!("{number:05}"), &format!("{STORM}{words}"))
    };
    let unique: String = (0..15_000).map(|number| article(number, number)).collect();
    let copies: String = (15_000..20_000).map(|number| article(number, number - 15_000)).collect();
    let folder = Temp::new("compressed").with("x.jsonl", unique.clone() + &copies);
    for name in ["unique.jsonl", "unique.jsonl.gz", "unique.jsonl.zst"] {
        let args = ["--threshold", "1", "--level", "near", "--unique", name, "--quiet", "x.jsonl"];
        stdout(&folder, &args);
        assert!(unpacked(&folder.join(name)) == unique.as_bytes(), "{name}");
        // And dedup reads what it wrote.
        assert_eq!(
            stdout(&folder, &["--threshold", "1", "--level", "near", name]),
            "No copies found among 15,000 articles.\n"
        );
    }
}

#[test]
fn what_cannot_be_byte_for_byte_is_refused() {
    let cut = compressed(line("z", STORM).repeat(1000));
    let folder = Temp::new("refused")
        .with("x.jsonl", line("a", FERRY) + &line("b", FERRY))
        .with("t.csv", format!("id,text\na,\"{FERRY}\"\n"))
        .with("a.txt", FERRY)
        .with("other/a.txt", FERRY)
        .with("in/a.txt/b.txt", FERRY)
        .with("cut.jsonl.gz", &cut[..cut.len() - 9])
        .with("fits/in.jsonl", line("c", STORM));
    let cases: [(&[&str], &str); 16] = [
        (&["--removed", "-", "x.jsonl"], "--removed writes a file, since standard output has the results: name it"),
        (&["--unique", "-", "x.jsonl"], "--unique writes a file, since standard output has the results: name it"),
        (&["--strip-furniture", "-", "x.jsonl"], "--strip-furniture writes a file"),
        (&["--unique", "u", "a.txt", "in"], "in/a.txt/b.txt would be in a folder where a.txt would be a file: run"),
        (&["--unique", "x.jsonl", "x.jsonl"], "x.jsonl is read itself: write to another file"),
        (&["--removed", "./x.jsonl", "x.jsonl"], "./x.jsonl is read itself: write to another file"),
        (&["--unique", "u.jsonl", "--removed", "u.jsonl", "x.jsonl"], "both u.jsonl: give them two names"),
        (&["--unique", "u.csv", "x.jsonl"], "x.jsonl does not fit into u.csv byte for byte: name it .jsonl"),
        (
            &["--unique", "u.jsonl", "t.csv", "x.jsonl"],
            "t.csv does not fit into u.jsonl byte for byte: run files of each kind",
        ),
        (
            &["--unique", "u.csv", "t.csv", "x.jsonl"],
            "x.jsonl does not fit into u.csv byte for byte: run files of each kind",
        ),
        (&["--unique", "u", "t.csv", "x.jsonl"], "t.csv does not fit into u byte for byte: run files of each kind"),
        (&["--unique", "u", "x.jsonl"], "u has no name for what x.jsonl is: name it .jsonl"),
        (&["--unique", "u.txt", "a.txt"], "u.txt would be one text of many: name a folder"),
        (&["--unique", "u", "a.txt", "other/a.txt"], "would both be a.txt: run them apart"),
        (
            &["--unique", "u.jsonl", "cut.jsonl.gz"],
            "cut.jsonl.gz cannot be written without losing a part of it: the comp",
        ),
        (
            &["--unique", "gone/u.jsonl", "x.jsonl"],
            "cannot write gone/u.jsonl, No such file or directory (os error 2): make the folder first",
        ),
    ];
    for (args, message) in cases {
        let output = run(&folder, args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(message), "{args:?}: {}", stderr(&output));
    }
    // What cannot be written is told before the search, and nothing is written in its stead.
    for args in [
        ["--unique", "u.jsonl", "--removed", "gone/r.jsonl"],
        ["--unique", "gone/u.jsonl", "--removed", "r.jsonl"],
        ["--unique", "u.jsonl", "--removed", "fits"],
    ] {
        let output = run(&folder, &[&args[..], &["x.jsonl"]].concat());
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).ends_with("nothing was written\n"), "{args:?}: {}", stderr(&output));
    }
    let mut names: Vec<_> = fs::read_dir(&*folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["a.txt", "cut.jsonl.gz", "fits", "in", "other", "t.csv", "x.jsonl"], "nothing is left behind");
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8_are_kept() {
    use std::os::unix::ffi::OsStrExt;

    let name = |bytes: &'static [u8]| Path::new(std::ffi::OsStr::from_bytes(bytes));
    let folder = Temp::new("odd names").with("in/deep/a.txt", FERRY).with("in/deep/c.txt", STORM);
    fs::write(folder.join("in/deep").join(name(b"caf\xe9.txt")), STORM.to_uppercase()).unwrap();
    fs::write(folder.join("in").join(name(b"b\xff.txt")), "Nobody at the school wanted a second hall.").unwrap();
    let said = clean(&folder, "out", &["--keep", "longest", "in"]);
    assert!(said.contains("3 kept + 1 removed + 0 skipped"), "{said}");
    assert!(folder.join("out").join(name(b"b\xff.txt")).exists());
    assert_eq!(removed(&folder)[0]["id"], "deep/caf\u{fffd}.txt");
    assert_eq!(fs::read_dir(folder.join("out/deep")).unwrap().count(), 2);
}

#[cfg(unix)]
#[test]
fn a_link_to_what_is_written_stays_even_if_nothing_is_there_yet() {
    let folder = Temp::new("links").with("x.jsonl", line("a", FERRY) + &line("b", FERRY)).with("out/there", "");
    std::os::unix::fs::symlink("out/u.jsonl", folder.join("link.jsonl")).unwrap();
    std::os::unix::fs::symlink("link.jsonl", folder.join("u.jsonl")).unwrap();
    for _ in 0..2 {
        stdout(&folder, &["--unique", "u.jsonl", "x.jsonl"]);
        assert_eq!(read(folder.join("out/u.jsonl")), line("a", FERRY));
        assert_eq!(fs::read_link(folder.join("u.jsonl")).unwrap(), Path::new("link.jsonl"));
    }
    // Links that lead in a circle lead to nothing.
    std::os::unix::fs::symlink("circle.jsonl", folder.join("circle.jsonl")).unwrap();
    stdout(&folder, &["--unique", "circle.jsonl", "x.jsonl"]);
    assert_eq!(read(folder.join("circle.jsonl")), line("a", FERRY));
}

#[cfg(unix)]
#[test]
fn folders_without_articles_and_links_to_folders_are_told() {
    let folder = Temp::new("nothing in it")
        .with("in/x.jsonl", line("a", FERRY))
        .with("other/y.jsonl", line("b", STORM))
        .with("empty/z.log", "");
    std::os::unix::fs::symlink("../other", folder.join("in/deep")).unwrap();
    for (strict, code) in [(&[][..], 0), (&["--strict"], 1)] {
        let output = run(&folder, &[&["--format", "jsonl", "in", "--against", "empty"], strict].concat());
        assert_eq!(output.status.code(), Some(code));
        for told in ["in/deep: a link to a folder, which is not followed", "empty: holds no file named"] {
            assert!(stderr(&output).contains(told), "{}", stderr(&output));
        }
    }
    // A folder that a pattern matches may well be empty.
    let output = run(&folder, &["--format", "jsonl", "in", "emp*"]);
    assert!(!stderr(&output).contains("holds no file"), "{}", stderr(&output));
}

#[test]
fn tables_of_which_rows_end_in_carriage_returns_alone_become_one() {
    let row = |id: &str, text: &str| format!("{id},{text}");
    for (last, joint) in [("", "\r"), ("\r", "")] {
        let (a, b) = (
            format!("id,text\r{}{last}", row("a", FERRY)),
            format!("id,text\r{}\r{}\r", row("b", STORM), row("c", FERRY)),
        );
        let folder = Temp::new("returns").with("a.csv", a.clone()).with("b.csv", b);
        stdout(&folder, &["--unique", "u.csv", "a.csv", "b.csv"]);
        assert_eq!(read(folder.join("u.csv")), format!("{a}{joint}{}\r", row("b", STORM)));
    }
}

#[test]
fn a_cell_that_breaks_off_behind_a_backslash_is_no_article() {
    // As Spark and MySQL write it; the text goes on in the next line.
    let broken = format!("a,\"{FERRY} They say \\\"no\\\".\n{STORM}\"\n");
    let input = format!("id,text\n{broken}b,\"{FERRY} They say no.\"\nc,\"{STORM} They say \\\"no\\\"\"\n");
    let folder = Temp::new("backslashes").with("x.csv", input.clone());
    let output = run(&folder, &["--unique", "u.csv", "x.csv"]);
    assert!(stderr(&output).contains("x.csv:2: a cell has quotes behind backslashes"), "{}", stderr(&output));
    assert!(stderr(&output).contains("2 kept + 0 removed + 2 skipped"), "{}", stderr(&output));
    assert_eq!(read(folder.join("u.csv")), input);
}

#[cfg(unix)]
#[test]
fn what_cannot_be_opened_does_not_end_a_run() {
    let folder = Temp::new("dead links")
        .with("in/x.jsonl", line("a", FERRY) + &line("b", FERRY) + &line("c", STORM))
        .with("texts/a.txt", FERRY)
        .with("texts/b.txt", FERRY);
    std::os::unix::fs::symlink("nowhere", folder.join("in/dead.jsonl")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.join("texts/dead.txt")).unwrap();
    for (input, unique, told) in [("in", "unique.jsonl", "2 kept + 1"), ("texts", "unique", "1 kept + 1")] {
        let output = run(&folder, &["--unique", unique, input]);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        let (said, dead) = (stderr(&output), format!("{input}/dead."));
        assert!(said.contains(told) && said.ends_with(": exactly what could be read, all but 1 file\n"), "{said}");
        assert!(said.lines().any(|line| line.starts_with(&dead) && line.contains("cannot be read")), "{said}");
    }
    assert_eq!(read(folder.join("unique.jsonl")), line("a", FERRY) + &line("c", STORM));
    assert_eq!(fs::read_dir(folder.join("unique")).unwrap().count(), 1);
    let missing = run(&folder, &["--unique", "other.jsonl", "in", "missing.jsonl", "--against", "gone.jsonl"]);
    assert!(stderr(&missing).ends_with(": exactly what could be read, all but 3 files\n"), "{}", stderr(&missing));
}

#[test]
fn standard_input_is_read_twice() {
    let input = compressed(&(line("a", FERRY) + &line("b", FERRY) + &line("c", STORM)));
    let folder = Temp::new("stdin");
    let output = run_with(&folder, &["--unique", "unique.jsonl", "-"], &input);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(read(folder.join("unique.jsonl")), line("a", FERRY) + &line("c", STORM));

    let output = run_with(&folder, &["--unique", "unique.json", "-"], &input);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("<stdin> does not fit into unique.json"), "{}", stderr(&output));
    assert_eq!(output.stdout, b"", "told before the search");
}

#[test]
fn files_that_cannot_be_joined_are_told_before_the_search() {
    let folder = Temp::new("unlike")
        .with("a.json", format!("[{}]", line("a", FERRY)))
        .with("b.json", line("b", FERRY))
        .with("a.csv", format!("id,text\na,{FERRY}\n"))
        .with("b.csv", format!("text,id\n{FERRY},b\n"))
        .with("c.csv", format!("id;text\nc;{FERRY}\n"));
    for (files, message) in [
        (
            ["a.json", "b.json"],
            "b.json does not fit into u.json, its brackets differ from those of a.json: run it alone",
        ),
        (["a.csv", "b.csv"], "b.csv does not fit into u.csv, the columns differ from those of a.csv: run it alone"),
        (
            ["a.csv", "c.csv"],
            "c.csv does not fit into u.csv, its cell separators differ from those of a.csv: run it alone",
        ),
    ] {
        for option in ["--unique", "--annotate"] {
            let target = format!("u.{}", &files[0][2..]);
            let output = run(&folder, &[option, &target, files[0], files[1]]);
            assert_eq!((output.status.code(), &*output.stdout), (Some(2), &b""[..]), "{files:?}");
            assert!(stderr(&output).contains(message), "{option}: {}", stderr(&output));
        }
    }
}

#[test]
fn input_without_a_record_stays_as_it_is() {
    let folder = Temp::new("nothing").with("known.txt", FERRY);
    for (name, files) in [
        ("x.json", vec!["[]\n"]),
        ("x.json", vec!["[ ]"]),
        ("x.json", vec!["\n"]),
        ("x.json", vec![" [\n]\n", "[]"]),
        ("x.jsonl", vec!["\n\n \n"]),
        ("x.jsonl", vec!["\u{feff}\n", "\n"]),
        ("x.csv", vec!["\n"]),
        ("x.csv", vec!["id,text\n"]),
    ] {
        for option in ["--unique", "--annotate"] {
            fs::remove_dir_all(folder.join("in")).unwrap_or_default();
            fs::create_dir(folder.join("in")).unwrap();
            for (at, bytes) in files.iter().enumerate() {
                fs::write(folder.join("in").join(format!("{at}{name}")), bytes).unwrap();
            }
            let output = run(&folder, &["--against", "known.txt", option, name, "in"]);
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            let wanted = if name.ends_with('n') { files[0].to_string() } else { files.concat() };
            let added = if option == "--annotate" { ",cluster,duplicate_of,relation,similarity\n" } else { "\n" };
            assert_eq!(
                read(folder.join(name)),
                wanted.replace("text\n", &format!("text{added}")),
                "{option} {files:?}"
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn pipes_with_names_are_read_twice_as_well() {
    let folder = Temp::new("pipe");
    let pipe = folder.join("pipe.jsonl");
    for path in ["pipe.jsonl", "."] {
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
        let (to, rows) = (pipe.clone(), line("a", FERRY) + &line("b", FERRY) + &line("c", STORM));
        let writing = (path != ".").then(|| std::thread::spawn(move || fs::write(to, rows)));
        let output = run(&folder, &["--unique", "unique.jsonl", path]);
        match writing {
            Some(writing) => {
                writing.join().unwrap().unwrap();
                assert!(output.status.success(), "{}", stderr(&output));
                assert_eq!(read(folder.join("unique.jsonl")), line("a", FERRY) + &line("c", STORM));
            }
            // In a folder nobody asked for it.
            None => assert!(stderr(&output).contains("unique.jsonl is read itself"), "{}", stderr(&output)),
        }
        fs::remove_file(&pipe).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn one_file_is_one_file_whatever_it_is_called() {
    let folder =
        Temp::new("spelt").with("store/in.jsonl", line("a", FERRY) + &line("b", FERRY)).with("data/x.txt", STORM);
    std::os::unix::fs::symlink("../store/in.jsonl", folder.join("data/in.jsonl")).unwrap();
    std::os::unix::fs::symlink("store", folder.join("same")).unwrap();
    let full = folder.join("o.jsonl").to_str().unwrap().to_owned();
    for (args, message) in [
        (vec!["--unique", "o.jsonl", "--removed", "./o.jsonl", "store"], "--unique and --removed are both ./o.jsonl"),
        (vec!["--unique", "o.jsonl", "--removed", &full, "store"], "--unique and --removed are both"),
        (vec!["--unique", "store/r.jsonl", "--removed", "same/r.jsonl", "store"], "--unique and --removed are both"),
        (vec!["--removed", "store/in.jsonl", "data"], "store/in.jsonl is read itself"),
    ] {
        let output = run(&folder, &args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(message), "{args:?}: {}", stderr(&output));
    }
    // Through a link or by its name, it is read once.
    let records = records(&folder, &["store", "data"]);
    assert_eq!(records.last().unwrap()["documents"], 3);
    // A link to an empty folder stays, and the folder is filled.
    fs::create_dir(folder.join("empty")).unwrap();
    std::os::unix::fs::symlink("empty", folder.join("link")).unwrap();
    stdout(&folder, &["--unique", "link", "data/x.txt"]);
    assert_eq!(read(folder.join("empty/x.txt")), STORM);
}

#[test]
fn a_list_of_which_nothing_stays_is_a_list() {
    let list = |id: &str, open: &str, close: &str| format!("{open}{}{close}", line(id, FERRY).trim_end());
    for (open, close) in [("[", "]"), ("\r\n[\t", "\n]\n"), ("\u{feff}[", "]")] {
        let folder =
            Temp::new("nothing").with("known.json", list("a", "[", "]")).with("new.json", list("b", open, close));
        stdout(&folder, &["--against", "known.json", "--unique", "o.json", "new.json"]);
        let left = read(folder.join("o.json"));
        let left: Value = serde_json::from_str(left.trim_start_matches('\u{feff}')).unwrap();
        assert_eq!(left, json!([]));
    }
}

#[test]
fn a_file_with_a_mark_and_nothing_else_leaves_nothing() {
    let (a, c) = (line("a", FERRY), line("c", STORM));
    let table = |id: &str, text: &str| format!("id,text\n{id},{text}\n");
    let folder =
        Temp::new("mark").with("a.jsonl", &a).with("b.jsonl", "\u{feff}").with("c.jsonl", format!("\u{feff}{c}"));
    let folder = folder.with("a.csv", table("a", FERRY)).with("b.csv", "\u{feff}\n").with("c.csv", table("c", STORM));
    clean(&folder, "u.jsonl", &["a.jsonl", "b.jsonl", "c.jsonl"]);
    assert_eq!(read(folder.join("u.jsonl")), a + &c);
    clean(&folder, "u.csv", &["a.csv", "b.csv", "c.csv"]);
    assert_eq!(read(folder.join("u.csv")), format!("id,text\na,{FERRY}\n\nc,{STORM}\n"));
}

#[test]
fn dates_that_are_none_are_told() {
    let dated = |id: &str, date: &str| json!({"id": id, "text": FERRY, "pubDate": date}).to_string() + "\n";
    let rows = dated("a", "2024-05-18") + &dated("b", "Fri, 17 May 2024 09:30:15 GMT") + &dated("c", "2024-02-30");
    let folder = Temp::new("dates").with("x.jsonl", rows);
    for (args, effect) in
        [(["--keep", "earliest", "x.jsonl"], "count as the last"), (["--within", "7d", "x.jsonl"], "match nothing")]
    {
        let output = run(&folder, &args);
        let wanted = format!(
            "2 of 3 articles have no date, and {effect}; x.jsonl:2: \"Fri, 17 May 2024 09:30:15 GMT\" is none: write 2024-05-17"
        );
        assert!(stderr(&output).contains(&wanted), "{}", stderr(&output));
    }
}

#[test]
fn dates_may_be_numbers_and_what_wraps_a_string() {
    let dated = |id: &str, date: &str| format!("{{\"id\": {id:?}, \"text\": {FERRY:?}, \"publishedAt\": {date}}}\n");
    let late = dated("b", "\"2024-05-17T10:00:00Z\"");
    for date in ["20240101", "2024", "20240101.0", "{\"$date\": \"2024-05-17T09:30:00Z\"}", "\"20240101\""] {
        let folder = Temp::new("dates").with("x.jsonl", late.clone() + &dated("a", date));
        for field in [&[][..], &["--date-field", "publishedAt"]] {
            let args = [field, &["--keep", "earliest", "--unique", "u.jsonl", "x.jsonl"]].concat();
            let output = run(&folder, &args);
            assert!(!stderr(&output).contains("have no date"), "{date}: {}", stderr(&output));
            assert_eq!(read(folder.join("u.jsonl")), dated("a", date));
        }
    }
    let wrong = [
        ("1715938215", "1715938215"),
        ("1715938215.5", "1715938215.5"),
        ("{\"$date\": {\"$numberLong\": \"1715938215000\"}}", "1715938215000"),
        ("20241301", "20241301"),
    ];
    for (date, told) in wrong {
        let folder = Temp::new("no dates").with("x.jsonl", dated("a", date) + &late);
        let output = run(&folder, &["--keep", "earliest", "--unique", "u.jsonl", "x.jsonl"]);
        let told = format!("1 of 2 articles have no date, and count as the last; x.jsonl:1: {told:?} is none: write");
        assert!(stderr(&output).contains(&told), "{}", stderr(&output));
        assert_eq!(read(folder.join("u.jsonl")), late);
    }
    // Of two fields the one that holds dates.
    let both =
        |id: &str, date: &str| format!("{{\"id\": {id:?}, \"text\": {FERRY:?}, \"date\": 1, \"published\": {date}}}\n");
    let folder = Temp::new("both").with("x.jsonl", both("b", "20240102") + &both("a", "20240101"));
    stdout(&folder, &["--keep", "earliest", "--unique", "u.jsonl", "x.jsonl"]);
    assert_eq!(read(folder.join("u.jsonl")), both("a", "20240101"));
}

#[cfg(unix)]
#[test]
fn devices_are_not_replaced() {
    let folder = Temp::new("device").with("x.jsonl", line("a", FERRY) + &line("b", FERRY));
    std::os::unix::fs::symlink("/dev/null", folder.join("null.jsonl")).unwrap();
    let output = run(&folder, &["--unique", "null.jsonl", "x.jsonl"]);
    assert!(stderr(&output).contains("it is there and is no file"), "{}", stderr(&output));
}

/// A program that was begun and is told what to read only later, so that it can be stopped at a known place.
#[cfg(unix)]
#[test]
fn stopped_while_it_reads_it_leaves_nothing() {
    let folder = Temp::new("stopped").with("unique.jsonl", "what was there before");
    for signal in ["INT", "KILL"] {
        let mut child = dedup()
            .current_dir(&*folder)
            .args(["--unique", "unique.jsonl", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // More than a pipe holds: when all is written, the program runs and reads.
        stdin.write_all(line("a", FERRY).repeat(2000).as_bytes()).unwrap();
        signal_to(child.id(), signal);
        let status = child.wait().unwrap();
        assert!(!status.success());
        if signal == "INT" {
            assert_eq!(status.code(), Some(130));
        }
        assert_eq!(read(folder.join("unique.jsonl")), "what was there before");
        assert_eq!(fs::read_dir(&*folder).unwrap().count(), 1);
    }
}

#[cfg(unix)]
fn signal_to(process: u32, signal: &str) {
    let kill = std::process::Command::new("kill").args([format!("-{signal}"), process.to_string()]).status().unwrap();
    assert!(kill.success());
}

/// Kills a run at many moments, so that some fall into the writing: whatever the moment, the final name holds all of
/// what it should or what was there before.
#[cfg(unix)]
#[test]
fn killed_at_any_moment_it_leaves_no_half_written_file() {
    let input: String = (0..4000).map(|number| line(&number.to_string(), &format!("{STORM} Word{number}."))).collect();
    let folder = Temp::new("killed").with("in/x.jsonl", &input);
    let args = ["--level", "near", "--threshold", "1", "--unique", "unique.jsonl", "in"];
    let begun = std::time::Instant::now();
    stdout(&folder, &args);
    let whole = begun.elapsed();
    let wanted = read(folder.join("unique.jsonl"));
    let mut unfinished = 0;
    for step in 0..20 {
        fs::write(folder.join("unique.jsonl"), "before").unwrap();
        let mut child =
            dedup().current_dir(&*folder).args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * step / 20);
        let signal = if step % 2 == 0 { "KILL" } else { "INT" };
        // It may have ended before.
        if child.try_wait().unwrap().is_none() {
            signal_to(child.id(), signal);
        }
        child.wait().unwrap();
        let found = read(folder.join("unique.jsonl"));
        assert!(found == "before" || found == wanted, "{} bytes", found.len());
        unfinished += usize::from(found == "before");
        for entry in fs::read_dir(&*folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let is_left = name.starts_with(".dedup-") && name.ends_with(".unfinished");
            assert!(["in", "unique.jsonl"].contains(&&*name) || is_left && signal == "KILL", "{name} after {signal}");
            if is_left {
                fs::remove_file(folder.join(name)).unwrap();
            }
        }
    }
    assert!(unfinished > 0, "no run was killed in time");
}

/// Needs the right to mount; is skipped with a message without it.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_nothing() {
    let folder = Temp::new("full")
        .with("x.jsonl", (0..2000).map(|at| line(&at.to_string(), &format!("{STORM} {at}"))).collect::<String>());
    let Some(disk) = SmallDisk::mount(folder.join("disk"), "64k") else { return };
    let output = run(&folder, &["--level", "near", "--threshold", "1", "--unique", "disk/unique.jsonl", "x.jsonl"]);
    let left = fs::read_dir(folder.join("disk")).unwrap().count();
    // What is left out goes to the full disk, and the corpus to another: neither appears.
    let args = ["--level", "near", "--unique", "unique.jsonl", "--removed", "disk/removed.jsonl", "x.jsonl"];
    let removed = run(&folder, &args);
    let also_left = fs::read_dir(folder.join("disk")).unwrap().count();
    drop(disk);
    assert_eq!((removed.status.code(), also_left), (Some(2), 0), "{}", stderr(&removed));
    assert!(!folder.join("unique.jsonl").exists());
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let message = "error: cannot write disk/unique.jsonl, No space left on device";
    assert!(stderr(&output).contains(message) && stderr(&output).contains("make room"), "{}", stderr(&output));
    assert_eq!(left, 0);
}

/// Which of four stories a record tells, its unknown fields, and whether the text comes before them.
type Told = (usize, Vec<(String, Value)>, bool);

fn records_strategy() -> impl Strategy<Value = Vec<(Value, bool)>> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from)
    ];
    let fields = prop::collection::vec(("[a-h\"\n,é]{1,6}", scalar), 0..4);
    let record = (0..4usize, fields, any::<bool>());
    prop::collection::vec(record, 1..12).prop_map(|records| {
        let mut seen = [false; 4];
        let mut make = |(at, (story, fields, first)): (usize, Told)| {
            let text = Value::from(
                [FERRY, STORM, "Nobody at the \"school\"\nwanted a second hall.", "Snow, and more snow, and rain."]
                    [story],
            );
            let mut record = serde_json::Map::new();
            record.insert("id".into(), format!("{at:02}").into());
            if first {
                record.insert("text".into(), text.clone());
            }
            record.extend(fields);
            record.insert("text".into(), text);
            (Value::Object(record), !std::mem::replace(&mut seen[story], true))
        };
        records.into_iter().enumerate().map(&mut make).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(10), failure_persistence: None, ..ProptestConfig::default() })]

    /// Every form round-trips: what `--unique` wrote parses back to exactly the kept records, with all their fields in their
    /// order.
    #[test]
    fn every_form_parses_back(records in records_strategy(), pretty in any::<bool>()) {
        let (all, kept): (Vec<&Value>, Vec<&Value>) =
            (records.iter().map(|(record, _)| record).collect(), records.iter().filter(|(_, kept)| *kept).map(|(record, _)| record).collect());
        let ordered = |value: &Value| value.to_string();
        let folder = Temp::new("forms");

        let lines: String = all.iter().map(|record| format!("{record}\n")).collect();
        fs::write(folder.join("x.jsonl"), lines).unwrap();
        clean(&folder, "unique.jsonl", &["x.jsonl"]);
        let back: Vec<Value> = read(folder.join("unique.jsonl")).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(back.iter().map(ordered).collect::<Vec<_>>(), kept.iter().map(|record| ordered(record)).collect::<Vec<_>>());

        let list = if pretty { serde_json::to_string_pretty(&all).unwrap() } else { serde_json::to_string(&all).unwrap() };
        fs::write(folder.join("x.json"), list).unwrap();
        clean(&folder, "unique.json", &["x.json"]);
        let back: Vec<Value> = serde_json::from_str(&read(folder.join("unique.json"))).unwrap();
        prop_assert_eq!(back.iter().map(ordered).collect::<Vec<_>>(), kept.iter().map(|record| ordered(record)).collect::<Vec<_>>());

        for (name, delimiter) in [("csv", b','), ("tsv", b'\t')] {
            let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
            let row = |record: &Value| [record["text"].as_str().unwrap().to_string(), record.to_string(), record["id"].as_str().unwrap().to_string()];
            writer.write_record(["text", "mo\"re", "id"]).unwrap();
            all.iter().for_each(|record| writer.write_record(row(record)).unwrap());
            fs::write(folder.join(format!("x.{name}")), writer.into_inner().unwrap()).unwrap();
            let unique = format!("unique.{name}");
            clean(&folder, &unique, &[&format!("x.{name}")]);
            let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_path(folder.join(&unique)).unwrap();
            let back: Vec<Vec<String>> = reader.records().map(|row| row.unwrap().iter().map(String::from).collect()).collect();
            prop_assert_eq!(back, kept.iter().map(|record| row(record).to_vec()).collect::<Vec<_>>());
        }
    }
}

#[test]
fn the_one_that_is_kept_can_be_chosen() {
    let record =
        |id: &str, text: &str, day: &str| format!("{}\n", json!({"id": id, "content": text, "published": day}));
    let longer = format!("{FERRY} It does not run on Sundays.");
    let middle = format!("{FERRY} It does.");
    let input = record("c", FERRY, "2024-05-17T01:00:00+02:00")
        + &record("b", &longer, "2024-05-17")
        + &record("a", &middle, "the day before");
    let folder = Temp::new("keep").with("x.jsonl", input);
    // The first does not tell 0.8 of the longest, so that both stay.
    let cases: [(&str, &[&str]); 4] =
        [("longest", &["b"]), ("first", &["c", "b"]), ("earliest", &["c", "b"]), ("central", &["b"])];
    for (keep, ids) in cases {
        let said = clean(&folder, "unique.jsonl", &["--keep", keep, "x.jsonl"]);
        let kept = read(folder.join("unique.jsonl"));
        let kept = kept.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone());
        assert_eq!(kept.collect::<Vec<_>>(), ids, "{keep}");
        let guess = "x.jsonl: the text is taken from \"content\" (--text-field)";
        let date = ", the date is taken from \"published\" (--date-field)";
        assert!(said.contains(&format!("{guess}{}\n", if keep == "earliest" { date } else { "" })), "{said}");
    }
    // The first is that of the file that is given first, whatever the files are called.
    let folder = Temp::new("first")
        .with("b.jsonl", line("old", FERRY))
        .with("a.jsonl", line("new", FERRY))
        .with("c/a.jsonl", line("third", FERRY));
    for (paths, kept) in
        [(["b.jsonl", "a.jsonl"], "old"), (["a.jsonl", "b.jsonl"], "new"), (["c/a.jsonl", "."], "third")]
    {
        clean(&folder, "unique.jsonl", &["--keep", "first", paths[0], paths[1]]);
        assert_eq!(read(folder.join("unique.jsonl")), line(kept, FERRY), "{paths:?}");
        fs::remove_file(folder.join("unique.jsonl")).unwrap();
        fs::remove_file(folder.join("removed.jsonl")).unwrap();
    }
    let output = run_with(&folder, &["--keep", "first", "-", "a.jsonl"], line("piped", FERRY).as_bytes());
    assert!(output.stdout.starts_with(b"piped and 1 like it:"), "{}", stderr(&output));

    let folder = Temp::new("keep again").with("x.jsonl", line("a", FERRY));
    let output = run(&folder, &["--date-field", "published", "x.jsonl"]);
    assert!(
        stderr(&output).contains("--date-field is for --keep earliest, --within, --excerpts and --format html"),
        "{}",
        stderr(&output)
    );

    let folder = Temp::new("undated").with("x.csv", format!("id,text,date\na,{FERRY},\nb,{FERRY},2020-01-01\n"));
    let said = clean(&folder, "unique.csv", &["--keep", "earliest", "x.csv"]);
    assert!(said.contains("1 of 2 articles have no date, and count as the last"), "{said}");
    assert_eq!(read(folder.join("unique.csv")), format!("id,text,date\nb,{FERRY},2020-01-01\n"));
}

#[test]
fn new_articles_are_judged_against_known_ones() {
    let longer = format!("{FERRY} It does not run on Sundays.");
    let school = "Nobody at the school wanted a second hall, and the board gave in after a long evening.";
    // Known: two copies of each other, to which one new article each is nearer than to the other.
    let folder = Temp::new("against")
        .with("old/1.jsonl", line("o1", FERRY) + &line("o2", &longer) + &line("o3", "too short"))
        .with("old/2.csv", format!("id,text\no4,\"{STORM}\"\n"))
        .with(
            "new.jsonl",
            line("n1", &longer.to_uppercase()) + &line("n2", school) + &line("n3", STORM) + &line("n4", school),
        );
    for keep in ["central", "first", "longest"] {
        let said = clean(&folder, "unique.jsonl", &["--keep", keep, "--against", "old", "new.jsonl"]);
        assert!(said.contains("1 kept + 3 removed + 0 skipped and left in = 4 records"), "{said}");
        assert_eq!(read(folder.join("unique.jsonl")), line("n2", school));
        let pairs: Vec<_> = removed(&folder)
            .iter()
            .map(|line| format!("{} {}", line["at"], line["kept_at"]).replace('"', ""))
            .collect();
        assert_eq!(
            pairs,
            ["new.jsonl:1 old/1.jsonl:2", "new.jsonl:3 old/2.csv:2", "new.jsonl:4 new.jsonl:2"],
            "{keep}"
        );
    }
    // Known articles that are copies of each other are no find.
    assert!(stdout(&folder, &["--level", "near", "--against", "old/1.jsonl", "old/2.csv"]).starts_with("No copies"));
    let args = ["--level", "near", "--against", "old/1.jsonl", "--against", "old/2.csv", "new.jsonl"];
    assert_eq!(of_type(&records(&folder, &args), "cluster").len(), 3);
    for (args, code, message) in [
        (["--against", "old", "old/1.jsonl"], 2, "old/1.jsonl is given as new and with --against"),
        (["--against", "older", "new.jsonl"], 1, "older: cannot be read"),
    ] {
        let output = run(&folder, &args);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        assert!(stderr(&output).contains(message), "{}", stderr(&output));
    }
    let output = run(&folder, &["--unique", "old/2.csv", "--against", "old", "new.jsonl"]);
    assert!(stderr(&output).contains("old/2.csv is read itself"), "{}", stderr(&output));
}

#[test]
fn only_articles_of_near_dates_are_copies() {
    let day = |id: &str, date: &str| format!("{}\n", json!({"id": id, "text": FERRY, "published": date}));
    let days =
        [("a", "2024-05-01"), ("b", "2024-05-08"), ("c", "2024-05-09"), ("d", ""), ("e", "2024-05-16T01:00:00Z")];
    let input: String = days.iter().map(|(id, date)| day(id, date)).collect();
    let folder = Temp::new("within").with("x.jsonl", input);
    for (span, kept) in [("7d", "acde"), ("1w", "acde"), ("169h", "acd"), ("8d", "ade"), ("20w", "ad"), ("0d", "abcde")]
    {
        let said = clean(&folder, "unique.jsonl", &["--within", span, "x.jsonl"]);
        assert!(said.contains("1 of 5 articles have no date, and match nothing"), "{said}");
        let ids: String = read(folder.join("unique.jsonl")).lines().map(|line| line[7..8].to_string()).collect();
        assert_eq!(ids, kept, "{span}");
    }
    for wrong in ["7", "d", "7y", "-1d", "7.5d"] {
        assert_eq!(run(&folder, &["--within", wrong, "x.jsonl"]).status.code(), Some(2), "{wrong}");
    }
}

/// Every record is kept, removed or skipped, told apart by its place, whatever its id, and with damaged records and missing
/// files beside it.
#[test]
fn every_place_is_accounted_for() {
    let texts = [FERRY, STORM, "too short", FERRY, STORM, "Nobody at the school wanted a second hall."];
    let ids = ["same", "same", "same", "x", "same", ""];
    let objects: Vec<Value> = ids.iter().zip(texts).map(|(id, text)| json!({"id": id, "text": text})).collect();
    let row = |delimiter: &str| -> String {
        let rows = ids.iter().zip(texts).map(|(id, text)| format!("{id}{delimiter}{text}\n"));
        format!("id{delimiter}text\n{}one{delimiter}cell{delimiter}more\n", rows.collect::<String>())
    };
    let warc = |text: &str| {
        format!("WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: {}\r\n\r\n{text}\r\n\r\n", text.len())
    };
    let lines: String = objects.iter().map(|object| format!("{object}\n")).collect();
    let list: Vec<String> = objects.iter().map(Value::to_string).collect();
    let inputs = [
        ("x.jsonl", format!("{lines}{{\"id\": \"same\", damaged\n"), "u.jsonl"),
        ("x.json", format!("[{}, 12]", list.join(",\n")), "u.json"),
        ("x.csv", row(","), "u.csv"),
        ("x.tsv", row("\t"), "u.tsv"),
        ("x.wet", texts.map(warc).concat() + &warc("cut \u{0}").replace("conversion", "response"), "u.wet"),
    ];
    for (name, input, unique) in inputs {
        let folder = Temp::new("places").with(name, input);
        let args =
            ["--level", "near", "--format", "jsonl", "--unique", unique, "--removed", "r.jsonl", name, "gone.txt"];
        let output = run(&folder, &args);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        let lines =
            |text: &str| -> Vec<Value> { text.lines().map(|line| serde_json::from_str(line).unwrap()).collect() };
        let place = |line: &Value| line["at"].as_str().unwrap().to_string();
        let all = lines(std::str::from_utf8(&output.stdout).unwrap());
        let removed: Vec<String> = lines(&read(folder.join("r.jsonl"))).iter().map(place).collect();
        let skipped: Vec<String> = of_type(&all, "skipped").into_iter().map(place).collect();
        assert_eq!((removed.len(), skipped.len(), of_type(&all, "unread").len()), (2, 2, 1), "{name}: {all:?}");
        let mut places: Vec<&String> = removed.iter().chain(&skipped).collect();
        places.sort();
        places.dedup();
        assert_eq!(places.len(), 4, "no place is two things: {places:?}");
        assert!(
            stderr(&output).contains("3 kept + 2 removed + 2 skipped and left in = 7 records"),
            "{}",
            stderr(&output)
        );
        // Nothing more is found in what was written.
        let again = run(&folder, &["--level", "near", "--format", "summary", unique]);
        let summary: Value = serde_json::from_slice(&again.stdout).unwrap();
        assert_eq!(
            (&summary["documents"], &summary["clusters"], &summary["skipped"]),
            (&5.into(), &0.into(), &2.into()),
            "{name}"
        );
    }
}
