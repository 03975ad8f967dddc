#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use super::*;
use tempfile::TempDir;

fn store(dir: &TempDir) -> DiskStore {
    let base = dir.path().canonicalize().unwrap();
    DiskStore::new(&base.join("state"), &base.join("locks")).unwrap()
}

fn run(id: &str) -> RunId {
    RunId::parse(id).unwrap()
}

fn journal(store: &DiskStore, id: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    store.journal(&run(id)).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

fn keep(store: &DiskStore, bytes: &[u8]) -> Digest {
    store.keep(&mut [&mut &bytes[..]]).unwrap().remove(0)
}

fn read(store: &DiskStore, blob: &Digest) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    Blobs::open(store, blob).unwrap().read_to_end(&mut bytes).map(|_| bytes)
}

#[test]
fn reading_a_store_that_does_not_exist_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    assert_eq!((store.runs().unwrap(), store.blobs().unwrap(), store.key(Make::Never).unwrap()), (vec![], vec![], None));
    assert_eq!(store.file(&run("r-1"), "plan.json").unwrap(), None);
    assert!(store.journal(&run("r-1")).is_err());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_run_has_a_journal_and_files() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    store.put(&run("r-1"), "files/a.txt", b"A").unwrap();
    let mut lines = store.create(&run("r-1")).unwrap();
    lines.append(b"{}\n").unwrap();
    lines.flush().unwrap();
    assert!(matches!(store.create(&run("r-1")), Err(WorldError::Refused { .. })));
    assert_eq!((journal(&store, "r-1"), store.file(&run("r-1"), "files/a.txt").unwrap()), (b"{}\n".to_vec(), Some(b"A".to_vec())));
    assert_eq!(store.runs().unwrap(), [run("r-1")]);
    assert!(store.put(&run("r-1"), "../x", b"").is_err());
}

#[test]
fn a_reopened_journal_is_a_new_file_without_its_torn_end() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    store.create(&run("r-1")).unwrap().append(b"one\ntor").unwrap();
    let path = store.run(&run("r-1")).join("journal.ndjson");
    let old = File::open(&path).unwrap();
    store.reopen(&run("r-1"), 4).unwrap().append(b"two\n").unwrap();
    assert_eq!(journal(&store, "r-1"), b"one\ntwo\n");
    assert_eq!(io::read_to_string(old).unwrap(), "one\ntor");
    assert!(store.reopen(&run("r-1"), 100).is_err());
}

#[test]
fn blobs_are_kept_once_and_checked_when_they_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    let digests = store.keep(&mut [&mut &b"a"[..], &mut &b"b"[..], &mut &b"a"[..]]).unwrap();
    assert_eq!(digests, [Digest::of(b"a"), Digest::of(b"b"), Digest::of(b"a")]);
    assert_eq!((read(&store, &digests[0]).unwrap(), store.blobs().unwrap().len()), (b"a".to_vec(), 2));
    std::fs::write(store.blob(&digests[1]), "B").unwrap();
    assert_eq!(read(&store, &digests[1]).unwrap_err().kind(), io::ErrorKind::InvalidData);
    assert_eq!(std::fs::read_dir(store.dir().join("blobs")).unwrap().count(), 2);
    store.remove_blob(&digests[0]).unwrap();
    store.remove_blob(&digests[0]).unwrap();
}

#[test]
fn a_blob_of_another_process_is_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    let blob = keep(&store(&dir), b"a");
    let later = store(&dir);
    std::fs::write(later.blob(&blob), "only in the cache, and lost").unwrap();
    keep(&later, b"a");
    assert_eq!(read(&later, &blob).unwrap(), b"a");
}

#[test]
fn locks_exclude_and_are_free_when_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (store(&dir), store(&dir));
    let client = LockName::Client("harbor".into());
    let held = one.lock(&client, "run r-1").unwrap();
    let refused = two.lock(&client, "run r-2").err().unwrap().to_string();
    assert!(refused.contains("held by run r-1"), "{refused}");
    drop(held);
    let held = two.lock(&client, "run r-2").unwrap();
    assert!(held.holds());
    std::fs::remove_dir_all(one.dir().join("locks")).unwrap();
    assert!(!held.holds());
}

#[test]
fn a_root_excludes_what_lies_above_and_below_it_in_any_state_directory() {
    let dir = tempfile::tempdir().unwrap();
    let base = dir.path().canonicalize().unwrap();
    let store = |name: &str| DiskStore::new(&base.join(name), &base.join("locks")).unwrap();
    let (one, two) = (store("one"), store("two"));
    let above = |path: &str| LockName::Above(path.to_owned());
    let root = |path: &str| LockName::Root(path.to_owned());
    let _held = [one.lock(&root("/a/b"), "1").unwrap(), one.lock(&above("/a"), "1").unwrap(), one.lock(&above("/"), "1").unwrap()];
    assert!(two.lock(&root("/a"), "2").is_err());
    assert!(two.lock(&above("/a/b"), "2").is_err());
    assert!(two.lock(&above("/a"), "2").is_ok() && two.lock(&root("/a/c"), "2").is_ok());
}

#[test]
fn the_key_is_made_once_and_the_reserve_can_be_freed() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    let key = store.key(Make::IfMissing).unwrap();
    assert!(key.is_some());
    assert_eq!(store.key(Make::IfMissing).unwrap(), key);
    store.hold_reserve().unwrap();
    assert_eq!(std::fs::metadata(store.dir().join("reserve")).unwrap().len(), RESERVE);
    store.release_reserve().unwrap();
    store.release_reserve().unwrap();
    assert!(!store.dir().join("reserve").exists());
}

#[cfg(unix)]
#[test]
fn everything_is_private_and_what_is_not_is_refused() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = tempfile::tempdir().unwrap();
    let base = dir.path().canonicalize().unwrap();
    let made = store(&dir);
    made.put(&run("r-1"), "plan.json", b"{}").unwrap();
    drop(made.create(&run("r-1")).unwrap());
    keep(&made, b"x");
    let mut dirs = vec![made.dir().to_owned()];
    while let Some(at) = dirs.pop() {
        assert_eq!(std::fs::metadata(&at).unwrap().permissions().mode() & 0o777, 0o700, "{}", at.display());
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
            }
        }
    }
    let is_refused = |path: &str| matches!(DiskStore::new(&base.join(path), &base.join("locks")), Err(WorldError::Refused { .. }));
    symlink(base.join("state"), base.join("link")).unwrap();
    assert!(is_refused("link") && is_refused("link/deeper"));
    std::fs::write(base.join("file"), "").unwrap();
    assert!(is_refused("file"));
    std::fs::set_permissions(base.join("state"), PermissionsExt::from_mode(0o750)).unwrap();
    assert!(is_refused("state"));
}

#[cfg(unix)]
#[test]
fn a_journal_that_is_no_file_is_not_read() {
    use std::os::unix::fs::symlink;
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    store.put(&run("r-1"), "plan.json", b"{}").unwrap();
    let path = store.run(&run("r-1")).join("journal.ndjson");
    symlink("/etc/passwd", &path).unwrap();
    assert!(store.journal(&run("r-1")).is_err());
    std::fs::remove_file(&path).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
    assert!(store.journal(&run("r-1")).is_err());
}
