//! Making bytes durable.

use crate::error::WorldError;
use std::fs::File;
use std::io;

/// Something that can be made durable.
pub(crate) trait Flush: Sync {
    fn flush(&self) -> io::Result<()>;
}

impl Flush for File {
    fn flush(&self) -> io::Result<()> {
        self.sync_all()
    }
}

/// Flushes files, several at a time: the disk does them together.
pub(crate) fn round<F: Flush>(files: &[(&F, &str)]) -> Result<(), WorldError> {
    let one = |&(file, name): &(&F, &str)| flush(name, || file.flush());
    if files.len() < 4 {
        return files.iter().try_for_each(one);
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> = files.chunks(files.len().div_ceil(4)).map(|part| scope.spawn(move || part.iter().try_for_each(one))).collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(flushed) => flushed,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}

/// One flush. It is never tried again: after a failed one the system says yes and the bytes are lost.
pub(crate) fn flush(name: &str, mut call: impl FnMut() -> io::Result<()>) -> Result<(), WorldError> {
    let done = match call() {
        Err(_) if crate::planted::bug(9) => call(),
        done => done,
    };
    done.map_err(|source| WorldError::Poisoned { name: name.to_owned(), source })
}
