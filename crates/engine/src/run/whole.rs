//! Resources with everything below them.

use crate::listing;
use crate::run::hands::Hands;
use crate::run::vault::Vault;
use crate::sensitive::Sensitive;
use model::effect::Change;
use model::resource::Resource;
use model::state::State;
use std::io;
use world::error::WorldError;
use world::look::Look;

/// What the resource of a change is now; with everything below it, if the change is of that.
pub(crate) fn present(sensitive: &Sensitive, look: &dyn Look, change: &Change) -> Result<State, WorldError> {
    if change.is_of_tree() { whole_state(sensitive, look, &change.resource) } else { look.state(&change.resource) }
}

/// The state of a resource with everything below it.
pub(crate) fn whole_state(sensitive: &Sensitive, look: &dyn Look, resource: &Resource) -> Result<State, WorldError> {
    whole_state_at(sensitive, look, (resource, resource))
}

/// The same of what lies elsewhere than under its name.
pub(crate) fn whole_state_at(sensitive: &Sensitive, look: &dyn Look, (at, named): (&Resource, &Resource)) -> Result<State, WorldError> {
    match look.state(at)? {
        State::Dir(_) => listing::tree(sensitive, look, (at, named), &[], &mut io::sink()),
        state => Ok(state),
    }
}

impl Hands<'_, '_> {
    /// The blobs, and what can be opened of those that are sealed.
    pub(crate) fn vault(&self) -> Vault<'_> {
        Vault { blobs: self.session.engine.store, keeper: self.keeper }
    }

    /// The state by which what was set is known. The list of a tree is kept, as it may be.
    pub(crate) fn keep_list(&self, dir: &Resource, state: State, list: Option<Vec<u8>>) -> (State, Result<(), WorldError>) {
        let Some(list) = list else { return (state, Ok(())) };
        let (state, list) = listing::masked(&self.session.sensitive, dir, state, list);
        (state, self.session.engine.store.keep(&mut [&mut list.as_slice()]).map(drop))
    }

    /// What a resource is, with everything below it. The list of a tree is kept if it holds secrets, or if the run has made it.
    pub(crate) fn whole(&self, resource: &Resource, made: bool) -> Result<State, WorldError> {
        let (sensitive, world) = (&self.session.sensitive, self.session.engine.world);
        if !made && !sensitive.any() {
            return whole_state(sensitive, world, resource);
        }
        let mut list = Vec::new();
        let state = match world.state(resource)? {
            State::Dir(_) => listing::tree(sensitive, world, (resource, resource), &[], &mut list)?,
            state => return Ok(state),
        };
        if made || state.is_secret_tree() {
            self.session.engine.store.keep(&mut [&mut list.as_slice()])?;
        }
        Ok(state)
    }
}
