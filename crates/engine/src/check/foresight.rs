//! What templates will become, as far as the documents tell: secrets, literals, inputs of a declared type.

use model::id::StepId;
use model::input::InputType;
use model::step::Step;
use model::value::{SecretText, Value, holds_secret, unknown};
use model::yaml::{Foreseen, Foresight, OneOf, Raw, Shape};

use super::expression::Sight;
use super::file::FileCheck;
use crate::template::{Found, Name, Scope, Segment, Text};

/// The most nodes of a var that are looked at: what is longer is not foreseen.
const NODES: u32 = 256;

impl FileCheck<'_> {
    /// Checks the templates of a parameter, and adds what is known of them.
    pub(super) fn foresee(&mut self, node: Raw, sight: Sight, foresight: &mut Foresight) {
        self.templates_and(node, sight, &mut |check, node, text, parsed| {
            if let Some(foreseen) = check.foreseen(text, parsed) {
                foresight.insert(node, foreseen);
            }
        });
    }

    fn foreseen(&self, text: &str, parsed: &Text) -> Option<Foreseen> {
        if !text.contains("{{") {
            return None;
        }
        if let (true, Some(kind)) = (parsed.is_lone(), parsed.names().next().and_then(|name| self.lone_type(text, name))) {
            return Some(match kind {
                InputType::Integer | InputType::Number => Foreseen::Value(1.into()),
                InputType::Boolean => Foreseen::Value(true.into()),
                InputType::List => Foreseen::Value(Value::Sequence(Vec::new())),
                _ => Foreseen::Text,
            });
        }
        // What cannot be worked out is reported where it stands, or is not known well enough.
        let value = parsed.render(&Ahead(self)).ok()?;
        match model::value::until_within(&value) {
            None => Some(Foreseen::Value(value)),
            // What stands beside a secret is taken for a text.
            Some(_) if holds_secret(&value) => Some(Foreseen::Value(with_texts(value))),
            Some(_) => None,
        }
    }

    /// The declared type of an input or a client's value that is all of a template.
    fn lone_type(&self, text: &str, name: &Name) -> Option<InputType> {
        let [Segment::Field(root), Segment::Field(field)] = name.segments.as_slice() else { return None };
        let form = &self.document.form;
        let def = match root.as_str() {
            "inputs" => form.inputs.get(field),
            "client" => form.expects.as_ref()?.get(field),
            _ => None,
        }?;
        // An input that may not be asked may be none.
        (def.when.is_none() && def.kind.value != InputType::Secret && super::expression::alone(text, name)).then_some(def.kind.value)
    }

    /// Whether a name is of an input that is secret, of a var made of one, or of a secret that a person enters.
    pub(super) fn is_secret(&self, name: &Name) -> bool {
        self.are_secret(&name.segments)
    }

    fn are_secret(&self, segments: &[Segment]) -> bool {
        let [root, field] = [0, 1].map(|at| segments.get(at).map_or("", |segment| segment.as_str()));
        match root {
            "steps" => {
                let step = self.frames.iter().rev().find_map(|frame| frame.ids.get(field).map(|index| &frame.steps[*index as usize]));
                step.is_some_and(|step| self.brings_secret(step, &segments[2..]))
            }
            _ => self.secrets.contains(&(root, field)),
        }
    }

    /// Whether an output of a step is a secret: a field of a form, or an output of a group that is one. As deep as the document.
    fn brings_secret(&self, step: &Step, output: &[Segment]) -> bool {
        let Some(Segment::Field(output)) = output.iter().find(|segment| matches!(segment, Segment::Field(_))) else { return false };
        if let Some(inner) = &step.steps {
            let Some(OneOf::Short(from)) = step.outputs.get(output) else { return false };
            let Some(Ok(text)) = self.tree.text(*from).map(Text::parse) else { return false };
            return text.names().any(|name| match name.segments.as_slice() {
                [Segment::Field(root), Segment::Field(id), rest @ ..] if root == "steps" => {
                    inner.iter().any(|step| *step.id.value == **id && self.brings_secret(step, rest))
                }
                other => self.are_secret(other),
            });
        }
        let fields = step.with.and_then(|with| self.tree.get(with, "fields"));
        fields.into_iter().flat_map(|fields| self.tree.items(fields)).any(|field| {
            let says = |key, word: &str| self.tree.get(field, key).and_then(|node| self.tree.text(node)) == Some(word);
            says("type", "secret") && says("name", output)
        })
    }

    /// A var as far as it is known.
    fn var_ahead(&self, node: Raw, left: &mut u32) -> Value {
        *left = left.saturating_sub(1);
        match self.tree.shape(node) {
            _ if *left == 0 => later(),
            Shape::Text(text) if text.contains("{{") => {
                let secret = Text::parse(text).is_ok_and(|text| text.names().any(|name| self.is_secret(name)));
                if secret { SecretText::named("vars").value() } else { later() }
            }
            Shape::Text(text) => text.into(),
            Shape::Plain(plain) => plain.value(),
            Shape::List => Value::Sequence(self.tree.items(node).map(|item| self.var_ahead(item, left)).collect()),
            Shape::Map => {
                let entries = self.tree.entries(node).filter_map(|(key, value)| Some((self.tree.scalar(key)?, value)));
                Value::Mapping(entries.map(|(key, value)| (key.into(), self.var_ahead(value, left))).collect())
            }
            Shape::Bad => later(),
        }
    }
}

/// Until then is unknown what the documents do not tell.
const LATER: &str = "later";

/// What is not known from the documents.
fn later() -> Value {
    unknown(&StepId::new(LATER))
}

/// A value with texts in the place of what is not known.
fn with_texts(value: Value) -> Value {
    match value {
        Value::Sequence(items) => Value::Sequence(items.into_iter().map(with_texts).collect()),
        Value::Mapping(map) => Value::Mapping(map.into_iter().map(|(key, value)| (key, with_texts(value))).collect()),
        other if model::value::until(&other).is_some() => LATER.into(),
        other => other,
    }
}

/// Names as far as the documents tell what stands behind them.
struct Ahead<'c, 'a>(&'c FileCheck<'a>);

impl Scope for Ahead<'_, '_> {
    fn lookup(&self, name: &[Segment]) -> Found {
        let Self(check) = self;
        if let [Segment::Field(root), field, rest @ ..] = name
            && root == "vars"
            && let Some(node) = check.document.form.vars.get(field.as_str())
            // What a template becomes is not looked at, only whether it holds a secret.
            && !check.tree.text(*node).is_some_and(|text| text.contains("{{"))
        {
            return Found::within(&check.var_ahead(*node, &mut { NODES }), rest);
        }
        if check.are_secret(name) {
            return Found::Value(SecretText::named("secret").value());
        }
        Found::Unknown { until: StepId::new(LATER) }
    }
}
