use super::*;
use crate::memory::Memory;
use model::digest::Digest;
use std::sync::Arc;
use zeroize::Zeroizing;

fn text(look: &dyn Look, path: &str) -> String {
    let mut text = String::new();
    look.open(path).unwrap().read_to_string(&mut text).unwrap();
    text
}

fn state(look: &dyn Look, path: &str) -> State {
    look.state(&Resource::file(path)).unwrap()
}

fn tree(look: &dyn Look, path: &str) -> State {
    look.tree(&Resource::file(path), &[], &mut io::sink()).unwrap()
}

fn change(path: &str, before: State, after: State) -> Change {
    Change { resource: Resource::file(path), before, after }
}

fn bytes(text: &str) -> (State, Source) {
    let state = State::file(Digest::of(text.as_bytes()), text.len() as u64, Meta::default());
    (state, Source::Bytes(Arc::new(Zeroizing::new(text.as_bytes().to_vec()))))
}

fn names(look: &dyn Look, path: &str) -> Vec<String> {
    look.list(path).unwrap().into_iter().map(|entry| entry.name).collect()
}

fn base() -> Memory {
    let memory = Memory::new();
    memory.machine().write("/d/a", "A");
    memory.machine().write("/d/sub/b", "B");
    memory
}

#[test]
fn what_a_step_sets_is_seen_and_the_world_below_is_not_changed() {
    let memory = base();
    let start = memory.snapshot();
    let world = Imagined::new(&memory);
    let (after, source) = bytes("new");
    world.imagine(&change("/d/c", State::Absent, after), &source);
    assert_eq!((text(&world, "/d/c"), names(&world, "/d")), ("new".to_owned(), vec!["a".to_owned(), "c".to_owned(), "sub".to_owned()]));
    assert_eq!(memory.snapshot(), start);
}

#[test]
fn a_copy_keeps_the_bytes_that_its_source_had_then() {
    let memory = base();
    let world = Imagined::new(&memory);
    let from = state(&world, "/d/a");
    world.imagine(&change("/d/copy", State::Absent, from.clone()), &Source::File { path: "/d/a".into() });
    let (after, source) = bytes("later");
    world.imagine(&change("/d/a", from, after), &source);
    assert_eq!((text(&world, "/d/copy"), text(&world, "/d/a")), ("A".to_owned(), "later".to_owned()));
}

#[test]
fn a_removed_directory_hides_what_was_in_it_even_when_made_again() {
    let memory = base();
    let world = Imagined::new(&memory);
    let before = tree(&world, "/d");
    let removal = change("/d", before, State::Absent);
    world.imagine(&removal, &Source::Nothing);
    assert_eq!(state(&world, "/d/sub/b"), State::Absent);
    let made = change("/d", State::Absent, State::Dir(Meta::default()));
    world.imagine(&made, &Source::Nothing);
    assert_eq!((names(&world, "/d"), state(&world, "/d/a")), (vec![], State::Absent));
    world.take_back(&made).unwrap();
    world.take_back(&removal).unwrap();
    assert_eq!(text(&world, "/d/sub/b"), "B");
}

#[test]
fn a_copied_tree_can_be_walked_and_read() {
    let memory = base();
    let world = Imagined::new(&memory);
    let after = State::Tree(model::state::TreeState { manifest: None, content: None, files: 2, bytes: 2, secret: false });
    let copy = change("/bk", State::Absent, after);
    let source = Source::Trees { sources: vec!["/d".into()], exclude: vec!["a".into()], leave_locked: false };
    world.imagine(&copy, &source);
    assert_eq!((names(&world, "/bk"), names(&world, "/bk/d"), text(&world, "/bk/d/sub/b")), (vec!["d".into()], vec!["sub".into()], "B".into()));
    assert!(matches!(tree(&world, "/bk"), State::Tree(tree) if tree.files == 1));
    world.take_back(&copy).unwrap();
    assert_eq!(state(&world, "/bk"), State::Absent);
}

#[test]
fn what_a_program_may_have_changed_is_unknown_with_all_below() {
    let memory = base();
    let world = Imagined::new(&memory);
    let (after, source) = bytes("x");
    let set = change("/d/a", state(&world, "/d/a"), after);
    world.imagine(&set, &source);
    let until = StepId::new("convert");
    world.forget(&Resource::file("/d"), &until);
    assert_eq!(state(&world, "/d/sub/b"), State::Unknown { until: until.clone() });
    assert_eq!(tree(&world, "/d"), State::Unknown { until: until.clone() });
    assert!(matches!(world.open("/d/a"), Err(WorldError::Unknown { .. })));
    let images = change("/d", tree(&memory, "/d"), State::Unknown { until });
    world.take_back(&images).unwrap();
    assert_eq!(text(&world, "/d/a"), "x");
    world.take_back(&set).unwrap();
    assert_eq!(text(&world, "/d/a"), "A");
}

#[test]
fn a_change_that_is_not_the_latest_is_not_taken_back() {
    let memory = base();
    let world = Imagined::new(&memory);
    let (one, source) = bytes("one");
    let first = change("/d/a", state(&world, "/d/a"), one.clone());
    world.imagine(&first, &source);
    let (two, source) = bytes("two");
    world.imagine(&change("/d/a", one, two.clone()), &source);
    assert_eq!(world.take_back(&first), Err(Box::new(two)));
}

#[test]
fn a_fork_sees_the_layer_and_changes_nothing_of_it() {
    let memory = base();
    let world = Imagined::new(&memory);
    let (after, source) = bytes("one");
    world.imagine(&change("/d/a", state(&world, "/d/a"), after), &source);
    let other = world.fork();
    other.imagine(&change("/d", tree(&other, "/d"), State::Absent), &Source::Nothing);
    assert_eq!((state(&other, "/d/a"), text(&world, "/d/a")), (State::Absent, "one".to_owned()));
}

#[test]
fn a_mode_alone_keeps_the_bytes() {
    let memory = base();
    let world = Imagined::new(&memory);
    let before = state(&world, "/d/a");
    let State::File(file) = before.clone() else { panic!("{before}") };
    let after = State::File(model::state::FileState { meta: Meta { mode: Some(0o600), ..file.meta }, ..file });
    world.imagine(&change("/d/a", before, after.clone()), &Source::Nothing);
    assert_eq!((text(&world, "/d/a"), state(&world, "/d/a")), ("A".to_owned(), after));
}
