//! JSON files, read and changed in place: what is not set stays as it is written.

use serde::de::IgnoredAny;
use serde_json::Value;
use std::ops::Range;
use zeroize::Zeroizing;

/// The part that a key names: `a.b.0`.
///
/// # Errors
/// The text is no JSON, or a name on the way stands twice.
pub(crate) fn value(text: &str, key: &str) -> Result<Option<Value>, String> {
    match find(text, key)? {
        Way::There { span, .. } => serde_json::from_str(&text[span]).map(Some).map_err(|wrong| format!("`{key}`: {wrong}")),
        Way::Ends { .. } => Ok(None),
    }
}

/// Whether a key has the value that is written so.
///
/// # Errors
/// The text is no JSON, or a name on the way stands twice.
pub(crate) fn says(text: &str, key: &str, literal: &str) -> Result<bool, String> {
    Ok(matches!(find(text, key)?, Way::There { span, .. } if same(&text[span.clone()], literal)))
}

/// The text with another value of a key, written as it is; none if there is no such key, and none may be added.
///
/// # Errors
/// The text is no JSON, a name on the way stands twice, or what is there cannot give way to a value or hold one.
pub(crate) fn set(text: &str, key: &str, literal: &str, create: bool) -> Result<Option<String>, String> {
    let (open, rest) = match find(text, key)? {
        Way::There { span, .. } if same(&text[span.clone()], literal) => return Ok(Some(text.to_owned())),
        Way::There { span, .. } if text[span.clone()].starts_with('{') => {
            return Err(format!("`{key}` holds keys of its own: set those"));
        }
        Way::There { span, .. } => return Ok(Some([&text[..span.start], literal, &text[span.end..]].concat())),
        Way::Ends { .. } if !create => return Ok(None),
        Way::Ends { open, rest } => (open, rest),
    };
    let names: Vec<&str> = rest.split('.').collect();
    let parts = parts(text, open);
    let list = match text.as_bytes().get(open) {
        Some(b'{') => false,
        Some(b'[') if names[0].parse::<usize>() == Ok(parts.len()) => true,
        Some(b'[') => return Err(format!("`{key}`: the list has {} places; one more may be added, at its end", parts.len())),
        _ => return Err(format!("`{key}`: what is there is neither an object nor a list")),
    };
    if names[1..].iter().any(|name| name.parse::<usize>().is_ok()) {
        return Err(format!("`{key}` names a place in a list that is not there"));
    }
    let inner = names[1..].iter().rev().fold(literal.to_owned(), |inner, name| format!("{{ {}: {inner} }}", Value::from(*name)));
    let (at, lead, colon) = match parts.as_slice() {
        [] => (open + 1..end(text, open) - 1, " ", ": "),
        [.., last] => {
            let from = if let [.., before, _] = parts.as_slice() { space(text, before.value.end) + 1 } else { open + 1 };
            let start = last.start();
            let colon = last.name.as_ref().map_or(": ", |name| &text[name.end..last.value.start]);
            (last.value.end..last.value.end, &text[from..start], colon)
        }
    };
    let comma = if parts.is_empty() { "" } else { "," };
    let tail = if parts.is_empty() { " " } else { "" };
    let name = if list { String::new() } else { format!("{}{colon}", Value::from(names[0])) };
    Ok(Some([&text[..at.start], comma, lead, &name, &inner, tail, &text[at.end..]].concat()))
}

/// The text without a key.
///
/// # Errors
/// The text is no JSON, a name on the way stands twice, or the key names a place in a list: the others would move.
pub(crate) fn without(text: &str, key: &str) -> Result<String, String> {
    let Way::There { span, inside: open } = find(text, key)? else { return Ok(text.to_owned()) };
    if text[open..].starts_with('[') {
        return Err(format!("`{key}` is a place in a list, and the others would move: set the list"));
    }
    let parts = parts(text, open);
    let gone = match parts.iter().position(|part| part.value == span) {
        Some(0) if parts.len() == 1 => open + 1..end(text, open) - 1,
        Some(at) if at + 1 < parts.len() => parts[at].start()..parts[at + 1].start(),
        Some(at) if at > 0 => parts[at - 1].value.end..span.end,
        _ => return Ok(text.to_owned()),
    };
    Ok([&text[..gone.start], &text[gone.end..]].concat())
}

/// Where a key leads.
enum Way<'k> {
    /// To a value, in the object or list that begins there.
    There { span: Range<usize>, inside: usize },
    /// To a value that does not have the rest of the key.
    Ends { open: usize, rest: &'k str },
}

