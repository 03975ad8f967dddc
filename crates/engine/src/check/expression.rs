//! Names in expressions, and where templates may stand.

use model::diagnostic::Diagnostic;
use model::step::Step;
use model::yaml::{At, Raw, Shape};

use super::Need;
use super::file::FileCheck;
use super::frame::Why;
use super::name::ROOTS;
use crate::load::RUNBOOK;
use crate::template::{Condition, Found, Name, Scope, Segment, TemplateError, Text};

/// What an expression may name besides inputs and client.
#[derive(Clone, Copy, Default)]
pub(super) struct Sight {
    pub(super) vars: bool,
    pub(super) steps: bool,
    /// The step itself, as in its undo.
    pub(super) own: bool,
    /// What a program wrote.
    pub(super) result: bool,
    /// What the checks of a wait found.
    pub(super) checks: bool,
}

impl Sight {
    /// Of what must be known before the first step.
    pub(super) const FIXED: Self = Self { vars: true, steps: false, own: false, result: false, checks: false };
    /// Of parameters.
    pub(super) const STEPS: Self = Self { steps: true, ..Self::FIXED };
    /// Of what happens after a step.
    pub(super) const OWN: Self = Self { own: true, ..Self::STEPS };
}

/// What the engine knows of every step.
const OF_STEP: [&str; 4] = ["started", "finished", "attempts", "outcome"];

impl<'a> FileCheck<'a> {
    /// Checks every text below a node as a template. Keys are none. No deeper than the document.
    pub(super) fn templates(&mut self, node: Raw, sight: Sight) {
        self.templates_and(node, sight, &mut |_, _, _, _| {});
    }

    /// The same, and does something with each that is one.
    pub(super) fn templates_and(&mut self, node: Raw, sight: Sight, then: &mut dyn FnMut(&Self, Raw, &str, &Text)) {
        match self.tree.shape(node) {
            Shape::Text(text) if text.contains('{') => {
                if let Some(parsed) = self.template(text, node, sight) {
                    then(self, node, text, &parsed);
                }
            }
            Shape::List => self.tree.items(node).for_each(|item| self.templates_and(item, sight, then)),
            Shape::Map => self.tree.entries(node).for_each(|(_, value)| self.templates_and(value, sight, then)),
            Shape::Text(_) | Shape::Plain(_) | Shape::Bad => {}
        }
    }

    fn template(&mut self, text: &'a str, node: Raw, sight: Sight) -> Option<Text> {
        match Text::parse(text) {
            Ok(parsed) => {
                // What names nothing can be worked out here and now.
                if parsed.names().next().is_none()
                    && let Err(error) = parsed.render(&Nothing)
                {
                    self.template_error(error, node);
                }
                for name in parsed.names() {
                    self.name(name, node, sight);
                    if self.is_secret(name) && !alone(text, name) {
                        self.secret_used(name, node);
                    }
                }
                return Some(parsed);
            }
            Err(error) => self.template_error(error, node),
        }
        None
    }

    /// Checks a bare expression.
    pub(super) fn condition(&mut self, text: &str, node: Raw, sight: Sight) {
        match Condition::parse(text) {
            Ok(parsed) => {
                for name in parsed.names() {
                    self.name(name, node, sight);
                    if self.is_secret(name) {
                        self.secret_used(name, node);
                    }
                }
            }
            Err(error) => self.template_error(error, node),
        }
    }

    /// Refuses a template where none may stand.
    pub(super) fn no_template(&self, text: Option<&At<Box<str>>>) {
        if let Some(text) = text.filter(|text| text.value.contains("{{")) {
            let found = Diagnostic::error("template-not-here", "no template may stand here");
            self.report(found.help("templates stand in `with`, `undo.with`, `vars`, `outputs`, `foreach`, `key`, `host`, `touches`"), text.node);
        }
    }

    fn template_error(&self, error: TemplateError, node: Raw) {
        let found = Diagnostic::error(error.code, error.message).help_if(error.help);
        self.sink.report(self.tree.point_within(found, node, error.at));
    }

