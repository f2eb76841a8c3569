//! What all files of an archive are made of: checksums, numbers of variable length, and fields of so many bits.

use crate::hash::mix2;

/// Bytes that a checksum takes.
pub(super) const CHECK: usize = 8;

/// What a checksum is of. The same bytes elsewhere have another one, so that what came into the wrong place does not check.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(super) enum Of {
    Header = 1,
    Record,
    Text,
    Dates,
    Bucket,
    List,
    Index,
    Trailer,
    Dead,
    Manifest,
    Frame,
    Payload,
    Id,
}

/// A checksum of bytes and of something that they belong to, such as their place. A change within one run of eight bytes
/// always shows, any other with a chance of 1 − 2⁻⁶⁴.
pub(super) fn checksum(of: Of, belongs: u64, bytes: &[u8]) -> u64 {
    let seed = mix2(of as u64, belongs);
    let step = |lane: u64, word: [u8; 8]| {
        (lane ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    };
    // In one lane, each word would wait for the one before.
    let mut lanes = [seed, !seed, seed.rotate_left(21), !seed.rotate_left(42)];
    let (chunks, rest) = bytes.as_chunks::<32>();
    let mut last = [0; 32];
    last[..rest.len()].copy_from_slice(rest);
    for chunk in chunks.iter().chain((!rest.is_empty()).then_some(&last)) {
        let (words, _) = chunk.as_chunks::<8>();
        for (lane, &word) in lanes.iter_mut().zip(words) {
            *lane = step(*lane, word);
        }
    }
    lanes.into_iter().fold(mix2(seed, bytes.len() as u64), mix2)
}

/// Adds the checksum of all bytes from a place on.
pub(super) fn seal(of: Of, belongs: u64, bytes: &mut Vec<u8>, from: usize) {
    let sum = checksum(of, belongs, &bytes[from..]);
    bytes.extend(sum.to_le_bytes());
}

/// What stands before a checksum at the end, if it checks.
pub(super) fn sealed(of: Of, belongs: u64, bytes: &[u8]) -> Option<&[u8]> {
    let (bytes, sum) = bytes.split_last_chunk::<CHECK>()?;
    (checksum(of, belongs, bytes) == u64::from_le_bytes(*sum)).then_some(bytes)
}

/// Adds a number, seven bits a byte.
pub(crate) fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Adds bytes, after their number.
pub(super) fn put_bytes(bytes: &mut Vec<u8>, more: &[u8]) {
    put_number(bytes, more.len() as u64);
    bytes.extend_from_slice(more);
}

/// Bytes that are read from their beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'b>(pub(crate) &'b [u8]);

impl<'b> Cursor<'b> {
    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for (at, &byte) in self.0.iter().enumerate().take(10) {
            number |= u64::from(byte & 0x7f) << (7 * at);
            if byte < 0x80 {
                self.0 = &self.0[at + 1..];
                return Some(number);
            }
        }
        None
    }

    pub(super) fn fixed(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (&array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(array)
    }

    pub(crate) fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// Bytes after their number.
    pub(super) fn bytes(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }
}

/// Fields of so many bits, one after the other, the lowest bit first.
#[derive(Debug, Default)]
pub(super) struct Bits {
    bytes: Vec<u8>,
    open: u64,
    width: u32,
}

impl Bits {
    /// Adds the lowest bits of a number; it has no others.
    #[inline]
    pub(super) fn put(&mut self, number: u64, width: u32) {
        self.open |= number.checked_shl(self.width).unwrap_or(0);
        let all = self.width + width;
        if all < u64::BITS {
            self.width = all;
            return;
        }
        self.bytes.extend(self.open.to_le_bytes());
        self.open = number.checked_shr(u64::BITS - self.width).unwrap_or(0);
        self.width = all - u64::BITS;
    }

    /// Adds all bits to bytes, the last byte filled up with zeros, and is empty again.
    pub(super) fn finish(&mut self, to: &mut Vec<u8>) {
        to.append(&mut self.bytes);
        to.extend_from_slice(&self.open.to_le_bytes()[..self.width.div_ceil(8) as usize]);
        (self.open, self.width) = (0, 0);
    }
}

/// A field of so many bits at some bit; zeros where the bytes have ended.
#[inline]
pub(super) fn bits(bytes: &[u8], at: usize, width: u32) -> u64 {
    let byte = at / 8;
    let sixteen = match bytes.get(byte..byte + 16) {
        Some(sixteen) => *sixteen.first_chunk().expect("sixteen bytes"),
        None => {
            let mut padded = [0; 16];
            let rest = bytes.get(byte..).unwrap_or(&[]);
            padded[..rest.len()].copy_from_slice(rest);
            padded
        }
    };
    let all = (u128::from_le_bytes(sixteen) >> (at % 8)) as u64;
    if width < 64 { all & ((1 << width) - 1) } else { all }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_and_bytes_come_back(numbers in prop::collection::vec(any::<u64>(), 0..20), run in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut all = Vec::new();
            for &number in &numbers {
                put_number(&mut all, number >> (number % 64));
                put_bytes(&mut all, &run);
            }
            let mut cursor = Cursor(&all);
            for &number in &numbers {
                prop_assert_eq!(cursor.number(), Some(number >> (number % 64)));
                prop_assert_eq!(cursor.bytes(), Some(&run[..]));
            }
            prop_assert_eq!(cursor.number(), None);
        }

        #[test]
        fn fields_of_bits_come_back(fields in prop::collection::vec((any::<u64>(), 0u32..=64), 0..40)) {
            let of = |(number, width): (u64, u32)| if width == 0 { 0 } else { number >> (64 - width) };
            let (mut writer, mut all) = (Bits::default(), vec![7]);
            fields.iter().for_each(|&field| writer.put(of(field), field.1));
            writer.finish(&mut all);
            let mut at = 8;
            for &field in &fields {
                prop_assert_eq!(bits(&all, at, field.1), of(field));
                at += field.1 as usize;
            }
            prop_assert_eq!(all.len(), at.div_ceil(8));
        }

        #[test]
        fn every_change_of_a_byte_and_of_the_length_shows(bytes in prop::collection::vec(any::<u8>(), 1..100), change in 1u8..) {
            let sum = checksum(Of::Record, 3, &bytes);
            prop_assert_ne!(sum, checksum(Of::Text, 3, &bytes));
            prop_assert_ne!(sum, checksum(Of::Record, 4, &bytes));
            for at in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[at] ^= change;
                prop_assert_ne!(sum, checksum(Of::Record, 3, &changed));
                prop_assert_ne!(sum, checksum(Of::Record, 3, &bytes[..at]));
            }
            prop_assert_ne!(sum, checksum(Of::Record, 3, &[&bytes[..], &[0]].concat()));
        }
    }

    #[test]
    fn checksums_are_frozen() {
        let bytes: Vec<u8> = (0..100).collect();
        let sums = [0, 1, 31, 32, 100].map(|length| format!("{:016x}", checksum(Of::Record, 7, &bytes[..length])));
        let golden =
            ["04a75eb19e738dcd", "f68acf83fb5be47b", "5e698cec4fa9afd2", "49512d1ac90b8247", "c6c7667fe9939de5"];
        assert_eq!(sums, golden, "these bits belong to the format of an archive");
    }
}
