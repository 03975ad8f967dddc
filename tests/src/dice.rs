//! Random runbooks over random trees, from a seed.

use model::state::{RunState, ServiceState, StartType};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use world::memory::Memory;

/// A small generator of numbers.
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn is(&mut self, of_ten: u64) -> bool {
        self.below(10) < of_ten
    }
}

/// Files by path, with their text.
type Files = BTreeMap<String, String>;
/// What a step leaves of the files of its lane.
type Afterwards = Box<dyn FnOnce(&mut Files)>;

/// A runbook and the machine that it is for.
pub struct Case {
    /// The runbook.
    pub runbook: String,
    /// The files, as path, text, mode and owner.
    files: Vec<(String, String, u32, String)>,
    dirs: Vec<String>,
    services: Vec<String>,
    /// How many lanes there are.
    pub lanes: u64,
    /// What is in the files afterwards if nothing fails: each lane by itself, one step after the other.
    pub finished: BTreeMap<String, String>,
}

impl Case {
    /// Lanes that do not wait for each other, each with steps on files of its own; one case in sixteen is big.
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let mut case = Self {
            runbook: String::new(),
            files: Vec::new(),
            dirs: vec!["/d".to_owned()],
            services: Vec::new(),
            lanes: 0,
            finished: BTreeMap::new(),
        };
        let mut steps = String::new();
        case.lanes = if dice.below(16) == 0 { 4 + dice.below(16) } else { 1 + dice.below(3) };
        for lane in 0..case.lanes {
            case.lane(lane, &mut dice, &mut steps);
        }
        let touches = "touches: ['file:/d/**', 'service:s*']";
        let last = if dice.is(3) { "finally:\n  - { id: last, action: command.run, with: { argv: [/bin/true], changes: [] } }\n" } else { "" };
        case.runbook = format!("format: 1\nrunbook: dice\nversion: 1.0.0\ntitle: Dice\n{touches}\nsteps:\n{steps}{last}");
        case
    }

    /// The machine, as it is before.
    pub fn machine(&self) -> Memory {
        let memory = crate::lab::machine(&[]).0.program("/bin/edit", |machine, program, _| {
            let path = program.argv[1].clone();
            let text = machine.read(&path).map(|bytes| bytes.to_vec()).unwrap_or_default();
            machine.write(&path, [text, format!(" {}", program.argv[2]).into_bytes()].concat());
            (model::program::End::Code(0), b"done\n".to_vec(), Vec::new())
        });
        for dir in &self.dirs {
            memory.machine().dir(dir);
        }
        for (path, text, mode, owner) in &self.files {
            memory.machine().write(path, text.clone());
            memory.machine().change_meta(path, |meta| (meta.mode, meta.owner) = (Some(*mode), Some(owner.clone())));
        }
        for name in &self.services {
            let running = ServiceState { run: RunState::Running, start: StartType::Automatic, account: None };
            memory.machine().services.insert(name.clone(), running);
        }
        memory
    }

    fn lane(&mut self, lane: u64, dice: &mut Dice, steps: &mut String) {
        let root = format!("/d/lane{lane}");
        self.dirs.push(root.clone());
        let mut there = Files::new();
        for file in 0..dice.below(5) {
            let path = format!("{root}/f{file}");
            let text = format!("text {}", dice.below(1000));
            self.files.push((path.clone(), text.clone(), [0o644, 0o600, 0o755][dice.below(3) as usize], dice.below(3).to_string()));
            there.insert(path, text);
        }
        let when = if dice.is(2) {
            "\n    when: 'false'".to_owned()
        } else if dice.is(2) {
            "\n    when: 1 + 1 == 2".to_owned()
        } else {
            String::new()
        };
        let taken = !when.contains("false");
        let _ = writeln!(steps, "  - id: lane{lane}\n    needs: []{when}\n    steps:");
        let mut dirs = 0;
        for step in 0..1 + dice.below(10) {
            let any = |dice: &mut Dice, there: &Files| there.keys().nth(dice.below(there.len().max(1) as u64) as usize).cloned();
            let fresh = format!("{root}/n{step}");
            let target = if dice.is(6) { any(dice, &there).unwrap_or_else(|| fresh.clone()) } else { fresh.clone() };
            let mut more = String::new();
            let (action, with, effect): (&str, String, Afterwards) = match (dice.below(12), any(dice, &there)) {
                (0 | 1, _) => {
                    let text = format!("new {}", dice.below(99));
                    more += if dice.is(2) { "\n        retry: { attempts: 2, delay: 1s }" } else { "" };
                    ("file.write", format!("{{ path: {target}, text: '{text}' }}"), Box::new(move |t| drop(t.insert(target, text))))
                }
                (2, _) => {
                    let with = format!("{{ path: {target}, text: secretless, mode: '0640' }}");
                    ("file.write", with, Box::new(move |t| drop(t.insert(target, "secretless".to_owned()))))
                }
                (3, Some(from)) => {
                    let text = there[&from].clone();
                    ("file.copy", format!("{{ from: {from}, to: {fresh} }}"), Box::new(move |t| drop(t.insert(fresh, text))))
                }
                (4, Some(from)) => {
                    let with = format!("{{ from: {from}, to: {fresh} }}");
                    let moved = move |t: &mut Files| drop(t.remove(&from).and_then(|text| t.insert(fresh, text)));
                    ("file.move", with, Box::new(moved))
                }
                (5, Some(gone)) => ("file.remove", format!("{{ path: {gone} }}"), Box::new(move |t| drop(t.remove(&gone)))),
                (6, Some(edited)) => {
                    let with = format!("{{ argv: [/bin/edit, {edited}, by{lane}x{step}], changes: ['file:{edited}'], repeatable: true }}");
                    ("command.run", with, Box::new(move |t| t.entry(edited).or_default().push_str(&format!(" by{lane}x{step}"))))
                }
                (7, _) => {
                    let service = format!("s{lane}x{step}");
                    self.services.push(service.clone());
                    ("service.ensure", format!("{{ name: {service}, state: stopped }}"), Box::new(|_| {}))
                }
                (8, Some(path)) => {
                    let check = format!("[{{ id: there, action: assert.file, with: {{ path: {path}, exists: true }} }}]");
                    ("wait.until", format!("{{ checks: {check}, every: 1s, within: 1m }}"), Box::new(|_| {}))
                }
                (9, _) => ("manual.confirm", "{ role: operator, question: 'Shall it go on?' }".to_owned(), Box::new(|_| {})),
                (10, _) => {
                    more += "\n        foreach: { one: \"{{ ['a', 'b', 'c'] }}\" }\n        key: '{{ one }}'";
                    let paths = ["a", "b", "c"].map(|item| (format!("{root}/e{step}{item}"), format!("each {item}")));
                    let with = format!("{{ path: '{root}/e{step}{{{{ one }}}}', text: 'each {{{{ one }}}}' }}");
                    ("file.write", with, Box::new(move |t| t.extend(paths)))
                }
                _ => {
                    dirs += 1;
                    ("dir.create", format!("{{ path: {root}/dir{dirs}, mode: '0750' }}"), Box::new(|_| {}))
                }
            };
            let skipped = dice.is(1);
            let when = if skipped { "\n        when: 'false'" } else { "" };
            let policy = if dice.is(2) { "\n        on_failure: continue" } else { "" };
            let _ = writeln!(steps, "      - id: s{step}\n        action: {action}\n        with: {with}{more}{when}{policy}");
            if !skipped && taken {
                effect(&mut there);
            }
        }
        self.finished.append(&mut there);
    }
}
