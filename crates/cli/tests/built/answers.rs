//! What is wrong in an answers file is told before anything begins: all of it, each with its place.

use super::case::{Case, Ended};

/// The first step changes a file: whatever is wrong later must be known before it.
const BOOK: &str = "format: 1
runbook: questions
version: 1.0.0
title: Ask people
touches: ['file:@DIR@/site/**']
on_failure: undo
steps:
  - { id: first, action: file.write, with: { path: '@DIR@/site/first', text: x, create_dirs: true } }
  - id: keys
    action: manual.form
    with:
      fields:
        - { name: serial, type: secret, twice: true, pattern: '[A-Z]-[0-9]+' }
        - { name: users, type: integer, min: 0, max: 999 }
        - { name: day, type: date }
        - { name: colour, enum: [red, green], default: red }
  - { id: closed, action: manual.confirm, with: { question: Is every session closed?, phrase: All closed } }
  - { id: other, action: manual.confirm, with: { question: Do you agree?, not_operator: true } }
  - { id: outcome, action: manual.decide, with: { question: And?, options: { accepted: It worked, rejected: It did not } } }
  - id: look
    action: manual.step
    with: { do: [{ do: Look }], changes: [] }
    evidence: [{ name: window, kind: image, about: The window }]
  - id: farm
    foreach: { host: '{{ client.servers }}' }
    key: '{{ host }}'
    steps:
      - { id: ready, action: manual.confirm, with: { question: 'Is {{ host }} ready?', phrase: '{{ host }} is ready' } }
  - { id: number, action: command.look, with: { argv: [/bin/echo, '7'], parse: text }, outputs: { lines: { type: string, from: '{{ result }}' } } }
  - { id: typed, action: manual.confirm, with: { phrase: 'It is {{ steps.number.lines }}' } }
  - { id: error, when: steps.outcome.choice == 'rejected', action: manual.form, with: { fields: [{ name: code, type: integer }] } }
  - { id: last, action: command.run, with: { argv: [/bin/true], changes: [] }, undo: { action: manual.step, with: { do: [{ do: Undo it }] } } }
";

const HARBOR: &str = "format: 1
client: harbor
name: Harbor
zone: UTC
values: { servers: [rds01, rds02] }
";

const RIGHT: &str = "format: 1
answers:
  keys: { serial: { env: SERIAL }, users: 15, day: '2026-03-07' }
  closed: All closed
  other: { by: lee, answer: confirmed }
  outcome: accepted
  look: { answer: done }
  farm[rds01]/ready: rds01 is ready
  farm[rds02]/ready: rds02 is ready
  typed: It is 7
";

const WRONG: &str = "format: 1
answers:
  keys: { serial: canary-4711, users: 1000, day: 7.3.2026, colour: blue, usres: 3 }
  closed: all closed
  other: confirmed
  outcome: acepted
  look: { answer: done, windw: a.png, window: 3 }
  farm[rds01]/ready: rds02 is ready
  farm[rds03]/ready: rds03 is ready
  farm/ready: done
  error: { code: x }
  last: { note: well }
  lost: done
";

fn case(answers: &str) -> Case {
    Case::new(&[("book.yaml", BOOK), ("harbor.yaml", HARBOR), ("answers.yaml", answers)])
}

fn plan(case: &Case, verb: &str, rest: &[&str]) -> Ended {
    case.run(&[&[verb, "book.yaml", "--client", "harbor.yaml", "--answers", "answers.yaml", "--no-look", "--no-input"], rest].concat())
}

fn with_serial(case: &Case, words: &[&str]) -> i32 {
    case.command().env("SERIAL", "K-1").args(words).status().unwrap().code().unwrap()
}

/// Without the lines of the file, which show where it is.
fn told(ended: &Ended) -> Vec<&str> {
    ended.err.lines().filter(|line| line.starts_with("error[") || line.trim_start().starts_with("answers.yaml:") || line.contains("help:")).collect()
}

