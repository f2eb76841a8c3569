//! Signatures as bytes: a header that says how they were made, then their slots or bits, all little-endian.
//!
//! | bytes | what |
//! | --- | --- |
//! | 0 to 3 | `rtld` |
//! | 4 | [`FORMAT_VERSION`] |
//! | 5 | the method: 1 for MinHash, 2 for SimHash |
//! | 6 | the elements: 0 weighted ones, 1 word shingles, 2 character shingles |
//! | 7 | what a shingle spans, 0 for weighted elements |
//! | 8 and 9 | the slots of a MinHash, the bits of a SimHash |
//! | 10 and 11 | 0 |

use crate::FORMAT_VERSION;
use crate::error::{Error, Result};
use crate::scheme::{Method, Scheme, Shingle, View};

pub(crate) const HEADER: usize = 12;
const MAGIC: [u8; 4] = *b"rtld";

/// The header of a signature.
pub(crate) fn header(scheme: &Scheme) -> [u8; HEADER] {
    let method = match scheme.method {
        Method::MinHash => 1,
        Method::SimHash => 2,
    };
    let (view, span) = match scheme.view {
        View::Weighted => (0, 0),
        View::Shingles(Shingle::Words(n)) => (1, n),
        View::Shingles(Shingle::Chars(n)) => (2, n),
    };
    let ([a, b, c, d], [low, high]) = (MAGIC, scheme.slots.to_le_bytes());
    [a, b, c, d, FORMAT_VERSION, method, view, span, low, high, 0, 0]
}

/// The scheme that a header tells, and what follows it.
pub(crate) fn read(bytes: &[u8]) -> Result<(Scheme, &[u8])> {
    let corrupt = |what| Err(Error::Corrupt { what });
    let Some((&[a, b, c, d, version, method, view, span, low, high, zero, also_zero], rest)) =
        bytes.split_first_chunk::<HEADER>()
    else {
        return corrupt("it is shorter than its header");
    };
    if [a, b, c, d] != MAGIC {
        return corrupt("it does not begin with `rtld`");
    }
    if version != FORMAT_VERSION {
        return Err(Error::Version { found: version });
    }
    let method = match method {
        1 => Method::MinHash,
        2 => Method::SimHash,
        _ => return corrupt("its method is unknown"),
    };
    let view = match (view, span) {
        (0, 0) => View::Weighted,
        (1, n) => View::Shingles(Shingle::Words(n)),
        (2, n) => View::Shingles(Shingle::Chars(n)),
        _ => return corrupt("its elements are unknown"),
    };
    if (zero, also_zero) != (0, 0) {
        return corrupt("its header does not end with two zeros");
    }
    Ok((Scheme { method, view, slots: u16::from_le_bytes([low, high]) }, rest))
}
