//! The program `retrace`: arguments, prompts, what people and programs are shown, exit codes.

mod account;
mod args;
mod called;
mod command;
mod demo;
mod exit;
mod failure;
mod help;
mod here;
mod paper;
mod prompt;
mod report;
mod stop;

use args::{Args, When};
use clap::Parser;
use clap::error::ErrorKind;
use exit::Exit;
use failure::Failure;
use here::Here;
use paper::Paper;
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    trace();
    // A mistake of ours ends with a code of its own; what is durable by then `resume` finds.
    std::panic::catch_unwind(run).unwrap_or_else(|_| broken()).into()
}

/// Where it broke has been told already.
fn broken() -> Exit {
    let failure = Failure::new(Exit::Bug, "bug", "this is a mistake in retrace itself; please report it");
    let failure = failure.help("what a run did is in its journal: `retrace resume RUN` goes on, `retrace undo RUN` takes it back");
    if wants_json() {
        print_json(&failure);
    } else {
        let _ = io::stderr().write_all(failure.text(&Paper::stderr(When::Auto)).as_bytes());
    }
    Exit::Bug
}

fn run() -> Exit {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return not_understood(&error),
    };
    match command::run(args) {
        Ok(exit) => exit,
        Err((here, failure)) => {
            report(&here, &failure);
            failure.exit()
        }
    }
}

fn report(here: &Here, failure: &Failure) {
    if here.everywhere.json {
        // What cannot be printed as JSON is still told by the exit.
        let _ = here.print_json(&failure.json());
    } else {
        here.tell_anyway(&failure.text(&here.err));
    }
}

/// Help and version are data; anything else that is not understood is exit 2.
fn not_understood(error: &clap::Error) -> Exit {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _ = error.print();
        return Exit::Done;
    }
    if wants_json() {
        let text = error.to_string();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let message = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        print_json(&Failure::usage(message).details(lines.map(str::to_owned).collect()));
    } else {
        let paper = Paper::stderr(When::Auto);
        let text = error.render();
        let text = if paper.colour { text.ansi().to_string() } else { text.to_string() };
        let _ = io::stderr().write_all(text.as_bytes());
    }
    Exit::Usage
}

/// Whether `--json` stands on a command line that was not understood, or not to its end.
fn wants_json() -> bool {
    std::env::args_os().skip(1).take_while(|word| word != "--").any(|word| word == "--json")
}

fn print_json(failure: &Failure) {
    if let Ok(text) = model::json::pretty(&failure.json()) {
        let _ = io::stdout().write_all(text.as_bytes());
    }
}

/// For developers: what libraries say, only if `RETRACE_LOG` is set. The record of a run is its journal.
fn trace() {
    if let Ok(level) = std::env::var("RETRACE_LOG") {
        let level = level.parse().unwrap_or(tracing::Level::DEBUG);
        tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr).with_ansi(false).init();
    }
}
