//! What keys have to do with each other: the rules of a check that a schema can know. Each adds to what the types say, so that
//! editors go on completing.

use model::input::InputType;
use serde_json::{Value, json};
use world::action::{Class, Kind};

use crate::check::{RESERVED, ROOTS};
use crate::load::RUNBOOK;

/// Names that expressions use.
const NAME: &str = "^[a-z][a-z0-9_]*$";
/// Ids of runbooks and clients.
pub(super) const ID: &str = "^[a-z][a-z0-9-]*$";
/// A length of time that is none.
const NO_TIME: &str = "^(0+(d|h|m|s|ms))+$";
/// What only a single step may have.
const SINGLE: [&str; 9] = ["settles", "retry", "timeout", "takes", "outage", "undo", "irreversible", "gate", "point_of_no_return"];

/// A name for expressions.
pub(super) fn name() -> Value {
    json!({ "pattern": NAME, "not": { "enum": RESERVED } })
}

/// The name of a loop, which hides no other.
fn name_of_loop() -> Value {
    let taken = [&RESERVED[..], &ROOTS[..]].concat();
    json!({ "pattern": NAME, "not": { "enum": taken } })
}

/// A text that is no template.
pub(super) fn plain() -> Value {
    json!({ "not": { "pattern": r"\{\{" } })
}

/// A pattern of resources, perhaps made by a template.
pub(super) fn resources() -> Value {
    json!({ "type": "string", "pattern": r"^((file|service|task|registry|other):.|\{\{)" })
}

/// A length of time that is one.
pub(super) fn some_time() -> Value {
    json!({ "not": { "pattern": NO_TIME } })
}

/// What holds for every step, besides the parameters of its action.
pub(super) fn step(kinds: &[Kind]) -> Vec<Value> {
    let back = [("undo", json!({ "not": { "const": "auto" } })), ("settles", json!({ "minItems": 1 })), ("irreversible", json!(true))];
    let two_ways_back = [(0, 1), (0, 2), (1, 2)].map(|(one, other)| {
        let ((one, is_one), (other, is_other)) = (&back[one], &back[other]);
        json!({ "not": { "required": [one, other], "properties": { *one: is_one, *other: is_other } } })
    });
    let mut rules = vec![
        json!({ "oneOf": [{ "required": ["action"] }, { "required": ["steps"] }] }),
        json!({ "dependencies": { "foreach": ["key"], "key": ["foreach"], "max_parallel": ["foreach"] } }),
        when(json!({ "required": ["steps"] }), &group(&["with"])),
        when(of([RUNBOOK]), &group(&[])),
        when(json!({ "required": ["action"] }), &json!({ "properties": { "finally": { "maxItems": 0 } } })),
        when(
            json!({ "required": ["action"], "not": { "required": ["foreach"] } }),
            &json!({ "properties": { "on_failure": { "not": { "const": "undo_group" } } } }),
        ),
    ];
    rules.extend(two_ways_back);
    for class in [Class::Check, Class::Wait, Class::Ask, Class::Set, Class::Opaque] {
        let of_class: Vec<&str> = kinds.iter().filter(|kind| kind.class == class).map(|kind| kind.name).collect();
        rules.extend(self::class(class).into_iter().map(|rule| when(of(&of_class), &rule)));
    }
    rules
}

/// What a group may not have, besides what every group may not.
fn group(more: &[&str]) -> Value {
    let none: Vec<Value> = SINGLE.iter().chain(more).map(|key| json!({ "required": [key] })).collect();
    json!({
        "not": { "anyOf": none },
        "properties": {
            "done_when": { "maxItems": 0 },
            "evidence": { "maxItems": 0 },
            "outputs": { "additionalProperties": { "not": { "type": "object" } } },
        },
    })
}

