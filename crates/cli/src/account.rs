//! Whose account this process has, as the system knows it.

/// The name of the account; its number where the list of this machine has no name for it.
#[cfg(unix)]
pub(crate) fn name() -> Option<String> {
    let id = rustix::process::getuid().as_raw();
    let list = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    Some(named(&list, id).unwrap_or_else(|| format!("uid {id}")))
}

/// On Windows the environment says it, or nobody.
#[cfg(not(unix))]
pub(crate) fn name() -> Option<String> {
    None
}

/// The name of an account in a list like `/etc/passwd`: `NAME:PASSWORD:NUMBER:...`.
#[cfg(unix)]
fn named(list: &str, id: u32) -> Option<String> {
    let number = id.to_string();
    let mut accounts = list.lines().map(|line| line.split(':'));
    accounts.find_map(|mut fields| fields.next().filter(|name| !name.is_empty() && fields.nth(1) == Some(&number)).map(str::to_owned))
}

#[cfg(all(test, unix))]
mod tests {
    use super::named;

    #[test]
    fn an_account_is_found_by_its_number() {
        let list = "root:x:0:0:root:/root:/bin/sh\n# 7\n\npat:x:1000:7:Pat Doe:/home/pat:/bin/sh\n";
        assert_eq!(named(list, 0).as_deref(), Some("root"));
        assert_eq!(named(list, 1000).as_deref(), Some("pat"));
        assert_eq!(named(list, 7), None);
    }
}
