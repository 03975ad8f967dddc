//! What the checks find.

use crate::stage::{Stage, failure, output, with};
use model::digest::Digest;
use model::effect::Change;
use model::event::RunOutcome;
use model::id::{RunId, StepId};
use model::resource::Resource;
use model::state::{RunState, ServiceState, StartType, State};
use model::value::{May, unknown};
use world::act::Source;
use world::earlier::Earlier;
use world::imagined::Imagined;
use world::memory::Memory;
use world::proposal::Verdict;
use world::window::{Hours, Window};

fn world() -> Memory {
    let world = Memory::new();
    {
        let mut machine = world.machine();
        machine.write("/sage/Home/Lib/Keys/ACTIVATE.PVX", "key");
        machine.write("/sage/Home/VERSION.TXT", "Sage 100 7.10.2\n");
        machine.write("/sage/Home/wide.ini", [0xff, 0xfe, b'7', 0, b'.', 0, b'1', 0].to_vec());
        machine.write("/sage/app.ini", "[Licence]\nUsers=22\n");
        machine.write("/sage/app.json", "{ \"db\": { \"hosts\": [\"a\", \"b\"] }, \"trap\": { \"secret\": [\"inputs.key\"] } }");
        machine.services.insert("Sage Application".to_owned(), ServiceState { run: RunState::Running, start: StartType::Automatic, account: None });
        machine.services.insert("Sage Print".to_owned(), ServiceState { run: RunState::Stopped, start: StartType::Manual, account: None });
    }
    world
}

#[test]
fn assert_file_holds_or_says_what_was_found() {
    let world = world();
    let stage = Stage::new(&world);
    let holds = |with: &str| assert_eq!(stage.propose("assert.file", with).expect("a proposal").verdict, Verdict::Holds, "{with}");
    let fails = |with: &str, expected: &str, found: &str| {
        let proposal = stage.propose("assert.file", with).expect("a proposal");
        assert_eq!(failure(&proposal), (expected, found), "{with}");
    };
    let digest = Digest::of(b"key");
    holds("{ path: /sage/Home/VERSION.TXT }");
    holds("{ path: /sage/Home }");
    holds("{ path: /sage/none, exists: false }");
    holds("{ path: '/sage/Home/Lib/**/ACTIVATE.PVX', count: 1 }");
    holds("{ path: '/sage/*.json', count: 1 }");
    holds("{ path: '/sage/**/*.bak', count: 0 }");
    holds("{ path: '/none/**', exists: false }");
    holds("{ path: /sage/Home/VERSION.TXT, contains: 7.10.2 }");
    holds("{ path: /sage/Home/wide.ini, contains: '7.1' }");
    holds(&format!("{{ path: /sage/Home/Lib/Keys/ACTIVATE.PVX, sha256: {} }}", digest.as_str().to_uppercase()));
    fails("{ path: /sage/none }", "it is there", "it is not there");
    fails("{ path: /sage/Home, exists: false }", "it is not there", "it is there");
    fails("{ path: '/sage/app.*', count: 1 }", "1 file", "2 files: /sage/app.ini, /sage/app.json");
    fails("{ path: '/sage/**/*.bak' }", "at least 1 file", "none");
    fails("{ path: /sage/Home/VERSION.TXT, contains: '6.' }", "`6.` in it", "it is not in it");
    fails("{ path: /sage/app.ini, same_as: /sage/none }", "the bytes of `/sage/none`", "`/sage/none` is not there");
    fails(&format!("{{ path: /sage/Home/Lib/Keys/ACTIVATE.PVX, sha256: {} }}", Digest::of(b"x")), "sha256 2d711642b726...", "sha256 2c70e12b7a06...");
    fails("{ path: /sage/Home, contains: x }", "a file", "directory");
}

#[test]
fn assert_file_finds_a_text_that_lies_across_two_reads() {
    let world = world();
    world.machine().write("/long", [vec![b'.'; (64 << 10) - 3], b"needle".to_vec()].concat());
    let proposal = Stage::new(&world).propose("assert.file", "{ path: /long, contains: needle }").expect("a proposal");
    assert_eq!(proposal.verdict, Verdict::Holds);
}

#[test]
fn assert_file_compares_files_that_hold_secrets_by_keyed_digests() {
    let world = world();
    let mut stage = Stage::new(&world);
    stage.sensitive.push("/sage/Home/Lib/Keys/ACTIVATE.PVX");
    stage.secret = Some("known now");
    let copy = stage.propose("file.copy", "{ from: /sage/Home/Lib/Keys/ACTIVATE.PVX, to: /sage/copy }").expect("a proposal");
    let sha256 = output(&copy, "sha256");
    let same = with("{ path: /sage/Home/Lib/Keys/ACTIVATE.PVX }", "sha256", sha256.clone());
    assert_eq!(stage.propose_value("assert.file", &same).expect("a proposal").verdict, Verdict::Holds);
    let other = stage.propose_value("assert.file", &with("{ path: /sage/app.ini }", "sha256", sha256)).expect("a proposal");
    assert!(matches!(other.verdict, Verdict::Fails { .. }));
}

