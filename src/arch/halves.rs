//! What an ASCII byte is, for look-ups among 16 entries: it is of a kind if both its half-bytes say so.

pub(super) const FIRST_LETTERS: u8 = 1 << 0; // A to O
pub(super) const LAST_LETTERS: u8 = 1 << 1; // P to Z
pub(super) const DIGIT: u8 = 1 << 2;
pub(super) const DOT: u8 = 1 << 3; // and apostrophe
pub(super) const COLON: u8 = 1 << 4;
pub(super) const COMMA: u8 = 1 << 5;
pub(super) const SEMICOLON: u8 = 1 << 6;
pub(super) const JOIN: u8 = 1 << 7;

pub(super) const HIGH: [u8; 16] = {
    let mut table = [0; 16];
    table[2] = DOT | COMMA;
    table[3] = DIGIT | COLON | SEMICOLON;
    table[4] = FIRST_LETTERS;
    table[5] = LAST_LETTERS | JOIN;
    table[6] = FIRST_LETTERS;
    table[7] = LAST_LETTERS;
    table
};
pub(super) const LOW: [u8; 16] = {
    let mut table = [0; 16];
    let mut half = 0;
    while half < 16 {
        table[half] = if half > 0 { FIRST_LETTERS } else { 0 }
            | if half < 11 { LAST_LETTERS } else { 0 }
            | if half < 10 { DIGIT } else { 0 };
        half += 1;
    }
    table[0x7] |= DOT;
    table[0xa] |= COLON;
    table[0xb] |= SEMICOLON;
    table[0xc] |= COMMA;
    table[0xe] |= DOT;
    table[0xf] |= JOIN;
    table
};
