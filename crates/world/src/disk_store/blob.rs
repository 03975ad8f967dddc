//! Bytes kept under their digest, on disk.

use super::{DiskStore, failed, flush_dir, name, open_regular, private};
use crate::error::WorldError;
use crate::real::files::flush;
use model::digest::Digest;
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

/// So many are open at once.
const ROUND: usize = 128;

/// A blob that is written and has no name yet.
struct Fresh {
    digest: Digest,
    path: PathBuf,
    file: File,
}

impl DiskStore {
    pub(super) fn blob(&self, blob: &Digest) -> PathBuf {
        self.dir.join("blobs").join(blob.as_str())
    }

    pub(super) fn keep_all(&self, contents: &mut [&mut dyn Read]) -> Result<Vec<Digest>, WorldError> {
        self.make()?;
        let mut digests = Vec::new();
        for part in contents.chunks_mut(ROUND) {
            let mut fresh = Vec::new();
            let kept = self.keep_round(part, &mut fresh);
            for left in fresh {
                // What was renamed is not there any more.
                let _ = fs::remove_file(&left.path);
            }
            digests.extend(kept?);
        }
        Ok(digests)
    }

    fn keep_round(&self, contents: &mut [&mut dyn Read], fresh: &mut Vec<Fresh>) -> Result<Vec<Digest>, WorldError> {
        let dir = self.dir.join("blobs");
        let mut digests = Vec::new();
        for content in contents {
            let (digest, path, file) = write(&dir, *content)?;
            digests.push(digest.clone());
            fresh.push(Fresh { digest, path, file });
        }
        let mut durable = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        // One that was there already is written anew, for it may be only in the cache; but not twice by one process.
        let trusted = |digest: &Digest| durable.contains(digest) || (crate::planted::bug(8) && self.blob(digest).exists());
        let new: Vec<&Fresh> = fresh.iter().filter(|blob| !trusted(&blob.digest)).collect();
        if new.is_empty() {
            return Ok(digests);
        }
        if !crate::planted::bug(3) {
            let names: Vec<String> = new.iter().map(|blob| name(&blob.path)).collect();
            flush::round(&new.iter().zip(&names).map(|(blob, name)| (&blob.file, name.as_str())).collect::<Vec<_>>())?;
        }
        for blob in &new {
            let path = self.blob(&blob.digest);
            fs::rename(&blob.path, &path).map_err(|e| failed("write", &path, e))?;
        }
        if !crate::planted::bug(6) {
            flush_dir(&dir)?;
        }
        durable.extend(new.iter().map(|blob| blob.digest.clone()));
        Ok(digests)
    }

    pub(super) fn open_blob(&self, blob: &Digest) -> Result<Box<dyn Read + '_>, WorldError> {
        let file = open_regular(&self.blob(blob))?;
        Ok(Box::new(Checked { file, sha: Some(Sha256::new()), blob: blob.clone() }))
    }
}

fn write(dir: &Path, content: &mut dyn Read) -> Result<(Digest, PathBuf, File), WorldError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let path = dir.join(format!(".{}-{}.new", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    let mut file = private::create_anew(&path).map_err(|e| failed("write", &path, e))?;
    let mut sha = Sha256::new();
    let copied = crate::real::files::read::copy(content, "what is to be kept", |bytes| {
        sha.update(bytes);
        file.write_all(bytes).map_err(|e| failed("write", &path, e))
    });
    if let Err(error) = copied {
        let _ = fs::remove_file(&path);
        return Err(error);
    }
    Ok((Digest::from_sha256(sha.finalize().into()), path, file))
}

/// Reads a blob and compares it with its name at the end.
struct Checked {
    file: File,
    sha: Option<Sha256>,
    blob: Digest,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        match &mut self.sha {
            Some(sha) if n > 0 || buffer.is_empty() => sha.update(&buffer[..n]),
            sha => {
                if let Some(sha) = sha.take()
                    && Digest::from_sha256(sha.finalize().into()) != self.blob
                {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, WorldError::Damaged(self.blob.to_string())));
                }
            }
        }
        Ok(n)
    }
}
