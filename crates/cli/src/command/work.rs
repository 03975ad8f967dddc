//! What `run`, `resume` and `undo` share: an engine with everything it is given, told and listened to while it works.

use super::open::{Client, Opened};
use crate::args::Work;
use crate::demo::{Clerk, Site};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::here::{Here, TOOL};
use crate::paper::Ink;
use crate::prompt::answers::Answers;
use crate::prompt::console::Console;
use crate::prompt::crew::Crew;
use crate::prompt::keys::Keys;
use crate::prompt::start::Start;
use crate::report::board::{Board, Detail};
use crate::report::estimate::Estimate;
use crate::report::layout::Table;
use crate::report::reporter::{Manner, Reporter};
use crate::report::running::Usually;
use actions::BUILTIN;
use engine::command::{Options, Refusal};
use engine::context::{Engine, Sink};
use engine::people::People;
use engine::run::Ending;
use model::effect::Effect;
use model::event::Line;
use model::id::StepId;
use model::plan::{Decision, Plan};
use model::printable::Printable;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;
use world::disk_store::DiskStore;
use world::real::Real;

/// An engine's surroundings.
pub(crate) struct Workshop<'h> {
    pub(crate) here: &'h Here,
    pub(crate) store: &'h DiskStore,
    pub(crate) world: Real,
    pub(crate) client: &'h Client,
    pub(crate) answers: Option<&'h Answers>,
    /// The practice site, if this is one: there somebody clicks in System Configuration.
    site: Option<Site>,
}

impl<'h> Workshop<'h> {
    /// With the real world. `roots`: the directories below which files are set.
    pub(crate) fn new(here: &'h Here, store: &'h DiskStore, opened: &'h Opened, roots: &[String]) -> Self {
        // What programs write has no name; only the file system matters.
        let spool = if store.dir().is_dir() { store.dir().to_owned() } else { std::env::temp_dir() };
        let world = Real::new(&spool, opened.client.services.clone()).with_roots(roots).with_cancel(Arc::clone(&here.stop.programs));
        Self { here, store, world, client: &opened.client, answers: opened.answers.as_ref(), site: opened.practice() }
    }

    fn crew<'c>(&'c self, reporter: Option<&'c Reporter>) -> Crew<'c> {
        Crew {
            answers: self.answers,
            console: self.here.console(),
            paper: self.here.err,
            operator: &self.here.operator,
            secrets: &self.client.secrets,
            reporter,
        }
    }

    /// Uses an engine that nobody is told about.
    pub(crate) fn quietly<T>(&self, work: impl FnOnce(Engine<'_>) -> T) -> T {
        let crew = self.crew(None);
        work(self.engine(&crew, &Nobody))
    }

    fn engine<'e>(&'e self, people: &'e dyn People, sink: &'e dyn Sink) -> Engine<'e> {
        Engine {
            kinds: &BUILTIN,
            world: &self.world,
            store: self.store,
            clock: &self.here.clock,
            random: &random,
            people,
            sink,
            stop: &self.here.stop,
            turns: None,
            operator: &self.here.operator,
            host: &self.here.host,
            tool: TOOL,
        }
    }

    /// Works, and tells it. Ctrl-C is a question from now on.
    pub(crate) fn tell(
        &self,
        plan: Option<&Plan>,
        estimate: Option<Estimate>,
        work: impl FnOnce(Engine<'_>) -> Result<Ending, Refusal>,
    ) -> Result<Ending, Refusal> {
        if !self.here.begin() {
            return Err(Refusal::Stopped);
        }
        let everywhere = &self.here.everywhere;
        let table = Table::of(self.here.err, plan.into_iter().flat_map(|plan| &plan.steps).map(|step| step.id.as_str()));
        let (manner, stream): (Manner, Box<dyn io::Write + Send>) = if everywhere.json {
            (Manner::Json, Box::new(io::stdout()))
        } else if everywhere.quiet {
            (Manner::Silent, Box::new(io::sink()))
        } else if io::stdout().is_terminal() {
            (Manner::Terminal(table), Box::new(io::stderr()))
        } else {
            (Manner::Piped(self.client.zone.clone()), Box::new(io::stdout()))
        };
        let detail = if everywhere.verbose > 0 { Detail::Effects } else { Detail::Steps };
        let usually = if matches!(manner, Manner::Terminal(_)) { Usually::Always } else { Usually::Slow };
        let mut board = Board::new(plan.map(|plan| plan.steps.len()), detail).with_estimate(estimate, usually);
        if self.site.is_some() {
            board = board.in_practice();
        }
        let terminal = self.here.terminal().filter(|terminal| matches!(manner, Manner::Terminal(_)) && terminal.listens());
        // Without a pipe nobody can be told that the run is over: then nobody listens.
        let keys = terminal.and_then(|terminal| Some((terminal, io::pipe().ok()?)));
        if keys.is_some() {
            board = board.with_keys();
        }
        // Where nothing is repainted, what may be typed is said once.
        let said = (keys.is_some() && !self.here.err.cursor).then(|| board.keys());
        let reporter = Reporter::start(manner, stream, board);
        said.into_iter().for_each(|keys| reporter.say(keys));
        let ending = std::thread::scope(|threads| {
            let recent = || self.world.recent();
            let reporter = &reporter;
            let _until_then = keys.map(|(terminal, (over, end))| {
                threads.spawn(move || Keys { terminal, reporter, stop: &self.here.stop, recent: &recent }.listen(&over));
                end
            });
            let crew = self.crew(Some(reporter));
            let clerk = Clerk::beside(&crew, self.site.as_ref());
            work(self.engine(&clerk, &Told(reporter)))
        });
        reporter.finish();
        ending
    }

    /// Whether it may begin: all that is missing is listed, or a person agrees.
    pub(crate) fn agree(&self, start: &Start<'_>, plan: &Plan) -> Result<(), Failure> {
        start.check()?;
        if let Some(console) = self.here.console() {
            return start.ask(console, &self.here.err);
        }
        let none = Answers::none();
        let answers = self.answers.unwrap_or(&none);
        let asks = plan.steps.iter().filter(|step| step.decision != Decision::Skip).flat_map(|step| {
            let asks = step.effects.iter().filter_map(|effect| if let Effect::Ask(ask) = effect { Some(ask) } else { None });
            asks.flat_map(|ask| answers.missing(step.id.as_str(), ask, &[]))
        });
        let missing: Vec<String> = asks.chain(start.missing()).collect();
        if missing.is_empty() { Ok(()) } else { Err(Failure::missing(missing)) }
    }

    /// A person at this console, if one may be asked.
    pub(crate) fn console(&self) -> Option<&dyn Console> {
        self.here.console()
    }
}

