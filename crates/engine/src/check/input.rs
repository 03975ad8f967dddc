//! Inputs and entries of `expects`.

use model::diagnostic::Diagnostic;
use model::input::{InputDef, InputType};
use model::runbook::Runbook;
use model::yaml::{Raw, Shape, Sink};

use crate::input::{bounds, fit, pattern_error};
use crate::load::Document;

/// Checks that the parts of an input agree with each other.
pub(super) fn check(document: &Document<Runbook>, def: &InputDef, sink: &Sink) {
    let kind = def.kind.value;
    let report = |code, message: String, node| sink.report(document.point(Diagnostic::error(code, message), node));
    if let Some(pattern) = &def.pattern {
        let text = !matches!(kind, InputType::Integer | InputType::Number | InputType::Boolean | InputType::List);
        if !text {
            report("wrong-input", format!("a pattern is for text, not for the type {}", kind.word()), pattern.node);
        } else if let Some(wrong) = pattern_error(pattern) {
            report("wrong-pattern", format!("no regular expression: {wrong}"), pattern.node);
        }
    }
    for bound in [def.min, def.max].into_iter().flatten() {
        if !bounds(kind, &document.tree.value(bound)) && document.tree.shape(bound) != Shape::Bad {
            report("wrong-input", format!("this is no bound for the type {}", kind.word()), bound);
        }
    }
    if let (Some(of), false) = (&def.of, kind == InputType::List) {
        let _ = of;
        report("wrong-input", format!("`of` is for lists, not for the type {}", kind.word()), def.kind.node);
    }
    if kind == InputType::Secret {
        for node in [def.default, def.example].into_iter().flatten() {
            report("secret-in-file", "a secret does not stand in a runbook".to_owned(), node);
        }
        return;
    }
    for node in def.one_of.iter().flatten().copied().chain(def.default).chain(def.example) {
        value(document, node, document, def, sink);
    }
}

/// Checks a value that stands in some file against an input. A template may become anything.
pub(super) fn value<T>(at: &Document<T>, node: Raw, document: &Document<Runbook>, def: &InputDef, sink: &Sink) {
    match at.tree.shape(node) {
        Shape::Bad => return,
        Shape::Text(text) if text.contains("{{") => return,
        _ => {}
    }
    if let Err(misfit) = fit(def, &document.tree, &at.tree.value(node)) {
        sink.report(at.point(Diagnostic::error("wrong-value", misfit.message), node));
    }
}
