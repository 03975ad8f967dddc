#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use super::{EffectStatus, Run, StepStatus};
use crate::digest::Digest;
use crate::event::{Event, Line};
use crate::id::{RunId, StepId};
use serde_json::{Value as Json, json};

/// Lines from events written as JSON; a `run_started` stands before them.
fn lines(events: &[Json]) -> Vec<Line> {
    let first = json!({ "event": "run_started", "format": 1, "tool": "retrace 0.1.0", "runbook": "r", "version": "1", "client": "local",
        "host": "h", "operator": "pat", "files": {}, "inputs": {}, "nonce": "00" });
    let line = |(seq, event): (usize, &Json)| Line {
        seq: seq as u64,
        at: "2026-03-07T20:02:11Z".parse().unwrap(),
        run: RunId::parse("h-1").unwrap(),
        prev: Digest::of(b""),
        event: serde_json::from_value::<Event>(event.clone()).unwrap(),
    };
    std::iter::once(&first).chain(events).enumerate().map(line).collect()
}

fn started(attempt: u32) -> Json {
    json!({ "event": "step_started", "step": "a", "attempt": attempt })
}
fn intended(n: u32) -> Json {
    json!({ "event": "intended", "step": "a", "n": n,
        "effect": { "effect": "set", "resource": "file:/x", "before": { "is": "absent" }, "after": { "is": "dir" } } })
}
fn applied(n: u32) -> Json {
    json!({ "event": "applied", "step": "a", "n": n, "observed": [{ "resource": "file:/x", "state": { "is": "dir" } }] })
}
fn asked(n: u32) -> Json {
    json!({ "event": "asked", "step": "a", "n": n, "effect": { "effect": "ask", "form": { "form": "step", "instructions": [] } } })
}
fn answered(n: u32) -> Json {
    json!({ "event": "answered", "step": "a", "n": n, "by": "pat", "answers": {} })
}
fn failed(attempt: u32) -> Json {
    json!({ "event": "attempt_failed", "step": "a", "attempt": attempt, "reason": "no" })
}
fn finished(outcome: &str) -> Json {
    json!({ "event": "step_finished", "step": "a", "outcome": outcome })
}
fn decided(what: &str, about: &str) -> Json {
    json!({ "event": "decided", "by": "pat", "what": what, "about": about })
}
fn resumed() -> Json {
    json!({ "event": "resumed", "by": "pat" })
}
fn ended() -> Json {
    json!({ "event": "run_ended", "outcome": "done", "exit": 0 })
}

fn status(events: &[Json]) -> StepStatus {
    let run = Run::fold(lines(events)).unwrap();
    run.step(&StepId::new("a")).map_or(StepStatus::Waiting, |step| step.status)
}

#[test]
fn each_sequence_gives_its_status() {
    let table: &[(&[Json], StepStatus)] = &[
        (&[], StepStatus::Waiting),
        (&[started(1)], StepStatus::Running),
        (&[started(1), intended(0)], StepStatus::InDoubt),
        (&[started(1), intended(0), intended(1), applied(0)], StepStatus::InDoubt),
        (&[started(1), intended(0), applied(0)], StepStatus::Running),
        (&[started(1), asked(0)], StepStatus::Running),
        (&[started(1), intended(0), applied(0), finished("done")], StepStatus::Done),
        (&[started(1), finished("unchanged")], StepStatus::Unchanged),
        (&[finished("skipped")], StepStatus::Skipped),
        (&[finished("blocked")], StepStatus::Blocked),
        (&[finished("failed")], StepStatus::Failed),
        (&[started(1), failed(1)], StepStatus::Running),
        (&[started(1), failed(1), finished("failed")], StepStatus::Failed),
        (&[started(1), intended(0), failed(1), started(2), intended(1), applied(1), finished("done")], StepStatus::Done),
        (&[started(1), intended(0), finished("failed")], StepStatus::Failed),
        (&[started(1), intended(0), finished("failed"), resumed(), applied(0)], StepStatus::Failed),
        (&[started(1), finished("failed"), decided("retry", "a"), started(2)], StepStatus::Running),
        (&[finished("blocked"), resumed(), started(1)], StepStatus::Running),
        (&[started(1), intended(0), resumed()], StepStatus::InDoubt),
        (&[started(1), intended(0), resumed(), applied(0)], StepStatus::Running),
        (&[started(1), intended(0), resumed(), decided("not_happened", "a"), started(2)], StepStatus::Running),
        (&[started(1), intended(0), intended(1), decided("not_happened", "a#1")], StepStatus::InDoubt),
        (&[started(1), asked(0), resumed(), asked(0), answered(0), finished("done")], StepStatus::Done),
    ];
    for (events, expected) in table {
        assert_eq!(status(events), *expected, "{events:?}");
    }
}

