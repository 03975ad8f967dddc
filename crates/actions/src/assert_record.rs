//! `assert.record`

use crate::judged::wanted;
use crate::param::{Assigned, Assignments};
use jiff::Timestamp;
use model::event::RunOutcome;
use model::id::StepId;
use model::span::Span;
use model::value::{May, unknown};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use world::action::{Action, ActionError, Class};
use world::earlier::Earlier;
use world::proposal::Proposal;
use world::view::View;

/// Checks that some runbook has been run for this client: to its end, from this state directory, and not taken back since. The
/// newest run of which everything holds that is said here is the one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssertRecord {
    /// The id of the runbook.
    pub runbook: String,
    /// It ended at most so long ago.
    pub max_age: Option<May<Span>>,
    /// It ended at least so long ago, as a notice that has to be given in time. A plan that is made too early leaves it to the run.
    pub min_age: Option<May<Span>>,
    /// What it was started with: of the inputs that are named here it had these values. Secrets cannot be compared.
    #[serde(default)]
    pub inputs: Assignments,
}

/// The run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Recorded {
    /// Its name.
    pub run: String,
    /// When it ended: RFC 3339, in UTC.
    pub ended: String,
}

impl Action for AssertRecord {
    const KIND: &'static str = "assert.record";
    const ABOUT: &'static str = "Checks that a runbook has been run for this client, and how long ago";
    const CLASS: Class = Class::Check;
    type Outputs = Recorded;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        let later = |until: &StepId| Proposal::later(until).unknown_output("run", until).unknown_output("ended", until);
        let bounds = wanted(&self.max_age).and_then(|most| wanted(&self.min_age).map(|least| (most.copied(), least.copied())));
        let (bounds, inputs) = match (bounds, self.inputs()?) {
            (Ok((most, least)), May::Known(inputs)) => (Bounds { most, least }, inputs),
            (Err(until), _) | (_, May::Unknown { until }) => return Ok(later(&until)),
        };
        let now = view.now();
        let mut why = None;
        let mut early = None;
        for earlier in view.earlier(&self.runbook)? {
            match misses(&earlier, &bounds, &inputs, now) {
                Ok(ended) => {
                    let ago = ago(ended, now);
                    let holds = Proposal::holds().because(format!("`{}`, which ended {ago} ago", earlier.run));
                    return Ok(holds.output("run", earlier.run.as_str()).output("ended", ended.to_string()));
                }
                Err(Miss::Early(told)) => early = early.or(Some(told)),
                Err(Miss::Other(told)) => why = why.or(Some(told)),
            }
        }
        // It grows older by itself.
        if let (Some(told), May::Unknown { until }) = (&early, view.at_run()) {
            return Ok(later(&until).because(told));
        }
        let found = early.or(why).unwrap_or_else(|| "none".to_owned());
        let expected = format!("a run of `{}` that is done{bounds}", self.runbook);
        Ok(Proposal::fails(expected, found).output("run", unknown(view.step())).output("ended", unknown(view.step())))
    }
}

impl AssertRecord {
    fn inputs(&self) -> Result<May<Vec<(&str, &serde_json::Value)>>, ActionError> {
        let mut inputs = Vec::new();
        for (name, value) in &self.inputs.0 {
            match value {
                May::Unknown { until } => return Ok(May::Unknown { until: until.clone() }),
                May::Known(Assigned::Plain(value)) => inputs.push((name.as_str(), value)),
                May::Known(Assigned::Secret(_)) => {
                    return Err(ActionError::Invalid(format!("`{name}` is a secret, and no record holds one to compare it with")));
                }
            }
        }
        Ok(May::Known(inputs))
    }
}

struct Bounds {
    most: Option<Span>,
    least: Option<Span>,
}

impl std::fmt::Display for Bounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.least, self.most) {
            (None, None) => Ok(()),
            (None, Some(most)) => write!(f, ", at most {most} ago"),
            (Some(least), None) => write!(f, ", at least {least} ago"),
            (Some(least), Some(most)) => write!(f, ", at least {least} and at most {most} ago"),
        }
    }
}

/// Why a run is not the one.
enum Miss {
    /// It ended too lately.
    Early(String),
    Other(String),
}

/// When a run ended, if it is as wanted.
fn misses(earlier: &Earlier, bounds: &Bounds, inputs: &[(&str, &serde_json::Value)], now: Timestamp) -> Result<Timestamp, Miss> {
    let run = &earlier.run;
    let other = |why: String| Err(Miss::Other(format!("`{run}` {why}")));
    let Some((ended, outcome)) = earlier.ended else { return other("has not ended".to_owned()) };
    match outcome {
        RunOutcome::Done if earlier.taken_back => return other("was taken back".to_owned()),
        RunOutcome::Done => {}
        RunOutcome::Failed => return other("failed".to_owned()),
        RunOutcome::Undone => return other("was taken back".to_owned()),
        RunOutcome::Stopped => return other("was stopped".to_owned()),
    }
    if let Some((name, _)) = inputs.iter().find(|(name, value)| earlier.inputs.get(*name) != Some(value)) {
        return other(format!("had another `{name}`"));
    }
    let age = age(ended, now);
    if bounds.most.is_some_and(|most| age > most) {
        return other(format!("ended {} ago", ago(ended, now)));
    }
    if bounds.least.is_some_and(|least| age < least) {
        return Err(Miss::Early(format!("`{run}` ended only {} ago", ago(ended, now))));
    }
    Ok(ended)
}

fn age(ended: Timestamp, now: Timestamp) -> Span {
    Span::from_millis(now.duration_since(ended).as_millis().try_into().unwrap_or(0))
}

/// Its age to the second.
fn ago(ended: Timestamp, now: Timestamp) -> Span {
    Span::from_millis(age(ended, now).as_millis() / 1_000 * 1_000)
}
