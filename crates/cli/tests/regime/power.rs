//! The power is cut: what a verb did is replayed on a disk that loses what was not flushed; then the program must still
//! finish the run and take it back. Also when the power is cut once more while it does so.

use crate::disk::{Disk, Image};
use crate::lab::{Ends, Lab, RUN};
use crate::manifest::manifest;
use crate::replay::{Moment, moments};
use model::digest::Digest;
use std::collections::HashSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

/// A verb whose every moment the power may be cut at, and what is done then.
pub(crate) struct Story {
    name: String,
    thens: [&'static str; 2],
    moments: Vec<Moment>,
    /// The moment and the way of each distinct disk.
    images: Vec<(usize, u64)>,
}

/// In how many ways a moment is cut.
const WAYS: u64 = 12;

/// One way to cut a moment: nothing, all, names only, data only, or random shares.
fn image(disk: &Disk, at: usize, way: u64) -> Image {
    match way {
        0 => disk.left(|_| 0.0),
        1 => disk.left(|_| 1.0),
        2 => disk.left(f64::from),
        3 => disk.left(|name| f64::from(!name)),
        _ => {
            let mut dice = dice(at as u64 * WAYS + way);
            disk.left(|_| dice())
        }
    }
}

/// A choice that is the same for the same seed.
fn dice(seed: u64) -> impl FnMut() -> f64 {
    let mut state = (seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    }
}

impl Story {
    fn new(name: String, verb: &str, moments: Vec<Moment>) -> Self {
        let thens = match verb {
            "undo" => ["undo", "resume undo"],
            "redo" => ["resume redo", "redo"],
            _ => ["resume", "undo"],
        };
        let mut seen = HashSet::new();
        let mut images = Vec::new();
        for (at, moment) in moments.iter().enumerate() {
            for way in 0..WAYS {
                let mut hash = DefaultHasher::new();
                image(&moment.disk, at, way).hash(&mut hash);
                if seen.insert(hash.finish()) {
                    images.push((at, way));
                }
            }
        }
        Self { name, thens, moments, images }
    }

    /// Cuts the power at one disk and tries what comes then.
    pub(crate) fn cut(&self, lab: &Lab, ends: &Ends, number: usize) -> Result<(), String> {
        let (at, way) = self.images[number];
        let then = self.thens[number % 2];
        lab.put(&image(&self.moments[at].disk, at, way));
        let in_doubt = !lab.in_doubt().is_empty();
        // What a program has left half done must be whole after the recovery, and can still be taken back after that.
        let undone = || if in_doubt && then == "resume" { lab.settles("undo", ends) } else { Ok(()) };
        lab.old_or_new(ends).and_then(|()| sealed(&lab.state)).and_then(|()| recovers(lab, ends, then)).and_then(|()| undone()).map_err(|text| {
            format!("{}, cut off after call {at} ({}), way {way}, then {then}: {text}{}", self.name, self.moments[at].call, lab.replay(&[], then))
        })
    }

    /// How many disks there are.
    pub(crate) fn disks(&self) -> usize {
        self.images.len()
    }

