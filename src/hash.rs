//! The frozen mixers. Every bit that a signature holds comes from here and from nowhere else.
//!
//! Integer arithmetic only, little-endian loads spelled out, no seed from the outside: the same input gives the same
//! hash on every platform and in every release of one [`FORMAT_VERSION`]. The golden vectors in `tests/golden.rs` hold
//! these bits; a change to any constant or step below is a new format version.

/// The version of the bits in signatures, shingles and serialised forms.
///
/// Two signatures of different versions never compare: that is [`Error::Version`](crate::Error::Version), not a number.
pub const FORMAT_VERSION: u8 = 2;

/// Mixes 64 bits so that every input bit moves every output bit.
///
/// Multiplications that keep the lower half, shifts and exclusive ors, here as everywhere below: all of it can be done to
/// several numbers in one vector. Mixers that need the upper half of a product cannot, and cost four times as much. The
/// constants are those of Pelle Evensen's *moremur*.
#[inline(always)]
pub(crate) const fn mix(x: u64) -> u64 {
    let x = (x ^ x >> 27).wrapping_mul(0x3c79_ac49_2ba7_b653);
    let x = (x ^ x >> 33).wrapping_mul(0x1c69_b3f7_4ac4_ae35);
    x ^ x >> 27
}

/// Mixes two words into one; the order of the two matters. For one `b` all results differ, and for one `a`. The lower bits
/// of the result hang on fewer bits of `b` than the upper ones do.
#[inline(always)]
pub(crate) const fn mix2(a: u64, b: u64) -> u64 {
    // The fractional parts of the square roots of 2, 3 and 7.
    let x = (a ^ 0x6a09_e667_f3bc_c909).wrapping_mul(0xbb67_ae85_84ca_a73b);
    let x = (x ^ x >> 32 ^ b).wrapping_mul(0xa54f_f53a_5f1d_36f1);
    x ^ x >> 32
}

/// Hashes up to 16 bytes that were loaded, zero-padded, as two little-endian halves. Words of up to 8 bytes never meet.
///
/// Normalised words hold no NUL, so the padding needs no length beside it.
#[inline(always)]
pub(crate) const fn hash_short(low: u64, high: u64) -> u64 {
    mix2(low, high)
}

/// Hashes any bytes; up to 16 of them hash as [`hash_short`] does.
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut chunks = bytes.chunks(16);
    let [low, high] = chunks.next().map_or([0, 0], load);
    let mut hash = hash_short(low, high);
    for chunk in chunks {
        let [low, high] = load(chunk);
        hash = mix2(hash ^ low, high);
    }
    hash
}

/// Loads at most 16 bytes, zero-padded, as two little-endian halves.
#[inline(always)]
fn load(bytes: &[u8]) -> [u64; 2] {
    let mut padded = [0u8; 16];
    padded[..bytes.len()].copy_from_slice(bytes);
    load_padded(&padded, 0, 16)
}

/// What to keep of 16 bytes, by how many of them count.
const KEEP: [[u64; 2]; 17] = {
    let mut masks = [[0; 2]; 17];
    let mut len = 1;
    while len <= 16 {
        let bits = u128::MAX >> (128 - 8 * len);
        masks[len] = [bits as u64, (bits >> 64) as u64];
        len += 1;
    }
    masks
};

/// Loads up to 16 bytes from `start`, behind which there must be 16 bytes of whatever kind, as [`load`] does.
#[inline(always)]
pub(crate) fn load_padded(bytes: &[u8], start: usize, len: usize) -> [u64; 2] {
    let (halves, _) = bytes[start..start + 16].as_chunks::<8>();
    let [low, high] = KEEP[len.min(16)];
    [u64::from_le_bytes(halves[0]) & low, u64::from_le_bytes(halves[1]) & high]
}

/// Hashes `bytes[start..end]`, behind which there must be 16 bytes of whatever kind, as [`hash_bytes`] does.
#[inline(always)]
pub(crate) fn hash_padded(bytes: &[u8], start: usize, end: usize) -> u64 {
    let [low, high] = load_padded(bytes, start, end - start);
    let mut hash = hash_short(low, high);
    let mut at = start + 16;
    while at < end {
        let [low, high] = load_padded(bytes, at, end - at);
        hash = mix2(hash ^ low, high);
        at += 16;
    }
    hash
}

