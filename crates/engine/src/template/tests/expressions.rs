use super::super::{Condition, Expression, FILTERS, TemplateError};
use super::{Names, eval, yaml};
use model::value::May;

fn names() -> Names {
    Names::new(
        r"
        inputs: { seats: 5, dir: /srv/sage, flag: true, note: ' Hi ', big: 9007199254740993, half: 0.5 }
        client:
          services: [{ name: spool, port: 1 }, { name: application, port: 2 }, { name: web, port: 3 }]
          licence: perpetual
          seats_reserved: 2
          empty: []
          numbers: [3, 1, 2, 1]
          words: [b, a, b]
        vars: { right_counts: [5, 7], win: 'E:\Sage\Keys\ACTIVATE.PVX', nothing: null }
        steps:
          count: { modules: 5, text: '5' }
          farm: { rds01: { sha256: abc }, '9.a-b': { sha256: def } }
          skipped: { out: null }
        host: { name: rds01 }
        ",
    )
}

#[test]
fn expressions_give_what_they_say() {
    let names = names();
    for (source, expected) in [
        ("inputs.seats", "5"),
        ("client.services[::-1]", "[{ name: web, port: 3 }, { name: application, port: 2 }, { name: spool, port: 1 }]"),
        ("client.services[0].name", "spool"),
        ("client.services[-1].name", "web"),
        ("client.services[1:] | map(attribute='name')", "[application, web]"),
        ("client.services | map('port')", "[1, 2, 3]"),
        ("[inputs.seats, inputs.seats + client.seats_reserved]", "[5, 7]"),
        ("'Click Activate' if client.licence == 'perpetual' else 'Click Update, then Accept'", "Click Activate"),
        ("'a' if not inputs.flag else 'b' if inputs.seats == 5 else 'c'", "b"),
        ("steps.count.modules in vars.right_counts and not steps.count.modules in [1]", "true"),
        ("steps.count.modules not in [1, 2]", "true"),
        ("steps.farm['rds01'].sha256", "abc"),
        ("steps.farm['9.a-b'].sha256", "def"),
        ("'ag' in inputs.dir", "true"),
        ("'name' in client.services[0]", "true"),
        ("1 + 2 - 4", "-1"),
        ("7 // 2 + 7 % 3 + -7 // 2 + -7 % 3", "2"),
        ("7 / 2", "3.5"),
        ("6 / 3", "2.0"),
        ("-inputs.seats", "-5"),
        ("- -5", "5"),
        ("0.1 + 1", "1.1"),
        ("inputs.half + inputs.half == 1", "true"),
        ("inputs.big + 1", "9007199254740994"),
        ("9223372036854775807 + 9223372036854775807", "18446744073709551614"),
        ("'a' ~ 1 ~ true ~ 0.5", "a1true0.5"),
        ("'a' + 'b'", "ab"),
        ("'a' < 'b' and 2 < 10 and 2 <= 2 and 3 > 2.5 and 3 >= 3", "true"),
        ("1 == 1.0 and 'a' != 'b' and [1, 2] == [1, 2.0] and {'a': 1} == {'a': 1}", "true"),
        ("true or false and false", "true"),
        ("not true == false", "true"),
        ("{'a': [1, 'x'], \"b\": none}", "{ a: [1, x], b: null }"),
        ("[1, 2,] + [3]", "[1, 2, 3]"),
        ("(1 + 2) ~ ''", "'3'"),
        ("'it\\'s \\\\ \\n' ~ \"\"", "\"it's \\\\ \\n\""),
        ("'abcdef'[1:4]", "bcd"),
        ("'äöü'[::-1]", "üöä"),
        ("[1, 2, 3][:-1]", "[1, 2]"),
        ("[1, 2, 3][5:] == []", "true"),
        ("steps.skipped.out is none and vars.nothing is not none", "false"),
        ("steps.skipped.out == none and none != 1", "true"),
        ("inputs.nope is defined or inputs.seats is not defined", "false"),
        ("inputs.nope | default('x')", "x"),
        ("client.services[7].name | default('x')", "x"),
        ("client.empty | first | default('x')", "x"),
        ("steps.skipped.out | default(1)", "1"),
        ("inputs.seats | default(1)", "5"),
        ("client.services | length + 1", "4"),
        ("'äö' | length", "2"),
        ("inputs.note | trim | lower ~ (inputs.note | upper | trim)", "hiHI"),
        ("vars.win | basename", "ACTIVATE.PVX"),
        ("vars.win | dirname", "'E:\\Sage\\Keys'"),
        ("'/a' | dirname ~ ('/a/b/' | dirname) ~ ('a' | dirname) ~ ('C:\\\\a' | dirname) ~ ('/' | dirname)", "'//aC:\\/'"),
        ("'a-b-c' | replace('-', '')", "abc"),
        ("'12' | int + (3.9 | int) + (' -1 ' | int)", "14"),
        ("inputs.seats | string == steps.count.text", "true"),
        ("inputs.seats | times(2) | times(0.5)", "5.0"),
        ("2.5 | round + (7 | round)", "10"),
        ("2.345 | round(2)", "2.35"),
        ("client.words | join(', ')", "'b, a, b'"),
        ("client.numbers | join", "'3121'"),
        ("client.numbers | first ~ (client.numbers | last)", "'31'"),
        ("client.numbers | sort | unique", "[1, 2, 3]"),
        ("client.words | unique", "[b, a]"),
        ("client.services | sort(attribute='name') | map(attribute='name') | join(',')", "'application,spool,web'"),
        ("host.name is defined", "true"),
    ] {
        let found = eval(source, &names).unwrap_or_else(|error| panic!("{source}: {error}"));
        assert_eq!(found, yaml(expected), "{source}");
    }
}

