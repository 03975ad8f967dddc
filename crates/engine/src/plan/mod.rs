//! A dry run: the whole runbook in an imagined world.

mod imagine;
mod looked;
mod moved;
mod outputs;
mod races;
mod rehearse;

pub(crate) use imagine::chain;
pub(crate) use looked::Looked;
pub(crate) use moved::{is_done, moved};
pub(crate) use outputs::{Brought, left_out, of_group, settle};

use crate::graph::{Graph, Ix, Outage};
use crate::radius::Radius;
use crate::session::Session;
use imagine::Imaginer;
use model::effect::{Effect, Form};
use model::id::StepId;
use model::plan::{Decision, Irreversible, NeedsIdentity, OtherOption, Plan, Planned, PlannedStep, Totals};
use model::span::Span;
use model::state::{State, TreeState};
use rehearse::{Rehearsed, rehearse};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What a plan is made of beside the graph and the world.
pub struct Wanted<'a> {
    /// Which runbook.
    pub runbook: Planned,
    /// For whom; `local` without a client file.
    pub client: String,
    /// What may be set.
    pub radius: &'a Radius,
    /// Who can open what is kept sealed.
    pub recipients: &'a [String],
    /// Whether programs and endpoints are looked at.
    pub programs: bool,
    /// The files it is made from.
    pub files: BTreeMap<String, String>,
    /// Where the client file was, if that matters.
    pub client_path: Option<String>,
    /// The inputs from the command line.
    pub set: BTreeMap<String, serde_json::Value>,
    /// Warnings from reading the files.
    pub warnings: Vec<String>,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum Unplanned {
    /// What is wrong with the documents, each with its place in a line of its own.
    #[error("the documents are wrong")]
    Invalid(Vec<String>),
    /// It holds a value that JSON lacks.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// Plans: `session` makes a fresh memory for each pass, for every option of a decision is a pass of its own.
///
/// # Errors
/// See [`Unplanned`].
pub fn plan<'a>(graph: &'a Graph, session: &dyn Fn() -> Session<'a>, wanted: Wanted<'_>) -> Result<Plan, Unplanned> {
    let main = session();
    let looked = Arc::default();
    let mut imaginer = Imaginer::new(&main, graph, wanted.programs, BTreeMap::new(), &looked);
    imaginer.imagine_all(wanted.radius);
    let Rehearsed { rehearsal, mut irreversible, sealed } = rehearse(&mut imaginer);
    imaginer.imagine_last(wanted.radius);
    if !imaginer.invalid.is_empty() {
        return Err(Unplanned::Invalid(imaginer.invalid));
    }
    let mut refused = std::mem::take(&mut imaginer.refused);
    refused.extend(races::races(graph, &imaginer.uses));

    let mut kept = Vec::new();
    let mut floor: Option<StepId> = None;
    for (ix, planned) in imaginer.steps() {
        let Some(step) = graph.step(ix) else { continue };
        if is_floor(graph, ix, planned) {
            floor.get_or_insert_with(|| planned.id.clone());
            if !irreversible.iter().any(|i| i.step == planned.id) {
                let reason = step.about.irreversible.clone().unwrap_or_else(|| "the point of no return".to_owned());
                irreversible.push(Irreversible { step: planned.id.clone(), reason });
            }
        }
        if acts(planned) && effects(planned) > 0 && step.about.undo == crate::graph::Undo::Keep {
            kept.push(planned.id.clone());
        }
    }
    if let Some(floor) = &floor {
        refused.extend(unordered_with_floor(graph, &imaginer, floor));
    }
    let mut warnings = wanted.warnings;
    warnings.append(&mut imaginer.allowed);
    let deadline = graph.documents.first().and_then(|file| file.document.form.deadline).map(|span| span.value);
    warnings.extend(deadline.and_then(|deadline| too_long(graph, &imaginer, deadline)));
    let outage = outage(graph, &imaginer);
    let most = outage.as_ref().and_then(|outage| Duration::try_from_secs_f64(outage.most).ok());
    warnings.extend(most.into_iter().flat_map(|most| main.windows.too_short(most)));
    let totals = totals(graph, &imaginer, |_| true);
    let mut steps = imaginer.into_steps();
    let mut options = other_options(graph, session, wanted.radius, (wanted.programs, &looked), &steps);
    steps
        .iter()
        .chain(options.iter().flat_map(|option| &option.steps))
        .flat_map(|step| &step.effects)
        .for_each(|effect| main.sensitive.learn(effect));
    if main.sensitive.any() {
        steps.iter_mut().chain(options.iter_mut().flat_map(|option| &mut option.steps)).for_each(|step| mask(&main, step));
    }
    let mut files = wanted.files;
    for (path, source) in main.files.read().unwrap_or_else(std::sync::PoisonError::into_inner).iter() {
        files.insert(format!("files/{path}"), source.text().to_string());
    }
    let mut plan = Plan {
        format: 1,
        run: main.run.clone(),
        runbook: wanted.runbook,
        client: wanted.client,
        host: main.engine.host.to_owned(),
        steps,
        point_of_no_return: floor,
        irreversible,
        kept,
        totals,
        rehearsal,
        needs_identity: NeedsIdentity::of(sealed, wanted.recipients),
        outage,
        deadline: deadline.map(|span| span.duration().as_secs_f64()),
        options,
        refused,
        warnings,
        files,
        client_path: wanted.client_path,
        set: wanted.set,
        digest: String::new(),
    };
    plan.digest = plan.digest()?.to_string();
    Ok(plan)
}

