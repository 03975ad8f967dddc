//! Columns, widths and numbers, the same in every report.

use crate::paper::{Mark, Paper};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::printable::Printable;
use std::time::Duration;
use unicode_width::UnicodeWidthStr;

/// Cells of the column of names, at least and at most.
const NAME: usize = 18;
const MOST_NAME: usize = 36;

/// Cells of the column of words.
const WORD: usize = 10;

/// The columns of a list of steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Table {
    /// What it is set on.
    pub(crate) paper: Paper,
    /// Cells of the column of names.
    pub(crate) name: usize,
}

impl Table {
    /// With room for these names, within reason.
    pub(crate) fn of<'n>(paper: Paper, names: impl Iterator<Item = &'n str>) -> Self {
        let widest = names.map(UnicodeWidthStr::width).filter(|cells| *cells < MOST_NAME).max().unwrap_or(0);
        Self { paper, name: (widest + 1).max(NAME) }
    }

    /// Sign and name. At a terminal a name that is too long takes a line of its own.
    pub(crate) fn head(&self, mark: Mark, name: &str) -> String {
        let name = Printable(name).to_string();
        let head = format!("  {} {}", self.paper.mark(mark), padded(&name, self.name));
        if name.width() < self.name || self.paper.width.is_none() { head } else { format!("{}\n    {:2$}", head.trim_end(), "", self.name) }
    }

    /// A line about a step: sign, name, word, and what there is to say. A long text goes on below.
    pub(crate) fn row(&self, mark: Mark, name: &str, word: &str, text: &str) -> String {
        let mut row = self.head(mark, name);
        let word = padded(word, WORD);
        row.push_str(&self.paper.paint(mark.ink(), &word));
        row.push_str(&fill(&Printable(text).to_string(), self.paper.width, 4 + self.name + word.width(), 6));
        row.truncate(row.trim_end_matches(' ').len());
        row.push('\n');
        row
    }
}

/// Breaks a text at its blanks, so that no line is wider than `width`. The first line has `used` cells already; the others begin
/// with `indent` blanks. What has no blank is never cut.
pub(crate) fn fill(text: &str, width: Option<usize>, used: usize, indent: usize) -> String {
    let Some(width) = width else { return text.to_owned() };
    if used + text.width() <= width {
        return text.to_owned();
    }
    let mut filled = String::new();
    let mut at = used;
    // A text that begins with something long is better off on its own line.
    for (index, word) in text.split(' ').enumerate() {
        let cells = word.width();
        let room = at + usize::from(index > 0) + cells <= width;
        if room {
            if index > 0 {
                filled.push(' ');
                at += 1;
            }
        } else if at > indent {
            filled.push('\n');
            filled.push_str(&" ".repeat(indent));
            at = indent;
        }
        filled.push_str(word);
        at += cells;
    }
    filled
}

/// A text and blanks up to that many cells; at least one blank where there is a column.
pub(crate) fn padded(text: &str, cells: usize) -> String {
    let missing = cells.saturating_sub(text.width()).max(usize::from(cells > 0));
    format!("{text}{}", " ".repeat(missing))
}

/// At most that many cells of a text; what is cut off is marked.
pub(crate) fn cut(text: &str, cells: usize) -> String {
    if text.width() <= cells {
        return text.to_owned();
    }
    let mut kept = String::new();
    for char in text.chars() {
        if kept.width() + unicode_width::UnicodeWidthChar::width(char).unwrap_or(0) + 2 > cells {
            break;
        }
        kept.push(char);
    }
    kept + ".."
}

/// A time as people read it: `41s`, `3m48s`, `1h02m`.
pub(crate) fn took(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// The time between two moments of the wall clock; none where it went backwards.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// A moment with its day and offset: `Sat 2026-03-07 20:02 +01:00`.
pub(crate) fn day(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%a %Y-%m-%d %H:%M %:z").to_string()
}

/// A moment for a line in a pipe: `2026-03-07T20:02:11+01:00`.
pub(crate) fn stamp(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// A digest in words of four, as many as a person compares.
pub(crate) fn words_of_four(digest: &str, words: usize) -> String {
    digest.as_bytes().chunks(4).take(words).map(|four| String::from_utf8_lossy(four).into_owned()).collect::<Vec<_>>().join(" ")
}

/// `1 step`, `2 steps`.
pub(crate) fn count(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_fixed_columns() {
        let row = Table::of(Paper::PLAIN, ["quiesce"].into_iter()).row(Mark::Change, "quiesce", "change", "service:PVX: running -> stopped");
        assert_eq!(row, "  ~ quiesce           change    service:PVX: running -> stopped\n");
    }

    #[test]
    fn a_long_name_takes_a_line_of_its_own_at_a_terminal() {
        let paper = Paper { width: Some(60), ..Paper::PLAIN };
        let row = Table { paper, name: 18 }.row(Mark::Done, "farm[terminal-server-01]/copy", "done", "one two three four five six seven eight");
        assert_eq!(row, "  + farm[terminal-server-01]/copy\n                      done      one two three four five six\n      seven eight\n");
    }

    #[test]
    fn nothing_without_a_blank_is_cut() {
        let path = format!("/{}", "x".repeat(90));
        assert_eq!(fill(&format!("a {path} b"), Some(60), 30, 6), format!("a\n      {path}\n      b"));
        assert_eq!(fill(&path, None, 30, 6), path);
    }

    #[test]
    fn times_are_short() {
        let shown: Vec<_> = [0, 59, 228, 3720].map(|s| took(Duration::from_secs(s))).to_vec();
        assert_eq!(shown, ["0s", "59s", "3m48s", "1h02m"]);
        let at: Timestamp = "2026-03-07T19:02:11Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        assert_eq!(day(at, &zone), "Sat 2026-03-07 20:02 +01:00");
        assert_eq!(stamp(at, &zone), "2026-03-07T20:02:11+01:00");
    }

    #[test]
    fn what_is_cut_off_is_marked() {
        assert_eq!(cut("abcdefgh", 6), "abcd..");
    }
}
