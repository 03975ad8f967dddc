//! What a journal says: of a seed, and of a clock.

use super::{THREE, lab};
use model::event::Event;
use model::id::RunId;
use model::program::End;
use std::io::Read;
use tests::lab::machine;
use world::store::Store;

#[test]
fn the_same_seed_gives_the_same_journal_bytes() {
    let journal = || {
        let (world, store) = machine(&[("/d/a", "old"), ("/d/c", "c")]);
        assert_eq!(lab(THREE).run(&world, &store, "t-1").unwrap().exit, 0);
        let mut bytes = Vec::new();
        store.journal(&RunId::parse("t-1").unwrap()).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    };
    let first = journal();
    assert!(first.len() > 1_000);
    assert!((0..20).all(|_| journal() == first));
}

#[test]
fn a_clock_that_is_set_while_a_run_goes_on_is_written_down_and_makes_no_difference() {
    for by in [-315_360_000, -3600, -3, 1, 3, 3600, 315_360_000] {
        let (world, store) = machine(&[("/d/x", "")]);
        let lab = lab(
            "  - { id: first, action: command.run, with: { argv: [/bin/sets], changes: [] } }\n  - { id: then, needs: [first], action: file.write, with: { path: /d/a, text: x } }\n",
        );
        let clock = std::sync::Arc::clone(&lab.clock);
        let setting = world.program("/bin/sets", move |_, _, _| {
            clock.set(by);
            (End::Code(0), Vec::new(), Vec::new())
        });
        let ending = lab.run(&setting, &store, "t-1").unwrap();
        assert_eq!(ending.exit, 0, "{by}: {:?}", ending.why);
        let lines = lab.told.lines.lock().unwrap();
        let steps: Vec<f64> =
            lines.iter().filter_map(|line| if let Event::ClockStep { seconds } = line.event { Some(seconds.round()) } else { None }).collect();
        assert_eq!(steps, if by == 1 { Vec::new() } else { vec![f64::from(by as i32)] }, "{by}");
    }
}
