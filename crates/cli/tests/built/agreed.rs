//! What was agreed for an undo holds when it is gone on with, and whoever goes on with one that never began is told what to do.

use super::case::Case;

const BOOK: &str = "
format: 1
runbook: agreed
version: 1.0.0
title: T
touches: ['file:@DIR@/site/**']
steps:
  - { id: below, action: file.write, with: { path: '@DIR@/site/below', text: new } }
  - { id: floor, action: file.write, point_of_no_return: true, with: { path: '@DIR@/site/floor', text: new } }
  - { id: first, action: file.write, with: { path: '@DIR@/site/first', text: new } }
  - { id: second, action: file.write, with: { path: '@DIR@/site/second', text: new } }
  - { id: flag, action: assert.file, gate: true, with: { path: '@DIR@/site/flag', exists: true } }
  - { id: last, action: file.write, with: { path: '@DIR@/site/last', text: new } }
";

/// A run `r1` after which somebody has changed two files, and whose undo stops at its gate.
fn case() -> Case {
    let names = ["below", "floor", "first", "second", "flag", "last"].map(|name| (format!("site/{name}"), "old"));
    let case = Case::new(&[("book.yaml", BOOK), ("c.yaml", "format: 1\nclient: c\nname: C\nzone: UTC\n")]);
    for (name, text) in names {
        case.write(&name, text);
    }
    let _ = case.run(&["run", "book.yaml", "--client", "c.yaml", "--run-id", "r1", "--yes"]).exits(0);
    case.write("site/first", "theirs");
    case.write("site/second", "theirs");
    std::fs::remove_file(case.dir().join("site/flag")).unwrap();
    case
}

#[test]
fn an_undo_that_is_gone_on_with_knows_what_was_agreed_for_it() {
    let case = case();
    let resource = |name: &str| format!("file:{}/site/{name}", case.dir().display());
    let words = ["undo", "r1", "--yes", "--past-no-return", "--client", "c", "--leave", &resource("first"), "--overwrite", &resource("second")];
    let _ = case.run(&words).exits(1);
    assert_eq!(case.read("site/last").as_deref(), Some("old"));
    case.write("site/flag", "");
    let _ = case.run(&["resume", "r1.undo-1", "--yes", "--client", "c"]).exits(0);
    for (name, text) in [("below", "old"), ("floor", "old"), ("first", "theirs"), ("second", "old"), ("last", "old")] {
        assert_eq!(case.read(&format!("site/{name}")).as_deref(), Some(text), "{name}");
    }
    let journal = case.read("state/runs/r1.undo-1/journal.ndjson").unwrap();
    for (what, about) in [("leave", resource("first")), ("overwrite", resource("second"))] {
        assert!(journal.contains(&format!(r#""by":"pat","what":"{what}","about":"{about}""#)), "{journal}");
    }
    let _ = case.run(&["verify", "r1.undo-1"]).exits(0);
}

#[test]
fn an_undo_that_is_gone_on_with_refuses_what_was_changed_meanwhile_before_anything() {
    let case = case();
    case.write("site/first", "new");
    case.write("site/second", "new");
    let _ = case.run(&["undo", "r1", "--yes"]).exits(1);
    case.write("site/flag", "");
    case.write("site/first", "theirs");
    let refused = case.run(&["resume", "r1.undo-1", "--yes", "--client", "c"]).exits(4);
    assert!(refused.err.contains("`first`: conflict"), "{}", refused.err);
    assert_eq!(case.read("site/second").as_deref(), Some("new"));
}

#[test]
fn an_undo_that_never_began_is_begun_again() {
    let case = case();
    // What a process leaves that dies before its first line.
    case.write("state/runs/r1.undo-1/journal.ndjson", "");
    let refused = case.run(&["resume", "r1.undo-1", "--yes"]).exits(4);
    let said = "error[never-began]: `r1.undo-1` was cut off before it did anything\n  help: begin it again: `retrace undo r1`\n";
    assert_eq!(refused.err, said);
    let refused = case.run(&["undo", "r1.undo-1", "--yes"]).exits(4);
    assert!(refused.err.contains("there is nothing to take back"), "{}", refused.err);
    case.write("state/runs/r2/journal.ndjson", "");
    let refused = case.run(&["resume", "r2", "--yes"]).exits(4);
    assert!(refused.err.contains("begin it again: `retrace run`"), "{}", refused.err);
}
