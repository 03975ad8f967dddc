//! Around a program: what it brought before a cut-off, whether it is done, what it wrote.

use super::Worker;
use crate::graph::Ix;
use crate::plan::Brought;
use crate::run::hands::{Trouble, trouble};
use crate::stepper;
use crate::view::Sight;
use model::digest::Digest;
use model::effect::{Change, Effect};
use model::fold::{EffectFold, EffectStatus};
use model::id::StepId;
use model::state::State;
use model::value::May;
use std::sync::Mutex;
use world::error::WorldError;

impl Worker<'_, '_> {
    /// The program that the cut-off attempt of a step had run.
    pub(super) fn done_before(&self, step: &StepId) -> Option<&EffectFold> {
        self.cut.get(step)?.iter().rev().find(|effect| matches!(effect.effect, Effect::Run { .. }))
    }

    /// What a program has brought that ran before the cut-off.
    pub(super) fn in_journal(&self, step: &StepId, program: &model::program::Program) -> Result<Brought, Trouble> {
        let Some(EffectStatus::Applied { exit: Some(exit), .. }) = self.done_before(step).map(|effect| &effect.status) else {
            return Ok(Brought::default());
        };
        self.hands.judge_again(program, exit)
    }

    /// The checks that tell that a program or person is done must hold afterwards; but not of what takes that back.
    pub(super) fn done_when(&self, node: Ix) -> Result<(), Trouble> {
        let session = self.hands.session;
        if self.hands.scribe.is_of_undo() {
            return Ok(());
        }
        let Some(step) = session.graph.step(node).filter(|step| !step.about.done_when.is_empty()) else { return Ok(()) };
        let sight = Sight { session, look: session.engine.world, node, planning: None, seen: Mutex::default(), revealed: Mutex::default() };
        match stepper::done_already(&sight, step.about.document, &step.about.done_when) {
            Ok(May::Known(true)) => Ok(()),
            Ok(_) => Err(Trouble::Failed("it has run, but its `done_when` does not hold".into())),
            Err(wrong) => Err(self.action_trouble(&wrong)),
        }
    }

    pub(super) fn as_file(&self, change: &Change, brought: &[Brought]) -> Result<(Change, world::act::Source), Trouble> {
        let failed = |wrong: WorldError| trouble(&wrong, &self.hands.session.sensitive);
        let blob = brought.last().and_then(|b| b.stdout.clone());
        if blob.as_ref().is_some_and(|captured| captured.sealed) {
            return Err(Trouble::Failed("the output of a program that was given a secret is not written to a file".into()));
        }
        let (sha256, length, source) = match blob {
            Some(captured) => (captured.blob.clone(), captured.length, world::act::Source::Blob(captured.blob)),
            None => (Digest::of(b""), 0, world::act::Source::Bytes(std::sync::Arc::new(zeroize::Zeroizing::new(Vec::new())))),
        };
        let before = self.hands.session.engine.world.state(&change.resource).map_err(failed)?;
        let after = match &change.after {
            State::File(file) => State::file(sha256, length, file.meta.clone()),
            _ => State::file(sha256, length, model::state::Meta::default()),
        };
        Ok((Change { resource: change.resource.clone(), before, after }, source))
    }
}
