//! What every world promises, asked of the disk and of the world in memory alike.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use model::digest::Digest;
use model::effect::Change;
use model::resource::Resource;
use model::state::{FileState, Meta, State, TreeState};
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use world::act::{Act, Setting, Source};
use world::error::WorldError;
use world::look::EntryKind;
use world::memory::Memory;
use world::memory_store::MemoryStore;
use world::store::Blobs;
use zeroize::Zeroizing;

/// A world with an empty directory.
struct Case {
    world: Box<dyn Act>,
    dir: String,
    store: MemoryStore,
}

impl Case {
    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.dir)
    }

    fn state(&self, name: &str) -> State {
        self.world.state(&Resource::file(&self.path(name))).unwrap()
    }

    fn text(&self, name: &str) -> String {
        let mut text = String::new();
        self.world.open(&self.path(name)).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    fn tree(&self, name: &str) -> State {
        self.world.tree(&Resource::file(&self.path(name)), &[], &mut Vec::new()).unwrap()
    }

    /// Every file and directory with its state, times included.
    fn snapshot(&self) -> BTreeMap<String, State> {
        let mut all = BTreeMap::new();
        let mut dirs = vec![self.dir.clone()];
        while let Some(dir) = dirs.pop() {
            for entry in self.world.list(&dir).unwrap() {
                let path = format!("{dir}/{}", entry.name);
                let mut state = self.world.state(&Resource::file(&path)).unwrap();
                if let State::Dir(meta) = &mut state {
                    // What is in a directory changes its time; that is not part of what is put back.
                    meta.modified = None;
                }
                if entry.kind == EntryKind::Dir {
                    dirs.push(path.clone());
                }
                all.insert(path, state);
            }
        }
        all
    }

    fn setting(&self, change: Change, source: Source) -> Setting {
        let staging = self.world.staging(&change, "run-1");
        Setting::new(change, source, staging)
    }

    fn change(&self, name: &str, before: State, after: State, source: Source) -> Result<State, WorldError> {
        let change = Change { resource: Resource::file(&self.path(name)), before, after };
        self.world.set(&[self.setting(change, source)], &self.store).remove(0)
    }

    /// From what it is.
    fn set(&self, name: &str, after: State, source: Source) -> Result<State, WorldError> {
        self.change(name, self.state(name), after, source)
    }

    fn write(&self, name: &str, text: &str) -> State {
        self.set(name, file(text), bytes(text)).unwrap()
    }

    fn make_dir(&self, name: &str) -> State {
        self.set(name, State::Dir(Meta::default()), Source::Nothing).unwrap()
    }

    /// Keeps what is there: a file by its bytes, a tree by its manifest and the bytes of all its files.
    fn keep(&self, name: &str, state: &State) -> Source {
        match state {
            State::File(_) => Source::Blob(self.store.keep(&mut [&mut *self.world.open(&self.path(name)).unwrap()]).unwrap().remove(0)),
            State::Tree(_) => {
                let kept = world::image::keep_tree(&*self.world, &self.path(name), &self.store).unwrap();
                assert!(kept.same(state));
                let State::Tree(TreeState { manifest: Some(manifest), .. }) = kept else { panic!("{kept}") };
                Source::Blob(manifest)
            }
            _ => Source::Nothing,
        }
    }
}

fn file(text: &str) -> State {
    State::file(Digest::of(text.as_bytes()), text.len() as u64, Meta::default())
}

fn bytes(text: &str) -> Source {
    Source::Bytes(Arc::new(Zeroizing::new(text.as_bytes().to_vec())))
}

fn is_moved(result: &Result<State, WorldError>) -> bool {
    matches!(result, Err(WorldError::Moved { .. }))
}

