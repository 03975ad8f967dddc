//! `file.copy`

use crate::access::{Access, file_or_absent, fresh_mode};
use crate::content::{digest_output, has_digest, short};
use crate::param::{Digested, Mode, Place};
use crate::put::put;
use model::state::{Content, FileState, State};
use model::value::May;
use schemars::JsonSchema;
use serde::Deserialize;
use world::act::Source;
use world::action::{Action, ActionError, Class};
use world::proposal::Proposal;
use world::view::View;

/// Makes a file the same as another.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileCopy {
    /// The file that is copied.
    pub from: Place,
    /// The file that becomes the same.
    pub to: Place,
    /// Permission bits, such as '0644'. Default: an existing file keeps its own, a new one gets 0644, a sensitive one 0600.
    pub mode: Option<Mode>,
    /// The owner, a name or number; on Windows a SID. Default: an existing file keeps its own.
    pub owner: Option<String>,
    /// The group, a name or number; on Windows a SID. Default: an existing file keeps its own.
    pub group: Option<String>,
    /// What the SHA-256 of `from` must be; any other is refused.
    pub sha256: Option<May<String>>,
    /// Whether missing directories above `to` are made.
    #[serde(default)]
    pub create_dirs: bool,
}

impl Action for FileCopy {
    const KIND: &'static str = "file.copy";
    const ABOUT: &'static str = "Makes a file the same as another";
    const CLASS: Class = Class::Set;
    type Outputs = Digested;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        if self.from == self.to {
            return Err(ActionError::Invalid(format!("`from` and `to` are both `{}`", self.from)));
        }
        let content = match file_or_absent(view, &self.from)? {
            State::File(file) => file.content,
            State::Unknown { until } => Content::Unknown { until },
            _ => return Err(ActionError::Invalid(format!("`{}` is not there", self.from))),
        };
        if let Some(May::Known(wanted)) = &self.sha256
            && has_digest(view, &content, wanted)? == May::Known(false)
        {
            return Err(ActionError::Invalid(format!("`{}` is not the file that is wanted: not {}", self.from, short(wanted))));
        }
        let secret = view.sensitive(&self.from) || view.sensitive(&self.to);
        let before = file_or_absent(view, &self.to)?;
        let access = Access { mode: self.mode, owner: self.owner.as_deref(), group: self.group.as_deref() };
        let mut meta = access.meta(view, &self.to, &before, fresh_mode(secret))?;
        let output = digest_output(view, &content, secret);
        let proposal = Proposal::unchanged().output("sha256", output);
        let same_bytes = matches!(&before, State::File(file) if file.content == content);
        if !same_bytes {
            meta.modified = None;
        }
        let after = State::File(FileState { content, meta });
        let source = Source::File { path: self.from.to_string() };
        put(view, proposal, &self.to, (before, after), source, self.create_dirs)
    }
}
