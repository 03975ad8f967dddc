//! `retrace show`: what a run did.

use crate::args::OfRun;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::here::Here;

/// Shows a run.
pub(crate) fn show(here: &Here, args: &OfRun) -> Result<Exit, Failure> {
    let store = here.store()?;
    let run = here.run(&store, &args.run)?;
    let zone = super::resume::of_run(here, &store, &run, None).map_or_else(|_| here.zone(None), |opened| opened.client.zone);
    let shown = record::show::show(&store, &run, zone).map_err(|wrong| Failure::from_error(Exit::Unverified, "damaged", &wrong))?;
    if here.everywhere.json {
        here.print_json(&shown)?;
    } else if here.everywhere.verbose > 0 {
        here.print_lines(&format!("{shown:#}"));
    } else {
        here.print_lines(&shown.to_string());
    }
    Ok(Exit::Done)
}
