//! Absolute paths as text: of Unix (`/a/b`) and of Windows (`C:\a\b`, `\\server\share\a`), told apart by how they begin,
//! so that a runbook for one can be read on the other.

/// Why a text is no absolute path.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PathError {
    /// It begins nowhere: `a/b`, `C:a`.
    #[error("a path must be absolute: `/dir/file`, `C:\\dir\\file` or `\\\\server\\share\\file`")]
    Relative,
    /// It goes up.
    #[error("a path must not contain `..`")]
    Up,
    /// It names a device or a name space of Windows: `\\.\`, `\\?\`, `\??\`.
    #[error("a path must not begin with `\\\\.\\`, `\\\\?\\` or `\\??\\`")]
    Device,
    /// It holds a character that no path should: a control character.
    #[error("a path must not contain control characters")]
    Control,
}

/// The path without `.`, doubled or trailing separators; of Windows with `\` only.
///
/// # Errors
/// It is no absolute path, or goes up.
pub fn normal(text: &str) -> Result<String, PathError> {
    if text.chars().any(char::is_control) {
        return Err(PathError::Control);
    }
    let slashes = |c: char| c == '/' || c == '\\';
    if let Some(rest) = text.strip_prefix('/') {
        return Ok(format!("/{}", parts(rest, |c| c == '/')?.join("/")));
    }
    if text.starts_with('\\') {
        let rest = text.strip_prefix("\\\\").ok_or(if text.starts_with("\\??") { PathError::Device } else { PathError::Relative })?;
        let parts = parts(rest, slashes)?;
        return match parts.first() {
            Some(&("." | "?")) => Err(PathError::Device),
            _ if rest.starts_with(['.', '?']) => Err(PathError::Device),
            _ if parts.len() < 2 => Err(PathError::Relative),
            _ => Ok(format!("\\\\{}", parts.join("\\"))),
        };
    }
    let mut start = text.chars();
    match (start.next(), start.next(), start.next()) {
        (Some(drive), Some(':'), Some('/' | '\\')) if drive.is_ascii_alphabetic() => {
            Ok(format!("{drive}:\\{}", parts(&text[3..], slashes)?.join("\\")))
        }
        _ => Err(PathError::Relative),
    }
}

fn parts(text: &str, separates: impl Fn(char) -> bool) -> Result<Vec<&str>, PathError> {
    let parts: Vec<&str> = text.split(separates).filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") { Err(PathError::Up) } else { Ok(parts) }
}

/// Whether a normal path is one of Windows.
pub fn is_windows(path: &str) -> bool {
    !path.starts_with('/')
}

/// The character between the parts of a normal path.
pub fn separator(path: &str) -> char {
    if is_windows(path) { '\\' } else { '/' }
}

/// The directory that a normal path lies in; `None` for a root.
pub fn parent(path: &str) -> Option<&str> {
    let root = root_length(path);
    if path.len() <= root {
        return None;
    }
    let cut = path.rfind(separator(path))?;
    Some(&path[..cut.max(root)])
}

/// The last part of a normal path; `None` for a root.
pub fn name(path: &str) -> Option<&str> {
    let parent = parent(path)?;
    Some(path[parent.len()..].trim_start_matches(separator(path)))
}

/// What lies under `below` in a directory.
pub fn join(directory: &str, below: &str) -> String {
    let separator = separator(directory);
    if directory.ends_with(separator) { format!("{directory}{below}") } else { format!("{directory}{separator}{below}") }
}

/// Whether a normal path is this directory or lies below it.
pub fn within(path: &str, directory: &str) -> bool {
    let separator = separator(directory);
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with(separator) || directory.ends_with(separator))
}

/// Of `/`, `C:\`, `\\server\share`.
fn root_length(path: &str) -> usize {
    if path.starts_with('/') {
        1
    } else if let Some(rest) = path.strip_prefix("\\\\") {
        let mut cuts = rest.match_indices('\\').map(|(at, _)| at + 2);
        cuts.nth(1).unwrap_or(path.len())
    } else {
        3.min(path.len())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;

    #[test]
    fn paths_are_brought_to_one_form() {
        for (text, wanted) in [
            ("/", "/"),
            ("//a//b/./c/", "/a/b/c"),
            ("/a\\b", "/a\\b"),
            ("C:/Sage\\MAS90/", "C:\\Sage\\MAS90"),
            ("c:\\", "c:\\"),
            ("\\\\RDS01\\c$/Keys\\", "\\\\RDS01\\c$\\Keys"),
        ] {
            let path = normal(text).unwrap();
            assert_eq!(path, wanted);
            assert_eq!(normal(&path).unwrap(), path);
        }
    }

    #[test]
    fn what_is_no_absolute_path_is_refused() {
        for (text, why) in [
            ("", PathError::Relative),
            ("a/b", PathError::Relative),
            ("C:a", PathError::Relative),
            ("\\a", PathError::Relative),
            ("\\\\server", PathError::Relative),
            ("/a/../b", PathError::Up),
            ("C:\\..", PathError::Up),
            ("\\\\?\\C:\\a", PathError::Device),
            ("\\\\.\\pipe\\x", PathError::Device),
            ("\\??\\C:\\a", PathError::Device),
            ("/a\u{0}b", PathError::Control),
        ] {
            assert_eq!(normal(text), Err(why), "{text}");
        }
    }

    #[test]
    fn parents_and_names_stop_at_the_root() {
        for (path, above, last) in [
            ("/", None, None),
            ("/a", Some("/"), Some("a")),
            ("/a/b", Some("/a"), Some("b")),
            ("C:\\", None, None),
            ("C:\\a", Some("C:\\"), Some("a")),
            ("\\\\s\\share", None, None),
            ("\\\\s\\share\\a\\b", Some("\\\\s\\share\\a"), Some("b")),
        ] {
            assert_eq!((parent(path), name(path)), (above, last), "{path}");
        }
        assert_eq!((join("/", "a"), join("C:\\x", "a")), ("/a".to_owned(), "C:\\x\\a".to_owned()));
        assert!(within("/a/b", "/a") && within("/a", "/a") && within("/a", "/") && !within("/ab", "/a"));
    }
}
