//! What a plan says, and what it refuses.

use super::{HEAD, RECIPIENT, THREE, lab};
use engine::command::Refusal;
use model::plan::Decision;
use std::time::Duration;
use tests::lab::{Lab, machine};

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
fn the_same_world_and_run_give_the_same_plan_bytes() {
    let (world, store) = machine(&[("/d/a", "old"), ("/d/c", "c")]);
    let text = |lab: Lab| model::json::pretty(&lab.plan(&world, &store, "t-1").unwrap()).unwrap();
    assert_eq!(text(lab(THREE)), text(lab(THREE)));
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
