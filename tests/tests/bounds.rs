//! What bounds a run: its deadline, the room on the disk, its locks.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use engine::command::Refusal;
use model::event::{Event, RunOutcome};
use model::id::RunId;
use model::program::End;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use tests::lab::{Lab, machine};
use tests::mortal::Mortal;
use world::memory::Memory;
use world::memory_store::MemoryStore;
use world::store::{RESERVE, Store};

const HEAD: &str = "format: 1\nrunbook: t\nversion: 1.0.0\ntitle: T\ntouches: ['file:/d/**']\n";

/// Its second step takes an hour, and a third follows.
fn slow(head: &str) -> (Lab, Memory, MemoryStore) {
    let lab = Lab::new(
        &format!(
            "{HEAD}{head}steps:
  - {{ id: first, action: file.write, with: {{ path: /d/a, text: new }} }}
  - {{ id: slow, action: command.run, with: {{ argv: [/bin/slow], changes: [] }}, takes: {{ usual: 1h, most: 2h }} }}
  - {{ id: last, action: file.write, with: {{ path: /d/b, text: new }} }}
finally:
  - {{ id: tell, action: file.write, with: {{ path: /d/told, text: told }} }}
"
        ),
        None,
    );
    let clock = Arc::clone(&lab.clock);
    let (world, store) = machine(&[("/d/a", "old")]);
    let world = world.program("/bin/slow", move |_, _, _| {
        clock.pass(Duration::from_secs(3600));
        (End::Code(0), Vec::new(), Vec::new())
    });
    (lab, world, store)
}

fn text(world: &Memory, path: &str) -> Option<String> {
    world.machine().read(path).map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

#[test]
fn after_the_deadline_no_step_starts_and_what_was_done_stands() {
    let (lab, world, store) = slow("deadline: 30m\n");
    let ending = lab.run(&world, &store, "t-1").unwrap();
    assert_eq!((ending.outcome, ending.exit), (RunOutcome::Failed, 1), "{:?}", ending.why);
    assert_eq!(ending.why, ["the deadline of 30m has passed: nothing more is started"]);
    assert_eq!((text(&world, "/d/a").as_deref(), text(&world, "/d/b")), (Some("new"), None));
    assert!(text(&world, "/d/told").is_some(), "its `finally` runs whatever happened");
    let lines = lab.told.lines.lock().unwrap();
    assert!(lines.iter().any(|line| line.event == Event::Cancelled { by: "the deadline of 30m".into() }));
    let kept: Vec<_> = lab.people.offered.lock().unwrap().iter().flat_map(|choice| choice.options.iter().map(|o| o.key)).collect();
    assert_eq!(kept, ["stop", "undo", "go_on"]);
}

#[test]
fn a_run_that_ends_in_time_knows_no_deadline() {
    let (lab, world, store) = slow("deadline: 2h\n");
    assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 0);
    assert!(text(&world, "/d/b").is_some());
}

#[test]
fn a_run_whose_last_step_ends_late_is_done() {
    let lab = Lab::new(
        &format!("{HEAD}deadline: 30m\nsteps:\n  - {{ id: slow, action: command.run, with: {{ argv: [/bin/slow], changes: [] }} }}\n"),
        None,
    );
    let (_, world, store) = slow("");
    let clock = Arc::clone(&lab.clock);
    let world = world.program("/bin/slow", move |_, _, _| {
        clock.pass(Duration::from_secs(3600));
        (End::Code(0), Vec::new(), Vec::new())
    });
    assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 0);
}

#[test]
fn a_late_run_is_taken_back_where_its_runbook_says_so() {
    let (lab, world, store) = slow("deadline: 30m\non_failure: undo\n");
    let ending = lab.run(&world, &store, "t-1").unwrap();
    assert_eq!((ending.outcome, ending.exit), (RunOutcome::Undone, 5), "{:?}", ending.why);
    assert_eq!((text(&world, "/d/a").as_deref(), text(&world, "/d/b")), (Some("old"), None));
}

#[test]
fn a_person_may_go_on_without_a_deadline_and_is_not_asked_again() {
    let (mut lab, world, store) = slow("deadline: 30m\n");
    assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 1);
    lab.people.choices = vec!["go_on".to_owned()].into();
    let ending = lab.resume(&world, &store, "t-1").unwrap();
    assert_eq!(ending.exit, 0, "{:?}", ending.why);
    assert!(text(&world, "/d/b").is_some());
}

