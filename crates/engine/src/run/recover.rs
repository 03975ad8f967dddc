//! After a cut-off: every intent without an end is settled by looking, never by repeating.

use crate::graph::Undo;
use crate::history::Read;
use crate::people::{Choice, ChoiceOption, NoAnswer};
use crate::run::Order;
use crate::run::aside::{self, Tidied};
use crate::run::hands::{Hands, Trouble, trouble};
use crate::run::images::files_in;
use crate::run::scribe::Scribe;
use crate::run::whole::present;
use crate::session::Session;
use crate::stepper;
use crate::view::Sight;
use model::effect::{Before, Change, Effect};
use model::event::{Event, Observed};
use model::fold::{EffectFold, EffectStatus, Run, StepFold, StepStatus};
use model::id::StepId;
use model::resource::{Resource, ResourceKind};
use model::state::State;
use model::value::May;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;
use world::act::{Setting, Source};
use world::error::WorldError;

/// What comes after what is in doubt is settled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// The run goes on.
    GoOn,
    /// It is taken back, as its journal says already.
    TakeBack,
}

/// Goes on with a journal that has no end, and says so in it. What is in doubt is to be settled before anything else.
///
/// # Errors
/// It cannot be written.
pub(crate) fn reopen<'a>(order: &Order<'_, 'a>, read: Read) -> Result<Scribe<'a>, Trouble> {
    let engine = order.session.engine;
    let failed = |wrong: WorldError| trouble(&wrong, &order.session.sensitive);
    engine.store.make_room().map_err(failed)?;
    let id = read.run.id().clone();
    let journal = engine.store.reopen(&id, read.whole).map_err(failed)?;
    let scribe = Scribe::new(engine, id, journal, Some(read.run), read.lines, read.head);
    scribe.commit(vec![Event::Resumed { by: engine.operator.to_owned(), torn: read.torn }])?;
    Ok(scribe)
}

/// Settles all that is in doubt.
///
/// # Errors
/// A person is needed and there is none, or the world cannot be looked at.
pub(crate) fn settle<'a>(order: &Order<'_, 'a>, scribe: &Scribe<'a>, then: Then) -> Result<(), Trouble> {
    let hands = &order.hands(scribe);
    let open: Vec<EffectFold> = hands.scribe.fold(|fold| fold.open().cloned().collect()).unwrap_or_default();
    for effect in open {
        know_sensitive(hands, &effect);
        let tidied = aside::tidy(hands.session, &effect)?;
        if tidied != Tidied::Ours {
            let what = if tidied == Tidied::PutBack { "put_back" } else { "remove" };
            let (by, about) = (hands.session.engine.operator.to_owned(), format!("{}#{}", effect.step, effect.n));
            hands.scribe.commit(vec![Event::Decided { by, what: what.into(), about }])?;
        }
        if tidied == Tidied::PutBack {
            not_happened(hands, &effect, hands.session.engine.operator)?;
            continue;
        }
        match (&effect.status, &effect.effect) {
            (EffectStatus::Intended, Effect::Set(change)) => settle_set(hands, &effect, change, then)?,
            (EffectStatus::Intended, Effect::Run { changes, .. }) => settle_run(hands, &effect, changes, then)?,
            // A question that was not answered is asked again.
            _ => {}
        }
    }
    hands.scribe.flush()?;
    Ok(())
}

/// What the journal shows to be secret is so before it is looked at.
fn know_sensitive(hands: &Hands<'_, '_>, effect: &EffectFold) {
    match &effect.effect {
        Effect::Set(change) if change.is_keyed() => hands.session.sensitive.add(&change.resource),
        Effect::Run { changes, .. } => {
            changes.iter().filter(|change| change.before.is_keyed()).for_each(|change| hands.session.sensitive.add(&change.resource));
        }
        _ => {}
    }
}

