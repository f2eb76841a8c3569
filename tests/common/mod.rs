//! What the end-to-end tests of the `dedup` example share.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

/// The binary that `cargo test` built beside this one: the command where it is a feature, else the example.
pub fn dedup() -> Command {
    let tests = std::env::current_exe().unwrap();
    let example = || Path::new("examples").join(format!("dedup{}", std::env::consts::EXE_SUFFIX));
    let command = option_env!("CARGO_BIN_EXE_dedup").filter(|_| cfg!(feature = "command"));
    let binary = tests.ancestors().nth(2).unwrap().join(command.map_or_else(example, PathBuf::from));
    assert!(
        binary.exists(),
        "{} is missing: run `cargo build --example dedup` with the same profile",
        binary.display()
    );
    Command::new(binary)
}

pub fn run(folder: &Path, args: &[&str]) -> Output {
    dedup().current_dir(folder).args(args).output().unwrap()
}

/// Standard output of a run that must succeed.
pub fn stdout(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// The JSON records of a run that must succeed.
pub fn records(folder: &Path, args: &[&str]) -> Vec<Value> {
    let args = [&["--format", "jsonl"], args].concat();
    stdout(folder, &args).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub fn of_type<'a>(records: &'a [Value], wanted: &str) -> Vec<&'a Value> {
    records.iter().filter(|record| record["type"] == wanted).collect()
}

/// What must not depend on the run: all but the summary, which has the times.
pub fn findings(folder: &Path, args: &[&str]) -> String {
    let all = stdout(folder, &[&["--format", "jsonl"], args].concat());
    let (findings, summary) = all.split_at(all.trim_end().rfind('\n').map_or(0, |end| end + 1));
    assert!(summary.starts_with(r#"{"type":"summary""#), "{summary}");
    findings.into()
}

/// Findings without what depends on how the files were named: where the articles stand.
pub fn without_places(findings: &str) -> Vec<Value> {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.shift_remove("at");
                fields.values_mut().for_each(strip);
            }
            Value::Array(values) => values.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let lines = findings.lines().map(|line| serde_json::from_str(line).unwrap());
    lines
        .map(|mut line| {
            strip(&mut line);
            line
        })
        .collect()
}

pub fn seeds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")
}

/// A folder of its own for one test, gone when it ends.
pub struct Temp(PathBuf);

