//! The outputs of a step: known from the proposal, read off its effects, or made by its own templates.

use crate::graph::{Gx, Ix, Output};
use crate::input::fit_output;
use crate::scope::Names;
use crate::session::{Outputs, Session};
use crate::template;
use model::effect::{Effect, Form};
use model::id::StepId;
use model::state::State;
use model::value::{Value, unknown};
use std::collections::BTreeMap;
use world::action::ActionError;
use world::proposal::{Field, Out, Proposal};

/// What one effect has brought, at a run.
#[derive(Default)]
pub(crate) struct Brought {
    /// The state of what was set.
    pub(crate) state: Option<State>,
    /// The files that it left out because they cannot be read.
    pub(crate) left_out: Vec<String>,
    /// Exit code.
    pub(crate) exit: Option<i64>,
    /// All of its output, kept.
    pub(crate) stdout: Option<model::program::Captured>,
    /// Parsed output.
    pub(crate) result: Option<Value>,
    /// Answers by field.
    pub(crate) answers: BTreeMap<String, Value>,
}

/// What is assumed when planning.
pub(crate) struct Assumed {
    /// The option of a decision, if not the expected one.
    pub(crate) chosen: Option<String>,
    /// The step that makes the rest known.
    pub(crate) step: StepId,
}

/// The outputs of a step, given what its effects have brought; when planning, given what is assumed.
pub(crate) fn settle(
    session: &Session<'_>,
    node: Ix,
    proposal: &Proposal,
    brought: &[Brought],
    assumed: Option<&Assumed>,
) -> Result<Outputs, ActionError> {
    let mut outputs = Outputs::new();
    for (name, out) in &proposal.outputs {
        let value = match out {
            Out::Value(value) => value.clone(),
            Out::Observed { effect, field } => match (brought.get(*effect), assumed) {
                (Some(brought), _) => observed(brought, field),
                (None, Some(assumed)) => imagined(proposal.effects.get(*effect).map(|p| &p.effect), field, assumed),
                (None, None) => Value::Null,
            },
        };
        outputs.insert(name.clone(), value);
    }
    let Some(step) = session.graph.step(node).filter(|step| !step.about.outputs.is_empty()) else { return bounded(outputs) };
    let document = &session.graph.documents[step.about.document];
    let more: Vec<(&str, Value)> = outputs.get("result").map(|value| ("result", value.clone())).into_iter().collect();
    let names = Names { session, group: session.graph.nodes[node as usize].group, more: &more };
    for Output { name, kind, from } in &step.about.outputs {
        let value = template::render(document.document.tree.value(*from), &names)
            .map_err(|wrong| ActionError::Invalid(format!("output `{name}`: {}", wrong.message)))?;
        let value = match kind {
            Some(kind) => {
                fit_output(*kind, &value).map_err(|misfit| ActionError::Invalid(format!("output `{name}` of type {}: {misfit}", kind.word())))?
            }
            None => value,
        };
        outputs.insert(name.clone(), value);
    }
    bounded(outputs)
}

/// What can be written down of them, for a line of the journal is read as a whole: all that a program has written is kept beside
/// it, and is a value only if it is short.
fn bounded(mut outputs: Outputs) -> Result<Outputs, ActionError> {
    const MOST: usize = 1 << 20;
    if outputs.get("result").is_some_and(|result| size(result) > MOST) {
        outputs.remove("result");
    }
    let all: usize = outputs.values().map(size).sum();
    match outputs.iter().max_by_key(|(_, value)| size(value)) {
        Some((name, _)) if all > MOST => Err(ActionError::Invalid(format!("output `{name}`: it is too long to be a value: at most 1 MiB"))),
        _ => Ok(outputs),
    }
}

/// About the bytes that a value takes.
fn size(value: &Value) -> usize {
    const MARKS: usize = 8;
    MARKS
        + match value {
            Value::String(text) => text.len(),
            Value::Sequence(items) => items.iter().map(size).sum(),
            Value::Mapping(entries) => entries.iter().map(|(key, value)| size(key) + size(value)).sum(),
            _ => 0,
        }
}

/// The outputs of a group.
pub(crate) fn of_group(session: &Session<'_>, group: Gx) -> Result<Outputs, ActionError> {
    let definition = &session.graph.groups[group as usize];
    let names = Names { session, group, more: &[] };
    let mut outputs = Outputs::new();
    for (name, from) in &definition.outputs {
        let raw = session.graph.documents[definition.document].document.tree.value(*from);
        let value = template::render(raw, &names).map_err(|wrong| ActionError::Invalid(format!("output `{name}`: {}", wrong.message)))?;
        outputs.insert(name.clone(), value);
    }
    Ok(outputs)
}

fn observed(brought: &Brought, field: &Field) -> Value {
    let text = |digest: &Option<model::digest::Digest>| digest.as_ref().map_or(Value::Null, |d| d.as_str().into());
    match (field, &brought.state) {
        (Field::Manifest, Some(State::Tree(tree))) => text(&tree.manifest),
        (Field::Files, Some(State::Tree(tree))) => tree.files.into(),
        (Field::Bytes, Some(State::Tree(tree))) => tree.bytes.into(),
        (Field::LeftOut, _) => Value::Sequence(brought.left_out.iter().map(|path| path.as_str().into()).collect()),
        (Field::Exit, _) => brought.exit.map_or(Value::Null, Into::into),
        (Field::Result, _) => brought.result.clone().unwrap_or(Value::Null),
        (Field::Answer(name), _) => brought.answers.get(name).cloned().unwrap_or(Value::Null),
        _ => Value::Null,
    }
}

fn imagined(effect: Option<&Effect>, field: &Field, assumed: &Assumed) -> Value {
    match (effect, field) {
        (Some(Effect::Ask(ask)), Field::Answer(name)) => match &ask.form {
            Form::Decide { expected, .. } if name == "choice" => assumed.chosen.as_ref().unwrap_or(expected).as_str().into(),
            _ => unknown(&assumed.step),
        },
        _ => unknown(&assumed.step),
    }
}

/// What was left out, in words.
pub(crate) fn left_out(brought: &[Brought]) -> Option<String> {
    const NAMED: usize = 5;
    let all: Vec<&str> = brought.iter().flat_map(|brought| &brought.left_out).map(String::as_str).collect();
    if all.is_empty() {
        return None;
    }
    let more = all.len().saturating_sub(NAMED);
    let named = all[..all.len() - more].join("`, `");
    Some(if more == 0 {
        format!("left out, for it cannot be read: `{named}`")
    } else {
        format!("left out, for it cannot be read: `{named}` and {more} more")
    })
}
