//! Programs that write more than anybody reads.

use super::case::Case;

fn book(script: &str, more: &str) -> String {
    format!(
        "
format: 1
runbook: noise
version: 1.0.0
title: T
touches: ['file:@DIR@/site/**']
steps:
  - {{ id: write, action: file.write, with: {{ path: '@DIR@/site/message', text: hello, create_dirs: true }} }}
  - {{ id: loud, action: command.run, with: {{ argv: [sh, -c, '{script}'], changes: [] }}{more} }}
"
    )
}

/// Twenty megabytes.
const LINES: &str = "yes | head -c 20000000";
const ONE_LINE: &str = "head -c 20000000 /dev/zero | tr \"\\\\0\" y";

#[test]
fn however_much_a_program_writes_the_record_is_read_and_the_run_taken_back() {
    let failing = format!("{ONE_LINE}; exit 3");
    for (script, exit) in [(LINES, 0), (failing.as_str(), 1)] {
        let case = Case::new(&[("book.yaml", &book(script, ""))]);
        let _ = case.run(&["run", "book.yaml", "--yes", "--no-input", "--run-id", "loud"]).exits(exit);
        let journal = case.read("state/runs/loud/journal.ndjson").unwrap();
        assert!(journal.len() < 100_000, "{}", journal.len());
        let _ = case.run(&["verify", "loud"]).exits(0);
        let _ = case.run(&["undo", "loud", "--yes", "--no-input"]).exits(0);
        assert!(case.read("site/message").is_none());
    }
}

#[test]
fn an_output_that_is_too_long_for_the_record_fails_its_step() {
    let case = Case::new(&[("book.yaml", &book(LINES, ", outputs: { all: { type: string, from: '{{ result }}' } }"))]);
    let failed = case.run(&["run", "book.yaml", "--yes", "--no-input", "--run-id", "loud"]).exits(1);
    assert!(failed.err.contains("`all`") && failed.err.contains("1 MiB") && failed.err.len() < 4_000, "{:.4000}", failed.err);
    let _ = case.run(&["undo", "loud", "--yes", "--no-input"]).exits(0);
}
