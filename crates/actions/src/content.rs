//! Comparing and naming the bytes of files by what they are recognised by.

use model::digest::Digest;
use model::state::{Content, State};
use model::value::{May, Value, unknown};
use world::action::ActionError;
use world::view::View;

/// Whether a resource is already as wanted. What is hidden or unknown never is.
pub(crate) fn already(before: &State, after: &State) -> bool {
    let told = |state: &State| match state {
        State::File(file) => matches!(file.content, Content::Plain { .. } | Content::Keyed { .. }),
        State::Unknown { .. } => false,
        _ => true,
    };
    told(before) && told(after) && before.same(after)
}

/// The digest as an output: keyed if the bytes hold a secret.
pub(crate) fn digest_output(view: &dyn View, content: &Content, secret: bool) -> Value {
    let said = |digest: &Digest| Value::from(digest.as_str());
    match content {
        Content::Plain { sha256, .. } if secret => match view.keyed(sha256) {
            May::Known(digest) => said(&digest),
            May::Unknown { until } => unknown(&until),
        },
        Content::Plain { sha256, .. } => said(sha256),
        Content::Keyed { hmac } => said(hmac),
        Content::Hidden => unknown(view.step()),
        Content::Unknown { until } => unknown(until),
    }
}

/// Whether the bytes have this digest, plain or keyed.
///
/// # Errors
/// The text is no digest.
pub(crate) fn has_digest(view: &dyn View, content: &Content, wanted: &str) -> Result<May<bool>, ActionError> {
    let wanted = Digest::parse(&wanted.to_ascii_lowercase())
        .ok_or_else(|| ActionError::Invalid(format!("`{wanted}` is no SHA-256: 64 hex digits are wanted")))?;
    Ok(match content {
        Content::Plain { sha256, .. } if wanted.as_str().starts_with("hmac:") => view.keyed(sha256).map(|digest| digest == wanted),
        Content::Plain { sha256, .. } => May::Known(*sha256 == wanted),
        Content::Keyed { hmac } => May::Known(*hmac == wanted),
        Content::Hidden => May::Unknown { until: view.step().clone() },
        Content::Unknown { until } => May::Unknown { until: until.clone() },
    })
}

/// A digest short enough for a line.
pub(crate) fn short(digest: &str) -> String {
    let digits = digest.strip_prefix("hmac:").unwrap_or(digest);
    format!("sha256 {}...", &digits[..12.min(digits.len())])
}
