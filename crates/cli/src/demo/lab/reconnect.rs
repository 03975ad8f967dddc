//! An interface that nobody has declared.

use super::daemon::serves;
use super::detached;
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

/// It signs in as soon as the server is back after a stop, as forgotten interfaces do.
#[derive(clap::Args, Debug)]
pub(crate) struct Reconnect {
    /// The server's port
    #[arg(long)]
    port: u16,
    /// The program that it signs in with
    #[arg(long)]
    program: PathBuf,
    /// What that program holds open
    #[arg(long)]
    hold: PathBuf,
    /// Both end when this file is gone
    #[arg(long)]
    leash: PathBuf,
}

impl Reconnect {
    /// Waits for the server to be gone, then to be back, and signs in for a minute.
    ///
    /// # Errors
    /// Its program cannot be started.
    pub(crate) fn run(&self) -> io::Result<()> {
        let mut gone = false;
        while self.leash.exists() {
            let serving = serves(self.port);
            if gone && serving {
                let mut command = Command::new(&self.program);
                command.args(["lab", "session", "--seconds", "60", "--hold"]).arg(&self.hold).arg("--leash").arg(&self.leash);
                detached(&mut command).spawn()?.wait()?;
            }
            gone = !serving;
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}