#[test]
fn what_is_no_expression_is_refused_at_its_place() {
    for (source, at, message) in [
        ("", "", "an expression is missing"),
        ("  ", "", "an expression is missing"),
        ("1 +", "", "the expression ends too early"),
        ("a b", "b", "`b` cannot stand here"),
        ("a = b", "=", "`=` cannot stand here"),
        ("'x' * 10", "*", "there is no `*`"),
        ("10 ** 1000", "*", "there is no `*`"),
        ("a && b", "&&", "there is no `&`"),
        ("a || b", "||", "there is no `||`"),
        ("!a", "!", "there is no `!`"),
        ("range(10)", "(", "there are no functions"),
        ("debug()", "(", "there are no functions"),
        ("'a'.upper()", "(", "there are no functions"),
        ("inputs.a.b()", "(", "there are no functions"),
        ("a | format(1)", "format", "there is no filter `format`"),
        ("a | indent", "indent", "there is no filter `indent`"),
        ("a | batch(3)", "batch", "there is no filter `batch`"),
        ("a | uper", "uper", "there is no filter `uper`"),
        ("a | default", "default", "the filter `default` cannot take 0 arguments"),
        ("a is odd", "odd", "there is no test `odd`"),
        ("steps['x'].y", "'x'", "a key cannot stand behind `steps` itself"),
        ("steps[item]", "steps", "`steps` needs the name of a step"),
        ("steps", "steps", "`steps` needs the name of a step"),
        ("steps.farm[0]", "0", "an instance of a group is named by its key"),
        ("steps.farm[host.name]", "host", "an instance of a group is named by its key"),
        ("steps.farm['../x']", "'../x'", "this is no key of an instance"),
        ("client['x']", "'x'", "a key cannot stand behind `client` itself"),
        ("client.list[inputs.n]", "inputs", "an index is a number or a text that is written out"),
        ("a[::0]", "]", "the step of a slice cannot be 0"),
        ("a[]", "]", "an index is missing here"),
        ("a.0", "0", "a field's name is missing here"),
        ("(1, 2)", ",", "`,` cannot stand here"),
        ("[1, 2", "", "`]` is missing here"),
        ("1)", ")", "`)` closes nothing"),
        ("{a: 1}", "a", "a key is a text in quotes"),
        ("{'a': 1, 'a': 2}", "'a'", "this key stands here twice"),
        ("'abc", "'", "this text has no closing quote"),
        ("'C:\\Sage'", "\\", "unknown escape"),
        ("1 < 2 < 3", "<", "comparisons cannot be chained"),
        ("a if b", "", "`else` is missing here"),
        ("1 not 2", "not", "`not` cannot stand here"),
        ("5m", "5", "a number is written with digits and at most one point"),
        ("1_000", "1", "a number is written with digits and at most one point"),
        ("012", "012", "this number is too large or begins with zeros"),
        ("99999999999999999999", "99999999999999999999", "this number is too large or begins with zeros"),
        ("True", "True", "`True` is no word"),
        ("inputs.\u{430}", "\u{430}", "`\u{430}` cannot stand in an expression"),
        ("{% if %}", "%", "a key is a text in quotes"),
        ("{# x #}", "#", "`#` cannot stand in an expression"),
        ("a; b", ";", "`;` cannot stand in an expression"),
        ("a\u{0}b", "\u{0}", "`\\0` cannot stand in an expression"),
        ("not", "", "the expression ends too early"),
        ("in", "in", "`in` cannot stand here"),
    ] {
        let error = Expression::parse(source).expect_err(source);
        assert_eq!((&source[error.at.clone()], error.message.as_str()), (at, message), "{source}");
    }
}

