//! What a stream can show, and how words are set on it.

use crate::args::When;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use std::borrow::Cow;
use std::env;
use std::io::{IsTerminal, stderr, stdout};

/// What one stream can show. Each stream has its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Paper {
    /// Whether colours are wanted.
    pub(crate) colour: bool,
    /// Whether signs outside ASCII are known to appear.
    pub(crate) unicode: bool,
    /// Whether it is a terminal whose cursor can be moved.
    pub(crate) cursor: bool,
    /// Cells in a line; none where lines are not broken.
    pub(crate) width: Option<usize>,
}

/// What a word is, for its colour. The word itself says the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ink {
    /// Went well.
    Good,
    /// Failed, or cannot be.
    Bad,
    /// Needs somebody, or is not known.
    Open,
    /// A heading.
    Head,
    /// Anything else.
    Plain,
}

/// The sign in front of a line. It repeats the word beside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mark {
    Done,
    Failed,
    Running,
    Unknown,
    Person,
    ToDo,
    Skipped,
    Same,
    Change,
    TakenBack,
    Never,
    Wait,
}

impl Paper {
    /// Nothing but text: a pipe.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { colour: false, unicode: false, cursor: false, width: None };

    /// Of standard output.
    pub(crate) fn stdout(when: When) -> Self {
        let stream = stdout();
        let width = terminal_size::terminal_size_of(&stream).map(|(width, _)| usize::from(width.0));
        Self::of(stream.is_terminal(), &AutoStream::new(stream, choice(when)), width)
    }

    /// Of standard error.
    pub(crate) fn stderr(when: When) -> Self {
        let stream = stderr();
        let width = terminal_size::terminal_size_of(&stream).map(|(width, _)| usize::from(width.0));
        Self::of(stream.is_terminal(), &AutoStream::new(stream, choice(when)), width)
    }

    fn of<S: anstream::stream::RawStream>(terminal: bool, stream: &AutoStream<S>, width: Option<usize>) -> Self {
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let calm = env::var_os("ACCESSIBLE").is_some_and(|value| !value.is_empty());
        Self {
            colour: stream.current_choice() == ColorChoice::AlwaysAnsi,
            unicode: terminal && !dumb && knows_unicode(),
            cursor: terminal && !dumb && !calm,
            width: terminal.then(|| width.unwrap_or(80).clamp(60, 100)),
        }
    }

    /// A text in the colour of what it is.
    pub(crate) fn paint<'t>(&self, ink: Ink, text: &'t str) -> Cow<'t, str> {
        let style = match ink {
            _ if !self.colour => return Cow::Borrowed(text),
            Ink::Plain => return Cow::Borrowed(text),
            Ink::Good => Style::new().fg_color(Some(AnsiColor::Green.into())),
            Ink::Bad => Style::new().fg_color(Some(AnsiColor::Red.into())).bold(),
            Ink::Open => Style::new().fg_color(Some(AnsiColor::Yellow.into())),
            Ink::Head => Style::new().bold(),
        };
        Cow::Owned(format!("{style}{text}{style:#}"))
    }

    /// A sign, one cell wide.
    pub(crate) fn mark(&self, mark: Mark) -> Cow<'static, str> {
        let (ascii, sign) = match mark {
            Mark::Done => ("+", "\u{2713}"),
            Mark::Failed => ("x", "\u{2717}"),
            Mark::Running => (">", "\u{25b6}"),
            Mark::Unknown => ("?", "?"),
            Mark::Person => ("*", "\u{25c6}"),
            Mark::ToDo => (".", "\u{b7}"),
            Mark::Skipped => ("-", "\u{2013}"),
            Mark::Same => ("=", "="),
            Mark::Change => ("~", "~"),
            Mark::TakenBack => ("<", "\u{21b6}"),
            Mark::Never => ("!", "!"),
            Mark::Wait => (":", ":"),
        };
        self.paint(mark.ink(), if self.unicode { sign } else { ascii })
    }
}

impl Mark {
    /// The colour of the sign and its word.
    pub(crate) fn ink(self) -> Ink {
        match self {
            Self::Done | Self::TakenBack => Ink::Good,
            Self::Failed | Self::Never => Ink::Bad,
            Self::Person | Self::Unknown => Ink::Open,
            Self::Running => Ink::Head,
            Self::ToDo | Self::Skipped | Self::Same | Self::Change | Self::Wait => Ink::Plain,
        }
    }
}

/// What anstream is to decide by.
pub(crate) fn choice(when: When) -> ColorChoice {
    match when {
        When::Auto => ColorChoice::Auto,
        When::Always => ColorChoice::Always,
        When::Never => ColorChoice::Never,
    }
}

fn knows_unicode() -> bool {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let utf8 = |locale: String| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    };
    set("WT_SESSION").is_some() || set("TERM_PROGRAM").is_some() || set("LC_ALL").or(set("LC_CTYPE")).or(set("LANG")).is_some_and(utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paper_has_signs_of_ascii_and_no_colour() {
        assert_eq!(Paper::PLAIN.mark(Mark::Done), "+");
        assert_eq!(Paper::PLAIN.paint(Ink::Bad, "failed"), "failed");
    }

    #[test]
    fn colour_is_put_round_a_word_and_taken_off_again() {
        let paper = Paper { colour: true, unicode: true, ..Paper::PLAIN };
        assert_eq!(paper.paint(Ink::Good, "done"), "\u{1b}[32mdone\u{1b}[0m");
        assert_eq!(paper.mark(Mark::Same), "=");
    }
}
