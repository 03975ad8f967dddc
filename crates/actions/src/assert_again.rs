//! `assert.again`

use crate::judged::judged;
use crate::param::Nothing;
use schemars::JsonSchema;
use serde::Deserialize;
use world::action::{Action, ActionError, Class};
use world::proposal::{Proposal, Verdict};
use world::view::View;

/// Looks again with checks that held before.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssertAgain {
    /// Earlier checks; of a group all its checks.
    #[schemars(length(min = 1))]
    pub steps: Vec<String>,
}

impl Action for AssertAgain {
    const KIND: &'static str = "assert.again";
    const ABOUT: &'static str = "Looks again with checks that held before";
    const CLASS: Class = Class::Check;
    type Outputs = Nothing;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        let mut later = None;
        let mut checks = 0;
        for name in &self.steps {
            let mut found = Vec::new();
            let seen = judged(|| {
                found = view.again(name)?;
                Ok(Proposal::holds())
            })?;
            if let Verdict::Later { until } = seen.verdict {
                later.get_or_insert(until);
            }
            for (step, verdict) in found {
                checks += 1;
                match verdict {
                    Verdict::Fails { expected, found } => {
                        return Ok(Proposal::fails(format!("`{step}`: {expected}"), found));
                    }
                    Verdict::Later { until } => {
                        later.get_or_insert(until);
                    }
                    Verdict::Holds | Verdict::Propose => {}
                }
            }
        }
        let words = if checks == 1 { "1 check".to_owned() } else { format!("{checks} checks") };
        Ok(later.map_or_else(Proposal::holds, |until| Proposal::later(&until)).because(words))
    }
}
