//! Counts in how many texts of a folder each content stem occurs: the table that the crate carries for English.
//!
//! `cargo run --release --example prior -- FOLDER > src/content/prior.txt`
//!
//! Each `.txt` file is one document. The first line of the output is the number of documents, then a line for each count
//! with its stems, most frequent first; stems in fewer than one document in five hundred are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: prior FOLDER")?;
    let mut documents = 0u32;
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "txt")) {
        let text = String::from_utf8_lossy(&std::fs::read(file)?).into_owned();
        let stems: BTreeSet<String> = retold::Words::new(&text)
            .filter_map(|word| retold::stem(&word.normalized()).map(String::from))
            .filter(|stem| !stem.starts_with(|c: char| c.is_numeric()))
            .collect();
        for stem in stems {
            *counts.entry(stem).or_default() += 1;
        }
        documents += 1;
    }
    let mut by_count: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (stem, count) in counts.into_iter().filter(|&(_, count)| count * 500 >= documents) {
        by_count.entry(count).or_default().push(stem);
    }
    println!("{documents}");
    for (count, stems) in by_count.iter().rev() {
        println!("{count} {}", stems.join(" "));
    }
    Ok(())
}
