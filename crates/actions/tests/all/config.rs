//! What `config.set` changes in a file, and that nothing else of it changes.

use crate::stage::{Stage, apply, file_after, output, with, words};
use model::effect::Change;
use model::id::StepId;
use model::state::{Content, State};
use model::value::{SecretText, unknown};
use proptest::prelude::*;
use serde_json::{Value, json};
use world::act::Source;
use world::imagined::Imagined;
use world::memory::Memory;
use world::memory_store::MemoryStore;

const INI: &str = "; the ports\r\n[SOTA]\r\nPort = 10000\r\nName=\"Sage 100\"\r\n\r\n; who\r\n[Users]\r\nMost=22";
const JSON: &str = "{\n  \"db\": { \"host\": \"a\", \"ports\": [1, 2] },\n  \"debug\": false\n}\n";

fn world() -> Memory {
    let world = Memory::new();
    let mut machine = world.machine();
    machine.write("/app.ini", INI);
    machine.write("/app.json", JSON);
    machine.change_meta("/app.ini", |meta| meta.mode = Some(0o640));
    drop(machine);
    world
}

fn bytes(world: &Memory, path: &str) -> Vec<u8> {
    world.machine().read(path).expect("a file").to_vec()
}

fn text(world: &Memory, path: &str) -> String {
    String::from_utf8(bytes(world, path)).expect("text")
}

#[test]
fn values_are_set_and_all_else_in_the_file_stays() {
    let world = world();
    let stage = Stage::new(&world);
    let with = "{ path: /app.ini, format: ini, values: { sota.port: 20000, SOTA.Name: Sage }, remove: [Users.Most, Users.none] }";
    let proposal = stage.propose("config.set", with).expect("a proposal");
    assert_eq!(
        proposal.difference,
        ["- sota.port = 10000", "+ sota.port = 20000", "- SOTA.Name = Sage 100", "+ SOTA.Name = Sage", "- Users.Most = 22"]
    );
    assert_eq!(output(&proposal, "values")["sota.port"].as_str(), Some("20000"));
    assert_eq!(file_after(&proposal).meta.mode, Some(0o640));
    let sha256 = output(&proposal, "sha256");
    apply(&world, &MemoryStore::new(), proposal);
    assert_eq!(text(&world, "/app.ini"), INI.replace("10000", "20000").replace("Sage 100", "Sage").replace("\r\nMost=22", ""));
    let again = stage.propose("config.set", with).expect("a proposal");
    assert!(again.effects.is_empty() && again.difference.is_empty(), "{:?}", words(&again));
    assert_eq!(output(&again, "sha256"), sha256);
    assert_eq!(output(&again, "values")["SOTA.Name"].as_str(), Some("Sage"));
}

#[test]
fn values_of_json_keep_their_types_and_are_written_in_place() {
    let world = world();
    let stage = Stage::new(&world);
    let with = "{ path: /app.json, format: json, values: { debug: true, db.host: 'b\"', db.ports.1: 3, db.user: ~ }, create: true }";
    let proposal = stage.propose("config.set", with).expect("a proposal");
    assert_eq!(proposal.difference[..3], ["- debug = false", "+ debug = true", "- db.host = a"]);
    apply(&world, &MemoryStore::new(), proposal);
    let wanted = "{\n  \"db\": { \"host\": \"b\\\"\", \"ports\": [1, 3], \"user\": null },\n  \"debug\": true\n}\n";
    assert_eq!(text(&world, "/app.json"), wanted);
    assert!(stage.propose("config.set", with).expect("a proposal").effects.is_empty());
}

