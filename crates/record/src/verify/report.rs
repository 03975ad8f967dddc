//! What was found, row by row.

use super::verdict::Verdict;
use model::id::RunId;
use serde::Serialize;
use serde_json::json;
use std::fmt;

/// What was found of a record. Its text is what `verify` prints.
#[derive(Clone, Debug)]
pub struct Report {
    /// Of which run.
    pub run: RunId,
    /// What was looked at.
    pub rows: Vec<Row>,
}

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// What: `chain`, `seal`, `files`, ...
    pub what: &'static str,
    /// How it is.
    pub mark: Mark,
    /// What is wrong.
    pub verdict: Option<Verdict>,
    /// In words.
    pub text: String,
}

/// How a thing is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// As it should be.
    Ok,
    /// There is none.
    None,
    /// It has not come to its end.
    Open,
    /// It is wrong.
    Bad,
}

impl Report {
    pub(super) fn new(run: RunId) -> Self {
        Self { run, rows: Vec::new() }
    }

    pub(super) fn good(&mut self, what: &'static str, text: String) {
        self.rows.push(Row { what, mark: Mark::Ok, verdict: None, text });
    }

    pub(super) fn absent(&mut self, what: &'static str, text: String) {
        self.rows.push(Row { what, mark: Mark::None, verdict: None, text });
    }

    pub(super) fn open(&mut self, what: &'static str, text: String) {
        self.rows.push(Row { what, mark: Mark::Open, verdict: None, text });
    }

    pub(super) fn bad(&mut self, what: &'static str, verdict: Verdict) {
        self.rows.push(Row { what, mark: Mark::Bad, text: verdict.to_string(), verdict: Some(verdict) });
    }

    pub(super) fn unsealed(&mut self) {
        let verdict = Verdict::NotSealed;
        self.rows.push(Row { what: "seal", mark: Mark::None, text: verdict.to_string(), verdict: Some(verdict) });
    }

    pub(super) fn is_bad(&self) -> bool {
        self.rows.iter().any(|row| row.mark == Mark::Bad)
    }

    /// The words for all that is wrong; `open` if nothing is but that the run has not ended.
    pub fn words(&self) -> Vec<String> {
        let wrong: Vec<String> = self.rows.iter().filter_map(|row| row.verdict.as_ref().map(Verdict::word)).collect();
        if wrong.is_empty() && self.rows.iter().any(|row| row.mark == Mark::Open) { vec!["open".to_owned()] } else { wrong }
    }

    /// Whether the record is whole: ended, sealed and nothing wrong.
    pub fn is_whole(&self) -> bool {
        self.words().is_empty()
    }

    /// The exit code: 0, or 9 for whatever is not whole.
    pub fn exit(&self) -> u8 {
        if self.is_whole() { 0 } else { 9 }
    }

    /// As one document.
    pub fn json(&self) -> serde_json::Value {
        let row = |row: &Row| {
            let mut one = json!({ "what": row.what, "mark": row.mark, "text": row.text });
            if let Some(verdict) = &row.verdict {
                one["verdict"] = verdict.word().into();
            }
            one
        };
        json!({ "format": 1, "run": self.run, "whole": self.is_whole(), "verdicts": self.words(), "rows": self.rows.iter().map(row).collect::<Vec<_>>() })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            let (mark, word) = match row.mark {
                Mark::Ok => ('+', "ok"),
                Mark::None => ('-', "none"),
                Mark::Open => ('?', "open"),
                Mark::Bad => ('x', "BAD"),
            };
            writeln!(f, "  {mark} {:<10} {word:<5} {}", row.what, row.text)?;
        }
        match self.words().as_slice() {
            [] => f.write_str("Whole and sealed. Not signed. Without retrace: verify.py"),
            words => write!(f, "Not whole: {}", words.join(", ")),
        }
    }
}
