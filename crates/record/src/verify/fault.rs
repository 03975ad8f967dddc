//! The first line that does not fit, and what it means.

use super::line::Envelope;
use super::verdict::{About, Verdict};
use model::id::RunId;
use model::seal::Seal;

/// The first line that does not fit. What it means can depend on what comes after it.
#[derive(Debug)]
pub(super) struct Fault {
    /// Its place.
    pub(super) at: u64,
    pub(super) kind: Kind,
    pub(super) hash: [u8; 32],
    /// What it is about, as far as it can be read, and the line before it.
    pub(super) about: Option<About>,
    pub(super) before: Option<About>,
    /// Lines after it.
    after: u64,
    /// What the next line says of this one.
    next_prev: Option<[u8; 32]>,
    /// A later line says that it belongs here.
    comes_later: bool,
    /// A line after it can be read.
    whole_after: bool,
}

/// How a line does not fit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A carriage return or byte-order mark.
    Endings,
    /// It is no line of a journal.
    Broken,
    /// A key stands twice.
    Ambiguous,
    /// The first line is of another format.
    Format,
    /// It is in its place, and names another line before it.
    Prev,
    /// It names the right line before it, and another place.
    Place,
    /// It belongs to another place, this one.
    Elsewhere(u64),
    /// It is of another run than the first line.
    Foreign,
    /// The first line is of another run than the directory.
    OtherRun(RunId),
}

impl Fault {
    pub(super) fn new(at: u64, kind: Kind, hash: [u8; 32], about: Option<About>, before: Option<About>) -> Self {
        Self { at, kind, hash, about, before, after: 0, next_prev: None, comes_later: false, whole_after: false }
    }

    /// Looks at a line after it.
    pub(super) fn look_on(&mut self, line: Option<&Envelope>) {
        if let Some(line) = line {
            if self.after == 0 {
                self.next_prev = Some(line.prev);
            }
            self.comes_later |= line.seq == self.at;
            self.whole_after = true;
        }
        self.after += 1;
    }

    /// What it means; none: the end was cut off in the middle of a line. `sealed` is the seal's count and head.
    pub(super) fn verdict(self, seal: Option<&Seal>, sealed: Option<[u8; 32]>) -> Option<Verdict> {
        let is_sealed_end = self.after == 0 && seal.is_some_and(|seal| seal.count == self.at + 1);
        let said = if is_sealed_end { sealed } else { self.next_prev };
        // Those who come after it say that it was another one.
        let contradicted = said.is_some_and(|said| said != self.hash);
        let altered = if is_sealed_end { Verdict::HeadDiffers } else { Verdict::LineAltered(self.at, self.about) };
        Some(match self.kind {
            Kind::Endings => Verdict::LineEndingsChanged,
            Kind::Broken if seal.is_none() && !self.whole_after => return None,
            Kind::Broken | Kind::Place => altered,
            Kind::Ambiguous => Verdict::LineAmbiguous(self.at),
            Kind::Format => Verdict::FormatUnsupported,
            Kind::Prev if contradicted || self.at == 0 => altered,
            Kind::Prev => Verdict::LineAltered(self.at - 1, self.before),
            Kind::Elsewhere(seq) if seq < self.at => Verdict::LineRepeated(seq),
            Kind::Elsewhere(seq) if self.comes_later => Verdict::OrderChanged(self.at, seq),
            Kind::Elsewhere(_) => Verdict::LineMissing(self.at),
            Kind::Foreign | Kind::OtherRun(_) if contradicted => altered,
            Kind::Foreign => Verdict::ForeignLine(self.at),
            Kind::OtherRun(run) => Verdict::RunDiffers(run),
        })
    }
}