#[test]
fn checks_on_what_is_not_known_yet_are_judged_later() {
    let world = world();
    let imagined = Imagined::new(&world);
    let (resource, form) = (Resource::file("/sage/app.ini"), StepId::new("form"));
    let before = State::Absent;
    imagined.imagine(&Change { resource: Resource::file("/sage/new"), before, after: State::Unknown { until: form.clone() } }, &Source::Nothing);
    imagined.forget(&resource, &form);
    let stage = Stage::new(&imagined);
    let later = |stage: &Stage<'_>, kind: &str, with: &str| match stage.propose(kind, with).expect("a proposal").verdict {
        Verdict::Later { until } => until.to_string(),
        other => panic!("{kind} {with}: {other:?}"),
    };
    assert_eq!(later(&stage, "assert.file", "{ path: /sage/app.ini, contains: x }"), "form");
    assert_eq!(later(&stage, "assert.file", "{ path: /sage/Home/VERSION.TXT, same_as: /sage/app.ini, exists: true }").as_str(), "form");
}

#[test]
fn a_parameter_that_is_not_known_yet_makes_a_check_later() {
    let world = world();
    let stage = Stage::new(&world);
    for (kind, yaml, name) in [
        ("assert.file", "{ path: /sage/app.ini }", "sha256"),
        ("assert.file", "{ path: /sage/app.ini }", "count"),
        ("assert.disk_space", "{ path: /sage }", "min"),
    ] {
        let proposal = stage.propose_value(kind, &with(yaml, name, unknown(&StepId::new("form")))).expect("a proposal");
        assert_eq!(proposal.verdict, Verdict::Later { until: StepId::new("form") }, "{kind} {name}");
    }
}

#[test]
fn behaviour_after_an_effect_is_judged_later() {
    let world = world();
    let mut stage = Stage::new(&world);
    stage.blind = true;
    let proposal = stage.propose("assert.disk_space", "{ path: /sage, min: 25 GB }").expect("a proposal");
    assert_eq!(proposal.verdict, Verdict::Later { until: StepId::new("before") });
}

#[test]
fn assert_fact_says_what_it_means_when_it_is_false() {
    let world = world();
    let mut stage = Stage::new(&world);
    stage.facts.insert("steps.count.modules == 22", May::Known(false));
    stage.facts.insert("1 < 2", May::Known(true));
    stage.facts.insert("steps.form.x", May::Unknown { until: StepId::new("form") });
    let proposal = stage.propose("assert.fact", "{ that: steps.count.modules == 22, message: Sage shows another number }").expect("a proposal");
    assert_eq!(failure(&proposal), ("steps.count.modules == 22", "Sage shows another number"));
    assert_eq!(stage.propose("assert.fact", "{ that: 1 < 2 }").expect("a proposal").verdict, Verdict::Holds);
    let later = stage.propose("assert.fact", "{ that: steps.form.x }").expect("a proposal");
    assert_eq!(later.verdict, Verdict::Later { until: StepId::new("form") });
}

#[test]
fn assert_disk_space_compares_free_bytes() {
    let world = world();
    world.machine().room = 10 << 30;
    let stage = Stage::new(&world);
    let proposal = stage.propose("assert.disk_space", "{ path: /sage, min: 25 GB }").expect("a proposal");
    assert_eq!(failure(&proposal), ("25.0 GB free", "10.0 GB free"));
    assert_eq!(stage.propose("assert.disk_space", "{ path: /sage, min: 5 GB }").expect("a proposal").verdict, Verdict::Holds);
    assert!(stage.refusal("assert.disk_space", "{ path: /sage, min: '25' }").contains("needs a unit"));
}

