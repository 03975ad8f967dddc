//! Free space.

use crate::error::WorldError;
use crate::volume::Volume;

/// Free bytes for an unprivileged writer on the volume of the nearest existing directory of `path`.
pub(crate) fn room(path: &str) -> Result<u64, WorldError> {
    volume(path).map(|volume| volume.free)
}

/// The volume of the nearest existing directory of `path`.
#[cfg(unix)]
pub(crate) fn volume(path: &str) -> Result<Volume, WorldError> {
    let mut place = std::path::Path::new(path);
    loop {
        match rustix::fs::statvfs(place).and_then(|volume| Ok((volume, rustix::fs::stat(place)?.st_dev))) {
            Ok((volume, id)) => return Ok(Volume { id, free: volume.f_bavail.saturating_mul(volume.f_frsize) }),
            Err(e) if !matches!(e, rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => {
                return Err(WorldError::io("ask the volume of", path, e.into()));
            }
            Err(e) => place = place.parent().ok_or_else(|| WorldError::io("ask the volume of", path, e.into()))?,
        }
    }
}

/// The volume of the nearest existing directory of `path`.
#[cfg(not(unix))]
pub(crate) fn volume(_: &str) -> Result<Volume, WorldError> {
    Err(WorldError::Unavailable { what: "the free space of a volume".to_owned() })
}

#[cfg(all(test, unix))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails loudly")]

    use super::{room, volume};

    #[test]
    fn what_does_not_exist_yet_has_the_room_of_where_it_would_be() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_str().unwrap();
        assert!(room(path).unwrap() > 0);
        assert_eq!(volume(&format!("{path}/a/b/c")).unwrap().id, volume(path).unwrap().id);
        assert_eq!(room("/proc/self/status").unwrap(), 0);
        assert_ne!(volume("/proc/self/status").unwrap().id, volume(path).unwrap().id);
    }
}
