//! After a cut-off: every intent without an end is settled by looking, never by repeating.

use crate::history::Read;
use crate::people::{Choice, ChoiceOption, NoAnswer};
use crate::run::Order;
use crate::run::aside::{self, Tidied};
use crate::run::hands::{Hands, Trouble, present, trouble};
use crate::run::scribe::Scribe;
use crate::stepper;
use crate::view::Sight;
use model::effect::{Change, Effect};
use model::event::{Event, Observed};
use model::fold::{EffectFold, EffectStatus};
use model::state::State;
use model::value::May;
use std::sync::Mutex;
use world::act::{Setting, Source};
use world::error::WorldError;

/// Goes on with a journal that has no end: says so in it, and settles what is in doubt.
///
/// # Errors
/// It cannot be written; or as [`settle`].
pub(crate) fn reopen<'a>(order: &Order<'_, 'a>, read: Read) -> Result<Scribe<'a>, Trouble> {
    let engine = order.session.engine;
    let failed = |wrong: WorldError| trouble(&wrong, &order.session.sensitive);
    engine.store.make_room().map_err(failed)?;
    let id = read.run.id().clone();
    let journal = engine.store.reopen(&id, read.whole).map_err(failed)?;
    let scribe = Scribe::new(engine, id, journal, Some(read.run), read.lines, read.head);
    scribe.commit(vec![Event::Resumed { by: engine.operator.to_owned(), torn: read.torn }])?;
    settle(&order.hands(&scribe))?;
    Ok(scribe)
}

/// Settles all that is in doubt.
///
/// # Errors
/// A person is needed and there is none, or the world cannot be looked at.
fn settle(hands: &Hands<'_, '_>) -> Result<(), Trouble> {
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
            (EffectStatus::Intended, Effect::Set(change)) => settle_set(hands, &effect, change)?,
            (EffectStatus::Intended, Effect::Run { changes, .. }) => settle_run(hands, &effect, changes)?,
            // A question that was not answered is asked again.
            _ => {}
        }
    }
    hands.scribe.flush()?;
    Ok(())
}

/// What the journal shows to be secret is so before it is looked at.
fn know_sensitive(hands: &Hands<'_, '_>, effect: &EffectFold) {
    if let Effect::Set(change) = &effect.effect
        && change.is_keyed()
    {
        hands.session.sensitive.add(&change.resource);
    }
}

fn settle_set(hands: &Hands<'_, '_>, effect: &EffectFold, change: &Change) -> Result<(), Trouble> {
    let session = hands.session;
    let failed = |wrong: WorldError| trouble(&wrong, &session.sensitive);
    if world::planted::bug(22) {
        return not_happened(hands, effect, "retrace");
    }
    let real = present(session.engine.world, change).map_err(failed)?;
    let found = session.sensitive.masked(&change.resource, &real);
    if found.same(&change.before) && !found.same(&change.after) {
        return not_happened(hands, effect, "retrace");
    }
    if found.fits(&change.after) || (change.is_of_tree() && matches!(found, State::Tree(_)) && matches!(change.before, State::Absent)) {
        rewrite(hands, change, &real)?;
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

/// What was found may be in the cache only, and a flush that failed once cannot be repeated: it is written anew.
fn rewrite(hands: &Hands<'_, '_>, change: &Change, real: &State) -> Result<(), Trouble> {
    let world = hands.session.engine.world;
    if !matches!(real, State::File(_)) || world::planted::bug(10) {
        return Ok(());
    }
    let same = Change { resource: change.resource.clone(), before: real.clone(), after: real.clone() };
    let staging = world.staging(&same, &format!("{}-again", hands.session.run));
    // One that was cut off here before left it behind.
    world.tidy(staging.as_slice()).map_err(|wrong| trouble(&wrong, &hands.session.sensitive))?;
    let setting = Setting::new(same, Source::File { path: change.resource.name.to_string() }, staging);
    for result in world.set(&[setting], hands.session.engine.store) {
        match result {
            Ok(_) => {}
            Err(wrong @ WorldError::Poisoned { .. }) => return Err(hands.scribe.die(&crate::plan::chain(&wrong)).into()),
            Err(wrong) => return Err(trouble(&wrong, &hands.session.sensitive)),
        }
    }
    Ok(())
}

/// A program was started, and nobody knows how it ended.
fn settle_run(hands: &Hands<'_, '_>, effect: &EffectFold, changes: &[model::effect::Before]) -> Result<(), Trouble> {
    let session = hands.session;
    let graph = session.graph;
    if let Some((node, step)) = graph.find(effect.step.as_str()).and_then(|node| Some((node, graph.step(node)?)))
        && !step.about.done_when.is_empty()
    {
        let sight = Sight { session, look: session.engine.world, node, planning: None, seen: Mutex::default(), revealed: Mutex::default() };
        if let Ok(May::Known(done)) = stepper::done_already(&sight, step.about.document, &step.about.done_when) {
            return if done { happened(hands, effect, hands.observe(changes)?) } else { not_happened(hands, effect, "retrace") };
        }
    }
    let text = vec![
        format!("`{}` was cut off while its program ran: {}", effect.step, effect.effect),
        "Whether it did its work cannot be seen from here. Look, then say.".to_owned(),
    ];
    match in_doubt(hands, effect, text)?.as_str() {
        "happened" => happened(hands, effect, hands.observe(changes)?),
        _ => not_happened(hands, effect, session.engine.operator),
    }
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
