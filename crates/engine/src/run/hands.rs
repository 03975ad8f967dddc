//! The only place where effects happen: what will be overwritten is kept, the intent is durable, the world is changed, looked
//! at again, and that is written.

use crate::plan::Brought;
use crate::run::images::Keeper;
use crate::run::judged::judge_end;
use crate::run::locks::Locks;
use crate::run::scribe::{Dead, Scribe};
use crate::run::told::told;
use crate::sensitive::Sensitive;
use crate::session::Session;
use model::digest::Digest;
use model::effect::{Before, Change, Effect};
use model::event::{Event, Image, Observed};
use model::fold::EffectFold;
use model::id::StepId;
use model::program::{Captured, End, Exit, Program};
use model::resource::Resource;
use model::state::{State, TreeState};
use model::value::{SecretText, Text};
use std::io::Read;
use std::time::Duration;
use world::act::{Ended, Secrets, Setting, Source, Spool, Start};
use world::error::WorldError;

/// Does effects for a run or an undo.
pub(crate) struct Hands<'s, 'a> {
    pub(crate) session: &'s Session<'a>,
    pub(crate) scribe: &'s Scribe<'a>,
    pub(crate) keeper: &'s Keeper,
    /// Allows what may be set.
    pub(crate) radius: &'s crate::radius::Radius,
    /// What every program inherits.
    pub(crate) alive: Option<&'s world::alive::Alive>,
    /// Without them nothing is done.
    pub(crate) locks: &'s Locks,
}

/// Why a step did not come to its end.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It failed, in words.
    Failed(String),
    /// What it would do is not what was planned.
    Moved { expected: String, found: String },
    /// A check does not hold.
    Unfit(String),
    /// Somebody wants to stop.
    Stopped,
    /// Nobody can be asked.
    Missing(Vec<String>),
    /// Nothing more may be done at all.
    Dead(Dead),
}

impl From<Dead> for Trouble {
    fn from(dead: Dead) -> Self {
        Self::Dead(dead)
    }
}

/// What came of a `Set`.
pub(crate) struct Did {
    /// What was found afterwards.
    pub(crate) state: State,
    /// The files that it left out because they cannot be read.
    pub(crate) left_out: Vec<String>,
}

/// A `Set` to be done, with the place of its effect.
pub(crate) struct Job {
    pub(crate) step: StepId,
    pub(crate) n: u32,
    pub(crate) change: Change,
    pub(crate) source: Source,
    /// In an undo: the effect of the undone run that it takes back.
    pub(crate) takes_back: Option<u32>,
}

impl Hands<'_, '_> {
    /// Refuses to go on when somebody has removed or replaced the file of a lock: another run may have begun.
    pub(crate) fn locked(&self) -> Result<(), Dead> {
        match self.locks.lost() {
            None => Ok(()),
            Some(what) => {
                Err(self.scribe.die(&format!("the lock on {what} is gone: its file was removed or replaced, and another run may have begun")))
            }
        }
    }