impl Temp {
    pub fn new(name: &str) -> Self {
        // Tests run side by side, in one process or several.
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("retold-cli-{}-{count}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn with(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }
}

impl std::ops::Deref for Temp {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub const FERRY: &str = "The ferry leaves the harbour at nine on every weekday morning and returns by noon.";
pub const STORM: &str = "A storm closed the mountain road to the village of Hallin for the third time in a week.";

pub fn line(id: &str, text: &str) -> String {
    serde_json::json!({"id": id, "text": text}).to_string() + "\n"
}

/// A folder with copies of the text `center.txt`, and `of-edited.txt`, a copy of one of them, `edited.txt`, alone.
pub fn with_a_copy_of_a_copy(name: &str) -> Temp {
    let words = |name: &str| (0..60).map(|n| format!("{name}{n}")).collect::<Vec<_>>().join(" ");
    let [a, b, c, d, m] = ["a", "b", "c", "d", "m"].map(words);
    let end = c.split_at(c.len() / 2).1;
    Temp::new(name)
        .with("around.txt", [&*a, &c, &d].join(" "))
        .with("begins.txt", [&*a, &b, &c].join(" "))
        .with("center.txt", [&*a, &b, &c, &d].join(" "))
        .with("edited.txt", [&*a, &b, &c, &m].join(" "))
        .with("ends.txt", [&*b, &c, &d].join(" "))
        .with("of-edited.txt", [end, &m].join(" "))
}

/// A folder with a pair of copies, to which a test adds what it is about.
pub fn with_a_pair(name: &str) -> Temp {
    Temp::new(name).with("pair1.txt", FERRY).with("pair2.txt", FERRY.to_uppercase())
}

/// Asserts that a run told in one line of a record that it skipped, listed it under `id`, and still found the pair.
pub fn assert_skipped(folder: &Path, args: &[&str], id: &str, place: &str, parts: &[&str]) {
    let record = assert_left_out(folder, args, (0, "skipped", "Skipped"), (id, place), parts);
    assert_eq!(record["id"], id);
    assert_eq!(record.as_object().unwrap().keys().collect::<Vec<_>>(), ["type", "id", "at", "reason"]);
}

/// The same of a file or folder that could not be read, or not to its end.
pub fn assert_unread(folder: &Path, args: &[&str], place: &str, parts: &[&str]) {
    let record = assert_left_out(folder, args, (1, "unread", "Could not read"), (place, place), parts);
    assert_eq!(record.as_object().unwrap().keys().collect::<Vec<_>>(), ["type", "at", "reason"]);
}

fn assert_left_out(
    folder: &Path,
    args: &[&str],
    (code, kind, heading): (i32, &str, &str),
    (label, place): (&str, &str),
    parts: &[&str],
) -> Value {
    let output = run(folder, &[&["--format", "jsonl"], args].concat());
    assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    assert_eq!(run(folder, &[&["--strict"], args].concat()).status.code(), Some(1));
    let told: Vec<&str> = stderr(&output).lines().filter(|line| line.starts_with(&format!("{place}: "))).collect();
    assert_eq!(told.len(), 1, "{place} in {}", stderr(&output));

    let records: Vec<Value> = output.stdout.split(|&b| b == b'\n').flat_map(serde_json::from_slice).collect();
    let left_out = of_type(&records, kind);
    assert_eq!(left_out.len(), 1, "{left_out:?}");
    assert_eq!(left_out[0]["at"], place);
    for text in [told[0], left_out[0]["reason"].as_str().unwrap()] {
        parts.iter().for_each(|part| assert!(text.contains(part), "{part:?} in {text:?}"));
    }
    assert_eq!(of_type(&records, "cluster").len(), 1, "the rest is processed");
    let summary = of_type(&records, "summary")[0];
    assert_eq!(
        [&summary["skipped"], &summary["unread"]],
        [u64::from(code == 0), u64::from(code == 1)].map(Value::from).each_ref()
    );

    let text = String::from_utf8(run(folder, args).stdout).unwrap();
    assert!(text.starts_with("pair1.txt and 1 like it:\n"), "{text}");
    let listed = text.split_once(&format!("\n\n{heading} 1:\n")).unwrap().1;
    assert!(listed.starts_with(&format!("  {label}  ")) && listed.lines().count() == 1, "{listed}");
    left_out[0].clone()
}

/// Runs with something on standard input.
pub fn run_with(folder: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut child = dedup()
        .current_dir(folder)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its options reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// Compressed by gzip.
pub fn compressed(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// Compressed by zstd.
pub fn zstd(text: impl AsRef<[u8]>) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text.as_ref(), ruzstd::encoding::CompressionLevel::Fastest)
}

/// What is in a file, which may be compressed.
pub fn unpacked(path: &Path) -> Vec<u8> {
    let (bytes, mut to) = (fs::read(path).unwrap(), Vec::new());
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => _ = flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut to).unwrap(),
        Some("zst") => {
            to.reserve(64 << 20);
            ruzstd::decoding::FrameDecoder::new().decode_all_to_vec(&bytes, &mut to).unwrap();
        }
        _ => to = bytes,
    }
    to
}

/// Says that something is not tested here, and why, in the output of tests that pass as well: not by `eprintln!`, which the test
/// harness keeps to itself.
pub fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// A small disk of its own for a test, gone when dropped.
#[cfg(target_os = "linux")]
pub struct SmallDisk(PathBuf);

#[cfg(target_os = "linux")]
impl SmallDisk {
    /// Needs the right to mount; without it there is a message and no disk.
    pub fn mount(at: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir_all(&at).unwrap();
        let options = format!("size={size}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&at).stderr(Stdio::null());
        if mount.status().is_ok_and(|status| status.success()) {
            return Some(Self(at));
        }
        skipped("full disks: no right to mount a small one");
        None
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        assert!(Command::new("umount").arg(&self.0).status().unwrap().success());
    }
}
