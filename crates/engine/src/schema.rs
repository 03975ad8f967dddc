//! JSON Schemas (draft-07) of the documents, for editors: generated from the types that read them and from the actions that
//! there are.

mod rules;

use model::answers::Answers;
use model::client::ClientFile;
use model::runbook::Runbook;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};
use world::action::{Class, Kind};

use crate::load::RUNBOOK;
use rules::ID;

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
    let names = |kinds: &mut dyn Iterator<Item = &Kind>| -> Vec<Value> {
        kinds.map(|kind| json!({ "const": kind.name, "description": kind.about })).collect()
    };
    let (all, checks) = (names(&mut kinds.iter()), names(&mut kinds.iter().filter(|kind| kind.class == Class::Check)));
    let nested = json!({ "const": RUNBOOK, "description": "The steps of another runbook, as a group" });
    let steps = [&all[..], &[nested]].concat();
    let mut acting = vec![("Step".to_owned(), steps), ("UndoAction".to_owned(), all), ("Check".to_owned(), checks.clone())];
    for (name, definition) in generator.take_definitions(true) {
        let name = format!("{WITH}{name}");
        // What has an action of its own among its parameters looks with it.
        if ["action", "with"].iter().all(|key| definition["properties"].get(key).is_some()) {
            acting.push((name.clone(), checks.clone()));
        }
        schema["definitions"][name] = moved(open(definition));
    }
    schema["definitions"]["Action"] = json!({ "description": "Parameters go by the action", "allOf": moved(Value::Array(rules)) });
    for (definition, names) in acting {
        let definition = &mut schema["definitions"][definition];
        definition["allOf"] = json!([{ "$ref": "#/definitions/Action" }]);
        definition["properties"]["action"] = json!({ "description": "The kind of step", "oneOf": names });
    }
    of_steps(&mut schema["definitions"], kinds);
    add(&mut schema["definitions"]["InputDef"], json!({ "allOf": rules::input() }));
    let properties = &mut schema["properties"];
    add(&mut properties["touches"], json!({ "items": rules::resources() }));
    add(&mut properties["sensitive"]["items"], rules::resources());
    add(&mut properties["sensitive"]["items"], rules::plain());
    add(&mut properties["steps"], json!({ "minItems": 1 }));
    add(&mut properties["on_failure"], json!({ "not": { "const": "undo_group" } }));
    add(&mut properties["deadline"], rules::some_time());
    for part in ["inputs", "vars", "outputs", "expects"] {
        properties[part]["propertyNames"] = rules::name();
    }
    for part in ["title", "about"] {
        add(&mut properties[part], rules::plain());
    }
    let no_secret = json!({ "properties": { "type": { "not": { "const": "secret" } } } });
    properties["expects"]["additionalProperties"] = json!({ "allOf": [{ "$ref": "#/definitions/InputDef" }, no_secret] });
    schema
}

/// The schema of client files.
pub fn client() -> Value {
    let mut schema = document::<ClientFile>("Client file of retrace, format 1", &["client"]);
    let one_line = json!({ "pattern": r"^[^\u0000-\u001f\u007f]*[^\u0000-\u0020\u007f][^\u0000-\u001f\u007f]*$" });
    let later = json!({ "not": {} });
    let value = json!({ "propertyNames": rules::name(), "additionalProperties": { "$ref": "#/definitions/Value" }, "items": { "$ref": "#/definitions/Value" } });
    let properties = &mut schema["properties"];
    properties["hosts"]["propertyNames"] = rules::name();
    add(&mut properties["values"], value.clone());
    add(&mut properties["runbooks"], json!({ "propertyNames": { "pattern": ID } }));
    add(&mut properties["people"], json!({ "propertyNames": { "pattern": "^[a-z][a-z0-9_-]*$" } }));
    add(&mut properties["sensitive"]["items"], rules::resources());
    add(&mut properties["name"], one_line.clone());
    let zone = json!({ "anyOf": [{ "required": ["zone"] }, { "required": ["extends"] }] });
    add(&mut schema, json!({ "dependencies": { "windows": zone } }));
    let definitions = &mut schema["definitions"];
    definitions["Value"] = value;
    add(&mut definitions["Person"]["properties"]["name"], one_line);
    add(&mut definitions["DaemonDef"]["properties"]["start"], json!({ "minItems": 1 }));
    add(&mut definitions["RunbookEntry"]["properties"]["texts"], later.clone());
    add(&mut definitions["SecretRef"]["properties"]["vault"], later);
    let prompt = json!({ "required": ["prompt"], "properties": { "prompt": { "const": true } } });
    add(&mut definitions["SecretRef"], json!({ "oneOf": [{ "required": ["file"] }, { "required": ["env"] }, prompt, { "required": ["vault"] }] }));
    add(&mut definitions["Window"]["properties"]["for"], rules::some_time());
    add(&mut definitions["Window"]["properties"]["starts"], json!({ "pattern": "^[0-9]{4}-?[0-9]{2}-?[0-9]{2}" }));
    schema
}

/// The schema of partner files: client files without what is of one client.
pub fn partner() -> Value {
    let mut schema = client();
    schema["title"] = "Partner file of retrace, format 1".into();
    schema["required"] = json!(["format"]);
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("dependencies");
    }
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.retain(|key, _| !["client", "extends"].contains(&key.as_str()));
    }
    schema
}

/// What holds in steps beyond the types.
fn of_steps(definitions: &mut Value, kinds: &[Kind]) {
    let step = &mut definitions["Step"];
    if let Some(all) = step["allOf"].as_array_mut() {
        all.extend(rules::step(kinds));
    }
    let properties = &mut step["properties"];
    add(&mut properties["id"], rules::name());
    add(&mut properties["steps"], json!({ "minItems": 1 }));
    add(&mut properties["foreach"], rules::foreach());
    add(&mut properties["max_parallel"], json!({ "minimum": 1 }));
    add(&mut properties["timeout"], rules::some_time());
    add(&mut properties["outputs"], json!({ "propertyNames": rules::name() }));
    properties["outputs"]["additionalProperties"] = json!({ "anyOf": [{ "not": { "type": "object" } }, { "$ref": "#/definitions/OutputDef" }] });
    for names in ["needs", "settles"] {
        add(&mut properties[names], json!({ "uniqueItems": true }));
    }
    for text in ["title", "about", "irreversible"] {
        add(&mut properties[text], rules::plain());
    }
    add(&mut definitions["Retry"]["properties"]["attempts"], json!({ "minimum": 1 }));
    for named in ["Evidence", "Check"] {
        let name = if named == "Check" { "id" } else { "name" };
        add(&mut definitions[named]["properties"][name], rules::name());
    }
    add(&mut definitions["OutputDef"]["properties"]["type"], json!({ "not": { "const": "secret" } }));
}

/// Adds keywords to a schema.
fn add(schema: &mut Value, more: Value) {
    let (Value::Object(schema), Value::Object(more)) = (schema, more) else { return };
    schema.extend(more);
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

/// The parameters of `action: runbook`, which the engine knows itself.
pub fn call() -> Value {
    json!({
        "type": "object",
        "properties": {
            "path": { "type": "string", "not": { "pattern": r"\{\{" }, "description": "The runbook's file, relative to this one" },
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
