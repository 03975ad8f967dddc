//! Changing this machine.

use super::{Real, rights, room};
use crate::act::{Act, Ended, Setting, Start};
use crate::error::WorldError;
use crate::path::staging;
use crate::store::Blobs;
use crate::volume::Volume;
use model::effect::Change;
use model::path::within;
use model::resource::{Resource, ResourceKind};
use model::state::{Meta, State};

impl Act for Real {
    fn set(&self, settings: &[Setting], blobs: &dyn Blobs) -> Vec<Result<State, WorldError>> {
        let mut results = Vec::new();
        let mut round: Vec<&Setting> = Vec::new();
        for setting in settings {
            let what = &setting.change.resource;
            let is_file = what.kind == ResourceKind::File;
            if !is_file || round.iter().any(|other| are_nested(&other.change.resource, what)) {
                results.extend(self.files.set(&std::mem::take(&mut round), blobs));
            }
            if is_file {
                round.push(setting);
            } else {
                results.push(self.set_other(setting));
            }
        }
        results.extend(self.files.set(&round, blobs));
        results
    }

    fn run(&self, start: &Start<'_>) -> Result<Ended, WorldError> {
        self.programs.run(start)
    }

    fn tidy(&self, staging: &[String]) -> Result<(), WorldError> {
        self.files.tidy(staging)
    }

    fn put_back(&self, what: &Resource, staging: &str) -> Result<(), WorldError> {
        self.files.put_back(&what.name, staging)
    }

    fn flush(&self, what: &[Resource]) -> Result<(), WorldError> {
        what.iter().filter(|what| what.kind == ResourceKind::File).try_for_each(|what| self.files.flush(&what.name))
    }

    fn volume(&self, path: &str) -> Result<Volume, WorldError> {
        room::volume(path)
    }

    fn may_write(&self, dir: &str) -> Result<(), WorldError> {
        rights::may_write(dir)
    }

    fn may_give(&self, dir: &str, meta: &Meta) -> bool {
        rights::may_give(dir, meta)
    }

    fn staging(&self, change: &Change, mark: &str) -> Option<String> {
        match change.resource.kind {
            ResourceKind::File => staging(&change.resource.name, mark),
            _ => None,
        }
    }
}

impl Real {
    fn set_other(&self, setting: &Setting) -> Result<State, WorldError> {
        match setting.change.resource.kind {
            ResourceKind::Service => self.services.set(&setting.change, &self.programs),
            _ => Err(WorldError::Unavailable { what: format!("setting `{}`", setting.change.resource) }),
        }
    }
}

/// Whether one is the other or lies in it: then the order of the two matters.
fn are_nested(a: &Resource, b: &Resource) -> bool {
    within(&a.name, &b.name) || within(&b.name, &a.name)
}
