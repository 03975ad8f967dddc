//! What a session is told of what went before.

use crate::listing;
use crate::session::Session;
use model::digest::Digest;
use model::effect::{Change, Effect};
use model::event::Observed;
use model::fold::{EffectFold, Run, StepStatus};
use model::id::StepId;
use model::plan::Plan;
use model::resource::Resource;
use model::state::State;
use model::value::from_json;
use std::io::BufReader;
use world::manifest;

/// What a plan showed to be sensitive is so from the first step on. Which files of a tree are, shows when it is looked at.
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
        for image in &effect.images {
            let before = effect.effect.changes().into_iter().find(|(resource, _)| **resource == image.resource);
            if image.sealed {
                session.sensitive.add(&image.resource);
            } else if before.is_some_and(|(_, before)| before.is_secret_tree()) {
                remember_tree(session, &image.resource, Some(&image.blob));
            }
        }
        for Observed { resource, state } in effect.status.observed() {
            match state {
                State::Tree(tree) if tree.secret => remember_tree(session, resource, tree.manifest.as_ref()),
                state if state.is_keyed() => session.sensitive.add(resource),
                _ => {}
            }
        }
        // A copy that was being made: nothing tells which of its files are secret.
        if let (Effect::Set(Change { resource, after: State::Tree(tree), .. }), true) = (&effect.effect, effect.status.open())
            && tree.secret
            && tree.content.is_none()
        {
            session.sensitive.add(resource);
        }
    }
}

/// Which files of a tree are secret, its list tells. Without it all are.
fn remember_tree(session: &Session<'_>, dir: &Resource, list: Option<&Digest>) {
    let lines = list.and_then(|list| session.engine.store.open(list).ok()).map(|list| manifest::read(BufReader::new(list)));
    let secret = lines.into_iter().flatten().filter_map(Result::ok).filter(|line| line.hmac.is_some());
    let files: Vec<Resource> = secret.map(|line| listing::inside(dir, &line.path)).collect();
    match files.as_slice() {
        [] => session.sensitive.add(dir),
        files => files.iter().filter(|file| !session.sensitive.holds(file)).for_each(|file| session.sensitive.add(file)),
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
