//! `retrace demo`: the practice site, and the programs that live on it.

use crate::args::Demo;
use crate::demo::lab::{self, Lab};
use crate::demo::play;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::here::Here;

/// Makes a practice site and plays through it.
pub(crate) fn demo(here: &Here, args: &Demo) -> Result<Exit, Failure> {
    match play(&args.dir, here.everywhere.no_input) {
        Ok(()) => Ok(Exit::Done),
        Err(crate::demo::StoryError::Stopped) => Err(Failure::new(Exit::Stopped, "stopped", "the practice was left")),
        Err(wrong @ crate::demo::StoryError::NotEmpty(_)) => Err(Failure::from_error(Exit::Refused, "demo", &wrong)),
        Err(wrong) => Err(Failure::from_error(Exit::Failed, "demo", &wrong)),
    }
}

/// Runs a program of the practice site.
pub(crate) fn lab(args: &Lab) -> Result<Exit, Failure> {
    lab::run(args).map(|()| Exit::Done).map_err(|error| Failure::from_error(Exit::Failed, "lab", &error))
}
