//! The actions: one file each, and one list. An action looks through a view and says what it would do; it changes nothing
//! and knows nothing of the engine. Adding one is a file and a line in [`BUILTIN`].

use world::action::Kind;

pub mod assert_again;
pub mod assert_disk_space;
pub mod assert_endpoint;
pub mod assert_fact;
pub mod assert_file;
pub mod assert_record;
pub mod assert_service;
pub mod assert_window;
pub mod command_look;
pub mod command_run;
pub mod config_read;
pub mod config_set;
pub mod dir_backup;
pub mod dir_create;
pub mod file_copy;
pub mod file_manifest;
pub mod file_move;
pub mod file_remove;
pub mod file_write;
pub mod manual_confirm;
pub mod manual_decide;
pub mod manual_form;
pub mod manual_step;
pub mod process_drain;
pub mod service_ensure;
pub mod service_restart;
pub mod session_drain;
pub mod session_list;
pub mod steps_undo;
pub mod wait_until;

pub mod format;
pub mod param;

mod access;
mod befores;
mod content;
mod difference;
pub mod encoding;
mod ini;
mod json;
mod judged;
mod launch;
mod named_service;
mod parents;
mod pattern;
mod programs;
mod put;
mod sessions;

/// Every action, in the order of the reference.
pub static BUILTIN: [Kind; 30] = [
    Kind::of::<file_write::FileWrite>(),
    Kind::of::<file_copy::FileCopy>(),
    Kind::of::<file_move::FileMove>(),
    Kind::of::<file_remove::FileRemove>(),
    Kind::of::<dir_create::DirCreate>(),
    Kind::of::<dir_backup::DirBackup>(),
    Kind::of::<file_manifest::FileManifest>(),
    Kind::of::<config_read::ConfigRead>(),
    Kind::of::<config_set::ConfigSet>(),
    Kind::of::<command_look::CommandLook>(),
    Kind::of::<command_run::CommandRun>(),
    Kind::of::<assert_file::AssertFile>(),
    Kind::of::<assert_fact::AssertFact>(),
    Kind::of::<assert_disk_space::AssertDiskSpace>(),
    Kind::of::<assert_endpoint::AssertEndpoint>(),
    Kind::of::<assert_service::AssertService>(),
    Kind::of::<assert_window::AssertWindow>(),
    Kind::of::<assert_record::AssertRecord>(),
    Kind::of::<assert_again::AssertAgain>(),
    Kind::of::<wait_until::WaitUntil>(),
    Kind::of::<process_drain::ProcessDrain>(),
    Kind::of::<session_list::SessionList>(),
    Kind::of::<session_drain::SessionDrain>(),
    Kind::of::<service_ensure::ServiceEnsure>(),
    Kind::of::<service_restart::ServiceRestart>(),
    Kind::of::<manual_step::ManualStep>(),
    Kind::of::<manual_form::ManualForm>(),
    Kind::of::<manual_confirm::ManualConfirm>(),
    Kind::of::<manual_decide::ManualDecide>(),
    Kind::of::<steps_undo::StepsUndo>(),
];
