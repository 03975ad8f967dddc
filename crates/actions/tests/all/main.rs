//! Behaviour of the actions in a world in memory.

mod checks;
mod config;
mod contract;
mod endpoints;
mod files;
mod people;
mod programs;
mod services;
mod stage;
mod undo;
mod waits;
