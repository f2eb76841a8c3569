//! Numbers packed into bytes: seven bits a byte, the lowest first.

use std::fmt;

/// Bytes that no kernel wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of a column were not written by a kernel of this version")
    }
}

impl std::error::Error for Broken {}

pub(super) fn put(bytes: &mut Vec<u8>, number: impl Into<u64>) {
    let mut number = number.into();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Reads what was packed, from the beginning on.
pub(super) struct Packed<'b>(pub(super) &'b [u8]);

impl Packed<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> Result<u8, Broken> {
        let (&byte, rest) = self.0.split_first().ok_or(Broken)?;
        self.0 = rest;
        Ok(byte)
    }

    pub(super) fn long(&mut self) -> Result<u64, Broken> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f).checked_shl(shift).ok_or(Broken)?;
            if byte < 0x80 {
                return Ok(number);
            }
            shift += 7;
        }
    }

    pub(super) fn int(&mut self) -> Result<u32, Broken> {
        self.long()?.try_into().map_err(|_| Broken)
    }

    /// The next four bytes, as they are.
    pub(super) fn four(&mut self) -> Result<u32, Broken> {
        let (four, rest) = self.0.split_first_chunk().ok_or(Broken)?;
        self.0 = rest;
        Ok(u32::from_le_bytes(*four))
    }

    pub(super) fn float(&mut self) -> Result<f32, Broken> {
        self.four().map(f32::from_bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_put_is_read(numbers in prop::collection::vec(any::<u64>(), 0..20), cut in any::<prop::sample::Index>()) {
            let mut bytes = Vec::new();
            numbers.iter().for_each(|&number| put(&mut bytes, number));
            let mut packed = Packed(&bytes);
            for &number in &numbers {
                prop_assert_eq!(packed.long(), Ok(number));
            }
            prop_assert!(packed.is_empty());
            let mut cut = Packed(&bytes[..cut.index(bytes.len() + 1)]);
            while cut.long().is_ok() {}
        }
    }
}
