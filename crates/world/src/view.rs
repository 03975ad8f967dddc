//! What an action is given when it proposes.

use crate::action::ActionError;
use crate::earlier::Earlier;
use crate::error::WorldError;
use crate::look::Look;
use crate::proposal::{Proposal, Verdict};
use crate::window::Hours;
use jiff::Timestamp;
use model::digest::Digest;
use model::effect::Change;
use model::id::StepId;
use model::resource::Resource;
use model::state::State;
use model::value::{May, SecretText, Text, Value};
use zeroize::Zeroizing;

/// The world as a step may see it, and the little of the run that some actions need. Nothing of it changes anything.
/// The engine makes it; it notes every resource that is looked at.
pub trait View: Look {
    /// The step that is being proposed.
    fn step(&self) -> &StepId;

    /// The bytes of a secret text. Unknown when planning.
    ///
    /// # Errors
    /// The secret is not there, or what it is read from cannot be.
    fn reveal(&self, secret: &SecretText) -> Result<May<Zeroizing<Vec<u8>>>, ActionError>;

    /// What a bare expression of this step (`that`, `fail_when`) says, with some names more.
    ///
    /// # Errors
    /// It is not true or false, or uses a name that is not there.
    fn judge(&self, expression: &str, more: &[(&str, Value)]) -> Result<May<bool>, ActionError>;

    /// What another check would propose now: the checks of `wait.until`.
    ///
    /// # Errors
    /// There is no such check, or its parameters do not fit it.
    fn check(&self, kind: &str, with: &Value) -> Result<Proposal, ActionError>;

    /// Looks again with an earlier check, or with every check of an earlier group.
    ///
    /// # Errors
    /// There is no such step.
    fn again(&self, step: &str) -> Result<Vec<(StepId, Verdict)>, ActionError>;

    /// What an earlier step or group has set so far, latest first, as it was observed.
    ///
    /// # Errors
    /// There is no such step.
    fn changes(&self, step: &str) -> Result<Vec<Change>, ActionError>;

    /// The state in which an attempt of this very step that was cut off left a resource; none if it did not set it.
    fn left(&self, _what: &Resource) -> Option<State> {
        None
    }

    /// A template file, rendered with these values. A relative path begins at the directory of the document that names it.
    ///
    /// # Errors
    /// It cannot be read, or is no template, or uses a name that is not there.
    fn template(&self, path: &str, vars: &Value) -> Result<May<Text>, ActionError>;

    /// Whether a confirmation may be given by the operator, if the step does not say: the policy's `four_eyes`.
    fn four_eyes(&self) -> bool;

    /// The earlier runs of a runbook for this client, the newest first.
    ///
    /// # Errors
    /// The state directory cannot be read.
    fn earlier(&self, runbook: &str) -> Result<Vec<Earlier>, WorldError>;

    /// Known at a run. When planning it is unknown until this step, for what the step makes, when it runs, of all that it then sees.
    fn at_run(&self) -> May<()>;

    /// Whether the client lets work be done now.
    fn hours(&self) -> Hours;

    /// Whether the bytes of this file hold a secret, by what made it or by declaration.
    fn sensitive(&self, path: &str) -> bool;

    /// The keyed digest in place of this one of a file whose bytes hold a secret, for outputs and comparison. Unknown when
    /// planning.
    fn keyed(&self, _sha256: &Digest) -> May<Digest> {
        May::Unknown { until: self.step().clone() }
    }

    /// The time, to judge how long a certificate is still good.
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
