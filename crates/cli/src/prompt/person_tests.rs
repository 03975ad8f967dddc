#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use super::super::script::Script;
use super::*;
use engine::people::ChoiceOption;
use model::effect::Ask;
use model::id::StepId;
use model::value::SecretText;
use serde_json::{Value as Json, json};

fn ask(script: &Script, definition: Json) -> Result<Answer, NoAnswer> {
    let ask: Ask = serde_json::from_value(definition).unwrap();
    let reveal = |_: &SecretText| Some(Zeroizing::new(b"hunter2".to_vec()));
    let person = Person { console: script, paper: Paper::PLAIN, operator: "pat", place: Some((22, 37)) };
    person.ask(&Question { step: &StepId::new("keys"), title: Some("Write down the keys"), ask: &ask, evidence: &[], again: false, reveal: &reveal })
}

#[test]
fn a_form_asks_each_field_hides_secrets_and_compares_them() {
    let script = Script::new(&["K-1", "K-2", "K-1", "K-1", "x", "15", "y"]);
    let form = json!({ "form": { "form": "fields", "instructions": [{ "do": "Open it", "see": "four fields" }], "fields": [
        { "name": "serial", "type": "secret", "twice": true }, { "name": "users", "type": "integer", "min": 0, "max": 999 } ] } });
    let answer = ask(&script, form).unwrap();
    assert_eq!(answer.by, "pat");
    assert!(matches!(&answer.given["serial"], Given::Secret(bytes) if bytes.as_slice() == b"K-1"));
    let expected = "
* [22 of 37] keys                           NEEDS YOU, changes nothing
Write down the keys
  1 [ ] Open it
        you see: four fields
serial (hidden, twice): 
  once more: 
  the two are not the same: once more from the beginning
serial (hidden, twice): 
  once more: 
users (0-999): x
  a whole number is wanted, 0-999
users (0-999): 15
Record it? [y] yes  [e] edit  [o] not as described  [s] stop  [?] help : y
";
    assert_eq!(script.shown(), expected);
}

#[test]
fn a_secret_is_shown_only_on_request() {
    let definition = json!({ "form": { "form": "step", "instructions": [{ "do": "Type it in" }] }, "may_change": true,
                             "show": { "Key": { "secret": ["inputs.key"] } } });
    let script = Script::new(&["y"]);
    ask(&script, definition.clone()).unwrap();
    assert!(!script.shown().contains("hunter2"), "{}", script.shown());
    let script = Script::new(&["v", "y"]);
    ask(&script, definition).unwrap();
    assert!(script.shown().contains("  Key: hunter2\n"), "{}", script.shown());
}

#[test]
fn not_as_described_fails_the_step_and_stop_stops() {
    let definition = json!({ "form": { "form": "step", "instructions": [{ "do": "Look" }] } });
    let script = Script::new(&["o", "the window is empty"]);
    assert!(matches!(ask(&script, definition.clone()), Err(NoAnswer::Otherwise(why)) if why == "the window is empty"));
    assert!(matches!(ask(&Script::new(&["?", "s"]), definition.clone()), Err(NoAnswer::Stopped)));
    assert!(matches!(ask(&Script::new(&["^C"]), definition.clone()), Err(NoAnswer::Stopped)));
    assert!(matches!(ask(&Script::new(&[]), definition), Err(NoAnswer::Missing(_))));
}

#[test]
fn a_confirmation_wants_its_phrase_and_somebody_else() {
    let definition = json!({ "form": { "form": "confirm", "question": "Is every session closed?", "phrase": "all closed", "not_operator": true } });
    let script = Script::new(&["pat", "lee", "yes", "all closed"]);
    assert_eq!(ask(&script, definition).unwrap().by, "lee");
    assert!(script.shown().contains("the phrase must be typed exactly"), "{}", script.shown());
}

#[test]
fn a_decision_has_no_default_and_takes_a_number_or_a_name() {
    let definition =
        json!({ "form": { "form": "decide", "question": "And?", "options": [["ok", "It worked"], ["error", "It did not"]], "expected": "ok" } });
    for (typed, chosen) in [(&["", "2"][..], "error"), (&["3", "ok"][..], "ok")] {
        let answer = ask(&Script::new(typed), definition.clone()).unwrap();
        assert!(matches!(&answer.given["choice"], Given::Plain(choice) if choice == chosen));
    }
}

#[test]
fn a_choice_says_what_each_option_does_and_has_no_default() {
    let option = |key, text: &str| ChoiceOption { key, text: text.into() };
    let choice = Choice {
        about: "backup".into(),
        text: vec!["`backup`: no space".into()],
        options: vec![option("retry", "look again"), option("undo", "take back 5 changes"), option("stop", "leave all as it is")],
    };
    let chosen = |script: &Script| Person { console: script, paper: Paper::PLAIN, operator: "pat", place: None }.choose(&choice);
    let script = Script::new(&["", "c", "u"]);
    assert_eq!(chosen(&script).unwrap(), "undo");
    let expected = "
`backup`: no space

What now?
  [r] retry         look again
  [u] undo          take back 5 changes
  [s] stop          leave all as it is
Letter and Enter (no default): 
";
    assert!(script.shown().starts_with(expected), "{}", script.shown());
    assert_eq!(chosen(&Script::new(&["^C"])).unwrap(), "stop");
    assert!(matches!(chosen(&Script::new(&[])), Err(NoAnswer::Missing(_))));
    assert_eq!(letters(&["stop", "skip", "steps"]), ['s', 'k', 't']);
}

#[test]
fn a_secret_input_is_entered_twice() {
    let script = Script::new(&["", "a", "b", "a", "a"]);
    let person = Person { console: &script, paper: Paper::PLAIN, operator: "pat", place: None };
    assert_eq!(person.secret("key").unwrap().as_slice(), b"a");
}
