//! One step.

use model::diagnostic::Diagnostic;
use model::input::InputType;
use model::step::{OnFailure, Step};
use model::yaml::{At, OneOf, Raw, Shape};
use model::{step, yaml};
use world::action::Class;

use super::expression::Sight;
use super::file::FileCheck;
use super::frame::{Frame, Why};
use super::input;
use super::kinds::Known;
use super::name::{ROOTS, wrong_key};
use crate::load::{RUNBOOK, RunbookCall};

impl<'a> FileCheck<'a> {
    /// Checks a step and what is in it. Goes no deeper than the document.
    pub(super) fn step(&mut self, step: &'a Step, index: usize) {
        self.name_of_value(&step.id);
        self.no_template(step.title.as_ref());
        self.no_template(step.about.as_ref());
        self.no_template(step.irreversible.as_ref());
        self.order(step, index);
        self.figures(step);
        let outer = self.loops.len();
        self.foreach(step);
        if let Some(when) = &step.when {
            self.condition(&when.value, when.node, Sight::STEPS);
        }
        if let Some(host) = step.host {
            self.host(host);
        }
        match (&step.action, &step.steps) {
            (Some(_), Some(_)) => {
                let found = Diagnostic::error("action-and-steps", "a step has `action` or `steps`, not both");
                self.report(found.help("make the action a step of the group"), step.id.node);
            }
            (None, None) => {
                let found = Diagnostic::error("no-action", format!("step `{}` has neither `action` nor `steps`", &*step.id.value));
                self.report(found, step.id.node);
            }
            (Some(action), None) => self.action(step, action),
            (None, Some(steps)) => self.group(step, steps),
        }
        self.loops.truncate(outer);
    }

    /// What comes before it.
    fn order(&mut self, step: &'a Step, index: usize) {
        match &step.needs {
            Some(needs) => self.siblings(step, needs, Why::Needs),
            None if index > 0 => {
                let at = self.tree.place(step.id.node);
                if let Some(frame) = self.frames.last_mut() {
                    frame.waits_for(index as u32 - 1, at, Why::Position);
                }
            }
            None => {}
        }
        if let Some(settles) = &step.settles {
            self.siblings(step, settles, Why::Settles);
        }
    }

    fn siblings(&mut self, step: &'a Step, names: &'a [At<Box<str>>], why: Why) {
        for (index, name) in names.iter().enumerate() {
            let Some(frame) = self.frames.last_mut() else { return };
            let Some(sibling) = frame.ids.get(&*name.value).copied().filter(|_| !name.value.is_empty()) else {
                let known: Vec<&str> = frame.ids.keys().copied().filter(|id| *id != &*step.id.value).collect();
                let outside = self.frames.iter().rev().skip(1).any(|frame| frame.ids.contains_key(&*name.value));
                let message = if outside { "is outside of this group" } else { "" };
                let found = match message {
                    "" => Diagnostic::error("unknown-step", format!("no step is called `{}`", &*name.value)),
                    outside => Diagnostic::error("unknown-step", format!("`{}` {outside}", &*name.value)).help("let the group need it"),
                };
                self.report(found.did_you_mean(&name.value, known), name.node);
                continue;
            };
            let at = self.tree.place(name.node);
            if *name.value == *step.id.value {
                self.report(Diagnostic::error("needs-itself", format!("step `{}` waits for itself", &*name.value)), name.node);
            } else if names[..index].iter().any(|other| other.value == name.value) {
                self.report(Diagnostic::error("duplicate-name", format!("`{}` is named twice", &*name.value)), name.node);
            } else {
                frame.waits_for(sibling, at, why);
            }
        }
    }

