//! Things in the world with a state.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// What sort of thing a resource is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ResourceKind {
    /// `file:PATH`: a file or a directory.
    File,
    /// `service:NAME`.
    Service,
    /// `task:NAME`: a scheduled task.
    Task,
    /// `registry:KEY`.
    Registry,
    /// `other:NAME`: known by name only.
    Other,
}

impl ResourceKind {
    const ALL: [(Self, &'static str); 5] =
        [(Self::File, "file"), (Self::Service, "service"), (Self::Task, "task"), (Self::Registry, "registry"), (Self::Other, "other")];

    /// The word before the colon.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("other", |(_, word)| word)
    }
}

/// A thing whose state can be read and set, or (`other:`) only named. Written `KIND:NAME`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Resource {
    /// What sort of thing.
    pub kind: ResourceKind,
    /// Its name; of a file the absolute path without `.` or `..`.
    pub name: Arc<str>,
}

impl Resource {
    /// A file or directory by its absolute path.
    pub fn file(path: &str) -> Self {
        Self { kind: ResourceKind::File, name: path.into() }
    }

    /// A service by its name.
    pub fn service(name: &str) -> Self {
        Self { kind: ResourceKind::Service, name: name.into() }
    }

    /// From `KIND:NAME`.
    pub fn parse(text: &str) -> Option<Self> {
        let (word, name) = text.split_once(':')?;
        let (kind, _) = ResourceKind::ALL.iter().find(|(_, w)| *w == word)?;
        (!name.is_empty()).then(|| Self { kind: *kind, name: name.into() })
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.word(), self.name)
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a resource: KIND:NAME is wanted"))
    }
}
