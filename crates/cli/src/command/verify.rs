//! `retrace verify`: whether the record of a run is whole.

use crate::args::Verify;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::here::Here;
use model::id::RunId;
use record::verify::VerifyError;

/// Verifies a record.
pub(crate) fn verify(here: &Here, args: &Verify) -> Result<Exit, Failure> {
    let store = here.store()?;
    // A run whose directory is gone is judged too: a later one of the client may name it.
    let run = match RunId::parse(&args.run) {
        Some(run) => run,
        None => here.run(&store, &args.run)?,
    };
    let report = match record::verify::verify(&store, &run) {
        Ok(report) => report,
        Err(VerifyError::NoSuchRun(_)) => return here.run(&store, &args.run).map(|_| Exit::Unverified),
        Err(wrong) => return Err(Failure::from_error(Exit::Unverified, "unreadable", &wrong)),
    };
    if here.everywhere.json {
        here.print_json(&report.json())?;
    } else {
        here.print_lines(&report.to_string());
    }
    Ok(Exit::of(report.exit()).unwrap_or(Exit::Unverified))
}
