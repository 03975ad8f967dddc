//! Mistakes that a test regime must find. Without the feature `planted` there are none.

/// Whether the mistake of that number is to be made.
#[cfg(feature = "planted")]
pub fn bug(n: u8) -> bool {
    use std::sync::OnceLock;
    static PLANTED: OnceLock<Option<u8>> = OnceLock::new();
    *PLANTED.get_or_init(|| std::env::var("RETRACE_PLANT").ok()?.parse().ok()) == Some(n)
}

/// Whether the mistake of that number is to be made: never.
#[cfg(not(feature = "planted"))]
pub const fn bug(_: u8) -> bool {
    false
}
