//! JSON Schemas of what people write, draft-07, for editors: names of actions and their parameters are completed.

use actions::BUILTIN;
use model::answers::Answers;
use model::client::ClientFile;
use model::runbook::Runbook;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value as Json, json};

/// The documents that have a schema.
pub(crate) const KINDS: [&str; 3] = ["runbook", "client", "answers"];

/// The schema of a document; none if there is no such document.
pub(crate) fn of(kind: &str) -> Option<Json> {
    let mut generator = SchemaSettings::draft07().into_generator();
    let mut schema = match kind {
        "runbook" => runbook(&mut generator),
        "client" => root::<ClientFile>(&mut generator),
        "answers" => root::<Answers>(&mut generator),
        _ => return None,
    };
    let definitions = generator.take_definitions(true);
    if !definitions.is_empty() {
        let own = schema["definitions"].as_object().cloned().unwrap_or_default();
        schema["definitions"] = Json::Object(definitions.into_iter().chain(own).collect());
    }
    if kind == "runbook" {
        actions(&mut schema);
    }
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["title"] = format!("retrace: {kind}, format 1").into();
    schema["properties"]["format"] = json!({ "const": 1 });
    Some(schema)
}

fn root<T: JsonSchema>(generator: &mut SchemaGenerator) -> Json {
    T::json_schema(generator).to_value()
}

fn runbook(generator: &mut SchemaGenerator) -> Json {
    let schema = root::<Runbook>(generator);
    for kind in &BUILTIN {
        // What parameters refer to gets its place among the definitions.
        (kind.with)(generator);
    }
    schema
}

/// Says in the definition of a step which actions there are, and what each takes.
fn actions(schema: &mut Json) {
    let mut generator = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true).into_generator();
    let mut names: Vec<Json> = BUILTIN.iter().map(|kind| json!({ "const": kind.name, "description": kind.about })).collect();
    names.push(json!({ "const": "runbook", "description": "the steps of another runbook, as a group" }));
    let takes: Vec<Json> = BUILTIN
        .iter()
        .map(|kind| {
            let mut with = (kind.with)(&mut generator).to_value();
            templates(&mut with);
            let needs = with["required"].as_array().is_some_and(|required| !required.is_empty());
            let required = if needs { json!(["with"]) } else { json!([]) };
            json!({
                "if": { "properties": { "action": { "const": kind.name } }, "required": ["action"] },
                "then": { "properties": { "with": with }, "required": required },
            })
        })
        .collect();
    if let Some(step) = schema.pointer_mut("/definitions/Step").and_then(Json::as_object_mut) {
        step.insert("allOf".into(), Json::Array(takes));
        if let Some(action) = step.get_mut("properties").and_then(|properties| properties.get_mut("action")) {
            *action = json!({ "description": "What it does.", "oneOf": names });
        }
    }
}

/// Whatever is not text may also be one template: `{{ expression }}`.
fn templates(schema: &mut Json) {
    if let Some(properties) = schema.get_mut("properties").and_then(Json::as_object_mut) {
        properties.values_mut().for_each(or_template);
    }
    if let Some(items) = schema.get_mut("items") {
        or_template(items);
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(all) = schema.get_mut(key).and_then(Json::as_array_mut) {
            all.iter_mut().for_each(templates);
        }
    }
}

fn or_template(schema: &mut Json) {
    templates(schema);
    let text = |types: &Json| types == "string" || types.as_array().is_some_and(|types| types.iter().any(|one| one == "string"));
    let free = schema.as_object().is_some_and(serde_json::Map::is_empty) || schema.is_boolean();
    let plain_text = text(&schema["type"]) && schema.get("enum").is_none() && schema.get("pattern").is_none() && schema.get("format").is_none();
    if plain_text || free {
        return;
    }
    let description = schema.get("description").cloned();
    let mut either = json!({ "anyOf": [schema.take(), { "type": "string", "pattern": "^\\{\\{.*\\}\\}$" }] });
    if let Some(description) = description {
        either["description"] = description;
    }
    *schema = either;
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;

    #[test]
    fn the_schema_of_a_runbook_names_every_action_and_what_it_takes() {
        let schema = of("runbook").unwrap();
        let step = &schema["definitions"]["Step"];
        let names = step["properties"]["action"]["oneOf"].as_array().unwrap();
        assert_eq!(names.len(), BUILTIN.len() + 1);
        assert_eq!(step["allOf"].as_array().unwrap().len(), BUILTIN.len());
    }

    #[test]
    fn there_is_a_schema_of_each_kind_and_of_no_other() {
        assert!(KINDS.iter().all(|kind| of(kind).is_some_and(|schema| schema["properties"]["format"]["const"] == 1)));
        assert!(of("plan").is_none());
    }
}
