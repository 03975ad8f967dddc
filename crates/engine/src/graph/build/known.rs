//! The names that are known while the graph is made.

use super::super::Gx;
use super::Builder;
use crate::template::{Found, Scope, Segment};
use model::value::Value;

/// The names that are known before the run: what `foreach` and `key` may use.
pub(super) struct Known<'b, 'a> {
    pub(super) builder: &'b Builder<'a>,
    pub(super) group: Gx,
    pub(super) each: Option<&'b (String, Value)>,
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
