//! `assert.window`

use model::value::{Value, unknown};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use world::action::{Action, ActionError, Class};
use world::proposal::Proposal;
use world::view::View;
use world::window::{Hours, told};

/// Checks that it is a time in which the client lets work be done: one of the `windows` of the client file, from its beginning to
/// its end. A client that names none lets it be done at any time. A plan that is made before a window leaves it to the run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssertWindow {}

/// The window; of a client that names none nothing is known.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Opening {
    /// Its beginning in the client's zone: `2026-03-07T20:00:00-06:00`.
    pub starts: Option<String>,
    /// Its end.
    pub ends: Option<String>,
    /// When the point of no return may be passed at the latest; without `last_no_return` in the client file its end.
    pub last_no_return: Option<String>,
}

const OUTPUTS: [&str; 3] = ["starts", "ends", "last_no_return"];

impl Action for AssertWindow {
    const KIND: &'static str = "assert.window";
    const ABOUT: &'static str = "Checks that it is a time in which the client lets work be done";
    const CLASS: Class = Class::Check;
    type Outputs = Opening;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        let all = |proposal: Proposal, value: Value| OUTPUTS.into_iter().fold(proposal, |proposal, name| proposal.output(name, value.clone()));
        Ok(match view.hours() {
            Hours::Any => all(Proposal::holds(), Value::Null).because("the client names no windows: at any time"),
            Hours::Open(window) => {
                let times = [&window.starts, &window.ends, &window.last_no_return];
                let holds = OUTPUTS.into_iter().zip(times).fold(Proposal::holds(), |proposal, (name, time)| proposal.output(name, told(time)));
                holds.because(format!("until {}", told(&window.ends)))
            }
            Hours::Later { next, until } => all(Proposal::later(&until), unknown(&until)).because(format!("the next is {next}")),
            Hours::Shut { next } => {
                let found = next.map_or_else(|| "none, and all are over".to_owned(), |next| format!("none; the next is {next}"));
                // Steps after it are planned all the same.
                all(Proposal::fails("a window of the client", found), unknown(view.step()))
            }
        })
    }
}
