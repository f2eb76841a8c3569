//! Golden files: what a test found before, line by line. `RETOLD_WRITE_GOLDEN=1` rewrites them instead of comparing.

use std::fs;
use std::path::Path;

/// Compares lines with a golden file, or rewrites it if that was asked for. `advice` says what a difference means.
pub fn hold(file: &str, lines: &[String], advice: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    if std::env::var_os("RETOLD_WRITE_GOLDEN").is_some_and(|value| value == "1") {
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        return;
    }
    let golden = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let golden: Vec<&str> = golden.lines().collect();
    let differs = |&at: &usize| golden.get(at).copied() != lines.get(at).map(String::as_str);
    let differing: Vec<usize> = (0..golden.len().max(lines.len())).filter(differs).collect();
    if let [first, ..] = differing[..] {
        panic!(
            "{file}: {} of {} lines differ, the first is line {}:\n  golden: {}\n  now:    {}\n{advice}",
            differing.len(),
            golden.len(),
            first + 1,
            golden.get(first).unwrap_or(&"(nothing)"),
            lines.get(first).map_or("(nothing)", |line| line),
        );
    }
}
