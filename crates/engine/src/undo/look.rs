//! Looking at everything before anything is taken back.

use crate::listing;
use crate::questions::Asked;
use crate::run::images::Keeper;
use crate::run::whole::{present, whole_state};
use crate::session::Session;
use crate::stepper;
use crate::undo::agreed::Agreed;
use crate::undo::inside::{Inside, inside};
use crate::undo::list::{Back, BackStep, List};
use crate::view::Sight;
use model::effect::{Change, Effect};
use model::event::Image;
use model::path::within;
use model::plan::{Decision, NeedsIdentity, Plan, Planned, PlannedStep, Rehearsal, Totals};
use model::resource::{Resource, ResourceKind};
use model::state::{Content, FileState, State, TreeState};
use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;
use std::sync::Mutex;
use world::act::Source;
use world::error::WorldError;
use world::imagined::Imagined;
use world::look::Look;
use world::manifest::{self, Kind};

/// What looking at everything has shown.
pub(crate) struct Seen {
    /// For each step of the list what it would do.
    pub(crate) steps: Vec<PlannedStep>,
    /// Resources that are neither as the run left them nor as before it: before, left, now.
    pub(crate) conflicts: Vec<(Resource, State, State, State)>,
    /// Directories that stay, and why.
    pub(crate) stay: Vec<String>,
    /// What only an identity that is not at hand can take back.
    pub(crate) needs: Option<NeedsIdentity>,
}

/// Looks with the whole list at an imagined world.
pub(crate) fn look(session: &Session<'_>, keeper: &Keeper, list: &List, agreed: &Agreed) -> Result<Seen, WorldError> {
    let world = Imagined::new(session.engine.world);
    let mut seen = Seen { steps: Vec::new(), conflicts: Vec::new(), stay: Vec::new(), needs: None };
    let mut closed: BTreeSet<Resource> = BTreeSet::new();
    let mut touched: BTreeSet<Resource> = BTreeSet::new();
    let mut acts = false;
    for (at, step) in list.steps.iter().enumerate() {
        let mut planned = PlannedStep {
            id: step.id.clone(),
            action: step.node.and_then(|node| session.graph.step(node)).map_or("", |step| session.engine.kinds[step.kind].name).to_owned(),
            decision: Decision::NoChange,
            effects: Vec::new(),
            unknown_until: None,
            reason: None,
            difference: Vec::new(),
        };
        let mut conflicts = Vec::new();
        for back in &step.what {
            match back {
                Back::Set { change, image, .. } => {
                    let first = touched.insert(change.resource.clone());
                    let inside = inside(&world, list, change, agreed, acts)?;
                    let mut found = match now(session, &world, change)? {
                        // Of what is put back sealed nothing is known that could be compared: it is looked at when it is there.
                        State::Tree(TreeState { content: None, .. }) if matches!(change.before, State::Tree(_)) => change.before.clone(),
                        found => found,
                    };
                    match inside {
                        Inside::Nothing => {}
                        Inside::Stays(why) => {
                            seen.stay.push(format!("`{}`: {why}", step.id));
                            planned.reason = Some(why);
                            continue;
                        }
                        Inside::Foreign(_) if agreed.overwrite.contains(&change.resource) => {
                            found = whole_state(&session.sensitive, &world, &change.resource)?;
                        }
                        Inside::Foreign(now) => {
                            conflicts.push(conflict(change, "after the run", &now));
                            seen.conflicts.push((change.resource.clone(), change.after.clone(), change.before.clone(), found));
                            continue;
                        }
                    }
                    match judge(list, change, &found, first, agreed) {
                        Judged::Already | Judged::Leave => {}
                        Judged::Set => {
                            if let Some(image) = image.as_ref().filter(|_| matches!(change.after, State::File(_) | State::Tree(_)))
                                && !keeper.opens_image(session.engine.store, image, &change.after)?
                            {
                                closed.insert(change.resource.clone());
                            }
                            let change = Change { before: found.clone(), ..(**change).clone() };
                            match image.as_ref().filter(|_| comes_to(&list.steps[at..], &change)) {
                                Some(image) => imagine_tree(session, &world, &change, image)?,
                                None => world.imagine(&change, &Source::Nothing),
                            }
                            planned.decision = Decision::Change;
                            planned.effects.push(Effect::Set(change));
                        }
                        Judged::Conflict => {
                            conflicts.push(conflict(change, "after the run", &found.to_string()));
                            seen.conflicts.push((change.resource.clone(), change.after.clone(), change.before.clone(), found));
                        }
                    }
                }
                Back::Act { .. } => {
                    acts = true;
                    planned.decision = Decision::Run;
                    planned.reason = Some("by the action that the step declares".into());
                }
                Back::Settle => {
                    planned.decision = Decision::Run;
                    planned.reason = Some("once more, so that what is put back becomes effective".into());
                }
                Back::Gate => planned.decision = Decision::Later,
            }
        }
        // Whatever else the step would do: a conflict refuses all.
        if !conflicts.is_empty() {
            planned.decision = Decision::Fails;
            planned.reason = Some(conflicts.join("; "));
        }
        seen.steps.push(planned);
    }
    seen.needs = NeedsIdentity::of(closed, &keeper.recipients());
    Ok(seen)
}

