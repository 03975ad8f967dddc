use schemars::JsonSchema;
use serde::Serialize;

/// No outputs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Nothing {}

/// The output of an action that sets a file.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Digested {
    /// SHA-256 of the file's bytes in lower-case hex; of a file that holds a secret a keyed digest, `hmac:HEX`.
    pub sha256: String,
}
