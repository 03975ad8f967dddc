//! What stands on which stream, and what it looks like.

use super::case::Case;
use super::runbooks::{MESSAGE, QUESTIONS, case, failing, json, run};
use std::process::Command;

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

#[cfg(target_os = "linux")]
#[test]
fn data_that_cannot_be_written_is_told() {
    let case = case(MESSAGE);
    for words in [&["actions"][..], &["plan", "book.yaml", "--json"], &["schema"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let done = case.command().args(words).stdout(full).output().unwrap();
        assert_eq!(done.status.code(), Some(1), "{words:?}");
    }
}

#[test]
fn a_plan_is_not_saved_over_what_it_is_made_of() {
    let case = case(MESSAGE);
    let refused = case.run(&["plan", "book.yaml", "-o", "./book.yaml"]).exits(2);
    assert!(refused.err.contains("is what the plan is made of"), "{}", refused.err);
    assert!(case.read("book.yaml").unwrap().contains("steps"));
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
