//! `retrace graph`: the steps of a runbook as Graphviz.

use super::open::open;
use crate::args::{Graph, Subject};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::here::Here;
use actions::BUILTIN;
use model::id::RunId;
use serde_json::json;

/// Draws a runbook.
pub(crate) fn graph(here: &Here, args: &Graph) -> Result<Exit, Failure> {
    let subject = Subject { client: args.values.client.clone(), set: args.values.set.clone(), ..Subject::default() };
    let opened = open(here, &args.runbook, &subject)?;
    let run = RunId::parse("graph").ok_or_else(|| Failure::new(Exit::Bug, "run-id", "a name is none"))?;
    let dot = opened.procedure.dot(&BUILTIN, &run).map_err(|wrong| Failure::from_error(Exit::Invalid, "graph", &wrong))?;
    if here.everywhere.json {
        here.print_json(&json!({ "format": 1, "dot": dot }))?;
    } else {
        here.print(&dot);
    }
    Ok(Exit::Done)
}
