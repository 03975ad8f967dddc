//! What people are asked.

use crate::stage::{Stage, with, words};
use model::effect::{Ask, Effect, Form};
use model::id::StepId;
use model::value::{SecretText, Text, Value, unknown};
use world::memory::Memory;
use world::proposal::{Field, Out, Proposal};

fn ask(proposal: &Proposal) -> &Ask {
    match proposal.effects.as_slice() {
        [one] => match &one.effect {
            Effect::Ask(ask) => ask,
            other => panic!("the effect is {other}"),
        },
        other => panic!("{} effects", other.len()),
    }
}

#[test]
fn manual_step_says_whether_anything_may_change() {
    let world = Memory::new();
    world.machine().write("/keys/ACTIVATE.PVX", "old");
    let stage = Stage::new(&world);
    let step = |more: &str| stage.propose("manual.step", &format!("{{ do: [{{ do: Click Activate, see: A message }}]{more} }}")).expect("a proposal");
    assert!(ask(&step("")).may_change);
    assert!(!ask(&step(", changes: []")).may_change);
    let proposal = step(", changes: ['file:/keys/ACTIVATE.PVX']");
    assert!(ask(&proposal).may_change);
    assert_eq!(ask(&proposal).changes[0].resource.to_string(), "file:/keys/ACTIVATE.PVX");
    assert_eq!(words(&proposal), ["Click Activate"]);
}

#[test]
fn what_is_shown_may_be_secret_or_a_number_or_not_known_yet() {
    let world = Memory::new();
    let mut show = serde_yaml::Mapping::new();
    show.insert("Serial".into(), SecretText::named("inputs.serial").value());
    show.insert("Users".into(), Value::from(22));
    show.insert("Case".into(), unknown(&StepId::new("call")));
    let value = with("{ do: [{ do: Type them in }], changes: [] }", "show", Value::Mapping(show));
    let proposal = Stage::new(&world).propose_value("manual.step", &value).expect("a proposal");
    let show = &ask(&proposal).show;
    assert_eq!(show["Serial"], Text::Secret(SecretText::named("inputs.serial")));
    assert_eq!(show["Users"], Text::Plain("22".to_owned()));
    assert_eq!(show["Case"], Text::Plain("<known after call>".to_owned()));
}

#[test]
fn an_instruction_that_is_not_known_yet_is_a_placeholder() {
    let world = Memory::new();
    let mut instruction = serde_yaml::Mapping::new();
    instruction.insert("do".into(), unknown(&StepId::new("users")));
    let value = with("{ changes: [] }", "do", vec![Value::Mapping(instruction)].into());
    let proposal = Stage::new(&world).propose_value("manual.step", &value).expect("a proposal");
    assert_eq!(words(&proposal), ["<known after users>"]);
}

#[test]
fn every_field_of_a_form_becomes_an_output() {
    let world = Memory::new();
    let form =
        "{ do: [{ do: Look at the tab Modules }], fields: [{ name: modules, type: integer, min: 1 }, { name: key, type: secret, twice: true }] }";
    let proposal = Stage::new(&world).propose("manual.form", form).expect("a proposal");
    assert!(!ask(&proposal).may_change);
    assert_eq!(proposal.outputs["modules"], Out::Observed { effect: 0, field: Field::Answer("modules".to_owned()) });
    assert_eq!(words(&proposal), ["2 fields, 1 secret"]);
    let Form::Fields { fields, .. } = &ask(&proposal).form else { panic!("no form") };
    assert!(fields[1].twice);
}

#[test]
fn a_field_may_have_to_equal_a_secret_or_an_answer_not_given_yet() {
    let world = Memory::new();
    let stage = Stage::new(&world);
    for (same_as, wanted) in [
        (SecretText::named("steps.new.serial").value(), Text::Secret(SecretText::named("steps.new.serial"))),
        (unknown(&StepId::new("new")), Text::Plain("<known after new>".to_owned())),
        (Value::from(22), Text::Plain("22".to_owned())),
    ] {
        let field = with("{ name: serial }", "same_as", same_as);
        let proposal = stage.propose_value("manual.form", &with("{}", "fields", vec![field].into())).expect("a proposal");
        let Form::Fields { fields, .. } = &ask(&proposal).form else { panic!("no form") };
        assert_eq!(fields[0].same_as, Some(wanted));
    }
}

#[test]
fn forms_that_cannot_be_answered_are_refused() {
    let world = Memory::new();
    let stage = Stage::new(&world);
    for (with, why) in [
        ("{ fields: [] }", "`fields` is empty"),
        ("{ fields: [{ name: a }, { name: a }] }", "two fields are called `a`"),
        ("{ fields: [{ name: User-Key }] }", "a field cannot be called `User-Key`"),
        ("{ fields: [{ name: step }] }", "a field cannot be called `step`"),
        ("{ fields: [{ name: k, type: secret, default: x }] }", "the secret field `k` must not have a default"),
    ] {
        let refused = stage.refusal("manual.form", with);
        assert!(refused.starts_with(why), "{with}: {refused}");
    }
}

#[test]
fn a_confirmation_follows_the_policy_unless_it_says_otherwise() {
    let world = Memory::new();
    let mut stage = Stage::new(&world);
    stage.four_eyes = true;
    let not_operator = |stage: &Stage<'_>, with: &str| match &ask(&stage.propose("manual.confirm", with).expect("a proposal")).form {
        Form::Confirm { not_operator, .. } => *not_operator,
        other => panic!("{other:?}"),
    };
    assert!(not_operator(&stage, "{ question: Go on? }"));
    assert!(!not_operator(&stage, "{ question: Go on?, not_operator: false }"));
    stage.four_eyes = false;
    assert!(!not_operator(&stage, "{ role: approver, phrase: harbor }"));
    let secret = with("{ question: Go on? }", "phrase", SecretText::named("inputs.key").value());
    let wrong = stage.propose_value("manual.confirm", &secret).expect_err("it is refused").to_string();
    assert_eq!(wrong, "`with.phrase`: no secret may stand here");
}

#[test]
fn a_decision_keeps_the_order_of_its_options_and_expects_the_first() {
    let world = Memory::new();
    let stage = Stage::new(&world);
    let options = "question: What did Sage show?, options: { rejected: An error, accepted: The new registration }";
    let expected = |with: &str| match &ask(&stage.propose("manual.decide", with).expect("a proposal")).form {
        Form::Decide { expected, .. } => expected.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(expected(&format!("{{ {options} }}")), "rejected");
    assert_eq!(expected(&format!("{{ {options}, expected: accepted }}")), "accepted");
    assert_eq!(stage.refusal("manual.decide", &format!("{{ {options}, expected: maybe }}")), "`expected` is `maybe`, which is none of the options");
    assert_eq!(stage.refusal("manual.decide", "{ question: x, options: {} }"), "`options` is empty");
    let proposal = stage.propose("manual.decide", &format!("{{ {options} }}")).expect("a proposal");
    assert_eq!(words(&proposal), ["What did Sage show? rejected | accepted"]);
    assert_eq!(proposal.outputs["choice"], Out::Observed { effect: 0, field: Field::Answer("choice".to_owned()) });
}
