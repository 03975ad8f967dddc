//! When waits are over.

use crate::stage::{Stage, failure, output, words};
use model::effect::Effect;
use model::id::StepId;
use model::value::{Value, unknown};
use world::look::Process;
use world::memory::Memory;
use world::proposal::{Proposal, Verdict};

fn process(image: &str, path: &str) -> Process {
    Process {
        pid: 7,
        image: image.to_owned(),
        path: Some(path.to_owned()),
        open: vec!["/data/open".to_owned()],
        user: Some("pat".to_owned()),
        started: None,
    }
}

fn wait(proposal: &Proposal) -> (f64, f64, f64) {
    match proposal.effects.first().map(|proposed| &proposed.effect) {
        Some(Effect::Wait { every, within, stable_for, .. }) => (*every, *within, *stable_for),
        other => panic!("the effect is {other:?}"),
    }
}

#[test]
fn wait_until_has_no_effect_once_all_checks_hold() {
    let world = Memory::new();
    let stage = Stage::new(&world);
    let with = "{ checks: [{ id: up, action: assert.file, with: { path: /run/pid } }], every: 2s, within: 1m }";
    let proposal = stage.propose("wait.until", with).expect("a proposal");
    assert_eq!(wait(&proposal), (2.0, 60.0, 0.0));
    assert_eq!(words(&proposal), ["wait: up"]);
    assert_eq!(proposal.reason.as_deref(), Some("up: expected it is there, found it is not there"));
    world.machine().write("/run/pid", "7");
    assert!(stage.propose("wait.until", with).expect("a proposal").effects.is_empty());
}

#[test]
fn a_wait_that_must_hold_for_a_time_says_whether_it_holds_now() {
    let world = Memory::new();
    let stage = Stage::new(&world);
    let with = "{ checks: [{ id: up, action: assert.file, with: { path: /run/pid } }], within: 1m, stable_for: 10s }";
    assert_eq!(stage.propose("wait.until", with).expect("a proposal").verdict, Verdict::Propose);
    world.machine().write("/run/pid", "7");
    let proposal = stage.propose("wait.until", with).expect("a proposal");
    assert_eq!((proposal.verdict.clone(), wait(&proposal)), (Verdict::Holds, (5.0, 60.0, 10.0)));
}

#[test]
fn a_check_that_cannot_look_means_not_yet_and_one_that_is_wrong_is_an_error() {
    let world = Memory::new();
    let stage = Stage::new(&world);
    let with = |check: &str| format!("{{ checks: [{{ id: up, {check} }}], within: 1m }}");
    let proposal = stage.propose("wait.until", &with("action: command.look, with: { argv: [none] }")).expect("a proposal");
    assert_eq!(proposal.reason.as_deref(), Some("up: cannot start `none`"));
    assert_eq!(output(&proposal, "up"), unknown(&StepId::new("me")));
    assert!(stage.refusal("wait.until", &with("action: assert.file, with: { paht: /x }")).contains("paht"));
    assert_eq!(stage.refusal("wait.until", &with("action: dir.create, with: { path: /x }")), "`dir.create` is no check");
}

#[test]
fn a_wait_fails_at_once_when_its_condition_says_so() {
    let world = Memory::new().program("/bin/state", |_, _, _| (model::program::End::Code(0), b"{\"broken\": true}".to_vec(), Vec::new()));
    let with = "{ checks: [{ id: state, action: command.look, with: { argv: [state], parse: json } },
                           { id: up, action: assert.file, with: { path: /run/pid } }], within: 1m, fail_when: checks.state.result.broken }";
    let proposal = Stage::new(&world).propose("wait.until", with).expect("a proposal");
    assert_eq!(failure(&proposal).0, "not checks.state.result.broken");
    assert!(proposal.effects.is_empty());
}

#[test]
fn what_checks_found_becomes_outputs_when_the_wait_is_over() {
    let world = Memory::new().program("/bin/state", |_, _, _| (model::program::End::Code(0), b"{\"lag\": 0}".to_vec(), Vec::new()));
    let with = "{ checks: [{ id: state, action: command.look, with: { argv: [state], parse: json } }], within: 1m }";
    let mut stage = Stage::new(&world);
    assert_eq!(output(&stage.propose("wait.until", with).expect("a proposal"), "state")["result"]["lag"].as_i64(), Some(0));
    stage.blind = true;
    assert!(model::value::until_within(&output(&stage.propose("wait.until", with).expect("a proposal"), "state")).is_some());
}

