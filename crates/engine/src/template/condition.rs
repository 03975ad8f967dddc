use super::error::TemplateError;
use super::evaluate::{Outcome, no_truth};
use super::expression::Expression;
use super::limits;
use super::name::Name;
use super::scope::Scope;
use model::value::{May, Value};

/// A bare expression that is true or false: `when`, `that`, `fail_when`.
#[derive(Clone, Debug)]
pub struct Condition(Expression);

impl Condition {
    /// Parses a condition.
    ///
    /// # Errors
    /// It stands in braces, or is no expression.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        if let Some(at) = source.find("{{") {
            let bare = source.trim().trim_start_matches('{').trim_end_matches('}').trim();
            return Err(TemplateError::syntax(at..at + 2, "a condition has no braces").help(format!("write it without braces: `{bare}`")));
        }
        Expression::parse(source).map(Self)
    }

    /// Every name in it.
    pub fn names(&self) -> &[Name] {
        self.0.names()
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// It is neither true nor false, uses a secret, or as [`Expression::eval`].
    pub fn eval(&self, scope: &dyn Scope) -> Result<May<bool>, TemplateError> {
        self.eval_within(scope, &mut { limits::WORK })
    }

    pub(super) fn eval_within(&self, scope: &dyn Scope, work: &mut usize) -> Result<May<bool>, TemplateError> {
        match self.0.outcome(scope, work)? {
            Outcome::Known(Value::Bool(truth)) => Ok(May::Known(truth)),
            Outcome::Known(other) => Err(no_truth(&other, self.0.node())),
            Outcome::Unknown(until) => Ok(May::Unknown { until }),
        }
    }
}

impl From<Expression> for Condition {
    fn from(expression: Expression) -> Self {
        Self(expression)
    }
}
