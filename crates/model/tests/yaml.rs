//! Reading YAML: places, limits, and every error in one pass.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]
#![expect(missing_docs, reason = "fields of test types")]

use std::collections::BTreeMap;

use model::{
    diagnostic::MOST,
    size::Size,
    span::Span,
    value::May,
    yaml::{At, Foresight, Map, Raw, Shape, Sink, Tree, parse, read, read_parameters},
};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    Stop,
    GoOn,
}

#[derive(Debug, Deserialize)]
pub struct Inner {
    pub id: At<Box<str>>,
    pub within: Option<Span>,
    pub number: Option<u16>,
    #[serde(default)]
    pub steps: Vec<Self>,
    pub with: Option<Raw>,
}

#[derive(Debug, Deserialize)]
pub struct Outer {
    pub name: String,
    pub title: String,
    pub word: Option<At<Word>>,
    pub steps: Vec<Inner>,
    #[serde(default)]
    pub map: Map<i64>,
    #[serde(default)]
    pub plain: BTreeMap<String, Inner>,
    pub size: Option<Size>,
}

fn codes(text: &str) -> Vec<String> {
    let sink = Sink::new();
    if let Some(tree) = parse("f", text.as_bytes(), &sink) {
        read::<Outer>(&tree, tree.root(), &sink);
    }
    let found = sink.into_diagnostics();
    found.iter().map(|found| format!("{}@{}:{}", found.code, found.at.as_ref().unwrap().line, found.at.as_ref().unwrap().column)).collect()
}

fn tree(text: &str) -> (Tree, Sink) {
    let sink = Sink::new();
    let tree = parse("f", text.as_bytes(), &sink).unwrap();
    (tree, sink)
}

#[test]
fn a_sound_document_is_read_whole() {
    let (tree, sink) = tree(
        "name: a\ntitle: 'it''s \"b\"'\nword: go_on\nsteps:\n- id: x\n  within: 1m\n  with: {a: [1, 2.5, true, ~, 'x', {b: c}]}\nmap: {z: 1, a: -2}\nsize: 25 GB\n",
    );
    let outer: Outer = read(&tree, tree.root(), &sink).unwrap();
    assert!(sink.found().is_empty(), "{}", sink.found());
    assert_eq!(outer.title, "it's \"b\"");
    assert_eq!(outer.map.names().collect::<Vec<_>>(), ["z", "a"]);
    assert!(matches!(outer.word.unwrap().value, Word::GoOn));
    let step = &outer.steps[0];
    assert_eq!(tree.source().position(tree.place(step.id.node).start), (5, 7));
    let value = serde_yaml::to_string(&tree.value(step.with.unwrap())).unwrap();
    assert_eq!(value, "a:\n- 1\n- 2.5\n- true\n- null\n- x\n- b: c\n");
    assert_eq!(tree.shape(step.with.unwrap()), Shape::Map);
}

#[test]
fn all_errors_are_found_in_one_pass() {
    let text = "name: 1.10\nwrod: stop\nword: halt\nsteps:\n- id: 3\n  within: 10\n  number: 70000\n- within: 1m\n  nmber: 2\n- id: b\n  steps: [{within: -1s}, {id: [x]}]\nmap: {a: x}\nplain: {p: {within: 1}}\n";
    let expected = [
        "wrong-type@1:7",
        "unknown-key@2:1",
        "unknown-word@3:7",
        "wrong-type@5:7",
        "wrong-value@6:11",
        "wrong-value@7:11",
        "unknown-key@9:3",
        "missing-key@8:3",
        "wrong-value@11:20",
        "missing-key@11:11",
        "wrong-type@11:31",
        "wrong-type@12:10",
        "wrong-value@13:21",
        "missing-key@13:12",
        "missing-key@1:1",
    ];
    assert_eq!(codes(text), expected);
}