/// The options of the engine.
pub(crate) fn options(here: &Here, work: &Work) -> Result<Options, Failure> {
    Ok(Options { jobs: usize::from(work.jobs), identities: here.identities()? })
}

/// Tells why it ended so, and gives the exit.
pub(crate) fn ended(here: &Here, ending: &Ending) -> Exit {
    let exit = Exit::of(ending.exit).unwrap_or(Exit::Bug);
    if exit != Exit::Done && !here.everywhere.json {
        for line in ending.why.iter().flat_map(|why| why.lines()) {
            here.tell_anyway(&format!("{}\n", here.err.paint(Ink::Bad, &Printable(line).to_string())));
        }
    } else if exit == Exit::Done {
        ending.why.iter().for_each(|why| here.tell(&format!("{}\n", Printable(why))));
    }
    exit
}

/// Whether `--client` names the client that something is for: its id, or a file that says so.
pub(crate) fn names(given: Option<&str>, client: &str) -> Result<bool, Failure> {
    let Some(given) = given else { return Ok(false) };
    if given == client {
        return Ok(true);
    }
    let sink = model::yaml::Sink::new();
    let id = std::fs::read(Path::new(given)).ok().and_then(|bytes| {
        let tree = model::yaml::parse(given, &bytes, &sink)?;
        let id = tree.get(tree.root(), "client")?;
        tree.text(id).map(str::to_owned)
    });
    match id {
        Some(id) if id == client => Ok(true),
        _ => Err(Failure::usage(format!("`--client {given}` names another client than `{client}`"))),
    }
}

/// Fills with random bytes from the system.
pub(crate) fn random(bytes: &mut [u8]) {
    // The names of runs must differ even where the system has no random bytes; then the clock has to do.
    if getrandom::fill(bytes).is_err() {
        let now = jiff::Timestamp::now().as_nanosecond().to_le_bytes();
        bytes.iter_mut().zip(now.iter().cycle()).for_each(|(byte, now)| *byte = *now);
    }
}

struct Told<'r>(&'r Reporter);

impl Sink for Told<'_> {
    fn line(&self, line: &Line) {
        self.0.line(line);
    }

    fn say(&self, text: &str) {
        self.0.say(text);
    }

    fn progress(&self, step: &StepId, written: u64, total: u64) {
        self.0.progress(step, written, total);
    }
}

/// Nobody is told.
struct Nobody;

impl Sink for Nobody {
    fn line(&self, _: &Line) {}
    fn say(&self, _: &str) {}
}