    /// The first of its disks that the program cannot deal with.
    pub(crate) fn violation(&self, lab: &Lab, ends: &Ends) -> Option<String> {
        (0..self.images.len()).find_map(|number| self.cut(lab, ends, number).err())
    }
}

fn recovers(lab: &Lab, ends: &Ends, then: &str) -> Result<(), String> {
    let then = match then {
        // What is not on disk cannot be resumed.
        "resume undo" if !lab.begun("trial.undo-1") => "undo",
        "resume redo" if !lab.begun("trial.undo-1.undo-1") => "redo",
        then => then,
    };
    if !lab.begun(RUN) {
        return if manifest(&lab.tree) == ends.start { Ok(()) } else { Err("changed before the run was on disk".to_owned()) };
    }
    lab.settles(then, ends)
}

/// What is sealed is whole: the journal has the line that the seal names as its last.
fn sealed(state: &Path) -> Result<(), String> {
    let Ok(runs) = fs::read_dir(state.join("runs")) else { return Ok(()) };
    for run in runs {
        let run = run.unwrap().path();
        let Ok(seal) = fs::read(run.join("seal.json")) else { continue };
        let seal: serde_json::Value = serde_json::from_slice(&seal).map_err(|wrong| format!("the seal of {}: {wrong}", run.display()))?;
        let journal = fs::read(run.join("journal.ndjson")).unwrap_or_default();
        let heads: Vec<String> = journal.split_inclusive(|byte| *byte == b'\n').map(|line| Digest::of(line.trim_ascii_end()).to_string()).collect();
        if !heads.iter().any(|head| seal["head"] == head.as_str()) {
            return Err(format!("{} is sealed and its journal has no such end: {seal}", run.display()));
        }
    }
    Ok(())
}

/// The lab before anything, on a disk.
fn begin(lab: &Lab) -> Disk {
    lab.fill();
    Disk::of(&lab.root)
}

fn last(moments: &[Moment]) -> &Disk {
    &moments[moments.len() - 1].disk
}

/// Whether a run has a first line that a program sees.
fn begun(lab: &Lab, image: &Image) -> bool {
    let journal = lab.state.join("runs").join(RUN).join("journal.ndjson");
    image.get(journal.to_str().unwrap()).is_some_and(|node| node.bytes.contains(&b'\n'))
}

/// A run, from nothing.
pub(crate) fn of_run(lab: &Lab) -> Result<Vec<Story>, String> {
    Ok(vec![Story::new("a run".to_owned(), "run", moments(lab, &begin(lab), "run", &[])?)])
}

/// An undo of a finished run, and an undo of that.
pub(crate) fn of_undos(lab: &Lab) -> Result<Vec<Story>, String> {
    let run = moments(lab, &begin(lab), "run", &[])?;
    let undo = moments(lab, last(&run), "undo", &[])?;
    let redo = moments(lab, last(&undo), "redo", &[])?;
    Ok(vec![Story::new("an undo".to_owned(), "undo", undo), Story::new("an undo of an undo".to_owned(), "redo", redo)])
}

/// Recovery of a run that was killed: what it had not flushed may still be lost.
pub(crate) fn of_killed(lab: &Lab, pick: impl Fn(usize, &Moment) -> bool) -> Result<Vec<Story>, String> {
    let run = moments(lab, &begin(lab), "run", &[])?;
    recoveries(
        lab,
        "killed",
        run.iter().enumerate().filter(|(at, moment)| pick(*at, moment)).map(|(at, moment)| (at, &moment.call, moment.disk.clone())),
    )
}

/// Recovery of a run that the power was cut off from: the second cut.
pub(crate) fn of_cut(lab: &Lab, pick: impl Fn(usize, &Moment) -> bool) -> Result<Vec<Story>, String> {
    let run = moments(lab, &begin(lab), "run", &[])?;
    let first = run.iter().enumerate().filter(|(at, moment)| pick(*at, moment)).map(|(at, moment)| {
        let way = [0, 4, 2, 5, 3, 6][at % 6];
        (at, &moment.call, Disk::from(&image(&moment.disk, at, way)))
    });
    recoveries(lab, "cut off", first)
}

/// Recovery of a run that stopped because a flush failed, whose n-th is picked: what should have been flushed is in the cache
/// and nowhere else.
pub(crate) fn of_unflushed(lab: &Lab, pick: impl Fn(usize, &str) -> bool) -> Result<Vec<Story>, String> {
    let begin = begin(lab);
    let run = moments(lab, &begin, "run", &[])?;
    let mut counts = [0, 0];
    let mut stopped = Vec::new();
    for (at, moment) in run.iter().enumerate() {
        let call = ["fsync", "fdatasync"].into_iter().position(|call| moment.call.split(' ').next() == Some(call));
        let Some(call) = call else { continue };
        counts[call] += 1;
        if pick(at, &moment.call) {
            let name = ["fsync", "fdatasync"][call];
            let inject = ["-e".to_owned(), format!("inject={name}:error=EIO:when={}", counts[call])];
            let moments = moments(lab, &begin, "run", &inject)?;
            stopped.push((at, &moment.call, last(&moments).clone()));
        }
    }
    recoveries(lab, "stopped by a flush that failed", stopped.into_iter())
}

fn recoveries<'m>(lab: &Lab, how: &str, from: impl Iterator<Item = (usize, &'m String, Disk)>) -> Result<Vec<Story>, String> {
    let mut stories = Vec::new();
    for (at, call, disk) in from {
        if !begun(lab, &disk.cached()) {
            continue;
        }
        for verb in ["resume", "undo"] {
            let name = format!("{verb} of a run {how} at call {at} ({call})");
            let moments = moments(lab, &disk, verb, &[]).map_err(|text| format!("{name}: {text}"))?;
            stories.push(Story::new(name, if verb == "undo" { "undo of what was cut off" } else { verb }, moments));
        }
    }
    for story in stories.iter_mut().filter(|story| story.name.starts_with("undo")) {
        story.thens = ["undo", "undo"];
    }
    Ok(stories)
}

const TWO: &str = "format: 1
runbook: two
version: 1.0.0
title: Two at once
touches: ['file:TREE/**']
steps:
  - { id: a, needs: [], action: file.write, with: { path: TREE/a, text: a } }
  - { id: b, needs: [], action: file.write, with: { path: TREE/app.conf, text: b } }
  - { id: c, needs: [], action: file.write, with: { path: TREE/c, text: c } }
  - { id: d, needs: [], action: file.remove, with: { path: TREE/stale.txt } }
";

/// A run of two steps at once whose journal takes long to flush, so that one waits for the flush of the other.
fn of_two(lab: &Lab) -> Result<Vec<Story>, String> {
    let slow = ["-e".to_owned(), "inject=fdatasync:delay_enter=20000".to_owned()];
    Ok(vec![Story::new("a run of two at once".to_owned(), "run", moments(lab, &begin(lab), "run", &slow)?)])
}

fn lab_of_two(name: &str) -> Lab {
    let mut lab = Lab::with(name, TWO);
    lab.jobs = 2;
    lab
}

/// What is wrong with a run of two steps at once.
pub(crate) fn violation_of_two(bug: Option<u8>) -> Option<String> {
    let lab = lab_of_two(&format!("two-{bug:?}")).with_bug(bug);
    let ends = lab.ends();
    match of_two(&lab) {
        Ok(stories) => stories[0].violation(&lab, &ends),
        Err(text) => Some(text),
    }
}
