//! What a scalar without quotes means.

use serde_yaml::Value;

/// The meaning of a plain scalar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Plain {
    /// Nothing: `~`, `null` or no characters.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number above the range of `Int`.
    Big(u64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// Text.
    Text,
    /// A word that YAML 1.1 and 1.2 read differently, with what it may be read as.
    Ambiguous(&'static str),
    /// A number that is too large, infinite or none.
    TooLarge,
}

impl Plain {
    /// As a value; what has none is nothing.
    pub fn value(self) -> Value {
        match self {
            Self::Bool(value) => Value::from(value),
            Self::Int(value) => Value::from(value),
            Self::Big(value) => Value::from(value),
            Self::Float(value) => Value::from(value),
            Self::Null | Self::Text | Self::Ambiguous(_) | Self::TooLarge => Value::Null,
        }
    }
}

/// Whether a text may be written without quotes as far as its meaning goes.
pub fn bare(text: &str) -> bool {
    plain(text) == Plain::Text
}

/// Reads a plain scalar.
pub(super) fn plain(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "true" | "True" | "TRUE" => return Plain::Bool(true),
        "false" | "False" | "FALSE" => return Plain::Bool(false),
        "yes" | "Yes" | "YES" | "no" | "No" | "NO" | "on" | "On" | "ON" | "off" | "Off" | "OFF" | "y" | "Y" | "n" | "N" => {
            return Plain::Ambiguous("true or false");
        }
        "=" | "<<" => return Plain::Ambiguous("an instruction to the reader"),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let Some(first) = unsigned.bytes().next() else { return Plain::Text };
    if matches!(unsigned, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return Plain::TooLarge;
    }
    if !(first.is_ascii_digit() || first == b'.') {
        return Plain::Text;
    }
    number(text, unsigned)
}

fn number(text: &str, unsigned: &str) -> Plain {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if digits(unsigned) {
        if unsigned.len() > 1 && unsigned.starts_with('0') {
            return Plain::Ambiguous("a number in base eight");
        }
        return match (text.parse::<i64>(), text.parse::<u64>()) {
            (Ok(value), _) => Plain::Int(value),
            (_, Ok(value)) => Plain::Big(value),
            _ => Plain::TooLarge,
        };
    }
    let like_number = unsigned.bytes().all(|byte| byte.is_ascii_hexdigit() || b"._+-xob:".contains(&byte));
    if !like_number {
        return if timestamp(unsigned) { Plain::Ambiguous("a date") } else { Plain::Text };
    }
    for prefix in ["0x", "0o", "0b"] {
        if unsigned.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'_')) {
            return Plain::Ambiguous("a number in another base");
        }
    }
    if unsigned.contains('_') && digits(&unsigned.replace(['_', '.'], "")) {
        return Plain::Ambiguous("a number");
    }
    if sexagesimal(unsigned) {
        return Plain::Ambiguous("a number in base sixty");
    }
    if timestamp(unsigned) {
        return Plain::Ambiguous("a date");
    }
    let floating =
        unsigned.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte)) && unsigned.bytes().any(|byte| byte.is_ascii_digit());
    match text.parse::<f64>() {
        Ok(value) if floating && value.is_finite() => Plain::Float(value),
        Ok(_) if floating => Plain::TooLarge,
        _ => Plain::Text,
    }
}

/// `12:30`, `190:20:30.15`
fn sexagesimal(text: &str) -> bool {
    let mut parts = text.split(':');
    let first = parts.next().is_some_and(|first| !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_'));
    let mut rest = parts.peekable();
    first
        && rest.peek().is_some()
        && rest.all(|part| {
            let whole = part.split_once('.').map_or(part, |(whole, _)| whole);
            (1..=2).contains(&whole.len()) && whole.parse::<u8>().is_ok_and(|value| value < 60)
        })
}

/// `2026-03-07` and what continues it.
fn timestamp(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else { return false };
    let day = rest.bytes().take_while(u8::is_ascii_digit).count();
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    year.len() == 4
        && digits(year)
        && (1..=2).contains(&month.len())
        && digits(month)
        && (1..=2).contains(&day)
        && rest[day..].chars().next().is_none_or(|next| matches!(next, 'T' | 't' | ' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_mean_what_both_versions_of_yaml_mean() {
        let cases = [
            ("", Plain::Null),
            ("true", Plain::Bool(true)),
            ("12", Plain::Int(12)),
            ("-12", Plain::Int(-12)),
            ("0", Plain::Int(0)),
            ("1.10", Plain::Float(1.1)),
            ("1e3", Plain::Float(1000.0)),
            ("18446744073709551615", Plain::Big(u64::MAX)),
            ("18446744073709551616", Plain::TooLarge),
            ("-9223372036854775809", Plain::TooLarge),
            ("1e999", Plain::TooLarge),
            (".nan", Plain::TooLarge),
            ("-.inf", Plain::TooLarge),
            ("1.2.0", Plain::Text),
            ("25 GB", Plain::Text),
            ("10s", Plain::Text),
            ("48h", Plain::Text),
            ("-", Plain::Text),
            (".", Plain::Text),
            ("1a", Plain::Text),
            ("127.0.0.1", Plain::Text),
            ("127.0.0.1:80", Plain::Text),
            ("8080:9090", Plain::Text),
            ("0644", Plain::Ambiguous("a number in base eight")),
            ("1_000", Plain::Ambiguous("a number")),
            ("12:30", Plain::Ambiguous("a number in base sixty")),
            ("2026-03-07", Plain::Ambiguous("a date")),
            ("2026-03-07T20:00", Plain::Ambiguous("a date")),
            ("0x1f", Plain::Ambiguous("a number in another base")),
            ("yes", Plain::Ambiguous("true or false")),
        ];
        for (text, expected) in cases {
            assert_eq!(plain(text), expected, "{text}");
        }
    }
}
