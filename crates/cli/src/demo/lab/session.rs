//! Somebody at work.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

/// Holds a file open for a while, as a program does in which somebody works.
#[derive(clap::Args, Debug)]
pub(crate) struct Session {
    /// What it holds open
    #[arg(long)]
    hold: PathBuf,
    /// It ends when this file is gone
    #[arg(long)]
    leash: PathBuf,
    /// How many seconds at most
    #[arg(long, default_value_t = 3)]
    seconds: u64,
}

impl Session {
    /// Works.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(crate) fn run(&self) -> io::Result<()> {
        let _held = File::open(&self.hold)?;
        let until = Instant::now() + Duration::from_secs(self.seconds);
        while self.leash.exists() && Instant::now() < until {
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}
