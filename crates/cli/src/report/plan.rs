//! A plan as text: one line a step, what does not change folded, totals and what cannot be undone last.

use super::estimate::Estimate;
use super::layout::{Table, count, fill, words_of_four};
use crate::paper::{Ink, Mark, Paper};
use model::effect::Effect;
use model::plan::{Decision, Plan, PlannedStep};
use model::printable::Printable;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// How much of a plan is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Detail {
    /// One line a step.
    Lines,
    /// Effects, differences and reasons too.
    Effects,
}

/// What is said of a plan that does not stand in it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Beside<'a> {
    /// When and where it was made, in words.
    pub(crate) looked: Option<&'a str>,
    /// How long it takes.
    pub(crate) estimate: Option<&'a Estimate>,
    /// Whether it is for a practice site.
    pub(crate) practice: bool,
}

/// A title, as what it is for stands before everything.
pub(crate) fn title(paper: &Paper, title: &str, practice: bool) -> String {
    let title = paper.paint(Ink::Head, title);
    if practice { format!("{}  {title}", paper.paint(Ink::Open, "PRACTICE")) } else { title.into_owned() }
}

/// A plan for people.
pub(crate) fn text(plan: &Plan, paper: &Paper, detail: Detail, beside: Beside<'_>) -> String {
    let mut text = String::new();
    let head = format!("{} {} for client {} on {}.", plan.runbook.id, plan.runbook.version, plan.client, plan.host);
    let _ = writeln!(text, "{}  {} Nothing has been changed.", title(paper, "PLAN", beside.practice), Printable(&head));
    if let Some(looked) = beside.looked {
        let _ = writeln!(text, "Looked at {looked}");
    }
    text.push('\n');
    let lines = Lines::of(plan, paper, detail);
    lines.steps(&mut text, &plan.steps);
    for option in &plan.options {
        let _ = writeln!(text, "if {} is {}, instead:", Printable(option.step.as_str()), Printable(&option.option));
        lines.steps(&mut text, &option.steps);
        let (before, after) = (option.totals.before_floor as usize, option.totals.after_floor as usize);
        let _ = write!(text, "  {}", by_decision(&option.steps));
        let _ = match after {
            0 => writeln!(text, " {}.", count(before, "effect")),
            _ => writeln!(text, " {} before the point of no return, {after} from it on.", count(before, "effect")),
        };
    }
    text.push('\n');
    totals(&mut text, plan, paper, beside.estimate);
    text
}

/// What an undo would do, for people. Looks like a plan.
pub(crate) fn undo_text(plan: &Plan, run: &str, paper: &Paper, detail: Detail, practice: bool) -> String {
    let mut text = String::new();
    let head = format!("of run {run}, client {}, {}.", plan.client, plan.host);
    let _ = writeln!(text, "{}  {} Nothing has been changed.\n", title(paper, "UNDO PLAN", practice), Printable(&head));
    let lines = Lines::of(plan, paper, detail);
    lines.steps(&mut text, &plan.steps);
    let listed = |id: &str| plan.steps.iter().any(|step| step.id.as_str() == id);
    for one in plan.irreversible.iter().filter(|one| !listed(one.step.as_str())) {
        text.push_str(&lines.table.row(Mark::Never, one.step.as_str(), "cannot", &one.reason));
    }
    for kept in plan.kept.iter().filter(|kept| !listed(kept.as_str())) {
        text.push_str(&lines.table.row(Mark::Same, kept.as_str(), "stays", "kept by its runbook"));
    }
    let back = plan.steps.iter().filter(|step| matches!(step.decision, Decision::Change | Decision::Run | Decision::Ask)).count();
    let already = plan.steps.iter().filter(|step| step.decision == Decision::NoChange).count();
    let _ = write!(text, "\n{} to take back, {already} already as before", count(back, "step"));
    let _ = writeln!(text, ", {} cannot be undone.", plan.irreversible.len());
    identity(&mut text, plan, paper);
    plan.warnings.iter().for_each(|warning| {
        let _ = writeln!(text, "{} {}", paper.paint(Ink::Open, "warning:"), Printable(warning));
    });
    for refusal in &plan.refused {
        let mut refusal = refusal.lines();
        let _ = writeln!(text, "{} {}", paper.paint(Ink::Bad, "refused:"), Printable(refusal.next().unwrap_or_default()));
        refusal.for_each(|line| {
            let _ = writeln!(text, "      {}", Printable(line));
        });
    }
    text
}

struct Lines<'a> {
    plan: &'a Plan,
    table: Table,
    detail: Detail,
    irreversible: BTreeMap<&'a str, &'a str>,
}

/// Runs of at least this many steps in which nothing happens are one line.
const FOLD: usize = 4;

impl<'a> Lines<'a> {
    fn of(plan: &'a Plan, paper: &Paper, detail: Detail) -> Self {
        let irreversible = plan.irreversible.iter().map(|one| (one.step.as_str(), one.reason.as_str())).collect();
        Self { plan, table: Table::of(*paper, plan.steps.iter().map(name_of)), detail, irreversible }
    }

