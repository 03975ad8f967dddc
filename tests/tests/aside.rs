//! What a swap took out of its place in the last moment, and a process that died before it could put it back.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use engine::command::Refusal;
use model::event::Event;
use model::id::RunId;
use tests::lab::{Lab, machine};
use tests::mortal::Mortal;
use world::memory::Memory;
use world::memory_store::MemoryStore;
use world::store::Store;

const RUNBOOK: &str = "format: 1\nrunbook: t\nversion: 1.0.0\ntitle: T\ntouches: ['file:/d/**']\nsteps:
  - { id: write, action: file.write, with: { path: /d/a, text: ours } }
";

/// A run that was cut off right after its only swap; gives the staging name.
fn cut_off(theirs: Option<&str>) -> (Lab, Memory, MemoryStore, String) {
    let lab = Lab::new(RUNBOOK, None);
    let (world, store) = machine(&[("/d/a", "old")]);
    // The lines: begun, step started, intended; the next one is lost.
    let mortal = Mortal::new(&store, 3);
    assert!(matches!(lab.run(&world, &mortal, "t-1"), Err(Refusal::Broken(_))));
    assert_eq!(text(&world, "/d/a"), "ours");
    let staging = staging(&store);
    if let Some(theirs) = theirs {
        world.machine().write(&staging, theirs);
    }
    (lab, world, store, staging)
}

fn staging(store: &MemoryStore) -> String {
    let mut reader = model::journal::Reader::new(store.journal(&RunId::parse("t-1").unwrap()).unwrap());
    while let Some(line) = reader.line().unwrap() {
        if let Event::Intended { staging, .. } = line.event {
            return staging[0].clone();
        }
    }
    panic!("nothing was intended");
}

fn text(world: &Memory, path: &str) -> String {
    world.machine().read(path).map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()).unwrap_or_default()
}

#[test]
fn what_was_to_be_replaced_is_removed_without_a_question() {
    let (lab, world, store, staging) = cut_off(Some("old"));
    // As the swap leaves it: what was there, mode and owner too.
    let ending = lab.resume(&world, &store, "t-1").unwrap();
    assert_eq!((ending.exit, text(&world, "/d/a").as_str()), (0, "ours"), "{:?}", ending.why);
    assert!(world.machine().read(&staging).is_none());
    assert!(lab.people.offered.lock().unwrap().is_empty());
}

#[test]
fn what_somebody_else_wrote_in_the_last_moment_is_not_removed_unasked() {
    let (lab, world, store, staging) = cut_off(Some("theirs"));
    for verb in ["resume", "undo"] {
        let refused = if verb == "resume" { lab.resume(&world, &store, "t-1") } else { lab.undo(&world, &store, "t-1") };
        let Err(Refusal::Missing(what)) = refused else { panic!("{verb} went on") };
        assert!(what[0].contains(&staging), "{what:?}");
        assert_eq!((text(&world, "/d/a").as_str(), text(&world, &staging).as_str()), ("ours", "theirs"));
    }
    let offered = lab.people.offered.lock().unwrap();
    assert_eq!(offered[0].about, "file:/d/a");
    assert!(offered[0].text.iter().any(|line| line.starts_with("theirs")), "{:?}", offered[0].text);
}

#[test]
fn a_person_puts_back_what_somebody_else_wrote_and_the_run_does_not_overwrite_it() {
    let (mut lab, world, store, staging) = cut_off(Some("theirs"));
    lab.people.choices = vec!["put_back".to_owned()].into();
    let ending = lab.resume(&world, &store, "t-1").unwrap();
    assert!(ending.exit > 0 && ending.why[0].contains("the world has moved"), "{ending:?}");
    assert_eq!(text(&world, "/d/a"), "theirs");
    assert!(world.machine().read(&staging).is_none());
}

#[test]
fn a_person_may_have_it_removed() {
    let (mut lab, world, store, staging) = cut_off(Some("theirs"));
    lab.people.choices = vec!["remove".to_owned()].into();
    let ending = lab.resume(&world, &store, "t-1").unwrap();
    assert_eq!((ending.exit, text(&world, "/d/a").as_str()), (0, "ours"), "{:?}", ending.why);
    assert!(world.machine().read(&staging).is_none());
}
