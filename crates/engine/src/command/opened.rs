//! What a run, a resume and an undo work with. Opening it changes nothing.

use super::locks::programs;
use super::memory::{remember, remember_sensitive};
use super::{Options, Refusal};
use crate::context::Engine;
use crate::procedure::Bound;
use crate::run::Order;
use crate::run::images::Keeper;
use crate::run::locks::Locks;
use crate::secrets::Secrets;
use crate::session::Session;
use model::digest::Digest;
use model::fold::Run;
use model::plan::Plan;
use std::collections::BTreeMap;
use world::alive::Alive;
use world::store::Make;

/// A bound procedure with its plan, ready to change the world.
pub(super) struct Opened<'a> {
    pub(super) session: Session<'a>,
    bound: &'a Bound<'a>,
    plan: &'a Plan,
    keeper: Keeper,
    alive: Option<Alive>,
    locks: Locks,
    jobs: usize,
}

impl<'a> Opened<'a> {
    /// For a run that is about to begin, under these locks.
    pub(super) fn new(
        engine: Engine<'a>,
        (bound, plan): (&'a Bound<'a>, &'a Plan),
        locks: Locks,
        secrets: &'a Secrets,
        options: &Options,
    ) -> Result<Self, Refusal> {
        let key = engine.store.key(Make::IfMissing)?;
        let session = bound.session(engine, secrets, key);
        remember_sensitive(&session, plan);
        let keeper = bound.keeper(&options.identities).map_err(|wrong| Refusal::Invalid(vec![wrong]))?;
        Ok(Self { session, bound, plan, keeper, alive: None, locks, jobs: options.jobs })
    }

    /// For a run that has begun: its journal is remembered, and no program of an earlier process is left.
    pub(super) fn again(mut self, run: &Run) -> Result<Self, Refusal> {
        remember(&self.session, run);
        self.alive = programs(&self.session.engine, run.id())?;
        Ok(self)
    }

    /// With the lock that every program of the run inherits.
    pub(super) fn with_alive(mut self, alive: Option<Alive>) -> Self {
        self.alive = alive;
        self
    }

    pub(super) fn order(&self) -> Order<'_, 'a> {
        Order {
            session: &self.session,
            plan: self.plan,
            radius: &self.bound.radius,
            keeper: &self.keeper,
            alive: self.alive.as_ref(),
            locks: &self.locks,
            jobs: self.jobs,
            cut: BTreeMap::new(),
            over: BTreeMap::new(),
        }
    }

    /// Refuses other secrets than those that the run began with.
    pub(super) fn same_secrets(&self, run: &Run) -> Result<(), Refusal> {
        let session = &self.session;
        let other = run.started.secrets.iter().filter(|(name, digest)| {
            session.secrets.get(name).is_some_and(|value| session.sensitive.keyed(&Digest::of(&value)).as_ref() != Some(digest))
        });
        let wrong: Vec<String> = other.map(|(name, _)| format!("`{name}` is not the secret that the run began with")).collect();
        if wrong.is_empty() { Ok(()) } else { Err(Refusal::Refused(wrong)) }
    }
}
