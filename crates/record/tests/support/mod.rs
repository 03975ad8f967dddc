//! A state directory, and records built through the types that the engine writes with.

use jiff::Timestamp;
use model::digest::Digest;
use model::event::{Event, Head, Line};
use model::fold::Run;
use model::id::RunId;
use model::seal::Seal;
use serde_json::{Value as Json, json};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use world::error::WorldError;
use world::store::{Blobs, Journal, Lock, LockName, Make, Store};

/// A store that reads a directory as it lies on the disk, so that tests can change what lies there.
pub(crate) struct Dir {
    root: tempfile::TempDir,
}

impl Dir {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("blobs")).unwrap();
        fs::create_dir_all(root.path().join("runs")).unwrap();
        Self { root }
    }

    pub(crate) fn path(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn in_run(&self, run: &str, name: &str) -> PathBuf {
        self.root.path().join("runs").join(run).join(name)
    }

    pub(crate) fn blob_path(&self, blob: &Digest) -> PathBuf {
        self.root.path().join("blobs").join(blob.as_str())
    }

    pub(crate) fn keep_bytes(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        fs::write(self.blob_path(&digest), bytes).unwrap();
        digest
    }

    pub(crate) fn lines(&self, run: &str) -> Vec<String> {
        let text = fs::read_to_string(self.in_run(run, "journal.ndjson")).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    pub(crate) fn set_lines(&self, run: &str, lines: &[String]) {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(self.in_run(run, "journal.ndjson"), text).unwrap();
    }
}

fn unavailable<T>() -> Result<T, WorldError> {
    Err(WorldError::Unavailable { what: "writing".to_owned() })
}

impl Store for Dir {
    fn create(&self, _: &RunId) -> Result<Box<dyn Journal + '_>, WorldError> {
        unavailable()
    }
    fn reopen(&self, _: &RunId, _: u64) -> Result<Box<dyn Journal + '_>, WorldError> {
        unavailable()
    }
    fn journal(&self, run: &RunId) -> Result<Box<dyn Read + '_>, WorldError> {
        let path = self.in_run(run.as_str(), "journal.ndjson");
        fs::File::open(path).map(|file| Box::new(file) as Box<dyn Read>).map_err(|e| WorldError::io("open", run.as_str(), e))
    }
    fn runs(&self) -> Result<Vec<RunId>, WorldError> {
        let mut runs: Vec<RunId> =
            fs::read_dir(self.root.path().join("runs")).unwrap().filter_map(|entry| RunId::parse(entry.unwrap().file_name().to_str()?)).collect();
        runs.sort();
        Ok(runs)
    }
    fn put(&self, run: &RunId, name: &str, bytes: &[u8]) -> Result<(), WorldError> {
        let path = self.in_run(run.as_str(), name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        Ok(())
    }
    fn file(&self, run: &RunId, name: &str) -> Result<Option<Vec<u8>>, WorldError> {
        match fs::read(self.in_run(run.as_str(), name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(wrong) if wrong.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(wrong) => Err(WorldError::io("read", name, wrong)),
        }
    }
    fn lock(&self, _: &LockName, _: &str) -> Result<Box<dyn Lock>, WorldError> {
        unavailable()
    }
    fn key(&self, _: Make) -> Result<Option<[u8; 32]>, WorldError> {
        Ok(None)
    }
    fn release_reserve(&self) -> Result<(), WorldError> {
        Ok(())
    }
    fn remove_blob(&self, blob: &Digest) -> Result<(), WorldError> {
        fs::remove_file(self.blob_path(blob)).map_err(|e| WorldError::io("remove", blob.as_str(), e))
    }
    fn blobs(&self) -> Result<Vec<(Digest, u64)>, WorldError> {
        let mut blobs: Vec<(Digest, u64)> = fs::read_dir(self.root.path().join("blobs"))
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (Digest::parse(entry.file_name().to_str().unwrap()).unwrap(), entry.metadata().unwrap().len()))
            .collect();
        blobs.sort();
        Ok(blobs)
    }
}

