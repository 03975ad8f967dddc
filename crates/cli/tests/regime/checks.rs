//! Small checks of what a sweep does not come to: each gives what is wrong, if anything is.

use crate::call::points;
use crate::lab::{Ended, Lab, RUN, program};
use crate::manifest::{Manifest, difference, manifest, untimed};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

type Check = Result<(), String>;

fn lab(name: &str, bug: Option<u8>) -> Lab {
    Lab::new(&format!("{name}-{bug:?}")).with_bug(bug)
}

fn ended(what: &str, ended: &Ended, wanted: i32) -> Check {
    if ended.code == Some(wanted) { Ok(()) } else { Err(format!("{what} ended {:?}, not {wanted}: {}", ended.code, ended.text)) }
}

fn same(what: &str, wanted: &Manifest, found: &Manifest) -> Check {
    if wanted == found { Ok(()) } else { Err(format!("{what}: {}", difference(wanted, found))) }
}

/// A run leaves what it was to leave and nothing else; an undo brings all of it back, times too.
pub(crate) fn run_and_undo(bug: Option<u8>) -> Check {
    let lab = lab("whole", bug);
    let ends = lab.ends();
    lab.settles("run", &ends).and_then(|()| lab.settles("undo", &ends))
}

/// What somebody has changed since a run is not overwritten by its undo.
pub(crate) fn drift(bug: Option<u8>) -> Check {
    let lab = lab("drift", bug);
    for change in [|file: &Path| fs::write(file, "by hand\n"), |file: &Path| fs::remove_file(file)] {
        lab.fill();
        lab.done(&["run"])?;
        change(&lab.tree.join("app.conf")).unwrap();
        let before = manifest(&lab.tree);
        ended("undo after a change by hand", &lab.retrace("undo"), 4)?;
        same("an undo that was refused changed something", &before, &manifest(&lab.tree))?;
    }
    Ok(())
}

/// What a run was about to change and did not is not taken back: somebody may have changed it since.
pub(crate) fn not_happened(bug: Option<u8>) -> Check {
    let lab = lab("unhappened", bug);
    let ends = lab.ends();
    let all = points(&lab, "run");
    let point = all.iter().find(|point| point.call == "fallocate" && point.path.as_ref().is_some_and(|path| path.contains("/.app.conf."))).unwrap();
    lab.fill();
    ended("a run that finds no room", &lab.strace(&point.options("error=ENOSPC", false), "run"), 1)?;
    fs::write(lab.tree.join("app.conf"), "by hand\n").unwrap();
    ended("undo", &lab.retrace("undo"), 0)?;
    let mut wanted = untimed(&ends.start);
    wanted.get_mut("app.conf").unwrap().bytes = Some(b"by hand\n".to_vec());
    same("what the run did not do was taken back", &wanted, &untimed(&manifest(&lab.tree)))
}

/// What a run that was killed left beside a file is not in the way of another run.
pub(crate) fn another_run(bug: Option<u8>) -> Check {
    let lab = lab("another", bug);
    let all = points(&lab, "run");
    let point = all.iter().find(|point| point.call == "fsync" && point.path.as_ref().is_some_and(|path| path.contains("/.app.conf."))).unwrap();
    lab.fill();
    lab.strace(&point.options("signal=KILL", false), "run");
    ended("another run after one that was killed", &lab.retrace("another"), 0)
}

/// A journal that was changed in the middle is refused, and nothing is done.
pub(crate) fn damaged(bug: Option<u8>) -> Check {
    let lab = lab("damaged", bug);
    lab.done(&["run"])?;
    let journal = lab.state.join("runs").join(RUN).join("journal.ndjson");
    let mut bytes = fs::read(&journal).unwrap();
    let line = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(5).unwrap().0;
    bytes[line + 20] ^= 1;
    fs::write(&journal, bytes).unwrap();
    let before = manifest(&lab.tree);
    ended("undo with a damaged journal", &lab.retrace("undo"), 9)?;
    same("an undo with a damaged journal changed something", &before, &manifest(&lab.tree))
}

/// A file keeps its own access list, whatever its directory gives to new ones.
pub(crate) fn access_list(bug: Option<u8>) -> Check {
    let lab = lab("access", bug);
    // For all to come: the owner, the user 1, the group, the mask, others.
    let entries: [(u16, u16, u32); 5] = [(1, 7, u32::MAX), (2, 6, 1), (4, 5, u32::MAX), (16, 7, u32::MAX), (32, 0, u32::MAX)];
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, may, id) in entries {
        list.extend(tag.to_le_bytes().into_iter().chain(may.to_le_bytes()).chain(id.to_le_bytes()));
    }
    rustix::fs::setxattr(&lab.tree, "system.posix_acl_default", &list, rustix::fs::XattrFlags::empty()).unwrap();
    for verb in ["run", "undo"] {
        lab.done(&[verb])?;
        let mut names = Vec::with_capacity(1024);
        rustix::fs::listxattr(lab.tree.join("app.conf"), rustix::buffer::spare_capacity(&mut names)).unwrap();
        if !names.is_empty() {
            return Err(format!("after {verb} the file has an access list that it had not: {}", String::from_utf8_lossy(&names)));
        }
    }
    Ok(())
}