#[test]
fn values_of_the_wrong_kind_are_refused_in_words() {
    let names = names();
    for (source, code, message) in [
        ("inputs.nope", TemplateError::MISSING, "`inputs.nope` is not there"),
        ("steps.farm['x'].y + 1", TemplateError::MISSING, "`steps.farm['x'].y` is not there"),
        ("inputs.seats.x", TemplateError::MISSING, "`inputs.seats.x` is not there"),
        ("client.services[0].nope", TemplateError::MISSING, "there is no `nope` in this"),
        ("client.services[3]", TemplateError::MISSING, "a list of 3 has no item 3"),
        ("client.services[-4]", TemplateError::MISSING, "a list of 3 has no item -4"),
        ("client.empty | last", TemplateError::MISSING, "the list is empty"),
        ("client.services | map('nope')", TemplateError::MISSING, "an item has no `nope`"),
        ("1 // 0", TemplateError::KIND, "a division by 0"),
        ("1 / 0", TemplateError::KIND, "a division by 0"),
        ("1 % 0.0", TemplateError::KIND, "a division by 0"),
        ("9223372036854775807 | times(9223372036854775807)", TemplateError::KIND, "the number becomes too large"),
        ("1 == '1'", TemplateError::KIND, "a number is never equal to a text: change one with `| int` or `| string`"),
        ("'5' in [5, 6]", TemplateError::KIND, "a text is never in this list: change it with `| int` or `| string`"),
        ("1 < 'a'", TemplateError::KIND, "a number and a text have no order"),
        ("none < 1", TemplateError::KIND, "none and a number have no order"),
        ("1 + 'a'", TemplateError::KIND, "a number and a text cannot be added: join them with `~`"),
        ("true + 1", TemplateError::KIND, "true or false is no number"),
        ("1 and true", TemplateError::KIND, "true or false is wanted, this is a number"),
        ("not 'a'", TemplateError::KIND, "true or false is wanted, this is a text"),
        ("1 if [] else 2", TemplateError::KIND, "true or false is wanted, this is a list"),
        ("client.services ~ ''", TemplateError::KIND, "a list cannot stand in a text"),
        ("none ~ ''", TemplateError::KIND, "none cannot stand in a text"),
        ("1 | upper", TemplateError::KIND, "a text is wanted, this is a number"),
        ("1 | length", TemplateError::KIND, "a number has no length"),
        ("'x' | int", TemplateError::KIND, "this text is no whole number"),
        ("'a' | replace('', 'x')", TemplateError::KIND, "an empty text cannot be replaced"),
        ("[1, 'a'] | sort", TemplateError::KIND, "a number and a text have no order"),
        ("1.5 | round(99)", TemplateError::KIND, "`round` takes 0 to 12 digits"),
        ("5[0]", TemplateError::KIND, "a number has no items"),
        ("5[0:1]", TemplateError::KIND, "a number cannot be sliced"),
    ] {
        let error = eval(source, &names).expect_err(source);
        assert_eq!((error.code, error.message.as_str()), (code, message), "{source}");
    }
}

