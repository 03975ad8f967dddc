//! A journal that is being written.

use crate::error::WorldError;
use crate::real::files::flush::flush;
use crate::store::Journal;
use std::fs::File;
use std::io::{self, Write};

pub(super) struct DiskJournal {
    file: File,
    name: String,
    /// Its length without what could not be written whole.
    length: u64,
    poisoned: bool,
}

impl DiskJournal {
    pub(super) fn new(file: File, name: String, length: u64) -> Self {
        Self { file, name, length, poisoned: false }
    }

    fn sound(&self) -> Result<(), WorldError> {
        if !self.poisoned {
            return Ok(());
        }
        Err(WorldError::Poisoned { name: self.name.clone(), source: io::Error::other("a flush has failed before") })
    }
}

impl Journal for DiskJournal {
    fn append(&mut self, lines: &[u8]) -> Result<(), WorldError> {
        self.sound()?;
        let written = if crate::planted::bug(24) { self.file.write(lines).map(drop) } else { self.file.write_all(lines) };
        if let Err(e) = written {
            // Half a line must not stay. If it cannot be cut off, nothing may follow it.
            self.poisoned = self.file.set_len(self.length).is_err();
            return Err(WorldError::io("write", self.name.as_str(), e));
        }
        self.length += lines.len() as u64;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), WorldError> {
        self.sound()?;
        if crate::planted::bug(2) {
            return Ok(());
        }
        let flushed = flush(&self.name, || self.file.sync_data());
        self.poisoned = flushed.is_err();
        flushed
    }
}
