use super::error::TemplateError;
use super::limits;
use std::ops::Range;

/// A word of an expression.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Token<'s> {
    Word(&'s str),
    Int(i64),
    Float(f64),
    Text(String),
    Mark(&'static str),
    End,
}

/// What ends an expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Close {
    /// The end of its source.
    Source,
    /// `}}` in a text.
    Braces,
    /// `}}` or `-}}` in a template file.
    FileBraces,
    /// `%}` or `-%}` in a template file.
    FileBlock,
}

/// Cuts the source of an expression into tokens, and finds its end.
pub(super) struct Lexer<'s> {
    pub(super) source: &'s str,
    /// Where the next token is looked for. After `End`, what follows the closing marks.
    pub(super) position: usize,
    /// After `End`: it was closed with a `-`, which strips the white space behind it.
    pub(super) strips: bool,
    start: usize,
    close: Close,
    open: usize,
}

/// Marks, the longer ones first.
const MARKS: [&str; 23] = ["//", "==", "!=", "<=", ">=", "(", ")", "[", "]", "{", "}", ",", ":", ".", "|", "+", "-", "~", "/", "%", "<", ">", "="];

impl<'s> Lexer<'s> {
    pub(super) fn new(source: &'s str, start: usize, close: Close) -> Self {
        Self { source, position: start, strips: false, start, close, open: 0 }
    }

    /// Whether the next token is a text.
    pub(super) fn text_follows(&self) -> bool {
        self.rest().trim_ascii_start().starts_with(['\'', '"'])
    }

    /// Whether the next token is this word.
    pub(super) fn word_follows(&self, word: &str) -> bool {
        let rest = self.rest().trim_ascii_start().strip_prefix(word);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
    }

    /// Whether the next token is `=`.
    pub(super) fn assignment_follows(&self) -> bool {
        let rest = self.rest().trim_ascii_start();
        rest.starts_with('=') && !rest.starts_with("==")
    }

    pub(super) fn next(&mut self) -> Result<(Token<'s>, Range<usize>), TemplateError> {
        self.position += self.rest().len() - self.rest().trim_ascii_start().len();
        let from = self.position;
        if from - self.start > limits::EXPRESSION {
            return Err(too_long(self.start..from));
        }
        let token = match self.rest().chars().next() {
            None if self.close == Close::Source => Token::End,
            None => return Err(self.unclosed()),
            _ if self.open == 0 && self.closes() => Token::End,
            Some('\'' | '"') => self.text()?,
            Some('0'..='9') => self.number()?,
            Some('a'..='z' | 'A'..='Z' | '_') => Token::Word(self.take(|c| c.is_ascii_alphanumeric() || c == '_')),
            Some(other) => self.mark(other)?,
        };
        let end = if token == Token::End { from } else { self.position };
        // The rest of a long expression is not looked at; so the cost of a bad one is bounded too.
        if end - self.start > limits::EXPRESSION {
            return Err(too_long(self.start..end));
        }
        Ok((token, from..end))
    }

