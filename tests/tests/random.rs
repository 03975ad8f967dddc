//! On random graphs over random trees: what is planned is what runs, what ran can be taken back, from wherever it stopped.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use engine::command::Refusal;
use engine::run::Ending;
use model::effect::Effect;
use model::event::Event;
use std::collections::BTreeSet;
use tests::case::Case;
use tests::dice::Dice;
use tests::flaky::Flaky;
use tests::lab::Lab;
use tests::mortal::Mortal;
use tests::site::Site;
use world::store::Store;

const SEEDS: std::ops::Range<u64> = 0..1000;

/// Where something is tried in a case with so many places for it: in one of them, and of every so many small cases in each. What
/// is tried at each line of a big one grows with the square of these.
fn places(seed: u64, case: &Case, every: u64, many: u64) -> std::ops::Range<u64> {
    if seed.is_multiple_of(every) && case.lanes < 4 {
        return 0..many;
    }
    let one = Dice::new(seed + 1).below(many.max(1));
    one..(one + 1).min(many)
}

fn changes<'e>(effects: impl Iterator<Item = (&'e str, &'e Effect)>) -> BTreeSet<(String, String)> {
    effects.flat_map(|(step, effect)| effect.changes().into_iter().map(move |(resource, _)| (step.to_owned(), resource.to_string()))).collect()
}

/// Runs; its n-th change fails.
fn run(lab: &Lab, site: &Site, store: &dyn Store, n: u64) -> (Result<Ending, Refusal>, u64, bool) {
    let called = || site.look();
    let flaky = Flaky::new(&site.world, i64::try_from(n).unwrap_or(i64::MAX)).telling(&called);
    let ending = lab.run(&flaky, store, "t-1");
    (ending, flaky.calls(), flaky.has_failed())
}

#[test]
fn effects_run_are_effects_planned_and_an_undo_restores_whatever_the_number_of_jobs() {
    let (mut past, mut effects) = (0, 0);
    for seed in SEEDS {
        let case = Case::new(seed);
        let first = Lab::new(&case.runbook, None);
        let mut trees = Vec::new();
        for jobs in [1, 3] {
            let site = Site::new(&case);
            let mut lab = first.again();
            lab.jobs = jobs;
            let plan = lab.plan(&site.world, &site.store, "t-1").unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}\n{}", case.runbook));
            assert_eq!(plan.refused, Vec::<String>::new(), "seed {seed}\n{}", case.runbook);
            assert_eq!(plan.rehearsal.effects, plan.rehearsal.taken_back, "seed {seed}: {:?}\n{}", plan.rehearsal.not, case.runbook);
            assert_eq!(site.world.snapshot(), site.before, "seed {seed}: a plan changed something");
            let called = || site.look();
            let ending = lab.run_plan(&Flaky::new(&site.world, i64::MAX).telling(&called), &site.store, &plan).unwrap();
            assert_eq!(ending.exit, 0, "seed {seed}: {:?}\n{}", ending.why, case.runbook);
            let planned = changes(plan.steps.iter().flat_map(|step| step.effects.iter().map(|effect| (step.id.as_str(), effect))));
            let lines = lab.told.lines.lock().unwrap();
            let ran = changes(lines.iter().filter_map(|line| match &line.event {
                Event::Intended { step, effect, .. } => Some((step.as_str(), effect)),
                _ => None,
            }));
            assert_eq!(ran, planned, "seed {seed}\n{}", case.runbook);
            drop(lines);
            effects += ran.len();
            past += usize::from(site.is_past());
            assert_eq!(site.files(), case.finished, "seed {seed}\n{}", case.runbook);
            trees.push(site.contents());
            let undone = lab.undo(&site.world, &site.store, "t-1").unwrap();
            assert_eq!(undone.exit, 0, "seed {seed}: {:?}\n{}", undone.why, case.runbook);
            assert_eq!(site.world.snapshot(), site.start(), "seed {seed}\n{}", case.runbook);
        }
        let differing: Vec<_> = trees[0].iter().zip(&trees[1]).filter(|(one, other)| one != other).collect();
        assert!(trees[0] == trees[1], "seed {seed}: the number of jobs made a difference: {differing:?}\n{}", case.runbook);
    }
    assert!(effects > 10_000 && past > 400, "{effects} effects, {past} runs past their point of no return");
}

#[test]
fn a_failure_at_any_effect_can_be_taken_back() {
    let (mut failures, mut past, mut without) = (0, 0, 0);
    for seed in SEEDS {
        let case = Case::new(seed);
        let first = Lab::new(&case.runbook, None);
        let calls = {
            let site = Site::new(&case);
            let (ending, calls, _) = run(&first, &site, &site.store, u64::MAX);
            assert_eq!(ending.unwrap().exit, 0, "seed {seed}\n{}", case.runbook);
            calls
        };
        without += u64::from(calls == 0);
        for n in places(seed, &case, 24, calls) {
            let site = Site::new(&case);
            let lab = first.again();
            let (ending, _, failed) = run(&lab, &site, &site.store, n);
            let ending = ending.unwrap();
            assert!(failed, "seed {seed}, effect {n}");
            // A step that is tried again may succeed then.
            let well = case.runbook.contains("retry");
            assert!(matches!(ending.exit, 1 | 8) || (ending.exit == 0 && well), "seed {seed}, effect {n}: {ending:?}\n{}", case.runbook);
            let start = site.start();
            let undone = lab.undo(&site.world, &site.store, "t-1").unwrap();
            assert_eq!(undone.exit, 0, "seed {seed}, effect {n}: {:?}\n{}", undone.why, case.runbook);
            assert_eq!(site.world.snapshot(), start, "seed {seed}, effect {n}\n{}", case.runbook);
            failures += 1;
            past += u64::from(site.is_past());
        }
    }
    assert!(failures > 1000 && past > 80 && without < 60, "{failures} failures, {past} past the point of no return, {without} without an effect");
}

