//! What is wrong with a record: one word for each kind of tampering.

use jiff::Timestamp;
use model::event::Line;
use model::id::{RunId, StepId};
use std::fmt;

/// What is wrong with a record. [`Verdict::word`] is for scripts, `Display` for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The bytes of a line are not those that the next line, or the seal, names.
    LineAltered(u64, Option<About>),
    /// A line is not there.
    LineMissing(u64),
    /// A line stands where another belongs.
    OrderChanged(u64, u64),
    /// A line stands there twice.
    LineRepeated(u64),
    /// A line belongs to another run.
    ForeignLine(u64),
    /// A key stands twice in an object of a line, so that readers may disagree about it.
    LineAmbiguous(u64),
    /// The event of a line is none that this version knows.
    EventUnknown(u64),
    /// A line does not follow from those before.
    EventOutOfPlace(u64, String),
    /// Line ends were changed, or a byte-order mark was added.
    LineEndingsChanged,
    /// The journal has no byte.
    Empty,
    /// The journal or the seal is of a format that this version does not know.
    FormatUnsupported,
    /// The whole journal is of another run.
    RunDiffers(RunId),
    /// The run's directory is not there.
    RunMissing(RunId),
    /// A later run has seen an end of this record that is not in it: an older copy was put in its place.
    RegisterBehind(RunId),
    /// The run has ended, and has no seal.
    NotSealed,
    /// The seal is no seal, or says something else than the journal.
    SealDiffers,
    /// The seal is of another run.
    SealOfOtherRun(RunId),
    /// The last line is not the one that was sealed.
    HeadDiffers,
    /// Lines are missing at the end.
    ShorterThanSealed {
        /// Lines that are there.
        lines: u64,
        /// Lines that were sealed.
        sealed: u64,
    },
    /// Lines were added at the end.
    LongerThanSealed {
        /// Lines that are there.
        lines: u64,
        /// Lines that were sealed.
        sealed: u64,
    },
    /// A sealed journal ends within a line.
    TornAfterSeal,
    /// A file of the run's directory is not the one that the first line names.
    FileDiffers(String),
    /// A file of the run's directory is not there.
    FileMissing(String),
    /// The bytes of a blob are not those of its name.
    BlobAltered(String),
    /// A blob is not there.
    BlobMissing(String),
    /// Evidence is not what was attached.
    EvidenceAltered(String),
    /// Evidence is not there.
    EvidenceMissing(String),
    /// The remarks beside the journal are not about this record.
    NotesDiffer,
    /// The bytes of a remark are not those that the next one names, or one between them is missing.
    NoteAltered(usize),
}

/// When a line was written, and of which step it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct About {
    /// When.
    pub at: Timestamp,
    /// Of which step.
    pub step: Option<StepId>,
}

impl About {
    /// Of a line, as far as it can be read.
    pub(super) fn of(raw: &[u8]) -> Option<Self> {
        let line = Line::read(std::str::from_utf8(raw).ok()?).ok()?;
        Some(Self { at: line.at, step: line.event.step().cloned() })
    }
}

impl Verdict {
    /// The word for it, with the lines that it is about: `line-altered 211`.
    pub fn word(&self) -> String {
        match self {
            Self::LineAltered(line, _) => format!("line-altered {line}"),
            Self::LineMissing(line) => format!("line-missing {line}"),
            Self::OrderChanged(line, other) => format!("order-changed {line} {other}"),
            Self::LineRepeated(line) => format!("line-repeated {line}"),
            Self::ForeignLine(line) => format!("foreign-line {line}"),
            Self::LineAmbiguous(line) => format!("line-ambiguous {line}"),
            Self::EventUnknown(line) => format!("event-unknown {line}"),
            Self::EventOutOfPlace(line, _) => format!("event-out-of-place {line}"),
            Self::LineEndingsChanged => "line-endings-changed".to_owned(),
            Self::Empty => "empty".to_owned(),
            Self::FormatUnsupported => "format-unsupported".to_owned(),
            Self::RunDiffers(_) => "run-differs".to_owned(),
            Self::RunMissing(run) => format!("run-missing {run}"),
            Self::RegisterBehind(_) => "register-behind".to_owned(),
            Self::NotSealed => "not-sealed".to_owned(),
            Self::SealDiffers => "seal-differs".to_owned(),
            Self::SealOfOtherRun(_) => "seal-of-other-run".to_owned(),
            Self::HeadDiffers => "head-differs".to_owned(),
            Self::ShorterThanSealed { .. } => "shorter-than-sealed".to_owned(),
            Self::LongerThanSealed { .. } => "longer-than-sealed".to_owned(),
            Self::TornAfterSeal => "torn-after-seal".to_owned(),
            Self::FileDiffers(name) => format!("{}-differs{}", file(name).0, file(name).1),
            Self::FileMissing(name) => format!("{}-missing{}", file(name).0, file(name).1),
            Self::BlobAltered(blob) => format!("blob-altered {blob}"),
            Self::BlobMissing(blob) => format!("blob-missing {blob}"),
            Self::EvidenceAltered(name) => format!("evidence-altered {name}"),
            Self::EvidenceMissing(name) => format!("evidence-missing {name}"),
            Self::NotesDiffer => "notes-differ".to_owned(),
            Self::NoteAltered(note) => format!("note-altered {note}"),
        }
    }
}

