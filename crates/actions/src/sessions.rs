//! Who works in which programs.

use crate::param::Place;
use crate::programs::Programs;
use model::value::May;
use world::action::ActionError;
use world::look::Process;
use world::view::View;

/// The programs in which somebody works.
///
/// # Errors
/// It cannot be told of a program whether it is one: then nobody may say that there is none.
pub(crate) fn sessions(view: &dyn View, images: &[String], paths_under: &[Place]) -> Result<May<Vec<Process>>, ActionError> {
    let programs = Programs::new(images, paths_under)?;
    let all = match view.processes()? {
        May::Unknown { until } => return Ok(May::Unknown { until }),
        May::Known(all) => all,
    };
    let hidden: Vec<&Process> = all.iter().filter(|process| programs.cannot_tell(process)).collect();
    if let [one, ..] = hidden.as_slice() {
        let which = format!("`{}` (pid {})", one.image, one.pid);
        let which = if hidden.len() > 1 { format!("{which} and {} more", hidden.len() - 1) } else { which };
        return Err(ActionError::Invalid(format!("where {which} works cannot be seen: that needs more rights")));
    }
    Ok(May::Known(all.into_iter().filter(|process| programs.count(process)).collect()))
}

/// Who works in it; an empty text if that cannot be told.
pub(crate) fn user(process: &Process) -> &str {
    process.user.as_deref().unwrap_or_default()
}
