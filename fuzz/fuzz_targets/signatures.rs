//! Any bytes as serialised signatures, one a line: an error, or a signature that can be used like any other.
#![no_main]

use libfuzzer_sys::fuzz_target;
use retold::{Bands, Index, MinHash, MinHasher, Scheme, SimHash, SimHashIndex, SimHasher};

const TEXT: &str = "The ferry leaves the harbour at nine on every weekday morning and returns by noon";

fuzz_target!(|input: &[u8]| {
    let [bands, rows, distance, lines @ ..] = input else { return };
    let Ok(mut hashes) = SimHashIndex::new((*distance).into()) else { return };
    let mut index = Bands::new((*bands).into(), (*rows).into()).ok().map(Index::new);
    for (id, line) in (0u32..).zip(lines.split(|&byte| byte == b'\n').take(100)) {
        if let Ok(read) = MinHash::from_bytes(line) {
            minhash(&read);
            assert_eq!(read.to_bytes(), line);
        }
        if let Ok(read) = SimHash::from_bytes(line) {
            simhash(&read);
            assert_eq!(read.to_bytes(), line);
        }
        if let Ok(read) = serde_json::from_slice::<MinHash>(line) {
            minhash(&read);
            if let Some(index) = &mut index
                && index.insert(id, &read).is_ok()
            {
                assert!(index.candidates(&read).unwrap().contains(&id));
                assert!(id % 3 > 0 || index.remove(id) && !index.candidates(&read).unwrap().contains(&id));
            }
        }
        if let Ok(read) = serde_json::from_slice::<SimHash>(line) {
            simhash(&read);
            if hashes.insert(id, &read).is_ok() {
                assert!(hashes.within(&read).unwrap().contains(&(id, 0)));
                assert!(id % 3 > 0 || hashes.remove(id) && !hashes.within(&read).unwrap().contains(&(id, 0)));
            }
        }
        if let Ok(scheme) = serde_json::from_slice::<Scheme>(line) {
            // Whatever makes signatures makes such as can be read again.
            if let Ok(mut hasher) = MinHasher::new(scheme) {
                hasher.sign(TEXT).iter().for_each(minhash);
            }
            if let Ok(mut hasher) = SimHasher::new(scheme) {
                hasher.sign(TEXT).iter().for_each(simhash);
            }
        }
    }
});

fn minhash(signature: &MinHash) {
    let written = serde_json::to_vec(signature).unwrap();
    assert_eq!(&serde_json::from_slice::<MinHash>(&written).unwrap(), signature);
    assert_eq!(signature.similarity(signature).unwrap(), 1.0);
    let mut hasher = MinHasher::new(signature.scheme()).unwrap();
    if let Some(other) = hasher.sign(TEXT) {
        assert!((0.0..=1.0).contains(&signature.similarity(&other).unwrap()));
    }
}

fn simhash(signature: &SimHash) {
    let written = serde_json::to_vec(signature).unwrap();
    assert_eq!(&serde_json::from_slice::<SimHash>(&written).unwrap(), signature);
    assert_eq!(signature.distance(signature).unwrap(), 0);
    let mut hasher = SimHasher::new(signature.scheme()).unwrap();
    if let Some(other) = hasher.sign(TEXT) {
        assert!(signature.distance(&other).unwrap() <= 64);
    }
}
