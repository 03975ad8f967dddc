//! How long a run takes: as earlier runs did, else as its author thinks.

use engine::course::Course;
use model::id::StepId;
use model::plan::{Decision, Plan, PlannedStep};
use record::past::{ENOUGH, Past};
use std::collections::HashMap;
use std::time::Duration;

/// How long a run takes, and each of its steps. Waiting for people is not in it.
pub(crate) struct Estimate {
    course: Course,
    jobs: usize,
    places: HashMap<StepId, usize>,
    usual: HashMap<StepId, Duration>,
    /// How long each node took in each earlier run; or takes as usual, and at most.
    cases: Vec<Vec<Duration>>,
    source: Source,
    asks: bool,
}

/// Where it comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Source {
    Runs,
    Author,
    Nothing,
}

impl Estimate {
    /// For a plan. Steps that it does not have take no time.
    pub(crate) fn new(past: &Past, course: Course, plan: &Plan, jobs: usize) -> Self {
        let planned: HashMap<&StepId, &PlannedStep> = plan.steps.iter().map(|step| (&step.id, step)).collect();
        let works = |step: &&&PlannedStep| !matches!(step.decision, Decision::NoChange | Decision::Skip | Decision::Blocked);
        let through: Vec<_> = past.runs().iter().filter(|run| run.through).collect();
        let author = course.legs().iter().any(|leg| leg.takes.is_some() && planned.get(&leg.id).is_some_and(|step| step.decision != Decision::Ask));
        let source = match (through.len() >= ENOUGH, author) {
            (true, _) => Source::Runs,
            (false, true) => Source::Author,
            (false, false) => Source::Nothing,
        };
        let mut cases = vec![Vec::new(); if source == Source::Runs { through.len() } else { 2 }];
        for leg in course.legs() {
            let step = planned.get(&leg.id).filter(works);
            let (usual, most) = leg.takes.filter(|_| step.is_some_and(|step| step.decision != Decision::Ask)).unwrap_or_default();
            let fallback = past.median(&leg.id).map(|(median, _)| median);
            let seen = through.iter().any(|run| run.steps.contains_key(&leg.id));
            for (n, case) in cases.iter_mut().enumerate() {
                let took = through.get(n).and_then(|run| run.steps.get(&leg.id));
                case.push(match (step, source, took) {
                    (None, ..) => Duration::ZERO,
                    (Some(_), Source::Author | Source::Nothing, _) => [usual, most][n],
                    (Some(_), Source::Runs, Some(Some(took))) => *took,
                    // It was not taken then, and may not be taken now.
                    (Some(step), Source::Runs, Some(None)) if step.unknown_until.is_some() => Duration::ZERO,
                    (Some(_), Source::Runs, _) => fallback.unwrap_or(if seen { Duration::ZERO } else { usual }),
                });
            }
        }
        Self {
            places: course.legs().iter().enumerate().map(|(n, leg)| (leg.id.clone(), n)).collect(),
            usual: plan.steps.iter().filter_map(|step| Some((step.id.clone(), past.usual(&step.id)?))).collect(),
            asks: plan.steps.iter().any(|step| step.decision == Decision::Ask),
            course,
            jobs,
            cases,
            source,
        }
    }

    /// How long a step usually takes, as far as enough earlier runs tell.
    pub(crate) fn usual(&self, step: &StepId) -> Option<Duration> {
        self.usual.get(step).copied()
    }

    /// A step is over.
    pub(crate) fn over(&mut self, step: &StepId) {
        if let Some(place) = self.places.get(step) {
            self.cases.iter_mut().for_each(|case| case[*place] = Duration::ZERO);
        }
    }

    /// How long the whole takes, as a sentence.
    pub(crate) fn whole(&self) -> String {
        let apart = if self.asks { "; waiting for people comes on top" } else { "" };
        let range = || range(self.span(&[]));
        match self.source {
            Source::Runs => format!("Takes {} ({} runs){apart}.", range(), self.cases.len()),
            Source::Author => format!("Takes {} (as its author thinks){apart}.", range()),
            Source::Nothing => "No estimate yet of how long it takes.".to_owned(),
        }
    }

    /// How long the rest takes, where these steps run already for so long; none if nothing tells.
    pub(crate) fn left(&self, running: &[(&StepId, Duration)]) -> Option<String> {
        let span = self.span(running);
        (self.source != Source::Nothing && span.1 > Duration::ZERO).then(|| format!("{} left", range(span)))
    }

    fn span(&self, running: &[(&StepId, Duration)]) -> (Duration, Duration) {
        let length = |case: &Vec<Duration>| {
            let mut case = case.clone();
            for (step, spent) in running {
                if let Some(place) = self.places.get(*step) {
                    case[*place] = case[*place].saturating_sub(*spent);
                }
            }
            self.course.length(&case, self.jobs)
        };
        let lengths: Vec<Duration> = self.cases.iter().map(length).collect();
        (lengths.iter().min().copied().unwrap_or_default(), lengths.iter().max().copied().unwrap_or_default())
    }
}

/// `47-61 min`; seconds below two minutes.
fn range((low, high): (Duration, Duration)) -> String {
    let (unit, word) = if high < Duration::from_secs(120) { (1, "s") } else { (60, "min") };
    let (low, high) = (low.as_secs() / unit, high.as_millis().div_ceil(u128::from(unit) * 1000));
    if u128::from(low) == high { format!("{high} {word}") } else { format!("{low}-{high} {word}") }
}

#[cfg(test)]
#[path = "estimate_tests.rs"]
pub(crate) mod tests;
