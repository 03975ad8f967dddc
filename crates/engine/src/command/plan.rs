//! Previewing a run.

use super::Refusal;
use crate::context::Engine;
use crate::plan::{self, Unplanned, Wanted};
use crate::procedure::Procedure;
use crate::secrets::Secrets;
use crate::sensitive::is_sensitive;
use model::id::RunId;
use model::plan::{Plan, Planned};

/// Plans a procedure. Nothing is written.
///
/// # Errors
/// See [`Refusal`].
pub fn plan(engine: Engine<'_>, procedure: &Procedure, run: &RunId, programs: bool) -> Result<Plan, Refusal> {
    let bound = procedure.bind(&engine, run)?;
    let secrets = Secrets::default();
    let session = || bound.session(engine, &secrets, None);
    let wanted = Wanted {
        runbook: planned(procedure),
        client: procedure.client.clone(),
        radius: &bound.radius,
        recipients: &procedure.recipients,
        programs,
        files: procedure.files.clone(),
        client_path: procedure.client_path.clone(),
        set: procedure.set.clone(),
        warnings: procedure.warnings.clone(),
    };
    let plan = plan::plan(&bound.graph, &session, wanted).map_err(|wrong| match wrong {
        Unplanned::Invalid(why) => Refusal::Invalid(why),
        Unplanned::Json(wrong) => Refusal::Broken(wrong.to_string()),
    })?;
    // Then it is only a part of one.
    if engine.stop.wished() {
        return Err(Refusal::Stopped);
    }
    if procedure.recipients.is_empty() && plan.steps.iter().any(|step| step.effects.iter().any(is_sensitive)) {
        let which = plan.steps.iter().filter(|step| step.effects.iter().any(is_sensitive)).map(|step| {
            let at = bound.graph.find(step.id.as_str()).and_then(|node| bound.graph.place_of_step(node)).unwrap_or_default();
            format!("`{}` sets something that holds a secret, and the client file names nobody (`people.*.age`, `recovery`) who could open what is kept of it\n{at}", step.id)
        });
        return Err(Refusal::Invalid(which.collect()));
    }
    Ok(plan)
}

pub(super) fn planned(procedure: &Procedure) -> Planned {
    let document = &procedure.documents[0];
    Planned {
        id: document.document.form.runbook.value.to_string(),
        version: document.document.form.version.value.to_string(),
        digest: document.document.digest.clone(),
    }
}
