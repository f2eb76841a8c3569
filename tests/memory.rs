//! Little memory: the same is found, the disk is used, and a disk that fails is told.

#[path = "../benches/corpus/mod.rs"]
#[allow(dead_code, reason = "the benchmarks use more of it")]
mod corpus;

mod common;

use std::fs;
use std::path::PathBuf;

use common::*;
use retold::{Detector, Error, Representative};

use corpus::Corpus;

/// Enough articles for more than one chunk of each kind, in no order of their ids.
fn articles() -> Vec<(String, String)> {
    let mut articles = Corpus::new(1100, 0.2, 7).articles;
    articles.sort_by_key(|(id, _)| id.bytes().rev().collect::<Vec<u8>>());
    articles
}

#[test]
fn any_memory_finds_the_same() {
    let articles = articles();
    let builder = Detector::builder().near_misses(0.1).representative(Representative::Longest);
    let all = builder.clone().build().unwrap().find(&articles).unwrap();
    assert!(all.clusters().len() > 50, "{}", all.clusters().len());
    for memory in [0, 600_000, 3_000_000, u64::MAX] {
        let mut collector = builder.clone().memory(memory).build().unwrap().collector();
        articles.chunks(170).for_each(|batch| collector.extend(batch.iter().cloned()).unwrap());
        let (report, kept) = collector.find().unwrap();
        assert_eq!(report.clusters(), all.clusters(), "{memory}");
        for position in [0, 511, 512, 1099] {
            let (id, text) = &articles[position];
            assert_eq!((kept.id(position), &*kept.text(position).unwrap()), (&**id, &**text));
        }
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error() {
    let nowhere = PathBuf::from("there/is/no/such/folder");
    let detector = Detector::builder().memory(1000).spill_folder(&nowhere).build().unwrap();
    let articles = articles();
    for result in [detector.find(&articles).map(|_| ()), detector.collector().extend(articles.clone())] {
        match result {
            Err(error @ Error::Spill { .. }) => {
                let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<std::io::Error>());
                assert_eq!(cause.map(std::io::Error::kind), Some(std::io::ErrorKind::NotFound));
                assert!(matches!(&error, Error::Spill { folder, .. } if *folder == nowhere), "{error}");
            }
            other => panic!("{other:?}"),
        }
    }
}

fn lines() -> String {
    articles().iter().map(|(id, text)| line(id, text)).collect()
}

#[test]
fn the_command_finds_the_same_in_all_its_forms() {
    let folder = Temp::new("memory").with("x.jsonl", lines());
    let all = findings(&folder, &["x.jsonl"]);
    assert_eq!(findings(&folder, &["--memory", "500k", "--spill-folder", ".", "x.jsonl"]), all);
    assert_eq!(findings(&folder, &["--memory", "1GiB", "x.jsonl"]), all);
    assert_eq!(fs::read_dir(&*folder).unwrap().count(), 1, "temporary files have no names");
    let told = |memory: &str| {
        stderr(&run(&folder, &["--memory", memory, "--level", "near", "x.jsonl"]))
            .contains("of memory is less than 1,100 articles")
    };
    assert!(told("1k") && !told("1M"));
    for format in ["text", "html"] {
        let with = |memory: &[&str]| {
            stdout(&folder, &[&["--format", format, "--level", "near"], memory, &["x.jsonl"]].concat())
        };
        assert!(with(&["--memory", "500k"]) == with(&[]), "{format}");
    }
    let unique = |name: &str, memory: &[&str]| {
        let removed = format!("{name}.removed");
        stdout(&folder, &[memory, &["--unique", name, "--removed", &removed, "x.jsonl"]].concat());
        (fs::read_to_string(folder.join(name)).unwrap(), fs::read_to_string(folder.join(removed)).unwrap())
    };
    assert!(unique("little.jsonl", &["--memory", "500k"]) == unique("all.jsonl", &[]));
}

#[test]
fn a_plan_keeps_to_the_memory_given() {
    let folder = Temp::new("memory-plan").with("x.jsonl", lines());
    let memory = |options: &[&str]| {
        let plan = stdout(&folder, &[&["plan"], options, &["x.jsonl"]].concat());
        plan.lines().find(|line| line.starts_with("memory")).unwrap().to_string()
    };
    let little = memory(&["--memory", "1M"]);
    assert!(
        little.starts_with("memory      about 1.00 MB, and about ") && little.ends_with(" of temporary files"),
        "{little}"
    );
    assert_eq!(memory(&["--memory", "1T"]), memory(&[]));
}

#[test]
fn what_cannot_work_is_told() {
    let folder = Temp::new("memory-wrong").with("x.jsonl", lines());
    for (options, message) in [
        (&["--memory", "much"][..], "invalid value 'much' for '--memory <SIZE>'"),
        (&["--memory", "1k", "--spill-folder", "gone"], "error: cannot spill to gone: "),
        (&["--spill-folder", "."], "--memory <SIZE>"),
    ] {
        let output = run(&folder, &[options, &["x.jsonl"]].concat());
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{options:?}");
        assert!(stderr(&output).contains(message), "{options:?}: {}", stderr(&output));
    }
}

/// Needs the right to mount; is skipped with a message without it.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_at_every_step() {
    let folder = Temp::new("memory-full").with("x.jsonl", lines());
    // What is written first is the texts, and so on.
    for size in ["16k", "1500k", "2500k", "4m", "5m", "6m"] {
        let Some(disk) = SmallDisk::mount(folder.join("disk"), size) else { return };
        let output = run(&folder, &["--memory", "1k", "--spill-folder", "disk", "x.jsonl"]);
        drop(disk);
        let full = "error: cannot spill to disk: No space left on device";
        match output.status.code() {
            Some(0) => assert!(size == "6m" || size == "5m", "{size} are enough"),
            code => assert!(code == Some(2) && stderr(&output).contains(full), "{size}: {}", stderr(&output)),
        }
    }
}
