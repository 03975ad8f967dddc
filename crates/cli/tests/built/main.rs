//! The built program: exit codes, streams, and a person at a terminal.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

mod agreed;
mod answers;
mod bad;
mod case;
mod exits;
#[cfg(target_os = "linux")]
mod keys;
#[cfg(target_os = "linux")]
mod lists;
#[cfg(target_os = "linux")]
mod noise;
#[cfg(target_os = "linux")]
mod others;
mod partner;
#[cfg(target_os = "linux")]
mod person;
#[cfg(target_os = "linux")]
mod rights;
mod runbooks;
#[cfg(target_os = "linux")]
mod secrets;
mod streams;
mod taking_back;
mod templates;
#[cfg(target_os = "linux")]
mod terminal;
mod times;
#[cfg(target_os = "linux")]
mod trees;