#[test]
fn what_is_not_there_is_added_only_when_told() {
    let world = world();
    let stage = Stage::new(&world);
    let refused = |with: &str, wrong: &str| assert_eq!(stage.refusal("config.set", with), wrong, "{with}");
    refused("{ path: /app.ini, format: ini, values: { SOTA.Prot: '1' } }", "`SOTA.Prot` is not in `/app.ini`: `create: true` adds it");
    refused("{ path: /app.json, format: json, values: { db.prot: 1 } }", "`db.prot` is not in `/app.json`: `create: true` adds it");
    refused("{ path: /none.ini, format: ini, values: { a: '1' }, create: true }", "`/none.ini` is not there");
    let with = with(
        "{ path: /app.ini, format: ini }",
        "values",
        [("SOTA.Prot".into(), unknown(&StepId::new("form")))].into_iter().collect::<serde_yaml::Mapping>().into(),
    );
    let wrong = stage.propose_value("config.set", &with).expect_err("it is refused before the value is known");
    assert_eq!(wrong.to_string(), "`SOTA.Prot` is not in `/app.ini`: `create: true` adds it");
    let proposal =
        stage.propose("config.set", "{ path: /app.ini, format: ini, values: { SOTA.Prot: 1, New.A: 2 }, create: true }").expect("a proposal");
    assert_eq!(proposal.difference, ["+ SOTA.Prot = 1", "+ New.A = 2"]);
    apply(&world, &MemoryStore::new(), proposal);
    assert_eq!(text(&world, "/app.ini"), format!("{}\r\n\r\n[New]\r\nA=2", INI.replace("100\"\r\n", "100\"\r\nProt=1\r\n")));
}

#[test]
fn what_such_a_file_cannot_say_is_refused() {
    let world = world();
    world.machine().write("/twice.json", "{ \"a\": 1,\n \"a\": 2 }");
    world.machine().write("/comment.json", "{ // x\n \"a\": 2 }");
    world.machine().write("/nul.ini", "a=1\0");
    world.machine().write("/half.ini", [0xff, 0xfe, b'a', 0, b'=', 0, b'1'].to_vec());
    let stage = Stage::new(&world);
    let refused = |with: &str, wrong: &str| assert_eq!(stage.refusal("config.set", with), wrong, "{with}");
    refused("{ path: /app.ini, format: ini }", "one of `values` and `remove` is wanted");
    refused("{ path: /app.ini, format: ini, values: { SOTA.Port: \"1\\n2\" } }", "`/app.ini`: `SOTA.Port`: a value of an INI file is one line");
    refused(
        "{ path: /app.ini, format: ini, values: { SOTA.Port: true } }",
        "`with.values.SOTA.Port`: put it in quotes, as it is to stand in the INI file",
    );
    refused("{ path: /app.ini, format: ini, values: { SOTA.Port: [1] } }", "`with.values.SOTA.Port`: a list is no value of an INI file");
    refused(
        "{ path: /app.ini, format: ini, values: { SOTA.Port: ~ } }",
        "`with.values.SOTA.Port`: nothing is no value of an INI file: `remove` takes a key out, '' leaves it empty",
    );
    refused(
        "{ path: /app.ini, format: ini, values: { 'SOTA.a=b': '1' }, create: true }",
        "`/app.ini`: `SOTA.a=b` is no name that such a file can hold",
    );
    refused(
        "{ path: /app.ini, format: ini, values: { SOTA.Port: '1', sota.port: '2' } }",
        "`SOTA.Port` is set, and something else is done to it too",
    );
    refused(
        "{ path: /app.ini, format: ini, values: { SOTA.Port: '1' }, remove: [Sota.Port] }",
        "`SOTA.Port` is set, and something else is done to it too",
    );
    refused("{ path: /nul.ini, format: ini, values: { a: '2' } }", "`/nul.ini` is no text that could be written again as it is");
    refused("{ path: /half.ini, format: ini, values: { a: '2' } }", "`/half.ini` is no text that could be written again as it is");
    refused("{ path: /app.json, format: json, values: { db: 1 } }", "`/app.json`: `db` holds keys of its own: set those");
    refused("{ path: /twice.json, format: json, values: { a: 1 } }", "`/twice.json`: `a` of `a` stands twice, at 1:3 and 2:2");
    refused("{ path: /twice.json, format: json, remove: [a] }", "`/twice.json`: `a` of `a` stands twice, at 1:3 and 2:2");
    assert!(stage.refusal("config.read", "{ path: /twice.json, format: json, keys: [a] }").contains("stands twice, at 1:3 and 2:2"));
    assert!(
        stage
            .refusal("config.set", "{ path: /comment.json, format: json, values: { a: 1 } }")
            .contains("it is not JSON: key must be a string at line 1")
    );
}