/// A member of an object, or a place of a list.
struct Part {
    /// Its name with its quotes.
    name: Option<Range<usize>>,
    value: Range<usize>,
}

impl Part {
    fn start(&self) -> usize {
        self.name.as_ref().map_or(self.value.start, |name| name.start)
    }
}

fn find<'k>(text: &str, key: &'k str) -> Result<Way<'k>, String> {
    // It says what is wrong and where, and nothing that is in it. From here on no place lies outside.
    serde_json::from_str::<IgnoredAny>(text).map_err(|wrong| format!("it is not JSON: {wrong}"))?;
    let root = space(text, 0);
    let mut at = root..end(text, root);
    let mut rest = key;
    loop {
        let mut name = rest.split_once('.').map_or(rest, |(name, _)| name);
        let mut parts = parts(text, at.start);
        let chosen: Vec<Part> = match text.as_bytes().get(at.start) {
            Some(b'{') => {
                let said = |part: &Part| part.name.clone().and_then(|span| serde_json::from_str::<String>(&text[span]).ok());
                let leads = |said: &String| rest.strip_prefix(said.as_str()).is_some_and(|more| more.is_empty() || more.starts_with('.'));
                // A name may have points in it: the longest that is there.
                let longest = parts.iter().filter_map(said).filter(leads).map(|said| said.len()).max();
                name = longest.map_or(name, |length| &rest[..length]);
                parts.into_iter().filter(|part| said(part).is_some_and(|said| said == name)).collect()
            }
            Some(b'[') => match name.parse::<usize>() {
                Ok(index) if index < parts.len() => vec![parts.swap_remove(index)],
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        let next = match chosen.as_slice() {
            [] => return Ok(Way::Ends { open: at.start, rest }),
            [one] => one.value.clone(),
            [first, second, ..] => {
                return Err(format!("`{name}` of `{key}` stands twice, at {} and {}", place(text, first.start()), place(text, second.start())));
            }
        };
        let inside = std::mem::replace(&mut at, next).start;
        match rest.get(name.len() + 1..) {
            None => return Ok(Way::There { span: at, inside }),
            Some(more) => rest = more,
        }
    }
}

/// Whether two texts are the same value.
fn same(one: &str, other: &str) -> bool {
    let text = |written: &str| serde_json::from_str::<String>(written).map(Zeroizing::new).ok();
    match (text(one), text(other)) {
        (Some(one), Some(other)) => one == other,
        (None, None) => matches!((serde_json::from_str::<Value>(one), serde_json::from_str::<Value>(other)), (Ok(one), Ok(other)) if one == other),
        _ => false,
    }
}

/// What an object or a list that begins there holds; of anything else nothing.
fn parts(text: &str, open: usize) -> Vec<Part> {
    let object = match text.as_bytes().get(open) {
        Some(b'{') => true,
        Some(b'[') => false,
        _ => return Vec::new(),
    };
    let mut parts = Vec::new();
    let mut at = space(text, open + 1);
    while at < text.len() && !matches!(text.as_bytes()[at], b'}' | b']') {
        let mut name = None;
        if object {
            let stop = end(text, at);
            name = Some(at..stop);
            at = space(text, space(text, stop) + 1);
        }
        let stop = end(text, at);
        parts.push(Part { name, value: at..stop });
        at = space(text, stop);
        if text.as_bytes().get(at) != Some(&b',') {
            break;
        }
        at = space(text, at + 1);
    }
    parts
}

/// The end of the value that begins there.
fn end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut quoted) = (start, 0usize, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quoted => at += 1,
            b'"' => {
                quoted = !quoted;
                if !quoted && depth == 0 {
                    return at + 1;
                }
            }
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => return at + 1,
            b'}' | b']' | b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return at,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// The next place that is no blank.
fn space(text: &str, from: usize) -> usize {
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count()
}

/// Line and column of a place.
fn place(text: &str, at: usize) -> String {
    let before = &text[..at];
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{line}:{column}")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;

    const TEXT: &str = "{\r\n\t\"a\" : 1.50,\r\n\t\"b\": { \"c\": \"x, }\\\"\", \"d\": [true, {\"e\":null}] },\r\n\t\"f\": {}\r\n}\r\n";

    #[test]
    fn parts_are_found_by_their_way() {
        assert_eq!(value(TEXT, "a").unwrap(), Some(Value::from(1.5)));
        assert_eq!(value(TEXT, "b.c").unwrap(), Some(Value::from("x, }\"")));
        assert_eq!(value(TEXT, "b.d.1.e").unwrap(), Some(Value::Null));
        for none in ["b.d.2", "b.d.x", "a.b", "c", "b.c.0", ""] {
            assert_eq!(value(TEXT, none).unwrap(), None, "{none}");
        }
    }

    #[test]
    fn a_name_may_have_points_in_it() {
        let text = r#"{"Log":{"Microsoft":{"A":1},"Microsoft.A":2,"Microsoft.A.B":{"c.d":3}}}"#;
        assert_eq!(value(text, "Log.Microsoft.A").unwrap(), Some(Value::from(2)));
        assert_eq!(value(text, "Log.Microsoft.A.B.c.d").unwrap(), Some(Value::from(3)));
        assert_eq!(set(text, "Log.Microsoft.A", "5", true).unwrap().unwrap(), text.replace(":2", ":5"));
        assert_eq!(value(text, "Log.Microsoft.A.x").unwrap(), None);
    }

    #[test]
    fn a_value_is_replaced_and_nothing_else() {
        let put = |key: &str, literal: &str| set(TEXT, key, literal, false).unwrap().unwrap();
        assert_eq!(put("a", "2"), TEXT.replace("1.50", "2"));
        assert_eq!(put("a", "1.5"), TEXT, "it is that already");
        assert_eq!(put("b.d.1.e", "[1]"), TEXT.replace("null", "[1]"));
        assert_eq!(put("b.d", "[]"), TEXT.replace("[true, {\"e\":null}]", "[]"));
        assert_eq!(set(TEXT, "b.x", "1", false).unwrap(), None);
        assert_eq!(set(TEXT, "b", "1", false).unwrap_err(), "`b` holds keys of its own: set those");
    }

    #[test]
    fn what_is_added_is_written_like_its_neighbours() {
        let add = |key: &str| set(TEXT, key, "1", true);
        assert_eq!(add("g").unwrap().unwrap(), TEXT.replace("\"f\": {}", "\"f\": {},\r\n\t\"g\": 1"));
        assert_eq!(add("f.g").unwrap().unwrap(), TEXT.replace("{}", "{ \"g\": 1 }"));
        assert_eq!(add("f.g.h").unwrap().unwrap(), TEXT.replace("{}", "{ \"g\": { \"h\": 1 } }"));
        assert_eq!(add("b.d.2").unwrap().unwrap(), TEXT.replace("null}", "null}, 1"));
        assert_eq!(add("b.d.1.g").unwrap().unwrap(), TEXT.replace("null", "null,\"g\":1"));
        assert_eq!(add("b.d.3").unwrap_err(), "`b.d.3`: the list has 2 places; one more may be added, at its end");
        assert_eq!(add("a.x").unwrap_err(), "`a.x`: what is there is neither an object nor a list");
        assert_eq!(add("f.x.0").unwrap_err(), "`f.x.0` names a place in a list that is not there");
    }

    #[test]
    fn what_is_removed_takes_its_comma_with_it() {
        assert_eq!(without(TEXT, "a").unwrap(), TEXT.replace("\"a\" : 1.50,\r\n\t", ""));
        assert_eq!(without(TEXT, "f").unwrap(), TEXT.replace(",\r\n\t\"f\": {}", ""));
        assert_eq!(without(TEXT, "b.d.1.e").unwrap(), TEXT.replace("\"e\":null", ""));
        assert_eq!(without(TEXT, "b.x").unwrap(), TEXT);
        assert_eq!(without(TEXT, "b.d.0").unwrap_err(), "`b.d.0` is a place in a list, and the others would move: set the list");
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_with_both_places() {
        let text = "{ \"a\": {\n  \"b\": 1,\n  \"\\u0062\": 2 } }";
        assert_eq!(value(text, "a.b").unwrap_err(), "`b` of `a.b` stands twice, at 2:3 and 3:3");
        assert!(set(text, "a.b", "3", true).is_err() && without(text, "a.b").is_err());
    }

    #[test]
    fn what_is_no_json_is_said_with_its_place_and_without_what_is_in_it() {
        let wrong = value("{ \"key\": secret }", "key").unwrap_err();
        assert!(wrong.contains("line 1 column 10") && !wrong.contains("secret"), "{wrong}");
        for text in ["", "{", "{\"", "[1,", "{\"a\"", "{\"a\":", "}", "\"\\", "{,}", "ä", "{ä", "{\"a\":1]", "{} {}", "// x\n{}"] {
            assert!(set(text, "a", "1", true).is_err() && without(text, "a").is_err(), "{text}");
        }
    }
}
