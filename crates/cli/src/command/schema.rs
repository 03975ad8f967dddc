//! `retrace schema`: a JSON Schema for editors.

use crate::args::Schema;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::here::Here;
use actions::BUILTIN;

/// The documents that have a schema.
const KINDS: [&str; 4] = ["runbook", "client", "partner", "answers"];

/// Prints a schema.
pub(crate) fn schema(here: &Here, args: &Schema) -> Result<Exit, Failure> {
    let schema = match args.kind.as_str() {
        "runbook" => engine::schema::runbook(&BUILTIN),
        "client" => engine::schema::client(),
        "partner" => engine::schema::partner(),
        "answers" => engine::schema::answers(),
        other => {
            let failure = Failure::usage(format!("there is no schema of `{other}`"));
            return Err(match model::diagnostic::nearest(other, KINDS) {
                Some(near) => failure.help(format!("did you mean `{near}`?")),
                None => failure.help(format!("one of {}", KINDS.join(", "))),
            });
        }
    };
    here.print_json(&schema)?;
    Ok(Exit::Done)
}
