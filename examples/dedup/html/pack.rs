//! Clusters as bytes that a page carries and a script opens: gzip, written in the letters of base64.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// Packs a piece of a page. The browser's `DecompressionStream` opens it, and checks it while doing so.
pub fn packed(html: &str) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(html.as_bytes()).and_then(|()| encoder.finish());
    base64(&written.expect("memory takes everything"))
}

/// As in RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut to = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let group = [0, 1, 2].map(|at| u32::from(three.get(at).copied().unwrap_or(0)));
        let group = group[0] << 16 | group[1] << 8 | group[2];
        let letter = |at: usize| char::from(LETTERS[(group >> (18 - 6 * at) & 63) as usize]);
        to.extend((0..4).map(|at| if at <= three.len() { letter(at) } else { '=' }));
    }
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        let pairs =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")];
        pairs.into_iter().for_each(|(bytes, letters)| assert_eq!(base64(bytes.as_bytes()), letters));
        assert_eq!(base64(&[0xfb, 0xef, 0xff]), "++//");
    }
}
