//! Bytes to a tree, under limits, with every error that leaves the structure readable reported in one pass.

use std::{collections::HashMap, sync::Arc};

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span};

use super::{
    scalar::{self, Plain},
    sink::Sink,
    source::{Source, Stretch},
    tree::{Node, NodeKind, Tree},
};
use crate::{diagnostic::Diagnostic, printable::unseen};

/// The largest file in bytes.
pub const MOST_BYTES: usize = 24 << 20;
/// The deepest nesting of collections.
pub const MOST_DEPTH: usize = 64;
/// The most nodes of a file.
pub const MOST_NODES: usize = 3_000_000;
/// The longest scalar in bytes.
pub const MOST_SCALAR: usize = 256 << 10;

/// Parses a file; `name` is shown in diagnostics. Nothing comes back when its structure cannot be read; otherwise the sink
/// may still have got errors.
pub fn parse(name: &str, bytes: &[u8], sink: &Sink) -> Option<Tree> {
    let source = Arc::new(decode(name, bytes, sink)?);
    let mut builder = Builder { source: &source, sink, side: String::new(), nodes: Vec::new(), open: Vec::new(), documents: 0, told: None };
    let options = granit_parser::options! {
        flow_nesting_limit: MOST_DEPTH + 1,
        block_nesting_limit: MOST_DEPTH + 1,
        emit_comments: false,
        emit_unresolved_aliases: true,
        emit_anchor_events: true,
        disallow_directives: true,
    };
    for event in Parser::new_from_str_with_options(source.text(), options) {
        if sink.is_full() {
            return None;
        }
        match event {
            Ok((event, span)) => builder.take(event, span)?,
            Err(error) => return builder.syntax(&error),
        }
    }
    let Builder { side, nodes, .. } = builder;
    let tree = Tree { source: Arc::clone(&source), below: None, side, nodes };
    if nodes_are_nothing(&tree) {
        sink.report(Diagnostic::error("empty-file", "the file has no content").at(&source, Stretch { start: 0, end: 0 }));
        return None;
    }
    Some(tree)
}

fn nodes_are_nothing(tree: &Tree) -> bool {
    match tree.nodes.first() {
        Some(root) => root.kind == NodeKind::Plain && scalar::plain(tree.text_of(root)) == Plain::Null,
        None => true,
    }
}

/// Bytes to text without a byte-order mark; refuses what could deceive a reader.
fn decode(name: &str, bytes: &[u8], sink: &Sink) -> Option<Source> {
    let nowhere = |code, message: String, help: &str| {
        let start = Stretch { start: 0, end: 0 };
        sink.report(Diagnostic::error(code, message).at(&Source::new(name, ""), start).help(help));
        None
    };
    if bytes.len() > MOST_BYTES {
        return nowhere("too-large", format!("the file is larger than {} MiB", MOST_BYTES >> 20), "split it with `action: runbook`");
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.iter().take(4).filter(|byte| **byte == 0).count() == 2 {
        return nowhere("not-utf-8", "the file is UTF-16".to_owned(), "save it as UTF-8");
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let readable = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let source = Source::new(name, String::from_utf8_lossy(readable).into_owned());
            let end = readable.len() as u32;
            let found = Diagnostic::error("not-utf-8", "from here on the file is not UTF-8").at(&source, Stretch { start: end, end });
            sink.report(found.help("save it as UTF-8"));
            return None;
        }
    };
    let source = Source::new(name, text);
    let mut sound = true;
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) {
        return Some(source);
    }
    for (at, char) in text.char_indices().filter(|(_, char)| *char == '\r' || unseen(*char)) {
        let what = match char {
            '\t' | '\n' => continue,
            '\r' if text.as_bytes().get(at + 1) == Some(&b'\n') => continue,
            '\r' => "a carriage return without a line feed".to_owned(),
            other => format!("the invisible character U+{:04X}", u32::from(other)),
        };
        let stretch = Stretch { start: at as u32, end: (at + char.len_utf8()) as u32 };
        sink.report(Diagnostic::error("control-character", format!("{what} may not stand in a file")).at(&source, stretch));
        sound = false;
        if sink.is_full() {
            break;
        }
    }
    sound.then_some(source)
}

struct Builder<'s> {
    source: &'s Arc<Source>,
    sink: &'s Sink,
    side: String,
    nodes: Vec<Node>,
    open: Vec<Open>,
    documents: u32,
    /// The last line of which an anchor or alias was told.
    told: Option<u32>,
}

