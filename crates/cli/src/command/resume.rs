//! `retrace resume`: goes on with a run that was cut off, stopped or failed.

use super::open::{Opened, kept};
use super::refusal;
use super::work::{Workshop, ended, names, options};
use crate::args::Resume;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::here::Here;
use crate::prompt::start::Start;
use actions::BUILTIN;
use model::event::RunOutcome;
use model::id::RunId;
use model::plan::Plan;
use std::path::Path;
use world::disk_store::DiskStore;
use world::store::Store;

/// Goes on with a run.
pub(crate) fn resume(here: &Here, args: &Resume) -> Result<Exit, Failure> {
    here.listen();
    let store = here.store()?;
    let run = here.run(&store, &args.run)?;
    has_begun(&store, &run, |undone| match undone {
        Some(undone) => format!("begin it again: `retrace undo {undone}`"),
        None => "begin it again: `retrace run`".to_owned(),
    })?;
    let opened = of_run(here, &store, &run, args.more.answers.as_deref())?;
    let plan = plan_of(&store, &run)?;
    let read = engine::history::read(&store, &run).map_err(|why| Failure::new(Exit::Unverified, "damaged", why))?;
    let roots = opened.procedure.roots(&run).unwrap_or_default();
    let workshop = Workshop::new(here, &store, &opened, &roots);
    let mut estimate = None;
    let over = read.run.ended.is_some_and(|ended| matches!(ended.outcome, RunOutcome::Done | RunOutcome::Undone));
    if !over && let Some(plan) = &plan {
        let begun = |id: &str| read.run.steps.iter().any(|step| step.id.as_str() == id && step.finished.is_some());
        let left = plan.irreversible.iter().filter(|one| !begun(one.step.as_str())).map(|one| one.step.as_str());
        let left: Vec<&str> = left.collect();
        let reason = (!left.is_empty()).then(|| format!("it cannot be undone: {}", left.join(", ")));
        let effects = plan.steps.iter().filter(|step| !begun(step.id.as_str())).map(|step| step.effects.len()).sum();
        let named = names(args.more.client.as_deref(), &plan.client)?;
        let rest = Plan { steps: plan.steps.iter().filter(|step| !begun(step.id.as_str())).cloned().collect(), ..plan.clone() };
        let rest = opened.judged(Ok(rest), Some(&here.operator))?;
        workshop.agree(&Start { client: &plan.client, effects, reason, named, cut_off: read.run.ended.is_none(), yes: args.more.work.yes }, &rest)?;
        estimate = opened.estimate(here, &store, &rest, args.more.work.jobs);
    }
    let options = options(here, &args.more.work)?;
    let ending =
        workshop.tell(plan.as_ref(), estimate, |engine| engine::command::resume(engine, &opened.procedure, &run, &options)).map_err(refusal)?;
    let exit = ended(here, &ending);
    here.next(&format!("{} {run}", if matches!(exit, Exit::Failed | Exit::Stopped | Exit::Unanswered) { "resume" } else { "show" }));
    Ok(exit)
}

/// Refuses a run that was cut off before its first line, with what to do instead; it may be an undo of the run that is given.
pub(crate) fn has_begun(store: &DiskStore, run: &RunId, instead: impl FnOnce(Option<&str>) -> String) -> Result<(), Failure> {
    // What else is wrong with it is found out later.
    if !matches!(engine::history::begun(store, run), Ok(None)) {
        return Ok(());
    }
    let failure = Failure::new(Exit::Refused, "never-began", format!("`{run}` was cut off before it did anything"));
    Err(failure.help(instead(run.as_str().rsplit_once(".undo-").map(|(undone, _)| undone))))
}

/// The documents of a run, from what is kept with it.
pub(crate) fn of_run(here: &Here, store: &DiskStore, run: &RunId, answers: Option<&Path>) -> Result<Opened, Failure> {
    let procedure = engine::command::kept(store, &BUILTIN, run).map_err(refusal)?;
    let files = procedure.files.clone();
    let client_path = plan_of(store, run).ok().flatten().and_then(|plan| plan.client_path);
    kept(here, procedure, &|name| files.get(name).map(|text| text.clone().into_bytes()), client_path.as_deref(), answers)
}

/// The plan of a run, if it has one.
pub(crate) fn plan_of(store: &DiskStore, run: &RunId) -> Result<Option<Plan>, Failure> {
    let bytes = store.file(run, "plan.json").map_err(|wrong| Failure::from_error(Exit::Failed, "state", &wrong))?;
    let read = |bytes: Vec<u8>| serde_json::from_slice(&bytes).map_err(|wrong| Failure::from_error(Exit::Unverified, "damaged", &wrong));
    bytes.map(read).transpose()
}
