//! The times in which a client lets the point of no return be passed.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use model::client::{self, ClientFile};
use model::span::Span;
use std::time::Duration;
use world::window::{Hours, Window};

/// The windows of a client; none: at any time.
#[derive(Default)]
pub struct Windows(Vec<Open>);

struct Open {
    /// As the client file says it.
    starts: String,
    length: Span,
    window: Window,
}

impl Windows {
    /// Those of a client file that was checked.
    pub fn of(client: &ClientFile) -> Self {
        let zone = client.zone.as_ref().and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
        Self(client.windows.iter().map(|window| Open::of(window, &zone)).collect())
    }

    /// Why the point of no return may not be passed at that time; none if it may. `recorded`: the latest time that the client's
    /// journals tell, so that a clock that is set back opens no window; it is asked for only if there are any.
    pub(crate) fn closed(&self, now: Timestamp, recorded: impl FnOnce() -> Option<Timestamp>) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let recorded = recorded().filter(|recorded| *recorded > now);
        let at = recorded.unwrap_or(now);
        let until = |window: &Window| window.last_no_return.timestamp();
        if self.windows().any(|window| window.starts.timestamp() <= at && at <= until(window)) {
            return None;
        }
        let spans: Vec<String> = self.windows().map(|window| format!("{} to {}", window.starts.timestamp(), until(window))).collect();
        let is = match recorded {
            None => format!("it is {at:.0}"),
            Some(_) => format!("a journal of the client's was written at {at:.0}, though the clock says {now:.0}"),
        };
        Some(format!("the client's windows: it may be passed from {}, and {is}", spans.join(" or from ")))
    }

    /// Where a time lies among them.
    pub(crate) fn at(&self, at: Timestamp) -> Hours {
        let starts = |window: &&Window| window.starts.timestamp();
        let open = self.windows().filter(|window| starts(window) <= at && at < window.ends.timestamp());
        match open.max_by_key(|window| window.ends.timestamp()) {
            Some(window) => Hours::Open(window.clone()),
            None if self.0.is_empty() => Hours::Any,
            None => Hours::Shut { next: self.windows().filter(|window| starts(window) > at).min_by_key(starts).cloned() },
        }
    }

    fn windows(&self) -> impl Iterator<Item = &Window> {
        self.0.iter().map(|open| &open.window)
    }

    /// For each window that is shorter than what users may be cut off for, a sentence.
    pub(crate) fn too_short(&self, most: Duration) -> impl Iterator<Item = String> + '_ {
        let short = self.0.iter().filter(move |window| window.length.duration() < most);
        let most = Span::from_millis(most.as_millis().try_into().unwrap_or(u64::MAX));
        short.map(move |window| format!("users may be cut off for {most}, and the window of {} is {}", window.starts, window.length))
    }
}

impl Open {
    /// One that cannot be told never opens; `check` has refused it.
    fn of(window: &client::Window, zone: &TimeZone) -> Self {
        let starts = window.starts.parse::<DateTime>().ok().and_then(|starts| zone.to_ambiguous_timestamp(starts).compatible().ok());
        let from = starts.unwrap_or(Timestamp::MAX);
        let length = window.length.duration();
        let after = |passed: Duration| ZonedDateTime::new(from.saturating_add(passed).unwrap_or(Timestamp::MAX), zone.clone());
        let last_no_return = after(length.saturating_sub(window.last_no_return.map_or(Duration::ZERO, |last| last.duration())));
        let times = Window { starts: after(Duration::ZERO), ends: after(length), last_no_return };
        Self { starts: window.starts.to_string(), length: window.length.value, window: times }
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
            assert_eq!(windows.closed(at(&format!("2026-03-08T{time}Z")), || None).is_none(), may, "{time}");
        }
        assert!(open("2026-03-07T20:00", "UTC", None).closed(at("2026-03-07T23:00:00Z"), || None).is_none());
        assert!(Windows::default().closed(at("1999-01-01T00:00:00Z"), || None).is_none());
    }

    #[test]
    fn a_time_lies_in_a_window_or_before_the_next_or_after_all() {
        let windows = open("2026-03-07T20:00", "America/Chicago", Some("70m"));
        let Hours::Shut { next: Some(next) } = windows.at(at("2026-03-08T01:59:59Z")) else { panic!("not yet") };
        assert_eq!(next.to_string(), "2026-03-07T20:00:00-06:00 to 2026-03-07T23:00:00-06:00");
        assert_eq!(windows.at(at("2026-03-08T02:00:00Z")), Hours::Open(next.clone()));
        assert_eq!(windows.at(at("2026-03-08T04:59:59Z")), Hours::Open(next), "after `last_no_return` it is a window still");
        assert_eq!(windows.at(at("2026-03-08T05:00:00Z")), Hours::Shut { next: None });
        assert_eq!(Windows::default().at(at("2026-03-08T05:00:00Z")), Hours::Any);
        // The clocks are put forward within it: three hours it is all the same.
        let Hours::Open(long) = open("2026-03-08T01:30", "America/Chicago", None).at(at("2026-03-08T08:00:00Z")) else { panic!("open") };
        assert_eq!(long.to_string(), "2026-03-08T01:30:00-06:00 to 2026-03-08T05:30:00-05:00");
    }

    #[test]
    fn a_window_that_is_shorter_than_the_longest_outage_is_told() {
        let windows = open("2026-03-07T20:00", "UTC", None);
        assert_eq!(windows.too_short(Duration::from_secs(3 * 3600)).count(), 0);
        let told: Vec<String> = windows.too_short(Duration::from_secs(5 * 3600)).collect();
        assert_eq!(told, ["users may be cut off for 5h, and the window of 2026-03-07T20:00 is 3h"]);
    }
}