impl Blobs for Dir {
    fn keep(&self, contents: &mut [&mut dyn Read]) -> Result<Vec<Digest>, WorldError> {
        let mut keep = |content: &mut &mut dyn Read| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes).unwrap();
            self.keep_bytes(&bytes)
        };
        Ok(contents.iter_mut().map(&mut keep).collect())
    }
    fn open(&self, blob: &Digest) -> Result<Box<dyn Read + '_>, WorldError> {
        let file = fs::File::open(self.blob_path(blob)).map_err(|e| WorldError::io("open", blob.as_str(), e))?;
        Ok(Box::new(file))
    }
}

/// Builds the journal of a run, event by event.
pub(crate) struct Builder<'d> {
    dir: &'d Dir,
    run: RunId,
    lines: Vec<Line>,
    text: Vec<String>,
    head: Digest,
    /// When the next event comes.
    pub(crate) at: Timestamp,
}

impl<'d> Builder<'d> {
    pub(crate) fn new(dir: &'d Dir, run: &str, previous: Option<Head>, undo_of: Option<Json>) -> Self {
        let run = RunId::parse(run).unwrap();
        let mut files = serde_json::Map::new();
        let yaml = [("runbook.yaml", "format: 1\n"), ("client.yaml", "client: harbor\n"), ("partner.yaml", "zone: UTC\n")];
        for (name, text) in yaml.into_iter().chain([("plan.json", "{}\n"), ("files/motd.tmpl", "hi\n")]) {
            dir.put(&run, name, text.as_bytes()).unwrap();
            files.insert(name.to_owned(), json!(Digest::of(text.as_bytes())));
        }
        let at = "2026-03-07T20:02:11.5Z".parse().unwrap();
        let mut built = Self { dir, run, lines: Vec::new(), text: Vec::new(), head: Digest::from_sha256([0; 32]), at };
        let mut started = json!({ "event": "run_started", "format": 1, "tool": "retrace 0.1.0", "runbook": "licence", "version": "1.4.0",
            "client": "harbor", "host": "SAGE01", "operator": "jdoe", "files": files, "inputs": { "name": "Čapek" }, "nonce": "5f1d" });
        if let Some(previous) = previous {
            started["previous"] = json!(previous);
        }
        if let Some(undo_of) = undo_of {
            started["undo_of"] = undo_of;
        }
        built.event(started);
        built
    }

    pub(crate) fn event(&mut self, event: Json) -> &mut Self {
        let event: Event = serde_json::from_value(event).unwrap();
        let line = Line { seq: self.lines.len() as u64, at: self.at, run: self.run.clone(), prev: self.head.clone(), event };
        let text = line.write().unwrap();
        self.head = Digest::of(text.as_bytes());
        self.at += jiff::SignedDuration::from_secs(1);
        self.lines.push(line);
        self.text.push(text);
        self
    }

    /// A step that sets one file, from `before` to `after`.
    pub(crate) fn set(&mut self, step: &str, path: &str, before: &str, after: &str) -> &mut Self {
        let (old, new) = (self.dir.keep_bytes(before.as_bytes()), Digest::of(after.as_bytes()));
        let file = |digest: &Digest, length: usize| json!({ "is": "file", "content": { "is": "plain", "sha256": digest, "length": length }, "meta": { "mode": 420 } });
        let resource = format!("file:{path}");
        self.event(json!({ "event": "step_started", "step": step, "attempt": 1 }));
        self.event(json!({ "event": "intended", "step": step, "n": 0, "effect": { "effect": "set", "resource": resource,
            "before": file(&old, before.len()), "after": file(&new, after.len()) }, "images": [{ "resource": resource, "blob": old }],
            "staging": [".motd.x.retrace"] }));
        self.event(json!({ "event": "applied", "step": step, "n": 0, "observed": [{ "resource": resource, "state": file(&new, after.len()) }] }));
        self.event(json!({ "event": "step_finished", "step": step, "outcome": "done", "outputs": { "sha256": new } }))
    }

