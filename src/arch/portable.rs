//! Eight bytes at a time in one 64-bit integer.

use super::{Block, Kinds, by_blocks};

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = ONES << 7;

pub(super) fn classify(text: &[u8], lowered: &mut [u8], kinds: &mut Kinds) -> usize {
    by_blocks(text, lowered, kinds, |bytes, lowered| {
        let mut block = Block::default();
        let (eights, _) = bytes.as_chunks::<8>();
        let (lowered, _) = lowered.as_chunks_mut::<8>();
        for ((eight, lowered), shift) in eights.iter().zip(lowered).zip((0..64).step_by(8)) {
            let x = u64::from_le_bytes(*eight);
            let ascii = !x & TOPS;
            // In what follows the top bit of each byte says whether the byte is of a kind; the sums stay within bytes.
            let low = x & !TOPS;
            let small = low | (ONES * 0x20);
            let range = |x: u64, from: u8, to: u8| {
                x.wrapping_add(ONES * (0x80 - u64::from(from))) & !x.wrapping_add(ONES * (0x7f - u64::from(to))) & ascii
            };
            let is = |byte: u8| (TOPS - (low ^ (ONES * u64::from(byte)))) & ascii;
            let letters = range(small, b'a', b'z');
            let both = is(b'.') | is(b'\'');
            block.letters |= gather(letters) << shift;
            block.digits |= gather(range(low, b'0', b'9')) << shift;
            block.joins |= gather(is(b'_')) << shift;
            block.mid_letters |= gather(both | is(b':')) << shift;
            block.mid_digits |= gather(both | is(b',') | is(b';')) << shift;
            block.leads |= gather(x & (x << 1) & TOPS) << shift;
            *lowered = (x | letters >> 2).to_le_bytes();
        }
        block
    })
}

/// The top bits of the eight bytes, side by side; all other bits must be clear.
#[inline(always)]
fn gather(tops: u64) -> u64 {
    (tops >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Class;

    #[test]
    fn ascii_bytes_have_the_bits_of_their_class() {
        for byte in 0..=255u8 {
            let (mut lowered, mut kinds) = ([0; 64], Kinds::default());
            assert_eq!(classify(&[b' ', byte], &mut lowered, &mut kinds), 1);
            let class = if byte < 0x80 { Class::of(char::from(byte)) } else { Class::Other };
            let bit = |set: bool| u64::from(set) << 1;
            let mut expected = Kinds::default();
            let block = Block {
                letters: bit(class == Class::Letter),
                digits: bit(class == Class::Numeric),
                joins: bit(class == Class::Join),
                mid_letters: bit(matches!(class, Class::MidLetter | Class::MidBoth)),
                mid_digits: bit(matches!(class, Class::MidNum | Class::MidBoth)),
                leads: bit(byte >= 0xc0),
            };
            expected.set(1, block);
            assert_eq!(kinds, expected, "{byte:#x}");
            assert_eq!(lowered[1], byte.to_ascii_lowercase());
        }
    }
}
