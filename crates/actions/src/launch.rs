//! The program of a `command.*` step.

use crate::param::Place;
use model::program::{End, Parse, Program};
use model::value::{May, Text, placeholder};
use std::collections::BTreeMap;
use world::action::ActionError;
use world::view::View;

/// What both say of it.
pub(crate) struct Launch<'a> {
    pub(crate) argv: &'a [May<String>],
    pub(crate) cwd: Option<&'a Place>,
    pub(crate) env: &'a BTreeMap<String, May<Text>>,
    pub(crate) stdin: Option<&'a May<Text>>,
    pub(crate) parse: Parse,
    pub(crate) expect_exit: &'a [i32],
    pub(crate) expect_stdout: Option<&'a str>,
}

impl Launch<'_> {
    /// The program, with an absolute path; what is not known yet is a placeholder.
    pub(crate) fn program(&self, view: &dyn View) -> Result<Program, ActionError> {
        let invalid = |why: &str| Err(ActionError::Invalid(why.to_owned()));
        let name = match self.argv.first() {
            None => return invalid("`argv` is empty"),
            Some(May::Unknown { until }) => return Err(ActionError::Unknown { until: until.clone() }),
            Some(May::Known(name)) => name,
        };
        let arguments = self.argv.iter().skip(1).map(|argument| match argument {
            May::Known(text) => text.clone(),
            May::Unknown { until } => placeholder(until),
        });
        let argv: Vec<String> = std::iter::once(view.program(name)?).chain(arguments).collect();
        if argv.iter().any(|argument| argument.contains('\0')) {
            return invalid("`argv` holds a NUL character");
        }
        if self.env.keys().any(|name| name.is_empty() || name.contains(['=', '\0'])) {
            return invalid("a name in `env` is empty or holds `=`");
        }
        if self.expect_exit.is_empty() {
            return invalid("`expect_exit` is empty");
        }
        let text = |text: &May<Text>| match text {
            May::Known(text) => text.clone(),
            May::Unknown { until } => Text::Plain(placeholder(until)),
        };
        Ok(Program {
            argv,
            cwd: self.cwd.map(ToString::to_string),
            env: self.env.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            stdin: self.stdin.map(text),
            expect_exit: self.expect_exit.to_vec(),
            expect_stdout: self.expect_stdout.map(str::to_owned),
            parse: self.parse,
        })
    }

    /// Whether it is given a secret.
    pub(crate) fn has_secret(&self) -> bool {
        self.env.values().chain(self.stdin).any(|text| matches!(text, May::Known(Text::Secret(_))))
    }

    /// The step after which all of it is known.
    pub(crate) fn until(&self) -> Option<&model::id::StepId> {
        let arguments = self.argv.iter().find_map(|argument| match argument {
            May::Unknown { until } => Some(until),
            May::Known(_) => None,
        });
        let texts = || {
            self.env.values().chain(self.stdin).find_map(|text| match text {
                May::Unknown { until } => Some(until),
                May::Known(_) => None,
            })
        };
        arguments.or_else(texts)
    }
}

/// How a program ended, in words.
pub(crate) fn ended(end: End) -> String {
    match end {
        End::Code(code) => format!("exit {code}"),
        End::Signal(signal) => format!("ended by signal {signal}"),
        End::TimedOut => "it took too long".to_owned(),
        End::Cancelled => "it was cancelled".to_owned(),
    }
}

/// The only exit code that means success unless a step says otherwise.
pub(crate) fn zero() -> Vec<i32> {
    vec![0]
}
