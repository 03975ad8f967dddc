#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use super::*;
use model::id::StepId;
use model::plan::{OtherOption, Totals};
use serde_json::json;

fn plan() -> Plan {
    let file = |path: &str, before: serde_json::Value, after: serde_json::Value| json!({ "effect": "set", "resource": path, "before": before, "after": after });
    let absent = json!({ "is": "absent" });
    let text = |length: u64| json!({ "is": "file", "content": { "is": "plain", "sha256": "ab".repeat(32), "length": length }, "meta": {} });
    let hold = |id: &str| json!({ "id": id, "action": "assert.file", "decision": "holds", "reason": "it is there" });
    let running = json!({ "is": "service", "run": "running", "start": "automatic" });
    let stopped = json!({ "is": "service", "run": "stopped", "start": "automatic" });
    serde_json::from_value(json!({
        "format": 1, "run": "harbor-1", "client": "harbor", "host": "SAGE01",
        "runbook": { "id": "licence", "version": "1.4.0", "digest": "00".repeat(32) },
        "steps": [
            { "id": "identify", "action": "config.read", "decision": "no-change", "reason": "Sage 100 Advanced 7.30" },
            hold("a"), hold("b"), hold("c"), hold("d"),
            { "id": "stop/quiesce", "action": "service.ensure", "decision": "change", "effects": [file("service:PVX", running, stopped)] },
            { "id": "stop/keep", "action": "dir.backup", "decision": "change", "effects": [file("file:/bk/1", absent.clone(),
                json!({ "is": "tree", "manifest": null, "content": null, "files": 8212, "bytes": 4_402_341_478_u64 }))] },
            { "id": "install", "action": "file.copy", "decision": "change", "difference": ["-old", "+new\u{1b}[31m"],
              "effects": [file("file:/srv/a", text(5), text(7)), file("file:/srv/b", absent, text(7))] },
            { "id": "activate", "action": "manual.step", "decision": "ask", "effects": [{ "effect": "ask", "form": { "form": "step",
                "instructions": [{ "do": "press Activate" }] } }] },
            { "id": "later", "action": "assert.fact", "decision": "unknown", "unknown_until": "activate" }
        ],
        "point_of_no_return": "activate",
        "irreversible": [{ "step": "activate", "reason": "Sage counts each activation" }],
        "kept": ["stop/keep"],
        "totals": { "steps": {}, "before_floor": 4, "after_floor": 1 },
        "rehearsal": { "effects": 5, "taken_back": 4, "not": [{ "step": "activate", "reason": "Sage counts each activation" }] },
        "warnings": ["no `touches`: anything may be changed"],
        "digest": ""
    }))
    .unwrap()
}

#[test]
fn a_plan_is_one_line_a_step_with_what_cannot_be_undone_last() {
    let text = text(&plan(), &Paper::PLAIN, Detail::Lines, Beside { looked: Some("Sat 2026-03-07 19:41 +01:00"), ..Beside::default() });
    let expected = "\
PLAN  licence 1.4.0 for client harbor on SAGE01. Nothing has been changed.
Looked at Sat 2026-03-07 19:41 +01:00

  = identify          no-change Sage 100 Advanced 7.30
  + 4 steps           holds     a to d; -v shows them
stop
  ~ quiesce           change    service:PVX: running -> stopped
  ~ keep              change    file:/bk/1: absent -> 8212 files, 4.1 GB; kept by an undo

  ~ install           change    file:/srv/a: 5 B, sha256 abababababab -> 7 B, sha256 abababababab; and 1 more
  ! activate          ask       CANNOT BE UNDONE: Sage counts each activation
------ point of no return: an undo goes back no further than here ------
  ? later             unknown   unknown until activate

10 steps: 3 change, 1 ask, 1 no-change, 4 holds, 1 unknown.
4 of 5 other changes can be taken back, those before the point of no return only until it: rehearsed from every point.
Not taken back: activate: Sage counts each activation
Point of no return: activate; 4 effects before it, 1 from it on.
Stays after an undo: stop/keep.
Cannot be undone: activate (step 9, point of no return).
warning: no `touches`: anything may be changed
";
    assert_eq!(text, expected);
}

#[test]
fn what_another_option_would_do_has_totals_of_its_own() {
    let mut plan = plan();
    let step = |id: &str, decision| PlannedStep { id: StepId::new(id), decision, ..plan.steps[0].clone() };
    let steps = vec![step("one", Decision::Run), step("two", Decision::Holds), step("three", Decision::Run)];
    let totals = Totals { before_floor: 1, after_floor: 2, ..Totals::default() };
    plan.options = vec![OtherOption { step: StepId::new("which"), option: "call".into(), steps, totals }];
    let text = text(&plan, &Paper::PLAIN, Detail::Lines, Beside::default());
    let expected = "if which is call, instead:
  ~ one               run       Sage 100 Advanced 7.30
  + two               holds     Sage 100 Advanced 7.30
  ~ three             run       Sage 100 Advanced 7.30
  3 steps: 2 run, 1 holds. 1 effect before the point of no return, 2 from it on.

10 steps:";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn more_detail_shows_effects_and_differences_and_no_foreign_escape() {
    let text = text(&plan(), &Paper::PLAIN, Detail::Effects, Beside::default());
    assert!(text.contains("      change file:/srv/b: absent -> 7 B"), "{text}");
    assert!(text.contains("      | +new\\u{1b}[31m\n"), "{text}");
    assert!(text.contains("  + a                 holds     it is there\n"), "{text}");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [60, 80, 100] {
        let text = text(&plan(), &Paper { width: Some(width), ..Paper::PLAIN }, Detail::Effects, Beside::default());
        for line in text.lines().filter(|line| line.starts_with("  ")) {
            assert!(line.chars().count() <= width, "{line}");
        }
    }
}
