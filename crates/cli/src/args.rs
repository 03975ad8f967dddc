//! The command line. It is a contract: scripts rely on it.

use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Everything on the command line.
#[derive(Parser, Debug)]
#[command(
    name = "retrace",
    version,
    about = "Runbooks that can be previewed, taken back and checked.",
    override_help = crate::help::OVERVIEW,
    disable_help_subcommand = true,
    disable_help_flag = true,
    max_term_width = 80,
    styles = Styles::styled().header(AnsiColor::White.on_default().bold()).usage(AnsiColor::White.on_default().bold())
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) everywhere: Everywhere,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What every command understands.
#[derive(clap::Args, Debug, Clone)]
pub(crate) struct Everywhere {
    /// Where runs are kept [env: RETRACE_STATE]
    #[arg(long, value_name = "DIR", global = true, hide = true)]
    pub(crate) state: Option<PathBuf>,
    /// An age identity that opens sensitive images
    #[arg(long, value_name = "FILE", global = true, hide = true)]
    pub(crate) identity: Option<PathBuf>,
    /// Print JSON to standard output
    #[arg(long, global = true, hide = true)]
    pub(crate) json: bool,
    /// When to use colour
    #[arg(long, value_name = "WHEN", global = true, value_enum, default_value = "auto", hide = true)]
    pub(crate) color: When,
    /// Never wait for a person; list what is missing
    #[arg(long, global = true, hide = true)]
    pub(crate) no_input: bool,
    /// Show effects, differences and reasons
    #[arg(short, action = ArgAction::Count, global = true, hide = true)]
    pub(crate) verbose: u8,
    /// Print errors and questions only
    #[arg(short, global = true, conflicts_with = "verbose", hide = true)]
    pub(crate) quiet: bool,
    /// Print help
    #[arg(short, long, action = ArgAction::HelpShort, global = true)]
    pub(crate) help: Option<bool>,
}

/// When to use colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum When {
    /// At a terminal, unless the environment says otherwise.
    Auto,
    /// Into pipes too.
    Always,
    /// Not at all.
    Never,
}

/// What is to be done.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Tell what is wrong in runbooks, with places; nothing is touched
    #[command(help_template = crate::help::PAGE, after_help = crate::help::EVERYWHERE, before_help = crate::help::CHECK)]
    Check(Check),
    /// Show what a run would do, and save it
    #[command(help_template = crate::help::PAGE, after_help = crate::help::EVERYWHERE, before_help = crate::help::PLAN)]
    Plan(Plan),
    /// Carry out a runbook or a saved plan
    #[command(help_template = crate::help::PAGE, after_help = crate::help::EVERYWHERE, before_help = crate::help::RUN)]
    Run(Run),
    /// Go on with a run that was cut off or stopped
    #[command(help_template = crate::help::PAGE, after_help = crate::help::EVERYWHERE, before_help = crate::help::RESUME)]
    Resume(Resume),
    /// Take a run back
    #[command(help_template = crate::help::PAGE, after_help = crate::help::EVERYWHERE, before_help = crate::help::UNDO)]
    Undo(Undo),
    /// List the runs
    #[command(help_template = crate::help::PAGE, after_help = crate::help::EVERYWHERE, before_help = crate::help::RUNS)]
    Runs,
    /// Tell what a run did
    #[command(help_template = crate::help::PAGE, after_help = crate::help::EVERYWHERE, before_help = crate::help::SHOW)]
    Show(OfRun),
    /// Check that the record of a run is whole
    #[command(help_template = crate::help::PAGE, after_help = crate::help::EVERYWHERE, before_help = crate::help::VERIFY)]
    Verify(Verify),
    /// Add a remark to a run
    #[command(help_template = crate::help::PAGE, after_help = crate::help::EVERYWHERE, before_help = crate::help::NOTE)]
    Note(Note),
    /// Tell where values come from, and what they shadow
    #[command(help_template = crate::help::PAGE, after_help = crate::help::EVERYWHERE, before_help = crate::help::EXPLAIN)]
    Explain(Explain),
    /// Draw the steps of a runbook as Graphviz
    #[command(help_template = crate::help::PAGE, after_help = crate::help::EVERYWHERE, before_help = crate::help::GRAPH)]
    Graph(Graph),
    /// List the actions, or describe one
    #[command(help_template = crate::help::PAGE, after_help = crate::help::EVERYWHERE, before_help = crate::help::ACTIONS)]
    Actions(Actions),
    /// Print a JSON Schema for editors
    #[command(help_template = crate::help::PAGE, after_help = crate::help::EVERYWHERE, before_help = crate::help::SCHEMA)]
    Schema(Schema),
    /// Make a practice site and play through it
    #[command(help_template = crate::help::PAGE, after_help = crate::help::EVERYWHERE, before_help = crate::help::DEMO)]
    Demo(Demo),
    /// Programs of the practice site
    #[command(hide = true)]
    Lab(crate::demo::lab::Lab),
    /// Remove kept bytes that no undo needs any more
    #[command(help_template = crate::help::PAGE, after_help = crate::help::EVERYWHERE, before_help = crate::help::PRUNE)]
    Prune(Prune),
    /// Explain a topic: exit-codes, options; or a command
    #[command(help_template = crate::help::PAGE, after_help = crate::help::EVERYWHERE, before_help = crate::help::HELP)]
    Help(Help),
}

