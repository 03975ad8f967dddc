//! The blobs as an effect needs them: what is kept sealed is opened while it is read.

use crate::run::images::Keeper;
use model::digest::Digest;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::{Mutex, PoisonError};
use world::error::WorldError;
use world::store::Blobs;
use zeroize::Zeroizing;

/// The blobs of a store, and beside them what the keeper can open.
pub(crate) struct Vault<'v> {
    pub(crate) blobs: &'v dyn Blobs,
    pub(crate) keeper: &'v Keeper,
}

/// What can be opened under the digest of its plain bytes.
#[derive(Default)]
pub(crate) struct Openable(Mutex<BTreeMap<Digest, Opening>>);

#[derive(Clone)]
enum Opening {
    /// The list of a tree, which is nowhere but in memory.
    List(Zeroizing<Vec<u8>>),
    /// The blob in which it is kept sealed.
    Sealed(Digest),
}

impl Openable {
    pub(crate) fn list(&self, digest: Digest, list: Zeroizing<Vec<u8>>) {
        self.put(digest, Opening::List(list));
    }

    pub(crate) fn sealed(&self, digest: Digest, blob: Digest) {
        self.put(digest, Opening::Sealed(blob));
    }

    fn put(&self, digest: Digest, opening: Opening) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, opening);
    }

    fn find(&self, digest: &Digest) -> Option<Opening> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }
}

impl Blobs for Vault<'_> {
    fn keep(&self, contents: &mut [&mut dyn Read]) -> Result<Vec<Digest>, WorldError> {
        self.blobs.keep(contents)
    }

    fn open(&self, blob: &Digest) -> Result<Box<dyn Read + '_>, WorldError> {
        match self.keeper.openable.find(blob) {
            None => self.blobs.open(blob),
            Some(Opening::List(list)) => Ok(Box::new(Cursor::new(list))),
            Some(Opening::Sealed(sealed)) => Ok(Box::new(Cursor::new(self.keeper.unseal(&mut self.blobs.open(&sealed)?)?))),
        }
    }
}
