//! Every runbook that is shipped passes `check`, alone and with the clients that it is shipped with.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "yaml")).collect();
    files.sort();
    assert!(!files.is_empty(), "{folder}");
    files
}

fn found(runbook: &Path, client: Option<&Path>) -> String {
    match engine::load::load(runbook, client, None, &actions::BUILTIN, &mut |path: &Path| fs::read(path)) {
        Ok(loaded) => engine::check::check(&loaded, &actions::BUILTIN).diagnostics.to_string(),
        Err(found) => found.to_string(),
    }
}

#[test]
fn general_runbooks_pass() {
    for runbook in files("runbooks/generic") {
        assert_eq!(found(&runbook, None), "", "{}", runbook.display());
    }
}

#[test]
fn the_runbooks_for_sage_pass_alone_and_with_every_sample_client() {
    for runbook in files("runbooks/sage100").into_iter().filter(|path| !path.ends_with("coverage.yaml")) {
        assert_eq!(found(&runbook, None), "", "{}", runbook.display());
        for client in files("runbooks/clients") {
            assert_eq!(found(&runbook, Some(&client)), "", "{} for {}", runbook.display(), client.display());
        }
    }
}

#[test]
fn the_run_in_the_readme_passes() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let yaml = readme.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("hello.yaml");
    fs::write(&file, yaml).unwrap();
    assert_eq!(found(&file, None), "");
}
