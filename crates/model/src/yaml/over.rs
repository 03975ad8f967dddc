//! One file laid over another.

use std::{collections::HashMap, sync::Arc};

use super::{
    at::Raw,
    tree::{Node, NodeKind, Tree},
};

impl Tree {
    /// This file laid over another: of mappings in both every key is kept, of everything else this one's wins. Lists under the
    /// `joined` outermost keys are put one after the other, the other's first; entries under the `whole` ones are not mixed.
    #[must_use]
    pub fn over(self, below: &Self, joined: &[&str], whole: &[&str]) -> Self {
        let mut laid = Laid { over: &self, below, nodes: Vec::with_capacity(self.nodes.len() + below.nodes.len()) };
        laid.both(self.root(), below.root(), &|key| match key {
            key if joined.contains(&key) => Rule::Join,
            key if whole.contains(&key) => Rule::Entries,
            _ => Rule::Merge,
        });
        let (nodes, side) = (laid.nodes, format!("{}{}", self.side, below.side));
        Self { source: self.source, below: Some(Arc::clone(&below.source)), side, nodes }
    }
}

/// What becomes of a key that both have.
#[derive(Clone, Copy)]
enum Rule {
    /// Mappings are merged, with all below them.
    Merge,
    /// Of mappings every key is kept, and its value is of one file.
    Entries,
    /// Lists are put one after the other.
    Join,
    /// The upper one's.
    Upper,
}

struct Laid<'t> {
    over: &'t Tree,
    below: &'t Tree,
    nodes: Vec<Node>,
}

impl Laid<'_> {
    /// As deep as the files.
    fn both(&mut self, over: Raw, below: Raw, rule: &dyn Fn(&str) -> Rule) {
        let kind = |tree: &Tree, node| tree.node(node).map(|node| node.kind);
        if [kind(self.over, over), kind(self.below, below)] != [Some(NodeKind::Map); 2] {
            return self.copy(over);
        }
        let (one, other) = (self.over, self.below);
        let mut under: HashMap<&str, (Raw, Raw)> = other.entries(below).filter_map(|entry| Some((other.scalar(entry.0)?, entry))).collect();
        let at = self.open(over);
        for (key, value) in one.entries(over) {
            self.copy(key);
            match one.scalar(key).and_then(|name| Some((name, under.remove(name)?.1))) {
                Some((name, beneath)) => match rule(name) {
                    Rule::Join => self.joined(value, beneath),
                    Rule::Merge => self.both(value, beneath, &|_| Rule::Merge),
                    Rule::Entries => self.both(value, beneath, &|_| Rule::Upper),
                    Rule::Upper => self.copy(value),
                },
                None => self.copy(value),
            }
        }
        let left = other.entries(below).filter(|(key, _)| other.scalar(*key).is_some_and(|name| under.contains_key(name)));
        left.for_each(|(key, value)| {
            self.copy_below(key);
            self.copy_below(value);
        });
        self.close(at);
    }

    fn joined(&mut self, over: Raw, below: Raw) {
        let (one, other) = (self.over, self.below);
        if [one.node(over), other.node(below)].iter().any(|node| node.is_none_or(|node| node.kind != NodeKind::Seq)) {
            return self.copy(over);
        }
        let at = self.open(over);
        other.items(below).for_each(|item| self.copy_below(item));
        one.items(over).for_each(|item| self.copy(item));
        self.close(at);
    }

    /// Begins a collection.
    fn open(&mut self, over: Raw) -> usize {
        self.nodes.extend(self.over.node(over).copied());
        self.nodes.len() - 1
    }

    fn close(&mut self, at: usize) {
        self.nodes[at].next = self.nodes.len() as u32;
    }

    /// A node of the file that is laid over the other, and all below it.
    fn copy(&mut self, node: Raw) {
        self.copy_of(self.over, node, |node| node);
    }

    fn copy_below(&mut self, node: Raw) {
        let side = self.over.side.len() as u32;
        self.copy_of(self.below, node, |node| Node { below: true, offset: if node.aside { node.offset + side } else { node.offset }, ..node });
    }

    fn copy_of(&mut self, tree: &Tree, node: Raw, as_here: impl Fn(Node) -> Node) {
        let (first, here) = (node.index(), self.nodes.len() as u32);
        let after = tree.after(node).index();
        let all = tree.nodes.get(first as usize..after as usize).unwrap_or_default();
        self.nodes.extend(all.iter().map(|node| as_here(Node { next: node.next - first + here, ..*node })));
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use crate::yaml::{Sink, Tree, parse};
    use proptest::prelude::*;
    use serde_yaml::{Mapping, Value};

    fn tree(name: &str, text: &str) -> Tree {
        parse(name, text.as_bytes(), &Sink::default()).unwrap()
    }

    #[test]
    fn the_upper_file_wins_and_every_node_knows_its_file() {
        let below = tree("below.yaml", "a: 1\nm: { x: \"1\\t2\", k: { z: [1, 2] } }\ns: [one]\nl: [1]\ne: { p: { q: 1 }, r: 2 }\n");
        let over = tree("over.yaml", "m: { k: { z: [3] }, w: \"q\\t\" }\na: two\ns: [two]\nl: [2]\ne: { p: { u: 3 } }\n");
        let laid = over.over(&below, &["s"], &["e"]);
        let expected = "m: { k: { z: [3] }, w: \"q\\t\", x: \"1\\t2\" }\na: two\ns: [one, two]\nl: [2]\ne: { p: { u: 3 }, r: 2 }\n";
        assert_eq!(laid.value(laid.root()), serde_yaml::from_str::<Value>(expected).unwrap());
        let m = laid.get(laid.root(), "m").unwrap();
        let place = |key| {
            let node = laid.get(m, key).unwrap();
            let source = laid.source_of(node);
            format!("{}:{}", source.name(), source.position(laid.place(node).start).1)
        };
        assert_eq!((place("x"), place("w")), ("below.yaml:9".to_owned(), "over.yaml:24".to_owned()));
    }

    fn merged(over: &Value, below: &Value) -> Value {
        match (over, below) {
            (Value::Mapping(over), Value::Mapping(below)) => {
                let mut all: Mapping = below.clone();
                for (key, value) in over {
                    let value = below.get(key).map_or_else(|| value.clone(), |below| merged(value, below));
                    all.insert(key.clone(), value);
                }
                Value::Mapping(all)
            }
            (over, _) => over.clone(),
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![(0..9_u32).prop_map(Value::from), "[a-c \t]{0,3}".prop_map(Value::from)];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::Sequence),
                proptest::collection::btree_map("[a-d]", inner, 0..4)
                    .prop_map(|map| Value::Mapping(map.into_iter().map(|(key, value)| (key.into(), value)).collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn laying_over_is_merging_of_mappings(over in values(), below in values()) {
            let root = |value: &Value| Value::Mapping([("r".into(), value.clone())].into_iter().collect());
            let text = |value: &Value| serde_yaml::to_string(&root(value)).unwrap();
            let laid = tree("o", &text(&over)).over(&tree("b", &text(&below)), &[], &[]);
            prop_assert_eq!(laid.value(laid.root()), root(&merged(&over, &below)));
        }
    }
}
