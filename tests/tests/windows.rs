//! A client's windows, where the clock does not tell the truth.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::time::Duration;
use tests::lab::{Lab, machine};

const RUNBOOK: &str = "format: 1\nrunbook: t\nversion: 1.0.0\ntitle: T\ntouches: ['file:/d/**']\nsteps:
  - { id: floor, action: file.write, point_of_no_return: true, with: { path: /d/b, text: x } }
";

const OTHER: &str = "format: 1\nrunbook: t\nversion: 1.0.0\ntitle: T\ntouches: ['file:/d/**']\nsteps:
  - { id: a, action: file.write, with: { path: /d/a, text: x } }
";

/// The clock of a lab stands at 20:00.
fn client(name: &str) -> String {
    format!("format: 1\nclient: {name}\nname: C\nzone: UTC\nwindows: [{{ starts: '2026-03-07T19:30', for: 1h }}]\n")
}

#[test]
fn a_clock_that_is_set_back_opens_no_window() {
    for (name, exit) in [("c", 4), ("other", 0)] {
        let (world, store) = machine(&[("/d/x", "")]);
        let late = Lab::new(OTHER, Some(&client(name)));
        late.clock.pass(Duration::from_secs(3600));
        assert_eq!(late.run(&world, &store, "t-1").unwrap().exit, 0);
        // By its clock it is 20:00, and the window is open.
        let ending = Lab::new(RUNBOOK, Some(&client("c"))).run(&world, &store, "t-2").unwrap();
        assert_eq!(ending.exit, exit, "{name}: {:?}", ending.why);
        assert_eq!(world.machine().read("/d/b").is_some(), exit == 0);
        let says = "a journal of the client's was written at 2026-03-07T21:00:00Z, though the clock says 2026-03-07T20:00:00Z";
        assert!(exit == 0 || ending.why[0].contains(says), "{:?}", ending.why);
    }
}

#[test]
fn a_clock_that_is_set_back_while_a_run_waits_opens_no_window() {
    let (world, store) = machine(&[("/d/x", "")]);
    let lab = Lab::new(RUNBOOK, Some(&client("c")));
    lab.clock.pass(Duration::from_secs(3600));
    assert_eq!(lab.run(&world, &store, "t-1").unwrap().exit, 4);
    lab.clock.set(-3600);
    assert_eq!(lab.resume(&world, &store, "t-1").unwrap().exit, 4);
    assert!(world.machine().read("/d/b").is_none());
}
