//! `process.drain`

use crate::param::{Nothing, Place};
use crate::programs::{Programs, told};
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

/// Waits until programs have ended. It ends none itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessDrain {
    /// Names of program files, with `*` and `?`, upper and lower case alike. A program counts if its name is one of these...
    #[serde(default)]
    pub images: Vec<String>,
    /// ... or if its file, or a file that it holds open, lies in one of these directories.
    #[serde(default)]
    pub paths_under: Vec<Place>,
    /// How long it waits between two looks.
    #[serde(default = "five_seconds")]
    pub every: Span,
    /// After what time it has failed.
    pub within: Span,
    /// How long none of them may have run.
    #[serde(default)]
    pub stable_for: Span,
}

impl Action for ProcessDrain {
    const KIND: &'static str = "process.drain";
    const ABOUT: &'static str = "Waits until programs have ended; it ends none itself";
    const CLASS: Class = Class::Wait;
    type Outputs = Nothing;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        let programs = Programs::new(&self.images, &self.paths_under)?;
        let mut proposal = Proposal::unchanged();
        match view.processes()? {
            May::Unknown { until } => proposal.reason = Some(format!("not known before `{until}`")),
            May::Known(all) => {
                let running: Vec<String> =
                    all.iter().filter(|process| programs.count(process)).map(|p| format!("{} (pid {})", p.image, p.pid)).collect();
                if running.is_empty() && self.stable_for == Span::default() {
                    return Ok(proposal);
                }
                if running.is_empty() {
                    proposal.verdict = Verdict::Holds;
                } else {
                    let more = if running.len() > 5 { format!(" and {} more", running.len() - 5) } else { String::new() };
                    proposal.reason = Some(format!("{}{more}", running.iter().take(5).cloned().collect::<Vec<_>>().join(", ")));
                }
            }
        }
        let what = format!("no {}", told(&self.images, &self.paths_under));
        let wait = Effect::Wait { what, every: seconds(self.every), within: seconds(self.within), stable_for: seconds(self.stable_for) };
        Ok(proposal.effect(wait, Source::Nothing))
    }
}
