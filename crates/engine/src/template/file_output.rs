use super::error::{Refusal, TemplateError};
use super::file::{Block, Loop};
use super::limits;
use super::name::Segment;
use super::output::{Output, Whole};
use super::plain;
use super::scope::{Found, Scope};
use super::text::placed;
use model::id::StepId;
use model::value::{May, Piece, SecretText, Text, Value, until};

/// A template file as it is rendered.
pub(super) struct Rendering {
    output: Output,
    work: usize,
}

/// Why rendering stopped early.
enum Stop {
    Wrong(TemplateError),
    /// What is to be rendered depends on this step.
    Unknown(StepId),
}

impl From<TemplateError> for Stop {
    fn from(wrong: TemplateError) -> Self {
        Self::Wrong(wrong)
    }
}

impl Rendering {
    pub(super) fn whole(blocks: &[Block], vars: &Value) -> Result<May<Text>, TemplateError> {
        let mut rendering = Self { output: Output::default(), work: limits::FILE_WORK };
        let until = match rendering.blocks(blocks, &Vars(vars)) {
            Ok(()) => match rendering.output.finish() {
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

    fn blocks(&mut self, blocks: &[Block], scope: &dyn Scope) -> Result<(), Stop> {
        for block in blocks {
            match block {
                Block::Plain(text) => self.output.text(text).map_err(|refusal| refusal.at(0..0))?,
                Block::Place(expression, at) => {
                    let value = expression.eval_within(scope, &mut self.work)?;
                    self.charge(1).and_then(|()| self.output.place(&value)).map_err(|refusal| placed(refusal.at(at.clone()), &value))?;
                }
                Block::If { arms, otherwise } => {
                    let mut chosen = otherwise;
                    for (condition, body) in arms {
                        match condition.eval_within(scope, &mut self.work)? {
                            May::Known(true) => {
                                chosen = body;
                                break;
                            }
                            May::Known(false) => {}
                            May::Unknown { until } => return Err(Stop::Unknown(until)),
                        }
                    }
                    self.blocks(chosen, scope)?;
                }
                Block::For(each) => self.each(each, scope)?,
            }
        }
        Ok(())
    }

    fn each(&mut self, each: &Loop, scope: &dyn Scope) -> Result<(), Stop> {
        let wrong = |refusal: Refusal| Stop::Wrong(refusal.at(each.at.clone()));
        let value = each.list.eval_within(scope, &mut self.work)?;
        if let Some(until) = until(&value) {
            return Err(Stop::Unknown(until));
        }
        // Its whole size: the list was copied with all that is in it.
        self.charge(plain::size(&value)).map_err(wrong)?;
        let items = items(&value, each.second.is_some()).map_err(wrong)?;
        if items.is_empty() {
            self.blocks(&each.otherwise, scope)?;
        }
        for (index, (key, item)) in items.iter().enumerate() {
            self.charge(1).map_err(wrong)?;
            let layer = Layer { outer: scope, each, key: *key, item, index, length: items.len() };
            self.blocks(&each.body, &layer)?;
        }
        Ok(())
    }

    fn charge(&mut self, work: usize) -> Result<(), Refusal> {
        self.work = self.work.checked_sub(work).ok_or_else(|| Refusal::limit("the template is too much work"))?;
        Ok(())
    }
}

/// What a loop goes over: values, with their keys if it has two names.
fn items(value: &Value, pairs: bool) -> Result<Vec<(Option<&Value>, &Value)>, Refusal> {
    match (value, pairs) {
        (Value::Sequence(items), false) => Ok(items.iter().map(|item| (None, item)).collect()),
        (Value::Mapping(map), true) => Ok(map.iter().map(|(key, item)| (Some(key), item)).collect()),
        (Value::Mapping(_), false) => Err(Refusal::kind("a mapping is gone over with two names: `key, value`")),
        (Value::Sequence(_), true) => Err(Refusal::kind("a list is gone over with one name")),
        _ => Err(Refusal::kind(format!("a loop wants a list, this is {}", plain::kind(value)))),
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

/// The names of a template file.
struct Vars<'v>(&'v Value);

impl Scope for Vars<'_> {
    fn lookup(&self, name: &[Segment]) -> Found {
        Found::within(self.0, name)
    }
}

/// The names inside a loop.
struct Layer<'a> {
    outer: &'a dyn Scope,
    each: &'a Loop,
    key: Option<&'a Value>,
    item: &'a Value,
    index: usize,
    length: usize,
}

impl Scope for Layer<'_> {
    fn lookup(&self, name: &[Segment]) -> Found {
        let (root, rest) = name.split_first().map_or(("", name), |(root, rest)| (root.as_str(), rest));
        let fact = match rest {
            [Segment::Field(fact)] if root == "loop" => fact.as_str(),
            _ if root == self.each.first => return Found::within(self.key.unwrap_or(self.item), rest),
            _ if self.each.second.as_deref() == Some(root) => return Found::within(self.item, rest),
            _ => return self.outer.lookup(name),
        };
        Found::Value(match fact {
            "index" => (self.index + 1).into(),
            "index0" => self.index.into(),
            "first" => (self.index == 0).into(),
            "last" => (self.index + 1 == self.length).into(),
            "length" => self.length.into(),
            _ => return Found::Missing,
        })
    }
}
