use model::diagnostic::Diagnostic;
use model::runbook::FORMAT;
use model::yaml::{self, Plain, Shape, Sink, Tree};
use std::path::{Path, PathBuf};

/// A partner file: what a client file builds on. It says the same things as a client file, for many clients.
#[derive(Debug)]
pub struct Partner {
    /// Where it was read.
    pub path: PathBuf,
    /// Its nodes and their places.
    pub tree: Tree,
}

impl Partner {
    /// Reads one; nothing when there is no structure to go on with. What it says is judged where a client's says nothing else.
    pub(super) fn parse(path: &Path, bytes: &[u8], sink: &Sink) -> Option<Self> {
        let tree = yaml::parse(&path.to_string_lossy(), bytes, sink)?;
        let root = tree.root();
        if tree.shape(root) != Shape::Map {
            sink.report(tree.point(Diagnostic::error("wrong-type", "a partner file is a mapping"), root));
            return None;
        }
        let format = tree.get(root, "format");
        if format.is_none_or(|format| tree.shape(format) != Shape::Plain(Plain::Int(i64::from(FORMAT)))) {
            let found = Diagnostic::error("format", format!("a partner file begins with `format: {FORMAT}`"));
            sink.report(tree.point(found, format.unwrap_or(root)));
            return None;
        }
        for key in ["client", "extends"] {
            if let Some((key_at, _)) = tree.get_entry(root, key) {
                let found = Diagnostic::error("not-for-partners", format!("a partner file has no `{key}`"));
                sink.report(tree.point(found.help("it is for many clients, and builds on nothing"), key_at));
            }
        }
        Some(Self { path: path.to_owned(), tree })
    }
}
