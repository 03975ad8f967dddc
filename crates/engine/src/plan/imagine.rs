//! One pass over all steps in an imagined world.

use crate::graph::{Graph, Ix, OnFailure, Work};
use crate::plan::looked::Looked;
use crate::plan::outputs::{self, Assumed};
use crate::progress::Progress;
use crate::radius::Radius;
use crate::scope::Names;
use crate::session::Session;
use crate::stepper;
use crate::view::{Planning, Sight};
use model::effect::{Change, Effect};
use model::event::Outcome;
use model::id::StepId;
use model::plan::{Decision, PlannedStep};
use model::resource::{Resource, ResourceKind};
use model::state::State;
use model::value::May;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use world::act::Source;
use world::action::ActionError;
use world::error::WorldError;
use world::imagined::Imagined;
use world::look::Look as _;
use world::proposal::Verdict;

/// How a step uses a resource.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Use {
    pub(crate) resource: Resource,
    /// Everything below it too.
    pub(crate) whole: bool,
    /// It sets it.
    pub(crate) sets: bool,
}

/// Imagines steps one after the other.
pub(crate) struct Imaginer<'s, 'a> {
    pub(crate) session: &'s Session<'a>,
    pub(crate) graph: &'a Graph,
    pub(crate) world: Imagined<'a>,
    /// What each node would do, in the order in which they were imagined.
    done: Vec<(Ix, PlannedStep)>,
    /// What each node uses.
    pub(crate) uses: Vec<Vec<Use>>,
    /// The imagined changes in order, each with the step until which it is unknown whether it happens.
    pub(crate) changes: Vec<(Ix, Effect, Option<StepId>)>,
    /// Why the run would be refused.
    pub(crate) refused: Vec<String>,
    /// What would fail where the runbook goes on then.
    pub(crate) allowed: Vec<String>,
    /// What is wrong with the documents, each with its place in a line of its own.
    pub(crate) invalid: Vec<String>,
    programs: bool,
    looked: Arc<Looked>,
    chosen: BTreeMap<StepId, String>,
    progress: Progress<'a>,
    /// For each node the latest step at or before it that had an effect.
    acted: Vec<Option<Ix>>,
    /// For each group: until when it is unknown whether it is taken.
    maybe: Vec<Option<StepId>>,
}

impl<'s, 'a> Imaginer<'s, 'a> {
    pub(crate) fn new(session: &'s Session<'a>, graph: &'a Graph, programs: bool, chosen: BTreeMap<StepId, String>, looked: &Arc<Looked>) -> Self {
        Self {
            session,
            graph,
            world: Imagined::new(session.engine.world),
            done: Vec::new(),
            uses: vec![Vec::new(); graph.nodes.len()],
            changes: Vec::new(),
            refused: Vec::new(),
            allowed: Vec::new(),
            invalid: Vec::new(),
            programs,
            looked: Arc::clone(looked),
            chosen,
            progress: Progress::new(graph),
            acted: vec![None; graph.nodes.len()],
            maybe: vec![None; graph.groups.len()],
        }
    }

