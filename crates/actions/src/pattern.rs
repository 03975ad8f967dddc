//! Names with wildcards: `*` and `?` within one part of a path, `**` over several. Nothing else is special.

use globset::{GlobBuilder, GlobMatcher};
use model::path;
use model::resource::Resource;
use model::state::State;
use world::action::ActionError;
use world::error::WorldError;
use world::look::EntryKind;
use world::view::View;

/// Whether a path names many.
pub(crate) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?'])
}

/// The regular files that a path pattern matches, sorted.
pub(crate) fn files(view: &dyn View, pattern: &str) -> Result<Vec<String>, ActionError> {
    let separator = path::separator(pattern);
    let first = pattern.find(['*', '?']).unwrap_or(pattern.len());
    let cut = pattern[..first].rfind(separator).unwrap_or(0);
    let root = path::normal(&pattern[..=cut]).map_err(|wrong| ActionError::Invalid(format!("{wrong}, not `{pattern}`")))?;
    let matcher = matcher(&slashed(pattern), path::is_windows(pattern))?;
    let deep = pattern.contains("**");
    let parts = pattern[root.len()..].split(separator).filter(|part| !part.is_empty()).count();
    let mut found = Vec::new();
    match view.state(&Resource::file(&root))? {
        State::Absent => return Ok(found),
        State::Unknown { until } => return Err(WorldError::Unknown { until }.into()),
        _ => {}
    }
    let mut open = vec![(root, 1)];
    while let Some((directory, depth)) = open.pop() {
        for entry in view.list(&directory)? {
            let place = path::join(&directory, &entry.name);
            match entry.kind {
                EntryKind::Dir if deep || depth < parts => open.push((place, depth + 1)),
                EntryKind::File if matcher.is_match(slashed(&place)) => found.push(place),
                _ => {}
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The names that a pattern matches; upper and lower case are the same.
pub(crate) fn names<'n>(pattern: &str, names: &'n [String]) -> Result<Vec<&'n String>, ActionError> {
    let matcher = matcher(pattern, true)?;
    Ok(names.iter().filter(|name| matcher.is_match(name.as_str())).collect())
}

/// A pattern relative to a directory.
pub(crate) fn matcher(pattern: &str, any_case: bool) -> Result<GlobMatcher, ActionError> {
    let mut text = String::with_capacity(pattern.len());
    for c in pattern.chars() {
        if "[]{}".contains(c) { text.extend(['[', c, ']']) } else { text.push(c) }
    }
    let glob = GlobBuilder::new(&text).literal_separator(true).backslash_escape(false).case_insensitive(any_case).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|_| ActionError::Invalid(format!("`{pattern}` is no pattern")))
}

/// One separator for both systems, so that patterns mean the same on each.
pub(crate) fn slashed(path: &str) -> String {
    if path::is_windows(path) { path.replace('\\', "/") } else { path.to_owned() }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;

    #[test]
    fn only_stars_and_question_marks_are_special() {
        let all: Vec<String> = ["Sage 100 Application", "Sage 100 Print [x]", "nginx"].map(str::to_owned).to_vec();
        assert_eq!(names("sage*application", &all).unwrap(), ["Sage 100 Application"]);
        assert_eq!(names("Sage 100 Print [x]", &all).unwrap(), ["Sage 100 Print [x]"]);
        assert_eq!(names("ngin?", &all).unwrap(), ["nginx"]);
        assert!(names("gin", &all).unwrap().is_empty());
    }

    #[test]
    fn two_stars_go_over_directories_and_one_does_not() {
        let matches = |pattern: &str, path: &str| matcher(pattern, false).unwrap().is_match(path);
        assert!(matches("/a/**/x", "/a/x") && matches("/a/**/x", "/a/b/c/x") && !matches("/a/*/x", "/a/b/c/x"));
        assert!(matches("/a!/{b}/*", "/a!/{b}/c"));
    }
}
