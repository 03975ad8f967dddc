//! `retrace actions`: what a step may do.

use crate::args;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::here::Here;
use crate::report::layout::{fill, padded};
use actions::BUILTIN;
use schemars::generate::SchemaSettings;
use serde_json::{Value as Json, json};
use std::fmt::Write as _;

/// The action that the engine knows itself.
const RUNBOOK: (&str, &str) = ("runbook", "Does the steps of another runbook, as a group; its outputs are those that the runbook names");

/// Lists the actions, or describes one.
pub(crate) fn actions(here: &Here, args: &args::Actions) -> Result<Exit, Failure> {
    let listed = || BUILTIN.iter().map(|kind| (kind.name, kind.about)).chain([RUNBOOK]);
    let Some(name) = &args.name else {
        if here.everywhere.json {
            let all: Vec<Json> = listed().map(|(name, about)| json!({ "name": name, "about": about })).collect();
            here.print_json(&json!({ "format": 1, "actions": all }))?;
        } else {
            let line = |(name, about): (&str, &str)| format!("{}{}\n", padded(name, 18), fill(about, here.out.width, 18, 18));
            here.print(&listed().map(line).collect::<String>());
        }
        return Ok(Exit::Done);
    };
    let kind = BUILTIN.iter().find(|kind| kind.name == name);
    let Some((name, about)) = listed().find(|(known, _)| known == name) else {
        let failure = Failure::usage(format!("there is no action `{name}`"));
        let near = model::diagnostic::nearest(name, listed().map(|(known, _)| known));
        return Err(match near {
            Some(near) => failure.help(format!("did you mean `{near}`?")),
            None => failure.help("`retrace actions` lists them"),
        });
    };
    let with = kind.map_or_else(engine::schema::call, |kind| schema(kind.with));
    let outputs = kind.map_or_else(|| json!({ "type": "object" }), |kind| schema(kind.outputs));
    if here.everywhere.json {
        here.print_json(&json!({ "format": 1, "name": name, "about": about, "with": with, "outputs": outputs }))?;
    } else {
        let mut text = format!("{name}: {about}\n");
        list(&mut text, "with", &with, here.out.width);
        list(&mut text, "outputs", &outputs, here.out.width);
        here.print(&text);
    }
    Ok(Exit::Done)
}

fn schema(of: fn(&mut schemars::SchemaGenerator) -> schemars::Schema) -> Json {
    let mut generator = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true).into_generator();
    of(&mut generator).to_value()
}

fn list(text: &mut String, head: &str, schema: &Json, width: Option<usize>) {
    let Some(properties) = schema["properties"].as_object().filter(|properties| !properties.is_empty()) else { return };
    let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    let _ = writeln!(text, "\n{head}:");
    for (name, property) in properties {
        let about = property["description"].as_str().unwrap_or_default().replace('\n', " ");
        let needed = if required(name) { "required. " } else { "" };
        let said = format!("{needed}{about}");
        let _ = writeln!(text, "  {}{}", padded(name, 16), fill(&said, width, 18, 18));
    }
}