#[test]
fn assert_service_knows_services_by_name_and_by_pattern() {
    let world = world();
    let stage = Stage::new(&world);
    assert_eq!(stage.propose("assert.service", "{ match: 'sage app*' }").expect("a proposal").verdict, Verdict::Holds);
    let proposal = stage.propose("assert.service", "{ name: Sage Print }").expect("a proposal");
    assert_eq!(failure(&proposal), ("running", "stopped"));
    assert_eq!(stage.propose("assert.service", "{ name: Sage Print, state: stopped }").expect("a proposal").verdict, Verdict::Holds);
    let proposal = stage.propose("assert.service", "{ name: none }").expect("a proposal");
    assert_eq!(failure(&proposal), ("running", "there is no service `none`"));
    assert_eq!(stage.refusal("assert.service", "{ match: 'sage*' }"), "2 services are called like `sage*`: Sage Application, Sage Print");
    assert_eq!(stage.refusal("assert.service", "{ match: 'x*' }"), "no service is called like `x*`");
    assert_eq!(stage.refusal("assert.service", "{}"), "one of `name` and `match` is wanted");
}

#[test]
fn assert_again_fails_with_the_first_check_that_does_not_hold() {
    let world = world();
    let mut stage = Stage::new(&world);
    stage.again = vec![
        ("room", Verdict::Holds),
        ("ready/a", Verdict::Later { until: StepId::new("stop") }),
        ("ready/b", Verdict::Fails { expected: "it is there".to_owned(), found: "it is not there".to_owned() }),
    ];
    let proposal = stage.propose("assert.again", "{ steps: [room, ready] }").expect("a proposal");
    assert_eq!(failure(&proposal), ("`ready/b`: it is there", "it is not there"));
    stage.again.pop();
    let proposal = stage.propose("assert.again", "{ steps: [room, ready] }").expect("a proposal");
    assert_eq!(proposal.verdict, Verdict::Later { until: StepId::new("stop") });
    let proposal = stage.propose("assert.again", "{ steps: [room] }").expect("a proposal");
    assert_eq!((proposal.verdict, proposal.reason.as_deref()), (Verdict::Holds, Some("1 check")));
}

#[test]
fn assert_window_holds_in_a_window_of_the_client() {
    let world = world();
    let mut stage = Stage::new(&world);
    let moment = |text: &str| text.parse::<jiff::ZonedDateTime>().expect("a moment");
    let window = Window {
        starts: moment("2026-03-07T20:00[America/Chicago]"),
        ends: moment("2026-03-07T23:00[America/Chicago]"),
        last_no_return: moment("2026-03-07T21:50[America/Chicago]"),
    };
    let proposal = stage.propose("assert.window", "{}").expect("a proposal");
    assert_eq!((&proposal.verdict, proposal.reason.as_deref()), (&Verdict::Holds, Some("the client names no windows: at any time")));
    assert!(output(&proposal, "ends").is_null());
    stage.hours = Hours::Open(window.clone());
    let proposal = stage.propose("assert.window", "{}").expect("a proposal");
    assert_eq!((&proposal.verdict, proposal.reason.as_deref()), (&Verdict::Holds, Some("until 2026-03-07T23:00:00-06:00")));
    let outputs = ["starts", "ends", "last_no_return"].map(|name| output(&proposal, name));
    assert_eq!(outputs, ["2026-03-07T20:00:00-06:00", "2026-03-07T23:00:00-06:00", "2026-03-07T21:50:00-06:00"]);
    stage.hours = Hours::Later { next: window.clone(), until: StepId::new("me") };
    let proposal = stage.propose("assert.window", "{}").expect("a proposal");
    assert_eq!(proposal.verdict, Verdict::Later { until: StepId::new("me") });
    assert_eq!(proposal.reason.as_deref(), Some("the next is 2026-03-07T20:00:00-06:00 to 2026-03-07T23:00:00-06:00"));
    assert_eq!(output(&proposal, "ends"), unknown(&StepId::new("me")));
    stage.hours = Hours::Shut { next: Some(window) };
    let proposal = stage.propose("assert.window", "{}").expect("a proposal");
    assert_eq!(failure(&proposal), ("a window of the client", "none; the next is 2026-03-07T20:00:00-06:00 to 2026-03-07T23:00:00-06:00"));
    stage.hours = Hours::Shut { next: None };
    assert_eq!(failure(&stage.propose("assert.window", "{}").expect("a proposal")), ("a window of the client", "none, and all are over"));
}