#[test]
fn process_drain_waits_for_programs_by_name_and_by_place() {
    let world = Memory::new();
    let stage = Stage::new(&world);
    let drained = |with: &str| stage.propose("process.drain", with).expect("a proposal").effects.is_empty();
    let by_image = "{ images: [pvxwin32.exe, 'pvxc*'], within: 5m }";
    let by_place = "{ paths_under: [/sage, /data], within: 5m }";
    assert!(drained(by_image) && drained(by_place));
    world.machine().processes = vec![process("PVXCOM.EXE", "/sage/Home/PVXCOM.EXE")];
    assert!(!drained(by_image) && !drained(by_place));
    let proposal = stage.propose("process.drain", by_image).expect("a proposal");
    assert_eq!(proposal.reason.as_deref(), Some("PVXCOM.EXE (pid 7)"));
    assert_eq!(words(&proposal), ["wait: no pvxwin32.exe, pvxc*"]);
    world.machine().processes = vec![process("other", "/sagebrush/other")];
    assert!(drained(by_image) && drained("{ paths_under: [/sage], within: 5m }"));
    assert!(!drained(by_place), "a file that it holds open counts");
    assert_eq!(stage.refusal("process.drain", "{ within: 5m }"), "one of `images` and `paths_under` is wanted");
}

#[test]
fn process_drain_may_want_quiet_for_a_time() {
    let world = Memory::new();
    let mut stage = Stage::new(&world);
    let proposal = stage.propose("process.drain", "{ images: [x], within: 5m, stable_for: 1m }").expect("a proposal");
    assert_eq!((proposal.verdict.clone(), wait(&proposal)), (Verdict::Holds, (5.0, 300.0, 60.0)));
    stage.blind = true;
    let proposal = stage.propose("process.drain", "{ images: [x], within: 5m }").expect("a proposal");
    assert_eq!((proposal.verdict.clone(), wait(&proposal)), (Verdict::Propose, (5.0, 300.0, 0.0)));
}

#[test]
fn session_list_says_who_works_and_session_drain_waits_for_all_but_some() {
    let world = Memory::new();
    let list = "{ images: ['pvxwin*.exe'], paths_under: [/data] }";
    let drain = "{ images: ['pvxwin*.exe'], ignore: [op], within: 20m, stable_for: 60s }";
    let stage = Stage::new(&world);
    let proposal = stage.propose("session.list", list).expect("a proposal");
    assert_eq!((&proposal.verdict, proposal.reason.as_deref()), (&Verdict::Holds, Some("0 sessions of 0 users")));
    let of = |user: &str, pid: u32| Process {
        pid,
        open: Vec::new(),
        user: Some(user.to_owned()),
        started: "2026-03-07T20:00:00Z".parse().ok(),
        ..process("PVXWIN32.EXE", "/opt/pvx")
    };
    world.machine().processes = vec![of("kim", 3), of("op", 4), of("kim", 9), Process { pid: 10, ..process("cat", "/bin/cat") }];
    let proposal = stage.propose("session.list", list).expect("a proposal");
    assert_eq!(proposal.reason.as_deref(), Some("4 sessions of 3 users"));
    assert_eq!(output(&proposal, "users"), Value::from(vec!["kim", "op", "pat"]));
    let first = &output(&proposal, "sessions")[0];
    assert_eq!((first["user"].as_str(), first["pid"].as_u64(), first["since"].as_str()), (Some("kim"), Some(3), Some("2026-03-07T20:00:00Z")));
    let proposal = stage.propose("session.drain", drain).expect("a proposal");
    assert_eq!(proposal.reason.as_deref(), Some("kim in PVXWIN32.EXE (pid 3), kim in PVXWIN32.EXE (pid 9)"));
    assert_eq!(words(&proposal), ["wait: nobody but op in pvxwin*.exe"]);
    world.machine().processes.retain(|process| process.user.as_deref() != Some("kim"));
    let proposal = stage.propose("session.drain", drain).expect("a proposal");
    assert_eq!((&proposal.verdict, wait(&proposal)), (&Verdict::Holds, (5.0, 1200.0, 60.0)));
    let proposal = stage.propose("session.drain", "{ images: ['pvxwin*.exe'], ignore: [op], within: 20m }").expect("a proposal");
    assert!(proposal.effects.is_empty());
}

#[test]
fn what_cannot_be_seen_is_never_nobody() {
    let world = Memory::new();
    let hidden = |pid: u32| Process { pid, path: None, open: Vec::new(), ..process("theirs", "") };
    world.machine().processes = vec![hidden(3), hidden(4)];
    let mut stage = Stage::new(&world);
    for (kind, more) in [("session.list", ""), ("session.drain", ", within: 1m")] {
        let wrong = stage.refusal(kind, &format!("{{ paths_under: [/data]{more} }}"));
        assert_eq!(wrong, "where `theirs` (pid 3) and 1 more works cannot be seen: that needs more rights");
        assert!(stage.propose(kind, &format!("{{ images: [other]{more} }}")).is_ok(), "their names can be seen");
        assert_eq!(stage.refusal(kind, &format!("{{ {} }}", more.trim_start_matches(", "))), "one of `images` and `paths_under` is wanted");
    }
    stage.blind = true;
    let before = StepId::new("before");
    let proposal = stage.propose("session.list", "{ images: [other] }").expect("a proposal");
    assert_eq!((&proposal.verdict, output(&proposal, "users")), (&Verdict::Later { until: before.clone() }, unknown(&before)));
    let proposal = stage.propose("session.drain", "{ images: [other], within: 1m }").expect("a proposal");
    assert_eq!(proposal.reason.as_deref(), Some("not known before `before`"));
}
