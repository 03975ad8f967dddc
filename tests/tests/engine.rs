//! What was previewed is what runs, and what ran can be taken back: on the world in memory.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use engine::command::Refusal;
use model::event::{Event, RunOutcome};
use model::id::RunId;
use model::plan::Decision;
use model::program::End;
use model::state::{RunState, ServiceState, StartType};
use std::io::Read;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tests::flaky::Flaky;
use tests::lab::{Lab, machine};
use tests::mortal::Mortal;
use world::store::Store;

const HEAD: &str = "format: 1\nrunbook: t\nversion: 1.0.0\ntitle: T\ntouches: ['file:/d/**', 'service:*']\n";

fn lab(steps: &str) -> Lab {
    Lab::new(&format!("{HEAD}steps:\n{steps}"), None)
}

const THREE: &str = "
  - { id: write, action: file.write, with: { path: /d/a, text: new } }
  - { id: copy, action: file.copy, with: { from: /d/a, to: /d/b } }
  - { id: gone, action: file.remove, with: { path: /d/c } }
";

#[test]
fn a_plan_changes_nothing_and_says_what_will_be_done() {
    let (world, store) = machine(&[("/d/a", "old"), ("/d/c", "c")]);
    let before = world.snapshot();
    let plan = lab(THREE).plan(&world, &store, "t-1").unwrap();
    assert_eq!(world.snapshot(), before);
    let decisions: Vec<_> = plan.steps.iter().map(|step| (step.id.as_str(), step.decision)).collect();
    assert_eq!(decisions, [("write", Decision::Change), ("copy", Decision::Change), ("gone", Decision::Change)]);
    assert_eq!((plan.rehearsal.effects, plan.rehearsal.taken_back), (3, 3));
    assert_eq!(plan.refused, Vec::<String>::new());
}

#[test]
fn a_run_does_what_was_planned_and_its_undo_restores_everything() {
    let (world, store) = machine(&[("/d/a", "old"), ("/d/c", "c")]);
    let before = world.snapshot();
    let lab = lab(THREE);
    let ending = lab.run(&world, &store, "t-1").unwrap();
    assert_eq!((ending.outcome, ending.exit), (RunOutcome::Done, 0), "{:?}", ending.why);
    assert_eq!(world.machine().read("/d/b").unwrap().as_slice(), b"new");
    assert!(world.machine().read("/d/c").is_none());
    let undone = lab.undo(&world, &store, "t-1").unwrap();
    assert_eq!(undone.exit, 0, "{:?}", undone.why);
    assert_eq!(world.snapshot(), before);
}

