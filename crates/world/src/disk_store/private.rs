//! Directories and files that nobody else may use.

use super::{failed, flush_dir, name};
use crate::error::WorldError;
use crate::real::files::place::Roots;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// The place of locks on roots, common to all state directories of the machine: for root in `/run/lock`, else in the
/// user's `runtime` directory, else below the directory for temporary files.
pub fn machine_locks(runtime: Option<&Path>) -> PathBuf {
    #[cfg(unix)]
    {
        let user = rustix::process::geteuid();
        match runtime {
            _ if user.is_root() => "/run/lock/retrace".into(),
            Some(runtime) => runtime.join("retrace"),
            None => format!("/tmp/retrace-{}", user.as_raw()).into(),
        }
    }
    #[cfg(not(unix))]
    {
        runtime.map_or_else(std::env::temp_dir, Path::to_owned).join("retrace-locks")
    }
}

/// The path with the links above it that the system itself arranged resolved; any other is refused.
pub(super) fn resolved(path: &Path) -> Result<PathBuf, WorldError> {
    let refused = |reason: String| WorldError::Refused { name: name(path), reason };
    let text = path.to_str().ok_or_else(|| refused("it is not Unicode".to_owned()))?;
    let text = model::path::normal(text).map_err(|e| refused(e.to_string()))?;
    Roots::new(&[]).real(&text).map(PathBuf::from)
}

/// Refuses a directory that exists and is not ours alone. One that does not exist is fine.
pub(super) fn check(path: &Path) -> Result<(), WorldError> {
    let refused = |reason: &str| Err(WorldError::Refused { name: name(path), reason: reason.to_owned() });
    let meta = match path.symlink_metadata() {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        meta => meta.map_err(|e| failed("look at", path, e))?,
    };
    if !meta.is_dir() {
        return refused("it is no directory");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        /// NFS, SMB, CIFS, SMB2.
        const NETWORK: [u64; 4] = [0x6969, 0x517B, 0xFF53_4D42, 0xFE53_4D42];
        if meta.uid() != rustix::process::geteuid().as_raw() {
            return refused("it belongs to somebody else");
        }
        if meta.mode() & 0o077 != 0 {
            return refused("others may use it; `chmod 700` it");
        }
        let volume = rustix::fs::statfs(path).map_err(|e| failed("look at", path, e.into()))?;
        if NETWORK.contains(&(volume.f_type as u64 & 0xFFFF_FFFF)) {
            return refused("it lies on a network volume");
        }
    }
    Ok(())
}

/// Makes a directory and those above it that are missing, durably.
pub(super) fn make(path: &Path) -> Result<(), WorldError> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent() {
        make(above)?;
    }
    let mut builder = DirBuilder::new();
    builder.recursive(false);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        made => made.map_err(|e| failed("make", path, e))?,
    }
    if crate::planted::bug(7) {
        return Ok(());
    }
    path.parent().map_or(Ok(()), flush_dir)
}

/// A new file.
pub(super) fn create(path: &Path) -> io::Result<File> {
    options().append(true).create_new(true).open(path)
}

/// A new file; what an earlier process of the same number left there is removed.
pub(super) fn create_anew(path: &Path) -> io::Result<File> {
    match options().write(true).create_new(true).open(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            std::fs::remove_file(path)?;
            options().write(true).create_new(true).open(path)
        }
        file => file,
    }
}

/// A file that is made if it is missing, and kept as it is if it is there.
pub(super) fn open_or_create(path: &Path) -> io::Result<File> {
    options().write(true).create(true).truncate(false).open(path)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::CLOEXEC;
        options.mode(0o600).custom_flags(flags.bits() as i32);
    }
    options
}
