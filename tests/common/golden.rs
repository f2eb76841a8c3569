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
        let (old, new) =
            (golden.get(first).copied().unwrap_or("(nothing)"), lines.get(first).map_or("(nothing)", |line| line));
        // Lines can be long: from a little before where they part.
        let common = old.chars().zip(new.chars()).take_while(|(a, b)| a == b).count();
        let part = |line: &str| line.chars().skip(common.saturating_sub(60)).take(200).collect::<String>();
        panic!(
            "{file}: {} of {} lines differ, the first is line {}, from character {common}:\n  golden: {}\n  now:    {}\n{advice}",
            differing.len(),
            golden.len(),
            first + 1,
            part(old),
            part(new),
        );
    }
}
