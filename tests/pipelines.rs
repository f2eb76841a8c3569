//! What `dedup` writes for programs: annotated input, lines of JSON and their schema.

mod common;
#[path = "common/random.rs"]
mod random;

use std::fs;
use std::path::Path;

use common::*;
use random::mixed;
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
            format!("d,\"{FERRY}\",x,,\n"),
        ];
        let folder = Temp::new("rows").with(name, rows.concat().replace(',', delimiter));
        let notes = name.replace('x', "notes");
        stdout(&folder, &["--level", "near", "--annotate", &notes, name]);
        let place = if name == "x,y.csv" { "\"x,y.csv:2\"".to_string() } else { format!("{name}:2") };
        let wanted = rows[0].replace("more\r", "more,cluster,duplicate_of,relation,similarity\r")
            + &rows[1].replace('\r', ",1,,,\r")
            + &rows[2].replace('\r', ",,1,@,exact,1.0\r")
            // What has no name stays, and does not look like what was found.
            + &rows[3].replace(",y\n", ",,,,,y\n")
            + &rows[4].replace(",x,,\n", ",x,1,@,exact,1.0,,\n");
        assert_eq!(read(folder.join(notes)), wanted.replace(',', delimiter).replace('@', &place), "{name}");
    }
}

#[test]
fn annotations_that_cannot_be_are_refused() {
    let taken = format!("{}\n", json!({"id": "a", "text": FERRY, "relation": "aunt"}));
    let folder = Temp::new("refused")
        .with("x.jsonl", &taken)
        // Not the first record, and one with what is no number in JSON.
        .with("later.jsonl", line("b", STORM) + &taken)
        .with("nan.jsonl", format!("{{\"v\": NaN, {}", &taken[1..]))
        .with("x.csv", format!("id,text,cluster\na,{FERRY},1\n"))
        .with("a.txt", FERRY);
    for (args, message) in [
        (["--annotate", "notes.jsonl", "x.jsonl"], "x.jsonl:1 has a field \"relation\" already"),
        (["--annotate", "notes.jsonl", "later.jsonl"], "later.jsonl:2 has a field \"relation\" already"),
        (["--annotate", "notes.jsonl", "nan.jsonl"], "nan.jsonl:1 has a field \"relation\" already"),
        (["--annotate", "notes.csv", "x.csv"], "x.csv:1 has a field \"cluster\" already"),
        (["--annotate", "notes", "a.txt"], "texts, and they have no fields"),
        (["--annotate", "gone/notes.jsonl", "x.jsonl"], "make the folder first"),
        (["--annotate", "x.jsonl", "x.jsonl"], "is read itself"),
    ] {
        let output = run(&folder, &args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(message), "{args:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty(), "{args:?}: it is told before anything is searched");
    }
    assert_eq!(fs::read_dir(&*folder).unwrap().count(), 5);
    // What is known already is not written, and may have any fields.
    let folder = Temp::new("known fields").with("x.jsonl", &taken).with("y.jsonl", line("b", FERRY));
    stdout(&folder, &["--annotate", "notes.jsonl", "--against", "x.jsonl", "y.jsonl"]);
    // In a table the first row says what the fields are, whatever stands in a cell.
    let folder = Temp::new("cells").with("x.csv", "text\n{\"cluster\":1}\na text of six words or so\n");
    stdout(&folder, &["--annotate", "notes.csv", "x.csv"]);
    // The word alone is no field.
    let folder = Temp::new("words").with("x.jsonl", line("a", r#"he wrote "relation": nothing"#));
    assert!(stdout(&folder, &["--annotate", "notes.jsonl", "x.jsonl"]).contains("No copies"));
}

#[test]
fn furniture_is_stripped_and_nothing_else() {
    let footer = "Write to the desk of the paper at the old mill in Orrin, or call before noon on working days, and please say \
        which edition you have read, since the late one differs. All that is printed here belongs to the paper.";
    let stories = [
        "The ferry to Orrin stops in March, since nobody mends its engines and the farmers send their milk by road. \
            Who lives there rows across or waits for the post boat, which takes eleven people and no cattle at all.",
        "Snow closed the mountain road to Hallin, where guests of the hotel played cards by candlelight all night. \
            Ploughs from two valleys worked until dawn, and the baker walked nine miles with rolls in a rucksack.",
        "A tern that was ringed in Sallow forty years ago was found alive last Sunday on a beach near the lighthouse. \
            Nobody knows where it spent the years between, says the warden, who read its number through a telescope.",
        "The council chose oak for the new bridge: steel would have cost less, but rusts where the tide comes in. \
            Carpenters from the yard will shape it over three summers, and schools may carve their names below the rail.",
        "Nine children learned to weave nets this winter from the last fisherman who still mends his own. \
            The first net caught a boot and two crabs; the second, knotted by a girl of seven, came up full of herring.",
    ];
    let with = |story: &str| format!("{story} {footer}");
    let mut texts: Vec<String> = stories.iter().map(|story| with(story)).collect();
    // An exact copy, whose bytes are others; a story without it; and an article without a word.
    texts.extend([with(stories[0]).replace(", ", " -- "), FERRY.into(), "...".into()]);
    let lines: String = texts.iter().zip('a'..).map(|(text, id)| line(&id.to_string(), text)).collect();
    let folder = Temp::new("furniture").with("x.jsonl", lines);
    assert!(run(&folder, &["--strip-furniture", "told.jsonl", "x.jsonl"]).status.success());
    let told: Vec<Value> =
        read(folder.join("told.jsonl")).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told.len(), texts.len());
    for ((told, text), place) in told.iter().zip(&texts).zip(1..) {
        assert_eq!(told["at"], format!("x.jsonl:{place}"));
        let (mut left, mut end) = (String::new(), 0);
        for cut in told["cut"].as_array().unwrap() {
            let [start, stop] = ["start", "end"].map(|edge| cut[edge].as_u64().unwrap() as usize);
            left += &(text[end..start].to_string() + "\n");
            end = stop;
        }
        assert_eq!(told["text"], left + &text[end..], "what is cut is all that is missing");
        let left = told["text"].as_str().unwrap();
        let story = text.split(" Write to the desk").next().unwrap();
        assert!(left.starts_with(story), "{left}");
        assert!(left.len() < story.len() + 12, "the footer is gone: {left}");
    }
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
    let files = ["--removed", "removed.jsonl", "--strip-furniture", "stripped.jsonl"];
    let output = run(&folder, &[&["--format", "jsonl", "--progress", "jsonl", ".", "gone.txt"][..], &files].concat());
    check(std::str::from_utf8(&output.stdout).unwrap());
    check(stderr(&output));
    check(&read(folder.join("removed.jsonl")));
    check(&read(folder.join("stripped.jsonl")));
    check(&stdout(&seeds(), &["--format", "jsonl", "."]));
    check(&stdout(&seeds(), &["--format", "summary", "."]));
    let pair = |other: &str| run(&seeds(), &["compare", "--format", "jsonl", "004_school-hall-meeting.txt", other]);
    for other in ["004_school-hall-meeting.txt", "006_school-hall-near-copy.txt", "005_ferry-theme-russian.txt"] {
        check(std::str::from_utf8(&pair(other).stdout).unwrap());
    }
    check(&stdout(&with_a_copy_of_a_copy("schema-via"), &["--level", "near", "--format", "jsonl", "."]));
    check(&stdout(&seeds(), &["audit", "--format", "jsonl", "."]));
    check(&stdout(&seeds(), &["audit", "--format", "jsonl", "--level", "near", "--threshold", "0.99", "."]));
    // Texts with a long passage in common, of which what stands beside it is told.
    let passage = "The harbour board said on Monday that the old pier will be closed from March until the end of the summer, \
        since the piles under its head have rotted, and that the boats of the island will land at the quay behind the \
        customs house, where a new ramp for carts and a shelter for those who wait are to be built before Easter. ";
    let island = "Farmers on the island fear for their milk, and the doctor asked who will bring patients over at night once the \
        winter gales set in. Nobody mends the engines of the ferry any more, and the two men who could have left for the city.";
    let snow = "Ploughs from two valleys worked until dawn, while guests of the hotel played cards by candlelight and waited for a \
        warm wind. The school of the village stayed shut for days, and the baker walked nine miles with rolls in a rucksack.";
    let folder = Temp::new("outside")
        .with("a.txt", format!("{passage}{island} {island}"))
        .with("b.txt", format!("{passage}{}", island.replace("fear for", "worry about")))
        .with("c.txt", format!("{passage}{snow}"));
    let compared = run(&folder, &["compare", "--format", "jsonl", "a.txt", "c.txt"]);
    let compared = std::str::from_utf8(&compared.stdout).unwrap();
    assert!(compared.contains("\"outside\""), "{compared}");
    check(compared);
    check(&stdout(
        &folder,
        &["--format", "jsonl", "--unique", "u", "--removed", "removed.jsonl", "a.txt", "b.txt", "c.txt"],
    ));
    check(&read(folder.join("removed.jsonl")));
    check(&stdout(&folder, &["audit", "--format", "jsonl", "a.txt", "b.txt", "c.txt"]));
    types.sort();
    types.dedup();
    assert_eq!(
        types,
        [
            "article",
            "cluster",
            "comparison",
            "near_misses",
            "pair",
            "precision",
            "progress",
            "recall",
            "removed",
            "skipped",
            "summary",
            "unread"
        ],
        "each was seen"
    );
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

/// Random numbers from one seed, one after the other.
struct Random(u64, u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.1 += 1;
        (mixed(self.0 << 32 | self.1) % end as u64) as usize
    }

    fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

const EXTENSIONS: [&str; 11] =
    ["txt", "jsonl", "json", "csv", "tsv", "rss", "atom", "wet", "ndjson", "parquet", "html"];

/// A file of some form with copies in it, here and there damaged.
fn file(random: &mut Random, extension: Option<&'static str>) -> (String, Vec<u8>) {
    let text = |random: &mut Random| {
        random.of(&[FERRY, STORM, "too short", "", "\"No,\" he said, \"not this week.\"\nNever."])
    };
    let id = |random: &mut Random| random.of(&["1", "1.5", "null", "\"a\"", "\"a\"", "\"b\"", "NaN", "[]"]);
    let count = random.below(5);
    let objects: Vec<String> = (0..count)
        .map(|_| {
            format!(
                "{{\"id\":{},\"text\":{},\"date\":\"2024-05-0{}\"}}",
                id(random),
                json!(text(random)),
                random.below(10)
            )
        })
        .collect();
    let mut table = |delimiter: &str| {
        let cell = |random: &mut Random| {
            let text = text(random);
            if random.below(4) > 0 { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.into() }
        };
        let rows: String = (0..count).map(|at| format!("{at}{delimiter}{}\r\n", cell(random))).collect();
        format!("id{delimiter}text\r\n{rows}")
    };
    let warc = |text: &str| {
        format!("WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: {}\r\n\r\n{text}\r\n\r\n", text.len())
    };
    let delimiters = [",", ";", "\t", "|"];
    let (csv, tsv) = (table(","), table("\t"));
    let odd = table(delimiters[count % 4]);
    let extension = extension.unwrap_or_else(|| random.of(&EXTENSIONS));
    let mut bytes = match extension {
        "txt" => text(random).as_bytes().to_vec(),
        "jsonl" | "ndjson" => objects.join(random.of(&["\n", "\r\n", "\n\n"])).into_bytes(),
        "json" => format!("[{}]", objects.join(",")).into_bytes(),
        "csv" => if random.below(2) == 0 { csv } else { odd }.into_bytes(),
        "tsv" => tsv.into_bytes(),
        "wet" => (0..count).map(|_| warc(text(random))).collect::<String>().into_bytes(),
        "rss" => {
            format!("<rss version=\"2.0\"><channel><item><description>{FERRY}</description></item></channel></rss>")
                .into()
        }
        _ => objects.concat().into_bytes(),
    };
    for _ in 0..random.below(3) * random.below(3) {
        let byte = random.of(&[b"\"", b"\n", b"\\", b"{", b"\t", b"\xff", b"\0", b",", b"]"]);
        let at = random.below(bytes.len() + 1);
        bytes.splice(at..(at + random.below(3)).min(bytes.len()), byte.iter().copied());
    }
    let end = random.of(&["", "", "", ".gz", ".zst"]);
    let mut bytes = match end {
        ".gz" => compressed(bytes),
        ".zst" => zstd(bytes),
        _ if random.below(12) == 0 => {
            String::from_utf8_lossy(&bytes).encode_utf16().flat_map(u16::to_le_bytes).collect()
        }
        _ => bytes,
    };
    if random.below(12) == 0 {
        bytes.truncate(random.below(bytes.len() + 1));
    }
    (format!("{}.{extension}{end}", random.of(&["a", "b", "odd, \"name\""])), bytes)
}

/// Runs with random options on random bytes: a run that ends, with an exit code that is documented, lines of JSON that are as
/// their schema says, and outputs that hold what they must.
fn random_runs(seeds: std::ops::Range<u64>) {
    let schema: Value = serde_json::from_str(include_str!("../examples/dedup/lines.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut codes = [0; 3];
    for seed in seeds {
        let random = &mut Random(seed, 0);
        let mut folder = Temp::new("random");
        let mut names: Vec<String> = vec!["missing.jsonl".into(); usize::from(random.below(12) == 0)];
        // Files of one form, as most corpora are, or of any.
        let extension = Some(random.of(&EXTENSIONS[..9])).filter(|_| random.below(4) > 0);
        for _ in 0..=random.below(3) {
            let (name, bytes) = file(random, extension);
            folder = folder.with(&name, bytes);
            names.push(name);
        }
        let form = names.last().unwrap().split_once('.').unwrap().1.to_owned();
        let mut args: Vec<String> = ["--format", random.of(&["jsonl", "jsonl", "summary"])].map(String::from).to_vec();
        let options: [&[&str]; 20] = [
            &["--strict"],
            &["--quiet"],
            &["--level", "near"],
            &["--keep", "first"],
            &["--keep", "longest"],
            &["--keep", "earliest"],
            &["--within", "3d"],
            &["--min-words", "6"],
            &["--threshold", "0.9"],
            &["--delimiter", ";"],
            &["--delimiter", "tab"],
            &["--encoding", "latin1"],
            &["--encoding", "utf-16le"],
            &["--text-field", "text"],
            &["--text-field", "a.b"],
            &["--id-field", "nr"],
            &["--unpack-limit", "100"],
            &["--progress", "jsonl"],
            &["--memory", "1K"],
            &["--threads", "2"],
        ];
        let mut used: Vec<&str> = Vec::new();
        for _ in 0..random.below(5) {
            let option = random.of(&options);
            if !used.contains(&option[0]) {
                used.push(option[0]);
                args.extend(option.iter().map(ToString::to_string));
            }
        }
        let name = |option: &str| match option {
            "--removed" => "out--removed.jsonl".into(),
            _ if form.starts_with("txt") => format!("out{option}"),
            _ => format!("out{option}.{}", form.replace("rss", "jsonl").replace("atom", "jsonl")),
        };
        for option in ["--unique", "--annotate", "--removed"] {
            if random.below(4) == 0 && (option != "--annotate" || random.below(3) == 0) {
                args.extend([option.into(), name(option)]);
            }
        }
        if names.len() > 1 && random.below(4) == 0 {
            args.extend(["--against".into(), names.remove(0)]);
        }
        args.extend(names);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = run(&folder, &args);
        let said = String::from_utf8_lossy(&output.stderr);
        let told = format!("seed {seed}: dedup {args:?}: {said}");
        let code = output.status.code().unwrap_or_else(|| panic!("{told}"));
        assert!(code <= 2 && !said.contains("panicked") && !said.contains("internal error"), "{told}");
        codes[code as usize] += 1;
        assert_eq!(code == 2, said.lines().any(|line| line.starts_with("error: ")), "{told}");
        let mut outputs = vec![String::from_utf8(output.stdout).unwrap()];
        outputs.extend(fs::read_to_string(folder.join("out--removed.jsonl")));
        outputs.extend(
            args.contains(&"jsonl")
                .then(|| said.lines().filter(|line| line.starts_with('{')).map(|line| format!("{line}\n")).collect()),
        );
        for line in outputs.iter().flat_map(|output| output.lines()) {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}: {told}"));
            assert!(validator.is_valid(&line), "{line}: {told}");
        }
        for option in ["--unique", "--annotate", "--removed"] {
            let path = folder.join(name(option));
            assert_eq!(path.exists(), args.contains(&option) && code < 2, "{option}: {told}");
        }
    }
    println!("exit codes: {codes:?}");
    assert!(codes.iter().all(|&count| count > 0), "each exit code was seen: {codes:?}");
}

#[test]
fn random_options_on_random_bytes() {
    random_runs(0..150);
}

/// `cargo test --release --test pipelines -- --ignored`: some minutes.
#[test]
#[ignore = "long"]
fn many_random_options_on_random_bytes() {
    random_runs(1000..51_000);
}

/// Two articles with one passage in them, otherwise about different things.
fn with_a_passage() -> [String; 2] {
    let passage = "The harbour board said on Monday that the ferry would stop in March, since fewer than nine people a day had crossed \
        the bay in winter. The old ship would not pass its next inspection, the board added, and a new one was out of the question \
        as long as the county paid for nothing but the road.";
    let host = format!(
        "Nobody at the baker's was surprised on Tuesday morning, and at the hairdresser's they had known it since Easter. {passage} What the mayor thinks of it she would not say last night. She spoke about the \
         church roof instead, the mill that burned down in May, and the new teacher, who brings three children and a goat with her. \
         The goat is to graze behind the hall, if the neighbours agree; two of them do not. A vote was put off until the autumn, and \
         the meeting ended with songs, some of which were older than the pier."
    );
    let source = format!(
        "{passage} Letters to the editor reach us best by Thursday noon. Short ones are printed first, long ones when somebody in the \
         office has the patience for them, and those in verse at Christmas. Last week seven came about dogs on the beach, four about \
         the price of bread, and one, from a reader abroad, about a photograph in which he knew his grandmother. We sent him the plate."
    );
    [host, source]
}

#[test]
fn excerpts_are_told_with_their_places_sources_and_dates() {
    let [host, source] = with_a_passage();
    let record = |id: &str, text: &str, fields: Value| {
        let mut record = json!({"id": id, "text": text});
        record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        format!("{record}\n")
    };
    let urls = |a: &str, b: &str| {
        record(a, &host, json!({"date": "2024-05-17"})) + &record(b, &source, json!({"date": "2024-05-18"}))
    };
    let excerpts = |lines: String, args: &[&str]| {
        let folder = Temp::new("excerpts").with("x.jsonl", lines);
        let mut all = vec!["--level", "near", "--format", "jsonl", "x.jsonl"];
        all.extend(args);
        let output = run(&folder, &all);
        assert!(output.status.success(), "{}", stderr(&output));
        let schema: Value = serde_json::from_str(include_str!("../examples/dedup/lines.schema.json")).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        records.iter().for_each(|record| assert!(validator.is_valid(record), "{record}"));
        records.into_iter().filter(|record| record["type"] == "excerpt").collect::<Vec<Value>>()
    };
    let [excerpt] = &excerpts(urls("https://www.north.example/a", "https://south.example/b"), &["--excerpts"])[..]
    else {
        panic!()
    };
    // The later one took it over.
    assert_eq!((&excerpt["host"]["id"], &excerpt["date"]), (&json!("https://south.example/b"), &json!("2024-05-17")));
    assert_eq!(
        (&excerpt["kind"], &excerpt["holders"], &excerpt["host"]["start"]),
        (&json!("verbatim"), &json!(2), &json!(0))
    );
    let span = |side: &Value| side["start"].as_u64().unwrap() as usize..side["end"].as_u64().unwrap() as usize;
    assert_eq!(source[span(&excerpt["host"])], host[span(&excerpt["source"])]);

    // One outlet, by the address or by a field.
    let same = || urls("https://www.north.example/a", "http://north.example:80/b");
    assert_eq!(excerpts(same(), &["--excerpts"]), [Value::Null; 0]);
    let [excerpt] = &excerpts(same(), &["--excerpts=all"])[..] else { panic!() };
    assert_eq!(excerpt["furniture"], true);
    let named = record("a", &host, json!({"outlet": "North"})) + &record("b", &source, json!({"outlet": "North"}));
    assert_eq!(excerpts(named.clone(), &["--excerpts"]).len(), 1);
    assert_eq!(excerpts(named, &["--excerpts", "--source-field", "outlet"]), [Value::Null; 0]);
    assert_eq!(excerpts(same(), &[]), [Value::Null; 0]);

    let folder = Temp::new("excerpts as text").with("host.txt", &*host).with("source.txt", &*source);
    let text = stdout(&folder, &["--excerpts", "."]);
    assert!(
        text.contains("words, 100% the same\n    in    host.txt ") && text.contains("    from  source.txt 0.."),
        "{text}"
    );
    assert_eq!(text.matches("The harbour board said on Monday").count(), 2, "{text}");
    let refused = run(&folder, &["--source-field", "outlet", "."]);
    assert!(stderr(&refused).contains("--source-field is for --excerpts alone"), "{}", stderr(&refused));
}
