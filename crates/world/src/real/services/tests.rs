//! What is promised about services.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use super::{ServiceConfig, Services};
use crate::error::WorldError;
use crate::real::procfs;
use crate::real::programs::Programs;
use model::client::{DaemonDef, Probe, ProbeKind};
use model::effect::Change;
use model::resource::Resource;
use model::span::Span;
use model::state::{RunState, ServiceState, StartType, State};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;

struct Case {
    dir: TempDir,
    daemon: DaemonDef,
    programs: Programs,
    services: Services,
}

impl Case {
    fn new(start: &[&str]) -> Self {
        Self::with(start, |_| {})
    }

    fn with(start: &[&str], adjust: impl FnOnce(&mut DaemonDef)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let pid_file = dir.path().join("app.pid").to_str().unwrap().to_owned();
        let mut daemon = DaemonDef {
            start: start.iter().map(|&a| a.replace("PIDFILE", &pid_file)).collect(),
            cwd: Some(dir.path().to_str().unwrap().to_owned()),
            pid_file,
            program: None,
            write_pid: true,
            stop: None,
            reload: None,
            grace: None,
            probe: None,
            within: None,
        };
        adjust(&mut daemon);
        let services = Services::new(ServiceConfig::Pidfile([("app".to_owned(), daemon.clone())].into()));
        Self { programs: Programs::new(dir.path()), dir, daemon, services }
    }

    /// With little time to come to rest.
    fn impatient(mut self) -> Self {
        self.daemon.within = Some(Span::from_millis(300));
        self.daemon.grace = self.daemon.within;
        self.services = self.later();
        self
    }

    /// The services as a later process of ours has them.
    fn later(&self) -> Services {
        Services::new(ServiceConfig::Pidfile([("app".to_owned(), self.daemon.clone())].into()))
    }

    fn state(&self) -> State {
        self.services.state("app", &self.programs).unwrap()
    }

    fn set(&self, after: State) -> Result<State, WorldError> {
        let change = Change { resource: Resource::service("app"), before: self.state(), after };
        self.services.set(&change, &self.programs)
    }

