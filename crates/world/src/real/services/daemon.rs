//! A daemon without a service manager, as a client file describes it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a daemon is started, found and stopped.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Daemon {
    /// The program that it is, and its arguments. It may go to the background by itself if it writes its pid file and has a
    /// probe.
    pub start: Vec<String>,
    /// Where it starts; an absolute directory. None: the root of the file system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// The file that holds its process number; written for it unless it has done so itself by the time that it answers.
    /// Beside it stand what it has printed (`.log`) and how it starts (`.json`).
    pub pid_file: String,
    /// Where it answers once it has started. None: it has started as soon as it lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// The program that stops it. None: it is asked to end by a signal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Vec<String>>,
}

/// A TCP port.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// Name or address.
    #[serde(default = "localhost")]
    pub host: String,
    /// Port.
    pub port: u16,
}

fn localhost() -> String {
    "127.0.0.1".to_owned()
}
