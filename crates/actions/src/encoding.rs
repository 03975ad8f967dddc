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
    let form = match encoding {
        Encoding::Utf8 => Form::Utf8,
        Encoding::Utf16 => Form::Utf16,
        Encoding::Windows1252 => Form::Windows1252,
    };
    form.encode(text).ok_or_else(|| ActionError::Invalid("the text holds a character that windows-1252 does not have".to_owned()))
}

fn byte(c: char) -> Option<u8> {
    match u32::from(c) {
        code @ (0..0x80 | 0xa0..0x100) => u8::try_from(code).ok(),
        _ => HIGH.iter().position(|high| *high == c).and_then(|at| u8::try_from(at + 0x80).ok()),
    }
}

/// The text of bytes in whichever form they are.
pub(crate) fn decode(bytes: &[u8]) -> String {
    Form::of(bytes).decode(bytes)
}

/// How the bytes of a file are a text: by their mark, else UTF-8, else windows-1252.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// ASCII alone: how another character would be written cannot be told.
    Ascii,
    Utf8,
    /// UTF-8 with a mark.
    Utf8Marked,
    /// UTF-16, little end first, with a mark.
    Utf16,
    /// UTF-16, big end first, with a mark.
    Utf16Big,
    Windows1252,
}

impl Form {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0xff, 0xfe, ..] => Self::Utf16,
            [0xfe, 0xff, ..] => Self::Utf16Big,
            [0xef, 0xbb, 0xbf, ..] => Self::Utf8Marked,
            _ if bytes.is_ascii() => Self::Ascii,
            _ if std::str::from_utf8(bytes).is_ok() => Self::Utf8,
            _ => Self::Windows1252,
        }
    }

    fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf16 => &[0xff, 0xfe],
            Self::Utf16Big => &[0xfe, 0xff],
            Self::Utf8Marked => &[0xef, 0xbb, 0xbf],
            Self::Ascii | Self::Utf8 | Self::Windows1252 => &[],
        }
    }

    /// The text, without a mark.
    pub(crate) fn decode(self, bytes: &[u8]) -> String {
        let bytes = bytes.strip_prefix(self.mark()).unwrap_or(bytes);
        let wide = |unit: fn([u8; 2]) -> u16| {
            let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units)
        };
        match self {
            Self::Utf16 => wide(u16::from_le_bytes),
            Self::Utf16Big => wide(u16::from_be_bytes),
            Self::Windows1252 => bytes.iter().map(|b| if (0x80..0xa0).contains(b) { HIGH[usize::from(b - 0x80)] } else { char::from(*b) }).collect(),
            Self::Ascii | Self::Utf8 | Self::Utf8Marked => String::from_utf8_lossy(bytes).into_owned(),
        }
    }

    /// The bytes with their mark; none if a character does not exist in this form.
    pub(crate) fn encode(self, text: &str) -> Option<Vec<u8>> {
        let mut bytes = self.mark().to_vec();
        match self {
            Self::Ascii if !text.is_ascii() => return None,
            Self::Utf16 => bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
            Self::Utf16Big => bytes.extend(text.encode_utf16().flat_map(u16::to_be_bytes)),
            Self::Windows1252 => return text.chars().map(byte).collect(),
            Self::Ascii | Self::Utf8 | Self::Utf8Marked => bytes.extend(text.as_bytes()),
        }
        Some(bytes)
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
    fn bytes_in_any_form_are_a_text_and_the_same_bytes_again() {
        let text = "Größe: 5 € “x”\n";
        for form in [Form::Utf8, Form::Utf8Marked, Form::Utf16, Form::Utf16Big, Form::Windows1252] {
            let bytes = form.encode(text).unwrap();
            assert_eq!((Form::of(&bytes), form.decode(&bytes).as_str()), (form, text));
        }
        assert_eq!((Form::of(b"a"), Form::Ascii.encode("é")), (Form::Ascii, None));
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
