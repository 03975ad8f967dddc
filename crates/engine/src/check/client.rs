//! The client file.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use model::client::{ClientFile, Person, RunbookEntry, Window};
use model::diagnostic::Diagnostic;
use model::printable::unseen;
use model::runbook::Runbook;
use model::step::Step;
use model::yaml::{At, Raw, Shape, Sink};

use super::input;
use super::keys::{Judged, public_key, recipient};
use super::name::{wrong_id, wrong_name};
use crate::load::{Document, Loaded};

/// Checks a client file, and what it says of the runbook.
pub(super) fn check(loaded: &Loaded, client: &Document<ClientFile>, sink: &Sink) {
    let check = ClientCheck { client, sink };
    check.head();
    check.people();
    check.windows();
    check.names();
    let runbook = loaded.runbook();
    for (id, entry) in &client.form.runbooks {
        if let Some(wrong) = wrong_id(&id.value) {
            check.error("wrong-name", wrong, id.node);
        }
        if let Some(texts) = entry.texts {
            check.error("not-supported", "texts of a runbook cannot be changed by a client yet", texts);
        }
        if id.value == runbook.form.runbook.value {
            check.entry(runbook, entry);
        }
    }
}

/// Checks the client's values against what a runbook expects.
pub(super) fn expected(loaded: &Loaded, runbook: &Document<Runbook>, client: &Document<ClientFile>, sink: &Sink) {
    for (name, def) in runbook.form.expects.iter().flatten() {
        match client.form.values.get(&name.value) {
            Some(value) => input::value(client, *value, runbook, def, sink),
            None if def.default.is_some() => {}
            None => sink.report(runbook.point(loaded.missing(client, &name.value), name.node)),
        }
    }
}

struct ClientCheck<'c> {
    client: &'c Document<ClientFile>,
    sink: &'c Sink,
}

