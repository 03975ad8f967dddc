//! A directory in which something is secret is kept so that nobody reads it, and comes back whole.

use super::case::{Case, Ended};
use model::digest::Digest;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

/// Secrets of the site before, of a program, and of an input.
const CANARIES: [&str; 3] = ["CANARY-0815-old", "CANARY-4711-new", "CANARY-1234-key"];

const BOOK: &str = "
format: 1
runbook: trees
version: 1.0.0
title: Trees
inputs: { key: { type: secret } }
touches: ['file:@DIR@/site/**', 'file:@DIR@/bk/**']
sensitive: ['file:**/ACTIVATE.PVX']
steps:
  - { id: copy, action: dir.backup, undo: auto, with: { sources: ['@DIR@/site/keys'], to: '@DIR@/bk/copy' } }
  - id: replaced
    action: command.run
    with:
      argv: [sh, -c, 'cd @DIR@/site/keys && rm -r deep ACTIVATE.PVX && mkdir other && cp ../../theirs other/ACTIVATE.PVX']
      changes: ['file:@DIR@/site/keys']
  - { id: beside, action: file.write, with: { path: '@DIR@/site/keys/plain', text: new } }
  - { id: made, action: dir.create, with: { path: '@DIR@/site/tls' } }
  - { id: written, action: file.write, with: { path: '@DIR@/site/tls/site.key', text: '{{ inputs.key }}' } }
  - { id: traced, action: dir.backup, undo: auto, with: { sources: ['@DIR@/site/tls'], to: '@DIR@/bk/traced' } }
  - { id: gone, action: file.remove, with: { path: '@DIR@/site/old' } }
  - { id: traced_gone, action: file.remove, with: { path: '@DIR@/bk/traced' } }
";

const OPEN: &str = "
format: 1
runbook: open
version: 1.0.0
title: Open
touches: ['file:@DIR@/site/**', 'file:@DIR@/bk/**']
sensitive: ['file:**/ACTIVATE.PVX']
steps:
";

fn case() -> Case {
    let identity = age::x25519::Identity::generate();
    let client = format!("format: 1\nclient: c\nname: C\nzone: UTC\nrecovery: {}\nsecrets: {{ key: {{ env: THE_KEY }} }}\n", identity.to_public());
    let case = Case::new(&[
        ("book.yaml", BOOK),
        ("c.yaml", &client),
        ("site/keys/ACTIVATE.PVX", CANARIES[0]),
        ("site/keys/deep/ACTIVATE.PVX", "CANARY-0815-old, deep"),
        ("site/keys/plain", "old"),
        ("site/old/ACTIVATE.PVX", CANARIES[0]),
        ("site/old/more/plain", "more"),
        ("bk/there", "there"),
        ("theirs", CANARIES[1]),
    ]);
    case.write("id", age::secrecy::ExposeSecret::expose_secret(&identity.to_string()));
    let dress = "chmod 640 site/keys/ACTIVATE.PVX; chmod 500 site/old/more; find site -exec touch -d 2001-02-03 {} +";
    assert!(Command::new("sh").args(["-c", dress]).current_dir(case.dir()).status().unwrap().success());
    case
}

fn retrace(case: &Case, words: &[&str]) -> Ended {
    let done = case.command().env("THE_KEY", CANARIES[2]).args(words).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let ended = Ended { exit: done.status.code().unwrap_or(-1), out: text(&done.stdout), err: text(&done.stderr) };
    assert!(!format!("{}{}", ended.out, ended.err).contains("CANARY"), "{}{}", ended.out, ended.err);
    ended
}

/// Everything in the site: contents, modes and times.
fn site(case: &Case) -> BTreeMap<String, (Option<Vec<u8>>, u32, i64)> {
    let mut found = BTreeMap::new();
    let mut open = vec![case.dir().join("site"), case.dir().join("bk")];
    while let Some(path) = open.pop() {
        let meta = path.symlink_metadata().unwrap();
        if meta.is_dir() {
            open.extend(path.read_dir().unwrap().map(|entry| entry.unwrap().path()));
        }
        // The time of a directory in which something was made and removed is not put back.
        let time = if meta.is_dir() { 0 } else { meta.mtime() };
        found.insert(path.display().to_string(), (std::fs::read(&path).ok(), meta.mode(), time));
    }
    found
}

/// The files of the state directory with a secret in it, or with a digest by which it could be guessed.
fn told(case: &Case) -> String {
    let mut words = vec!["-e".to_owned(), "CANARY".to_owned()];
    for text in CANARIES.iter().map(|text| (*text).to_owned()).chain(["CANARY-0815-old, deep".to_owned()]) {
        words.extend(["-e".to_owned(), Digest::of(text.as_bytes()).to_string()]);
    }
    let found = Command::new("grep").arg("-rlaF").args(words).arg("state").current_dir(case.dir()).output().unwrap();
    String::from_utf8_lossy(&found.stdout).into_owned()
}

