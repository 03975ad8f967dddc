//! What the one who runs may not do is said before anything is done.

use super::case::Case;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;

const NOBODY: u32 = 65534;

const BOOK: &str = "format: 1
runbook: rights
version: 1.0.0
title: T
touches: ['file:@DIR@/site/**']
steps:
  - { id: first, action: file.write, with: { path: '@DIR@/site/open/first', text: one } }
  - { id: second, action: file.write, with: { path: '@DIR@/site/closed/deep/second', text: two, create_dirs: true } }
  - { id: made, action: dir.create, with: { path: '@DIR@/site/open/made' } }
  - { id: within, action: file.write, needs: [made], with: { path: '@DIR@/site/open/made/within', text: three } }
";

const LINKED: &str = "format: 1
runbook: linked
version: 1.0.0
title: T
touches: ['file:@DIR@/site/**']
steps:
  - { id: first, action: file.write, with: { path: '@DIR@/site/first', text: one } }
  - { id: second, action: file.write, with: { path: '@DIR@/site/second', text: two } }
";

#[test]
fn a_file_with_two_names_refuses_the_plan() {
    let case = Case::new(&[("book.yaml", LINKED), ("site/second", "old")]);
    fs::hard_link(case.dir().join("site/second"), case.dir().join("other")).unwrap();
    for words in [&["plan", "book.yaml"][..], &["run", "book.yaml", "--yes"]] {
        let refused = case.run(words).exits(4);
        assert!((refused.out + &refused.err).contains("2 names lead to this file"));
        assert!(case.read("site/first").is_none());
    }
    fs::remove_file(case.dir().join("other")).unwrap();
    let _ = case.run(&["run", "book.yaml", "--yes"]).exits(0);
}

#[test]
fn a_directory_that_may_not_be_written_in_refuses_the_run_before_its_first_step() {
    let case = Case::new(&[("book.yaml", BOOK), ("site/open/old", "old"), ("site/closed/old", "old")]);
    // Whoever tests may be root, who may write everywhere.
    let as_root = fs::metadata(case.dir()).unwrap().uid() == 0;
    for name in ["", "book.yaml", "site", "site/open", "site/open/old", "site/closed"].iter().filter(|_| as_root) {
        chown(case.dir().join(name), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let run = || {
        let mut command = case.command();
        if as_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        let done = command.args(["run", "book.yaml", "--yes"]).output().unwrap();
        (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let closed = case.dir().join("site/closed");
    fs::set_permissions(&closed, Permissions::from_mode(0o555)).unwrap();
    let (exit, err) = run();
    assert_eq!(exit, Some(4), "{err}");
    let place = closed.display().to_string();
    assert!(err.contains(&place) && err.contains("Permission denied") && !err.contains("/open"), "{err}");
    assert!(case.read("site/open/first").is_none());
    fs::set_permissions(&closed, Permissions::from_mode(0o755)).unwrap();
    let (exit, err) = run();
    assert_eq!(exit, Some(0), "{err}");
    assert_eq!(case.read("site/closed/deep/second").as_deref(), Some("two"));
}
