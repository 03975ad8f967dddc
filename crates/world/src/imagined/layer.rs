//! The copy-on-write layer: what steps have set, with its history.
//!
//! Every change gets a stamp. A path is what its latest version says, unless something above it was replaced later; so
//! taking the latest change back is dropping a version, and what a path was when a file was copied from it can still be
//! asked for.

use crate::act::Source;
use crate::manifest::{globs, is_excluded};
use crate::path::{above, below, join, last};
use globset::GlobSet;
use model::digest::Digest;
use model::effect::Change;
use model::id::StepId;
use model::path::separator;
use model::resource::{Resource, ResourceKind};
use model::state::{Content, FileState, State};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Moments of the layer. 0 is before everything.
pub(super) type Stamp = u64;

#[derive(Default)]
pub(super) struct Layer {
    files: BTreeMap<Arc<str>, Vec<Version>>,
    others: BTreeMap<Resource, Vec<State>>,
    now: Stamp,
}

struct Version {
    stamp: Stamp,
    /// Since when nothing of the base below this path is seen; 0: it is seen.
    since: Stamp,
    state: State,
    contents: Contents,
}

/// Where the bytes of a version are.
#[derive(Clone)]
pub(super) enum Contents {
    /// Nowhere, or nobody may say.
    Nothing,
    /// In the world below, under the same path.
    Base,
    /// Here.
    Bytes(Arc<Zeroizing<Vec<u8>>>),
    /// Those of a path at a moment.
    At { path: Arc<str>, stamp: Stamp },
    /// Of a tree: those of each source at a moment.
    Copies(Arc<Copies>),
    /// Kept as a blob.
    Blob(Digest),
}

pub(super) struct Copies {
    sources: Vec<String>,
    exclude: GlobSet,
    stamp: Stamp,
}

/// What the layer says of a path.
pub(super) enum Found {
    /// Ask the world below for this path.
    Base(String),
    Here(State, Contents),
    Unknown(StepId),
}

/// What is below a path, but for what the layer set there itself.
enum Ground {
    Base(String),
    At(String, Stamp),
    Copies(Arc<Copies>),
    Nothing,
    Sealed,
    Unknown(StepId),
}

/// The names in a directory.
pub(super) struct Names {
    /// Also those of this directory of the world below, as they are there unless `here` names them.
    pub(super) base: Option<String>,
    pub(super) here: BTreeSet<String>,
}

impl Layer {
    pub(super) fn now(&self) -> Stamp {
        self.now
    }

    pub(super) fn other(&self, what: &Resource) -> Option<&State> {
        self.others.get(what).and_then(|states| states.last())
    }

    pub(super) fn is_untouched(&self) -> bool {
        self.files.is_empty()
    }

    pub(super) fn imagine(&mut self, change: &Change, source: &Source) {
        if change.resource.kind != ResourceKind::File {
            let states = self.others.entry(change.resource.clone()).or_insert_with(|| vec![change.before.clone()]);
            states.push(change.after.clone());
            return;
        }
        let path = change.resource.name.clone();
        let contents = self.contents(&path, &change.after, source);
        let replaced = !matches!((&change.before, &change.after), (State::Dir(_), State::Dir(_)));
        self.push(&path, &change.before, change.after.clone(), contents, replaced);
    }

    pub(super) fn forget(&mut self, what: &Resource, before: State, until: &StepId) {
        let unknown = State::Unknown { until: until.clone() };
        if what.kind == ResourceKind::File {
            self.push(&what.name, &before, unknown, Contents::Nothing, true);
        } else {
            self.others.entry(what.clone()).or_insert_with(|| vec![before]).push(unknown);
        }
    }

    /// Drops the latest version; none if there is no version but what was there at first.
    pub(super) fn drop_latest(&mut self, what: &Resource) -> Option<State> {
        if what.kind != ResourceKind::File {
            return self.others.get_mut(what).filter(|states| states.len() > 1).and_then(Vec::pop);
        }
        let versions = self.files.get_mut(&what.name)?;
        let latest = versions.pop_if(|version| version.stamp > 0)?;
        if versions.is_empty() {
            self.files.remove(&what.name);
        }
        Some(latest.state)
    }

