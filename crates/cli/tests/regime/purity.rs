//! Looking changes nothing: no call of a command that only looks writes, makes, removes, starts or connects.

use crate::lab::{Lab, RUN, program};
use std::fs;
use std::process::Command;

/// Whether a traced call may change something besides the file that is named.
fn changes(line: &str, saved: &str) -> bool {
    let Some((_, rest)) = line.split_once(' ') else { return false };
    let rest = rest.trim_start();
    let opens = (rest.starts_with("open(") || rest.starts_with("openat"))
        && ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"].iter().any(|flag| rest.contains(flag));
    if opens {
        return ![saved, "\"/dev/tty\"", "\"/dev/null\""].iter().any(|fine| rest.contains(fine));
    }
    let refused = [
        "rename",
        "unlink",
        "rmdir",
        "mkdir",
        "link",
        "symlink",
        "chmod",
        "fchmod",
        "chown",
        "fchown",
        "utimens",
        "truncate",
        "ftruncate",
        "mknod",
        "connect",
        "bind",
        "setxattr",
        "fsetxattr",
    ];
    refused.iter().any(|call| rest.starts_with(call)) && !rest.contains(saved)
}

#[test]
fn looking_changes_nothing() {
    let lab = Lab::new("purity");
    assert_eq!(lab.retrace("run").code, Some(0));
    let ended = lab.retrace("undo");
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    let (state, runbook) = (lab.state.to_str().unwrap(), lab.runbook.to_str().unwrap());
    let saved = lab.root.join("saved.plan");
    let saved = saved.to_str().unwrap();
    let looks: [&[&str]; 10] = [
        &["check", runbook],
        &["graph", runbook],
        &["plan", runbook, "--state", state],
        &["plan", runbook, "--state", state, "-o", saved],
        &["run", runbook, "--state", state, "--dry-run"],
        &["runs", "--state", state],
        &["show", RUN, "--state", state],
        &["verify", RUN, "--state", state],
        &["undo", "trial.undo-1", "--state", state, "--dry-run"],
        &["actions"],
    ];
    let trace = lab.root.join("trace");
    let mut traced = 0;
    for words in looks {
        let before = crate::manifest::manifest(&lab.state);
        let what = "trace=%file,%network,execve,fchmod,fchown,ftruncate,fsetxattr";
        let output =
            Command::new("strace").args(["-f", "-qq", "-o", trace.to_str().unwrap(), "-e", what]).arg(program()).args(words).output().unwrap();
        let code = output.status.code();
        assert!(code == Some(0) || (words[0] == "verify" && code == Some(9)), "{words:?}: {code:?} {}", String::from_utf8_lossy(&output.stderr));
        let text = fs::read_to_string(&trace).unwrap();
        assert!(text.lines().count() > 3, "{words:?}: nothing was traced");
        traced += text.lines().count();
        // A file that is saved is written under another name beside it and renamed.
        let fine = if words.contains(&"-o") { "saved.plan" } else { "\"no such name\"" };
        let wrong: Vec<&str> = text.lines().filter(|line| changes(line, fine)).collect();
        assert!(
            wrong.is_empty(),
            "{words:?} is not only looking: {wrong:#?}\n  replay: strace -f -e {what} {} {}",
            program().display(),
            words.join(" ")
        );
        assert_eq!(text.matches("execve(").count(), 1, "{words:?} starts a program");
        assert_eq!(crate::manifest::manifest(&lab.state), before, "{words:?}");
    }
    assert!(traced >= 500, "{traced} calls were traced");
    println!("{} commands that look: of {traced} calls about files, networks and programs 0 change something", looks.len());
}

#[test]
fn a_plan_needs_no_right_to_write_and_is_the_same_bytes() {
    let lab = Lab::new("rights");
    lab.empty();
    let plan = |saved: &std::path::Path, by: &[&str]| {
        let bin = program();
        let words = ["plan", lab.runbook.to_str().unwrap(), "--state", lab.state.to_str().unwrap(), "--run-id", RUN, "-o", saved.to_str().unwrap()];
        let whole: Vec<&str> = by.iter().copied().chain([bin.to_str().unwrap()]).chain(words).collect();
        let output = Command::new(whole[0]).args(&whole[1..]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{whole:?}: {}", String::from_utf8_lossy(&output.stderr));
        fs::read_to_string(saved).unwrap()
    };
    // A file that only its owner may read says nothing to others: this is about writing.
    for (name, entry) in crate::manifest::manifest(&lab.tree) {
        let mode = if entry.bytes.is_some() { 0o644 } else { 0o755 };
        fs::set_permissions(lab.tree.join(name), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    }
    let mine = plan(&lab.root.join("mine.plan"), &[]);
    let theirs = lab.root.join("theirs");
    fs::create_dir(&theirs).unwrap();
    fs::set_permissions(&theirs, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let theirs = plan(&theirs.join("theirs.plan"), &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]);
    assert!(mine.lines().count() > 20, "{mine}");
    assert_eq!(mine, theirs);
}
