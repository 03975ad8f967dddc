//! What expressions see beside steps.

use crate::graph::Values;
use crate::load::RunbookFile;
use crate::template::{self, Found, Scope, Segment};
use model::value::Value;
use std::collections::BTreeMap;

impl Values {
    /// What stands behind a name whose first part is `root`; none if that is no name of these values.
    pub(crate) fn lookup(&self, root: &str, rest: &[Segment]) -> Option<Found> {
        let map = match root {
            "inputs" => &self.inputs,
            "client" => &self.client,
            "vars" => &self.vars,
            _ => return None,
        };
        Some(match rest.first() {
            Some(Segment::Field(field)) => map.get(field).map_or(Found::Missing, |value| Found::within(value, &rest[1..])),
            Some(Segment::Key(_)) => Found::Missing,
            None => Found::Value(Value::Mapping(map.iter().map(|(k, v)| (Value::from(k.as_str()), v.clone())).collect())),
        })
    }
}

/// Values and the name of the run, for `vars` and `touches`.
pub(crate) struct Plain<'v> {
    pub(crate) values: &'v Values,
    pub(crate) run: Option<&'v str>,
}

impl Scope for Plain<'_> {
    fn lookup(&self, name: &[Segment]) -> Found {
        match name {
            [Segment::Field(run), Segment::Field(id)] if run == "run" && id == "id" => {
                self.run.map_or(Found::Missing, |run| Found::Value(run.into()))
            }
            [Segment::Field(root), rest @ ..] => self.values.lookup(root, rest).unwrap_or(Found::Missing),
            _ => Found::Missing,
        }
    }
}

/// Works out the `vars` of a runbook.
///
/// # Errors
/// One cannot be; in words.
pub(crate) fn vars(file: &RunbookFile, values: &mut Values, run: &str) -> Result<(), String> {
    let mapping = |map: &BTreeMap<String, Value>| map.iter().map(|(k, v)| (Value::from(k.as_str()), v.clone())).collect();
    let vars = crate::input::vars(&file.document, &mapping(&values.inputs), &mapping(&values.client), run).map_err(|found| found.to_string())?;
    values.vars = vars.into_iter().filter_map(|(name, value)| Some((name.as_str()?.to_owned(), value))).collect();
    Ok(())
}

/// Those of the `vars` that can be worked out with what is known before the run, in the order in which they are written.
pub(crate) fn known_vars(file: &RunbookFile, values: &mut Values) {
    for (name, raw) in file.document.form.vars.iter() {
        if let Ok(value) = template::render(file.document.tree.value(*raw), &Plain { values, run: None }) {
            values.vars.insert(name.value.to_string(), value);
        }
    }
}
