use super::Layer;
use crate::load::Loaded;
use model::input::InputDef;
use model::yaml::{Raw, Source, Tree};
use std::sync::Arc;

/// A value that is offered for a name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Offer<'l> {
    /// From outside, as text.
    Given(&'l Layer, &'l str),
    /// In a document.
    Written(&'l Tree, Raw),
    /// As a default of the runbook.
    Default(&'l Tree, Raw),
}

/// What is offered for an input: what wins first, then what it shadows.
pub(crate) fn of_input<'l>(loaded: &'l Loaded, layers: &'l [Layer], name: &'l str, def: &InputDef) -> Vec<Offer<'l>> {
    let given = layers.iter().rev().filter_map(move |layer| {
        let (_, text) = layer.values.iter().rev().find(|(given, _)| given == name)?;
        Some(Offer::Given(layer, text))
    });
    let runbook = loaded.runbook();
    let written = written(loaded, &["runbooks", &runbook.form.runbook, "inputs", name]);
    given.chain(written).chain(def.default.map(|node| Offer::Default(&runbook.tree, node))).collect()
}

/// What the client file says under a path of keys, and what of the partner file that shadows.
pub(crate) fn written<'l>(loaded: &'l Loaded, path: &[&str]) -> Vec<Offer<'l>> {
    let at = |tree: &'l Tree| Some((tree, path.iter().try_fold(tree.root(), |node, key| tree.get(node, key))?));
    let client = loaded.client.as_ref().and_then(|client| at(&client.tree));
    let partner = loaded.partner.as_ref().and_then(|partner| at(&partner.tree));
    let source = |(tree, node): (&'l Tree, Raw)| -> &'l Arc<Source> { tree.source_of(node) };
    let shadowed = partner.filter(|partner| client.is_none_or(|client| !Arc::ptr_eq(source(client), source(*partner))));
    client.into_iter().chain(shadowed).map(|(tree, node)| Offer::Written(tree, node)).collect()
}
