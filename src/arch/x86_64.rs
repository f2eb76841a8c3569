//! AVX2 and AVX-512. Vectors are read from and written to arrays of their size, so no pointer leaves its array.

pub(super) fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
}

pub(super) fn has_avx512() -> bool {
    has_avx2()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vbmi")
        && is_x86_feature_detected!("avx512vbmi2")
}

pub(super) mod avx2 {
    use std::arch::x86_64::*;

    use crate::arch::halves::*;
    use crate::arch::{Block, Kinds, Work, by_blocks};

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(in crate::arch) fn classify(text: &[u8], lowered: &mut [u8], kinds: &mut Kinds) -> usize {
        let high_table = _mm256_broadcastsi128_si256(load_table(&HIGH));
        let low_table = _mm256_broadcastsi128_si256(load_table(&LOW));
        by_blocks(text, lowered, kinds, |bytes, lowered| {
            let mut block = Block::default();
            let (halves, _) = bytes.as_chunks::<32>();
            let (lowered, _) = lowered.as_chunks_mut::<32>();
            for ((half, lowered), shift) in halves.iter().zip(lowered).zip([0, 32]) {
                // SAFETY: reads the 32 bytes of the array; no alignment is needed.
                let x = unsafe { _mm256_loadu_si256(half.as_ptr().cast()) };
                let high = _mm256_and_si256(_mm256_srli_epi16(x, 4), _mm256_set1_epi8(15));
                // Bytes beyond ASCII find nothing: the first look-up gives 0 for them, as the table does for the second.
                let kinds = _mm256_and_si256(_mm256_shuffle_epi8(low_table, x), _mm256_shuffle_epi8(high_table, high));
                let none = _mm256_setzero_si256();
                let of = |kind: u8| {
                    let without = _mm256_cmpeq_epi8(_mm256_and_si256(kinds, _mm256_set1_epi8(kind as i8)), none);
                    u64::from(!_mm256_movemask_epi8(without) as u32) << shift
                };
                let letters = _mm256_cmpgt_epi8(
                    _mm256_and_si256(kinds, _mm256_set1_epi8((FIRST_LETTERS | LAST_LETTERS) as i8)),
                    none,
                );
                block.letters |= u64::from(_mm256_movemask_epi8(letters) as u32) << shift;
                block.digits |= of(DIGIT);
                block.joins |= u64::from(_mm256_movemask_epi8(kinds) as u32) << shift;
                block.mid_letters |= of(DOT | COLON);
                block.mid_digits |= of(DOT | COMMA | SEMICOLON);
                // Of the bytes beyond ASCII the leads are from 0xc0, which is −64.
                let leads = _mm256_and_si256(_mm256_cmpgt_epi8(x, _mm256_set1_epi8(-65)), x);
                block.leads |= u64::from(_mm256_movemask_epi8(leads) as u32) << shift;
                let small = _mm256_or_si256(x, _mm256_and_si256(letters, _mm256_set1_epi8(0x20)));
                // SAFETY: writes the 32 bytes of the array; no alignment is needed.
                unsafe { _mm256_storeu_si256(lowered.as_mut_ptr().cast(), small) };
            }
            block
        })
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load_table(table: &[u8; 16]) -> __m128i {
        // SAFETY: reads the 16 bytes of the array; no alignment is needed.
        unsafe { _mm_loadu_si128(table.as_ptr().cast()) }
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(in crate::arch) fn run<W: Work>(work: W) -> W::Output {
        work.work()
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(in crate::arch) fn list(masks: &[u64], places: &mut [u16]) -> usize {
        super::super::list(masks, places)
    }
}

pub(super) mod avx512 {
    use std::arch::x86_64::*;

    use crate::arch::{Block, Kinds, Page, Pages, Taken, Work, by_blocks};

    const LETTER: u8 = 1;
    const DIGIT: u8 = 2;
    const JOIN: u8 = 4;
    const MID_LETTER: u8 = 8;
    const MID_DIGIT: u8 = 16;

    /// The kinds of the ASCII characters.
    const KINDS: [u8; 128] = {
        let mut table = [0; 128];
        let mut byte = 0;
        while byte < 128 {
            table[byte] = match byte as u8 {
                b'a'..=b'z' | b'A'..=b'Z' => LETTER,
                b'0'..=b'9' => DIGIT,
                b'_' => JOIN,
                b'.' | b'\'' => MID_LETTER | MID_DIGIT,
                b':' => MID_LETTER,
                b',' | b';' => MID_DIGIT,
                _ => 0,
            };
            byte += 1;
        }
        table
    };

    const COUNT_UP: [u8; 64] = {
        let mut table = [0; 64];
        let mut at = 0;
        while at < 64 {
            table[at] = at as u8;
            at += 1;
        }
        table
    };

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,bmi1,bmi2,lzcnt,popcnt")]
    pub(in crate::arch) fn classify(text: &[u8], lowered: &mut [u8], kinds: &mut Kinds) -> usize {
        let (halves, _) = KINDS.as_chunks::<64>();
        let (first, second) = (load(&halves[0]), load(&halves[1]));
        by_blocks(text, lowered, kinds, |bytes, lowered| {
            let x = load(bytes);
            let beyond = _mm512_movepi8_mask(x);
            let kinds = _mm512_maskz_permutex2var_epi8(!beyond, first, x, second);
            let of = |kind: u8| _mm512_test_epi8_mask(kinds, _mm512_set1_epi8(kind as i8));
            let letters = of(LETTER);
            let small = _mm512_or_si512(x, _mm512_maskz_set1_epi8(letters, 0x20));
            // SAFETY: writes the 64 bytes of the array; no alignment is needed.
            unsafe { _mm512_storeu_si512(lowered.as_mut_ptr().cast(), small) };
            Block {
                letters,
                digits: of(DIGIT),
                joins: of(JOIN),
                mid_letters: of(MID_LETTER),
                mid_digits: of(MID_DIGIT),
                leads: _mm512_cmpge_epu8_mask(x, _mm512_set1_epi8(0xc0_u8 as i8)),
            }
        })
    }

    /// All characters with one lead at once: what the pages say is looked up by the second bytes.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,bmi1,bmi2,lzcnt,popcnt")]
    pub(in crate::arch) fn take_in(bytes: &mut [u8; 64], leads: u64, pages: &Pages) -> Taken {
        let all = |byte: u8| _mm512_set1_epi8(byte as i8);
        let x = load(bytes);
        // The byte after each; what stands there for the last one is never used.
        let next = _mm512_permutexvar_epi8(_mm512_add_epi8(load(&COUNT_UP), all(1)), x);
        let han = _mm512_cmpgt_epu8_mask(x, all(0xe4))
            | _mm512_cmpeq_epu8_mask(x, all(0xe4)) & _mm512_cmpge_epu8_mask(next, all(0xb8));
        let solos = han & leads & _mm512_cmple_epu8_mask(x, all(0xe9)) & u64::MAX >> 3;
        let pairs = leads & _mm512_cmplt_epu8_mask(x, all(0xe0)) & u64::MAX >> 1;
        let (mut taken, mut letters, mut normal, mut left) = (0, 0, x, pairs);
        while left != 0 {
            let lead = bytes[left.trailing_zeros() as usize];
            let page = &pages[usize::from(lead & 0x1f)];
            let same = pairs & _mm512_cmpeq_epu8_mask(x, all(lead));
            // Of an index only the low six bits count.
            let kinds = _mm512_permutexvar_epi8(next, load(&page.kinds));
            let easy = same & _mm512_test_epi8_mask(kinds, all(Page::EASY));
            letters |= easy & _mm512_test_epi8_mask(kinds, all(Page::LETTER));
            normal = _mm512_mask_permutexvar_epi8(normal, easy, next, load(&page.firsts));
            normal = _mm512_mask_permutexvar_epi8(normal, easy << 1, x, load(&page.seconds));
            taken |= easy;
            left &= !same;
        }
        // SAFETY: writes the 64 bytes of the array; no alignment is needed.
        unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), normal) };
        Taken { leads: taken | solos, letters: letters | letters << 1, solos }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(bytes: &[u8; 64]) -> __m512i {
        // SAFETY: reads the 64 bytes of the array; no alignment is needed.
        unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,bmi1,bmi2,lzcnt,popcnt")]
    pub(in crate::arch) fn run<W: Work>(work: W) -> W::Output {
        work.work()
    }

    /// Packs the numbers of the set bits together, then widens them: a mask has at most 32.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,bmi1,bmi2,lzcnt,popcnt")]
    pub(in crate::arch) fn list(masks: &[u64], places: &mut [u16]) -> usize {
        let numbers = load(&COUNT_UP);
        let mut count = 0;
        for (&mask, first) in masks.iter().zip((0i16..).step_by(64)) {
            let packed = _mm512_castsi512_si256(_mm512_maskz_compress_epi8(mask, numbers));
            let wide = _mm512_add_epi16(_mm512_cvtepu8_epi16(packed), _mm512_set1_epi16(first));
            let room: &mut [u16] = &mut places[count..count + 32];
            // SAFETY: writes the 64 bytes of the slice; no alignment is needed.
            unsafe { _mm512_storeu_si512(room.as_mut_ptr().cast(), wide) };
            count += mask.count_ones() as usize;
        }
        count
    }
}