/// Runs each case on both worlds.
macro_rules! contract {
    ($($(#[doc = $doc:literal])* fn $name:ident($case:ident) $body:block)*) => {
        mod memory {
            $(#[test] fn $name() {
                let memory = super::Memory::new();
                memory.machine().dir("/w");
                super::cases::$name(&super::Case { world: Box::new(memory), dir: "/w".into(), store: super::MemoryStore::new() });
            })*
        }
        #[cfg(unix)]
        mod real {
            $(#[test] fn $name() {
                let dir = tempfile::tempdir().unwrap();
                let path = dir.path().canonicalize().unwrap().to_str().unwrap().to_owned();
                super::cases::$name(&super::Case { world: super::real(dir.path()), dir: path, store: super::MemoryStore::new() });
            })*
        }
        mod cases {
            use super::*;
            $(pub(super) fn $name($case: &Case) $body)*
        }
    };
}

#[cfg(unix)]
fn real(spool: &std::path::Path) -> Box<dyn Act> {
    Box::new(world::real::Real::new(spool, world::real::services::ServiceConfig::None))
}

contract! {
    fn a_new_file_has_the_bytes_and_the_usual_mode(case) {
        let observed = case.write("a", "hello");
        assert_eq!((case.text("a"), case.state("a")), ("hello".into(), observed.clone()));
        let State::File(FileState { meta, .. }) = observed else { panic!() };
        assert_eq!(meta.mode, Some(0o644));
        assert!(meta.owner.is_some() && meta.group.is_some() && meta.modified.is_some());
    }

    fn a_replaced_file_keeps_its_mode_and_nothing_is_left_beside_it(case) {
        let after = State::file(Digest::of(b"one"), 3, Meta { mode: Some(0o640), ..Meta::default() });
        case.set("a", after, bytes("one")).unwrap();
        let State::File(FileState { meta, .. }) = case.write("a", "two") else { panic!() };
        assert_eq!((case.text("a"), meta.mode), ("two".into(), Some(0o640)));
        assert_eq!(case.world.list(&case.dir).unwrap().len(), 1);
    }

    fn what_was_taken_out_of_its_place_is_put_back(case) {
        case.write("a", "ours");
        case.write(".a.run-1-0.retrace", "theirs");
        let aside = case.path(".a.run-1-0.retrace");
        case.world.put_back(&Resource::file(&case.path("a")), &aside).unwrap();
        assert_eq!((case.text("a"), case.text(".a.run-1-0.retrace")), ("theirs".into(), "ours".into()));
        case.set("a", State::Absent, Source::Nothing).unwrap();
        case.world.put_back(&Resource::file(&case.path("a")), &aside).unwrap();
        assert_eq!((case.text("a"), case.snapshot().len()), ("ours".into(), 1));
        assert!(case.world.put_back(&Resource::file(&case.path("a")), &aside).is_err());
    }

    fn what_a_cut_off_change_left_is_removed_half_removed_directories_too(case) {
        case.write("a", "a");
        for left in [".a.run-1-0.retrace", ".d.run-1-1.gone.retrace"] {
            case.make_dir(left);
            case.write(&format!("{left}/x"), "x");
        }
        case.world.tidy(&[case.path(".a.run-1-0.retrace"), case.path(".d.run-1-1.retrace"), case.path(".none.run-1-2.retrace")]).unwrap();
        assert_eq!(case.snapshot().into_keys().collect::<Vec<_>>(), [case.path("a")]);
    }

    fn whatever_a_program_wrote_or_removed_is_flushed(case) {
        case.make_dir("d");
        case.write("d/a", "a");
        let names = ["d", "d/a", "d/gone", "never/there"].map(|name| Resource::file(&case.path(name)));
        case.world.flush(&names).unwrap();
        assert_eq!(case.text("d/a"), "a");
    }

    fn bytes_are_counted_while_they_are_written(case) {
        case.write("a", "hello");
        let change = Change { resource: Resource::file(&case.path("b")), before: State::Absent, after: file("hello") };
        let setting = case.setting(change, Source::File { path: case.path("a") });
        case.world.set(std::slice::from_ref(&setting), &case.store).remove(0).unwrap();
        assert_eq!((setting.account.written(), setting.account.left_out()), (5, Vec::new()));
        let tree = State::Tree(TreeState { manifest: None, content: None, files: 2, bytes: 10, secret: false });
        let change = Change { resource: Resource::file(&case.path("t")), before: State::Absent, after: tree };
        let sources = vec![case.path("a"), case.path("b")];
        let setting = case.setting(change, Source::Trees { sources, exclude: Vec::new(), leave_locked: false });
        case.world.set(std::slice::from_ref(&setting), &case.store).remove(0).unwrap();
        assert_eq!(setting.account.written(), 10);
    }

    fn what_is_not_as_it_was_is_not_touched(case) {
        let one = case.write("a", "one");
        case.write("a", "two");
        assert!(is_moved(&case.change("a", one.clone(), file("three"), bytes("three"))));
        assert!(is_moved(&case.change("a", State::Absent, file("three"), bytes("three"))));
        assert!(is_moved(&case.change("b", one, State::Absent, Source::Nothing)));
        assert_eq!((case.text("a"), case.snapshot().len()), ("two".into(), 1));
    }

    fn bytes_that_are_not_those_announced_change_nothing(case) {
        case.write("a", "one");
        let refused = case.set("a", file("two"), bytes("other"));
        assert!(matches!(refused, Err(WorldError::Refused { .. })));
        assert_eq!((case.text("a"), case.snapshot().len()), ("one".into(), 1));
    }

    fn a_removed_file_comes_back_with_its_mode_and_time(case) {
        let after = State::file(Digest::of(b"one"), 3, Meta { mode: Some(0o400), ..Meta::default() });
        let observed = case.set("a", after, bytes("one")).unwrap();
        let start = case.snapshot();
        let kept = case.keep("a", &observed);
        assert_eq!(case.set("a", State::Absent, Source::Nothing).unwrap(), State::Absent);
        assert_eq!(case.snapshot().len(), 0);
        case.set("a", observed, kept).unwrap();
        assert_eq!(case.snapshot(), start);
    }

    fn a_mode_alone_changes_no_byte_and_no_time(case) {
        let State::File(before) = case.write("a", "one") else { panic!() };
        let after = State::File(FileState { meta: Meta { mode: Some(0o600), ..before.meta.clone() }, ..before.clone() });
        assert_eq!(case.set("a", after.clone(), Source::Nothing).unwrap(), after);
        assert_eq!(case.set("a", State::File(before.clone()), Source::Nothing).unwrap(), State::File(before));
    }

    fn a_file_is_copied_from_another(case) {
        let State::File(from) = case.write("a", "one") else { panic!() };
        let after = State::File(FileState { meta: Meta::default(), ..from });
        case.set("b", after, Source::File { path: case.path("a") }).unwrap();
        assert_eq!(case.text("b"), "one");
    }

    fn directories_are_made_in_order_with_what_goes_into_them(case) {
        let dir = Change { resource: Resource::file(&case.path("d")), before: State::Absent, after: State::Dir(Meta::default()) };
        let inner = Change { resource: Resource::file(&case.path("d/a")), before: State::Absent, after: file("x") };
        let results = case.world.set(&[case.setting(dir, Source::Nothing), case.setting(inner, bytes("x"))], &case.store);
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        let State::Dir(meta) = case.state("d") else { panic!() };
        assert_eq!((case.text("d/a"), meta.mode), ("x".into(), Some(0o755)));
    }

    fn a_directory_is_removed_only_when_it_is_empty(case) {
        case.make_dir("d");
        case.write("d/a", "x");
        assert!(case.set("d", State::Absent, Source::Nothing).is_err());
        case.set("d/a", State::Absent, Source::Nothing).unwrap();
        assert_eq!(case.set("d", State::Absent, Source::Nothing).unwrap(), State::Absent);
        assert_eq!(case.snapshot().len(), 0);
    }

    fn one_failure_in_a_round_does_not_hinder_the_others(case) {
        let change = |name: &str, before: State| Change { resource: Resource::file(&case.path(name)), before, after: file(name) };
        let settings = [
            case.setting(change("a", State::Absent), bytes("a")),
            case.setting(change("b", file("something else")), bytes("b")),
            case.setting(change("no/c", State::Absent), bytes("no/c")),
            case.setting(change("d", State::Absent), bytes("d")),
        ];
        let results = case.world.set(&settings, &case.store);
        assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, false, true]);
        assert_eq!(case.snapshot().len(), 2);
    }

    fn a_tree_is_copied_removed_and_brought_back(case) {
        case.make_dir("d");
        case.make_dir("d/a");
        case.make_dir("d/a/empty");
        case.write("d/a/x", "1");
        case.write("d/a-b", "22");
        case.write("d/skip.log", "no");
        let source = Source::Trees { sources: vec![case.path("d")], exclude: vec!["*.log".into()], leave_locked: false };
        let after = State::Tree(TreeState { manifest: None, content: None, files: 2, bytes: 3, secret: false });
        let observed = case.change("bk", State::Absent, after, source).unwrap();
        let State::Tree(tree) = &observed else { panic!("{observed}") };
        assert_eq!((tree.files, tree.bytes, case.text("bk/d/a/x"), case.state("bk/d/skip.log")), (2, 3, "1".into(), State::Absent));
        assert!(case.tree("bk").same(&observed));

        let whole = case.tree("d");
        let kept = case.keep("d", &whole);
        let start = case.snapshot();
        assert_eq!(case.change("d", whole.clone(), State::Absent, Source::Nothing).unwrap(), State::Absent);
        assert_eq!(case.state("d"), State::Absent);
        assert!(case.change("d", State::Absent, whole.clone(), kept.clone()).unwrap().same(&whole));
        assert_eq!(case.snapshot(), start);

        case.write("d/a/x", "changed");
        case.write("d/new", "new");
        assert!(is_moved(&case.change("d", whole.clone(), State::Absent, Source::Nothing)));
        let changed = case.tree("d");
        case.change("d", changed, whole, kept).unwrap();
        assert_eq!(case.snapshot(), start);
    }

    fn a_manifest_is_sorted_by_path_and_its_digest_is_that_of_its_bytes(case) {
        case.make_dir("d");
        case.make_dir("d/a");
        case.write("d/a/x", "1");
        case.write("d/a-b", "22");
        let mut manifest = Vec::new();
        let State::Tree(tree) = case.world.tree(&Resource::file(&case.path("d")), &[], &mut manifest).unwrap() else { panic!() };
        let paths: Vec<String> = world::manifest::read(&manifest[..]).map(|line| line.unwrap().path).collect();
        assert_eq!(paths, ["", "a", "a-b", "a/x"]);
        assert_eq!(tree.manifest, Some(Digest::of(&manifest)));
    }

    fn what_was_left_beside_a_target_is_removed_and_nothing_else(case) {
        case.write("a", "1");
        let change = Change { resource: Resource::file(&case.path("a")), before: State::Absent, after: State::Absent };
        let staging = case.world.staging(&change, "run-7").unwrap();
        let name = staging.rsplit('/').next().unwrap().to_owned();
        case.write(&name, "half");
        case.world.tidy(&[staging.clone(), case.path("a"), case.path("no/.b.run-7.retrace")]).unwrap();
        case.world.tidy(&[staging]).unwrap();
        assert_eq!(case.snapshot().len(), 1);
    }

    fn lists_and_reads_of_what_is_not_there_say_so(case) {
        case.write("a", "1");
        assert!(case.world.list(&case.path("no")).is_err() && case.world.list(&case.path("a")).is_err());
        assert!(case.world.open(&case.path("no")).is_err() && case.world.open(&case.dir).is_err());
        assert_eq!((case.state("no"), case.state("no/deeper")), (State::Absent, State::Absent));
    }
}
