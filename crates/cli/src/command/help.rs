//! `retrace help`: topics, and the help of commands.

use crate::args::{self, Args};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::here::Here;
use clap::CommandFactory;

/// Explains a topic.
pub(crate) fn help(here: &Here, args: &args::Help) -> Result<Exit, Failure> {
    let text = match args.topic.as_deref() {
        None => crate::help::OVERVIEW.to_owned(),
        Some("options") => crate::help::OPTIONS.to_owned(),
        Some("exit-codes") => Exit::TABLE.iter().map(|(exit, meaning)| format!("{:3}  {meaning}\n", exit.code())).collect(),
        Some(topic) => {
            let mut all = Args::command();
            all.build();
            let known: Vec<String> = all.get_subcommands().filter(|command| !command.is_hide_set()).map(|c| c.get_name().to_owned()).collect();
            match all.find_subcommand_mut(topic) {
                Some(command) => command.render_help().to_string(),
                None => {
                    let topics = known.iter().map(String::as_str).chain(["options", "exit-codes"]);
                    let near = model::diagnostic::nearest(topic, topics);
                    let failure = Failure::usage(format!("there is no help on `{topic}`"));
                    return Err(near.map_or_else(
                        || Failure::usage(format!("there is no help on `{topic}`")),
                        |near| failure.help(format!("did you mean `{near}`?")),
                    ));
                }
            }
        }
    };
    here.print(&text);
    Ok(Exit::Done)
}
