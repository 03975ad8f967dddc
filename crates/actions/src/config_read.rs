//! `config.read`

use crate::encoding::decode;
use crate::ini;
use crate::judged::{bytes, judged, mapping};
use crate::param::Place;
use model::state::State;
use model::value::Value;
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

/// How a configuration file is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Sections in brackets, lines with `KEY=VALUE`, comments after `;` or `#`. All values are texts.
    Ini,
    /// JSON.
    Json,
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
        if let Verdict::Later { until } = proposal.verdict.clone() {
            proposal = proposal.unknown_output("values", &until);
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
        let json = match self.format {
            Format::Ini => Value::Null,
            // Not marked values: what a file says must never pass for a secret or an unknown.
            Format::Json => serde_json::from_str::<serde_json::Value>(&text)
                .map_err(|wrong| wrong.to_string())
                .and_then(|json| serde_yaml::to_value(json).map_err(|wrong| wrong.to_string()))
                .map_err(|wrong| ActionError::Invalid(format!("`{}` is not JSON: {wrong}", self.path)))?,
        };
        let mut values = Vec::new();
        for key in &self.keys {
            let value = match self.format {
                Format::Ini => ini::value(&text, key).map(Value::from),
                Format::Json => part(&json, key).cloned(),
            };
            match value {
                Some(value) => values.push((key.clone(), value)),
                None => return Ok(Proposal::fails(format!("`{key}` in `{}`", self.path), "no such key")),
            }
        }
        Ok(Proposal::holds().output("values", mapping(values)))
    }
}

/// The part of a JSON value that a dotted key names.
fn part<'v>(json: &'v Value, key: &str) -> Option<&'v Value> {
    key.split('.').try_fold(json, |value, step| match value {
        Value::Sequence(items) => items.get(step.parse::<usize>().ok()?),
        Value::Mapping(map) => map.get(step),
        _ => None,
    })
}
