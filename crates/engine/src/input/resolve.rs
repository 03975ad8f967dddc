use std::collections::BTreeSet;

use model::client::SecretRef;
use model::diagnostic::{Diagnostic, Diagnostics};
use model::input::InputType;
use model::runbook::Runbook;
use model::value::{SecretText, Value};
use model::yaml::{At, Sink, Tree};
use serde_yaml::Mapping;

use super::fit::{Misfit, fit, parse_text};
use super::offer::{Offer, of_input};
use crate::load::{Document, Loaded};
use crate::template::{self, Condition, Found, Scope, Segment, Text};

/// Values given from outside, as text, by the name of the input. A later layer wins.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Where they come from, as a person would say it: `--set`, `the environment`.
    pub origin: String,
    /// Whether a secret may come this way and a name may be of no input: true for the environment, false for `--set`.
    pub open: bool,
    /// Names and texts.
    pub values: Vec<(String, String)>,
}

/// What is known before the first step.
#[derive(Debug, Clone, Default)]
pub struct Values {
    /// By name; a secret is its marker, an input that is not asked is none. What is missing is not there.
    pub inputs: Mapping,
    /// What expressions see as `client`.
    pub client: Mapping,
    /// The secrets that are asked for or read when they are used.
    pub secrets: Vec<SecretNeed>,
    /// Inputs that have no value and must be asked for, in the order of the runbook.
    pub missing: Vec<String>,
}

/// A secret input.
#[derive(Debug, Clone)]
pub struct SecretNeed {
    /// The input.
    pub name: String,
    /// Where the client file says that it comes from; otherwise a person is asked.
    pub source: Option<At<SecretRef>>,
}

/// Puts the layers together: defaults of the runbook, client file, then `layers` in their order.
///
/// # Errors
/// A value does not fit, a name is of no input, or a secret is given where it would be seen.
pub fn resolve(loaded: &Loaded, layers: &[Layer]) -> Result<Values, Diagnostics> {
    let document = loaded.runbook();
    let runbook = &document.form;
    let sink = Sink::new();
    let mut values = Values { client: client_values(loaded), ..Values::default() };
    refuse_names(runbook, layers, &sink);
    for (name, def) in &runbook.inputs {
        let name = &*name.value;
        if let Some(when) = &def.when
            && let Ok(when) = Condition::parse(when)
            && let Ok(model::value::May::Known(false)) =
                when.eval(&Known { inputs: &values.inputs, client: &values.client, vars: &Mapping::new(), run: "" })
        {
            values.inputs.insert(name.into(), Value::Null);
            continue;
        }
        if def.kind.value == InputType::Secret {
            let secrets = loaded.client.as_ref().map(|client| &client.form.secrets);
            let source = secrets.and_then(|secrets| secrets.get(name)).cloned();
            values.secrets.push(SecretNeed { name: name.to_owned(), source });
            values.inputs.insert(name.into(), SecretText::named(&format!("inputs.{name}")).value());
            continue;
        }
        let at = |tree: &Tree, node, misfit: Misfit| sink.report(tree.point(Diagnostic::error("wrong-value", misfit.message), node));
        let value = match of_input(loaded, layers, name, def).first() {
            Some(Offer::Given(layer, text)) => parse_text(def, &document.tree, text)
                .map_err(|misfit| sink.report(Diagnostic::error("wrong-value", format!("input `{name}` from {}: {misfit}", layer.origin))))
                .ok(),
            Some(Offer::Written(tree, node) | Offer::Default(tree, node)) => {
                fit(def, &document.tree, &tree.value(*node)).map_err(|misfit| at(tree, *node, misfit)).ok()
            }
            None => {
                values.missing.push(name.to_owned());
                None
            }
        };
        if let Some(value) = value {
            values.inputs.insert(name.into(), value);
        }
    }
    if sink.errors() > 0 { Err(sink.into_diagnostics()) } else { Ok(values) }
}

fn refuse_names(runbook: &Runbook, layers: &[Layer], sink: &Sink) {
    for layer in layers.iter().filter(|layer| !layer.open) {
        for (name, _) in &layer.values {
            match runbook.inputs.get(name) {
                None => {
                    let found = Diagnostic::error("unknown-input", format!("{}: there is no input `{name}`", layer.origin));
                    sink.report(found.did_you_mean(name, runbook.inputs.names()));
                }
                Some(def) if def.kind.value == InputType::Secret => {
                    let found = Diagnostic::error("secret-on-command-line", format!("{}: `{name}` is a secret", layer.origin));
                    sink.report(found.help("others can see a command line: let it be asked, or bind it under `secrets:` in the client file"));
                }
                Some(_) => {}
            }
        }
    }
}

