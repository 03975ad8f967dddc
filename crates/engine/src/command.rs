//! The front door: plan, run, resume, undo.

use crate::context::Engine;
use crate::history;
use crate::people::{Choice, ChoiceOption, NoAnswer};
use crate::plan::{self, Wanted, chain};
use crate::procedure::{Bound, Procedure};
use crate::run::hands::{Hands, Trouble};
use crate::run::scribe::Scribe;
use crate::run::{self, Ending, Order, recover};
use crate::secrets::Secrets;
use crate::session::Session;
use crate::undo::{self, Agreed};
use model::digest::Digest;
use model::effect::Effect;
use model::event::{Event, Head, Outcome, RunOutcome, RunStarted, Scope};
use model::fold::{EffectFold, EffectStatus, Run, StepStatus};
use model::id::{RunId, StepId};
use model::plan::{Decision, Plan, Planned};
use model::state::{Content, FileState, State};
use model::value::from_json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use world::action::Kind;
use world::alive::Alive;
use world::error::WorldError;
use world::store::{Lock, LockName, Make, Store};

/// Why a command did nothing, or no more. Each has its exit code.
#[derive(Debug)]
pub enum Refusal {
    /// A document is wrong (3).
    Invalid(Vec<String>),
    /// It is refused before anything was intended (4).
    Refused(Vec<String>),
    /// Something is missing, and nobody can be asked (7).
    Missing(Vec<String>),
    /// A person does not want to (6).
    Stopped,
    /// A record is damaged (9).
    Damaged(String),
    /// The state directory or the journal cannot be used (1).
    Broken(String),
}

/// How a command is to be done.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many steps at once.
    pub jobs: usize,
    /// age identities (`AGE-SECRET-KEY-1...`) that open sealed images.
    pub identities: Vec<String>,
}

/// What an undo is told beside its run.
#[derive(Clone, Debug)]
pub struct UndoOptions {
    /// All of it, or what started after a step.
    pub scope: Scope,
    /// What is agreed about resources that somebody has changed since.
    pub agreed: Agreed,
    /// Whether it goes past the point of no return.
    pub past_no_return: bool,
}

/// A name for a run of that client now.
pub fn new_run_id(engine: &Engine<'_>, client: &str) -> Option<RunId> {
    let at = engine.clock.now();
    RunId::parse(&format!("{client}-{}-{}", at.strftime("%Y%m%d-%H%M%S"), &engine.short_random()[..4]))
}

/// Plans a procedure. Nothing is written.
///
/// # Errors
/// See [`Refusal`].
pub fn plan(engine: Engine<'_>, procedure: &Procedure, run: &RunId, programs: bool) -> Result<Plan, Refusal> {
    let bound = procedure.bind(&engine, run).map_err(|wrong| Refusal::Invalid(vec![wrong.to_string()]))?;
    plan_bound(engine, &bound, programs)
}

fn plan_bound(engine: Engine<'_>, bound: &Bound<'_>, programs: bool) -> Result<Plan, Refusal> {
    let procedure = bound.procedure;
    let secrets = Secrets::default();
    let session = || bound.session(engine, &secrets, None);
    let wanted = Wanted {
        runbook: planned(procedure),
        client: procedure.client.clone(),
        radius: &bound.radius,
        programs,
        files: procedure.files.clone(),
        set: procedure.set.clone(),
        warnings: procedure.warnings.clone(),
    };
    let plan = plan::plan(&bound.graph, &session, wanted).map_err(|wrong| Refusal::Broken(wrong.to_string()))?;
    if procedure.recipients.is_empty() && plan.steps.iter().any(|step| step.effects.iter().any(is_sensitive)) {
        let which = plan.steps.iter().filter(|step| step.effects.iter().any(is_sensitive)).map(|step| {
            format!("`{}` sets something that holds a secret, and the client file names nobody (`people.*.age`, `recovery`) who could open what is kept of it", step.id)
        });
        return Err(Refusal::Invalid(which.collect()));
    }
    Ok(plan)
}

fn is_sensitive(effect: &Effect) -> bool {
    let hidden = |state: &State| matches!(state, State::File(FileState { content: Content::Hidden, .. }));
    match effect {
        Effect::Set(change) => hidden(&change.before) || hidden(&change.after),
        _ => false,
    }
}

