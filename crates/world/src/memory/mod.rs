//! A world in memory. It keeps the same contract as the disk and is what most tests run in.

mod machine;
mod set;

pub use machine::{Machine, Snapshot};

use crate::act::{Act, Ended, Setting, Spool, Start};
use crate::error::WorldError;
use crate::look::{Endpoint, Entry, Look, Output, Process, Reply};
use crate::path;
use crate::store::Blobs;
use crate::volume::Volume;
use crate::walk;
use model::effect::Change;
use model::program::{End, Program};
use model::resource::{Resource, ResourceKind};
use model::state::State;
use model::value::{May, Text};
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A world in memory.
pub struct Memory {
    machine: Mutex<Machine>,
    programs: BTreeMap<String, Arc<Run>>,
}

/// A program of a machine in memory: what it does to the machine, given itself and its standard input.
type Run = dyn Fn(&mut Machine, &Program, &[u8]) -> (End, Vec<u8>, Vec<u8>) + Send + Sync;

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Memory {
    /// An empty machine.
    pub fn new() -> Self {
        Self { machine: Mutex::new(Machine::new()), programs: BTreeMap::new() }
    }

    /// A program under this absolute path: how it ends, its standard output and error.
    #[must_use]
    pub fn program(mut self, path: &str, run: impl Fn(&mut Machine, &Program, &[u8]) -> (End, Vec<u8>, Vec<u8>) + Send + Sync + 'static) -> Self {
        self.programs.insert(path.to_owned(), Arc::new(run));
        self
    }

    /// The machine, to be prepared, disturbed or compared by a test.
    pub fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything, to be compared.
    pub fn snapshot(&self) -> BTreeMap<String, Snapshot> {
        self.machine().snapshot()
    }

    fn execute(&self, machine: &mut Machine, program: &Program, stdin: &[u8]) -> Result<(End, Vec<u8>, Vec<u8>), WorldError> {
        let name = program.argv.first().map_or("", String::as_str);
        let run = self.programs.get(&Look::program(self, name)?).cloned().ok_or_else(|| missing(name))?;
        Ok(run(machine, program, stdin))
    }
}

impl Look for Memory {
    fn folds_case(&self) -> bool {
        false
    }

    fn state(&self, what: &Resource) -> Result<State, WorldError> {
        let machine = self.machine();
        match what.kind {
            ResourceKind::File => machine.reachable(&what.name).map(|()| machine.state(&what.name)),
            ResourceKind::Service => Ok(machine.services.get(&*what.name).map_or(State::Absent, |s| State::Service(s.clone()))),
            ResourceKind::Task | ResourceKind::Registry | ResourceKind::Other => {
                Err(WorldError::Unavailable { what: format!("the state of `{what}`") })
            }
        }
    }

    fn tree(&self, what: &Resource, exclude: &[String], manifest: &mut dyn Write) -> Result<State, WorldError> {
        match what.kind {
            ResourceKind::File => walk::tree(self, &what.name, exclude, manifest),
            _ => self.state(what),
        }
    }

    fn open(&self, path: &str) -> Result<Box<dyn Read + '_>, WorldError> {
        let machine = self.machine();
        machine.reachable(path)?;
        match machine.state(path) {
            State::Absent => Err(WorldError::io("open", path, io::ErrorKind::NotFound.into())),
            State::Foreign { what } => Err(WorldError::Refused { name: path.to_owned(), reason: format!("it is a {what}") }),
            _ if machine.locked.contains(path) => Err(WorldError::io("open", path, io::ErrorKind::PermissionDenied.into())),
            _ => match machine.read(path) {
                Some(bytes) => Ok(Box::new(Cursor::new(bytes.to_vec()))),
                None => Err(WorldError::io("open", path, io::ErrorKind::IsADirectory.into())),
            },
        }
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, WorldError> {
        let machine = self.machine();
        machine.reachable(path)?;
        if machine.state(path) == State::Absent {
            return Err(WorldError::io("list", path, io::ErrorKind::NotFound.into()));
        }
        machine.list(path)
    }

