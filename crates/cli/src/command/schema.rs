//! `retrace schema`: a JSON Schema for editors.

use crate::args::Schema;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::here::Here;
use crate::schema::{KINDS, of};

/// Prints a schema.
pub(crate) fn schema(here: &Here, args: &Schema) -> Result<Exit, Failure> {
    let Some(schema) = of(&args.kind) else {
        let failure = Failure::usage(format!("there is no schema of `{}`", args.kind));
        return Err(match model::diagnostic::nearest(&args.kind, KINDS) {
            Some(near) => failure.help(format!("did you mean `{near}`?")),
            None => failure.help(format!("one of {}", KINDS.join(", "))),
        });
    };
    here.print_json(&schema)?;
    Ok(Exit::Done)
}
