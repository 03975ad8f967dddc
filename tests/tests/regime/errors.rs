//! A changing call of the program fails, once or from then on: it says so with a documented code, and the tree can be had as it was.

use crate::call::{Point, points};
use crate::lab::{Lab, program};
use crate::manifest::{Manifest, manifest};
use crate::sample::{every, sample};
use std::fs;

/// How many points are taken; each fails in its own way.
const SAMPLE: usize = 80;
/// What fails and whether it fails from then on.
const WAYS: [(&str, bool); 8] =
    [("EIO", false), ("ENOSPC", true), ("EROFS", false), ("EACCES", false), ("ENOSPC", false), ("EIO", true), ("EDQUOT", false), ("EROFS", true)];

fn fail(lab: &Lab, point: &Point, (error, on): (&str, bool), ends: &(Manifest, Manifest)) -> Result<(), String> {
    let options = point.options(&format!("error={error}"), on);
    let told = |text: String| {
        let words = lab.words("run").join(" ");
        format!(
            "{error}{} at {point}: {text}\n  replay: strace -f {} {} {words}",
            if on { " from then on" } else { "" },
            options.join(" "),
            program().display()
        )
    };
    lab.fill();
    let ended = lab.strace(&options, "run");
    if ended.text.contains("error while loading shared libraries") {
        // The call was the loader's: the program never began.
        return if manifest(&lab.tree) == ends.0 { Ok(()) } else { Err(told("the loader changed something".to_owned())) };
    }
    if ended.text.contains("panicked") || !ended.code.is_some_and(|code| (0..=10).contains(&code)) {
        return Err(told(format!("ended {:?}: {}", ended.code, ended.text)));
    }
    lab.old_or_new(&ends.0, &ends.1).map_err(told)?;
    let begun = fs::metadata(lab.state.join("runs/trial/journal.ndjson")).is_ok_and(|meta| meta.len() > 0);
    if ended.code == Some(0) && crate::manifest::untimed(&manifest(&lab.tree)) != crate::manifest::untimed(&ends.1) {
        return Err(told("it ended well and did not finish".to_owned()));
    }
    if !begun || ended.code == Some(4) {
        return if manifest(&lab.tree) == ends.0 { Ok(()) } else { Err(told(format!("ended {:?} and changed something", ended.code))) };
    }
    lab.settles("undo", &ends.0, &ends.1).map_err(|text| told(format!("ended {:?}: {}; {text}", ended.code, ended.text)))
}

#[test]
fn whatever_call_fails_the_tree_can_be_had_as_it_was() {
    let labs: Vec<Lab> = (0..2).map(|n| Lab::new(&format!("error-{n}"))).collect();
    let ends: Vec<_> = labs.iter().map(Lab::ends).collect();
    labs[0].fill();
    let all = points(&labs[0], "run");
    let full = std::env::var_os("REGIME_FULL").is_some();
    let taken: Vec<(Point, (&str, bool))> = if full {
        all.iter().flat_map(|point| WAYS.map(|way| (point.clone(), way))).collect()
    } else {
        sample(&all, SAMPLE).into_iter().enumerate().map(|(n, point)| (point, WAYS[n % WAYS.len()])).collect()
    };
    every(&taken, |worker, (point, way)| fail(&labs[worker], &point.moved(&labs[0], &labs[worker]), *way, &ends[worker]));
}
