//! Threads take turns in an order that a seed gives, and something happens to the run at a moment that a seed gives: what comes
//! of it is what a naive model says that does one step after the other, and one seed always gives the same journal.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use engine::command::Refusal;
use engine::run::Ending;
use model::event::RunOutcome;
use std::collections::BTreeMap;
use std::sync::Arc;
use tests::baton::Baton;
use tests::case::Case;
use tests::dice::Dice;
use tests::flaky::Flaky;
use tests::lab::Lab;
use tests::mortal::Mortal;
use tests::site::{Site, Tree};
use world::store::Store;

const SEEDS: u64 = 2000;

/// What happens to a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Blow {
    Nothing,
    /// This change fails, once.
    Fault(i64),
    /// The process dies after so many writes of the journal.
    Death(i64),
    /// Somebody presses Ctrl-C at this call of the world, and then decides.
    Cancel(u64, &'static str),
    /// Somebody else writes a file at this call of the world.
    Drift(u64),
}

impl Blow {
    fn of(dice: &mut Dice) -> Self {
        match dice.below(6) {
            0 => Self::Nothing,
            1 => Self::Fault(dice.below(12) as i64),
            2 | 3 => Self::Death(1 + dice.below(40) as i64),
            4 => Self::Cancel(dice.below(60), ["stop", "undo", "go_on"][dice.below(3) as usize]),
            _ => Self::Drift(dice.below(60)),
        }
    }
}

const FOREIGN: &[u8] = b"somebody else's";

/// One run and what comes after it, from a seed.
struct Story {
    seed: u64,
    case: Case,
    blow: Blow,
    lab: Lab,
    site: Site,
}

