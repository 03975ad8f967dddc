//! Exit codes, each shown once.

use super::case::Case;
use super::runbooks::{IRREVERSIBLE, MESSAGE, QUESTIONS, case, failing, json, run};
use serde_json::Value as Json;

#[test]
fn what_was_planned_runs_is_taken_back_and_is_verified() {
    let case = case(MESSAGE);
    let _ = case.run(&["check", "book.yaml"]).exits(0);
    let plan = case.run(&["plan", "book.yaml", "--run-id", "r1", "-o", "book.plan"]).exits(0);
    assert!(plan.out.contains("  ~ write             change    file:"), "{}", plan.out);
    assert!(plan.err.ends_with("Next: retrace run book.plan\n"), "{}", plan.err);
    assert_eq!(case.read("site/message"), None);
    assert!(!case.dir().join("state").exists(), "a plan makes no state directory");
    let _ = case.run(&["run", "book.plan", "--yes"]).exits(0);
    assert_eq!(case.read("site/message").as_deref(), Some("hello"));
    let _ = case.run(&["verify", "r1"]).exits(0);
    let again = case.run(&["run", "book.plan", "--yes"]).exits(4);
    assert!(again.err.contains("a plan is run once"), "{}", again.err);
    let _ = case.run(&["undo", "r1", "--dry-run"]).exits(0);
    let _ = case.run(&["undo", "r1", "--yes"]).exits(0);
    assert_eq!(case.read("site/message"), None);
    for words in [&["runs"][..], &["show", "r1"], &["show", "r1", "-v"], &["prune"], &["note", "r1", "all is well"]] {
        let _ = case.run(words).exits(0);
    }
}

#[test]
fn a_resumed_run_that_has_ended_does_nothing_and_exits_as_it_did() {
    for (runbook, exit) in [(MESSAGE.to_owned(), 0), (failing("undo"), 5), (failing("continue"), 8)] {
        let case = case(&runbook);
        let _ = run(&case).exits(exit);
        let (journal, message) = (case.read("state/runs/r1/journal.ndjson"), case.read("site/message"));
        let _ = case.run(&["resume", "r1", "--yes"]).exits(exit);
        assert_eq!((case.read("state/runs/r1/journal.ndjson"), case.read("site/message")), (journal, message));
    }
}

#[test]
fn exit_1_when_a_step_fails_and_what_was_done_stands() {
    let case = case(&failing("stop"));
    let failed = run(&case).exits(1);
    assert_eq!(case.read("site/message").as_deref(), Some("hello"));
    assert!(failed.err.ends_with("Next: retrace resume r1\n"), "{}", failed.err);
}

#[test]
fn exit_2_for_a_command_line_that_cannot_be_understood() {
    let case = case(MESSAGE);
    for (words, near) in [
        (&["chekc", "book.yaml"][..], "check"),
        (&["run", "book.yaml", "--clinet", "x"], "--client"),
        (&["actions", "file.wirte"], "file.write"),
        (&["help", "exit-code"], "exit-codes"),
        (&["verify", "r1", "--signers", "keys"], "--signers"),
    ] {
        let wrong = case.run(words).exits(2);
        assert!(wrong.err.contains(near), "{}", wrong.err);
        assert_eq!(wrong.out, "");
    }
    let wrong = case.run(&["run", "book.yaml", "--json", "--nonsense"]).exits(2);
    assert_eq!(json(&wrong.out)["error"]["code"], "usage");
}

#[test]
fn exit_3_for_a_document_that_is_wrong_with_all_errors_at_once() {
    let case = Case::new(&[("book.yaml", &MESSAGE.replace("file.write", "file.wirte").replace("contains", "contians"))]);
    let wrong = case.run(&["check", "book.yaml"]).exits(3);
    assert!(wrong.err.contains("did you mean `file.write`?") && wrong.err.contains("contians"), "{}", wrong.err);
    assert!(wrong.err.ends_with("2 errors. Nothing was touched.\n"), "{}", wrong.err);
    let _ = case.run(&["plan", "book.yaml"]).exits(3);
    let document = json(&case.run(&["check", "book.yaml", "--json"]).exits(3).out);
    assert_eq!((&document["format"], &document["errors"]), (&Json::from(1), &Json::from(2)));
    let _ = case.run(&["plan", "missing.yaml"]).exits(3);
}