    /// The steps, in the order in which they were imagined.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (Ix, &PlannedStep)> {
        self.done.iter().map(|(ix, planned)| (*ix, planned))
    }

    /// The steps in that order, and nothing else.
    pub(crate) fn into_steps(self) -> Vec<PlannedStep> {
        self.done.into_iter().map(|(_, planned)| planned).collect()
    }

    /// Everything but the run's `finally`, or until somebody wishes to stop.
    pub(crate) fn imagine_all(&mut self, radius: &Radius) {
        while let Some(node) = self.progress.take()
            && !self.session.engine.stop.wished()
        {
            let outcome = self.imagine(node, radius);
            self.progress.finish(node, outcome);
        }
    }

    /// The run's `finally`.
    pub(crate) fn imagine_last(&mut self, radius: &Radius) {
        // Any step may fail: how the run ends is known once the last of them is over.
        let outcome = self.done.last().map_or(May::Known("done"), |(_, last)| May::Unknown { until: last.id.clone() });
        *self.session.outcome.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(outcome);
        for node in (0..self.graph.nodes.len() as Ix).filter(|ix| self.graph.ends_run(*ix)) {
            let outcome = self.imagine(node, radius);
            self.progress.finish(node, outcome);
        }
    }

    fn imagine(&mut self, node: Ix, radius: &Radius) -> Outcome {
        let acted = self.graph.before(node).filter_map(|(before, _)| self.acted[before as usize]).max();
        self.acted[node as usize] = acted;
        let group = self.graph.nodes[node as usize].group as usize;
        if self.progress.is_skipped_with_group(node) {
            return self.skip(node, "its group is not taken");
        }
        if self.progress.is_blocked(node) {
            if self.graph.step(node).is_some() {
                self.plan(node, Decision::Blocked, None, Some("what it needs fails".to_owned()));
            }
            self.session.learn(node, |known| known.outcome = Some("blocked"));
            return Outcome::Blocked;
        }
        match &self.graph.nodes[node as usize].work {
            Work::Step(step) => match self.condition(node, step.about.when.as_deref()) {
                Ok(May::Known(false)) => self.skip(node, step.about.when.as_deref().unwrap_or("its condition is false")),
                Ok(May::Known(true)) => self.step(node, self.maybe[group].clone(), radius),
                Ok(May::Unknown { until }) => self.step(node, Some(until), radius),
                Err(wrong) => self.fail(node, &wrong),
            },
            Work::Enter(inner) => {
                let when = self.graph.groups[*inner as usize].when.clone();
                match self.condition(node, when.as_deref()) {
                    Ok(May::Known(false)) => {
                        self.session.learn(node, |known| known.outcome = Some("skipped"));
                        return Outcome::Skipped;
                    }
                    Ok(May::Known(true)) => self.maybe[*inner as usize] = self.maybe[group].clone(),
                    Ok(May::Unknown { until }) => self.maybe[*inner as usize] = Some(until),
                    Err(wrong) => return self.fail(node, &wrong),
                }
                if let Err(wrong) = self.session.enter(*inner) {
                    return self.fail(node, &wrong);
                }
                Outcome::Done
            }
            Work::Exit(inner) => match outputs::of_group(self.session, *inner) {
                Ok(outputs) => {
                    let until = self.maybe[*inner as usize].clone();
                    self.session.learn(node, |known| {
                        known.outcome = Some("done");
                        known.outputs = if until.is_some() { None } else { Some(outputs.into_iter().collect()) };
                        known.until = until;
                    });
                    Outcome::Done
                }
                Err(wrong) => self.fail(node, &wrong),
            },
            Work::Join => Outcome::Done,
            Work::Unwanted => self.skip(node, "this client skips it"),
        }
    }

    fn condition(&self, node: Ix, when: Option<&str>) -> Result<May<bool>, ActionError> {
        let Some(when) = when else { return Ok(May::Known(true)) };
        stepper::judge(when, &Names { session: self.session, group: self.graph.nodes[node as usize].group, more: &[] })
    }

    fn step(&mut self, node: Ix, maybe: Option<StepId>, radius: &Radius) -> Outcome {
        let Some(step) = self.graph.step(node) else { return Outcome::Done };
        let session = self.session;
        let unknown_since = self.acted[node as usize].map(|ix| self.graph.nodes[ix as usize].id.clone());
        let sight = Sight {
            session,
            look: &self.world,
            node,
            planning: Some(Planning { unknown_since, programs: self.programs, looked: Arc::clone(&self.looked) }),
            seen: Mutex::default(),
            revealed: Mutex::default(),
        };
        let proposed = stepper::propose(&sight);
        let seen = sight.seen.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.uses[node as usize].extend(seen.into_iter().map(|(resource, whole)| Use { resource, whole, sets: false }));
        let class = session.engine.kinds[step.kind].class;
        let mut proposal = match proposed {
            Ok(proposal) => proposal,
            Err(ActionError::Unknown { until } | ActionError::World(WorldError::Unknown { until }))
                if matches!(class, world::action::Class::Check) =>
            {
                world::proposal::Proposal::later(&until)
            }
            Err(wrong) => return self.fail(node, &wrong),
        };

        if let Err(wrong) = proposal.effects.iter().try_for_each(|proposed| self.may_be_set(&proposed.effect)) {
            return self.fail(node, &wrong.into());
        }
        let id = self.graph.nodes[node as usize].id.clone();
        let mut effects = Vec::with_capacity(proposal.effects.len());
        for proposed in &proposal.effects {
            self.apply(node, &id, &proposed.effect, &proposed.source, maybe.as_ref(), radius);
            effects.push(session.sensitive.masked_effect(&proposed.effect));
        }
        if !effects.is_empty() {
            self.acted[node as usize] = Some(node);
        }
        let assumed = Assumed { chosen: self.chosen.get(&id).cloned(), step: id.clone() };
        let settled = outputs::settle(session, node, &proposal, &[], Some(&assumed));
        let mut decision = stepper::decision(class, &proposal);
        let mut until = stepper::unknown_until(&proposal);
        if let Some(maybe) = &maybe {
            decision = Decision::Unknown;
            until = Some(maybe.clone());
        }
        let mut fails = false;
        let reason = match (&proposal.verdict, &settled) {
            (Verdict::Fails { expected, found }, _) => {
                if maybe.is_none() {
                    fails = self.refuse(node, &format!("expected {expected}, found {found}"));
                }
                Some(format!("expected {expected}, found {found}"))
            }
            (_, Err(wrong)) => {
                decision = Decision::Fails;
                self.refused.push(format!("`{id}`: {wrong}"));
                Some(wrong.to_string())
            }
            (_, Ok(_)) => proposal.reason.take(),
        };
        let action = session.engine.kinds[step.kind].name.to_owned();
        self.done.push((node, PlannedStep { id, action, decision, effects, unknown_until: until, reason, difference: proposal.difference }));
        let happen = proposal.effects.into_iter().map(|proposed| proposed.effect).filter(|effect| !matches!(effect, Effect::Wait { .. }));
        self.changes.extend(happen.map(|effect| (node, effect, maybe.clone())));
        match settled {
            Ok(outputs) if !fails => {
                session.learn(node, |known| {
                    known.outcome = Some("done");
                    known.outputs = if maybe.is_some() { None } else { Some(outputs.into_iter().collect()) };
                    known.until = maybe;
                });
                Outcome::Done
            }
            Ok(_) | Err(_) => {
                self.session.learn(node, |known| known.outcome = Some("failed"));
                Outcome::Failed
            }
        }
    }

    /// A step would fail: the run is refused, unless the runbook goes on then. Whether it does.
    fn refuse(&mut self, node: Ix, why: &str) -> bool {
        let place = &self.graph.nodes[node as usize];
        let goes_on = place.last.is_none() && self.graph.step(node).is_some_and(|step| matches!(step.about.on_failure, OnFailure::Continue));
        if goes_on {
            self.allowed.push(format!("`{}` would fail, and the run would go on: {why}", place.id));
        } else {
            self.refused.push(format!("`{}`: {why}", place.id));
        }
        goes_on
    }

    /// Whether what an effect replaces is something that is ever replaced.
    fn may_be_set(&self, effect: &Effect) -> Result<(), WorldError> {
        match effect {
            Effect::Set(change) if change.resource.kind == ResourceKind::File && !matches!(change.before, State::Absent) => {
                self.world.may_be_set(&change.resource.name)
            }
            _ => Ok(()),
        }
    }

    /// An effect happens in the imagined world.
    fn apply(&mut self, node: Ix, id: &StepId, effect: &Effect, source: &Source, maybe: Option<&StepId>, radius: &Radius) {
        for (resource, _) in effect.changes() {
            let whole = !matches!(effect, Effect::Set(Change { before: State::File(_) | State::Service(_), .. }));
            self.uses[node as usize].push(Use { resource: resource.clone(), whole, sets: true });
            if !radius.allows(resource) {
                self.refused.push(format!("`{id}` would set {resource}, which the runbook does not say that it touches"));
            }
        }
        match effect {
            Effect::Set(change) => {
                self.session.changed(node, change.clone());
                match maybe {
                    None => self.world.imagine(change, source),
                    Some(until) => self.world.forget(&change.resource, until),
                }
            }
            Effect::Run { changes, .. } => changes.iter().for_each(|change| self.world.forget(&change.resource, id)),
            Effect::Ask(ask) => ask.changes.iter().for_each(|change| self.world.forget(&change.resource, id)),
            Effect::Wait { .. } => {}
        }
    }

    fn plan(&mut self, node: Ix, decision: Decision, until: Option<StepId>, reason: Option<String>) {
        let id = self.graph.nodes[node as usize].id.clone();
        let action = self.graph.step(node).map_or("", |step| self.session.engine.kinds[step.kind].name).to_owned();
        self.done.push((node, PlannedStep { id, action, decision, effects: Vec::new(), unknown_until: until, reason, difference: Vec::new() }));
    }

    fn skip(&mut self, node: Ix, reason: &str) -> Outcome {
        if matches!(self.graph.nodes[node as usize].work, Work::Step(_) | Work::Unwanted) {
            self.plan(node, Decision::Skip, None, Some(reason.to_owned()));
        }
        self.session.learn(node, |known| known.outcome = Some("skipped"));
        Outcome::Skipped
    }

    fn fail(&mut self, node: Ix, wrong: &ActionError) -> Outcome {
        let text = chain(wrong);
        let id = &self.graph.nodes[node as usize].id;
        match (wrong, self.graph.place_of_step(node)) {
            (ActionError::Unfit { at: Some(at), .. }, _) => self.invalid.push(format!("`{id}`: {text}\n{at}")),
            (ActionError::Unfit { at: None, .. } | ActionError::Unknown { .. }, Some(at)) => self.refused.push(format!("`{id}`: {text} ({at})")),
            _ => {
                self.refuse(node, &text);
            }
        }
        self.plan(node, Decision::Fails, None, Some(text));
        self.session.learn(node, |known| known.outcome = Some("failed"));
        Outcome::Failed
    }

    /// Whether the imagined world can say what a resource is.
    pub(crate) fn state(&self, resource: &Resource) -> Result<State, WorldError> {
        self.world.state(resource)
    }
}

/// An error with all its causes, in one line.
pub(crate) fn chain(wrong: &dyn std::error::Error) -> String {
    let mut text = wrong.to_string();
    let mut cause = wrong.source();
    while let Some(next) = cause {
        let more = next.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = next.source();
    }
    text
}
