//! The times in which a client lets the point of no return be passed.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::client::{ClientFile, Window};
use model::span::Span;
use std::time::Duration;

/// The windows of a client; none: at any time.
#[derive(Default)]
pub struct Windows(Vec<Open>);

struct Open {
    /// As the client file says it.
    starts: String,
    length: Span,
    from: Timestamp,
    /// When the point of no return may be passed at the latest.
    last: Timestamp,
}

impl Windows {
    /// Those of a client file that was checked.
    pub fn of(client: &ClientFile) -> Self {
        let zone = client.zone.as_ref().and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
        Self(client.windows.iter().filter_map(|window| Open::of(window, &zone)).collect())
    }

    /// Why the point of no return may not be passed at that time; none if it may.
    pub(crate) fn closed(&self, at: Timestamp) -> Option<String> {
        if self.0.is_empty() || self.0.iter().any(|window| window.from <= at && at <= window.last) {
            return None;
        }
        let spans: Vec<String> = self.0.iter().map(|window| format!("{} to {}", window.from, window.last)).collect();
        Some(format!("the client's windows: it may be passed from {}, and it is {at:.0}", spans.join(" or from ")))
    }

    /// For each window that is shorter than what users may be cut off for, a sentence.
    pub(crate) fn too_short(&self, most: Duration) -> impl Iterator<Item = String> + '_ {
        let short = self.0.iter().filter(move |window| window.length.duration() < most);
        let most = Span::from_millis(most.as_millis().try_into().unwrap_or(u64::MAX));
        short.map(move |window| format!("users may be cut off for {most}, and the window of {} is {}", window.starts, window.length))
    }
}

impl Open {
    fn of(window: &Window, zone: &TimeZone) -> Option<Self> {
        let from = zone.to_ambiguous_timestamp(window.starts.parse::<DateTime>().ok()?).compatible().ok()?;
        let until = window.length.duration().saturating_sub(window.last_no_return.map_or(Duration::ZERO, |last| last.duration()));
        let last = from.saturating_add(until).unwrap_or(Timestamp::MAX);
        Some(Self { starts: window.starts.to_string(), length: window.length.value, from, last })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;

    fn open(starts: &str, zone: &str, last_no_return: Option<&str>) -> Windows {
        let last = last_no_return.map(|last| format!(", last_no_return: {last}")).unwrap_or_default();
        let text = format!("format: 1\nclient: c\nname: C\nzone: {zone}\nwindows: [{{ starts: '{starts}', for: 3h{last} }}]\n");
        let sink = model::yaml::Sink::default();
        let tree = model::yaml::parse("c.yaml", text.as_bytes(), &sink).unwrap();
        Windows::of(&model::yaml::read::<ClientFile>(&tree, tree.root(), &sink).unwrap())
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_point_of_no_return_may_be_passed_from_the_beginning_to_so_long_before_the_end() {
        let windows = open("2026-03-07T20:00", "America/Chicago", Some("70m"));
        for (time, may) in [("01:59:59", false), ("02:00:00", true), ("03:50:00", true), ("03:50:01", false)] {
            assert_eq!(windows.closed(at(&format!("2026-03-08T{time}Z"))).is_none(), may, "{time}");
        }
        assert!(open("2026-03-07T20:00", "UTC", None).closed(at("2026-03-07T23:00:00Z")).is_none());
        assert!(Windows::default().closed(at("1999-01-01T00:00:00Z")).is_none());
    }

    #[test]
    fn a_window_that_is_shorter_than_the_longest_outage_is_told() {
        let windows = open("2026-03-07T20:00", "UTC", None);
        assert_eq!(windows.too_short(Duration::from_secs(3 * 3600)).count(), 0);
        let told: Vec<String> = windows.too_short(Duration::from_secs(5 * 3600)).collect();
        assert_eq!(told, ["users may be cut off for 5h, and the window of 2026-03-07T20:00 is 3h"]);
    }
}
