//! Every fixture folder: the valid ones pass `check`, the invalid ones say exactly what is expected.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::{env, fs};

use tests::fixture::Fixture;

#[test]
fn every_valid_fixture_passes() {
    let wrong: Vec<String> = Fixture::all("valid")
        .unwrap()
        .iter()
        .filter(|fixture| fixture.found().errors() > 0)
        .map(|fixture| format!("== {}\n{}", fixture.name(), fixture.found()))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_licence_change_from_paper_passes_with_each_of_its_clients_as_far_as_the_actions_go() {
    let all = Fixture::all("valid").unwrap();
    let trial = all.iter().find(|fixture| fixture.name() == "licence-trial").unwrap();
    assert_eq!(trial.clients().len(), 2);
    for client in trial.clients() {
        let report = trial.check_for(Some(&client));
        assert!(report.diagnostics.errors() == 0 && report.steps > 40, "{}\n{}", client.display(), report.diagnostics);
    }
}

/// `UPDATE=1 cargo test -p tests --test fixtures` writes what is found; read the difference before you commit it.
#[test]
fn every_invalid_fixture_says_what_is_expected() {
    let mut wrong = Vec::new();
    let fixtures = Fixture::all("invalid").unwrap();
    for fixture in &fixtures {
        let found = fixture.found();
        let shown = found.to_string();
        let expected = fixture.dir.join("expected.txt");
        if env::var_os("UPDATE").is_some() {
            fs::write(&expected, &shown).unwrap();
        }
        let wanted = fs::read_to_string(&expected).unwrap_or_default().replace("\r\n", "\n");
        if found.errors() == 0 || shown != wanted {
            wrong.push(format!("== {}\n{shown}", fixture.name()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(fixtures.len() >= 100, "there are {} invalid fixtures", fixtures.len());
}
