//! Whether a program has ended as it should.

use crate::run::hands::Trouble;
use model::program::{End, Program};

/// Judges its end and its output. What is said of a failure names the last that it wrote, unless it was given a `secret`.
///
/// # Errors
/// It ended otherwise than its runbook expects.
pub(crate) fn judge_end(program: &Program, end: End, stdout: &[u8], stderr: &[u8], secret: bool) -> Result<(), Trouble> {
    let last = |bytes: &[u8]| {
        const MOST: usize = 2_000;
        let (before, end) = bytes.split_at(bytes.len().saturating_sub(MOST));
        // Of a line that is cut nothing: a part of a secret would not be known as one.
        let whole = if before.is_empty() { 0 } else { end.iter().position(|byte| *byte == b'\n').map_or(end.len(), |at| at + 1) };
        let text = String::from_utf8_lossy(&end[whole..]);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(6)..].join("\n")
    };
    let output = if secret { String::new() } else { last(if stderr.is_empty() { stdout } else { stderr }) };
    let failed = |what: String| {
        let what = if output.is_empty() { what } else { format!("{what}; it wrote: {output}") };
        Err(Trouble::Failed(format!("`{}` {what}", program.argv.first().map_or("", String::as_str))))
    };
    match end {
        End::Code(code) if program.expect_exit.contains(&code) => {}
        End::Code(code) => return failed(format!("ended with {code}")),
        End::Signal(signal) => return failed(format!("was ended by signal {signal}")),
        End::TimedOut => return failed("took too long and was ended".into()),
        End::Cancelled => return Err(Trouble::Stopped),
    }
    match &program.expect_stdout {
        Some(wanted) if !String::from_utf8_lossy(stdout).contains(wanted.as_str()) => failed(format!("did not write `{wanted}`")),
        _ => Ok(()),
    }
}
