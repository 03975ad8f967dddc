use std::fmt;
use std::ops::Range;

/// A name that an expression uses: `inputs.dir`, `steps.farm['rds01'].sha256`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name {
    /// Its parts, at least one, the first a field.
    pub segments: Vec<Segment>,
    /// Where it stands: bytes of the source that was parsed.
    pub at: Range<usize>,
    /// Whether it may be of nothing: it is asked whether it is defined, or a default stands in for it.
    pub may_miss: bool,
}

/// A part of a name.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Segment {
    /// `.sha256`
    Field(String),
    /// `['rds01']`
    Key(String),
}

impl Segment {
    /// The field or key as text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Field(text) | Self::Key(text) => text,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&path(&self.segments))
    }
}

/// The parts of a name as they are written.
pub(super) fn path(segments: &[Segment]) -> String {
    let mut text = String::new();
    for segment in segments {
        match segment {
            Segment::Field(field) if text.is_empty() => text.push_str(field),
            Segment::Field(field) => text.extend([".", field]),
            Segment::Key(key) => text.extend(["['", key, "']"]),
        }
    }
    text
}
