//! What `dedup` reads, from end to end: every form, compressed or not, and what a crawl can contain.

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use common::*;
use serde_json::{Value, json};

/// The copies found at level `near`: for each cluster its ids, sorted.
/// The ids of each cluster, also where a file could not be read to its end.
fn clusters(folder: &Path, args: &[&str]) -> Vec<Vec<String>> {
    let output = run(folder, &[&["--format", "jsonl", "--level", "near", "--quiet"], args].concat());
    assert!(matches!(output.status.code(), Some(0 | 1)), "{args:?}: {}", stderr(&output));
    let lines = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let records: Vec<Value> = lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
    let ids = |cluster: &&Value| {
        let members = cluster["members"].as_array().unwrap().iter();
        let mut ids: Vec<String> = members.map(|member| member["id"].as_str().unwrap().to_string()).collect();
        ids.sort();
        ids
    };
    of_type(&records, "cluster").iter().map(ids).collect()
}

#[test]
fn every_form_tells_the_same() {
    let lines = line("a", FERRY) + &line("b", STORM) + &line("c", &FERRY.to_uppercase());
    let list = format!("[{}]", lines.trim_end().replace('\n', ",\n"));
    let table = |delimiter: &str| {
        let row = |id: &str, text: &str| format!("{id}{delimiter}\"{text}\"\n");
        format!("id{delimiter}text\n") + &row("a", FERRY) + &row("b", STORM) + &row("c", &FERRY.to_uppercase())
    };
    let forms = [
        ("x.jsonl", &lines),
        ("x.ndjson", &lines),
        ("x.json", &list),
        ("y.json", &lines),
        ("x.csv", &table(",")),
        ("X.TSV", &table("\t")),
    ];
    for (name, content) in forms {
        let folder = Temp::new("form")
            .with(name, content)
            .with(&format!("z/{name}.gz"), compressed(content))
            .with(&format!("z/{name}.ZST"), zstd(content));
        for path in [name, &format!("z/{name}.gz"), &format!("z/{name}.ZST")] {
            assert_eq!(clusters(&folder, &[path]), [["a", "c"]], "{path}");
        }
    }
    let folder =
        Temp::new("texts").with("a.txt.gz", compressed(FERRY)).with("b.txt.zst", zstd(FERRY)).with("c.txt", FERRY);
    assert_eq!(clusters(&folder, &["."]), [["a.txt.gz", "b.txt.zst", "c.txt"]]);
}

#[test]
fn standard_input_shows_what_it_is() {
    let lines = line("a", FERRY) + &line("b", FERRY);
    let list = format!("\u{feff}\n [{}]", lines.trim_end().replace('\n', ",\n"));
    let table = format!("id\ttext\na\t{FERRY}\nb\t{FERRY}\n");
    let cases: [(&[u8], &[&str]); 6] = [
        (lines.as_bytes(), &[]),
        (list.as_bytes(), &[]),
        (&compressed(&lines), &[]),
        (&zstd(&list), &[]),
        (table.as_bytes(), &["--stdin-format", "tsv"]),
        (&compressed(&table), &["--stdin-format", "tsv"]),
    ];
    let folder = Temp::new("stdin forms");
    for (input, args) in cases {
        let output = run_with(&folder, &[&["--level", "near"], args, &["-"]].concat(), input);
        assert!(output.stdout.starts_with(b"a and 1 like it:\n"), "{}", stderr(&output));
    }
    let output = run_with(&folder, &["-"], table.as_bytes());
    assert_eq!(output.status.code(), Some(2));
    let message = "<stdin>: not JSON, begins with neither [ nor {: name its form with --stdin-format\n";
    assert!(stderr(&output).starts_with(message), "{}", stderr(&output));
}

#[test]
fn patterns_are_matched_where_the_shell_did_not() {
    let folder = Temp::new("patterns")
        .with("in/a.txt", FERRY)
        .with("in/deep/b.txt", FERRY)
        .with("in/b[1].txt", FERRY)
        .with("other.txt", FERRY);
    assert_eq!(clusters(&folder, &["in/*.txt"]), [["a.txt", "b[1].txt"]]);
    assert_eq!(clusters(&folder, &["in/**/[ab].txt"]), [["a.txt", "b.txt"]]);
    assert_eq!(
        clusters(&folder, &["in/b[1].txt", "in/?.txt"]),
        [["a.txt", "b[1].txt"]],
        "a name comes before a pattern"
    );
    let pair = with_a_pair("no match");
    assert_unread(&pair, &[".", "z*.txt"], "z*.txt", &["no file has such a name", "check the pattern"]);
    let pair = with_a_pair("no pattern");
    assert_unread(&pair, &[".", "[z.txt"], "[z.txt", &["not a pattern", "fix it"]);
}

#[test]
fn fields_are_guessed_aloud() {
    let records = |text: &str, id: &str| {
        let record = |value: &str| {
            let mut record = json!({"title": "no", text: FERRY, "more": {"text": "no"}});
            if !id.is_empty() {
                record[id] = value.into();
            }
            format!("{record}\n")
        };
        record("one") + &record("two")
    };
    let cases = [
        ("text", "id", "", ["one", "two"]),
        ("text", "url", "the id is taken from \"url\" (--id-field)", ["one", "two"]),
        ("text", "_id", "the id is taken from \"_id\" (--id-field)", ["one", "two"]),
        ("content", "id", "the text is taken from \"content\" (--text-field)", ["one", "two"]),
        ("body", "id", "the text is taken from \"body\" (--text-field)", ["one", "two"]),
        (
            "article",
            "",
            "the text is taken from \"article\" (--text-field), there is no id, so the place of a record stands for it \
             (--id-field)",
            ["x.jsonl:1", "x.jsonl:2"],
        ),
    ];
    for (text, id, guess, ids) in cases {
        let folder = Temp::new("guess").with("x.jsonl", records(text, id)).with("y/x.jsonl", "");
        assert_eq!(clusters(&folder, &["x.jsonl"]), [ids]);
        let output = run(&folder, &["x.jsonl"]);
        let said = stderr(&output);
        let guesses: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("x.jsonl: ")).collect();
        assert_eq!(guesses, if guess.is_empty() { vec![] } else { vec![guess] }, "{said}");
    }
    let folder = Temp::new("guesses").with("x.jsonl", records("body", "url")).with("y.jsonl", records("body", "url"));
    let output = run(&folder, &["."]);
    let guess = "./x.jsonl and 1 more: the text is taken from \"body\" (--text-field), the id is taken from \"url\" (--id-field)\n";
    assert!(stderr(&output).starts_with(guess), "{}", stderr(&output));
    let list = records("body", "").trim_end().replace('\n', ",");
    let folder = Temp::new("elements").with("x.json", format!("[{list}]"));
    assert_eq!(clusters(&folder, &["."]), [["x.json#1", "x.json#2"]]);
}

#[test]
fn bad_files_of_other_forms() {
    let table = |name: &str, content: &str| with_a_pair(name).with("bad.csv", content);
    let columns = table("columns", "id,title\na,b\nc,d\n");
    let parts = ["no column \"text\", only \"id\", \"title\"", "--text-field"];
    assert_unread(&columns, &["."], "./bad.csv", &parts);
    let cells = table("cells", &format!("id,text\nx\nok,{STORM}\n"));
    assert_skipped(&cells, &["."], "x", "./bad.csv:2", &["1 cell and none for \"text\"", "fix it"]);
    // What an open quote swallows is not taken for one text: nobody would be told of the rows in it.
    let quote = table("quote", &format!("id,text\nok,{STORM}\n\nx,\"no end\ny,{FERRY}\n"));
    let parts = ["a quote in this row is not closed", "the rest cannot be read: fix the row"];
    assert_unread(&quote, &["."], "./bad.csv:4", &parts);
    let output = run(&quote, &["--unique", "unique.csv", "bad.csv"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("bad.csv cannot be written without losing a part of it: a quote in this row"));
    let head = table("head", "id,text\n");
    assert_skipped(&head, &["."], "bad.csv", "./bad.csv", &["holds nothing"]);
    let other = with_a_pair("other").with("bad.csv", "Id,Body text\n");
    assert_unread(&other, &["."], "./bad.csv", &["no column \"text\"", "as it seems with --text-field 'Body text'"]);
    let lines = with_a_pair("lines").with("bad.csv", line("a", FERRY) + &line("b", STORM));
    assert_unread(&lines, &["."], "./bad.csv", &["looks like lines of JSON: rename it to .jsonl"]);
    let latin = with_a_pair("latin").with("bad.csv", b"id,text\nx,caf\xe9 au lait\n");
    assert_skipped(&latin, &["."], "bad.csv:2", "./bad.csv:2", &["byte 6 is not valid UTF-8"]);

    let json = |name: &str, content: &str| with_a_pair(name).with("bad.json", content);
    let empty = json("empty", " [ ]\n");
    assert_skipped(&empty, &["."], "bad.json", "./bad.json", &["holds nothing"]);
    let word = json("word", "none");
    assert_unread(&word, &["."], "./bad.json", &["begins with neither [ nor {"]);
    let element = json("element", &format!("[{{\"id\": \"x\"\n, text}}, {}]", line("ok", STORM)));
    assert_skipped(&element, &["."], "bad.json#1", "./bad.json#1", &["not valid JSON at line 2 column 3"]);
    let comma = json("comma", &format!("[{},, 1]", line("ok", STORM)));
    assert_unread(&comma, &["."], "./bad.json#2", &["unexpected , between values", "rest"]);
    let after = json("after", &format!("[{}] {{}}", line("ok", STORM)));
    assert_unread(&after, &["."], "./bad.json#2", &["unexpected { between values"]);
    let end = json("end", &format!("[{}, {{\"id\": \"x", line("ok", STORM)));
    assert_unread(&end, &["."], "./bad.json#2", &["ends within a value or a list", "fix"]);
}

#[test]
fn damaged_compressed_files() {
    let lines = line("ok", STORM) + &"x".repeat(10_000);
    for (extension, whole) in [("gz", compressed(&lines)), ("zst", zstd(&lines))] {
        let name = format!("bad.jsonl.{extension}");
        let place = format!("./{name}");
        let cut = with_a_pair("cut").with(&name, &whole[..whole.len() - 12]);
        let output = run(&cut, &["--format", "jsonl", "."]);
        assert_eq!(output.status.code(), Some(1));
        let said: Vec<&str> = stderr(&output).lines().filter(|line| line.starts_with(&place)).collect();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("ends too early") || said[0].contains("is damaged"), "{said:?}");
        assert!(said[0].ends_with("get it again or leave it out"), "{said:?}");

        let mut flipped = whole.clone();
        let at = flipped.len() - 2;
        flipped[at] ^= 1;
        let flipped = with_a_pair("flipped").with(&name, flipped);
        let output = run(&flipped, &["."]);
        assert!(stderr(&output).contains(&format!("{place}:")), "{}", stderr(&output));
        assert!(stderr(&output).contains("the compressed file is damaged"), "{}", stderr(&output));

        let none = with_a_pair("none").with(&name, [&[3, 1, 4, 1, 5][..], lines.as_bytes()].concat());
        assert_unread(&none, &["."], &place, &["the compressed file is damaged"]);
        let empty = with_a_pair("empty").with(&name, "");
        let output = run(&empty, &["."]);
        assert!(stderr(&output).contains(&place), "{}", stderr(&output));
    }
}

