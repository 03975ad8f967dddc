//! What could use up stack, memory or time is refused; what is within the limits runs on a small stack.

use super::super::{Condition, Expression, Found, Scope, Segment, TemplateError, Text, limits, render};
use super::{Names, eval, render_file, yaml};
use model::value::{May, Text as Whole, Value};

/// Half of what a Windows main thread has.
fn on_a_small_stack<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(512 * 1024).spawn(run).unwrap().join().unwrap()
}

/// Shapes that make a parser, an evaluator or a drop go deep: `count` operators or brackets.
const SHAPES: [fn(usize) -> String; 13] = [
    |count| "not ".repeat(count) + "true",
    |count| "-".repeat(count) + "1",
    |count| "1".to_owned() + &"+1".repeat(count),
    |count| "'a'".to_owned() + &"~'a'".repeat(count),
    |count| "true".to_owned() + &" and true".repeat(count),
    |count| "false or ".repeat(count) + "true",
    |count| "[1]".to_owned() + &"[0:]".repeat(count),
    |count| "'a'".to_owned() + &"|trim".repeat(count),
    |count| "true".to_owned() + &" is defined".repeat(count),
    |count| "1 if true else ".repeat(count) + "2",
    |count| "(".repeat(count) + "1" + &")".repeat(count),
    |count| "[".repeat(count) + "1" + &"]".repeat(count),
    |count| "{'a':".repeat(count) + "1" + &"}".repeat(count),
];

#[test]
fn every_deep_shape_works_at_the_limit_and_is_refused_beyond_it_on_a_small_stack() {
    on_a_small_stack(|| {
        let names = Names::new("{}");
        for (at, shape) in SHAPES.into_iter().enumerate() {
            let limit = if at < 10 { limits::OPERATORS } else { limits::BRACKETS };
            let source = shape(limit);
            assert!(eval(&source, &names).is_ok(), "{source}: {:?}", eval(&source, &names));
            for count in [limit + 1, 150, 200, 2_600, 100_000] {
                let error = eval(&shape(count), &names).expect_err("too deep");
                assert_eq!(error.code, TemplateError::LIMIT, "shape {at}, {count}");
                let text = Text::parse(&format!("x {{{{ {} }}}}", shape(count))).expect_err("too deep");
                assert_eq!(text.code, TemplateError::LIMIT, "shape {at}, {count}");
            }
        }
    });
}

#[test]
fn mixed_depth_is_bounded_too() {
    on_a_small_stack(|| {
        let deepest = "(not -1 == ".repeat(16) + "1" + &")".repeat(16);
        let found = Expression::parse(&deepest);
        assert!(found.as_ref().map_or_else(|error| error.code == TemplateError::LIMIT, |_| true), "{found:?}");
        let worst = "(1 if true or true and not 1 == 1 + 1 ~ 1 / - (".repeat(8);
        assert!(Expression::parse(&worst).is_err());
    });
}

#[test]
fn names_have_a_limit() {
    let path = |parts: usize| format!("a{}", ".a".repeat(parts - 1));
    assert!(Expression::parse(&path(limits::SEGMENTS)).is_ok());
    for parts in [limits::SEGMENTS + 1, 500, 100_000] {
        assert_eq!(Expression::parse(&path(parts)).unwrap_err().code, TemplateError::LIMIT);
    }
}

#[test]
fn an_expression_has_1024_bytes_and_no_more() {
    let text = |bytes: usize| format!("'{}'", "x".repeat(bytes - 2));
    assert!(Expression::parse(&text(1024)).is_ok());
    assert!(Condition::parse(&format!("{} == 'y'", text(1017))).is_ok());
    for bytes in [1025, 2000, 10_000_000] {
        assert_eq!(Expression::parse(&text(bytes)).unwrap_err().code, TemplateError::LIMIT, "{bytes}");
        assert_eq!(Expression::parse(&format!("a{}b", " ".repeat(bytes))).unwrap_err().code, TemplateError::LIMIT);
        assert_eq!(Expression::parse(&"a".repeat(bytes)).unwrap_err().code, TemplateError::LIMIT);
        assert_eq!(Expression::parse(&"1".repeat(bytes)).unwrap_err().code, if bytes > 1024 { TemplateError::SYNTAX } else { "" });
        assert_eq!(Text::parse(&format!("{{{{ {}", " a ~".repeat(bytes / 4))).unwrap_err().code, TemplateError::LIMIT);
    }
}

#[test]
fn a_text_with_templates_has_64_kib_and_a_plain_one_what_the_document_allows() {
    let text = |bytes: usize| "{{ 1 }}".to_owned() + &"x".repeat(bytes - 7);
    assert!(Text::parse(&text(limits::TEXT)).is_ok());
    assert_eq!(Text::parse(&text(limits::TEXT + 1)).unwrap_err().code, TemplateError::LIMIT);
    assert!(Text::parse(&"x".repeat(262_144)).is_ok());
}

struct Big;

