//! What the chain needs of a line, in one pass over its JSON.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// What the chain needs of a line.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) seq: u64,
    pub(super) run: Box<str>,
    /// SHA-256 that the line names as that of the line before it.
    pub(super) prev: [u8; 32],
    /// Whether it is to be a first line, and of which format.
    pub(super) starts: bool,
    pub(super) format: Option<u64>,
    /// Whether an object in it has a key twice.
    pub(super) repeated: bool,
}

impl Envelope {
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Top)
    }
}

struct Top;

impl<'de> Visitor<'de> for Top {
    type Value = Envelope;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a line of a journal")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut seq, mut run, mut prev, mut event, mut format) = (None, None, None, None, None);
        let mut keys = Keys::default();
        let mut inside = false;
        while let Some(Text(key)) = map.next_key()? {
            match &*key {
                "seq" => seq = Some(map.next_value()?),
                "run" => run = Some(Box::from(&*map.next_value::<Text<'de>>()?.0)),
                "prev" => prev = unhex(&map.next_value::<Text<'de>>()?.0),
                "event" => event = Some(map.next_value::<Text<'de>>()?.0 == "run_started"),
                "format" => format = map.next_value::<serde_json::Value>()?.as_u64(),
                _ => inside |= map.next_value::<Repeats>()?.0,
            }
            keys.add(key);
        }
        let repeated = inside || keys.repeated;
        match (seq, run, prev, event) {
            (Some(seq), Some(run), Some(prev), Some(starts)) => Ok(Envelope { seq, run, prev, starts, format, repeated }),
            _ => Err(serde::de::Error::custom("a field is missing")),
        }
    }
}

/// Text that is borrowed where JSON has it without escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Any)
    }
}

/// The keys of one object.
#[derive(Default)]
struct Keys<'a> {
    seen: Vec<Cow<'a, str>>,
    many: std::collections::HashSet<Cow<'a, str>>,
    repeated: bool,
}

impl<'a> Keys<'a> {
    fn add(&mut self, key: Cow<'a, str>) {
        const FEW: usize = 32;
        if self.seen.len() < FEW {
            self.repeated |= self.seen.contains(&key);
            self.seen.push(key);
        } else {
            self.repeated |= self.seen.contains(&key) || !self.many.insert(key);
        }
    }
}

/// Whether an object in a value has a key twice.
struct Repeats(bool);

impl<'de> Deserialize<'de> for Repeats {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Repeats;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_bool<E>(self, _: bool) -> Result<Repeats, E> {
                Ok(Repeats(false))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Repeats, E> {
                Ok(Repeats(false))
            }
            fn visit_u64<E>(self, _: u64) -> Result<Repeats, E> {
                Ok(Repeats(false))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Repeats, E> {
                Ok(Repeats(false))
            }
            fn visit_str<E>(self, _: &str) -> Result<Repeats, E> {
                Ok(Repeats(false))
            }
            fn visit_unit<E>(self) -> Result<Repeats, E> {
                Ok(Repeats(false))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Repeats, A::Error> {
                let mut repeated = false;
                while let Some(Repeats(one)) = list.next_element()? {
                    repeated |= one;
                }
                Ok(Repeats(repeated))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Repeats, A::Error> {
                let (mut keys, mut repeated) = (Keys::default(), false);
                while let Some(Text(key)) = map.next_key()? {
                    repeated |= map.next_value::<Repeats>()?.0;
                    keys.add(key);
                }
                Ok(Repeats(repeated || keys.repeated))
            }
        }
        from.deserialize_any(Any)
    }
}

/// The 32 bytes of a SHA-256 in lower-case hex.
pub(super) fn unhex(text: &str) -> Option<[u8; 32]> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let text = text.as_bytes();
    if text.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}
