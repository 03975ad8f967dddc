//! The built program under kills, failing calls, power cuts, full disks and rivals: whatever happens, the run can be finished
//! and taken back. And the same with mistakes planted into the program: each must be found.
//!
//! The program is driven from outside with `strace`; it knows nothing of it. Sizes are for every day; `REGIME_FULL=1` takes
//! every point. A violation says how it is done again.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]
#![expect(clippy::print_stdout, reason = "how much was tried belongs in the log")]

mod call;
mod checks;
mod disk;
mod errors;
mod families;
mod flagship;
mod full;
mod kills;
mod lab;
mod manifest;
mod planted;
mod power;
mod programs;
mod purity;
mod replay;
mod rivals;
mod sample;
mod short;
