//! What a resource is at a moment, complete enough to put it back.

use crate::digest::Digest;
use crate::id::StepId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The state of a resource.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum State {
    /// It does not exist.
    Absent,
    /// A regular file.
    File(FileState),
    /// A directory by itself, without what is in it.
    Dir(Meta),
    /// A directory with everything below it.
    Tree(TreeState),
    /// A service.
    Service(ServiceState),
    /// Something there that is never set: a link, a fifo, a device.
    Foreign {
        /// What it is, in words.
        what: String,
    },
    /// Not known before a step has run. Only in plans.
    Unknown {
        /// The step after which it is known.
        until: StepId,
    },
}

/// A regular file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FileState {
    /// Its bytes.
    pub content: Content,
    /// Who may use it, and when it was written.
    pub meta: Meta,
}

/// The bytes of a file, by what they are recognised by.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Content {
    /// Anybody may compare them.
    Plain {
        /// SHA-256 of the bytes.
        sha256: Digest,
        /// Their number.
        length: u64,
    },
    /// They hold a secret: a keyed digest, no length.
    Keyed {
        /// HMAC-SHA-256 of the bytes.
        hmac: Digest,
    },
    /// They hold a secret, and nothing is said of them. In plans.
    Hidden,
    /// Not known before a step has run. In plans.
    Unknown {
        /// The step after which they are known.
        until: StepId,
    },
}

/// What a file or directory carries beside its bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Meta {
    /// Permission bits, as in `chmod`; on Windows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
    /// Owner: a number on Unix, a SID on Windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Group: a number on Unix, a SID on Windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Extended attributes and access lists, name to hex bytes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
    /// Time of the last write. Restored, not compared. None in an `after`: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Timestamp>,
}

/// A directory with everything below it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TreeState {
    /// Digest of the manifest, the list of everything below as one JSON object a line, which is kept as a blob. Of files that
    /// hold secrets it has keyed digests. None in a plan, for a tree that does not exist yet or that holds secrets.
    pub manifest: Option<Digest>,
    /// Digest over the manifest's lines without times: what comparison uses. A keyed one of a tree that holds secrets.
    pub content: Option<Digest>,
    /// Number of regular files.
    pub files: u64,
    /// Sum of their lengths, but of those that hold secrets.
    pub bytes: u64,
    /// Whether something in it holds a secret.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

/// A service at rest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ServiceState {
    /// Whether it runs.
    pub run: RunState,
    /// How it starts.
    pub start: StartType,
    /// The account it runs under, where the manager tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

/// Whether a service runs. Only resting states are states.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum RunState {
    Running,
    Stopped,
    Paused,
    Failed,
}

/// How a service starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StartType {
    /// With the machine.
    Automatic,
    /// When asked.
    Manual,
    /// Never.
    Disabled,
}

impl State {
    /// A plain file.
    pub fn file(sha256: Digest, length: u64, meta: Meta) -> Self {
        Self::File(FileState { content: Content::Plain { sha256, length }, meta })
    }

    /// Whether its bytes are told by a keyed digest: they are secret.
    pub fn is_keyed(&self) -> bool {
        matches!(self, Self::File(FileState { content: Content::Keyed { .. }, .. }))
    }

    /// Whether it is a directory in which something holds a secret.
    pub fn is_secret_tree(&self) -> bool {
        matches!(self, Self::Tree(tree) if tree.secret)
    }

    /// Whether both are the same but for what may differ innocently: times.
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(a), Self::File(b)) => a.content == b.content && a.meta.same(&b.meta),
            (Self::Dir(a), Self::Dir(b)) => a.same(b),
            (Self::Tree(a), Self::Tree(b)) => a.content.is_some() && a.content == b.content,
            (a, b) => a == b,
        }
    }

    /// Whether what was found (`self`) is what was announced (`planned`): the same, or anything where the plan said unknown
    /// or hid it, or left open what an `after` may leave open.
    pub fn fits(&self, planned: &Self) -> bool {
        match (self, planned) {
            (_, Self::Unknown { .. }) => true,
            (Self::File(found), Self::File(planned)) => {
                let content = match (&found.content, &planned.content) {
                    (_, Content::Unknown { .. } | Content::Hidden) => true,
                    (found, planned) => found == planned,
                };
                content && found.meta.fits(&planned.meta)
            }
            (Self::Dir(found), Self::Dir(planned)) => found.fits(planned),
            (Self::Tree(found), Self::Tree(planned)) => planned.content.is_none() || found.content == planned.content,
            (found, planned) => found == planned,
        }
    }

    /// The step until which any of it is unknown.
    pub fn unknown_until(&self) -> Option<&StepId> {
        match self {
            Self::Unknown { until } | Self::File(FileState { content: Content::Unknown { until }, .. }) => Some(until),
            _ => None,
        }
    }
}

impl Meta {
    /// The same but for times.
    pub fn same(&self, other: &Self) -> bool {
        self.mode == other.mode && self.owner == other.owner && self.group == other.group && self.extra == other.extra
    }

    fn fits(&self, planned: &Self) -> bool {
        (planned.mode.is_none() || self.mode == planned.mode)
            && (planned.owner.is_none() || self.owner == planned.owner)
            && (planned.group.is_none() || self.group == planned.group)
            && (planned.extra.is_empty() || self.extra == planned.extra)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("absent"),
            Self::File(file) => file.content.fmt(f),
            Self::Dir(_) => f.write_str("directory"),
            Self::Tree(tree) if tree.secret => write!(f, "{} files, with secret contents", tree.files),
            Self::Tree(tree) => write!(f, "{} files, {}", tree.files, Bytes(tree.bytes)),
            Self::Service(service) => service.fmt(f),
            Self::Foreign { what } => f.write_str(what),
            Self::Unknown { until } => write!(f, "unknown until {until}"),
        }
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain { sha256, length } => write!(f, "{}, sha256 {}", Bytes(*length), &sha256.as_str()[..12.min(sha256.as_str().len())]),
            Self::Keyed { .. } | Self::Hidden => f.write_str("secret contents"),
            Self::Unknown { until } => write!(f, "contents unknown until {until}"),
        }
    }
}

impl fmt::Display for ServiceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.run {
            RunState::Running => "running",
            RunState::Stopped => "stopped",
            RunState::Paused => "paused",
            RunState::Failed => "failed",
        })?;
        match self.start {
            StartType::Automatic => Ok(()),
            StartType::Manual => f.write_str(", started by hand"),
            StartType::Disabled => f.write_str(", disabled"),
        }
    }
}

/// A number of bytes as people read it: `512 B`, `4.1 GB`; units of 1024.
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut size, mut unit) = (self.0 as f64, 0);
        while size >= 1024.0 && unit < 5 {
            size /= 1024.0;
            unit += 1;
        }
        let name = ["B", "KB", "MB", "GB", "TB", "PB"][unit];
        if unit == 0 { write!(f, "{} {name}", self.0) } else { write!(f, "{size:.1} {name}") }
    }
}
