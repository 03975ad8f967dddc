//! The answers file: what a person would have said, for when nobody is there.

use super::accept::{accept, typed, wanted};
use super::evidence;
use engine::people::{Answer, EvidenceWanted, Given, Question};
use model::effect::{Ask, Field, FieldType, Form};
use model::value::{Text, to_json};
use model::yaml::Tree;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Answers by step.
pub(crate) struct Answers {
    by_step: BTreeMap<String, Json>,
    dir: PathBuf,
}

/// The key of what is said, beside attached files.
const ANSWER: &str = "answer";
/// The key of who says it.
const BY: &str = "by";

impl Answers {
    /// From a file that was read; its paths are relative to it.
    pub(crate) fn new(path: &Path, tree: &Tree, form: &model::answers::Answers) -> Self {
        let by_step = form.answers.iter().map(|(step, node)| (step.value.to_string(), to_json(&tree.value(*node)))).collect();
        Self { by_step, dir: path.parent().unwrap_or(Path::new("")).to_owned() }
    }

    /// With nothing in it.
    pub(crate) fn none() -> Self {
        Self { by_step: BTreeMap::new(), dir: PathBuf::new() }
    }

    /// Whether something is said about a step.
    pub(crate) fn has(&self, step: &str) -> bool {
        self.by_step.contains_key(step)
    }

    /// What of a question has no answer here, one sentence each.
    pub(crate) fn missing(&self, step: &str, ask: &Ask, evidence: &[EvidenceWanted]) -> Vec<String> {
        let said = self.by_step.get(step);
        let mut missing: Vec<String> = match &ask.form {
            Form::Fields { fields, .. } => {
                let lacks = |field: &&Field| field.default.is_none() && said.and_then(|said| said.get(&field.name)).is_none();
                fields.iter().filter(lacks).map(|field| format!("`{step}`: field `{}` ({})", field.name, kind(field))).collect()
            }
            _ if said.is_some() => Vec::new(),
            Form::Step { .. } => vec![format!("`{step}`: `done`, once its instructions are carried out")],
            Form::Confirm { phrase: Some(phrase), .. } => vec![format!("`{step}`: the phrase `{phrase}`")],
            Form::Confirm { question, .. } => vec![format!("`{step}`: `confirmed`, to the question `{question}`")],
            Form::Decide { options, .. } => {
                let ids: Vec<&str> = options.iter().map(|(id, _)| id.as_str()).collect();
                vec![format!("`{step}`: one of {}", ids.join(", "))]
            }
        };
        let lacking = evidence.iter().filter(|wanted| wanted.required && said.and_then(|said| said.get(&wanted.name)).is_none());
        missing.extend(lacking.map(|wanted| format!("`{step}`: evidence `{}` ({}, a path)", wanted.name, wanted.kind)));
        missing
    }

    /// The answer to a question.
    ///
    /// # Errors
    /// What is said does not fit; in words, without secrets.
    pub(crate) fn answer(&self, question: &Question<'_>, operator: &str) -> Result<Answer, String> {
        let said = self.by_step.get(question.step.as_str()).unwrap_or(&Json::Null);
        let by = said.get(BY).and_then(Json::as_str).unwrap_or(operator).to_owned();
        let mut answer = Answer { by, given: BTreeMap::new(), evidence: BTreeMap::new() };
        match &question.ask.form {
            Form::Step { .. } => agrees(said, None)?,
            Form::Fields { fields, .. } => self.fields(question, fields, said, &mut answer)?,
            Form::Confirm { phrase, not_operator, .. } => {
                agrees(said, phrase.as_deref())?;
                if *not_operator && answer.by == operator {
                    return Err(format!("somebody other than {operator} has to confirm: `{{ by: NAME, answer: confirmed }}`"));
                }
            }
            Form::Decide { options, .. } => {
                let choice = principal(said).and_then(Json::as_str).unwrap_or_default();
                if !options.iter().any(|(id, _)| id == choice) {
                    return Err("it is none of the options".into());
                }
                answer.given.insert("choice".into(), Given::Plain(Json::from(choice)));
            }
        }
        for wanted in question.evidence {
            if let Some(path) = said.get(&wanted.name).and_then(Json::as_str) {
                answer.evidence.insert(wanted.name.clone(), evidence::read(wanted, &self.dir.join(path))?);
            }
        }
        Ok(answer)
    }

