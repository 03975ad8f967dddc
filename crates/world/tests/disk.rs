//! What only a disk has: links, other names, devices, access lists, names that are not Unicode, other people.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use model::digest::Digest;
use model::effect::Change;
use model::resource::Resource;
use model::state::{FileState, Meta, State, TreeState};
use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use world::act::{Act, Setting, Source};
use world::error::WorldError;
use world::look::{EntryKind, Look};
use world::memory_store::MemoryStore;
use world::real::Real;
use world::real::services::ServiceConfig;
use zeroize::Zeroizing;

struct Case {
    dir: TempDir,
    world: Real,
    store: MemoryStore,
}

impl Case {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let world = Real::new(dir.path(), ServiceConfig::None);
        Self { dir, world, store: MemoryStore::new() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn path(&self, name: &str) -> String {
        self.at(name).to_str().unwrap().to_owned()
    }

    fn state(&self, name: &str) -> Result<State, WorldError> {
        self.world.state(&Resource::file(&self.path(name)))
    }

    fn write(&self, name: &str, before: State) -> Result<State, WorldError> {
        self.write_in(&self.world, &self.path(name), before)
    }

    fn write_in(&self, world: &Real, path: &str, before: State) -> Result<State, WorldError> {
        let change = Change { resource: Resource::file(path), before, after: State::file(Digest::of(b"new"), 3, Meta::default()) };
        self.set_in(world, change, Source::Bytes(Arc::new(Zeroizing::new(b"new".to_vec()))))
    }

    fn set_in(&self, world: &Real, change: Change, source: Source) -> Result<State, WorldError> {
        let staging = world.staging(&change, "run-1");
        world.set(&[Setting::new(change, source, staging)], &self.store).remove(0)
    }
}

fn is_refused<T>(result: &Result<T, WorldError>) -> bool {
    matches!(result, Err(WorldError::Refused { .. }))
}

#[test]
fn a_link_is_named_and_never_followed_or_set() {
    let case = Case::new();
    fs::write(case.at("file"), "old").unwrap();
    for (name, to) in [("to_file", "file"), ("dangling", "nowhere"), ("loop", "loop")] {
        symlink(to, case.at(name)).unwrap();
        let state = case.state(name).unwrap();
        assert_eq!(state, State::Foreign { what: format!("link to {to}") });
        assert!(is_refused(&case.write(name, state)) && is_refused(&case.world.open(&case.path(name))));
    }
    assert_eq!(
        (fs::read(case.at("file")).unwrap(), case.world.list(case.dir.path().to_str().unwrap()).unwrap()[0].kind),
        (b"old".to_vec(), EntryKind::Foreign)
    );
}

#[test]
fn a_link_on_the_way_is_refused_below_a_root_and_followed_once_above_it() {
    let case = Case::new();
    fs::create_dir_all(case.at("real/root/d")).unwrap();
    symlink("real", case.at("alias")).unwrap();
    symlink("d", case.at("real/root/link")).unwrap();
    assert!(is_refused(&case.state("alias/root/a")) && is_refused(&case.write("alias/root/a", State::Absent)));
    let world = Real::new(case.dir.path(), ServiceConfig::None).with_roots(&[case.path("alias/root")]);
    assert!(case.write_in(&world, &case.path("alias/root/d/a"), State::Absent).is_ok());
    assert_eq!(fs::read(case.at("real/root/d/a")).unwrap(), b"new");
    assert!(is_refused(&case.write_in(&world, &case.path("alias/root/link/b"), State::Absent)));
    assert!(!case.at("real/root/d/b").exists());
}

#[test]
fn a_directory_swapped_for_a_link_again_and_again_never_leads_outside() {
    let case = Case::new();
    for dir in ["root/d", "outside"] {
        fs::create_dir_all(case.at(dir)).unwrap();
    }
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let _ = fs::rename(case.at("root/d"), case.at("root/aside"));
                let _ = symlink(case.at("outside"), case.at("root/d"));
                let _ = fs::remove_file(case.at("root/d"));
                let _ = fs::rename(case.at("root/aside"), case.at("root/d"));
            }
        });
        for _ in 0..300 {
            let before = case.state("root/d/a").unwrap_or(State::Absent);
            let _ = case.write("root/d/a", before);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(fs::read_dir(case.at("outside")).unwrap().count(), 0);
}

#[test]
fn a_file_with_a_second_name_is_not_written() {
    let case = Case::new();
    fs::write(case.at("a"), "old").unwrap();
    fs::hard_link(case.at("a"), case.at("b")).unwrap();
    assert!(is_refused(&case.write("a", case.state("a").unwrap())));
    assert_eq!((fs::read(case.at("b")).unwrap(), fs::read_dir(case.dir.path()).unwrap().count()), (b"old".to_vec(), 2));
}

