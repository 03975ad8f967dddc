//! The built program: exit codes, streams, and a person at a terminal.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

mod answers;
mod bad;
mod case;
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
mod program;
#[cfg(target_os = "linux")]
mod rights;
#[cfg(target_os = "linux")]
mod secrets;
mod taking_back;
mod templates;
#[cfg(target_os = "linux")]
mod terminal;
mod times;
