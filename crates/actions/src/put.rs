//! Proposing what a file is to be.

use crate::content::already;
use crate::param::Place;
use crate::parents;
use model::effect::{Change, Effect};
use model::state::State;
use world::act::Source;
use world::action::ActionError;
use world::proposal::Proposal;
use world::view::View;

/// A proposal with one more effect: that a file is made `after` of `before`; none if it is so already. `create_dirs`: whether the
/// directories above it are made where it is new; otherwise they must be there.
///
/// # Errors
/// It cannot be where it is to be.
pub(crate) fn put(
    view: &dyn View,
    mut proposal: Proposal,
    to: &Place,
    (before, after): (State, State),
    source: Source,
    create_dirs: bool,
) -> Result<Proposal, ActionError> {
    if already(&before, &after) {
        return Ok(proposal);
    }
    if before == State::Absent {
        if create_dirs {
            for made in parents::missing(view, to)? {
                proposal = proposal.effect(Effect::Set(made), Source::Nothing);
            }
        } else {
            parents::present(view, to)?;
        }
    }
    Ok(proposal.effect(Effect::Set(Change { resource: to.resource(), before, after }), source))
}
