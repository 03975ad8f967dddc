use super::super::{TemplateError, TemplateFile};
use super::{render_file, yaml};
use model::id::StepId;
use model::value::{May, Piece, SecretText, Text};

fn plain(source: &str, vars: &str) -> String {
    match render_file(source, &yaml(vars)).unwrap_or_else(|error| panic!("{source}: {error}")) {
        May::Known(Text::Plain(text)) => text,
        other => panic!("{source}: {other:?}"),
    }
}

#[test]
fn template_files_loop_and_choose() {
    let vars = "{ hosts: [{ name: a, up: true }, { name: b, up: false }], ports: { http: 80, https: 443 }, n: 2, nobody: [] }";
    for (source, expected) in [
        ("", ""),
        ("plain\n", "plain\n"),
        ("n={{ n }}\n", "n=2\n"),
        ("{% for h in hosts %}\n{{ loop.index }} {{ h.name }}{% if not loop.last %},{% endif %}\n\n{% endfor %}\nend\n", "1 a,\n2 b\nend\n"),
        ("a\n  {% if n == 1 %}\none\n  {% elif n == 2 %}\n  two\n  {% else %}\nmany\n  {% endif %}\nb\n", "a\n  two\nb\n"),
        ("{% for k, v in ports %}{{ k }}={{ v }} {% endfor %}", "http=80 https=443 "),
        ("{% for x in nobody %}x{% else %}nobody{% endfor %}", "nobody"),
        ("{% for h in hosts %}{% for p in [1, 2] %}{{ h.name ~ p }}{% endfor %}{% endfor %}", "a1a2b1b2"),
        ("{% for h in hosts %}{% if h.up %}{{ h.name }}{% endif %}{% endfor %}", "a"),
        ("a  {{- n -}}  b", "a2b"),
        ("a\n{%- if true -%}\n b \n{%- endif -%}\nc", "abc"),
        ("{% if true %}\r\nx\r\n{% endif %}\r\n", "x\r\n"),
        ("x {% if true %}y{% endif %} z", "x y z"),
        ("{{ '{%' }} {{ '{{' }} {{ '{#' }}", "{% {{ {#"),
        ("{ } %} }} #}", "{ } %} }} #}"),
        ("{{ '%}' }}{% if '%}' == '%}' %}y{% endif %}", "%}y"),
    ] {
        assert_eq!(plain(source, vars), expected, "{source}");
    }
}

#[test]
fn only_loops_and_choices_are_blocks() {
    for (source, at, message) in [
        ("{% include 'x' %}", "{%", "there is no block `include`"),
        ("{% import 'x' as y %}", "{%", "there is no block `import`"),
        ("{% extends 'x' %}", "{%", "there is no block `extends`"),
        ("{% macro m() %}{{ m() }}{% endmacro %}", "{%", "there is no block `macro`"),
        ("{% set x = 1 %}", "{%", "there is no block `set`"),
        ("{% raw %}{% endraw %}", "{%", "there is no block `raw`"),
        ("{% call x() %}", "{%", "there is no block `call`"),
        ("{% filter upper %}", "{%", "there is no block `filter`"),
        ("{% autoescape true %}", "{%", "there is no block `autoescape`"),
        ("{% do x %}", "{%", "there is no block `do`"),
        ("{% block x %}", "{%", "there is no block `block`"),
        ("{# c #}", "{#", "`{# #}` is not available"),
        ("a {% for x in y %} b", "{%", "this block has no `{% endfor %}`"),
        ("a {% if x %}{% endfor %}", "{%", "`endfor` stands where `endif` is wanted"),
        ("a {% endif %}", "{%", "`endif` closes nothing"),
        ("a {% if x %}{% else %}{% else %}{% endif %}", "{%", "`else` stands where `endif` is wanted"),
        ("{% for loop in y %}{% endfor %}", "{%", "this is no loop"),
        ("{% for x y %}{% endfor %}", "{%", "this is no loop"),
        ("{% if x", "{%", "`{%` has no `%}`"),
        ("{% if x %}{% endif x %}", "", "`%}` is missing here"),
        ("{% %}", "{%", "there is no block ``"),
        ("{%", "{%", "there is no block ``"),
        ("{% if %}{% endif %}", "", "an expression is missing"),
        ("{{ debug() }}", "(", "there are no functions"),
    ] {
        let error = render_file(source, &yaml("{ x: true, y: [] }")).expect_err(source);
        assert_eq!((&source[error.at.clone()], error.message.as_str()), (at, message), "{source}");
    }
}

