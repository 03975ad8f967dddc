//! A program to start, and what came of it.

use crate::digest::Digest;
use crate::value::{Text, Value};
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

/// What a program wrote, as it declares to be read.
///
/// # Errors
/// It is not what was declared; in words, without what was written.
pub fn parse(how: Parse, output: &[u8]) -> Result<Value, String> {
    // Not through `value::from_json`: what a program writes must never pass for a marked value.
    let json = |text: &str, line: usize| {
        let value: serde_json::Value =
            serde_json::from_str(text).map_err(|wrong| format!("its output is not JSON: line {}, column {}", line + wrong.line(), wrong.column()))?;
        serde_yaml::to_value(value).map_err(|_| "its output holds a number that cannot be used".to_owned())
    };
    let text = String::from_utf8_lossy(output);
    let lines = || text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    match how {
        Parse::Text => {
            let text = text.strip_suffix('\n').unwrap_or(&text);
            Ok(text.strip_suffix('\r').unwrap_or(text).into())
        }
        Parse::Lines => Ok(Value::Sequence(text.lines().map(Value::from).collect())),
        Parse::Json => json(&text, 0),
        Parse::JsonLines => lines().map(|(at, line)| json(line, at)).collect::<Result<_, _>>().map(Value::Sequence),
        Parse::Pairs => lines()
            .map(|(at, line)| pair(line).ok_or_else(|| format!("line {} of its output is no `KEY=VALUE`", at + 1)))
            .collect::<Result<_, _>>()
            .map(Value::Mapping),
    }
}

/// `KEY=VALUE` or `KEY: VALUE`, whichever sign comes first; quotes round the whole value are taken off.
fn pair(line: &str) -> Option<(Value, Value)> {
    let (key, value) = line.split_once(['=', ':'])?;
    let (key, value) = (key.trim(), value.trim());
    let bare = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(value);
    (!key.is_empty()).then(|| (key.into(), bare.into()))
}

fn zero() -> Vec<i32> {
    vec![0]
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;

    fn yaml(text: &str) -> Value {
        serde_yaml::from_str(text).unwrap()
    }

    #[test]
    fn output_is_read_as_declared() {
        for (how, output, wanted) in [
            (Parse::Text, "a\nb\r\n", "\"a\\nb\""),
            (Parse::Text, "", "''"),
            (Parse::Lines, "a\r\n\nb", "[a, '', b]"),
            (Parse::Json, "{\"lag\": 3, \"ok\": [true, null]}", "{ lag: 3, ok: [true, null] }"),
            (Parse::JsonLines, "{\"a\":1}\n\n2\n", "[{ a: 1 }, 2]"),
            (Parse::Pairs, "ActiveState=active\nExecStart: \"a=b\"\n", "{ ActiveState: active, ExecStart: 'a=b' }"),
        ] {
            assert_eq!(parse(how, output.as_bytes()).unwrap(), yaml(wanted), "{output}");
        }
    }

    #[test]
    fn output_that_is_not_as_declared_is_refused_without_being_quoted() {
        assert_eq!(parse(Parse::Json, b"{\n hunter2"), Err("its output is not JSON: line 2, column 2".to_owned()));
        assert_eq!(parse(Parse::JsonLines, b"1\nx"), Err("its output is not JSON: line 2, column 1".to_owned()));
        assert_eq!(parse(Parse::Pairs, b"a=b\nhunter2"), Err("line 2 of its output is no `KEY=VALUE`".to_owned()));
    }

    #[test]
    fn the_output_of_a_program_never_becomes_a_secret_or_an_unknown() {
        let value = parse(Parse::Json, br#"{"secret": ["inputs.key"]}"#).unwrap();
        assert!(value.is_mapping());
    }
}
