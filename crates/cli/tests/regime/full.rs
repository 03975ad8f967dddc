//! The disk is full, more or less: whatever room there is, a run ends well or says what is missing, and is taken back. It
//! fills up when the run has begun: before that, a run that would not fit is refused.

use crate::lab::{Ended, Ends, Lab, RUN};
use crate::sample::{none, only, sample, violations};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// So much more room from one level to the next, and how many levels there are.
const STEP: u64 = 4096;
const LEVELS: u64 = 520;
/// The size of the volume, and of what the program holds back on it.
const SIZE: u64 = 24 << 20;
const RESERVE: usize = 16 << 20;

const HEAVY: &str = "format: 1
runbook: heavy
version: 1.0.0
title: Change a few hundred KiB
touches: ['file:TREE/**']
steps:
  - { id: meanwhile, action: command.run, with: { argv: [/bin/sh, TREE/../../meanwhile.sh], changes: [] } }
  - { id: place, action: dir.create, with: { path: TREE/new } }
  - { id: copied, action: file.copy, with: { from: TREE/large, to: TREE/new/large } }
  - { id: small, action: file.write, with: { path: TREE/app.conf, text: 'release: 2' } }
  - { id: replaced, action: file.copy, with: { from: TREE/larger, to: TREE/large } }
  - { id: gone, action: file.remove, with: { path: TREE/larger } }
  - { id: saved, action: dir.backup, with: { sources: [TREE/conf], to: TREE/saved }, undo: auto }
";

/// A lab on a small volume of its own.
struct Volume {
    lab: Lab,
    root: PathBuf,
}

impl Volume {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("retrace-regime-full-{}-{name}", std::process::id()));
        fs::create_dir_all(&root).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={SIZE}"), "tmpfs"]).arg(&root).status().unwrap();
        assert!(mounted.success(), "a volume needs root");
        Self { lab: Lab::at(root.join("lab"), HEAVY), root }
    }

    /// The lab as at the start, with a reserve of the true size or without a state directory at all.
    fn fill(&self, fresh: bool) {
        let _ = fs::remove_file(self.root.join("ballast"));
        let (reserve, aside) = (self.lab.state.join("reserve"), self.root.join("reserve"));
        if reserve.metadata().is_ok_and(|meta| meta.len() == RESERVE as u64) {
            fs::rename(&reserve, &aside).unwrap();
        }
        self.lab.fill();
        for (name, length) in [("large", 500_000), ("larger", 700_000)] {
            let bytes: Vec<u8> = (0..length).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
            let path = self.lab.tree.join(name);
            fs::write(&path, bytes).unwrap();
            fs::File::options().write(true).open(path).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        }
        if fresh {
            fs::remove_dir_all(&self.lab.state).unwrap();
            let _ = fs::remove_file(aside);
        } else if aside.exists() {
            fs::rename(aside, reserve).unwrap();
        } else {
            fs::write(reserve, vec![7; RESERVE]).unwrap();
        }
    }

    /// Leaves so many bytes free: at once, or as soon as the run has begun and found room enough.
    fn leave(&self, room: u64, at_once: bool) {
        let root = self.root.display();
        let free = format!("$(($(stat -f -c %a {root}) * $(stat -f -c %S {root}) - {room}))");
        let fill = format!("taken={free}\n[ $taken -le 0 ] || fallocate -l $taken {root}/ballast\n");
        let meanwhile = self.root.join("meanwhile.sh");
        fs::write(&meanwhile, if at_once { String::new() } else { fill.clone() }).unwrap();
        if at_once {
            assert!(Command::new("/bin/sh").arg("-c").arg(fill).status().unwrap().success());
        }
    }

    /// A run with so much room, and then an undo with what is left of it. Whether the run ended well.
    fn level(&self, room: u64, fresh: bool, ends: &Ends) -> Result<bool, String> {
        self.fill(fresh);
        self.leave(room, fresh);
        let run = self.lab.retrace("run");
        let told = |text: String| format!("with {room} bytes free{}: {text}", if fresh { " and no state directory" } else { "" });
        judge(&run).and_then(|()| self.lab.old_or_new(ends)).map_err(told)?;
        let back = if self.lab.begun(RUN) {
            self.lab.settles("undo", ends)
        } else if run.code == Some(0) {
            Err("it ended well and has no journal".to_owned())
        } else {
            self.lab.is_start(ends)
        };
        back.map_err(|text| told(format!("run ended {:?}: {}; {text}", run.code, run.text)))?;
        Ok(run.code == Some(0))
    }

    fn ends(&self) -> Ends {
        self.fill(false);
        fs::write(self.root.join("meanwhile.sh"), "").unwrap();
        let start = crate::manifest::manifest(&self.lab.tree);
        self.lab.done(&["run"]).unwrap();
        Ends { start, finished: crate::manifest::manifest(&self.lab.tree) }
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg::<&Path>(&self.root).status());
        drop(fs::remove_dir(&self.root));
    }
}

/// It ended well, or it says that there is no room.
fn judge(run: &Ended) -> Result<(), String> {
    match run.code {
        Some(0) => Ok(()),
        Some(1) if run.text.contains("No space left") || run.text.contains("the disk is full") => Ok(()),
        Some(4) if run.text.contains("No space left") || run.text.contains("there is not enough room") => Ok(()),
        code => Err(format!("run ended {code:?}: {}", run.text)),
    }
}

#[test]
fn however_full_the_disk_is_a_run_can_be_taken_back() {
    let volumes = [Volume::new("0"), Volume::new("1")];
    let ends: Vec<Ends> = volumes.iter().map(Volume::ends).collect();
    // With a reserve at every level; without one at a few, for it has to be made first.
    let fresh = (0..40).map(|level| (level * (RESERVE as u64 + (2 << 20)) / 40, true));
    let levels: Vec<(u64, bool)> = (0..LEVELS).map(|level| (level * STEP, false)).chain(fresh).collect();
    let well = std::sync::atomic::AtomicUsize::new(0);
    let wrong = violations(&sample(&levels, levels.len()), |worker, _, (room, fresh)| {
        let went = volumes[worker].level(*room, *fresh, &ends[worker])?;
        well.fetch_add(usize::from(went), std::sync::atomic::Ordering::Relaxed);
        Ok(())
    });
    let well = well.into_inner();
    println!("full disk: {} levels, the run ended well at {well}", levels.len());
    none(&wrong, levels.len(), 500);
    assert!(only().is_some() || (well > 20 && levels.len() - well > 300), "the levels are too low or too high: the run ended well at {well}");
}
