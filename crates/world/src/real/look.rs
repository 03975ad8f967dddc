//! Looking at this machine.

use super::{Real, endpoints, processes, programs, room};
use crate::error::WorldError;
use crate::look::{Endpoint, Entry, Look, Output, Process, Reply};
use model::program::Program;
use model::resource::{Resource, ResourceKind};
use model::state::State;
use model::value::May;
use std::io::{Read, Write};

impl Look for Real {
    fn folds_case(&self) -> bool {
        super::files::sys::FOLDS_CASE
    }

    fn state(&self, what: &Resource) -> Result<State, WorldError> {
        match what.kind {
            ResourceKind::File => self.files.state(&what.name),
            ResourceKind::Service => self.services.state(&what.name, &self.programs),
            ResourceKind::Task | ResourceKind::Registry | ResourceKind::Other => {
                Err(WorldError::Unavailable { what: format!("the state of `{what}`") })
            }
        }
    }

    fn tree(&self, what: &Resource, exclude: &[String], manifest: &mut dyn Write) -> Result<State, WorldError> {
        match what.kind {
            ResourceKind::File => self.files.tree(&what.name, exclude, manifest),
            _ => self.state(what),
        }
    }

    fn may_be_set(&self, path: &str) -> Result<(), WorldError> {
        self.files.may_be_set(path)
    }

    fn open(&self, path: &str) -> Result<Box<dyn Read + '_>, WorldError> {
        self.files.open(path)
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, WorldError> {
        self.files.list(path)
    }

    fn services(&self) -> Result<Vec<String>, WorldError> {
        self.services.names(&self.programs)
    }

    fn reload(&self, service: &str) -> Result<Program, WorldError> {
        self.services.reload(service)
    }

    fn program(&self, name: &str) -> Result<String, WorldError> {
        programs::find(name)
    }

    fn room(&self, path: &str) -> Result<May<u64>, WorldError> {
        room::room(path).map(May::Known)
    }

    fn processes(&self) -> Result<May<Vec<Process>>, WorldError> {
        processes::processes().map(May::Known)
    }

    fn connect(&self, endpoint: &Endpoint) -> Result<May<Reply>, WorldError> {
        endpoints::connect(endpoint).map(May::Known)
    }

    fn output(&self, program: &Program) -> Result<May<Output>, WorldError> {
        self.programs.output(program).map(May::Known)
    }
}
