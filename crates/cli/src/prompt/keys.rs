//! The keyboard while a run goes on and nobody is asked: a letter and Enter.

use super::console::Terminal;
use crate::report::layout::count;
use crate::report::reporter::Reporter;
use engine::context::Stop;
use std::io::PipeReader;
use world::real::Recent;

/// The keyboard while a run goes on.
pub(crate) struct Keys<'a> {
    /// Where is typed.
    pub(crate) terminal: &'a Terminal,
    /// Who tells what was asked for.
    pub(crate) reporter: &'a Reporter,
    /// Who is told of a pause.
    pub(crate) stop: &'a Stop,
    /// What the program that was started last has written.
    pub(crate) recent: &'a (dyn Fn() -> Option<Recent> + Sync),
}

/// Lines of each stream that are shown.
const LINES: usize = 10;

impl Keys<'_> {
    /// Listens until whoever writes to `over` has gone.
    pub(crate) fn listen(&self, over: &PipeReader) {
        let mut pause = false;
        while let Some(line) = self.terminal.unasked(over, self.reporter) {
            self.reporter.typed(unicode_width::UnicodeWidthStr::width(line.as_str()));
            match line.trim() {
                "" => self.reporter.status(),
                "l" | "L" => self.output(),
                "p" | "P" => {
                    // A stop, or going on after one, ends a pause too.
                    pause = !(pause && self.stop.paused());
                    self.stop.pause(pause);
                    self.reporter.say(if pause {
                        "pause: what runs is finished, then nothing starts until p and Enter"
                    } else {
                        "the pause is over"
                    });
                }
                _ => self.reporter.say("Enter: status; l: output; p: pause or go on; Ctrl-C: stop or undo"),
            }
        }
    }

    /// The end of what the program that was started last has written.
    fn output(&self) {
        let Some(recent) = (self.recent)() else {
            self.reporter.say("no program has been started yet");
            return;
        };
        let program = recent.argv.join(" ");
        let now = if recent.running { "so far" } else { "until its end" };
        let (Some(out), Some(err)) = (recent.stdout, recent.stderr) else {
            self.reporter.say(&format!("{program}: it was given a secret, so what it writes is kept sealed and not shown"));
            return;
        };
        let (out, err) = (String::from_utf8_lossy(&out).into_owned(), String::from_utf8_lossy(&err).into_owned());
        let tail = |text: &str, before: &str| {
            let lines: Vec<String> = text.lines().rev().take(LINES).map(|line| format!("{before}| {line}")).collect();
            lines.into_iter().rev().collect::<Vec<_>>()
        };
        let lines: Vec<String> = tail(&out, "    ").into_iter().chain(tail(&err, "err ")).collect();
        if lines.is_empty() {
            self.reporter.say(&format!("{program}: it has written nothing {now}"));
            return;
        }
        self.reporter.say(&format!("the last {} of what {program} has written {now}:", count(lines.len(), "line")));
        lines.iter().for_each(|line| self.reporter.say(line));
    }
}
