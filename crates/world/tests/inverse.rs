//! Whatever is set, the inverses in reverse order give back the start: bytes, modes, owners, times, absence.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use model::digest::Digest;
use model::effect::Change;
use model::resource::Resource;
use model::state::{FileState, Meta, State, TreeState};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use world::act::{Act, Setting, Source};
use world::imagined::Imagined;
use world::look::{EntryKind, Look};
use world::memory::Memory;
use world::memory_store::MemoryStore;
use world::store::Blobs;
use zeroize::Zeroizing;

/// Something that a step might do at a path.
#[derive(Clone, Debug)]
enum Deed {
    Write(&'static str, u8, u32),
    Mode(&'static str, u32),
    Dir(&'static str),
    Remove(&'static str),
    Copy(&'static str, &'static str),
    Backup(&'static str, &'static str),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let path = || prop::sample::select(vec!["a", "a-b", "d", "d/a", "d/e", "d/e/x"]);
    let mode = || prop::sample::select(vec![0o600, 0o640, 0o755, 0o400]);
    let deed = prop_oneof![
        4 => (path(), any::<u8>(), mode()).prop_map(|(p, b, m)| Deed::Write(p, b, m)),
        1 => (path(), mode()).prop_map(|(p, m)| Deed::Mode(p, m)),
        4 => path().prop_map(Deed::Dir),
        2 => path().prop_map(Deed::Remove),
        1 => (path(), path()).prop_map(|(a, b)| Deed::Copy(a, b)),
        1 => (path(), path()).prop_map(|(a, b)| Deed::Backup(a, b)),
    ];
    prop::collection::vec(deed, 1..24)
}

/// The change that a deed would be, given what is there, and where its bytes come from.
fn change(look: &dyn Look, base: &str, deed: &Deed) -> Option<(Change, Source)> {
    let at = |name: &str| format!("{base}/{name}");
    let state = |name: &str| look.state(&Resource::file(&at(name))).unwrap();
    let whole = |name: &str| look.tree(&Resource::file(&at(name)), &[], &mut Vec::new()).unwrap();
    let (name, before, after, source) = match *deed {
        Deed::Write(name, byte, mode) => {
            let bytes = vec![byte; usize::from(byte)];
            let after = State::file(Digest::of(&bytes), bytes.len() as u64, Meta { mode: Some(mode), ..Meta::default() });
            (name, whole(name), after, Source::Bytes(Arc::new(Zeroizing::new(bytes))))
        }
        Deed::Mode(name, mode) => {
            let State::File(before) = state(name) else { return None };
            let after = FileState { meta: Meta { mode: Some(mode), ..before.meta.clone() }, ..before.clone() };
            (name, State::File(before), State::File(after), Source::Nothing)
        }
        Deed::Dir(name) => (name, whole(name), State::Dir(Meta::default()), Source::Nothing),
        Deed::Remove(name) => (name, whole(name), State::Absent, Source::Nothing),
        Deed::Copy(from, name) => {
            let State::File(source) = state(from) else { return None };
            let after = FileState { meta: Meta { mode: source.meta.mode, ..Meta::default() }, ..source };
            (name, whole(name), State::File(after), Source::File { path: at(from) })
        }
        Deed::Backup(from, name) => {
            let State::Tree(TreeState { files, bytes, .. }) = whole(from) else { return None };
            let after = State::Tree(TreeState { manifest: None, content: None, files, bytes, secret: false });
            (name, whole(name), after, Source::Trees { sources: vec![at(from)], exclude: vec![], leave_locked: false })
        }
    };
    let into_itself = matches!(deed, Deed::Backup(from, to) if to.starts_with(from));
    // A directory that is there stays as it is.
    if before == State::Absent && after == State::Absent || matches!((&before, &after), (State::Tree(_), State::Dir(_))) || into_itself {
        return None;
    }
    Some((Change { resource: Resource::file(&at(name)), before, after }, source))
}

fn set(world: &dyn Act, store: &MemoryStore, change: &Change, source: Source, seq: usize) -> Option<State> {
    let staging = world.staging(change, &format!("run-{seq}"));
    world.set(&[Setting::new(change.clone(), source, staging)], store).remove(0).ok()
}

/// Every file and directory with its state; directories without their times, which change with what is in them.
fn snapshot(look: &dyn Look, base: &str) -> BTreeMap<String, State> {
    let (mut all, mut dirs) = (BTreeMap::new(), vec![base.to_owned()]);
    while let Some(dir) = dirs.pop() {
        for entry in look.list(&dir).unwrap() {
            let path = format!("{dir}/{}", entry.name);
            let mut state = look.state(&Resource::file(&path)).unwrap();
            if let State::Dir(meta) = &mut state {
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

/// Does all deeds, then their inverses.
fn there_and_back(world: &dyn Act, base: &str, deeds: &[Deed]) -> (BTreeMap<String, State>, BTreeMap<String, State>) {
    let store = MemoryStore::new();
    for (seq, deed) in [Deed::Write("a", 9, 0o640), Deed::Dir("d"), Deed::Write("d/a", 3, 0o600)].iter().enumerate() {
        let (change, source) = change(world, base, deed).unwrap();
        set(world, &store, &change, source, seq).unwrap();
    }
    let start = snapshot(world, base);
    let mut done = Vec::new();
    for (seq, deed) in deeds.iter().enumerate() {
        let Some((change, source)) = change(world, base, deed) else { continue };
        let path = change.resource.name.to_string();
        let image = match &change.before {
            State::File(_) => Source::Blob(store.keep(&mut [&mut *world.open(&path).unwrap()]).unwrap().remove(0)),
            State::Tree(_) => match world::image::keep_tree(world, &path, &store).unwrap() {
                State::Tree(TreeState { manifest: Some(manifest), .. }) => Source::Blob(manifest),
                other => panic!("{other}"),
            },
            _ => Source::Nothing,
        };
        let Some(observed) = set(world, &store, &change, source, seq) else { continue };
        assert!(observed.fits(&change.after), "{observed:?} is not {:?}", change.after);
        done.push((Change { resource: change.resource, before: observed, after: change.before }, image));
    }
    for (seq, (inverse, image)) in done.into_iter().enumerate().rev() {
        let observed = set(world, &store, &inverse, image, seq).unwrap();
        assert!(observed.same(&inverse.after));
    }
    (start, snapshot(world, base))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_memory_the_inverses_give_back_the_start(deeds in deeds()) {
        let world = Memory::new();
        world.machine().dir("/w");
        let (start, end) = there_and_back(&world, "/w", &deeds);
        prop_assert_eq!(end, start);
    }

    #[test]
    fn an_imagined_world_is_like_the_real_one_and_is_taken_back_whole(deeds in deeds()) {
        let base = Memory::new();
        base.machine().write("/w/a", "start");
        base.machine().write("/w/d/a", "inner");
        let real = Memory::new();
        *real.machine() = base.machine().clone();
        let (imagined, store) = (Imagined::new(&base), MemoryStore::new());
        let start = snapshot(&imagined, "/w");
        let mut done = Vec::new();
        for (seq, deed) in deeds.iter().enumerate() {
            let Some((wanted, source)) = change(&real, "/w", deed) else { continue };
            if set(&real, &store, &wanted, source.clone(), seq).is_none() {
                continue;
            }
            let (proposed, _) = change(&imagined, "/w", deed).unwrap();
            imagined.imagine(&proposed, &source);
            done.push(proposed);
            let names = |look: &dyn Look| snapshot(look, "/w").into_iter().map(|(path, state)| {
                let content = if let State::File(file) = &state { Some(file.content.clone()) } else { None };
                (path, content)
            }).collect::<Vec<_>>();
            prop_assert_eq!(names(&imagined), names(&real));
        }
        for change in done.iter().rev() {
            prop_assert!(imagined.take_back(change).is_ok(), "{}", change);
        }
        prop_assert_eq!(snapshot(&imagined, "/w"), start);
    }
}

#[cfg(unix)]
proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_disk_the_inverses_give_back_the_start(deeds in deeds()) {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap().to_str().unwrap().to_owned();
        let world = world::real::Real::new(dir.path(), world::real::services::ServiceConfig::None);
        let (start, end) = there_and_back(&world, &base, &deeds);
        prop_assert_eq!(end, start);
    }
}
