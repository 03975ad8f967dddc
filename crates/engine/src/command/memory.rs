//! What a session is told of what went before.

use crate::session::Session;
use model::effect::{Change, Effect};
use model::fold::{EffectFold, Run, StepStatus};
use model::id::StepId;
use model::plan::Plan;
use model::value::from_json;

/// What a plan showed to be sensitive is so from the first step on.
pub(super) fn remember_sensitive(session: &Session<'_>, plan: &Plan) {
    for effect in plan.steps.iter().chain(plan.options.iter().flat_map(|o| &o.steps)).flat_map(|step| &step.effects) {
        session.sensitive.learn(effect);
    }
}

/// What the journal tells of steps that are over.
pub(super) fn remember(session: &Session<'_>, run: &Run) {
    for step in &run.steps {
        let Some(node) = session.graph.find(step.id.as_str()) else { continue };
        let word = match step.status {
            StepStatus::Done => "done",
            StepStatus::Unchanged => "unchanged",
            StepStatus::Skipped => "skipped",
            StepStatus::Failed => "failed",
            StepStatus::Blocked => "blocked",
            StepStatus::Waiting | StepStatus::Running | StepStatus::InDoubt => continue,
        };
        session.learn(node, |known| {
            known.outcome = Some(word);
            known.started = step.started.map(|at| at.at);
            known.finished = step.finished.map(|at| at.at);
            known.attempts = step.attempts;
            known.outputs = Some(step.outputs.iter().map(|(name, json)| (name.clone(), from_json(json))).collect());
        });
        remember_effects(session, &step.id, run.effects_of(step));
    }
    for effect in &run.effects {
        for image in effect.images.iter().filter(|image| image.sealed) {
            session.sensitive.add(&image.resource);
        }
        for observed in effect.status.observed().iter().filter(|o| o.state.is_keyed()) {
            session.sensitive.add(&observed.resource);
        }
    }
}

/// What a step has set.
pub(super) fn remember_effects<'e>(session: &Session<'_>, step: &StepId, effects: impl IntoIterator<Item = &'e EffectFold>) {
    let Some(node) = session.graph.find(step.as_str()) else { return };
    for effect in effects {
        if let (Effect::Set(change), [observed, ..]) = (&effect.effect, effect.status.observed()) {
            session.changed(node, Change { after: observed.state.clone(), ..change.clone() });
        }
    }
}
