//! A parsed file: every node with its place, in 24 bytes.

use std::{ops::Range, sync::Arc};

use serde_yaml::Value;

use super::{
    at::Raw,
    scalar::{self, Plain},
    source::{Source, Stretch},
};
use crate::diagnostic::Diagnostic;

/// Nodes in the order of the text; a collection's children follow it directly. The keys and values of a mapping alternate.
#[derive(Debug)]
pub struct Tree {
    pub(super) source: Arc<Source>,
    /// The file that it is laid over: nodes of it may be here too.
    pub(super) below: Option<Arc<Source>>,
    /// Scalars that are not literally in the source, one after the other.
    pub(super) side: String,
    pub(super) nodes: Vec<Node>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    /// Whether the text is in `side` and not in the source.
    pub(super) aside: bool,
    /// Whether it is of the file below.
    pub(super) below: bool,
    pub(super) start: u32,
    pub(super) end: u32,
    /// Where the text is.
    pub(super) offset: u32,
    pub(super) len: u32,
    /// The node after this one and all below it.
    pub(super) next: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeKind {
    /// A scalar that is no text.
    Plain,
    Text,
    Seq,
    Map,
    /// Reported already; stands for anything.
    Bad,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape<'t> {
    /// Text.
    Text(&'t str),
    /// A plain scalar that is no text.
    Plain(Plain),
    /// A list.
    List,
    /// A mapping.
    Map,
    /// Something that was reported.
    Bad,
}

impl Tree {
    /// The file.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The file that a node is written in.
    pub fn source_of(&self, node: Raw) -> &Arc<Source> {
        self.node(node).map_or(&self.source, |node| self.source_at(node))
    }

    /// A diagnostic with the place of a node.
    pub fn point(&self, diagnostic: Diagnostic, node: Raw) -> Diagnostic {
        diagnostic.at(self.source_of(node), self.place(node))
    }

    /// The same with the place of some bytes of a scalar's text.
    pub fn point_within(&self, diagnostic: Diagnostic, node: Raw, bytes: Range<usize>) -> Diagnostic {
        diagnostic.at(self.source_of(node), self.place_within(node, bytes))
    }

    /// A diagnostic with a note at the place of a node.
    pub fn note_at(&self, diagnostic: Diagnostic, note: &str, node: Raw) -> Diagnostic {
        diagnostic.note_at(note, self.source_of(node), self.place(node))
    }

    /// The outermost node.
    pub fn root(&self) -> Raw {
        Raw::new(0)
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never: a tree has a root.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Where a node is: a scalar with its quotes; of a collection only its first character. A node of no tree lies at the start.
    pub fn place(&self, node: Raw) -> Stretch {
        let Some(node) = self.node(node) else { return Stretch { start: 0, end: 0 } };
        let end = match node.kind {
            NodeKind::Seq | NodeKind::Map => node.start + 1,
            NodeKind::Plain | NodeKind::Text | NodeKind::Bad => node.end,
        };
        Stretch { start: node.start, end }
    }

    /// Where some bytes of a scalar's text are; the whole scalar when its text is not literally in the file.
    pub fn place_within(&self, node: Raw, bytes: Range<usize>) -> Stretch {
        match self.node(node) {
            Some(scalar) if !scalar.aside && bytes.end <= scalar.len as usize && bytes.start < bytes.end => {
                Stretch { start: scalar.offset + bytes.start as u32, end: scalar.offset + bytes.end as u32 }
            }
            _ => self.place(node),
        }
    }

    /// What a node is.
    pub fn shape(&self, node: Raw) -> Shape<'_> {
        let Some(node) = self.node(node) else { return Shape::Bad };
        match node.kind {
            NodeKind::Text => Shape::Text(self.text_of(node)),
            NodeKind::Plain => Shape::Plain(scalar::plain(self.text_of(node))),
            NodeKind::Seq => Shape::List,
            NodeKind::Map => Shape::Map,
            NodeKind::Bad => Shape::Bad,
        }
    }

    /// The text of a node that is text.
    pub fn text(&self, node: Raw) -> Option<&str> {
        match self.shape(node) {
            Shape::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The characters of any scalar as they were read, `12` and `true` too.
    pub fn scalar(&self, node: Raw) -> Option<&str> {
        let node = self.node(node)?;
        matches!(node.kind, NodeKind::Plain | NodeKind::Text).then(|| self.text_of(node))
    }

    /// The entries of a list; nothing for other nodes.
    pub fn items(&self, node: Raw) -> impl Iterator<Item = Raw> + '_ {
        let is = self.node(node).is_some_and(|node| node.kind == NodeKind::Seq);
        self.children(node, is)
    }

    /// The keys and values of a mapping; nothing for other nodes.
    pub fn entries(&self, node: Raw) -> impl Iterator<Item = (Raw, Raw)> + '_ {
        let is = self.node(node).is_some_and(|node| node.kind == NodeKind::Map);
        let mut children = self.children(node, is);
        std::iter::from_fn(move || Some((children.next()?, children.next()?)))
    }

    /// The value under a key of a mapping.
    pub fn get(&self, node: Raw, key: &str) -> Option<Raw> {
        self.entries(node).find(|(name, _)| self.scalar(*name) == Some(key)).map(|(_, value)| value)
    }

    /// The key of an entry and its value.
    pub fn get_entry(&self, node: Raw, key: &str) -> Option<(Raw, Raw)> {
        self.entries(node).find(|(name, _)| self.scalar(*name) == Some(key))
    }

    /// A node and all below it, as plain values. What was reported becomes nothing.
    pub fn value(&self, node: Raw) -> Value {
        match self.shape(node) {
            Shape::Text(text) => Value::from(text),
            Shape::Plain(plain) => plain.value(),
            Shape::List => Value::Sequence(self.items(node).map(|item| self.value(item)).collect()),
            Shape::Map => {
                let entries = self.entries(node);
                let entries = entries.filter_map(|(key, value)| Some((Value::from(self.scalar(key)?), self.value(value))));
                Value::Mapping(entries.collect())
            }
            Shape::Bad => Value::Null,
        }
    }

    /// The file with all scalars of these nodes made unreadable: places stay where they are.
    pub fn hiding(&self, nodes: &[Raw]) -> Source {
        let mut text = self.source.text().to_string();
        for node in nodes {
            let first = node.index() as usize;
            let after = self.node(*node).map_or(first, |node| node.next as usize);
            for scalar in self.nodes.get(first..after).unwrap_or_default() {
                let (start, end) = (scalar.start as usize, scalar.end as usize);
                if let (NodeKind::Plain | NodeKind::Text | NodeKind::Bad, Some(shown)) = (scalar.kind, text.get(start..end)) {
                    text.replace_range(start..end, &shown.chars().map(hidden).collect::<String>());
                }
            }
        }
        Source::new(self.source.name(), text)
    }

    pub(super) fn node(&self, node: Raw) -> Option<&Node> {
        self.nodes.get(node.index() as usize)
    }

    pub(super) fn text_of(&self, node: &Node) -> &str {
        let from: &str = if node.aside { &self.side } else { self.source_at(node).text() };
        from.get(node.offset as usize..(node.offset + node.len) as usize).unwrap_or_default()
    }

    fn source_at(&self, node: &Node) -> &Arc<Source> {
        self.below.as_ref().filter(|_| node.below).unwrap_or(&self.source)
    }

    /// The first node inside a collection and the one after its last.
    pub(super) fn inside(&self, node: Raw) -> (Raw, Raw) {
        (Raw::new(node.index().saturating_add(1)), self.after(node))
    }

    /// The node after this one and all below it.
    pub(super) fn after(&self, node: Raw) -> Raw {
        self.node(node).map_or(Raw::NONE, |node| Raw::new(node.next))
    }

    fn children(&self, node: Raw, any: bool) -> impl Iterator<Item = Raw> + use<'_> {
        let mut at = node.index().saturating_add(1);
        let end = if any { self.nodes[node.index() as usize].next } else { at };
        std::iter::from_fn(move || {
            (at < end).then(|| {
                let child = Raw::new(at);
                at = self.nodes[at as usize].next;
                child
            })
        })
    }
}

/// A character of the same length that tells nothing.
fn hidden(char: char) -> char {
    match char.len_utf8() {
        _ if char == '\n' => char,
        1 => '*',
        2 => '\u{b7}',
        3 => '\u{2022}',
        _ => '\u{1f784}',
    }
}
