//! Text to bytes and back.

use schemars::JsonSchema;
use serde::Deserialize;
use world::action::ActionError;

/// How a text becomes bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
pub enum Encoding {
    /// UTF-8 without a mark.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, little end first, with a mark, as Windows programs write it.
    #[serde(rename = "utf-16le")]
    Utf16,
    /// The western code page of Windows.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// How a line ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Newline {
    /// With a line feed.
    Lf,
    /// With a carriage return and a line feed.
    Crlf,
}

/// The characters of 0x80 to 0x9f; the others are those of Unicode. Five have none and stand for themselves.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜',
    '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The bytes of a text.
///
/// # Errors
/// A character does not exist in the encoding. The message does not say which: the text may be secret.
pub(crate) fn encode(text: &str, encoding: Encoding, newline: Option<Newline>) -> Result<Vec<u8>, ActionError> {
    let lines = newline.map(|newline| {
        let unix = text.replace("\r\n", "\n");
        if newline == Newline::Lf { unix } else { unix.replace('\n', "\r\n") }
    });
    let text = lines.as_deref().unwrap_or(text);
    match encoding {
        Encoding::Utf8 => Ok(text.as_bytes().to_vec()),
        Encoding::Utf16 => Ok([0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()),
        Encoding::Windows1252 => text
            .chars()
            .map(byte)
            .collect::<Option<_>>()
            .ok_or_else(|| ActionError::Invalid("the text holds a character that windows-1252 does not have".to_owned())),
    }
}

fn byte(c: char) -> Option<u8> {
    match u32::from(c) {
        code @ (0..0x80 | 0xa0..0x100) => u8::try_from(code).ok(),
        _ => HIGH.iter().position(|high| *high == c).and_then(|at| u8::try_from(at + 0x80).ok()),
    }
}

/// The text of bytes in whichever of the encodings they are: by their mark, else UTF-8, else windows-1252.
pub(crate) fn decode(bytes: &[u8]) -> String {
    if let Some(rest) = bytes.strip_prefix(&[0xff, 0xfe]) {
        let units: Vec<u16> = rest.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        return String::from_utf16_lossy(&units);
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|b| if (0x80..0xa0).contains(b) { HIGH[usize::from(b - 0x80)] } else { char::from(*b) }).collect(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_reads_back_what_it_wrote() {
        for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Windows1252] {
            let text = "Größe: 5 € “x”\n";
            assert_eq!(decode(&encode(text, encoding, None).unwrap()), text);
        }
        assert_eq!(encode("a€", Encoding::Utf16, None).unwrap(), [0xff, 0xfe, b'a', 0, 0xac, 0x20]);
        assert_eq!(encode("é€", Encoding::Windows1252, None).unwrap(), [0xe9, 0x80]);
    }

    #[test]
    fn line_ends_are_made_uniform_once() {
        assert_eq!(encode("a\r\nb\nc", Encoding::Utf8, Some(Newline::Crlf)).unwrap(), b"a\r\nb\r\nc");
        assert_eq!(encode("a\r\nb\nc", Encoding::Utf8, Some(Newline::Lf)).unwrap(), b"a\nb\nc");
        assert_eq!(encode("a\r\nb\nc", Encoding::Utf8, None).unwrap(), b"a\r\nb\nc");
    }

    #[test]
    fn a_character_without_a_code_is_refused_and_not_named() {
        let wrong = encode("key Č", Encoding::Windows1252, None).unwrap_err().to_string();
        assert!(wrong.contains("windows-1252") && !wrong.contains('Č'), "{wrong}");
    }
}
