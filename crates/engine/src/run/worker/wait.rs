//! Waiting until something holds.

use super::{Ready, Worker};
use crate::plan::Brought;
use crate::run::hands::Trouble;
use model::event::Event;
use std::time::Duration;
use world::proposal::Verdict;

impl Worker<'_, '_> {
    pub(super) fn wait(&self, ready: &Ready, every: f64, within: f64, stable_for: f64) -> Result<Vec<Brought>, Trouble> {
        let engine = &self.hands.session.engine;
        let begin = engine.clock.elapsed();
        let mut holds_since: Option<Duration> = None;
        let mut found = None;
        loop {
            let now = engine.clock.elapsed();
            let came = match self.propose(ready.node) {
                // It holds; whether for long enough is judged here.
                Ok(proposal) if proposal.effects.is_empty() || proposal.verdict == Verdict::Holds => Some(proposal),
                Ok(proposal) => {
                    found = proposal.reason;
                    None
                }
                // A look that fails means not yet.
                Err(Trouble::Failed(_)) => None,
                Err(other) => return Err(other),
            };
            match came {
                Some(proposal) => {
                    let since = *holds_since.get_or_insert(now);
                    if (now.saturating_sub(since)).as_secs_f64() >= stable_for {
                        self.hands.scribe.say(Event::Waited { step: ready.id.clone() })?;
                        self.learn_outputs(ready.node, &proposal, &[])?;
                        return Ok(Vec::new());
                    }
                }
                None => holds_since = None,
            }
            if now.saturating_sub(begin).as_secs_f64() >= within {
                let what = ready.proposal.effects.first().map_or_else(String::new, |p| p.effect.to_string());
                let found = found.map_or_else(String::new, |found| format!("; last seen: {found}"));
                return Err(Trouble::Failed(format!("not within {within} s: {what}{found}")));
            }
            if engine.stop.wished() {
                return Err(Trouble::Stopped);
            }
            engine.clock.wait(Duration::from_secs_f64(every.max(0.01)), engine.stop);
        }
    }
}
