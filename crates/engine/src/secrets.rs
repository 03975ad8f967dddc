//! The values of secrets, while the process lives.

use crate::people::{NoAnswer, People};
use model::value::{Piece, SecretText};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// Secrets by name (`inputs.key`, `steps.keys.serial`). Wiped when dropped, never printed.
#[derive(Default)]
pub struct Secrets {
    values: Mutex<BTreeMap<String, Zeroizing<Vec<u8>>>>,
}

impl Secrets {
    /// Remembers one.
    pub fn put(&self, name: &str, value: Zeroizing<Vec<u8>>) {
        self.values.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), value);
    }

    /// The value of one.
    pub fn get(&self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Asks for those of these inputs that are not there yet.
    ///
    /// # Errors
    /// All that are missing, in words.
    pub fn fetch<'n>(&self, names: impl Iterator<Item = &'n str>, people: &dyn People) -> Result<(), NoAnswer> {
        let mut missing = Vec::new();
        for name in names {
            let full = format!("inputs.{name}");
            if self.get(&full).is_some() {
                continue;
            }
            match people.secret(name) {
                Ok(value) => self.put(&full, value),
                Err(NoAnswer::Missing(more)) => missing.extend(more),
                Err(other) => return Err(other),
            }
        }
        if missing.is_empty() { Ok(()) } else { Err(NoAnswer::Missing(missing)) }
    }

    /// The bytes of a secret text; none if one of its secrets is not there.
    pub fn reveal(&self, text: &SecretText) -> Option<Zeroizing<Vec<u8>>> {
        let parts = text.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => Some(Zeroizing::new(text.clone().into_bytes())),
            Piece::Secret(name) => self.get(name),
            Piece::Unknown(_) => None,
        });
        let parts: Vec<_> = parts.collect::<Option<_>>()?;
        // Sized before it is filled: a vector that grows leaves copies behind.
        let mut whole = Zeroizing::new(Vec::with_capacity(parts.iter().map(|p| p.len()).sum()));
        for part in &parts {
            whole.extend_from_slice(part);
        }
        Some(whole)
    }

    /// The first name whose value of six bytes or more stands in these bytes: nothing like that is ever written.
    pub fn found_in(&self, bytes: &[u8]) -> Option<String> {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let found = values.iter().find(|(_, value)| value.len() >= 6 && bytes.windows(value.len()).any(|w| w == value.as_slice()));
        found.map(|(name, _)| name.clone())
    }
}
