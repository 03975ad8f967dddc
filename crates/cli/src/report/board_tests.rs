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
  > h-0307-1          started            licence 1.4.0 for client harbor on SAGE01, by jdoe
  + quiesce           done        30s    service:PVX: running -> stopped
  x served            failed      10s    attempt 1: port 443 does not answer
  x served            failed      30s    attempt 2: port 443 does not answer
  x served            FAILED      40s    after 2 attempts
  - after             blocked
  x h-0307-1          FAILED    1m50s    1 failed, 1 blocked, 1 done; 1 effect
";
    assert_eq!(format!("\n{rows}"), expected);
}

#[test]
fn in_a_pipe_each_is_one_line_without_escapes_or_carriage_returns() {
    let mut board = Board::new(Some(3), Detail::Effects);
    let text: String = events().iter().flat_map(|line| board.take(line)).map(|said| said.line(&TimeZone::UTC)).collect();
    assert_eq!(text.lines().count(), 8, "{text}");
    assert!(text.starts_with("2026-03-07T19:20:00+00:00 run  h-0307-1      started   licence 1.4.0"), "{text}");
    assert!(text.contains("step quiesce       does      service:PVX: running -> stopped\n"), "{text}");
    assert!(!text.contains(['\r', '\u{1b}']));
}

#[test]
fn what_runs_and_the_whole_are_known_at_any_moment() {
    let mut board = Board::new(Some(3), Detail::Steps);
    let events = events();
    events[..6].iter().for_each(|line| drop(board.take(line)));
    let now = events[7].at;
    let running: Vec<String> = board.running(now).iter().map(|said| said.row(&TABLE)).collect();
    assert_eq!(running, ["  > served            running     20s\n"]);
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
        assert_eq!(running, [format!("  > served            running     20s    {shown}\n")]);
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
  > h-0307-1          undoing            takes back h-0307-1
  < quiesce           undone      10s
  + h-0307-1          DONE        30s    1 undone; 0 effects
";
    assert_eq!(format!("\n{rows}"), expected);
}

/// A board of a run of four steps that usually take 150, 50, 0 and 20 seconds.
fn with_past(usually: Usually) -> Board {
    let past = [[100, 50, 0, 20], [200, 50, 0, 10], [150, 400, 0, 30]].map(|run| run.map(Some));
    Board::new(Some(4), Detail::Steps).with_estimate(Some(super::super::estimate::tests::estimate(&past, 1)), usually)
}

fn after(start: &Line, seconds: i64) -> Timestamp {
    start.at + jiff::SignedDuration::from_secs(seconds)
}

#[test]
fn a_step_is_called_slow_once_when_it_takes_twice_its_usual_time_or_a_minute_more() {
    let events = lines(&[
        started(),
        json!({ "event": "step_started", "step": "keep", "attempt": 1 }),
        json!({ "event": "step_started", "step": "copy", "attempt": 1 }),
        json!({ "event": "step_started", "step": "closed", "attempt": 1 }),
        json!({ "event": "step_finished", "step": "copy", "outcome": "done" }),
    ]);
    let mut board = with_past(Usually::Always);
    events[..4].iter().for_each(|line| drop(board.take(line)));
    let slow = |board: &mut Board, at| board.slow(at).iter().map(|said| said.row(&TABLE)).collect::<String>();
    // `closed` usually takes no time at all; the first seconds of it are not slow.
    assert_eq!(slow(&mut board, after(&events[3], 10)), "");
    board.progress(&StepId::new("copy"), 1 << 30, 2 << 30);
    assert_eq!(slow(&mut board, after(&events[3], 11)), "  > closed            running     11s    slow\n");
    assert_eq!(slow(&mut board, after(&events[2], 100)), "");
    assert_eq!(slow(&mut board, after(&events[2], 101)), "  > copy              running   1m41s    slow: usually 50s   1.0 of 2.0 GB\n");
    assert_eq!(slow(&mut board, after(&events[2], 102)), "");
    let rows: Vec<String> = board.running(after(&events[1], 60)).iter().map(|said| said.row(&TABLE)).collect();
    assert_eq!(rows[0], "  > keep              running   1m00s    usually 2m30s\n");
    assert_eq!(slow(&mut board, after(&events[1], 211)), "  > keep              running   3m31s    slow: usually 2m30s\n");
    let done: Vec<String> = board.take(&events[4]).iter().map(|said| said.row(&TABLE)).collect();
    assert_eq!(done, ["  + copy              done        20s    usually 50s\n"]);
}

#[test]
fn in_a_pipe_only_what_is_slow_is_told_and_nothing_when_a_person_came_between() {
    let events = lines(&[
        started(),
        json!({ "event": "step_started", "step": "copy", "attempt": 1 }),
        json!({ "event": "asked", "step": "copy", "n": 0, "effect": { "effect": "ask", "form": { "form": "step",
            "instructions": [{ "do": "Look" }] } } }),
        json!({ "event": "answered", "step": "copy", "n": 0, "by": "jdoe", "answers": {} }),
        json!({ "event": "paused", "by": "jdoe" }),
        json!({ "event": "decided", "by": "jdoe", "what": "go_on", "about": "run" }),
        json!({ "event": "step_finished", "step": "copy", "outcome": "done" }),
    ]);
    let mut board = with_past(Usually::Slow);
    events[..2].iter().for_each(|line| drop(board.take(line)));
    assert!(!board.running(after(&events[1], 60))[0].text.contains("usually"));
    assert!(board.running(after(&events[1], 101))[0].line(&TimeZone::UTC).ends_with("running   1m41s slow: usually 50s\n"));
    board.take(&events[2]);
    assert_eq!(board.slow(after(&events[1], 1000)), [], "a person is waited for");
    board.take(&events[3]);
    assert_eq!(board.slow(after(&events[1], 110)), [], "a person was waited for");
    events[4..6].iter().for_each(|line| drop(board.take(line)));
    assert_eq!(board.slow(after(&events[1], 1000)), [], "it was paused");
    assert!(!board.take(&events[6])[0].text.contains("usually"));
}

#[test]
fn the_whole_says_how_long_the_rest_takes_and_an_undo_knows_nothing_of_that() {
    let mut undo = started();
    undo["undo_of"] = json!({ "run": "h-0307-1", "scope": "all" });
    let events = lines(&[
        started(),
        json!({ "event": "step_started", "step": "keep", "attempt": 1 }),
        json!({ "event": "step_finished", "step": "keep", "outcome": "done" }),
        json!({ "event": "step_started", "step": "copy", "attempt": 1 }),
        undo,
    ]);
    let mut board = with_past(Usually::Always);
    events[..4].iter().for_each(|line| drop(board.take(line)));
    assert_eq!(board.total(after(&events[3], 20)).unwrap(), "1 of 4 steps   0-7 min left   50s   run h-0307-1");
    board.take(&events[4]);
    assert_eq!(board.total(after(&events[4], 20)).unwrap(), "0 steps   20s   run h-0307-1");
}

#[test]
fn on_a_practice_site_every_line_about_the_run_says_so() {
    let mut board = Board::new(Some(3), Detail::Steps).in_practice();
    let events = events();
    let told: Vec<Said> = events.iter().flat_map(|line| board.take(line)).filter(|said| said.kind == Kind::Run).collect();
    assert!(told.len() == 2 && told.iter().all(|said| said.text.starts_with("PRACTICE   ")), "{told:?}");
    events[..2].iter().for_each(|line| drop(board.take(line)));
    assert!(board.total(events[1].at).unwrap().starts_with("PRACTICE   0 of 3 steps"));
}
