//! What bounds a run: its deadline.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use model::event::{Event, RunOutcome};
use model::program::End;
use std::sync::Arc;
use std::time::Duration;
use tests::lab::{Lab, machine};
use world::memory::Memory;
use world::memory_store::MemoryStore;

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