/// What one step shows to be secret is secret in every step, those before it too: a run knows it from the first on.
fn mask(session: &Session<'_>, step: &mut PlannedStep) {
    for effect in &mut step.effects {
        for (resource, state) in effect.states_mut() {
            if let State::Tree(tree) = state
                && session.sensitive.knows_inside(resource)
            {
                *tree = TreeState { manifest: None, content: None, bytes: 0, secret: true, ..*tree };
            }
        }
        if effect.changes().iter().any(|(resource, _)| session.sensitive.holds(resource)) {
            *effect = session.sensitive.masked_effect(effect);
            step.difference.clear();
        }
    }
}

/// Counts of those of the imagined steps that are to be counted.
fn totals(graph: &Graph, imaginer: &Imaginer<'_, '_>, counts: impl Fn(&PlannedStep) -> bool) -> Totals {
    let (mut totals, mut below) = (Totals::default(), false);
    for (ix, planned) in imaginer.steps() {
        below |= is_floor(graph, ix, planned);
        if !counts(planned) {
            continue;
        }
        *totals.steps.entry(planned.decision.word().to_owned()).or_default() += 1;
        *(if below { &mut totals.after_floor } else { &mut totals.before_floor }) += effects(planned);
    }
    totals
}

/// Whether no undo goes below this step.
fn is_floor(graph: &Graph, ix: Ix, planned: &PlannedStep) -> bool {
    acts(planned) && graph.step(ix).is_some_and(|step| step.about.point_of_no_return)
}

fn acts(planned: &PlannedStep) -> bool {
    !planned.effects.iter().all(|effect| matches!(effect, Effect::Wait { .. })) && planned.decision != Decision::Skip
}

/// How many effects change something, as far as can be known.
fn effects(planned: &PlannedStep) -> u32 {
    planned.effects.iter().filter(|effect| !effect.changes().is_empty() || matches!(effect, Effect::Run { .. })).count() as u32
}