/// `retrace check`.
#[derive(clap::Args, Debug)]
pub(crate) struct Check {
    /// The runbooks
    #[arg(value_name = "RUNBOOK", required = true)]
    pub(crate) runbooks: Vec<PathBuf>,
    /// Check with the values of this client
    #[arg(long, value_name = "FILE", conflicts_with = "all_clients")]
    pub(crate) client: Option<PathBuf>,
    /// Check with every client file in this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) all_clients: Option<PathBuf>,
}

/// What a plan is made of.
#[derive(clap::Args, Debug, Default)]
pub(crate) struct Subject {
    /// The client file
    #[arg(long, value_name = "FILE")]
    pub(crate) client: Option<PathBuf>,
    /// Give an input its value; never a secret
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) set: Vec<(String, String)>,
    /// Answers to the questions of the steps
    #[arg(long, value_name = "FILE")]
    pub(crate) answers: Option<PathBuf>,
    /// Name the run
    #[arg(long, value_name = "ID")]
    pub(crate) run_id: Option<String>,
    /// Start and connect to nothing while planning
    #[arg(long)]
    pub(crate) no_look: bool,
}

/// `retrace plan`.
#[derive(clap::Args, Debug)]
pub(crate) struct Plan {
    /// The runbook
    #[arg(value_name = "RUNBOOK")]
    pub(crate) runbook: PathBuf,
    #[command(flatten)]
    pub(crate) subject: Subject,
    /// Save the plan
    #[arg(short, long, value_name = "PLAN")]
    pub(crate) output: Option<PathBuf>,
}

/// `retrace run`.
#[derive(clap::Args, Debug)]
pub(crate) struct Run {
    /// A runbook, or a plan saved by `retrace plan -o`
    #[arg(value_name = "RUNBOOK|PLAN")]
    pub(crate) what: PathBuf,
    #[command(flatten)]
    pub(crate) subject: Subject,
    /// Show what would be done and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) work: Work,
}

/// How steps are carried out.
#[derive(clap::Args, Debug, Clone)]
pub(crate) struct Work {
    /// How many steps may run at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: u16,
    /// Agree to start; irreversible only with --client
    #[arg(long)]
    pub(crate) yes: bool,
}

/// How a run that has begun goes on, or back.
#[derive(clap::Args, Debug)]
pub(crate) struct More {
    /// Answers to the questions of the steps
    #[arg(long, value_name = "FILE")]
    pub(crate) answers: Option<PathBuf>,
    /// Whom --yes is for; see run --yes
    #[arg(long, value_name = "CLIENT")]
    pub(crate) client: Option<String>,
    #[command(flatten)]
    pub(crate) work: Work,
}

/// `retrace resume`.
#[derive(clap::Args, Debug)]
pub(crate) struct Resume {
    /// The run
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
    #[command(flatten)]
    pub(crate) more: More,
}

/// `retrace undo`.
#[derive(clap::Args, Debug)]
pub(crate) struct Undo {
    /// The run
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
    /// Show what would be done, do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Only what started after this step ended
    #[arg(long, value_name = "STEP")]
    pub(crate) to: Option<String>,
    /// Put it back although changed since
    #[arg(long, value_name = "RESOURCE")]
    pub(crate) overwrite: Vec<String>,
    /// Leave it as it is now
    #[arg(long, value_name = "RESOURCE")]
    pub(crate) leave: Vec<String>,
    /// Go below the point of no return
    #[arg(long)]
    pub(crate) past_no_return: bool,
    #[command(flatten)]
    pub(crate) more: More,
}

