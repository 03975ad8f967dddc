//! A small tree, a runbook that changes it, and the program.

use crate::disk::{Disk, Image, put};
use crate::manifest::{Manifest, difference, manifest, untimed};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

/// The name of every run.
pub(crate) const RUN: &str = "trial";

/// Where the built program is; `RETRACE_BIN` names another.
pub(crate) fn program() -> PathBuf {
    std::env::var_os("RETRACE_BIN").map_or_else(|| env!("CARGO_BIN_EXE_retrace").into(), PathBuf::from)
}

/// A directory with the tree, the state directory, and the runbook.
pub(crate) struct Lab {
    pub(crate) root: PathBuf,
    pub(crate) tree: PathBuf,
    pub(crate) state: PathBuf,
    pub(crate) runbook: PathBuf,
    /// The mistake that the program makes in this lab.
    pub(crate) bug: Option<u8>,
    /// How many steps at once.
    pub(crate) jobs: usize,
    /// Whether it is a practice site.
    pub(crate) practice: bool,
}

/// How the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) text: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Self { code: output.status.code(), text }
    }
}

/// The tree before a run and after it.
#[derive(Clone)]
pub(crate) struct Ends {
    pub(crate) start: Manifest,
    pub(crate) finished: Manifest,
}

/// Where labs are: in memory, where there is room.
pub(crate) fn place() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let room = rustix::fs::statvfs(memory).is_ok_and(|fs| fs.f_bavail * fs.f_frsize > 512 << 20);
    let base = if room { memory.to_owned() } else { std::env::temp_dir() };
    base.join(format!("retrace-regime-{}", std::process::id()))
}

impl Lab {
    /// A lab of that name with the usual runbook.
    pub(crate) fn new(name: &str) -> Self {
        Self::with(name, RUNBOOK)
    }

    /// A lab with a runbook of its own; `TREE` stands for the tree.
    pub(crate) fn with(name: &str, runbook: &str) -> Self {
        Self::at(place().join(name), runbook)
    }

    /// A lab in a place of its own.
    pub(crate) fn at(root: PathBuf, runbook: &str) -> Self {
        let lab =
            Self { tree: root.join("tree"), state: root.join("state"), runbook: root.join("change.yaml"), root, bug: None, jobs: 1, practice: false };
        fs::create_dir_all(&lab.root).unwrap();
        lab.write(runbook);
        lab.fill();
        lab
    }

    /// The same lab with a program that makes a mistake.
    pub(crate) fn with_bug(mut self, bug: Option<u8>) -> Self {
        self.bug = bug;
        self
    }

    /// Another runbook.
    pub(crate) fn write(&self, runbook: &str) {
        fs::write(&self.runbook, runbook.replace("TREE", self.tree.to_str().unwrap())).unwrap();
    }

