//! Runs and undos that stopped or died in their middle go on.

use super::{HEAD, RECIPIENT, lab};
use engine::command::Refusal;
use model::event::Event;
use model::program::End;
use model::state::{RunState, ServiceState, StartType};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use tests::flaky::Flaky;
use tests::lab::{Lab, machine};
use tests::mortal::Mortal;

#[test]
fn a_failed_run_stands_as_it_is_and_goes_on_when_the_cause_is_gone() {
    let (world, store) = machine(&[("/d/a", "old")]);
    let lab = lab("
  - { id: write, action: file.write, with: { path: /d/b, text: new } }
  - { id: there, action: command.run, with: { argv: [/bin/true], changes: [] } }
  - { id: marked, action: file.copy, with: { from: /d/x, to: /d/y } }
");
    // The source appears only in the plan: it is taken away before the run.
    world.machine().write("/d/x", "x");
    let plan = lab.plan(&world, &store, "t-1").unwrap();
    world.machine().remove("/d/x");
    let ending = lab.run_plan(&world, &store, &plan).unwrap();
    assert_eq!(ending.exit, 1, "{:?}", ending.why);
    assert_eq!(world.machine().read("/d/b").unwrap().as_slice(), b"new");
    world.machine().write("/d/x", "x");
    let ending = lab.resume(&world, &store, "t-1").unwrap();
    assert_eq!(ending.exit, 0, "{:?}", ending.why);
    assert_eq!(world.machine().read("/d/y").unwrap().as_slice(), b"x");
}

#[test]
fn an_undo_program_that_was_cut_off_is_not_started_again_once_somebody_says_that_it_did_its_work() {
    let mut asked = 0;
    for appends in 1.. {
        let (world, store) = machine(&[("/d/x", "x")]);
        let world = world.program("/bin/unmake", |machine, _, _| {
            let times = machine.read("/d/times").map(|bytes| bytes.to_vec()).unwrap_or_default();
            machine.write("/d/times", [times, b"x".to_vec()].concat());
            (End::Code(0), Vec::new(), Vec::new())
        });
        let lab = lab("
  - { id: written, action: file.write, with: { path: /d/a, text: new } }
  - id: made
    action: command.run
    with: { argv: [/bin/true] }
    undo: { action: command.run, with: { argv: [/bin/unmake], changes: [] } }
");
        assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 0);
        let mortal = Mortal::new(&store, appends);
        let died = lab.undo(&world, &mortal, "t-1");
        if mortal.is_dead() {
            assert!(died.is_err(), "line {appends}");
            let nobody = lab.resume(&world, &store, "t-1.undo-1").map(|ending| ending.exit);
            if lab.people.offered.lock().unwrap().is_empty() {
                assert_eq!(nobody.unwrap(), 0, "line {appends}");
            } else {
                asked += 1;
                assert!(matches!(nobody, Err(Refusal::Missing(_))), "line {appends}: {nobody:?}");
                *lab.people.choices.lock().unwrap() = vec!["happened".to_owned()];
                let ending = lab.resume(&world, &store, "t-1.undo-1").unwrap();
                assert_eq!(ending.exit, 0, "line {appends}: {:?}", ending.why);
            }
        }
        assert_eq!(world.machine().read("/d/times").unwrap().as_slice(), b"x", "line {appends}");
        assert_eq!(world.machine().read("/d/a"), None, "line {appends}");
        if !mortal.is_dead() {
            break;
        }
    }
    assert!(asked > 0, "nobody was asked");
}

#[test]
fn what_finally_has_done_is_not_done_again_by_the_undo_of_a_run_that_was_cut_off() {
    for appends in 1.. {
        let (world, store) = machine(&[("/d/x", "x")]);
        let before = world.snapshot();
        let lab = lab("
  - { id: copied, action: file.copy, with: { from: /d/x, to: /d/y } }
finally:
  - { id: last, action: command.run, with: { argv: [/bin/true], changes: [] } }
");
        let mortal = Mortal::new(&store, appends);
        let _ = lab.run(&world, &mortal, "t-1");
        if !mortal.is_dead() {
            break;
        }
        *lab.people.choices.lock().unwrap() = vec!["happened".to_owned()];
        let undone = lab.undo(&world, &store, "t-1").unwrap_or_else(|wrong| panic!("line {appends}: {wrong:?}"));
        assert_eq!(undone.exit, 0, "line {appends}: {:?}", undone.why);
        assert_eq!(world.snapshot(), before, "line {appends}");
    }
}

#[test]
fn a_secret_from_a_form_is_asked_for_again_when_a_run_that_was_cut_off_goes_on() {
    let runbook = format!(
        "{HEAD}sensitive: ['file:/d/key']\nsteps:
  - {{ id: keys, action: manual.form, with: {{ fields: [{{ name: serial, type: secret, twice: true }}] }} }}
  - {{ id: copied, action: file.copy, with: {{ from: /d/x, to: /d/y }} }}
  - {{ id: write, action: file.write, with: {{ path: /d/key, text: '{{{{ steps.keys.serial }}}}' }} }}
"
    );
    let client = format!("format: 1\nclient: c\nname: C\nzone: UTC\nrecovery: {RECIPIENT}\n");
    let lab = |serial: &str| {
        let mut lab = Lab::new(&runbook, Some(&client));
        lab.people.given.insert("keys".to_owned(), serde_json::json!({ "serial": serial }));
        lab
    };
    let (world, store) = machine(&[("/d/x", "x")]);
    let plan = lab("abc-123").plan(&world, &store, "t-1").unwrap();
    world.machine().remove("/d/x");
    assert_eq!(lab("abc-123").run_plan(&world, &store, &plan).unwrap().exit, 1);
    world.machine().write("/d/x", "x");
    let Err(Refusal::Refused(why)) = lab("abc-124").resume(&world, &store, "t-1") else { panic!("another secret") };
    assert_eq!(why, ["`steps.keys.serial` is not the secret that was given before"]);
    assert!(matches!(lab("nobody").resume(&world, &store, "t-1"), Err(Refusal::Refused(_))));
    let ending = lab("abc-123").resume(&world, &store, "t-1").unwrap();
    assert_eq!(ending.exit, 0, "{:?}", ending.why);
    assert_eq!(world.machine().read("/d/key").unwrap().as_slice(), b"abc-123");
}

#[test]
fn a_service_that_comes_up_only_after_its_starter_was_killed_counts_as_started() {
    let state = |run| ServiceState { run, start: StartType::Automatic, account: None };
    for look in 0..12 {
        let (world, store) = machine(&[("/d/x", "x")]);
        world.machine().services.insert("db".into(), state(RunState::Running));
        let lab = Lab::new(
            "format: 1\nrunbook: r\nversion: 1.0.0\ntitle: T\ntouches: ['service:db', 'file:/d/**']\nsteps:\n  - { id: again, action: service.restart, with: { name: db, mode: restart } }\n  - { id: then, action: file.write, needs: [again], with: { path: /d/a, text: x } }\n",
            None,
        );
        let is_intent = |line: &model::event::Line| matches!(&line.event, Event::Intended { step, .. } if step.as_str() == "again");
        // It dies when the intent of the start is written; the service is on its way up.
        let dying = || {
            if lab.told.lines.lock().unwrap().iter().filter(|line| is_intent(line)).count() == 2 {
                panic!("killed")
            }
        };
        let killed = Flaky::new(&world, i64::MAX).telling(&dying);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| lab.run(&killed, &store, "t-1"))).is_err());
        assert_eq!(world.machine().services["db"].run, RunState::Stopped);
        let looks = AtomicU32::new(0);
        let called = || {
            if looks.fetch_add(1, Ordering::SeqCst) == look {
                world.machine().services.insert("db".into(), state(RunState::Running));
            }
        };
        let late = Flaky::new(&world, i64::MAX).telling(&called);
        let ending = lab.resume(&late, &store, "t-1").unwrap();
        assert_eq!(ending.exit, 0, "look {look}: {:?}", ending.why);
        assert!(world.machine().read("/d/a").is_some());
    }
}

