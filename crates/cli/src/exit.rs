//! How the program ends: one code for each thing a script may want to tell apart.

use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done; nothing wrong; all that was announced is taken back.
    Done = 0,
    /// A step failed; what was done before it stands.
    Failed = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// A document is invalid.
    Invalid = 3,
    /// Refused before the first intended effect.
    Refused = 4,
    /// A step failed and everything but what is kept was taken back.
    TakenBack = 5,
    /// Stopped by a person.
    Stopped = 6,
    /// An answer or input is missing and nobody can be asked.
    Unanswered = 7,
    /// Completed with failures that the runbook allows.
    Allowed = 8,
    /// A record does not verify.
    Unverified = 9,
    /// Waits for something later.
    Suspended = 10,
    /// A mistake in the program itself.
    Bug = 70,
}

impl Exit {
    /// Every code with what it means to a person.
    pub(crate) const TABLE: [(Self, &'static str); 12] = [
        (Self::Done, "done; plan and check: nothing wrong; undo: all it announced is taken back"),
        (Self::Failed, "a step failed; what was done before it stands, as shown"),
        (Self::Usage, "the command line cannot be understood"),
        (Self::Invalid, "the runbook, client file, plan or answers are invalid"),
        (Self::Refused, "refused before the first effect"),
        (Self::TakenBack, "a step failed and everything but what is kept was taken back"),
        (Self::Stopped, "stopped by a person"),
        (Self::Unanswered, "an answer or input is missing and nobody can be asked"),
        (Self::Allowed, "completed with failures that the runbook allows"),
        (Self::Unverified, "a record does not verify"),
        (Self::Suspended, "waits for something later; resume goes on"),
        (Self::Bug, "a mistake in retrace itself"),
    ];

    /// The number that the system is given.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// The exit of this number, as an ended run recorded it.
    pub(crate) fn of(code: u8) -> Option<Self> {
        Self::TABLE.iter().map(|(exit, _)| *exit).find(|exit| exit.code() == code)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_the_contract() {
        let codes: Vec<u8> = Exit::TABLE.iter().map(|(exit, _)| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 70]);
        for code in 0..=u8::MAX {
            assert_eq!(Exit::of(code).map(Exit::code), codes.contains(&code).then_some(code));
        }
    }
}