/// A collection whose end has not come.
struct Open {
    node: usize,
    map: bool,
    /// Whether the next child of a mapping is a key.
    key: bool,
    /// Whether it is, or lies in, a key; that was reported.
    inside_key: bool,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        let range = span.byte_range().unwrap_or_default();
        let stretch = Stretch { start: range.start as u32, end: range.end as u32 };
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return self.stop("second-document", "a second document begins here", "one file holds one document", stretch);
                }
            }
            Event::Scalar(text, style, _, tag) => {
                self.tag(tag.is_some(), &span, stretch);
                return self.scalar(&text, style, stretch);
            }
            Event::SequenceStart(_, _, tag) => {
                self.tag(tag.is_some(), &span, stretch);
                return self.begin(NodeKind::Seq, stretch);
            }
            Event::MappingStart(_, _, tag) => {
                self.tag(tag.is_some(), &span, stretch);
                return self.begin(NodeKind::Map, stretch);
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.reference("alias", "aliases are not used here", stretch);
                return self.leaf(NodeKind::Bad, stretch, "");
            }
            Event::Anchor(..) => self.reference("anchor", "anchors are not used here", stretch),
            _ => {}
        }
        Some(())
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, stretch: Stretch) -> Option<()> {
        if text.len() > MOST_SCALAR {
            let limit = format!("a value is longer than {} KiB", MOST_SCALAR >> 10);
            return self.stop("too-long", &limit, "keep long text in a file of its own", stretch);
        }
        let escaped = style == ScalarStyle::DoubleQuoted && text.chars().any(|char| !"\t\n\r".contains(char) && unseen(char));
        if escaped {
            self.report("control-character", "an escaped control character may not stand in a text", "only \\t, \\n and \\r may", stretch);
            return self.leaf(NodeKind::Bad, stretch, "");
        }
        let key = self.open.last().is_some_and(|open| open.map && open.key);
        if style != ScalarStyle::Plain {
            if key && text.is_empty() {
                self.report("no-key", "an empty key", "give it a name", stretch);
                return self.leaf(NodeKind::Bad, stretch, "");
            }
            return self.leaf(NodeKind::Text, stretch, text);
        }
        let kind = match scalar::plain(text) {
            Plain::Ambiguous(other) => {
                let message = format!("`{text}` could also be read as {other}");
                self.report("ambiguous", &message, &format!("write '{text}' if text is meant{}", meant(text)), stretch);
                NodeKind::Bad
            }
            Plain::TooLarge => {
                self.report("number", "this number cannot be used: too large, or none", "put it in quotes if text is meant", stretch);
                NodeKind::Bad
            }
            Plain::Text => NodeKind::Text,
            Plain::Null if key => {
                self.report("no-key", "a key is missing here", "write `key: value`", stretch);
                NodeKind::Bad
            }
            _ if key => {
                self.report("key-not-text", &format!("the key `{text}` is not text"), "put it in quotes", stretch);
                NodeKind::Bad
            }
            _ => NodeKind::Plain,
        };
        self.leaf(kind, stretch, text)
    }

    /// Adds a node without children.
    fn leaf(&mut self, kind: NodeKind, stretch: Stretch, text: &str) -> Option<()> {
        self.add(kind, stretch, text)?;
        self.entered();
        Some(())
    }

    fn add(&mut self, kind: NodeKind, Stretch { start, end }: Stretch, text: &str) -> Option<()> {
        if self.nodes.len() >= MOST_NODES {
            return self.stop("too-many", "the file holds too many values", "split it with `action: runbook`", Stretch { start, end });
        }
        let inside = self.source.text().get(start as usize..end as usize).unwrap_or_default();
        // As it stands or between quotes; what is folded or escaped differs from what is written.
        let quoted = inside.len() == text.len() + 2 && inside.get(1..=text.len()) == Some(text);
        let aside = text.is_empty() || !(quoted || inside == text);
        let offset = if aside { self.side.len() as u32 } else { start + u32::from(quoted) };
        if aside {
            self.side.push_str(text);
        }
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { kind, aside, below: false, start, end, offset, len: text.len() as u32, next });
        Some(())
    }

    fn begin(&mut self, kind: NodeKind, stretch: Stretch) -> Option<()> {
        let inside_key = self.open.last().is_some_and(|open| open.inside_key);
        let is_key = self.open.last().is_some_and(|open| open.map && open.key);
        if is_key && !inside_key {
            self.report("key-not-text", "a key is a list or a mapping", "keys are text", Stretch { end: stretch.start + 1, ..stretch });
        }
        if self.open.len() >= MOST_DEPTH {
            return self.too_deep(stretch);
        }
        self.open.push(Open { node: self.nodes.len(), map: kind == NodeKind::Map, key: true, inside_key: inside_key || is_key });
        self.add(kind, stretch, "")
    }

    fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        self.nodes[open.node].next = self.nodes.len() as u32;
        if open.map {
            self.duplicates(open.node);
        }
        self.entered();
    }

    /// A child of the innermost collection is complete.
    fn entered(&mut self) {
        if let Some(open) = self.open.last_mut() {
            open.key = !open.key;
        }
    }

    /// Refuses keys that are equal, or that only a computer could tell apart.
    fn duplicates(&mut self, map: usize) {
        let end = self.nodes[map].next as usize;
        let mut keys: Vec<u32> = Vec::new();
        let mut at = map + 1;
        while at < end {
            keys.push(at as u32);
            at = self.nodes[self.nodes[at].next as usize].next as usize;
        }
        let firsts = self.firsts(&keys);
        let mut bad = Vec::new();
        for key in keys.into_iter().map(|key| key as usize) {
            let node = &self.nodes[key];
            if !matches!(node.kind, NodeKind::Plain | NodeKind::Text) {
                continue;
            }
            let name = text_of(self.source, &self.side, node);
            let first = firsts.get(&(key as u32)).map(|first| *first as usize);
            if let Some(first) = first {
                let first = &self.nodes[first];
                let found = Diagnostic::error("duplicate-key", format!("the key `{name}` is there twice"))
                    .at(self.source, Stretch { start: node.start, end: node.end })
                    .note_at("first here", self.source, Stretch { start: first.start, end: first.end });
                self.sink.report(found);
                bad.push(key);
            } else if name == "<<" {
                self.report("merge-key", "`<<` is not used here", "write the keys out", Stretch { start: node.start, end: node.end });
                bad.push(key);
            } else if let Some(mark) = name.chars().find(|char| combining(*char)) {
                let message = format!("the key holds the combining character U+{:04X}", u32::from(mark));
                let place = Stretch { start: node.start, end: node.end };
                self.report("combining-character", &message, "write letter and accent as one character", place);
                bad.push(key);
            }
        }
        for key in bad {
            self.nodes[key].kind = NodeKind::Bad;
        }
    }

    /// For each key that is there before: its first place. Sorted, for a table of a million keys would take more room than they do.
    fn firsts(&self, keys: &[u32]) -> HashMap<u32, u32> {
        let name = |key: u32| text_of(self.source, &self.side, &self.nodes[key as usize]);
        let mut sorted: Vec<u32> = keys.iter().copied().filter(|key| self.nodes[*key as usize].kind != NodeKind::Bad).collect();
        sorted.sort_unstable_by(|one, other| name(*one).cmp(name(*other)).then(one.cmp(other)));
        let mut firsts = HashMap::new();
        let mut first = None;
        for key in sorted {
            match first {
                Some(first) if name(first) == name(key) => drop(firsts.insert(key, first)),
                _ => first = Some(key),
            }
        }
        firsts
    }

    fn tag(&self, there: bool, span: &Span, fallback: Stretch) {
        if there {
            let range = span.tag_span().and_then(|span| span.byte_range());
            let stretch = range.map_or(fallback, |range| Stretch { start: range.start as u32, end: range.end as u32 });
            self.report("tag", "tags are not used here", "leave the tag away; put text in quotes", stretch);
        }
    }

    /// An anchor or alias: one of each line is told, for whoever uses them uses many.
    fn reference(&mut self, code: &'static str, message: &str, stretch: Stretch) {
        let (line, _) = self.source.position(stretch.start);
        if self.told != Some(line) {
            self.told = Some(line);
            self.report(code, message, "write the value out, or use `vars`", stretch);
        }
    }

    fn report(&self, code: &'static str, message: &str, help: &str, stretch: Stretch) {
        self.sink.report(Diagnostic::error(code, message).at(self.source, stretch).help(help));
    }

    fn stop(&self, code: &'static str, message: &str, help: &str, stretch: Stretch) -> Option<()> {
        self.report(code, message, help, stretch);
        None
    }

    fn too_deep(&self, stretch: Stretch) -> Option<()> {
        let message = format!("nested more than {MOST_DEPTH} deep");
        self.stop("too-deep", &message, "make it flatter", Stretch { end: stretch.start + 1, ..stretch })
    }

    fn syntax(&self, error: &ScanError) -> Option<Tree> {
        let start = error.marker().byte_offset().unwrap_or_default() as u32;
        let stretch = Stretch { start, end: start + 1 };
        if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
            self.too_deep(stretch);
        } else if let Some(tab) = self.tab_near(start) {
            self.report("tab", "a tab in the indentation", "indent with spaces", Stretch { start: tab, end: tab + 1 });
        } else {
            self.sink.report(Diagnostic::error("syntax", error.info()).at(self.source, stretch));
        }
        None
    }

    /// A tab that indents the line of an offset or the one after it.
    fn tab_near(&self, offset: u32) -> Option<u32> {
        let text = self.source.text();
        let line = text.get(..offset as usize)?.rfind('\n').map_or(0, |at| at + 1);
        let next = text.get(offset as usize..)?.find('\n').map_or(text.len(), |at| offset as usize + at + 1);
        [line, next].into_iter().find_map(|start| {
            let indent = text.get(start..)?.bytes().take_while(|byte| matches!(byte, b' ' | b'\t'));
            indent.enumerate().find(|(_, byte)| *byte == b'\t').map(|(at, _)| (start + at) as u32)
        })
    }
}

fn text_of<'a>(source: &'a Source, side: &'a str, node: &Node) -> &'a str {
    let from: &str = if node.aside { side } else { source.text() };
    from.get(node.offset as usize..(node.offset + node.len) as usize).unwrap_or_default()
}

fn meant(text: &str) -> &'static str {
    match text {
        "yes" | "Yes" | "YES" | "on" | "On" | "ON" => ", or `true`",
        "no" | "No" | "NO" | "off" | "Off" | "OFF" => ", or `false`",
        _ => "",
    }
}

/// A mark that joins the letter before it: with it one name can be spelled in two ways.
fn combining(char: char) -> bool {
    matches!(char, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}
