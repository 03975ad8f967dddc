//! The blobs that events name.

use crate::digest::Digest;
use crate::effect::Effect;
use crate::event::{Event, Image};
use crate::state::State;

/// A blob that an event names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Named<'e> {
    /// The blob.
    pub blob: &'e Digest,
    /// What for.
    pub role: Role<'e>,
}

/// What a blob is kept for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role<'e> {
    /// To put back a file.
    Image,
    /// To put back a tree: a manifest, whose lines name more blobs.
    Manifest,
    /// The list of a tree that holds secrets: it tells which.
    List,
    /// What a program wrote.
    Output,
    /// Evidence: its name, and the number of its bytes.
    Evidence(&'e str, u64),
}

impl Event {
    /// The blobs that it names.
    pub fn blobs(&self) -> Vec<Named<'_>> {
        match self {
            Self::Intended { effect, images, .. } | Self::Asked { effect, images, .. } => {
                images.iter().map(|image| Named { blob: &image.blob, role: role(effect, image) }).collect()
            }
            Self::Applied { observed, exit, .. } => {
                let both = exit.iter().flat_map(|exit| [&exit.stdout, &exit.stderr]).flatten();
                let outputs = both.map(|captured| Named { blob: &captured.blob, role: Role::Output });
                outputs.chain(observed.iter().filter_map(|observed| list(&observed.state)).map(|blob| Named { blob, role: Role::List })).collect()
            }
            Self::Answered { evidence, .. } => {
                evidence.iter().map(|(name, e)| Named { blob: &e.blob, role: Role::Evidence(name, e.length) }).collect()
            }
            Self::RunStarted(_)
            | Self::StepStarted { .. }
            | Self::Waited { .. }
            | Self::AttemptFailed { .. }
            | Self::StepFinished { .. }
            | Self::Note { .. }
            | Self::Paused { .. }
            | Self::Decided { .. }
            | Self::Cancelled { .. }
            | Self::Suspended { .. }
            | Self::Resumed { .. }
            | Self::ClockStep { .. }
            | Self::RunEnded { .. } => Vec::new(),
        }
    }
}

/// The list that is kept of a tree which holds secrets.
fn list(state: &State) -> Option<&Digest> {
    match state {
        State::Tree(tree) if tree.secret => tree.manifest.as_ref(),
        _ => None,
    }
}

/// What the image of an effect is kept for: [`Role::Image`] or [`Role::Manifest`].
pub fn role<'e>(effect: &Effect, image: &Image) -> Role<'e> {
    let before = effect.changes().into_iter().find(|(resource, _)| **resource == image.resource);
    match before {
        Some((_, State::Tree(_))) if !image.sealed => Role::Manifest,
        _ => Role::Image,
    }
}
