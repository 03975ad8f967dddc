use super::error::{Refusal, TemplateError};
use super::filter::Filter;
use super::name::{Name, path};
use super::node::{Kind, Node, Operator};
use super::operator;
use super::plain::{self, Mark};
use super::scope::{Found, Scope};
use model::id::StepId;
use model::value::{SecretText, Value};

/// What an expression comes to.
pub(super) enum Outcome {
    /// This. No markers in it.
    Known(Value),
    /// Something not known before this step has run.
    Unknown(StepId),
}

/// Works out an expression, and tells what is left of the work it may do.
///
/// # Errors
/// A secret in it, even where it would not be needed, so that a plan finds it and not the night; a name that is needed and
/// not there; a value of the wrong kind; a limit.
pub(super) fn evaluate(node: &Node, names: &[Name], scope: &dyn Scope, work: &mut usize) -> Result<Outcome, TemplateError> {
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let value = scope.lookup(&name.segments);
        let secret = match &value {
            Found::Secret(_) => true,
            Found::Value(value) => SecretText::of(value).is_some(),
            _ => false,
        };
        if secret {
            return Err(of_secret(name));
        }
        found.push(Some(value));
    }
    Evaluator { names, found, work }.node(node)
}

/// Says that a name is not there.
pub(super) fn missing(name: &Name) -> TemplateError {
    TemplateError::new(TemplateError::MISSING, name.at.clone(), format!("`{}` is not there", path(&name.segments)))
}

fn of_secret(name: &Name) -> TemplateError {
    TemplateError::new(TemplateError::SECRET, name.at.clone(), format!("`{}` is secret and cannot be used in an expression", path(&name.segments)))
        .help("a secret can only be placed whole: `{{ NAME }}`")
}

struct Evaluator<'a> {
    names: &'a [Name],
    /// Each name stands in the expression once, so its value is taken and not copied.
    found: Vec<Option<Found>>,
    work: &'a mut usize,
}

