//! Exit codes and streams, each shown once.

use super::case::{Case, Ended};
use serde_json::Value as Json;
use std::process::Command;

pub(crate) const MESSAGE: &str = "
format: 1
runbook: message
version: 1.0.0
title: Write a message
touches: ['file:@DIR@/site/**']
steps:
  - { id: write, action: file.write, with: { path: '@DIR@/site/message', text: hello, create_dirs: true } }
  - { id: same, action: assert.file, with: { path: '@DIR@/site/message', contains: hello } }
";

/// A runbook whose second step fails, with a policy.
fn failing(policy: &str) -> String {
    format!(
        "
format: 1
runbook: failing
version: 1.0.0
title: A step fails
touches: ['file:@DIR@/site/**']
steps:
  - {{ id: write, action: file.write, with: {{ path: '@DIR@/site/message', text: hello, create_dirs: true }} }}
  - {{ id: fails, action: command.run, with: {{ argv: [/bin/false], changes: [] }}, on_failure: {policy} }}
"
    )
}

const QUESTIONS: &str = "
format: 1
runbook: questions
version: 1.0.0
title: Ask people
touches: ['file:@DIR@/site/**']
steps:
  - id: keys
    action: manual.form
    with: { fields: [{ name: serial, type: secret, twice: true }, { name: users, type: integer, min: 0, max: 999 }] }
  - { id: closed, action: manual.confirm, with: { question: Is every session closed?, phrase: all closed } }
  - { id: outcome, action: manual.decide, with: { question: And?, options: { ok: It worked, error: It did not } } }
  - { id: write, action: file.write, with: { path: '@DIR@/site/users', text: '{{ steps.keys.users ~ \"\" }}', create_dirs: true } }
";

const IRREVERSIBLE: &str = "
format: 1
runbook: once
version: 1.0.0
title: It cannot be undone
touches: ['file:@DIR@/site/**']
steps:
  - { id: send, action: command.run, with: { argv: [/bin/true], changes: [] }, irreversible: the letter is posted }
";

const HARBOR: &str = "
format: 1
client: harbor
name: Harbor Tool & Die
zone: UTC
";

fn case(runbook: &str) -> Case {
    Case::new(&[("book.yaml", runbook), ("harbor.yaml", HARBOR)])
}

