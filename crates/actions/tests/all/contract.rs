//! What holds for every action, by iteration over the list.

use crate::stage::Stage;
use actions::BUILTIN;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The schemas of an action's parameters and of what they use, by name.
fn schemas(index: usize) -> Vec<(String, Value)> {
    let mut generator = SchemaSettings::draft07().into_generator();
    (BUILTIN[index].with)(&mut generator);
    let definitions: &Map<String, Value> = generator.definitions();
    definitions.iter().map(|(name, schema)| (name.clone(), schema.clone())).collect()
}

#[test]
fn names_are_unique_and_well_formed() {
    let mut names = BTreeSet::new();
    for kind in &BUILTIN {
        assert!(names.insert(kind.name), "{} is there twice", kind.name);
        let (family, verb) = kind.name.split_once('.').expect("a family and a verb");
        for part in [family, verb] {
            assert!(!part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", kind.name);
        }
    }
}

#[test]
fn every_action_says_in_one_line_what_it_is_for() {
    for kind in &BUILTIN {
        let about = kind.about;
        assert!((10..=90).contains(&about.len()) && !about.contains('\n') && !about.ends_with('.'), "{}: {about}", kind.name);
        assert!(about.starts_with(char::is_uppercase), "{}: {about}", kind.name);
    }
}

#[test]
fn every_parameter_is_described_and_no_other_is_accepted() {
    for (index, kind) in BUILTIN.iter().enumerate() {
        let schemas = schemas(index);
        assert!(!schemas.is_empty(), "{} has no schema", kind.name);
        for (name, schema) in schemas {
            let Some(properties) = schema.get("properties").and_then(Value::as_object) else { continue };
            assert_eq!(schema.get("additionalProperties"), Some(&Value::Bool(false)), "{}: {name} accepts anything", kind.name);
            for (property, about) in properties {
                let about = about.get("description").and_then(Value::as_str).unwrap_or_default();
                assert!(about.len() > 5, "{}: `{property}` of {name} is not described", kind.name);
            }
        }
    }
}

#[test]
fn every_output_is_described() {
    for kind in &BUILTIN {
        let mut generator = SchemaSettings::draft07().into_generator();
        (kind.outputs)(&mut generator);
        for (name, schema) in generator.definitions() {
            for (property, about) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
                assert!(about.get("description").is_some(), "{}: output `{property}` of {name} is not described", kind.name);
            }
        }
    }
}

#[test]
fn a_parameter_that_does_not_exist_is_named() {
    let world = world::memory::Memory::new();
    let stage = Stage::new(&world);
    for kind in &BUILTIN {
        let wrong = stage.refusal(kind.name, "{ no_such_parameter: 1 }");
        assert!(wrong.contains("no_such_parameter") || wrong.contains("missing field"), "{}: {wrong}", kind.name);
    }
}
