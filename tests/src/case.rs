//! Random runbooks over random trees, from a seed.

mod lane;

use crate::dice::Dice;
use lane::Lane;
use model::program::End;
use model::state::{RunState, ServiceState, StartType};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use world::memory::Memory;

/// Files by path, with their text.
pub(crate) type Files = BTreeMap<String, String>;

/// What a point of no return leaves, so that it is seen when it was passed.
pub const MARK: &str = "/d/mark";

/// A runbook and the machine that it is for.
pub struct Case {
    /// The runbook.
    pub runbook: String,
    /// The files, as path, text, mode and owner.
    files: Vec<(String, String, u32, String)>,
    dirs: Vec<String>,
    services: BTreeMap<String, ServiceState>,
    /// How many lanes there are.
    pub lanes: u64,
    /// What is in the files afterwards if nothing fails: each lane by itself, one step after the other.
    pub finished: Files,
    /// The files that each lane leaves, until a later one that waits for it goes on with them.
    left: Vec<Option<Files>>,
}

impl Case {
    /// Lanes, each with steps on files of its own, or on those of an earlier one that it waits for; one case in sixteen is big, and
    /// in three of ten there is a point of no return between earlier and later lanes.
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let mut case = Self {
            runbook: String::new(),
            files: Vec::new(),
            dirs: vec!["/d".to_owned()],
            services: BTreeMap::new(),
            lanes: 0,
            finished: BTreeMap::new(),
            left: Vec::new(),
        };
        let mut steps = String::new();
        case.lanes = if dice.below(16) == 0 { 4 + dice.below(16) } else { 1 + dice.below(3) };
        let mark = dice.is(3).then(|| dice.below(case.lanes + 1));
        for lane in 0..case.lanes {
            if mark == Some(lane) {
                case.mark(lane, &mut dice, &mut steps);
            }
            let (waits_for, there) = case.earlier(lane, &mut dice);
            let mut needs: Vec<String> = waits_for.iter().map(|other| format!("lane{other}")).collect();
            needs.extend(mark.filter(|mark| *mark <= lane).map(|_| "mark".to_owned()));
            let there = Lane::write(&mut case, lane, &needs, there, &mut dice, &mut steps);
            case.left.push(Some(there));
        }
        if mark == Some(case.lanes) {
            case.mark(case.lanes, &mut dice, &mut steps);
        }
        for files in case.left.drain(..).flatten() {
            case.finished.extend(files);
        }
        let touches = "touches: ['file:/d/**', 'service:s*']";
        let last = if dice.is(3) { "finally:\n  - { id: last, action: command.run, with: { argv: [/bin/true], changes: [] } }\n" } else { "" };
        case.runbook = format!("format: 1\nrunbook: dice\nversion: 1.0.0\ntitle: Dice\n{touches}\nsteps:\n{steps}{last}");
        case
    }

    /// The machine, as it is before.
    pub fn machine(&self) -> Memory {
        let memory = crate::lab::machine(&[])
            .0
            .program("/bin/edit", |machine, program, _| {
                let path = program.argv[1].clone();
                let text = machine.read(&path).map(|bytes| bytes.to_vec()).unwrap_or_default();
                machine.write(&path, [text, format!(" {}", program.argv[2]).into_bytes()].concat());
                (End::Code(0), b"done\n".to_vec(), Vec::new())
            })
            // A daemon reads a file anew: what it has read is seen in its account.
            .program("/bin/settle", |machine, program, _| {
                let text = machine.read(&program.argv[2]).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                machine.services.insert(program.argv[1].clone(), daemon(text.as_deref().unwrap_or_default()));
                (End::Code(0), Vec::new(), Vec::new())
            });
        for dir in &self.dirs {
            memory.machine().dir(dir);
        }
        for (path, text, mode, owner) in &self.files {
            memory.machine().write(path, text.clone());
            memory.machine().change_meta(path, |meta| (meta.mode, meta.owner) = (Some(*mode), Some(owner.clone())));
        }
        memory.machine().services.extend(self.services.clone());
        memory
    }

    /// The earlier lanes that a lane waits for, and what one of them leaves to it.
    fn earlier(&mut self, lane: u64, dice: &mut Dice) -> (Vec<usize>, Option<Files>) {
        let waits_for: Vec<usize> = (0..lane as usize).filter(|_| dice.is(2)).collect();
        let heir = dice.is(7);
        let there = waits_for.iter().rev().filter(|_| heir).find_map(|other| self.left[*other].take());
        (waits_for, there)
    }

    /// A point of no return after all lanes so far.
    fn mark(&mut self, lanes: u64, dice: &mut Dice, steps: &mut String) {
        let needs: Vec<String> = (0..lanes).map(|lane| format!("lane{lane}")).collect();
        let (action, with) = match dice.below(2) {
            0 => ("file.write", format!("{{ path: {MARK}, text: passed }}")),
            _ => ("command.run", format!("{{ argv: [/bin/edit, {MARK}, passed], changes: ['file:{MARK}'] }}")),
        };
        let text = if action == "file.write" { "passed" } else { " passed" };
        self.finished.insert(MARK.to_owned(), text.to_owned());
        let _ =
            writeln!(steps, "  - id: mark\n    action: {action}\n    with: {with}\n    needs: [{}]\n    point_of_no_return: true", needs.join(", "));
    }

    fn service(&mut self, name: &str, run: RunState) {
        self.services.insert(name.to_owned(), ServiceState { run, start: StartType::Automatic, account: None });
    }
}

fn daemon(read: &str) -> ServiceState {
    ServiceState { run: RunState::Running, start: StartType::Automatic, account: Some(read.to_owned()) }
}