#[test]
fn what_is_not_part_of_the_language_is_refused_with_its_place() {
    let cases = [
        ("name: &a x\nsteps: *a\ntitle: b\n", "anchor@1:7 alias@2:8"),
        ("name: *nowhere\ntitle: b\nsteps: []\n", "alias@1:7"),
        ("&a name: x\ntitle: b\nsteps: []\n", "anchor@1:1"),
        ("name: !!str x\ntitle: !own z\nsteps: []\n", "tag@1:7 tag@2:8"),
        ("name: a\nname: b\ntitle: b\nsteps: []\n", "duplicate-key@2:1"),
        ("name: a\ntitle: b\nsteps: []\nmap: {a: 1, 'a': 2}\n", "duplicate-key@4:13"),
        ("name: a\ntitle: b\nsteps: []\nmap: {é: 1, e\u{301}: 2}\n", "combining-character@4:13"),
        ("name: a\ntitle: b\nsteps: []\n<<: {a: 1}\n", "ambiguous@4:1"),
        ("name: a\ntitle: b\nsteps: []\n'<<': {a: 1}\n", "merge-key@4:1"),
        ("name: a\ntitle: b\nsteps: []\n---\nname: b\n", "second-document@4:1"),
        ("", "empty-file@1:1"),
        ("# only a comment\n", "empty-file@1:1"),
        ("~\n", "empty-file@1:1"),
        ("name: \"a\\0b\"\ntitle: \"\\e[31m\"\nsteps: []\n", "control-character@1:7 control-character@2:8"),
        ("name: \"a\\tb\\r\\n\"\ntitle: x\nsteps: []\n", ""),
        ("name: a\u{202e}b\ntitle: x\nsteps: []\n", "control-character@1:8"),
        ("name: a\rtitle: x\nsteps: []\n", "control-character@1:8"),
        ("name: a\r\ntitle: x\r\nsteps: []\r\n", ""),
        ("\u{feff}name: a\ntitle: x\nsteps: []\n", ""),
        ("name: a\n\ttitle: x\n", "tab@2:1"),
        ("1: a\nname: b\ntitle: x\nsteps: []\n", "key-not-text@1:1"),
        ("[a]: a\nname: b\ntitle: x\nsteps: []\n", "key-not-text@1:1"),
        (
            "name: no\ntitle: 012\nsteps: []\nmap: {a: 1_000, b: 12:30, c: .nan, d: 18446744073709551616}\n",
            "ambiguous@1:7 ambiguous@2:8 ambiguous@4:10 ambiguous@4:20 number@4:30 number@4:39",
        ),
        ("name:\ntitle: x\nsteps: []\nword:\n", "wrong-type@1:5 no-value@4:5"),
        ("%YAML 1.1\n---\nname: a\n", "syntax@1:1"),
        ("name: [a, b\n", "syntax@1:7"),
    ];
    for (text, expected) in cases {
        assert_eq!(codes(text).join(" "), expected, "{text}");
    }
}

#[test]
fn hostile_files_end_in_one_error() {
    let long = "x".repeat(300 << 10);
    let cases = [
        ("[".repeat(100_000), "too-deep"),
        ((0..3000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect(), "too-deep"),
        ("? ".repeat(5000), "key-not-text too-deep"),
        (format!("name: {long}\n"), "too-long"),
        (format!("name: a\n{}", "#\n".repeat(13 << 20)), "too-large"),
    ];
    for (text, expected) in &cases {
        let sink = Sink::new();
        let tree = parse("f", text.as_bytes(), &sink);
        let found = sink.into_diagnostics();
        assert!(tree.is_none());
        assert_eq!(found.iter().map(|found| found.code).collect::<Vec<_>>().join(" "), *expected);
    }
}

#[test]
fn a_file_that_is_not_utf_8_is_refused_where_it_stops_being_it() {
    for (bytes, line) in [(&b"name: a\ntitle: \xe9"[..], 2), (b"\xff\xfen\0a\0", 1), (b"n\0a\0m\0", 1)] {
        let sink = Sink::new();
        assert!(parse("f", bytes, &sink).is_none());
        let found = sink.into_diagnostics();
        let found = found.iter().next().unwrap();
        assert_eq!((found.code, found.at.as_ref().unwrap().line), ("not-utf-8", line));
    }
}

#[test]
fn findings_stop_at_a_limit() {
    let text: String = (0..1000).map(|index| format!("key{index}: {{}}\n")).collect();
    let sink = Sink::new();
    let tree = parse("f", text.as_bytes(), &sink).unwrap();
    read::<Outer>(&tree, tree.root(), &sink);
    let found = sink.into_diagnostics();
    assert_eq!(found.iter().count(), MOST);
    assert!(found.more());
}

#[test]
fn groups_that_all_lack_their_id_are_read_in_linear_time() {
    let mut text = String::from("name: a\ntitle: b\nsteps: ");
    let depth = 30;
    text.push_str(&"[{steps: ".repeat(depth));
    text.push_str("[]");
    text.push_str(&"}]".repeat(depth));
    assert_eq!(codes(&text).len(), depth);
}

#[test]
fn in_parameters_a_template_stands_for_any_type() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read for its errors")]
    struct With {
        within: Span,
        size: Size,
        number: u16,
        list: Vec<String>,
        flag: bool,
        word: Word,
        map: BTreeMap<String, String>,
        other: Option<u8>,
        text: May<String>,
        numbers: May<Vec<u8>>,
    }
    let text = "within: '{{ a }}'\nsize: '{{ a }} GB'\nnumber: '{{ a }}'\nlist: '{{ a }}'\nflag: '{{ a }}'\nword: '{{ a }}'\nmap: {k: '{{ a }}', l: 1}\nother: '{{ a }}'\ntext: '{{ a }}'\nnumbers: '{{ a }}'\nthing: 1\n";
    let (tree, sink) = tree(text);
    assert!(read_parameters::<With>(&tree, Some(tree.root()), tree.root(), &Foresight::new(), &sink).is_some());
    let found = sink.into_diagnostics();
    assert_eq!(found.iter().map(|found| found.code).collect::<Vec<_>>(), ["wrong-type", "unknown-key"], "{found}");
}
