//! How a step begins: its condition is judged, it proposes, and that is compared with what was planned.

use super::{Finished, Ready, Worker};
use crate::graph::{Ix, Step};
use crate::plan;
use crate::run::hands::{Trouble, trouble};
use crate::run::whole::present;
use crate::scope::Names;
use crate::stepper;
use jiff::Timestamp;
use model::effect::Effect;
use model::event::{Event, Outcome};
use model::fold::StepStatus;
use model::id::StepId;
use model::value::May;
use std::collections::BTreeMap;
use world::proposal::{Proposal, Verdict};

/// What became of the beginning of a step.
pub(super) enum Begun {
    /// There is nothing to be done.
    Over(Outcome),
    /// Its effects come next.
    Ready(Box<Ready>),
}

impl Worker<'_, '_> {
    /// Judges the condition, proposes, and compares with the plan.
    pub(super) fn begin(&self, node: Ix, attempt: u32) -> Result<Begun, Trouble> {
        let session = self.hands.session;
        let graph = session.graph;
        let id = graph.nodes[node as usize].id.clone();
        let Some(step) = graph.step(node) else { return Ok(Begun::Over(Outcome::Done)) };
        let names = Names { session, group: graph.nodes[node as usize].group, more: &[] };
        if let Some(when) = &step.about.when {
            match stepper::judge(when, &names) {
                Ok(May::Known(true)) => {}
                Ok(May::Known(false)) => return self.skip(node, when),
                Ok(May::Unknown { until }) => return Err(Trouble::Failed(format!("its condition is not known before `{until}`"))),
                Err(wrong) => {
                    self.hands.scribe.say(Event::StepStarted { step: id, attempt })?;
                    return Err(Trouble::Failed(plan::chain(&wrong)));
                }
            }
        }
        let has_happened = self.has_happened(&id)?;
        self.hands.scribe.say(Event::StepStarted { step: id.clone(), attempt })?;
        let now = session.engine.clock.now();
        session.learn(node, |known| {
            known.started.get_or_insert(now);
            known.attempts = attempt;
        });
        let mut proposal = self.propose(node)?;
        if has_happened {
            proposal.effects.clear();
        } else {
            self.compare(node, step, &proposal)?;
        }
        if step.about.point_of_no_return
            && !proposal.effects.is_empty()
            && !self.cut.contains_key(&id)
            && let Some(why) = session.windows.closed(now, || self.latest())
        {
            return Err(Trouble::Unfit(why));
        }
        let n = self.hands.scribe.fold(|fold| fold.next_effect(&id)).unwrap_or(0);
        let ready = Ready { node, id, proposal, n };
        if ready.proposal.effects.is_empty() {
            let outcome = if has_happened || ready.proposal.verdict == Verdict::Holds { Outcome::Done } else { Outcome::Unchanged };
            return match self.over(&ready, &[], outcome)? {
                Finished::Over(outcome) => Ok(Begun::Over(outcome)),
                Finished::Trouble(wrong) => Err(wrong),
            };
        }
        Ok(Begun::Ready(Box::new(ready)))
    }

    /// The latest time that a journal of this client tells, of this run or another.
    fn latest(&self) -> Option<Timestamp> {
        let (latest, client) = self.hands.scribe.fold(|run| (run.latest, run.started.client.clone()))?;
        crate::history::latest(self.hands.session.engine.store, &client).map_or(Some(latest), |others| Some(latest.max(others)))
    }

    /// Whether a step was cut off when all that was planned for it had been set, and it is still so: what it proposes now would
    /// be done twice.
    fn has_happened(&self, id: &StepId) -> Result<bool, Trouble> {
        let session = self.hands.session;
        let (Some(behind), Some(planned)) = (self.cut.get(id), self.planned.get(id)) else { return Ok(false) };
        let has_failed = self.hands.scribe.fold(|fold| fold.step(id).is_some_and(|step| step.status == StepStatus::Failed)).unwrap_or(false);
        if has_failed || !planned.iter().any(|planned| plan::is_done(planned, behind)) {
            return Ok(false);
        }
        let mut last = BTreeMap::new();
        let sets = behind.iter().filter_map(|effect| if let Effect::Set(change) = &effect.effect { Some(change) } else { None });
        last.extend(sets.map(|change| (&change.resource, change)));
        for change in last.into_values() {
            let found = present(&session.sensitive, session.engine.world, change).map_err(|wrong| trouble(&wrong, &session.sensitive))?;
            if !session.sensitive.masked(&change.resource, &found).fits(&change.after) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn compare(&self, node: Ix, step: &Step, proposal: &Proposal) -> Result<(), Trouble> {
        let session = self.hands.session;
        let Some(planned) = self.planned.get(&session.graph.nodes[node as usize].id) else { return Ok(()) };
        let behind = self.cut.get(&session.graph.nodes[node as usize].id);
        if behind.is_some_and(|effects| effects.iter().any(|effect| !matches!(effect.effect, Effect::Set(_)))) {
            // What a program or person has done already is behind it, and was compared before it was done.
            return Ok(());
        }
        let class = session.engine.kinds[step.kind].class;
        let decision = stepper::decision(class, proposal);
        let effects: Vec<Effect> = proposal.effects.iter().map(|p| session.sensitive.masked_effect(&p.effect)).collect();
        let mut differences = planned.iter().map(|planned| plan::moved(planned, decision, &effects, behind.is_some()));
        match differences.next() {
            Some(Some((expected, found))) if differences.all(|other| other.is_some()) => Err(Trouble::Moved { expected, found }),
            _ => Ok(()),
        }
    }

    fn skip(&self, node: Ix, why: &str) -> Result<Begun, Trouble> {
        let session = self.hands.session;
        let step = session.graph.nodes[node as usize].id.clone();
        session.learn(node, |known| known.outcome = Some("skipped"));
        let started = self.hands.scribe.fold(|fold| fold.step(&step).is_some()).unwrap_or(false);
        if !started {
            self.hands.scribe.say(Event::StepFinished { step, outcome: Outcome::Skipped, outputs: BTreeMap::new(), reason: Some(why.to_owned()) })?;
        }
        Ok(Begun::Over(Outcome::Skipped))
    }
}
