//! One step, from its condition to its outputs.

mod ask;
mod begin;
mod program;
mod wait;

use self::begin::Begun;
use crate::graph::Ix;
use crate::plan::{self, Brought};
use crate::run::deadline::Deadline;
use crate::run::hands::{Did, Hands, Job, Trouble, trouble};
use crate::stepper;
use crate::view::Sight;
use model::effect::{Change, Effect};
use model::event::{Event, Outcome};
use model::fold::EffectFold;
use model::id::StepId;
use model::plan::PlannedStep;
use model::value::{Value, to_json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use world::act::Source;
use world::action::ActionError;
use world::proposal::{Proposal, Verdict};

/// What became of a step.
pub(crate) enum Finished {
    /// It is over, as the journal says.
    Over(Outcome),
    /// It is not: why, and whether anything was intended.
    Trouble(Trouble),
}

/// A step that is ready for its effects.
pub(crate) struct Ready {
    pub(crate) node: Ix,
    id: StepId,
    proposal: Proposal,
    n: u32,
}

/// Works on steps for a run.
pub(crate) struct Worker<'s, 'a> {
    pub(crate) hands: &'s Hands<'s, 'a>,
    pub(crate) planned: &'s BTreeMap<StepId, Vec<PlannedStep>>,
    pub(crate) cut: &'s BTreeMap<StepId, Vec<EffectFold>>,
    /// After it no step starts and none is tried again; an undo has none.
    pub(crate) deadline: Option<&'s Deadline>,
}

impl<'s, 'a> Worker<'s, 'a> {
    /// Does a batch of steps that do not wait for each other. One alone may be anything; several only set resources.
    pub(crate) fn work(&self, nodes: &[Ix]) -> Vec<(Ix, Finished)> {
        if let [node] = nodes {
            return vec![(*node, self.one(*node).unwrap_or_else(Finished::Trouble))];
        }
        let mut done = Vec::new();
        let mut round = Vec::new();
        for node in nodes {
            let attempt = self.attempts(*node) + 1;
            match self.begin(*node, attempt) {
                Ok(Begun::Over(outcome)) => done.push((*node, Finished::Over(outcome))),
                Ok(Begun::Ready(ready)) if ready.proposal.effects.len() == 1 && matches!(ready.proposal.effects[0].effect, Effect::Set(_)) => {
                    match self.job(&ready, 0) {
                        Ok(Some(job)) => round.push((*ready, job)),
                        Ok(None) => done.push((*node, self.finish(&ready))),
                        Err(wrong) => done.push((*node, self.failed(*node, wrong))),
                    }
                }
                Ok(Begun::Ready(ready)) => done.push((*node, self.finish(&ready))),
                Err(wrong) => done.push((*node, self.failed(*node, wrong))),
            }
        }
        let (round, jobs): (Vec<Ready>, Vec<Job>) = round.into_iter().unzip();
        match self.hands.set(jobs) {
            Err(dead) => done.extend(round.into_iter().map(|ready| (ready.node, Finished::Trouble(dead.clone().into())))),
            Ok(results) => {
                for (ready, result) in round.into_iter().zip(results) {
                    let node = ready.node;
                    let finished = match result {
                        Ok(did) => self
                            .applied(&ready, 0, did)
                            .and_then(|brought| self.over(&ready, &[brought], Outcome::Done))
                            .unwrap_or_else(|wrong| self.failed(node, wrong)),
                        Err(wrong) => self.failed(node, wrong),
                    };
                    done.push((node, finished));
                }
            }
        }
        done
    }

    /// Whether the deadline keeps a step from starting: all but those of `finally`.
    pub(crate) fn is_late(&self, node: Ix) -> bool {
        let session = self.hands.session;
        self.deadline.is_some_and(|deadline| session.graph.nodes[node as usize].last.is_none() && deadline.has_passed(session.engine.clock))
    }

    /// How often a step was tried so far.
    fn attempts(&self, node: Ix) -> u32 {
        let id = &self.hands.session.graph.nodes[node as usize].id;
        self.hands.scribe.fold(|fold| fold.step(id).map_or(0, |step| step.attempts)).unwrap_or(0)
    }

    /// A step with its attempts.
    fn one(&self, node: Ix) -> Result<Finished, Trouble> {
        let Some(step) = self.hands.session.graph.step(node) else { return Ok(Finished::Over(Outcome::Done)) };
        let id = &self.hands.session.graph.nodes[node as usize].id;
        let mut attempt = self.attempts(node);
        let last = attempt + step.about.attempts.max(1);
        let mut delay = step.about.delay;
        loop {
            attempt += 1;
            let wrong = match self.begin(node, attempt) {
                Ok(Begun::Over(outcome)) => return Ok(Finished::Over(outcome)),
                Ok(Begun::Ready(ready)) => match self.effects(&ready) {
                    Ok(brought) => return Ok(self.over(&ready, &brought, Outcome::Done).unwrap_or_else(|wrong| self.failed(node, wrong))),
                    Err(wrong) => wrong,
                },
                Err(wrong) => wrong,
            };
            let again = attempt < last && matches!(wrong, Trouble::Failed(_) | Trouble::Unfit(_)) && !self.is_late(node);
            if !again {
                return Ok(self.failed(node, wrong));
            }
            self.hands.scribe.say(Event::AttemptFailed { step: id.clone(), attempt, reason: self.words(&wrong) })?;
            self.hands.session.engine.clock.wait(delay, self.hands.session.engine.stop);
            if self.hands.session.engine.stop.wished() {
                return Err(Trouble::Stopped);
            }
            if let Some(most) = step.about.max_delay {
                delay = (delay * 2).min(most);
            }
        }
    }

    /// In an undo: the action that a step declares for being taken back.
    pub(crate) fn act(&self, node: Option<Ix>, id: &StepId, kind: usize, with: Option<model::yaml::Raw>) -> Result<(), Trouble> {
        let Some(node) = node else { return Err(Trouble::Failed("the runbook has no such step".into())) };
        let session = self.hands.session;
        let Some(step) = session.graph.step(node) else { return Ok(()) };
        let sight = Sight { session, look: session.engine.world, node, planning: None, seen: Mutex::default(), revealed: Mutex::default() };
        let proposal = stepper::parameters(&sight, with, step.about.document)
            .and_then(|with| (session.engine.kinds[kind].propose)(&with, &sight))
            .map_err(|wrong| self.action_trouble(&wrong))?;
        self.once(node, id, proposal)
    }

    /// In an undo: a step once more.
    pub(crate) fn settle_again(&self, node: Option<Ix>, id: &StepId) -> Result<(), Trouble> {
        let Some(node) = node else { return Err(Trouble::Failed("the runbook has no such step".into())) };
        let proposal = self.propose(node)?;
        self.once(node, id, proposal)
    }

    /// In an undo: a check or wait that must hold, tried as often as it says.
    pub(crate) fn pass(&self, node: Option<Ix>) -> Result<(), Trouble> {
        let Some((node, step)) = node.and_then(|node| Some((node, self.hands.session.graph.step(node)?))) else { return Ok(()) };
        let engine = &self.hands.session.engine;
        let mut delay = step.about.delay;
        for attempt in 1..=step.about.attempts.max(1) {
            let wrong = match self.propose(node) {
                Ok(proposal) if proposal.effects.is_empty() => return Ok(()),
                Ok(proposal) => {
                    let id = self.hands.session.graph.nodes[node as usize].id.clone();
                    return self.once(node, &id, proposal);
                }
                Err(wrong) => wrong,
            };
            if attempt == step.about.attempts.max(1) || engine.stop.wished() {
                return Err(wrong);
            }
            engine.clock.wait(delay, engine.stop);
            delay = step.about.max_delay.map_or(delay, |most| (delay * 2).min(most));
        }
        Ok(())
    }

    fn once(&self, node: Ix, id: &StepId, proposal: Proposal) -> Result<(), Trouble> {
        let n = self.hands.scribe.fold(|fold| fold.next_effect(id)).unwrap_or(0);
        let ready = Ready { node, id: id.clone(), proposal, n };
        self.effects(&ready).map(drop)
    }

    fn finish(&self, ready: &Ready) -> Finished {
        match self.effects(ready) {
            Ok(brought) => self.over(ready, &brought, Outcome::Done).unwrap_or_else(|wrong| self.failed(ready.node, wrong)),
            Err(wrong) => self.failed(ready.node, wrong),
        }
    }

    fn propose(&self, node: Ix) -> Result<Proposal, Trouble> {
        let session = self.hands.session;
        let sight = Sight { session, look: session.engine.world, node, planning: None, seen: Mutex::default(), revealed: Mutex::default() };
        let proposal = stepper::propose(&sight).map_err(|wrong| self.action_trouble(&wrong))?;
        match &proposal.verdict {
            Verdict::Fails { expected, found } => Err(Trouble::Unfit(format!("expected {expected}, found {found}"))),
            Verdict::Later { until } => Err(Trouble::Failed(format!("it cannot be judged before `{until}`"))),
            Verdict::Holds | Verdict::Propose => Ok(proposal),
        }
    }

    /// Does the effects of a step, one after the other.
    fn effects(&self, ready: &Ready) -> Result<Vec<Brought>, Trouble> {
        let session = self.hands.session;
        let step = session.graph.step(ready.node);
        let mut brought: Vec<Brought> = Vec::new();
        for at in 0..ready.proposal.effects.len() {
            let n = ready.n + at as u32;
            let one = match &ready.proposal.effects[at].effect {
                Effect::Set(_) => {
                    let Some(mut job) = self.job(ready, at)? else { continue };
                    if matches!(job.source, Source::Stdout) {
                        (job.change, job.source) = self.as_file(&job.change, &brought)?;
                    }
                    let did = self.hands.set(vec![job])?.remove(0)?;
                    self.applied(ready, at, did)?
                }
                Effect::Run { program, .. } if self.done_before(&ready.id).is_some() => {
                    let one = self.in_journal(&ready.id, program)?;
                    self.done_when(ready.node)?;
                    one
                }
                Effect::Run { program, changes } => {
                    let timeout = step.and_then(|step| step.about.timeout);
                    let one = self.hands.run(&ready.id, n, program, changes, timeout)?;
                    self.done_when(ready.node)?;
                    one
                }
                Effect::Ask(ask) => {
                    let one = self.ask(ready, n, ask)?;
                    self.done_when(ready.node)?;
                    one
                }
                Effect::Wait { every, within, stable_for, .. } => return self.wait(ready, *every, *within, *stable_for),
            };
            brought.push(one);
        }
        Ok(brought)
    }

    /// The effect of that place, if it sets something.
    fn job(&self, ready: &Ready, at: usize) -> Result<Option<Job>, Trouble> {
        let proposed = &ready.proposal.effects[at];
        let Effect::Set(change) = &proposed.effect else { return Ok(None) };
        let (mut change, mut source) = (change.clone(), proposed.source.clone());
        if (matches!(source, Source::Blob(_)) || (matches!(source, Source::Nothing) && change.after.is_secret_tree()))
            && let Some(image) = self.hands.sealed(&change.resource, &change.after)
        {
            (change.after, source) = self.hands.restored(&change, Some(&image))?;
        }
        Ok(Some(Job { step: ready.id.clone(), n: ready.n + at as u32, change, source, takes_back: None }))
    }

    fn applied(&self, ready: &Ready, at: usize, did: Did) -> Result<Brought, Trouble> {
        if let Effect::Set(change) = &ready.proposal.effects[at].effect {
            self.hands.session.changed(ready.node, Change { after: did.state.clone(), ..change.clone() });
        }
        Ok(Brought { state: Some(did.state), left_out: did.left_out, ..Brought::default() })
    }

    fn learn_outputs(&self, node: Ix, proposal: &Proposal, brought: &[Brought]) -> Result<Arc<[(String, Value)]>, Trouble> {
        let outputs = plan::settle(self.hands.session, node, proposal, brought, None).map_err(|wrong| Trouble::Failed(plan::chain(&wrong)))?;
        let outputs: Arc<[_]> = outputs.into_iter().collect();
        self.hands.session.learn(node, |known| known.outputs = Some(Arc::clone(&outputs)));
        Ok(outputs)
    }

    fn over(&self, ready: &Ready, brought: &[Brought], outcome: Outcome) -> Result<Finished, Trouble> {
        let waited = matches!(ready.proposal.effects.first().map(|p| &p.effect), Some(Effect::Wait { .. }));
        let outputs = if waited {
            self.hands.session.known(ready.node).outputs.unwrap_or_default()
        } else {
            self.learn_outputs(ready.node, &ready.proposal, brought)?
        };
        let written: BTreeMap<String, serde_json::Value> = outputs.iter().map(|(name, value)| (name.clone(), to_json(value))).collect();
        if let Some(secret) = written.iter().find_map(|(_, value)| self.hands.session.secrets.found_in(value.to_string().as_bytes())) {
            return Err(Trouble::Failed(format!("what it found holds the secret {secret}, which is never written down")));
        }
        let now = self.hands.session.engine.clock.now();
        self.hands.session.learn(ready.node, |known| {
            known.finished = Some(now);
            known.outcome = Some(if outcome == Outcome::Unchanged { "unchanged" } else { "done" });
        });
        let reason = plan::left_out(brought).or_else(|| ready.proposal.reason.clone());
        self.hands.scribe.say(Event::StepFinished { step: ready.id.clone(), outcome, outputs: written, reason })?;
        Ok(Finished::Over(outcome))
    }

    fn failed(&self, node: Ix, wrong: Trouble) -> Finished {
        match wrong {
            Trouble::Stopped | Trouble::Missing(_) | Trouble::Dead(_) => Finished::Trouble(wrong),
            wrong => {
                let step = self.hands.session.graph.nodes[node as usize].id.clone();
                let told = self.words(&wrong);
                let wrong = if told == crate::run::hands::words(&wrong) { wrong } else { Trouble::Failed(told.clone()) };
                let reason = Some(told);
                self.hands.session.learn(node, |known| known.outcome = Some("failed"));
                match self.hands.scribe.say(Event::StepFinished { step, outcome: Outcome::Failed, outputs: BTreeMap::new(), reason }) {
                    Ok(()) => Finished::Trouble(wrong),
                    Err(dead) => Finished::Trouble(dead.into()),
                }
            }
        }
    }

    fn words(&self, wrong: &Trouble) -> String {
        let text = crate::run::hands::words(wrong);
        // Whatever a program or the system said, a secret does not get into the record.
        match self.hands.session.secrets.found_in(text.as_bytes()) {
            Some(name) => format!("a message that holds the secret {name}"),
            None => text,
        }
    }

    fn action_trouble(&self, wrong: &ActionError) -> Trouble {
        match wrong {
            ActionError::World(wrong) => trouble(wrong, &self.hands.session.sensitive),
            other => Trouble::Failed(plan::chain(other)),
        }
    }
}