    /// What the layer itself holds for a tree that was set as one and not touched since.
    pub(super) fn whole(&self, path: &str) -> Option<&State> {
        let own = self.files.get(path)?.last()?;
        let seen = own.stamp > self.cover(path, self.now).map_or(0, |(stamp, _)| stamp);
        (seen && matches!(own.state, State::Tree(_)) && !self.has_below(path, own.stamp)).then_some(&own.state)
    }

    /// Whether anything below was set after that moment.
    pub(super) fn has_below(&self, path: &str, after: Stamp) -> bool {
        let from = join(path, "\0");
        let inside = self.files.range::<str, _>((Bound::Included(from.as_str()), Bound::Unbounded));
        inside.take_while(|(p, _)| below(p, path).is_some()).any(|(_, v)| v.last().is_some_and(|v| v.stamp > after))
    }

    pub(super) fn find(&self, path: &str, at: Stamp) -> Found {
        let own = self.version(path, at);
        let cover = self.cover(path, at);
        match own {
            Some(own) if own.stamp > cover.map_or(0, |(stamp, _)| stamp) => match &own.state {
                State::Unknown { until } => Found::Unknown(until.clone()),
                state => Found::Here(state.clone(), own.contents.clone()),
            },
            _ => match self.ground(path, cover) {
                Ground::Base(path) => Found::Base(path),
                Ground::At(path, stamp) => self.find(&path, stamp),
                Ground::Copies(copies) => self.copied(&copies, below(path, cover.map_or("", |(_, dir)| dir)).unwrap_or_default()),
                Ground::Nothing => Found::Here(State::Absent, Contents::Nothing),
                Ground::Sealed => Found::Here(State::Foreign { what: "not known: part of a kept image".to_owned() }, Contents::Nothing),
                Ground::Unknown(until) => Found::Unknown(until),
            },
        }
    }

    /// The names in a directory at a moment, or the step until which they are unknown.
    pub(super) fn names(&self, path: &str, at: Stamp) -> Result<Names, StepId> {
        let own = self.version(path, at).map_or(0, |v| v.since);
        let cover = self.cover(path, at);
        let ground = if own > cover.map_or(0, |(stamp, _)| stamp) { self.ground(path, Some((own, path))) } else { self.ground(path, cover) };
        let mut names = match ground {
            Ground::Base(path) => Names { base: Some(path), here: BTreeSet::new() },
            Ground::At(path, stamp) => self.names(&path, stamp)?,
            Ground::Copies(copies) => {
                let top = if own > cover.map_or(0, |(stamp, _)| stamp) { path } else { cover.map_or("", |(_, dir)| dir) };
                match below(path, top).unwrap_or_default() {
                    "" => Names { base: None, here: copies.sources.iter().map(|s| last(s).to_owned()).collect() },
                    rest => copies.source(rest).map_or(Ok(Names { base: None, here: BTreeSet::new() }), |from| self.names(&from, copies.stamp))?,
                }
            }
            Ground::Nothing | Ground::Sealed => Names { base: None, here: BTreeSet::new() },
            Ground::Unknown(until) => return Err(until),
        };
        let mut from = join(path, "\0");
        while let Some((next, _)) = self.files.range::<str, _>((Bound::Included(from.as_str()), Bound::Unbounded)).next() {
            let Some(rest) = below(next, path).filter(|rest| !rest.is_empty()) else { break };
            let name = rest.split(separator(path)).next().unwrap_or(rest);
            names.here.insert(name.to_owned());
            // Past it, or past everything below it.
            from = join(path, name);
            if rest.len() == name.len() { from.push('\0') } else { from.extend([separator(path), char::MAX]) }
        }
        Ok(names)
    }

    fn push(&mut self, path: &Arc<str>, before: &State, state: State, contents: Contents, replaced: bool) {
        let base = matches!(self.find(path, self.now), Found::Base(_));
        self.now += 1;
        let stamp = self.now;
        let versions = self.files.entry(path.clone()).or_default();
        if versions.is_empty() && base {
            // A tree is remembered as a whole, and what is in it stays to be asked for.
            versions.push(Version { stamp: 0, since: 0, state: before.clone(), contents: Contents::Base });
        }
        let since = if replaced { stamp } else { versions.last().map_or(0, |v| v.since) };
        versions.push(Version { stamp, since, state, contents });
    }

