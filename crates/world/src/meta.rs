//! What a state leaves open when it is set.

use model::state::Meta;

/// What is to be given to a new or replaced file or directory: what `after` names, else what was there before, else the
/// default mode. A state as observed names its owner and then leaves nothing open: its attributes are all there are to be.
pub(crate) fn resolved(after: &Meta, before: Option<&Meta>, mode: u32) -> Meta {
    let open = after.owner.is_none() && after.extra.is_empty();
    Meta {
        mode: after.mode.or(before.and_then(|b| b.mode)).or(Some(mode)),
        owner: after.owner.clone().or_else(|| before.and_then(|b| b.owner.clone())),
        group: after.group.clone().or_else(|| before.and_then(|b| b.group.clone())),
        extra: if open { before.map(|b| b.extra.clone()).unwrap_or_default() } else { after.extra.clone() },
        modified: after.modified,
    }
}