    fn secret_used(&self, name: &Name, node: Raw) {
        let found = Diagnostic::error(TemplateError::SECRET, format!("`{name}` is a secret: it can be placed whole, and nothing else"));
        self.wrong_name(found, name, node);
    }

    fn wrong_name(&self, found: Diagnostic, name: &Name, node: Raw) {
        self.sink.report(self.tree.point_within(found, node, name.at.clone()));
    }

    fn unknown(&self, name: &Name, node: Raw, message: String, wrong: &str, known: &[&str]) {
        self.wrong_name(Diagnostic::error(TemplateError::MISSING, message).did_you_mean(wrong, known.iter().copied()), name, node);
    }

    fn name(&mut self, name: &Name, node: Raw, sight: Sight) {
        let root = name.segments[0].as_str();
        let field = name.segments.get(1).map(|segment| segment.as_str());
        if self.loops.contains(&root) {
            return;
        }
        if let (true, None) = (ROOTS.contains(&root) && root != "result", field) {
            let found = Diagnostic::error(TemplateError::MISSING, format!("`{root}` alone is no value"));
            return self.wrong_name(found.help(format!("name what you need of it: `{root}.NAME`")), name, node);
        }
        let field = field.unwrap_or_default();
        let form = &self.document.form;
        match root {
            "inputs" if form.inputs.get(field).is_none() => {
                let known: Vec<&str> = form.inputs.names().collect();
                self.unknown(name, node, format!("there is no input `{field}`"), field, &known);
            }
            "inputs" => {}
            "client" => self.client_name(name, field, node),
            "vars" if sight.vars && form.vars.get(field).is_none() => {
                let known: Vec<&str> = form.vars.names().collect();
                self.unknown(name, node, format!("there is no `vars.{field}`"), field, &known);
            }
            "vars" if sight.vars => {}
            "run" => self.run_name(name, field, node),
            "steps" if sight.steps => self.step_name(name, field, node, sight),
            "steps" => {
                let found = Diagnostic::error("steps-not-here", "what steps find is not known here: the graph is fixed before the first step");
                self.wrong_name(found, name, node);
            }
            "result" if sight.result => {}
            "checks" if sight.checks => {}
            other => {
                let mut known: Vec<&str> = ROOTS[..5].to_vec();
                known.extend(self.loops.iter().copied());
                self.unknown(name, node, format!("there is no `{other}` here"), other, &known);
            }
        }
    }

    fn run_name(&self, name: &Name, field: &str, node: Raw) {
        match field {
            "id" => {}
            "outcome" if self.finally => {}
            "outcome" => self.unknown(name, node, "`run.outcome` is known only in `finally`".to_owned(), "", &[]),
            other => self.unknown(name, node, format!("there is no `run.{other}`"), other, &["id", "outcome"]),
        }
    }

    fn client_name(&self, name: &Name, field: &str, node: Raw) {
        if let Some(expects) = &self.document.form.expects {
            if expects.get(field).is_none() {
                let known: Vec<&str> = expects.names().collect();
                self.unknown(name, node, format!("`client.{field}` is not in `expects`"), field, &known);
            }
            return;
        }
        let client = self.loaded.client.as_ref();
        if client.is_some_and(|client| client.form.values.get(field).is_some()) {
            return;
        }
        if let Some(client) = client {
            let found = self.loaded.missing(client, field).did_you_mean(field, client.form.values.names());
            self.wrong_name(found, name, node);
        }
        let need = Need { name: format!("client.{field}"), kind: None, about: None };
        self.needs.borrow_mut().entry(field.to_owned()).or_insert(need);
    }

