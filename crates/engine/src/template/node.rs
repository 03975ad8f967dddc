use super::filter::Filter;
use model::value::Value;
use std::ops::Range;

/// A parsed expression.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) at: Range<usize>,
}

/// What an expression is made of.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Literal(Value),
    /// The name at this place of the expression's list of names.
    Name(usize),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
    Field(Box<Node>, String),
    Index(Box<Node>, i64),
    Slice(Box<Node>, Slice),
    /// With its arguments. The first may be a keyword's.
    Filter(Box<Node>, &'static Filter, Vec<Node>),
    Defined(Box<Node>),
    IsNone(Box<Node>),
    Not(Box<Node>),
    Negative(Box<Node>),
    Binary(Box<Node>, Operator, Box<Node>),
    Choice {
        yes: Box<Node>,
        condition: Box<Node>,
        no: Box<Node>,
    },
}

/// `[first:end:step]`, as in Python.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Slice {
    pub(super) first: Option<i64>,
    pub(super) end: Option<i64>,
    /// Never 0.
    pub(super) step: i64,
}

/// An operator between two values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    In,
    Add,
    Subtract,
    Join,
    Divide,
    Floor,
    Rest,
}

impl Operator {
    /// How tightly it binds, as in Jinja. `not` stands between `and` and the comparisons.
    pub(super) fn binds(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Equal | Self::Unequal | Self::Less | Self::AtMost | Self::Greater | Self::AtLeast | Self::In => COMPARES,
            Self::Add | Self::Subtract => 5,
            Self::Join => 6,
            Self::Divide | Self::Floor | Self::Rest => 7,
        }
    }
}

/// How tightly `not` binds.
pub(super) const NOT: u8 = 3;
/// How tightly comparisons bind.
pub(super) const COMPARES: u8 = 4;