    fn steps(&self, text: &mut String, steps: &[PlannedStep]) {
        let mut group = "";
        let mut at = 0;
        while let Some(step) = steps.get(at) {
            let (own, name) = (group_of(step), name_of(step));
            if own != group {
                let _ = writeln!(text, "{}", self.table.paper.paint(Ink::Head, &Printable(own).to_string()));
                group = own;
            }
            let quiet = steps[at..].iter().take_while(|s| self.is_quiet(s) && group_of(s) == own && s.decision == step.decision).count();
            if quiet >= FOLD && self.detail == Detail::Lines {
                let last = name_of(&steps[at + quiet - 1]);
                let word = step.decision.word();
                text.push_str(&self.table.row(mark(step.decision), &count(quiet, "step"), word, &format!("{name} to {last}; -v shows them")));
                at += quiet;
            } else {
                self.step(text, step, name);
                at += 1;
            }
        }
    }

    /// Nothing happens, and nobody needs to know why.
    fn is_quiet(&self, step: &PlannedStep) -> bool {
        matches!(step.decision, Decision::NoChange | Decision::Holds | Decision::Skip) && !self.irreversible.contains_key(step.id.as_str())
    }

    fn step(&self, text: &mut String, step: &PlannedStep, name: &str) {
        let id = step.id.as_str();
        let never = self.irreversible.get(id);
        let mark = if never.is_some() { Mark::Never } else { mark(step.decision) };
        let mut said = match never {
            Some(reason) => format!("CANNOT BE UNDONE: {reason}"),
            None => match (step.effects.as_slice(), &step.reason) {
                ([], Some(reason)) => reason.clone(),
                ([], None) => String::new(),
                ([one], _) => short(one),
                ([first, rest @ ..], _) => format!("{}; and {} more", short(first), rest.len()),
            },
        };
        if let (Some(until), false) = (&step.unknown_until, said.contains("unknown until")) {
            let _ = write!(said, "{}unknown until {until}", if said.is_empty() { "" } else { "; " });
        }
        if self.plan.kept.contains(&step.id) {
            said.push_str("; kept by an undo");
        }
        text.push_str(&self.table.row(mark, name, step.decision.word(), &said));
        if self.plan.point_of_no_return.as_ref() == Some(&step.id) {
            let line = "------ point of no return: an undo goes back no further than here ------";
            let _ = writeln!(text, "{}", self.table.paper.paint(Ink::Bad, line));
        }
        if self.detail == Detail::Effects {
            self.more(text, step, never.is_some());
        }
    }

    fn more(&self, text: &mut String, step: &PlannedStep, never: bool) {
        self.under(text, "action", &step.action);
        for effect in &step.effects {
            if never || step.effects.len() > 1 || short(effect) != effect.to_string() {
                self.under(text, effect.word(), &effect.to_string());
            }
        }
        if let (Some(reason), false) = (&step.reason, step.effects.is_empty()) {
            self.under(text, "because", reason);
        }
        for line in &step.difference {
            let ink = match line.chars().next() {
                Some('+') => Ink::Good,
                Some('-') => Ink::Bad,
                _ => Ink::Plain,
            };
            let _ = writeln!(text, "      | {}", self.table.paper.paint(ink, &Printable(line).to_string()));
        }
    }

    fn under(&self, text: &mut String, word: &str, said: &str) {
        let said = fill(&Printable(said).to_string(), self.table.paper.width, 7 + word.len(), 8);
        let _ = writeln!(text, "      {word} {said}");
    }
}

fn name_of(step: &PlannedStep) -> &str {
    step.id.as_str().rsplit_once('/').map_or(step.id.as_str(), |(_, name)| name)
}

fn group_of(step: &PlannedStep) -> &str {
    step.id.as_str().rsplit_once('/').map_or("", |(group, _)| group)
}

/// An effect in a line of a plan: a program without the `run` that stands before it already.
fn short(effect: &Effect) -> String {
    match effect {
        Effect::Run { program, .. } => program.argv.join(" "),
        Effect::Wait { what, within, .. } => format!("{what}, at most {}", super::layout::took(Duration::from_secs_f64(within.clamp(0.0, 1e9)))),
        other => other.to_string(),
    }
}

/// The sign of a decision.
pub(crate) fn mark(decision: Decision) -> Mark {
    match decision {
        Decision::Change | Decision::Run => Mark::Change,
        Decision::NoChange => Mark::Same,
        Decision::Ask => Mark::Person,
        Decision::Wait => Mark::Wait,
        Decision::Holds => Mark::Done,
        Decision::Fails => Mark::Failed,
        Decision::Later => Mark::ToDo,
        Decision::Unknown => Mark::Unknown,
        Decision::Skip | Decision::Blocked => Mark::Skipped,
    }
}

