//! The answers file: what a person would have said, for when nobody is there.

use super::accept::{accept, typed, wanted};
use super::evidence;
use super::misfits::misfits;
use engine::load::Document;
use engine::people::{Answer, EvidenceWanted, Given, Question};
use engine::questions::Questions;
use model::diagnostic::Diagnostics;
use model::effect::{Ask, Field, FieldType, Form};
use model::value::{Text, to_json};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Answers by step.
pub(crate) struct Answers {
    by_step: BTreeMap<String, Json>,
    dir: PathBuf,
    /// The file, for the places in it.
    document: Option<Document<model::answers::Answers>>,
    /// What a check has found in it.
    found: Diagnostics,
}

/// The key of what is said, beside attached files.
pub(super) const ANSWER: &str = "answer";
/// The key of who says it.
pub(super) const BY: &str = "by";
/// The keys of where a value is.
pub(super) const ENV: &str = "env";
pub(super) const FILE: &str = "file";
/// What is wrong with a value that is none.
pub(super) const NO_VALUE: &str = "a value, `{ env: NAME }` or `{ file: PATH }` is wanted";

impl Answers {
    /// From a file that was read, with what a check has found in it; its paths are relative to it.
    pub(crate) fn new(document: Document<model::answers::Answers>, found: Diagnostics) -> Self {
        let by_step = document.form.answers.iter().map(|(step, node)| (step.value.to_string(), to_json(&document.tree.value(*node)))).collect();
        let dir = document.path.parent().unwrap_or(Path::new("")).to_owned();
        Self { by_step, dir, document: Some(document), found }
    }

    /// With nothing in it.
    pub(crate) fn none() -> Self {
        Self { by_step: BTreeMap::new(), dir: PathBuf::new(), document: None, found: Diagnostics::default() }
    }

    /// What a check of the documents has found wrong.
    pub(crate) fn found(&self) -> &Diagnostics {
        &self.found
    }

    /// All that is wrong, now that the questions are known. `operator`: who will ask to begin, where that is known.
    pub(crate) fn misfits(&self, questions: &Questions, operator: Option<&str>) -> Diagnostics {
        let Some(document) = &self.document else { return Diagnostics::default() };
        let mut found = misfits(document, questions, operator);
        for other in self.found.iter() {
            if !found.iter().any(|one| one.at == other.at) {
                found.push(other.clone());
            }
        }
        found.sort();
        found
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
                let lack = |field: &Field| match said.and_then(|said| said.get(&field.name)) {
                    None if field.default.is_none() => Some(String::new()),
                    None => None,
                    // Whether a variable is there does not change any more; a file may come to be.
                    Some(value) => named(value, ENV).filter(|name| std::env::var_os(name).is_none()).map(|name| format!(": {}", unset(name))),
                };
                let lacks = |field: &Field| Some(format!("`{step}`: field `{}` ({}){}", field.name, kind(field), lack(field)?));
                fields.iter().filter_map(lacks).collect()
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
        if let Some(map) = said.as_object().filter(|_| !question.again) {
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
        match (named(value, ENV), named(value, FILE)) {
            (Some(name), _) => std::env::var(name).map(Zeroizing::new).map_err(|_| unset(name)),
            (_, Some(path)) => read_secret(&self.dir.join(path)),
            (None, None) => Err(NO_VALUE.into()),
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

/// The name in `{ env: NAME }`, the path in `{ file: PATH }`.
pub(super) fn named<'j>(value: &'j Json, key: &str) -> Option<&'j str> {
    value.as_object().filter(|map| map.len() == 1).and_then(|map| map.get(key)).and_then(Json::as_str)
}

fn unset(name: &str) -> String {
    format!("there is no `{name}` in the environment")
}

fn principal(said: &Json) -> Option<&Json> {
    if said.is_object() { said.get(ANSWER) } else { Some(said) }
}

/// Whether what is said agrees to what is asked.
pub(super) fn agrees(said: &Json, phrase: Option<&str>) -> Result<(), String> {
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
