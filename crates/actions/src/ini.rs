//! INI files, read and changed in place. Upper and lower case are the same, a pair of quotes around a value is not part of it, and
//! of several keys of one name the first counts, as in Windows.

use std::borrow::Cow;
use std::ops::Range;

/// A line of the file.
struct Line<'t> {
    /// Where it lies, with its end.
    span: Range<usize>,
    /// The section that it is in, or begins; empty before any.
    section: &'t str,
    says: Says<'t>,
}

enum Says<'t> {
    /// A comment, nothing, or nothing that is understood.
    Nothing,
    Section,
    Key {
        name: &'t str,
        /// The value without its quotes.
        value: Range<usize>,
        quoted: bool,
    },
}

/// The value of `Section.Key`, or of `Key` before any section.
pub(crate) fn value<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    find(text, key).map(|(value, _)| &text[value])
}

/// The text with another value of a key. One that is not there is added to its section, that one to the end, if a line end is
/// given for want of one in the file.
pub(crate) fn set(text: &str, key: &str, value: &str, create: Option<&str>) -> Option<String> {
    let bare = value == value.trim() && quotes(value).is_none();
    let written = if bare { Cow::Borrowed(value) } else { Cow::Owned(format!("\"{value}\"")) };
    match (find(text, key), create) {
        (Some((place, quoted)), _) => {
            let written = if quoted { value } else { &written };
            Some([&text[..place.start], written, &text[place.end..]].concat())
        }
        (None, Some(newline)) => Some(added(text, key, &written, newline)),
        (None, None) => None,
    }
}

/// The text without a key, wherever its section says it.
pub(crate) fn without(text: &str, key: &str) -> String {
    let kept = lines(text).filter(|line| !matches!(line.says, Says::Key { name, .. } if named(line.section, name, key)));
    let kept: String = kept.map(|line| &text[line.span]).collect();
    // The last line had no end, and the one that is the last now has none either.
    if text.ends_with('\n') { kept } else { content(&kept).to_owned() }
}

fn find(text: &str, key: &str) -> Option<(Range<usize>, bool)> {
    lines(text).find_map(|line| match line.says {
        Says::Key { name, value, quoted } if named(line.section, name, key) => Some((value, quoted)),
        _ => None,
    })
}

fn named(section: &str, name: &str, key: &str) -> bool {
    let full = if section.is_empty() { Cow::Borrowed(name) } else { Cow::Owned(format!("{section}.{name}")) };
    full.to_lowercase() == key.to_lowercase()
}

fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut section = "";
    let mut next = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = next;
        next += line.len();
        let says = said(line, start);
        if matches!(says, Says::Section) {
            section = head(line).unwrap_or_default();
        }
        Line { span: start..next, section, says }
    })
}

fn said(line: &str, start: usize) -> Says<'_> {
    let trimmed = line.trim();
    if trimmed.starts_with([';', '#']) {
        return Says::Nothing;
    }
    if head(line).is_some() {
        return Says::Section;
    }
    let Some((name, after)) = content(line).split_once('=') else { return Says::Nothing };
    let value = after.trim();
    // Of nothing but blanks, what stands behind them.
    let from = start + name.len() + 1 + (after.len() - after.trim_start().len());
    let (value, quoted) = match quotes(value) {
        Some(_) => (from + 1..from + value.len() - 1, true),
        None => (from..from + value.len(), false),
    };
    Says::Key { name: name.trim(), value, quoted }
}

/// The name in the head of a section; what stands behind it is a remark.
fn head(line: &str) -> Option<&str> {
    line.trim().strip_prefix('[')?.split_once(']').map(|(name, _)| name.trim())
}

/// A line without its end.
fn content(line: &str) -> &str {
    line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line))
}

/// What stands within a pair of quotes.
fn quotes(value: &str) -> Option<&str> {
    ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
}

/// The text with one key more, as its neighbours are written.
fn added(text: &str, key: &str, written: &str, newline: &str) -> String {
    let (section, name) = home(text, key);
    let newline = match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        Some(_) => "\n",
        None => newline,
    };
    let in_section = |line: &Line<'_>| !matches!(line.says, Says::Nothing) && line.section.to_lowercase() == section.to_lowercase();
    // After the last line of the first section of that name, so that what introduces the next one stays with it.
    let last = lines(text).skip_while(|line| !in_section(line)).take_while(|line| line.section.to_lowercase() == section.to_lowercase());
    let (at, indent, equals) = match last.filter(in_section).last() {
        Some(Line { span, says: Says::Key { .. }, .. }) => {
            let line = &text[span.clone()];
            let indent = &line[..line.len() - line.trim_start().len()];
            let spaced = line.split_once('=').is_some_and(|(name, _)| name.ends_with(char::is_whitespace));
            (span.end, indent, if spaced { " = " } else { "=" })
        }
        Some(Line { span, .. }) => (span.end, "", "="),
        None if section.is_empty() => {
            (lines(text).find(|line| matches!(line.says, Says::Section)).map_or(text.len(), |line| line.span.start), "", "=")
        }
        None => {
            let gap = if text.is_empty() { "" } else { newline };
            return ended(text.len(), text, &format!("{gap}[{section}]{newline}{name}={written}"), newline);
        }
    };
    ended(at, text, &format!("{indent}{name}{equals}{written}"), newline)
}

