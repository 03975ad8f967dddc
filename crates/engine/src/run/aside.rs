//! What a cut-off `Set` left beside its target.
//!
//! A swap is followed by a look at what came out. If that is not what the run had seen, somebody has changed it in the last
//! moment, and it goes back at once. When the process dies in between, it still lies under the staging name: it is nobody's to
//! remove but a person's.

use crate::people::{Choice, ChoiceOption, NoAnswer};
use crate::run::hands::{Trouble, trouble};
use crate::run::whole::whole_state_at;
use crate::session::Session;
use model::effect::{Change, Effect};
use model::fold::EffectFold;
use model::resource::Resource;
use model::state::State;
use world::error::WorldError;

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tidied {
    /// What was left was ours, or nothing.
    Ours,
    /// It was somebody else's, and a person had it removed.
    Removed,
    /// It was somebody else's, and is back in its place: the effect did not happen.
    PutBack,
}

/// Removes what an effect left beside its target, if it is ours.
///
/// # Errors
/// It is not, and a person is needed and there is none; or it cannot be looked at or removed.
pub(crate) fn tidy(session: &Session<'_>, effect: &EffectFold) -> Result<Tidied, Trouble> {
    let failed = |wrong: WorldError| trouble(&wrong, &session.sensitive);
    let world = session.engine.world;
    let mut tidied = Tidied::Ours;
    if let (Effect::Set(change), [staging]) = (&effect.effect, effect.staging.as_slice())
        && let Some((found, now)) = foreign(session, change, staging).map_err(failed)?
    {
        tidied = ask(session, effect, change, staging, &found, &now)?;
        if tidied == Tidied::PutBack {
            world.put_back(&change.resource, staging).map_err(failed)?;
        }
    }
    world.tidy(&effect.staging).map_err(failed)?;
    Ok(tidied)
}

/// What lies under the staging name, and what is in its place, if the swap happened and what it took out is not what it was
/// to take out.
fn foreign(session: &Session<'_>, change: &Change, staging: &str) -> Result<Option<(State, State)>, WorldError> {
    let world = session.engine.world;
    if !matches!(change.before, State::File(_) | State::Dir(_) | State::Tree(_)) {
        return Ok(None);
    }
    let whole = change.is_of_tree();
    let look = |what: &Resource| {
        let state = if whole { whole_state_at(&session.sensitive, world, (what, &change.resource)) } else { world.state(what) }?;
        Ok::<State, WorldError>(session.sensitive.masked(&change.resource, &state))
    };
    let found = look(&Resource::file(staging))?;
    if found == State::Absent {
        return Ok(None);
    }
    let now = look(&change.resource)?;
    let swapped = now.fits(&change.after) && !now.same(&change.before);
    // An empty directory was to be taken out; whatever is in it, somebody has put there.
    let filled = matches!((&change.before, &found), (State::Dir(_), State::Dir(_))) && !world.list(staging)?.is_empty();
    Ok((swapped && (filled || !found.same(&change.before))).then_some((found, now)))
}

fn ask(session: &Session<'_>, effect: &EffectFold, change: &Change, staging: &str, found: &State, now: &State) -> Result<Tidied, Trouble> {
    let people = session.engine.people;
    let text = vec![
        format!("`{}` was cut off while it set {}, and somebody else had changed that in the last moment.", effect.step, change.resource),
        format!("before   {}", change.before),
        format!("now      {now}"),
        format!("theirs   {found}, in {staging}"),
    ];
    let options = vec![
        ChoiceOption { key: "put_back", text: "put theirs back in its place".into() },
        ChoiceOption { key: "remove", text: "remove theirs: what is there now stays".into() },
        ChoiceOption { key: "stop", text: "I do not know: leave all as it is".into() },
    ];
    match people.choose(&Choice { about: change.resource.to_string(), text, options }).as_deref() {
        Ok("put_back") => Ok(Tidied::PutBack),
        Ok("remove") => Ok(Tidied::Removed),
        Ok(_) | Err(NoAnswer::Stopped | NoAnswer::Otherwise(_)) => Err(Trouble::Stopped),
        Err(NoAnswer::Missing(_)) => Err(Trouble::Missing(vec![format!(
            "what becomes of `{staging}`, which somebody else has changed and `{}` took out of its place",
            effect.step
        )])),
    }
}
