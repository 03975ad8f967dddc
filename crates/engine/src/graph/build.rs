//! From documents to the flat graph.

mod action;
mod known;
mod link;

use super::{Edge, Graph, Group, Gx, Ix, Node, OnFailure, Target, Values, Work};
use crate::load::{RUNBOOK, RunbookFile};
use crate::template::{self, Segment};
use known::Known;
use link::Link;
use model::id::StepId;
use model::step;
use model::value::Value;
use model::yaml::{OneOf, Raw};
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use world::action::Kind;

/// What a graph is made of.
pub struct Material<'a> {
    /// The runbook, then those that it uses.
    pub documents: Vec<Arc<RunbookFile>>,
    /// What expressions see.
    pub values: Arc<Values>,
    /// The actions that there are.
    pub kinds: &'a [Kind],
    /// Steps that this client skips.
    pub skip: HashSet<String>,
    /// Timeouts of this client.
    pub timeouts: HashMap<String, Duration>,
}

/// Why there is no graph. What `check` finds first is not told again.
#[derive(Debug, thiserror::Error)]
#[error("{step}: {reason}")]
pub struct BuildError {
    /// At which step.
    pub step: String,
    /// Why.
    pub reason: String,
}

impl Graph {
    /// The flat graph of a checked runbook.
    ///
    /// # Errors
    /// A `foreach` is no list, a key is not unique, or a name is not there.
    pub fn build(material: &Material<'_>) -> Result<Self, BuildError> {
        let root = Group {
            id: StepId::new(""),
            parent: None,
            nodes: None,
            when: None,
            each: None,
            inside: HashMap::new(),
            outputs: Vec::new(),
            on_failure: None,
            values: 0,
            inputs: None,
            document: 0,
            closed: true,
        };
        let graph = Self {
            nodes: Vec::new(),
            groups: vec![root],
            edges: DiGraph::default(),
            documents: material.documents.clone(),
            values: Arc::clone(&material.values),
            by_id: HashMap::new(),
        };
        let mut builder = Builder { material, graph, statics: vec![Arc::clone(&material.values)], owner: vec![0], links: Vec::new(), depth: 0 };
        let document = Arc::clone(&material.documents[0]);
        let on_failure = document.document.form.on_failure.map_or(OnFailure::Stop, |at| policy(at.value));
        builder.list(Here { group: 0, on_failure, last: None }, &document.document.form.steps, None, &[])?;
        builder.list(Here { group: 0, on_failure: OnFailure::Continue, last: Some(0) }, &document.document.form.finally, None, &[])?;
        builder.link()?;
        Ok(builder.graph)
    }
}

struct Builder<'a> {
    material: &'a Material<'a>,
    graph: Graph,
    /// For each group from a file what is known of its values already.
    statics: Vec<Arc<Values>>,
    /// For each group the place of its values in `statics`.
    owner: Vec<usize>,
    links: Vec<Link>,
    depth: usize,
}

/// Where a step stands.
#[derive(Clone, Copy)]
struct Here {
    group: Gx,
    /// What happens when it fails, unless it says otherwise.
    on_failure: OnFailure,
    /// The group whose `finally` it belongs to.
    last: Option<Gx>,
}

/// Where something begins and ends in the graph.
struct Span {
    entries: Vec<Ix>,
    exit: Ix,
    /// Everything in it that can fail.
    all: Vec<Ix>,
}

