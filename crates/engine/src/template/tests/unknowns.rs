use super::super::{Condition, Text, render};
use super::{Names, eval, yaml};
use model::id::StepId;
use model::value::{May, unknown};

fn names() -> Names {
    Names::new("{ u: !u first, v: !u second, steps: { a: { x: !u a, y: 1 }, all: !u all }, list: [1, !u inner], n: 1, t: true, f: false, z: null }")
}

#[test]
fn an_unknown_flows_on_and_is_never_guessed() {
    let names = names();
    for (source, until) in [
        ("u", "first"),
        ("steps.a.x", "a"),
        ("steps.all.deep.down", "all"),
        ("u ~ 'x'", "first"),
        ("u == u", "first"),
        ("n + v", "second"),
        ("u | upper", "first"),
        ("n | default(u)", "first"),
        ("not u", "first"),
        ("u is none", "first"),
        ("u[0]", "first"),
        ("n in [u]", "first"),
        ("n in list", "inner"),
        ("list | length", "inner"),
        ("[n, u]", "first"),
        ("{'a': u}", "first"),
        ("1 if u else 2", "first"),
        ("u if t else 2", "first"),
        ("t and u", "first"),
        ("u and t", "first"),
        ("f or u", "first"),
        ("u or f", "first"),
        ("u or missing", "first"),
        ("u and 1", "first"),
    ] {
        assert_eq!(eval(source, &names), Ok(unknown(&StepId::new(until))), "{source}");
    }
}

#[test]
fn what_does_not_depend_on_an_unknown_is_known() {
    let names = names();
    for (source, expected) in [
        ("f and u", "false"),
        ("u and f", "false"),
        ("t or u", "true"),
        ("u or t", "true"),
        ("1 if t else u", "1"),
        ("steps.a.y", "1"),
        ("u is defined", "true"),
        ("not (u and f)", "true"),
    ] {
        assert_eq!(eval(source, &names), Ok(yaml(expected)), "{source}");
    }
}

#[test]
fn an_unknown_condition_names_its_step() {
    let condition = Condition::parse("u == 1 and t").unwrap();
    assert_eq!(condition.eval(&names()), Ok(May::Unknown { until: StepId::new("first") }));
    assert_eq!(Condition::parse("u").unwrap().eval(&names()), Ok(May::Unknown { until: StepId::new("first") }));
}

#[test]
fn a_text_with_an_unknown_is_unknown_and_its_neighbours_stay_known() {
    let names = names();
    assert_eq!(Text::parse("a {{ u }} b").unwrap().render(&names), Ok(unknown(&StepId::new("first"))));
    let tree = render(yaml("{ a: '{{ u }}', b: ['{{ n }}', 'x{{ v }}', plain], c: 5, d: '{{ list }}' }"), &names).unwrap();
    assert_eq!(tree, yaml("{ a: !u first, b: [1, !u second, plain], c: 5, d: [1, !u inner] }"));
}
