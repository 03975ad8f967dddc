//! What to do when something fails, somebody wants to stop, or it is late.

use super::{Coordinator, Verdict};
use crate::graph::{Gx, Ix, OnFailure};
use crate::people::{Choice, ChoiceOption, NoAnswer};
use crate::run::Ending;
use crate::run::deadline;
use crate::run::hands::Trouble;
use crate::run::scribe::Dead;
use crate::undo;
use model::event::{Event, RunOutcome, Scope};
use model::id::StepId;

impl Coordinator<'_, '_, '_> {
    /// Nothing runs any more, and something has to be decided.
    pub(super) fn decide(&mut self) -> Result<Verdict, Dead> {
        if self.scribe.is_full() && self.failures.is_empty() {
            let why = vec!["the disk is full; what was done can be taken back".to_owned()];
            return Ok(Verdict::End(Ending { outcome: RunOutcome::Failed, exit: 1, why }));
        }
        if let Some(group) = self.groups.pop() {
            return self.take_back_group(group);
        }
        let late = std::mem::take(&mut self.late);
        let Some((node, wrong)) = self.failures.pop() else {
            return if late && !self.engine().stop.wished() { self.decide_late() } else { self.decide_stop() };
        };
        let id = self.graph.nodes[node as usize].id.clone();
        let text = match &wrong {
            Trouble::Stopped => return self.decide_stop(),
            Trouble::Missing(what) => {
                self.scribe.say(Event::Cancelled { by: "retrace".into() })?;
                return Ok(Verdict::End(Ending { outcome: RunOutcome::Stopped, exit: 7, why: what.clone() }));
            }
            Trouble::Moved { expected, found } => format!("`{id}`: the world has moved\nexpected {expected}\nfound    {found}"),
            Trouble::Failed(text) | Trouble::Unfit(text) => format!("`{id}`: {text}"),
            Trouble::Dead(dead) => return Err(dead.clone()),
        };
        let policy = self.graph.step(node).map_or(OnFailure::Stop, |step| step.about.on_failure);
        if self.refused && matches!(wrong, Trouble::Unfit(_) | Trouble::Moved { .. }) {
            return Ok(Verdict::End(Ending { outcome: RunOutcome::Failed, exit: 4, why: vec![text] }));
        }
        if policy == OnFailure::Undo && !matches!(wrong, Trouble::Moved { .. }) {
            self.decided("retrace", "undo", &id)?;
            return Ok(Verdict::Undo(vec![text]));
        }
        let changes = self.scribe.fold(|fold| fold.effects.len()).unwrap_or(0);
        let mut options = vec![ChoiceOption { key: "retry", text: "look again and do what is missing".into() }];
        if changes > 0 {
            options.push(ChoiceOption { key: "undo", text: format!("take back what was done ({changes} effects), newest first") });
        }
        options.push(ChoiceOption { key: "stop", text: format!("leave all as it is; later: retrace resume {}", self.order.session.run) });
        let choice = Choice { about: id.to_string(), text: text.lines().map(str::to_owned).collect(), options };
        let stopped = Ending { outcome: RunOutcome::Failed, exit: 1, why: vec![text.clone()] };
        match self.engine().people.choose(&choice) {
            Ok(key) => {
                self.decided(self.engine().operator, &key, &id)?;
                match key.as_str() {
                    "retry" => {
                        self.progress.put_back(node);
                        Ok(Verdict::GoOn)
                    }
                    "undo" => Ok(Verdict::Undo(vec![text])),
                    _ => Ok(Verdict::End(stopped)),
                }
            }
            Err(_) => Ok(Verdict::End(stopped)),
        }
    }

    /// Somebody wants to stop.
    pub(super) fn decide_stop(&mut self) -> Result<Verdict, Dead> {
        let (operator, run) = (self.engine().operator, &self.order.session.run);
        self.scribe.say(Event::Cancelled { by: operator.to_owned() })?;
        let stopped = Ending { outcome: RunOutcome::Stopped, exit: 6, why: vec![format!("stopped by {operator}")] };
        let options = vec![
            ChoiceOption { key: "stop", text: format!("leave all as it is; later: retrace resume {run}") },
            ChoiceOption { key: "undo", text: "take back what was done, newest first".into() },
            ChoiceOption { key: "go_on", text: "go on as if nothing had been pressed".into() },
        ];
        let choice = Choice { about: "the run".into(), text: vec!["What is in hand is finished; nothing runs.".into()], options };
        let chosen = self.engine().people.choose(&choice);
        match chosen.as_deref() {
            Ok("go_on") => {
                self.decided(operator, "go_on", &StepId::new("run"))?;
                self.engine().stop.forget();
                // What was stopped in its middle starts again.
                let unfinished: Vec<Ix> = std::mem::take(&mut self.failures).into_iter().map(|(node, _)| node).collect();
                unfinished.into_iter().for_each(|node| self.progress.put_back(node));
                Ok(Verdict::GoOn)
            }
            Ok("undo") => {
                self.engine().stop.forget();
                self.decided(operator, "undo", &StepId::new("run"))?;
                Ok(Verdict::Undo(vec![format!("stopped by {operator}")]))
            }
            Ok(_) | Err(NoAnswer::Missing(_) | NoAnswer::Otherwise(_) | NoAnswer::Stopped) => Ok(Verdict::End(stopped)),
        }
    }

    /// The deadline has passed, and something is left to do.
    pub(super) fn decide_late(&mut self) -> Result<Verdict, Dead> {
        let Some(deadline) = self.worker.deadline else { return Ok(Verdict::GoOn) };
        let about = StepId::new(deadline::ABOUT);
        self.scribe.say(Event::Cancelled { by: deadline.to_string() })?;
        let why = vec![format!("{deadline} has passed: nothing more is started")];
        if self.graph.documents[0].document.form.on_failure.is_some_and(|policy| policy.value == model::step::OnFailure::Undo) {
            self.decided("retrace", "undo", &about)?;
            return Ok(Verdict::Undo(why));
        }
        let run = &self.order.session.run;
        let options = vec![
            ChoiceOption { key: "stop", text: format!("leave all as it is; later: retrace resume {run}") },
            ChoiceOption { key: "undo", text: "take back what was done, newest first".into() },
            ChoiceOption { key: "go_on", text: "go on without a deadline".into() },
        ];
        let chosen = self.engine().people.choose(&Choice { about: about.to_string(), text: why.clone(), options });
        match chosen.as_deref() {
            Ok(key @ ("go_on" | "undo")) => {
                self.decided(self.engine().operator, key, &about)?;
                if key == "undo" {
                    return Ok(Verdict::Undo(why));
                }
                deadline.lift();
                Ok(Verdict::GoOn)
            }
            Ok(_) | Err(_) => Ok(Verdict::End(Ending { outcome: RunOutcome::Failed, exit: 1, why })),
        }
    }

    pub(super) fn decided(&self, by: &str, what: &str, about: &StepId) -> Result<(), Dead> {
        self.scribe.commit(vec![Event::Decided { by: by.to_owned(), what: what.to_owned(), about: about.to_string() }])
    }

    pub(super) fn take_back_group(&mut self, group: Gx) -> Result<Verdict, Dead> {
        let id = self.graph.groups[group as usize].id.clone();
        self.decided("retrace", "undo_group", &id)?;
        let ending = undo::automatic(self.order, self.scribe, Scope::Group(id.clone()))?;
        if ending.exit != 0 {
            let why = ending.why.into_iter().chain([format!("`{id}` could not be taken back whole")]).collect();
            return Ok(Verdict::End(Ending { outcome: RunOutcome::Failed, exit: 1, why }));
        }
        self.progress.give_up(group);
        Ok(Verdict::GoOn)
    }

    pub(super) fn take_back(&mut self, mut why: Vec<String>) -> Result<Ending, Dead> {
        let ending = undo::automatic(self.order, self.scribe, Scope::All)?;
        why.extend(ending.why);
        Ok(match ending.exit {
            0 => Ending { outcome: RunOutcome::Undone, exit: 5, why },
            _ => Ending { outcome: RunOutcome::Failed, exit: 1, why },
        })
    }
}
