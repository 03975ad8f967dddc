//! What bytes are recognised by.

use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A SHA-256 in lower-case hex (what `sha256sum` prints), or a keyed one written `hmac:HEX` for bytes that hold a secret.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_sha256(Sha256::digest(bytes).into())
    }

    /// From the 32 bytes of a SHA-256.
    pub fn from_sha256(bytes: [u8; 32]) -> Self {
        Self(hex(&bytes))
    }

    /// From the 32 bytes of an HMAC-SHA-256 under the state directory's key.
    pub fn keyed(bytes: [u8; 32]) -> Self {
        Self(format!("hmac:{}", hex(&bytes)))
    }

    /// From text: 64 lower-case hex digits, with `hmac:` before them for a keyed digest.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("hmac:").unwrap_or(text);
        let fits = digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        fits.then(|| Self(text.to_owned()))
    }

    /// Whether it is a keyed one.
    pub fn is_keyed(&self) -> bool {
        self.0.starts_with("hmac:")
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// A blob lies in a file of this name: whatever a document says, it is never a path.
impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a digest: 64 lower-case hex digits are wanted"))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [DIGITS[(b >> 4) as usize] as char, DIGITS[(b & 15) as usize] as char]).collect()
}
