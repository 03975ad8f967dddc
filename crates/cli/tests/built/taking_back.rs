//! An undo looks at everything first: what it lacks or would lose is told before anything is taken back.

use super::case::Case;

const RECIPIENT: &str = "age1dzl2qlq0hktfmzqv0cedq6kkdzps95qp4pszmvlhzjnfxw77yufshua4kt";
const IDENTITY: &str = "AGE-SECRET-KEY-1H8876FYMZZVX7AGGUFJTPW3T0PF5Y7SQJYNKTXQPCE4VXGU96SZSCCCMGD\n";

const SEALED: &str = "
format: 1
runbook: sealed
version: 1.0.0
title: Replace a key
touches: ['file:@DIR@/site/**']
sensitive: ['file:@DIR@/site/key']
steps:
  - { id: key, action: file.write, with: { path: '@DIR@/site/key', text: new-words } }
  - { id: other, action: file.write, with: { path: '@DIR@/site/other', text: new } }
";

/// A sealed run `r1` that has ended, with the right identity and one of somebody else.
fn sealed() -> Case {
    let client = format!("format: 1\nclient: harbor\nname: Harbor\nzone: UTC\nrecovery: {RECIPIENT}\n");
    let other = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33\n";
    let case = Case::new(&[("book.yaml", SEALED), ("harbor.yaml", &client), ("identity", IDENTITY), ("other-identity", other)]);
    case.write("site/key", "old-words");
    case.write("site/other", "old");
    let _ = case.run(&["run", "book.yaml", "--client", "harbor.yaml", "--run-id", "r1", "--yes"]).exits(0);
    case
}

#[test]
fn a_plan_and_the_preview_of_its_undo_say_that_an_identity_is_needed() {
    let case = sealed();
    let said = format!("Taking back file:{}/site/key needs an age identity of {RECIPIENT}: `--identity FILE`.", case.dir().display());
    case.write("site/key", "old-words");
    case.write("site/other", "old");
    let plan = case.run(&["plan", "book.yaml", "--client", "harbor.yaml"]).exits(0);
    let can = "All 2 changes can be taken back: rehearsed from every point.\n";
    assert!(plan.out.contains(&format!("{can}{said}\n")), "{}", plan.out);
    case.write("site/key", "new-words");
    case.write("site/other", "new");
    let preview = case.run(&["undo", "r1", "--dry-run"]).exits(0);
    assert!(preview.out.contains(&said), "{}", preview.out);
    assert!(preview.err.ends_with("Next: retrace undo r1 --identity FILE\n"), "{}", preview.err);
    let preview = case.run(&["undo", "r1", "--dry-run", "--identity", "identity"]).exits(0);
    assert!(!preview.out.contains("needs an age identity"), "{}", preview.out);
}

#[test]
fn an_undo_that_cannot_open_what_is_sealed_takes_nothing_back() {
    let case = sealed();
    for words in [&["undo", "r1", "--yes", "--no-input"][..], &["undo", "r1", "--yes", "--identity", "other-identity"]] {
        let refused = case.run(words).exits(7);
        for one in ["error[missing-identity]", "/site/key", RECIPIENT, "--identity FILE"] {
            assert!(refused.err.contains(one), "{one}: {}", refused.err);
        }
        assert_eq!((case.read("site/key").as_deref(), case.read("site/other").as_deref()), (Some("new-words"), Some("new")));
        assert!(!case.dir().join("state/runs/r1.undo-1").exists());
    }
    let _ = case.run(&["undo", "r1", "--yes", "--identity", "identity"]).exits(0);
    assert_eq!((case.read("site/key").as_deref(), case.read("site/other").as_deref()), (Some("old-words"), Some("old")));
}

#[test]
fn an_undo_of_what_came_after_the_sealed_step_needs_no_identity() {
    let case = sealed();
    let _ = case.run(&["undo", "r1", "--yes", "--to", "key"]).exits(0);
    assert_eq!((case.read("site/key").as_deref(), case.read("site/other").as_deref()), (Some("new-words"), Some("old")));
}

#[cfg(target_os = "linux")]
#[test]
fn a_person_is_asked_where_the_identity_is() {
    let case = sealed();
    let mut terminal = super::terminal::Terminal::start(&case, &["undo", "r1", "--yes"]);
    terminal.answer("Identity file, or Enter to leave: ", "nowhere");
    terminal.answer("Identity file, or Enter to leave: ", "other-identity");
    terminal.answer("Identity file, or Enter to leave: ", "identity");
    let (exit, screen) = terminal.end();
    assert_eq!(exit, 0, "{screen}");
    assert_eq!(case.read("site/key").as_deref(), Some("old-words"));
    let case = sealed();
    let mut terminal = super::terminal::Terminal::start(&case, &["undo", "r1", "--yes"]);
    terminal.answer("Identity file, or Enter to leave: ", "");
    let (exit, screen) = terminal.end();
    assert_eq!(exit, 6, "{screen}");
    assert_eq!(case.read("site/other").as_deref(), Some("new"));
}