#[test]
fn a_run_that_dies_at_any_line_can_be_finished_or_taken_back() {
    let (mut deaths, mut past) = (0, 0);
    for seed in SEEDS {
        let case = Case::new(seed);
        let first = Lab::new(&case.runbook, None);
        let (finished, appends) = {
            let site = Site::new(&case);
            let mortal = Mortal::new(&site.store, i64::MAX);
            assert_eq!(run(&first, &site, &mortal, u64::MAX).0.unwrap().exit, 0, "seed {seed}\n{}", case.runbook);
            (site.contents(), mortal.appended())
        };
        for line in places(seed, &case, 60, appends) {
            // A question beside a step: sometimes two lines are written at once, and it dies at an earlier one.
            let (died, lab, site, line) = (0..=line).rev().find_map(|line| died(&first, &case, line)).unwrap();
            let text = format!("seed {seed}, line {line}\n{}", case.runbook);
            assert!(matches!(died, Refusal::Broken(_)), "{died:?} {text}");
            deaths += 1;
            if line == 0 {
                // Nothing tells that there was a run, and nothing was done.
                assert_eq!(site.world.snapshot(), site.before, "{text}");
                continue;
            }
            if line.is_multiple_of(2) {
                // Whether a program that was cut off did its work only a person can say, and here it did.
                lab.chosen(&["happened"; 3]);
                let called = || site.look();
                let ending = lab
                    .resume(&Flaky::new(&site.world, i64::MAX).telling(&called), &site.store, "t-1")
                    .unwrap_or_else(|wrong| panic!("{wrong:?} {text}"));
                assert_eq!(ending.exit, 0, "{:?} {text}", ending.why);
                assert_eq!(site.contents(), finished, "{text}");
            }
            lab.chosen(&["happened"; 3]);
            let start = site.start();
            let undone = lab.undo(&site.world, &site.store, "t-1").unwrap_or_else(|wrong| panic!("{wrong:?} {text}"));
            assert_eq!(undone.exit, 0, "{:?} {text}", undone.why);
            assert_eq!(site.world.snapshot(), start, "{text}");
            past += u64::from(site.is_past());
        }
    }
    assert!(deaths > 1200 && past > 80, "{deaths} deaths, {past} of them of runs past their point of no return");
}

/// A run that dies at a line, if it does.
fn died(first: &Lab, case: &Case, line: u64) -> Option<(Refusal, Lab, Site, u64)> {
    let (lab, site) = (first.again(), Site::new(case));
    let mortal = Mortal::new(&site.store, line as i64);
    let ended = run(&lab, &site, &mortal, u64::MAX).0;
    if !mortal.is_dead() {
        assert_eq!(ended.unwrap().exit, 0, "line {line}\n{}", case.runbook);
        return None;
    }
    Some((ended.unwrap_err(), lab, site, line))
}

#[test]
fn an_undo_that_dies_at_any_line_can_be_finished() {
    let (mut deaths, mut past) = (0, 0);
    for seed in SEEDS {
        let case = Case::new(seed);
        let first = Lab::new(&case.runbook, None);
        let mut undo = |appends: i64| {
            let (lab, site) = (first.again(), Site::new(&case));
            assert_eq!(run(&lab, &site, &site.store, u64::MAX).0.unwrap().exit, 0);
            let start = site.start();
            let mortal = Mortal::new(&site.store, appends);
            let died = lab.undo(&site.world, &mortal, "t-1");
            let (dead, appended) = (mortal.is_dead(), mortal.appended());
            let text = format!("seed {seed}, line {appends}\n{}", case.runbook);
            assert_eq!(died.is_err(), dead, "{died:?} {text}");
            assert!(dead || died.as_ref().unwrap().exit == 0, "{died:?} {text}");
            lab.chosen(&["happened"; 3]);
            if dead && appends > 0 {
                let ending = lab.resume(&site.world, &site.store, "t-1.undo-1").unwrap_or_else(|wrong| panic!("{wrong:?} {text}"));
                assert_eq!(ending.exit, 0, "{:?} {text}", ending.why);
            } else if dead {
                assert_eq!(lab.undo(&site.world, &site.store, "t-1").unwrap().exit, 0, "{text}");
            }
            assert_eq!(site.world.snapshot(), start, "{text}");
            (deaths, past) = (deaths + u64::from(dead), past + u64::from(dead && site.is_past()));
            (appended, dead)
        };
        let (appends, _) = undo(i64::MAX);
        for line in places(seed, &case, 120, appends) {
            assert!(undo(line as i64).1, "seed {seed}: the undo did not come to line {line}\n{}", case.runbook);
        }
    }
    assert!(deaths > 1000 && past > 80, "{deaths} deaths, {past} of them of undos that end at a point of no return");
}
