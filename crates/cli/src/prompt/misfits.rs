//! Answers of a file against questions, before anything begins: all that is wrong, each with its place.

use super::accept::{accept, typed};
use super::answers::{ANSWER, BY, ENV, FILE, NO_VALUE, agrees, named};
use engine::load::Document;
use engine::people::EvidenceWanted;
use engine::questions::{Asked, Questions};
use model::answers::Answers;
use model::diagnostic::{Diagnostic, Diagnostics};
use model::effect::{Field, FieldType, Form};
use model::value::{Text, fits, to_json};
use model::yaml::{Raw, Shape, Source};
use serde_json::Value as Json;

/// What is wrong. `operator`: who confirms nothing that somebody else has to, where it is known.
pub(super) fn misfits(document: &Document<Answers>, questions: &Questions, operator: Option<&str>) -> Diagnostics {
    let shown = document.tree.hiding(&secrets(document, questions));
    let mut judge = Judge { document, shown, operator, found: Diagnostics::default() };
    for (name, node) in &document.form.answers {
        let step = &*name.value;
        if !questions.may_ask(step) {
            judge.no_question(step, name.node, questions);
        }
        // Each option of a decision may let the step ask otherwise: then nobody knows yet.
        let mut asked = questions.asked.iter().filter(|(id, ..)| id.as_str() == step);
        if let Some(question) = asked.next()
            && asked.all(|other| other.1 == question.1)
        {
            judge.answer(question, *node);
        }
    }
    judge.found
}

/// What is never shown: the values of secret fields, and whatever may be one.
fn secrets(document: &Document<Answers>, questions: &Questions) -> Vec<Raw> {
    let mut secrets = Vec::new();
    for (name, node) in &document.form.answers {
        let mut asked = questions.asked.iter().filter(|(id, ..)| id.as_str() == &*name.value).map(|(_, ask, _)| &ask.form).peekable();
        let unknown = asked.peek().is_none();
        let fields: Vec<&Field> =
            asked.filter_map(|form| if let Form::Fields { fields, .. } = form { Some(fields) } else { None }).flatten().collect();
        for (key, value) in document.tree.entries(*node) {
            let field = fields.iter().find(|field| document.tree.scalar(key) == Some(&*field.name));
            let open = matches!(document.tree.scalar(key), Some(ANSWER | BY)) || field.is_some_and(|field| field.kind != FieldType::Secret);
            if !open && (unknown || !fields.is_empty()) {
                secrets.push(value);
            }
        }
    }
    secrets
}

struct Judge<'a> {
    document: &'a Document<Answers>,
    /// Its text without secrets.
    shown: Source,
    operator: Option<&'a str>,
    found: Diagnostics,
}

