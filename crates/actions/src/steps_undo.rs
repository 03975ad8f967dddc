//! `steps.undo`

use crate::param::Nothing;
use model::effect::{Change, Effect};
use model::state::{Content, State};
use schemars::JsonSchema;
use serde::Deserialize;
use world::act::Source;
use world::action::{Action, ActionError, Class};
use world::proposal::Proposal;
use world::view::View;

/// Sets what earlier steps changed back to what it was, as part of the run. Undo leaves it so.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepsUndo {
    /// Earlier steps or groups.
    #[schemars(length(min = 1))]
    pub steps: Vec<String>,
}

impl Action for StepsUndo {
    const KIND: &'static str = "steps.undo";
    const ABOUT: &'static str = "Sets what earlier steps changed back to what it was, as part of the run";
    const CLASS: Class = Class::Set;
    const KEEPS: bool = true;
    type Outputs = Nothing;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        let mut proposal = Proposal::unchanged();
        for change in self.changes(view)? {
            let present = match (&change.before, &change.after) {
                (State::Tree(_), _) | (_, State::Tree(_)) => view.tree(&change.resource, &[], &mut std::io::sink())?,
                _ => view.state(&change.resource)?,
            };
            if present.same(&change.before) && present.unknown_until().is_none() {
                continue;
            }
            if !present.fits(&change.after) && !present.same(&change.after) {
                return Err(ActionError::Invalid(format!(
                    "{} was changed by something else: it was {}, this run left {}, and it is {present}",
                    change.resource, change.before, change.after
                )));
            }
            let source = source(&change.before);
            proposal = proposal.effect(Effect::Set(Change { resource: change.resource, before: present, after: change.before }), source);
        }
        Ok(proposal)
    }
}

impl StepsUndo {
    /// For each resource what it was before all of these steps and what they left, the latest first.
    fn changes(&self, view: &dyn View) -> Result<Vec<Change>, ActionError> {
        let mut all: Vec<Change> = Vec::new();
        // The later a step stands, the sooner it is taken back.
        for step in self.steps.iter().rev() {
            for change in view.changes(step)? {
                match all.iter_mut().find(|known| known.resource == change.resource) {
                    Some(known) => known.before = change.before,
                    None => all.push(change),
                }
            }
        }
        Ok(all)
    }
}

/// Where the bytes of what was there before are kept.
fn source(before: &State) -> Source {
    match before {
        State::File(file) => match &file.content {
            Content::Plain { sha256: digest, .. } | Content::Keyed { hmac: digest } => Source::Blob(digest.clone()),
            Content::Hidden | Content::Unknown { .. } => Source::Nothing,
        },
        State::Tree(tree) => tree.manifest.clone().map_or(Source::Nothing, Source::Blob),
        _ => Source::Nothing,
    }
}
