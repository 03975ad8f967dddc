//! `assert.file`

use crate::content::{has_digest, short};
use crate::judged::{judged, wanted};
use crate::param::{Nothing, Place};
use crate::pattern;
use model::state::{Content, State};
use model::value::May;
use schemars::JsonSchema;
use serde::Deserialize;
use std::io::Read;
use world::action::{Action, ActionError, Class};
use world::error::WorldError;
use world::proposal::{Proposal, Verdict};
use world::view::View;

/// Says that a file is there, or what is in it. Several parameters must all hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssertFile {
    /// The file or directory. With `*`, `?` or `**` in it: all files that match.
    pub path: Place,
    /// Whether it must be there. Default: it must, unless `count` says otherwise.
    pub exists: Option<May<bool>>,
    /// What its SHA-256 must be.
    pub sha256: Option<May<String>>,
    /// Another file that must hold the same bytes.
    pub same_as: Option<Place>,
    /// Text that must be in it.
    pub contains: Option<May<String>>,
    /// How many files must match.
    pub count: Option<May<u64>>,
}

impl Action for AssertFile {
    const KIND: &'static str = "assert.file";
    const ABOUT: &'static str = "Says that a file is there, how many match, or what is in it";
    const CLASS: Class = Class::Check;
    type Outputs = Nothing;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        let (exists, sha256, contains, count) = match (wanted(&self.exists), wanted(&self.sha256), wanted(&self.contains), wanted(&self.count)) {
            (Ok(exists), Ok(sha256), Ok(contains), Ok(count)) => (exists, sha256, contains, count),
            (Err(until), ..) | (_, Err(until), ..) | (_, _, Err(until), _) | (.., Err(until)) => return Ok(Proposal::later(&until)),
        };
        let about_bytes = sha256.is_some() || self.same_as.is_some() || contains.is_some();
        if about_bytes && (pattern::is_pattern(&self.path) || exists == Some(&false)) {
            return Err(ActionError::Invalid("`sha256`, `same_as` and `contains` are about one file that is there".to_owned()));
        }
        judged(|| {
            if pattern::is_pattern(&self.path) || count.is_some() {
                return self.number(view, exists.copied(), count.copied());
            }
            let state = match view.state(&self.path.resource())? {
                State::Unknown { until } => return Ok(Proposal::later(&until)),
                State::Absent if exists == Some(&false) => return Ok(Proposal::holds()),
                State::Absent => return Ok(Proposal::fails("it is there", "it is not there")),
                _ if exists == Some(&false) => return Ok(Proposal::fails("it is not there", "it is there")),
                state => state,
            };
            if !about_bytes {
                return Ok(Proposal::holds());
            }
            let State::File(file) = &state else { return Ok(Proposal::fails("a file", state.to_string())) };
            let sha256 = sha256.map(|digest| self.digest(view, &file.content, digest));
            let same = self.same_as.as_ref().map(|other| self.same(view, &file.content, other));
            let contains = contains.map(|text| self.contains(view, &file.content, text));
            for verdict in [sha256, same, contains].into_iter().flatten() {
                let proposal = verdict?;
                if proposal.verdict != Verdict::Holds {
                    return Ok(proposal);
                }
            }
            Ok(Proposal::holds())
        })
    }
}

impl AssertFile {
    fn number(&self, view: &dyn View, exists: Option<bool>, count: Option<u64>) -> Result<Proposal, ActionError> {
        let found = if pattern::is_pattern(&self.path) {
            pattern::files(view, &self.path)?
        } else {
            match view.state(&self.path.resource())? {
                State::Unknown { until } => return Ok(Proposal::later(&until)),
                State::File(_) => vec![self.path.to_string()],
                _ => Vec::new(),
            }
        };
        let (holds, expected) = match (count, exists) {
            (Some(count), _) => (found.len() as u64 == count, files(count as usize)),
            (None, Some(false)) => (found.is_empty(), files(0)),
            (None, _) => (!found.is_empty(), "at least 1 file".to_owned()),
        };
        if holds {
            return Ok(Proposal::holds());
        }
        let some = found.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        let more = if found.len() > 3 { ", ..." } else { "" };
        let found = if found.is_empty() { "none".to_owned() } else { format!("{}: {some}{more}", files(found.len())) };
        Ok(Proposal::fails(expected, found))
    }

    fn digest(&self, view: &dyn View, content: &Content, wanted: &str) -> Result<Proposal, ActionError> {
        Ok(match has_digest(view, content, wanted)? {
            May::Known(true) => Proposal::holds(),
            May::Unknown { until } => Proposal::later(&until),
            May::Known(false) => Proposal::fails(short(wanted), self.found(view, content)),
        })
    }

    fn same(&self, view: &dyn View, content: &Content, other: &Place) -> Result<Proposal, ActionError> {
        let wanted = match view.state(&other.resource())? {
            State::File(file) => file.content,
            State::Unknown { until } => return Ok(Proposal::later(&until)),
            State::Absent => return Ok(Proposal::fails(format!("the bytes of `{other}`"), format!("`{other}` is not there"))),
            state => return Ok(Proposal::fails(format!("the bytes of `{other}`"), format!("`{other}` is {state}"))),
        };
        match (content, &wanted) {
            (Content::Unknown { until }, _) | (_, Content::Unknown { until }) => Ok(Proposal::later(until)),
            (Content::Hidden, _) | (_, Content::Hidden) => Ok(Proposal::later(view.step())),
            (content, wanted) if content == wanted => Ok(Proposal::holds()),
            _ => Ok(Proposal::fails(format!("the bytes of `{other}`"), self.found(view, content))),
        }
    }

    fn contains(&self, view: &dyn View, content: &Content, text: &str) -> Result<Proposal, ActionError> {
        match content {
            Content::Unknown { until } => return Ok(Proposal::later(until)),
            Content::Hidden => return Ok(Proposal::later(view.step())),
            Content::Plain { .. } | Content::Keyed { .. } => {}
        }
        let mut file = view.open(&self.path)?;
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        // A chunk keeps the end of the one before, in which a match may have begun.
        let keep = wide.len().max(text.len());
        let mut chunk = Vec::new();
        loop {
            let kept = chunk.len().saturating_sub(keep);
            chunk.drain(..kept);
            let read = file.by_ref().take(64 << 10).read_to_end(&mut chunk).map_err(|e| WorldError::io("read", self.path.to_string(), e))?;
            if holds(&chunk, text.as_bytes()) || holds(&chunk, &wide) {
                return Ok(Proposal::holds());
            }
            if read == 0 {
                return Ok(Proposal::fails(format!("`{text}` in it"), "it is not in it"));
            }
        }
    }

    fn found(&self, view: &dyn View, content: &Content) -> String {
        match content {
            Content::Plain { sha256, .. } if !view.sensitive(&self.path) => short(sha256.as_str()),
            _ => "other bytes".to_owned(),
        }
    }
}

fn files(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    wanted.is_empty() || bytes.windows(wanted.len()).any(|window| window == wanted)
}
