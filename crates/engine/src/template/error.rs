use std::ops::Range;

/// What is wrong with a template, and where in its source.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// The kind of mistake: one of the constants of this type.
    pub code: &'static str,
    /// What is wrong, in words. Never a secret's value.
    pub message: String,
    /// Where: bytes of the source that was parsed.
    pub at: Range<usize>,
    /// What to write instead.
    pub help: Option<String>,
}

impl TemplateError {
    /// It is no expression.
    pub const SYNTAX: &'static str = "template-syntax";
    /// It is too long, too deep or too much work.
    pub const LIMIT: &'static str = "template-limit";
    /// A filter or test that there is not.
    pub const FILTER: &'static str = "unknown-filter";
    /// A name or part of a value that is not there.
    pub const MISSING: &'static str = "unknown-name";
    /// A secret where only known values may stand.
    pub const SECRET: &'static str = "secret-in-expression";
    /// An operator, filter or place got a value of a kind it cannot use.
    pub const KIND: &'static str = "template-kind";

    pub(super) fn new(code: &'static str, at: Range<usize>, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), at, help: None }
    }

    pub(super) fn syntax(at: Range<usize>, message: impl Into<String>) -> Self {
        Self::new(Self::SYNTAX, at, message)
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// Why an operator or filter cannot do its work on the values it got. The place is added by who evaluates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn kind(message: impl Into<String>) -> Self {
        Self { code: TemplateError::KIND, message: message.into() }
    }

    pub(super) fn missing(message: impl Into<String>) -> Self {
        Self { code: TemplateError::MISSING, message: message.into() }
    }

    pub(super) fn limit(message: impl Into<String>) -> Self {
        Self { code: TemplateError::LIMIT, message: message.into() }
    }

    pub(super) fn at(self, at: Range<usize>) -> TemplateError {
        TemplateError::new(self.code, at, self.message)
    }
}
