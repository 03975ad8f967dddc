use super::error::TemplateError;
use super::expression::Expression;
use super::lexer::Close;
use super::limits;
use super::name::Name;
use super::output::{Output, Whole};
use super::parser;
use super::scope::Scope;
use model::value::{Value, unknown};
use std::ops::Range;

/// A text that may have `{{ expression }}` in it.
#[derive(Clone, Debug)]
pub struct Text {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Plain(String),
    Expression(Expression, Range<usize>),
}

impl Text {
    /// Parses a text. One without `{{` is plain.
    ///
    /// # Errors
    /// An expression in it is none; braces are not closed; it has `{% %}` or `{# #}`, or goes over a limit.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        if !source.contains("{{") && !source.contains("{%") && !source.contains("{#") {
            return Ok(Self { parts: vec![Part::Plain(source.to_owned())] });
        }
        let mut parts = Vec::new();
        let mut position = 0;
        while let Some(open) = source[position..].find('{').map(|at| position + at) {
            let rest = &source[open..];
            if !rest.starts_with("{{") {
                refuse_blocks(source, open)?;
                add(&mut parts, &source[position..=open]);
                position = open + 1;
                continue;
            }
            if source.len() > limits::TEXT {
                let message = format!("a text with templates is longer than {} bytes", limits::TEXT);
                return Err(TemplateError::new(TemplateError::LIMIT, open..open + 2, message).help("use a template file"));
            }
            if rest.starts_with("{{-") && rest[3..].starts_with(char::is_whitespace) {
                return Err(TemplateError::syntax(open..open + 3, "white space cannot be stripped here")
                    .help("write `{{`; a negative number is written `{{ -x }}`"));
            }
            add(&mut parts, &source[position..open]);
            let parsed = parser::parse(source, open + 2, Close::Braces)?;
            position = parsed.rest;
            parts.push(Part::Expression(parsed.into(), open..position));
        }
        add(&mut parts, &source[position..]);
        Ok(Self { parts })
    }

    /// Whether it is exactly one `{{ expression }}`, whose value keeps its kind.
    pub fn is_lone(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Expression(..)])
    }

    /// Every name in it.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.parts.iter().flat_map(|part| match part {
            Part::Plain(_) => &[],
            Part::Expression(expression, _) => expression.names(),
        })
    }

    /// Its value: what its lone expression says, else a text. With a secret in it, a secret text; with an unknown, unknown.
    ///
    /// # Errors
    /// As [`Expression::eval`]; a list, mapping or `none` inside a text; a text over the limit.
    pub fn render(&self, scope: &dyn Scope) -> Result<Value, TemplateError> {
        let mut work = limits::WORK;
        match self.parts.as_slice() {
            [] => return Ok("".into()),
            [Part::Plain(text)] => return Ok(text.as_str().into()),
            [Part::Expression(expression, _)] => return expression.eval_within(scope, &mut work),
            _ => {}
        }
        let mut output = Output::default();
        for part in &self.parts {
            match part {
                Part::Plain(text) => output.text(text).map_err(|refusal| refusal.at(0..0))?,
                Part::Expression(expression, at) => {
                    let value = expression.eval_within(scope, &mut work)?;
                    output.place(&value).map_err(|refusal| placed(refusal.at(at.clone()), &value))?;
                }
            }
        }
        Ok(match output.finish() {
            Whole::Plain(text) => text.into(),
            Whole::Secret(secret) => secret.value(),
            Whole::Unknown(until) => unknown(&until),
        })
    }
}

/// Adds what a person can do about a value that cannot stand in a text.
pub(super) fn placed(error: TemplateError, value: &Value) -> TemplateError {
    match value {
        Value::Null => error.help("say what stands there instead: `{{ NAME | default('-') }}`"),
        Value::Sequence(_) => error.help("make a text of it: `{{ NAME | join(', ') }}`"),
        _ => error,
    }
}

fn add(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Plain(last)) => last.push_str(text),
        _ => parts.push(Part::Plain(text.to_owned())),
    }
}

/// Blocks and comments are refused where they are whole; a lone `{#` or `{%` is text, as in `${#list}`.
fn refuse_blocks(source: &str, open: usize) -> Result<(), TemplateError> {
    let rest = &source[open..];
    let (close, what) = match rest.as_bytes().get(1) {
        Some(b'%') => ("%}", "`{% %}` is not available: a text has expressions only"),
        Some(b'#') => ("#}", "`{# #}` is not available: write a comment outside the text"),
        _ => return Ok(()),
    };
    match rest.find(close) {
        None => Ok(()),
        Some(_) => Err(TemplateError::syntax(open..open + 2, what).help(format!("for the characters themselves write `{{{{ '{}' }}}}`", &rest[..2]))),
    }
}