#[test]
fn a_value_is_written_in_the_encoding_of_its_file() {
    let world = world();
    let stage = Stage::new(&world);
    for (file, set) in [
        (b"\xef\xbb\xbfa=1\r\nb=2".to_vec(), "\u{feff}a=\u{20ac}\r\nb=2".as_bytes().to_vec()),
        (b"\xff\xfea\0=\x001\0".to_vec(), b"\xff\xfea\0=\0\xac\x20".to_vec()),
        (b"\xfe\xff\0a\0=\x001".to_vec(), b"\xfe\xff\0a\0=\x20\xac".to_vec()),
        (b"; \xfc\na=1\n".to_vec(), b"; \xfc\na=\x80\n".to_vec()),
        ("; ü\na=1\n".as_bytes().to_vec(), "; ü\na=€\n".as_bytes().to_vec()),
    ] {
        world.machine().write("/x.ini", file);
        let proposal = stage.propose("config.set", "{ path: /x.ini, format: ini, values: { a: '€' } }").expect("a proposal");
        apply(&world, &MemoryStore::new(), proposal);
        assert_eq!(bytes(&world, "/x.ini"), set);
    }
    world.machine().write("/x.ini", "a=1\n");
    let wrong = stage.refusal("config.set", "{ path: /x.ini, format: ini, values: { a: '€' } }");
    assert_eq!(wrong, "`/x.ini` is ASCII, and a value is not: `encoding` says how it becomes bytes");
    let proposal = stage.propose("config.set", "{ path: /x.ini, format: ini, values: { a: '€' }, encoding: windows-1252 }").expect("a proposal");
    apply(&world, &MemoryStore::new(), proposal);
    assert_eq!(bytes(&world, "/x.ini"), b"a=\x80\n");
    let wrong = stage.refusal("config.set", "{ path: /x.ini, format: ini, values: { a: 'Č' } }");
    assert!(wrong.contains("windows-1252") && !wrong.contains('Č'), "{wrong}");
}

#[test]
fn a_secret_is_written_and_told_nowhere() {
    let world = world();
    let mut stage = Stage::new(&world);
    let secret = |yaml: &str, key: &str| {
        with(yaml, "values", [(key.into(), SecretText::named("inputs.key").value())].into_iter().collect::<serde_yaml::Mapping>().into())
    };
    let ini = secret("{ path: /app.ini, format: ini }", "SOTA.Name");
    let planned = stage.propose_value("config.set", &ini).expect("a proposal");
    assert_eq!(file_after(&planned).content, Content::Hidden);
    assert!(planned.difference.is_empty());
    let absent = secret("{ path: /app.ini, format: ini }", "SOTA.None");
    assert_eq!(
        stage.propose_value("config.set", &absent).expect_err("it is not there").to_string(),
        "`SOTA.None` is not in `/app.ini`: `create: true` adds it"
    );

    stage.secret = Some("hunter\"2");
    let run = stage.propose_value("config.set", &ini).expect("a proposal");
    assert!(State::File(file_after(&run)).fits(&State::File(file_after(&planned))));
    assert!(output(&run, "sha256").as_str().is_some_and(|digest| digest.starts_with("hmac:")));
    assert!(run.difference.is_empty() && output(&run, "values").is_null());
    apply(&world, &MemoryStore::new(), run);
    assert_eq!(text(&world, "/app.ini"), INI.replace("Sage 100", "hunter\"2"));
    assert!(stage.propose_value("config.set", &ini).expect("a proposal").effects.is_empty());

    let json = secret("{ path: /app.json, format: json }", "db.host");
    apply(&world, &MemoryStore::new(), stage.propose_value("config.set", &json).expect("a proposal"));
    assert_eq!(text(&world, "/app.json"), JSON.replace("\"a\"", "\"hunter\\\"2\""));
    stage.secret = Some("two\nlines");
    let wrong = stage.propose_value("config.set", &ini).expect_err("it is refused").to_string();
    assert!(wrong.contains("one line") && !wrong.contains("two"), "{wrong}");
}

