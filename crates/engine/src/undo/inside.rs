//! What is in the way of removing a directory that the run made.

use crate::undo::agreed::Agreed;
use crate::undo::list::List;
use model::effect::Change;
use model::path::{join, within};
use model::resource::{Resource, ResourceKind};
use model::state::State;
use world::error::WorldError;
use world::look::Look;

/// What is in the way of removing a directory.
pub(crate) enum Inside {
    /// Nothing.
    Nothing,
    /// Something that stays, or that a person said to leave: so does the directory. In words.
    Stays(String),
    /// What neither the run nor an undo put there. In words.
    Foreign(String),
}

/// Looks into a directory that a change would remove. `acts`: an action of a step comes before that may yet remove things.
pub(crate) fn inside(look: &dyn Look, list: &List, change: &Change, agreed: &Agreed, acts: bool) -> Result<Inside, WorldError> {
    let dir = &change.resource;
    if change.after != State::Absent || dir.kind != ResourceKind::File || agreed.leave.contains(dir) {
        return Ok(Inside::Nothing);
    }
    for left in agreed.leave.iter().filter(|left| left.kind == dir.kind && within(&left.name, &dir.name)) {
        if look.state(left)? != State::Absent {
            return Ok(Inside::Stays(format!("{dir} stays, because {left} in it is left")));
        }
    }
    // What is in a tree is part of its state; what an action may yet remove is judged when it has.
    if acts || !matches!(change.before, State::Dir(_)) || !matches!(look.state(dir)?, State::Dir(_)) {
        return Ok(Inside::Nothing);
    }
    let mut foreign = Vec::new();
    for entry in look.list(&dir.name)? {
        let path = join(&dir.name, &entry.name);
        let here = Resource::file(&path);
        if list.left.get(&here).is_some_and(|left| *left != State::Absent) {
            return Ok(Inside::Stays(format!("{dir} stays, because {here} in it stays")));
        }
        if !list.runs.iter().any(|run| world::staged_by(&entry.name, run)) {
            foreign.push(format!("`{}`", entry.name));
        }
    }
    let more = foreign.len().saturating_sub(3);
    foreign.truncate(3);
    if more > 0 {
        foreign.push(format!("{more} more"));
    }
    Ok(if foreign.is_empty() { Inside::Nothing } else { Inside::Foreign(format!("directory with {} in it", foreign.join(", "))) })
}
