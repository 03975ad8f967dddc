//! A program and all it has started, as far as they can be found.

use crate::real::procfs::{self, Stat};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt as _;

/// The processes of a program: its group, everybody descended from it, and whoever holds its output open. One that has
/// left the group, lost its parent and closed everything before it was ever seen is not found.
pub(super) struct Family {
    leader: u32,
    /// Device and inode of the files that only this program was given.
    marks: Vec<(u64, u64)>,
    /// Who was seen before, with the time of the start: they stay members when their parent goes.
    known: BTreeMap<u32, u64>,
}

impl Family {
    pub(super) fn new(leader: u32, marks: &[&File]) -> Self {
        let marks = marks.iter().filter_map(|file| file.metadata().ok()).map(|meta| (meta.dev(), meta.ino())).collect();
        Self { leader, marks, known: BTreeMap::new() }
    }

    /// The members that still run.
    pub(super) fn members(&mut self) -> Vec<Stat> {
        let ours = std::process::id();
        let all: Vec<Stat> = procfs::pids().map(|pids| pids.filter_map(procfs::stat).collect()).unwrap_or_default();
        let mut found: BTreeMap<u32, Stat> = BTreeMap::new();
        for stat in &all {
            // Between fork and exec a program of another step holds what we hold. It is our child, as nobody of this family is.
            let stranger = stat.pid == ours || stat.pid == 1 || (stat.parent == ours && stat.pid != self.leader);
            let member = !stranger
                && (stat.pid == self.leader
                    || stat.group == self.leader
                    || self.known.get(&stat.pid) == Some(&stat.started)
                    || procfs::holds(stat.pid, &self.marks));
            if member {
                found.insert(stat.pid, *stat);
            }
        }
        loop {
            let children: Vec<Stat> = all.iter().filter(|stat| found.contains_key(&stat.parent) && !found.contains_key(&stat.pid)).copied().collect();
            if children.is_empty() {
                break;
            }
            found.extend(children.into_iter().map(|stat| (stat.pid, stat)));
        }
        self.known = found.values().map(|stat| (stat.pid, stat.started)).collect();
        found.into_values().filter(|stat| !stat.zombie).collect()
    }

    /// Sends a signal to the group and to each member outside it.
    pub(super) fn signal(&self, members: &[Stat], signal: Signal) {
        // Nobody has waited for the leader yet, so that its number and its group's cannot have been given to others.
        if let Some(group) = pid(self.leader) {
            let _ = kill_process_group(group, signal);
        }
        for stat in members.iter().filter(|stat| stat.group != self.leader) {
            let Some(handle) = pid(stat.pid).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else { continue };
            // The handle is of whoever has the number now: only if that is still the same process.
            if procfs::stat(stat.pid).is_some_and(|now| now.started == stat.started) {
                let _ = pidfd_send_signal(&handle, signal);
            }
        }
    }
}

fn pid(number: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(number).ok()?)
}
