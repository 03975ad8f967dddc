//! Where the value of a secret input comes from, beside a person.

use super::answers::read_secret;
use age::x25519::Identity;
use std::io::Read;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Where the value of a secret input comes from.
#[derive(Clone)]
pub(crate) enum Source {
    /// The environment.
    Env(String),
    /// A file, plain or for one of these identities.
    File {
        /// Which.
        path: PathBuf,
        /// What opens it, if it is an age file.
        identities: Vec<String>,
    },
    /// A person.
    Person,
}

/// What a source gives.
pub(crate) enum Secret {
    /// The value.
    Value(Zeroizing<Vec<u8>>),
    /// A person has to be asked.
    Ask,
    /// It cannot be had; why, without the value.
    Wrong(String),
}

impl Source {
    /// Reads it.
    pub(crate) fn read(&self) -> Secret {
        let text = match self {
            Self::Person => return Secret::Ask,
            Self::Env(name) => std::env::var(name).map(Zeroizing::new).map_err(|_| format!("there is no `{name}` in the environment")),
            Self::File { path, identities } => match std::fs::read(path).map(Zeroizing::new) {
                Ok(bytes) if bytes.starts_with(b"age-encryption.org/") || bytes.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----") => {
                    open(&bytes, identities).map_err(|wrong| format!("`{}`: {wrong}", path.display()))
                }
                _ => read_secret(path),
            },
        };
        match text {
            Ok(text) if text.is_empty() => Secret::Wrong("it is empty".into()),
            Ok(text) => Secret::Value(Zeroizing::new(text.as_bytes().to_vec())),
            Err(wrong) => Secret::Wrong(wrong),
        }
    }
}

fn open(bytes: &[u8], identities: &[String]) -> Result<Zeroizing<String>, String> {
    let identities: Vec<Identity> = identities.iter().filter_map(|text| text.parse().ok()).collect();
    let armored = age::armor::ArmoredReader::new(bytes);
    let file = age::Decryptor::new(armored).map_err(|_| "it is no whole age file".to_owned())?;
    let opened = file.decrypt(identities.iter().map(|identity| identity as &dyn age::Identity));
    let mut opened = opened.map_err(|_| "no identity opens it: `--identity FILE`".to_owned())?;
    let mut text = Zeroizing::new(String::with_capacity(4096));
    opened.read_to_string(&mut text).map_err(|_| "what it holds is no text".to_owned())?;
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}
