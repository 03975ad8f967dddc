use super::condition::Condition;
use super::error::TemplateError;
use super::expression::Expression;
use super::file_names::LOOP_FACTS;
use super::file_output::{Asked, Question, render};
use super::lexer::Close;
use super::limits;
use super::name::{Name, Segment};
use super::parser::{self, Parsed, WORDS};
use model::value::{May, Text, Value};
use std::ops::Range;

/// A template file, parsed: text with `{{ }}`, `{% for %}` and `{% if %}`. A block that has a line for itself leaves no line; `-`
/// beside a mark strips white space there.
#[derive(Debug)]
pub struct TemplateFile {
    checked: String,
    asked: Vec<Asked>,
    names: Vec<Name>,
}

impl TemplateFile {
    /// Parses a template file.
    ///
    /// # Errors
    /// It is no such template, or goes over a limit.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        if source.len() > limits::TEXT {
            return Err(TemplateError::new(TemplateError::LIMIT, 0..0, format!("a template file is longer than {} bytes", limits::TEXT)));
        }
        let mut checker = Checker {
            source,
            position: 0,
            block_before: false,
            depth: 0,
            checked: String::new(),
            asked: Vec::new(),
            names: Vec::new(),
            loops: Vec::new(),
        };
        if let Some((word, at)) = checker.blocks()? {
            return Err(TemplateError::syntax(at, format!("`{word}` closes nothing")));
        }
        Ok(Self { checked: checker.checked, asked: checker.asked, names: checker.names })
    }

    /// Every name that it takes from `vars`; those of its loops are none.
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    /// Its text, with the names of `vars`. A secret among them may be placed whole, which makes the text secret. An unknown
    /// makes the text unknown.
    ///
    /// # Errors
    /// A name is not there or of the wrong kind; a secret is used in an expression; a limit.
    pub fn render(self, vars: &Value) -> Result<May<Text>, TemplateError> {
        render(&self.checked, self.asked, vars)
    }
}

/// A tag that ends the blocks before it: its word and place.
type End<'s> = Option<(&'s str, Range<usize>)>;

/// Reads a template file and writes down what minijinja is given of it: the same texts and blocks, but `VALUE(7)` where an
/// expression stood, which asks for what the 7th is worth. The arms of an `{% if %}` become blocks beside each other,
/// because minijinja parses, compiles and drops an `elif` within the one before it, without a bound.
struct Checker<'s> {
    source: &'s str,
    position: usize,
    /// A block stands before: the end of its line is its own. (minijinja would take `\r` of `\r\n` alone.)
    block_before: bool,
    depth: usize,
    checked: String,
    asked: Vec<Asked>,
    names: Vec<Name>,
    /// The names of the loops round the place, outermost first.
    loops: Vec<&'s str>,
}

