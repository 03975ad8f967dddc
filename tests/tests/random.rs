//! On random graphs over random trees: what is planned is what runs, what ran can be taken back, from wherever it stopped.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use engine::command::Refusal;
use model::effect::Effect;
use model::event::Event;
use std::collections::BTreeSet;
use std::sync::Arc;
use tests::dice::{Case, Dice};
use tests::flaky::Flaky;
use tests::lab::Lab;
use tests::mortal::Mortal;
use world::memory::Memory;
use world::memory_store::MemoryStore;

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

/// The contents of all files, without their times.
fn contents(world: &Memory) -> Vec<(String, Option<Arc<Vec<u8>>>)> {
    world.snapshot().into_iter().map(|(path, found)| (path, found.bytes)).collect()
}

fn changes<'e>(effects: impl Iterator<Item = (&'e str, &'e Effect)>) -> BTreeSet<(String, String)> {
    effects.flat_map(|(step, effect)| effect.changes().into_iter().map(move |(resource, _)| (step.to_owned(), resource.to_string()))).collect()
}

#[test]
fn effects_run_are_effects_planned_and_an_undo_restores_whatever_the_number_of_jobs() {
    for seed in SEEDS {
        let case = Case::new(seed);
        let mut trees = Vec::new();
        for jobs in [1, 3] {
            let (world, store) = (case.machine(), MemoryStore::new());
            let before = world.snapshot();
            let mut lab = Lab::new(&case.runbook, None);
            lab.jobs = jobs;
            let plan = lab.plan(&world, &store, "t-1").unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}\n{}", case.runbook));
            assert_eq!(plan.refused, Vec::<String>::new(), "seed {seed}\n{}", case.runbook);
            assert_eq!(plan.rehearsal.effects, plan.rehearsal.taken_back, "seed {seed}: {:?}\n{}", plan.rehearsal.not, case.runbook);
            assert_eq!(world.snapshot(), before, "seed {seed}: a plan changed something");
            let ending = lab.run_plan(&world, &store, &plan).unwrap();
            assert_eq!(ending.exit, 0, "seed {seed}: {:?}\n{}", ending.why, case.runbook);
            let planned = changes(plan.steps.iter().flat_map(|step| step.effects.iter().map(|effect| (step.id.as_str(), effect))));
            let lines = lab.told.lines.lock().unwrap();
            let ran = changes(lines.iter().filter_map(|line| match &line.event {
                Event::Intended { step, effect, .. } => Some((step.as_str(), effect)),
                _ => None,
            }));
            assert_eq!(ran, planned, "seed {seed}\n{}", case.runbook);
            drop(lines);
            trees.push(world.snapshot().into_iter().map(|(path, found)| (path, found.bytes)).collect::<Vec<_>>());
            let undone = lab.undo(&world, &store, "t-1").unwrap();
            assert_eq!(undone.exit, 0, "seed {seed}: {:?}\n{}", undone.why, case.runbook);
            assert_eq!(world.snapshot(), before, "seed {seed}\n{}", case.runbook);
        }
        let differing: Vec<_> = trees[0].iter().zip(&trees[1]).filter(|(one, other)| one != other).collect();
        assert!(trees[0] == trees[1], "seed {seed}: the number of jobs made a difference: {differing:?}\n{}", case.runbook);
    }
}

#[test]
fn a_failure_at_any_effect_can_be_taken_back() {
    for seed in SEEDS {
        let case = Case::new(seed);
        let calls = {
            let (world, store) = (case.machine(), MemoryStore::new());
            let flaky = Flaky::new(&world, i64::MAX);
            assert_eq!(Lab::new(&case.runbook, None).run(&flaky, &store, "t-1").unwrap().exit, 0);
            flaky.calls()
        };
        for n in places(seed, &case, 24, calls) {
            let (world, store) = (case.machine(), MemoryStore::new());
            let before = world.snapshot();
            let lab = Lab::new(&case.runbook, None);
            let plan = lab.plan(&world, &store, "t-1").unwrap();
            let flaky = Flaky::new(&world, n as i64);
            let ending = lab.run_plan(&flaky, &store, &plan).unwrap();
            assert!(flaky.has_failed(), "seed {seed}, effect {n}");
            // A step that is tried again may succeed then.
            let well = case.runbook.contains("retry");
            assert!(matches!(ending.exit, 1 | 8) || (ending.exit == 0 && well), "seed {seed}, effect {n}: {ending:?}\n{}", case.runbook);
            let undone = lab.undo(&world, &store, "t-1").unwrap();
            assert_eq!(undone.exit, 0, "seed {seed}, effect {n}: {:?}\n{}", undone.why, case.runbook);
            assert_eq!(world.snapshot(), before, "seed {seed}, effect {n}\n{}", case.runbook);
        }
    }
}

