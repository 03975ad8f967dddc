//! How long the steps of a runbook took.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test fails loudly, and changes what lies on the disk")]
#![expect(dead_code, reason = "the support is shared by several tests")]

mod support;

use jiff::SignedDuration;
use model::id::{RunId, StepId};
use record::past::Past;
use serde_json::json;
use std::fs;
use std::time::Duration;
use support::{Builder, Dir};

fn past(dir: &Dir) -> Past {
    Past::read(dir, "licence", "harbor", &RunId::parse("this").unwrap())
}

fn usual(dir: &Dir, step: &str) -> Option<u64> {
    past(dir).usual(&StepId::new(step)).as_ref().map(Duration::as_secs)
}

fn later<'b, 'd>(run: &'b mut Builder<'d>, seconds: i64) -> &'b mut Builder<'d> {
    run.at += SignedDuration::from_secs(seconds);
    run
}

/// A run in which `copy` takes so many seconds, on that day.
fn copied<'d>(dir: &'d Dir, run: &str, day: i64, seconds: i64) -> Builder<'d> {
    let mut run = Builder::new(dir, run, None, None);
    later(&mut run, day * 86_400).event(json!({ "event": "step_started", "step": "copy", "attempt": 1 }));
    later(&mut run, seconds - 1).event(json!({ "event": "step_finished", "step": "copy", "outcome": "done" }));
    run
}

#[test]
fn what_a_step_usually_takes_is_the_median_of_at_least_three_and_at_most_ten_runs() {
    let dir = Dir::new();
    copied(&dir, "r1", 1, 60).end("done", 0);
    copied(&dir, "r2", 1, 100).end("failed", 1);
    assert_eq!(usual(&dir, "copy"), None, "two runs tell nothing");
    copied(&dir, "r3", 1, 4000).end("undone", 5);
    assert_eq!(usual(&dir, "copy"), Some(100));
    copied(&dir, "r4", 1, 80).end("done", 0);
    assert_eq!(usual(&dir, "copy"), Some(90));
    assert_eq!(past(&dir).runs().iter().filter(|run| run.through).count(), 2);
    for n in 0..10 {
        Builder::new(&dir, &format!("later{n}"), None, None).end("done", 0);
    }
    assert_eq!(past(&dir).runs().len(), 10);
}

#[test]
fn waiting_for_a_person_is_not_the_time_of_a_step() {
    let dir = Dir::new();
    for n in 0..3 {
        let form = json!({ "form": "step", "instructions": [{ "do": "Look" }] });
        let mut run = Builder::new(&dir, &format!("r{n}"), None, None);
        run.event(json!({ "event": "step_started", "step": "look", "attempt": 1 }))
            .event(json!({ "event": "asked", "step": "look", "n": 0, "effect": { "effect": "ask", "form": form } }));
        later(&mut run, 3600)
            .event(json!({ "event": "answered", "step": "look", "n": 0, "by": "jdoe", "answers": {} }))
            .event(json!({ "event": "step_finished", "step": "look", "outcome": "done" }))
            .end("done", 0);
    }
    assert_eq!(usual(&dir, "look"), Some(2));
}

#[test]
fn a_step_that_something_came_between_or_that_was_not_done_tells_nothing() {
    let dir = Dir::new();
    let between = [
        json!({ "event": "paused", "by": "jdoe" }),
        json!({ "event": "decided", "by": "jdoe", "what": "retry", "about": "copy" }),
        json!({ "event": "clock_step", "seconds": 3600.0 }),
    ];
    for (n, event) in between.into_iter().enumerate() {
        let mut run = Builder::new(&dir, &format!("r{n}"), None, None);
        run.event(json!({ "event": "step_started", "step": "copy", "attempt": 1 }))
            .event(event)
            .event(json!({ "event": "step_finished", "step": "copy", "outcome": "done" }))
            .event(json!({ "event": "step_finished", "step": "more", "outcome": "skipped" }))
            .end("done", 0);
    }
    let mut cut = Builder::new(&dir, "cut", None, None);
    cut.event(json!({ "event": "step_started", "step": "copy", "attempt": 1 }));
    later(&mut cut, 86_400)
        .event(json!({ "event": "resumed", "by": "jdoe" }))
        .event(json!({ "event": "step_started", "step": "copy", "attempt": 2 }))
        .event(json!({ "event": "step_finished", "step": "copy", "outcome": "done" }))
        .end("done", 0);
    assert_eq!(past(&dir).runs().len(), 4);
    assert_eq!(past(&dir).median(&StepId::new("copy")), None);
    assert_eq!(past(&dir).median(&StepId::new("more")), None);
}

#[test]
fn undos_open_and_foreign_runs_and_what_cannot_be_read_are_left_out() {
    let dir = Dir::new();
    copied(&dir, "this", 1, 60).end("done", 0);
    copied(&dir, "open", 1, 60).save();
    let mut undo = Builder::new(&dir, "r0.undo-1", None, Some(json!({ "run": "r0", "scope": "all" })));
    undo.end("done", 0);
    copied(&dir, "damaged", 1, 60).end("done", 0);
    let mut lines = dir.lines("damaged");
    lines[2] = lines[2].replace("copy", "cops");
    dir.set_lines("damaged", &lines);
    for (name, text) in [("text", "no journal\n"), ("empty", ""), ("cut", "{\"seq\":0")] {
        fs::create_dir_all(dir.in_run(name, "")).unwrap();
        fs::write(dir.in_run(name, "journal.ndjson"), text).unwrap();
    }
    fs::create_dir_all(dir.in_run("folder", "journal.ndjson")).unwrap();
    assert_eq!(past(&dir).runs().len(), 0);
    copied(&dir, "r1", 1, 60).end("done", 0);
    assert_eq!(past(&dir).runs().len(), 1);
    let other = |runbook, client| Past::read(&dir, runbook, client, &RunId::parse("x").unwrap()).runs().len();
    assert_eq!((other("licence", "north"), other("certificate", "harbor"), other("licence", "harbor")), (0, 0, 2));
}
