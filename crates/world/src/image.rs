//! Keeping what will be overwritten.

use crate::error::WorldError;
use crate::look::Look;
use crate::manifest::{self, Kind};
use crate::path::join;
use crate::store::Blobs;
use model::resource::Resource;
use model::state::{State, TreeState};
use std::io::Read;

/// So many files are kept together in one round.
const ROUND: usize = 64;

/// Keeps a directory with everything below it: its manifest as a blob, and each of its files. Gives its state, as
/// [`Look::tree`] does; of something else that state and nothing is kept.
///
/// # Errors
/// Something in it cannot be read or kept, or changes meanwhile.
pub fn keep_tree(look: &dyn Look, path: &str, blobs: &dyn Blobs) -> Result<State, WorldError> {
    let mut manifest = Vec::new();
    let state = look.tree(&Resource::file(path), &[], &mut manifest)?;
    let State::Tree(TreeState { manifest: Some(digest), .. }) = &state else { return Ok(state) };
    let mut files = Vec::new();
    for line in manifest::read(&manifest[..]) {
        let line = line?;
        if line.is == Kind::File {
            files.push((join(path, &line.path), line.sha256));
        }
        if files.len() >= ROUND {
            keep(look, &std::mem::take(&mut files), blobs)?;
        }
    }
    keep(look, &files, blobs)?;
    let kept = blobs.keep(&mut [&mut &manifest[..]])?;
    if kept.first() == Some(digest) { Ok(state) } else { Err(changed(path)) }
}

fn keep(look: &dyn Look, files: &[(String, Option<model::digest::Digest>)], blobs: &dyn Blobs) -> Result<(), WorldError> {
    let mut open = files.iter().map(|(path, _)| look.open(path)).collect::<Result<Vec<_>, _>>()?;
    let mut readers: Vec<&mut dyn Read> = open.iter_mut().map(|reader| &mut **reader as &mut dyn Read).collect();
    let kept = blobs.keep(&mut readers)?;
    match files.iter().zip(kept).find(|((_, wanted), kept)| wanted.as_ref() != Some(kept)) {
        Some(((path, _), _)) => Err(changed(path)),
        None => Ok(()),
    }
}

fn changed(path: &str) -> WorldError {
    WorldError::Refused { name: path.to_owned(), reason: "it changed while it was being kept".to_owned() }
}
