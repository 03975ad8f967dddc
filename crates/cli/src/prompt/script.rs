//! A person for tests: what is typed stands beforehand, what is shown is kept.

use super::console::{Console, Heard};
use std::collections::VecDeque;
use std::sync::Mutex;
use zeroize::Zeroizing;

pub(crate) struct Script {
    typed: Mutex<VecDeque<String>>,
    shown: Mutex<String>,
}

impl Script {
    pub(crate) fn new(typed: &[&str]) -> Self {
        Self { typed: Mutex::new(typed.iter().map(|line| (*line).to_owned()).collect()), shown: Mutex::default() }
    }

    #[expect(clippy::unwrap_used, reason = "a test fails loudly")]
    pub(crate) fn shown(&self) -> String {
        self.shown.lock().unwrap().clone()
    }

    #[expect(clippy::unwrap_used, reason = "a test fails loudly")]
    fn next(&self, echo: fn(&str) -> String) -> Heard {
        match self.typed.lock().unwrap().pop_front() {
            None => Heard::End,
            Some(line) if line == "^C" => Heard::Interrupted,
            Some(line) => {
                self.shown.lock().unwrap().push_str(&echo(&line));
                Heard::Line(Zeroizing::new(line))
            }
        }
    }
}

impl Console for Script {
    fn line(&self, question: &str) -> Heard {
        self.write(question);
        self.next(|line| format!("{line}\n"))
    }

    fn hidden(&self, question: &str) -> Heard {
        self.write(question);
        self.next(|_| "\n".into())
    }

    #[expect(clippy::unwrap_used, reason = "a test fails loudly")]
    fn write(&self, text: &str) {
        self.shown.lock().unwrap().push_str(text);
    }

    fn heed(&self) {}
}
