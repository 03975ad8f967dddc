//! Walking a directory through [`Look`], for worlds without descriptors.

use crate::error::WorldError;
use crate::look::Look;
use crate::manifest::{Line, Writer, globs};
use crate::path::join;
use globset::GlobSet;
use model::id::StepId;
use model::resource::Resource;
use model::state::State;
use std::io::Write;

/// [`Look::tree`] made of [`Look::state`] and [`Look::list`]: sorted by the bytes of the path.
pub(crate) fn tree(look: &dyn Look, path: &str, exclude: &[String], manifest: &mut dyn Write) -> Result<State, WorldError> {
    let state = look.state(&Resource::file(path))?;
    let State::Dir(_) = &state else { return Ok(state) };
    let exclude = globs(exclude)?;
    let mut writer = Writer::new(manifest);
    if let Some(line) = Line::of("", &state) {
        writer.write(&line)?;
    }
    match below(look, path, "", &exclude, &mut writer)? {
        Some(until) => Ok(State::Unknown { until }),
        None => Ok(State::Tree(writer.finish())),
    }
}

/// The step until which something below is unknown.
fn below(look: &dyn Look, dir: &str, relative: &str, exclude: &GlobSet, to: &mut Writer<'_>) -> Result<Option<StepId>, WorldError> {
    // What is in a directory `a` sorts as `a/...`, behind `a-b` which sorts behind `a` itself.
    let mut keys = Vec::new();
    let entries = match look.list(dir) {
        Err(WorldError::Unknown { until }) => return Ok(Some(until)),
        entries => entries?,
    };
    for entry in entries {
        if entry.kind == crate::look::EntryKind::Dir {
            keys.push((format!("{}/", entry.name), entry.name.clone()));
        }
        keys.push((entry.name.clone(), entry.name));
    }
    keys.sort();
    for (key, name) in keys {
        let inner = if relative.is_empty() { name.clone() } else { format!("{relative}/{name}") };
        if exclude.is_match(&inner) {
            continue;
        }
        let path = join(dir, &name);
        if key.ends_with('/') {
            if let Some(until) = below(look, &path, &inner, exclude, to)? {
                return Ok(Some(until));
            }
            continue;
        }
        match look.state(&Resource::file(&path))? {
            State::Unknown { until } => return Ok(Some(until)),
            state => Line::of(&inner, &state).map_or(Ok(()), |line| to.write(&line))?,
        }
    }
    Ok(None)
}
