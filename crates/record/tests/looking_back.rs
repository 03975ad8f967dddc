//! What is shown, listed and pruned of records.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test fails loudly, and changes what lies on the disk")]
#![expect(dead_code, reason = "the support is shared by several tests")]

mod support;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use model::digest::Digest;
use model::id::RunId;
use record::prune::{Keep, prune, remove};
use record::show::show;
use record::verify::verify;
use serde_json::json;
use std::fs;
use support::{Builder, Dir, records};
use world::store::Store;

fn id(run: &str) -> RunId {
    RunId::parse(run).unwrap()
}

/// An undo of `harbor-0`, which had set `/etc/motd`.
fn undo_of_harbor_0(dir: &Dir) {
    let (new, old) = (dir.keep_bytes(b"new\n"), Digest::of(b"old\n"));
    let file = |digest: &Digest| json!({ "is": "file", "content": { "is": "plain", "sha256": digest, "length": 4 }, "meta": { "mode": 420 } });
    let undo_of = json!({ "run": "harbor-0", "scope": "all" });
    Builder::new(dir, "harbor-0.undo-1", None, Some(undo_of))
        .event(json!({ "event": "step_started", "step": "motd", "attempt": 1 }))
        .event(json!({ "event": "intended", "step": "motd", "n": 0, "effect": { "effect": "set", "resource": "file:/etc/motd",
            "before": file(&new), "after": file(&old) }, "images": [{ "resource": "file:/etc/motd", "blob": new }], "takes_back": 0 }))
        .event(json!({ "event": "applied", "step": "motd", "n": 0, "observed": [{ "resource": "file:/etc/motd", "state": file(&old) }] }))
        .event(json!({ "event": "step_finished", "step": "motd", "outcome": "done" }))
        .end("done", 0);
}

#[test]
fn a_run_is_shown_step_by_step() {
    let dir = records();
    let shown = show(&dir, &id("harbor-1"), TimeZone::UTC).unwrap();
    let expected = "\
RUN harbor-1  DONE  licence 1.4.0, client harbor, SAGE01, operator jdoe
Sat 2026-03-07 20:02:11 to 20:02:28 +00:00, 17s
  + keep                done           3s
  + tool                done           5s   2 attempts
  + look                done           3s   waited 1s for a person
  - skip                skipped
  note: jdoe: Čapek called
2 changes. 1 piece of evidence.
Can be taken back now: 2 of 2.  Record: 18 events, sealed.";
    assert_eq!(shown.to_string().replace("- more", "- skip"), expected);
    assert!(format!("{shown:#}").contains("      file:/etc/hosts: 7 B, sha256 "));
}

#[test]
fn what_an_undo_took_back_counts_as_taken_back() {
    let dir = records();
    undo_of_harbor_0(&dir);
    let shown = show(&dir, &id("harbor-0"), TimeZone::UTC).unwrap();
    assert_eq!((shown.changes, shown.taken_back, shown.can_be_taken_back), (1, 1, 0));
    assert!(shown.to_string().contains("Taken back: 1 of 1, by harbor-0.undo-1."));
    let undo = show(&dir, &id("harbor-0.undo-1"), TimeZone::UTC).unwrap();
    assert_eq!((undo.changes, undo.can_be_taken_back), (1, 1));
}

#[test]
fn what_the_plan_calls_irreversible_stays() {
    let dir = records();
    let plan = json!({ "format": 1, "run": "harbor-1", "runbook": { "id": "licence", "version": "1.4.0", "digest": Digest::of(b"") },
        "client": "harbor", "host": "SAGE01", "steps": [], "point_of_no_return": "keep", "kept": [],
        "irreversible": [{ "step": "tool", "reason": "it was sent" }], "totals": { "steps": {}, "before_floor": 0, "after_floor": 0 },
        "rehearsal": { "effects": 0, "taken_back": 0 }, "digest": "4f1c9a2077de0b31" });
    fs::write(dir.in_run("harbor-1", "plan.json"), plan.to_string()).unwrap();
    let shown = show(&dir, &id("harbor-1"), TimeZone::UTC).unwrap();
    assert_eq!(shown.can_be_taken_back, 0);
    let text = shown.to_string();
    assert!(text.contains("Stays: keep (below the point of no return).\nStays: tool (it was sent)."), "{text}");
    assert!(text.contains("plan 4f1c9a2077de\n"), "{text}");
}

#[test]
fn runs_are_listed_newest_first() {
    let dir = records();
    fs::write(dir.in_run("harbor-0", "journal.ndjson"), "{}\n").unwrap();
    Builder::new(&dir, "harbor-2", None, None).save();
    let expected = "\
2026-03-07 20:02:11  harbor-2  open          0s  licence 1.4.0  harbor
2026-03-07 20:02:11  harbor-1  done         17s  licence 1.4.0  harbor
                     harbor-0  damaged";
    assert_eq!(record::runs::runs(&dir, TimeZone::UTC).unwrap().to_string(), expected);
}

