//! A person's keyboard and screen, line by line.

use super::ready::{self, Ready};
use super::silence::Silence;
use crate::report::reporter::Reporter;
use std::io::{self, BufRead, PipeReader, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// Where a person types and reads.
pub(crate) trait Console: Sync {
    /// Shows a question and gives the next line that the person types, without its line end.
    fn line(&self, question: &str) -> Heard;
    /// Shows a question; the next line that the person types is not shown.
    fn hidden(&self, question: &str) -> Heard;
    /// Shows a text.
    fn write(&self, text: &str);
    /// Whoever pressed Ctrl-C before is about to be asked what it meant: it interrupts no question any more.
    fn heed(&self);
}

/// What came from a person.
#[derive(PartialEq, Eq)]
pub(crate) enum Heard {
    /// A line.
    Line(Zeroizing<String>),
    /// Nothing more will come.
    End,
    /// The person pressed Ctrl-C instead.
    Interrupted,
}

/// The terminal. A thread of its own reads, so that Ctrl-C is heard while a line is waited for.
pub(crate) struct Terminal {
    state: Mutex<State>,
    heard: Sender<Heard>,
    hiding: AtomicBool,
}

struct State {
    replies: Receiver<Heard>,
    wanted: Option<Sender<Sight>>,
    /// A line was asked for and has not come: the next one is for whoever asks next.
    open: bool,
}

enum Sight {
    Shown,
    Hidden,
}

impl Terminal {
    /// Nothing is read before somebody is asked.
    pub(crate) fn new() -> Self {
        let (heard, replies) = channel();
        Self { state: Mutex::new(State { replies, wanted: None, open: false }), heard, hiding: AtomicBool::new(false) }
    }

    /// Ctrl-C was pressed.
    pub(crate) fn interrupt(&self) {
        if self.hiding.load(Ordering::SeqCst) {
            self.write("\nPress Enter to stop or go on.\n");
        }
        let _ = self.heard.send(Heard::Interrupted);
    }

    /// Whether somebody can be listened to between questions.
    pub(crate) fn listens(&self) -> bool {
        ready::POSSIBLE
    }

    /// The next line that is typed while nobody is asked; none once whoever writes to `over` has gone. A line that is typed while
    /// a question opens is left to the question.
    pub(crate) fn unasked(&self, over: &PipeReader, reporter: &Reporter) -> Option<Zeroizing<String>> {
        loop {
            reporter.wait_while_asking();
            match ready::wait(over) {
                Ready::Over => return None,
                Ready::NotYet => continue,
                Ready::Line => {}
            }
            // Whoever waits for an answer holds the state. A line that stood ready before anybody was asked is no answer.
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let there = state.open || ready::now();
            if !there || reporter.asks() {
                continue;
            }
            if !self.want(&mut state, Sight::Shown) {
                return None;
            }
            // Ctrl-C throws away what was typed before it: then the reader waits on, for whoever asks next.
            match state.replies.recv_timeout(Duration::from_millis(50)) {
                Ok(Heard::Interrupted) => drop(self.heard.send(Heard::Interrupted)),
                Ok(Heard::Line(line)) => {
                    state.open = false;
                    return Some(line);
                }
                Ok(Heard::End) => {
                    state.open = false;
                    return None;
                }
                Err(_) => {}
            }
        }
    }

    fn hear(&self, question: &str, sight: Sight) -> Heard {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // A line typed before the question is seen is no answer to it; Ctrl-C is always heard.
        while let Ok(stale) = state.replies.try_recv() {
            if stale == Heard::Interrupted {
                return stale;
            }
            state.open = false;
        }
        self.write(question);
        if !self.want(&mut state, sight) {
            return Heard::End;
        }
        let heard = state.replies.recv().unwrap_or(Heard::End);
        state.open &= heard == Heard::Interrupted;
        heard
    }

    /// Lets a line be read, if none is being read; false if that is not possible.
    fn want(&self, state: &mut State, sight: Sight) -> bool {
        if !state.open {
            if state.wanted.is_none() {
                state.wanted = self.reader();
            }
            state.open = state.wanted.as_ref().is_some_and(|wanted| wanted.send(sight).is_ok());
        }
        state.open
    }

    fn open(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).open
    }

    fn reader(&self) -> Option<Sender<Sight>> {
        let (wanted, wishes) = channel();
        let heard = self.heard.clone();
        let read = move || {
            while let Ok(sight) = wishes.recv() {
                if heard.send(read(&sight)).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("console".into()).spawn(read).ok().map(|_| wanted)
    }
}

fn read(sight: &Sight) -> Heard {
    let line = match sight {
        #[cfg(windows)]
        Sight::Hidden => rpassword::read_password().map(Zeroizing::new),
        _ => {
            let mut line = Zeroizing::new(String::with_capacity(256));
            match io::stdin().lock().read_line(&mut line) {
                Ok(0) => return Heard::End,
                other => other.map(|_| line),
            }
        }
    };
    match line {
        Ok(line) => Heard::Line(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned())),
        Err(_) => Heard::End,
    }
}

impl Console for Terminal {
    fn line(&self, question: &str) -> Heard {
        self.hear(question, Sight::Shown)
    }

    fn hidden(&self, question: &str) -> Heard {
        self.hiding.store(true, Ordering::SeqCst);
        let silence = Silence::begin();
        let mut heard = self.hear(question, Sight::Hidden);
        // The line that is being typed is waited for, or the next question would take it.
        if heard == Heard::Interrupted && self.open() && self.hear("", Sight::Hidden) == Heard::End {
            heard = Heard::End;
        }
        drop(silence);
        self.hiding.store(false, Ordering::SeqCst);
        self.write("\n");
        heard
    }

    fn write(&self, text: &str) {
        let mut stream = io::stderr().lock();
        // A screen that is gone answers nothing: the question ends by itself.
        let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    }

    fn heed(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while let Ok(stale) = state.replies.try_recv() {
            state.open &= stale == Heard::Interrupted;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ctrl_c_while_a_question_is_being_shown_is_heard_once() {
        let terminal = Terminal::new();
        terminal.interrupt();
        assert!(terminal.line("Start? ") == Heard::Interrupted);
        terminal.interrupt();
        terminal.heed();
        assert!(terminal.state.lock().is_ok_and(|state| state.replies.try_recv().is_err()));
    }
}
