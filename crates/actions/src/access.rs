//! Mode, owner and group of what is to be set.

use crate::param::{Mode, Place};
use model::path;
use model::state::{Meta, State};
use std::io::Read;
use world::action::ActionError;
use world::error::WorldError;
use world::view::View;

/// What a step says of them; what it does not say stays as it is.
pub(crate) struct Access<'a> {
    pub(crate) mode: Option<Mode>,
    pub(crate) owner: Option<&'a str>,
    pub(crate) group: Option<&'a str>,
}

impl Access<'_> {
    /// Nothing is said.
    pub(crate) const UNSAID: Self = Self { mode: None, owner: None, group: None };

    /// What it will be, after `before`; a new one gets the mode `fresh`.
    pub(crate) fn meta(&self, view: &dyn View, place: &str, before: &State, fresh: u32) -> Result<Meta, ActionError> {
        let mut meta = match before {
            State::File(file) => file.meta.clone(),
            State::Dir(meta) => meta.clone(),
            State::Absent => Meta { mode: (!path::is_windows(place)).then_some(fresh), ..Meta::default() },
            // Nothing is known of it, so nothing is said.
            _ => Meta::default(),
        };
        if let Some(Mode(bits)) = self.mode {
            meta.mode = Some(bits);
        }
        if let Some(owner) = self.owner {
            meta.owner = Some(id(view, place, owner, "/etc/passwd")?);
        }
        if let Some(group) = self.group {
            meta.group = Some(id(view, place, group, "/etc/group")?);
        }
        Ok(meta)
    }
}

/// The number of a user or group; a SID stands for itself.
fn id(view: &dyn View, place: &str, name: &str, register: &str) -> Result<String, ActionError> {
    if name.starts_with("S-1-") || (!name.is_empty() && name.bytes().all(|b| b.is_ascii_digit())) {
        return Ok(name.to_owned());
    }
    if path::is_windows(place) {
        return Err(ActionError::Invalid(format!("`{name}` is no SID: write the owner or group as `S-1-...`")));
    }
    let mut text = String::new();
    view.open(register)?.read_to_string(&mut text).map_err(|e| WorldError::io("read", register, e))?;
    let found = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1).map(str::to_owned))?
    });
    found.ok_or_else(|| ActionError::Invalid(format!("`{name}` is not in `{register}`")))
}

/// The mode of a new file.
pub(crate) fn fresh_mode(secret: bool) -> u32 {
    if secret { 0o600 } else { 0o644 }
}

/// The mode of a new directory.
pub(crate) const FRESH_DIR: u32 = 0o755;

/// A place that is to be a file: what it is now.
pub(crate) fn file_or_absent(view: &dyn View, place: &Place) -> Result<State, ActionError> {
    let state = view.state(&place.resource())?;
    match &state {
        State::File(_) | State::Absent | State::Unknown { .. } => Ok(state),
        State::Dir(_) | State::Tree(_) => Err(ActionError::Invalid(format!("`{place}` is a directory: name the file in it"))),
        other => Err(ActionError::Invalid(format!("`{place}` is {other}, no file"))),
    }
}
