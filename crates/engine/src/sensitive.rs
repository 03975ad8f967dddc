//! Which resources hold bytes that are secret, and how their states are written down.

use hmac::{Hmac, KeyInit, Mac};
use model::digest::Digest;
use model::effect::{Ask, Change, Effect};
use model::path::{parent, within};
use model::resource::{Resource, ResourceKind};
use model::state::{Content, FileState, State, TreeState};
use sha2::Sha256;
use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

#[derive(Default)]
/// Knows the sensitive resources: those declared by pattern, and those that a secret, or a copy of one, was written to.
pub struct Sensitive {
    patterns: globset::GlobSet,
    found: RwLock<HashSet<Resource>>,
    key: Option<[u8; 32]>,
}

impl Sensitive {
    /// With declared patterns (`file:/x/**`), whether names fold ([`crate::radius::globs`]), and the state directory's key,
    /// which a plan has not.
    ///
    /// # Errors
    /// A pattern is none.
    pub fn new(patterns: &[String], folds: bool, key: Option<[u8; 32]>) -> Result<Self, globset::Error> {
        Ok(Self { patterns: crate::radius::globs(patterns, folds)?, found: RwLock::default(), key })
    }

    /// From now on this resource is sensitive.
    pub fn add(&self, resource: &Resource) {
        self.found.write().unwrap_or_else(PoisonError::into_inner).insert(resource.clone());
    }

    /// From now on what an effect sets is sensitive, if it shows that it holds a secret. Which files of a tree are, shows when it
    /// is looked at.
    pub fn learn(&self, effect: &Effect) {
        let shown = match effect {
            Effect::Set(change) => is_hidden(&change.before) || is_hidden(&change.after),
            other => other.is_given_secret(),
        };
        let files = effect.changes().into_iter().filter(|(what, _)| what.kind == ResourceKind::File);
        files.filter(|(_, before)| shown || is_hidden(before)).for_each(|(file, _)| self.add(file));
    }

    /// Whether something below a directory was found to be, whether it is there or not.
    pub(crate) fn knows_inside(&self, dir: &Resource) -> bool {
        let found = self.found.read().unwrap_or_else(PoisonError::into_inner);
        found.iter().any(|file| file.kind == dir.kind && within(&file.name, &dir.name))
    }

    /// Whether it is.
    pub fn holds(&self, resource: &Resource) -> bool {
        let found = self.found.read().unwrap_or_else(PoisonError::into_inner);
        let one = |resource: &Resource| (!self.patterns.is_empty() && self.patterns.is_match(resource.to_string())) || found.contains(resource);
        // A directory is so with all that is in it.
        one(resource)
            || (resource.kind == ResourceKind::File
                && std::iter::successors(parent(&resource.name), |path| parent(path)).any(|path| one(&Resource::file(path))))
    }

    /// Whether something is sensitive at all.
    pub fn any(&self) -> bool {
        !self.patterns.is_empty() || !self.found.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// A state as it is written down: in a journal with a keyed digest, in a plan with none.
    pub fn masked(&self, resource: &Resource, state: &State) -> State {
        match state {
            State::File(FileState { content: Content::Plain { sha256, .. }, meta }) if self.holds(resource) => {
                let content = self.keyed(sha256).map_or(Content::Hidden, |hmac| Content::Keyed { hmac });
                State::File(FileState { content, meta: meta.clone() })
            }
            State::Tree(tree) if tree.secret || self.holds(resource) => {
                let keyed = |digest: &Digest| if digest.is_keyed() { Some(digest.clone()) } else { self.keyed(digest) };
                State::Tree(TreeState {
                    // Its list tells no more than keyed digests, if whoever made it knew.
                    manifest: tree.manifest.clone().filter(|_| tree.secret && self.key.is_some()),
                    content: tree.content.as_ref().and_then(keyed),
                    files: tree.files,
                    bytes: if tree.secret { tree.bytes } else { 0 },
                    secret: true,
                })
            }
            other => other.clone(),
        }
    }

    /// A change as it is written down.
    pub fn masked_change(&self, change: &Change) -> Change {
        Change {
            resource: change.resource.clone(),
            before: self.masked(&change.resource, &change.before),
            after: self.masked(&change.resource, &change.after),
        }
    }

    /// An effect as it is written down.
    pub fn masked_effect(&self, effect: &Effect) -> Effect {
        let befores = |list: &[model::effect::Before]| {
            list.iter()
                .map(|b| model::effect::Before { resource: b.resource.clone(), before: self.masked(&b.resource, &b.before) })
                .collect::<Vec<_>>()
        };
        match effect {
            Effect::Set(change) => Effect::Set(self.masked_change(change)),
            Effect::Run { program, changes } => Effect::Run { program: program.clone(), changes: befores(changes) },
            Effect::Ask(ask) => Effect::Ask(Ask { changes: befores(&ask.changes), ..ask.clone() }),
            Effect::Wait { .. } => effect.clone(),
        }
    }

    /// What the journal holds of a secret answer: enough to tell whether another is the same, to nobody without the key.
    pub fn fingerprint(&self, value: &[u8]) -> Option<String> {
        self.keyed(&Digest::of(value)).map(|digest| digest.as_str()[5..17].to_owned())
    }

    /// A keyed digest: the HMAC of a SHA-256, so that nobody without the key can guess a short secret from it, and no file
    /// is read twice.
    pub fn keyed(&self, sha256: &Digest) -> Option<Digest> {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.key?).ok()?;
        mac.update(sha256.as_str().as_bytes());
        Some(Digest::keyed(mac.finalize().into_bytes().into()))
    }
}

/// Whether it shows or makes something whose bytes are secret.
pub(crate) fn is_sensitive(effect: &Effect) -> bool {
    let secret = |state: &State| is_hidden(state) || state.is_secret_tree();
    match effect {
        Effect::Set(change) => secret(&change.before) || secret(&change.after),
        other => (other.is_given_secret() && !other.changes().is_empty()) || other.changes().iter().any(|(_, before)| secret(before)),
    }
}

fn is_hidden(state: &State) -> bool {
    matches!(state, State::File(FileState { content: Content::Hidden, .. }))
}