/// The client's values, and the defaults of what the runbook expects.
fn client_values(loaded: &Loaded) -> Mapping {
    let mut values = Mapping::new();
    if let Some(client) = &loaded.client {
        for (name, node) in &client.form.values {
            values.insert((&*name.value).into(), client.tree.value(*node));
        }
    }
    for file in loaded.files.iter().rev() {
        let document = &file.document;
        for (name, def) in document.form.expects.iter().flatten() {
            let given = values.get(&*name.value).cloned().or_else(|| def.default.map(|node| document.tree.value(node)));
            if let Some(given) = given {
                let fitted = fit(def, &document.tree, &given).unwrap_or(given);
                values.insert((&*name.value).into(), fitted);
            }
        }
    }
    values
}

/// The `vars` of a runbook, each worked out after those that it uses.
///
/// # Errors
/// One cannot be worked out.
pub fn vars(document: &Document<Runbook>, inputs: &Mapping, client: &Mapping, run: &str) -> Result<Mapping, Diagnostics> {
    let sink = Sink::new();
    let mut work = Vars { document, inputs, client, run, done: Mapping::new(), open: BTreeSet::new(), sink: &sink };
    for (name, _) in &document.form.vars {
        work.work_out(&name.value);
    }
    let done = work.done;
    if sink.errors() > 0 { Err(sink.into_diagnostics()) } else { Ok(done) }
}

struct Vars<'v> {
    document: &'v Document<Runbook>,
    inputs: &'v Mapping,
    client: &'v Mapping,
    run: &'v str,
    done: Mapping,
    open: BTreeSet<String>,
    sink: &'v Sink,
}

impl Vars<'_> {
    /// As deep as vars use vars; a circle was refused by `check` and ends here.
    fn work_out(&mut self, name: &str) {
        let Some(node) = self.document.form.vars.get(name).copied() else { return };
        if self.done.contains_key(name) || !self.open.insert(name.to_owned()) {
            return;
        }
        let tree = self.document.tree.value(node);
        for used in used_vars(&tree) {
            self.work_out(&used);
        }
        let scope = Known { inputs: self.inputs, client: self.client, vars: &self.done, run: self.run };
        match template::render(tree, &scope) {
            Ok(value) => {
                self.done.insert(name.into(), value);
            }
            Err(error) => {
                let found = Diagnostic::error(error.cause.code, format!("`vars.{name}`: {}", error.message)).help_if(error.cause.help);
                self.sink.report(self.document.point(found, node));
            }
        }
    }
}

/// The vars that the texts of a value name.
fn used_vars(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vars_in(text),
        Value::Sequence(items) => items.iter().flat_map(used_vars).collect(),
        Value::Mapping(map) => map.values().flat_map(used_vars).collect(),
        _ => Vec::new(),
    }
}

/// The vars that a text names.
pub(crate) fn vars_in(text: &str) -> Vec<String> {
    let parsed = Text::parse(text).ok();
    let names = parsed.iter().flat_map(Text::names).filter(|name| name.segments[0].as_str() == "vars");
    names.filter_map(|name| name.segments.get(1)).map(|segment| segment.as_str().to_owned()).collect()
}

/// What is known before the first step, as names.
struct Known<'k> {
    inputs: &'k Mapping,
    client: &'k Mapping,
    vars: &'k Mapping,
    run: &'k str,
}

impl Scope for Known<'_> {
    fn lookup(&self, name: &[Segment]) -> Found {
        let Some((root, rest)) = name.split_first() else { return Found::Missing };
        let map = match root.as_str() {
            "inputs" => self.inputs,
            "client" => self.client,
            "vars" => self.vars,
            "run" if rest.len() == 1 && rest[0].as_str() == "id" => return Found::Value(self.run.into()),
            _ => return Found::Missing,
        };
        let Some((field, rest)) = rest.split_first() else { return Found::Value(Value::Mapping(map.clone())) };
        map.get(field.as_str()).map_or(Found::Missing, |value| Found::within(value, rest))
    }
}
