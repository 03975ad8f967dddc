//! One step at one moment: its condition, its parameters, its proposal.

use crate::listing;
use crate::scope::Names;
use crate::template::{self, Scope};
use crate::view::Sight;
use model::effect::Effect;
use model::id::StepId;
use model::plan::Decision;
use model::resource::{Resource, ResourceKind};
use model::state::State;
use model::value::{May, Value};
use world::act::Source;
use world::action::{ActionError, Class};
use world::proposal::{Proposal, Verdict};

/// What the `with` of a step's node reads as now.
pub(crate) fn parameters(sight: &Sight<'_, '_>, with: Option<model::yaml::Raw>, document: usize) -> Result<Value, ActionError> {
    let graph = sight.session.graph;
    let Some(with) = with else { return Ok(Value::Mapping(serde_yaml::Mapping::new())) };
    let raw = graph.documents[document].document.tree.value(with);
    let names = Names { session: sight.session, group: graph.nodes[sight.node as usize].group, more: &[] };
    template::render(raw, &names).map_err(|wrong| {
        let path: Vec<String> = wrong.path.iter().map(template::Place::part).collect();
        let at = Some(graph.place_of(document, with, &path, Some(wrong.cause.at)));
        ActionError::Unfit { path, message: wrong.message, at }
    })
}

/// What a step proposes now, given what it sees.
pub(crate) fn propose(sight: &Sight<'_, '_>) -> Result<Proposal, ActionError> {
    let graph = sight.session.graph;
    let Some(step) = graph.step(sight.node) else { return Ok(Proposal::unchanged()) };
    let with = parameters(sight, step.with, step.about.document)?;
    let kinds = sight.session.engine.kinds;
    if !step.about.done_when.is_empty() && done_already(sight, step.about.document, &step.about.done_when)? == May::Known(true) {
        return Ok(Proposal::unchanged().because("already done, its checks hold"));
    }
    let mut proposal = (kinds[step.kind].propose)(&with, sight).map_err(|wrong| match (wrong, step.with) {
        (ActionError::Unfit { path, message, at: None }, Some(with)) => {
            let at = Some(graph.place_of(step.about.document, with, &path, None));
            ActionError::Unfit { path, message, at }
        }
        (wrong, _) => wrong,
    })?;
    mark_sensitive(sight, &mut proposal);
    Ok(proposal)
}

/// Whether all checks that tell that a step is done hold.
pub(crate) fn done_already(sight: &Sight<'_, '_>, document: usize, checks: &[(usize, Option<model::yaml::Raw>)]) -> Result<May<bool>, ActionError> {
    for (kind, with) in checks {
        let with = parameters(sight, *with, document)?;
        match (sight.session.engine.kinds[*kind].propose)(&with, sight)?.verdict {
            Verdict::Holds => {}
            Verdict::Later { until } => return Ok(May::Unknown { until }),
            Verdict::Fails { .. } | Verdict::Propose => return Ok(May::Known(false)),
        }
    }
    Ok(May::Known(true))
}

/// What a bare expression says.
pub(crate) fn judge(expression: &str, names: &dyn Scope) -> Result<May<bool>, ActionError> {
    let condition = template::Condition::parse(expression).map_err(|wrong| ActionError::Invalid(wrong.message))?;
    condition.eval(names).map_err(|wrong| ActionError::Invalid(wrong.message))
}

/// What is decided about a step that proposes this.
pub(crate) fn decision(class: Class, proposal: &Proposal) -> Decision {
    match &proposal.verdict {
        Verdict::Holds => Decision::Holds,
        Verdict::Fails { .. } => Decision::Fails,
        Verdict::Later { .. } => Decision::Later,
        Verdict::Propose => match proposal.effects.first().map(|p| &p.effect) {
            None if class == Class::Check => Decision::Holds,
            None => Decision::NoChange,
            Some(Effect::Set(_)) => Decision::Change,
            Some(Effect::Run { .. }) => Decision::Run,
            Some(Effect::Ask(_)) => Decision::Ask,
            Some(Effect::Wait { .. }) => Decision::Wait,
        },
    }
}

/// The step until which something of a proposal is unknown.
pub(crate) fn unknown_until(proposal: &Proposal) -> Option<StepId> {
    if let Verdict::Later { until } = &proposal.verdict {
        return Some(until.clone());
    }
    proposal.effects.iter().find_map(|p| match &p.effect {
        Effect::Set(change) => change.after.unknown_until().or(change.before.unknown_until()).cloned(),
        _ => None,
    })
}

/// Files made of a secret, copied from a sensitive one, or changed by a program or person that was given a secret, are sensitive
/// from now on.
fn mark_sensitive(sight: &Sight<'_, '_>, proposal: &mut Proposal) {
    let revealed = *sight.revealed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let sensitive = &sight.session.sensitive;
    for proposed in &mut proposal.effects {
        let Effect::Set(change) = &mut proposed.effect else {
            let files = proposed.effect.changes().into_iter().map(|(resource, _)| resource).filter(|what| what.kind == ResourceKind::File);
            if proposed.effect.is_given_secret() {
                files.for_each(|file| sensitive.add(file));
            }
            continue;
        };
        let copied = match &proposed.source {
            Source::File { path } => sensitive.any() && sensitive.holds(&Resource::file(path)),
            Source::Trees { sources, exclude, .. } if sensitive.any() => {
                // What cannot be looked at now is known when the copy is made.
                let (files, bytes) = listing::copied(sensitive, sight.look, sources, exclude, &change.resource).unwrap_or_default();
                if let State::Tree(tree) = &mut change.after
                    && files > 0
                {
                    (tree.secret, tree.bytes) = (true, tree.bytes.saturating_sub(bytes));
                }
                false
            }
            _ => false,
        };
        if change.resource.kind == ResourceKind::File && (revealed || copied) {
            sensitive.add(&change.resource);
        }
    }
    if proposal.effects.iter().any(|p| p.effect.changes().iter().any(|(resource, _)| sensitive.any() && sensitive.holds(resource))) {
        proposal.difference.clear();
    }
}