fn verifies(case: &Case, run: &str) {
    let _ = retrace(case, &["verify", run]).exits(0);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../record/verify.py");
    let done = Command::new("python3").args([script, "state", run]).current_dir(case.dir()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&done.stdout), "whole\n", "{run}: {}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn a_tree_with_secrets_that_is_replaced_or_removed_is_kept_sealed_and_comes_back() {
    let case = case();
    let before = site(&case);
    let plan = retrace(&case, &["plan", "book.yaml", "--client", "c.yaml"]).exits(0);
    for what in ["site/old", "site/keys"] {
        let said = format!("file:{}/{what}", case.dir().display());
        let needs = plan.out.lines().find(|line| line.contains(" an age identity of ")).unwrap_or_default();
        assert!(needs.contains(&said), "{what}: {}", plan.out);
    }
    let _ = retrace(&case, &["run", "book.yaml", "--client", "c.yaml", "--run-id", "r", "--yes", "--no-input"]).exits(0);
    assert!(!case.dir().join("site/old").exists() && case.read("bk/copy/keys/ACTIVATE.PVX").is_some());
    assert_eq!(told(&case), "");
    let after = site(&case);

    let refused = retrace(&case, &["undo", "r", "--yes", "--no-input"]).exits(7);
    assert!(refused.err.contains("site/old") && refused.err.contains("--identity FILE"), "{}", refused.err);
    assert!(!case.dir().join("state/runs/r.undo-1").exists());
    assert_eq!(site(&case), after);

    let _ = retrace(&case, &["undo", "r", "--yes", "--no-input", "--identity", "id"]).exits(0);
    assert_eq!(site(&case), before);
    assert_eq!(told(&case), "");

    let _ = retrace(&case, &["undo", "r.undo-1", "--yes", "--no-input", "--identity", "id"]).exits(0);
    assert_eq!(told(&case), "");
    assert_eq!(case.read("site/keys/other/ACTIVATE.PVX").as_deref(), Some(CANARIES[1]));
    for run in ["r", "r.undo-1", "r.undo-1.undo-1"] {
        verifies(&case, run);
    }
    let _ = retrace(&case, &["prune", "--yes"]).exits(0);
    let _ = retrace(&case, &["undo", "r", "--yes", "--no-input", "--identity", "id"]).exits(0);
    assert_eq!(site(&case), before);
}

#[test]
fn what_was_changed_in_a_tree_with_secrets_since_is_a_conflict() {
    let case = case();
    let _ = retrace(&case, &["run", "book.yaml", "--client", "c.yaml", "--run-id", "r", "--yes", "--no-input"]).exits(0);
    case.write("site/keys/other/ACTIVATE.PVX", "theirs");
    let refused = retrace(&case, &["undo", "r", "--yes", "--no-input", "--identity", "id"]).exits(4);
    assert!(refused.err.contains("conflict") && refused.err.contains("site/keys"), "{}", refused.err);
    assert_eq!(case.read("site/keys/other/ACTIVATE.PVX").as_deref(), Some("theirs"));
}

#[test]
fn without_a_recipient_a_tree_with_secrets_is_not_planned() {
    let steps = [
        "  - { id: one, action: file.remove, with: { path: '@DIR@/site/old' } }\n",
        "  - { id: one, action: command.run, with: { argv: ['true'], changes: ['file:@DIR@/site/old'] } }\n",
        "  - { id: one, action: command.run, with: { argv: ['true'], changes: ['file:@DIR@/site/old/ACTIVATE.PVX'] } }\n",
    ];
    for step in steps {
        let case = Case::new(&[("book.yaml", &format!("{OPEN}{step}")), ("site/old/ACTIVATE.PVX", CANARIES[0]), ("bk/there", "")]);
        let refused = case.run(&["plan", "book.yaml"]).exits(3);
        assert!(refused.err.contains("`one` sets something that holds a secret"), "{step}: {}", refused.err);
    }
}

#[test]
fn without_a_recipient_a_secret_that_no_plan_could_foresee_is_not_removed() {
    let steps = "  - id: made
    action: command.run
    with: { argv: [sh, -c, 'mkdir @DIR@/site/new && cp @DIR@/theirs @DIR@/site/new/ACTIVATE.PVX'], changes: ['file:@DIR@/site/new'] }
  - { id: gone, action: file.remove, with: { path: '@DIR@/site/new' } }
";
    let case = Case::new(&[("book.yaml", &format!("{OPEN}{steps}")), ("theirs", CANARIES[1]), ("site/there", ""), ("bk/there", "")]);
    let failed = case.run(&["run", "book.yaml", "--run-id", "r", "--yes", "--no-input"]).exits(1);
    assert!(failed.err.contains("who could open what is kept of it"), "{}", failed.err);
    assert_eq!(case.read("site/new/ACTIVATE.PVX").as_deref(), Some(CANARIES[1]));
    assert_eq!(told(&case), "");
}
