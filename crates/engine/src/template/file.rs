use super::condition::Condition;
use super::error::TemplateError;
use super::expression::Expression;
use super::file_output::Rendering;
use super::lexer::Close;
use super::limits;
use super::parser::{self, Parsed};
use model::value::{May, Text, Value};
use std::ops::Range;

/// Renders a template file: text with `{{ }}`, `{% for %}` and `{% if %}`. Its names are those of `vars`. A block that has a
/// line for itself leaves no line; `-` beside a mark strips white space there.
///
/// A secret in `vars` may be placed whole, which makes the text secret. An unknown makes the text unknown.
///
/// # Errors
/// It is no such template; a name is not there or of the wrong kind; a secret is used in an expression; a limit.
pub fn render_file(source: &str, vars: &Value) -> Result<May<Text>, TemplateError> {
    if source.len() > limits::TEXT {
        return Err(TemplateError::new(TemplateError::LIMIT, 0..0, format!("a template file is longer than {} bytes", limits::TEXT)));
    }
    let mut parser = Parser { source, position: 0, after: After::Tag, depth: 0 };
    let (blocks, end) = parser.blocks()?;
    if let Some((word, at)) = end {
        return Err(TemplateError::syntax(at, format!("`{word}` closes nothing")));
    }
    Rendering::whole(&blocks, vars)
}

/// A part of a template file.
pub(super) enum Block {
    Plain(String),
    Place(Expression, Range<usize>),
    For(Loop),
    If { arms: Vec<(Condition, Vec<Self>)>, otherwise: Vec<Self> },
}

/// `{% for first in list %}`, or `{% for first, second in list %}`.
pub(super) struct Loop {
    pub(super) first: String,
    pub(super) second: Option<String>,
    pub(super) list: Expression,
    pub(super) at: Range<usize>,
    pub(super) body: Vec<Block>,
    /// What stands there if there is nothing to go over.
    pub(super) otherwise: Vec<Block>,
}

/// What becomes of the text behind a tag.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    /// It stands as it is.
    Tag,
    /// The end of the line is the block's.
    Block,
    /// The white space was stripped with `-`.
    Stripped,
}

/// A tag that ends the blocks before it: its word and place.
type End<'s> = Option<(&'s str, Range<usize>)>;

struct Parser<'s> {
    source: &'s str,
    position: usize,
    after: After,
    depth: usize,
}

impl<'s> Parser<'s> {
    /// The blocks up to a tag that ends them.
    fn blocks(&mut self) -> Result<(Vec<Block>, End<'s>), TemplateError> {
        self.depth += 1;
        if self.depth > limits::BLOCKS + 1 {
            let at = self.position..self.position;
            return Err(TemplateError::new(TemplateError::LIMIT, at, format!("more than {} blocks within each other", limits::BLOCKS)));
        }
        let mut blocks = Vec::new();
        let end = loop {
            let Some(open) = self.tag() else {
                self.plain(&mut blocks, self.source.len());
                break None;
            };
            self.plain(&mut blocks, open);
            let at = open..open + 2;
            match self.source.as_bytes()[open + 1] {
                b'{' => {
                    let parsed = self.parse(Close::FileBraces)?;
                    blocks.push(Block::Place(parsed.into(), open..self.position));
                }
                b'#' => {
                    return Err(TemplateError::syntax(at, "`{# #}` is not available").help("for the characters themselves write `{{ '{#' }}`"));
                }
                _ => match self.word() {
                    "for" => blocks.push(self.each(at)?),
                    "if" => blocks.push(self.choice(at)?),
                    word @ ("elif" | "else" | "endif" | "endfor") => break Some((word, at)),
                    word => {
                        let message = format!("there is no block `{}`", word.escape_debug());
                        return Err(TemplateError::syntax(at, message).help("a template file has `{% for %}` and `{% if %}` only"));
                    }
                },
            }
        };
        self.depth -= 1;
        Ok((blocks, end))
    }

    /// Where the next tag begins.
    fn tag(&self) -> Option<usize> {
        let bytes = self.source.as_bytes();
        (self.position..bytes.len().saturating_sub(1)).find(|&at| bytes[at] == b'{' && matches!(bytes[at + 1], b'{' | b'%' | b'#'))
    }