#[test]
fn what_does_not_follow_is_refused_and_changes_nothing() {
    let table: &[(&[Json], Json)] = &[
        (&[], started(2)),
        (&[], intended(0)),
        (&[], finished("done")),
        (&[started(1)], started(1)),
        (&[started(1)], started(2)),
        (&[started(1)], applied(0)),
        (&[started(1)], finished("blocked")),
        (&[started(1)], failed(2)),
        (&[started(1), intended(0)], intended(0)),
        (&[started(1), intended(0)], finished("done")),
        (&[started(1), intended(0)], answered(0)),
        (&[started(1), intended(0), applied(0)], applied(0)),
        (&[started(1), asked(0)], applied(0)),
        (&[started(1), asked(0)], finished("done")),
        (&[started(1), failed(1)], finished("done")),
        (&[started(1), failed(1)], intended(0)),
        (&[started(1), finished("done")], started(2)),
        (&[started(1), finished("done"), resumed()], started(2)),
        (&[started(1), finished("failed")], started(2)),
        (&[finished("skipped")], started(1)),
        (&[ended()], json!({ "event": "note", "by": "pat", "text": "late" })),
        (
            &[],
            json!({ "event": "run_started", "format": 1, "tool": "", "runbook": "r", "version": "1", "client": "local",
            "host": "h", "operator": "pat", "files": {}, "inputs": {}, "nonce": "00" }),
        ),
    ];
    for (before, event) in table {
        let mut events = before.to_vec();
        events.push(event.clone());
        let all = lines(&events);
        let (last, before) = all.split_last().unwrap();
        let mut run = Run::fold(before).unwrap();
        let was = format!("{run:?}");
        let error = run.apply(last).unwrap_err();
        assert_eq!(error.seq, last.seq);
        assert_eq!(format!("{run:?}"), was, "{events:?}");
    }
}

#[test]
fn the_first_line_starts_a_run_of_this_format() {
    let mut all = lines(&[started(1)]);
    assert!(Run::fold(&all[1..]).is_err());
    assert!(Run::fold(Vec::<Line>::new()).is_err());
    let Event::RunStarted(started) = &mut all[0].event else { unreachable!() };
    started.format = 2;
    assert_eq!(Run::fold(&all).unwrap_err().to_string(), "event 0 is out of place: its format is not known");
}

#[test]
fn effects_stand_in_the_order_in_which_they_began() {
    let mut events = vec![started(1), intended(0), applied(0)];
    let other: Vec<Json> = events.iter().map(|e| serde_json::from_str(&e.to_string().replace("\"a\"", "\"b\"")).unwrap()).collect();
    events.splice(2..2, other);
    let run = Run::fold(lines(&events)).unwrap();
    let order: Vec<_> = run.effects.iter().map(|e| (e.step.as_str(), e.intended.seq)).collect();
    assert_eq!(order, [("a", 2), ("b", 4)]);
    assert_eq!(run.open().count(), 0);
    assert!(matches!(&run.effect(&StepId::new("a"), 0).unwrap().status, EffectStatus::Applied { at, .. } if at.seq == 6));
}

#[test]
fn an_effect_that_did_not_happen_is_open_no_more() {
    let run = Run::fold(lines(&[started(1), intended(0), resumed(), decided("not_happened", "a")])).unwrap();
    assert_eq!(run.effects[0].status, EffectStatus::NotHappened);
    assert_eq!((run.resumed, run.decisions.len(), run.lines()), (1, 1, 5));
    assert!(run.ended.is_none());
}

#[test]
fn an_effect_that_was_refused_leaves_a_gap() {
    let run = Run::fold(lines(&[started(1), intended(0), intended(2), applied(2)])).unwrap();
    let step = StepId::new("a");
    assert_eq!(run.next_effect(&step), 3);
    assert!(run.effect(&step, 1).is_none());
    assert!(!run.effect(&step, 2).unwrap().status.open());
}

#[test]
fn a_line_of_another_run_or_place_is_refused() {
    let mut all = lines(&[started(1), finished("done")]);
    all[2].run = RunId::parse("h-2").unwrap();
    assert_eq!(Run::fold(&all).unwrap_err().reason, "it is of another run");
    all.remove(1);
    assert_eq!(Run::fold(&all).unwrap_err().reason, "it is not the next line");
}
