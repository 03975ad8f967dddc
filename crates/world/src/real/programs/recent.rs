//! What the program that was started last has written so far, for whoever waits for it.

use super::system;
use crate::act::Start;
use std::fs::File;
use std::io;
use std::sync::{Mutex, PoisonError};

/// How much of the end of each stream is read.
const TAIL: u64 = 8 << 10;

/// What the program that was started last has written so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recent {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Whether it still runs.
    pub running: bool,
    /// The end of its standard output, some KiB; none where it was given a secret, which it may have written.
    pub stdout: Option<Vec<u8>>,
    /// The end of its standard error.
    pub stderr: Option<Vec<u8>>,
}

/// The program that was started last.
#[derive(Default)]
pub(super) struct Latest(Mutex<Option<Watched>>);

struct Watched {
    place: u64,
    argv: Vec<String>,
    running: bool,
    /// Its spools; none where it was given a secret, and of one that had stayed empty: that is used again.
    streams: [Option<File>; 2],
    secret: bool,
}

impl Latest {
    /// A program has started, which writes into these. Gives its place in the row of all.
    pub(super) fn begins(&self, start: &Start<'_>, streams: [&File; 2]) -> u64 {
        let secret = !start.secrets.env.is_empty() || start.secrets.stdin.is_some();
        // Where no more files can be opened there is nothing to see.
        let streams = streams.map(|file| if secret { None } else { file.try_clone().ok() });
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = latest.as_ref().map_or(0, |before| before.place + 1);
        *latest = Some(Watched { place, argv: start.program.argv.clone(), running: true, streams, secret });
        place
    }

    /// It has ended. Another one may have been started since.
    pub(super) fn ended(&self, place: u64, streams: [&File; 2]) {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watched) = latest.as_mut().filter(|watched| watched.place == place) {
            watched.running = false;
            for (ours, theirs) in watched.streams.iter_mut().zip(streams) {
                ours.take_if(|_| theirs.metadata().is_ok_and(|known| known.len() == 0));
            }
        }
    }

    /// What it has written so far.
    pub(super) fn read(&self) -> Option<Recent> {
        let latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let watched = latest.as_ref()?;
        let read = |file: &Option<File>| (!watched.secret).then(|| file.as_ref().and_then(|file| tail(file).ok()).unwrap_or_default());
        let [stdout, stderr] = &watched.streams;
        Some(Recent { argv: watched.argv.clone(), running: watched.running, stdout: read(stdout), stderr: read(stderr) })
    }
}

fn tail(file: &File) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    let mut bytes = vec![0; usize::try_from(length.min(TAIL)).unwrap_or(0)];
    let read = system::read_at(file, &mut bytes, length.saturating_sub(TAIL))?;
    bytes.truncate(read);
    Ok(bytes)
}