#[test]
fn a_fifo_a_socket_and_a_device_never_block_and_are_never_set() {
    let case = Case::new();
    rustix::fs::mkfifoat(rustix::fs::CWD, case.at("fifo"), rustix::fs::Mode::RWXU).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(case.at("socket")).unwrap();
    for name in ["fifo", "socket"] {
        let state = case.state(name).unwrap();
        assert_eq!(state, State::Foreign { what: name.to_owned() });
        assert!(is_refused(&case.write(name, state)) && is_refused(&case.world.open(&case.path(name))));
    }
    assert_eq!(case.world.state(&Resource::file("/dev/null")).unwrap(), State::Foreign { what: "device".to_owned() });
}

#[test]
fn paths_that_are_none_are_refused() {
    let case = Case::new();
    for path in ["a", "", &case.path("../x"), "/proc/self/../x", &format!("{}/", case.path("a"))] {
        let resource = Resource::file(path);
        assert!(is_refused(&case.world.state(&resource)), "{path:?}");
    }
}

#[test]
fn what_lies_under_the_staging_name_already_is_not_touched() {
    let case = Case::new();
    for (name, make) in [
        ("file", (|path| fs::write(path, "mine").unwrap()) as fn(PathBuf)),
        ("dir", |path| fs::create_dir(path).unwrap()),
        ("link", |path| symlink("/etc/passwd", path).unwrap()),
    ] {
        make(case.at(&format!(".{name}.run-1.retrace")));
        assert!(is_refused(&case.write(name, State::Absent)));
        assert!(case.at(&format!(".{name}.run-1.retrace")).symlink_metadata().is_ok() && !case.at(name).exists());
    }
}

#[test]
fn attributes_and_access_lists_come_back_and_inherited_ones_do_not_stay() {
    let case = Case::new();
    fs::write(case.at("a"), "old").unwrap();
    let attribute = |name: &str, value: &[u8]| rustix::fs::setxattr(case.at("a"), name, value, rustix::fs::XattrFlags::empty());
    if attribute("user.note", b"kept").is_err() {
        return;
    }
    // u::rw- u:12345:r-- g::r-- m::r-- o::---
    let entry = |tag: u16, bits: u16, id: u32| [&tag.to_le_bytes()[..], &bits.to_le_bytes(), &id.to_le_bytes()].concat();
    let none = u32::MAX;
    let list =
        [&2u32.to_le_bytes()[..], &entry(1, 6, none), &entry(2, 4, 12345), &entry(4, 4, none), &entry(16, 4, none), &entry(32, 0, none)].concat();
    let has_lists = attribute("system.posix_acl_access", &list).is_ok();
    let before = case.state("a").unwrap();
    let State::File(FileState { meta, .. }) = &before else { panic!() };
    assert_eq!(meta.extra.len(), if has_lists { 2 } else { 1 });
    let kept = world::store::Blobs::keep(&case.store, &mut [&mut &b"old"[..]]).unwrap().remove(0);

    let removal = Change { resource: Resource::file(&case.path("a")), before: before.clone(), after: State::Absent };
    case.set_in(&case.world, removal, Source::Nothing).unwrap();
    if has_lists {
        // What is made here from now on gets an access list of the directory.
        let inherited =
            [&2u32.to_le_bytes()[..], &entry(1, 7, none), &entry(2, 7, 54321), &entry(4, 5, none), &entry(16, 7, none), &entry(32, 0, none)];
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::setxattr(case.dir.path(), "system.posix_acl_default", &inherited.concat(), flags).unwrap();
    }
    let back = Change { resource: Resource::file(&case.path("a")), before: State::Absent, after: before.clone() };
    assert_eq!(case.set_in(&case.world, back, Source::Blob(kept)).unwrap(), before);

    fs::write(case.at("plain"), "x").unwrap();
    if has_lists {
        rustix::fs::removexattr(case.at("plain"), "system.posix_acl_access").unwrap();
    }
    let State::File(plain) = case.state("plain").unwrap() else { panic!() };
    let after = State::File(FileState { content: model::state::Content::Plain { sha256: Digest::of(b"new"), length: 3 }, ..plain.clone() });
    let replace = Change { resource: Resource::file(&case.path("plain")), before: State::File(plain), after: after.clone() };
    assert_eq!(case.set_in(&case.world, replace, Source::Bytes(Arc::new(Zeroizing::new(b"new".to_vec())))).unwrap(), after);
}

