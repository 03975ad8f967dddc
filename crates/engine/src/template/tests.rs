#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

mod expressions;
mod files;
mod limits;
mod properties;
mod secrets;
mod texts;
mod unknowns;

use super::{Expression, Found, Scope, Segment, TemplateError, TemplateFile};
use model::id::StepId;
use model::value::{May, Piece, SecretText, Text, Value, unknown};

/// A scope made of YAML, in which `!u STEP` is an unknown and `!s NAME` a secret.
pub(super) struct Names(pub(super) Value);

impl Names {
    pub(super) fn new(yaml: &str) -> Self {
        Self(marked(serde_yaml::from_str(yaml).unwrap()))
    }
}

impl Scope for Names {
    fn lookup(&self, name: &[Segment]) -> Found {
        match Found::within(&self.0, name) {
            Found::Value(value) => match SecretText::of(&value).as_ref().map(|secret| secret.pieces.as_slice()) {
                Some([Piece::Secret(name)]) => Found::Secret(name.clone()),
                _ => Found::Value(value),
            },
            other => other,
        }
    }
}

/// The tree with its tags made the markers they stand for.
pub(super) fn marked(value: Value) -> Value {
    match value {
        Value::Tagged(tagged) if tagged.tag == "!u" => unknown(&StepId::new(tagged.value.as_str().unwrap())),
        Value::Tagged(tagged) if tagged.tag == "!s" => SecretText::named(tagged.value.as_str().unwrap()).value(),
        Value::Sequence(items) => Value::Sequence(items.into_iter().map(marked).collect()),
        Value::Mapping(map) => Value::Mapping(map.into_iter().map(|(key, value)| (key, marked(value))).collect()),
        other => other,
    }
}

pub(super) fn yaml(text: &str) -> Value {
    marked(serde_yaml::from_str(text).unwrap())
}

/// What a template file becomes.
pub(super) fn render_file(source: &str, vars: &Value) -> Result<May<Text>, TemplateError> {
    TemplateFile::parse(source)?.render(vars)
}

pub(super) fn eval(source: &str, names: &Names) -> Result<Value, TemplateError> {
    Expression::parse(source)?.eval(names)
}
