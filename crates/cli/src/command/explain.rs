//! `retrace explain`: where values come from.

use super::open::{invalid, layers, load};
use crate::args::Explain;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::here::Here;
use engine::explain::{Explained, explain as explained};
use engine::input;
use model::diagnostic::nearest;
use model::printable::Printable;
use serde_json::{Value as Json, json};

/// Explains values.
pub(crate) fn explain(here: &Here, args: &Explain) -> Result<Exit, Failure> {
    let loaded = load(&args.runbook, args.values.client.as_deref(), None).map_err(|found| invalid(&found))?;
    if loaded.found.errors() > 0 {
        return Err(invalid(&loaded.found));
    }
    let layers = layers(&loaded, &args.values.set);
    let values = input::resolve(&loaded, &layers).map_err(|found| invalid(&found))?;
    let all = explained(&loaded, &layers, &values);
    let is_named = |name: &str, one: &Explained| one.name.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    if let Some(unknown) = args.names.iter().find(|name| !all.iter().any(|one| is_named(name, one))) {
        let failure = Failure::new(Exit::Invalid, "unknown-name", format!("nothing is called `{unknown}`"));
        let near = nearest(unknown, all.iter().map(|one| one.name.as_str())).map(|near| format!("did you mean `{near}`?"));
        return Err(failure.help(near.unwrap_or_else(|| "names begin with `inputs.` or `client.`; without one all are explained".to_owned())));
    }
    let wanted: Vec<&Explained> = all.iter().filter(|one| args.names.is_empty() || args.names.iter().any(|name| is_named(name, one))).collect();
    if here.everywhere.json {
        here.print_json(&json!({ "format": 1, "values": wanted }))?;
    } else {
        wanted.into_iter().for_each(|one| here.print(&told(one)));
    }
    Ok(Exit::Done)
}

fn told(one: &Explained) -> String {
    let value = match (&one.value, one.secret) {
        (_, true) => "secret".to_owned(),
        (Some(Json::Null), _) => "none".to_owned(),
        (Some(value), _) => shown(value),
        (None, _) => "has no value".to_owned(),
    };
    let mut text = format!("{}  {value}\n", Printable(&one.name));
    for (n, from) in one.from.iter().enumerate() {
        let origin = if from.default { format!("{}, the default", from.origin) } else { from.origin.clone() };
        let line = match n {
            0 if one.secret => format!("{} by {origin}", shown(&from.value)),
            0 => format!("from {origin}"),
            _ => format!("shadows {} of {origin}", shown(&from.value)),
        };
        text.push_str(&format!("  {}\n", Printable(&line)));
    }
    if one.from.is_empty() && one.secret {
        text.push_str("  asked at the terminal\n");
    }
    text
}

fn shown(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| Printable(text).to_string())
}
