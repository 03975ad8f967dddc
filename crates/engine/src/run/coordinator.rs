//! The coordinator: what may start, what is over, and what to do when something fails or somebody wants to stop.

mod crew;
mod decide;
mod last;

use crate::context::Engine;
use crate::graph::{Graph, Gx, Ix, OnFailure, Work};
use crate::plan::of_group;
use crate::progress::Progress;
use crate::run::deadline::Deadline;
use crate::run::hands::Trouble;
use crate::run::pause::Pause;
use crate::run::scribe::{Dead, Scribe};
use crate::run::worker::{Finished, Worker};
use crate::run::{Ending, Order};
use crate::scope::Names;
use crate::stepper;
use crew::Seat;
use model::effect::Effect;
use model::event::{Event, Outcome, RunOutcome};
use model::id::StepId;
use model::plan::{Plan, PlannedStep};
use model::value::May;
use std::collections::{BTreeMap, VecDeque};
use world::action::Class;

/// A batch of more than this many files holds up too much when one of them fails.
const ROUND: usize = 64;

/// Makes a coordinator.
fn with_coordinator<'a>(
    order: &Order<'_, 'a>,
    scribe: &Scribe<'a>,
    work_on: impl FnOnce(Coordinator<'_, '_, 'a>) -> Result<Ending, Dead>,
) -> Result<Ending, Dead> {
    let graph = order.session.graph;
    let planned = planned_steps(order.plan);
    let hands = order.hands(scribe);
    let deadline = Deadline::of(order.session, scribe);
    let worker = Worker { hands: &hands, planned: &planned, cut: &order.cut, deadline: deadline.as_ref() };
    work_on(Coordinator {
        order,
        graph,
        scribe,
        worker: &worker,
        planned: &planned,
        progress: Progress::new(graph),
        running: 0,
        asking: false,
        alone: false,
        rounds: VecDeque::new(),
        asks: VecDeque::new(),
        failures: Vec::new(),
        groups: Vec::new(),
        allowed: 0,
        refused: false,
        late: false,
        pause: Pause::default(),
        dead: None,
        closed: false,
    })
}

/// What the plan says of each step: of the expected way, and of every other option.
fn planned_steps(plan: &Plan) -> BTreeMap<StepId, Vec<PlannedStep>> {
    let mut planned: BTreeMap<StepId, Vec<PlannedStep>> = BTreeMap::new();
    for step in plan.steps.iter().chain(plan.options.iter().flat_map(|option| &option.steps)) {
        planned.entry(step.id.clone()).or_default().push(step.clone());
    }
    planned
}

struct Coordinator<'c, 's, 'a> {
    order: &'c Order<'s, 'a>,
    graph: &'a Graph,
    scribe: &'c Scribe<'a>,
    worker: &'c Worker<'c, 'a>,
    planned: &'c BTreeMap<StepId, Vec<PlannedStep>>,
    progress: Progress<'a>,
    running: usize,
    /// A question is open.
    asking: bool,
    /// What runs now wants to run alone.
    alone: bool,
    /// What was started, and nobody has taken yet.
    rounds: VecDeque<Vec<Ix>>,
    /// The same, of questions.
    asks: VecDeque<Vec<Ix>>,
    /// What failed and is not decided yet.
    failures: Vec<(Ix, Trouble)>,
    /// Group instances to be taken back.
    groups: Vec<Gx>,
    /// Failures that the runbook allows.
    allowed: usize,
    /// What failed was refused before anything was intended.
    refused: bool,
    /// A step would start after the deadline.
    late: bool,
    pause: Pause,
    /// Nothing more may be done.
    dead: Option<Dead>,
    /// Nothing more will be started.
    closed: bool,
}

/// Why nothing starts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    /// Something has to be decided first, when nothing runs any more.
    ForDecision,
    /// A person pauses.
    ByPause,
}

/// What comes of a halt.
enum Verdict {
    GoOn,
    End(Ending),
    Undo(Vec<String>),
}

