//! The JSON Schemas are fresh, take what is right and refuse what is wrong, judged by a validator that is not ours.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use jsonschema::Validator;
use model::diagnostic::{Diagnostic, Severity};
use model::yaml::{Sink, Tree, parse};
use serde_json::Value;
use tests::fixture::Fixture;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn schemas() -> [(&'static str, Value); 4] {
    let runbook = engine::schema::runbook(&actions::BUILTIN);
    [("runbook", runbook), ("client", engine::schema::client()), ("partner", engine::schema::partner()), ("answers", engine::schema::answers())]
}

/// The files of a fixture, each with what judges it.
fn validators() -> Vec<(String, Validator)> {
    schemas().into_iter().map(|(name, schema)| (format!("{name}.yaml"), jsonschema::draft7::new(&schema).unwrap())).collect()
}

/// Why a file is refused, or nothing where it cannot be read at all.
fn refused(validator: &Validator, file: &Path) -> Option<Vec<String>> {
    let sink = Sink::new();
    let tree = parse("file", &fs::read(file).ok()?, &sink)?;
    let value = model::value::to_json(&tree.value(tree.root()));
    Some(validator.iter_errors(&value).map(|error| format!("{}: {} at {}", file.display(), error, error.instance_path())).collect())
}

/// `UPDATE=1 cargo test -p tests --test schemas` writes them.
#[test]
fn the_schemas_in_the_repository_are_fresh() {
    for (name, schema) in schemas() {
        let file = root().join("schemas").join(format!("{name}.schema.json"));
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        if env::var_os("UPDATE").is_some() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, &text).unwrap();
        }
        let there = fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
        assert!(there == text, "{} is stale: UPDATE=1 cargo test -p tests --test schemas", file.display());
    }
}

