//! Whether something may be made in a directory, without making anything.

use crate::error::WorldError;
use model::state::Meta;
use std::io;
use std::path::Path;

/// Whether names can be made and replaced in `dir`, or in the nearest directory above that exists.
pub(crate) fn may_write(dir: &str) -> Result<(), WorldError> {
    let mut place = Path::new(dir);
    loop {
        match writable(place) {
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => match place.parent() {
                Some(above) => place = above,
                None => return Ok(()),
            },
            answer => return answer.map_err(|e| WorldError::io("write in", place.display().to_string(), e)),
        }
    }
}

#[cfg(unix)]
fn writable(dir: &Path) -> io::Result<()> {
    use rustix::fs::{Access, AtFlags, CWD, accessat};
    Ok(accessat(CWD, dir, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)?)
}

/// By opening it with the right to add files.
#[cfg(windows)]
fn writable(dir: &Path) -> io::Result<()> {
    use std::os::windows::fs::OpenOptionsExt as _;
    use windows_sys::Win32::Storage::FileSystem::{FILE_ADD_FILE, FILE_FLAG_BACKUP_SEMANTICS};
    std::fs::OpenOptions::new().access_mode(FILE_ADD_FILE).custom_flags(FILE_FLAG_BACKUP_SEMANTICS).open(dir).map(drop)
}

/// Whether a new file in `dir` can be given that owner and group: by whoever may give files away, or to oneself and a group of
/// one's own, or to the group that it gets by itself there.
#[cfg(unix)]
pub(crate) fn may_give(dir: &str, meta: &Meta) -> bool {
    use rustix::process::{getegid, geteuid, getgroups};
    use std::os::unix::fs::MetadataExt as _;
    let is = |said: &Option<String>, id: u32| said.as_ref().is_none_or(|said| said.parse() == Ok(id));
    let inherits = || std::fs::metadata(dir).is_ok_and(|above| above.mode() & 0o2000 != 0 && is(&meta.group, above.gid()));
    let is_mine = || {
        let own = getgroups().unwrap_or_default().into_iter().chain([getegid()]).any(|group| is(&meta.group, group.as_raw()));
        own || inherits()
    };
    (is(&meta.owner, geteuid().as_raw()) && is_mine()) || may_give_away()
}

/// The right `CAP_CHOWN`, which root has.
#[cfg(unix)]
fn may_give_away() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let rights = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("CapEff:")?.trim(), 16).ok());
    rights.map_or_else(|| rustix::process::geteuid().is_root(), |rights| rights & 1 != 0)
}

/// Owners are not set there.
#[cfg(windows)]
pub(crate) fn may_give(_: &str, _: &Meta) -> bool {
    true
}
