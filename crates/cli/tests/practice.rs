//! The first ten minutes of a newcomer, as they stand in the README.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]
#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Output};

#[test]
fn the_run_in_the_readme_does_what_its_comments_say() {
    let readme = include_str!("../../../README.md");
    let dir = tempfile::tempdir().unwrap();
    let yaml = readme.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    std::fs::write(dir.path().join("hello.yaml"), yaml).unwrap();
    let own = Path::new(env!("CARGO_BIN_EXE_retrace")).parent().unwrap().to_owned();
    let path = std::env::join_paths([own].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap()))).unwrap();
    let commands: Vec<&str> = readme.lines().filter_map(|line| line.strip_prefix("$ ").filter(|line| line.starts_with("retrace "))).collect();
    assert!(commands.len() >= 7, "{commands:?}");
    for command in commands {
        let command = command.replace("/tmp/hello", "\"$PWD/hello\"");
        let mut shell = Command::new("sh");
        shell.args(["-c", &command]).current_dir(dir.path()).env("PATH", &path).env("RETRACE_STATE", dir.path().join("state"));
        let done = shell.output().unwrap();
        assert_eq!(done.status.code(), Some(0), "{command}: {}", String::from_utf8_lossy(&done.stderr));
        assert_eq!(
            dir.path().join("hello/note.txt").exists(),
            ["run", "show", "verify", "undo first --dry"].iter().any(|verb| command.contains(&format!("retrace {verb}"))),
            "{command}"
        );
    }
}

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
    for secret in ["LABUSERKEY", "LAB00-LAB00", "LAB0001"] {
        assert!(!told.contains(secret), "{told}");
        let kept = Command::new("grep").args(["-rlF", secret, "site/state"]).current_dir(dir.path()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&kept.stdout), "", "nothing that is kept holds a key");
    }
    // What it suggests can be copied: the program is not on the path.
    let next = told.lines().find_map(|line| line.strip_prefix("Next:  ")?.split("      ").next()).unwrap();
    let shown = Command::new("sh").args(["-c", next]).current_dir(dir.path()).output().unwrap();
    assert_eq!(shown.status.code(), Some(0), "{next}");
    is_told_first(dir.path());
    rolls_back(dir.path());
    let again = retrace(dir.path(), &["demo", "site", "--no-input"]);
    assert_eq!(again.status.code(), Some(4), "a directory with something in it is left alone");
    assert_eq!(retrace(dir.path(), &["lab", "stop", "site"]).status.code(), Some(0));
}

/// Where the client wants it, the change needs a notice: one with the same order number, that is not taken back.
fn is_told_first(dir: &Path) {
    let client =
        std::fs::read_to_string(dir.join("site/practice.yaml")).unwrap().replace("values:\n", "values:\n  notice: true\n  notice_lead: 0s\n");
    std::fs::write(dir.join("told.yaml"), client).unwrap();
    std::fs::write(dir.join("notice.yaml"), "format: 1\nanswers: { sent: done, answers: nobody }\n").unwrap();
    let of_client = ["--client", "told.yaml", "--state", "site/state"];
    let plan = |order: &str, exit| {
        let done = retrace(dir, &[&["plan", "site/licence-update.yaml", "--set", order][..], &of_client].concat());
        assert_eq!(done.status.code(), Some(exit), "{}", String::from_utf8_lossy(&done.stdout));
    };
    let done = |words: &[&str]| {
        let done = retrace(dir, words);
        assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    };
    plan("order=A-1", 4);
    let notice = ["run", "site/notice.yaml", "--run-id", "told-1", "--answers", "notice.yaml", "--yes"];
    done(&[&notice[..], &["--set", "order=A-1", "--set", "from=tonight", "--set", "until=tomorrow"], &of_client].concat());
    plan("order=A-1", 0);
    plan("order=A-2", 4);
    done(&["undo", "told-1", "--state", "site/state", "--answers", "notice.yaml", "--yes"]);
    plan("order=A-1", 4);
}