/// Runs the runbook as `r1`.
fn run(case: &Case) -> Ended {
    case.run(&["run", "book.yaml", "--run-id", "r1", "--yes"])
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_plan_warns_once_of_what_is_not_limited_in_a_line_that_can_be_read() {
    let case = Case::new(&[(
        "book.yaml",
        "format: 1\nrunbook: book\nversion: 1.0.0\ntitle: T\nsteps:\n  - { id: a, action: file.write, with: { path: '@DIR@/a', text: x } }\n",
    )]);
    let plan = case.run(&["plan", "book.yaml"]).exits(0);
    let warnings: Vec<&str> = plan.out.lines().filter(|line| line.contains("warning")).collect();
    let expected = "warning: book.yaml:2:10: what this runbook may set is not limited; name it: `touches: ['file:/etc/nginx/**', 'service:nginx']`";
    assert_eq!(warnings, [expected], "{}", plan.out);
}

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

#[cfg(unix)]
#[test]
fn whoever_runs_it_is_known_without_the_environment() {
    let case = case(MESSAGE);
    let done = case.command().env_remove("USER").args(["run", "book.yaml", "--run-id", "r1", "--yes"]).output().unwrap();
    assert_eq!(done.status.code(), Some(0));
    let account = std::process::Command::new("id").arg("-un").output().unwrap();
    let shown = case.run(&["show", "r1"]).exits(0);
    let expected = format!("operator {}", String::from_utf8_lossy(&account.stdout).trim());
    assert!(shown.out.lines().next().unwrap().ends_with(&expected), "{}", shown.out);
}

#[test]
fn a_remark_after_the_end_is_shown_and_stands_in_a_chain_of_its_own() {
    let case = case(MESSAGE);
    let _ = run(&case).exits(0);
    for remark in ["Vendor called back", "case 4711", "closed"] {
        let _ = case.run(&["note", "r1", remark]).exits(0);
    }
    let shown = case.run(&["show", "r1"]).exits(0);
    assert!(shown.out.contains("  note: pat: Vendor called back\n  note: pat: case 4711\n"), "{}", shown.out);
    let whole = case.run(&["verify", "r1"]).exits(0);
    assert!(whole.out.contains("+ notes      ok    3 after the end"), "{}", whole.out);
    let notes = case.read("state/runs/r1/notes.ndjson").unwrap();
    case.write("state/runs/r1/notes.ndjson", &notes.replacen("4711", "4712", 1));
    let wrong = case.run(&["verify", "r1"]).exits(9);
    assert!(wrong.out.contains("x notes      BAD") && wrong.out.ends_with("Not whole: note-altered 1\n"), "{}", wrong.out);
}

#[test]
fn answers_from_a_file_are_given_without_a_person_and_a_secret_is_nowhere_stored() {
    let case = case(QUESTIONS);
    case.write("serial", "K-4711-SECRET\n");
    case.write("answers.yaml", "format: 1\nanswers:\n  keys: { serial: { file: serial }, users: 15 }\n  closed: all closed\n  outcome: ok\n");
    let done =
        case.run(&["run", "book.yaml", "--client", "harbor.yaml", "--run-id", "r1", "--answers", "answers.yaml", "--no-input", "--yes"]).exits(0);
    assert_eq!(case.read("site/users").as_deref(), Some("15"));
    // With its letters: four digits alone stand in a hash by chance.
    assert!(!done.out.contains("K-4711") && !done.err.contains("K-4711"));
    let found = Command::new("grep").args(["-r", "-F", "-a", "K-4711", "state"]).current_dir(case.dir()).output().unwrap();
    assert_eq!((found.status.code(), found.stdout.len()), (Some(1), 0), "{}", String::from_utf8_lossy(&found.stdout));
}

#[test]
fn pipes_get_no_escape_and_no_carriage_return_and_each_stream_by_itself() {
    let case = case(&failing("undo"));
    let done = run(&case).exits(5);
    for text in [&done.out, &done.err] {
        assert!(text.is_ascii() && !text.contains(['\u{1b}', '\r']), "{text}");
    }
    assert!(done.out.lines().all(|line| line.starts_with("20")), "one line an event: {}", done.out);
    let plan = case.run(&["plan", "book.yaml", "--color", "always"]).exits(0);
    assert!(plan.out.contains("\u{1b}["), "{}", plan.out);
    let plan = case.run(&["plan", "book.yaml", "--color", "never"]).exits(0);
    assert!(!plan.out.contains('\u{1b}'), "{}", plan.out);
}

#[test]
fn quiet_success_says_nothing() {
    let case = case(MESSAGE);
    for words in [&["check", "book.yaml", "-q"][..], &["plan", "book.yaml", "-q"], &["run", "book.yaml", "--run-id", "r1", "--yes", "-q"]] {
        let done = case.run(words).exits(0);
        assert_eq!((done.out.as_str(), done.err.as_str()), ("", ""));
    }
}

#[test]
fn json_of_a_resume_is_what_it_adds_to_the_journal() {
    let case = case(&failing("stop"));
    let _ = run(&case).exits(1);
    let before = case.read("state/runs/r1/journal.ndjson").unwrap();
    let resumed = case.run(&["resume", "r1", "--yes", "--json"]).exits(1);
    let after = case.read("state/runs/r1/journal.ndjson").unwrap();
    assert_eq!(after, before + &resumed.out);
    assert!(resumed.out.contains("\"event\":\"resumed\""), "{}", resumed.out);
}

#[test]
fn json_of_a_run_is_the_journal_as_it_was_written() {
    let case = case(MESSAGE);
    let done = case.run(&["run", "book.yaml", "--run-id", "r1", "--yes", "--json"]).exits(0);
    assert_eq!(done.out, case.read("state/runs/r1/journal.ndjson").unwrap());
    let undone = case.run(&["undo", "r1", "--yes", "--json"]).exits(0);
    assert_eq!(undone.out, case.read("state/runs/r1.undo-1/journal.ndjson").unwrap());
    for words in [&["show", "r1", "--json"][..], &["runs", "--json"], &["verify", "r1", "--json"], &["actions", "--json"], &["schema", "client"]] {
        let document = case.run(words).exits(0).out;
        assert!(document.is_ascii() && json(&document).is_object(), "{document}");
    }
}

#[test]
fn json_of_a_plan_is_the_plan_file() {
    let case = case(MESSAGE);
    let done = case.run(&["plan", "book.yaml", "--run-id", "r1", "-o", "book.plan", "--json"]).exits(0);
    assert_eq!(Some(done.out), case.read("book.plan"));
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
fn help_is_shown_for_every_command_and_names_the_four_groups() {
    let case = case(MESSAGE);
    let overview = case.run(&[]).exits(0);
    for word in ["Write", "Run", "Look back", "More", "retrace demo"] {
        assert!(overview.out.contains(word), "{}", overview.out);
    }
    assert_eq!(case.run(&["--help"]).exits(0).out.trim_end(), overview.out.trim_end());
    for command in
        ["check", "plan", "run", "resume", "undo", "runs", "show", "verify", "note", "explain", "graph", "actions", "schema", "demo", "prune", "help"]
    {
        let help = case.run(&[command, "--help"]).exits(0);
        assert!(help.out.starts_with("Examples:\n  retrace "), "{}", help.out);
        assert!(help.out.lines().count() <= 24, "{}", help.out);
    }
    assert_eq!(case.run(&["help", "exit-codes"]).exits(0).out.lines().count(), 12);
}

#[test]
fn a_graph_is_drawn_and_every_action_described() {
    let case = case(MESSAGE);
    assert!(case.run(&["graph", "book.yaml"]).exits(0).out.starts_with("digraph"));
    for line in case.run(&["actions"]).exits(0).out.lines() {
        let name = line.split(' ').next().unwrap();
        assert!(case.run(&["actions", name]).exits(0).out.starts_with(&format!("{name}: ")));
    }
}
