#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use super::*;
use actions::BUILTIN;
use engine::procedure::Procedure;
use jiff::{SignedDuration, Timestamp};
use model::digest::Digest;
use model::event::Line;
use model::id::RunId;
use serde_json::{Value as Json, json};
use std::path::Path;
use world::memory_store::MemoryStore;
use world::store::Store;

const RUNBOOK: &str = "
format: 1
runbook: licence
version: 1.4.0
title: T
steps:
  - { id: keep, action: file.write, with: { path: /srv/keep, text: a }, takes: { usual: 10m, most: 20m } }
  - { id: copy, action: file.write, needs: [], with: { path: /srv/copy, text: a } }
  - { id: closed, action: manual.confirm, needs: [keep, copy], with: { question: Closed? }, takes: { usual: 1h } }
  - { id: install, action: file.write, with: { path: /srv/install, text: a } }
";

const STEPS: [&str; 4] = ["keep", "copy", "closed", "install"];

/// What is estimated after runs in which the steps took so many seconds; none: the step was skipped.
pub(crate) fn estimate(runs: &[[Option<i64>; 4]], jobs: usize) -> Estimate {
    let decisions = ["change", "change", "ask", "change"];
    let steps: Vec<Json> = STEPS.iter().zip(decisions).map(|(id, decision)| json!({ "id": id, "action": "a", "decision": decision })).collect();
    of_plan(runs, jobs, &steps)
}

fn of_plan(runs: &[[Option<i64>; 4]], jobs: usize, steps: &[Json]) -> Estimate {
    let store = MemoryStore::new();
    runs.iter().enumerate().for_each(|(n, times)| ran(&store, &format!("r{n}"), times));
    let loaded = engine::load::load(Path::new("r.yaml"), None, None, &actions::BUILTIN, &mut |_: &Path| Ok(RUNBOOK.into())).unwrap();
    let values = engine::input::resolve(&loaded, &[]).unwrap();
    let this = RunId::parse("this").unwrap();
    let course = Procedure::new(loaded, &values).course(&BUILTIN, &this).unwrap();
    let plan = serde_json::from_value(json!({ "format": 1, "run": "this", "client": "local", "host": "SAGE01", "steps": steps,
        "runbook": { "id": "licence", "version": "1.4.0", "digest": "00".repeat(32) }, "point_of_no_return": null, "irreversible": [],
        "kept": [], "totals": { "steps": {}, "before_floor": 0, "after_floor": 0 }, "rehearsal": { "effects": 0, "taken_back": 0 },
        "digest": "" }));
    Estimate::new(&Past::read(&store, "licence", "local", &this), course, &plan.unwrap(), jobs)
}

fn ran(store: &MemoryStore, run: &str, times: &[Option<i64>; 4]) {
    let run = RunId::parse(run).unwrap();
    let mut events = vec![(
        0,
        json!({ "event": "run_started", "format": 1, "tool": "t", "runbook": "licence", "version": "1", "client": "local", "host": "h",
        "operator": "o", "files": {}, "inputs": {}, "nonce": "00" }),
    )];
    for (step, time) in STEPS.iter().zip(times) {
        if time.is_some() {
            events.push((0, json!({ "event": "step_started", "step": step, "attempt": 1 })));
        }
        let outcome = if time.is_some() { "done" } else { "skipped" };
        events.push((time.unwrap_or(0), json!({ "event": "step_finished", "step": step, "outcome": outcome })));
    }
    events.push((0, json!({ "event": "run_ended", "outcome": "done", "exit": 0 })));
    let (mut at, mut prev, mut text) = (Timestamp::UNIX_EPOCH, Digest::from_sha256([0; 32]), String::new());
    for (seq, (later, event)) in events.into_iter().enumerate() {
        at += SignedDuration::from_secs(later);
        let line = Line { seq: seq as u64, at, run: run.clone(), prev, event: serde_json::from_value(event).unwrap() };
        let line = line.write().unwrap();
        prev = Digest::of(line.as_bytes());
        text += &format!("{line}\n");
    }
    store.create(&run).unwrap().append(text.as_bytes()).unwrap();
}

fn runs() -> [[Option<i64>; 4]; 3] {
    [[100, 50, 0, 20], [200, 50, 0, 10], [150, 400, 0, 30]].map(|run| run.map(Some))
}

#[test]
fn one_after_the_other_all_steps_count_and_side_by_side_the_longest_path() {
    assert_eq!(estimate(&runs(), 1).whole(), "Takes 2-10 min (3 runs); waiting for people comes on top.");
    assert_eq!(estimate(&runs(), 2).whole(), "Takes 2-8 min (3 runs); waiting for people comes on top.");
    assert_eq!(estimate(&runs(), 2).left(&[]).unwrap(), "2-8 min left");
}

#[test]
fn with_fewer_than_three_runs_the_author_is_asked_and_not_for_what_people_do() {
    assert_eq!(estimate(&runs()[..2], 1).whole(), "Takes 10-20 min (as its author thinks); waiting for people comes on top.");
    let step = json!({ "id": "copy", "action": "a", "decision": "change" });
    let nothing = of_plan(&runs()[..2], 1, &[step]);
    assert_eq!((nothing.whole().as_str(), nothing.left(&[])), ("No estimate yet of how long it takes.", None));
}

#[test]
fn what_is_over_or_not_planned_takes_no_more_time_and_what_runs_less() {
    let mut left = estimate(&runs(), 1);
    left.over(&StepId::new("keep"));
    assert_eq!(left.left(&[]).unwrap(), "1-8 min left");
    let copy = StepId::new("copy");
    assert_eq!(left.left(&[(&copy, Duration::from_secs(380))]).unwrap(), "10-50 s left");
    left.over(&copy);
    assert_eq!(left.left(&[(&StepId::new("install"), Duration::from_secs(99))]), None);
    let steps = [json!({ "id": "keep", "action": "a", "decision": "no-change" }), json!({ "id": "install", "action": "a", "decision": "change" })];
    assert_eq!(of_plan(&runs(), 1, &steps).whole(), "Takes 10-30 s (3 runs).");
}

#[test]
fn a_step_that_was_skipped_before_takes_what_it_took_in_other_runs_unless_it_may_be_skipped_again() {
    let skipped = [None, Some(50), Some(60)].map(|copy| [Some(1), copy, Some(1), Some(1)]);
    let mut steps = vec![json!({ "id": "copy", "action": "a", "decision": "change" })];
    assert_eq!(of_plan(&skipped, 1, &steps).whole(), "Takes 50-60 s (3 runs).");
    steps[0]["unknown_until"] = json!("keep");
    assert_eq!(of_plan(&skipped, 1, &steps).whole(), "Takes 0-60 s (3 runs).");
}