    /// Numbers and times.
    fn figures(&self, step: &Step) {
        if let Some(timeout) = step.timeout.filter(|timeout| timeout.as_millis() == 0) {
            self.report(Diagnostic::error("wrong-value", "no time at all"), timeout.node);
        }
        if let Some(retry) = step.retry.as_deref() {
            if retry.attempts.value == 0 {
                self.report(Diagnostic::error("wrong-value", "at least one attempt is made"), retry.attempts.node);
            }
            if retry.max_delay.is_some_and(|most| retry.delay.is_none_or(|delay| most < delay)) {
                self.report(Diagnostic::error("wrong-value", "`max_delay` is not less than `delay`"), retry.node);
            }
        }
        if let Some(takes) = &step.takes
            && let Some(most) = takes.most.filter(|most| most.value < takes.usual.value)
        {
            self.report(Diagnostic::error("wrong-value", "`most` is less than `usual`"), most.node);
        }
        let mut names: Vec<&str> = Vec::new();
        for evidence in &step.evidence {
            self.name_of_value(&evidence.name);
            if names.contains(&&*evidence.name.value) {
                self.report(Diagnostic::error("duplicate-name", format!("`{}` is there twice", &*evidence.name.value)), evidence.name.node);
            }
            names.push(&evidence.name.value);
        }
    }

    fn foreach(&mut self, step: &'a Step) {
        let Some(foreach) = &step.foreach else {
            for node in [step.key, step.max_parallel.map(|at| at.node)].into_iter().flatten() {
                self.report(Diagnostic::error("no-foreach", "this is for a step with `foreach`"), node);
            }
            return;
        };
        let [(name, list)] = foreach.0.as_slice() else {
            return self.report(Diagnostic::error("wrong-foreach", "`foreach` has exactly one name"), foreach.node);
        };
        self.name_of_value(name);
        if ROOTS.contains(&&*name.value) || self.loops.contains(&&*name.value) {
            self.report(Diagnostic::error("wrong-name", format!("`{}` has another meaning here", &*name.value)), name.node);
        }
        match self.tree.shape(*list) {
            Shape::List | Shape::Bad => self.templates(*list, Sight::FIXED),
            Shape::Text(text) if text.starts_with("{{") => self.templates(*list, Sight::FIXED),
            _ => self.report(Diagnostic::error("wrong-foreach", "`foreach` goes through a list, or a template that is one"), *list),
        }
        self.loops.push(&name.value);
        match step.key {
            Some(key) => {
                self.templates(key, Sight::FIXED);
                if let Some(wrong) = self.tree.text(key).filter(|text| !text.contains("{{")).and_then(wrong_key) {
                    self.report(Diagnostic::error("wrong-name", wrong), key);
                }
            }
            None => {
                let found = Diagnostic::error("no-key", "the instances of `foreach` need a `key` to be told apart");
                self.report(found.help(format!("write `key: '{{{{ {}.NAME }}}}'`", &*name.value)), step.id.node);
            }
        }
        if let Some(parallel) = step.max_parallel.filter(|at| at.value == 0) {
            self.report(Diagnostic::error("wrong-value", "at least one instance runs at a time"), parallel.node);
        }
    }

    fn host(&mut self, host: Raw) {
        self.templates(host, Sight::FIXED);
        let Some(name) = self.tree.text(host).filter(|name| !name.contains("{{")) else { return };
        let Some(client) = &self.loaded.client else { return };
        match client.form.hosts.get(name) {
            None => {
                let found = Diagnostic::error("unknown-host", format!("the client has no host `{name}`"));
                self.report(found.did_you_mean(name, client.form.hosts.names()), host);
            }
            Some(def) if !def.local => {
                let found = Diagnostic::error("host-not-local", format!("host `{name}` cannot be reached yet"));
                self.report(found.help("only hosts with `local: true` can be worked on"), host);
            }
            Some(_) => {}
        }
    }

