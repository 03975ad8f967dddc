//! The first ten minutes of a newcomer, as they stand in the README.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]
#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Output};

fn retrace(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_retrace")).current_dir(dir).args(args).env_remove("RETRACE_STATE").output().unwrap()
}

#[test]
fn the_practice_plays_through_and_only_the_activation_stays() {
    let dir = tempfile::tempdir().unwrap();
    let played = retrace(dir.path(), &["demo", "site", "--no-input"]);
    let told = format!("{}{}", String::from_utf8_lossy(&played.stdout), String::from_utf8_lossy(&played.stderr));
    assert_eq!(played.status.code(), Some(0), "{told}");
    for said in ["the plan changed nothing", "everything was taken back", "practice-2    DONE", "Whole and sealed", "byte for byte, but SAGE01"] {
        assert!(told.contains(said), "`{said}` in {told}");
    }
    for secret in ["LABUSERKEY", "LAB00-LAB00"] {
        assert!(!told.contains(secret), "{told}");
        let kept = Command::new("grep").args(["-rlF", secret, "site/state"]).current_dir(dir.path()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&kept.stdout), "", "nothing that is kept holds a key");
    }
    let again = retrace(dir.path(), &["demo", "site", "--no-input"]);
    assert_eq!(again.status.code(), Some(1), "a directory with something in it is left alone");
    assert_eq!(retrace(dir.path(), &["lab", "stop", "site"]).status.code(), Some(0));
}
