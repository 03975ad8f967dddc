//! The built program under kills, failing calls, power cuts and rivals: whatever happens, the run can be finished and taken back.
//!
//! The program is driven from outside with `strace`; it knows nothing of it. Sizes are for every day; `REGIME_FULL=1` takes every point.

#![cfg(all(feature = "regime", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

mod call;
mod disk;
mod errors;
mod kills;
mod lab;
mod manifest;
mod power;
mod purity;
mod rivals;
mod sample;
