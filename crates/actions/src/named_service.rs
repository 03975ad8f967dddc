//! Finding a service by name or pattern.

use crate::pattern;
use model::resource::Resource;
use model::state::{ServiceState, State};
use world::action::ActionError;
use world::view::View;

/// The service that a step is about.
///
/// # Errors
/// Neither or both are said, or the pattern does not match exactly one.
pub(crate) fn service(view: &dyn View, name: Option<&str>, matching: Option<&str>) -> Result<Resource, ActionError> {
    let name = match (name, matching) {
        (Some(name), None) => return Ok(Resource::service(name)),
        (None, Some(pattern)) => pattern,
        _ => return Err(ActionError::Invalid("one of `name` and `match` is wanted".to_owned())),
    };
    let all = view.services()?;
    match pattern::names(name, &all)?.as_slice() {
        [one] => Ok(Resource::service(one)),
        [] => Err(ActionError::Invalid(format!("no service is called like `{name}`"))),
        many => {
            let some = many.iter().take(5).map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
            Err(ActionError::Invalid(format!("{} services are called like `{name}`: {some}", many.len())))
        }
    }
}

/// What it is; `Err` with the step until which that is unknown.
pub(crate) fn state(view: &dyn View, service: &Resource) -> Result<Result<ServiceState, model::id::StepId>, ActionError> {
    match view.state(service)? {
        State::Service(state) => Ok(Ok(state)),
        State::Unknown { until } => Ok(Err(until)),
        _ => Err(ActionError::Invalid(format!("there is no service `{}`", service.name))),
    }
}
