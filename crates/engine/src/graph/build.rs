//! From documents to the flat graph.

use super::{Definition, Edge, Graph, Group, Gx, Ix, Node, OnFailure, Outage, Step, Target, Undo, Values, Work};
use crate::load::{RUNBOOK, RunbookFile};
use crate::people::EvidenceWanted;
use crate::template::{self, Found, Scope, Segment};
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

/// A reference that becomes an edge once every name is known.
struct Link {
    group: Gx,
    to: Ix,
    name: Vec<Segment>,
    edge: Edge,
    /// It is no edge but fills what a step settles.
    settles: bool,
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
            if let (Some(key), Ok(value)) = (here.document.tree.text(key), template::render(&here.document.tree.value(value), &names)) {
                known.inputs.insert(key.to_owned(), value);
            }
        }
        crate::values::known_vars(document, &mut known);
        known
    }

    fn action(&mut self, here: Here, step: &step::Step, kind: &str, id: &StepId) -> Result<Ix, BuildError> {
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
        let outputs = step.outputs.iter().filter_map(|(name, out)| Some((name.value.to_string(), raw_of(out)?)));
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
        let used = with.into_iter().chain(done_when.iter().filter_map(|(_, with)| *with)).chain(outputs.iter().map(|(_, raw)| *raw)).chain(undo_with);
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

    fn kind(&self, name: &str, id: &StepId) -> Result<usize, BuildError> {
        let found = self.material.kinds.iter().position(|kind| kind.name == name);
        found.ok_or_else(|| self.wrong(id.as_str(), &format!("no action is called `{name}`")))
    }

    fn condition_links(&mut self, group: Gx, to: Ix, condition: Option<&str>) {
        if let Some(Ok(condition)) = condition.map(template::Condition::parse) {
            let names: Vec<Vec<Segment>> = condition.names().iter().map(|name| name.segments.clone()).collect();
            names.into_iter().for_each(|name| self.reference(group, to, &name));
        }
    }

    /// Every `steps.x` in the templates of a value, and in the bare conditions among them.
    fn value_links(&mut self, group: Gx, to: Ix, document: &RunbookFile, raw: Raw) {
        let mut stack = vec![(raw, false)];
        while let Some((raw, bare)) = stack.pop() {
            if let Some(text) = document.document.tree.text(raw) {
                if bare {
                    self.condition_links(group, to, Some(text));
                } else if text.contains("{{")
                    && let Ok(text) = template::Text::parse(text)
                {
                    let names: Vec<Vec<Segment>> = text.names().map(|name| name.segments.clone()).collect();
                    names.into_iter().for_each(|name| self.reference(group, to, &name));
                }
                continue;
            }
            let entries: Vec<(Raw, Raw)> = document.document.tree.entries(raw).collect();
            for (key, value) in entries {
                let bare = matches!(document.document.tree.text(key), Some("that" | "fail_when"));
                stack.push((value, bare));
            }
            stack.extend(document.document.tree.items(raw).map(|item| (item, false)));
        }
    }

    fn reference(&mut self, group: Gx, to: Ix, name: &[Segment]) {
        if matches!(name.first(), Some(Segment::Field(root)) if root == "steps") && name.len() > 1 {
            self.links.push(Link { group, to, name: name[1..].to_vec(), edge: Edge::Needs, settles: false });
        }
    }

    /// Every reference becomes an edge.
    fn link(&mut self) -> Result<(), BuildError> {
        for link in std::mem::take(&mut self.links) {
            let Some(id) = link.name.first().map(Segment::as_str) else { continue };
            let to = self.graph.nodes[link.to as usize].id.to_string();
            let Some(target) = self.graph.resolve(link.group, id).cloned() else {
                return Err(self.wrong(&to, &format!("no step is called `{id}`")));
            };
            if link.settles {
                let settled = self.graph.steps_of(&target);
                if let Work::Step(step) = &mut self.graph.nodes[link.to as usize].work {
                    step.settles.extend(settled);
                }
                continue;
            }
            let keyed = match (&target, link.name.get(1)) {
                (Target::Each(instances, _), Some(Segment::Key(key))) => {
                    let found = instances.iter().find(|(k, _)| k == key).map(|(_, target)| target.clone());
                    found.ok_or_else(|| self.wrong(&to, &format!("`{id}` has no instance `{key}`")))?
                }
                _ => target,
            };
            let from = match keyed {
                Target::Step(node) | Target::Each(_, node) => node,
                Target::Group(gx) => match self.graph.groups[gx as usize].nodes {
                    Some((_, exit)) => exit,
                    None => continue,
                },
            };
            if from != link.to {
                self.edge(from, link.to, link.edge);
            }
        }
        Ok(())
    }

    fn evaluate(&self, group: Gx, step: &str, raw: Raw, each: Option<&(String, Value)>) -> Result<Value, BuildError> {
        let document = &self.graph.documents[self.graph.groups[group as usize].document];
        let names = Known { builder: self, group, each };
        template::render(&document.document.tree.value(raw), &names).map_err(|wrong| self.wrong(step, &wrong.message))
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

/// The names that are known before the run: what `foreach` and `key` may use.
struct Known<'b, 'a> {
    builder: &'b Builder<'a>,
    group: Gx,
    each: Option<&'b (String, Value)>,
}

impl Scope for Known<'_, '_> {
    fn lookup(&self, name: &[Segment]) -> Found {
        let Some(Segment::Field(root)) = name.first() else { return Found::Missing };
        if let Some((each, value)) = self.each
            && each == root
        {
            return Found::within(value, &name[1..]);
        }
        let values = &self.builder.statics[self.builder.owner[self.group as usize]];
        if let Some(found) = values.lookup(root, &name[1..]) {
            return found;
        }
        let mut at = Some(self.group);
        while let Some(gx) = at {
            let group = &self.builder.graph.groups[gx as usize];
            match &group.each {
                Some((each, value)) if each == root => return Found::within(value, &name[1..]),
                _ => at = if group.closed { None } else { group.parent },
            }
        }
        Found::Missing
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

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(bool) => Some(bool.to_string()),
        _ => None,
    }
}