    fn contents(&self, path: &Arc<str>, after: &State, source: &Source) -> Contents {
        match source {
            Source::Bytes(bytes) => Contents::Bytes(bytes.clone()),
            Source::File { path } => Contents::At { path: path.as_str().into(), stamp: self.now },
            Source::Trees { sources, exclude, .. } => match globs(exclude) {
                Ok(exclude) => Contents::Copies(Arc::new(Copies { sources: sources.clone(), exclude, stamp: self.now })),
                Err(_) => Contents::Nothing,
            },
            Source::Blob(blob) if self.earlier(path, after).is_none() => Contents::Blob(blob.clone()),
            Source::Stdout => Contents::Nothing,
            // A mode changed, or something put back: the bytes are those that an earlier version had.
            Source::Nothing | Source::Blob(_) => match self.earlier(path, after) {
                Some(stamp) => Contents::At { path: path.clone(), stamp },
                None if matches!(self.find(path, self.now), Found::Base(_)) => Contents::Base,
                None => Contents::Nothing,
            },
        }
    }

    /// When this path had the contents of that state, latest first.
    fn earlier(&self, path: &str, state: &State) -> Option<Stamp> {
        let versions = self.files.get(path)?;
        let same = |v: &&Version| match (&v.state, state) {
            (State::File(a), State::File(b)) => is_told(&a.content) && a.content == b.content,
            (a, b) => a == b,
        };
        versions.iter().rev().find(same).map(|v| v.stamp)
    }

    fn version(&self, path: &str, at: Stamp) -> Option<&Version> {
        self.files.get(path)?.iter().rev().find(|v| v.stamp <= at)
    }

    /// The directory above that was replaced last, and when.
    fn cover<'p>(&self, path: &'p str, at: Stamp) -> Option<(Stamp, &'p str)> {
        let since = |dir: &'p str| self.version(dir, at).map(|v| (v.since, dir)).filter(|(since, _)| *since > 0);
        above(path).filter_map(since).max_by_key(|(since, _)| *since)
    }

    /// What lies below a cover at a path; with none, the world below.
    fn ground(&self, path: &str, cover: Option<(Stamp, &str)>) -> Ground {
        let Some((stamp, dir)) = cover else { return Ground::Base(path.to_owned()) };
        let Some(version) = self.version(dir, stamp) else { return Ground::Nothing };
        let rest = below(path, dir).unwrap_or_default();
        match (&version.state, &version.contents) {
            (State::Unknown { until }, _) => Ground::Unknown(until.clone()),
            (State::Tree(_), Contents::At { path, stamp }) => Ground::At(join(path, rest), *stamp),
            (State::Tree(_), Contents::Base) => Ground::Base(path.to_owned()),
            (State::Tree(_), Contents::Copies(copies)) => Ground::Copies(copies.clone()),
            (State::Tree(_), _) => Ground::Sealed,
            _ => Ground::Nothing,
        }
    }

    fn copied(&self, copies: &Copies, rest: &str) -> Found {
        match copies.source(rest) {
            Some(from) => match self.find(&from, copies.stamp) {
                Found::Here(state @ State::File(_), _) => Found::Here(state, Contents::At { path: from.into(), stamp: copies.stamp }),
                found => found,
            },
            None => Found::Here(State::Absent, Contents::Nothing),
        }
    }
}

impl Copies {
    /// From where something in a copied tree comes.
    fn source(&self, rest: &str) -> Option<String> {
        let (name, inner) = rest.split_once('/').unwrap_or((rest, ""));
        let source = self.sources.iter().find(|source| last(source) == name)?;
        (!is_excluded(&self.exclude, inner)).then(|| join(source, inner))
    }
}

fn is_told(content: &Content) -> bool {
    matches!(content, Content::Plain { .. } | Content::Keyed { .. })
}

/// Whether two states are the same for a rehearsal: what is unknown equals itself.
pub(super) fn equal(found: &State, wanted: &State) -> bool {
    match (found, wanted) {
        (State::File(FileState { content: a, meta: x }), State::File(FileState { content: b, meta: y })) => a == b && x.same(y),
        (State::Tree(a), State::Tree(b)) if a.content.is_none() || b.content.is_none() => {
            // Of what holds secrets it is not told how long it is.
            a.files == b.files && (a.bytes == b.bytes || a.secret || b.secret)
        }
        // A tree's top, seen as a directory by itself.
        (State::Dir(_), State::Tree(_)) => true,
        (a, b) => a.same(b),
    }
}
