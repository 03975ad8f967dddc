//! Many starts for one client at once: one of them wins, and the others are told so.

use crate::lab::{Lab, program};
use std::fs;
use std::process::{Child, Command, Stdio};

/// How many rounds there are, and how many start in each.
const ROUNDS: usize = 25;
const STARTS: usize = 8;

/// A runbook whose program is open until the round is over, so that no start comes after the winner's end.
const SLOW: &str = r#"format: 1
runbook: slow
version: 1.0.0
title: Hold on
touches: ['file:TREE/**']
steps:
  - id: hold
    action: command.run
    with: { argv: [/bin/cat, TREE/gate], changes: [] }
"#;

#[test]
fn of_many_starts_at_once_one_wins() {
    let lab = Lab::new("rivals");
    let runbook = lab.root.join("slow.yaml");
    fs::write(&runbook, SLOW.replace("TREE", lab.tree.to_str().unwrap())).unwrap();
    let gate = lab.tree.join("gate");
    assert!(Command::new("mkfifo").arg(&gate).status().unwrap().success());
    for round in 0..ROUNDS {
        // Two state directories in turn: the tree is locked for the whole machine.
        let start = |n: usize| -> Child {
            let state = lab.root.join(format!("state-{}", n % 2));
            let words =
                ["run", runbook.to_str().unwrap(), "--state", state.to_str().unwrap(), "--run-id", &format!("r{round}-{n}"), "--yes", "--no-input"]
                    .map(str::to_owned);
            Command::new(program()).args(words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let mut starts: Vec<(usize, Child)> = (0..STARTS).map(|n| (n, start(n))).collect();
        let mut lost = 0;
        while lost + 1 < STARTS {
            let before = starts.len();
            starts.retain_mut(|(n, child)| match child.try_wait().unwrap() {
                None => true,
                Some(status) => {
                    let mut text = String::new();
                    std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut text).unwrap();
                    assert_eq!(status.code(), Some(4), "round {round}, start {n}: {text}");
                    false
                }
            });
            lost += before - starts.len();
            std::thread::yield_now();
        }
        assert_eq!(starts.len(), 1, "round {round}");
        // Opening it to write waits for the winner's program to read: the winner is at its step.
        fs::write(&gate, "").unwrap();
        let (n, winner) = starts.pop().unwrap();
        let output = winner.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "round {round}, winner {n}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
