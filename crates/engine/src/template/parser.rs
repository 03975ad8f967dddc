use super::error::TemplateError;
use super::filter::{self, Filter};
use super::lexer::{Close, Lexer, Token};
use super::limits;
use super::name::{Name, Segment};
use super::node::{COMPARES, Kind, NOT, Node, Operator, Slice};
use model::value::Value;
use std::ops::Range;

/// A parsed expression, its names, and where its source ends.
pub(super) struct Parsed {
    pub(super) node: Node,
    pub(super) names: Vec<Name>,
    /// What follows the closing marks.
    pub(super) rest: usize,
    /// It was closed with a `-`.
    pub(super) strips: bool,
}

/// Parses the expression that begins at `start`.
///
/// # Errors
/// It is none, or goes over a limit.
pub(super) fn parse(source: &str, start: usize, close: Close) -> Result<Parsed, TemplateError> {
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
        return Err(TemplateError::syntax(start..start, "an expression is missing"));
    }
    let node = parser.choice()?;
    if parser.token != Token::End {
        return Err(parser.unexpected());
    }
    Ok(Parsed { node, names: parser.names, rest: parser.lexer.position, strips: parser.lexer.strips })
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

/// Words that are no names.
const WORDS: [&str; 9] = ["and", "or", "not", "in", "is", "if", "else", "set", "for"];

impl<'s> Parser<'s> {
    fn advance(&mut self) -> Result<Token<'s>, TemplateError> {
        let (token, at) = self.lexer.next()?;
        self.last = std::mem::replace(&mut self.at, at).end;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn skip(&mut self, token: &Token<'_>) -> Result<bool, TemplateError> {
        let there = self.token == *token;
        if there {
            self.advance()?;
        }
        Ok(there)
    }