/// What a step may say depends on what its action may do.
fn class(class: Class) -> Vec<Value> {
    let never = json!({ "const": false });
    let none = json!({ "maxItems": 0 });
    let looks = matches!(class, Class::Check | Class::Wait);
    let nothing_to_undo = json!({ "properties": { "undo": { "const": "auto" } }, "not": { "required": ["irreversible"] } });
    let a_way_back = json!({ "anyOf": [
        { "required": ["undo"], "properties": { "undo": { "not": { "const": "auto" } } } },
        { "required": ["settles"], "properties": { "settles": { "minItems": 1 } } },
        { "required": ["irreversible"] },
    ] });
    let mut rules = vec![if looks {
        json!({ "properties": { "point_of_no_return": never, "settles": none, "evidence": none } })
    } else {
        json!({ "properties": { "gate": never } })
    }];
    if class != Class::Opaque {
        rules.push(json!({ "properties": { "done_when": none } }));
    }
    match class {
        Class::Check | Class::Wait => rules.push(nothing_to_undo),
        Class::Ask => rules.extend([nothing_to_undo, json!({ "properties": { "settles": none }, "not": { "required": ["retry"] } })]),
        Class::Set => rules.push(json!({ "properties": { "evidence": none } })),
        Class::Opaque => rules.extend([
            json!({ "anyOf": [with(&json!({ "required": ["changes"] })), a_way_back] }),
            when(with(&json!({ "required": ["changes"], "properties": { "changes": { "contains": { "pattern": "^other:" } } } })), &a_way_back),
            when(json!({ "required": ["undo"], "properties": { "undo": { "const": "auto" } } }), &with(&json!({ "required": ["changes"] }))),
            when(json!({ "required": ["retry"] }), &with(&json!({ "required": ["repeatable"], "properties": { "repeatable": { "const": true } } }))),
        ]),
    }
    rules
}

/// An input's parts agree with its type.
pub(super) fn input() -> Vec<Value> {
    use InputType as T;
    let of = |kinds: &[T]| json!({ "properties": { "type": { "enum": kinds.iter().map(|kind| kind.word()).collect::<Vec<_>>() } } });
    let value = |value: Value| json!({ "anyOf": [value, { "type": "string", "pattern": r"\{\{" }] });
    let default = |kind: &str| value(json!({ "type": kind }));
    let none = |keys: &[&str]| json!({ "not": { "anyOf": keys.iter().map(|key| json!({ "required": [key] })).collect::<Vec<_>>() } });
    let bounds = |bound: Value| json!({ "properties": { "min": bound, "max": bound } });
    let texts = [T::String, T::Path, T::File, T::Secret, T::Duration, T::Size, T::Date, T::Version];
    vec![
        when(of(&[T::Secret]), &none(&["default", "example"])),
        when(of(&[T::Integer, T::Number, T::Boolean, T::List]), &none(&["pattern"])),
        when(of(&[T::Boolean]), &none(&["min", "max"])),
        json!({ "anyOf": [of(&[T::List]), none(&["of"])] }),
        when(of(&[T::Integer, T::Number]), &bounds(json!({ "type": "number" }))),
        when(of(&[T::String, T::Path, T::File, T::Secret, T::List]), &bounds(json!({ "type": "integer", "minimum": 0 }))),
        when(of(&[T::Duration, T::Size, T::Date, T::Version]), &bounds(json!({ "type": "string", "pattern": "[0-9]" }))),
        when(of(&texts), &json!({ "properties": { "default": { "type": "string" } } })),
        when(of(&[T::Integer]), &json!({ "properties": { "default": default("integer") } })),
        when(of(&[T::Number]), &json!({ "properties": { "default": default("number") } })),
        when(of(&[T::Boolean]), &json!({ "properties": { "default": default("boolean") } })),
        when(of(&[T::List]), &json!({ "properties": { "default": default("array") } })),
    ]
}

/// One name, and a list or a template that is one.
pub(super) fn foreach() -> Value {
    json!({
        "minProperties": 1,
        "maxProperties": 1,
        "propertyNames": name_of_loop(),
        "additionalProperties": { "anyOf": [{ "type": "array" }, { "type": "string", "pattern": r"^\{\{" }] },
    })
}

fn of<'n>(names: impl IntoIterator<Item = impl AsRef<str> + 'n>) -> Value {
    let names: Vec<String> = names.into_iter().map(|name| name.as_ref().to_owned()).collect();
    json!({ "properties": { "action": { "enum": names } }, "required": ["action"] })
}

fn with(parameters: &Value) -> Value {
    json!({ "required": ["with"], "properties": { "with": parameters } })
}

#[expect(clippy::needless_pass_by_value, reason = "a literal is written at every call")]
fn when(condition: Value, rule: &Value) -> Value {
    json!({ "if": condition, "then": rule })
}
