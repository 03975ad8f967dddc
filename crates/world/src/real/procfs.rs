//! The process table of Linux.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

/// What `/proc/PID/stat` says of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stat {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    pub(crate) group: u32,
    pub(crate) session: u32,
    /// Clock ticks from the start of the machine to that of the process: with the number it names a process for ever.
    pub(crate) started: u64,
    /// Ended with all its threads, and not yet asked for by its parent.
    pub(crate) zombie: bool,
}

/// The numbers of all processes.
pub(crate) fn pids() -> std::io::Result<impl Iterator<Item = u32>> {
    Ok(fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()))
}

/// A process, if it is there.
pub(crate) fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may itself hold blanks and parentheses.
    let after = text.iter().rposition(|&byte| byte == b')')? + 1;
    let fields: Vec<&str> = std::str::from_utf8(&text[after..]).ok()?.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse().ok();
    Some(Stat {
        pid,
        // The first thread may be gone before the others, which hold the files and ports of the process.
        zombie: matches!(*fields.first()?, "Z" | "X" | "x") && number(17)? <= 1,
        parent: number(1)?,
        group: number(2)?,
        session: number(3)?,
        started: fields.get(19)?.parse().ok()?,
    })
}

/// Whether a process is of a program of that name: by its file, or by a word of its command line, for a script runs in another one.
pub(crate) fn is_of(pid: u32, program: &str) -> bool {
    let is_named = |path: &[u8]| path.rsplit(|byte| *byte == b'/').next() == Some(program.as_bytes());
    let file = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    let file = file.as_os_str().as_encoded_bytes();
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    // A title that a daemon gives itself: `nginx: master process /usr/sbin/nginx`.
    let words = line.split(|byte| matches!(byte, 0 | b' ' | b':'));
    is_named(file.strip_suffix(b" (deleted)").unwrap_or(file)) || words.into_iter().any(is_named)
}

/// Whether a process holds one of these files open, given by device and inode. Of a process that we may not ask: no.
pub(crate) fn holds(pid: u32, files: &[(u64, u64)]) -> bool {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    entries.flatten().any(|entry| fs::metadata(entry.path()).is_ok_and(|meta| files.contains(&(meta.dev(), meta.ino()))))
}
