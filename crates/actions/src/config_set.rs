//! `config.set`

use crate::access::{Access, file_or_absent, fresh_mode};
use crate::content::digest_output;
use crate::encoding::{Encoding, Form};
use crate::format::Format;
use crate::judged::{bytes, mapping};
use crate::param::{Assigned, Assignments, Place};
use crate::put::put;
use model::digest::Digest;
use model::id::StepId;
use model::path;
use model::state::{Content, FileState, State};
use model::value::{May, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use world::act::Source;
use world::action::{Action, ActionError, Class};
use world::proposal::Proposal;
use world::view::View;
use zeroize::Zeroizing;

/// Gives keys of a configuration file other values, or takes them out. Everything else stays byte for byte: comments, order,
/// quotes, line ends, encoding and whether the last line has an end.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigSet {
    /// The file. It must be there.
    pub path: Place,
    /// How it is written.
    pub format: Format,
    /// The values by key: `Section.Key` of an INI file, `a.b.0` of a JSON file, in which a name may
    /// have points itself: the longest that is there. Those of an INI file are texts or whole numbers.
    /// With a secret among them the file is sensitive.
    #[serde(default)]
    pub values: Assignments,
    /// The keys that are taken out. One that is not there is no error. Of an INI file all of that name go.
    #[serde(default)]
    pub remove: Vec<String>,
    /// Whether a key that is not there is added, with the section or the objects around it: written like its neighbours, after
    /// them. Otherwise that is an error, for it may be misspelt.
    #[serde(default)]
    pub create: bool,
    /// How a value that is not ASCII becomes bytes in an INI file that so far is: `utf-8` or `windows-1252`. In every other file
    /// it is written as the file is.
    pub encoding: Option<Encoding>,
}

/// What was set.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Settled {
    /// SHA-256 of the file's bytes in lower-case hex; of a file that holds a secret a keyed digest, `hmac:HEX`.
    pub sha256: String,
    /// The values by key as they are afterwards, without those that were taken out: `steps.ID.values['Section.Key']`. None for
    /// a file that holds a secret.
    pub values: Option<BTreeMap<String, serde_json::Value>>,
}

/// What is to be in the file.
enum Wanted {
    Bytes {
        bytes: Zeroizing<Vec<u8>>,
        values: Vec<(String, Value)>,
        difference: Vec<String>,
    },
    /// A secret that is not looked at when planning.
    Hidden,
    Unknown(StepId),
}

impl Action for ConfigSet {
    const KIND: &'static str = "config.set";
    const ABOUT: &'static str = "Sets values of an INI or JSON file, and leaves all else in it as it is";
    const CLASS: Class = Class::Set;
    type Outputs = Settled;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        if self.values.0.is_empty() && self.remove.is_empty() {
            return Err(ActionError::Invalid("one of `values` and `remove` is wanted".to_owned()));
        }
        let secret = view.sensitive(&self.path) || self.values.0.iter().any(|(_, value)| matches!(value, May::Known(Assigned::Secret(_))));
        let before = file_or_absent(view, &self.path)?;
        let wanted = self.wanted(view, &before, secret)?;
        let mut meta = Access::UNSAID.meta(view, &self.path, &before, fresh_mode(secret))?;
        let (content, source, difference) = match wanted {
            Wanted::Bytes { bytes, values, difference } => {
                let content = Content::Plain { sha256: Digest::of(&bytes), length: bytes.len() as u64 };
                let values = if secret { Value::Null } else { mapping(values) };
                (content, Source::Bytes(Arc::new(bytes)), Some((values, difference)))
            }
            Wanted::Hidden => (Content::Hidden, Source::Nothing, None),
            Wanted::Unknown(until) => (Content::Unknown { until }, Source::Nothing, None),
        };
        let mut proposal = Proposal::unchanged().output("sha256", digest_output(view, &content, secret));
        proposal = match (&content, difference) {
            (Content::Unknown { until }, _) if !secret => proposal.unknown_output("values", until),
            (_, Some((values, lines))) => {
                proposal.difference = lines;
                proposal.output("values", values)
            }
            _ => proposal.output("values", Value::Null),
        };
        if !matches!(&before, State::File(file) if file.content == content) {
            meta.modified = None;
        }
        let after = State::File(FileState { content, meta });
        put(view, proposal, &self.path, (before, after), source, false)
    }
}

