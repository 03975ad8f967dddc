//! What a program or a person declares to change, as it is now.

use crate::param::Changed;
use model::effect::Before;
use model::resource::ResourceKind;
use model::state::State;
use world::action::ActionError;
use world::view::View;

/// The states before; a directory with all that is in it.
pub(crate) fn befores(view: &dyn View, changes: &[Changed]) -> Result<Vec<Before>, ActionError> {
    let mut out = Vec::with_capacity(changes.len());
    for Changed(resource) in changes {
        let before = match resource.kind {
            ResourceKind::Other => State::Foreign { what: "known by name only".to_owned() },
            _ => match view.state(resource)? {
                State::Dir(_) => view.tree(resource, &[], &mut std::io::sink())?,
                other => other,
            },
        };
        out.push(Before { resource: resource.clone(), before });
    }
    Ok(out)
}