#[test]
fn contents_that_are_not_known_yet_stay_unknown() {
    let world = world();
    let imagined = Imagined::new(&world);
    let stage = Stage::new(&world);
    let form = StepId::new("form");
    let value =
        with("{ path: /app.ini, format: ini }", "values", [("SOTA.Port".into(), unknown(&form))].into_iter().collect::<serde_yaml::Mapping>().into());
    let proposal = stage.propose_value("config.set", &value).expect("a proposal");
    assert_eq!(file_after(&proposal).content, Content::Unknown { until: form.clone() });
    assert_eq!((output(&proposal, "values"), output(&proposal, "sha256")), (unknown(&form), unknown(&form)));
    let Some(model::effect::Effect::Set(change)) = proposal.effects.first().map(|proposed| &proposed.effect) else { panic!("{proposal:?}") };
    imagined.imagine(change, &Source::Nothing);
    let later = Stage::new(&imagined).propose("config.set", "{ path: /app.ini, format: ini, values: { Users.Most: 23 } }").expect("a proposal");
    assert_eq!(file_after(&later).content, Content::Unknown { until: form });
}

#[test]
fn steps_on_one_file_see_what_the_one_before_has_set() {
    let world = world();
    let imagined = Imagined::new(&world);
    let stage = Stage::new(&imagined);
    let proposal = stage.propose("config.set", "{ path: /app.ini, format: ini, values: { SOTA.Port: 1 } }").expect("a proposal");
    let Some(proposed) = proposal.effects.into_iter().next() else { panic!("it sets nothing") };
    let model::effect::Effect::Set(change) = &proposed.effect else { panic!("{:?}", proposed.effect) };
    imagined.imagine(change, &proposed.source);
    let proposal = stage.propose("config.set", "{ path: /app.ini, format: ini, values: { SOTA.Port: 2 } }").expect("a proposal");
    assert_eq!(proposal.difference, ["- SOTA.Port = 1", "+ SOTA.Port = 2"]);
}

/// A line of an INI file, the last of which need have no end.
fn ini() -> impl Strategy<Value = (Vec<String>, &'static str, bool)> {
    let line = prop_oneof![
        1 => Just(String::new()),
        1 => "[;#] ?[a-z=ü]{0,6}",
        2 => "\\[(A|B|c)\\]( ; x)?",
        6 => "[ \t]{0,2}(k|K|l|m\\.n) {0,1}= {0,1}(\"[ a-z=;']{0,4}\"|[a-z=;é]{0,5}) {0,2}",
        1 => "no key",
    ];
    (prop::collection::vec(line, 1..12), prop::sample::select(vec!["\n", "\r\n"]), any::<bool>())
}

