//! `retrace prune`: removes kept bytes that no undo needs any more; tells first what.

use crate::args::Prune;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::here::Here;
use crate::prompt::console::Heard;
use engine::context::Clock;
use record::prune::{Keep, prune as find, remove};

/// Tells what can be removed, and removes it if that is agreed to.
pub(crate) fn prune(here: &Here, args: &Prune) -> Result<Exit, Failure> {
    let store = here.store()?;
    let keep = Keep { newest: args.keep_newest, within: None };
    let pruning = find(&store, keep, here.clock.now()).map_err(|wrong| Failure::from_error(Exit::Failed, "prune", &wrong))?;
    if here.everywhere.json {
        here.print_json(&pruning)?;
    } else {
        here.print_lines(&pruning.to_string());
    }
    if pruning.total().0 == 0 {
        return Ok(Exit::Done);
    }
    if !args.yes && !agreed(here) {
        here.next("prune --yes");
        return Ok(Exit::Done);
    }
    remove(&store, &pruning).map_err(|wrong| Failure::from_error(Exit::Failed, "prune", &wrong))?;
    here.tell("Removed.\n");
    Ok(Exit::Done)
}

fn agreed(here: &Here) -> bool {
    let Some(console) = here.console() else { return false };
    matches!(console.line("Remove it? [y] yes  [n] no : "), Heard::Line(line) if matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}