/// A command about one run.
#[derive(clap::Args, Debug)]
pub(crate) struct OfRun {
    /// The run
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
}

/// `retrace verify`.
#[derive(clap::Args, Debug)]
pub(crate) struct Verify {
    /// The run, or a directory with a record
    #[arg(value_name = "RUN|BUNDLE")]
    pub(crate) run: String,
}

/// `retrace note`.
#[derive(clap::Args, Debug)]
pub(crate) struct Note {
    /// The run
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
    /// The remark
    #[arg(value_name = "TEXT")]
    pub(crate) text: String,
}

/// Where values come from.
#[derive(clap::Args, Debug)]
pub(crate) struct Given {
    /// The client file
    #[arg(long, value_name = "FILE")]
    pub(crate) client: Option<PathBuf>,
    /// Give an input its value
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) set: Vec<(String, String)>,
}

/// `retrace explain`.
#[derive(clap::Args, Debug)]
pub(crate) struct Explain {
    /// The runbook
    #[arg(value_name = "RUNBOOK")]
    pub(crate) runbook: PathBuf,
    /// What is explained: `client.NAME`, `inputs.NAME`; everything unless said
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) values: Given,
}

/// `retrace graph`.
#[derive(clap::Args, Debug)]
pub(crate) struct Graph {
    /// The runbook
    #[arg(value_name = "RUNBOOK")]
    pub(crate) runbook: PathBuf,
    #[command(flatten)]
    pub(crate) values: Given,
}

/// `retrace actions`.
#[derive(clap::Args, Debug)]
pub(crate) struct Actions {
    /// One action: its parameters and outputs
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
}

/// `retrace schema`.
#[derive(clap::Args, Debug)]
pub(crate) struct Schema {
    /// Of which document: runbook, client, partner or answers
    #[arg(value_name = "KIND", default_value = "runbook")]
    pub(crate) kind: String,
}

/// `retrace demo`.
#[derive(clap::Args, Debug)]
pub(crate) struct Demo {
    /// Where the practice site is made; must not exist or be empty
    #[arg(value_name = "DIR", default_value = "practice-site")]
    pub(crate) dir: PathBuf,
}

/// `retrace prune`.
#[derive(clap::Args, Debug)]
pub(crate) struct Prune {
    /// Give up undoing all but the newest N runs of a client
    #[arg(long, value_name = "N")]
    pub(crate) keep_newest: Option<usize>,
    /// Remove it; otherwise only tell what would be removed
    #[arg(long)]
    pub(crate) yes: bool,
}

/// `retrace help`.
#[derive(clap::Args, Debug)]
pub(crate) struct Help {
    /// A topic or a command
    #[arg(value_name = "TOPIC")]
    pub(crate) topic: Option<String>,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("NAME=VALUE is wanted".to_owned()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_parser_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_help_fits_its_page_and_begins_with_two_examples() {
        let mut whole = Args::command();
        whole.build();
        let overview = whole.render_long_help().to_string();
        assert!(overview.lines().count() <= 24, "{overview}");
        for command in whole.get_subcommands_mut().filter(|command| !command.is_hide_set()) {
            let page = command.render_help().to_string();
            assert!(page.lines().count() <= 24, "{page}");
            let examples = page.lines().take_while(|line| !line.is_empty()).filter(|line| line.starts_with("  retrace ")).count();
            assert_eq!(examples, 2, "{page}");
            for line in page.lines().chain(overview.lines()) {
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
    }

    #[test]
    fn every_example_is_a_command_line() {
        for text in crate::help::EXAMPLES.into_iter().chain([crate::help::OVERVIEW]) {
            for line in text.lines().filter_map(|line| line.strip_prefix("  retrace ")) {
                let words = line.split("  ").next().unwrap().split(' ').map(|word| word.trim_matches('"'));
                if line.starts_with("note ") {
                    continue;
                }
                Args::try_parse_from(std::iter::once("retrace").chain(words)).unwrap();
            }
        }
    }

    #[test]
    fn a_mistyped_command_or_flag_is_named() {
        let error = Args::try_parse_from(["retrace", "chekc", "x"]).unwrap_err().to_string();
        assert!(error.contains("check"), "{error}");
        let error = Args::try_parse_from(["retrace", "run", "x", "--clinet", "y"]).unwrap_err().to_string();
        assert!(error.contains("--client"), "{error}");
    }
}
