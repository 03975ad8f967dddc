//! A small tree, a runbook that changes it, and the program.

use crate::manifest::{Manifest, difference, manifest, untimed};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

/// The name of every run.
pub(crate) const RUN: &str = "trial";

/// Where the built program is; `RETRACE_BIN` names another.
pub(crate) fn program() -> PathBuf {
    std::env::var_os("RETRACE_BIN")
        .map_or_else(|| std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("retrace"), PathBuf::from)
}

/// A directory with the tree, the state directory, and the runbook.
pub(crate) struct Lab {
    pub(crate) root: PathBuf,
    pub(crate) tree: PathBuf,
    pub(crate) state: PathBuf,
    pub(crate) runbook: PathBuf,
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

impl Lab {
    /// An empty lab of that name.
    pub(crate) fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("retrace-regime-{}", std::process::id())).join(name);
        let lab = Self { tree: root.join("tree"), state: root.join("state"), runbook: root.join("change.yaml"), root };
        fs::create_dir_all(&lab.root).unwrap();
        fs::write(&lab.runbook, RUNBOOK.replace("TREE", lab.tree.to_str().unwrap())).unwrap();
        lab.fill();
        lab
    }

    /// The same without the step that starts a program: what that writes it does not flush.
    pub(crate) fn new_without_program(name: &str) -> Self {
        let lab = Self::new(name);
        let text = fs::read_to_string(&lab.runbook).unwrap();
        let (before, rest) = text.split_once("  - id: generate\n").unwrap();
        let (_, after) = rest.split_once("  - id: ready\n").unwrap();
        fs::write(&lab.runbook, format!("{before}  - id: ready\n{after}")).unwrap();
        lab
    }

    /// The tree as at the start, and no state directory.
    pub(crate) fn fill(&self) {
        for dir in [&self.tree, &self.state] {
            if dir.exists() {
                fs::remove_dir_all(dir).unwrap();
            }
        }
        fs::DirBuilder::new().mode(0o755).create(&self.tree).unwrap();
        for (i, (name, text, mode)) in START.iter().enumerate() {
            let path = self.tree.join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
            let modified = SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000 + i as u64, 123_456_789);
            fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        }
    }

    /// The words after the program's name.
    pub(crate) fn words(&self, verb: &str) -> Vec<String> {
        let state = self.state.to_str().unwrap().to_owned();
        let what = match verb {
            "run" => self.runbook.to_str().unwrap(),
            "resume undo" => "trial.undo-1",
            _ => RUN,
        };
        let verb = verb.split(' ').next().unwrap_or(verb);
        let mut words = vec![verb.to_owned(), what.to_owned(), "--state".to_owned(), state, "--yes".to_owned(), "--no-input".to_owned()];
        if verb == "run" {
            words.extend(["--run-id".to_owned(), RUN.to_owned()]);
        }
        words
    }

    /// Carries out one verb.
    pub(crate) fn retrace(&self, verb: &str) -> Ended {
        Command::new(program()).args(self.words(verb)).output().unwrap().into()
    }

    /// Carries out one verb under `strace`.
    pub(crate) fn strace<S: AsRef<OsStr>>(&self, options: &[S], verb: &str) -> Ended {
        Command::new("strace").args(["-f", "-qq"]).args(options).arg(program()).args(self.words(verb)).output().unwrap().into()
    }

    /// The start and the finished tree.
    pub(crate) fn ends(&self) -> (Manifest, Manifest) {
        self.fill();
        let start = manifest(&self.tree);
        let ended = self.retrace("run");
        assert_eq!(ended.code, Some(0), "{}", ended.text);
        (start, manifest(&self.tree))
    }

    /// Every file is as before or as after.
    pub(crate) fn old_or_new(&self, start: &Manifest, finished: &Manifest) -> Result<(), String> {
        let (start, finished, found) = (untimed(start), untimed(finished), untimed(&manifest(&self.tree)));
        for name in start.keys().chain(finished.keys()).chain(found.keys()) {
            let (is, old, new) = (found.get(name), start.get(name), finished.get(name));
            if is != old && is != new && !name.ends_with(".retrace") {
                return Err(format!("{name} is neither old nor new: {is:?}"));
            }
        }
        Ok(())
    }

    /// The verb ends well, and the tree is then as wanted: to the nanosecond after an undo.
    pub(crate) fn settles(&self, verb: &str, start: &Manifest, finished: &Manifest) -> Result<(), String> {
        let ended = self.retrace(verb);
        if ended.code != Some(0) {
            return Err(format!("{verb} ended {:?}: {}", ended.code, ended.text));
        }
        let found = manifest(&self.tree);
        let (wanted, found) = if verb.ends_with("undo") { (start.clone(), found) } else { (untimed(finished), untimed(&found)) };
        if wanted == found { Ok(()) } else { Err(format!("after {verb}: {}", difference(&wanted, &found))) }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            drop(fs::remove_dir_all(&self.root));
        }
    }
}

const START: [(&str, &str, u32); 4] = [
    ("app.conf", "release: 1, with a long line that no other file has\n", 0o640),
    ("package", "the new program\n", 0o644),
    ("stale.txt", "no longer wanted\n", 0o600),
    ("generate.sh", "printf 'generated\\n' > \"$1/generated.conf\"\n", 0o755),
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
  - id: generate
    action: command.run
    with: { argv: [/bin/sh, TREE/generate.sh, TREE], changes: ['file:TREE/generated.conf'] }
    done_when:
      - { id: generated, action: assert.file, with: { path: TREE/generated.conf, contains: generated } }
  - id: ready
    action: file.write
    with: { path: TREE/ready, text: "yes\n" }
"#;