#[test]
fn frames_and_members_follow_each_other() {
    let parts = [line("a", FERRY), line("b", STORM), line("c", FERRY)];
    let gz: Vec<u8> = parts.iter().flat_map(compressed).collect();
    // Between them a frame to be skipped, as some compressors write for their own ends.
    let skippable = [&0x184D_2A50_u32.to_le_bytes()[..], &5_u32.to_le_bytes(), b"hello"].concat();
    let zst: Vec<u8> = parts.iter().flat_map(|part| [zstd(part), skippable.clone()].concat()).collect();
    let folder = Temp::new("members").with("x.jsonl.gz", gz).with("x.jsonl.zst", zst);
    assert_eq!(clusters(&folder, &["x.jsonl.gz"]), [["a", "c"]]);
    assert_eq!(clusters(&folder, &["x.jsonl.zst"]), [["a", "c"]]);
}

#[test]
fn blocks_end_anywhere() {
    // Records of all sizes around that of a block, in every form.
    let text = |at: usize| format!("{FERRY} \"\\\n\" {STORM} ").repeat(1 + at * at * 40) + &format!("the end {at}");
    let records: Vec<(String, String)> = (0..24).map(|at| (format!("{at:02}"), text(at % 12))).collect();
    let wanted: Vec<Vec<String>> = (0..12).map(|at| vec![format!("{at:02}"), format!("{:02}", at + 12)]).collect();
    let lines: String = records.iter().map(|(id, text)| line(id, text)).collect();
    let list = serde_json::to_string_pretty(
        &records.iter().map(|(id, text)| json!({"id": id, "text": text})).collect::<Vec<_>>(),
    )
    .unwrap();
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["id", "text"]).unwrap();
    records.iter().for_each(|(id, text)| table.write_record([id, text]).unwrap());
    let folder =
        Temp::new("blocks").with("x.jsonl", lines).with("x.json", list).with("x.csv", table.into_inner().unwrap());
    for name in ["x.jsonl", "x.json", "x.csv"] {
        assert_eq!(clusters(&folder, &["--threshold", "1", name]), wanted, "{name}");
        stdout(
            &folder,
            &["--level", "near", "--keep", "first", "--threshold", "1", "--unique", &format!("u{name}"), name],
        );
        assert_eq!(clusters(&folder, &["--threshold", "1", &format!("u{name}")]), [[""; 0]; 0], "{name}");
    }
}

#[test]
fn what_a_crawl_contains() {
    let pair = line("pair1", FERRY) + &line("pair2", FERRY);
    let deep = "[".repeat(1_000_000);
    let closed = format!("{deep}{}", "]".repeat(1_000_000));
    let cases = [
        ("NUL bytes in a text", format!("{{\"id\": \"x\", \"text\": \"{}\"}}\n", "\\u0000 word ".repeat(5)), None),
        ("NUL bytes in a line", "{\"id\": \"x\", \"text\": \"a\0b\"}\n".into(), Some("control character")),
        ("a lone surrogate", "{\"id\": \"x\", \"text\": \"\\ud800 alone\"}\n".into(), Some("not valid JSON")),
        (
            "a lone surrogate in another field",
            format!("{{\"id\": \"x\", \"text\": \"{STORM}\", \"more\": \"\\udc00\"}}\n"),
            None,
        ),
        ("depth", format!("{deep}\n"), Some("recursion limit")),
        ("depth in another field", format!("{{\"id\": \"x\", \"more\": {closed}, \"text\": \"{STORM}\"}}\n"), None),
        ("depth in the text", format!("{{\"id\": \"x\", \"text\": {closed}}}\n"), Some("recursion limit")),
        ("depth in the id", format!("{{\"id\": {closed}, \"text\": \"{STORM}\"}}\n"), Some("recursion limit")),
        ("blank lines", " \n".repeat(300_000), None),
    ];
    for (name, bad, reason) in cases {
        let list = format!("[{}, {}]", pair.trim_end().replace('\n', ","), bad.trim());
        let folder = Temp::new("crawl").with("x.jsonl", format!("{bad}{pair}{bad}")).with("x.json", list);
        let records = records(&folder, &["--level", "near", "--quiet", "x.jsonl"]);
        let found = of_type(&records, "cluster");
        assert!(found.iter().any(|cluster| cluster["representative"] == "pair1"), "{name}");
        let skipped = of_type(&records, "skipped");
        match reason {
            Some(reason) => assert!(skipped[0]["reason"].as_str().unwrap().contains(reason), "{name}: {skipped:?}"),
            None => assert!(skipped.iter().all(|skip| skip["id"] == "x"), "{name}: {skipped:?}"),
        }
        if name != "blank lines" && name != "depth" {
            assert_eq!(clusters(&folder, &["x.json"]), [["pair1", "pair2"]], "{name}");
        }
    }
    // Depth that never ends, in a list: nothing can be read any more, and what was read before counts.
    let folder = Temp::new("endless").with("x.json", format!("[{},{deep}", pair.trim_end().replace('\n', ",")));
    assert_eq!(clusters(&folder, &["x.json"]), [["pair1", "pair2"]]);
}

#[test]
fn rows_with_more_cells_than_the_first_are_refused() {
    for (name, delimiter) in [("x.csv", ","), ("x.csv", ";"), ("x.csv", "|"), ("x.tsv", "\t")] {
        let rows = [
            format!("id,text\na,{FERRY}\n").replace(',', delimiter),
            // Three articles that would be the same if they were cut.
            ["ferry", "quarry", "museum"]
                .map(|word| format!("{word},Update,the news from the {word}\n").replace(',', delimiter))
                .concat(),
            // Some programs fill up rows with empty cells.
            format!("b,{FERRY},,\n").replace(',', delimiter),
        ];
        let folder = Temp::new("extra cells").with(name, rows.concat());
        let unique = name.replace('x', "u");
        let records = records(&folder, &["--level", "near", "--unique", &unique, name]);
        assert_eq!(of_type(&records, "cluster")[0]["members"][1]["id"], "b", "{delimiter}");
        let skipped = of_type(&records, "skipped");
        let places: Vec<&str> = skipped.iter().map(|skip| skip["at"].as_str().unwrap()).collect();
        assert_eq!(places, [3, 5, 4].map(|line| format!("{name}:{line}")), "by their ids");
        assert!(
            skipped[0]["reason"].as_str().unwrap().contains("the row has 3 cells and the first row 2"),
            "{skipped:?}"
        );
        let unique = fs::read_to_string(folder.join(&unique)).unwrap();
        assert_eq!(unique, rows[..2].concat(), "what is skipped stays");
    }
    // A quote too many joins two rows to one of the right length.
    let folder = with_a_pair("joined").with("bad.csv", format!("id,text\na,\"One\nb,\"another\nok,{STORM}\n"));
    assert_skipped(
        &folder,
        &["."],
        "a",
        "./bad.csv:2",
        &["text follows the closing quote", "write quotes within a cell twice"],
    );
}

#[test]
fn a_quote_too_many_joins_no_rows_whatever_ends_them() {
    for end in ["\n", "\r\n", "\r"] {
        let rows = ["id,text".to_string(), format!("1,\"{FERRY}"), format!("2,\"{STORM}\""), format!("3,{STORM}")];
        let folder = with_a_pair("quote").with("x.csv", rows.map(|row| row + end).concat());
        assert_skipped(&folder, &["."], "1", "./x.csv:2", &["rows may run into each other"]);
    }
}

#[test]
fn a_quote_between_tabs_swallows_no_row() {
    let quoted = |words: &str| format!("\"{words}\"");
    let rows = [
        // Quotations that begin and end anywhere.
        format!("1\t\"{FERRY}"),
        format!("2\t\"No,\" said the mayor. {STORM}"),
        format!("3\t{FERRY}\""),
        format!("4\t\"{STORM}"),
        // And cells that are quoted, one of them with line breaks.
        format!("5\t{}", quoted(FERRY)),
        format!("6\t{}", quoted(&format!("{STORM}\n\nThe end of \"\"it\"\"."))),
        format!("{}\t{STORM}", quoted("7\n8")),
    ];
    let folder = Temp::new("tabs").with("x.tsv", format!("id\ttext\n{}\n", rows.join("\n")));
    assert_eq!(clusters(&folder, &["x.tsv"]), [vec!["1", "3", "5"], vec!["2", "4", "6", "7\n8"]]);
    let all = stdout(&folder, &["--level", "near", "--threshold", "1", "--unique", "u.tsv", "x.tsv"]);
    assert!(!all.contains("Skipped"), "{all}");
}

