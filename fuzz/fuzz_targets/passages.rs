//! Two texts: passages are ordered, apart, whole words, and the same words where they say so.
#![no_main]

use libfuzzer_sys::fuzz_target;
use retold::{Detector, Words};
use retold_fuzz::{checked_passages, texts};

fuzz_target!(|input: &[u8]| {
    let texts = texts(input, 1 << 18);
    let left = &texts[0];
    // One text alone is held against itself.
    let right = texts.get(1).unwrap_or(left);
    let passages = checked_passages(left, right);
    if left == right {
        assert_eq!(passages.len(), usize::from(Words::new(left).next().is_some()));
    }
    checked_passages(right, left);
    if let Ok(comparison) = Detector::new().compare_texts(left, right) {
        assert!((0.0..=1.0).contains(&comparison.similarity));
    }
});
