//! How names are spelled.

/// Words that expressions keep for themselves.
pub(crate) const RESERVED: [&str; 14] = ["set", "in", "is", "not", "and", "or", "if", "else", "true", "false", "none", "step", "item", "for"];
/// Names that expressions begin with; no loop may hide them.
pub(crate) const ROOTS: [&str; 7] = ["inputs", "client", "vars", "steps", "run", "result", "checks"];

/// Why a text is no name for expressions, `^[a-z][a-z0-9_]*$`.
pub(super) fn wrong_name(text: &str) -> Option<String> {
    if RESERVED.contains(&text) {
        return Some(format!("`{text}` is a word of expressions and no name"));
    }
    spelled(text, '_', "underscores")
}

/// Why a text is no id of a runbook or client, `^[a-z][a-z0-9-]*$`.
pub(super) fn wrong_id(text: &str) -> Option<String> {
    spelled(text, '-', "hyphens")
}

/// Why a text is no key of an instance, `^[A-Za-z0-9][A-Za-z0-9._-]*$`.
pub(super) fn wrong_key(text: &str) -> Option<String> {
    let first = text.starts_with(|char: char| char.is_ascii_alphanumeric());
    let rest = text.chars().all(|char| char.is_ascii_alphanumeric() || "._-".contains(char));
    (!first || !rest).then(|| "a key has letters, digits, dots, underscores and hyphens, and begins with a letter or digit".to_owned())
}

fn spelled(text: &str, joint: char, joints: &str) -> Option<String> {
    if let Some(foreign) = text.chars().find(|char| !char.is_ascii()) {
        let like = looks_like(foreign).map_or(String::new(), |latin| format!(": it only looks like `{latin}`"));
        return Some(format!("`{foreign}` (U+{:04X}) may not stand in a name{like}", u32::from(foreign)));
    }
    let first = text.starts_with(|char: char| char.is_ascii_lowercase());
    let rest = text.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == joint);
    if first && rest {
        return None;
    }
    let hint = if joint == '_' && text.contains('-') { ": in an expression a hyphen is a minus" } else { "" };
    Some(format!("a name has small letters, digits and {joints}, and begins with a letter{hint}"))
}

fn looks_like(foreign: char) -> Option<char> {
    let pairs = "аaеeоoрpсcуyхxіiјjѕsԁdһhαaοoνvρpιi";
    let mut chars = pairs.chars();
    while let (Some(other), Some(latin)) = (chars.next(), chars.next()) {
        if other == foreign {
            return Some(latin);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_small_and_latin() {
        assert_eq!(wrong_name("keep_2"), None);
        for wrong in ["", "Keep", "keep-copy", "2keep", "_keep", "set", "kеep"] {
            assert!(wrong_name(wrong).is_some(), "{wrong}");
        }
        assert!(wrong_name("kеep").is_some_and(|message| message.contains("U+0435") && message.contains("looks like `e`")));
        assert_eq!(wrong_id("licence-update"), None);
        assert!(wrong_id("licence_update").is_some());
        assert_eq!(wrong_key("RDS01.a"), None);
        assert!(wrong_key(".a").is_some());
    }
}
