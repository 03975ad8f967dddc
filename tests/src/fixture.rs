//! A folder with a runbook and what belongs to it.

use std::path::{Path, PathBuf};
use std::{fs, io};

use engine::check::{Report, check};
use engine::load::load;
use model::diagnostic::Diagnostics;

/// A fixture's folder.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// Where it is.
    pub dir: PathBuf,
}

impl Fixture {
    /// All folders below `tests/fixtures/KIND`, by name.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn all(kind: &str) -> io::Result<Vec<Self>> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(kind);
        let mut all = fs::read_dir(root)?.map(|entry| Ok(Self { dir: entry?.path() })).collect::<io::Result<Vec<_>>>()?;
        all.sort_by(|one, other| one.dir.cmp(&other.dir));
        Ok(all)
    }

    /// Its name.
    pub fn name(&self) -> String {
        self.dir.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Loads and checks `runbook.yaml` with `client.yaml` and `answers.yaml` where they are. Files are named relative to the folder.
    pub fn check(&self) -> Report {
        let client = Path::new("client.yaml");
        self.check_for(self.dir.join(client).exists().then_some(client))
    }

    /// The same for another client file of the folder.
    pub fn check_for(&self, client: Option<&Path>) -> Report {
        let answers = Path::new("answers.yaml");
        let answers = self.dir.join(answers).exists().then_some(answers);
        let mut read = |path: &Path| fs::read(self.dir.join(path));
        match load(Path::new("runbook.yaml"), client, answers, &actions::BUILTIN, &mut read) {
            Ok(loaded) => check(&loaded, &actions::BUILTIN),
            Err(diagnostics) => Report { diagnostics, ..Report::default() },
        }
    }

    /// The client files in `clients`, relative to the folder; none without one.
    pub fn clients(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.dir.join("clients")).into_iter().flatten().flatten();
        entries.map(|entry| Path::new("clients").join(entry.file_name())).collect()
    }

    /// What is found, as a terminal shows it.
    pub fn found(&self) -> Diagnostics {
        self.check().diagnostics
    }
}
