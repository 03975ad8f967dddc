//! The programs of the practice site. They are part of `retrace` so that a newcomer needs nothing else; each is a real
//! program of its own process. They do nothing to anything but the practice site.

mod daemon;
mod reconnect;
mod session;
mod sysconfig;

use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// `retrace lab`.
#[derive(clap::Args, Debug)]
pub(crate) struct Lab {
    #[command(subcommand)]
    pub(crate) program: Program,
}

/// A program of the practice site.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Program {
    /// A server: writes its pid file, holds a file open, accepts connections until it is told to end
    Daemon(daemon::Daemon),
    /// Starts a daemon and returns once it serves
    Start(daemon::Daemon),
    /// A person or an interface at work: holds a file open for a while
    Session(session::Session),
    /// An interface that nobody has declared: comes back whenever the server does
    Reconnect(reconnect::Reconnect),
    /// System Configuration
    Sysconfig(sysconfig::Sysconfig),
    /// Fails as a mistake in retrace would, so that a script can be shown that exit too
    Bug,
    /// Ends what runs on a practice site
    Stop {
        /// The practice site
        dir: PathBuf,
    },
}

/// Runs a program of the practice site.
///
/// # Errors
/// What it says.
///
/// # Panics
/// Asked to.
pub(crate) fn run(lab: &Lab) -> io::Result<()> {
    match &lab.program {
        Program::Daemon(daemon) => daemon.run(),
        Program::Start(daemon) => daemon.start(),
        Program::Session(session) => session.run(),
        Program::Reconnect(reconnect) => reconnect.run(),
        Program::Sysconfig(sysconfig) => sysconfig.run(),
        Program::Bug => panic!("made on purpose"),
        Program::Stop { dir } => super::Site::open(dir)?.end(),
    }
}

/// A command that outlives us: no terminal, no pipes, a process group of its own.
pub(crate) fn detached(command: &mut Command) -> &mut Command {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}
