//! On random graphs over random trees: what is planned is what runs, what ran can be taken back, from wherever it stopped.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use engine::command::Refusal;
use model::effect::Effect;
use model::event::Event;
use std::collections::BTreeSet;
use tests::dice::Case;
use tests::flaky::Flaky;
use tests::lab::Lab;
use tests::mortal::Mortal;
use world::memory_store::MemoryStore;

const SEEDS: std::ops::Range<u64> = 0..1000;

/// Every so many seeds, but for big cases: what is tried at each of their lines grows with the square of these.
fn small(every: usize) -> impl Iterator<Item = (u64, Case)> {
    SEEDS.step_by(every).map(|seed| (seed, Case::new(seed))).filter(|(_, case)| case.lanes < 4)
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
    for (seed, case) in small(8) {
        for n in 0.. {
            let (world, store) = (case.machine(), MemoryStore::new());
            let before = world.snapshot();
            let lab = Lab::new(&case.runbook, None);
            let plan = lab.plan(&world, &store, "t-1").unwrap();
            let flaky = Flaky::new(&world, n);
            let ending = lab.run_plan(&flaky, &store, &plan).unwrap();
            if !flaky.has_failed() {
                break;
            }
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
    for (seed, case) in small(20) {
        let finished = {
            let (world, store) = (case.machine(), MemoryStore::new());
            let ending = Lab::new(&case.runbook, None).run(&world, &store, "t-1").unwrap();
            assert_eq!(ending.exit, 0);
            world.snapshot().into_iter().map(|(path, found)| (path, found.bytes)).collect::<Vec<_>>()
        };
        for appends in 1.. {
            let (world, store) = (case.machine(), MemoryStore::new());
            let before = world.snapshot();
            let mut lab = Lab::new(&case.runbook, None);
            let mortal = Mortal::new(&store, appends);
            let died = lab.run(&world, &mortal, "t-1");
            if !mortal.is_dead() {
                break;
            }
            assert!(matches!(died, Err(Refusal::Broken(_))), "seed {seed}, line {appends}: {died:?}");
            let text = format!("seed {seed}, line {appends}\n{}", case.runbook);
            if appends % 2 == 0 {
                // Whether a program that was cut off did its work only a person can say, and here it did.
                lab.people.choices = vec!["happened".to_owned(); 3].into();
                let ending = lab.resume(&world, &store, "t-1").unwrap_or_else(|wrong| panic!("{wrong:?} {text}"));
                assert_eq!(ending.exit, 0, "{:?} {text}", ending.why);
                let tree: Vec<_> = world.snapshot().into_iter().map(|(path, found)| (path, found.bytes)).collect();
                assert_eq!(tree, finished, "{text}");
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
    for (seed, case) in small(40) {
        for appends in 1.. {
            let (world, store) = (case.machine(), MemoryStore::new());
            let before = world.snapshot();
            let lab = Lab::new(&case.runbook, None);
            assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 0);
            let mortal = Mortal::new(&store, appends);
            let died = lab.undo(&world, &mortal, "t-1");
            let text = format!("seed {seed}, line {appends}\n{}", case.runbook);
            if !mortal.is_dead() {
                assert_eq!(world.snapshot(), before, "{text}");
                break;
            }
            assert!(died.is_err(), "{text}");
            let ending = lab.resume(&world, &store, "t-1.undo-1").unwrap_or_else(|wrong| panic!("{wrong:?} {text}"));
            assert_eq!(ending.exit, 0, "{:?} {text}", ending.why);
            assert_eq!(world.snapshot(), before, "{text}");
        }
    }
}
