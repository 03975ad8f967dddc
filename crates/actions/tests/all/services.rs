//! What the actions on services propose.

use crate::stage::{Stage, apply, output, words};
use model::state::{RunState, ServiceState, StartType};
use world::memory::Memory;
use world::memory_store::MemoryStore;

fn world(run: RunState) -> Memory {
    let world = Memory::new();
    world.machine().services.insert("app".to_owned(), ServiceState { run, start: StartType::Automatic, account: None });
    world
}

#[test]
fn service_ensure_sets_what_is_wanted_and_nothing_else() {
    let world = world(RunState::Running);
    let stage = Stage::new(&world);
    let with = "{ name: app, state: stopped, start_type: disabled, wait: process_exit }";
    let proposal = stage.propose("service.ensure", with).expect("a proposal");
    assert_eq!(words(&proposal), ["service:app: running -> stopped, disabled"]);
    assert_eq!(output(&proposal, "state").as_str(), Some("stopped"));
    apply(&world, &MemoryStore::new(), proposal);
    assert!(stage.propose("service.ensure", with).expect("a proposal").effects.is_empty());
    let proposal = stage.propose("service.ensure", "{ match: 'a*', start_type: manual }").expect("a proposal");
    assert_eq!(words(&proposal), ["service:app: stopped, disabled -> stopped, started by hand"]);
}

#[test]
fn a_service_that_has_failed_is_stopped_enough() {
    let world = world(RunState::Failed);
    let stage = Stage::new(&world);
    assert!(stage.propose("service.ensure", "{ name: app, state: stopped }").expect("a proposal").effects.is_empty());
    assert_eq!(words(&stage.propose("service.ensure", "{ name: app, state: running }").expect("a proposal")), ["service:app: failed -> running"]);
}

#[test]
fn service_restart_is_two_sets_and_goes_on_where_it_was_cut_off() {
    let world = world(RunState::Running);
    let stage = Stage::new(&world);
    let mut proposal = stage.propose("service.restart", "{ name: app }").expect("a proposal");
    assert_eq!(words(&proposal), ["service:app: running -> stopped", "service:app: stopped -> running"]);
    proposal.effects.truncate(1);
    apply(&world, &MemoryStore::new(), proposal);
    assert_eq!(words(&stage.propose("service.restart", "{ name: app }").expect("a proposal")), ["service:app: stopped -> running"]);
}

#[test]
fn a_reload_is_refused_where_it_cannot_be_done() {
    let running = world(RunState::Running);
    assert_eq!(Stage::new(&running).refusal("service.restart", "{ name: app, mode: reload }"), "reloading `app` is not available here");
    let stopped = world(RunState::Stopped);
    let wrong = Stage::new(&stopped).refusal("service.restart", "{ name: app, mode: reload }");
    assert_eq!(wrong, "`app` is stopped: only a service that runs can be reloaded");
}

#[test]
fn a_service_that_does_not_exist_is_refused() {
    let world = world(RunState::Running);
    let stage = Stage::new(&world);
    assert_eq!(stage.refusal("service.ensure", "{ name: none, state: running }"), "there is no service `none`");
    assert_eq!(stage.refusal("service.ensure", "{ name: app, match: app, state: running }"), "one of `name` and `match` is wanted");
    assert_eq!(stage.refusal("service.ensure", "{ name: app }"), "one of `state` and `start_type` is wanted");
}
