//! `retrace undo`: takes a run back, or shows what that would do.

use super::refusal;
use super::resume::{has_begun, of_run};
use super::work::{Workshop, ended, names, options};
use crate::args::Undo;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::here::{Here, quoted};
use crate::prompt::console::Heard;
use crate::prompt::start::Start;
use crate::report::plan::undo_text;
use engine::command::{Options, UndoOptions};
use engine::context::Engine;
use engine::undo::Agreed;
use model::effect::Effect;
use model::event::Scope;
use model::id::StepId;
use model::plan::{NeedsIdentity, Plan};
use model::printable::Printable;
use model::resource::Resource;
use std::path::Path;

/// How a person agrees to what was changed after the run.
const AGREE: &str = "`--overwrite RESOURCE` puts back what was changed since, `--leave RESOURCE` leaves it; both are recorded";

/// Takes a run back.
pub(crate) fn undo(here: &Here, args: &Undo) -> Result<Exit, Failure> {
    here.listen();
    let store = here.store()?;
    let run = here.run(&store, &args.run)?;
    has_begun(&store, &run, |_| "there is nothing to take back".to_owned())?;
    let resources = |texts: &[String]| {
        let parse = |text: &String| {
            Resource::parse(text).ok_or_else(|| Failure::usage(format!("`{text}` is no resource")).help("KIND:NAME, like `file:/etc/motd`"))
        };
        texts.iter().map(parse).collect::<Result<_, _>>()
    };
    let wanted = UndoOptions {
        scope: match &args.to {
            Some(step) => Scope::To(StepId::new(step)),
            None => Scope::All,
        },
        agreed: Agreed { overwrite: resources(&args.overwrite)?, leave: resources(&args.leave)? },
        past_no_return: args.past_no_return,
    };
    if let Some(step) = &args.to {
        known_step(&store, &run, step)?;
    }
    let opened = of_run(here, &store, &run, args.more.answers.as_deref())?;
    let roots = opened.procedure.roots(&run).unwrap_or_default();
    let workshop = Workshop::new(here, &store, &opened, &roots);
    let preview = |options: &Options| {
        let plan = |engine: Engine<'_>| engine::command::undo_plan(engine, &opened.procedure, &run, &wanted, &options.identities);
        workshop.quietly(plan).map_err(refusal)
    };
    let mut options = options(here, &args.more.work)?;
    let mut plan = preview(&options)?;
    if opened.answers.is_some() {
        let questions = workshop.quietly(|engine| engine::command::undo_questions(engine, &opened.procedure, &run, &wanted)).map_err(refusal)?;
        opened.fit(&questions, Some(&here.operator).filter(|_| !args.dry_run).map(String::as_str))?;
    }
    let practice = opened.practice().is_some();
    if args.dry_run {
        show(here, args, &plan, practice)?;
        return Ok(if plan.refused.is_empty() { Exit::Done } else { Exit::Refused });
    }
    let named = names(args.more.client.as_deref(), &plan.client)?;
    if !plan.refused.is_empty() {
        let failure = Failure::new(Exit::Refused, "refused", "the undo would be refused: nothing was started");
        return Err(failure.details(plan.refused.clone()).help(AGREE));
    }
    while let Some(needs) = &plan.needs_identity {
        options.identities.extend(identity(here, needs)?);
        plan = preview(&options)?;
    }
    if workshop.console().is_some() && !args.more.work.yes {
        here.tell(&undo_text(&plan, run.as_str(), &here.err, super::plan::detail(here), practice));
    }
    let read = engine::history::read(&store, &run).map_err(|why| Failure::new(Exit::Unverified, "damaged", why))?;
    let cut_off = read.run.ended.is_none();
    let effects = plan.steps.iter().flat_map(|step| &step.effects).filter(|effect| !matches!(effect, Effect::Wait { .. })).count();
    let reason = args.past_no_return.then(|| "It goes below the point of no return".to_owned());
    workshop.agree(&Start { client: &plan.client, effects, reason, named, cut_off, yes: args.more.work.yes }, &plan)?;
    let ending =
        workshop.tell(Some(&plan), None, |engine| engine::command::undo(engine, &opened.procedure, &run, &wanted, &options)).map_err(refusal)?;
    let exit = ended(here, &ending);
    here.next(&format!("show {run}"));
    Ok(exit)
}

/// The identities in a file that a person names, for without them nothing is taken back.
fn identity(here: &Here, needs: &NeedsIdentity) -> Result<Vec<String>, Failure> {
    let missing = || {
        let message = "an age identity is missing that opens what is kept sealed: nothing was started";
        Failure::new(Exit::Unanswered, "missing-identity", message)
            .details(vec![format!("taking back {needs}")])
            .help("its file is named with `--identity FILE`")
    };
    let Some(console) = here.console() else { return Err(missing()) };
    console.write(&format!(
        "Taking back {}.
",
        Printable(&needs.to_string())
    ));
    match console.line("Identity file, or Enter to leave: ") {
        Heard::Line(line) if line.trim().is_empty() => Err(Failure::new(Exit::Stopped, "stopped", "nothing was started")),
        Heard::Line(line) => Ok(Here::identities_in(Path::new(line.trim())).unwrap_or_else(|wrong| {
            console.write(&wrong.text(&here.err));
            Vec::new()
        })),
        Heard::Interrupted => Err(Failure::new(Exit::Stopped, "stopped", "nothing was started")),
        Heard::End => Err(missing()),
    }
}

fn show(here: &Here, args: &Undo, plan: &Plan, practice: bool) -> Result<(), Failure> {
    if here.everywhere.json {
        return here.print_json(plan);
    }
    if !here.everywhere.quiet {
        here.print(&undo_text(plan, &args.run, &here.out, super::plan::detail(here), practice));
    }
    if plan.refused.is_empty() {
        let with = |flag: &str, value: &String| format!(" {flag} {}", quoted(value));
        let to = args.to.iter().map(|step| with("--to", step));
        let overwrite = args.overwrite.iter().map(|resource| with("--overwrite", resource));
        let leave = args.leave.iter().map(|resource| with("--leave", resource));
        let past = args.past_no_return.then(|| " --past-no-return".to_owned());
        let identity = match (&here.everywhere.identity, &plan.needs_identity) {
            (Some(path), None) => Some(with("--identity", &path.display().to_string())),
            (_, Some(_)) => Some(" --identity FILE".to_owned()),
            (None, None) => None,
        };
        here.next(&format!("undo {}{}", args.run, to.chain(overwrite).chain(leave).chain(past).chain(identity).collect::<String>()));
    } else {
        here.tell(&format!("{AGREE}\n"));
    }
    Ok(())
}

fn known_step(store: &world::disk_store::DiskStore, run: &model::id::RunId, step: &str) -> Result<(), Failure> {
    let Some(plan) = super::resume::plan_of(store, run)? else { return Ok(()) };
    let ids = || plan.steps.iter().map(|planned| planned.id.as_str());
    if ids().any(|id| id == step) {
        return Ok(());
    }
    let failure = Failure::new(Exit::Refused, "unknown-step", format!("the run has no step `{step}`"));
    Err(match model::diagnostic::nearest(step, ids()) {
        Some(near) => failure.help(format!("did you mean `{near}`?")),
        None => failure,
    })
}
