//! `config.read`

use crate::encoding::decode;
use crate::format::Format;
use crate::judged::{bytes, judged, mapping};
use crate::param::Place;
use model::state::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use world::action::{Action, ActionError, Class};
use world::proposal::{Proposal, Verdict};
use world::view::View;

/// Reads values of a configuration file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigRead {
    /// The file.
    pub path: Place,
    /// How it is written.
    pub format: Format,
    /// What is read: `Section.Key` of an INI file, `a.b.0` of a JSON file.
    #[schemars(length(min = 1))]
    pub keys: Vec<String>,
}

/// What was read.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Values {
    /// The values by key: `steps.ID.values['Section.Key']`.
    pub values: BTreeMap<String, serde_json::Value>,
}

impl Action for ConfigRead {
    const KIND: &'static str = "config.read";
    const ABOUT: &'static str = "Reads values of an INI or JSON file";
    const CLASS: Class = Class::Check;
    type Outputs = Values;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        if view.sensitive(&self.path) {
            return Err(ActionError::Invalid(format!("`{}` holds a secret; its values cannot become outputs", self.path)));
        }
        let mut proposal = judged(|| self.read(view))?;
        match proposal.verdict.clone() {
            Verdict::Later { until } => proposal = proposal.unknown_output("values", &until),
            // Steps after it are planned all the same.
            Verdict::Fails { .. } => proposal = proposal.unknown_output("values", view.step()),
            Verdict::Holds | Verdict::Propose => {}
        }
        Ok(proposal)
    }
}

impl ConfigRead {
    fn read(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        if view.state(&self.path.resource())? == State::Absent {
            return Ok(Proposal::fails(format!("a file `{}`", self.path), "it is not there"));
        }
        let text = decode(&bytes(view, &self.path)?);
        let told = |why: String| ActionError::Invalid(format!("`{}`: {why}", self.path));
        let mut values = Vec::new();
        for key in &self.keys {
            match self.format.value(&text, key).map_err(told)? {
                // Not marked values: what a file says must never pass for a secret or an unknown.
                Some(value) => values.push((key.clone(), serde_yaml::to_value(value).map_err(|wrong| told(wrong.to_string()))?)),
                None => return Ok(Proposal::fails(format!("`{key}` in `{}`", self.path), "no such key")),
            }
        }
        Ok(Proposal::holds().output("values", mapping(values)))
    }
}