impl<'s> Checker<'s> {
    /// The blocks up to a tag that ends them.
    fn blocks(&mut self) -> Result<End<'s>, TemplateError> {
        self.depth += 1;
        if self.depth > limits::BLOCKS + 1 {
            let at = self.position..self.position;
            return Err(TemplateError::new(TemplateError::LIMIT, at, format!("more than {} blocks within each other", limits::BLOCKS)));
        }
        let end = loop {
            let Some(open) = self.tag() else {
                self.plain(self.source.len());
                break None;
            };
            self.plain(open);
            let at = open..open + 2;
            match self.source.as_bytes()[open + 1] {
                b'{' => {
                    let parsed = self.parse(Close::FileBraces)?;
                    let strips = parsed.strips;
                    let number = self.ask(Question::Place(parsed.into()), open..self.position);
                    self.write(&format!("VALUE({number})"), strips, "}}");
                }
                b'#' => {
                    return Err(TemplateError::syntax(at, "`{# #}` is not available").help("for the characters themselves write `{{ '{#' }}`"));
                }
                _ => match self.word() {
                    "for" => self.each(at)?,
                    "if" => self.choice(at)?,
                    word @ ("elif" | "else" | "endif" | "endfor") => break Some((word, at)),
                    word => {
                        let message = format!("there is no block `{}`", word.escape_debug());
                        return Err(TemplateError::syntax(at, message).help("a template file has `{% for %}` and `{% if %}` only"));
                    }
                },
            }
        };
        self.depth -= 1;
        Ok(end)
    }

    /// Where the next tag begins.
    fn tag(&self) -> Option<usize> {
        let bytes = self.source.as_bytes();
        (self.position..bytes.len().saturating_sub(1)).find(|&at| bytes[at] == b'{' && matches!(bytes[at + 1], b'{' | b'%' | b'#'))
    }

    /// Writes down the text before the tag at `open`, with the tag's opening marks, and goes behind them.
    fn plain(&mut self, open: usize) {
        let mut text = &self.source[self.position..open];
        if self.block_before {
            text = text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n')).unwrap_or(text);
        }
        let tag = &self.source[open..];
        let blank = |c| c == ' ' || c == '\t';
        let alone = self.source[..open].trim_end_matches(blank);
        if tag.starts_with("{%") && (alone.is_empty() || alone.ends_with('\n')) {
            text = text.trim_end_matches(blank);
        }
        let marks = tag.len().min(2);
        let marks = marks + usize::from(tag[marks..].starts_with('-'));
        self.checked.extend([text, &tag[..marks]]);
        self.position = open + marks;
        self.block_before = false;
    }

    /// Writes down what stands in a tag, and its end.
    fn write(&mut self, inside: &str, strips: bool, close: &str) {
        self.checked.extend([" ", inside, if strips { " -" } else { " " }, close]);
        self.block_before = close == "%}";
    }

    fn ask(&mut self, question: Question, at: Range<usize>) -> usize {
        self.asked.push(Asked { question, at });
        self.asked.len() - 1
    }

    fn parse(&mut self, close: Close) -> Result<Parsed, TemplateError> {
        let parsed = parser::parse(self.source, self.position, close)?;
        self.position = parsed.rest;
        let ours = |name: &&Name| match name.segments.as_slice() {
            [Segment::Field(root), fact] if root == "loop" && !self.loops.is_empty() => !LOOP_FACTS.contains(&fact.as_str()),
            [root, ..] => !self.loops.contains(&root.as_str()),
            [] => false,
        };
        self.names.extend(parsed.names.iter().filter(ours).cloned());
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

    /// Goes behind the end of a tag that has no expression; says whether it strips.
    fn close(&mut self) -> Result<bool, TemplateError> {
        self.blank();
        let rest = &self.source[self.position..];
        let strips = rest.starts_with('-');
        if !rest[usize::from(strips)..].starts_with("%}") {
            return Err(TemplateError::syntax(self.position..self.position, "`%}` is missing here"));
        }
        self.position += 2 + usize::from(strips);
        Ok(strips)
    }

    fn each(&mut self, at: Range<usize>) -> Result<(), TemplateError> {
        let mut names = vec![self.word()];
        self.blank();
        if self.source[self.position..].starts_with(',') {
            self.position += 1;
            names.push(self.word());
        }
        // What our expressions or minijinja take for something else.
        let reserved = |name| WORDS.contains(&name) || ["loop", "self", "true", "false", "none"].contains(&name);
        let named = names.iter().all(|name| name.starts_with(|c: char| c.is_ascii_lowercase()) && !reserved(name));
        if !named || names.get(1) == names.first() || self.word() != "in" {
            let help = "write `{% for item in list %}` or `{% for key, value in mapping %}`";
            return Err(TemplateError::syntax(at, "this is no loop").help(help));
        }
        let from = self.position;
        let parsed = self.parse(Close::FileBlock)?;
        let strips = parsed.strips;
        let number = self.ask(Question::Items { list: parsed.into(), pairs: names.len() == 2 }, from..self.position);
        self.write(&format!("for {} in VALUE({number})", names.join(", ")), strips, "%}");
        let outer = self.loops.len();
        self.loops.extend(names);
        let mut end = self.blocks()?;
        self.loops.truncate(outer);
        if let Some(("else", _)) = end {
            let strips = self.close()?;
            self.write("else", strips, "%}");
            end = self.blocks()?;
        }
        let strips = self.ended("endfor", at, end)?;
        self.write("endfor", strips, "%}");
        Ok(())
    }

    fn choice(&mut self, at: Range<usize>) -> Result<(), TemplateError> {
        let number = self.ask(Question::Arm(Vec::new()), at.clone());
        let mut arms = Vec::new();
        let mut before = format!("set ARM{number} = VALUE({number})");
        let mut end;
        loop {
            let parsed = self.parse(Close::FileBlock)?;
            self.write(&format!("{before} %}}{{% if ARM{number} == {}", arms.len()), parsed.strips, "%}");
            arms.push(Condition::from(Expression::from(parsed)));
            end = self.blocks()?;
            match end {
                Some(("elif", _)) => before = "endif".to_owned(),
                _ => break,
            }
        }
        if let Some(("else", _)) = end {
            let strips = self.close()?;
            self.write(&format!("endif %}}{{% if ARM{number} == {}", arms.len()), strips, "%}");
            end = self.blocks()?;
        }
        self.asked[number].question = Question::Arm(arms);
        let strips = self.ended("endif", at, end)?;
        self.write("endif", strips, "%}");
        Ok(())
    }

    /// Goes behind the tag that ends a block; says whether it strips.
    fn ended(&mut self, word: &str, open: Range<usize>, end: End<'s>) -> Result<bool, TemplateError> {
        match end {
            Some((found, _)) if found == word => self.close(),
            Some((found, at)) => Err(TemplateError::syntax(at, format!("`{found}` stands where `{word}` is wanted"))),
            None => Err(TemplateError::syntax(open, format!("this block has no `{{% {word} %}}`"))),
        }
    }
}
