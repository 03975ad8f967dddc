//! The program is killed at its changing calls.

use crate::call::{Point, points};
use crate::lab::{Lab, program};
use crate::manifest::{Manifest, manifest};
use crate::sample::{every, sample};
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many points of `run`, of `resume` and of `undo` are taken.
const SAMPLE: usize = 70;

/// The state in which a verb begins, and how it is begun.
fn ready(lab: &Lab, verb: &str, cut: &Point) {
    lab.fill();
    if verb == "resume" {
        lab.strace(&cut.options("signal=KILL", false), "run");
    } else if verb == "undo" {
        assert_eq!(lab.retrace("run").code, Some(0));
    }
}

/// Kills one verb at one point; what came of it, and whether the point was met.
fn kill(lab: &Lab, verb: &str, cut: &Point, point: &Point, then: &str, ends: &(Manifest, Manifest)) -> Result<bool, String> {
    let told = |text: String| {
        let options = point.options("signal=KILL", false).join(" ");
        format!("{verb} killed at {point}, then {then}: {text}\n  replay: strace -f {options} {} {}", program().display(), lab.words(verb).join(" "))
    };
    ready(lab, verb, cut);
    let met = lab.strace(&point.options("signal=KILL", false), verb).code.is_none_or(|code| code == 137);
    lab.old_or_new(&ends.0, &ends.1).map_err(told)?;
    let begun =
        lab.state.join("runs/trial/plan.json").exists() && fs::metadata(lab.state.join("runs/trial/journal.ndjson")).is_ok_and(|meta| meta.len() > 0);
    if !begun {
        return if manifest(&lab.tree) == ends.0 { Ok(met) } else { Err(told("changed before the run was on disk".to_owned())) };
    }
    // An undo that is not on disk yet has nothing to be resumed.
    let undoing = fs::metadata(lab.state.join("runs/trial.undo-1/journal.ndjson")).is_ok_and(|meta| meta.len() > 0);
    let then = if then == "resume undo" && !undoing { "undo" } else { then };
    lab.settles(then, &ends.0, &ends.1).map_err(told)?;
    Ok(met)
}

/// Kills a verb at a sample of its points.
fn kills(verb: &str, thens: &[&str]) {
    let labs: Vec<Lab> = (0..2).map(|n| Lab::new(&format!("kill-{verb}-{n}"))).collect();
    let met = AtomicUsize::new(0);
    let ends: Vec<_> = labs.iter().map(Lab::ends).collect();
    let cut = |lab: &Lab| Point { call: "renameat2".to_owned(), path: Some(lab.tree.to_str().unwrap().to_owned()), nth: 2 };
    ready(&labs[0], verb, &cut(&labs[0]));
    let all = points(&labs[0], verb);
    let taken = sample(&all, SAMPLE);
    let numbered: Vec<(usize, Point)> = taken.into_iter().enumerate().collect();
    every(&numbered, |worker, (n, point)| {
        let lab = &labs[worker];
        let point = point.moved(&labs[0], lab);
        let hit = kill(lab, verb, &cut(lab), &point, thens[n % thens.len()], &ends[worker])?;
        met.fetch_add(usize::from(hit), Ordering::Relaxed);
        Ok(())
    });
    let met = met.into_inner();
    println!("{verb}: killed at {met} of {} points; there are {}", numbered.len(), all.len());
    assert!(met * 10 >= numbered.len() * 8, "{verb}: only {met} of {} points were met", numbered.len());
}

#[test]
fn a_run_killed_anywhere_can_be_finished_and_taken_back() {
    kills("run", &["resume", "undo"]);
}

#[test]
fn a_resume_killed_anywhere_can_be_finished_and_taken_back() {
    kills("resume", &["resume", "undo"]);
}

#[test]
fn an_undo_killed_anywhere_can_be_finished_or_begun_again() {
    kills("undo", &["undo", "resume undo"]);
}