#[test]
fn an_undo_can_be_undone_and_then_undone_again() {
    let (world, store) = machine(&[("/d/a", "old"), ("/d/c", "c")]);
    let before = world.snapshot();
    let lab = lab(THREE);
    lab.run(&world, &store, "t-1").unwrap();
    let after = world.snapshot();
    assert_eq!(lab.undo(&world, &store, "t-1").unwrap().exit, 0);
    assert_eq!(lab.undo(&world, &store, "t-1.undo-1").unwrap().exit, 0);
    assert_eq!(world.snapshot(), after);
    assert_eq!(lab.undo(&world, &store, "t-1").unwrap().exit, 0);
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_failure_with_undo_takes_everything_back_and_says_so() {
    let (world, store) = machine(&[("/d/a", "old"), ("/d/c", "c")]);
    let before = world.snapshot();
    let steps = format!("{THREE}  - {{ id: fails, action: command.run, with: {{ argv: [/bin/false], changes: [] }}, on_failure: undo }}\n");
    let ending = lab(&steps).run(&world, &store, "t-1").unwrap();
    assert_eq!((ending.outcome, ending.exit), (RunOutcome::Undone, 5), "{:?}", ending.why);
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_failed_run_stands_as_it_is_and_goes_on_when_the_cause_is_gone() {
    let (world, store) = machine(&[("/d/a", "old")]);
    let lab = lab("
  - { id: write, action: file.write, with: { path: /d/b, text: new } }
  - { id: there, action: command.run, with: { argv: [/bin/true], changes: [] } }
  - { id: marked, action: file.copy, with: { from: /d/x, to: /d/y } }
");
    // The source appears only in the plan: it is taken away before the run.
    world.machine().write("/d/x", "x");
    let plan = lab.plan(&world, &store, "t-1").unwrap();
    world.machine().remove("/d/x");
    let ending = lab.run_plan(&world, &store, &plan).unwrap();
    assert_eq!(ending.exit, 1, "{:?}", ending.why);
    assert_eq!(world.machine().read("/d/b").unwrap().as_slice(), b"new");
    world.machine().write("/d/x", "x");
    let ending = lab.resume(&world, &store, "t-1").unwrap();
    assert_eq!(ending.exit, 0, "{:?}", ending.why);
    assert_eq!(world.machine().read("/d/y").unwrap().as_slice(), b"x");
}

#[test]
fn a_world_that_has_moved_is_not_touched() {
    let (world, store) = machine(&[("/d/a", "old"), ("/d/c", "c")]);
    let lab = lab(THREE);
    let plan = lab.plan(&world, &store, "t-1").unwrap();
    world.machine().write("/d/a", "somebody else was here");
    let before = world.snapshot();
    let ending = lab.run_plan(&world, &store, &plan).unwrap();
    assert_eq!(ending.exit, 4, "{:?}", ending.why);
    assert!(ending.why[0].contains("the world has moved"), "{:?}", ending.why);
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_plan_is_run_once() {
    let (world, store) = machine(&[("/d/a", "old"), ("/d/c", "c")]);
    let lab = lab(THREE);
    let plan = lab.plan(&world, &store, "t-1").unwrap();
    assert_eq!(lab.run_plan(&world, &store, &plan).unwrap().exit, 0);
    assert!(matches!(lab.run_plan(&world, &store, &plan), Err(Refusal::Refused(_))));
}

#[test]
fn an_undo_refuses_to_overwrite_what_somebody_has_changed_since() {
    let (world, store) = machine(&[("/d/a", "old"), ("/d/c", "c")]);
    let lab = lab(THREE);
    lab.run(&world, &store, "t-1").unwrap();
    world.machine().write("/d/b", "edited");
    let before = world.snapshot();
    let ending = lab.undo(&world, &store, "t-1").unwrap();
    assert_eq!(ending.exit, 4, "{:?}", ending.why);
    assert!(ending.why[0].contains("conflict"), "{:?}", ending.why);
    assert_eq!(world.snapshot(), before);
}

#[test]
fn two_steps_on_one_file_without_an_order_are_a_race() {
    let (world, store) = machine(&[("/d/a", "old")]);
    let plan = lab("
  - { id: one, needs: [], action: file.write, with: { path: /d/a, text: '1' } }
  - { id: two, needs: [], action: file.write, with: { path: /d/a, text: '2' } }
")
    .plan(&world, &store, "t-1")
    .unwrap();
    assert!(plan.refused[0].contains("`one` and `two` both use file:/d/a"), "{:?}", plan.refused);
}

#[test]
fn what_lies_outside_of_the_blast_radius_is_refused() {
    let (world, store) = machine(&[("/etc/passwd", "old")]);
    let plan = lab("  - { id: far, action: file.write, with: { path: /etc/passwd, text: '1' } }\n").plan(&world, &store, "t-1").unwrap();
    assert!(plan.refused[0].contains("does not say that it touches"), "{:?}", plan.refused);
}

#[test]
fn a_template_file_says_what_is_in_a_file_and_what_is_wrong_in_it_is_told_at_its_place() {
    let right = "{% for name, port in ports %}\n{{ name }}={{ port }}{% if not loop.last %},{% endif %}\n\n{% endfor %}\n";
    let (world, store) = machine(&[("/d/right.j2", right), ("/d/wrong.j2", "a\nb {{ ports.ftp }}\n")]);
    let lab = |template| {
        let with = format!("{{ path: /d/conf, template: {template}, vars: {{ ports: {{ http: 80, https: 443 }} }} }}");
        lab(&format!("  - {{ id: write, action: file.write, with: {with} }}\n"))
    };
    assert_eq!(lab("/d/right.j2").run(&world, &store, "t-1").unwrap().exit, 0);
    assert_eq!(world.machine().read("/d/conf").unwrap().as_slice(), b"http=80,\nhttps=443\n");
    let plan = lab("/d/wrong.j2").plan(&world, &store, "t-2").unwrap();
    assert_eq!(plan.refused, ["`write`: template `/d/wrong.j2:2:6`: `ports.ftp` is not there"]);
}

#[test]
fn a_template_is_found_beside_the_file_that_names_it_and_a_run_keeps_it() {
    let steps = "
  - { id: early, action: file.copy, with: { from: /d/x, to: /d/y } }
  - { id: own, action: file.write, with: { path: /d/own, template: conf/app.conf, vars: { port: 80 } } }
  - { id: part, action: runbook, with: { path: parts/part.yaml } }
  - { id: machine, action: file.write, with: { path: /d/machine, template: /t/machine.conf } }
";
    let part = "format: 1\nrunbook: part\nversion: 1.0.0\ntitle: P\nsteps:\n  - { id: theirs, action: file.write, with: { path: /d/theirs, template: conf/app.conf } }\n";
    let files = [("conf/app.conf", "port={{ port }}\n"), ("parts/part.yaml", part), ("parts/conf/app.conf", "theirs\n")];
    let lab = files.into_iter().fold(lab(steps), |lab, (path, text)| lab.with_file(path, text));
    let (world, store) = machine(&[("/d/x", "x"), ("/t/machine.conf", "as planned\n")]);
    let plan = lab.plan(&world, &store, "t-1").unwrap();
    assert_eq!(plan.refused, Vec::<String>::new());
    let embedded: Vec<_> = plan.files.iter().filter(|(name, _)| name.ends_with(".conf")).collect();
    let expected =
        [("files//t/machine.conf", "as planned\n"), ("files/conf/app.conf", "port={{ port }}\n"), ("files/parts/conf/app.conf", "theirs\n")];
    assert_eq!(embedded, expected.map(|(name, text)| (name.to_owned(), text.to_owned())).iter().map(|(name, text)| (name, text)).collect::<Vec<_>>());
    // The run stops before any of them is needed, and goes on from what is kept with it.
    world.machine().remove("/d/x");
    assert_eq!(lab.run_plan(&world, &store, &plan).unwrap().exit, 1);
    world.machine().write("/d/x", "x");
    world.machine().write("/t/machine.conf", "edited since\n");
    let ending = lab.resume(&world, &store, "t-1").unwrap();
    assert_eq!(ending.exit, 0, "{:?}", ending.why);
    for (path, text) in [("/d/own", "port=80\n"), ("/d/theirs", "theirs\n"), ("/d/machine", "as planned\n")] {
        assert_eq!(world.machine().read(path).unwrap().as_slice(), text.as_bytes(), "{path}");
    }
}

#[test]
fn what_is_read_of_a_configuration_is_named_by_its_key() {
    let (world, store) = machine(&[("/d/a.ini", "[Web]\nPort=8080\n"), ("/d/a.json", "{\"db\": {\"hosts\": [\"x\", \"y\"]}}")]);
    let lab = lab("
  - { id: ini, action: config.read, with: { path: /d/a.ini, format: ini, keys: [Web.Port] } }
  - { id: json, action: config.read, with: { path: /d/a.json, format: json, keys: [db.hosts.1] } }
  - id: write
    when: steps.ini.values['Web.Port'] == '8080'
    action: file.write
    with: { path: /d/b, text: \"{{ steps.ini.values['Web.Port'] }} {{ steps.json.values['db.hosts.1'] }}\" }
");
    assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 0);
    assert_eq!(world.machine().read("/d/b").unwrap().as_slice(), b"8080 y");
}

#[test]
fn an_output_of_a_program_is_of_the_type_that_it_declares() {
    let says = "lag=12\nload=0.5\nup=true\nlong=90s\nday=2026-03-07\nwords=one two\n";
    let (world, store) = machine(&[("/d/a", "")]);
    let world = world.program("/bin/says", move |_, _, _| (End::Code(0), says.as_bytes().to_vec(), Vec::new()));
    let declared = |kind: &str, of: &str| format!("{{ type: {kind}, from: '{{{{ result.{of} }}}}' }}");
    let run = |name: &str, outputs: &str, text: &str| {
        let lab = lab(&format!(
            "
  - {{ id: says, action: command.run, with: {{ argv: [/bin/says], parse: pairs, changes: [] }}, outputs: {{ {outputs} }} }}
  - {{ id: write, action: file.write, with: {{ path: /d/{name}, text: \"{text}\" }} }}
"
        ));
        lab.run(&world, &store, name).unwrap()
    };
    let all = ["integer lag", "number load", "boolean up", "duration long", "date day", "string words"];
    let outputs: Vec<String> = all.iter().filter_map(|one| one.split_once(' ')).map(|(kind, of)| format!("{of}: {}", declared(kind, of))).collect();
    let used = "{{ steps.says.lag + 1 }} {{ steps.says.load + 1 }} {{ not steps.says.up }} {{ steps.says.long }} {{ steps.says.day }} {{ steps.says.words }}";
    let ending = run("t-1", &outputs.join(", "), used);
    assert_eq!(ending.exit, 0, "{:?}", ending.why);
    assert_eq!(String::from_utf8_lossy(&world.machine().read("/d/t-1").unwrap()), "13 1.5 false 1m30s 2026-03-07 one two");
    for (name, kind, of, why) in [
        ("t-2", "integer", "words", "expected a whole number, found `one two`"),
        ("t-3", "boolean", "lag", "expected `true` or `false`, found `12`"),
        ("t-4", "list", "words", "expected a list, found `one two`"),
        ("t-5", "duration", "lag", "a length of time needs a unit"),
    ] {
        let ending = run(name, &format!("z: {}", declared(kind, of)), "{{ steps.says.z }}");
        assert_eq!(ending.exit, 1, "{name}: {:?}", ending.why);
        let expected = format!("output `z` of type {kind}: ");
        assert!(ending.why.iter().any(|line| line.contains(&expected) && line.contains(why)), "{name}: {:?}", ending.why);
        assert!(world.machine().read(&format!("/d/{name}")).is_none());
    }
}

#[test]
fn when_and_how_often_a_step_was_tried_is_known_once_it_ran() {
    let (world, store) = machine(&[("/d/x", "")]);
    let text = "{{ steps.first.step.attempts }} {{ steps.first.step.outcome }} {{ steps.first.step.started <= steps.first.step.finished }}";
    let lab = Lab::new(
        &format!(
            "{HEAD}steps:\n  - {{ id: first, action: file.write, with: {{ path: /d/a, text: x }} }}\n  - {{ id: says, action: file.write, with: {{ path: /d/b, text: '{text}' }} }}\n"
        ),
        None,
    );
    let ending = lab.run(&world, &store, "t-1").unwrap();
    assert_eq!(ending.exit, 0, "{:?}", ending.why);
    assert_eq!(String::from_utf8_lossy(&world.machine().read("/d/b").unwrap()), "1 done true");
}

#[test]
fn a_look_whose_output_is_of_another_type_fails_in_the_plan_and_is_told_once() {
    let (world, store) = machine(&[]);
    let world = world.program("/bin/says", |_, _, _| (End::Code(0), b"z=twelve\n".to_vec(), Vec::new()));
    let look = |argv: &str| {
        let outputs = "{ z: { type: integer, from: '{{ result.z }}' } }";
        let lab = lab(&format!("  - {{ id: says, action: command.look, with: {{ argv: [{argv}], parse: pairs }}, outputs: {outputs} }}\n"));
        lab.plan(&world, &store, "t-1").unwrap()
    };
    let plan = look("/bin/says");
    assert_eq!(plan.steps[0].decision, Decision::Fails);
    assert_eq!(plan.refused, ["`says`: output `z` of type integer: expected a whole number, found `twelve`"]);
    let plan = look("/bin/false");
    assert_eq!(plan.refused, ["`says`: expected exit 0, found exit 1: no"]);
}

#[test]
fn a_record_is_found_for_the_same_client_until_it_is_taken_back() {
    let notice = "format: 1\nrunbook: notice\nversion: 1.0.0\ntitle: Notice\ntouches: ['file:/d/**']\ninputs: { order: { type: string, default: A } }\nsteps:\n  - { id: tell, action: file.write, with: { path: /d/told, text: told } }\n";
    let update =
        format!("{HEAD}steps:\n  - {{ id: notice, action: assert.record, with: {{ runbook: notice, max_age: 7d, inputs: {{ order: A }} }} }}\n");
    let client = |name: &str| format!("format: 1\nclient: {name}\nname: C\nzone: UTC\n");
    let (harbor, other) = (Lab::new(notice, Some(&client("harbor"))), Lab::new(&update, Some(&client("cascade"))));
    let lab = Lab::new(&update, Some(&client("harbor")));
    let (world, store) = machine(&[("/d/x", "")]);
    let refused = |lab: &Lab, run: &str| lab.plan(&world, &store, run).unwrap().refused;
    let none = ["`notice`: expected a run of `notice` that is done, at most 7d ago, found none"];
    assert_eq!(refused(&lab, "t-1"), none);
    assert_eq!(harbor.run(&world, &store, "n-1").unwrap().exit, 0);
    assert_eq!(refused(&other, "t-1"), none);
    let plan = lab.plan(&world, &store, "t-1").unwrap();
    assert_eq!((plan.steps[0].decision, plan.refused.len()), (Decision::Holds, 0));
    assert_eq!(lab.run_plan(&world, &store, &plan).unwrap().exit, 0);
    // Taken back, and that taken back in its turn.
    assert_eq!(harbor.undo(&world, &store, "n-1").unwrap().exit, 0);
    assert_eq!(refused(&lab, "t-2"), [none[0].replace("found none", "found `n-1` was taken back")]);
    assert_eq!(harbor.undo(&world, &store, "n-1.undo-1").unwrap().exit, 0);
    assert!(refused(&lab, "t-2").is_empty());
    lab.clock.pass(Duration::from_secs(8 * 24 * 3600));
    assert!(refused(&lab, "t-2")[0].contains("found `n-1` ended 8d"), "{:?}", refused(&lab, "t-2"));
}

#[test]
fn a_window_is_judged_when_its_step_runs_and_a_plan_that_comes_too_late_is_refused() {
    const HOURS: Duration = Duration::from_secs(3600);
    let text = format!(
        "{HEAD}steps:\n  - {{ id: window, action: assert.window }}\n  - {{ id: write, action: file.write, with: {{ path: /d/a, text: '{{{{ steps.window.ends }}}}' }} }}\n"
    );
    let client = "format: 1\nclient: c\nname: C\nzone: UTC\nwindows: [{ starts: '2026-03-07T21:00', for: 3h }]\n";
    // It is 20:00.
    for (pass, exit) in [(HOURS / 2, 4), (HOURS * 2, 0), (HOURS * 5, 4)] {
        let (world, store) = machine(&[("/d/x", "")]);
        let lab = Lab::new(&text, Some(client));
        let plan = lab.plan(&world, &store, "t-1").unwrap();
        assert_eq!((plan.steps[0].decision, plan.refused.len()), (Decision::Later, 0));
        lab.clock.pass(pass);
        let ending = lab.run_plan(&world, &store, &plan).unwrap();
        assert_eq!(ending.exit, exit, "{:?}", ending.why);
        let wrote = world.machine().read("/d/a").map(|bytes| bytes.to_vec());
        assert_eq!(wrote, (exit == 0).then(|| b"2026-03-08T00:00:00+00:00".to_vec()));
        if pass > HOURS * 4 {
            let plan = lab.plan(&world, &store, "t-2").unwrap();
            assert_eq!(plan.refused, ["`window`: expected a window of the client, found none, and all are over"]);
        }
    }
}

#[test]
fn the_point_of_no_return_is_passed_only_in_a_window_of_the_client() {
    const HOURS: Duration = Duration::from_secs(3600);
    let text = format!(
        "{HEAD}steps:\n  - {{ id: before, action: file.write, with: {{ path: /d/a, text: x }} }}\n  - {{ id: floor, action: file.write, needs: [before], point_of_no_return: true, takes: {{ usual: 1m, most: 4h }}, outage: begins, with: {{ path: /d/b, text: x }} }}\n  - {{ id: after, action: file.write, needs: [floor], outage: ends, with: {{ path: /d/c, text: x }} }}\n"
    );
    let client = "format: 1\nclient: c\nname: C\nzone: UTC\nwindows: [{ starts: '2026-03-07T21:00', for: 3h, last_no_return: 70m }]\n";
    // It is 20:00.
    for (pass, exit) in [(HOURS / 2, 1), (HOURS * 2, 0), (HOURS * 3, 1)] {
        let (world, store) = machine(&[("/d/x", "")]);
        let lab = Lab::new(&text, Some(client));
        let plan = lab.plan(&world, &store, "t-1").unwrap();
        assert!(plan.warnings.iter().any(|line| line.contains("the window of 2026-03-07T21:00 is 3h")), "{:?}", plan.warnings);
        lab.clock.pass(pass);
        let ending = lab.run(&world, &store, "t-1").unwrap();
        assert_eq!(ending.exit, exit, "{:?}", ending.why);
        assert!(world.machine().read("/d/a").is_some());
        assert_eq!(world.machine().read("/d/b").is_some(), exit == 0);
        assert!(
            exit == 0 || ending.why[0].contains("`floor`: the client's windows: it may be passed from 2026-03-07T21:00:00Z to 2026-03-07T22:50:00Z"),
            "{:?}",
            ending.why
        );
    }
}

#[test]
fn an_output_of_the_wrong_type_that_is_a_secret_is_not_told() {
    let (world, store) = machine(&[]);
    let world = world.program("/bin/says", |_, _, _| (End::Code(0), b"hunter2\n".to_vec(), Vec::new()));
    let mut lab = Lab::new(
        &format!(
            "{HEAD}inputs: {{ key: {{ type: secret }} }}\nsteps:\n  - {{ id: says, action: command.run, with: {{ argv: [/bin/says], changes: [] }}, outputs: {{ z: {{ type: integer, from: '{{{{ result }}}}' }} }} }}\n"
        ),
        None,
    );
    lab.people.secrets.insert("key".into(), "hunter2".into());
    let ending = lab.run(&world, &store, "t-1").unwrap();
    assert_eq!(ending.exit, 1);
    assert!(ending.why.iter().any(|line| line.contains("a message that holds the secret inputs.key")), "{:?}", ending.why);
    let mut journal = String::new();
    store.journal(&RunId::parse("t-1").unwrap()).unwrap().read_to_string(&mut journal).unwrap();
    assert!(journal.contains(r#""event":"step_finished","step":"says","outcome":"failed""#), "{journal}");
    assert!(!journal.contains("hunter2") && !format!("{ending:?}").contains("hunter2"), "{journal}");
}

#[test]
fn the_other_options_of_a_decision_are_planned_with_totals_of_their_own() {
    let (world, store) = machine(&[("/d/a", "old")]);
    let mut lab = lab("
  - { id: first, action: file.write, with: { path: /d/first, text: x } }
  - { id: which, action: manual.decide, with: { question: Which?, options: { small: Small, big: Big }, expected: small } }
  - { id: small, when: steps.which.choice == 'small', action: file.write, with: { path: /d/a, text: small } }
  - { id: big, when: steps.which.choice == 'big', action: file.write, with: { path: /d/a, text: big } }
  - { id: done, when: steps.which.choice == 'big', action: command.run, with: { argv: [/bin/true] }, irreversible: it is sent, point_of_no_return: true }
  - { id: also, when: steps.which.choice == 'big', action: file.write, with: { path: /d/b, text: big } }
");
    lab.people.given.insert("which".into(), serde_json::json!("small"));
    let plan = lab.plan(&world, &store, "t-1").unwrap();
    assert_eq!((plan.totals.before_floor, plan.totals.after_floor), (2, 0), "{:?}", plan.totals);
    let [option] = plan.options.as_slice() else { panic!("{:?}", plan.options) };
    assert_eq!(option.steps.iter().map(|step| step.id.as_str()).collect::<Vec<_>>(), ["big", "done", "also"]);
    let steps: Vec<_> = option.totals.steps.iter().map(|(word, n)| (word.as_str(), *n)).collect();
    assert_eq!(steps, [("change", 2), ("run", 1)]);
    assert_eq!((option.totals.before_floor, option.totals.after_floor), (1, 2));
}

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

#[test]
fn the_same_world_and_run_give_the_same_plan_bytes() {
    let (world, store) = machine(&[("/d/a", "old"), ("/d/c", "c")]);
    let text = |lab: Lab| model::json::pretty(&lab.plan(&world, &store, "t-1").unwrap()).unwrap();
    assert_eq!(text(lab(THREE)), text(lab(THREE)));
}

#[test]
fn a_step_that_tells_when_it_is_done_is_taken_back_by_its_own_program() {
    let (world, store) = machine(&[("/d/x", "x")]);
    let world = world
        .program("/bin/make", |machine, _, _| {
            machine.write("/d/made", "made");
            (model::program::End::Code(0), Vec::new(), Vec::new())
        })
        .program("/bin/unmake", |machine, _, _| {
            machine.remove("/d/made");
            (model::program::End::Code(0), Vec::new(), Vec::new())
        });
    let lab = lab("
  - id: made
    action: command.run
    with: { argv: [/bin/make], changes: [] }
    done_when: [{ id: there, action: assert.file, with: { path: /d/made, exists: true } }]
    undo: { action: command.run, with: { argv: [/bin/unmake], changes: [] } }
");
    assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 0);
    let undone = lab.undo(&world, &store, "t-1").unwrap();
    assert_eq!(undone.exit, 0, "{:?}", undone.why);
    assert_eq!(world.machine().read("/d/made"), None);
}

#[test]
fn an_undo_program_that_was_cut_off_is_not_started_again_once_somebody_says_that_it_did_its_work() {
    let mut asked = 0;
    for appends in 1.. {
        let (world, store) = machine(&[("/d/x", "x")]);
        let world = world.program("/bin/unmake", |machine, _, _| {
            let times = machine.read("/d/times").map(|bytes| bytes.to_vec()).unwrap_or_default();
            machine.write("/d/times", [times, b"x".to_vec()].concat());
            (End::Code(0), Vec::new(), Vec::new())
        });
        let lab = lab("
  - { id: written, action: file.write, with: { path: /d/a, text: new } }
  - id: made
    action: command.run
    with: { argv: [/bin/true] }
    undo: { action: command.run, with: { argv: [/bin/unmake], changes: [] } }
");
        assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 0);
        let mortal = Mortal::new(&store, appends);
        let died = lab.undo(&world, &mortal, "t-1");
        if mortal.is_dead() {
            assert!(died.is_err(), "line {appends}");
            let nobody = lab.resume(&world, &store, "t-1.undo-1").map(|ending| ending.exit);
            if lab.people.offered.lock().unwrap().is_empty() {
                assert_eq!(nobody.unwrap(), 0, "line {appends}");
            } else {
                asked += 1;
                assert!(matches!(nobody, Err(Refusal::Missing(_))), "line {appends}: {nobody:?}");
                *lab.people.choices.lock().unwrap() = vec!["happened".to_owned()];
                let ending = lab.resume(&world, &store, "t-1.undo-1").unwrap();
                assert_eq!(ending.exit, 0, "line {appends}: {:?}", ending.why);
            }
        }
        assert_eq!(world.machine().read("/d/times").unwrap().as_slice(), b"x", "line {appends}");
        assert_eq!(world.machine().read("/d/a"), None, "line {appends}");
        if !mortal.is_dead() {
            break;
        }
    }
    assert!(asked > 0, "nobody was asked");
}

#[test]
fn what_finally_has_done_is_not_done_again_by_the_undo_of_a_run_that_was_cut_off() {
    for appends in 1.. {
        let (world, store) = machine(&[("/d/x", "x")]);
        let before = world.snapshot();
        let lab = lab("
  - { id: copied, action: file.copy, with: { from: /d/x, to: /d/y } }
finally:
  - { id: last, action: command.run, with: { argv: [/bin/true], changes: [] } }
");
        let mortal = Mortal::new(&store, appends);
        let _ = lab.run(&world, &mortal, "t-1");
        if !mortal.is_dead() {
            break;
        }
        *lab.people.choices.lock().unwrap() = vec!["happened".to_owned()];
        let undone = lab.undo(&world, &store, "t-1").unwrap_or_else(|wrong| panic!("line {appends}: {wrong:?}"));
        assert_eq!(undone.exit, 0, "line {appends}: {:?}", undone.why);
        assert_eq!(world.snapshot(), before, "line {appends}");
    }
}

#[test]
fn what_finally_says_of_the_outcome_is_known_when_the_run_is_over() {
    for outcome in ["done", "failed"] {
        let (world, store) = machine(&[("/d/x", "x")]);
        let lab = lab("
  - { id: copied, action: file.copy, with: { from: /d/x, to: /d/y } }
finally:
  - { id: told, action: file.write, with: { path: /d/told, text: 'it is {{ run.outcome }}' } }
  - { id: sorry, action: file.write, when: run.outcome != 'done', with: { path: /d/sorry, text: sorry } }
");
        let plan = lab.plan(&world, &store, "t-1").unwrap();
        if outcome == "failed" {
            world.machine().remove("/d/x");
        }
        let ending = lab.run_plan(&world, &store, &plan).unwrap();
        assert_eq!(ending.exit, if outcome == "done" { 0 } else { 1 }, "{:?}", ending.why);
        assert!(!ending.why.iter().any(|why| why.contains("`finally`")), "{:?}", ending.why);
        assert_eq!(world.machine().read("/d/told").unwrap().as_slice(), format!("it is {outcome}").as_bytes());
        assert_eq!(world.machine().read("/d/sorry").is_some(), outcome == "failed");
    }
}

const RECIPIENT: &str = "age1dzl2qlq0hktfmzqv0cedq6kkdzps95qp4pszmvlhzjnfxw77yufshua4kt";

#[test]
fn what_a_step_set_in_a_sensitive_file_is_set_back_by_a_later_step() {
    let runbook = format!(
        "{HEAD}sensitive: ['file:/d/key']\nsteps:
  - {{ id: changed, action: file.write, with: {{ path: /d/key, text: new-words }} }}
  - {{ id: copied, action: file.copy, with: {{ from: /d/x, to: /d/y }} }}
  - {{ id: back, action: steps.undo, with: {{ steps: [changed] }} }}
"
    );
    let client = format!("format: 1\nclient: c\nname: C\nzone: UTC\nrecovery: {RECIPIENT}\n");
    let mut lab = Lab::new(&runbook, Some(&client));
    lab.identities = vec!["AGE-SECRET-KEY-1H8876FYMZZVX7AGGUFJTPW3T0PF5Y7SQJYNKTXQPCE4VXGU96SZSCCCMGD".to_owned()];
    let whole = |cut: bool| {
        let (world, store) = machine(&[("/d/key", "old-words"), ("/d/x", "x")]);
        let plan = lab.plan(&world, &store, "t-1").unwrap();
        if cut {
            world.machine().remove("/d/x");
            assert_eq!(lab.run_plan(&world, &store, &plan).unwrap().exit, 1);
            assert_eq!(world.machine().read("/d/key").unwrap().as_slice(), b"new-words");
            world.machine().write("/d/x", "x");
        }
        let ending = if cut { lab.resume(&world, &store, "t-1") } else { lab.run_plan(&world, &store, &plan) }.unwrap();
        (ending, world.machine().read("/d/key").unwrap().to_vec())
    };
    let (ending, key) = whole(false);
    assert_eq!((ending.exit, key.as_slice()), (0, b"old-words".as_slice()), "{:?}", ending.why);
    let (ending, key) = whole(true);
    assert_eq!((ending.exit, key.as_slice()), (0, b"old-words".as_slice()), "{:?}", ending.why);
}

#[test]
fn a_file_that_a_later_step_makes_secret_is_secret_in_the_whole_plan_and_runs_as_planned() {
    let runbook = format!(
        "{HEAD}inputs: {{ key: {{ type: secret }} }}\nsteps:
  - {{ id: port, action: config.set, with: {{ path: /d/app.ini, format: ini, values: {{ Web.Port: 8080 }} }} }}
  - {{ id: password, action: config.set, with: {{ path: /d/app.ini, format: ini, values: {{ Web.Password: '{{{{ inputs.key }}}}' }} }} }}
  - {{ id: name, action: config.set, with: {{ path: /d/app.ini, format: ini, values: {{ Web.Name: x }} }} }}
"
    );
    let client = format!("format: 1\nclient: c\nname: C\nzone: UTC\nrecovery: {RECIPIENT}\n");
    let mut lab = Lab::new(&runbook, Some(&client));
    lab.people.secrets.insert("key".into(), "hunter2".into());
    let (world, store) = machine(&[("/d/app.ini", "[Web]\nPort=80\nPassword=\nName=a\n")]);
    let plan = lab.plan(&world, &store, "t-1").unwrap();
    assert!(plan.steps.iter().all(|step| step.difference.is_empty()), "{:?}", plan.steps);
    let ending = lab.run_plan(&world, &store, &plan).unwrap();
    assert_eq!(ending.exit, 0, "{:?}", ending.why);
    assert_eq!(world.machine().read("/d/app.ini").unwrap().as_slice(), b"[Web]\nPort=8080\nPassword=hunter2\nName=x\n");
}

#[test]
fn a_secret_from_a_form_is_asked_for_again_when_a_run_that_was_cut_off_goes_on() {
    let runbook = format!(
        "{HEAD}sensitive: ['file:/d/key']\nsteps:
  - {{ id: keys, action: manual.form, with: {{ fields: [{{ name: serial, type: secret, twice: true }}] }} }}
  - {{ id: copied, action: file.copy, with: {{ from: /d/x, to: /d/y }} }}
  - {{ id: write, action: file.write, with: {{ path: /d/key, text: '{{{{ steps.keys.serial }}}}' }} }}
"
    );
    let client = format!("format: 1\nclient: c\nname: C\nzone: UTC\nrecovery: {RECIPIENT}\n");
    let lab = |serial: &str| {
        let mut lab = Lab::new(&runbook, Some(&client));
        lab.people.given.insert("keys".to_owned(), serde_json::json!({ "serial": serial }));
        lab
    };
    let (world, store) = machine(&[("/d/x", "x")]);
    let plan = lab("abc-123").plan(&world, &store, "t-1").unwrap();
    world.machine().remove("/d/x");
    assert_eq!(lab("abc-123").run_plan(&world, &store, &plan).unwrap().exit, 1);
    world.machine().write("/d/x", "x");
    let Err(Refusal::Refused(why)) = lab("abc-124").resume(&world, &store, "t-1") else { panic!("another secret") };
    assert_eq!(why, ["`steps.keys.serial` is not the secret that was given before"]);
    assert!(matches!(lab("nobody").resume(&world, &store, "t-1"), Err(Refusal::Refused(_))));
    let ending = lab("abc-123").resume(&world, &store, "t-1").unwrap();
    assert_eq!(ending.exit, 0, "{:?}", ending.why);
    assert_eq!(world.machine().read("/d/key").unwrap().as_slice(), b"abc-123");
}

#[test]
fn the_same_seed_gives_the_same_journal_bytes() {
    let journal = || {
        let (world, store) = machine(&[("/d/a", "old"), ("/d/c", "c")]);
        assert_eq!(lab(THREE).run(&world, &store, "t-1").unwrap().exit, 0);
        let mut bytes = Vec::new();
        store.journal(&RunId::parse("t-1").unwrap()).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    };
    let first = journal();
    assert!(first.len() > 1_000);
    assert!((0..20).all(|_| journal() == first));
}

#[test]
fn a_clock_that_is_set_while_a_run_goes_on_is_written_down_and_makes_no_difference() {
    for by in [-315_360_000, -3600, -3, 1, 3, 3600, 315_360_000] {
        let (world, store) = machine(&[("/d/x", "")]);
        let lab = lab(
            "  - { id: first, action: command.run, with: { argv: [/bin/sets], changes: [] } }\n  - { id: then, needs: [first], action: file.write, with: { path: /d/a, text: x } }\n",
        );
        let clock = std::sync::Arc::clone(&lab.clock);
        let setting = world.program("/bin/sets", move |_, _, _| {
            clock.set(by);
            (End::Code(0), Vec::new(), Vec::new())
        });
        let ending = lab.run(&setting, &store, "t-1").unwrap();
        assert_eq!(ending.exit, 0, "{by}: {:?}", ending.why);
        let lines = lab.told.lines.lock().unwrap();
        let steps: Vec<f64> =
            lines.iter().filter_map(|line| if let Event::ClockStep { seconds } = line.event { Some(seconds.round()) } else { None }).collect();
        assert_eq!(steps, if by == 1 { Vec::new() } else { vec![f64::from(by as i32)] }, "{by}");
    }
}

#[test]
fn a_service_that_comes_up_only_after_its_starter_was_killed_counts_as_started() {
    let state = |run| ServiceState { run, start: StartType::Automatic, account: None };
    for look in 0..12 {
        let (world, store) = machine(&[("/d/x", "x")]);
        world.machine().services.insert("db".into(), state(RunState::Running));
        let lab = Lab::new(
            "format: 1\nrunbook: r\nversion: 1.0.0\ntitle: T\ntouches: ['service:db', 'file:/d/**']\nsteps:\n  - { id: again, action: service.restart, with: { name: db, mode: restart } }\n  - { id: then, action: file.write, needs: [again], with: { path: /d/a, text: x } }\n",
            None,
        );
        let is_intent = |line: &model::event::Line| matches!(&line.event, Event::Intended { step, .. } if step.as_str() == "again");
        // It dies when the intent of the start is written; the service is on its way up.
        let dying = || {
            if lab.told.lines.lock().unwrap().iter().filter(|line| is_intent(line)).count() == 2 {
                panic!("killed")
            }
        };
        let killed = Flaky::new(&world, i64::MAX).telling(&dying);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| lab.run(&killed, &store, "t-1"))).is_err());
        assert_eq!(world.machine().services["db"].run, RunState::Stopped);
        let looks = AtomicU32::new(0);
        let called = || {
            if looks.fetch_add(1, Ordering::SeqCst) == look {
                world.machine().services.insert("db".into(), state(RunState::Running));
            }
        };
        let late = Flaky::new(&world, i64::MAX).telling(&called);
        let ending = lab.resume(&late, &store, "t-1").unwrap();
        assert_eq!(ending.exit, 0, "look {look}: {:?}", ending.why);
        assert!(world.machine().read("/d/a").is_some());
    }
}

#[test]
fn a_restart_whose_work_was_done_when_the_run_died_is_not_done_again() {
    for (planned, effects) in [(RunState::Stopped, 1), (RunState::Failed, 1), (RunState::Running, 2)] {
        let mut done = 0;
        for lines in 2.. {
            let (world, store) = machine(&[("/d/x", "x")]);
            let service = ServiceState { run: planned, start: StartType::Automatic, account: None };
            world.machine().services.insert("db".into(), service);
            let lab = lab("  - { id: again, action: service.restart, with: { name: db } }\n");
            if lab.run(&world, &Mortal::new(&store, lines), "t-1").is_ok() {
                break;
            }
            let ending = lab.resume(&world, &store, "t-1").unwrap();
            assert_eq!(ending.exit, 0, "{planned:?}, {lines}: {:?}", ending.why);
            let told = lab.told.lines.lock().unwrap();
            let intents = told.iter().filter(|line| matches!(line.event, Event::Intended { .. })).count();
            let not_happened = told.iter().filter(|line| matches!(&line.event, Event::Decided { what, .. } if what == "not_happened")).count();
            assert_eq!(intents - not_happened, effects, "{planned:?}, {lines}");
            done += 1;
        }
        assert!(done > 3);
    }
}