#[test]
fn nothing_is_tried_again_after_the_deadline() {
    let lab = Lab::new(
        &format!(
            "{HEAD}deadline: 30m\nsteps:\n  - {{ id: there, action: assert.file, with: {{ path: /d/x }}, retry: {{ attempts: 9, delay: 20m }} }}\n"
        ),
        None,
    );
    let (world, store) = machine(&[("/d/x", "x")]);
    let plan = lab.plan(&world, &store, "t-1").unwrap();
    world.machine().remove("/d/x");
    assert!(lab.run_plan(&world, &store, &plan).unwrap().exit > 0);
    let lines = lab.told.lines.lock().unwrap();
    assert_eq!(lines.iter().filter(|line| matches!(line.event, Event::StepStarted { .. })).count(), 3);
}

#[test]
fn a_plan_names_the_deadline_and_says_when_the_estimates_do_not_fit() {
    let (lab, world, store) = slow("deadline: 30m\n");
    let plan = lab.plan(&world, &store, "t-1").unwrap();
    assert_eq!(plan.deadline, Some(1800.0));
    assert!(plan.warnings.contains(&"one after the other the steps usually take 1h, and the deadline is 30m".to_owned()), "{:?}", plan.warnings);
}

/// A megabyte.
const MB: usize = 1 << 20;

fn copying(steps: &str) -> Lab {
    Lab::new(&format!("{HEAD}steps:\n{steps}"), None)
}

#[test]
fn a_run_that_has_not_the_room_beside_its_targets_does_not_begin() {
    let lab = copying(
        "  - { id: one, action: file.copy, with: { from: /d/big, to: /d/one } }\n  - { id: two, action: file.copy, with: { from: /d/big, to: /d/two } }\n",
    );
    let (world, store) = machine(&[]);
    world.machine().write("/d/big", vec![1; 3 * MB]);
    world.machine().room = 5 * MB as u64;
    let before = world.snapshot();
    let Err(Refusal::Refused(why)) = lab.run(&world, &store, "t-1") else { panic!("it began") };
    assert_eq!(why, ["there is not enough room on the volume of `/d`: needed 6.0 MB, free 5.0 MB"]);
    assert_eq!((world.snapshot(), store.runs().unwrap()), (before, Vec::new()));
    world.machine().room = 6 * MB as u64;
    assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 0);
}

#[test]
fn what_replaces_something_needs_its_room_once_and_not_for_ever() {
    let lab = copying(
        "  - { id: one, action: file.copy, with: { from: /d/big, to: /d/a } }\n  - { id: two, action: file.copy, with: { from: /d/big, to: /d/b } }\n",
    );
    let (world, store) = machine(&[]);
    world.machine().write("/d/big", vec![1; 3 * MB]);
    world.machine().write("/d/a", vec![2; 3 * MB]);
    world.machine().write("/d/b", vec![3; 3 * MB]);
    world.machine().room = 3 * MB as u64;
    assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 0);
}

#[test]
fn before_images_need_room_in_the_state_directory() {
    let lab = copying("  - { id: gone, action: file.remove, with: { path: /d/big } }\n");
    let (world, store) = machine(&[]);
    world.machine().write("/d/big", vec![1; 3 * MB]);
    store.limit(RESERVE + 3 * MB as u64);
    let Err(Refusal::Refused(why)) = lab.run(&world, &store, "t-1") else { panic!("it began") };
    assert_eq!(why, ["there is not enough room on the volume of the state directory: needed 19.0 MB, free 19.0 MB"]);
    store.limit(RESERVE + 4 * MB as u64);
    assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 0);
}

#[test]
fn a_run_whose_lock_is_taken_away_does_nothing_more() {
    let lab = copying(
        "  - { id: first, action: command.run, with: { argv: [/bin/thief], changes: [] } }\n  - { id: next, action: file.write, with: { path: /d/a, text: new } }\n",
    );
    let (world, store) = machine(&[("/d/a", "old")]);
    let own = store.clone();
    let world = world.program("/bin/thief", move |_, _, _| {
        own.lose_locks();
        (End::Code(0), Vec::new(), Vec::new())
    });
    let Err(Refusal::Broken(why)) = lab.run(&world, &store, "t-1") else { panic!("it went on") };
    assert_eq!(why, "the lock on the client `local` is gone: its file was removed or replaced, and another run may have begun");
    assert_eq!(text(&world, "/d/a").as_deref(), Some("old"));
    let ending = lab.resume(&world, &store, "t-1").unwrap();
    assert_eq!((ending.exit, text(&world, "/d/a").as_deref()), (0, Some("new")), "{:?}", ending.why);
}

