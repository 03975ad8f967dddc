//! What people will be asked, as far as it is known before anything begins.

use crate::graph::{Graph, Work};
use crate::people::EvidenceWanted;
use model::effect::{Ask, Effect};
use model::id::StepId;
use model::plan::{Decision, Plan, PlannedStep};
use world::action::{Class, Kind};

/// A question that is known, with the step that asks it and what is to be attached.
pub type Asked = (StepId, Ask, Vec<EvidenceWanted>);

/// The questions of a plan or an undo.
#[derive(Debug, Default)]
pub struct Questions {
    /// Those that are known. A step may ask otherwise in each of the options that a person has.
    pub asked: Vec<Asked>,
    /// All steps that may ask, those whose questions are not known too.
    pub steps: Vec<StepId>,
    /// Steps and groups that this client skips.
    skipped: Vec<StepId>,
}

impl Questions {
    pub(crate) fn new(graph: &Graph, kinds: &[Kind], asked: Vec<Asked>) -> Self {
        let (mut steps, mut skipped) = (Vec::new(), Vec::new());
        for node in &graph.nodes {
            match &node.work {
                Work::Step(step) if matches!(kinds[step.kind].class, Class::Ask | Class::Opaque) => steps.push(node.id.clone()),
                Work::Unwanted => skipped.push(node.id.clone()),
                Work::Step(_) | Work::Enter(_) | Work::Exit(_) | Work::Join => {}
            }
        }
        Self { asked, steps, skipped }
    }

    /// Whether a step of this name may ask, or would if this client did not skip it.
    pub fn may_ask(&self, name: &str) -> bool {
        let skipped = |id: &StepId| name.strip_prefix(id.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '[']));
        self.steps.iter().any(|id| id.as_str() == name) || self.skipped.iter().any(skipped)
    }
}

/// The questions of the steps that a plan takes.
pub(crate) fn asked(graph: &Graph, plan: &Plan) -> Vec<Asked> {
    plan.steps.iter().filter(|step| step.decision != Decision::Skip).flat_map(|step| of(graph, step)).collect()
}

/// The questions of the steps that only another option takes.
pub(crate) fn otherwise(graph: &Graph, plan: &Plan) -> Vec<Asked> {
    plan.options.iter().flat_map(|option| &option.steps).flat_map(|step| of(graph, step)).collect()
}

fn of(graph: &Graph, step: &PlannedStep) -> Vec<Asked> {
    let asks = step.effects.iter().filter_map(|effect| if let Effect::Ask(ask) = effect { Some(ask) } else { None });
    asks.map(|ask| (step.id.clone(), ask.clone(), evidence(graph, &step.id))).collect()
}

/// What is to be attached to a step.
pub(crate) fn evidence(graph: &Graph, step: &StepId) -> Vec<EvidenceWanted> {
    let step = graph.find(step.as_str()).and_then(|node| graph.step(node));
    step.map(|step| step.about.evidence.clone()).unwrap_or_default()
}
