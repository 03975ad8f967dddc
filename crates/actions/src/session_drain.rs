//! `session.drain`

use crate::param::{Nothing, Place};
use crate::programs::told;
use crate::sessions::{sessions, user};
use crate::wait_until::{five_seconds, seconds};
use model::effect::Effect;
use model::span::Span;
use model::value::May;
use schemars::JsonSchema;
use serde::Deserialize;
use world::act::Source;
use world::action::{Action, ActionError, Class};
use world::proposal::{Proposal, Verdict};
use world::view::View;

/// Waits until nobody works in the programs any more. It ends none itself. Unlike `process.drain` it knows who works in them, and
/// does not pass while it cannot see where a program works.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionDrain {
    /// Names of program files, with `*` and `?`, upper and lower case alike. A program is a session if its name is one of these...
    #[serde(default)]
    pub images: Vec<String>,
    /// ... or if its file, or a file that it holds open, lies in one of these directories.
    #[serde(default)]
    pub paths_under: Vec<Place>,
    /// The names of users who may stay, such as the operator's.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// How long it waits between two looks.
    #[serde(default = "five_seconds")]
    pub every: Span,
    /// After what time it has failed.
    pub within: Span,
    /// How long nobody may have been seen.
    #[serde(default)]
    pub stable_for: Span,
}

impl Action for SessionDrain {
    const KIND: &'static str = "session.drain";
    const ABOUT: &'static str = "Waits until nobody works in programs any more; it ends none itself";
    const CLASS: Class = Class::Wait;
    type Outputs = Nothing;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        let mut proposal = Proposal::unchanged();
        match sessions(view, &self.images, &self.paths_under)? {
            May::Unknown { until } => proposal.reason = Some(format!("not known before `{until}`")),
            May::Known(all) => {
                let stays = |user: &str| self.ignore.iter().any(|name| name == user);
                let mut left: Vec<String> = Vec::new();
                for process in all.iter().filter(|process| !stays(user(process))) {
                    left.push(format!(
                        "{} in {} (pid {})",
                        if user(process).is_empty() { "somebody" } else { user(process) },
                        process.image,
                        process.pid
                    ));
                }
                if left.is_empty() && self.stable_for == Span::default() {
                    return Ok(proposal);
                }
                if left.is_empty() {
                    proposal.verdict = Verdict::Holds;
                } else {
                    let more = if left.len() > 5 { format!(" and {} more", left.len() - 5) } else { String::new() };
                    left.truncate(5);
                    proposal.reason = Some(format!("{}{more}", left.join(", ")));
                }
            }
        }
        let but = if self.ignore.is_empty() { String::new() } else { format!(" but {}", self.ignore.join(", ")) };
        let what = format!("nobody{but} in {}", told(&self.images, &self.paths_under));
        let wait = Effect::Wait { what, every: seconds(self.every), within: seconds(self.within), stable_for: seconds(self.stable_for) };
        Ok(proposal.effect(wait, Source::Nothing))
    }
}
