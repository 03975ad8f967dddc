//! Running what was planned.

use super::kept::kept_name;
use super::opened::Opened;
use super::{Options, Refusal, locks};
use crate::context::Engine;
use crate::history;
use crate::plan::chain;
use crate::procedure::Procedure;
use crate::questions;
use crate::run::scribe::Scribe;
use crate::run::{self, Ending};
use crate::secrets::Secrets;
use model::digest::Digest;
use model::event::{Event, Head, RunStarted};
use model::id::RunId;
use model::plan::Plan;
use std::collections::BTreeMap;
use world::error::WorldError;

/// Runs what was planned.
///
/// # Errors
/// See [`Refusal`].
pub fn run(engine: Engine<'_>, procedure: &Procedure, plan: &Plan, options: &Options) -> Result<Ending, Refusal> {
    if plan.digest().ok().map(|digest| digest.to_string()).as_deref() != Some(plan.digest.as_str()) {
        return Err(Refusal::Invalid(vec!["the plan was edited: its digest is not the one it names".into()]));
    }
    if !plan.refused.is_empty() {
        return Err(Refusal::Refused(plan.refused.clone()));
    }
    let bound = procedure.bind(&engine, &plan.run)?;
    engine.people.ready(&questions::asked(&bound.graph, plan)).map_err(Refusal::Missing)?;
    if engine.store.journal(&plan.run).is_ok() {
        return Err(Refusal::Refused(vec![format!("a run is called `{}` already: a plan is run once", plan.run)]));
    }
    let locks = locks::lock(&engine, &bound)?;
    let mut missing = crate::room::missing(&engine, plan)?;
    missing.extend(crate::rights::missing(engine.world, &plan.steps));
    if !missing.is_empty() {
        return Err(Refusal::Refused(missing));
    }
    let secrets = Secrets::default();
    secrets.fetch(procedure.secrets.iter().map(String::as_str), engine.people)?;
    let opened = Opened::new(engine, (&bound, plan), locks, &secrets, options)?;
    match engine.store.hold_reserve() {
        Err(wrong) if wrong.is_full() => return Err(Refusal::Refused(vec![chain(&wrong)])),
        held => held?,
    }
    let journal = match engine.store.create(&plan.run) {
        Ok(journal) => journal,
        Err(WorldError::Refused { reason, .. }) => return Err(Refusal::Refused(vec![reason])),
        Err(wrong) => return Err(wrong.into()),
    };
    let opened = opened.with_alive(engine.store.alive(&plan.run)?);
    let mut files: BTreeMap<String, Digest> = BTreeMap::new();
    let written = model::json::pretty(plan).map_err(|wrong| Refusal::Broken(wrong.to_string()))?;
    for (name, text) in plan.files.iter().map(|(name, text)| (name.as_str(), text.as_str())).chain([("plan.json", written.as_str())]) {
        engine.store.put(&plan.run, &kept_name(name), text.as_bytes())?;
        files.insert(kept_name(name), Digest::of(text.as_bytes()));
    }
    let inputs = procedure.values.inputs.iter().map(|(name, value)| (name.clone(), model::value::to_json(value))).collect();
    let digests = procedure.secrets.iter().filter_map(|name| {
        let value = secrets.get(&format!("inputs.{name}"))?;
        Some((format!("inputs.{name}"), opened.session.sensitive.keyed(&Digest::of(&value))?))
    });
    let started = RunStarted {
        format: model::event::FORMAT,
        tool: engine.tool.to_owned(),
        runbook: plan.runbook.id.clone(),
        version: plan.runbook.version.clone(),
        client: plan.client.clone(),
        host: engine.host.to_owned(),
        operator: engine.operator.to_owned(),
        files,
        inputs,
        secrets: digests.collect(),
        previous: previous(&engine, &plan.client, &plan.run),
        nonce: engine.short_random() + &engine.short_random(),
        undo_of: None,
    };
    let scribe = Scribe::new(engine, plan.run.clone(), journal, None, 0, history::zeros());
    scribe.commit(vec![Event::RunStarted(Box::new(started))])?;
    Ok(run::run(&opened.order(), &scribe)?)
}

/// The end of this client's last record, so that a missing one shows.
fn previous(engine: &Engine<'_>, client: &str, run: &RunId) -> Option<Head> {
    let mut latest: Option<(jiff::Timestamp, RunId)> = None;
    for id in engine.store.runs().ok()?.into_iter().filter(|id| id != run) {
        let Ok(journal) = engine.store.journal(&id) else { continue };
        let Ok(Some(first)) = model::journal::Reader::new(journal).line() else { continue };
        let of_client = matches!(&first.event, Event::RunStarted(started) if started.client == client);
        if of_client && latest.as_ref().is_none_or(|(at, _)| first.at >= *at) {
            latest = Some((first.at, id));
        }
    }
    let (_, run) = latest?;
    let head = history::read(engine.store, &run).ok()?.head;
    Some(Head { run, head })
}
