//! The live area below the rows of a run.

use super::board::Board;
use super::layout::{Table, cut};
use crate::paper::{Ink, Paper};
use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

/// What runs: at most so many lines in the live area.
pub(super) const LIVE: usize = 8;

/// A line of it.
pub(super) struct LiveLine {
    /// With its line end.
    pub(super) text: String,
    /// How wide it is.
    pub(super) cells: usize,
}

/// The live area: a rule, what runs, one line on the whole, and what may be typed.
pub(super) fn live(board: &Board, table: &Table, now: Timestamp) -> Vec<LiveLine> {
    let running = board.running(now);
    let Some(total) = board.total(now).filter(|_| !running.is_empty() || board.is_paused()) else { return Vec::new() };
    let paper = &table.paper;
    // Painted at the width of the moment, one cell less: some terminals break a line that is just full.
    let width = terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| usize::from(width.0)).or(paper.width).unwrap_or(80);
    let width = width.saturating_sub(1).clamp(20, 100);
    let set = |text: &str, ink| {
        let text = cut(text, width);
        LiveLine { cells: text.width(), text: format!("{}\n", paper.paint(ink, &text)) }
    };
    let mut lines = vec![set(&"-".repeat(width), Ink::Plain)];
    let plain = Table { paper: Paper { width: None, colour: false, ..*paper }, ..*table };
    lines.extend(running.iter().take(LIVE).map(|said| set(said.row(&plain).trim_end(), Ink::Plain)));
    let more = match running.len().saturating_sub(LIVE) {
        0 => String::new(),
        more => format!("   and {more} more"),
    };
    lines.push(set(&format!("{total}{more}"), Ink::Head));
    lines.push(set(board.keys(), Ink::Plain));
    lines
}