#[test]
fn a_run_that_dies_at_any_line_can_be_finished_or_taken_back() {
    for seed in SEEDS {
        let case = Case::new(seed);
        let (finished, appends) = {
            let (world, store) = (case.machine(), MemoryStore::new());
            let mortal = Mortal::new(&store, i64::MAX);
            assert_eq!(Lab::new(&case.runbook, None).run(&world, &mortal, "t-1").unwrap().exit, 0);
            (contents(&world), mortal.appended())
        };
        for line in places(seed, &case, 60, appends) {
            let (world, store) = (case.machine(), MemoryStore::new());
            let before = world.snapshot();
            let mut lab = Lab::new(&case.runbook, None);
            let mortal = Mortal::new(&store, line as i64);
            let died = lab.run(&world, &mortal, "t-1");
            let text = format!("seed {seed}, line {line}\n{}", case.runbook);
            if !mortal.is_dead() {
                // A question beside a step: sometimes two lines are written at once.
                assert_eq!(died.unwrap().exit, 0, "{text}");
                continue;
            }
            assert!(matches!(died, Err(Refusal::Broken(_))), "{died:?} {text}");
            if line == 0 {
                // Nothing tells that there was a run, and nothing was done.
                assert_eq!(world.snapshot(), before, "{text}");
                continue;
            }
            if line.is_multiple_of(2) {
                // Whether a program that was cut off did its work only a person can say, and here it did.
                lab.people.choices = vec!["happened".to_owned(); 3].into();
                let ending = lab.resume(&world, &store, "t-1").unwrap_or_else(|wrong| panic!("{wrong:?} {text}"));
                assert_eq!(ending.exit, 0, "{:?} {text}", ending.why);
                assert_eq!(contents(&world), finished, "{text}");
            }
            lab.people.choices = vec!["happened".to_owned(); 3].into();
            let undone = lab.undo(&world, &store, "t-1").unwrap_or_else(|wrong| panic!("{wrong:?} {text}"));
            assert_eq!(undone.exit, 0, "{:?} {text}", undone.why);
            assert_eq!(world.snapshot(), before, "{text}");
        }
    }
}

#[test]
fn an_undo_that_dies_at_any_line_can_be_finished() {
    for seed in SEEDS {
        let case = Case::new(seed);
        let undo = |appends: i64| {
            let (world, store) = (case.machine(), MemoryStore::new());
            let before = world.snapshot();
            let lab = Lab::new(&case.runbook, None);
            assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 0);
            let mortal = Mortal::new(&store, appends);
            let died = lab.undo(&world, &mortal, "t-1");
            let (dead, appended) = (mortal.is_dead(), mortal.appended());
            let text = format!("seed {seed}, line {appends}\n{}", case.runbook);
            assert_eq!(died.is_err(), dead, "{text}");
            if dead && appends > 0 {
                let ending = lab.resume(&world, &store, "t-1.undo-1").unwrap_or_else(|wrong| panic!("{wrong:?} {text}"));
                assert_eq!(ending.exit, 0, "{:?} {text}", ending.why);
            } else if dead {
                assert_eq!(lab.undo(&world, &store, "t-1").unwrap().exit, 0, "{text}");
            }
            assert_eq!(world.snapshot(), before, "{text}");
            appended
        };
        let appends = undo(i64::MAX);
        places(seed, &case, 120, appends).for_each(|line| {
            undo(line as i64);
        });
    }
}
