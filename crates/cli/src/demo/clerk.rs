//! Somebody in System Configuration of a practice site.

use super::Site;
use engine::people::{Answer, Choice, EvidenceWanted, NoAnswer, People, Question};
use model::effect::Ask;
use model::id::StepId;
use std::fs;
use std::io::{self, Write};
use std::process::{Command, Stdio};
use zeroize::Zeroizing;

/// Asks whoever answers, and on a practice site does by itself what the question asks a person to do in System Configuration:
/// there is no Sage behind it in which anybody could click. Elsewhere it does nothing.
pub(crate) struct Clerk<'a> {
    people: &'a dyn People,
    site: Option<&'a Site>,
}

impl<'a> Clerk<'a> {
    /// Beside these people, on that site if there is one.
    pub(crate) fn beside(people: &'a dyn People, site: Option<&'a Site>) -> Self {
        Self { people, site }
    }
}

impl People for Clerk<'_> {
    fn ready(&self, questions: &[(StepId, Ask, Vec<EvidenceWanted>)]) -> Result<(), Vec<String>> {
        self.people.ready(questions)
    }

    fn ask(&self, question: &Question<'_>) -> Result<Answer, NoAnswer> {
        let task = self.site.and_then(|site| Some((site, keys(question.step.as_str())?)));
        let Some((site, keys)) = task else { return self.people.ask(question) };
        let before = fs::read(site.activation()).ok();
        let answer = self.people.ask(question)?;
        // Whoever has clicked already, with `retrace lab sysconfig`, is not helped.
        if fs::read(site.activation()).ok() == before {
            click(site, keys).map_err(|error| NoAnswer::Otherwise(format!("System Configuration of the practice site: {error}")))?;
        }
        Ok(answer)
    }

    fn choose(&self, choice: &Choice) -> Result<String, NoAnswer> {
        self.people.choose(choice)
    }

    fn secret(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        self.people.secret(name)
    }
}

/// Which keys a step of a shipped runbook asks somebody to activate.
fn keys(step: &str) -> Option<&'static str> {
    match step {
        "change/activate" => Some("new"),
        "back/enter" | "keys/enter" => Some("old"),
        _ => None,
    }
}

fn click(site: &Site, keys: &str) -> io::Result<()> {
    let mut typed = String::from("edit\n");
    for (field, value) in site.keys(keys)? {
        typed.push_str(&format!("{field}={value}\n"));
    }
    typed.push_str("activate\nquit\n");
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["lab", "sysconfig"]).arg(site.root()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut program = command.spawn()?;
    if let Some(mut input) = program.stdin.take() {
        input.write_all(typed.as_bytes())?;
    }
    let said = String::from_utf8_lossy(&program.wait_with_output()?.stdout).into_owned();
    match said.lines().find_map(|line| line.strip_prefix("Registration rejected: ")) {
        Some(reason) => Err(io::Error::other(reason.to_owned())),
        None => Ok(()),
    }
}