    fn group(&mut self, step: &'a Step, steps: &'a [Step]) {
        for (key, node) in self.not_on_groups(step) {
            self.report(Diagnostic::error("not-on-group", format!("`{key}` is for a single step, not for a group")), node);
        }
        if steps.is_empty() {
            self.report(Diagnostic::error("no-steps", format!("group `{}` has no steps", &*step.id.value)), step.id.node);
        }
        self.level(steps);
        self.frames.push(Frame::new(steps));
        let outer = std::mem::replace(&mut self.finally, true);
        self.level(&step.finally);
        self.finally = outer;
        for (name, output) in &step.outputs {
            self.name_of_value(name);
            match output {
                OneOf::Short(template) => self.templates(*template, Sight::STEPS),
                OneOf::Map(def) => {
                    let found = Diagnostic::error("wrong-output", "an output of a group is a template, without a type");
                    self.report(found, def.kind.node);
                }
            }
        }
        self.frames.pop();
    }

    fn not_on_groups(&self, step: &Step) -> Vec<(&'static str, Raw)> {
        let keys = [
            ("with", step.with),
            ("settles", step.settles.as_ref().map(|at| at.first().map_or(step.id.node, |first| first.node))),
            ("retry", step.retry.as_ref().map(|at| at.node)),
            ("timeout", step.timeout.map(|at| at.node)),
            ("takes", step.takes.as_ref().map(|takes| takes.usual.node)),
            ("outage", step.outage.map(|at| at.node)),
            ("undo", step.undo.as_ref().map(|at| at.node)),
            ("irreversible", step.irreversible.as_ref().map(|at| at.node)),
            ("done_when", step.done_when.first().map(|check| check.action.node)),
            ("gate", step.gate.map(|at| at.node)),
            ("point_of_no_return", step.point_of_no_return.map(|at| at.node)),
            ("evidence", step.evidence.first().map(|evidence| evidence.name.node)),
        ];
        keys.into_iter().filter_map(|(key, node)| Some((key, node?))).collect()
    }

    fn action(&mut self, step: &'a Step, action: &'a At<Box<str>>) {
        self.steps += 1;
        if let Some(first) = step.finally.first() {
            self.report(Diagnostic::error("only-on-group", "`finally` is for groups"), first.id.node);
        }
        if let Some(on_failure) = step.on_failure.filter(|at| at.value == OnFailure::UndoGroup)
            && step.foreach.is_none()
        {
            self.report(Diagnostic::error("only-on-group", "`undo_group` is for groups"), on_failure.node);
        }
        let foresight = step.with.map(|with| self.parameters(with, Sight::STEPS)).unwrap_or_default();
        self.program_outputs(step);
        if &*action.value == RUNBOOK {
            return self.call(step, action);
        }
        let Some(known) = self.known(action) else { return };
        (known.kind.check)(self.tree, step.with, action.node, &foresight, self.sink);
        self.template_file(known.kind.template, step.with);
        self.class_rules(step, action, known.kind.class);
        for check in &step.done_when {
            self.inner_check(check);
        }
        self.undo(step);
    }

    pub(super) fn known(&self, action: &At<Box<str>>) -> Option<&'a Known<'a>> {
        let known = self.kinds.get(&action.value);
        if known.is_none() && !action.value.is_empty() {
            let names = self.kinds.names();
            let found = Diagnostic::error("unknown-action", format!("there is no action `{}`", &*action.value));
            self.report(found.did_you_mean(&action.value, names), action.node);
        }
        known
    }

    /// Parameters: `that` and `fail_when` are bare expressions, `checks` are actions of their own, `steps` are names of steps,
    /// all else may hold templates. Gives what is known of these.
    pub(super) fn parameters(&mut self, with: Raw, sight: Sight) -> yaml::Foresight {
        let mut foresight = yaml::Foresight::new();
        for (key, value) in self.tree.entries(with) {
            match (self.tree.text(key), self.tree.text(value)) {
                (Some("that"), Some(text)) => self.condition(text, value, sight),
                (Some("fail_when"), Some(text)) => self.condition(text, value, Sight { checks: true, ..sight }),
                (Some("that" | "fail_when"), None) => self.templates(value, sight),
                _ => self.foresee(value, sight, &mut foresight),
            }
            if self.tree.text(key) == Some("steps") {
                self.tree.items(value).for_each(|name| self.step_of_list(name));
            }
            if self.tree.text(key) == Some("checks") {
                for item in self.tree.items(value) {
                    if let Some(check) = yaml::read_parameters::<step::Check>(self.tree, Some(item), item, &yaml::Foresight::new(), self.sink) {
                        self.inner_check(&check);
                    }
                }
            }
        }
        foresight
    }

