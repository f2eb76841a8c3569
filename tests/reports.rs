//! Golden reports: everything that a detection reports on fixed articles, every number by all of its digits.
//!
//! Where `golden.rs` holds what may never change within a format version, these files show in review what a change of the rules,
//! or of the form of a report, does to all fields at once. To accept a change on purpose:
//! `RETOLD_WRITE_GOLDEN=1 cargo test --test reports`, and say in the changelog why they moved.

#[path = "common/articles.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod articles;
#[allow(dead_code, reason = "the benchmarks use more of it")]
#[path = "../benches/corpus/mod.rs"]
mod corpus;
#[path = "common/golden.rs"]
mod golden;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "common/prose.rs"]
mod prose;
#[path = "common/story.rs"]
mod story;

use std::fs;
use std::path::Path;

use retold::{Article, Detector, DetectorBuilder, Excerpts, Level, Report, Representative};
use serde_json::Value;
use story::Story;

/// Compares what is found with the golden file of this name, under `tests/golden/reports`.
fn hold<A: Article>(name: &str, builder: DetectorBuilder, articles: &[A]) {
    let report = builder.build().unwrap().find(articles).unwrap();
    let advice = "If the change of what is found or how it is told is on purpose, say in the changelog why, and run\n  \
                  RETOLD_WRITE_GOLDEN=1 cargo test --test reports";
    golden::hold(&format!("reports/{name}.jsonl"), &lines(&report), advice);
}

/// All of a report but the times, one finding a line.
fn lines(report: &Report) -> Vec<String> {
    let Value::Object(fields) = serde_json::to_value(report).unwrap() else { panic!("a report is an object") };
    let mut lines = Vec::new();
    for (field, mut value) in fields {
        let mut add = |value: &Value| lines.push(format!("{{\"{field}\":{value}}}"));
        match &mut value {
            Value::Array(findings) => findings.iter().for_each(&mut add),
            Value::Object(summary) => {
                summary.remove("times").expect("a summary has times");
                add(&value);
            }
            _ => panic!("{field} is {value}"),
        }
    }
    lines
}

#[test]
fn the_sample_articles() {
    hold("seeds", Detector::builder().near_misses(0.3), &articles::articles("seeds"));
}

#[test]
fn synthetic_articles_with_planted_copies() {
    let articles = corpus::Corpus::new(240, 0.3, 11).articles;
    hold("planted", Detector::builder().near_misses(0.2), &articles);
}

#[test]
fn a_crowd_of_rewordings() {
    let (source, reworded) = corpus::rewordings(7, 30, 5);
    let mut articles = corpus::Corpus::new(60, 0.0, 6).articles;
    articles.extend(std::iter::once(source).chain(reworded).zip(0..).map(|(text, at)| (format!("crowd {at}"), text)));
    hold("crowd", Detector::builder(), &articles);
}

/// Generated news as several outlets print it: whole, cut, with a release in it, with a footer, under one id twice, and too short.
fn outlets() -> Vec<Story> {
    let stories = prose::stories(48, 3);
    let paragraphs = |at: usize| stories[at].1.split("\n\n").map(str::to_owned).collect::<Vec<_>>();
    let footer = "Sign up for our weekly letter on the harbour towns, follow us wherever you read the news, and write to the editors \
        at the old customs house if you know of a story that we should tell next week or the week after.";
    let mut all = Vec::new();
    let mut add = |id: String, text: String, day: usize, source: usize| {
        let date = (!day.is_multiple_of(7)).then(|| format!("2024-05-{:02}", 1 + day % 28));
        let source = (source > 0).then(|| format!("outlet {source}"));
        all.push(Story { id, text, date, source, is_known: day.is_multiple_of(11) });
    };
    for (at, (id, text)) in stories.iter().enumerate() {
        add(id.clone(), text.clone(), at, at % 5);
        let other = &stories[(at + 1) % stories.len()].1;
        let words: Vec<&str> = text.split(' ').collect();
        match at % 8 {
            0 => add(format!("{id} again"), text.to_uppercase(), at + 1, 1),
            1 => add(format!("{id} cut"), paragraphs(at)[..1].join("\n\n"), at + 2, 2),
            2 => add(format!("{id} wrapped"), format!("{other}\n\n{text}\n\n{other}"), at + 3, 3),
            3 => add(format!("{id} quoted"), format!("{other}\n\n{}", words[..60].join(" ")), at + 4, 4),
            4 | 5 => add(format!("{id} with a footer"), format!("{other} {} {footer}", at), at + 5, 1 + at % 2),
            6 => add(id.clone(), words[..words.len() - 12].join(" "), at + 6, 0),
            _ => add(format!("{id} short"), words[..at % 3].join(" "), at, 0),
        }
    }
    all
}

#[test]
fn news_of_several_outlets_with_excerpts() {
    hold("outlets", Detector::builder().excerpts(Excerpts::FindAll).near_misses(0.2), &outlets());
}

#[test]
fn edited_copies_by_other_options() {
    let week = std::time::Duration::from_secs(7 * 24 * 60 * 60);
    let builder = Detector::builder().level(Level::Near).threshold(0.7).containment(0.9);
    hold("options", builder.representative(Representative::Earliest).within(week), &outlets());
}

/// The code of the crate that judges, file by file: without comments, and without tests.
fn code(folder: &Path, all: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // What keeps articles decides nothing.
        if path.is_dir() && name != "records" {
            code(&path, all);
        } else if name.ends_with(".rs") && !["tests.rs", "load.rs"].contains(&&*name) {
            let source = fs::read_to_string(&path).unwrap();
            let code = source.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
            let without_comment = |line: &str| line.split("//").next().unwrap_or_default().trim().to_owned();
            all.extend(code.lines().map(without_comment));
        }
    }
}

/// Workers of another rule are refused by this number, so that it must not stay when the rule changes.
#[test]
fn the_rule_has_a_number_that_changes_with_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut lines = Vec::new();
    code(&root.join("src"), &mut lines);
    // Wherever they stand: constants, and shares and weights within the code.
    let is_const = |line: &str| line.split(' ').take(2).any(|word| word == "const") && line.ends_with(';');
    let is_share = |line: &str| {
        line.split('.').collect::<Vec<_>>().windows(2).any(|two| {
            two[0].ends_with(|c: char| c.is_ascii_digit()) && two[1].starts_with(|c: char| c.is_ascii_digit())
        })
    };
    lines.retain(|line| (is_const(line) || is_share(line)) && !line.starts_with("pub const RULE"));
    assert!(lines.len() > 300 && lines.iter().any(|line| line == "const SAME: f32 = 0.8;"), "{lines:#?}");
    lines.sort_unstable();
    let mut reports: Vec<_> =
        fs::read_dir(root.join("tests/golden/reports")).unwrap().map(|file| file.unwrap().path()).collect();
    reports.sort_unstable();
    for file in [root.join("src/content/prior.txt")].into_iter().chain(reports) {
        lines.extend(fs::read_to_string(file).unwrap().lines().map(str::to_owned));
    }
    let bytes = lines.iter().flat_map(|line| line.bytes().chain([b'\n']));
    let rule = bytes.fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    assert_eq!(
        retold::kernels::RULE,
        rule,
        "a weight, a threshold or what is found changed: set kernels::RULE to {rule:#010x}"
    );
}
