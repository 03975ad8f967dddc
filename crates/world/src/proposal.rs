//! What an action proposes.

use crate::act::Source;
use model::effect::Effect;
use model::id::StepId;
use model::value::{Value, unknown};
use std::collections::BTreeMap;

/// The decision, effects and outputs that an action proposes, given what it saw.
#[derive(Debug, Default)]
pub struct Proposal {
    /// What it found, for a check; [`Verdict::Propose`] for everything else.
    pub verdict: Verdict,
    /// What is to be done, in order. None: it is already so.
    pub effects: Vec<Proposed>,
    /// Its outputs by name.
    pub outputs: BTreeMap<String, Out>,
    /// What was found, in words; shown beside the step.
    pub reason: Option<String>,
    /// The difference in contents for people, line by line (`-`, `+` or blank first). Never of secrets.
    pub difference: Vec<String>,
}

/// What a check found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Verdict {
    /// It is no check: the effects say what is to be done.
    #[default]
    Propose,
    /// It holds.
    Holds,
    /// It does not.
    Fails {
        /// What should be.
        expected: String,
        /// What is.
        found: String,
    },
    /// It cannot be judged before a step has run.
    Later {
        /// That step.
        until: StepId,
    },
}

/// An effect and where its bytes come from.
#[derive(Debug)]
pub struct Proposed {
    /// The effect.
    pub effect: Effect,
    /// Where the bytes of a `Set` come from.
    pub source: Source,
}

/// An output: known now, or read off what an effect did.
#[derive(Clone, PartialEq, Debug)]
pub enum Out {
    /// Known now (it may hold unknowns that came in).
    Value(Value),
    /// Known when the effect of that number has been applied.
    Observed {
        /// Index into the proposal's effects.
        effect: usize,
        /// What of it.
        field: Field,
    },
}

/// What is read off an effect that was applied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Field {
    /// Digest of the manifest of the tree that was set.
    Manifest,
    /// Number of its files.
    Files,
    /// Number of its bytes.
    Bytes,
    /// The paths of the files that could not be read and were left out.
    LeftOut,
    /// Exit code of the program.
    Exit,
    /// The program's output, parsed as it declares.
    Result,
    /// The answer to the field of that name.
    Answer(String),
}

impl Proposal {
    /// Already as wanted.
    pub fn unchanged() -> Self {
        Self::default()
    }

    /// A check that holds.
    pub fn holds() -> Self {
        Self { verdict: Verdict::Holds, ..Self::default() }
    }

    /// A check that does not hold.
    pub fn fails(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fails { expected: expected.into(), found: found.into() }, ..Self::default() }
    }

    /// A check that cannot be judged yet.
    pub fn later(until: &StepId) -> Self {
        Self { verdict: Verdict::Later { until: until.clone() }, ..Self::default() }
    }

    /// One more effect.
    #[must_use]
    pub fn effect(mut self, effect: Effect, source: Source) -> Self {
        // Most have one.
        self.effects.reserve_exact(1);
        self.effects.push(Proposed { effect, source });
        self
    }

    /// One more output, known now.
    #[must_use]
    pub fn output(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.outputs.insert(name.to_owned(), Out::Value(value.into()));
        self
    }

    /// One more output that is not known before that step.
    #[must_use]
    pub fn unknown_output(self, name: &str, until: &StepId) -> Self {
        let value = unknown(until);
        self.output(name, value)
    }

    /// One more output, read off the effect of that number once it is applied.
    #[must_use]
    pub fn observed(mut self, name: &str, effect: usize, field: Field) -> Self {
        self.outputs.insert(name.to_owned(), Out::Observed { effect, field });
        self
    }

    /// With words about what was found.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}
