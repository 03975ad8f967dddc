//! Foreign text made safe for a terminal, a log line and a page.

use std::fmt::{self, Write as _};

/// Shows a text on one line with nothing in it that a terminal would obey or that would reorder it.
#[derive(Debug, Clone, Copy)]
pub struct Printable<'a>(pub &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if plain(self.0) {
            return f.write_str(self.0);
        }
        let mut clean = 0;
        for (at, char) in self.0.char_indices() {
            if unseen(char) {
                f.write_str(&self.0[clean..at])?;
                clean = at + char.len_utf8();
                match char {
                    '\t' => f.write_char(' ')?,
                    '\n' => f.write_str("\\n")?,
                    '\r' => f.write_str("\\r")?,
                    _ => write!(f, "\\u{{{:x}}}", u32::from(char))?,
                }
            }
        }
        f.write_str(&self.0[clean..])
    }
}

/// Whether a text holds nothing but visible ASCII and blanks, which can be told many bytes at a time.
fn plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Whether a character acts instead of being seen: controls, line breaks, marks of writing direction.
pub fn unseen(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_spelled_out() {
        assert_eq!(Printable("a\u{1b}[31m\tb\n\u{202e}é").to_string(), "a\\u{1b}[31m b\\n\\u{202e}é");
    }
}
