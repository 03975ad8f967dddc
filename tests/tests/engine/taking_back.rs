//! What ran can be taken back.

use super::{HEAD, RECIPIENT, THREE, lab};
use model::event::RunOutcome;
use std::sync::{Condvar, Mutex};
use tests::flaky::Flaky;
use tests::lab::{Lab, machine};

#[test]
fn a_run_does_what_was_planned_and_its_undo_restores_everything() {
    let (world, store) = machine(&[("/d/a", "old"), ("/d/c", "c")]);
    let before = world.snapshot();
    let lab = lab(THREE);
    let ending = lab.run(&world, &store, "t-1").unwrap();
    assert_eq!((ending.outcome, ending.exit), (RunOutcome::Done, 0), "{:?}", ending.why);
    assert_eq!(world.machine().read("/d/b").unwrap().as_slice(), b"new");
    assert!(world.machine().read("/d/c").is_none());
    let undone = lab.undo(&world, &store, "t-1").unwrap();
    assert_eq!(undone.exit, 0, "{:?}", undone.why);
    assert_eq!(world.snapshot(), before);
}

#[test]
fn an_undo_can_be_undone_and_then_undone_again() {
    let (world, store) = machine(&[("/d/a", "old"), ("/d/c", "c")]);
    let before = world.snapshot();
    let lab = lab(THREE);
    lab.run(&world, &store, "t-1").unwrap();
    let after = world.snapshot();
    assert_eq!(lab.undo(&world, &store, "t-1").unwrap().exit, 0);
    assert_eq!(lab.undo(&world, &store, "t-1.undo-1").unwrap().exit, 0);
    assert_eq!(world.snapshot(), after);
    assert_eq!(lab.undo(&world, &store, "t-1").unwrap().exit, 0);
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_failure_with_undo_takes_everything_back_and_says_so() {
    let (world, store) = machine(&[("/d/a", "old"), ("/d/c", "c")]);
    let before = world.snapshot();
    let steps = format!("{THREE}  - {{ id: fails, action: command.run, with: {{ argv: [/bin/false], changes: [] }}, on_failure: undo }}\n");
    let ending = lab(&steps).run(&world, &store, "t-1").unwrap();
    assert_eq!((ending.outcome, ending.exit), (RunOutcome::Undone, 5), "{:?}", ending.why);
    assert_eq!(world.snapshot(), before);
}

#[test]
fn an_undo_refuses_to_overwrite_what_somebody_has_changed_since() {
    let (world, store) = machine(&[("/d/a", "old"), ("/d/c", "c")]);
    let lab = lab(THREE);
    lab.run(&world, &store, "t-1").unwrap();
    world.machine().write("/d/b", "edited");
    let before = world.snapshot();
    let ending = lab.undo(&world, &store, "t-1").unwrap();
    assert_eq!(ending.exit, 4, "{:?}", ending.why);
    assert!(ending.why[0].contains("conflict"), "{:?}", ending.why);
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_step_that_tells_when_it_is_done_is_taken_back_by_its_own_program() {
    let (world, store) = machine(&[("/d/x", "x")]);
    let world = world
        .program("/bin/make", |machine, _, _| {
            machine.write("/d/made", "made");
            (model::program::End::Code(0), Vec::new(), Vec::new())
        })
        .program("/bin/unmake", |machine, _, _| {
            machine.remove("/d/made");
            (model::program::End::Code(0), Vec::new(), Vec::new())
        });
    let lab = lab("
  - id: made
    action: command.run
    with: { argv: [/bin/make], changes: [] }
    done_when: [{ id: there, action: assert.file, with: { path: /d/made, exists: true } }]
    undo: { action: command.run, with: { argv: [/bin/unmake], changes: [] } }
");
    assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 0);
    let undone = lab.undo(&world, &store, "t-1").unwrap();
    assert_eq!(undone.exit, 0, "{:?}", undone.why);
    assert_eq!(world.machine().read("/d/made"), None);
}

#[test]
fn what_a_step_set_in_a_sensitive_file_is_set_back_by_a_later_step() {
    let runbook = format!(
        "{HEAD}sensitive: ['file:/d/key']\nsteps:
  - {{ id: changed, action: file.write, with: {{ path: /d/key, text: new-words }} }}
  - {{ id: copied, action: file.copy, with: {{ from: /d/x, to: /d/y }} }}
  - {{ id: back, action: steps.undo, with: {{ steps: [changed] }} }}
"
    );
    let client = format!("format: 1\nclient: c\nname: C\nzone: UTC\nrecovery: {RECIPIENT}\n");
    let mut lab = Lab::new(&runbook, Some(&client));
    lab.identities = vec!["AGE-SECRET-KEY-1H8876FYMZZVX7AGGUFJTPW3T0PF5Y7SQJYNKTXQPCE4VXGU96SZSCCCMGD".to_owned()];
    let whole = |cut: bool| {
        let (world, store) = machine(&[("/d/key", "old-words"), ("/d/x", "x")]);
        let plan = lab.plan(&world, &store, "t-1").unwrap();
        if cut {
            world.machine().remove("/d/x");
            assert_eq!(lab.run_plan(&world, &store, &plan).unwrap().exit, 1);
            assert_eq!(world.machine().read("/d/key").unwrap().as_slice(), b"new-words");
            world.machine().write("/d/x", "x");
        }
        let ending = if cut { lab.resume(&world, &store, "t-1") } else { lab.run_plan(&world, &store, &plan) }.unwrap();
        (ending, world.machine().read("/d/key").unwrap().to_vec())
    };
    let (ending, key) = whole(false);
    assert_eq!((ending.exit, key.as_slice()), (0, b"old-words".as_slice()), "{:?}", ending.why);
    let (ending, key) = whole(true);
    assert_eq!((ending.exit, key.as_slice()), (0, b"old-words".as_slice()), "{:?}", ending.why);
}

#[test]
fn what_a_later_step_has_set_back_is_rehearsed_as_the_undo_will_find_it() {
    let moved = "
  - { id: move, action: file.move, with: { from: /d/a, to: /d/b } }
  - { id: back, action: steps.undo, with: { steps: [move] } }
";
    for more in [moved, "  - { id: back, action: steps.undo, with: { steps: [second, third] } }\n"] {
        let (world, store) = machine(&[("/d/a", "first")]);
        let before = world.snapshot();
        let lab = lab(&format!(
            "
  - {{ id: second, action: file.write, with: {{ path: /d/a, text: second }} }}
  - {{ id: third, action: file.write, with: {{ path: /d/a, text: third }} }}
{more}"
        ));
        let plan = lab.plan(&world, &store, "t-1").unwrap();
        assert!(plan.rehearsal.not.is_empty(), "{:?}", plan.rehearsal);
        assert_eq!(plan.rehearsal.taken_back, plan.rehearsal.effects);
        assert_eq!(lab.run_plan(&world, &store, &plan).unwrap().exit, 0);
        assert_eq!(lab.undo(&world, &store, "t-1").unwrap().exit, 0);
        assert_eq!(world.snapshot(), before);
    }
}

#[test]
fn what_instances_did_at_the_same_time_is_set_back_as_planned_whichever_was_first() {
    let (world, store) = machine(&[("/d/x", "x")]);
    let before = world.snapshot();
    let mut lab = lab("
  - { id: each, action: file.write, foreach: { one: \"{{ ['a', 'b'] }}\" }, key: '{{ one }}', max_parallel: 2, with: { path: '/d/{{ one }}', text: x } }
  - { id: back, action: steps.undo, with: { steps: [each] } }
");
    lab.jobs = 8;
    let (second, came) = (Mutex::new(false), Condvar::new());
    // The second instance is done before the first one.
    let turn = |path: &str, change: &mut dyn FnMut()| {
        if path == "/d/a" {
            drop(came.wait_while(second.lock().unwrap(), |second| !*second).unwrap());
        }
        change();
        if path == "/d/b" {
            *second.lock().unwrap() = true;
            came.notify_all();
        }
    };
    let ending = lab.run(&Flaky::in_turn(&world, &turn), &store, "t-1").unwrap();
    assert_eq!(ending.exit, 0, "{:?}", ending.why);
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_gate_that_an_earlier_undo_has_passed_is_not_passed_again() {
    let steps = "
  - { id: first, action: file.write, with: { path: /d/a, text: first } }
  - id: lane
    on_failure: undo_group
    steps:
      - { id: second, action: file.write, with: { path: /d/b, text: second } }
      - { id: same, action: assert.file, with: { path: /d/b, contains: second }, gate: true }
      - { id: third, action: file.write, with: { path: /d/c, text: third } }
";
    // Of a group that is taken back by itself, and of an undo that failed after its gate.
    for (fails, exit) in [(Some(2), 8), (None, 0)] {
        let (world, store) = machine(&[("/d/x", "x")]);
        let before = world.snapshot();
        let lab = lab(steps);
        let ending = lab.run(&Flaky::new(&world, fails.unwrap_or(i64::MAX)), &store, "t-1").unwrap();
        assert_eq!(ending.exit, exit, "{:?}", ending.why);
        if fails.is_none() {
            assert_eq!(lab.undo(&Flaky::new(&world, 2), &store, "t-1").unwrap().exit, 1);
        }
        let undone = lab.undo(&world, &store, "t-1").unwrap();
        assert_eq!(undone.exit, 0, "{:?}", undone.why);
        assert_eq!(world.snapshot(), before);
    }
}
