//! One thing that is said of a run, before it is set on a terminal or in a pipe.

use super::layout::{Table, fill, padded, stamp, took};
use crate::paper::Mark;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::printable::Printable;
use std::time::Duration;

/// One thing that is said of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Said {
    /// When it happened.
    pub(crate) at: Timestamp,
    /// What it is about.
    pub(crate) kind: Kind,
    /// Of which step, or which run.
    pub(crate) name: String,
    /// Its sign.
    pub(crate) mark: Mark,
    /// The word that says it.
    pub(crate) word: &'static str,
    /// How long it took.
    pub(crate) took: Option<Duration>,
    /// What else there is to say; several lines if need be.
    pub(crate) text: String,
}

/// What something said is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// The run.
    Run,
    /// A step.
    Step,
    /// A question.
    Ask,
    /// A remark.
    Note,
}

/// Cells of the column of words, and of the one of times.
const WORD: usize = 10;
const TOOK: usize = 5;

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Step => "step",
            Self::Ask => "ask",
            Self::Note => "note",
        }
    }
}

impl Said {
    /// For a terminal, with a line end. Several lines stand below each other.
    pub(crate) fn row(&self, table: &Table) -> String {
        let paper = &table.paper;
        let mut row = table.head(self.mark, &self.name);
        let time = self.took.map(took).unwrap_or_default();
        let word = format!("{:WORD$}", self.word);
        row.push_str(&paper.paint(self.mark.ink(), &word));
        row.push_str(&format!("{time:>TOOK$}    "));
        let mut lines = self.text.lines();
        let first = Printable(lines.next().unwrap_or_default()).to_string();
        row.push_str(&fill(&first, paper.width, 4 + table.name + WORD + TOOK + 4, 6));
        row.truncate(row.trim_end_matches(' ').len());
        for line in lines {
            row.push_str("\n      ");
            row.push_str(&fill(&Printable(line).to_string(), paper.width, 6, 6));
        }
        row.push('\n');
        row
    }

    /// For a pipe: one line with its time, with a line end.
    pub(crate) fn line(&self, zone: &TimeZone) -> String {
        let time = self.took.map(|time| took(time) + " ").unwrap_or_default();
        let text = self.text.lines().map(|line| Printable(line.trim()).to_string()).collect::<Vec<_>>().join("; ");
        let name = padded(&Printable(&self.name).to_string(), 14);
        let line = format!("{} {:4} {name}{:WORD$}{time}{text}", stamp(self.at, zone), self.kind.word(), self.word);
        line.trim_end().to_owned() + "\n"
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;
    use crate::paper::Paper;

    fn said() -> Said {
        Said {
            at: "2026-03-07T19:05:52Z".parse().unwrap(),
            kind: Kind::Step,
            name: "backup-files".into(),
            mark: Mark::Failed,
            word: "failed",
            took: Some(Duration::from_secs(130)),
            text: "attempt 2: cannot copy\nexpected 4.1 GB free\nfound    1.2 GB \u{1b}[2Jfree".into(),
        }
    }

    #[test]
    fn at_a_terminal_it_is_a_row_with_further_lines_below() {
        let expected = "  x backup-files      failed    2m10s    attempt 2: cannot copy\n      expected 4.1 GB free\n      \
                        found    1.2 GB \\u{1b}[2Jfree\n";
        assert_eq!(said().row(&Table { paper: Paper::PLAIN, name: 18 }), expected);
    }

    #[test]
    fn the_longest_word_stands_apart_from_the_time() {
        let said = Said { word: "unchanged", text: String::new(), ..said() };
        assert_eq!(said.row(&Table { paper: Paper::PLAIN, name: 18 }), "  x backup-files      unchanged 2m10s\n");
        assert!(said.line(&TimeZone::UTC).ends_with(" unchanged 2m10s\n"), "{}", said.line(&TimeZone::UTC));
    }

    #[test]
    fn in_a_pipe_it_is_one_line_with_its_time_and_offset() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let expected = "2026-03-07T20:05:52+01:00 step backup-files  failed    2m10s attempt 2: cannot copy; expected 4.1 GB free; \
                        found    1.2 GB \\u{1b}[2Jfree\n";
        assert_eq!(said().line(&zone), expected);
    }
}
