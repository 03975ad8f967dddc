//! What runs whatever happened: `finally`.

use super::Coordinator;
use crate::graph::Ix;
use crate::run::Ending;
use crate::run::hands::Trouble;
use crate::run::scribe::Dead;
use crate::run::worker::Finished;
use model::event::{Outcome, RunOutcome};
use model::value::May;
use std::sync::PoisonError;

impl Coordinator<'_, '_, '_> {
    /// What runs whatever happened: the `finally` of groups that were entered and did not come to it, then that of the run.
    pub(super) fn last(&mut self, ending: Ending) -> Result<Ending, Dead> {
        let nothing_yet = self.scribe.fold(|fold| fold.steps.is_empty()).unwrap_or(true);
        if (ending.exit == 7 && nothing_yet) || ending.exit == 6 {
            // A stopped run is resumed; its `finally` comes then.
            return Ok(ending);
        }
        let word = match ending.outcome {
            RunOutcome::Done => "done",
            RunOutcome::Failed => "failed",
            RunOutcome::Undone => "undone",
            RunOutcome::Stopped => "stopped",
        };
        *self.order.session.outcome.write().unwrap_or_else(PoisonError::into_inner) = Some(May::Known(word));
        let (groups, run): (Vec<Ix>, Vec<Ix>) = (0..self.graph.nodes.len() as Ix)
            .filter(|ix| self.graph.nodes[*ix as usize].last.is_some() && self.progress.outcome(*ix).is_none())
            .partition(|ix| !self.graph.ends_run(*ix));
        let mut wrong = Vec::new();
        let due: Vec<Ix> = groups.into_iter().filter(|ix| self.entered(*ix)).chain(run).collect();
        for node in due {
            if let Some(outcome) = self.at_once(node)? {
                self.progress.finish(node, outcome);
                continue;
            }
            for (node, finished) in self.worker.work(&[node]) {
                match finished {
                    Finished::Over(outcome) => self.progress.finish(node, outcome),
                    Finished::Trouble(Trouble::Dead(dead)) => return Err(dead),
                    Finished::Trouble(trouble) => {
                        wrong.push(format!("`{}` of `finally`: {}", self.graph.nodes[node as usize].id, crate::run::hands::words(&trouble)));
                    }
                }
            }
        }
        if wrong.is_empty() {
            return Ok(ending);
        }
        let exit = if matches!(ending.exit, 0 | 8) { 1 } else { ending.exit };
        Ok(Ending { exit, why: ending.why.into_iter().chain(wrong).collect(), ..ending })
    }

    pub(super) fn entered(&self, node: Ix) -> bool {
        let group = self.graph.nodes[node as usize].group;
        self.graph.groups[group as usize].nodes.is_none_or(|(enter, _)| self.progress.outcome(enter) == Some(Outcome::Done))
    }
}
