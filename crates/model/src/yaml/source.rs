//! One file's text with the name it is shown by.

use std::sync::Arc;

/// A text and where its lines begin.
#[derive(Debug)]
pub struct Source {
    name: String,
    text: Arc<str>,
    lines: Vec<u32>,
}

impl Source {
    /// Takes a text of at most 4 GiB; `name` is shown in diagnostics.
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(at, _)| at as u32 + 1)).collect();
        Self { name: name.into(), text, lines }
    }

    /// The name it is shown by, mostly a path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text, without a byte-order mark.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The line (from 1) and the column in characters (from 1) of a byte offset.
    pub fn position(&self, offset: u32) -> (u32, u32) {
        let line = self.lines.partition_point(|start| *start <= offset).max(1);
        let start = self.lines[line - 1] as usize;
        let before = self.text.get(start..offset as usize).unwrap_or_default();
        (line as u32, before.chars().count() as u32 + 1)
    }

    /// A line (from 1) without its line break; empty when there is none.
    pub fn line(&self, line: u32) -> &str {
        let Some(start) = (line as usize).checked_sub(1).and_then(|index| self.lines.get(index)) else { return "" };
        let end = self.lines.get(line as usize).map_or(self.text.len(), |next| *next as usize);
        self.text[*start as usize..end].trim_end_matches(['\n', '\r'])
    }
}

/// A stretch of a source in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}
