//! Every sentence of the published procedure is served by something that is there, or it is said what is still to come.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use model::runbook::Runbook;
use model::step::Step;
use model::yaml::{Sink, parse, read};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// What serves a sentence, and what is missing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Served {
    says: String,
    #[serde(default)]
    by: Vec<String>,
    later: Option<String>,
}

const COMMANDS: [&str; 7] = ["plan", "run", "undo", "resume", "show", "verify", "note"];
const SENTENCES: u32 = 90;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn coverage() -> BTreeMap<u32, Served> {
    let text = fs::read_to_string(root().join("runbooks/sage100/coverage.yaml")).unwrap();
    let all: BTreeMap<String, Served> = serde_yaml::from_str(&text).unwrap();
    all.into_iter().map(|(name, served)| (name.strip_prefix('R').unwrap().parse().unwrap(), served)).collect()
}

/// Every runbook and every step of it, as `licence-update/quiet/people_out`.
fn steps() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for entry in fs::read_dir(root().join("runbooks/sage100")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name == "coverage" {
            continue;
        }
        let sink = Sink::default();
        let tree = parse(&name, &fs::read(&path).unwrap(), &sink).unwrap();
        let runbook: Runbook = read(&tree, tree.root(), &sink).unwrap();
        below(&name, runbook.steps.iter().chain(&runbook.finally), &mut all);
        all.insert(name);
    }
    all
}

fn below<'s>(above: &str, steps: impl Iterator<Item = &'s Step>, all: &mut BTreeSet<String>) {
    for step in steps {
        let id = format!("{above}/{}", step.id.value);
        below(&id, step.steps.iter().flatten().chain(&step.finally), all);
        all.insert(id);
    }
}

#[test]
fn every_sentence_is_served_by_what_is_there() {
    let (coverage, steps) = (coverage(), steps());
    assert_eq!(coverage.keys().copied().collect::<Vec<_>>(), (1..=SENTENCES).collect::<Vec<_>>());
    let client = engine::schema::client();
    let is_there = |by: &str| match (by.strip_prefix("client:"), by.strip_prefix("retrace ")) {
        (Some(key), _) => client["properties"].get(key).is_some(),
        (_, Some(command)) => COMMANDS.contains(&command),
        _ => steps.contains(by),
    };
    for (n, served) in &coverage {
        assert!(!served.by.is_empty() || served.later.is_some(), "R{n} is served by nothing");
        let gone: Vec<&String> = served.by.iter().filter(|by| !is_there(by)).collect();
        assert!(gone.is_empty(), "R{n} is served by what is not there: {gone:?}");
    }
}

/// `UPDATE=1 cargo test -p tests --test coverage` writes it.
#[test]
fn the_table_of_the_guide_is_fresh() {
    let mut text = "# The published procedure, sentence by sentence\n\nMade from `runbooks/sage100/coverage.yaml`.\n\n".to_owned();
    text.push_str("| | the procedure | served by | still to come |\n|---|---|---|---|\n");
    for (n, served) in coverage() {
        let by: Vec<String> = served.by.iter().map(|by| format!("`{by}`")).collect();
        text.push_str(&format!("| R{n} | {} | {} | {} |\n", served.says, by.join(", "), served.later.unwrap_or_default()));
    }
    let page = root().join("docs/reference/coverage.md");
    if env::var_os("UPDATE").is_some() {
        fs::write(&page, &text).unwrap();
    }
    let there = fs::read_to_string(&page).unwrap_or_default().replace("\r\n", "\n");
    assert!(there == text, "{} is stale: UPDATE=1 cargo test -p tests --test coverage", page.display());
}
