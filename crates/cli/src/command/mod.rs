//! The commands, one file each.

mod actions;
mod check;
mod demo;
mod explain;
mod graph;
mod help;
mod note;
mod open;
mod plan;
mod prune;
mod resume;
mod run;
mod runs;
mod schema;
mod show;
mod undo;
mod verify;
mod work;

use crate::args::{Args, Command};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::here::Here;
use engine::command::Refusal;

/// Does what the command line says.
pub(crate) fn run(args: Args) -> Result<Exit, (Here, Failure)> {
    let here = Here::new(args.everywhere);
    let Some(command) = args.command else {
        here.print(crate::help::OVERVIEW);
        return Ok(Exit::Done);
    };
    let done = match &command {
        Command::Check(args) => check::check(&here, args),
        Command::Plan(args) => plan::plan(&here, args),
        Command::Run(args) => run::run(&here, args),
        Command::Resume(args) => resume::resume(&here, args),
        Command::Undo(args) => undo::undo(&here, args),
        Command::Runs => runs::runs(&here),
        Command::Show(args) => show::show(&here, args),
        Command::Verify(args) => verify::verify(&here, args),
        Command::Note(args) => note::note(&here, args),
        Command::Explain(args) => explain::explain(&here, args),
        Command::Graph(args) => graph::graph(&here, args),
        Command::Actions(args) => actions::actions(&here, args),
        Command::Schema(args) => schema::schema(&here, args),
        Command::Demo(args) => demo::demo(&here, args),
        Command::Prune(args) => prune::prune(&here, args),
        Command::Lab(lab) => demo::lab(lab),
        Command::Help(args) => help::help(&here, args),
    };
    match done {
        Ok(Exit::Done) if here.has_lost() => {
            Err((here, Failure::new(Exit::Failed, "output", "standard output cannot be written: something is missing in it")))
        }
        done => done.map_err(|failure| (here, failure)),
    }
}

/// A refusal of the engine, as it is told.
fn refusal(refusal: Refusal) -> Failure {
    let told = |exit, code, lines: Vec<String>| {
        let mut lines = lines.into_iter().flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
        let first = lines.next().unwrap_or_else(|| "it cannot be done".to_owned());
        Failure::new(exit, code, first).details(lines.collect())
    };
    match refusal {
        Refusal::Invalid(why) => told(Exit::Invalid, "invalid", why),
        Refusal::Refused(why) => told(Exit::Refused, "refused", why),
        Refusal::Missing(what) => Failure::missing(what),
        Refusal::Stopped => Failure::new(Exit::Stopped, "stopped", "stopped by a person"),
        Refusal::Damaged(why) => told(Exit::Unverified, "damaged", vec![why]),
        Refusal::Broken(why) => told(Exit::Failed, "broken", vec![why]),
    }
}
