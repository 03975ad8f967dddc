//! The question before a run: what it will do, and whether it may begin.

use super::console::{Console, Heard};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::paper::{Ink, Paper};
use crate::report::layout::count;
use model::printable::Printable;

/// What is about to begin.
#[derive(Clone, Debug)]
pub(crate) struct Start<'a> {
    /// For whom.
    pub(crate) client: &'a str,
    /// How many effects are planned.
    pub(crate) effects: usize,
    /// Why the client's name has to be typed, if it has to: what cannot be undone.
    pub(crate) reason: Option<String>,
    /// Whether the client was named on the command line.
    pub(crate) named: bool,
    /// Whether it goes on with what was cut off: perhaps because a disk failed.
    pub(crate) cut_off: bool,
    /// Whether `--yes` stands on the command line.
    pub(crate) yes: bool,
}

impl Start<'_> {
    /// What is wrong with the command line: `--yes` alone does not agree to what cannot be undone.
    ///
    /// # Errors
    /// Exit 2.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if let (true, Some(reason), false) = (self.yes, &self.reason, self.named) {
            let message = format!("`--yes` needs `--client` named: {reason}");
            return Err(Failure::usage(message).help(format!("name the client, or answer `{}` at a terminal", self.client)));
        }
        Ok(())
    }

    /// What is missing when nobody can be asked.
    pub(crate) fn missing(&self) -> Option<String> {
        let healthy = if self.cut_off { ", and your word that the disks are healthy, for it was cut off" } else { "" };
        (!self.yes && self.effects > 0).then(|| format!("the agreement to start{healthy}: `--yes`"))
    }

    /// Asks a person whether it may begin.
    ///
    /// # Errors
    /// The person leaves.
    pub(crate) fn ask(&self, console: &dyn Console, paper: &Paper) -> Result<(), Failure> {
        if self.yes || self.effects == 0 {
            return Ok(());
        }
        let planned = count(self.effects, "effect");
        if self.cut_off {
            console.write("It was cut off. If that was a disk that failed, start only if it is healthy again.\n");
        }
        let left = || Failure::new(Exit::Stopped, "stopped", "nothing was started");
        let Some(reason) = &self.reason else {
            console.write(&format!("{planned}; all can be taken back.\n"));
            loop {
                match console.line("Start? [y] yes  [n] no : ") {
                    Heard::Line(line) if matches!(line.trim().to_lowercase().as_str(), "y" | "yes") => return Ok(()),
                    Heard::Line(line) if !matches!(line.trim().to_lowercase().as_str(), "n" | "no" | "") => {
                        console.write("  y starts it, n leaves everything as it is\n");
                    }
                    Heard::Line(_) | Heard::Interrupted => return Err(left()),
                    Heard::End => return Err(Failure::missing(self.missing().into_iter().collect())),
                }
            }
        };
        console.write(&format!("{planned}. {}.\n", paper.paint(Ink::Bad, &Printable(reason).to_string())));
        match console.line("Type the client's name to start, or Enter to leave: ") {
            Heard::Line(line) if line.trim() == self.client => Ok(()),
            Heard::Line(_) | Heard::Interrupted => Err(left()),
            Heard::End => Err(Failure::missing(self.missing().into_iter().collect())),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::super::script::Script;
    use super::*;

    fn start(irreversible: &[&'static str], yes: bool, named: bool) -> Start<'static> {
        let reason = irreversible.first().map(|step| format!("1 thing cannot be undone: {step}"));
        Start { client: "harbor", effects: 14, reason, named, cut_off: false, yes }
    }

    #[test]
    fn what_cannot_be_undone_wants_the_clients_name() {
        let exit = |typed: &[&str]| start(&["activate"], false, false).ask(&Script::new(typed), &Paper::PLAIN).map_err(|f| f.exit());
        assert_eq!(exit(&["yes"]), Err(Exit::Stopped));
        assert_eq!(exit(&[""]), Err(Exit::Stopped));
        assert_eq!(exit(&["^C"]), Err(Exit::Stopped));
        assert_eq!(exit(&[]), Err(Exit::Unanswered));
        assert_eq!(exit(&["harbor"]), Ok(()));
    }

    #[test]
    fn what_can_be_undone_wants_a_letter() {
        let script = Script::new(&["what", "y"]);
        assert!(start(&[], false, false).ask(&script, &Paper::PLAIN).is_ok());
        let expected = "14 effects; all can be taken back.\nStart? [y] yes  [n] no : what\n  y starts it, n leaves everything as it is\n\
                        Start? [y] yes  [n] no : y\n";
        assert_eq!(script.shown(), expected);
        assert_eq!(start(&[], false, false).ask(&Script::new(&[""]), &Paper::PLAIN).unwrap_err().exit(), Exit::Stopped);
    }

    #[test]
    fn yes_agrees_but_to_what_cannot_be_undone_only_with_the_client_named() {
        assert!(start(&[], true, false).check().is_ok());
        assert_eq!(start(&["activate"], true, false).check().unwrap_err().exit(), Exit::Usage);
        assert!(start(&["activate"], true, true).check().is_ok());
        assert!(start(&["activate"], true, true).ask(&Script::new(&[]), &Paper::PLAIN).is_ok());
        assert!(start(&[], true, false).missing().is_none());
        assert!(start(&[], false, false).missing().is_some());
    }

    #[test]
    fn what_was_cut_off_wants_the_word_that_the_disks_are_healthy() {
        let start = Start { cut_off: true, ..start(&[], false, false) };
        let script = Script::new(&["y"]);
        assert!(start.ask(&script, &Paper::PLAIN).is_ok());
        assert!(script.shown().starts_with("It was cut off. If that was a disk that failed, start only if it is healthy again.\n"));
        assert!(start.missing().is_some_and(|missing| missing.contains("your word that the disks are healthy")));
        assert!(Start { yes: true, ..start }.missing().is_none());
    }
}