#[test]
fn a_restart_whose_work_was_done_when_the_run_died_is_not_done_again() {
    for (planned, effects) in [(RunState::Stopped, 1), (RunState::Failed, 1), (RunState::Running, 2)] {
        let mut done = 0;
        for lines in 2.. {
            let (world, store) = machine(&[("/d/x", "x")]);
            let service = ServiceState { run: planned, start: StartType::Automatic, account: None };
            world.machine().services.insert("db".into(), service);
            let lab = lab("  - { id: again, action: service.restart, with: { name: db } }\n");
            if lab.run(&world, &Mortal::new(&store, lines), "t-1").is_ok() {
                break;
            }
            let ending = lab.resume(&world, &store, "t-1").unwrap();
            assert_eq!(ending.exit, 0, "{planned:?}, {lines}: {:?}", ending.why);
            let told = lab.told.lines.lock().unwrap();
            let intents = told.iter().filter(|line| matches!(line.event, Event::Intended { .. })).count();
            let not_happened = told.iter().filter(|line| matches!(&line.event, Event::Decided { what, .. } if what == "not_happened")).count();
            assert_eq!(intents - not_happened, effects, "{planned:?}, {lines}");
            done += 1;
        }
        assert!(done > 3);
    }
}

#[test]
fn an_undo_that_was_cut_off_before_what_makes_it_effective_still_does_that() {
    for anew in [false, true] {
        let mut died = 0;
        for lines in 1.. {
            let (world, store) = machine(&[("/d/a", "old"), ("/d/b", "old")]);
            let before = world.snapshot();
            let read = Arc::new(Mutex::new(Vec::new()));
            let reader = Arc::clone(&read);
            let world = world.program("/bin/reload", move |machine, _, _| {
                let found = ["/d/a", "/d/b"].map(|path| machine.read(path).map(|bytes| bytes.to_vec()).unwrap_or_default());
                reader.lock().unwrap().push(found);
                (End::Code(0), Vec::new(), Vec::new())
            });
            let mut lab = lab("
  - { id: first, action: file.write, with: { path: /d/a, text: new } }
  - { id: second, action: file.write, with: { path: /d/b, text: new } }
  - { id: reload, action: command.run, with: { argv: [/bin/reload], changes: [] }, settles: [first, second] }
  - { id: serves, action: assert.file, with: { path: /d/a, exists: true }, gate: true }
");
            assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 0);
            if lab.undo(&world, &Mortal::new(&store, lines), "t-1").is_ok() {
                break;
            }
            lab.people.choices = vec!["happened".to_owned(); 3].into();
            let ending = if anew { lab.undo(&world, &store, "t-1") } else { lab.resume(&world, &store, "t-1.undo-1") }.unwrap();
            assert_eq!(ending.exit, 0, "{lines}: {:?}", ending.why);
            assert_eq!(world.snapshot(), before);
            assert_eq!(read.lock().unwrap().last().unwrap(), &[b"old", b"old"], "{lines}");
            let told = lab.told.lines.lock().unwrap();
            let passed = told.iter().filter(|line| matches!(&line.event, Event::StepFinished { step, .. } if step.as_str() == "serves")).count();
            assert!(passed >= 2 && read.lock().unwrap().len() >= 2, "{lines}: {passed}");
            died += 1;
        }
        assert!(died > 8, "{died}");
    }
}

