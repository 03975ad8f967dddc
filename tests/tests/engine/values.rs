//! Templates, readings and outputs, and what they say when they are wrong.

use super::{HEAD, lab};
use model::id::RunId;
use model::plan::Decision;
use model::program::End;
use std::io::Read;
use tests::lab::{Lab, machine};
use world::store::Store;

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
    assert!(ending.why.iter().any(|line| line.contains("output `z` of type integer")), "{:?}", ending.why);
    let mut journal = String::new();
    store.journal(&RunId::parse("t-1").unwrap()).unwrap().read_to_string(&mut journal).unwrap();
    assert!(journal.contains(r#""event":"step_finished","step":"says","outcome":"failed""#), "{journal}");
    assert!(!journal.contains("hunter2") && !format!("{ending:?}").contains("hunter2"), "{journal}");
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
