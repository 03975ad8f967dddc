//! `command.run`

use crate::access::{Access, file_or_absent, fresh_mode};
use crate::befores::befores;
use crate::launch::{Launch, zero};
use crate::param::{Changed, Mode, Place};
use crate::put::put;
use model::effect::Effect;
use model::program::Parse;
use model::state::{Content, FileState, State};
use model::value::{May, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use world::act::Source;
use world::action::{Action, ActionError, Class};
use world::proposal::{Field, Proposal};
use world::view::View;

/// Starts a program and waits for its end. What it changes is declared, or how it is taken back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandRun {
    /// The program, by name or absolute path, and its arguments. No shell. Never secrets: these go to `env` or `stdin`.
    #[schemars(length(min = 1))]
    pub argv: Vec<May<String>>,
    /// The directory that it starts in. Default: the root.
    pub cwd: Option<Place>,
    /// Added to its short fixed environment.
    #[serde(default)]
    pub env: BTreeMap<String, May<Text>>,
    /// Given to its standard input.
    pub stdin: Option<May<Text>>,
    /// How its output becomes `result`.
    #[serde(default)]
    pub parse: Parse,
    /// The exit codes that mean success.
    #[serde(default = "zero")]
    #[schemars(length(min = 1))]
    pub expect_exit: Vec<i32>,
    /// Text that its output must contain.
    pub expect_stdout: Option<String>,
    /// The resources that it changes, each by name: `file:PATH` (a directory is all that is in it), `service:NAME`, `other:NAME`.
    /// `[]`: it changes nothing.
    pub changes: Option<Vec<Changed>>,
    /// Whether it may be started again after it failed or was cut off.
    #[serde(default)]
    pub repeatable: bool,
    /// A file that its standard output becomes.
    pub stdout: Option<Stdout>,
}

/// A file that a program's standard output becomes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stdout {
    /// The file.
    pub path: Place,
    /// Permission bits, such as '0644'. Default: an existing file keeps its own, a new one gets 0644, a sensitive one 0600.
    pub mode: Option<Mode>,
}

/// How a program ended.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Ended {
    /// Its exit code.
    pub exit: i32,
    /// Its standard output, as `parse` says; none if that is longer than 1 MiB.
    pub result: serde_json::Value,
}

impl Action for CommandRun {
    const KIND: &'static str = "command.run";
    const ABOUT: &'static str = "Starts a program that changes something";
    const CLASS: Class = Class::Opaque;
    type Outputs = Ended;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        let launch = Launch {
            argv: &self.argv,
            cwd: self.cwd.as_ref(),
            env: &self.env,
            stdin: self.stdin.as_ref(),
            parse: self.parse,
            expect_exit: &self.expect_exit,
            expect_stdout: self.expect_stdout.as_deref(),
        };
        let program = launch.program(view)?;
        let changes = befores(view, self.changes.as_deref().unwrap_or_default())?;
        let mut proposal = Proposal::unchanged().effect(Effect::Run { program, changes }, Source::Nothing);
        if let Some(stdout) = &self.stdout {
            let secret = launch.has_secret() || view.sensitive(&stdout.path);
            let before = file_or_absent(view, &stdout.path)?;
            let access = Access { mode: stdout.mode, owner: None, group: None };
            let mut meta = access.meta(view, &stdout.path, &before, fresh_mode(secret))?;
            meta.modified = None;
            let content = Content::Unknown { until: view.step().clone() };
            let after = State::File(FileState { content, meta });
            proposal = put(view, proposal, &stdout.path, (before, after), Source::Stdout, false)?;
        }
        Ok(proposal.observed("exit", 0, Field::Exit).observed("result", 0, Field::Result))
    }
}
