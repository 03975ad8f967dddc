//! How long something took.

use std::fmt;

/// A number of seconds as people read it: `41s`, `3m48s`, `1h02m`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Took(pub f64);

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.max(0.0).round() as u64;
        match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
            (0, 0, seconds) => write!(f, "{seconds}s"),
            (0, minutes, seconds) => write!(f, "{minutes}m{seconds:02}s"),
            (hours, minutes, _) => write!(f, "{hours}h{minutes:02}m"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Took;

    #[test]
    fn a_time_has_at_most_two_units() {
        let text: Vec<String> = [0.2, 41.0, 228.0, 3725.0].map(|seconds| Took(seconds).to_string()).into();
        assert_eq!(text, ["0s", "41s", "3m48s", "1h02m"]);
    }
}