    pub(crate) fn end(&mut self, outcome: &str, exit: u8) -> Head {
        self.event(json!({ "event": "run_ended", "outcome": outcome, "exit": exit }));
        self.save();
        let seal = Seal::of(&Run::fold(&self.lines).unwrap(), &self.head).unwrap();
        self.dir.put(&self.run, model::seal::FILE, seal.write().unwrap().as_bytes()).unwrap();
        Head { run: self.run.clone(), head: self.head.clone() }
    }

    /// Without an end and a seal.
    pub(crate) fn save(&self) -> Head {
        Run::fold(&self.lines).unwrap();
        self.dir.set_lines_of(&self.run, &self.text);
        Head { run: self.run.clone(), head: self.head.clone() }
    }
}

impl Dir {
    fn set_lines_of(&self, run: &RunId, lines: &[String]) {
        self.set_lines(run.as_str(), lines);
    }
}

/// Two runs of one client, the second with everything that an event may name. Each ended and sealed.
pub(crate) fn records() -> Dir {
    let dir = Dir::new();
    let first = Builder::new(&dir, "harbor-0", None, None).set("motd", "/etc/motd", "old\n", "new\n").end("done", 0);
    let mut run = Builder::new(&dir, "harbor-1", Some(first), None);
    run.set("keep", "/etc/hosts", "before\n", "after\n");
    let (a, b) = (dir.keep_bytes(b"a"), dir.keep_bytes(b"b"));
    let manifest = format!(
        "{{\"path\":\"\",\"is\":\"dir\"}}\n{{\"path\":\"a\",\"is\":\"file\",\"sha256\":\"{a}\",\"length\":1}}\n{{\"path\":\"b\",\"is\":\"file\",\"sha256\":\"{b}\",\"length\":1}}\n"
    );
    let manifest = dir.keep_bytes(manifest.as_bytes());
    let (out, picture) = (dir.keep_bytes(b"ok\n"), dir.keep_bytes(b"PNG"));
    let tree = json!({ "is": "tree", "manifest": manifest, "content": manifest, "files": 2, "bytes": 2 });
    run.event(json!({ "event": "step_started", "step": "tool", "attempt": 1 }))
        .event(json!({ "event": "intended", "step": "tool", "n": 0, "effect": { "effect": "run", "program": { "argv": ["tool"] },
            "changes": [{ "resource": "file:/srv", "before": tree }] }, "images": [{ "resource": "file:/srv", "blob": manifest }] }))
        .event(json!({ "event": "applied", "step": "tool", "n": 0, "observed": [{ "resource": "file:/srv", "state": tree }],
            "exit": { "end": { "code": 1 }, "stdout": { "blob": out, "length": 3 } } }))
        .event(json!({ "event": "attempt_failed", "step": "tool", "attempt": 1, "reason": "exit 1" }))
        .event(json!({ "event": "step_started", "step": "tool", "attempt": 2 }))
        .event(json!({ "event": "step_finished", "step": "tool", "outcome": "done" }))
        .event(json!({ "event": "note", "by": "jdoe", "text": "Čapek called" }))
        .event(json!({ "event": "step_started", "step": "look", "attempt": 1 }))
        .event(json!({ "event": "asked", "step": "look", "n": 0, "effect": { "effect": "ask", "form": { "form": "step", "instructions": [{ "do": "Look" }] } } }))
        .event(json!({ "event": "answered", "step": "look", "n": 0, "by": "jdoe", "answers": { "users": 15 },
            "evidence": { "picture": { "blob": picture, "name": "reg.png", "length": 3 } } }))
        .event(json!({ "event": "step_finished", "step": "look", "outcome": "done" }))
        .event(json!({ "event": "step_finished", "step": "more", "outcome": "skipped", "reason": "not wanted" }))
        .end("done", 0);
    dir
}

/// Lets each line name the one before it, as a forger would.
pub(crate) fn rechain(lines: &mut [String]) {
    let mut head = "0".repeat(64);
    for line in lines {
        let at = line.find("\"prev\":\"").unwrap() + 8;
        line.replace_range(at..at + 64, &head);
        head = Digest::of(line.as_bytes()).to_string();
    }
}
