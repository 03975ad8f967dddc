//! Input of a size or from a place that no fixture can have, and mistakes that only a plan can see.

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
    assert!(case.read("site/key").is_none() && !case.dir().join("state").exists());
}

#[test]
fn what_stands_in_a_value_or_in_the_output_of_a_program_stays_text() {
    let page = "{{ 1 + 1 }} {% for x in [1] %}{# #}";
    let steps = "title: T
inputs: { note: { type: string } }
steps:
  - { id: note, action: file.write, with: { path: '@DIR@/site/note', text: '{{ inputs.note }}' } }
  - { id: page, action: config.read, with: { path: '@DIR@/page.json', format: json, keys: [page] } }
  - { id: copy, action: file.write, with: { path: '@DIR@/site/page', text: '{{ steps.page.values.page }}' } }
";
    let case = Case::new(&[("book.yaml", &format!("{HEAD}{steps}")), ("site/old", ""), ("page.json", &format!("{{\"page\": \"{page}\"}}"))]);
    let _ = case.run(&["run", "book.yaml", "--yes", "--set", &format!("note={page}")]).exits(0);
    assert_eq!(case.read("site/note").as_deref(), Some(page));
    assert_eq!(case.read("site/page").as_deref(), Some(page));
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_program_writes_is_no_template() {
    let page = "{{ 1 + 1 }} {% for x in [1] %}{% endfor %}";
    let steps = "title: T
steps:
  - { id: page, action: command.look, with: { argv: [cat, '@DIR@/page'] } }
  - { id: copy, action: file.write, with: { path: '@DIR@/site/page', text: '{{ steps.page.result }}' } }
";
    let case = Case::new(&[("book.yaml", &format!("{HEAD}{steps}")), ("site/old", ""), ("page", page)]);
    let _ = case.run(&["run", "book.yaml", "--yes"]).exits(0);
    assert_eq!(case.read("site/page").as_deref(), Some(page));
}

#[test]
fn parameters_that_a_plan_finds_wrong_are_told_with_their_steps_and_places() {
    let steps = "title: T
inputs: { names: { type: list, default: [a] } }
vars: { late: '{{ inputs.names }}', some: { a: 1 } }
steps:
  - { id: list, action: file.write, with: { path: '@DIR@/site/a', text: '{{ vars.late }}' } }
  - { id: program, action: command.look, with: { argv: [tool, '{{ vars.late }}'] } }
  - { id: lacks, action: file.write, with: { path: '@DIR@/site/b', text: 'x {{ vars.some.b }}' } }
";
    let case = Case::new(&[("book.yaml", &format!("{HEAD}{steps}")), ("site/old", "")]);
    let _ = case.run(&["check", "book.yaml"]).exits(0);
    for verb in ["plan", "run"] {
        let wrong = case.run(&[verb, "book.yaml"]).exits(3);
        let lines = ["`list`: `with.text`: a text is wanted, not a list", "`program`: `with.argv[1]`: expected text, found a list", "`lacks`: "];
        for (said, place) in lines.iter().zip(["book.yaml:9:", "book.yaml:10:63", "book.yaml:11:"]) {
            assert!(wrong.err.contains(said) && wrong.err.contains(place), "{said} {place}: {}", wrong.err);
        }
    }
    assert_eq!(case.read("state"), None);
}

#[test]
fn what_is_not_known_yet_and_what_nobody_could_open_is_told_with_its_place() {
    let steps = "title: T
inputs: { key: { type: secret } }
steps:
  - { id: ask, action: manual.form, with: { fields: [{ name: name }] } }
  - { id: late, action: file.write, with: { path: '@DIR@/site/{{ steps.ask.name }}', text: x } }
";
    let case = Case::new(&[("book.yaml", &format!("{HEAD}{steps}")), ("site/old", "")]);
    let wrong = case.run(&["plan", "book.yaml"]).exits(4);
    let told = wrong.out + &wrong.err;
    assert!(told.contains("`late`: not known before step `ask` (book.yaml:9:43)"), "{told}");
    let steps = "title: T
inputs: { key: { type: secret } }
steps:
  - { id: key, action: file.write, with: { path: '@DIR@/site/key', text: '{{ inputs.key }}' } }
";
    let case = Case::new(&[("book.yaml", &format!("{HEAD}{steps}")), ("site/old", "")]);
    let wrong = case.run(&["plan", "book.yaml"]).exits(3);
    assert!(wrong.err.contains("`key` sets something that holds a secret") && wrong.err.contains("book.yaml:8:42"), "{}", wrong.err);
}

#[test]
fn a_directory_is_no_runbook_and_is_named() {
    let case = Case::new(&[]);
    for verb in ["plan", "check"] {
        let wrong = case.run(&[verb, "."]).exits(3);
        assert!(wrong.err.contains("cannot read `.`"), "{}", wrong.err);
    }
}

#[test]
fn the_action_that_runs_a_runbook_is_described_like_the_others() {
    let case = Case::new(&[]);
    let told = case.run(&["actions", "runbook"]).exits(0).out;
    assert!(told.contains("path") && told.contains("inputs") && told.contains("required"), "{told}");
    assert!(case.run(&["actions"]).exits(0).out.contains("\nrunbook "));
}
