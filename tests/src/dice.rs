//! Random runbooks over random trees, from a seed.

use std::collections::BTreeSet;
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

/// What a step leaves of the files of its lane.
type Afterwards = Box<dyn FnOnce(&mut BTreeSet<String>)>;

/// A runbook and the machine that it is for.
pub struct Case {
    /// The runbook.
    pub runbook: String,
    /// The files, as path, text, mode and owner.
    files: Vec<(String, String, u32, String)>,
    dirs: Vec<String>,
}

impl Case {
    /// Lanes that do not wait for each other, each with steps on files of its own.
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let mut case = Self { runbook: String::new(), files: Vec::new(), dirs: vec!["/d".to_owned()] };
        let mut steps = String::new();
        for lane in 0..1 + dice.below(3) {
            case.lane(lane, &mut dice, &mut steps);
        }
        case.runbook = format!("format: 1\nrunbook: dice\nversion: 1.0.0\ntitle: Dice\ntouches: ['file:/d/**']\nsteps:\n{steps}");
        case
    }

    /// The machine, as it is before.
    pub fn machine(&self) -> Memory {
        let memory = crate::lab::machine(&[]).0.program("/bin/edit", |machine, program, _| {
            let path = program.argv[1].clone();
            let text = machine.read(&path).map(|bytes| bytes.to_vec()).unwrap_or_default();
            machine.write(&path, [text, b" edited".to_vec()].concat());
            (model::program::End::Code(0), b"done\n".to_vec(), Vec::new())
        });
        for dir in &self.dirs {
            memory.machine().dir(dir);
        }
        for (path, text, mode, owner) in &self.files {
            memory.machine().write(path, text.clone());
            memory.machine().change_meta(path, |meta| (meta.mode, meta.owner) = (Some(*mode), Some(owner.clone())));
        }
        memory
    }

    fn lane(&mut self, lane: u64, dice: &mut Dice, steps: &mut String) {
        let root = format!("/d/lane{lane}");
        self.dirs.push(root.clone());
        let mut there: BTreeSet<String> = BTreeSet::new();
        for file in 0..dice.below(5) {
            let path = format!("{root}/f{file}");
            self.files.push((
                path.clone(),
                format!("text {}", dice.below(1000)),
                [0o644, 0o600, 0o755][dice.below(3) as usize],
                dice.below(3).to_string(),
            ));
            there.insert(path);
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
        for step in 0..1 + dice.below(6) {
            let any = |dice: &mut Dice, there: &BTreeSet<String>| there.iter().nth(dice.below(there.len().max(1) as u64) as usize).cloned();
            let fresh = format!("{root}/n{step}");
            let target = if dice.is(6) { any(dice, &there).unwrap_or_else(|| fresh.clone()) } else { fresh.clone() };
            let (action, with, effect): (&str, String, Afterwards) = match (dice.below(8), any(dice, &there)) {
                (0 | 1, _) => (
                    "file.write",
                    format!("{{ path: {target}, text: 'new {}' }}", dice.below(99)),
                    Box::new(move |t| {
                        t.insert(target);
                    }),
                ),
                (2, _) => (
                    "file.write",
                    format!("{{ path: {target}, text: secretless, mode: '0640' }}"),
                    Box::new(move |t| {
                        t.insert(target);
                    }),
                ),
                (3, Some(from)) => (
                    "file.copy",
                    format!("{{ from: {from}, to: {fresh} }}"),
                    Box::new(move |t| {
                        t.insert(fresh);
                    }),
                ),
                (4, Some(from)) => (
                    "file.move",
                    format!("{{ from: {from}, to: {fresh} }}"),
                    Box::new(move |t| {
                        t.remove(&from);
                        t.insert(fresh);
                    }),
                ),
                (5, Some(gone)) => (
                    "file.remove",
                    format!("{{ path: {gone} }}"),
                    Box::new(move |t| {
                        t.remove(&gone);
                    }),
                ),
                (6, Some(edited)) => {
                    ("command.run", format!("{{ argv: [/bin/edit, {edited}], changes: ['file:{edited}'], repeatable: true }}"), Box::new(|_| {}))
                }
                _ => {
                    dirs += 1;
                    ("dir.create", format!("{{ path: {root}/dir{dirs}, mode: '0750' }}"), Box::new(|_| {}))
                }
            };
            let skipped = dice.is(1);
            let when = if skipped { "\n        when: 'false'" } else { "" };
            let policy = if dice.is(2) { "\n        on_failure: continue" } else { "" };
            let _ = writeln!(steps, "      - id: s{step}\n        action: {action}\n        with: {with}{when}{policy}");
            if !skipped && taken {
                effect(&mut there);
            }
        }
    }
}
