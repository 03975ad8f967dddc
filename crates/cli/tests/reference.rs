//! The reference of actions says what the program says. `UPDATE=1 cargo test -p cli --test reference` writes it anew.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

fn told(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_retrace")).args(args).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
}

#[test]
fn the_reference_of_actions_is_what_the_program_says() {
    let mut text = String::from("# Actions\n\nWritten by a test from `retrace actions`.\n");
    for line in told(&["actions"]).lines() {
        let name = line.split_whitespace().next().unwrap();
        let _ = write!(text, "\n## {name}\n\n```text\n{}```\n", told(&["actions", name]));
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/actions.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, &text).unwrap();
    }
    assert!(fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n") == text, "`docs/reference/actions.md` is stale");
}
