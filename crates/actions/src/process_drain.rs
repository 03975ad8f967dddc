//! `process.drain`

use crate::param::{Nothing, Place};
use crate::pattern;
use crate::wait_until::{five_seconds, seconds};
use model::effect::Effect;
use model::path;
use model::span::Span;
use model::value::May;
use schemars::JsonSchema;
use serde::Deserialize;
use world::act::Source;
use world::action::{Action, ActionError, Class};
use world::look::Process;
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
        if self.images.is_empty() && self.paths_under.is_empty() {
            return Err(ActionError::Invalid("one of `images` and `paths_under` is wanted".to_owned()));
        }
        let images = self.images.iter().map(|image| pattern::matcher(image, true)).collect::<Result<Vec<_>, _>>()?;
        let mut proposal = Proposal::unchanged();
        match view.processes()? {
            May::Unknown { until } => proposal.reason = Some(format!("not known before `{until}`")),
            May::Known(all) => {
                let counts = |process: &&Process| images.iter().any(|image| image.is_match(&process.image)) || self.is_under(process);
                let running: Vec<String> = all.iter().filter(counts).map(|p| format!("{} (pid {})", p.image, p.pid)).collect();
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
        let names = self.images.iter().cloned().chain(self.paths_under.iter().map(|path| format!("programs in {path}")));
        let what = format!("no {}", names.collect::<Vec<_>>().join(", "));
        let wait = Effect::Wait { what, every: seconds(self.every), within: seconds(self.within), stable_for: seconds(self.stable_for) };
        Ok(proposal.effect(wait, Source::Nothing))
    }
}

impl ProcessDrain {
    fn is_under(&self, process: &Process) -> bool {
        let mut files = process.path.iter().chain(&process.open);
        files.any(|file| self.paths_under.iter().any(|directory| within(file, directory)))
    }
}

fn within(file: &str, directory: &str) -> bool {
    if path::is_windows(directory) {
        return path::within(&file.to_lowercase(), &directory.to_lowercase());
    }
    path::within(file, directory)
}
