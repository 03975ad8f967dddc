//! What a run changed in a directory that it then removed: an undo sees both beforehand.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use model::plan::Decision;
use tests::lab::{Lab, machine};
use world::memory::Memory;

const RUNBOOK: &str = "format: 1\nrunbook: t\nversion: 1.0.0\ntitle: T\ntouches: ['file:/d/**', 'file:/bk/**']\nsensitive: ['file:**/key']\nsteps:
  - { id: plain, action: file.write, with: { path: /d/one/plain, text: new } }
  - { id: key, action: file.write, with: { path: /d/one/key, text: new } }
  - { id: new, action: file.write, with: { path: /d/one/more/new, text: new, create_dirs: true } }
  - { id: copy, action: dir.backup, undo: auto, with: { sources: [/d/one/deep], to: /d/one/copy } }
  - { id: gone, action: file.remove, with: { path: /d/one } }
";

const FILES: [(&str, &str); 4] = [("/d/one/key", "old"), ("/d/one/plain", "old"), ("/d/one/deep/plain", "deep"), ("/bk/x", "")];

fn read(world: &Memory) -> Vec<Option<Vec<u8>>> {
    let paths = FILES.iter().map(|(path, _)| *path).chain(["/d/one/more/new", "/d/one/copy/deep/plain"]);
    paths.map(|path| world.machine().read(path).map(|bytes| bytes.to_vec())).collect()
}

#[test]
fn what_a_run_changed_in_a_directory_that_it_then_removed_is_taken_back() {
    let (world, store) = machine(&FILES);
    let before = read(&world);
    let client = "format: 1\nclient: c\nname: C\nzone: UTC\nrecovery: age1dzl2qlq0hktfmzqv0cedq6kkdzps95qp4pszmvlhzjnfxw77yufshua4kt\n";
    let mut lab = Lab::new(RUNBOOK, Some(client));
    lab.identities = vec!["AGE-SECRET-KEY-1H8876FYMZZVX7AGGUFJTPW3T0PF5Y7SQJYNKTXQPCE4VXGU96SZSCCCMGD".into()];
    assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 0);
    assert!(world.machine().read("/d/one/deep/plain").is_none());
    let plan = lab.undo_plan(&world, &store, "t-1").unwrap();
    assert!(plan.refused.is_empty(), "{:?}", plan.refused);
    assert!(plan.steps.iter().all(|step| step.decision == Decision::Change), "{:?}", plan.steps);
    let ending = lab.undo(&world, &store, "t-1").unwrap();
    assert_eq!(ending.exit, 0, "{:?}", ending.why);
    assert_eq!(read(&world), before);
}

#[test]
fn what_somebody_put_where_the_directory_was_is_a_conflict() {
    let (world, store) = machine(&FILES);
    let client = "format: 1\nclient: c\nname: C\nzone: UTC\nrecovery: age1dzl2qlq0hktfmzqv0cedq6kkdzps95qp4pszmvlhzjnfxw77yufshua4kt\n";
    let mut lab = Lab::new(RUNBOOK, Some(client));
    lab.identities = vec!["AGE-SECRET-KEY-1H8876FYMZZVX7AGGUFJTPW3T0PF5Y7SQJYNKTXQPCE4VXGU96SZSCCCMGD".into()];
    assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 0);
    world.machine().write("/d/one/plain", "theirs");
    let ending = lab.undo(&world, &store, "t-1").unwrap();
    assert_eq!(ending.exit, 4, "{:?}", ending.why);
    assert!(ending.why[0].contains("conflict: file:/d/one"), "{:?}", ending.why);
}
