//! Paths as texts, in the few ways a world needs beside `model::path`.

pub(crate) use model::path::parent;

/// Its last name; of a root all of it.
pub(crate) fn last(path: &str) -> &str {
    model::path::name(path).unwrap_or(path)
}

/// What lies in a directory under a name, or it itself for an empty one.
pub(crate) fn join(dir: &str, name: &str) -> String {
    if name.is_empty() { dir.to_owned() } else { model::path::join(dir, name) }
}

/// What is left of `path` below `dir`; none if it is not below it. `dir` itself leaves nothing: an empty text.
pub(crate) fn below<'p>(path: &'p str, dir: &str) -> Option<&'p str> {
    let separator = model::path::separator(dir);
    let rest = path.strip_prefix(dir)?;
    if rest.is_empty() || dir.ends_with(separator) { Some(rest) } else { rest.strip_prefix(separator) }
}

/// The directories above, nearest first.
pub(crate) fn above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(parent(path), |dir| parent(dir))
}

/// The name beside a target under which it is staged. Only ours: `.NAME.MARK.retrace`.
pub(crate) fn staging(path: &str, mark: &str) -> Option<String> {
    let dir = parent(path)?;
    let mark = if crate::planted::bug(13) { "0" } else { mark };
    // A long name is cut, for the staging name must fit where the target's fits; the mark keeps it unique.
    let mut name = last(path);
    while name.len() + mark.len() + 15 > 255 {
        name = &name[..name.char_indices().next_back()?.0];
    }
    Some(join(dir, &format!(".{name}.{mark}.retrace")))
}

/// The name that a staged directory has while it is removed: `.NAME.MARK.gone.retrace`.
pub(crate) fn gone(staging: &str) -> String {
    format!("{}.gone.retrace", staging.strip_suffix(".retrace").unwrap_or(staging))
}

/// Whether a name is one that [`staging`] gives.
pub(crate) fn is_staging(path: &str) -> bool {
    let name = last(path);
    name.starts_with('.') && name.ends_with(".retrace")
}

/// Whether a name is one that [`staging`] gives for a mark that begins with this one and a `-`.
pub fn staged_by(name: &str, mark: &str) -> bool {
    is_staging(name) && name.contains(&format!(".{mark}-"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;

    #[test]
    fn paths_come_apart_and_together_again() {
        assert_eq!((parent("/a/b"), last("/a/b")), (Some("/a"), "b"));
        assert_eq!((parent("/a"), parent("/")), (Some("/"), None));
        assert_eq!((join("/", "a"), join("/a", "b")), ("/a".to_owned(), "/a/b".to_owned()));
        assert_eq!((below("/a/b/c", "/a"), below("/ab", "/a"), below("/a", "/"), below("/a", "/a")), (Some("b/c"), None, Some("a"), Some("")));
        assert_eq!(above("/a/b/c").collect::<Vec<_>>(), ["/a/b", "/a", "/"]);
    }

    #[test]
    fn a_staging_name_lies_beside_its_target_and_is_never_too_long() {
        assert_eq!(staging("/a/b", "r-3").unwrap(), "/a/.b.r-3.retrace");
        let long = staging(&format!("/a/{}", "ä".repeat(127)), &"r".repeat(130)).unwrap();
        assert!(last(&long).len() <= 255 && is_staging(&long));
    }
}
