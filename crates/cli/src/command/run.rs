//! `retrace run`: carries out a runbook or a saved plan.

use super::open::{Opened, embedded, open};
use super::refusal;
use super::work::{Workshop, ended, names, options};
use crate::args;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::here::Here;
use crate::prompt::start::Start;
use crate::report::estimate::Estimate;
use crate::report::layout::{count, day};
use crate::report::plan::{Beside, text, title};
use engine::context::Clock;
use model::effect::Effect;
use model::plan::Plan;
use model::printable::Printable;
use std::io::Read;
use std::path::Path;

/// Runs a runbook or a plan.
pub(crate) fn run(here: &Here, args: &args::Run) -> Result<Exit, Failure> {
    here.listen();
    let (opened, plan, fresh) = match saved(&args.what)? {
        Some(plan) => {
            if !args.subject.set.is_empty() || args.subject.run_id.is_some() || args.subject.no_look {
                return Err(Failure::usage("a plan has its inputs, its name and its looks already").help("make another with `retrace plan`"));
            }
            (embedded(here, &plan, args.subject.answers.as_deref())?, Ok(plan), false)
        }
        None => {
            let opened = open(here, &args.what, &args.subject)?;
            let plan = super::plan::make(here, &here.store()?, &opened, &args.subject);
            (opened, plan, true)
        }
    };
    let plan = opened.judged(plan, Some(&here.operator).filter(|_| !args.dry_run).map(String::as_str))?;
    let given = args.subject.client.as_ref().map(|path| path.to_string_lossy());
    let named = if fresh { given.is_some() } else { names(given.as_deref(), &plan.client)? };
    if args.dry_run {
        super::plan::show(here, &here.store()?, &plan, &opened, args.work.jobs)?;
        return Ok(if plan.refused.is_empty() { Exit::Done } else { Exit::Refused });
    }
    if !plan.refused.is_empty() {
        let failure = Failure::new(Exit::Refused, "refused", "the run would be refused: nothing was started");
        return Err(failure.details(plan.refused.clone()).help("`retrace plan` shows the whole"));
    }
    let store = here.store()?;
    let roots = opened.procedure.roots(&plan.run).unwrap_or_default();
    let workshop = Workshop::new(here, &store, &opened, &roots);
    let estimate = opened.estimate(here, &store, &plan, args.work.jobs);
    introduce(here, &plan, &opened, estimate.as_ref(), fresh && workshop.console().is_some() && !args.work.yes);
    let start = start(&plan, named, args.work.yes);
    workshop.agree(&start, &plan)?;
    let options = options(here, &args.work)?;
    let ending = workshop.tell(Some(&plan), estimate, |engine| engine::command::run(engine, &opened.procedure, &plan, &options)).map_err(refusal)?;
    let exit = ended(here, &ending);
    let run = plan.run.as_str();
    match exit {
        Exit::Done | Exit::TakenBack | Exit::Allowed => here.next(&format!("show {run}")),
        Exit::Failed | Exit::Stopped | Exit::Unanswered => here.next(&format!("resume {run}")),
        _ => {}
    }
    Ok(exit)
}

/// The plan that a file is; none if it is no plan.
fn saved(path: &Path) -> Result<Option<Plan>, Failure> {
    let mut begin = [0; 1];
    let json = std::fs::File::open(path).and_then(|mut file| file.read(&mut begin)).is_ok_and(|read| read == 1 && begin[0] == b'{');
    if !json {
        return Ok(None);
    }
    let invalid = |error: &(dyn std::error::Error + 'static)| {
        Failure::from_error(Exit::Invalid, "plan", error).place(path.display().to_string()).help("make it anew with `retrace plan -o`")
    };
    let text = std::fs::read(path).map_err(|error| invalid(&error))?;
    // A runbook may be JSON too, and has no such key.
    let is_runbook = |document: &serde_json::Value| document.get("steps").is_some() && document.get("rehearsal").is_none();
    if serde_json::from_slice(&text).is_ok_and(|document| is_runbook(&document)) {
        return Ok(None);
    }
    serde_json::from_slice(&text).map(Some).map_err(|error| invalid(&error))
}

fn start(plan: &Plan, named: bool, yes: bool) -> Start<'_> {
    let effects = plan.steps.iter().flat_map(|step| &step.effects).filter(|effect| !matches!(effect, Effect::Wait { .. })).count();
    let irreversible: Vec<&str> = plan.irreversible.iter().map(|one| one.step.as_str()).collect();
    let reason = match irreversible.len() {
        0 => None,
        1 => Some(format!("1 thing cannot be undone: {}", irreversible.join(", "))),
        n => Some(format!("{n} things cannot be undone: {}", irreversible.join(", "))),
    };
    Start { client: &plan.client, effects, reason, named, cut_off: false, yes }
}

/// Says what is about to begin: all of it, if it was not seen before.
fn introduce(here: &Here, plan: &Plan, opened: &Opened, estimate: Option<&Estimate>, whole: bool) {
    let practice = opened.practice().is_some();
    if whole {
        let looked = day(here.clock.now(), &opened.client.zone);
        here.tell(&format!("{}\n", text(plan, &here.err, super::plan::detail(here), Beside { looked: Some(&looked), estimate, practice })));
    }
    let line =
        format!("{} {} for client {} on {}, {}", plan.runbook.id, plan.runbook.version, plan.client, plan.host, count(plan.steps.len(), "step"));
    here.tell(&format!("{}  {}\n", title(&here.err, "RUN", practice), Printable(&line)));
    plan.warnings.iter().for_each(|warning| here.warn(warning));
}