/// Below the point of no return: what the preflight finds then, and the way back.
fn rolls_back(dir: &Path) {
    let at = |path: &str| std::fs::read(dir.join("site").join(path)).unwrap();
    let keys = "Sage/Sage 100 Workstation/MAS90/Home/Lib/Keys/ACTIVATE.PVX";
    let server = "SAGE01/Sage/Sage 100 Advanced/MAS90/Home/Lib/Keys/ACTIVATE.PVX";
    let old = at("BK01/sage/practice-2/server/MAS90/Home/Lib/Keys/ACTIVATE.PVX");
    let told = |done: &Output| format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    let of_client = ["--client", "site/practice.yaml", "--state", "site/state", "--yes"];
    assert_ne!(at(server), old);
    let preflight = retrace(dir, &[&["run", "site/preflight.yaml"][..], &of_client].concat());
    assert_eq!(preflight.status.code(), Some(8), "{}", told(&preflight));
    assert!(told(&preflight).contains("farm[rds01]/same"), "{}", told(&preflight));
    let answered = ["--set", "update=practice-2", "--set", "seats=15", "--answers", "site/rollback-answers.yaml"];
    let back = retrace(dir, &[&["run", "site/licence-rollback.yaml"][..], &answered, &of_client].concat());
    assert_eq!(back.status.code(), Some(0), "{}", told(&back));
    assert_eq!(at(server), old, "the old registration");
    for host in ["RDS01", "RDS02"] {
        assert_eq!(at(&format!("{host}/{keys}")), at(&format!("BK01/sage/practice-2/{}/ACTIVATE.PVX", host.to_lowercase())), "{host}");
    }
    // RDS02 was behind before, and is so again.
    let behind = at(&format!("RDS02/{keys}"));
    let answers = "format: 1\nanswers: { symptom: no_activation, remedy: licence_file, helped: confirmed }\n";
    std::fs::write(dir.join("triage.yaml"), answers).unwrap();
    let triage = ["--run-id", "triage-1", "--answers", "triage.yaml"];
    let triage = retrace(dir, &[&["run", "site/access-triage.yaml"][..], &triage, &of_client].concat());
    assert_eq!(triage.status.code(), Some(8), "{}", told(&triage));
    assert_eq!(at(&format!("RDS02/{keys}")), at(server));
    // The launcher is told of another port, and of the first again.
    let sota = "SAGE01/Sage/Sage 100 Advanced/MAS90/Launcher/SOTA.INI";
    let before = at(sota);
    let answers = "format: 1\nanswers: { symptom: no_connection, remedy: launcher, launcher/right: { server: 'sage01;10001' }, helped: confirmed }\n";
    std::fs::write(dir.join("port.yaml"), answers).unwrap();
    let port = ["--run-id", "triage-2", "--answers", "port.yaml"];
    let port = retrace(dir, &[&["run", "site/access-triage.yaml"][..], &port, &of_client].concat());
    assert_eq!(port.status.code(), Some(0), "{}", told(&port));
    let (old, new) = (String::from_utf8(before.clone()).unwrap(), String::from_utf8(at(sota)).unwrap());
    let changed: Vec<_> = old.split_inclusive('\n').zip(new.split_inclusive('\n')).filter(|(old, new)| old != new).collect();
    assert!(matches!(changed.as_slice(), [(_, new)] if new.trim() == "1=sage01;10001"), "{changed:?}");
    let undone = retrace(dir, &["undo", "triage-2", "--state", "site/state", "--yes"]);
    assert_eq!((undone.status.code(), at(sota)), (Some(0), before), "{}", told(&undone));
    let undone = retrace(dir, &["undo", "triage-1", "--state", "site/state", "--yes", "--identity", "site/identity.txt"]);
    assert_eq!(undone.status.code(), Some(0), "{}", told(&undone));
    assert_eq!(at(&format!("RDS02/{keys}")), behind);
    let preflight = retrace(dir, &[&["run", "site/preflight.yaml"][..], &of_client].concat());
    assert_eq!(preflight.status.code(), Some(8), "{}", told(&preflight));
    assert!(told(&preflight).contains("farm[rds01]/same done") && told(&preflight).contains("farm[rds02]/same FAILED"), "{}", told(&preflight));
}
