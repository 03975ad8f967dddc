//! Tells a run while it goes on. Whoever runs it never waits for a terminal: what is said goes to a desk, and a thread of its
//! own writes it.

use super::board::Board;
use super::layout::Table;
use super::live::{LIVE, live};
use super::said::{Kind, Said};
use crate::paper::Mark;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::event::Line;
use model::id::StepId;
use model::printable::Printable;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How a run is told.
#[derive(Clone, Debug)]
pub(crate) enum Manner {
    /// Rows that scroll up, and a live area below where the cursor can be moved.
    Terminal(Table),
    /// One line an event, with its time.
    Piped(TimeZone),
    /// The journal's own lines.
    Json,
    /// Not at all.
    Silent,
}

/// Tells a run while it goes on.
pub(crate) struct Reporter {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// While it lives, nothing is painted: somebody is asked.
pub(crate) struct Held<'r>(&'r Shared);

struct Shared {
    manner: Manner,
    desk: Mutex<Desk>,
    /// Taken before the desk, by whoever writes.
    pen: Mutex<Pen>,
    news: Condvar,
    hurry: Condvar,
    room: Condvar,
    /// Nobody is asked any more.
    free: Condvar,
}

/// What waits to be written.
struct Desk {
    board: Board,
    text: String,
    rows: usize,
    dropped: usize,
    held: bool,
    closed: bool,
}

struct Pen {
    stream: Box<dyn Write + Send>,
    /// Cells of the lines of the live area that is on the screen.
    painted: Vec<usize>,
    broken: bool,
}

/// The shortest time between two paints.
const PACE: Duration = Duration::from_millis(100);
/// Rows that may wait for a terminal; then they are left out, for nobody reads them anyway.
const ROWS: usize = 2000;
/// Bytes that may wait for a pipe; then the run waits, for a pipe is to get everything.
const BYTES: usize = 8 << 20;
/// A sign of life in a pipe.
const HEARTBEAT: Duration = Duration::from_secs(60);
/// How often it is looked at whether a step has become slow, where nothing is repainted.
const GLANCE: Duration = Duration::from_secs(5);

impl Reporter {
    /// Starts to tell, on this stream. The board knows what was planned.
    pub(crate) fn start(manner: Manner, stream: Box<dyn Write + Send>, board: Board) -> Self {
        let desk = Desk { board, text: String::new(), rows: 0, dropped: 0, held: false, closed: false };
        let shared = Arc::new(Shared {
            manner,
            desk: Mutex::new(desk),
            pen: Mutex::new(Pen { stream, painted: Vec::new(), broken: false }),
            news: Condvar::new(),
            hurry: Condvar::new(),
            room: Condvar::new(),
            free: Condvar::new(),
        });
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("reporter".into()).spawn(move || own.write_all()).ok();
        Self { shared, thread }
    }

    /// A line of a journal, after it was written.
    pub(crate) fn line(&self, line: &Line) {
        let mut desk = self.shared.desk();
        if desk.closed {
            return;
        }
        let waiting = !desk.text.is_empty();
        match &self.shared.manner {
            Manner::Silent => return,
            Manner::Json => {
                if let Ok(text) = line.write() {
                    desk.text.push_str(&text);
                    desk.text.push('\n');
                }
            }
            Manner::Terminal(table) => {
                for said in desk.board.take(line) {
                    desk.add(&said.row(table), 1);
                }
            }
            Manner::Piped(zone) => {
                for said in desk.board.take(line) {
                    desk.add(&said.line(zone), 1);
                }
            }
        }
        let is_news = !waiting && !desk.text.is_empty();
        self.shared.bounded(desk);
        if is_news {
            self.shared.news.notify_one();
        }
    }

