//! The modules of the crate form a line: none uses another one that in turn uses it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The modules that each module uses, test code and documentation aside.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = fs::read_dir(folder).expect("the sources are at hand").map(|entry| entry.expect("readable").path());
    let sources: BTreeMap<String, String> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("lib.rs"))
        .map(|path| {
            let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("it is UTF-8"))
        })
        .collect();
    let used = |(name, source): (&String, &String)| {
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let names = lines
            .flat_map(|line| line.split("crate::").skip(1))
            .map(|after| after.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>());
        (name.clone(), names.filter(|used| used != name && sources.contains_key(used)).collect())
    };
    sources.iter().map(used).collect()
}

#[test]
fn no_two_modules_use_each_other() {
    let mut uses = uses();
    assert!(uses.len() > 30 && uses["detect"].contains("near"), "{uses:?}");
    // Who uses nobody that is left is taken away, until nothing is left but circles.
    loop {
        let done: BTreeSet<String> =
            uses.iter().filter(|(_, used)| used.is_empty()).map(|(name, _)| name.clone()).collect();
        if done.is_empty() {
            break;
        }
        uses.retain(|name, _| !done.contains(name));
        uses.values_mut().for_each(|used| used.retain(|name| !done.contains(name)));
    }
    assert!(uses.is_empty(), "these use each other: {uses:#?}");
}
