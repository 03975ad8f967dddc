//! The deadline of a run: after it no step starts.

use crate::context::Clock;
use crate::run::scribe::Scribe;
use crate::session::Session;
use jiff::Timestamp;
use model::span::Span;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a decision about it is about.
pub(crate) const ABOUT: &str = "the deadline";

/// The deadline of a run, counted from its first line by the wall clock.
pub(crate) struct Deadline {
    span: Span,
    at: Timestamp,
    lifted: AtomicBool,
}

impl Deadline {
    /// That of the runbook; none if it has none, or if somebody has decided to go on without it.
    pub(crate) fn of(session: &Session<'_>, scribe: &Scribe<'_>) -> Option<Self> {
        let span = session.graph.documents.first()?.document.form.deadline?.value;
        let (began, lifted) =
            scribe.fold(|run| (run.began, run.decisions.iter().any(|decision| decision.about == ABOUT && decision.what == "go_on")))?;
        Some(Self { span, at: began.saturating_add(span.duration()).unwrap_or(Timestamp::MAX), lifted: AtomicBool::new(lifted) })
    }

    /// Whether it has passed.
    pub(crate) fn has_passed(&self, clock: &dyn Clock) -> bool {
        !self.lifted.load(Ordering::SeqCst) && clock.now() >= self.at
    }

    /// From now on there is none.
    pub(crate) fn lift(&self) {
        self.lifted.store(true, Ordering::SeqCst);
    }
}

impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the deadline of {}", self.span)
    }
}
