//! Answers against the questions of a runbook.

use model::answers::Answers;
use model::diagnostic::Diagnostic;
use model::step::{Body, Step};
use model::yaml::Sink;
use world::action::Class;

use super::kinds::Kinds;
use crate::load::{Document, Loaded, RunbookFile};

/// Every answer needs a step that asks.
pub(super) fn check(loaded: &Loaded, answers: &Document<Answers>, kinds: &Kinds<'_>, sink: &Sink) {
    let mut questions = Vec::new();
    collect(loaded, &loaded.files[0], &mut Vec::new(), kinds, &mut questions, 0);
    for (name, _) in &answers.form.answers {
        let plain = without_keys(&name.value);
        if !questions.contains(&plain) {
            let found = Diagnostic::error("unknown-question", format!("no step `{}` asks anything", &*name.value));
            let found = found.did_you_mean(&plain, questions.iter().map(String::as_str));
            sink.report(answers.point(found, name.node));
        }
    }
}

/// The full names of the steps that ask, without the keys of instances. As deep as the documents and runbooks within them.
fn collect<'l>(loaded: &'l Loaded, file: &'l RunbookFile, path: &mut Vec<&'l str>, kinds: &Kinds<'_>, questions: &mut Vec<String>, depth: usize) {
    let form = &file.document.form;
    for steps in [&form.steps, &form.finally] {
        steps.iter().for_each(|step| one(loaded, file, step, path, kinds, questions, depth));
    }
}

fn one<'l>(
    loaded: &'l Loaded,
    file: &'l RunbookFile,
    step: &'l Step,
    path: &mut Vec<&'l str>,
    kinds: &Kinds<'_>,
    questions: &mut Vec<String>,
    depth: usize,
) {
    path.push(&step.id.value);
    match step.body() {
        Body::Action { kind, .. } => {
            if let Some(call) = file.calls.get(&kind.node).filter(|_| depth < 8) {
                collect(loaded, &loaded.files[*call], path, kinds, questions, depth + 1);
            } else if kinds.get(&kind.value).is_some_and(|known| matches!(known.kind.class, Class::Ask | Class::Opaque)) {
                questions.push(path.join("/"));
            }
        }
        Body::Group(steps) => {
            steps.iter().chain(&step.finally).for_each(|inner| one(loaded, file, inner, path, kinds, questions, depth));
        }
    }
    path.pop();
}

/// `farm[rds01]/closed` as `farm/closed`.
fn without_keys(name: &str) -> String {
    let mut inside = false;
    let kept = name.chars().filter(|char| {
        inside |= *char == '[';
        let keep = !inside;
        inside &= *char != ']';
        keep
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_instances_are_left_out() {
        assert_eq!(without_keys("farm[rds01]/closed"), "farm/closed");
        assert_eq!(without_keys("a/b"), "a/b");
    }
}
