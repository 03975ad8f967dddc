//! Reading the world.

use crate::error::WorldError;
use jiff::Timestamp;
use model::program::{End, Program};
use model::resource::Resource;
use model::state::State;
use model::value::May;
use std::io::{Read, Write};

/// Something that can be looked at and not changed.
///
/// The first group are *resources*: what they say in an imagined world is what steps before have set. The second are
/// *behaviour*: in an imagined world they are unknown once a step before has had an effect.
pub trait Look: Sync {
    /// Whether names of files that differ in case only name the same file here.
    fn folds_case(&self) -> bool;

    // Resources.

    /// The state of a resource. A directory by itself, without what is in it.
    ///
    /// # Errors
    /// It cannot be read, or its path leads through a link.
    fn state(&self, what: &Resource) -> Result<State, WorldError>;

    /// The state of a directory with everything below it but what `exclude` names (globs relative to it); a file or nothing
    /// as [`Look::state`]. Its manifest is written to `manifest`: one JSON object a line, sorted by path.
    ///
    /// # Errors
    /// Something in it cannot be read.
    fn tree(&self, what: &Resource, exclude: &[String], manifest: &mut dyn Write) -> Result<State, WorldError>;

    /// Whether a file or directory that is there is one that may be set at all.
    ///
    /// # Errors
    /// Several names lead to the file, or another volume is mounted there.
    fn may_be_set(&self, _path: &str) -> Result<(), WorldError> {
        Ok(())
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// It is no regular file or cannot be opened; in an imagined world [`WorldError::Unknown`].
    fn open(&self, path: &str) -> Result<Box<dyn Read + '_>, WorldError>;

    /// What a directory holds, sorted by name. Links are named, never followed.
    ///
    /// # Errors
    /// It is no directory or cannot be read.
    fn list(&self, path: &str) -> Result<Vec<Entry>, WorldError>;

    /// The names of the services that there are.
    ///
    /// # Errors
    /// No service manager is declared or it does not answer.
    fn services(&self) -> Result<Vec<String>, WorldError>;

    /// The program that makes a running service read its configuration again.
    ///
    /// # Errors
    /// There is no such service, or its manager does not know how.
    fn reload(&self, service: &str) -> Result<Program, WorldError> {
        Err(WorldError::Unavailable { what: format!("reloading `{service}`") })
    }

    /// The absolute path of a program given by name, from a fixed list of directories; an absolute path if it exists.
    ///
    /// # Errors
    /// There is none.
    fn program(&self, name: &str) -> Result<String, WorldError>;

    // Behaviour.

    /// Free bytes for an unprivileged writer on the volume of the nearest existing directory of `path`.
    ///
    /// # Errors
    /// The volume cannot be asked.
    fn room(&self, path: &str) -> Result<May<u64>, WorldError>;

    /// The running programs.
    ///
    /// # Errors
    /// They cannot be listed.
    fn processes(&self) -> Result<May<Vec<Process>>, WorldError>;

    /// Whether an endpoint answers, and what. One that refuses or is silent is an answer, not an error.
    ///
    /// # Errors
    /// The endpoint cannot be asked at all (a bad name, no certificate store).
    fn connect(&self, endpoint: &Endpoint) -> Result<May<Reply>, WorldError>;

    /// The output of a program that is declared to change nothing.
    ///
    /// # Errors
    /// It cannot be started; or it may not be, for looking was switched off.
    fn output(&self, program: &Program) -> Result<May<Output>, WorldError>;
}

/// One entry of a directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its name; bytes that are not Unicode as the replacement character.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Length of a file in bytes.
    pub length: u64,
}

/// What an entry of a directory is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A link or anything else that is never touched.
    Foreign,
}

/// A running program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Name of its program file without directories.
    pub image: String,
    /// The program file with its directories, where it can be told.
    pub path: Option<String>,
    /// The files it holds open, where they can be told.
    pub open: Vec<String>,
    /// Whose it is: the name of the user, or the number of one without a name; on Windows a SID. None where it cannot be told.
    pub user: Option<String>,
    /// When it was started, to the second.
    pub started: Option<Timestamp>,
}

/// Something to connect to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Endpoint {
    /// A TCP port.
    Tcp {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// A page. Redirects are not followed.
    Http {
        /// `http://` or `https://`.
        url: String,
    },
    /// A TLS server; its certificate is wanted even if nobody would trust it.
    Tls {
        /// Name or address; also the name sent.
        host: String,
        /// Port.
        port: u16,
    },
}

/// What an endpoint answered.
#[derive(Clone, PartialEq, Debug)]
pub enum Reply {
    /// It does not answer: refused, silent, or no handshake. In words.
    Silent(String),
    /// The port accepts connections.
    Open,
    /// A page.
    Page {
        /// Status code.
        status: u16,
        /// The first 256 KiB.
        body: String,
    },
    /// A certificate chain, leaf first, in DER.
    Certificates(Vec<Vec<u8>>),
}

/// What a program that only looks has written. Bounded: the first 1 MiB of each stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    /// How it ended.
    pub end: End,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}
