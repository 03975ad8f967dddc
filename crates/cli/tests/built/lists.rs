//! The list of `file.manifest` is checked by a program that is not ours.

use super::case::Case;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

const BOOK: &str = "
format: 1
runbook: list
version: 1.0.0
title: List a directory
touches: ['file:@DIR@/lists/**']
steps:
  - { id: list, action: file.manifest, with: { root: '@DIR@/live', to: '@DIR@/lists/{{ run.id }}', exclude: ['logs/**'], create_dirs: true } }
";

#[test]
fn sha256sum_checks_a_list_of_whatever_names_again() {
    let case = Case::new(&[("book.yaml", BOOK), ("live/a", "1"), ("live/deep/b c", "2"), ("live/logs/x", "3"), ("live/ *d", "")]);
    for name in [&b"new\nline"[..], b"back\\slash", b"car\rriage", b"no\xffunicode", "gr\u{fc}n".as_bytes()] {
        std::fs::write(case.dir().join("live").join(OsStr::from_bytes(name)), name).unwrap();
    }
    let _ = case.run(&["plan", "book.yaml", "--run-id", "r1", "-o", "plan.json"]).exits(0);
    // People go on working after the plan.
    case.write("live/a", "other");
    let _ = case.run(&["run", "plan.json", "--yes"]).exits(0);
    let checked = || {
        let done = Command::new("sha256sum").args(["--check", "--strict", "../lists/r1"]).current_dir(case.dir().join("live")).output().unwrap();
        (done.status.success(), String::from_utf8_lossy(&done.stdout).lines().count())
    };
    assert_eq!(checked(), (true, 8));
    case.write("live/deep/b c", "changed");
    assert!(!checked().0);
    let _ = case.run(&["undo", "r1", "--yes"]).exits(0);
    assert!(!case.dir().join("lists/r1").exists());
}
