//! `retrace check`: errors with places; nothing is looked at but the files.

use super::open::{diagnostics, load};
use crate::args::Check;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::here::Here;
use crate::report::layout::count;
use actions::BUILTIN;
use model::diagnostic::Diagnostics;
use model::printable::Printable;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Checks runbooks.
pub(crate) fn check(here: &Here, args: &Check) -> Result<Exit, Failure> {
    let clients = match &args.all_clients {
        Some(dir) => clients(dir)?.into_iter().map(Some).collect(),
        None => vec![args.client.clone()],
    };
    let (mut found, mut steps, mut needs) = (Diagnostics::default(), BTreeMap::new(), BTreeMap::new());
    for runbook in &args.runbooks {
        for client in &clients {
            let loaded = match load(runbook, client.as_deref(), None) {
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
            needs.extend(report.needs.into_iter().map(|need| (need.name.clone(), need)));
        }
    }
    let errors = found.errors();
    let steps: usize = steps.values().sum();
    let named = clients.iter().flatten().count();
    if here.everywhere.json {
        let needs: Vec<_> = needs.values().map(|need| json!({ "name": need.name, "type": need.kind, "about": need.about })).collect();
        here.print_json(&json!({
            "format": 1, "runbooks": args.runbooks.len(), "steps": steps, "clients": named, "errors": errors,
            "diagnostics": diagnostics(&found), "needs": needs,
        }))?;
        return Ok(if errors > 0 { Exit::Invalid } else { Exit::Done });
    }
    if !found.is_empty() {
        here.tell_anyway(&format!("{found}\n"));
    }
    if !needs.is_empty() {
        let names: Vec<&str> = needs.keys().map(String::as_str).collect();
        here.tell(&format!("A client file has to give: {}\n", Printable(&names.join(", "))));
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

fn clients(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error: std::io::Error| Failure::from_error(Exit::Invalid, "unreadable-file", &error).place(dir.display().to_string());
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
