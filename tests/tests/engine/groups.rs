//! Groups: once for each entry, and each by itself.

use super::lab;
use tests::lab::machine;

#[test]
fn a_group_runs_once_for_each_entry_and_its_outputs_are_seen_by_key() {
    let (world, store) = machine(&[("/d/a", "old")]);
    let lab = lab("
  - id: farm
    foreach: { host: \"{{ ['x', 'y'] }}\" }
    key: '{{ host }}'
    steps:
      - { id: copy, action: file.copy, with: { from: /d/a, to: '/d/{{ host }}' } }
    outputs: { sum: '{{ steps.copy.sha256 }}' }
  - { id: report, action: file.write, with: { path: /d/report, text: \"{{ steps.farm['y'].sum }}\" } }
");
    let ending = lab.run(&world, &store, "t-1").unwrap();
    assert_eq!(ending.exit, 0, "{:?}", ending.why);
    assert_eq!(world.machine().read("/d/report").unwrap().len(), 64);
    assert!(world.machine().read("/d/x").is_some());
}

#[test]
fn an_action_with_foreach_is_skipped_with_the_group_around_it() {
    let (world, store) = machine(&[("/d/a", "old")]);
    let before = world.snapshot();
    let lab = lab("
  - id: around
    when: 'false'
    steps:
      - id: each
        foreach: { host: \"{{ ['x', 'y'] }}\" }
        key: '{{ host }}'
        action: file.write
        with: { path: '/d/{{ host }}', text: hello }
");
    let plan = lab.plan(&world, &store, "t-1").unwrap();
    assert!(plan.steps.iter().all(|step| step.effects.is_empty()), "{:?}", plan.steps);
    assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 0);
    assert_eq!(world.snapshot(), before);
}

#[test]
fn an_instance_that_fails_is_put_back_and_the_others_go_on() {
    let (world, store) = machine(&[("/d/a", "old"), ("/d/y/no", "1")]);
    let before = world.snapshot();
    let lab = lab("
  - id: farm
    foreach: { host: \"{{ ['x', 'y', 'z'] }}\" }
    key: '{{ host }}'
    on_failure: undo_group
    steps:
      - { id: copy, action: file.write, with: { path: '/d/{{ host }}.txt', text: hello } }
      - { id: ok, action: command.run, when: \"host == 'y'\", with: { argv: [/bin/false], changes: [] } }
");
    let ending = lab.run(&world, &store, "t-1").unwrap();
    assert_eq!(ending.exit, 8, "{:?}", ending.why);
    assert!(world.machine().read("/d/x.txt").is_some() && world.machine().read("/d/z.txt").is_some());
    assert!(world.machine().read("/d/y.txt").is_none());
    assert_eq!(lab.undo(&world, &store, "t-1").unwrap().exit, 0);
    assert_eq!(world.snapshot(), before);
}