#[test]
fn exit_4_when_it_is_refused_before_the_first_effect() {
    let case = case(&MESSAGE.replace("contains: hello", "contains: goodbye"));
    let plan = case.run(&["plan", "book.yaml", "-o", "book.plan"]).exits(4);
    assert!(plan.out.contains("fails"), "{}", plan.out);
    assert!(case.read("book.plan").is_some(), "a plan with a failing check is still written");
    let _ = case.run(&["run", "book.plan", "--yes"]).exits(4);
    assert_eq!(case.read("site/message"), None);
}

#[test]
fn exit_4_for_a_run_that_there_is_none_of_with_the_nearest_name() {
    let case = case(MESSAGE);
    let _ = case.run(&["run", "book.yaml", "--run-id", "harbor-1", "--yes"]).exits(0);
    let wrong = case.run(&["show", "harbour-1"]).exits(4);
    assert!(wrong.err.contains("did you mean `harbor-1`?"), "{}", wrong.err);
}

#[test]
fn exit_4_when_the_world_has_moved_since_the_plan() {
    let case = case(MESSAGE);
    let _ = case.run(&["plan", "book.yaml", "-o", "book.plan"]).exits(0);
    case.write("site/message", "somebody else's");
    let moved = case.run(&["run", "book.plan", "--yes"]).exits(4);
    assert!(moved.err.contains("expected") && moved.err.contains("found"), "{}", moved.err);
    assert_eq!(case.read("site/message").as_deref(), Some("somebody else's"));
}

#[test]
fn exit_4_when_an_undo_would_overwrite_what_somebody_has_changed_since() {
    let case = case(MESSAGE);
    case.write("site/other", "the directory was there before");
    let _ = run(&case).exits(0);
    case.write("site/message", "edited");
    let preview = case.run(&["undo", "r1", "--dry-run"]).exits(4);
    assert!(preview.out.contains("refused:"), "{}", preview.out);
    let refused = case.run(&["undo", "r1", "--yes"]).exits(4);
    for told in [preview.err, refused.err] {
        assert!(told.contains("`--overwrite RESOURCE` puts back") && told.contains("`--leave RESOURCE` leaves it"), "{told}");
    }
    assert_eq!(case.read("site/message").as_deref(), Some("edited"));
    let resource = format!("file:{}/site/message", case.dir().display());
    let _ = case.run(&["undo", "r1", "--yes", "--leave", &resource]).exits(0);
    assert_eq!(case.read("site/message").as_deref(), Some("edited"));
}

#[test]
fn what_an_undo_leaves_keeps_its_directory_and_the_rest_is_taken_back() {
    let more = "  - { id: more, action: file.write, with: { path: '@DIR@/site/deep/more', text: more, create_dirs: true } }\n";
    let case = case(&format!("{MESSAGE}{more}"));
    let _ = run(&case).exits(0);
    case.write("site/message", "edited");
    let site = format!("file:{}/site", case.dir().display());
    let leave = ["--leave", &format!("{site}/message")];
    let stays = format!("`write`: {site} stays, because {site}/message in it is left");
    let preview = case.run(&[&["undo", "r1", "--dry-run"][..], &leave].concat()).exits(0);
    assert!(preview.out.contains(&stays), "{}", preview.out);
    assert!(preview.err.ends_with(&format!("Next: retrace undo r1 --leave {site}/message\n")), "{}", preview.err);
    let undone = case.run(&[&["undo", "r1", "--yes"][..], &leave].concat()).exits(0);
    assert!(undone.out.contains(&stays), "{}{}", undone.out, undone.err);
    assert_eq!(case.read("site/message").as_deref(), Some("edited"));
    assert!(!case.dir().join("site/deep").exists());
}

#[test]
fn exit_5_when_a_step_failed_and_everything_was_taken_back() {
    let case = case(&failing("undo"));
    let _ = run(&case).exits(5);
    assert_eq!(case.read("site/message"), None);
}