impl Evaluator<'_> {
    /// Only sends each kind to its own function: what is nested deeply comes through here at every level.
    fn node(&mut self, node: &Node) -> Result<Outcome, TemplateError> {
        if *self.work == 0 {
            return Err(Refusal::limit("too much work").at(node.at.clone()));
        }
        *self.work -= 1;
        match &node.kind {
            Kind::Literal(value) => Ok(Outcome::Known(value.clone())),
            Kind::Name(name) => self.name(*name),
            Kind::List(items) => self.list(items),
            Kind::Map(entries) => self.map(entries),
            Kind::Defined(operand) => self.defined(operand),
            Kind::Choice { yes, condition, no } => self.choice(yes, condition, no),
            Kind::Binary(a, Operator::And, b) => self.logic(a, false, b),
            Kind::Binary(a, Operator::Or, b) => self.logic(a, true, b),
            Kind::Binary(a, operator, b) => self.binary(a, *operator, b, node),
            Kind::Filter(operand, filter, arguments) => self.filter(operand, filter, arguments, node),
            Kind::Not(operand) => Ok(self.truth(operand)?.map_or_else(Outcome::Unknown, |truth| Outcome::Known((!truth).into()))),
            Kind::IsNone(operand) => self.change(operand, |value| Ok(value.is_null().into())),
            Kind::Field(operand, name) => self.change(operand, |value| operator::field(&value, name)),
            Kind::Index(operand, index) => self.change(operand, |value| operator::item(&value, *index)),
            Kind::Slice(operand, slice) => self.change(operand, |value| operator::slice(value, *slice)),
            Kind::Negative(operand) => self.change(operand, |value| operator::negative(&value)),
        }
    }

    fn list(&mut self, items: &[Node]) -> Result<Outcome, TemplateError> {
        Ok(self.all(items.iter())?.map_or_else(Outcome::Unknown, |items| Outcome::Known(Value::Sequence(items))))
    }

    fn map(&mut self, entries: &[(String, Node)]) -> Result<Outcome, TemplateError> {
        let keys = entries.iter().map(|(key, _)| Value::from(key.as_str()));
        let values = self.all(entries.iter().map(|(_, value)| value))?;
        Ok(values.map_or_else(Outcome::Unknown, |values| Outcome::Known(Value::Mapping(keys.zip(values).collect()))))
    }

    fn defined(&mut self, operand: &Node) -> Result<Outcome, TemplateError> {
        match self.node(operand) {
            Ok(_) => Ok(Outcome::Known(true.into())),
            Err(error) if error.code == TemplateError::MISSING => Ok(Outcome::Known(false.into())),
            Err(error) => Err(error),
        }
    }

    fn choice(&mut self, yes: &Node, condition: &Node, no: &Node) -> Result<Outcome, TemplateError> {
        match self.truth(condition)? {
            Ok(true) => self.node(yes),
            Ok(false) => self.node(no),
            Err(until) => Ok(Outcome::Unknown(until)),
        }
    }

    fn binary(&mut self, a: &Node, operator: Operator, b: &Node, whole: &Node) -> Result<Outcome, TemplateError> {
        match (self.node(a)?, self.node(b)?) {
            (Outcome::Known(a), Outcome::Known(b)) => {
                operator::apply(operator, a, b).map(Outcome::Known).map_err(|refusal| refusal.at(whole.at.clone()))
            }
            (Outcome::Unknown(until), _) | (_, Outcome::Unknown(until)) => Ok(Outcome::Unknown(until)),
        }
    }

    fn filter(&mut self, operand: &Node, filter: &Filter, arguments: &[Node], whole: &Node) -> Result<Outcome, TemplateError> {
        let operand = match self.node(operand) {
            Err(error) if error.code == TemplateError::MISSING && filter.name == "default" => Outcome::Known(Value::Null),
            other => other?,
        };
        match (operand, self.all(arguments.iter())?) {
            (Outcome::Known(value), Ok(arguments)) => {
                (filter.apply)(&value, &arguments).map(Outcome::Known).map_err(|refusal| refusal.at(whole.at.clone()))
            }
            (Outcome::Unknown(until), _) | (_, Err(until)) => Ok(Outcome::Unknown(until)),
        }
    }

    fn change(&mut self, operand: &Node, change: impl FnOnce(Value) -> Result<Value, Refusal>) -> Result<Outcome, TemplateError> {
        match self.node(operand)? {
            Outcome::Known(value) => change(value).map(Outcome::Known).map_err(|refusal| refusal.at(operand.at.clone())),
            unknown @ Outcome::Unknown(_) => Ok(unknown),
        }
    }

    fn name(&mut self, name: usize) -> Result<Outcome, TemplateError> {
        let found = self.found[name].take();
        let name = &self.names[name];
        match found.unwrap_or(Found::Missing) {
            // A marker deep in a list makes the whole unknown: a comparison with it could be either.
            Found::Value(value) => match plain::mark(&value, self.work).map_err(|refusal| refusal.at(name.at.clone()))? {
                None => Ok(Outcome::Known(value)),
                Some(Mark::Unknown(until)) => Ok(Outcome::Unknown(until)),
                Some(Mark::Secret) => Err(of_secret(name)),
            },
            Found::Unknown { until } => Ok(Outcome::Unknown(until)),
            Found::Secret(_) => Err(of_secret(name)),
            Found::Missing => Err(missing(name)),
        }
    }

    /// All known, or the first step until which one is not.
    fn all<'n>(&mut self, nodes: impl Iterator<Item = &'n Node>) -> Result<Result<Vec<Value>, StepId>, TemplateError> {
        let outcomes = nodes.map(|node| self.node(node)).collect::<Result<Vec<_>, _>>()?;
        let values = outcomes.into_iter().map(|outcome| match outcome {
            Outcome::Known(value) => Ok(value),
            Outcome::Unknown(until) => Err(until),
        });
        Ok(values.collect())
    }

    fn truth(&mut self, node: &Node) -> Result<Result<bool, StepId>, TemplateError> {
        match self.node(node)? {
            Outcome::Known(Value::Bool(truth)) => Ok(Ok(truth)),
            Outcome::Known(other) => Err(no_truth(&other, node)),
            Outcome::Unknown(until) => Ok(Err(until)),
        }
    }

    /// `and` and `or`. What decides alone, decides, from either side. Behind an unknown the other side may be wrong without
    /// harm: perhaps it is never asked.
    fn logic(&mut self, a: &Node, decides: bool, b: &Node) -> Result<Outcome, TemplateError> {
        match self.truth(a)? {
            Ok(truth) if truth == decides => Ok(Outcome::Known(decides.into())),
            Ok(_) => Ok(self.truth(b)?.map_or_else(Outcome::Unknown, |truth| Outcome::Known(truth.into()))),
            Err(until) => match self.truth(b) {
                Ok(Ok(truth)) if truth == decides => Ok(Outcome::Known(decides.into())),
                Err(error) if error.code == TemplateError::SECRET || error.code == TemplateError::LIMIT => Err(error),
                _ => Ok(Outcome::Unknown(until)),
            },
        }
    }
}

/// Says that a value is neither true nor false.
pub(super) fn no_truth(value: &Value, node: &Node) -> TemplateError {
    let help = match value {
        Value::Sequence(_) | Value::Mapping(_) | Value::String(_) => "compare it: `NAME | length > 0`",
        Value::Null => "ask for it: `NAME is none`",
        _ => "compare it: `NAME == 1`",
    };
    TemplateError::new(TemplateError::KIND, node.at.clone(), format!("true or false is wanted, this is {}", plain::kind(value))).help(help)
}
