//! A program is cut off in the middle of its work. It writes in place and flushes nothing: only what was kept before it began
//! can give back what was there.

use crate::lab::{Ended, Ends, Lab, program};
use crate::manifest::manifest;
use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::process::Stdio;

/// Programs that overwrite a file in place and make another one, and that change what is in a directory.
pub(crate) const PROGRAMS: &str = r#"format: 1
runbook: programs
version: 1.0.0
title: Programs
touches: ['file:TREE/**']
steps:
  - id: edit
    action: command.run
    with: { argv: [/bin/sh, -c, 'printf "release: 2\nby a program\n" > "$1/app.conf"; printf "made\n" > "$1/made.conf"', sh, TREE], changes: ['file:TREE/app.conf', 'file:TREE/made.conf'] }
    done_when:
      - { id: edited, action: assert.file, with: { path: TREE/app.conf, contains: "release: 2\nby a program\n" } }
      - { id: made, action: assert.file, with: { path: TREE/made.conf, contains: "made\n" } }
  - id: inside
    action: command.run
    with: { argv: [/bin/sh, -c, 'printf "new first\n" > "$1/first.conf"; printf "third\n" > "$1/more/third.conf"; rm "$1/more/second.conf"', sh, TREE/conf], changes: ['file:TREE/conf'] }
    done_when:
      - { id: first, action: assert.file, with: { path: TREE/conf/first.conf, contains: "new first\n" } }
      - { id: second, action: assert.file, with: { path: TREE/conf/more/second.conf, exists: false } }
      - { id: third, action: assert.file, with: { path: TREE/conf/more/third.conf, contains: "third\n" } }
  - id: ready
    action: file.write
    with: { path: TREE/ready, text: "yes\n" }
"#;

/// A program that waits in the middle of its work; how one tells that it is done stands in place of `DONE`.
const MIDDLE: &str = r#"format: 1
runbook: middle
version: 1.0.0
title: In the middle
touches: ['file:TREE/**']
steps:
  - id: edit
    action: command.run
    with: { argv: [/bin/sh, -c, 'echo $$ > "$1/../pid"; printf "half" > "$1/app.conf"; read go < "$1/../gate"; printf "whole\n" > "$1/app.conf"', sh, TREE], changes: ['file:TREE/app.conf'] }
DONE
  - id: ready
    action: file.write
    with: { path: TREE/ready, text: "yes\n" }
"#;

const DONE: &str = r#"    done_when: [{ id: edited, action: assert.file, with: { path: TREE/app.conf, contains: "whole\n" } }]"#;

/// A step that is taken back by a program, which waits before it does anything.
const TAKEN_BACK: &str = r#"format: 1
runbook: taken-back
version: 1.0.0
title: Taken back by a program
touches: ['file:TREE/**']
steps:
  - id: install
    action: command.run
    with: { argv: [/bin/sh, -c, 'printf "here\n" > "$1/installed"', sh, TREE] }
    done_when: [{ id: there, action: assert.file, with: { path: TREE/installed, exists: true } }]
    undo:
      action: command.run
      with: { argv: [/bin/sh, -c, 'echo $$ > "$1/../pid"; read go < "$1/../gate"; rm "$1/installed"', sh, TREE], changes: [] }
"#;

/// A lab whose programs wait until the gate is a file.
fn lab(name: &str, runbook: &str) -> Lab {
    let lab = Lab::with(name, runbook);
    mkfifoat(CWD, lab.root.join("gate"), Mode::RWXU).unwrap();
    lab
}

/// The program of a verb is in the middle of its work, and so it ends, and `retrace` with it.
fn cut_off(lab: &Lab, verb: &str) {
    let mut run = lab.command(program()).args(lab.words(verb)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // Opening it to write waits for the program to read.
    let open = fs::File::options().write(true).open(lab.root.join("gate")).unwrap();
    run.kill().unwrap();
    run.wait().unwrap();
    let pid: i32 = fs::read_to_string(lab.root.join("pid")).unwrap().trim().parse().unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    drop(open);
    fs::remove_file(lab.root.join("gate")).unwrap();
    fs::write(lab.root.join("gate"), "go\n").unwrap();
}

/// The tree before and after, of a lab whose gate is a file.
fn ends(runbook: &str) -> Ends {
    let lab = Lab::with("middle-ends", runbook);
    fs::write(lab.root.join("gate"), "go\n").unwrap();
    lab.ends()
}

fn code(ended: &Ended, wanted: i32) {
    assert_eq!(ended.code, Some(wanted), "{}", ended.text);
}

#[test]
fn a_program_that_was_cut_off_begins_once_more_where_it_began() {
    let runbook = MIDDLE.replace("DONE", DONE);
    let ends = ends(&runbook);
    let lab = lab("middle-resume", &runbook);
    cut_off(&lab, "run");
    assert_eq!(fs::read(lab.tree.join("app.conf")).unwrap(), b"half");
    assert_eq!(lab.settles("resume", &ends), Ok(()));
    assert_eq!(lab.settles("undo", &ends), Ok(()));
}

#[test]
fn what_a_program_left_half_done_is_taken_back_and_nobody_is_asked() {
    for (name, done) in [("declared", DONE), ("undeclared", "")] {
        let runbook = MIDDLE.replace("DONE", done);
        let ends = ends(&runbook);
        let lab = lab(&format!("middle-undo-{name}"), &runbook);
        cut_off(&lab, "run");
        assert_eq!(lab.settles("undo", &ends), Ok(()), "{name}");
        // Once more there is nothing to take back, and what somebody does later is not overwritten.
        fs::write(lab.tree.join("app.conf"), "by hand\n").unwrap();
        lab.retrace("undo");
        assert_eq!(fs::read(lab.tree.join("app.conf")).unwrap(), b"by hand\n", "{name}");
    }
}

#[test]
fn whether_a_program_did_its_work_is_asked_where_nothing_tells() {
    let lab = lab("middle-asked", &MIDDLE.replace("DONE", ""));
    cut_off(&lab, "run");
    let before = manifest(&lab.tree);
    let resume = lab.retrace("resume");
    code(&resume, 7);
    assert!(resume.text.contains("whether `edit` happened"), "{}", resume.text);
    assert_eq!(manifest(&lab.tree), before);
}

#[test]
fn that_a_step_is_done_does_not_tell_that_it_was_taken_back() {
    let lab = lab("middle-taken-back", TAKEN_BACK);
    lab.done(&["run"]).unwrap();
    cut_off(&lab, "undo");
    let resume = lab.retrace("resume undo");
    code(&resume, 7);
    assert!(lab.tree.join("installed").exists());
}