impl ConfigSet {
    fn wanted(&self, view: &dyn View, before: &State, secret: bool) -> Result<Wanted, ActionError> {
        // What is wrong is told before it is waited for what is not known.
        let mut hidden = false;
        let mut waited = None;
        let mut texts = Vec::with_capacity(self.values.0.len());
        for (key, value) in &self.values.0 {
            match value {
                May::Unknown { until } => waited = waited.or(Some(until)),
                May::Known(Assigned::Plain(value)) => texts.push((key, Zeroizing::new(self.format.written(value).map_err(|why| misfit(key, &why))?))),
                May::Known(Assigned::Secret(secret)) => match view.reveal(secret)? {
                    May::Unknown { .. } => hidden = true,
                    May::Known(plain) => {
                        let plain = std::str::from_utf8(&plain).map_err(|_| ActionError::Invalid(format!("the secret for `{key}` is no text")))?;
                        texts.push((key, self.format.written_secret(plain)));
                    }
                },
            }
        }
        match before {
            State::Absent => return Err(ActionError::Invalid(format!("`{}` is not there", self.path))),
            State::Unknown { until } => return Ok(Wanted::Unknown(until.clone())),
            State::File(FileState { content: Content::Unknown { until }, .. }) => return Ok(Wanted::Unknown(until.clone())),
            State::File(FileState { content: Content::Hidden, .. }) => return Ok(Wanted::Hidden),
            _ => {}
        }
        let old = Zeroizing::new(bytes(view, &self.path)?);
        let form = Form::of(&old);
        let old_text = Zeroizing::new(form.decode(&old));
        if form.encode(&old_text).as_ref() != Some(&*old) || old_text.contains('\0') {
            return Err(ActionError::Invalid(format!("`{}` is no text that could be written again as it is", self.path)));
        }
        let mut text = old_text.clone();
        let newline = if path::is_windows(&self.path) { "\r\n" } else { "\n" };
        let told = |why: String| ActionError::Invalid(format!("`{}`: {why}", self.path));
        for (key, written) in &texts {
            text = self.format.set(&text, key, written, self.create, newline).map_err(told)?.ok_or_else(|| self.missing(key))?;
        }
        // Those whose values are not known yet.
        for (key, _) in self.values.0.iter().filter(|(key, _)| !self.create && texts.iter().all(|(known, _)| *known != key)) {
            if self.format.value(&text, key).map_err(told)?.is_none() {
                return Err(self.missing(key));
            }
        }
        for key in &self.remove {
            text = self.format.without(&text, key).map_err(told)?;
        }
        // Two keys may be one: `a.B` and `A.b`, or what is set and what is removed.
        for (key, written) in &texts {
            if !self.format.says(&text, key, written).map_err(told)? {
                return Err(ActionError::Invalid(format!("`{key}` is set, and something else is done to it too")));
            }
        }
        if hidden {
            return Ok(Wanted::Hidden);
        }
        if let Some(until) = waited {
            return Ok(Wanted::Unknown(until.clone()));
        }
        let bytes = Zeroizing::new(self.encode(form, &text)?);
        if secret {
            return Ok(Wanted::Bytes { bytes, values: Vec::new(), difference: Vec::new() });
        }
        let mut values = Vec::new();
        let mut difference = Vec::new();
        let keys = self.values.0.iter().map(|(key, _)| key).chain(&self.remove);
        for key in keys {
            let (was, is) = (self.format.value(&old_text, key).map_err(told)?, self.format.value(&text, key).map_err(told)?);
            if was != is {
                let line = |sign: char, value: &serde_json::Value| {
                    format!("{sign} {key} = {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                };
                difference.extend(was.iter().map(|value| line('-', value)).chain(is.iter().map(|value| line('+', value))));
            }
            if let Some(value) = is {
                values.push((key.clone(), serde_yaml::to_value(value).map_err(|wrong| told(wrong.to_string()))?));
            }
        }
        Ok(Wanted::Bytes { bytes, values, difference })
    }

    fn missing(&self, key: &str) -> ActionError {
        ActionError::Invalid(format!("`{key}` is not in `{}`: `create: true` adds it", self.path))
    }

    fn encode(&self, form: Form, text: &str) -> Result<Vec<u8>, ActionError> {
        let form = match (form, self.encoding, self.format) {
            (Form::Ascii, Some(Encoding::Windows1252), _) => Form::Windows1252,
            (Form::Ascii, Some(Encoding::Utf8), _) | (Form::Ascii, None, Format::Json) => Form::Utf8,
            (Form::Ascii, Some(Encoding::Utf16), _) => {
                return Err(ActionError::Invalid(format!("`{}` is ASCII, and would have to be written anew as UTF-16", self.path)));
            }
            _ => form,
        };
        form.encode(text).ok_or_else(|| {
            ActionError::Invalid(match form {
                Form::Ascii => format!("`{}` is ASCII, and a value is not: `encoding` says how it becomes bytes", self.path),
                _ => format!("a value holds a character that windows-1252, in which `{}` is written, does not have", self.path),
            })
        })
    }
}

/// A value that does not fit the format.
fn misfit(key: &str, why: &str) -> ActionError {
    ActionError::Unfit { path: vec!["values".to_owned(), key.to_owned()], message: format!("`with.values.{key}`: {why}"), at: None }
}
