//! A person who types while a run goes on and nobody is asked.

use super::case::Case;
use super::terminal::Terminal;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::Command;

/// Its first step says that it has begun and waits until it may end.
const BOOK: &str = "
format: 1
runbook: book
version: 1.0.0
title: A step that takes its time
touches: ['file:@DIR@/site/**']
steps:
  - { id: slow, action: command.run, with: { argv: [/bin/sh, '-c', 'echo copied 5 of 8; echo odd >&2; echo > @DIR@/begun; read line < @DIR@/end'], changes: [] } }
  - { id: write, action: file.write, with: { path: '@DIR@/site/message', text: hello, create_dirs: true } }
";

const FORM: &str = "
format: 1
runbook: form
version: 1.0.0
title: A form
touches: ['file:@DIR@/site/**']
steps:
  - id: form
    action: manual.form
    with: { fields: [{ name: serial, type: secret, twice: true }, { name: users, type: integer, min: 0, max: 999 }] }
  - { id: write, action: file.write, with: { path: '@DIR@/site/users', text: '{{ steps.form.users ~ \"\" }}', create_dirs: true } }
";

/// A run of [`BOOK`] whose first step has begun.
fn begun(words: &[&str]) -> (Case, Terminal) {
    let case = Case::new(&[("book.yaml", BOOK)]);
    for fifo in ["begun", "end"] {
        assert!(Command::new("mkfifo").arg(case.dir().join(fifo)).status().unwrap().success());
    }
    let terminal = Terminal::start(&case, &[&["run", "book.yaml", "--run-id", "r1", "--yes"], words].concat());
    let mut said = String::new();
    BufReader::new(File::open(case.dir().join("begun")).unwrap()).read_line(&mut said).unwrap();
    (case, terminal)
}

fn end_the_step(case: &Case) {
    File::options().write(true).open(case.dir().join("end")).and_then(|mut end| end.write_all(b"now\n")).unwrap();
}

#[test]
fn p_and_enter_pauses_a_run_until_p_and_enter() {
    let (case, mut terminal) = begun(&[]);
    terminal.wait_for("Enter status   l output   p pause   Ctrl-C stop or undo");
    terminal.press("p\n");
    terminal.wait_for("paused");
    terminal.wait_for("PAUSED   0 of 2 steps");
    terminal.wait_for("Enter status   l output   p go on   Ctrl-C stop or undo");
    end_the_step(&case);
    terminal.wait_for("PAUSED   1 of 2 steps");
    assert_eq!(case.read("site/message"), None, "nothing starts");
    terminal.press("p\n");
    terminal.wait_for("the pause is over");
    let (exit, screen) = terminal.end();
    assert_eq!(exit, 0, "{screen}");
    assert_eq!(case.read("site/message").as_deref(), Some("hello"));
    let journal = case.read("state/runs/r1/journal.ndjson").unwrap();
    let words = ["\"event\":\"paused\"", "\"step\":\"slow\",\"outcome\":\"done\"", "\"what\":\"go_on\"", "\"step\":\"write\",\"attempt\""];
    let places: Vec<Option<usize>> = words.iter().map(|word| journal.find(word)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}\n{journal}");
    let _ = case.run(&["verify", "r1"]).exits(0);
}

#[test]
fn ctrl_c_in_a_pause_is_a_decision_and_going_on_ends_the_pause() {
    let (case, mut terminal) = begun(&[]);
    terminal.press("p\n");
    terminal.wait_for("PAUSED");
    end_the_step(&case);
    terminal.wait_for("PAUSED   1 of 2 steps");
    terminal.press("\u{3}");
    terminal.wait_for("[s] stop");
    terminal.answer("Letter and Enter (no default): ", "g");
    let (exit, screen) = terminal.end();
    assert_eq!(exit, 0, "{screen}");
    assert_eq!(case.read("site/message").as_deref(), Some("hello"));
}

#[test]
fn enter_tells_the_status_and_l_the_last_output() {
    for calm in [false, true] {
        let (case, mut terminal) = begun(if calm { &["--color", "never"] } else { &[] });
        terminal.press("\n");
        terminal.wait_for("slow              running");
        terminal.wait_for("0 of 2 steps");
        terminal.press("l\n");
        terminal.wait_for("the last 2 lines of what /bin/sh");
        terminal.wait_for("| copied 5 of 8");
        terminal.wait_for("err | odd");
        terminal.press("what\n");
        terminal.wait_for("Enter: status; l: output; p: pause or go on; Ctrl-C: stop or undo");
        end_the_step(&case);
        let (exit, screen) = terminal.end();
        assert_eq!(exit, 0, "{screen}");
    }
}

#[test]
fn what_is_typed_ahead_while_a_form_is_open_goes_to_the_form() {
    let case = Case::new(&[("book.yaml", FORM)]);
    let mut terminal = Terminal::start(&case, &["run", "book.yaml", "--run-id", "r1", "--yes"]);
    terminal.answer("serial (hidden, twice): ", "K-4711\nK-4711\n15\ny");
    let (exit, screen) = terminal.end();
    assert_eq!(exit, 0, "{screen}");
    assert_eq!(case.read("site/users").as_deref(), Some("15"));
}

#[test]
fn with_no_input_nobody_listens_at_a_terminal() {
    let (case, mut terminal) = begun(&["--no-input"]);
    terminal.wait_for("Ctrl-C stop or undo");
    terminal.press("p\n");
    end_the_step(&case);
    let (exit, screen) = terminal.end();
    assert_eq!(exit, 0, "{screen}");
    assert!(!screen.contains("p pause"), "{screen}");
}
