//! A person's pause: what runs is finished, nothing starts until it is over. Deadlines go on.

use crate::context::Engine;
use crate::run::scribe::{Dead, Scribe};
use model::event::Event;

/// Whether a pause is written down.
#[derive(Default)]
pub(crate) struct Pause {
    said: bool,
}

impl Pause {
    /// Whether nothing may start now. Its begin and its end are written down.
    pub(crate) fn holds(&mut self, engine: &Engine<'_>, scribe: &Scribe<'_>) -> Result<bool, Dead> {
        if engine.stop.wished() {
            // What is decided then is written down, and ends the pause.
            self.said = false;
            return Ok(false);
        }
        let paused = engine.stop.paused();
        if paused != self.said {
            self.said = paused;
            let by = engine.operator.to_owned();
            let event = if paused { Event::Paused { by } } else { Event::Decided { by, what: "go_on".into(), about: "run".into() } };
            scribe.say(event)?;
        }
        Ok(paused)
    }

    /// Waits until something may start again, or somebody wants to stop.
    pub(crate) fn sit_out(&mut self, engine: &Engine<'_>, scribe: &Scribe<'_>) -> Result<(), Dead> {
        while self.holds(engine, scribe)? {
            engine.stop.sleep_while_paused();
        }
        Ok(())
    }
}
