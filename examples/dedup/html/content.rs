//! Texts as content of a page: nothing in them is markup, and places in them are known.

use std::fmt::{self, Display, Formatter};

/// Byte places in a text, ascending, as places in UTF-16 units of what a browser makes of it as [`Escaped`].
pub fn utf16_places(text: &str, places: impl Iterator<Item = usize>) -> Vec<usize> {
    let bytes = text.as_bytes();
    let plain = text.is_ascii() && !bytes.contains(&b'\r');
    let (mut from, mut units) = (0, 0);
    let mut place = |to: usize| {
        if plain {
            return to;
        }
        for at in from..to {
            // A character is one unit, beyond the basic plane two; a return before a new line is none.
            let starts = bytes[at] & 0xc0 != 0x80;
            let gone = bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n');
            units += usize::from(starts && !gone) + usize::from(bytes[at] >= 0xf0);
        }
        from = to;
        units
    };
    places.map(&mut place).collect()
}

/// A text as content of an element, not of an attribute. Lines end as HTML has it; other control characters are shown as
/// their pictures, and marks that would turn the direction of letters against their own as U+FFFD.
pub struct Escaped<'a>(pub &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut from = 0;
        for (at, c) in self.0.char_indices() {
            let picture;
            let instead = match c {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '\t' | '\n' => continue,
                '\r' if self.0[at + 1..].starts_with('\n') => "",
                '\r' => "\n",
                '\0'..' ' => {
                    picture = char::from_u32(0x2400 + u32::from(c)).map(String::from).unwrap_or_default();
                    &picture
                }
                '\u{7f}' => "\u{2421}",
                '\u{80}'..='\u{9f}' | '\u{202d}' | '\u{202e}' | '\u{fdd0}'..='\u{fdef}' | '\u{fffe}' | '\u{ffff}' => {
                    "\u{fffd}"
                }
                // No character either, and two places long.
                _ if u32::from(c) & 0xfffe == 0xfffe => "\u{fffd}\u{fffd}",
                _ => continue,
            };
            f.write_str(&self.0[from..at])?;
            f.write_str(instead)?;
            from = at + c.len_utf8();
        }
        f.write_str(&self.0[from..])
    }
}

/// A text as the value of an attribute in double quotes.
pub struct Attribute<'a>(pub &'a str);

impl Display for Attribute<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.split('"').enumerate().try_for_each(|(at, part)| {
            f.write_str(if at > 0 { "&quot;" } else { "" })?;
            Escaped(part).fmt(f)
        })
    }
}
