//! Held against Jinja, against every value an unknown could have, and against noise.

use super::super::{Condition, Expression, TemplateError, Text, limits};
use super::{Names, eval, render_file, yaml};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior};
use model::value::{May, Text as Whole, Value, until};
use proptest::prelude::*;

const NAMES: &str = "a: 3, b: -2, h: 0.5, s: abc, w: 'b', t: true, f: false, l: [1, 3, 5], m: [a, abc], z: null";

/// Numbers: expressions over whole numbers and fractions.
fn number() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        Just("a".to_owned()),
        Just("b".into()),
        Just("h".into()),
        (0..9i64).prop_map(|n| n.to_string()),
        Just("l[0]".into()),
        Just("l[-1]".into())
    ];
    let grown = leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), prop_oneof![Just("+"), Just("-"), Just("/"), Just("//"), Just("%")], inner.clone())
                .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            inner.clone().prop_map(|a| format!("({a})")),
            inner.clone().prop_map(|a| format!("-{a}")),
            (inner.clone(), truth(Just("t".to_owned()).boxed()), inner).prop_map(|(a, c, b)| format!("({a} if {c} else {b})")),
        ]
    });
    grown.boxed()
}

fn text() -> BoxedStrategy<String> {
    let bound = || prop_oneof![Just(String::new()), (-5..5i64).prop_map(|n| n.to_string())];
    let leaf = prop_oneof![Just("s".to_owned()), Just("w".into()), Just("'x y'".into()), Just("m[1]".into())];
    let grown = leaf.prop_recursive(3, 12, 2, move |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} ~ {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} + {b})")),
            (inner, bound(), bound(), prop_oneof![Just(""), Just(":1"), Just(":2"), Just(":-1"), Just(":-2")])
                .prop_map(|(a, first, end, step)| format!("({a})[{first}:{end}{step}]")),
        ]
    });
    grown.boxed()
}

