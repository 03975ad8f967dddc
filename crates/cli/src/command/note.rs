//! `retrace note`: a remark about a run. While the run is open it is an event of its journal; a journal that has ended is never
//! written again, and remarks stand beside it.

use crate::args;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::here::Here;
use engine::context::Clock;
use engine::history::{self, Read};
use model::event::{Event, Line};
use model::id::RunId;
use record::notes::{self, Notes};
use world::disk_store::DiskStore;
use world::error::WorldError;
use world::store::{LockName, Store};

/// Adds a remark.
pub(crate) fn note(here: &Here, args: &args::Note) -> Result<Exit, Failure> {
    let store = here.store()?;
    let run = here.run(&store, &args.run)?;
    let text = args.text.trim();
    if text.is_empty() || text.len() > 10_000 {
        return Err(Failure::usage("a remark has 1 to 10,000 bytes"));
    }
    let read = history::read(&store, &run).map_err(|why| Failure::new(Exit::Unverified, "damaged", why))?;
    // Whoever runs it holds the client's lock.
    let holder = format!("{} on {}, a remark about {run}", here.operator, here.host);
    let _lock = store.lock(&LockName::Client(read.run.started.client.clone()), &holder).map_err(|wrong| failed(&wrong))?;
    if read.run.ended.is_some() {
        beside(here, &store, &run, &read, text)?;
    } else if read.torn.is_some() {
        let failure = Failure::new(Exit::Refused, "cut-off", "the journal ends in the middle of a line");
        return Err(failure.help(format!("first `retrace resume {run}` or `retrace undo {run}`")));
    } else {
        event(here, &store, &run, read, text)?;
    }
    here.tell("Noted.\n");
    Ok(Exit::Done)
}

fn event(here: &Here, store: &DiskStore, run: &RunId, read: Read, text: &str) -> Result<(), Failure> {
    let event = Event::Note { by: here.operator.clone(), text: text.to_owned() };
    let line = Line { seq: read.lines, at: here.clock.now(), run: run.clone(), prev: read.head, event };
    let line = line.write().map_err(|wrong| Failure::from_error(Exit::Bug, "json", &wrong))? + "\n";
    let mut journal = store.reopen(run, read.whole).map_err(|wrong| failed(&wrong))?;
    journal.append(line.as_bytes()).and_then(|()| journal.flush()).map_err(|wrong| failed(&wrong))
}

fn beside(here: &Here, store: &DiskStore, run: &RunId, read: &Read, text: &str) -> Result<(), Failure> {
    let mut notes = Notes::read(store, run).map_err(|wrong| failed(&wrong))?;
    notes.add(here.clock.now(), &here.operator, text, &read.head).map_err(|wrong| Failure::from_error(Exit::Bug, "json", &wrong))?;
    store.put(run, notes::FILE, notes.bytes()).map_err(|wrong| failed(&wrong))
}

fn failed(wrong: &WorldError) -> Failure {
    let exit = if matches!(wrong, WorldError::Refused { .. }) { Exit::Refused } else { Exit::Failed };
    Failure::from_error(exit, "note", wrong)
}
