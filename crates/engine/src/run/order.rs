//! What a run, a resume or an undo is to do.

use crate::radius::Radius;
use crate::run::hands::Hands;
use crate::run::images::Keeper;
use crate::run::locks::Locks;
use crate::run::scribe::Scribe;
use crate::session::Session;
use model::event::Outcome;
use model::fold::EffectFold;
use model::id::StepId;
use model::plan::Plan;
use std::collections::BTreeMap;
use world::alive::Alive;

/// What a run is to do.
pub(crate) struct Order<'s, 'a> {
    /// Its memory.
    pub session: &'s Session<'a>,
    /// What was announced.
    pub plan: &'s Plan,
    /// What may be set.
    pub radius: &'s Radius,
    /// Keeps before-images.
    pub keeper: &'s Keeper,
    /// What every program inherits, so that a later process can tell whether one still runs.
    pub alive: Option<&'s Alive>,
    /// Without them nothing is done.
    pub(crate) locks: &'s Locks,
    /// How many steps at once.
    pub jobs: usize,
    /// The effects that the cut-off attempts of steps had done, when a run is resumed.
    pub(crate) cut: BTreeMap<StepId, Vec<EffectFold>>,
    /// What is over already, when a run is resumed.
    pub over: BTreeMap<StepId, Outcome>,
}

impl<'s, 'a> Order<'s, 'a> {
    /// What does its effects and writes them with this scribe.
    pub(crate) fn hands<'h>(&self, scribe: &'h Scribe<'a>) -> Hands<'h, 'a>
    where
        's: 'h,
    {
        let Self { session, radius, keeper, alive, locks, .. } = *self;
        Hands { session, scribe, keeper, radius, alive, locks }
    }
}
