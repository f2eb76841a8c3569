//! What an article is found by in an archive, and what must be the same for articles to be found by each other.

use crate::census::Comparing;
use crate::content::{FEATURE_BITS, pair};
use crate::detect::Detector;
use crate::fingerprints::Sample;
use crate::hash::FORMAT_VERSION;
use crate::records::Profile;
use crate::scheme::Shingle;
use crate::sign::{Content, Single, Views};
use crate::sketch::SKETCH_VERSION;

/// The kinds of keys by which articles are found, and how many of their bits count.
pub(super) const KEYS: [u8; 4] = [64, 32, 40, FEATURE_BITS as u8];
pub(super) const EXACT: usize = 0;
pub(super) const FINGERPRINTS: usize = 1;
pub(super) const BANDS: usize = 2;
pub(super) const PAIRS: usize = 3;

/// Of a text of so many words, an edited copy half of whose shingles are the same shares two fingerprints but in one case of ten thousand:
/// bands find nothing more.
const LONG: u32 = 160;

/// How many words of a text of so many words, and different fingerprints, say something new: it has one fingerprint for every four words
/// after the first ten, or nearly so, unless it says the same again and again. Then it is found like a text of what it says once.
pub(super) fn telling_words(words: u32, fingerprints: usize) -> u32 {
    words.min(u32::try_from(5 * fingerprints + 10).unwrap_or(u32::MAX))
}

/// Whether edited copies of a text of so many words that say something new are looked for by bands.
pub(super) fn asks_bands(detector: &Detector, words: u32) -> bool {
    let Comparing { views, near, .. } = detector.comparing();
    words < LONG || near.rule.jaccard < 0.5 || !matches!(views.shingle, Shingle::Words(3..))
}

/// By what an article is read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    Texts,
    /// Transcripts, which are made of sketches.
    Transcripts,
}

impl Kept {
    pub(super) const ALL: [Self; 2] = [Self::Texts, Self::Transcripts];
}

/// What is kept of an article: all fingerprints, for who asks may be after passages; and its content words, if that is all there is.
pub(super) fn views(detector: &Detector, kept: Kept) -> Views {
    let views = Views { fingerprints: Sample::All, ..detector.comparing().views };
    match kept {
        Kept::Texts => views,
        Kept::Transcripts => Views { content: Content::Words, ..views },
    }
}

/// The keys by which an article is found, by kind.
pub(super) fn keys(detector: &Detector, single: &Single) -> [Vec<u64>; KEYS.len()] {
    let distinct = |mut keys: Vec<u64>| {
        keys.sort_unstable();
        keys.dedup();
        keys
    };
    let stems = single.tokens.iter().map(|token| token.stem());
    let pairs = stems.clone().zip(stems.skip(1)).filter(|(first, second)| first != second);
    let are_asked_for = detector.comparing().views.content == Content::Words;
    let pairs = pairs.filter(|_| are_asked_for).map(|(first, second)| pair(first, second)).collect();
    let fingerprints = distinct(single.fingerprints.iter().map(|&of| of.into()).collect());
    // An edited copy of a text that is looked for by bands is no more than twice as long.
    let bands = if asks_bands(detector, telling_words(single.words, fingerprints.len()) / 2) {
        distinct(detector.bands().keys(&single.sketch).collect())
    } else {
        Vec::new()
    };
    [vec![single.exact.key()], fingerprints, bands, distinct(pairs)]
}

/// What must be the same for articles to be found by each other.
pub(super) fn profile(detector: &Detector, kept: Kept) -> Profile {
    let (views, bands) = (detector.comparing().views, detector.bands());
    let texts = if kept == Kept::Transcripts { ", without texts" } else { "" };
    let content = if views.content == Content::Words { "content words" } else { "no content words" };
    let name = format!(
        "format {FORMAT_VERSION}, sketches {SKETCH_VERSION}, pairs of {} bits, {}, {content}, all fingerprints, {} slots in {} bands of {} rows{texts}",
        KEYS[PAIRS],
        views.shingle,
        views.slots,
        bands.bands(),
        bands.rows()
    );
    Profile { bytes: name.clone().into_bytes(), name, key_bits: KEYS.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Archive, ArchiveReader};
    use crate::records;
    use std::fs;

    #[test]
    fn an_archive_of_other_features_is_refused_with_both_named() {
        let folder = std::env::temp_dir().join(format!("retold-archive-profile-{}", std::process::id()));
        let ours = profile(&Detector::new(), Kept::Texts);
        let name = ours.name.replace("48", "32");
        let older = Profile { bytes: name.clone().into_bytes(), name: name.clone(), key_bits: vec![64, 32, 40, 32] };
        records::Writer::create(&folder, &older, records::Options::default()).unwrap();
        let errors = [
            Archive::open(&folder, &Detector::new()).unwrap_err(),
            ArchiveReader::open(&folder, &Detector::new()).unwrap_err(),
        ];
        for error in errors.map(|error| error.to_string()) {
            assert!(ours.name != name && error.contains(&name) && error.contains(&ours.name), "{error}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
