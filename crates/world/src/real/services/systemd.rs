//! Services under systemd, by its own program.

use super::{Manager, PAUSE, REST, refused, unsettled};
use crate::act::{Secrets, Start};
use crate::error::WorldError;
use crate::real::programs::{self, Programs};
use model::program::{End, Parse, Program};
use model::state::{RunState, ServiceState, StartType};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// What systemd makes when it runs.
const SIGN: &str = "/run/systemd/system";

/// The systemd of this machine.
pub(super) struct Systemd {
    program: String,
    sign: PathBuf,
}

/// What `systemctl show` says of a unit.
#[derive(PartialEq, Eq, Debug)]
enum Shown {
    Missing,
    Resting(ServiceState),
    /// On its way, in its own words.
    Pending(String),
}

impl Manager for Systemd {
    fn names(&self, programs: &Programs) -> Result<Vec<String>, WorldError> {
        let text = self.look(&["list-unit-files", "--type=service", "--no-legend", "--plain"], programs)?;
        let words = text.lines().filter_map(|line| line.split_whitespace().next());
        let mut names: Vec<String> = words.map(|unit| unit.strip_suffix(".service").unwrap_or(unit).to_owned()).collect();
        names.sort_unstable();
        Ok(names)
    }

    fn state(&self, name: &str, programs: &Programs) -> Result<Option<ServiceState>, WorldError> {
        let deadline = Instant::now() + REST;
        let mut pause = Duration::from_millis(5);
        loop {
            let properties = "--property=LoadState,ActiveState,SubState,UnitFileState,User";
            match parse(&self.look(&["show", properties, "--", &unit(name)], programs)?) {
                Shown::Missing => return Ok(None),
                Shown::Resting(state) => return Ok(Some(state)),
                Shown::Pending(found) if Instant::now() >= deadline => return Err(unsettled(name, found)),
                Shown::Pending(_) => std::thread::sleep(pause),
            }
            pause = (pause * 2).min(PAUSE);
        }
    }

    fn start(&self, name: &str, programs: &Programs) -> Result<(), WorldError> {
        self.act(name, &["start"], programs)
    }

    fn stop(&self, name: &str, programs: &Programs) -> Result<(), WorldError> {
        self.act(name, &["stop"], programs)?;
        // One that has failed stays so until that is acknowledged; of others there is nothing to forget.
        let _ = self.act(name, &["reset-failed"], programs);
        Ok(())
    }

    fn set_start_type(&self, name: &str, start: StartType, programs: &Programs) -> Result<(), WorldError> {
        let masked = self.state(name, programs)?.is_some_and(|state| state.start == StartType::Disabled);
        if masked {
            self.act(name, &["unmask"], programs)?;
        }
        self.act(
            name,
            &[match start {
                StartType::Automatic => "enable",
                StartType::Manual => "disable",
                StartType::Disabled => "mask",
            }],
            programs,
        )
    }

    fn reload(&self, name: &str) -> Result<Program, WorldError> {
        let mut program = self.program(&["reload", "--", &unit(name)])?;
        program.argv[0] = programs::find(&self.program)?;
        Ok(program)
    }
}

impl Systemd {
    pub(super) fn new() -> Self {
        Self { program: "systemctl".to_owned(), sign: SIGN.into() }
    }

    fn look(&self, arguments: &[&str], programs: &Programs) -> Result<String, WorldError> {
        let output = programs.output(&self.program(arguments)?)?;
        match output.end {
            End::Code(0) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            _ => Err(failed(arguments, &output.stderr)),
        }
    }

    fn act(&self, name: &str, arguments: &[&str], programs: &Programs) -> Result<(), WorldError> {
        let unit = unit(name);
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--", &unit]).collect();
        let program = self.program(&arguments)?;
        let start = Start { program: &program, secrets: Secrets::default(), timeout: Some(REST), cancelled: &AtomicBool::new(false), alive: None };
        let ended = programs.run(&start)?;
        match ended.end {
            End::Code(0) => Ok(()),
            // It goes on without us: what comes of it is seen by looking.
            End::TimedOut => Err(unsettled(name, "`systemctl` did not end in time")),
            _ => {
                let mut said = Vec::new();
                let _ = ended.stderr.bytes.take(1 << 12).read_to_end(&mut said);
                Err(failed(&arguments, &said))
            }
        }
    }