/// Whether more of an undo comes to what is in a directory that is put back.
fn comes_to(steps: &[BackStep], change: &Change) -> bool {
    let inside = |resource: &Resource| resource.kind == ResourceKind::File && within(&resource.name, &change.resource.name);
    let sets = steps.iter().flat_map(|step| &step.what).filter(|back| matches!(back, Back::Set { change, .. } if inside(&change.resource)));
    // It is one of them itself.
    matches!(change.after, State::Tree(_)) && sets.count() > 1
}

/// Imagines a directory that is put back with all that its list names.
fn imagine_tree(session: &Session<'_>, world: &Imagined, change: &Change, image: &Image) -> Result<(), WorldError> {
    for line in manifest::read(BufReader::new(session.engine.store.open(&image.blob)?)) {
        let line = line?;
        let resource = listing::inside(&change.resource, &line.path);
        let before = if line.path.is_empty() { change.before.clone() } else { State::Absent };
        let after = match (line.is, line.file(), &line.hmac) {
            (Kind::Dir, ..) => State::Dir(line.meta()),
            (Kind::File, Some(file), _) => State::File(file),
            (Kind::File, None, Some(hmac)) => State::File(FileState { content: Content::Keyed { hmac: hmac.clone() }, meta: line.meta() }),
            _ => State::Foreign { what: format!("link to {}", line.to.as_deref().unwrap_or_default()) },
        };
        world.imagine(&Change { resource, before, after }, &Source::Nothing);
    }
    Ok(())
}

/// The questions of the actions by which steps are taken back. One whose parameters cannot be worked out is not known.
pub(crate) fn asked(session: &Session<'_>, list: &List) -> Vec<Asked> {
    let mut asked = Vec::new();
    for step in &list.steps {
        let Some((node, definition)) = step.node.and_then(|node| Some((node, session.graph.step(node)?))) else { continue };
        for back in &step.what {
            let Back::Act { kind, with } = back else { continue };
            let sight = Sight { session, look: session.engine.world, node, planning: None, seen: Mutex::default(), revealed: Mutex::default() };
            let proposal =
                stepper::parameters(&sight, *with, definition.about.document).and_then(|with| (session.engine.kinds[*kind].propose)(&with, &sight));
            for effect in proposal.into_iter().flat_map(|proposal| proposal.effects) {
                if let Effect::Ask(ask) = effect.effect {
                    asked.push((step.id.clone(), ask, definition.about.evidence.clone()));
                }
            }
        }
    }
    asked
}

/// What is to be done about one resource.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Judged {
    /// It is as it was before the run.
    Already,
    /// It is as the run left it.
    Set,
    /// A person said to leave it.
    Leave,
    /// It is neither.
    Conflict,
}

/// Compares what is found with what the run left. `first`: nothing of this undo has touched the resource yet.
pub(crate) fn judge(list: &List, change: &Change, found: &State, first: bool, agreed: &Agreed) -> Judged {
    if agreed.leave.contains(&change.resource) {
        return Judged::Leave;
    }
    let left = list.left.get(&change.resource);
    let as_left = found.fits(&change.before) || (first && left.is_some_and(|left| found.same(left)));
    if found.same(&change.after) && !(as_left && times_differ(found, &change.after)) {
        Judged::Already
    } else if as_left || agreed.overwrite.contains(&change.resource) || world::planted::bug(20) {
        Judged::Set
    } else {
        Judged::Conflict
    }
}

/// A conflict with its three states.
pub(crate) fn conflict(change: &Change, when: &str, now: &str) -> String {
    format!("conflict: {} was changed {when}; before {}, the run left {}, now {now}", change.resource, change.after, change.before)
}

/// A file that the run wrote with the same bytes has another time: that is put back too.
fn times_differ(a: &State, b: &State) -> bool {
    matches!((a, b), (State::File(a), State::File(b)) if a.meta.modified != b.meta.modified)
}

/// What a resource is now, in the terms of the change: a whole tree where that is what was changed, keyed where it is secret.
pub(crate) fn now(session: &Session<'_>, look: &dyn Look, change: &Change) -> Result<State, WorldError> {
    if change.is_keyed() {
        session.sensitive.add(&change.resource);
    }
    if world::planted::bug(21) {
        return Ok(change.before.clone());
    }
    let state = present(&session.sensitive, look, change)?;
    Ok(session.sensitive.masked(&change.resource, &state))
}

/// The plan of an undo, as people and files see it.
pub(crate) fn announce(session: &Session<'_>, list: &List, seen: &Seen, runbook: Planned, client: String) -> Plan {
    let mut steps = BTreeMap::new();
    for step in &seen.steps {
        *steps.entry(step.decision.word().to_owned()).or_default() += 1;
    }
    let effects = seen.steps.iter().map(|step| step.effects.len() as u32).sum();
    Plan {
        format: 1,
        run: session.run.clone(),
        runbook,
        client,
        host: session.engine.host.to_owned(),
        steps: seen.steps.clone(),
        point_of_no_return: None,
        irreversible: list.irreversible.clone(),
        kept: list.kept.clone(),
        totals: Totals { steps, before_floor: effects, after_floor: 0 },
        rehearsal: Rehearsal { effects, taken_back: effects, not: Vec::new() },
        needs_identity: seen.needs.clone(),
        outage: None,
        deadline: None,
        options: Vec::new(),
        refused: seen
            .steps
            .iter()
            .filter(|s| s.decision == Decision::Fails)
            .filter_map(|s| s.reason.clone().map(|r| format!("`{}`: {r}", s.id)))
            .collect(),
        warnings: seen.stay.clone(),
        files: BTreeMap::new(),
        client_path: None,
        set: BTreeMap::new(),
        digest: String::new(),
    }
}
