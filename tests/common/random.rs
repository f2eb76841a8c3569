//! Random numbers that are the same in every run, on every platform and with every version of every library.

/// SplitMix64 (Steele, Lea and Flood 2014): the `n`-th well-mixed number of a stream.
pub fn mixed(n: u64) -> u64 {
    let mut x = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}