impl Scope for Big {
    fn lookup(&self, name: &[Segment]) -> Found {
        Found::Value(match name[0].as_str() {
            "text" => "x".repeat(256 * 1024).into(),
            "list" => Value::Sequence(vec![1.into(); 200_000]),
            "huge" => Value::Sequence(vec![1.into(); limits::WORK + 1]),
            _ => return Found::Missing,
        })
    }
}

#[test]
fn nothing_grows_beyond_a_mebibyte() {
    for (source, fits) in [
        ("text ~ text ~ text ~ text", true),
        ("text ~ text ~ text ~ text ~ 'x'", false),
        ("text + text + text + text + 'x'", false),
        ("[text, text, text, text, 'x'] | join", false),
        ("text | replace('x', 'abcd')", true),
        ("text | replace('x', 'abcde')", false),
        ("text | replace('x', text)", false),
        ("list | length", true),
        ("list + list", false),
        ("huge | length", false),
    ] {
        let found = Expression::parse(source).unwrap().eval(&Big);
        assert_eq!(found.as_ref().map_or_else(|error| error.code, |_| "fits"), if fits { "fits" } else { TemplateError::LIMIT }, "{source}");
    }
    let text = Text::parse("{{ text }}{{ text }}{{ text }}{{ text }}x").unwrap();
    assert_eq!(text.render(&Big).unwrap_err().code, TemplateError::LIMIT);
    let tree: Value = vec!["{{ text }}"; 65].into();
    assert_eq!(render(tree, &Big).unwrap_err().cause.code, TemplateError::LIMIT);
}

#[test]
fn a_template_file_is_bounded_in_size_depth_work_and_output() {
    let nested = |depth: usize| "{% if true %}".repeat(depth) + "x" + &"{% endif %}".repeat(depth);
    let ten = "{% for x in [1,2,3,4,5,6,7,8,9,0] %}";
    on_a_small_stack(move || {
        let code = |source: &str| render_file(source, &yaml("{}")).map_or_else(|error| error.code, |_| "fits");
        assert_eq!(code(&nested(limits::BLOCKS)), "fits");
        for depth in [limits::BLOCKS + 1, 100, 2_000] {
            assert_eq!(code(&nested(depth)), TemplateError::LIMIT, "{depth}");
        }
        assert_eq!(code(&"{% if true %}".repeat(100_000)), TemplateError::LIMIT);
        assert_eq!(code(&"x".repeat(limits::TEXT)), "fits");
        assert_eq!(code(&"x".repeat(limits::TEXT + 1)), TemplateError::LIMIT);
        let elifs = "{% if false %}".to_owned() + &"{% elif false %}".repeat(4_000) + "{% endif %}";
        assert_eq!(code(&elifs), "fits");
        let arms = "{% if false %}".to_owned() + &"{% elif false %}".repeat(400) + "{% elif true %}";
        assert_eq!(code(&(arms.repeat(limits::BLOCKS) + "x" + &"{% endif %}".repeat(limits::BLOCKS))), "fits");
        // 10^8 turns, 10^8 bytes.
        assert_eq!(code(&(ten.repeat(8) + &"{% endfor %}".repeat(8))), TemplateError::LIMIT);
        assert_eq!(code(&(ten.repeat(3) + &"x".repeat(1_100) + &"{% endfor %}".repeat(3))), TemplateError::LIMIT);
    });
    let wide = ten.repeat(3) + &"x".repeat(1_100) + &"{% endfor %}".repeat(3);
    let error = render_file(&wide, &yaml("{}")).unwrap_err();
    assert_eq!(&wide[error.at], &ten["{% for x in".len()..], "what was worked out last");
    let list = "[".to_owned() + &"1,".repeat(3_000) + "]";
    let quadratic = render_file("{% for x in l %}{{ x in l and l | sort | length == 3000 }}{% endfor %}", &yaml(&format!("{{ l: {list} }}")));
    assert_eq!(quadratic.unwrap_err().code, TemplateError::LIMIT);
    let rows = yaml(&format!("{{ l: [{}] }}", vec!["[1, 2, 3, 4, 5, 6, 7, 8, 9]"; 500].join(", ")));
    let cubic = render_file("{% for x in l %}{% for y in l %}{% for z in l %}{% endfor %}{% endfor %}{% endfor %}", &rows);
    assert_eq!(cubic.unwrap_err().code, TemplateError::LIMIT);
    // A long text that is looked at in each turn: 10^3 turns, 2 * 10^8 bytes.
    let long = yaml(&format!("{{ t: {} }}", "x".repeat(200_000)));
    let looked_at = render_file(&(ten.repeat(3) + "{{ t == 'x' }}" + &"{% endfor %}".repeat(3)), &long);
    assert_eq!(looked_at.unwrap_err().code, TemplateError::LIMIT);
}

#[test]
fn a_mebibyte_may_come_out_of_a_file() {
    let source = "{% for a in l %}{% for b in l %}".to_owned() + &"x".repeat(1024) + "{% endfor %}{% endfor %}";
    let vars = format!("{{ l: {:?} }}", [1; 32]);
    let Ok(May::Known(Whole::Plain(text))) = render_file(&source, &yaml(&vars)) else { panic!() };
    assert_eq!(text.len(), 1024 * 1024);
}