/// Truths over the leaves given, with every connective.
fn truth(leaf: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let grown = leaf.prop_recursive(5, 32, 3, |inner| {
        prop_oneof![
            (inner.clone(), prop_oneof![Just("and"), Just("or"), Just("=="), Just("!=")], inner.clone()).prop_map(|(a, op, b)| match op {
                "and" | "or" => format!("{a} {op} {b}"),
                _ => format!("(({a}) {op} ({b}))"),
            }),
            inner.clone().prop_map(|a| format!("not ({a})")),
            inner.clone().prop_map(|a| format!("({a})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, c, b)| format!("({a} if {c} else {b})")),
        ]
    });
    grown.boxed()
}

fn comparison() -> BoxedStrategy<String> {
    let order = || prop_oneof![Just("<"), Just("<="), Just(">"), Just(">="), Just("=="), Just("!=")];
    let leaf = prop_oneof![
        Just("t".to_owned()),
        Just("f".into()),
        (number(), order(), number()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (text(), order(), text()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (text(), prop_oneof![Just("in"), Just("not in")], text()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (number(), prop_oneof![Just("in"), Just("not in")]).prop_map(|(a, op)| format!("{a} {op} l")),
        Just("(z is none)".into()),
        Just("(not a is none)".into()),
        Just("(nope is defined)".into()),
    ];
    truth(leaf.boxed())
}

fn jinja(source: &str) -> Result<serde_json::Value, minijinja::Error> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_test("none", |value: &minijinja::Value| value.is_none());
    environment.add_test("defined", |value: &minijinja::Value| !value.is_undefined());
    let names: serde_json::Value = serde_json::to_value(yaml(&format!("{{ {NAMES} }}"))).unwrap();
    let value = environment.compile_expression(source)?.eval(minijinja::Value::from(minijinja::value::Serde(&names)))?;
    Ok(serde_json::to_value(&value).unwrap())
}

/// Template files of texts, loops and choices, well nested.
fn file() -> BoxedStrategy<String> {
    let words = [
        "y",
        " ",
        "\n",
        "\n\t ",
        " {",
        "} ",
        "%}",
        "\u{e9}",
        "\\",
        "{{ a }}",
        "{{ s ~ x }}",
        "{{ x }}",
        "for x in l",
        "for x in m",
        "for x in []",
        "for k, x in d",
        "if t",
        "if f",
        "if x == 3",
        "if loop.last",
        "elif f",
        "elif a == 3",
        "elif not t or f",
        "else",
        "end",
        "end",
    ];
    let word = (prop::sample::select(words.to_vec()), prop::sample::select(vec!["", "", "-"]), prop::sample::select(vec!["", "", "-"]));
    let written = |words: Vec<(&str, &str, &str)>| {
        let mut source = String::new();
        let mut open = Vec::new();
        for (word, a, b) in words.into_iter().chain(std::iter::repeat_n(("end", "", "-"), limits::BLOCKS)) {
            let nested = open.len();
            let inside = match (word.split(' ').next(), open.last_mut()) {
                (Some(kind @ ("for" | "if")), _) if nested < limits::BLOCKS => {
                    open.push(kind);
                    word
                }
                (Some("elif"), Some(&mut "if")) => word,
                (Some("else"), Some(kind @ &mut ("if" | "for"))) => {
                    *kind = if *kind == "if" { "no if" } else { "no for" };
                    word
                }
                (Some("end"), Some(kind)) => {
                    let word = if kind.ends_with("if") { "endif" } else { "endfor" };
                    open.pop();
                    word
                }
                (Some("for" | "if" | "elif" | "else" | "end"), _) => continue,
                _ => {
                    source.push_str(&word.replace("{{", &format!("{{{{{a}")).replace("}}", &format!("{b}}}}}")));
                    continue;
                }
            };
            source.extend(["{%", a, " ", inside, " ", b, "%}"]);
        }
        source
    };
    prop::collection::vec(word, 0..40).prop_map(written).boxed()
}

/// A template file as minijinja alone renders it.
fn jinja_file(source: &str) -> Result<String, minijinja::Error> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?);
    environment.add_test("none", |value: &minijinja::Value| value.is_none());
    environment.add_test("defined", |value: &minijinja::Value| !value.is_undefined());
    let names: serde_json::Value = serde_json::to_value(yaml(&format!("{{ {NAMES}, x: 0, d: [[p, 7], [q, 8]] }}"))).unwrap();
    environment.render_str(source, minijinja::Value::from(minijinja::value::Serde(&names)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_we_accept_means_what_it_means_in_jinja(source in prop_oneof![number(), text(), comparison()]) {
        let ours = eval(&source, &Names::new(&format!("{{ {NAMES} }}")));
        if let Ok(ours) = ours {
            let theirs = jinja(&source);
            prop_assert!(theirs.is_ok(), "{source}: {ours:?}, {theirs:?}");
            let (ours, theirs) = (serde_json::to_value(&ours).unwrap(), theirs.unwrap());
            let near = matches!((ours.as_f64(), theirs.as_f64()), (Some(a), Some(b)) if (a - b).abs() <= 1e-9 * a.abs().max(1.0) && ours.is_f64() == theirs.is_f64());
            prop_assert!(ours == theirs || near, "{source}: {ours} is not {theirs}");
        }
    }

    #[test]
    fn a_template_file_becomes_what_jinja_makes_of_it(source in file()) {
        if let Ok(ours) = render_file(&source, &yaml(&format!("{{ {NAMES}, x: 0, d: {{ p: 7, q: 8 }} }}"))) {
            let theirs = jinja_file(&source);
            prop_assert!(theirs.is_ok(), "{source}: {ours:?}, {theirs:?}");
            prop_assert_eq!(ours, May::Known(Whole::Plain(theirs.unwrap())), "{}", source);
        }
    }

    #[test]
    fn what_is_known_beside_an_unknown_is_so_whatever_it_turns_out_to_be(source in truth(prop_oneof![Just("t".to_owned()), Just("f".into()), Just("u".into()), Just("v".into())].boxed())) {
        let Ok(condition) = Condition::parse(&source) else { return Ok(()) };
        let with = |u: &str, v: &str| condition.eval(&Names::new(&format!("{{ t: true, f: false, u: {u}, v: {v} }}"))).unwrap();
        let planned = with("!u x", "!u y");
        for (u, v) in [("true", "true"), ("true", "false"), ("false", "true"), ("false", "false")] {
            let ran = with(u, v);
            prop_assert!(matches!(ran, May::Known(_)));
            if let May::Known(_) = planned {
                prop_assert_eq!(&planned, &ran, "{} with {} {}", source, u, v);
            }
        }
    }

    #[test]
    fn noise_is_refused_without_a_panic(noise in noise(), cut in any::<prop::sample::Index>()) {
        let names = Names::new(&format!("{{ {NAMES}, k: !s k, u: !u step }}"));
        let mut end = cut.index(noise.len() + 1);
        while !noise.is_char_boundary(end) {
            end -= 1;
        }
        for source in [noise.as_str(), &noise[..end]] {
            let inside = |error: &TemplateError, source: &str| source.get(error.at.clone()).is_some();
            match Expression::parse(source) {
                Ok(expression) => if let Err(error) = expression.eval(&names) { assert!(inside(&error, source), "{source}: {error:?}") },
                Err(error) => assert!(inside(&error, source), "{source}: {error:?}"),
            }
            for source in [source.to_owned(), format!("ä {{{{ {source} }}}} b")] {
                match Text::parse(&source) {
                    Ok(text) => if let Err(error) = text.render(&names) { assert!(inside(&error, &source), "{source}: {error:?}") },
                    Err(error) => assert!(inside(&error, &source), "{source}: {error:?}"),
                }
                if let Err(error) = render_file(&source, &names.0) {
                    assert!(inside(&error, &source) && !error.message.contains("minijinja"), "{source}: {error:?}");
                }
            }
        }
    }

    #[test]
    fn a_text_without_braces_is_itself(text in "[^{]*") {
        prop_assert_eq!(Text::parse(&text).unwrap().render(&Names::new("{}")), Ok(Value::from(text)));
    }
}

/// Words of the language in any order, and some that are none.
fn noise() -> BoxedStrategy<String> {
    let word = prop::sample::select(vec![
        "a",
        "s",
        "l",
        "m",
        "k",
        "u",
        "z",
        "t",
        "nope",
        "steps.x['y']",
        "result['q']",
        "1",
        "0.5",
        "'x'",
        "\"",
        "'",
        "\\",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "-",
        "+",
        "~",
        "/",
        "//",
        "%",
        "*",
        "==",
        "!=",
        "<",
        ">=",
        "=",
        ",",
        ":",
        ".",
        "|",
        "and",
        "or",
        "not",
        "in",
        "is",
        "if",
        "else",
        "none",
        "defined",
        "for",
        "endfor",
        "endif",
        "elif",
        "x",
        "loop.index",
        "default(1)",
        "length",
        "join(',')",
        "replace('a', 'b')",
        "int",
        "times(3)",
        "round(2)",
        "sort",
        "unique",
        "map('q')",
        "first",
        "[0]",
        "[::-1]",
        "[9223372036854775807]",
        "[-9223372036854775807:]",
        "9223372036854775807",
        "\n",
        "\u{0}",
        "ä",
        "𝄞",
        "\r",
    ]);
    prop::collection::vec((word, prop::sample::select(vec!["", " "])), 0..24)
        .prop_map(|words| words.into_iter().map(|(word, gap)| format!("{word}{gap}")).collect())
        .boxed()
}

#[test]
fn a_thousand_mutated_expressions_do_no_harm() {
    let seeds = [
        "client.services[::-1]",
        "steps.farm['rds01'].sha256 ~ '/x'",
        "'a' if inputs.b == 'c' else [1, {'d': e}]",
        "(a + b) // 2 | times(3) | round(1)",
        "steps.x.y in vars.z and not inputs.f | default(false)",
        "name | replace('\\\\', '/') | basename",
    ];
    let names = Names::new(&format!("{{ {NAMES}, inputs: {{ b: c, f: false }}, client: {{ services: [1, 2] }}, name: 'x\\y' }}"));
    // A small generator of our own: the same thousand every time.
    let mut state = 1u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let alphabet: Vec<char> = "ab01.'\"\\()[]{}|~+-*/%=!<>,: \n_#ä&".chars().collect();
    for turn in 0..1_000 {
        let mut chars: Vec<char> = seeds[turn % seeds.len()].chars().collect();
        for _ in 0..=random(4) {
            let at = random(chars.len());
            match random(4) {
                0 => drop(chars.remove(at)),
                1 => chars.insert(at, alphabet[random(alphabet.len())]),
                2 => chars[at] = alphabet[random(alphabet.len())],
                _ => chars.extend_from_within(at..),
            }
            if chars.is_empty() {
                chars.push('a');
            }
        }
        let source: String = chars.into_iter().collect();
        let found = eval(&source, &names);
        assert!(found.is_err() || found.is_ok_and(|value| until(&value).is_none()), "{source}");
    }
}
