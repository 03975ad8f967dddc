//! What a person agreed to for an undo.

use model::event::Event;
use model::fold::Run;
use model::resource::Resource;
use std::collections::BTreeSet;

/// What a person agreed to about resources that somebody has changed since.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Agreed {
    /// They are overwritten.
    pub overwrite: BTreeSet<Resource>,
    /// They are left as they are.
    pub leave: BTreeSet<Resource>,
}

impl Agreed {
    /// What the journal of an undo tells, and whether it goes past the point of no return.
    pub(crate) fn of(undo: &Run) -> (Self, bool) {
        let (mut agreed, mut past_no_return) = (Self::default(), false);
        for decision in &undo.decisions {
            match (decision.what.as_str(), Resource::parse(&decision.about)) {
                ("overwrite", Some(resource)) => agreed.overwrite(resource),
                ("leave", Some(resource)) => agreed.leave(resource),
                ("past_no_return", _) => past_no_return = true,
                _ => {}
            }
        }
        (agreed, past_no_return)
    }

    /// As it is written into the journal of an undo.
    pub(crate) fn decided(&self, by: &str, past_no_return: bool) -> Vec<Event> {
        let decided = |what: &str, about: String| Event::Decided { by: by.to_owned(), what: what.to_owned(), about };
        let past = past_no_return.then(|| decided("past_no_return", "run".to_owned()));
        let overwrite = self.overwrite.iter().map(|resource| decided("overwrite", resource.to_string()));
        let leave = self.leave.iter().map(|resource| decided("leave", resource.to_string()));
        past.into_iter().chain(overwrite).chain(leave).collect()
    }

    /// With what was agreed later, which holds.
    pub(crate) fn and(mut self, later: &Self) -> Self {
        later.overwrite.iter().for_each(|resource| self.overwrite(resource.clone()));
        later.leave.iter().for_each(|resource| self.leave(resource.clone()));
        self
    }

    fn overwrite(&mut self, resource: Resource) {
        self.leave.remove(&resource);
        self.overwrite.insert(resource);
    }

    fn leave(&mut self, resource: Resource) {
        self.overwrite.remove(&resource);
        self.leave.insert(resource);
    }
}