#[test]
fn quotes_after_a_space_enclose_a_cell_where_they_close_at_its_end() {
    let footer = "\nCopyright 2024 by the Island Gazette, all rights reserved";
    let quoted = |id: &str, text: &str| format!("{id}, \"{}\"", text.replace('"', "\"\""));
    for delimiter in [",", ";", "|"] {
        let rows = [
            "id, \"text\"".to_string(),
            quoted("1", &format!("{FERRY}{footer}")),
            quoted("2", &format!("\"No, thanks\", said the mayor. {STORM}{footer}")),
            quoted("3", &format!("{FERRY}{footer}")),
            // Quotes that stand in the text alone.
            format!("4, No \"snow\" fell. {}", STORM.replace(',', "")),
            format!("5, \"Snow\" fell. {}", STORM.replace(',', "")),
            format!("6, \"{}", STORM.replace(',', "")),
        ];
        let table =
            rows.join("\n").replace("1, ", &format!("1{delimiter}  ")).replace(", \"", &format!("{delimiter} \""));
        let table = table.replace("4, ", &format!("4{delimiter} ")) + "\n";
        let folder = Temp::new("spaces").with("x.csv", &table);
        let args =
            ["--level", "near", "--threshold", "1", "--strip-furniture", "all.jsonl", "--annotate", "a.csv", "x.csv"];
        let said = stdout(&folder, &args);
        assert!(!said.contains("Skipped"), "{said}");
        let all = fs::read_to_string(folder.join("all.jsonl")).unwrap();
        let all: Vec<Value> = all.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            all.iter().map(|line| line["id"].as_str().unwrap()).collect::<Vec<_>>(),
            ["1", "2", "3", "4", "5", "6"]
        );
        assert!(all[0]["text"].as_str().unwrap().ends_with(footer), "{}", all[0]);
        assert!(all[1]["text"].as_str().unwrap().starts_with("\"No"), "{}", all[1]);
        assert!(all[4]["text"].as_str().unwrap().starts_with(" \"Snow\" fell"), "{}", all[4]);
        // What is added comes behind the cells, and not into them.
        assert_eq!(clusters(&folder, &["a.csv"]), clusters(&folder, &["x.csv"]));
        let annotated = fs::read_to_string(folder.join("a.csv")).unwrap();
        assert!(annotated.contains(&format!("reserved\"{delimiter}1{delimiter}")), "{annotated}");
    }
}

#[test]
fn a_line_before_the_first_row_names_what_separates_cells() {
    let table = format!("id;title,of,it;text\na;x;{FERRY}\nb;y;{FERRY}\n");
    for line in ["sep=;\n", "SEP=;\r\n", "\u{feff}sep=;\n"] {
        let folder = Temp::new("sep").with("x.csv", format!("{line}{table}"));
        assert_eq!(clusters(&folder, &["x.csv"]), [["a", "b"]], "{line:?}");
        stdout(&folder, &["--unique", "u.csv", "x.csv"]);
        assert_eq!(clusters(&folder, &["u.csv", "x.csv"]), [["a", "a", "b"]], "{line:?}");
    }
    // A line that says what is not so is a row like any other, and so is one that comes later.
    let folder = Temp::new("no-sep").with("x.csv", format!("text;id\n{FERRY};a\nsep=;\n{FERRY};b\n"));
    assert_eq!(clusters(&folder, &["x.csv"]), [["a", "b"]]);
}

#[test]
fn the_first_row_shows_what_separates_cells() {
    let table = |delimiter: &str| {
        format!("id,title,text\na,\"x,y;z\",{FERRY}\nb,z,{FERRY}\n")
            .replace(',', delimiter)
            .replace(&format!("\"x{delimiter}y;z\""), "\"x,y;z\"")
    };
    for (name, delimiter, shown) in [
        ("x.csv", ";", "';'"),
        ("x.csv", "\t", "tab"),
        ("x.csv", "|", "'|'"),
        ("x.tsv", ",", "','"),
        ("x.tsv", ";", "';'"),
    ] {
        for blank in ["\n", "\r\n\r\n"] {
            let folder = Temp::new("blank").with(name, format!("{blank}{}", table(delimiter)));
            assert_eq!(clusters(&folder, &[name]), [["a", "b"]], "{name} {delimiter} after blank lines");
        }
        let folder = Temp::new("delimiters").with(name, table(delimiter));
        assert_eq!(clusters(&folder, &[name]), [["a", "b"]], "{name} {delimiter}");
        let output = run(&folder, &[name]);
        assert!(
            stderr(&output).contains(&format!("{name}: cells are separated by {shown} (--delimiter)\n")),
            "{}",
            stderr(&output)
        );
    }
    // The usual one is not told, and neither is one that is given.
    let folder =
        Temp::new("usual").with("x.csv", table(",")).with("y.csv", table("~")).with("z.csv", "id;text\na;b,c,d,e\n");
    assert!(!stderr(&run(&folder, &["x.csv"])).contains("separated"));
    assert_eq!(clusters(&folder, &["--delimiter", "~", "y.csv"]), [["a", "b"]]);
    assert!(!stderr(&run(&folder, &["--delimiter", "~", "y.csv"])).contains("separated"));
    for wrong in ["", "ab", "\"", "é"] {
        assert_eq!(run(&folder, &["--delimiter", wrong, "y.csv"]).status.code(), Some(2));
    }
}

