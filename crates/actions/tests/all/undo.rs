//! What `steps.undo` sets back.

use crate::stage::{Stage, apply, words};
use model::effect::Change;
use model::state::{RunState, ServiceState, StartType};
use world::memory::Memory;
use world::memory_store::MemoryStore;

fn world() -> Memory {
    let world = Memory::new();
    let mut machine = world.machine();
    machine.write("/srv/conf", "old");
    machine.write("/srv/tree/a", "1");
    machine.write("/srv/tree/deep/b", "2");
    machine.services.insert("app".to_owned(), ServiceState { run: RunState::Running, start: StartType::Automatic, account: None });
    drop(machine);
    world
}

/// Does it and remembers it as the changes of a step.
fn step(world: &Memory, store: &MemoryStore, name: &'static str, kind: &str, with: &str) -> (&'static str, Vec<Change>) {
    let proposal = Stage::new(world).propose(kind, with).expect("a proposal");
    (name, apply(world, store, proposal))
}

#[test]
fn what_steps_changed_is_set_back_the_latest_first() {
    let (world, store) = (world(), MemoryStore::new());
    let before = world.snapshot();
    let changes = vec![
        step(&world, &store, "write", "file.write", "{ path: /srv/conf, text: new, mode: '0600' }"),
        step(&world, &store, "make", "file.write", "{ path: /srv/x/y/z, text: new, create_dirs: true }"),
        step(&world, &store, "remove", "file.remove", "{ path: /srv/tree }"),
        step(&world, &store, "stop", "service.ensure", "{ name: app, state: stopped, start_type: disabled }"),
    ];
    let mut stage = Stage::new(&world);
    stage.changes = changes;
    let with = "{ steps: [write, make, remove, stop] }";
    let proposal = stage.propose("steps.undo", with).expect("a proposal");
    let first: Vec<String> = words(&proposal).iter().map(|word| word.split(": ").next().unwrap_or_default().to_owned()).collect();
    assert_eq!(first, ["service:app", "file:/srv/tree", "file:/srv/x/y/z", "file:/srv/x/y", "file:/srv/x", "file:/srv/conf"]);
    apply(&world, &store, proposal);
    assert_eq!(world.snapshot(), before);
    assert!(stage.propose("steps.undo", with).expect("a proposal").effects.is_empty(), "what is back needs nothing");
}

#[test]
fn a_resource_that_was_set_twice_is_set_back_once() {
    let (world, store) = (world(), MemoryStore::new());
    let changes = vec![
        step(&world, &store, "one", "file.write", "{ path: /srv/conf, text: new }"),
        step(&world, &store, "two", "file.write", "{ path: /srv/conf, text: newer }"),
        step(&world, &store, "restart", "service.restart", "{ name: app }"),
    ];
    let mut stage = Stage::new(&world);
    stage.changes = changes;
    let proposal = stage.propose("steps.undo", "{ steps: [one, two, restart] }").expect("a proposal");
    assert_eq!(words(&proposal).len(), 1, "{:?}", words(&proposal));
    apply(&world, &store, proposal);
    assert_eq!(world.machine().read("/srv/conf").as_deref().map(Vec::as_slice), Some(&b"old"[..]));
}

#[test]
fn what_somebody_else_changed_since_is_not_overwritten() {
    let (world, store) = (world(), MemoryStore::new());
    let changes = vec![step(&world, &store, "write", "file.write", "{ path: /srv/conf, text: new }")];
    world.machine().write("/srv/conf", "edited");
    let mut stage = Stage::new(&world);
    stage.changes = changes;
    let wrong = stage.refusal("steps.undo", "{ steps: [write] }");
    assert!(wrong.starts_with("file:/srv/conf was changed by something else: it was 3 B, "), "{wrong}");
    assert!(wrong.contains("this run left 3 B, ") && wrong.contains("and it is 6 B, "), "{wrong}");
}
