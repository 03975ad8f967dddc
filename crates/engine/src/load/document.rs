use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::diagnostic::Diagnostic;
use model::digest::Digest;
use model::runbook::FORMAT;
use model::yaml::{self, Plain, Raw, Shape, Sink, Source, Tree};
use serde::de::DeserializeOwned;

/// A file as it was read, its tree, and what it says.
#[derive(Debug)]
pub struct Document<T> {
    /// Where it was read.
    pub path: PathBuf,
    /// Digest of its bytes.
    pub digest: Digest,
    /// Its nodes and their places.
    pub tree: Tree,
    /// What it says. Where errors were found it holds stand-ins.
    pub form: T,
    /// Whether its bytes begin with a byte-order mark, which its text does not.
    mark: bool,
}

const MARK: &[u8] = b"\xef\xbb\xbf";

impl<T> Document<T> {
    /// The bytes that were read.
    pub fn bytes(&self) -> Vec<u8> {
        let mark: &[u8] = if self.mark { MARK } else { &[] };
        [mark, self.tree.source().text().as_bytes()].concat()
    }

    /// The text with its name and lines.
    pub fn source(&self) -> &Arc<Source> {
        self.tree.source()
    }

    /// A diagnostic with the place of a node.
    pub fn point(&self, diagnostic: Diagnostic, node: Raw) -> Diagnostic {
        self.tree.point(diagnostic, node)
    }
}

impl<T: DeserializeOwned> Document<T> {
    /// Reads a document; nothing when there is no structure to go on with. Errors go to the sink.
    pub(super) fn parse(path: &Path, bytes: &[u8], sink: &Sink) -> Option<Self> {
        Self::read(path, bytes, yaml::parse(&path.to_string_lossy(), bytes, sink)?, sink)
    }

    /// Reads what a tree says.
    pub(super) fn read(path: &Path, bytes: &[u8], tree: Tree, sink: &Sink) -> Option<Self> {
        if let Some(format) = tree.get(tree.root(), "format")
            && let Shape::Plain(Plain::Int(number)) = tree.shape(format)
            && number != i64::from(FORMAT)
        {
            let found = Diagnostic::error("format", format!("format {number} is not known"));
            sink.report(tree.point(found, format).help(format!("this version reads format {FORMAT}")));
            return None;
        }
        let form = yaml::read(&tree, tree.root(), sink)?;
        Some(Self { path: path.to_owned(), digest: Digest::of(bytes), tree, form, mark: bytes.starts_with(MARK) })
    }
}
