//! `command.look`

use crate::launch::{Launch, ended, zero};
use crate::param::Place;
use model::program::{End, Parse};
use model::value::{May, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use world::action::{Action, ActionError, Class};
use world::error::WorldError;
use world::look::Output;
use world::proposal::Proposal;
use world::view::View;

/// Starts a program that is declared to change nothing, also when planning, and takes its output.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandLook {
    /// The program, by name or absolute path, and its arguments. No shell. Never secrets, here or below: they are for
    /// `command.run`.
    #[schemars(length(min = 1))]
    pub argv: Vec<May<String>>,
    /// The directory that it starts in. Default: the root.
    pub cwd: Option<Place>,
    /// Added to its short fixed environment.
    #[serde(default)]
    pub env: BTreeMap<String, May<String>>,
    /// Given to its standard input.
    pub stdin: Option<May<String>>,
    /// How its output becomes `result`.
    #[serde(default)]
    pub parse: Parse,
    /// The exit codes that mean success.
    #[serde(default = "zero")]
    #[schemars(length(min = 1))]
    pub expect_exit: Vec<i32>,
    /// Text that its output must contain.
    pub expect_stdout: Option<String>,
}

/// What a program wrote.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Written {
    /// Its standard output, as `parse` says; none if that is longer than 1 MiB.
    pub result: serde_json::Value,
}

impl Action for CommandLook {
    const KIND: &'static str = "command.look";
    const ABOUT: &'static str = "Takes the output of a program that changes nothing; also when planning";
    const CLASS: Class = Class::Check;
    type Outputs = Written;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        let plain = |text: &May<String>| text.clone().map(Text::Plain);
        let env = self.env.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
        let stdin = self.stdin.as_ref().map(plain);
        let launch = Launch {
            argv: &self.argv,
            cwd: self.cwd.as_ref(),
            env: &env,
            stdin: stdin.as_ref(),
            parse: self.parse,
            expect_exit: &self.expect_exit,
            expect_stdout: self.expect_stdout.as_deref(),
        };
        if let Some(until) = launch.until() {
            return Ok(Proposal::later(until).unknown_output("result", until));
        }
        let later = |until| Ok(Proposal::later(&until).unknown_output("result", &until));
        let output = match launch.program(view).and_then(|program| Ok(view.output(&program)?)) {
            Err(ActionError::World(WorldError::Unknown { until })) => return later(until),
            Ok(May::Unknown { until }) => return later(until),
            Ok(May::Known(output)) => output,
            Err(wrong) => return Err(wrong),
        };
        self.judge(&output)
    }
}

impl CommandLook {
    fn judge(&self, output: &Output) -> Result<Proposal, ActionError> {
        if !matches!(output.end, End::Code(code) if self.expect_exit.contains(&code)) {
            let wanted = self.expect_exit.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
            let errors = String::from_utf8_lossy(&output.stderr);
            let found = match errors.lines().find(|line| !line.trim().is_empty()) {
                Some(line) => format!("{}: {}", ended(output.end), line.chars().take(200).collect::<String>()),
                None => ended(output.end),
            };
            return Ok(Proposal::fails(format!("exit {wanted}"), found));
        }
        if let Some(text) = &self.expect_stdout
            && !String::from_utf8_lossy(&output.stdout).contains(text.as_str())
        {
            return Ok(Proposal::fails(format!("`{text}` in its output"), "it is not there"));
        }
        match model::program::parse(self.parse, &output.stdout) {
            Ok(result) => Ok(Proposal::holds().output("result", result)),
            Err(wrong) => Err(ActionError::Invalid(wrong)),
        }
    }
}
