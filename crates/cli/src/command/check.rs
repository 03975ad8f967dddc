//! `retrace check`: errors with places; nothing is looked at but the files.

use super::open::{diagnostics, load};
use crate::args::Check;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::here::Here;
use crate::report::layout::count;
use actions::BUILTIN;
use engine::check::Need;
use model::diagnostic::Diagnostics;
use model::printable::Printable;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Checks runbooks.
pub(crate) fn check(here: &Here, args: &Check) -> Result<Exit, Failure> {
    let clients = match &args.all_clients {
        Some(dir) => clients(dir)?.into_iter().map(Some).collect(),
        None => vec![args.client.clone()],
    };
    let (mut found, mut steps, mut needs) = (Diagnostics::default(), BTreeMap::new(), Needs::new());
    let (mut named, mut partners) = (BTreeSet::new(), BTreeSet::new());
    let mut read = Vec::new();
    for runbook in &args.runbooks {
        for client in &clients {
            let loaded = load(runbook, client.as_deref(), None);
            let partner = loaded.as_ref().ok().and_then(|loaded| Some(loaded.partner.as_ref()?.path.clone()));
            partners.extend(partner.map(|path| real(&path)));
            read.push((runbook, client, loaded));
        }
    }
    for (runbook, client, loaded) in read {
        // What a client beside it builds on is none itself.
        if args.all_clients.is_some() && client.as_deref().is_some_and(|path| partners.contains(&real(path))) {
            continue;
        }
        named.extend(client);
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(wrong) => {
                found.append(wrong);
                continue;
            }
        };
        let mut report = engine::check::check(&loaded, &BUILTIN);
        // What only values can tell: an input of the client file that does not fit, a value that is missing.
        if report.diagnostics.errors() == 0
            && let (Some(_), Err(wrong)) = (client, engine::input::resolve(&loaded, &[]))
        {
            report.diagnostics.append(wrong);
        }
        found.append(report.diagnostics);
        steps.insert(runbook, report.steps);
        let client = loaded.client.as_ref().map(|client| client.form.client.value.to_string());
        for need in report.needs {
            needs.entry(need.name.clone()).or_insert((need, BTreeSet::new())).1.extend(client.clone());
        }
    }
    let errors = found.errors();
    let steps: usize = steps.values().sum();
    let named = named.len();
    if here.everywhere.json {
        let told =
            |(need, clients): &(Need, BTreeSet<String>)| json!({ "name": need.name, "type": need.kind, "about": need.about, "clients": clients });
        let needs: Vec<_> = needs.values().map(told).collect();
        here.print_json(&json!({
            "format": 1, "runbooks": args.runbooks.len(), "steps": steps, "clients": named, "errors": errors,
            "diagnostics": diagnostics(&found), "needs": needs,
        }))?;
        return Ok(if errors > 0 { Exit::Invalid } else { Exit::Done });
    }
    if !found.is_empty() {
        here.tell_anyway(&format!("{found}\n"));
    }
    if !needs.is_empty() && named == 0 {
        let names: Vec<&str> = needs.keys().map(String::as_str).collect();
        here.tell(&format!("A client file has to give: {}\n", Printable(&names.join(", "))));
    } else if !needs.is_empty() {
        here.tell_anyway(&table(&needs));
    }
    let clients = if named > 0 { format!(", {}", count(named, "client")) } else { String::new() };
    let checked = format!("Checked {} ({}){clients}: ", count(args.runbooks.len(), "runbook"), count(steps, "step"));
    if errors > 0 {
        here.tell_anyway(&format!("{checked}{}. Nothing was touched.\n", count(errors, "error")));
        return Ok(Exit::Invalid);
    }
    if !here.everywhere.quiet {
        here.print(&format!("{checked}no errors. Nothing was touched.\n"));
    }
    Ok(Exit::Done)
}

/// What no client file gives that has to, and which clients lack it.
type Needs = BTreeMap<String, (Need, BTreeSet<String>)>;

fn table(needs: &Needs) -> String {
    let width = needs.keys().map(|name| name.len()).max().unwrap_or_default();
    let mut text = "Missing values:\n".to_owned();
    for (name, (need, clients)) in needs {
        let clients = clients.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let line = format!("{name:width$}  {:8}  {clients}", need.kind.unwrap_or("any"));
        text.push_str(&format!("  {}\n", Printable(&line)));
    }
    format!("{text}\n")
}

/// A path by which two names of one file are the same.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn clients(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error: std::io::Error| {
        let why = if error.kind() == std::io::ErrorKind::NotFound { "there is no such directory".to_owned() } else { error.to_string() };
        Failure::new(Exit::Invalid, "unreadable-file", why).place(dir.display().to_string())
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            found.push(path);
        }
    }
    if found.is_empty() {
        return Err(Failure::new(Exit::Invalid, "no-clients", "there is no client file").place(dir.display().to_string()));
    }
    found.sort();
    Ok(found)
}