#[test]
fn a_loop_has_names_that_are_free() {
    for name in ["loop", "self", "true", "none", "in", "not", "set", "Upper", "_x", "a, a"] {
        let source = format!("{{% for {name} in y %}}{{% endfor %}}");
        assert_eq!(render_file(&source, &yaml("{ y: [] }")).unwrap_err().message, "this is no loop", "{name}");
    }
    let vars = "{ VALUE: 1, ARM0: 2, loop: { index: 3, nope: 4 }, l: [a] }";
    assert_eq!(plain("{% if true %}{{ VALUE }}{{ ARM0 }}{% endif %}{{ loop.index }}", vars), "123");
    assert_eq!(plain("{% for x in l %}{{ VALUE }}{{ loop.index }}{% for x in l %}{{ x }}{% endfor %}{{ x }}{% endfor %}", vars), "11aa");
    assert_eq!(render_file("{% for x in l %}{{ loop.nope }}{% endfor %}", &yaml(vars)).unwrap_err().code, TemplateError::MISSING);
}

#[test]
fn a_secret_may_be_placed_whole_and_not_used() {
    let vars = "{ key: !s inputs.key, users: [{ name: a, key: !s steps.a.key }], n: 1 }";
    let source = "k={{ key }}\n{% for u in users %}{{ u.name }}:{{ u.key }}{% endfor %}";
    let pieces = vec![Piece::Text("k=".into()), Piece::Secret("inputs.key".into()), Piece::Text("\na:".into()), Piece::Secret("steps.a.key".into())];
    assert_eq!(render_file(source, &yaml(vars)), Ok(May::Known(Text::Secret(SecretText { pieces }))));
    for source in [
        "{{ key ~ 'x' }}",
        "{{ key | upper }}",
        "{% if key == 'x' %}{% endif %}",
        "{% if key %}{% endif %}",
        "{% for u in users %}{{ u.key }}{% if u.key == 'x' %}{% endif %}{% endfor %}",
        "{% for u in users %}{{ u.key }}{{ u.key | length }}{% endfor %}",
        "{{ users | length }}",
        "{% for x in [key] %}{{ x }}{% endfor %}",
    ] {
        assert_eq!(render_file(source, &yaml(vars)).expect_err(source).code, TemplateError::SECRET, "{source}");
    }
    assert_eq!(render_file("{% for x in key %}{% endfor %}", &yaml(vars)).unwrap_err().code, TemplateError::KIND);
    assert_eq!(plain("{{ n }}", vars), "1");
}

#[test]
fn an_unknown_that_is_needed_makes_the_file_unknown() {
    let until = StepId::new("s");
    for source in ["{{ u }}", "{% if u %}{% endif %}", "{% for x in u %}{% endfor %}", "{% for x in list %}{{ x }}{% endfor %}"] {
        assert_eq!(render_file(source, &yaml("{ u: !u s, list: [!u s] }")), Ok(May::Unknown { until: until.clone() }), "{source}");
    }
    assert_eq!(plain("{% if true or u %}x{% else %}{{ u }}{% endif %}", "{ u: !u s }"), "x");
    for source in ["{{ u }}{{ key }}", "{% if u %}{{ key }}{% endif %}"] {
        let found = render_file(source, &yaml("{ u: !u s, key: !s k }"));
        let Ok(May::Known(Text::Secret(secret))) = found else { panic!("{source}: {found:?}") };
        assert_eq!(secret.names(), ["k"]);
        assert!(secret.pieces.contains(&Piece::Unknown(until.clone())));
    }
}

#[test]
fn the_names_of_a_file_are_those_that_it_takes_from_vars() {
    let source = "{{ a.b }}{% for k, v in list %}{{ k }}{{ v.x }}{{ loop.index }}{{ loop.nope }}{% else %}{{ k }}{% endfor %}{% if c is defined %}{{ d | default(e) }}{% endif %}";
    let file = TemplateFile::parse(source).unwrap();
    let names: Vec<(String, bool)> = file.names().iter().map(|name| (name.to_string(), name.may_miss)).collect();
    let expected = [("a.b", false), ("list", false), ("loop.nope", false), ("k", false), ("c", true), ("d", true), ("e", false)];
    assert_eq!(names, expected.map(|(name, may_miss)| (name.to_owned(), may_miss)));
    assert!(file.names().iter().all(|name| source[name.at.clone()] == name.to_string()));
}

#[test]
fn values_in_a_file_are_never_rendered_again() {
    assert_eq!(plain("{{ a }}", "{ a: '{{ b }}{% if %}' }"), "{{ b }}{% if %}");
}

#[test]
fn errors_in_a_loop_point_at_the_source() {
    let source = "{% for x in list %}{{ x.nope }}{% endfor %}";
    let error = render_file(source, &yaml("{ list: [{ a: 1 }] }")).unwrap_err();
    assert_eq!((&source[error.at.clone()], error.message.as_str()), ("x.nope", "`x.nope` is not there"));
    assert_eq!(render_file("{% for x in m %}{% endfor %}", &yaml("{ m: {} }")).unwrap_err().code, TemplateError::KIND);
    assert_eq!(render_file("{% for k, v in l %}{% endfor %}", &yaml("{ l: [] }")).unwrap_err().code, TemplateError::KIND);
}
