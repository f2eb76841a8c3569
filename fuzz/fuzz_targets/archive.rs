//! A small archive of which one file is another one: an error, or the same answers.
//!
//! The first byte chooses the file, the second what becomes of it, the rest are places and bytes.
#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use retold::{Archive, ArchiveReader, Detector, Match};

const TEXT: &str = "The ferry leaves the harbour at nine on every weekday morning and returns by noon";

/// The files of an archive with something of each kind, and what it answers.
struct Small {
    files: Vec<(String, Vec<u8>)>,
    answer: Vec<Match>,
    /// Where the changed one is made.
    folder: PathBuf,
}

fn small() -> &'static Small {
    static SMALL: OnceLock<Small> = OnceLock::new();
    SMALL.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("retold-fuzz-archive-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let mut archive = Archive::create(&folder, &Detector::new()).unwrap();
        archive.add_all(&[("a", TEXT.to_string()), ("b", TEXT.to_uppercase()), ("c", format!("{TEXT}, they say"))]).unwrap();
        archive.merge().unwrap();
        archive.compact().unwrap();
        archive.take_census().unwrap();
        archive.remove("b").unwrap();
        archive.add(&("d", format!("{TEXT} of that day"))).unwrap();
        archive.commit().unwrap();
        drop(archive);
        let name = |file: fs::DirEntry| file.file_name().into_string().unwrap();
        let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(&folder)
            .unwrap()
            .map(|file| file.map(|file| (fs::read(file.path()).unwrap(), name(file))).map(|(bytes, name)| (name, bytes)).unwrap())
            .filter(|(name, _)| name != "lock")
            .collect();
        files.sort();
        let answer = ask(&folder).unwrap();
        assert!(answer.len() >= 3);
        Small { files, answer, folder }
    })
}

fn ask(folder: &Path) -> retold::Result<Vec<Match>> {
    ArchiveReader::open(folder, &Detector::new())?.matches(&("new", TEXT))
}

fuzz_target!(|input: &[u8]| {
    let Small { files, answer, folder } = small();
    let [which, how, rest @ ..] = input else { return };
    let (name, bytes) = &files[usize::from(*which) % files.len()];
    let mut changed = bytes.clone();
    match how % 3 {
        // Bytes at places.
        0 => rest.chunks_exact(3).for_each(|change| {
            let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % changed.len();
            changed[at] ^= change[2];
        }),
        // Another length.
        1 => changed.truncate(rest.first_chunk().map_or(0, |&at| usize::from(u16::from_le_bytes(at)) % changed.len())),
        // Another file, as far as its header.
        _ => changed.splice(32.min(bytes.len()).., rest.iter().copied()).for_each(drop),
    }
    fs::write(folder.join(name), &changed).unwrap();
    let opened = Archive::open(folder, &Detector::new()).map(|archive| archive.stats());
    let _ = opened;
    // A writer may have cut the journal; all files are put back afterwards.
    fs::write(folder.join(name), &changed).unwrap();
    if let Ok(found) = ask(folder)
        && !name.starts_with("journal")
    {
        assert_eq!(&found, answer, "{name}");
    }
    let kept: Vec<&String> = files.iter().map(|(name, _)| name).collect();
    for file in fs::read_dir(folder).unwrap().flatten() {
        if !kept.iter().any(|name| ***name == *file.file_name()) {
            let _ = fs::remove_file(file.path());
        }
    }
    files.iter().for_each(|(name, bytes)| fs::write(folder.join(name), bytes).unwrap());
});