impl ClientCheck<'_> {
    fn report(&self, found: Diagnostic, node: Raw) {
        if node != Raw::NONE {
            self.sink.report(self.client.point(found, node));
        }
    }

    fn error(&self, code: &'static str, message: impl Into<String>, node: Raw) {
        self.report(Diagnostic::error(code, message), node);
    }

    fn head(&self) {
        let form = &self.client.form;
        if let Some(wrong) = wrong_id(&form.client) {
            self.error("wrong-name", wrong, form.client.node);
        }
        self.one_line(form.name.as_ref());
        if let Some(recovery) = &form.recovery {
            self.judged(recipient(recovery), recovery.node);
        }
        for (_, secret) in &form.secrets {
            let ways = [secret.file.is_some(), secret.env.is_some(), secret.prompt, secret.vault.is_some()];
            if ways.into_iter().filter(|way| *way).count() != 1 {
                self.error("wrong-secret", "a secret comes from exactly one of `file`, `env`, `prompt: true`", secret.node);
            }
            if let Some(vault) = secret.vault {
                self.error("not-supported", "vaults are not supported yet", vault);
            }
        }
        for (name, daemon) in &form.daemons {
            if daemon.start.first().is_none_or(|program| program.is_empty()) {
                self.error("wrong-value", format!("daemon `{}` needs a program to start", &*name.value), name.node);
            }
        }
        if form.hosts.iter().filter(|(_, host)| host.local).count() > 1
            && let Some((name, _)) = form.hosts.iter().rfind(|(_, host)| host.local)
        {
            self.error("two-local-hosts", "retrace runs on one machine: only one host is `local`", name.node);
        }
    }

    fn one_line(&self, text: Option<&At<Box<str>>>) {
        if let Some(text) = text
            && (text.value.chars().any(unseen) || text.value.trim().is_empty())
        {
            self.error("wrong-value", "a name is one line of visible text", text.node);
        }
    }

    fn judged(&self, judged: Judged, node: Raw) {
        match judged {
            Judged::Sound => {}
            Judged::Placeholder => self.report(Diagnostic::warning("placeholder", "a placeholder: nothing can be signed or opened with it"), node),
            Judged::Wrong(message) => self.error("wrong-key", message, node),
        }
    }

    fn people(&self) {
        let mut keys: Vec<(&str, &Person)> = Vec::new();
        for (id, person) in &self.client.form.people {
            if let Some(wrong) = wrong_name(&id.value).filter(|_| wrong_id(&id.value).is_some()) {
                self.error("wrong-name", wrong, id.node);
            }
            self.one_line(Some(&person.name));
            if let Some(key) = &person.key {
                let judged = public_key(key);
                // The comment at the end of a key does not make it another.
                let body = key.split_ascii_whitespace().nth(1).unwrap_or_default();
                if let Some((_, other)) = keys.iter().find(|(other, _)| *other == body && judged == Judged::Sound) {
                    let found = Diagnostic::error("same-key", "two people have the same key");
                    let found = match &other.key {
                        Some(first) => self.client.tree.note_at(found, "first here", first.node),
                        None => found,
                    };
                    self.report(found, key.node);
                }
                keys.push((body, person));
                self.judged(judged, key.node);
            }
            if let Some(age) = &person.age {
                self.judged(recipient(age), age.node);
            }
        }
    }

    fn windows(&self) {
        let form = &self.client.form;
        let zone = form.zone.as_ref().and_then(|name| match TimeZone::get(name) {
            Ok(zone) => Some(zone),
            Err(_) => {
                let found = Diagnostic::error("unknown-zone", format!("there is no time zone `{}`", &*name.value));
                self.report(found.help("zones are named like `America/Chicago` or `Europe/Berlin`"), name.node);
                None
            }
        });
        for window in &form.windows {
            if form.zone.is_none() {
                self.error("no-zone", "a window needs the client's `zone`", window.node);
            }
            self.window(window, zone.as_ref());
        }
    }

    fn window(&self, window: &Window, zone: Option<&TimeZone>) {
        if window.length.as_millis() == 0 {
            self.error("wrong-window", "the window ends when it begins", window.length.node);
        }
        if let Some(last) = window.last_no_return.filter(|last| last.value > window.length.value) {
            self.error("wrong-window", "`last_no_return` lies before the window begins", last.node);
        }
        let Ok(starts) = window.starts.parse::<DateTime>() else {
            if !window.starts.is_empty() {
                self.error("wrong-value", "a beginning is written like '2026-03-07T20:00'", window.starts.node);
            }
            return;
        };
        if let Some(zone) = zone
            && let AmbiguousOffset::Gap { .. } = zone.to_ambiguous_timestamp(starts).offset()
        {
            let found = Diagnostic::error("skipped-time", "this time does not exist: the clocks are put forward");
            self.report(found, window.starts.node);
        } else if let Some(zone) = zone
            && zone.to_ambiguous_timestamp(starts).compatible().is_err()
        {
            self.error("wrong-window", "no clock will tell this time", window.starts.node);
        }
    }

    /// What expressions can name: keys of values at any depth, and hosts.
    fn names(&self) {
        let form = &self.client.form;
        for (name, value) in &form.values {
            self.name(&name.value, name.node);
            self.names_within(*value);
        }
        for (name, _) in &form.hosts {
            self.name(&name.value, name.node);
        }
    }

    fn names_within(&self, node: Raw) {
        let tree = &self.client.tree;
        match tree.shape(node) {
            Shape::List => tree.items(node).for_each(|item| self.names_within(item)),
            Shape::Map => {
                for (key, value) in tree.entries(node) {
                    self.name(tree.text(key).unwrap_or("a"), key);
                    self.names_within(value);
                }
            }
            _ => {}
        }
    }

    fn name(&self, name: &str, node: Raw) {
        if let Some(wrong) = wrong_name(name) {
            self.error("wrong-name", wrong, node);
        }
    }

    /// What the client says of the runbook.
    fn entry(&self, runbook: &Document<Runbook>, entry: &RunbookEntry) {
        let inputs = &runbook.form.inputs;
        for (name, value) in &entry.inputs {
            let Some(def) = inputs.get(&name.value) else {
                let found = Diagnostic::error("unknown-input", format!("the runbook has no input `{}`", &*name.value));
                self.report(found.did_you_mean(&name.value, inputs.names()), name.node);
                continue;
            };
            if def.kind.value == model::input::InputType::Secret {
                let found = Diagnostic::error("secret-in-file", "a secret does not stand in a client file");
                self.report(found.help("say under `secrets:` where it comes from"), *value);
                continue;
            }
            input::value(self.client, *value, runbook, def, self.sink);
        }
        let mut steps = Vec::new();
        collect(&runbook.form.steps, "", &mut steps);
        collect(&runbook.form.finally, "", &mut steps);
        let named = |name: &At<Box<str>>| {
            let step = steps.iter().find(|(id, _)| *id == *name.value).map(|(_, step)| *step);
            if step.is_none() {
                let found = Diagnostic::error("unknown-step", format!("no step of the runbook is called `{}`", &*name.value));
                self.report(found.did_you_mean(&name.value, steps.iter().map(|(id, _)| id.as_str())), name.node);
            }
            step
        };
        for (name, _) in &entry.timeouts {
            named(name);
        }
        for name in &entry.skip {
            if let Some(step) = named(name).filter(|step| !step.is_optional()) {
                let found = Diagnostic::error("not-optional", format!("step `{}` cannot be skipped by a client", &*name.value));
                let found = runbook.tree.note_at(found, "it does not say `optional: true`", step.id.node);
                self.report(found, name.node);
            }
        }
    }
}

/// The full ids of all steps, groups too.
fn collect<'s>(steps: &'s [Step], above: &str, all: &mut Vec<(String, &'s Step)>) {
    for step in steps {
        let id = format!("{above}{}", &*step.id.value);
        let below = format!("{id}/");
        all.push((id, step));
        collect(step.steps.as_deref().unwrap_or_default(), &below, all);
        collect(&step.finally, &below, all);
    }
}
