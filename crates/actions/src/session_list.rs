//! `session.list`

use crate::judged::mapping;
use crate::param::Place;
use crate::sessions::{sessions, user};
use model::value::{May, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use world::action::{Action, ActionError, Class};
use world::proposal::Proposal;
use world::view::View;

/// Says who works in which programs of this machine. It judges nothing: that does `assert.fact`, as with
/// `that: steps.ID.users | length >= 11`. A program of which it cannot be seen where it works is an error, and never nobody.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionList {
    /// Names of program files, with `*` and `?`, upper and lower case alike. A program is a session if its name is one of these...
    #[serde(default)]
    pub images: Vec<String>,
    /// ... or if its file, or a file that it holds open, lies in one of these directories.
    #[serde(default)]
    pub paths_under: Vec<Place>,
}

/// Who was seen.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Seen {
    /// The programs, in the order of their numbers.
    pub sessions: Vec<Session>,
    /// Who works in them, each once, sorted.
    pub users: Vec<String>,
}

/// A program in which somebody works.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Session {
    /// Who; the number of a user without a name, an empty text if it cannot be told.
    pub user: String,
    /// Name of the program file.
    pub image: String,
    /// Number of the program.
    pub pid: u32,
    /// When it was started: RFC 3339, in UTC.
    pub since: Option<String>,
}

impl Action for SessionList {
    const KIND: &'static str = "session.list";
    const ABOUT: &'static str = "Says who works in which programs";
    const CLASS: Class = Class::Check;
    type Outputs = Seen;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        let found = match sessions(view, &self.images, &self.paths_under)? {
            May::Unknown { until } => return Ok(Proposal::later(&until).unknown_output("sessions", &until).unknown_output("users", &until)),
            May::Known(found) => found,
        };
        let users: BTreeSet<&str> = found.iter().map(user).collect();
        let reason = format!("{} of {}", plural(found.len(), "session"), plural(users.len(), "user"));
        let listed = found.iter().map(|process| {
            let since = process.started.map_or(Value::Null, |started| Value::from(started.to_string()));
            let entries = [("user", user(process).into()), ("image", process.image.as_str().into()), ("pid", process.pid.into()), ("since", since)];
            mapping(entries.map(|(name, value): (&str, Value)| (name.to_owned(), value)))
        });
        let listed = Value::Sequence(listed.collect());
        let users = Value::Sequence(users.into_iter().map(Value::from).collect());
        Ok(Proposal::holds().output("sessions", listed).output("users", users).because(reason))
    }
}

fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
