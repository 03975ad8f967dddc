//! A step with an action.

use super::super::{Definition, Edge, Ix, Outage, Output, Step, Undo, Work};
use super::link::Link;
use super::{BuildError, Builder, Here};
use crate::people::EvidenceWanted;
use crate::template::Segment;
use model::id::StepId;
use model::step;
use model::yaml::OneOf;
use std::sync::Arc;
use std::time::Duration;

impl Builder<'_> {
    pub(super) fn action(&mut self, here: Here, step: &step::Step, kind: &str, id: &StepId) -> Result<Ix, BuildError> {
        let (group, with) = (here.group, step.with);
        let kind = self.kind(kind, id)?;
        let place = self.graph.groups[group as usize].document;
        let document = Arc::clone(&self.graph.documents[place]);
        let undo = match step.undo.as_deref().map(|at| &at.value) {
            None => {
                if self.material.kinds[kind].keeps {
                    Undo::Keep
                } else {
                    Undo::Auto
                }
            }
            Some(OneOf::Short(step::UndoWord::Auto)) => Undo::Auto,
            Some(OneOf::Short(step::UndoWord::Keep)) => Undo::Keep,
            Some(OneOf::Map(action)) => Undo::Action(self.kind(action.action.value.as_ref(), id)?, action.with),
        };
        let mut done_when = Vec::new();
        for check in &step.done_when {
            done_when.push((self.kind(check.action.value.as_ref(), id)?, check.with));
        }
        let outputs = step.outputs.iter().map(|(name, output)| {
            let (kind, from) = match output {
                OneOf::Short(from) => (None, *from),
                OneOf::Map(definition) => (Some(definition.kind.value), definition.from),
            };
            Output { name: name.value.to_string(), kind, from }
        });
        let retry = step.retry.as_deref().map(|at| at.value);
        let about = Definition {
            document: place,
            title: step.title.as_ref().map(|at| at.value.to_string()),
            when: step.when.as_ref().map(|at| at.value.to_string()),
            outputs: outputs.collect(),
            undo: undo.clone(),
            irreversible: step.irreversible.as_ref().map(|at| at.value.to_string()),
            gate: step.is_gate(),
            point_of_no_return: step.is_point_of_no_return(),
            on_failure: here.on_failure,
            attempts: retry.map_or(1, |retry| retry.attempts.value),
            delay: retry.and_then(|retry| retry.delay).map_or(Duration::ZERO, |span| span.duration()),
            max_delay: retry.and_then(|retry| retry.max_delay).map(|span| span.duration()),
            timeout: self.material.timeouts.get(step.id.value.as_ref()).copied().or(step.timeout.map(|at| at.value.duration())),
            takes: step
                .takes
                .as_ref()
                .map(|takes| (takes.usual.value.duration(), takes.most.map_or(takes.usual.value, |most| most.value).duration())),
            outage: step.outage.map(|at| if at.value == step::Outage::Begins { Outage::Begins } else { Outage::Ends }),
            done_when: done_when.clone(),
            evidence: step
                .evidence
                .iter()
                .map(|wanted| EvidenceWanted {
                    name: wanted.name.value.to_string(),
                    kind: format!("{:?}", wanted.kind.value).to_lowercase(),
                    required: wanted.required,
                    about: wanted.about.as_ref().map(ToString::to_string),
                })
                .collect(),
        };
        let outputs = about.outputs.clone();
        let work = Work::Step(Box::new(Step { kind, with, about: Arc::new(about), settles: Vec::new() }));
        let node = self.node(id, work, group, here.last);
        self.condition_links(group, node, step.when.as_ref().map(|at| at.value.as_ref()));
        let undo_with = if let Undo::Action(_, with) = undo { with } else { None };
        let used =
            with.into_iter().chain(done_when.iter().filter_map(|(_, with)| *with)).chain(outputs.iter().map(|output| output.from)).chain(undo_with);
        for raw in used {
            self.value_links(group, node, &document, raw);
        }
        // Steps that are named in a parameter: what looks at them again, or takes them back, comes after them.
        for named in with.and_then(|with| document.document.tree.get(with, "steps")).into_iter().flat_map(|list| document.document.tree.items(list)) {
            if let Some(name) = document.document.tree.text(named) {
                self.links.push(Link { group, to: node, name: vec![Segment::Field(name.to_owned())], edge: Edge::After, settles: false });
            }
        }
        for settled in step.settles.iter().flatten() {
            self.links.push(Link { group, to: node, name: vec![Segment::Field(settled.value.to_string())], edge: Edge::Needs, settles: true });
        }
        Ok(node)
    }

    pub(super) fn kind(&self, name: &str, id: &StepId) -> Result<usize, BuildError> {
        let found = self.material.kinds.iter().position(|kind| kind.name == name);
        found.ok_or_else(|| self.wrong(id.as_str(), &format!("no action is called `{name}`")))
    }
}
