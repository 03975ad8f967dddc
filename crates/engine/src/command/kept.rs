//! The documents of a run or a plan, read from what is kept of them.

use super::Refusal;
use crate::context::Engine;
use crate::history;
use crate::procedure::Procedure;
use model::digest::Digest;
use model::id::RunId;
use model::plan::Plan;
use world::action::Kind;
use world::store::Store;

/// The procedure of a run, from what is kept with it.
///
/// # Errors
/// See [`Refusal`].
pub fn kept(store: &dyn Store, kinds: &[Kind], id: &RunId) -> Result<Procedure, Refusal> {
    let read = history::read(store, id).map_err(Refusal::Damaged)?;
    let file = |name: &str| store.file(id, &kept_name(name)).ok().flatten();
    Procedure::kept(kinds, &file, &read.run.started.inputs).map_err(|found| Refusal::Invalid(vec![found.to_string()]))
}

/// The procedure of a plan, from what is embedded in it.
///
/// # Errors
/// See [`Refusal`].
pub fn embedded(plan: &Plan, kinds: &[Kind]) -> Result<Procedure, Refusal> {
    let file = |name: &str| plan.files.get(name).map(|text| text.clone().into_bytes());
    let mut procedure = Procedure::kept(kinds, &file, &plan.set).map_err(|found| Refusal::Invalid(vec![found.to_string()]))?;
    procedure.files.clone_from(&plan.files);
    Ok(procedure)
}

/// A path as the name of a file of a run's directory.
pub(crate) fn kept_name(name: &str) -> String {
    match name.strip_prefix("files/") {
        Some(path) => format!("files/{}", Digest::of(path.as_bytes())),
        None => name.to_owned(),
    }
}

/// The plan that a run was begun with.
pub(super) fn kept_plan(engine: &Engine<'_>, id: &RunId) -> Result<Plan, Refusal> {
    let bytes = engine.store.file(id, "plan.json")?.ok_or_else(|| Refusal::Damaged(format!("the plan of `{id}` is not there")))?;
    serde_json::from_slice(&bytes).map_err(|wrong| Refusal::Damaged(format!("the plan of `{id}` cannot be read: {wrong}")))
}