    fn expect(&mut self, mark: &'static str) -> Result<(), TemplateError> {
        match self.skip(&Token::Mark(mark))? {
            true => Ok(()),
            false => Err(TemplateError::syntax(self.at.clone(), format!("`{mark}` is missing here"))),
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

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, TemplateError>) -> Result<T, TemplateError> {
        self.depth += 1;
        if self.depth > limits::DEPTH {
            return Err(TemplateError::new(TemplateError::LIMIT, self.at.clone(), "the expression is nested too deeply"));
        }
        let parsed = parse(self)?;
        self.depth -= 1;
        Ok(parsed)
    }

    fn count(&mut self) -> Result<(), TemplateError> {
        self.operators += 1;
        match self.operators > limits::OPERATORS {
            true => {
                Err(TemplateError::new(TemplateError::LIMIT, self.at.clone(), format!("more than {} operators in an expression", limits::OPERATORS))
                    .help("give its parts names under `vars`"))
            }
            false => Ok(()),
        }
    }

    /// `a`, or `a if c else b`.
    fn choice(&mut self) -> Result<Node, TemplateError> {
        self.deeper(|parser| {
            let yes = parser.binary(0)?;
            if !parser.skip(&Token::Word("if"))? {
                return Ok(yes);
            }
            parser.count()?;
            let condition = Box::new(parser.binary(0)?);
            if !parser.skip(&Token::Word("else"))? {
                return Err(TemplateError::syntax(parser.at.clone(), "`else` is missing here").help("write `a if condition else b`"));
            }
            let no = Box::new(parser.choice()?);
            Ok(Node { at: yes.at.start..no.at.end, kind: Kind::Choice { yes: Box::new(yes), condition, no } })
        })
    }

    /// Operators that bind at least as tightly as `least`.
    fn binary(&mut self, least: u8) -> Result<Node, TemplateError> {
        self.deeper(|parser| {
            let from = parser.at.start;
            let mut left = match parser.token {
                Token::Word("not") if least <= NOT => {
                    parser.count()?;
                    parser.advance()?;
                    let operand = parser.binary(NOT)?;
                    Node { at: from..operand.at.end, kind: Kind::Not(Box::new(operand)) }
                }
                _ => parser.filtered()?,
            };
            let mut compared = false;
            while let Some((operator, negated)) = parser.operator()? {
                if operator.binds() < least {
                    break;
                }
                let compares = operator.binds() == COMPARES;
                if compares && compared {
                    return Err(TemplateError::syntax(parser.at.clone(), "comparisons cannot be chained").help("write `a < b and b < c`"));
                }
                compared = compares;
                parser.count()?;
                parser.advance()?;
                if negated {
                    parser.advance()?;
                }
                let right = parser.binary(operator.binds() + 1)?;
                let at = from..right.at.end;
                left = Node { at: at.clone(), kind: Kind::Binary(Box::new(left), operator, Box::new(right)) };
                if negated {
                    left = Node { at, kind: Kind::Not(Box::new(left)) };
                }
            }
            Ok(left)
        })
    }

    /// The operator that stands here, and whether it is `not in`.
    fn operator(&mut self) -> Result<Option<(Operator, bool)>, TemplateError> {
        let operator = match &self.token {
            Token::Word("or") => Operator::Or,
            Token::Word("and") => Operator::And,
            Token::Word("in") => Operator::In,
            // `not` after a value can only be the `not` of `not in`.
            Token::Word("not") => return if self.lexer.word_follows("in") { Ok(Some((Operator::In, true))) } else { Err(self.unexpected()) },
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
    fn filtered(&mut self) -> Result<Node, TemplateError> {
        let from = self.at.start;
        let mut node = self.signed()?;
        loop {
            let kind = if self.skip(&Token::Mark("|"))? {
                self.count()?;
                self.filter(node)?
            } else if self.skip(&Token::Word("is"))? {
                self.count()?;
                self.test(node)?
            } else {
                return Ok(node);
            };
            node = Node { at: from..self.last, kind };
        }
    }

    fn filter(&mut self, operand: Node) -> Result<Kind, TemplateError> {
        let at = self.at.clone();
        let Token::Word(name) = self.advance()? else { return Err(TemplateError::syntax(at, "the name of a filter is missing here")) };
        let filter = Filter::named(name).ok_or_else(|| filter::unknown(name, at.clone()))?;
        let mut arguments = Vec::new();
        if self.skip(&Token::Mark("("))? {
            while self.token != Token::Mark(")") {
                if self.token == Token::Word("attribute") && self.lexer.assignment_follows() {
                    self.advance()?;
                    self.advance()?;
                }
                arguments.push(self.choice()?);
                if !self.skip(&Token::Mark(","))? {
                    break;
                }
            }
            self.expect(")")?;
        }
        match filter.takes.contains(&arguments.len()) {
            true => Ok(Kind::Filter(Box::new(operand), filter, arguments)),
            false => Err(TemplateError::syntax(at, format!("the filter `{name}` cannot take {} arguments", arguments.len())).help(filter.about)),
        }
    }

    fn test(&mut self, operand: Node) -> Result<Kind, TemplateError> {
        let negated = self.skip(&Token::Word("not"))?;
        let (from, at) = (operand.at.start, self.at.clone());
        let operand = Box::new(operand);
        let kind = match self.advance()? {
            Token::Word("defined") => Kind::Defined(operand),
            Token::Word("none") => Kind::IsNone(operand),
            Token::Word(name) => {
                return Err(
                    TemplateError::new(TemplateError::FILTER, at, format!("there is no test `{name}`")).help("the tests are `defined` and `none`")
                );
            }
            _ => return Err(TemplateError::syntax(at, "the name of a test is missing here").help("the tests are `defined` and `none`")),
        };
        Ok(match negated {
            true => Kind::Not(Box::new(Node { at: from..self.last, kind })),
            false => kind,
        })
    }

    /// A value with minus signs before it.
    fn signed(&mut self) -> Result<Node, TemplateError> {
        let from = self.at.start;
        if !self.skip(&Token::Mark("-"))? {
            return self.postfix();
        }
        self.count()?;
        let operand = self.deeper(Self::signed)?;
        Ok(Node { at: from..operand.at.end, kind: Kind::Negative(Box::new(operand)) })
    }

    /// A value with what is taken of it: `.field`, `[1]`, `[::-1]`.
    fn postfix(&mut self) -> Result<Node, TemplateError> {
        let from = self.at.start;
        let mut node = self.primary()?;
        loop {
            let kind = if self.skip(&Token::Mark("."))? {
                let at = self.at.clone();
                let Token::Word(field) = self.advance()? else {
                    return Err(TemplateError::syntax(at, "a field's name is missing here").help("an item of a list is written `[0]`"));
                };
                Kind::Field(Box::new(node), field.to_owned())
            } else if self.skip(&Token::Mark("["))? {
                self.index(node)?
            } else if self.token == Token::Mark("(") {
                return Err(self.unexpected());
            } else {
                return Ok(node);
            };
            self.count()?;
            node = Node { at: from..self.last, kind };
        }
    }

    fn index(&mut self, of: Node) -> Result<Kind, TemplateError> {
        if let Kind::Name(name) = of.kind
            && let [Segment::Field(root), _] = self.names[name].segments.as_slice()
            && root == "steps"
        {
            return Err(TemplateError::syntax(self.at.clone(), "an instance of a group is named by its key").help("write `steps.farm['rds01']`"));
        }
        let first = self.whole()?;
        let colon = self.skip(&Token::Mark(":"))?;
        let end = if colon { self.whole()? } else { None };
        let step = if colon && self.skip(&Token::Mark(":"))? { self.whole()? } else { None };
        if self.token != Token::Mark("]") {
            return Err(TemplateError::syntax(self.at.clone(), "an index is a number that is written out")
                .help("a field is written `.name`; `['key']` stands only behind `steps.NAME`"));
        }
        let at = self.at.clone();
        self.advance()?;
        match (first, colon) {
            (_, true) if step == Some(0) => Err(TemplateError::syntax(at, "the step of a slice cannot be 0")),
            (_, true) => Ok(Kind::Slice(Box::new(of), Slice { first, end, step: step.unwrap_or(1) })),
            (Some(index), false) => Ok(Kind::Index(Box::new(of), index)),
            (None, false) => Err(TemplateError::syntax(at, "an index is missing here")),
        }
    }

    fn whole(&mut self) -> Result<Option<i64>, TemplateError> {
        let negative = self.skip(&Token::Mark("-"))?;
        let Token::Int(number) = self.token else {
            return if negative { Err(self.unexpected()) } else { Ok(None) };
        };
        self.advance()?;
        // No token is negative, so this has no overflow.
        Ok(Some(if negative { -number } else { number }))
    }

    fn primary(&mut self) -> Result<Node, TemplateError> {
        let at = self.at.clone();
        let literal = |value: Value| Ok(Kind::Literal(value));
        let kind = match self.token.clone() {
            Token::Word("true") => literal(true.into()),
            Token::Word("false") => literal(false.into()),
            Token::Word("none") => literal(Value::Null),
            Token::Word("True" | "False" | "None") => return Err(self.unexpected()),
            Token::Word(word) if WORDS.contains(&word) => return Err(self.unexpected()),
            Token::Word(root) => return self.name(root),
            Token::Int(number) => literal(number.into()),
            Token::Float(number) => literal(number.into()),
            Token::Text(text) => literal(text.into()),
            Token::Mark("(") => {
                self.advance()?;
                let inner = self.choice()?;
                if self.token == Token::Mark(",") {
                    return Err(self.unexpected().help("a list is written `[a, b]`"));
                }
                self.expect(")")?;
                return Ok(Node { at: at.start..self.last, kind: inner.kind });
            }
            Token::Mark("[") => return self.list(at.start),
            Token::Mark("{") => return self.map(at.start),
            _ => return Err(self.unexpected()),
        };
        self.advance()?;
        kind.map(|kind| Node { kind, at })
    }

    fn list(&mut self, from: usize) -> Result<Node, TemplateError> {
        self.advance()?;
        let mut items = Vec::new();
        while self.token != Token::Mark("]") {
            items.push(self.choice()?);
            if !self.skip(&Token::Mark(","))? {
                break;
            }
        }
        self.expect("]")?;
        Ok(Node { at: from..self.last, kind: Kind::List(items) })
    }

    fn map(&mut self, from: usize) -> Result<Node, TemplateError> {
        self.advance()?;
        let mut entries: Vec<(String, Node)> = Vec::new();
        while self.token != Token::Mark("}") {
            let at = self.at.clone();
            let Token::Text(key) = self.advance()? else {
                return Err(TemplateError::syntax(at, "a key is a text in quotes").help("write `{'name': value}`"));
            };
            if entries.iter().any(|(other, _)| *other == key) {
                return Err(TemplateError::syntax(at, "this key stands here twice"));
            }
            self.expect(":")?;
            entries.push((key, self.choice()?));
            if !self.skip(&Token::Mark(","))? {
                break;
            }
        }
        self.expect("}")?;
        Ok(Node { at: from..self.last, kind: Kind::Map(entries) })
    }

    fn name(&mut self, root: &str) -> Result<Node, TemplateError> {
        let from = self.at.start;
        let mut segments = vec![Segment::Field(root.to_owned())];
        self.advance()?;
        loop {
            if self.skip(&Token::Mark("."))? {
                let at = self.at.clone();
                match self.advance()? {
                    Token::Word(field) => segments.push(Segment::Field(field.to_owned())),
                    _ => return Err(TemplateError::syntax(at, "a field's name is missing here").help("an item of a list is written `[0]`")),
                }
            } else if self.token == Token::Mark("[") && self.lexer.text_follows() {
                self.advance()?;
                segments.push(Segment::Key(self.key(&segments)?));
            } else {
                break;
            }
            if segments.len() > limits::SEGMENTS {
                return Err(TemplateError::new(TemplateError::LIMIT, from..self.last, format!("a name of more than {} parts", limits::SEGMENTS)));
            }
        }
        let at = from..self.last;
        if segments.len() == 1 && root == "steps" {
            return Err(TemplateError::syntax(at, "`steps` needs the name of a step").help("write `steps.NAME`"));
        }
        self.names.push(Name { segments, at: at.clone() });
        Ok(Node { kind: Kind::Name(self.names.len() - 1), at })
    }

    /// The key in brackets behind `steps.NAME`, or anywhere behind `result`, whose keys nobody here has chosen.
    fn key(&mut self, before: &[Segment]) -> Result<String, TemplateError> {
        let at = self.at.clone();
        let Token::Text(key) = self.advance()? else { return Err(TemplateError::syntax(at, "a key is missing here")) };
        self.expect("]")?;
        match before {
            [Segment::Field(root), ..] if root == "result" => Ok(key),
            [Segment::Field(root), Segment::Field(_)] if root == "steps" => {
                let fits =
                    key.starts_with(|c: char| c.is_ascii_alphanumeric()) && key.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
                if fits { Ok(key) } else { Err(TemplateError::syntax(at, "this is no key of an instance").help("letters, digits, `.`, `_`, `-`")) }
            }
            _ => Err(TemplateError::syntax(at, "`['key']` stands only behind `steps.NAME`").help(format!("write `.{key}`"))),
        }
    }
}
