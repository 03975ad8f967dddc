//! The program `retrace`.

mod args;
mod demo;
mod exit;
mod failure;
mod help;
mod paper;
mod prompt;
mod report;

fn main() {}
