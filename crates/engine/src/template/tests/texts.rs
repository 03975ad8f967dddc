use super::super::{Place, TemplateError, Text, render};
use super::{Names, yaml};

fn names() -> Names {
    Names::new(
        "{ inputs: { dir: /srv, n: 5, list: [a, b], map: { a: 1 }, none: null, t: true, half: 0.5, trap: '{{ inputs.n }} {% if %} {# x #}' }, list: [x] }",
    )
}

#[test]
fn texts_are_rendered_piece_by_piece() {
    let names = names();
    for (source, expected) in [
        ("plain", "plain"),
        ("", "''"),
        ("{{ inputs.n }}", "5"),
        ("{{inputs.n}}", "5"),
        ("{{ inputs.list }}", "[a, b]"),
        ("{{ inputs.none }}", "null"),
        ("{{ inputs.t }}", "true"),
        (" {{ inputs.n }}", "' 5'"),
        ("{{ inputs.dir }}/x-{{ inputs.n }}{{ inputs.t }}{{ inputs.half }}", "/srv/x-5true0.5"),
        ("{{ {'a': {'b': 1}} }}", "{ a: { b: 1 } }"),
        ("{{ '}}' }}x", "'}}x'"),
        ("{{ \"{{\" }} is text", "'{{ is text'"),
        ("{{ '{%' }}x%}", "'{%x%}'"),
        ("{{ -inputs.n }}", "-5"),
        ("{{-5}}", "-5"),
        ("a { b } ${#list} {% c", "'a { b } ${#list} {% c'"),
        ("%} }} #}", "'%} }} #}'"),
        ("{{ inputs.n\n + 1 }}", "6"),
        ("{ {{ inputs.n }} }", "'{ 5 }'"),
        ("{{{'a': 1}}}", "{ a: 1 }"),
    ] {
        let text = Text::parse(source).unwrap_or_else(|error| panic!("{source}: {error}"));
        assert_eq!(text.render(&names), Ok(yaml(expected)), "{source}");
    }
}

#[test]
fn values_are_never_rendered_again() {
    let names = names();
    let trap = "{{ inputs.n }} {% if %} {# x #}";
    assert_eq!(Text::parse("{{ inputs.trap }}").unwrap().render(&names), Ok(trap.into()));
    assert_eq!(Text::parse("<{{ inputs.trap }}>").unwrap().render(&names), Ok(format!("<{trap}>").into()));
    assert_eq!(Text::parse("{{ inputs.trap ~ '{{ inputs.n }}' }}").unwrap().render(&names), Ok(format!("{trap}{{{{ inputs.n }}}}").into()));
    assert_eq!(render(yaml("{ '{{ key }}': '{{ inputs.trap }}' }"), &names), Ok(yaml(&format!("{{ '{{{{ key }}}}': '{trap}' }}"))));
}

#[test]
fn a_lone_expression_is_told_from_a_text() {
    for (source, lone) in [("{{ a }}", true), ("{{ a ~ b }}", true), (" {{ a }}", false), ("{{ a }}{{ b }}", false), ("a", false), ("", false)] {
        assert_eq!(Text::parse(source).unwrap().is_lone(), lone, "{source}");
    }
    let source = "x {{ inputs.a }} {{ steps.b.c ~ vars.d }}";
    let text = Text::parse(source).unwrap();
    let names: Vec<_> = text.names().map(|name| &source[name.at.clone()]).collect();
    assert_eq!(names, ["inputs.a", "steps.b.c", "vars.d"]);
}

#[test]
fn what_is_no_template_is_refused_at_its_place() {
    for (source, at, message) in [
        ("a {{ b", "{{", "`{{` has no `}}`"),
        ("a {{", "{{", "`{{` has no `}}`"),
        ("{{ }}", "", "an expression is missing"),
        ("x {{ 'a }} b", "'", "this text has no closing quote"),
        ("x {{ a } }}", "}", "`}` closes nothing"),
        ("x {{ (a }}", "}", "`)` is missing here"),
        ("x {{ .Names }}", ".", "`.` cannot stand here"),
        ("x {{ a -}}", "", "the expression ends too early"),
        ("x {{- a }}", "{{-", "white space cannot be stripped here"),
        ("x {% for a in b %}", "{%", "`{% %}` is not available: a text has expressions only"),
        ("x {% set a = 1 %}", "{%", "`{% %}` is not available: a text has expressions only"),
        ("x {# c #}", "{#", "`{# #}` is not available: write a comment outside the text"),
        ("ä {{ a | nope }}", "nope", "there is no filter `nope`"),
    ] {
        let error = Text::parse(source).expect_err(source);
        assert_eq!((&source[error.at.clone()], error.message.as_str()), (at, message), "{source}");
    }
}

#[test]
fn what_cannot_stand_in_a_text_is_refused_with_a_way_out() {
    for (source, message, help) in [
        ("x{{ inputs.list }}", "a list cannot stand in a text", Some("make a text of it: `{{ NAME | join(', ') }}`")),
        ("x{{ inputs.map }}", "a mapping cannot stand in a text", None),
        ("x{{ inputs.none }}", "none cannot stand in a text", Some("say what stands there instead: `{{ NAME | default('-') }}`")),
    ] {
        let error = Text::parse(source).unwrap().render(&names()).expect_err(source);
        assert_eq!((error.code, error.message.as_str(), error.help.as_deref()), (TemplateError::KIND, message, help));
        assert_eq!(error.at, 1..source.len());
    }
}

#[test]
fn an_error_in_a_tree_says_where() {
    let error = render(yaml("{ a: 1, with: { to: [x, { y: 'b {{ inputs.nope }}' }] } }"), &names()).unwrap_err();
    let key = |key: &str| Place::Key(key.into());
    assert_eq!(error.path, [key("with"), key("to"), Place::Index(1), key("y")]);
    assert_eq!(error.message, "`with.to[1].y`: `inputs.nope` is not there");
    assert_eq!(error.cause.at, 5..16);
}