    /// Something for people that is no event.
    pub(crate) fn say(&self, text: &str) {
        let mut desk = self.shared.desk();
        let said = |text: String, at| Said { at, kind: Kind::Note, name: String::new(), mark: Mark::Wait, word: "", took: None, text };
        match &self.shared.manner {
            Manner::Silent | Manner::Json => return,
            Manner::Terminal(table) => {
                let text = super::layout::fill(&Printable(text).to_string(), table.paper.width, 4, 6);
                desk.add(&format!("    {text}\n"), 1);
            }
            Manner::Piped(zone) => desk.add(&said(text.to_owned(), Timestamp::now()).line(zone), 1),
        }
        self.shared.bounded(desk);
        self.shared.news.notify_one();
    }

    /// How far a long copy has come.
    pub(crate) fn progress(&self, step: &StepId, written: u64, total: u64) {
        self.shared.desk().board.progress(step, written, total);
    }

    /// Whether somebody is asked now.
    pub(crate) fn asks(&self) -> bool {
        self.shared.desk().held
    }

    /// Waits while somebody is asked.
    pub(crate) fn wait_while_asking(&self) {
        drop(self.shared.free.wait_while(self.shared.desk(), |desk| desk.held).unwrap_or_else(PoisonError::into_inner));
    }

    /// The terminal has shown a typed line of that many cells, below the live area: it goes with that.
    pub(crate) fn typed(&self, cells: usize) {
        let mut pen = self.shared.pen();
        if matches!(&self.shared.manner, Manner::Terminal(table) if table.paper.cursor) && !self.asks() {
            pen.painted.push(cells);
        }
    }

    /// What runs and how far the whole is, once, to stay on the screen.
    pub(crate) fn status(&self) {
        let Manner::Terminal(table) = &self.shared.manner else { return };
        let mut desk = self.shared.desk();
        let now = Timestamp::now();
        let mut lines: String = desk.board.running(now).iter().map(|said| said.row(table)).collect();
        lines.extend(desk.board.total(now).map(|total| format!("    {total}\n")));
        desk.add(&lines, lines.lines().count());
        self.shared.bounded(desk);
        self.shared.news.notify_one();
    }