    /// Sets resources as one round.
    pub(crate) fn set(&self, jobs: Vec<Job>) -> Result<Vec<Result<Did, Trouble>>, Dead> {
        let engine = &self.session.engine;
        let changes: Vec<&Change> = jobs.iter().map(|job| &job.change).collect();
        let removes = |change: &&Change| change.after == State::Absent;
        let late = world::planted::bug(18) || (world::planted::bug(16) && changes.iter().all(removes));
        let (images, unkept) =
            if late { self.keeper.promise(engine.world, &changes) } else { (self.keeper.keep(self.session, engine.world, &changes), Vec::new()) };
        let (mut settings, mut intents, mut results) = (Vec::new(), Vec::new(), Vec::new());
        let mark = |job: &Job| format!("{}-{}-{}", self.session.run, short(&job.step), job.n);
        for (job, images) in jobs.into_iter().zip(images) {
            if let Err(wrong @ WorldError::Poisoned { .. }) = &images {
                return Err(self.scribe.die(&crate::plan::chain(wrong)));
            }
            let fits = if self.radius.allows(&job.change.resource) {
                images.map_err(|wrong| trouble(&wrong, &self.session.sensitive))
            } else {
                Err(Trouble::Failed(format!("{} is outside of what the runbook says that it touches", job.change.resource)))
            };
            match fits {
                Err(wrong) => results.push(Some(Err(wrong))),
                Ok(images) => {
                    let staging = engine.world.staging(&job.change, &mark(&job));
                    intents.push(Event::Intended {
                        step: job.step.clone(),
                        n: job.n,
                        effect: Effect::Set(self.session.sensitive.masked_change(&job.change)),
                        images,
                        staging: staging.iter().cloned().collect(),
                        takes_back: job.takes_back,
                    });
                    settings.push((Setting::new(job.change, job.source, staging), job.step, job.n));
                    results.push(None);
                }
            }
        }
        self.locked()?;
        let intend = || self.scribe.commit(std::mem::take(&mut intents.clone()));
        if world::planted::bug(1) {
            // The intent after the change: caught by the kills at every call.
        } else {
            intend()?;
        }
        let (only, names): (Vec<Setting>, Vec<(StepId, u32)>) = settings.into_iter().map(|(setting, step, n)| (setting, (step, n))).unzip();
        let found = told(engine.sink, &only, &names, || engine.world.set(&only, &self.vault()));
        if world::planted::bug(1) {
            intend()?;
        }
        for bytes in &unkept {
            engine.store.keep(&mut [&mut bytes.as_slice()]).map_err(|wrong| self.scribe.die(&crate::plan::chain(&wrong)))?;
        }
        let mut found = found.into_iter().zip(only.iter().zip(names));
        for result in results.iter_mut().filter(|result| result.is_none()) {
            let Some((found, (setting, (step, n)))) = found.next() else { break };
            *result = Some(match found {
                Ok(state) => {
                    let resource = setting.change.resource.clone();
                    let (state, kept) = self.keep_list(&resource, state, setting.account.take_list());
                    let observed = vec![Observed { state: self.session.sensitive.masked(&resource, &state), resource }];
                    self.scribe.say(Event::Applied { step, n, observed, exit: None })?;
                    match kept.map_err(|wrong| self.trouble(&wrong)) {
                        Err(Trouble::Dead(dead)) => return Err(dead),
                        kept => kept.map(|()| Did { state, left_out: setting.account.left_out() }),
                    }
                }
                Err(wrong @ WorldError::Poisoned { .. }) => {
                    let why = crate::plan::chain(&wrong);
                    return Err(self.scribe.die(&format!("{why}; the effect of `{step}` on {} is in doubt", setting.change.resource)));
                }
                Err(wrong) => {
                    self.scribe.say(self.after_error(&wrong, setting, step, n))?;
                    Err(trouble(&wrong, &self.session.sensitive))
                }
            });
        }
        Ok(results.into_iter().map(|result| result.unwrap_or(Err(Trouble::Failed("the world gave no answer".into())))).collect())
    }

    /// An error of the world as trouble of a step; after a failed flush nothing more may be done.
    pub(crate) fn trouble(&self, wrong: &WorldError) -> Trouble {
        match wrong {
            WorldError::Poisoned { .. } => self.scribe.die(&crate::plan::chain(wrong)).into(),
            other => trouble(other, &self.session.sensitive),
        }
    }

    /// What an error left: a call can fail when the change is half done, or done but for what it replaced. Looking tells.
    fn after_error(&self, wrong: &WorldError, setting: &Setting, step: StepId, n: u32) -> Event {
        let change = &setting.change;
        let tree = change.is_of_tree();
        let found = if matches!(wrong, WorldError::Io { .. }) && !tree { self.session.engine.world.state(&change.resource).ok() } else { None };
        match found {
            Some(found) if !found.same(&change.before) => {
                let resource = change.resource.clone();
                let observed = vec![Observed { state: self.session.sensitive.masked(&resource, &found), resource }];
                Event::Applied { step, n, observed, exit: None }
            }
            _ => Event::Decided { by: "retrace".into(), what: "not_happened".into(), about: format!("{step}#{n}") },
        }
    }

    /// The state to put back that a change names, in plain, and its bytes, which were kept as that image.
    pub(crate) fn restored(&self, change: &Change, image: Option<&Image>) -> Result<(State, Source), Trouble> {
        let failed = |wrong: WorldError| Trouble::Failed(crate::plan::chain(&wrong));
        match (&change.after, image) {
            (State::File(file), Some(image)) if image.sealed => {
                let mut sealed = self.session.engine.store.open(&image.blob).map_err(failed)?;
                let plain = self.keeper.unseal(&mut sealed).map_err(failed)?;
                let state = State::file(Digest::of(&plain), plain.len() as u64, file.meta.clone());
                Ok((state, Source::Bytes(std::sync::Arc::new(plain))))
            }
            (State::Tree(tree), Some(image)) if tree.secret => {
                let (opened, list) = self.keeper.open_tree(self.session.engine.store, image).map_err(failed)?;
                let state = State::Tree(TreeState { content: opened.content, ..tree.clone() });
                let masked = |state: &State| self.session.sensitive.masked(&change.resource, state);
                if !masked(&state).same(&masked(&change.after)) {
                    return Err(failed(WorldError::Damaged(image.blob.to_string())));
                }
                Ok((state, Source::Blob(list)))
            }
            (after, Some(image)) => Ok((after.clone(), Source::Blob(image.blob.clone()))),
            // Only mode, owner or times change: the bytes are where they are.
            (after @ State::File(_), None) => Ok((after.clone(), Source::File { path: change.resource.name.to_string() })),
            (after, None) => Ok((after.clone(), Source::Nothing)),
        }
    }