fn settle_set(hands: &Hands<'_, '_>, effect: &EffectFold, change: &Change, then: Then) -> Result<(), Trouble> {
    let session = hands.session;
    let failed = |wrong: WorldError| trouble(&wrong, &session.sensitive);
    if world::planted::bug(22) {
        return not_happened(hands, effect, "retrace");
    }
    // A recovery that was cut off itself may have left it behind.
    let left: Vec<String> = staging(hands, &change.resource).into_iter().collect();
    session.engine.world.tidy(&left).map_err(|wrong| hands.trouble(&wrong))?;
    let real = come_to_rest(session, change).map_err(failed)?;
    let found = session.sensitive.masked(&change.resource, &real);
    if found.same(&change.before) && !found.same(&change.after) {
        return not_happened(hands, effect, "retrace");
    }
    if found.fits(&change.after) || (change.is_of_tree() && matches!(found, State::Tree(_)) && matches!(change.before, State::Absent)) {
        // Of a tree every file was flushed before it got its name.
        if matches!(real, State::File(_)) {
            rewrite(hands, std::slice::from_ref(&change.resource))?;
        }
        // Started it is; whether it serves, whoever goes on waits for, as the one that was cut off did.
        if then == Then::GoOn && change.resource.kind == ResourceKind::Service {
            set(hands, vec![(Change { resource: change.resource.clone(), before: found.clone(), after: found.clone() }, Source::Nothing)])?;
        }
        if matches!(real, State::Tree(_)) {
            // Its list may not have been kept.
            hands.whole(&change.resource, true).map_err(|wrong| hands.trouble(&wrong))?;
        }
        return happened(hands, effect, vec![Observed { resource: change.resource.clone(), state: found }]);
    }
    let text = vec![
        format!("`{}` was cut off while it set {}, which is neither as it was nor as it was to be.", effect.step, change.resource),
        format!("before   {}", change.before),
        format!("intended {}", change.after),
        format!("found    {found}"),
    ];
    match in_doubt(hands, effect, text)?.as_str() {
        "happened" => happened(hands, effect, vec![Observed { resource: change.resource.clone(), state: found }]),
        _ => not_happened(hands, effect, session.engine.operator),
    }
}

/// What a resource is now. A service that was being started or stopped goes on with it when nobody waits for it any more: it is
/// looked at until it is as it was to be, or for a while.
fn come_to_rest(session: &Session<'_>, change: &Change) -> Result<State, WorldError> {
    const WHILE: Duration = Duration::from_secs(5);
    const BETWEEN: Duration = Duration::from_millis(250);
    let engine = &session.engine;
    let begun = engine.clock.elapsed();
    loop {
        let found = present(&session.sensitive, engine.world, change)?;
        let may_go_on = change.resource.kind == ResourceKind::Service && !found.fits(&change.after);
        if !may_go_on || engine.clock.elapsed().saturating_sub(begun) >= WHILE || engine.stop.wished() {
            return Ok(found);
        }
        engine.clock.wait(BETWEEN, engine.stop);
    }
}

/// What was found of files may be in the cache only, and a flush that failed once cannot be repeated: they are written anew.
fn rewrite(hands: &Hands<'_, '_>, files: &[Resource]) -> Result<(), Trouble> {
    if world::planted::bug(10) {
        return Ok(());
    }
    let same = |resource: &Resource, state: State| Change { resource: resource.clone(), before: state.clone(), after: state };
    let mut again = Vec::new();
    for file in files {
        let state = hands.session.engine.world.state(file).map_err(|wrong| trouble(&wrong, &hands.session.sensitive))?;
        again.push((same(file, state), Source::File { path: file.name.to_string() }));
    }
    set(hands, again)
}

/// Sets resources under the intent that is being settled.
fn set(hands: &Hands<'_, '_>, changes: Vec<(Change, Source)>) -> Result<(), Trouble> {
    let world = hands.session.engine.world;
    let settings = changes.into_iter().map(|(change, source)| {
        let staging = staging(hands, &change.resource);
        Setting::new(change, source, staging)
    });
    let settings: Vec<Setting> = settings.collect();
    // One that was cut off here before left them behind.
    let left: Vec<String> = settings.iter().filter_map(|setting| setting.staging.clone()).collect();
    world.tidy(&left).map_err(|wrong| hands.trouble(&wrong))?;
    for result in world.set(&settings, &hands.vault()) {
        result.map_err(|wrong| hands.trouble(&wrong))?;
    }
    Ok(())
}