    fn services(&self) -> Result<Vec<String>, WorldError> {
        Ok(self.machine().services.keys().cloned().collect())
    }

    fn program(&self, name: &str) -> Result<String, WorldError> {
        let places = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
        let known = |path: &String| self.programs.contains_key(path);
        let found =
            if name.starts_with('/') { Some(name.to_owned()).filter(known) } else { places.iter().map(|dir| path::join(dir, name)).find(known) };
        found.ok_or_else(|| missing(name))
    }

    fn room(&self, _: &str) -> Result<May<u64>, WorldError> {
        Ok(May::Known(self.machine().room))
    }

    fn processes(&self) -> Result<May<Vec<Process>>, WorldError> {
        Ok(May::Known(self.machine().processes.clone()))
    }

    fn connect(&self, endpoint: &Endpoint) -> Result<May<Reply>, WorldError> {
        let machine = self.machine();
        let reply = machine.endpoints.iter().find(|(known, _)| known == endpoint).map(|(_, reply)| reply.clone());
        Ok(May::Known(reply.unwrap_or_else(|| Reply::Silent("connection refused".to_owned()))))
    }

    fn output(&self, program: &Program) -> Result<May<Output>, WorldError> {
        // It is declared to change nothing; here that is so, for it only sees a copy.
        let mut copy = self.machine().clone();
        let (end, stdout, stderr) = self.execute(&mut copy, program, &plain_stdin(program))?;
        Ok(May::Known(Output { end, stdout, stderr }))
    }
}

impl Act for Memory {
    fn set(&self, settings: &[Setting], blobs: &dyn Blobs) -> Vec<Result<State, WorldError>> {
        settings.iter().map(|setting| self.set_one(setting, blobs)).collect()
    }

    fn run(&self, start: &Start<'_>) -> Result<Ended, WorldError> {
        let stdin = start.secrets.stdin.as_ref().map_or_else(|| plain_stdin(start.program), |bytes| bytes.to_vec());
        // Nobody else changes the machine meanwhile: a program in memory is one moment.
        let (end, stdout, stderr) = self.execute(&mut self.machine(), start.program, &stdin)?;
        let spool = |bytes: Vec<u8>| Spool { length: bytes.len() as u64, bytes: Box::new(Cursor::new(bytes)) };
        Ok(Ended { end, stdout: spool(stdout), stderr: spool(stderr) })
    }

    fn tidy(&self, staging: &[String]) -> Result<(), WorldError> {
        let mut machine = self.machine();
        for path in staging.iter().filter(|path| path::is_staging(path)) {
            machine.remove(path);
            machine.remove(&path::gone(path));
        }
        Ok(())
    }

    fn put_back(&self, what: &Resource, staging: &str) -> Result<(), WorldError> {
        self.machine().exchange(&what.name, staging)
    }

    fn flush(&self, _: &[Resource]) -> Result<(), WorldError> {
        Ok(())
    }

    fn may_write(&self, _: &str) -> Result<(), WorldError> {
        Ok(())
    }

    fn volume(&self, _: &str) -> Result<Volume, WorldError> {
        Ok(Volume { id: 0, free: self.machine().room })
    }

    fn staging(&self, change: &Change, mark: &str) -> Option<String> {
        match change.resource.kind {
            ResourceKind::File => path::staging(&change.resource.name, mark),
            _ => None,
        }
    }
}

fn plain_stdin(program: &Program) -> Vec<u8> {
    match &program.stdin {
        Some(Text::Plain(text)) => text.clone().into_bytes(),
        Some(Text::Secret(_)) | None => Vec::new(),
    }
}

fn missing(name: &str) -> WorldError {
    WorldError::io("start", name, io::ErrorKind::NotFound.into())
}
