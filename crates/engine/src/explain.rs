//! Where the values of a client come from.

use crate::input::{Layer, Offer, Values, of_input, written};
use crate::load::Loaded;
use model::client::SecretRef;
use model::input::InputType;
use model::value::{Value, to_json};
use model::yaml::{Raw, Shape, Tree};
use serde::Serialize;
use serde_json::Value as Json;

/// One value.
#[derive(Debug, Serialize)]
pub struct Explained {
    /// As expressions name it: `client.backup_target`, `inputs.site`.
    pub name: String,
    /// What it is; none where nothing gives one, and for a secret.
    pub value: Option<Json>,
    /// Whether it is a secret: then only where it comes from is known.
    pub secret: bool,
    /// Where it comes from, and after it what that shadows.
    pub from: Vec<From>,
}

/// Something that gives a value.
#[derive(Debug, Serialize)]
pub struct From {
    /// A place in a document, or what a person would say: `--set`.
    pub origin: String,
    /// Whether it is a default of the runbook.
    pub default: bool,
    /// What it gives; for a secret, the way to it.
    pub value: Json,
}

/// Explains the inputs of a runbook and what its client file says, in this order. `values` are what the `layers` came to.
pub fn explain(loaded: &Loaded, layers: &[Layer], values: &Values) -> Vec<Explained> {
    let form = &loaded.runbook().form;
    let mut all = Vec::new();
    for (name, def) in &form.inputs {
        let (name, secret) = (&*name.value, def.kind.value == InputType::Secret);
        let offers = if secret { written(loaded, &["secrets", name]) } else { of_input(loaded, layers, name, def) };
        let mut from: Vec<From> = offers.iter().map(told).collect();
        if secret {
            from.iter_mut().for_each(|from| from.value = way(&from.value));
        }
        let value = values.inputs.get(name).filter(|_| !secret).map(to_json);
        all.push(Explained { name: format!("inputs.{name}"), value, secret, from });
    }
    let mut names: Vec<Vec<String>> = Vec::new();
    let trees = loaded.client.iter().map(|client| &client.tree);
    for tree in trees {
        let written = tree.get(tree.root(), "values");
        written.into_iter().for_each(|node| leaves(tree, node, &mut Vec::new(), &mut names));
    }
    for (name, _) in loaded.files.iter().flat_map(|file| file.document.form.expects.iter().flatten()) {
        if !names.iter().any(|path| *path[0] == *name.value) {
            names.push(vec![name.value.to_string()]);
        }
    }
    all.extend(names.iter().map(|path| of_client(loaded, values, path)));
    all
}

/// The paths of all below a node that is no mapping. As deep as the document.
fn leaves(tree: &Tree, node: Raw, path: &mut Vec<String>, all: &mut Vec<Vec<String>>) {
    let mut any = false;
    for (key, value) in tree.entries(node) {
        let Some(name) = tree.scalar(key) else { continue };
        any = true;
        path.push(name.to_owned());
        leaves(tree, value, path, all);
        path.pop();
    }
    if !any && !path.is_empty() {
        all.push(path.clone());
    }
}

fn of_client(loaded: &Loaded, values: &Values, path: &[String]) -> Explained {
    let keys: Vec<&str> = std::iter::once("values").chain(path.iter().map(String::as_str)).collect();
    let mut from: Vec<From> = written(loaded, &keys).iter().map(told).collect();
    if let [name] = path {
        let defaults = loaded.files.iter().filter_map(|file| {
            let default = file.document.form.expects.as_ref()?.get(name)?.default?;
            Some(told(&Offer::Default(&file.document.tree, default)))
        });
        from.extend(defaults);
    }
    let (first, rest) = (path[0].as_str(), &path[1..]);
    let value = rest.iter().try_fold(values.client.get(first), |value, key| Some(value?.as_mapping()?.get(key.as_str()))).flatten();
    Explained { name: format!("client.{}", path.join(".")), value: value.map(to_json), secret: false, from }
}

fn told(offer: &Offer<'_>) -> From {
    let place = |tree: &Tree, node| {
        let source = tree.source_of(node);
        let (line, column) = source.position(tree.place(node).start);
        format!("{}:{line}:{column}", source.name())
    };
    let value = |tree: &Tree, node| match tree.shape(node) {
        Shape::Bad => Json::Null,
        _ => to_json(&tree.value(node)),
    };
    match *offer {
        Offer::Given(layer, text) => From { origin: layer.origin.clone(), default: false, value: text.into() },
        Offer::Written(tree, node) => From { origin: place(tree, node), default: false, value: value(tree, node) },
        Offer::Default(tree, node) => From { origin: place(tree, node), default: true, value: value(tree, node) },
    }
}

/// How a secret is got, in words.
fn way(said: &Json) -> Json {
    let source = serde_yaml::to_value(said).ok().and_then(|value: Value| serde_yaml::from_value::<SecretRef>(value).ok());
    let words = match source {
        Some(SecretRef { file: Some(path), .. }) => format!("in the file {path}"),
        Some(SecretRef { env: Some(name), .. }) => format!("in the environment as {name}"),
        _ => "asked at the terminal".to_owned(),
    };
    words.into()
}