impl<'a> Coordinator<'_, '_, 'a> {
    fn engine(&self) -> &Engine<'a> {
        &self.order.session.engine
    }

    /// Starts what may start, unless something holds it.
    fn advance(&mut self) -> Result<Option<Held>, Dead> {
        if let Some(dead) = &self.dead {
            return Err(dead.clone());
        }
        if !self.failures.is_empty() || !self.groups.is_empty() || self.engine().stop.wished() || self.scribe.is_full() || self.late {
            return Ok(Some(Held::ForDecision));
        }
        if self.pause.holds(&self.order.session.engine, self.scribe)? {
            return Ok(Some(Held::ByPause));
        }
        self.start()?;
        Ok(None)
    }

    /// Waits until a pause is over.
    fn sit_out(&mut self) -> Result<(), Dead> {
        self.pause.sit_out(&self.order.session.engine, self.scribe)
    }

    /// What was started for somebody of this seat.
    fn take(&mut self, seat: Seat) -> Option<Vec<Ix>> {
        match seat {
            Seat::Lead => None,
            Seat::Ask => self.asks.pop_front(),
            Seat::Work => self.rounds.pop_front(),
        }
    }

    /// For how many of this seat there is something to do.
    fn waits_for(&self, seat: Seat) -> usize {
        match seat {
            Seat::Lead => usize::from(self.running == 0 || self.dead.is_some()),
            Seat::Ask => self.asks.len(),
            Seat::Work => self.rounds.len(),
        }
    }

    /// Something that was taken is over, and what waited for it may start.
    fn finished(&mut self, finished: Vec<(Ix, Finished)>) {
        self.running -= 1;
        (self.asking, self.alone) = if self.running == 0 { (false, false) } else { (self.asking, self.alone) };
        let noted = finished.into_iter().try_for_each(|(node, finished)| {
            self.asking &= !self.is_ask(node);
            self.note(node, finished)
        });
        if let Err(dead) = noted.and_then(|()| self.advance().map(drop)) {
            self.dead = Some(dead);
        }
    }

    /// How a run ends in which nothing is left to do.
    fn done(&self) -> Ending {
        if self.allowed > 0 {
            let why = vec![format!("{} failed, as the runbook allows", steps(self.allowed))];
            return Ending { outcome: RunOutcome::Done, exit: 8, why };
        }
        Ending { outcome: RunOutcome::Done, exit: 0, why: Vec::new() }
    }

    /// Starts whatever may start now.
    fn start(&mut self) -> Result<(), Dead> {
        while !self.alone {
            let Some(node) = self.progress.take() else { return Ok(()) };
            if let Some(outcome) = self.at_once(node)? {
                self.progress.finish(node, outcome);
                continue;
            }
            self.late = self.worker.is_late(node);
            if self.late {
                self.progress.put_back(node);
                return Ok(());
            }
            let ask = self.is_ask(node);
            let alone = ask && self.asks_to_change(node);
            let room =
                if ask { !self.asking && (!alone || self.running == 0) } else { self.running - usize::from(self.asking) < self.order.jobs.max(1) };
            if !room {
                self.progress.put_back(node);
                return Ok(());
            }
            let mut nodes = vec![node];
            if !ask && self.only_sets(node) {
                let share = (self.progress.ready() / self.order.jobs.max(1)).min(ROUND - 1);
                while nodes.len() <= share {
                    let fits = |ix: Ix| {
                        only_sets(self.order, self.graph, self.planned, ix)
                            && !self.progress.is_blocked(ix)
                            && !self.progress.is_skipped_with_group(ix)
                    };
                    // The borrow of `progress` in the closure ends before it is taken from.
                    let Some(next) = self.progress.peek().filter(|ix| fits(*ix)) else { break };
                    self.progress.take();
                    nodes.push(next);
                }
            }
            self.running += 1;
            self.asking |= ask;
            self.alone = alone;
            if ask { self.asks.push_back(nodes) } else { self.rounds.push_back(nodes) }
        }
        Ok(())
    }

    /// What needs no worker.
    fn at_once(&self, node: Ix) -> Result<Option<Outcome>, Dead> {
        let session = self.order.session;
        if let Some(outcome) = self.order.over.get(&self.graph.nodes[node as usize].id) {
            return Ok(Some(*outcome));
        }
        if self.progress.is_skipped_with_group(node) {
            return self.settle(node, Outcome::Skipped, "its group is not taken").map(Some);
        }
        if self.progress.is_blocked(node) {
            return self.settle(node, Outcome::Blocked, "what it needs failed").map(Some);
        }
        let finish = |outcome: Outcome, word| {
            session.learn(node, |known| known.outcome = Some(word));
            Ok(Some(outcome))
        };
        match &self.graph.nodes[node as usize].work {
            Work::Step(_) => Ok(None),
            Work::Unwanted => self.settle(node, Outcome::Skipped, "this client skips it").map(Some),
            Work::Join => finish(Outcome::Done, "done"),
            Work::Enter(inner) => {
                let entered = || if session.enter(*inner).is_ok() { finish(Outcome::Done, "done") } else { finish(Outcome::Failed, "failed") };
                let Some(when) = &self.graph.groups[*inner as usize].when else { return entered() };
                let names = Names { session, group: self.graph.nodes[node as usize].group, more: &[] };
                match stepper::judge(when, &names) {
                    Ok(May::Known(true)) => entered(),
                    Ok(May::Known(false)) => finish(Outcome::Skipped, "skipped"),
                    Ok(May::Unknown { .. }) | Err(_) => finish(Outcome::Failed, "failed"),
                }
            }
            Work::Exit(inner) => match of_group(session, *inner) {
                Ok(outputs) => {
                    session.learn(node, |known| known.outputs = Some(outputs.into_iter().collect()));
                    finish(Outcome::Done, "done")
                }
                Err(_) => finish(Outcome::Failed, "failed"),
            },
        }
    }

    /// A step that does not start: said once.
    fn settle(&self, node: Ix, outcome: Outcome, reason: &str) -> Result<Outcome, Dead> {
        let step = self.graph.nodes[node as usize].id.clone();
        self.order.session.learn(node, |known| known.outcome = Some(if outcome == Outcome::Skipped { "skipped" } else { "blocked" }));
        let is_step = matches!(self.graph.nodes[node as usize].work, Work::Step(_) | Work::Unwanted);
        let said = self.scribe.fold(|fold| fold.step(&step).is_some()).unwrap_or(false);
        if is_step && !said {
            self.scribe.say(Event::StepFinished { step, outcome, outputs: BTreeMap::new(), reason: Some(reason.to_owned()) })?;
        }
        Ok(outcome)
    }

    fn note(&mut self, node: Ix, finished: Finished) -> Result<(), Dead> {
        match finished {
            Finished::Over(outcome) => self.progress.finish(node, outcome),
            Finished::Trouble(Trouble::Dead(dead)) => return Err(dead),
            Finished::Trouble(wrong) => {
                let policy = self.graph.step(node).map_or(OnFailure::Stop, |step| step.about.on_failure);
                let stops = matches!(wrong, Trouble::Stopped | Trouble::Missing(_) | Trouble::Moved { .. });
                match policy {
                    OnFailure::Continue if !stops => {
                        self.allowed += 1;
                        self.progress.finish(node, Outcome::Failed);
                    }
                    OnFailure::UndoGroup if !stops => {
                        self.allowed += 1;
                        self.progress.finish(node, Outcome::Failed);
                        if let Some(group) = self.graph.undo_group(node).filter(|group| !self.groups.contains(group)) {
                            self.groups.push(group);
                        }
                    }
                    _ => {
                        let nothing_yet = self.scribe.fold(|fold| fold.effects.is_empty()).unwrap_or(true);
                        self.refused = nothing_yet && matches!(wrong, Trouble::Unfit(_) | Trouble::Moved { .. } | Trouble::Failed(_));
                        self.failures.push((node, wrong));
                    }
                }
            }
        }
        Ok(())
    }

    fn is_ask(&self, node: Ix) -> bool {
        self.first_ask(node).is_some()
    }

    fn asks_to_change(&self, node: Ix) -> bool {
        self.first_ask(node).is_some_and(|ask| ask.may_change)
    }

    fn first_ask(&self, node: Ix) -> Option<&model::effect::Ask> {
        let planned = self.planned.get(&self.graph.nodes[node as usize].id)?;
        planned.iter().flat_map(|p| &p.effects).find_map(|effect| if let Effect::Ask(ask) = effect { Some(ask) } else { None })
    }

    fn only_sets(&self, node: Ix) -> bool {
        only_sets(self.order, self.graph, self.planned, node)
    }
}