    fn program(&self, arguments: &[&str]) -> Result<Program, WorldError> {
        if !Path::new(&self.sign).is_dir() {
            return Err(WorldError::Unavailable { what: "systemd".to_owned() });
        }
        let fixed = [self.program.as_str(), "--no-pager", "--no-ask-password", "--system"];
        Ok(Program {
            argv: fixed.iter().chain(arguments).map(|&word| word.to_owned()).collect(),
            cwd: None,
            env: BTreeMap::new(),
            stdin: None,
            expect_exit: vec![0],
            expect_stdout: None,
            parse: Parse::Text,
        })
    }
}

/// The unit of a service: `nginx` is `nginx.service`.
fn unit(name: &str) -> String {
    if name.ends_with(".service") { name.to_owned() } else { format!("{name}.service") }
}

fn parse(shown: &str) -> Shown {
    let properties: BTreeMap<&str, &str> = shown.lines().filter_map(|line| line.split_once('=')).collect();
    let property = |name: &str| properties.get(name).copied().unwrap_or_default();
    if matches!(property("LoadState"), "not-found" | "") {
        return Shown::Missing;
    }
    let run = match property("ActiveState") {
        "active" => RunState::Running,
        "inactive" => RunState::Stopped,
        "failed" => RunState::Failed,
        other => return Shown::Pending(format!("{other} ({})", property("SubState"))),
    };
    let start = match property("UnitFileState") {
        "enabled" | "enabled-runtime" => StartType::Automatic,
        "masked" | "masked-runtime" => StartType::Disabled,
        _ => StartType::Manual,
    };
    let account = Some(property("User")).filter(|user| !user.is_empty()).map(str::to_owned);
    Shown::Resting(ServiceState { run, start, account })
}

fn failed(arguments: &[&str], said: &[u8]) -> WorldError {
    let said = String::from_utf8_lossy(said);
    let line = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it gave no reason");
    refused(&format!("systemctl {}", arguments.join(" ")), line.trim())
}

#[cfg(all(test, unix))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails loudly")]

    use super::{Shown, Systemd, parse};
    use crate::error::WorldError;
    use crate::real::programs::Programs;
    use crate::real::services::Services;
    use model::effect::Change;
    use model::resource::Resource;
    use model::state::{RunState, ServiceState, StartType, State};
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use tempfile::TempDir;

    /// A practice `systemctl`: one unit, whose state is a file; what it was asked is kept.
    const PRACTICE: &str = r#"#!/bin/sh
cd DIR
shift 3
[ "$1" = show ] || echo "$*" >> asked
set_to() { sed -i "s/^$1=.*/$1=$2/" unit; }
case $1 in
  show)
    cat unit
    # On its way until it has been looked at.
    if grep -q activating unit; then set_to ActiveState active; fi ;;
  list-unit-files) printf 'b.service enabled enabled\na.service static -\n' ;;
  start) set_to ActiveState activating ;;
  stop) [ -e stubborn ] && { echo 'Job for app.service failed.' >&2; exit 1; }; set_to ActiveState inactive ;;
  reset-failed) ;;
  enable) set_to UnitFileState enabled ;;
  disable | unmask) set_to UnitFileState disabled ;;
  mask) set_to UnitFileState masked ;;
  *) exit 9 ;;