/// `plan`, `runbook`, `client`, `partner`, or `file` and its name.
fn file(name: &str) -> (&str, String) {
    match name {
        "plan.json" => ("plan", String::new()),
        "runbook.yaml" => ("runbook", String::new()),
        "client.yaml" => ("client", String::new()),
        "partner.yaml" => ("partner", String::new()),
        _ => ("file", format!(" {name}")),
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LineAltered(line, None) => write!(f, "event {line} was altered"),
            Self::LineAltered(line, Some(about)) => {
                write!(f, "event {line} ({}", about.at.strftime("%F %T%:z"))?;
                if let Some(step) = &about.step {
                    write!(f, ", {step}")?;
                }
                f.write_str(") was altered")
            }
            Self::LineMissing(line) => write!(f, "event {line} is missing"),
            Self::OrderChanged(line, other) => write!(f, "event {other} stands where event {line} belongs"),
            Self::LineRepeated(line) => write!(f, "event {line} stands there twice"),
            Self::ForeignLine(line) => write!(f, "event {line} is of another run"),
            Self::LineAmbiguous(line) => write!(f, "event {line} has a key twice"),
            Self::EventUnknown(line) => write!(f, "event {line} is of a kind that is not known"),
            Self::EventOutOfPlace(line, why) => write!(f, "event {line} does not follow from those before: {why}"),
            Self::LineEndingsChanged => f.write_str("line ends were changed, or a byte-order mark was added"),
            Self::Empty => f.write_str("the journal is empty"),
            Self::FormatUnsupported => f.write_str("its format is not known to this version"),
            Self::RunDiffers(run) => write!(f, "this is the journal of {run}"),
            Self::RunMissing(run) => write!(f, "run {run} was recorded and is not there"),
            Self::RegisterBehind(run) => write!(f, "run {run} has seen an end of this record that is not in it"),
            Self::NotSealed => f.write_str("the run has ended, and there is no seal"),
            Self::SealDiffers => f.write_str("the seal says something else than the journal"),
            Self::SealOfOtherRun(run) => write!(f, "this is the seal of {run}"),
            Self::HeadDiffers => f.write_str("the last event is not the one that was sealed"),
            Self::ShorterThanSealed { lines, sealed } => write!(f, "{lines} events, {sealed} were sealed: the end was cut off"),
            Self::LongerThanSealed { lines, sealed } => write!(f, "{lines} events, {sealed} were sealed: the rest was added"),
            Self::TornAfterSeal => f.write_str("it was sealed, and ends within an event"),
            Self::FileDiffers(name) => write!(f, "{name} is not the one that the run began with"),
            Self::FileMissing(name) => write!(f, "{name} is not there"),
            Self::BlobAltered(blob) => write!(f, "blob {blob} was altered"),
            Self::BlobMissing(blob) => write!(f, "blob {blob} is not there"),
            Self::EvidenceAltered(name) => write!(f, "evidence {name} is not what was attached"),
            Self::EvidenceMissing(name) => write!(f, "evidence {name} is not there"),
            Self::NotesDiffer => f.write_str("the first remark names no event of this record"),
            Self::NoteAltered(note) => write!(f, "remark {note} was altered, or one after it is missing"),
        }
    }
}
