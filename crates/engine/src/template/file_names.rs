//! The names in a template file: minijinja keeps those of the loops and cannot look into what they stand for.

use super::error::Refusal;
use super::name::Segment;
use super::plain;
use super::scope::{Found, Scope};
use minijinja::State;
use minijinja::value::{Object, Value as Jinja};
use model::value::Value;

/// What a loop says of itself, as `loop.index`.
pub(super) const LOOP_FACTS: [&str; 5] = ["index", "index0", "length", "first", "last"];

/// A value that minijinja carries in a loop's names and cannot look into.
#[derive(Debug)]
struct Held(Value);

impl Object for Held {}

fn held(value: Value) -> Jinja {
    Jinja::from_object(Held(value))
}

/// What a loop goes over: items, or keys with their values.
///
/// # Errors
/// It is neither a list nor a mapping, or not the one of them.
pub(super) fn items(value: Value, pairs: bool) -> Result<Jinja, Refusal> {
    let items: Vec<Jinja> = match (value, pairs) {
        (Value::Sequence(items), false) => items.into_iter().map(held).collect(),
        (Value::Mapping(map), true) => map.into_iter().map(|(key, item)| vec![held(key), held(item)].into()).collect(),
        (Value::Mapping(_), false) => return Err(Refusal::kind("a mapping is gone over with two names: `key, value`")),
        (Value::Sequence(_), true) => return Err(Refusal::kind("a list is gone over with one name")),
        (other, _) => return Err(Refusal::kind(format!("a loop wants a list, this is {}", plain::kind(&other)))),
    };
    Ok(items.into())
}

/// The names at a place of a template file: those of the loops round it, then those of `vars`.
pub(super) struct Names<'a, 't, 'e> {
    pub(super) state: &'a State<'t, 'e>,
    pub(super) vars: &'a Value,
}

impl Scope for Names<'_, '_, '_> {
    fn lookup(&self, name: &[Segment]) -> Found {
        let (root, rest) = name.split_first().map_or(("", name), |(root, rest)| (root.as_str(), rest));
        let local = self.state.lookup(root);
        if let Some(Held(value)) = local.as_ref().and_then(Jinja::downcast_object_ref) {
            return Found::within(value, rest);
        }
        match (local, rest) {
            (Some(turn), [Segment::Field(fact)]) if root == "loop" && LOOP_FACTS.contains(&fact.as_str()) => {
                match (fact.as_str(), turn.get_attr(fact)) {
                    ("first" | "last", Ok(truth)) => Found::Value(truth.is_true().into()),
                    (_, Ok(count)) => Found::Value(count.as_usize().unwrap_or_default().into()),
                    (_, Err(_)) => Found::Missing,
                }
            }
            (Some(_), [Segment::Field(_)]) if root == "loop" => Found::Missing,
            _ => Found::within(self.vars, name),
        }
    }
}
