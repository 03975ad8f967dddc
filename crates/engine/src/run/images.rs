//! What was there before: kept as blobs, sealed where it is secret.

use crate::listing::{hidden, inside};
use crate::run::vault::Openable;
use crate::sensitive::Sensitive;
use crate::session::Session;
use model::digest::Digest;
use model::effect::Change;
use model::event::Image;
use model::resource::{Resource, ResourceKind};
use model::state::{Content, FileState, State, TreeState};
use sha2::{Digest as _, Sha256};
use std::io::{BufReader, Read, Write};
use std::str::FromStr;
use world::error::WorldError;
use world::look::Look;
use world::manifest::{self, Kind, Line};
use world::store::Blobs;

/// So many files of a tree are kept as one round.
const ROUND: usize = 64;

/// The images of one change.
type Kept = Result<Vec<Image>, WorldError>;

/// Keeps before-images and gives them back. Sealed ones are age files for the client's recipients and for an identity that
/// lives only in this process, so that an automatic undo needs nobody.
pub struct Keeper {
    recipients: Vec<age::x25519::Recipient>,
    own: age::x25519::Identity,
    opened_with: Vec<age::x25519::Identity>,
    pub(crate) openable: Openable,
}

impl Keeper {
    /// For these recipients (`age1...`); `identities` (`AGE-SECRET-KEY-1...`) open what an earlier process has sealed.
    ///
    /// # Errors
    /// One of them is none.
    pub fn new(recipients: &[String], identities: &[String]) -> Result<Self, String> {
        let recipients = recipients
            .iter()
            .map(|text| age::x25519::Recipient::from_str(text).map_err(|wrong| format!("`{text}` is no age recipient: {wrong}")))
            .collect::<Result<_, _>>()?;
        let opened_with = identities
            .iter()
            .map(|text| age::x25519::Identity::from_str(text).map_err(|_| "an identity is none".to_owned()))
            .collect::<Result<_, _>>()?;
        Ok(Self { recipients, own: age::x25519::Identity::generate(), opened_with, openable: Openable::default() })
    }