/// For each decision, what each option that the plan does not assume would do otherwise.
fn other_options<'a>(
    graph: &'a Graph,
    session: &dyn Fn() -> Session<'a>,
    radius: &Radius,
    (programs, looked): (bool, &Arc<Looked>),
    main: &[PlannedStep],
) -> Vec<OtherOption> {
    let by_id: BTreeMap<&str, &PlannedStep> = main.iter().map(|step| (step.id.as_str(), step)).collect();
    let mut found = Vec::new();
    for planned in main {
        let decide = planned.effects.iter().find_map(|effect| match effect {
            Effect::Ask(ask) => match &ask.form {
                Form::Decide { options, expected, .. } => Some((options, expected)),
                _ => None,
            },
            _ => None,
        });
        let Some((options, expected)) = decide else { continue };
        for (option, _) in options.iter().filter(|(id, _)| id != expected) {
            let fresh = session();
            let chosen = BTreeMap::from([(planned.id.clone(), option.clone())]);
            let mut imaginer = Imaginer::new(&fresh, graph, programs, chosen, looked);
            imaginer.imagine_all(radius);
            imaginer.imagine_last(radius);
            let other = |step: &PlannedStep| step.decision != Decision::Skip && by_id.get(step.id.as_str()).is_none_or(|same| *same != step);
            let steps = imaginer.steps().map(|(_, step)| step).filter(|step| other(step)).cloned().collect();
            let totals = totals(graph, &imaginer, other);
            found.push(OtherOption { step: planned.id.clone(), option: option.clone(), steps, totals });
        }
    }
    found
}

/// The point of no return must be ordered with every step that sets anything.
fn unordered_with_floor(graph: &Graph, imaginer: &Imaginer<'_, '_>, floor: &StepId) -> Vec<String> {
    let Some(at) = graph.find(floor.as_str()) else { return Vec::new() };
    let mut ordered = vec![false; graph.nodes.len()];
    for forward in [true, false] {
        let mut stack = vec![at];
        while let Some(node) = stack.pop() {
            ordered[node as usize] = true;
            let next: Vec<Ix> = if forward { graph.after(node).map(|e| e.0).collect() } else { graph.before(node).map(|e| e.0).collect() };
            stack.extend(next.into_iter().filter(|ix| !ordered[*ix as usize] || *ix == at && *ix != node));
        }
    }
    let sets = |planned: &PlannedStep| planned.effects.iter().any(|e| !matches!(e, Effect::Wait { .. }));
    imaginer
        .steps()
        .filter(|(ix, planned)| !ordered[*ix as usize] && !graph.ends_run(*ix) && sets(planned))
        .map(|(_, planned)| format!("`{}` has no order with the point of no return `{floor}`", planned.id))
        .collect()
}

/// What the authors of the steps estimate is longer than the deadline.
fn too_long(graph: &Graph, imaginer: &Imaginer<'_, '_>, deadline: Span) -> Option<String> {
    let taken = imaginer.steps().filter(|(_, planned)| planned.decision != Decision::Skip);
    let usual = taken.filter_map(|(ix, _)| Some(graph.step(ix)?.about.takes?.0)).fold(Duration::ZERO, Duration::saturating_add);
    let usual = Span::from_millis(usual.as_millis().try_into().unwrap_or(u64::MAX));
    (usual > deadline).then(|| format!("one after the other the steps usually take {usual}, and the deadline is {deadline}"))
}

/// From where to where users are cut off, added up in the order of the plan.
fn outage(graph: &Graph, imaginer: &Imaginer<'_, '_>) -> Option<model::plan::Outage> {
    let (mut usual, mut most, mut cut_off, mut any) = (0.0, 0.0, false, false);
    for (ix, planned) in imaginer.steps() {
        let Some(step) = graph.step(ix) else { continue };
        if planned.decision == Decision::Skip {
            continue;
        }
        if step.about.outage == Some(Outage::Begins) {
            (cut_off, any) = (true, true);
        }
        if let (true, Some((as_usual, at_most))) = (cut_off, step.about.takes) {
            usual += as_usual.as_secs_f64();
            most += at_most.as_secs_f64();
        }
        if step.about.outage == Some(Outage::Ends) {
            cut_off = false;
        }
    }
    any.then_some(model::plan::Outage { usual, most })
}
