//! Helpers of the tests that drive retrace from outside.

pub mod fixture;
pub mod lab;