#[test]
fn what_an_undo_found_to_be_as_before_is_no_conflict_when_it_goes_on() {
    for lines in 1.. {
        let (world, store) = machine(&[("/d/a", "old")]);
        let start = world.snapshot();
        let lab = lab("
  - { id: write, action: file.write, with: { path: /d/a, text: new } }
  - { id: away, action: file.move, with: { from: /d/a, to: /d/b } }
  - { id: back, action: steps.undo, with: { steps: [away] } }
");
        assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 0);
        if lab.undo(&world, &Mortal::new(&store, lines), "t-1").is_ok() {
            assert!(lines > 5);
            return;
        }
        let ending = lab.resume(&world, &store, "t-1.undo-1").unwrap();
        assert_eq!((ending.exit, world.snapshot() == start), (0, true), "{lines}: {:?}", ending.why);
    }
}

#[test]
fn what_an_undo_found_to_be_as_before_is_no_conflict_for_the_next_when_it_failed() {
    for calls in 0.. {
        let (world, store) = machine(&[("/d/a", "old")]);
        let start = world.snapshot();
        let lab = lab("
  - { id: write, action: file.write, with: { path: /d/a, text: new } }
  - { id: again, action: file.write, with: { path: /d/a, text: newer } }
  - { id: away, action: file.move, with: { from: /d/a, to: /d/b } }
  - { id: back, action: steps.undo, with: { steps: [away] } }
");
        assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 0);
        let failed = lab.undo(&Flaky::new(&world, calls), &store, "t-1").unwrap();
        if failed.exit == 0 {
            assert!(calls > 1);
            return;
        }
        let ending = lab.undo(&world, &store, "t-1").unwrap();
        assert_eq!((ending.exit, world.snapshot() == start), (0, true), "{calls}: {:?}", ending.why);
    }
}
