//! What stands between operators: names, literals, lists, mappings, and what is taken of them.

use super::super::error::TemplateError;
use super::super::lexer::Token;
use super::super::limits;
use super::super::name::{Name, Segment};
use super::super::node::{Kind, Node, Slice};
use super::{Boxed, Parser, WORDS, node};
use model::value::Value;

impl Parser<'_> {
    /// A value with what is taken of it: `.field`, `[1]`, `[::-1]`.
    pub(super) fn postfix(&mut self) -> Boxed<Box<Node>> {
        let from = self.at.start;
        let mut value = self.primary()?;
        loop {
            value = if self.skip(&Token::Mark("."))? {
                let field = self.field()?;
                node(from..self.last, Kind::Field(value, field))
            } else if self.skip(&Token::Mark("["))? {
                self.index(value)?
            } else if self.token == Token::Mark("(") {
                return Err(Box::new(self.unexpected()));
            } else {
                return Ok(value);
            };
            self.count()?;
            value.at = from..self.last;
        }
    }

    fn field(&mut self) -> Boxed<String> {
        let at = self.at.clone();
        match self.advance()? {
            Token::Word(field) => Ok(field.to_owned()),
            _ => Err(Box::new(TemplateError::syntax(at, "a field's name is missing here").help("an item of a list is written `[0]`"))),
        }
    }

    fn index(&mut self, of: Box<Node>) -> Boxed<Box<Node>> {
        if let Kind::Name(name) = of.kind
            && let [Segment::Field(root), _] = self.names[name].segments.as_slice()
            && root == "steps"
        {
            return Err(Box::new(
                TemplateError::syntax(self.at.clone(), "an instance of a group is named by its key").help("write `steps.farm['rds01']`"),
            ));
        }
        if let Token::Text(_) = self.token {
            let at = self.at.clone();
            let Token::Text(key) = self.advance()? else { return Err(Box::new(TemplateError::syntax(at, "a key is missing here"))) };
            self.expect("]")?;
            return Ok(node(at, Kind::Field(of, key)));
        }
        let first = self.whole()?;
        let colon = self.skip(&Token::Mark(":"))?;
        let end = if colon { self.whole()? } else { None };
        let step = if colon && self.skip(&Token::Mark(":"))? { self.whole()? } else { None };
        if self.token != Token::Mark("]") {
            return Err(Box::new(
                TemplateError::syntax(self.at.clone(), "an index is a number or a text that is written out")
                    .help("write `[0]`, `['key']` or `.name`"),
            ));
        }
        let at = self.at.clone();
        self.advance()?;
        match (first, colon) {
            (_, true) if step == Some(0) => Err(Box::new(TemplateError::syntax(at, "the step of a slice cannot be 0"))),
            (_, true) => Ok(node(at, Kind::Slice(of, Slice { first, end, step: step.unwrap_or(1) }))),
            (Some(index), false) => Ok(node(at, Kind::Index(of, index))),
            (None, false) => Err(Box::new(TemplateError::syntax(at, "an index is missing here"))),
        }
    }

    fn whole(&mut self) -> Boxed<Option<i64>> {
        let negative = self.skip(&Token::Mark("-"))?;
        let Token::Int(number) = self.token else {
            return if negative { Err(Box::new(self.unexpected())) } else { Ok(None) };
        };
        self.advance()?;
        // No token is negative, so this has no overflow.
        Ok(Some(if negative { -number } else { number }))
    }

    fn primary(&mut self) -> Boxed<Box<Node>> {
        let at = self.at.clone();
        let value = match &self.token {
            Token::Word("true") => true.into(),
            Token::Word("false") => false.into(),
            Token::Word("none") => Value::Null,
            Token::Word("True" | "False" | "None") => return Err(Box::new(self.unexpected())),
            Token::Word(word) if WORDS.contains(word) => return Err(Box::new(self.unexpected())),
            Token::Word(root) => {
                let root = *root;
                return self.name(root);
            }
            Token::Int(number) => (*number).into(),
            Token::Float(number) => (*number).into(),
            Token::Text(text) => text.as_str().into(),
            Token::Mark("(") => return self.parentheses(),
            Token::Mark("[") => return self.list(at.start),
            Token::Mark("{") => return self.map(at.start),
            _ => return Err(Box::new(self.unexpected())),
        };
        self.advance()?;
        Ok(node(at, Kind::Literal(value)))
    }

    fn parentheses(&mut self) -> Boxed<Box<Node>> {
        let from = self.at.start;
        self.advance()?;
        let mut inner = self.choice()?;
        if self.token == Token::Mark(",") {
            return Err(Box::new(self.unexpected().help("a list is written `[a, b]`")));
        }
        self.expect(")")?;
        inner.at = from..self.last;
        Ok(inner)
    }

    fn list(&mut self, from: usize) -> Boxed<Box<Node>> {
        self.advance()?;
        let mut items = Vec::new();
        while self.token != Token::Mark("]") {
            items.push(*self.choice()?);
            if !self.skip(&Token::Mark(","))? {
                break;
            }
        }
        self.expect("]")?;
        Ok(node(from..self.last, Kind::List(items)))
    }

    fn map(&mut self, from: usize) -> Boxed<Box<Node>> {
        self.advance()?;
        let mut entries: Vec<(String, Node)> = Vec::new();
        while self.token != Token::Mark("}") {
            let at = self.at.clone();
            let Token::Text(key) = self.advance()? else {
                return Err(Box::new(TemplateError::syntax(at, "a key is a text in quotes").help("write `{'name': value}`")));
            };
            if entries.iter().any(|(other, _)| *other == key) {
                return Err(Box::new(TemplateError::syntax(at, "this key stands here twice")));
            }
            self.expect(":")?;
            entries.push((key, *self.choice()?));
            if !self.skip(&Token::Mark(","))? {
                break;
            }
        }
        self.expect("}")?;
        Ok(node(from..self.last, Kind::Map(entries)))
    }

    fn name(&mut self, root: &str) -> Boxed<Box<Node>> {
        let from = self.at.start;
        let mut segments = vec![Segment::Field(root.to_owned())];
        self.advance()?;
        loop {
            if self.skip(&Token::Mark("."))? {
                segments.push(Segment::Field(self.field()?));
            } else if self.token == Token::Mark("[") && self.lexer.text_follows() {
                self.advance()?;
                segments.push(Segment::Key(self.key(&segments)?));
            } else {
                break;
            }
            if segments.len() > limits::SEGMENTS {
                return Err(Box::new(TemplateError::new(
                    TemplateError::LIMIT,
                    from..self.last,
                    format!("a name of more than {} parts", limits::SEGMENTS),
                )));
            }
        }
        let at = from..self.last;
        if segments.len() == 1 && root == "steps" {
            return Err(Box::new(TemplateError::syntax(at, "`steps` needs the name of a step").help("write `steps.NAME`")));
        }
        self.names.push(Name { segments, at: at.clone(), may_miss: false });
        Ok(node(at, Kind::Name(self.names.len() - 1)))
    }

    /// The key in brackets: of an instance behind `steps.NAME`, elsewhere of a mapping whose keys nobody here has chosen. What stands
    /// right below `client` and its like has a name.
    fn key(&mut self, before: &[Segment]) -> Boxed<String> {
        let at = self.at.clone();
        let Token::Text(key) = self.advance()? else { return Err(Box::new(TemplateError::syntax(at, "a key is missing here"))) };
        self.expect("]")?;
        match before {
            [Segment::Field(root), Segment::Field(_)] if root == "steps" => {
                let fits =
                    key.starts_with(|c: char| c.is_ascii_alphanumeric()) && key.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
                if fits {
                    Ok(key)
                } else {
                    Err(Box::new(TemplateError::syntax(at, "this is no key of an instance").help("letters, digits, `.`, `_`, `-`")))
                }
            }
            [Segment::Field(root)] if ["inputs", "client", "vars", "run", "steps"].contains(&root.as_str()) => {
                let named = key.starts_with(|c: char| c.is_ascii_lowercase())
                    && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
                    && !WORDS.contains(&key.as_str());
                let help = if named {
                    format!("write `{root}.{key}`")
                } else {
                    format!("write `{root}.NAME`: a name has small letters, digits and underscores")
                };
                Err(Box::new(TemplateError::syntax(at, format!("a key cannot stand behind `{root}` itself")).help(help)))
            }
            _ => Ok(key),
        }
    }
}