    /// Takes the live area away, writes what waits, and paints nothing until what is returned is dropped.
    pub(crate) fn hold(&self) -> Held<'_> {
        let mut pen = self.shared.pen();
        let mut desk = self.shared.desk();
        desk.held = true;
        let text = desk.take();
        drop(desk);
        if let Manner::Terminal(table) = &self.shared.manner {
            let whole = pen.erase(table.paper.width) + &text;
            pen.put(&whole);
        } else {
            pen.put(&text);
        }
        Held(&self.shared)
    }

    /// Which step this is, and of how many.
    pub(crate) fn place(&self) -> Option<(usize, usize)> {
        self.shared.desk().board.place()
    }

    /// Writes what waits and ends.
    pub(crate) fn finish(mut self) {
        self.close();
    }

    fn close(&mut self) {
        self.shared.desk().closed = true;
        self.shared.news.notify_all();
        self.shared.hurry.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.close();
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.desk().held = false;
        self.0.news.notify_all();
        self.0.free.notify_all();
    }
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pen(&self) -> MutexGuard<'_, Pen> {
        self.pen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what waits within bounds: a terminal loses rows, a pipe is waited for.
    fn bounded(&self, mut desk: MutexGuard<'_, Desk>) {
        match self.manner {
            Manner::Terminal(_) if desk.rows > ROWS => {
                desk.dropped += desk.rows;
                desk.rows = 0;
                desk.text.clear();
            }
            Manner::Piped(_) | Manner::Json if desk.text.len() > BYTES => {
                self.news.notify_one();
                drop(
                    self.room.wait_while(desk, |desk| desk.text.len() > BYTES && !desk.held && !desk.closed).unwrap_or_else(PoisonError::into_inner),
                );
            }
            _ => {}
        }
    }

    /// What the thread does.
    fn write_all(&self) {
        let mut heard = Instant::now();
        loop {
            let patience = self.patience(heard);
            let wait = if self.glances() { patience.min(GLANCE) } else { patience };
            let desk = self.desk();
            let (desk, waited) = self
                .news
                .wait_timeout_while(desk, wait, |desk| !desk.closed && (desk.held || desk.text.is_empty()))
                .unwrap_or_else(PoisonError::into_inner);
            let (closed, held) = (desk.closed, desk.held);
            drop(desk);
            if held && !closed {
                heard = Instant::now();
                continue;
            }
            let lifeless = waited.timed_out() && wait == patience;
            if self.write_once(lifeless) || lifeless {
                heard = Instant::now();
            }
            if closed {
                return;
            }
            // Whatever comes now comes together.
            let desk = self.desk();
            let pace = if matches!(self.manner, Manner::Terminal(_)) { PACE } else { PACE / 5 };
            drop(self.hurry.wait_timeout_while(desk, pace, |desk| !desk.closed && !desk.held).unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// How long nothing may happen before something is written.
    fn patience(&self, heard: Instant) -> Duration {
        let whole = match &self.manner {
            Manner::Terminal(table) if table.paper.cursor => Duration::from_secs(1),
            Manner::Terminal(_) => HEARTBEAT / 2,
            Manner::Piped(_) => HEARTBEAT,
            Manner::Json | Manner::Silent => Duration::from_secs(3600),
        };
        whole.saturating_sub(heard.elapsed())
    }

    /// Whether it is said once that a step is slow: nothing is repainted.
    fn glances(&self) -> bool {
        match &self.manner {
            Manner::Terminal(table) => !table.paper.cursor,
            Manner::Piped(_) => true,
            Manner::Json | Manner::Silent => false,
        }
    }

    /// Writes what there is, and whether there was something.
    fn write_once(&self, nothing_new: bool) -> bool {
        let mut pen = self.pen();
        let mut desk = self.desk();
        if desk.held && !desk.closed {
            return false;
        }
        let now = Timestamp::now();
        let mut text = desk.take();
        let whole = match &self.manner {
            Manner::Terminal(table) if table.paper.cursor => {
                let live = if desk.closed { Vec::new() } else { live(&desk.board, table, now) };
                drop(desk);
                let mut whole = pen.erase(table.paper.width) + &text;
                pen.painted = live.iter().map(|line| line.cells).collect();
                live.iter().for_each(|line| whole.push_str(&line.text));
                whole
            }
            manner => {
                if !desk.closed {
                    let slow = desk.board.slow(now);
                    let running = if nothing_new { desk.board.running(now).into_iter().take(LIVE).collect() } else { slow };
                    for said in &running {
                        match manner {
                            Manner::Terminal(table) => text.push_str(&said.row(table)),
                            Manner::Piped(zone) => text.push_str(&said.line(zone)),
                            Manner::Json | Manner::Silent => {}
                        }
                    }
                }
                drop(desk);
                text
            }
        };
        pen.put(&whole);
        self.room.notify_all();
        !whole.is_empty()
    }
}

impl Desk {
    fn add(&mut self, row: &str, rows: usize) {
        self.text.push_str(row);
        self.rows += rows;
    }

    fn take(&mut self) -> String {
        self.rows = 0;
        let text = std::mem::take(&mut self.text);
        match std::mem::take(&mut self.dropped) {
            0 => text,
            dropped => format!("    ({dropped} lines are left out: nobody could see them; `retrace show` has them all)\n{text}"),
        }
    }
}

impl Pen {
    /// What takes the live area off the screen. A terminal that became narrower has broken its lines.
    fn erase(&mut self, width: Option<usize>) -> String {
        let width = terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| usize::from(width.0)).or(width).unwrap_or(80).max(1);
        let rows: usize = self.painted.drain(..).map(|cells| cells.div_ceil(width).max(1)).sum();
        if rows == 0 { String::new() } else { format!("\u{1b}[{rows}A\r\u{1b}[J") }
    }

    /// Writes; a stream that is gone is not written to again, and the run goes on: its journal is the record.
    fn put(&mut self, text: &str) {
        if self.broken || text.is_empty() {
            return;
        }
        self.broken = self.stream.write_all(text.as_bytes()).and_then(|()| self.stream.flush()).is_err();
    }
}

#[cfg(test)]
#[path = "reporter_tests.rs"]
mod tests;
