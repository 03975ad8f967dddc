//! A program to start, and what came of it.

use crate::digest::Digest;
use crate::value::Text;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A program to start: no shell, a closed environment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Program {
    /// Name or absolute path, then its arguments. Never holds a secret.
    pub argv: Vec<String>,
    /// Where it starts; an absolute directory. None: the root of the file system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Added to the short fixed environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Text>,
    /// Given to its standard input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<Text>,
    /// The exit codes that mean success.
    #[serde(default = "zero")]
    pub expect_exit: Vec<i32>,
    /// Text that its output must contain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_stdout: Option<String>,
    /// How its output becomes `result`.
    #[serde(default)]
    pub parse: Parse,
}

/// How a program's output becomes `result`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Parse {
    /// One text, without the last line end.
    #[default]
    Text,
    /// A list of lines.
    Lines,
    /// One JSON value.
    Json,
    /// A list, one JSON value a line.
    JsonLines,
    /// `KEY=VALUE` or `KEY: VALUE` lines to a map.
    Pairs,
}

/// How a program ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Exit {
    /// Why it ended.
    pub end: End,
    /// All it wrote to standard output, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout: Option<Captured>,
    /// All it wrote to standard error, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stderr: Option<Captured>,
}

/// Why a program ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// Stopped by us: it took too long.
    TimedOut,
    /// Stopped by us: a person cancelled.
    Cancelled,
}

/// Output kept as a blob.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Captured {
    /// The blob; of an age file where the program was given a secret.
    pub blob: Digest,
    /// Number of bytes.
    pub length: u64,
    /// Whether the blob is encrypted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sealed: bool,
}

fn zero() -> Vec<i32> {
    vec![0]
}