    /// What this run has kept sealed of a resource when it was in that state.
    pub(crate) fn sealed(&self, resource: &Resource, state: &State) -> Option<Image> {
        if !state.is_secret_tree() && !self.session.sensitive.holds(resource) {
            return None;
        }
        let state = self.session.sensitive.masked(resource, state);
        let tree = state.is_secret_tree();
        let kept = |effect: &EffectFold| match &effect.effect {
            Effect::Set(change) if change.resource == *resource && (change.before == state || tree && change.before.same(&state)) => {
                effect.images.iter().find(|image| (image.sealed || tree) && image.resource == *resource).cloned()
            }
            _ => None,
        };
        self.scribe.fold(|run| run.effects.iter().rev().find_map(kept)).flatten()
    }

    /// Starts a program and waits for it.
    pub(crate) fn run(&self, step: &StepId, n: u32, program: &Program, changes: &[Before], timeout: Option<Duration>) -> Result<Brought, Trouble> {
        let session = self.session;
        for before in changes {
            if !self.radius.allows(&before.resource) {
                return Err(Trouble::Failed(format!("{} is outside of what the runbook says that it touches", before.resource)));
            }
        }
        let images = self.images_of(changes)?;
        let (secrets, secret) = self.secrets_of(program)?;
        let effect = session.sensitive.masked_effect(&Effect::Run { program: program.clone(), changes: changes.to_vec() });
        self.locked()?;
        self.scribe.commit(vec![Event::Intended { step: step.clone(), n, effect, images, staging: Vec::new(), takes_back: None }])?;
        let start = Start { program, secrets, timeout, cancelled: &session.engine.stop.programs, alive: self.alive };
        let ended = match session.engine.world.run(&start) {
            Ok(ended) => ended,
            Err(wrong) => {
                self.scribe.say(Event::Decided { by: "retrace".into(), what: "not_happened".into(), about: format!("{step}#{n}") })?;
                return Err(trouble(&wrong, &session.sensitive));
            }
        };
        let Ended { end, stdout, stderr } = ended;
        let (stdout, shown) = self.capture(stdout, secret)?;
        let (stderr, complaint) = self.capture(stderr, secret)?;
        let secret = secret || [&stdout, &stderr].into_iter().flatten().any(|captured| captured.sealed);
        self.flush(changes)?;
        let observed = self.observe(changes)?;
        // It becomes durable with the next intent, question or end: without power in between the program is in doubt.
        self.scribe.say(Event::Applied { step: step.clone(), n, observed, exit: Some(Exit { end, stdout: stdout.clone(), stderr }) })?;
        judge_end(program, end, &shown, &complaint, secret)?;
        let result = if secret { Err("its output is sealed".to_owned()) } else { model::program::parse(program.parse, &shown) };
        let result = match result {
            Ok(value) => Some(value),
            Err(_) if secret => None,
            Err(wrong) => return Err(Trouble::Failed(format!("its output does not read as declared: {wrong}"))),
        };
        let exit = if let End::Code(code) = end { Some(i64::from(code)) } else { None };
        Ok(Brought { exit, result, stdout, ..Brought::default() })
    }

    /// What a program has brought whose end stands in the journal.
    pub(crate) fn judge_again(&self, program: &Program, exit: &Exit) -> Result<Brought, Trouble> {
        let read = |captured: &Option<Captured>| {
            let mut bytes = Vec::new();
            if let Some(captured) = captured.as_ref().filter(|captured| !captured.sealed) {
                let failed = |wrong: WorldError| trouble(&wrong, &self.session.sensitive);
                let blob = self.session.engine.store.open(&captured.blob).map_err(failed)?;
                blob.take(16 << 20).read_to_end(&mut bytes).map_err(|e| failed(WorldError::io("read", "the program's output", e)))?;
            }
            Ok::<Vec<u8>, Trouble>(bytes)
        };
        let (shown, complaint) = (read(&exit.stdout)?, read(&exit.stderr)?);
        let secret = exit.stdout.iter().chain(&exit.stderr).any(|captured| captured.sealed);
        judge_end(program, exit.end, &shown, &complaint, secret)?;
        let result = if secret { None } else { model::program::parse(program.parse, &shown).ok() };
        let code = if let End::Code(code) = exit.end { Some(i64::from(code)) } else { None };
        Ok(Brought { exit: code, result, stdout: exit.stdout.clone(), ..Brought::default() })
    }

