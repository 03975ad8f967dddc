//! `file.write`

use crate::access::{Access, file_or_absent, fresh_mode};
use crate::content::digest_output;
use crate::difference;
use crate::encoding::{Encoding, Newline, decode, encode};
use crate::param::{Digested, Mode, Place};
use crate::put::put;
use model::digest::Digest;
use model::id::StepId;
use model::state::{Content, FileState, State};
use model::value::{May, Text, Value};
use schemars::JsonSchema;
use serde::Deserialize;
use std::io::Read;
use std::sync::Arc;
use world::act::Source;
use world::action::{Action, ActionError, Class, Templated};
use world::proposal::Proposal;
use world::view::View;
use zeroize::Zeroizing;

/// Longer files are replaced without a difference being shown.
const SHOWN: usize = 64 << 10;

/// Makes a file what a text or a template says, or gives it a mode or owner.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileWrite {
    /// The file.
    pub path: Place,
    /// What is in it. With a secret in it the file is sensitive.
    pub text: Option<May<Text>>,
    /// A template file that says what is in it: beside the runbook or below its directory, as `templates/app.conf`. Or an absolute
    /// path, which is read when it is planned.
    pub template: Option<String>,
    /// The names that the template sees.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub vars: Value,
    /// Permission bits, such as '0644'. Default: an existing file keeps its own, a new one gets 0644, a sensitive one 0600.
    pub mode: Option<Mode>,
    /// The owner, a name or number; on Windows a SID. Default: an existing file keeps its own.
    pub owner: Option<String>,
    /// The group, a name or number; on Windows a SID. Default: an existing file keeps its own.
    pub group: Option<String>,
    /// How the text becomes bytes.
    #[serde(default)]
    pub encoding: Encoding,
    /// How every line ends. Default: as in the text.
    pub newline: Option<Newline>,
    /// Whether missing directories above the file are made.
    #[serde(default)]
    pub create_dirs: bool,
}

/// What is to be in the file.
enum Wanted {
    /// What is in it.
    Kept,
    Bytes(Arc<Zeroizing<Vec<u8>>>),
    /// A secret that is not looked at when planning.
    Hidden,
    Unknown(StepId),
}

impl Action for FileWrite {
    const KIND: &'static str = "file.write";
    const ABOUT: &'static str = "Makes a file what a text or a template says, or gives it a mode or an owner";
    const CLASS: Class = Class::Set;
    const TEMPLATE: Option<Templated> = Some(Templated { file: "template", vars: "vars" });
    type Outputs = Digested;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        let (wanted, secret) = self.wanted(view)?;
        let before = file_or_absent(view, &self.path)?;
        let access = Access { mode: self.mode, owner: self.owner.as_deref(), group: self.group.as_deref() };
        let mut meta = access.meta(view, &self.path, &before, fresh_mode(secret))?;
        let (content, source) = match &wanted {
            Wanted::Kept => match &before {
                State::File(file) => (file.content.clone(), Source::Nothing),
                State::Unknown { until } => return Err(ActionError::Unknown { until: until.clone() }),
                _ => return Err(ActionError::Invalid(format!("`{}` is not there, and neither `text` nor `template` says what is in it", self.path))),
            },
            Wanted::Bytes(bytes) => {
                let content = Content::Plain { sha256: Digest::of(bytes), length: bytes.len() as u64 };
                (content, Source::Bytes(bytes.clone()))
            }
            Wanted::Hidden => (Content::Hidden, Source::Nothing),
            Wanted::Unknown(until) => (Content::Unknown { until: until.clone() }, Source::Nothing),
        };
        if !matches!(wanted, Wanted::Kept) {
            meta.modified = None;
        }
        let output = digest_output(view, &content, secret);
        let after = State::File(FileState { content, meta });
        let proposal = Proposal::unchanged().output("sha256", output);
        let mut proposal = put(view, proposal, &self.path, (before.clone(), after), source, self.create_dirs)?;
        // Only a plan shows it.
        let is_shown = !secret && !proposal.effects.is_empty() && matches!(view.at_run(), May::Unknown { .. });
        if let (Wanted::Bytes(bytes), true) = (&wanted, is_shown) {
            proposal.difference = self.difference(view, &before, bytes);
        }
        Ok(proposal)
    }
}

impl FileWrite {
    /// What is to be in the file, and whether it is secret.
    fn wanted(&self, view: &dyn View) -> Result<(Wanted, bool), ActionError> {
        let said = !matches!(self.vars, Value::Null);
        let text = match (&self.text, &self.template) {
            (Some(_), Some(_)) => return Err(ActionError::Invalid("`text` and `template` exclude each other".to_owned())),
            (Some(_), None) | (None, None) if said => return Err(ActionError::Invalid("`vars` are for a `template`".to_owned())),
            (Some(text), None) => text.clone(),
            (None, Some(template)) => view.template(template, &self.vars)?,
            (None, None) if self.mode.is_none() && self.owner.is_none() && self.group.is_none() => {
                return Err(ActionError::Invalid("one of `text`, `template`, `mode`, `owner`, `group` is wanted".to_owned()));
            }
            (None, None) => return Ok((Wanted::Kept, view.sensitive(&self.path))),
        };
        let bytes = |bytes: Vec<u8>| Wanted::Bytes(Arc::new(Zeroizing::new(bytes)));
        match text {
            May::Unknown { until } => Ok((Wanted::Unknown(until), view.sensitive(&self.path))),
            May::Known(Text::Plain(text)) => Ok((bytes(encode(&text, self.encoding, self.newline)?), view.sensitive(&self.path))),
            May::Known(Text::Secret(secret)) => match view.reveal(&secret)? {
                May::Unknown { .. } => Ok((Wanted::Hidden, true)),
                // As it is: it need not be text.
                May::Known(plain) if self.encoding == Encoding::Utf8 && self.newline.is_none() => Ok((Wanted::Bytes(Arc::new(plain)), true)),
                May::Known(plain) => {
                    let text = std::str::from_utf8(&plain).map_err(|_| ActionError::Invalid("the secret is no text".to_owned()))?;
                    Ok((bytes(encode(text, self.encoding, self.newline)?), true))
                }
            },
        }
    }

    /// What changes in the text, if it is one and small.
    fn difference(&self, view: &dyn View, before: &State, bytes: &[u8]) -> Vec<String> {
        let old = match before {
            State::Absent => Some(Vec::new()),
            State::File(FileState { content: Content::Plain { length, .. }, .. }) if *length <= SHOWN as u64 => {
                view.open(&self.path).ok().and_then(|file| {
                    let mut old = Vec::new();
                    file.take(SHOWN as u64).read_to_end(&mut old).ok().map(|_| old)
                })
            }
            _ => None,
        };
        match old {
            Some(old) if bytes.len() <= SHOWN && !old.contains(&0) && !bytes.contains(&0) => difference::between(&decode(&old), &decode(bytes)),
            _ => Vec::new(),
        }
    }
}
