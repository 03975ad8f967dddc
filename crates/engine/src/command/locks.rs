//! Whoever else is at work: on this client, below these directories, or still from an earlier process of this run.

use super::Refusal;
use crate::context::Engine;
use crate::people::{Choice, ChoiceOption};
use crate::procedure::Bound;
use crate::run::locks::{self, Locks};
use model::id::RunId;
use std::collections::BTreeSet;
use std::time::Duration;
use world::alive::Alive;
use world::error::WorldError;
use world::store::LockName;

/// The locks of a run: its client, its roots, and what lies above them.
pub(super) fn lock(engine: &Engine<'_>, bound: &Bound<'_>) -> Result<Locks, Refusal> {
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
    let mut held = Locks::default();
    for name in names {
        match engine.store.lock(&name, &holder) {
            Ok(lock) => held.push(name, lock),
            Err(WorldError::Refused { reason, .. }) => return Err(Refusal::Refused(vec![format!("{}: {reason}", locks::what(&name))])),
            Err(wrong) => return Err(wrong.into()),
        }
    }
    Ok(held)
}

/// The lock that the run's programs inherit. If one of an earlier process still holds it, a person says what to do.
pub(super) fn programs(engine: &Engine<'_>, id: &RunId) -> Result<Option<Alive>, Refusal> {
    loop {
        let reason = match engine.store.alive(id) {
            Err(WorldError::Refused { reason, .. }) => reason,
            other => return Ok(other?),
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
            Err(_) => return Err(Refusal::Refused(vec![format!("`{id}`: {reason}")])),
        }
    }
}