    /// Adds the text before the tag at `open` and goes behind its opening marks.
    fn plain(&mut self, blocks: &mut Vec<Block>, open: usize) {
        let mut text = &self.source[self.position..open];
        text = match self.after {
            After::Tag => text,
            After::Stripped => text.trim_start(),
            After::Block => text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n')).unwrap_or(text),
        };
        let tag = &self.source[open..];
        let strips = tag[tag.len().min(2)..].starts_with('-');
        let blank = |c| c == ' ' || c == '\t';
        let alone = self.source[..open].trim_end_matches(blank);
        if strips {
            text = text.trim_end();
        } else if tag.starts_with("{%") && (alone.is_empty() || alone.ends_with('\n')) {
            text = text.trim_end_matches(blank);
        }
        if !text.is_empty() {
            blocks.push(Block::Plain(text.to_owned()));
        }
        self.position = open + tag.len().min(2) + usize::from(strips);
    }

    fn parse(&mut self, close: Close) -> Result<Parsed, TemplateError> {
        let parsed = parser::parse(self.source, self.position, close)?;
        self.position = parsed.rest;
        self.after = match (parsed.strips, close) {
            (true, _) => After::Stripped,
            (false, Close::FileBlock) => After::Block,
            _ => After::Tag,
        };
        Ok(parsed)
    }

    /// The word that stands here.
    fn word(&mut self) -> &'s str {
        self.blank();
        let rest = &self.source[self.position..];
        let word = &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())];
        self.position += word.len();
        word
    }

    fn blank(&mut self) {
        let rest = &self.source[self.position..];
        self.position += rest.len() - rest.trim_ascii_start().len();
    }

    /// Goes behind the end of a tag that has no expression.
    fn close(&mut self) -> Result<(), TemplateError> {
        self.blank();
        let rest = &self.source[self.position..];
        let strips = rest.starts_with('-');
        if !rest[usize::from(strips)..].starts_with("%}") {
            return Err(TemplateError::syntax(self.position..self.position, "`%}` is missing here"));
        }
        self.position += 2 + usize::from(strips);
        self.after = if strips { After::Stripped } else { After::Block };
        Ok(())
    }

    fn each(&mut self, at: Range<usize>) -> Result<Block, TemplateError> {
        let wrong = |at: Range<usize>| {
            TemplateError::syntax(at, "this is no loop").help("write `{% for item in list %}` or `{% for key, value in mapping %}`")
        };
        let first = self.word().to_owned();
        self.blank();
        let second = self.source[self.position..].starts_with(',').then(|| {
            self.position += 1;
            self.word().to_owned()
        });
        let named =
            [Some(&first), second.as_ref()].into_iter().flatten().all(|name| name.starts_with(|c: char| c.is_ascii_lowercase()) && name != "loop");
        if !named || self.word() != "in" {
            return Err(wrong(at));
        }
        let from = self.position;
        let list = self.parse(Close::FileBlock)?.into();
        let list_at = from..self.position;
        let (body, mut end) = self.blocks()?;
        let mut otherwise = Vec::new();
        if let Some(("else", _)) = end {
            self.close()?;
            (otherwise, end) = self.blocks()?;
        }
        self.ended("endfor", at, end)?;
        Ok(Block::For(Loop { first, second, list, at: list_at, body, otherwise }))
    }

    fn choice(&mut self, at: Range<usize>) -> Result<Block, TemplateError> {
        let mut arms = Vec::new();
        let mut otherwise = Vec::new();
        let mut end;
        loop {
            let condition = Condition::from(Expression::from(self.parse(Close::FileBlock)?));
            let body;
            (body, end) = self.blocks()?;
            arms.push((condition, body));
            match end {
                Some(("elif", _)) => {}
                _ => break,
            }
        }
        if let Some(("else", _)) = end {
            self.close()?;
            (otherwise, end) = self.blocks()?;
        }
        self.ended("endif", at, end)?;
        Ok(Block::If { arms, otherwise })
    }

    fn ended(&mut self, word: &str, open: Range<usize>, end: End<'s>) -> Result<(), TemplateError> {
        match end {
            Some((found, _)) if found == word => self.close(),
            Some((found, at)) => Err(TemplateError::syntax(at, format!("`{found}` stands where `{word}` is wanted"))),
            None => Err(TemplateError::syntax(open, format!("this block has no `{{% {word} %}}`"))),
        }
    }
}