    /// The tree as at the start, and no state directory.
    pub(crate) fn empty(&self) {
        for dir in [&self.tree, &self.state] {
            if dir.exists() {
                fs::remove_dir_all(dir).unwrap();
            }
        }
        fs::DirBuilder::new().mode(0o755).create(&self.tree).unwrap();
        for (i, (name, text, mode)) in START.iter().enumerate() {
            let path = self.tree.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
            let modified = SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000 + i as u64, 123_456_789);
            fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        }
    }

    /// The same with a state directory.
    pub(crate) fn fill(&self) {
        self.empty();
        self.reserve();
    }

    /// A state directory in which only the reserve is, and that a small one: making it takes time.
    pub(crate) fn reserve(&self) {
        fs::DirBuilder::new().mode(0o700).create(&self.state).unwrap();
        let reserve = self.state.join("reserve");
        let mut options = fs::OpenOptions::new();
        std::io::Write::write_all(&mut options.write(true).create_new(true).mode(0o600).open(reserve).unwrap(), &[7; 4096]).unwrap();
    }

    /// What is there now.
    pub(crate) fn image(&self) -> Image {
        Disk::of(&self.root).cached()
    }

    /// Puts back what was there.
    pub(crate) fn put(&self, image: &Image) {
        put(image, [&self.tree, &self.state]);
    }

    /// The words after the program's name. `redo` takes back what `undo` did; `resume X` goes on with the run that X began.
    pub(crate) fn words(&self, verb: &str) -> Vec<String> {
        let (command, run) = match verb {
            "run" => ("run", self.runbook.to_str().unwrap()),
            "resume" => ("resume", RUN),
            "undo" => ("undo", RUN),
            "resume undo" => ("resume", "trial.undo-1"),
            "redo" => ("undo", "trial.undo-1"),
            "resume redo" => ("resume", "trial.undo-1.undo-1"),
            "another" => ("run", self.runbook.to_str().unwrap()),
            other => panic!("no such verb: {other}"),
        };
        let mut words: Vec<String> = [command, run, "--state", self.state.to_str().unwrap(), "--yes", "--no-input"].map(str::to_owned).into();
        if command == "run" {
            words.extend(["--run-id".to_owned(), if verb == "run" { RUN } else { verb }.to_owned()]);
            words.extend(["--jobs".to_owned(), self.jobs.to_string()]);
        }
        if self.practice {
            let file = |name: &str| self.root.join(name).to_str().unwrap().to_owned();
            let client = if command == "run" { file("practice.yaml") } else { "practice".to_owned() };
            words.extend(["--client".to_owned(), client, "--answers".to_owned(), file("answers.yaml")]);
            // What holds keys is kept sealed.
            words.extend(["--identity".to_owned(), file("identity.txt")]);
        }
        words
    }

    /// A command that makes the lab's mistake.
    pub(crate) fn command(&self, name: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(name);
        command.env_remove("RETRACE_PLANT").envs(self.bug.map(|bug| ("RETRACE_PLANT", bug.to_string())));
        command
    }

    /// Carries out one verb.
    pub(crate) fn retrace(&self, verb: &str) -> Ended {
        self.command(program()).args(self.words(verb)).output().unwrap().into()
    }

    /// Carries out one verb under `strace`.
    pub(crate) fn strace<S: AsRef<OsStr>>(&self, options: &[S], verb: &str) -> Ended {
        self.command("strace").args(["-f", "-qq"]).args(options).arg(program()).args(self.words(verb)).output().unwrap().into()
    }

    /// How that is done by hand.
    pub(crate) fn replay(&self, options: &[String], verb: &str) -> String {
        let bug = self.bug.map_or(String::new(), |bug| format!("RETRACE_PLANT={bug} "));
        format!("\n  replay: {bug}strace -f {} {} {}", options.join(" "), program().display(), self.words(verb).join(" "))
    }

    /// Carries out verbs that must succeed.
    pub(crate) fn done(&self, verbs: &[&str]) -> Result<(), String> {
        for verb in verbs {
            let ended = self.retrace(verb);
            if ended.code != Some(0) {
                return Err(format!("{verb} ended {:?}: {}", ended.code, ended.text));
            }
        }
        Ok(())
    }

    /// The start and the finished tree; that a program with a bug may already spoil.
    pub(crate) fn ends(&self) -> Ends {
        self.fill();
        let start = manifest(&self.tree);
        let output = Command::new(program()).args(self.words("run")).output().unwrap();
        let ended = Ended::from(output);
        assert_eq!(ended.code, Some(0), "{}", ended.text);
        let finished = manifest(&self.tree);
        self.fill();
        Ends { start, finished }
    }

    /// What a program of the run may have been writing: it began, and no line says how it ended. If the run is taken back, it
    /// stays as it is until it is set back.
    pub(crate) fn in_doubt(&self) -> Vec<String> {
        let journal = fs::read_to_string(self.state.join("runs").join(RUN).join("journal.ndjson")).unwrap_or_default();
        let mut open = BTreeMap::new();
        let mut taken_back = false;
        for line in journal.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok()) {
            let (what, about) = (line["what"].as_str(), line["about"].as_str().unwrap_or_default());
            match line["event"].as_str() {
                Some("intended") if line["effect"]["effect"] == "run" => {
                    open.insert(line["step"].as_str().unwrap().to_owned(), line["effect"]["changes"].clone());
                }
                Some("applied") if !(taken_back && line["exit"].is_null()) => drop(open.remove(line["step"].as_str().unwrap())),
                Some("decided") if what == Some("undo") => taken_back = true,
                Some("decided") if what == Some("not_happened") => drop(open.remove(about.split('#').next().unwrap())),
                _ => {}
            }
        }
        let resources = open.into_values().flat_map(|changes| changes.as_array().cloned().unwrap_or_default());
        let prefix = format!("file:{}/", self.tree.display());
        resources.filter_map(|change| Some(change["resource"].as_str()?.strip_prefix(&prefix)?.to_owned())).collect()
    }

    /// Every file is as before or as after, but for what a program may have been writing.
    pub(crate) fn old_or_new(&self, ends: &Ends) -> Result<(), String> {
        let (start, finished, found) = (untimed(&ends.start), untimed(&ends.finished), untimed(&manifest(&self.tree)));
        let in_doubt = self.in_doubt();
        let is_in_doubt =
            |name: &str| in_doubt.iter().any(|top| name == top || name.strip_prefix(top.as_str()).is_some_and(|rest| rest.starts_with('/')));
        for name in start.keys().chain(finished.keys()).chain(found.keys()) {
            let (is, old, new) = (found.get(name), start.get(name), finished.get(name));
            if is != old && is != new && !name.contains(".retrace") && !is_in_doubt(name) {
                return Err(format!("{name} is neither old nor new: {is:?}"));
            }
        }
        Ok(())
    }

    /// The tree is as at the start, to the nanosecond.
    pub(crate) fn is_start(&self, ends: &Ends) -> Result<(), String> {
        let found = manifest(&self.tree);
        if found == ends.start { Ok(()) } else { Err(difference(&ends.start, &found)) }
    }

    /// The verb ends well, and the tree is then as wanted: to the nanosecond after an undo.
    pub(crate) fn settles(&self, verb: &str, ends: &Ends) -> Result<(), String> {
        self.done(&[verb])?;
        if verb.ends_with("undo") {
            return self.is_start(ends).map_err(|text| format!("after {verb}: {text}"));
        }
        let (wanted, found) = (untimed(&ends.finished), untimed(&manifest(&self.tree)));
        if wanted == found { Ok(()) } else { Err(format!("after {verb}: {}", difference(&wanted, &found))) }
    }

    /// Whether a run's journal has an event.
    pub(crate) fn has(&self, run: &str, event: &str) -> bool {
        let journal = fs::read_to_string(self.state.join("runs").join(run).join("journal.ndjson")).unwrap_or_default();
        journal.contains(&format!("\"event\":\"{event}\""))
    }

    /// Whether a run is on disk: it has a whole first line.
    pub(crate) fn begun(&self, run: &str) -> bool {
        fs::read(self.state.join("runs").join(run).join("journal.ndjson")).is_ok_and(|journal| journal.contains(&b'\n'))
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if !std::thread::panicking() && crate::sample::only().is_none() {
            drop(fs::remove_dir_all(&self.root));
            // The last one removes what they lie in.
            drop(self.root.parent().map(fs::remove_dir));
        }
    }
}

