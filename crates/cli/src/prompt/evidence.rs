//! Files that are attached to an answer.

use engine::people::EvidenceWanted;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The largest attached file.
const MOST: u64 = 20 << 20;

/// Reads a file that is to be attached: its name and its bytes. A picture is PNG or JPEG, a text is UTF-8: judged by content,
/// not by name.
///
/// # Errors
/// It cannot be read, or is not what is wanted; in words.
pub(crate) fn read(wanted: &EvidenceWanted, path: &Path) -> Result<(String, Vec<u8>), String> {
    let shown = path.display();
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
    file.take(MOST + 1).read_to_end(&mut bytes).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
    if bytes.len() as u64 > MOST {
        return Err(format!("`{shown}` is larger than {}", model::state::Bytes(MOST)));
    }
    let is = match wanted.kind.as_str() {
        "image" => bytes.starts_with(b"\x89PNG\r\n\x1a\n") || bytes.starts_with(b"\xff\xd8\xff"),
        "text" => std::str::from_utf8(&bytes).is_ok(),
        _ => true,
    };
    if !is {
        return Err(format!("`{shown}` is no {}", if wanted.kind == "image" { "picture (PNG or JPEG)" } else { "text" }));
    }
    let name = path.file_name().map_or_else(|| "file".to_owned(), |name| name.to_string_lossy().into_owned());
    Ok((name, bytes))
}