#[test]
fn a_tree_with_links_and_names_that_are_not_unicode_comes_back() {
    use std::os::unix::ffi::OsStrExt;
    let case = Case::new();
    fs::create_dir_all(case.at("t/locked")).unwrap();
    symlink("../outside", case.at("t/link")).unwrap();
    let long_ago = rustix::fs::Timespec { tv_sec: 1_000_000_000, tv_nsec: 7 };
    let times = rustix::fs::Timestamps { last_access: long_ago, last_modification: long_ago };
    rustix::fs::utimensat(rustix::fs::CWD, case.at("t/link"), &times, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).unwrap();
    let odd = case.at("t").join(std::ffi::OsStr::from_bytes(b"na\xffme\n*"));
    fs::write(&odd, "odd").unwrap();
    fs::write(case.at("t/locked/x"), "x").unwrap();
    fs::set_permissions(case.at("t/locked"), std::os::unix::fs::PermissionsExt::from_mode(0o555)).unwrap();
    let resource = Resource::file(&case.path("t"));
    let before = world::image::keep_tree(&case.world, &case.path("t"), &case.store).unwrap();
    let State::Tree(TreeState { manifest: Some(manifest), files: 2, .. }) = before.clone() else { panic!("{before}") };
    let removal = Change { resource: resource.clone(), before: before.clone(), after: State::Absent };
    case.set_in(&case.world, removal, Source::Nothing).unwrap();
    assert_eq!(fs::read_dir(case.dir.path()).unwrap().count(), 0);
    let back = Change { resource, before: State::Absent, after: before.clone() };
    assert_eq!(case.set_in(&case.world, back, Source::Blob(manifest)).unwrap(), before);
    assert_eq!((fs::read(odd).unwrap(), fs::read_link(case.at("t/link")).unwrap()), (b"odd".to_vec(), PathBuf::from("../outside")));
    let link = fs::symlink_metadata(case.at("t/link")).unwrap();
    assert_eq!((link.mtime(), link.mtime_nsec()), (1_000_000_000, 7));
    assert_eq!(fs::metadata(case.at("t/locked")).unwrap().mode() & 0o777, 0o555);
}

#[test]
fn a_tree_with_a_fifo_is_removed_but_not_copied() {
    let case = Case::new();
    fs::create_dir(case.at("t")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, case.at("t/fifo"), rustix::fs::Mode::RWXU).unwrap();
    let source = Source::Trees { sources: vec![case.path("t")], exclude: vec![], leave_locked: false };
    let after = State::Tree(TreeState { manifest: None, content: None, files: 0, bytes: 0, secret: false });
    let copy = Change { resource: Resource::file(&case.path("bk")), before: State::Absent, after };
    assert!(is_refused(&case.set_in(&case.world, copy, source)));
    let before = case.world.tree(&Resource::file(&case.path("t")), &[], &mut Vec::new()).unwrap();
    let removal = Change { resource: Resource::file(&case.path("t")), before, after: State::Absent };
    case.set_in(&case.world, removal, Source::Nothing).unwrap();
    assert_eq!(fs::read_dir(case.dir.path()).unwrap().count(), 0);
}

#[test]
fn times_before_1970_and_fractions_come_back() {
    let case = Case::new();
    fs::write(case.at("a"), "new").unwrap();
    let State::File(file) = case.state("a").unwrap() else { panic!() };
    for time in ["1969-12-31T23:59:58.25Z", "2026-03-07T20:00:00.123456789Z"] {
        let after = State::File(FileState { meta: Meta { modified: Some(time.parse().unwrap()), ..file.meta.clone() }, ..file.clone() });
        let before = case.state("a").unwrap();
        let change = Change { resource: Resource::file(&case.path("a")), before, after: after.clone() };
        assert_eq!(case.set_in(&case.world, change, Source::Nothing).unwrap(), after);
    }
    let mut text = String::new();
    case.world.open(&case.path("a")).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "new");
}

#[test]
fn a_full_round_of_many_files_leaves_only_these() {
    let case = Case::new();
    for before_exists in [false, true] {
        let settings: Vec<Setting> = (0..200)
            .map(|i| {
                let name = format!("f{i}");
                let text = format!("{i} {before_exists}").into_bytes();
                let after = State::file(Digest::of(&text), text.len() as u64, Meta::default());
                let change = Change { resource: Resource::file(&case.path(&name)), before: case.state(&name).unwrap(), after };
                let staging = case.world.staging(&change, "run-1");
                Setting::new(change, Source::Bytes(Arc::new(Zeroizing::new(text))), staging)
            })
            .collect();
        assert!(case.world.set(&settings, &case.store).iter().all(Result::is_ok));
        assert_eq!(fs::read_dir(case.dir.path()).unwrap().count(), 200);
    }
}
