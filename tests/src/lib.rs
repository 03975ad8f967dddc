//! Helpers of the tests that drive retrace from outside.

pub mod baton;
pub mod case;
pub mod dice;
pub mod fixture;
pub mod flaky;
pub mod lab;
pub mod mortal;
pub mod site;