    /// A step beside this one or beside a group around it.
    fn step_of_list(&self, node: Raw) {
        let Some(name) = self.tree.text(node).filter(|name| !name.contains("{{")) else { return };
        if self.frames.iter().any(|frame| frame.ids.contains_key(name)) {
            return;
        }
        let known: Vec<&str> = self.frames.iter().rev().flat_map(|frame| frame.ids.keys().copied()).collect();
        self.report(Diagnostic::error("unknown-step", format!("no step is called `{name}`")).did_you_mean(name, known), node);
    }

    fn inner_check(&mut self, check: &step::Check) {
        if let Some(id) = &check.id {
            self.name_of_value(id);
        }
        let mut foresight = yaml::Foresight::new();
        for (key, value) in check.with.into_iter().flat_map(|with| self.tree.entries(with)) {
            match self.tree.text(key) {
                Some("that" | "fail_when") => self.templates(value, Sight::STEPS),
                _ => self.foresee(value, Sight::STEPS, &mut foresight),
            }
        }
        let Some(known) = self.known(&check.action) else { return };
        if known.kind.class != Class::Check {
            self.report(Diagnostic::error("no-check", format!("`{}` is no check: it does not only look", &*check.action.value)), check.action.node);
        }
        (known.kind.check)(self.tree, check.with, check.action.node, &foresight, self.sink);
    }

    fn program_outputs(&mut self, step: &'a Step) {
        for (name, output) in &step.outputs {
            self.name_of_value(name);
            let from = match output {
                OneOf::Map(def) => {
                    if def.kind.value == InputType::Secret {
                        let found = Diagnostic::error("wrong-output", "an output is no secret: it stands in the journal");
                        self.report(found.help("the output of a program that is given a secret is kept sealed"), def.kind.node);
                    }
                    def.from
                }
                OneOf::Short(template) => *template,
            };
            self.templates(from, Sight { result: true, ..Sight::OWN });
        }
    }

    fn call(&mut self, step: &'a Step, action: &'a At<Box<str>>) {
        for (key, node) in self.not_on_groups(step).into_iter().filter(|(key, _)| *key != "with") {
            self.report(Diagnostic::error("not-on-group", format!("`{key}` is for a single step, not for a group from a file")), node);
        }
        let Some(index) = self.file.calls.get(&action.node) else { return };
        let called = &self.loaded.files[*index].document;
        let quiet = yaml::Sink::new();
        let Some(call) = yaml::read_parameters::<RunbookCall>(self.tree, step.with, action.node, &yaml::Foresight::new(), &quiet) else { return };
        for (name, value) in &call.inputs {
            let Some(def) = called.form.inputs.get(&name.value) else {
                let found = Diagnostic::error("unknown-input", format!("that runbook has no input `{}`", &*name.value));
                self.report(found.did_you_mean(&name.value, called.form.inputs.names()), name.node);
                continue;
            };
            input::value(self.document, *value, called, def, self.sink);
        }
        for (name, def) in &called.form.inputs {
            if call.inputs.get(&name.value).is_none() && def.default.is_none() && def.when.is_none() {
                let found = Diagnostic::error("missing-input", format!("the input `{}` of that runbook has no value", &*name.value));
                self.report(called.tree.note_at(found, "it is asked for here", name.node), action.node);
            }
        }
    }
}