#[test]
fn all_wrong_answers_are_refused_at_once_with_their_places_before_anything_is_changed() {
    let case = case(WRONG);
    for (verb, rest) in [("plan", &["-o", "book.plan"][..]), ("run", &["--dry-run"]), ("run", &["--yes"])] {
        let mut wrong = plan(&case, verb, rest).exits(3);
        // Whoever plans is not yet the operator.
        wrong.err = wrong.err.replace("other than pat has", "other than the operator has");
        let expected = "\
error[wrong-answer]: field `serial`: it must match `[A-Z]-[0-9]+`
  answers.yaml:3:19
error[wrong-answer]: field `users`: it is out of range, 0-999
  answers.yaml:3:39
error[wrong-answer]: field `day`: a date like 2026-03-07 is wanted
  answers.yaml:3:50
error[wrong-answer]: field `colour`: one of these is wanted: red, green
  answers.yaml:3:68
error[unknown-field]: `keys` has no field `usres`
  answers.yaml:3:74
  help: did you mean `users`?
error[wrong-answer]: the phrase `All closed` is wanted
  answers.yaml:4:11
error[wrong-answer]: somebody other than the operator has to confirm
  answers.yaml:5:10
  help: `{ by: NAME, answer: confirmed }`
error[wrong-answer]: it is none of the options
  answers.yaml:6:12
  help: did you mean `accepted`?
error[unknown-field]: `look` has no field `windw`
  answers.yaml:7:25
  help: did you mean `window`?
error[wrong-answer]: a path is wanted
  answers.yaml:7:47
error[wrong-answer]: the phrase `rds01 is ready` is wanted
  answers.yaml:8:22
error[unknown-question]: no step `farm[rds03]/ready` asks anything
  answers.yaml:9:3
  help: did you mean `farm[rds01]/ready`?
error[unknown-question]: no step `farm/ready` asks anything
  answers.yaml:10:3
  help: it asks once for each instance: `farm[rds01]/ready`
error[wrong-answer]: field `code`: a whole number is wanted
  answers.yaml:11:18
error[unknown-question]: no step `lost` asks anything
  answers.yaml:13:3
  help: did you mean `last`?";
        assert_eq!(told(&wrong).join("\n"), expected, "{}", wrong.err);
        assert!(wrong.err.ends_with("15 errors. Nothing was touched.\n"), "{}", wrong.err);
        assert!(!(wrong.out + &wrong.err).contains("canary-4711"), "a secret is not repeated");
        assert!(case.read("site/first").is_none() && case.read("book.plan").is_none() && !case.dir().join("state").exists());
    }
}

#[test]
fn right_answers_are_taken_whatever_is_not_known_yet() {
    let case = case(RIGHT);
    let _ = plan(&case, "plan", &["-o", "book.plan"]).exits(0);
    let run = ["run", "book.plan", "--client", "harbor.yaml", "--answers", "answers.yaml", "--no-input", "--yes"];
    assert_eq!(with_serial(&case, &run), 0);
}

#[test]
fn a_secret_that_is_not_in_the_environment_is_missing_before_the_run_begins() {
    let case = case(RIGHT);
    let missing = plan(&case, "run", &["--yes"]).exits(7);
    assert!(missing.err.contains("`keys`: field `serial` (secret): there is no `SERIAL` in the environment"), "{}", missing.err);
    assert!(case.read("site/first").is_none());
}

#[test]
fn a_saved_plan_judges_its_answers_before_it_begins() {
    let case = case(RIGHT);
    let _ = plan(&case, "plan", &["-o", "book.plan"]).exits(0);
    case.write("answers.yaml", &RIGHT.replace("accepted", "acepted"));
    let run = ["run", "book.plan", "--client", "harbor.yaml", "--answers", "answers.yaml", "--no-input", "--yes"];
    let wrong = case.run(&run).exits(3);
    assert!(wrong.err.contains("answers.yaml:6:12"), "{}", wrong.err);
    case.write("answers.yaml", &RIGHT.replace("by: lee", "by: pat"));
    let wrong = case.run(&run).exits(3);
    assert!(wrong.err.contains("somebody other than pat"), "{}", wrong.err);
    assert!(case.read("site/first").is_none());
}

