//! Public keys and recipients of people.

/// What a text turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// Usable.
    Sound,
    /// A placeholder for a reader: `AAAA...`.
    Placeholder,
    /// Why not.
    Wrong(String),
}

const CURVES: [&str; 6] = [
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];
/// The least length of an RSA key in bits.
const RSA_BITS: usize = 2048;

/// Judges a public key as OpenSSH writes it.
pub(super) fn public_key(text: &str) -> Judged {
    let mut words = text.split_ascii_whitespace();
    let (Some(kind), Some(body)) = (words.next(), words.next()) else {
        return Judged::Wrong("a public key is written like `ssh-ed25519 AAAA... NAME`".to_owned());
    };
    if !CURVES.contains(&kind) && kind != "ssh-rsa" {
        let why = if kind == "ssh-dss" { "DSA keys are broken" } else { "this type of key is not known" };
        return Judged::Wrong(format!("{why}; use `ssh-keygen -t ed25519`"));
    }
    if body.ends_with("...") {
        return Judged::Placeholder;
    }
    let Some(fields) = base64(body).as_deref().and_then(fields) else {
        return Judged::Wrong("the key is damaged: copy it once more".to_owned());
    };
    if fields.first().map(Vec::as_slice) != Some(kind.as_bytes()) {
        return Judged::Wrong("the key is of another type than it says".to_owned());
    }
    if kind == "ssh-rsa" {
        let modulus = fields.get(2).map_or(&[][..], Vec::as_slice);
        let bits = modulus.iter().skip_while(|byte| **byte == 0).count() * 8;
        if bits < RSA_BITS {
            return Judged::Wrong(format!("an RSA key of {bits} bits is too short; use `ssh-keygen -t ed25519`"));
        }
    }
    Judged::Sound
}

/// Judges an age recipient.
pub(super) fn recipient(text: &str) -> Judged {
    if text.starts_with("age1") && text.ends_with("...") {
        return Judged::Placeholder;
    }
    match text.parse::<age::x25519::Recipient>() {
        Ok(_) => Judged::Sound,
        Err(_) => Judged::Wrong("no age recipient: it begins with `age1`; `age-keygen` makes one".to_owned()),
    }
}

/// The length-prefixed fields of a key.
fn fields(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length) as usize;
        fields.push(rest.get(..length)?.to_vec());
        bytes = &rest[length..];
    }
    Some(fields)
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in text.trim_end_matches('=').bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(six)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_that_hold_are_taken() {
        let ed25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGwkC4FvWuF8Zj4pTQkEo5WIe4m4uMJPXQBpVqGtuYZB pat";
        assert_eq!(public_key(ed25519), Judged::Sound);
        assert_eq!(public_key("ssh-ed25519 AAAA..."), Judged::Placeholder);
        for wrong in ["", "ssh-ed25519", "ssh-dss AAAA", "ssh-ed25519 AAA!", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIGwk"] {
            assert!(matches!(public_key(wrong), Judged::Wrong(_)), "{wrong}");
        }
    }
}