impl Story {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x5eed);
        let case = Case::new(seed);
        let blow = Blow::of(&mut dice);
        let mut lab = Lab::new(&case.runbook, None);
        lab.jobs = 2 + dice.below(7) as usize;
        lab.turns = Some(Arc::new(Baton::new(seed)));
        let site = Site::new(&case);
        Self { seed, case, blow, lab, site }
    }

    fn text(&self) -> String {
        format!("seed {}, {:?}, {} jobs\n{}", self.seed, self.blow, self.lab.jobs, self.case.runbook)
    }

    /// Where somebody else may write.
    fn target(&self) -> Option<&String> {
        self.case.finished.keys().nth(self.seed as usize % self.case.finished.len().max(1))
    }

    fn baton(&self) -> &Baton {
        self.lab.turns.as_ref().unwrap()
    }

    /// Does something with a world and a store that pass the baton on.
    fn act(&self, blow: Blow, act: impl FnOnce(&Flaky<'_>, &dyn Store) -> Result<Ending, Refusal>) -> Result<Ending, Refusal> {
        let begun = self.baton().pass();
        let called = || {
            let passes = self.baton().pass() - begun;
            self.site.look();
            match blow {
                Blow::Cancel(at, _) if passes == at => self.lab.stop.wish(),
                Blow::Drift(at) if passes == at => {
                    self.target().inspect(|path| self.site.world.machine().write(path, FOREIGN));
                }
                _ => {}
            }
        };
        let flushed = || {
            self.baton().pass();
        };
        let (faults, deaths) = match blow {
            Blow::Fault(n) => (n, i64::MAX),
            Blow::Death(n) => (i64::MAX, n),
            _ => (i64::MAX, i64::MAX),
        };
        let flaky = Flaky::new(&self.site.world, faults).telling(&called);
        act(&flaky, &Mortal::new(&self.site.store, deaths).telling(&flushed))
    }

    /// Somebody looks whether the programs did their work that were cut off.
    fn look(&self) {
        let mut open = BTreeMap::new();
        let mut order = Vec::new();
        for line in self.journals().first().map_or("", |bytes| std::str::from_utf8(bytes).unwrap()).lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let of = format!("{}#{}", line["step"].as_str().unwrap_or_default(), line["n"]);
            match line["event"].as_str() {
                Some("intended") if line["effect"]["effect"] == "run" => {
                    order.push(of.clone());
                    open.insert(of, line["effect"]["program"]["argv"].clone());
                }
                Some("applied") => drop(open.remove(&of)),
                Some("decided") => drop(open.remove(line["about"].as_str().unwrap())),
                _ => {}
            }
        }
        let happened = |argv: &serde_json::Value| {
            if argv[0] == "/bin/settle" {
                return if self.has_read(argv) { "happened" } else { "not_happened" };
            }
            let (Some(path), Some(mark)) = (argv[1].as_str(), argv[2].as_str()) else { return "happened" };
            let text = self.site.world.machine().read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
            if text.split(' ').any(|word| word == mark) { "happened" } else { "not_happened" }
        };
        self.lab.chosen(&order.iter().filter_map(|of| open.get(of)).map(happened).collect::<Vec<_>>());
    }

    /// Whether a daemon has read its file, as far as that can be seen: if it was read twice, both were alike.
    fn has_read(&self, argv: &serde_json::Value) -> bool {
        let (Some(daemon), Some(path)) = (argv[1].as_str(), argv[2].as_str()) else { return false };
        let machine = self.site.world.machine();
        let text = machine.read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        machine.services[daemon].account.as_ref() == Some(&text)
    }

    fn undo(&self, run: &str) -> Result<Ending, Refusal> {
        self.look();
        self.act(Blow::Nothing, |world, store| self.lab.undo(world, store, run))
    }

    fn resume(&self) -> Result<Ending, Refusal> {
        self.look();
        self.act(Blow::Nothing, |world, store| self.lab.resume(world, store, "t-1"))
    }

    fn is_finished(&self) {
        assert_eq!(self.site.files(), self.case.finished, "{}", self.text());
    }

    /// Runs, suffers its blow, and is finished or taken back, as the seed says. Gives the bytes of all journals.
    fn tell(&self) -> Vec<Vec<u8>> {
        if let Blow::Cancel(_, choice) = self.blow {
            self.lab.chosen(&[choice]);
        }
        let plan = self.lab.plan(&self.site.world, &self.site.store, "t-1").unwrap_or_else(|wrong| panic!("{wrong}\n{}", self.text()));
        assert_eq!(plan.refused, Vec::<String>::new(), "{}", self.text());
        let ran = self.act(self.blow, |world, store| self.lab.run_plan(world, store, &plan));
        self.lab.stop.forget();
        let goes_on = self.seed.is_multiple_of(2);
        match (self.blow, &ran) {
            (Blow::Nothing | Blow::Cancel(_, "go_on"), ran) => assert_eq!(ran.as_ref().unwrap().exit, 0, "{ran:?} {}", self.text()),
            (Blow::Drift(_), _) => return self.after_drift(ran),
            (Blow::Death(_), Err(Refusal::Broken(_))) if goes_on => self.goes_on(),
            (_, Ok(ending)) if matches!(ending.exit, 1 | 6) && ending.outcome != RunOutcome::Done && goes_on => self.goes_on(),
            _ => {}
        }
        match ran.map(|ending| ending.exit) {
            Ok(5) => return self.ends_as(&self.site.start()),
            Ok(0) => self.is_finished(),
            _ => {}
        }
        let finished = self.site.world.snapshot();
        if self.site.store.journal(&model::id::RunId::parse("t-1").unwrap()).is_err() {
            // It died before its first line: there is nothing to take back.
            return self.ends_as(&self.site.start());
        }
        let start = self.site.start();
        let undone = self.undo("t-1").unwrap_or_else(|wrong| panic!("{wrong:?} {}", self.text()));
        assert_eq!(undone.exit, 0, "{:?} {}", undone.why, self.text());
        assert_eq!(self.site.world.snapshot(), start, "{}", self.text());
        if self.seed.is_multiple_of(4) && self.blow == Blow::Nothing {
            let redone = self.undo("t-1.undo-1").unwrap_or_else(|wrong| panic!("{wrong:?} {}", self.text()));
            assert_eq!(redone.exit, 0, "{:?} {}", redone.why, self.text());
            // What a program of the undo has done stays: a daemon that has read its file anew.
            let without_daemons = |mut tree: Tree| {
                tree.retain(|path, _| !path.starts_with("service:e"));
                tree
            };
            assert_eq!(without_daemons(self.site.world.snapshot()), without_daemons(finished), "{}", self.text());
        }
        self.journals()
    }

    fn ends_as(&self, start: &Tree) -> Vec<Vec<u8>> {
        assert_eq!(&self.site.world.snapshot(), start, "{}", self.text());
        self.journals()
    }

    /// A run that stopped in its middle is finished.
    fn goes_on(&self) {
        let ending = self.resume().unwrap_or_else(|wrong| panic!("{wrong:?} {}", self.text()));
        // A step whose failure the runbook allows is missed by the next one that stands on what it does.
        let may_miss = self.case.runbook.contains("continue");
        assert!(matches!(ending.exit, 0 | 8) || (may_miss && ending.exit == 1), "{:?} {}", ending.why, self.text());
        if ending.exit == 0 {
            self.is_finished();
        }
    }

    /// Whatever comes of it, what somebody else has written is not overwritten by an undo.
    fn after_drift(&self, ran: Result<Ending, Refusal>) -> Vec<Vec<u8>> {
        let foreign =
            |story: &Self| story.target().and_then(|path| story.site.world.machine().read(path)).is_some_and(|bytes| bytes.starts_with(FOREIGN));
        let stands = foreign(self);
        if ran.is_ok_and(|ending| ending.exit != 5) {
            let undone = self.undo("t-1").unwrap_or_else(|wrong| panic!("{wrong:?} {}", self.text()));
            // Where it stands, or would be brought back in the middle, the undo says so and leaves all as it is. A gate that does not
            // hold because of it stops the undo.
            let of_gate = |why: &String| stands && self.case.runbook.contains("gate: true") && why.contains("could not be taken back: expected");
            assert!(undone.exit == 0 || undone.why.iter().any(|why| why.contains("conflict") || of_gate(why)), "{:?} {}", undone.why, self.text());
        }
        // What is written while a program runs that changes the same file cannot be told from what the program writes.
        let by_program = self.target().is_some_and(|path| self.case.runbook.contains(&format!("/bin/edit, {path},")));
        if stands && !by_program {
            assert!(foreign(self), "{}", self.text());
        } else if self.target().is_none() {
            assert_eq!(self.site.world.snapshot(), self.site.before, "{}", self.text());
        }
        self.journals()
    }

    fn journals(&self) -> Vec<Vec<u8>> {
        let read = |id| {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut self.site.store.journal(&id).unwrap(), &mut bytes).unwrap();
            bytes
        };
        self.site.store.runs().unwrap().into_iter().map(read).collect()
    }
}

/// The stories of every other seed, so that two threads share them.
fn stories(first: u64) {
    for seed in (first..SEEDS).step_by(2) {
        let journals = Story::new(seed).tell();
        if seed % 16 == first {
            assert!(Story::new(seed).tell() == journals, "{}: another journal", Story::new(seed).text());
        }
    }
}

#[test]
fn whatever_happens_to_a_run_of_an_even_seed_ends_as_the_model_says() {
    stories(0);
}

#[test]
fn whatever_happens_to_a_run_of_an_odd_seed_ends_as_the_model_says() {
    stories(1);
}