/// The text with lines more at a place where one ends, or at the end of a file whose last line has no end.
fn ended(at: usize, text: &str, lines: &str, newline: &str) -> String {
    let (before, after) = text.split_at(at);
    if before.is_empty() || before.ends_with('\n') { [before, lines, newline, after].concat() } else { [before, newline, lines, after].concat() }
}

/// The section and the name of a key that is not there: the longest section that is, else up to the first point. A file with keys
/// and no sections knows none.
fn home<'k>(text: &str, key: &'k str) -> (&'k str, &'k str) {
    let (mut heads, mut keys) = (0, 0);
    let mut found: Option<(&str, &str)> = None;
    for line in lines(text) {
        match line.says {
            Says::Section => heads += 1,
            Says::Key { .. } => keys += 1,
            Says::Nothing => {}
        }
        let length = line.section.len();
        let within = key.get(..length).filter(|begin| length > 0 && begin.to_lowercase() == line.section.to_lowercase());
        if let Some((begin, name)) = within.and_then(|begin| Some((begin, key[length..].strip_prefix('.')?)))
            && found.is_none_or(|(other, _)| other.len() < length)
        {
            found = Some((begin, name));
        }
    }
    let flat = heads == 0 && keys > 0;
    found.or_else(|| key.split_once('.').filter(|_| !flat)).unwrap_or(("", key))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_their_section_and_before_any() {
        let text = "top = 1\r\n; [Off]\n[Licence] ; see [2]\nUsers=22\n users.max = a=b \nName=\" x \"\n[Other]\nUsers=9\nUsers=10\nHalf=\"\n";
        assert_eq!(value(text, "top"), Some("1"));
        assert_eq!(value(text, "licence.USERS"), Some("22"));
        assert_eq!(value(text, "Licence.users.max"), Some("a=b"));
        assert_eq!(value(text, "Licence.Name"), Some(" x "));
        assert_eq!(value(text, "Other.Users"), Some("9"));
        assert_eq!(value(text, "Other.Half"), Some("\""));
        assert_eq!(value(text, "Users"), None);
    }

    #[test]
    fn a_value_is_replaced_and_nothing_else() {
        let text = "; Users=1\r\n[L]\r\n  Users =  22  \r\nName = 'a'\r\nNone=\r\nUsers=9";
        assert_eq!(set(text, "l.users", "23", None).unwrap(), text.replace("  22  ", "  23  "));
        assert_eq!(set(text, "L.Name", "b'c", None).unwrap(), text.replace("'a'", "'b'c'"));
        assert_eq!(set(text, "L.None", "x", None).unwrap(), text.replace("None=", "None=x"));
        assert_eq!(set(text, "L.None", " x", None).unwrap(), text.replace("None=", "None=\" x\""));
        assert_eq!(set(text, "L.None", "'x'", None).unwrap(), text.replace("None=", "None=\"'x'\""));
        assert_eq!(set(text, "L.Other", "x", None), None);
    }

    #[test]
    fn a_key_that_is_added_is_written_like_its_neighbours() {
        let add = |text: &str, key: &str| set(text, key, "1", Some("\n")).unwrap();
        assert_eq!(add("[A]\r\n\ta = 0\r\n\r\n; B\r\n[B]\r\n", "a.new"), "[A]\r\n\ta = 0\r\n\tnew = 1\r\n\r\n; B\r\n[B]\r\n");
        assert_eq!(add("[A]\na=0\n[B]\n", "B.new"), "[A]\na=0\n[B]\nnew=1\n");
        assert_eq!(add("[A]\na=0", "A.new"), "[A]\na=0\nnew=1");
        assert_eq!(add("[A]\na=0", "B.new"), "[A]\na=0\n\n[B]\nnew=1");
        assert_eq!(add("; x\n[A]\na=0\n", "new"), "; x\nnew=1\n[A]\na=0\n");
        assert_eq!(add("[opcache]\nopcache.a=0\n", "opcache.opcache.b"), "[opcache]\nopcache.a=0\nopcache.b=1\n");
        assert_eq!(add("server.port=1\n", "server.host"), "server.port=1\nserver.host=1\n");
        assert_eq!(add("", "A.new"), "[A]\nnew=1\n");
    }

    #[test]
    fn a_key_that_is_removed_is_gone_wherever_it_stood() {
        assert_eq!(without("[A]\na=1\nb=2\na=3\n[B]\na=4\n[A]\nA=5\n", "a.a"), "[A]\nb=2\n[B]\na=4\n[A]\n");
        assert_eq!(without("[A]\r\na=1\r\nb=2", "a.b"), "[A]\r\na=1");
        assert_eq!(without("[A]\na=1", "a.b"), "[A]\na=1");
    }
}
