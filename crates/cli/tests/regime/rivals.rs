//! Many starts for one client at once: one of them wins, and the others are told so; whatever becomes of the one that won.

use crate::lab::{Ended, Lab, program};
use model::digest::Digest;
use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Stdio};

/// How many rounds there are, and how many start in each.
const ROUNDS: usize = 125;
const STARTS: usize = 8;
const _: () = assert!(ROUNDS * STARTS >= 1000);

/// A runbook whose program is open until the round is over, so that no start comes after the winner's end.
const SLOW: &str = "format: 1
runbook: slow
version: 1.0.0
title: Hold on
touches: ['file:TREE/**']
steps:
  - id: hold
    action: command.run
    with: { argv: [/bin/cat, TREE/gate], changes: [] }
  - id: after
    action: file.write
    with: { path: TREE/after, text: '{{ run.id }}' }
";

fn lab(name: &str) -> Lab {
    let lab = Lab::with(name, SLOW);
    rustix::fs::mkfifoat(rustix::fs::CWD, lab.tree.join("gate"), rustix::fs::Mode::RWXU).unwrap();
    lab
}

/// A start with one of two state directories: the tree is locked for the whole machine.
fn start(lab: &Lab, run: &str, state: usize) -> Child {
    let state = lab.root.join(format!("state-{state}"));
    let words = ["run", lab.runbook.to_str().unwrap(), "--state", state.to_str().unwrap(), "--run-id", run, "--yes", "--no-input"];
    lab.command(program()).args(words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn ended(child: Child) -> Ended {
    child.wait_with_output().unwrap().into()
}

/// Waits until all have lost but one, which is given.
fn winner(round: usize, mut starts: Vec<Child>) -> Child {
    while starts.len() > 1 {
        let mut running = Vec::new();
        for mut child in starts {
            match child.try_wait().unwrap() {
                None => running.push(child),
                Some(_) => {
                    let lost = ended(child);
                    assert_eq!(lost.code, Some(4), "round {round}: {}", lost.text);
                }
            }
        }
        starts = running;
        std::thread::yield_now();
    }
    starts.pop().unwrap_or_else(|| panic!("round {round}: nobody has won"))
}

/// A start that may come to its step after the gate was shut again.
fn let_through(gate: &Path, mut child: Child) -> Ended {
    while child.try_wait().unwrap().is_none() {
        drop(fs::File::options().write(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(gate));
        std::thread::yield_now();
    }
    ended(child)
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[test]
fn of_many_starts_at_once_one_wins_also_when_it_is_killed_or_suspended_or_its_lock_file_is_removed() {
    let lab = lab("rivals");
    let locks = world::disk_store::machine_locks(std::env::var_os("XDG_RUNTIME_DIR").map(std::path::PathBuf::from).as_deref());
    let lock = locks.join(Digest::of(lab.tree.to_str().unwrap().as_bytes()).as_str());
    let gate = lab.tree.join("gate");
    for round in 0..ROUNDS {
        let starts = (0..STARTS).map(|n| start(&lab, &format!("r{round}-{n}"), n % 2)).collect();
        let mut winner = winner(round, starts);
        // Opening it to write waits for the winner's program to read: the winner is at its step.
        let open = fs::File::options().write(true).open(&gate).unwrap();
        match round % 5 {
            0 => {
                // The next round begins at once: nobody waits for a lock to grow old.
                winner.kill().unwrap();
                winner.wait().unwrap();
                drop(open);
                continue;
            }
            1 => {
                // A holder that sleeps is still the holder.
                signal(&winner, Signal::STOP);
                for state in 0..2 {
                    let late = ended(start(&lab, &format!("r{round}-late-{state}"), state));
                    assert_eq!(late.code, Some(4), "round {round}: {}", late.text);
                }
                signal(&winner, Signal::CONT);
            }
            2 => {
                // Somebody else comes in, with the other state directory. Who is in already does nothing more.
                fs::remove_file(&lock).unwrap();
                let late = (0..2).map(|state| start(&lab, &format!("r{round}-late-{state}"), state)).collect();
                let late = self::winner(round, late);
                drop(open);
                let first = ended(winner);
                assert_eq!(first.code, Some(1), "round {round}: {}", first.text);
                // It is told of the lock, or of what the other has done by then.
                let told = ["another run may have begun", "the world has moved"].iter().any(|why| first.text.contains(why));
                assert!(told, "round {round}: {}", first.text);
                let late = let_through(&gate, late);
                assert_eq!(late.code, Some(0), "round {round}: {}", late.text);
                let after = fs::read_to_string(lab.tree.join("after")).unwrap();
                assert!(after.starts_with(&format!("r{round}-late")), "round {round}: two at work at once: {after}");
                fs::remove_file(lab.tree.join("after")).unwrap();
                continue;
            }
            _ => {}
        }
        drop(open);
        let won = ended(winner);
        assert_eq!(won.code, Some(0), "round {round}: {}", won.text);
        fs::remove_file(lab.tree.join("after")).unwrap();
    }
    println!("{} starts in {ROUNDS} rounds, one winner in each", ROUNDS * STARTS);
}