const HOLD: &str = "format: 1
runbook: hold
version: 1.0.0
title: Hold on
touches: ['file:TREE/held/**']
steps:
  - id: hold
    action: command.run
    with: { argv: [/bin/cat, TREE/gate], changes: [] }
";

const TRIFLE: &str = "format: 1
runbook: trifle
version: 1.0.0
title: A trifle
touches: ['file:TREE/**']
steps:
  - id: write
    action: file.write
    with: { path: TREE/trifle, text: trifle }
";

/// The locks of a run end with it, though a program that it has started lives on.
pub(crate) fn inherited(bug: Option<u8>) -> Check {
    let lab = lab("inherited", bug);
    lab.write(HOLD);
    let gate = lab.tree.join("gate");
    rustix::fs::mkfifoat(rustix::fs::CWD, &gate, rustix::fs::Mode::RWXU).unwrap();
    let mut run = lab.command(program()).args(lab.words("run")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // Opening it to write waits for the program to read.
    let open = fs::File::options().write(true).open(&gate).unwrap();
    run.kill().unwrap();
    run.wait().unwrap();
    lab.write(TRIFLE);
    let next = lab.retrace("another");
    drop(open);
    ended("a run after one that was killed, whose program lives on", &next, 0)
}

const DECIDE: &str = "format: 1
runbook: decide
version: 1.0.0
title: Decide
touches: ['file:TREE/**']
steps:
  - id: which
    action: manual.decide
    with: { question: 'Which?', options: { one: 'The one', other: 'The other' } }
  - id: write
    action: file.write
    with: { path: TREE/chosen, text: '{{ steps.which.choice }}' }
";

/// An answer is on the disk before anything is said that may follow from it.
pub(crate) fn answered(bug: Option<u8>) -> Check {
    let lab = lab("answered", bug);
    lab.write(DECIDE);
    let answers = lab.root.join("answers.yaml");
    fs::File::create(&answers).unwrap().write_all(b"format: 1\nanswers: { which: other }\n").unwrap();
    let trace = lab.root.join("trace");
    let mut command = lab.command("strace");
    command.args(["-f", "-qq", "-y", "-s", "70000", "-e", "trace=write,fdatasync", "-o"]).arg(&trace).arg(program());
    command.args(lab.words("run")).arg("--answers").arg(&answers);
    let run = Ended::from(command.output().unwrap());
    ended("run", &run, 0)?;
    let trace = fs::read_to_string(&trace).unwrap();
    let mut calls = trace.lines().filter(|line| line.contains("journal.ndjson")).skip_while(|line| !line.contains(r#"\"event\":\"answered\""#));
    let answer = calls.next().ok_or("no answer was written")?;
    match calls.next() {
        Some(next) if next.contains("fdatasync(") && answer.matches(r#"\"event\""#).count() == 1 => Ok(()),
        next => Err(format!("the answer was not flushed before what came next: {next:?}")),
    }
}

/// A program that is told by the system that bytes are written which are not finds out when it reads back.
#[test]
fn what_is_read_back_and_is_not_what_was_written_fails_the_step() {
    let lab = lab("lied", None);
    let ends = lab.ends();
    let all = points(&lab, "run");
    let point = all.iter().find(|point| point.call == "write" && point.path.as_ref().is_some_and(|path| path.contains("/.app.conf."))).unwrap();
    lab.fill();
    let run = lab.strace(&point.options("retval=11", false), "run");
    assert!(run.code == Some(1) && run.text.contains("cannot read back"), "{run:?}");
    assert_eq!(lab.settles("undo", &ends), Ok(()));
}

/// A step of two effects whose second failed goes on with the second.
#[test]
fn a_step_that_failed_half_way_is_gone_on_with() {
    let lab = lab("half", None);
    let ends = lab.ends();
    let all = points(&lab, "run");
    let swaps = all.iter().filter(|point| point.call == "renameat2").count();
    let mut failed = 0;
    for nth in 1..=swaps {
        lab.fill();
        let tree = lab.tree.to_str().unwrap().to_owned();
        let point = crate::call::Point { call: "renameat2".to_owned(), path: Some(tree), nth };
        let run = lab.strace(&point.options("error=EACCES", false), "run");
        if run.code == Some(1) {
            failed += 1;
            assert_eq!(lab.settles("resume", &ends), Ok(()), "after swap {nth} had failed");
            assert_eq!(lab.settles("undo", &ends), Ok(()), "after swap {nth} had failed");
        }
    }
    assert!(failed > 3, "only {failed} swaps failed");
}
