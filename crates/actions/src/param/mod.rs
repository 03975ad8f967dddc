//! Types of parameters that several actions share.

mod assigned;
mod changed;
mod digested;
mod instruct;
mod mode;
mod place;
mod shown;

pub use assigned::{Assigned, Assignments};
pub use changed::Changed;
pub use digested::{Digested, Nothing};
pub use instruct::Instruct;
pub use mode::Mode;
pub use place::Place;
pub use shown::Shown;
