//! A changing call of the program fails, once or from then on: it says so with a documented code, and the tree can be had as it was.

use crate::call::{Point, points};
use crate::disk::Image;
use crate::kills::{put, ready};
use crate::lab::{Ended, Ends, Lab, RUN};
use crate::manifest::{manifest, untimed};
use crate::sample::{full, none, only, sample, violations};

/// How many pairs of a point and a way are taken of each verb.
const SAMPLE: usize = 75;
/// What fails and whether it fails from then on. A call that is interrupted for ever is tried for ever.
const WAYS: [(&str, bool); 13] = [
    ("EIO", false),
    ("ENOSPC", true),
    ("EROFS", false),
    ("EACCES", false),
    ("EINTR", false),
    ("ENOSPC", false),
    ("EAGAIN", false),
    ("EIO", true),
    ("EDQUOT", false),
    ("EROFS", true),
    ("EAGAIN", true),
    ("EACCES", true),
    ("EDQUOT", true),
];

/// One verb with one call that fails.
fn fail(lab: &Lab, verb: &str, begin: Option<&Image>, point: &Point, (error, on): (&str, bool), ends: &Ends) -> Result<(), String> {
    put(lab, begin);
    let options = point.options(&format!("error={error}"), on);
    let ended = lab.strace(&options, verb);
    let failed_flush = !on && error != "EINTR" && ["fsync", "fdatasync"].contains(&point.call.as_str());
    let of_blobs = point.path.as_ref().is_some_and(|path| path.contains("/blobs"));
    let judged = if failed_flush && ended.code == Some(0) {
        Err("a flush failed and it ended well".to_owned())
    } else if failed_flush && of_blobs && verb == "run" && lab.has(RUN, "run_ended") {
        Err("a flush failed and it went on".to_owned())
    } else if ended.text.contains("error while loading shared libraries") {
        // The call was the loader's: the program never began.
        put(lab, begin);
        Ok(())
    } else {
        judge(lab, verb, &ended, ends)
    };
    judged.map_err(|text| format!("{verb}, {error}{} at {point}: {text}{}", if on { " from then on" } else { "" }, lab.replay(&options, verb)))
}

/// What holds however a verb ended.
pub(crate) fn judge(lab: &Lab, verb: &str, ended: &Ended, ends: &Ends) -> Result<(), String> {
    if ended.text.contains("panicked") || !ended.code.is_some_and(|code| (0..=10).contains(&code)) {
        return Err(format!("ended {:?}: {}", ended.code, ended.text));
    }
    lab.old_or_new(ends)?;
    let wanted = if verb == "undo" { &ends.start } else { &ends.finished };
    if ended.code == Some(0) && untimed(&manifest(&lab.tree)) != untimed(wanted) {
        return Err("it ended well and did not finish".to_owned());
    }
    if !lab.begun(RUN) || (verb == "run" && ended.code == Some(4)) {
        return lab.is_start(ends).map_err(|text| format!("ended {:?} and changed something: {text}", ended.code));
    }
    lab.settles("undo", ends).map_err(|text| format!("ended {:?}: {}; {text}", ended.code, ended.text))
}

/// A verb fails at so many pairs of points and ways.
fn failures(verb: &str) {
    let labs: Vec<Lab> = (0..2).map(|n| Lab::new(&format!("error-{verb}-{n}"))).collect();
    let ends: Vec<_> = labs.iter().map(Lab::ends).collect();
    let begins: Vec<_> = labs.iter().map(|lab| ready(lab, verb).unwrap()).collect();
    put(&labs[0], begins[0].as_ref());
    let all = points(&labs[0], verb);
    let pairs: Vec<(Point, (&str, bool))> = all.iter().flat_map(|point| WAYS.map(|way| (point.clone(), way))).collect();
    let taken = if full() || only().is_some() {
        sample(&pairs, usize::MAX)
    } else {
        // Spread over the points, and the ways in turn.
        let numbers = (0..SAMPLE).map(|i| i * all.len() / SAMPLE * WAYS.len() + i % WAYS.len());
        numbers.map(|n| (n, pairs[n].clone())).collect()
    };
    println!("{verb}: {} failures at {} points", taken.len(), all.len());
    let wrong = violations(&taken, |worker, _, (point, way)| {
        let lab = &labs[worker];
        fail(lab, verb, begins[worker].as_ref(), &point.moved(&labs[0], lab), *way, &ends[worker])
    });
    none(&wrong, taken.len(), SAMPLE);
}

/// The first flush that fails once and is passed over.
pub(crate) fn violation_of_flushes(lab: &Lab, ends: &Ends) -> Option<String> {
    let begin = ready(lab, "run").unwrap();
    put(lab, begin.as_ref());
    let all = points(lab, "run");
    let flushes = all.iter().filter(|point| ["fsync", "fdatasync"].contains(&point.call.as_str()));
    flushes.into_iter().find_map(|point| fail(lab, "run", begin.as_ref(), point, ("EIO", false), ends).err())
}

#[test]
fn whatever_call_of_a_run_fails_the_tree_can_be_had_as_it_was() {
    failures("run");
}

#[test]
fn whatever_call_of_a_resume_fails_the_tree_can_be_had_as_it_was() {
    failures("resume");
}

#[test]
fn whatever_call_of_an_undo_of_an_undo_fails_it_can_be_taken_back_later() {
    failures("redo");
}

#[test]
fn whatever_call_of_an_undo_fails_it_can_be_taken_back_later() {
    failures("undo");
}
