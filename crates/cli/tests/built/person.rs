//! A person at a terminal.

use super::case::Case;
use super::terminal::Terminal;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

const ONCE: &str = "
format: 1
runbook: once
version: 1.0.0
title: It cannot be undone
touches: ['file:@DIR@/site/**']
steps:
  - { id: write, action: file.write, with: { path: '@DIR@/site/message', text: hello, create_dirs: true } }
  - { id: send, action: command.run, with: { argv: [/bin/true], changes: [] }, irreversible: the letter is posted }
";

const KEYS: &str = "
format: 1
runbook: keys
version: 1.0.0
title: Ask for keys
touches: ['file:@DIR@/site/**']
steps:
  - id: keys
    action: manual.form
    with: { fields: [{ name: serial, type: secret, twice: true }, { name: users, type: integer, min: 0, max: 999 }] }
  - { id: write, action: file.write, with: { path: '@DIR@/site/users', text: '{{ steps.keys.users ~ \"\" }}', create_dirs: true } }
  - { id: fails, action: command.run, with: { argv: [/bin/false], changes: [] } }
";

const HARBOR: &str = "format: 1\nclient: harbor\nname: Harbor Tool & Die\nzone: UTC\n";

fn case(runbook: &str) -> Case {
    Case::new(&[("book.yaml", runbook), ("harbor.yaml", HARBOR)])
}

#[test]
fn what_cannot_be_undone_starts_only_with_the_clients_name() {
    for (typed, exit) in [("yes", 6), ("", 6), ("harbor", 0)] {
        let case = case(ONCE);
        let mut terminal = Terminal::start(&case, &["run", "book.yaml", "--client", "harbor.yaml"]);
        terminal.answer("Type the client's name to start, or Enter to leave: ", typed);
        let (ended, screen) = terminal.end();
        assert_eq!(ended, exit, "{screen}");
        assert_eq!(case.read("site/message").is_some(), exit == 0);
    }
}

#[test]
fn a_person_answers_hidden_and_open_fields_and_takes_back_after_a_failure() {
    let case = case(KEYS);
    let mut terminal = Terminal::start(&case, &["run", "book.yaml", "--client", "harbor.yaml", "--run-id", "r1"]);
    terminal.answer("Start? [y] yes  [n] no : ", "y");
    terminal.answer("serial (hidden, twice): ", "K-4711");
    terminal.answer("once more: ", "K-4712");
    terminal.answer("serial (hidden, twice): ", "K-4711");
    terminal.answer("once more: ", "K-4711");
    terminal.answer("users (0-999): ", "1000");
    terminal.answer("users (0-999): ", "15");
    terminal.answer("Record it?", "y");
    terminal.wait_for("What now?");
    assert_eq!(case.read("site/users").as_deref(), Some("15"));
    terminal.answer("Letter and Enter (no default): ", "");
    terminal.answer("Letter and Enter (no default): ", "u");
    let (exit, screen) = terminal.end();
    assert_eq!(exit, 5, "{screen}");
    assert!(!screen.contains("K-471"), "what is hidden is not shown: {screen}");
    assert_eq!(case.read("site/users"), None);
}

#[test]
fn ctrl_c_is_a_decision_and_the_run_can_be_resumed() {
    let case = case(KEYS);
    let mut terminal = Terminal::start(&case, &["run", "book.yaml", "--client", "harbor.yaml", "--run-id", "r1"]);
    terminal.answer("Start? [y] yes  [n] no : ", "y");
    terminal.answer("serial (hidden, twice): ", "K-4711");
    terminal.answer("once more: ", "K-4711");
    terminal.wait_for("users (0-999): ");
    terminal.press("\u{3}");
    terminal.wait_for("[s] stop");
    terminal.answer("Letter and Enter (no default): ", "s");
    let (exit, screen) = terminal.end();
    assert_eq!(exit, 6, "{screen}");
    let mut terminal = Terminal::start(&case, &["resume", "r1", "--yes"]);
    terminal.answer("serial (hidden, twice): ", "K-4711");
    terminal.answer("once more: ", "K-4711");
    terminal.answer("users (0-999): ", "7");
    terminal.answer("Record it?", "y");
    terminal.answer("Letter and Enter (no default): ", "s");
    let (exit, screen) = terminal.end();
    assert_eq!(exit, 1, "{screen}");
    assert_eq!(case.read("site/users").as_deref(), Some("7"));
}

#[test]
fn ctrl_c_before_a_run_begins_leaves_and_nothing_was_started() {
    let case = case(ONCE);
    let mut terminal = Terminal::start(&case, &["run", "book.yaml"]);
    terminal.wait_for("Type the client's name");
    terminal.press("\u{3}");
    let (exit, screen) = terminal.end();
    assert_eq!(exit, 6, "{screen}");
    assert!(!case.dir().join("state").exists());
}

#[test]
fn ctrl_c_while_planning_ends_the_look_that_goes_on() {
    let script = "exec 3> @DIR@/begun; echo looking >&3; exec sleep 1000";
    let look = format!("steps:\n  - {{ id: look, action: command.look, with: {{ argv: [/bin/sh, '-c', '{script}'] }} }}");
    let case = case(&ONCE.replace("steps:", &look));
    let begun = case.dir().join("begun");
    assert!(Command::new("mkfifo").arg(&begun).status().unwrap().success());
    let mut plan = case.command().args(["plan", "book.yaml", "-o", "book.plan"]).stderr(Stdio::null()).spawn().unwrap();
    let mut looking = BufReader::new(File::open(&begun).unwrap());
    let mut said = String::new();
    looking.read_line(&mut said).unwrap();
    assert_eq!(said, "looking\n");
    assert!(Command::new("kill").args(["-INT", &plan.id().to_string()]).status().unwrap().success());
    assert_eq!(plan.wait().unwrap().code(), Some(6));
    assert_eq!(looking.read_line(&mut said).unwrap(), 0, "whoever looked is gone");
    assert_eq!(case.read("book.plan"), None);
}

#[test]
fn no_line_of_a_plan_is_wider_than_the_terminal() {
    let case = case(ONCE);
    let terminal = Terminal::start(&case, &["plan", "book.yaml", "--color", "never"]);
    let (exit, screen) = terminal.end();
    assert_eq!(exit, 0, "{screen}");
    let path = case.dir().display().to_string();
    for line in screen.lines().filter(|line| !line.contains(&path)) {
        assert!(line.trim_end().chars().count() <= 80, "{line}");
    }
    assert!(screen.lines().next().unwrap().starts_with("PLAN"), "{screen}");
}

#[test]
fn no_input_asks_nobody_even_at_a_terminal() {
    let case = case(KEYS);
    let (exit, screen) = Terminal::start(&case, &["run", "book.yaml", "--no-input"]).end();
    assert_eq!(exit, 7, "{screen}");
    assert!(screen.contains("field `serial` (secret)"), "{screen}");
}
