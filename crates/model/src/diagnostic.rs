//! What is wrong in a document, where, and what would help.

use std::fmt;

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::{
    printable::Printable,
    yaml::{Source, Stretch},
};

/// How many are kept; what comes after is only counted as "more".
pub const MOST: usize = 200;

/// One finding with its place. `Display` is what a terminal shows, without a final newline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Whether it forbids to go on.
    pub severity: Severity,
    /// A stable name of its kind, such as `unknown-step`.
    pub code: &'static str,
    /// One sentence, lower case, no period.
    pub message: String,
    /// Where, if it is about a place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Place>,
    /// More lines, some with places of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// Whether a diagnostic forbids to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It does.
    Error,
    /// It does not.
    Warning,
}

/// A place in a file, complete enough to be shown when the file is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file as the user named it.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// The part of the line that is shown.
    pub text: String,
    /// Cells before the caret within `text`.
    #[serde(skip)]
    indent: usize,
    /// Carets.
    #[serde(skip)]
    width: usize,
}

/// A further line of a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// What it says.
    pub message: String,
    /// Where, if it is about a place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Place>,
}

impl Diagnostic {
    /// An error without a place yet.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, message: message.into(), at: None, notes: Vec::new(), help: None }
    }

    /// A warning without a place yet.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Points at a stretch of a source.
    #[must_use]
    pub fn at(mut self, source: &Source, stretch: Stretch) -> Self {
        self.at = Some(Place::new(source, stretch));
        self
    }

    /// Adds a line.
    #[must_use]
    pub fn note(mut self, message: impl Into<String>) -> Self {
        self.notes.push(Note { message: message.into(), at: None });
        self
    }

    /// Adds a line that points at another place.
    #[must_use]
    pub fn note_at(mut self, message: impl Into<String>, source: &Source, stretch: Stretch) -> Self {
        self.notes.push(Note { message: message.into(), at: Some(Place::new(source, stretch)) });
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what to do about it, if something is known.
    #[must_use]
    pub fn help_if(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    /// "did you mean ..." when one of the known names is near.
    #[must_use]
    pub fn did_you_mean<'a>(self, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let near = nearest(name, known).map(|near| format!("did you mean `{near}`?"));
        self.help_if(near)
    }
}

impl Place {
    /// Reads a place off its source. Long lines are cut round it.
    pub fn new(source: &Source, stretch: Stretch) -> Self {
        const LEAD: usize = 60;
        const SHOWN: usize = 100;
        let (line, column) = source.position(stretch.start);
        let whole = source.line(line);
        let wanted = source.text().get(stretch.start as usize..stretch.end as usize).unwrap_or_default();
        let wanted = wanted.lines().next().unwrap_or_default();
        let skipped = if column as usize > LEAD + 20 { column as usize - LEAD } else { 0 };
        let kept: String = whole.chars().skip(skipped).take(SHOWN).collect();
        let before: String = kept.chars().take(column as usize - 1 - skipped).collect();
        let lead = if skipped > 0 { "..." } else { "" };
        let tail = if whole.chars().nth(skipped + SHOWN).is_some() { "..." } else { "" };
        let indent = lead.len() + Printable(&before).to_string().width();
        let text = format!("{lead}{}{tail}", Printable(&kept));
        let room = text.width().saturating_sub(indent).max(1);
        let width = Printable(wanted).to_string().width().clamp(1, room);
        Self { file: source.name().to_owned(), line, column, text, indent, width }
    }

    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, text, indent, .. } = self;
        write!(f, "\n {line:>4} | {}", text.trim_end())?;
        write!(f, "\n      | {:indent$}{}", "", "^".repeat(self.width))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", Printable(&self.file), self.line, self.column)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{severity}[{}]: {}", self.code, Printable(&self.message))?;
        if let Some(place) = &self.at {
            write!(f, "\n  {place}")?;
            place.show(f)?;
        }
        for note in &self.notes {
            match &note.at {
                Some(place) => {
                    write!(f, "\n  {place}: {}", Printable(&note.message))?;
                    place.show(f)?;
                }
                None => write!(f, "\n  {}", Printable(&note.message))?,
            }
        }
        match &self.help {
            Some(help) => write!(f, "\n  help: {}", Printable(help)),
            None => Ok(()),
        }
    }
}

/// Findings in the order they were made, at most [`MOST`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
    more: bool,
}

impl Diagnostics {
    /// Adds one, unless there are already [`MOST`] or the very same one is there.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if self.found.len() >= MOST {
            self.more = true;
        } else if !self.found.contains(&diagnostic) {
            self.found.push(diagnostic);
        }
    }

    /// Adds all of another.
    pub fn append(&mut self, other: Self) {
        self.more |= other.more;
        other.found.into_iter().for_each(|diagnostic| self.push(diagnostic));
    }

    /// Whether nothing was found, not even a warning.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Whether no more are kept.
    pub fn is_full(&self) -> bool {
        self.found.len() >= MOST
    }

    /// Whether more were found than are kept.
    pub fn more(&self) -> bool {
        self.more
    }

    /// How many errors there are, warnings not counted.
    pub fn errors(&self) -> usize {
        self.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count()
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.found.iter()
    }

    /// Orders them by place: files as they first appear, then line and column; what has no place stays last.
    pub fn sort(&mut self) {
        let mut files: Vec<String> = Vec::new();
        for place in self.found.iter().filter_map(|diagnostic| diagnostic.at.as_ref()) {
            if !files.contains(&place.file) {
                files.push(place.file.clone());
            }
        }
        self.found.sort_by_key(|diagnostic| match &diagnostic.at {
            Some(place) => (files.iter().position(|file| *file == place.file), place.line, place.column),
            None => (Some(files.len()), 0, 0),
        });
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.found.iter().enumerate() {
            writeln!(f, "{}{diagnostic}", if index > 0 { "\n" } else { "" })?;
        }
        if self.more {
            writeln!(f, "\nMore than {MOST} findings: the rest is not shown.")?;
        }
        Ok(())
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The known name that is nearest to a mistyped one, if one is near enough to be meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > 100 {
        return None;
    }
    let far = name.chars().count().div_ceil(3).max(1);
    let letters = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    let own = letters(name);
    known
        .into_iter()
        .filter(|known| known.len().abs_diff(name.len()) <= far && *known != name)
        .map(|known| (strsim::damerau_levenshtein(name, known), letters(known) != own, known))
        .filter(|(distance, ..)| *distance <= far && *distance < name.chars().count())
        .min()
        .map(|(.., known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_shows_code_place_line_caret_and_help() {
        let source = Source::new("a.yaml", "steps:\n  - id: a\n    needs: [quiese]\n");
        let found = Diagnostic::error("unknown-step", "no step is called `quiese`")
            .at(&source, Stretch { start: 29, end: 35 })
            .did_you_mean("quiese", ["quiesce", "start"]);
        let expected = "error[unknown-step]: no step is called `quiese`\n  a.yaml:3:13\n    3 |     needs: [quiese]\n      \
                        |             ^^^^^^\n  help: did you mean `quiesce`?";
        assert_eq!(found.to_string(), expected);
    }

    #[test]
    fn a_long_line_is_cut_round_its_caret() {
        let text = format!("{}needle{}", "x".repeat(500), "y".repeat(500));
        let shown = Diagnostic::error("a", "b").at(&Source::new("f", text), Stretch { start: 500, end: 506 }).to_string();
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines[2].find("needle"), lines[3].find("^^^^^^"));
        assert!(lines[2].len() < 120);
    }
}
