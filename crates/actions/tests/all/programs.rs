//! What the actions on programs propose.

use crate::stage::{Stage, failure, output, with, words};
use model::effect::Effect;
use model::id::StepId;
use model::program::End;
use model::state::{Content, State};
use model::value::{SecretText, Text, unknown};
use world::act::Source;
use world::memory::Memory;
use world::proposal::{Field, Out, Proposal, Verdict};

fn world() -> Memory {
    let world = Memory::new()
        .program("/usr/bin/lag", |_, _, _| (End::Code(0), b"{\"lag\": 3}\n".to_vec(), Vec::new()))
        .program("/usr/bin/cat", |_, _, stdin| (End::Code(0), stdin.to_vec(), Vec::new()))
        .program("/usr/bin/fails", |_, _, _| (End::Code(3), Vec::new(), b"\nno such host\nmore\n".to_vec()));
    world.machine().write("/data/a", "1");
    world.machine().write("/data/b", "22");
    world
}

fn run(proposal: &Proposal) -> (&model::program::Program, &[model::effect::Before]) {
    match proposal.effects.first().map(|proposed| &proposed.effect) {
        Some(Effect::Run { program, changes }) => (program, changes),
        other => panic!("the first effect is {other:?}"),
    }
}

#[test]
fn command_look_reads_the_output_as_declared() {
    let world = world();
    let proposal = Stage::new(&world).propose("command.look", "{ argv: [lag], parse: json }").expect("a proposal");
    assert_eq!(proposal.verdict, Verdict::Holds);
    assert_eq!(output(&proposal, "result")["lag"].as_i64(), Some(3));
    let proposal = Stage::new(&world).propose("command.look", "{ argv: [cat], stdin: \"a\\nb\\n\", parse: lines }").expect("a proposal");
    assert_eq!(output(&proposal, "result"), serde_yaml::from_str::<model::value::Value>("[a, b]").expect("yaml"));
}

#[test]
fn command_look_fails_with_the_first_line_of_what_went_wrong() {
    let world = world();
    let stage = Stage::new(&world);
    let proposal = stage.propose("command.look", "{ argv: [fails] }").expect("a proposal");
    assert_eq!(failure(&proposal), ("exit 0", "exit 3: no such host"));
    assert_eq!(stage.propose("command.look", "{ argv: [fails], expect_exit: [0, 3] }").expect("a proposal").verdict, Verdict::Holds);
    let proposal = stage.propose("command.look", "{ argv: [lag], expect_stdout: 'lag\": 0' }").expect("a proposal");
    assert_eq!(failure(&proposal), ("`lag\": 0` in its output", "it is not there"));
    assert_eq!(stage.refusal("command.look", "{ argv: [cat], stdin: x, parse: json }"), "its output is not JSON: line 1, column 1");
}

#[test]
fn command_look_is_later_when_it_cannot_be_known_yet() {
    let world = world();
    let mut stage = Stage::new(&world);
    let argument = with("{}", "argv", vec![model::value::Value::from("cat"), unknown(&StepId::new("form"))].into());
    let proposal = stage.propose_value("command.look", &argument).expect("a proposal");
    assert_eq!(proposal.verdict, Verdict::Later { until: StepId::new("form") });
    stage.blind = true;
    let proposal = stage.propose("command.look", "{ argv: [lag] }").expect("a proposal");
    assert_eq!(output(&proposal, "result"), unknown(&StepId::new("before")));
}

#[test]
fn a_secret_never_goes_to_the_arguments_of_a_program_nor_into_a_look() {
    let world = world();
    let stage = Stage::new(&world);
    let secret = SecretText::named("inputs.key").value();
    for kind in ["command.run", "command.look"] {
        let argument = with("{}", "argv", vec![model::value::Value::from("cat"), secret.clone()].into());
        let wrong = stage.propose_value(kind, &argument).expect_err("it is refused").to_string();
        assert!(wrong.contains("argv"), "{wrong}");
    }
    let wrong = stage.propose_value("command.look", &with("{ argv: [cat] }", "stdin", secret.clone())).expect_err("it is refused");
    assert!(wrong.to_string().contains("`with.stdin`: no secret may stand here"));
    let proposal = stage.propose_value("command.run", &with("{ argv: [cat] }", "stdin", secret)).expect("a proposal");
    assert_eq!(run(&proposal).0.stdin, Some(Text::Secret(SecretText::named("inputs.key"))));
}

#[test]
fn command_run_pins_the_program_and_what_it_changes() {
    let world = world();
    world.machine().services.insert("nginx".to_owned(), service());
    let with = "{ argv: [lag, -s], cwd: /data, env: { A: b }, changes: ['file:/data', 'file:/data/none', 'service:nginx', 'other:dns'] }";
    let proposal = Stage::new(&world).propose("command.run", with).expect("a proposal");
    let (program, changes) = run(&proposal);
    assert_eq!((program.argv.join(" ").as_str(), program.cwd.as_deref()), ("/usr/bin/lag -s", Some("/data")));
    assert!(matches!(&changes[0].before, State::Tree(tree) if tree.files == 2 && tree.bytes == 3), "{:?}", changes[0]);
    assert_eq!(changes[1].before, State::Absent);
    assert!(matches!(changes[2].before, State::Service(_)));
    assert!(matches!(changes[3].before, State::Foreign { .. }));
    assert_eq!(proposal.outputs["exit"], Out::Observed { effect: 0, field: Field::Exit });
    assert_eq!(proposal.outputs["result"], Out::Observed { effect: 0, field: Field::Result });
}

fn service() -> model::state::ServiceState {
    model::state::ServiceState { run: model::state::RunState::Running, start: model::state::StartType::Automatic, account: None }
}

#[test]
fn the_output_of_a_program_can_become_a_file() {
    let world = world();
    let proposal =
        Stage::new(&world).propose("command.run", "{ argv: [lag], changes: [], stdout: { path: /data/a, mode: '0600' } }").expect("a proposal");
    assert!(matches!(proposal.effects[1].source, Source::Stdout));
    assert_eq!(crate::stage::file_after(&proposal).content, Content::Unknown { until: StepId::new("me") });
    assert_eq!(crate::stage::mode_after(&proposal), Some(0o600));
    assert_eq!(words(&proposal)[0], "run /usr/bin/lag");
}

#[test]
fn an_argument_that_is_not_known_yet_is_a_placeholder_in_the_plan() {
    let world = world();
    let argument = with("{}", "argv", vec![model::value::Value::from("cat"), unknown(&StepId::new("form"))].into());
    let proposal = Stage::new(&world).propose_value("command.run", &argument).expect("a proposal");
    assert_eq!(run(&proposal).0.argv, ["/usr/bin/cat", "<known after form>"]);
}

#[test]
fn programs_that_cannot_be_started_are_refused_when_planning() {
    let world = world();
    let stage = Stage::new(&world);
    assert!(stage.refusal("command.run", "{ argv: [nothing] }").contains("nothing"));
    assert_eq!(stage.refusal("command.run", "{ argv: [] }"), "`argv` is empty");
    assert!(stage.refusal("command.run", "{ argv: [cat], changes: ['file:/data/*'] }").contains("is a pattern"));
    assert!(stage.refusal("command.run", "{ argv: [cat], changes: [/data] }").contains("a resource is written"));
    assert_eq!(stage.refusal("command.run", "{ argv: [cat], env: { 'A=B': c } }"), "a name in `env` is empty or holds `=`");
}