/// The multiplier of the rolling hash over words or characters.
const ROLL: u64 = 0x9e37_79b9_7f4a_7c15;

/// A rolling polynomial hash over a window of `n` items, finished by [`mix`].
///
/// The polynomial keeps the order of the items apart, the finish makes the bits usable as they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rolling {
    sum: u64,
    leaving: u64,
}

impl Rolling {
    pub(crate) fn new(n: usize) -> Self {
        let mut leaving = 1u64;
        for _ in 0..n {
            leaving = leaving.wrapping_mul(ROLL);
        }
        Self { sum: 0, leaving }
    }

    /// Takes one item in and lets the one from `n` items ago out (0 while the window fills).
    #[inline(always)]
    pub(crate) fn roll(&mut self, entering: u64, left: u64) {
        let change = entering.wrapping_sub(left.wrapping_mul(self.leaving));
        self.sum = self.sum.wrapping_mul(ROLL).wrapping_add(change);
    }

    /// Rolls twice and gives both sums. The second does not wait for the first.
    #[inline(always)]
    pub(crate) fn roll_two(&mut self, entering: [u64; 2], left: [u64; 2]) -> [u64; 2] {
        const ROLL_TWICE: u64 = ROLL.wrapping_mul(ROLL);
        // Not `map`, which need not be inlined.
        let first = entering[0].wrapping_sub(left[0].wrapping_mul(self.leaving));
        let second = entering[1].wrapping_sub(left[1].wrapping_mul(self.leaving));
        let middle = Self { sum: self.sum.wrapping_mul(ROLL).wrapping_add(first), ..*self };
        let both = first.wrapping_mul(ROLL).wrapping_add(second);
        self.sum = self.sum.wrapping_mul(ROLL_TWICE).wrapping_add(both);
        [middle.sum, self.sum]
    }

    #[inline(always)]
    pub(crate) fn value(self) -> u64 {
        mix(self.sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rolling_equals_hashing_the_window_anew(items in prop::collection::vec(any::<u64>(), 1..60), n in 1usize..9) {
            let mut rolling = Rolling::new(n);
            for (i, &item) in items.iter().enumerate() {
                rolling.roll(item, if i >= n { items[i - n] } else { 0 });
                let mut anew = Rolling::new(n);
                for &item in &items[(i + 1).saturating_sub(n)..=i] {
                    anew.roll(item, 0);
                }
                prop_assert_eq!(rolling.value(), anew.value());
            }
        }

        #[test]
        fn what_stands_behind_changes_nothing(bytes in prop::collection::vec(any::<u8>(), 0..60), behind in any::<[u8; 16]>()) {
            let padded: Vec<u8> = [7].into_iter().chain(bytes.iter().copied()).chain(behind).collect();
            prop_assert_eq!(hash_padded(&padded, 1, 1 + bytes.len()), hash_bytes(&bytes));
        }

        #[test]
        fn one_flipped_bit_changes_the_hash(x in any::<u64>(), bit in 0u32..64) {
            prop_assert_ne!(mix(x), mix(x ^ (1 << bit)));
        }
    }

    #[test]
    fn mixing_spreads_single_bits() {
        // Counting inputs differ in few bits; each output bit must still flip about half the time.
        let trials = 4096u32;
        for input_bit in 0..64 {
            let mut flips = [0u32; 64];
            for x in 0..u64::from(trials) {
                let changed = mix(x) ^ mix(x ^ (1 << input_bit));
                for (bit, count) in flips.iter_mut().enumerate() {
                    *count += (changed >> bit & 1) as u32;
                }
            }
            for count in flips {
                // Seven standard deviations of a fair coin over 4096 throws.
                assert!(count.abs_diff(trials / 2) < 224, "bit {input_bit}: {count} of {trials}");
            }
        }
    }
}
