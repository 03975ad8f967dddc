//! A person who is asked at a terminal: letters and Enter, no default where something follows from the choice.

use super::accept::{accept, wanted};
use super::answers::same_as;
use super::console::{Console, Heard};
use super::evidence;
use crate::paper::{Ink, Mark, Paper};
use crate::report::layout::fill;
use engine::people::{Answer, Choice, EvidenceWanted, Given, NoAnswer, Question};
use model::effect::{Field, FieldType, Form, Instruction};
use model::printable::Printable;
use model::value::Text;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use zeroize::Zeroizing;

/// A person who is asked.
pub(crate) struct Person<'c> {
    /// Where.
    pub(crate) console: &'c dyn Console,
    /// How it is set.
    pub(crate) paper: Paper,
    /// The operator's name.
    pub(crate) operator: &'c str,
    /// Which step this is, and of how many.
    pub(crate) place: Option<(usize, usize)>,
}

/// How a person goes on after an answer.
enum Verdict {
    Record,
    Again,
}

impl Person<'_> {
    /// Asks what a step asks.
    ///
    /// # Errors
    /// The person stops, says that it is not as described, or nobody is there any more.
    pub(crate) fn ask(&self, question: &Question<'_>) -> Result<Answer, NoAnswer> {
        self.head(question);
        loop {
            let mut answer = Answer { by: self.operator.to_owned(), given: BTreeMap::new(), evidence: BTreeMap::new() };
            for wanted in question.evidence {
                if let Some(file) = self.evidence(wanted, question)? {
                    answer.evidence.insert(wanted.name.clone(), file);
                }
            }
            let verdict = match &question.ask.form {
                Form::Step { .. } => self.agree("Done?", "y when it is done as described", question)?,
                Form::Fields { fields, .. } => {
                    for field in fields {
                        let given = self.field(field, question)?;
                        answer.given.insert(field.name.clone(), given);
                    }
                    self.agree("Record it?", "y writes the answers into the record; e asks again", question)?
                }
                Form::Confirm { phrase, not_operator, .. } => {
                    if *not_operator {
                        answer.by = self.other(question)?;
                    }
                    match phrase {
                        Some(phrase) => self.phrase(phrase, question)?,
                        None => self.agree("Confirm?", "y confirms it, and your name is recorded with it", question)?,
                    }
                }
                Form::Decide { options, .. } => {
                    let choice = self.decide(options, question)?;
                    answer.given.insert("choice".into(), Given::Plain(choice.into()));
                    Verdict::Record
                }
            };
            if matches!(verdict, Verdict::Record) {
                return Ok(answer);
            }
        }
    }

    /// Asks for one of several ways to go on. There is no default.
    ///
    /// # Errors
    /// Nobody is there any more, or Ctrl-C was pressed and stopping is not among the options.
    pub(crate) fn choose(&self, choice: &Choice) -> Result<String, NoAnswer> {
        let mut text = String::from("\n");
        for line in &choice.text {
            let _ = writeln!(text, "{}", fill(&Printable(line).to_string(), self.paper.width, 0, 2));
        }
        let _ = writeln!(text, "\n{}", self.paper.paint(Ink::Open, "What now?"));
        let letters = letters(&choice.options.iter().map(|option| option.key).collect::<Vec<_>>());
        for (option, letter) in choice.options.iter().zip(&letters) {
            let word = option.key.replace('_', " ");
            let said = fill(&Printable(&option.text).to_string(), self.paper.width, 20, 20);
            let _ = writeln!(text, "  [{letter}] {word:13} {said}");
        }
        self.console.heed();
        self.console.write(&text);
        loop {
            let entered = match self.line("Letter and Enter (no default): ", &format!("a choice about {}", choice.about)) {
                Err(NoAnswer::Stopped) => "stop".to_owned(),
                other => other?.to_lowercase(),
            };
            let chosen = choice.options.iter().zip(&letters).find(|(option, letter)| entered == letter.to_string() || entered == option.key);
            match chosen {
                Some((option, _)) => return Ok(option.key.to_owned()),
                None if entered == "stop" => return Err(NoAnswer::Stopped),
                None => self.say(&format!("one of these letters is wanted: {}", letters.iter().map(char::to_string).collect::<Vec<_>>().join(", "))),
            }
        }
    }

    /// Asks for a secret that an input is.
    ///
    /// # Errors
    /// Nobody is there any more, or Ctrl-C was pressed.
    pub(crate) fn secret(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        let missing = format!("input `{name}` (secret)");
        loop {
            let first = self.hidden(&format!("{} (hidden, twice): ", Printable(name)), &missing)?;
            if first.is_empty() {
                self.say("something must be entered");
            } else if first == self.hidden("  once more: ", &missing)? {
                return Ok(Zeroizing::new(first.as_bytes().to_vec()));
            } else {
                self.say("the two are not the same: once more from the beginning");
            }
        }
    }

    /// Asks for the value of an input, until `fits` takes it.
    ///
    /// # Errors
    /// Nobody is there any more, or Ctrl-C was pressed.
    pub(crate) fn input(&self, name: &str, about: Option<&str>, kind: &str, fits: &dyn Fn(&str) -> Result<(), String>) -> Result<String, NoAnswer> {
        if let Some(about) = about {
            self.console.write(&format!("{}\n", Printable(about)));
        }
        loop {
            let entered = self.line(&format!("{} ({kind}): ", Printable(name)), &format!("input `{name}` ({kind})"))?;
            match fits(&entered) {
                Ok(()) => return Ok(entered.as_str().to_owned()),
                Err(wrong) => self.say(&wrong),
            }
        }
    }

    fn head(&self, question: &Question<'_>) {
        let ask = question.ask;
        let place = self.place.map(|(n, of)| format!("[{n} of {of}] ")).unwrap_or_default();
        let changes = if ask.may_change { "changes something" } else { "changes nothing" };
        let needs = self.paper.paint(Ink::Open, "NEEDS YOU").into_owned();
        let mut text =
            format!("\n{} {place}{:30} {needs}, {changes}\n", self.paper.mark(Mark::Person), Printable(question.step.as_str()).to_string());
        let mut line = |said: &str| {
            let _ = writeln!(text, "{}", fill(&Printable(said).to_string(), self.paper.width, 0, 2));
        };
        if let Some(title) = question.title {
            line(title);
        }
        match &ask.form {
            Form::Confirm { question, .. } | Form::Decide { question, .. } => line(question),
            Form::Step { .. } | Form::Fields { .. } => {}
        }
        for (label, shown) in &ask.show {
            match shown {
                Text::Plain(shown) => line(&format!("  {label}: {shown}")),
                Text::Secret(_) => line(&format!("  {label}: hidden; v shows it on this screen")),
            }
        }
        if let Form::Step { instructions } | Form::Fields { instructions, .. } = &ask.form {
            for (n, instruction) in instructions.iter().enumerate() {
                text.push_str(&self.instruction(n + 1, instruction));
            }
        }
        self.console.write(&text);
    }

    fn instruction(&self, n: usize, instruction: &Instruction) -> String {
        let mut text = format!("{n:3} [ ] {}\n", fill(&Printable(&instruction.act).to_string(), self.paper.width, 8, 8));
        let mut under = |word: &str, said: &Option<String>| {
            if let Some(said) = said {
                let _ = writeln!(text, "        {word}: {}", fill(&Printable(said).to_string(), self.paper.width, 10 + word.len(), 10));
            }
        };
        under("you see", &instruction.see);
        under("otherwise", &instruction.otherwise);
        text
    }

    fn evidence(&self, wanted: &EvidenceWanted, question: &Question<'_>) -> Result<Option<(String, Vec<u8>)>, NoAnswer> {
        if let Some(about) = &wanted.about {
            self.say(about);
        }
        let need = if wanted.required { "" } else { ", or Enter for none" };
        loop {
            let prompt = format!("{} ({}, a path{need}): ", Printable(&wanted.name), Printable(&wanted.kind));
            let path = self.line(&prompt, &format!("`{}`: evidence `{}` ({})", question.step, wanted.name, wanted.kind))?;
            if path.is_empty() && !wanted.required {
                return Ok(None);
            }
            match evidence::read(wanted, Path::new(path.trim_matches('"'))) {
                Ok((name, bytes)) => {
                    self.say(&format!("attached {name}, {}, goes into the record", model::state::Bytes(bytes.len() as u64)));
                    return Ok(Some((name, bytes)));
                }
                Err(wrong) => self.say(&wrong),
            }
        }
    }

    fn field(&self, field: &Field, question: &Question<'_>) -> Result<Given, NoAnswer> {
        if let Some(about) = &field.about {
            self.say(about);
        }
        let missing = format!("`{}`: field `{}`", question.step, field.name);
        let shown = [wanted(field), field.default.as_ref().map(|default| format!("Enter: {}", shown_default(default))).unwrap_or_default()];
        let shown: Vec<&str> = shown.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        let hint = if shown.is_empty() { String::new() } else { format!(" ({})", shown.join("; ")) };
        let prompt = format!("{}{}: ", Printable(&field.name), Printable(&hint));
        let same = same_as(field, question);
        let enter = |prompt: &str| if field.kind == FieldType::Secret { self.hidden(prompt, &missing) } else { self.line(prompt, &missing) };
        loop {
            let entered = enter(&prompt)?;
            let given = match accept(field, &entered, same.as_ref().map(|bytes| bytes.as_slice())) {
                Ok(given) => given,
                Err(wrong) => {
                    self.say(&wrong);
                    continue;
                }
            };
            // What has no echo cannot be seen to be wrong: it is always entered twice.
            let twice = field.twice || field.kind == FieldType::Secret;
            if twice && !entered.is_empty() && entered != enter("  once more: ")? {
                self.say("the two are not the same: once more from the beginning");
                continue;
            }
            return Ok(given);
        }
    }

    /// The name of somebody who is not the operator.
    fn other(&self, question: &Question<'_>) -> Result<String, NoAnswer> {
        loop {
            let prompt = format!("Who confirms it (not {}): ", Printable(self.operator));
            let name = self.line(&prompt, &format!("`{}`: who confirms it", question.step))?;
            if !name.is_empty() && name.as_str() != self.operator {
                return Ok(name.as_str().to_owned());
            }
            self.say("the name of somebody else is wanted");
        }
    }

    fn phrase(&self, phrase: &str, question: &Question<'_>) -> Result<Verdict, NoAnswer> {
        let show = if has_hidden(question) { "  [v] show" } else { "" };
        let prompt = format!("Type `{}` to confirm  [o] not as described  [s] stop{show}: ", Printable(phrase));
        loop {
            let entered = self.line(&prompt, &format!("`{}`: the phrase `{phrase}`", question.step))?;
            if entered.as_str() == phrase {
                return Ok(Verdict::Record);
            }
            match entered.as_str() {
                "o" => return Err(self.otherwise(question)?),
                "s" => return Err(NoAnswer::Stopped),
                "v" => self.show_hidden(question),
                _ => self.say("the phrase must be typed exactly as it stands"),
            }
        }
    }

    fn decide(&self, options: &[(String, String)], question: &Question<'_>) -> Result<String, NoAnswer> {
        let mut text = String::new();
        for (n, (id, about)) in options.iter().enumerate() {
            let _ =
                writeln!(text, "  [{}] {:15} {}", n + 1, Printable(id).to_string(), fill(&Printable(about).to_string(), self.paper.width, 22, 22));
        }
        let _ = writeln!(text, "  [s] stop            leave all as it is");
        self.console.write(&text);
        loop {
            let entered = self.line("Number and Enter (no default): ", &format!("`{}`: a decision", question.step))?;
            let number = entered.parse::<usize>().ok().and_then(|n| options.get(n.checked_sub(1)?));
            if let Some((id, _)) = options.iter().find(|(id, _)| *id == *entered).or(number) {
                return Ok(id.clone());
            }
            match entered.as_str() {
                "s" => return Err(NoAnswer::Stopped),
                "v" => self.show_hidden(question),
                _ => self.say("one of the numbers is wanted"),
            }
        }
    }

    /// The last question of an answer.
    fn agree(&self, what: &str, help: &str, question: &Question<'_>) -> Result<Verdict, NoAnswer> {
        let edit = if matches!(question.ask.form, Form::Fields { .. }) || !question.evidence.is_empty() { "  [e] edit" } else { "" };
        let show = if has_hidden(question) { "  [v] show" } else { "" };
        let prompt = format!("{what} [y] yes{edit}{show}  [o] not as described  [s] stop  [?] help : ");
        loop {
            let entered = self.line(&prompt, &format!("`{}`: {what}", question.step))?;
            match entered.to_lowercase().as_str() {
                "y" | "yes" => return Ok(Verdict::Record),
                "e" if !edit.is_empty() => return Ok(Verdict::Again),
                "v" if !show.is_empty() => self.show_hidden(question),
                "o" => return Err(self.otherwise(question)?),
                "s" => return Err(NoAnswer::Stopped),
                "?" => self
                    .say(&format!("{help}; o says that something is not as described, and the step fails; s stops, and `retrace resume` asks again")),
                _ => self.say("a letter and Enter: y, o or s; ? explains"),
            }
        }
    }

    fn otherwise(&self, question: &Question<'_>) -> Result<NoAnswer, NoAnswer> {
        let said = self.line("What is different? ", &format!("`{}`: what is different", question.step))?;
        Ok(NoAnswer::Otherwise(said.as_str().to_owned()))
    }

    fn show_hidden(&self, question: &Question<'_>) {
        for (label, shown) in &question.ask.show {
            if let Text::Secret(secret) = shown {
                let value = (question.reveal)(secret);
                let value = value.as_ref().map(|bytes| String::from_utf8_lossy(bytes));
                self.say(&format!("{label}: {}", value.as_deref().unwrap_or("not there")));
            }
        }
    }

    fn say(&self, text: &str) {
        self.console.write(&format!("  {}\n", fill(&Printable(text).to_string(), self.paper.width, 2, 2)));
    }

    fn line(&self, prompt: &str, missing: &str) -> Result<Zeroizing<String>, NoAnswer> {
        heard(self.console.line(prompt), missing).map(|line| Zeroizing::new(line.trim().to_owned()))
    }

    fn hidden(&self, prompt: &str, missing: &str) -> Result<Zeroizing<String>, NoAnswer> {
        heard(self.console.hidden(prompt), missing)
    }
}

fn heard(heard: Heard, missing: &str) -> Result<Zeroizing<String>, NoAnswer> {
    match heard {
        Heard::Line(line) => Ok(line),
        Heard::End => Err(NoAnswer::Missing(vec![missing.to_owned()])),
        Heard::Interrupted => Err(NoAnswer::Stopped),
    }
}

fn has_hidden(question: &Question<'_>) -> bool {
    question.ask.show.values().any(|shown| matches!(shown, Text::Secret(_)))
}

fn shown_default(default: &model::value::Value) -> String {
    match model::value::to_json(default) {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

/// A letter for each word, all different: its first one that is free.
fn letters(words: &[&str]) -> Vec<char> {
    let mut letters: Vec<char> = Vec::new();
    for word in words {
        let free = word.chars().chain('a'..='z').find(|c| c.is_ascii_lowercase() && !letters.contains(c));
        letters.extend(free);
    }
    letters
}

#[cfg(test)]
#[path = "person_tests.rs"]
mod tests;
