use super::error::TemplateError;
use super::evaluate::{self, Outcome};
use super::lexer::Close;
use super::limits;
use super::name::Name;
use super::node::{Kind, Node};
use super::parser::{self, Parsed};
use super::scope::{Found, Scope};
use model::value::{SecretText, Value, unknown};

/// An expression, parsed: what stands between `{{` and `}}`.
#[derive(Clone, Debug)]
pub struct Expression {
    node: Node,
    names: Vec<Name>,
}

impl Expression {
    /// Parses a bare expression.
    ///
    /// # Errors
    /// It is none, uses a filter that there is not, or goes over a limit.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        parser::parse(source, 0, Close::Source).map(Self::from)
    }

    /// Every name in it, also those in branches that may never be taken.
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    /// Its value. A lone name keeps what it names: an unknown, a secret, a list. Otherwise an unknown in what is needed
    /// makes the whole unknown.
    ///
    /// # Errors
    /// A name that is not there, a secret in anything but a lone name, a value of the wrong kind, or a limit.
    pub fn eval(&self, scope: &dyn Scope) -> Result<Value, TemplateError> {
        self.eval_within(scope, &mut { limits::WORK })
    }

    /// The same, with what is left of the work that may be done.
    pub(super) fn eval_within(&self, scope: &dyn Scope, work: &mut usize) -> Result<Value, TemplateError> {
        if let Kind::Name(at) = self.node.kind {
            let name = &self.names[at];
            return match scope.lookup(&name.segments) {
                Found::Value(value) => Ok(value),
                Found::Unknown { until } => Ok(unknown(&until)),
                Found::Secret(secret) => Ok(SecretText::named(&secret).value()),
                Found::Missing => Err(evaluate::missing(name)),
            };
        }
        match self.outcome(scope, work)? {
            Outcome::Known(value) => Ok(value),
            Outcome::Unknown(until) => Ok(unknown(&until)),
        }
    }

    /// Its value where nothing but known values may stand: a lone secret is refused too.
    pub(super) fn outcome(&self, scope: &dyn Scope, work: &mut usize) -> Result<Outcome, TemplateError> {
        evaluate::evaluate(&self.node, &self.names, scope, work)
    }

    pub(super) fn node(&self) -> &Node {
        &self.node
    }
}

impl From<Parsed> for Expression {
    fn from(parsed: Parsed) -> Self {
        Self { node: parsed.node, names: parsed.names }
    }
}
