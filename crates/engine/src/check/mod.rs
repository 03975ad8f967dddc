//! What can be known to be wrong without looking at the world: all of it in one pass, each with its place.

mod answers;
mod client;
mod expression;
mod file;
mod foresight;
mod frame;
mod input;
mod keys;
mod kinds;
mod name;
mod rules;
mod step;
mod template_file;

use std::cell::RefCell;
use std::collections::BTreeMap;

use model::diagnostic::{Diagnostic, Diagnostics};
use model::yaml::Sink;
use world::action::Kind;

use crate::load::Loaded;
use kinds::Kinds;
pub(crate) use name::{RESERVED, ROOTS};

/// What a check found.
#[derive(Debug, Default)]
pub struct Report {
    /// Errors and warnings, those from reading included, in the order of their places.
    pub diagnostics: Diagnostics,
    /// What the runbook needs of a client file, and does not get of the one that is given, if one is.
    pub needs: Vec<Need>,
    /// How many steps the runbook has, groups not counted.
    pub steps: usize,
}

/// A value that a client file has to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// As expressions name it: `client.backup_target`.
    pub name: String,
    /// Its type, where the runbook says it.
    pub kind: Option<&'static str>,
    /// What it is for, where the runbook says it.
    pub about: Option<String>,
}

/// Checks all documents. `kinds` are the actions that there are.
pub fn check(loaded: &Loaded, kinds: &[Kind]) -> Report {
    let sink = Sink::new();
    let kinds = Kinds::new(kinds);
    let needs = RefCell::new(BTreeMap::new());
    let mut steps = 0;
    for (index, file) in loaded.files.iter().enumerate() {
        let counted = file::check(loaded, file, index == 0, &kinds, &sink, &needs);
        steps += counted;
    }
    if let Some(client) = &loaded.client {
        client::check(loaded, client, &sink);
    }
    if let Some(answers) = &loaded.answers {
        answers::check(loaded, answers, &kinds, &sink);
    }
    let mut diagnostics = loaded.found.clone();
    // Where reading has found an error a stand-in was checked: whatever is wrong with it is nobody's mistake.
    for found in &sink.into_diagnostics() {
        if !loaded.found.iter().any(|read| same_place(read, found)) {
            diagnostics.push(found.clone());
        }
    }
    diagnostics.sort();
    Report { diagnostics, needs: needs.into_inner().into_values().collect(), steps }
}

fn same_place(one: &Diagnostic, other: &Diagnostic) -> bool {
    let place = |found: &Diagnostic| found.at.as_ref().map(|place| (place.file.clone(), place.line, place.column));
    one.at.is_some() && place(one) == place(other)
}