/// The name beside a file or directory under which recovery stages it.
fn staging(hands: &Hands<'_, '_>, resource: &Resource) -> Option<String> {
    let change = Change { resource: resource.clone(), before: State::Absent, after: State::Absent };
    hands.session.engine.world.staging(&change, &format!("{}-again", hands.session.run))
}

/// A program was started, and nobody knows how it ended. What it may have changed can be anything.
fn settle_run(hands: &Hands<'_, '_>, effect: &EffectFold, changes: &[Before], then: Then) -> Result<(), Trouble> {
    let session = hands.session;
    let resources: Vec<Resource> = changes.iter().map(|change| change.resource.clone()).collect();
    let files = files(hands, &resources)?;
    let left: Vec<String> = resources.iter().chain(&files).filter_map(|file| staging(hands, file)).collect();
    session.engine.world.tidy(&left).map_err(|wrong| hands.trouble(&wrong))?;
    // Whether it did its work or a part of it, or none: all that is there now is taken back.
    let (done, by) = if then == Then::TakeBack { (true, "retrace") } else { did_its_work(hands, effect)? };
    if done {
        rewrite(hands, &self::files(hands, &resources)?)?;
        hands.flush(changes)?;
        return happened(hands, effect, hands.observe(changes)?);
    }
    if is_set_back(hands, effect) {
        set_back(hands, effect, changes)?;
    }
    not_happened(hands, effect, by)
}

/// The files that these are or hold.
fn files(hands: &Hands<'_, '_>, resources: &[Resource]) -> Result<Vec<Resource>, Trouble> {
    let look = hands.session.engine.world;
    let mut files = Vec::new();
    for resource in resources.iter().filter(|resource| resource.kind == ResourceKind::File) {
        let mut manifest = Vec::new();
        let found = look.state(resource).and_then(|state| match state {
            State::Dir(_) => look.tree(resource, &[], &mut manifest),
            state => Ok(state),
        });
        match found.map_err(|wrong| trouble(&wrong, &hands.session.sensitive))? {
            State::File(_) => files.push(resource.clone()),
            _ => files.extend(files_in(&manifest, resource).iter().map(|path| Resource::file(path))),
        }
    }
    Ok(files)
}

/// Whether the program of an effect in doubt did its work, as the step's `done_when` or a person says; and who says so.
fn did_its_work<'h>(hands: &'h Hands<'_, '_>, effect: &EffectFold) -> Result<(bool, &'h str), Trouble> {
    let session = hands.session;
    let graph = session.graph;
    if let Some((node, step)) = graph.find(effect.step.as_str()).and_then(|node| Some((node, graph.step(node)?)))
        && !step.about.done_when.is_empty()
        && !hands.scribe.is_of_undo()
    {
        let sight = Sight { session, look: session.engine.world, node, planning: None, seen: Mutex::default(), revealed: Mutex::default() };
        if let Ok(May::Known(done)) = stepper::done_already(&sight, step.about.document, &step.about.done_when) {
            return Ok((done, "retrace"));
        }
    }
    let mut text = vec![
        format!("`{}` was cut off while its program ran: {}", effect.step, effect.effect),
        "Whether it did its work cannot be seen from here. Look, then say.".to_owned(),
    ];
    if is_set_back(hands, effect) {
        text.push("If it did not, what it may have changed is set back to what it was before.".to_owned());
    }
    Ok((in_doubt(hands, effect, text)? == "happened", session.engine.operator))
}

/// Whether what a program changes is set back from its before-images: then it begins once more where it began.
fn is_set_back(hands: &Hands<'_, '_>, effect: &EffectFold) -> bool {
    let graph = hands.session.graph;
    let step = graph.find(effect.step.as_str()).and_then(|node| graph.step(node));
    !hands.scribe.is_of_undo()
        && step.is_some_and(|step| step.about.undo == Undo::Auto && step.about.irreversible.is_none() && step.settles.is_empty())
}

