use super::error::TemplateError;
use super::filter::{self, Filter};
use super::lexer::{Close, Lexer, Token};
use super::limits;
use super::name::Name;
use super::node::{COMPARES, Kind, NOT, Node, Operator};
use std::ops::Range;

mod value;

/// A parsed expression, its names, and where its source ends.
pub(super) struct Parsed {
    pub(super) node: Node,
    pub(super) names: Vec<Name>,
    /// What follows the closing marks.
    pub(super) rest: usize,
    /// It was closed with a `-`.
    pub(super) strips: bool,
}

/// In boxes, so that the frames of the descent stay small.
type Boxed<T> = Result<T, Box<TemplateError>>;

/// Parses the expression that begins at `start`.
///
/// # Errors
/// It is none, or goes over a limit.
pub(super) fn parse(source: &str, start: usize, close: Close) -> Result<Parsed, TemplateError> {
    parse_boxed(source, start, close).map_err(|error| *error)
}

fn parse_boxed(source: &str, start: usize, close: Close) -> Boxed<Parsed> {
    let mut parser = Parser {
        lexer: Lexer::new(source, start, close),
        token: Token::End,
        at: start..start,
        last: start,
        names: Vec::new(),
        operators: 0,
        depth: 0,
    };
    parser.advance()?;
    if parser.token == Token::End {
        return Err(Box::new(TemplateError::syntax(start..start, "an expression is missing")));
    }
    let node = parser.choice()?;
    if parser.token != Token::End {
        return Err(Box::new(parser.unexpected()));
    }
    Ok(Parsed { node: *node, names: parser.names, rest: parser.lexer.position, strips: parser.lexer.strips })
}

/// A descent with one token in hand. Each call that may come back to itself counts its depth.
struct Parser<'s> {
    lexer: Lexer<'s>,
    token: Token<'s>,
    at: Range<usize>,
    /// Where the token before this one ends.
    last: usize,
    names: Vec<Name>,
    operators: usize,
    depth: usize,
}

fn node(at: Range<usize>, kind: Kind) -> Box<Node> {
    Box::new(Node { kind, at })
}

/// Words that are no names.
pub(super) const WORDS: [&str; 9] = ["and", "or", "not", "in", "is", "if", "else", "set", "for"];

impl<'s> Parser<'s> {
    fn advance(&mut self) -> Boxed<Token<'s>> {
        let (token, at) = self.lexer.next()?;
        self.last = std::mem::replace(&mut self.at, at).end;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn skip(&mut self, token: &Token<'_>) -> Boxed<bool> {
        let there = self.token == *token;
        if there {
            self.advance()?;
        }
        Ok(there)
    }

    fn expect(&mut self, mark: &'static str) -> Boxed<()> {
        match self.skip(&Token::Mark(mark))? {
            true => Ok(()),
            false => Err(Box::new(TemplateError::syntax(self.at.clone(), format!("`{mark}` is missing here")))),
        }
    }

    fn unexpected(&self) -> TemplateError {
        let error = |message: String| TemplateError::syntax(self.at.clone(), message);
        match &self.token {
            Token::Word(word @ ("True" | "False" | "None")) => error(format!("`{word}` is no word")).help(format!("write `{}`", word.to_lowercase())),
            Token::Word(word) => error(format!("`{word}` cannot stand here")),
            Token::Mark("=") => error("`=` cannot stand here".into()).help("compare with `==`"),
            Token::Mark("(") => error("there are no functions".into()).help("use a filter: `inputs.name | upper`"),
            Token::Mark(mark) => error(format!("`{mark}` cannot stand here")),
            Token::Int(_) | Token::Float(_) => error("a number cannot stand here".into()),
            Token::Text(_) => error("a text cannot stand here".into()),
            Token::End => error("the expression ends too early".into()),
        }
    }

    /// Goes one call deeper. After an error nobody goes on, so only a success comes back up.
    fn enter(&mut self) -> Boxed<()> {
        self.depth += 1;
        if self.depth > limits::DEPTH {
            return Err(Box::new(TemplateError::new(TemplateError::LIMIT, self.at.clone(), "the expression is nested too deeply")));
        }
        Ok(())
    }

    fn count(&mut self) -> Boxed<()> {
        self.operators += 1;
        match self.operators > limits::OPERATORS {
            true => Err(Box::new(
                TemplateError::new(TemplateError::LIMIT, self.at.clone(), format!("more than {} operators in an expression", limits::OPERATORS))
                    .help("give its parts names under `vars`"),
            )),
            false => Ok(()),
        }
    }

    /// `a`, or `a if c else b`.
    fn choice(&mut self) -> Boxed<Box<Node>> {
        self.enter()?;
        let yes = self.binary(0)?;
        let whole = if self.skip(&Token::Word("if"))? { self.alternative(yes)? } else { yes };
        self.depth -= 1;
        Ok(whole)
    }

    fn alternative(&mut self, yes: Box<Node>) -> Boxed<Box<Node>> {
        self.count()?;
        let condition = self.binary(0)?;
        if !self.skip(&Token::Word("else"))? {
            return Err(Box::new(TemplateError::syntax(self.at.clone(), "`else` is missing here").help("write `a if condition else b`")));
        }
        let no = self.choice()?;
        Ok(node(yes.at.start..no.at.end, Kind::Choice { yes, condition, no }))
    }