esac
"#;

    struct Case {
        dir: TempDir,
        programs: Programs,
        services: Services,
    }

    impl Case {
        fn new(unit: &str) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let program = dir.path().join("systemctl");
            fs::write(&program, PRACTICE.replace("DIR", dir.path().to_str().unwrap())).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
            fs::write(dir.path().join("unit"), unit).unwrap();
            let systemd = Systemd { program: program.to_str().unwrap().to_owned(), sign: dir.path().to_owned() };
            Self { programs: Programs::new(dir.path()), services: Services { manager: Some(Box::new(systemd)) }, dir }
        }

        fn set(&self, run: RunState, start: StartType) -> Result<State, WorldError> {
            let before = self.services.state("app", &self.programs).unwrap();
            let after = State::Service(ServiceState { run, start, account: None });
            self.services.set(&Change { resource: Resource::service("app"), before, after }, &self.programs)
        }

        fn asked(&self) -> String {
            fs::read_to_string(self.dir.path().join("asked")).unwrap_or_default()
        }
    }

    fn resting(run: RunState, start: StartType) -> State {
        State::Service(ServiceState { run, start, account: None })
    }

    const STOPPED: &str = "LoadState=loaded\nActiveState=inactive\nSubState=dead\nUnitFileState=enabled\nUser=\n";

    #[test]
    fn a_service_is_started_and_waited_for() {
        let case = Case::new(STOPPED);
        assert_eq!(case.set(RunState::Running, StartType::Automatic).unwrap(), resting(RunState::Running, StartType::Automatic));
        assert_eq!(case.asked(), "start -- app.service\n");
    }

    #[test]
    fn one_that_is_not_to_start_again_is_stopped_before_it_is_masked() {
        let case = Case::new(&STOPPED.replace("inactive", "active"));
        assert_eq!(case.set(RunState::Stopped, StartType::Disabled).unwrap(), resting(RunState::Stopped, StartType::Disabled));
        assert_eq!(case.asked(), "stop -- app.service\nreset-failed -- app.service\nmask -- app.service\n");
    }

    #[test]
    fn one_that_was_masked_is_unmasked_before_it_is_started() {
        let case = Case::new(&STOPPED.replace("enabled", "masked"));
        assert_eq!(case.set(RunState::Running, StartType::Automatic).unwrap(), resting(RunState::Running, StartType::Automatic));
        assert_eq!(case.asked(), "unmask -- app.service\nenable -- app.service\nstart -- app.service\n");
    }

    #[test]
    fn what_systemd_refuses_is_told_in_its_words() {
        let case = Case::new(&STOPPED.replace("inactive", "active"));
        fs::write(case.dir.path().join("stubborn"), "").unwrap();
        let error = case.set(RunState::Stopped, StartType::Automatic).unwrap_err();
        assert_eq!(error.to_string(), "`systemctl stop -- app.service` is refused: Job for app.service failed.");
    }

    #[test]
    fn services_are_listed_by_name() {
        let case = Case::new(STOPPED);
        assert_eq!(case.services.names(&case.programs).unwrap(), ["a", "b"]);
    }

    #[test]
    fn only_resting_states_are_states() {
        let of = |active: &str, file: &str| parse(&format!("LoadState=loaded\nActiveState={active}\nSubState=x\nUnitFileState={file}\nUser=www\n"));
        let state = |run, start| Shown::Resting(ServiceState { run, start, account: Some("www".to_owned()) });
        assert_eq!(of("active", "enabled"), state(RunState::Running, StartType::Automatic));
        assert_eq!(of("inactive", "static"), state(RunState::Stopped, StartType::Manual));
        assert_eq!(of("failed", "masked"), state(RunState::Failed, StartType::Disabled));
        for pending in ["activating", "deactivating", "reloading", "maintenance"] {
            assert_eq!(of(pending, "enabled"), Shown::Pending(format!("{pending} (x)")));
        }
        assert_eq!(parse("LoadState=not-found\nActiveState=inactive\n"), Shown::Missing);
        assert_eq!(parse(""), Shown::Missing);
    }

    #[test]
    fn a_unit_is_reloaded_by_systemctl() {
        let case = Case::new(STOPPED);
        let program = case.services.reload("app").unwrap();
        assert_eq!(program.argv[1..], ["--no-pager", "--no-ask-password", "--system", "reload", "--", "app.service"]);
    }
}
