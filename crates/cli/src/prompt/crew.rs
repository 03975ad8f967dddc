//! Everybody who may answer in a run: the answers file first, then a person if one is there, else nobody.

use super::answers::Answers;
use super::console::Console;
use super::person::Person;
use super::secret::{Secret, Source};
use crate::paper::Paper;
use crate::report::reporter::Reporter;
use engine::people::{Answer, Choice, EvidenceWanted, NoAnswer, People, Question};
use model::effect::Ask;
use model::id::StepId;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Everybody who may answer in a run.
pub(crate) struct Crew<'a> {
    /// What was written down beforehand.
    pub(crate) answers: Option<&'a Answers>,
    /// A person, if one is there and may be asked.
    pub(crate) console: Option<&'a dyn Console>,
    /// How questions are set.
    pub(crate) paper: Paper,
    /// The operator's name.
    pub(crate) operator: &'a str,
    /// Where secret inputs come from, by name.
    pub(crate) secrets: &'a BTreeMap<String, Source>,
    /// What is told while nobody is asked.
    pub(crate) reporter: Option<&'a Reporter>,
}

impl Crew<'_> {
    /// Lets a person answer, with nothing painted over the question.
    fn person<T>(&self, missing: impl FnOnce() -> Vec<String>, ask: impl FnOnce(&Person<'_>) -> Result<T, NoAnswer>) -> Result<T, NoAnswer> {
        let Some(console) = self.console else { return Err(NoAnswer::Missing(missing())) };
        let held = self.reporter.map(Reporter::hold);
        let place = self.reporter.and_then(Reporter::place);
        let answer = ask(&Person { console, paper: self.paper, operator: self.operator, place });
        drop(held);
        answer
    }
}

impl People for Crew<'_> {
    fn ready(&self, questions: &[(StepId, Ask, Vec<EvidenceWanted>)]) -> Result<(), Vec<String>> {
        if self.console.is_some() {
            return Ok(());
        }
        let none = Answers::none();
        let answers = self.answers.unwrap_or(&none);
        let missing: Vec<String> = questions.iter().flat_map(|(step, ask, evidence)| answers.missing(step.as_str(), ask, evidence)).collect();
        if missing.is_empty() { Ok(()) } else { Err(missing) }
    }

    fn ask(&self, question: &Question<'_>) -> Result<Answer, NoAnswer> {
        let missing = |answers: &Answers| answers.missing(question.step.as_str(), question.ask, question.evidence);
        if let Some(answers) = self.answers.filter(|answers| answers.has(question.step.as_str()) && missing(answers).is_empty()) {
            return answers.answer(question, self.operator).map_err(|wrong| NoAnswer::Otherwise(format!("the answer does not fit: {wrong}")));
        }
        self.person(|| missing(self.answers.unwrap_or(&Answers::none())), |person| person.ask(question))
    }

    fn choose(&self, choice: &Choice) -> Result<String, NoAnswer> {
        self.person(|| vec![format!("a choice about {}", choice.about)], |person| person.choose(choice))
    }

    fn secret(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        match self.secrets.get(name).map(Source::read) {
            Some(Secret::Value(bytes)) => Ok(bytes),
            Some(Secret::Wrong(wrong)) => Err(NoAnswer::Missing(vec![format!("input `{name}` (secret): {wrong}")])),
            Some(Secret::Ask) | None => self.person(|| vec![format!("input `{name}` (secret)")], |person| person.secret(name)),
        }
    }
}
