use crate::graph::Ix;
use model::program::Program;
use model::value::May;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use world::error::WorldError;
use world::look::{Endpoint, Output, Reply};

/// What programs have written and endpoints have answered to the steps of a plan. It looks once, though a decision may lead
/// more ways than one.
#[derive(Default)]
pub(crate) struct Looked {
    outputs: Answers<Program, Output>,
    replies: Answers<Endpoint, Reply>,
}

/// By step: what was asked, and the answer.
type Answers<Q, A> = Mutex<BTreeMap<Ix, Vec<(Q, A)>>>;

impl Looked {
    /// The output of a program that a step looks at.
    pub(crate) fn output(
        &self,
        node: Ix,
        program: &Program,
        look: impl FnOnce() -> Result<May<Output>, WorldError>,
    ) -> Result<May<Output>, WorldError> {
        once(&self.outputs, node, program, look)
    }

    /// The reply of an endpoint that a step looks at.
    pub(crate) fn reply(
        &self,
        node: Ix,
        endpoint: &Endpoint,
        look: impl FnOnce() -> Result<May<Reply>, WorldError>,
    ) -> Result<May<Reply>, WorldError> {
        once(&self.replies, node, endpoint, look)
    }
}

fn once<Q: PartialEq + Clone, A: Clone>(
    answers: &Answers<Q, A>,
    node: Ix,
    asked: &Q,
    look: impl FnOnce() -> Result<May<A>, WorldError>,
) -> Result<May<A>, WorldError> {
    let known = || answers.lock().unwrap_or_else(PoisonError::into_inner);
    let answer = known().get(&node).and_then(|all| all.iter().find(|(one, _)| one == asked)).map(|(_, answer)| answer.clone());
    if let Some(answer) = answer {
        return Ok(May::Known(answer));
    }
    let answer = look()?;
    if let May::Known(answer) = &answer {
        known().entry(node).or_default().push((asked.clone(), answer.clone()));
    }
    Ok(answer)
}
