#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use super::*;
use model::id::StepId;
use model::value::SecretText;
use serde_json::json;

fn answers(by_step: Json) -> Answers {
    Answers { by_step: serde_json::from_value(by_step).unwrap(), ..Answers::none() }
}

#[expect(clippy::needless_pass_by_value, reason = "a literal is written at every call")]
fn ask(form: Json) -> Ask {
    serde_json::from_value(json!({ "form": form })).unwrap()
}

fn answer(answers: &Answers, ask: &Ask) -> Result<Answer, String> {
    let reveal = |_: &SecretText| Some(Zeroizing::new(b"K-1".to_vec()));
    answers.answer(&Question { step: &StepId::new("s"), title: None, ask, evidence: &[], again: false, reveal: &reveal }, "pat")
}

fn keys() -> Ask {
    ask(json!({ "form": "fields", "fields": [
        { "name": "serial", "type": "secret", "twice": true, "same_as": { "secret": ["inputs.key"] } },
        { "name": "users", "type": "integer", "min": 0, "max": 999 },
        { "name": "note", "default": "none" }
    ] }))
}

#[test]
fn all_that_is_missing_is_named_with_its_type_and_place() {
    let wanted = [EvidenceWanted { name: "window".into(), kind: "image".into(), required: true, about: None }];
    let decide = ask(json!({ "form": "decide", "question": "And?", "options": [["ok", "It worked"], ["error", "It did not"]], "expected": "ok" }));
    let confirm = ask(json!({ "form": "confirm", "question": "Closed?", "phrase": "all closed" }));
    let none = answers(json!({}));
    assert_eq!(
        none.missing("s", &keys(), &wanted),
        ["`s`: field `serial` (secret)", "`s`: field `users` (integer, 0-999)", "`s`: evidence `window` (image, a path)"]
    );
    assert_eq!(none.missing("d", &decide, &[]), ["`d`: one of ok, error"]);
    assert_eq!(none.missing("c", &confirm, &[]), ["`c`: the phrase `all closed`"]);
    assert_eq!(answers(json!({ "d": "ok" })).missing("d", &decide, &[]), [] as [&str; 0]);
}

#[test]
fn fields_are_judged_as_if_they_were_typed() {
    let given = answer(&answers(json!({ "s": { "serial": "K-1", "users": 15 } })), &keys()).unwrap().given;
    assert!(matches!(&given["serial"], Given::Secret(bytes) if bytes.as_slice() == b"K-1"));
    assert!(matches!(&given["users"], Given::Plain(users) if *users == 15));
    assert!(matches!(&given["note"], Given::Plain(note) if note == "none"));
    let wrong = |said: Json| answer(&answers(json!({ "s": said })), &keys()).err().unwrap();
    assert_eq!(wrong(json!({ "serial": "K-2", "users": 15 })), "field `serial`: it is not what it must be the same as");
    assert_eq!(wrong(json!({ "serial": "K-1", "users": 1000 })), "field `users`: it is out of range, 0-999");
    assert_eq!(wrong(json!({ "serial": "K-1", "users": 1, "seriel": "" })), "there is no field `seriel`");
}

#[test]
fn a_confirmation_needs_its_phrase_and_perhaps_somebody_else() {
    let confirm = ask(json!({ "form": "confirm", "question": "Closed?", "phrase": "all closed", "not_operator": true }));
    assert_eq!(answer(&answers(json!({ "s": "yes" })), &confirm).err().unwrap(), "the phrase `all closed` is wanted");
    assert!(answer(&answers(json!({ "s": "all closed" })), &confirm).err().unwrap().contains("somebody other than pat"));
    assert_eq!(answer(&answers(json!({ "s": { "by": "lee", "answer": "all closed" } })), &confirm).unwrap().by, "lee");
}
