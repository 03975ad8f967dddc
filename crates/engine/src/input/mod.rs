//! Inputs and what else is known before the first step: their types, and where their values come from.

mod fit;
mod offer;
mod resolve;

pub use fit::{Misfit, fit, parse_text};
pub(crate) use fit::{bounds, fit_output, pattern_error};
pub(crate) use offer::{Offer, of_input, written};
pub(crate) use resolve::vars_in;
pub use resolve::{Layer, SecretNeed, Values, resolve, vars};
