//! Pieces of a page as letters that the page carries and its script opens: gzip, in base 85.
//!
//! Base 64 would be larger by a fifteenth.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// Packs a piece of a page. The browser's `DecompressionStream` opens it, and checks it while doing so.
pub fn packed(html: &str) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(html.as_bytes()).and_then(|()| encoder.finish());
    base85(&written.expect("memory takes everything"))
}

/// Four bytes, the first one the highest, as five digits of base 85; of fewer bytes as many digits are left out. Digits are the
/// letters from `#` on, with `y` for `<`, so that nothing in them ends a script.
fn base85(bytes: &[u8]) -> String {
    let letter = |digit: u32| match b'#' + digit as u8 {
        b'<' => 'y',
        letter => char::from(letter),
    };
    let mut to = String::with_capacity(bytes.len().div_ceil(4) * 5);
    for four in bytes.chunks(4) {
        // Filled up with zeros; who reads fills up with the highest digit, and what was there is the same.
        let group = [0, 1, 2, 3].map(|at| four.get(at).copied().unwrap_or(0));
        let group = u32::from_be_bytes(group);
        let digits = [4, 3, 2, 1, 0].map(|power| letter(group / 85u32.pow(power) % 85));
        to.extend(&digits[..=four.len()]);
    }
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_safe_in_a_script_and_tell_all_bytes_apart() {
        assert_eq!(base85(&[0, 0, 0, 0]), "#####");
        assert_eq!(base85(&[0, 0, 0, 25]), "####y");
        let all: Vec<u8> = (0..=255).flat_map(|byte| [byte, 255 - byte, byte / 2]).collect();
        let letters = base85(&all);
        assert!(letters.bytes().all(|letter| (b'#'..=b'y').contains(&letter) && letter != b'<' && letter != b'x'));
        assert_eq!(letters.len(), all.len() / 4 * 5);
        assert_eq!([1, 2, 3].map(|len| base85(&all[..len]).len()), [2, 3, 4]);
    }
}
