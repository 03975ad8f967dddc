//! The running programs.

use crate::error::WorldError;
use crate::look::Process;

/// The running programs, by number. What belongs to others and may not be read is left out of them: path and open files.
#[cfg(unix)]
pub(crate) fn processes() -> Result<Vec<Process>, WorldError> {
    let pids = super::procfs::pids().map_err(|e| WorldError::io("list", "/proc", e))?;
    let machine = unix::Machine::now();
    let mut processes: Vec<Process> = pids.filter_map(|pid| machine.process(pid)).collect();
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
    use crate::real::procfs::{Stat, stat};
    use jiff::Timestamp;
    use std::collections::{BTreeSet, HashMap};
    use std::fs;
    use std::path::Path;

    /// The parent of the threads of the kernel, which are no programs.
    const KERNEL: u32 = 2;

    /// The unit in which the kernel tells everybody when a process was started: the same on every architecture that we build for.
    const TICKS_A_SECOND: u64 = 100;

    /// What is needed to understand what the kernel says of processes.
    pub(super) struct Machine {
        /// When it was started, in seconds of the clock.
        booted: Option<u64>,
        /// Names of users by number.
        users: HashMap<String, String>,
    }

    impl Machine {
        pub(super) fn now() -> Self {
            let booted =
                fs::read_to_string("/proc/stat").ok().and_then(|text| text.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok()));
            let register = fs::read("/etc/passwd").map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
            let named = register.lines().filter_map(|line| {
                let mut fields = line.split(':');
                let name = fields.next()?;
                Some((fields.nth(1)?.to_owned(), name.to_owned()))
            });
            // Of several names the first counts, as for everybody else.
            let mut users = HashMap::new();
            for (number, name) in named {
                users.entry(number).or_insert(name);
            }
            Self { booted, users }
        }

        pub(super) fn process(&self, pid: u32) -> Option<Process> {
            let started = |ticks: u64| Timestamp::from_second((self.booted? + ticks / TICKS_A_SECOND).try_into().ok()?).ok();
            let stat = stat(pid)?;
            let mut process = process(pid, stat)?;
            process.started = started(stat.started);
            process.user = user(pid).map(|number| self.users.get(&number).cloned().unwrap_or(number));
            Some(process)
        }
    }

    /// The number of the user as whom it works.
    fn user(pid: u32) -> Option<String> {
        let status = fs::read(format!("/proc/{pid}/status")).ok()?;
        let status = String::from_utf8_lossy(&status);
        let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
        line.split_ascii_whitespace().nth(1).map(str::to_owned)
    }

    fn process(pid: u32, stat: Stat) -> Option<Process> {
        if stat.zombie || stat.pid == KERNEL || stat.parent == KERNEL {
            return None;
        }
        let path = fs::read_link(format!("/proc/{pid}/exe")).ok().map(|path| text(&path));
        let image = match &path {
            Some(path) => path.rsplit('/').next().unwrap_or(path).to_owned(),
            None => String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/comm")).ok()?).trim_end().to_owned(),
        };
        Some(Process { pid, image, path, open: open(pid), user: None, started: None })
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
        let ago = jiff::Timestamp::now().duration_since(us.started.unwrap()).as_secs_f64();
        assert!((-2.0..3600.0 * 24.0).contains(&ago), "started {ago} s ago");
        assert!(us.user.as_ref().is_some_and(|user| !user.is_empty()));
        assert!(all.is_sorted_by_key(|process| process.pid));
    }
}
