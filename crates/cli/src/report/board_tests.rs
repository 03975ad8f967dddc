#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use super::super::layout::Table;
use super::*;
use crate::paper::Paper;
use jiff::tz::TimeZone;
use serde_json::json;

const TABLE: Table = Table { paper: Paper::PLAIN, name: 18 };

fn lines(events: &[serde_json::Value]) -> Vec<Line> {
    let line = |(seq, event): (usize, &serde_json::Value)| Line {
        seq: seq as u64,
        at: Timestamp::from_second(1_772_911_200 + 10 * seq as i64).unwrap(),
        run: RunId::parse("h-0307-1").unwrap(),
        prev: model::digest::Digest::of(b""),
        event: serde_json::from_value(event.clone()).unwrap(),
    };
    events.iter().enumerate().map(line).collect()
}

fn started() -> serde_json::Value {
    json!({ "event": "run_started", "format": 1, "tool": "retrace 0.1.0", "runbook": "licence", "version": "1.4.0", "client": "harbor",
            "host": "SAGE01", "operator": "jdoe", "files": {}, "inputs": {}, "nonce": "00" })
}

fn set() -> serde_json::Value {
    json!({ "effect": "set", "resource": "service:PVX", "before": { "is": "service", "run": "running", "start": "automatic" },
            "after": { "is": "service", "run": "stopped", "start": "automatic" } })
}

fn events() -> Vec<Line> {
    lines(&[
        started(),
        json!({ "event": "step_started", "step": "quiesce", "attempt": 1 }),
        json!({ "event": "intended", "step": "quiesce", "n": 0, "effect": set() }),
        json!({ "event": "applied", "step": "quiesce", "n": 0 }),
        json!({ "event": "step_finished", "step": "quiesce", "outcome": "done" }),
        json!({ "event": "step_started", "step": "served", "attempt": 1 }),
        json!({ "event": "attempt_failed", "step": "served", "attempt": 1, "reason": "port 443 does not answer" }),
        json!({ "event": "step_started", "step": "served", "attempt": 2 }),
        json!({ "event": "attempt_failed", "step": "served", "attempt": 2, "reason": "port 443 does not answer" }),
        json!({ "event": "step_finished", "step": "served", "outcome": "failed", "reason": "port 443 does not answer" }),
        json!({ "event": "step_finished", "step": "after", "outcome": "blocked" }),
        json!({ "event": "run_ended", "outcome": "failed", "exit": 1 }),
    ])
}

#[test]
fn at_a_terminal_each_step_is_a_row_and_the_end_is_told() {
    let mut board = Board::new(Some(3), Detail::Steps);
    let rows: String = events().iter().flat_map(|line| board.take(line)).map(|said| said.row(&TABLE)).collect();
    let expected = "
  > h-0307-1          started           licence 1.4.0 for client harbor on SAGE01, by jdoe
  + quiesce           done       30s    service:PVX: running -> stopped
  x served            failed     10s    attempt 1: port 443 does not answer
  x served            failed     30s    attempt 2: port 443 does not answer
  x served            FAILED     40s    after 2 attempts
  - after             blocked
  x h-0307-1          FAILED   1m50s    1 failed, 1 blocked, 1 done; 1 effect
";
    assert_eq!(format!("\n{rows}"), expected);
}

#[test]
fn in_a_pipe_each_is_one_line_without_escapes_or_carriage_returns() {
    let mut board = Board::new(Some(3), Detail::Effects);
    let text: String = events().iter().flat_map(|line| board.take(line)).map(|said| said.line(&TimeZone::UTC)).collect();
    assert_eq!(text.lines().count(), 8, "{text}");
    assert!(text.starts_with("2026-03-07T19:20:00+00:00 run  h-0307-1      started  licence 1.4.0"), "{text}");
    assert!(text.contains("step quiesce       does     service:PVX: running -> stopped\n"), "{text}");
    assert!(!text.contains(['\r', '\u{1b}']));
}

#[test]
fn what_runs_and_the_whole_are_known_at_any_moment() {
    let mut board = Board::new(Some(3), Detail::Steps);
    let events = events();
    events[..6].iter().for_each(|line| drop(board.take(line)));
    let now = events[7].at;
    let running: Vec<String> = board.running(now).iter().map(|said| said.row(&TABLE)).collect();
    assert_eq!(running, ["  > served            running    20s\n"]);
    assert_eq!(board.total(now).unwrap(), "1 of 3 steps   1m10s   run h-0307-1");
    assert_eq!(board.place(), Some((2, 3)));
}

#[test]
fn a_long_copy_shows_how_far_it_has_come() {
    let mut board = Board::new(Some(3), Detail::Steps);
    let events = events();
    events[..6].iter().for_each(|line| drop(board.take(line)));
    for (written, total, shown) in [(2_684_354_560, 4_402_341_478, "2.5 of 4.1 GB"), (1_048_576, 4_402_341_478, "1.0 MB of 4.1 GB")] {
        board.progress(&StepId::new("served"), written, total);
        let running: Vec<String> = board.running(events[7].at).iter().map(|said| said.row(&TABLE)).collect();
        assert_eq!(running, [format!("  > served            running    20s    {shown}\n")]);
    }
    board.progress(&StepId::new("over"), 1, 2);
}

#[test]
fn an_undo_tells_what_is_taken_back() {
    let mut start = started();
    start["undo_of"] = json!({ "run": "h-0307-1", "scope": "all" });
    let mut board = Board::new(None, Detail::Steps);
    let rows: String = lines(&[
        start,
        json!({ "event": "step_started", "step": "quiesce", "attempt": 1 }),
        json!({ "event": "step_finished", "step": "quiesce", "outcome": "done" }),
        json!({ "event": "run_ended", "outcome": "done", "exit": 0 }),
    ])
    .iter()
    .flat_map(|line| board.take(line))
    .map(|said| said.row(&TABLE))
    .collect();
    let expected = "
  > h-0307-1          undoing           takes back h-0307-1
  < quiesce           undone     10s
  + h-0307-1          DONE       30s    1 undone; 0 effects
";
    assert_eq!(format!("\n{rows}"), expected);
}
