//! Somebody or something else is at work where a command is to begin.

use super::case::Case;
use std::process::{Child, Stdio};

/// The program of its second step goes on until a file is there.
const BOOK: &str = "
format: 1
runbook: waits
version: 1.0.0
title: T
touches: ['file:@DIR@/site/**']
steps:
  - { id: write, action: file.write, with: { path: '@DIR@/site/message', text: hello, create_dirs: true } }
  - id: long
    action: command.run
    needs: [write]
    with: { argv: [sh, -c, 'echo > @DIR@/started; until [ -e @DIR@/go ]; do sleep 0.02; done; echo > @DIR@/over'], changes: [], repeatable: true }
";

/// A run whose program runs.
fn begun(case: &Case) -> Child {
    let mut command = case.command();
    command.args(["run", "book.yaml", "--yes", "--no-input", "--run-id", "first"]).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    until(case, "started");
    child
}

fn until(case: &Case, name: &str) {
    while case.read(name).is_none() {
        std::thread::yield_now();
    }
}

#[test]
fn a_second_run_for_a_client_says_who_is_at_work() {
    let case = Case::new(&[("book.yaml", BOOK)]);
    let mut first = begun(&case);
    let refused = case.run(&["run", "book.yaml", "--yes", "--no-input", "--run-id", "second"]).exits(4);
    assert!(refused.err.contains("the client `local`: it is held by pat on ") && refused.err.contains("run first"), "{}", refused.err);
    case.write("go", "");
    assert_eq!(first.wait().unwrap().code(), Some(0));
}

#[test]
fn a_program_that_outlives_its_engine_is_named_when_the_run_is_resumed() {
    let case = Case::new(&[("book.yaml", BOOK)]);
    let mut first = begun(&case);
    first.kill().unwrap();
    first.wait().unwrap();
    let refused = case.run(&["resume", "first", "--yes", "--no-input"]).exits(4);
    assert!(refused.err.contains("`first`: a program") && refused.err.contains("still runs: `"), "{}", refused.err);
    assert!(refused.err.contains("(process "), "{}", refused.err);
    case.write("go", "");
    until(&case, "over");
}