#[test]
fn all_names_are_listed_with_their_places_also_of_branches_not_taken() {
    let source = "steps.a.b if inputs.c else steps.farm['rds01'].x ~ (host.name | replace('a', vars.d)) ~ list[0].e";
    let expression = Expression::parse(source).unwrap();
    let found: Vec<_> = expression.names().iter().map(|name| (name.to_string(), &source[name.at.clone()])).collect();
    let expected = ["steps.a.b", "inputs.c", "steps.farm['rds01'].x", "host.name", "vars.d", "list"];
    assert_eq!(found, expected.map(|name| (name.to_owned(), name)));
}

#[test]
fn keys_of_a_programs_result_may_be_anything() {
    let names = Names::new("{ result: { 'Last Seen': [{ 'a b': 1 }], Up: { 'x y': 2 } } }");
    assert_eq!(eval("result['Last Seen'][0]", &names), Ok(yaml("{ 'a b': 1 }")));
    assert_eq!(eval("result.Up['x y']", &names), Ok(2.into()));
}

#[test]
fn a_branch_not_taken_and_a_side_not_needed_do_no_harm() {
    let names = names();
    for source in [
        "1 if true else inputs.nope",
        "inputs.nope / 0 if false else 1",
        "1 if true or inputs.nope else 2",
        "1 if not (false and 1 // 0 == 1) else 2",
    ] {
        assert_eq!(eval(source, &names), Ok(1.into()), "{source}");
    }
}

#[test]
fn conditions_are_bare_and_true_or_false() {
    let names = names();
    let holds = |source: &str| Condition::parse(source).unwrap().eval(&names);
    assert_eq!(holds("client.licence == 'perpetual'"), Ok(May::Known(true)));
    assert_eq!(holds("inputs.flag"), Ok(May::Known(true)));
    for (source, message) in
        [("inputs.seats", "true or false is wanted, this is a number"), ("steps.skipped.out", "true or false is wanted, this is none")]
    {
        assert_eq!(holds(source).unwrap_err().message, message);
    }
    let braces = Condition::parse("{{ inputs.flag }}").unwrap_err();
    assert_eq!((braces.code, braces.help.as_deref()), (TemplateError::SYNTAX, Some("write it without braces: `inputs.flag`")));
    assert_eq!(Condition::parse("{'a': 1} == {'a': 1}").unwrap().eval(&names), Ok(May::Known(true)));
}

#[test]
fn filters_are_unique_and_each_shows_itself() {
    for (at, filter) in FILTERS.iter().enumerate() {
        assert!(FILTERS[..at].iter().all(|other| other.name != filter.name));
        assert!(filter.about.contains(&format!("| {}", filter.name)));
    }
    let help = Expression::parse("a | uper").unwrap_err().help;
    assert_eq!(help.as_deref(), Some("did you mean `upper`?"));
}

#[test]
fn a_key_that_is_no_name_is_written_in_quotes() {
    let names = Names::new(
        "{ steps: { c: { values: { S.k: 1, 'a-b': { 'c d': 2 } }, list: [{ x.y: 3 }] }, farm: { rds-01: { v: { K: 4 } } } }, row: { 'ä': 5 } }",
    );
    for (source, value) in [
        ("steps.c.values['S.k']", 1),
        ("steps.c.values[\"a-b\"]['c d']", 2),
        ("steps.c.list[0]['x.y']", 3),
        ("({'a.b': 3})['a.b']", 3),
        ("steps.farm['rds-01'].v['K']", 4),
        ("row['ä']", 5),
    ] {
        assert_eq!(eval(source, &names).unwrap(), value, "{source}");
    }
    for (source, message) in
        [("steps.c.values['S.j']", "`steps.c.values['S.j']` is not there"), ("steps.c.list[0]['x.z']", "there is no `x.z` in this")]
    {
        assert_eq!(eval(source, &names).unwrap_err().message, message, "{source}");
    }
}

#[test]
fn what_is_proposed_instead_of_a_key_is_no_mistake_itself() {
    for root in ["inputs", "client", "vars", "run", "steps"] {
        let help = Expression::parse(&format!("{root}['a_1']")).unwrap_err().help.unwrap();
        assert_eq!(help, format!("write `{root}.a_1`"));
        for key in ["a.b.1", "S.k", "a-b", "in", "", "1"] {
            let help = Expression::parse(&format!("{root}['{key}']")).unwrap_err().help.unwrap();
            assert_eq!(help, format!("write `{root}.NAME`: a name has small letters, digits and underscores"), "{key}");
        }
    }
}