    /// Keeps what each of these changes will overwrite.
    pub(crate) fn keep(&self, session: &Session<'_>, look: &dyn Look, changes: &[&Change]) -> Vec<Kept> {
        let store = session.engine.store;
        let mut results: Vec<Option<Result<Vec<Image>, WorldError>>> = changes.iter().map(|_| None).collect();
        // The plain files go as one round.
        let mut round: Vec<(usize, Box<dyn Read + '_>)> = Vec::new();
        for (at, change) in changes.iter().enumerate() {
            let file = change.resource.kind == ResourceKind::File;
            results[at] = match &change.before {
                State::File(FileState { content: Content::Plain { .. }, .. }) if file && content_stays(change) => Some(Ok(Vec::new())),
                State::File(FileState { content: Content::Plain { .. }, .. }) if file && !session.sensitive.holds(&change.resource) => {
                    match look.open(&change.resource.name) {
                        Ok(bytes) => {
                            round.push((at, bytes));
                            None
                        }
                        Err(wrong) => Some(Err(wrong)),
                    }
                }
                State::File(_) if file => Some(
                    self.keep_sealed(store, look, &change.resource)
                        .map(|(blob, _)| vec![Image { resource: change.resource.clone(), blob, sealed: true }]),
                ),
                State::Tree(_) if file => Some(self.keep_tree(&session.sensitive, store, look, change)),
                _ => Some(Ok(Vec::new())),
            };
        }
        let mut readers: Vec<&mut dyn Read> = round.iter_mut().map(|(_, bytes)| bytes as &mut dyn Read).collect();
        let kept = if readers.is_empty() { Ok(Vec::new()) } else { store.keep(&mut readers) };
        match kept {
            Ok(blobs) => {
                for ((at, _), blob) in round.iter().zip(blobs) {
                    let change = changes[*at];
                    results[*at] = Some(image(change, blob, &change.before));
                }
            }
            Err(wrong @ WorldError::Poisoned { .. }) => {
                // Whatever the others are: nothing more may be done.
                return std::iter::once(Err(wrong)).chain(changes.iter().skip(1).map(|_| Ok(Vec::new()))).collect();
            }
            Err(wrong) => {
                let text = crate::plan::chain(&wrong);
                for (at, _) in &round {
                    results[*at] = Some(Err(WorldError::io("keep", changes[*at].resource.to_string(), std::io::Error::other(text.clone()))));
                }
            }
        }
        results.into_iter().map(|result| result.unwrap_or_else(|| Ok(Vec::new()))).collect()
    }

    /// The mistake of keeping later what will be overwritten: its bytes, and the images that say they are kept.
    pub(crate) fn promise(&self, look: &dyn Look, changes: &[&Change]) -> (Vec<Kept>, Vec<Vec<u8>>) {
        let mut unkept = Vec::new();
        let mut promise = |change: &Change| {
            if !matches!(change.before, State::File(_)) || content_stays(change) {
                return Ok(Vec::new());
            }
            let mut bytes = Vec::new();
            let read = look.open(&change.resource.name)?.read_to_end(&mut bytes);
            read.map_err(|wrong| WorldError::io("keep", change.resource.to_string(), wrong))?;
            let images = image(change, Digest::of(&bytes), &change.before)?;
            unkept.push(bytes);
            Ok(images)
        };
        let images = changes.iter().map(|change| promise(change)).collect();
        (images, unkept)
    }

    /// Keeps a file sealed; gives the blob, and the digest of the plain bytes.
    fn keep_sealed(&self, store: &dyn Blobs, look: &dyn Look, file: &Resource) -> Result<(Digest, Digest), WorldError> {
        if self.recipients.is_empty() {
            let reason = "it holds a secret, and the client file names nobody (`people.*.age`, `recovery`) who could open what is kept of it";
            return Err(WorldError::Refused { name: file.name.to_string(), reason: reason.to_owned() });
        }
        let mut plain = Hashing { from: look.open(&file.name)?, sha: Sha256::new() };
        let sealed = self.seal(&mut plain)?;
        let blob = store.keep(&mut [&mut sealed.as_slice()])?.remove(0);
        Ok((blob, Digest::from_sha256(plain.sha.finalize().into())))
    }

    /// Keeps every file of a tree, and its list, in which those that hold secrets stand with the blob in which they are sealed.
    fn keep_tree(&self, sensitive: &Sensitive, store: &dyn Blobs, look: &dyn Look, change: &Change) -> Result<Vec<Image>, WorldError> {
        let dir = &change.resource;
        let mut manifest = Vec::new();
        let found = look.tree(dir, &[], &mut manifest)?;
        if !found.same(&change.before) {
            return Err(WorldError::Moved { resource: dir.clone(), expected: Box::new(change.before.clone()), found: Box::new(found) });
        }
        let mut lines = manifest::read(&manifest[..]).collect::<Result<Vec<Line>, _>>()?;
        for some in lines.chunks_mut(ROUND) {
            let is_secret = |line: &Line| sensitive.any() && sensitive.holds(&inside(dir, &line.path));
            let (secret, plain): (Vec<_>, Vec<_>) = some.iter_mut().filter(|line| line.is == Kind::File).partition(|line| is_secret(line));
            let mut open = plain.iter().map(|line| look.open(&inside(dir, &line.path).name)).collect::<Result<Vec<_>, _>>()?;
            let mut readers: Vec<&mut dyn Read> = open.iter_mut().map(|bytes| bytes as &mut dyn Read).collect();
            let kept = store.keep(&mut readers)?;
            let mut same = plain.iter().zip(kept).all(|(line, blob)| line.sha256.as_ref() == Some(&blob));
            for line in secret {
                let (blob, sha256) = self.keep_sealed(store, look, &inside(dir, &line.path))?;
                same &= line.sha256.as_ref() == Some(&sha256);
                *line = Line { sealed: Some(blob), ..hidden(sensitive, line.clone()) };
            }
            if !same {
                let reason = "something in it changed while it was being kept".to_owned();
                return Err(WorldError::Refused { name: dir.name.to_string(), reason });
            }
        }
        let (_, list) = manifest::write(lines)?;
        let blob = store.keep(&mut [&mut list.as_slice()])?.remove(0);
        Ok(vec![Image { resource: dir.clone(), blob, sealed: false }])
    }

    /// Whether an identity at hand opens what was kept when a resource was in that state.
    pub(crate) fn opens_image(&self, store: &dyn Blobs, image: &Image, state: &State) -> Result<bool, WorldError> {
        if image.sealed {
            return Ok(self.opens(&mut store.open(&image.blob)?));
        }
        if !state.is_secret_tree() {
            return Ok(true);
        }
        for line in manifest::read(BufReader::new(store.open(&image.blob)?)) {
            if let Some(sealed) = line?.sealed
                && !self.opens(&mut store.open(&sealed)?)
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Opens the image of a tree that holds secrets: gives its state in plain and under which digest its list is found in the
    /// [`Vault`], with all that it names.
    pub(crate) fn open_tree(&self, store: &dyn Blobs, image: &Image) -> Result<(TreeState, Digest), WorldError> {
        let mut lines = Vec::new();
        for line in manifest::read(BufReader::new(store.open(&image.blob)?)) {
            let mut line = line?;
            if let Some(sealed) = line.sealed.take() {
                let plain = self.unseal(&mut store.open(&sealed)?)?;
                let sha256 = Digest::of(&plain);
                self.openable.sealed(sha256.clone(), sealed);
                line = Line { sha256: Some(sha256), length: Some(plain.len() as u64), hmac: None, ..line };
            }
            lines.push(line);
        }
        let (tree, list) = manifest::write(lines)?;
        let digest = Digest::of(&list);
        self.openable.list(digest.clone(), list.into());
        Ok((tree, digest))
    }

    /// As an age file.
    ///
    /// # Errors
    /// The bytes cannot be read.
    pub(crate) fn seal(&self, plain: &mut dyn Read) -> Result<Vec<u8>, WorldError> {
        let own = self.own.to_public();
        let all = self.recipients.iter().chain([&own]).map(|r| r as &dyn age::Recipient);
        let failed = |text: String| WorldError::io("seal", "a secret", std::io::Error::other(text));
        let encryptor = age::Encryptor::with_recipients(all).map_err(|wrong| failed(wrong.to_string()))?;
        let mut sealed = Vec::new();
        let mut writer = encryptor.wrap_output(&mut sealed).map_err(|wrong| failed(wrong.to_string()))?;
        let mut buffer = zeroize::Zeroizing::new([0_u8; 8192]);
        loop {
            let read = plain.read(&mut buffer[..]).map_err(|wrong| failed(wrong.to_string()))?;
            if read == 0 {
                break;
            }
            writer.write_all(&buffer[..read]).map_err(|wrong| failed(wrong.to_string()))?;
        }
        writer.finish().map_err(|wrong| failed(wrong.to_string()))?;
        Ok(sealed)
    }

    /// For whom images are sealed beside this process: `age1...`.
    pub(crate) fn recipients(&self) -> Vec<String> {
        self.recipients.iter().map(ToString::to_string).collect()
    }

    /// Whether an identity at hand opens an age file: its header tells.
    pub(crate) fn opens(&self, sealed: &mut dyn Read) -> bool {
        age::Decryptor::new(sealed).and_then(|decryptor| decryptor.decrypt(self.identities()).map(|_| ())).is_ok()
    }

    fn identities(&self) -> impl Iterator<Item = &dyn age::Identity> {
        std::iter::once(&self.own).chain(&self.opened_with).map(|identity| identity as &dyn age::Identity)
    }

    /// Opens an age file whole.
    ///
    /// # Errors
    /// No identity at hand opens it, or it is damaged.
    pub(crate) fn unseal(&self, sealed: &mut dyn Read) -> Result<zeroize::Zeroizing<Vec<u8>>, WorldError> {
        let failed = |text: String| WorldError::io("open", "a sealed image", std::io::Error::other(text));
        let decryptor = age::Decryptor::new(sealed).map_err(|wrong| failed(wrong.to_string()))?;
        let mut reader = decryptor.decrypt(self.identities()).map_err(|wrong| failed(format!("{wrong}; --identity names the file with the key")))?;
        let mut plain = zeroize::Zeroizing::new(Vec::new());
        reader.read_to_end(&mut plain).map_err(|wrong| failed(wrong.to_string()))?;
        Ok(plain)
    }
}

/// The paths of the files in a manifest of a directory.
pub(crate) fn files_in(manifest: &[u8], dir: &Resource) -> Vec<String> {
    let lines = manifest.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok());
    let files = lines.filter(|entry| entry["is"] == "file");
    files.filter_map(|entry| entry["path"].as_str().map(|path| format!("{}/{path}", dir.name))).collect()
}

/// Gives the digest of what is read through it.
struct Hashing<R> {
    from: R,
    sha: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let read = self.from.read(to)?;
        self.sha.update(&to[..read]);
        Ok(read)
    }
}

/// The image of a plain file, if what was kept is what was seen.
fn image(change: &Change, blob: Digest, before: &State) -> Result<Vec<Image>, WorldError> {
    match before {
        State::File(FileState { content: Content::Plain { sha256, .. }, .. }) if *sha256 == blob => {
            Ok(vec![Image { resource: change.resource.clone(), blob, sealed: false }])
        }
        _ => Err(WorldError::Moved {
            resource: change.resource.clone(),
            expected: Box::new(before.clone()),
            found: Box::new(State::Foreign { what: format!("contents {blob}") }),
        }),
    }
}

/// Whether what a change overwrites is kept sealed, as far as a plan can tell.
pub(crate) fn is_sealed(sensitive: &Sensitive, change: &Change) -> bool {
    match change.before {
        State::File(_) | State::Unknown { .. } => sensitive.holds(&change.resource) && !content_stays(change),
        State::Tree(ref tree) => tree.secret || sensitive.holds(&change.resource) || sensitive.knows_inside(&change.resource),
        _ => false,
    }
}

/// Only mode, owner or times change: the bytes stay where they are.
fn content_stays(change: &Change) -> bool {
    matches!((&change.before, &change.after), (State::File(a), State::File(b)) if a.content == b.content && change.before != change.after)
}
