//! The program is killed at its changing calls; then the run is finished, and then it is taken back.

use crate::call::{Point, points};
use crate::disk::Image;
use crate::lab::{Ends, Lab, RUN};
use crate::sample::{none, sample, violations};
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many points of each verb are taken, and at how many it must have been alive still; the last ones seal the record.
const SAMPLE: usize = 80;
const MET: usize = 75;
const LAST: usize = 6;

/// What a verb begins with; none: nothing at all, not even the state directory.
pub(crate) fn ready(lab: &Lab, verb: &str) -> Result<Option<Image>, String> {
    lab.fill();
    match verb {
        "run" => return Ok(None),
        "resume" => {
            let cut = Point { call: "renameat2".to_owned(), path: Some(lab.tree.to_str().unwrap().to_owned()), nth: 2 };
            lab.strace(&cut.options("signal=KILL", false), "run");
        }
        "undo" => lab.done(&["run"])?,
        _ => lab.done(&["run", "undo"])?,
    }
    Ok(Some(lab.image()))
}

/// Puts a lab where a verb begins.
pub(crate) fn put(lab: &Lab, begin: Option<&Image>) {
    match begin {
        Some(image) => lab.put(image),
        None => lab.empty(),
    }
}

/// Kills one verb at one point; whether the point was met, and whether all is well then.
fn kill(lab: &Lab, verb: &str, begin: Option<&Image>, point: &Point, n: usize, ends: &Ends) -> (bool, Result<(), String>) {
    put(lab, begin);
    let options = point.options("signal=KILL", false);
    let met = lab.strace(&options, verb).code.is_none_or(|code| code == 137);
    let recovered = lab.old_or_new(ends).and_then(|()| recovers(lab, verb, n, ends));
    (met, recovered.map_err(|text| format!("{verb} killed at {point}: {text}{}", lab.replay(&options, verb))))
}

fn recovers(lab: &Lab, verb: &str, n: usize, ends: &Ends) -> Result<(), String> {
    if !lab.begun(RUN) {
        return lab.is_start(ends).map_err(|text| format!("changed before the run was on disk: {text}"));
    }
    match verb {
        "undo" if n.is_multiple_of(2) && lab.begun("trial.undo-1") => lab.settles("resume undo", ends),
        "undo" => lab.settles("undo", ends),
        "redo" if n.is_multiple_of(2) && lab.begun("trial.undo-1.undo-1") => {
            lab.settles("resume redo", ends).and_then(|()| lab.settles("undo", ends))
        }
        "redo" => lab.settles("redo", ends).and_then(|()| lab.settles("undo", ends)),
        _ if n % 3 == 2 => lab.settles("undo", ends),
        _ => lab.settles("resume", ends).and_then(|()| lab.settles("undo", ends)),
    }
}

/// Kills a verb at so many of its points.
fn kills(verb: &str) {
    let labs: Vec<Lab> = (0..2).map(|n| Lab::new(&format!("kill-{verb}-{n}"))).collect();
    let ends: Vec<_> = labs.iter().map(Lab::ends).collect();
    let begins: Vec<_> = labs.iter().map(|lab| ready(lab, verb).unwrap()).collect();
    put(&labs[0], begins[0].as_ref());
    let all = points(&labs[0], verb);
    let (early, last) = all.split_at(all.len().saturating_sub(LAST));
    let mut taken = sample(early, SAMPLE);
    taken.extend(sample(&all, usize::MAX).into_iter().filter(|(n, _)| all.len() - n <= last.len()));
    let met = AtomicUsize::new(0);
    let wrong = violations(&taken, |worker, n, point| {
        let lab = &labs[worker];
        let (hit, recovered) = kill(lab, verb, begins[worker].as_ref(), &point.moved(&labs[0], lab), n, &ends[worker]);
        met.fetch_add(usize::from(hit), Ordering::Relaxed);
        recovered
    });
    let met = met.into_inner();
    println!("{verb}: killed at {met} of {} points; there are {}", taken.len(), all.len());
    none(&wrong, met, MET);
}

/// The first point of a verb at which a kill does harm.
pub(crate) fn violation(lab: &Lab, ends: &Ends, verb: &str) -> Option<String> {
    let begin = match ready(lab, verb) {
        Ok(begin) => begin,
        Err(text) => return Some(text),
    };
    put(lab, begin.as_ref());
    let all = points(lab, verb);
    // Each recovery alone, for one may hide what another shows.
    all.iter().find_map(|point| [0, 2].into_iter().find_map(|n| kill(lab, verb, begin.as_ref(), point, n, ends).1.err()))
}

#[test]
fn a_run_killed_anywhere_can_be_finished_and_taken_back() {
    kills("run");
}

#[test]
fn a_resume_killed_anywhere_can_be_finished_and_taken_back() {
    kills("resume");
}

#[test]
fn an_undo_killed_anywhere_can_be_finished_or_begun_again() {
    kills("undo");
}

#[test]
fn an_undo_of_an_undo_killed_anywhere_can_be_finished_or_begun_again() {
    kills("redo");
}
