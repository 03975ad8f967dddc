//! The blast radius: what a runbook says that it touches.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use model::resource::Resource;

/// Patterns over resources as a set. `*` and `?` stay within one part of a path, `**` does not. `folds`: whether names that
/// differ in case only name the same.
///
/// # Errors
/// A pattern is none.
pub fn globs(patterns: &[String], folds: bool) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let mut add = |text: &str| -> Result<(), globset::Error> {
            set.add(GlobBuilder::new(text).literal_separator(true).backslash_escape(false).case_insensitive(folds).build()?);
            Ok(())
        };
        // `file:**/x` is an `x` below any root; it would be no more than a `*` where it does not stand alone.
        match pattern.split_once(":**").filter(|(_, below)| below.is_empty() || below.starts_with('/')) {
            Some((kind, below)) => ["/", "?:/"].iter().try_for_each(|root| add(&format!("{kind}:{root}**{below}")))?,
            None => add(pattern)?,
        }
        // `/x/**` means `/x` too: who may change everything in it may make it.
        if let Some(root) = pattern.strip_suffix("/**") {
            add(root)?;
        }
    }
    set.build()
}

/// Text as a pattern that matches only itself.
pub fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "*?[]{}".contains(c) { out.extend(['[', c, ']']) } else { out.push(c) }
    }
    out
}

/// What may be set.
pub struct Radius {
    patterns: Vec<String>,
    set: Option<GlobSet>,
}

impl Radius {
    /// Of a runbook that says it; without, everything may be set. `folds` as in [`globs`].
    ///
    /// # Errors
    /// A pattern is none.
    pub fn new(touches: Option<Vec<String>>, folds: bool) -> Result<Self, globset::Error> {
        let set = touches.as_deref().map(|touches| globs(touches, folds)).transpose()?;
        Ok(Self { patterns: touches.unwrap_or_default(), set })
    }

    /// Whether this resource may be set. What is only named may always be.
    pub fn allows(&self, resource: &Resource) -> bool {
        self.set.as_ref().is_none_or(|set| set.is_match(resource.to_string()))
    }

    /// The directories that a run locks: of each pattern the text before its first wildcard, cut at a separator.
    pub fn roots(&self) -> Vec<String> {
        let mut roots: Vec<String> = self.patterns.iter().filter_map(|pattern| pattern.strip_prefix("file:")).map(root_of).collect();
        roots.sort();
        roots.dedup();
        // One that lies in another is locked with it.
        let all = roots.clone();
        roots.retain(|root| !all.iter().any(|other| other != root && below(root, other)));
        roots
    }
}

/// Whether a path lies in a directory.
pub fn below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with(['/', '\\']) || directory.ends_with(['/', '\\']))
}

fn root_of(pattern: &str) -> String {
    match pattern.find(['*', '?', '[', '{']) {
        None => pattern.to_owned(),
        Some(at) => {
            let cut = pattern[..at].rfind(['/', '\\']).unwrap_or(0);
            if cut == 0 { pattern[..at.min(1)].to_owned() } else { pattern[..cut].to_owned() }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;

    #[test]
    fn a_directory_pattern_means_the_directory_and_all_below_and_nothing_beside() {
        let radius = Radius::new(Some(vec!["file:/etc/nginx/**".into(), "service:ngin?".into()]), false).unwrap();
        let allowed = |text: &str| radius.allows(&Resource::parse(text).unwrap());
        assert!(allowed("file:/etc/nginx/a/b") && allowed("file:/etc/nginx") && allowed("service:nginx"));
        assert!(!allowed("file:/etc/nginx2") && !allowed("file:/etc") && !allowed("service:apache"));
        assert_eq!(radius.roots(), ["/etc/nginx"]);
    }

    #[test]
    fn two_stars_after_the_kind_mean_below_any_root() {
        let set = globs(&["file:**/site.key".into()], false).unwrap();
        assert!(set.is_match("file:/site.key") && set.is_match("file:/etc/nginx/tls/site.key") && set.is_match("file:C:/tls/site.key"));
        assert!(!set.is_match("file:/etc/site.key/old") && !set.is_match("file:/etc/other.key") && !set.is_match("other:site.key"));
        assert!(globs(&["file:**".into()], false).unwrap().is_match("file:/a/b/c"));
    }

    #[test]
    fn where_names_fold_a_pattern_does() {
        let allows =
            |folds| Radius::new(Some(vec!["file:C:\\Sage\\**".into()]), folds).unwrap().allows(&Resource::parse("file:c:\\sage\\a").unwrap());
        assert!(allows(true) && !allows(false));
    }

    #[test]
    fn a_name_with_wildcards_matches_itself_only() {
        let set = globs(&[format!("file:{}", literal("/a!/[x]*?.pem"))], false).unwrap();
        assert!(set.is_match("file:/a!/[x]*?.pem") && !set.is_match("file:/a!/xyz.pem"));
    }
}