#[test]
fn every_shipped_file_and_every_valid_fixture_fits_its_schema() {
    let validators = validators();
    let of = |name: &str| &validators.iter().find(|(file, _)| file == name).unwrap().1;
    let mut wrong = Vec::new();
    let mut count = 0;
    for fixture in Fixture::all("valid").unwrap() {
        for (file, validator) in &validators {
            wrong.extend(refused(validator, &fixture.dir.join(file)).unwrap_or_default());
        }
        for file in fixture.clients() {
            wrong.extend(refused(of("client.yaml"), &fixture.dir.join(file)).unwrap_or_default());
        }
    }
    let folders = [("runbooks/generic", "runbook.yaml"), ("runbooks/sage100", "runbook.yaml"), ("runbooks/clients", "client.yaml")];
    for (folder, validator) in folders.map(|(folder, file)| (folder, of(file))) {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if !path.ends_with("coverage.yaml") {
                wrong.extend(refused(validator, &path).unwrap_or_default());
                count += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 3);
}

/// Findings that a schema can know: keys, types and words, and which of them go together.
const SHAPES: [&str; 33] = [
    "action-and-steps",
    "empty-file",
    "format",
    "missing-key",
    "no-action",
    "no-check",
    "no-foreach",
    "no-steps",
    "no-value",
    "no-zone",
    "not-for-partners",
    "not-on-group",
    "not-repeatable",
    "not-supported",
    "nothing-to-undo",
    "only-on-group",
    "template-not-here",
    "two-ways-back",
    "undo-undeclared",
    "unknown-action",
    "unknown-key",
    "unknown-word",
    "wrong-done-when",
    "wrong-evidence",
    "wrong-foreach",
    "wrong-gate",
    "wrong-input",
    "wrong-mark",
    "wrong-output",
    "wrong-resource",
    "wrong-secret",
    "wrong-settles",
    "wrong-type",
];

/// Findings of which a schema can know some: the code, and how those begin.
const SOME: [(&str, &[&str]); 4] = [
    ("no-key", &["the instances"]),
    ("secret-in-file", &["a secret does not stand in a runbook"]),
    ("wrong-name", &["a name has", "`step` is", "`in` is", "`not` is", "`if` is", "`steps` has"]),
    (
        "wrong-value",
        &["at least one", "a length of time is", "a length of time needs", "no time at all", "a name is one line", "a beginning is", "daemon `"],
    ),
];

/// Findings that no schema can know: how the text is written, what expressions and patterns say, what stands elsewhere, sums.
const BEYOND: [&str; 49] = [
    "alias",
    "ambiguous",
    "anchor",
    "combining-character",
    "control-character",
    "cycle",
    "duplicate-id",
    "duplicate-key",
    "duplicate-name",
    "host-not-local",
    "instance",
    "key-not-text",
    "merge-key",
    "missing-input",
    "missing-value",
    "needs-itself",
    "no-touches",
    "not-optional",
    "not-utf-8",
    "number",
    "own-output",
    "recursion",
    "same-key",
    "second-document",
    "secret-in-expression",
    "secret-not-here",
    "skipped-time",
    "steps-not-here",
    "syntax",
    "tab",
    "tag",
    "template-kind",
    "template-limit",
    "template-syntax",
    "too-deep",
    "two-local-hosts",
    "unknown-filter",
    "unknown-host",
    "unknown-input",
    "unknown-name",
    "unknown-output",
    "unknown-question",
    "unknown-step",
    "unknown-zone",
    "unreadable-file",
    "wrong-key",
    "wrong-pattern",
    "wrong-template-path",
    "wrong-window",
];

fn can_be_known(found: &Diagnostic) -> bool {
    SHAPES.contains(&found.code) || SOME.iter().any(|(code, begin)| *code == found.code && begin.iter().any(|begin| found.message.starts_with(begin)))
}

/// The entry of a document in which a finding lies: two keys deep, like `/steps/3` or `/inputs/site`.
fn entry(tree: &Tree, at: (u32, u32)) -> String {
    let begins = |node| tree.source().position(tree.place(node).start);
    let (mut node, mut path) = (tree.root(), String::new());
    for _ in 0..2 {
        let items = tree.items(node).enumerate().map(|(n, item)| (begins(item), item, n.to_string()));
        let entries = tree.entries(node).map(|(key, value)| (begins(key), value, tree.scalar(key).unwrap_or_default().to_owned()));
        let Some((_, inner, name)) = items.chain(entries).filter(|(begin, ..)| *begin <= at).last() else { break };
        (node, path) = (inner, format!("{path}/{name}"));
    }
    path
}

/// Whether an error of the schema is about a finding: it lies in the same entry, or it is about the document as a whole.
fn is_about(error: &str, finding: &Diagnostic, entry: &str) -> bool {
    let of_whole =
        ["empty-file", "format", "missing-key", "no-steps", "no-zone", "not-for-partners", "unknown-key", "wrong-type"].contains(&finding.code);
    error.starts_with(entry) || entry.starts_with(error) && (!error.is_empty() || of_whole)
}

#[test]
fn what_both_can_know_both_refuse() {
    let validators = validators();
    let (mut missed, mut both) = (Vec::new(), 0);
    for fixture in Fixture::all("invalid").unwrap() {
        let found = fixture.found();
        for (file, validator) in &validators {
            let Some(tree) = fs::read(fixture.dir.join(file)).ok().and_then(|bytes| parse("file", &bytes, &Sink::new())) else { continue };
            let value = model::value::to_json(&tree.value(tree.root()));
            let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.instance_path().to_string()).collect();
            let of_file = |found: &&Diagnostic| found.severity == Severity::Error && found.at.as_ref().is_some_and(|at| *at.file == **file);
            for finding in found.iter().filter(of_file).filter(|finding| can_be_known(finding)) {
                let entry = finding.at.as_ref().map(|at| entry(&tree, (at.line, at.column))).unwrap_or_default();
                if errors.iter().any(|error| is_about(error, finding, &entry)) {
                    both += 1;
                } else {
                    missed.push(format!("{}/{file}: {finding}\n  of `{entry}`; the schema finds {errors:?}", fixture.name()));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    assert!(both > 100, "{both}");
}

#[test]
fn of_every_code_it_is_said_whether_a_schema_can_know_it() {
    let some = SOME.map(|(code, _)| code);
    let all: Vec<&str> = SHAPES.iter().chain(&BEYOND).chain(&some).copied().collect();
    let codes: BTreeSet<&str> =
        Fixture::all("invalid").unwrap().iter().flat_map(|fixture| fixture.found().iter().map(|found| found.code).collect::<Vec<_>>()).collect();
    let unsaid: Vec<&&str> = codes.iter().filter(|code| !all.contains(code)).collect();
    assert!(unsaid.is_empty(), "{unsaid:?}");
}