/// A form whose secret a later step needs, then a step that fails once.
const CUT: &str = "format: 1
runbook: cut
version: 1.0.0
title: It fails once
touches: ['file:@DIR@/site/**']
steps:
  - { id: keys, action: manual.form, with: { fields: [{ name: serial, type: secret }, { name: users, type: integer }] } }
  - { id: there, action: assert.file, with: { path: '@DIR@/site/there', exists: true } }
  - { id: sure, action: manual.confirm, with: { phrase: Sure } }
  - { id: use, action: command.run, with: { argv: [/bin/cat], stdin: '{{ steps.keys.serial }}', changes: [] } }
";

#[test]
fn a_run_goes_on_with_a_form_that_has_open_fields_beside_a_secret_and_only_with_answers_that_fit() {
    let recovery = "recovery: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\n";
    let answers = "format: 1\nanswers:\n  keys: { serial: K-1, users: 3 }\n  sure: Sure\n";
    let case = Case::new(&[("book.yaml", CUT), ("harbor.yaml", &format!("{HARBOR}{recovery}")), ("answers.yaml", answers), ("site/x", "")]);
    let with = |words: &[&str]| case.run(&[words, &["--client", "harbor.yaml", "--answers", "answers.yaml", "--no-input", "--yes"]].concat());
    case.write("site/there", "");
    let _ = case.run(&["plan", "book.yaml", "--client", "harbor.yaml", "--run-id", "r1", "-o", "book.plan"]).exits(0);
    std::fs::remove_file(case.dir().join("site/there")).unwrap();
    let _ = with(&["run", "book.plan"]).exits(1);
    case.write("site/there", "");
    case.write("answers.yaml", &answers.replace("sure: Sure", "sure: sure"));
    let wrong = with(&["resume", "r1"]).exits(3);
    assert!(wrong.err.contains("the phrase `Sure` is wanted") && wrong.err.contains("answers.yaml:4:9"), "{}", wrong.err);
    case.write("answers.yaml", answers);
    let _ = with(&["resume", "r1"]).exits(0);
}

/// What a step's own undo asks.
const BACK: &str = "format: 1
runbook: back
version: 1.0.0
title: It is taken back by hand
touches: ['file:@DIR@/site/**']
steps:
  - { id: write, action: file.write, with: { path: '@DIR@/site/first', text: x, create_dirs: true } }
  - id: post
    action: command.run
    with: { argv: [/bin/true], changes: [] }
    undo: { action: manual.confirm, with: { question: Is the letter back?, phrase: It is back } }
";

#[test]
fn an_undo_judges_its_answers_before_it_begins() {
    let case = Case::new(&[("book.yaml", BACK), ("answers.yaml", "format: 1\nanswers:\n  post: it is back\n")]);
    let _ = case.run(&["run", "book.yaml", "--run-id", "r1", "--yes"]).exits(0);
    for how in ["--dry-run", "--yes"] {
        let wrong = case.run(&["undo", "r1", "--answers", "answers.yaml", "--no-input", how]).exits(3);
        assert!(wrong.err.contains("the phrase `It is back` is wanted") && wrong.err.contains("answers.yaml:3:9"), "{}", wrong.err);
        assert!(case.read("site/first").is_some());
    }
    case.write("answers.yaml", "format: 1\nanswers:\n  post: It is back\n");
    let _ = case.run(&["undo", "r1", "--answers", "answers.yaml", "--no-input", "--yes"]).exits(0);
    assert!(case.read("site/first").is_none());
}
