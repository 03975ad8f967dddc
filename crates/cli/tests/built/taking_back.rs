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

const DIRECTORY: &str = "
format: 1
runbook: directory
version: 1.0.0
title: Make a directory
touches: ['file:@DIR@/site/**']
steps:
  - { id: first, action: file.write, with: { path: '@DIR@/site/first', text: new } }
  - { id: dir, action: dir.create, with: { path: '@DIR@/site/dir' } }
  - { id: own, action: file.write, with: { path: '@DIR@/site/dir/own', text: own } }
  - { id: last, action: file.write, with: { path: '@DIR@/site/last', text: new } }
";

/// A run `r1` that has made `site/dir` and something in it.
fn directory(runbook: &str) -> (Case, String) {
    let case = Case::new(&[("book.yaml", runbook)]);
    case.write("site/first", "old");
    let _ = case.run(&["run", "book.yaml", "--run-id", "r1", "--yes"]).exits(0);
    let resource = format!("file:{}/site/dir", case.dir().display());
    (case, resource)
}

#[test]
fn what_somebody_put_into_a_directory_that_the_run_made_refuses_its_undo_before_anything() {
    let (case, dir) = directory(DIRECTORY);
    case.write("site/dir/theirs", "theirs");
    let states =
        format!("`dir`: conflict: {dir} was changed after the run; before absent, the run left directory, now directory with `theirs` in it");
    let preview = case.run(&["undo", "r1", "--dry-run"]).exits(4);
    assert!(preview.out.contains(&states), "{}", preview.out);
    let refused = case.run(&["undo", "r1", "--yes"]).exits(4);
    assert!(refused.err.contains(&states), "{}", refused.err);
    for (name, text) in [("first", "new"), ("dir/own", "own"), ("dir/theirs", "theirs"), ("last", "new")] {
        assert_eq!(case.read(&format!("site/{name}")).as_deref(), Some(text));
    }
    std::fs::remove_file(case.dir().join("site/dir/theirs")).unwrap();
    let _ = case.run(&["undo", "r1", "--yes"]).exits(0);
    assert!(!case.dir().join("site/dir").exists());
}

#[test]
fn a_directory_that_is_left_stays_with_what_somebody_put_into_it() {
    let (case, dir) = directory(DIRECTORY);
    for leave in [dir.clone(), format!("{dir}/theirs")] {
        case.write("site/dir/theirs", "theirs");
        let _ = case.run(&["undo", "r1", "--dry-run", "--leave", &leave]).exits(0);
        let _ = case.run(&["undo", "r1", "--yes", "--leave", &leave]).exits(0);
        assert_eq!(case.read("site/dir/theirs").as_deref(), Some("theirs"));
        assert_eq!((case.read("site/first").as_deref(), case.read("site/dir/own"), case.read("site/last")), (Some("old"), None, None));
    }
}

#[test]
fn a_directory_that_is_overwritten_goes_with_what_is_in_it_and_can_come_back() {
    let (case, dir) = directory(DIRECTORY);
    case.write("site/dir/theirs", "theirs");
    let _ = case.run(&["undo", "r1", "--dry-run", "--overwrite", &dir]).exits(0);
    let _ = case.run(&["undo", "r1", "--yes", "--overwrite", &dir]).exits(0);
    assert!(!case.dir().join("site/dir").exists());
    let _ = case.run(&["undo", "r1.undo-1", "--yes"]).exits(0);
    assert_eq!((case.read("site/dir/theirs").as_deref(), case.read("site/dir/own").as_deref()), (Some("theirs"), Some("own")));
}

#[test]
fn a_directory_in_which_something_of_the_run_is_kept_stays() {
    let (case, dir) = directory(&DIRECTORY.replace("text: own }", "text: own }, undo: keep"));
    let stays = format!("`dir`: {dir} stays, because {dir}/own in it stays");
    let preview = case.run(&["undo", "r1", "--dry-run"]).exits(0);
    assert!(preview.out.contains(&stays), "{}", preview.out);
    let _ = case.run(&["undo", "r1", "--yes"]).exits(0);
    assert_eq!((case.read("site/first").as_deref(), case.read("site/dir/own").as_deref()), (Some("old"), Some("own")));
}

#[test]
fn what_an_undo_program_removes_is_no_conflict() {
    let program = "{ id: own, action: command.run, with: { argv: [/bin/touch, '@DIR@/site/dir/own'] }, \
                   undo: { action: command.run, with: { argv: [/bin/rm, '@DIR@/site/dir/own'], changes: [] } } }";
    let (case, _) = directory(&DIRECTORY.replace("{ id: own, action: file.write, with: { path: '@DIR@/site/dir/own', text: own } }", program));
    let _ = case.run(&["undo", "r1", "--dry-run"]).exits(0);
    let _ = case.run(&["undo", "r1", "--yes"]).exits(0);
    assert!(!case.dir().join("site/dir").exists());
}

#[test]
fn a_plan_knows_that_what_may_be_removed_comes_back() {
    let runbook = "
format: 1
runbook: perhaps
version: 1.0.0
title: Perhaps
touches: ['file:@DIR@/site/**']
steps:
  - { id: write, action: file.write, with: { path: '@DIR@/site/f', text: new } }
  - { id: look, action: command.look, with: { argv: [/bin/cat, '@DIR@/site/f'] } }
  - { id: copy, action: file.write, with: { path: '@DIR@/site/g', text: '{{ steps.look.result }}' } }
  - { id: gone, when: steps.look.result == 'old', action: file.remove, with: { path: '@DIR@/site/g' } }
";
    let case = Case::new(&[("book.yaml", runbook)]);
    case.write("site/f", "old");
    let plan = case.run(&["plan", "book.yaml"]).exits(0);
    assert!(plan.out.contains("All 3 changes can be taken back: rehearsed from every point.\n"), "{}", plan.out);
}

#[test]
fn a_plan_does_not_count_what_cannot_be_undone_among_what_can() {
    let marked = DIRECTORY.replace("site/first', text: new } }", "site/first', text: new }, point_of_no_return: true }");
    let case = Case::new(&[("book.yaml", &marked)]);
    case.write("site/first", "old");
    let plan = case.run(&["plan", "book.yaml"]).exits(0);
    let can = "All 3 other changes can be taken back, those before the point of no return only until it: rehearsed from every point.\n";
    assert!(plan.out.contains(can) && plan.out.contains("Cannot be undone: first (step 1, point of no return).\n"), "{}", plan.out);
}

/// `age` is on every machine where CI runs; a missing one fails this test.
#[cfg(target_os = "linux")]
#[test]
fn the_program_age_opens_what_is_sealed() {
    let case = sealed();
    let sealed: Vec<_> = std::fs::read_dir(case.dir().join("state/blobs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"age-encryption.org/v1")))
        .collect();
    assert_eq!(sealed.len(), 1, "{sealed:?}");
    let age = |identity: &str| {
        let mut age = std::process::Command::new("age");
        age.args(["-d", "-i"]).arg(case.dir().join(identity)).arg(&sealed[0]).output().unwrap()
    };
    let opened = age("identity");
    assert_eq!(String::from_utf8_lossy(&opened.stdout), "old-words", "{}", String::from_utf8_lossy(&opened.stderr));
    assert!(!age("other-identity").status.success());
}
