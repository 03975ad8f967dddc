//! INI files, read.

/// The value of `Section.Key`, or of `Key` before any section. Upper and lower case are the same; the first one counts.
pub(crate) fn value<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let mut section = "";
    text.lines().map(str::trim).find_map(|line| {
        if line.starts_with([';', '#']) {
            return None;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.trim();
            return None;
        }
        let (name, value) = line.split_once('=')?;
        let name = name.trim();
        let full = if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
        (full.to_lowercase() == key.to_lowercase()).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn keys_are_found_in_their_section_and_before_any() {
        let text = "top = 1\r\n; [Off]\n[Licence]\nUsers=22\n users.max = a=b \n[Other]\nUsers=9\nUsers=10\n";
        assert_eq!(value(text, "top"), Some("1"));
        assert_eq!(value(text, "licence.USERS"), Some("22"));
        assert_eq!(value(text, "Licence.users.max"), Some("a=b"));
        assert_eq!(value(text, "Other.Users"), Some("9"));
        assert_eq!(value(text, "Users"), None);
    }
}
