use super::super::{Condition, TemplateError, Text, render};
use super::{Names, eval, yaml};
use model::id::StepId;
use model::value::{Piece, SecretText, Value, unknown};

fn names() -> Names {
    let mut names = Names::new("{ inputs: { key: !s inputs.key, other: !s inputs.other, n: 1 }, u: !u step, list: [1, !s inputs.deep], t: true }");
    let bearer = SecretText { pieces: vec![Piece::Text("Bearer ".into()), Piece::Secret("inputs.key".into())] };
    let vars: Value = [(Value::from("bearer"), bearer.value())].into_iter().collect::<serde_yaml::Mapping>().into();
    names.0.as_mapping_mut().unwrap().insert("vars".into(), vars);
    names
}

#[test]
fn a_lone_secret_stays_what_it_is() {
    let names = names();
    assert_eq!(eval("inputs.key", &names), Ok(SecretText::named("inputs.key").value()));
    assert_eq!(Text::parse("{{ inputs.key }}").unwrap().render(&names), Ok(SecretText::named("inputs.key").value()));
    assert_eq!(render(yaml("['{{ list }}']"), &names), Ok(yaml("[[1, !s inputs.deep]]")));
}

#[test]
fn a_secret_in_an_expression_is_an_error_even_where_it_is_not_needed() {
    let names = names();
    for source in [
        "inputs.key ~ 'x'",
        "inputs.key | length",
        "inputs.key == 'x'",
        "inputs.key | upper",
        "inputs.key is defined",
        "inputs.key is none",
        "not inputs.key",
        "'x' in inputs.key",
        "[inputs.key]",
        "{'a': inputs.key}",
        "inputs.key[0]",
        "inputs.key if t else 1",
        "1 if t else inputs.key",
        "t or inputs.key",
        "u and inputs.key == 'x'",
        "inputs.key | default('x')",
        "vars.bearer ~ ''",
        "list | length",
        "1 in list",
    ] {
        let error = eval(source, &names).expect_err(source);
        assert_eq!(error.code, TemplateError::SECRET, "{source}");
        assert_eq!(error.help.as_deref(), Some("a secret can only be placed whole: `{{ NAME }}`"));
    }
    assert_eq!(Condition::parse("inputs.key").unwrap().eval(&names).unwrap_err().code, TemplateError::SECRET);
}

#[test]
fn a_part_of_a_secret_is_not_there() {
    assert_eq!(eval("inputs.key.x", &names()).unwrap_err().code, TemplateError::MISSING);
}

#[test]
fn a_text_with_a_secret_is_wholly_secret_and_holds_only_its_name() {
    let text = Text::parse("user={{ inputs.n }} key={{ inputs.key }}{{ inputs.other }}; {{ vars.bearer }}").unwrap();
    let rendered = text.render(&names()).unwrap();
    let piece = |text: &str| Piece::Text(text.into());
    let secret = |name: &str| Piece::Secret(name.into());
    let pieces = vec![piece("user=1 key="), secret("inputs.key"), secret("inputs.other"), piece("; Bearer "), secret("inputs.key")];
    assert_eq!(SecretText::of(&rendered), Some(SecretText { pieces }));
}

#[test]
fn a_text_with_a_secret_and_an_unknown_is_secret_from_the_first() {
    let rendered = Text::parse("{{ u }}{{ inputs.key }}").unwrap().render(&names()).unwrap();
    let pieces = vec![Piece::Unknown(StepId::new("step")), Piece::Secret("inputs.key".into())];
    assert_eq!(SecretText::of(&rendered), Some(SecretText { pieces }));
    assert_ne!(rendered, unknown(&StepId::new("step")));
}
