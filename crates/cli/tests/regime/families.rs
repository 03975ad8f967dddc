//! The families of disks that a power cut may leave.

use crate::lab::Lab;
use crate::power::{self, Story, of_cut, of_killed, of_run, of_undos, of_unflushed};
use crate::programs::PROGRAMS;
use crate::replay::Moment;
use crate::sample::{Wrong, full, none, only, sample};
use std::thread;

/// What a lab is cut off in the middle of; the second of two labs may tell something else.
type Tell = fn(&Lab, usize) -> Result<Vec<Story>, String>;

macro_rules! families {
    ($($test:ident $size:literal: $lab:expr, $tell:expr;)*) => {
        $(
            #[test]
            fn $test() {
                family(stringify!($test), $size, $lab, $tell);
            }
        )*

        /// So many distinct disks every day.
        const _: () = assert!($($size +)* 0 >= 2000);
    };
}

families! {
    a_run_without_power_can_be_finished_and_taken_back 300: Lab::new, |lab, _| of_run(lab);
    a_run_of_programs_without_power_is_whole_after_a_resume_and_as_before_after_an_undo 250: programs, |lab, _| of_run(lab);
    an_undo_without_power_can_be_begun_again_or_finished 300: Lab::new, |lab, _| of_undos(lab);
    an_undo_of_programs_without_power_can_be_begun_again_or_finished 150: programs, |lab, _| of_undos(lab);
    a_recovery_of_a_killed_run_without_power_can_be_finished_and_taken_back 250: Lab::new, |lab, worker| of_killed(lab, |at, _| every(24, worker, at));
    a_recovery_of_a_killed_program_without_power_can_be_finished_and_taken_back 150: programs, |lab, worker| of_killed(lab, |at, moment| is_of_program(moment) && every(6, worker, at));
    a_recovery_that_is_cut_off_from_power_once_more_can_be_finished_and_taken_back 250: Lab::new, |lab, worker| of_cut(lab, |at, _| every(16, worker, at));
    a_recovery_without_power_does_not_rely_on_what_a_failed_flush_left_in_the_cache 200: Lab::new, |lab, worker| of_unflushed(lab, |at, _| every(8, worker, at));
    what_a_program_wrote_is_not_taken_from_the_cache_after_a_failed_flush 150: programs, |lab, _| of_unflushed(lab, |_, call| call.contains("/tree/"));
}

fn programs(name: &str) -> Lab {
    Lab::with(name, PROGRAMS)
}

/// Every so many moments, the two labs taking turns.
fn every(step: usize, worker: usize, at: usize) -> bool {
    let step = if full() { 2 } else { step };
    at % step == worker * step / 2
}

/// Whether a call was one of a program's: it stages nothing.
fn is_of_program(moment: &Moment) -> bool {
    moment.call.contains("/tree/") && !moment.call.contains(".retrace")
}

/// Two labs tell stories and are cut off at so many disks in all.
fn family(name: &str, size: usize, lab: fn(&str) -> Lab, tell: Tell) {
    let half = |worker: usize| {
        let lab = lab(&format!("power-{name}-{worker}"));
        let ends = lab.ends();
        let stories = match tell(&lab, worker) {
            Ok(stories) => stories,
            Err(text) => return (vec![(0, text)], 0, 0),
        };
        let all: Vec<(&Story, usize)> = stories.iter().flat_map(|story| (0..story.disks()).map(move |number| (story, number))).collect();
        // Where both tell the same story they take turns.
        let mine = |(n, _): &(usize, (&Story, usize))| stories.len() > 2 || n % 2 == worker;
        let numbered: Vec<_> = all.into_iter().enumerate().filter(mine).collect();
        let taken: Vec<_> = match only() {
            // A number is that of one lab, and which lab's is its last bit.
            Some(only) => numbered.iter().filter(|(n, _)| n * 2 + worker == only).copied().collect(),
            None => sample(&numbered, size / 2).into_iter().map(|(_, disk)| disk).collect(),
        };
        let violation = |(n, (story, number)): &(usize, (&Story, usize))| Some((n * 2 + worker, story.cut(&lab, &ends, *number).err()?));
        (taken.iter().filter_map(violation).collect(), taken.len(), numbered.len())
    };
    let halves: Vec<(Vec<Wrong>, usize, usize)> = thread::scope(|scope| {
        let half = &half;
        let threads: Vec<_> = (0..2).map(|worker| scope.spawn(move || half(worker))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (taken, all): (usize, usize) = (halves.iter().map(|half| half.1).sum(), halves.iter().map(|half| half.2).sum());
    println!("{name}: {taken} of {all} distinct disks");
    let wrong: Vec<Wrong> = halves.into_iter().flat_map(|half| half.0).collect();
    none(&wrong, taken, size);
}

#[test]
fn a_run_of_two_steps_at_once_without_power_can_be_finished_and_taken_back() {
    assert_eq!(power::violation_of_two(None), None);
}
