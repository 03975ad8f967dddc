//! YAML with places: a file is parsed once, under limits, into a [`Tree`]; [`read`] turns nodes of it into types and
//! reports every error it finds, not only the first.

mod at;
mod de;
mod dummy;
mod fault;
mod foreseen;
mod map;
mod one_of;
mod over;
mod parse;
mod scalar;
mod sink;
mod source;
mod tree;
mod variant;

pub use at::{At, Raw};
pub use de::{read, read_parameters};
pub use fault::plainly;
pub use foreseen::{Foreseen, Foresight};
pub use map::Map;
pub use one_of::OneOf;
pub use parse::{MOST_BYTES, MOST_DEPTH, MOST_NODES, MOST_SCALAR, parse};
pub use scalar::{Plain, bare};
pub use sink::Sink;
pub use source::{Source, Stretch};
pub use tree::{Shape, Tree};
