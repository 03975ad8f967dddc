//! The running programs.

use crate::error::WorldError;
use crate::look::Process;

/// The running programs, by number. What belongs to others and may not be read is left out of them: path and open files.
#[cfg(unix)]
pub(crate) fn processes() -> Result<Vec<Process>, WorldError> {
    let pids = super::procfs::pids().map_err(|e| WorldError::io("list", "/proc", e))?;
    let mut processes: Vec<Process> = pids.filter_map(unix::process).collect();
    processes.sort_by_key(|process| process.pid);
    Ok(processes)
}

/// The running programs.
#[cfg(not(unix))]
pub(crate) fn processes() -> Result<Vec<Process>, WorldError> {
    Err(WorldError::Unavailable { what: "the list of processes".to_owned() })
}

#[cfg(unix)]
mod unix {
    use crate::look::Process;
    use crate::real::procfs::stat;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    /// The parent of the threads of the kernel, which are no programs.
    const KERNEL: u32 = 2;

    pub(super) fn process(pid: u32) -> Option<Process> {
        let stat = stat(pid)?;
        if stat.zombie || stat.pid == KERNEL || stat.parent == KERNEL {
            return None;
        }
        let path = fs::read_link(format!("/proc/{pid}/exe")).ok().map(|path| text(&path));
        let image = match &path {
            Some(path) => path.rsplit('/').next().unwrap_or(path).to_owned(),
            None => String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/comm")).ok()?).trim_end().to_owned(),
        };
        Some(Process { pid, image, path, open: open(pid) })
    }

    fn open(pid: u32) -> Vec<String> {
        let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { return Vec::new() };
        let targets = entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
        let files: BTreeSet<String> = targets.filter(|target| target.is_absolute()).map(|target| text(&target)).collect();
        files.into_iter().collect()
    }

    /// A file that was replaced while it was open is still known by its name.
    fn text(path: &Path) -> String {
        let text = path.to_string_lossy();
        text.strip_suffix(" (deleted)").unwrap_or(&text).to_owned()
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails loudly")]

    use super::processes;

    #[test]
    fn we_are_among_the_running_programs_with_what_we_hold_open() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("held");
        let _held = std::fs::File::create(&path).unwrap();
        let all = processes().unwrap();
        let us = all.iter().find(|process| process.pid == std::process::id()).unwrap();
        assert_eq!(us.path.as_deref(), std::env::current_exe().unwrap().to_str());
        assert!(us.path.as_ref().unwrap().ends_with(&us.image));
        assert!(us.open.contains(&path.canonicalize().unwrap().to_str().unwrap().to_owned()));
        assert!(all.is_sorted_by_key(|process| process.pid));
    }
}
