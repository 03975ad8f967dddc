//! Directories in which something is secret, by a process that dies at every line of its journal.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use model::digest::Digest;
use std::io::Read;
use tests::lab::{Lab, machine};
use tests::mortal::Mortal;
use world::memory::Memory;
use world::memory_store::MemoryStore;
use world::store::{Blobs as _, Store as _};

const RUNBOOK: &str = "format: 1\nrunbook: t\nversion: 1.0.0\ntitle: T\ntouches: ['file:/d/**', 'file:/bk/**']\nsensitive: ['file:/d/**/key']\nsteps:
  - { id: copy, action: dir.backup, undo: auto, with: { sources: [/d/one], to: /bk/copy } }
  - { id: gone, action: file.remove, with: { path: /d/one } }
  - { id: back, action: steps.undo, with: { steps: [gone] } }
  - { id: other, action: file.remove, with: { path: /d/two } }
";

const FILES: [(&str, &str); 5] =
    [("/d/one/key", "CANARY-1"), ("/d/one/plain", "a"), ("/d/two/in/key", "CANARY-2"), ("/d/two/plain", "b"), ("/bk/x", "x")];

fn lab() -> Lab {
    let client = "format: 1\nclient: c\nname: C\nzone: UTC\nrecovery: age1dzl2qlq0hktfmzqv0cedq6kkdzps95qp4pszmvlhzjnfxw77yufshua4kt\n";
    let mut lab = Lab::new(RUNBOOK, Some(client));
    lab.identities = vec!["AGE-SECRET-KEY-1H8876FYMZZVX7AGGUFJTPW3T0PF5Y7SQJYNKTXQPCE4VXGU96SZSCCCMGD".into()];
    lab
}

fn read(world: &Memory) -> Vec<Option<String>> {
    let text = |path: &str| world.machine().read(path).map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
    FILES.iter().map(|(path, _)| *path).chain(["/bk/copy/one/key", "/bk/copy/one/plain"]).map(text).collect()
}

/// What is kept tells no secret, nor a digest by which one could be guessed.
fn tells_nothing(store: &MemoryStore) {
    let mut kept = Vec::new();
    for run in store.runs().unwrap() {
        store.journal(&run).unwrap().read_to_end(&mut kept).unwrap();
        kept.extend(store.file(&run, "plan.json").unwrap().unwrap_or_default());
    }
    for (blob, _) in store.blobs().unwrap() {
        store.open(&blob).unwrap().read_to_end(&mut kept).unwrap();
        kept.extend(blob.as_str().as_bytes());
    }
    let told = |secret: &str| kept.windows(secret.len()).any(|at| at == secret.as_bytes());
    for (_, secret) in FILES.iter().filter(|(_, text)| text.starts_with("CANARY")) {
        assert!(!told(secret) && !told(Digest::of(secret.as_bytes()).as_str()), "{secret} is told");
    }
}

#[test]
fn a_run_with_secret_trees_that_dies_at_any_line_is_finished_or_taken_back_and_tells_nothing() {
    let (world, store) = machine(&FILES);
    let before = read(&world);
    let ending = lab().run(&world, &store, "t-1").unwrap();
    assert_eq!(ending.exit, 0, "{:?}", ending.why);
    let finished = read(&world);
    assert_eq!((finished[2].as_deref(), finished[5].as_deref()), (None, Some("CANARY-1")));
    for verb in ["resume", "undo"] {
        for lines in 1.. {
            let ((world, store), lab) = (machine(&FILES), lab());
            if lab.run(&world, &Mortal::new(&store, lines), "t-1").is_ok() {
                assert!(lines > 12);
                break;
            }
            tells_nothing(&store);
            let ending = if verb == "resume" { lab.resume(&world, &store, "t-1") } else { lab.undo(&world, &store, "t-1") }.unwrap();
            assert_eq!(ending.exit, 0, "{verb} after {lines}: {:?}", ending.why);
            assert_eq!(read(&world), if verb == "resume" { finished.clone() } else { before.clone() }, "{verb} after {lines}");
            tells_nothing(&store);
            if verb == "resume" {
                assert_eq!(lab.undo(&world, &store, "t-1").unwrap().exit, 0, "{lines}");
                assert_eq!(read(&world), before, "{lines}");
                tells_nothing(&store);
            }
        }
    }
}

#[test]
fn an_undo_of_secret_trees_that_dies_at_any_line_is_finished() {
    for lines in 1.. {
        let ((world, store), lab) = (machine(&FILES), lab());
        let before = read(&world);
        assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 0);
        if lab.undo(&world, &Mortal::new(&store, lines), "t-1").is_ok() {
            assert!(lines > 5);
            break;
        }
        assert_eq!(lab.resume(&world, &store, "t-1.undo-1").unwrap().exit, 0, "{lines}");
        assert_eq!(read(&world), before, "{lines}");
        tells_nothing(&store);
    }
}
