//! `retrace runs`: the runs of the state directory.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::here::Here;

/// Lists the runs.
pub(crate) fn runs(here: &Here) -> Result<Exit, Failure> {
    let store = here.store()?;
    let runs = record::runs::runs(&store, here.zone(None)).map_err(|wrong| Failure::from_error(Exit::Failed, "state", &wrong))?;
    if here.everywhere.json {
        here.print_json(&runs)?;
    } else {
        here.print_lines(&runs.to_string());
    }
    Ok(Exit::Done)
}
