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

const TWO: &str = "format: 1
runbook: two
version: 1.0.0
title: T
touches: ['file:@DIR@/site/**']
steps:
  - { id: one, action: file.write, with: { path: '@DIR@/site/one/a', text: new } }
  - { id: stops, action: command.run, with: { argv: [test, -e, '@DIR@/site/flag'], changes: [] } }
  - { id: gate, action: assert.file, gate: true, with: { path: '@DIR@/site/gate', exists: true } }
  - { id: two, action: file.write, with: { path: '@DIR@/site/two/b', text: new } }
  - { id: three, action: file.write, with: { path: '@DIR@/site/three/c', text: new } }
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

/// What the program answers to somebody who may not write everywhere, and it is done as them.
fn as_nobody(case: &Case, words: &[&str]) -> (Option<i32>, String) {
    let mut command = case.command();
    if is_root(case) {
        command.uid(NOBODY).gid(NOBODY);
    }
    let done = command.args(words).output().unwrap();
    (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
}

/// Whoever tests may be root, who may write everywhere.
fn is_root(case: &Case) -> bool {
    let file = case.dir().join("is-root");
    fs::write(&file, "").unwrap();
    fs::metadata(&file).unwrap().uid() == 0
}

fn closes(case: &Case, dir: &str, mode: u32) {
    fs::set_permissions(case.dir().join(dir), Permissions::from_mode(mode)).unwrap();
}

#[test]
fn an_undo_and_a_resume_are_refused_where_one_may_not_write_before_anything() {
    let case = Case::new(&[("book.yaml", TWO), ("site/one/a", "old"), ("site/two/b", "old"), ("site/three/c", "old"), ("site/gate", "")]);
    let owned = ["", "book.yaml", "site", "site/one", "site/two", "site/three", "site/one/a", "site/two/b", "site/three/c"];
    for name in owned.iter().filter(|_| is_root(&case)) {
        chown(case.dir().join(name), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let refused = |words: &[&str], dirs: &[&str]| {
        let (exit, err) = as_nobody(&case, words);
        assert_eq!(exit, Some(4), "{err}");
        for dir in dirs {
            let place = case.dir().join(dir).display().to_string();
            assert!(err.contains(&place) && err.contains("Permission denied"), "{place}: {err}");
        }
    };
    let done = |words: &[&str], wanted: i32| {
        let (exit, err) = as_nobody(&case, words);
        assert_eq!(exit, Some(wanted), "{err}");
    };
    let reads = |wanted: [&str; 3]| {
        let read = ["one/a", "two/b", "three/c"].map(|name| case.read(&format!("site/{name}")).unwrap_or_default());
        assert_eq!(read, wanted);
    };
    done(&["run", "book.yaml", "--run-id", "r", "--yes"], 1);
    reads(["new", "old", "old"]);
    case.write("site/flag", "");
    closes(&case, "site/two", 0o555);
    closes(&case, "site/three", 0o555);
    refused(&["resume", "r", "--yes"], &["site/two", "site/three"]);
    reads(["new", "old", "old"]);
    closes(&case, "site/two", 0o755);
    closes(&case, "site/three", 0o755);
    done(&["resume", "r", "--yes"], 0);
    reads(["new", "new", "new"]);

    closes(&case, "site/one", 0o555);
    closes(&case, "site/two", 0o555);
    // It has no effects, so it asks for no right.
    done(&["undo", "r", "--dry-run"], 0);
    refused(&["undo", "r", "--yes"], &["site/one", "site/two"]);
    reads(["new", "new", "new"]);
    closes(&case, "site/one", 0o755);
    closes(&case, "site/two", 0o755);
    fs::remove_file(case.dir().join("site/gate")).unwrap();
    done(&["undo", "r", "--yes"], 1);
    reads(["new", "old", "old"]);
    case.write("site/gate", "");
    closes(&case, "site/one", 0o555);
    refused(&["resume", "r.undo-1", "--yes"], &["site/one"]);
    closes(&case, "site/one", 0o755);
    done(&["resume", "r.undo-1", "--yes"], 0);
    reads(["old", "old", "old"]);
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

#[test]
fn a_file_whose_owner_or_group_only_root_can_give_refuses_the_run_before_its_first_step() {
    let book = TWO.replace("  - { id: stops", "  - { id: more, action: file.write, with: { path: '@DIR@/site/two/b', text: new } }\n  - { id: stops");
    let case = Case::new(&[("book.yaml", &book), ("site/one/a", "old"), ("site/two/b", "old"), ("site/three/c", "old"), ("site/gate", "")]);
    if !is_root(&case) {
        return;
    }
    for name in ["", "book.yaml", "site", "site/one", "site/two", "site/three", "site/one/a", "site/three/c"] {
        chown(case.dir().join(name), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let file = case.dir().join("site/two/b");
    for (owner, group) in [(NOBODY, 0), (0, NOBODY)] {
        chown(&file, Some(owner), Some(group)).unwrap();
        let (exit, err) = as_nobody(&case, &["run", "book.yaml", "--yes"]);
        assert_eq!(exit, Some(4), "{err}");
        assert!(err.contains(&format!("cannot give file:{} to owner {owner} and group {group}", file.display())), "{err}");
        assert_eq!(case.read("site/one/a").as_deref(), Some("old"));
    }
    // Where a new file gets the group by itself it need not be given.
    chown(&file, Some(NOBODY), Some(0)).unwrap();
    chown(case.dir().join("site/two"), Some(NOBODY), Some(0)).unwrap();
    fs::set_permissions(case.dir().join("site/two"), Permissions::from_mode(0o2755)).unwrap();
    let (exit, err) = as_nobody(&case, &["run", "book.yaml", "--yes"]);
    assert_eq!((exit, case.read("site/two/b").as_deref()), (Some(1), Some("new")), "{err}");
}
