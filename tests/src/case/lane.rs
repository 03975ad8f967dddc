//! One lane of a case: a group of steps, one after the other.

use super::{Case, Files, daemon};
use crate::dice::Dice;
use model::state::RunState;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A step: its action, what it is given, and what it leaves of the files.
struct Step {
    action: &'static str,
    with: String,
    more: String,
    afterwards: Files,
}

/// A lane that is being written.
pub(super) struct Lane<'c> {
    case: &'c mut Case,
    root: String,
    number: u64,
    /// The files and their text.
    there: Files,
    /// The files of this lane alone, as they were before.
    own: Files,
    /// By file: the steps that have changed it.
    changed: BTreeMap<String, Vec<String>>,
    /// By step that can be taken back by a `steps.undo`: what its files were before.
    undoable: BTreeMap<String, Vec<(String, Option<String>)>>,
    /// Files whose text a gate has seen, so that it has to be the same on the way back.
    gated: BTreeSet<String>,
    /// The daemon that the step before has made read its file.
    settled: Option<String>,
    dirs: u64,
}

impl<'c> Lane<'c> {
    /// Writes a lane that waits for others, perhaps over what one of them leaves. Gives the files that it leaves.
    pub(super) fn write(case: &'c mut Case, number: u64, needs: &[String], left: Option<Files>, dice: &mut Dice, steps: &mut String) -> Files {
        let root = format!("/d/lane{number}");
        case.dirs.push(root.clone());
        let mut own = Files::new();
        for file in 0..dice.below(5) {
            let path = format!("{root}/f{file}");
            let text = format!("text {}", dice.below(1000));
            case.files.push((path.clone(), text.clone(), [0o644, 0o600, 0o755][dice.below(3) as usize], dice.below(3).to_string()));
            own.insert(path, text);
        }
        let when = match dice.below(10) {
            0 | 1 => "\n    when: 'false'",
            2 | 3 => "\n    when: 1 + 1 == 2",
            _ => "",
        };
        let policy = if dice.is(2) { "\n    on_failure: undo_group" } else { "" };
        let _ = writeln!(steps, "  - id: lane{number}\n    needs: [{}]{when}{policy}\n    steps:", needs.join(", "));
        let there = own.iter().map(|(path, text)| (path.clone(), text.clone())).chain(left.into_iter().flatten()).collect();
        let (changed, undoable, gated) = Default::default();
        let mut lane = Self { case, root, number, there, own, changed, undoable, gated, settled: None, dirs: 0 };
        let before = lane.there.clone();
        for step in 0..1 + dice.below(10) {
            lane.step(step, dice, steps);
        }
        if when.contains("false") { before } else { lane.there }
    }

    fn any(&self, dice: &mut Dice) -> Option<String> {
        self.there.keys().nth(dice.below(self.there.len().max(1) as u64) as usize).cloned()
    }

    /// What is there afterwards, with a change.
    fn with(&self, change: impl FnOnce(&mut Files)) -> Files {
        let mut files = self.there.clone();
        change(&mut files);
        files
    }

    fn step(&mut self, number: u64, dice: &mut Dice, steps: &mut String) {
        let id = format!("s{number}");
        let kind = dice.below(18);
        let step = self.files(kind, number, dice).or_else(|| self.others(kind, number, dice)).unwrap_or_else(|| {
            self.dirs += 1;
            self.plain("dir.create", format!("{{ path: {}/dir{}, mode: '0750' }}", self.root, self.dirs))
        });
        let skipped = dice.is(1);
        let when = if skipped { "\n        when: 'false'" } else { "" };
        let policy = if dice.is(2) { "\n        on_failure: continue" } else { "" };
        let Step { action, with, more, afterwards } = step;
        let _ = writeln!(steps, "      - id: {id}\n        action: {action}\n        with: {with}{more}{when}{policy}");
        self.settled = (action == "command.run" && more.contains("settles")).then(|| format!("e{}x{number}", self.number));
        if !skipped {
            self.note(&id, action, afterwards);
        }
    }

    /// Remembers what a step has changed.
    fn note(&mut self, id: &str, action: &str, afterwards: Files) {
        let paths: BTreeSet<&String> = self.there.keys().chain(afterwards.keys()).collect();
        let differs = |path: &&&String| self.there.get(**path) != afterwards.get(**path);
        let changed: Vec<(String, Option<String>)> =
            paths.iter().filter(differs).map(|path| ((*path).clone(), self.there.get(*path).cloned())).collect();
        for (path, _) in &changed {
            self.changed.entry(path.clone()).or_default().push(id.to_owned());
            self.undoable.retain(|_, before| before.iter().all(|(other, _)| other != path));
            self.gated.remove(path);
        }
        if action.starts_with("file.") && !changed.is_empty() {
            self.undoable.insert(id.to_owned(), changed);
        }
        self.there = afterwards;
    }

    fn plain(&self, action: &'static str, with: String) -> Step {
        Step { action, with, more: String::new(), afterwards: self.there.clone() }
    }

