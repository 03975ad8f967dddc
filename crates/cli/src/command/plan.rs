//! `retrace plan`: what a run would do. Nothing is changed.

use super::open::{Opened, open};
use super::refusal;
use super::work::Workshop;
use crate::args::{self, Subject};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::here::{Here, quoted};
use crate::report::layout::day;
use crate::report::plan::{Beside, Detail, saved, text};
use engine::context::Clock;
use model::id::RunId;
use model::plan::Plan;
use std::path::Path;
use world::disk_store::DiskStore;

/// Plans a runbook.
pub(crate) fn plan(here: &Here, args: &args::Plan) -> Result<Exit, Failure> {
    here.listen();
    if let Some(output) = &args.output {
        let named = [Some(&args.runbook), args.subject.client.as_ref(), args.subject.answers.as_ref()];
        let real = output.canonicalize().ok();
        if real.is_some() && named.into_iter().flatten().any(|path| path.canonicalize().ok() == real) {
            let message = format!("`{}` is what the plan is made of", output.display());
            return Err(Failure::usage(message).help("a plan is saved in a file of its own"));
        }
    }
    let opened = open(here, &args.runbook, &args.subject)?;
    let store = here.store()?;
    let plan = opened.judged(make(here, &store, &opened, &args.subject), None)?;
    if let Some(path) = &args.output {
        save(&plan, path)?;
    }
    show(here, &store, &plan, &opened, 1)?;
    if let Some(path) = &args.output {
        let path = path.display().to_string();
        here.tell(&saved(&path, &plan.digest));
        if plan.refused.is_empty() {
            here.next(&format!("run {}", quoted(&path)));
        }
    }
    Ok(if plan.refused.is_empty() { Exit::Done } else { Exit::Refused })
}

/// Makes a plan.
pub(crate) fn make(here: &Here, store: &DiskStore, opened: &Opened, subject: &Subject) -> Result<Plan, Failure> {
    let procedure = &opened.procedure;
    let given =
        match &subject.run_id {
            Some(id) => Some(RunId::parse(id).ok_or_else(|| {
                Failure::usage(format!("`{id}` is no name of a run")).help("letters, digits, `.`, `_` and `-`, at most 120, no `..`")
            })?),
            None => None,
        };
    let workshop = Workshop::new(here, store, opened, &[]);
    workshop.quietly(|engine| {
        let run = match given {
            Some(run) => run,
            None => engine::command::new_run_id(&engine, &procedure.client)
                .ok_or_else(|| Failure::new(Exit::Invalid, "client", format!("`{}` is no name of a client", procedure.client)))?,
        };
        engine::command::plan(engine, procedure, &run, !subject.no_look).map_err(refusal)
    })
}

/// Shows a plan on standard output, for a run with so many steps at once.
pub(crate) fn show(here: &Here, store: &DiskStore, plan: &Plan, opened: &Opened, jobs: u16) -> Result<(), Failure> {
    if here.everywhere.json {
        return here.print_json(plan);
    }
    if !here.everywhere.quiet {
        let (looked, estimate) = (day(here.clock.now(), &opened.client.zone), opened.estimate(here, store, plan, jobs));
        let beside = Beside { looked: Some(&looked), estimate: estimate.as_ref(), practice: opened.practice().is_some() };
        here.print(&text(plan, &here.out, detail(here), beside));
    }
    Ok(())
}

/// How much of a plan is shown.
pub(crate) fn detail(here: &Here) -> Detail {
    if here.everywhere.verbose > 0 { Detail::Effects } else { Detail::Lines }
}

fn save(plan: &Plan, path: &Path) -> Result<(), Failure> {
    let text = model::json::pretty(plan).map_err(|wrong| Failure::from_error(Exit::Bug, "json", &wrong))?;
    std::fs::write(path, text)
        .map_err(|error| Failure::new(Exit::Failed, "unwritable-file", format!("cannot write `{}`", path.display())).details(vec![error.to_string()]))
}