    fn rest(&self) -> &'s str {
        &self.source[self.position..]
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !belongs(c)).unwrap_or(rest.len())];
        self.position += taken.len();
        taken
    }

    /// Whether the marks that end the expression stand here; then they are passed.
    fn closes(&mut self) -> bool {
        let mark = match self.close {
            Close::Source => return false,
            Close::Braces | Close::FileBraces => "}}",
            Close::FileBlock => "%}",
        };
        let rest = self.rest();
        let stripped = rest.strip_prefix('-').filter(|_| self.close != Close::Braces);
        self.strips = stripped.is_some_and(|rest| rest.starts_with(mark));
        let closed = self.strips || rest.starts_with(mark);
        if closed {
            self.position += mark.len() + usize::from(self.strips);
        }
        closed
    }

    fn unclosed(&self) -> TemplateError {
        let (open, close) = if self.close == Close::FileBlock { ("{%", "%}") } else { ("{{", "}}") };
        let from = self.source[..self.start].rfind(open).unwrap_or(self.start);
        let at = from..(from + 2).min(self.start);
        TemplateError::syntax(at, format!("`{open}` has no `{close}`")).help(format!("for the characters themselves write `{{{{ '{open}' }}}}`"))
    }

    fn text(&mut self) -> Result<Token<'s>, TemplateError> {
        let from = self.position;
        let quote = if self.rest().starts_with('"') { '"' } else { '\'' };
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1).take(limits::EXPRESSION + 1);
        while let Some((at, c)) = chars.next() {
            match c {
                _ if c == quote => {
                    self.position += at + 1;
                    return Ok(Token::Text(text));
                }
                '\\' => text.push(match chars.next() {
                    Some((_, 'n')) => '\n',
                    Some((_, 't')) => '\t',
                    Some((_, 'r')) => '\r',
                    Some((_, c @ ('\\' | '\'' | '"'))) => c,
                    _ => {
                        let at = from + at..from + at + 1;
                        return Err(TemplateError::syntax(at, "unknown escape").help("write a backslash as `\\\\`"));
                    }
                }),
                _ => text.push(c),
            }
        }
        Err(match chars.next().is_none() && self.rest().len() <= limits::EXPRESSION {
            true => TemplateError::syntax(from..from + 1, "this text has no closing quote"),
            false => too_long(self.start..from),
        })
    }

    fn number(&mut self) -> Result<Token<'s>, TemplateError> {
        let from = self.position;
        let digits = self.take(|c| c.is_ascii_digit());
        let fraction = self.rest().strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if fraction {
            self.position += 1;
            self.take(|c| c.is_ascii_digit());
        }
        let at = from..self.position;
        if self.rest().starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return Err(
                TemplateError::syntax(at, "a number is written with digits and at most one point").help("a duration or a size is a text: `'5m'`")
            );
        }
        let whole = &self.source[at.clone()];
        let number = match fraction {
            true => whole.parse().ok().filter(|f: &f64| f.is_finite()).map(Token::Float),
            false if digits.len() > 1 && digits.starts_with('0') => None,
            false => whole.parse().ok().map(Token::Int),
        };
        number.ok_or_else(|| TemplateError::syntax(at, "this number is too large or begins with zeros"))
    }

    fn mark(&mut self, first: char) -> Result<Token<'s>, TemplateError> {
        let rest = self.rest();
        let here = |length: usize| self.position..self.position + length;
        let help = |length: usize, message: &str, help: &str| Err(TemplateError::syntax(here(length), message).help(help));
        match first {
            '*' => return help(1, "there is no `*`", "multiply numbers with the filter `times`: `inputs.seats | times(2)`"),
            '&' => return help(rest.len() - rest.trim_start_matches('&').len(), "there is no `&`", "write `and`"),
            '!' if !rest.starts_with("!=") => return help(1, "there is no `!`", "write `not`"),
            '|' if rest.starts_with("||") => return help(2, "there is no `||`", "write `or`"),
            _ => {}
        }
        let Some(mark) = MARKS.into_iter().find(|mark| rest.starts_with(mark)) else {
            let shown = first.escape_debug();
            return Err(TemplateError::syntax(here(first.len_utf8()), format!("`{shown}` cannot stand in an expression")));
        };
        let at = here(mark.len());
        match mark {
            "(" | "[" | "{" => self.open += 1,
            ")" | "]" | "}" if self.open == 0 => return Err(TemplateError::syntax(at, format!("`{mark}` closes nothing"))),
            ")" | "]" | "}" => self.open -= 1,
            _ => {}
        }
        if self.open > limits::BRACKETS {
            return Err(TemplateError::new(TemplateError::LIMIT, at, format!("more than {} brackets within each other", limits::BRACKETS)));
        }
        self.position = at.end;
        Ok(Token::Mark(mark))
    }
}

fn too_long(at: Range<usize>) -> TemplateError {
    TemplateError::new(TemplateError::LIMIT, at, format!("an expression is longer than {} bytes", limits::EXPRESSION))
        .help("give its parts names under `vars`")
}
