//! `dir.backup`

use crate::param::Place;
use crate::parents;
use model::digest::Digest;
use model::effect::{Change, Effect};
use model::path;
use model::resource::Resource;
use model::state::{Content, State, TreeState};
use model::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use world::act::Source;
use world::action::{Action, ActionError, Class};
use world::error::WorldError;
use world::look::EntryKind;
use world::manifest;
use world::proposal::{Field, Proposal};
use world::view::View;

/// Copies directories and files to a new place and reads the copy back. Undo leaves the copy, unless `undo: auto`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DirBackup {
    /// The directories and files that are copied.
    #[schemars(length(min = 1))]
    pub sources: Vec<Place>,
    /// The new directory; must not exist. Each source gets there under its last name. Missing directories above it are made.
    pub to: Place,
    /// What is left out: patterns relative to each source, such as `logs/**`.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// What happens with a file that cannot be read.
    #[serde(default)]
    pub on_locked: OnLocked,
}

/// What happens with a file that cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnLocked {
    /// The step fails.
    #[default]
    Fail,
    /// It is left out and listed.
    List,
}

/// What is known of the copy.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Copied {
    /// Digest of the list of all that was copied.
    pub manifest: String,
    /// Number of files.
    pub files: u64,
    /// Sum of their lengths in bytes.
    pub bytes: u64,
    /// The files that could not be read and were left out.
    pub left_out: Vec<String>,
}

impl Action for DirBackup {
    const KIND: &'static str = "dir.backup";
    const ABOUT: &'static str = "Copies directories and files to a new place and reads the copy back";
    const CLASS: Class = Class::Set;
    const KEEPS: bool = true;
    type Outputs = Copied;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        self.check()?;
        let resource = self.to.resource();
        if let Some(made) = self.made_before(view, &resource)? {
            return Ok(made);
        }
        let before = view.state(&resource)?;
        match &before {
            State::Absent | State::Unknown { .. } => {}
            _ => return Err(ActionError::Invalid(format!("`{}` exists already; a backup overwrites nothing", self.to))),
        }
        let after = match self.count(view) {
            Ok((files, bytes)) => State::Tree(TreeState { manifest: None, content: None, files, bytes, secret: false }),
            Err(ActionError::World(WorldError::Unknown { until })) => State::Unknown { until },
            Err(wrong) => return Err(wrong),
        };
        let mut proposal = Proposal::unchanged();
        for made in parents::missing(view, &self.to)? {
            proposal = proposal.effect(Effect::Set(made), Source::Nothing);
        }
        let source = Source::Trees {
            sources: self.sources.iter().map(ToString::to_string).collect(),
            exclude: self.exclude.clone(),
            leave_locked: self.on_locked == OnLocked::List,
        };
        let at = proposal.effects.len();
        let proposal = proposal.effect(Effect::Set(Change { resource, before, after }), source);
        let proposal = proposal.observed("manifest", at, Field::Manifest).observed("left_out", at, Field::LeftOut);
        Ok(proposal.observed("files", at, Field::Files).observed("bytes", at, Field::Bytes))
    }
}

impl DirBackup {
    fn check(&self) -> Result<(), ActionError> {
        let refuse = |why: String| Err(ActionError::Invalid(why));
        if self.sources.is_empty() {
            return refuse("`sources` is empty".to_owned());
        }
        let mut names = BTreeSet::new();
        for source in &self.sources {
            match path::name(source) {
                None => return refuse(format!("`{source}` has no name under which it could be kept")),
                Some(name) if !names.insert(name.to_lowercase()) => return refuse(format!("two sources are called `{name}`; back them up apart")),
                Some(_) => {}
            }
            if path::within(&self.to, source) {
                return refuse(format!("`{}` lies in `{source}`, which it is to keep", self.to));
            }
        }
        Ok(())
    }

    /// The copy was made by an attempt that was cut off before it could say so: it is read back, and counts.
    fn made_before(&self, view: &dyn View, resource: &Resource) -> Result<Option<Proposal>, ActionError> {
        let Some(left @ State::Tree(_)) = view.left(resource) else { return Ok(None) };
        let mut lines = Vec::new();
        let found = view.tree(resource, &[], &mut lines)?;
        let (true, State::Tree(found)) = (found.same(&left), found) else { return Ok(None) };
        let mut left_out = Vec::new();
        if self.on_locked == OnLocked::List {
            let copied = manifest::read(lines.as_slice()).map(|line| Ok(line?.path)).collect::<Result<BTreeSet<String>, WorldError>>()?;
            self.each_file(view, &mut |path, inside, _| {
                if !copied.contains(inside) {
                    left_out.push(Value::from(path));
                }
            })?;
        }
        let made = Proposal::unchanged().because("it was copied before the run was cut off");
        let made = made.output("manifest", Digest::of(&lines).as_str());
        Ok(Some(made.output("files", found.files).output("bytes", found.bytes).output("left_out", Value::Sequence(left_out))))
    }

    /// Number of files and bytes that will be copied.
    fn count(&self, view: &dyn View) -> Result<(u64, u64), ActionError> {
        let (mut files, mut bytes) = (0, 0);
        self.each_file(view, &mut |_, _, length| (files, bytes) = (files + 1, bytes + length))?;
        Ok((files, bytes))
    }

    /// Every file that is to be copied: its path, its path within the copy, its length.
    fn each_file(&self, view: &dyn View, see: &mut dyn FnMut(&str, &str, u64)) -> Result<(), ActionError> {
        let excluded = manifest::globs(&self.exclude)?;
        for source in &self.sources {
            let top = path::name(source).unwrap_or_default();
            match view.state(&source.resource())? {
                State::File(file) => {
                    see(source, top, if let Content::Plain { length, .. } = file.content { length } else { 0 });
                    continue;
                }
                State::Dir(_) | State::Tree(_) => {}
                State::Unknown { until } => return Err(WorldError::Unknown { until }.into()),
                State::Absent => return Err(ActionError::Invalid(format!("`{source}` is not there"))),
                other => return Err(ActionError::Invalid(format!("`{source}` is {other}, which is never copied"))),
            }
            let mut open = vec![(source.to_string(), String::new())];
            while let Some((directory, below)) = open.pop() {
                for entry in view.list(&directory)? {
                    let relative = if below.is_empty() { entry.name.clone() } else { format!("{below}/{}", entry.name) };
                    if excluded.is_match(&relative) {
                        continue;
                    }
                    let path = path::join(&directory, &entry.name);
                    match entry.kind {
                        EntryKind::File => see(&path, &format!("{top}/{relative}"), entry.length),
                        EntryKind::Dir => open.push((path, relative)),
                        EntryKind::Foreign => {}
                    }
                }
            }
        }
        Ok(())
    }
}