const START: [(&str, &str, u32); 7] = [
    ("app.conf", "release: 1, with a long line that no other file has\n", 0o640),
    ("package", "the new program\n", 0o644),
    ("stale.txt", "no longer wanted\n", 0o600),
    ("generate.sh", "printf 'generated\\n' > \"$1/generated.conf\"\n", 0o755),
    ("old.log", "what happened before\n", 0o604),
    ("conf/first.conf", "first\n", 0o640),
    ("conf/more/second.conf", "second\n", 0o600),
];

const RUNBOOK: &str = r#"format: 1
runbook: change
version: 1.0.0
title: Change a small tree
touches: ['file:TREE/**']
on_failure: stop
steps:
  - id: place
    action: dir.create
    with: { path: TREE/new, mode: '0750' }
  - id: config
    action: file.write
    with: { path: TREE/app.conf, text: "release: 2\n" }
  - id: fresh
    action: file.write
    with: { path: TREE/new/fresh.conf, text: "fresh\n", mode: '0600' }
  - id: copied
    action: file.copy
    with: { from: TREE/package, to: TREE/new/program, mode: '0755' }
  - id: gone
    action: file.remove
    with: { path: TREE/stale.txt }
  - id: private
    action: file.write
    with: { path: TREE/package, mode: '0600' }
  - id: saved
    action: dir.backup
    with: { sources: [TREE/conf], to: TREE/saved }
    undo: auto
  - id: moved
    action: file.move
    with: { from: TREE/old.log, to: TREE/new/old.log }
  - id: generate
    action: command.run
    with: { argv: [/bin/sh, TREE/generate.sh, TREE], changes: ['file:TREE/generated.conf'] }
    done_when:
      - { id: generated, action: assert.file, with: { path: TREE/generated.conf, contains: "generated\n" } }
  - id: ready
    action: file.write
    with: { path: TREE/ready, text: "yes\n" }
"#;
