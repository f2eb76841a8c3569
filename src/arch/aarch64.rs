//! NEON, which every 64-bit ARM has that this is built for. Vectors are read from and written to arrays of their size, so no
//! pointer leaves its array.

use std::arch::aarch64::*;

use super::halves::*;
use super::{Block, Kinds, by_blocks};

pub(super) fn classify(text: &[u8], lowered: &mut [u8], kinds: &mut Kinds) -> usize {
    let (high_table, low_table, bits) = (load(&HIGH), load(&LOW), load(&BITS));
    by_blocks(text, lowered, kinds, |bytes, lowered| {
        let (quarters, _) = bytes.as_chunks::<16>();
        let (lowered, _) = lowered.as_chunks_mut::<16>();
        let x = [0, 1, 2, 3].map(|i| load(&quarters[i]));
        // SAFETY: this module is only built where NEON is at hand.
        unsafe {
            let kinds = x.map(|x| {
                let high = vqtbl1q_u8(high_table, vshrq_n_u8::<4>(x));
                vandq_u8(high, vqtbl1q_u8(low_table, vandq_u8(x, vdupq_n_u8(15))))
            });
            // The set bits of 16 bytes, each with its own bit, add up to two bytes; so four times 16 to eight.
            let mask = |found: [uint8x16_t; 4]| {
                let [a, b, c, d] = found.map(|found| vandq_u8(found, bits));
                let sums = vpaddq_u8(vpaddq_u8(a, b), vpaddq_u8(c, d));
                vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(sums, sums)))
            };
            let of = |kind: u8| kinds.map(|kinds| vtstq_u8(kinds, vdupq_n_u8(kind)));
            let letters = of(FIRST_LETTERS | LAST_LETTERS);
            for i in 0..4 {
                let small = vorrq_u8(x[i], vandq_u8(letters[i], vdupq_n_u8(0x20)));
                vst1q_u8(lowered[i].as_mut_ptr(), small);
            }
            Block {
                letters: mask(letters),
                digits: mask(of(DIGIT)),
                joins: mask(of(JOIN)),
                mid_letters: mask(of(DOT | COLON)),
                mid_digits: mask(of(DOT | COMMA | SEMICOLON)),
                leads: mask(x.map(|x| vcgeq_u8(x, vdupq_n_u8(0xc0)))),
            }
        }
    })
}

const BITS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];

#[inline(always)]
fn load(bytes: &[u8; 16]) -> uint8x16_t {
    // SAFETY: reads the 16 bytes of the array; no alignment is needed.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}