    fn fields(&self, question: &Question<'_>, fields: &[Field], said: &Json, answer: &mut Answer) -> Result<(), String> {
        if let Some(map) = said.as_object() {
            let known = |name: &String| name == BY || fields.iter().any(|f| f.name == *name) || question.evidence.iter().any(|e| e.name == *name);
            if let Some(other) = map.keys().find(|name| !known(name)) {
                return Err(format!("there is no field `{other}`"));
            }
        }
        for field in fields {
            let of_field = |wrong| format!("field `{}`: {wrong}", field.name);
            let entered = match said.get(&field.name) {
                Some(value) => self.entered(value).map_err(of_field)?,
                None => Zeroizing::new(String::new()),
            };
            let same = same_as(field, question);
            let given = accept(field, &entered, same.as_ref().map(|bytes| bytes.as_slice())).map_err(of_field)?;
            answer.given.insert(field.name.clone(), given);
        }
        Ok(())
    }

    fn entered(&self, value: &Json) -> Result<Zeroizing<String>, String> {
        if let Some(text) = typed(value) {
            return Ok(text);
        }
        let named = |key: &str| value.as_object().filter(|map| map.len() == 1).and_then(|map| map.get(key)).and_then(Json::as_str);
        match (named("env"), named("file")) {
            (Some(name), _) => std::env::var(name).map(Zeroizing::new).map_err(|_| format!("there is no `{name}` in the environment")),
            (_, Some(path)) => read_secret(&self.dir.join(path)),
            (None, None) => Err("a value, `{ env: NAME }` or `{ file: PATH }` is wanted".into()),
        }
    }
}

/// What a field must equal.
pub(crate) fn same_as(field: &Field, question: &Question<'_>) -> Option<Zeroizing<Vec<u8>>> {
    match field.same_as.as_ref()? {
        Text::Plain(text) => Some(Zeroizing::new(text.clone().into_bytes())),
        // What cannot be shown cannot be equalled.
        Text::Secret(secret) => Some((question.reveal)(secret).unwrap_or_default()),
    }
}

/// A secret from a file: its text without the last line end.
pub(crate) fn read_secret(path: &Path) -> Result<Zeroizing<String>, String> {
    let text = std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    let kept = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
    Ok(Zeroizing::new(kept.to_owned()))
}

fn principal(said: &Json) -> Option<&Json> {
    if said.is_object() { said.get(ANSWER) } else { Some(said) }
}

fn agrees(said: &Json, phrase: Option<&str>) -> Result<(), String> {
    let agreed = match (principal(said), phrase) {
        (Some(Json::String(text)), Some(phrase)) => text == phrase,
        (Some(Json::String(text)), None) => matches!(text.as_str(), "done" | "confirmed" | "yes"),
        (Some(Json::Bool(truth)), None) => *truth,
        // Attached files alone say that it was done.
        (None, None) => true,
        _ => false,
    };
    match (agreed, phrase) {
        (true, _) => Ok(()),
        (false, Some(phrase)) => Err(format!("the phrase `{phrase}` is wanted")),
        (false, None) => Err("`done` or `confirmed` is wanted".into()),
    }
}

fn kind(field: &Field) -> String {
    let kind = match field.kind {
        FieldType::String => "string",
        FieldType::Integer => "integer",
        FieldType::Number => "number",
        FieldType::Boolean => "boolean",
        FieldType::Secret => return "secret".into(),
        FieldType::Date => "date",
    };
    let wanted = wanted(field);
    if wanted.is_empty() { kind.to_owned() } else { format!("{kind}, {wanted}") }
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
