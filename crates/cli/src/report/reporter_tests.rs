#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use super::super::board::Detail;
use super::*;
use crate::paper::Paper;
use model::event::Event;
use model::id::{RunId, StepId};

/// A stream that can be read by the test, and that can be kept from taking anything.
#[derive(Clone, Default)]
struct Screen {
    seen: Arc<Mutex<Vec<u8>>>,
    shut: Arc<(Mutex<bool>, Condvar)>,
}

impl Screen {
    fn text(&self) -> String {
        String::from_utf8(self.seen.lock().unwrap().clone()).unwrap()
    }

    fn shut(&self, shut: bool) {
        *self.shut.0.lock().unwrap() = shut;
        self.shut.1.notify_all();
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        drop(self.shut.1.wait_while(self.shut.0.lock().unwrap(), |shut| *shut).unwrap());
        self.seen.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn note(seq: u64) -> Line {
    let event = Event::Note { by: "pat".into(), text: format!("remark {seq}") };
    Line { seq, at: Timestamp::UNIX_EPOCH, run: RunId::parse("h-1").unwrap(), prev: model::digest::Digest::of(b""), event }
}

fn tell(manner: Manner, lines: u64) -> String {
    let screen = Screen::default();
    let reporter = Reporter::start(manner, Box::new(screen.clone()), Board::new(Some(3), Detail::Steps));
    (0..lines).for_each(|seq| reporter.line(&note(seq)));
    reporter.finish();
    screen.text()
}

#[test]
fn json_is_the_journals_own_lines() {
    let expected: String = (0..3).map(|seq| note(seq).write().unwrap() + "\n").collect();
    assert_eq!(tell(Manner::Json, 3), expected);
}

#[test]
fn a_pipe_gets_every_event_in_order() {
    let text = tell(Manner::Piped(TimeZone::UTC), 5000);
    assert_eq!(text.lines().count(), 5000);
    assert!(text.lines().enumerate().all(|(n, line)| line.ends_with(&format!("remark {n}"))));
}

#[test]
fn silence_is_silent() {
    assert_eq!(tell(Manner::Silent, 3), "");
}

#[test]
fn a_terminal_that_takes_nothing_does_not_stop_the_run_and_gets_no_replay() {
    let screen = Screen::default();
    screen.shut(true);
    let reporter =
        Reporter::start(Manner::Terminal(Table { paper: Paper::PLAIN, name: 18 }), Box::new(screen.clone()), Board::new(None, Detail::Steps));
    (0..50_000).for_each(|seq| reporter.line(&note(seq)));
    screen.shut(false);
    reporter.finish();
    let text = screen.text();
    assert!(text.contains("lines are left out"), "{text}");
    assert!(text.lines().count() < 3 * ROWS);
    assert!(text.ends_with("remark 49999\n"));
}

#[test]
fn while_somebody_is_asked_nothing_is_painted() {
    let screen = Screen::default();
    let reporter =
        Reporter::start(Manner::Terminal(Table { paper: Paper::PLAIN, name: 18 }), Box::new(screen.clone()), Board::new(None, Detail::Steps));
    reporter.line(&note(0));
    let held = reporter.hold();
    let before = screen.text();
    assert!(before.ends_with("remark 0\n"), "{before}");
    reporter.line(&note(1));
    assert_eq!(screen.text(), before);
    drop(held);
    reporter.finish();
    assert!(screen.text().ends_with("remark 1\n"));
}

#[test]
fn the_live_area_fits_the_terminal_and_says_how_many_more_run() {
    let mut board = Board::new(Some(20), Detail::Steps);
    let run = RunId::parse("h-1").unwrap();
    let line = |event| Line { seq: 0, at: Timestamp::UNIX_EPOCH, run: run.clone(), prev: model::digest::Digest::of(b""), event };
    board.take(&line(Event::Resumed { by: "pat".into(), torn: None }));
    for n in 0..12 {
        board.take(&line(Event::StepStarted { step: StepId::new(&format!("step_{n}")), attempt: 1 }));
    }
    let lines = live(&board, &Table { paper: Paper { width: Some(60), cursor: true, ..Paper::PLAIN }, name: 18 }, Timestamp::UNIX_EPOCH);
    assert_eq!(lines.len(), 1 + LIVE + 2);
    assert!(lines.iter().all(|line| line.cells < 100 && line.text.lines().count() == 1));
    assert!(lines[9].text.starts_with("0 of 20 steps   0s   run h-1   and 4 more"), "{}", lines[9].text);
}
