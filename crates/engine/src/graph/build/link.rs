//! What a step refers to comes before it.

use super::super::{Edge, Gx, Ix, Target, Work};
use super::{BuildError, Builder};
use crate::load::RunbookFile;
use crate::template::{self, Segment};
use model::yaml::Raw;

/// A reference that becomes an edge once every name is known.
pub(super) struct Link {
    pub(super) group: Gx,
    pub(super) to: Ix,
    pub(super) name: Vec<Segment>,
    pub(super) edge: Edge,
    /// It is no edge but fills what a step settles.
    pub(super) settles: bool,
}

impl Builder<'_> {
    pub(super) fn condition_links(&mut self, group: Gx, to: Ix, condition: Option<&str>) {
        if let Some(Ok(condition)) = condition.map(template::Condition::parse) {
            let names: Vec<Vec<Segment>> = condition.names().iter().map(|name| name.segments.clone()).collect();
            names.into_iter().for_each(|name| self.reference(group, to, &name));
        }
    }

    /// Every `steps.x` in the templates of a value, and in the bare conditions among them.
    pub(super) fn value_links(&mut self, group: Gx, to: Ix, document: &RunbookFile, raw: Raw) {
        let mut stack = vec![(raw, false)];
        while let Some((raw, bare)) = stack.pop() {
            if let Some(text) = document.document.tree.text(raw) {
                if bare {
                    self.condition_links(group, to, Some(text));
                } else if text.contains("{{")
                    && text.contains("steps")
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

    pub(super) fn reference(&mut self, group: Gx, to: Ix, name: &[Segment]) {
        if matches!(name.first(), Some(Segment::Field(root)) if root == "steps") && name.len() > 1 {
            self.links.push(Link { group, to, name: name[1..].to_vec(), edge: Edge::Needs, settles: false });
        }
    }

    /// Every reference becomes an edge.
    pub(super) fn link(&mut self) -> Result<(), BuildError> {
        for link in std::mem::take(&mut self.links) {
            let Some(id) = link.name.first().map(Segment::as_str) else { continue };
            let wrong = |reason: String| BuildError { step: self.graph.nodes[link.to as usize].id.to_string(), reason };
            let Some(target) = self.graph.resolve(link.group, id) else {
                return Err(wrong(format!("no step is called `{id}`")));
            };
            if link.settles {
                let settled = self.graph.steps_of(target);
                if let Work::Step(step) = &mut self.graph.nodes[link.to as usize].work {
                    step.settles.extend(settled);
                }
                continue;
            }
            let keyed = match (target, link.name.get(1)) {
                (Target::Each(instances, _), Some(Segment::Key(key))) => {
                    let found = instances.iter().find(|(k, _)| k == key).map(|(_, target)| target);
                    found.ok_or_else(|| wrong(format!("`{id}` has no instance `{key}`")))?
                }
                _ => target,
            };
            let from = match keyed {
                Target::Step(node) | Target::Each(_, node) => *node,
                Target::Group(gx) => match self.graph.groups[*gx as usize].nodes {
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
}