#[test]
fn assert_record_finds_the_newest_run_of_which_all_holds() {
    let world = world();
    let mut stage = Stage::new(&world);
    let at = |text: &str| text.parse::<jiff::Timestamp>().expect("a time");
    let earlier = |run: &str, ended: Option<(&str, RunOutcome)>, order: &str| Earlier {
        run: RunId::parse(run).expect("a name"),
        ended: ended.map(|(time, outcome)| (at(time), outcome)),
        inputs: [("order".to_owned(), order.into())].into(),
        taken_back: run.starts_with("back"),
    };
    stage.now = at("2026-03-07T12:00:00.5Z");
    let fails = |stage: &Stage<'_>, with: &str, expected: &str, found: &str| {
        let proposal = stage.propose("assert.record", with).expect("a proposal");
        assert_eq!(failure(&proposal), (expected, found), "{with}");
        assert_eq!(output(&proposal, "run"), unknown(&StepId::new("me")), "steps after it are planned all the same");
    };
    let done = "a run of `notice` that is done";
    fails(&stage, "{ runbook: notice }", done, "none");
    for (run, how, found) in [
        ("open", None, "`open` has not ended"),
        ("bad", Some(RunOutcome::Failed), "`bad` failed"),
        ("halted", Some(RunOutcome::Stopped), "`halted` was stopped"),
        ("undone", Some(RunOutcome::Undone), "`undone` was taken back"),
        ("back", Some(RunOutcome::Done), "`back` was taken back"),
    ] {
        stage.earlier = vec![earlier(run, how.map(|how| ("2026-03-07T11:00:00Z", how)), "A")];
        fails(&stage, "{ runbook: notice }", done, found);
    }
    let new = earlier("new", Some(("2026-03-07T10:00:00Z", RunOutcome::Done)), "B");
    let old = earlier("old", Some(("2026-03-04T10:00:00Z", RunOutcome::Done)), "A");
    stage.earlier.extend([new, old]);
    let finds = |stage: &Stage<'_>, with: &str, run: &str, reason: &str| {
        let proposal = stage.propose("assert.record", with).expect("a proposal");
        assert_eq!((&proposal.verdict, output(&proposal, "run").as_str(), proposal.reason.as_deref()), (&Verdict::Holds, Some(run), Some(reason)));
    };
    finds(&stage, "{ runbook: notice }", "new", "`new`, which ended 2h ago");
    finds(&stage, "{ runbook: notice, inputs: { order: A } }", "old", "`old`, which ended 3d2h ago");
    finds(&stage, "{ runbook: notice, min_age: 48h, max_age: 14d }", "old", "`old`, which ended 3d2h ago");
    fails(
        &stage,
        "{ runbook: notice, inputs: { order: A }, max_age: 2d }",
        "a run of `notice` that is done, at most 2d ago",
        "`back` was taken back",
    );
    stage.earlier.remove(0);
    fails(&stage, "{ runbook: notice, inputs: { order: C } }", done, "`new` had another `order`");
    fails(
        &stage,
        "{ runbook: notice, inputs: { order: A }, max_age: 2d }",
        "a run of `notice` that is done, at most 2d ago",
        "`new` had another `order`",
    );
    let early = "{ runbook: notice, inputs: { order: B }, min_age: 48h, max_age: 14d }";
    fails(&stage, early, "a run of `notice` that is done, at least 2d and at most 14d ago", "`new` ended only 2h ago");
    stage.planning = true;
    let proposal = stage.propose("assert.record", early).expect("a proposal");
    assert_eq!((proposal.verdict, proposal.reason.as_deref()), (Verdict::Later { until: StepId::new("me") }, Some("`new` ended only 2h ago")));
    let form = StepId::new("form");
    let proposal = stage.propose_value("assert.record", &with("{ runbook: notice }", "max_age", unknown(&form))).expect("a proposal");
    assert_eq!((&proposal.verdict, output(&proposal, "ended")), (&Verdict::Later { until: form.clone() }, unknown(&form)));
}

#[test]
fn config_read_gives_values_by_key() {
    let world = world();
    let mut stage = Stage::new(&world);
    let proposal = stage.propose("config.read", "{ path: /sage/app.ini, format: ini, keys: [licence.users] }").expect("a proposal");
    assert_eq!(output(&proposal, "values")["licence.users"].as_str(), Some("22"));
    let proposal = stage.propose("config.read", "{ path: /sage/app.json, format: json, keys: [db.hosts.1, trap] }").expect("a proposal");
    assert_eq!(output(&proposal, "values")["db.hosts.1"].as_str(), Some("b"));
    assert!(output(&proposal, "values")["trap"].is_mapping(), "what a file says never becomes a secret");
    let proposal = stage.propose("config.read", "{ path: /sage/app.json, format: json, keys: [db.port] }").expect("a proposal");
    assert_eq!(failure(&proposal), ("`db.port` in `/sage/app.json`", "no such key"));
    let proposal = stage.propose("config.read", "{ path: /none, format: json, keys: [a] }").expect("a proposal");
    assert_eq!(failure(&proposal), ("a file `/none`", "it is not there"));
    stage.sensitive.push("/sage/app.ini");
    assert!(stage.refusal("config.read", "{ path: /sage/app.ini, format: ini, keys: [a] }").contains("holds a secret"));
}