fn planned(procedure: &Procedure) -> Planned {
    let document = &procedure.documents[0];
    Planned {
        id: document.document.form.runbook.value.to_string(),
        version: document.document.form.version.value.to_string(),
        digest: document.document.digest.clone(),
    }
}

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
    let bound = procedure.bind(&engine, &plan.run).map_err(|wrong| Refusal::Invalid(vec![wrong.to_string()]))?;
    let questions = questions(&bound, plan);
    engine.people.ready(&questions).map_err(Refusal::Missing)?;
    if engine.store.journal(&plan.run).is_ok() {
        return Err(Refusal::Refused(vec![format!("a run is called `{}` already: a plan is run once", plan.run)]));
    }
    let locks = lock(&engine, &bound)?;
    let secrets = Secrets::default();
    secrets.fetch(procedure.secrets.iter().map(String::as_str), engine.people).map_err(no_answer)?;
    let key = engine.store.key(Make::IfMissing).map_err(|wrong| broken(&wrong))?;
    let session = bound.session(engine, &secrets, key);
    remember_sensitive(&session, plan);
    let keeper = bound.keeper(&options.identities).map_err(|wrong| Refusal::Invalid(vec![wrong]))?;

    let journal = match engine.store.create(&plan.run) {
        Ok(journal) => journal,
        Err(WorldError::Refused { reason, .. }) => return Err(Refusal::Refused(vec![reason])),
        Err(wrong) => return Err(broken(&wrong)),
    };
    let alive = engine.store.alive(&plan.run).map_err(|wrong| broken(&wrong))?;
    let mut files: BTreeMap<String, Digest> = BTreeMap::new();
    let written = model::json::pretty(plan).map_err(|wrong| Refusal::Broken(wrong.to_string()))?;
    for (name, text) in plan.files.iter().map(|(name, text)| (name.as_str(), text.as_str())).chain([("plan.json", written.as_str())]) {
        engine.store.put(&plan.run, &kept_name(name), text.as_bytes()).map_err(|wrong| broken(&wrong))?;
        files.insert(kept_name(name), Digest::of(text.as_bytes()));
    }
    let inputs = procedure.values.inputs.iter().map(|(name, value)| (name.clone(), model::value::to_json(value))).collect();
    let digests = procedure.secrets.iter().filter_map(|name| {
        let value = secrets.get(&format!("inputs.{name}"))?;
        Some((format!("inputs.{name}"), session.sensitive.keyed(&Digest::of(&value))?))
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
    scribe.commit(vec![Event::RunStarted(Box::new(started))]).map_err(|dead| Refusal::Broken(dead.0))?;
    let order = Order {
        session: &session,
        plan,
        radius: &bound.radius,
        keeper: &keeper,
        alive: alive.as_ref(),
        jobs: options.jobs,
        cut: BTreeMap::new(),
        over: BTreeMap::new(),
    };
    let ending = run::run(&order, &scribe).map_err(|dead| Refusal::Broken(dead.0));
    drop(locks);
    ending
}

/// A path as the name of a file of a run's directory.
fn kept_name(name: &str) -> String {
    match name.strip_prefix("files/") {
        Some(path) => format!("files/{}", Digest::of(path.as_bytes())),
        None => name.to_owned(),
    }
}

/// Goes on with a run that was cut off, stopped or failed. `procedure` is read from what is kept with the run.
///
/// # Errors
/// See [`Refusal`].
pub fn resume(engine: Engine<'_>, procedure: &Procedure, id: &RunId, options: &Options) -> Result<Ending, Refusal> {
    let bound = procedure.bind(&engine, id).map_err(|wrong| Refusal::Invalid(vec![wrong.to_string()]))?;
    let locks = lock(&engine, &bound)?;
    let read = history::read(engine.store, id).map_err(Refusal::Damaged)?;
    if let Some(ended) = read.run.ended.filter(|ended| matches!(ended.outcome, RunOutcome::Done | RunOutcome::Undone)) {
        return Ok(Ending { outcome: ended.outcome, exit: ended.exit, why: vec![format!("the run has ended: nothing to resume")] });
    }
    if let Some(undo_of) = &read.run.started.undo_of {
        let parent = undo_of.run.clone();
        return resume_undo(engine, &bound, &parent, options, &read.run);
    }
    let secrets = Secrets::default();
    secrets.fetch(procedure.secrets.iter().map(String::as_str), engine.people).map_err(no_answer)?;
    let key = engine.store.key(Make::IfMissing).map_err(|wrong| broken(&wrong))?;
    let session = bound.session(engine, &secrets, key);
    same_secrets(&session, &read.run)?;
    let plan = kept_plan(&engine, id)?;
    remember_sensitive(&session, &plan);
    remember(&session, &read.run);
    let keeper = bound.keeper(&options.identities).map_err(|wrong| Refusal::Invalid(vec![wrong]))?;
    let alive = programs(&engine, id)?;
    let journal = engine.store.reopen(id, read.whole).map_err(|wrong| broken(&wrong))?;
    let history = read.run.clone();
    let scribe = Scribe::new(engine, id.clone(), journal, Some(read.run), read.lines, read.head);
    scribe.commit(vec![Event::Resumed { by: engine.operator.to_owned(), torn: read.torn }]).map_err(|dead| Refusal::Broken(dead.0))?;
    let hands = Hands { session: &session, scribe: &scribe, keeper: &keeper, radius: &bound.radius, alive: alive.as_ref() };
    recover::settle(&hands).map_err(|wrong| trouble(&wrong))?;
    let mut order = Order {
        session: &session,
        plan: &plan,
        radius: &bound.radius,
        keeper: &keeper,
        alive: alive.as_ref(),
        jobs: options.jobs,
        cut: cut(&scribe),
        over: over(&bound, &history),
    };
    // An undo that the run had decided on comes first.
    let ending = match unfinished_undo(&session, &history)? {
        Some((undone, scope)) => {
            let ending = if undone.ended.is_some_and(|ended| ended.exit == 0) {
                Ending { outcome: RunOutcome::Undone, exit: 0, why: Vec::new() }
            } else {
                undo::finish_linked(&order, &history, &undone).map_err(|wrong| trouble(&wrong))?
            };
            match scope {
                Scope::Group(group) if ending.exit == 0 => {
                    give_up(&bound, &mut order.over, &group);
                    run::run(&order, &scribe)
                }
                _ => run::finish_undone(&order, &scribe, &ending),
            }
        }
        None => match decided_undo(&history) {
            Some(Scope::Group(group)) => {
                let ending = undo::automatic(&order, &scribe, Scope::Group(group.clone())).map_err(|dead| Refusal::Broken(dead.0))?;
                if ending.exit == 0 {
                    give_up(&bound, &mut order.over, &group);
                    run::run(&order, &scribe)
                } else {
                    run::finish_undone(&order, &scribe, &ending)
                }
            }
            Some(scope) => {
                let ending = undo::automatic(&order, &scribe, scope).map_err(|dead| Refusal::Broken(dead.0))?;
                run::finish_undone(&order, &scribe, &ending)
            }
            None => run::run(&order, &scribe),
        },
    };
    drop(locks);
    ending.map_err(|dead| Refusal::Broken(dead.0))
}

fn resume_undo(engine: Engine<'_>, bound: &Bound<'_>, parent: &RunId, options: &Options, undo_run: &Run) -> Result<Ending, Refusal> {
    let read = history::read(engine.store, parent).map_err(Refusal::Damaged)?;
    if read.run.ended.is_none() {
        return Err(Refusal::Refused(vec![format!("it belongs to `{parent}`, which goes on with it: retrace resume {parent}")]));
    }
    let alive = programs(&engine, parent)?;
    let secrets = Secrets::default();
    secrets.fetch(bound.procedure.secrets.iter().map(String::as_str), engine.people).map_err(no_answer)?;
    let key = engine.store.key(Make::IfMissing).map_err(|wrong| broken(&wrong))?;
    let session = bound.session(engine, &secrets, key);
    remember(&session, &read.run);
    let plan = kept_plan(&engine, parent)?;
    remember_sensitive(&session, &plan);
    let keeper = bound.keeper(&options.identities).map_err(|wrong| Refusal::Invalid(vec![wrong]))?;
    let order = Order {
        session: &session,
        plan: &plan,
        radius: &bound.radius,
        keeper: &keeper,
        alive: alive.as_ref(),
        jobs: 1,
        cut: BTreeMap::new(),
        over: BTreeMap::new(),
    };
    undo::finish_linked(&order, &read.run, undo_run).map_err(|wrong| trouble(&wrong))
}

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

/// What an undo of a run would do. Nothing is written.
///
/// # Errors
/// See [`Refusal`].
pub fn undo_plan(engine: Engine<'_>, procedure: &Procedure, id: &RunId, wanted: &UndoOptions) -> Result<Plan, Refusal> {
    let bound = procedure.bind(&engine, id).map_err(|wrong| Refusal::Invalid(vec![wrong.to_string()]))?;
    let read = history::read(engine.store, id).map_err(Refusal::Damaged)?;
    let secrets = Secrets::default();
    let key = engine.store.key(Make::Never).map_err(|wrong| broken(&wrong))?;
    let session = bound.session(engine, &secrets, key);
    remember(&session, &read.run);
    undo::preview(&session, &read.run, &wanted.scope, &wanted.agreed, wanted.past_no_return, planned(procedure)).map_err(|wrong| trouble(&wrong))
}

/// Takes a run back.
///
/// # Errors
/// See [`Refusal`].
pub fn undo(engine: Engine<'_>, procedure: &Procedure, id: &RunId, wanted: &UndoOptions, options: &Options) -> Result<Ending, Refusal> {
    let bound = procedure.bind(&engine, id).map_err(|wrong| Refusal::Invalid(vec![wrong.to_string()]))?;
    let locks = lock(&engine, &bound)?;
    let read = history::read(engine.store, id).map_err(Refusal::Damaged)?;
    let alive = programs(&engine, id)?;
    let secrets = Secrets::default();
    let key = engine.store.key(Make::IfMissing).map_err(|wrong| broken(&wrong))?;
    let session = bound.session(engine, &secrets, key);
    remember(&session, &read.run);
    let plan = kept_plan(&engine, id)?;
    remember_sensitive(&session, &plan);
    let keeper = bound.keeper(&options.identities).map_err(|wrong| Refusal::Invalid(vec![wrong]))?;
    let order = Order {
        session: &session,
        plan: &plan,
        radius: &bound.radius,
        keeper: &keeper,
        alive: alive.as_ref(),
        jobs: options.jobs,
        cut: BTreeMap::new(),
        over: BTreeMap::new(),
    };
    if undo::needs_secrets(&session, &read.run, &wanted.scope, wanted.past_no_return).map_err(|wrong| trouble(&wrong))? {
        secrets.fetch(procedure.secrets.iter().map(String::as_str), engine.people).map_err(no_answer)?;
        same_secrets(&session, &read.run)?;
    }
    let ending = if read.run.ended.is_some() {
        undo::linked(&order, &read.run, wanted.scope.clone(), &wanted.agreed, wanted.past_no_return).map_err(|wrong| trouble(&wrong))?
    } else {
        // It was cut off: what is in doubt is settled in its own journal, and it ends there.
        let journal = engine.store.reopen(id, read.whole).map_err(|wrong| broken(&wrong))?;
        let history = read.run.clone();
        let scribe = Scribe::new(engine, id.clone(), journal, Some(read.run), read.lines, read.head);
        scribe.commit(vec![Event::Resumed { by: engine.operator.to_owned(), torn: read.torn }]).map_err(|dead| Refusal::Broken(dead.0))?;
        let hands = Hands { session: &session, scribe: &scribe, keeper: &keeper, radius: &bound.radius, alive: alive.as_ref() };
        recover::settle(&hands).map_err(|wrong| trouble(&wrong))?;
        let decided = Event::Decided { by: engine.operator.to_owned(), what: "undo".into(), about: "run".into() };
        scribe.commit(vec![decided]).map_err(|dead| Refusal::Broken(dead.0))?;
        let settled = scribe.fold(Clone::clone).unwrap_or(history);
        let undone = match unfinished_undo(&session, &settled)? {
            Some((undone, _)) if undone.ended.is_none() => undo::finish_linked(&order, &settled, &undone),
            _ => undo::linked(&order, &settled, wanted.scope.clone(), &wanted.agreed, wanted.past_no_return),
        };
        let ending = undone.map_err(|wrong| trouble(&wrong))?;
        if ending.exit == 0 {
            run::finish_undone(&order, &scribe, &ending).map_err(|dead| Refusal::Broken(dead.0))?;
        }
        ending
    };
    drop(locks);
    Ok(ending)
}

/// The lock that the run's programs inherit. If one of an earlier process still holds it, a person says what to do.
fn programs(engine: &Engine<'_>, id: &RunId) -> Result<Option<Alive>, Refusal> {
    loop {
        let reason = match engine.store.alive(id) {
            Err(WorldError::Refused { reason, .. }) => reason,
            other => return other.map_err(|wrong| broken(&wrong)),
        };
        let options = vec![
            ChoiceOption { key: "wait", text: "look again: it may have ended".into() },
            ChoiceOption { key: "go_on", text: "go on: I know that what still runs has nothing more to do with this run".into() },
            ChoiceOption { key: "stop", text: "leave all as it is".into() },
        ];
        match engine.people.choose(&Choice { about: id.to_string(), text: vec![format!("`{id}`: {reason}")], options }).as_deref() {
            Ok("wait") => engine.clock.wait(Duration::from_secs(1), engine.stop),
            Ok("go_on") => return Ok(None),
            Ok(_) => return Err(Refusal::Stopped),
            Err(_) => return Err(Refusal::Refused(vec![reason])),
        }
    }
}

/// The questions of a plan: those of its steps and of the other options.
fn questions(bound: &Bound<'_>, plan: &Plan) -> Vec<(StepId, model::effect::Ask, Vec<crate::people::EvidenceWanted>)> {
    let mut found = Vec::new();
    for step in plan.steps.iter().filter(|step| step.decision != Decision::Skip) {
        for effect in &step.effects {
            if let Effect::Ask(ask) = effect {
                let node = bound.graph.find(step.id.as_str());
                let evidence = node.and_then(|node| bound.graph.step(node)).map(|step| step.about.evidence.clone()).unwrap_or_default();
                found.push((step.id.clone(), ask.clone(), evidence));
            }
        }
    }
    found
}

fn lock(engine: &Engine<'_>, bound: &Bound<'_>) -> Result<Vec<Box<dyn Lock>>, Refusal> {
    let mut names = vec![LockName::Client(bound.procedure.client.clone())];
    let roots = bound.radius.roots();
    let mut above = BTreeSet::new();
    for root in &roots {
        let mut name = root.as_str();
        while let Some(cut) = name.rfind(['/', '\\']).filter(|cut| *cut > 0) {
            name = &name[..cut];
            above.insert(name.to_owned());
        }
    }
    names.extend(above.into_iter().filter(|dir| !roots.contains(dir)).map(LockName::Above));
    names.extend(roots.into_iter().map(LockName::Root));
    let holder = format!("{} on {}, run {}", engine.operator, engine.host, bound.run);
    let mut held = Vec::new();
    for name in names {
        match engine.store.lock(&name, &holder) {
            Ok(lock) => held.push(lock),
            Err(WorldError::Refused { reason, .. }) => return Err(Refusal::Refused(vec![reason])),
            Err(wrong) => return Err(broken(&wrong)),
        }
    }
    Ok(held)
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

fn kept_plan(engine: &Engine<'_>, id: &RunId) -> Result<Plan, Refusal> {
    let bytes = engine
        .store
        .file(id, "plan.json")
        .map_err(|wrong| broken(&wrong))?
        .ok_or_else(|| Refusal::Damaged(format!("the plan of `{id}` is not there")))?;
    serde_json::from_slice(&bytes).map_err(|wrong| Refusal::Damaged(format!("the plan of `{id}` cannot be read: {wrong}")))
}

/// What a plan showed to be sensitive is so from the first step on.
fn remember_sensitive(session: &Session<'_>, plan: &Plan) {
    for effect in plan.steps.iter().chain(plan.options.iter().flat_map(|o| &o.steps)).flat_map(|step| &step.effects) {
        if let (true, Effect::Set(change)) = (is_sensitive(effect), effect) {
            session.sensitive.add(&change.resource);
        }
    }
}

/// What the journal tells of steps that are over.
fn remember(session: &Session<'_>, run: &Run) {
    for step in &run.steps {
        let Some(node) = session.graph.find(step.id.as_str()) else { continue };
        let word = match step.status {
            StepStatus::Done => "done",
            StepStatus::Unchanged => "unchanged",
            StepStatus::Skipped => "skipped",
            StepStatus::Failed => "failed",
            StepStatus::Blocked => "blocked",
            StepStatus::Waiting | StepStatus::Running | StepStatus::InDoubt => continue,
        };
        session.learn(node, |known| {
            known.outcome = Some(word);
            known.started = step.started.map(|at| at.at);
            known.finished = step.finished.map(|at| at.at);
            known.attempts = step.attempts;
            known.outputs = Some(step.outputs.iter().map(|(name, json)| (name.clone(), from_json(json))).collect::<BTreeMap<_, _>>().into());
        });
        for effect in run.effects_of(step) {
            if let (Effect::Set(change), [observed, ..]) = (&effect.effect, effect.status.observed()) {
                session.changed(node, model::effect::Change { after: observed.state.clone(), ..change.clone() });
            }
        }
    }
    for effect in &run.effects {
        for image in effect.images.iter().filter(|image| image.sealed) {
            session.sensitive.add(&image.resource);
        }
        let keyed = |state: &State| matches!(state, State::File(FileState { content: Content::Keyed { .. }, .. }));
        for observed in effect.status.observed().iter().filter(|o| keyed(&o.state)) {
            session.sensitive.add(&observed.resource);
        }
    }
}

/// What the attempts that were cut off had done.
fn cut(scribe: &Scribe<'_>) -> BTreeMap<StepId, Vec<EffectFold>> {
    let unfinished = |run: &Run| {
        let steps = run.steps.iter().filter(|step| matches!(step.status, StepStatus::Running | StepStatus::InDoubt));
        let done = |step| run.effects_of(step).filter(|effect| matches!(effect.status, EffectStatus::Applied { .. })).cloned().collect::<Vec<_>>();
        steps.map(|step| (step.id.clone(), done(step))).filter(|(_, effects)| !effects.is_empty()).collect()
    };
    scribe.fold(unfinished).unwrap_or_default()
}

/// What is over already. A step that failed is tried again, unless the runbook allows it to fail.
fn over(bound: &Bound<'_>, run: &Run) -> BTreeMap<StepId, Outcome> {
    let mut over = BTreeMap::new();
    for step in &run.steps {
        let allowed = bound
            .graph
            .find(step.id.as_str())
            .and_then(|node| bound.graph.step(node))
            .is_some_and(|definition| matches!(definition.about.on_failure, crate::graph::OnFailure::Continue));
        let outcome = match step.status {
            StepStatus::Done => Outcome::Done,
            StepStatus::Unchanged => Outcome::Unchanged,
            StepStatus::Skipped => Outcome::Skipped,
            StepStatus::Failed if allowed => Outcome::Failed,
            _ => continue,
        };
        over.insert(step.id.clone(), outcome);
    }
    over
}

/// A group that was taken back is not done again.
fn give_up(bound: &Bound<'_>, over: &mut BTreeMap<StepId, Outcome>, group: &StepId) {
    let inside = format!("{group}/");
    for node in bound.graph.nodes.iter().filter(|node| node.last.is_none() && (node.id.as_str().starts_with(&inside) || node.id == *group)) {
        over.insert(node.id.clone(), Outcome::Failed);
    }
}

/// The undo that a run decided on last and that has not come to its end in the run's own journal.
fn unfinished_undo(session: &Session<'_>, run: &Run) -> Result<Option<(Run, Scope)>, Refusal> {
    if decided_undo(run).is_none() {
        return Ok(None);
    }
    let mut undos = undo::undos(session, run.id()).map_err(|wrong| trouble(&wrong))?;
    Ok(undos.pop().and_then(|undo| undo.started.undo_of.clone().map(|of| (undo, of.scope))))
}

fn decided_undo(run: &Run) -> Option<Scope> {
    let last = run.decisions.iter().rev().find(|decision| matches!(decision.what.as_str(), "undo" | "undo_group" | "retry" | "go_on"))?;
    // Whatever started after the decision shows that the undo is behind the run.
    let later = run.steps.iter().any(|step| step.started.is_some_and(|at| at.seq > last.at.seq));
    match last.what.as_str() {
        "undo" if !later => Some(Scope::All),
        "undo_group" if !later => Some(Scope::Group(StepId::new(&last.about))),
        _ => None,
    }
}

fn same_secrets(session: &Session<'_>, run: &Run) -> Result<(), Refusal> {
    let other = run.started.secrets.iter().filter(|(name, digest)| {
        session.secrets.get(name).is_some_and(|value| session.sensitive.keyed(&Digest::of(&value)).as_ref() != Some(digest))
    });
    let wrong: Vec<String> = other.map(|(name, _)| format!("`{name}` is not the secret that the run began with")).collect();
    if wrong.is_empty() { Ok(()) } else { Err(Refusal::Refused(wrong)) }
}

fn no_answer(no: NoAnswer) -> Refusal {
    match no {
        NoAnswer::Missing(what) => Refusal::Missing(what),
        NoAnswer::Otherwise(_) | NoAnswer::Stopped => Refusal::Stopped,
    }
}

fn broken(wrong: &WorldError) -> Refusal {
    Refusal::Broken(chain(wrong))
}

fn trouble(wrong: &Trouble) -> Refusal {
    match wrong {
        Trouble::Missing(what) => Refusal::Missing(what.clone()),
        Trouble::Stopped => Refusal::Stopped,
        Trouble::Unfit(_) | Trouble::Moved { .. } => Refusal::Refused(vec![run::hands::words(wrong)]),
        Trouble::Failed(_) | Trouble::Dead(_) => Refusal::Broken(run::hands::words(wrong)),
    }
}