/// How many steps there are, and of which decisions.
fn by_decision(steps: &[PlannedStep]) -> String {
    const ORDER: [Decision; 11] = [
        Decision::Change,
        Decision::Run,
        Decision::Ask,
        Decision::Wait,
        Decision::NoChange,
        Decision::Holds,
        Decision::Fails,
        Decision::Later,
        Decision::Unknown,
        Decision::Skip,
        Decision::Blocked,
    ];
    let by_decision: Vec<String> = ORDER
        .iter()
        .map(|decision| (steps.iter().filter(|step| step.decision == *decision).count(), decision.word()))
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
    format!("{}{}{}.", count(steps.len(), "step"), if by_decision.is_empty() { "" } else { ": " }, by_decision.join(", "))
}

fn totals(text: &mut String, plan: &Plan, paper: &Paper, estimate: Option<&Estimate>) {
    let _ = writeln!(text, "{}", by_decision(&plan.steps));
    if let Some(estimate) = estimate {
        let _ = writeln!(text, "{}", estimate.whole());
    }
    if let Some(outage) = &plan.outage {
        let shown = |seconds: f64| super::layout::took(Duration::from_secs_f64(seconds.clamp(0.0, 1e9)));
        let _ = writeln!(text, "Users are cut off for {}, at most {}.", shown(outage.usual), shown(outage.most));
    }
    if let Some(deadline) = plan.deadline {
        let shown = super::layout::took(Duration::from_secs_f64(deadline.clamp(0.0, 1e10)));
        let _ = writeln!(text, "Deadline: no step starts later than {shown} after the run begins.");
    }
    rehearsed(text, plan, paper);
    identity(text, plan, paper);
    if let Some(floor) = &plan.point_of_no_return {
        let (before, after) = (plan.totals.before_floor as usize, plan.totals.after_floor as usize);
        let _ = writeln!(text, "Point of no return: {}; {} before it, {after} from it on.", Printable(floor.as_str()), count(before, "effect"));
    }
    if !plan.kept.is_empty() {
        let kept: Vec<&str> = plan.kept.iter().map(model::id::StepId::as_str).collect();
        let _ = writeln!(text, "Stays after an undo: {}.", Printable(&kept.join(", ")));
    }
    if !plan.irreversible.is_empty() {
        let place = |step| plan.steps.iter().position(|s| s.id == step).map_or(0, |n| n + 1);
        let list: Vec<String> = plan
            .irreversible
            .iter()
            .map(|i| {
                let floor = plan.point_of_no_return.as_ref() == Some(&i.step);
                format!("{} (step {}{})", i.step, place(i.step.clone()), if floor { ", point of no return" } else { "" })
            })
            .collect();
        let _ = writeln!(text, "{} {}.", paper.paint(Ink::Bad, "Cannot be undone:"), Printable(&list.join(", ")));
    }
    for warning in &plan.warnings {
        let _ = writeln!(text, "{} {}", paper.paint(Ink::Open, "warning:"), Printable(warning));
    }
    for refusal in &plan.refused {
        let _ = writeln!(text, "{} {}", paper.paint(Ink::Bad, "refused:"), Printable(refusal));
    }
}

fn rehearsed(text: &mut String, plan: &Plan, paper: &Paper) {
    let (effects, back) = (plan.rehearsal.effects as usize, plan.rehearsal.taken_back as usize);
    // What cannot be undone is not counted: it stands on a line of its own.
    let other = if plan.irreversible.is_empty() { "" } else { "other " };
    let change = if effects == 1 { "change" } else { "changes" };
    let which = match () {
        () if effects != back => format!("{back} of {effects} {other}{change}"),
        () if effects == 1 => format!("The one {other}change"),
        () => format!("All {effects} {other}changes"),
    };
    let until = if plan.point_of_no_return.is_some() { ", those before the point of no return only until it" } else { "" };
    let _ = match effects {
        0 if plan.steps.iter().all(|step| step.effects.is_empty()) => writeln!(text, "Nothing would be changed."),
        0 => writeln!(text, "Nothing that can be taken back would be changed."),
        _ => writeln!(text, "{which} can be taken back{until}: rehearsed from every point."),
    };
    for not in &plan.rehearsal.not {
        let _ = writeln!(text, "{} {}: {}", paper.paint(Ink::Bad, "Not taken back:"), Printable(not.step.as_str()), Printable(&not.reason));
    }
}

/// On what taking back depends.
fn identity(text: &mut String, plan: &Plan, paper: &Paper) {
    if let Some(needs) = &plan.needs_identity {
        let _ = writeln!(text, "{} {}.", paper.paint(Ink::Open, "Taking back"), Printable(&needs.to_string()));
    }
}

/// The line that says where a plan was saved.
pub(crate) fn saved(path: &str, digest: &str) -> String {
    format!("Saved {}  sha256 {}\n", Printable(path), words_of_four(digest, 4))
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
