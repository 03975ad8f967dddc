//! Why a command ends without doing what it was asked, and how that is told.

use crate::exit::Exit;
use crate::paper::{Ink, Paper};
use model::printable::Printable;
use serde_json::{Value as Json, json};
use std::error::Error;
use std::fmt::Write as _;

/// Why a command ends without doing what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    code: &'static str,
    message: String,
    details: Vec<String>,
    place: Option<String>,
    help: Option<String>,
    more: Option<(&'static str, Json)>,
    findings: Option<String>,
}

impl Failure {
    /// With its exit, a stable name of its kind, and one sentence in lower case.
    pub(crate) fn new(exit: Exit, code: &'static str, message: impl Into<String>) -> Self {
        Self { exit, code, message: message.into(), details: Vec::new(), place: None, help: None, more: None, findings: None }
    }

    /// A mistake in the command line that the parser cannot see.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// Answers or inputs are missing and nobody can be asked: all of them.
    pub(crate) fn missing(what: Vec<String>) -> Self {
        let message = match what.len() {
            1 => "an answer is missing and nobody can be asked".to_owned(),
            n => format!("{n} answers are missing and nobody can be asked"),
        };
        Self::new(Exit::Unanswered, "missing-answers", message).details(what).help("give them with `--answers FILE`, or run it at a terminal")
    }

    /// From an error and what it comes from, each said once.
    pub(crate) fn from_error(exit: Exit, code: &'static str, error: &(dyn Error + 'static)) -> Self {
        let mut causes = Vec::new();
        let mut cause = error.source();
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        Self::new(exit, code, error.to_string()).details(causes)
    }

    /// Further lines.
    #[must_use]
    pub(crate) fn details(mut self, details: Vec<String>) -> Self {
        self.details.extend(details);
        self
    }

    /// Where.
    #[must_use]
    pub(crate) fn place(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// What to do about it.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Something for readers of the JSON.
    #[must_use]
    pub(crate) fn more(mut self, key: &'static str, value: Json) -> Self {
        self.more = Some((key, value));
        self
    }

    /// What was found in documents, as people read it: it is the message, and the message its sum.
    #[must_use]
    pub(crate) fn findings(mut self, findings: String) -> Self {
        self.findings = Some(findings);
        self
    }

    /// How the program ends.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// For people, with a line end.
    pub(crate) fn text(&self, paper: &Paper) -> String {
        if let Some(findings) = &self.findings {
            return format!("{findings}\n{}.\n", Printable(&self.message));
        }
        let head = format!("error[{}]:", self.code);
        let mut text = format!("{} {}\n", paper.paint(Ink::Bad, &head), Printable(&self.message));
        if let Some(place) = &self.place {
            let _ = writeln!(text, "  {}", Printable(place));
        }
        for detail in &self.details {
            let _ = writeln!(text, "  {}", Printable(detail));
        }
        if let Some(help) = &self.help {
            let _ = writeln!(text, "  help: {}", Printable(help));
        }
        text
    }

    /// For programs.
    pub(crate) fn json(&self) -> Json {
        let mut error = json!({ "code": self.code, "message": self.message, "at": self.place, "help": self.help });
        if !self.details.is_empty() {
            error["details"] = json!(self.details);
        }
        if let Some((key, value)) = &self.more {
            error[*key] = value.clone();
        }
        json!({ "format": 1, "error": error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_its_kind_its_details_and_what_helps() {
        let failure = Failure::missing(vec!["keys.serial: a secret".into(), "closed: the phrase `all closed`".into()]);
        let expected = "error[missing-answers]: 2 answers are missing and nobody can be asked\n  keys.serial: a secret\n  \
                        closed: the phrase `all closed`\n  help: give them with `--answers FILE`, or run it at a terminal\n";
        assert_eq!(failure.text(&Paper::PLAIN), expected);
        assert_eq!(failure.exit(), Exit::Unanswered);
        assert_eq!(failure.json()["error"]["code"], "missing-answers");
    }

    #[test]
    fn foreign_text_in_a_failure_cannot_command_the_terminal() {
        let text = Failure::usage("no `\u{1b}[2J`").text(&Paper::PLAIN);
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
