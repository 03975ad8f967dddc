//! The mistakes that can be planted into the program (`world::planted`), each with the part of the regime that must find it.
//!
//! The program under test is the one of all other tests here: without `RETRACE_PLANT` it makes none of them, and the same
//! parts find nothing.

use crate::checks;
use crate::errors;
use crate::kills;
use crate::lab::Lab;
use crate::power::{self, Story};
use crate::short;

/// What a part of the regime finds wrong with a program that makes a mistake, or with one that makes none.
type Part = fn(Option<u8>) -> Option<String>;

macro_rules! planted {
    ($($bug:literal $name:ident $part:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let violation = ($part as Part)(Some($bug));
                let found = violation.unwrap_or_else(|| panic!("mistake {} is not found", $bug));
                println!("mistake {}: {}", $bug, found.lines().next().unwrap_or_default());
            }
        )*

        #[test]
        fn every_mistake_of_the_list_is_planted() {
            assert_eq!([$($bug),*], std::array::from_fn::<u8, 30, _>(|n| n as u8 + 1));
        }
    };
}

planted! {
    1 an_intent_after_the_change_is_found killed_run;
    2 a_journal_that_is_not_flushed_is_found cut_run;
    3 a_blob_that_is_not_flushed_is_found cut_run;
    4 a_staged_file_that_is_not_flushed_is_found cut_run;
    5 a_directory_that_is_not_flushed_after_a_rename_is_found cut_run;
    6 a_directory_of_blobs_that_is_not_flushed_is_found cut_run;
    7 a_directory_of_a_run_that_is_not_flushed_is_found cut_run;
    8 a_blob_of_an_unclean_run_that_is_trusted_is_found |bug| cut(bug, |lab| {
        power::of_killed(lab, |_, moment| moment.call.starts_with("rename ") && moment.call.contains("/blobs/"))
    });
    9 a_flush_that_failed_and_is_tried_again_is_found failed_flush;
    10 a_recovery_that_flushes_again_and_does_not_write_again_is_found |bug| cut(bug, |lab| power::of_unflushed(lab, |_, _| true));
    11 a_file_that_is_written_in_place_is_found killed_run;
    12 a_directory_whose_mode_comes_later_is_found killed_run;
    13 a_staging_name_that_is_always_the_same_is_found |bug| checks::another_run(bug).err();
    14 a_staged_file_that_is_left_behind_is_found |bug| checks::run_and_undo(bug).err();
    15 a_removal_that_is_not_flushed_is_found cut_run;
    16 a_removal_before_its_blob_is_on_the_disk_is_found cut_run;
    17 an_undo_in_forward_order_is_found |bug| checks::run_and_undo(bug).err();
    18 an_image_that_is_kept_after_the_effect_is_found killed_run;
    // A step that found all as wanted has no effect in the journal, so an undo knows nothing of it; what can be taken back by
    // mistake is an effect that was intended and did not happen.
    19 an_undo_of_what_did_not_happen_is_found |bug| checks::not_happened(bug).err();
    20 an_undo_that_does_not_look_for_drift_is_found |bug| checks::drift(bug).err();
    21 an_undo_that_trusts_the_journal_without_looking_is_found |bug| checks::drift(bug).err();
    22 an_intent_that_is_repeated_without_looking_is_found killed_run;
    23 a_torn_line_in_the_middle_that_is_accepted_is_found |bug| checks::damaged(bug).err();
    24 a_short_write_that_is_passed_over_is_found short::violation;
    25 a_time_that_is_set_before_the_bytes_is_found |bug| checks::run_and_undo(bug).err();
    26 an_access_list_that_is_inherited_is_found |bug| checks::access_list(bug).err();
    27 a_lock_that_a_program_inherits_is_found |bug| checks::inherited(bug).err();
    28 a_group_commit_that_lets_go_too_early_is_found |bug| power::violation_of_two(bug);
    29 an_answer_that_is_used_before_it_is_on_the_disk_is_found |bug| checks::answered(bug).err();
    30 a_seal_before_the_last_line_is_on_the_disk_is_found cut_run;
}

fn killed_run(bug: Option<u8>) -> Option<String> {
    let lab = Lab::new(&format!("planted-{bug:?}")).with_bug(bug);
    let ends = lab.ends();
    kills::violation(&lab, &ends, "run")
}

fn failed_flush(bug: Option<u8>) -> Option<String> {
    let lab = Lab::new(&format!("planted-{bug:?}")).with_bug(bug);
    let ends = lab.ends();
    errors::violation_of_flushes(&lab, &ends)
}

fn cut_run(bug: Option<u8>) -> Option<String> {
    cut(bug, power::of_run)
}

fn cut(bug: Option<u8>, tell: fn(&Lab) -> Result<Vec<Story>, String>) -> Option<String> {
    let lab = Lab::new(&format!("planted-{bug:?}")).with_bug(bug);
    let ends = lab.ends();
    match tell(&lab) {
        Ok(stories) => stories.iter().find_map(|story| story.violation(&lab, &ends)),
        Err(text) => Some(text),
    }
}

/// The parts that no other test carries out with a program that makes no mistake.
#[test]
fn nothing_is_found_where_nothing_is_planted() {
    let parts = [
        checks::run_and_undo,
        checks::drift,
        checks::not_happened,
        checks::another_run,
        checks::damaged,
        checks::access_list,
        checks::inherited,
        checks::answered,
    ];
    for part in parts {
        assert_eq!(part(None), Ok(()));
    }
}
