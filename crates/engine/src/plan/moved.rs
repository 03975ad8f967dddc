//! Whether what a step proposes at the run is what was planned.

use model::effect::Effect;
use model::fold::EffectFold;
use model::plan::{Decision, PlannedStep};
use model::state::State;

/// What differs between a plan and a proposal: expected, found. None: it is what was planned.
///
/// Checks and waits are judged afresh. A step that goes on after a cut-off has some of its planned effects `behind` it.
pub(crate) fn moved(planned: &PlannedStep, decision: Decision, effects: &[Effect], behind: bool) -> Option<(String, String)> {
    match planned.decision {
        Decision::Holds | Decision::Fails | Decision::Later | Decision::Wait => return None,
        Decision::Unknown if effects.is_empty() => return None,
        _ => {}
    }
    let differs = || Some((describe(planned.decision, &planned.effects), describe(decision, effects)));
    if effects.len() > planned.effects.len() {
        return differs();
    }
    // No effect where some were planned: it is already so. That is what was wanted, but it is not what was looked at.
    let open = behind || planned.unknown_until.is_some() || planned.decision == Decision::Unknown;
    if effects.is_empty() {
        return if planned.effects.is_empty() || open || decision == Decision::Wait { None } else { differs() };
    }
    let rest = &planned.effects[planned.effects.len() - effects.len()..];
    if rest.len() != planned.effects.len() && !open {
        return differs();
    }
    if rest.iter().zip(effects).all(|(planned, found)| fits(found, planned)) { None } else { differs() }
}

/// Whether all that was planned for a step are resources to be set, and the last that was done of it is just that.
pub(crate) fn is_done(planned: &PlannedStep, done: &[EffectFold]) -> bool {
    let are_sets = planned.effects.iter().all(|effect| matches!(effect, Effect::Set(_)));
    let last = done.len().checked_sub(planned.effects.len()).map(|before| &done[before..]);
    let set = |last: &[EffectFold]| last.iter().zip(&planned.effects).all(|(done, planned)| fits(&done.effect, planned));
    !planned.effects.is_empty() && planned.unknown_until.is_none() && are_sets && last.is_some_and(set)
}

fn fits(found: &Effect, planned: &Effect) -> bool {
    match (found, planned) {
        (Effect::Set(found), Effect::Set(planned)) => {
            found.resource == planned.resource && found.before.fits(&planned.before) && reaches(&found.after, &planned.after)
        }
        (Effect::Run { program: a, changes: x }, Effect::Run { program: b, changes: y }) => {
            a.argv.len() == b.argv.len()
                && a.cwd == b.cwd
                && a.argv.iter().zip(&b.argv).all(|(found, planned)| model::value::fits(found, planned))
                && x.len() == y.len()
                && x.iter().zip(y).all(|(found, planned)| found.resource == planned.resource && found.before.fits(&planned.before))
        }
        (Effect::Ask(found), Effect::Ask(planned)) => {
            std::mem::discriminant(&found.form) == std::mem::discriminant(&planned.form)
                && found.changes.len() == planned.changes.len()
                && found.changes.iter().zip(&planned.changes).all(|(a, b)| a.resource == b.resource && a.before.fits(&b.before))
        }
        (Effect::Wait { .. }, Effect::Wait { .. }) => true,
        _ => false,
    }
}

/// An `after` of the plan may leave things open that only the run knows.
fn reaches(found: &State, planned: &State) -> bool {
    match (found, planned) {
        // How much a copy will hold is an estimate.
        (State::Tree(_), State::Tree(_)) => true,
        _ => found.fits(planned),
    }
}

fn describe(decision: Decision, effects: &[Effect]) -> String {
    match effects {
        [] => decision.word().to_owned(),
        effects => effects.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    }
}
