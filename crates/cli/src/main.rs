//! The program `retrace`.

fn main() {}
