//! A checked template file, rendered by minijinja. It has texts, loops and blocks; whatever they depend on it asks of us.

use super::condition::Condition;
use super::error::{Refusal, TemplateError};
use super::expression::Expression;
use super::file_names::{Names, items};
use super::limits;
use super::output::{Output, Whole};
use super::plain;
use super::scope::Scope;
use super::text::placed;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Object, Value as Jinja};
use minijinja::{Environment, ErrorKind, State, context};
use model::id::StepId;
use model::value::{May, Piece, SecretText, Text, Value, until};
use std::error::Error as _;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A question that a template asks with `VALUE(n)`.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) question: Question,
    /// Where it stands in the template file.
    pub(super) at: Range<usize>,
}

/// What is asked.
#[derive(Debug)]
pub(super) enum Question {
    /// To put this into the output. The answer is nothing.
    Place(Expression),
    /// What a loop goes over; with two names, keys with their values.
    Items { list: Expression, pairs: bool },
    /// Which of these holds first. If none does, how many they are.
    Arm(Vec<Condition>),
}

/// Renders the checked source, in which these questions are asked.
///
/// # Errors
/// A name is not there or of the wrong kind; a secret is used in an expression; a limit.
pub(super) fn render(checked: &str, asked: Vec<Asked>, vars: &Value) -> Result<May<Text>, TemplateError> {
    let desk = Arc::new(Desk { asked, vars: vars.clone(), progress: Mutex::default() });
    let mut environment = Environment::empty();
    environment.set_fuel(Some(limits::FUEL));
    let names = context! { VALUE => Jinja::from_dyn_object(Arc::clone(&desk)) };
    let rendered = SyntaxConfig::builder().keep_trailing_newline(true).build().and_then(|syntax| {
        environment.set_syntax(syntax);
        environment.template_from_str(checked)?.render_captured_to(names, Paper(&desk)).map(drop)
    });
    let mut progress = desk.progress();
    let until = match rendered.map_err(|error| stopped(&error, &progress.at)) {
        Ok(()) => match std::mem::take(&mut progress.output).finish() {
            Whole::Plain(text) => return Ok(May::Known(Text::Plain(text))),
            Whole::Secret(secret) => return Ok(May::Known(Text::Secret(secret))),
            Whole::Unknown(until) => until,
        },
        Err(Stop::Unknown(until)) => until,
        Err(Stop::Wrong(error)) => return Err(error),
    };
    // Which secrets will be placed is not known either; that the text may hold one is said from the first.
    let mut pieces = Vec::new();
    secrets(vars, &mut pieces);
    if pieces.is_empty() {
        return Ok(May::Unknown { until });
    }
    pieces.push(Piece::Unknown(until));
    Ok(May::Known(Text::Secret(SecretText { pieces })))
}

/// Why rendering stopped early.
#[derive(Clone, Debug, thiserror::Error)]
enum Stop {
    #[error("{0}")]
    Wrong(#[from] TemplateError),
    /// What is to be rendered depends on this step.
    #[error("unknown until `{0}`")]
    Unknown(StepId),
}

/// Why minijinja stopped: what it was told, or one of its limits.
fn stopped(error: &minijinja::Error, at: &Range<usize>) -> Stop {
    if let Some(stop) = error.source().and_then(|source| source.downcast_ref::<Stop>()) {
        return stop.clone();
    }
    let refusal = match error.kind() {
        ErrorKind::OutOfFuel => too_much(),
        ErrorKind::WriteFailure => plain::too_long(),
        _ => Refusal::kind(format!("minijinja cannot render this: {error}")),
    };
    Stop::Wrong(refusal.at(at.clone()))
}

fn too_much() -> Refusal {
    Refusal::limit("the template is too much work")
}

/// Where a template's questions are answered and its text is gathered.
#[derive(Debug)]
struct Desk {
    asked: Vec<Asked>,
    vars: Value,
    progress: Mutex<Progress>,
}

#[derive(Default, Debug)]
struct Progress {
    output: Output,
    /// Where the question stands that was answered last.
    at: Range<usize>,
}

impl Desk {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, question: &Question, at: &Range<usize>, scope: &dyn Scope, work: &mut usize) -> Result<Jinja, Stop> {
        let wrong = |refusal: Refusal| Stop::Wrong(refusal.at(at.clone()));
        match question {
            Question::Place(expression) => {
                let value = expression.eval_within(scope, work)?;
                self.progress().output.place(&value).map_err(|refusal| placed(refusal.at(at.clone()), &value))?;
                Ok("".into())
            }
            Question::Items { list, pairs } => {
                let value = list.eval_within(scope, work)?;
                if let Some(until) = until(&value) {
                    return Err(Stop::Unknown(until));
                }
                // Its whole size: the list was copied with all that is in it.
                *work = work.checked_sub(plain::size(&value)).ok_or_else(|| wrong(too_much()))?;
                items(value, *pairs).map_err(wrong)
            }
            Question::Arm(conditions) => {
                for (arm, condition) in conditions.iter().enumerate() {
                    match condition.eval_within(scope, work)? {
                        May::Known(true) => return Ok(arm.into()),
                        May::Known(false) => {}
                        May::Unknown { until } => return Err(Stop::Unknown(until)),
                    }
                }
                Ok(conditions.len().into())
            }
        }
    }
}

impl Object for Desk {
    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, number: &[Jinja]) -> Result<Jinja, minijinja::Error> {
        let asked = number.first().and_then(|number| self.asked.get(number.as_usize()?));
        let asked = asked.ok_or_else(|| minijinja::Error::from(ErrorKind::MissingArgument))?;
        self.progress().at = asked.at.clone();
        let fuel = state.fuel_levels().map_or(0, |(_, left)| left);
        let left = usize::try_from(fuel).unwrap_or(usize::MAX);
        let mut work = left;
        let answer = self.answer(&asked.question, &asked.at, &Names { state, vars: &self.vars }, &mut work);
        state.consume_fuel((left - work) as u64)?;
        answer.map_err(|stop| minijinja::Error::from(ErrorKind::InvalidOperation).with_source(stop))
    }
}

/// Takes down what minijinja writes, up to the limit.
struct Paper<'d>(&'d Desk);

impl io::Write for Paper<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        self.0.progress().output.text(text).map_err(|_| io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn secrets(value: &Value, names: &mut Vec<Piece>) {
    match value {
        Value::Sequence(items) => items.iter().for_each(|item| secrets(item, names)),
        Value::Mapping(map) => map.values().for_each(|item| secrets(item, names)),
        Value::Tagged(_) => {
            let pieces = SecretText::of(value).map(|secret| secret.pieces).unwrap_or_default();
            names.extend(pieces.into_iter().filter(|piece| matches!(piece, Piece::Secret(_))));
        }
        _ => {}
    }
}
