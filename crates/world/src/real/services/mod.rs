//! Services, by the manager that a host declares.

#[cfg(unix)]
mod pidfile;
mod systemd;
#[cfg(all(test, unix))]
mod tests;

use crate::error::WorldError;
use crate::real::programs::Programs;
use model::client::DaemonDef;
use model::effect::Change;
use model::program::Program;
use model::state::{RunState, ServiceState, StartType, State};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a service has to come to rest.
const REST: Duration = Duration::from_secs(120);
/// The longest pause between two looks at a service that is on its way.
const PAUSE: Duration = Duration::from_millis(100);

/// The service manager of a host.
#[derive(Clone, Debug, Default)]
pub enum ServiceConfig {
    /// There is none: looking at a service is an error.
    #[default]
    None,
    /// `systemctl`.
    Systemd,
    /// Daemons without a manager, by name.
    Pidfile(BTreeMap<String, DaemonDef>),
}

/// The services of this machine.
pub(crate) struct Services {
    manager: Option<Box<dyn Manager>>,
}

/// What is asked of a service manager. All wait until the service has come to rest, or fail with
/// [`WorldError::Unsettled`].
trait Manager: Send + Sync {
    fn names(&self, programs: &Programs) -> Result<Vec<String>, WorldError>;
    /// `None`: there is no such service.
    fn state(&self, name: &str, programs: &Programs) -> Result<Option<ServiceState>, WorldError>;
    fn start(&self, name: &str, programs: &Programs) -> Result<(), WorldError>;
    /// Waits until one that runs serves.
    fn settle(&self, _name: &str) -> Result<(), WorldError> {
        Ok(())
    }
    fn stop(&self, name: &str, programs: &Programs) -> Result<(), WorldError>;
    fn set_start_type(&self, name: &str, start: StartType, programs: &Programs) -> Result<(), WorldError>;
    /// What makes it read its configuration again; `argv[0]` an absolute path.
    fn reload(&self, name: &str) -> Result<Program, WorldError>;
}

impl Services {
    pub(crate) fn new(config: ServiceConfig) -> Self {
        let manager: Option<Box<dyn Manager>> = match config {
            ServiceConfig::None => None,
            ServiceConfig::Systemd => Some(Box::new(systemd::Systemd::new())),
            #[cfg(unix)]
            ServiceConfig::Pidfile(daemons) => Some(Box::new(pidfile::Pidfile::new(daemons))),
            #[cfg(not(unix))]
            ServiceConfig::Pidfile(_) => None,
        };
        Self { manager }
    }

    /// Their names, sorted.
    pub(crate) fn names(&self, programs: &Programs) -> Result<Vec<String>, WorldError> {
        self.manager()?.names(programs)
    }

    /// The state of a service at rest.
    pub(crate) fn state(&self, name: &str, programs: &Programs) -> Result<State, WorldError> {
        Ok(self.manager()?.state(name, programs)?.map_or(State::Absent, State::Service))
    }

    /// The program that makes a service read its configuration again.
    pub(crate) fn reload(&self, name: &str) -> Result<Program, WorldError> {
        self.manager()?.reload(name)
    }

    /// Brings a service from one state to another; gives what was found afterwards.
    pub(crate) fn set(&self, change: &Change, programs: &Programs) -> Result<State, WorldError> {
        let manager = self.manager()?;
        let name = &*change.resource.name;
        let found = self.state(name, programs)?;
        if !found.same(&change.before) {
            return Err(WorldError::Moved { resource: change.resource.clone(), expected: Box::new(change.before.clone()), found: Box::new(found) });
        }
        let (State::Service(from), State::Service(to)) = (&found, &change.after) else {
            return Err(refused(name, "a service is neither made nor removed"));
        };
        if to.account.is_some() && to.account != from.account {
            return Err(refused(name, "the account of a service is not set"));
        }
        let run = || match (from.run, to.run) {
            // It was started, and whoever waited for it has gone.
            (RunState::Running, RunState::Running) if from == to => manager.settle(name),
            (from, to) if from == to => Ok(()),
            (_, RunState::Running) => manager.start(name, programs),
            (_, RunState::Stopped | RunState::Failed) => manager.stop(name, programs),
            (_, RunState::Paused) => Err(refused(name, "it cannot be paused")),
        };
        let start_type = || if from.start == to.start { Ok(()) } else { manager.set_start_type(name, to.start, programs) };
        // One that is disabled cannot be started.
        if to.start == StartType::Disabled {
            run()?;
            start_type()?;
        } else {
            start_type()?;
            run()?;
        }
        self.state(name, programs)
    }

    fn manager(&self) -> Result<&dyn Manager, WorldError> {
        self.manager.as_deref().ok_or_else(|| WorldError::Unavailable { what: "a service manager".to_owned() })
    }
}

fn refused(name: &str, reason: &str) -> WorldError {
    WorldError::Refused { name: name.to_owned(), reason: reason.to_owned() }
}

fn unsettled(name: &str, found: impl Into<String>) -> WorldError {
    WorldError::Unsettled { name: name.to_owned(), found: found.into() }
}
