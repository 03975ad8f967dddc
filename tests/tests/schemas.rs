//! The JSON Schemas are fresh, take what is right and refuse what is wrong, judged by a validator that is not ours.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::path::{Path, PathBuf};
use std::{env, fs};

use jsonschema::Validator;
use model::yaml::{Sink, parse};
use serde_json::Value;
use tests::fixture::Fixture;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn schemas() -> [(&'static str, Value); 3] {
    [("runbook", engine::schema::runbook(&actions::BUILTIN)), ("client", engine::schema::client()), ("answers", engine::schema::answers())]
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
    let [(_, runbook), (_, client), (_, answers)] = schemas();
    let [runbook, client, answers] = [runbook, client, answers].map(|schema| jsonschema::draft7::new(&schema).unwrap());
    let mut wrong = Vec::new();
    let mut count = 0;
    for fixture in Fixture::all("valid").unwrap() {
        for (file, validator) in [("runbook.yaml", &runbook), ("client.yaml", &client), ("answers.yaml", &answers)] {
            wrong.extend(refused(validator, &fixture.dir.join(file)).unwrap_or_default());
        }
    }
    for (folder, validator) in [("runbooks/generic", &runbook), ("runbooks/sage100", &runbook), ("runbooks/clients", &client)] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            wrong.extend(refused(validator, &entry.unwrap().path()).unwrap_or_default());
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 3);
}

/// Findings that a schema can know: keys, types and words.
const SHAPES: [&str; 6] =
    ["error[unknown-key]", "error[missing-key]", "error[wrong-type]", "error[unknown-word]", "error[unknown-action]", "error[no-value]"];

#[test]
fn what_both_can_know_both_refuse() {
    let [(_, runbook), (_, client), (_, answers)] = schemas();
    let validators =
        [("runbook", runbook), ("client", client), ("answers", answers)].map(|(name, schema)| (name, jsonschema::draft7::new(&schema).unwrap()));
    let mut missed = Vec::new();
    let mut both = 0;
    for fixture in Fixture::all("invalid").unwrap() {
        let found = fixture.found();
        for (name, validator) in &validators {
            let file = format!("{name}.yaml");
            let known = found.iter().any(|found| {
                let code = format!("error[{}]", found.code);
                SHAPES.contains(&code.as_str()) && found.at.as_ref().is_some_and(|at| at.file == file)
            });
            match refused(validator, &fixture.dir.join(&file)) {
                Some(errors) if known && errors.is_empty() => missed.push(format!("{}/{file}", fixture.name())),
                Some(_) if known => both += 1,
                _ => {}
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    assert!(both > 20, "{both}");
}
