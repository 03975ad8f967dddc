//! The names that the expressions of a step see.

use crate::graph::{Gx, Node, Target, Work};
use crate::session::Session;
use crate::template::{Found, Scope, Segment};
use model::value::{May, Value, unknown};

/// Names as seen from a group, with a few more that only some templates see (`result`, `checks`).
pub(crate) struct Names<'s, 'a> {
    pub(crate) session: &'s Session<'a>,
    pub(crate) group: Gx,
    pub(crate) more: &'s [(&'s str, Value)],
}

impl Scope for Names<'_, '_> {
    fn lookup(&self, name: &[Segment]) -> Found {
        let Some(Segment::Field(root)) = name.first() else { return Found::Missing };
        if let Some((_, value)) = self.more.iter().find(|(more, _)| more == root) {
            return Found::within(value, &name[1..]);
        }
        let graph = self.session.graph;
        let values = self.session.values(graph.groups[self.group as usize].values);
        if let Some(found) = values.lookup(root, &name[1..]) {
            return found;
        }
        match root.as_str() {
            "run" => self.run(&name[1..]),
            "steps" => self.step(&name[1..]),
            _ => self.each(root).map_or(Found::Missing, |value| Found::within(&value, &name[1..])),
        }
    }
}

impl Names<'_, '_> {
    fn run(&self, rest: &[Segment]) -> Found {
        match rest {
            [Segment::Field(field)] if field == "id" => Found::Value(self.session.run.as_str().into()),
            [Segment::Field(field)] if field == "outcome" => match &*self.session.outcome.read().unwrap_or_else(std::sync::PoisonError::into_inner) {
                Some(May::Known(word)) => Found::Value((*word).into()),
                Some(May::Unknown { until }) => Found::Unknown { until: until.clone() },
                None => Found::Missing,
            },
            _ => Found::Missing,
        }
    }

    fn each(&self, root: &str) -> Option<Value> {
        let groups = &self.session.graph.groups;
        let mut at = Some(self.group);
        while let Some(gx) = at {
            let group = &groups[gx as usize];
            if let Some((name, value)) = &group.each
                && name == root
            {
                return Some(value.clone());
            }
            at = if group.closed { None } else { group.parent };
        }
        None
    }

    fn step(&self, rest: &[Segment]) -> Found {
        let graph = self.session.graph;
        let Some(Segment::Field(id)) = rest.first() else { return Found::Missing };
        let Some(mut target) = graph.resolve(self.group, id) else { return Found::Missing };
        let mut rest = &rest[1..];
        if let (Target::Each(instances, _), Some(Segment::Key(key))) = (target, rest.first()) {
            let Some((_, instance)) = instances.iter().find(|(k, _)| k == key) else { return Found::Missing };
            target = instance;
            rest = &rest[1..];
        }
        let node = match target {
            Target::Step(node) => *node,
            Target::Group(group) => match graph.groups[*group as usize].nodes {
                Some((_, exit)) => exit,
                None => return Found::Missing,
            },
            Target::Each(..) => return Found::Missing,
        };
        let known = self.session.known(node);
        if let Some(Segment::Field(field)) = rest.first()
            && field == "step"
        {
            return match rest.get(1) {
                Some(fact) => fact_of(&known, fact.as_str(), &graph.nodes[node as usize]),
                None => Found::Missing,
            };
        }
        match (&known.outputs, known.outcome) {
            // A skipped step has every output, and each is none.
            (_, Some("skipped")) => Found::Value(Value::Null),
            (Some(outputs), _) => match rest.first() {
                Some(Segment::Field(field)) => match outputs.iter().find(|(name, _)| name == field) {
                    Some((_, value)) => Found::within(value, &rest[1..]),
                    None => known.until.map_or(Found::Missing, |until| Found::Unknown { until }),
                },
                _ => Found::Value(Value::Mapping(outputs.iter().map(|(k, v)| (Value::from(k.as_str()), v.clone())).collect())),
            },
            (None, _) => known.until.map_or(Found::Missing, |until| Found::Unknown { until }),
        }
    }
}

fn fact_of(known: &crate::session::Known, fact: &str, node: &Node) -> Found {
    let is_imagined = matches!(node.work, Work::Step(_)) && known.started.is_none() && !matches!(known.outcome, Some("skipped" | "blocked"));
    if is_imagined && matches!(fact, "started" | "finished" | "attempts") {
        return Found::Unknown { until: node.id.clone() };
    }
    let value = match fact {
        "started" => known.started.map(|at| Value::from(at.to_string())),
        "finished" => known.finished.map(|at| Value::from(at.to_string())),
        "attempts" => Some(Value::from(known.attempts)),
        "outcome" => known.outcome.map(Value::from),
        _ => return Found::Missing,
    };
    match (value, &known.until) {
        (_, Some(until)) => Found::Value(unknown(until)),
        (Some(value), None) => Found::Value(value),
        (None, None) => Found::Value(Value::Null),
    }
}