impl Judge<'_> {
    fn report(&mut self, node: Raw, found: Diagnostic) {
        self.found.push(found.at(&self.shown, self.document.tree.place(node)));
    }

    fn wrong(&mut self, node: Raw, message: impl Into<String>) {
        self.report(node, Diagnostic::error("wrong-answer", message));
    }

    fn value(&self, node: Raw) -> Json {
        to_json(&self.document.tree.value(node))
    }

    fn no_question(&mut self, step: &str, node: Raw, questions: &Questions) {
        let found = Diagnostic::error("unknown-question", format!("no step `{step}` asks anything"));
        let instance = questions.steps.iter().find(|id| plain(id.as_str()) == step).map(|id| format!("it asks once for each instance: `{id}`"));
        let found = found.did_you_mean(step, questions.steps.iter().map(|id| id.as_str())).help_if(instance);
        self.report(node, found);
    }

    fn answer(&mut self, (step, ask, evidence): &Asked, node: Raw) {
        let said = self.value(node);
        let within = |key: &str| self.document.tree.get(node, key);
        let (answer, by) = (within(ANSWER).unwrap_or(node), within(BY));
        match &ask.form {
            Form::Fields { fields, .. } => self.fields(step.as_str(), fields, evidence, node),
            Form::Step { .. } => self.agreed(answer, &said, None),
            Form::Confirm { phrase, not_operator, .. } => {
                self.agreed(answer, &said, phrase.as_deref());
                if *not_operator && by.is_none_or(|by| self.operator.is_some() && self.document.tree.scalar(by) == self.operator) {
                    let message = format!("somebody other than {} has to confirm", self.operator.unwrap_or("the operator"));
                    self.report(by.unwrap_or(answer), Diagnostic::error("wrong-answer", message).help("`{ by: NAME, answer: confirmed }`"));
                }
            }
            Form::Decide { options, .. } => {
                let ids = || options.iter().map(|(id, _)| id.as_str());
                let choice = self.document.tree.text(answer).unwrap_or_default();
                if !ids().any(|id| id == choice) {
                    let found = Diagnostic::error("wrong-answer", "it is none of the options");
                    let all = format!("one of {}", ids().collect::<Vec<_>>().join(", "));
                    self.report(answer, found.help(all).did_you_mean(choice, ids()));
                }
            }
        }
        if let Some(by) = by.filter(|by| self.document.tree.text(*by).is_none()) {
            self.wrong(by, "the name of a person is wanted");
        }
        if !matches!(ask.form, Form::Fields { .. }) {
            self.keys(step.as_str(), node, &[ANSWER], evidence);
        }
        for wanted in evidence {
            let path = self.document.tree.get(node, &wanted.name).filter(|path| self.document.tree.text(*path).is_none());
            if let Some(path) = path {
                self.wrong(path, "a path is wanted");
            }
        }
    }

    fn agreed(&mut self, node: Raw, said: &Json, phrase: Option<&str>) {
        let unknown = self.document.tree.text(node).is_some_and(|text| phrase.is_some_and(|phrase| text != phrase && fits(text, phrase)));
        if let Err(wrong) = agrees(said, phrase)
            && !unknown
        {
            self.wrong(node, wrong);
        }
    }

    fn fields(&mut self, step: &str, fields: &[Field], evidence: &[EvidenceWanted], node: Raw) {
        if self.document.tree.shape(node) != Shape::Map {
            return self.wrong(node, "a mapping of fields to values is wanted");
        }
        let names: Vec<&str> = fields.iter().map(|field| &*field.name).collect();
        self.keys(step, node, &names, evidence);
        for field in fields {
            let Some(at) = self.document.tree.get(node, &field.name) else { continue };
            let value = self.value(at);
            let wrong = match typed(&value) {
                Some(entered) => accept(field, &entered, same_as(field, &entered)).err(),
                // What it is, is seen when it is asked for.
                None if named(&value, ENV).or(named(&value, FILE)).is_some() => None,
                None => Some(NO_VALUE.to_owned()),
            };
            if let Some(wrong) = wrong {
                self.wrong(at, format!("field `{}`: {wrong}", field.name));
            }
        }
    }

    /// Every key is one of these, or who says it, or something to attach.
    fn keys(&mut self, step: &str, node: Raw, names: &[&str], evidence: &[EvidenceWanted]) {
        let document = self.document;
        let known: Vec<&str> = names.iter().copied().chain(evidence.iter().map(|wanted| &*wanted.name)).chain([BY]).collect();
        for (key, _) in document.tree.entries(node) {
            let Some(name) = document.tree.scalar(key).filter(|name| !known.contains(name)) else { continue };
            let found = Diagnostic::error("unknown-field", format!("`{step}` has no field `{name}`"));
            self.report(key, found.did_you_mean(name, known.iter().copied()));
        }
    }
}

/// What a field must equal, where that is known.
fn same_as<'f>(field: &'f Field, entered: &str) -> Option<&'f [u8]> {
    match &field.same_as {
        Some(Text::Plain(planned)) if !fits(entered, planned) => Some(planned.as_bytes()),
        Some(Text::Plain(_) | Text::Secret(_)) | None => None,
    }
}

/// `farm[rds01]/closed` as `farm/closed`.
fn plain(id: &str) -> String {
    let parts = id.split('[').enumerate().map(|(n, part)| if n == 0 { part } else { part.split_once(']').map_or("", |(_, rest)| rest) });
    parts.collect()
}