    fn pid(&self) -> u32 {
        fs::read_to_string(&self.daemon.pid_file).unwrap().trim().parse().unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        let pid = fs::read_to_string(&self.daemon.pid_file).ok().and_then(|text| Pid::from_raw(text.trim().parse().ok()?));
        if let Some(pid) = pid.filter(|pid| pid.as_raw_nonzero().get() != std::process::id() as i32) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

fn service(run: RunState, start: StartType) -> State {
    State::Service(ServiceState { run, start, account: None })
}

fn running() -> State {
    service(RunState::Running, StartType::Automatic)
}

fn stopped() -> State {
    service(RunState::Stopped, StartType::Automatic)
}

fn unsettled(result: Result<State, WorldError>) -> String {
    match result {
        Err(WorldError::Unsettled { found, .. }) => found,
        other => panic!("settled: {other:?}"),
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// No test: what a daemon of the tests below runs, when it is given a port.
#[test]
fn practice_daemon() {
    let Some(port) = std::env::args().find_map(|argument| argument.strip_prefix("port=")?.parse().ok()) else { return };
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    listener.incoming().for_each(drop);
}

fn practice(port: u16, before: &str) -> Case {
    let us = std::env::current_exe().unwrap();
    let script = format!("{before} exec {} --exact real::services::tests::practice_daemon port={port}", us.display());
    Case::with(&["/bin/sh", "-c", &script], |daemon| daemon.probe = Some(at(port)))
}

fn at(port: u16) -> Probe {
    Probe { kind: ProbeKind::Tcp, host: None, port }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_daemon_starts_and_stops_and_leaves_only_what_it_printed() {
    let case = Case::new(&["/bin/sh", "-c", "echo hello; exec sleep 1000"]);
    assert_eq!(case.services.names(&case.programs).unwrap(), ["app"]);
    assert_eq!(case.state(), stopped());
    assert_eq!(case.set(running()).unwrap(), running());
    let pid = case.pid();
    until("it prints", || fs::read_to_string(case.path("app.log")).unwrap() == "hello\n");
    assert_eq!(case.set(stopped()).unwrap(), stopped());
    assert!(procfs::stat(pid).is_none_or(|stat| stat.zombie));
    let left: Vec<_> = fs::read_dir(case.dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["app.log"]);
}

#[test]
fn a_daemon_lives_in_a_session_of_its_own_and_inherits_nothing() {
    let case = Case::new(&["/bin/sleep", "1000"]);
    let lock = fs::File::create(case.path("lock")).unwrap();
    case.set(running()).unwrap();
    let stat = procfs::stat(case.pid()).unwrap();
    assert_eq!((stat.group, stat.session), (stat.pid, stat.pid));
    // Whoever started us may have left more open; of ours there is only what it prints to.
    let open = fs::read_dir(format!("/proc/{}/fd", stat.pid)).unwrap().map(|entry| fs::read_link(entry.unwrap().path()).unwrap());
    let ours: Vec<_> = open.filter(|path| path.starts_with(case.dir.path().canonicalize().unwrap())).collect();
    assert_eq!(ours, [case.path("app.log").canonicalize().unwrap(), case.path("app.log").canonicalize().unwrap()]);
    drop(lock);
    case.set(stopped()).unwrap();
}

#[test]
fn a_daemon_has_started_when_it_answers() {
    let port = free_port();
    let case = practice(port, "sleep 0.2;");
    assert_eq!(case.set(running()).unwrap(), running());
    TcpStream::connect(("127.0.0.1", port)).unwrap();
    assert_eq!(case.set(stopped()).unwrap(), stopped());
    TcpStream::connect(("127.0.0.1", port)).unwrap_err();
}

#[test]
fn a_daemon_whose_port_is_served_already_is_not_started_blindly() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let case = practice(listener.local_addr().unwrap().port(), "");
    assert_eq!(unsettled(case.set(running())), "its port is served by a process that its pid file does not name");
    assert!(!case.path("app.log").exists());
}

#[test]
fn a_daemon_that_never_answers_is_told_and_left_alone() {
    let case = Case::with(&["/bin/sleep", "1000"], |daemon| daemon.probe = Some(at(free_port()))).impatient();
    assert!(unsettled(case.set(running())).starts_with("it runs and does not answer, see `"));
    assert_eq!(case.state(), running());
}

#[test]
fn a_daemon_that_was_being_started_when_we_were_killed_is_not_started_twice() {
    let case = Case::with(&["/bin/sleep", "1000"], |daemon| daemon.write_pid = false).impatient();
    // As if it had been cut off there: it was started, and there is no pid file yet.
    assert!(unsettled(case.set(running())).starts_with("it runs and has written no pid file, see `"));
    assert!(!case.path("app.pid").exists());
    let later = case.later();
    assert_eq!(later.state("app", &case.programs).unwrap(), running());
    assert_eq!(case.set(stopped()).unwrap(), stopped());
}

#[test]
fn a_daemon_that_ends_at_once_is_told_with_its_exit_code() {
    let case = practice(free_port(), "exit 3;");
    let found = unsettled(case.set(running()));
    assert_eq!(found, format!("it ended at once (exit status: 3), see `{}`", case.path("app.log").display()));
    assert_eq!(case.state(), stopped());
}

#[test]
fn a_daemon_that_cannot_be_started_says_why() {
    assert_eq!(Case::new(&["/no/such"]).set(running()).unwrap_err().to_string(), "cannot find the program `/no/such`");
    assert_eq!(Case::new(&["no-such"]).set(running()).unwrap_err().to_string(), "cannot find the program `no-such`");
}

#[test]
fn a_daemon_may_go_to_the_background_by_itself_and_have_a_program_that_stops_it() {
    let case = Case::with(&["/bin/sh", "-c", "(sleep 0.1; setsid sleep 1000 & echo $! > PIDFILE.new; mv PIDFILE.new PIDFILE) &"], |daemon| {
        daemon.write_pid = false;
        daemon.stop = Some(["/bin/sh", "-c", &format!("kill $(cat {}) && echo stopped > stopped", daemon.pid_file)].map(str::to_owned).to_vec());
    });
    assert_eq!(case.set(running()).unwrap(), running());
    assert_eq!(procfs::stat(case.pid()).unwrap().group, case.pid());
    assert_eq!(case.set(stopped()).unwrap(), stopped());
    assert!(case.path("stopped").exists());
}

#[test]
fn a_program_that_fails_to_stop_a_daemon_is_told_with_its_exit_code() {
    let case = Case::with(&["/bin/sleep", "1000"], |daemon| daemon.stop = Some(vec!["/bin/false".to_owned()]));
    case.set(running()).unwrap();
    assert_eq!(unsettled(case.set(stopped())), "the program that stops it ended with exit code 1");
    assert_eq!(case.state(), running());
}

#[test]
fn a_daemon_that_ignores_being_asked_to_end_is_not_killed() {
    let case = Case::new(&["/bin/sh", "-c", "trap '' TERM; : > ready; while :; do sleep 0.01; done"]).impatient();
    case.set(running()).unwrap();
    until("it is deaf", || case.path("ready").exists());
    let pid = case.pid();
    assert_eq!(unsettled(case.set(stopped())), format!("process {pid} was asked to end and still runs"));
    assert_eq!(case.state(), running());
}

#[test]
fn a_daemon_that_died_is_stopped_whatever_its_pid_file_says() {
    let case = Case::new(&["/bin/sleep", "1000"]);
    case.set(running()).unwrap();
    kill_process(Pid::from_raw(case.pid() as i32).unwrap(), Signal::KILL).unwrap();
    until("it is seen", || case.state() == stopped());
    assert!(case.path("app.pid").exists());
    assert_eq!(case.set(running()).unwrap(), running());
}

#[test]
fn a_process_that_was_given_the_number_of_a_dead_daemon_is_not_that_daemon() {
    let case = Case::new(&["/bin/sleep", "1000"]);
    case.set(running()).unwrap();
    let mark = fs::read_to_string(case.path("app.json")).unwrap();
    case.set(stopped()).unwrap();
    let ours = std::process::id();
    fs::write(case.path("app.pid"), format!("{ours}\n")).unwrap();
    // Nobody signals what may be anything.
    let told = case.services.state("app", &case.programs).unwrap_err().to_string();
    assert!(told.contains(&format!("names process {ours}, which is no `sleep`")), "{told}");
    let mut mark: serde_json::Value = serde_json::from_str(&mark).unwrap();
    mark["process"]["pid"] = ours.into();
    fs::write(case.path("app.json"), mark.to_string()).unwrap();
    assert_eq!(case.state(), stopped());
}

#[test]
fn how_a_daemon_starts_is_remembered_until_it_is_as_usual() {
    let case = Case::new(&["/bin/sleep", "1000"]);
    for start in [StartType::Disabled, StartType::Manual] {
        assert_eq!(case.set(service(RunState::Stopped, start)).unwrap(), service(RunState::Stopped, start));
        let later = case.later();
        assert_eq!(later.state("app", &case.programs).unwrap(), service(RunState::Stopped, start));
    }
    let by_hand = service(RunState::Running, StartType::Manual);
    assert_eq!(case.set(by_hand.clone()).unwrap(), by_hand);
    assert_eq!(case.set(service(RunState::Stopped, StartType::Disabled)).unwrap(), service(RunState::Stopped, StartType::Disabled));
    assert_eq!(case.set(stopped()).unwrap(), stopped());
    assert!(!case.path("app.json").exists());
}

#[test]
fn a_service_that_is_not_as_expected_is_not_touched() {
    let case = Case::new(&["/bin/sleep", "1000"]);
    let change = Change { resource: Resource::service("app"), before: running(), after: stopped() };
    assert!(matches!(case.services.set(&change, &case.programs), Err(WorldError::Moved { .. })));
    let absent = Change { resource: Resource::service("app"), before: stopped(), after: State::Absent };
    assert!(matches!(case.services.set(&absent, &case.programs), Err(WorldError::Refused { .. })));
    assert!(matches!(case.set(service(RunState::Paused, StartType::Automatic)), Err(WorldError::Refused { .. })));
    assert_eq!(case.services.state("other", &case.programs).unwrap(), State::Absent);
}

#[test]
fn without_a_service_manager_nothing_is_said_of_services() {
    let case = Case::new(&[]);
    for config in [ServiceConfig::None, ServiceConfig::Systemd] {
        if matches!(config, ServiceConfig::Systemd) && std::path::Path::new("/run/systemd/system").exists() {
            continue;
        }
        let services = Services::new(config);
        assert!(matches!(services.state("app", &case.programs), Err(WorldError::Unavailable { .. })));
        assert!(matches!(services.names(&case.programs), Err(WorldError::Unavailable { .. })));
    }
}

#[test]
fn a_daemon_is_reloaded_as_its_description_says_or_not_at_all() {
    let case = Case::with(&["sleep", "60"], |daemon| daemon.reload = Some(vec!["sh".to_owned(), "-c".to_owned(), "true".to_owned()]));
    let program = case.services.reload("app").unwrap();
    assert!(program.argv[0].starts_with('/') && program.argv[1..] == ["-c", "true"], "{:?}", program.argv);
    assert_eq!(program.cwd, case.daemon.cwd);
    let silent = Case::new(&["sleep", "60"]);
    assert_eq!(silent.services.reload("app").unwrap_err().to_string(), "`app` is refused: the client file does not say how it is reloaded");
}
