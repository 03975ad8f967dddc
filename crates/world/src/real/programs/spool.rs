//! Nameless files that take what a program writes.
//!
//! A file instead of a pipe: nothing is lost, nobody has to read along, and a grandchild that keeps it open hangs nothing.

use super::system;
use crate::act::Spool;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Where spools are made, and the empty ones that can be used again: most programs write nothing, and making and
/// unmaking two files is a good part of what it costs to start one.
pub(super) struct Spools {
    dir: PathBuf,
    empty: Mutex<Vec<File>>,
}

impl Spools {
    pub(super) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), empty: Mutex::new(Vec::new()) }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// An empty file: our opening of it, and one for a program, so that neither moves the other's place.
    pub(super) fn start(&self) -> io::Result<(File, File)> {
        let kept = self.empty.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let ours = match kept {
            Some(file) => file,
            None => system::nameless(&self.dir)?,
        };
        let theirs = system::open_again(&ours)?;
        Ok((ours, theirs))
    }

    /// What was written until now.
    pub(super) fn end(&self, ours: File) -> io::Result<Spool> {
        let length = ours.metadata()?.len();
        if length > 0 {
            return Ok(Spool { length, bytes: Box::new(Written { file: ours, at: 0, length }) });
        }
        // A process that outlived the program might still write into it.
        if system::nobody_writes(&ours) {
            self.empty.lock().unwrap_or_else(PoisonError::into_inner).push(ours);
        }
        Ok(Spool { length, bytes: Box::new(io::empty()) })
    }
}

/// What was written when the program had ended; what others add later is left out.
struct Written {
    file: File,
    at: u64,
    length: u64,
}

impl Read for Written {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let want = buffer.len().min(usize::try_from(self.length - self.at).unwrap_or(usize::MAX));
        let count = system::read_at(&self.file, &mut buffer[..want], self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}