impl Builder<'_> {
    fn node(&mut self, id: &StepId, work: Work, group: Gx, last: Option<Gx>) -> Ix {
        let ix = self.graph.nodes.len() as Ix;
        if !matches!(work, Work::Enter(_)) {
            self.graph.by_id.insert(id.clone(), ix);
        }
        self.graph.nodes.push(Node { id: id.clone(), work, group, last });
        self.graph.edges.add_node(());
        ix
    }

    /// Two edges between two nodes are as good as one.
    fn edge(&mut self, from: Ix, to: Ix, edge: Edge) {
        self.graph.edges.add_edge(NodeIndex::new(from as usize), NodeIndex::new(to as usize), edge);
    }

    /// The steps of one group. Gives every node in it that can fail.
    fn list(&mut self, here: Here, steps: &[step::Step], enter: Option<Ix>, before_last: &[Ix]) -> Result<Vec<Ix>, BuildError> {
        let group = here.group;
        let mut spans: Vec<Span> = Vec::new();
        for step in steps {
            let span = self.step(here, step)?;
            spans.push(span);
        }
        for (at, step) in steps.iter().enumerate() {
            let entries = spans[at].entries.clone();
            match &step.needs {
                None if at > 0 => {
                    let before = spans[at - 1].exit;
                    entries.iter().for_each(|entry| self.edge(before, *entry, Edge::After));
                }
                None => {}
                Some(needs) => {
                    for need in needs {
                        for entry in &entries {
                            self.links.push(Link {
                                group,
                                to: *entry,
                                name: vec![Segment::Field(need.value.to_string())],
                                edge: Edge::Needs,
                                settles: false,
                            });
                        }
                    }
                }
            }
            for settled in step.settles.iter().flatten() {
                for entry in &entries {
                    self.links.push(Link {
                        group,
                        to: *entry,
                        name: vec![Segment::Field(settled.value.to_string())],
                        edge: Edge::Needs,
                        settles: false,
                    });
                }
            }
            if let Some(enter) = enter {
                entries.iter().for_each(|entry| self.edge(enter, *entry, Edge::After));
            }
            // What runs last comes after everything, whatever became of it.
            for before in before_last {
                entries.iter().for_each(|entry| self.edge(*before, *entry, Edge::After));
            }
        }
        Ok(spans.into_iter().flat_map(|span| span.all).collect())
    }

    fn step(&mut self, here: Here, step: &step::Step) -> Result<Span, BuildError> {
        let here = Here { on_failure: step.on_failure.map_or(here.on_failure, |at| policy(at.value)), ..here };
        let group = here.group;
        let local = step.id.value.to_string();
        let full = self.full(group, &local);
        let Some(foreach) = &step.foreach else {
            let (target, span) = self.one(here, step, &full, None)?;
            self.graph.groups[group as usize].inside.insert(local, target);
            return Ok(span);
        };
        let Some((name, list)) = foreach.value.0.first() else { return Err(self.wrong(&full, "`foreach` names nothing")) };
        let items = self.evaluate(group, &full, *list, None)?;
        let Value::Sequence(items) = items else { return Err(self.wrong(&full, "`foreach` goes through a list")) };
        let join = StepId::new(&full);
        let (mut instances, mut spans): (Vec<(String, Target)>, Vec<Span>) = (Vec::new(), Vec::new());
        for (at, item) in items.into_iter().enumerate() {
            let each = (name.value.to_string(), item);
            let key = match step.key {
                Some(key) => self.evaluate(group, &full, key, Some(&each))?,
                None => match &each.1 {
                    Value::String(text) => Value::String(text.clone()),
                    _ => Value::from(at),
                },
            };
            let key = scalar(&key).ok_or_else(|| self.wrong(&full, "a key is text"))?;
            if instances.iter().any(|(other, _)| *other == key) {
                return Err(self.wrong(&full, &format!("the key `{key}` stands twice")));
            }
            let (target, span) = self.one(here, step, &format!("{full}[{key}]"), Some(each))?;
            instances.push((key, target));
            spans.push(span);
        }
        let together = step.max_parallel.map_or(1, |at| at.value.max(1) as usize);
        for at in together..spans.len() {
            let before = spans[at - together].exit;
            spans[at].entries.clone().into_iter().for_each(|entry| self.edge(before, entry, Edge::After));
        }
        let join = self.node(&join, Work::Join, group, here.last);
        let (mut entries, mut all) = (Vec::new(), Vec::new());
        for span in spans {
            self.edge(span.exit, join, Edge::Needs);
            entries.extend(span.entries);
            all.extend(span.all);
        }
        if entries.is_empty() {
            entries.push(join);
        }
        all.push(join);
        self.graph.groups[group as usize].inside.insert(local, Target::Each(instances, join));
        Ok(Span { entries, exit: join, all })
    }

    /// One step or one instance of it.
    fn one(&mut self, here: Here, step: &step::Step, full: &str, each: Option<(String, Value)>) -> Result<(Target, Span), BuildError> {
        let skipped = step.is_optional() && self.material.skip.contains(step.id.value.as_ref());
        let id = StepId::new(full);
        let alone = |node| (Target::Step(node), Span { entries: vec![node], exit: node, all: vec![node] });
        if skipped {
            return Ok(alone(self.node(&id, Work::Unwanted, here.group, here.last)));
        }
        match step.body() {
            step::Body::Action { kind, .. } if kind.value.as_ref() == RUNBOOK => self.file(here, step, &id, each),
            step::Body::Action { kind, .. } => {
                let group = if each.is_some() { self.group(here, &id, each, None, None) } else { here.group };
                Ok(alone(self.action(Here { group, ..here }, step, kind.value.as_ref(), &id)?))
            }
            step::Body::Group(steps) => {
                let when = step.when.as_ref().map(|at| at.value.to_string());
                let gx = self.group(here, &id, each, when, None);
                let outputs = step.outputs.iter().filter_map(|(name, out)| Some((name.value.to_string(), raw_of(out)?))).collect();
                self.graph.groups[gx as usize].outputs = outputs;
                let enter = self.node(&id, Work::Enter(gx), here.group, here.last);
                self.condition_links(here.group, enter, step.when.as_ref().map(|at| at.value.as_ref()));
                let all = self.list(Here { group: gx, ..here }, steps, Some(enter), &[])?;
                self.close(here, gx, (enter, all), &step.finally)
            }
        }
    }

    /// The end of a group: its `finally`, then its exit.
    fn close(&mut self, here: Here, gx: Gx, (enter, mut all): (Ix, Vec<Ix>), finally: &[step::Step]) -> Result<(Target, Span), BuildError> {
        let last = Here { group: gx, on_failure: OnFailure::Continue, last: Some(here.last.unwrap_or(gx)) };
        let ends = self.list(last, finally, Some(enter), &all)?;
        all.extend(ends);
        let id = self.graph.groups[gx as usize].id.clone();
        let exit = self.node(&id, Work::Exit(gx), here.group, here.last);
        for node in &all {
            self.edge(*node, exit, Edge::Needs);
        }
        self.edge(enter, exit, Edge::Needs);
        self.graph.groups[gx as usize].nodes = Some((enter, exit));
        all.push(exit);
        Ok((Target::Group(gx), Span { entries: vec![enter], exit, all }))
    }

    fn group(&mut self, here: Here, id: &StepId, each: Option<(String, Value)>, when: Option<String>, file: Option<(usize, Option<Raw>)>) -> Gx {
        let parent = here.group;
        let gx = self.graph.groups.len() as Gx;
        let around = &self.graph.groups[parent as usize];
        self.graph.groups.push(Group {
            id: id.clone(),
            parent: Some(parent),
            nodes: None,
            when,
            each,
            inside: HashMap::new(),
            outputs: Vec::new(),
            on_failure: Some(here.on_failure),
            values: if file.is_some() { gx } else { around.values },
            inputs: file.and_then(|(_, inputs)| inputs),
            document: file.map_or(around.document, |(document, _)| document),
            closed: file.is_some(),
        });
        let owner = self.owner[parent as usize];
        self.owner.push(owner);
        gx
    }

    /// A group from a file: it sees only what it is given.
    fn file(&mut self, here: Here, step: &step::Step, id: &StepId, each: Option<(String, Value)>) -> Result<(Target, Span), BuildError> {
        self.depth += 1;
        if self.depth > 8 {
            return Err(self.wrong(id.as_str(), "runbooks within runbooks go eight deep at most"));
        }
        let around = if each.is_some() { self.group(here, id, each, None, None) } else { here.group };
        let caller = Arc::clone(&self.graph.documents[self.graph.groups[here.group as usize].document]);
        let called = step.action.as_ref().and_then(|action| caller.calls.get(&action.node));
        let place = *called.ok_or_else(|| self.wrong(id.as_str(), "its runbook was not read"))?;
        let inputs = step.with.and_then(|with| caller.document.tree.get(with, "inputs"));
        let document = Arc::clone(&self.graph.documents[place]);
        let when = step.when.as_ref().map(|at| at.value.to_string());
        let here = Here { group: around, ..here };
        let gx = self.group(here, id, None, when, Some((place, inputs)));
        let known = self.known_inputs(around, inputs, &caller, &document);
        self.owner[gx as usize] = self.statics.len();
        self.statics.push(Arc::new(known));
        let outputs = document.document.form.outputs.iter().map(|(name, raw)| (name.value.to_string(), *raw)).collect();
        self.graph.groups[gx as usize].outputs = outputs;
        let enter = self.node(id, Work::Enter(gx), around, here.last);
        self.condition_links(around, enter, step.when.as_ref().map(|at| at.value.as_ref()));
        if let Some(inputs) = inputs {
            self.value_links(around, enter, &caller, inputs);
        }
        let on_failure = document.document.form.on_failure.map_or(here.on_failure, |at| policy(at.value));
        let all = self.list(Here { group: gx, on_failure, ..here }, &document.document.form.steps, Some(enter), &[])?;
        let closed = self.close(here, gx, (enter, all), &document.document.form.finally);
        self.depth -= 1;
        closed
    }

    /// Of the inputs of a group from a file those that are known before the run.
    fn known_inputs(&self, around: Gx, inputs: Option<Raw>, here: &RunbookFile, document: &RunbookFile) -> Values {
        let mut known = Values { client: self.statics[self.owner[around as usize]].client.clone(), ..Values::default() };
        for (name, definition) in document.document.form.inputs.iter() {
            if let Some(default) = definition.default {
                known.inputs.insert(name.value.to_string(), document.document.tree.value(default));
            }
        }
        let names = Known { builder: self, group: around, each: None };
        for (key, value) in inputs.into_iter().flat_map(|inputs| here.document.tree.entries(inputs)) {
            if let (Some(key), Ok(value)) = (here.document.tree.text(key), template::render(here.document.tree.value(value), &names)) {
                known.inputs.insert(key.to_owned(), value);
            }
        }
        crate::values::known_vars(document, &mut known);
        known
    }

    fn evaluate(&self, group: Gx, step: &str, raw: Raw, each: Option<&(String, Value)>) -> Result<Value, BuildError> {
        let document = &self.graph.documents[self.graph.groups[group as usize].document];
        let names = Known { builder: self, group, each };
        template::render(document.document.tree.value(raw), &names).map_err(|wrong| self.wrong(step, &wrong.message))
    }

    fn full(&self, group: Gx, local: &str) -> String {
        let around = self.graph.groups[group as usize].id.as_str();
        if around.is_empty() { local.to_owned() } else { format!("{around}/{local}") }
    }

    #[expect(clippy::unused_self, reason = "reads better where it is called")]
    fn wrong(&self, step: &str, reason: &str) -> BuildError {
        BuildError { step: step.to_owned(), reason: reason.to_owned() }
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(bool) => Some(bool.to_string()),
        _ => None,
    }
}

fn policy(word: step::OnFailure) -> OnFailure {
    match word {
        step::OnFailure::Stop => OnFailure::Stop,
        step::OnFailure::Undo => OnFailure::Undo,
        step::OnFailure::Continue => OnFailure::Continue,
        step::OnFailure::UndoGroup => OnFailure::UndoGroup,
    }
}

fn raw_of(output: &OneOf<Raw, step::OutputDef>) -> Option<Raw> {
    match output {
        OneOf::Short(raw) => Some(*raw),
        OneOf::Map(definition) => Some(definition.from),
    }
}