#[test]
fn exit_7_names_all_that_is_missing_with_its_type_and_changes_nothing() {
    let case = case(QUESTIONS);
    let missing = case.run(&["run", "book.yaml", "--no-input"]).exits(7);
    for one in [
        "`keys`: field `serial` (secret)",
        "`keys`: field `users` (integer, 0-999)",
        "`closed`: the phrase `all closed`",
        "`outcome`: one of ok, error",
        "`--yes`",
    ] {
        assert!(missing.err.contains(one), "{one}: {}", missing.err);
    }
    assert!(!case.dir().join("state").exists());
    let document = json(&case.run(&["run", "book.yaml", "--no-input", "--json"]).exits(7).out);
    assert_eq!(document["error"]["code"], "missing-answers");
    assert_eq!(document["error"]["details"].as_array().unwrap().len(), 5);
}

#[test]
fn exit_7_names_the_inputs_that_are_missing() {
    let case = case(&MESSAGE.replace("steps:", "inputs:\n  site: { type: string }\n  count: { type: integer }\nsteps:"));
    let missing = case.run(&["plan", "book.yaml"]).exits(7);
    assert!(missing.err.contains("input `site` (string)") && missing.err.contains("input `count` (integer)"), "{}", missing.err);
    let _ = case.run(&["plan", "book.yaml", "--set", "site=a", "--set", "count=1"]).exits(0);
    let _ = case.run(&["plan", "book.yaml", "--set", "site=a", "--set", "count=x"]).exits(3);
}

#[test]
fn exit_8_when_it_completed_with_failures_that_the_runbook_allows() {
    let case = case(&failing("continue"));
    let _ = run(&case).exits(8);
    assert_eq!(case.read("site/message").as_deref(), Some("hello"));
}

#[test]
fn exit_9_when_a_record_does_not_verify() {
    let case = case(MESSAGE);
    let _ = run(&case).exits(0);
    let journal = case.read("state/runs/r1/journal.ndjson").unwrap();
    case.write("state/runs/r1/journal.ndjson", &journal.replacen("message", "massage", 1));
    let wrong = case.run(&["verify", "r1"]).exits(9);
    assert!(wrong.out.contains("BAD"), "{}", wrong.out);
    let _ = case.run(&["verify", "r1", "--json"]).exits(9);
}

#[test]
fn exit_70_for_a_mistake_in_the_program_itself() {
    let case = case(MESSAGE);
    let bug = case.run(&["lab", "bug"]).exits(70);
    assert!(bug.err.contains("error[bug]: ") && bug.err.contains("`retrace resume RUN`"), "{}", bug.err);
    assert_eq!(bug.out, "");
    assert_eq!(json(&case.run(&["lab", "bug", "--json"]).exits(70).out)["error"]["code"], "bug");
}

#[test]
fn yes_alone_does_not_agree_to_what_cannot_be_undone() {
    let case = case(IRREVERSIBLE);
    let wrong = case.run(&["run", "book.yaml", "--yes"]).exits(2);
    assert!(wrong.err.contains("--client"), "{}", wrong.err);
    let _ = case.run(&["run", "book.yaml", "--client", "harbor.yaml", "--run-id", "r1", "--yes"]).exits(0);
    let _ = case.run(&["plan", "book.yaml", "--client", "harbor.yaml", "-o", "book.plan"]).exits(0);
    let _ = case.run(&["run", "book.plan", "--yes"]).exits(2);
    let _ = case.run(&["run", "book.plan", "--yes", "--client", "cascade"]).exits(2);
    let _ = case.run(&["run", "book.plan", "--yes", "--client", "harbor"]).exits(0);
}

#[test]
fn a_check_that_fails_where_the_runbook_goes_on_keeps_no_run_from_starting() {
    let steps = "on_failure: continue\nsteps:
  - { id: there, action: assert.file, with: { path: '@DIR@/none', exists: true } }
  - { id: copy, needs: [there], action: file.write, with: { path: '@DIR@/copied', text: x } }
  - { id: other, action: file.write, with: { path: '@DIR@/made', text: x } }
";
    let case = case(&format!("format: 1\nrunbook: r\nversion: 1.0.0\ntitle: T\ntouches: ['file:@DIR@/**']\n{steps}"));
    let planned = case.run(&["plan", "book.yaml"]).exits(0);
    assert!(format!("{}{}", planned.out, planned.err).contains("`there` would fail, and the run would go on"), "{}", planned.out);
    assert!(planned.out.contains("blocked"), "{}", planned.out);
    let _ = case.run(&["run", "book.yaml", "--yes"]).exits(8);
    assert_eq!((case.read("copied"), case.read("made")), (None, Some("x".to_owned())));
}
