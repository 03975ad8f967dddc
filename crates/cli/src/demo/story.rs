//! The first ten minutes: a plan, a run that fails and takes everything back, one that goes through, its record, its undo.
//!
//! Every part is a command of this program, shown as somebody would type it and run as it stands.

use super::site::Site;
use super::tree::Tree;
use crate::called::called;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;
use std::process::Command;

/// What goes wrong in a story.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoryError {
    /// The practice site cannot be made, read or run.
    #[error("the practice site does not work")]
    Site(#[from] io::Error),
    /// Something is in the directory already.
    #[error("`{0}` is not empty; give another directory")]
    NotEmpty(String),
    /// A command ended otherwise than the story tells.
    #[error("`{command}` ended with exit code {found}, expected {expected}")]
    Exit {
        /// The command.
        command: String,
        /// What the story tells.
        expected: i32,
        /// What it was.
        found: i32,
    },
    /// The directories are not as the story tells.
    #[error("{said}, and it is not so: {paths}")]
    Tree {
        /// What was said.
        said: &'static str,
        /// What differs.
        paths: String,
    },
    /// The person has seen enough.
    #[error("stopped")]
    Stopped,
}

/// The directories that a run may change and an undo brings back.
const SERVERS: [&str; 3] = ["SAGE01", "RDS01", "RDS02"];

/// Makes a practice site and plays through it.
///
/// # Errors
/// The directory cannot be used, or something is not as it is told.
pub(crate) fn play(dir: &Path, no_input: bool) -> Result<(), StoryError> {
    let site = Site::make(dir).map_err(|wrong| match wrong.kind() {
        io::ErrorKind::DirectoryNotEmpty => StoryError::NotEmpty(dir.display().to_string()),
        _ => wrong.into(),
    })?;
    site.start_services()?;
    let asked = !no_input && io::stdin().is_terminal() && io::stderr().is_terminal();
    let mut story = Story { dir: dir.to_owned(), out: Box::new(io::stderr()), asked, myself: false };
    let ended = story.play(&site);
    site.end_forgotten()?;
    story.say(&format!("\nThe practice services go on. They end with:  {} lab stop {}", called(), dir.display()))?;
    ended
}

struct Story {
    dir: std::path::PathBuf,
    out: Box<dyn Write>,
    asked: bool,
    myself: bool,
}

impl Story {
    fn play(&mut self, site: &Site) -> Result<(), StoryError> {
        let dir = self.dir.display().to_string();
        let (runbook, client, plan) = (format!("{dir}/licence-update.yaml"), format!("{dir}/practice.yaml"), format!("{dir}/update.plan"));
        let start = Tree::read(site.root(), &SERVERS)?;
        self.say(&format!(
            "PRACTICE  A Sage-like server with two terminal servers is in {dir}. Its services run; its keys are fake.\n\
             {} files and folders, digest {}.",
            start.len(),
            start.digest()
        ))?;
        self.ask_who_answers()?;

        self.part("1  What would happen? A plan changes nothing.")?;
        self.retrace(&["plan", &runbook, "--client", &client, "--run-id", "practice-1", "-o", &plan], 0)?;
        self.same("the plan changed nothing", &start, site)?;

        self.part("2  Now for real. Somebody still works, and nobody knows of an interface that comes back whenever the server does.")?;
        site.sign_in(4)?;
        site.start_forgotten()?;
        self.run(&[&plan, "--client", &client, "--yes"], 5)?;
        self.same("everything was taken back", &start, site)?;

        self.part("3  The forgotten interface is switched off. Once more, from the beginning.")?;
        site.end_forgotten()?;
        self.run(&[&runbook, "--client", &client, "--run-id", "practice-2", "--yes"], 0)?;
        let changed = Tree::read(site.root(), &SERVERS)?;
        self.say(&format!("PRACTICE  Changed: {}", changed.differences(&start).join(", ")))?;

        self.part("4  Is the record whole?")?;
        self.retrace(&["verify", "practice-2"], 0)?;

        self.part("5  Back as far as it goes: what lies after the point of no return is taken back, the activation stays.")?;
        self.retrace(&["undo", "practice-2", "--dry-run"], 0)?;
        // What is kept of a licence file is an age file for the client's recovery key.
        let identity = format!("{}/identity.txt", self.dir.display());
        self.retrace(&["undo", "practice-2", "--yes", "--identity", &identity], 0)?;
        let end = Tree::read(site.root(), &SERVERS)?;
        let activation = site.activation();
        let stays = activation.strip_prefix(site.root()).unwrap_or(&activation).display().to_string();
        let left = end.differences(&start);
        if left != [stays.as_str()] {
            return Err(StoryError::Tree { said: "only the activation stays", paths: left.join(", ") });
        }
        self.say(&format!(
            "PRACTICE  All files are as at the start, byte for byte, but {stays}: Sage counts each activation.\n\
             What the runs kept is in {dir}/BK01 (backups) and {dir}/vault (the old values)."
        ))?;
        let program = called();
        self.say(&format!("\nNext:  {program} show practice-2 --state {dir}/state      {program} runs --state {dir}/state"))
    }

    fn ask_who_answers(&mut self) -> Result<(), StoryError> {
        if self.asked {
            let answer = self.question("Answer the runbook's questions yourself? y, or Enter to let the answers file do it: ")?;
            self.myself = answer.eq_ignore_ascii_case("y");
            if self.myself {
                self.say(&format!("The values to type are in {}/keys, the rest in {}/answers.yaml.", self.dir.display(), self.dir.display()))?;
            }
        }
        Ok(())
    }

    fn part(&mut self, title: &str) -> Result<(), StoryError> {
        self.say(&format!("\n== {title}"))?;
        if self.asked && self.question("Enter to go on, q to leave: ")?.eq_ignore_ascii_case("q") {
            return Err(StoryError::Stopped);
        }
        Ok(())
    }

    fn run(&mut self, args: &[&str], expected: i32) -> Result<(), StoryError> {
        let answers = format!("{}/answers.yaml", self.dir.display());
        let mut whole = vec!["run"];
        whole.extend(args);
        if !self.myself {
            whole.extend(["--answers", &answers, "--no-input"]);
        }
        self.retrace(&whole, expected)
    }

    fn retrace(&mut self, args: &[&str], expected: i32) -> Result<(), StoryError> {
        let state = format!("{}/state", self.dir.display());
        let mut whole = args.to_vec();
        whole.extend(["--state", &state]);
        let command = format!("{} {}", called(), whole.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "));
        self.say(&format!("> {command}"))?;
        let found = Command::new(std::env::current_exe()?).args(&whole).status()?.code().unwrap_or(-1);
        if found == expected { Ok(()) } else { Err(StoryError::Exit { command, expected, found }) }
    }

    fn same(&mut self, said: &'static str, start: &Tree, site: &Site) -> Result<(), StoryError> {
        let now = Tree::read(site.root(), &SERVERS)?;
        if now != *start {
            return Err(StoryError::Tree { said, paths: now.differences(start).join(", ") });
        }
        self.say(&format!("PRACTICE  {} files and folders, digest {}: {said}.", now.len(), now.digest()))
    }

    fn question(&mut self, text: &str) -> Result<String, StoryError> {
        write!(self.out, "{text}")?;
        self.out.flush()?;
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 {
            self.asked = false;
        }
        Ok(line.trim().to_owned())
    }

    fn say(&mut self, text: &str) -> Result<(), StoryError> {
        Ok(writeln!(self.out, "{text}")?)
    }
}

fn quoted(word: &str) -> String {
    if word.contains(' ') { format!("\"{word}\"") } else { word.to_owned() }
}
