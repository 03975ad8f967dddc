//! Input of a size or from a place that no fixture can have.

use super::case::{Case, Ended};
use std::fmt::Write;

const HEAD: &str = "format: 1\nrunbook: bad\nversion: 1.0.0\ntouches: ['file:@DIR@/site/**']\n";

const STEPS: &str = "steps:\n  - { id: a, action: file.remove, with: { path: '@DIR@/site/a' } }\n";

/// Checks the runbook with 256 MiB of memory that can be written.
fn check(case: &Case) -> Ended {
    if cfg!(windows) {
        return case.run(&["check", "book.yaml"]);
    }
    let mut sh = std::process::Command::new("sh");
    sh.args(["-c", "ulimit -d 262144 && exec \"$0\" check book.yaml", env!("CARGO_BIN_EXE_retrace")]).current_dir(case.dir());
    let done = sh.output().unwrap_or_else(|error| panic!("sh: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended { exit: done.status.code().unwrap_or(-1), out: text(&done.stdout), err: text(&done.stderr) }
}

#[test]
fn the_largest_files_that_are_taken_are_checked_in_256_mib() {
    let mappings = format!("vars: {{ a: [{}] }}\n", "{b: 1},".repeat(950_000));
    let texts = (0..90).fold("vars:\n".to_owned(), |texts, n| format!("{texts}  k{n}: '{}'\n", "x".repeat(250_000)));
    for vars in [mappings, texts] {
        let _ = check(&Case::new(&[("book.yaml", &format!("{HEAD}title: T\n{vars}{STEPS}"))])).exits(0);
    }
}

#[test]
fn a_scalar_of_200_mib_is_refused_unread() {
    let case = Case::new(&[("book.yaml", &format!("{HEAD}title: '{}'\nsteps: []\n", "x".repeat(200 << 20)))]);
    let wrong = check(&case).exits(3);
    assert!(wrong.err.contains("book.yaml:1:1") && wrong.err.len() < 2_000, "{:.2000}", wrong.err);
}

#[test]
fn a_million_keys_are_read_and_what_is_wrong_beside_them_is_told() {
    let keys = (0..1_000_000).fold(String::new(), |mut keys, n| {
        let _ = writeln!(keys, "  k{n}: 1");
        keys
    });
    let case = Case::new(&[("book.yaml", &format!("{HEAD}title: T\nvars:\n{keys}steps: []\n"))]);
    let wrong = check(&case).exits(3);
    assert!(wrong.err.contains("there are no steps") && wrong.err.contains("book.yaml:1000007:8"), "{:.2000}", wrong.err);
}

#[test]
fn a_secret_on_the_command_line_is_refused_and_not_repeated() {
    let steps = "title: T\ninputs: { key: { type: secret } }\nsteps:\n  - { id: write, action: file.write, with: { path: '@DIR@/site/key', text: '{{ inputs.key }}' } }\n";
    let case = Case::new(&[("book.yaml", &format!("{HEAD}{steps}"))]);
    for verb in ["plan", "run"] {
        let wrong = case.run(&[verb, "book.yaml", "--set", "key=CANARY-4711"]).exits(3);
        assert!(wrong.err.contains("secret-on-command-line") && !(wrong.out + &wrong.err).contains("CANARY"));
    }
    assert!(case.read("site/key").is_none() && case.read("state").is_none());
}