    /// Operators that bind at least as tightly as `least`.
    fn binary(&mut self, least: u8) -> Boxed<Box<Node>> {
        self.enter()?;
        let negated = least <= NOT && self.token == Token::Word("not");
        let mut left = if negated { self.negation()? } else { self.filtered()? };
        let mut compared = false;
        while let Some((operator, negated)) = self.operator()? {
            if operator.binds() < least {
                break;
            }
            let compares = operator.binds() == COMPARES;
            if compares && compared {
                return Err(Box::new(TemplateError::syntax(self.at.clone(), "comparisons cannot be chained").help("write `a < b and b < c`")));
            }
            compared = compares;
            self.count()?;
            self.advance()?;
            if negated {
                self.advance()?;
            }
            let right = self.binary(operator.binds() + 1)?;
            left = node(left.at.start..right.at.end, Kind::Binary(left, operator, right));
            if negated {
                left = node(left.at.clone(), Kind::Not(left));
            }
        }
        self.depth -= 1;
        Ok(left)
    }

    fn negation(&mut self) -> Boxed<Box<Node>> {
        let from = self.at.start;
        self.count()?;
        self.advance()?;
        let operand = self.binary(NOT)?;
        Ok(node(from..operand.at.end, Kind::Not(operand)))
    }

    /// The operator that stands here, and whether it is `not in`.
    fn operator(&mut self) -> Boxed<Option<(Operator, bool)>> {
        let operator = match &self.token {
            Token::Word("or") => Operator::Or,
            Token::Word("and") => Operator::And,
            Token::Word("in") => Operator::In,
            // `not` after a value can only be the `not` of `not in`.
            Token::Word("not") => {
                return if self.lexer.word_follows("in") { Ok(Some((Operator::In, true))) } else { Err(Box::new(self.unexpected())) };
            }
            Token::Mark(mark) => match *mark {
                "==" => Operator::Equal,
                "!=" => Operator::Unequal,
                "<" => Operator::Less,
                "<=" => Operator::AtMost,
                ">" => Operator::Greater,
                ">=" => Operator::AtLeast,
                "+" => Operator::Add,
                "-" => Operator::Subtract,
                "~" => Operator::Join,
                "/" => Operator::Divide,
                "//" => Operator::Floor,
                "%" => Operator::Rest,
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(Some((operator, false)))
    }

    /// A value and the filters and tests behind it.
    fn filtered(&mut self) -> Boxed<Box<Node>> {
        let from = self.at.start;
        let mut value = self.signed()?;
        loop {
            value = if self.skip(&Token::Mark("|"))? {
                self.filter(value)?
            } else if self.skip(&Token::Word("is"))? {
                self.test(value)?
            } else {
                return Ok(value);
            };
            value.at = from..self.last;
        }
    }

    fn filter(&mut self, operand: Box<Node>) -> Boxed<Box<Node>> {
        self.count()?;
        let at = self.at.clone();
        let Token::Word(name) = self.advance()? else { return Err(Box::new(TemplateError::syntax(at, "the name of a filter is missing here"))) };
        let filter = Filter::named(name).ok_or_else(|| Box::new(filter::unknown(name, at.clone())))?;
        let mut arguments = Vec::new();
        if self.skip(&Token::Mark("("))? {
            while self.token != Token::Mark(")") {
                if self.token == Token::Word("attribute") && self.lexer.assignment_follows() {
                    self.advance()?;
                    self.advance()?;
                }
                arguments.push(*self.choice()?);
                if !self.skip(&Token::Mark(","))? {
                    break;
                }
            }
            self.expect(")")?;
        }
        match filter.takes.contains(&arguments.len()) {
            true => {
                if filter.name == "default" {
                    self.may_miss(&operand);
                }
                Ok(node(at, Kind::Filter(operand, filter, arguments)))
            }
            false => {
                Err(Box::new(TemplateError::syntax(at, format!("the filter `{name}` cannot take {} arguments", arguments.len())).help(filter.about)))
            }
        }
    }

    /// What is asked whether it is there need not be.
    fn may_miss(&mut self, operand: &Node) {
        if let Kind::Name(name) = operand.kind {
            self.names[name].may_miss = true;
        }
    }

    fn test(&mut self, operand: Box<Node>) -> Boxed<Box<Node>> {
        self.count()?;
        let negated = self.skip(&Token::Word("not"))?;
        let (from, at) = (operand.at.start, self.at.clone());
        let kind = match self.advance()? {
            Token::Word("defined") => {
                self.may_miss(&operand);
                Kind::Defined(operand)
            }
            Token::Word("none") => Kind::IsNone(operand),
            Token::Word(name) => {
                let error = TemplateError::new(TemplateError::FILTER, at, format!("there is no test `{name}`"));
                return Err(Box::new(error.help("the tests are `defined` and `none`")));
            }
            _ => return Err(Box::new(TemplateError::syntax(at, "the name of a test is missing here").help("the tests are `defined` and `none`"))),
        };
        let tested = node(from..self.last, kind);
        Ok(if negated { node(tested.at.clone(), Kind::Not(tested)) } else { tested })
    }

    /// A value with minus signs before it.
    fn signed(&mut self) -> Boxed<Box<Node>> {
        let from = self.at.start;
        if !self.skip(&Token::Mark("-"))? {
            return self.postfix();
        }
        self.count()?;
        self.enter()?;
        let operand = self.signed()?;
        self.depth -= 1;
        Ok(node(from..operand.at.end, Kind::Negative(operand)))
    }
}
