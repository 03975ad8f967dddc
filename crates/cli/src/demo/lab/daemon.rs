//! A server of the practice site.

use super::detached;
use std::fs::{self, File};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// Runs in the foreground. It ends when it is told to, or when its pid file is no longer its own: so a practice site that is
/// thrown away leaves nothing running.
#[derive(clap::Args, Debug)]
pub(crate) struct Daemon {
    /// Where it writes its number
    #[arg(long)]
    pid_file: PathBuf,
    /// Where it accepts connections
    #[arg(long)]
    port: u16,
    /// What it holds open
    #[arg(long)]
    hold: PathBuf,
}

impl Daemon {
    /// Serves.
    ///
    /// # Errors
    /// The port is taken, or a file cannot be opened or written.
    pub(crate) fn run(&self) -> io::Result<()> {
        let listener = TcpListener::bind(("127.0.0.1", self.port))?;
        listener.set_nonblocking(true)?;
        let _held = File::open(&self.hold)?;
        let pid = std::process::id().to_string();
        let staged = self.pid_file.with_extension("new");
        fs::write(&staged, &pid)?;
        fs::rename(&staged, &self.pid_file)?;
        while fs::read_to_string(&self.pid_file).is_ok_and(|text| text.trim() == pid) {
            while listener.accept().is_ok() {}
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Starts one in the background and waits until it serves.
    ///
    /// # Errors
    /// It does not serve within ten seconds.
    pub(crate) fn start(&self) -> io::Result<()> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["lab", "daemon", "--port", &self.port.to_string()]);
        command.arg("--pid-file").arg(&self.pid_file).arg("--hold").arg(&self.hold);
        let mut child = detached(&mut command).spawn()?;
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until {
            if let Some(status) = child.try_wait()? {
                return Err(io::Error::other(format!("the daemon ended: {status}")));
            }
            if is_of(&self.pid_file, child.id()) && serves(self.port) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(io::Error::other("the daemon does not serve"))
    }
}

/// Whether a port of this machine accepts connections.
pub(crate) fn serves(port: u16) -> bool {
    TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), Duration::from_millis(500)).is_ok()
}

fn is_of(pid_file: &Path, pid: u32) -> bool {
    fs::read_to_string(pid_file).is_ok_and(|text| text.trim() == pid.to_string())
}