/// Sets what a program may have changed back to what it was.
fn set_back(hands: &Hands<'_, '_>, effect: &EffectFold, changes: &[Before]) -> Result<(), Trouble> {
    let session = hands.session;
    let mut back = Vec::new();
    for Before { resource, before } in changes.iter().rev().filter(|change| change.resource.kind != ResourceKind::Other) {
        let after = before.clone();
        let mut change = Change { resource: resource.clone(), before: State::Unknown { until: effect.step.clone() }, after };
        let found = present(&session.sensitive, session.engine.world, &change).map_err(|wrong| trouble(&wrong, &session.sensitive))?;
        if session.sensitive.masked(resource, &found) == *before {
            continue;
        }
        let image = effect.images.iter().find(|image| image.resource == *resource);
        let (after, source) = hands.restored(&change, image)?;
        (change.before, change.after) = (found, after);
        back.push((change, source));
    }
    if !back.is_empty() {
        let about = format!("{}#{}", effect.step, effect.n);
        hands.scribe.commit(vec![Event::Decided { by: "retrace".into(), what: "set_back".into(), about }])?;
        set(hands, back)?;
    }
    // Whatever is as before now is so on the disk.
    hands.flush(changes)
}

fn in_doubt(hands: &Hands<'_, '_>, effect: &EffectFold, text: Vec<String>) -> Result<String, Trouble> {
    let engine = &hands.session.engine;
    let options = vec![
        ChoiceOption { key: "happened", text: "it happened: go on after it".into() },
        ChoiceOption { key: "not_happened", text: "it did not happen: it will be done again".into() },
        ChoiceOption { key: "stop", text: "I do not know: leave all as it is".into() },
    ];
    let about = format!("{}#{}", effect.step, effect.n);
    match engine.people.choose(&Choice { about: about.clone(), text, options }) {
        Ok(key) if key != "stop" => {
            if key == "happened" {
                hands.scribe.commit(vec![Event::Decided { by: engine.operator.to_owned(), what: key.clone(), about }])?;
            }
            Ok(key)
        }
        Ok(_) | Err(NoAnswer::Stopped | NoAnswer::Otherwise(_)) => Err(Trouble::Stopped),
        Err(NoAnswer::Missing(_)) => Err(Trouble::Missing(vec![format!("whether `{}` happened, which only a person can see", effect.step)])),
    }
}

fn happened(hands: &Hands<'_, '_>, effect: &EffectFold, observed: Vec<Observed>) -> Result<(), Trouble> {
    Ok(hands.scribe.say(Event::Applied { step: effect.step.clone(), n: effect.n, observed, exit: None })?)
}

fn not_happened(hands: &Hands<'_, '_>, effect: &EffectFold, by: &str) -> Result<(), Trouble> {
    Ok(hands.scribe.say(Event::Decided { by: by.to_owned(), what: "not_happened".into(), about: format!("{}#{}", effect.step, effect.n) })?)
}

/// What the attempts that were cut off had done, and what those that failed had set before they did: a program that failed is
/// started again.
pub(crate) fn cut(scribe: &Scribe<'_>) -> BTreeMap<StepId, Vec<EffectFold>> {
    let unfinished = |run: &Run| {
        let steps = run.steps.iter().filter(|step| matches!(step.status, StepStatus::Running | StepStatus::InDoubt | StepStatus::Failed));
        let counts = |step: &StepFold, effect: &EffectFold| step.status != StepStatus::Failed || matches!(effect.effect, Effect::Set(_));
        let applied = |effect: &EffectFold| matches!(effect.status, EffectStatus::Applied { .. });
        let done = |step| run.effects_of(step).filter(|effect| applied(effect) && counts(step, effect)).cloned().collect::<Vec<_>>();
        steps.map(|step| (step.id.clone(), done(step))).filter(|(_, effects)| !effects.is_empty()).collect()
    };
    scribe.fold(unfinished).unwrap_or_default()
}
