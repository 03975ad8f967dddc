//! Secrets that people gave to a run that was cut off. Nothing keeps them, so they are asked for again.

use super::Refusal;
use crate::graph::{Edge, Work};
use crate::people::{Given, Question};
use crate::session::Session;
use model::effect::{Ask, Effect, Field, FieldType, Form};
use model::event::Outcome;
use model::fold::{EffectStatus, Run};
use model::id::StepId;
use std::collections::{BTreeMap, BTreeSet};

/// Asks for what steps that are not over need of forms that are. What is given must be what was given then.
pub(super) fn ask_again(session: &Session<'_>, run: &Run, over: &BTreeMap<StepId, Outcome>) -> Result<(), Refusal> {
    let mut wrong = Vec::new();
    for effect in &run.effects {
        let (Effect::Ask(ask), EffectStatus::Answered { answers, .. }) = (&effect.effect, &effect.status) else { continue };
        let Form::Fields { fields, .. } = &ask.form else { continue };
        // It is compared with what was given: no need to enter it twice, or to compare it with anything else.
        let again = |field: &Field| Field { twice: false, same_as: None, ..field.clone() };
        let fields: Vec<Field> = fields.iter().filter(|field| field.kind == FieldType::Secret).map(again).collect();
        if fields.is_empty() || !over.contains_key(&effect.step) || !is_needed(session, &effect.step, over) {
            continue;
        }
        let form = Form::Fields { instructions: Vec::new(), fields };
        let ask = Ask { form, show: BTreeMap::new(), changes: Vec::new(), may_change: false };
        let title = Some("The run goes on with what was given here before it was cut off");
        let question = Question { step: &effect.step, title, ask: &ask, evidence: &[], again: true, reveal: &|_| None };
        for (name, given) in session.engine.people.ask(&question)?.given {
            let Given::Secret(value) = given else { continue };
            let full = format!("steps.{}.{name}", effect.step);
            if answers.get(&name).and_then(|answer| answer.get("fingerprint")) != Some(&session.sensitive.fingerprint(&value).into()) {
                wrong.push(format!("`{full}` is not the secret that was given before"));
            }
            session.secrets.put(&full, value);
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Refusal::Refused(wrong)) }
}

/// Whether a step that is not over needs it, or something that does.
fn is_needed(session: &Session<'_>, step: &StepId, over: &BTreeMap<StepId, Outcome>) -> bool {
    let graph = session.graph;
    let mut seen = BTreeSet::new();
    let mut due: Vec<_> = graph.find(step.as_str()).into_iter().collect();
    while let Some(node) = due.pop() {
        for next in graph.after(node).filter(|(_, edge)| *edge == Edge::Needs).map(|(next, _)| next).filter(|next| seen.insert(*next)) {
            let node = &graph.nodes[next as usize];
            if matches!(node.work, Work::Step(_)) && !over.contains_key(&node.id) {
                return true;
            }
            due.push(next);
        }
    }
    false
}
