//! Whether there is room for a run: for before-images and the journal in the state directory, for what is staged beside its
//! targets.

use crate::context::Engine;
use crate::run::length;
use model::digest::Digest;
use model::effect::{Change, Effect};
use model::path::parent;
use model::plan::Plan;
use model::resource::{Resource, ResourceKind};
use model::state::{Bytes, Content, FileState, State};
use std::collections::{BTreeMap, BTreeSet};
use world::error::WorldError;
use world::store::RESERVE;
use world::volume::Volume;

/// What the journal takes for a step and for an effect, twice what is usual.
const LINES_OF_STEP: u64 = 2 << 10;
const LINES_OF_EFFECT: u64 = 4 << 10;

/// For each volume that has not the room that a run needs, a sentence with both figures. What is not known counts nothing.
///
/// # Errors
/// The volume of the state directory cannot be asked.
pub(crate) fn missing(engine: &Engine<'_>, plan: &Plan) -> Result<Vec<String>, WorldError> {
    let mut volumes: BTreeMap<u64, Needed> = BTreeMap::new();
    let mut dirs: BTreeMap<String, Option<Volume>> = BTreeMap::new();
    let mut kept = Kept::default();
    for effect in plan.steps.iter().flat_map(|step| &step.effects) {
        kept.lines += LINES_OF_EFFECT;
        effect.changes().into_iter().for_each(|(resource, before)| kept.image(effect, resource, before));
        let Effect::Set(change) = effect else { continue };
        if change.resource.kind != ResourceKind::File || content_stays(change) {
            continue;
        }
        let dir = parent(&change.resource.name).unwrap_or(&change.resource.name);
        let asked = dirs.entry(dir.to_owned()).or_insert_with(|| engine.world.volume(dir).ok());
        if let Some(volume) = asked {
            let needed = volumes.entry(volume.id).or_insert_with(|| Needed::of(*volume, format!("`{dir}`")));
            needed.set(length(&change.before), length(&change.after));
        }
    }
    if let Some(volume) = engine.store.volume()? {
        let needed = volumes.entry(volume.id).or_insert_with(|| Needed::of(volume, String::new()));
        needed.place = "the state directory".to_owned();
        // What the state directory holds in reserve counts as free there.
        needed.free = needed.free.max(volume.free);
        needed.kept = kept.bytes + kept.lines + LINES_OF_STEP * plan.steps.len() as u64 + RESERVE;
    }
    Ok(volumes.values().filter_map(Needed::missing).collect())
}

/// What is kept in the state directory.
#[derive(Default)]
struct Kept {
    images: BTreeSet<Digest>,
    bytes: u64,
    lines: u64,
}

impl Kept {
    /// The same bytes are kept once.
    fn image(&mut self, effect: &Effect, resource: &Resource, before: &State) {
        if resource.kind != ResourceKind::File || matches!(effect, Effect::Set(change) if content_stays(change)) {
            return;
        }
        let digest = match before {
            State::File(FileState { content: Content::Plain { sha256, .. }, .. }) => Some(sha256),
            State::Tree(tree) => tree.content.as_ref(),
            _ => None,
        };
        if digest.is_none_or(|digest| self.images.insert(digest.clone())) {
            self.bytes += length(before);
        }
    }
}

/// What is needed on a volume.
struct Needed {
    place: String,
    free: u64,
    /// By how much what was set so far is longer than what was there.
    grown: i128,
    /// The most that was needed at a time, what is staged included.
    most: i128,
    kept: u64,
}

impl Needed {
    fn of(volume: Volume, place: String) -> Self {
        Self { place, free: volume.free, grown: 0, most: 0, kept: 0 }
    }

    /// What is new lies beside what is old until they change places.
    fn set(&mut self, before: u64, after: u64) {
        self.most = self.most.max(self.grown + i128::from(after));
        self.grown += i128::from(after) - i128::from(before);
    }

    fn missing(&self) -> Option<String> {
        let needed = u64::try_from(self.most).unwrap_or(0).saturating_add(self.kept);
        let Self { place, free, .. } = self;
        (needed > *free).then(|| format!("there is not enough room on the volume of {place}: needed {}, free {}", Bytes(needed), Bytes(*free)))
    }
}

/// Only mode, owner or times change.
pub(crate) fn content_stays(change: &Change) -> bool {
    matches!((&change.before, &change.after), (State::File(a), State::File(b)) if a.content == b.content)
}