/// Whether a step can be done in one round with others: it sets one resource, and failing is no matter of its own.
fn only_sets(order: &Order<'_, '_>, graph: &Graph, planned: &BTreeMap<StepId, Vec<PlannedStep>>, node: Ix) -> bool {
    let Some(step) = graph.step(node) else { return false };
    let single = |p: &PlannedStep| matches!(p.effects.as_slice(), [Effect::Set(_)] | []);
    order.session.engine.kinds[step.kind].class == Class::Set
        && step.about.attempts <= 1
        && !step.about.point_of_no_return
        && !order.over.contains_key(&graph.nodes[node as usize].id)
        && planned.get(&graph.nodes[node as usize].id).is_some_and(|all| all.iter().all(single))
}

fn steps(count: usize) -> String {
    format!("{count} step{}", if count == 1 { "" } else { "s" })
}

/// Runs, and writes the last line.
///
/// # Errors
/// Nothing more may be done.
pub(crate) fn run<'a>(order: &Order<'_, 'a>, scribe: &Scribe<'a>) -> Result<Ending, Dead> {
    let ending = with_coordinator(order, scribe, |coordinator| {
        let (ending, mut coordinator) = crew::work(coordinator)?;
        coordinator.last(ending)
    })?;
    let ended = Event::RunEnded { outcome: ending.outcome, exit: ending.exit };
    if world::planted::bug(30) {
        scribe.say(ended)?;
    } else {
        scribe.commit(vec![ended])?;
    }
    crate::history::seal(&order.session.engine, scribe)?;
    Ok(ending)
}

/// A run whose undo is over: its `finally`, then its last line.
///
/// # Errors
/// Nothing more may be done.
pub(crate) fn finish_undone<'a>(order: &Order<'_, 'a>, scribe: &Scribe<'a>, undone: &Ending) -> Result<Ending, Dead> {
    let ending = match undone.exit {
        0 => Ending { outcome: RunOutcome::Undone, exit: 5, why: undone.why.clone() },
        _ => Ending { outcome: RunOutcome::Failed, exit: 1, why: undone.why.clone() },
    };
    let ending = with_coordinator(order, scribe, |mut coordinator| coordinator.last(ending))?;
    scribe.commit(vec![Event::RunEnded { outcome: ending.outcome, exit: ending.exit }])?;
    crate::history::seal(&order.session.engine, scribe)?;
    Ok(ending)
}
