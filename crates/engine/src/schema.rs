//! JSON Schemas (draft-07) of the documents, for editors: generated from the types that read them and from the actions that
//! there are.

use model::answers::Answers;
use model::client::ClientFile;
use model::runbook::Runbook;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};
use world::action::Kind;

use crate::load::RUNBOOK;

/// Names that expressions use.
const NAME: &str = "^[a-z][a-z0-9_]*$";
/// Ids of runbooks and clients.
const ID: &str = "^[a-z][a-z0-9-]*$";
/// Before the definitions of parameters, which may have the names of others.
const WITH: &str = "with.";

/// The schema of runbooks. A step's `with` goes by its `action`.
pub fn runbook(kinds: &[Kind]) -> Value {
    let mut schema = document::<Runbook>("Runbook of retrace, format 1", &["runbook"]);
    let mut generator = generator();
    let rules: Vec<Value> = kinds
        .iter()
        .map(|kind| {
            let with = open((kind.with)(&mut generator).to_value());
            (kind.name, with, needs_parameters(kind))
        })
        .chain([(RUNBOOK, call(), true)])
        .map(|(name, with, needed)| {
            let required = if needed { json!(["with"]) } else { json!([]) };
            json!({
                "if": { "properties": { "action": { "const": name } }, "required": ["action"] },
                "then": { "properties": { "with": with }, "required": required },
            })
        })
        .collect();
    let names: Vec<Value> = kinds
        .iter()
        .map(|kind| json!({ "const": kind.name, "description": kind.about }))
        .chain([json!({ "const": RUNBOOK, "description": "The steps of another runbook, as a group" })])
        .collect();
    for (name, definition) in generator.take_definitions(true) {
        schema["definitions"][format!("{WITH}{name}")] = moved(open(definition));
    }
    schema["definitions"]["Action"] = json!({ "description": "Parameters go by the action", "allOf": moved(Value::Array(rules)) });
    for definition in ["Step", "UndoAction", "Check"] {
        let definition = &mut schema["definitions"][definition];
        definition["allOf"] = json!([{ "$ref": "#/definitions/Action" }]);
        definition["properties"]["action"] = json!({ "description": "The kind of step", "oneOf": names });
    }
    let step = &mut schema["definitions"]["Step"];
    step["properties"]["id"]["pattern"] = NAME.into();
    step["oneOf"] = json!([{ "required": ["action"] }, { "required": ["steps"] }]);
    schema["properties"]["touches"]["items"] = json!({ "type": "string" });
    for part in ["inputs", "vars", "outputs", "expects"] {
        schema["properties"][part]["propertyNames"] = json!({ "pattern": NAME });
    }
    schema
}

/// The schema of client files.
pub fn client() -> Value {
    let mut schema = document::<ClientFile>("Client file of retrace, format 1", &["client"]);
    for part in ["values", "hosts"] {
        schema["properties"][part]["propertyNames"] = json!({ "pattern": NAME });
    }
    schema
}

/// The schema of answers files.
pub fn answers() -> Value {
    document::<Answers>("Answers file of retrace, format 1", &[])
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft07().into_generator()
}

fn document<T: JsonSchema>(title: &str, ids: &[&str]) -> Value {
    let mut schema = without_null(generator().into_root_schema_for::<T>().to_value());
    schema["title"] = title.into();
    schema["properties"]["format"] = json!({ "description": "The format of the file: 1.", "const": 1 });
    for id in ids {
        schema["properties"][id]["pattern"] = ID.into();
    }
    schema
}

/// The parameters of the action that the engine knows itself.
fn call() -> Value {
    json!({
        "type": "object",
        "properties": {
            "path": { "type": "string", "description": "The runbook's file, relative to this one" },
            "inputs": { "type": "object", "description": "What its inputs are" },
        },
        "required": ["path"],
        "additionalProperties": false,
    })
}

/// Whether an action has parameters that must be there.
fn needs_parameters(kind: &Kind) -> bool {
    let mut generator = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true).into_generator();
    let schema = (kind.with)(&mut generator).to_value();
    schema.get("required").and_then(Value::as_array).is_some_and(|required| !required.is_empty())
}

/// Parameters before they are rendered: a value that is not text may also be a template, and a text of a certain form may
/// hold one.
fn open(schema: Value) -> Value {
    let Value::Object(mut schema) = without_null(schema) else { return Value::Bool(true) };
    for key in ["properties", "patternProperties"] {
        if let Some(Value::Object(inner)) = schema.get_mut(key) {
            inner.values_mut().for_each(|inner| *inner = or_template(inner.take()));
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner @ Value::Object(_)) = schema.get_mut(key) {
            *inner = or_template(inner.take());
        }
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(Value::Array(inner)) = schema.get_mut(key) {
            inner.iter_mut().for_each(|inner| *inner = open(inner.take()));
        }
    }
    Value::Object(schema)
}

fn or_template(schema: Value) -> Value {
    let Value::Object(mut schema) = open(schema) else { return Value::Bool(true) };
    let text = schema.get("type").is_some_and(|kind| kind == "string");
    let formed = ["pattern", "enum", "const", "format", "minLength"].iter().any(|key| schema.contains_key(*key));
    let any = !["type", "enum", "const", "$ref", "anyOf", "oneOf", "allOf"].iter().any(|key| schema.contains_key(*key));
    if any || text && !formed {
        return Value::Object(schema);
    }
    let pattern = if text { r"\{\{.*\}\}" } else { r"^\{\{.*\}\}$" };
    let mut outer = Map::new();
    for key in ["description", "default"] {
        if let Some(value) = schema.remove(key) {
            outer.insert(key.to_owned(), value);
        }
    }
    outer.insert("anyOf".to_owned(), json!([schema, { "type": "string", "pattern": pattern }]));
    Value::Object(outer)
}

/// What is left away is no value: nobody writes `null`.
fn without_null(schema: Value) -> Value {
    match schema {
        Value::Object(mut schema) => {
            if let Some(Value::Array(kinds)) = schema.get_mut("type") {
                kinds.retain(|kind| kind != "null");
                if let [only] = kinds.as_slice() {
                    schema["type"] = only.clone();
                }
            }
            if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
            }
            if schema.get("default").is_some_and(Value::is_null) {
                schema.remove("default");
            }
            Value::Object(schema.into_iter().map(|(key, value)| (key, without_null(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_null).collect()),
        other => other,
    }
}

/// With its references to definitions of parameters.
fn moved(schema: Value) -> Value {
    match schema {
        Value::Object(schema) => Value::Object(
            schema
                .into_iter()
                .map(|(key, value)| match (key.as_str(), value.as_str().and_then(|value| value.strip_prefix("#/definitions/"))) {
                    ("$ref", Some(name)) => (key, format!("#/definitions/{WITH}{name}").into()),
                    _ => (key, moved(value)),
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(moved).collect()),
        other => other,
    }
}
