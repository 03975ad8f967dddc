//! Looking changes nothing: no call of a command that only looks writes, makes, removes, starts or connects.

use crate::lab::{Lab, RUN, program};
use std::fs;
use std::net::TcpListener;
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
    for words in looks {
        let before = crate::manifest::manifest(&lab.state);
        let what = "trace=%file,%network,execve,fchmod,fchown,ftruncate,fsetxattr";
        let output =
            Command::new("strace").args(["-f", "-qq", "-o", trace.to_str().unwrap(), "-e", what]).arg(program()).args(words).output().unwrap();
        let code = output.status.code();
        assert!(code == Some(0) || (words[0] == "verify" && code == Some(9)), "{words:?}: {code:?} {}", String::from_utf8_lossy(&output.stderr));
        let text = fs::read_to_string(&trace).unwrap();
        assert!(text.lines().count() > 3, "{words:?}: nothing was traced");
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

/// A runbook that looks at all that can be started or connected to; `PORT` stands for a port that answers.
const LOOKS: &str = "format: 1
runbook: looks
version: 1.0.0
title: Looks
touches: ['service:daemon']
steps:
  - { id: program, action: command.look, with: { argv: [/bin/true] } }
  - { id: endpoint, action: assert.endpoint, with: { kind: tcp, host: 127.0.0.1, port: PORT } }
  - { id: service, action: assert.service, with: { name: daemon, state: stopped } }
  - { id: found, action: assert.service, with: { match: 'dae*', state: stopped } }
  - { id: ensured, action: service.ensure, with: { name: daemon, state: stopped } }
  - { id: way, action: manual.decide, with: { question: Which way?, options: { one: One, other: Other } } }
";

/// A client with a daemon that is known by its pid file and probed.
const DAEMON: &str = "format: 1
client: lab
name: Lab
zone: UTC
hosts: { here: { local: true, services: pidfile } }
daemons:
  daemon: { start: [/bin/sleep, '60'], pid_file: TREE/daemon.pid }
";

#[test]
fn without_looking_nothing_is_started_or_connected_to_and_with_it_what_the_steps_name_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let lab = Lab::with("no-look", &LOOKS.replace("PORT", &port.to_string()));
    let client = lab.root.join("client.yaml");
    fs::write(&client, DAEMON.replace("TREE", lab.tree.to_str().unwrap())).unwrap();
    let trace = lab.root.join("trace");
    let plan = |more: &[&str]| {
        let output = Command::new("strace")
            .args(["-f", "-qq", "-s", "256", "-o", trace.to_str().unwrap(), "-e", "trace=%file,%network"])
            .arg(program())
            .args(["plan", lab.runbook.to_str().unwrap(), "--client", client.to_str().unwrap(), "--state", lab.state.to_str().unwrap()])
            .args(more)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{more:?}: {}", String::from_utf8_lossy(&output.stderr));
        let text = fs::read_to_string(&trace).unwrap();
        let count = |part: &str| text.lines().filter(|line| line.contains(part)).count();
        (count("execve("), count("/bin/true\", ["), count("connect("), count(&format!("htons({port})")), count("daemon.pid"))
    };
    let (started, _, connected, _, asked) = plan(&["--no-look"]);
    assert_eq!((started, connected, asked), (1, 0, 0), "only the program itself is started");
    let (started, program, connected, endpoint, asked) = plan(&[]);
    assert_eq!((started, program), (2, 1), "the program that is named, once, though a decision leads two ways");
    assert!(connected >= 1 && endpoint >= 1 && connected == endpoint && asked > 0, "{connected} {endpoint} {asked}");
}