    /// What a program or a person has written is durable before a line says that it is there.
    pub(crate) fn flush(&self, changes: &[Before]) -> Result<(), Trouble> {
        let written: Vec<Resource> = changes.iter().map(|before| before.resource.clone()).collect();
        self.session.engine.world.flush(&written).map_err(|wrong| self.trouble(&wrong))
    }

    /// What changed resources are now, as it is written down.
    pub(crate) fn observe(&self, changes: &[Before]) -> Result<Vec<Observed>, Trouble> {
        let mut observed = Vec::new();
        for before in changes {
            let state = self.whole(&before.resource, false).map_err(|wrong| self.trouble(&wrong))?;
            observed.push(Observed { resource: before.resource.clone(), state: self.session.sensitive.masked(&before.resource, &state) });
        }
        Ok(observed)
    }

    /// Keeps what somebody else may overwrite.
    pub(crate) fn images_of(&self, changes: &[Before]) -> Result<Vec<Image>, Trouble> {
        let wanted: Vec<Change> =
            changes.iter().map(|b| Change { resource: b.resource.clone(), before: b.before.clone(), after: b.before.clone() }).collect();
        let kept = self.keeper.keep(self.session, self.session.engine.world, &wanted.iter().collect::<Vec<_>>());
        let mut images = Vec::new();
        for kept in kept {
            images.extend(kept.map_err(|wrong| self.trouble(&wrong))?);
        }
        Ok(images)
    }

    fn secrets_of(&self, program: &Program) -> Result<(Secrets, bool), Trouble> {
        let reveal = |text: &SecretText| {
            let missing = || Trouble::Failed(format!("the secret {} is not at hand", text.names().join(", ")));
            self.session.secrets.reveal(text).ok_or_else(missing)
        };
        let mut secrets = Secrets::default();
        for (name, value) in &program.env {
            if let Text::Secret(text) = value {
                secrets.env.insert(name.clone(), reveal(text)?);
            }
        }
        if let Some(Text::Secret(text)) = &program.stdin {
            secrets.stdin = Some(reveal(text)?);
        }
        let any = secrets.stdin.is_some() || !secrets.env.is_empty();
        if let Some(name) = program.argv.iter().find_map(|arg| self.session.secrets.found_in(arg.as_bytes())) {
            return Err(Trouble::Failed(format!("an argument would hold the secret {name}")));
        }
        Ok((secrets, any))
    }

    /// Keeps output as a blob, sealed if the program was given a secret or shows one; gives the beginning of it for judging.
    fn capture(&self, spool: Spool, secret: bool) -> Result<(Option<Captured>, Vec<u8>), Trouble> {
        const JUDGED: u64 = 16 << 20;
        if spool.length == 0 {
            return Ok((None, Vec::new()));
        }
        let store = self.session.engine.store;
        let length = spool.length;
        let mut bytes = spool.bytes;
        let mut head = Vec::new();
        let failed = |wrong: WorldError| self.trouble(&wrong);
        (&mut bytes).take(JUDGED).read_to_end(&mut head).map_err(|e| failed(WorldError::io("read", "the program's output", e)))?;
        if secret || self.session.secrets.found_in(&head).is_some() {
            let sealed = self.keeper.seal(&mut head.as_slice().chain(bytes)).map_err(failed)?;
            let blob = store.keep(&mut [&mut sealed.as_slice()]).map_err(failed)?.remove(0);
            return Ok((Some(Captured { blob, length: 0, sealed: true }), head));
        }
        let mut whole = head.as_slice().chain(bytes);
        let blob = store.keep(&mut [&mut whole]).map_err(failed)?.remove(0);
        Ok((Some(Captured { blob, length, sealed: false }), head))
    }
}

/// An error of the world as trouble of a step, in one line and without what is secret.
pub(crate) fn trouble(wrong: &WorldError, sensitive: &Sensitive) -> Trouble {
    match wrong {
        WorldError::Moved { resource, expected, found } => Trouble::Moved {
            expected: format!("{resource}: {}", sensitive.masked(resource, expected)),
            found: sensitive.masked(resource, found).to_string(),
        },
        other => Trouble::Failed(crate::plan::chain(other)),
    }
}

/// A step's name as part of a file name.
fn short(step: &StepId) -> String {
    let digest = model::digest::Digest::of(step.as_str().as_bytes());
    digest.as_str()[..8].to_owned()
}

/// Trouble in words.
pub(crate) fn words(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Failed(text) | Trouble::Unfit(text) => text.clone(),
        Trouble::Moved { expected, found } => format!("the world has moved: expected {expected}, found {found}"),
        Trouble::Stopped => "stopped".to_owned(),
        Trouble::Missing(what) => format!("nobody can be asked: {}", what.join(", ")),
        Trouble::Dead(dead) => dead.to_string(),
    }
}
