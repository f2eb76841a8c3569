//! The articles that tests share, and what was found among them in a form that compares.

use std::fs;
use std::path::Path;

use retold::Report;

/// The texts of a folder of the repository: file name without `.txt`, and content; by name.
pub fn articles(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut articles: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap()))
        .collect();
    articles.sort();
    articles
}

/// The ids of each cluster, ascending, whoever represents it.
pub fn groups(report: &Report) -> Vec<Vec<&str>> {
    let mut groups: Vec<Vec<&str>> = report
        .clusters()
        .iter()
        .map(|cluster| {
            let mut ids: Vec<&str> = cluster.ids().collect();
            ids.sort_unstable();
            ids
        })
        .collect();
    groups.sort();
    groups
}
