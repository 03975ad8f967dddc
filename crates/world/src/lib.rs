//! Machines: looking at them and changing them. The only crate that touches one.