/// UTF-16 with its mark.
fn utf16(text: &str, is_little: bool) -> Vec<u8> {
    let units = format!("\u{feff}{text}").encode_utf16().collect::<Vec<_>>();
    units.into_iter().flat_map(|unit| if is_little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
}

#[test]
fn encodings_are_known_by_their_mark_or_given() {
    let text = format!("{FERRY} Grüße, 東京 😀.");
    let lines = line("a", &text) + &line("b", &text);
    let list = format!("[{}]", lines.trim_end().replace('\n', ","));
    let table = format!("id,text\na,\"{text}\"\nb,\"{text}\"\n");
    for is_little in [true, false] {
        let folder = Temp::new("utf16")
            .with("x.jsonl", utf16(&lines, is_little))
            .with("x.json.gz", compressed(utf16(&list, is_little)))
            .with("x.csv", utf16(&table, is_little))
            .with("texts/a.txt", utf16(&text, is_little))
            .with("texts/b.txt", &text);
        for name in ["x.jsonl", "x.json.gz", "x.csv"] {
            assert_eq!(clusters(&folder, &[name]), [["a", "b"]], "{name}");
        }
        let output = run_with(&folder, &["-"], &utf16(&lines, is_little));
        assert!(output.stdout.starts_with(b"a and 1 like it:\n"), "{}", stderr(&output));
        // What is left is written as UTF-8, a text file as it is.
        stdout(&folder, &["--unique", "u.jsonl", "x.jsonl"]);
        assert_eq!(fs::read_to_string(folder.join("u.jsonl")).unwrap(), line("a", &text));
        stdout(&folder, &["--unique", "u", "texts"]);
        assert_eq!(fs::read(folder.join("u/a.txt")).unwrap(), utf16(&text, is_little));

        // Without a mark it is told, once a file.
        let bare = with_a_pair("no mark").with("bad.jsonl", &utf16(&lines, is_little)[2..]);
        let name = if is_little { "UTF-16LE" } else { "UTF-16BE" };
        assert_unread(&bare, &["."], "./bad.jsonl", &["looks like", &format!("--encoding {name}")]);
        assert_eq!(clusters(&bare, &["--encoding", name, "bad.jsonl"]), [["a", "b"]]);
    }

    let latin = |text: &str| text.chars().map(|c| u8::try_from(c).unwrap()).collect::<Vec<u8>>();
    let cafe = format!("{FERRY} Le café est fermé.");
    let lines = line("a", &cafe) + &line("b", &cafe) + &line("c", &cafe);
    let folder = Temp::new("latin").with("x.jsonl", latin(&lines)).with("u8.jsonl", lines);
    let output = run(&folder, &["x.jsonl"]);
    let said: Vec<&str> = stderr(&output).lines().filter(|line| line.starts_with("x.jsonl:")).collect();
    assert_eq!(said.len(), 1, "once a file: {said:?}");
    assert!(said[0].contains("is not valid UTF-8: name its encoding with --encoding"), "{said:?}");
    assert!(said[0].ends_with("(and 2 more of this file)"), "{said:?}");
    for name in ["latin1", "windows-1252", "ISO-8859-1"] {
        assert_eq!(clusters(&folder, &["--encoding", name, "x.jsonl"]), [["a", "b", "c"]]);
    }
    assert_eq!(run(&folder, &["--encoding", "latin-9000", "x.jsonl"]).status.code(), Some(2));
    // What is in no such encoding either is told with its place, after all that is whole.
    let two = utf16(&(line("a", FERRY) + &line("b", FERRY)), true);
    let lone = [&two[..], &[0x00, 0xd8, 0x41, 0x00]].concat();
    for (bytes, message) in
        [(&two[..two.len() - 3], "ends within a character of UTF-16LE"), (&lone, "is not valid UTF-16LE")]
    {
        let odd = with_a_pair("odd").with("x.jsonl", bytes);
        let output = run(&odd, &["--format", "jsonl", "."]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(message), "{}", stderr(&output));
        assert!(String::from_utf8_lossy(&output.stdout).contains(r#""id":"a""#), "what is whole is read");
    }
}

#[test]
fn encodings_without_a_mark_are_told_in_any_alphabet() {
    let wide = |text: &str| text.chars().flat_map(|char| u32::from(char).to_le_bytes()).collect::<Vec<u8>>();
    let texts =
        [format!("\u{201c}{FERRY}"), "Паром выходит из порта в девять часов утра. ".repeat(4), "東京 大阪\n".repeat(9)];
    for text in &texts {
        for (is_little, name) in [(true, "UTF-16LE"), (false, "UTF-16BE")] {
            let folder = with_a_pair("bare").with("x.txt", &utf16(text, is_little)[2..]);
            assert_unread(&folder, &["."], "./x.txt", &["looks like", &format!("--encoding {name}")]);
            let folder = with_a_pair("bare lines").with("x.jsonl", &utf16(&line("a", text), is_little)[2..]);
            assert_unread(&folder, &["."], "./x.jsonl", &["looks like", &format!("--encoding {name}")]);
        }
        for bytes in [wide(text), wide(&format!("\u{feff}{text}"))] {
            assert_unread(
                &with_a_pair("wide").with("x.txt", bytes),
                &["."],
                "./x.txt",
                &["looks like UTF-32", "convert it"],
            );
        }
    }
}

#[test]
fn what_is_odd_in_other_fields_hides_no_text() {
    let rows =
        |odd: &str| ["1", "2"].map(|id| format!("{{\"url\":\"{id}\",\"content\":\"{FERRY}\",\"m\":{odd}}}\n")).concat();
    let deep = "[".repeat(200) + &"]".repeat(200);
    for odd in ["1e999", r#""\ud83d""#, &deep, "NaN"] {
        let folder = Temp::new("odd fields").with("x.jsonl", rows(odd));
        assert_eq!(clusters(&folder, &["x.jsonl"]), [["1", "2"]], "{odd}");
    }
}

#[test]
fn fields_within_fields_and_lists_of_strings() {
    let nested =
        |id: &str| format!("{}\n", json!({"meta": {"id": id, "x": [1]}, "article": {"title": "no", "body": FERRY}}));
    let folder = Temp::new("nested").with("x.jsonl", nested("a") + &nested("b"));
    let args = ["--text-field", "article.body", "--id-field", "meta.id", "x.jsonl"];
    assert_eq!(clusters(&folder, &args), [["a", "b"]]);
    let deep = |id: &str| format!("{}\n", json!({"a": {"b.c": {"d": FERRY}}, "id": id}));
    let flat = |id: &str| format!("{}\n", json!({"a": {"b": "no text of this"}, "a.b.c.d": FERRY, "id": id}));
    let folder = Temp::new("dots").with("x.jsonl", deep("a") + &flat("b"));
    assert_eq!(clusters(&folder, &["--text-field", "a.b.c.d", "x.jsonl"]), [["a", "b"]]);
    // A list names nothing.
    let listed = json!({"id": ["a", "b"], "text": [FERRY, STORM]}).to_string() + "\n";
    let folder = Temp::new("lists").with("x.jsonl", listed.clone() + &listed);
    assert_eq!(clusters(&folder, &["x.jsonl"]), [["x.jsonl:1", "x.jsonl:2"]]);
    // A text that is empty in all records is none where another field is not.
    let empty = json!({"id": 1, "text": "", "content": FERRY}).to_string() + "\n";
    let folder = Temp::new("empty").with("x.jsonl", empty.clone() + &empty.replace('1', "2"));
    assert_eq!(clusters(&folder, &["x.jsonl"]), [["1", "2"]]);
    assert!(stderr(&run(&folder, &["x.jsonl"])).contains("the text is taken from \"content\""));
    assert!(clusters(&folder, &["--text-field", "text", "x.jsonl"]).is_empty());
    let missing = with_a_pair("missing").with("bad.jsonl", nested("a"));
    assert_skipped(
        &missing,
        &["--text-field", "article.text", "."],
        "bad.jsonl:1",
        "./bad.jsonl:1",
        &["no field \"article.text\"", "\"meta\", \"article\""],
    );

    let wrapped = |name: &str| json!({"status": "ok", "data": {name: [{"id": "a", "text": FERRY}]}}).to_string();
    for (name, form) in [("bad.json", "#1"), ("bad.jsonl", ":1")] {
        let wrapped = with_a_pair("wrapped").with(name, wrapped("news items"));
        let place = format!("{name}{form}");
        let remedy = "jq -c '.\"data\".\"news items\"[]'";
        assert_skipped(&wrapped, &["."], &place, &format!("./{place}"), &["no field \"text\"", remedy]);
    }

    // What seems to hold the text is told by its name, be it in the record or in those of a list.
    let cases = [
        (
            json!({"articles": [{"title": "x", "content": null}, {"title": "y", "content": FERRY}]}),
            "jq -c '.\"articles\"[]'",
        ),
        (
            json!({"title": "All the news", "items": [{"url": "x", "content_text": FERRY}]}),
            "jq -c '.\"items\"[]', and give --text-field content_text",
        ),
        (
            json!({"response": {"results": [{"type": "article", "fields": {"headline": "A b", "bodyText": FERRY}}]}}),
            "jq -c '.\"response\".\"results\"[]', and give --text-field fields.bodyText",
        ),
        (
            json!({"@context": "of no story", "title": {"rendered": "A b"}, "content": {"rendered": FERRY, "type": "a b"}}),
            "name the right one, as it seems with --text-field content.rendered",
        ),
        // Articles by their ids, of which one is not to be taken for all.
        (json!({"a": {"text": FERRY}, "b": {"text": STORM}}), "jq -c '.[]'"),
        (
            json!({"news": {"a": {"nr": 1, "bodyText": FERRY}, "b": {"bodyText": STORM}}}),
            "jq -c '.\"news\"[]', and give --text-field bodyText",
        ),
        (json!({"context": FERRY, "pretext": FERRY, "text id": FERRY}), "name the right one with --text-field"),
        (json!({"text": {"value": FERRY, "note": 1}}), "name another field, as it seems with --text-field text.value"),
        (json!({"text": {"en": {"body": FERRY}}}), "name another field, as it seems with --text-field text.en.body"),
    ];
    for (record, remedy) in cases {
        let folder = with_a_pair("inner").with("bad.jsonl", format!("{record}\n"));
        let output = run(&folder, &["."]);
        let told = stderr(&output).lines().find(|line| line.starts_with("./bad.jsonl:1: "));
        assert!(told.is_some_and(|told| told.ends_with(remedy)), "{remedy}: {}", stderr(&output));
    }

    let half = FERRY.len() / 2;
    let list = |id: &str| format!("{}\n", json!({"id": id, "text": [FERRY[..half].trim(), FERRY[half..].trim()]}));
    let folder = Temp::new("lists")
        .with("x.jsonl", list("a") + &line("b", &format!("{}\n{}", &FERRY[..half].trim(), &FERRY[half..].trim())));
    assert_eq!(clusters(&folder, &["x.jsonl"]), [["a", "b"]]);
    let mixed = with_a_pair("mixed").with("bad.jsonl", "{\"id\": \"x\", \"text\": [\"one two three four\", 5]}\n");
    assert_skipped(&mixed, &["."], "x", "./bad.jsonl:1", &["a list with other things than strings"]);
}

#[test]
fn actions_of_bulk_files_are_told_and_not_torn_from_their_documents() {
    let action = |name: &str, id: &str| format!("{}\n", json!({name: {"_id": id}}));
    let [a, b, c] = [("a", FERRY), ("b", STORM), ("c", FERRY)].map(|(id, text)| line(id, text));
    let bulk = [action("index", "a"), a, action("create", "b"), b, action("index", "c"), c, action("delete", "d")];
    for name in ["x.ndjson", "x.json"] {
        let folder = Temp::new("bulk").with(name, bulk.concat());
        assert_eq!(clusters(&folder, &[name]), [["a", "c"]]);
        let output = run(&folder, &[name]);
        let told: Vec<&str> = stderr(&output).lines().filter(|line| line.contains("Elasticsearch")).collect();
        assert!(matches!(&told[..], [line] if line.ends_with("!= [])' (and 3 more of this file)")), "{told:?}");
        for option in ["--unique", "--annotate"] {
            let output = run(&folder, &[option, &format!("u.{}", &name[2..]), name]);
            assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
            let place = if name == "x.json" { "x.json#1" } else { "x.ndjson:1" };
            let told = format!("{place} cannot be written beside articles, since it is an action of");
            assert!(stderr(&output).contains(&told), "{}", stderr(&output));
            assert_eq!(fs::read_dir(&*folder).unwrap().count(), 1, "nothing is written");
        }
        // What is not written may be such a file.
        let new = folder.with("new.jsonl", line("d", FERRY));
        stdout(&new, &["--unique", "u.jsonl", "--against", name, "new.jsonl"]);
    }
    for record in [json!({"index": 5}), json!({"index": {}, "more": 1}), json!({"remove": {"_id": "a"}})] {
        let folder = with_a_pair("no action").with("bad.jsonl", format!("{record}\n"));
        assert_skipped(&folder, &["."], "bad.jsonl:1", "./bad.jsonl:1", &["no field \"text\""]);
    }
}

#[test]
fn what_is_no_number_and_no_id_is_no_reason_to_skip() {
    let record = |id: &str, more: &str| format!("{{\"id\": {id}, \"text\": {}, \"score\": {more}}}\n", json!(FERRY));
    for more in ["NaN", "Infinity", "-Infinity", "[1, NaN, {\"NaN\": NaN}]", "\"NaN\""] {
        let folder = Temp::new("nan").with("x.jsonl", record("\"a\"", more) + &record("\"b\"", "1"));
        assert_eq!(clusters(&folder, &["x.jsonl"]), [["a", "b"]], "{more}");
        let input = fs::read_to_string(folder.join("x.jsonl")).unwrap();
        stdout(&folder, &["--unique", "u.jsonl", "x.jsonl"]);
        assert!(input.starts_with(&fs::read_to_string(folder.join("u.jsonl")).unwrap()), "it stays as it was");
    }
    for id in [
        "null",
        "1.5",
        "true",
        "{\"oid\": \"x\"}",
        "{\"$oid\": \"x\", \"n\": 1}",
        "{\"$oid\": \"\"}",
        "[]",
        "\"\"",
        "NaN",
    ] {
        let folder = Temp::new("ids").with("x.jsonl", record("\"a\"", "1") + &record(id, "1"));
        assert_eq!(clusters(&folder, &["x.jsonl"]), [["a", "x.jsonl:2"]], "{id}");
    }
    for (id, meant) in [(r#"{"$oid": "x"}"#, "x"), (r#"{"$numberLong": "7"}"#, "7"), (r#"{"$oid": 7}"#, "7")] {
        let folder = Temp::new("wrapped ids").with("x.jsonl", record("\"a\"", "1") + &record(id, "1"));
        assert_eq!(clusters(&folder, &["x.jsonl"]), [if meant == "x" { ["a", "x"] } else { ["7", "a"] }], "{id}");
        let within = Temp::new("within").with("x.jsonl", record("\"a\"", &format!("{{\"id\": {id}}}")));
        let ids = stdout(&within, &["--id-field", "score.id", "--strip-furniture", "s.jsonl", "x.jsonl"]);
        assert!(
            !ids.is_empty() && fs::read_to_string(within.join("s.jsonl")).unwrap().contains(&format!("\"{meant}\""))
        );
    }
    let folder = Temp::new("cells").with("x.csv", format!("text,id\n{FERRY},a\n{FERRY},\n{FERRY}\n"));
    assert_eq!(clusters(&folder, &["x.csv"]), [["a", "x.csv:3", "x.csv:4"]]);
    let folder = Temp::new("late").with("x.jsonl", record("1", "1") + &record("2", "2"));
    assert_eq!(clusters(&folder, &["--id-field", "nr", "x.jsonl"]), [["x.jsonl:1", "x.jsonl:2"]]);
    let told = "x.jsonl: no record has an id in \"nr\", so its place stands for it (--id-field)\n";
    assert!(stderr(&run(&folder, &["--id-field", "nr", "x.jsonl"])).contains(told));

    // One record as schema.org has it.
    let story = json!({"url": "https://a.example/1", "headline": "Ferry", "articleBody": FERRY}).to_string();
    let folder = Temp::new("schema").with("x.jsonl", format!("{story}\n")).with("y.jsonl", line("y", FERRY));
    assert_eq!(clusters(&folder, &["."]), [["https://a.example/1", "y"]]);
}

#[test]
fn json_on_standard_input_may_span_lines_or_share_one() {
    let objects = [("a", FERRY), ("b", STORM), ("c", FERRY)]
        .map(|(id, text)| json!({"id": id, "text": text, "more": {"x": "}{"}}));
    let pretty: String = objects.iter().map(|object| serde_json::to_string_pretty(object).unwrap() + "\n").collect();
    let joined: String = objects.iter().map(Value::to_string).collect();
    let folder = Temp::new("values");
    for input in [pretty.clone(), joined, pretty.replace('\n', "\r\n"), format!("\u{feff}\n{pretty}")] {
        let output = run_with(&folder, &["--level", "near", "--unique", "u.json", "-"], input.as_bytes());
        assert!(output.stdout.starts_with(b"a and 1 like it:\n"), "{}", stderr(&output));
        assert_eq!(clusters(&folder, &["u.json"]), [[""; 0]; 0]);
    }
    // Of lines the first may be damaged, and one may be all there is.
    let lines = format!("{{\"id\": broken\n{}{}", line("a", FERRY), line("b", FERRY));
    let output = run_with(&folder, &["--level", "near", "-"], lines.as_bytes());
    assert!(output.stdout.starts_with(b"a and 1 like it:\n"), "{}", stderr(&output));
    assert_eq!(stderr(&output).matches("not valid JSON").count(), 1);
    let output = run_with(&folder, &["-"], line("a", &FERRY.repeat(4000)).as_bytes());
    assert_eq!(output.stdout, b"No copies found among 1 article.\n");
}

#[test]
fn feeds_give_their_entries() {
    let rss = |items: &str| {
        format!(
            "<?xml version=\"1.0\"?><rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\">\
             <channel><title>News</title>{items}</channel></rss>"
        )
    };
    let item = |id: &str, text: &str| {
        format!(
            "<item><title>Ferry</title><link>https://a.example/{id}</link><description>A teaser.</description>\
             <content:encoded><![CDATA[<p>{text}</p><p>It&nbsp;is &amp; <b>stays</b> so.</p>]]></content:encoded>\
             <pubDate>Fri, 17 May 2024 09:30:00 GMT</pubDate></item>"
        )
    };
    let atom = format!(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>News</title><entry><id>urn:x</id><title>Ferry</title>\
         <link rel=\"self\" href=\"https://c.example/self\"/><link href=\"https://c.example/1\"/>\
         <updated>2024-05-16T09:30:00Z</updated><content type=\"html\">{FERRY}&lt;br&gt;It is &amp;amp; stays so.</content></entry></feed>"
    );
    let folder = Temp::new("feeds")
        .with("a.rss", rss(&(item("1", FERRY) + &item("2", STORM))))
        .with("b.xml", rss(&item("3", STORM)))
        .with("c.atom.gz", compressed(&atom))
        .with("d.jsonl", line("d", &format!("{FERRY} It is & stays so.")));
    let found = clusters(&folder, &[".", "b.xml"]);
    assert_eq!(
        found,
        [vec!["d", "https://a.example/1", "https://c.example/1"], vec!["https://a.example/2", "https://a.example/3"]]
    );
    assert_eq!(
        clusters(&folder, &["--text-field", "body", "a.rss", "b.xml"]),
        [["https://a.example/2", "https://a.example/3"]]
    );
    let output = run_with(&folder, &["--stdin-format", "atom", "-"], atom.as_bytes());
    assert_eq!(output.stdout, b"No copies found among 1 article.\n");
    // In a folder .xml may be anything.
    assert!(stderr(&run(&folder, &["."])).contains("left 1 other file alone"));

    // What stays is written as lines, and the place tells the entry.
    let args = [
        "--level",
        "near",
        "--keep",
        "earliest",
        "--unique",
        "u.jsonl",
        "--removed",
        "r.jsonl",
        "a.rss",
        "c.atom.gz",
        "d.jsonl",
    ];
    stdout(&folder, &args);
    let kept: Vec<Value> = fs::read_to_string(folder.join("u.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        kept.iter().map(|record| &record["id"]).collect::<Vec<_>>(),
        ["https://a.example/2", "https://c.example/1"]
    );
    assert!(fs::read_to_string(folder.join("r.jsonl")).unwrap().contains(r#""at":"a.rss#1""#));
    let output = run(&folder, &["--unique", "u.rss", "a.rss"]);
    assert!(stderr(&output).contains("u.rss would be a feed, which is read but not written: name it .jsonl"));

    let broken = with_a_pair("broken").with("bad.rss", "<rss><channel><item>");
    assert_unread(&broken, &["."], "./bad.rss", &["not an RSS or Atom feed", "leave it out"]);
    let others = [
        ("<!DOCTYPE html><!-- <rss> --><html><body>gone</body></html>", "but a page: make text of it"),
        ("<?xml version='1.0'?>\n<newsItem guid='a'/>", "but <newsItem>: write its articles as .jsonl"),
    ];
    for (other, remedy) in others {
        let folder = with_a_pair("other").with("bad.rss", other);
        assert_unread(&folder, &["."], "./bad.rss", &["not an RSS or Atom feed", remedy]);
    }
    let empty = with_a_pair("empty").with("bad.rss", "\n");
    assert_skipped(&empty, &["."], "bad.rss", "./bad.rss", &["holds nothing"]);

    // Whatever the encoding that is declared, what the first bytes show counts.
    let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let marked = |text: &str| [&b"\xff\xfe"[..], &utf_16(text)].concat();
    let declared = rss(&item("1", FERRY)).replacen("?>", " encoding=\"UTF-16\"?>", 1);
    let folder = Temp::new("feeds in other encodings")
        .with("a.rss", marked(&declared))
        .with("b.rss", marked(&rss(&item("2", FERRY)).replacen("?>", " encoding=\"utf-8\"?>", 1)))
        .with("c.rss", utf_16(&declared.replace("example/1", "example/3")))
        .with("d.rss", format!("\u{feff}{}", declared.replace("example/1", "example/4")))
        .with("e.rss", [marked(&declared), vec![0]].concat());
    let found = clusters(&folder, &["."]);
    assert_eq!(found, [[1, 2, 3, 4].map(|at| format!("https://a.example/{at}"))]);
    assert!(stderr(&run(&folder, &["."])).contains("e.rss: is not valid UTF-16LE, in which its first bytes say it is"));

    // The fullest text counts, wherever it stands.
    let swapped = item("1", FERRY).replace("A teaser.", FERRY).replace(&format!("<p>{FERRY}</p><p>It"), "<p>It");
    let folder = Temp::new("fullest").with("a.rss", rss(&swapped)).with("b.jsonl", line("b", FERRY));
    assert_eq!(clusters(&folder, &["."]), [["b", "https://a.example/1"]]);
}

/// What is made up in place of an id that is missing would be another at the second reading.
#[test]
fn entries_without_an_address_are_named_by_their_place() {
    let item = |text: &str| format!("<item><description>{text}</description></item>");
    let items = [item(FERRY), item(STORM), item(FERRY)].concat();
    let folder = Temp::new("no ids").with("a.rss", format!("<rss version=\"2.0\"><channel>{items}</channel></rss>"));
    assert_eq!(clusters(&folder, &["a.rss"]), [["a.rss#1", "a.rss#3"]]);
    stdout(&folder, &["--level", "near", "--unique", "u.jsonl", "a.rss"]);
    assert_eq!(fs::read_to_string(folder.join("u.jsonl")).unwrap().lines().count(), 2);
}

#[test]
fn a_feed_is_in_the_encoding_that_is_given_where_it_declares_none() {
    let item = |id: &str| format!("<item><link>{id}</link><description>{FERRY} Café</description></item>");
    let feed = format!("<rss version=\"2.0\"><channel>{}{}</channel></rss>", item("a"), item("b"));
    let latin = |declared: &str| -> Vec<u8> {
        format!("{declared}{feed}").chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect()
    };
    let folder = Temp::new("encoded").with("none.rss", latin("")).with("utf.rss", feed.clone());
    let folder = folder.with("wrong.rss", latin("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"));
    let folder = folder.with("latin.rss", latin("<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>"));
    for name in ["none.rss", "utf.rss", "wrong.rss", "latin.rss"] {
        let args = ["--encoding", "windows-1252", "--strip-furniture", "texts.jsonl", name];
        assert_eq!(clusters(&folder, &args), [["a", "b"]], "{name}");
        let texts = fs::read_to_string(folder.join("texts.jsonl")).unwrap();
        assert_eq!(texts.matches("Café").count(), 2, "{name}: {texts}");
    }
    for name in ["none.rss", "wrong.rss"] {
        let output = run(&folder, &[name]);
        let said = stderr(&output);
        assert!(said.contains("is not valid UTF-8: name its encoding with --encoding"), "{said}");
    }
}

#[test]
fn ampersands_that_begin_no_reference_end_no_feed() {
    let item = |id: &str, text: &str| {
        format!("<item><link>https://a.example/?a=1&b={id}</link><description>{text}</description></item>")
    };
    let items = [
        item("1", &format!("Fish & chips, R&D. {FERRY} &amp; more &lt;")),
        item("2", &format!("<![CDATA[Fish & chips, R&amp;D. {FERRY} & more]]>")),
    ];
    let folder = Temp::new("ampersands")
        .with("a.rss", format!("<rss version=\"2.0\"><channel>{}</channel></rss>", items.concat()));
    assert_eq!(clusters(&folder, &["a.rss"]), [["https://a.example/?a=1&b=1", "https://a.example/?a=1&b=2"]]);
}

/// Python's csv module leaves the one end of line without quotes that it does not write itself.
#[test]
fn an_end_of_line_that_ends_no_row_of_a_table_is_text() {
    for (end, text) in [("\n", "\r"), ("\r\n", "\r"), ("\r", "\n")] {
        let within = FERRY.replace(" morning ", &format!("{text}morning{text}"));
        let rows =
            ["id,text".into(), format!("a,{within}"), format!("b,\"{FERRY}\""), format!("c,\"A\" {text}{STORM}")];
        let folder = Temp::new("ends of lines").with("x.csv", rows.map(|row| row + end).concat());
        assert_eq!(clusters(&folder, &["x.csv"]), [["a", "b"]], "{end:?}");
        let output = run(&folder, &["--unique", "u.csv", "--keep", "first", "x.csv"]);
        assert!(stderr(&output).contains("2 kept + 1 removed + 0 skipped"), "{end:?}: {}", stderr(&output));
        assert!(fs::read_to_string(folder.join("u.csv")).unwrap().contains(&within));
    }
}

#[test]
fn lines_of_a_table_end_where_its_rows_do() {
    for (end, text) in [("\n", "\r"), ("\r\n", "\r"), ("\r", "\n")] {
        let rows = ["text".into(), format!("A{text}{STORM}"), format!("\"{FERRY}{text}\""), FERRY.into()];
        let folder = Temp::new("lines of tables").with("x.csv", rows.map(|row| row + end).concat());
        assert_eq!(clusters(&folder, &["x.csv"]), [["x.csv:3", "x.csv:4"]], "{end:?}");
        // A line of a cell is one of the file as well, and so is one before the first row.
        let rows = [String::new(), "text".into(), format!("\"{FERRY}{end}\""), FERRY.into()];
        let folder = Temp::new("lines of cells").with("x.csv", rows.map(|row| row + end).concat());
        assert_eq!(clusters(&folder, &["x.csv"]), [["x.csv:3", "x.csv:5"]], "{end:?}");
    }
}

#[test]
fn half_a_character_in_json_is_told_with_a_remedy() {
    for text in ["cut \\ud83d", "cut \\ud83d off", "cut \\ude00", "cut \\ud83d\\n"] {
        let pair = with_a_pair("surrogate").with("x.jsonl", format!("{{\"id\": \"a\", \"text\": \"{text}\"}}\n"));
        let told = ["not valid JSON", "half of a character", "write \\ufffd in its place"];
        assert_skipped(&pair, &["."], "x.jsonl:1", "./x.jsonl:1", &told);
    }
}

#[cfg(unix)]
#[test]
fn patterns_come_to_an_end_where_links_lead_in_circles() {
    let folder = Temp::new("circles").with("in/a.txt", FERRY).with("in/deep/b.txt", FERRY).with("far/c.txt", FERRY);
    for (to, from) in [(".", "in/one"), (".", "in/two"), ("..", "in/deep/up"), ("../far", "in/far")] {
        std::os::unix::fs::symlink(to, folder.join(from)).unwrap();
    }
    for pattern in ["in/**/*.txt", "**/[abc].txt", "in/**", "i*/**/*.txt"] {
        assert_eq!(clusters(&folder, &[pattern]), [["a.txt", "b.txt", "c.txt"]], "{pattern}");
    }
    assert_eq!(clusters(&folder, &["in/deep/**/b.txt", "in/**/far/*.txt"]), [["b.txt", "c.txt"]]);
}

#[test]
fn compressed_standard_input_may_come_byte_by_byte() {
    let input = compressed(&(line("a", FERRY) + &line("b", FERRY)));
    let mut child =
        dedup().args(["--level", "near", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for piece in [&input[..1], &input[1..3], &input[3..]] {
        stdin.write_all(piece).unwrap();
        stdin.flush().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    drop(stdin);
    assert!(child.wait_with_output().unwrap().stdout.starts_with(b"a and 1 like it:\n"));
}

#[test]
fn utf_32_is_known_by_its_mark() {
    let text = format!("\u{feff}\u{1f600} {FERRY}");
    let little: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    let big: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
    for bytes in [little, big] {
        let pair = with_a_pair("utf 32").with("x.txt", bytes);
        assert_unread(&pair, &["."], "./x.txt", &["looks like UTF-32", "convert it to UTF-8"]);
    }
}

#[test]
fn texts_of_web_archives_are_read_and_written() {
    let record = |kind: &str, url: &str, text: &str| {
        format!(
            "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2024-05-17T09:30:00Z\r\n\
             WARC-Record-ID: <urn:uuid:{url}>\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{text}\r\n\r\n",
            text.len()
        )
    };
    let (url, text) = (|name: &str| format!("https://a.example/{name}"), format!("{FERRY}\r\n\r\nWARC/1.0 it is – \n"));
    let records = [
        record("warcinfo", "", "Software-Info: x\r\n"),
        record("conversion", &url("1"), &text),
        record("conversion", &url("2"), STORM),
        record("conversion", &url("3"), &text.to_uppercase()),
        record("response", &url("4"), "<html></html>"),
    ];
    // As crawls have them, every record is a member of its own.
    let members: Vec<u8> = records.iter().flat_map(compressed).collect();
    let folder = Temp::new("wet").with("x.warc.wet.gz", members).with("y.wet", records.concat());
    assert_eq!(clusters(&folder, &["x.warc.wet.gz"]), [[url("1"), url("3")]]);
    for (name, unique) in [("x.warc.wet.gz", "u.wet.gz"), ("y.wet", "u.wet")] {
        let output = run(&folder, &["--level", "near", "--unique", unique, name, "--format", "jsonl"]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(stderr(&output).contains(&format!("{name}#5: holds a page as it was sent")), "{}", stderr(&output));
        let kept = [&records[..3], &records[4..]].concat().concat();
        assert_eq!(String::from_utf8(unpacked(&folder.join(unique))).unwrap(), kept);
        assert!(String::from_utf8_lossy(&output.stdout).contains(&format!("\"at\":\"{name}#4\"")));
    }
    // Some programs end the lines of heads with line feeds alone; what follows in the text is no end of a head.
    let bare = |record: &String| match record.split_once("\r\n\r\n") {
        Some((head, text)) => format!("{}\n\n{text}", head.replace("\r\n", "\n")),
        None => unreachable!("each has a head"),
    };
    let lean = Temp::new("line feeds").with("x.wet", records.iter().map(bare).collect::<String>());
    assert_eq!(clusters(&lean, &["x.wet"]), [[url("1"), url("3")]]);
    // No option reads what is not in UTF-8 as such texts must be.
    let latin = [record("conversion", &url("1"), "caf?").replace('?', "\0").into_bytes(), records.concat().into()];
    let latin = latin.concat().iter().map(|&byte| if byte == 0 { 0xe9 } else { byte }).collect::<Vec<u8>>();
    let output = run(&Temp::new("latin").with("x.wet", latin), &["x.wet"]);
    assert!(stderr(&output).contains("not valid UTF-8, in which such texts are"), "{}", stderr(&output));
    // An address that is not in UTF-8 is no reason to leave the text out.
    let address =
        [record("conversion", &url("?"), &text), records.concat()].concat().replacen('?', "\0", 1).into_bytes();
    let address: Vec<u8> = address.into_iter().map(|byte| if byte == 0 { 0xe9 } else { byte }).collect();
    let folder = Temp::new("address").with("x.wet", address);
    assert_eq!(clusters(&folder, &["x.wet"]), [[format!("<urn:uuid:{}>", url("?")), url("1"), url("3")]]);
    let cut = with_a_pair("cut").with("bad.wet", &records.concat()[..records.concat().len() - 10]);
    let output = run(&cut, &["."]);
    assert!(stderr(&output).contains("./bad.wet#5: ends within a record"), "{}", stderr(&output));
    let bare = with_a_pair("bare").with("bad.wet", &records[0]);
    assert_skipped(&bare, &["."], "bad.wet", "./bad.wet", &["none with a text"]);
    let output = run(&bare, &["bad.wet"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).starts_with("bad.wet: holds records about the archive"), "{}", stderr(&output));
    let none = with_a_pair("none").with("bad.wet", FERRY);
    assert_unread(&none, &["."], "./bad.wet#1", &["not a WARC record"]);
}

#[test]
fn what_is_not_read_is_told_what_makes_it_readable() {
    for (name, remedy) in [
        ("a.html", "trafilatura"),
        ("a.warc", "trafilatura"),
        ("a.docx", "pandoc"),
        ("a.xlsx", "save it as .csv"),
        ("a.zip", "unpack it"),
        ("a.tar.gz", "unpack it"),
        ("a.warc.gz", "trafilatura"),
        ("a.sqlite", "sqlite3 -json"),
        ("a.avro", "write its records as .jsonl"),
        ("a.mbox", "write its records as .jsonl"),
        ("a.yaml", "yq -o json"),
        ("a.xyz", "rename"),
    ] {
        let folder = with_a_pair("others").with("others/x", "").with(&format!("odd/{name}"), FERRY);
        let path = format!("odd/{name}");
        assert_unread(&folder, &["pair1.txt", "pair2.txt", &path], &path, &["not named .txt", remedy]);
    }
}

#[test]
fn texts_with_markup_are_told_of() {
    let marked = [
        "<p>{}</p>",
        "{}<br><BR />",
        "<div class=\"x\">{}</div></div>",
        "It&#8217;s &amp; stays so. {}",
        "{}&nbsp;&#xa0;",
    ];
    let plain = ["{}", "a < b > c, a<b, R&D; AT&T <b", "<p> or &lt: {}", "The tag </p> of which {} tells"];
    let told = |texts: &[&str]| {
        let lines = texts.iter().enumerate().map(|(at, text)| line(&at.to_string(), &text.replace("{}", FERRY)));
        let folder = Temp::new("markup").with("x.jsonl", lines.collect::<String>());
        let asked = run_with(&folder, &["-", "--level", "near"], &fs::read(folder.join("x.jsonl")).unwrap());
        let output = run(&folder, &["x.jsonl", "--level", "near"]);
        assert!(output.status.success() && asked.status.success(), "{}", stderr(&output));
        assert_eq!(stderr(&output).contains(" markup of HTML"), stderr(&asked).contains(" markup of HTML"));
        stderr(&output).lines().find(|line| line.contains(" markup of HTML")).map(str::to_string)
    };
    for text in plain {
        assert_eq!(told(&[text]), None, "{text}");
    }
    for text in marked {
        let line = told(&["{}", text]).unwrap_or_else(|| panic!("{text}"));
        assert!(line.starts_with("1 text holds markup of HTML, such as that in x.jsonl:2; "), "{line}");
    }
    let all = told(&[&plain[..], &marked].concat()).unwrap();
    assert!(all.starts_with("5 texts hold markup of HTML, such as that in x.jsonl:5; "), "{all}");
}

#[test]
fn compressed_files_of_all_makes() {
    let lines = line("a", FERRY) + &line("b", FERRY) + &line("c", STORM);
    let skippable = [&0x184D_2A5F_u32.to_le_bytes()[..], &5_u32.to_le_bytes(), b"hello"].concat();
    // As tapes and disks fill up files, also between members.
    let padded = [
        compressed(line("a", FERRY)),
        vec![0; 1000],
        compressed(line("b", FERRY) + &line("c", STORM)),
        vec![0; 70_000],
    ]
    .concat();
    let folder = Temp::new("makes").with("x.jsonl.gz", &padded);
    let skip_first = [skippable, zstd(&lines)].concat();
    for input in [padded, skip_first] {
        let output = run_with(&folder, &["--level", "near", "-"], &input);
        assert!(output.stdout.starts_with(b"a and 1 like it:\n"), "{}", stderr(&output));
    }
    stdout(&folder, &["--unique", "u.jsonl", "x.jsonl.gz"]);
    assert_eq!(fs::read_to_string(folder.join("u.jsonl")).unwrap(), line("a", FERRY) + &line("c", STORM));

    // A frame with a window of 2 GiB, as zstd --long=31 makes it.
    let long = [&0xFD2F_B528_u32.to_le_bytes()[..], &[0x00, (31 - 10) << 3], &[1, 0, 0]].concat();
    let folder = with_a_pair("long").with("bad.jsonl.zst", long);
    assert_unread(&folder, &["."], "./bad.jsonl.zst", &["window of 2.15 GB is larger", "zstd -d --long=31"]);
    // One that asks for the dictionary of number 7.
    let with_dictionary = [&0xFD2F_B528_u32.to_le_bytes()[..], &[0x01, 0, 7, 1, 0, 0]].concat();
    let folder = with_a_pair("dictionary").with("bad.jsonl.zst", with_dictionary);
    assert_unread(&folder, &["."], "./bad.jsonl.zst", &["with a dictionary", "zstd -d -D"]);
}

#[test]
fn what_is_wrong_with_compressed_files_is_told_as_it_is() {
    let [a, b] = [line("a", STORM), line("b", STORM)];
    for (name, packed) in [("bad.jsonl.gz", compressed(&a)), ("bad.jsonl.zst", zstd(&a))] {
        let place = format!("./{name}:2");
        for rest in ["\n", "hello, and more"] {
            let folder = with_a_pair("rest").with(name, [&packed, rest.as_bytes()].concat());
            assert_unread(&folder, &["."], &place, &["follow those that are", "get it again"]);
        }
        let whole = format!("./{name}");
        let cut = run(&with_a_pair("cut").with(name, &packed[..packed.len() / 2]), &["."]);
        assert_eq!(cut.status.code(), Some(1));
        assert!(stderr(&cut).contains("the compressed file ends too early"), "{}", stderr(&cut));
        for twice in [compressed(&packed), zstd(&packed)] {
            let folder = with_a_pair("twice").with(name, &twice);
            assert_unread(&folder, &["."], &whole, &["is compressed twice: unpack it once"]);
            assert!(stderr(&run(&folder, &["compare", "pair1.txt", name])).contains("is compressed twice"));
        }
    }
    let folder = Temp::new("whole").with("x.jsonl.gz", [compressed(&a), compressed(&b)].concat());
    assert_eq!(clusters(&folder, &["x.jsonl.gz"]), [["a", "b"]]);
}

/// Programs that fetch files pack and unpack them, and leave the names.
#[test]
fn what_is_compressed_shows_by_its_first_bytes() {
    let lines = line("a", FERRY) + &line("b", STORM) + &line("c", FERRY);
    let utf_16: Vec<u8> = [0xfeff].into_iter().chain(lines.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let folder = Temp::new("names").with("a.jsonl", compressed(&lines)).with("b.jsonl", zstd(&lines));
    let folder = folder.with("c.jsonl.gz", zstd(&lines)).with("d.jsonl.zst", &lines).with("e.jsonl.gz", utf_16);
    for name in ["a.jsonl", "b.jsonl", "c.jsonl.gz", "d.jsonl.zst", "e.jsonl.gz"] {
        assert_eq!(clusters(&folder, &[name]), [["a", "c"]], "{name}");
        stdout(&folder, &["--level", "near", "--unique", "u.jsonl", name]);
        assert_eq!(fs::read_to_string(folder.join("u.jsonl")).unwrap(), line("a", FERRY) + &line("b", STORM));
    }
    let texts = Temp::new("texts").with("a.txt", compressed(FERRY)).with("b.txt", FERRY);
    assert!(stdout(&texts, &["compare", "a.txt", "b.txt"]).contains("exact"));

    let tar = [&b"a.txt"[..], &[0; 252], b"ustar\x0000"].concat();
    let unread: [(&[u8], &str); 11] = [
        (&tar, "tar"),
        (b"SQLite format 3\0\x10\0", "SQLite"),
        (b"Obj\x01\x04\x14avro.codec", "Avro"),
        (b"ARROW1\0\0\xff\xff", "Arrow"),
        (b"\xfd7zXZ\0\0\x04", "xz"),
        (b"BZh91AY&SY\0", "bzip2"),
        (b"PK\x03\x04\x14\0", "zip"),
        (b"7z\xbc\xaf\x27\x1c\0", "7z"),
        (b"\x04\x22\x4d\x18\x64", "lz4"),
        (b"%PDF-1.7\n", "PDF"),
        (b"PAR1\x15\x04", "Parquet"),
    ];
    for (bytes, what) in unread {
        let told = format!("looks like {what}, which is not read as it is");
        let pair = with_a_pair("others").with("x.jsonl", bytes);
        assert_unread(&pair, &["."], "./x.jsonl", &[&told]);
        for bytes in [bytes, &compressed(bytes)] {
            let output = run_with(&pair, &["-"], bytes);
            assert!(stderr(&output).contains(&told), "{}", stderr(&output));
        }
    }
    let text = Temp::new("text").with("a.txt", format!("BZh9 {FERRY}"));
    assert_eq!(stdout(&text, &["a.txt"]), "No copies found among 1 article.\n");
}

/// Whoever writes an array may call it lines, and no line of it is an article.
#[test]
fn lists_and_objects_over_several_lines_are_read_whatever_they_are_called() {
    let [a, b, c] = [line("a", FERRY), line("b", STORM), line("c", FERRY)].map(|line| line.trim_end().to_string());
    let pretty = |line: &String| serde_json::to_string_pretty(&serde_json::from_str::<Value>(line).unwrap()).unwrap();
    let spread = [&a, &b, &c].map(pretty).join("\n");
    let others = [
        format!("[{a},{b},{c}]\n"),
        format!("[\n  {a},\n  {b},\n  {c}\n]"),
        spread.clone(),
        format!("\u{feff}{}", spread.replace('\n', "\r\n")),
        format!("{a}\r{b}\r{c}\r"),
        format!("{a} {b}{c}"),
    ];
    for content in &others {
        let folder = Temp::new("called lines").with("x.jsonl", content);
        assert_eq!(clusters(&folder, &["x.jsonl"]), [["a", "c"]], "{content}");
        let output = run(&folder, &["--unique", "u.jsonl", "x.jsonl"]);
        assert!(stderr(&output).contains("x.jsonl: it is read as .json"), "{}", stderr(&output));
        assert_eq!(output.status.code(), Some(2));
        let told = "x.jsonl has no object a line, as u.jsonl would: name that .json";
        assert!(stderr(&output).contains(told), "{}", stderr(&output));
        stdout(&folder, &["--unique", "u.json", "--annotate", "n.json", "x.jsonl"]);
        for (name, left) in [("u.json", ["a", "b"].as_slice()), ("n.json", &["a", "b", "c"])] {
            let written = fs::read_to_string(folder.join(name)).unwrap();
            let ids = ["a", "b", "c"].into_iter().filter(|id| written.contains(&format!("\"{id}\"")));
            assert_eq!(ids.collect::<Vec<_>>(), left, "{name} of {content}");
        }
    }
    let folder = Temp::new("lines").with("x.jsonl", format!("{a}\n{b}\n"));
    let output = run(&folder, &["--unique", "u.json", "x.jsonl"]);
    assert_eq!(output.status.code(), Some(2));
    let told = "x.jsonl does not fit into u.json byte for byte: name it .jsonl";
    assert!(stderr(&output).contains(told), "{}", stderr(&output));
    // A first line that is damaged makes no other form of what follows.
    for first in ["{", "[", "[1]", "{\"id\":", "[2024-05-17] begins", &format!("{a}{b}")] {
        let folder = Temp::new("damaged line").with("x.jsonl", [first, &a, &b, &c].join("\n"));
        assert_eq!(clusters(&folder, &["x.jsonl"]), [["a", "c"]], "{first}");
        let output = run(&folder, &["--format", "jsonl", "x.jsonl"]);
        assert!(String::from_utf8_lossy(&output.stdout).contains(r#""at":"x.jsonl:1","reason":"#), "{first}");
    }
}

/// As of files that were put together with `cat`.
#[test]
fn any_line_may_begin_with_a_mark() {
    let lines = ["a", "b"].map(|id| format!("\u{feff}{}", line(id, FERRY)));
    let folder = Temp::new("marks").with("x.jsonl", lines.concat());
    assert_eq!(clusters(&folder, &["x.jsonl"]), [["a", "b"]]);
    let clash = format!("\u{feff}{}", json!({"text": FERRY, "cluster": 1}));
    let folder = folder.with("y.jsonl", line("a", FERRY) + &clash);
    let output = run(&folder, &["--annotate", "z.jsonl", "y.jsonl"]);
    assert!(stderr(&output).contains("y.jsonl:2 has a field \"cluster\" already"), "{}", stderr(&output));
}

#[test]
fn fields_that_were_named_and_are_in_no_record_are_told_with_the_near_one() {
    let record = |id: &str, more: Value| {
        let mut record = json!({"id": id, "text": FERRY, "date": "2024-05-17", "outlet": "The Post"});
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        format!("{record}\n")
    };
    let folder = Temp::new("mistyped")
        .with("x.jsonl", record("a", json!({})) + &record("b", json!({})))
        .with("y.jsonl", record("c", json!({})));
    let cases: [(&[&str], &str); 6] = [
        (
            &["--date-field", "datte", "--keep", "earliest"],
            "no record has a date in \"datte\" (--date-field): did you mean \"date\"?",
        ),
        (
            &["--source-field", "Outlett", "--excerpts"],
            "no record has an outlet in \"Outlett\" (--source-field): did you mean \"outlet\"?",
        ),
        (&["--source-field", "station", "--excerpts"], "no record has an outlet in \"station\" (--source-field)"),
        (
            &["--id-field", "idd"],
            "no record has an id in \"idd\", so its place stands for it (--id-field): did you mean \"id\"?",
        ),
        (&["--source-field", "outlet", "--excerpts"], ""),
        (&["--date-field", "date", "--keep", "earliest"], ""),
    ];
    for (args, told) in cases {
        let output = run(&folder, &[args, &["."]].concat());
        let said = stderr(&output).lines().filter(|line| line.contains("no record has"));
        let wanted = format!("./x.jsonl and 1 more: {told}");
        let wanted = if told.is_empty() { vec![] } else { vec![&*wanted] };
        assert_eq!(said.collect::<Vec<_>>(), wanted, "{}", stderr(&output));
    }
    // Only the last of many has it.
    let late = (0..150).map(|at| line(&at.to_string(), FERRY)).collect::<String>();
    let folder = Temp::new("late").with("x.jsonl", late + &record("z", json!({"day": "2024-05-17"})));
    let output = run(&folder, &["--date-field", "day", "--keep", "earliest", "x.jsonl"]);
    assert!(!stderr(&output).contains("no record has"), "{}", stderr(&output));
}

/// So programs write columns of whole numbers in which one is missing.
#[test]
fn whole_numbers_with_a_point_are_ids() {
    let ids = ["1.0", "2e3", "-0.0", "2.5", "1e30", "null"];
    let lines = ids.map(|id| format!("{{\"id\":{id},\"a\":{{\"id\":{id}}},\"text\":\"{FERRY}\"}}\n"));
    let folder = Temp::new("floats").with("x.jsonl", lines.concat());
    for field in ["id", "a.id"] {
        let found = clusters(&folder, &["--id-field", field, "x.jsonl"]);
        assert_eq!(found, [["0", "1", "2000", "x.jsonl:4", "x.jsonl:5", "x.jsonl:6"]], "{field}");
    }
}

#[test]
fn of_columns_of_one_name_the_first_is_read_aloud() {
    let rows = format!("text,id,text\n{FERRY},a,x\n{FERRY},b,y\n");
    let folder = Temp::new("columns").with("x.csv", rows);
    assert_eq!(clusters(&folder, &["x.csv"]), [["a", "b"]]);
    let told = "x.csv: of the columns \"text\" the first is read";
    assert!(stderr(&run(&folder, &["x.csv"])).contains(told));
}

#[cfg(unix)]
#[test]
fn a_name_that_leads_to_a_pipe_is_read() {
    let folder = Temp::new("leads to a pipe");
    std::os::unix::fs::symlink("/dev/stdin", folder.join("x.jsonl")).unwrap();
    let lines = line("a", FERRY) + &line("b", FERRY);
    let output = run_with(&folder, &["--unique", "u.jsonl", "x.jsonl"], lines.as_bytes());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(folder.join("u.jsonl")).unwrap(), line("a", FERRY));
    let output = run_with(&folder, &["/dev/stdin"], lines.as_bytes());
    assert!(stderr(&output).contains("pipe it to `dedup -`"), "{}", stderr(&output));
}

#[cfg(unix)]
#[test]
fn what_a_pattern_matches_is_not_waited_for() {
    let folder = Temp::new("waiting").with("a.txt", FERRY).with("in/b.txt", FERRY);
    for pipe in ["p.txt", "in/p.txt"] {
        rustix::fs::mkfifoat(rustix::fs::CWD, folder.join(pipe), rustix::fs::Mode::RWXU).unwrap();
    }
    for pattern in ["*.txt", "**/*.txt"] {
        let mut run = dedup();
        let run = run.current_dir(&*folder).args([pattern, "--quiet"]).stdout(Stdio::null());
        let mut child = run.spawn().unwrap();
        let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None if std::time::Instant::now() > end => {
                    child.kill().unwrap();
                    panic!("{pattern} waits for a pipe");
                }
                None => std::thread::sleep(std::time::Duration::from_millis(20)),
            }
        };
        assert!(status.success(), "{pattern}");
    }
}

#[test]
fn archives_that_unpack_to_too_much_are_skipped() {
    let bomb = compressed("x".repeat(3_000_000));
    let zst = zstd("x".repeat(3_000_000));
    for (name, bytes) in [("bad.jsonl.gz", &bomb), ("bad.jsonl.zst", &zst)] {
        let folder = with_a_pair("bomb").with(name, bytes);
        let place = format!("./{name}:1");
        let limit = ["--unpack-limit", "1MB", "."];
        assert_unread(&folder, &limit, &place, &["unpacks to more than the 1.00 MB", "--unpack-limit"]);
    }
}

/// `cargo test --release --test formats -- --ignored`: half a minute and 2 GB of memory.
#[test]
#[ignore = "large"]
fn soak() {
    let folder = Temp::new("soak");
    let words = |bytes: usize| format!("{FERRY} ").repeat(bytes / FERRY.len());
    for name in ["x.jsonl", "x.json"] {
        let (open, close) = if name == "x.json" { ("[", "]") } else { ("", "") };
        fs::write(folder.join(name), format!("{open}{}{close}", line("one", &words(100 << 20)).trim_end())).unwrap();
        assert!(stdout(&folder, &["--level", "near", name]).starts_with("No copies found among 1 article"));
        // And all of it without an end of line or of a string.
        fs::write(folder.join(name), format!("{open}{{\"id\": \"a\", \"text\": \"{}", words(100 << 20))).unwrap();
        let output = run(&folder, &[name]);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    }
    for (end, code) in [("\"", 0), ("", 2)] {
        fs::write(folder.join("x.csv"), format!("id,text\na,\"{}{end}", words(100 << 20))).unwrap();
        assert_eq!(run(&folder, &["--level", "near", "x.csv"]).status.code(), Some(code));
    }
    let empty: String = (0..1_000_000).map(|id| format!("{{\"id\":{id},\"text\":\"\"}}\n")).collect();
    fs::write(folder.join("x.jsonl"), empty + &line("a", FERRY) + &line("b", FERRY)).unwrap();
    let found = stdout(&folder, &["--unique", "unique.jsonl", "x.jsonl"]);
    assert!(found.starts_with("a and 1 like it:\n") && found.contains("Skipped 1,000,000:\n"));
    assert_eq!(fs::read_to_string(folder.join("unique.jsonl")).unwrap().lines().count(), 1_000_001);
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_needs_a_feature() {
    let pair = with_a_pair("parquet").with("bad.parquet", "PAR1");
    let parts = ["built without Parquet", "build it with --features parquet"];
    assert_unread(&pair, &["."], "./bad.parquet", &parts);
}

/// What reads and writes Parquet is tested by `tests/parquet.rs`, which is empty without the feature.
#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_is_a_feature() {
    skipped("Parquet: built without the feature parquet");
}