#[test]
fn a_long_copy_tells_how_far_it_has_come_and_writes_nothing_of_it() {
    let lab = copying(
        "  - { id: big, action: file.copy, with: { from: /d/big, to: /d/one } }\n  - { id: small, action: file.copy, with: { from: /d/a, to: /d/b } }\n",
    );
    let (world, store) = machine(&[("/d/a", "old")]);
    world.machine().write("/d/big", vec![1; 9 * MB]);
    assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 0);
    let told = lab.told.progress.lock().unwrap();
    let total = 9 * MB as u64;
    assert_eq!(told.last().map(|(step, written, all)| (step.as_str(), *written, *all)), Some(("big", total, total)));
    assert!(told.iter().all(|(step, written, all)| step.as_str() == "big" && written <= all));
    assert_eq!(lab.told.lines.lock().unwrap().len(), 10, "a first line, four for each step, a last one");
}

#[test]
fn a_backup_lists_what_it_could_not_read_or_fails() {
    for (word, exit) in [("list", 0), ("fail", 1)] {
        let lab = copying(&format!(
            "  - {{ id: keep, action: dir.backup, with: {{ sources: [/d/s], to: /d/t, on_locked: {word} }} }}\n  - {{ id: say, action: assert.fact, with: {{ that: \"'/d/s/x/locked' in steps.keep.left_out\" }} }}\n"
        ));
        let (world, store) = machine(&[("/d/s/a", "a"), ("/d/s/x/locked", "l"), ("/d/s/z", "z")]);
        world.machine().locked.insert("/d/s/x/locked".into());
        let ending = lab.run(&world, &store, "t-1").unwrap();
        assert_eq!(ending.exit, exit, "{:?}", ending.why);
        let lines = lab.told.lines.lock().unwrap();
        let finished = lines.iter().find_map(|line| match &line.event {
            Event::StepFinished { step, outputs, reason, .. } if step.as_str() == "keep" => Some((outputs.clone(), reason.clone())),
            _ => None,
        });
        let (outputs, reason) = finished.unwrap();
        if word == "list" {
            assert_eq!(outputs["left_out"], serde_json::json!(["/d/s/x/locked"]));
            assert_eq!(reason.as_deref(), Some("left out, for it cannot be read: `/d/s/x/locked`"));
            assert_eq!((text(&world, "/d/t/s/z").as_deref(), text(&world, "/d/t/s/x/locked")), (Some("z"), None));
        } else {
            assert!(ending.why[0].contains("/d/s/x/locked"), "{:?}", ending.why);
            assert_eq!(text(&world, "/d/t/s/a"), None);
        }
    }
}

#[test]
fn a_backup_that_was_cut_off_anywhere_still_lists_what_it_left_out() {
    let mut cut = 0;
    loop {
        let lab = copying(
            "  - { id: keep, action: dir.backup, with: { sources: [/d/s, /d/one], to: /d/t, exclude: [skip], on_locked: list } }\n  - { id: say, action: assert.fact, with: { that: \"steps.keep.left_out == ['/d/s/x/locked']\" } }\n",
        );
        let (world, store) = machine(&[("/d/s/a", "a"), ("/d/s/x/locked", "l"), ("/d/s/skip/s", "s"), ("/d/one", "1")]);
        world.machine().locked.insert("/d/s/x/locked".into());
        let mortal = Mortal::new(&store, cut);
        let whole = lab.run(&world, &mortal, "t-1").is_ok();
        if !whole && store.journal(&RunId::parse("t-1").unwrap()).is_ok_and(|mut journal| journal.read(&mut [0]).is_ok_and(|read| read > 0)) {
            let ending = lab.resume(&world, &store, "t-1").unwrap();
            assert_eq!(ending.exit, 0, "cut off after {cut} writes: {:?}", ending.why);
        }
        if whole {
            break;
        }
        cut += 1;
    }
    assert!(cut > 3, "{cut}");
}