    /// A step that changes files.
    fn files(&mut self, kind: u64, number: u64, dice: &mut Dice) -> Option<Step> {
        let fresh = format!("{}/n{number}", self.root);
        let target = if dice.is(6) { self.any(dice).unwrap_or_else(|| fresh.clone()) } else { fresh.clone() };
        let lane = self.number;
        let mut more = String::new();
        let (action, with, afterwards) = match (kind, self.any(dice)) {
            (0 | 1, _) => {
                let text = format!("new {}", dice.below(99));
                more += if dice.is(2) { "\n        retry: { attempts: 2, delay: 1s }" } else { "" };
                ("file.write", format!("{{ path: {target}, text: '{text}' }}"), self.with(|t| drop(t.insert(target, text))))
            }
            (2, _) => {
                let with = format!("{{ path: {target}, text: secretless, mode: '0640' }}");
                ("file.write", with, self.with(|t| drop(t.insert(target, "secretless".to_owned()))))
            }
            (3, Some(from)) => {
                let text = self.there[&from].clone();
                ("file.copy", format!("{{ from: {from}, to: {fresh} }}"), self.with(|t| drop(t.insert(fresh, text))))
            }
            (4, Some(from)) => {
                let with = format!("{{ from: {from}, to: {fresh} }}");
                ("file.move", with, self.with(|t| drop(t.remove(&from).and_then(|text| t.insert(fresh, text)))))
            }
            (5, Some(gone)) => ("file.remove", format!("{{ path: {gone} }}"), self.with(|t| drop(t.remove(&gone)))),
            (6, Some(edited)) => {
                let mark = format!("by{lane}x{number}");
                let with = format!("{{ argv: [/bin/edit, {edited}, {mark}], changes: ['file:{edited}'], repeatable: true }}");
                ("command.run", with, self.with(|t| t.entry(edited).or_default().push_str(&format!(" {mark}"))))
            }
            (7, _) => {
                more += "\n        foreach: { one: \"{{ ['a', 'b', 'c'] }}\" }\n        key: '{{ one }}'";
                more += if dice.is(3) { "\n        max_parallel: 2" } else { "" };
                let root = format!("{}/e{number}", self.root);
                let paths = ["a", "b", "c"].map(|item| (format!("{root}{item}"), format!("each {item}")));
                ("file.write", format!("{{ path: '{root}{{{{ one }}}}', text: 'each {{{{ one }}}}' }}"), self.with(|t| t.extend(paths)))
            }
            (8, _) => {
                let mut steps = self.undoable.iter().filter(|(_, before)| before.iter().all(|(path, _)| !self.gated.contains(path)));
                let (step, before) = steps.next_back()?;
                let undone = |t: &mut Files| {
                    for (path, text) in before {
                        match text {
                            Some(text) => drop(t.insert(path.clone(), text.clone())),
                            None => drop(t.remove(path)),
                        }
                    }
                };
                ("steps.undo", format!("{{ steps: [{step}] }}"), self.with(undone))
            }
            _ => return None,
        };
        Some(Step { action, with, more, afterwards })
    }

    /// A step that changes no file.
    fn others(&mut self, kind: u64, number: u64, dice: &mut Dice) -> Option<Step> {
        let gate = "\n        gate: true".to_owned();
        match (kind, self.any(dice)) {
            (9, _) => {
                let service = format!("s{}x{number}", self.number);
                self.case.service(&service, RunState::Running);
                Some(self.plain("service.ensure", format!("{{ name: {service}, state: stopped }}")))
            }
            (10 | 11, _) => {
                let service = format!("s{}x{number}", self.number);
                self.case.service(&service, [RunState::Running, RunState::Stopped, RunState::Failed][dice.below(3) as usize]);
                Some(self.plain("service.restart", format!("{{ name: {service} }}")))
            }
            (12, Some(path)) => {
                let check = format!("[{{ id: there, action: assert.file, with: {{ path: {path}, exists: true }} }}]");
                Some(self.plain("wait.until", format!("{{ checks: {check}, every: 1s, within: 1m }}")))
            }
            (13, _) => Some(self.plain("manual.confirm", "{ role: operator, question: 'Shall it go on?' }".to_owned())),
            // Directly after a settling step a gate is passed when that was done once more.
            (14 | 15, path) => match (self.settled.clone(), path) {
                (Some(daemon), _) => Some(Step { more: gate, ..self.plain("assert.service", format!("{{ name: {daemon}, state: running }}")) }),
                (None, Some(path)) => {
                    let with = format!("{{ path: {path}, contains: '{}' }}", self.there[&path]);
                    self.gated.insert(path);
                    Some(Step { more: gate, ..self.plain("assert.file", with) })
                }
                (None, None) => None,
            },
            (16, _) => self.settling(number, dice),
            _ => None,
        }
    }

    /// A daemon reads a file that steps of this lane have changed.
    fn settling(&mut self, number: u64, dice: &mut Dice) -> Option<Step> {
        let known: Vec<&String> = self.changed.keys().filter(|path| path.starts_with(&self.root)).collect();
        let path = (*known.get(dice.below(known.len().max(1) as u64) as usize)?).clone();
        let name = format!("e{}x{number}", self.number);
        let before = self.own.get(&path).cloned().unwrap_or_default();
        self.case.services.insert(name.clone(), daemon(&before));
        let more = format!("\n        settles: [{}]", self.changed[&path].join(", "));
        Some(Step { more, ..self.plain("command.run", format!("{{ argv: [/bin/settle, {name}, {path}], changes: [] }}")) })
    }
}
