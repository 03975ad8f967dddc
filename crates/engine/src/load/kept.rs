use super::Reader;
use std::io;
use std::path::{Component, Path};

/// The runbook, as it is kept.
pub(crate) const RUNBOOK_FILE: &str = "runbook.yaml";
/// The client file, as it is kept.
pub(crate) const CLIENT_FILE: &str = "client.yaml";
/// The partner file that the client file builds on, as it is kept.
pub(crate) const PARTNER_FILE: &str = "partner.yaml";

/// Reads what is kept with a run or embedded in a plan: `file` gives a kept file by its name.
pub struct Kept<'f> {
    /// The bytes of `runbook.yaml`, `client.yaml`, `partner.yaml` or `files/...`.
    pub file: &'f dyn Fn(&str) -> Option<Vec<u8>>,
}

impl Reader for Kept<'_> {
    fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        let main = [RUNBOOK_FILE, CLIENT_FILE].into_iter().find(|name| path == Path::new(name));
        let bytes = main.map_or_else(|| (self.file)(&kept_as(path.components())), |name| (self.file)(name));
        bytes.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn read_partner(&mut self, _path: &Path) -> io::Result<Vec<u8>> {
        (self.file)(PARTNER_FILE).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    /// What is kept leads nowhere.
    fn read_below(&mut self, _directory: &Path, path: &Path) -> io::Result<Vec<u8>> {
        (self.file)(&kept_as(path.components())).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

/// The name under which a file is kept that lies there, seen from the directory of the runbook.
pub(crate) fn kept_as<'p>(parts: impl Iterator<Item = Component<'p>>) -> String {
    let parts: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy()).collect();
    format!("files/{}", parts.join("/"))
}