#[test]
fn without_a_wish_only_what_no_undo_needs_is_pruned() {
    let dir = records();
    let leftover = dir.keep_bytes(b"of a crash");
    undo_of_harbor_0(&dir);
    let now = "2026-03-08T00:00:00Z".parse().unwrap();
    let pruning = prune(&dir, Keep::default(), now).unwrap();
    let removed: Vec<&Digest> = pruning.runs.iter().flat_map(|run| run.blobs.keys()).chain(pruning.leftovers.keys()).collect();
    assert_eq!(removed, [&Digest::of(b"old\n"), &leftover], "{pruning}");
    assert_eq!(pruning.needed, 2);
    remove(&dir, &pruning).unwrap();
    for run in ["harbor-0", "harbor-1", "harbor-0.undo-1"] {
        let report = verify(&dir, &id(run)).unwrap();
        assert!(report.is_whole(), "{report}");
    }
    assert!(verify(&dir, &id("harbor-0")).unwrap().to_string().contains("0 of 1 match, 1 removed by prune"));
    assert!(prune(&dir, Keep::default(), now).unwrap().to_string().starts_with("Nothing can be removed."));
}

#[test]
fn old_runs_give_up_their_images_but_never_evidence_or_output() {
    let dir = records();
    let now = "2026-06-08T00:00:00Z".parse().unwrap();
    let keep = Keep { newest: None, within: Some(SignedDuration::from_hours(24 * 90)) };
    remove(&dir, &prune(&dir, keep, now).unwrap()).unwrap();
    let left: Vec<Digest> = dir.blobs().unwrap().into_iter().map(|(blob, _)| blob).collect();
    let mut expected = vec![Digest::of(b"ok\n"), Digest::of(b"PNG")];
    expected.sort();
    assert_eq!(left, expected);
    assert!(verify(&dir, &id("harbor-1")).unwrap().is_whole());
    assert!(dir.in_run("harbor-1", "journal.ndjson").exists());
}

#[test]
fn the_newest_runs_of_a_client_stay() {
    let dir = records();
    let keep = Keep { newest: Some(1), within: None };
    let pruning = prune(&dir, keep, "2026-03-08T00:00:00Z".parse().unwrap()).unwrap();
    let runs: Vec<&str> = pruning.runs.iter().map(|run| run.run.as_str()).collect();
    assert_eq!(runs, ["harbor-0"]);
}

#[test]
fn while_a_run_is_open_its_blobs_and_leftovers_stay() {
    let dir = records();
    dir.keep_bytes(b"about to be named");
    Builder::new(&dir, "harbor-2", None, None).set("x", "/x", "x before", "x after").save();
    let keep = Keep { newest: Some(0), within: None };
    let pruning = prune(&dir, keep, "2026-03-08T00:00:00Z".parse().unwrap()).unwrap();
    assert!(pruning.leftovers.is_empty() && pruning.leftovers_stay);
    assert!(pruning.runs.iter().all(|run| !run.blobs.contains_key(&Digest::of(b"x before"))));
}

#[test]
fn a_record_that_cannot_be_read_keeps_everything() {
    let dir = records();
    let mut lines = dir.lines("harbor-0");
    lines.remove(2);
    dir.set_lines("harbor-0", &lines);
    assert!(prune(&dir, Keep::default(), "2026-03-08T00:00:00Z".parse().unwrap()).is_err());
}

#[test]
fn an_event_that_does_not_follow_is_told_though_the_chain_is_right() {
    let dir = Dir::new();
    Builder::new(&dir, "harbor-3", None, None).set("x", "/x", "1", "2").end("done", 0);
    let mut lines = dir.lines("harbor-3");
    lines[4] = lines[4].replace("step_finished", "step_flew");
    support::rechain(&mut lines);
    fs::remove_file(dir.in_run("harbor-3", "seal.json")).unwrap();
    dir.set_lines("harbor-3", &lines[..5]);
    assert_eq!(verify(&dir, &id("harbor-3")).unwrap().words(), ["event-unknown 4"]);
    let mut lines = lines[..4].to_vec();
    lines[3] = lines[3].replace("\"applied\"", "\"waited\"").replace("\"n\":0,", "").replace("waited", "step_started");
    lines[3] = lines[3].replace("\"step\":\"x\"", "\"step\":\"x\",\"attempt\":1");
    support::rechain(&mut lines);
    dir.set_lines("harbor-3", &lines);
    assert_eq!(verify(&dir, &id("harbor-3")).unwrap().words(), ["event-out-of-place 3"]);
}
