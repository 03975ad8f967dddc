use model::path::{self, PathError};
use model::yaml::Source;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// A template file that a step names by a path that begins at the directory of its document.
#[derive(Debug)]
pub struct Template {
    /// Where it was read.
    pub path: PathBuf,
    /// Its text.
    pub source: Arc<Source>,
}

/// How a parameter names a template file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// By where it lies on the machine; read when it is planned. So is what only values can tell.
    Absolute,
    /// From the directory of the document.
    Below(PathBuf),
    /// Not as it should be.
    Wrong(String),
}

impl Named {
    /// Reads what a parameter says, with or without `{{ }}` in it.
    pub(crate) fn parse(text: &str) -> Self {
        let (before, open) = text.split_once("{{").map_or((text, false), |(before, _)| (before, true));
        if before.starts_with(['/', '\\']) || before.as_bytes().get(1) == Some(&b':') {
            return match path::normal(text) {
                Err(wrong @ (PathError::Up | PathError::Device | PathError::Control)) => Self::Wrong(wrong.to_string()),
                _ => Self::Absolute,
            };
        }
        match (before.is_empty(), open) {
            (true, true) => return Self::Absolute,
            (false, true) => return Self::Wrong("a template file beside the runbook is named outright, so that it can be checked".to_owned()),
            (_, false) => {}
        }
        let plain = super::loader::plain(Path::new(text));
        match plain.components().next() {
            None => Self::Wrong("this names no file".to_owned()),
            Some(Component::Normal(_)) => Self::Below(plain),
            Some(_) => Self::Wrong(format!("`{text}` leads out of the directory of the file that names it")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_stays_below_its_directory() {
        for (text, path) in [("a.j2", "a.j2"), ("./t/a.j2", "t/a.j2"), ("t/../a.j2", "a.j2")] {
            assert_eq!(Named::parse(text), Named::Below(path.into()), "{text}");
        }
        for text in ["", ".", "..", "../a.j2", "t/../../a.j2", "t/{{ inputs.x }}.j2", "/t/../a.j2", "C:\\..\\a.j2"] {
            assert!(matches!(Named::parse(text), Named::Wrong(_)), "{text}");
        }
        for text in ["/t/a.j2", "{{ inputs.dir }}/a.j2", "/t/{{ inputs.x }}.j2", "C:\\t\\a.j2", "\\\\s\\t\\a.j2"] {
            assert_eq!(Named::parse(text), Named::Absolute, "{text}");
        }
    }
}
