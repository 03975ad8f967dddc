use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};

use schemars::SchemaGenerator;
use serde_json::Value as Json;
use world::action::Kind;

use crate::load::RUNBOOK;

/// The actions that there are, by name.
pub(super) struct Kinds<'k> {
    known: HashMap<&'static str, Known<'k>>,
}

/// An action and the outputs that its steps have.
pub(super) struct Known<'k> {
    pub(super) kind: &'k Kind,
    outputs: OnceCell<Option<BTreeSet<String>>>,
}

impl Known<'_> {
    /// Nothing: they depend on its parameters. Worked out only where somebody names one.
    pub(super) fn outputs(&self) -> Option<&BTreeSet<String>> {
        self.outputs.get_or_init(|| outputs(self.kind)).as_ref()
    }
}

impl<'k> Kinds<'k> {
    pub(super) fn new(kinds: &'k [Kind]) -> Self {
        Self { known: kinds.iter().map(|kind| (kind.name, Known { kind, outputs: OnceCell::new() })).collect() }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Known<'k>> {
        self.known.get(name)
    }

    /// All names, also that of the action that the engine knows itself.
    pub(super) fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.known.keys().copied().chain([RUNBOOK]).collect();
        names.sort_unstable();
        names
    }
}

fn outputs(kind: &Kind) -> Option<BTreeSet<String>> {
    let mut generator = SchemaGenerator::default();
    let schema = (kind.outputs)(&mut generator);
    let mut schema = schema.to_value();
    if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
        let name = reference.rsplit('/').next().unwrap_or_default();
        schema = generator.definitions().get(name).cloned().unwrap_or_default();
    }
    let object = schema.get("type").is_some_and(|kind| kind == "object");
    match schema.get("properties").and_then(Json::as_object) {
        Some(properties) => Some(properties.keys().cloned().collect()),
        None if object => schema.get("additionalProperties").is_none_or(|more| *more == Json::Bool(false)).then(BTreeSet::new),
        None => Some(BTreeSet::new()),
    }
}