    /// `steps.x`: the sibling first, then outwards.
    fn step_name(&mut self, name: &Name, id: &str, node: Raw, sight: Sight) {
        let found = self.frames.iter().enumerate().rev().find_map(|(depth, frame)| Some((depth, *frame.ids.get(id)?)));
        let Some((depth, index)) = found else {
            let known: Vec<&str> = self.frames.iter().rev().flat_map(|frame| frame.ids.keys().copied()).collect();
            return self.unknown(name, node, format!("no step is called `{id}`"), id, &known);
        };
        let frame = &mut self.frames[depth];
        let at = self.tree.place_within(node, name.at.clone());
        let step: &'a Step = &frame.steps[index as usize];
        if frame.current == Some(index) {
            if !sight.own {
                let found = Diagnostic::error("own-output", format!("step `{id}` uses what only it finds"));
                return self.wrong_name(found, name, node);
            }
        } else if !sight.own {
            frame.waits_for(index, at, Why::Reference);
        }
        self.output_name(step, name, id, node);
    }

    /// `steps.x.NAME`, `steps.x[key].NAME`
    fn output_name(&self, step: &Step, name: &Name, id: &str, node: Raw) {
        let mut rest = &name.segments[2..];
        match (step.foreach.is_some(), rest.first()) {
            (true, Some(Segment::Key(_))) => rest = &rest[1..],
            (true, Some(Segment::Field(word))) if word == "step" => {}
            (true, _) => {
                let found = Diagnostic::error("instance", format!("`{id}` has an instance for each entry of its `foreach`"));
                return self.wrong_name(found.help(format!("name one: `steps.{id}['KEY'].NAME`")), name, node);
            }
            (false, Some(Segment::Key(_))) => {
                let found = Diagnostic::error("instance", format!("`{id}` has no `foreach`, so it has no instances"));
                return self.wrong_name(found.help(format!("write `steps.{id}.NAME`")), name, node);
            }
            (false, _) => {}
        }
        let output = rest.first().map(|segment| segment.as_str());
        let known = self.outputs_of(step);
        let Some(output) = output else {
            let which = known.filter(|known| !known.is_empty()).map_or(String::new(), |known| format!(": `{}`", known.join("`, `")));
            let found = Diagnostic::error(TemplateError::MISSING, format!("`{name}` alone is no value"));
            return self.wrong_name(found.help(format!("name one of its outputs{which}")), name, node);
        };
        if output == "step" {
            let of = rest.get(1).map_or("", |segment| segment.as_str());
            if !OF_STEP.contains(&of) {
                self.unknown(name, node, format!("of every step there is `step.{}`", OF_STEP.join("`, `step.")), of, &OF_STEP);
            }
            return;
        }
        let Some(known) = known else { return };
        if !known.iter().any(|known| known == output) {
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            let what = if step.steps.is_some() { "group" } else { "step" };
            let help = match (step.steps.is_some(), known.is_empty()) {
                (true, _) => Some("declare it under `outputs:` of the group".to_owned()),
                (false, true) => Some("it has no outputs".to_owned()),
                (false, false) => Some(format!("it has `{}`", known.join("`, `"))),
            };
            let found = Diagnostic::error("unknown-output", format!("{what} `{id}` has no output `{output}`")).help_if(help);
            self.wrong_name(found.did_you_mean(output, names), name, node);
        }
    }

    /// The outputs that are known to be all there are.
    fn outputs_of(&self, step: &Step) -> Option<Vec<String>> {
        let mut declared: Vec<String> = step.outputs.names().map(str::to_owned).collect();
        let Some(action) = &step.action else { return Some(declared) };
        if &*action.value == RUNBOOK {
            let file = &self.loaded.files[*self.file.calls.get(&action.node)?];
            return Some(file.document.form.outputs.names().map(str::to_owned).collect());
        }
        declared.extend(self.kinds.get(&action.value)?.outputs()?.iter().cloned());
        Some(declared)
    }
}

/// A scope without names.
struct Nothing;

impl Scope for Nothing {
    fn lookup(&self, _: &[Segment]) -> Found {
        Found::Missing
    }
}

/// Whether a name is all that stands between its braces.
pub(super) fn alone(text: &str, name: &Name) -> bool {
    let before = text.get(..name.at.start).unwrap_or_default().trim_end();
    let after = text.get(name.at.end..).unwrap_or_default().trim_start();
    before.ends_with("{{") && after.starts_with("}}")
}