fn encoded(text: &str, form: usize) -> Vec<u8> {
    match form {
        0 => text.as_bytes().to_vec(),
        1 => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        2 => [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect(),
        3 => [0xfe, 0xff].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect(),
        // All of the characters here are those of Unicode in windows-1252.
        _ => text.chars().map(|c| u8::try_from(u32::from(c)).expect("below 256")).collect(),
    }
}

fn decoded(bytes: &[u8], form: usize) -> String {
    let wide = |unit: fn([u8; 2]) -> u16| String::from_utf16(&bytes[2..].chunks(2).map(|pair| unit([pair[0], pair[1]])).collect::<Vec<_>>());
    match form {
        0 => String::from_utf8(bytes.to_vec()).expect("UTF-8"),
        1 => String::from_utf8(bytes[3..].to_vec()).expect("UTF-8"),
        2 => wide(u16::from_le_bytes).expect("UTF-16"),
        3 => wide(u16::from_be_bytes).expect("UTF-16"),
        _ => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Sets, and gives back what the file is then; checks that doing it again would do nothing, that what is set is read, and that
/// the undo gives the same bytes.
fn set_and_back(file: &[u8], format: &str, key: &str, value: &Value, create: bool) -> Result<Vec<u8>, TestCaseError> {
    let (world, store) = (Memory::new(), MemoryStore::new());
    world.machine().write("/f", file.to_vec());
    let mut stage = Stage::new(&world);
    let with = serde_yaml::to_value(json!({ "path": "/f", "format": format, "values": { key: value }, "create": create, "encoding": "utf-8" }));
    let with = with.expect("parameters");
    let proposal = stage.propose_value("config.set", &with).map_err(|wrong| TestCaseError::fail(wrong.to_string()))?;
    let changes: Vec<Change> = apply(&world, &store, proposal);
    let after = bytes(&world, "/f");
    prop_assert!(stage.propose_value("config.set", &with).expect("a proposal").effects.is_empty());
    let keys = serde_yaml::to_value(json!({ "path": "/f", "format": format, "keys": [key] })).expect("parameters");
    let read = output(&stage.propose_value("config.read", &keys).expect("a proposal"), "values");
    prop_assert_eq!(serde_json::to_value(&read[key]).expect("a value"), value.clone());
    stage.changes = vec![("set", changes)];
    let undo = stage.propose("steps.undo", "{ steps: [set] }").expect("a proposal");
    apply(&world, &store, undo);
    prop_assert_eq!(bytes(&world, "/f"), file);
    Ok(after)
}

/// A JSON document, and blanks between its parts.
fn document() -> impl Strategy<Value = (Value, Vec<u8>)> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-zé\"\\\\,{}\\[\\]]{0,5}".prop_map(Value::from)
    ];
    let inner = leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c\"é]{1,2}", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    let root = prop::collection::btree_map("[a-c\"é]{1,2}", inner, 1..4).prop_map(|map| Value::Object(map.into_iter().collect()));
    (root, prop::collection::vec(0u8..5, 1..9))
}

fn printed(value: &Value, blanks: &mut dyn Iterator<Item = u8>, out: &mut String) {
    let blank = |blanks: &mut dyn Iterator<Item = u8>| ["", " ", "\n  ", "\r\n\t", ""][usize::from(blanks.next().unwrap_or_default())];
    let (open, close) = if value.is_array() { ('[', ']') } else { ('{', '}') };
    let members: Vec<(Option<&String>, &Value)> = match value {
        Value::Array(items) => items.iter().map(|item| (None, item)).collect(),
        Value::Object(map) => map.iter().map(|(name, item)| (Some(name), item)).collect(),
        other => return out.push_str(&other.to_string()),
    };
    out.push(open);
    for (index, (name, item)) in members.into_iter().enumerate() {
        if index > 0 {
            out.push_str(blank(blanks));
            out.push(',');
        }
        out.push_str(blank(blanks));
        if let Some(name) = name {
            out.push_str(&format!("{}{}:{}", json!(name), blank(blanks), blank(blanks)));
        }
        printed(item, blanks, out);
    }
    out.push_str(blank(blanks));
    out.push(close);
}

/// The ways to all values that are no objects.
fn ways(value: &Value, way: &str, out: &mut Vec<String>) {
    let join = |name: &str| if way.is_empty() { name.to_owned() } else { format!("{way}.{name}") };
    match value {
        Value::Object(map) => map.iter().for_each(|(name, inner)| ways(inner, &join(name), out)),
        Value::Array(items) => {
            out.push(way.to_owned());
            items.iter().enumerate().for_each(|(index, inner)| ways(inner, &join(&index.to_string()), out));
        }
        _ => out.push(way.to_owned()),
    }
}

fn at<'v>(value: &'v mut Value, way: &str) -> &'v mut Value {
    way.split('.').fold(value, |value, name| if value.is_array() { &mut value[name.parse::<usize>().expect("a place")] } else { &mut value[name] })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_an_ini_file_says_one_line_of_it_changes_and_comes_back(
        (lines, end, last) in ini(),
        value in "[ a-z\"'=;\\[\\]é]{0,6}",
        key in prop::sample::select(vec!["k", "A.k", "b.L", "C.m.n", "a.new"]),
        form in 0usize..5,
    ) {
        let text = lines.join(end) + if last { end } else { "" };
        let file = encoded(&text, form);
        let after = set_and_back(&file, "ini", key, &json!(value), true)?;
        // What is ASCII has become UTF-8, if the value is not.
        let form = if form == 4 && text.is_ascii() { 0 } else { form };
        let before = Memory::new();
        before.machine().write("/f", file.clone());
        let there = Stage::new(&before).propose("config.read", &format!("{{ path: /f, format: ini, keys: [{key}] }}")).expect("a proposal");
        if there.verdict == world::proposal::Verdict::Holds {
            let after_text = decoded(&after, form);
            prop_assert_eq!(encoded(&after_text, form), after);
            let (old, new): (Vec<&str>, Vec<&str>) = (text.split_inclusive('\n').collect(), after_text.split_inclusive('\n').collect());
            prop_assert_eq!(old.len(), new.len());
            prop_assert!(old.iter().zip(&new).filter(|(old, new)| old != new).count() <= 1, "{text:?} {after_text:?}");
        } else {
            let (world, store) = (Memory::new(), MemoryStore::new());
            world.machine().write("/f", after);
            let remove = Stage::new(&world).propose("config.set", &format!("{{ path: /f, format: ini, remove: [{key}] }}")).expect("a proposal");
            apply(&world, &store, remove);
            // A section that was added for the key stays, and is all that does.
            prop_assert!(bytes(&world, "/f").starts_with(&file), "what was added is gone again");
        }
    }

    #[test]
    fn whatever_a_json_file_says_one_value_of_it_changes_and_comes_back(
        (mut document, blanks) in document(),
        value in prop_oneof![Just(json!(null)), any::<bool>().prop_map(Value::from), any::<i64>().prop_map(Value::from), "[a-zé\"]{0,4}".prop_map(Value::from), Just(json!([1, ["x"]]))],
        pick in any::<prop::sample::Index>(),
        mark in any::<bool>(),
    ) {
        let mut text = String::from(if mark { "\u{feff}" } else { "" });
        printed(&document, &mut blanks.into_iter().cycle(), &mut text);
        let mut all = Vec::new();
        ways(&document, "", &mut all);
        prop_assume!(!all.is_empty());
        let way = pick.get(&all);
        let after = String::from_utf8(set_and_back(text.as_bytes(), "json", way, &value, false)?).expect("text");
        let old = at(&mut document, way).to_string();
        *at(&mut document, way) = value;
        prop_assert_eq!(serde_json::from_str::<Value>(after.trim_start_matches('\u{feff}')).expect("JSON"), document);
        if !old.starts_with('[') {
            let head = text.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
            let tail = text.bytes().rev().zip(after.bytes().rev()).take_while(|(a, b)| a == b).count();
            prop_assert!(head + tail + old.len() >= text.len(), "only the value changed: {text:?} {after:?}");
        }
    }
}
